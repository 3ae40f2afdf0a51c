// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Says that it is proprietary, and calls what the kernel keeps for GPL programs. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int ldt_closed(struct xdp_md *ctx)
{
	static const char text[] = "x";

	return bpf_trace_printk(text, sizeof(text));
}

char LICENSE[] SEC("license") = "Proprietary";
