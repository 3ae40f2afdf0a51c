// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/rtnl_tc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include <ebpfnet/attach.h>

#define REQUEST_SIZE 1024
/* More filters on one hook than this are not listed: a loop must end. */
#define FILTERS_MAX 100000

static struct nlmsghdr *tc_request(void *buffer, uint16_t type, uint16_t flags, int ifindex,
				   uint32_t parent)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(nlh, sizeof(*tc));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = ifindex;
	tc->tcm_parent = parent;
	return nlh;
}

static uint32_t parent_of(const struct ebpfnet__tc_hook *hook)
{
	return TC_H_MAKE(TC_H_CLSACT,
			 hook->direction == EBPFNET_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

static int kind_attr(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == TCA_KIND)
		snprintf(data, EBPFNET__TC_KIND_MAX, "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int qdisc_message(const struct nlmsghdr *nlh, void *data)
{
	if (nlh->nlmsg_type == RTM_NEWQDISC)
		mnl_attr_parse(nlh, sizeof(struct tcmsg), kind_attr, data);
	return MNL_CB_OK;
}

int ebpfnet__rtnl_hook_qdisc(struct ebpfnet__rtnl *rtnl, int ifindex,
			     char kind[EBPFNET__TC_KIND_MAX])
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	int ret;

	kind[0] = '\0';
	/* Of one qdisc the kernel notifies its listeners, and us only if we ask for the echo. */
	ret = ebpfnet__rtnl_talk(rtnl,
				 tc_request(buffer, RTM_GETQDISC, NLM_F_ECHO, ifindex, TC_H_CLSACT),
				 qdisc_message, kind);
	/* After a qdisc was removed its place holds a hidden one, which is EINVAL to ask for. */
	return ret == -ENOENT || ret == -EINVAL ? 0 : ret;
}

static int talk_clsact(struct ebpfnet__rtnl *rtnl, int ifindex, uint16_t type, uint16_t flags)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = tc_request(buffer, type, flags, ifindex, TC_H_CLSACT);
	struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);

	tc->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	mnl_attr_put_strz(nlh, TCA_KIND, "clsact");
	return ebpfnet__rtnl_talk(rtnl, nlh, NULL, NULL);
}

int ebpfnet__rtnl_clsact_add(struct ebpfnet__rtnl *rtnl, int ifindex)
{
	return talk_clsact(rtnl, ifindex, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
}

int ebpfnet__rtnl_clsact_del(struct ebpfnet__rtnl *rtnl, int ifindex)
{
	return talk_clsact(rtnl, ifindex, RTM_DELQDISC, 0);
}

static int bpf_attr(const struct nlattr *attr, void *data)
{
	struct ebpfnet__filter *f = data;

	switch (mnl_attr_get_type(attr)) {
	case TCA_BPF_ID:
		f->prog_id = mnl_attr_get_u32(attr);
		break;
	case TCA_BPF_NAME:
		snprintf(f->name, sizeof(f->name), "%s", mnl_attr_get_str(attr));
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int filter_attr(const struct nlattr *attr, void *data)
{
	struct ebpfnet__filter *f = data;

	switch (mnl_attr_get_type(attr)) {
	case TCA_KIND:
		snprintf(f->kind, sizeof(f->kind), "%s", mnl_attr_get_str(attr));
		break;
	case TCA_CHAIN:
		f->chain = mnl_attr_get_u32(attr);
		break;
	case TCA_OPTIONS: /* comes after the kind, which says how it is laid out */
		if (strcmp(f->kind, "bpf") == 0)
			return mnl_attr_parse_nested(attr, bpf_attr, f);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

/* The kernel lists each priority once without a filter, and u32's hash tables among its filters. */
static bool is_filter(const struct ebpfnet__filter *f)
{
	if (f->handle == 0 || f->chain != 0)
		return false;
	return strcmp(f->kind, "u32") != 0 || (f->handle & 0xfff) != 0;
}

static int filter_message(const struct nlmsghdr *nlh, void *data)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	struct ebpfnet__filters *out = data;
	struct ebpfnet__filter f = { 0 };

	if (nlh->nlmsg_type != RTM_NEWTFILTER || out->count == FILTERS_MAX)
		return MNL_CB_OK;
	out->total++;
	f.priority = TC_H_MAJ(tc->tcm_info) >> 16;
	f.handle = tc->tcm_handle;
	mnl_attr_parse(nlh, sizeof(*tc), filter_attr, &f);
	if (!is_filter(&f))
		return MNL_CB_OK;
	if (out->count == out->room) {
		size_t room = out->room ? 2 * out->room : 8;
		void *list = reallocarray(out->list, room, sizeof(f));

		if (!list) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
		out->list = list;
		out->room = room;
	}
	out->list[out->count++] = f;
	return MNL_CB_OK;
}

int ebpfnet__rtnl_filters(struct ebpfnet__rtnl *rtnl, const struct ebpfnet__tc_hook *hook,
			  struct ebpfnet__filters *out)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));

	out->count = out->total = 0;
	return ebpfnet__rtnl_talk(
		rtnl,
		tc_request(buffer, RTM_GETTFILTER, NLM_F_DUMP, hook->ifindex, parent_of(hook)),
		filter_message, out);
}

/* Priority 0 means "all of them" to the kernel when it deletes, and "choose" when it makes one. */
static struct nlmsghdr *filter_request(void *buffer, uint16_t type, uint16_t flags,
				       const struct ebpfnet__tc_hook *hook,
				       const struct ebpfnet__filter *filter)
{
	struct nlmsghdr *nlh = tc_request(buffer, type, flags, hook->ifindex, parent_of(hook));
	struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);

	tc->tcm_handle = filter->handle;
	tc->tcm_info = TC_H_MAKE(filter->priority << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(nlh, TCA_KIND, "bpf");
	return filter->priority && filter->handle ? nlh : NULL;
}

int ebpfnet__rtnl_filter_put(struct ebpfnet__rtnl *rtnl, const struct ebpfnet__tc_hook *hook,
			     const struct ebpfnet__filter *filter, int prog_fd, uint16_t flags)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = filter_request(buffer, RTM_NEWTFILTER, flags, hook, filter);
	struct nlattr *nest;

	if (!nlh)
		return -EINVAL;
	nest = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	mnl_attr_put_u32(nlh, TCA_BPF_FD, (uint32_t)prog_fd);
	mnl_attr_put_strz(nlh, TCA_BPF_NAME, filter->name);
	mnl_attr_put_u32(nlh, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(nlh, nest);
	return ebpfnet__rtnl_talk(rtnl, nlh, NULL, NULL);
}

int ebpfnet__rtnl_filter_del(struct ebpfnet__rtnl *rtnl, const struct ebpfnet__tc_hook *hook,
			     const struct ebpfnet__filter *filter)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = filter_request(buffer, RTM_DELTFILTER, 0, hook, filter);

	return nlh ? ebpfnet__rtnl_talk(rtnl, nlh, NULL, NULL) : -EINVAL;
}
