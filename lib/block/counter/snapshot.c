// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Snapshots: all keys, or the busiest. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "block/counter/counter.h"
#include "core/opts.h"
#include "core/util.h"

static_assert(sizeof(struct ebpfnet_counter_top_opts) == sizeof(size_t) + 8, "implicit padding");
static_assert(sizeof(struct counter_key_fields) == 48, "compared as bytes");

#define DEFAULT_TOP 10

static int by_packets(const void *a, const void *b)
{
	return ebpfnet__counter_compare(a, b, EBPFNET_COUNTER_BY_PACKETS);
}

static int by_bytes(const void *a, const void *b)
{
	return ebpfnet__counter_compare(a, b, EBPFNET_COUNTER_BY_BYTES);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int read_snapshot(struct ebpfnet__call *call, const struct ebpfnet_counter *c, size_t limit,
			 uint32_t by, struct ebpfnet_counter_snapshot **out)
{
	CLEANUP(snapshot) struct ebpfnet_counter_snapshot *s = calloc(1, sizeof(*s));
	struct counter_base base;
	int ret;

	if (!s)
		return ebpfnet__fail_nomem(call);
	s->limit = limit;
	s->by = by;
	s->key = c->config.key;
	s->time_ns = now_ns();
	ret = ebpfnet__counter_base_get(call, c, &base);
	if (ret == 0)
		ret = ebpfnet__counter_read_rows(call, c, &base, s);
	if (ret)
		return ret;
	s->resets = base.resets;
	if (s->count)
		qsort(s->rows, s->count, sizeof(*s->rows),
		      by == EBPFNET_COUNTER_BY_BYTES ? by_bytes : by_packets);
	*out = TAKE(s);
	return 0;
}

int ebpfnet_counter_snapshot_new(struct ebpfnet_counter *c, struct ebpfnet_counter_snapshot **out,
				 struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, c->ctx, err, "counter snapshot");

	*out = NULL;
	return read_snapshot(&call, c, 0, EBPFNET_COUNTER_BY_PACKETS, out);
}

int ebpfnet_counter_top(struct ebpfnet_counter *c, const struct ebpfnet_counter_top_opts *opts,
			struct ebpfnet_counter_snapshot **out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, c->ctx, err, "counter top");
	struct ebpfnet_counter_top_opts o;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret)
		return ret;
	if (o.by > EBPFNET_COUNTER_BY_BYTES)
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "by %u is none that this library knows", o.by);
	return read_snapshot(&call, c, o.count ? o.count : DEFAULT_TOP, o.by, out);
}

size_t ebpfnet_counter_snapshot_count(const struct ebpfnet_counter_snapshot *s)
{
	return s->count;
}

uint64_t ebpfnet_counter_snapshot_time(const struct ebpfnet_counter_snapshot *s)
{
	return s->time_ns;
}

int ebpfnet_counter_snapshot_entry(const struct ebpfnet_counter_snapshot *s, size_t index,
				   struct ebpfnet_counter_entry *entry)
{
	struct ebpfnet_counter_entry e = { 0 };
	const struct counter_row *row;

	if (index >= s->count)
		return -ENOENT;
	row = &s->rows[index];
	e.family = row->key.family;
	e.protocol = row->key.protocol;
	memcpy(e.source, row->key.source, sizeof(e.source));
	memcpy(e.destination, row->key.destination, sizeof(e.destination));
	e.source_port = row->key.source_port;
	e.destination_port = row->key.destination_port;
	e.prefix = row->key.prefix;
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
