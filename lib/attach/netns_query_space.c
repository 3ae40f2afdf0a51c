// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What is attached to a namespace itself: sk_lookup, flow dissector, netfilter. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_hook.h>
#include <string.h>

#include "attach/netns_query.h"
#include "core/uapi.h"

/* NETNS_BPF_SK_LOOKUP takes no more (kernel/bpf/net_namespace.c). */
#define PROGRAMS_MAX 64
#define NFPROTO_IPV4 2
#define NFPROTO_IPV6 10
#define BUFFER_SIZE 128

struct place {
	uint64_t inode;
	uint32_t attach_type, prog_id;
};

static bool is_on_netns(const struct bpf_link_info *info, const void *what)
{
	const struct place *place = what;

	return info->type == BPF_LINK_TYPE_NETNS && info->netns.netns_ino == place->inode &&
	       info->netns.attach_type == place->attach_type && info->prog_id == place->prog_id;
}

static int query_hook(struct ebpfnet__netns_query *q, int netns_fd, uint32_t kind,
		      enum bpf_attach_type attach_type)
{
	uint32_t ids[PROGRAMS_MAX] = { 0 }, count = PROGRAMS_MAX;
	size_t first = q->query->count;

	if (bpf_prog_query(netns_fd, attach_type, 0, NULL, ids, &count)) {
		/* EINVAL: before 5.9 there is no sk_lookup, before 4.20 no flow dissector. */
		if (errno != EINVAL)
			ebpfnet__query_miss(q->query, EBPFNET_MISSING_NAMESPACE,
					    "sk_lookup and flow dissector: %s (needs "
					    "CAP_NET_ADMIN)",
					    ebpfnet_strerror(errno));
		return 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct place place = { q->netns_inode, attach_type, ids[i] };
		struct ebpfnet_query_entry *entry = ebpfnet__query_add(q->call, q->query);
		size_t at;

		if (!entry)
			return ebpfnet_error_code(q->call->error);
		entry->kind = kind;
		entry->via = EBPFNET_VIA_PROG_ATTACH;
		entry->program_id = ids[i];
		entry->netns_inode = q->netns_inode;
		if (ebpfnet__links_match(&q->links, is_on_netns, &place, &at)) {
			q->links.used[at] = true;
			entry->link_id = q->links.list[at].id;
		}
		/* sk_lookup is attached by links and in no other way. */
		if (entry->link_id || kind == EBPFNET_LINK_SK_LOOKUP)
			entry->via = EBPFNET_VIA_LINK;
		ebpfnet__query_name(entry, "");
	}
	ebpfnet__query_hook(q->query, first, 0);
	return 0;
}

int ebpfnet__query_namespace(struct ebpfnet__netns_query *q)
{
	CLEANUP(fd)
	int fd = ebpfnet__fd_safe(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
	int ret;

	if (fd < 0) {
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_NAMESPACE,
				    "sk_lookup and flow dissector: /proc/thread-self/ns/net: %s",
				    ebpfnet_strerror(errno));
		return 0;
	}
	ret = query_hook(q, fd, EBPFNET_LINK_SK_LOOKUP, BPF_SK_LOOKUP);
	if (ret == 0)
		ret = query_hook(q, fd, EBPFNET_LINK_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR);
	return ret;
}

/* A netfilter hook with its program, as the kernel's list of hooks has it. */
struct hook {
	struct ebpfnet__netns_query *q;
	uint32_t family, number, type, prog_id;
	int32_t priority;
	int ret;
};

static bool is_at_hook(const struct bpf_link_info *info, const void *what)
{
	struct ebpfnet__link_info_netfilter nf = ebpfnet__link_info_netfilter(info);
	const struct hook *hook = what;

	return info->type == EBPFNET__BPF_LINK_TYPE_NETFILTER && nf.pf == hook->family &&
	       nf.hooknum == hook->number && nf.priority == hook->priority &&
	       info->prog_id == hook->prog_id;
}

static bool is_netfilter(const struct bpf_link_info *info, const void *what)
{
	(void)what;
	return info->type == EBPFNET__BPF_LINK_TYPE_NETFILTER;
}

static struct ebpfnet_query_entry *add_netfilter(struct ebpfnet__netns_query *q,
						 const struct hook *hook)
{
	struct ebpfnet_query_entry *entry = ebpfnet__query_add(q->call, q->query);

	if (!entry)
		return NULL;
	entry->kind = EBPFNET_LINK_NETFILTER;
	entry->via = EBPFNET_VIA_LINK;
	entry->hook = hook->number;
	entry->family = hook->family;
	entry->priority = hook->priority;
	entry->program_id = hook->prog_id;
	ebpfnet__query_name(entry, "");
	return entry;
}

static int desc_attr(const struct nlattr *attr, void *data)
{
	struct hook *hook = data;

	if (mnl_attr_get_type(attr) == EBPFNET__NFNLA_HOOK_BPF_ID)
		hook->prog_id = ntohl(mnl_attr_get_u32(attr));
	return MNL_CB_OK;
}

static int info_attr(const struct nlattr *attr, void *data)
{
	struct hook *hook = data;

	if (mnl_attr_get_type(attr) == NFNLA_HOOK_INFO_TYPE)
		hook->type = ntohl(mnl_attr_get_u32(attr));
	/* The type comes first in the kernel's message (nfnl_hook_put_bpf_prog_info). */
	if (mnl_attr_get_type(attr) == NFNLA_HOOK_INFO_DESC &&
	    hook->type == EBPFNET__NFNL_HOOK_TYPE_BPF)
		return mnl_attr_parse_nested(attr, desc_attr, hook);
	return MNL_CB_OK;
}

static int hook_attr(const struct nlattr *attr, void *data)
{
	struct hook *hook = data;

	switch (mnl_attr_get_type(attr)) {
	case NFNLA_HOOK_PRIORITY:
		hook->priority = (int32_t)ntohl(mnl_attr_get_u32(attr));
		break;
	case NFNLA_HOOK_CHAIN_INFO:
		return mnl_attr_parse_nested(attr, info_attr, hook);
	default:
		break;
	}
	return MNL_CB_OK;
}

static int hook_message(const struct nlmsghdr *nlh, void *data)
{
	struct hook *of = data, hook = { .q = of->q, .family = of->family, .number = of->number };
	struct ebpfnet__netns_query *q = of->q;
	struct ebpfnet_query_entry *entry;
	size_t at, n;

	mnl_attr_parse(nlh, sizeof(struct nfgenmsg), hook_attr, &hook);
	if (hook.prog_id == 0)
		return MNL_CB_OK;
	entry = add_netfilter(q, &hook);
	if (!entry) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	entry->netns_inode = q->netns_inode;
	n = ebpfnet__links_match(&q->links, is_at_hook, &hook, &at);
	if (n == 1)
		entry->link_id = q->links.list[at].id;
	if (n > 1)
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_LINKS,
				    "links: %zu hold program %u on netfilter hooks of the same "
				    "priority, and the kernel does not tell in which namespace "
				    "each is",
				    n, hook.prog_id);
	return MNL_CB_OK;
}

static int list_hook(struct ebpfnet__netns_query *q, struct ebpfnet__rtnl *nl, uint32_t family,
		     uint32_t number)
{
	char buffer[BUFFER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct hook hook = { .q = q, .family = family, .number = number };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	size_t first = q->query->count;
	struct nfgenmsg *nf;
	int ret;

	nlh->nlmsg_type = NFNL_SUBSYS_HOOK << 8 | NFNL_MSG_HOOK_GET;
	nlh->nlmsg_flags = NLM_F_DUMP;
	nf = mnl_nlmsg_put_extra_header(nlh, sizeof(*nf));
	nf->nfgen_family = (uint8_t)family;
	nf->version = NFNETLINK_V0;
	mnl_attr_put_u32(nlh, NFNLA_HOOK_HOOKNUM, htonl(number));
	ret = ebpfnet__rtnl_talk(nl, nlh, hook_message, &hook);
	ebpfnet__query_hook(q->query, first, 0);
	return ret;
}

/* Without the kernel's list: every netfilter link, of whatever namespace. */
static int list_links(struct ebpfnet__netns_query *q, int code)
{
	size_t at;

	if (ebpfnet__links_match(&q->links, is_netfilter, NULL, &at) == 0)
		return 0;
	ebpfnet__query_miss(q->query, EBPFNET_MISSING_NETFILTER,
			    "netfilter: in which namespace a link is: %s: those of all namespaces "
			    "are listed",
			    code == -EINVAL  ? "this kernel has no list of hooks "
					       "(CONFIG_NETFILTER_NETLINK_HOOK)"
			    : code == -EPERM ? "needs CAP_NET_ADMIN"
					     : ebpfnet_strerror(code));
	for (size_t i = 0; i < q->links.count; i++) {
		const struct bpf_link_info *info = &q->links.list[i];
		struct ebpfnet__link_info_netfilter nf = ebpfnet__link_info_netfilter(info);
		struct hook hook = { q, nf.pf, nf.hooknum, 0, info->prog_id, nf.priority, 0 };
		struct ebpfnet_query_entry *entry;

		if (!is_netfilter(info, NULL))
			continue;
		entry = add_netfilter(q, &hook);
		if (!entry)
			return ebpfnet_error_code(q->call->error);
		entry->link_id = info->id;
	}
	return 0;
}

int ebpfnet__query_netfilter(struct ebpfnet__netns_query *q)
{
	static const uint32_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	CLEANUP(rtnl) struct ebpfnet__rtnl nl = { 0 };
	size_t first = q->query->count;
	int ret = 0;

	nl.socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!nl.socket || mnl_socket_bind(nl.socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return list_links(q, -errno);
	for (size_t f = 0; f < EBPFNET__ARRAY_SIZE(families) && ret == 0; f++) {
		for (uint32_t i = 0; i <= EBPFNET_NETFILTER_POST_ROUTING && ret == 0; i++)
			ret = list_hook(q, &nl, families[f], i);
		if (ret == -EOPNOTSUPP) /* this family is not in the kernel */
			ret = 0;
	}
	if (ret == -ENOMEM)
		return q->call->failed ? ret : ebpfnet__fail_nomem(q->call);
	if (ret == 0)
		return 0;
	q->query->count = first;
	return list_links(q, ret);
}
