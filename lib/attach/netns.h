/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_NETNS_H
#define EBPFNET_ATTACH_NETNS_H

#include "core/error.h"

/* A stay in another network namespace: the way back is open before the first step. */
struct ebpfnet__netns {
	int home; /* -1: the thread never left */
};

/* Checks a netns_fd of options: 0 is the thread's own. Returns 0 or fails the call. */
int ebpfnet__netns_check(struct ebpfnet__call *call, int netns_fd);

/* The same, where the kernel would not tell another kind of namespace from other mistakes. */
int ebpfnet__netns_check_net(struct ebpfnet__call *call, int netns_fd);

/* A descriptor of the namespace that netns_fd means, for the caller to close; 0 is the thread's
 * own. Returns 0 or fails the call. */
int ebpfnet__netns_dup(struct ebpfnet__call *call, int netns_fd, int *out);

/* Moves the thread; netns_fd 0 stays. Returns 0 or fails the call, and then the thread is at home.
 */
int ebpfnet__netns_enter(struct ebpfnet__call *call, int netns_fd, struct ebpfnet__netns *stay);

/*
 * Moves the thread back. Keeps ret, what the work in between gave, unless the way back fails: then
 * the call fails with kind INTERNAL, because the thread is in a namespace where it does not belong.
 */
int ebpfnet__netns_leave(struct ebpfnet__call *call, struct ebpfnet__netns *stay, int ret);

#endif /* EBPFNET_ATTACH_NETNS_H */
