/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_UNIT_RING_MEMORY_H
#define EBPFNET_TESTS_UNIT_RING_MEMORY_H

/*
 * A ring without a kernel: the data mapped twice like the kernel's, and a producer that does what
 * kernel/bpf/ringbuf.c does. Used by unit tests and the fuzzer, so it needs nothing but libc.
 */

#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/ring_mem.h"

struct ring_memory {
	unsigned long consumer;
	unsigned long producer;
	uint8_t *data;
	unsigned long size;
};

/* 0, or -1 with errno. The positions start there: near the end of the type wraps soon. */
static inline int ring_memory_open(struct ring_memory *r, unsigned long size, unsigned long start)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	uint8_t *at;

	r->consumer = r->producer = start;
	r->size = size;
	at = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || ftruncate(fd, (off_t)size) || at == MAP_FAILED)
		return -1;
	for (int i = 0; i < 2; i++)
		if (mmap(at + (size_t)i * size, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			return -1;
	close(fd);
	r->data = at;
	return 0;
}

static inline void ring_memory_close(struct ring_memory *r)
{
	munmap(r->data, 2 * r->size);
}

static inline struct ebpfnet__ring_mem ring_memory_reader(struct ring_memory *r)
{
	return (struct ebpfnet__ring_mem) {
		.consumer = &r->consumer,
		.producer = &r->producer,
		.data = r->data,
		.size = r->size,
	};
}

/* The header of the record at a position. */
static inline uint32_t *ring_memory_head(struct ring_memory *r, unsigned long pos)
{
	return (uint32_t *)(r->data + (pos & (r->size - 1)));
}

/* __bpf_ringbuf_reserve(). NULL if there is no room. */
static inline uint8_t *ring_memory_reserve(struct ring_memory *r, uint32_t len)
{
	unsigned long step = ((unsigned long)len + BPF_RINGBUF_HDR_SZ + 7) & ~7ul;
	unsigned long consumer = __atomic_load_n(&r->consumer, __ATOMIC_ACQUIRE);
	uint8_t *head = (uint8_t *)ring_memory_head(r, r->producer);

	if (r->producer + step - consumer > r->size - 1)
		return NULL;
	__atomic_store_n((uint32_t *)head, len | BPF_RINGBUF_BUSY_BIT, __ATOMIC_RELAXED);
	__atomic_store_n(&r->producer, r->producer + step, __ATOMIC_RELEASE);
	return head + BPF_RINGBUF_HDR_SZ;
}

/* bpf_ringbuf_commit(). Returns whether the kernel would wake the consumer. */
static inline bool ring_memory_commit(struct ring_memory *r, uint8_t *event, bool discard)
{
	uint32_t *head = (uint32_t *)(event - BPF_RINGBUF_HDR_SZ);
	uint32_t len = *head & ~(uint32_t)BPF_RINGBUF_BUSY_BIT;
	unsigned long consumer;

	if (discard)
		len |= BPF_RINGBUF_DISCARD_BIT;
	__atomic_exchange_n(head, len, __ATOMIC_SEQ_CST);
	consumer = __atomic_load_n(&r->consumer, __ATOMIC_ACQUIRE);
	return (consumer & (r->size - 1)) == (unsigned long)((uint8_t *)head - r->data);
}

#endif /* EBPFNET_TESTS_UNIT_RING_MEMORY_H */
