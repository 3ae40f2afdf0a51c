// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What every key did between two snapshots. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "block/counter/counter.h"
#include "core/opts.h"
#include "core/util.h"

static_assert(sizeof(struct ebpfnet_counter_rate) == sizeof(size_t) + 104, "implicit padding");

struct rate {
	struct counter_row row; /* the key, and what was counted in between */
	uint32_t change;	/* enum ebpfnet_counter_change */
};

struct ebpfnet_counter_rates {
	struct rate *rates;
	size_t count;
	double seconds;
};

/* Rows of a snapshot by their key: open addressing, row number + 1, 0 is free. */
struct index {
	const struct ebpfnet_counter_snapshot *s;
	uint32_t *slots;
	bool *seen; /* rows that were found */
	size_t mask;
};

static void ebpfnet__cleanup_index(struct index *x)
{
	free(x->slots);
	free(x->seen);
}

static void ebpfnet__cleanup_rates(struct ebpfnet_counter_rates **r)
{
	ebpfnet_counter_rates_free(*r);
}

/* FNV-1a over words; keys are 48 bytes. */
static size_t hash(const struct counter_key_fields *key)
{
	uint64_t h = 0xcbf29ce484222325ULL, word;

	for (size_t i = 0; i < sizeof(*key); i += sizeof(word)) {
		memcpy(&word, (const uint8_t *)key + i, sizeof(word));
		h = (h ^ word) * 0x100000001b3ULL;
		h ^= h >> 29;
	}
	return (size_t)(h ^ h >> 32);
}

static int index_make(struct index *x, const struct ebpfnet_counter_snapshot *s)
{
	size_t size = 16;

	if (s->count > UINT32_MAX / 4)
		return -ENOMEM;
	while (size < s->count * 2)
		size *= 2;
	x->s = s;
	x->mask = size - 1;
	x->slots = calloc(size, sizeof(*x->slots));
	x->seen = calloc(s->count + 1, sizeof(*x->seen));
	if (!x->slots || !x->seen)
		return -ENOMEM;
	for (size_t i = 0; i < s->count; i++) {
		size_t at = hash(&s->rows[i].key) & x->mask;

		while (x->slots[at])
			at = (at + 1) & x->mask;
		x->slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

static const struct counter_row *index_find(struct index *x, const struct counter_key_fields *key)
{
	for (size_t at = hash(key) & x->mask; x->slots[at]; at = (at + 1) & x->mask) {
		const struct counter_row *row = &x->s->rows[x->slots[at] - 1];

		if (memcmp(&row->key, key, sizeof(*key)) == 0) {
			x->seen[x->slots[at] - 1] = true;
			return row;
		}
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const struct rate *x = a, *y = b;

	return ebpfnet__counter_compare(&x->row, &y->row, EBPFNET_COUNTER_BY_PACKETS);
}

static bool went_down(const struct counter_value *from, const struct counter_value *to)
{
	return to->packets < from->packets || to->bytes < from->bytes ||
	       to->extra_segments < from->extra_segments;
}

static struct rate between(const struct counter_row *from, const struct counter_row *to, bool reset)
{
	struct rate r = { .row = *to, .change = EBPFNET_COUNTER_NEW };

	if (!from)
		return r;
	if (reset || went_down(&from->value, &to->value)) {
		r.change = EBPFNET_COUNTER_RESTARTED;
		return r;
	}
	r.change = EBPFNET_COUNTER_SAME;
	ebpfnet__counter_value_sub(&r.row.value, &from->value);
	return r;
}

static void fill(struct ebpfnet_counter_rates *r, struct index *x,
		 const struct ebpfnet_counter_snapshot *after)
{
	bool reset = x->s->resets != after->resets;

	for (size_t i = 0; i < after->count; i++)
		r->rates[r->count++] =
			between(index_find(x, &after->rows[i].key), &after->rows[i], reset);
	for (size_t i = 0; !after->limit && i < x->s->count; i++)
		if (!x->seen[i])
			r->rates[r->count++] = (struct rate) { .row.key = x->s->rows[i].key,
							       .change = EBPFNET_COUNTER_GONE };
	qsort(r->rates, r->count, sizeof(*r->rates), compare);
}

static int check(struct ebpfnet__call *call, const struct ebpfnet_counter_snapshot *before,
		 const struct ebpfnet_counter_snapshot *after)
{
	if (before->key != after->key)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the snapshots have the keys %u and %u", before->key,
				     after->key);
	if (before->limit) {
		ebpfnet__hint(call, "take the earlier one with ebpfnet_counter_snapshot_new()");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the earlier snapshot has the busiest keys only");
	}
	if (after->time_ns <= before->time_ns)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the second snapshot is not later than the first");
	return 0;
}

int ebpfnet_counter_rates_new(const struct ebpfnet_counter_snapshot *before,
			      const struct ebpfnet_counter_snapshot *after,
			      struct ebpfnet_counter_rates **out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, NULL, err, "counter rates");
	CLEANUP(rates) struct ebpfnet_counter_rates *r = NULL;
	CLEANUP(index) struct index x = { 0 };
	int ret;

	*out = NULL;
	ret = check(&call, before, after);
	if (ret)
		return ret;
	r = calloc(1, sizeof(*r));
	if (!r || index_make(&x, before))
		return ebpfnet__fail_nomem(&call);
	r->rates = calloc(before->count + after->count + 1, sizeof(*r->rates));
	if (!r->rates)
		return ebpfnet__fail_nomem(&call);
	r->seconds = (double)(after->time_ns - before->time_ns) / 1e9;
	fill(r, &x, after);
	*out = TAKE(r);
	return 0;
}

size_t ebpfnet_counter_rates_count(const struct ebpfnet_counter_rates *r)
{
	return r->count;
}

int ebpfnet_counter_rates_entry(const struct ebpfnet_counter_rates *r, size_t index,
				struct ebpfnet_counter_rate *rate)
{
	struct ebpfnet_counter_rate e = { 0 };
	const struct counter_key_fields *key;
	const struct counter_value *v;

	if (index >= r->count)
		return -ENOENT;
	key = &r->rates[index].row.key;
	v = &r->rates[index].row.value;
	e.family = key->family;
	e.protocol = key->protocol;
	memcpy(e.source, key->source, sizeof(e.source));
	memcpy(e.destination, key->destination, sizeof(e.destination));
	e.source_port = key->source_port;
	e.destination_port = key->destination_port;
	e.prefix = key->prefix;
	e.change = r->rates[index].change;
	e.packets = v->packets;
	e.bytes = v->bytes;
	e.segments = v->packets + v->extra_segments;
	e.packets_per_s = (double)e.packets / r->seconds;
	e.bytes_per_s = (double)e.bytes / r->seconds;
	e.segments_per_s = (double)e.segments / r->seconds;
	return EBPFNET__OUT_FILL(rate, &e);
}

void ebpfnet_counter_rates_free(struct ebpfnet_counter_rates *r)
{
	if (!r)
		return;
	free(r->rates);
	free(r);
}
