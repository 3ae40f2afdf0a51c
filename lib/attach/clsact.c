// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* TC through filters of a clsact qdisc (4.5): attaching. */
#include "attach/clsact.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ebpfnet/probe.h>

#include "attach/record.h"
#include "attach/tc.h"
#include "load/object.h"
#include "probe/feature.h"

/* One filter a priority, so its number says nothing; u32 and tc(8) count from 1 or higher too. */
#define HANDLE 1
/* Others change the hook at the same time; each try looks again. */
#define TRIES 8

static bool clsact_is_missing(struct ebpfnet_ctx *ctx)
{
	struct ebpfnet_error *inner = NULL;
	int has = ebpfnet_probe(ctx, EBPFNET_FEATURE_CLSACT, &inner);

	ebpfnet_error_free(inner);
	return has == 0;
}

/* Sees to it that there is a qdisc with this hook; *made: it is the library's to remove. */
static int ensure_qdisc(struct ebpfnet__call *call, const struct ebpfnet__tc_attempt *a, bool *made)
{
	char kind[EBPFNET__TC_KIND_MAX];
	bool empty, ours = false;
	int ret = ebpfnet__rtnl_hook_qdisc(a->rtnl, a->hook.ifindex, kind);

	if (ret == 0 && kind[0] == '\0') {
		ret = ebpfnet__rtnl_clsact_add(a->rtnl, a->hook.ifindex);
		if (ret == 0) {
			*made = true;
			return 0;
		}
		if (ret == -ENOENT && clsact_is_missing(call->ctx))
			return ebpfnet__fail_feature(call, -EOPNOTSUPP, EBPFNET_FEATURE_CLSACT,
						     NULL);
		if (ret == -EEXIST) /* made by another one just now */
			ret = ebpfnet__rtnl_hook_qdisc(a->rtnl, a->hook.ifindex, kind);
	}
	if (ret == 0)
		ret = ebpfnet__clsact_survey(a->rtnl, a->hook.ifindex, &empty, &ours);
	if (ret)
		return ebpfnet__clsact_fail(call, a->rtnl, ret);
	*made = *made || ours;
	/* An ingress qdisc takes filters for egress too, and runs them at ingress. */
	if (a->hook.direction == EBPFNET_EGRESS && strcmp(kind, "ingress") == 0) {
		ebpfnet__hint(call, "use via TCX, or put clsact in the place of the ingress qdisc; "
				    "its filters go with it");
		return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
				     "the interface has an ingress qdisc, which has no egress and "
				     "excludes clsact");
	}
	return 0;
}

static bool is_anchor(const struct ebpfnet__filter *f, const struct ebpfnet_tc_opts *o)
{
	if (o->anchor_link)
		return ebpfnet__clsact_is(f, o->anchor_link);
	if (o->anchor_priority)
		return f->priority == o->anchor_priority;
	if (o->anchor_program)
		return f->prog_id == ebpfnet__program_id(o->anchor_program->fd);
	return o->anchor_program_id && f->prog_id == o->anchor_program_id;
}

/* The index of the filter that the options name; fails the call if there is none. */
static int find_anchor(struct ebpfnet__call *call, const struct ebpfnet__tc_attempt *a,
		       const struct ebpfnet__filters *filters, size_t *at)
{
	const struct ebpfnet_tc_opts *o = a->o;

	*at = 0;
	if (o->anchor == EBPFNET_ANCHOR_LAST || o->anchor == EBPFNET_ANCHOR_FIRST)
		return 0;
	for (; *at < filters->count; ++*at)
		if (is_anchor(&filters->list[*at], o))
			return 0;
	ebpfnet__hint(call, "ebpfnet_tc_query() lists what is; a bpf_link is never on clsact");
	return ebpfnet__fail(call, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
			     "the anchor is not among the %zu clsact filters of this hook",
			     filters->count);
}

static void filter_label(const struct ebpfnet__filters *filters, uint32_t priority, char *label,
			 size_t size)
{
	const struct ebpfnet__filter *f = NULL;

	for (size_t i = 0; i < filters->count && !f; i++)
		if (filters->list[i].priority == priority)
			f = &filters->list[i];
	if (f)
		snprintf(label, size, "%s filter%s%.64s of priority %u", f->kind,
			 f->name[0] ? " " : "", f->name, priority);
	else
		snprintf(label, size, "the %s of the range, %u", priority ? "end" : "start",
			 priority ? EBPFNET__PRIORITY_END - 1 : 1);
}

static int fail_no_room(struct ebpfnet__call *call, const struct ebpfnet__filters *filters,
			const struct ebpfnet__clsact_place *place)
{
	char below[128], above[128];

	filter_label(filters, place->below, below, sizeof(below));
	filter_label(filters, place->above, above, sizeof(above));
	ebpfnet__hint(call, "attach one of the two again at another priority, or use via TCX");
	return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
			     "no priority is free between %s and %s", below, above);
}

/* One look at the hook and one attempt. *retry: it may have changed in between. */
static int try_add(struct ebpfnet__call *call, const struct ebpfnet__tc_attempt *a,
		   struct ebpfnet_link *link, bool *made, bool *retry)
{
	CLEANUP(filters) struct ebpfnet__filters filters = { 0 };
	struct ebpfnet__filter f = { .handle = HANDLE };
	struct ebpfnet__clsact_place place;
	size_t at;
	int ret = ensure_qdisc(call, a, made);

	*retry = false;
	if (ret)
		return ret;
	ret = ebpfnet__rtnl_filters(a->rtnl, &a->hook, &filters);
	if (ret)
		return ebpfnet__clsact_fail(call, a->rtnl, ret);
	ret = ebpfnet__clsact_refuse_twice(call, &filters, ebpfnet__program_id(a->prog->fd), NULL);
	if (ret == 0)
		ret = find_anchor(call, a, &filters, &at);
	if (ret)
		return ret;
	place = ebpfnet__clsact_place(&filters, a->o->anchor, at);
	if (place.priority == 0)
		return fail_no_room(call, &filters, &place);
	f.priority = place.priority;
	link->priority = (int32_t)f.priority;
	link->handle = f.handle;
	ret = ebpfnet__record_update(call, link, a->prog->fd);
	if (ret)
		return ret;
	ebpfnet__mark_write(&f, ebpfnet__record_id(link->record_fd), *made, a->prog->fd);
	ret = ebpfnet__rtnl_filter_put(a->rtnl, &a->hook, &f, a->prog->fd,
				       NLM_F_CREATE | NLM_F_EXCL);
	*retry = ret == -EEXIST || ret == -ENOENT || ret == -EINVAL;
	return ret ? ebpfnet__clsact_fail(call, a->rtnl, ret) : 0;
}

static int add(struct ebpfnet__call *call, const struct ebpfnet__tc_attempt *a,
	       struct ebpfnet_link *link)
{
	bool made = false, retry = true;
	int ret = 0;

	for (int i = 0; i < TRIES && retry; i++) {
		ebpfnet__call_clear(call);
		ret = try_add(call, a, link, &made, &retry);
	}
	if (ret)
		ebpfnet__clsact_release(a->rtnl, a->hook.ifindex, made);
	if (ret != -ENOENT || !retry || !clsact_is_missing(call->ctx))
		return ret;
	ebpfnet__call_clear(call);
	return ebpfnet__fail_feature(call, -EOPNOTSUPP, EBPFNET_FEATURE_CLSACT, NULL);
}

int ebpfnet__clsact_attach(struct ebpfnet__call *call, const struct ebpfnet__tc_attempt *a,
			   struct ebpfnet_link *link)
{
	CLEANUP(clsact_lock) int locked = -1;
	int ret;

	if (a->o->expected_revision) {
		ebpfnet__hint(call, "use via TCX (Linux 6.6), or give no revision");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "clsact has no revision");
	}
	link->via = EBPFNET_VIA_CLSACT;
	ret = ebpfnet__record_new(call, link, a->prog->fd);
	if (ret == -EPERM) { /* without CAP_BPF: no pin, and nobody can tell an orphan */
		ebpfnet__call_clear(call);
		ret = 0;
	}
	if (ret == 0)
		ret = ebpfnet__clsact_lock(call, a->o->netns_fd, &locked);
	if (ret == 0)
		ret = add(call, a, link);
	if (ret)
		return ret;
	link->way = &ebpfnet__way_clsact;
	return 0;
}
