/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_TC_FIXTURE_H
#define EBPFNET_TESTS_TC_FIXTURE_H

/*
 * What the tests of TC share: a veth pair, the programs of tc.bpf.c, and traffic from near to far.
 * Ingress is that of the far end, egress that of the near end: the same packets meet both.
 */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ebpfnet/probe.h>

#include "helpers.h"
#include "kernel/tc_slots.h"
#include "netns.h"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_error *err;
static struct test_net net;
static char pin_dir[64];

static bool has_tcx(void)
{
	return ebpfnet_probe(ctx, EBPFNET_FEATURE_TCX, NULL) == 1;
}

/* Where every test of both ways begins: before Linux 6.6 there is one. */
static uint32_t first_via(void)
{
	return has_tcx() ? EBPFNET_VIA_TCX : EBPFNET_VIA_CLSACT;
}

#define NEEDS_TCX()                                                                                \
	do {                                                                                       \
		if (!has_tcx()) {                                                                  \
			printf("%s: not run: this kernel has no TCX\n", __func__);                 \
			return;                                                                    \
		}                                                                                  \
	} while (0)

static struct ebpfnet_object *open_object(void)
{
	struct ebpfnet_object *o;

	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("tc"), NULL, &o, &err), err);
	ASSERT_OK(ebpfnet_object_load(o, &err), err);
	return o;
}

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	test_net_open(&net, 1);
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	obj = open_object();
	snprintf(pin_dir, sizeof(pin_dir), "ebpfnet-test-%d", getpid());
}

static void end(void)
{
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	test_net_close(&net);
	test_shell("rm -rf /sys/fs/bpf/%s", pin_dir);
}

__attribute__((unused)) static const char *pin_name(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "/sys/fs/bpf/%s/%s", pin_dir, name);
	return path;
}

static struct ebpfnet_program *program_of(struct ebpfnet_object *o, const char *name)
{
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(o, name, &prog, &err), err);
	return prog;
}

static struct ebpfnet_program *program(const char *name)
{
	return program_of(obj, name);
}

/* The program number_N. */
__attribute__((unused)) static struct ebpfnet_program *numbered(int n)
{
	char name[16];

	snprintf(name, sizeof(name), "number_%d", n);
	return program(name);
}

static int seen_fd(struct ebpfnet_object *o)
{
	struct ebpfnet_map *map;

	ASSERT_OK(ebpfnet_object_map(o, "seen", &map, &err), err);
	return ebpfnet_map_fd(map);
}

static uint64_t seen(uint32_t slot)
{
	uint64_t n;

	ck_assert_int_eq(bpf_map_lookup_elem(seen_fd(obj), &slot, &n), 0);
	return n;
}

static void forget(void)
{
	uint64_t zero = 0;

	for (uint32_t slot = 0; slot < 64; slot++)
		ck_assert_int_eq(bpf_map_update_elem(seen_fd(obj), &slot, &zero, 0), 0);
}

__attribute__((unused)) static uint32_t id_of(const struct ebpfnet_program *prog)
{
	struct ebpfnet_program_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_program_info(prog, &info, &err), err);
	return info.id;
}

__attribute__((unused)) static struct ebpfnet_link_info info_of(const struct ebpfnet_link *link)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	return info;
}

static int ns_of(uint32_t direction)
{
	return direction == EBPFNET_INGRESS ? net.far_fd : net.near_fd;
}

static const char *ns_name(uint32_t direction)
{
	return direction == EBPFNET_INGRESS ? net.far : net.near;
}

static int if_of(uint32_t direction)
{
	return direction == EBPFNET_INGRESS ? net.far_if : net.near_if;
}

static struct ebpfnet_tc_opts opts_of(uint32_t direction, uint32_t via)
{
	EBPFNET_OPTS(ebpfnet_tc_opts, o);
	o.netns_fd = ns_of(direction);
	o.via = via;
	return o;
}

/* Attached, or the test fails. */
static struct ebpfnet_link *attach(struct ebpfnet_program *prog, uint32_t direction,
				   const struct ebpfnet_tc_opts *o)
{
	struct ebpfnet_link *link;

	ASSERT_OK(ebpfnet_tc_attach(prog, if_of(direction), direction, o, &link, &err), err);
	return link;
}

__attribute__((unused)) static struct ebpfnet_query *query_via(uint32_t direction, uint32_t via)
{
	struct ebpfnet_query *query;

	EBPFNET_OPTS(ebpfnet_query_opts, o);
	o.netns_fd = ns_of(direction);
	o.via = via;
	ASSERT_OK(ebpfnet_tc_query(ctx, if_of(direction), direction, &o, &query, &err), err);
	return query;
}

__attribute__((unused)) static struct ebpfnet_query_entry
entry_of(const struct ebpfnet_query *query, size_t i)
{
	struct ebpfnet_query_entry entry = { .sz = sizeof(entry) };

	ck_assert_int_eq(ebpfnet_query_entry(query, i, &entry), 0);
	return entry;
}

/* How many attachments a hook has, held in a way or (ANY) at all. */
__attribute__((unused)) static size_t attached(uint32_t direction, uint32_t via)
{
	struct ebpfnet_query *query = query_via(direction, via);
	size_t n = ebpfnet_query_count(query);

	ebpfnet_query_free(query);
	return n;
}

/* What tc(8) says of qdiscs and filters at the interface of a direction; static buffers. */
__attribute__((unused)) static const char *tc_text(uint32_t direction)
{
	static char out[2][8192];
	static int turn;
	char *text = out[turn ^= 1];

	test_shell_output(
		text, sizeof(out[0]),
		"tc -n %s qdisc show dev v0; tc -n %s class show dev v0; "
		"tc -n %s filter show dev v0 ingress; tc -n %s filter show dev v0 egress; "
		"tc -n %s filter show dev v0",
		ns_name(direction), ns_name(direction), ns_name(direction), ns_name(direction),
		ns_name(direction));
	return text;
}

static int socket_in(int ns, int family, int type)
{
	int fd;

	test_net_enter(ns);
	fd = socket(family == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	test_net_enter(-1);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static socklen_t far_address(int family, struct sockaddr_storage *out)
{
	struct sockaddr_in *a4 = (void *)out;
	struct sockaddr_in6 *a6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (family == 4) {
		a4->sin_family = AF_INET;
		a4->sin_port = htons(TC_PORT);
		inet_pton(AF_INET, TEST_FAR4, &a4->sin_addr);
		return sizeof(*a4);
	}
	a6->sin6_family = AF_INET6;
	a6->sin6_port = htons(TC_PORT);
	inet_pton(AF_INET6, TEST_FAR6, &a6->sin6_addr);
	return sizeof(*a6);
}

/* A socket at the far end, bound to TC_PORT. */
static int far_socket(int family, int type)
{
	struct sockaddr_storage addr;
	socklen_t len = far_address(family, &addr);
	int fd = socket_in(net.far_fd, family, type), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ck_assert_int_eq(bind(fd, (void *)&addr, len), 0);
	return fd;
}

/* What waits in a socket; ends when nothing came for a moment. */
static int drain(int fd, int want)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte[64];
	int n = 0;

	while (n < want && poll(&p, 1, 200) == 1 && recv(fd, byte, 1, 0) == 1)
		n++;
	return n;
}

/* Sends n datagrams to TC_PORT; returns how many arrived. */
static int udp(int family, int n)
{
	struct sockaddr_storage addr;
	socklen_t len = far_address(family, &addr);
	int to = far_socket(family, SOCK_DGRAM), from = socket_in(net.near_fd, family, SOCK_DGRAM);
	int arrived;

	for (int i = 0; i < n; i++)
		sendto(from, "x", 1, 0, (void *)&addr, len); /* a drop at egress is ENOBUFS */
	arrived = drain(to, n);
	close(from);
	close(to);
	return arrived;
}

/* Sends n bytes over a connection to TC_PORT; returns how many arrived, -1 if it was not made. */
static int tcp(int family, int n)
{
	struct sockaddr_storage addr;
	socklen_t len = far_address(family, &addr);
	int server = far_socket(family, SOCK_STREAM);
	int from = socket_in(net.near_fd, family, SOCK_STREAM), to = -1, arrived = -1;
	struct pollfd p = { .fd = from, .events = POLLOUT };
	char data[256];

	memset(data, 'x', sizeof(data));
	ck_assert_int_eq(listen(server, 1), 0);
	connect(from, (void *)&addr, len);
	if (poll(&p, 1, 300) == 1 && (p.revents & POLLERR) == 0) {
		p.fd = server;
		p.events = POLLIN;
		ck_assert_int_eq(poll(&p, 1, 300), 1);
		to = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		ck_assert_int_eq(send(from, data, (size_t)n, 0), n);
		arrived = drain(to, n);
	}
	close(from);
	close(server);
	if (to >= 0)
		close(to);
	return arrived;
}

/* Neighbours are known, so that what is sent is what was meant to be. */
__attribute__((unused)) static void warm_up(void)
{
	for (int family = 4; family <= 6; family += 2) {
		int tries = 10;

		/* The first may come before the interface takes anything. */
		while (test_net_ping(&net, family, 1) != 1 && --tries)
			usleep(100000);
		ck_assert_int_gt(tries, 0);
	}
}

/* The programs number_N that one packet meets, as digits; 0 for none. */
__attribute__((unused)) static uint64_t order(int family)
{
	forget();
	ck_assert_int_eq(udp(family, 1), 1);
	return seen(TC_ORDER);
}

static inline void unused_helpers(void)
{
	(void)seen;
	(void)attach;
	(void)opts_of;
	(void)tcp;
	(void)ns_name;
	(void)first_via;
}

#endif /* EBPFNET_TESTS_TC_FIXTURE_H */
