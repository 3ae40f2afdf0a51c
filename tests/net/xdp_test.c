// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* XDP through real interfaces: each verdict is seen by ping, each count equals what was sent. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"
#include "netns.h"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_program *pass, *drop, *tc, *cpumap;
static struct ebpfnet_error *err;
static struct test_net net;
static char pin_dir[64];

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	test_net_open(&net, 1);
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("xdp"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "pass_all", &pass, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "drop_all", &drop, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "tc_pass", &tc, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "on_cpumap", &cpumap, &err), err);
	snprintf(pin_dir, sizeof(pin_dir), "/sys/fs/bpf/ebpfnet/test-%d", getpid());
}

static void end(void)
{
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	test_net_close(&net);
	test_shell("rm -rf %s", pin_dir);
}

static const char *pin_name(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", pin_dir, name);
	return path;
}

static uint64_t seen(uint32_t slot)
{
	struct ebpfnet_map *map;
	uint64_t n;

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	ck_assert_int_eq(bpf_map_lookup_elem(ebpfnet_map_fd(map), &slot, &n), 0);
	return n;
}

static uint32_t id_of(const struct ebpfnet_program *prog)
{
	struct ebpfnet_program_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_program_info(prog, &info, &err), err);
	return info.id;
}

static struct ebpfnet_link_info info_of(const struct ebpfnet_link *link)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	return info;
}

/* What iproute2 says is attached to the far end: "" for nothing. */
static const char *attached(void)
{
	static char out[256];

	test_shell_output(out, sizeof(out),
			  "ip -n %s -d link show v0 | grep -o 'prog/xdp[a-z]* id [0-9]*'", net.far);
	return out;
}

/* Attached by ping's account and by ours, or free: both halves of every test of a lifetime. */
static void assert_dropping(bool yes)
{
	ck_assert_int_eq(test_net_ping(&net, 4, 2), yes ? 0 : 2);
	ck_assert_msg((*attached() != '\0') == yes, "iproute2 says \"%s\"", attached());
}

/* What the near end transmitted and what the program saw of it, at one moment. */
static uint64_t sent_and_seen(uint64_t *saw)
{
	uint64_t sent, again;

	do {
		*saw = seen(1);
		sent = test_net_statistic(&net, 0, "tx_packets");
		again = test_net_statistic(&net, 0, "tx_packets");
	} while (sent != again || *saw != seen(1));
	return sent;
}

START_TEST(test_verdict_and_count)
{
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	for (int generic = 0; generic < 2; generic++) {
		uint64_t before, seen_before, after, seen_after;

		o.netns_fd = net.far_fd;
		o.mode = generic ? EBPFNET_XDP_GENERIC : EBPFNET_XDP_NATIVE;
		ck_assert_int_eq(test_net_ping(&net, 4, 3), 3);
		ck_assert_int_eq(test_net_ping(&net, 6, 3), 3);
		ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err);
		ck_assert_uint_eq(info_of(link).mode, o.mode);
		ck_assert_uint_eq(info_of(link).via, EBPFNET_VIA_LINK);
		before = sent_and_seen(&seen_before);
		ck_assert_int_eq(test_net_ping(&net, 4, 3), 0);
		ck_assert_int_eq(test_net_ping(&net, 6, 3), 0);
		after = sent_and_seen(&seen_after);
		/* All that the near end transmitted: echo requests and neighbour discovery. */
		ck_assert_uint_eq(seen_after - seen_before, after - before);
		ck_assert_uint_ge(seen_after - seen_before, 6);
		ebpfnet_link_close(link);
		assert_dropping(false);
		test_way(generic ? "xdp generic" : "xdp native", "works");
		end();
		begin();
	}
}
END_TEST

START_TEST(test_modes)
{
	struct ebpfnet_link *link;
	int lo;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	test_net_enter(net.far_fd);
	lo = (int)if_nametoindex("lo");
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, lo, NULL, &link, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_NOT_SUPPORTED, "has no native XDP");
	ck_assert_ptr_null(link);
	o.mode = EBPFNET_XDP_AUTO;
	ASSERT_OK(ebpfnet_xdp_attach(drop, lo, &o, &link, &err), err);
	ck_assert_uint_eq(info_of(link).mode, EBPFNET_XDP_GENERIC);
	ck_assert_int_ne(test_shell("ping -c 2 -W 1 -i 0.02 127.0.0.1 >/dev/null"), 0);
	ck_assert_uint_eq(seen(1), 2);
	ebpfnet_link_close(link);
	ASSERT_OK(ebpfnet_xdp_attach(pass, net.far_if, &o, &link, &err), err);
	ck_assert_uint_eq(info_of(link).mode, EBPFNET_XDP_NATIVE);
	ebpfnet_link_close(link);
	o.mode = EBPFNET_XDP_OFFLOAD;
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, net.far_if, &o, &link, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_NOT_SUPPORTED, "cannot run XDP programs itself");
	test_net_enter(-1);
}
END_TEST

START_TEST(test_taken)
{
	struct ebpfnet_link *first, *second;
	char words[64];

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &first, &err), err);
	snprintf(words, sizeof(words),
		 "program %u (drop_all) is attached in native mode by link %u", id_of(drop),
		 info_of(first).id);
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, net.far_if, &o, &second, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, words);
	ck_assert_ptr_null(second);
	o.mode = EBPFNET_XDP_GENERIC; /* the other mode is EEXIST to the kernel */
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, net.far_if, &o, &second, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, words);
	o.mode = EBPFNET_XDP_NATIVE;
	o.via = EBPFNET_VIA_NETLINK;
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, net.far_if, &o, &second, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, "by link");
	assert_dropping(true);
	ebpfnet_link_close(first);
	assert_dropping(false);
}
END_TEST

START_TEST(test_namespaces)
{
	struct ebpfnet_link *link;
	struct stat before, after;
	int fds = test_open_fds();

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &before), 0);
	o.netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err);
	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	assert_dropping(true);
	ebpfnet_link_close(link);
	o.netns_fd = 999;
	ASSERT_FAILS(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "not an open descriptor");
	o.netns_fd = -1;
	ASSERT_FAILS(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "-1");
	o.netns_fd = ebpfnet_program_fd(drop);
	ASSERT_FAILS(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "not a namespace");
	o.netns_fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	ASSERT_FAILS(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "not a network namespace");
	close(o.netns_fd);
	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(test_open_fds(), fds);
}
END_TEST

START_TEST(test_namespace_in_fd_0)
{
	struct ebpfnet_link *link;
	int stdin_copy = fcntl(0, F_DUPFD_CLOEXEC, 3);

	/* With stdin closed, open() of a namespace gives 0. */
	ck_assert_int_eq(dup2(net.far_fd, 0), 0);
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = 0;
	ASSERT_FAILS(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "fd 0 is open on a namespace");
	dup2(stdin_copy, 0);
	close(stdin_copy);
}
END_TEST

START_TEST(test_update)
{
	struct ebpfnet_link *link;
	struct ebpfnet_program *old;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	EBPFNET_OPTS(ebpfnet_link_update_opts, u);
	for (uint32_t via = EBPFNET_VIA_LINK; via <= EBPFNET_VIA_NETLINK; via++) {
		o.netns_fd = net.far_fd;
		o.via = via;
		ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err);
		assert_dropping(true);
		ASSERT_OK(ebpfnet_link_update(link, pass, NULL, &old, &err), err);
		ck_assert_uint_eq(id_of(old), id_of(drop));
		ck_assert_int_eq(test_net_ping(&net, 4, 2), 2);
		ck_assert_uint_eq(info_of(link).program_id, id_of(pass));
		/* Going back is one call. */
		ASSERT_OK(ebpfnet_link_update(link, old, NULL, NULL, &err), err);
		ebpfnet_program_close(old);
		assert_dropping(true);
		u.expected = pass;
		ASSERT_FAILS(ebpfnet_link_update(link, pass, &u, &old, &err), err, -ESTALE,
			     EBPFNET_ERROR_STALE, "expected");
		ck_assert_ptr_null(old);
		assert_dropping(true);
		u.expected = drop;
		ASSERT_OK(ebpfnet_link_update(link, pass, &u, &old, &err), err);
		ck_assert_uint_eq(id_of(old), id_of(drop));
		ebpfnet_program_close(old);
		ASSERT_FAILS(ebpfnet_link_update(link, tc, NULL, NULL, &err), err, -EINVAL,
			     EBPFNET_ERROR_INCOMPATIBLE, "");
		ck_assert_int_eq(test_net_ping(&net, 4, 2), 2);
		ebpfnet_link_close(link);
		assert_dropping(false);
	}
}
END_TEST

START_TEST(test_expected_at_attach)
{
	struct ebpfnet_link *first, *second;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	o.via = EBPFNET_VIA_NETLINK;
	ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &first, &err), err);
	o.expected = pass;
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, net.far_if, &o, &second, &err), err, -ESTALE,
		     EBPFNET_ERROR_STALE, "expected");
	assert_dropping(true);
	o.expected = drop;
	o.via = EBPFNET_VIA_ANY;
	ASSERT_OK(ebpfnet_xdp_attach(pass, net.far_if, &o, &second, &err), err);
	ck_assert_uint_eq(info_of(second).via, EBPFNET_VIA_NETLINK);
	ck_assert_int_eq(test_net_ping(&net, 4, 2), 2);
	/* The first handle's program is gone: closing it must not take the second's away. */
	ebpfnet_link_close(first);
	ck_assert_str_ne(attached(), "");
	ebpfnet_link_close(second);
	ck_assert_str_eq(attached(), "");
	o.via = EBPFNET_VIA_LINK;
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, net.far_if, &o, &second, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_NOT_SUPPORTED, "ebpfnet_link_update");
}
END_TEST

/* Runs fn in a child that shares nothing but the kernel; returns its exit status. */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(fn());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int reopen_update_close(void)
{
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_link *link;
	int ret;

	EBPFNET_OPTS(ebpfnet_link_open_opts, o);
	o.netns_fd = net.far_fd;
	if (ebpfnet_link_open_pinned(ctx, pin_name("link"), &o, &link, &e) < 0) {
		test_print_error(e);
		return 1;
	}
	ret = ebpfnet_link_update(link, pass, NULL, NULL, &e) < 0;
	ret |= ebpfnet_link_update(link, drop, NULL, NULL, &e) < 0;
	if (ret)
		test_print_error(e);
	ebpfnet_link_close(link); /* pinned: stays */
	return ret;
}

START_TEST(test_pin)
{
	struct ebpfnet_link *link, *again;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	EBPFNET_OPTS(ebpfnet_link_open_opts, p);
	p.netns_fd = net.far_fd;
	for (uint32_t via = EBPFNET_VIA_LINK; via <= EBPFNET_VIA_NETLINK; via++) {
		o.netns_fd = net.far_fd;
		o.via = via;
		ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err);
		ASSERT_OK(ebpfnet_link_pin(link, pin_name("link"), &err), err);
		ASSERT_FAILS(ebpfnet_link_pin(link, pin_name("other"), &err), err, -EBUSY,
			     EBPFNET_ERROR_BUSY, "pinned at");
		ck_assert_uint_eq(info_of(link).pinned, 1);
		ebpfnet_link_close(link);
		assert_dropping(true);
		ck_assert_int_eq(in_child(reopen_update_close), 0);
		assert_dropping(true);
		ASSERT_OK(ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &again, &err), err);
		ck_assert_uint_eq(info_of(again).kind, EBPFNET_LINK_XDP);
		ck_assert_uint_eq(info_of(again).via, via);
		ck_assert_uint_eq(info_of(again).mode, EBPFNET_XDP_NATIVE);
		ck_assert_uint_eq(info_of(again).program_id, id_of(drop));
		ASSERT_OK(ebpfnet_link_unpin(again, &err), err);
		ASSERT_FAILS(ebpfnet_link_unpin(again, &err), err, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
			     "not pinned");
		assert_dropping(true);
		ebpfnet_link_close(again);
		assert_dropping(false);
		/* No pin, no record, no folder is left. */
		ck_assert_int_ne(test_shell("ls %s 2>/dev/null", pin_dir), 0);
	}
}
END_TEST

START_TEST(test_pin_refused)
{
	struct ebpfnet_link *link, *again;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	o.via = EBPFNET_VIA_NETLINK;
	ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err);
	ASSERT_FAILS(ebpfnet_link_pin(link, "/tmp/nowhere/link", &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "not on a bpffs");
	ASSERT_FAILS(ebpfnet_link_pin(link, pin_name("a.b"), &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "no dot");
	ASSERT_OK(ebpfnet_link_pin(link, pin_name("link"), &err), err);
	/* From this process's own namespace the record does not fit. */
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, pin_name("link"), NULL, &again, &err), err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "another network namespace");
	ck_assert_int_eq(test_shell("ip -n %s link set dev v0 xdp off", net.far), 0);
	EBPFNET_OPTS(ebpfnet_link_open_opts, p);
	p.netns_fd = net.far_fd;
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &again, &err), err,
		     -ENOLINK, EBPFNET_ERROR_DEFUNCT, "no longer runs");
	ck_assert_uint_eq(info_of(link).defunct, 1);
	ASSERT_OK(ebpfnet_link_unpin(link, &err), err);
	ebpfnet_link_close(link);
}
END_TEST

static struct ebpfnet_link *parents_link;

static int child_closes(void)
{
	struct ebpfnet_error *e = NULL;
	int ret = ebpfnet_link_detach(parents_link, &e);

	ebpfnet_error_free(e);
	ebpfnet_link_close(parents_link);
	return ret == -EPERM ? 0 : 1;
}

START_TEST(test_fork)
{
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	for (uint32_t via = EBPFNET_VIA_LINK; via <= EBPFNET_VIA_NETLINK; via++) {
		o.netns_fd = net.far_fd;
		o.via = via;
		ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &parents_link, &err), err);
		ck_assert_int_eq(in_child(child_closes), 0);
		assert_dropping(true);
		ASSERT_OK(ebpfnet_link_detach(parents_link, &err), err);
		assert_dropping(false);
		ASSERT_OK(ebpfnet_link_detach(parents_link, &err), err);
		ebpfnet_link_close(parents_link);
	}
}
END_TEST

START_TEST(test_killed)
{
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	for (uint32_t via = EBPFNET_VIA_LINK; via <= EBPFNET_VIA_NETLINK; via++) {
		int ready[2], status;
		char byte;
		pid_t pid;

		ck_assert_int_eq(pipe(ready), 0);
		pid = fork();
		if (pid == 0) {
			o.netns_fd = net.far_fd;
			o.via = via;
			if (ebpfnet_xdp_attach(drop, net.far_if, &o, &parents_link, NULL) == 0 &&
			    write(ready[1], "x", 1) == 1)
				pause();
			_exit(1);
		}
		close(ready[1]);
		ck_assert_int_eq(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		assert_dropping(true);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		/* The link goes with its process; over netlink the program stays
		 * (doc/OWNERSHIP.md). */
		assert_dropping(via == EBPFNET_VIA_NETLINK);
		test_shell("ip -n %s link set dev v0 xdp off", net.far);
	}
}
END_TEST

START_TEST(test_device_removed)
{
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	for (uint32_t via = EBPFNET_VIA_LINK; via <= EBPFNET_VIA_NETLINK; via++) {
		struct ebpfnet_link *link;

		o.netns_fd = net.far_fd;
		o.via = via;
		ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err);
		ck_assert_uint_eq(info_of(link).defunct, 0);
		ck_assert_int_eq(test_shell("ip -n %s link del v0", net.far), 0);
		ck_assert_uint_eq(info_of(link).defunct, 1);
		ck_assert_uint_eq(info_of(link).ifindex, 0);
		ASSERT_FAILS(ebpfnet_link_update(link, pass, NULL, NULL, &err), err, -ENOLINK,
			     EBPFNET_ERROR_DEFUNCT, "gone");
		ASSERT_OK(ebpfnet_link_detach(link, &err), err);
		ebpfnet_link_close(link);
		ASSERT_FAILS(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err, -ENODEV,
			     EBPFNET_ERROR_NOT_FOUND, "no such interface");
		end();
		begin();
	}
}
END_TEST

START_TEST(test_bad_input)
{
	struct ebpfnet_object *unloaded;
	struct ebpfnet_program *prog;
	struct ebpfnet_link *link = (void *)1;
	struct {
		struct ebpfnet_xdp_opts o;
		uint64_t newer;
	} tail = { .o = { .sz = sizeof(tail) }, .newer = 1 };

	ASSERT_FAILS(ebpfnet_xdp_attach(pass, 0, NULL, &link, &err), err, -ENODEV,
		     EBPFNET_ERROR_NOT_FOUND, "no such interface");
	ck_assert_ptr_null(link);
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, -3, NULL, &link, &err), err, -ENODEV,
		     EBPFNET_ERROR_NOT_FOUND, "no such interface");
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, 99999, NULL, &link, &err), err, -ENODEV,
		     EBPFNET_ERROR_NOT_FOUND, "no such interface");
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, net.far_if, &tail.o, &link, &err), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "knows");
	tail.newer = 0;
	tail.o.netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_xdp_attach(pass, net.far_if, &tail.o, &link, &err), err);
	ebpfnet_link_close(link);
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	ASSERT_FAILS(ebpfnet_xdp_attach(tc, net.far_if, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "is of type 3, not XDP");
	ASSERT_FAILS(ebpfnet_xdp_attach(cpumap, net.far_if, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "");
	o.mode = 7;
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, net.far_if, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "mode 7");
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("xdp"), NULL, &unloaded, &err), err);
	ASSERT_OK(ebpfnet_object_program(unloaded, "pass_all", &prog, &err), err);
	ASSERT_FAILS(ebpfnet_xdp_attach(prog, net.far_if, NULL, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "not loaded");
	o.mode = EBPFNET_XDP_NATIVE;
	o.expected = prog; /* must not be taken for "the hook must be free" */
	ASSERT_FAILS(ebpfnet_xdp_attach(pass, net.far_if, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "the expected program pass_all is not loaded");
	ebpfnet_object_close(unloaded);
	ck_assert_str_eq(attached(), "");
}
END_TEST

START_TEST(test_mtu)
{
	struct ebpfnet_link *link;

	/* Native XDP on veth without frags takes up to a page: the kernel's words must come
	 * through. */
	ck_assert_int_eq(
		test_shell("ip -n %s link set v0 mtu 9000 && ip -n %s link set v0 mtu 9000",
			   net.near, net.far),
		0);
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	int ret = ebpfnet_xdp_attach(pass, net.far_if, &o, &link, &err);

	ck_assert_int_lt(ret, 0);
	ck_assert_ptr_nonnull(ebpfnet_error_extack(err));
	ck_assert_msg(strstr(ebpfnet_error_message(err), ebpfnet_error_extack(err)) != NULL, "%s",
		      ebpfnet_error_message(err));
	ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_INVALID);
	ebpfnet_error_free(err);
	err = NULL;
	ck_assert_str_eq(attached(), "");
}
END_TEST

static bool refused(int ret, struct ebpfnet_error *e)
{
	bool yes = ret == -EPERM && ebpfnet_error_kind(e) == EBPFNET_ERROR_PERMISSION &&
		   ebpfnet_error_hint(e);

	if (!yes)
		test_print_error(e);
	ebpfnet_error_free(e);
	return yes;
}

/*
 * The kernel asks for capabilities where a program is loaded and where netlink attaches it; a link
 * is made by whoever holds a loaded program (measured on 6.18), so nothing is refused there.
 */
static int unprivileged(void)
{
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_object *other;
	struct ebpfnet_link *link;
	bool yes;
	int ret;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.via = EBPFNET_VIA_NETLINK;
	test_net_enter(net.far_fd);
	if (setresuid(65534, 65534, 65534))
		return 1;
	ret = ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &e);
	yes = refused(ret, e);
	e = NULL;
	ret = ebpfnet_object_open_builtin(ctx, "counter", NULL, &other, &e);
	if (ret == 0)
		ret = ebpfnet_object_load(other, &e);
	yes &= refused(ret, e);
	ebpfnet_object_close(other);
	return yes ? 0 : 1;
}

START_TEST(test_unprivileged)
{
	ck_assert_int_eq(in_child(unprivileged), 0);
	assert_dropping(false);
}
END_TEST

START_TEST(test_adopt)
{
	struct ebpfnet_link *link, *adopted;
	int fd;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err);
	fd = ebpfnet_link_fd(link);
	ck_assert_int_gt(fd, 2);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	ASSERT_OK(ebpfnet_link_open_fd(ctx, fd, &adopted, &err), err);
	ebpfnet_link_close(link);
	assert_dropping(true);
	ck_assert_uint_eq(info_of(adopted).program_id, id_of(drop));
	ebpfnet_link_close(adopted);
	assert_dropping(false);
	ASSERT_FAILS(ebpfnet_link_open_fd(ctx, ebpfnet_program_fd(drop), &adopted, &err), err,
		     -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "it is a program, not a link");
	ASSERT_FAILS(ebpfnet_link_open_fd(ctx, 999, &adopted, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "999");
}
END_TEST

START_TEST(test_update_of_a_pinned_link)
{
	struct ebpfnet_link *link, *again;
	struct ebpfnet_program *old;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	EBPFNET_OPTS(ebpfnet_link_open_opts, p);
	p.netns_fd = o.netns_fd = net.far_fd;
	for (uint32_t via = EBPFNET_VIA_LINK; via <= EBPFNET_VIA_NETLINK; via++) {
		o.via = via;
		ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err);
		ASSERT_OK(ebpfnet_link_pin(link, pin_name("link"), &err), err);
		ASSERT_OK(ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &again, &err), err);
		/* The second handle learns from the kernel which program it replaces. */
		ASSERT_OK(ebpfnet_link_update(again, pass, NULL, &old, &err), err);
		ck_assert_uint_eq(id_of(old), id_of(drop));
		ebpfnet_program_close(old);
		/* And so does the first, whose program was replaced behind its back. */
		ASSERT_OK(ebpfnet_link_update(link, drop, NULL, &old, &err), err);
		ck_assert_uint_eq(id_of(old), id_of(pass));
		ebpfnet_program_close(old);
		ebpfnet_link_close(again);
		ebpfnet_link_close(link);
		assert_dropping(true);
		/* The pin holds what is attached now. */
		ASSERT_OK(ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &again, &err), err);
		ck_assert_uint_eq(info_of(again).program_id, id_of(drop));
		ASSERT_OK(ebpfnet_link_detach(again, &err), err);
		assert_dropping(false);
		ASSERT_FAILS(ebpfnet_link_update(again, drop, NULL, NULL, &err), err, -ENOLINK,
			     EBPFNET_ERROR_DEFUNCT, "detached");
		ASSERT_OK(ebpfnet_link_unpin(again, &err), err);
		ASSERT_FAILS(ebpfnet_link_pin(again, pin_name("link"), &err), err, -ENOLINK,
			     EBPFNET_ERROR_DEFUNCT, "detached");
		ebpfnet_link_close(again);
	}
}
END_TEST

START_TEST(test_pins_that_are_no_links)
{
	struct ebpfnet_link *link;
	struct ebpfnet_map *map;
	char record[160];

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	ASSERT_OK(ebpfnet_map_pin(map, pin_name("map"), &err), err);
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, pin_name("map"), NULL, &link, &err), err,
		     -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "a map is pinned there");
	ck_assert_ptr_null(link);
	ASSERT_OK(ebpfnet_program_pin(drop, pin_name("program"), &err), err);
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, pin_name("program"), NULL, &link, &err), err,
		     -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "no record");
	/* A map that is no record of ours in the record's place. */
	snprintf(record, sizeof(record), "%s-record", pin_name("program"));
	ASSERT_OK(ebpfnet_map_pin(map, record, &err), err);
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, pin_name("program"), NULL, &link, &err), err,
		     -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "not a record of this version");
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, pin_name("absent"), NULL, &link, &err), err,
		     -ENOENT, EBPFNET_ERROR_NOT_FOUND, "absent");
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, "/etc/passwd", NULL, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "not on a bpffs");
	/* Over netlink two files are pinned: if one place is taken, neither stays. */
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	o.via = EBPFNET_VIA_NETLINK;
	ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err);
	ASSERT_FAILS(ebpfnet_link_pin(link, pin_name("map"), &err), err, -EEXIST,
		     EBPFNET_ERROR_BUSY, "it holds a map");
	snprintf(record, sizeof(record), "%s-record", pin_name("map"));
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, record, NULL, &(struct ebpfnet_link *) { NULL },
					      &err),
		     err, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "");
	ebpfnet_link_close(link);
}
END_TEST

START_TEST(test_generic_reopened)
{
	struct ebpfnet_link *link, *again;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	EBPFNET_OPTS(ebpfnet_link_open_opts, p);
	p.netns_fd = o.netns_fd = net.far_fd;
	o.mode = EBPFNET_XDP_GENERIC;
	for (uint32_t via = EBPFNET_VIA_LINK; via <= EBPFNET_VIA_NETLINK; via++) {
		o.via = via;
		ASSERT_OK(ebpfnet_xdp_attach(drop, net.far_if, &o, &link, &err), err);
		ASSERT_OK(ebpfnet_link_pin(link, pin_name("link"), &err), err);
		ASSERT_OK(ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &again, &err), err);
		ck_assert_uint_eq(info_of(again).mode, EBPFNET_XDP_GENERIC);
		ebpfnet_link_close(again);
		ASSERT_OK(ebpfnet_link_unpin(link, &err), err);
		ebpfnet_link_close(link);
		assert_dropping(false);
	}
}
END_TEST

#define RACE_UPDATES (test_quick() ? 50u : 200u)

static struct race {
	struct ebpfnet_link *link;
	struct ebpfnet_program *install;
	unsigned int replaced_pass, replaced_drop;
	bool failed;
} race[2];

static void *race_updates(void *arg)
{
	struct race *r = arg;

	for (unsigned int i = 0; i < RACE_UPDATES; i++) {
		struct ebpfnet_program_info info = { .sz = sizeof(info) };
		struct ebpfnet_program *old;

		if (ebpfnet_link_update(r->link, r->install, NULL, &old, NULL) < 0 ||
		    ebpfnet_program_info(old, &info, NULL) < 0) {
			r->failed = true;
			return NULL;
		}
		if (strcmp(info.name, "pass_all") == 0)
			r->replaced_pass++;
		else
			r->replaced_drop++;
		ebpfnet_program_close(old);
	}
	return NULL;
}

/*
 * Two owners of one link, each installing its own program and told which one it replaced. Told
 * truly, every installed program is replaced exactly once, except the last one.
 */
START_TEST(test_old_program_in_a_race)
{
	struct ebpfnet_link *link;
	pthread_t threads[2];
	unsigned int pass_out, drop_out;
	bool pass_last;
	int lo;

	/* Generic XDP is updated without waiting for the driver. */
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	o.mode = EBPFNET_XDP_GENERIC;
	test_net_enter(net.far_fd);
	lo = (int)if_nametoindex("lo");
	test_net_enter(-1);
	ASSERT_OK(ebpfnet_xdp_attach(pass, lo, &o, &link, &err), err);
	for (int i = 0; i < 2; i++) {
		memset(&race[i], 0, sizeof(race[i]));
		race[i].install = i ? drop : pass;
		ASSERT_OK(ebpfnet_link_open_fd(ctx, ebpfnet_link_fd(link), &race[i].link, &err),
			  err);
		ck_assert_int_eq(pthread_create(&threads[i], NULL, race_updates, &race[i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		ck_assert(!race[i].failed);
		ebpfnet_link_close(race[i].link);
	}
	pass_last = info_of(link).program_id == id_of(pass);
	pass_out = race[0].replaced_pass + race[1].replaced_pass;
	drop_out = race[0].replaced_drop + race[1].replaced_drop;
	/* One pass was there from the start. */
	ck_assert_uint_eq(pass_out, RACE_UPDATES + 1 - pass_last);
	ck_assert_uint_eq(drop_out, RACE_UPDATES - !pass_last);
	ebpfnet_link_close(link);
}
END_TEST

START_TEST(test_bad_options_of_links)
{
	struct ebpfnet_link *link, *other;
	struct {
		struct ebpfnet_link_update_opts o;
		uint64_t newer;
	} update = { .o = { .sz = sizeof(update) }, .newer = 1 };
	struct {
		struct ebpfnet_link_open_opts o;
		uint64_t newer;
	} open = { .o = { .sz = sizeof(open) }, .newer = 1 };
	struct ebpfnet_link_info tiny = { .sz = 0 };
	struct ebpfnet_xdp_opts short_opts = { .sz = 1 };

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_xdp_attach(pass, net.far_if, &o, &link, &err), err);
	ASSERT_FAILS(ebpfnet_link_update(link, drop, &update.o, NULL, &err), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "knows");
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, "x", &open.o, &other, &err), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "knows");
	ck_assert_ptr_null(other);
	ASSERT_FAILS(ebpfnet_xdp_attach(drop, net.far_if, &short_opts, &other, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "EBPFNET_OPTS");
	ASSERT_FAILS(ebpfnet_link_info(link, &tiny, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "sz");
	ebpfnet_link_close(link);
	ebpfnet_link_close(NULL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_verdict_and_count,
		test_modes,
		test_taken,
		test_namespaces,
		test_namespace_in_fd_0,
		test_update,
		test_expected_at_attach,
		test_pin,
		test_pin_refused,
		test_fork,
		test_killed,
		test_device_removed,
		test_bad_input,
		test_mtu,
		test_unprivileged,
		test_adopt,
		test_update_of_a_pinned_link,
		test_pins_that_are_no_links,
		test_generic_reopened,
		test_old_program_in_a_race,
		test_bad_options_of_links,
	};

	test_need_root();
	return test_run(
		test_suite_around("xdp", tests, sizeof(tests) / sizeof(*tests), 60, begin, end));
}
