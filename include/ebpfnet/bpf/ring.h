/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The producing side of a ring: events from a BPF program to user space, with the lost ones
 * counted.
 *
 *	EBPFNET_RING(events, 256 * 1024);
 *
 *	SEC("xdp")
 *	int sample(struct xdp_md *ctx)
 *	{
 *		struct event *e = ebpfnet_ring_reserve(&events, &events_drops, sizeof(*e));
 *
 *		if (e) {
 *			e->time = bpf_ktime_get_ns();
 *			ebpfnet_ring_submit(e);
 *		}
 *		return XDP_PASS;
 *	}
 *
 * The kernel does not count an event for which a ring has no room: the helper gives NULL and that
 * is all. EBPFNET_RING() declares two maps, the ring and a per-CPU counter beside it, and
 * ebpfnet_ring_reserve() and ebpfnet_ring_output() count there what failed. ebpfnet_ring_new()
 * finds the counter by its name, and ebpfnet_ring_stats() adds it up.
 *
 * Who is woken. The kernel wakes the consumer when it has taken everything that was reserved before
 * this event; a consumer that keeps up is then woken for every event, and that is several times
 * dearer than the event. Three ways out, the first of which needs nothing here:
 *   - the consumer lets events gather (gather_us in struct ebpfnet_ring_opts);
 *   - ebpfnet_ring_submit_bulk() wakes when so many bytes wait. The last ones of a burst wait until
 *     the next burst or until the consumer's timeout, so it must have one;
 *   - ebpfnet_ring_submit_quiet() never wakes, ebpfnet_ring_submit_now() always does.
 *
 * Every reserved event must be submitted or given up with ebpfnet_ring_discard(): the verifier sees
 * to it. A size is at most 1 GiB and a constant to the verifier.
 */
#ifndef EBPFNET_BPF_RING_H
#define EBPFNET_BPF_RING_H

#include <linux/types.h>

/** What one CPU could not put into a ring; the value of the NAME_drops map, at key 0. */
struct ebpfnet_ring_drops {
	__u64 events;
	__u64 bytes; /* of those, as they were asked for */
};

#ifdef __bpf__
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* A ring of so many bytes, a power of two and at least a page, and its drop counter. The size can
 * be changed before loading: ebpfnet_object_set_map_entries(). */
#define EBPFNET_RING(name, bytes)                                                                  \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_RINGBUF);                                                \
		__uint(max_entries, bytes);                                                        \
	} name SEC(".maps");                                                                       \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                           \
		__uint(max_entries, 1);                                                            \
		__type(key, __u32);                                                                \
		__type(value, struct ebpfnet_ring_drops);                                          \
	} name##_drops SEC(".maps")

#define EBPFNET__RING_FN static inline __attribute__((always_inline))

EBPFNET__RING_FN void ebpfnet__ring_dropped(void *drops, __u64 size)
{
	struct ebpfnet_ring_drops *d;
	__u32 key = 0;

	d = bpf_map_lookup_elem(drops, &key);
	if (!d)
		return;
	/* Atomic: a program on the same CPU may interrupt this one. */
	__sync_fetch_and_add(&d->events, 1);
	__sync_fetch_and_add(&d->bytes, size);
}

/* Room for an event of a constant size, aligned to 8, or NULL, which was counted. A macro, since
 * the verifier must see the kernel's helper with a constant. */
#define ebpfnet_ring_reserve(ring, drops, size)                                                    \
	__extension__({                                                                            \
		void *room_ = bpf_ringbuf_reserve((ring), (size), 0);                              \
                                                                                                   \
		if (!room_)                                                                        \
			ebpfnet__ring_dropped((drops), (size));                                    \
		room_;                                                                             \
	})

/* Copies an event of any size into the ring. Returns 0 or -EAGAIN, which was counted. */
EBPFNET__RING_FN long ebpfnet_ring_output(void *ring, void *drops, void *data, __u64 size)
{
	long ret = bpf_ringbuf_output(ring, data, size, 0);

	if (ret)
		ebpfnet__ring_dropped(drops, size);
	return ret;
}

/* Hands an event over; wakes a consumer that has taken everything before it. */
#define ebpfnet_ring_submit(event) bpf_ringbuf_submit((event), 0)

/* Hands it over and wakes nobody. */
#define ebpfnet_ring_submit_quiet(event) bpf_ringbuf_submit((event), BPF_RB_NO_WAKEUP)

/* Hands it over and wakes in any case. */
#define ebpfnet_ring_submit_now(event) bpf_ringbuf_submit((event), BPF_RB_FORCE_WAKEUP)

/* Hands it over and wakes if at least so many bytes wait, with their headers of 8 bytes. */
#define ebpfnet_ring_submit_bulk(ring, event, wake_bytes)                                          \
	bpf_ringbuf_submit((event), bpf_ringbuf_query((ring), BPF_RB_AVAIL_DATA) >= (wake_bytes)   \
					    ? BPF_RB_FORCE_WAKEUP                                  \
					    : BPF_RB_NO_WAKEUP)

/* Gives a reserved event up; the consumer skips and counts it. */
#define ebpfnet_ring_discard(event) bpf_ringbuf_discard((event), 0)

#endif /* __bpf__ */

#endif /* EBPFNET_BPF_RING_H */
