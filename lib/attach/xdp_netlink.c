// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * XDP over netlink: the attachment belongs to the interface, not to a process. What a bpf_link
 * keeps by itself is kept here in a record beside the pinned program: a one-entry map, because a
 * bpffs holds nothing else.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "attach/link.h"
#include "attach/netns.h"
#include "attach/rtnl.h"
#include "load/pin.h"

#define RECORD_MAGIC 0x6e66626c /* "lbfn" */
#define RECORD_VERSION 1
#define RECORD_SUFFIX "-record"

/* A pinned layout: only ever extended, under a new version. */
struct record {
	uint32_t magic;
	uint32_t abi_version;
	uint32_t ifindex;
	uint32_t flags; /* XDP_FLAGS_*_MODE */
	uint64_t netns; /* inode */
	uint32_t prog_id;
	uint32_t reserved;
};

static uint32_t id_in_mode(const struct ebpfnet__interface *i, uint32_t flags)
{
	if (flags & XDP_FLAGS_SKB_MODE)
		return i->xdp_generic;
	return flags & XDP_FLAGS_HW_MODE ? i->xdp_offload : i->xdp_native;
}

/* Which program the interface runs in this link's mode; 0 none, and also if the interface is gone.
 */
static int look(struct ebpfnet__call *call, const struct ebpfnet_link *link, uint32_t *prog_id,
		bool *gone)
{
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	struct ebpfnet__interface interface;
	int ret = ebpfnet__rtnl_open(call, link->netns_fd, &rtnl);

	*prog_id = 0;
	*gone = false;
	if (ret)
		return ret;
	ret = ebpfnet__rtnl_interface(&rtnl, link->ifindex, &interface);
	if (ret == -ENODEV) {
		*gone = true;
		return 0;
	}
	if (ret)
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	*prog_id = id_in_mode(&interface, link->flags);
	return 0;
}

/* Sets or (fd -1) clears the program; expected_fd -1 takes whatever is there. */
static int set(struct ebpfnet__call *call, struct ebpfnet_link *link, int fd, int expected_fd)
{
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	uint32_t flags = link->flags | (expected_fd < 0 ? 0 : XDP_FLAGS_REPLACE);
	int ret = ebpfnet__rtnl_open(call, link->netns_fd, &rtnl);

	if (ret)
		return ret;
	ret = ebpfnet__rtnl_xdp_set(&rtnl, link->ifindex, fd, flags, expected_fd);
	ebpfnet__note_extack(call, rtnl.extack);
	switch (ret) {
	case 0:
		return 0;
	case -EEXIST:
		return ebpfnet__fail(call, -ESTALE, EBPFNET_ERROR_STALE,
				     "another program than the expected one is attached");
	case -ENODEV:
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     "the interface is gone");
	case -EBUSY:
		return ebpfnet__fail(call, ret, EBPFNET_ERROR_BUSY,
				     "the interface's program is held by a bpf_link now");
	case -EINVAL:
		return ebpfnet__fail(call, ret, EBPFNET_ERROR_INCOMPATIBLE, "%s",
				     rtnl.extack[0] ? rtnl.extack : "the program does not fit");
	default:
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	}
}

static int record_map(struct ebpfnet__call *call, const struct ebpfnet_link *link, int prog_fd)
{
	struct record record = {
		.magic = RECORD_MAGIC,
		.abi_version = RECORD_VERSION,
		.ifindex = (uint32_t)link->ifindex,
		.flags = link->flags,
		.netns = ebpfnet__netns_inode(link->netns_fd),
		.prog_id = ebpfnet__program_id(prog_fd),
	};
	uint32_t zero = 0;
	int fd = ebpfnet__fd_safe(bpf_map_create(BPF_MAP_TYPE_ARRAY, "xdp_record", sizeof(zero),
						 sizeof(record), 1, NULL));

	if (fd >= 0 && bpf_map_update_elem(fd, &zero, &record, BPF_ANY) == 0)
		return fd;
	ebpfnet__fail(call, -errno, 0, "record: %s", ebpfnet_strerror(errno));
	if (fd >= 0)
		close(fd);
	return ebpfnet_error_code(call->error);
}

static int record_path(struct ebpfnet__call *call, const char *path, char out[PATH_MAX])
{
	if (snprintf(out, PATH_MAX, "%s%s", path, RECORD_SUFFIX) >= PATH_MAX)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "the path is too long");
	return 0;
}

static int pin(struct ebpfnet__call *call, struct ebpfnet_link *link, const char *path)
{
	CLEANUP(fd) int map = record_map(call, link, link->prog_fd);
	char beside[PATH_MAX];
	int ret;

	if (map < 0)
		return map;
	ret = record_path(call, path, beside);
	if (ret == 0)
		ret = ebpfnet__pin_fd(call, map, beside);
	if (ret)
		return ret;
	/* The program last: whoever finds it finds the record too. */
	ret = ebpfnet__pin_fd(call, link->prog_fd, path);
	if (ret)
		unlink(beside);
	return ret;
}

static int unpin(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	char beside[PATH_MAX];
	int ret = record_path(call, link->pin, beside);

	if (ret == 0)
		ret = ebpfnet__pin_remove(call, link->pin);
	if (ret == 0)
		ret = ebpfnet__pin_remove(call, beside);
	return ret;
}

/* The pinned program and record follow an update: new record and program, then the old ones go. */
static int repin(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd)
{
	CLEANUP(fd) int map = record_map(call, link, prog_fd);
	char beside[PATH_MAX], next[PATH_MAX];
	int ret;

	if (map < 0)
		return map;
	ret = record_path(call, link->pin, beside);
	if (ret)
		return ret;
	if (snprintf(next, sizeof(next), "%s-next", link->pin) >= (int)sizeof(next))
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "the path is too long");
	unlink(next); /* of a process that died between the two steps below */
	if (bpf_obj_pin(map, next) < 0 || rename(next, beside) < 0 ||
	    bpf_obj_pin(prog_fd, next) < 0 || rename(next, link->pin) < 0)
		return ebpfnet__fail(call, -errno, 0,
				     "the new program is attached, but its pin %s "
				     "still holds the old one: %s",
				     link->pin, ebpfnet_strerror(errno));
	return 0;
}

static int update(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd,
		  int expected_fd)
{
	uint32_t now;
	bool gone;
	int ret = look(call, link, &now, &gone);

	if (ret)
		return ret;
	if (gone || now == 0)
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     gone ? "the interface is gone"
					  : "the interface has no program any more");
	/* "Any" is still only ours to replace while some program is there: compare with that one.
	 */
	if (expected_fd < 0)
		expected_fd = now == ebpfnet__program_id(link->prog_fd) ? link->prog_fd : -1;
	ret = set(call, link, prog_fd, expected_fd);
	if (ret || !link->pin)
		return ret;
	return repin(call, link, prog_fd);
}

static int detach(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	int ret = set(call, link, -1, link->prog_fd);

	/* A device that is gone has no program any more: that is what was asked for. */
	if (ret == -ENOLINK) {
		ebpfnet__call_clear(call);
		return 0;
	}
	return ret;
}

static int info(struct ebpfnet__call *call, const struct ebpfnet_link *link,
		struct ebpfnet_link_info *out)
{
	bool gone;
	int ret = look(call, link, &out->program_id, &gone);

	if (ret)
		return ret;
	out->ifindex = gone ? 0 : (uint32_t)link->ifindex;
	out->defunct = gone || out->program_id == 0;
	return 0;
}

const struct ebpfnet__link_way ebpfnet__way_xdp_netlink = {
	.update = update,
	.detach = detach,
	.info = info,
	.pin = pin,
	.unpin = unpin,
	.by_fd = false,
};

static int read_record(struct ebpfnet__call *call, const char *path, struct record *record)
{
	uint32_t zero = 0;
	char beside[PATH_MAX];
	int fd, ret = record_path(call, path, beside);

	if (ret)
		return ret;
	fd = bpf_obj_get(beside);
	if (fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "a program is pinned there, and no record of an attachment is "
				     "beside it");
	memset(record, 0, sizeof(*record));
	ret = ebpfnet__fd_noun(fd) == EBPFNET__NOUN_MAP ? bpf_map_lookup_elem(fd, &zero, record)
							: -1;
	close(fd);
	if (ret < 0 || record->magic != RECORD_MAGIC || record->abi_version != RECORD_VERSION)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "%s is not a record of this version (%u)", beside,
				     RECORD_VERSION);
	return 0;
}

int ebpfnet__xdp_open_record(struct ebpfnet__call *call, int prog_fd, const char *path,
			     int netns_fd, struct ebpfnet_link **out)
{
	CLEANUP(link)
	struct ebpfnet_link *link = ebpfnet__link_new(call, EBPFNET_LINK_XDP, 0, netns_fd);
	struct record record;
	uint32_t now;
	bool gone;
	int ret;

	if (!link) {
		close(prog_fd);
		return ebpfnet_error_code(call->error);
	}
	link->prog_fd = prog_fd;
	ret = read_record(call, path, &record);
	if (ret)
		return ret;
	if (record.netns != ebpfnet__netns_inode(netns_fd)) {
		ebpfnet__hint(call, "give the namespace as netns_fd");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "it was attached in another network namespace");
	}
	link->way = &ebpfnet__way_xdp_netlink;
	link->via = EBPFNET_VIA_NETLINK;
	link->flags = record.flags;
	link->ifindex = (int)record.ifindex;
	link->mode = record.flags & XDP_FLAGS_SKB_MODE	? EBPFNET_XDP_GENERIC
		     : record.flags & XDP_FLAGS_HW_MODE ? EBPFNET_XDP_OFFLOAD
							: EBPFNET_XDP_NATIVE;
	ret = look(call, link, &now, &gone);
	if (ret)
		return ret;
	if (now != record.prog_id) {
		ebpfnet__hint(call, "remove the pins %s and %s%s", path, path, RECORD_SUFFIX);
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     gone ? "its interface is gone"
					  : "its interface no longer runs that program");
	}
	*out = TAKE(link);
	return 0;
}
