// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Programs of sockmaps and of cgroups: they belong to no namespace. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "attach/cgroup.h"
#include "attach/netns_query.h"
#include "attach/sockmap.h"
#include "core/uapi.h"
#include "load/pin.h"

#define MAPS_MAX 1000000
#define CGROUPS_MAX 100000

static bool holds_slot(const struct bpf_link_info *info, const void *what)
{
	return info->type == EBPFNET__BPF_LINK_TYPE_SOCKMAP &&
	       memcmp(&info->xdp, what, sizeof(struct ebpfnet__link_info_sockmap)) == 0;
}

static int query_slot(struct ebpfnet__netns_query *q, int map_fd, const struct bpf_map_info *map,
		      uint32_t hook)
{
	struct ebpfnet__link_info_sockmap slot = { map->id, ebpfnet__sockmap_attach_type(hook) };
	struct ebpfnet_query_entry *entry;
	uint32_t prog_id;
	size_t at;
	int ret = ebpfnet__sockmap_query(map_fd, hook, &prog_id);

	/* EBUSY: the hook that excludes this one is taken. */
	if (ret && ret != -EOPNOTSUPP && ret != -EBUSY)
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_SOCKMAPS,
				    "sockmaps: %s (needs Linux 5.17 and CAP_NET_ADMIN): only those "
				    "held by links are listed",
				    ebpfnet_strerror(ret));
	at = q->links.count;
	if (ebpfnet__links_match(&q->links, holds_slot, &slot, &at))
		prog_id = q->links.list[at].prog_id;
	if (prog_id == 0)
		return 0;
	entry = ebpfnet__query_add(q->call, q->query);
	if (!entry)
		return ebpfnet_error_code(q->call->error);
	entry->kind = EBPFNET_LINK_SOCKMAP;
	entry->hook = hook;
	entry->map_id = map->id;
	entry->program_id = prog_id;
	entry->via = EBPFNET_VIA_PROG_ATTACH;
	if (at < q->links.count) {
		entry->via = EBPFNET_VIA_LINK;
		entry->link_id = q->links.list[at].id;
	}
	ebpfnet__query_name(entry, "");
	return 0;
}

int ebpfnet__query_sockmaps(struct ebpfnet__netns_query *q)
{
	uint32_t id = 0;
	int code = 0, ret = 0;

	for (int i = 0; i < MAPS_MAX && ret == 0 && code == 0; i++) {
		CLEANUP(fd) int fd = -1;
		struct bpf_map_info map = { 0 };

		if (bpf_map_get_next_id(id, &id)) {
			code = errno == ENOENT ? 0 : -errno;
			break;
		}
		fd = ebpfnet__fd_safe(bpf_map_get_fd_by_id(id));
		if (fd < 0)
			code = errno == ENOENT ? 0 : -errno;
		if (fd < 0 || ebpfnet__info_by_fd(fd, &map, sizeof(map)))
			continue;
		if (map.type != BPF_MAP_TYPE_SOCKMAP && map.type != BPF_MAP_TYPE_SOCKHASH)
			continue;
		for (uint32_t hook = 1; ebpfnet__sockmap_attach_type(hook) && ret == 0; hook++)
			ret = query_slot(q, fd, &map, hook);
	}
	if (code)
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_SOCKMAPS,
				    "sockmaps: %s (needs CAP_SYS_ADMIN)", ebpfnet_strerror(code));
	return ret;
}

struct cgroup_place {
	uint64_t id;
	uint32_t attach_type, prog_id;
};

static bool is_on_cgroup(const struct bpf_link_info *info, const void *what)
{
	const struct cgroup_place *place = what;

	return info->type == BPF_LINK_TYPE_CGROUP && info->cgroup.cgroup_id == place->id &&
	       info->cgroup.attach_type == place->attach_type && info->prog_id == place->prog_id;
}

static int add_cgroup_programs(struct ebpfnet__netns_query *q, const char *path, uint64_t id,
			       uint32_t hook, const struct ebpfnet__cgroup_progs *progs)
{
	size_t first = q->query->count;

	for (uint32_t i = 0; i < progs->count; i++) {
		struct cgroup_place place = { id, ebpfnet__cgroup_hook(hook)->attach_type,
					      progs->ids[i] };
		struct ebpfnet_query_entry *entry = ebpfnet__query_add(q->call, q->query);
		size_t at;

		if (!entry)
			return ebpfnet_error_code(q->call->error);
		q->query->details[q->query->count - 1].cgroup = strdup(path);
		entry->kind = EBPFNET_LINK_CGROUP;
		entry->via = EBPFNET_VIA_PROG_ATTACH;
		entry->hook = hook;
		entry->program_id = progs->ids[i];
		entry->cgroup_id = id;
		if (ebpfnet__links_match(&q->links, is_on_cgroup, &place, &at) &&
		    !q->links.used[at]) {
			q->links.used[at] = true;
			entry->via = EBPFNET_VIA_LINK;
			entry->link_id = q->links.list[at].id;
		}
		ebpfnet__query_name(entry, "");
	}
	ebpfnet__query_hook(q->query, first, progs->revision);
	return 0;
}

static int query_cgroup(struct ebpfnet__walk *walk, const char *path)
{
	struct ebpfnet__netns_query *q = walk->data;
	CLEANUP(fd)
	int fd = ebpfnet__fd_safe(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int ret = 0;

	for (uint32_t hook = 1; fd >= 0 && ebpfnet__cgroup_hook(hook) && ret == 0; hook++) {
		struct ebpfnet__cgroup_progs progs;
		int code = ebpfnet__cgroup_progs(fd, hook, &progs);

		/* EINVAL: a hook that this kernel lacks. ENOENT: the cgroup went meanwhile. */
		if (code && code != -EINVAL && code != -ENOENT && walk->code == 0)
			walk->code = code;
		if (code == 0 && progs.count)
			ret = add_cgroup_programs(q, path, ebpfnet__cgroup_id(fd), hook, &progs);
	}
	return ret;
}

int ebpfnet__query_cgroups(struct ebpfnet__netns_query *q)
{
	struct ebpfnet__walk walk = { .folder = query_cgroup, .data = q, .left = CGROUPS_MAX };
	char point[PATH_MAX];
	int ret;

	ret = ebpfnet__cgroup_mount_point(point);
	if (ret) {
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_CGROUPS,
				    "cgroups: no cgroup v2 is mounted here");
		return 0;
	}
	ret = ebpfnet__walk(&walk, point);
	if (walk.code)
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_CGROUPS,
				    "cgroups: %s (needs CAP_NET_ADMIN)",
				    ebpfnet_strerror(walk.code));
	return ret;
}
