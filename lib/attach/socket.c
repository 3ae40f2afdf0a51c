// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Programs of one socket: its filter, and the chooser of its reuseport group. They are options of
 * the socket, set with setsockopt(2), and no kernel object stands for the attachment. What the
 * handle adds is to know its socket again: by cookie, since a descriptor's number is reused.
 */
#include <asm/socket.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

#include "attach/link.h"
#include "core/opts.h"
#include "load/object.h"
#include "load/pin.h"

static const char *const hook_names[] = {
	[EBPFNET_SOCKET_FILTER] = "filter",
	[EBPFNET_SOCKET_REUSEPORT] = "reuseport program",
};

/* What is attached: a loaded program, or classic instructions. */
struct attempt {
	uint32_t hook;
	int sock;
	int prog_fd; /* -1: classic */
	uint32_t prog_type;
	struct sock_fprog classic;
};

static int option(int sock, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(sock, SOL_SOCKET, name, &value, &len) ? -errno : value;
}

static int cookie_of(int sock, uint64_t *cookie)
{
	socklen_t len = sizeof(*cookie);

	*cookie = 0;
	return getsockopt(sock, SOL_SOCKET, SO_COOKIE, cookie, &len) ? -errno : 0;
}

static int set(const struct attempt *a)
{
	bool filter = a->hook == EBPFNET_SOCKET_FILTER;
	int name;

	if (a->prog_fd >= 0) {
		name = filter ? SO_ATTACH_BPF : SO_ATTACH_REUSEPORT_EBPF;
		return setsockopt(a->sock, SOL_SOCKET, name, &a->prog_fd, sizeof(a->prog_fd))
			       ? -errno
			       : 0;
	}
	name = filter ? SO_ATTACH_FILTER : SO_ATTACH_REUSEPORT_CBPF;
	return setsockopt(a->sock, SOL_SOCKET, name, &a->classic, sizeof(a->classic)) ? -errno : 0;
}

/* EINVAL has two causes, of which one can be asked for. */
static int fail_invalid(struct ebpfnet__call *call, const struct attempt *a)
{
	if (a->hook == EBPFNET_SOCKET_REUSEPORT && option(a->sock, SO_REUSEPORT) != 1) {
		ebpfnet__hint(call, "set SO_REUSEPORT on it before bind(2)");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the socket is in no reuseport group");
	}
	if (a->prog_fd < 0) {
		ebpfnet__hint(call, "every path ends with BPF_RET, jumps go forward and stay "
				    "inside, and scratch memory is written before it is read");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the kernel refuses the %u classic instructions",
				     a->classic.len);
	}
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     a->hook == EBPFNET_SOCKET_REUSEPORT
				     ? "the socket was bound before SO_REUSEPORT was set on it"
				     : "the kernel does not take the program");
}

static int fail_set(struct ebpfnet__call *call, const struct attempt *a, int code)
{
	code = ebpfnet__errno(code);
	switch (code) {
	case -EPERM:
		if (option(a->sock, SO_LOCK_FILTER) == 1) {
			ebpfnet__hint(call, "a lock is never taken off: use a new socket");
			return ebpfnet__fail(call, code, EBPFNET_ERROR_BUSY,
					     "the socket's filter is locked (SO_LOCK_FILTER)");
		}
		return ebpfnet__fail(call, code, EBPFNET_ERROR_PERMISSION, "%s",
				     ebpfnet_strerror(code));
	case -EINVAL:
		return fail_invalid(call, a);
	case -ENOMEM:
		ebpfnet__hint(call, "raise net.core.optmem_max, or make the program shorter");
		return ebpfnet__fail(call, code, 0,
				     "no memory: a %s is charged to the socket's option memory",
				     hook_names[a->hook]);
	case -EOPNOTSUPP:
		ebpfnet__hint(call, "a program of SEC(\"socket\") chooses in other groups");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_SUPPORTED,
				     "a program of type SK_REUSEPORT is for TCP and UDP sockets "
				     "of IPv4 and IPv6");
	case -ENOPROTOOPT:
		ebpfnet__note_min_kernel(call, a->hook == EBPFNET_SOCKET_FILTER ? "3.19" : "4.5");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "this kernel has no such socket option");
	default:
		return ebpfnet__fail(call, code, 0, "%s", ebpfnet_strerror(code));
	}
}

/* The link's socket, if it is still the one. Returns the descriptor or fails with DEFUNCT. */
static int socket_of(const struct ebpfnet_link *link)
{
	int sock = link->target_fd >= 0 ? link->target_fd : link->sock_fd;
	uint64_t cookie;

	if (cookie_of(sock, &cookie) || cookie != link->cookie)
		return -ENOLINK;
	return sock;
}

/*
 * Whether a socket has lost its filter. Length 0 asks for the number of classic instructions; EACCES
 * stands for a program. Of a reuseport group nothing tells it.
 */
static bool filter_gone(const struct ebpfnet_link *link, int sock)
{
	socklen_t none = 0;

	return link->hook == EBPFNET_SOCKET_FILTER &&
	       getsockopt(sock, SOL_SOCKET, SO_GET_FILTER, NULL, &none) == 0 && none == 0;
}

static int update(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd,
		  int expected_fd)
{
	struct bpf_prog_info info = { 0 };
	struct attempt a = { .hook = link->hook, .prog_fd = prog_fd, .sock = socket_of(link) };
	int ret;

	if (a.sock < 0)
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     "the socket was closed");
	if (filter_gone(link, a.sock))
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     "the socket has no filter any more");
	if (expected_fd >= 0) {
		ebpfnet__hint(call, "give NULL for expected and for old");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "a socket replaces whatever program it has, and does not say "
				     "which one that was");
	}
	ret = ebpfnet__info_by_fd(prog_fd, &info, sizeof(info));
	if (ret == 0 && info.type != BPF_PROG_TYPE_SOCKET_FILTER &&
	    (info.type != BPF_PROG_TYPE_SK_REUSEPORT || link->hook == EBPFNET_SOCKET_FILTER))
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "a program of type %u is no %s of a socket", info.type,
				     hook_names[link->hook]);
	ret = set(&a);
	return ret ? fail_set(call, &a, ret) : 0;
}

static int detach(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	bool filter = link->hook == EBPFNET_SOCKET_FILTER;
	struct attempt a = { .hook = link->hook, .sock = socket_of(link), .prog_fd = -1 };
	int zero = 0;

	/* A socket that is gone has no program, and neither has one without: as asked for. */
	if (a.sock < 0 ||
	    setsockopt(a.sock, SOL_SOCKET, filter ? SO_DETACH_FILTER : SO_DETACH_REUSEPORT_BPF,
		       &zero, sizeof(zero)) == 0 ||
	    errno == ENOENT)
		return 0;
	if (errno == ENOPROTOOPT) {
		ebpfnet__note_min_kernel(call, "5.3");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "this kernel cannot take a program from a reuseport group: "
				     "it ends with the group's last socket");
	}
	return fail_set(call, &a, -errno);
}

static int info(struct ebpfnet__call *call, const struct ebpfnet_link *link,
		struct ebpfnet_link_info *out)
{
	int sock = socket_of(link);

	(void)call;
	out->defunct = sock < 0 || link->detached || filter_gone(link, sock);
	if (!out->defunct && link->prog_fd >= 0)
		out->program_id = ebpfnet__program_id(link->prog_fd);
	return 0;
}

static int pin(struct ebpfnet__call *call, struct ebpfnet_link *link, const char *path)
{
	(void)link;
	(void)path;
	ebpfnet__hint(call, "hand the socket to the process that shall keep it: SCM_RIGHTS, "
			    "pidfd_getfd(2)");
	return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
			     "a program of a socket ends with the socket, and a socket cannot be "
			     "pinned");
}

const struct ebpfnet__link_way ebpfnet__way_socket = {
	.update = update,
	.detach = detach,
	.info = info,
	.pin = pin,
	.by_fd = false,
	.no_compare = true,
};

/* The hook that a program goes to, and whether the options agree. */
static int check_program(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
			 struct attempt *a)
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
	a->prog_fd = prog->fd;
	if (!a->hook)
		a->hook = info.type == BPF_PROG_TYPE_SK_REUSEPORT ? EBPFNET_SOCKET_REUSEPORT
								  : EBPFNET_SOCKET_FILTER;
	if (info.type == BPF_PROG_TYPE_SOCKET_FILTER ||
	    (info.type == BPF_PROG_TYPE_SK_REUSEPORT && a->hook == EBPFNET_SOCKET_REUSEPORT))
		return 0;
	ebpfnet__hint(call, a->hook == EBPFNET_SOCKET_FILTER
				    ? "put it into SEC(\"socket\")"
				    : "put it into SEC(\"sk_reuseport\") or SEC(\"socket\")");
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "program %s of type %u is no %s of a socket", prog->name, info.type,
			     hook_names[a->hook]);
}

static int attach(struct ebpfnet__call *call, const struct attempt *a, bool hold,
		  struct ebpfnet_link **out)
{
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	uint64_t cookie;
	int ret = cookie_of(a->sock, &cookie);

	if (ret)
		return ebpfnet__fail(call, ret, EBPFNET_ERROR_INVALID, "fd %d: %s", a->sock,
				     ebpfnet_strerror(ret));
	if (out) {
		link = ebpfnet__link_new(call, EBPFNET_LINK_SOCKET, 0, 0);
		if (!link)
			return -ENOMEM;
		link->way = &ebpfnet__way_socket;
		link->via = EBPFNET_VIA_SETSOCKOPT;
		link->hook = a->hook;
		link->cookie = cookie;
		link->sock_fd = a->sock;
		if (a->prog_fd >= 0)
			link->prog_fd = ret = ebpfnet__fd_dup(a->prog_fd);
		if (ret >= 0 && hold)
			link->target_fd = ret = ebpfnet__fd_dup(a->sock);
		if (ret < 0)
			return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	}
	ret = set(a);
	if (ret)
		return fail_set(call, a, ret);
	if (out)
		*out = TAKE(link);
	return 0;
}

static int check_opts(struct ebpfnet__call *call, const struct ebpfnet_socket_opts *o,
		      const struct ebpfnet_link *const *out)
{
	if (o->hook > EBPFNET_SOCKET_REUSEPORT || o->hold > 1)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "hook %u or hold %u is none that this library knows", o->hook,
				     o->hold);
	if (o->hold && !out)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "there is no link that could hold the socket");
	return 0;
}

int ebpfnet_socket_attach(const struct ebpfnet_program *prog, int sock_fd,
			  const struct ebpfnet_socket_opts *opts, struct ebpfnet_link **out,
			  struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "attach %s to socket %d", prog->name, sock_fd);
	struct ebpfnet_socket_opts o;
	struct attempt a = { .sock = sock_fd };
	int ret;

	if (out)
		*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0)
		ret = check_opts(&call, &o, (const struct ebpfnet_link *const *)out);
	a.hook = o.hook;
	if (ret == 0)
		ret = check_program(&call, prog, &a);
	return ret ? ret : attach(&call, &a, o.hold, out);
}

int ebpfnet_socket_attach_classic(struct ebpfnet_ctx *ctx, const struct sock_filter *insns,
				  size_t count, int sock_fd, const struct ebpfnet_socket_opts *opts,
				  struct ebpfnet_link **out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "attach classic filter to socket %d", sock_fd);
	struct ebpfnet_socket_opts o;
	struct attempt a = { .sock = sock_fd, .prog_fd = -1 };
	int ret;

	if (out)
		*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0)
		ret = check_opts(&call, &o, (const struct ebpfnet_link *const *)out);
	if (ret)
		return ret;
	if (!insns || count == 0 || count > BPF_MAXINSNS)
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "%zu instructions: a filter has 1 to %d", count, BPF_MAXINSNS);
	a.hook = o.hook ? o.hook : EBPFNET_SOCKET_FILTER;
	a.classic.len = (unsigned short)count;
	a.classic.filter = (struct sock_filter *)insns;
	return attach(&call, &a, o.hold, out);
}
