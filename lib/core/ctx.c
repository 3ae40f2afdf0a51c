// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "core/ctx.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "core/opts.h"

#define BPFFS_ROOT "/sys/fs/bpf"
#define KNOWN_FLAGS (EBPFNET_CTX_KEEP_LIBBPF_PRINT | EBPFNET_CTX_KEEP_MEMLOCK)

static int copy_string(const char *from, char **to)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

/* Letters, digits, '-' and '_': what is a folder in a bpffs, and stays within it. */
static size_t app_length(const char *app)
{
	return strspn(app, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
}

static int copy_app(const char *app, char **to)
{
	int ret = copy_string(app ? app : program_invocation_short_name, to);
	size_t end;

	if (ret)
		return ret;
	while ((*to)[end = app_length(*to)])
		(*to)[end] = '_';
	return 0;
}

static int check(struct ebpfnet__call *call, const struct ebpfnet_ctx_opts *o)
{
	if (o->flags & ~KNOWN_FLAGS)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "flags 0x%x has a bit that this library does not know",
				     o->flags);
	if (o->log_level > EBPFNET_LOG_DEBUG)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "log_level %u is above EBPFNET_LOG_DEBUG (%u)", o->log_level,
				     EBPFNET_LOG_DEBUG);
	if (o->app && (o->app[0] == '\0' || o->app[app_length(o->app)]))
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "app \"%s\" is not made of letters, digits, '-' and '_'",
				     o->app);
#if LIBBPF_MAJOR_VERSION == 1 && LIBBPF_MINOR_VERSION < 5
	if (o->token_path) {
		ebpfnet__hint(call, "build libebpfnet with libbpf 1.5 or later");
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "token_path needs libbpf 1.5, built with %d.%d",
				     LIBBPF_MAJOR_VERSION, LIBBPF_MINOR_VERSION);
	}
#endif
	return 0;
}

int ebpfnet_ctx_new(const struct ebpfnet_ctx_opts *opts, struct ebpfnet_ctx **out,
		    struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, NULL, err, "make a context");
	struct ebpfnet_ctx_opts o;
	struct ebpfnet_ctx *ctx;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret)
		return ret;
	ret = check(&call, &o);
	if (ret)
		return ret;
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return ebpfnet__fail_nomem(&call);
	ctx->refs = 1;
	ctx->flags = o.flags;
	ctx->log_fn = o.log_fn;
	ctx->log_data = o.log_data;
	ctx->log_level = o.log_level ? o.log_level : EBPFNET_LOG_WARN;
	if (!ctx->log_fn && ebpfnet__log_env_level()) {
		ctx->log_fn = ebpfnet__log_stderr;
		ctx->log_level = ebpfnet__log_env_level();
	}
	if (copy_string(o.bpffs_root ? o.bpffs_root : BPFFS_ROOT, &ctx->bpffs_root) ||
	    copy_string(o.btf_path, &ctx->btf_path) ||
	    copy_string(o.token_path, &ctx->token_path) || copy_app(o.app, &ctx->app)) {
		ebpfnet_ctx_unref(ctx);
		return ebpfnet__fail_nomem(&call);
	}
	if (!(o.flags & EBPFNET_CTX_KEEP_LIBBPF_PRINT))
		ebpfnet__libbpf_print_install();
	/* Process-wide in libbpf: one context that opts out opts the process out. */
	if (o.flags & EBPFNET_CTX_KEEP_MEMLOCK)
		libbpf_set_memlock_rlim(0);
	*out = ctx;
	return 0;
}

struct ebpfnet_ctx *ebpfnet_ctx_ref(struct ebpfnet_ctx *ctx)
{
	__atomic_add_fetch(&ctx->refs, 1, __ATOMIC_RELAXED);
	return ctx;
}

void ebpfnet_ctx_unref(struct ebpfnet_ctx *ctx)
{
	if (!ctx || __atomic_sub_fetch(&ctx->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(ctx->bpffs_root);
	free(ctx->btf_path);
	free(ctx->token_path);
	free(ctx->app);
	free(ctx);
}

uint32_t ebpfnet_version(void)
{
	return EBPFNET_VERSION_MAJOR << 16 | EBPFNET_VERSION_MINOR << 8 | EBPFNET_VERSION_PATCH;
}
