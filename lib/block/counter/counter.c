// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Making a counter, and its sums. */
#include "block/counter/counter.h"

#include <errno.h>
#include <stdio.h>

#include "core/opts.h"
#include "core/util.h"

#define DEFAULT_ENTRIES 65536

const struct counter_map_spec ebpfnet__counter_maps[MAPS] = {
	[MAP_TOTAL] = { "total", 4, sizeof(struct counter_value) },
	[MAP_PROTOCOL] = { "protocol", 4, sizeof(struct counter_value) },
	[MAP_ADDRESS4] = { "address4", 4, sizeof(struct counter_value) },
	[MAP_ADDRESS6] = { "address6", 16, sizeof(struct counter_value) },
	[MAP_BASE] = { "base", 4, sizeof(struct counter_base) },
	[MAP_META] = { "meta", 4, sizeof(struct counter_meta) },
};

struct ebpfnet_counter *ebpfnet__counter_alloc(struct ebpfnet__call *call)
{
	struct ebpfnet_counter *c = calloc(1, sizeof(*c));

	if (!c) {
		ebpfnet__fail_nomem(call);
		return NULL;
	}
	c->ctx = ebpfnet_ctx_ref(call->ctx);
	return c;
}

void ebpfnet_counter_free(struct ebpfnet_counter *c)
{
	if (!c)
		return;
	/* Borrowed handles are left alone by these; owned ones come from pins. */
	ebpfnet_program_close(c->xdp);
	for (int i = 0; i < MAPS; i++)
		ebpfnet_map_close(c->maps[i]);
	ebpfnet_object_close(c->obj);
	free(c->dir);
	ebpfnet_ctx_unref(c->ctx);
	free(c);
}

/* Constants and sizes; tables that the key does not use stay at one entry. */
static int adjust(struct ebpfnet_counter *c, struct ebpfnet_error **err)
{
	int ret = ebpfnet_object_set_const(c->obj, "counter_key", &c->config.key,
					   sizeof(c->config.key), err);

	if (ret || c->config.key != COUNTER_SOURCE)
		return ret;
	ret = ebpfnet_object_set_map_entries(c->obj, "address4", c->config.max_entries, err);
	if (ret)
		return ret;
	return ebpfnet_object_set_map_entries(c->obj, "address6", c->config.max_entries, err);
}

static int load(struct ebpfnet_counter *c, struct ebpfnet_error **err)
{
	int ret = ebpfnet_object_open_builtin(c->ctx, "counter", NULL, &c->obj, err);

	if (ret == 0)
		ret = adjust(c, err);
	if (ret == 0)
		ret = ebpfnet_object_load(c->obj, err);
	if (ret == 0)
		ret = ebpfnet_object_program(c->obj, "counter_xdp", &c->xdp, err);
	for (int i = 0; i < MAPS && ret == 0; i++)
		ret = ebpfnet_object_map(c->obj, ebpfnet__counter_maps[i].name, &c->maps[i], err);
	return ret;
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
	if (ret)
		return ret;
	if (o.key > EBPFNET_COUNTER_SOURCE)
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "key %u is none that this library knows", o.key);
	c = ebpfnet__counter_alloc(&call);
	if (!c)
		return -ENOMEM;
	c->config.abi_version = COUNTER_ABI;
	c->config.key = o.key;
	c->config.max_entries = o.max_entries ? o.max_entries : DEFAULT_ENTRIES;
	ret = load(c, &inner);
	if (ret)
		return ebpfnet__fail_from(&call, inner);
	ret = ebpfnet_map_put(c->maps[MAP_META], &zero, &c->config, 0);
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "map meta: %s", ebpfnet_strerror(ret));
	*out = TAKE(c);
	return 0;
}

int ebpfnet_counter_program(struct ebpfnet_counter *c, uint32_t hook, struct ebpfnet_program **prog,
			    struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, c->ctx, err, "counter program");

	*prog = NULL;
	if (hook != EBPFNET_HOOK_XDP)
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the counter has no program for hook %u", hook);
	*prog = c->xdp;
	return 0;
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
