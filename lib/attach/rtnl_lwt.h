/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_RTNL_LWT_H
#define EBPFNET_ATTACH_RTNL_LWT_H

/* Routes whose packets run programs, over rtnetlink. */

#include "attach/link.h"
#include "attach/rtnl.h"

#define EBPFNET__LWT_HOOKS 5 /* enum ebpfnet_lwt_hook and 0 */
#define EBPFNET__LWT_NAME_MAX 64

struct ebpfnet__lwt_route {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t prefix;
	bool has_gateway;
	uint8_t destination[16], gateway[16];
	uint32_t table, metric, headroom;
	int ifindex;
	/* By hook; the kernel tells of most programs no more than the name that they came with. */
	struct {
		int fd; /* -1: none, or not known */
		char name[EBPFNET__LWT_NAME_MAX];
	} program[EBPFNET__LWT_HOOKS];
};

/* "ebpfnet/12/drop_all": unlike any other program's while that one is attached. */
void ebpfnet__lwt_name(uint32_t prog_id, const char *prog_name, char name[EBPFNET__LWT_NAME_MAX]);

/* The program id in such a name, 0 if it is none. */
uint32_t ebpfnet__lwt_name_id(const char *name);

/* Makes a route (NLM_F_CREATE | NLM_F_EXCL) or replaces it (NLM_F_REPLACE). Returns 0 or -errno. */
int ebpfnet__rtnl_lwt_put(struct ebpfnet__rtnl *rtnl, const struct ebpfnet__lwt_route *route,
			  uint16_t flags);

/* Removes a route. With IPv4 the kernel compares the programs' names as well. 0 or -errno. */
int ebpfnet__rtnl_lwt_del(struct ebpfnet__rtnl *rtnl, const struct ebpfnet__lwt_route *route);

/* Finds the route that has a program of this name on this hook. Returns 0 or -errno: -ENOENT. */
int ebpfnet__rtnl_lwt_find(struct ebpfnet__rtnl *rtnl, uint32_t hook, const char *name,
			   struct ebpfnet__lwt_route *route);

/* The way of such a route. */
extern const struct ebpfnet__link_way ebpfnet__way_lwt;

#endif /* EBPFNET_ATTACH_RTNL_LWT_H */
