// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Sends every packet's number through a ring. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <ebpfnet/bpf/ring.h>

EBPFNET_RING(events, 65536);

__u64 number;

SEC("xdp")
int sample(struct xdp_md *ctx)
{
	__u64 *e = ebpfnet_ring_reserve(&events, &events_drops, sizeof(*e));

	if (e) {
		*e = number++;
		ebpfnet_ring_submit(e);
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
