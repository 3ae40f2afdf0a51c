// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "netns.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers.h"

#define NEAR_MAC "02:00:00:00:77:01"
#define FAR_MAC "02:00:00:00:77:02"

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
		test_shell("printf 'netns add %%s\\n' %s %s | ip -batch - || exit 1; "
			   "for n in %s %s; do ip netns exec $n sh -c '"
			   "for i in all default; do for k in accept_dad=0 accept_ra=0 "
			   "router_solicitations=0 addr_gen_mode=1; do "
			   "echo ${k#*=} >/proc/sys/net/ipv6/conf/$i/${k%%=*}; done; done'; done",
			   net->near, net->far, net->near, net->far),
		0);
	/*
	 * Neighbours are given: an answer to a lost request would come a second late. Indexes differ: else
	 * (index = peer's index) the kernel takes its time to say that the carrier is there.
	 */
	ck_assert_int_eq(test_shell("ip -n %s -batch - <<EOF && ip -n %s -batch - <<EOF2\n"
				    "link add v0 index 20 address " NEAR_MAC
				    " type veth peer name v0 "
				    "address " FAR_MAC " netns %s\n"
				    "addr add " TEST_NEAR4 "/24 dev v0\n"
				    "addr add " TEST_NEAR6 "/64 dev v0 nodad\n"
				    "EOF\n"
				    "addr add " TEST_FAR4 "/24 dev v0\n"
				    "addr add " TEST_FAR6 "/64 dev v0 nodad\n"
				    "EOF2\n",
				    net->near, net->far, net->far),
			 0);
	net->near_fd = open_ns(net->near);
	net->far_fd = open_ns(net->far);
	net->near_if = index_in(net->near_fd);
	net->far_if = index_in(net->far_fd);
	if (up)
		test_net_up(net);
}

/* A device that is up drops what it is given until it runs. */
static void wait_running(int ns)
{
	struct ifreq ifr = { .ifr_name = "v0" };
	int s, tries = 0;

	test_net_enter(ns);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	while (ioctl(s, SIOCGIFFLAGS, &ifr) == 0 && !(ifr.ifr_flags & IFF_RUNNING) && tries++ < 400)
		usleep(5000);
	close(s);
	test_net_enter(-1);
	ck_assert_msg(tries < 400, "v0 is up and does not run");
}

void test_net_up(const struct test_net *net)
{
	/* The last line fails where a test has switched IPv6 off. */
	static const char commands[] = "ip -n %s -batch - <<EOF || exit 99\n"
				       "link set lo up\n"
				       "link set v0 up\n"
				       "neigh replace %s lladdr %s dev v0 nud permanent\n"
				       "EOF\n"
				       "ip -n %s neigh replace %s lladdr %s dev v0 nud permanent "
				       "2>/dev/null || true\n";

	ck_assert_int_eq(
		test_shell(commands, net->near, TEST_FAR4, FAR_MAC, net->near, TEST_FAR6, FAR_MAC),
		0);
	ck_assert_int_eq(test_shell(commands, net->far, TEST_NEAR4, NEAR_MAC, net->far, TEST_NEAR6,
				    NEAR_MAC),
			 0);
	wait_running(net->near_fd);
	wait_running(net->far_fd);
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

	test_shell_output(out, sizeof(out),
			  "ip netns exec %s ping -%d -i 0.02 -c %d -W 0.5 %s 2>&1", net->near,
			  family, n, family == 4 ? TEST_FAR4 : TEST_FAR6);
	received = strstr(out, " received");
	while (received && received > out && received[-1] != ' ')
		received--;
	return received ? atoi(received) : -1;
}
