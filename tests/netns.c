// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "netns.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"

static int home = -1;
static struct test_net *open_net;

static void close_at_exit(void)
{
	if (open_net)
		test_net_close(open_net);
}

static int open_ns(const char *name)
{
	char path[64];
	int fd, safe;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s", path);
	safe = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	return safe;
}

static int index_in(int ns)
{
	int index;

	test_net_enter(ns);
	index = (int)if_nametoindex("v0");
	test_net_enter(-1);
	ck_assert_int_gt(index, 0);
	return index;
}

void test_net_open(struct test_net *net, int up)
{
	static bool registered;

	if (home < 0)
		home = fcntl(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), F_DUPFD_CLOEXEC, 3);
	memset(net, 0, sizeof(*net));
	snprintf(net->near, sizeof(net->near), "ebn-near-%d", getpid());
	snprintf(net->far, sizeof(net->far), "ebn-far-%d", getpid());
	open_net = net;
	if (!registered)
		atexit(close_at_exit);
	registered = true;
	/* No address detection, no router solicitation, no multicast reports: a quiet wire. */
	ck_assert_int_eq(
		test_shell("for n in %s %s; do ip netns add $n || exit 1; ip netns exec $n sh -c '"
			   "for i in all default; do for k in accept_dad=0 accept_ra=0 "
			   "router_solicitations=0 addr_gen_mode=1; do "
			   "echo ${k#*=} >/proc/sys/net/ipv6/conf/$i/${k%%=*}; done; done'; done",
			   net->near, net->far),
		0);
	ck_assert_int_eq(test_shell("ip -n %s link add v0 type veth peer name v0 netns %s && "
				    "ip -n %s addr add " TEST_NEAR4 "/24 dev v0 && "
				    "ip -n %s addr add " TEST_FAR4 "/24 dev v0 && "
				    "ip -n %s addr add " TEST_NEAR6 "/64 dev v0 nodad && "
				    "ip -n %s addr add " TEST_FAR6 "/64 dev v0 nodad",
				    net->near, net->far, net->near, net->far, net->near, net->far),
			 0);
	net->near_fd = open_ns(net->near);
	net->far_fd = open_ns(net->far);
	net->near_if = index_in(net->near_fd);
	net->far_if = index_in(net->far_fd);
	if (up)
		test_net_up(net);
}

void test_net_up(const struct test_net *net)
{
	ck_assert_int_eq(test_shell("for n in %s %s; do ip -n $n link set lo up && "
				    "ip -n $n link set v0 up || exit 1; done",
				    net->near, net->far),
			 0);
}

void test_net_close(struct test_net *net)
{
	test_net_enter(-1);
	if (net->near_fd > 0)
		close(net->near_fd);
	if (net->far_fd > 0)
		close(net->far_fd);
	/* The pair goes with its namespaces, but only when the kernel gets to it: be certain. */
	test_shell(
		"ip -n %s link del v0 2>/dev/null; for n in %s %s; do ip netns del $n 2>/dev/null; "
		"done",
		net->near, net->near, net->far);
	net->near_fd = net->far_fd = 0;
	open_net = NULL;
}

void test_net_enter(int fd)
{
	if (home >= 0)
		ck_assert_int_eq(setns(fd < 0 ? home : fd, CLONE_NEWNET), 0);
}

uint64_t test_net_statistic(const struct test_net *net, int far, const char *name)
{
	char out[32];

	ck_assert_int_eq(test_shell_output(out, sizeof(out),
					   "ip netns exec %s cat /sys/class/net/v0/statistics/%s",
					   far ? net->far : net->near, name),
			 0);
	return strtoull(out, NULL, 10);
}

int test_net_ping(const struct test_net *net, int family, int n)
{
	char out[4096];
	const char *received;

	test_shell_output(out, sizeof(out), "ip netns exec %s ping -%d -i 0.02 -c %d -W 1 %s 2>&1",
			  net->near, family, n, family == 4 ? TEST_FAR4 : TEST_FAR6);
	received = strstr(out, " received");
	while (received && received > out && received[-1] != ' ')
		received--;
	return received ? atoi(received) : -1;
}
