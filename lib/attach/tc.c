// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/tc.h"

#include <errno.h>

#include <ebpfnet/probe.h>

#include "attach/netns.h"
#include "core/opts.h"
#include "load/object.h"
#include "load/pin.h"
#include "probe/feature.h"

static const char *const direction_names[] = {
	[EBPFNET_INGRESS] = "ingress",
	[EBPFNET_EGRESS] = "egress",
};

static int check_direction(struct ebpfnet__call *call, uint32_t direction)
{
	if (direction == EBPFNET_INGRESS || direction == EBPFNET_EGRESS)
		return 0;
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "direction %u is neither EBPFNET_INGRESS nor EBPFNET_EGRESS",
			     direction);
}

static int check_via(struct ebpfnet__call *call, uint32_t via)
{
	if (via == EBPFNET_VIA_ANY || via == EBPFNET_VIA_TCX || via == EBPFNET_VIA_CLSACT)
		return 0;
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "via %u is not ANY, TCX or CLSACT", via);
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
	if (info.type == BPF_PROG_TYPE_SCHED_CLS)
		return 0;
	ebpfnet__hint(call, "put it into SEC(\"tc\")");
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "program %s is of type %u, not SCHED_CLS (%u)", prog->name, info.type,
			     BPF_PROG_TYPE_SCHED_CLS);
}

static int check_anchor_link(struct ebpfnet__call *call, const struct ebpfnet_tc_opts *o)
{
	const struct ebpfnet_link *link = o->anchor_link;

	if (link->kind != EBPFNET_LINK_TC)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the anchor is a link of another hook than TC");
	if (o->via == EBPFNET_VIA_ANY || o->via == link->via)
		return 0;
	ebpfnet__hint(call, "all TCX programs run before all clsact filters; with via ANY the "
			    "program goes where its anchor is");
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     link->via == EBPFNET_VIA_TCX
				     ? "the anchor is on TCX and the program goes to clsact"
				     : "the anchor is on clsact and the program goes to TCX");
}

static int check_anchor(struct ebpfnet__call *call, const struct ebpfnet_tc_opts *o)
{
	struct ebpfnet__mprog_place place = ebpfnet__tc_place(o);

	/* A priority is an anchor too, of clsact alone. */
	if (o->anchor_priority && o->via == EBPFNET_VIA_TCX)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "TCX has no priorities to anchor at");
	if (o->anchor_priority && place.program_id)
		place.link_id |= o->anchor_priority;
	else
		place.program_id |= o->anchor_priority;
	if (ebpfnet__mprog_check(call, &place))
		return ebpfnet_error_code(call->error);
	return o->anchor_link ? check_anchor_link(call, o) : 0;
}

/* Opens rtnetlink and finds the interface: the kernel's EINVAL for a bad one has other causes too.
 */
static int look(struct ebpfnet__call *call, const char *verb, const struct ebpfnet__tc_hook *hook,
		int netns_fd, struct ebpfnet__rtnl *rtnl)
{
	struct ebpfnet__interface interface;
	int ret = ebpfnet__rtnl_open(call, netns_fd, rtnl);

	if (ret)
		return ret;
	ret = ebpfnet__rtnl_interface(rtnl, hook->ifindex, &interface);
	if (ret)
		return ebpfnet__fail(call, ret, 0, "%s",
				     ret == -ENODEV ? "there is no such interface"
						    : ebpfnet_strerror(ret));
	ebpfnet__call_what(call, "%s %s %s", verb, interface.name,
			   direction_names[hook->direction]);
	return 0;
}

/* The answer of the probe without its words. */
static int has_tcx(struct ebpfnet_ctx *ctx)
{
	struct ebpfnet_error *inner = NULL;
	int has = ebpfnet_probe(ctx, EBPFNET_FEATURE_TCX, &inner);

	ebpfnet_error_free(inner);
	return has;
}

static int attach_any(struct ebpfnet__call *call, const struct ebpfnet__tc_attempt *a,
		      struct ebpfnet_link *link)
{
	int has, ret;

	if (a->o->anchor_link && a->o->anchor_link->via == EBPFNET_VIA_TCX)
		return ebpfnet__tcx_attach(call, a, link);
	if (a->o->anchor_link || a->o->anchor_priority)
		return ebpfnet__clsact_attach(call, a, link);
	has = has_tcx(call->ctx);
	if (has == 1)
		return ebpfnet__tcx_attach(call, a, link);
	if (has < 0) { /* no answer: a kernel without TCX says EINVAL to the attempt */
		ret = ebpfnet__tcx_attach(call, a, link);
		if (ret != -EINVAL)
			return ret;
		ebpfnet__call_clear(call);
	}
	if (a->o->expected_revision)
		return ebpfnet__fail_feature(call, -EOPNOTSUPP, EBPFNET_FEATURE_TCX,
					     ", and clsact has no revision");
	return ebpfnet__clsact_attach(call, a, link);
}

static int attach(struct ebpfnet__call *call, const struct ebpfnet__tc_attempt *a,
		  struct ebpfnet_link *link)
{
	switch (a->o->via) {
	case EBPFNET_VIA_TCX:
		return ebpfnet__tcx_attach(call, a, link);
	case EBPFNET_VIA_CLSACT:
		return ebpfnet__clsact_attach(call, a, link);
	default:
		return attach_any(call, a, link);
	}
}

int ebpfnet_tc_attach(const struct ebpfnet_program *prog, int ifindex, uint32_t direction,
		      const struct ebpfnet_tc_opts *opts, struct ebpfnet_link **out,
		      struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "attach tc ifindex %d", ifindex);
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	struct ebpfnet_tc_opts o;
	struct ebpfnet__tc_attempt a = {
		.prog = prog,
		.o = &o,
		.hook = { ifindex, direction },
		.rtnl = &rtnl,
	};
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0)
		ret = check_direction(&call, direction);
	if (ret == 0)
		ret = check_via(&call, o.via);
	if (ret == 0)
		ret = check_program(&call, prog);
	if (ret == 0)
		ret = check_anchor(&call, &o);
	if (ret == 0)
		ret = ebpfnet__netns_check(&call, o.netns_fd);
	if (ret == 0)
		ret = look(&call, "attach tc", &a.hook, o.netns_fd, &rtnl);
	if (ret)
		return ret;
	link = ebpfnet__link_new(&call, EBPFNET_LINK_TC, ifindex, o.netns_fd);
	if (!link)
		return ebpfnet_error_code(call.error);
	link->hook = direction;
	/* Before anything is attached: going back needs to know what to take away. */
	link->prog_fd = ebpfnet__fd_dup(prog->fd);
	if (link->prog_fd < 0)
		return ebpfnet__fail(&call, link->prog_fd, 0, "%s",
				     ebpfnet_strerror(link->prog_fd));
	ret = attach(&call, &a, link);
	if (ret)
		return ret;
	*out = TAKE(link);
	return 0;
}

int ebpfnet_tc_query(struct ebpfnet_ctx *ctx, int ifindex, uint32_t direction,
		     const struct ebpfnet_query_opts *opts, struct ebpfnet_query **out,
		     struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "query tc ifindex %d", ifindex);
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	CLEANUP(query) struct ebpfnet_query *query = NULL;
	struct ebpfnet__tc_hook hook = { ifindex, direction };
	struct ebpfnet_query_opts o;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0)
		ret = check_direction(&call, direction);
	if (ret == 0)
		ret = check_via(&call, o.via);
	if (ret == 0)
		ret = ebpfnet__netns_check(&call, o.netns_fd);
	if (ret == 0)
		ret = look(&call, "query tc", &hook, o.netns_fd, &rtnl);
	if (ret)
		return ret;
	query = ebpfnet__query_new(&call);
	if (!query)
		return ebpfnet_error_code(call.error);
	/* Refused is no answer: the query itself will say what is missing. */
	if (o.via == EBPFNET_VIA_TCX || (o.via == EBPFNET_VIA_ANY && has_tcx(ctx) != 0))
		ret = ebpfnet__tcx_query(&call, &hook, o.netns_fd, query);
	if (ret == 0 && o.via != EBPFNET_VIA_TCX)
		ret = ebpfnet__clsact_query(&call, &hook, &rtnl, query);
	if (ret)
		return ret;
	*out = TAKE(query);
	return 0;
}
