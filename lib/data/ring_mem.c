// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <errno.h>
#include <linux/bpf.h>

#include "data/ring_mem.h"

/* A batch publishes its position after each such part of the ring: every record would fight with
 * the producer for a cache line, and the end of a long batch would leave it without room. */
#define PUBLISH_PARTS 8

int ebpfnet__ring_mem_start(struct ebpfnet__ring_mem *m)
{
	unsigned long consumer = __atomic_load_n(m->consumer, __ATOMIC_RELAXED);
	unsigned long producer = __atomic_load_n(m->producer, __ATOMIC_ACQUIRE);

	if (consumer % 8 || producer % 8 || producer - consumer > m->size)
		return -EIO;
	m->published = m->done = m->read = m->last = m->limit = consumer;
	m->fenced = 1;
	return 0;
}

int ebpfnet__ring_refill(struct ebpfnet__ring_mem *m)
{
	/* Pairs with the release in __bpf_ringbuf_reserve(): headers before it are written. */
	unsigned long producer = __atomic_load_n(m->producer, __ATOMIC_ACQUIRE);
	unsigned long fill = producer - m->published;

	if (__atomic_load_n(m->consumer, __ATOMIC_RELAXED) != m->published)
		return -ESTALE;
	/* Backwards, or further than a ring reaches, or between records. */
	if (producer - m->limit > m->size || fill > m->size || producer % 8)
		return -EIO;
	m->limit = producer;
	if (fill > m->high_water)
		__atomic_store_n(&m->high_water, fill, __ATOMIC_RELAXED);
	return producer != m->read;
}

int ebpfnet__ring_ready(struct ebpfnet__ring_mem *m)
{
	if (m->read == m->limit) {
		int ret = ebpfnet__ring_refill(m);

		if (ret <= 0)
			return ret;
	}
	return !(ebpfnet__ring_header(m, m->read) & BPF_RINGBUF_BUSY_BIT);
}

static void publish(struct ebpfnet__ring_mem *m, unsigned long pos)
{
	/* What was read must be read before the producer writes over it. */
	__atomic_store_n(m->consumer, pos, __ATOMIC_RELEASE);
	m->published = pos;
}

/*
 * With hold the newest record stays: the kernel compares the consumer's position with that of the
 * record being committed, and a consumer that is one behind is never found waiting for it. So no
 * wake-up is sent until ebpfnet__ring_arm() gives the last one back too.
 */
void ebpfnet__ring_give_back(struct ebpfnet__ring_mem *m)
{
	unsigned long pos = m->hold ? m->last : m->read;

	m->done = m->read;
	/* The last record may be one that was published before. */
	if (pos - m->published <= m->size && pos != m->published)
		publish(m, pos);
}

int ebpfnet__ring_arm(struct ebpfnet__ring_mem *m)
{
	if (m->published != m->done)
		publish(m, m->done);
	if (m->fenced != m->published) {
		/*
		 * bpf_ringbuf_commit() clears the busy bit (a full barrier) and then loads our
		 * position: it wakes us only if that is where the record starts. We store our
		 * position and then load the busy bit. Unless the store is visible before the load
		 * is made, both sides can miss each other: the kernel sees the old position and
		 * sends nothing, we see a record that is not there and sleep. With a level-triggered
		 * epoll the kernel looks once more; with an edge that was the only one. x86 does
		 * reorder exactly these two, so a release store is not enough.
		 */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		m->fenced = m->published;
	}
	return ebpfnet__ring_ready(m);
}

/* The part of a batch that is known to be there: up to limit. Returns records, or -EIO. */
static int walk_known(struct ebpfnet__ring_mem *m, struct ebpfnet__ring_batch *b, uint32_t max)
{
	struct ebpfnet_ring_event event = { .sz = sizeof(event), .ring = b->index };
	const unsigned long part = m->size / PUBLISH_PARTS;
	unsigned long pos = m->read, guess = 0, next_part = m->published + part;
	uint32_t left = max, discarded = 0;
	bool corrupt = false;
	uint64_t bytes = 0;
	int stop = 0;

	/* What lives over a call of fn fits the registers that calls leave alone. */
	while (left && pos != m->limit) {
		const uint8_t *at = m->data + (pos & (m->size - 1));
		uint32_t head = __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
		unsigned long step = ebpfnet__ring_step(head);

		if (head & BPF_RINGBUF_BUSY_BIT)
			break;
		corrupt = step > m->limit - pos;
		if (corrupt)
			break;
		if ((long)(pos - next_part) >= 0) {
			publish(m, pos);
			next_part = pos + part;
		}
		/*
		 * The next header's place depends on this one's length, and so on: a chain of loads
		 * that the CPU has to wait for. Events tend to have one size, and a branch that
		 * is predicted cuts the chain; the asm keeps the compiler from seeing that both
		 * sides are the same number. 3.3 ns an event became 2.
		 */
		if (step != guess) {
			guess = step;
			__asm__("" : "+r"(guess));
		}
		pos += guess;
		left--;
		if (head & BPF_RINGBUF_DISCARD_BIT) {
			discarded++;
			continue;
		}
		bytes += head;
		event.data = at + BPF_RINGBUF_HDR_SZ;
		event.len = head;
		stop = b->fn(b->data, &event);
		if (stop)
			break;
	}
	b->stop = stop;
	if (left != max)
		m->last = pos - guess;
	m->read = pos;
	ebpfnet__ring_count(&m->events, max - left - discarded);
	ebpfnet__ring_count(&m->bytes, bytes);
	ebpfnet__ring_count(&m->discarded, discarded);
	return corrupt ? -EIO : (int)(max - left);
}

int ebpfnet__ring_walk(struct ebpfnet__ring_mem *m, struct ebpfnet__ring_batch *b)
{
	uint32_t n = 0;
	int ret = 0;

	while (n < b->max && !b->stop) {
		if (m->read == m->limit) {
			ret = ebpfnet__ring_refill(m);
			if (ret <= 0)
				break;
		}
		ret = walk_known(m, b, b->max - n);
		if (ret <= 0)
			break;
		n += (uint32_t)ret;
	}
	ebpfnet__ring_give_back(m);
	return ret < 0 ? ret : (int)n;
}
