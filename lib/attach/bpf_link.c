// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The way of every bpf_link: the kernel does it all. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "attach/cgroup.h"
#include "attach/link.h"
#include "core/uapi.h"
#include "load/pin.h"

static uint32_t netns_kind(const struct bpf_link_info *info)
{
	switch (info->netns.attach_type) {
	case BPF_SK_LOOKUP:
		return EBPFNET_LINK_SK_LOOKUP;
	case BPF_FLOW_DISSECTOR:
		return EBPFNET_LINK_FLOW_DISSECTOR;
	default:
		return EBPFNET_LINK_OTHER;
	}
}

/* bpf_link_info.sockmap, which Linux 6.1's headers lack. */
static struct ebpfnet__link_info_sockmap sockmap_of(const struct bpf_link_info *info)
{
	struct ebpfnet__link_info_sockmap slot;

	memcpy(&slot, &info->xdp, sizeof(slot));
	return slot;
}

static uint32_t sockmap_hook(uint32_t attach_type)
{
	switch (attach_type) {
	case BPF_SK_MSG_VERDICT:
		return EBPFNET_SOCKMAP_MSG_VERDICT;
	case BPF_SK_SKB_STREAM_PARSER:
		return EBPFNET_SOCKMAP_STREAM_PARSER;
	case BPF_SK_SKB_STREAM_VERDICT:
		return EBPFNET_SOCKMAP_STREAM_VERDICT;
	default:
		return EBPFNET_SOCKMAP_SKB_VERDICT;
	}
}

void ebpfnet__bpf_link_facts(const struct bpf_link_info *info, struct ebpfnet_link *link)
{
	struct ebpfnet__link_info_netfilter nf = ebpfnet__link_info_netfilter(info);
	struct ebpfnet__link_info_tcx tcx = ebpfnet__link_info_tcx(info);
	struct ebpfnet__link_info_netkit nk = ebpfnet__link_info_netkit(info);

	link->via = EBPFNET_VIA_LINK;
	switch (info->type) {
	case BPF_LINK_TYPE_XDP:
		link->kind = EBPFNET_LINK_XDP;
		link->ifindex = (int)info->xdp.ifindex;
		break;
	case EBPFNET__BPF_LINK_TYPE_TCX:
		link->kind = EBPFNET_LINK_TC;
		link->via = EBPFNET_VIA_TCX;
		link->ifindex = (int)tcx.ifindex;
		link->hook = tcx.attach_type == EBPFNET__BPF_TCX_INGRESS ? EBPFNET_INGRESS
									 : EBPFNET_EGRESS;
		break;
	case BPF_LINK_TYPE_NETNS:
		link->kind = netns_kind(info);
		link->netns_inode = info->netns.netns_ino;
		break;
	case EBPFNET__BPF_LINK_TYPE_NETKIT:
		link->kind = EBPFNET_LINK_NETKIT;
		link->ifindex = (int)nk.ifindex;
		link->hook = nk.attach_type == EBPFNET__BPF_NETKIT_PEER ? EBPFNET_NETKIT_PEER
									: EBPFNET_NETKIT_PRIMARY;
		break;
	case EBPFNET__BPF_LINK_TYPE_NETFILTER:
		link->kind = EBPFNET_LINK_NETFILTER;
		link->family = nf.pf;
		link->hook = nf.hooknum;
		link->priority = nf.priority;
		break;
	case EBPFNET__BPF_LINK_TYPE_SOCKMAP:
		link->kind = EBPFNET_LINK_SOCKMAP;
		link->hook = sockmap_hook(sockmap_of(info).attach_type);
		break;
	case BPF_LINK_TYPE_CGROUP:
		link->kind = EBPFNET_LINK_CGROUP;
		link->hook = ebpfnet__cgroup_hook_of(info->cgroup.attach_type);
		break;
	default:
		link->kind = EBPFNET_LINK_OTHER;
		break;
	}
}

static int fail_update(struct ebpfnet__call *call, const struct ebpfnet_link *link, int code,
		       int expected_fd)
{
	struct bpf_link_info info = { 0 };
	char label[64];

	ebpfnet__info_by_fd(link->fd, &info, sizeof(info));
	/* Another program than the expected one is EPERM, like a missing capability. */
	if (code == -EPERM && expected_fd >= 0 &&
	    info.prog_id != ebpfnet__program_id(expected_fd)) {
		ebpfnet__program_label(info.prog_id, label, sizeof(label));
		return ebpfnet__fail(call, -ESTALE, EBPFNET_ERROR_STALE,
				     "%s is attached, not the expected program %u", label,
				     ebpfnet__program_id(expected_fd));
	}
	switch (code) {
	case -EOPNOTSUPP:
		if (link->kind != EBPFNET_LINK_NETFILTER)
			break;
		ebpfnet__hint(call, "attach the new program at a priority beside it, then detach "
				    "this one");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_SUPPORTED,
				     "a netfilter link keeps its program");
	case -EEXIST:
		ebpfnet__hint(call, "a hook takes a program once: load its object again to run it "
				    "twice");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_BUSY,
				     "the program is on this hook already");
	case -EINVAL:
		ebpfnet__hint(call, "load it with the same section name and flags as the old one");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_INCOMPATIBLE,
				     "its type or expected attach type is not that of the link");
	case -ERANGE:
		if (link->kind != EBPFNET_LINK_XDP)
			break;
		ebpfnet__hint(call,
			      "put the program into SEC(\"xdp.frags\") (Linux 5.18), or lower "
			      "the MTU");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_INCOMPATIBLE,
				     "the device's MTU is more than one buffer holds, and the "
				     "program sees only one");
	case -ENOLINK:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_DEFUNCT,
				     "the device or namespace of the link is gone");
	default:
		break;
	}
	return ebpfnet__fail(call, code, 0, "%s", ebpfnet_strerror(code));
}

static int update(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd,
		  int expected_fd)
{
	LIBBPF_OPTS(bpf_link_update_opts, o, .flags = expected_fd < 0 ? 0 : BPF_F_REPLACE,
		    .old_prog_fd = expected_fd < 0 ? 0 : (__u32)expected_fd);

	/* A cgroup link compares the type alone: connect6 would run for IPv4 (measured on 6.18). */
	if (link->kind == EBPFNET_LINK_CGROUP && link->hook &&
	    ebpfnet__cgroup_fits(prog_fd, link->hook) == 0)
		return fail_update(call, link, -EINVAL, expected_fd);
	if (bpf_link_update(link->fd, prog_fd, &o) == 0)
		return 0;
	return fail_update(call, link, -errno, expected_fd);
}

static int detach(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	if (bpf_link_detach(link->fd) == 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == EINVAL)
		ebpfnet__hint(call, "remove its pin and close every descriptor of it");
	return ebpfnet__fail(call, -errno, errno == EINVAL ? EBPFNET_ERROR_NOT_SUPPORTED : 0,
			     "this kernel cannot detach it by force: %s", ebpfnet_strerror(errno));
}

static int info(struct ebpfnet__call *call, const struct ebpfnet_link *link,
		struct ebpfnet_link_info *out)
{
	struct bpf_link_info i = { 0 };
	int ret = ebpfnet__info_by_fd(link->fd, &i, sizeof(i));

	if (ret)
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	out->id = i.id;
	out->program_id = i.prog_id;
	switch (link->kind) {
	case EBPFNET_LINK_TC:
		out->ifindex = ebpfnet__link_info_tcx(&i).ifindex;
		out->defunct = out->ifindex == 0;
		break;
	case EBPFNET_LINK_XDP:
		out->ifindex = i.xdp.ifindex;
		out->defunct = i.xdp.ifindex == 0;
		break;
	case EBPFNET_LINK_NETKIT:
		out->ifindex = ebpfnet__link_info_netkit(&i).ifindex;
		out->defunct = out->ifindex == 0;
		break;
	case EBPFNET_LINK_SK_LOOKUP:
	case EBPFNET_LINK_FLOW_DISSECTOR:
		out->netns_inode = i.netns.netns_ino;
		out->defunct = i.netns.netns_ino == 0;
		break;
	case EBPFNET_LINK_SOCKMAP:
		out->map_id = sockmap_of(&i).map_id;
		out->defunct = out->map_id == 0;
		break;
	case EBPFNET_LINK_CGROUP:
		out->cgroup_id = i.cgroup.cgroup_id;
		out->defunct = i.cgroup.cgroup_id == 0;
		break;
	default:
		break;
	}
	return 0;
}

static int pin(struct ebpfnet__call *call, struct ebpfnet_link *link, const char *path)
{
	return ebpfnet__pin_fd(call, link->fd, path);
}

static int unpin(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	return ebpfnet__pin_remove(call, link->pin);
}

const struct ebpfnet__link_way ebpfnet__way_bpf_link = {
	.update = update,
	.detach = detach,
	.info = info,
	.pin = pin,
	.unpin = unpin,
	.by_fd = true,
};
