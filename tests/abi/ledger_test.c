// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * One ledger: what the shared library exports = what the version map names = what the headers
 * declare, all under one version node; and the marks that a distribution relies on.
 */
#include <regex.h>
#include <string.h>

#include "abi/scratch.h"
#include "helpers.h"

#define NODE "LIBEBPFNET_0.1"
#define NAMES_MAX 2048

/* Sorted names without duplicates; the strings are their own. */
struct ledger {
	char *names[NAMES_MAX];
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds what the first group of a pattern matches, again and again. */
static void ledger_fill(struct ledger *ledger, const char *text, const char *pattern)
{
	regmatch_t m[2];
	regex_t re;

	ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE), 0);
	for (; !regexec(&re, text, 2, m, 0); text += m[0].rm_eo) {
		ck_assert_uint_lt(ledger->n, NAMES_MAX);
		ledger->names[ledger->n++] = strndup(text + m[1].rm_so, m[1].rm_eo - m[1].rm_so);
	}
	regfree(&re);
	qsort(ledger->names, ledger->n, sizeof(*ledger->names), by_name);
}

static void ledger_free(struct ledger *ledger)
{
	while (ledger->n)
		free(ledger->names[--ledger->n]);
}

/* Prints what one has and the other has not; returns how many. */
static unsigned int ledger_diff(const struct ledger *a, const char *a_name, const struct ledger *b,
				const char *b_name)
{
	unsigned int differ = 0;
	size_t i = 0, k = 0;

	while (i < a->n || k < b->n) {
		int order = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->names[i], b->names[k]);

		if (order)
			printf("%s: in %s, not in %s\n", order < 0 ? a->names[i] : b->names[k],
			       order < 0 ? a_name : b_name, order < 0 ? b_name : a_name);
		differ += order != 0;
		i += order <= 0;
		k += order >= 0;
	}
	return differ;
}

static const char *library(void)
{
	static char path[512];
	const char *build = getenv("EBPFNET_BUILD");

	snprintf(path, sizeof(path), "%s/libebpfnet.so", build ? build : ".");
	return path;
}

static void exported(struct ledger *ledger)
{
	char *text = scratch_read(scratch_run("nm -D --defined-only '%s'", library()));

	ledger_fill(ledger, text, "^[0-9a-f]+ [A-Z] (.+)$");
	free(text);
}

static void in_map(struct ledger *ledger)
{
	char *text = scratch_read(test_source("lib/libebpfnet.map"));

	ledger_fill(ledger, text, "^\t\t(ebpfnet_[a-z0-9_]+);$");
	free(text);
}

/* A declaration spans lines: its name is the first word behind the mark that a parenthesis follows.
 */
static void in_headers(struct ledger *ledger)
{
	char *text = scratch_read(scratch_run(
		"cat '%s'/*.h | sed 's,//.*,,' | tr '\\n' ' ' | sed 's,EBPFNET_API ,\\n&,g' | "
		"sed -n 's,^\\(EBPFNET_API [^(;]*(\\).*,\\1,p'",
		test_source("include/ebpfnet")));

	ledger_fill(ledger, text, "^EBPFNET_API .*[ *](ebpfnet_[a-z0-9_]+)\\($");
	free(text);
}

START_TEST(the_comparison_sees_a_difference)
{
	struct ledger a = { 0 }, b = { 0 };

	ledger_fill(&a, "one\nthree\ntwo\n", "^([a-z]+)$");
	ledger_fill(&b, "two\none\nfour\n", "^([a-z]+)$");
	ck_assert_uint_eq(ledger_diff(&a, "a", &b, "b"), 2);
	ck_assert_uint_eq(ledger_diff(&a, "a", &a, "a"), 0);
	ledger_free(&a);
	ledger_free(&b);
}
END_TEST

START_TEST(map_names_what_headers_declare)
{
	struct ledger map = { 0 }, headers = { 0 };

	in_map(&map);
	in_headers(&headers);
	ck_assert_uint_gt(headers.n, 40);
	ck_assert_uint_eq(ledger_diff(&map, "the version map", &headers, "the headers"), 0);
	ledger_free(&map);
	ledger_free(&headers);
}
END_TEST

/* Each under the one node, and the node itself: nothing else. */
START_TEST(library_exports_what_the_map_names)
{
	struct ledger want = { 0 }, plain = { 0 }, have = { 0 };
	char name[256];

	in_map(&plain);
	for (size_t i = 0; i < plain.n; i++) {
		snprintf(name, sizeof(name), "%s@@" NODE, plain.names[i]);
		want.names[want.n++] = strdup(name);
	}
	want.names[want.n++] = strdup(NODE);
	qsort(want.names, want.n, sizeof(*want.names), by_name);
	exported(&have);
	ck_assert_uint_eq(ledger_diff(&want, "the version map", &have, "the library"), 0);
	ledger_free(&want);
	ledger_free(&plain);
	ledger_free(&have);
}
END_TEST

START_TEST(map_is_sorted_and_closed)
{
	char *text = scratch_read(test_source("lib/libebpfnet.map"));
	char last[128] = "", name[128];

	ck_assert(!strncmp(text, NODE " {\n\tglobal:\n", strlen(NODE " {\n\tglobal:\n")));
	ck_assert_ptr_nonnull(strstr(text, "\tlocal:\n\t\t*;\n};\n"));
	for (char *at = text; (at = strstr(at, "\n\t\tebpfnet_")); at++) {
		ck_assert_int_eq(sscanf(at, " %127[a-z0-9_]", name), 1);
		ck_assert_msg(strcmp(last, name) < 0, "%s stands behind %s", name, last);
		strcpy(last, name);
	}
	free(text);
}
END_TEST

START_TEST(library_is_marked)
{
	char *text = scratch_read(scratch_run("LC_ALL=C readelf -dW '%s'", library()));

	ck_assert_msg(strstr(text, "soname: [libebpfnet.so.0]"), "%s", text);
	/* libbpf's callback is ours until the process ends. */
	ck_assert_msg(strstr(text, "NODELETE"), "%s", text);
	ck_assert_msg(!strstr(text, "TEXTREL"), "%s", text);
	ck_assert_msg(!strstr(text, "RPATH"), "%s", text);
	free(text);
}
END_TEST

TEST_MAIN("ledger", 60, the_comparison_sees_a_difference, map_names_what_headers_declare,
	  library_exports_what_the_map_names, map_is_sorted_and_closed, library_is_marked)
