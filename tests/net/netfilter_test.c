// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Netfilter links: every hook drops real traffic of both families and counts what was sent. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"
#include "link_life.h"
#include "netns.h"
#include "traffic.h"

#define PORT 7777 /* as netfilter.bpf.c has them */
#define LONGEST 31
#define N (test_quick() ? 2 : 5)
/* Behind the far end, which forwards to it; for the near end it is a host like others. */
#define THIRD4 "10.99.0.2"
#define THIRD6 "fd99::2"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_program *drop, *accept_it;
static struct ebpfnet_error *err;
static struct test_net net;
static char third[32];
static int third_fd;

/* What a hook sees of traffic from near: sent to the far end, or on to the third, or by the far. */
static const struct place {
	uint32_t hook;
	const char *name;
	bool from_far; /* else from near */
	bool to_third; /* else to far, or from far to near */
} places[] = {
	{ EBPFNET_NETFILTER_PRE_ROUTING, "pre_routing", false, false },
	{ EBPFNET_NETFILTER_LOCAL_IN, "local_in", false, false },
	{ EBPFNET_NETFILTER_FORWARD, "forward", false, true },
	{ EBPFNET_NETFILTER_LOCAL_OUT, "local_out", true, false },
	{ EBPFNET_NETFILTER_POST_ROUTING, "post_routing", false, true },
};

/* A router asks for a neighbour from its link-local address, which the quiet wire has none of. */
static void make_third(void)
{
	char path[64];

	snprintf(third, sizeof(third), "ebn-third-%d", getpid());
	ck_assert_int_eq(
		test_shell(
			"set -e; ip netns add %s; f='ip -n %s'; t='ip -n %s'; "
			"$f link add w0 type veth peer name w0 netns %s; "
			"$f addr add 10.99.0.1/24 dev w0; $f addr add fd99::1/64 dev w0 nodad; "
			"$t addr add " THIRD4 "/24 dev w0; "
			"$t addr add " THIRD6 "/64 dev w0 nodad; "
			"$f addr add fe80::1/64 dev w0 nodad; $f addr add fe80::1/64 dev v0 nodad; "
			"$f link set w0 up; $t link set w0 up; $t link set lo up; "
			"$t route add default via 10.99.0.1; $t route add default via fd99::1; "
			"ip netns exec %s sh -c 'cd /proc/sys/net; echo 1 >ipv4/ip_forward; "
			"echo 1 >ipv6/conf/all/forwarding'; "
			"ip -n %s route add 10.99.0.0/24 via " TEST_FAR4 "; "
			"ip -n %s route add fd99::/64 via " TEST_FAR6,
			third, net.far, third, third, net.far, net.near, net.near),
		0);
	snprintf(path, sizeof(path), "/run/netns/%s", third);
	third_fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(third_fd, 0);
}

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	test_net_open(&net, 1);
	make_third();
	traffic_ready(&net);
	ck_assert_int_eq(test_shell("for i in 1 2 3 4 5 6 7 8 9; do ip netns exec %s "
				    "ping -6 -c 1 -W 1 -q " THIRD6 " >/dev/null && exit 0; done",
				    net.near),
			 0);
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("netfilter"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "drop_port", &drop, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "accept_port", &accept_it, &err), err);
}

static void end(void)
{
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	close(third_fd);
	test_shell("ip netns del %s", third);
	test_net_close(&net);
	test_shell("rm -rf /sys/fs/bpf/ebpfnet-test-%d", getpid());
}

static int attach_at(const struct ebpfnet_program *prog, int family, uint32_t hook,
		     int32_t priority, struct ebpfnet_link **link)
{
	EBPFNET_OPTS(ebpfnet_netfilter_opts, o);
	o.netns_fd = net.far_fd;
	o.priority = priority;
	return ebpfnet_netfilter_attach(prog, (uint32_t)family, hook, &o, link, &err);
}

/* Reads a counter and sets it back. */
static uint64_t take(uint32_t slot)
{
	uint64_t n, zero = 0;
	struct ebpfnet_map *map;

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	ck_assert_int_eq(bpf_map_lookup_elem(ebpfnet_map_fd(map), &slot, &n), 0);
	ck_assert_int_eq(bpf_map_update_elem(ebpfnet_map_fd(map), &slot, &zero, BPF_ANY), 0);
	return n;
}

static uint64_t seen(uint32_t hook, int kind)
{
	return take(hook * 4 + (uint32_t)kind);
}

/* Sends N past a hook of the far end; returns how many arrived where they were sent. */
static int send_past(const struct place *place, int kind)
{
	const struct traffic_kind *k = &traffic_kinds[kind];
	bool v4 = k->family == AF_INET;
	int to = place->from_far ? net.near_fd : place->to_third ? third_fd : net.far_fd;
	const char *addr = place->from_far   ? (v4 ? TEST_NEAR4 : TEST_NEAR6)
			   : place->to_third ? (v4 ? THIRD4 : THIRD6)
					     : (v4 ? TEST_FAR4 : TEST_FAR6);
	int listener = traffic_listen(to, k, NULL, PORT);
	int sent, error, arrived;

	sent = traffic_send(place->from_far ? net.far_fd : net.near_fd, k, addr, PORT, N, 100,
			    &error);
	arrived = traffic_arrived(listener, sent == N ? N : 0);
	close(listener);
	return arrived;
}

START_TEST(test_drop_and_count)
{
	for (size_t p = 0; p < sizeof(places) / sizeof(*places); p++) {
		const struct place *place = &places[p];

		for (int i = 0; i < TRAFFIC_KINDS; i++) {
			struct ebpfnet_link_info info = { .sz = sizeof(info) };
			struct ebpfnet_link *link;
			struct stat st;

			ck_assert_int_eq(fstat(net.far_fd, &st), 0);
			ck_assert_int_eq(send_past(place, i), N);
			ck_assert_uint_eq(seen(place->hook, i), 0);
			ASSERT_OK(attach_at(drop, traffic_kinds[i].family, place->hook, -5, &link),
				  err);
			ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
			ck_assert_uint_eq(info.hook, place->hook);
			ck_assert_uint_eq(info.family, traffic_kinds[i].family);
			ck_assert_int_eq(info.priority, -5);
			ck_assert_uint_eq(info.netns_inode, st.st_ino);
			ck_assert_msg(send_past(place, i) == 0, "%s %s", place->name,
				      traffic_kinds[i].name);
			ck_assert_msg(seen(place->hook, i) == N, "%s %s", place->name,
				      traffic_kinds[i].name);
			/* The other family goes on. */
			ck_assert_int_eq(send_past(place, i ^ 2), N);
			ebpfnet_link_close(link);
			ck_assert_int_eq(send_past(place, i), N);
			ck_assert_uint_eq(seen(place->hook, i), 0);
		}
	}
	test_way("netfilter", "works");
}
END_TEST

START_TEST(test_priority_is_order)
{
	struct ebpfnet_link *early, *late, *third_link;
	const struct place *place = &places[EBPFNET_NETFILTER_LOCAL_IN];

	/* The lower runs first: what it drops, the other never sees. */
	ASSERT_OK(attach_at(drop, AF_INET, place->hook, -10, &early), err);
	ASSERT_OK(attach_at(accept_it, AF_INET, place->hook, 10, &late), err);
	ck_assert_int_eq(send_past(place, 1), 0);
	ck_assert_uint_eq(seen(place->hook, 1), N);
	ebpfnet_link_close(early);
	ck_assert_int_eq(send_past(place, 1), N);
	ck_assert_uint_eq(seen(place->hook, 1), N);
	/* An early "accept" ends nothing. */
	ASSERT_OK(attach_at(drop, AF_INET, place->hook, 20, &third_link), err);
	ck_assert_int_eq(send_past(place, 1), 0);
	ck_assert_uint_eq(seen(place->hook, 1), 2 * N);
	ebpfnet_link_close(third_link);
	ebpfnet_link_close(late);
}
END_TEST

static struct fragments {
	uint64_t longest;
	uint64_t whole;
	int arrived;
} fragments(int kind, uint32_t flags)
{
	/* Between pre_routing and local_in the kernel itself puts together what is for it. */
	const struct place *place = &places[EBPFNET_NETFILTER_PRE_ROUTING];
	const struct traffic_kind *k = &traffic_kinds[kind];
	struct fragments out = { 0 };
	struct ebpfnet_link *link;
	int listener;

	EBPFNET_OPTS(ebpfnet_netfilter_opts, o);
	o.netns_fd = net.far_fd;
	o.flags = flags;
	take(LONGEST);
	if (ebpfnet_netfilter_attach(accept_it, (uint32_t)k->family, place->hook, &o, &link, &err) <
	    0)
		return out;
	listener = traffic_listen(net.far_fd, k, NULL, PORT);
	/* 4,000 bytes are three fragments at an MTU of 1,500. */
	ck_assert_int_eq(traffic_send(net.near_fd, k, k->family == AF_INET ? TEST_FAR4 : TEST_FAR6,
				      PORT, N, 4000, NULL),
			 N);
	out.arrived = traffic_arrived(listener, N);
	close(listener);
	ebpfnet_link_close(link);
	out.longest = take(LONGEST);
	out.whole = seen(place->hook, kind);
	return out;
}

START_TEST(test_defrag)
{
	for (int kind = 1; kind < TRAFFIC_KINDS; kind += 2) {
		uint32_t headers = kind == 1 ? 20 + 8 : 40 + 8;
		struct fragments f = fragments(kind, 0);

		ck_assert_ptr_null(err);
		ck_assert_uint_le(f.longest, 1500);
		ck_assert_int_eq(f.arrived, N);
		f = fragments(kind, EBPFNET_NETFILTER_DEFRAG);
		if (err && ebpfnet_error_kind(err) == EBPFNET_ERROR_NOT_SUPPORTED) {
			const char *since = ebpfnet_error_min_kernel(err);

			ck_assert_str_eq(since ? since : "", "6.6");
			ebpfnet_error_free(err);
			err = NULL;
			TEST_SKIP_CASE("needs DEFRAG (6.6)");
		}
		ck_assert_ptr_null(err);
		/* One whole packet each, and not a fragment more. */
		ck_assert_uint_eq(f.longest, 4000 + headers);
		ck_assert_uint_eq(f.whole, N);
		ck_assert_int_eq(f.arrived, N);
	}
	test_way("netfilter_defrag", "works");
}
END_TEST

static int life_attach(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		       struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_netfilter_opts, o);
	o.netns_fd = net.far_fd;
	return ebpfnet_netfilter_attach(prog, AF_INET, EBPFNET_NETFILTER_LOCAL_IN, &o, link, e);
}

static bool in_force(void)
{
	return send_past(&places[EBPFNET_NETFILTER_LOCAL_IN], 1) == 0;
}

START_TEST(test_life)
{
	struct link_life life = {
		.ctx = ctx,
		.kind = EBPFNET_LINK_NETFILTER,
		.via = EBPFNET_VIA_LINK,
		.active = drop,
		.idle = accept_it,
		.attach = life_attach,
		.in_force = in_force,
		.netns_fd = net.far_fd,
		.keeps_program = true,
	};

	test_link_life(&life);
}
END_TEST

START_TEST(test_reopened_knows_its_place)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	struct ebpfnet_link *link, *adopted;

	ASSERT_OK(attach_at(drop, AF_INET6, EBPFNET_NETFILTER_FORWARD, -77, &link), err);
	ASSERT_OK(ebpfnet_link_open_fd(ctx, ebpfnet_link_fd(link), &adopted, &err), err);
	ASSERT_OK(ebpfnet_link_info(adopted, &info, &err), err);
	ck_assert_uint_eq(info.kind, EBPFNET_LINK_NETFILTER);
	ck_assert_uint_eq(info.family, AF_INET6);
	ck_assert_uint_eq(info.hook, EBPFNET_NETFILTER_FORWARD);
	ck_assert_int_eq(info.priority, -77);
	ck_assert_uint_eq(info.netns_inode, 0); /* the kernel does not tell it */
	ebpfnet_link_close(adopted);
	ebpfnet_link_close(link);
}
END_TEST

START_TEST(test_taken)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	struct ebpfnet_link *held, *link = (void *)1;
	char words[96];

	ASSERT_OK(attach_at(drop, AF_INET, EBPFNET_NETFILTER_LOCAL_IN, 5, &held), err);
	ASSERT_OK(ebpfnet_link_info(held, &info, &err), err);
	snprintf(words, sizeof(words),
		 "priority 5 is taken; program %u (drop_port) has it by link %u", info.program_id,
		 info.id);
	ASSERT_FAILS(attach_at(accept_it, AF_INET, EBPFNET_NETFILTER_LOCAL_IN, 5, &link), err,
		     -EBUSY, EBPFNET_ERROR_BUSY, words);
	ck_assert_ptr_null(link);
	/* Another priority, hook, family or namespace is another place. */
	ASSERT_OK(attach_at(accept_it, AF_INET, EBPFNET_NETFILTER_LOCAL_IN, 6, &link), err);
	ebpfnet_link_close(link);
	ASSERT_OK(attach_at(accept_it, AF_INET, EBPFNET_NETFILTER_FORWARD, 5, &link), err);
	ebpfnet_link_close(link);
	ASSERT_OK(attach_at(accept_it, AF_INET6, EBPFNET_NETFILTER_LOCAL_IN, 5, &link), err);
	ebpfnet_link_close(link);
	test_net_enter(net.near_fd);
	EBPFNET_OPTS(ebpfnet_netfilter_opts, o);
	o.priority = 5;
	ASSERT_OK(ebpfnet_netfilter_attach(accept_it, AF_INET, EBPFNET_NETFILTER_LOCAL_IN, &o,
					   &link, &err),
		  err);
	test_net_enter(-1);
	ebpfnet_link_close(link);
	ebpfnet_link_close(held);
}
END_TEST

START_TEST(test_taken_by_the_kernel)
{
	struct ebpfnet_link *defrag, *link = (void *)1;

	/* DEFRAG registers the kernel's own hook at -400, which belongs to no link. */
	EBPFNET_OPTS(ebpfnet_netfilter_opts, o);
	o.netns_fd = net.far_fd;
	o.flags = EBPFNET_NETFILTER_DEFRAG;
	if (ebpfnet_netfilter_attach(accept_it, AF_INET, 0, &o, &defrag, &err) < 0) {
		ebpfnet_error_free(err);
		err = NULL;
		TEST_SKIP_CASE("needs DEFRAG (6.6)");
	}
	ASSERT_FAILS(attach_at(drop, AF_INET, 0, -400, &link), err, -EBUSY, EBPFNET_ERROR_BUSY,
		     "taken by a hook of the kernel itself");
	ebpfnet_link_close(defrag);
}
END_TEST

START_TEST(test_refused_places)
{
	struct ebpfnet_link *link = (void *)1;

	ASSERT_FAILS(attach_at(drop, AF_INET, 0, INT_MIN, &link), err, -ERANGE,
		     EBPFNET_ERROR_INVALID, "INT_MIN");
	ASSERT_FAILS(attach_at(drop, AF_INET, 0, INT_MAX, &link), err, -ERANGE,
		     EBPFNET_ERROR_INVALID, "INT_MAX");
	ASSERT_FAILS(attach_at(drop, 7 /* NFPROTO_BRIDGE */, 0, 0, &link), err, -EAFNOSUPPORT,
		     EBPFNET_ERROR_INVALID, "AF_INET6");
	ASSERT_FAILS(attach_at(drop, AF_INET, 5, 0, &link), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "hook 5 is none");
	EBPFNET_OPTS(ebpfnet_netfilter_opts, o);
	o.netns_fd = net.far_fd;
	o.flags = 2;
	ASSERT_FAILS(ebpfnet_netfilter_attach(drop, AF_INET, 0, &o, &link, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_INVALID, "0x2");
	o.flags = EBPFNET_NETFILTER_DEFRAG;
	o.priority = -400;
	ASSERT_FAILS(ebpfnet_netfilter_attach(drop, AF_INET, 0, &o, &link, &err), err, -ERANGE,
		     EBPFNET_ERROR_INVALID, "above -400");
	ck_assert_ptr_null(link);
	/* The kernel says the same, should a check of ours ever be wrong. */
	LIBBPF_OPTS(bpf_link_create_opts, raw, .netfilter.pf = AF_INET,
		    .netfilter.priority = INT_MIN);
	ck_assert_int_eq(
		bpf_link_create(ebpfnet_program_fd(drop), 0, (enum bpf_attach_type)45, &raw),
		-ERANGE);
	raw.netfilter.priority = 0;
	raw.netfilter.pf = 7;
	ck_assert_int_eq(
		bpf_link_create(ebpfnet_program_fd(drop), 0, (enum bpf_attach_type)45, &raw),
		-EAFNOSUPPORT);
}
END_TEST

START_TEST(test_bad_input)
{
	struct ebpfnet_link *link = (void *)1;
	struct ebpfnet_object *other;
	struct ebpfnet_program *prog;
	struct stat before, after;
	struct {
		struct ebpfnet_netfilter_opts o;
		uint64_t newer;
	} tail = { .o = { .sz = sizeof(tail) }, .newer = 1 };
	int fds = test_open_fds();

	EBPFNET_OPTS(ebpfnet_netfilter_opts, o);
	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &before), 0);
	ASSERT_FAILS(ebpfnet_netfilter_attach(drop, AF_INET, 0, &tail.o, &link, &err), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "knows");
	ck_assert_ptr_null(link);
	o.netns_fd = 999;
	ASSERT_FAILS(ebpfnet_netfilter_attach(drop, AF_INET, 0, &o, &link, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "not an open descriptor");
	o.netns_fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	ASSERT_FAILS(ebpfnet_netfilter_attach(drop, AF_INET, 0, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "not a network namespace");
	close(o.netns_fd);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("xdp"), NULL, &other, &err), err);
	ASSERT_OK(ebpfnet_object_program(other, "pass_all", &prog, &err), err);
	ASSERT_FAILS(attach_at(prog, AF_INET, 0, 0, &link), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "not loaded");
	ASSERT_OK(ebpfnet_object_load(other, &err), err);
	ASSERT_FAILS(attach_at(prog, AF_INET, 0, 0, &link), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "is of type 6, not netfilter (32)");
	ebpfnet_object_close(other);
	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(test_open_fds(), fds);
}
END_TEST

/* A netfilter link holds its namespace: without a name it lives on, and the link with it. */
START_TEST(test_namespace_removed)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	struct ebpfnet_link *link;
	ino_t inode;
	struct stat st;

	ck_assert_int_eq(fstat(net.far_fd, &st), 0);
	inode = st.st_ino;
	ASSERT_OK(attach_at(drop, AF_INET, 0, 0, &link), err);
	test_net_close(&net);
	usleep(200000);
	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	ck_assert_uint_eq(info.defunct, 0);
	ck_assert_uint_eq(info.netns_inode, inode);
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ebpfnet_link_close(link);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_drop_and_count,
		test_priority_is_order,
		test_defrag,
		test_life,
		test_reopened_knows_its_place,
		test_taken,
		test_taken_by_the_kernel,
		test_refused_places,
		test_bad_input,
		test_namespace_removed,
	};
	struct ebpfnet_ctx *probe;

	test_need_root();
	test_need_bpffs();
	if (ebpfnet_ctx_new(NULL, &probe, NULL) == 0 &&
	    ebpfnet_probe(probe, EBPFNET_FEATURE_NETFILTER_LINK, NULL) == 0) {
		test_way("netfilter", "not there");
		test_skip("this kernel has no netfilter link (6.4)");
	}
	ebpfnet_ctx_unref(probe);
	return test_run(test_suite_around("netfilter", tests, sizeof(tests) / sizeof(*tests), 60,
					  begin, end));
}
