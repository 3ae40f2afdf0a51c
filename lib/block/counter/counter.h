/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_BLOCK_COUNTER_COUNTER_H
#define EBPFNET_BLOCK_COUNTER_COUNTER_H

#include <pthread.h>
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
	MAP_PORT,
	MAP_TUPLE4,
	MAP_TUPLE6,
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

/* The tables of a key, of which entries come and go; a first of MAPS: it has none. */
struct counter_tables {
	enum counter_map first, last;
};

extern const struct counter_tables ebpfnet__counter_tables[COUNTER_KEYS];

/* Large enough for a key of any table. */
#define COUNTER_KEY_MAX sizeof(struct counter_tuple6)

/* Programs by the type that the kernel knows; both directions of a hook have the same. */
enum counter_program {
	PROGRAM_XDP,
	PROGRAM_TC,
	PROGRAM_CGROUP,
	PROGRAMS,
};

struct ebpfnet_counter {
	struct ebpfnet_ctx *ctx;
	struct ebpfnet_object *obj; /* NULL: opened from pins, and the maps are owned */
	struct ebpfnet_map *maps[MAPS];
	struct counter_meta config;
	char *dir;	      /* where it is pinned, NULL: nowhere */
	pthread_mutex_t lock; /* of what follows: objects of one program each, NULL until asked */
	struct ebpfnet_object *objects[PROGRAMS];
};

/* A counter without maps. NULL: told. */
struct ebpfnet_counter *ebpfnet__counter_alloc(struct ebpfnet__call *call);

/*
 * The object opened and adjusted to the counter's configuration, with only this program; NULL: none
 * of them. With maps that are there the object uses those.
 */
int ebpfnet__counter_object(const struct ebpfnet_counter *c, const char *program,
			    struct ebpfnet_object **obj, struct ebpfnet_error **err);

static inline void ebpfnet__cleanup_counter(struct ebpfnet_counter **c)
{
	ebpfnet_counter_free(*c);
}

static inline void ebpfnet__cleanup_snapshot(struct ebpfnet_counter_snapshot **s)
{
	ebpfnet_counter_snapshot_free(*s);
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

/* A key as snapshots have it, without holes. */
struct counter_key_fields {
	uint32_t family;
	uint32_t protocol;
	uint8_t source[16];
	uint8_t destination[16];
	uint16_t source_port; /* host order */
	uint16_t destination_port;
	uint32_t prefix;
};

struct counter_row {
	struct counter_key_fields key;
	struct counter_value value;
};

struct ebpfnet_counter_snapshot {
	struct counter_row *rows;
	size_t count;
	size_t room;
	size_t limit; /* no more rows than that, the busiest; 0: all */
	uint32_t by;  /* enum ebpfnet_counter_by */
	uint32_t key; /* enum counter_key */
	uint64_t time_ns;
	uint64_t resets;
};

/* Orders rows: the busiest first; equals by key, so that a quiet counter always gives the same. */
int ebpfnet__counter_compare(const struct counter_row *a, const struct counter_row *b, uint32_t by);

/* Reads all keys of the counter into an empty snapshot, in no order. Fails the call. */
int ebpfnet__counter_read_rows(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			       const struct counter_base *base, struct ebpfnet_counter_snapshot *s);

typedef int (*counter_entry_fn)(const struct ebpfnet_counter *c, enum counter_map map,
				const void *key, const struct counter_value *v, void *data);

/* Every entry of the key's tables with its sum; fn returns 0 or -errno. Fails the call. */
int ebpfnet__counter_each(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			  counter_entry_fn fn, void *data);

/* What was counted in a slot since the maps were made, over all CPUs. Fails the call. */
int ebpfnet__counter_slot(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			  enum counter_map map, uint32_t slot, struct counter_value *out);

/* What was counted before the last reset. Fails the call. */
int ebpfnet__counter_base_get(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			      struct counter_base *out);

#endif /* EBPFNET_BLOCK_COUNTER_COUNTER_H */
