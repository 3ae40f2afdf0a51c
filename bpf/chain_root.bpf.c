// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is attached to an interface whose XDP programs are a chain: it does nothing itself, and so
 * never has to be replaced when stages come and go.
 */
#include <ebpfnet/bpf/chain.h>

SEC("xdp")
int chain_root(struct xdp_md *ctx)
{
	return ebpfnet_next(ctx, XDP_PASS);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
