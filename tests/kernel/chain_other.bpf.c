// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that do not fit into a chain, each for another reason; the tests enable some of them. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <ebpfnet/bpf/chain.h>

SEC("xdp")
int stage(struct xdp_md *ctx)
{
	return ebpfnet_next(ctx, XDP_PASS);
}

/* Shares its slots with the one above. */
SEC("xdp")
int second(struct xdp_md *ctx)
{
	return ebpfnet_next(ctx, XDP_PASS);
}

SEC("xdp.frags")
int frags(struct xdp_md *ctx)
{
	return ebpfnet_next(ctx, XDP_PASS);
}

SEC("tc")
int skb(struct __sk_buff *ctx)
{
	return 0;
}

/* Only the name is libxdp's. */
SEC("xdp")
int xdp_dispatcher(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
