// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The table of a cgroup's hooks, and which of them a program was loaded for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/cgroup.h"
#include "core/uapi.h"
#include "load/pin.h"
#include "probe/kernel.h"
#include "probe/try.h"

#define ROW(name_, section_, type_, attach_, min_)                                                 \
	{                                                                                          \
		.name = (name_), .section = (section_), .attach_type = (attach_),                  \
		.prog_type = BPF_PROG_TYPE_##type_, .min_kernel = (min_)                           \
	}
#define ADDR(name_, attach_, min_) ROW(name_, "cgroup/" name_, CGROUP_SOCK_ADDR, attach_, min_)

static const struct ebpfnet__cgroup_hook hooks[] = {
	[EBPFNET_CGROUP_SKB_INGRESS] = ROW("skb_ingress", "cgroup_skb/ingress", CGROUP_SKB,
					   BPF_CGROUP_INET_INGRESS, "4.10"),
	[EBPFNET_CGROUP_SKB_EGRESS] =
		ROW("skb_egress", "cgroup_skb/egress", CGROUP_SKB, BPF_CGROUP_INET_EGRESS, "4.10"),
	[EBPFNET_CGROUP_SOCK_CREATE] = ROW("sock_create", "cgroup/sock_create", CGROUP_SOCK,
					   BPF_CGROUP_INET_SOCK_CREATE, "4.10"),
	[EBPFNET_CGROUP_SOCK_RELEASE] = ROW("sock_release", "cgroup/sock_release", CGROUP_SOCK,
					    BPF_CGROUP_INET_SOCK_RELEASE, "5.9"),
	[EBPFNET_CGROUP_POST_BIND4] = ROW("post_bind4", "cgroup/post_bind4", CGROUP_SOCK,
					  BPF_CGROUP_INET4_POST_BIND, "4.17"),
	[EBPFNET_CGROUP_POST_BIND6] = ROW("post_bind6", "cgroup/post_bind6", CGROUP_SOCK,
					  BPF_CGROUP_INET6_POST_BIND, "4.17"),
	[EBPFNET_CGROUP_BIND4] = ADDR("bind4", BPF_CGROUP_INET4_BIND, "4.17"),
	[EBPFNET_CGROUP_BIND6] = ADDR("bind6", BPF_CGROUP_INET6_BIND, "4.17"),
	[EBPFNET_CGROUP_CONNECT4] = ADDR("connect4", BPF_CGROUP_INET4_CONNECT, "4.17"),
	[EBPFNET_CGROUP_CONNECT6] = ADDR("connect6", BPF_CGROUP_INET6_CONNECT, "4.17"),
	[EBPFNET_CGROUP_SENDMSG4] = ADDR("sendmsg4", BPF_CGROUP_UDP4_SENDMSG, "4.18"),
	[EBPFNET_CGROUP_SENDMSG6] = ADDR("sendmsg6", BPF_CGROUP_UDP6_SENDMSG, "4.18"),
	[EBPFNET_CGROUP_RECVMSG4] = ADDR("recvmsg4", BPF_CGROUP_UDP4_RECVMSG, "5.2"),
	[EBPFNET_CGROUP_RECVMSG6] = ADDR("recvmsg6", BPF_CGROUP_UDP6_RECVMSG, "5.2"),
	[EBPFNET_CGROUP_GETPEERNAME4] = ADDR("getpeername4", BPF_CGROUP_INET4_GETPEERNAME, "5.8"),
	[EBPFNET_CGROUP_GETPEERNAME6] = ADDR("getpeername6", BPF_CGROUP_INET6_GETPEERNAME, "5.8"),
	[EBPFNET_CGROUP_GETSOCKNAME4] = ADDR("getsockname4", BPF_CGROUP_INET4_GETSOCKNAME, "5.8"),
	[EBPFNET_CGROUP_GETSOCKNAME6] = ADDR("getsockname6", BPF_CGROUP_INET6_GETSOCKNAME, "5.8"),
	[EBPFNET_CGROUP_SOCKOPS] = ROW("sockops", "sockops", SOCK_OPS, BPF_CGROUP_SOCK_OPS, "4.13"),
	[EBPFNET_CGROUP_GETSOCKOPT] = ROW("getsockopt", "cgroup/getsockopt", CGROUP_SOCKOPT,
					  BPF_CGROUP_GETSOCKOPT, "5.3"),
	[EBPFNET_CGROUP_SETSOCKOPT] = ROW("setsockopt", "cgroup/setsockopt", CGROUP_SOCKOPT,
					  BPF_CGROUP_SETSOCKOPT, "5.3"),
	[EBPFNET_CGROUP_DEVICE] =
		ROW("device", "cgroup/dev", CGROUP_DEVICE, BPF_CGROUP_DEVICE, "4.15"),
	[EBPFNET_CGROUP_SYSCTL] =
		ROW("sysctl", "cgroup/sysctl", CGROUP_SYSCTL, BPF_CGROUP_SYSCTL, "5.2"),
	[EBPFNET_CGROUP_CONNECT_UNIX] =
		ADDR("connect_unix", EBPFNET__BPF_CGROUP_UNIX_CONNECT, "6.7"),
	[EBPFNET_CGROUP_SENDMSG_UNIX] =
		ADDR("sendmsg_unix", EBPFNET__BPF_CGROUP_UNIX_SENDMSG, "6.7"),
	[EBPFNET_CGROUP_RECVMSG_UNIX] =
		ADDR("recvmsg_unix", EBPFNET__BPF_CGROUP_UNIX_RECVMSG, "6.7"),
	[EBPFNET_CGROUP_GETPEERNAME_UNIX] =
		ADDR("getpeername_unix", EBPFNET__BPF_CGROUP_UNIX_GETPEERNAME, "6.7"),
	[EBPFNET_CGROUP_GETSOCKNAME_UNIX] =
		ADDR("getsockname_unix", EBPFNET__BPF_CGROUP_UNIX_GETSOCKNAME, "6.7"),
};

#define HOOKS ((uint32_t)EBPFNET__ARRAY_SIZE(hooks))

const struct ebpfnet__cgroup_hook *ebpfnet__cgroup_hook(uint32_t hook)
{
	return hook && hook < HOOKS ? &hooks[hook] : NULL;
}

uint32_t ebpfnet__cgroup_hook_of(uint32_t attach_type)
{
	for (uint32_t i = 1; i < HOOKS; i++) {
		if (hooks[i].attach_type == attach_type)
			return i;
	}
	return 0;
}

int ebpfnet__cgroup_fits(int prog_fd, uint32_t hook)
{
	union bpf_attr attr;
	int ret;

	/* The program is held against the hook before the cgroup is looked at: EBADF is a yes. */
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)prog_fd;
	attr.link_create.target_fd = (uint32_t)-1;
	attr.link_create.attach_type = hooks[hook].attach_type;
	ret = ebpfnet__try_bpf(BPF_LINK_CREATE, &attr);
	return ret == -EBADF ? 1 : ebpfnet__try_answer(ret);
}

/* The hooks that a program fits, the first of them in *hook. Returns how many, or -errno. */
static int hooks_of(int prog_fd, uint32_t prog_type, uint32_t *hook)
{
	int n = 0;

	*hook = 0;
	for (uint32_t i = 1; i < HOOKS; i++) {
		int ret = hooks[i].prog_type == prog_type ? ebpfnet__cgroup_fits(prog_fd, i) : 0;

		if (ret < 0)
			return ret;
		if (ret && n++ == 0)
			*hook = i;
	}
	return n;
}

/* A packet program fits both directions; only its section says which one was meant. */
static uint32_t hook_by_section(const struct ebpfnet_program *prog)
{
	const char *section = prog->bpf ? bpf_program__section_name(prog->bpf) : "";

	if (*section == '?') /* not loaded unless asked for */
		section++;
	for (uint32_t i = 1; i < HOOKS; i++) {
		if (hooks[i].prog_type == BPF_PROG_TYPE_CGROUP_SKB &&
		    strcmp(section, hooks[i].section) == 0)
			return i;
	}
	return 0;
}

static int fail_no_hook(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
			const struct ebpfnet__cgroup_hook *want)
{
	if (ebpfnet__kconfig("CONFIG_CGROUP_BPF") == 'n') {
		ebpfnet__hint(call, "use a kernel with CONFIG_CGROUP_BPF");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "this kernel has CONFIG_CGROUP_BPF unset");
	}
	if (want)
		ebpfnet__note_min_kernel(call, want->min_kernel);
	return ebpfnet__fail(
		call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
		"this kernel takes program %s on no hook of a cgroup; %s needs Linux %s",
		prog->name, want ? want->name : "a cgroup", want ? want->min_kernel : "4.10");
}

static int fail_other_type(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
			   uint32_t type, const struct ebpfnet__cgroup_hook *want)
{
	if (want) {
		ebpfnet__hint(call, "put it into SEC(\"%s\")", want->section);
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is of type %u, and %s takes type %u", prog->name,
				     type, want->name, want->prog_type);
	}
	ebpfnet__hint(call, "put it into a section such as SEC(\"cgroup_skb/ingress\") or "
			    "SEC(\"cgroup/connect4\")");
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "program %s is of type %u, which no hook of a cgroup takes",
			     prog->name, type);
}

static bool is_cgroup_type(uint32_t type)
{
	for (uint32_t i = 1; i < HOOKS; i++) {
		if (hooks[i].prog_type == type)
			return true;
	}
	return false;
}

static int choose(struct ebpfnet__call *call, const struct ebpfnet_program *prog, uint32_t type,
		  uint32_t *hook)
{
	const struct ebpfnet__cgroup_hook *want = ebpfnet__cgroup_hook(*hook);
	uint32_t first;
	int n;

	if (want && want->prog_type == type && ebpfnet__cgroup_fits(prog->fd, *hook) == 1)
		return 0;
	if (want ? want->prog_type != type : !is_cgroup_type(type))
		return fail_other_type(call, prog, type, want);
	n = hooks_of(prog->fd, type, &first);
	if (n < 0) {
		if (n == -EPERM)
			ebpfnet__hint(call, "CAP_NET_ADMIN and CAP_BPF");
		return ebpfnet__fail(call, n, 0, "program %s: %s", prog->name, ebpfnet_strerror(n));
	}
	if (n == 0)
		return fail_no_hook(call, prog, want);
	if (want) {
		ebpfnet__hint(call, "put it into SEC(\"%s\")", want->section);
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s was loaded for %s, not %s", prog->name,
				     hooks[first].name, want->name);
	}
	if (n > 1)
		first = hook_by_section(prog);
	if (first == 0) {
		ebpfnet__hint(call, "give EBPFNET_CGROUP_SKB_INGRESS or EBPFNET_CGROUP_SKB_EGRESS");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s fits more than one hook, and none is given",
				     prog->name);
	}
	*hook = first;
	return 0;
}

int ebpfnet__cgroup_choose_hook(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
				uint32_t *hook)
{
	struct bpf_prog_info info = { 0 };
	int ret;

	if (*hook >= HOOKS)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "hook %u is none that this library knows", *hook);
	if (prog->fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is not loaded", prog->name);
	ret = ebpfnet__info_by_fd(prog->fd, &info, sizeof(info));
	if (ret)
		return ebpfnet__fail(call, ret, 0, "program %s: %s", prog->name,
				     ebpfnet_strerror(ret));
	return choose(call, prog, info.type, hook);
}
