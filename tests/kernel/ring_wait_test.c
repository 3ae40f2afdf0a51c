// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Waiting: deadlines, wakes, level and edge triggered, letting events gather, producers that do not wake. */
#include "ring_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/time.h>

static struct fixture f;

static void begin(void)
{
	f = fixture_load(0);
}

static void end(void)
{
	fixture_close(&f);
}

static int next_event(struct ebpfnet_ring *ring, int timeout_ms)
{
	struct ebpfnet_ring_event e = { .sz = sizeof(e) };

	return ebpfnet_ring_next(ring, timeout_ms, &e);
}

static struct ebpfnet_ring *ring_with(uint32_t trigger, uint32_t gather_us)
{
	EBPFNET_OPTS(ebpfnet_ring_opts, opts);
	opts.trigger = trigger;
	opts.gather_us = gather_us;
	return fixture_ring(&f, &opts);
}

static int count_up(void *data, const struct ebpfnet_ring_event *event)
{
	uint64_t *next = data;

	RING_NEEDS(fixture_check(event) == (*next)++);
	return 0;
}

static void deadline_is_kept(struct ebpfnet_ring *ring)
{
	int64_t began = fixture_now_ms();

	ck_assert_int_eq(next_event(ring, 100), -ETIMEDOUT);
	ck_assert_int_ge(fixture_now_ms() - began, 100);
	ck_assert_int_eq(ebpfnet_ring_wait(ring, 50), -ETIMEDOUT);
	ck_assert_int_ge(fixture_now_ms() - began, 150);
	ck_assert_int_lt(fixture_now_ms() - began, 5000);
	ck_assert_int_eq(next_event(ring, 0), -EAGAIN);
	ck_assert_int_eq(ebpfnet_ring_wait(ring, 0), -EAGAIN);
}

START_TEST(a_deadline_is_kept)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct ebpfnet_ring *ring = ring_with(i % 2, i / 2 * 1000);

		deadline_is_kept(ring);
		/* Also behind events, and while one is leased. */
		fixture_emit(&f, "ring_emit", 1);
		ck_assert_int_eq(next_event(ring, -1), 0);
		deadline_is_kept(ring);
		ck_assert_int_eq(ebpfnet_ring_commit(ring), 0);
		deadline_is_kept(ring);
		ebpfnet_ring_free(ring);
	}
}
END_TEST

/* Events that are discarded wake the consumer, again and again, and there is nothing for it. */
START_TEST(wakeups_do_not_move_the_deadline)
{
	struct ebpfnet_ring *ring = ring_with(EBPFNET_RING_EDGE, 0);
	struct producer p = { .f = &f,
			      .program = "ring_discard",
			      .total = 500,
			      .key = RING_TRIED,
			      .burst = 1,
			      .pause_us = 1000 };
	int64_t began = fixture_now_ms();

	producer_start(&p);
	ck_assert_int_eq(next_event(ring, 200), -ETIMEDOUT);
	ck_assert_int_ge(fixture_now_ms() - began, 200);
	producer_join(&p);
	ck_assert_uint_gt(fixture_stats(ring, 0).discarded, 0);
	ck_assert_uint_gt(fixture_stats(ring, 0).sleeps, 1);
	ebpfnet_ring_free(ring);
}
END_TEST

/* A producer that pauses lets the consumer catch up and sleep again and again. */
static void all_come(uint32_t trigger, uint32_t gather_us, uint32_t pause_us, bool dispatch)
{
	struct fixture own = fixture_load(0);
	struct producer p = { .f = &own,
			      .program = "ring_emit",
			      .total = pause_us ? 3000 : 50000,
			      .burst = pause_us ? 3 : 100,
			      .pause_us = pause_us };
	struct ebpfnet_ring *ring;
	struct ebpfnet_ring_stats s;
	uint64_t next = 0;

	EBPFNET_OPTS(ebpfnet_ring_opts, opts);
	opts.trigger = trigger;
	opts.gather_us = gather_us;
	ring = fixture_ring(&own, &opts);
	producer_start(&p);
	while (next < p.total) {
		struct ebpfnet_ring_event e = { .sz = sizeof(e) };

		if (dispatch) {
			RING_NEEDS(ebpfnet_ring_wait(ring, 20000) == 0);
			RING_NEEDS(ebpfnet_ring_dispatch(ring, count_up, &next, 64) >= 0);
		} else {
			RING_NEEDS(ebpfnet_ring_next(ring, 20000, &e) == 0);
			RING_NEEDS(fixture_check(&e) == next++);
			RING_NEEDS(ebpfnet_ring_commit(ring) == 0);
		}
	}
	producer_join(&p);
	ck_assert_int_eq(next_event(ring, 0), -EAGAIN);
	s = fixture_stats(ring, EBPFNET_RING_ALL);
	ck_assert_uint_eq(s.events, p.total);
	ck_assert_uint_eq(s.events + s.dropped, fixture_number(&own, RING_TRIED));
	printf("%s, gather %4u us, pause %3u us, %s: %llu events, %llu sleeps\n",
	       trigger ? "edge " : "level", gather_us, pause_us, dispatch ? "dispatch" : "next",
	       (unsigned long long)s.events, (unsigned long long)s.sleeps);
	ebpfnet_ring_free(ring);
	fixture_close(&own);
}

START_TEST(all_come_whatever_the_wait)
{
	static const uint32_t gather[] = { 0, 50, 2000 };

	for (uint32_t trigger = 0; trigger < 2; trigger++)
		for (size_t g = 0; g < 3; g++)
			for (int dispatch = 0; dispatch < 2; dispatch++) {
				all_come(trigger, gather[g], 0, dispatch);
				all_come(trigger, gather[g], 20, dispatch);
			}
}
END_TEST

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* An edge is sent by an interrupt of its own, a moment after the event. */
static bool becomes_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 5000) == 1;
}

START_TEST(the_fd_tells_while_there_are_events)
{
	for (uint32_t trigger = 0; trigger < 2; trigger++) {
		struct ebpfnet_ring *ring = ring_with(trigger, 0);
		int fd = ebpfnet_ring_fd(ring);
		uint64_t next = fixture_number(&f, RING_NEXT);

		ASSERT_OK(ebpfnet_ring_add(ring, fixture_map(&f, "others"), NULL, &f.err), f.err);
		ck_assert(!is_readable(fd));
		fixture_emit(&f, "ring_emit", 3);
		ck_assert(becomes_readable(fd));
		ck_assert_int_eq(ebpfnet_ring_dispatch(ring, count_up, &next, 2), 2);
		ck_assert(is_readable(fd));
		ck_assert_int_eq(ebpfnet_ring_dispatch(ring, count_up, &next, 2), 1);
		ck_assert(!is_readable(fd));
		/* The other map, the same fd. */
		fixture_emit(&f, "ring_emit_other", 1);
		ck_assert(becomes_readable(fd));
		ck_assert_int_eq(next_event(ring, 0), 0);
		ck_assert_int_eq(ebpfnet_ring_commit(ring), 0);
		ck_assert_int_eq(next_event(ring, 0), -EAGAIN);
		ck_assert(!is_readable(fd));
		ebpfnet_ring_wake(ring);
		ck_assert(is_readable(fd));
		ck_assert_int_eq(ebpfnet_ring_dispatch(ring, count_up, &next, 2), -EINTR);
		ck_assert(!is_readable(fd));
		ebpfnet_ring_free(ring);
	}
}
END_TEST

START_TEST(an_outer_epoll_by_edges)
{
	struct ebpfnet_ring *ring = ring_with(EBPFNET_RING_EDGE, 0);
	struct epoll_event watch = { .events = EPOLLIN | EPOLLET }, got;
	int outer = epoll_create1(EPOLL_CLOEXEC);
	struct producer p = {
		.f = &f, .program = "ring_emit", .total = 30000, .burst = 5, .pause_us = 1
	};
	uint64_t next = 0;

	ck_assert_int_eq(epoll_ctl(outer, EPOLL_CTL_ADD, ebpfnet_ring_fd(ring), &watch), 0);
	producer_start(&p);
	while (next < p.total) {
		int n;

		RING_NEEDS(epoll_wait(outer, &got, 1, 20000) == 1);
		do {
			n = ebpfnet_ring_dispatch(ring, count_up, &next, 32);
			RING_NEEDS(n >= 0);
		} while (n == 32);
	}
	producer_join(&p);
	close(outer);
	ebpfnet_ring_free(ring);
}
END_TEST

START_TEST(who_lets_events_gather_has_no_fd)
{
	struct ebpfnet_ring *ring = ring_with(0, 100);

	ck_assert_int_eq(ebpfnet_ring_fd(ring), -EINVAL);
	ebpfnet_ring_free(ring);
}
END_TEST

START_TEST(a_wake_is_told_once)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct ebpfnet_ring *ring = ring_with(i % 2, i / 2 * 1000);
		uint64_t next = fixture_number(&f, RING_NEXT);

		/* Before the wait; also where there are events; several are one. */
		ebpfnet_ring_wake(ring);
		ebpfnet_ring_wake(ring);
		ck_assert_int_eq(next_event(ring, -1), -EINTR);
		ck_assert_int_eq(next_event(ring, 0), -EAGAIN);
		fixture_emit(&f, "ring_emit", 1);
		ebpfnet_ring_wake(ring);
		ck_assert_int_eq(next_event(ring, -1), -EINTR);
		ebpfnet_ring_wake(ring);
		ck_assert_int_eq(ebpfnet_ring_wait(ring, -1), -EINTR);
		ebpfnet_ring_wake(ring);
		ck_assert_int_eq(ebpfnet_ring_dispatch(ring, count_up, &next, 9), -EINTR);
		ck_assert_int_eq(ebpfnet_ring_dispatch(ring, count_up, &next, 9), 1);
		ck_assert_int_eq(ebpfnet_ring_wait(ring, 20), -ETIMEDOUT);
		ebpfnet_ring_free(ring);
	}
}
END_TEST

static struct ebpfnet_ring *waker_ring;

static void *wake_from_thread(void *data)
{
	unsigned int n = *(unsigned int *)data;

	for (unsigned int i = 0; i < n; i++) {
		usleep(i * 7919 % 300);
		ebpfnet_ring_wake(waker_ring);
	}
	return NULL;
}

START_TEST(a_wake_from_another_thread)
{
	for (uint32_t i = 0; i < 4; i++) {
		unsigned int n = 1;
		pthread_t thread;

		waker_ring = ring_with(i % 2, i / 2 * 1000);
		/* One wake, one return, however the two meet. */
		for (int round = 0; round < 500; round++) {
			ck_assert_int_eq(pthread_create(&thread, NULL, wake_from_thread, &n), 0);
			ck_assert_int_eq(next_event(waker_ring, 20000), -EINTR);
			pthread_join(thread, NULL);
			ck_assert_int_eq(next_event(waker_ring, 0), -EAGAIN);
			ck_assert(i > 1 || !is_readable(ebpfnet_ring_fd(waker_ring)));
		}
		ebpfnet_ring_free(waker_ring);
	}
}
END_TEST

START_TEST(many_wakes_at_a_time_end)
{
	struct ebpfnet_ring *ring = waker_ring = ring_with(0, 0);
	unsigned int n = 2000;
	pthread_t a, b;
	int told = 0, ret;

	ck_assert_int_eq(pthread_create(&a, NULL, wake_from_thread, &n), 0);
	ck_assert_int_eq(pthread_create(&b, NULL, wake_from_thread, &n), 0);
	while ((ret = next_event(ring, 2000)) == -EINTR)
		told++;
	/* Silence at the end: no wake is left over, and the fd is quiet. */
	ck_assert_int_eq(ret, -ETIMEDOUT);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	ck_assert_int_gt(told, 100);
	ck_assert_int_le(told, 4000);
	ck_assert(!is_readable(ebpfnet_ring_fd(ring)));
	ck_assert_uint_lt(fixture_stats(ring, EBPFNET_RING_ALL).sleeps, 20000);
	ebpfnet_ring_free(ring);
}
END_TEST

static void on_alarm(int sig)
{
	(void)sig;
	errno = EDOM;
	ebpfnet_ring_wake(waker_ring);
	RING_NEEDS(errno == EDOM);
}

static void on_alarm_idle(int sig)
{
	(void)sig;
}

static void alarm_in(unsigned int us, void (*handler)(int))
{
	struct itimerval in = { .it_value.tv_usec = us };
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };

	ck_assert_int_eq(sigaction(SIGALRM, &sa, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &in, NULL), 0);
}

START_TEST(a_wake_from_a_signal_handler)
{
	for (uint32_t i = 0; i < 4; i++) {
		waker_ring = ring_with(i % 2, i / 2 * 1000);
		for (unsigned int us = 1; us < 200; us++) {
			alarm_in(us, on_alarm);
			ck_assert_int_eq(next_event(waker_ring, -1), -EINTR);
			/* A handler that ran while nobody slept, or twice. */
			while (next_event(waker_ring, 0) == -EINTR)
				;
		}
		/* A handler that does not wake ends the wait as well. */
		alarm_in(50000, on_alarm_idle);
		ck_assert_int_eq(next_event(waker_ring, -1), -EINTR);
		ck_assert_int_eq(next_event(waker_ring, 0), -EAGAIN);
		ebpfnet_ring_free(waker_ring);
	}
}
END_TEST

START_TEST(a_wake_ends_a_stream_that_never_ends)
{
	struct producer p = { .f = &f, .program = "ring_emit", .total = 100000 };
	uint64_t events = 0;
	int ret;

	waker_ring = ring_with(0, 0);
	producer_start(&p);
	alarm_in(2000, on_alarm);
	while ((ret = next_event(waker_ring, -1)) == 0) {
		events++;
		RING_NEEDS(ebpfnet_ring_commit(waker_ring) == 0);
	}
	ck_assert_int_eq(ret, -EINTR);
	ck_assert_uint_lt(events, p.total);
	/* Let the producer finish. */
	while (events < p.total) {
		events += next_event(waker_ring, 1) == 0;
		RING_NEEDS(ebpfnet_ring_commit(waker_ring) == 0);
	}
	producer_join(&p);
	ebpfnet_ring_free(waker_ring);
}
END_TEST

START_TEST(a_lease_does_not_stop_the_wait)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct ebpfnet_ring *ring = ring_with(i % 2, i / 2 * 1000);
		struct producer p = { .f = &f,
				      .program = "ring_emit",
				      .total = fixture_number(&f, RING_NEXT) + 20,
				      .burst = 1,
				      .pause_us = 3000 };

		/* All are leased, and nothing wakes a consumer that has not committed. */
		producer_start(&p);
		for (int n = 0; n < 20; n++)
			ck_assert_int_eq(next_event(ring, 20000), 0);
		producer_join(&p);
		ck_assert_int_eq(ebpfnet_ring_commit(ring), 0);
		ebpfnet_ring_free(ring);
	}
}
END_TEST

START_TEST(producers_that_choose_when_to_wake)
{
	struct ebpfnet_ring *ring = ring_with(EBPFNET_RING_EDGE, 0);
	uint64_t next = 0;

	/* Nobody is told, and the deadline finds it. */
	ck_assert_int_eq(ebpfnet_ring_wait(ring, 0), -EAGAIN);
	fixture_emit(&f, "ring_emit_quiet", 3);
	usleep(10000);
	ck_assert(!is_readable(ebpfnet_ring_fd(ring)));
	ck_assert_int_eq(ebpfnet_ring_wait(ring, 10), 0);
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, count_up, &next, 9), 3);
	/* Told when eight wait. */
	fixture_emit(&f, "ring_emit_bulk", 7);
	usleep(10000);
	ck_assert(!is_readable(ebpfnet_ring_fd(ring)));
	fixture_emit(&f, "ring_emit_bulk", 1);
	ck_assert(becomes_readable(ebpfnet_ring_fd(ring)));
	ck_assert_int_eq(ebpfnet_ring_dispatch(ring, count_up, &next, 9), 8);
	ebpfnet_ring_free(ring);
}
END_TEST

static struct ebpfnet_ring_stats stream(uint32_t gather_us)
{
	struct fixture own = fixture_load(1 << 20);
	struct producer p = { .f = &own, .program = "ring_emit", .total = 300000 };
	struct ebpfnet_ring *ring;
	struct ebpfnet_ring_stats s;
	uint64_t next = 0;

	EBPFNET_OPTS(ebpfnet_ring_opts, opts);
	opts.gather_us = gather_us;
	ring = fixture_ring(&own, &opts);
	producer_start(&p);
	while (next < p.total) {
		RING_NEEDS(ebpfnet_ring_wait(ring, 20000) == 0);
		RING_NEEDS(ebpfnet_ring_dispatch(ring, count_up, &next, 4096) >= 0);
	}
	producer_join(&p);
	s = fixture_stats(ring, EBPFNET_RING_ALL);
	ebpfnet_ring_free(ring);
	fixture_close(&own);
	return s;
}

START_TEST(gathering_sleeps_less_often)
{
	struct ebpfnet_ring_stats at_once = stream(0), gather = stream(1000);

	printf("300,000 events: %llu wake-ups asked for, %llu when they gather\n",
	       (unsigned long long)at_once.sleeps, (unsigned long long)gather.sleeps);
	ck_assert_uint_lt(gather.sleeps, 3000);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_deadline_is_kept,
		wakeups_do_not_move_the_deadline,
		all_come_whatever_the_wait,
		the_fd_tells_while_there_are_events,
		an_outer_epoll_by_edges,
		who_lets_events_gather_has_no_fd,
		a_wake_is_told_once,
		a_wake_from_another_thread,
		many_wakes_at_a_time_end,
		a_wake_from_a_signal_handler,
		a_wake_ends_a_stream_that_never_ends,
		a_lease_does_not_stop_the_wait,
		producers_that_choose_when_to_wake,
		gathering_sleeps_less_often,
	};

	test_need_root();
	return test_run(test_suite_around("ring_wait", tests, sizeof(tests) / sizeof(*tests), 120,
					  begin, end));
}
