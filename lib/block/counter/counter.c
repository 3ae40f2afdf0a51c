// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Making a counter. */
#include "block/counter/counter.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "core/opts.h"
#include "core/util.h"

static_assert(sizeof(struct ebpfnet_counter_opts) == sizeof(size_t) + 24, "implicit padding");
static_assert(COUNTER_KEYS == EBPFNET_COUNTER_FIVE_TUPLE + 1, "keys of both halves");

#define DEFAULT_ENTRIES 65536
#define DEFAULT_PREFIX4 24
#define DEFAULT_PREFIX6 64
#define KNOWN_FLAGS (EBPFNET_COUNTER_XDP_FRAGS | EBPFNET_COUNTER_NO_L2)

const struct counter_map_spec ebpfnet__counter_maps[MAPS] = {
	[MAP_TOTAL] = { "total", 4, sizeof(struct counter_value) },
	[MAP_PROTOCOL] = { "protocol", 4, sizeof(struct counter_value) },
	[MAP_ADDRESS4] = { "address4", 4, sizeof(struct counter_value) },
	[MAP_ADDRESS6] = { "address6", sizeof(struct counter_address6),
			   sizeof(struct counter_value) },
	[MAP_PORT] = { "port", sizeof(struct counter_port), sizeof(struct counter_value) },
	[MAP_TUPLE4] = { "tuple4", sizeof(struct counter_tuple4), sizeof(struct counter_value) },
	[MAP_TUPLE6] = { "tuple6", sizeof(struct counter_tuple6), sizeof(struct counter_value) },
	[MAP_BASE] = { "base", 4, sizeof(struct counter_base) },
	[MAP_META] = { "meta", 4, sizeof(struct counter_meta) },
};

const struct counter_tables ebpfnet__counter_tables[COUNTER_KEYS] = {
	[COUNTER_TOTAL] = { MAPS, MAPS },
	[COUNTER_PROTOCOL] = { MAPS, MAPS },
	[COUNTER_SOURCE] = { MAP_ADDRESS4, MAP_ADDRESS6 },
	[COUNTER_DESTINATION] = { MAP_ADDRESS4, MAP_ADDRESS6 },
	[COUNTER_DESTINATION_PORT] = { MAP_PORT, MAP_PORT },
	[COUNTER_SOURCE_PREFIX] = { MAP_ADDRESS4, MAP_ADDRESS6 },
	[COUNTER_FIVE_TUPLE] = { MAP_TUPLE4, MAP_TUPLE6 },
};

struct ebpfnet_counter *ebpfnet__counter_alloc(struct ebpfnet__call *call)
{
	struct ebpfnet_counter *c = calloc(1, sizeof(*c));

	if (!c) {
		ebpfnet__fail_nomem(call);
		return NULL;
	}
	c->ctx = ebpfnet_ctx_ref(call->ctx);
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void ebpfnet_counter_free(struct ebpfnet_counter *c)
{
	if (!c)
		return;
	for (int i = 0; i < PROGRAMS; i++)
		ebpfnet_object_close(c->objects[i]);
	/* Borrowed handles are left alone by this; owned ones come from pins. */
	for (int i = 0; i < MAPS; i++)
		ebpfnet_map_close(c->maps[i]);
	ebpfnet_object_close(c->obj);
	free(c->dir);
	pthread_mutex_destroy(&c->lock);
	ebpfnet_ctx_unref(c->ctx);
	free(c);
}

static int load(struct ebpfnet_counter *c, struct ebpfnet_error **err)
{
	int ret = ebpfnet__counter_object(c, NULL, &c->obj, err);

	if (ret == 0)
		ret = ebpfnet_object_load(c->obj, err);
	for (int i = 0; i < MAPS && ret == 0; i++)
		ret = ebpfnet_object_map(c->obj, ebpfnet__counter_maps[i].name, &c->maps[i], err);
	return ret;
}

static int check_prefix(struct ebpfnet__call *call, const struct ebpfnet_counter_opts *o)
{
	if (o->key != EBPFNET_COUNTER_SOURCE_PREFIX && (o->prefix4 || o->prefix6)) {
		ebpfnet__hint(call, "prefixes go with key EBPFNET_COUNTER_SOURCE_PREFIX");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "a prefix is given, and the key is %u", o->key);
	}
	if (o->prefix4 > 32 || o->prefix6 > 128)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "prefix4 is %u and prefix6 is %u bits; addresses have 32 and "
				     "128",
				     o->prefix4, o->prefix6);
	return 0;
}

static int check(struct ebpfnet__call *call, const struct ebpfnet_counter_opts *o)
{
	if (o->key > EBPFNET_COUNTER_FIVE_TUPLE)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "key %u is none that this library knows", o->key);
	if (o->flags & ~KNOWN_FLAGS)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "flags 0x%x are none that this library knows",
				     o->flags & ~KNOWN_FLAGS);
	if (o->reserved)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "reserved is not 0");
	return check_prefix(call, o);
}

static void configure(struct counter_meta *config, const struct ebpfnet_counter_opts *o)
{
	config->abi_version = COUNTER_ABI;
	config->key = o->key;
	config->max_entries = o->max_entries ? o->max_entries : DEFAULT_ENTRIES;
	config->flags = o->flags;
	if (o->key != EBPFNET_COUNTER_SOURCE_PREFIX)
		return;
	config->prefix4 = o->prefix4 ? o->prefix4 : DEFAULT_PREFIX4;
	config->prefix6 = o->prefix6 ? o->prefix6 : DEFAULT_PREFIX6;
}

int ebpfnet_counter_new(struct ebpfnet_ctx *ctx, const struct ebpfnet_counter_opts *opts,
			struct ebpfnet_counter **out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "counter");
	CLEANUP(counter) struct ebpfnet_counter *c = NULL;
	struct ebpfnet_error *inner = NULL;
	struct ebpfnet_counter_opts o;
	uint32_t zero = 0;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0)
		ret = check(&call, &o);
	if (ret)
		return ret;
	c = ebpfnet__counter_alloc(&call);
	if (!c)
		return -ENOMEM;
	configure(&c->config, &o);
	ret = load(c, &inner);
	if (ret)
		return ebpfnet__fail_from(&call, inner);
	ret = ebpfnet_map_put(c->maps[MAP_META], &zero, &c->config, 0);
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "map meta: %s", ebpfnet_strerror(ret));
	*out = TAKE(c);
	return 0;
}
