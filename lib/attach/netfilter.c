// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "attach/link.h"
#include "attach/netns.h"
#include "core/opts.h"
#include "core/uapi.h"
#include "load/object.h"
#include "load/pin.h"
#include "probe/feature.h"

/* linux/netfilter.h and linux/netfilter_ipv4.h, which drag in half of the network headers. */
#define NFPROTO_IPV4 2
#define NFPROTO_IPV6 10
#define NF_IP_PRI_CONNTRACK_DEFRAG (-400)

static const char *const hook_names[] = {
	[EBPFNET_NETFILTER_PRE_ROUTING] = "pre_routing",
	[EBPFNET_NETFILTER_LOCAL_IN] = "local_in",
	[EBPFNET_NETFILTER_FORWARD] = "forward",
	[EBPFNET_NETFILTER_LOCAL_OUT] = "local_out",
	[EBPFNET_NETFILTER_POST_ROUTING] = "post_routing",
};

/* Family, hook and priority: what one program has for itself. */
struct place {
	uint32_t family;
	uint32_t hook;
	int32_t priority;
	uint32_t flags;
};

static bool is_at(const struct bpf_link_info *info, const void *data)
{
	struct ebpfnet__link_info_netfilter nf = ebpfnet__link_info_netfilter(info);
	const struct place *place = data;

	return info->type == EBPFNET__BPF_LINK_TYPE_NETFILTER && nf.pf == place->family &&
	       nf.hooknum == place->hook && nf.priority == place->priority;
}

/*
 * The kernel tells of a netfilter link neither its namespace nor who else has a priority: a link
 * that is found may be of another namespace, and the words say no more than is known.
 */
static int fail_busy(struct ebpfnet__call *call, const struct place *place)
{
	struct bpf_link_info info;
	uint32_t link_id = ebpfnet__link_find(is_at, place, &info);
	char label[64];

	ebpfnet__hint(call, "take another priority: the lower runs first");
	if (link_id == 0)
		return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
				     "priority %d is taken by a hook of the kernel itself: "
				     "nftables, iptables, connection tracking",
				     place->priority);
	ebpfnet__program_label(info.prog_id, label, sizeof(label));
	return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
			     "priority %d is taken; %s has it by link %u", place->priority, label,
			     link_id);
}

static int fail_attach(struct ebpfnet__call *call, const struct place *place, int code)
{
	switch (code) {
	case -EBUSY:
		return fail_busy(call, place);
	case -EOPNOTSUPP:
		if (!place->flags ||
		    ebpfnet_probe(call->ctx, EBPFNET_FEATURE_NETFILTER_LINK, NULL) == 0)
			return ebpfnet__fail_feature(call, code, EBPFNET_FEATURE_NETFILTER_LINK,
						     NULL);
		ebpfnet__note_min_kernel(call, "6.6");
		ebpfnet__hint(call, "without DEFRAG, drop fragments or let them pass unread");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_SUPPORTED,
				     "DEFRAG needs Linux 6.6");
	case -ENOENT: /* what the kernel's modprobe gave */
	case -EINVAL:
		if (!place->flags)
			break;
		ebpfnet__hint(call, "modprobe %s",
			      place->family == NFPROTO_IPV4 ? "nf_defrag_ipv4" : "nf_defrag_ipv6");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "this kernel cannot put fragments together");
	default:
		break;
	}
	return ebpfnet__fail(call, code, 0, "%s", ebpfnet_strerror(code));
}

static int check_place(struct ebpfnet__call *call, const struct place *place)
{
	if (place->family != NFPROTO_IPV4 && place->family != NFPROTO_IPV6) {
		ebpfnet__hint(call, "attach it once with AF_INET and once with AF_INET6");
		return ebpfnet__fail(call, -EAFNOSUPPORT, EBPFNET_ERROR_INVALID,
				     "family %u is neither IPv4 (%d) nor IPv6 (%d)", place->family,
				     NFPROTO_IPV4, NFPROTO_IPV6);
	}
	if (place->hook >= EBPFNET__ARRAY_SIZE(hook_names))
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "hook %u is none: 0 to 4, pre_routing to post_routing",
				     place->hook);
	if (place->flags & ~EBPFNET_NETFILTER_DEFRAG)
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_INVALID,
				     "flags 0x%x are none that this library knows", place->flags);
	if (place->priority == INT_MIN || place->priority == INT_MAX) {
		ebpfnet__hint(call, "take one between them: the lower runs first");
		return ebpfnet__fail(call, -ERANGE, EBPFNET_ERROR_INVALID,
				     "the kernel keeps the priorities INT_MIN and INT_MAX");
	}
	if (place->flags && place->priority <= NF_IP_PRI_CONNTRACK_DEFRAG) {
		ebpfnet__hint(call, "take a priority above %d", NF_IP_PRI_CONNTRACK_DEFRAG);
		return ebpfnet__fail(call, -ERANGE, EBPFNET_ERROR_INVALID,
				     "packets are put together at priority %d, and this program "
				     "would run before that",
				     NF_IP_PRI_CONNTRACK_DEFRAG);
	}
	return 0;
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
	if (info.type != EBPFNET__BPF_PROG_TYPE_NETFILTER) {
		ebpfnet__hint(call, "put it into SEC(\"netfilter\")");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is of type %u, not netfilter (%d)", prog->name,
				     info.type, EBPFNET__BPF_PROG_TYPE_NETFILTER);
	}
	return 0;
}

static int attach(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
		  const struct place *place, int netns_fd, struct ebpfnet_link *link)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .netfilter.pf = place->family,
		    .netfilter.hooknum = place->hook, .netfilter.priority = place->priority,
		    .netfilter.flags = place->flags);
	struct ebpfnet__netns stay;
	int ret = ebpfnet__netns_enter(call, netns_fd, &stay);

	if (ret)
		return ret;
	link->fd = ebpfnet__fd_safe(
		bpf_link_create(prog->fd, 0, (enum bpf_attach_type)EBPFNET__BPF_NETFILTER, &o));
	ret = link->fd < 0 ? -errno : 0;
	link->netns_inode = ebpfnet__netns_inode(0);
	ret = ebpfnet__netns_leave(call, &stay, ret);
	if (call->failed)
		return ret;
	return ret ? fail_attach(call, place, ret) : 0;
}

int ebpfnet_netfilter_attach(const struct ebpfnet_program *prog, uint32_t family, uint32_t hook,
			     const struct ebpfnet_netfilter_opts *opts, struct ebpfnet_link **out,
			     struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "attach netfilter %s", prog->name);
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	struct place place = { .family = family, .hook = hook };
	struct ebpfnet_netfilter_opts o;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret)
		return ret;
	place.priority = o.priority;
	place.flags = o.flags;
	ret = check_place(&call, &place);
	if (ret == 0)
		ret = check_program(&call, prog);
	if (ret == 0)
		ret = ebpfnet__netns_check(&call, o.netns_fd);
	if (ret)
		return ret;
	ebpfnet__call_what(&call, "attach netfilter %s %s priority %d",
			   family == NFPROTO_IPV4 ? "ipv4" : "ipv6", hook_names[hook], o.priority);
	link = ebpfnet__link_new(&call, EBPFNET_LINK_NETFILTER, 0, 0);
	if (!link)
		return ebpfnet_error_code(call.error);
	link->prog_fd = ebpfnet__fd_dup(prog->fd);
	if (link->prog_fd < 0)
		return ebpfnet__fail(&call, link->prog_fd, 0, "%s",
				     ebpfnet_strerror(link->prog_fd));
	ret = attach(&call, prog, &place, o.netns_fd, link);
	if (ret)
		return ret;
	link->way = &ebpfnet__way_bpf_link;
	link->via = EBPFNET_VIA_LINK;
	link->family = family;
	link->hook = hook;
	link->priority = o.priority;
	*out = TAKE(link);
	return 0;
}
