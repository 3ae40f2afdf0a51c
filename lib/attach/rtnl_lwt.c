// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/rtnl_lwt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/lwtunnel.h>
#include <linux/rtnetlink.h>
#include <linux/seg6_local.h>
#include <stdio.h>
#include <string.h>

#define BUFFER_SIZE 2048

/* Numbers of the kernel's nests, by hook. */
static const uint16_t lwt_attr[EBPFNET__LWT_HOOKS] = {
	[EBPFNET_LWT_IN] = LWT_BPF_IN,
	[EBPFNET_LWT_OUT] = LWT_BPF_OUT,
	[EBPFNET_LWT_XMIT] = LWT_BPF_XMIT,
};

void ebpfnet__lwt_name(uint32_t prog_id, const char *prog_name, char name[EBPFNET__LWT_NAME_MAX])
{
	snprintf(name, EBPFNET__LWT_NAME_MAX, "ebpfnet/%u/%.32s", prog_id, prog_name);
}

uint32_t ebpfnet__lwt_name_id(const char *name)
{
	unsigned int id;

	return sscanf(name, "ebpfnet/%u/", &id) == 1 ? id : 0;
}

static size_t address_size(const struct ebpfnet__lwt_route *route)
{
	return route->family == AF_INET ? 4 : 16;
}

static void put_programs(struct nlmsghdr *nlh, const struct ebpfnet__lwt_route *route)
{
	for (uint32_t hook = EBPFNET_LWT_IN; hook <= EBPFNET_LWT_XMIT; hook++) {
		struct nlattr *nest;

		if (route->program[hook].fd < 0)
			continue;
		nest = mnl_attr_nest_start(nlh, lwt_attr[hook]);
		mnl_attr_put_u32(nlh, LWT_BPF_PROG_FD, (uint32_t)route->program[hook].fd);
		mnl_attr_put_strz(nlh, LWT_BPF_PROG_NAME, route->program[hook].name);
		mnl_attr_nest_end(nlh, nest);
	}
	if (route->headroom)
		mnl_attr_put_u32(nlh, LWT_BPF_XMIT_HEADROOM, route->headroom);
}

static void put_seg6local(struct nlmsghdr *nlh, const struct ebpfnet__lwt_route *route)
{
	struct nlattr *nest;

	mnl_attr_put_u32(nlh, SEG6_LOCAL_ACTION, SEG6_LOCAL_ACTION_END_BPF);
	nest = mnl_attr_nest_start(nlh, SEG6_LOCAL_BPF);
	mnl_attr_put_u32(nlh, SEG6_LOCAL_BPF_PROG,
			 (uint32_t)route->program[EBPFNET_LWT_SEG6LOCAL].fd);
	mnl_attr_put_strz(nlh, SEG6_LOCAL_BPF_PROG_NAME,
			  route->program[EBPFNET_LWT_SEG6LOCAL].name);
	mnl_attr_nest_end(nlh, nest);
}

static void put_encap(struct nlmsghdr *nlh, const struct ebpfnet__lwt_route *route)
{
	bool seg6 = route->program[EBPFNET_LWT_SEG6LOCAL].fd >= 0;
	struct nlattr *nest;

	mnl_attr_put_u16(nlh, RTA_ENCAP_TYPE,
			 seg6 ? LWTUNNEL_ENCAP_SEG6_LOCAL : LWTUNNEL_ENCAP_BPF);
	nest = mnl_attr_nest_start(nlh, RTA_ENCAP);
	if (seg6)
		put_seg6local(nlh, route);
	else
		put_programs(nlh, route);
	mnl_attr_nest_end(nlh, nest);
}

/* The message that names a route, without what its packets do. */
static struct nlmsghdr *route_message(void *buffer, uint16_t type,
				      const struct ebpfnet__lwt_route *route)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	nlh->nlmsg_type = type;
	rtm->rtm_family = route->family;
	rtm->rtm_dst_len = route->prefix;
	rtm->rtm_table = route->table < 256 ? (uint8_t)route->table : RT_TABLE_UNSPEC;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope =
		route->family == AF_INET && !route->has_gateway ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	mnl_attr_put(nlh, RTA_DST, address_size(route), route->destination);
	mnl_attr_put_u32(nlh, RTA_TABLE, route->table);
	if (route->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	if (route->has_gateway)
		mnl_attr_put(nlh, RTA_GATEWAY, address_size(route), route->gateway);
	if (route->ifindex)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)route->ifindex);
	return nlh;
}

int ebpfnet__rtnl_lwt_put(struct ebpfnet__rtnl *rtnl, const struct ebpfnet__lwt_route *route,
			  uint16_t flags)
{
	char buffer[BUFFER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = route_message(buffer, RTM_NEWROUTE, route);

	nlh->nlmsg_flags = flags;
	put_encap(nlh, route);
	return ebpfnet__rtnl_talk(rtnl, nlh, NULL, NULL);
}

int ebpfnet__rtnl_lwt_del(struct ebpfnet__rtnl *rtnl, const struct ebpfnet__lwt_route *route)
{
	char buffer[BUFFER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = route_message(buffer, RTM_DELROUTE, route);
	bool known = true;

	for (uint32_t hook = 1; hook < EBPFNET__LWT_HOOKS; hook++)
		known &= !route->program[hook].name[0] || route->program[hook].fd >= 0;
	/* IPv6 takes no notice of it. */
	if (known)
		put_encap(nlh, route);
	return ebpfnet__rtnl_talk(rtnl, nlh, NULL, NULL);
}

struct search {
	uint32_t hook;
	const char *name;
	struct ebpfnet__lwt_route now; /* the one that is being read */
	uint16_t encap_type;
	struct ebpfnet__lwt_route *found;
	bool done;
};

static void copy_name(struct ebpfnet__lwt_route *route, uint32_t hook, const struct nlattr *attr)
{
	snprintf(route->program[hook].name, EBPFNET__LWT_NAME_MAX, "%.*s",
		 (int)mnl_attr_get_payload_len(attr), mnl_attr_get_str(attr));
}

static void read_bpf(const struct nlattr *encap, struct ebpfnet__lwt_route *route)
{
	const struct nlattr *attr, *inner;

	mnl_attr_for_each_nested(attr, encap)
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (type == LWT_BPF_XMIT_HEADROOM)
			route->headroom = mnl_attr_get_u32(attr);
		for (uint32_t hook = EBPFNET_LWT_IN; hook <= EBPFNET_LWT_XMIT; hook++) {
			if (type != lwt_attr[hook])
				continue;
			mnl_attr_for_each_nested(inner, attr)
			{
				if (mnl_attr_get_type(inner) == LWT_BPF_PROG_NAME)
					copy_name(route, hook, inner);
			}
		}
	}
}

static void read_seg6local(const struct nlattr *encap, struct ebpfnet__lwt_route *route)
{
	const struct nlattr *attr, *inner;

	mnl_attr_for_each_nested(attr, encap)
	{
		if (mnl_attr_get_type(attr) != SEG6_LOCAL_BPF)
			continue;
		mnl_attr_for_each_nested(inner, attr)
		{
			if (mnl_attr_get_type(inner) == SEG6_LOCAL_BPF_PROG_NAME)
				copy_name(route, EBPFNET_LWT_SEG6LOCAL, inner);
		}
	}
}

static void read_address(const struct nlattr *attr, uint8_t address[16])
{
	size_t size = mnl_attr_get_payload_len(attr);

	memcpy(address, mnl_attr_get_payload(attr), size < 16 ? size : 16);
}

static void read_attr(const struct nlattr *attr, struct search *s)
{
	struct ebpfnet__lwt_route *r = &s->now;

	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		read_address(attr, r->destination);
		break;
	case RTA_GATEWAY:
		r->has_gateway = true;
		read_address(attr, r->gateway);
		break;
	case RTA_TABLE:
		r->table = mnl_attr_get_u32(attr);
		break;
	case RTA_PRIORITY:
		r->metric = mnl_attr_get_u32(attr);
		break;
	case RTA_OIF:
		r->ifindex = (int)mnl_attr_get_u32(attr);
		break;
	case RTA_ENCAP_TYPE:
		s->encap_type = mnl_attr_get_u16(attr);
		break;
	default:
		break;
	}
}

static int route_answer(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *encap = NULL;
	struct search *s = data;

	if (nlh->nlmsg_type != RTM_NEWROUTE || s->done || rtm->rtm_flags & RTM_F_CLONED)
		return MNL_CB_OK;
	memset(&s->now, 0, sizeof(s->now));
	s->encap_type = LWTUNNEL_ENCAP_NONE;
	s->now.family = rtm->rtm_family;
	s->now.prefix = rtm->rtm_dst_len;
	s->now.table = rtm->rtm_table;
	for (uint32_t hook = 0; hook < EBPFNET__LWT_HOOKS; hook++)
		s->now.program[hook].fd = -1;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
	{
		read_attr(attr, s);
		if (mnl_attr_get_type(attr) == RTA_ENCAP)
			encap = attr;
	}
	if (encap && s->encap_type == LWTUNNEL_ENCAP_BPF)
		read_bpf(encap, &s->now);
	if (encap && s->encap_type == LWTUNNEL_ENCAP_SEG6_LOCAL)
		read_seg6local(encap, &s->now);
	if (strcmp(s->now.program[s->hook].name, s->name) != 0)
		return MNL_CB_OK;
	*s->found = s->now;
	s->done = true;
	return MNL_CB_OK;
}

static int search_family(struct ebpfnet__rtnl *rtnl, uint8_t family, struct search *s)
{
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_DUMP;
	rtm->rtm_family = family;
	return ebpfnet__rtnl_talk(rtnl, nlh, route_answer, s);
}

int ebpfnet__rtnl_lwt_find(struct ebpfnet__rtnl *rtnl, uint32_t hook, const char *name,
			   struct ebpfnet__lwt_route *route)
{
	struct search s = { .hook = hook, .name = name, .found = route };
	int ret = search_family(rtnl, AF_INET, &s);

	if (ret == 0 && !s.done)
		ret = search_family(rtnl, AF_INET6, &s);
	if (ret)
		return ret;
	return s.done ? 0 : -ENOENT;
}
