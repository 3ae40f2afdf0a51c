// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Programs on routes. near --v0-- far --e0-- end: what near sends meets OUT and XMIT on near's own
 * routes, and IN and segment routing on those of far, which forwards.
 */
#include "lwt_fixture.h"
#include "traffic.h"

#define END4 "10.50.0.2"
#define END6 "fd50::2"
#define SEGMENT "fd61::1"

static char end_ns[32];
static int far_e0;

static void remove_end(void)
{
	if (*end_ns)
		test_shell("ip netns del %s 2>/dev/null", end_ns);
	*end_ns = '\0';
}

static void make_end(void)
{
	char index[16];

	snprintf(end_ns, sizeof(end_ns), "ebn-end-%d", getpid());
	ck_assert_int_eq(
		test_shell("set -e; near=%s; far=%s; end=%s; ip netns add $end; "
			   "ip -n $far link add e0 type veth peer name e0 netns $end; "
			   "ip -n $end link set lo up; "
			   "for n in $far $end; do ip netns exec $n sh -c '"
			   "cd /proc/sys/net; echo 1 >ipv4/ip_forward; "
			   "echo 1 >ipv6/conf/all/forwarding; "
			   "for i in all default e0; do echo 0 >ipv6/conf/$i/accept_dad; done; "
			   "for i in ipv6/conf/*/seg6_enabled; do echo 1 >$i || :; done'; "
			   "ip -n $n link set e0 up; done; "
			   "ip -n $far addr add 10.50.0.1/24 dev e0; "
			   "ip -n $far addr add fd50::1/64 dev e0 nodad; "
			   /* Whom it forwards to, it looks for from these. */
			   "ip -n $far addr add fe80::1/64 dev e0 nodad; "
			   "ip -n $far addr add fe80::1/64 dev v0 nodad; "
			   "ip -n $end addr add " END4 "/24 dev e0; "
			   "ip -n $end addr add " END6 "/64 dev e0 nodad; "
			   "ip -n $end route add default via 10.50.0.1; "
			   "ip -n $end -6 route add default via fd50::1; "
			   "ip -n $near route add 10.50.0.0/24 via " TEST_FAR4 "; "
			   "ip -n $near -6 route add fd50::/64 via " TEST_FAR6 "; "
			   /* IPv6 waits for the carrier to be noticed. */
			   "for i in 1 2 3 4 5 6 7 8 9 10; do "
			   "ip netns exec $near ping -c 1 -W 1 " END6 " >/dev/null && break; done",
			   net.near, net.far, end_ns),
		0);
	ck_assert_int_eq(test_shell_output(index, sizeof(index),
					   "ip netns exec %s cat /sys/class/net/e0/ifindex",
					   net.far),
			 0);
	far_e0 = atoi(index);
}

static void begin_with_end(void)
{
	begin();
	make_end();
}

static void end_with_end(void)
{
	remove_end();
	end();
}

/* TCP segments that near has sent, however often. */
static uint64_t segments(void)
{
	char out[32];

	ck_assert_int_eq(test_shell_output(out, sizeof(out),
					   "ip netns exec %s awk '/^Tcp: [0-9]/ {print $12+$13}' "
					   "/proc/net/snmp",
					   net.near),
			 0);
	return strtoull(out, NULL, 10);
}

/* The same once nothing is under way. */
static uint64_t settled(void)
{
	uint64_t before, now = segments();

	do {
		before = now;
		usleep(100000);
		now = segments();
	} while (now != before);
	return now;
}

static void far_opts(struct ebpfnet_lwt_opts *o)
{
	memset(o, 0, sizeof(*o));
	o->sz = sizeof(*o);
	o->netns_fd = net.far_fd;
	o->ifindex = far_e0;
}

/* Pings through a passing route, through a dropping one, and without. */
static void verdict_and_count(const char *pass, const char *drop, uint32_t hook, const char *to,
			      const char *address, const struct ebpfnet_lwt_opts *o)
{
	struct ebpfnet_link *link = attach(pass, to, o);

	ck_assert_uint_eq(info_of(link).hook, hook);
	ck_assert_int_eq(ping(address), PACKETS);
	ck_assert_uint_eq(seen(hook), PACKETS);
	ebpfnet_link_close(link);
	link = attach(drop, to, o);
	ck_assert_int_eq(ping(address), 0);
	ck_assert_uint_eq(seen(hook), PACKETS);
	ebpfnet_link_close(link);
}

START_TEST(test_out_and_xmit)
{
	struct ebpfnet_lwt_opts o;

	near_opts(&o);
	for (uint32_t hook = EBPFNET_LWT_OUT; hook <= EBPFNET_LWT_XMIT; hook++) {
		bool out = hook == EBPFNET_LWT_OUT;

		verdict_and_count(out ? "pass_out" : "pass_xmit", out ? "drop_out" : "drop_xmit",
				  hook, TEST_FAR4 "/32", TEST_FAR4, &o);
		verdict_and_count(out ? "pass_out" : "pass_xmit", out ? "drop_out" : "drop_xmit",
				  hook, TEST_FAR6, TEST_FAR6, &o);
		ck_assert_int_eq(ping(TEST_FAR4), PACKETS);
		ck_assert_int_eq(ping(TEST_FAR6), PACKETS);
		ck_assert_uint_eq(seen(hook), 0);
		test_way(out ? "lwt_out" : "lwt_xmit", "works");
	}
}
END_TEST

START_TEST(test_in)
{
	struct ebpfnet_lwt_opts o;

	far_opts(&o);
	ck_assert_int_eq(ping(END4), PACKETS);
	ck_assert_int_eq(ping(END6), PACKETS);
	verdict_and_count("pass_in", "drop_in", EBPFNET_LWT_IN, END4, END4, &o);
	verdict_and_count("pass_in", "drop_in", EBPFNET_LWT_IN, END6 "/128", END6, &o);
	ck_assert_int_eq(ping(END4), PACKETS);
	ck_assert_int_eq(ping(END6), PACKETS);
	test_way("lwt_in", "works");
}
END_TEST

START_TEST(test_tcp_and_udp)
{
	struct ebpfnet_lwt_opts o;

	near_opts(&o);
	for (int k = 0; k < TRAFFIC_KINDS; k++) {
		const struct traffic_kind *kind = &traffic_kinds[k];
		bool tcp = kind->type == SOCK_STREAM;
		const char *far = kind->family == AF_INET ? TEST_FAR4 : TEST_FAR6;
		int code, server = traffic_listen(net.far_fd, kind, NULL, 4242);

		for (uint32_t hook = EBPFNET_LWT_OUT; hook <= EBPFNET_LWT_XMIT; hook++) {
			bool out = hook == EBPFNET_LWT_OUT;
			struct ebpfnet_link *link;
			uint64_t before, sent, counted;
			int arrived;

			link = attach(out ? "pass_out" : "pass_xmit", far, &o);
			before = segments();
			ck_assert_int_eq(
				traffic_send(net.near_fd, kind, far, 4242, PACKETS, 32, &code),
				PACKETS);
			arrived = 0;
			for (int tries = 0; tries < 8 && arrived < PACKETS; tries++)
				arrived += traffic_arrived(server, PACKETS - arrived);
			ck_assert_msg(arrived == PACKETS, "%s, hook %u: %d of %d arrived",
				      kind->name, hook, arrived, PACKETS);
			sent = tcp ? settled() - before : PACKETS;
			counted = seen(hook);
			ck_assert_msg(counted == sent, "%s, hook %u: %d sent, %d counted",
				      kind->name, hook, (int)sent, (int)counted);
			ebpfnet_link_close(link);
			link = attach(out ? "drop_out" : "drop_xmit", far, &o);
			traffic_send(net.near_fd, kind, far, 4242, PACKETS, 32, &code);
			ck_assert_int_eq(traffic_arrived(server, 0), 0);
			if (tcp)
				ck_assert_uint_ge(seen(hook), PACKETS);
			else
				ck_assert_uint_eq(seen(hook), PACKETS);
			ebpfnet_link_close(link);
		}
		close(server);
	}
}
END_TEST

/* All three on one route. */
START_TEST(test_more)
{
	struct ebpfnet_lwt_opts o;
	struct ebpfnet_link *link;

	near_opts(&o);
	o.more[0] = program("pass_xmit");
	o.more[1] = program("pass_in");
	o.headroom = 14;
	for (int six = 0; six < 2; six++) {
		const char *far = six ? TEST_FAR6 : TEST_FAR4;

		link = attach("pass_out", far, &o);
		ck_assert_int_eq(ping(far), PACKETS);
		ck_assert_uint_eq(seen(EBPFNET_LWT_OUT), PACKETS);
		ck_assert_uint_eq(seen(EBPFNET_LWT_XMIT), PACKETS);
		/* An update changes one and keeps the others. */
		ASSERT_OK(ebpfnet_link_update(link, program("drop_out"), NULL, NULL, &err), err);
		ck_assert_int_eq(ping(far), 0);
		ck_assert_uint_eq(seen(EBPFNET_LWT_OUT), PACKETS);
		ck_assert_uint_eq(seen(EBPFNET_LWT_XMIT), 0);
		ASSERT_OK(ebpfnet_link_update(link, program("pass_out"), NULL, NULL, &err), err);
		ck_assert_int_eq(ping(far), PACKETS);
		ck_assert_uint_eq(seen(EBPFNET_LWT_XMIT), PACKETS);
		seen(EBPFNET_LWT_OUT);
		ebpfnet_link_close(link);
		ck_assert_int_eq(ping(far), PACKETS);
		ck_assert_uint_eq(seen(EBPFNET_LWT_OUT), 0);
	}
}
END_TEST

START_TEST(test_seg6local)
{
	struct ebpfnet_lwt_opts o;
	struct ebpfnet_link *link;

	if (test_shell("ip -n %s -6 route add " SEGMENT " via " TEST_FAR6 " && "
		       "ip -n %s -6 route add " END6 " encap seg6 mode inline segs " SEGMENT
		       " via " TEST_FAR6 " dev v0",
		       net.near, net.near))
		TEST_SKIP_CASE("this kernel has no segment routing (CONFIG_IPV6_SEG6_LWTUNNEL)");
	far_opts(&o);
	ck_assert_int_eq(ping(END6), 0); /* nobody is that segment */
	link = attach("pass_seg6local", SEGMENT, &o);
	ck_assert_int_eq(ping(END6), PACKETS);
	ck_assert_uint_eq(seen(EBPFNET_LWT_SEG6LOCAL), PACKETS);
	ASSERT_OK(ebpfnet_link_update(link, program("drop_seg6local"), NULL, NULL, &err), err);
	ck_assert_int_eq(ping(END6), 0);
	ck_assert_uint_eq(seen(EBPFNET_LWT_SEG6LOCAL), PACKETS);
	ebpfnet_link_close(link);
	test_way("seg6local", "works");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_out_and_xmit, test_in, test_tcp_and_udp, test_more, test_seg6local,
	};

	test_need_root();
	atexit(remove_end);
	need_lwt();
	return test_run(test_suite_around("lwt", tests, sizeof(tests) / sizeof(*tests), 60,
					  begin_with_end, end_with_end));
}
