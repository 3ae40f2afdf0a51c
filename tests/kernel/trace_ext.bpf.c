// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Takes the place of a function of trace.bpf.c. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("freplace/replaceable")
int replacement(struct xdp_md *ctx)
{
	return ctx->data == ctx->data_end ? XDP_ABORTED : XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
