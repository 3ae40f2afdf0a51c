// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* A counter that outlives its process: maps and program pinned side by side in one folder. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "block/counter/counter.h"
#include "core/util.h"

#define PROGRAM_PIN "xdp"

static int pin_path(char path[PATH_MAX], const char *dir, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Removes the first n pins in the order in which they were made; the program is the last. */
static int remove_pins(struct ebpfnet_ctx *ctx, const char *dir, int n, struct ebpfnet_error **err)
{
	char path[PATH_MAX];
	int ret = 0;

	for (int i = n - 1; i >= 0 && ret == 0; i--) {
		pin_path(path, dir, i < MAPS ? ebpfnet__counter_maps[i].name : PROGRAM_PIN);
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
	if (ret == 0) {
		n = MAPS + 1;
		pin_path(path, dir, PROGRAM_PIN);
		ret = ebpfnet_program_pin(c->xdp, path, &inner);
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
	if (remove_pins(c->ctx, c->dir, MAPS + 1, &inner))
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

static int read_meta(struct ebpfnet__call *call, struct ebpfnet_counter *c)
{
	uint32_t zero = 0;
	int ret = check_shape(call, c->maps[MAP_META], MAP_META);

	if (ret)
		return ret;
	ret = ebpfnet_map_get(c->maps[MAP_META], &zero, &c->config);
	if (ret)
		return ebpfnet__fail(call, ret, 0, "map meta: %s", ebpfnet_strerror(ret));
	if (c->config.abi_version == COUNTER_ABI && c->config.key <= COUNTER_SOURCE)
		return 0;
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
	for (int i = 0; i < MAPS && ret == 0; i++) {
		pin_path(path, dir, ebpfnet__counter_maps[i].name);
		ret = ebpfnet_map_open_pinned(ctx, path, &c->maps[i], &inner);
	}
	if (ret == 0) {
		pin_path(path, dir, PROGRAM_PIN);
		ret = ebpfnet_program_open_pinned(ctx, path, &c->xdp, &inner);
	}
	if (ret)
		return ebpfnet__fail_from(&call, inner);
	ret = read_meta(&call, c);
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
