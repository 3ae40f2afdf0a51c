/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_NETNS_QUERY_H
#define EBPFNET_ATTACH_NETNS_QUERY_H

/*
 * One query of a whole namespace. Each subject has a file and a function, which appends entries and
 * returns 0, or fails the call; what it may not see it tells by ebpfnet__query_miss() and goes on.
 */

#include <limits.h>
#include <linux/bpf.h>

#include "attach/query.h"
#include "attach/rtnl.h"

/* Every link of the kernel, looked at once: most hooks tell their programs without them. */
struct ebpfnet__links {
	struct bpf_link_info *list;
	size_t count, room;
	bool *used; /* by an entry; for programs that several links hold on one hook */
	int code;   /* -errno: the list is empty, or ends early */
};

struct ebpfnet__netns_query {
	struct ebpfnet__call *call;
	struct ebpfnet_query *query;
	struct ebpfnet__links links;
	uint64_t netns_inode;
	uint32_t flags;
	struct ebpfnet__rtnl *rtnl; /* in the namespace */
	int ask_fd; /* an XDP program that is attached nowhere; -1: not loaded yet */
};

void ebpfnet__cleanup_links(struct ebpfnet__links *links);

/* Reads them. Returns 0 or fails the call: no memory. */
int ebpfnet__links_read(struct ebpfnet__netns_query *q);

/* How many links `is` says yes to; *at is the first that no entry has used, or the first. */
size_t ebpfnet__links_match(const struct ebpfnet__links *links,
			    bool (*is)(const struct bpf_link_info *info, const void *what),
			    const void *what, size_t *at);

/* The subjects; the thread is in the namespace for those of the first row. */
int ebpfnet__query_devices(struct ebpfnet__netns_query *q);
int ebpfnet__query_namespace(struct ebpfnet__netns_query *q);
int ebpfnet__query_netfilter(struct ebpfnet__netns_query *q);

int ebpfnet__query_sockmaps(struct ebpfnet__netns_query *q);
int ebpfnet__query_cgroups(struct ebpfnet__netns_query *q);
int ebpfnet__query_unattached(struct ebpfnet__netns_query *q);
int ebpfnet__query_owners(struct ebpfnet__netns_query *q);
int ebpfnet__query_pins(struct ebpfnet__netns_query *q);

/* Appends the parts of an XDP program: freplace programs in the place of its functions. */
int ebpfnet__query_parts(struct ebpfnet__netns_query *q, size_t whole);

/* -1: not held by a link; else its index, or links.count if there are several and no telling. */
long ebpfnet__query_xdp_link(struct ebpfnet__netns_query *q, int ifindex, uint32_t mode,
			     uint32_t prog_id);

/* A walk of files and folders, which ends after so many of them; functions return non-zero to end
 * it. */
struct ebpfnet__walk {
	int (*folder)(struct ebpfnet__walk *walk, const char *path); /* may be NULL */
	int (*file)(struct ebpfnet__walk *walk, const char *path);   /* may be NULL */
	void *data;
	size_t left;
	int code; /* of the first folder that could not be read; -E2BIG: there are too many */
};

int ebpfnet__walk(struct ebpfnet__walk *walk, const char *path);

#endif /* EBPFNET_ATTACH_NETNS_QUERY_H */
