/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_KERNEL_RING_FIXTURE_H
#define EBPFNET_TESTS_KERNEL_RING_FIXTURE_H

/* ring.bpf.c loaded, its programs run, and its counts. */

#include "helpers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ring_event.h"

/* For threads and loops of millions: Check writes to a file for every assertion, of one thread. */
#define RING_NEEDS(what)                                                                           \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                  \
			fflush(NULL);                                                              \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct fixture {
	struct ebpfnet_ctx *ctx;
	struct ebpfnet_object *obj;
	struct ebpfnet_error *err;
};

static inline struct fixture fixture_load(uint32_t bytes)
{
	struct fixture f = { 0 };

	ASSERT_OK(ebpfnet_ctx_new(NULL, &f.ctx, &f.err), f.err);
	ASSERT_OK(ebpfnet_object_open_file(f.ctx, test_object("ring"), NULL, &f.obj, &f.err),
		  f.err);
	if (bytes)
		ASSERT_OK(ebpfnet_object_set_map_entries(f.obj, "events", bytes, &f.err), f.err);
	ASSERT_OK(ebpfnet_object_load(f.obj, &f.err), f.err);
	return f;
}

static inline void fixture_close(struct fixture *f)
{
	ebpfnet_object_close(f->obj);
	ebpfnet_ctx_unref(f->ctx);
}

static inline struct ebpfnet_map *fixture_map(struct fixture *f, const char *name)
{
	struct ebpfnet_map *map;

	ASSERT_OK(ebpfnet_object_map(f->obj, name, &map, &f->err), f->err);
	return map;
}

static inline struct ebpfnet_ring *fixture_ring(struct fixture *f,
						const struct ebpfnet_ring_opts *opts)
{
	struct ebpfnet_ring *ring;

	ASSERT_OK(ebpfnet_ring_new(fixture_map(f, "events"), opts, &ring, &f->err), f->err);
	return ring;
}

static inline uint64_t fixture_number(struct fixture *f, uint32_t key)
{
	uint64_t n = 0;

	ck_assert_int_eq(ebpfnet_map_get(fixture_map(f, "numbers"), &key, &n), 0);
	return n;
}

/* Runs a producer so many times; returns what it said in the end. */
static inline uint32_t fixture_emit_word(struct fixture *f, const char *program, uint32_t times,
					 uint16_t word)
{
	uint8_t packet[64] = { (uint8_t)word, (uint8_t)(word >> 8) };
	struct ebpfnet_program *prog;

	EBPFNET_OPTS(ebpfnet_program_run, run);
	run.data_in = packet;
	run.data_in_size = sizeof(packet);
	run.repeat = times;
	ASSERT_OK(ebpfnet_object_program(f->obj, program, &prog, &f->err), f->err);
	ASSERT_OK(ebpfnet_program_run(prog, &run, &f->err), f->err);
	return run.retval;
}

static inline uint32_t fixture_emit(struct fixture *f, const char *program, uint32_t times)
{
	return fixture_emit_word(f, program, times, 0);
}

static inline struct ebpfnet_ring_stats fixture_stats(const struct ebpfnet_ring *ring,
						      uint32_t which)
{
	struct ebpfnet_ring_stats s = { .sz = sizeof(s) };
	struct ebpfnet_error *err = NULL;

	ASSERT_OK(ebpfnet_ring_stats(ring, which, &s, &err), err);
	return s;
}

static inline int64_t fixture_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline void fixture_sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

/* A ring_event that is whole; returns its number. */
static inline uint64_t fixture_check(const struct ebpfnet_ring_event *event)
{
	const struct ring_event *e = event->data;

	RING_NEEDS(event->len == sizeof(*e));
	RING_NEEDS(e->check == ~e->number);
	return e->number;
}

/* A thread that emits until a number of events found room. */
struct producer {
	struct fixture *f;
	const char *program;
	uint64_t total;
	uint32_t pause_us; /* between runs */
	uint32_t burst;	   /* program runs between two looks at the total; 0: 1,000 */
	uint32_t key;	   /* whose number is compared with the total */
	pthread_t thread;
};

static inline void *producer_run(void *data)
{
	struct producer *p = data;
	uint8_t packet[64] = { 0 };
	struct ebpfnet_program *prog;
	struct ebpfnet_map *numbers;
	uint64_t n = 0;
	sigset_t all;

	/* A signal would end the run of a program. */
	sigfillset(&all);
	RING_NEEDS(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
	RING_NEEDS(ebpfnet_object_program(p->f->obj, p->program, &prog, NULL) == 0);
	RING_NEEDS(ebpfnet_object_map(p->f->obj, "numbers", &numbers, NULL) == 0);
	while (n < p->total) {
		uint64_t left = p->total - n, burst = p->burst ? p->burst : 1000;

		EBPFNET_OPTS(ebpfnet_program_run, run);
		run.data_in = packet;
		run.data_in_size = sizeof(packet);
		run.repeat = (uint32_t)(left < burst ? left : burst);
		RING_NEEDS(ebpfnet_program_run(prog, &run, NULL) == 0);
		RING_NEEDS(ebpfnet_map_get(numbers, &p->key, &n) == 0);
		if (p->pause_us)
			usleep(p->pause_us);
	}
	return NULL;
}

static inline void producer_start(struct producer *p)
{
	ck_assert_int_eq(pthread_create(&p->thread, NULL, producer_run, p), 0);
}

static inline void producer_join(struct producer *p)
{
	pthread_join(p->thread, NULL);
}

#endif /* EBPFNET_TESTS_KERNEL_RING_FIXTURE_H */
