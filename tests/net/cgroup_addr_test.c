// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The addresses that a cgroup's sockets give and get: refused, and rewritten. */
#include "cgroup_fixture.h"

#define CALLS 5

/* A hook's number for IPv4 is followed by that for IPv6, and so are the programs' names. */
static uint32_t six(uint32_t hook, int family)
{
	return hook + (family == AF_INET6);
}

static struct ebpfnet_link *attach(const char *name, uint32_t hook, int family)
{
	char full[64];

	snprintf(full, sizeof(full), "%s%d", name, family == AF_INET ? 4 : 6);
	return cg_attach(full, six(hook, family));
}

static int listener(int family, uint16_t *port)
{
	int sock = test_bound(family, SOCK_STREAM, port);

	ck_assert_int_eq(listen(sock, CALLS), 0);
	return sock;
}

/* A port of the loopback that nothing is bound to. */
static uint16_t free_port(int family, int type)
{
	uint16_t port;

	close(test_bound(family, type, &port));
	return port;
}

START_TEST(test_connect_tcp)
{
	for (int i = 0; i < 2; i++) {
		int family = families[i];
		uint32_t hook = six(EBPFNET_CGROUP_CONNECT4, family);
		uint16_t port, elsewhere = free_port(family, SOCK_STREAM);
		int server = listener(family, &port);
		struct ebpfnet_link *link = attach("connect", EBPFNET_CGROUP_CONNECT4, family);
		int sock;

		cg_act(hook, CG_REFUSE);
		for (int n = 0; n < CALLS; n++) {
			sock = cg_socket(family, SOCK_STREAM);
			ck_assert_int_eq(cg_connect(sock, family, port), -EPERM);
			close(sock);
		}
		ck_assert_uint_eq(cg_seen(hook), CALLS);
		/* To a port where nobody is, which becomes the server's. */
		cg_act(hook, port);
		for (int n = 0; n < CALLS; n++) {
			struct sockaddr_storage peer;
			socklen_t len = sizeof(peer);

			sock = cg_socket(family, SOCK_STREAM);
			ck_assert_int_eq(cg_connect(sock, family, elsewhere), 0);
			ck_assert_int_eq(getpeername(sock, (struct sockaddr *)&peer, &len), 0);
			ck_assert_uint_eq(cg_port(&peer), port);
			close(accept(server, NULL, NULL));
			close(sock);
		}
		ck_assert_uint_eq(cg_seen(hook), CALLS);
		ebpfnet_link_close(link);
		sock = cg_socket(family, SOCK_STREAM);
		ck_assert_int_eq(cg_connect(sock, family, elsewhere), -ECONNREFUSED);
		close(sock);
		close(server);
	}
	test_way("cgroup_connect", "works");
}
END_TEST

START_TEST(test_connect_udp)
{
	for (int i = 0; i < 2; i++) {
		int family = families[i];
		uint32_t hook = six(EBPFNET_CGROUP_CONNECT4, family);
		uint16_t port, elsewhere = free_port(family, SOCK_DGRAM);
		int server = test_bound(family, SOCK_DGRAM, &port);
		struct ebpfnet_link *link = attach("connect", EBPFNET_CGROUP_CONNECT4, family);
		int sock = cg_socket(family, SOCK_DGRAM);

		cg_act(hook, CG_REFUSE);
		ck_assert_int_eq(cg_connect(sock, family, port), -EPERM);
		ck_assert_uint_eq(cg_seen(hook), 1);
		cg_act(hook, port);
		ck_assert_int_eq(cg_connect(sock, family, elsewhere), 0);
		ck_assert_int_eq(test_send(sock, "redirected"), 10);
		ck_assert(test_arrives(server, "redirected"));
		ck_assert_uint_eq(cg_seen(hook), 1);
		close(sock);
		close(server);
		ebpfnet_link_close(link);
	}
}
END_TEST

static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

START_TEST(test_bind)
{
	for (int i = 0; i < 4; i++) {
		int family = families[i & 1], type = types[i >> 1];
		uint32_t hook = six(EBPFNET_CGROUP_BIND4, family);
		uint16_t wanted = free_port(family, type), given = free_port(family, type);
		struct ebpfnet_link *link = attach("bind", EBPFNET_CGROUP_BIND4, family);
		int sock = cg_socket(family, type);

		cg_act(hook, CG_REFUSE);
		for (int n = 0; n < CALLS; n++)
			ck_assert_int_eq(cg_bind(sock, family, wanted), -EPERM);
		ck_assert_uint_eq(cg_seen(hook), CALLS);
		cg_act(hook, given);
		ck_assert_int_eq(cg_bind(sock, family, wanted), 0);
		ck_assert_uint_eq(cg_own_port(sock), given);
		ck_assert_uint_eq(cg_seen(hook), 1);
		close(sock);
		ebpfnet_link_close(link);
		sock = cg_socket(family, type);
		ck_assert_int_eq(cg_bind(sock, family, wanted), 0);
		ck_assert_uint_eq(cg_own_port(sock), wanted);
		close(sock);
	}
	test_way("cgroup_bind", "works");
}
END_TEST

START_TEST(test_post_bind)
{
	for (int i = 0; i < 4; i++) {
		int family = families[i & 1], type = types[i >> 1];
		uint32_t hook = six(EBPFNET_CGROUP_POST_BIND4, family);
		uint16_t port = free_port(family, type);
		struct ebpfnet_link *link = attach("post_bind", EBPFNET_CGROUP_POST_BIND4, family);
		int sock;

		cg_act(hook, CG_REFUSE);
		/* Before 5.17 a socket that was refused here stays half bound. */
		for (int n = 0; n < CALLS; n++) {
			sock = cg_socket(family, type);
			ck_assert_int_eq(cg_bind(sock, family, port), -EPERM);
			close(sock);
		}
		ck_assert_uint_eq(cg_seen(hook), CALLS);
		cg_act(hook, 0);
		sock = cg_socket(family, type);
		ck_assert_int_eq(cg_bind(sock, family, port), 0);
		ck_assert_uint_eq(cg_seen(hook), 1);
		close(sock);
		ebpfnet_link_close(link);
	}
	test_way("cgroup_post_bind", "works");
}
END_TEST

START_TEST(test_sendmsg)
{
	for (int i = 0; i < 2; i++) {
		int family = families[i];
		uint32_t hook = six(EBPFNET_CGROUP_SENDMSG4, family);
		uint16_t port, other_port;
		int server = test_bound(family, SOCK_DGRAM, &port);
		int other = test_bound(family, SOCK_DGRAM, &other_port);
		struct ebpfnet_link *link = attach("sendmsg", EBPFNET_CGROUP_SENDMSG4, family);
		int sock = cg_socket(family, SOCK_DGRAM);

		cg_act(hook, CG_REFUSE);
		for (int n = 0; n < CALLS; n++)
			ck_assert_int_eq(cg_send_to(sock, family, port), -EPERM);
		ck_assert(test_silent(server));
		ck_assert_uint_eq(cg_seen(hook), CALLS);
		cg_act(hook, other_port);
		for (int n = 0; n < CALLS; n++) {
			ck_assert_int_eq(cg_send_to(sock, family, port), 0);
			ck_assert(test_arrives(other, "datagram"));
		}
		ck_assert(test_silent(server));
		ck_assert_uint_eq(cg_seen(hook), CALLS);
		ebpfnet_link_close(link);
		ck_assert_int_eq(cg_send_to(sock, family, port), 0);
		ck_assert(test_arrives(server, "datagram"));
		close(sock);
		close(other);
		close(server);
	}
	test_way("cgroup_sendmsg", "works");
}
END_TEST

/* Where recvfrom(2) says that a datagram came from. */
static uint16_t came_from(int server)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char text[16];

	ck_assert_int_eq(recvfrom(server, text, sizeof(text), 0, (struct sockaddr *)&from, &len),
			 8);
	return cg_port(&from);
}

START_TEST(test_recvmsg)
{
	for (int i = 0; i < 2; i++) {
		int family = families[i];
		uint32_t hook = six(EBPFNET_CGROUP_RECVMSG4, family);
		uint16_t port, own;
		int server = test_bound(family, SOCK_DGRAM, &port);
		int sock = test_bound(family, SOCK_DGRAM, &own);
		struct ebpfnet_link *link = attach("recvmsg", EBPFNET_CGROUP_RECVMSG4, family);

		for (int rewritten = 0; rewritten < 2; rewritten++) {
			cg_act(hook, rewritten ? 4242 : 0);
			for (int n = 0; n < CALLS; n++) {
				ck_assert_int_eq(cg_send_to(sock, family, port), 0);
				ck_assert_uint_eq(came_from(server), rewritten ? 4242 : own);
			}
			ck_assert_uint_eq(cg_seen(hook), CALLS);
		}
		ebpfnet_link_close(link);
		ck_assert_int_eq(cg_send_to(sock, family, port), 0);
		ck_assert_uint_eq(came_from(server), own);
		close(sock);
		close(server);
	}
	test_way("cgroup_recvmsg", "works");
}
END_TEST

static uint16_t name_of(int sock, bool peer)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	ck_assert_int_eq(peer ? getpeername(sock, (struct sockaddr *)&name, &len)
			      : getsockname(sock, (struct sockaddr *)&name, &len),
			 0);
	return cg_port(&name);
}

START_TEST(test_names)
{
	for (int i = 0; i < 8; i++) {
		int family = families[i & 1], type = types[i >> 1 & 1];
		bool peer = i >> 2;
		uint32_t first = peer ? EBPFNET_CGROUP_GETPEERNAME4 : EBPFNET_CGROUP_GETSOCKNAME4;
		struct test_pair pair = test_pair_open(family, type);
		uint16_t truth = name_of(pair.near, peer);
		struct ebpfnet_link *link =
			attach(peer ? "getpeername" : "getsockname", first, family);

		for (int rewritten = 0; rewritten < 2; rewritten++) {
			cg_act(six(first, family), rewritten ? 4242 : 0);
			for (int n = 0; n < CALLS; n++)
				ck_assert_uint_eq(name_of(pair.near, peer),
						  rewritten ? 4242 : truth);
			ck_assert_uint_eq(cg_seen(six(first, family)), CALLS);
		}
		ebpfnet_link_close(link);
		ck_assert_uint_eq(name_of(pair.near, peer), truth);
		test_pair_close(&pair);
	}
	test_way("cgroup_getname", "works");
}
END_TEST

CG_MAIN("cgroup_addr", test_connect_tcp, test_connect_udp, test_bind, test_post_bind, test_sendmsg,
	test_recvmsg, test_names)
