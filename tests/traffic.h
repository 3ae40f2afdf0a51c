/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_TRAFFIC_H
#define EBPFNET_TESTS_TRAFFIC_H

/*
 * Real sockets in namespaces, for tests that count what they sent and what arrived. A namespace is
 * an fd as in struct test_net; -1 is this thread's own. The thread is back at home after each call.
 */

#include <stdint.h>

/* "TCP over IPv4" and so on, for messages and loops: 0 to 3. */
#define TRAFFIC_KINDS 4
struct traffic_kind {
	const char *name;
	int family; /* AF_INET or AF_INET6 */
	int type;   /* SOCK_STREAM or SOCK_DGRAM */
};
extern const struct traffic_kind traffic_kinds[TRAFFIC_KINDS];

/* Waits until both ends of a net reach each other by both families: IPv6 takes a moment. */
struct test_net;
void traffic_ready(const struct test_net *net);

/* A socket that is bound, and listens if it can; addr NULL is any. The caller closes it. */
int traffic_listen(int netns, const struct traffic_kind *kind, const char *addr, uint16_t port);

/*
 * TCP: n connections, one after the other, closed at once; UDP: n datagrams from one socket, and
 * size bytes each (TCP ignores it). Returns how many connections came about, or how many datagrams
 * were sent; *last_errno says why the last one did not: ECONNREFUSED, ETIMEDOUT after 150 ms, ...
 */
int traffic_send(int netns, const struct traffic_kind *kind, const char *addr, uint16_t port, int n,
		 int size, int *last_errno);

/* How many connections or datagrams wait at a socket, taken from it; looks for want of them. */
int traffic_arrived(int fd, int want);

#endif /* EBPFNET_TESTS_TRAFFIC_H */
