// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/mprog.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "attach/netns.h"
#include "core/uapi.h"
#include "load/object.h"
#include "load/pin.h"

/* Asked for first; a hook with more (63 at most, measured on 6.18) says ENOSPC and how many. */
#define ENTRIES 16

int ebpfnet__mprog_check(struct ebpfnet__call *call, const struct ebpfnet__mprog_place *place)
{
	int given = !!place->link + !!place->program + !!place->link_id + !!place->program_id;
	bool wanted =
		place->anchor == EBPFNET_ANCHOR_BEFORE || place->anchor == EBPFNET_ANCHOR_AFTER;

	if (place->anchor > EBPFNET_ANCHOR_AFTER)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "anchor %u is not of enum ebpfnet_anchor", place->anchor);
	if (given != wanted) {
		ebpfnet__hint(call, "set one of the anchor_ fields for BEFORE and AFTER, and none "
				    "for FIRST and LAST");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "%d anchors are given, and this place in the order takes %d",
				     given, wanted);
	}
	if (place->program && place->program->fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the anchor, program %s, is not loaded", place->program->name);
	return 0;
}

static int create(const struct ebpfnet_program *prog, const struct ebpfnet__mprog_hook *hook,
		  const struct ebpfnet__mprog_place *place)
{
	LIBBPF_OPTS(bpf_link_create_opts, o);

	/* Without an anchor the kernel takes "before" as before all, and nothing as after all. */
	if (place->anchor == EBPFNET_ANCHOR_FIRST || place->anchor == EBPFNET_ANCHOR_BEFORE)
		o.flags |= EBPFNET__BPF_F_BEFORE;
	if (place->anchor == EBPFNET_ANCHOR_AFTER)
		o.flags |= EBPFNET__BPF_F_AFTER;
	if (place->link || place->link_id)
		o.flags |= EBPFNET__BPF_F_LINK;
	/* libbpf lays TCX and netkit out alike, as the kernel does. */
	if (place->link)
		o.tcx.relative_fd = (__u32)place->link->fd;
	else if (place->program)
		o.tcx.relative_fd = (__u32)place->program->fd;
	o.tcx.relative_id = place->link_id | place->program_id;
	o.tcx.expected_revision = place->expected_revision;
	return bpf_link_create(prog->fd, hook->ifindex, (enum bpf_attach_type)hook->attach_type,
			       &o);
}

static int ask(const struct ebpfnet__mprog_hook *hook, struct ebpfnet__mprog_entries *e,
	       uint32_t room)
{
	LIBBPF_OPTS(bpf_prog_query_opts, o);
	uint32_t *arrays = reallocarray(e->programs, 2 * (size_t)room, sizeof(*arrays));
	int ret;

	if (!arrays)
		return -ENOMEM;
	memset(arrays, 0, 2 * (size_t)room * sizeof(*arrays));
	e->programs = arrays;
	e->links = arrays + room;
	o.prog_ids = e->programs;
	o.link_ids = e->links;
	o.count = room;
	ret = bpf_prog_query_opts(hook->ifindex, (enum bpf_attach_type)hook->attach_type, &o)
		      ? -errno
		      : 0;
	e->count = o.count;
	e->revision = o.revision;
	return ret;
}

/* In the namespace where this thread is. Returns 0 or -errno, and then there are no entries. */
static int read_here(const struct ebpfnet__mprog_hook *hook, struct ebpfnet__mprog_entries *e)
{
	int ret = ask(hook, e, ENTRIES);

	/* It may grow while we look. */
	for (int i = 0; i < 4 && ret == -ENOSPC; i++)
		ret = ask(hook, e, e->count + ENTRIES);
	if (ret)
		e->count = 0;
	return ret;
}

int ebpfnet__mprog_attach(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
			  const struct ebpfnet__mprog_hook *hook,
			  const struct ebpfnet__mprog_place *place, struct ebpfnet_link *link,
			  struct ebpfnet__mprog_entries *now)
{
	struct ebpfnet__netns stay;
	int ret = ebpfnet__netns_enter(call, hook->netns_fd, &stay);

	if (ret)
		return ret;
	link->fd = ebpfnet__fd_safe(create(prog, hook, place));
	ret = link->fd < 0 ? -errno : 0;
	if (ret)
		read_here(hook, now);
	return ebpfnet__netns_leave(call, &stay, ret);
}

int ebpfnet__mprog_read(struct ebpfnet__call *call, const struct ebpfnet__mprog_hook *hook,
			struct ebpfnet__mprog_entries *out)
{
	struct ebpfnet__netns stay;
	int ret = ebpfnet__netns_enter(call, hook->netns_fd, &stay);

	if (ret)
		return ret;
	ret = read_here(hook, out);
	return ebpfnet__netns_leave(call, &stay, ret);
}

void ebpfnet__mprog_label(const struct ebpfnet__mprog_place *place, char *label, size_t size)
{
	struct bpf_link_info info = { 0 };

	if (place->program)
		ebpfnet__program_label(ebpfnet__program_id(place->program->fd), label, size);
	else if (place->program_id)
		ebpfnet__program_label(place->program_id, label, size);
	else if (place->link && ebpfnet__info_by_fd(place->link->fd, &info, sizeof(info)) == 0)
		snprintf(label, size, "link %u", info.id);
	else
		snprintf(label, size, "link %u", place->link_id);
}

static int fail_twice(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
		      const struct ebpfnet__mprog_entries *now)
{
	uint32_t id = ebpfnet__program_id(prog->fd), link = 0;
	char label[64];

	for (uint32_t i = 0; i < now->count; i++)
		if (now->programs[i] == id)
			link = now->links[i];
	ebpfnet__program_label(id, label, sizeof(label));
	ebpfnet__hint(call, "a hook takes a program once: load its object again to run it twice");
	if (link)
		return ebpfnet__fail(call, -EEXIST, EBPFNET_ERROR_BUSY,
				     "%s is on this hook already, by link %u", label, link);
	return ebpfnet__fail(call, -EEXIST, EBPFNET_ERROR_BUSY, "%s is on this hook already",
			     label);
}

int ebpfnet__mprog_fail(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
			const struct ebpfnet__mprog_place *place,
			const struct ebpfnet__mprog_entries *now, int code)
{
	char label[64];

	switch (code) {
	case -ENOENT:
		ebpfnet__mprog_label(place, label, sizeof(label));
		ebpfnet__hint(call, "a query of the hook lists what is");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_FOUND,
				     "the anchor, %s, is not on this hook", label);
	case -EEXIST:
		return fail_twice(call, prog, now);
	case -ESTALE:
		ebpfnet__hint(call, "query the hook again and decide again");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_STALE,
				     "the hook is at revision %" PRIu64 ", not %" PRIu64
				     ": something was attached, detached or updated",
				     now->revision, place->expected_revision);
	case -ERANGE:
		ebpfnet__hint(call, "detach one of them");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_BUSY,
				     "the hook has %u programs, all that it takes", now->count);
	case -ENODEV:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_FOUND,
				     "the interface went away");
	case -EPERM:
		ebpfnet__hint(call, "CAP_NET_ADMIN in the namespace of the interface, and CAP_BPF");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_PERMISSION, "%s",
				     ebpfnet_strerror(code));
	default:
		return ebpfnet__fail(call, code, code == -EINVAL ? EBPFNET_ERROR_INVALID : 0, "%s",
				     ebpfnet_strerror(code));
	}
}
