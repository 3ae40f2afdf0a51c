/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_CLSACT_H
#define EBPFNET_ATTACH_CLSACT_H

/*
 * Filters and the qdisc that holds them belong to nobody. That a filter is ours, that its owner
 * still lives, and that we made the qdisc is told by the filter's name, "ebpfnet:17q:drop_all". 17
 * is the id of the attachment's record, a map that lives as long as a process or a pin holds it; q
 * says that the qdisc is ours to remove.
 */

#include <unistd.h>

#include "attach/link.h"
#include "attach/rtnl_tc.h"

/* What the name of a filter of ours says. */
struct ebpfnet__mark {
	uint32_t record_id; /* 0: it has none */
	bool made_qdisc;
	const char *program; /* in the filter's name */
};

/* false: the filter is not ours. */
bool ebpfnet__mark_read(const struct ebpfnet__filter *f, struct ebpfnet__mark *mark);
void ebpfnet__mark_write(struct ebpfnet__filter *f, uint32_t record_id, bool made_qdisc,
			 int prog_fd);

/* Whether a filter is the one that a link stands for. */
bool ebpfnet__clsact_is(const struct ebpfnet__filter *f, const struct ebpfnet_link *link);

/*
 * rtnetlink cannot do "delete the qdisc if it is empty", nor "replace if": between looking and
 * doing, processes that use this library keep each other out by a lock on the namespace's inode.
 * netns_fd 0 is the thread's own. Returns 0 or fails the call.
 */
int ebpfnet__clsact_lock(struct ebpfnet__call *call, int netns_fd, int *lock);
void ebpfnet__cleanup_clsact_lock(int *lock);

/* A refused request, in the kernel's words. Returns code. */
int ebpfnet__clsact_fail(struct ebpfnet__call *call, const struct ebpfnet__rtnl *rtnl, int code);

/* Both directions: no filter is left at all; one of ours says that we made the qdisc. Returns 0 or
 * -errno. */
int ebpfnet__clsact_survey(struct ebpfnet__rtnl *rtnl, int ifindex, bool *empty, bool *ours);

/* The qdisc goes if we made it and nothing is left in it; if in doubt it stays. */
void ebpfnet__clsact_release(struct ebpfnet__rtnl *rtnl, int ifindex, bool made);

/* TCX takes a program once on a hook, so clsact does. Fails the call with -EEXIST. */
int ebpfnet__clsact_refuse_twice(struct ebpfnet__call *call, const struct ebpfnet__filters *filters,
				 uint32_t prog_id, const struct ebpfnet__filter *except);

#endif /* EBPFNET_ATTACH_CLSACT_H */
