/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_DATA_RING_MEM_H
#define EBPFNET_DATA_RING_MEM_H

/*
 * A ring's memory and the protocol with the kernel (kernel/bpf/ringbuf.c), without system calls:
 * unit tests and the fuzzer run it over memory of their own.
 *
 * Positions are bytes that only grow, modulo 2^BITS_PER_LONG; the place in the ring is the position
 * modulo its size. A record is a header of 8 bytes, whose first 4 are length and two flags, and the
 * event, rounded up to 8. The data is mapped twice in a row, so that no record is cut. In order:
 *
 *	published <= done <= read <= limit <= published + size
 *
 * published is what the kernel knows: the room before it is free. done was given back by the
 * caller. read lies behind the last record that was looked at. limit is the producer's position
 * when last asked: one load for many records.
 */

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include <ebpfnet/data.h>

struct ebpfnet__ring_mem {
	unsigned long *consumer;       /* in the kernel's memory; ours to write */
	const unsigned long *producer; /* the kernel's to write */
	const uint8_t *data;
	unsigned long size; /* a power of two */
	unsigned long published;
	unsigned long done;
	unsigned long read;
	unsigned long last; /* where the record in front of read starts */
	unsigned long limit;
	unsigned long fenced; /* published and fenced there; odd, which no position is: nowhere */
	bool hold;	      /* keep the newest record: see ebpfnet__ring_give_back() */
	/* Read by other threads too. */
	uint64_t events;
	uint64_t bytes;
	uint64_t discarded;
	uint64_t high_water;
};

/* Starts where the consumer's position stands. Returns 0, or -EIO: this is no ring. */
int ebpfnet__ring_mem_start(struct ebpfnet__ring_mem *m);

/* 1: a record can be read; 0: none; -EIO; -ESTALE: somebody else moved the consumer's position. */
int ebpfnet__ring_ready(struct ebpfnet__ring_mem *m);

/* Somebody has reserved the next record and is writing it. After ebpfnet__ring_ready() gave 0. */
static inline bool ebpfnet__ring_busy(const struct ebpfnet__ring_mem *m)
{
	return m->read != m->limit;
}

/* Asks for the producer's position. Returns 1 if it is ahead, 0 if not, or -errno. */
int ebpfnet__ring_refill(struct ebpfnet__ring_mem *m);

/* Counters have one writer; others may look. */
static inline void ebpfnet__ring_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline uint32_t ebpfnet__ring_header(const struct ebpfnet__ring_mem *m, unsigned long pos)
{
	/* Pairs with the xchg() in the kernel's bpf_ringbuf_commit(): the event is written. */
	return __atomic_load_n((const uint32_t *)(m->data + (pos & (m->size - 1))),
			       __ATOMIC_ACQUIRE);
}

/* Bytes from a record's header to the next one's. */
static inline unsigned long ebpfnet__ring_step(uint32_t head)
{
	uint32_t len = head & ~(uint32_t)(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	return ((unsigned long)len + BPF_RINGBUF_HDR_SZ + 7) & ~7ul;
}

/* Leases the next event. Skips what was discarded. Returns as ebpfnet__ring_ready(). Inline, for
 * callers that want one event at a time. */
static inline int ebpfnet__ring_take(struct ebpfnet__ring_mem *m, const void **data, uint32_t *len)
{
	for (;;) {
		unsigned long pos = m->read, step;
		uint32_t head;

		if (pos == m->limit) {
			int ret = ebpfnet__ring_refill(m);

			if (ret <= 0)
				return ret;
		}
		head = ebpfnet__ring_header(m, pos);
		if (head & BPF_RINGBUF_BUSY_BIT)
			return 0;
		step = ebpfnet__ring_step(head);
		if (step > m->limit - pos)
			return -EIO;
		m->last = pos;
		m->read = pos + step;
		if (head & BPF_RINGBUF_DISCARD_BIT) {
			ebpfnet__ring_count(&m->discarded, 1);
			continue;
		}
		ebpfnet__ring_count(&m->events, 1);
		ebpfnet__ring_count(&m->bytes, head);
		*data = m->data + (pos & (m->size - 1)) + BPF_RINGBUF_HDR_SZ;
		*len = head;
		return 1;
	}
}

/* The lease ends: everything before read may be written over. */
void ebpfnet__ring_give_back(struct ebpfnet__ring_mem *m);

/*
 * From now on the kernel wakes us for the next record, if nothing is leased. Returns as
 * ebpfnet__ring_ready(): 1 if one came before that was so.
 */
int ebpfnet__ring_arm(struct ebpfnet__ring_mem *m);

/* What a batch is about, and how it ended. */
struct ebpfnet__ring_batch {
	ebpfnet_ring_fn fn;
	void *data;
	uint32_t index;
	uint32_t max;
	int stop; /* what fn returned, unless 0 */
};

/*
 * Gives up to max records to fn and their room back. Returns how many, discarded ones included, or
 * -EIO, -ESTALE. Fewer than max, and stop 0: there are no more at the moment.
 */
int ebpfnet__ring_walk(struct ebpfnet__ring_mem *m, struct ebpfnet__ring_batch *b);

#endif /* EBPFNET_DATA_RING_MEM_H */
