// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* In which order the programs of a cgroup run, seen by the programs themselves, and inheritance. */
#include "cgroup_fixture.h"

#define HOOK EBPFNET_CGROUP_SOCK_CREATE

static const uint32_t vias[] = { EBPFNET_VIA_LINK, EBPFNET_VIA_PROG_ATTACH };
static const char *const names[] = { "", "first", "second", "third", "fourth" };

/* The programs that ran for one new socket, a digit each in the order they ran. */
static int ran(void)
{
	uint32_t zero = 0;
	uint64_t log = 0;

	ck_assert_int_eq(bpf_map_update_elem(cg_map("order"), &zero, &log, BPF_ANY), 0);
	close(cg_socket(AF_INET, SOCK_DGRAM));
	ck_assert_int_eq(bpf_map_lookup_elem(cg_map("order"), &zero, &log), 0);
	return (int)log;
}

static bool has_order(void)
{
	int has = ebpfnet_probe(ctx, EBPFNET_FEATURE_CGROUP_ORDER, &err);

	ASSERT_OK(has, err);
	return has;
}

/* The query must say what was seen. */
static int queried(uint64_t *revision)
{
	struct ebpfnet_query_entry entry = { .sz = sizeof(entry) };
	struct ebpfnet_query *query;
	int digits = 0;

	ASSERT_OK(ebpfnet_cgroup_query(ctx, cg.name, HOOK, NULL, &query, &err), err);
	for (size_t i = 0; i < ebpfnet_query_count(query); i++) {
		ck_assert_int_eq(ebpfnet_query_entry(query, i, &entry), 0);
		ck_assert_uint_eq(entry.kind, EBPFNET_LINK_CGROUP);
		ck_assert_uint_eq(entry.hook, HOOK);
		ck_assert_uint_eq(entry.link_id != 0, entry.via == EBPFNET_VIA_LINK);
		for (int n = 1; n <= 4; n++)
			if (strcmp(entry.name, names[n]) == 0)
				digits = digits * 10 + n;
	}
	if (revision)
		*revision = ebpfnet_query_revision(query);
	ebpfnet_query_free(query);
	return digits;
}

static struct ebpfnet_link *attach(int digit, const struct ebpfnet_cgroup_opts *o)
{
	struct ebpfnet_link *link;

	ASSERT_OK(ebpfnet_cgroup_attach(cg_program(names[digit]), cg.name, HOOK, o, &link, &err),
		  err);
	return link;
}

static void assert_order(int digits)
{
	ck_assert_int_eq(ran(), digits);
	ck_assert_int_eq(queried(NULL), digits);
}

START_TEST(test_last)
{
	for (int i = 0; i < 2; i++) {
		struct ebpfnet_link *link[4];

		EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
		o.via = vias[i];
		for (int n = 1; n <= 3; n++)
			link[n] = attach(n, &o);
		assert_order(123);
		ebpfnet_link_close(link[1]);
		assert_order(23);
		link[1] = attach(1, &o);
		assert_order(231);
		for (int n = 1; n <= 3; n++)
			ebpfnet_link_close(link[n]);
		assert_order(0);
	}
}
END_TEST

START_TEST(test_anchors)
{
	if (!has_order()) {
		test_way("cgroup_order", "not there");
		TEST_SKIP_CASE("order of cgroup programs needs Linux 6.17");
	}
	for (int i = 0; i < 4; i++) {
		struct ebpfnet_link *link[5];
		bool by_program = i >> 1;

		EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
		o.via = vias[i & 1];
		link[1] = attach(1, &o);
		o.anchor = EBPFNET_ANCHOR_FIRST;
		link[2] = attach(2, &o);
		assert_order(21);
		o.anchor = EBPFNET_ANCHOR_BEFORE;
		o.anchor_link = by_program ? NULL : link[1];
		o.anchor_program = by_program ? cg_program("first") : NULL;
		link[3] = attach(3, &o);
		assert_order(231);
		o.anchor = EBPFNET_ANCHOR_AFTER;
		o.anchor_link = by_program ? NULL : link[2];
		o.anchor_program = by_program ? cg_program("second") : NULL;
		link[4] = attach(4, &o);
		assert_order(2431);
		for (int n = 1; n <= 4; n++)
			ebpfnet_link_close(link[n]);
	}
	test_way("cgroup_order", "works");
}
END_TEST

/* A link and a program without one: first and last of both, but never beside each other. */
START_TEST(test_links_among_programs)
{
	struct ebpfnet_link *link, *prog, *third;

	if (!has_order())
		TEST_SKIP_CASE("order of cgroup programs needs Linux 6.17");
	EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
	link = attach(1, NULL);
	o.via = EBPFNET_VIA_PROG_ATTACH;
	o.anchor = EBPFNET_ANCHOR_FIRST;
	prog = attach(2, &o);
	assert_order(21);
	o.anchor = EBPFNET_ANCHOR_AFTER;
	o.anchor_link = link;
	ASSERT_FAILS(ebpfnet_cgroup_attach(cg_program("third"), cg.name, HOOK, &o, &third, &err),
		     err, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "use via LINK");
	o.via = EBPFNET_VIA_LINK;
	o.anchor_link = prog;
	ASSERT_FAILS(ebpfnet_cgroup_attach(cg_program("third"), cg.name, HOOK, &o, &third, &err),
		     err, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "use via PROG_ATTACH");
	o.anchor_link = NULL;
	o.anchor_program = cg_program("second");
	ASSERT_FAILS(ebpfnet_cgroup_attach(cg_program("third"), cg.name, HOOK, &o, &third, &err),
		     err, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "use via PROG_ATTACH");
	ck_assert_ptr_null(third);
	assert_order(21);
	ebpfnet_link_close(link);
	ebpfnet_link_close(prog);
}
END_TEST

START_TEST(test_anchor_elsewhere)
{
	struct ebpfnet_link *here, *link, *other;

	if (!has_order())
		TEST_SKIP_CASE("order of cgroup programs needs Linux 6.17");
	here = attach(1, NULL);
	other = cg_attach("connect4", EBPFNET_CGROUP_CONNECT4);
	for (int i = 0; i < 2; i++) {
		EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
		o.via = vias[i];
		o.anchor = EBPFNET_ANCHOR_BEFORE;
		o.anchor_program = cg_program("third");
		ASSERT_FAILS(
			ebpfnet_cgroup_attach(cg_program("second"), cg.name, HOOK, &o, &link, &err),
			err, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "not attached to sock_create");
		o.anchor_program = NULL;
		o.anchor_link = other;
		ASSERT_FAILS(
			ebpfnet_cgroup_attach(cg_program("second"), cg.name, HOOK, &o, &link, &err),
			err, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "not attached to sock_create");
	}
	/* The hook is right, the cgroup is not. */
	EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
	o.anchor = EBPFNET_ANCHOR_BEFORE;
	o.anchor_link = here;
	test_cgroup_make(&cg, "below");
	char below[96];
	snprintf(below, sizeof(below), "%s/below", cg.name);
	ASSERT_FAILS(ebpfnet_cgroup_attach(cg_program("second"), below, HOOK, &o, &link, &err), err,
		     -ENOENT, EBPFNET_ERROR_NOT_FOUND, "not attached to sock_create");
	ebpfnet_link_close(here);
	ebpfnet_link_close(other);
	assert_order(0);
}
END_TEST

START_TEST(test_revision)
{
	if (!has_order())
		TEST_SKIP_CASE("revisions of cgroup programs need Linux 6.17");
	for (int i = 0; i < 2; i++) {
		struct ebpfnet_link *one, *two, *three;
		uint64_t revision, later;

		EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
		o.via = vias[i];
		one = attach(1, &o);
		queried(&revision);
		ck_assert_uint_ne(revision, 0);
		o.expected_revision = revision;
		two = attach(2, &o);
		queried(&later);
		ck_assert_uint_eq(later, revision + 1);
		ASSERT_FAILS(
			ebpfnet_cgroup_attach(cg_program("third"), cg.name, HOOK, &o, &three, &err),
			err, -ESTALE, EBPFNET_ERROR_STALE, "is at revision");
		ck_assert_ptr_null(three);
		assert_order(12);
		ebpfnet_link_close(one);
		ebpfnet_link_close(two);
	}
}
END_TEST

static void in_child_cgroup(const char *below, int digits)
{
	test_cgroup_enter(&cg, below);
	ck_assert_int_eq(ran(), digits);
	test_cgroup_enter(&cg, "");
}

START_TEST(test_inheritance)
{
	struct ebpfnet_link *above, *below;
	char name[96];

	test_cgroup_make(&cg, "below");
	test_cgroup_make(&cg, "beside");
	snprintf(name, sizeof(name), "%s/below", cg.name);
	for (int i = 0; i < 2; i++) {
		EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
		o.via = vias[i];
		above = attach(1, &o);
		ASSERT_OK(ebpfnet_cgroup_attach(cg_program("second"), name, HOOK, &o, &below, &err),
			  err);
		/* A cgroup's own programs, then those above. */
		in_child_cgroup("below", 21);
		in_child_cgroup("beside", 1);
		assert_order(1);
		/* One made later inherits too. */
		test_cgroup_make(&cg, "later");
		in_child_cgroup("later", 1);
		test_cgroup_remove(&cg, "later");
		ebpfnet_link_close(above);
		in_child_cgroup("below", 2);
		in_child_cgroup("beside", 0);
		ebpfnet_link_close(below);
		in_child_cgroup("below", 0);
	}
}
END_TEST

START_TEST(test_preorder)
{
	struct ebpfnet_link *above, *below, *beside;
	char name[96];

	test_cgroup_make(&cg, "below");
	snprintf(name, sizeof(name), "%s/below", cg.name);
	for (int i = 0; i < 2; i++) {
		EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
		o.via = vias[i];
		o.flags = EBPFNET_CGROUP_PREORDER;
		if (!has_order() && vias[i] == EBPFNET_VIA_LINK) {
			ASSERT_FAILS(ebpfnet_cgroup_attach(cg_program("first"), cg.name, HOOK, &o,
							   &above, &err),
				     err, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "6.17");
			continue;
		}
		if (ebpfnet_cgroup_attach(cg_program("first"), cg.name, HOOK, &o, &above, &err)) {
			ck_assert_str_eq(ebpfnet_error_min_kernel(err), "6.15");
			ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_NOT_SUPPORTED);
			ebpfnet_error_free(err);
			err = NULL;
			ck_assert(!has_order());
			continue;
		}
		o.flags = 0;
		ASSERT_OK(ebpfnet_cgroup_attach(cg_program("second"), name, HOOK, &o, &below, &err),
			  err);
		in_child_cgroup("below", 12);
		/* An update keeps it. */
		ASSERT_OK(ebpfnet_link_update(above, cg_program("third"), NULL, NULL, &err), err);
		in_child_cgroup("below", 32);
		o.anchor = EBPFNET_ANCHOR_BEFORE;
		o.anchor_link = above;
		if (has_order())
			ASSERT_FAILS(ebpfnet_cgroup_attach(cg_program("fourth"), cg.name, HOOK, &o,
							   &beside, &err),
				     err, -EINVAL, EBPFNET_ERROR_INVALID, "PREORDER");
		ebpfnet_link_close(above);
		in_child_cgroup("below", 2);
		ebpfnet_link_close(below);
	}
}
END_TEST

START_TEST(test_query)
{
	struct ebpfnet_query_entry entry = { .sz = sizeof(entry) };
	struct ebpfnet_link *link = attach(1, NULL), *prog, *other;
	struct ebpfnet_query *query;
	char by_fd[64];

	EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
	EBPFNET_OPTS(ebpfnet_query_opts, q);
	o.via = EBPFNET_VIA_PROG_ATTACH;
	prog = attach(2, &o);
	other = cg_attach("connect6", EBPFNET_CGROUP_CONNECT6);
	ASSERT_OK(ebpfnet_cgroup_query(ctx, cg.path, 0, NULL, &query, &err), err);
	ck_assert_uint_eq(ebpfnet_query_count(query), 3);
	ck_assert_uint_eq(ebpfnet_query_revision(query), 0);
	ck_assert_int_eq(ebpfnet_query_entry(query, 0, &entry), 0);
	ck_assert_uint_eq(entry.link_id, cg_info(link).id);
	ck_assert_uint_eq(entry.program_id, cg_info(link).program_id);
	ck_assert_int_eq(ebpfnet_query_entry(query, 1, &entry), 0);
	ck_assert_uint_eq(entry.via, EBPFNET_VIA_PROG_ATTACH);
	ck_assert_uint_eq(entry.program_id, cg_info(prog).program_id);
	ck_assert_int_eq(ebpfnet_query_entry(query, 2, &entry), 0);
	ck_assert_uint_eq(entry.hook, EBPFNET_CGROUP_CONNECT6);
	ck_assert_str_eq(entry.name, "connect6");
	ebpfnet_query_free(query);
	q.via = EBPFNET_VIA_PROG_ATTACH;
	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", cg.fd);
	ASSERT_OK(ebpfnet_cgroup_query(ctx, by_fd, 0, &q, &query, &err), err);
	ck_assert_uint_eq(ebpfnet_query_count(query), 1);
	ebpfnet_query_free(query);
	ASSERT_FAILS(ebpfnet_cgroup_query(ctx, cg.name, 99, NULL, &query, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "hook 99");
	q.via = EBPFNET_VIA_TCX;
	ASSERT_FAILS(ebpfnet_cgroup_query(ctx, cg.name, 0, &q, &query, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "via 3");
	ASSERT_FAILS(ebpfnet_cgroup_query(ctx, "nowhere", 0, NULL, &query, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "no such cgroup");
	ck_assert_ptr_null(query);
	ebpfnet_link_close(other);
	ebpfnet_link_close(prog);
	ebpfnet_link_close(link);
}
END_TEST

CG_MAIN("cgroup_order", test_last, test_anchors, test_links_among_programs, test_anchor_elsewhere,
	test_revision, test_inheritance, test_preorder, test_query)
