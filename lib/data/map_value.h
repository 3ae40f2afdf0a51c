/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_DATA_MAP_VALUE_H
#define EBPFNET_DATA_MAP_VALUE_H

/* How the kernel lays out the values of a per-CPU map, and memory to receive them in. */

#include <linux/bpf.h>
#include <stdlib.h>

#include "load/object.h"

static inline bool ebpfnet__map_is_percpu(const struct ebpfnet_map *map)
{
	switch (map->type) {
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_HASH:
		return true;
	default:
		return false;
	}
}

/* Bytes from one CPU's value to the next as the kernel copies them. */
static inline size_t ebpfnet__map_stride(const struct ebpfnet_map *map)
{
	return ((size_t)map->value_size + 7) & ~(size_t)7;
}

/* Of what fits here no call allocates; said in ebpfnet/data.h. */
#define EBPFNET__SCRATCH_SIZE (32u * 1024)

struct ebpfnet__scratch {
	void *heap; /* NULL: the memory below is enough */
	uint64_t stack[EBPFNET__SCRATCH_SIZE / sizeof(uint64_t)];
};

/* Declares a scratch without clearing its 32 KiB; the heap's part is freed at the end of the scope.
 */
#define EBPFNET__SCRATCH(name)                                                                     \
	CLEANUP(scratch) struct ebpfnet__scratch name;                                             \
	name.heap = NULL

static inline void ebpfnet__cleanup_scratch(struct ebpfnet__scratch *s)
{
	free(s->heap);
}

/* Memory for size bytes, aligned to 8. NULL: out of memory. */
static inline void *ebpfnet__scratch_get(struct ebpfnet__scratch *s, size_t size)
{
	if (size <= sizeof(s->stack))
		return s->stack;
	s->heap = malloc(size);
	return s->heap;
}

#endif /* EBPFNET_DATA_MAP_VALUE_H */
