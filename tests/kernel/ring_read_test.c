// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Reading a ring that the kernel writes: leases, batches, counts, what is refused, fork, corruption. */
#include "ring_fixture.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct fixture f;

static void begin(void)
{
	f = fixture_load(0);
}

static void end(void)
{
	fixture_close(&f);
}

/* The next event has this number. */
static void expect(struct ebpfnet_ring *ring, uint64_t number)
{
	struct ebpfnet_ring_event e = { .sz = sizeof(e) };

	ck_assert_int_eq(ebpfnet_ring_next(ring, 0, &e), 0);
	ck_assert_uint_eq(fixture_check(&e), number);
	ck_assert_uint_eq(e.ring, 0);
}

static void expect_nothing(struct ebpfnet_ring *ring)
{
	struct ebpfnet_ring_event e = { .sz = sizeof(e) };

	ck_assert_int_eq(ebpfnet_ring_next(ring, 0, &e), -EAGAIN);
}

START_TEST(events_are_leased_and_committed)
{
	struct ebpfnet_ring *ring = fixture_ring(&f, NULL);
	struct ebpfnet_ring_event a = { .sz = sizeof(a) }, b = { .sz = sizeof(b) };

	expect_nothing(ring);
	fixture_emit(&f, "ring_emit", 4);
	ck_assert_int_eq(ebpfnet_ring_next(ring, 0, &a), 0);
	ck_assert_int_eq(ebpfnet_ring_next(ring, -1, &b), 0);
	ck_assert_uint_eq(fixture_check(&a), 0);
	ck_assert_uint_eq(fixture_check(&b), 1);
	ck_assert_uint_eq(fixture_stats(ring, 0).pending_bytes, 4 * 24);
	ck_assert_int_eq(ebpfnet_ring_commit(ring), 0);
	ck_assert_uint_eq(fixture_stats(ring, 0).pending_bytes, 2 * 24);
	expect(ring, 2);
	/* Closed with one event leased: the next consumer sees it again, and what was committed not. */
	ebpfnet_ring_free(ring);
	ring = fixture_ring(&f, NULL);
	expect(ring, 2);
	expect(ring, 3);
	ck_assert_int_eq(ebpfnet_ring_commit(ring), 0);
	expect_nothing(ring);
	ck_assert_int_eq(ebpfnet_ring_commit(ring), 0);
	ebpfnet_ring_free(ring);
}
END_TEST

START_TEST(lengths_of_every_size)
{
	struct ebpfnet_ring *ring = fixture_ring(&f, NULL);
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < 2000; i++) {
		struct ebpfnet_ring_event e = { .sz = sizeof(e) };
		uint16_t len = (uint16_t)(i * 37 % 1024);

		ck_assert_uint_eq(fixture_emit_word(&f, "ring_emit_length", 1, len), 1);
		ck_assert_int_eq(ebpfnet_ring_next(ring, 0, &e), 0);
		ck_assert_uint_eq(e.len, len);
		ck_assert_uint_eq((uintptr_t)e.data % 8, 0);
		if (len)
			ck_assert_uint_eq(*(const uint8_t *)e.data, (uint8_t)i);
		ck_assert_int_eq(ebpfnet_ring_commit(ring), 0);
		bytes += len;
	}
	ck_assert_uint_eq(fixture_stats(ring, EBPFNET_RING_ALL).bytes, bytes);
	ebpfnet_ring_free(ring);
}
END_TEST

/* Callbacks. */
struct tally {
	struct ebpfnet_ring *ring;
	uint64_t next;
	uint32_t calls;
	uint32_t stop_at;
	int stop;
};

static int tally(void *data, const struct ebpfnet_ring_event *event)
{
	struct tally *t = data;

	RING_NEEDS(fixture_check(event) == t->next++);
	return ++t->calls == t->stop_at ? t->stop : 0;
}

START_TEST(a_batch_has_a_budget)
{
	struct ebpfnet_ring *ring = fixture_ring(&f, NULL);
	struct tally t = { 0 };

	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 10), 0);
	fixture_emit(&f, "ring_emit", 25);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 10), 10);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 10), 10);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 10), 5);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 10), 0);
	ck_assert_uint_eq(t.calls, 25);
	fixture_emit(&f, "ring_emit", 10);
	t.stop_at = 28;
	t.stop = 1;
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 10), 3);
	t.stop_at = 30;
	t.stop = -EPIPE;
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 10), -EPIPE);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 10), 5);
	ck_assert_uint_eq(t.calls, 35);
	ck_assert_uint_eq(fixture_stats(ring, 0).events, 35);
	ebpfnet_ring_free(ring);
}
END_TEST

START_TEST(a_fast_producer_does_not_hold_a_batch)
{
	struct ebpfnet_ring *ring = fixture_ring(&f, NULL);
	struct producer p = { .f = &f, .program = "ring_emit", .total = 100000 };
	struct tally t = { 0 };
	int64_t longest = 0;

	producer_start(&p);
	while (t.next < p.total) {
		int64_t began = fixture_now_ms(), took;
		uint32_t calls = t.calls;
		int n = ebpfnet_ring_dispatch(ring, tally, &t, 100);

		RING_NEEDS(n >= 0 && n <= 100);
		RING_NEEDS(t.calls - calls == (uint32_t)n);
		took = fixture_now_ms() - began;
		longest = took > longest ? took : longest;
	}
	producer_join(&p);
	/* 100 events take microseconds; the rest is a CPU that two processes want. */
	ck_assert_int_lt(longest, 2000);
	ebpfnet_ring_free(ring);
}
END_TEST

START_TEST(discarded_events_are_counted)
{
	struct ebpfnet_ring *ring = fixture_ring(&f, NULL);
	struct ebpfnet_ring_stats s;
	struct tally t = { 0 };

	fixture_emit(&f, "ring_emit_some", 9);
	expect(ring, 0);
	expect(ring, 1);
	expect(ring, 2);
	ck_assert_int_eq(ebpfnet_ring_commit(ring), 0);
	t.next = 3;
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 10), 5);
	s = fixture_stats(ring, EBPFNET_RING_ALL);
	ck_assert_uint_eq(s.events, 6);
	ck_assert_uint_eq(s.discarded, 3);
	ck_assert_uint_eq(s.bytes, 6 * sizeof(struct ring_event));
	ck_assert_uint_eq(s.pending_bytes, 0);
	ebpfnet_ring_free(ring);
}
END_TEST

START_TEST(reserved_and_dropped_are_what_was_tried)
{
	struct ebpfnet_ring *ring = fixture_ring(&f, NULL);
	struct ebpfnet_ring_stats s;
	struct tally t = { 0 };

	for (int i = 0; i < 3; i++) {
		fixture_emit(&f, "ring_emit", 4000);
		ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 5000), 65536 / 24);
	}
	s = fixture_stats(ring, EBPFNET_RING_ALL);
	ck_assert_uint_eq(s.drops_known, 1);
	ck_assert_uint_eq(s.rings, 1);
	ck_assert_uint_eq(s.size_bytes, 65536);
	ck_assert_uint_eq(s.events, 3 * (65536 / 24));
	ck_assert_uint_eq(s.dropped, 12000 - s.events);
	ck_assert_uint_eq(s.dropped_bytes, s.dropped * sizeof(struct ring_event));
	ck_assert_uint_eq(fixture_number(&f, RING_TRIED), s.events + s.dropped);
	ck_assert_uint_eq(s.high_water_bytes, 65536 / 24 * 24);
	ebpfnet_ring_free(ring);
}
END_TEST

START_TEST(drop_counters_are_found_given_or_absent)
{
	struct ebpfnet_map *map, *drops;
	struct ebpfnet_ring *ring;

	EBPFNET_OPTS(ebpfnet_ring_opts, opts);
	ASSERT_OK(ebpfnet_ring_new(fixture_map(&f, "uncounted"), NULL, &ring, &f.err), f.err);
	fixture_emit(&f, "ring_emit_uncounted", 400);
	ck_assert_uint_eq(fixture_stats(ring, 0).drops_known, 0);
	ck_assert_uint_eq(fixture_stats(ring, 0).dropped, 0);
	ebpfnet_ring_free(ring);
	/* A map without its object knows no name beside it. */
	ASSERT_OK(
		ebpfnet_map_open_fd(f.ctx, ebpfnet_map_fd(fixture_map(&f, "events")), &map, &f.err),
		f.err);
	ASSERT_OK(ebpfnet_map_open_fd(f.ctx, ebpfnet_map_fd(fixture_map(&f, "events_drops")),
				      &drops, &f.err),
		  f.err);
	fixture_emit(&f, "ring_emit", 3000);
	ASSERT_OK(ebpfnet_ring_new(map, NULL, &ring, &f.err), f.err);
	ck_assert_uint_eq(fixture_stats(ring, 0).drops_known, 0);
	ebpfnet_ring_free(ring);
	opts.drops = drops;
	ASSERT_OK(ebpfnet_ring_new(map, &opts, &ring, &f.err), f.err);
	ebpfnet_map_close(map);
	ebpfnet_map_close(drops);
	ck_assert_uint_eq(fixture_stats(ring, 0).dropped, 3000 - 65536 / 24);
	expect(ring, 0);
	ebpfnet_ring_free(ring);
}
END_TEST

START_TEST(several_maps_in_one_ring)
{
	struct ebpfnet_ring *ring = fixture_ring(&f, NULL);
	struct ebpfnet_ring_event e = { .sz = sizeof(e) };
	uint64_t next[2] = { 0 };
	uint32_t first_other = 0;

	ASSERT_OK(ebpfnet_ring_add(ring, fixture_map(&f, "others"), NULL, &f.err), f.err);
	ASSERT_FAILS(ebpfnet_ring_add(ring, fixture_map(&f, "others"), NULL, &f.err), f.err,
		     -EEXIST, EBPFNET_ERROR_INVALID, "number 1");
	fixture_emit(&f, "ring_emit", 1000);
	fixture_emit(&f, "ring_emit_other", 200);
	for (uint32_t i = 0; ebpfnet_ring_next(ring, 0, &e) == 0; i++) {
		ck_assert_uint_lt(e.ring, 2);
		ck_assert_uint_eq(fixture_check(&e), next[e.ring]++);
		if (e.ring == 1 && !first_other)
			first_other = i;
		ck_assert_int_eq(ebpfnet_ring_commit(ring), 0);
	}
	ck_assert_uint_eq(next[0], 1000);
	ck_assert_uint_eq(next[1], 4096 / 24);
	/* The busy one does not keep the other waiting. */
	ck_assert_uint_gt(first_other, 0);
	ck_assert_uint_le(first_other, 64);
	ck_assert_uint_eq(fixture_stats(ring, 0).dropped, 0);
	ck_assert_uint_eq(fixture_stats(ring, 1).dropped, 200 - 4096 / 24);
	ck_assert_uint_eq(fixture_stats(ring, EBPFNET_RING_ALL).dropped, 200 - 4096 / 24);
	ck_assert_uint_eq(fixture_stats(ring, EBPFNET_RING_ALL).events, 1000 + 4096 / 24);
	ck_assert_uint_eq(fixture_stats(ring, EBPFNET_RING_ALL).size_bytes, 65536 + 4096);
	ebpfnet_ring_free(ring);
}
END_TEST

static int by_map(void *data, const struct ebpfnet_ring_event *event)
{
	uint64_t *next = data;

	ck_assert_uint_eq(fixture_check(event), next[event->ring]++);
	return 0;
}

START_TEST(several_maps_in_one_batch)
{
	struct ebpfnet_ring *ring = fixture_ring(&f, NULL);
	uint64_t next[2] = { 0 };

	ASSERT_OK(ebpfnet_ring_add(ring, fixture_map(&f, "others"), NULL, &f.err), f.err);
	fixture_emit(&f, "ring_emit", 100);
	fixture_emit(&f, "ring_emit_other", 10);
	/* An equal share, and what one does not use is the other's. */
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, by_map, next, 30), 30);
	ck_assert_uint_eq(next[1], 10);
	ck_assert_uint_eq(next[0], 20);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, by_map, next, 1), 1);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, by_map, next, 1000), 79);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, by_map, next, 1000), 0);
	ebpfnet_ring_free(ring);
}
END_TEST

START_TEST(what_is_no_ring_is_refused)
{
	struct ebpfnet_ring *ring = (void *)1;
	struct ebpfnet_object *obj;
	struct ebpfnet_map *map;

	EBPFNET_OPTS(ebpfnet_ring_opts, opts);
	ASSERT_FAILS(ebpfnet_ring_new(fixture_map(&f, "numbers"), NULL, &ring, &f.err), f.err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "no ring buffer");
	ck_assert_ptr_null(ring);
	opts.drops = fixture_map(&f, "numbers");
	ASSERT_FAILS(ebpfnet_ring_new(fixture_map(&f, "events"), &opts, &ring, &f.err), f.err,
		     -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "EBPFNET_RING()");
	opts.drops = NULL;
	opts.trigger = 2;
	ASSERT_FAILS(ebpfnet_ring_new(fixture_map(&f, "events"), &opts, &ring, &f.err), f.err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "trigger 2");
	opts.trigger = 0;
	opts.gather_us = 1000001;
	ASSERT_FAILS(ebpfnet_ring_new(fixture_map(&f, "events"), &opts, &ring, &f.err), f.err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "gather_us");
	ASSERT_OK(ebpfnet_object_open_file(f.ctx, test_object("ring"), NULL, &obj, &f.err), f.err);
	ASSERT_OK(ebpfnet_object_map(obj, "events", &map, &f.err), f.err);
	ASSERT_FAILS(ebpfnet_ring_new(map, NULL, &ring, &f.err), f.err, -EBADF,
		     EBPFNET_ERROR_INVALID, "not loaded");
	ebpfnet_object_close(obj);
}
END_TEST

START_TEST(a_map_that_cannot_be_written_is_refused)
{
	struct ebpfnet_ring *ring;
	struct ebpfnet_map *map;
	char folder[64], path[80];
	int fd;

	LIBBPF_OPTS(bpf_obj_get_opts, how, .file_flags = BPF_F_RDONLY);
	test_need_bpffs();
	snprintf(folder, sizeof(folder), "/sys/fs/bpf/ebpfnet-test-%d", (int)getpid());
	snprintf(path, sizeof(path), "%s/events", folder);
	ASSERT_OK(ebpfnet_map_pin(fixture_map(&f, "events"), path, &f.err), f.err);
	fd = bpf_obj_get_opts(path, &how);
	ck_assert_int_ge(fd, 0);
	ASSERT_OK(ebpfnet_map_open_fd(f.ctx, fd, &map, &f.err), f.err);
	ASSERT_FAILS(ebpfnet_ring_new(map, NULL, &ring, &f.err), f.err, -EACCES,
		     EBPFNET_ERROR_PERMISSION, "read-only");
	close(fd);
	ebpfnet_map_close(map);
	ASSERT_OK(ebpfnet_pin_remove(f.ctx, path, &f.err), f.err);
	rmdir(folder);
}
END_TEST

START_TEST(bad_arguments)
{
	struct ebpfnet_ring *ring = fixture_ring(&f, NULL);
	struct ebpfnet_ring_event e = { 0 };
	struct ebpfnet_ring_stats s = { .sz = sizeof(s) };
	struct tally t = { 0 };

	ck_assert_int_eq(ebpfnet_ring_next(NULL, 0, &e), -EINVAL);
	ck_assert_int_eq(ebpfnet_ring_next(ring, 0, NULL), -EINVAL);
	ck_assert_int_eq(ebpfnet_ring_next(ring, 0, &e), -EINVAL);
	ck_assert_int_eq(ebpfnet_ring_wait(NULL, 0), -EINVAL);
	ck_assert_int_eq(ebpfnet_ring_commit(NULL), -EINVAL);
	ck_assert_int_eq(ebpfnet_ring_fd(NULL), -EINVAL);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, NULL, NULL, 1), -EINVAL);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 0), -EINVAL);
	ebpfnet_ring_wake(NULL);
	ebpfnet_ring_free(NULL);
	ASSERT_FAILS(ebpfnet_ring_stats(ring, 1, &s, &f.err), f.err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "no map 1");
	s.sz = 0;
	ASSERT_FAILS(ebpfnet_ring_stats(ring, 0, &s, &f.err), f.err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "sz");
	/* An older program's struct: as much as it knows. */
	e.sz = offsetof(struct ebpfnet_ring_event, ring);
	e.ring = 77;
	fixture_emit(&f, "ring_emit", 1);
	ck_assert_int_eq(ebpfnet_ring_next(ring, 0, &e), 0);
	ck_assert_uint_eq(e.len, sizeof(struct ring_event));
	ck_assert_uint_eq(e.ring, 77);
	/* Leased: dispatch would give it back. */
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 1), -EBUSY);
	ebpfnet_ring_free(ring);
}
END_TEST

static int calls_back(void *data, const struct ebpfnet_ring_event *event)
{
	struct tally *t = data;
	struct ebpfnet_ring_event e = { .sz = sizeof(e) };

	(void)event;
	ck_assert_int_eq(ebpfnet_ring_next(t->ring, -1, &e), -EBUSY);
	ck_assert_int_eq(ebpfnet_ring_wait(t->ring, -1), -EBUSY);
	ck_assert_int_eq(ebpfnet_ring_commit(t->ring), -EBUSY);
	ck_assert_int_eq(ebpfnet_ring_dispatch(t->ring, tally, t, 1), -EBUSY);
	ASSERT_FAILS(ebpfnet_ring_add(t->ring, fixture_map(&f, "others"), NULL, &f.err), f.err,
		     -EBUSY, EBPFNET_ERROR_INVALID, "callback");
	ck_assert_uint_eq(fixture_stats(t->ring, 0).rings, 1);
	t->calls++;
	return 0;
}

START_TEST(a_callback_cannot_use_its_ring)
{
	struct tally t = { .ring = fixture_ring(&f, NULL) };

	fixture_emit(&f, "ring_emit", 2);
	ck_assert_int_eq(ebpfnet_ring_dispatch(t.ring, calls_back, &t, 10), 2);
	ck_assert_uint_eq(t.calls, 2);
	ebpfnet_ring_free(t.ring);
}
END_TEST

static int child_of_ring(void *data)
{
	struct ebpfnet_ring *ring = data;
	struct ebpfnet_ring_event e = { .sz = sizeof(e) };
	struct ebpfnet_ring_stats s = { .sz = sizeof(s) };
	struct tally t = { 0 };

	CHILD_NEEDS(ebpfnet_ring_next(ring, 0, &e) == -EPERM);
	CHILD_NEEDS(ebpfnet_ring_wait(ring, -1) == -EPERM);
	CHILD_NEEDS(ebpfnet_ring_commit(ring) == -EPERM);
	CHILD_NEEDS(ebpfnet_ring_dispatch(ring, tally, &t, 1) == -EPERM);
	CHILD_NEEDS(ebpfnet_ring_stats(ring, 0, &s, NULL) == -EPERM);
	CHILD_NEEDS(ebpfnet_ring_add(ring, fixture_map(&f, "others"), NULL, NULL) == -EPERM);
	ebpfnet_ring_wake(ring);
	ebpfnet_ring_free(ring);
	/* A ring of its own it may have. */
	CHILD_NEEDS(ebpfnet_ring_new(fixture_map(&f, "others"), NULL, &ring, NULL) == 0);
	CHILD_NEEDS(ebpfnet_ring_next(ring, 0, &e) == -EAGAIN);
	ebpfnet_ring_free(ring);
	return 0;
}

START_TEST(a_forked_child_leaves_it_alone)
{
	struct ebpfnet_ring *ring = fixture_ring(&f, NULL);

	fixture_emit(&f, "ring_emit", 3);
	expect(ring, 0);
	ck_assert_int_eq(test_in_child(child_of_ring, ring), 0);
	ck_assert_int_eq(ebpfnet_ring_commit(ring), 0);
	expect(ring, 1);
	expect(ring, 2);
	/* The child's wake was not for us. */
	expect_nothing(ring);
	ebpfnet_ring_free(ring);
}
END_TEST

/* Somebody else's mapping of the consumer's page: the only part that user space can write. */
static unsigned long *consumer_page(const char *name)
{
	void *page = mmap(NULL, (size_t)getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED,
			  ebpfnet_map_fd(fixture_map(&f, name)), 0);

	ck_assert_ptr_ne(page, MAP_FAILED);
	return page;
}

START_TEST(a_corrupt_ring_is_an_error)
{
	struct ebpfnet_ring *ring;
	unsigned long *page = consumer_page("events");

	fixture_emit(&f, "ring_emit", 10);
	*page = 4;
	ASSERT_FAILS(ebpfnet_ring_new(fixture_map(&f, "events"), NULL, &ring, &f.err), f.err, -EIO,
		     EBPFNET_ERROR_INVALID, "not those of a ring");
	*page = 24 * 11;
	ASSERT_FAILS(ebpfnet_ring_new(fixture_map(&f, "events"), NULL, &ring, &f.err), f.err, -EIO,
		     EBPFNET_ERROR_INVALID, "not those of a ring");
	/* In the middle of a record: what stands there, ~3, is taken for a header. It is busy. */
	*page = 24 * 3 + 16;
	ring = fixture_ring(&f, NULL);
	expect_nothing(ring);
	ebpfnet_ring_free(ring);
	munmap(page, (size_t)getpagesize());
}
END_TEST

START_TEST(a_length_that_is_too_long_is_an_error)
{
	struct ebpfnet_ring *ring;
	struct ebpfnet_ring_event e = { .sz = sizeof(e) };
	unsigned long *page = consumer_page("events");
	struct tally t = { 0 };

	/* The number 0x1000 at the end of a packet of events is a length beyond the producer. */
	fixture_emit(&f, "ring_emit", 1);
	ring = fixture_ring(&f, NULL);
	expect(ring, 0);
	ck_assert_int_eq(ebpfnet_ring_commit(ring), 0);
	ebpfnet_ring_free(ring);
	for (int i = 0; i < 3; i++) {
		fixture_emit(&f, "ring_emit", 1365);
		ring = fixture_ring(&f, NULL);
		t.next = 1 + 1365 * (uint64_t)i;
		ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 5000), 1365);
		ebpfnet_ring_free(ring);
	}
	fixture_emit(&f, "ring_emit", 2); /* 4096 and 4097 */
	*page += 8;
	ring = fixture_ring(&f, NULL);
	ck_assert_int_eq(ebpfnet_ring_next(ring, 0, &e), -EIO);
	ck_assert_int_eq(ebpfnet_ring_next(ring, -1, &e), -EIO);
	ck_assert_int_eq(ebpfnet_ring_wait(ring, 0), 0);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, tally, &t, 10), -EIO);
	ebpfnet_ring_free(ring);
	munmap(page, (size_t)getpagesize());
}
END_TEST

START_TEST(another_consumer_is_noticed)
{
	struct ebpfnet_ring *a = fixture_ring(&f, NULL), *b = fixture_ring(&f, NULL);
	struct ebpfnet_ring_event e = { .sz = sizeof(e) };

	fixture_emit(&f, "ring_emit", 2);
	expect(a, 0);
	expect(b, 0);
	ck_assert_int_eq(ebpfnet_ring_commit(a), 0);
	expect(b, 1);
	ck_assert_int_eq(ebpfnet_ring_next(b, 0, &e), -ESTALE);
	ebpfnet_ring_free(a);
	ebpfnet_ring_free(b);
}
END_TEST

START_TEST(descriptors_are_ours_alone)
{
	int before = test_open_fds(), fd;
	struct ebpfnet_ring *ring;

	close(0);
	ring = fixture_ring(&f, NULL);
	ASSERT_OK(ebpfnet_ring_add(ring, fixture_map(&f, "others"), NULL, &f.err), f.err);
	ck_assert_int_eq(fcntl(0, F_GETFD), -1);
	ck_assert_int_eq(open("/dev/null", O_RDONLY), 0);
	fd = ebpfnet_ring_fd(ring);
	ck_assert_int_gt(fd, 2);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ebpfnet_ring_free(ring);
	ck_assert_int_eq(test_open_fds(), before);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		events_are_leased_and_committed,
		lengths_of_every_size,
		a_batch_has_a_budget,
		a_fast_producer_does_not_hold_a_batch,
		discarded_events_are_counted,
		reserved_and_dropped_are_what_was_tried,
		drop_counters_are_found_given_or_absent,
		several_maps_in_one_ring,
		several_maps_in_one_batch,
		what_is_no_ring_is_refused,
		a_map_that_cannot_be_written_is_refused,
		bad_arguments,
		a_callback_cannot_use_its_ring,
		a_forked_child_leaves_it_alone,
		a_corrupt_ring_is_an_error,
		a_length_that_is_too_long_is_an_error,
		another_consumer_is_noticed,
		descriptors_are_ours_alone,
	};

	test_need_root();
	return test_run(test_suite_around("ring_read", tests, sizeof(tests) / sizeof(*tests), 120,
					  begin, end));
}
