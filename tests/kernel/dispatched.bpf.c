// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs in the place of the functions of dispatcher.bpf.c. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("freplace/prog0")
int first_part(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("freplace/prog1")
int second_part(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
