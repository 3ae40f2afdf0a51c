// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* TC through filters of a clsact qdisc: the life of a link, and what a hook has. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/clsact.h"
#include "attach/record.h"
#include "attach/tc.h"

/* A look at the hook of a link, with the means to change it. */
struct sight {
	struct ebpfnet__rtnl rtnl;
	struct ebpfnet__tc_hook hook;
	struct ebpfnet__filters filters;
	const struct ebpfnet__filter *at; /* what is at the link's priority and handle, or NULL */
	bool own;			  /* that is the link's filter */
	struct ebpfnet__mark mark;
};

static void ebpfnet__cleanup_sight(struct sight *s)
{
	ebpfnet__cleanup_filters(&s->filters);
	ebpfnet__rtnl_close(&s->rtnl);
}

static int look(struct ebpfnet__call *call, const struct ebpfnet_link *link, struct sight *s)
{
	int ret = ebpfnet__rtnl_open(call, link->netns_fd, &s->rtnl);

	if (ret)
		return ret;
	s->hook.ifindex = link->ifindex;
	s->hook.direction = link->hook;
	ret = ebpfnet__rtnl_filters(&s->rtnl, &s->hook, &s->filters);
	if (ret && ret != -ENODEV)
		return ebpfnet__clsact_fail(call, &s->rtnl, ret);
	for (size_t i = 0; i < s->filters.count && !s->at; i++)
		if (s->filters.list[i].priority == (uint32_t)link->priority &&
		    s->filters.list[i].handle == link->handle)
			s->at = &s->filters.list[i];
	s->own = s->at && ebpfnet__mark_read(s->at, &s->mark) && ebpfnet__clsact_is(s->at, link);
	return 0;
}

static int fail_update(struct ebpfnet__call *call, const struct ebpfnet__rtnl *rtnl, int code)
{
	ebpfnet__note_extack(call, rtnl->extack);
	if (code == -EINVAL)
		return ebpfnet__fail(call, code, EBPFNET_ERROR_INCOMPATIBLE,
				     "its type is not that of the link: %s",
				     rtnl->extack[0] ? rtnl->extack : ebpfnet_strerror(code));
	return ebpfnet__clsact_fail(call, rtnl, code);
}

static int update(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd,
		  int expected_fd)
{
	CLEANUP(sight) struct sight s = { 0 };
	CLEANUP(clsact_lock) int locked = -1;
	struct ebpfnet__filter f;
	int ret = ebpfnet__clsact_lock(call, link->netns_fd, &locked);

	if (ret == 0)
		ret = look(call, link, &s);
	if (ret)
		return ret;
	if (!s.own)
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT, "its filter is gone%s",
				     s.at ? ", and another one has its place" : "");
	if (expected_fd >= 0 && s.at->prog_id != ebpfnet__program_id(expected_fd))
		return ebpfnet__fail(call, -ESTALE, EBPFNET_ERROR_STALE,
				     "another program than the expected one is attached");
	ret = ebpfnet__clsact_refuse_twice(call, &s.filters, ebpfnet__program_id(prog_fd), s.at);
	if (ret)
		return ret;
	f = *s.at;
	ebpfnet__mark_write(&f, s.mark.record_id, s.mark.made_qdisc, prog_fd);
	ret = ebpfnet__rtnl_filter_put(&s.rtnl, &s.hook, &f, prog_fd, 0);
	if (ret)
		return fail_update(call, &s.rtnl, ret);
	return ebpfnet__record_update(call, link, prog_fd);
}

static int detach(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	CLEANUP(sight) struct sight s = { 0 };
	CLEANUP(clsact_lock) int locked = -1;
	char label[64];
	int ret = ebpfnet__clsact_lock(call, link->netns_fd, &locked);

	if (ret == 0)
		ret = look(call, link, &s);
	/* A filter that is gone is what was asked for. */
	if (ret || !s.own)
		return ret;
	if (s.at->prog_id != ebpfnet__program_id(link->prog_fd)) {
		ebpfnet__program_label(s.at->prog_id, label, sizeof(label));
		return ebpfnet__fail(call, -ESTALE, EBPFNET_ERROR_STALE,
				     "%s is attached, put there through another handle, and stays",
				     label);
	}
	ret = ebpfnet__rtnl_filter_del(&s.rtnl, &s.hook, s.at);
	if (ret && ret != -ENOENT && ret != -ENODEV)
		return ebpfnet__clsact_fail(call, &s.rtnl, ret);
	ebpfnet__clsact_release(&s.rtnl, link->ifindex, s.mark.made_qdisc);
	return 0;
}

static int info(struct ebpfnet__call *call, const struct ebpfnet_link *link,
		struct ebpfnet_link_info *out)
{
	CLEANUP(sight) struct sight s = { 0 };
	struct ebpfnet__interface interface;
	int ret = look(call, link, &s);

	if (ret)
		return ret;
	out->ifindex = (uint32_t)link->ifindex;
	out->program_id = s.own ? s.at->prog_id : 0;
	out->defunct = !s.own;
	if (!s.own && ebpfnet__rtnl_interface(&s.rtnl, link->ifindex, &interface) == -ENODEV)
		out->ifindex = 0;
	return 0;
}

const struct ebpfnet__link_way ebpfnet__way_clsact = {
	.update = update,
	.detach = detach,
	.info = info,
	.pin = ebpfnet__record_pin,
	.unpin = ebpfnet__record_unpin,
	.by_fd = false,
	.no_compare = true,
};

int ebpfnet__clsact_query(struct ebpfnet__call *call, const struct ebpfnet__tc_hook *hook,
			  struct ebpfnet__rtnl *rtnl, struct ebpfnet_query *query)
{
	CLEANUP(filters) struct ebpfnet__filters filters = { 0 };
	char kind[EBPFNET__TC_KIND_MAX];
	int ret = ebpfnet__rtnl_hook_qdisc(rtnl, hook->ifindex, kind);
	size_t first = query->count;

	/* For its egress an ingress qdisc lists the filters of ingress. */
	if (ret == 0 && hook->direction == EBPFNET_EGRESS && strcmp(kind, "ingress") == 0)
		return 0;
	if (ret == 0)
		ret = ebpfnet__rtnl_filters(rtnl, hook, &filters);
	if (ret)
		return ebpfnet__clsact_fail(call, rtnl, ret);
	for (size_t i = 0; i < filters.count; i++) {
		const struct ebpfnet__filter *f = &filters.list[i];
		struct ebpfnet_query_entry *entry = ebpfnet__query_add(call, query);
		const char *name = strcmp(f->kind, "bpf") == 0 ? f->name : f->kind;
		struct ebpfnet__mark mark;

		if (!entry)
			return ebpfnet_error_code(call->error);
		entry->kind = EBPFNET_LINK_TC;
		entry->via = EBPFNET_VIA_CLSACT;
		entry->hook = hook->direction;
		entry->ifindex = (uint32_t)hook->ifindex;
		entry->program_id = f->prog_id;
		entry->priority = (int32_t)f->priority;
		entry->handle = f->handle;
		if (ebpfnet__mark_read(f, &mark)) {
			name = mark.program;
			entry->orphan = mark.record_id && ebpfnet__record_held(mark.record_id) == 0;
		}
		ebpfnet__query_name(entry, name);
	}
	ebpfnet__query_hook(query, first, 0);
	return 0;
}
