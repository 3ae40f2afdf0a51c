/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_BENCH_HARNESS_H
#define EBPFNET_TESTS_BENCH_HARNESS_H

/*
 * What every benchmark shares: samples of many short rounds, lines with a target, and where they
 * go. doc/BENCH.md says how to read a line.
 *
 * A benchmark is a table of struct bench_line and a function that fills samples for each. Ours and
 * the peer run in turn within a round, so that what disturbs the machine disturbs both.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_ROUNDS 1024 /* at most */

struct bench_samples {
	size_t n;
	double value[BENCH_ROUNDS];
};

void bench_add(struct bench_samples *s, double value);

/* The value below which so many parts of all samples are: 0.5 is the median. NAN for none. */
double bench_quantile(const struct bench_samples *s, double part);

/* How ours is judged. */
enum bench_judge {
	BENCH_NONE = 0,	      /* a figure to know, no target: never ok */
	BENCH_RATIO_AT_MOST,  /* a cost against the peer's */
	BENCH_RATIO_AT_LEAST, /* a rate against the peer's */
	BENCH_VALUE_AT_MOST,  /* ours alone, given as a ratio to the calibration program */
};

struct bench_line {
	const char *name; /* starts with its room or block: "counter.total" */
	const char *unit;
	enum bench_judge judge;
	double limit;
	const char *quoted; /* what others quote for it; NULL: nothing */
};

enum bench_status {
	BENCH_OK,
	BENCH_SHORT,
	BENCH_REF, /* no peer ran in this run: never ok */
};

/* ours / peer as the line prints it: of the medians, to two decimals. NAN without a peer. */
double bench_ratio(const struct bench_samples *ours, const struct bench_samples *peer);

/* peer NULL or empty: no peer ran. */
enum bench_status bench_judge(const struct bench_line *line, const struct bench_samples *ours,
			      const struct bench_samples *peer);

/*
 * Writes a line: name, ours, peer, unit, ratio, target, status, between tabs; behind it one that
 * starts with '#' and has the spread; both as one row of EBPFNET_BENCH_OUT/ROOM.csv. A line whose
 * samples of ours are none is not written: "# NAME reports nothing: ...". why may be NULL.
 */
enum bench_status bench_report(const struct bench_line *line, const struct bench_samples *ours,
			       const struct bench_samples *peer, const char *why);

/* The text of such a line without its newline; size is 256 or more. */
void bench_format(char *out, size_t size, const struct bench_line *line,
		  const struct bench_samples *ours, const struct bench_samples *peer);

/* What one run of the calibration program cost in this run, ns; rows of nanoseconds carry it. */
void bench_set_calibration(double ns);

/* Ends the program with status 2 and the reason unless it is a release build; starts ROOM.csv. */
void bench_begin(const char *room);

/* NULL if this is a release build, else why it is not. */
const char *bench_refusal(void);

/* One CPU for the whole program, and before others: half of the noise is migration. */
void bench_settle(void);

uint64_t bench_now(void); /* ns, of the wall */
uint64_t bench_cpu(void); /* ns, that this thread used */

#endif /* EBPFNET_TESTS_BENCH_HARNESS_H */
