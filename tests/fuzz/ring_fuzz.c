// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * libFuzzer target for the ring's memory: whatever stands in headers and positions, the consumer
 * neither reads outside nor runs for ever, and what it hands out lies between what was given back
 * and the producer. An input is a list of operations of three bytes, an opcode and a number:
 *
 *	0	the producer reserves and submits that many bytes	5	take one event
 *	1	... and discards					6	give back
 *	2	... and leaves it busy					7	walk, at most that many
 *	3	a header, that many records of 8 on, gets the next	8	arm
 *		three bytes, shifted, and its flags			9	the producer's position
 *	4	a busy record is submitted				10	a new consumer, holding or not
 *
 * A ring that nobody damaged must give every event, once, in order, whole: then the model knows.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "unit/ring_memory.h"

#define SIZE 4096ul
#define WAITING_MAX 512

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "ring_fuzz: line %d: %s\n", __LINE__, #cond);              \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static struct ring_memory memory;
static struct ebpfnet__ring_mem mem;
static bool damaged;

/* The model: what was submitted and not yet given back, in order. */
static struct waiting {
	uint32_t len;
	uint8_t fill;
	bool busy, discarded;
	uint8_t *at;
} waiting[WAITING_MAX];
static size_t first, next_seen, n_waiting;
static uint8_t fill;

static struct waiting *record(size_t i)
{
	return &waiting[i % WAITING_MAX];
}

static void produce(uint32_t len, bool discard, bool busy)
{
	uint8_t *at;

	if (n_waiting - first >= WAITING_MAX || damaged)
		return;
	at = ring_memory_reserve(&memory, len);
	if (!at)
		return;
	memset(at, ++fill, len);
	*record(n_waiting++) = (struct waiting) { len, fill, busy, discard, at };
	if (!busy)
		ring_memory_commit(&memory, at, discard);
}

static void finish_busy(void)
{
	for (size_t i = next_seen; i < n_waiting && !damaged; i++)
		if (record(i)->busy) {
			ring_memory_commit(&memory, record(i)->at, record(i)->discarded);
			record(i)->busy = false;
			return;
		}
}

/* The event lies in the data, behind what was given back and before the producer. */
static void check_event(const uint8_t *data, uint32_t len)
{
	CHECK(data >= memory.data + 8 && data <= memory.data + 2 * SIZE);
	CHECK(len <= (size_t)(memory.data + 2 * SIZE - data));
	CHECK(len <= mem.limit - mem.published);
	CHECK((uintptr_t)data % 8 == 0);
	/* All of it can be read. */
	for (uint32_t i = 0; i < len; i++)
		(void)*(volatile const uint8_t *)(data + i);
	if (damaged)
		return;
	while (next_seen < n_waiting && record(next_seen)->discarded)
		CHECK(!record(next_seen++)->busy);
	CHECK(next_seen < n_waiting);
	CHECK(!record(next_seen)->busy && record(next_seen)->len == len);
	for (uint32_t i = 0; i < len; i++)
		CHECK(data[i] == record(next_seen)->fill);
	next_seen++;
}

static int see(void *data, const struct ebpfnet_ring_event *event)
{
	const uint32_t *stop = data;

	check_event(event->data, event->len);
	return *stop && event->len % *stop == 1;
}

/* Whatever it said, positions are in order and only as much was given back as was read. */
static void check_result(int ret)
{
	CHECK(ret >= 0 || ret == -5 || ret == -116);
	CHECK(damaged || ret >= 0);
	CHECK(mem.read - mem.published <= SIZE && mem.limit - mem.read <= SIZE);
	CHECK(mem.limit - mem.published <= SIZE);
	CHECK(memory.consumer == mem.published || damaged);
}

/* Nothing more: then the model knows of nothing that can be read either. */
static void check_dry(void)
{
	size_t i = next_seen;

	while (i < n_waiting && record(i)->discarded && !record(i)->busy)
		i++;
	CHECK(damaged || i == n_waiting || record(i)->busy);
}

static void take(void)
{
	const void *data;
	uint32_t len;
	int ret = ebpfnet__ring_take(&mem, &data, &len);

	if (ret > 0)
		check_event(data, len);
	check_result(ret);
	if (ret == 0)
		check_dry();
}

static void walk(uint32_t max)
{
	uint32_t stop = max & 0x80;
	struct ebpfnet__ring_batch b = { .fn = see, .data = &stop, .max = (max & 0x7f) + 1 };
	int ret = ebpfnet__ring_walk(&mem, &b);

	check_result(ret);
	CHECK(ret <= (int)b.max);
	if (ret >= 0 && ret < (int)b.max && !b.stop)
		check_dry();
}

static void reopen(bool hold)
{
	mem = ring_memory_reader(&memory);
	mem.hold = hold;
	if (ebpfnet__ring_mem_start(&mem)) {
		CHECK(damaged);
		memory.consumer = memory.producer &= ~7ul;
		CHECK(!ebpfnet__ring_mem_start(&mem));
	}
	damaged = true; /* the model does not follow what is seen twice */
}

static void damage_header(unsigned int which, const uint8_t *bytes)
{
	uint32_t value = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 24;

	*ring_memory_head(&memory, mem.read + which * 8ul) = value;
	damaged = true;
}

static void step(const uint8_t *op, const uint8_t *more)
{
	uint32_t n = op[1] | (uint32_t)op[2] << 8;

	switch (op[0] % 11) {
	case 0:
	case 1:
	case 2:
		produce(n % 700, op[0] % 11 == 1, op[0] % 11 == 2);
		break;
	case 3:
		damage_header(n % 64, more);
		break;
	case 4:
		finish_busy();
		break;
	case 5:
		take();
		break;
	case 6:
		ebpfnet__ring_give_back(&mem);
		first = next_seen;
		break;
	case 7:
		walk(n);
		first = next_seen;
		break;
	case 8:
		check_result(ebpfnet__ring_arm(&mem));
		break;
	case 9:
		memory.producer += (unsigned long)(int16_t)n * (n % 3 ? 8 : 1);
		damaged = true;
		break;
	default:
		reopen(n & 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zero[3];

	if (size < 1)
		return 0;
	memset(memory.data, 0, SIZE);
	/* Some near the place where positions wrap. */
	memory.consumer = memory.producer = data[0] & 1 ? 0ul - 8 * (data[0] >> 2) : 0;
	mem = ring_memory_reader(&memory);
	mem.hold = data[0] & 2;
	damaged = false;
	first = next_seen = n_waiting = 0;
	CHECK(!ebpfnet__ring_mem_start(&mem));
	for (size_t i = 1; i + 3 <= size; i += 3)
		step(data + i, i + 6 <= size ? data + i + 3 : zero);
	return 0;
}

static void write_seed(const char *folder, unsigned int i, const uint8_t *bytes, size_t n)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/seed%u", folder, i);
	f = fopen(path, "wb");
	CHECK(f && fwrite(bytes, 1, n, f) == n && !fclose(f));
}

/* Seeds: each operation between producing and reading. */
static void write_seeds(const char *folder)
{
	for (uint8_t op = 0; op < 11; op++)
		for (uint8_t start = 0; start < 4; start++) {
			uint8_t bytes[] = { start, 0, 40, 0, 2, 9, 0, op, 3, 0,	 1, 20, 0,
					    4,	   0, 0,  7, 9, 0, 5, 0,  0, op, 1, 0,	8,
					    0,	   0, 0,  8, 0, 7, 2, 0,  6, 0,	 0 };

			write_seed(folder, op * 4u + start, bytes, sizeof(bytes));
		}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	CHECK(!ring_memory_open(&memory, SIZE, 0));
	if (*argc == 3 && !strcmp((*argv)[1], "--seeds")) {
		mkdir((*argv)[2], 0700);
		write_seeds((*argv)[2]);
		exit(0);
	}
	return 0;
}
