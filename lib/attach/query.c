// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/query.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/opts.h"
#include "load/pin.h"

struct ebpfnet_query *ebpfnet__query_new(struct ebpfnet__call *call)
{
	struct ebpfnet_query *query = calloc(1, sizeof(*query));

	if (!query)
		ebpfnet__fail_nomem(call);
	return query;
}

static bool grow(struct ebpfnet_query *query)
{
	size_t room = query->room ? 2 * query->room : 8;
	void *entries = reallocarray(query->entries, room, sizeof(*query->entries)), *details;

	if (!entries)
		return false;
	query->entries = entries;
	details = reallocarray(query->details, room, sizeof(*query->details));
	if (!details)
		return false;
	query->details = details;
	query->room = room;
	return true;
}

struct ebpfnet_query_entry *ebpfnet__query_add(struct ebpfnet__call *call,
					       struct ebpfnet_query *query)
{
	struct ebpfnet_query_entry *entry;

	if (query->count == query->room && !grow(query)) {
		ebpfnet__fail_nomem(call);
		return NULL;
	}
	memset(&query->details[query->count], 0, sizeof(*query->details));
	entry = &query->entries[query->count++];
	memset(entry, 0, sizeof(*entry));
	return entry;
}

void ebpfnet__query_name(struct ebpfnet_query_entry *entry, const char *otherwise)
{
	CLEANUP(fd)
	int fd = entry->program_id ? bpf_prog_get_fd_by_id(entry->program_id) : -1;
	struct bpf_prog_info info = { 0 };

	if (fd >= 0)
		ebpfnet__info_by_fd(fd, &info, sizeof(info));
	entry->program_type = info.type;
	if (info.name[0])
		snprintf(entry->name, sizeof(entry->name), "%s", info.name);
	else
		snprintf(entry->name, sizeof(entry->name), "%.*s", (int)sizeof(entry->name) - 1,
			 otherwise);
}

void ebpfnet__query_hook(struct ebpfnet_query *query, size_t first, uint64_t revision)
{
	for (size_t i = first; i < query->count; i++) {
		query->entries[i].order = (uint32_t)(i - first);
		query->entries[i].revision = revision;
	}
}

void ebpfnet__query_miss(struct ebpfnet_query *query, uint32_t missing, const char *why, ...)
{
	size_t have = strlen(query->why);
	va_list args;

	if (query->missing & missing)
		return;
	query->missing |= missing;
	if (have && have < sizeof(query->why) - 1)
		query->why[have++] = '\n';
	va_start(args, why);
	vsnprintf(query->why + have, sizeof(query->why) - have, why, args);
	va_end(args);
}

uint64_t ebpfnet_query_revision(const struct ebpfnet_query *query)
{
	return query->revision;
}

size_t ebpfnet_query_count(const struct ebpfnet_query *query)
{
	return query->count;
}

int ebpfnet_query_entry(const struct ebpfnet_query *query, size_t i,
			struct ebpfnet_query_entry *entry)
{
	if (i >= query->count)
		return -ENOENT;
	return EBPFNET__OUT_FILL(entry, &query->entries[i]);
}

uint32_t ebpfnet_query_missing(const struct ebpfnet_query *query)
{
	return query->missing;
}

const char *ebpfnet_query_missing_text(const struct ebpfnet_query *query)
{
	return query->why;
}

int ebpfnet_query_owner(const struct ebpfnet_query *query, size_t i, size_t j,
			struct ebpfnet_query_owner *owner)
{
	if (i >= query->count || j >= query->entries[i].owner_count)
		return -ENOENT;
	return EBPFNET__OUT_FILL(owner, &query->details[i].owners[j]);
}

const char *ebpfnet_query_pin(const struct ebpfnet_query *query, size_t i)
{
	return i < query->count ? query->details[i].pin : NULL;
}

const char *ebpfnet_query_cgroup(const struct ebpfnet_query *query, size_t i)
{
	return i < query->count ? query->details[i].cgroup : NULL;
}

void ebpfnet_query_free(struct ebpfnet_query *query)
{
	if (!query)
		return;
	for (size_t i = 0; i < query->count; i++) {
		free(query->details[i].pin);
		free(query->details[i].cgroup);
		free(query->details[i].owners);
	}
	free(query->details);
	free(query->entries);
	free(query);
}
