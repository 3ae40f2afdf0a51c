/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_BLOCK_COUNTER_COUNTER_H
#define EBPFNET_BLOCK_COUNTER_COUNTER_H

#include <stdbool.h>

#include <ebpfnet/counter.h>
#include <ebpfnet/data.h>

#include "core/error.h"
#include "counter_layout.h"

/* Order of ebpfnet__counter_maps; the pins have the same names. */
enum counter_map {
	MAP_TOTAL,
	MAP_PROTOCOL,
	MAP_ADDRESS4,
	MAP_ADDRESS6,
	MAP_BASE,
	MAP_META,
	MAPS,
};

struct counter_map_spec {
	const char *name;
	uint32_t key_size;
	uint32_t value_size;
};

extern const struct counter_map_spec ebpfnet__counter_maps[MAPS];

struct ebpfnet_counter {
	struct ebpfnet_ctx *ctx;
	struct ebpfnet_object *obj; /* NULL: opened from pins, and what follows is owned */
	struct ebpfnet_program *xdp;
	struct ebpfnet_map *maps[MAPS];
	struct counter_meta config;
	char *dir; /* where it is pinned, NULL: nowhere */
};

/* A counter without maps. NULL: told. */
struct ebpfnet_counter *ebpfnet__counter_alloc(struct ebpfnet__call *call);

static inline void ebpfnet__cleanup_counter(struct ebpfnet_counter **c)
{
	ebpfnet_counter_free(*c);
}

static inline void ebpfnet__counter_value_add(struct counter_value *to,
					      const struct counter_value *v)
{
	to->packets += v->packets;
	to->bytes += v->bytes;
	to->extra_segments += v->extra_segments;
}

/* Never below zero: what runs meanwhile can be in one sum and not in the other. */
static inline void ebpfnet__counter_value_sub(struct counter_value *from,
					      const struct counter_value *v)
{
	from->packets -= v->packets < from->packets ? v->packets : from->packets;
	from->bytes -= v->bytes < from->bytes ? v->bytes : from->bytes;
	from->extra_segments -=
		v->extra_segments < from->extra_segments ? v->extra_segments : from->extra_segments;
}

/* What was counted in a slot since the maps were made, over all CPUs. Fails the call. */
int ebpfnet__counter_slot(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			  enum counter_map map, uint32_t slot, struct counter_value *out);

/* What was counted before the last reset. Fails the call. */
int ebpfnet__counter_base_get(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			      struct counter_base *out);

#endif /* EBPFNET_BLOCK_COUNTER_COUNTER_H */
