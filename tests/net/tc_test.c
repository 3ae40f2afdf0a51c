// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* TC through real interfaces: what arrives, what is counted, and what is refused. */
#include "tc_fixture.h"

#include <linux/capability.h>
#include <net/if.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/ctx.h"
#include <ebpfnet/probe.h>

#define SENT 20

/* Counts of one program for each kind of traffic; TCP's own number comes from the interface. */
static void count_passing(uint32_t direction, uint32_t via)
{
	struct ebpfnet_tc_opts o = opts_of(direction, via);
	struct ebpfnet_link *link = attach(program("pass_port"), direction, &o);
	uint64_t before;

	ck_assert_uint_eq(info_of(link).kind, EBPFNET_LINK_TC);
	ck_assert_uint_eq(info_of(link).via, via);
	ck_assert_uint_eq(info_of(link).hook, direction);
	ck_assert_int_eq((int)info_of(link).ifindex, if_of(direction));
	forget();
	before = test_net_statistic(&net, 0, "tx_packets");
	ck_assert_int_eq(udp(4, SENT), SENT);
	ck_assert_int_eq(udp(6, SENT + 1), SENT + 1);
	ck_assert_int_eq(tcp(4, SENT), SENT);
	ck_assert_int_eq(tcp(6, SENT), SENT);
	ck_assert_uint_eq(seen(TC_PASS + TC_UDP4), SENT);
	ck_assert_uint_eq(seen(TC_PASS + TC_UDP6), SENT + 1);
	ck_assert_uint_ge(seen(TC_PASS + TC_TCP4), 3);
	ck_assert_uint_ge(seen(TC_PASS + TC_TCP6), 3);
	/* Every packet that the near end transmitted, neighbour discovery too. */
	ck_assert_uint_eq(seen(TC_PASS + TC_ALL),
			  test_net_statistic(&net, 0, "tx_packets") - before);
	ebpfnet_link_close(link);
	forget();
	ck_assert_int_eq(udp(4, SENT), SENT);
	ck_assert_uint_eq(seen(TC_PASS + TC_ALL), 0);
}

static void count_dropped(uint32_t direction, uint32_t via)
{
	struct ebpfnet_tc_opts o = opts_of(direction, via);
	struct ebpfnet_link *link = attach(program("drop_port"), direction, &o);

	forget();
	ck_assert_int_eq(udp(4, SENT), 0);
	ck_assert_int_eq(udp(6, SENT + 1), 0);
	ck_assert_int_eq(tcp(4, SENT), -1);
	ck_assert_int_eq(tcp(6, SENT), -1);
	ck_assert_uint_eq(seen(TC_DROP + TC_UDP4), SENT);
	ck_assert_uint_eq(seen(TC_DROP + TC_UDP6), SENT + 1);
	/* One SYN each: the first repetition comes after a second. */
	ck_assert_uint_eq(seen(TC_DROP + TC_TCP4), 1);
	ck_assert_uint_eq(seen(TC_DROP + TC_TCP6), 1);
	/* What goes to another port goes on. */
	ck_assert_int_eq(test_net_ping(&net, 4, 2), 2);
	ck_assert_int_eq(test_net_ping(&net, 6, 2), 2);
	ebpfnet_link_close(link);
	ck_assert_int_eq(udp(4, SENT), SENT);
	ck_assert_int_eq(udp(6, SENT), SENT);
	ck_assert_int_eq(tcp(4, SENT), SENT);
	ck_assert_int_eq(tcp(6, SENT), SENT);
}

START_TEST(test_verdict_and_count)
{
	warm_up();
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++)
		for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS;
		     direction++) {
			count_passing(direction, via);
			count_dropped(direction, via);
			ck_assert_uint_eq(attached(direction, EBPFNET_VIA_ANY), 0);
		}
	/* The way that was chosen where the caller did not choose. */
	for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS; direction++) {
		struct ebpfnet_tc_opts o = opts_of(direction, EBPFNET_VIA_ANY);
		struct ebpfnet_link *link = attach(program("pass_port"), direction, &o);

		test_way(direction == EBPFNET_INGRESS ? "tc ingress" : "tc egress",
			 info_of(link).via == EBPFNET_VIA_TCX ? "works" : "falls back to clsact");
		ebpfnet_link_close(link);
	}
}
END_TEST

START_TEST(test_any_is_tcx)
{
	NEEDS_TCX();
	struct ebpfnet_link *link = attach(program("pass_port"), EBPFNET_INGRESS,
					   &(struct ebpfnet_tc_opts) {
						   .sz = sizeof(struct ebpfnet_tc_opts),
						   .netns_fd = net.far_fd,
					   });

	ck_assert_uint_eq(info_of(link).via, EBPFNET_VIA_TCX);
	ck_assert_uint_gt(info_of(link).id, 0);
	ck_assert_int_gt(ebpfnet_link_fd(link), 2);
	ck_assert_int_ne(fcntl(ebpfnet_link_fd(link), F_GETFD) & FD_CLOEXEC, 0);
	ebpfnet_link_close(link);
	/* A program of SEC("tcx/egress") and one of SEC("tc") go anywhere: the kernel says no. */
	test_net_enter(net.far_fd);
	ASSERT_OK(ebpfnet_tc_attach(program("drop_port"), net.far_if, EBPFNET_INGRESS, NULL, &link,
				    &err),
		  err);
	test_net_enter(-1);
	ck_assert_int_eq(udp(4, 3), 0);
	ebpfnet_link_close(link);
}
END_TEST

/* What a kernel before 6.6 does, with the probe's answer put in the kernel's mouth. */
START_TEST(test_any_without_tcx)
{
	struct ebpfnet_link *first, *link;
	struct ebpfnet_query *query;

	ctx->probed[EBPFNET_FEATURE_TCX - 1] = 2; /* no */
	for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS; direction++) {
		struct ebpfnet_tc_opts o = opts_of(direction, EBPFNET_VIA_ANY);

		first = attach(program("number_1"), direction, &o);
		ck_assert_uint_eq(info_of(first).via, EBPFNET_VIA_CLSACT);
		ck_assert_int_eq(ebpfnet_link_fd(first), -EBADF);
		o.anchor = EBPFNET_ANCHOR_BEFORE;
		o.anchor_link = first;
		link = attach(program("number_2"), direction, &o);
		ck_assert_uint_eq(info_of(link).via, EBPFNET_VIA_CLSACT);
		ck_assert_uint_eq(order(4), 21);
		ebpfnet_link_close(link);
		o.anchor_link = NULL;
		o.anchor = EBPFNET_ANCHOR_LAST;
		o.expected_revision = 1;
		ASSERT_FAILS(ebpfnet_tc_attach(program("number_2"), if_of(direction), direction, &o,
					       &link, &err),
			     err, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
			     "clsact has no revision");
		query = query_via(direction, EBPFNET_VIA_ANY);
		ck_assert_uint_eq(ebpfnet_query_revision(query), 0);
		ck_assert_uint_eq(ebpfnet_query_count(query), 1);
		ebpfnet_query_free(query);
		ebpfnet_link_close(first);
	}
}
END_TEST

START_TEST(test_namespaces)
{
	struct stat before, after;
	int fds = test_open_fds();

	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &before), 0);
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++) {
		struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, via);
		struct ebpfnet_link *link = attach(program("drop_port"), EBPFNET_INGRESS, &o);

		ck_assert_int_eq(stat("/proc/thread-self/ns/net", &after), 0);
		ck_assert_uint_eq(before.st_ino, after.st_ino);
		ck_assert_int_eq(udp(4, 2), 0);
		ck_assert_uint_eq(attached(EBPFNET_INGRESS, via), 1);
		ebpfnet_link_close(link);
		ck_assert_int_eq(udp(4, 2), 2);
		o.netns_fd = 999;
		ASSERT_FAILS(ebpfnet_tc_attach(program("drop_port"), net.far_if, EBPFNET_INGRESS,
					       &o, &link, &err),
			     err, -EBADF, EBPFNET_ERROR_INVALID, "not an open descriptor");
		o.netns_fd = ebpfnet_program_fd(program("drop_port"));
		ASSERT_FAILS(ebpfnet_tc_attach(program("drop_port"), net.far_if, EBPFNET_INGRESS,
					       &o, &link, &err),
			     err, -EBADF, EBPFNET_ERROR_INVALID, "not a namespace");
	}
	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(test_open_fds(), fds);
}
END_TEST

static void refuse(struct ebpfnet_program *prog, int ifindex, uint32_t direction,
		   struct ebpfnet_tc_opts *o, int code, uint32_t kind, const char *words)
{
	struct ebpfnet_link *link = (void *)1;
	int fds = test_open_fds();

	ASSERT_FAILS(ebpfnet_tc_attach(prog, ifindex, direction, o, &link, &err), err, code, kind,
		     words);
	ck_assert_ptr_null(link);
	ck_assert_int_eq(test_open_fds(), fds);
}

START_TEST(test_bad_input)
{
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_ANY), bad = o;
	struct ebpfnet_program *pass = program("pass_port"), *unloaded, *xdp;
	struct ebpfnet_object *closed, *other;
	struct {
		struct ebpfnet_tc_opts o;
		uint64_t newer;
	} tail = { .o = { .sz = sizeof(tail) }, .newer = 1 };

	for (uint32_t via = EBPFNET_VIA_ANY; via <= EBPFNET_VIA_CLSACT; via++) {
		if (via != EBPFNET_VIA_ANY && via < first_via())
			continue;
		bad.via = via;
		refuse(pass, 0, EBPFNET_INGRESS, &bad, -ENODEV, EBPFNET_ERROR_NOT_FOUND,
		       "no such interface");
		refuse(pass, -3, EBPFNET_EGRESS, &bad, -ENODEV, EBPFNET_ERROR_NOT_FOUND,
		       "no such interface");
		refuse(pass, 99999, EBPFNET_EGRESS, &bad, -ENODEV, EBPFNET_ERROR_NOT_FOUND,
		       "no such interface");
	}
	refuse(pass, net.far_if, 0, &o, -EINVAL, EBPFNET_ERROR_INVALID, "direction 0");
	refuse(pass, net.far_if, 3, &o, -EINVAL, EBPFNET_ERROR_INVALID, "direction 3");
	bad.via = EBPFNET_VIA_NETLINK;
	refuse(pass, net.far_if, 1, &bad, -EINVAL, EBPFNET_ERROR_INVALID, "via 2 is not");
	bad = o;
	bad.anchor = 4;
	refuse(pass, net.far_if, 1, &bad, -EINVAL, EBPFNET_ERROR_INVALID, "anchor 4");
	bad.anchor = EBPFNET_ANCHOR_BEFORE;
	refuse(pass, net.far_if, 1, &bad, -EINVAL, EBPFNET_ERROR_INVALID, "0 anchors are given");
	bad.anchor_program_id = 1;
	bad.anchor_program = pass;
	refuse(pass, net.far_if, 1, &bad, -EINVAL, EBPFNET_ERROR_INVALID, "2 anchors are given");
	bad = o;
	bad.anchor_program = pass;
	refuse(pass, net.far_if, 1, &bad, -EINVAL, EBPFNET_ERROR_INVALID, "none for FIRST");
	bad = o;
	bad.anchor = EBPFNET_ANCHOR_AFTER;
	bad.anchor_priority = 7;
	bad.via = EBPFNET_VIA_TCX;
	refuse(pass, net.far_if, 1, &bad, -EINVAL, EBPFNET_ERROR_INVALID, "no priorities");
	refuse(pass, net.far_if, 1, &tail.o, -E2BIG, EBPFNET_ERROR_INVALID, "knows");
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("tc"), NULL, &closed, &err), err);
	unloaded = program_of(closed, "pass_port");
	refuse(unloaded, net.far_if, 1, &o, -EINVAL, EBPFNET_ERROR_INVALID, "is not loaded");
	bad = o;
	bad.anchor = EBPFNET_ANCHOR_AFTER;
	bad.anchor_program = unloaded;
	refuse(pass, net.far_if, 1, &bad, -EINVAL, EBPFNET_ERROR_INVALID,
	       "the anchor, program pass_port, is not loaded");
	ebpfnet_object_close(closed);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("xdp"), NULL, &other, &err), err);
	ASSERT_OK(ebpfnet_object_load(other, &err), err);
	xdp = program_of(other, "pass_all");
	refuse(xdp, net.far_if, 1, &o, -EINVAL, EBPFNET_ERROR_INVALID, "not SCHED_CLS");
	ebpfnet_object_close(other);
	ck_assert_uint_eq(attached(EBPFNET_INGRESS, EBPFNET_VIA_ANY), 0);
}
END_TEST

START_TEST(test_bad_queries)
{
	struct ebpfnet_query_entry entry = { .sz = 0 };
	struct ebpfnet_query *query;

	EBPFNET_OPTS(ebpfnet_query_opts, o);
	o.netns_fd = net.far_fd;
	ASSERT_FAILS(ebpfnet_tc_query(ctx, 99999, EBPFNET_INGRESS, &o, &query, &err), err, -ENODEV,
		     EBPFNET_ERROR_NOT_FOUND, "no such interface");
	ck_assert_ptr_null(query);
	ASSERT_FAILS(ebpfnet_tc_query(ctx, net.far_if, 9, &o, &query, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "direction 9");
	o.via = EBPFNET_VIA_LINK;
	ASSERT_FAILS(ebpfnet_tc_query(ctx, net.far_if, EBPFNET_INGRESS, &o, &query, &err), err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "via 1");
	o.via = EBPFNET_VIA_ANY;
	/* An empty hook is an answer: nothing, at revision 1. */
	ASSERT_OK(ebpfnet_tc_query(ctx, net.far_if, EBPFNET_INGRESS, &o, &query, &err), err);
	ck_assert_uint_eq(ebpfnet_query_count(query), 0);
	ck_assert_uint_eq(ebpfnet_query_revision(query), has_tcx() ? 1 : 0);
	ck_assert_int_eq(ebpfnet_query_entry(query, 0, &entry), -ENOENT);
	ebpfnet_query_free(query);
	ebpfnet_query_free(NULL);
	struct ebpfnet_tc_opts a = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_ANY);
	struct ebpfnet_link *link = attach(program("pass_port"), EBPFNET_INGRESS, &a);

	query = query_via(EBPFNET_INGRESS, EBPFNET_VIA_ANY);
	ck_assert_int_eq(ebpfnet_query_entry(query, 0, &entry), -EINVAL);
	ck_assert_int_eq(ebpfnet_query_entry(query, 1, &entry), -ENOENT);
	ck_assert_uint_eq(ebpfnet_query_revision(query), has_tcx() ? 2 : 0);
	ebpfnet_query_free(query);
	ebpfnet_link_close(link);
}
END_TEST

/* With no capability at all: clsact and query need CAP_NET_ADMIN; a TCX link needs the program. */
static int unprivileged(void *data)
{
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_query *query;
	struct ebpfnet_link *link;

	(void)data;
	EBPFNET_OPTS(ebpfnet_tc_opts, o);
	o.via = EBPFNET_VIA_CLSACT;
	test_net_enter(net.far_fd);
	CHILD_NEEDS(setresuid(65534, 65534, 65534) == 0);
	CHILD_NEEDS(ebpfnet_tc_attach(program("pass_port"), net.far_if, EBPFNET_INGRESS, &o, &link,
				      &e) == -EPERM);
	CHILD_NEEDS(ebpfnet_error_kind(e) == EBPFNET_ERROR_PERMISSION);
	CHILD_NEEDS(test_error_says(e, "CAP_NET_ADMIN"));
	ebpfnet_error_free(e);
	e = NULL;
	CHILD_NEEDS(ebpfnet_tc_query(ctx, net.far_if, EBPFNET_INGRESS, NULL, &query, &e) == -EPERM);
	CHILD_NEEDS(ebpfnet_error_kind(e) == EBPFNET_ERROR_PERMISSION);
	CHILD_NEEDS(test_error_says(e, "CAP_NET_ADMIN"));
	ebpfnet_error_free(e);
	return 0;
}

START_TEST(test_unprivileged)
{
	ck_assert_int_eq(test_in_child(unprivileged, NULL), 0);
	ck_assert_str_eq(tc_text(EBPFNET_INGRESS), "qdisc noqueue 0: root refcnt 2 \n");
}
END_TEST

static int with_net_admin_only(void *data)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { .effective = 1u << CAP_NET_ADMIN,
						    .permitted = 1u << CAP_NET_ADMIN } };
	struct ebpfnet_program *drop = program("drop_port");
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	struct ebpfnet_error *e = NULL;
	struct bpf_prog_info known = { 0 };
	__u32 size = sizeof(known);
	struct ebpfnet_link *link;

	(void)data;
	EBPFNET_OPTS(ebpfnet_tc_opts, o);
	o.via = EBPFNET_VIA_CLSACT;
	test_net_enter(net.far_fd);
	CHILD_NEEDS(syscall(SYS_capset, &header, caps) == 0);
	/* Before 5.13 or so bpf(2) as a whole was refused without CAP_BPF. */
	if (bpf_obj_get_info_by_fd(ebpfnet_program_fd(drop), &known, &size) < 0 && errno == EPERM)
		return TEST_SKIP;
	if (ebpfnet_tc_attach(drop, net.far_if, EBPFNET_INGRESS, &o, &link, &e) < 0)
		test_print_error(e);
	CHILD_NEEDS(link);
	CHILD_NEEDS(ebpfnet_link_info(link, &info, &e) == 0);
	CHILD_NEEDS(info.defunct == 0 && info.program_id == id_of(drop));
	CHILD_NEEDS(ebpfnet_link_update(link, program("pass_port"), NULL, NULL, &e) == 0);
	CHILD_NEEDS(ebpfnet_link_pin(link, pin_name("link"), &e) == -EPERM);
	ebpfnet_error_free(e);
	ebpfnet_link_close(link);
	return 0;
}

/* A loaded program and CAP_NET_ADMIN are enough for clsact; what keeps a pin needs CAP_BPF. */
START_TEST(test_net_admin_only)
{
	int ret = test_in_child(with_net_admin_only, NULL);

	if (ret == TEST_SKIP)
		TEST_SKIP_CASE("this kernel refuses bpf(2) without CAP_BPF");
	ck_assert_int_eq(ret, 0);
	ck_assert_str_eq(tc_text(EBPFNET_INGRESS), "qdisc noqueue 0: root refcnt 2 \n");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_verdict_and_count, test_any_is_tcx,  test_any_without_tcx, test_namespaces,
		test_bad_input,		test_bad_queries, test_unprivileged,	test_net_admin_only,
	};

	test_need_root();
	return test_run(
		test_suite_around("tc", tests, sizeof(tests) / sizeof(*tests), 60, begin, end));
}
