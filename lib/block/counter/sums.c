// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* A counter's sums, and the reset that makes them start anew. */
#include <errno.h>
#include <string.h>

#include "block/counter/counter.h"
#include "core/opts.h"
#include "core/util.h"

static bool has_tables(const struct ebpfnet_counter *c)
{
	return ebpfnet__counter_tables[c->config.key].first != MAPS;
}

/* Every figure since the maps were made; evicted by the difference that eviction leaves. */
struct sums {
	struct counter_value slot[COUNTER_SLOTS];
	struct counter_value live;
	struct counter_value evicted;
	size_t entries;
};

static int add_live(const struct ebpfnet_counter *c, enum counter_map map, const void *key,
		    const struct counter_value *v, void *data)
{
	struct sums *sums = data;

	(void)c, (void)map, (void)key;
	ebpfnet__counter_value_add(&sums->live, v);
	sums->entries++;
	return 0;
}

static int count_rows(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
		      const struct counter_base *base, size_t *count)
{
	CLEANUP(snapshot) struct ebpfnet_counter_snapshot *s = calloc(1, sizeof(*s));
	int ret = s ? ebpfnet__counter_read_rows(call, c, base, s) : ebpfnet__fail_nomem(call);

	if (ret == 0)
		*count = s->count;
	return ret;
}

static int read_sums(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
		     const struct counter_base *base, struct sums *sums)
{
	int ret = 0;

	memset(sums, 0, sizeof(*sums));
	/* The total first: what runs meanwhile must not look evicted. */
	for (uint32_t i = 0; i < COUNTER_SLOTS && ret == 0; i++)
		ret = ebpfnet__counter_slot(call, c, MAP_TOTAL, i, &sums->slot[i]);
	if (ret)
		return ret;
	if (!has_tables(c)) /* arrays evict nothing */
		return count_rows(call, c, base, &sums->entries);
	ret = ebpfnet__counter_each(call, c, add_live, sums);
	if (ret)
		return ret;
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

static int remove_entry(const struct ebpfnet_counter *c, enum counter_map map, const void *key,
			const struct counter_value *v, void *removed)
{
	/* Evicted meanwhile: its packets are told as evicted already. */
	if (ebpfnet_map_del(c->maps[map], key) == 0)
		ebpfnet__counter_value_add(removed, v);
	return 0;
}

static int remove_keys(struct ebpfnet__call *call, const struct ebpfnet_counter *c,
		       struct counter_base *base)
{
	int ret = ebpfnet__counter_each(call, c, remove_entry, &base->removed);

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

	if (c->config.key == COUNTER_TOTAL)
		return sums->slot[COUNTER_SLOT_ALL];
	if (has_tables(c)) {
		ebpfnet__counter_value_add(&total, &base->removed);
		ebpfnet__counter_value_add(&total, &base->evicted);
		return total;
	}
	for (uint32_t i = 0; i < COUNTER_PROTOCOLS; i++)
		ebpfnet__counter_value_add(&total, &base->protocol[i]);
	return total;
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
	base.resets++;
	base.evicted = sums.evicted;
	base.slot[COUNTER_SLOT_OTHER] = sums.slot[COUNTER_SLOT_OTHER];
	base.slot[COUNTER_SLOT_ALL] = total_before(c, &base, &sums);
	ret = ebpfnet_map_put(c->maps[MAP_BASE], &zero, &base, 0);
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "map base: %s", ebpfnet_strerror(ret));
	return 0;
}
