// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "data/map_members.h"

#include <errno.h>
#include <string.h>

#include "data/map_leaves.h"

#define REBUILD "compile both from the same header: one of the two is older"

static int differ(struct ebpfnet__call *call, const char *hint)
{
	ebpfnet__hint(call, "%s", hint);
	return -EINVAL;
}

/* The list itself: what is wrong with it whatever the object says. */
static int check_list(struct ebpfnet__call *call, const struct ebpfnet__map_side *side)
{
	for (size_t i = 0; i < side->count; i++) {
		const char *name = side->members[i].name;

		if (side->members[i].is_struct) {
			ebpfnet__hint(call, "list %s.MEMBER for each of its members instead", name);
			return ebpfnet__fail(
				call, -EINVAL, EBPFNET_ERROR_INVALID,
				"%s: member `%s` is a struct or union, which is listed "
				"by its own members",
				side->name, name);
		}
		for (size_t j = 0; j < i; j++)
			if (strcmp(side->members[j].name, name) == 0)
				return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
						     "%s: member `%s` is listed twice", side->name,
						     name);
	}
	return 0;
}

static const struct ebpfnet_map_member *find_member(const struct ebpfnet__map_side *side,
						    const char *name)
{
	for (size_t i = 0; i < side->count; i++)
		if (strcmp(side->members[i].name, name) == 0)
			return &side->members[i];
	return NULL;
}

static void hint_nearest(struct ebpfnet__call *call, const char *name,
			 const struct ebpfnet__map_leaves *leaves)
{
	CLEANUP(free) const char **names = calloc(leaves->count + 1, sizeof(*names));
	const char *near;

	for (size_t i = 0; names && i < leaves->count; i++)
		names[i] = leaves->leaves[i].name;
	near = names ? ebpfnet__nearest(name, names, leaves->count) : NULL;
	if (near)
		ebpfnet__hint(call, "the object has `%s`", near);
	else
		ebpfnet__hint(call, REBUILD);
}

static int check_names(struct ebpfnet__call *call, const struct ebpfnet__map_side *side,
		       const struct ebpfnet__map_leaves *leaves)
{
	for (size_t i = 0; i < side->count; i++) {
		const char *name = side->members[i].name;

		if (ebpfnet__map_leaves_find(leaves, name))
			continue;
		hint_nearest(call, name, leaves);
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "%s: member `%s` is here and not in the object", side->name,
				     name);
	}
	for (size_t i = 0; i < leaves->count; i++) {
		const struct ebpfnet__map_leaf *leaf = &leaves->leaves[i];

		if (leaf->bitfield) {
			ebpfnet__hint(call, "use whole integers in what both halves share");
			return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
					     "%s: member `%s` is a bit field in the object, whose "
					     "place cannot be compared",
					     side->name, leaf->name);
		}
		if (!find_member(side, leaf->name))
			return ebpfnet__fail(
				call, differ(call, "list it, or compile both from the same header"),
				EBPFNET_ERROR_INCOMPATIBLE,
				"%s: member `%s` is in the object and not in the list here",
				side->name, leaf->name);
	}
	return 0;
}

static int check_places(struct ebpfnet__call *call, const struct ebpfnet__map_side *side,
			const struct ebpfnet__map_leaves *leaves)
{
	for (size_t i = 0; i < side->count; i++) {
		const struct ebpfnet_map_member *m = &side->members[i];
		const struct ebpfnet__map_leaf *leaf = ebpfnet__map_leaves_find(leaves, m->name);

		if (leaf->offset != m->offset)
			return ebpfnet__fail(call, differ(call, REBUILD),
					     EBPFNET_ERROR_INCOMPATIBLE,
					     "%s: member `%s` is at offset %u in the object and %u "
					     "here",
					     side->name, m->name, leaf->offset, m->offset);
		if (leaf->size != m->size)
			return ebpfnet__fail(
				call, differ(call, REBUILD), EBPFNET_ERROR_INCOMPATIBLE,
				"%s: member `%s` has %u bytes in the object and %u here",
				side->name, m->name, leaf->size, m->size);
	}
	return 0;
}

static int check_struct(struct ebpfnet__call *call, const struct ebpfnet__map_side *side,
			const struct btf *btf, uint32_t type)
{
	CLEANUP(map_leaves) struct ebpfnet__map_leaves leaves = { 0 };
	int ret = ebpfnet__map_leaves_list(btf, type, &leaves);

	if (ret == -ENOMEM)
		return ebpfnet__fail_nomem(call);
	if (ret)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "%s: its BTF cannot be followed: %s", side->name,
				     ebpfnet_strerror(ret));
	ret = check_names(call, side, &leaves);
	return ret ? ret : check_places(call, side, &leaves);
}

static int check_type(struct ebpfnet__call *call, const struct ebpfnet__map_side *side,
		      const struct btf *btf, uint32_t type)
{
	int id = btf__resolve_type(btf, type);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);
	bool is_struct = t && btf_is_composite(t);

	if (is_struct && side->count)
		return check_struct(call, side, btf, (uint32_t)id);
	if (!is_struct && !side->count)
		return 0;
	if (is_struct)
		return ebpfnet__fail(call, differ(call, REBUILD), EBPFNET_ERROR_INCOMPATIBLE,
				     "%s: it is struct %s in the object and not a struct here",
				     side->name, btf__name_by_offset(btf, t->name_off));
	return ebpfnet__fail(call, differ(call, REBUILD), EBPFNET_ERROR_INCOMPATIBLE,
			     "%s: it is a struct here and none in the object", side->name);
}

int ebpfnet__map_side_check(struct ebpfnet__call *call, const struct ebpfnet__map_side *side,
			    const struct btf *btf, uint32_t type)
{
	int ret = check_list(call, side);

	if (ret == 0 && btf && type)
		ret = check_type(call, side, btf, type);
	if (ret)
		return ret;
	if (side->size != side->map_size)
		return ebpfnet__fail(call, differ(call, REBUILD), EBPFNET_ERROR_INCOMPATIBLE,
				     "%s: it has %u bytes in the object and %u here", side->name,
				     side->map_size, side->size);
	return 0;
}
