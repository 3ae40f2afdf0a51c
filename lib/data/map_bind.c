// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <ebpfnet/data.h>

#include "core/opts.h"
#include "data/map_members.h"
#include "data/map_sums.h"
#include "data/map_types.h"
#include "data/map_value.h"

static_assert(sizeof(struct ebpfnet_map_member) == sizeof(void *) + 16, "implicit padding");
static_assert(sizeof(struct ebpfnet_map_layout) == 4 * sizeof(void *) + 8, "implicit padding");

/*
 * The caller's members in our own layout: a program built with another version of the header may
 * have smaller or larger ones. NULL: out of memory.
 */
static struct ebpfnet_map_member *copy_members(const struct ebpfnet_map_member *theirs,
					       size_t their_size, size_t *count)
{
	const char *p = (const char *)theirs;
	struct ebpfnet_map_member *ours;
	size_t n = 0, size = their_size < sizeof(*ours) ? their_size : sizeof(*ours);

	while (p && ((const struct ebpfnet_map_member *)(const void *)(p + n * their_size))->name)
		n++;
	ours = calloc(n + 1, sizeof(*ours));
	for (size_t i = 0; ours && i < n; i++)
		memcpy(&ours[i], p + i * their_size, size);
	*count = n;
	return ours;
}

static int check_side(struct ebpfnet__call *call, const char *name,
		      const struct ebpfnet_map_member *members, const struct ebpfnet_map_layout *l,
		      uint32_t size, uint32_t map_size, const struct btf *btf, uint32_t type)
{
	struct ebpfnet__map_side side = { .name = name, .size = size, .map_size = map_size };
	CLEANUP(free)
	struct ebpfnet_map_member *ours = copy_members(members, l->member_size, &side.count);

	if (!ours)
		return ebpfnet__fail_nomem(call);
	side.members = ours;
	return ebpfnet__map_side_check(call, &side, btf, type);
}

static int get_types(struct ebpfnet__call *call, const struct ebpfnet_map *map,
		     struct ebpfnet__map_types *types)
{
	int ret = ebpfnet__map_types_get(map, types);

	if (ret == 0)
		return 0;
	if (ret == -ENOMEM)
		return ebpfnet__fail_nomem(call);
	if (ret == -EPERM)
		ebpfnet__hint(call, "the kernel shows it to CAP_SYS_ADMIN; a map of an object that "
				    "this program opens needs no capability to be compared");
	return ebpfnet__fail(call, ret, 0, "its BTF cannot be read: %s", ebpfnet_strerror(ret));
}

static int bind(struct ebpfnet__call *call, struct ebpfnet_map *map,
		const struct ebpfnet_map_layout *l)
{
	CLEANUP(map_types) struct ebpfnet__map_types types = { 0 };
	int ret = get_types(call, map, &types);

	if (ret)
		return ret;
	ret = check_side(call, "key", l->key_members, l, l->key_size, map->key_size, types.btf,
			 types.key);
	if (ret)
		return ret;
	ret = check_side(call, "value", l->value_members, l, l->value_size, map->value_size,
			 types.btf, types.value);
	if (ret)
		return ret;
	/* Now, so that ebpfnet_map_sum() finds them ready. */
	if (ebpfnet__map_is_percpu(map) && !ebpfnet__map_sums_get(map))
		return ebpfnet__fail_nomem(call);
	return 0;
}

int ebpfnet_map_bind(struct ebpfnet_map *map, const struct ebpfnet_map_layout *layout,
		     struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, map ? map->ctx : NULL, err, "bind map %s", map ? map->name : "NULL");
	struct ebpfnet_map_layout l;
	int ret;

	if (!map || !layout)
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     map ? "the layout is NULL" : "there is no map");
	ret = EBPFNET__OPTS_COPY(&call, layout, &l);
	if (ret)
		return ret;
	if (l.member_size < offsetof(struct ebpfnet_map_member, reserved) ||
	    l.member_size % sizeof(void *))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the layout's member_size is %zu", l.member_size);
	if (map->fd < 0) {
		ebpfnet__hint(&call, "ebpfnet_object_load() comes before bind");
		return ebpfnet__fail(&call, -EBADF, EBPFNET_ERROR_INVALID, "it is not loaded");
	}
	return bind(&call, map, &l);
}
