/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_NETKIT_FIXTURE_H
#define EBPFNET_TESTS_NETKIT_FIXTURE_H

/*
 * A netkit pair between the two namespaces of a test: the primary in the near one, the peer in the
 * far one, as a host and a container have them.
 */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers.h"
#include "link_life.h"
#include "netns.h"
#include "traffic.h"

#define PORT 7777 /* as netkit.bpf.c has it, and the slots */
#define NEXT 0
#define PASS 4
#define DROP 8
#define REDIRECT 12
#define ORDER 28
#define MARK 29
#define TARGET 30
#define N (test_quick() ? 2 : 5)

/* Addresses on the pair; the veth of the net is another way between the two. */
#define HOST4 "10.88.0.1"
#define HOST6 "fd88::1"
#define POD4 "10.88.0.2"
#define POD6 "fd88::2"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_program *next, *pass, *drop, *redirect, *signs[4], *other;
static struct ebpfnet_error *err;
static struct test_net net;
static struct ebpfnet_netkit_info pair;

/* What one side transmits: primary to peer, peer to primary. */
static const struct side {
	uint32_t side;
	const char *name;
	const char *to4, *to6;
} sides[] = {
	{ EBPFNET_NETKIT_PRIMARY, "primary", POD4, POD6 },
	{ EBPFNET_NETKIT_PEER, "peer", HOST4, HOST6 },
};

static inline void make_pair(const struct ebpfnet_netkit_create_opts *like)
{
	EBPFNET_OPTS(ebpfnet_netkit_create_opts, o);
	if (like)
		o = *like;
	o.name = "nk-host";
	o.peer_name = "nk-pod";
	o.netns_fd = net.near_fd;
	o.peer_netns_fd = net.far_fd;
	pair.sz = sizeof(pair);
	ASSERT_OK(ebpfnet_netkit_create(ctx, &o, &pair, &err), err);
	ck_assert_int_eq(test_shell("set -e; h='ip -n %s'; p='ip -n %s'; "
				    "$h addr add " HOST4 "/24 dev nk-host; "
				    "$h addr add " HOST6 "/64 dev nk-host nodad; "
				    "$p addr add " POD4 "/24 dev nk-pod; "
				    "$p addr add " POD6 "/64 dev nk-pod nodad; "
				    "$h link set nk-host up; $p link set nk-pod up",
				    net.near, net.far),
			 0);
}

static inline void delete_pair(void)
{
	ASSERT_OK(ebpfnet_netkit_delete(ctx, (int)pair.ifindex, net.near_fd, &err), err);
}

static inline void load(struct ebpfnet_object **out)
{
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("netkit"), NULL, out, &err), err);
	ASSERT_OK(ebpfnet_object_load(*out, &err), err);
}

static inline void begin(void)
{
	static const char *const names[] = { "sign_1", "sign_2", "sign_3", "sign_4" };

	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	test_net_open(&net, 1);
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	load(&obj);
	ASSERT_OK(ebpfnet_object_program(obj, "nk_next", &next, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "nk_pass", &pass, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "nk_drop", &drop, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "nk_redirect", &redirect, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "other_type", &other, &err), err);
	for (int i = 0; i < 4; i++)
		ASSERT_OK(ebpfnet_object_program(obj, names[i], &signs[i], &err), err);
}

static inline void end(void)
{
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	test_net_close(&net);
}

static inline void put(uint32_t slot, uint64_t value)
{
	struct ebpfnet_map *map;

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	ck_assert_int_eq(bpf_map_update_elem(ebpfnet_map_fd(map), &slot, &value, BPF_ANY), 0);
}

/* Reads a slot and sets it back. */
static inline uint64_t take(uint32_t slot)
{
	struct ebpfnet_map *map;
	uint64_t n;

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	ck_assert_int_eq(bpf_map_lookup_elem(ebpfnet_map_fd(map), &slot, &n), 0);
	put(slot, 0);
	return n;
}

static inline void assert_seen(uint32_t verdict, int kind, uint64_t want)
{
	uint64_t n = take(verdict + (uint32_t)kind);

	ck_assert_msg(n == want, "%s: the program ran %llu times, not %llu",
		      traffic_kinds[kind].name, (unsigned long long)n, (unsigned long long)want);
}

/* Sends N from one side to the other; returns how many arrived. */
static inline int send_from(const struct side *side, int kind)
{
	bool primary = side->side == EBPFNET_NETKIT_PRIMARY;
	const struct traffic_kind *k = &traffic_kinds[kind];
	int to = primary ? net.far_fd : net.near_fd, from = primary ? net.near_fd : net.far_fd;
	int listener = traffic_listen(to, k, NULL, PORT);
	int sent = traffic_send(from, k, k->family == AF_INET ? side->to4 : side->to6, PORT, N, 100,
				NULL);
	int arrived = traffic_arrived(listener, sent);

	close(listener);
	return arrived;
}

static inline int attach_to(struct ebpfnet_program *prog, uint32_t side, struct ebpfnet_link **link)
{
	EBPFNET_OPTS(ebpfnet_netkit_opts, o);
	o.netns_fd = net.near_fd;
	return ebpfnet_netkit_attach(prog, (int)pair.ifindex, side, &o, link, &err);
}

static inline struct ebpfnet_link_info info_of(const struct ebpfnet_link *link)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	return info;
}

static inline int netkit_main(const char *name, const TTest *const *tests, size_t n)
{
	struct ebpfnet_ctx *probe;
	int has;

	test_need_root();
	test_need_bpffs();
	if (ebpfnet_ctx_new(NULL, &probe, NULL) < 0)
		return 1;
	has = ebpfnet_probe(probe, EBPFNET_FEATURE_NETKIT, NULL);
	ebpfnet_ctx_unref(probe);
	if (has == 0) {
		test_way("netkit", "not there");
		test_skip("this kernel has no netkit (6.7, CONFIG_NETKIT)");
	}
	return test_run(test_suite_around(name, tests, n, 60, begin, end));
}

#endif /* EBPFNET_TESTS_NETKIT_FIXTURE_H */
