// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Ten million numbered events by edges alone, each seen once, while the consumer is killed and
 * another one takes over. EBPFNET_RING_EVENTS sets another number.
 */
#include "ring_fixture.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define EVENTS 10000000u
#define EVENTS_QUICK 200000u
#define BUDGET 256
#define KILLS 12

/* What parent and consumers share. */
struct shared {
	uint64_t committed; /* everything below was given back */
	uint64_t wanted;
	uint64_t sleeps;
	uint8_t seen[]; /* how often, by number */
};

static struct fixture f;
static struct shared *shared;

static uint64_t events_wanted(void)
{
	const char *text = getenv("EBPFNET_RING_EVENTS");

	if (text)
		return strtoull(text, NULL, 10);
	return test_quick() ? EVENTS_QUICK : EVENTS;
}

static int see(void *data, const struct ebpfnet_ring_event *event)
{
	uint64_t *last = data;

	*last = fixture_check(event);
	RING_NEEDS(*last < shared->wanted);
	shared->seen[*last]++;
	return 0;
}

/*
 * One consumer's life. It sleeps in poll() on an edge that is the only one, so that a lost wake-up
 * would be a timeout.
 */
static void consume(uint32_t gather_us)
{
	uint64_t wanted = shared->wanted, last = 0;
	struct ebpfnet_ring *ring;
	int n;

	EBPFNET_OPTS(ebpfnet_ring_opts, opts);
	opts.trigger = EBPFNET_RING_EDGE;
	opts.gather_us = gather_us;
	RING_NEEDS(ebpfnet_ring_new(fixture_map(&f, "events"), &opts, &ring, NULL) == 0);
	while (last + 1 < wanted && shared->committed < wanted) {
		RING_NEEDS(ebpfnet_ring_wait(ring, 60000) == 0);
		do {
			n = ebpfnet_ring_dispatch(ring, see, &last, BUDGET);
			RING_NEEDS(n >= 0);
			/* With gather_us the newest one is held back. */
			if (n)
				__atomic_store_n(&shared->committed, last + !gather_us,
						 __ATOMIC_SEQ_CST);
		} while (n == BUDGET);
	}
	shared->sleeps += fixture_stats(ring, EBPFNET_RING_ALL).sleeps;
	ebpfnet_ring_free(ring);
	/* That gave back what was held back too: the next one has nothing to wait for. */
	__atomic_store_n(&shared->committed, wanted, __ATOMIC_SEQ_CST);
}

static pid_t start_consumer(uint32_t gather_us)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		consume(gather_us);
		_exit(0);
	}
	return pid;
}

static uint64_t committed(void)
{
	return __atomic_load_n(&shared->committed, __ATOMIC_SEQ_CST);
}

/*
 * Kills the consumer when it has come so far. Seen twice afterwards can be only what was dispatched
 * and not given back, at most a batch. The mark is stored a moment after the position is, so what
 * is behind the mark may be given back as well, but nothing before it may come again.
 */
static void kill_at(pid_t pid, uint64_t number, uint64_t *marks, int i)
{
	int status;

	while (committed() < number)
		usleep(200);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	/* On a slow machine it may have come to the end meanwhile. */
	ck_assert(WIFSIGNALED(status) || (status == 0 && committed() == shared->wanted));
	marks[i] = committed();
}

static bool after_a_kill(uint64_t number, const uint64_t *marks)
{
	for (int i = 0; i < KILLS; i++)
		if (number >= marks[i] && number < marks[i] + BUDGET + 1)
			return true;
	return false;
}

static void each_is_seen_once(uint32_t gather_us, uint64_t wanted)
{
	struct producer p = { .f = &f, .program = "ring_emit", .total = wanted, .burst = 700 };
	uint64_t marks[KILLS], twice = 0;
	size_t size = sizeof(*shared) + wanted;
	struct ebpfnet_ring *ring;
	int status;
	pid_t pid;

	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	shared->wanted = wanted;
	f = fixture_load(1 << 19);
	pid = start_consumer(gather_us);
	producer_start(&p);
	for (int i = 0; i < KILLS; i++) {
		kill_at(pid, wanted / (KILLS + 1) * (uint64_t)(i + 1), marks, i);
		pid = start_consumer(gather_us);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	producer_join(&p);
	for (uint64_t i = 0; i < wanted; i++) {
		twice += shared->seen[i] == 2;
		if (shared->seen[i] != 1 && !(shared->seen[i] == 2 && after_a_kill(i, marks)))
			ck_abort_msg("event %llu was seen %u times", (unsigned long long)i,
				     shared->seen[i]);
	}
	/* The kernel agrees that there is nothing left. */
	ring = fixture_ring(&f, NULL);
	ck_assert_int_eq(ebpfnet_ring_wait(ring, 0), -EAGAIN);
	printf("gather %u us: %llu events, %d consumers killed, %llu events seen twice, "
	       "%llu tried, %llu sleeps of the last one\n",
	       gather_us, (unsigned long long)wanted, KILLS, (unsigned long long)twice,
	       (unsigned long long)fixture_number(&f, RING_TRIED),
	       (unsigned long long)shared->sleeps);
	ck_assert_uint_eq(fixture_number(&f, RING_TRIED),
			  wanted + fixture_stats(ring, EBPFNET_RING_ALL).dropped);
	ebpfnet_ring_free(ring);
	fixture_close(&f);
	munmap(shared, size);
}

START_TEST(ten_million_events_by_edges_are_each_seen_once)
{
	each_is_seen_once(0, events_wanted());
}
END_TEST

START_TEST(and_where_they_gather)
{
	each_is_seen_once(1000, events_wanted() / 5);
}
END_TEST

/* Every event finds a consumer that has just caught up: the place where a wake-up can be lost. */
START_TEST(a_consumer_that_always_catches_up_misses_no_edge)
{
	struct producer p = { .program = "ring_emit",
			      .total = test_quick() ? 5000 : 100000,
			      .burst = 1 };
	struct ebpfnet_ring *ring;
	uint64_t next = 0;

	EBPFNET_OPTS(ebpfnet_ring_opts, opts);
	opts.trigger = EBPFNET_RING_EDGE;
	f = fixture_load(1 << 16);
	p.f = &f;
	ring = fixture_ring(&f, &opts);
	producer_start(&p);
	while (next < p.total) {
		struct ebpfnet_ring_event e = { .sz = sizeof(e) };

		RING_NEEDS(ebpfnet_ring_next(ring, 30000, &e) == 0);
		RING_NEEDS(fixture_check(&e) == next++);
		RING_NEEDS(ebpfnet_ring_commit(ring) == 0);
	}
	producer_join(&p);
	ebpfnet_ring_free(ring);
	fixture_close(&f);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		ten_million_events_by_edges_are_each_seen_once,
		and_where_they_gather,
		a_consumer_that_always_catches_up_misses_no_edge,
	};

	test_need_root();
	return test_run(test_suite("ring_edge", tests, sizeof(tests) / sizeof(*tests), 280));
}
