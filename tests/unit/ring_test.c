// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The ring's protocol over memory of the test's own: order, wrapping, flags, and corrupt rings. */
#include "helpers.h"

#include <errno.h>

#include "ring_memory.h"

#define SIZE 4096ul
/* Where positions wrap, a few records on. */
#define NEAR_WRAP (0ul - 512)

static struct ring_memory memory;
static struct ebpfnet__ring_mem mem;

static void open_at(unsigned long start)
{
	ck_assert_int_eq(ring_memory_open(&memory, SIZE, start), 0);
	mem = ring_memory_reader(&memory);
	ck_assert_int_eq(ebpfnet__ring_mem_start(&mem), 0);
}

static void begin(void)
{
	open_at(0);
}

static void end(void)
{
	ring_memory_close(&memory);
}

static uint8_t *reserve(uint32_t len, uint8_t fill)
{
	uint8_t *at = ring_memory_reserve(&memory, len);

	ck_assert_ptr_nonnull(at);
	memset(at, fill, len);
	return at;
}

static bool submit(uint32_t len, uint8_t fill)
{
	return ring_memory_commit(&memory, reserve(len, fill), false);
}

/* The next event has this length and content; its room is given back. */
static void expect(uint32_t len, uint8_t fill)
{
	const uint8_t *data;
	const void *at;
	uint32_t got;

	ck_assert_int_eq(ebpfnet__ring_take(&mem, &at, &got), 1);
	ck_assert_uint_eq(got, len);
	ck_assert_uint_eq((uintptr_t)at % 8, 0);
	data = at;
	for (uint32_t i = 0; i < len; i++)
		ck_assert_uint_eq(data[i], fill);
	ebpfnet__ring_give_back(&mem);
	ck_assert_uint_eq(memory.consumer, mem.read);
}

static void expect_nothing(void)
{
	const void *at;
	uint32_t len;

	ck_assert_int_eq(ebpfnet__ring_take(&mem, &at, &len), 0);
}

/* What fn saw. */
static struct seen {
	uint32_t calls;
	uint32_t lens[64];
	uint8_t fills[64];
	unsigned long consumer[64];
	uint32_t stop_at;
	int stop;
} seen;

static int see(void *data, const struct ebpfnet_ring_event *event)
{
	struct seen *s = data;

	ck_assert_uint_eq(event->sz, sizeof(*event));
	ck_assert_uint_eq(event->ring, 3);
	if (s->calls < 64) {
		s->lens[s->calls] = event->len;
		s->fills[s->calls] = event->len ? *(const uint8_t *)event->data : 0;
		s->consumer[s->calls] = memory.consumer;
	}
	s->calls++;
	return s->calls == s->stop_at ? s->stop : 0;
}

static int walk(uint32_t max)
{
	struct ebpfnet__ring_batch b = { .fn = see, .data = &seen, .index = 3, .max = max };
	uint32_t stop_at = seen.stop_at;
	int stop = seen.stop, ret;

	memset(&seen, 0, sizeof(seen));
	seen.stop_at = stop_at;
	seen.stop = stop;
	ret = ebpfnet__ring_walk(&mem, &b);
	ck_assert_int_eq(b.stop, stop_at && seen.calls >= stop_at ? stop : 0);
	seen.stop_at = 0;
	return ret;
}

START_TEST(events_come_in_order_with_every_length)
{
	for (uint32_t len = 0; len < 600; len++) {
		submit(len, (uint8_t)len);
		submit(600 - len, (uint8_t)~len);
		expect(len, (uint8_t)len);
		expect(600 - len, (uint8_t)~len);
		expect_nothing();
	}
	ck_assert_uint_eq(mem.events, 1200);
	ck_assert_uint_eq(mem.bytes, 600 * 600);
}
END_TEST

START_TEST(an_event_across_the_end_is_whole)
{
	submit(SIZE - 64 - 8, 1);
	expect(SIZE - 64 - 8, 1);
	submit(400, 2);
	expect(400, 2);
	ck_assert_uint_lt(SIZE - 64, mem.read);
}
END_TEST

START_TEST(positions_wrap)
{
	end();
	open_at(NEAR_WRAP);
	for (int i = 0; i < 100; i++) {
		submit(40, (uint8_t)i);
		expect(40, (uint8_t)i);
		submit(24, (uint8_t)i);
		ck_assert_int_eq(walk(10), 1);
		ck_assert_uint_eq(seen.fills[0], i);
	}
	ck_assert_uint_lt(mem.read, SIZE * 2);
	/* Over the wrap in one batch, too. */
	end();
	open_at(NEAR_WRAP);
	for (int i = 0; i < 50; i++)
		submit(40, (uint8_t)i);
	ck_assert_int_eq(walk(64), 50);
	for (int i = 0; i < 50; i++)
		ck_assert_uint_eq(seen.fills[i], i);
}
END_TEST

START_TEST(a_full_ring_is_drained)
{
	int n = 0;
	uint8_t *at;

	while ((at = ring_memory_reserve(&memory, 8)))
		ring_memory_commit(&memory, at, false), n++;
	ck_assert_int_eq(n, SIZE / 16 - 1);
	ck_assert_int_eq(walk(1000), n);
	ck_assert_uint_eq(mem.high_water, SIZE - 16);
	ck_assert_uint_eq(memory.consumer, memory.producer);
}
END_TEST

START_TEST(a_busy_record_stops_the_walk)
{
	uint8_t *busy;

	submit(8, 1);
	busy = reserve(16, 2);
	submit(8, 3);
	expect(8, 1);
	expect_nothing();
	ck_assert_int_eq(ebpfnet__ring_ready(&mem), 0);
	ck_assert(ebpfnet__ring_busy(&mem));
	ck_assert_int_eq(walk(10), 0);
	ck_assert_uint_eq(seen.calls, 0);
	/* It is at the consumer's position: it wakes, and what waits behind it comes too. */
	ck_assert(ring_memory_commit(&memory, busy, false));
	ck_assert_int_eq(walk(10), 2);
	ck_assert_uint_eq(seen.fills[0], 2);
	ck_assert_uint_eq(seen.fills[1], 3);
}
END_TEST

START_TEST(discarded_records_are_skipped_and_counted)
{
	submit(8, 1);
	ring_memory_commit(&memory, reserve(100, 2), true);
	ring_memory_commit(&memory, reserve(0, 2), true);
	submit(8, 3);
	ring_memory_commit(&memory, reserve(8, 4), true);
	expect(8, 1);
	expect(8, 3);
	expect_nothing();
	ck_assert_uint_eq(mem.discarded, 3);
	ck_assert_uint_eq(mem.read, memory.producer);
	ring_memory_commit(&memory, reserve(100, 2), true);
	submit(8, 5);
	ring_memory_commit(&memory, reserve(8, 4), true);
	/* They count against the budget: a producer that discards all the time holds nobody. */
	ck_assert_int_eq(walk(2), 2);
	ck_assert_uint_eq(seen.calls, 1);
	ck_assert_int_eq(walk(2), 1);
	ck_assert_uint_eq(seen.calls, 0);
	ck_assert_uint_eq(mem.discarded, 5);
	ck_assert_uint_eq(mem.events, 3);
	ck_assert_uint_eq(mem.bytes, 24);
}
END_TEST

START_TEST(a_batch_stops_where_it_is_told)
{
	for (uint8_t i = 0; i < 10; i++)
		submit(8, i);
	ck_assert_int_eq(walk(4), 4);
	ck_assert_uint_eq(memory.consumer, 64);
	seen.stop_at = 2;
	seen.stop = 1;
	ck_assert_int_eq(walk(6), 2);
	ck_assert_uint_eq(memory.consumer, 96);
	seen.stop_at = 1;
	seen.stop = -EPIPE;
	ck_assert_int_eq(walk(6), 1);
	ck_assert_uint_eq(memory.consumer, 112);
	ck_assert_int_eq(walk(100), 3);
	ck_assert_uint_eq(seen.fills[2], 9);
}
END_TEST

START_TEST(room_is_given_back_within_a_batch)
{
	for (int i = 0; i < 60; i++)
		submit(40, (uint8_t)i);
	ck_assert_int_eq(walk(60), 60);
	/* Not for each, not only at the end, and never that of the event at hand. */
	ck_assert_uint_eq(seen.consumer[0], 0);
	ck_assert_uint_eq(seen.consumer[8], 0);
	ck_assert_uint_ge(seen.consumer[59], 4 * SIZE / 8);
	for (unsigned long i = 0; i < 60; i++)
		ck_assert_uint_le(seen.consumer[i], i * 48);
}
END_TEST

START_TEST(leased_events_keep_their_room)
{
	const void *a, *b;
	uint32_t len;

	submit(8, 1);
	submit(8, 2);
	ck_assert_int_eq(ebpfnet__ring_take(&mem, &a, &len), 1);
	ck_assert_int_eq(ebpfnet__ring_take(&mem, &b, &len), 1);
	ck_assert_int_eq(ebpfnet__ring_arm(&mem), 0);
	ck_assert_uint_eq(memory.consumer, 0);
	ck_assert_uint_eq(*(const uint8_t *)a, 1);
	ck_assert_uint_eq(*(const uint8_t *)b, 2);
	ebpfnet__ring_give_back(&mem);
	ck_assert_uint_eq(memory.consumer, 32);
}
END_TEST

START_TEST(the_kernel_wakes_who_has_taken_all)
{
	ck_assert(submit(8, 1));
	ck_assert(!submit(8, 2));
	expect(8, 1);
	ck_assert(!submit(8, 3));
	expect(8, 2);
	expect(8, 3);
	ck_assert_int_eq(ebpfnet__ring_arm(&mem), 0);
	ck_assert(submit(8, 4));
	ck_assert_int_eq(ebpfnet__ring_arm(&mem), 1);
}
END_TEST

START_TEST(who_holds_the_newest_record_is_not_woken)
{
	const void *at;
	uint32_t len;

	mem.hold = true;
	ck_assert(submit(8, 1));
	for (uint8_t i = 2; i < 100; i++) {
		ck_assert_int_eq(ebpfnet__ring_take(&mem, &at, &len), 1);
		ebpfnet__ring_give_back(&mem);
		ck_assert_uint_eq(memory.consumer, memory.producer - 16);
		ck_assert(!submit(8, i));
	}
	ck_assert_int_eq(walk(10), 1);
	ck_assert(!submit(8, 100));
	ck_assert_int_eq(walk(10), 1);
	ck_assert_uint_eq(memory.consumer, memory.producer - 16);
	ck_assert_int_eq(ebpfnet__ring_arm(&mem), 0);
	ck_assert_uint_eq(memory.consumer, memory.producer);
	/* Nothing new: giving back again must not go backwards. */
	ebpfnet__ring_give_back(&mem);
	ck_assert_uint_eq(memory.consumer, memory.producer);
	ck_assert(submit(8, 101));
}
END_TEST

START_TEST(a_new_consumer_goes_on_where_the_last_one_committed)
{
	const void *at;
	uint32_t len;

	for (uint8_t i = 0; i < 4; i++)
		submit(8, i);
	expect(8, 0);
	expect(8, 1);
	ck_assert_int_eq(ebpfnet__ring_take(&mem, &at, &len), 1);
	/* Killed here, with one event leased. */
	mem = ring_memory_reader(&memory);
	ck_assert_int_eq(ebpfnet__ring_mem_start(&mem), 0);
	expect(8, 2);
	expect(8, 3);
}
END_TEST

/* take, walk and ready must all refuse, without moving. */
static void expect_corrupt(int code)
{
	struct ebpfnet__ring_mem was = mem;
	const void *at;
	uint32_t len;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(ebpfnet__ring_take(&mem, &at, &len), code);
		ck_assert_int_eq(walk(10), code);
		ck_assert_uint_eq(seen.calls, 0);
		ck_assert_uint_eq(mem.read, was.read);
		ck_assert_uint_eq(mem.published, was.published);
	}
}

START_TEST(a_length_beyond_the_producer_is_corrupt)
{
	/* At every place in the ring, by one byte too much and by the largest there is. */
	for (unsigned long pos = 0; pos < SIZE; pos += 40) {
		uint32_t bad[] = { 33, 41, (uint32_t)SIZE, 0x1fffffff, 0x3fffffff };

		submit(32, 1);
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			*ring_memory_head(&memory, pos) = bad[i];
			expect_corrupt(-EIO);
			*ring_memory_head(&memory, pos) = bad[i] | BPF_RINGBUF_DISCARD_BIT;
			expect_corrupt(-EIO);
		}
		/* Whole again: the same object goes on. */
		*ring_memory_head(&memory, pos) = 32;
		expect(32, 1);
	}
}
END_TEST

START_TEST(a_corrupt_record_behind_good_ones)
{
	for (uint8_t i = 0; i < 5; i++)
		submit(8, i);
	*ring_memory_head(&memory, 48) = 25;
	ck_assert_int_eq(walk(10), -EIO);
	ck_assert_uint_eq(seen.calls, 3);
	ck_assert_uint_eq(memory.consumer, 48);
	expect_corrupt(-EIO);
}
END_TEST

START_TEST(a_length_of_thirty_bits_that_is_true)
{
	uint8_t *at = reserve(8, 1);

	/* The flags are the two highest bits; no other changes the length. */
	ck_assert_uint_eq(*ring_memory_head(&memory, 0), 0x80000008);
	ring_memory_commit(&memory, at, true);
	ck_assert_uint_eq(*ring_memory_head(&memory, 0), 0x40000008);
	*ring_memory_head(&memory, 0) = 0xc0000008;
	expect_nothing();
	*ring_memory_head(&memory, 0) = 0xbfffffff;
	expect_nothing();
	*ring_memory_head(&memory, 0) = 8;
	expect(8, 1);
}
END_TEST

START_TEST(positions_that_cannot_be)
{
	submit(8, 1);
	expect(8, 1);
	memory.producer = mem.limit - 16; /* backwards */
	expect_corrupt(-EIO);
	memory.producer = mem.limit + 4; /* between records */
	expect_corrupt(-EIO);
	memory.producer = mem.limit + SIZE + 8; /* further than the ring reaches */
	expect_corrupt(-EIO);
	memory.producer = 0ul - 8;
	expect_corrupt(-EIO);
	memory.producer = mem.limit;
	expect_nothing();
	memory.consumer += 16; /* somebody else reads */
	expect_corrupt(-ESTALE);
}
END_TEST

START_TEST(a_ring_that_is_none_is_not_opened)
{
	static const struct {
		unsigned long consumer, producer;
	} bad[] = { { 4, 8 }, { 0, 12 }, { 8, 0 }, { 0, SIZE + 8 }, { 0, 0ul - 8 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		memory.consumer = bad[i].consumer;
		memory.producer = bad[i].producer;
		ck_assert_int_eq(ebpfnet__ring_mem_start(&mem), -EIO);
	}
	memory.consumer = 0ul - 16;
	memory.producer = 16;
	ck_assert_int_eq(ebpfnet__ring_mem_start(&mem), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		events_come_in_order_with_every_length,
		an_event_across_the_end_is_whole,
		positions_wrap,
		a_full_ring_is_drained,
		a_busy_record_stops_the_walk,
		discarded_records_are_skipped_and_counted,
		a_batch_stops_where_it_is_told,
		room_is_given_back_within_a_batch,
		leased_events_keep_their_room,
		the_kernel_wakes_who_has_taken_all,
		who_holds_the_newest_record_is_not_woken,
		a_new_consumer_goes_on_where_the_last_one_committed,
		a_length_beyond_the_producer_is_corrupt,
		a_corrupt_record_behind_good_ones,
		a_length_of_thirty_bits_that_is_true,
		positions_that_cannot_be,
		a_ring_that_is_none_is_not_opened,
	};

	return test_run(
		test_suite_around("ring", tests, sizeof(tests) / sizeof(*tests), 60, begin, end));
}
