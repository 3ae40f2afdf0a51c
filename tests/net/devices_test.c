// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * TC on devices that are not a veth: tunnels, with and without a layer 2, VLANs, and fq as the queue
 * that keeps packets until their time. Both directions are counted, the length is the one that the
 * device's layer gives, and a drop is seen by ping.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "helpers.h"
#include "netns.h"

#define PINGS 3
#define PAYLOAD 400
#define ICMP_HEADER 8
#define NEAR_INNER4 "10.78.0.1"
#define FAR_INNER4 "10.78.0.2"
#define NEAR_INNER6 "fd78::1"
#define FAR_INNER6 "fd78::2"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_error *err;
static struct ebpfnet_object *near_obj, *far_obj;
static struct test_net net;

static struct ebpfnet_object *load(void)
{
	struct ebpfnet_object *obj;

	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("devices"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	return obj;
}

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	test_net_open(&net, 1);
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	near_obj = load();
	far_obj = load();
}

static void end(void)
{
	ebpfnet_object_close(near_obj);
	ebpfnet_object_close(far_obj);
	ebpfnet_ctx_unref(ctx);
	test_net_close(&net);
}

static uint64_t seen(struct ebpfnet_object *obj, uint32_t slot)
{
	struct ebpfnet_map *map;
	uint64_t n;

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	ck_assert_int_eq(bpf_map_lookup_elem(ebpfnet_map_fd(map), &slot, &n), 0);
	return n;
}

static uint64_t packets(struct ebpfnet_object *obj, uint32_t direction)
{
	return seen(obj, direction == EBPFNET_INGRESS ? 0 : 2);
}

static uint64_t length(struct ebpfnet_object *obj, uint32_t direction)
{
	return seen(obj, direction == EBPFNET_INGRESS ? 1 : 3);
}

static int index_of(int ns, const char *name)
{
	int index;

	test_net_enter(ns);
	index = (int)if_nametoindex(name);
	test_net_enter(-1);
	ck_assert_int_gt(index, 0);
	return index;
}

static struct ebpfnet_link *attach(struct ebpfnet_object *obj, const char *name, int ns,
				   const char *device, uint32_t direction)
{
	struct ebpfnet_program *prog;
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_tc_opts, o);
	o.netns_fd = ns;
	ASSERT_OK(ebpfnet_object_program(obj, name, &prog, &err), err);
	ASSERT_OK(ebpfnet_tc_attach(prog, index_of(ns, device), direction, &o, &link, &err), err);
	return link;
}

static int ping(int family)
{
	char out[2048];
	const char *received;

	test_shell_output(out, sizeof(out),
			  "ip netns exec %s ping -%d -i 0.02 -c %d -s %d -W 0.5 %s 2>&1", net.near,
			  family, PINGS, PAYLOAD, family == 4 ? FAR_INNER4 : FAR_INNER6);
	received = strstr(out, " received");
	while (received && received > out && received[-1] != ' ')
		received--;
	return received ? atoi(received) : -1;
}

struct kind {
	const char *name;
	const char *near, *far; /* arguments of ip link add, without its name */
	const char *before;	/* a command in each namespace before, or NULL */
	int layer2;		/* bytes before the IP header that a program sees */
	bool v4, v6;		/* what it carries */
};

#define BETWEEN4 "local " TEST_NEAR4 " remote " TEST_FAR4
#define BETWEEN4_BACK "local " TEST_FAR4 " remote " TEST_NEAR4
#define BETWEEN6 "local " TEST_NEAR6 " remote " TEST_FAR6
#define BETWEEN6_BACK "local " TEST_FAR6 " remote " TEST_NEAR6
#define FOU " encap fou encap-sport 5555 encap-dport 5555"

static const struct kind kinds[] = {
	{ "ipip", "type ipip " BETWEEN4, "type ipip " BETWEEN4_BACK, NULL, 0, true, false },
	{ "sit", "type sit " BETWEEN4, "type sit " BETWEEN4_BACK, NULL, 0, false, true },
	{ "ip6tnl", "type ip6tnl mode any " BETWEEN6, "type ip6tnl mode any " BETWEEN6_BACK, NULL,
	  0, true, true },
	{ "gre", "type gre " BETWEEN4, "type gre " BETWEEN4_BACK, NULL, 0, true, true },
	{ "ip6gre", "type ip6gre " BETWEEN6, "type ip6gre " BETWEEN6_BACK, NULL, 0, true, true },
	{ "fou", "type ipip " BETWEEN4 FOU, "type ipip " BETWEEN4_BACK FOU,
	  "fou add port 5555 ipproto 4", 0, true, false },
	{ "gretap", "type gretap " BETWEEN4, "type gretap " BETWEEN4_BACK, NULL, 14, true, true },
	{ "vxlan", "type vxlan id 7 dstport 4789 " BETWEEN4,
	  "type vxlan id 7 dstport 4789 " BETWEEN4_BACK, NULL, 14, true, true },
	{ "geneve", "type geneve id 7 remote " TEST_FAR4, "type geneve id 7 remote " TEST_NEAR4,
	  NULL, 14, true, true },
	{ "vlan", "link v0 type vlan id 7", "link v0 type vlan id 7", NULL, 14, true, true },
};

/* Makes one end; false when the kernel has no such device. */
static bool make_end(const struct kind *k, bool far)
{
	const char *ns = far ? net.far : net.near;
	int mac = far ? 2 : 1;
	char address[64] = "";

	if (k->before && test_shell("ip netns exec %s ip %s 2>/dev/null", ns, k->before))
		return false;
	if (test_shell("ip -n %s link add t0 %s 2>/dev/null", ns, far ? k->far : k->near))
		return false;
	if (k->layer2)
		snprintf(address, sizeof(address), " address 02:00:00:00:78:0%d", mac);
	ck_assert_int_eq(test_shell("ip -n %s -batch - <<EOF\n"
				    "addr add %s/24 dev t0\n"
				    "addr add %s/64 dev t0 nodad\n"
				    "link set t0 up%s\n"
				    "EOF\n",
				    ns, far ? FAR_INNER4 : NEAR_INNER4,
				    far ? FAR_INNER6 : NEAR_INNER6, address),
			 0);
	if (k->layer2)
		ck_assert_int_eq(test_shell("ip -n %s -batch - <<EOF\n"
					    "neigh replace %s lladdr 02:00:00:00:78:0%d dev t0\n"
					    "neigh replace %s lladdr 02:00:00:00:78:0%d dev t0\n"
					    "EOF\n",
					    ns, far ? NEAR_INNER4 : FAR_INNER4, 3 - mac,
					    far ? NEAR_INNER6 : FAR_INNER6, 3 - mac),
				 0);
	return true;
}

/*
 * Linux before 5.14 shows the outer headers, too, to programs at the ingress of a tunnel without a
 * layer 2: it took them for the packet's MAC header. The kernel matrix says which kernels do.
 */
static void check_ingress_length(const struct kind *k, uint64_t len, uint64_t want)
{
	if (k->layer2 || len == want) {
		ck_assert_uint_eq(len, want);
		if (!k->layer2)
			test_way("tc ingress of layer 3 tunnels without outer headers", "works");
		return;
	}
	ck_assert_uint_ge(len, want + 20);
	test_way("tc ingress of layer 3 tunnels without outer headers", "not there");
}

/* The programs are on both ends; what they saw so far is in before. */
static void check_family(const struct kind *k, int family)
{
	struct ebpfnet_object *const objs[] = { near_obj, far_obj };
	uint64_t before[2][2];
	uint64_t want = (uint64_t)k->layer2 + (family == 4 ? 20 : 40) + ICMP_HEADER + PAYLOAD;
	struct ebpfnet_link *drop;

	for (int i = 0; i < 2; i++)
		for (uint32_t d = EBPFNET_INGRESS; d <= EBPFNET_EGRESS; d++)
			before[i][d - 1] = packets(objs[i], d);
	ck_assert_msg(ping(family) == PINGS, "IPv%d through %s", family, k->name);
	for (int i = 0; i < 2; i++) {
		for (uint32_t d = EBPFNET_INGRESS; d <= EBPFNET_EGRESS; d++)
			ck_assert_uint_eq(packets(objs[i], d) - before[i][d - 1], PINGS);
		ck_assert_uint_eq(length(objs[i], EBPFNET_EGRESS), want);
		check_ingress_length(k, length(objs[i], EBPFNET_INGRESS), want);
	}
	drop = attach(far_obj, "drop_in", net.far_fd, "t0", EBPFNET_INGRESS);
	ck_assert_int_eq(ping(family), 0);
	ck_assert_uint_eq(packets(near_obj, EBPFNET_INGRESS) - before[0][0], PINGS);
	ebpfnet_link_close(drop);
	ck_assert_int_eq(ping(family), PINGS);
}

static bool check_kind(const struct kind *k)
{
	struct ebpfnet_link *links[4];

	if (!make_end(k, false) || !make_end(k, true))
		return false;
	links[0] = attach(near_obj, "in", net.near_fd, "t0", EBPFNET_INGRESS);
	links[1] = attach(near_obj, "out", net.near_fd, "t0", EBPFNET_EGRESS);
	links[2] = attach(far_obj, "in", net.far_fd, "t0", EBPFNET_INGRESS);
	links[3] = attach(far_obj, "out", net.far_fd, "t0", EBPFNET_EGRESS);
	if (k->v4)
		check_family(k, 4);
	if (k->v6)
		check_family(k, 6);
	for (int i = 0; i < 4; i++)
		ebpfnet_link_close(links[i]);
	return true;
}

#define DEVICE_TEST(device, index)                                                                 \
	START_TEST(device)                                                                         \
	{                                                                                          \
		if (!check_kind(&kinds[index]))                                                    \
			TEST_SKIP_CASE("this kernel makes no %s device", kinds[index].name);       \
		test_way("tc on " #device, "works");                                               \
	}                                                                                          \
	END_TEST

DEVICE_TEST(ipip, 0)
DEVICE_TEST(sit, 1)
DEVICE_TEST(ip6tnl, 2)
DEVICE_TEST(gre, 3)
DEVICE_TEST(ip6gre, 4)
DEVICE_TEST(fou, 5)
DEVICE_TEST(gretap, 6)
DEVICE_TEST(vxlan, 7)
DEVICE_TEST(geneve, 8)
DEVICE_TEST(vlan, 9)

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#define PACED 10
#define GAP_MS 20

/* Milliseconds from the first to the last of PACED datagrams, all of which must arrive. */
static int64_t spread(int family)
{
	struct sockaddr_in6 far6 = { .sin6_family = AF_INET6, .sin6_port = htons(7) };
	struct sockaddr_in far4 = { .sin_family = AF_INET, .sin_port = htons(7) };
	struct sockaddr *to = family == AF_INET ? (void *)&far4 : (void *)&far6;
	socklen_t len = family == AF_INET ? sizeof(far4) : sizeof(far6);
	char payload[PAYLOAD] = { 0 };
	int64_t first = 0, last = 0;
	int receiver, sender;

	inet_pton(AF_INET, TEST_FAR4, &far4.sin_addr);
	inet_pton(AF_INET6, TEST_FAR6, &far6.sin6_addr);
	test_net_enter(net.far_fd);
	receiver = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(receiver, to, len), 0);
	test_net_enter(net.near_fd);
	sender = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	test_net_enter(-1);
	for (int i = 0; i < PACED; i++)
		ck_assert_int_eq(sendto(sender, payload, PAYLOAD, 0, to, len), PAYLOAD);
	for (int i = 0; i < PACED; i++) {
		struct pollfd p = { .fd = receiver, .events = POLLIN };

		ck_assert_msg(poll(&p, 1, 2000) == 1, "datagram %d did not come", i);
		ck_assert_int_eq(recv(receiver, payload, PAYLOAD, 0), PAYLOAD);
		last = now_ms();
		first = first ? first : last;
	}
	close(sender);
	close(receiver);
	return last - first;
}

/* The time that a program writes into a packet is kept by fq, and only with the program. */
START_TEST(fq)
{
	struct ebpfnet_link *link;

	if (test_shell("ip netns exec %s tc qdisc replace dev v0 root fq 2>/dev/null", net.near))
		TEST_SKIP_CASE("this kernel has no fq");
	for (int family = AF_INET; family <= AF_INET6; family += AF_INET6 - AF_INET) {
		uint64_t before = packets(near_obj, EBPFNET_EGRESS);
		int64_t free_ms = spread(family), paced_ms;

		link = attach(near_obj, "pace", net.near_fd, "v0", EBPFNET_EGRESS);
		paced_ms = spread(family);
		ebpfnet_link_close(link);
		ck_assert_msg(paced_ms >= (PACED - 1) * GAP_MS * 9 / 10, "%d ms", (int)paced_ms);
		ck_assert_msg(free_ms < (PACED - 1) * GAP_MS / 2, "%d ms", (int)free_ms);
		ck_assert_uint_eq(packets(near_obj, EBPFNET_EGRESS) - before, PACED);
	}
	test_way("tc egress time with fq", "works");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { ipip,   sit,   ip6tnl, gre,  ip6gre, fou,
				       gretap, vxlan, geneve, vlan, fq };

	test_need_root();
	return test_run(test_suite_around("devices", tests, sizeof(tests) / sizeof(*tests), 60,
					  begin, end));
}
