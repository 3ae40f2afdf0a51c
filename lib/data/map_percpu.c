// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* One entry, a value for each CPU. The kernel's stride and the number of CPUs stay in this file. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include <ebpfnet/data.h>

#include "data/map_sums.h"
#include "data/map_value.h"

/* Possible CPUs, or why there is nothing to read for each of them. */
static int check_percpu(const struct ebpfnet_map *map)
{
	if (map->fd < 0)
		return -EBADF;
	return ebpfnet__map_is_percpu(map) ? libbpf_num_possible_cpus() : -EINVAL;
}

/* Every CPU's value, a stride apart, in the scratch. Returns the number of CPUs or -errno. */
static int read_cpus(const struct ebpfnet_map *map, const void *key, struct ebpfnet__scratch *s,
		     const uint8_t **values)
{
	int cpus = check_percpu(map), ret;
	void *buf;

	if (cpus < 0)
		return cpus;
	buf = ebpfnet__scratch_get(s, (size_t)cpus * ebpfnet__map_stride(map));
	if (!buf)
		return -ENOMEM;
	ret = bpf_map_lookup_elem(map->fd, key, buf);
	if (ret)
		return ret;
	*values = buf;
	return cpus;
}

int ebpfnet_map_get_percpu(const struct ebpfnet_map *map, const void *key, void *values,
			   size_t capacity_cpus)
{
	EBPFNET__SCRATCH(scratch);
	const uint8_t *read = NULL;
	int cpus;

	if (!map || !key || !values)
		return -EINVAL;
	cpus = check_percpu(map);
	if (cpus < 0)
		return cpus;
	if ((size_t)cpus > capacity_cpus)
		return -ENOSPC;
	cpus = read_cpus(map, key, &scratch, &read);
	for (int i = 0; i < cpus; i++)
		memcpy((uint8_t *)values + (size_t)i * map->value_size,
		       read + (size_t)i * ebpfnet__map_stride(map), map->value_size);
	return cpus;
}

int ebpfnet_map_put_percpu(const struct ebpfnet_map *map, const void *key, const void *values,
			   size_t cpus, uint64_t flags)
{
	EBPFNET__SCRATCH(scratch);
	int possible;
	size_t stride;
	uint8_t *buf;

	if (!map || !key || (!values && cpus))
		return -EINVAL;
	possible = check_percpu(map);
	if (possible < 0)
		return possible;
	if (cpus > (size_t)possible)
		return -EINVAL;
	stride = ebpfnet__map_stride(map);
	buf = ebpfnet__scratch_get(&scratch, (size_t)possible * stride);
	if (!buf)
		return -ENOMEM;
	memset(buf, 0, (size_t)possible * stride);
	for (size_t i = 0; i < cpus; i++)
		memcpy(buf + i * stride, (const uint8_t *)values + i * map->value_size,
		       map->value_size);
	return bpf_map_update_elem(map->fd, key, buf, flags);
}

static int reduce(struct ebpfnet_map *map, const void *key, void *value, enum ebpfnet__map_op op)
{
	const struct ebpfnet__map_sums *sums;
	EBPFNET__SCRATCH(scratch);
	const uint8_t *read = NULL;
	int cpus;

	if (!map || !key || !value)
		return -EINVAL;
	cpus = read_cpus(map, key, &scratch, &read);
	if (cpus < 0)
		return cpus;
	sums = ebpfnet__map_sums_get(map);
	if (!sums)
		return -ENOMEM;
	if (sums->error)
		return sums->error;
	ebpfnet__map_sums_reduce(sums, op, value, map->value_size, read, (uint32_t)cpus,
				 ebpfnet__map_stride(map));
	return 0;
}

int ebpfnet_map_sum(struct ebpfnet_map *map, const void *key, void *value)
{
	return reduce(map, key, value, EBPFNET__MAP_SUM);
}

int ebpfnet_map_max(struct ebpfnet_map *map, const void *key, void *value)
{
	return reduce(map, key, value, EBPFNET__MAP_MAX);
}

int ebpfnet_map_each(const struct ebpfnet_map *map, const void *key, ebpfnet_map_each_fn fn,
		     void *data)
{
	EBPFNET__SCRATCH(scratch);
	const uint8_t *read = NULL;
	int cpus, ret = 0;

	if (!map || !key || !fn)
		return -EINVAL;
	cpus = read_cpus(map, key, &scratch, &read);
	if (cpus < 0)
		return cpus;
	for (int i = 0; i < cpus && ret == 0; i++)
		ret = fn((uint32_t)i, read + (size_t)i * ebpfnet__map_stride(map), data);
	return ret;
}
