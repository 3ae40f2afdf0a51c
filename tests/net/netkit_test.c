// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* netkit under real traffic: verdicts on both sides, redirect, policies, order, revision. */
#include "netkit_fixture.h"

START_TEST(test_verdicts_and_counts)
{
	const struct {
		struct ebpfnet_program *prog;
		uint32_t slot;
		int arrive;
	} verdicts[] = { { next, NEXT, N }, { pass, PASS, N }, { drop, DROP, 0 } };

	for (uint32_t mode = EBPFNET_NETKIT_L3; mode <= EBPFNET_NETKIT_L2; mode++) {
		EBPFNET_OPTS(ebpfnet_netkit_create_opts, o);
		o.mode = mode;
		make_pair(&o);
		for (int s = 0; s < 2; s++)
			for (int kind = 0; kind < TRAFFIC_KINDS; kind++)
				for (int v = 0; v < 3; v++) {
					struct ebpfnet_link *link;

					ck_assert_int_eq(send_from(&sides[s], kind), N);
					assert_seen(verdicts[v].slot, kind, 0);
					ASSERT_OK(attach_to(verdicts[v].prog, sides[s].side, &link),
						  err);
					ck_assert_int_eq(send_from(&sides[s], kind),
							 verdicts[v].arrive);
					assert_seen(verdicts[v].slot, kind, N);
					/* What the other side sends does not meet it. */
					ck_assert_int_eq(send_from(&sides[!s], kind), N);
					assert_seen(verdicts[v].slot, kind, 0);
					ebpfnet_link_close(link);
				}
		delete_pair();
	}
	test_way("netkit", "works");
}
END_TEST

/* Packets of a kind to the port that came in through v0 of a namespace. */
static int came_by_veth(int fd, const struct traffic_kind *kind)
{
	unsigned int offset = kind->family == AF_INET ? 20 : 40;
	unsigned char packet[128];
	uint16_t port;
	int n = 0;

	while (recv(fd, packet, sizeof(packet), 0) >= (ssize_t)offset + 4) {
		memcpy(&port, packet + offset + 2, sizeof(port));
		n += packet[0] >> 4 == (kind->family == AF_INET ? 4 : 6) && port == htons(PORT);
	}
	return n;
}

/* To the v0 of the receiving side, whose other end is v0 of the sender: there it comes in. */
START_TEST(test_redirect)
{
	make_pair(NULL);
	for (int s = 0; s < 2; s++) {
		bool primary = sides[s].side == EBPFNET_NETKIT_PRIMARY;
		struct sockaddr_ll at = { .sll_family = AF_PACKET };
		struct ebpfnet_link *link;
		int fd;

		test_net_enter(primary ? net.near_fd : net.far_fd);
		fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		at.sll_protocol = htons(ETH_P_ALL);
		at.sll_ifindex = primary ? net.near_if : net.far_if;
		ck_assert_int_eq(bind(fd, (void *)&at, sizeof(at)), 0);
		test_net_enter(-1);
		for (int kind = 0; kind < TRAFFIC_KINDS; kind++) {
			ASSERT_OK(attach_to(redirect, sides[s].side, &link), err);
			put(TARGET, (uint64_t)(primary ? net.far_if : net.near_if));
			ck_assert_int_eq(send_from(&sides[s], kind), 0);
			usleep(20000);
			ck_assert_int_eq(came_by_veth(fd, &traffic_kinds[kind]), N);
			assert_seen(REDIRECT, kind, N);
			ebpfnet_link_close(link);
			ck_assert_int_eq(send_from(&sides[s], kind), N);
			ck_assert_int_eq(came_by_veth(fd, &traffic_kinds[kind]), 0);
		}
		close(fd);
	}
}
END_TEST

/* With no program the policy decides; any program takes over, and its NEXT is a pass. */
START_TEST(test_policies)
{
	for (int black = 0; black < 2; black++) {
		const struct side *held = &sides[black], *free_side = &sides[!black];
		struct ebpfnet_link *link;

		EBPFNET_OPTS(ebpfnet_netkit_create_opts, o);
		if (black == 0)
			o.policy = EBPFNET_NETKIT_BLACKHOLE;
		else
			o.peer_policy = EBPFNET_NETKIT_BLACKHOLE;
		make_pair(&o);
		for (int kind = 0; kind < TRAFFIC_KINDS; kind++) {
			bool udp = traffic_kinds[kind].type == SOCK_DGRAM;

			ck_assert_int_eq(send_from(held, kind), 0);
			/* A connection needs both sides, a datagram one. */
			ck_assert_int_eq(send_from(free_side, kind), udp ? N : 0);
			for (int i = 0; i < 2; i++) {
				ASSERT_OK(attach_to(i ? next : pass, held->side, &link), err);
				ck_assert_int_eq(send_from(held, kind), N);
				assert_seen(i ? NEXT : PASS, kind, N);
				ebpfnet_link_close(link);
				ck_assert_int_eq(send_from(held, kind), 0);
			}
		}
		delete_pair();
	}
}
END_TEST

static struct ebpfnet_link *sign(int i, struct ebpfnet_netkit_opts *o)
{
	struct ebpfnet_link *link;

	o->netns_fd = net.near_fd;
	ASSERT_OK(ebpfnet_netkit_attach(signs[i - 1], (int)pair.ifindex, EBPFNET_NETKIT_PRIMARY, o,
					&link, &err),
		  err);
	return link;
}

/* The order of the digits that one datagram met. */
static uint64_t order(void)
{
	put(ORDER, 0);
	ck_assert_int_eq(traffic_send(net.near_fd, &traffic_kinds[1], POD4, PORT, 1, 10, NULL), 1);
	return take(ORDER);
}

static uint64_t revision(size_t *count)
{
	struct ebpfnet_query *query;
	uint64_t n;

	EBPFNET_OPTS(ebpfnet_query_opts, o);
	o.netns_fd = net.near_fd;
	ASSERT_OK(ebpfnet_netkit_query(ctx, (int)pair.ifindex, EBPFNET_NETKIT_PRIMARY, &o, &query,
				       &err),
		  err);
	n = ebpfnet_query_revision(query);
	if (count)
		*count = ebpfnet_query_count(query);
	ebpfnet_query_free(query);
	return n;
}

START_TEST(test_order_by_anchors)
{
	struct ebpfnet_link *l1, *l2, *l3, *l4;

	make_pair(NULL);
	EBPFNET_OPTS(ebpfnet_netkit_opts, o);
	l1 = sign(1, &o);
	l2 = sign(2, &o);
	ck_assert_uint_eq(order(), 12);
	o.anchor = EBPFNET_ANCHOR_FIRST;
	l3 = sign(3, &o);
	ck_assert_uint_eq(order(), 312);
	o.anchor = EBPFNET_ANCHOR_BEFORE;
	o.anchor_link = l2;
	l4 = sign(4, &o);
	ck_assert_uint_eq(order(), 3142);
	ebpfnet_link_close(l4);
	o.anchor = EBPFNET_ANCHOR_AFTER;
	o.anchor_link = l3;
	l4 = sign(4, &o);
	ck_assert_uint_eq(order(), 3412);
	ebpfnet_link_close(l4);
	/* By program, and by the kernel's numbers. */
	o.anchor_link = NULL;
	o.anchor_program = signs[0];
	l4 = sign(4, &o);
	ck_assert_uint_eq(order(), 3142);
	ebpfnet_link_close(l4);
	o.anchor_program = NULL;
	o.anchor_link_id = info_of(l2).id;
	l4 = sign(4, &o);
	ck_assert_uint_eq(order(), 3124);
	ebpfnet_link_close(l4);
	o.anchor_link_id = 0;
	o.anchor_program_id = info_of(l3).program_id;
	o.anchor = EBPFNET_ANCHOR_BEFORE;
	l4 = sign(4, &o);
	ck_assert_uint_eq(order(), 4312);
	ebpfnet_link_close(l4);
	/* An update keeps the place. */
	ASSERT_OK(ebpfnet_link_update(l3, signs[3], NULL, NULL, &err), err);
	ck_assert_uint_eq(order(), 412);
	ebpfnet_link_close(l3);
	ebpfnet_link_close(l2);
	ebpfnet_link_close(l1);
	ck_assert_uint_eq(order(), 0);
}
END_TEST

START_TEST(test_revision)
{
	struct ebpfnet_query_entry entry = { .sz = sizeof(entry) };
	struct ebpfnet_link *l1, *l2 = (void *)1;
	struct ebpfnet_query *query;
	uint64_t first;
	size_t count;

	make_pair(NULL);
	first = revision(&count);
	ck_assert_uint_ge(first, 1);
	ck_assert_uint_eq(count, 0);
	EBPFNET_OPTS(ebpfnet_netkit_opts, o);
	o.expected_revision = first;
	l1 = sign(1, &o);
	ck_assert_uint_gt(revision(&count), first);
	ck_assert_uint_eq(count, 1);
	ASSERT_FAILS(ebpfnet_netkit_attach(signs[1], (int)pair.ifindex, EBPFNET_NETKIT_PRIMARY, &o,
					   &l2, &err),
		     err, -ESTALE, EBPFNET_ERROR_STALE, "the hook is at revision");
	ck_assert_ptr_null(l2);
	o.expected_revision = revision(NULL);
	l2 = sign(2, &o);
	ck_assert_uint_eq(order(), 12);
	EBPFNET_OPTS(ebpfnet_query_opts, q);
	q.netns_fd = net.near_fd;
	ASSERT_OK(ebpfnet_netkit_query(ctx, (int)pair.ifindex, EBPFNET_NETKIT_PRIMARY, &q, &query,
				       &err),
		  err);
	ck_assert_uint_eq(ebpfnet_query_count(query), 2);
	ck_assert_int_eq(ebpfnet_query_entry(query, 1, &entry), 0);
	ck_assert_uint_eq(entry.kind, EBPFNET_LINK_NETKIT);
	ck_assert_uint_eq(entry.via, EBPFNET_VIA_LINK);
	ck_assert_uint_eq(entry.hook, EBPFNET_NETKIT_PRIMARY);
	ck_assert_uint_eq(entry.ifindex, pair.ifindex);
	ck_assert_uint_eq(entry.link_id, info_of(l2).id);
	ck_assert_str_eq(entry.name, "sign_2");
	ebpfnet_query_free(query);
	ebpfnet_link_close(l1);
	ebpfnet_link_close(l2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_verdicts_and_counts, test_redirect, test_policies,
		test_order_by_anchors,	  test_revision,
	};

	return netkit_main("netkit", tests, sizeof(tests) / sizeof(*tests));
}
