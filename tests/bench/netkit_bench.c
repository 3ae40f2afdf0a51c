// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * netkit against veth: how long a datagram takes from one namespace to another and back. On a kernel
 * without netkit it says so; tests/run.sh --bench runs it in a guest that has it.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "netns.h"

#define PORT 7799
#define POD4 "10.88.0.2"
#define ROUNDS 11
#define TRIPS 500
#define SIZE 64

static struct test_net net;
static int echo_fd, ask_fd;
static pid_t echo;

/* Answers every datagram, in a process of its own as a container would. */
static void echo_begin(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	test_net_enter(net.far_fd);
	echo_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(echo_fd, (struct sockaddr *)&any, sizeof(any)), 0);
	test_net_enter(net.near_fd);
	ask_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	test_net_enter(-1);
	echo = fork();
	ck_assert_int_ge(echo, 0);
	while (echo == 0) {
		char data[SIZE];
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n =
			recvfrom(echo_fd, data, sizeof(data), 0, (struct sockaddr *)&from, &len);

		if (n < 0 || sendto(echo_fd, data, (size_t)n, 0, (struct sockaddr *)&from, len) < 0)
			_exit(1);
	}
}

static void echo_end(void)
{
	kill(echo, SIGKILL);
	waitpid(echo, NULL, 0);
	close(echo_fd);
	close(ask_fd);
}

/* The round trips of one round, in microseconds, behind the others. */
static void ping_pong(const char *address, struct bench_samples *median)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	static struct bench_samples trips;
	char data[SIZE] = { 0 };

	trips.n = 0;
	inet_pton(AF_INET, address, &to.sin_addr);
	for (int i = 0; i < TRIPS; i++) {
		uint64_t began = bench_now();

		ck_assert_int_eq(sendto(ask_fd, data, SIZE, 0, (struct sockaddr *)&to, sizeof(to)),
				 SIZE);
		ck_assert_int_eq(recv(ask_fd, data, SIZE, 0), SIZE);
		bench_add(&trips, (double)(bench_now() - began) / 1000);
	}
	bench_add(median, bench_quantile(&trips, 0.5));
}

START_TEST(test_ping_pong)
{
	static const struct bench_line line = { "netkit.ping_pong.p50", "us", BENCH_NONE, 0, NULL };
	static struct bench_samples netkit, veth;
	struct ebpfnet_netkit_info pair = { .sz = sizeof(pair) };

	EBPFNET_OPTS(ebpfnet_netkit_create_opts, o);
	if (ebpfnet_probe(bench_ctx, EBPFNET_FEATURE_NETKIT, &bench_err) != 1) {
		ebpfnet_error_free(bench_err);
		bench_err = NULL;
		bench_report(&line, &netkit, &veth,
			     "this kernel has no netkit (6.7, CONFIG_NETKIT)");
		return;
	}
	test_net_open(&net, 1);
	o.name = "nk-host";
	o.peer_name = "nk-pod";
	o.netns_fd = net.near_fd;
	o.peer_netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_netkit_create(bench_ctx, &o, &pair, &bench_err), bench_err);
	ck_assert_int_eq(test_shell("set -e; ip -n %s addr add 10.88.0.1/24 dev nk-host; "
				    "ip -n %s addr add " POD4 "/24 dev nk-pod; "
				    "ip -n %s link set nk-host up; ip -n %s link set nk-pod up",
				    net.near, net.far, net.near, net.far),
			 0);
	echo_begin();
	for (int i = 0; i < ROUNDS; i++) {
		ping_pong(i % 2 ? POD4 : TEST_FAR4, i % 2 ? &netkit : &veth);
		ping_pong(i % 2 ? TEST_FAR4 : POD4, i % 2 ? &veth : &netkit);
	}
	bench_report(&line, &netkit, &veth, NULL);
	echo_end();
	test_net_close(&net);
}
END_TEST

BENCH_MAIN("netkit", test_ping_pong)
