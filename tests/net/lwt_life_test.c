// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The life of a route with programs, and every refusal. */
#include "lwt_fixture.h"

#include <signal.h>
#include <sys/wait.h>

/* iproute2's view: how many routes of near carry a program. */
static int routes(void)
{
	char out[16];

	test_shell_output(
		out, sizeof(out),
		"{ ip -n %s -4 route show table all; ip -n %s -6 route show table all; } | "
		"grep -c 'encap bpf'",
		net.near, net.near);
	return atoi(out);
}

START_TEST(test_update)
{
	struct ebpfnet_lwt_opts o;
	struct ebpfnet_program *old;
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_link_update_opts, u);
	near_opts(&o);
	link = attach("pass_out", TEST_FAR4, &o);
	ASSERT_OK(ebpfnet_link_update(link, program("drop_out"), NULL, NULL, &err), err);
	ck_assert_int_eq(ping(TEST_FAR4), 0);
	ck_assert_int_eq(routes(), 1);
	ck_assert_uint_eq(info_of(link).program_id, id_of(program("drop_out")));
	ASSERT_FAILS(ebpfnet_link_update(link, program("pass_xmit"), NULL, NULL, &err), err,
		     -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "type");
	u.expected = program("drop_out");
	ASSERT_FAILS(ebpfnet_link_update(link, program("pass_out"), &u, NULL, &err), err,
		     -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "");
	ASSERT_OK(ebpfnet_link_update(link, program("pass_out"), NULL, &old, &err), err);
	ck_assert_uint_eq(id_of(old), id_of(program("drop_out")));
	ck_assert_int_eq(ping(TEST_FAR4), PACKETS);
	ASSERT_OK(ebpfnet_link_update(link, old, NULL, NULL, &err), err);
	ebpfnet_program_close(old);
	ck_assert_int_eq(ping(TEST_FAR4), 0);
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ck_assert_int_eq(routes(), 0);
	ebpfnet_link_close(link);
}
END_TEST

/* Route and program in another table, with a gateway and a metric: what info and detach go by. */
START_TEST(test_places)
{
	struct ebpfnet_lwt_opts o;
	struct ebpfnet_link *one, *two;

	near_opts(&o);
	for (int six = 0; six < 2; six++) {
		const char *to = six ? "fd99::/64" : "10.99.0.0/16";

		o.gateway = six ? TEST_FAR6 : TEST_FAR4;
		o.table = 4242;
		o.metric = 7;
		one = attach("pass_out", to, &o);
		ck_assert_uint_eq(info_of(one).handle, 4242);
		ck_assert_int_eq(info_of(one).priority, 7);
		ck_assert_uint_eq(info_of(one).ifindex, (uint32_t)net.near_if);
		ck_assert_uint_eq(info_of(one).family, six ? AF_INET6 : AF_INET);
		o.metric = 8;
		two = attach("drop_out", to, &o);
		ck_assert_int_eq(routes(), 2);
		ebpfnet_link_close(one);
		ck_assert_int_eq(routes(), 1);
		ck_assert_uint_eq(info_of(two).defunct, 0);
		ebpfnet_link_close(two);
		ck_assert_int_eq(routes(), 0);
	}
	o.table = 0;
	o.gateway = TEST_FAR4;
	o.ifindex = 0; /* the gateway's */
	one = attach("pass_out", "0.0.0.0/0", &o);
	ck_assert_uint_eq(info_of(one).ifindex, (uint32_t)net.near_if);
	ebpfnet_link_close(one);
	ck_assert_int_eq(routes(), 0);
}
END_TEST

static int reopen(void *data)
{
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_link_open_opts, o);
	(void)data;
	o.netns_fd = net.near_fd;
	CHILD_NEEDS(ebpfnet_link_open_pinned(ctx, pin, &o, &link, &e) == 0);
	CHILD_NEEDS(ebpfnet_link_update(link, program("pass_out"), NULL, NULL, &e) == 0);
	CHILD_NEEDS(ping(TEST_FAR6) == PACKETS);
	CHILD_NEEDS(ebpfnet_link_update(link, program("drop_out"), NULL, NULL, &e) == 0);
	ebpfnet_link_close(link);
	return 0;
}

START_TEST(test_pin)
{
	struct ebpfnet_lwt_opts o;
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_link_open_opts, p);
	test_need_bpffs();
	near_opts(&o);
	p.netns_fd = net.near_fd;
	link = attach("drop_out", TEST_FAR6, &o);
	ASSERT_OK(ebpfnet_link_pin(link, pin, &err), err);
	ebpfnet_link_close(link);
	ck_assert_int_eq(ping(TEST_FAR6), 0);
	ck_assert_int_eq(test_in_child(reopen, NULL), 0);
	ck_assert_int_eq(ping(TEST_FAR6), 0);
	ASSERT_OK(ebpfnet_link_open_pinned(ctx, pin, &p, &link, &err), err);
	ck_assert_uint_eq(info_of(link).kind, EBPFNET_LINK_LWT);
	ck_assert_uint_eq(info_of(link).hook, EBPFNET_LWT_OUT);
	ck_assert_uint_eq(info_of(link).pinned, 1);
	ck_assert_uint_eq(info_of(link).program_id, id_of(program("drop_out")));
	ASSERT_OK(ebpfnet_link_unpin(link, &err), err);
	ebpfnet_link_close(link);
	ck_assert_int_eq(ping(TEST_FAR6), PACKETS);
	/* A pin whose route another has taken away. */
	link = attach("drop_out", TEST_FAR6, &o);
	ASSERT_OK(ebpfnet_link_pin(link, pin, &err), err);
	ck_assert_int_eq(test_shell("ip -n %s -6 route del " TEST_FAR6, net.near), 0);
	ck_assert_uint_eq(info_of(link).defunct, 1);
	struct ebpfnet_link *again;
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, pin, &p, &again, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "-record");
	ASSERT_FAILS(ebpfnet_link_update(link, program("pass_out"), NULL, NULL, &err), err,
		     -ENOLINK, EBPFNET_ERROR_DEFUNCT, "gone");
	ASSERT_OK(ebpfnet_link_unpin(link, &err), err);
	ebpfnet_link_close(link);
}
END_TEST

/* What carries another program by now is left alone, and so is a route of the same destination. */
START_TEST(test_not_ours)
{
	struct ebpfnet_lwt_opts o;
	struct ebpfnet_link *link;

	near_opts(&o);
	for (int six = 0; six < 2; six++) {
		const char *dash6 = six ? "-6" : "-4", *far = six ? TEST_FAR6 : TEST_FAR4;
		char out[256];

		link = attach("drop_out", far, &o);
		ck_assert_int_eq(test_shell("ip -n %s %s route replace %s dev v0 proto static%s",
					    net.near, dash6, far, six ? " metric 1024" : ""),
				 0);
		ck_assert_uint_eq(info_of(link).defunct, 1);
		ck_assert_uint_eq(info_of(link).program_id, 0);
		ebpfnet_link_close(link);
		ck_assert_int_eq(test_shell_output(out, sizeof(out), "ip -n %s %s route show %s",
						   net.near, dash6, far),
				 0);
		ck_assert_ptr_nonnull(strstr(out, "v0"));
		ASSERT_FAILS(ebpfnet_lwt_attach(program("drop_out"), far, &o, &link, &err), err,
			     -EEXIST, EBPFNET_ERROR_BUSY, "metric");
		ck_assert_ptr_null(link);
		ck_assert_int_eq(test_shell("ip -n %s %s route del %s", net.near, dash6, far), 0);
	}
}
END_TEST

START_TEST(test_killed)
{
	struct ebpfnet_lwt_opts o;
	struct ebpfnet_link *link;
	int ready[2], status;
	char byte;
	pid_t pid;

	near_opts(&o);
	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (ebpfnet_lwt_attach(program("drop_out"), TEST_FAR4, &o, &link, NULL) == 0 &&
		    write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ck_assert_int_eq(ping(TEST_FAR4), 0); /* doc/OWNERSHIP.md */
	ck_assert_int_eq(routes(), 1);
}
END_TEST

START_TEST(test_device_removed)
{
	struct ebpfnet_lwt_opts o;
	struct ebpfnet_link *link;

	near_opts(&o);
	link = attach("drop_out", TEST_FAR6, &o);
	ck_assert_int_eq(test_shell("ip -n %s link del v0", net.near), 0);
	ck_assert_uint_eq(info_of(link).defunct, 1);
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ebpfnet_link_close(link);
}
END_TEST

static int try_attach(const char *name, const char *to, const struct ebpfnet_lwt_opts *o)
{
	struct ebpfnet_link *link;
	int ret = ebpfnet_lwt_attach(program(name), to, o, &link, &err);

	ck_assert_int_eq(ret == 0, link != NULL);
	ebpfnet_link_close(link);
	return ret;
}

START_TEST(test_refused)
{
	static const char *const bad[] = { "",		"10.0.0.0/33", "10.0.0/8", "fd00::/129",
					   "10.0.0.0/", "10.0.0.0/8x", "nowhere",  "fd00:/64" };
	struct ebpfnet_lwt_opts o;

	near_opts(&o);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ASSERT_FAILS(try_attach("drop_out", bad[i], &o), err, -EINVAL,
			     EBPFNET_ERROR_INVALID, "is not a destination");
	ASSERT_FAILS(try_attach("drop_out", "10.0.0.1/8", &o), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "behind its prefix");
	ASSERT_FAILS(try_attach("not_for_routes", TEST_FAR4, &o), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "SEC(\"lwt_in\")");
	ASSERT_FAILS(try_attach("pass_seg6local", TEST_FAR4, &o), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "IPv6");
	o.gateway = TEST_FAR6;
	ASSERT_FAILS(try_attach("drop_out", TEST_FAR4, &o), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "family");
	o.gateway = "10.200.0.1";
	ASSERT_FAILS(try_attach("drop_out", TEST_FAR4, &o), err, -ENETUNREACH,
		     EBPFNET_ERROR_INVALID, "gateway");
	o.gateway = NULL;
	o.more[0] = program("pass_out");
	ASSERT_FAILS(try_attach("drop_out", TEST_FAR4, &o), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "second of its type");
	o.more[0] = NULL;
	o.headroom = 16;
	ASSERT_FAILS(try_attach("drop_out", TEST_FAR4, &o), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "headroom");
	o.headroom = 0;
	o.ifindex = 9999;
	ASSERT_FAILS(try_attach("drop_out", TEST_FAR4, &o), err, -ENODEV, EBPFNET_ERROR_NOT_FOUND,
		     "no such interface");
	o.ifindex = 0;
	ASSERT_FAILS(try_attach("drop_out", TEST_FAR4, &o), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "gateway, ifindex or both");
	ASSERT_FAILS(try_attach("drop_out", TEST_FAR4, NULL), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "is not said");
	o.ifindex = net.near_if;
	o.netns_fd = 999;
	ASSERT_FAILS(try_attach("drop_out", TEST_FAR4, &o), err, -EBADF, EBPFNET_ERROR_INVALID,
		     "999");
	ck_assert_int_eq(routes(), 0);
}
END_TEST

static int unprivileged(void *data)
{
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_lwt_opts o;
	struct ebpfnet_link *link;

	near_opts(&o);
	o.netns_fd = 0;
	test_net_enter(net.near_fd);
	CHILD_NEEDS(setresuid(65534, 65534, 65534) == 0);
	CHILD_NEEDS(ebpfnet_lwt_attach(data, TEST_FAR4, &o, &link, &e) == -EPERM);
	CHILD_NEEDS(ebpfnet_error_kind(e) == EBPFNET_ERROR_PERMISSION);
	CHILD_NEEDS(test_error_says(e, "CAP_NET_ADMIN"));
	ebpfnet_error_free(e);
	return 0;
}

START_TEST(test_unprivileged)
{
	ck_assert_int_eq(test_in_child(unprivileged, program("drop_out")), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_update, test_places,	  test_pin,	test_not_ours,
		test_killed, test_device_removed, test_refused, test_unprivileged,
	};

	test_need_root();
	need_lwt();
	return test_run(test_suite_around("lwt_life", tests, sizeof(tests) / sizeof(*tests), 60,
					  begin, end));
}
