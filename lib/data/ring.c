// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Taking events, one at a time or in batches. Nothing here allocates, logs or waits. */
#include <errno.h>
#include <limits.h>

#include "core/opts.h"
#include "data/ring.h"

/* Events that a map gives before the next one has its turn. */
#define TURN 64

static void next_turn(struct ebpfnet_ring *ring)
{
	ring->turn = 0;
	if (++ring->cursor >= ring->count)
		ring->cursor = 0;
}

/* The next event of whichever map has one. 1, 0 if none, or -errno. */
static int take(struct ebpfnet_ring *ring, struct ebpfnet_ring_event *event)
{
	for (uint32_t tried = 0; tried < ring->count; tried++) {
		uint32_t index = ring->cursor;
		int ret = ebpfnet__ring_take(&ring->maps[index]->mem, &event->data, &event->len);

		event->ring = index;
		/* Also behind a corrupt one: the others can still be read. */
		if (ret <= 0 || ++ring->turn >= TURN)
			next_turn(ring);
		if (ret)
			return ret;
	}
	return 0;
}

/* Nothing was taken and nobody waits: an event loop will. 1: look again, or -errno. */
static int leave_armed(struct ebpfnet_ring *ring)
{
	int ret;

	if (!ring->gather_ns) {
		ret = ebpfnet__ring_arm_all(ring);
		if (ret)
			return ret;
	}
	ret = ebpfnet__ring_settle_wake(ring);
	return ret ? ret : -EAGAIN;
}

static int next(struct ebpfnet_ring *ring, int timeout_ms, struct ebpfnet_ring_event *event)
{
	struct ebpfnet__ring_timer timer = { .timeout_ms = timeout_ms };

	for (;;) {
		int ret = take(ring, event);

		if (ret > 0) {
			ring->leased = true;
			ring->active = true;
			return 0;
		}
		if (ret == 0)
			ret = timeout_ms ? ebpfnet__ring_sleep(ring, &timer) : leave_armed(ring);
		if (ret < 0)
			return ret;
		ret = ebpfnet__ring_woken(ring);
		if (ret)
			return ret;
	}
}

int ebpfnet_ring_next(struct ebpfnet_ring *ring, int timeout_ms, struct ebpfnet_ring_event *event)
{
	struct ebpfnet_ring_event ours = { .sz = sizeof(ours) };
	int ret = ebpfnet__ring_usable(ring);

	if (ret)
		return ret;
	if (!event || event->sz < sizeof(event->sz))
		return -EINVAL;
	ret = ebpfnet__ring_woken(ring);
	if (ret)
		return ret;
	if (event->sz == sizeof(*event))
		return next(ring, timeout_ms, event);
	ret = next(ring, timeout_ms, &ours);
	return ret ? ret : EBPFNET__OUT_FILL(event, &ours);
}

int ebpfnet_ring_commit(struct ebpfnet_ring *ring)
{
	int ret = ebpfnet__ring_usable(ring);

	if (ret)
		return ret;
	for (uint32_t i = 0; i < ring->count; i++)
		ebpfnet__ring_give_back(&ring->maps[i]->mem);
	ring->leased = false;
	return 0;
}

/* Each map in turn, an equal share of the budget at a time, until it is spent or all are empty. */
static int dispatch(struct ebpfnet_ring *ring, struct ebpfnet__ring_batch *b, uint32_t max)
{
	uint32_t share = max / ring->count ? max / ring->count : 1, n = 0, dry = 0;

	while (n < max && dry < ring->count) {
		struct ebpfnet__ring_mem *mem = &ring->maps[ring->cursor]->mem;
		int ret;

		b->index = ring->cursor;
		b->max = share < max - n ? share : max - n;
		ret = ebpfnet__ring_walk(mem, b);
		next_turn(ring);
		if (ret < 0 || b->stop < 0)
			return ret < 0 ? ret : b->stop;
		n += (uint32_t)ret;
		if (b->stop)
			break;
		if ((uint32_t)ret == b->max) {
			dry = 0;
			continue;
		}
		ret = ring->gather_ns ? 0 : ebpfnet__ring_arm(mem);
		if (ret < 0)
			return ret;
		dry = ret ? 0 : dry + 1;
	}
	return (int)n;
}

int ebpfnet_ring_dispatch(struct ebpfnet_ring *ring, ebpfnet_ring_fn fn, void *data, uint32_t max)
{
	struct ebpfnet__ring_batch batch = { .fn = fn, .data = data };
	int ret = ebpfnet__ring_usable(ring);

	if (ret)
		return ret;
	if (!fn || !max)
		return -EINVAL;
	if (ring->leased)
		return -EBUSY;
	ret = ebpfnet__ring_woken(ring);
	if (ret)
		return ret;
	ring->in_fn = true;
	ret = dispatch(ring, &batch, max < INT_MAX ? max : INT_MAX);
	ring->in_fn = false;
	if (ret > 0)
		ring->active = true;
	if (ret == 0)
		ret = ebpfnet__ring_settle_wake(ring);
	return ret;
}
