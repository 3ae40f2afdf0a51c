// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The parser alone, down to layer 4, its result on the stack; and what the verifier walks for it. */
#include <string.h>

#include "fixture.h"

static const struct row {
	struct bench_line line;
	const char *program, *empty;
	enum cost_family family;
} rows[] = {
	{ { "parse.xdp.v4", "ns", BENCH_VALUE_AT_MOST, 12, NULL },
	  "parse_xdp",
	  "xdp_empty",
	  COST_IP4 },
	{ { "parse.xdp.v6", "ns", BENCH_VALUE_AT_MOST, 12, NULL },
	  "parse_xdp",
	  "xdp_empty",
	  COST_IP6 },
	{ { "parse.tc.v4", "ns", BENCH_VALUE_AT_MOST, 18, NULL },
	  "parse_tc",
	  "tc_empty",
	  COST_IP4 },
	{ { "parse.tc.v6", "ns", BENCH_VALUE_AT_MOST, 18, NULL },
	  "parse_tc",
	  "tc_empty",
	  COST_IP6 },
};

/* In turn with the calibration program, which is what an absolute figure is given against. */
static void measure(const struct row *row, struct ebpfnet_object *parser)
{
	static struct cost_program programs[2];
	const struct cost_run run = {
		.family = row->family, .flows = BENCH_FLOWS, .rounds = 101, .packets = 1024
	};

	programs[0].fd = bench_object_fd(parser, row->program);
	programs[0].empty_fd = bench_fd(row->empty);
	programs[1].fd = bench_fd("xdp_lookup");
	programs[1].empty_fd = bench_fd("xdp_empty");
	programs[1].family = COST_IP4;
	programs[0].ns.n = programs[1].ns.n = 0;
	ck_assert_int_eq(cost_measure(&run, programs, 2), 0);
	bench_report(&row->line, &programs[0].ns, &programs[1].ns, NULL);
}

START_TEST(test_cost)
{
	struct ebpfnet_object *parser = bench_object("parser", NULL, 0);

	bench_calibrate();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		measure(&rows[i], parser);
}
END_TEST

START_TEST(test_walked)
{
	static struct ebpfnet_program_report reports[32];
	size_t n = sizeof(reports) / sizeof(*reports);
	struct ebpfnet_object *obj;
	int found = 0;

	ASSERT_OK(
		ebpfnet_object_open_file(bench_ctx, test_object("parser"), NULL, &obj, &bench_err),
		bench_err);
	for (size_t i = 0; i < n; i++)
		reports[i].sz = sizeof(*reports);
	ASSERT_OK(ebpfnet_object_check(obj, reports, sizeof(*reports), &n, &bench_err), bench_err);
	for (size_t i = 0; i < n; i++) {
		static const struct bench_line lines[] = {
			{ "parse.walked.xdp", "insns", BENCH_NONE, 0, NULL },
			{ "parse.walked.tc", "insns", BENCH_NONE, 0, NULL },
		};
		struct bench_samples walked = { 1, { reports[i].verified_insns } };

		if (!strncmp(reports[i].name, "parse_", 6)) {
			bench_report(&lines[!strcmp(reports[i].name, "parse_tc")], &walked, NULL,
				     NULL);
			found++;
		}
	}
	ck_assert_int_eq(found, 2);
	ebpfnet_object_close(obj);
}
END_TEST

BENCH_MAIN("parse", test_cost, test_walked)
