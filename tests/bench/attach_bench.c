// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What attaching costs against libbpf's own calls, whether it grows with the number of interfaces,
 * and what live frames a program of this library takes. The peers are loaded and attached by
 * libbpf alone.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "live.h"

static struct bpf_object *peers;
static struct ebpfnet_object *parser;
static struct live live;

static struct bpf_program *peer_program(const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(peers, name);

	ck_assert_ptr_nonnull(prog);
	return prog;
}

static void begin(void)
{
	bench_open();
	live_open(&live, bench_fd("live_send"));
	parser = bench_object("parser", NULL, 0);
	peers = bpf_object__open_file(test_object("xdp_drop"), NULL);
	ck_assert_ptr_nonnull(peers);
	ck_assert_int_eq(bpf_object__load(peers), 0);
}

static void end(void)
{
	bpf_object__close(peers);
	live_close(&live);
	bench_close();
}

/* ---- Attach and detach. ---- */

enum way {
	WAY_XDP,
	WAY_XDP_NETLINK,
	WAY_TCX,
	WAY_CLSACT,
};

static struct ebpfnet_link *attach_ours(enum way way, struct ebpfnet_program *prog, int ifindex)
{
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_xdp_opts, xdp);
	EBPFNET_OPTS(ebpfnet_tc_opts, tc);
	switch (way) {
	case WAY_XDP:
	case WAY_XDP_NETLINK:
		xdp.via = way == WAY_XDP ? EBPFNET_VIA_LINK : EBPFNET_VIA_NETLINK;
		ASSERT_OK(ebpfnet_xdp_attach(prog, ifindex, &xdp, &link, &bench_err), bench_err);
		break;
	case WAY_TCX:
	case WAY_CLSACT:
		tc.via = way == WAY_TCX ? EBPFNET_VIA_TCX : EBPFNET_VIA_CLSACT;
		ASSERT_OK(ebpfnet_tc_attach(prog, ifindex, EBPFNET_INGRESS, &tc, &link, &bench_err),
			  bench_err);
		break;
	}
	return link;
}

static struct bpf_link *attach_peer(enum way way, int ifindex)
{
	struct bpf_link *link;

	if (way == WAY_XDP)
		link = bpf_program__attach_xdp(peer_program("drop_xdp"), ifindex);
	else
		link = bpf_program__attach_tcx(peer_program("next_tcx"), ifindex, NULL);
	ck_assert_ptr_nonnull(link);
	return link;
}

/*
 * An attach or detach waits for the kernel (RCU), in steps of its tick. So a round is several of
 * them, and beside the time on the wall there is what the calling thread computed, where nothing
 * hides behind that wait.
 */
#define CYCLES 4

struct cycle {
	struct bench_samples wall, cpu; /* us: of one attach and one detach */
	struct bench_samples attach;	/* us of CPU: of the attach alone */
	double sum_wall, sum_cpu, sum_attach;
	int n;
};

struct clock {
	uint64_t wall, cpu;
};

static struct clock look(void)
{
	return (struct clock) { bench_now(), bench_cpu() };
}

static void add_cycle(struct cycle *c, struct clock t0, struct clock t1, struct clock t2)
{
	c->sum_wall += (double)(t2.wall - t0.wall) / 1000;
	c->sum_cpu += (double)(t2.cpu - t0.cpu) / 1000;
	c->sum_attach += (double)(t1.cpu - t0.cpu) / 1000;
	if (++c->n < CYCLES)
		return;
	bench_add(&c->wall, c->sum_wall / CYCLES);
	bench_add(&c->cpu, c->sum_cpu / CYCLES);
	bench_add(&c->attach, c->sum_attach / CYCLES);
	c->sum_wall = c->sum_cpu = c->sum_attach = 0;
	c->n = 0;
}

static void cycle_ours(struct cycle *c, enum way way, struct ebpfnet_program *prog, int ifindex)
{
	struct clock t0 = look(), t1;
	struct ebpfnet_link *link;

	link = attach_ours(way, prog, ifindex);
	t1 = look();
	ebpfnet_link_close(link);
	add_cycle(c, t0, t1, look());
}

static void cycle_peer(struct cycle *c, enum way way, int ifindex)
{
	struct clock t0 = look(), t1;
	struct bpf_link *link;

	link = attach_peer(way, ifindex);
	t1 = look();
	ck_assert_int_eq(bpf_link__destroy(link), 0);
	add_cycle(c, t0, t1, look());
}

static void compare_cycles(enum way way, const char *program, const struct bench_line *lines)
{
	struct ebpfnet_program *prog = bench_program(program);
	static struct cycle ours, peer;

	memset(&ours, 0, sizeof(ours));
	memset(&peer, 0, sizeof(peer));
	test_net_enter(live.net.far_fd);
	for (int i = 0; i < 30 * CYCLES; i++) {
		if (i % 2)
			cycle_ours(&ours, way, prog, live.net.far_if);
		cycle_peer(&peer, way, live.net.far_if);
		if (i % 2 == 0)
			cycle_ours(&ours, way, prog, live.net.far_if);
	}
	test_net_enter(-1);
	bench_report(&lines[0], &ours.wall, &peer.wall, NULL);
	bench_report(&lines[1], &ours.cpu, &peer.cpu, NULL);
}

START_TEST(test_cycle_xdp)
{
	static const struct bench_line lines[] = {
		{ "attach.xdp", "us", BENCH_RATIO_AT_MOST, 1.05, NULL },
		{ "attach.xdp.cpu", "us", BENCH_RATIO_AT_MOST, 1.05, NULL },
	};

	compare_cycles(WAY_XDP, "drop_empty", lines);
}
END_TEST

START_TEST(test_cycle_tcx)
{
	static const struct bench_line lines[] = {
		{ "attach.tcx", "us", BENCH_RATIO_AT_MOST, 1.05, NULL },
		{ "attach.tcx.cpu", "us", BENCH_RATIO_AT_MOST, 1.05, NULL },
	};

	compare_cycles(WAY_TCX, "tc_empty", lines);
}
END_TEST

/* ---- 500 interfaces against 2. ---- */

/* The near namespace gets 500 more interfaces, the far one keeps lo and its end of the pair. */
static void add_interfaces(void)
{
	char out[32];

	ck_assert_int_eq(test_shell("for i in $(seq 500); do echo link add d$i type ifb; done | "
				    "ip -n %s -batch -",
				    live.net.near),
			 0);
	test_shell_output(out, sizeof(out), "ip -n %s -o link | wc -l", live.net.near);
	ck_assert_int_ge(atoi(out), 502);
	test_shell_output(out, sizeof(out), "ip -n %s -o link | wc -l", live.net.far);
	ck_assert_int_eq(atoi(out), 2);
}

/* Ours among few is the peer of ours among many: what the attach computes. */
START_TEST(test_many_interfaces)
{
	static const struct row {
		struct bench_line line;
		enum way way;
		const char *program;
	} rows[] = {
		{ { "attach.xdp.500_interfaces", "us", BENCH_RATIO_AT_MOST, 1.5, NULL },
		  WAY_XDP,
		  "drop_empty" },
		{ { "attach.xdp_netlink.500_interfaces", "us", BENCH_RATIO_AT_MOST, 1.5, NULL },
		  WAY_XDP_NETLINK,
		  "drop_empty" },
		{ { "attach.tcx.500_interfaces", "us", BENCH_RATIO_AT_MOST, 1.5, NULL },
		  WAY_TCX,
		  "tc_empty" },
		{ { "attach.clsact.500_interfaces", "us", BENCH_RATIO_AT_MOST, 1.5, NULL },
		  WAY_CLSACT,
		  "tc_empty" },
	};
	static struct cycle many, few;

	add_interfaces();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ebpfnet_program *prog = bench_program(rows[i].program);

		memset(&many, 0, sizeof(many));
		memset(&few, 0, sizeof(few));
		for (int round = 0; round < 16 * CYCLES; round++) {
			bool first = round % 2;

			test_net_enter(first ? live.net.near_fd : live.net.far_fd);
			cycle_ours(first ? &many : &few, rows[i].way, prog,
				   first ? live.net.near_if : live.net.far_if);
			test_net_enter(first ? live.net.far_fd : live.net.near_fd);
			cycle_ours(first ? &few : &many, rows[i].way, prog,
				   first ? live.net.far_if : live.net.near_if);
		}
		test_net_enter(-1);
		bench_report(&rows[i].line, &many.attach, &few.attach, NULL);
	}
}
END_TEST

/* ---- Live frames. ---- */

#define FRAMES 300000
#define LIVE_ROUNDS 31

struct contender {
	const char *program; /* NULL: the peer's, by libbpf */
	struct bench_samples mpps;
	struct live_result wrong; /* the last round that was not accounted for */
	unsigned int bad;	  /* how many */
};

static void run_attached(struct contender *c)
{
	struct live_result r;

	if (live_run(&live, FRAMES, &r) == 0) {
		bench_add(&c->mpps, r.mpps);
		return;
	}
	c->wrong = r;
	c->bad++;
}

static struct ebpfnet_program *live_program(const char *name)
{
	struct ebpfnet_program *prog;

	if (strcmp(name, "drop_parsed") != 0)
		return bench_program(name);
	ASSERT_OK(ebpfnet_object_program(parser, name, &prog, &bench_err), bench_err);
	return prog;
}

/* Each is attached anew in every round, by its own side's calls, to the same interface. */
static void run_contender(struct contender *c)
{
	struct ebpfnet_link *ours = NULL;
	struct bpf_link *peer = NULL;

	test_net_enter(live.net.far_fd);
	if (c->program)
		ours = attach_ours(WAY_XDP, live_program(c->program), live.net.far_if);
	else
		peer = attach_peer(WAY_XDP, live.net.far_if);
	test_net_enter(-1);
	run_attached(c);
	ebpfnet_link_close(ours);
	bpf_link__destroy(peer);
}

static void report_live(const struct bench_line *line, const struct contender *ours,
			const struct contender *peer)
{
	const struct contender *wrong = ours->bad || !peer ? ours : peer;
	char why[160];

	snprintf(why, sizeof(why),
		 "in %u rounds; the last: of %llu frames sent %llu arrived and %llu were dropped",
		 wrong->bad, (unsigned long long)wrong->wrong.sent,
		 (unsigned long long)wrong->wrong.received,
		 (unsigned long long)wrong->wrong.dropped);
	if (wrong->bad)
		printf("# %s reports nothing %s\n", line->name, why);
	bench_report(line, &ours->mpps, peer ? &peer->mpps : NULL, why);
}

START_TEST(test_live)
{
	static const struct bench_line drop = { "attach.drop_live", "Mpps", BENCH_RATIO_AT_LEAST,
						0.97, NULL };
	static const struct bench_line counted = { "attach.drop_live.parsed_counted", "Mpps",
						   BENCH_RATIO_AT_LEAST, 0.97, NULL };
	static const struct bench_line quoted[] = {
		{ "attach.live.empty", "Mpps", BENCH_NONE, 0, "24" },
		{ "attach.live.one_lookup", "Mpps", BENCH_NONE, 0, "18" },
		{ "attach.live.three_lookups", "Mpps", BENCH_NONE, 0, "10" },
	};
	static struct contender c[] = {
		{ "drop_empty", { 0, { 0 } }, { 0, 0, 0, 0 }, 0 },
		{ NULL, { 0, { 0 } }, { 0, 0, 0, 0 }, 0 },
		{ "drop_parsed", { 0, { 0 } }, { 0, 0, 0, 0 }, 0 },
		{ "drop_lookup", { 0, { 0 } }, { 0, 0, 0, 0 }, 0 },
		{ "drop_logic", { 0, { 0 } }, { 0, 0, 0, 0 }, 0 },
	};
	const int n = sizeof(c) / sizeof(*c);

	for (int round = 0; round < LIVE_ROUNDS; round++) {
		for (int i = 0; i < n; i++)
			run_contender(&c[round % 2 ? n - 1 - i : i]);
	}
	report_live(&drop, &c[0], &c[1]);
	report_live(&counted, &c[2], &c[1]);
	report_live(&quoted[0], &c[0], NULL);
	report_live(&quoted[1], &c[3], NULL);
	report_live(&quoted[2], &c[4], NULL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_cycle_xdp, test_cycle_tcx, test_live,
				       test_many_interfaces };

	bench_begin("attach");
	test_need_root();
	return test_run(test_suite_around("bench attach", tests, sizeof(tests) / sizeof(*tests),
					  600, begin, end));
}
