// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Why a feature is absent: every cause, on kernels that are made up. */
#include "helpers.h"

#include <errno.h>
#include <string.h>

#include "core/util.h"
#include "probe/feature.h"

static const struct ebpfnet__feature plain = { .name = "map_batch", .min_kernel = "5.6" };
static const struct ebpfnet__feature tcx = {
	.name = "tcx",
	.min_kernel = "6.6",
	.config = "CONFIG_NET_CLS_ACT CONFIG_NET_XGRESS",
};
static const struct ebpfnet__feature ct = {
	.name = "ct_lookup",
	.min_kernel = "5.18",
	.config = "CONFIG_BPF_JIT CONFIG_NF_CONNTRACK",
	.modules = "nf_conntrack",
	.sysctl = "net.core.bpf_jit_enable",
};

#define ALL "CONFIG_BPF_JIT=y\nCONFIG_NET_CLS_ACT=y\nCONFIG_NET_XGRESS=y\nCONFIG_NF_CONNTRACK="

static const struct {
	const struct ebpfnet__feature *feature;
	struct ebpfnet__kernel_view view;
	uint32_t cause;
	const char *text, *hint;
} cases[] = {
	{ &tcx,
	  { .release = "6.1.0-56-cloud-amd64", .config = ALL "m\n" },
	  EBPFNET__CAUSE_VERSION,
	  "tcx needs Linux 6.6, running 6.1",
	  "boot Linux 6.6 or later" },
	/* An old kernel is the first thing to change, whatever else is missing. */
	{ &ct,
	  { .release = "5.10.0", .config = "", .missing_modules = "nf_conntrack" },
	  EBPFNET__CAUSE_VERSION,
	  "ct_lookup needs Linux 5.18, running 5.10",
	  "boot Linux 5.18 or later" },
	{ &tcx,
	  { .release = "6.18.44-x", .config = "CONFIG_NET_CLS_ACT=y\n" },
	  EBPFNET__CAUSE_CONFIG,
	  "this kernel (6.18.44) has CONFIG_NET_XGRESS unset",
	  "boot a kernel built with CONFIG_NET_CLS_ACT CONFIG_NET_XGRESS" },
	{ &tcx,
	  { .release = "6.6", .config = "" },
	  EBPFNET__CAUSE_CONFIG,
	  "this kernel (6.6) has CONFIG_NET_CLS_ACT, CONFIG_NET_XGRESS unset",
	  "boot a kernel built with CONFIG_NET_CLS_ACT CONFIG_NET_XGRESS" },
	{ &tcx,
	  { .release = "6.18.44-x" },
	  EBPFNET__CAUSE_UNREADABLE,
	  "this kernel (6.18.44) lacks tcx, which needs CONFIG_NET_CLS_ACT CONFIG_NET_XGRESS; its "
	  "configuration cannot be read",
	  "boot a kernel built with CONFIG_NET_CLS_ACT CONFIG_NET_XGRESS" },
	{ &ct,
	  { .release = "6.1", .config = ALL "m\n", .missing_modules = "nf_conntrack" },
	  EBPFNET__CAUSE_MODULE,
	  "ct_lookup needs modules that are not loaded: nf_conntrack",
	  "modprobe -a nf_conntrack" },
	{ &ct,
	  { .release = "6.1", .missing_modules = "nf_conntrack" },
	  EBPFNET__CAUSE_MODULE,
	  "ct_lookup needs modules that are not loaded: nf_conntrack",
	  "modprobe -a nf_conntrack" },
	/* Built in, and /sys/module does not show it: that is not the reason. */
	{ &ct,
	  { .release = "6.1", .config = ALL "y\n", .missing_modules = "nf_conntrack" },
	  EBPFNET__CAUSE_UNKNOWN,
	  "this kernel (6.1) lacks ct_lookup, though neither its version nor its configuration "
	  "says why",
	  "please report this kernel's build" },
	{ &ct,
	  { .release = "6.1", .config = ALL "y\n", .switched_off = true },
	  EBPFNET__CAUSE_SYSCTL,
	  "ct_lookup is switched off by sysctl net.core.bpf_jit_enable = 0",
	  "sysctl -w net.core.bpf_jit_enable=1" },
	{ &plain,
	  { .release = "6.1", .config = ALL "y\n" },
	  EBPFNET__CAUSE_UNKNOWN,
	  "this kernel (6.1) lacks map_batch, though neither its version nor its configuration "
	  "says why",
	  "please report this kernel's build" },
	{ &plain,
	  { .release = "6.1" },
	  EBPFNET__CAUSE_UNKNOWN,
	  "this kernel (6.1) lacks map_batch, though neither its version nor its configuration "
	  "says why",
	  "please report this kernel's build" },
	/* A release that is no version is not older than anything. */
	{ &plain,
	  { .release = "custom" },
	  EBPFNET__CAUSE_UNKNOWN,
	  "this kernel (custom) lacks map_batch, though neither its version nor its configuration "
	  "says "
	  "why",
	  "please report this kernel's build" },
};

START_TEST(causes)
{
	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(cases); i++) {
		struct ebpfnet__why why;

		ebpfnet__feature_why(cases[i].feature, &cases[i].view, &why);
		ck_assert_str_eq(why.text, cases[i].text);
		ck_assert_str_eq(why.hint, cases[i].hint);
		ck_assert_uint_eq(why.cause, cases[i].cause);
	}
}
END_TEST

/* Texts are as long as the table makes them: none of them may be cut. */
START_TEST(nothing_is_cut)
{
	const struct ebpfnet__feature *f;

	for (uint32_t i = 1; (f = ebpfnet__feature(i)); i++) {
		const struct ebpfnet__kernel_view views[] = {
			{ .release = "6.999.44444", .config = "" },
			{ .release = "6.999.44444" },
		};

		for (size_t v = 0; v < EBPFNET__ARRAY_SIZE(views); v++) {
			struct ebpfnet__why why;

			ebpfnet__feature_why(f, &views[v], &why);
			ck_assert_uint_lt(strlen(why.text), sizeof(why.text) - 1);
			ck_assert_uint_lt(strlen(why.hint), sizeof(why.hint) - 1);
		}
	}
}
END_TEST

static int attach_tcx(struct ebpfnet_ctx *ctx, uint32_t feature, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "attach tcx eth0 ingress");

	return ebpfnet__fail_feature(&call, -EOPNOTSUPP, feature, ", and %s fallback is off",
				     "clsact");
}

START_TEST(failing_a_call)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;

	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ck_assert_int_eq(attach_tcx(ctx, EBPFNET_FEATURE_TCX, &err), -EOPNOTSUPP);
	ck_assert_str_eq(ebpfnet_error_min_kernel(err), "6.6");
	ck_assert_ptr_nonnull(ebpfnet_error_hint(err));
	ck_assert_ptr_nonnull(
		strstr(ebpfnet_error_message(err), "tcx eth0 ingress: not supported: "));
	ASSERT_FAILS(ebpfnet_error_code(err), err, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
		     ", and clsact fallback is off");
	ASSERT_FAILS(attach_tcx(ctx, 9999, &err), err, -EINVAL, EBPFNET_ERROR_INTERNAL, "9999");
	ebpfnet_ctx_unref(ctx);
}
END_TEST

TEST_MAIN("probe reason", 30, causes, nothing_is_cut, failing_a_call)
