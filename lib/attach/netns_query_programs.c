// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The parts of an XDP program, and programs and maps that are loaded and attached nowhere. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/netns_query.h"
#include "attach/record.h"
#include "load/pin.h"

#define IDS_MAX 1000000
#define MAP_IDS_MAX 256

/* The name of the function that a part is in the place of: "prog3" of a libxdp dispatcher. */
static bool function_name(uint32_t prog_id, uint32_t btf_type, char *name, size_t size)
{
	CLEANUP(fd) int fd = bpf_prog_get_fd_by_id(prog_id);
	struct bpf_prog_info info = { 0 };
	const struct btf_type *type;
	struct btf *btf;

	if (fd < 0 || ebpfnet__info_by_fd(fd, &info, sizeof(info)) || info.btf_id == 0)
		return false;
	btf = btf__load_from_kernel_by_id(info.btf_id);
	if (!btf)
		return false;
	type = btf__type_by_id(btf, btf_type);
	snprintf(name, size, "%s", type ? btf__name_by_offset(btf, type->name_off) : "");
	btf__free(btf);
	return *name;
}

static int compare_parts(const void *a, const void *b)
{
	const struct ebpfnet_query_entry *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static int add_part(struct ebpfnet__netns_query *q, size_t whole, const struct bpf_link_info *info)
{
	struct ebpfnet_query_entry *part = ebpfnet__query_add(q->call, q->query);
	const struct ebpfnet_query_entry *of = &q->query->entries[whole];
	char function[64] = "";
	unsigned int n;

	if (!part)
		return ebpfnet_error_code(q->call->error);
	part->kind = EBPFNET_LINK_XDP;
	part->via = EBPFNET_VIA_LINK;
	part->ifindex = of->ifindex;
	part->mode = of->mode;
	part->part_of = of->program_id;
	part->program_id = info->prog_id;
	part->link_id = info->id;
	part->order = info->tracing.target_btf_id;
	if (of->dispatcher &&
	    function_name(of->program_id, info->tracing.target_btf_id, function,
			  sizeof(function)) &&
	    sscanf(function, "prog%u", &n) == 1)
		part->order = n;
	ebpfnet__query_name(part, function);
	return 0;
}

int ebpfnet__query_parts(struct ebpfnet__netns_query *q, size_t whole)
{
	uint32_t prog_id = q->query->entries[whole].program_id;
	size_t first = q->query->count;
	int ret = 0;

	for (size_t i = 0; i < q->links.count && ret == 0; i++) {
		const struct bpf_link_info *info = &q->links.list[i];

		/* fentry and fexit on the program are links of this type as well. */
		if (info->type == BPF_LINK_TYPE_TRACING && info->tracing.target_obj_id == prog_id &&
		    info->tracing.attach_type == 0)
			ret = add_part(q, whole, info);
	}
	if (ret || q->query->count == first)
		return ret;
	qsort(q->query->entries + first, q->query->count - first, sizeof(*q->query->entries),
	      compare_parts);
	ebpfnet__query_hook(q->query, first, 0);
	return 0;
}

struct ids {
	uint32_t *list;
	size_t count, room;
};

static void ebpfnet__cleanup_ids(struct ids *ids)
{
	free(ids->list);
}

static bool add_id(struct ids *ids, uint32_t id)
{
	if (ids->count == ids->room) {
		size_t room = ids->room ? 2 * ids->room : 64;
		void *list = reallocarray(ids->list, room, sizeof(id));

		if (!list)
			return false;
		ids->list = list;
		ids->room = room;
	}
	ids->list[ids->count++] = id;
	return true;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void sort_ids(struct ids *ids)
{
	if (ids->count)
		qsort(ids->list, ids->count, sizeof(*ids->list), compare_ids);
}

static bool has_id(const struct ids *ids, uint32_t id)
{
	return ids->count && bsearch(&id, ids->list, ids->count, sizeof(id), compare_ids) != NULL;
}

/* The maps of a program. */
static bool add_maps_of(int prog_fd, struct ids *maps)
{
	uint32_t list[MAP_IDS_MAX] = { 0 };
	struct bpf_prog_info info = { .map_ids = (uintptr_t)list, .nr_map_ids = MAP_IDS_MAX };

	if (ebpfnet__info_by_fd(prog_fd, &info, sizeof(info)))
		return true;
	for (uint32_t i = 0; i < info.nr_map_ids && i < MAP_IDS_MAX; i++) {
		if (!add_id(maps, list[i]))
			return false;
	}
	return true;
}

/* Programs that something runs: what was found so far, and what a link of any kind holds. */
static bool collect_used(struct ebpfnet__netns_query *q, struct ids *progs, struct ids *maps)
{
	bool ok = true;

	for (size_t i = 0; i < q->query->count && ok; i++) {
		ok = add_id(progs, q->query->entries[i].program_id);
		if (ok && q->query->entries[i].map_id)
			ok = add_id(maps, q->query->entries[i].map_id);
	}
	for (size_t i = 0; i < q->links.count && ok; i++)
		ok = add_id(progs, q->links.list[i].prog_id);
	sort_ids(progs);
	return ok;
}

/* One program or map by its id, opened. Returns 0 or fails the call. */
static int look_at_program(struct ebpfnet__netns_query *q, int fd, uint32_t id,
			   const struct ids *progs, struct ids *maps)
{
	struct ebpfnet_query_entry *entry;

	if (has_id(progs, id))
		return add_maps_of(fd, maps) ? 0 : ebpfnet__fail_nomem(q->call);
	entry = ebpfnet__query_add(q->call, q->query);
	if (!entry)
		return ebpfnet_error_code(q->call->error);
	entry->program_id = id;
	ebpfnet__query_name(entry, "");
	return 0;
}

static int look_at_map(struct ebpfnet__netns_query *q, int fd, uint32_t id, const struct ids *maps)
{
	struct bpf_map_info info = { 0 };
	struct ebpfnet_query_entry *entry;

	/* The record of an attachment stands for that. */
	if (has_id(maps, id) || ebpfnet__record_held(id) == 1 ||
	    ebpfnet__info_by_fd(fd, &info, sizeof(info)))
		return 0;
	entry = ebpfnet__query_add(q->call, q->query);
	if (!entry)
		return ebpfnet_error_code(q->call->error);
	entry->map_id = id;
	snprintf(entry->name, sizeof(entry->name), "%s", info.name);
	return 0;
}

static int walk_ids(struct ebpfnet__netns_query *q, bool programs, const struct ids *progs,
		    struct ids *maps)
{
	uint32_t id = 0;
	int ret = 0;

	for (int i = 0; i < IDS_MAX && ret == 0; i++) {
		CLEANUP(fd) int fd = -1;

		if (programs ? bpf_prog_get_next_id(id, &id) : bpf_map_get_next_id(id, &id)) {
			ret = errno == ENOENT ? 0 : -errno;
			break;
		}
		fd = ebpfnet__fd_safe(programs ? bpf_prog_get_fd_by_id(id)
					       : bpf_map_get_fd_by_id(id));
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			ret = -errno;
		else
			ret = programs ? look_at_program(q, fd, id, progs, maps)
				       : look_at_map(q, fd, id, maps);
	}
	return ret;
}

int ebpfnet__query_unattached(struct ebpfnet__netns_query *q)
{
	CLEANUP(ids) struct ids progs = { 0 };
	CLEANUP(ids) struct ids maps = { 0 };
	int ret;

	if (!collect_used(q, &progs, &maps))
		return ebpfnet__fail_nomem(q->call);
	ret = walk_ids(q, true, &progs, &maps);
	if (ret == 0) {
		sort_ids(&maps);
		ret = walk_ids(q, false, &progs, &maps);
	}
	if (ret == 0 || q->call->failed)
		return ret;
	ebpfnet__query_miss(q->query, EBPFNET_MISSING_PROGRAMS,
			    "programs and maps that are attached nowhere: %s (needs CAP_SYS_ADMIN)",
			    ebpfnet_strerror(ret));
	return 0;
}
