// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Sockmap programs by BPF_PROG_ATTACH: the attachment belongs to the map. The map drops it when its
 * last descriptor and pin go, also while a loaded program still uses the map
 * (sock_map_release_progs): the handle holds a descriptor of it, and a pin of the attachment is three
 * files, the map among them.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

#include "attach/link.h"
#include "attach/record.h"
#include "attach/sockmap.h"
#include "load/pin.h"

#define MAP_SUFFIX "-map"

int ebpfnet__sockmap_query(int map_fd, uint32_t hook, uint32_t *prog_id)
{
	uint32_t ids[1] = { 0 }, count = 1, flags = 0;

	*prog_id = 0;
	if (bpf_prog_query(map_fd, (enum bpf_attach_type)ebpfnet__sockmap_attach_type(hook), 0,
			   &flags, ids, &count))
		return -errno;
	*prog_id = count ? ids[0] : 0;
	return 0;
}

static enum bpf_attach_type type_of(const struct ebpfnet_link *link)
{
	return (enum bpf_attach_type)ebpfnet__sockmap_attach_type(link->hook);
}

static int fail(struct ebpfnet__call *call, int code)
{
	switch (code) {
	case -EBUSY:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_BUSY,
				     "the map's program is held by a bpf_link now");
	case -EINVAL:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_INCOMPATIBLE,
				     "its type is not that of the hook");
	default:
		return ebpfnet__fail(call, code, 0, "%s", ebpfnet_strerror(code));
	}
}

static int update(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd,
		  int expected_fd)
{
	uint32_t now;

	if (expected_fd >= 0) {
		ebpfnet__hint(call, "give NULL for expected and for old, or attach via LINK "
				    "(Linux 6.10)");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "BPF_PROG_ATTACH to a sockmap replaces whatever program is "
				     "there, and cannot compare it");
	}
	if (ebpfnet__sockmap_query(link->target_fd, link->hook, &now) == 0 && now == 0)
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     "the map has no program any more");
	if (bpf_prog_attach(prog_fd, link->target_fd, type_of(link), 0))
		return fail(call, -errno);
	return ebpfnet__record_update(call, link, prog_fd);
}

static int detach(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	char label[64];
	uint32_t now;
	int ret;

	/* The kernel compares: it takes this program away and no other. */
	if (bpf_prog_detach2(link->prog_fd, link->target_fd, type_of(link)) == 0)
		return 0;
	ret = -errno;
	if (ret != -ENOENT)
		return fail(call, ret);
	if (ebpfnet__sockmap_query(link->target_fd, link->hook, &now))
		return ebpfnet__fail(call, -ESTALE, EBPFNET_ERROR_STALE,
				     "another program is attached, or none");
	if (now == 0)
		return 0;
	ebpfnet__program_label(now, label, sizeof(label));
	return ebpfnet__fail(call, -ESTALE, EBPFNET_ERROR_STALE, "%s is attached, and left alone",
			     label);
}

static int info(struct ebpfnet__call *call, const struct ebpfnet_link *link,
		struct ebpfnet_link_info *out)
{
	struct bpf_map_info map = { 0 };
	int ret = ebpfnet__info_by_fd(link->target_fd, &map, sizeof(map));

	if (ret)
		return ebpfnet__fail(call, ret, 0, "the map: %s", ebpfnet_strerror(ret));
	out->map_id = map.id;
	ret = ebpfnet__sockmap_query(link->target_fd, link->hook, &out->program_id);
	/* Before 5.17, or without CAP_NET_ADMIN, the handle knows only what it did itself. */
	if (ret)
		out->program_id = link->detached ? 0 : ebpfnet__program_id(link->prog_fd);
	out->defunct = out->program_id == 0;
	return 0;
}

static int map_path(struct ebpfnet__call *call, const char *path, char out[PATH_MAX])
{
	if (snprintf(out, PATH_MAX, "%s%s", path, MAP_SUFFIX) >= PATH_MAX)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "the path is too long");
	return 0;
}

static int pin(struct ebpfnet__call *call, struct ebpfnet_link *link, const char *path)
{
	char map[PATH_MAX];
	int ret = map_path(call, path, map);

	if (ret == 0)
		ret = ebpfnet__pin_fd(call, link->target_fd, map);
	if (ret)
		return ret;
	ret = ebpfnet__record_pin(call, link, path);
	if (ret)
		unlink(map);
	return ret;
}

static int unpin(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	char map[PATH_MAX];
	int ret = map_path(call, link->pin, map);

	if (ret == 0)
		ret = ebpfnet__record_unpin(call, link);
	if (ret == 0)
		ret = ebpfnet__pin_remove(call, map);
	return ret;
}

const struct ebpfnet__link_way ebpfnet__way_sockmap_prog = {
	.update = update,
	.detach = detach,
	.info = info,
	.pin = pin,
	.unpin = unpin,
	.by_fd = false,
	.no_compare = true,
};

int ebpfnet__sockmap_reopen(struct ebpfnet__call *call, struct ebpfnet_link *link, const char *path)
{
	struct bpf_map_info info = { 0 };
	char map[PATH_MAX];
	uint32_t now;
	int ret = map_path(call, path, map);

	if (ret)
		return ret;
	ret = link->target_fd = ebpfnet__pin_get(call, map, EBPFNET__NOUN_MAP);
	if (ret >= 0)
		ret = ebpfnet__info_by_fd(link->target_fd, &info, sizeof(info));
	if (ret < 0)
		return call->failed ? ret
				    : ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	if (info.id != link->target || ebpfnet__sockmap_attach_type(link->hook) == 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "%s is not the map %llu of its record", map,
				     (unsigned long long)link->target);
	if (ebpfnet__sockmap_query(link->target_fd, link->hook, &now) == 0 &&
	    now != ebpfnet__program_id(link->prog_fd)) {
		ebpfnet__hint(call, "remove the pins %s, %s-record and %s", path, path, map);
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     now ? "its map has another program now"
					 : "its map no longer has that program");
	}
	return 0;
}
