// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* sk_lookup and the flow dissector: links on a namespace's descriptor, which nobody needs to enter.
 */
#include <bpf/bpf.h>
#include <errno.h>

#include "attach/link.h"
#include "attach/netns.h"
#include "core/opts.h"
#include "load/object.h"
#include "load/pin.h"

/* The kernel's own number (NETNS_BPF_SK_LOOKUP in kernel/bpf/net_namespace.c). */
#define SK_LOOKUP_MAX 64

/* A flow dissector's link, in any namespace or in the one of this inode. */
static bool is_dissector(const struct bpf_link_info *info, const void *data)
{
	uint64_t inode = *(const uint64_t *)data;

	return info->type == BPF_LINK_TYPE_NETNS && info->netns.netns_ino &&
	       info->netns.attach_type == BPF_FLOW_DISSECTOR &&
	       (inode == 0 || info->netns.netns_ino == inode);
}

/* The dissector that a namespace runs, by link or not; 0: none, or it cannot be seen. */
static uint32_t dissector_of(int netns_fd)
{
	uint32_t id = 0, count = 1;

	if (bpf_prog_query(netns_fd, BPF_FLOW_DISSECTOR, 0, NULL, &id, &count) < 0 || count == 0)
		return 0;
	return id;
}

static int fail_dissector_taken(struct ebpfnet__call *call, int netns_fd)
{
	uint64_t inode = ebpfnet__netns_inode(netns_fd), any = 0;
	uint32_t prog_id = dissector_of(netns_fd), link_id;
	struct bpf_link_info info;
	char label[64];

	if (prog_id) {
		ebpfnet__program_label(prog_id, label, sizeof(label));
		link_id = ebpfnet__link_find(is_dissector, &inode, &info);
		if (link_id == 0) {
			ebpfnet__hint(call, "a namespace has one flow dissector: detach that one "
					    "(bpftool prog detach)");
			return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
					     "%s is attached there, without a link", label);
		}
		ebpfnet__hint(call,
			      "a namespace has one flow dissector: update that link, or detach it "
			      "(bpftool link detach id %u)",
			      link_id);
		return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
				     "%s is attached there by link %u", label, link_id);
	}
	link_id = ebpfnet__link_find(is_dissector, &any, &info);
	if (link_id == 0)
		return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
				     "the root namespace's flow dissector excludes those of all "
				     "others, and one of the other side is attached");
	ebpfnet__program_label(info.prog_id, label, sizeof(label));
	ebpfnet__hint(call, "detach that one first (bpftool link detach id %u)", link_id);
	return ebpfnet__fail(
		call, -EBUSY, EBPFNET_ERROR_BUSY,
		"the root namespace's flow dissector excludes those of all others, and "
		"%s is attached on the other side by link %u",
		label, link_id);
}

static int fail_attach(struct ebpfnet__call *call, uint32_t kind, int netns_fd, int code)
{
	bool dissector = kind == EBPFNET_LINK_FLOW_DISSECTOR;

	switch (code) {
	case -E2BIG:
		/* To the kernel one dissector is a list that is full at one. */
		if (dissector)
			return fail_dissector_taken(call, netns_fd);
		ebpfnet__hint(call, "detach one of them (bpftool net, bpftool link)");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_BUSY,
				     "%d programs are attached, and a namespace takes no more",
				     SK_LOOKUP_MAX);
	case -EEXIST:
		return fail_dissector_taken(call, netns_fd);
	case -EINVAL:
		/* All else that is EINVAL was looked at before. */
		ebpfnet__note_min_kernel(call, dissector ? "5.8" : "5.9");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_SUPPORTED,
				     "links of this kind need Linux %s", dissector ? "5.8" : "5.9");
	default:
		return ebpfnet__fail(call, code, 0, "%s", ebpfnet_strerror(code));
	}
}

static int check(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
		 const struct ebpfnet_netns_opts *o, uint32_t *kind)
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
	switch (info.type) {
	case BPF_PROG_TYPE_SK_LOOKUP:
		*kind = EBPFNET_LINK_SK_LOOKUP;
		break;
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
		*kind = EBPFNET_LINK_FLOW_DISSECTOR;
		break;
	default:
		ebpfnet__hint(call, "put it into SEC(\"sk_lookup\") or SEC(\"flow_dissector\")");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is of type %u, neither sk_lookup (%u) nor flow "
				     "dissector (%u)",
				     prog->name, info.type, BPF_PROG_TYPE_SK_LOOKUP,
				     BPF_PROG_TYPE_FLOW_DISSECTOR);
	}
	ebpfnet__call_what(call, "attach %s %s",
			   *kind == EBPFNET_LINK_SK_LOOKUP ? "sk_lookup" : "flow dissector",
			   prog->name);
	return ebpfnet__netns_check_net(call, o->netns_fd);
}

int ebpfnet_netns_attach(const struct ebpfnet_program *prog, const struct ebpfnet_netns_opts *opts,
			 struct ebpfnet_link **out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "attach %s to a namespace", prog->name);
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	CLEANUP(fd) int netns_fd = -1;
	struct ebpfnet_netns_opts o;
	uint32_t kind = 0;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0)
		ret = check(&call, prog, &o, &kind);
	if (ret == 0)
		ret = ebpfnet__netns_dup(&call, o.netns_fd, &netns_fd);
	if (ret)
		return ret;
	/* Not the namespace itself: a descriptor in the link would keep it alive for ever. */
	link = ebpfnet__link_new(&call, kind, 0, 0);
	if (!link)
		return ebpfnet_error_code(call.error);
	link->prog_fd = ebpfnet__fd_dup(prog->fd);
	if (link->prog_fd < 0)
		return ebpfnet__fail(&call, link->prog_fd, 0, "%s",
				     ebpfnet_strerror(link->prog_fd));
	link->fd = ebpfnet__fd_safe(bpf_link_create(
		prog->fd, netns_fd,
		kind == EBPFNET_LINK_SK_LOOKUP ? BPF_SK_LOOKUP : BPF_FLOW_DISSECTOR, NULL));
	if (link->fd < 0)
		return fail_attach(&call, kind, netns_fd, -errno);
	link->way = &ebpfnet__way_bpf_link;
	link->via = EBPFNET_VIA_LINK;
	link->netns_inode = ebpfnet__netns_inode(netns_fd);
	*out = TAKE(link);
	return 0;
}
