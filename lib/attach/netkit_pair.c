// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* netkit pairs: made whole as they were asked for, or not at all. */
#include <errno.h>
#include <string.h>

#include <ebpfnet/attach.h>
#include <ebpfnet/probe.h>

#include "attach/netns.h"
#include "attach/rtnl_netkit.h"
#include "core/opts.h"
#include "core/uapi.h"
#include "probe/feature.h"

#define ROOM_MAX 65535

static int check_name(struct ebpfnet__call *call, const char *which, const char *name)
{
	if (!name || (name[0] && strlen(name) < IF_NAMESIZE))
		return 0;
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "the %s's name \"%s\" has not 1 to %d characters", which, name,
			     IF_NAMESIZE - 1);
}

static int check(struct ebpfnet__call *call, const struct ebpfnet_netkit_create_opts *o)
{
	int ret;

	if (o->mode > EBPFNET_NETKIT_L2 || o->policy > EBPFNET_NETKIT_BLACKHOLE ||
	    o->peer_policy > EBPFNET_NETKIT_BLACKHOLE || o->scrub > EBPFNET_NETKIT_SCRUB_NONE ||
	    o->peer_scrub > EBPFNET_NETKIT_SCRUB_NONE)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "mode %u, policies %u and %u or scrubs %u and %u: not all of "
				     "them are known to this library",
				     o->mode, o->policy, o->peer_policy, o->scrub, o->peer_scrub);
	if (o->headroom > ROOM_MAX || o->tailroom > ROOM_MAX)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "headroom %u or tailroom %u is more than %d", o->headroom,
				     o->tailroom, ROOM_MAX);
	ret = check_name(call, "primary", o->name);
	if (ret == 0)
		ret = check_name(call, "peer", o->peer_name);
	if (ret == 0)
		ret = ebpfnet__netns_check_net(call, o->netns_fd);
	if (ret == 0)
		ret = ebpfnet__netns_check_net(call, o->peer_netns_fd);
	return ret;
}

static int fail_create(struct ebpfnet__call *call, const struct ebpfnet__rtnl *rtnl, int code)
{
	const char *words = rtnl->extack;

	ebpfnet__note_extack(call, words);
	switch (code) {
	case -EEXIST:
		ebpfnet__hint(call, "take other names: ip link shows those that are taken");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_BUSY,
				     "an interface of the primary's or the peer's name exists");
	case -EOPNOTSUPP: /* of rtnetlink: a kind of device that it does not know */
		return ebpfnet__fail_feature(call, code, EBPFNET_FEATURE_NETKIT, NULL);
	case -EPERM:
		ebpfnet__hint(call, "CAP_NET_ADMIN in both namespaces");
		break;
	default:
		break;
	}
	return ebpfnet__fail(call, code, code == -EINVAL ? EBPFNET_ERROR_INVALID : 0, "%s",
			     *words ? words : ebpfnet_strerror(code));
}

/* A kernel ignores the attributes that it does not know, without a word. */
static int check_told(struct ebpfnet__call *call, const struct ebpfnet_netkit_create_opts *o,
		      const struct ebpfnet__netkit *made)
{
	const struct {
		bool wanted;
		uint32_t attribute;
		const char *name;
		const char *since;
	} asked[] = {
		{ o->scrub, EBPFNET__IFLA_NETKIT_SCRUB, "scrub", "6.12" },
		{ o->peer_scrub, EBPFNET__IFLA_NETKIT_PEER_SCRUB, "peer_scrub", "6.12" },
		{ o->headroom, EBPFNET__IFLA_NETKIT_HEADROOM, "headroom", "6.14" },
		{ o->tailroom, EBPFNET__IFLA_NETKIT_TAILROOM, "tailroom", "6.14" },
	};

	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(asked); i++) {
		if (!asked[i].wanted || made->told & 1u << asked[i].attribute)
			continue;
		ebpfnet__note_min_kernel(call, asked[i].since);
		ebpfnet__hint(call, "leave %s at its default", asked[i].name);
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "%s needs Linux %s", asked[i].name, asked[i].since);
	}
	return 0;
}

/* The name of a peer that may be in another namespace. */
static int name_peer(struct ebpfnet__call *call, int netns_fd, struct ebpfnet_netkit_info *info)
{
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	struct ebpfnet__netkit peer;
	int ret = ebpfnet__rtnl_open(call, netns_fd, &rtnl);

	if (ret)
		return ret;
	ret = ebpfnet__rtnl_netkit_get(&rtnl, (int)info->peer_ifindex, &peer);
	if (ret)
		return ebpfnet__fail(call, ret, 0, "the peer: %s", ebpfnet_strerror(ret));
	memcpy(info->peer_name, peer.name, sizeof(info->peer_name));
	return 0;
}

int ebpfnet_netkit_create(struct ebpfnet_ctx *ctx, const struct ebpfnet_netkit_create_opts *opts,
			  struct ebpfnet_netkit_info *out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "create netkit %s",
		      opts && opts->sz > offsetof(struct ebpfnet_netkit_create_opts, mode) &&
				      opts->name
			      ? opts->name
			      : "pair");
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	struct ebpfnet_netkit_create_opts o;
	struct ebpfnet_netkit_info info = { 0 };
	struct ebpfnet__netkit made;
	int ret;

	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0 && out && EBPFNET__OUT_FILL(out, &info))
		ret = ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID, "sz is not set");
	if (ret == 0)
		ret = check(&call, &o);
	if (ret == 0)
		ret = ebpfnet__rtnl_open(&call, o.netns_fd, &rtnl);
	if (ret)
		return ret;
	ret = ebpfnet__rtnl_netkit_add(&rtnl, &o, &made);
	if (ret)
		return fail_create(&call, &rtnl, ret);
	info.ifindex = made.ifindex;
	info.peer_ifindex = made.peer_ifindex;
	memcpy(info.name, made.name, sizeof(info.name));
	ret = check_told(&call, &o, &made);
	if (ret == 0)
		ret = name_peer(&call, o.peer_netns_fd ? o.peer_netns_fd : o.netns_fd, &info);
	if (ret) {
		ebpfnet__rtnl_link_del(&rtnl, (int)made.ifindex);
		return ret;
	}
	if (out)
		ebpfnet__out_fill(out, &info, sizeof(info));
	return 0;
}

int ebpfnet_netkit_delete(struct ebpfnet_ctx *ctx, int ifindex, int netns_fd,
			  struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "delete netkit ifindex %d", ifindex);
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	struct ebpfnet__netkit device;
	int ret = ebpfnet__netns_check_net(&call, netns_fd);

	if (ret == 0)
		ret = ebpfnet__rtnl_open(&call, netns_fd, &rtnl);
	if (ret)
		return ret;
	ret = ebpfnet__rtnl_netkit_get(&rtnl, ifindex, &device);
	if (ret == 0 && strcmp(device.kind, "netkit") != 0)
		return ebpfnet__fail(&call, -ENXIO, EBPFNET_ERROR_INVALID,
				     "%s is no netkit device but %s", device.name,
				     *device.kind ? device.kind : "a device of its own");
	if (ret == 0)
		ret = ebpfnet__rtnl_link_del(&rtnl, ifindex);
	if (ret == 0)
		return 0;
	ebpfnet__note_extack(&call, rtnl.extack);
	return ebpfnet__fail(&call, ret, 0, "%s",
			     ret == -ENODEV ? "there is no such interface" : ebpfnet_strerror(ret));
}
