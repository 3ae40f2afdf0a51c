// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What the counter costs a packet, against what one writes by hand: peers/counter_*.bpf.c. */
#include "fixture.h"

/* One table for all of them: another key is another row. */
static const struct row {
	struct bench_line line;
	uint32_t key; /* enum ebpfnet_counter_key */
	enum cost_family family;
	uint32_t flows;
	const char *peer, *program;
} rows[] = {
	{ { "counter.total.v4", "ns", BENCH_RATIO_AT_MOST, 1.0, NULL },
	  EBPFNET_COUNTER_TOTAL,
	  COST_IP4,
	  1024,
	  "counter_total",
	  "total_xdp" },
	{ { "counter.total.v6", "ns", BENCH_RATIO_AT_MOST, 1.0, NULL },
	  EBPFNET_COUNTER_TOTAL,
	  COST_IP6,
	  1024,
	  "counter_total",
	  "total_xdp" },
	{ { "counter.source.1k.v4", "ns", BENCH_RATIO_AT_MOST, 1.0, NULL },
	  EBPFNET_COUNTER_SOURCE,
	  COST_IP4,
	  1024,
	  "counter_source",
	  "source_xdp" },
	{ { "counter.source.1k.v6", "ns", BENCH_RATIO_AT_MOST, 1.0, NULL },
	  EBPFNET_COUNTER_SOURCE,
	  COST_IP6,
	  1024,
	  "counter_source",
	  "source_xdp" },
	{ { "counter.source.1m.v4", "ns", BENCH_RATIO_AT_MOST, 1.0, NULL },
	  EBPFNET_COUNTER_SOURCE,
	  COST_IP4,
	  1 << 20,
	  "counter_source",
	  "source_xdp" },
	{ { "counter.source.1m.v6", "ns", BENCH_RATIO_AT_MOST, 1.0, NULL },
	  EBPFNET_COUNTER_SOURCE,
	  COST_IP6,
	  1 << 20,
	  "counter_source",
	  "source_xdp" },
};

/* Room for twice the sources on both sides: a table that evicts would measure eviction. */
static int ours_fd(const struct row *row, struct ebpfnet_counter **counter)
{
	struct ebpfnet_program *prog;

	EBPFNET_OPTS(ebpfnet_counter_opts, opts);
	opts.key = row->key;
	opts.max_entries = row->flows * 2;
	ASSERT_OK(ebpfnet_counter_new(bench_ctx, &opts, counter, &bench_err), bench_err);
	ASSERT_OK(ebpfnet_counter_program(*counter, EBPFNET_HOOK_XDP, &prog, &bench_err),
		  bench_err);
	return ebpfnet_program_fd(prog);
}

static int peer_fd(const struct row *row)
{
	static const char *const maps[] = { "source4", "source6", NULL };
	bool keyed = row->key != EBPFNET_COUNTER_TOTAL;

	return bench_object_fd(
		bench_object(row->peer, keyed ? maps : NULL, keyed ? row->flows * 2 : 0),
		row->program);
}

static void assert_counted(struct ebpfnet_counter *counter, const struct row *row, uint64_t runs)
{
	struct ebpfnet_counter_stats stats = { .sz = sizeof(stats) };

	ASSERT_OK(ebpfnet_counter_stats(counter, &stats, &bench_err), bench_err);
	ck_assert_uint_eq(stats.packets, runs);
	ck_assert_uint_eq(stats.other_packets, 0);
	if (row->key == EBPFNET_COUNTER_SOURCE) {
		ck_assert_uint_eq(stats.entries, row->flows);
		ck_assert_uint_eq(stats.evicted_packets, 0);
	}
}

/* One load of both sides. A figure of a program that did not count is worth nothing. */
static void measure_once(const struct row *row, size_t rounds, bool ours_first,
			 struct cost_program *programs)
{
	const struct cost_run run = {
		.family = row->family, .flows = row->flows, .rounds = rounds, .packets = 1000
	};
	struct ebpfnet_counter *counter;

	if (!ours_first)
		programs[1].fd = peer_fd(row);
	programs[0].fd = ours_fd(row, &counter);
	if (ours_first)
		programs[1].fd = peer_fd(row);
	programs[0].empty_fd = programs[1].empty_fd = bench_fd("xdp_empty");
	ck_assert_int_eq(cost_measure(&run, programs, 2), 0);
	assert_counted(counter, row, row->flows + run.rounds * run.packets);
	ebpfnet_counter_free(counter);
}

static void measure(const struct row *row)
{
	static struct cost_program programs[2];
	size_t loads = row->flows > 1024 ? 2 : 8;

	programs[0].ns.n = programs[1].ns.n = 0;
	for (size_t i = 0; i < loads; i++) {
		measure_once(row, 160 / loads, i % 2, programs);
		/* The tables of a million sources go before the next ones come. */
		bench_close();
		bench_open();
	}
	bench_report(&row->line, &programs[0].ns, &programs[1].ns, NULL);
}

START_TEST(test_cost)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bench_calibrate();
		measure(&rows[i]);
	}
}
END_TEST

BENCH_MAIN("counter", test_cost)
