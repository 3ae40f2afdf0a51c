// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The counter where packets really pass: every key on every hook, and merged packets against the
 * kernel's own interface counters.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/udp.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cgroups.h"
#include "counter_model.h"
#include "helpers.h"
#include "netns.h"

#define KEYS (EBPFNET_COUNTER_FIVE_TUPLE + 1)

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_error *err;
static struct test_net net;
static struct test_cgroup cg;
static int wire = -1;
static char dir[64];

static void begin(void)
{
	ebpfnet_error_free(err);
	err = NULL;
	snprintf(dir, sizeof(dir), "/sys/fs/bpf/ebpfnet-test-%d/hooks", getpid());
	test_cgroup_open(&cg);
	test_net_open(&net, 0);
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	model_clear();
}

static void end(void)
{
	if (wire >= 0)
		close(wire);
	wire = -1;
	ebpfnet_ctx_unref(ctx);
	test_cgroup_leave(&cg);
	test_net_close(&net);
	test_cgroup_close(&cg);
	test_shell("rm -rf /sys/fs/bpf/ebpfnet-test-%d", getpid());
}

static struct ebpfnet_counter *make(uint32_t key)
{
	struct ebpfnet_counter *counter;

	EBPFNET_OPTS(ebpfnet_counter_opts, o);
	o.key = key;
	if (key == EBPFNET_COUNTER_SOURCE_PREFIX) {
		o.prefix4 = MODEL_PREFIX4;
		o.prefix6 = MODEL_PREFIX6;
	}
	ASSERT_OK(ebpfnet_counter_new(ctx, &o, &counter, &err), err);
	return counter;
}

/* On the far end, but for egress, which is what the near end sends. */
static struct ebpfnet_link *attach(struct ebpfnet_counter *counter, uint32_t hook)
{
	struct ebpfnet_program *prog;
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_xdp_opts, x);
	EBPFNET_OPTS(ebpfnet_tc_opts, t);
	ASSERT_OK(ebpfnet_counter_program(counter, hook, &prog, &err), err);
	x.netns_fd = net.far_fd;
	t.netns_fd = hook == EBPFNET_HOOK_TC_INGRESS ? net.far_fd : net.near_fd;
	if (hook == EBPFNET_HOOK_XDP)
		ASSERT_OK(ebpfnet_xdp_attach(prog, net.far_if, &x, &link, &err), err);
	else if (hook == EBPFNET_HOOK_TC_INGRESS)
		ASSERT_OK(ebpfnet_tc_attach(prog, net.far_if, EBPFNET_INGRESS, &t, &link, &err),
			  err);
	else if (hook == EBPFNET_HOOK_TC_EGRESS)
		ASSERT_OK(ebpfnet_tc_attach(prog, net.near_if, EBPFNET_EGRESS, &t, &link, &err),
			  err);
	else
		ASSERT_OK(ebpfnet_cgroup_attach(prog, cg.name,
						hook == EBPFNET_HOOK_CGROUP_INGRESS
							? EBPFNET_CGROUP_SKB_INGRESS
							: EBPFNET_CGROUP_SKB_EGRESS,
						NULL, &link, &err),
			  err);
	return link;
}

static void open_wire(void)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = net.near_if };

	test_net_up(&net);
	test_net_enter(net.near_fd);
	wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	test_net_enter(-1);
	ck_assert_int_eq(bind(wire, (struct sockaddr *)&to, sizeof(to)), 0);
}

/* Neither end says a word of its own. */
static void silence(void)
{
	ck_assert_int_eq(test_shell("for n in %s %s; do ip netns exec $n sh -c 'echo 1 "
				    ">/proc/sys/net/ipv6/conf/v0/disable_ipv6; ip link set v0 arp "
				    "off; ip addr flush dev v0'; done",
				    net.near, net.far),
			 0);
}

static void wait_for(struct ebpfnet_counter *counter, uint64_t packets)
{
	struct ebpfnet_counter_stats s = { .sz = sizeof(s) };

	for (int i = 0; i < 200; i++) {
		ASSERT_OK(ebpfnet_counter_stats(counter, &s, &err), err);
		if (s.packets >= packets)
			return;
		usleep(10000);
	}
}

/* Described packets of all sorts over the wire; answers nothing, since no address is there. */
static void send_all(uint32_t key, uint64_t seed)
{
	struct packet_rng rng = { seed };
	struct packet_spec spec;
	static struct packet packet;

	for (int i = 0; i < 400; i++) {
		packet_random(&rng, &spec);
		memset(spec.saddr + 1, 0, 15);
		spec.saddr[0] = 10;
		spec.saddr[2] = (uint8_t)packet_rand(&rng, 24);
		memset(spec.daddr, 0, 16);
		spec.daddr[15] = spec.daddr[3] = (uint8_t)(1 + packet_rand(&rng, 4));
		spec.sport %= 3;
		spec.dport = (uint16_t)(80 + spec.dport % 3);
		if (!packet_build(&spec, &packet) || packet.len > 1514)
			continue;
		ck_assert_int_eq(send(wire, packet.data, packet.len, 0), (ssize_t)packet.len);
		/* A receiving skb holds the first of 4 tags outside: what is left is what counts. */
		model_packet(&spec, key, packet.len, 1);
		if (i % 32 == 0)
			usleep(1000);
	}
}

START_TEST(test_wire)
{
	static const uint32_t hooks[] = { EBPFNET_HOOK_XDP, EBPFNET_HOOK_TC_EGRESS };

	silence();
	open_wire();
	for (size_t h = 0; h < sizeof(hooks) / sizeof(*hooks); h++) {
		for (uint32_t key = 0; key < KEYS; key++) {
			struct ebpfnet_counter *counter = make(key);
			struct ebpfnet_link *link = attach(counter, hooks[h]);

			model_clear();
			usleep(20000); /* XDP on veth makes its queues anew */
			send_all(key, 3 + key);
			wait_for(counter, model_packets);
			model_compare(counter);
			ck_assert_uint_gt(model_packets, 300);
			ebpfnet_link_close(link);
			ebpfnet_counter_free(counter);
		}
	}
}
END_TEST

/* On the way up the device lifts a tag out of the bytes, so there are none here. */
START_TEST(test_tc_ingress)
{
	silence();
	open_wire();
	for (uint32_t key = 0; key < KEYS; key++) {
		struct ebpfnet_counter *counter = make(key);
		struct ebpfnet_link *link = attach(counter, EBPFNET_HOOK_TC_INGRESS);
		static struct packet packet;
		struct packet_rng rng = { 11 };
		struct packet_spec spec;

		model_clear();
		for (int i = 0; i < 400; i++) {
			packet_random(&rng, &spec);
			spec.saddr[0] = 10;
			spec.tags = 0;
			spec.dport &= 15;
			if (!packet_build(&spec, &packet) || packet.len > 1514)
				continue;
			ck_assert_int_eq(send(wire, packet.data, packet.len, 0),
					 (ssize_t)packet.len);
			model_packet(&spec, key, packet.len, 1);
			if (i % 32 == 0)
				usleep(1000);
		}
		wait_for(counter, model_packets);
		model_compare(counter);
		ebpfnet_link_close(link);
		ebpfnet_counter_free(counter);
	}
}
END_TEST

/* A socket of this process, bound in one namespace. */
static int bound(int ns, int family, int type, const char *address, uint16_t port)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd, one = 1;

	test_net_enter(ns);
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	test_net_enter(-1);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	inet_pton(AF_INET, address, &a4.sin_addr);
	inet_pton(AF_INET6, address, &a6.sin6_addr);
	ck_assert_int_eq(family == AF_INET ? bind(fd, (struct sockaddr *)&a4, sizeof(a4))
					   : bind(fd, (struct sockaddr *)&a6, sizeof(a6)),
			 0);
	return fd;
}

static int connect_to(int fd, int family, const char *address, uint16_t port)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, address, &a4.sin_addr);
	inet_pton(AF_INET6, address, &a6.sin6_addr);
	return family == AF_INET ? connect(fd, (struct sockaddr *)&a4, sizeof(a4))
				 : connect(fd, (struct sockaddr *)&a6, sizeof(a6));
}

static const char *near_of(int family)
{
	return family == AF_INET ? TEST_NEAR4 : TEST_NEAR6;
}

static const char *far_of(int family)
{
	return family == AF_INET ? TEST_FAR4 : TEST_FAR6;
}

/* Datagrams between two sockets of the cgroup, of both families. */
static void datagrams(uint32_t key)
{
	static const int families[] = { AF_INET, AF_INET6 };
	char text[1200] = { 0 };

	for (int f = 0; f < 2; f++) {
		int from = bound(net.near_fd, families[f], SOCK_DGRAM, near_of(families[f]), 4000);
		int to = bound(net.far_fd, families[f], SOCK_DGRAM, far_of(families[f]), 5000);
		struct packet_spec spec = { .l3 = f ? PACKET_IP6 : PACKET_IP4,
					    .l4 = PACKET_UDP,
					    .sport = 4000,
					    .dport = 5000 };

		inet_pton(families[f], near_of(families[f]), spec.saddr);
		inet_pton(families[f], far_of(families[f]), spec.daddr);
		ck_assert_int_eq(connect_to(from, families[f], far_of(families[f]), 5000), 0);
		for (size_t n = 1; n <= 40; n++) {
			ck_assert_int_eq(send(from, text, n * 30, 0), (ssize_t)(n * 30));
			ck_assert_int_eq(recv(to, text, sizeof(text), 0), (ssize_t)(n * 30));
			model_packet(&spec, key, n * 30 + 8 + (f ? 40 : 20), 1);
		}
		close(from);
		close(to);
	}
}

START_TEST(test_cgroup)
{
	static const uint32_t hooks[] = { EBPFNET_HOOK_CGROUP_INGRESS, EBPFNET_HOOK_CGROUP_EGRESS };

	test_net_up(&net);
	ck_assert_int_eq(test_net_ping(&net, 4, 1), 1); /* neighbours are known */
	ck_assert_int_eq(test_net_ping(&net, 6, 1), 1);
	test_cgroup_enter(&cg, "");
	for (uint32_t key = 0; key < KEYS; key++) {
		for (int h = 0; h < 2; h++) {
			struct ebpfnet_counter *counter = make(key);
			struct ebpfnet_link *link = attach(counter, hooks[h]);

			model_clear();
			datagrams(key);
			model_compare(counter);
			ck_assert_uint_eq(model_packets, 80);
			ebpfnet_link_close(link);
			ebpfnet_counter_free(counter);
		}
	}
}
END_TEST

static void *drain(void *arg)
{
	static char buf[65536];
	int fd = accept4((int)(intptr_t)arg, NULL, NULL, SOCK_CLOEXEC);

	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	close(fd);
	return NULL;
}

static void send_stream(int family)
{
	static char buf[1 << 16];
	int listener = bound(net.far_fd, family, SOCK_STREAM, far_of(family), 6000);
	int from = bound(net.near_fd, family, SOCK_STREAM, near_of(family), 0);
	pthread_t thread;

	ck_assert_int_eq(listen(listener, 1), 0);
	pthread_create(&thread, NULL, drain, (void *)(intptr_t)listener);
	ck_assert_int_eq(connect_to(from, family, far_of(family), 6000), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(send(from, buf, sizeof(buf), 0), sizeof(buf));
	shutdown(from, SHUT_WR);
	pthread_join(thread, NULL);
	close(from);
	close(listener);
}

static void send_udp_segments(int family)
{
	int from = bound(net.near_fd, family, SOCK_DGRAM, near_of(family), 4000), size = 1000;
	int to = bound(net.far_fd, family, SOCK_DGRAM, far_of(family), 5000);
	char buf[9500] = { 0 };

	ck_assert_int_eq(setsockopt(from, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	ck_assert_int_eq(connect_to(from, family, far_of(family), 5000), 0);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(send(from, buf, sizeof(buf), 0), sizeof(buf));
	close(from);
	close(to);
}

static struct ebpfnet_counter_stats stats(struct ebpfnet_counter *counter)
{
	struct ebpfnet_counter_stats s = { .sz = sizeof(s) };

	ASSERT_OK(ebpfnet_counter_stats(counter, &s, &err), err);
	return s;
}

/*
 * The sender's device cannot cut (tso off), so the stack cuts behind TC egress and the device counts
 * what goes over the wire: packets and bytes that we did not count. The receiver merges again (gro).
 */
START_TEST(test_merged)
{
	static const uint32_t hooks[] = { EBPFNET_HOOK_TC_EGRESS, EBPFNET_HOOK_TC_INGRESS,
					  EBPFNET_HOOK_CGROUP_EGRESS };
	static const uint32_t keys[] = { EBPFNET_COUNTER_TOTAL, EBPFNET_COUNTER_SOURCE,
					 EBPFNET_COUNTER_FIVE_TUPLE };

	for (size_t k = 0; k < 3; k++) {
		struct ebpfnet_counter_stats s[3];
		struct ebpfnet_counter *counters[3];
		struct ebpfnet_link *links[3];
		uint64_t packets, bytes;

		ck_assert_int_eq(test_shell("ip netns exec %s ethtool -K v0 tso off gso on "
					    "tx-udp-segmentation off && "
					    "ip netns exec %s ethtool -K v0 gro on",
					    net.near, net.far),
				 0);
		for (int h = 0; h < 3; h++) {
			counters[h] = make(keys[k]);
			links[h] = attach(counters[h], hooks[h]);
		}
		test_net_up(&net);
		ck_assert_int_eq(test_net_ping(&net, 4, 1), 1);
		ck_assert_int_eq(test_net_ping(&net, 6, 1), 1);
		test_cgroup_enter(&cg, "");
		send_stream(AF_INET);
		send_stream(AF_INET6);
		send_udp_segments(AF_INET);
		send_udp_segments(AF_INET6);
		test_cgroup_leave(&cg);
		/* A neighbour may be asked after at any time: all figures from one quiet moment. */
		do {
			usleep(200000);
			packets = test_net_statistic(&net, 0, "tx_packets");
			/* The Ethernet header is left out where the other end has NAPI (measured). */
			bytes = test_net_statistic(&net, 0, "tx_bytes") + 14 * packets;
			for (int h = 0; h < 3; h++)
				s[h] = stats(counters[h]);
		} while (packets != test_net_statistic(&net, 0, "tx_packets"));
		for (int h = 0; h < 3; h++) {
			ebpfnet_link_close(links[h]);
			ebpfnet_counter_free(counters[h]);
		}
		printf("key %u: wire %lu packets %lu bytes; egress %lu skbs %lu segments; ingress "
		       "%lu skbs %lu segments\n",
		       keys[k], (unsigned long)packets, (unsigned long)bytes,
		       (unsigned long)s[0].packets, (unsigned long)s[0].segments,
		       (unsigned long)s[1].packets, (unsigned long)s[1].segments);
		ck_assert_uint_eq(s[0].segments, packets);
		ck_assert_uint_eq(s[0].bytes, bytes);
		ck_assert_uint_lt(s[0].packets, packets / 2); /* there were merged ones */
		ck_assert_uint_eq(s[1].segments, packets);
		ck_assert_uint_eq(s[1].bytes, bytes);
		ck_assert_uint_lt(s[1].packets, packets);
		/* The cgroup sees both ends of the streams send; what is not its own is not there. */
		ck_assert_uint_gt(s[2].segments, 2 * s[2].packets);
		end();
		begin();
	}
}
END_TEST

/* One counter on several hooks at once adds them up; two tell them apart; pins know every hook. */
START_TEST(test_several_hooks_and_pins)
{
	struct ebpfnet_counter *both = make(EBPFNET_COUNTER_FIVE_TUPLE), *taken;
	struct ebpfnet_counter *xdp = make(EBPFNET_COUNTER_TOTAL);
	struct ebpfnet_link *links[3];
	uint64_t once;

	silence();
	links[0] = attach(both, EBPFNET_HOOK_TC_INGRESS);
	links[1] = attach(both, EBPFNET_HOOK_TC_EGRESS);
	links[2] = attach(xdp, EBPFNET_HOOK_XDP);
	open_wire();
	usleep(20000);
	send_all(EBPFNET_COUNTER_FIVE_TUPLE, 21);
	wait_for(xdp, model_packets);
	once = model_packets;
	wait_for(both, 2 * once);
	ck_assert_uint_eq(stats(xdp).packets, once);
	ck_assert_uint_eq(stats(both).packets, 2 * once);
	ASSERT_OK(ebpfnet_counter_pin(both, dir, &err), err);
	ebpfnet_link_close(links[0]);
	ebpfnet_link_close(links[1]);
	ebpfnet_counter_free(both);

	/* Another one takes over, and loads for a hook that the first never had. */
	ASSERT_OK(ebpfnet_counter_open_pinned(ctx, dir, &taken, &err), err);
	ck_assert_uint_eq(stats(taken).packets, 2 * once);
	ebpfnet_link_close(links[2]);
	links[2] = attach(taken, EBPFNET_HOOK_XDP);
	usleep(20000);
	send_all(EBPFNET_COUNTER_FIVE_TUPLE, 21);
	wait_for(taken, 3 * once);
	ck_assert_uint_eq(stats(taken).packets, 3 * once);
	ASSERT_OK(ebpfnet_counter_reset(taken, &err), err);
	ck_assert_uint_eq(stats(taken).packets + stats(taken).entries, 0);
	model_clear();
	send_all(EBPFNET_COUNTER_FIVE_TUPLE, 22);
	wait_for(taken, model_packets);
	model_compare(taken);
	ASSERT_OK(ebpfnet_counter_unpin(taken, &err), err);
	ebpfnet_link_close(links[2]);
	ebpfnet_counter_free(taken);
	ebpfnet_counter_free(xdp);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_wire, test_tc_ingress, test_cgroup, test_merged,
				       test_several_hooks_and_pins };

	test_need_root();
	test_need_bpffs();
	return test_run(test_suite_around("counter_hooks", tests, sizeof(tests) / sizeof(*tests),
					  200, begin, end));
}
