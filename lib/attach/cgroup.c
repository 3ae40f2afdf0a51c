// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Programs on a cgroup: links, which the kernel orders from 6.17, or PROG_ATTACH. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/vfs.h>

#include "attach/cgroup.h"
#include "core/opts.h"
#include "core/uapi.h"
#include "load/pin.h"
#include "probe/feature.h"
#include "probe/try.h"

/* How far up a program is looked for that suffers no other below it. */
#define PARENTS_MAX 128

/* One attempt to attach. */
struct attempt {
	const struct ebpfnet_program *prog;
	const struct ebpfnet__cgroup_hook *row;
	uint32_t hook;
	int cgroup_fd;
	uint32_t via;
	uint32_t flags;	      /* BPF_F_* of the order */
	int anchor_fd;	      /* a link's or a program's; -1 */
	bool anchor_borrowed; /* anchor_fd belongs to somebody else */
	uint64_t revision;
};

static void close_anchor(struct attempt *a)
{
	if (a->anchor_fd >= 0 && !a->anchor_borrowed)
		close(a->anchor_fd);
}

#define CLEANUP_ATTEMPT __attribute__((cleanup(close_anchor)))

static int check_anchor(struct ebpfnet__call *call, const struct ebpfnet_cgroup_opts *o)
{
	bool beside = o->anchor == EBPFNET_ANCHOR_BEFORE || o->anchor == EBPFNET_ANCHOR_AFTER;

	if (o->anchor > EBPFNET_ANCHOR_AFTER)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "anchor %u is none that this library knows", o->anchor);
	if (o->anchor_link && o->anchor_program)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "anchor_link and anchor_program are both set");
	if (beside != (o->anchor_link || o->anchor_program)) {
		ebpfnet__hint(call, "set anchor_link or anchor_program with BEFORE and AFTER, and "
				    "only then");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     beside ? "BEFORE or AFTER what is not said"
					    : "FIRST and LAST are beside nothing");
	}
	if (o->anchor_program && o->anchor_program->fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the anchor program %s is not loaded",
				     o->anchor_program->name);
	if (o->anchor_link && o->anchor_link->detached)
		return ebpfnet__fail(call, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
				     "the anchor link was detached");
	return 0;
}

static int check(struct ebpfnet__call *call, const char *cgroup,
		 const struct ebpfnet_cgroup_opts *o)
{
	if (o->via != EBPFNET_VIA_ANY && o->via != EBPFNET_VIA_LINK &&
	    o->via != EBPFNET_VIA_PROG_ATTACH)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "via %u is not a way to attach to a cgroup", o->via);
	if (o->flags & ~EBPFNET_CGROUP_PREORDER)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "flags 0x%x has a bit that this library does not know",
				     o->flags);
	if (cgroup && o->cgroup_fd)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the cgroup is given by path and by cgroup_fd");
	if (!cgroup && o->cgroup_fd == 0) {
		ebpfnet__hint(call, "\"\" is the root cgroup; fd 0 is not taken");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "neither a path nor a cgroup_fd is given");
	}
	return check_anchor(call, o);
}

/*
 * Kernels before 6.17 refuse the flags of an order, but take no notice of a revision: ask first.
 */
static int need_order(struct ebpfnet__call *call, const char *what)
{
	struct ebpfnet_error *inner = NULL;
	int has = ebpfnet_probe(call->ctx, EBPFNET_FEATURE_CGROUP_ORDER, &inner);

	if (has < 0)
		return ebpfnet__fail_from(call, inner);
	if (has)
		return 0;
	return ebpfnet__fail_feature(call, -EOPNOTSUPP, EBPFNET_FEATURE_CGROUP_ORDER,
				     ", and %s cannot be kept", what);
}

struct held {
	const struct attempt *a;
	uint32_t prog_id;
};

static bool holds(const struct bpf_link_info *info, const void *data)
{
	const struct held *held = data;

	return info->type == BPF_LINK_TYPE_CGROUP && info->prog_id == held->prog_id &&
	       info->cgroup.attach_type == held->a->row->attach_type &&
	       info->cgroup.cgroup_id == ebpfnet__cgroup_id(held->a->cgroup_fd);
}

/* The link that holds a program on this hook of this cgroup, as an fd; -1: none is found. */
static int find_link(const struct attempt *a, uint32_t prog_id)
{
	struct held held = { .a = a, .prog_id = prog_id };
	struct bpf_link_info info;
	uint32_t id = ebpfnet__link_find(holds, &held, &info);

	return id ? ebpfnet__fd_safe(bpf_link_get_fd_by_id(id)) : -1;
}

static int fail_anchor(struct ebpfnet__call *call, const struct attempt *a)
{
	return ebpfnet__fail(call, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
			     "the anchor is not attached to %s of this cgroup", a->row->name);
}

/* A link finds its place only beside a link, a program only beside a program. */
static int resolve_anchor(struct ebpfnet__call *call, struct attempt *a,
			  const struct ebpfnet_cgroup_opts *o)
{
	const struct ebpfnet_link *link = o->anchor_link;
	struct ebpfnet__cgroup_progs progs;
	int prog_fd = link ? link->prog_fd : o->anchor_program->fd;

	if (link && (link->kind != EBPFNET_LINK_CGROUP || link->hook != a->hook))
		return fail_anchor(call, a);
	if (link && link->fd >= 0) {
		a->anchor_fd = link->fd;
		a->anchor_borrowed = true;
	} else {
		a->anchor_fd = find_link(a, ebpfnet__program_id(prog_fd));
	}
	if (a->via == EBPFNET_VIA_LINK && a->anchor_fd >= 0) {
		a->flags |= EBPFNET__BPF_F_LINK;
		return 0;
	}
	if (a->via == EBPFNET_VIA_PROG_ATTACH && a->anchor_fd < 0) {
		a->anchor_fd = prog_fd;
		a->anchor_borrowed = true;
		return 0;
	}
	if (a->anchor_fd < 0 && (ebpfnet__cgroup_progs(a->cgroup_fd, a->hook, &progs) ||
				 !ebpfnet__cgroup_has(&progs, ebpfnet__program_id(prog_fd))))
		return fail_anchor(call, a);
	ebpfnet__hint(call, "use via %s", a->anchor_fd < 0 ? "PROG_ATTACH" : "LINK");
	return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
			     a->anchor_fd < 0
				     ? "the anchor is a program without a link, and a link is "
				       "placed beside links only"
				     : "the anchor is held by a link, and a program without one is "
				       "placed beside such programs only");
}

static int plan_order(struct ebpfnet__call *call, struct attempt *a,
		      const struct ebpfnet_cgroup_opts *o)
{
	int ret = 0;

	a->revision = o->expected_revision;
	if (o->anchor == EBPFNET_ANCHOR_FIRST || o->anchor == EBPFNET_ANCHOR_BEFORE)
		a->flags |= EBPFNET__BPF_F_BEFORE;
	if (o->anchor == EBPFNET_ANCHOR_AFTER)
		a->flags |= EBPFNET__BPF_F_AFTER;
	if (o->flags & EBPFNET_CGROUP_PREORDER)
		a->flags |= EBPFNET__BPF_F_PREORDER;
	if (o->anchor != EBPFNET_ANCHOR_LAST)
		ret = need_order(call, "the anchor");
	else if (a->revision)
		ret = need_order(call, "the expected revision");
	else if (a->via == EBPFNET_VIA_LINK && a->flags)
		ret = need_order(call, "PREORDER of a link");
	if (ret == 0 && (o->anchor_link || o->anchor_program))
		ret = resolve_anchor(call, a, o);
	return ret;
}

/* A cgroup at or above this one whose program was attached so that it suffers no other here. */
static bool is_closed(const struct attempt *a)
{
	CLEANUP(fd) int fd = ebpfnet__fd_dup(a->cgroup_fd);

	for (int i = 0; i < PARENTS_MAX && fd >= 0; i++) {
		struct ebpfnet__cgroup_progs progs;
		struct statfs here, above;
		int up;

		if (ebpfnet__cgroup_progs(fd, a->hook, &progs))
			return false;
		if (progs.count && progs.flags & BPF_F_ALLOW_MULTI)
			return false;
		if (progs.count)
			return i == 0 || !(progs.flags & BPF_F_ALLOW_OVERRIDE);
		up = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (up >= 0 && (fstatfs(fd, &here) < 0 || fstatfs(up, &above) < 0 ||
				here.f_type != above.f_type)) {
			close(up);
			return false;
		}
		close(fd);
		fd = up;
	}
	return false;
}

static int fail_refused(struct ebpfnet__call *call, const struct attempt *a)
{
	if (is_closed(a)) {
		ebpfnet__hint(call, "detach that program, or attach it with BPF_F_ALLOW_MULTI "
				    "(bpftool cgroup tree)");
		return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
				     "a program of this cgroup or one above it is attached without "
				     "ALLOW_MULTI");
	}
	ebpfnet__hint(call, "CAP_NET_ADMIN and CAP_BPF");
	return ebpfnet__fail(call, -EPERM, EBPFNET_ERROR_PERMISSION, "%s",
			     ebpfnet_strerror(-EPERM));
}

static int fail_invalid(struct ebpfnet__call *call, const struct attempt *a)
{
	struct ebpfnet__cgroup_progs progs;

	if (a->flags & (EBPFNET__BPF_F_BEFORE | EBPFNET__BPF_F_AFTER) && a->anchor_fd >= 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the anchor has%s PREORDER and this program has%s",
				     a->flags & EBPFNET__BPF_F_PREORDER ? " no" : "",
				     a->flags & EBPFNET__BPF_F_PREORDER ? "" : " none");
	if (a->via == EBPFNET_VIA_PROG_ATTACH &&
	    ebpfnet__cgroup_progs(a->cgroup_fd, a->hook, &progs) == 0 &&
	    ebpfnet__cgroup_has(&progs, ebpfnet__program_id(a->prog->fd))) {
		ebpfnet__hint(call, "a link may hold it once more");
		return ebpfnet__fail(call, -EEXIST, EBPFNET_ERROR_BUSY,
				     "program %s is attached there", a->prog->name);
	}
	if (a->flags & EBPFNET__BPF_F_PREORDER) {
		ebpfnet__note_min_kernel(call, "6.15");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "PREORDER needs Linux 6.15");
	}
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "%s", ebpfnet_strerror(-EINVAL));
}

static int fail_attach(struct ebpfnet__call *call, const struct attempt *a, int code)
{
	struct ebpfnet__cgroup_progs progs;
	int look;

	switch (code) {
	case -EPERM:
		return fail_refused(call, a);
	case -EINVAL:
		return fail_invalid(call, a);
	case -E2BIG:
		ebpfnet__hint(call, "detach one of them");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_BUSY,
				     "%d programs are attached, and there is no room for more",
				     EBPFNET__CGROUP_PROGS_MAX);
	case -ESTALE:
		look = ebpfnet__cgroup_progs(a->cgroup_fd, a->hook, &progs);
		return ebpfnet__fail(call, code, EBPFNET_ERROR_STALE,
				     "%s is at revision %llu, not %llu", a->row->name,
				     look ? 0 : (unsigned long long)progs.revision,
				     (unsigned long long)a->revision);
	case -ENOENT:
		look = ebpfnet__cgroup_progs(a->cgroup_fd, a->hook, &progs);
		if (look == 0 && a->anchor_fd >= 0)
			return fail_anchor(call, a);
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_FOUND, "the cgroup was removed");
	default:
		return ebpfnet__fail(call, code, 0, "%s", ebpfnet_strerror(code));
	}
}

static int attach_link(struct ebpfnet__call *call, const struct attempt *a,
		       struct ebpfnet_link *link)
{
	struct ebpfnet__cgroup_link_create create = {
		.prog_fd = (uint32_t)a->prog->fd,
		.target_fd = (uint32_t)a->cgroup_fd,
		.attach_type = a->row->attach_type,
		.flags = a->flags,
		.relative_fd = a->anchor_fd < 0 ? 0 : (uint32_t)a->anchor_fd,
		.expected_revision = a->revision,
	};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, &create, sizeof(create));
	fd = ebpfnet__try_bpf(BPF_LINK_CREATE, &attr);
	if (fd < 0)
		return fail_attach(call, a, fd);
	link->fd = ebpfnet__fd_safe(fd);
	if (link->fd < 0)
		return ebpfnet__fail(call, link->fd, 0, "%s", ebpfnet_strerror(link->fd));
	link->way = &ebpfnet__way_bpf_link;
	link->via = EBPFNET_VIA_LINK;
	return 0;
}

static int attach_prog(struct ebpfnet__call *call, const struct attempt *a,
		       struct ebpfnet_link *link)
{
	struct ebpfnet__cgroup_prog_attach attach = {
		.target_fd = (uint32_t)a->cgroup_fd,
		.attach_bpf_fd = (uint32_t)a->prog->fd,
		.attach_type = a->row->attach_type,
		.attach_flags = BPF_F_ALLOW_MULTI | a->flags,
		.relative_fd = a->anchor_fd < 0 ? 0 : (uint32_t)a->anchor_fd,
		.expected_revision = a->revision,
	};
	union bpf_attr attr;
	int ret;

	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, &attach, sizeof(attach));
	ret = ebpfnet__try_bpf(BPF_PROG_ATTACH, &attr);
	if (ret)
		return fail_attach(call, a, ret);
	link->way = &ebpfnet__way_cgroup_prog;
	link->via = EBPFNET_VIA_PROG_ATTACH;
	link->flags = a->flags & EBPFNET__BPF_F_PREORDER;
	return 0;
}

/* A link that knows its program and its cgroup, before anything is attached. */
static struct ebpfnet_link *new_link(struct ebpfnet__call *call, const struct attempt *a)
{
	CLEANUP(link) struct ebpfnet_link *link = NULL;

	link = ebpfnet__link_new(call, EBPFNET_LINK_CGROUP, 0, 0);
	if (!link)
		return NULL;
	link->hook = a->hook;
	link->target = ebpfnet__cgroup_id(a->cgroup_fd);
	link->prog_fd = ebpfnet__fd_dup(a->prog->fd);
	link->target_fd = ebpfnet__fd_dup(a->cgroup_fd);
	if (link->prog_fd < 0 || link->target_fd < 0) {
		int ret = link->prog_fd < 0 ? link->prog_fd : link->target_fd;

		ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
		return NULL;
	}
	return TAKE(link);
}

int ebpfnet_cgroup_attach(const struct ebpfnet_program *prog, const char *cgroup, uint32_t hook,
			  const struct ebpfnet_cgroup_opts *opts, struct ebpfnet_link **out,
			  struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "attach to cgroup %s", cgroup ? cgroup : "by fd");
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	CLEANUP(fd) int cgroup_fd = -1;
	struct ebpfnet_cgroup_opts o;
	CLEANUP_ATTEMPT struct attempt a = { .prog = prog, .anchor_fd = -1 };
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0)
		ret = check(&call, cgroup, &o);
	if (ret == 0)
		ret = ebpfnet__cgroup_choose_hook(&call, prog, &hook);
	if (ret)
		return ret;
	a.hook = hook;
	a.row = ebpfnet__cgroup_hook(hook);
	ebpfnet__call_what(&call, "attach %s to cgroup %s", a.row->name,
			   cgroup ? *cgroup ? cgroup : "/" : "by fd");
	cgroup_fd = cgroup ? ebpfnet__cgroup_open(&call, cgroup)
			   : ebpfnet__cgroup_adopt(&call, o.cgroup_fd);
	if (cgroup_fd < 0)
		return cgroup_fd;
	a.cgroup_fd = cgroup_fd;
	a.via = o.via == EBPFNET_VIA_ANY ? EBPFNET_VIA_LINK : o.via;
	ret = plan_order(&call, &a, &o);
	if (ret)
		return ret;
	link = new_link(&call, &a);
	if (!link)
		return ebpfnet_error_code(call.error);
	ret = a.via == EBPFNET_VIA_LINK ? attach_link(&call, &a, link)
					: attach_prog(&call, &a, link);
	if (ret)
		return ret;
	*out = TAKE(link);
	return 0;
}
