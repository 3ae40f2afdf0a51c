// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A route with programs: it belongs to its routing table, not to a process. The kernel gives no
 * number to find it by; the name that its program came with is ours alone as long as it is there.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "attach/record.h"
#include "attach/rtnl_lwt.h"
#include "load/pin.h"

static void name_of(int prog_fd, char name[EBPFNET__LWT_NAME_MAX])
{
	struct bpf_prog_info info = { 0 };

	ebpfnet__info_by_fd(prog_fd, &info, sizeof(info));
	ebpfnet__lwt_name(info.id, info.name, name);
}

/* The route of a link. Returns 0, -ENOENT untold if it is not there, or fails the call. */
static int find(struct ebpfnet__call *call, const struct ebpfnet_link *link,
		struct ebpfnet__rtnl *rtnl, struct ebpfnet__lwt_route *route)
{
	char name[EBPFNET__LWT_NAME_MAX];
	int ret = ebpfnet__rtnl_open(call, link->netns_fd, rtnl);

	if (ret)
		return ret;
	name_of(link->prog_fd, name);
	ret = ebpfnet__rtnl_lwt_find(rtnl, link->hook, name, route);
	if (ret && ret != -ENOENT)
		return ebpfnet__fail(call, ret, 0, "routes: %s", ebpfnet_strerror(ret));
	return ret;
}

static void close_programs(struct ebpfnet__lwt_route *route)
{
	for (uint32_t hook = 1; hook < EBPFNET__LWT_HOOKS; hook++) {
		if (route->program[hook].fd >= 0)
			close(route->program[hook].fd);
	}
}

#define CLEANUP_PROGRAMS __attribute__((cleanup(close_programs)))

static const struct ebpfnet__lwt_route no_route = {
	.program = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 } },
};

/* Descriptors of a route's programs, as the kernel wants them again. -1 where there is none. */
static void open_programs(const struct ebpfnet_link *link, struct ebpfnet__lwt_route *route)
{
	for (uint32_t hook = 1; hook < EBPFNET__LWT_HOOKS; hook++) {
		uint32_t id = ebpfnet__lwt_name_id(route->program[hook].name);

		if (hook == link->hook)
			route->program[hook].fd = ebpfnet__fd_dup(link->prog_fd);
		else if (id)
			route->program[hook].fd = ebpfnet__fd_safe(bpf_prog_get_fd_by_id(id));
	}
}

static int update(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd,
		  int expected_fd)
{
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	CLEANUP_PROGRAMS struct ebpfnet__lwt_route route = no_route;
	struct bpf_prog_info now = { 0 }, next = { 0 };
	int ret;

	(void)expected_fd; /* of a caller: refused before; ours: looked at below */
	ebpfnet__info_by_fd(link->prog_fd, &now, sizeof(now));
	ebpfnet__info_by_fd(prog_fd, &next, sizeof(next));
	if (now.type != next.type)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "its type is %u, and that of the route's program %u",
				     next.type, now.type);
	ret = find(call, link, &rtnl, &route);
	if (ret == -ENOENT)
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     "the route or its program is gone");
	if (ret)
		return ret;
	open_programs(link, &route);
	for (uint32_t hook = 1; hook < EBPFNET__LWT_HOOKS; hook++) {
		if (!route.program[hook].name[0] || route.program[hook].fd >= 0)
			continue;
		ebpfnet__hint(call, "run with CAP_SYS_ADMIN, or detach and attach again");
		return ebpfnet__fail(call, -EPERM, EBPFNET_ERROR_PERMISSION,
				     "the route's other program %s cannot be had",
				     route.program[hook].name);
	}
	if (route.program[link->hook].fd >= 0)
		close(route.program[link->hook].fd);
	route.program[link->hook].fd = ebpfnet__fd_dup(prog_fd);
	ebpfnet__lwt_name(next.id, next.name, route.program[link->hook].name);
	ret = ebpfnet__rtnl_lwt_put(&rtnl, &route, NLM_F_REPLACE);
	ebpfnet__note_extack(call, rtnl.extack);
	if (ret)
		return ebpfnet__fail(call, ret, 0, "%s",
				     rtnl.extack[0] ? rtnl.extack : ebpfnet_strerror(ret));
	return ebpfnet__record_update(call, link, prog_fd);
}

static int detach(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	CLEANUP_PROGRAMS struct ebpfnet__lwt_route route = no_route;
	int ret = find(call, link, &rtnl, &route);

	/* A route that is gone, or another's by now, is not ours to remove. */
	if (ret == -ENOENT)
		return 0;
	if (ret)
		return ret;
	open_programs(link, &route);
	ret = ebpfnet__rtnl_lwt_del(&rtnl, &route);
	ebpfnet__note_extack(call, rtnl.extack);
	if (ret == 0 || ret == -ESRCH) /* gone in between */
		return 0;
	return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
}

static int info(struct ebpfnet__call *call, const struct ebpfnet_link *link,
		struct ebpfnet_link_info *out)
{
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	struct ebpfnet__lwt_route route;
	int ret = find(call, link, &rtnl, &route);

	if (ret == -ENOENT) {
		out->defunct = 1;
		return 0;
	}
	if (ret)
		return ret;
	out->program_id = ebpfnet__program_id(link->prog_fd);
	out->family = route.family;
	out->ifindex = (uint32_t)route.ifindex;
	out->priority = (int32_t)route.metric;
	out->handle = route.table;
	return 0;
}

const struct ebpfnet__link_way ebpfnet__way_lwt = {
	.update = update,
	.detach = detach,
	.info = info,
	.pin = ebpfnet__record_pin,
	.unpin = ebpfnet__record_unpin,
	.by_fd = false,
	.no_compare = true,
};
