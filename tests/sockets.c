// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers.h"

#define ARRIVES_MS 2000
#define SILENT_MS 50

void test_loopback_only(void)
{
	/* Before the suite runs: Check's assertions cannot be used yet. */
	if (unshare(CLONE_NEWNET) || test_shell("ip link set lo up")) {
		perror("a network namespace with a loopback");
		exit(1);
	}
}

static socklen_t loopback(int family, uint16_t port, struct sockaddr_storage *address)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
	struct sockaddr_in *four = (struct sockaddr_in *)address;

	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	if (family == AF_INET6) {
		six->sin6_addr = in6addr_loopback;
		six->sin6_port = htons(port);
		return sizeof(*six);
	}
	four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	four->sin_port = htons(port);
	return sizeof(*four);
}

static uint16_t port_of(int sock)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	ck_assert_int_eq(getsockname(sock, (struct sockaddr *)&address, &len), 0);
	/* The port of IPv4 and IPv6 is at the same place. */
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

int test_bound(int family, int type, uint16_t *port)
{
	int sock = socket(family, type | SOCK_CLOEXEC, 0);
	struct sockaddr_storage address;
	socklen_t len = loopback(family, 0, &address);

	ck_assert_int_ge(sock, 0);
	ck_assert_int_eq(bind(sock, (struct sockaddr *)&address, len), 0);
	*port = port_of(sock);
	return sock;
}

static void connect_to(int sock, int family, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t len = loopback(family, port, &address);

	ck_assert_int_eq(connect(sock, (struct sockaddr *)&address, len), 0);
}

struct test_pair test_pair_open(int family, int type)
{
	struct test_pair pair;
	uint16_t near, far;
	int ends[2], listener;

	if (family == AF_UNIX) {
		ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
		return (struct test_pair) { ends[0], ends[1] };
	}
	pair.near = test_bound(family, type, &near);
	listener = test_bound(family, type, &far);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(listener, 1), 0);
	connect_to(pair.near, family, far);
	if (type == SOCK_STREAM) {
		pair.far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		close(listener);
	} else {
		pair.far = listener;
		connect_to(pair.far, family, near);
	}
	ck_assert_int_ge(pair.far, 0);
	return pair;
}

void test_pair_close(struct test_pair *pair)
{
	if (pair->near >= 0)
		close(pair->near);
	if (pair->far >= 0)
		close(pair->far);
	pair->near = pair->far = -1;
}

long test_send(int sock, const char *text)
{
	ssize_t n = send(sock, text, strlen(text), MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

int test_arrives(int sock, const char *text)
{
	struct pollfd ready = { .fd = sock, .events = POLLIN };
	size_t want = strlen(text), have = 0;
	char got[4096];

	while (have < want && poll(&ready, 1, ARRIVES_MS) == 1) {
		ssize_t n = recv(sock, got + have, sizeof(got) - have, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		have += n > 0 ? (size_t)n : 0;
	}
	if (have == want && memcmp(got, text, want) == 0)
		return 1;
	printf("wanted %zu bytes \"%s\", got %zu \"%.*s\"\n", want, text, have, (int)have, got);
	return 0;
}

int test_silent(int sock)
{
	struct pollfd ready = { .fd = sock, .events = POLLIN };
	char byte;

	if (recv(sock, &byte, 1, MSG_DONTWAIT) >= 0)
		return 0;
	return poll(&ready, 1, SILENT_MS) == 0 || recv(sock, &byte, 1, MSG_DONTWAIT) < 0;
}
