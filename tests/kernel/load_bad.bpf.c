// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What does not load, one at a time. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[1 << 20]);
} huge SEC(".maps");

static long (*nobody_has_this)(void) = (void *)99999;

/* Loads, but comes first: what it took must be given back when the next one fails. */
SEC("xdp")
int ldt_good(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?xdp")
int ldt_beyond(struct xdp_md *ctx)
{
	char *data = (char *)(long)ctx->data;

	return data[14];
}

SEC("?xdp")
int ldt_helper(struct xdp_md *ctx)
{
	return nobody_has_this();
}

/* A helper of another program type. */
SEC("?xdp")
int ldt_no_xdp(struct xdp_md *ctx)
{
	return bpf_skb_pull_data((void *)ctx, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
