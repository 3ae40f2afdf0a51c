// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What is attached to interfaces: one dump of them, then a look at the hooks of each. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "attach/netns_query.h"
#include "attach/tc.h"
#include "core/uapi.h"

#define BUFFER_SIZE 128
/* A dump during which an interface came or went is repeated. */
#define TRIES 8

struct device {
	int ifindex;
	char name[16];
	char kind[16];
	uint32_t xdp[EBPFNET_XDP_OFFLOAD + 1]; /* by mode */
};

struct devices {
	struct device *list;
	size_t count, room;
};

static void ebpfnet__cleanup_devices(struct devices *devices)
{
	free(devices->list);
}

static int xdp_attr(const struct nlattr *attr, void *data)
{
	struct device *d = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_XDP_DRV_PROG_ID:
		d->xdp[EBPFNET_XDP_NATIVE] = mnl_attr_get_u32(attr);
		break;
	case IFLA_XDP_SKB_PROG_ID:
		d->xdp[EBPFNET_XDP_GENERIC] = mnl_attr_get_u32(attr);
		break;
	case IFLA_XDP_HW_PROG_ID:
		d->xdp[EBPFNET_XDP_OFFLOAD] = mnl_attr_get_u32(attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int kind_attr(const struct nlattr *attr, void *data)
{
	struct device *d = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		snprintf(d->kind, sizeof(d->kind), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int device_attr(const struct nlattr *attr, void *data)
{
	struct device *d = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		snprintf(d->name, sizeof(d->name), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, kind_attr, d);
	case IFLA_XDP:
		return mnl_attr_parse_nested(attr, xdp_attr, d);
	default:
		break;
	}
	return MNL_CB_OK;
}

static int device_message(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct device d = { .ifindex = ifi->ifi_index };
	struct devices *out = data;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(*ifi), device_attr, &d);
	if (out->count == out->room) {
		size_t room = out->room ? 2 * out->room : 16;
		void *list = reallocarray(out->list, room, sizeof(d));

		if (!list) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
		out->list = list;
		out->room = room;
	}
	out->list[out->count++] = d;
	return MNL_CB_OK;
}

/* With a socket of its own: after an interrupted dump there are answers left in it. */
static int dump(struct ebpfnet__call *call, struct devices *out)
{
	char buffer[BUFFER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	int ret = ebpfnet__rtnl_open(call, 0, &rtnl);

	if (ret)
		return ret;
	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	out->count = 0;
	return ebpfnet__rtnl_talk(&rtnl, nlh, device_message, out);
}

static int read_devices(struct ebpfnet__netns_query *q, struct devices *out)
{
	int ret = -EINTR;

	for (int i = 0; i < TRIES && ret == -EINTR; i++)
		ret = dump(q->call, out);
	if (ret == -EINTR) {
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_DEVICES,
				    "interfaces: they come and go faster than the kernel lists "
				    "them: query again");
		return 0;
	}
	if (ret && !q->call->failed)
		return ebpfnet__fail(q->call, ret, 0, "interfaces: %s", ebpfnet_strerror(ret));
	return ret;
}

static int query_xdp(struct ebpfnet__netns_query *q, const struct device *d, uint32_t mode)
{
	struct ebpfnet_query_entry *entry = ebpfnet__query_add(q->call, q->query);
	size_t whole = q->query->count - 1;
	long at;

	if (!entry)
		return ebpfnet_error_code(q->call->error);
	entry->kind = EBPFNET_LINK_XDP;
	entry->ifindex = (uint32_t)d->ifindex;
	entry->mode = mode;
	entry->program_id = d->xdp[mode];
	at = ebpfnet__query_xdp_link(q, d->ifindex, mode, entry->program_id);
	entry->via = at < 0 ? EBPFNET_VIA_NETLINK : EBPFNET_VIA_LINK;
	if (at >= 0 && (size_t)at < q->links.count)
		entry->link_id = q->links.list[at].id;
	ebpfnet__query_name(entry, "");
	entry->dispatcher = strcmp(entry->name, "xdp_dispatcher") == 0;
	return ebpfnet__query_parts(q, whole);
}

/* A subject of one interface failed: gone is nothing, else it is missing. No memory is a failure.
 */
static int go_on(struct ebpfnet__netns_query *q, const struct device *d, const char *what, int code)
{
	if (code == 0 || code == -ENOMEM)
		return code;
	ebpfnet__call_clear(q->call);
	if (code != -ENODEV && code != -EOPNOTSUPP)
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_DEVICES,
				    "%s of %s: %s (needs CAP_NET_ADMIN in the namespace)", what,
				    d->name, ebpfnet_strerror(code));
	return 0;
}

static int query_tc(struct ebpfnet__netns_query *q, const struct device *d)
{
	int ret = 0;

	for (uint32_t i = EBPFNET_INGRESS; i <= EBPFNET_EGRESS && ret == 0; i++) {
		struct ebpfnet__tc_hook hook = { d->ifindex, i };

		ret = go_on(q, d, "TCX", ebpfnet__tcx_query(q->call, &hook, 0, q->query));
		if (ret == 0)
			ret = go_on(q, d, "clsact",
				    ebpfnet__clsact_query(q->call, &hook, q->rtnl, q->query));
	}
	return ret;
}

static int query_netkit(struct ebpfnet__netns_query *q, const struct device *d)
{
	int ret = 0;

	for (uint32_t i = EBPFNET_NETKIT_PRIMARY; i <= EBPFNET_NETKIT_PEER && ret == 0; i++) {
		struct ebpfnet_query *side = NULL;
		struct ebpfnet_error *err = NULL;

		ret = ebpfnet_netkit_query(q->call->ctx, d->ifindex, i, NULL, &side, &err);
		ebpfnet_error_free(err);
		/* EACCES: this is the peer, whose programs are the primary's. */
		ret = ret == -EACCES ? 0 : go_on(q, d, "netkit", ret);
		for (size_t k = 0; side && k < side->count && ret == 0; k++) {
			struct ebpfnet_query_entry *to = ebpfnet__query_add(q->call, q->query);

			if (to)
				*to = side->entries[k];
			else
				ret = ebpfnet_error_code(q->call->error);
		}
		ebpfnet_query_free(side);
	}
	return ret;
}

static int query_device(struct ebpfnet__netns_query *q, const struct device *d)
{
	size_t first = q->query->count;
	int ret = 0;

	for (uint32_t mode = 0; mode <= EBPFNET_XDP_OFFLOAD && ret == 0; mode++) {
		if (d->xdp[mode])
			ret = query_xdp(q, d, mode);
	}
	if (ret == 0)
		ret = query_tc(q, d);
	if (ret == 0 && strcmp(d->kind, "netkit") == 0)
		ret = query_netkit(q, d);
	for (size_t i = first; i < q->query->count; i++) {
		struct ebpfnet_query_entry *entry = &q->query->entries[i];

		entry->netns_inode = q->netns_inode;
		snprintf(entry->device, sizeof(entry->device), "%s", d->name);
	}
	return ret;
}

int ebpfnet__query_devices(struct ebpfnet__netns_query *q)
{
	CLEANUP(devices) struct devices devices = { 0 };
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	int ret = read_devices(q, &devices);

	if (ret == 0)
		ret = ebpfnet__rtnl_open(q->call, 0, &rtnl);
	q->rtnl = &rtnl;
	for (size_t i = 0; i < devices.count && ret == 0; i++)
		ret = query_device(q, &devices.list[i]);
	q->rtnl = NULL;
	q->query->revision = 0; /* each hook has its own */
	return ret;
}
