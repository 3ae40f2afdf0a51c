/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_DATA_MAP_SUMS_H
#define EBPFNET_DATA_MAP_SUMS_H

/* Which bytes of a per-CPU map's value are numbers, and adding them up over the CPUs. */

#include <bpf/btf.h>
#include <stdint.h>

#include "load/object.h"

enum ebpfnet__map_op { EBPFNET__MAP_SUM, EBPFNET__MAP_MAX };

enum ebpfnet__map_number {
	EBPFNET__MAP_UNSIGNED,
	EBPFNET__MAP_SIGNED,
	EBPFNET__MAP_BOOL,
};

/* A run of numbers of one sort, one behind the other. */
struct ebpfnet__map_sum {
	uint32_t offset; /* bytes from the start of the value */
	uint32_t count;
	uint16_t size;	 /* bytes of each: 1, 2, 4, 8 */
	uint16_t number; /* enum ebpfnet__map_number */
};

/* One allocation, so that the load room can free it without knowing what it is. */
struct ebpfnet__map_sums {
	int error; /* -EINVAL: the value cannot be added up; count is 0 */
	uint32_t count;
	struct ebpfnet__map_sum sums[];
};

/*
 * From a value's BTF. A type of 0 is one without BTF: an array of u64 if its size allows.
 * NULL: out of memory.
 */
struct ebpfnet__map_sums *ebpfnet__map_sums_make(const struct btf *btf, uint32_t type,
						 uint32_t value_size);

/* A map's own, made on first use by whichever thread comes first. NULL: out of memory. */
const struct ebpfnet__map_sums *ebpfnet__map_sums_get(struct ebpfnet_map *map);

/* Reduces cpus values, stride bytes apart, into one of size bytes. */
void ebpfnet__map_sums_reduce(const struct ebpfnet__map_sums *sums, enum ebpfnet__map_op op,
			      void *value, size_t size, const uint8_t *values, uint32_t cpus,
			      size_t stride);

#endif /* EBPFNET_DATA_MAP_SUMS_H */
