/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_DATA_MAP_ITER_H
#define EBPFNET_DATA_MAP_ITER_H

/* The two ways to go through a map: whole buckets at a time, or from key to key. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ebpfnet/data.h>

#include "data/map_sums.h"

struct ebpfnet_map_iter {
	struct ebpfnet_map *map;
	const struct ebpfnet__map_sums *sums; /* NULL: values are given as they are */
	uint32_t flags;
	int cpus;	   /* values of a key */
	size_t stride;	   /* from one CPU's value to the next */
	size_t entry_size; /* all values of a key as the kernel copies them */

	/* What was read and not yet given. */
	uint8_t *keys;
	uint8_t *values;
	uint32_t room;
	uint32_t count;
	uint32_t at;
	bool done; /* there is no more to read */
	int error;

	/* In batches: where the kernel goes on. */
	uint8_t *token;
	uint8_t *next_token;
	bool started;

	/* From key to key. */
	bool walking;
	uint8_t *ahead;	    /* the key to read next */
	uint8_t *trail;	    /* the keys read last, a ring: the way back when one disappears */
	uint8_t *probe;	    /* values of a key of which only its presence matters */
	uint64_t trail_len; /* keys put into it */
	uint64_t steps;
};

/* Room for n entries; what was read is lost. Returns 0 or -ENOMEM. */
int ebpfnet__map_iter_room(struct ebpfnet_map_iter *it, uint32_t n);

/* Reads on; sets count, and done behind the last entry. Returns 0 or -errno. */
int ebpfnet__map_batch_read(struct ebpfnet_map_iter *it);

int ebpfnet__map_walk_start(struct ebpfnet_map_iter *it);
/* Reads one entry, or none at the end. */
int ebpfnet__map_walk_read(struct ebpfnet_map_iter *it);

#endif /* EBPFNET_DATA_MAP_ITER_H */
