/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_BENCH_COST_H
#define EBPFNET_TESTS_BENCH_COST_H

/*
 * What a program costs: BPF_PROG_TEST_RUN one packet at a time over many flows, the kernel's own
 * run_time_ns / run_cnt (BPF_STATS_RUN_TIME), less an empty program of the same type that ran in
 * the same round.
 *
 * repeat above 1 would run a program on the packet as the run before left it, and one packet again
 * and again measures a hot cache.
 */

#include "harness.h"

enum cost_family {
	COST_IP4 = 4,
	COST_IP6 = 6,
};

struct cost_program {
	const char *name;
	int fd;
	int empty_fd;		 /* of the same type */
	enum cost_family family; /* 0: that of the run */
	struct bench_samples ns; /* out, added to: of one run, less that of the empty program */
};

struct cost_run {
	enum cost_family family;
	uint32_t flows; /* source addresses, taken at random */
	uint32_t
		warmup; /* runs of each program before the first round; cost_all: every flow once */
	size_t rounds;
	uint32_t packets; /* of each program in a round */
};

#define COST_PROGRAMS 8

/* Packet i of a run: TCP, 64 bytes of frame or the header's own size; returns its length. */
uint32_t cost_packet(uint8_t *out, size_t size, enum cost_family family, uint32_t flow);

/*
 * Runs every flow through every program once, then the rounds. 0, or -errno.
 *
 * Where the kernel happens to put a program and its maps is worth a nanosecond or two, and stays the
 * same while they are loaded; the one that is loaded second is up to 10 % dearer or cheaper, always
 * alike. So load anew and measure again, ours first and the peer first in turn.
 */
int cost_measure(const struct cost_run *run, struct cost_program *programs, size_t n);

#endif /* EBPFNET_TESTS_BENCH_COST_H */
