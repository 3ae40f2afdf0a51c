/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_BENCH_FIXTURE_H
#define EBPFNET_TESTS_BENCH_FIXTURE_H

/*
 * What each benchmark program has: a context, objects by name, and bench.bpf.o loaded with its
 * tables filled. A failure is a failed check of the test that it happens in.
 */

#include "cost.h"
#include "helpers.h"

#define BENCH_FLOWS 1024 /* that the tables of bench.bpf.o hold */

extern struct ebpfnet_ctx *bench_ctx;
extern struct ebpfnet_error *bench_err;

/* For TEST_MAIN's begin and end. */
void bench_open(void);
void bench_close(void);

/* A program of bench.bpf.o, and its fd. */
struct ebpfnet_program *bench_program(const char *name);
int bench_fd(const char *name);

/* Opens NAME.bpf.o and sets a map's entries (NULL: as they are), loads it; closed at the end. */
struct ebpfnet_object *bench_object(const char *name, const char *const *maps, uint32_t entries);
int bench_object_fd(struct ebpfnet_object *obj, const char *program);

/* bench.bpf.o once more, its tables filled. */
struct ebpfnet_object *bench_tables(void);

/* Measures the calibration program and sets it for the lines that follow; its samples, ns. */
const struct bench_samples *bench_calibrate(void);

/* BENCH_MAIN: a benchmark program of one room. */
#define BENCH_MAIN(room, ...)                                                                      \
	int main(void)                                                                             \
	{                                                                                          \
		const TTest *const tests[] = { __VA_ARGS__ };                                      \
                                                                                                   \
		bench_begin(room);                                                                 \
		test_need_root();                                                                  \
		return test_run(test_suite_around("bench " room, tests,                            \
						  sizeof(tests) / sizeof(*tests), 600, bench_open, \
						  bench_close));                                   \
	}

#endif /* EBPFNET_TESTS_BENCH_FIXTURE_H */
