// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A producer of numbered events, as fast as it can or at a pace; it counts what found no room. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define BATCH 32

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} events SEC(".maps");

/* One variable, so that user space knows where its members are. */
struct {
	__u64 number;
	__u64 dropped;
	__u64 flags; /* of bpf_ringbuf_submit() */
	__u32 pace;  /* reads of the clock between two events */
	__u32 padding;
} state;

static __always_inline void produce(__u64 size)
{
	for (int i = 0; i < BATCH; i++) {
		__u64 *e = bpf_ringbuf_reserve(&events, size, 0);

		if (!e) {
			state.dropped++;
			continue;
		}
		*e = state.number++;
		bpf_ringbuf_submit(e, state.flags);
	}
}

SEC("xdp")
int produce16(struct xdp_md *ctx)
{
	produce(16);
	return XDP_PASS;
}

SEC("xdp")
int produce64(struct xdp_md *ctx)
{
	produce(64);
	return XDP_PASS;
}

/* One event, and then time for the consumer to catch up. */
SEC("xdp")
int produce_paced(struct xdp_md *ctx)
{
	__u64 *e = bpf_ringbuf_reserve(&events, 16, 0);

	if (e) {
		*e = state.number++;
		bpf_ringbuf_submit(e, state.flags);
	} else {
		state.dropped++;
	}
	for (__u32 i = 0; i < 64 && i < state.pace; i++)
		bpf_ktime_get_ns();
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
