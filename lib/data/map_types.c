// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "data/map_types.h"

#include <errno.h>
#include <string.h>

#include "load/pin.h"

/* "T *key" in a map's definition stands for keys of type T. */
static uint32_t pointed(const struct btf *btf, uint32_t type)
{
	int id = btf__resolve_type(btf, type);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);

	return t && btf_is_ptr(t) ? t->type : 0;
}

static void read_definition(const struct btf *btf, uint32_t type, struct ebpfnet__map_types *types)
{
	int id = btf__resolve_type(btf, type);
	const struct btf_type *def = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);

	if (!def || !btf_is_struct(def))
		return;
	for (uint32_t i = 0; i < btf_vlen(def); i++) {
		const struct btf_member *m = &btf_members(def)[i];
		const char *name = btf__name_by_offset(btf, m->name_off);

		if (strcmp(name, "key") == 0)
			types->key = pointed(btf, m->type);
		else if (strcmp(name, "value") == 0)
			types->value = pointed(btf, m->type);
	}
}

/*
 * libbpf forgets the types of a map that the kernel wants no BTF for (devmaps, queues), and of one
 * whose BTF the kernel refused, as for a key that has a size and no type. The definition has them.
 */
int ebpfnet__map_types_of_object(const struct btf *btf, const char *name,
				 struct ebpfnet__map_types *types)
{
	int section = btf__find_by_name_kind(btf, ".maps", BTF_KIND_DATASEC);
	const struct btf_type *sec = section < 0 ? NULL : btf__type_by_id(btf, (uint32_t)section);

	if (!sec)
		return -ENOENT;
	for (uint32_t i = 0; i < btf_vlen(sec); i++) {
		const struct btf_type *var = btf__type_by_id(btf, btf_var_secinfos(sec)[i].type);

		if (!var || !btf_is_var(var) ||
		    strcmp(btf__name_by_offset(btf, var->name_off), name) != 0)
			continue;
		types->btf = btf;
		read_definition(btf, var->type, types);
		return 0;
	}
	return -ENOENT;
}

static int types_of_kernel(const struct ebpfnet_map *map, struct ebpfnet__map_types *types)
{
	struct bpf_map_info info = { 0 };
	int ret = ebpfnet__info_by_fd(map->fd, &info, sizeof(info));

	if (ret || info.btf_id == 0)
		return ret;
	types->owned = btf__load_from_kernel_by_id(info.btf_id);
	if (!types->owned)
		return -errno;
	types->btf = types->owned;
	types->key = info.btf_key_type_id;
	types->value = info.btf_value_type_id;
	return 0;
}

int ebpfnet__map_types_get(const struct ebpfnet_map *map, struct ebpfnet__map_types *types)
{
	const struct btf *btf = map->object ? bpf_object__btf(map->object->bpf) : NULL;

	memset(types, 0, sizeof(*types));
	if (!map->object)
		return types_of_kernel(map, types);
	if (btf && ebpfnet__map_types_of_object(btf, map->name, types) == -ENOENT) {
		/* Global data: the kernel has the type of its section. */
		types->btf = btf;
		types->value = bpf_map__btf_value_type_id(map->bpf);
	}
	return 0;
}
