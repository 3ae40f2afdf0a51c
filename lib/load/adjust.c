// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What may be changed between open and load: constants, map sizes, shared maps, programs on and
 * off. */
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "load/object.h"
#include "load/pin.h"

int ebpfnet__object_adjustable(struct ebpfnet__call *call, const struct ebpfnet_object *obj)
{
	if (obj->state == EBPFNET__OBJECT_OPENED)
		return 0;
	ebpfnet__hint(call, "open the object again");
	return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY, "%s %s", obj->name,
			     obj->state == EBPFNET__OBJECT_LOADED ? "is loaded already"
								  : "failed to load before");
}

/* By our own list: libbpf gives a map that is shared the name of the existing one. */
static struct bpf_map *find_map(const struct ebpfnet_object *obj, const char *name)
{
	for (size_t i = 0; i < obj->map_count; i++) {
		if (strcmp(obj->maps[i].name, name) == 0)
			return obj->maps[i].bpf;
	}
	return NULL;
}

/* The read-only data sections: .rodata and .rodata.*. */
static bool is_rodata(const char *name)
{
	const char *dot = strstr(name, ".rodata");

	return dot && (dot[7] == '\0' || dot[7] == '.');
}

/* Finds a variable in the section's BTF; returns its index among the section's, or -1. */
static int find_var(const struct btf *btf, const struct btf_type *sec, const char *name)
{
	const struct btf_var_secinfo *vars = btf_var_secinfos(sec);

	for (int i = 0; i < btf_vlen(sec); i++) {
		const struct btf_type *var = btf__type_by_id(btf, vars[i].type);
		const char *have = var ? btf__name_by_offset(btf, var->name_off) : NULL;

		if (have && strcmp(have, name) == 0)
			return i;
	}
	return -1;
}

#define CONST_NAMES_MAX 128

static int no_such_const(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
			 const char *name)
{
	const struct btf *btf = bpf_object__btf(obj->bpf);
	const char *names[CONST_NAMES_MAX];
	const char *near;
	size_t n = 0;

	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!btf_is_datasec(t) || !is_rodata(btf__name_by_offset(btf, t->name_off)))
			continue;
		for (int i = 0; i < btf_vlen(t) && n < CONST_NAMES_MAX; i++) {
			const struct btf_type *var =
				btf__type_by_id(btf, btf_var_secinfos(t)[i].type);

			names[n++] = btf__name_by_offset(btf, var->name_off);
		}
	}
	near = ebpfnet__nearest(name, names, n);
	if (near)
		ebpfnet__hint(call, "did you mean %s?", near);
	else
		ebpfnet__hint(call, "declare it const volatile at file scope");
	return ebpfnet__fail(call, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "%s has no constant named %s",
			     obj->name, name);
}

int ebpfnet_object_set_const(struct ebpfnet_object *obj, const char *name, const void *value,
			     size_t size, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, obj->ctx, err, "set constant %s", name);
	const struct btf *btf = bpf_object__btf(obj->bpf);
	struct bpf_map *map;
	int ret = ebpfnet__object_adjustable(&call, obj);

	if (ret)
		return ret;
	bpf_object__for_each_map(map, obj->bpf)
	{
		const struct btf_type *sec;
		const struct btf_var_secinfo *var;
		size_t room;
		char *data;
		int i;

		if (!bpf_map__is_internal(map) || !is_rodata(bpf_map__name(map)))
			continue;
		sec = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
		i = sec && btf_is_datasec(sec) ? find_var(btf, sec, name) : -1;
		if (i < 0)
			continue;
		var = &btf_var_secinfos(sec)[i];
		if (var->size != size)
			return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
					     "it has %u bytes in %s, the given value %zu",
					     var->size, obj->name, size);
		data = bpf_map__initial_value(map, &room);
		if (!data || var->offset + (size_t)var->size > room)
			return ebpfnet__fail(&call, -EIO, EBPFNET_ERROR_INTERNAL,
					     "it is outside of its section");
		memcpy(data + var->offset, value, size);
		return 0;
	}
	return no_such_const(&call, obj, name);
}

int ebpfnet_object_set_map_entries(struct ebpfnet_object *obj, const char *name, uint32_t entries,
				   struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, obj->ctx, err, "set entries of map %s", name);
	struct bpf_map *map = find_map(obj, name);
	uint32_t before, taken;
	int ret = ebpfnet__object_adjustable(&call, obj);

	if (ret)
		return ret;
	if (!map)
		return ebpfnet__object_no_such(&call, obj, "map", name);
	if (entries == 0)
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "a map has at least one entry");
	/* libbpf would take the number, and the map would stay as it is. */
	if (bpf_map__fd(map) >= 0)
		return ebpfnet__fail(&call, -EBUSY, EBPFNET_ERROR_BUSY,
				     "it is shared with an existing map, which has %u",
				     bpf_map__max_entries(map));
	before = bpf_map__max_entries(map);
	ret = bpf_map__set_max_entries(map, entries);
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "%s", ebpfnet_strerror(ret));
	taken = bpf_map__max_entries(map);
	if (taken == entries)
		return 0;
	/* libbpf rounds a ring buffer up to what the kernel takes; say so instead of surprising. */
	bpf_map__set_max_entries(map, before);
	return ebpfnet__fail(
		&call, -EINVAL, EBPFNET_ERROR_INVALID,
		"a ring buffer's size is a power of two of pages; %u is not, %u would be", entries,
		taken);
}

/* What of two maps differs, or NULL. */
static const char *shape_difference(const struct bpf_map *want, const struct bpf_map_info *have)
{
	if (bpf_map__type(want) != have->type)
		return "type";
	if (bpf_map__key_size(want) != have->key_size)
		return "key size";
	if (bpf_map__value_size(want) != have->value_size)
		return "value size";
	if (bpf_map__max_entries(want) != have->max_entries)
		return "number of entries";
	/* Read and write rights of the fd are no property of the map (BPF_F_RDONLY, BPF_F_WRONLY).
	 */
	if ((bpf_map__map_flags(want) ^ have->map_flags) & ~(BPF_F_RDONLY | BPF_F_WRONLY))
		return "flags";
	return NULL;
}

int ebpfnet_object_reuse_map(struct ebpfnet_object *obj, const char *name,
			     const struct ebpfnet_map *existing, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, obj->ctx, err, "share map %s", name);
	struct bpf_map *map = find_map(obj, name);
	struct bpf_map_info info = { 0 };
	const char *difference;
	int ret = ebpfnet__object_adjustable(&call, obj);

	if (ret)
		return ret;
	if (!map)
		return ebpfnet__object_no_such(&call, obj, "map", name);
	if (existing->fd < 0)
		return ebpfnet__fail(&call, -EBADF, EBPFNET_ERROR_INVALID,
				     "the existing map %s is not loaded", existing->name);
	ret = ebpfnet__info_by_fd(existing->fd, &info, sizeof(info));
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "the existing map: %s", ebpfnet_strerror(ret));
	difference = shape_difference(map, &info);
	if (difference)
		return ebpfnet__fail(
			&call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
			"the %s differs: %s in %s has type %u, key %u, value %u, "
			"entries %u, flags 0x%x; the existing map %u, %u, %u, %u, 0x%x",
			difference, name, obj->name, bpf_map__type(map), bpf_map__key_size(map),
			bpf_map__value_size(map), bpf_map__max_entries(map),
			bpf_map__map_flags(map), info.type, info.key_size, info.value_size,
			info.max_entries, info.map_flags);
	ret = bpf_map__reuse_fd(map, existing->fd);
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "%s", ebpfnet_strerror(ret));
	return 0;
}

int ebpfnet_object_set_program_enabled(struct ebpfnet_object *obj, const char *name, bool enabled,
				       struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, obj->ctx, err, "switch program %s", name);
	struct bpf_program *prog = bpf_object__find_program_by_name(obj->bpf, name);
	int ret = ebpfnet__object_adjustable(&call, obj);

	if (ret)
		return ret;
	if (!prog)
		return ebpfnet__object_no_such(&call, obj, "program", name);
	ret = bpf_program__set_autoload(prog, enabled);
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "%s", ebpfnet_strerror(ret));
	return 0;
}
