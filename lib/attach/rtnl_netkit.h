/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_RTNL_NETKIT_H
#define EBPFNET_ATTACH_RTNL_NETKIT_H

/* netkit devices over rtnetlink. */

#include "attach/rtnl.h"

struct ebpfnet_netkit_create_opts;

/* A netkit device as the kernel describes it. */
struct ebpfnet__netkit {
	char kind[16]; /* of any interface: "netkit", "veth", "" */
	char name[IF_NAMESIZE];
	uint32_t ifindex;
	uint32_t peer_ifindex; /* in the peer's namespace */
	bool primary;
	uint32_t told; /* a bit per IFLA_NETKIT_* attribute that this kernel knows */
};

/* Makes a pair and says what came of it. Returns 0 or -errno. */
int ebpfnet__rtnl_netkit_add(struct ebpfnet__rtnl *rtnl, const struct ebpfnet_netkit_create_opts *o,
			     struct ebpfnet__netkit *out);

/* Returns 0 or -errno; kind "" for what is no virtual device. */
int ebpfnet__rtnl_netkit_get(struct ebpfnet__rtnl *rtnl, int ifindex, struct ebpfnet__netkit *out);

/* Removes a device; of a pair both ends go. */
int ebpfnet__rtnl_link_del(struct ebpfnet__rtnl *rtnl, int ifindex);

#endif /* EBPFNET_ATTACH_RTNL_NETKIT_H */
