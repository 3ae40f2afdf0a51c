// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Sends what it is run on out of the interface that it is run for. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int send(struct xdp_md *ctx)
{
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
