// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "attach/link.h"
#include "attach/netns.h"
#include "attach/rtnl.h"
#include "core/opts.h"
#include "load/object.h"
#include "load/pin.h"
#include <ebpfnet/probe.h>

/* Links looked at to name the one that holds a hook. */
#define LINKS_MAX 100000

static const uint32_t mode_flags[] = {
	[EBPFNET_XDP_NATIVE] = XDP_FLAGS_DRV_MODE,
	[EBPFNET_XDP_GENERIC] = XDP_FLAGS_SKB_MODE,
	[EBPFNET_XDP_OFFLOAD] = XDP_FLAGS_HW_MODE,
};

static const char *const mode_names[] = {
	[EBPFNET_XDP_NATIVE] = "native",
	[EBPFNET_XDP_AUTO] = "auto",
	[EBPFNET_XDP_GENERIC] = "generic",
	[EBPFNET_XDP_OFFLOAD] = "offload",
};

/* One attempt to attach. */
struct attempt {
	const struct ebpfnet_program *prog;
	int ifindex;
	uint32_t mode;
	int expected_fd; /* -1: the hook must be free */
	int netns_fd;
	struct ebpfnet__rtnl *rtnl;
	struct ebpfnet__interface *interface;
};

/* The id of the link that holds an XDP program on an interface, 0 if none is found. */
static uint32_t find_link(uint32_t prog_id, int ifindex)
{
	uint32_t id = 0;

	for (int i = 0; i < LINKS_MAX && bpf_link_get_next_id(id, &id) == 0; i++) {
		CLEANUP(fd) int fd = bpf_link_get_fd_by_id(id);
		struct bpf_link_info info = { 0 };

		if (fd < 0 || ebpfnet__info_by_fd(fd, &info, sizeof(info)))
			continue;
		if (info.type == BPF_LINK_TYPE_XDP && info.prog_id == prog_id &&
		    info.xdp.ifindex == (uint32_t)ifindex)
			return id;
	}
	return 0;
}

static int fail_busy(struct ebpfnet__call *call, const struct attempt *a)
{
	struct ebpfnet__interface now;
	uint32_t prog_id, link_id;
	const char *mode;
	char label[64];

	if (ebpfnet__rtnl_interface(a->rtnl, a->ifindex, &now))
		now = *a->interface;
	prog_id = now.xdp_native    ? now.xdp_native
		  : now.xdp_generic ? now.xdp_generic
				    : now.xdp_offload;
	mode = now.xdp_native ? "native" : now.xdp_generic ? "generic" : "offload";
	if (prog_id == 0)
		return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
				     "another program was attached at the same time");
	ebpfnet__program_label(prog_id, label, sizeof(label));
	if (strstr(label, "(xdp_dispatcher)")) {
		ebpfnet__hint(call, "xdp-loader unload %s --all removes it", now.name);
		return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
				     "%s, libxdp's dispatcher, is attached in %s mode", label,
				     mode);
	}
	link_id = find_link(prog_id, a->ifindex);
	if (link_id) {
		ebpfnet__hint(call,
			      "an interface runs one XDP program: detach that one (bpftool link "
			      "detach id %u)",
			      link_id);
		return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
				     "%s is attached in %s mode by link %u", label, mode, link_id);
	}
	ebpfnet__hint(call,
		      "detach that one (ip link set dev %s xdp off), or give it as expected to "
		      "replace it",
		      now.name);
	return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY, "%s is attached in %s mode", label,
			     mode);
}

static int fail_unsupported(struct ebpfnet__call *call, const struct attempt *a)
{
	if (a->mode == EBPFNET_XDP_OFFLOAD) {
		ebpfnet__hint(call, "use native mode");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "%s cannot run XDP programs itself", a->interface->name);
	}
	ebpfnet__hint(call, "use mode AUTO or GENERIC");
	return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
			     "the driver of %s has no %s XDP", a->interface->name,
			     mode_names[a->mode]);
}

/* The kernel's words say what the device does not like; most of all an MTU above one buffer. */
static int fail_invalid(struct ebpfnet__call *call, const struct attempt *a, int code)
{
	const char *words = a->rtnl->extack;

	if (code == -ERANGE || strstr(words, "MTU") || strstr(words, "mtu"))
		ebpfnet__hint(call, "put the program into SEC(\"xdp.frags\") (Linux 5.18), lower "
				    "the MTU, or use mode GENERIC");
	return ebpfnet__fail(call, code, EBPFNET_ERROR_INVALID, "%s",
			     *words ? words : ebpfnet_strerror(code));
}

static int fail_attach(struct ebpfnet__call *call, const struct attempt *a, int code)
{
	const char *words = a->rtnl->extack;

	ebpfnet__note_extack(call, words);
	switch (code) {
	case -EBUSY:
		return fail_busy(call, a);
	case -EEXIST:
		if (a->expected_fd < 0)
			return fail_busy(call, a);
		return ebpfnet__fail(call, -ESTALE, EBPFNET_ERROR_STALE,
				     "another program than the expected one is attached");
	case -EOPNOTSUPP:
		return fail_unsupported(call, a);
	case -EINVAL:
		/* A driver without offload says so in as many ways as there are drivers. */
		if (a->mode == EBPFNET_XDP_OFFLOAD)
			return fail_unsupported(call, a);
		return fail_invalid(call, a, code);
	case -ERANGE:
		return fail_invalid(call, a, code);
	case -ENODEV:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_FOUND,
				     "the interface went away");
	case -EPERM:
		ebpfnet__hint(call, "CAP_NET_ADMIN in the namespace of the interface, and CAP_BPF");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_PERMISSION, "%s",
				     ebpfnet_strerror(code));
	default:
		return ebpfnet__fail(call, code, 0, "%s", *words ? words : ebpfnet_strerror(code));
	}
}

/*
 * A link gives EINVAL or (veth, for its MTU) ERANGE without a word (until the tracepoint of 6.6);
 * netlink says why. The same request is refused there for the same reason; should it be accepted,
 * it is taken back.
 */
static void ask_netlink_why(const struct attempt *a)
{
	uint32_t flags = mode_flags[a->mode] | XDP_FLAGS_UPDATE_IF_NOEXIST;

	if (ebpfnet__rtnl_xdp_set(a->rtnl, a->ifindex, a->prog->fd, flags, 0) == 0)
		ebpfnet__rtnl_xdp_set(a->rtnl, a->ifindex, -1,
				      mode_flags[a->mode] | XDP_FLAGS_REPLACE, a->prog->fd);
}

static int attach_link(struct ebpfnet__call *call, const struct attempt *a,
		       struct ebpfnet_link *link)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = mode_flags[a->mode]);
	struct ebpfnet__netns stay;
	int fd, ret;

	ret = ebpfnet__netns_enter(call, a->netns_fd, &stay);
	if (ret)
		return ret;
	fd = ebpfnet__fd_safe(bpf_link_create(a->prog->fd, a->ifindex, BPF_XDP, &o));
	ret = fd < 0 ? -errno : 0;
	ret = ebpfnet__netns_leave(call, &stay, ret);
	if (ret) {
		if (fd >= 0)
			close(fd);
		if (call->failed)
			return ret;
		if (ret == -EINVAL || ret == -ERANGE)
			ask_netlink_why(a);
		return fail_attach(call, a, ret);
	}
	link->fd = fd;
	link->way = &ebpfnet__way_bpf_link;
	link->via = EBPFNET_VIA_LINK;
	return 0;
}

static int attach_netlink(struct ebpfnet__call *call, const struct attempt *a,
			  struct ebpfnet_link *link)
{
	uint32_t how = a->expected_fd < 0 ? XDP_FLAGS_UPDATE_IF_NOEXIST : XDP_FLAGS_REPLACE;
	int ret = ebpfnet__rtnl_xdp_set(a->rtnl, a->ifindex, a->prog->fd, mode_flags[a->mode] | how,
					a->expected_fd);

	if (ret)
		return fail_attach(call, a, ret);
	link->way = &ebpfnet__way_xdp_netlink;
	link->via = EBPFNET_VIA_NETLINK;
	link->flags = mode_flags[a->mode];
	return 0;
}

static int attach_mode(struct ebpfnet__call *call, struct attempt *a, uint32_t via,
		       struct ebpfnet_link *link)
{
	/* Generic and native are separate hooks of one interface that exclude each other. */
	int ret = via == EBPFNET_VIA_NETLINK ? attach_netlink(call, a, link)
					     : attach_link(call, a, link);

	if (ret == 0)
		link->mode = a->mode;
	return ret;
}

static int check(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
		 const struct ebpfnet_xdp_opts *o)
{
	struct bpf_prog_info info = { 0 };
	int ret;

	if (o->mode > EBPFNET_XDP_OFFLOAD || o->via > EBPFNET_VIA_NETLINK)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "mode %u or via %u is none that this library knows", o->mode,
				     o->via);
	if (prog->fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is not loaded", prog->name);
	ret = ebpfnet__info_by_fd(prog->fd, &info, sizeof(info));
	if (ret)
		return ebpfnet__fail(call, ret, 0, "program %s: %s", prog->name,
				     ebpfnet_strerror(ret));
	if (info.type != BPF_PROG_TYPE_XDP) {
		ebpfnet__hint(call, "put it into SEC(\"xdp\")");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is of type %u, not XDP (%u)", prog->name,
				     info.type, BPF_PROG_TYPE_XDP);
	}
	if (o->expected && o->expected->fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the expected program %s is not loaded", o->expected->name);
	if (o->expected && o->via == EBPFNET_VIA_LINK) {
		ebpfnet__hint(call, "use via NETLINK, or ebpfnet_link_update()");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "a link cannot take the place of an attached program");
	}
	return ebpfnet__netns_check(call, o->netns_fd);
}

/* Link where the kernel has it; netlink before 5.9 and for compare-and-swap. */
static uint32_t choose_via(struct ebpfnet_ctx *ctx, const struct ebpfnet_xdp_opts *o)
{
	struct ebpfnet_error *inner = NULL;
	int has;

	if (o->via != EBPFNET_VIA_ANY)
		return o->via;
	if (o->expected)
		return EBPFNET_VIA_NETLINK;
	has = ebpfnet_probe(ctx, EBPFNET_FEATURE_XDP_LINK, &inner);
	ebpfnet_error_free(inner);
	/* Refused is no answer: the attempt itself will say what is missing. */
	return has == 0 ? EBPFNET_VIA_NETLINK : EBPFNET_VIA_LINK;
}

int ebpfnet_xdp_attach(const struct ebpfnet_program *prog, int ifindex,
		       const struct ebpfnet_xdp_opts *opts, struct ebpfnet_link **out,
		       struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "attach xdp ifindex %d", ifindex);
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	struct ebpfnet__interface interface;
	struct ebpfnet_xdp_opts o;
	uint32_t via;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0)
		ret = check(&call, prog, &o);
	if (ret == 0)
		ret = ebpfnet__rtnl_open(&call, o.netns_fd, &rtnl);
	if (ret)
		return ret;
	/* The kernel gives EINVAL for a bad ifindex, as for much else: look first. */
	ret = ebpfnet__rtnl_interface(&rtnl, ifindex, &interface);
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "%s",
				     ret == -ENODEV ? "there is no such interface"
						    : ebpfnet_strerror(ret));
	ebpfnet__call_what(&call, "attach xdp %s", interface.name);
	via = choose_via(call.ctx, &o);
	link = ebpfnet__link_new(&call, EBPFNET_LINK_XDP, ifindex, o.netns_fd);
	if (!link)
		return ebpfnet_error_code(call.error);
	/* Before anything is attached: over netlink, going back needs to know what to take away. */
	link->prog_fd = ebpfnet__fd_dup(prog->fd);
	if (link->prog_fd < 0)
		return ebpfnet__fail(&call, link->prog_fd, 0, "%s",
				     ebpfnet_strerror(link->prog_fd));

	struct attempt a = {
		.prog = prog,
		.ifindex = ifindex,
		.mode = o.mode == EBPFNET_XDP_AUTO ? EBPFNET_XDP_NATIVE : o.mode,
		.expected_fd = o.expected ? o.expected->fd : -1,
		.netns_fd = o.netns_fd,
		.rtnl = &rtnl,
		.interface = &interface,
	};
	ret = attach_mode(&call, &a, via, link);
	if (ret && o.mode == EBPFNET_XDP_AUTO && (ret == -EOPNOTSUPP || ret == -EINVAL)) {
		ebpfnet__call_clear(&call);
		a.mode = EBPFNET_XDP_GENERIC;
		ret = attach_mode(&call, &a, via, link);
	}
	if (ret)
		return ret;
	*out = TAKE(link);
	return 0;
}

uint32_t ebpfnet__xdp_mode_of(struct ebpfnet__call *call, int netns_fd, int ifindex,
			      uint32_t prog_id)
{
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	struct ebpfnet__interface interface;

	if (ifindex <= 0 || ebpfnet__rtnl_open(call, netns_fd, &rtnl)) {
		ebpfnet__call_clear(call);
		return EBPFNET_XDP_NATIVE;
	}
	if (ebpfnet__rtnl_interface(&rtnl, ifindex, &interface))
		return EBPFNET_XDP_NATIVE;
	if (interface.xdp_generic == prog_id)
		return EBPFNET_XDP_GENERIC;
	return interface.xdp_offload == prog_id ? EBPFNET_XDP_OFFLOAD : EBPFNET_XDP_NATIVE;
}
