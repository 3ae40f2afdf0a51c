// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Reading a map from key to key, for kernels and map types without batches.
 *
 * The kernel answers "next of a key that is not there" with the first key of all. So a key that
 * disappears under the iteration must be noticed, before its successor is believed, and the way
 * goes on from the nearest key read before it that is still there.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "data/map_iter.h"

#define TRAIL_KEYS 64
/* Where everything that was read disappears again and again, somebody else has to have an end. */
#define STEPS_PER_ENTRY 8
#define STEPS_MIN 1024

/* Whose keys are 0, 1, 2 and so on: none can disappear, but a slot can be empty. */
static bool is_indexed(const struct ebpfnet_map_iter *it)
{
	switch (it->map->type) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_CPUMAP:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_XSKMAP:
		return true;
	default:
		return false;
	}
}

static int step(struct ebpfnet_map_iter *it)
{
	uint64_t limit = (uint64_t)it->map->max_entries * STEPS_PER_ENTRY + STEPS_MIN;

	return it->steps++ < limit ? 0 : -EAGAIN;
}

/* The key behind another into ahead, or done behind the last. NULL: the first. */
static int go_on(struct ebpfnet_map_iter *it, const void *key)
{
	int ret = step(it);

	if (ret == 0)
		ret = bpf_map_get_next_key(it->map->fd, key, it->ahead);
	it->done = ret == -ENOENT;
	return it->done ? 0 : ret;
}

static uint8_t *trail_key(const struct ebpfnet_map_iter *it, uint64_t i)
{
	return it->trail + i % TRAIL_KEYS * it->map->key_size;
}

/*
 * Goes on behind the key read last that is still there. It is looked up afterwards: while it is
 * there, what the kernel said before is its successor.
 */
static int go_on_behind_trail(struct ebpfnet_map_iter *it)
{
	uint64_t keep = it->trail_len < TRAIL_KEYS ? it->trail_len : TRAIL_KEYS;

	for (uint64_t i = 0; i < keep; i++) {
		const uint8_t *key = trail_key(it, it->trail_len - 1 - i);
		int ret = go_on(it, key);

		if (ret)
			return ret;
		ret = bpf_map_lookup_elem(it->map->fd, key, it->probe);
		if (ret != -ENOENT)
			return ret;
	}
	return go_on(it, NULL);
}

int ebpfnet__map_walk_start(struct ebpfnet_map_iter *it)
{
	it->ahead = calloc(1, it->map->key_size);
	it->trail = calloc(TRAIL_KEYS, it->map->key_size);
	it->probe = calloc(1, it->entry_size);
	if (!it->ahead || !it->trail || !it->probe)
		return -ENOMEM;
	return go_on(it, NULL);
}

int ebpfnet__map_walk_read(struct ebpfnet_map_iter *it)
{
	while (!it->done) {
		int ret;

		memcpy(it->keys, it->ahead, it->map->key_size);
		ret = bpf_map_lookup_elem(it->map->fd, it->keys, it->values);
		if (ret && ret != -ENOENT)
			return ret;
		it->count = ret == 0;
		if (it->count)
			memcpy(trail_key(it, it->trail_len++), it->keys, it->map->key_size);
		/* Already now: the caller may delete the key that is given to him. */
		ret = is_indexed(it) ? go_on(it, it->keys) : go_on_behind_trail(it);
		if (ret || it->count)
			return ret;
	}
	return 0;
}
