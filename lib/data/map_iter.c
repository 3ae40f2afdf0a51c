// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <ebpfnet/data.h>

#include "core/opts.h"
#include "data/map_iter.h"
#include "data/map_value.h"

static_assert(sizeof(struct ebpfnet_map_iter_opts) == sizeof(size_t) + 8, "implicit padding");

#define ITER_FLAGS (EBPFNET_MAP_ITER_PERCPU | EBPFNET_MAP_ITER_NO_BATCH)
#define BATCH_BYTES (64u * 1024)

static void ebpfnet__cleanup_iter(struct ebpfnet_map_iter **it)
{
	ebpfnet_map_iter_free(*it);
}

static uint32_t default_room(const struct ebpfnet_map_iter *it)
{
	size_t fit = BATCH_BYTES / (it->map->key_size + it->entry_size) + 1;

	return fit > it->map->max_entries ? it->map->max_entries : (uint32_t)fit;
}

/* What reading the values needs to know; also refuses what cannot be read. */
static int prepare_values(struct ebpfnet__call *call, struct ebpfnet_map_iter *it)
{
	it->entry_size = it->map->value_size;
	it->cpus = 1;
	if (!ebpfnet__map_is_percpu(it->map)) {
		if (!(it->flags & EBPFNET_MAP_ITER_PERCPU))
			return 0;
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "EBPFNET_MAP_ITER_PERCPU, and it has one value a key");
	}
	it->cpus = libbpf_num_possible_cpus();
	if (it->cpus < 0)
		return ebpfnet__fail(call, it->cpus, 0, "possible CPUs: %s",
				     ebpfnet_strerror(it->cpus));
	it->stride = ebpfnet__map_stride(it->map);
	it->entry_size = it->stride * (size_t)it->cpus;
	if (it->flags & EBPFNET_MAP_ITER_PERCPU)
		return 0;
	it->sums = ebpfnet__map_sums_get(it->map);
	if (!it->sums)
		return ebpfnet__fail_nomem(call);
	if (it->sums->error) {
		ebpfnet__hint(call, "EBPFNET_MAP_ITER_PERCPU gives every CPU's value");
		return ebpfnet__fail(call, it->sums->error, EBPFNET_ERROR_INVALID,
				     "its values cannot be added up");
	}
	return 0;
}

/* The first read decides between batches and single entries, and shows what does not work at all.
 */
static int start(struct ebpfnet__call *call, struct ebpfnet_map_iter *it, uint32_t room)
{
	int ret = -EOPNOTSUPP;

	if (!room || room > it->map->max_entries)
		room = default_room(it);
	if (!(it->flags & EBPFNET_MAP_ITER_NO_BATCH)) {
		ret = ebpfnet__map_iter_room(it, room);
		if (ret == 0)
			ret = ebpfnet__map_batch_read(it);
	}
	/* A kernel without the command says EINVAL, one without batches of this map type 524. */
	if (ret == -EINVAL || ret == -EOPNOTSUPP) {
		it->walking = true;
		ret = ebpfnet__map_iter_room(it, 1);
		if (ret == 0)
			ret = ebpfnet__map_walk_start(it);
		if (ret == 0)
			ret = ebpfnet__map_walk_read(it);
	}
	if (ret == -ENOMEM)
		return ebpfnet__fail_nomem(call);
	if (ret)
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	return 0;
}

static int check(struct ebpfnet__call *call, const struct ebpfnet_map *map, uint32_t flags)
{
	if (!map)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "there is no map");
	if (map->fd < 0) {
		ebpfnet__hint(call, "ebpfnet_object_load() comes first");
		return ebpfnet__fail(call, -EBADF, EBPFNET_ERROR_INVALID, "it is not loaded");
	}
	if (flags & ~ITER_FLAGS)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "unknown flags 0x%x",
				     flags & ~ITER_FLAGS);
	if (map->key_size == 0)
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "a map of type %u has no keys to go through", map->type);
	return 0;
}

int ebpfnet_map_iter_new(struct ebpfnet_map *map, const struct ebpfnet_map_iter_opts *opts,
			 struct ebpfnet_map_iter **out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, map ? map->ctx : NULL, err, "go through map %s",
		      map ? map->name : "NULL");
	CLEANUP(iter) struct ebpfnet_map_iter *it = NULL;
	struct ebpfnet_map_iter_opts o;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0)
		ret = check(&call, map, o.flags);
	if (ret)
		return ret;
	it = calloc(1, sizeof(*it));
	if (!it)
		return ebpfnet__fail_nomem(&call);
	it->map = map;
	it->flags = o.flags;
	ret = prepare_values(&call, it);
	if (ret == 0)
		ret = start(&call, it, o.batch);
	if (ret)
		return ret;
	*out = TAKE(it);
	return 0;
}

static void give(const struct ebpfnet_map_iter *it, void *key, void *value)
{
	const uint8_t *v = it->values + it->at * it->entry_size;
	size_t size = it->map->value_size;

	if (key)
		memcpy(key, it->keys + (size_t)it->at * it->map->key_size, it->map->key_size);
	if (!value)
		return;
	if (it->sums)
		ebpfnet__map_sums_reduce(it->sums, EBPFNET__MAP_SUM, value, size, v,
					 (uint32_t)it->cpus, it->stride);
	else
		for (size_t i = 0; i < (size_t)it->cpus; i++)
			memcpy((uint8_t *)value + i * size, v + i * it->stride, size);
}

int ebpfnet_map_iter_next(struct ebpfnet_map_iter *it, void *key, void *value)
{
	if (!it)
		return -EINVAL;
	while (it->at == it->count) {
		if (it->error || it->done)
			return it->error;
		it->at = it->count = 0;
		it->error = it->walking ? ebpfnet__map_walk_read(it) : ebpfnet__map_batch_read(it);
	}
	give(it, key, value);
	it->at++;
	return 1;
}

void ebpfnet_map_iter_free(struct ebpfnet_map_iter *it)
{
	if (!it)
		return;
	free(it->keys);
	free(it->values);
	free(it->token);
	free(it->next_token);
	free(it->ahead);
	free(it->trail);
	free(it->probe);
	free(it);
}
