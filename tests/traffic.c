// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "traffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers.h"
#include "netns.h"

/* A SYN that is lost is sent again after a second: by then the connection is given up. */
#define CONNECT_MS 150
/* How long a packet may be on its way through the kernel of an emulated machine. */
#define ARRIVE_MS 250

const struct traffic_kind traffic_kinds[TRAFFIC_KINDS] = {
	{ "TCP over IPv4", AF_INET, SOCK_STREAM },
	{ "UDP over IPv4", AF_INET, SOCK_DGRAM },
	{ "TCP over IPv6", AF_INET6, SOCK_STREAM },
	{ "UDP over IPv6", AF_INET6, SOCK_DGRAM },
};

void traffic_ready(const struct test_net *net)
{
	ck_assert_int_eq(test_net_ping(net, 4, 1), 1);
	for (int i = 0; i < 20 && test_net_ping(net, 6, 1) != 1; i++)
		usleep(50000);
	ck_assert_int_eq(test_net_ping(net, 6, 1), 1);
}

static socklen_t address(const struct traffic_kind *kind, const char *addr, uint16_t port,
			 struct sockaddr_storage *out)
{
	struct sockaddr_in *in4 = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;

	memset(out, 0, sizeof(*out));
	out->ss_family = (sa_family_t)kind->family;
	if (kind->family == AF_INET) {
		in4->sin_port = htons(port);
		ck_assert(!addr || inet_pton(AF_INET, addr, &in4->sin_addr) == 1);
		return sizeof(*in4);
	}
	in6->sin6_port = htons(port);
	ck_assert(!addr || inet_pton(AF_INET6, addr, &in6->sin6_addr) == 1);
	return sizeof(*in6);
}

static int socket_in(int netns, const struct traffic_kind *kind)
{
	int fd, one = 1;

	if (netns >= 0)
		test_net_enter(netns);
	fd = socket(kind->family, kind->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (netns >= 0)
		test_net_enter(-1);
	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (kind->family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, 26 /* IPV6_V6ONLY */, &one, sizeof(one));
	return fd;
}

int traffic_listen(int netns, const struct traffic_kind *kind, const char *addr, uint16_t port)
{
	int fd = socket_in(netns, kind);
	struct sockaddr_storage sa;
	socklen_t len = address(kind, addr, port, &sa);

	ck_assert_msg(bind(fd, (void *)&sa, len) == 0, "bind %s port %u: %s", kind->name, port,
		      strerror(errno));
	if (kind->type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 128), 0);
	return fd;
}

/* 0 or an errno. */
static int connect_one(int fd, const struct sockaddr_storage *sa, socklen_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(int);
	int error = 0;

	if (connect(fd, (const void *)sa, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&p, 1, CONNECT_MS) == 0)
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

int traffic_send(int netns, const struct traffic_kind *kind, const char *addr, uint16_t port, int n,
		 int size, int *last_errno)
{
	static const char payload[65000];
	struct sockaddr_storage sa;
	socklen_t len = address(kind, addr, port, &sa);
	struct linger hard = { .l_onoff = 1 };
	int done = 0, error = 0, fd = -1;

	for (int i = 0; i < n; i++) {
		if (fd < 0)
			fd = socket_in(netns, kind);
		/* Ends by a reset: a FIN that is sent again would be looked up again, and counted. */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		if (kind->type == SOCK_DGRAM) {
			ssize_t sent = sendto(fd, payload, (size_t)size, 0, (void *)&sa, len);

			error = sent < 0 ? errno : 0;
		} else {
			error = connect_one(fd, &sa, len);
			close(fd);
			fd = -1;
		}
		done += error == 0;
	}
	if (fd >= 0)
		close(fd);
	if (last_errno)
		*last_errno = error;
	return done;
}

int traffic_arrived(int fd, int want)
{
	int type, n = 0;
	socklen_t len = sizeof(type);

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len), 0);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char byte;

		/* When all that was sent is there, a moment more shows what should not be. */
		if (poll(&p, 1, n < want ? ARRIVE_MS : 1) != 1)
			return n;
		if (type == SOCK_STREAM) {
			int peer = accept(fd, NULL, NULL);

			if (peer < 0)
				return n;
			close(peer);
		} else if (recv(fd, &byte, 1, 0) < 0) {
			return n;
		}
		n++;
	}
}
