/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_RTNL_TC_H
#define EBPFNET_ATTACH_RTNL_TC_H

/* Traffic control over rtnetlink: the qdisc that has the hooks of an interface, and its filters. */

#include "attach/rtnl.h"

#define EBPFNET__TC_KIND_MAX 16	     /* IFNAMSIZ, as the kernel has it */
#define EBPFNET__FILTER_NAME_MAX 256 /* CLS_BPF_NAME_LEN */

/* A filter as the kernel lists it. Those of one priority run in the order of the list. */
struct ebpfnet__filter {
	char kind[EBPFNET__TC_KIND_MAX];
	uint32_t priority; /* the kernel calls it so, tc(8) "pref"; the lower runs first */
	uint32_t handle;
	uint32_t chain;	  /* only chain 0 runs by itself */
	uint32_t prog_id; /* of kind "bpf" */
	char name[EBPFNET__FILTER_NAME_MAX];
};

struct ebpfnet__filters {
	struct ebpfnet__filter *list;
	size_t count, room;
	size_t total; /* whatever the kernel listed: other chains, hash tables */
};

static inline void ebpfnet__cleanup_filters(struct ebpfnet__filters *f)
{
	free(f->list);
}

/* One direction of one interface. */
struct ebpfnet__tc_hook {
	int ifindex;
	uint32_t direction; /* enum ebpfnet_direction */
};

/* The kind of the qdisc that holds the hooks: "clsact", "ingress", or "" for none. Returns 0 or
 * -errno. */
int ebpfnet__rtnl_hook_qdisc(struct ebpfnet__rtnl *rtnl, int ifindex,
			     char kind[EBPFNET__TC_KIND_MAX]);

/* Makes a clsact qdisc, -EEXIST if a qdisc is there; removes it with everything in it. */
int ebpfnet__rtnl_clsact_add(struct ebpfnet__rtnl *rtnl, int ifindex);
int ebpfnet__rtnl_clsact_del(struct ebpfnet__rtnl *rtnl, int ifindex);

/*
 * The filters of a hook in the order in which they run; none if there is no qdisc or no interface.
 * Costs by the filters of this hook, not by interfaces. The caller frees list, also after a
 * failure. Returns 0 or -errno.
 */
int ebpfnet__rtnl_filters(struct ebpfnet__rtnl *rtnl, const struct ebpfnet__tc_hook *hook,
			  struct ebpfnet__filters *out);

/*
 * Makes a direct-action filter (flags NLM_F_CREATE | NLM_F_EXCL), or gives the one at this priority
 * and handle another program (flags 0): a packet sees the old or the new. Returns 0 or -errno.
 */
int ebpfnet__rtnl_filter_put(struct ebpfnet__rtnl *rtnl, const struct ebpfnet__tc_hook *hook,
			     const struct ebpfnet__filter *filter, int prog_fd, uint16_t flags);

/* Removes the filter at this priority and handle, and no other. Returns 0 or -errno. */
int ebpfnet__rtnl_filter_del(struct ebpfnet__rtnl *rtnl, const struct ebpfnet__tc_hook *hook,
			     const struct ebpfnet__filter *filter);

#endif /* EBPFNET_ATTACH_RTNL_TC_H */
