// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/rtnl_netkit.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include <ebpfnet/attach.h>

#include "core/uapi.h"

static int data_attr(const struct nlattr *attr, void *data)
{
	struct ebpfnet__netkit *out = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < 32)
		out->told |= 1u << type;
	if (type == EBPFNET__IFLA_NETKIT_PRIMARY)
		out->primary = mnl_attr_get_u8(attr);
	return MNL_CB_OK;
}

static int info_attr(const struct nlattr *attr, void *data)
{
	struct ebpfnet__netkit *out = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		snprintf(out->kind, sizeof(out->kind), "%s", mnl_attr_get_str(attr));
	/* The kind comes first; what is in the data of another kind is none of ours. */
	if (mnl_attr_get_type(attr) == IFLA_INFO_DATA && strcmp(out->kind, "netkit") == 0)
		return mnl_attr_parse_nested(attr, data_attr, out);
	return MNL_CB_OK;
}

static int link_attr(const struct nlattr *attr, void *data)
{
	struct ebpfnet__netkit *out = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		snprintf(out->name, sizeof(out->name), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_LINK:
		out->peer_ifindex = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, info_attr, out);
	default:
		break;
	}
	return MNL_CB_OK;
}

static int link_message(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct ebpfnet__netkit *out = data;

	if (nlh->nlmsg_type == RTM_NEWLINK) {
		out->ifindex = (uint32_t)ifi->ifi_index;
		mnl_attr_parse(nlh, sizeof(*ifi), link_attr, out);
	}
	return MNL_CB_OK;
}

static struct nlmsghdr *request(void *buffer, uint16_t type, int ifindex)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	nlh->nlmsg_type = type;
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = ifindex;
	return nlh;
}

/* The peer's own message header and attributes, nested into the primary's. */
static void put_peer(struct nlmsghdr *nlh, const struct ebpfnet_netkit_create_opts *o)
{
	struct nlattr *nest;

	if (!o->peer_name && !o->peer_netns_fd)
		return;
	nest = mnl_attr_nest_start(nlh, EBPFNET__IFLA_NETKIT_PEER_INFO);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	if (o->peer_name)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, o->peer_name);
	if (o->peer_netns_fd)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)o->peer_netns_fd);
	mnl_attr_nest_end(nlh, nest);
}

static uint32_t policy_of(uint32_t policy)
{
	return policy == EBPFNET_NETKIT_BLACKHOLE ? EBPFNET__NETKIT_DROP : EBPFNET__NETKIT_PASS;
}

/* Only what differs from the defaults: a kernel ignores attributes that are younger than it. */
static void put_data(struct nlmsghdr *nlh, const struct ebpfnet_netkit_create_opts *o)
{
	mnl_attr_put_u32(nlh, EBPFNET__IFLA_NETKIT_MODE,
			 o->mode == EBPFNET_NETKIT_L2 ? EBPFNET__NETKIT_L2 : EBPFNET__NETKIT_L3);
	mnl_attr_put_u32(nlh, EBPFNET__IFLA_NETKIT_POLICY, policy_of(o->policy));
	mnl_attr_put_u32(nlh, EBPFNET__IFLA_NETKIT_PEER_POLICY, policy_of(o->peer_policy));
	if (o->scrub == EBPFNET_NETKIT_SCRUB_NONE)
		mnl_attr_put_u32(nlh, EBPFNET__IFLA_NETKIT_SCRUB, EBPFNET__NETKIT_SCRUB_NONE);
	if (o->peer_scrub == EBPFNET_NETKIT_SCRUB_NONE)
		mnl_attr_put_u32(nlh, EBPFNET__IFLA_NETKIT_PEER_SCRUB, EBPFNET__NETKIT_SCRUB_NONE);
	if (o->headroom)
		mnl_attr_put_u16(nlh, EBPFNET__IFLA_NETKIT_HEADROOM, (uint16_t)o->headroom);
	if (o->tailroom)
		mnl_attr_put_u16(nlh, EBPFNET__IFLA_NETKIT_TAILROOM, (uint16_t)o->tailroom);
	put_peer(nlh, o);
}

int ebpfnet__rtnl_netkit_add(struct ebpfnet__rtnl *rtnl, const struct ebpfnet_netkit_create_opts *o,
			     struct ebpfnet__netkit *out)
{
	char buffer[1024] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = request(buffer, RTM_NEWLINK, 0);
	struct nlattr *info, *data;

	memset(out, 0, sizeof(*out));
	/* The echo (6.1) is what tells the name and index that the kernel chose. */
	nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO;
	if (o->name)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, o->name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "netkit");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	put_data(nlh, o);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return ebpfnet__rtnl_talk(rtnl, nlh, link_message, out);
}

int ebpfnet__rtnl_netkit_get(struct ebpfnet__rtnl *rtnl, int ifindex, struct ebpfnet__netkit *out)
{
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));

	memset(out, 0, sizeof(*out));
	if (ifindex <= 0)
		return -ENODEV;
	return ebpfnet__rtnl_talk(rtnl, request(buffer, RTM_GETLINK, ifindex), link_message, out);
}

int ebpfnet__rtnl_link_del(struct ebpfnet__rtnl *rtnl, int ifindex)
{
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));

	return ebpfnet__rtnl_talk(rtnl, request(buffer, RTM_DELLINK, ifindex), NULL, NULL);
}
