/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_DATA_RING_H
#define EBPFNET_DATA_RING_H

#include "data/ring_mem.h"
#include "load/object.h"

/* One map of a ring. */
struct ebpfnet__ring_map {
	struct ebpfnet__ring_mem mem;
	struct ebpfnet_map *map;   /* a duplicate; its fd is in the epoll set */
	struct ebpfnet_map *drops; /* a duplicate, or NULL */
	uint32_t id;
	void *consumer_page;
	void *producer_pages; /* its position and the data, twice */
	size_t producer_len;
};

struct ebpfnet_ring {
	struct ebpfnet_ctx *ctx;
	/* A page of its own that the kernel clears in a forked child: 1 where the ring was made. */
	uint32_t *ours;
	struct ebpfnet__ring_map **maps;
	uint32_t count;
	uint32_t cursor; /* the map whose turn it is */
	uint32_t turn;	 /* events that it gave in this turn */
	bool leased;	 /* events that were not given back */
	bool in_fn;
	bool active;	 /* events came since the kernel was last asked for a wake-up */
	bool woken_once; /* from then on wake_fd may be readable with woken 0 */
	uint32_t woken;	 /* atomic: set by ebpfnet_ring_wake() */
	int wake_fd;
	int epoll_fd;
	uint32_t trigger;
	uint64_t gather_ns;
	uint64_t nap_ns; /* the present length of a nap, up to gather_ns */
	uint64_t sleeps; /* read by other threads too */
};

/* NULL, a forked child, or called from a callback: 0 or -errno. */
static inline int ebpfnet__ring_usable(const struct ebpfnet_ring *ring)
{
	if (!ring)
		return -EINVAL;
	if (!*ring->ours)
		return -EPERM;
	return ring->in_fn ? -EBUSY : 0;
}

/* -EINTR, once, after ebpfnet_ring_wake(). */
int ebpfnet__ring_take_wake(struct ebpfnet_ring *ring);

static inline int ebpfnet__ring_woken(struct ebpfnet_ring *ring)
{
	if (!__atomic_load_n(&ring->woken, __ATOMIC_RELAXED))
		return 0;
	return ebpfnet__ring_take_wake(ring);
}

/* Nothing was found: what is left of a wake that was met halfway is cleared, or told. */
int ebpfnet__ring_settle_wake(struct ebpfnet_ring *ring);

/* From now on ebpfnet_ring_fd() says when there is something. 1: there is already; or -errno. */
int ebpfnet__ring_arm_all(struct ebpfnet_ring *ring);

/* How long a call may still wait. */
struct ebpfnet__ring_timer {
	int timeout_ms;
	int64_t deadline_ns; /* CLOCK_MONOTONIC; 0: not asked yet */
};

/* Sleeps until there may be something. 0: look again; -ETIMEDOUT, -EINTR, or another -errno. */
int ebpfnet__ring_sleep(struct ebpfnet_ring *ring, struct ebpfnet__ring_timer *timer);

#endif /* EBPFNET_DATA_RING_H */
