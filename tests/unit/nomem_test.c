// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Every allocation made to fail once, those of libbpf and libelf too: the call says -ENOMEM or
 * succeeds, and loses nothing (the leak checker sees that at the end).
 */
#include "helpers.h"

#include <errno.h>
#include <string.h>

#include "core/util.h"

/* Allocations until the one that fails; negative: none does. */
static long countdown = -1;
static bool failed;

/* Called by a sanitizer's runtime before it is ready itself. */
#define PLAIN __attribute__((no_sanitize("address"), no_sanitize("undefined")))
/* The libraries shall find it too. */
#define WRAPPER __attribute__((visibility("default"))) PLAIN

/* The allocator below: a sanitizer's if there is one, else the C library's. */
extern void *__interceptor_malloc(size_t size) __attribute__((weak));
extern void *__interceptor_calloc(size_t n, size_t size) __attribute__((weak));
extern void *__interceptor_realloc(void *p, size_t size) __attribute__((weak));
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static PLAIN bool fails(void)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

WRAPPER void *malloc(size_t size)
{
	if (fails())
		return NULL;
	return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

WRAPPER void *calloc(size_t n, size_t size)
{
	if (fails())
		return NULL;
	return __interceptor_calloc ? __interceptor_calloc(n, size) : __libc_calloc(n, size);
}

WRAPPER void *realloc(void *p, size_t size)
{
	if (fails())
		return NULL;
	return __interceptor_realloc ? __interceptor_realloc(p, size) : __libc_realloc(p, size);
}

WRAPPER void *reallocarray(void *p, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, n * size);
}

/* A sanitizer's own strdup() does not come by malloc(). */
WRAPPER char *strdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = malloc(size);

	return copy ? memcpy(copy, s, size) : NULL;
}

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *object;
static char *bytes;
static size_t bytes_size;

/* A step that is tried with every one of its allocations failing. Returns what the call does. */
typedef int (*step_fn)(struct ebpfnet_error **err);

/* Check allocates too. */
#define NOTHING_UNLESS_OK(out)                                                                     \
	do {                                                                                       \
		countdown = -1;                                                                    \
		ck_assert(ret == 0 || !(out));                                                     \
	} while (0)

static int make_context(struct ebpfnet_error **err)
{
	struct ebpfnet_ctx *made;
	int ret;

	EBPFNET_OPTS(ebpfnet_ctx_opts, o);
	o.bpffs_root = "/sys/fs/bpf/x";
	o.btf_path = "/tmp/btf";
	ret = ebpfnet_ctx_new(&o, &made, err);
	NOTHING_UNLESS_OK(made);
	ebpfnet_ctx_unref(made);
	return ret;
}

static int open_memory(struct ebpfnet_error **err)
{
	struct ebpfnet_object *obj;
	int ret;

	EBPFNET_OPTS(ebpfnet_object_opts, o);
	o.name = "counter";
	ret = ebpfnet_object_open_mem(ctx, bytes, bytes_size, &o, &obj, err);
	NOTHING_UNLESS_OK(obj);
	ebpfnet_object_close(obj);
	return ret;
}

static int open_file(struct ebpfnet_error **err)
{
	struct ebpfnet_object *obj;
	int ret = ebpfnet_object_open_file(ctx, test_built("bpf/counter.bpf.o"), NULL, &obj, err);

	NOTHING_UNLESS_OK(obj);
	ebpfnet_object_close(obj);
	return ret;
}

static int open_builtin(struct ebpfnet_error **err)
{
	struct ebpfnet_object *obj;
	int ret = ebpfnet_object_open_builtin(ctx, "counter", NULL, &obj, err);

	NOTHING_UNLESS_OK(obj);
	ebpfnet_object_close(obj);
	return ret;
}

static int set_constant(struct ebpfnet_error **err)
{
	uint32_t key = 1;

	return ebpfnet_object_set_const(object, "counter_key", &key, sizeof(key), err);
}

static int set_entries(struct ebpfnet_error **err)
{
	return ebpfnet_object_set_map_entries(object, "address4", 100, err);
}

static int find_map(struct ebpfnet_error **err)
{
	struct ebpfnet_map *map;

	return ebpfnet_object_map(object, "total", &map, err);
}

/* Steps that fail anyway must say so, or that memory is out. */
static int want;

static int set_no_constant(struct ebpfnet_error **err)
{
	return ebpfnet_object_set_const(object, "counter_kei", "", 1, err);
}

static int find_no_map(struct ebpfnet_error **err)
{
	struct ebpfnet_map *map;
	int ret = ebpfnet_object_map(object, "totl", &map, err);

	NOTHING_UNLESS_OK(map);
	return ret;
}

static int open_no_builtin(struct ebpfnet_error **err)
{
	struct ebpfnet_object *obj;

	return ebpfnet_object_open_builtin(ctx, "nope", NULL, &obj, err);
}

static int open_no_elf(struct ebpfnet_error **err)
{
	struct ebpfnet_object *obj;

	return ebpfnet_object_open_mem(ctx, "no elf", 6, NULL, &obj, err);
}

static void try_all(const char *name, step_fn step)
{
	long n;

	for (n = 0; n < 100000; n++) {
		struct ebpfnet_error *err = NULL;
		int ret;

		failed = false;
		countdown = n;
		ret = step(&err);
		countdown = -1;
		ck_assert_msg(ret == want || ret == -ENOMEM, "%s, allocation %ld: %d: %s", name, n,
			      ret, ebpfnet_error_message(err));
		ck_assert_msg((ret == 0) == !err, "%s, allocation %ld: %d with%s error", name, n,
			      ret, err ? "" : "out");
		ck_assert_int_eq(ebpfnet_error_code(err), ret);
		if (!failed) {
			ck_assert_int_eq(ret, want);
			ebpfnet_error_free(err);
			break;
		}
		ebpfnet_error_free(err);
	}
	/* Nothing failed: the loop would prove nothing. */
	printf("%s: %ld allocations\n", name, n);
	ck_assert_int_lt(n, 100000);
}

START_TEST(calls_that_succeed)
{
	want = 0;
	try_all("make a context", make_context);
	try_all("open memory", open_memory);
	try_all("open a file", open_file);
	try_all("open a builtin", open_builtin);
	try_all("set a constant", set_constant);
	try_all("set entries", set_entries);
	try_all("find a map", find_map);
}
END_TEST

START_TEST(calls_that_fail)
{
	want = -ENOENT;
	try_all("no such constant", set_no_constant);
	try_all("no such map", find_no_map);
	try_all("no such builtin", open_no_builtin);
	want = -ENOEXEC;
	try_all("no ELF", open_no_elf);
}
END_TEST

static void no_line(void *data, uint32_t level, const char *line)
{
	(void)data;
	(void)level;
	(void)line;
}

/* Without err, where the log needs the message that could not be made. */
START_TEST(without_err)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;
	struct ebpfnet_ctx *loud;

	EBPFNET_OPTS(ebpfnet_ctx_opts, o);
	o.log_fn = no_line;
	o.log_level = EBPFNET_LOG_DEBUG;
	ASSERT_OK(ebpfnet_ctx_new(&o, &loud, &err), err);
	for (long n = 0; n < 8; n++) {
		int ret;

		countdown = n;
		ret = ebpfnet_object_open_mem(loud, "no elf", 6, NULL, &obj, NULL);
		countdown = -1;
		ck_assert(ret == -ENOMEM || ret == -ENOEXEC);
	}
	ebpfnet_ctx_unref(loud);
}
END_TEST

/* The switch works: else all of the above shows nothing. */
START_TEST(the_wrapper_fails_what_it_should)
{
	char *volatile p;

	for (long n = 0; n < 3; n++) {
		countdown = n;
		for (long i = 0; i <= n; i++) {
			long rest;

			p = i % 2 ? strdup("x") : malloc(1);
			/* Check allocates too. */
			rest = countdown;
			countdown = -1;
			ck_assert_msg(!p == (i == n), "allocation %ld of %ld", i, n);
			free(p);
			countdown = rest;
		}
		countdown = -1;
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { the_wrapper_fails_what_it_should, calls_that_succeed,
				       calls_that_fail, without_err };
	struct ebpfnet_error *err = NULL;
	int ret;

	if (ebpfnet_ctx_new(NULL, &ctx, &err) ||
	    ebpfnet_object_open_builtin(ctx, "counter", NULL, &object, &err) ||
	    ebpfnet__file_read(test_built("bpf/counter.bpf.o"), 1u << 20, &bytes, &bytes_size)) {
		test_print_error(err);
		return 1;
	}
	ret = test_run(test_suite("no memory", tests, sizeof(tests) / sizeof(*tests), 200));
	ebpfnet_object_close(object);
	ebpfnet_ctx_unref(ctx);
	free(bytes);
	return ret;
}
