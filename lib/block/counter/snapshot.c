// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Reading a counter: keys, sums, and the reset that makes them start anew. */
#include <errno.h>
#include <string.h>

#include "block/counter/counter.h"
#include "core/opts.h"
#include "core/util.h"

struct row {
	uint32_t family;
	uint32_t protocol;
	uint8_t address[16];
	struct counter_value value;
};

struct ebpfnet_counter_snapshot {
	struct row *rows;
	size_t count;
	size_t room;
};

static void ebpfnet__cleanup_snapshot(struct ebpfnet_counter_snapshot **s)
{
	ebpfnet_counter_snapshot_free(*s);
}

static void ebpfnet__cleanup_iter(struct ebpfnet_map_iter **it)
{
	ebpfnet_map_iter_free(*it);
}

static struct row *add_row(struct ebpfnet_counter_snapshot *s, const struct counter_value *value)
{
	struct row *row;

	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 64;

		row = realloc(s->rows, room * sizeof(*row));
		if (!row)
			return NULL;
		s->rows = row;
		s->room = room;
	}
	row = &s->rows[s->count++];
	memset(row, 0, sizeof(*row));
	row->value = *value;
	return row;
}

static int read_total(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
		      const struct counter_base *base, struct ebpfnet_counter_snapshot *s)
{
	struct counter_value v;
	int ret = ebpfnet__counter_slot(call, c, MAP_TOTAL, COUNTER_SLOT_ALL, &v);

	if (ret)
		return ret;
	ebpfnet__counter_value_sub(&v, &base->slot[COUNTER_SLOT_ALL]);
	return add_row(s, &v) ? 0 : ebpfnet__fail_nomem(call);
}

static int read_protocols(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			  const struct counter_base *base, struct ebpfnet_counter_snapshot *s)
{
	for (uint32_t i = 0; i < COUNTER_PROTOCOLS; i++) {
		struct counter_value v;
		struct row *row;
		int ret = ebpfnet__counter_slot(call, c, MAP_PROTOCOL, i, &v);

		if (ret)
			return ret;
		ebpfnet__counter_value_sub(&v, &base->protocol[i]);
		if (v.packets == 0)
			continue;
		row = add_row(s, &v);
		if (!row)
			return ebpfnet__fail_nomem(call);
		row->family = i >= COUNTER_IP6 ? 6 : 4;
		row->protocol = i % COUNTER_IP6;
	}
	return 0;
}

typedef int (*address_fn)(const struct ebpfnet_counter *c, enum counter_map map,
			  const uint8_t *address, const struct counter_value *v, void *data);

/* Every address of a table with its sum; fn returns 0 or -errno. */
static int each_address(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			enum counter_map map, address_fn fn, void *data)
{
	CLEANUP(iter) struct ebpfnet_map_iter *it = NULL;
	struct ebpfnet_error *inner = NULL;
	struct counter_value v;
	uint8_t address[16];
	int ret = ebpfnet_map_iter_new(c->maps[map], NULL, &it, &inner);

	if (ret)
		return ebpfnet__fail_from(call, inner);
	while ((ret = ebpfnet_map_iter_next(it, address, &v)) > 0) {
		ret = fn(c, map, address, &v, data);
		if (ret)
			break;
	}
	if (ret < 0)
		return ebpfnet__fail(call, ret, 0, "map %s: %s", ebpfnet__counter_maps[map].name,
				     ebpfnet_strerror(ret));
	return 0;
}

static int add_address(const struct ebpfnet_counter *c, enum counter_map map,
		       const uint8_t *address, const struct counter_value *v, void *data)
{
	struct row *row = add_row(data, v);

	(void)c;
	if (!row)
		return -ENOMEM;
	row->family = map == MAP_ADDRESS4 ? 4 : 6;
	memcpy(row->address, address, map == MAP_ADDRESS4 ? 4 : 16);
	return 0;
}

/* The busiest first; equals by key, so that two snapshots of a quiet counter are the same. */
static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->value.packets != y->value.packets)
		return x->value.packets < y->value.packets ? 1 : -1;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	return memcmp(x->address, y->address, sizeof(x->address));
}

static int read_rows(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
		     const struct counter_base *base, struct ebpfnet_counter_snapshot *s)
{
	int ret;

	switch (c->config.key) {
	case COUNTER_PROTOCOL:
		return read_protocols(call, c, base, s);
	case COUNTER_SOURCE:
		ret = each_address(call, c, MAP_ADDRESS4, add_address, s);
		return ret ? ret : each_address(call, c, MAP_ADDRESS6, add_address, s);
	default:
		return read_total(call, c, base, s);
	}
}

int ebpfnet_counter_snapshot_new(struct ebpfnet_counter *c, struct ebpfnet_counter_snapshot **out,
				 struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, c->ctx, err, "counter snapshot");
	CLEANUP(snapshot) struct ebpfnet_counter_snapshot *s = calloc(1, sizeof(*s));
	struct counter_base base;
	int ret;

	*out = NULL;
	if (!s)
		return ebpfnet__fail_nomem(&call);
	ret = ebpfnet__counter_base_get(&call, c, &base);
	if (ret == 0)
		ret = read_rows(&call, c, &base, s);
	if (ret)
		return ret;
	if (s->count)
		qsort(s->rows, s->count, sizeof(*s->rows), compare_rows);
	*out = TAKE(s);
	return 0;
}

size_t ebpfnet_counter_snapshot_count(const struct ebpfnet_counter_snapshot *s)
{
	return s->count;
}

int ebpfnet_counter_snapshot_entry(const struct ebpfnet_counter_snapshot *s, size_t index,
				   struct ebpfnet_counter_entry *entry)
{
	struct ebpfnet_counter_entry e = { 0 };
	const struct row *row;

	if (index >= s->count)
		return -ENOENT;
	row = &s->rows[index];
	e.family = row->family;
	e.protocol = row->protocol;
	memcpy(e.address, row->address, sizeof(e.address));
	e.packets = row->value.packets;
	e.bytes = row->value.bytes;
	e.segments = row->value.packets + row->value.extra_segments;
	return EBPFNET__OUT_FILL(entry, &e);
}

void ebpfnet_counter_snapshot_free(struct ebpfnet_counter_snapshot *s)
{
	if (!s)
		return;
	free(s->rows);
	free(s);
}

/* Every figure since the maps were made; evicted by the difference that eviction leaves. */
struct sums {
	struct counter_value slot[COUNTER_SLOTS];
	struct counter_value live;
	struct counter_value evicted;
	size_t entries;
};

static int read_sums(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
		     const struct counter_base *base, struct sums *sums)
{
	CLEANUP(snapshot) struct ebpfnet_counter_snapshot *s = calloc(1, sizeof(*s));
	int ret = s ? 0 : ebpfnet__fail_nomem(call);

	memset(sums, 0, sizeof(*sums));
	/* The total first: what runs meanwhile must not look evicted. */
	for (uint32_t i = 0; i < COUNTER_SLOTS && ret == 0; i++)
		ret = ebpfnet__counter_slot(call, c, MAP_TOTAL, i, &sums->slot[i]);
	if (ret == 0)
		ret = read_rows(call, c, base, s);
	if (ret)
		return ret;
	for (size_t i = 0; i < s->count; i++)
		ebpfnet__counter_value_add(&sums->live, &s->rows[i].value);
	sums->entries = s->count;
	if (c->config.key != COUNTER_SOURCE)
		return 0; /* arrays evict nothing */
	sums->evicted = sums->slot[COUNTER_SLOT_ALL];
	ebpfnet__counter_value_sub(&sums->evicted, &sums->slot[COUNTER_SLOT_OTHER]);
	ebpfnet__counter_value_sub(&sums->evicted, &sums->live);
	ebpfnet__counter_value_sub(&sums->evicted, &base->removed);
	return 0;
}

int ebpfnet_counter_stats(struct ebpfnet_counter *c, struct ebpfnet_counter_stats *stats,
			  struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, c->ctx, err, "counter stats");
	struct ebpfnet_counter_stats o = { 0 };
	struct counter_base base;
	struct sums sums;
	int ret;

	ret = ebpfnet__counter_base_get(&call, c, &base);
	if (ret == 0)
		ret = read_sums(&call, c, &base, &sums);
	if (ret)
		return ret;
	for (int i = 0; i < COUNTER_SLOTS; i++)
		ebpfnet__counter_value_sub(&sums.slot[i], &base.slot[i]);
	ebpfnet__counter_value_sub(&sums.evicted, &base.evicted);
	o.packets = sums.slot[COUNTER_SLOT_ALL].packets;
	o.bytes = sums.slot[COUNTER_SLOT_ALL].bytes;
	o.segments = o.packets + sums.slot[COUNTER_SLOT_ALL].extra_segments;
	o.other_packets = sums.slot[COUNTER_SLOT_OTHER].packets;
	o.other_bytes = sums.slot[COUNTER_SLOT_OTHER].bytes;
	o.evicted_packets = sums.evicted.packets;
	o.evicted_bytes = sums.evicted.bytes;
	o.entries = sums.entries;
	if (EBPFNET__OUT_FILL(stats, &o))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID, "sz is not set");
	return 0;
}

static int remove_address(const struct ebpfnet_counter *c, enum counter_map map,
			  const uint8_t *address, const struct counter_value *v, void *removed)
{
	/* Evicted meanwhile: its packets are told as evicted already. */
	if (ebpfnet_map_del(c->maps[map], address) == 0)
		ebpfnet__counter_value_add(removed, v);
	return 0;
}

static int remove_keys(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
		       struct counter_base *base)
{
	int ret = 0;

	if (c->config.key == COUNTER_SOURCE) {
		ret = each_address(call, c, MAP_ADDRESS4, remove_address, &base->removed);
		if (ret == 0)
			ret = each_address(call, c, MAP_ADDRESS6, remove_address, &base->removed);
	}
	for (uint32_t i = 0; i < COUNTER_PROTOCOLS && ret == 0; i++)
		ret = ebpfnet__counter_slot(call, c, MAP_PROTOCOL, i, &base->protocol[i]);
	return ret;
}

/*
 * The total of the time before a reset, made of its parts: read from its own slot it would differ
 * from them by what ran in between, and keys + other + evicted would no longer be the total.
 */
static struct counter_value total_before(const struct ebpfnet_counter *c,
					 const struct counter_base *base, const struct sums *sums)
{
	struct counter_value total = base->slot[COUNTER_SLOT_OTHER];

	switch (c->config.key) {
	case COUNTER_PROTOCOL:
		for (uint32_t i = 0; i < COUNTER_PROTOCOLS; i++)
			ebpfnet__counter_value_add(&total, &base->protocol[i]);
		return total;
	case COUNTER_SOURCE:
		ebpfnet__counter_value_add(&total, &base->removed);
		ebpfnet__counter_value_add(&total, &base->evicted);
		return total;
	default:
		return sums->slot[COUNTER_SLOT_ALL];
	}
}

int ebpfnet_counter_reset(struct ebpfnet_counter *c, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, c->ctx, err, "counter reset");
	struct counter_base base;
	struct sums sums;
	uint32_t zero = 0;
	int ret;

	ret = ebpfnet__counter_base_get(&call, c, &base);
	if (ret == 0)
		ret = remove_keys(&call, c, &base);
	if (ret == 0)
		ret = read_sums(&call, c, &base, &sums);
	if (ret)
		return ret;
	base.evicted = sums.evicted;
	base.slot[COUNTER_SLOT_OTHER] = sums.slot[COUNTER_SLOT_OTHER];
	base.slot[COUNTER_SLOT_ALL] = total_before(c, &base, &sums);
	ret = ebpfnet_map_put(c->maps[MAP_BASE], &zero, &base, 0);
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "map base: %s", ebpfnet_strerror(ret));
	return 0;
}
