// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "core/opts.h"

#include <errno.h>
#include <string.h>

int ebpfnet__opts_copy(struct ebpfnet__call *call, const void *user, void *ours, size_t size)
{
	size_t sz;

	memset(ours, 0, size);
	if (!user)
		return 0;
	memcpy(&sz, user, sizeof(sz));
	if (sz < sizeof(sz)) {
		ebpfnet__hint(call, "declare it with EBPFNET_OPTS, which sets sz");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the option struct's sz is %zu, less than sz itself", sz);
	}
	for (size_t i = size; i < sz; i++) {
		if (((const char *)user)[i] != 0) {
			ebpfnet__hint(call,
				      "leave the new option unset, or use a newer libebpfnet");
			return ebpfnet__fail(
				call, -E2BIG, EBPFNET_ERROR_INVALID,
				"an option is set at byte %zu of a struct of which this "
				"library knows %zu bytes",
				i, size);
		}
	}
	memcpy(ours, user, sz < size ? sz : size);
	return 0;
}

int ebpfnet__out_fill(void *user, const void *ours, size_t size)
{
	size_t sz;

	memcpy(&sz, user, sizeof(sz));
	if (sz < sizeof(sz))
		return -EINVAL;
	memcpy((char *)user + sizeof(sz), (const char *)ours + sizeof(sz),
	       (sz < size ? sz : size) - sizeof(sz));
	if (sz > size)
		memset((char *)user + size, 0, sz - size);
	return 0;
}
