// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Snapshots, the busiest keys and rates, over tables that the test fills itself through their pins. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

#include "counter_layout.h"
#include "helpers.h"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_counter *counter;
static struct ebpfnet_error *err;
static int table = -1;
static int cpus;

static void begin(void)
{
	ebpfnet_error_free(err);
	err = NULL;
	cpus = libbpf_num_possible_cpus();
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
}

static void end(void)
{
	if (table >= 0)
		close(table);
	table = -1;
	ebpfnet_counter_free(counter);
	counter = NULL;
	ebpfnet_ctx_unref(ctx);
	test_shell("rm -rf /sys/fs/bpf/ebpfnet-test-%d", getpid());
}

static void start(uint32_t max_entries)
{
	char dir[64], path[96];

	EBPFNET_OPTS(ebpfnet_counter_opts, o);
	o.key = EBPFNET_COUNTER_DESTINATION;
	o.max_entries = max_entries;
	ASSERT_OK(ebpfnet_counter_new(ctx, &o, &counter, &err), err);
	snprintf(dir, sizeof(dir), "/sys/fs/bpf/ebpfnet-test-%d/table", getpid());
	ASSERT_OK(ebpfnet_counter_pin(counter, dir, &err), err);
	snprintf(path, sizeof(path), "%s/address4", dir);
	table = bpf_obj_get(path);
	ck_assert_int_ge(table, 0);
}

/* Sets a key's figures, spread over the CPUs. */
static void put(uint32_t address, uint64_t packets, uint64_t bytes)
{
	struct counter_value v[512] = { 0 };

	v[0].packets = packets / 2;
	v[0].bytes = bytes;
	v[cpus - 1].packets += packets - packets / 2;
	ck_assert_int_eq(bpf_map_update_elem(table, &address, v, BPF_ANY), 0);
}

static struct ebpfnet_counter_snapshot *snapshot(void)
{
	struct ebpfnet_counter_snapshot *s;

	ASSERT_OK(ebpfnet_counter_snapshot_new(counter, &s, &err), err);
	return s;
}

static struct ebpfnet_counter_snapshot *top(uint32_t count, uint32_t by)
{
	struct ebpfnet_counter_snapshot *s;

	EBPFNET_OPTS(ebpfnet_counter_top_opts, o);
	o.count = count;
	o.by = by;
	ASSERT_OK(ebpfnet_counter_top(counter, &o, &s, &err), err);
	return s;
}

static struct ebpfnet_counter_entry entry(const struct ebpfnet_counter_snapshot *s, size_t i)
{
	struct ebpfnet_counter_entry e = { .sz = sizeof(e) };

	ck_assert_int_eq(ebpfnet_counter_snapshot_entry(s, i, &e), 0);
	return e;
}

/* 7919 is prime to 3,000: every figure from 1 to 3,000 once, in another order for bytes. */
START_TEST(test_top)
{
	static const uint32_t counts[] = { 1, 2, 10, 257, 2999, 3000, 5000 };
	struct ebpfnet_counter_snapshot *s;

	start(8192);
	for (uint32_t i = 0; i < 3000; i++)
		put(i, i * 7919 % 3000 + 1, 3000 - i);
	for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
		size_t n = counts[c] < 3000 ? counts[c] : 3000;

		for (uint32_t by = 0; by <= EBPFNET_COUNTER_BY_BYTES; by++) {
			s = top(counts[c], by);
			ck_assert_uint_eq(ebpfnet_counter_snapshot_count(s), n);
			for (size_t i = 0; i < n; i++) {
				struct ebpfnet_counter_entry e = entry(s, i);
				uint32_t address;

				memcpy(&address, e.destination, 4);
				ck_assert_uint_eq(by ? e.bytes : e.packets, 3000 - i);
				ck_assert_uint_eq(e.packets, address * 7919 % 3000 + 1);
				ck_assert_uint_eq(e.bytes, 3000 - address);
			}
			ebpfnet_counter_snapshot_free(s);
		}
	}
	ASSERT_OK(ebpfnet_counter_top(counter, NULL, &s, &err), err);
	ck_assert_uint_eq(ebpfnet_counter_snapshot_count(s), 10);
	ebpfnet_counter_snapshot_free(s);
	EBPFNET_OPTS(ebpfnet_counter_top_opts, o);
	o.by = 2;
	ASSERT_FAILS(ebpfnet_counter_top(counter, &o, &s, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "by 2");
	ck_assert_ptr_null(s);
}
END_TEST

static struct ebpfnet_counter_rate rate_of(const struct ebpfnet_counter_rates *r, uint32_t address)
{
	struct ebpfnet_counter_rate e = { .sz = sizeof(e) };

	for (size_t i = 0; ebpfnet_counter_rates_entry(r, i, &e) == 0; i++)
		if (memcmp(e.destination, &address, 4) == 0)
			return e;
	ck_abort_msg("no rate for %u", address);
}

static bool near_to(double got, double want)
{
	return fabs(got - want) <= want * 1e-9;
}

START_TEST(test_rates)
{
	struct ebpfnet_counter_snapshot *before, *after, *few;
	struct ebpfnet_counter_rates *r;
	struct ebpfnet_counter_rate e;
	uint32_t gone = 3;
	double seconds;

	start(1024);
	put(1, 100, 10000);
	put(2, 50, 5000);
	put(gone, 70, 7000);
	put(4, 900, 90000);
	before = snapshot();
	usleep(50000);
	put(1, 350, 40000);					/* goes on */
	put(2, 20, 2000);					/* was evicted and came back */
	ck_assert_int_eq(bpf_map_delete_elem(table, &gone), 0); /* was evicted */
	put(5, 600, 60000);					/* came */
	after = snapshot();
	seconds = (double)(ebpfnet_counter_snapshot_time(after) -
			   ebpfnet_counter_snapshot_time(before)) /
		  1e9;
	ck_assert(seconds >= 0.05 && seconds < 5);
	ASSERT_OK(ebpfnet_counter_rates_new(before, after, &r, &err), err);
	ck_assert_uint_eq(ebpfnet_counter_rates_count(r), 5);
	e = rate_of(r, 1);
	ck_assert_uint_eq(e.change, EBPFNET_COUNTER_SAME);
	ck_assert_uint_eq(e.packets, 250);
	ck_assert_uint_eq(e.bytes, 30000);
	ck_assert(near_to(e.packets_per_s, 250 / seconds));
	ck_assert(near_to(e.bytes_per_s, 30000 / seconds));
	ck_assert(near_to(e.segments_per_s, 250 / seconds));
	e = rate_of(r, 2);
	ck_assert_uint_eq(e.change, EBPFNET_COUNTER_RESTARTED);
	ck_assert_uint_eq(e.packets, 20);
	e = rate_of(r, gone);
	ck_assert_uint_eq(e.change, EBPFNET_COUNTER_GONE);
	ck_assert_uint_eq(e.packets, 0);
	e = rate_of(r, 4);
	ck_assert_uint_eq(e.change, EBPFNET_COUNTER_SAME);
	ck_assert_uint_eq(e.packets, 0);
	e = rate_of(r, 5);
	ck_assert_uint_eq(e.change, EBPFNET_COUNTER_NEW);
	ck_assert_uint_eq(e.packets, 600);
	e.sz = sizeof(e);
	ck_assert_int_eq(ebpfnet_counter_rates_entry(r, 0, &e), 0);
	ck_assert_uint_eq(e.packets, 600); /* the busiest in between, not ever */
	ck_assert_int_eq(ebpfnet_counter_rates_entry(r, 5, &e), -ENOENT);
	ebpfnet_counter_rates_free(r);

	/* Of the busiest only: no word on the others. */
	few = top(2, EBPFNET_COUNTER_BY_PACKETS);
	ASSERT_OK(ebpfnet_counter_rates_new(before, few, &r, &err), err);
	ck_assert_uint_eq(ebpfnet_counter_rates_count(r), 2);
	ck_assert_uint_eq(rate_of(r, 5).packets, 600);
	ck_assert_uint_eq(rate_of(r, 4).packets, 0);
	ebpfnet_counter_rates_free(r);
	ASSERT_FAILS(ebpfnet_counter_rates_new(few, after, &r, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "busiest keys only");
	ASSERT_FAILS(ebpfnet_counter_rates_new(after, before, &r, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "not later");
	ebpfnet_counter_snapshot_free(few);
	ebpfnet_counter_snapshot_free(before);

	/* A reset in between: even a key with more than before began anew. */
	ASSERT_OK(ebpfnet_counter_reset(counter, &err), err);
	put(1, 1000, 1000000);
	before = after;
	after = snapshot();
	ASSERT_OK(ebpfnet_counter_rates_new(before, after, &r, &err), err);
	e = rate_of(r, 1);
	ck_assert_uint_eq(e.change, EBPFNET_COUNTER_RESTARTED);
	ck_assert_uint_eq(e.packets, 1000);
	ck_assert_uint_eq(rate_of(r, 4).change, EBPFNET_COUNTER_GONE);
	ebpfnet_counter_rates_free(r);
	ebpfnet_counter_rates_free(NULL);
	ebpfnet_counter_snapshot_free(before);
	ebpfnet_counter_snapshot_free(after);
}
END_TEST

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* others work here too */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* CPU seconds for n keys: a full snapshot, the ten busiest, rates. */
static double measure(uint32_t n)
{
	struct ebpfnet_counter_snapshot *s, *later, *few;
	struct ebpfnet_counter_rates *r;
	double t[5];

	start(n + n / 4);
	for (uint32_t i = 0; i < n; i++)
		put(i, i % 1000 + 1, i);
	t[0] = now();
	s = snapshot();
	t[1] = now();
	few = top(10, EBPFNET_COUNTER_BY_PACKETS);
	t[2] = now();
	later = snapshot();
	t[3] = now();
	ASSERT_OK(ebpfnet_counter_rates_new(s, later, &r, &err), err);
	t[4] = now();
	printf("%u keys: snapshot %.3f s, top 10 %.3f s, rates %.3f s\n", n, t[1] - t[0],
	       t[2] - t[1], t[4] - t[3]);
	ck_assert_uint_eq(ebpfnet_counter_snapshot_count(s), n);
	ck_assert_uint_eq(ebpfnet_counter_rates_count(r), n);
	ebpfnet_counter_rates_free(r);
	ebpfnet_counter_snapshot_free(few);
	ebpfnet_counter_snapshot_free(later);
	ebpfnet_counter_snapshot_free(s);
	return t[1] - t[0];
}

/* EBPFNET_TEST_KEYS says for how many; four times the keys may take eight times as long. */
START_TEST(test_large)
{
	const char *keys = getenv("EBPFNET_TEST_KEYS");
	uint32_t n = keys ? (uint32_t)atoi(keys) : 100000;
	double few = measure(n / 4), many;

	end();
	begin();
	many = measure(n);
	ck_assert_msg(many < few * 8 + 0.2, "%.3f s and %.3f s", few, many);
}
END_TEST

START_TEST(test_bad_options)
{
	struct ebpfnet_counter *other;
	struct ebpfnet_program *prog;

	EBPFNET_OPTS(ebpfnet_counter_opts, o);
	o.key = EBPFNET_COUNTER_SOURCE_PREFIX;
	o.prefix4 = 33;
	ASSERT_FAILS(ebpfnet_counter_new(ctx, &o, &other, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "33");
	o.prefix4 = 0;
	o.prefix6 = 129;
	ASSERT_FAILS(ebpfnet_counter_new(ctx, &o, &other, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "129");
	o.key = EBPFNET_COUNTER_SOURCE;
	o.prefix6 = 64;
	ASSERT_FAILS(ebpfnet_counter_new(ctx, &o, &other, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "SOURCE_PREFIX");
	o.prefix6 = 0;
	o.flags = 1u << 31;
	ASSERT_FAILS(ebpfnet_counter_new(ctx, &o, &other, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "flags 0x80000000");
	o.flags = 0;
	o.reserved = 1;
	ASSERT_FAILS(ebpfnet_counter_new(ctx, &o, &other, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "reserved");
	o.reserved = 0;
	ASSERT_OK(ebpfnet_counter_new(ctx, &o, &counter, &err), err);
	ASSERT_FAILS(ebpfnet_counter_program(counter, 0, &prog, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "hook 0");
	ck_assert_ptr_null(prog);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_top, test_rates, test_bad_options, test_large };

	test_need_root();
	test_need_bpffs();
	return test_run(test_suite_around("counter_snapshot", tests, sizeof(tests) / sizeof(*tests),
					  200, begin, end));
}
