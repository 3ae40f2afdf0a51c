/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_SOCKETS_H
#define EBPFNET_TESTS_SOCKETS_H

/* Connected pairs of real sockets, and what arrives at them. */

#include <stddef.h>
#include <stdint.h>

struct test_pair {
	int near, far;
};

/* Moves the process into a network namespace of its own, of which only the loopback is there. */
void test_loopback_only(void);

/* A socket bound to a port of the loopback, which *port gets; AF_INET, AF_INET6. */
int test_bound(int family, int type, uint16_t *port);

/* Two sockets joined over the loopback (AF_INET, AF_INET6) or directly (AF_UNIX). */
struct test_pair test_pair_open(int family, int type);
void test_pair_close(struct test_pair *pair);

/* Sends a text without its NUL. Returns the bytes sent, or -errno. */
long test_send(int sock, const char *text);

/* Reads until as many bytes as the text has are there, or 2 seconds are over; true if they are it.
 */
int test_arrives(int sock, const char *text);

/* Nothing can be read, now and 50 ms later. */
int test_silent(int sock);

#endif /* EBPFNET_TESTS_SOCKETS_H */
