// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What a user builds against an installed library. It needs no privileges. */
#include <ebpfnet/ebpfnet.h>
#include <stdio.h>

int main(void)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj = NULL;
	struct ebpfnet_ctx *ctx = NULL;

	if (ebpfnet_ctx_new(NULL, &ctx, &err) < 0 ||
	    ebpfnet_object_open_builtin(ctx, "counter", NULL, &obj, &err) < 0)
		fprintf(stderr, "%s\n", ebpfnet_error_message(err));
	else
		printf("libebpfnet %#x opened counter\n", ebpfnet_version());
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	ebpfnet_error_free(err);
	return obj ? 0 : 1;
}
