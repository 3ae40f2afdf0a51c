// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* ebpfnet_netns_query(): all that is attached is listed, nothing else, and whose it is. */
#include "netns_query_fixture.h"

static size_t in_namespace(void)
{
	size_t n = 0;

	for (size_t i = 0; i < ebpfnet_query_count(query); i++)
		n += entry_at(i).netns_inode == inode_of(net.far_fd);
	return n;
}

/* How many of those that the child made are in its namespace, as the query can know it. */
static size_t made_in_namespace(void)
{
	bool told = !(ebpfnet_query_missing(query) & EBPFNET_MISSING_NETFILTER);
	size_t n = 0;

	for (uint32_t i = 0; i < shared->count; i++) {
		uint32_t kind = shared->made[i].info.kind;

		n += kind != EBPFNET_LINK_SOCKMAP && kind != EBPFNET_LINK_CGROUP &&
		     (told || kind != EBPFNET_LINK_NETFILTER);
	}
	return n;
}

START_TEST(test_ten_attachments)
{
	int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fds;
	uint64_t home = inode_of(own);
	size_t filters = 0;

	close(own);
	start_child(attach_everything);
	add_foreign_filter();
	look(net.far_fd, 0);
	fds = test_open_fds();
	look(net.far_fd, EBPFNET_QUERY_CGROUPS);
	ck_assert_int_eq(test_open_fds(), fds);
	assert_complete();
	ck_assert_uint_eq(shared->count, 14);
	for (uint32_t i = 0; i < shared->count; i++) {
		struct made m = shared->made[i];

		/* The foreign filter runs before ours. */
		m.order += m.info.via == EBPFNET_VIA_CLSACT;
		assert_listed(&m);
	}
	for (size_t i = 0; i < ebpfnet_query_count(query); i++) {
		struct ebpfnet_query_entry e = entry_at(i);

		if (strcmp(e.name, "u32") != 0)
			continue;
		filters++;
		ck_assert_int_eq(e.priority, 7);
		ck_assert_uint_eq(e.handle, 0x80000800);
		ck_assert_uint_eq(e.program_id, 0);
		ck_assert_uint_eq(e.owner_pid, 0);
		ck_assert_uint_eq(e.order, 0);
		ck_assert_uint_eq(e.via, EBPFNET_VIA_CLSACT);
	}
	ck_assert_uint_eq(filters, 1);
	ck_assert_uint_eq(in_namespace(), made_in_namespace() + 1);
	own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	ck_assert_uint_eq(inode_of(own), home);
	close(own);
}
END_TEST

/* What the test asks for is found, and what is not there is not. */
START_TEST(test_what_is_gone_is_not_listed)
{
	start_child(attach_everything);
	look(net.far_fd, EBPFNET_QUERY_CGROUPS);
	ck_assert_int_ge(find(&shared->made[2].info), 0);
	ck_assert_int_eq(test_shell("bpftool link detach id %u", shared->made[2].info.id), 0);
	look(net.far_fd, EBPFNET_QUERY_CGROUPS);
	ck_assert_int_eq(find(&shared->made[2].info), -1);
	shared->made[3].order = 0;
	shared->made[3].revision = 4;
	assert_listed(&shared->made[3]);
	/* The other namespace has nothing of it. */
	look(net.near_fd, 0);
	for (size_t i = 0; i < ebpfnet_query_count(query); i++)
		ck_assert_uint_ne(entry_at(i).netns_inode, inode_of(net.near_fd));
	end_child();
	look(net.far_fd, EBPFNET_QUERY_CGROUPS);
	/* Netlink XDP, clsact and PROG_ATTACH to a cgroup outlive their process. */
	for (uint32_t i = 0; i < shared->count; i++) {
		const struct ebpfnet_link_info *info = &shared->made[i].info;
		bool stays =
			info->via == EBPFNET_VIA_NETLINK || info->via == EBPFNET_VIA_CLSACT ||
			(info->via == EBPFNET_VIA_PROG_ATTACH && info->kind == EBPFNET_LINK_CGROUP);
		long at = find(info);

		ck_assert_msg((at >= 0) == stays, "kind %u via %u", info->kind, info->via);
		if (!stays)
			continue;
		ck_assert_uint_eq(entry_at((size_t)at).owner_pid, 0);
		ck_assert_uint_eq(entry_at((size_t)at).orphan, info->via == EBPFNET_VIA_CLSACT);
	}
}
END_TEST

static void attach_pinned(void)
{
	struct ebpfnet_object *tc = load("tc");
	struct ebpfnet_link *link = attach_tc(program(tc, "pass_port"), EBPFNET_EGRESS,
					      EBPFNET_VIA_TCX, EBPFNET_ANCHOR_LAST);

	made(link, 0, 2);
	ASSERT_OK(ebpfnet_link_pin(link, pin_path("link"), &err), err);
	made(attach_tc(program(tc, "other_port"), EBPFNET_INGRESS, EBPFNET_VIA_CLSACT,
		       EBPFNET_ANCHOR_LAST),
	     0, 0);
	link = attach_tc(program(tc, "drop_port"), EBPFNET_INGRESS, EBPFNET_VIA_CLSACT,
			 EBPFNET_ANCHOR_LAST);
	made(link, 1, 0);
	ASSERT_OK(ebpfnet_link_pin(link, pin_path("filter"), &err), err);
}

/* A pinned link, a filter that nobody holds, a pinned filter: of a process that is gone. */
START_TEST(test_pinned_and_orphaned)
{
	static const char *const pins[] = { "link", NULL, "filter" };

	start_child(attach_pinned);
	end_child();
	look(net.far_fd, 0);
	assert_complete();
	ck_assert_uint_eq(in_namespace(), 3);
	for (uint32_t i = 0; i < 3; i++) {
		long at = find(&shared->made[i].info);
		struct ebpfnet_query_entry e;

		ck_assert_int_ge(at, 0);
		e = entry_at((size_t)at);
		ck_assert_uint_eq(e.owner_pid, 0);
		ck_assert_uint_eq(e.owner_count, 0);
		ck_assert_str_eq(e.owner_comm, "");
		ck_assert_uint_eq(e.order, shared->made[i].order);
		ck_assert_uint_eq(e.orphan, !pins[i]);
		ck_assert_uint_eq(e.pinned, !!pins[i]);
		if (pins[i])
			ck_assert_str_eq(ebpfnet_query_pin(query, (size_t)at), pin_path(pins[i]));
	}
	look(net.far_fd, EBPFNET_QUERY_NO_PINS | EBPFNET_QUERY_NO_OWNERS);
	ck_assert_uint_eq(entry_at((size_t)find(&shared->made[0].info)).pinned, 0);
}
END_TEST

/* One program at the same number of interface in two namespaces: by link and over netlink. */
static void attach_alike(void)
{
	struct ebpfnet_object *xdp = load("xdp");

	made(attach_xdp(program(xdp, "pass_all"), net.far_fd, 700, EBPFNET_XDP_NATIVE,
			EBPFNET_VIA_LINK),
	     0, 0);
	made(attach_xdp(program(xdp, "pass_all"), net.near_fd, 700, EBPFNET_XDP_NATIVE,
			EBPFNET_VIA_NETLINK),
	     0, 0);
}

START_TEST(test_namespaces_alike)
{
	start_child(attach_alike);
	look(net.far_fd, 0);
	assert_complete();
	assert_listed(&shared->made[0]);
	ck_assert_int_eq(find(&shared->made[1].info), -1);
	look(net.near_fd, 0);
	assert_complete();
	ck_assert_int_ge(find(&shared->made[1].info), 0);
	ck_assert_int_eq(find(&shared->made[0].info), -1);
}
END_TEST

static void attach_links_alike(void)
{
	struct ebpfnet_object *xdp = load("xdp");

	made(attach_xdp(program(xdp, "pass_all"), net.far_fd, 700, EBPFNET_XDP_NATIVE,
			EBPFNET_VIA_LINK),
	     0, 0);
	made(attach_xdp(program(xdp, "pass_all"), net.near_fd, 700, EBPFNET_XDP_NATIVE,
			EBPFNET_VIA_LINK),
	     0, 0);
}

/* Which of two links it is the kernel does not tell, and the query does not guess. */
START_TEST(test_links_alike)
{
	start_child(attach_links_alike);
	look(net.far_fd, 0);
	ck_assert_uint_eq(ebpfnet_query_missing(query) & EBPFNET_MISSING_LINKS,
			  EBPFNET_MISSING_LINKS);
	ck_assert_ptr_nonnull(strstr(ebpfnet_query_missing_text(query), "2 hold program"));
	shared->made[0].info.id = 0;
	ck_assert_int_ge(find(&shared->made[0].info), 0);
}
END_TEST

START_TEST(test_attached_nowhere)
{
	size_t n = 0;

	start_child(attach_everything);
	look(net.far_fd, EBPFNET_QUERY_UNATTACHED);
	assert_complete();
	for (size_t i = 0; i < ebpfnet_query_count(query); i++) {
		struct ebpfnet_query_entry e = entry_at(i);

		/* Cgroups were not asked for, and their programs are not unattached. */
		ck_assert_uint_ne(e.kind, EBPFNET_LINK_CGROUP);
		for (uint32_t k = 0; k < shared->count; k++)
			ck_assert(e.kind != EBPFNET_LINK_NONE ||
				  e.program_id != shared->made[k].info.program_id);
		if (e.kind != EBPFNET_LINK_NONE || e.program_id != shared->unused_program)
			continue;
		n++;
		ck_assert_str_eq(e.name, "not_for_cgroups");
		ck_assert_uint_eq(e.owner_pid, (uint32_t)child);
		ck_assert_uint_eq(e.via, 0);
	}
	ck_assert_uint_eq(n, 1);
	look(net.far_fd, 0);
	for (size_t i = 0; i < ebpfnet_query_count(query); i++)
		ck_assert_uint_ne(entry_at(i).kind, EBPFNET_LINK_NONE);
}
END_TEST

static const char *const functions[] = { "prog1", "prog0" };

/* libxdp's dispatcher, as far as the kernel sees one: its name, and freplace programs in it. */
static void attach_dispatcher(void)
{
	struct bpf_object *whole = bpf_object__open_file(test_object("dispatcher"), NULL);
	int whole_fd, fd;

	ck_assert_int_eq(bpf_object__load(whole), 0);
	whole_fd = bpf_program__fd(bpf_object__find_program_by_name(whole, "xdp_dispatcher"));
	test_net_enter(net.far_fd);
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = 2 /* XDP_FLAGS_SKB_MODE */);
	fd = bpf_link_create(whole_fd, (int)shared->ifindex[1], BPF_XDP, &o);
	test_net_enter(-1);
	ck_assert_int_ge(fd, 0);
	shared->count = 0;
	for (int i = 0; i < 2; i++) {
		struct bpf_object *part = bpf_object__open_file(test_object("dispatched"), NULL);
		struct bpf_program *prog = bpf_object__find_program_by_name(
			part, i == 0 ? "second_part" : "first_part");

		bpf_object__for_each_program(prog, part) bpf_program__set_autoload(prog, false);
		prog = bpf_object__find_program_by_name(part,
							i == 0 ? "second_part" : "first_part");
		bpf_program__set_autoload(prog, true);
		ck_assert_int_eq(bpf_program__set_attach_target(prog, whole_fd, functions[i]), 0);
		if (bpf_object__load(part))
			return;
		ck_assert_int_ge(bpf_raw_tracepoint_open(NULL, bpf_program__fd(prog)), 0);
		shared->count++;
	}
}

START_TEST(test_dispatcher)
{
	struct ebpfnet_query_entry whole, first, second;

	start_child(attach_dispatcher);
	look(net.far_fd, 0);
	assert_complete();
	whole = entry_at(0);
	ck_assert_str_eq(whole.name, "xdp_dispatcher");
	ck_assert_uint_eq(whole.dispatcher, 1);
	ck_assert_uint_eq(whole.mode, EBPFNET_XDP_GENERIC);
	ck_assert_uint_eq(ours_of(EBPFNET_LINK_XDP), 1 + shared->count);
	if (shared->count == 0)
		TEST_SKIP_CASE("this kernel refuses extension programs");
	first = entry_at(1);
	second = entry_at(2);
	ck_assert_str_eq(whole.name, "xdp_dispatcher");
	ck_assert_uint_eq(whole.dispatcher, 1);
	ck_assert_uint_eq(whole.part_of, 0);
	ck_assert_uint_ne(whole.link_id, 0);
	ck_assert_str_eq(first.name, "first_part");
	ck_assert_str_eq(second.name, "second_part");
	ck_assert_uint_eq(first.part_of, whole.program_id);
	ck_assert_uint_eq(second.part_of, whole.program_id);
	ck_assert_uint_eq(first.order, 0);
	ck_assert_uint_eq(second.order, 1);
	ck_assert_uint_eq(second.owner_pid, (uint32_t)child);
	ck_assert_uint_eq(first.ifindex, shared->ifindex[1]);
	ck_assert_uint_eq(first.program_type, BPF_PROG_TYPE_EXT);
}
END_TEST

/* Without capabilities: what is seen is marked as not all. */
static int look_without_capabilities(void *data)
{
	struct ebpfnet_ctx *own = data;
	struct ebpfnet_query *seen;
	struct ebpfnet_query_entry e = { .sz = sizeof(e) };
	uint32_t missing;
	bool xdp = false;

	test_net_enter(net.far_fd);
	CHILD_NEEDS(setgid(65534) == 0 && setuid(65534) == 0);
	CHILD_NEEDS(ebpfnet_netns_query(own, NULL, &seen, NULL) == 0);
	missing = ebpfnet_query_missing(seen);
	CHILD_NEEDS(missing & EBPFNET_MISSING_LINKS);
	CHILD_NEEDS(missing & EBPFNET_MISSING_DEVICES);
	CHILD_NEEDS(missing & EBPFNET_MISSING_NAMESPACE);
	CHILD_NEEDS(missing & EBPFNET_MISSING_SOCKMAPS);
	CHILD_NEEDS(missing & EBPFNET_MISSING_OWNERS);
	CHILD_NEEDS(missing & EBPFNET_MISSING_PROGRAMS);
	CHILD_NEEDS(strstr(ebpfnet_query_missing_text(seen), "which link holds a program"));
	CHILD_NEEDS(strstr(ebpfnet_query_missing_text(seen), "CAP_SYS_ADMIN"));
	CHILD_NEEDS(strstr(ebpfnet_query_missing_text(seen), "CAP_NET_ADMIN"));
	/* Everybody may see the ids of XDP programs. */
	for (size_t i = 0; ebpfnet_query_entry(seen, i, &e) == 0; i++)
		xdp |= e.kind == EBPFNET_LINK_XDP &&
		       e.program_id == shared->made[0].info.program_id;
	CHILD_NEEDS(xdp);
	ebpfnet_query_free(seen);
	return 0;
}

START_TEST(test_missing_capabilities)
{
	start_child(attach_everything);
	look(net.far_fd, 0);
	ck_assert_int_eq(test_in_child(look_without_capabilities, ctx), 0);
}
END_TEST

START_TEST(test_bad_options)
{
	struct ebpfnet_query *none = (void *)1;

	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	EBPFNET_OPTS(ebpfnet_netns_query_opts, o);
	o.flags = 1u << 31;
	ASSERT_FAILS(ebpfnet_netns_query(ctx, &o, &none, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_INVALID, "flags");
	ck_assert_ptr_null(none);
	o.flags = 0;
	o.netns_fd = 1023;
	ASSERT_FAILS(ebpfnet_netns_query(ctx, &o, &none, &err), err, -EBADF, EBPFNET_ERROR_INVALID,
		     "not an open descriptor");
	o.netns_fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	ASSERT_FAILS(ebpfnet_netns_query(ctx, &o, &none, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "not a network namespace");
	close(o.netns_fd);
	ASSERT_OK(ebpfnet_netns_query(ctx, NULL, &query, &err), err);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_ten_attachments,	  test_what_is_gone_is_not_listed,
		test_pinned_and_orphaned, test_namespaces_alike,
		test_links_alike,	  test_attached_nowhere,
		test_dispatcher,	  test_missing_capabilities,
		test_bad_options,
	};

	test_need_root();
	test_need_bpffs();
	if (test_shell("bpftool version >/dev/null 2>&1"))
		test_skip("bpftool is not installed");
	if (!has_tcx())
		test_skip("this kernel has no TCX, which is among what is listed");
	return test_run(test_suite_around("netns_query", tests, sizeof(tests) / sizeof(*tests), 60,
					  begin, end));
}
