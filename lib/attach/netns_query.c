// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/netns_query.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/netns.h"
#include "core/opts.h"

#define FLAGS                                                                                      \
	(EBPFNET_QUERY_UNATTACHED | EBPFNET_QUERY_CGROUPS | EBPFNET_QUERY_NO_OWNERS |              \
	 EBPFNET_QUERY_NO_PINS)
/* Folders below folders. */
#define DEPTH_MAX 32

/* Path is a buffer of PATH_MAX, and is as it was afterwards. */
static int walk_folder(struct ebpfnet__walk *walk, char *path, int depth)
{
	size_t length = strlen(path);
	const struct dirent *entry;
	int ret = walk->folder ? walk->folder(walk, path) : 0;
	DIR *dir = ret ? NULL : opendir(path);

	if (!dir && !ret && walk->code == 0 && errno != ENOENT)
		walk->code = -errno;
	while (dir && ret == 0 && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (walk->left == 0 || depth == DEPTH_MAX ||
		    length + strlen(entry->d_name) + 2 > PATH_MAX) {
			walk->code = -E2BIG;
			break;
		}
		walk->left--;
		sprintf(path + length, "%s%s", path[length - 1] == '/' ? "" : "/", entry->d_name);
		if (entry->d_type == DT_DIR)
			ret = walk_folder(walk, path, depth + 1);
		else if (walk->file && entry->d_type == DT_REG)
			ret = walk->file(walk, path);
		path[length] = '\0';
	}
	if (dir)
		closedir(dir);
	return ret;
}

int ebpfnet__walk(struct ebpfnet__walk *walk, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s", path);
	return walk_folder(walk, full, 0);
}

/* What is asked from inside of the namespace, for the kernel takes the thread's. */
static int query_inside(struct ebpfnet__netns_query *q, int netns_fd)
{
	struct ebpfnet__netns stay;
	int ret = ebpfnet__netns_enter(q->call, netns_fd, &stay);

	if (ret)
		return ret;
	q->netns_inode = ebpfnet__netns_inode(0);
	ret = ebpfnet__query_devices(q);
	if (ret == 0)
		ret = ebpfnet__query_namespace(q);
	if (ret == 0)
		ret = ebpfnet__query_netfilter(q);
	return ebpfnet__netns_leave(q->call, &stay, ret);
}

/* Cgroups were looked at to know what is attached, and nobody asked for them. */
static void drop_cgroups(struct ebpfnet_query *query)
{
	size_t n = 0;

	for (size_t i = 0; i < query->count; i++) {
		if (query->entries[i].kind == EBPFNET_LINK_CGROUP) {
			free(query->details[i].cgroup);
			continue;
		}
		query->entries[n] = query->entries[i];
		query->details[n++] = query->details[i];
	}
	query->count = n;
}

static int query_loose(struct ebpfnet__netns_query *q)
{
	int ret = ebpfnet__query_sockmaps(q);

	if (ret == 0 && (q->flags & (EBPFNET_QUERY_CGROUPS | EBPFNET_QUERY_UNATTACHED)))
		ret = ebpfnet__query_cgroups(q);
	if (ret == 0 && (q->flags & EBPFNET_QUERY_UNATTACHED))
		ret = ebpfnet__query_unattached(q);
	if (ret == 0 && !(q->flags & EBPFNET_QUERY_CGROUPS))
		drop_cgroups(q->query);
	return ret;
}

static void check_programs(struct ebpfnet_query *query)
{
	for (size_t i = 0; i < query->count; i++) {
		if (query->entries[i].program_id && query->entries[i].program_type == 0)
			ebpfnet__query_miss(query, EBPFNET_MISSING_PROGRAMS,
					    "programs: names, types and orphans need "
					    "CAP_SYS_ADMIN");
	}
}

static int query_all(struct ebpfnet__netns_query *q, int netns_fd)
{
	int ret = ebpfnet__links_read(q);

	if (ret == 0)
		ret = query_inside(q, netns_fd);
	/* Or it would be a program that is attached nowhere. */
	ebpfnet__cleanup_fd(&q->ask_fd);
	if (ret == 0)
		ret = query_loose(q);
	if (ret == 0 && !(q->flags & EBPFNET_QUERY_NO_OWNERS))
		ret = ebpfnet__query_owners(q);
	if (ret == 0 && !(q->flags & EBPFNET_QUERY_NO_PINS))
		ret = ebpfnet__query_pins(q);
	check_programs(q->query);
	return ret;
}

int ebpfnet_netns_query(struct ebpfnet_ctx *ctx, const struct ebpfnet_netns_query_opts *opts,
			struct ebpfnet_query **out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "query network namespace");
	CLEANUP(query) struct ebpfnet_query *query = NULL;
	struct ebpfnet__netns_query q = { .call = &call, .ask_fd = -1 };
	struct ebpfnet_netns_query_opts o;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret == 0 && (o.flags & ~FLAGS))
		ret = ebpfnet__fail(&call, -EOPNOTSUPP, EBPFNET_ERROR_INVALID,
				    "flags 0x%x are none that this library knows", o.flags);
	if (ret == 0)
		ret = ebpfnet__netns_check_net(&call, o.netns_fd);
	if (ret)
		return ret;
	query = ebpfnet__query_new(&call);
	if (!query)
		return ebpfnet_error_code(call.error);
	q.query = query;
	q.flags = o.flags;
	ret = query_all(&q, o.netns_fd);
	ebpfnet__cleanup_links(&q.links);
	if (ret)
		return ret;
	*out = TAKE(query);
	return 0;
}
