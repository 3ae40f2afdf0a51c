// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The context: its options, what it refuses, and how long it lives. */
#include "helpers.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "core/ctx.h"

static void ignore(void *data, uint32_t level, const char *line)
{
	(void)data;
	(void)level;
	(void)line;
}

START_TEST(defaults)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;

	unsetenv("EBPFNET_LOG");
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ck_assert_str_eq(ctx->bpffs_root, "/sys/fs/bpf");
	ck_assert_ptr_null(ctx->btf_path);
	ck_assert_ptr_null(ctx->token_path);
	ck_assert(!ctx->log_fn);
	ck_assert_uint_eq(ctx->log_level, EBPFNET_LOG_WARN);
	ck_assert_uint_eq(ctx->refs, 1);
	ebpfnet_ctx_unref(ctx);
	ebpfnet_ctx_unref(NULL);
}
END_TEST

START_TEST(strings_are_copied)
{
	char root[] = "/sys/fs/bpf/here", btf[] = "/tmp/btf";
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;

	EBPFNET_OPTS(ebpfnet_ctx_opts, o);
	o.bpffs_root = root;
	o.btf_path = btf;
	o.log_fn = ignore;
	o.log_data = root;
	o.log_level = EBPFNET_LOG_INFO;
	o.flags = EBPFNET_CTX_KEEP_LIBBPF_PRINT | EBPFNET_CTX_KEEP_MEMLOCK;
	ASSERT_OK(ebpfnet_ctx_new(&o, &ctx, &err), err);
	root[0] = btf[0] = 'X';
	ck_assert_str_eq(ctx->bpffs_root, "/sys/fs/bpf/here");
	ck_assert_str_eq(ctx->btf_path, "/tmp/btf");
	ck_assert(ctx->log_fn == ignore);
	ck_assert_ptr_eq(ctx->log_data, root);
	ck_assert_uint_eq(ctx->log_level, EBPFNET_LOG_INFO);
	ck_assert_uint_eq(ctx->flags, o.flags);
	ebpfnet_ctx_unref(ctx);
}
END_TEST

/* Every bit above those that have a name, and every level above the last. */
START_TEST(what_is_refused)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;

	for (unsigned int bit = 2; bit < 32; bit++) {
		EBPFNET_OPTS(ebpfnet_ctx_opts, o);
		o.flags = 1u << bit;
		ctx = (void *)1;
		ASSERT_FAILS(ebpfnet_ctx_new(&o, &ctx, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
			     "flags");
		ck_assert_ptr_null(ctx);
	}
	for (uint32_t level = EBPFNET_LOG_DEBUG + 1; level; level = level * 2) {
		EBPFNET_OPTS(ebpfnet_ctx_opts, o);
		o.log_level = level;
		ctx = (void *)1;
		ASSERT_FAILS(ebpfnet_ctx_new(&o, &ctx, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
			     "log_level");
		ck_assert_ptr_null(ctx);
	}
}
END_TEST

START_TEST(newer_options)
{
	struct {
		struct ebpfnet_ctx_opts known;
		uint64_t newer;
	} o;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx = (void *)1;

	memset(&o, 0, sizeof(o));
	o.known.sz = sizeof(o);
	o.newer = 1;
	ASSERT_FAILS(ebpfnet_ctx_new(&o.known, &ctx, &err), err, -E2BIG, EBPFNET_ERROR_INVALID,
		     "newer libebpfnet");
	ck_assert_ptr_null(ctx);
	o.newer = 0;
	ASSERT_OK(ebpfnet_ctx_new(&o.known, &ctx, &err), err);
	ebpfnet_ctx_unref(ctx);
	o.known.sz = 0;
	ASSERT_FAILS(ebpfnet_ctx_new(&o.known, &ctx, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "EBPFNET_OPTS");
}
END_TEST

START_TEST(token)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;

	EBPFNET_OPTS(ebpfnet_ctx_opts, o);
	o.token_path = "/sys/fs/bpf/token";
#if LIBBPF_MAJOR_VERSION == 1 && LIBBPF_MINOR_VERSION < 5
	ASSERT_FAILS(ebpfnet_ctx_new(&o, &ctx, &err), err, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
		     "libbpf 1.5");
#else
	ASSERT_OK(ebpfnet_ctx_new(&o, &ctx, &err), err);
	ck_assert_str_eq(ctx->token_path, "/sys/fs/bpf/token");
	ebpfnet_ctx_unref(ctx);
#endif
}
END_TEST

static void *take_and_give(void *ctx)
{
	for (int i = 0; i < 20000; i++)
		ebpfnet_ctx_unref(ebpfnet_ctx_ref(ctx));
	return NULL;
}

START_TEST(references)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;
	struct ebpfnet_ctx *ctx;
	pthread_t threads[4];

	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ck_assert_ptr_eq(ebpfnet_ctx_ref(ctx), ctx);
	ck_assert_uint_eq(ctx->refs, 2);
	ebpfnet_ctx_unref(ctx);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, ctx), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(ctx->refs, 1);
	/* An object outlives its maker's reference. */
	ASSERT_OK(ebpfnet_object_open_builtin(ctx, "counter", NULL, &obj, &err), err);
	ck_assert_uint_eq(ctx->refs, 2);
	ebpfnet_ctx_unref(ctx);
	ck_assert_int_eq(ebpfnet_object_set_map_entries(obj, "total", 1, NULL), 0);
	ebpfnet_object_close(obj);
}
END_TEST

START_TEST(version)
{
	ck_assert_uint_eq(ebpfnet_version(), EBPFNET_VERSION_MAJOR << 16 |
						     EBPFNET_VERSION_MINOR << 8 |
						     EBPFNET_VERSION_PATCH);
}
END_TEST

TEST_MAIN("context", 60, defaults, strings_are_copied, what_is_refused, newer_options, token,
	  references, version)
