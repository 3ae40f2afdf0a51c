/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_RTNL_H
#define EBPFNET_ATTACH_RTNL_H

/*
 * rtnetlink over libmnl. libbpf has helpers for this, but they dump every interface to answer for
 * one, remove other owners' filters, and print the kernel's words to stderr instead of giving them.
 */

#include <libmnl/libmnl.h>
#include <net/if.h>

#include "core/error.h"

#define EBPFNET__EXTACK_MAX 256

struct ebpfnet__rtnl {
	struct mnl_socket *socket;
	unsigned int sequence;
	char extack[EBPFNET__EXTACK_MAX]; /* the kernel's words on the last failure, or "" */
};

/* A socket in a namespace; netns_fd 0 is the thread's own. Returns 0 or fails the call. */
int ebpfnet__rtnl_open(struct ebpfnet__call *call, int netns_fd, struct ebpfnet__rtnl *rtnl);
void ebpfnet__rtnl_close(struct ebpfnet__rtnl *rtnl);

static inline void ebpfnet__cleanup_rtnl(struct ebpfnet__rtnl *rtnl)
{
	ebpfnet__rtnl_close(rtnl);
}

/* Sends one request and runs cb over the answers, up to the acknowledgement. Returns 0 or -errno.
 */
int ebpfnet__rtnl_talk(struct ebpfnet__rtnl *rtnl, struct nlmsghdr *request, mnl_cb_t cb,
		       void *data);

/* What one interface is and which XDP programs it has. */
struct ebpfnet__interface {
	char name[IF_NAMESIZE];
	uint32_t mtu;
	/* Program ids per mode, 0 for none. */
	uint32_t xdp_native, xdp_generic, xdp_offload;
};

/* Costs the same with two interfaces and with five hundred. Returns 0 or -errno; -ENODEV if gone.
 */
int ebpfnet__rtnl_interface(struct ebpfnet__rtnl *rtnl, int ifindex,
			    struct ebpfnet__interface *out);

/* Sets or (fd -1) clears an XDP program; flags and expected_fd as in IFLA_XDP. Returns 0 or -errno.
 */
int ebpfnet__rtnl_xdp_set(struct ebpfnet__rtnl *rtnl, int ifindex, int fd, uint32_t flags,
			  int expected_fd);

#endif /* EBPFNET_ATTACH_RTNL_H */
