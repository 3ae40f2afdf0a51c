/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_NETNS_H
#define EBPFNET_TESTS_NETNS_H

/*
 * Two namespaces of the test's own, joined by a veth pair: "near" and "far". Every name holds the
 * process id; whatever happens, test_net_close() or the end of the process removes them.
 */

#include <stdint.h>

struct test_net {
	char near[32], far[32]; /* names of the namespaces */
	int near_fd, far_fd;	/* open on them, above 2 */
	int near_if, far_if;	/* ifindex of each end; both are called v0 */
};

#define TEST_NEAR4 "10.77.0.1"
#define TEST_FAR4 "10.77.0.2"
#define TEST_NEAR6 "fd77::1"
#define TEST_FAR6 "fd77::2"

/* Makes it. With up 0 the ends stay down, so that every counter is 0 until test_net_up(). */
void test_net_open(struct test_net *net, int up);
void test_net_up(const struct test_net *net);
void test_net_close(struct test_net *net);

/* Moves this thread; fd -1 is where the process began. */
void test_net_enter(int fd);

/* A statistic of an interface in this thread's namespace, from /sys/class/net/NAME/statistics. */
uint64_t test_net_statistic(const struct test_net *net, int far, const char *name);

/* Sends n echo requests from near to far, 4 or 6; returns how many were answered. */
int test_net_ping(const struct test_net *net, int family, int n);

#endif /* EBPFNET_TESTS_NETNS_H */
