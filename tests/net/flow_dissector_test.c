// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The flow dissector, seen through the kernel's own use of it: a router with two next hops chooses
 * by the hash of addresses and ports that the dissector found. What the dissector calls one flow
 * takes one way; what it calls many takes both.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"
#include "link_life.h"
#include "netns.h"
#include "traffic.h"

#define FLOWS 64
#define PORT 7777
#define BEHIND4 "10.99.0.1" /* behind the router, by either way */
#define BEHIND6 "fd99::1"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_program *one_flow, *by_ports, *other;
static struct ebpfnet_error *err;
static struct test_net net;
static int way[2]; /* packet sockets at the far ends of both ways */

/* Each way is a pair whose other end only listens, to packets for somebody else: it routes none. */
static void make_ways(void)
{
	ck_assert_int_eq(
		test_shell("set -e; n='ip -n %s'; for i in 1 2; do "
			   "$n link add w$i type veth peer name e$i; "
			   "$n addr add 10.88.$i.1/24 dev w$i; "
			   "$n addr add fd88:$i::1/64 dev w$i nodad; "
			   "$n link set w$i up; $n link set e$i up; "
			   "$n neigh add 10.88.$i.2 lladdr 02:00:00:00:00:0$i dev w$i; "
			   "$n neigh add fd88:$i::2 lladdr 02:00:00:00:00:0$i dev w$i; done; "
			   "ip netns exec %s sh -c 'cd /proc/sys/net; "
			   "echo 1 >ipv4/ip_forward; echo 1 >ipv6/conf/all/forwarding; "
			   "echo 1 >ipv4/fib_multipath_hash_policy; "
			   "echo 1 >ipv6/fib_multipath_hash_policy'; "
			   "$n route add 10.99.0.0/24 nexthop via 10.88.1.2 nexthop via 10.88.2.2; "
			   "$n route add fd99::/64 nexthop via fd88:1::2 nexthop via fd88:2::2; "
			   "ip -n %s route add 10.99.0.0/24 via " TEST_FAR4 "; "
			   "ip -n %s route add fd99::/64 via " TEST_FAR6,
			   net.far, net.far, net.near, net.near),
		0);
	test_net_enter(net.far_fd);
	for (int i = 0; i < 2; i++) {
		struct sockaddr_ll at = { .sll_family = AF_PACKET };

		way[i] = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		ck_assert_int_ge(way[i], 0);
		at.sll_protocol = htons(ETH_P_ALL);
		at.sll_ifindex = (int)if_nametoindex(i ? "e2" : "e1");
		ck_assert_int_eq(bind(way[i], (void *)&at, sizeof(at)), 0);
	}
	test_net_enter(-1);
}

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	test_net_open(&net, 1);
	make_ways();
	traffic_ready(&net);
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("flow_dissector"), NULL, &obj, &err),
		  err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "one_flow", &one_flow, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "by_ports", &by_ports, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "other_type", &other, &err), err);
}

static void end(void)
{
	close(way[0]);
	close(way[1]);
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	test_net_close(&net);
	test_shell("rm -rf /sys/fs/bpf/ebpfnet-test-%d", getpid());
}

static int attach(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		  struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_netns_opts, o);
	o.netns_fd = net.far_fd;
	return ebpfnet_netns_attach(prog, &o, link, e);
}

/* From raw sockets: a packet of a TCP socket brings its hash along, and nobody looks again. */
static void send_flows(const struct traffic_kind *kind)
{
	int proto = kind->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	bool v6 = kind->family == AF_INET6;
	uint16_t packet[10]; /* a TCP header, or a UDP header and 12 bytes */
	int fd;

	inet_pton(AF_INET, BEHIND4, &to4.sin_addr);
	inet_pton(AF_INET6, BEHIND6, &to6.sin6_addr);
	test_net_enter(net.near_fd);
	fd = socket(kind->family, SOCK_RAW | SOCK_CLOEXEC, proto);
	test_net_enter(-1);
	ck_assert_int_ge(fd, 0);
	for (uint16_t i = 0; i < FLOWS; i++) {
		memset(packet, 0, sizeof(packet));
		packet[0] = htons((uint16_t)(20000 + i));
		packet[1] = htons(PORT);
		if (proto == IPPROTO_TCP)
			packet[6] = htons(0x5002); /* five words, SYN */
		else
			packet[2] = htons(sizeof(packet));
		ck_assert_int_eq(sendto(fd, packet, sizeof(packet), 0,
					v6 ? (void *)&to6 : (void *)&to4,
					v6 ? sizeof(to6) : sizeof(to4)),
				 sizeof(packet));
	}
	close(fd);
}

/* Our packets that came this way; others (neighbour discovery) are not counted. */
static int came(int w, const struct traffic_kind *kind)
{
	unsigned int offset = kind->family == AF_INET ? 20 : 40;
	unsigned char packet[128];
	uint16_t port;
	int n = 0;

	for (;;) {
		ssize_t len = recv(way[w], packet, sizeof(packet), 0);

		if (len < 0)
			return n;
		if (len < (ssize_t)offset + 4 ||
		    packet[0] >> 4 != (kind->family == AF_INET ? 4 : 6))
			continue;
		memcpy(&port, packet + offset + 2, sizeof(port));
		n += port == htons(PORT);
	}
}

/* All flows by both ways, or all of them by one: how many took the way with fewer of them. */
static int fewer(int kind)
{
	int a, b;

	send_flows(&traffic_kinds[kind]);
	usleep(20000);
	a = came(0, &traffic_kinds[kind]);
	b = came(1, &traffic_kinds[kind]);
	ck_assert_msg(a + b == FLOWS, "%s: %d and %d of %d arrived", traffic_kinds[kind].name, a, b,
		      FLOWS);
	return a < b ? a : b;
}

static uint64_t seen(int base, int kind)
{
	uint32_t slot = (uint32_t)(base + kind);
	uint64_t n, zero = 0;
	struct ebpfnet_map *map;

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	ck_assert_int_eq(bpf_map_lookup_elem(ebpfnet_map_fd(map), &slot, &n), 0);
	ck_assert_int_eq(bpf_map_update_elem(ebpfnet_map_fd(map), &slot, &zero, BPF_ANY), 0);
	return n;
}

START_TEST(test_routes_and_count)
{
	struct ebpfnet_link *link;

	for (int i = 0; i < TRAFFIC_KINDS; i++) {
		/* Even a bad hash sends a sixteenth of 64 flows the other way. */
		ck_assert_int_gt(fewer(i), FLOWS / 16);
		ck_assert_uint_eq(seen(0, i), 0);
		ASSERT_OK(attach(one_flow, &link, &err), err);
		ck_assert_int_eq(fewer(i), 0);
		ck_assert_msg(seen(0, i) == FLOWS, "%s", traffic_kinds[i].name);
		ASSERT_OK(ebpfnet_link_update(link, by_ports, NULL, NULL, &err), err);
		ck_assert_int_gt(fewer(i), FLOWS / 16);
		ck_assert_uint_eq(seen(4, i), FLOWS);
		ck_assert_uint_eq(seen(0, i), 0);
		ebpfnet_link_close(link);
		ck_assert_int_gt(fewer(i), FLOWS / 16);
		ck_assert_uint_eq(seen(4, i), 0);
	}
	test_way("flow_dissector", "works");
}
END_TEST

static bool in_force(void)
{
	return fewer(1) == 0;
}

START_TEST(test_life)
{
	struct link_life life = {
		.ctx = ctx,
		.kind = EBPFNET_LINK_FLOW_DISSECTOR,
		.via = EBPFNET_VIA_LINK,
		.active = one_flow,
		.idle = by_ports,
		.alien = other,
		.attach = attach,
		.in_force = in_force,
		.netns_fd = net.far_fd,
	};

	test_link_life(&life);
}
END_TEST

START_TEST(test_taken)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	struct ebpfnet_link *held, *link = (void *)1;
	char words[64];

	ASSERT_OK(attach(by_ports, &held, &err), err);
	ASSERT_OK(ebpfnet_link_info(held, &info, &err), err);
	snprintf(words, sizeof(words), "program %u (by_ports) is attached there by link %u",
		 info.program_id, info.id);
	ASSERT_FAILS(attach(one_flow, &link, &err), err, -EBUSY, EBPFNET_ERROR_BUSY, words);
	ck_assert_ptr_null(link);
	/* Another namespace is another place. */
	EBPFNET_OPTS(ebpfnet_netns_opts, o);
	o.netns_fd = net.near_fd;
	ASSERT_OK(ebpfnet_netns_attach(by_ports, &o, &link, &err), err);
	ebpfnet_link_close(link);
	ebpfnet_link_close(held);
	/* One that was attached without a link. */
	test_net_enter(net.far_fd);
	ck_assert_int_eq(bpf_prog_attach(ebpfnet_program_fd(by_ports), 0, BPF_FLOW_DISSECTOR, 0),
			 0);
	ASSERT_FAILS(attach(one_flow, &link, &err), err, -EBUSY, EBPFNET_ERROR_BUSY,
		     "is attached there, without a link");
	ck_assert_int_eq(bpf_prog_detach2(ebpfnet_program_fd(by_ports), 0, BPF_FLOW_DISSECTOR), 0);
	test_net_enter(-1);
	ASSERT_OK(attach(one_flow, &link, &err), err);
	ebpfnet_link_close(link);
}
END_TEST

/* The root namespace has one for all, or none: tried here only for as long as it takes. */
START_TEST(test_root_namespace_excludes)
{
	struct ebpfnet_link *held, *link = (void *)1;
	int ret;

	EBPFNET_OPTS(ebpfnet_netns_opts, o);
	o.netns_fd = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	if (o.netns_fd < 0)
		TEST_SKIP_CASE("the first process's namespace cannot be opened here");
	ASSERT_OK(attach(by_ports, &held, &err), err);
	ret = ebpfnet_netns_attach(by_ports, &o, &link, &err);
	ebpfnet_link_close(held);
	if (ret == 0) {
		ebpfnet_link_close(link);
		close(o.netns_fd);
		TEST_SKIP_CASE("the first process is not in the root namespace");
	}
	ASSERT_FAILS(ret, err, -EBUSY, EBPFNET_ERROR_BUSY, "(by_ports) is attached on the other");
	ck_assert_ptr_null(link);
	ASSERT_OK(ebpfnet_netns_attach(by_ports, &o, &held, &err), err);
	ret = attach(one_flow, &link, &err);
	ebpfnet_link_close(held);
	close(o.netns_fd);
	ASSERT_FAILS(ret, err, -EBUSY, EBPFNET_ERROR_BUSY, "(by_ports) is attached on the other");
	ck_assert_ptr_null(link);
}
END_TEST

START_TEST(test_namespace_removed)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	struct ebpfnet_link *link;
	struct stat st;

	ck_assert_int_eq(fstat(net.far_fd, &st), 0);
	ASSERT_OK(attach(one_flow, &link, &err), err);
	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	ck_assert_uint_eq(info.netns_inode, st.st_ino);
	close(way[0]);
	close(way[1]);
	way[0] = way[1] = -1;
	test_net_close(&net);
	for (int i = 0; i < 200 && !info.defunct; i++) {
		usleep(10000);
		ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	}
	ck_assert_uint_eq(info.defunct, 1);
	ck_assert_uint_eq(info.netns_inode, 0);
	ASSERT_FAILS(ebpfnet_link_update(link, by_ports, NULL, NULL, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "gone");
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ebpfnet_link_close(link);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_routes_and_count,	test_life, test_taken, test_root_namespace_excludes,
		test_namespace_removed,
	};

	test_need_root();
	test_need_bpffs();
	return test_run(test_suite_around("flow_dissector", tests, sizeof(tests) / sizeof(*tests),
					  60, begin, end));
}
