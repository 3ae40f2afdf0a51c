/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_NETNS_QUERY_FIXTURE_H
#define EBPFNET_TESTS_NETNS_QUERY_FIXTURE_H

/*
 * A namespace where a child process attached in every way there is. It writes down what its links
 * say; the query of another process must tell the same.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cgroups.h"
#include "core/uapi.h"
#include "helpers.h"
#include "netns.h"

/* What the child attached, as its links tell it. */
struct made {
	struct ebpfnet_link_info info;
	uint32_t order;
	uint64_t revision;
};

static struct shared {
	struct made made[24];
	uint32_t count;
	uint32_t ifindex[2]; /* far: of v0 and of d0 */
	uint32_t unused_program;
	pid_t test;
} * shared;

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_error *err;
static struct ebpfnet_query *query;
static struct test_net net;
static struct test_cgroup cgroup;
static pid_t child;
static int child_end = -1; /* the child lives until it is closed */

/* Before a test's own context is there. */
static inline bool has_tcx(void)
{
	struct ebpfnet_ctx *own;
	int has;

	if (ebpfnet_ctx_new(NULL, &own, NULL) < 0)
		return false;
	has = ebpfnet_probe(own, EBPFNET_FEATURE_TCX, NULL);
	ebpfnet_ctx_unref(own);
	return has == 1;
}

static struct ebpfnet_object *load(const char *name)
{
	struct ebpfnet_object *obj;

	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object(name), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	return obj;
}

static struct ebpfnet_program *program(struct ebpfnet_object *obj, const char *name)
{
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(obj, name, &prog, &err), err);
	return prog;
}

static struct ebpfnet_map *map(struct ebpfnet_object *obj, const char *name)
{
	struct ebpfnet_map *m;

	ASSERT_OK(ebpfnet_object_map(obj, name, &m, &err), err);
	return m;
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

/* Of the test's process, also in its child. */
__attribute__((unused)) static const char *pin_path(const char *name)
{
	static char path[96];

	snprintf(path, sizeof(path), "/sys/fs/bpf/ebpfnet-test-%d/%s", shared->test, name);
	return path;
}

static void made(struct ebpfnet_link *link, uint32_t order, uint64_t revision)
{
	struct made *m = &shared->made[shared->count++];

	ck_assert_uint_lt(shared->count, 24);
	m->info.sz = sizeof(m->info);
	ASSERT_OK(ebpfnet_link_info(link, &m->info, &err), err);
	m->order = order;
	m->revision = revision;
}

static struct ebpfnet_link *attach_xdp(struct ebpfnet_program *prog, int netns_fd, int ifindex,
				       uint32_t mode, uint32_t via)
{
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = netns_fd;
	o.mode = mode;
	o.via = via;
	ASSERT_OK(ebpfnet_xdp_attach(prog, ifindex, &o, &link, &err), err);
	return link;
}

static struct ebpfnet_link *attach_tc(struct ebpfnet_program *prog, uint32_t direction,
				      uint32_t via, uint32_t anchor)
{
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_tc_opts, o);
	o.netns_fd = net.far_fd;
	o.via = via;
	o.anchor = anchor;
	ASSERT_OK(ebpfnet_tc_attach(prog, net.far_if, direction, &o, &link, &err), err);
	return link;
}

static void attach_to_interfaces(void)
{
	struct ebpfnet_object *xdp = load("xdp"), *tc = load("tc");
	struct ebpfnet_link *second, *first;

	made(attach_xdp(program(xdp, "pass_all"), net.far_fd, net.far_if, EBPFNET_XDP_NATIVE,
			EBPFNET_VIA_LINK),
	     0, 0);
	made(attach_xdp(program(xdp, "drop_all"), net.far_fd, (int)shared->ifindex[1],
			EBPFNET_XDP_GENERIC, EBPFNET_VIA_NETLINK),
	     0, 0);
	second = attach_tc(program(tc, "number_1"), EBPFNET_INGRESS, EBPFNET_VIA_TCX,
			   EBPFNET_ANCHOR_LAST);
	first = attach_tc(program(tc, "number_2"), EBPFNET_INGRESS, EBPFNET_VIA_TCX,
			  EBPFNET_ANCHOR_FIRST);
	made(first, 0, 3);
	made(second, 1, 3);
	made(attach_tc(program(tc, "number_3"), EBPFNET_INGRESS, EBPFNET_VIA_CLSACT,
		       EBPFNET_ANCHOR_LAST),
	     0, 0);
	made(attach_tc(program(tc, "number_4"), EBPFNET_EGRESS, EBPFNET_VIA_TCX,
		       EBPFNET_ANCHOR_LAST),
	     0, 2);
}

static void attach_to_namespace(void)
{
	struct ebpfnet_object *lookup = load("sk_lookup"), *dissector = load("flow_dissector");
	struct ebpfnet_object *nf = load("netfilter");
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_netns_opts, o);
	o.netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_netns_attach(program(lookup, "look"), &o, &link, &err), err);
	made(link, 0, 0);
	ASSERT_OK(ebpfnet_netns_attach(program(lookup, "refuse"), &o, &link, &err), err);
	made(link, 1, 0);
	ASSERT_OK(ebpfnet_netns_attach(program(dissector, "one_flow"), &o, &link, &err), err);
	made(link, 0, 0);
	EBPFNET_OPTS(ebpfnet_netfilter_opts, n);
	n.netns_fd = net.far_fd;
	n.priority = -100;
	ASSERT_OK(ebpfnet_netfilter_attach(program(nf, "accept_port"), AF_INET,
					   EBPFNET_NETFILTER_LOCAL_IN, &n, &link, &err),
		  err);
	made(link, 0, 0);
}

static void attach_to_others(void)
{
	struct ebpfnet_object *sockmap = load("sockmap"), *cg = load("cgroup");
	struct ebpfnet_program_info unused = { .sz = sizeof(unused) };
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_sockmap_opts, s);
	s.via = EBPFNET_VIA_LINK;
	ASSERT_OK(ebpfnet_sockmap_attach(program(sockmap, "msg_verdict"), map(sockmap, "map"), &s,
					 &link, &err),
		  err);
	made(link, 0, 0);
	s.via = EBPFNET_VIA_PROG_ATTACH;
	ASSERT_OK(ebpfnet_sockmap_attach(program(sockmap, "skb_verdict"), map(sockmap, "hash"), &s,
					 &link, &err),
		  err);
	made(link, 0, 0);
	EBPFNET_OPTS(ebpfnet_cgroup_opts, c);
	c.via = EBPFNET_VIA_LINK;
	ASSERT_OK(ebpfnet_cgroup_attach(program(cg, "skb_egress"), cgroup.path, 0, &c, &link, &err),
		  err);
	made(link, 0, 0);
	c.via = EBPFNET_VIA_PROG_ATTACH;
	ASSERT_OK(
		ebpfnet_cgroup_attach(program(cg, "skb_ingress"), cgroup.path, 0, &c, &link, &err),
		err);
	made(link, 0, 0);
	ASSERT_OK(ebpfnet_program_info(program(cg, "not_for_cgroups"), &unused, &err), err);
	shared->unused_program = unused.id;
}

/* In a process of its own, which holds everything until child_end is closed. */
static void start_child(void (*what)(void))
{
	int up[2], down[2];
	char byte;

	ck_assert_int_eq(pipe2(up, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(down, O_CLOEXEC), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		close(down[1]);
		ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
		what();
		byte = write(up[1], "x", 1) != 1;
		byte = read(down[0], &byte, 1) != 0;
		_exit(byte);
	}
	close(up[1]);
	close(down[0]);
	ck_assert_msg(read(up[0], &byte, 1) == 1, "the child could not attach everything");
	close(up[0]);
	child_end = down[1];
}

static void end_child(void)
{
	if (child_end >= 0)
		close(child_end);
	child_end = -1;
	if (child > 0)
		waitpid(child, NULL, 0);
	child = 0;
}

static void attach_everything(void)
{
	attach_to_interfaces();
	attach_to_namespace();
	attach_to_others();
}

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	query = NULL;
	child = 0;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	shared->test = getpid();
	test_net_open(&net, 1);
	test_cgroup_open(&cgroup);
	/* Of the same number in both namespaces. */
	ck_assert_int_eq(test_shell("for n in %s %s; do ip -n $n link add d0 index 700 type veth "
				    "peer name d1 || exit 1; done",
				    net.near, net.far),
			 0);
	test_net_enter(net.far_fd);
	shared->ifindex[1] = if_nametoindex("d0");
	test_net_enter(-1);
}

static void end(void)
{
	ebpfnet_query_free(query);
	end_child();
	ebpfnet_ctx_unref(ctx);
	ctx = NULL;
	test_shell("rm -rf /sys/fs/bpf/ebpfnet-test-%d", getpid());
	test_cgroup_close(&cgroup);
	test_net_close(&net);
	munmap(shared, sizeof(*shared));
}

static void look(int netns_fd, uint32_t flags)
{
	if (!ctx)
		ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	EBPFNET_OPTS(ebpfnet_netns_query_opts, o);
	o.netns_fd = netns_fd;
	o.flags = flags;
	ebpfnet_query_free(query);
	ASSERT_OK(ebpfnet_netns_query(ctx, &o, &query, &err), err);
}

static struct ebpfnet_query_entry entry_at(size_t i)
{
	struct ebpfnet_query_entry entry = { .sz = sizeof(entry) };

	ck_assert_int_eq(ebpfnet_query_entry(query, i, &entry), 0);
	return entry;
}

static bool is_same(const struct ebpfnet_query_entry *e, const struct ebpfnet_link_info *i)
{
	return e->kind == i->kind && e->via == i->via && e->program_id == i->program_id &&
	       e->link_id == i->id && e->ifindex == i->ifindex && e->hook == i->hook &&
	       e->family == i->family && e->priority == i->priority && e->handle == i->handle &&
	       e->map_id == i->map_id && (e->kind != EBPFNET_LINK_XDP || e->mode == i->mode) &&
	       (e->kind != EBPFNET_LINK_CGROUP || e->cgroup_id == i->cgroup_id);
}

/* The entry of what a link said, -1 if it is not there; there may not be two. */
static long find(const struct ebpfnet_link_info *info)
{
	long at = -1;

	for (size_t i = 0; i < ebpfnet_query_count(query); i++) {
		struct ebpfnet_query_entry e = entry_at(i);

		if (!is_same(&e, info))
			continue;
		ck_assert_int_eq(at, -1);
		at = (long)i;
	}
	return at;
}

__attribute__((unused)) static void assert_listed(const struct made *m)
{
	long at = find(&m->info);
	struct ebpfnet_query_owner owner = { .sz = sizeof(owner) };
	struct ebpfnet_query_entry e;

	ck_assert_msg(at >= 0, "kind %u via %u program %u link %u is not listed", m->info.kind,
		      m->info.via, m->info.program_id, m->info.id);
	e = entry_at((size_t)at);
	ck_assert_msg(e.order == m->order, "%s: order %u, not %u", e.name, e.order, m->order);
	if (m->info.kind != EBPFNET_LINK_CGROUP)
		ck_assert_msg(e.revision == m->revision, "%s: revision %llu", e.name,
			      (unsigned long long)e.revision);
	ck_assert_msg(e.owner_pid == (uint32_t)child && e.owner_count == 1, "%s: %u owners, %u",
		      e.name, e.owner_count, e.owner_pid);
	ck_assert_str_eq(e.owner_comm, "net_netns_query");
	ck_assert_int_eq(ebpfnet_query_owner(query, (size_t)at, 0, &owner), 0);
	ck_assert_uint_eq(owner.pid, (uint32_t)child);
	ck_assert_str_eq(owner.comm, e.owner_comm);
	ck_assert_int_eq(ebpfnet_query_owner(query, (size_t)at, 1, &owner), -ENOENT);
	ck_assert_uint_eq(e.orphan, 0);
	ck_assert_uint_eq(e.pinned, 0);
	ck_assert_ptr_null(ebpfnet_query_pin(query, (size_t)at));
	ck_assert_uint_ne(e.program_type, 0);
	ck_assert_uint_eq(*e.device != 0, e.ifindex != 0);
	if (e.kind == EBPFNET_LINK_CGROUP)
		ck_assert_str_eq(ebpfnet_query_cgroup(query, (size_t)at), cgroup.path);
	if (e.ifindex || e.kind == EBPFNET_LINK_SK_LOOKUP || e.kind == EBPFNET_LINK_FLOW_DISSECTOR)
		ck_assert_uint_eq(e.netns_inode, inode_of(net.far_fd));
}

/* Nothing is missing but what this kernel cannot tell. */
__attribute__((unused)) static void assert_complete(void)
{
	uint32_t missing = ebpfnet_query_missing(query);
	const char *text = ebpfnet_query_missing_text(query);
	char target[8];

	ck_assert_int_eq(*text != 0, missing != 0);
	ck_assert_int_eq(!strstr(text, "CONFIG_NETFILTER_NETLINK_HOOK"),
			 !(missing & EBPFNET_MISSING_NETFILTER));
	missing &= ~(uint32_t)EBPFNET_MISSING_NETFILTER;
	/* In some containers the first process hides what it has, from root too. */
	if (readlink("/proc/1/fd/0", target, sizeof(target)) < 0 && errno == EACCES) {
		ck_assert_ptr_nonnull(strstr(text, "CAP_SYS_PTRACE"));
		missing &= ~(uint32_t)EBPFNET_MISSING_OWNERS;
	}
	ck_assert_msg(missing == 0, "%s", text);
}

static void add_foreign_filter(void)
{
	ck_assert_int_eq(test_shell("tc -n %s filter add dev v0 ingress pref 7 protocol ip u32 "
				    "match ip dst 192.0.2.1/32 flowid 1:1",
				    net.far),
			 0);
}

static size_t ours_of(uint32_t kind)
{
	size_t n = 0;

	for (size_t i = 0; i < ebpfnet_query_count(query); i++)
		n += entry_at(i).kind == kind && entry_at(i).program_id;
	return n;
}

#endif /* EBPFNET_TESTS_NETNS_QUERY_FIXTURE_H */
