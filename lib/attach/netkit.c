// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include <ebpfnet/probe.h>

#include "attach/mprog.h"
#include "attach/netns.h"
#include "attach/rtnl_netkit.h"
#include "core/opts.h"
#include "core/uapi.h"
#include "load/object.h"
#include "load/pin.h"
#include "probe/feature.h"

static int check_side(struct ebpfnet__call *call, uint32_t side)
{
	if (side == EBPFNET_NETKIT_PRIMARY || side == EBPFNET_NETKIT_PEER)
		return 0;
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "side %u is neither EBPFNET_NETKIT_PRIMARY nor _PEER", side);
}

static int check_program(struct ebpfnet__call *call, const struct ebpfnet_program *prog)
{
	struct bpf_prog_info info = { 0 };
	int ret;

	if (prog->fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is not loaded", prog->name);
	ret = ebpfnet__info_by_fd(prog->fd, &info, sizeof(info));
	if (ret)
		return ebpfnet__fail(call, ret, 0, "program %s: %s", prog->name,
				     ebpfnet_strerror(ret));
	if (info.type == BPF_PROG_TYPE_SCHED_CLS)
		return 0;
	ebpfnet__hint(call, "put it into SEC(\"tc\")");
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "program %s is of type %u, not SCHED_CLS (%u)", prog->name, info.type,
			     BPF_PROG_TYPE_SCHED_CLS);
}

/* The device, as it was before the attempt; what it is explains a refusal. */
static int look(struct ebpfnet__call *call, const char *verb, int ifindex, uint32_t side,
		int netns_fd, struct ebpfnet__netkit *device)
{
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	int ret = ebpfnet__rtnl_open(call, netns_fd, &rtnl);

	if (ret)
		return ret;
	ret = ebpfnet__rtnl_netkit_get(&rtnl, ifindex, device);
	if (ret)
		return ebpfnet__fail(call, ret, 0, "%s",
				     ret == -ENODEV ? "there is no such interface"
						    : ebpfnet_strerror(ret));
	ebpfnet__call_what(call, "%s netkit %s %s", verb, device->name,
			   side == EBPFNET_NETKIT_PEER ? "peer" : "primary");
	return 0;
}

static bool netkit_is_missing(struct ebpfnet_ctx *ctx)
{
	struct ebpfnet_error *inner = NULL;
	int has = ebpfnet_probe(ctx, EBPFNET_FEATURE_NETKIT, &inner);

	ebpfnet_error_free(inner);
	return has == 0;
}

/* What the kernel says of the device, not of the order. Returns 0 if it said nothing of it. */
static int fail_device(struct ebpfnet__call *call, const struct ebpfnet__netkit *device, int code)
{
	if (code == -EINVAL && netkit_is_missing(call->ctx))
		return ebpfnet__fail_feature(call, -EOPNOTSUPP, EBPFNET_FEATURE_NETKIT, NULL);
	if (code == -ENXIO) {
		ebpfnet__hint(call, "give the ifindex of a netkit pair's primary, or use "
				    "ebpfnet_tc_attach() on this interface");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_INVALID,
				     "%s is no netkit device but %s", device->name,
				     *device->kind ? device->kind : "a device of its own");
	}
	if (code == -EACCES) {
		ebpfnet__hint(call, "attach through the primary's ifindex, with side "
				    "EBPFNET_NETKIT_PEER");
		return ebpfnet__fail(
			call, code, EBPFNET_ERROR_INVALID,
			"%s is the peer of its pair, and programs of both sides belong "
			"to the primary",
			device->name);
	}
	return 0;
}

static struct ebpfnet__mprog_hook hook_of(int ifindex, uint32_t side, int netns_fd)
{
	return (struct ebpfnet__mprog_hook) {
		.ifindex = ifindex,
		.attach_type = side == EBPFNET_NETKIT_PEER ? EBPFNET__BPF_NETKIT_PEER
							   : EBPFNET__BPF_NETKIT_PRIMARY,
		.netns_fd = netns_fd,
	};
}

static int check_place(struct ebpfnet__call *call, const struct ebpfnet__mprog_place *place)
{
	int ret = ebpfnet__mprog_check(call, place);

	if (ret == 0 && place->link && place->link->kind != EBPFNET_LINK_NETKIT)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the anchor is a link of another hook than netkit");
	return ret;
}

static int attach(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
		  const struct ebpfnet__mprog_hook *hook, const struct ebpfnet__mprog_place *place,
		  const struct ebpfnet__netkit *device, struct ebpfnet_link *link)
{
	CLEANUP(entries) struct ebpfnet__mprog_entries now = { 0 };
	int ret = ebpfnet__mprog_attach(call, prog, hook, place, link, &now);

	if (call->failed || ret == 0)
		return ret;
	if (fail_device(call, device, ret))
		return ebpfnet_error_code(call->error);
	return ebpfnet__mprog_fail(call, prog, place, &now, ret);
}

int ebpfnet_netkit_attach(const struct ebpfnet_program *prog, int ifindex, uint32_t side,
			  const struct ebpfnet_netkit_opts *opts, struct ebpfnet_link **out,
			  struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "attach netkit ifindex %d", ifindex);
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	struct ebpfnet_netkit_opts o;
	struct ebpfnet__mprog_place place;
	struct ebpfnet__mprog_hook hook;
	struct ebpfnet__netkit device;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret)
		return ret;
	place = (struct ebpfnet__mprog_place) {
		o.anchor,	  o.anchor_link,       o.anchor_program,
		o.anchor_link_id, o.anchor_program_id, o.expected_revision
	};
	ret = check_side(&call, side);
	if (ret == 0)
		ret = check_program(&call, prog);
	if (ret == 0)
		ret = check_place(&call, &place);
	if (ret == 0)
		ret = ebpfnet__netns_check(&call, o.netns_fd);
	if (ret == 0)
		ret = look(&call, "attach", ifindex, side, o.netns_fd, &device);
	if (ret)
		return ret;
	/* Without the namespace: the link needs it no more, and would keep it alive. */
	link = ebpfnet__link_new(&call, EBPFNET_LINK_NETKIT, ifindex, 0);
	if (!link)
		return ebpfnet_error_code(call.error);
	link->hook = side;
	link->netns_inode = ebpfnet__netns_inode(o.netns_fd);
	link->prog_fd = ebpfnet__fd_dup(prog->fd);
	if (link->prog_fd < 0)
		return ebpfnet__fail(&call, link->prog_fd, 0, "%s",
				     ebpfnet_strerror(link->prog_fd));
	hook = hook_of(ifindex, side, o.netns_fd);
	ret = attach(&call, prog, &hook, &place, &device, link);
	if (ret)
		return ret;
	link->way = &ebpfnet__way_bpf_link;
	link->via = EBPFNET_VIA_LINK;
	*out = TAKE(link);
	return 0;
}

static int fill_query(struct ebpfnet__call *call, const struct ebpfnet__mprog_entries *now,
		      int ifindex, uint32_t side, const struct ebpfnet_query_opts *o,
		      struct ebpfnet_query *query)
{
	query->revision = now->revision;
	for (uint32_t i = 0; i < now->count; i++) {
		struct ebpfnet_query_entry *entry;

		if (o->via == EBPFNET_VIA_LINK && !now->links[i])
			continue;
		entry = ebpfnet__query_add(call, query);
		if (!entry)
			return ebpfnet_error_code(call->error);
		entry->kind = EBPFNET_LINK_NETKIT;
		entry->via = now->links[i] ? EBPFNET_VIA_LINK : EBPFNET_VIA_PROG_ATTACH;
		entry->hook = side;
		entry->ifindex = (uint32_t)ifindex;
		entry->program_id = now->programs[i];
		entry->link_id = now->links[i];
		ebpfnet__query_name(entry, "");
	}
	ebpfnet__query_hook(query, 0, now->revision);
	return 0;
}

int ebpfnet_netkit_query(struct ebpfnet_ctx *ctx, int ifindex, uint32_t side,
			 const struct ebpfnet_query_opts *opts, struct ebpfnet_query **out,
			 struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "query netkit ifindex %d", ifindex);
	CLEANUP(entries) struct ebpfnet__mprog_entries now = { 0 };
	CLEANUP(query) struct ebpfnet_query *query = NULL;
	struct ebpfnet__mprog_hook hook;
	struct ebpfnet__netkit device;
	struct ebpfnet_query_opts o;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0)
		ret = check_side(&call, side);
	if (ret == 0 && o.via != EBPFNET_VIA_ANY && o.via != EBPFNET_VIA_LINK)
		ret = ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				    "via %u is not ANY or LINK", o.via);
	if (ret == 0)
		ret = ebpfnet__netns_check(&call, o.netns_fd);
	if (ret == 0)
		ret = look(&call, "query", ifindex, side, o.netns_fd, &device);
	if (ret)
		return ret;
	hook = hook_of(ifindex, side, o.netns_fd);
	ret = ebpfnet__mprog_read(&call, &hook, &now);
	if (call.failed || fail_device(&call, &device, ret))
		return ebpfnet_error_code(call.error);
	if (ret == -EPERM)
		ebpfnet__hint(&call, "CAP_NET_ADMIN in the namespace of the interface");
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "%s", ebpfnet_strerror(ret));
	query = ebpfnet__query_new(&call);
	if (!query)
		return ebpfnet_error_code(call.error);
	ret = fill_query(&call, &now, ifindex, side, &o, query);
	if (ret)
		return ret;
	*out = TAKE(query);
	return 0;
}
