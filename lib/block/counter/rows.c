// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* From the counter's maps to rows. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "block/counter/counter.h"
#include "core/util.h"

static void ebpfnet__cleanup_iter(struct ebpfnet_map_iter **it)
{
	ebpfnet_map_iter_free(*it);
}

int ebpfnet__counter_slot(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			  enum counter_map map, uint32_t slot, struct counter_value *out)
{
	int ret = ebpfnet_map_sum(c->maps[map], &slot, out);

	if (ret)
		return ebpfnet__fail(call, ret, 0, "map %s, slot %u: %s",
				     ebpfnet__counter_maps[map].name, slot, ebpfnet_strerror(ret));
	return 0;
}

int ebpfnet__counter_base_get(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			      struct counter_base *out)
{
	uint32_t zero = 0;
	int ret = ebpfnet_map_get(c->maps[MAP_BASE], &zero, out);

	if (ret)
		return ebpfnet__fail(call, ret, 0, "map base: %s", ebpfnet_strerror(ret));
	return 0;
}

static int each_in(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
		   enum counter_map map, counter_entry_fn fn, void *data)
{
	CLEANUP(iter) struct ebpfnet_map_iter *it = NULL;
	struct ebpfnet_error *inner = NULL;
	uint32_t key[COUNTER_KEY_MAX / 4];
	struct counter_value v;
	int ret = ebpfnet_map_iter_new(c->maps[map], NULL, &it, &inner);

	if (ret)
		return ebpfnet__fail_from(call, inner);
	while ((ret = ebpfnet_map_iter_next(it, key, &v)) > 0) {
		ret = fn(c, map, key, &v, data);
		if (ret)
			break;
	}
	if (ret < 0)
		return ebpfnet__fail(call, ret, 0, "map %s: %s", ebpfnet__counter_maps[map].name,
				     ebpfnet_strerror(ret));
	return 0;
}

int ebpfnet__counter_each(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			  counter_entry_fn fn, void *data)
{
	struct counter_tables tables = ebpfnet__counter_tables[c->config.key];
	int ret = 0;

	for (enum counter_map i = tables.first; i < MAPS && i <= tables.last && ret == 0; i++)
		ret = each_in(call, c, i, fn, data);
	return ret;
}

int ebpfnet__counter_compare(const struct counter_row *a, const struct counter_row *b, uint32_t by)
{
	uint64_t x = a->value.packets, y = b->value.packets;

	if (by == EBPFNET_COUNTER_BY_BYTES) {
		x = a->value.bytes;
		y = b->value.bytes;
	}
	if (x != y)
		return x < y ? 1 : -1;
	return memcmp(&a->key, &b->key, sizeof(a->key));
}

/* rows[0] is the least busy of those kept: put the row at i where it belongs below it. */
static void sift_down(struct ebpfnet_counter_snapshot *s, size_t i)
{
	struct counter_row *rows = s->rows, row = rows[i];

	for (size_t child = 2 * i + 1; child < s->count; child = 2 * i + 1) {
		if (child + 1 < s->count &&
		    ebpfnet__counter_compare(&rows[child], &rows[child + 1], s->by) < 0)
			child++;
		if (ebpfnet__counter_compare(&row, &rows[child], s->by) >= 0)
			break;
		rows[i] = rows[child];
		i = child;
	}
	rows[i] = row;
}

static int grow(struct ebpfnet_counter_snapshot *s)
{
	size_t room = s->room ? s->room * 2 : 64;
	struct counter_row *rows = realloc(s->rows, room * sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	s->rows = rows;
	s->room = room;
	return 0;
}

static int add_row(struct ebpfnet_counter_snapshot *s, const struct counter_row *row)
{
	if (s->limit && s->count == s->limit) {
		if (ebpfnet__counter_compare(row, &s->rows[0], s->by) < 0) {
			s->rows[0] = *row;
			sift_down(s, 0);
		}
		return 0;
	}
	if (s->count == s->room && grow(s))
		return -ENOMEM;
	s->rows[s->count++] = *row;
	if (s->count == s->limit) /* from now on a heap */
		for (size_t i = s->count / 2; i-- > 0;)
			sift_down(s, i);
	return 0;
}

static void decode(const struct ebpfnet_counter *c, enum counter_map map, const void *key,
		   struct counter_key_fields *to)
{
	size_t size = ebpfnet__counter_maps[map].key_size;
	const struct counter_tuple4 *t4 = key;
	const struct counter_tuple6 *t6 = key;
	const struct counter_port *p = key;

	to->family = map == MAP_ADDRESS4 || map == MAP_TUPLE4 ? 4 : 6;
	switch (map) {
	case MAP_PORT:
		to->family = p->family;
		to->protocol = p->protocol;
		to->destination_port = ntohs(p->port);
		return;
	case MAP_TUPLE4:
		memcpy(to->source, &t4->source, sizeof(t4->source));
		memcpy(to->destination, &t4->destination, sizeof(t4->destination));
		to->source_port = ntohs(t4->source_port);
		to->destination_port = ntohs(t4->destination_port);
		to->protocol = t4->protocol;
		break;
	case MAP_TUPLE6:
		memcpy(to->source, &t6->source, sizeof(t6->source));
		memcpy(to->destination, &t6->destination, sizeof(t6->destination));
		to->source_port = ntohs(t6->source_port);
		to->destination_port = ntohs(t6->destination_port);
		to->protocol = t6->protocol;
		break;
	default:
		memcpy(c->config.key == COUNTER_DESTINATION ? to->destination : to->source, key,
		       size);
	}
	if (c->config.key == COUNTER_DESTINATION)
		return;
	to->prefix = to->family == 4 ? 32 : 128;
	if (c->config.key == COUNTER_SOURCE_PREFIX)
		to->prefix = to->family == 4 ? c->config.prefix4 : c->config.prefix6;
}

static int add_entry(const struct ebpfnet_counter *c, enum counter_map map, const void *key,
		     const struct counter_value *v, void *data)
{
	struct counter_row row = { .value = *v };

	decode(c, map, key, &row.key);
	return add_row(data, &row);
}

static int read_total(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
		      const struct counter_base *base, struct ebpfnet_counter_snapshot *s)
{
	struct counter_row row = { 0 };
	int ret = ebpfnet__counter_slot(call, c, MAP_TOTAL, COUNTER_SLOT_ALL, &row.value);

	if (ret)
		return ret;
	ebpfnet__counter_value_sub(&row.value, &base->slot[COUNTER_SLOT_ALL]);
	return add_row(s, &row) ? ebpfnet__fail_nomem(call) : 0;
}

static int read_protocols(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			  const struct counter_base *base, struct ebpfnet_counter_snapshot *s)
{
	for (uint32_t i = 0; i < COUNTER_PROTOCOLS; i++) {
		struct counter_row row = { 0 };
		int ret = ebpfnet__counter_slot(call, c, MAP_PROTOCOL, i, &row.value);

		if (ret)
			return ret;
		ebpfnet__counter_value_sub(&row.value, &base->protocol[i]);
		if (row.value.packets == 0)
			continue;
		row.key.family = i >= COUNTER_IP6 ? 6 : 4;
		row.key.protocol = i % COUNTER_IP6;
		if (add_row(s, &row))
			return ebpfnet__fail_nomem(call);
	}
	return 0;
}

int ebpfnet__counter_read_rows(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
			       const struct counter_base *base, struct ebpfnet_counter_snapshot *s)
{
	switch (c->config.key) {
	case COUNTER_TOTAL:
		return read_total(call, c, base, s);
	case COUNTER_PROTOCOL:
		return read_protocols(call, c, base, s);
	default:
		return ebpfnet__counter_each(call, c, add_entry, s);
	}
}
