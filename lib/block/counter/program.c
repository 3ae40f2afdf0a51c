// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The counter's programs: each is loaded over the counter's maps when it is first asked for. */
#include <errno.h>
#include <string.h>

#include <ebpfnet/probe.h>

#include "block/counter/counter.h"
#include "core/util.h"

/* [with keys] of each; the ones for frames of several buffers are in place of XDP's. */
static const char *const names[PROGRAMS][2] = {
	[PROGRAM_XDP] = { "counter_xdp", "counter_xdp_key" },
	[PROGRAM_TC] = { "counter_tc", "counter_tc_key" },
	[PROGRAM_CGROUP] = { "counter_cg", "counter_cg_key" },
};
static const char *const frags_names[2] = { "counter_xdpf", "counter_xdpf_key" };

/* The first bits of size bytes, as they lie in a packet. */
static void mask_bits(void *mask, size_t size, uint32_t bits)
{
	uint8_t *byte = mask;

	memset(mask, 0, size);
	for (uint32_t i = 0; i < bits; i++)
		byte[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static int adjust(const struct ebpfnet_counter *c, struct ebpfnet_object *obj,
		  struct ebpfnet_error **err)
{
	struct counter_tables tables = ebpfnet__counter_tables[c->config.key];
	struct counter_config config = { .no_l2 = !!(c->config.flags & EBPFNET_COUNTER_NO_L2) };
	int ret = ebpfnet_object_set_const(obj, "counter_key", &c->config.key,
					   sizeof(c->config.key), err);

	mask_bits(&config.mask4, sizeof(config.mask4), c->config.prefix4);
	mask_bits(config.mask6, sizeof(config.mask6), c->config.prefix6);
	if (ret == 0)
		ret = ebpfnet_object_set_const(obj, "counter_config", &config, sizeof(config), err);
	for (enum counter_map i = tables.first; i < MAPS && i <= tables.last && ret == 0; i++)
		ret = ebpfnet_object_set_map_entries(obj, ebpfnet__counter_maps[i].name,
						     c->config.max_entries, err);
	return ret;
}

static void ebpfnet__cleanup_object(struct ebpfnet_object **obj)
{
	ebpfnet_object_close(*obj);
}

int ebpfnet__counter_object(const struct ebpfnet_counter *c, const char *program,
			    struct ebpfnet_object **out, struct ebpfnet_error **err)
{
	CLEANUP(object) struct ebpfnet_object *obj = NULL;
	int ret = ebpfnet_object_open_builtin(c->ctx, "counter", NULL, &obj, err);

	/* The one that whoever opens the bare object gets; the others are off by themselves. */
	if (ret == 0)
		ret = ebpfnet_object_set_program_enabled(obj, names[PROGRAM_XDP][0], false, err);
	if (ret == 0 && program)
		ret = ebpfnet_object_set_program_enabled(obj, program, true, err);
	if (ret == 0)
		ret = adjust(c, obj, err);
	for (int i = 0; i < MAPS && ret == 0; i++)
		if (c->maps[i])
			ret = ebpfnet_object_reuse_map(obj, ebpfnet__counter_maps[i].name,
						       c->maps[i], err);
	if (ret == 0)
		*out = TAKE(obj);
	return ret;
}

static const char *program_name(const struct ebpfnet_counter *c, enum counter_program which)
{
	bool keyed = c->config.key != COUNTER_TOTAL;

	if (which == PROGRAM_XDP && c->config.flags & EBPFNET_COUNTER_XDP_FRAGS)
		return frags_names[keyed];
	if (which == PROGRAM_XDP && c->config.key == COUNTER_SOURCE)
		return "counter_xdp_src";
	if (which == PROGRAM_XDP && c->config.key == COUNTER_PROTOCOL)
		return "counter_xdp_prt";
	return names[which][keyed];
}

static int load(struct ebpfnet_counter *c, enum counter_program which, struct ebpfnet_error **err)
{
	CLEANUP(object) struct ebpfnet_object *obj = NULL;
	int ret = 0;

	if (which == PROGRAM_XDP && c->config.flags & EBPFNET_COUNTER_XDP_FRAGS)
		ret = ebpfnet_probe_require(c->ctx, EBPFNET_FEATURE_XDP_FRAGS, err);
	if (ret == 0)
		ret = ebpfnet__counter_object(c, program_name(c, which), &obj, err);
	if (ret == 0)
		ret = ebpfnet_object_load(obj, err);
	if (ret == 0)
		c->objects[which] = TAKE(obj);
	return ret;
}

static enum counter_program program_of(uint32_t hook)
{
	switch (hook) {
	case EBPFNET_HOOK_XDP:
		return PROGRAM_XDP;
	case EBPFNET_HOOK_TC_INGRESS:
	case EBPFNET_HOOK_TC_EGRESS:
		return PROGRAM_TC;
	case EBPFNET_HOOK_CGROUP_INGRESS:
	case EBPFNET_HOOK_CGROUP_EGRESS:
		return PROGRAM_CGROUP;
	default:
		return PROGRAMS;
	}
}

int ebpfnet_counter_program(struct ebpfnet_counter *c, uint32_t hook, struct ebpfnet_program **prog,
			    struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, c->ctx, err, "counter program");
	enum counter_program which = program_of(hook);
	struct ebpfnet_error *inner = NULL;
	int ret = 0;

	*prog = NULL;
	if (which == PROGRAMS)
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the counter has no program for hook %u", hook);
	pthread_mutex_lock(&c->lock);
	if (!c->objects[which])
		ret = load(c, which, &inner);
	if (ret == 0)
		ret = ebpfnet_object_program(c->objects[which], program_name(c, which), prog,
					     &inner);
	pthread_mutex_unlock(&c->lock);
	return ret ? ebpfnet__fail_from(&call, inner) : 0;
}
