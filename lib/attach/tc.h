/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_TC_H
#define EBPFNET_ATTACH_TC_H

/* The two ways of TC: tcx.c, where the kernel keeps the order, and clsact.c, where numbers do. */

#include "attach/link.h"
#include "attach/mprog.h"
#include "attach/query.h"
#include "attach/rtnl_tc.h"

/* One attempt to attach; what the options say fits each other. */
struct ebpfnet__tc_attempt {
	const struct ebpfnet_program *prog;
	const struct ebpfnet_tc_opts *o;
	struct ebpfnet__tc_hook hook;
	struct ebpfnet__rtnl *rtnl; /* in the namespace of the interface */
};

/* Where the options put a program, as TCX understands it. */
static inline struct ebpfnet__mprog_place ebpfnet__tc_place(const struct ebpfnet_tc_opts *o)
{
	return (struct ebpfnet__mprog_place) {
		.anchor = o->anchor,
		.link = o->anchor_link,
		.program = o->anchor_program,
		.link_id = o->anchor_link_id,
		.program_id = o->anchor_program_id,
		.expected_revision = o->expected_revision,
	};
}

/* Attach, and fill the link in; or fail the call. */
int ebpfnet__tcx_attach(struct ebpfnet__call *call, const struct ebpfnet__tc_attempt *a,
			struct ebpfnet_link *link);
int ebpfnet__clsact_attach(struct ebpfnet__call *call, const struct ebpfnet__tc_attempt *a,
			   struct ebpfnet_link *link);

/* Append what is on a hook; or fail the call. */
int ebpfnet__tcx_query(struct ebpfnet__call *call, const struct ebpfnet__tc_hook *hook,
		       int netns_fd, struct ebpfnet_query *query);
int ebpfnet__clsact_query(struct ebpfnet__call *call, const struct ebpfnet__tc_hook *hook,
			  struct ebpfnet__rtnl *rtnl, struct ebpfnet_query *query);

#define EBPFNET__PRIORITY_END 0x10000 /* the first number that is none */

/* A place in the order: strictly between two priorities; 0 and EBPFNET__PRIORITY_END are none. */
struct ebpfnet__clsact_place {
	uint32_t below, above;
	uint32_t priority; /* 0: no number is free between the two */
};

/*
 * Where a filter goes; `at` is the anchor's index for BEFORE and AFTER. Filters of one priority
 * cannot be parted: the new one goes before or after all of them.
 */
struct ebpfnet__clsact_place ebpfnet__clsact_place(const struct ebpfnet__filters *filters,
						   uint32_t anchor, size_t at);

#endif /* EBPFNET_ATTACH_TC_H */
