// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that need a member which the BTF of core_test.c has moved, or taken away. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct sk_buff {
	unsigned int len;
	int nope;
} __attribute__((preserve_access_index));

struct net {
	int neither;
} __attribute__((preserve_access_index));

SEC("?xdp")
int needs_len(struct xdp_md *ctx)
{
	return bpf_core_field_offset(struct sk_buff, len);
}

SEC("?xdp")
int asks_first(struct xdp_md *ctx)
{
	if (bpf_core_field_exists(struct sk_buff, nope))
		return bpf_core_field_offset(struct sk_buff, nope);
	return 1000;
}

/* The second relocation of the program is the one that is reached. */
SEC("?xdp")
int needs_nope(struct xdp_md *ctx)
{
	if (bpf_core_field_exists(struct net, neither))
		return bpf_core_field_offset(struct net, neither);
	return bpf_core_field_offset(struct sk_buff, nope);
}

static __attribute__((noinline)) int offset_of_neither(struct xdp_md *ctx)
{
	return bpf_core_field_offset(struct net, neither) + ctx->ingress_ifindex;
}

SEC("?xdp")
int needs_below(struct xdp_md *ctx)
{
	return offset_of_neither(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
