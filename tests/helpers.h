/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_HELPERS_H
#define EBPFNET_TESTS_HELPERS_H

/* What every suite needs: a Check main, skips, BPF objects, and errors that print themselves. */

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <ebpfnet/ebpfnet.h>

/* Exit code that says "a prerequisite is missing"; one line says which. */
#define TEST_SKIP 77

/* Ends the program with TEST_SKIP and the reason. */
void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/*
 * Leaves one test of a program, with the reason: it counts as skipped. The kernel matrix lists every
 * such test by name, so one that skips where it used to run is seen.
 */
#define TEST_SKIP_CASE(...)                                                                        \
	do {                                                                                       \
		test_case_skipped(__func__, __VA_ARGS__);                                          \
		return;                                                                            \
	} while (0)
void test_case_skipped(const char *fn, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * One cell of the kernel matrix: what a hook's effect test found here, after it was seen to work.
 * way is "works", or "falls back to clsact", or "refused", or "not there".
 */
void test_way(const char *hook, const char *way);

/* True where loops should be small: in a guest that is emulated. */
bool test_quick(void);

/* Skips the whole program unless it runs as root. */
void test_need_root(void);

/* Skips the whole program unless there is a bpffs at /sys/fs/bpf; mounts one if it can. */
void test_need_bpffs(void);

/* Runs a function in a forked child, which ends with its result; 128 + the signal that killed it.
 */
int test_in_child(int (*fn)(void *data), void *data);

/* In such a function: what is not so is printed and ends the child. */
#define CHILD_NEEDS(what)                                                                          \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                  \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

/* The path of a test's BPF object: test_object("drop") is .../drop.bpf.o; static buffer. */
const char *test_object(const char *name);

/* A path below the source folder; static buffer. */
const char *test_source(const char *path);

/* A path below the build folder; static buffer. */
const char *test_built(const char *path);

/* Runs a suite and prints its counts. Returns what main() shall return. */
int test_run(Suite *suite);

/* One suite of one case from a list of tests. */
Suite *test_suite(const char *name, const TTest *const *tests, size_t n, double timeout);

/* The same, with functions that run before and after each test. */
Suite *test_suite_around(const char *name, const TTest *const *tests, size_t n, double timeout,
			 void (*begin)(void), void (*end)(void));

#define TEST_MAIN(name, timeout, ...)                                                              \
	int main(void)                                                                             \
	{                                                                                          \
		const TTest *const tests[] = { __VA_ARGS__ };                                      \
                                                                                                   \
		return test_run(test_suite(name, tests, sizeof(tests) / sizeof(*tests), timeout)); \
	}

/* Runs a command in a shell; returns its exit status. Output goes to ours. */
int test_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, with up to size - 1 bytes of its output kept. */
int test_shell_output(char *out, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The call must succeed; prints the error's message, hint and logs if not. */
#define ASSERT_OK(expr, err)                                                                       \
	do {                                                                                       \
		int ret_ = (expr);                                                                 \
		if (ret_ < 0)                                                                      \
			test_print_error(err);                                                     \
		ck_assert_msg(ret_ >= 0, "%s = %d", #expr, ret_);                                  \
		ck_assert_ptr_null(err);                                                           \
	} while (0)

/* The call must fail with this code and kind; its message must hold the words. Frees err. */
#define ASSERT_FAILS(expr, err, want_code, want_kind, words)                                       \
	do {                                                                                       \
		int ret_ = (expr);                                                                 \
		ck_assert_msg(ret_ == (want_code), "%s = %d, not %d: %s", #expr, ret_,             \
			      (int)(want_code), ebpfnet_error_message(err));                       \
		ck_assert_int_eq(ebpfnet_error_code(err), (want_code));                            \
		ck_assert_msg(ebpfnet_error_kind(err) == (want_kind), "kind %u, not %u: %s",       \
			      ebpfnet_error_kind(err), (unsigned int)(want_kind),                  \
			      ebpfnet_error_message(err));                                         \
		ck_assert_msg(test_error_says(err, words), "\"%s\" not in: %s (%s)", words,        \
			      ebpfnet_error_message(err),                                          \
			      ebpfnet_error_hint(err) ? ebpfnet_error_hint(err) : "no hint");      \
		ebpfnet_error_free(err);                                                           \
		(err) = NULL;                                                                      \
	} while (0)

void test_print_error(const struct ebpfnet_error *err);

/* The words are in the message or in the hint. */
bool test_error_says(const struct ebpfnet_error *err, const char *words);

/* Open descriptors of this process, to see that none leaks. */
int test_open_fds(void);

#endif /* EBPFNET_TESTS_HELPERS_H */
