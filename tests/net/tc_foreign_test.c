// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Others on the same hooks: tc(8), bpftool, libbpf. What they made is the same text afterwards, and
 * their programs go on seeing what they saw.
 */
#include "tc_fixture.h"

#include <bpf/libbpf.h>

#include "core/uapi.h"

#define CLEAN "qdisc noqueue 0: root refcnt 2 \n"

/* tc(8) at the interface of a direction, where /sys/fs/bpf can be seen. */
#define TC(direction, fmt, ...)                                                                    \
	ck_assert_int_eq(test_shell("nsenter --net=/run/netns/%s tc " fmt, ns_name(direction),     \
				    ##__VA_ARGS__),                                                \
			 0)

static const char *const words[] = { [EBPFNET_INGRESS] = "ingress", [EBPFNET_EGRESS] = "egress" };

/* The object of the others: counts in its own map. */
static struct ebpfnet_object *theirs;
static struct ebpfnet_program *their_pass;

static void begin_with_others(void)
{
	begin();
	theirs = open_object();
	their_pass = program_of(theirs, "pass_port");
	ASSERT_OK(ebpfnet_program_pin(their_pass, pin_name("theirs"), &err), err);
}

static void end_with_others(void)
{
	ebpfnet_object_close(theirs);
	end();
}

static uint64_t they_saw(void)
{
	uint32_t slot = TC_PASS + TC_UDP4;
	uint64_t n, zero = 0;

	ck_assert_int_eq(bpf_map_lookup_elem(seen_fd(theirs), &slot, &n), 0);
	ck_assert_int_eq(bpf_map_update_elem(seen_fd(theirs), &slot, &zero, 0), 0);
	return n;
}

/* All that we do to a hook in the life of a program, both ways, and a failure of each kind. */
static void do_everything(uint32_t direction, uint32_t via)
{
	struct ebpfnet_tc_opts o = opts_of(direction, via);
	struct ebpfnet_link *first, *last, *none;

	last = attach(numbered(1), direction, &o);
	o.anchor = EBPFNET_ANCHOR_FIRST;
	first = attach(numbered(2), direction, &o);
	ck_assert_uint_eq(order(4), 21);
	ck_assert_uint_eq(they_saw(), 1);
	o.anchor = EBPFNET_ANCHOR_BEFORE;
	o.anchor_program_id = 0x7fffff00;
	ASSERT_FAILS(ebpfnet_tc_attach(numbered(3), if_of(direction), direction, &o, &none, &err),
		     err, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "");
	ASSERT_OK(ebpfnet_link_update(first, numbered(4), NULL, NULL, &err), err);
	ASSERT_OK(ebpfnet_link_pin(first, pin_name("link"), &err), err);
	ck_assert_uint_eq(order(4), 41);
	ck_assert_uint_eq(they_saw(), 1);
	ASSERT_OK(ebpfnet_link_unpin(first, &err), err);
	ASSERT_OK(ebpfnet_link_detach(first, &err), err);
	ebpfnet_link_close(first);
	ebpfnet_link_close(last);
	ck_assert_uint_eq(order(4), 0);
	ck_assert_uint_eq(they_saw(), 1);
}

/* The text of tc(8) and what they see, before and after everything. */
static void leaves_all_as_it_is(uint32_t direction)
{
	char before[8192];

	snprintf(before, sizeof(before), "%s", tc_text(direction));
	ck_assert_str_ne(before, CLEAN);
	they_saw();
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++) {
		do_everything(direction, via);
		ck_assert_str_eq(tc_text(direction), before);
	}
}

START_TEST(test_filters_of_tc8)
{
	for (uint32_t d = EBPFNET_INGRESS; d <= EBPFNET_EGRESS; d++) {
		TC(d, "qdisc add dev v0 clsact");
		TC(d,
		   "filter add dev v0 %s pref 10 protocol ip u32 match ip dst 192.0.2.1/32 "
		   "flowid 1:1",
		   words[d]);
		TC(d,
		   "filter add dev v0 %s pref 10 protocol ip u32 match ip dst 192.0.2.2/32 "
		   "flowid 1:2",
		   words[d]);
		TC(d, "filter add dev v0 %s bpf da object-pinned /sys/fs/bpf/%s/theirs", words[d],
		   pin_dir);
		TC(d,
		   "filter add dev v0 %s pref 65535 protocol ipv6 u32 match ip6 dst "
		   "2001:db8::1/128 flowid 1:3",
		   words[d == EBPFNET_INGRESS ? EBPFNET_EGRESS : EBPFNET_INGRESS]);
		leaves_all_as_it_is(d);
		TC(d, "qdisc del dev v0 clsact");
	}
}
END_TEST

/* A chain that only a jump reaches is no part of the order, and still somebody's. */
START_TEST(test_filters_of_another_chain)
{
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_CLSACT);
	struct ebpfnet_link *link = attach(numbered(1), EBPFNET_INGRESS, &o);

	TC(EBPFNET_INGRESS, "filter add dev v0 ingress chain 7 pref 1 protocol ip u32 match ip dst "
			    "192.0.2.1/32 flowid 1:1");
	ck_assert_uint_eq(attached(EBPFNET_INGRESS, EBPFNET_VIA_CLSACT), 1);
	o.anchor = EBPFNET_ANCHOR_FIRST;
	ebpfnet_link_close(attach(numbered(2), EBPFNET_INGRESS, &o));
	ebpfnet_link_close(link);
	ck_assert_ptr_nonnull(strstr(tc_text(EBPFNET_INGRESS), "chain 7"));
	TC(EBPFNET_INGRESS, "qdisc del dev v0 clsact");
}
END_TEST

START_TEST(test_their_empty_clsact)
{
	for (uint32_t d = EBPFNET_INGRESS; d <= EBPFNET_EGRESS; d++) {
		struct ebpfnet_tc_opts o = opts_of(d, EBPFNET_VIA_CLSACT);
		char before[8192];

		TC(d, "qdisc add dev v0 clsact");
		snprintf(before, sizeof(before), "%s", tc_text(d));
		ebpfnet_link_close(attach(numbered(1), d, &o));
		ck_assert_str_eq(tc_text(d), before);
		TC(d, "qdisc del dev v0 clsact");
	}
}
END_TEST

/* Our clsact, their filter in it: the qdisc is not ours to remove any more. */
START_TEST(test_their_filter_in_our_clsact)
{
	for (uint32_t d = EBPFNET_INGRESS; d <= EBPFNET_EGRESS; d++) {
		struct ebpfnet_tc_opts o = opts_of(d, EBPFNET_VIA_CLSACT);
		struct ebpfnet_link *link = attach(numbered(1), d, &o);

		/* In the other direction of the same qdisc. */
		TC(d, "filter add dev v0 %s bpf da object-pinned /sys/fs/bpf/%s/theirs",
		   words[d == EBPFNET_INGRESS ? EBPFNET_EGRESS : EBPFNET_INGRESS], pin_dir);
		ebpfnet_link_close(link);
		ck_assert_ptr_nonnull(strstr(tc_text(d), "theirs"));
		TC(d, "qdisc del dev v0 clsact");
		/* And two of ours: it goes with the last, whoever made it. */
		link = attach(numbered(1), d, &o);
		o.anchor = EBPFNET_ANCHOR_FIRST;
		struct ebpfnet_link *second = attach(numbered(2), d, &o);

		ebpfnet_link_close(link);
		ck_assert_uint_eq(order(4), 2);
		ebpfnet_link_close(second);
		ck_assert_str_eq(tc_text(d), CLEAN);
	}
}
END_TEST

START_TEST(test_root_qdiscs)
{
	for (uint32_t d = EBPFNET_INGRESS; d <= EBPFNET_EGRESS; d++) {
		TC(d, "qdisc add dev v0 root handle 1: htb default 10");
		TC(d, "class add dev v0 parent 1: classid 1:10 htb rate 1gbit");
		TC(d, "filter add dev v0 parent 1: pref 5 protocol ip u32 match ip dst "
		      "192.0.2.1/32 flowid 1:10");
		TC(d, "qdisc add dev v0 clsact");
		TC(d, "filter add dev v0 %s bpf da object-pinned /sys/fs/bpf/%s/theirs", words[d],
		   pin_dir);
		leaves_all_as_it_is(d);
		TC(d, "qdisc del dev v0 root");
		TC(d, "qdisc add dev v0 root handle 2: tbf rate 1gbit burst 100kb latency "
		      "50ms");
		leaves_all_as_it_is(d);
		TC(d, "qdisc del dev v0 root");
		TC(d, "qdisc del dev v0 clsact");
	}
}
END_TEST

START_TEST(test_ingress_qdisc)
{
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_EGRESS, EBPFNET_VIA_CLSACT);
	struct ebpfnet_link *link;
	char before[8192];

	TC(EBPFNET_INGRESS, "qdisc add dev v0 ingress");
	TC(EBPFNET_INGRESS,
	   "filter add dev v0 ingress bpf da object-pinned "
	   "/sys/fs/bpf/%s/theirs",
	   pin_dir);
	/* It serves ingress. */
	leaves_all_as_it_is(EBPFNET_INGRESS);
	/* An egress filter would run at ingress: it is refused, and TCX is not. */
	o.netns_fd = net.far_fd;
	snprintf(before, sizeof(before), "%s", tc_text(EBPFNET_INGRESS));
	ASSERT_FAILS(ebpfnet_tc_attach(numbered(1), net.far_if, EBPFNET_EGRESS, &o, &link, &err),
		     err, -EBUSY, EBPFNET_ERROR_BUSY, "has an ingress qdisc");
	ASSERT_FAILS(ebpfnet_tc_attach(numbered(1), net.far_if, EBPFNET_EGRESS, &o, &link, &err),
		     err, -EBUSY, EBPFNET_ERROR_BUSY, "use via TCX");
	if (has_tcx()) {
		o.via = EBPFNET_VIA_TCX;
		ASSERT_OK(
			ebpfnet_tc_attach(numbered(1), net.far_if, EBPFNET_EGRESS, &o, &link, &err),
			err);
		ebpfnet_link_close(link);
	}
	ck_assert_str_eq(tc_text(EBPFNET_INGRESS), before);
	/* Nor does a query tell the filters of ingress as those of egress. */
	EBPFNET_OPTS(ebpfnet_query_opts, q);
	struct ebpfnet_query *query;

	q.netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_tc_query(ctx, net.far_if, EBPFNET_EGRESS, &q, &query, &err), err);
	ck_assert_uint_eq(ebpfnet_query_count(query), 0);
	ebpfnet_query_free(query);
}
END_TEST

/* A block shared by interfaces is not edited through one of them: in the kernel's own words. */
START_TEST(test_shared_block)
{
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_CLSACT);
	struct ebpfnet_link *link;
	char before[8192];

	TC(EBPFNET_INGRESS, "qdisc add dev v0 ingress_block 22 clsact");
	TC(EBPFNET_INGRESS, "qdisc add dev lo ingress_block 22 clsact");
	snprintf(before, sizeof(before), "%s", tc_text(EBPFNET_INGRESS));
	int ret = ebpfnet_tc_attach(numbered(1), net.far_if, EBPFNET_INGRESS, &o, &link, &err);

	ck_assert_int_eq(ret, -EOPNOTSUPP);
	ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_NOT_SUPPORTED);
	ck_assert_ptr_nonnull(ebpfnet_error_extack(err));
	ck_assert_msg(test_error_says(err, ebpfnet_error_extack(err)), "%s",
		      ebpfnet_error_message(err));
	ck_assert_msg(test_error_says(err, "shared"), "%s", ebpfnet_error_message(err));
	ebpfnet_error_free(err);
	err = NULL;
	ck_assert_str_eq(tc_text(EBPFNET_INGRESS), before);
}
END_TEST

/* Order among their filters: before all, after all, beside one that is no program, beside one that
 * is. */
START_TEST(test_order_among_their_filters)
{
	struct ebpfnet_query *query;
	struct ebpfnet_link *links[4];

	for (uint32_t d = EBPFNET_INGRESS; d <= EBPFNET_EGRESS; d++) {
		struct ebpfnet_tc_opts o = opts_of(d, EBPFNET_VIA_CLSACT);

		TC(d, "qdisc add dev v0 clsact");
		for (int pref = 100; pref <= 200; pref += 100)
			TC(d,
			   "filter add dev v0 %s pref %d protocol ip u32 match ip dst "
			   "192.0.2.1/32 flowid 1:1",
			   words[d], pref);
		TC(d,
		   "filter add dev v0 %s pref 400 protocol ip u32 match ip dst "
		   "192.0.2.1/32 "
		   "flowid 1:1",
		   words[d]);
		TC(d,
		   "filter add dev v0 %s pref 49152 bpf da object-pinned "
		   "/sys/fs/bpf/%s/theirs",
		   words[d], pin_dir);
		links[0] = attach(numbered(1), d, &o);
		ck_assert_int_eq(info_of(links[0]).priority, 49152 + 64);
		o.anchor = EBPFNET_ANCHOR_FIRST;
		links[1] = attach(numbered(2), d, &o);
		ck_assert_int_eq(info_of(links[1]).priority, 36);
		o.anchor = EBPFNET_ANCHOR_AFTER;
		o.anchor_priority = 100;
		links[2] = attach(numbered(3), d, &o);
		ck_assert_int_eq(info_of(links[2]).priority, 150);
		o.anchor = EBPFNET_ANCHOR_BEFORE;
		o.anchor_priority = 0;
		o.anchor_program = their_pass;
		links[3] = attach(numbered(4), d, &o);
		ck_assert_int_eq(info_of(links[3]).priority, (400 + 49152) / 2);
		ck_assert_uint_eq(order(4), 2341);
		ck_assert_uint_eq(order(6), 2341);
		query = query_via(d, EBPFNET_VIA_ANY);
		ck_assert_uint_eq(ebpfnet_query_count(query), 8);
		ck_assert_str_eq(entry_of(query, 1).name, "u32");
		ck_assert_uint_eq(entry_of(query, 1).program_id, 0);
		ck_assert_int_eq(entry_of(query, 1).priority, 100);
		ck_assert_str_eq(entry_of(query, 6).name, "pass_port");
		ck_assert_uint_eq(entry_of(query, 6).program_id, id_of(their_pass));
		for (size_t i = 0; i < 8; i++)
			ck_assert_uint_eq(entry_of(query, i).orphan, 0);
		ebpfnet_query_free(query);
		for (int i = 0; i < 4; i++)
			ebpfnet_link_close(links[i]);
		TC(d, "qdisc del dev v0 clsact");
	}
}
END_TEST

/* Where their filters leave no number free, both neighbours are named. */
START_TEST(test_no_room_among_their_filters)
{
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_CLSACT);
	static const int prefs[] = { 1, 500, 501, 65535 };
	struct ebpfnet_link *link;
	char before[8192];

	TC(EBPFNET_INGRESS, "qdisc add dev v0 clsact");
	for (int i = 0; i < 4; i++)
		TC(EBPFNET_INGRESS,
		   "filter add dev v0 ingress pref %d protocol ip u32 match ip dst 192.0.2.1/32 "
		   "flowid 1:1",
		   prefs[i]);
	snprintf(before, sizeof(before), "%s", tc_text(EBPFNET_INGRESS));
	o.anchor = EBPFNET_ANCHOR_AFTER;
	o.anchor_priority = 500;
	ASSERT_FAILS(ebpfnet_tc_attach(numbered(1), net.far_if, EBPFNET_INGRESS, &o, &link, &err),
		     err, -EBUSY, EBPFNET_ERROR_BUSY,
		     "between u32 filter of priority 500 and u32 filter of priority 501");
	o.anchor_priority = 0;
	o.anchor = EBPFNET_ANCHOR_FIRST;
	ASSERT_FAILS(ebpfnet_tc_attach(numbered(1), net.far_if, EBPFNET_INGRESS, &o, &link, &err),
		     err, -EBUSY, EBPFNET_ERROR_BUSY,
		     "between the start of the range, 1 and u32 filter of priority 1");
	o.anchor = EBPFNET_ANCHOR_LAST;
	ASSERT_FAILS(ebpfnet_tc_attach(numbered(1), net.far_if, EBPFNET_INGRESS, &o, &link, &err),
		     err, -EBUSY, EBPFNET_ERROR_BUSY,
		     "between u32 filter of priority 65535 and the end of the range, 65535");
	ck_assert_str_eq(tc_text(EBPFNET_INGRESS), before);
	TC(EBPFNET_INGRESS, "qdisc del dev v0 clsact");
}
END_TEST

/* libbpf: links and prog_attach on TCX, bpf_tc_attach on clsact; bpftool looks at it all. */
START_TEST(test_programs_of_libbpf)
{
	NEEDS_TCX();
	struct ebpfnet_object *more = open_object();

	for (uint32_t d = EBPFNET_INGRESS; d <= EBPFNET_EGRESS; d++) {
		enum bpf_attach_type type = (enum bpf_attach_type)(
			d == EBPFNET_INGRESS ? EBPFNET__BPF_TCX_INGRESS : EBPFNET__BPF_TCX_EGRESS);
		struct ebpfnet_program *others[] = { program_of(theirs, "other_port"),
						     program_of(more, "pass_port") };
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_of(d),
			    .attach_point = d == EBPFNET_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS);
		LIBBPF_OPTS(bpf_tc_opts, tc, .prog_fd = ebpfnet_program_fd(their_pass));
		struct ebpfnet_query *query;
		char list[4096];
		int link;

		test_net_enter(ns_of(d));
		link = bpf_link_create(ebpfnet_program_fd(others[0]), if_of(d), type, NULL);
		ck_assert_int_gt(link, 0);
		ck_assert_int_eq(
			bpf_prog_attach_opts(ebpfnet_program_fd(others[1]), if_of(d), type, NULL),
			0);
		ck_assert_int_eq(bpf_tc_hook_create(&hook), 0);
		ck_assert_int_eq(bpf_tc_attach(&hook, &tc), 0);
		test_net_enter(-1);
		leaves_all_as_it_is(d);
		query = query_via(d, EBPFNET_VIA_ANY);
		ck_assert_uint_eq(ebpfnet_query_count(query), 3);
		ck_assert_uint_eq(entry_of(query, 0).program_id, id_of(others[0]));
		ck_assert_uint_gt(entry_of(query, 0).link_id, 0);
		ck_assert_uint_eq(entry_of(query, 1).program_id, id_of(others[1]));
		ck_assert_uint_eq(entry_of(query, 1).link_id, 0);
		ck_assert_uint_eq(entry_of(query, 2).via, EBPFNET_VIA_CLSACT);
		ck_assert_uint_eq(entry_of(query, 2).program_id, id_of(their_pass));
		ck_assert_int_eq(entry_of(query, 2).priority, 49152);
		ebpfnet_query_free(query);
		/* Between two of theirs, by the id of a link of theirs; bpftool has the same order.
		 */
		struct ebpfnet_tc_opts o = opts_of(d, EBPFNET_VIA_ANY);

		o.anchor = EBPFNET_ANCHOR_BEFORE;
		o.anchor_program = others[1];
		struct ebpfnet_link *between = attach(numbered(2), d, &o);

		test_shell_output(list, sizeof(list),
				  "nsenter --net=/run/netns/%s bpftool net show dev v0 | grep -o "
				  "'[a-z]*_[a-z0-9]*' | grep 'port\\|number' | tr '\\n' ' '",
				  ns_name(d));
		ck_assert_str_eq(list, "other_port number_2 pass_port pass_port ");
		ebpfnet_link_close(between);
		test_net_enter(ns_of(d));
		ck_assert_int_eq(
			bpf_prog_detach_opts(ebpfnet_program_fd(others[1]), if_of(d), type, NULL),
			0);
		test_net_enter(-1);
		close(link);
		TC(d, "qdisc del dev v0 clsact");
	}
	ebpfnet_object_close(more);
}
END_TEST

/* tc(8) removing all filters takes ours too: we notice, and harm nothing that came after. */
START_TEST(test_they_flush)
{
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_EGRESS, EBPFNET_VIA_CLSACT);
	struct ebpfnet_link *link = attach(numbered(1), EBPFNET_EGRESS, &o);

	TC(EBPFNET_EGRESS, "qdisc del dev v0 clsact");
	TC(EBPFNET_EGRESS, "qdisc add dev v0 clsact");
	ck_assert_uint_eq(info_of(link).defunct, 1);
	ebpfnet_link_close(link);
	ck_assert_ptr_nonnull(strstr(tc_text(EBPFNET_EGRESS), "clsact"));
	/* The same number again, but theirs. */
	TC(EBPFNET_EGRESS, "qdisc del dev v0 clsact");
	link = attach(numbered(1), EBPFNET_EGRESS, &o);
	TC(EBPFNET_EGRESS, "filter del dev v0 egress pref 16384");
	TC(EBPFNET_EGRESS, "filter add dev v0 egress pref 16384 protocol ip u32 match ip dst "
			   "192.0.2.1/32 flowid 1:1");
	ck_assert_uint_eq(info_of(link).defunct, 1);
	ebpfnet_link_close(link);
	ck_assert_uint_eq(attached(EBPFNET_EGRESS, EBPFNET_VIA_CLSACT), 1);
	TC(EBPFNET_EGRESS, "qdisc del dev v0 clsact");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_filters_of_tc8,
		test_filters_of_another_chain,
		test_their_empty_clsact,
		test_their_filter_in_our_clsact,
		test_root_qdiscs,
		test_ingress_qdisc,
		test_shared_block,
		test_order_among_their_filters,
		test_no_room_among_their_filters,
		test_programs_of_libbpf,
		test_they_flush,
	};

	test_need_root();
	test_need_bpffs();
	if (test_shell("tc -V >/dev/null 2>&1 && bpftool version >/dev/null 2>&1") != 0)
		test_skip("tc(8) and bpftool are needed");
	return test_run(test_suite_around("tc_foreign", tests, sizeof(tests) / sizeof(*tests), 120,
					  begin_with_others, end_with_others));
}
