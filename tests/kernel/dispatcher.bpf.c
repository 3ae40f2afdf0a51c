// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What libxdp puts on an interface, as small as it can be: functions that other programs replace. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define PART(name)                                                                                 \
	__noinline int name(struct xdp_md *ctx)                                                    \
	{                                                                                          \
		volatile int verdict = XDP_PASS;                                                   \
                                                                                                   \
		return ctx->data == ctx->data_end ? XDP_ABORTED : verdict;                         \
	}

PART(prog0)
PART(prog1)

SEC("xdp")
int xdp_dispatcher(struct xdp_md *ctx)
{
	int verdict = prog0(ctx);

	return verdict == XDP_PASS ? prog1(ctx) : verdict;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
