// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* TC through TCX (6.6): bpf_links in the order that the kernel's mprog keeps. */
#include <errno.h>

#include <ebpfnet/probe.h>

#include "attach/tc.h"
#include "core/uapi.h"
#include "load/object.h"
#include "probe/feature.h"

static struct ebpfnet__mprog_hook hook_of(const struct ebpfnet__tc_hook *hook, int netns_fd)
{
	return (struct ebpfnet__mprog_hook) {
		.ifindex = hook->ifindex,
		.attach_type = hook->direction == EBPFNET_INGRESS ? EBPFNET__BPF_TCX_INGRESS
								  : EBPFNET__BPF_TCX_EGRESS,
		.netns_fd = netns_fd,
	};
}

static bool tcx_is_missing(struct ebpfnet_ctx *ctx)
{
	struct ebpfnet_error *inner = NULL;
	int has = ebpfnet_probe(ctx, EBPFNET_FEATURE_TCX, &inner);

	ebpfnet_error_free(inner);
	return has == 0;
}

/* Whether the anchor is a program on the clsact of the same hook, which TCX does not look at. */
static bool anchor_on_clsact(const struct ebpfnet__tc_attempt *a)
{
	CLEANUP(filters) struct ebpfnet__filters filters = { 0 };
	uint32_t id = a->o->anchor_program ? ebpfnet__program_id(a->o->anchor_program->fd)
					   : a->o->anchor_program_id;

	if (id == 0 || ebpfnet__rtnl_filters(a->rtnl, &a->hook, &filters))
		return false;
	for (size_t i = 0; i < filters.count; i++)
		if (filters.list[i].prog_id == id)
			return true;
	return false;
}

static int fail_attach(struct ebpfnet__call *call, const struct ebpfnet__tc_attempt *a,
		       const struct ebpfnet__mprog_place *place, int code,
		       const struct ebpfnet__mprog_entries *now)
{
	char label[64];

	if (code == -ENOENT && anchor_on_clsact(a)) {
		ebpfnet__mprog_label(place, label, sizeof(label));
		ebpfnet__hint(call, "use via CLSACT: all TCX programs run before all clsact "
				    "filters");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_FOUND,
				     "the anchor, %s, is a clsact filter of this hook and not on "
				     "its TCX",
				     label);
	}
	if (code == -EINVAL && tcx_is_missing(call->ctx))
		return ebpfnet__fail_feature(call, -EOPNOTSUPP, EBPFNET_FEATURE_TCX,
					     ", and clsact fallback is off");
	return ebpfnet__mprog_fail(call, a->prog, place, now, code);
}

int ebpfnet__tcx_attach(struct ebpfnet__call *call, const struct ebpfnet__tc_attempt *a,
			struct ebpfnet_link *link)
{
	CLEANUP(entries) struct ebpfnet__mprog_entries now = { 0 };
	struct ebpfnet__mprog_hook hook = hook_of(&a->hook, a->o->netns_fd);
	struct ebpfnet__mprog_place place = ebpfnet__tc_place(a->o);
	int ret = ebpfnet__mprog_attach(call, a->prog, &hook, &place, link, &now);

	if (call->failed)
		return ret;
	if (ret)
		return fail_attach(call, a, &place, ret, &now);
	link->way = &ebpfnet__way_bpf_link;
	link->via = EBPFNET_VIA_TCX;
	return 0;
}

int ebpfnet__tcx_query(struct ebpfnet__call *call, const struct ebpfnet__tc_hook *hook,
		       int netns_fd, struct ebpfnet_query *query)
{
	CLEANUP(entries) struct ebpfnet__mprog_entries now = { 0 };
	struct ebpfnet__mprog_hook tcx = hook_of(hook, netns_fd);
	int ret = ebpfnet__mprog_read(call, &tcx, &now);
	size_t first;

	if (call->failed)
		return ret;
	if (ret == -EINVAL && tcx_is_missing(call->ctx))
		return ebpfnet__fail_feature(call, -EOPNOTSUPP, EBPFNET_FEATURE_TCX, NULL);
	if (ret == -EPERM)
		ebpfnet__hint(call, "CAP_NET_ADMIN in the namespace of the interface");
	if (ret)
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	query->revision = now.revision;
	first = query->count;
	for (uint32_t i = 0; i < now.count; i++) {
		struct ebpfnet_query_entry *entry = ebpfnet__query_add(call, query);

		if (!entry)
			return ebpfnet_error_code(call->error);
		entry->kind = EBPFNET_LINK_TC;
		entry->via = EBPFNET_VIA_TCX;
		entry->hook = hook->direction;
		entry->ifindex = (uint32_t)hook->ifindex;
		entry->program_id = now.programs[i];
		entry->link_id = now.links[i];
		ebpfnet__query_name(entry, "");
	}
	ebpfnet__query_hook(query, first, now.revision);
	return 0;
}
