// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Who hears what: the callback, the environment, and by default nobody. */
#include "helpers.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "core/ctx.h"
#include "core/error.h"

#define LINES 64

struct heard {
	unsigned int count;
	uint32_t level[LINES];
	char line[LINES][1100];
};

static void hear(void *data, uint32_t level, const char *line)
{
	struct heard *h = data;

	if (h->count < LINES) {
		h->level[h->count] = level;
		snprintf(h->line[h->count], sizeof(h->line[0]), "%s", line);
	}
	h->count++;
}

static struct ebpfnet_ctx *ctx_of(struct heard *h, uint32_t level)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;

	EBPFNET_OPTS(ebpfnet_ctx_opts, o);
	o.log_fn = h ? hear : NULL;
	o.log_data = h;
	o.log_level = level;
	ASSERT_OK(ebpfnet_ctx_new(&o, &ctx, &err), err);
	return ctx;
}

/* What a function writes to stdout and stderr. */
static void capture(void (*fn)(void), char *out, size_t size)
{
	FILE *f = tmpfile();
	int one = dup(1), two = dup(2);
	size_t n;

	fflush(NULL);
	dup2(fileno(f), 1);
	dup2(fileno(f), 2);
	fn();
	fflush(NULL);
	dup2(one, 1);
	dup2(two, 2);
	close(one);
	close(two);
	rewind(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
}

START_TEST(levels)
{
	static struct heard h;

	for (uint32_t limit = 0; limit <= EBPFNET_LOG_DEBUG; limit++) {
		struct ebpfnet_ctx *ctx = ctx_of(&h, limit);
		uint32_t want = limit ? limit : EBPFNET_LOG_WARN;

		h.count = 0;
		for (uint32_t level = EBPFNET_LOG_ERROR; level <= EBPFNET_LOG_DEBUG; level++)
			ebpfnet__log(ctx, level, "level %u", level);
		ck_assert_uint_eq(h.count, want);
		for (uint32_t i = 0; i < want; i++) {
			char line[16];

			snprintf(line, sizeof(line), "level %u", i + 1);
			ck_assert_uint_eq(h.level[i], i + 1);
			ck_assert_str_eq(h.line[i], line);
		}
		ebpfnet_ctx_unref(ctx);
	}
}
END_TEST

START_TEST(long_lines_are_cut)
{
	static struct heard h;
	struct ebpfnet_ctx *ctx = ctx_of(&h, 0);
	char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ebpfnet__log(ctx, EBPFNET_LOG_ERROR, "%s", text);
	ck_assert_uint_eq(h.count, 1);
	ck_assert_uint_eq(strlen(h.line[0]), 1023);
	ebpfnet_ctx_unref(ctx);
}
END_TEST

/* Without err the message goes to the log, once, and its hint with it. */
START_TEST(no_err_means_one_line)
{
	static struct heard h;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx = ctx_of(&h, 0);
	struct ebpfnet_object *obj = (void *)1;

	ck_assert_int_eq(ebpfnet_object_open_mem(ctx, "no elf", 6, NULL, &obj, NULL), -ENOEXEC);
	ck_assert_ptr_null(obj);
	ck_assert_uint_eq(h.count, 1);
	ck_assert_uint_eq(h.level[0], EBPFNET_LOG_ERROR);
	ck_assert_ptr_nonnull(strstr(h.line[0], "it is not an ELF file"));
	ck_assert_ptr_nonnull(strstr(h.line[0], "(compile it with"));
	/* One public function in another: still one line, with the outer one's words. */
	ck_assert_int_eq(ebpfnet_object_open_builtin(ctx, "nope", NULL, &obj, NULL), -ENOENT);
	ck_assert_uint_eq(h.count, 2);
	/* With err nothing is logged. */
	ASSERT_FAILS(ebpfnet_object_open_mem(ctx, "no elf", 6, NULL, &obj, &err), err, -ENOEXEC,
		     EBPFNET_ERROR_INVALID, "it is not an ELF file");
	ck_assert_uint_eq(h.count, 2);
	ebpfnet_ctx_unref(ctx);
}
END_TEST

static void be_silent(void)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx = ctx_of(NULL, EBPFNET_LOG_DEBUG);
	struct ebpfnet_object *obj;

	ebpfnet_object_open_mem(ctx, "no elf", 6, NULL, &obj, NULL);
	ebpfnet_object_open_builtin(ctx, "nope", NULL, &obj, NULL);
	ASSERT_OK(ebpfnet_object_open_builtin(ctx, "counter", NULL, &obj, &err), err);
	ebpfnet_object_set_const(obj, "nope", "", 1, NULL);
	ebpfnet_object_set_map_entries(obj, "nope", 1, NULL);
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	ebpfnet__log(NULL, EBPFNET_LOG_ERROR, "before there is a context");
}

START_TEST(silent_by_default)
{
	char out[8192];

	unsetenv("EBPFNET_LOG");
	capture(be_silent, out, sizeof(out));
	ck_assert_str_eq(out, "");
	/* What is no level is no wish. */
	setenv("EBPFNET_LOG", "loud", 1);
	capture(be_silent, out, sizeof(out));
	ck_assert_str_eq(out, "");
	unsetenv("EBPFNET_LOG");
}
END_TEST

START_TEST(the_environment_asks)
{
	static struct heard h;
	struct ebpfnet_ctx *ctx;
	char out[8192];

	setenv("EBPFNET_LOG", "error", 1);
	ck_assert_uint_eq(ebpfnet__log_env_level(), EBPFNET_LOG_ERROR);
	capture(be_silent, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "libebpfnet: error: open object from memory: invalid: "));
	ck_assert_ptr_nonnull(strstr(out, "libebpfnet: error: before there is a context\n"));
	ck_assert_ptr_null(strstr(out, "debug"));
	setenv("EBPFNET_LOG", "debug", 1);
	capture(be_silent, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "libebpfnet: debug: libbpf: "));
	setenv("EBPFNET_LOG", "warn", 1);
	ck_assert_uint_eq(ebpfnet__log_env_level(), EBPFNET_LOG_WARN);
	setenv("EBPFNET_LOG", "info", 1);
	ck_assert_uint_eq(ebpfnet__log_env_level(), EBPFNET_LOG_INFO);
	/* A program that has its own log keeps it, and its level. */
	setenv("EBPFNET_LOG", "debug", 1);
	ctx = ctx_of(&h, 0);
	ebpfnet__log(ctx, EBPFNET_LOG_DEBUG, "no");
	ebpfnet__log(ctx, EBPFNET_LOG_WARN, "yes");
	ck_assert_uint_eq(h.count, 1);
	ebpfnet_ctx_unref(ctx);
	unsetenv("EBPFNET_LOG");
}
END_TEST

/* A context that is refused has no log of its own yet: the environment's gets the message. */
static void refuse(void)
{
	struct ebpfnet_ctx *ctx;

	EBPFNET_OPTS(ebpfnet_ctx_opts, o);
	o.flags = 1u << 31;
	ebpfnet_ctx_new(&o, &ctx, NULL);
}

START_TEST(a_refused_context)
{
	char out[1024];

	unsetenv("EBPFNET_LOG");
	capture(refuse, out, sizeof(out));
	ck_assert_str_eq(out, "");
	setenv("EBPFNET_LOG", "error", 1);
	capture(refuse, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "flags 0x80000000"));
	unsetenv("EBPFNET_LOG");
}
END_TEST

static void say_something_libbpf(void)
{
	/* Not a call of ours: libbpf's words go to libbpf's own callback, stderr. */
	bpf_object__close(bpf_object__open_mem("no elf", 6, NULL));
}

START_TEST(libbpf_of_others_is_left_alone)
{
	struct ebpfnet_ctx *ctx = ctx_of(NULL, 0);
	char out[1024];

	capture(say_something_libbpf, out, sizeof(out));
	ck_assert_ptr_nonnull(strstr(out, "libbpf: "));
	ebpfnet_ctx_unref(ctx);
}
END_TEST

/* In a call of ours they are the error's, and debug lines of the log. */
START_TEST(libbpf_in_a_call_of_ours)
{
	static struct heard h;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx = ctx_of(&h, EBPFNET_LOG_DEBUG);

	{
		EBPFNET__CALL(call, ctx, &err, "outer");

		ck_assert_ptr_eq(ebpfnet__call_current(), &call);
		ck_assert_str_eq(ebpfnet__libbpf_text(&call), "");
		say_something_libbpf();
		ck_assert_ptr_nonnull(strstr(ebpfnet__libbpf_text(&call), "libbpf: "));
		ebpfnet__fail(&call, -EINVAL, 0, "it failed");
	}
	ck_assert_ptr_null(ebpfnet__call_current());
	ck_assert_ptr_nonnull(strstr(ebpfnet_error_libbpf_log(err), "libbpf: "));
	ebpfnet_error_free(err);
	ck_assert_uint_gt(h.count, 0);
	for (unsigned int i = 0; i < h.count; i++) {
		ck_assert_uint_eq(h.level[i], EBPFNET_LOG_DEBUG);
		ck_assert_ptr_null(strchr(h.line[i], '\n'));
	}
	ebpfnet_ctx_unref(ctx);
}
END_TEST

TEST_MAIN("log", 60, levels, long_lines_are_cut, no_err_means_one_line, silent_by_default,
	  the_environment_asks, a_refused_context, libbpf_of_others_is_left_alone,
	  libbpf_in_a_call_of_ours)
