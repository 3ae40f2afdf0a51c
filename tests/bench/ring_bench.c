// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The ring's consumer against each of libbpf's, the same callback for all: end to end with a
 * producer on another CPU, draining a full ring, and keeping up with a slow producer.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "fixture.h"

/* Since libbpf 1.5; NULL where it is older. */
extern int ring_buffer__consume_n(struct ring_buffer *rb, size_t n) __attribute__((weak));

enum kind {
	OURS_GATHER, /* wait and dispatch; the wait lets events gather, as doc/ring.md advises */
	OURS_PLAIN,  /* wait and dispatch */
	OURS_SPIN,   /* dispatch only */
	LIBBPF_POLL,
	LIBBPF_CONSUME,
	LIBBPF_CONSUME_N,
	KINDS,
};

static const char *const kind_names[] = { "ours, gathering",
					  "ours",
					  "ours, spinning",
					  "libbpf poll",
					  "libbpf consume (spinning)",
					  "libbpf consume_n (spinning)" };

#define GATHER_US 200
#define AT_ONCE 4096 /* of dispatch and consume_n */

static struct ebpfnet_object *obj;
static struct ebpfnet_map *events;

static void begin(void)
{
	bench_open();
	obj = bench_object("ring", NULL, 0);
	ASSERT_OK(ebpfnet_object_map(obj, "events", &events, &bench_err), bench_err);
}

/* The variable of ring.bpf.c. */
struct globals {
	uint64_t number, dropped, flags;
	uint32_t pace, padding;
};

static struct globals globals_now(const struct globals *set)
{
	struct ebpfnet_map *bss;
	struct globals g = { 0 };
	uint32_t zero = 0;

	ASSERT_OK(ebpfnet_object_map(obj, "ring.bpf.bss", &bss, &bench_err), bench_err);
	if (set)
		ck_assert_int_eq(ebpfnet_map_put(bss, &zero, set, EBPFNET_MAP_ANY), 0);
	ck_assert_int_eq(ebpfnet_map_get(bss, &zero, &g), 0);
	return g;
}

/* ---- Consumers. ---- */

struct consumer {
	enum kind kind;
	struct ebpfnet_ring *ours;
	struct ring_buffer *theirs;
	uint64_t taken, next, wrong;
};

/* The callback's work: is it the number that comes next? */
static inline void take(struct consumer *c, const void *event)
{
	uint64_t n;

	memcpy(&n, event, sizeof(n));
	c->wrong += n != c->next;
	c->next = n + 1;
	c->taken++;
}

static int take_ours(void *data, const struct ebpfnet_ring_event *event)
{
	take(data, event->data);
	return 0;
}

static int take_theirs(void *data, void *event, size_t len)
{
	(void)len;
	take(data, event);
	return 0;
}

static void consumer_open(struct consumer *c, enum kind kind)
{
	EBPFNET_OPTS(ebpfnet_ring_opts, opts);
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->next = globals_now(NULL).number;
	opts.gather_us = kind == OURS_GATHER ? GATHER_US : 0;
	if (kind < LIBBPF_POLL) {
		ASSERT_OK(ebpfnet_ring_new(events, &opts, &c->ours, &bench_err), bench_err);
	} else {
		c->theirs = ring_buffer__new(ebpfnet_map_fd(events), take_theirs, c, NULL);
		ck_assert_ptr_nonnull(c->theirs);
	}
}

static void consumer_close(struct consumer *c)
{
	ebpfnet_ring_free(c->ours);
	ring_buffer__free(c->theirs);
}

/* One turn of the consumer's loop; it waits for up to a millisecond if its kind waits. */
static void consumer_turn(struct consumer *c)
{
	int ret = 0;

	switch (c->kind) {
	case OURS_GATHER:
	case OURS_PLAIN:
		ret = ebpfnet_ring_wait(c->ours, 1);
		ck_assert_msg(ret == 0 || ret == -ETIMEDOUT, "wait: %d", ret);
		__attribute__((fallthrough));
	case OURS_SPIN:
		ret = ebpfnet_ring_dispatch(c->ours, take_ours, c, AT_ONCE);
		break;
	case LIBBPF_POLL:
		ret = ring_buffer__poll(c->theirs, 1);
		break;
	case LIBBPF_CONSUME:
		ret = ring_buffer__consume(c->theirs);
		break;
	case LIBBPF_CONSUME_N:
		ret = ring_buffer__consume_n(c->theirs, AT_ONCE);
		break;
	case KINDS:
		break;
	}
	ck_assert_msg(ret >= 0, "%s: %d", kind_names[c->kind], ret);
}

/* ---- The producer, on the other CPU. ---- */

struct producer {
	pthread_t thread;
	int fd;
	uint32_t runs;
	atomic_bool go, done;
};

static int produce(int fd, uint32_t runs)
{
	uint8_t frame[128];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .repeat = (int)runs);

	opts.data_size_in = cost_packet(frame, sizeof(frame), COST_IP4, 0);
	return bpf_prog_test_run_opts(fd, &opts);
}

static void *producer_main(void *data)
{
	struct producer *p = data;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	while (!atomic_load(&p->go))
		sched_yield();
	produce(p->fd, p->runs);
	atomic_store(&p->done, true);
	return NULL;
}

/* ---- Lines. ---- */

struct result {
	struct bench_samples rate; /* millions of events a second, end to end */
	struct bench_samples cpu;  /* ns of the consumer's thread an event */
	double lost;		   /* part of the events that found no room, the worst round */
};

static struct result results[KINDS];

/* From the first event that is produced to the last that is taken. */
static void run(enum kind kind, const char *program, uint32_t runs)
{
	struct globals before = globals_now(NULL), after;
	struct producer p = { .fd = bench_object_fd(obj, program), .runs = runs };
	uint64_t t0, t1, cpu, seen = 0;
	struct consumer c;

	consumer_open(&c, kind);
	ck_assert_int_eq(pthread_create(&p.thread, NULL, producer_main, &p), 0);
	cpu = bench_cpu();
	t0 = t1 = bench_now();
	atomic_store(&p.go, true);
	for (bool last = false; !last || c.taken != seen;) {
		last = atomic_load(&p.done);
		seen = c.taken;
		consumer_turn(&c);
		if (c.taken != seen)
			t1 = bench_now();
	}
	cpu = bench_cpu() - cpu;
	pthread_join(p.thread, NULL);
	consumer_close(&c);
	after = globals_now(NULL);
	/* Every event that was produced was taken, once and in order. */
	ck_assert_uint_eq(c.taken, after.number - before.number);
	ck_assert_uint_eq(c.wrong, 0);
	bench_add(&results[kind].rate, (double)c.taken * 1000 / (double)(t1 - t0));
	bench_add(&results[kind].cpu, (double)cpu / (double)c.taken);
	{
		double lost = (double)(after.dropped - before.dropped);

		lost /= (double)c.taken + lost;
		if (lost > results[kind].lost)
			results[kind].lost = lost;
	}
}

static void run_all(const char *program, uint32_t runs, int rounds)
{
	memset(results, 0, sizeof(results));
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < KINDS; i++) {
			enum kind kind = (enum kind)(round % 2 ? KINDS - 1 - i : i);

			if (kind != LIBBPF_CONSUME_N || ring_buffer__consume_n)
				run(kind, program, runs);
		}
	}
}

static void print_all(const char *line)
{
	for (int i = 0; i < KINDS; i++) {
		const struct result *r = &results[i];

		if (r->rate.n)
			printf("# %s: %s: %.2f Mevents/s (%.2f %.2f), %.1f ns of CPU an event, "
			       "at most %.1f %% lost\n",
			       line, kind_names[i], bench_quantile(&r->rate, 0.5),
			       bench_quantile(&r->rate, 0.25), bench_quantile(&r->rate, 0.75),
			       bench_quantile(&r->cpu, 0.5), r->lost * 100);
		else
			printf("# %s: %s: this libbpf has none\n", line, kind_names[i]);
	}
}

/* The one of libbpf's that is fastest in this run. */
static const struct result *best_of_libbpf(void)
{
	const struct result *best = &results[LIBBPF_POLL];

	for (int i = LIBBPF_POLL; i < KINDS; i++) {
		if (results[i].rate.n &&
		    bench_quantile(&results[i].rate, 0.5) > bench_quantile(&best->rate, 0.5))
			best = &results[i];
	}
	return best;
}

START_TEST(test_end_to_end)
{
	static const struct {
		const char *program;
		struct bench_line rate, cpu, plain, plain_cpu;
	} rows[] = {
		{ "produce16",
		  { "ring.e2e.16", "Mevents/s", BENCH_RATIO_AT_LEAST, 1.0, NULL },
		  { "ring.e2e.16.cpu", "ns/event", BENCH_RATIO_AT_MOST, 0.9, NULL },
		  { "ring.e2e.16.no_gather", "Mevents/s", BENCH_RATIO_AT_LEAST, 1.0, NULL },
		  { "ring.e2e.16.no_gather.cpu", "ns/event", BENCH_RATIO_AT_MOST, 0.9, NULL } },
		{ "produce64",
		  { "ring.e2e.64", "Mevents/s", BENCH_RATIO_AT_LEAST, 1.1, NULL },
		  { "ring.e2e.64.cpu", "ns/event", BENCH_RATIO_AT_MOST, 0.9, NULL },
		  { "ring.e2e.64.no_gather", "Mevents/s", BENCH_RATIO_AT_LEAST, 1.1, NULL },
		  { "ring.e2e.64.no_gather.cpu", "ns/event", BENCH_RATIO_AT_MOST, 0.9, NULL } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct result *peer;

		run_all(rows[i].program, 4000, 41);
		peer = best_of_libbpf();
		bench_report(&rows[i].rate, &results[OURS_GATHER].rate, &peer->rate, NULL);
		bench_report(&rows[i].cpu, &results[OURS_GATHER].cpu, &peer->cpu, NULL);
		bench_report(&rows[i].plain, &results[OURS_PLAIN].rate, &peer->rate, NULL);
		bench_report(&rows[i].plain_cpu, &results[OURS_PLAIN].cpu, &peer->cpu, NULL);
		print_all(rows[i].rate.name);
	}
}
END_TEST

/* About two microseconds between events: a consumer that does not sleep is always there first. */
START_TEST(test_caught_up)
{
	static const struct bench_line rate = { "ring.caught_up", "Mevents/s", BENCH_RATIO_AT_LEAST,
						1.0, NULL };
	static const struct bench_line cpu = { "ring.caught_up.cpu", "ns/event",
					       BENCH_RATIO_AT_MOST, 0.9, NULL };
	static const struct bench_line spin = { "ring.caught_up.spinning", "Mevents/s",
						BENCH_RATIO_AT_LEAST, 1.0, NULL };
	struct globals g = globals_now(NULL);
	const struct result *peer;

	g.pace = 16;
	globals_now(&g);
	run_all("produce_paced", 6000, 41);
	peer = best_of_libbpf();
	bench_report(&rate, &results[OURS_GATHER].rate, &results[OURS_SPIN].rate, NULL);
	bench_report(&cpu, &results[OURS_GATHER].cpu, &results[OURS_SPIN].cpu, NULL);
	bench_report(&spin, &results[OURS_SPIN].rate, &peer->rate, NULL);
	print_all(rate.name);
	g = globals_now(NULL);
	g.pace = 0;
	globals_now(&g);
}
END_TEST

/* Filled to the last byte before the clock starts: nothing but the consumer is measured. */
static void drain(enum kind kind, struct bench_samples *rate)
{
	struct consumer c;
	uint64_t t0, t1;

	consumer_open(&c, kind);
	ck_assert_int_eq(produce(bench_object_fd(obj, "produce16"), 6000), 0);
	t0 = bench_now();
	for (uint64_t seen = 1; seen != c.taken;) {
		seen = c.taken;
		consumer_turn(&c);
	}
	t1 = bench_now();
	consumer_close(&c);
	ck_assert_uint_eq(c.wrong, 0);
	ck_assert_uint_gt(c.taken, 170000);
	bench_add(rate, (double)c.taken * 1000 / (double)(t1 - t0));
}

START_TEST(test_drain)
{
	static const struct bench_line line = { "ring.drain", "Mevents/s", BENCH_RATIO_AT_LEAST,
						1.0, NULL };
	struct globals g = globals_now(NULL);
	static struct bench_samples ours, peer;

	g.flags = BPF_RB_NO_WAKEUP;
	globals_now(&g);
	for (int round = 0; round < 61; round++) {
		if (round % 2)
			drain(OURS_SPIN, &ours);
		drain(LIBBPF_CONSUME, &peer);
		if (round % 2 == 0)
			drain(OURS_SPIN, &ours);
	}
	bench_report(&line, &ours, &peer, NULL);
	g = globals_now(NULL);
	g.flags = 0;
	globals_now(&g);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_drain, test_end_to_end, test_caught_up };

	bench_begin("ring");
	test_need_root();
	return test_run(test_suite_around("bench ring", tests, sizeof(tests) / sizeof(*tests), 600,
					  begin, bench_close));
}
