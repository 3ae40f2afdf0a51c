// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A stage that leaves its number behind, in the packet's metadata; and one that reads them all. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <ebpfnet/bpf/chain.h>

#define SEQUENCES 4096 /* up to four stages of one digit (octal) each, the first in front */

const volatile __u32 stage_number = 0; /* 1 to 7 */
const volatile __u32 stage_verdict = XDP_PASS;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SEQUENCES);
	__type(key, __u32);
	__type(value, __u64);
} sequences SEC(".maps");

static __always_inline void count(__u32 slot)
{
	__u64 *n = bpf_map_lookup_elem(&sequences, &slot);

	if (n)
		(*n)++;
}

/* The digits so far, or 0; metadata that is not there reads as no stages. */
static __always_inline __u32 *seen(struct xdp_md *ctx)
{
	__u32 *meta = (void *)(long)ctx->data_meta;

	return (void *)(meta + 1) > (void *)(long)ctx->data ? 0 : meta;
}

SEC("xdp")
int stage(struct xdp_md *ctx)
{
	__u32 *meta = seen(ctx);

	if (!meta) {
		if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta)))
			return XDP_ABORTED;
		meta = seen(ctx);
		if (!meta)
			return XDP_ABORTED;
		*meta = 0;
	}
	*meta = *meta * 8 + stage_number;
	count(*meta & (SEQUENCES - 1));
	return ebpfnet_next(ctx, stage_verdict);
}

/* The same, without a way on: the last stage, or none. */
SEC("xdp")
int last(struct xdp_md *ctx)
{
	__u32 *meta = seen(ctx);

	count(meta ? *meta & (SEQUENCES - 1) : 0);
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
