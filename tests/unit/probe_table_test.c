// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The feature table: complete, in the enum's order, and what doc/KERNELS.md prints. */
#include "helpers.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "core/util.h"
#include "probe/feature.h"
#include "probe/kernel.h"

/* Numbers are ABI: a row may be added at the end, none may move. */
static const struct {
	uint32_t number, feature;
	const char *name, *min_kernel;
} rows[] = {
	{ 1, EBPFNET_FEATURE_BTF, "btf", "5.4" },
	{ 2, EBPFNET_FEATURE_JIT, "jit", "3.18" },
	{ 3, EBPFNET_FEATURE_MEMCG_ACCOUNTING, "memcg_accounting", "5.11" },
	{ 4, EBPFNET_FEATURE_RUN_STATS, "run_stats", "5.8" },
	{ 5, EBPFNET_FEATURE_CLSACT, "clsact", "4.5" },
	{ 6, EBPFNET_FEATURE_MAP_BATCH, "map_batch", "5.6" },
	{ 7, EBPFNET_FEATURE_RINGBUF, "ringbuf", "5.8" },
	{ 8, EBPFNET_FEATURE_XDP_LINK, "xdp_link", "5.9" },
	{ 9, EBPFNET_FEATURE_SK_LOOKUP, "sk_lookup", "5.9" },
	{ 10, EBPFNET_FEATURE_FREPLACE_MULTI, "freplace_multi", "5.10" },
	{ 11, EBPFNET_FEATURE_SKB_VERDICT, "skb_verdict", "5.13" },
	{ 12, EBPFNET_FEATURE_BPF_TIMER, "bpf_timer", "5.15" },
	{ 13, EBPFNET_FEATURE_BLOOM_FILTER, "bloom_filter", "5.16" },
	{ 14, EBPFNET_FEATURE_BPF_LOOP, "bpf_loop", "5.17" },
	{ 15, EBPFNET_FEATURE_XDP_FRAGS, "xdp_frags", "5.18" },
	{ 16, EBPFNET_FEATURE_XDP_LIVE_FRAMES, "xdp_live_frames", "5.18" },
	{ 17, EBPFNET_FEATURE_CT_LOOKUP, "ct_lookup", "5.18" },
	{ 18, EBPFNET_FEATURE_RAW_SYNCOOKIE, "raw_syncookie", "6.0" },
	{ 19, EBPFNET_FEATURE_USER_RINGBUF, "user_ringbuf", "6.1" },
	{ 20, EBPFNET_FEATURE_DYNPTR_SKB, "dynptr_skb", "6.4" },
	{ 21, EBPFNET_FEATURE_DYNPTR_XDP, "dynptr_xdp", "6.4" },
	{ 22, EBPFNET_FEATURE_NETFILTER_LINK, "netfilter_link", "6.4" },
	{ 23, EBPFNET_FEATURE_TCX, "tcx", "6.6" },
	{ 24, EBPFNET_FEATURE_NETKIT, "netkit", "6.7" },
	{ 25, EBPFNET_FEATURE_BPF_TOKEN, "bpf_token", "6.9" },
	{ 26, EBPFNET_FEATURE_ARENA, "arena", "6.9" },
	{ 27, EBPFNET_FEATURE_SOCKMAP_LINK, "sockmap_link", "6.10" },
	{ 28, EBPFNET_FEATURE_CGROUP_ORDER, "cgroup_order", "6.17" },
};

START_TEST(numbers)
{
	struct ebpfnet_feature_info info = { .sz = sizeof(info) };

	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(rows); i++) {
		ck_assert_uint_eq(rows[i].number, rows[i].feature);
		ck_assert_int_eq(ebpfnet_probe_info(rows[i].feature, &info), 0);
		ck_assert_str_eq(info.name, rows[i].name);
		ck_assert_str_eq(info.min_kernel, rows[i].min_kernel);
		ck_assert_uint_eq(ebpfnet_probe_find(rows[i].name), rows[i].feature);
	}
	ck_assert_int_eq(ebpfnet_probe_info(EBPFNET__ARRAY_SIZE(rows) + 1, &info), -ENOENT);
	ck_assert_int_eq(ebpfnet_probe_info(0, &info), -ENOENT);
	ck_assert_int_eq(ebpfnet_probe_info(UINT32_MAX, &info), -ENOENT);
	ck_assert_uint_eq(ebpfnet_probe_find("tc"), 0);
	ck_assert_uint_eq(ebpfnet_probe_find(""), 0);
}
END_TEST

static void check_words(const char *list, const char *prefix)
{
	CLEANUP(free) char *copy = strdup(list ? list : "");
	const char *before = "";

	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		ck_assert_msg(!strncmp(word, prefix, strlen(prefix)), "%s", word);
		ck_assert_msg(strcmp(before, word) < 0, "%s is not sorted", word);
		before = word;
	}
}

START_TEST(rows_are_complete)
{
	const struct ebpfnet__feature *f;

	for (uint32_t i = 1; (f = ebpfnet__feature(i)); i++) {
		struct ebpfnet__version v;

		ck_assert_ptr_nonnull(f->name);
		ck_assert(f->probe != NULL);
		ck_assert_uint_eq(strspn(f->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(f->name));
		ck_assert_uint_eq(ebpfnet_probe_find(f->name), i); /* no name twice */
		ck_assert_ptr_nonnull(f->description);
		ck_assert_ptr_null(strpbrk(f->description, "|\n\t"));
		ck_assert_int_eq(ebpfnet__version_parse(f->min_kernel, &v), 0);
		check_words(f->config, "CONFIG_");
		check_words(f->modules, "");
	}
}
END_TEST

START_TEST(sizes)
{
	struct {
		struct ebpfnet_feature_info info;
		char later[16];
	} grown;
	struct ebpfnet_feature_info info = { .sz = sizeof(info.sz) + sizeof(info.name) };

	info.description = "kept";
	ck_assert_int_eq(ebpfnet_probe_info(EBPFNET_FEATURE_TCX, &info), 0);
	ck_assert_str_eq(info.name, "tcx");
	ck_assert_str_eq(info.description, "kept");
	memset(&grown, 0xff, sizeof(grown));
	grown.info.sz = sizeof(grown);
	ck_assert_int_eq(ebpfnet_probe_info(EBPFNET_FEATURE_TCX, &grown.info), 0);
	ck_assert_uint_eq(grown.info.sz, sizeof(grown));
	for (size_t i = 0; i < sizeof(grown.later); i++)
		ck_assert_int_eq(grown.later[i], 0);
	info.sz = 1;
	ck_assert_int_eq(ebpfnet_probe_info(EBPFNET_FEATURE_TCX, &info), -EINVAL);
}
END_TEST

#define BEGIN "<!-- table: begin -->\n"
#define END "<!-- table: end -->"

static size_t add(char *out, size_t size, size_t used, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static size_t add(char *out, size_t size, size_t used, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out + used, size - used, fmt, ap);
	va_end(ap);
	ck_assert_int_gt(n, 0);
	ck_assert_uint_lt((size_t)n, size - used);
	return used + (size_t)n;
}

/* The same lines that examples/02-probe --markdown prints. */
START_TEST(the_page_has_this_table)
{
	static char want[16384];
	CLEANUP(free) char *page = NULL;
	const struct ebpfnet__feature *f;
	char *begin, *end;
	size_t size, used;

	used = add(want, sizeof(want), 0,
		   "| feature | minimum | config | what |\n|---|---|---|---|\n");
	for (uint32_t i = 1; (f = ebpfnet__feature(i)); i++)
		used = add(want, sizeof(want), used, "| %s | %s | %s | %s |\n", f->name,
			   f->min_kernel, f->config ? f->config : "", f->description);
	ck_assert_int_eq(ebpfnet__file_read(test_source("doc/KERNELS.md"), 1u << 20, &page, &size),
			 0);
	begin = strstr(page, BEGIN);
	ck_assert_msg(begin != NULL, "doc/KERNELS.md has no line %s", BEGIN);
	end = strstr(begin, END);
	ck_assert_msg(end != NULL, "doc/KERNELS.md has no line %s", END);
	*end = '\0';
	ck_assert_msg(
		!strcmp(begin + strlen(BEGIN), want),
		"doc/KERNELS.md is not the library's table; put this between its markers:\n%s",
		want);
}
END_TEST

TEST_MAIN("probe table", 30, numbers, rows_are_complete, sizes, the_page_has_this_table)
