// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The objects that the library carries; builtin.h is made from bpf/ by the build. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/opts.h"
#include "load/object.h"

#include "builtin.h"

static int no_such(struct ebpfnet__call *call, const char *name)
{
	char list[256] = "";

	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(builtins); i++) {
		size_t have = strlen(list);

		snprintf(list + have, sizeof(list) - have, "%s%s", i ? ", " : "", builtins[i].name);
	}
	ebpfnet__hint(call, "there is: %s", list);
	return ebpfnet__fail(call, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "no block is named %s", name);
}

int ebpfnet_object_open_builtin(struct ebpfnet_ctx *ctx, const char *name,
				const struct ebpfnet_object_opts *opts, struct ebpfnet_object **obj,
				struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "open built-in %s", name);
	struct ebpfnet_object_opts o;
	int ret;

	*obj = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret)
		return ret;
	o.sz = sizeof(o);
	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(builtins); i++) {
		struct ebpfnet_error *inner = NULL;
		char file[64];

		if (strcmp(builtins[i].name, name) != 0)
			continue;
		snprintf(file, sizeof(file), "%s.bpf.o", name);
		o.name = o.name ? o.name : file;
		if (ebpfnet_object_open_mem(ctx, builtins[i].data, builtins[i].size, &o, obj,
					    &inner) < 0)
			return ebpfnet__fail_from(&call, inner);
		return 0;
	}
	return no_such(&call, name);
}
