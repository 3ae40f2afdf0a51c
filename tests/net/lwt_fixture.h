/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_NET_LWT_FIXTURE_H
#define EBPFNET_TESTS_NET_LWT_FIXTURE_H

/* The user-space half of lwt.bpf.c, and routes of near in the namespaces of test_net_open(). */

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"
#include "netns.h"

#define PACKETS 4

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_error *err;
static struct test_net net;
static char pin[64];

static inline void begin(void)
{
	ebpfnet_error_free(err);
	err = NULL;
	test_net_open(&net, 1);
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("lwt"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	snprintf(pin, sizeof(pin), "/sys/fs/bpf/ebpfnet/test-%d/lwt", getpid());
}

static inline void end(void)
{
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	test_net_close(&net);
}

static inline struct ebpfnet_program *program(const char *name)
{
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(obj, name, &prog, &err), err);
	return prog;
}

static inline uint32_t id_of(const struct ebpfnet_program *prog)
{
	struct ebpfnet_program_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_program_info(prog, &info, &err), err);
	return info.id;
}

static inline struct ebpfnet_link_info info_of(const struct ebpfnet_link *link)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	return info;
}

static inline uint64_t seen(uint32_t hook)
{
	struct ebpfnet_map *map;
	uint64_t n, zero = 0;

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	ck_assert_int_eq(bpf_map_lookup_elem(ebpfnet_map_fd(map), &hook, &n), 0);
	ck_assert_int_eq(bpf_map_update_elem(ebpfnet_map_fd(map), &hook, &zero, BPF_ANY), 0);
	return n;
}

/* Echo requests from near; how many were answered. */
static inline int ping(const char *address)
{
	char out[2048];
	const char *received;

	test_shell_output(out, sizeof(out),
			  "ip netns exec %s ping -i 0.02 -c %d -W 0.3 %s 2>/dev/null", net.near,
			  PACKETS, address);
	received = strstr(out, " received");
	while (received && received > out && received[-1] != ' ')
		received--;
	return received ? atoi(received) : -1;
}

static inline void near_opts(struct ebpfnet_lwt_opts *o)
{
	memset(o, 0, sizeof(*o));
	o->sz = sizeof(*o);
	o->netns_fd = net.near_fd;
	o->ifindex = net.near_if;
}

static inline struct ebpfnet_link *attach(const char *name, const char *destination,
					  const struct ebpfnet_lwt_opts *o)
{
	struct ebpfnet_link *link;

	ASSERT_OK(ebpfnet_lwt_attach(program(name), destination, o, &link, &err), err);
	ck_assert_uint_eq(info_of(link).kind, EBPFNET_LINK_LWT);
	ck_assert_uint_eq(info_of(link).via, EBPFNET_VIA_NETLINK);
	ck_assert_uint_eq(info_of(link).program_id, id_of(program(name)));
	ck_assert_uint_eq(info_of(link).defunct, 0);
	return link;
}

/* Asks the kernel, in a namespace that goes with the child. */
static inline int has_no_lwt(void *data)
{
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_lwt_opts o = { .sz = sizeof(o), .ifindex = 1 };
	struct ebpfnet_program *prog;
	struct ebpfnet_link *link;

	(void)data;
	CHILD_NEEDS(unshare(CLONE_NEWNET) == 0 && test_shell("ip link set lo up") == 0);
	CHILD_NEEDS(ebpfnet_ctx_new(NULL, &ctx, &e) == 0);
	CHILD_NEEDS(ebpfnet_object_open_file(ctx, test_object("lwt"), NULL, &obj, &e) == 0);
	CHILD_NEEDS(ebpfnet_object_load(obj, &e) == 0);
	CHILD_NEEDS(ebpfnet_object_program(obj, "pass_out", &prog, &e) == 0);
	if (ebpfnet_lwt_attach(prog, "10.98.0.0/16", &o, &link, &e) == -EOPNOTSUPP)
		return TEST_SKIP;
	CHILD_NEEDS(link != NULL);
	return 0;
}

static inline void need_lwt(void)
{
	if (test_in_child(has_no_lwt, NULL) == TEST_SKIP)
		test_skip("this kernel has no CONFIG_LWTUNNEL_BPF");
}

#endif /* EBPFNET_TESTS_NET_LWT_FIXTURE_H */
