// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/record.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/netns.h"
#include "load/pin.h"

#define RECORD_NAME "ebpfnet_record"
#define RECORD_MAGIC 0x6e66626c /* "lbfn" */
#define RECORD_VERSION 1
#define RECORD_SUFFIX "-record"

static int write_record(struct ebpfnet__call *call, const struct ebpfnet_link *link, int prog_fd)
{
	struct ebpfnet__record record = {
		.magic = RECORD_MAGIC,
		.abi_version = RECORD_VERSION,
		.kind = link->kind,
		.via = link->via,
		.hook = link->hook,
		.mode = link->mode,
		.flags = link->flags,
		.ifindex = (uint32_t)link->ifindex,
		.prog_id = ebpfnet__program_id(prog_fd),
		/* A cgroup or a map is the same in every namespace. */
		.netns = link->target ? 0 : ebpfnet__netns_inode(link->netns_fd),
		.target = link->target,
		.priority = link->priority,
		.handle = link->handle,
	};
	uint32_t zero = 0;

	if (bpf_map_update_elem(link->record_fd, &zero, &record, BPF_ANY) == 0)
		return 0;
	return ebpfnet__fail(call, -errno, 0, "record: %s", ebpfnet_strerror(errno));
}

int ebpfnet__record_new(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd)
{
	link->record_fd =
		ebpfnet__fd_safe(bpf_map_create(BPF_MAP_TYPE_ARRAY, RECORD_NAME, sizeof(uint32_t),
						sizeof(struct ebpfnet__record), 1, NULL));
	if (link->record_fd >= 0)
		return write_record(call, link, prog_fd);
	link->record_fd = -1;
	return ebpfnet__fail(call, -errno, 0, "record: %s", ebpfnet_strerror(errno));
}

static int suffixed(struct ebpfnet__call *call, const char *path, const char *suffix,
		    char out[PATH_MAX])
{
	if (snprintf(out, PATH_MAX, "%s%s", path, suffix) >= PATH_MAX)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "the path is too long");
	return 0;
}

int ebpfnet__record_pin(struct ebpfnet__call *call, struct ebpfnet_link *link, const char *path)
{
	char beside[PATH_MAX];
	int ret = suffixed(call, path, RECORD_SUFFIX, beside);

	if (ret == 0 && link->record_fd < 0)
		ret = ebpfnet__record_new(call, link, link->prog_fd);
	if (ret == 0)
		ret = ebpfnet__pin_fd(call, link->record_fd, beside);
	if (ret)
		return ret;
	/* The program last: whoever finds it finds the record too. */
	ret = ebpfnet__pin_fd(call, link->prog_fd, path);
	if (ret)
		unlink(beside);
	return ret;
}

int ebpfnet__record_unpin(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	char beside[PATH_MAX];
	int ret = suffixed(call, link->pin, RECORD_SUFFIX, beside);

	if (ret == 0)
		ret = ebpfnet__pin_remove(call, link->pin);
	if (ret == 0)
		ret = ebpfnet__pin_remove(call, beside);
	return ret;
}

int ebpfnet__record_update(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd)
{
	char next[PATH_MAX];
	int ret;

	if (link->record_fd < 0)
		return 0;
	ret = write_record(call, link, prog_fd);
	if (ret || !link->pin)
		return ret;
	ret = suffixed(call, link->pin, "-next", next);
	if (ret)
		return ret;
	unlink(next); /* of a process that died between the two steps below */
	if (bpf_obj_pin(prog_fd, next) < 0 || rename(next, link->pin) < 0)
		return ebpfnet__fail(call, -errno, 0,
				     "the new program is attached, but its pin %s "
				     "still holds the old one: %s",
				     link->pin, ebpfnet_strerror(errno));
	return 0;
}

static bool is_record(int fd)
{
	struct bpf_map_info info = { 0 };

	return ebpfnet__fd_noun(fd) == EBPFNET__NOUN_MAP &&
	       ebpfnet__info_by_fd(fd, &info, sizeof(info)) == 0 &&
	       strcmp(info.name, RECORD_NAME) == 0 &&
	       info.value_size == sizeof(struct ebpfnet__record);
}

/* Returns the record's fd, or fails the call. */
static int read_record(struct ebpfnet__call *call, const char *path, struct ebpfnet__record *record)
{
	CLEANUP(fd) int fd = -1;
	uint32_t zero = 0;
	char beside[PATH_MAX];
	int ret = suffixed(call, path, RECORD_SUFFIX, beside);

	if (ret)
		return ret;
	fd = ebpfnet__fd_safe(bpf_obj_get(beside));
	if (fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "a program is pinned there, and no record of an attachment is "
				     "beside it");
	if (!is_record(fd) || bpf_map_lookup_elem(fd, &zero, record) < 0 ||
	    record->magic != RECORD_MAGIC || record->abi_version != RECORD_VERSION)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "%s is not a record of this version (%u)", beside,
				     RECORD_VERSION);
	return TAKE_FD(fd);
}

/* An update that was cut short has written the record and left the old program's pin. */
static void follow_record(struct ebpfnet_link *link, uint32_t prog_id)
{
	int fd;

	if (ebpfnet__program_id(link->prog_fd) == prog_id)
		return;
	fd = ebpfnet__fd_safe(bpf_prog_get_fd_by_id(prog_id));
	if (fd < 0)
		return;
	close(link->prog_fd);
	link->prog_fd = fd;
}

int ebpfnet__record_open(struct ebpfnet__call *call, int prog_fd, const char *path, int netns_fd,
			 struct ebpfnet__record *record, struct ebpfnet_link **out)
{
	CLEANUP(link) struct ebpfnet_link *link = ebpfnet__link_new(call, 0, 0, netns_fd);

	if (!link) {
		close(prog_fd);
		return ebpfnet_error_code(call->error);
	}
	link->prog_fd = prog_fd;
	link->record_fd = read_record(call, path, record);
	if (link->record_fd < 0)
		return link->record_fd;
	if (record->netns && record->netns != ebpfnet__netns_inode(netns_fd)) {
		ebpfnet__hint(call, "give the namespace as netns_fd");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "it was attached in another network namespace");
	}
	follow_record(link, record->prog_id);
	link->kind = record->kind;
	link->via = record->via;
	link->hook = record->hook;
	link->mode = record->mode;
	link->flags = record->flags;
	link->ifindex = (int)record->ifindex;
	link->target = record->target;
	link->priority = record->priority;
	link->handle = record->handle;
	*out = TAKE(link);
	return 0;
}

int ebpfnet__record_defunct(struct ebpfnet__call *call, const char *path, const char *why)
{
	ebpfnet__hint(call, "remove the pins %s and %s%s", path, path, RECORD_SUFFIX);
	return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT, "%s", why);
}

uint32_t ebpfnet__record_id(int record_fd)
{
	struct bpf_map_info info = { 0 };

	if (record_fd < 0)
		return 0;
	return ebpfnet__info_by_fd(record_fd, &info, sizeof(info)) ? 0 : info.id;
}

int ebpfnet__record_held(uint32_t id)
{
	CLEANUP(fd) int fd = ebpfnet__fd_safe(bpf_map_get_fd_by_id(id));

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return is_record(fd);
}
