// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What the kernel answers by situation, over the hooks: errno, kind, words or hint. The rows of
 * sockmaps are in sockmap_errno_test.c, those of loading in tests/kernel/load_test.c, that of an
 * MTU in xdp_frags_test.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cgroups.h"
#include "helpers.h"
#include "sockets.h"

#define IPV4 2	     /* NFPROTO_IPV4 */
#define LOCAL_IN 1   /* NF_INET_LOCAL_IN */
#define NOWHERE 9999 /* no such interface */

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *first, *second;
static struct ebpfnet_error *err;
static int ifindex;

static void load(struct ebpfnet_object **obj, const char *const names[])
{
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("capability"), NULL, obj, &err), err);
	for (int i = 0; names[i]; i++)
		ASSERT_OK(ebpfnet_object_set_program_enabled(*obj, names[i], true, &err), err);
	ASSERT_OK(ebpfnet_object_load(*obj, &err), err);
}

static struct ebpfnet_program *of(struct ebpfnet_object *obj, const char *name)
{
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(obj, name, &prog, &err), err);
	return prog;
}

static void begin(void)
{
	static const char *const names[] = { "xdp", "tc", "sk_lookup", "cgroup_skb", NULL };

	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	load(&first, names);
	load(&second, names);
	ck_assert_int_eq(test_shell("ip link add v0 type veth peer name v1 && ip link set v0 up && "
				    "ip link set v1 up"),
			 0);
	ifindex = (int)if_nametoindex("v0");
}

static void end(void)
{
	test_shell("ip link del v0 2>/dev/null");
	ebpfnet_object_close(first);
	ebpfnet_object_close(second);
	first = second = NULL;
	ebpfnet_ctx_unref(ctx);
}

static bool there(uint32_t feature)
{
	return ebpfnet_probe(ctx, feature, NULL) == 1;
}

START_TEST(test_xdp)
{
	struct ebpfnet_link *held, *link;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	ASSERT_FAILS(
		ebpfnet_xdp_attach(of(first, "xdp"), (int)if_nametoindex("lo"), &o, &link, &err),
		err, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "use mode AUTO or GENERIC");
	ASSERT_FAILS(ebpfnet_xdp_attach(of(first, "xdp"), NOWHERE, &o, &link, &err), err, -ENODEV,
		     EBPFNET_ERROR_NOT_FOUND, "no such interface");
	ASSERT_OK(ebpfnet_xdp_attach(of(first, "xdp"), ifindex, &o, &held, &err), err);
	ASSERT_FAILS(ebpfnet_xdp_attach(of(second, "xdp"), ifindex, &o, &link, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, "bpftool link detach id");
	o.mode = EBPFNET_XDP_GENERIC;
	ASSERT_FAILS(ebpfnet_xdp_attach(of(second, "xdp"), ifindex, &o, &link, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, "is attached in native mode by link");
	o.mode = EBPFNET_XDP_NATIVE;
	o.via = EBPFNET_VIA_NETLINK;
	ASSERT_FAILS(ebpfnet_xdp_attach(of(second, "xdp"), ifindex, &o, &link, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, "by link");
	ebpfnet_link_close(held);
}
END_TEST

/* A link takes the place of what netlink attached only when that has gone; then it guards it. */
START_TEST(test_xdp_netlink_under_a_link)
{
	struct ebpfnet_link *handle, *held;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.via = EBPFNET_VIA_NETLINK;
	ASSERT_OK(ebpfnet_xdp_attach(of(first, "xdp"), ifindex, &o, &handle, &err), err);
	ck_assert_int_eq(test_shell("ip link set dev v0 xdp off"), 0);
	o.via = EBPFNET_VIA_LINK;
	ASSERT_OK(ebpfnet_xdp_attach(of(first, "xdp"), ifindex, &o, &held, &err), err);
	ASSERT_FAILS(ebpfnet_link_detach(handle, &err), err, -EBUSY, EBPFNET_ERROR_BUSY,
		     "held by a bpf_link");
	ASSERT_FAILS(ebpfnet_link_update(handle, of(second, "xdp"), NULL, NULL, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, "held by a bpf_link");
	ebpfnet_link_close(held);
	ebpfnet_link_close(handle);
}
END_TEST

START_TEST(test_links)
{
	struct ebpfnet_link *link;
	struct ebpfnet_link_info info = { .sz = sizeof(info) };

	EBPFNET_OPTS(ebpfnet_link_update_opts, u);
	ASSERT_OK(ebpfnet_xdp_attach(of(first, "xdp"), ifindex, NULL, &link, &err), err);
	ASSERT_FAILS(ebpfnet_link_update(link, of(second, "tc"), NULL, NULL, &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "same section name");
	u.expected = of(second, "xdp");
	ASSERT_FAILS(ebpfnet_link_update(link, of(second, "xdp"), &u, NULL, &err), err, -ESTALE,
		     EBPFNET_ERROR_STALE, "not the expected program");
	ck_assert_int_eq(test_shell("ip link del v0"), 0);
	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	ck_assert_uint_eq(info.ifindex, 0);
	ck_assert_uint_eq(info.defunct, 1);
	ASSERT_FAILS(ebpfnet_link_update(link, of(second, "xdp"), NULL, NULL, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "is gone");
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ebpfnet_link_close(link);
}
END_TEST

START_TEST(test_tc)
{
	struct ebpfnet_link *link;

	for (uint32_t via = EBPFNET_VIA_TCX; via <= EBPFNET_VIA_CLSACT; via++) {
		EBPFNET_OPTS(ebpfnet_tc_opts, o);
		if (via == EBPFNET_VIA_TCX && !there(EBPFNET_FEATURE_TCX))
			continue;
		o.via = via;
		ASSERT_FAILS(ebpfnet_tc_attach(of(first, "tc"), NOWHERE, EBPFNET_INGRESS, &o, &link,
					       &err),
			     err, -ENODEV, EBPFNET_ERROR_NOT_FOUND, "");
		ck_assert_ptr_null(link);
	}
}
END_TEST

START_TEST(test_sk_lookup)
{
	struct ebpfnet_link *links[64], *link;

	for (int i = 0; i < 64; i++)
		ASSERT_OK(ebpfnet_netns_attach(of(first, "sk_lookup"), NULL, &links[i], &err), err);
	ASSERT_FAILS(ebpfnet_netns_attach(of(first, "sk_lookup"), NULL, &link, &err), err, -E2BIG,
		     EBPFNET_ERROR_BUSY, "64");
	for (int i = 0; i < 64; i++)
		ebpfnet_link_close(links[i]);
}
END_TEST

START_TEST(test_netfilter)
{
	static const char *const names[] = { "netfilter", NULL };
	struct ebpfnet_object *nf;
	struct ebpfnet_link *held, *link;

	EBPFNET_OPTS(ebpfnet_netfilter_opts, o);
	if (!there(EBPFNET_FEATURE_NETFILTER_LINK))
		TEST_SKIP_CASE("this kernel has no netfilter links");
	load(&nf, names);
	o.priority = 77;
	ASSERT_OK(ebpfnet_netfilter_attach(of(nf, "netfilter"), IPV4, LOCAL_IN, &o, &held, &err),
		  err);
	ASSERT_FAILS(ebpfnet_netfilter_attach(of(nf, "netfilter"), IPV4, LOCAL_IN, &o, &link, &err),
		     err, -EBUSY, EBPFNET_ERROR_BUSY, "priority");
	ASSERT_FAILS(ebpfnet_link_update(held, of(nf, "netfilter"), NULL, NULL, &err), err,
		     -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "keeps its program");
	o.priority = INT_MIN;
	ASSERT_FAILS(ebpfnet_netfilter_attach(of(nf, "netfilter"), IPV4, LOCAL_IN, &o, &link, &err),
		     err, -ERANGE, EBPFNET_ERROR_INVALID, "take one between");
	o.priority = 0;
	ASSERT_FAILS(ebpfnet_netfilter_attach(of(nf, "netfilter"), 5, LOCAL_IN, &o, &link, &err),
		     err, -EAFNOSUPPORT, EBPFNET_ERROR_INVALID, "");
	ebpfnet_link_close(held);
	ebpfnet_object_close(nf);
}
END_TEST

/* A program that suffers no other next to it, given without BPF_F_ALLOW_MULTI where links are. */
START_TEST(test_cgroup)
{
	struct ebpfnet_link *link;
	struct test_cgroup cg;

	EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
	test_cgroup_open(&cg);
	/* As another program would have done it, the cgroup is closed to ours. */
	ck_assert_int_eq(bpf_prog_attach(ebpfnet_program_fd(of(first, "cgroup_skb")), cg.fd,
					 BPF_CGROUP_INET_EGRESS, 0),
			 0);
	o.via = EBPFNET_VIA_LINK;
	ASSERT_FAILS(ebpfnet_cgroup_attach(of(second, "cgroup_skb"), cg.name, 0, &o, &link, &err),
		     err, -EBUSY, EBPFNET_ERROR_BUSY, "");
	o.via = EBPFNET_VIA_PROG_ATTACH;
	ASSERT_FAILS(ebpfnet_cgroup_attach(of(second, "cgroup_skb"), cg.name, 0, &o, &link, &err),
		     err, -EBUSY, EBPFNET_ERROR_BUSY, "");
	test_cgroup_close(&cg);
}
END_TEST

static int without_capabilities(void *data)
{
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_object *obj;

	(void)data;
	CHILD_NEEDS(ebpfnet_object_open_file(ctx, test_object("capability"), NULL, &obj, &e) == 0);
	CHILD_NEEDS(ebpfnet_object_set_program_enabled(obj, "xdp", true, &e) == 0);
	CHILD_NEEDS(setresuid(65534, 65534, 65534) == 0);
	CHILD_NEEDS(ebpfnet_object_load(obj, &e) == -EPERM);
	CHILD_NEEDS(ebpfnet_error_kind(e) == EBPFNET_ERROR_PERMISSION);
	CHILD_NEEDS(ebpfnet_error_hint(e) && strstr(ebpfnet_error_hint(e), "CAP_"));
	CHILD_NEEDS(!strstr(ebpfnet_error_hint(e), "ulimit"));
	return 0;
}

START_TEST(test_permission)
{
	ck_assert_int_eq(test_in_child(without_capabilities, NULL), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_xdp,	test_xdp_netlink_under_a_link,
		test_links,	test_tc,
		test_sk_lookup, test_netfilter,
		test_cgroup,	test_permission,
	};

	test_need_root();
	test_loopback_only();
	return test_run(
		test_suite_around("errno", tests, sizeof(tests) / sizeof(*tests), 60, begin, end));
}
