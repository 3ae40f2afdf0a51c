// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "data/map_leaves.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* BTF from a file may be a loop: no compiler nests structs as deep as this. */
#define DEPTH_MAX 32

struct walk {
	const struct btf *btf;
	struct ebpfnet__map_leaves *out;
	char path[EBPFNET_NAME_LEN];
	unsigned int depth;
};

static int list_struct(struct walk *w, const struct btf_type *t, size_t path_len, uint32_t offset);

static int add_leaf(struct walk *w, uint32_t offset, uint32_t size, bool bitfield)
{
	struct ebpfnet__map_leaves *out = w->out;
	struct ebpfnet__map_leaf *leaf;

	if (out->count == out->room) {
		size_t room = out->room ? out->room * 2 : 16;

		leaf = realloc(out->leaves, room * sizeof(*leaf));
		if (!leaf)
			return -ENOMEM;
		out->leaves = leaf;
		out->room = room;
	}
	leaf = &out->leaves[out->count++];
	memset(leaf, 0, sizeof(*leaf));
	memcpy(leaf->name, w->path, sizeof(leaf->name));
	leaf->offset = offset;
	leaf->size = size;
	leaf->bitfield = bitfield;
	return 0;
}

/* Appends to the path and returns its new length, or -ENAMETOOLONG. */
static int append(struct walk *w, size_t path_len, const char *dot, const char *name)
{
	int n = snprintf(w->path + path_len, sizeof(w->path) - path_len, "%s%s", dot, name);

	return n < 0 || path_len + (size_t)n >= sizeof(w->path) ? -ENAMETOOLONG : (int)path_len + n;
}

/* What a member is made of once typedefs and arrays of structs are peeled off. */
static int list_type(struct walk *w, uint32_t type, int path_len, uint32_t offset)
{
	int id = btf__resolve_type(w->btf, type), elem = id, outer = path_len;
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(w->btf, (uint32_t)id);
	long long size = t ? btf__resolve_size(w->btf, (uint32_t)id) : -1;

	if (size < 0 || size > UINT32_MAX)
		return -EINVAL;
	while (t && btf_is_array(t) && path_len >= 0) {
		path_len = append(w, (size_t)path_len, "", "[0]");
		elem = btf__resolve_type(w->btf, btf_array(t)->type);
		t = elem < 0 ? NULL : btf__type_by_id(w->btf, (uint32_t)elem);
	}
	if (!t || path_len < 0)
		return path_len < 0 ? path_len : -EINVAL;
	/* No bytes, nothing to disagree about: a flexible array, an empty struct. */
	if (size == 0)
		return 0;
	if (btf_is_composite(t))
		return list_struct(w, t, (size_t)path_len, offset);
	memset(w->path + outer, 0, sizeof(w->path) - (size_t)outer);
	return add_leaf(w, offset, (uint32_t)size, false);
}

static int list_member(struct walk *w, const struct btf_type *t, uint32_t i, size_t path_len,
		       uint32_t offset)
{
	const struct btf_member *m = &btf_members(t)[i];
	const char *name = btf__name_by_offset(w->btf, m->name_off);
	uint32_t bits = btf_member_bit_offset(t, i);
	int len = (int)path_len;

	memset(w->path + path_len, 0, sizeof(w->path) - path_len);
	if (*name)
		len = append(w, path_len, path_len ? "." : "", name);
	if (len < 0)
		return len;
	if (!btf_member_bitfield_size(t, i) && bits % 8 == 0)
		return list_type(w, m->type, len, offset + bits / 8);
	/* One without a name is padding. */
	return *name ? add_leaf(w, offset + bits / 8, 0, true) : 0;
}

static int list_struct(struct walk *w, const struct btf_type *t, size_t path_len, uint32_t offset)
{
	int ret = w->depth++ < DEPTH_MAX ? 0 : -EINVAL;

	for (uint32_t i = 0; i < btf_vlen(t) && ret == 0; i++)
		ret = list_member(w, t, i, path_len, offset);
	w->depth--;
	return ret;
}

int ebpfnet__map_leaves_list(const struct btf *btf, uint32_t type,
			     struct ebpfnet__map_leaves *leaves)
{
	struct walk w = { .btf = btf, .out = leaves };
	int id = btf__resolve_type(btf, type);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);

	if (!t || !btf_is_composite(t))
		return -EINVAL;
	return list_struct(&w, t, 0, 0);
}

const struct ebpfnet__map_leaf *ebpfnet__map_leaves_find(const struct ebpfnet__map_leaves *leaves,
							 const char *name)
{
	for (size_t i = 0; i < leaves->count; i++)
		if (strcmp(leaves->leaves[i].name, name) == 0)
			return &leaves->leaves[i];
	return NULL;
}
