// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/cgroup.h"
#include "attach/query.h"
#include "core/opts.h"

/* The links on the hooks of one cgroup: the kernel lists its programs without them. */
struct links {
	uint64_t cgroup_id;
	size_t count, room;
	struct held {
		uint32_t id, prog_id, attach_type;
		bool used;
	} * list;
	bool nomem;
};

static void free_links(struct links *links)
{
	free(links->list);
}

/* Sees every link there is, and is never the one that was looked for. */
static bool collect(const struct bpf_link_info *info, const void *data)
{
	struct links *links = *(struct links *const *)data;
	struct held *list = links->list;

	if (info->type != BPF_LINK_TYPE_CGROUP || info->cgroup.cgroup_id != links->cgroup_id)
		return false;
	if (links->count == links->room) {
		links->room = links->room ? 2 * links->room : 16;
		list = reallocarray(list, links->room, sizeof(*list));
		if (!list) {
			links->nomem = true;
			return true;
		}
		links->list = list;
	}
	list[links->count++] = (struct held) { .id = info->id,
					       .prog_id = info->prog_id,
					       .attach_type = info->cgroup.attach_type };
	return false;
}

/* The link that holds a program; several may hold the same one. 0: none, it was PROG_ATTACHed. */
static uint32_t take_link(struct links *links, uint32_t prog_id, uint32_t attach_type)
{
	for (size_t i = 0; i < links->count; i++) {
		struct held *l = &links->list[i];

		if (l->used || l->prog_id != prog_id || l->attach_type != attach_type)
			continue;
		l->used = true;
		return l->id;
	}
	return 0;
}

static int add_hook(struct ebpfnet__call *call, int cgroup_fd, uint32_t hook, uint32_t via,
		    struct links *links, struct ebpfnet_query *query)
{
	const struct ebpfnet__cgroup_hook *row = ebpfnet__cgroup_hook(hook);
	struct ebpfnet__cgroup_progs progs;
	int ret = ebpfnet__cgroup_progs(cgroup_fd, hook, &progs);
	size_t first = query->count;

	if (ret)
		return ret;
	query->revision = progs.revision;
	for (uint32_t i = 0; i < progs.count; i++) {
		uint32_t link_id = take_link(links, progs.ids[i], row->attach_type);
		uint32_t held = link_id ? EBPFNET_VIA_LINK : EBPFNET_VIA_PROG_ATTACH;
		struct ebpfnet_query_entry *entry;

		if (via != EBPFNET_VIA_ANY && via != held)
			continue;
		entry = ebpfnet__query_add(call, query);
		if (!entry)
			return -ENOMEM;
		entry->kind = EBPFNET_LINK_CGROUP;
		entry->via = held;
		entry->hook = hook;
		entry->program_id = progs.ids[i];
		entry->link_id = link_id;
		entry->cgroup_id = links->cgroup_id;
		ebpfnet__query_name(entry, "");
	}
	ebpfnet__query_hook(query, first, progs.revision);
	return 0;
}

static int fail_query(struct ebpfnet__call *call, uint32_t hook, int code)
{
	if (call->failed)
		return code;
	if (code == -EPERM)
		ebpfnet__hint(call, "CAP_NET_ADMIN and CAP_BPF");
	if (code == -EINVAL) {
		const struct ebpfnet__cgroup_hook *row = ebpfnet__cgroup_hook(hook);

		ebpfnet__note_min_kernel(call, row->min_kernel);
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "%s needs Linux %s", row->name, row->min_kernel);
	}
	return ebpfnet__fail(call, code, 0, "%s", ebpfnet_strerror(code));
}

static int add_hooks(struct ebpfnet__call *call, int cgroup_fd, uint32_t hook, uint32_t via,
		     struct ebpfnet_query *query)
{
	__attribute__((cleanup(free_links))) struct links links = { 0 };
	struct links *to = &links;
	struct bpf_link_info info;
	int ret;

	links.cgroup_id = ebpfnet__cgroup_id(cgroup_fd);
	ebpfnet__link_find(collect, &to, &info);
	if (links.nomem)
		return ebpfnet__fail_nomem(call);
	if (hook) {
		ret = add_hook(call, cgroup_fd, hook, via, &links, query);
		return ret ? fail_query(call, hook, ret) : 0;
	}
	for (hook = 1; ebpfnet__cgroup_hook(hook); hook++) {
		ret = add_hook(call, cgroup_fd, hook, via, &links, query);
		/* A hook that this kernel lacks has no programs. */
		if (ret && ret != -EINVAL)
			return fail_query(call, hook, ret);
	}
	query->revision = 0; /* each hook has its own */
	return 0;
}

int ebpfnet_cgroup_query(struct ebpfnet_ctx *ctx, const char *cgroup, uint32_t hook,
			 const struct ebpfnet_query_opts *opts, struct ebpfnet_query **out,
			 struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "query cgroup %s", *cgroup ? cgroup : "/");
	CLEANUP(query) struct ebpfnet_query *query = NULL;
	CLEANUP(fd) int fd = -1;
	struct ebpfnet_query_opts o;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret)
		return ret;
	if (hook && !ebpfnet__cgroup_hook(hook))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "hook %u is none that this library knows", hook);
	if (o.via != EBPFNET_VIA_ANY && o.via != EBPFNET_VIA_LINK &&
	    o.via != EBPFNET_VIA_PROG_ATTACH)
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "via %u is not a way to attach to a cgroup", o.via);
	if (o.netns_fd)
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "a cgroup is the same in every network namespace");
	fd = ebpfnet__cgroup_open(&call, cgroup);
	if (fd < 0)
		return fd;
	query = ebpfnet__query_new(&call);
	if (!query)
		return ebpfnet_error_code(call.error);
	ret = add_hooks(&call, fd, hook, o.via, query);
	if (ret)
		return ret;
	*out = TAKE(query);
	return 0;
}
