// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/opts.h"
#include "load/object.h"
#include "load/pin.h"

int ebpfnet_map_fd(const struct ebpfnet_map *map)
{
	return map->fd < 0 ? -EBADF : map->fd;
}

const char *ebpfnet_map_name(const struct ebpfnet_map *map)
{
	return map->name;
}

/* What bpf_map_info leaves out; Linux 5.2 and later say it there. */
static uint32_t is_frozen(int fd)
{
	CLEANUP(free) char *text = NULL;
	const char *line;
	char path[40];
	size_t size;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (ebpfnet__file_read(path, 65536, &text, &size) < 0)
		return 0;
	line = strstr(text, "\nfrozen:");
	return line && strtoul(line + strlen("\nfrozen:"), NULL, 10) != 0;
}

int ebpfnet_map_info(const struct ebpfnet_map *map, struct ebpfnet_map_info *out,
		     struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, map->ctx, err, "map %s: info", map->name);
	struct ebpfnet_map_info o = { 0 };
	struct bpf_map_info info = { 0 };
	int ret = map->fd < 0 ? -EBADF : ebpfnet__info_by_fd(map->fd, &info, sizeof(info));

	if (ret)
		return ebpfnet__fail(&call, ret, ret == -EBADF ? EBPFNET_ERROR_INVALID : 0, "%s",
				     map->fd < 0 ? "it is not loaded" : ebpfnet_strerror(ret));
	snprintf(o.name, sizeof(o.name), "%s", map->name);
	o.id = info.id;
	o.type = info.type;
	o.key_size = info.key_size;
	o.value_size = info.value_size;
	o.max_entries = info.max_entries;
	o.flags = info.map_flags;
	o.frozen = is_frozen(map->fd);
	if (EBPFNET__OUT_FILL(out, &o))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID, "sz is not set");
	return 0;
}

int ebpfnet_map_pin(const struct ebpfnet_map *map, const char *path, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, map->ctx, err, "pin map %s", map->name);

	return ebpfnet__pin_fd(&call, map->fd, path);
}

void ebpfnet__map_shape(struct ebpfnet_map *map, const struct bpf_map_info *info)
{
	map->type = info->type;
	map->key_size = info->key_size;
	map->value_size = info->value_size;
	map->max_entries = info->max_entries;
}

/* Takes the fd, also after a failure. */
static int open_owned(struct ebpfnet__call *call, int fd, struct ebpfnet_map **out)
{
	struct ebpfnet_map *map = calloc(1, sizeof(*map));
	struct bpf_map_info info = { 0 };
	int ret;

	if (!map) {
		close(fd);
		return ebpfnet__fail_nomem(call);
	}
	map->ctx = ebpfnet_ctx_ref(call->ctx);
	map->fd = fd;
	map->owned = true;
	ret = ebpfnet__info_by_fd(fd, &info, sizeof(info));
	if (ret) {
		ebpfnet_map_close(map);
		return ebpfnet__fail(call, ret, 0, "info: %s", ebpfnet_strerror(ret));
	}
	ebpfnet__map_shape(map, &info);
	snprintf(map->name, sizeof(map->name), "%s", info.name);
	*out = map;
	return 0;
}

int ebpfnet_map_open_pinned(struct ebpfnet_ctx *ctx, const char *path, struct ebpfnet_map **map,
			    struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "open pinned map %s", path);
	int fd;

	*map = NULL;
	fd = ebpfnet__pin_get(&call, path, EBPFNET__NOUN_MAP);
	return fd < 0 ? fd : open_owned(&call, fd, map);
}

int ebpfnet_map_open_id(struct ebpfnet_ctx *ctx, uint32_t id, struct ebpfnet_map **map,
			struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "open map %u", id);
	int fd;

	*map = NULL;
	fd = ebpfnet__fd_safe(bpf_map_get_fd_by_id(id));
	if (fd < 0) {
		int ret = -errno;

		if (ret == -EPERM)
			ebpfnet__hint(&call, "CAP_SYS_ADMIN (or root)");
		return ebpfnet__fail(&call, ret, 0, "%s", ebpfnet_strerror(ret));
	}
	return open_owned(&call, fd, map);
}

int ebpfnet_map_open_fd(struct ebpfnet_ctx *ctx, int fd, struct ebpfnet_map **map,
			struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "adopt map fd %d", fd);
	int dup;

	*map = NULL;
	dup = ebpfnet__fd_adopt(&call, fd, EBPFNET__NOUN_MAP);
	return dup < 0 ? dup : open_owned(&call, dup, map);
}

void ebpfnet_map_close(struct ebpfnet_map *map)
{
	if (!map || !map->owned)
		return;
	close(map->fd);
	free(map->sums);
	ebpfnet_ctx_unref(map->ctx);
	free(map);
}
