// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A counter that outlives its process: its maps pinned side by side in one folder. Programs are not:
 * what is attached is held by its link, and another one is loaded over the maps when it is needed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "block/counter/counter.h"
#include "core/util.h"

static int pin_path(char path[PATH_MAX], const char *dir, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Removes the first n pins. */
static int remove_pins(struct ebpfnet_ctx *ctx, const char *dir, int n, struct ebpfnet_error **err)
{
	char path[PATH_MAX];
	int ret = 0;

	for (int i = n - 1; i >= 0 && ret == 0; i--) {
		pin_path(path, dir, ebpfnet__counter_maps[i].name);
		ret = ebpfnet_pin_remove(ctx, path, err);
	}
	return ret;
}

int ebpfnet_counter_pin(struct ebpfnet_counter *c, const char *dir, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, c->ctx, err, "counter pin");
	struct ebpfnet_error *inner = NULL;
	char path[PATH_MAX];
	int ret = 0, n;

	if (c->dir)
		return ebpfnet__fail(&call, -EBUSY, EBPFNET_ERROR_BUSY, "it is pinned in %s",
				     c->dir);
	if (pin_path(path, dir, ebpfnet__counter_maps[MAP_PROTOCOL].name))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID, "the path is too long");
	c->dir = strdup(dir);
	if (!c->dir)
		return ebpfnet__fail_nomem(&call);
	for (n = 0; n < MAPS && ret == 0; n++) {
		pin_path(path, dir, ebpfnet__counter_maps[n].name);
		ret = ebpfnet_map_pin(c->maps[n], path, &inner);
	}
	if (ret == 0)
		return 0;
	/* Only the ones of this call: whatever was there before is somebody else's. */
	remove_pins(c->ctx, dir, n - 1, NULL);
	free(c->dir);
	c->dir = NULL;
	return ebpfnet__fail_from(&call, inner);
}

int ebpfnet_counter_unpin(struct ebpfnet_counter *c, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, c->ctx, err, "counter unpin");
	struct ebpfnet_error *inner = NULL;

	if (!c->dir)
		return ebpfnet__fail(&call, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "it is not pinned");
	if (remove_pins(c->ctx, c->dir, MAPS, &inner))
		return ebpfnet__fail_from(&call, inner);
	free(c->dir);
	c->dir = NULL;
	return 0;
}

static int check_shape(struct ebpfnet__call *call, const struct ebpfnet_map *map, int index)
{
	const struct counter_map_spec *want = &ebpfnet__counter_maps[index];
	struct ebpfnet_error *inner = NULL;
	struct ebpfnet_map_info info = { .sz = sizeof(info) };

	if (ebpfnet_map_info(map, &info, &inner))
		return ebpfnet__fail_from(call, inner);
	if (info.key_size == want->key_size && info.value_size == want->value_size)
		return 0;
	return ebpfnet__fail(
		call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
		"the pinned map %s has keys of %u and values of %u bytes, this library's "
		"%u and %u",
		want->name, info.key_size, info.value_size, want->key_size, want->value_size);
}

/*
 * The version is first in every layout, and "meta" is opened before the others: what another layout
 * lacks or has in another shape is not worth a word.
 */
static int read_meta(struct ebpfnet__call *call, struct ebpfnet_counter *c, const char *dir)
{
	struct ebpfnet_map_info info = { .sz = sizeof(info) };
	struct ebpfnet_error *inner = NULL;
	union {
		struct counter_meta meta;
		uint8_t other[256];
	} value = { 0 };
	char path[PATH_MAX];
	uint32_t zero = 0;
	int ret;

	pin_path(path, dir, ebpfnet__counter_maps[MAP_META].name);
	ret = ebpfnet_map_open_pinned(call->ctx, path, &c->maps[MAP_META], &inner);
	if (ret == 0)
		ret = ebpfnet_map_info(c->maps[MAP_META], &info, &inner);
	if (ret)
		return ebpfnet__fail_from(call, inner);
	if (info.key_size != sizeof(zero) || info.value_size > sizeof(value))
		return check_shape(call, c->maps[MAP_META], MAP_META);
	ret = ebpfnet_map_get(c->maps[MAP_META], &zero, &value);
	if (ret)
		return ebpfnet__fail(call, ret, 0, "map meta: %s", ebpfnet_strerror(ret));
	c->config = value.meta;
	if (c->config.abi_version == COUNTER_ABI && c->config.key < COUNTER_KEYS)
		return check_shape(call, c->maps[MAP_META], MAP_META);
	ebpfnet__hint(call, "remove the pins, or use the libebpfnet that made them");
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
			     "the pinned counter has layout %u with key %u, this library layout %u",
			     c->config.abi_version, c->config.key, COUNTER_ABI);
}

int ebpfnet_counter_open_pinned(struct ebpfnet_ctx *ctx, const char *dir,
				struct ebpfnet_counter **out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "open pinned counter");
	CLEANUP(counter) struct ebpfnet_counter *c = NULL;
	struct ebpfnet_error *inner = NULL;
	char path[PATH_MAX];
	int ret = 0;

	*out = NULL;
	if (pin_path(path, dir, ebpfnet__counter_maps[MAP_PROTOCOL].name))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID, "the path is too long");
	c = ebpfnet__counter_alloc(&call);
	if (!c)
		return -ENOMEM;
	ret = read_meta(&call, c, dir);
	if (ret)
		return ret;
	for (int i = 0; i < MAPS && ret == 0; i++) {
		if (i == MAP_META)
			continue;
		pin_path(path, dir, ebpfnet__counter_maps[i].name);
		ret = ebpfnet_map_open_pinned(ctx, path, &c->maps[i], &inner);
	}
	if (ret)
		return ebpfnet__fail_from(&call, inner);
	for (int i = 0; i < MAPS && ret == 0; i++)
		ret = check_shape(&call, c->maps[i], i);
	if (ret)
		return ret;
	c->dir = strdup(dir);
	if (!c->dir)
		return ebpfnet__fail_nomem(&call);
	*out = TAKE(c);
	return 0;
}
