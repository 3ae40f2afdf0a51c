// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The place where a wake-up can be lost: a consumer that has taken everything gives its position
 * back and looks once more, while the producer commits the next record and looks at that position.
 * Two threads meet there as often as they can. One must see the other: the producer wakes, or the
 * consumer finds the record.
 *
 * It is built a second time with the fence taken out of ring_mem.c, and then it has to lose one: x86,
 * too, lets a load overtake a store. Where two threads never run at the same time nothing can be
 * shown, and that build says so and is skipped.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "ring_memory.h"

#ifdef RING_UNFENCED
#define ROUNDS_MAX UINT32_MAX
#define SECONDS_MAX 60
#else
#define ROUNDS_MAX 2000000u
#define SECONDS_MAX 15
#endif
/* Looks at the other thread before it gets the CPU, in case there is only this one. */
#define SPINS 2000

static struct ring_memory memory;
/* Rounds: the consumer has taken, the producer has committed, and woken. */
static unsigned int taken, committed, woken;
static bool stop;

/* Waits until a counter is a round, or is not. */
static bool await(const unsigned int *n, unsigned int round, bool equal)
{
	for (unsigned int i = 1; (__atomic_load_n(n, __ATOMIC_SEQ_CST) == round) != equal; i++) {
		if (__atomic_load_n(&stop, __ATOMIC_RELAXED))
			return false;
		if (i % SPINS == 0)
			sched_yield();
	}
	return true;
}

static unsigned int look(const unsigned int *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

static void *produce(void *data)
{
	(void)data;
	for (unsigned int round = 1; await(&taken, round - 1, true); round++) {
		uint8_t *event;

		/* From one moment to the next, so that all of them are met. */
		for (volatile unsigned int i = 0; i < round * 7 % 61; i++)
			;
		event = ring_memory_reserve(&memory, 8);
		if (ring_memory_commit(&memory, event, false))
			__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&committed, round, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* Takes the event of a round and sleeps for the next one. Returns whether it would sleep for ever. */
static bool round_is_lost(struct ebpfnet__ring_mem *mem, unsigned int round)
{
	unsigned int wakes;
	const void *data;
	uint32_t len;

	/* Else a wake for the event that is already there would be taken for the next one's. */
	await(&committed, round, true);
	wakes = look(&woken);
	/* Already now: the producer needs as long to see it as taking takes. */
	__atomic_store_n(&taken, round, __ATOMIC_RELAXED);
	if (ebpfnet__ring_take(mem, &data, &len) != 1)
		return true;
	ebpfnet__ring_give_back(mem);
	if (ebpfnet__ring_arm(mem))
		return false;
	await(&committed, round, false);
	return look(&woken) == wakes;
}

int main(void)
{
	struct ebpfnet__ring_mem mem;
	time_t end = time(NULL) + SECONDS_MAX;
	unsigned int round, lost = 0;
	pthread_t producer;

	if (ring_memory_open(&memory, 4096, 0))
		return 1;
	mem = ring_memory_reader(&memory);
	if (ebpfnet__ring_mem_start(&mem) || pthread_create(&producer, NULL, produce, NULL))
		return 1;
	for (round = 1; round < ROUNDS_MAX && !lost && (round % 1024 || time(NULL) < end); round++)
		lost += round_is_lost(&mem, round);
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&taken, round, __ATOMIC_SEQ_CST);
	pthread_join(producer, NULL);
	ring_memory_close(&memory);
	printf("%u rounds, %u wake-ups lost\n", round - 1, lost);
#ifdef RING_UNFENCED
	if (!lost)
		printf("SKIP: the two threads never met: nothing shown\n");
	return lost ? 0 : 77;
#else
	return lost != 0;
#endif
}
