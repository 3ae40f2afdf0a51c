// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* One entry, one value: the calls of the hot path. */
#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>

#include <ebpfnet/data.h>

#include "data/map_value.h"

static_assert(EBPFNET_MAP_ANY == (int)BPF_ANY, "ABI");
static_assert(EBPFNET_MAP_NOEXIST == (int)BPF_NOEXIST, "ABI");
static_assert(EBPFNET_MAP_EXIST == (int)BPF_EXIST, "ABI");

/* The kernel copies a value for every possible CPU: into room for one value that is an overflow. */
static int check_single(const struct ebpfnet_map *map)
{
	if (map->fd < 0)
		return -EBADF;
	return ebpfnet__map_is_percpu(map) ? -EINVAL : 0;
}

int ebpfnet_map_get(const struct ebpfnet_map *map, const void *key, void *value)
{
	int ret;

	if (!map || !key || !value)
		return -EINVAL;
	ret = check_single(map);
	return ret ? ret : bpf_map_lookup_elem(map->fd, key, value);
}

int ebpfnet_map_put(const struct ebpfnet_map *map, const void *key, const void *value,
		    uint64_t flags)
{
	int ret;

	if (!map || !key || !value)
		return -EINVAL;
	ret = check_single(map);
	return ret ? ret : bpf_map_update_elem(map->fd, key, value, flags);
}

int ebpfnet_map_del(const struct ebpfnet_map *map, const void *key)
{
	if (!map || !key)
		return -EINVAL;
	return map->fd < 0 ? -EBADF : bpf_map_delete_elem(map->fd, key);
}

int ebpfnet_map_next(const struct ebpfnet_map *map, const void *key, void *next)
{
	if (!map || !next)
		return -EINVAL;
	return map->fd < 0 ? -EBADF : bpf_map_get_next_key(map->fd, key, next);
}

int ebpfnet_map_cpus(const struct ebpfnet_map *map)
{
	if (!map)
		return -EINVAL;
	if (map->fd < 0)
		return -EBADF;
	return ebpfnet__map_is_percpu(map) ? libbpf_num_possible_cpus() : 1;
}
