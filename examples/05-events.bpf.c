// SPDX-License-Identifier: 0BSD
/*
 * Sends the headers of one packet in sample_every, picked at random, to 05-events; all pass.
 *
 *	clang -O2 -g -target bpf -I/usr/include/$(cc -print-multiarch) \
 *		$(pkg-config --cflags libebpfnet) -c 05-events.bpf.c
 */
#include <ebpfnet/bpf/ring.h>

#include "05-events.h"

const volatile __u32 sample_every = 1;

EBPFNET_RING(events, 1024 * 1024);

SEC("xdp")
int sample(struct xdp_md *ctx)
{
	struct event *e;

	if (sample_every > 1 && bpf_get_prandom_u32() % sample_every)
		return XDP_PASS;
	e = ebpfnet_ring_reserve(&events, &events_drops, sizeof(*e));
	if (e) {
		e->time = bpf_ktime_get_ns();
		e->ifindex = ctx->ingress_ifindex;
		e->reserved = 0;
		/* A packet that is malformed is an event too: pkt.reason says how. */
		ebpfnet_parse_xdp(ctx, &e->pkt);
		ebpfnet_ring_submit(e);
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
