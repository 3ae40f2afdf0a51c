// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Task 4: XDP links, TCX and their like: the release that brought each; 1 if this kernel has it. */
#include <ebpfnet/ebpfnet.h>
#include <stdio.h>

int main(void)
{
	struct ebpfnet_feature_info info = { .sz = sizeof(info) };
	struct ebpfnet_ctx *ctx;

	/* Features count from 1; without a context there is none to ask for. */
	for (uint32_t f = !ebpfnet_ctx_new(NULL, &ctx, NULL); !ebpfnet_probe_info(f, &info); f++)
		printf("%s\t%s\t%d\n", info.name, info.min_kernel, ebpfnet_probe(ctx, f, NULL));
}
