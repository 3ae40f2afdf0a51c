// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* sk_lookup through real connections: who gets them, and a count equal to what was sent. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"
#include "link_life.h"
#include "netns.h"
#include "traffic.h"

#define FREE_PORT 7777	/* as sk_lookup.bpf.c has them */
#define TAKEN_PORT 7778 /* a socket listens there, and any program may refuse it */
#define FIRST_PORT 7001 /* where the chosen sockets are */
#define SECOND_PORT 7002
#define N (test_quick() ? 2 : 5)

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_program *first, *second, *refuse, *look, *other;
static struct ebpfnet_error *err;
static struct test_net net;
/* By kind of traffic: the socket at each port. */
static int first_fd[TRAFFIC_KINDS], second_fd[TRAFFIC_KINDS], taken_fd[TRAFFIC_KINDS];

static void put_target(uint32_t key, int fd)
{
	struct ebpfnet_map *map;
	uint64_t value = (uint64_t)fd;

	ASSERT_OK(ebpfnet_object_map(obj, "targets", &map, &err), err);
	ck_assert_int_eq(bpf_map_update_elem(ebpfnet_map_fd(map), &key, &value, BPF_ANY), 0);
}

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	test_net_open(&net, 1);
	traffic_ready(&net);
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("sk_lookup"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "choose_first", &first, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "choose_second", &second, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "refuse", &refuse, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "look", &look, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "other_type", &other, &err), err);
	for (uint32_t i = 0; i < TRAFFIC_KINDS; i++) {
		const struct traffic_kind *kind = &traffic_kinds[i];

		first_fd[i] = traffic_listen(net.far_fd, kind, NULL, FIRST_PORT);
		second_fd[i] = traffic_listen(net.far_fd, kind, NULL, SECOND_PORT);
		taken_fd[i] = traffic_listen(net.far_fd, kind, NULL, TAKEN_PORT);
		put_target(i, first_fd[i]);
		put_target(4 + i, second_fd[i]);
	}
}

static void end(void)
{
	for (int i = 0; i < TRAFFIC_KINDS; i++) {
		close(first_fd[i]);
		close(second_fd[i]);
		close(taken_fd[i]);
	}
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	test_net_close(&net);
	test_shell("rm -rf /sys/fs/bpf/ebpfnet/test-%d", getpid());
}

static const char *far_address(int kind)
{
	return traffic_kinds[kind].family == AF_INET ? TEST_FAR4 : TEST_FAR6;
}

/* Sends N to a port of the far end; returns how many came about. */
static int knock(int kind, uint16_t port)
{
	return traffic_send(net.near_fd, &traffic_kinds[kind], far_address(kind), port, N, 100,
			    NULL);
}

/* How often a program ran for a kind of traffic since the last look. */
static uint64_t seen(int base, int kind)
{
	uint32_t slot = (uint32_t)(base + kind);
	uint64_t n, zero = 0;
	struct ebpfnet_map *map;

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	ck_assert_int_eq(bpf_map_lookup_elem(ebpfnet_map_fd(map), &slot, &n), 0);
	ck_assert_int_eq(bpf_map_update_elem(ebpfnet_map_fd(map), &slot, &zero, BPF_ANY), 0);
	return n;
}

static void assert_seen(int base, int kind, uint64_t want)
{
	uint64_t n = seen(base, kind);

	ck_assert_msg(n == want, "%s: the program ran %llu times, not %llu",
		      traffic_kinds[kind].name, (unsigned long long)n, (unsigned long long)want);
}

static int attach(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		  struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_netns_opts, o);
	o.netns_fd = net.far_fd;
	return ebpfnet_netns_attach(prog, &o, link, e);
}

/* Who gets what is sent to the free port, for every kind: 1, 2, or 0 for nobody. */
static void assert_goes_to(int who)
{
	for (int i = 0; i < TRAFFIC_KINDS; i++) {
		bool tcp = traffic_kinds[i].type == SOCK_STREAM;
		int done = knock(i, FREE_PORT);

		ck_assert_msg(!tcp || done == (who ? N : 0), "%s: %d came about",
			      traffic_kinds[i].name, done);
		ck_assert_msg(traffic_arrived(first_fd[i], who == 1 ? N : 0) == (who == 1 ? N : 0),
			      "%s at the first", traffic_kinds[i].name);
		ck_assert_msg(traffic_arrived(second_fd[i], who == 2 ? N : 0) == (who == 2 ? N : 0),
			      "%s at the second", traffic_kinds[i].name);
	}
}

START_TEST(test_choose_and_count)
{
	struct ebpfnet_link *link;

	assert_goes_to(0);
	ASSERT_OK(attach(first, &link, &err), err);
	assert_goes_to(1);
	for (int i = 0; i < TRAFFIC_KINDS; i++)
		assert_seen(0, i, N);
	/* Sockets that are bound are found as ever. */
	for (int i = 0; i < TRAFFIC_KINDS; i++) {
		ck_assert_int_eq(knock(i, TAKEN_PORT), N);
		ck_assert_int_eq(traffic_arrived(taken_fd[i], N), N);
		assert_seen(0, i, 0);
	}
	ebpfnet_link_close(link);
	assert_goes_to(0);
	test_way("sk_lookup", "works");
}
END_TEST

START_TEST(test_refuse_and_count)
{
	struct ebpfnet_link *link;

	for (int round = 0; round < 3; round++) {
		if (round == 1)
			ASSERT_OK(attach(refuse, &link, &err), err);
		for (int i = 0; i < TRAFFIC_KINDS; i++) {
			int want = round == 1 ? 0 : N, error;
			int done = traffic_send(net.near_fd, &traffic_kinds[i], far_address(i),
						TAKEN_PORT, N, 100, &error);

			if (traffic_kinds[i].type == SOCK_STREAM) {
				ck_assert_int_eq(done, want);
				ck_assert_int_eq(error, round == 1 ? ECONNREFUSED : 0);
			}
			ck_assert_int_eq(traffic_arrived(taken_fd[i], want), want);
			assert_seen(8, i, round == 1 ? N : 0);
		}
		if (round == 1)
			ebpfnet_link_close(link);
	}
}
END_TEST

START_TEST(test_last_selection_wins)
{
	struct ebpfnet_link *a, *b, *c;

	ASSERT_OK(attach(first, &a, &err), err);
	ASSERT_OK(attach(second, &b, &err), err);
	assert_goes_to(2);
	/* Both ran, for every packet. */
	for (int i = 0; i < TRAFFIC_KINDS; i++) {
		assert_seen(0, i, N);
		assert_seen(4, i, N);
	}
	/* A selection is stronger than a refusal, in either order. */
	ASSERT_OK(attach(refuse, &c, &err), err);
	assert_goes_to(2);
	ebpfnet_link_close(b);
	assert_goes_to(1);
	ASSERT_OK(attach(second, &b, &err), err);
	ebpfnet_link_close(a);
	assert_goes_to(2);
	/* Attached again it is the last. */
	ASSERT_OK(attach(first, &a, &err), err);
	assert_goes_to(1);
	ebpfnet_link_close(a);
	ebpfnet_link_close(b);
	assert_goes_to(0);
	ebpfnet_link_close(c);
}
END_TEST

START_TEST(test_full)
{
	struct ebpfnet_link *links[65];
	uint32_t ids[64], count = 64;

	for (int i = 0; i < 64; i++)
		ASSERT_OK(attach(look, &links[i], &err), err);
	ASSERT_FAILS(attach(first, &links[64], &err), err, -E2BIG, EBPFNET_ERROR_BUSY,
		     "64 programs are attached");
	ck_assert_ptr_null(links[64]);
	ck_assert_int_eq(bpf_prog_query(net.far_fd, BPF_SK_LOOKUP, 0, NULL, ids, &count), 0);
	ck_assert_uint_eq(count, 64);
	ebpfnet_link_close(links[63]);
	ASSERT_OK(attach(first, &links[63], &err), err);
	assert_goes_to(1);
	for (int i = 0; i < 64; i++)
		ebpfnet_link_close(links[i]);
	/* What the kernel offers besides a link is no way: kernel-level fact behind "link only". */
	ck_assert_int_eq(bpf_prog_attach(ebpfnet_program_fd(first), net.far_fd, BPF_SK_LOOKUP, 0),
			 -EINVAL);
}
END_TEST

static bool in_force(void)
{
	int done = knock(0, FREE_PORT);

	ck_assert(done == 0 || done == N);
	ck_assert_int_eq(traffic_arrived(first_fd[0], done), done);
	return done == N;
}

START_TEST(test_life)
{
	struct link_life life = {
		.ctx = ctx,
		.kind = EBPFNET_LINK_SK_LOOKUP,
		.via = EBPFNET_VIA_LINK,
		.active = first,
		.idle = look,
		.alien = other,
		.attach = attach,
		.in_force = in_force,
		.netns_fd = net.far_fd,
	};

	test_link_life(&life);
}
END_TEST

START_TEST(test_namespace_removed)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	struct ebpfnet_link *link;
	struct stat st;

	ck_assert_int_eq(fstat(net.far_fd, &st), 0);
	ASSERT_OK(attach(first, &link, &err), err);
	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	ck_assert_uint_eq(info.netns_inode, st.st_ino);
	ck_assert_uint_eq(info.defunct, 0);
	for (int i = 0; i < TRAFFIC_KINDS; i++) { /* sockets keep a namespace alive */
		close(first_fd[i]);
		close(second_fd[i]);
		close(taken_fd[i]);
		first_fd[i] = second_fd[i] = taken_fd[i] = -1;
	}
	test_net_close(&net);
	/* The kernel takes a namespace down in its own time. */
	for (int i = 0; i < 200 && !info.defunct; i++) {
		usleep(10000);
		ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	}
	ck_assert_uint_eq(info.defunct, 1);
	ck_assert_uint_eq(info.netns_inode, 0);
	ASSERT_FAILS(ebpfnet_link_update(link, second, NULL, NULL, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "gone");
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ebpfnet_link_close(link);
}
END_TEST

START_TEST(test_by_name)
{
	struct ebpfnet_link *link;
	struct stat before, after;
	char name[64];
	int fd;

	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &before), 0);
	ASSERT_OK(ebpfnet_netns_open(ctx, net.far, &fd, &err), err);
	ck_assert_int_gt(fd, 2);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	EBPFNET_OPTS(ebpfnet_netns_opts, o);
	o.netns_fd = fd;
	ASSERT_OK(ebpfnet_netns_attach(first, &o, &link, &err), err);
	close(fd);
	assert_goes_to(1);
	ebpfnet_link_close(link);
	/* This thread's own namespace, without any option. */
	test_net_enter(net.far_fd);
	ASSERT_OK(ebpfnet_netns_attach(first, NULL, &link, &err), err);
	test_net_enter(-1);
	assert_goes_to(1);
	ebpfnet_link_close(link);
	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);

	snprintf(name, sizeof(name), "%sx", net.far);
	ASSERT_FAILS(ebpfnet_netns_open(ctx, name, &fd, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, net.far);
	ck_assert_int_eq(fd, -1);
	ASSERT_FAILS(ebpfnet_netns_open(ctx, "../etc/passwd", &fd, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "without a slash");
	ASSERT_FAILS(ebpfnet_netns_open(ctx, "..", &fd, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "a name");
	ASSERT_FAILS(ebpfnet_netns_open(ctx, "", &fd, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "a name");
	/* The file of a namespace that was never mounted, or only elsewhere. */
	ck_assert_int_eq(test_shell("touch /run/netns/%s", name), 0);
	int ret = ebpfnet_netns_open(ctx, name, &fd, &err);
	test_shell("rm /run/netns/%s", name);
	ASSERT_FAILS(ret, err, -EINVAL, EBPFNET_ERROR_INVALID, "not a network namespace");
}
END_TEST

START_TEST(test_bad_input)
{
	struct ebpfnet_link *link = (void *)1;
	struct ebpfnet_object *unloaded, *xdp;
	struct ebpfnet_program *prog;
	struct {
		struct ebpfnet_netns_opts o;
		uint64_t newer;
	} tail = { .o = { .sz = sizeof(tail) }, .newer = 1 };
	int fds = test_open_fds();

	EBPFNET_OPTS(ebpfnet_netns_opts, o);
	ASSERT_FAILS(ebpfnet_netns_attach(first, &tail.o, &link, &err), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "knows");
	ck_assert_ptr_null(link);
	o.netns_fd = 999;
	ASSERT_FAILS(ebpfnet_netns_attach(first, &o, &link, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "not an open descriptor");
	o.netns_fd = ebpfnet_program_fd(first);
	ASSERT_FAILS(ebpfnet_netns_attach(first, &o, &link, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "not a namespace");
	o.netns_fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	ASSERT_FAILS(ebpfnet_netns_attach(first, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "not a network namespace");
	close(o.netns_fd);
	o.netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("sk_lookup"), NULL, &unloaded, &err),
		  err);
	ASSERT_OK(ebpfnet_object_program(unloaded, "look", &prog, &err), err);
	ASSERT_FAILS(ebpfnet_netns_attach(prog, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "not loaded");
	ebpfnet_object_close(unloaded);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("xdp"), NULL, &xdp, &err), err);
	ASSERT_OK(ebpfnet_object_load(xdp, &err), err);
	ASSERT_OK(ebpfnet_object_program(xdp, "pass_all", &prog, &err), err);
	ASSERT_FAILS(ebpfnet_netns_attach(prog, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "neither sk_lookup (30) nor flow dissector (22)");
	ebpfnet_object_close(xdp);
	ck_assert_ptr_null(link);
	ck_assert_int_eq(test_open_fds(), fds);
	assert_goes_to(0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_choose_and_count,
		test_refuse_and_count,
		test_last_selection_wins,
		test_full,
		test_life,
		test_namespace_removed,
		test_by_name,
		test_bad_input,
	};

	test_need_root();
	test_need_bpffs();
	return test_run(test_suite_around("sk_lookup", tests, sizeof(tests) / sizeof(*tests), 60,
					  begin, end));
}
