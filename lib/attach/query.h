/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_QUERY_H
#define EBPFNET_ATTACH_QUERY_H

/* The answer of every function that lists what is attached. */

#include <ebpfnet/attach.h>

#include "core/error.h"

/* What an entry has and a struct of fixed size cannot. */
struct ebpfnet__query_detail {
	char *pin, *cgroup;
	struct ebpfnet_query_owner *owners; /* the entry counts them */
};

struct ebpfnet_query {
	uint64_t revision;
	size_t count, room;
	struct ebpfnet_query_entry *entries;
	struct ebpfnet__query_detail *details; /* of each entry */
	uint32_t missing;		       /* enum ebpfnet_missing */
	char why[1024];
};

static inline void ebpfnet__cleanup_query(struct ebpfnet_query **query)
{
	ebpfnet_query_free(*query);
}

/* NULL: told. */
struct ebpfnet_query *ebpfnet__query_new(struct ebpfnet__call *call);

/* A cleared entry at the end of the answer, for the caller to fill; NULL: told. */
struct ebpfnet_query_entry *ebpfnet__query_add(struct ebpfnet__call *call,
					       struct ebpfnet_query *query);

/* Names an entry after its program, and says its type; `otherwise` if the kernel does not tell. */
void ebpfnet__query_name(struct ebpfnet_query_entry *entry, const char *otherwise);

/* The entries from `first` on are those of one hook at one revision: numbers them. */
void ebpfnet__query_hook(struct ebpfnet_query *query, size_t first, uint64_t revision);

/* Something was not seen: the first reason of each kind is kept. */
void ebpfnet__query_miss(struct ebpfnet_query *query, uint32_t missing, const char *why, ...)
	EBPFNET__PRINTF(3, 4);

#endif /* EBPFNET_ATTACH_QUERY_H */
