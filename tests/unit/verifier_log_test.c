// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The summary of verifier logs, against logs of real kernels (tests/golden/verifier, made by
 * tests/golden/capture.c) and the table `expected` beside them. After a change of either,
 *
 *	verifier_log_test --print >tests/golden/verifier/expected
 *
 * writes the table anew: read its diff. EBPFNET_GOLDEN names the folder, else the build does.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <check.h>

#include "load/verifier_log.h"

#ifndef EBPFNET_GOLDEN
#define EBPFNET_GOLDEN "tests/golden/verifier"
#endif

#define LOG_MAX (1U << 20)

struct golden {
	char name[256];
	int err;
	char *file; /* allocated */
	char *log;  /* in file, behind the comment lines */
	size_t size;
};

static const char *golden_dir(void)
{
	const char *dir = getenv("EBPFNET_GOLDEN");

	return dir ? dir : EBPFNET_GOLDEN;
}

static char *read_golden(const char *name)
{
	char path[1024], *text = calloc(1, LOG_MAX);
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", golden_dir(), name);
	in = fopen(path, "r");
	if (!in || !text) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	text[fread(text, 1, LOG_MAX - 1, in)] = '\0';
	fclose(in);
	return text;
}

static void golden_open(const char *name, struct golden *g)
{
	const char *err;

	snprintf(g->name, sizeof(g->name), "%s", name);
	g->file = read_golden(name);
	g->log = g->file;
	err = strstr(g->file, "# errno: ");
	g->err = err ? atoi(err + strlen("# errno: ")) : 0;
	while (g->log[0] == '#' && strchr(g->log, '\n'))
		g->log = strchr(g->log, '\n') + 1;
	g->size = strlen(g->log);
}

static void golden_close(struct golden *g)
{
	free(g->file);
}

static int is_log(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".log");
}

/* Calls fn for every golden log, in the order of their names. Returns how many there are. */
static int for_each_golden(void (*fn)(const struct golden *g))
{
	struct dirent **entries;
	struct golden g;
	int n = scandir(golden_dir(), &entries, is_log, alphasort);

	if (n < 0) {
		perror(golden_dir());
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		golden_open(entries[i]->d_name, &g);
		fn(&g);
		golden_close(&g);
		free(entries[i]);
	}
	free(entries);
	return n;
}

static const char *or_none(const char *s)
{
	return *s ? s : "-";
}

/* file, class, subject, instruction, further lines, place, source, summary, message, hint */
static void format_row(const struct golden *g, char *row, size_t size)
{
	struct ebpfnet__verifier_summary s;

	ebpfnet__verifier_log_summarise(g->log, g->size, -g->err, &s);
	snprintf(row, size, "%s\t%s\t%s\t%d\t%u\t%s\t%s\t%s\t%s\t%s\n", g->name,
		 ebpfnet__verifier_class_name(s.class), or_none(s.subject), s.insn, s.more_lines,
		 or_none(s.place), or_none(s.source), s.summary,
		 strcmp(s.message, s.summary) ? or_none(s.message) : "=", or_none(s.hint));
}

static void print_row(const struct golden *g)
{
	char row[4096];

	format_row(g, row, sizeof(row));
	fputs(row, stdout);
}

static char *expected;

static void check_row(const struct golden *g)
{
	char row[4096], want[4096] = "", *at, start[300];

	format_row(g, row, sizeof(row));
	snprintf(start, sizeof(start), "\n%s\t", g->name);
	at = strstr(expected, start);
	if (at)
		snprintf(want, sizeof(want), "%.*s", (int)strcspn(at + 1, "\n") + 1, at + 1);
	ck_assert_msg(at != NULL, "no row for %s in `expected`; it would be\n%s", g->name, row);
	ck_assert_str_eq(row, want);
}

START_TEST(every_golden_log)
{
	int logs, rows = 0;

	expected = read_golden("expected");
	logs = for_each_golden(check_row);
	for (char *line = strtok(expected, "\n"); line; line = strtok(NULL, "\n"))
		rows += line[0] != '#';
	free(expected);
	ck_assert_int_gt(logs, 80);
	ck_assert_int_eq(logs, rows);
}
END_TEST

static void check_whole(const struct ebpfnet__verifier_summary *s)
{
	ck_assert_uint_gt(strnlen(s->summary, sizeof(s->summary)), 0);
	ck_assert_uint_lt(strnlen(s->summary, sizeof(s->summary)), sizeof(s->summary));
	ck_assert_uint_lt(strnlen(s->message, sizeof(s->message)), sizeof(s->message));
	ck_assert_uint_lt(strnlen(s->source, sizeof(s->source)), sizeof(s->source));
	ck_assert_uint_lt(strnlen(s->place, sizeof(s->place)), sizeof(s->place));
	ck_assert_uint_lt(strnlen(s->subject, sizeof(s->subject)), sizeof(s->subject));
	ck_assert_uint_lt(strnlen(s->hint, sizeof(s->hint)), sizeof(s->hint));
	ck_assert_ptr_eq(strpbrk(s->summary, "\n\t\r"), NULL);
}

/* A copy of exactly that size, so that a read beyond it is seen by valgrind and the sanitizers. */
static void summarise_copy(const char *log, size_t size, int err,
			   struct ebpfnet__verifier_summary *s)
{
	char *copy = malloc(size ? size : 1);

	ck_assert_ptr_ne(copy, NULL);
	memcpy(copy, log, size);
	memset(s, 0xff, sizeof(*s));
	ebpfnet__verifier_log_summarise(copy, size, err, s);
	free(copy);
	check_whole(s);
}

static void cut_everywhere(const struct golden *g)
{
	const char *statistics = strstr(g->log, "\nprocessed ");
	struct ebpfnet__verifier_summary whole, s;

	summarise_copy(g->log, g->size, EACCES, &whole);
	for (size_t at = 0; at <= g->size; at++) {
		summarise_copy(g->log + at, g->size - at, EACCES, &s);
		summarise_copy(g->log + at, g->size - at, ENOSPC, &s);
		summarise_copy(g->log, at, ENOSPC, &s);
		ck_assert(s.cut_off);
		summarise_copy(g->log, at, EACCES, &s);
		/* Only the statistics are gone, or part of them. */
		if (statistics && g->log + at > statistics)
			ck_assert_str_eq(s.summary, whole.summary);
	}
}

START_TEST(cut_at_every_byte)
{
	ck_assert_int_gt(for_each_golden(cut_everywhere), 80);
}
END_TEST

/* With its start gone, a log still says the same as long as the last instruction is there. */
static void cut_start(const struct golden *g)
{
	struct ebpfnet__verifier_summary whole, s;
	const char *last = NULL, *line;

	for (line = g->log; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (line[0] >= '0' && line[0] <= '9' && strstr(line, ": (") == strchr(line, ':'))
			last = line;
	}
	if (!last || !strncmp(g->name, "too_many", 8))
		return;
	summarise_copy(g->log, g->size, g->err, &whole);
	summarise_copy(last, g->size - (size_t)(last - g->log), g->err, &s);
	ck_assert_str_eq(s.summary, whole.summary);
	ck_assert_str_eq(s.message, whole.message);
	ck_assert_str_eq(s.hint, whole.hint);
	ck_assert_int_eq(s.class, whole.class);
	ck_assert_int_eq(s.insn, whole.insn);
}

START_TEST(start_gone)
{
	ck_assert_int_gt(for_each_golden(cut_start), 80);
}
END_TEST

static struct ebpfnet__verifier_summary summary_of(const char *log, int err)
{
	struct ebpfnet__verifier_summary s;

	summarise_copy(log, strlen(log), err, &s);
	return s;
}

START_TEST(end_gone)
{
	struct ebpfnet__verifier_summary s;

	s = summary_of("0: R1=ctx() R10=fp0\n0: (bf) r6 = r1\n1: (b7) r", ENOSPC);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_CUT_OFF);
	ck_assert(s.cut_off);
	ck_assert_ptr_ne(strstr(s.hint, "larger log buffer"), NULL);
	/* The errno may be another: the caller may have cut it. */
	s = summary_of("0: R1=ctx() R10=fp0\n0: (bf) r6 = r1\n", EACCES);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_CUT_OFF);
	/* A line that is only half there is better than nothing, unless the buffer was too small.
	 */
	s = summary_of("0: (71) r1 = *(u8 *)(r1 +12)\nR1 offset is outsi", EACCES);
	ck_assert_str_eq(s.summary, "R1 offset is outsi");
	s = summary_of("0: (71) r1 = *(u8 *)(r1 +12)\nR1 offset is outsi", ENOSPC);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_CUT_OFF);
}
END_TEST

START_TEST(empty_log)
{
	struct ebpfnet__verifier_summary s;

	for (int sign = -1; sign <= 1; sign += 2) {
		s = summary_of("", sign * EPERM);
		ck_assert_int_eq(s.class, EBPFNET__VERIFIER_PERMISSION);
		ck_assert_ptr_ne(strstr(s.hint, "CAP_BPF"), NULL);
		ck_assert_ptr_ne(strstr(s.hint, "lockdown"), NULL);
		ck_assert_ptr_eq(strstr(s.hint, "ulimit"), NULL);
		ck_assert(!s.cut_off);
		ck_assert_int_eq(s.insn, -1);
		ck_assert_uint_eq(s.more_lines, 0);
	}
	s = summary_of("", EINVAL);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_UNKNOWN);
	ck_assert_str_eq(s.summary, "Invalid argument");
	ck_assert_str_eq(s.hint, "");
	s = summary_of("", E2BIG);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_TOO_COMPLEX);
	s = summary_of("", ENOSPC);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_CUT_OFF);
	ebpfnet__verifier_log_summarise(NULL, 0, -EPERM, &s);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_PERMISSION);
	/* A NUL ends the log, whatever the size of the buffer. */
	ebpfnet__verifier_log_summarise("R3 !read_ok\0R4 !read_ok\n", 24, EACCES, &s);
	ck_assert_str_eq(s.summary, "R3 !read_ok");
}
END_TEST

START_TEST(libbpf_codes)
{
	struct ebpfnet__verifier_summary s;

	for (int code = __LIBBPF_ERRNO__START; code < __LIBBPF_ERRNO__END; code++) {
		s = summary_of("", -code);
		ck_assert_int_eq(s.class, EBPFNET__VERIFIER_LIBBPF);
		ck_assert_str_ne(s.summary, "unknown error");
		ck_assert_ptr_eq(strstr(s.summary, "40"), NULL);
	}
	ck_assert_str_eq(summary_of("", LIBBPF_ERRNO__FORMAT).summary, "not a valid BPF object");
	ck_assert_int_eq(summary_of("", __LIBBPF_ERRNO__END).class, EBPFNET__VERIFIER_UNKNOWN);
	/* The log says more than the code. */
	s = summary_of("0: (bf) r0 = r3\nR3 !read_ok\nprocessed 1 insns\n", LIBBPF_ERRNO__VERIFY);
	ck_assert_str_eq(s.summary, "R3 !read_ok");
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_REFUSED);
}
END_TEST

START_TEST(relocations)
{
	struct ebpfnet__verifier_summary s;

	s = summary_of(
		"0: <invalid CO-RE relocation>\nfailed to resolve CO-RE relocation <byte_off> "
		"[7] struct sk_buff.nope (0:1 @ offset 4)\nprocessed 1 insns\n",
		EINVAL);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_CORE);
	ck_assert_str_eq(s.subject, "struct sk_buff.nope");
	s = summary_of("4: (85) call unknown#195896080\ninvalid func unknown#195896080\n", EINVAL);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_CORE);
	s = summary_of("failed to resolve CO-RE relocation <type_exists> [7] struct gone\n",
		       EINVAL);
	ck_assert_str_eq(s.subject, "struct gone");
	s = summary_of("invalid func unknown#2002000003\n", EINVAL);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_KFUNC_UNKNOWN);
	s = summary_of("calling kernel function bpf_xdp_ct_lookup is not allowed\n", EACCES);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_KFUNC_REFUSED);
	ck_assert_str_eq(s.subject, "bpf_xdp_ct_lookup");
	s = summary_of("2: <invalid BPF map reference>\nBPF map 'flows' is referenced but wasn't "
		       "created\n",
		       EINVAL);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_MAP_NOT_CREATED);
	ck_assert_str_eq(s.subject, "flows");
}
END_TEST

START_TEST(helpers)
{
	struct ebpfnet__verifier_summary s;

	s = summary_of("7: (85) call unknown#181\ninvalid func unknown#181\n", EINVAL);
	ck_assert_int_eq(s.class, EBPFNET__VERIFIER_HELPER_UNKNOWN);
	ck_assert_str_eq(s.subject, "bpf_loop");
	ck_assert_str_eq(s.min_kernel, "5.17");
	ck_assert_str_eq(s.hint,
			 "this kernel has no bpf_loop: probe for it before the load; it came with "
			 "Linux 5.17");
	/* The numbers on either side of a kernel's first: bpf_timer, bpf_xdp_get_buff_len. */
	ck_assert_str_eq(summary_of("invalid func unknown#169\n", EINVAL).min_kernel, "5.15");
	ck_assert_str_eq(summary_of("invalid func unknown#168\n", EINVAL).min_kernel, "5.14");
	ck_assert_str_eq(summary_of("invalid func unknown#188\n", EINVAL).min_kernel, "5.18");
	ck_assert_str_eq(summary_of("invalid func unknown#204\n", EINVAL).min_kernel, "6.0");
	ck_assert_ptr_eq((void *)summary_of("invalid func unknown#212\n", EINVAL).min_kernel, NULL);
	ck_assert_ptr_eq((void *)summary_of("invalid func unknown#1\n", EINVAL).min_kernel, NULL);
}
END_TEST

START_TEST(noise_is_not_a_reason)
{
	struct ebpfnet__verifier_summary s;

	s = summary_of("libbpf: prog 'x': BPF program load failed: Permission denied\n"
		       "libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n"
		       "Validating x() func#0...\n"
		       "3: (79) r0 = *(u64 *)(r10 -8) ; R0=1 @ home\n"
		       "; a @ b @ x.c:12\n"
		       "4: (63) *(u32 *)(r10 -4) = r1\n"
		       "frame pointer is read only\n"
		       "verification time 12 usec\nstack depth 8\n"
		       "processed 4 insns (limit 1000000)\n-- END PROG LOAD LOG --\n",
		       EACCES);
	ck_assert_str_eq(s.summary, "frame pointer is read only");
	ck_assert_str_eq(s.source, "a @ b");
	ck_assert_str_eq(s.place, "x.c:12");
	ck_assert_int_eq(s.insn, 4);
	ck_assert_uint_eq(s.more_lines, 0);
	ck_assert(!s.cut_off);
}
END_TEST

START_TEST(too_long_is_cut_within_the_line)
{
	struct ebpfnet__verifier_summary s;
	char log[1024] = "";

	/* Two bytes a letter, and an odd number before them: the cut falls into one. */
	strcat(log, "x");
	for (int i = 0; i < 300; i++)
		strcat(log, "\xc3\xa4");
	s = summary_of(log, EACCES);
	ck_assert_uint_le(strlen(s.summary), 255);
	ck_assert_uint_ge(strlen(s.summary), 253);
	ck_assert_str_eq(s.summary + strlen(s.summary) - 4, "\xa4...");
}
END_TEST

START_TEST(every_class_has_a_name)
{
	for (int i = 1; i <= EBPFNET__VERIFIER_LIBBPF; i++)
		ck_assert_str_ne(ebpfnet__verifier_class_name(i), "unknown");
	ck_assert_str_eq(ebpfnet__verifier_class_name(EBPFNET__VERIFIER_LIBBPF + 1), "unknown");
}
END_TEST

int main(int argc, char **argv)
{
	SRunner *runner;
	Suite *suite;
	TCase *tc;
	int failed;

	if (argc == 2 && !strcmp(argv[1], "--print")) {
		puts("# file\tclass\tsubject\tinsn\tmore lines\tplace\tsource\tsummary\tmessage"
		     "\thint; = the same as summary, - none. See tests/unit/verifier_log_test.c");
		for_each_golden(print_row);
		return 0;
	}
	suite = suite_create("verifier_log");
	tc = tcase_create("verifier_log");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, cut_at_every_byte);
	tcase_add_test(tc, empty_log);
	tcase_add_test(tc, end_gone);
	tcase_add_test(tc, every_class_has_a_name);
	tcase_add_test(tc, every_golden_log);
	tcase_add_test(tc, helpers);
	tcase_add_test(tc, libbpf_codes);
	tcase_add_test(tc, noise_is_not_a_reason);
	tcase_add_test(tc, relocations);
	tcase_add_test(tc, start_gone);
	tcase_add_test(tc, too_long_is_cut_within_the_line);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
