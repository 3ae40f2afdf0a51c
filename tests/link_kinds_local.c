// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The kinds of links that belong to a cgroup, a map or a socket. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ebpfnet/probe.h>

#include "cgroups.h"
#include "kernel/sockmap_fixture.h"
#include "link_kinds.h"
#include "sockets.h"

#define REFUSE 1 /* as cgroup.bpf.c has it */

static struct ebpfnet_error *err;
static struct test_cgroup cg;
static struct ebpfnet_map *map;
static struct test_pair pair = { -1, -1 };

static struct ebpfnet_map *map_of(const char *name)
{
	struct ebpfnet_map *m;

	ASSERT_OK(ebpfnet_object_map(link_site.obj, name, &m, &err), err);
	return m;
}

static void put(const char *name, uint32_t key, const void *value)
{
	ck_assert_int_eq(bpf_map_update_elem(ebpfnet_map_fd(map_of(name)), &key, value, BPF_ANY),
			 0);
}

static void cgroup_begin(void)
{
	uint64_t refuse = REFUSE;
	struct stat st;

	test_cgroup_open(&cg);
	link_site_open("cgroup", "sock_create", "first");
	put("act", EBPFNET_CGROUP_SOCK_CREATE, &refuse);
	ck_assert_int_eq(fstat(cg.fd, &st), 0);
	link_site.want.hook = EBPFNET_CGROUP_SOCK_CREATE;
	link_site.want.cgroup_id = st.st_ino;
}

static void cgroup_end(void)
{
	link_site_close();
	test_cgroup_close(&cg);
}

static int cgroup_attach(struct ebpfnet_program *prog, uint32_t via, struct ebpfnet_link **link,
			 struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
	o.via = via;
	return ebpfnet_cgroup_attach(prog, cg.name, 0, &o, link, e);
}

static int cgroup_by_link(struct ebpfnet_program *prog, struct ebpfnet_link **link,
			  struct ebpfnet_error **e)
{
	return cgroup_attach(prog, EBPFNET_VIA_LINK, link, e);
}

static int cgroup_by_program(struct ebpfnet_program *prog, struct ebpfnet_link **link,
			     struct ebpfnet_error **e)
{
	return cgroup_attach(prog, EBPFNET_VIA_PROG_ATTACH, link, e);
}

static bool refused(int family)
{
	int sock = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock >= 0)
		close(sock);
	return sock < 0;
}

/* Whether a process in the cgroup gets a socket; this one is in it for that long. */
static bool sockets_refused(void)
{
	bool four, six;

	test_cgroup_enter(&cg, "");
	four = refused(AF_INET);
	six = refused(AF_INET6);
	test_cgroup_leave(&cg);
	ck_assert_int_eq(four, six);
	return four;
}

static void cgroup_off(void)
{
	ck_assert_int_eq(bpf_prog_detach2(ebpfnet_program_fd(link_site.active), cg.fd,
					  BPF_CGROUP_INET_SOCK_CREATE),
			 0);
}

static void cgroup_gone(void)
{
	test_cgroup_remove(&cg, "");
}

const struct link_kind link_cgroup_link = {
	.row = "cgroup link",
	.kind = EBPFNET_LINK_CGROUP,
	.via = EBPFNET_VIA_LINK,
	.begin = cgroup_begin,
	.end = cgroup_end,
	.attach = cgroup_by_link,
	.in_force = sockets_refused,
	.gone = cgroup_gone,
};

const struct link_kind link_cgroup_prog = {
	.row = "cgroup prog_attach",
	.kind = EBPFNET_LINK_CGROUP,
	.via = EBPFNET_VIA_PROG_ATTACH,
	.begin = cgroup_begin,
	.end = cgroup_end,
	.attach = cgroup_by_program,
	.in_force = sockets_refused,
	.take_away = cgroup_off,
	.stale_when_taken = true,
	.gone = cgroup_gone,
};

static void sockmap_begin(void)
{
	struct ebpfnet_map_info info = { .sz = sizeof(info) };
	struct sockmap_policy drop = { .action = SOCKMAP_DROP };

	link_site_open("sockmap", "msg_verdict", "msg_other");
	map = map_of("map");
	put("policy", SOCKMAP_MSG, &drop);
	ASSERT_OK(ebpfnet_map_info(map, &info, &err), err);
	link_site.want.hook = EBPFNET_SOCKMAP_MSG_VERDICT;
	link_site.want.map_id = info.id;
}

static int sockmap_attach(struct ebpfnet_program *prog, uint32_t via, struct ebpfnet_link **link,
			  struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_sockmap_opts, o);
	o.via = via;
	return ebpfnet_sockmap_attach(prog, map, &o, link, e);
}

static int sockmap_by_link(struct ebpfnet_program *prog, struct ebpfnet_link **link,
			   struct ebpfnet_error **e)
{
	return sockmap_attach(prog, EBPFNET_VIA_LINK, link, e);
}

static int sockmap_by_program(struct ebpfnet_program *prog, struct ebpfnet_link **link,
			      struct ebpfnet_error **e)
{
	return sockmap_attach(prog, EBPFNET_VIA_PROG_ATTACH, link, e);
}

/* Sockets take the map's programs along when they are inserted: a fresh one is asked. */
static bool message_refused(void)
{
	struct test_pair fresh = test_pair_open(AF_INET, SOCK_STREAM);
	uint32_t key = 0;
	long sent;

	ASSERT_OK(ebpfnet_sockmap_put(map, &key, fresh.near, EBPFNET_MAP_ANY, &err), err);
	sent = test_send(fresh.near, "hello");
	ck_assert(sent == -EACCES || (sent == 5 && test_arrives(fresh.far, "hello")));
	ck_assert_int_eq(bpf_map_delete_elem(ebpfnet_map_fd(map), &key), 0);
	test_pair_close(&fresh);
	return sent != 5;
}

static void sockmap_off(void)
{
	ck_assert_int_eq(bpf_prog_detach2(ebpfnet_program_fd(link_site.active), ebpfnet_map_fd(map),
					  BPF_SK_MSG_VERDICT),
			 0);
}

static const char *lacks_sockmap_link(void)
{
	return link_site_lacks(EBPFNET_FEATURE_SOCKMAP_LINK, "sockmap links (6.10)");
}

/* Before Linux 5.17 a map does not say which program it has. */
static bool sockmap_blind(void)
{
	uint32_t id, count = 1;

	return bpf_prog_query(ebpfnet_map_fd(map), BPF_SK_MSG_VERDICT, 0, NULL, &id, &count) ==
	       -EINVAL;
}

const struct link_kind link_sockmap_link = {
	.row = "sockmap link",
	.kind = EBPFNET_LINK_SOCKMAP,
	.via = EBPFNET_VIA_LINK,
	.lacks = lacks_sockmap_link,
	.begin = sockmap_begin,
	.end = link_site_close,
	.attach = sockmap_by_link,
	.in_force = message_refused,
};

const struct link_kind link_sockmap_prog = {
	.row = "sockmap prog_attach",
	.kind = EBPFNET_LINK_SOCKMAP,
	.via = EBPFNET_VIA_PROG_ATTACH,
	.begin = sockmap_begin,
	.end = link_site_close,
	.attach = sockmap_by_program,
	.in_force = message_refused,
	.take_away = sockmap_off,
	.blind = sockmap_blind,
};

static void socket_begin(void)
{
	struct sockmap_policy drop = { .action = SOCKMAP_DROP }, keep = { .limit = 0xffff };

	link_site_open("sockmap", "filter", "filter_other");
	put("policy", SOCKMAP_FILTER, &drop);
	put("policy", SOCKMAP_FILTER_OTHER, &keep);
	pair = test_pair_open(AF_INET, SOCK_DGRAM);
	link_site.want.hook = EBPFNET_SOCKET_FILTER;
}

static void socket_gone(void)
{
	test_pair_close(&pair);
}

static void socket_end(void)
{
	socket_gone();
	link_site_close();
}

static int socket_attach(struct ebpfnet_program *prog, struct ebpfnet_link **link,
			 struct ebpfnet_error **e)
{
	return ebpfnet_socket_attach(prog, pair.far, NULL, link, e);
}

static bool datagram_lost(void)
{
	ck_assert_int_eq(test_send(pair.near, "hello"), 5);
	if (test_silent(pair.far))
		return true;
	/* test_silent() has taken it; what comes next comes whole. */
	ck_assert_int_eq(test_send(pair.near, "again"), 5);
	ck_assert(test_arrives(pair.far, "again"));
	return false;
}

static void socket_off(void)
{
	int none = 0;

	ck_assert_int_eq(setsockopt(pair.far, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)),
			 0);
}

const struct link_kind link_socket = {
	.row = "socket setsockopt",
	.kind = EBPFNET_LINK_SOCKET,
	.via = EBPFNET_VIA_SETSOCKOPT,
	.begin = socket_begin,
	.end = socket_end,
	.attach = socket_attach,
	.in_force = datagram_lost,
	.take_away = socket_off,
	.gone = socket_gone,
};
