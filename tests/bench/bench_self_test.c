// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The harness measured by itself: a program against itself is 1.00, one hash lookup more is above
 * it; a wrong count at the receiver reports nothing; what had no peer is ref. As a benchmark it is
 * stricter and its figures are lines of their own.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "live.h"

static bool full; /* as a benchmark, undisturbed by sanitizers */

static const struct bench_line same = { "harness.same", "ns", BENCH_RATIO_AT_MOST, 1.05, NULL };
static const struct bench_line more = { "harness.lookup_more", "ns", BENCH_RATIO_AT_LEAST, 1.01,
					NULL };
static const struct bench_line less = { "harness.lookup_less", "ns", BENCH_RATIO_AT_MOST, 0.99,
					NULL };

/* Each side's program is loaded by itself, as a peer is. */
static double measure(const char *ours, const char *peer, const struct bench_line *line)
{
	static struct cost_program programs[2];
	const struct cost_run run = { .family = COST_IP4,
				      .flows = BENCH_FLOWS,
				      .rounds = full ? 31 : 15,
				      .packets = full ? 1024 : 512 };
	const size_t loads = 8;

	programs[0].ns.n = programs[1].ns.n = 0;
	for (size_t i = 0; i < loads; i++) {
		/* The one that is loaded first has the better memory or the worse. */
		struct ebpfnet_object *first = bench_tables(), *second = bench_tables();

		programs[0].fd = bench_object_fd(i % 2 ? second : first, ours);
		programs[1].fd = bench_object_fd(i % 2 ? first : second, peer);
		programs[0].empty_fd = programs[1].empty_fd = bench_fd("xdp_empty");
		ck_assert_int_eq(cost_measure(&run, programs, 2), 0);
		bench_close();
		bench_open();
	}
	ck_assert_uint_eq(programs[0].ns.n, run.rounds * loads);
	bench_report(line, &programs[0].ns, &programs[1].ns, NULL);
	return bench_ratio(&programs[0].ns, &programs[1].ns);
}

/*
 * Others use the same two CPUs, and then a round measures them: within three tries the harness must
 * see what is so.
 */
static void assert_between(const char *ours, const char *peer, const struct bench_line *line,
			   double low, double high)
{
	double ratio = 0;

	for (int i = 0; i < 3; i++) {
		ratio = measure(ours, peer, line);
		if (ratio >= low && ratio <= high)
			return;
	}
	ck_abort_msg("%s: %.2f is not between %.2f and %.2f", line->name, ratio, low, high);
}

START_TEST(test_same_is_one)
{
	assert_between("xdp_lookup", "xdp_lookup", &same, 0.95, 1.05);
}
END_TEST

START_TEST(test_one_lookup_more)
{
	assert_between("xdp_lookup_more", "xdp_lookup", &more, 1.05, 9);
	assert_between("xdp_lookup", "xdp_lookup_more", &less, 0.1, 0.95);
}
END_TEST

/* Each program did what its name says, so that a figure is not that of an early return. */
START_TEST(test_programs_reach_their_end)
{
	static const struct {
		const char *name;
		uint32_t verdict;
	} rows[] = {
		{ "xdp_empty", XDP_PASS },	 { "xdp_lookup", XDP_PASS },
		{ "xdp_lookup_more", XDP_PASS }, { "drop_empty", XDP_DROP },
		{ "drop_lookup", XDP_DROP },	 { "drop_logic", XDP_DROP },
		{ "live_send", XDP_TX },
	};
	uint8_t data[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .repeat = 1);

		opts.data_size_in = cost_packet(data, sizeof(data), COST_IP4, 0x0a);
		ck_assert_int_eq(bpf_prog_test_run_opts(bench_fd(rows[i].name), &opts), 0);
		ck_assert_msg(opts.retval == rows[i].verdict, "%s: %u", rows[i].name, opts.retval);
	}
}
END_TEST

static int attach(const struct live *live, const char *program, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int link;

	test_net_enter(live->net.far_fd);
	link = bpf_link_create(bench_fd(program), live->net.far_if, BPF_XDP, &opts);
	test_net_enter(-1);
	ck_assert_int_ge(link, 0);
	return link;
}

/* Anything else that is said on the wire makes a count wrong, rightly: then once more. */
static void assert_good(struct live *live)
{
	struct live_result r = { 0 };
	int ret = -1;

	for (int i = 0; ret && i < 5; i++)
		ret = live_run(live, 20000, &r);
	ck_assert_msg(ret == 0, "%d: sent %lu received %lu dropped %lu", ret, r.sent, r.received,
		      r.dropped);
	ck_assert_uint_eq(r.received + r.dropped, 20000);
	ck_assert_uint_gt(r.received, 10000);
	ck_assert(r.mpps > 0.01);
}

START_TEST(test_wrong_receiver_count)
{
	static const struct bench_line line = { "harness.live", "Mpps", BENCH_NONE, 0, NULL };
	struct bench_samples none = { 0, { 0 } };
	struct live_result r;
	struct live live;
	int link;

	live_open(&live, bench_fd("live_send"));
	link = attach(&live, "drop_empty", XDP_FLAGS_DRV_MODE);
	assert_good(&live);
	/* Planted: one frame of them all is missing. */
	live.lost = 1;
	ck_assert_int_eq(live_run(&live, 20000, &r), -ENODATA);
	ck_assert_int_eq(bench_report(&line, &none, NULL, "planted"), BENCH_REF);
	live.lost = 0;
	assert_good(&live);
	close(link);
	/* Real: a receiver in generic mode sees none of them, while the sender reports them all. */
	link = attach(&live, "drop_empty", XDP_FLAGS_SKB_MODE);
	ck_assert_int_eq(live_run(&live, 20000, &r), -ENODATA);
	ck_assert_uint_eq(r.received, 0);
	close(link);
	live_close(&live);
}
END_TEST

static struct bench_samples of(double value)
{
	struct bench_samples s = { 3, { value * 0.9, value, value * 7 } };

	return s;
}

START_TEST(test_lines)
{
	const struct bench_line cost = { "a.cost", "ns", BENCH_RATIO_AT_MOST, 1.0, NULL };
	const struct bench_line rate = { "a.rate", "Mpps", BENCH_RATIO_AT_LEAST, 1.1, NULL };
	const struct bench_line value = { "a.value", "ns", BENCH_VALUE_AT_MOST, 12, NULL };
	const struct bench_line none = { "a.none", "Mpps", BENCH_NONE, 0, "24" };
	const struct bench_samples ten = of(10), eleven = of(11), twelve = of(12.004);
	const struct bench_samples thirteen = of(13);
	const struct bench_samples *peer = &ten;
	char text[256];

	bench_format(text, sizeof(text), &cost, &eleven, peer);
	ck_assert_str_eq(text, "a.cost\t11.00\t10.00\tns\t1.10\t<= 1.00\tshort");
	bench_format(text, sizeof(text), &cost, peer, &eleven);
	ck_assert_str_eq(text, "a.cost\t10.00\t11.00\tns\t0.91\t<= 1.00\tok");
	bench_format(text, sizeof(text), &rate, &eleven, peer);
	ck_assert_str_eq(text, "a.rate\t11.00\t10.00\tMpps\t1.10\t>= 1.10\tok");
	bench_format(text, sizeof(text), &rate, peer, peer);
	ck_assert_str_eq(text, "a.rate\t10.00\t10.00\tMpps\t1.00\t>= 1.10\tshort");
	/* What is printed as 12.00 is 12. */
	bench_format(text, sizeof(text), &value, &twelve, peer);
	ck_assert_str_eq(text, "a.value\t12.00\t10.00\tns\t1.20\t<= 12 ns\tok");
	bench_format(text, sizeof(text), &value, &thirteen, peer);
	ck_assert_str_eq(text, "a.value\t13.00\t10.00\tns\t1.30\t<= 12 ns\tshort");
	bench_format(text, sizeof(text), &none, &ten, NULL);
	ck_assert_str_eq(text, "a.none\t10.00\t-\tMpps\t-\tquoted 24\tref");
	/* Without a peer nothing is ok, whatever its target. */
	bench_format(text, sizeof(text), &cost, &ten, NULL);
	ck_assert_str_eq(text, "a.cost\t10.00\t-\tns\t-\t<= 1.00\tref");
	ck_assert_int_eq(bench_judge(&value, &ten, NULL), BENCH_REF);
	/* A peer that costs nothing was not measured. */
	{
		const struct bench_samples zero = of(0);

		ck_assert_int_eq(bench_judge(&cost, &ten, &zero), BENCH_REF);
	}
}
END_TEST

START_TEST(test_quantiles)
{
	struct bench_samples s = { 0, { 0 } };

	ck_assert(bench_quantile(&s, 0.5) != bench_quantile(&s, 0.5));
	for (int i = 4; i >= 0; i--)
		bench_add(&s, i * 10);
	ck_assert(bench_quantile(&s, 0.5) == 20 && bench_quantile(&s, 0.25) == 10 &&
		  bench_quantile(&s, 0.75) == 30);
	bench_add(&s, 50);
	ck_assert(bench_quantile(&s, 0.5) == 25);
	for (int i = 0; i < 2 * BENCH_ROUNDS; i++)
		bench_add(&s, 1);
	ck_assert_uint_eq(s.n, BENCH_ROUNDS);
}
END_TEST

/* Figures of this build: refused, or a release. */
static int begin_bench(void *data)
{
	(void)data;
	bench_begin("nothing");
	return 0;
}

START_TEST(test_release_only)
{
	unsetenv("EBPFNET_BENCH_OUT");
	ck_assert_int_eq(test_in_child(begin_bench, NULL), bench_refusal() ? 2 : 0);
}
END_TEST

int main(int argc, char **argv)
{
	const TTest *const tests[] = {
		test_lines,
		test_quantiles,
		test_release_only,
		test_programs_reach_their_end,
		test_same_is_one,
		test_one_lookup_more,
		test_wrong_receiver_count,
	};

	full = argc == 2 && !strcmp(argv[1], "--bench");
	if (full)
		bench_begin("harness");
	test_need_root();
	bench_settle();
	return test_run(test_suite_around("bench harness", tests, sizeof(tests) / sizeof(*tests),
					  120, bench_open, bench_close));
}
