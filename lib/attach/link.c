// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The life of a link, the same for every hook. */
#include "attach/link.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/cgroup.h"
#include "attach/netns.h"
#include "attach/record.h"
#include "attach/rtnl_lwt.h"
#include "attach/sockmap.h"
#include "core/opts.h"
#include "load/object.h"
#include "load/pin.h"

/* How often an update that lost a race for the old program is tried again. */
#define UPDATE_TRIES 64

int ebpfnet_link_info(const struct ebpfnet_link *link, struct ebpfnet_link_info *out,
		      struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, link->ctx, err, "link info");
	struct ebpfnet_link_info info = { 0 };
	int ret;

	info.kind = link->kind;
	info.via = link->via;
	info.mode = link->mode;
	info.hook = link->hook;
	info.family = link->family;
	info.priority = link->priority;
	info.handle = link->handle;
	info.netns_inode = link->netns_inode;
	info.pinned = link->pin != NULL;
	ret = link->way->info(&call, link, &info);
	if (ret)
		return ret;
	if (EBPFNET__OUT_FILL(out, &info))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID, "sz is not set");
	return 0;
}

/* Sees which program is attached now, as an fd that this handle keeps. */
static int refresh_program(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	struct ebpfnet_link_info info = { 0 };
	int ret = link->way->info(call, link, &info);
	int fd;

	if (ret)
		return ret;
	if (link->prog_fd >= 0 && ebpfnet__program_id(link->prog_fd) == info.program_id)
		return 0;
	if (info.program_id == 0)
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     "nothing is attached there any more");
	fd = ebpfnet__fd_safe(bpf_prog_get_fd_by_id(info.program_id));
	if (fd < 0) {
		ebpfnet__hint(call, "give NULL for old, or run with CAP_SYS_ADMIN");
		return ebpfnet__fail(call, -errno, 0, "the old program %u: %s", info.program_id,
				     ebpfnet_strerror(errno));
	}
	if (link->prog_fd >= 0)
		close(link->prog_fd);
	link->prog_fd = fd;
	return 0;
}

/*
 * Replaces the program and says which one it was. Only a compare-and-swap against the program that
 * will be handed out can say that truthfully, so a lost race looks again and repeats.
 */
static int update_known(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd)
{
	int ret = -ESTALE;

	for (int i = 0; i < UPDATE_TRIES && ret == -ESTALE; i++) {
		ebpfnet__call_clear(call);
		ret = refresh_program(call, link);
		if (ret == 0)
			ret = link->way->update(call, link, prog_fd, link->prog_fd);
	}
	return ret;
}

static void replace_fd(int *fd, int with)
{
	if (*fd >= 0)
		close(*fd);
	*fd = with;
}

int ebpfnet_link_update(struct ebpfnet_link *link, const struct ebpfnet_program *prog,
			const struct ebpfnet_link_update_opts *opts, struct ebpfnet_program **old,
			struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, link->ctx, err, "update link to %s", prog->name);
	CLEANUP(fd) int next = -1, expected = -1;
	struct ebpfnet_error *inner = NULL;
	struct ebpfnet_link_update_opts o;
	int ret = EBPFNET__OPTS_COPY(&call, opts, &o);

	if (old)
		*old = NULL;
	if (ret)
		return ret;
	if (prog->fd < 0 || (o.expected && o.expected->fd < 0))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the program is not loaded");
	if (link->detached)
		return ebpfnet__fail(&call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     "the link was detached");
	if (o.expected && link->way->no_compare) {
		ebpfnet__hint(&call, "look with ebpfnet_link_info(), then update without expected");
		return ebpfnet__fail(&call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "the kernel has no compare-and-swap for what is attached in "
				     "this way");
	}
	/* What this handle will keep, before anything is changed. */
	next = ebpfnet__fd_dup(prog->fd);
	expected = o.expected ? ebpfnet__fd_dup(o.expected->fd) : -1;
	if (next < 0 || (o.expected && expected < 0))
		return ebpfnet__fail(&call, next < 0 ? next : expected, 0, "%s",
				     ebpfnet_strerror(next < 0 ? next : expected));
	if (old && !o.expected)
		ret = update_known(&call, link, prog->fd);
	else
		ret = link->way->update(&call, link, prog->fd, expected);
	if (ret)
		return ret;
	if (o.expected) /* what was replaced is what was expected */
		replace_fd(&link->prog_fd, TAKE_FD(expected));
	if (old && ebpfnet_program_open_fd(link->ctx, link->prog_fd, old, &inner) < 0)
		ret = ebpfnet__fail_from(&call, inner);
	replace_fd(&link->prog_fd, TAKE_FD(next));
	return ret;
}

int ebpfnet_link_pin(struct ebpfnet_link *link, const char *path, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, link->ctx, err, "pin link at %s", path);
	char full[PATH_MAX];
	char *copy;
	int ret;

	if (link->pin) {
		ebpfnet__hint(&call, "ebpfnet_link_unpin() first");
		return ebpfnet__fail(&call, -EBUSY, EBPFNET_ERROR_BUSY, "it is pinned at %s",
				     link->pin);
	}
	if (link->detached)
		return ebpfnet__fail(&call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     "the link was detached");
	ret = ebpfnet__pin_path(
		&call, path,
		link->netns_inode ? link->netns_inode : ebpfnet__netns_inode(link->netns_fd), full);
	if (ret)
		return ret;
	copy = strdup(full);
	if (!copy)
		return ebpfnet__fail_nomem(&call);
	ret = link->way->pin(&call, link, full);
	if (ret) {
		free(copy);
		return ret;
	}
	link->pin = copy;
	return 0;
}

int ebpfnet_link_unpin(struct ebpfnet_link *link, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, link->ctx, err, "unpin link");
	int ret;

	if (!link->pin)
		return ebpfnet__fail(&call, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "it is not pinned");
	ret = link->way->unpin(&call, link);
	if (ret)
		return ret;
	free(link->pin);
	link->pin = NULL;
	return 0;
}

/* Takes the fd, also after a failure. */
static int open_bpf_link(struct ebpfnet__call *call, int fd, int netns_fd,
			 struct ebpfnet_link **out)
{
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	struct bpf_link_info info = { 0 };
	int ret = ebpfnet__info_by_fd(fd, &info, sizeof(info));

	if (ret) {
		close(fd);
		return ebpfnet__fail(call, ret, 0, "link info: %s", ebpfnet_strerror(ret));
	}
	link = ebpfnet__link_new(call, EBPFNET_LINK_OTHER, 0, netns_fd);
	if (!link) {
		close(fd);
		return -ENOMEM;
	}
	link->fd = fd;
	link->way = &ebpfnet__way_bpf_link;
	ebpfnet__bpf_link_facts(&info, link);
	/* The kernel knows the namespace: a descriptor here would keep it alive for ever. */
	if (link->netns_inode && link->netns_fd > 0) {
		close(link->netns_fd);
		link->netns_fd = 0;
	}
	if (link->kind == EBPFNET_LINK_XDP)
		link->mode = ebpfnet__xdp_mode_of(call, netns_fd, link->ifindex, info.prog_id);
	*out = TAKE(link);
	return 0;
}

static const struct ebpfnet__link_way *way_of_record(const struct ebpfnet_link *link)
{
	switch (link->kind) {
	case EBPFNET_LINK_XDP:
		return &ebpfnet__way_xdp_netlink;
	case EBPFNET_LINK_TC:
		return &ebpfnet__way_clsact;
	case EBPFNET_LINK_CGROUP:
		return &ebpfnet__way_cgroup_prog;
	case EBPFNET_LINK_LWT:
		return &ebpfnet__way_lwt;
	case EBPFNET_LINK_SOCKMAP:
		return &ebpfnet__way_sockmap_prog;
	default:
		return NULL;
	}
}

/* What is not there any more of a pinned record. */
static const char *lost(const struct ebpfnet_link *link, const struct ebpfnet_link_info *info)
{
	switch (link->kind) {
	case EBPFNET_LINK_CGROUP:
		return info->cgroup_id ? "its cgroup no longer has that program"
				       : "its cgroup is gone";
	case EBPFNET_LINK_LWT:
		return "its route is gone or has another program";
	case EBPFNET_LINK_SOCKMAP:
		return "its map no longer has that program";
	default:
		return info->ifindex ? "its interface no longer runs that program"
				     : "its interface is gone";
	}
}

/* A pinned program with a record beside it. Takes the fd, also after a failure. */
static int open_record(struct ebpfnet__call *call, int prog_fd, const char *path, int netns_fd,
		       struct ebpfnet_link **out)
{
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	struct ebpfnet_link_info info = { 0 };
	struct ebpfnet__record record;
	int ret = ebpfnet__record_open(call, prog_fd, path, netns_fd, &record, &link);

	if (ret)
		return ret;
	link->way = way_of_record(link);
	if (!link->way)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "a record of kind %u, which this version does not open",
				     record.kind);
	if (link->kind == EBPFNET_LINK_CGROUP)
		ret = ebpfnet__cgroup_reopen(call, link, path);
	else if (link->kind == EBPFNET_LINK_SOCKMAP)
		ret = ebpfnet__sockmap_reopen(call, link, path);
	if (ret == 0)
		ret = link->way->info(call, link, &info);
	if (ret)
		return ret;
	if (info.program_id != record.prog_id)
		return ebpfnet__record_defunct(call, path, lost(link, &info));
	*out = TAKE(link);
	return 0;
}

int ebpfnet_link_open_pinned(struct ebpfnet_ctx *ctx, const char *path,
			     const struct ebpfnet_link_open_opts *opts, struct ebpfnet_link **out,
			     struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "open pinned link %s", path);
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	struct ebpfnet_link_open_opts o;
	char full[PATH_MAX];
	int fd, ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0)
		ret = ebpfnet__netns_check(&call, o.netns_fd);
	if (ret == 0)
		ret = ebpfnet__pin_path(&call, path, ebpfnet__netns_inode(o.netns_fd), full);
	if (ret)
		return ret;
	fd = ebpfnet__pin_get(&call, full, EBPFNET__NOUN_OTHER);
	if (fd < 0)
		return fd;
	switch (ebpfnet__fd_noun(fd)) {
	case EBPFNET__NOUN_LINK:
		ret = open_bpf_link(&call, fd, o.netns_fd, &link);
		break;
	case EBPFNET__NOUN_PROGRAM:
		ret = open_record(&call, fd, full, o.netns_fd, &link);
		break;
	default:
		close(fd);
		ret = ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				    "a map is pinned there, not a link");
	}
	if (ret)
		return ret;
	link->pin = strdup(full);
	if (!link->pin)
		return ebpfnet__fail_nomem(&call);
	*out = TAKE(link);
	return 0;
}

int ebpfnet_link_open_fd(struct ebpfnet_ctx *ctx, int fd, struct ebpfnet_link **link,
			 struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "adopt link fd %d", fd);
	int dup;

	*link = NULL;
	dup = ebpfnet__fd_adopt(&call, fd, EBPFNET__NOUN_LINK);
	return dup < 0 ? dup : open_bpf_link(&call, dup, 0, link);
}

int ebpfnet_link_detach(struct ebpfnet_link *link, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, link->ctx, err, "detach link");
	int ret;

	if (link->detached)
		return 0;
	if (link->owner != getpid()) {
		ebpfnet__hint(&call, "detach in the process that attached, or open the pin here");
		return ebpfnet__fail(&call, -EPERM, EBPFNET_ERROR_INVALID,
				     "a forked child does not detach what its parent attached");
	}
	ret = link->way->detach(&call, link);
	if (ret == 0)
		link->detached = true;
	return ret;
}

int ebpfnet_link_fd(const struct ebpfnet_link *link)
{
	return link->fd < 0 ? -EBADF : link->fd;
}

void ebpfnet_link_close(struct ebpfnet_link *link)
{
	if (!link)
		return;
	if (!link->way->by_fd && !link->pin && !link->detached && link->owner == getpid()) {
		EBPFNET__CALL(call, link->ctx, NULL, "close link");

		link->way->detach(&call, link);
	}
	ebpfnet__link_free(link);
}
