// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "core/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/ctx.h"

struct ebpfnet_error {
	int code;
	uint32_t kind;
	char *message;
	char *hint;
	char *next_hint; /* given before the ebpfnet__fail() that will take it */
	char *min_kernel;
	char *verifier_log;
	char *libbpf_log;
	char *extack;
};

/* Out of memory must be told without memory: this one is never freed. */
static struct ebpfnet_error no_memory = {
	.code = -ENOMEM,
	.kind = EBPFNET_ERROR_SYSTEM,
	.message = (char *)"out of memory",
};

static __thread struct ebpfnet__call *current_call;

struct ebpfnet__call *ebpfnet__call_current(void)
{
	return current_call;
}

void ebpfnet__call_begin(struct ebpfnet__call *call, struct ebpfnet_ctx *ctx,
			 struct ebpfnet_error **err, const char *what, ...)
{
	va_list ap;

	assert(!err || !*err); /* an error that was not freed would be lost */
	call->ctx = ctx;
	call->out = err;
	call->error = NULL;
	call->failed = false;
	call->outer = current_call;
	current_call = call;
	va_start(ap, what);
	vsnprintf(call->what, sizeof(call->what), what, ap);
	va_end(ap);
}

static void log_error(struct ebpfnet__call *call)
{
	const struct ebpfnet_error *e = call->error;

	ebpfnet__log(call->ctx, EBPFNET_LOG_ERROR, "%s%s%s%s", e->message, e->hint ? " (" : "",
		     e->hint ? e->hint : "", e->hint ? ")" : "");
}

void ebpfnet__call_end(struct ebpfnet__call *call)
{
	int saved = errno;

	current_call = call->outer;
	if (call->failed && call->out) {
		*call->out = TAKE(call->error);
	} else if (call->failed) {
		log_error(call);
	}
	ebpfnet_error_free(call->error);
	errno = saved;
}

void ebpfnet__call_what(struct ebpfnet__call *call, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	vsnprintf(call->what, sizeof(call->what), what, ap);
	va_end(ap);
}

void ebpfnet__call_clear(struct ebpfnet__call *call)
{
	ebpfnet_error_free(call->error);
	call->error = NULL;
	call->failed = false;
}

/* The call's error, made on first use; the static one when memory is out. */
static struct ebpfnet_error *error_of(struct ebpfnet__call *call)
{
	if (!call->error) {
		call->error = calloc(1, sizeof(*call->error));
		if (!call->error)
			call->error = &no_memory;
	}
	return call->error;
}

static void set_text(struct ebpfnet__call *call, char **field, const char *text)
{
	if (call->error == &no_memory)
		return;
	free(*field);
	*field = text ? strdup(text) : NULL;
}

static const char *kind_text(uint32_t kind, int code)
{
	static const char *const texts[] = {
		[EBPFNET_ERROR_INVALID] = "invalid",
		[EBPFNET_ERROR_NOT_SUPPORTED] = "not supported",
		[EBPFNET_ERROR_PERMISSION] = "permission denied",
		[EBPFNET_ERROR_VERIFIER] = "verifier",
		[EBPFNET_ERROR_CORE] = "CO-RE",
		[EBPFNET_ERROR_NOT_FOUND] = "not found",
		[EBPFNET_ERROR_BUSY] = "busy",
		[EBPFNET_ERROR_STALE] = "stale",
		[EBPFNET_ERROR_INCOMPATIBLE] = "incompatible",
		[EBPFNET_ERROR_DEFUNCT] = "defunct",
		[EBPFNET_ERROR_INTERNAL] = "internal error",
	};

	if (kind < EBPFNET__ARRAY_SIZE(texts) && texts[kind])
		return texts[kind];
	return ebpfnet_strerror(code);
}

static uint32_t kind_of(int code)
{
	switch (-code) {
	case EPERM:
	case EACCES:
		return EBPFNET_ERROR_PERMISSION;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return EBPFNET_ERROR_NOT_FOUND;
	case EBUSY:
	case EEXIST:
		return EBPFNET_ERROR_BUSY;
	case ESTALE:
		return EBPFNET_ERROR_STALE;
	case EOPNOTSUPP:
	case ENOSYS:
		return EBPFNET_ERROR_NOT_SUPPORTED;
	case ENOLINK:
		return EBPFNET_ERROR_DEFUNCT;
	case EINVAL:
	case E2BIG:
		return EBPFNET_ERROR_INVALID;
	default:
		return EBPFNET_ERROR_SYSTEM;
	}
}

int ebpfnet__fail(struct ebpfnet__call *call, int code, uint32_t kind, const char *fmt, ...)
{
	struct ebpfnet_error *e = error_of(call);
	char *detail = NULL, *message = NULL;
	va_list ap;
	int n;

	call->failed = true;
	code = ebpfnet__errno(code);
	kind = kind ? kind : kind_of(code);
	va_start(ap, fmt);
	n = vasprintf(&detail, fmt, ap);
	va_end(ap);
	if (n >= 0) {
		n = asprintf(&message, "%s: %s: %s", call->what, kind_text(kind, code), detail);
		free(detail);
	}
	if (n < 0 || e == &no_memory) {
		free(n < 0 ? NULL : message);
		return ebpfnet__fail_nomem(call);
	}
	e->code = code;
	e->kind = kind;
	free(e->message);
	e->message = message;
	free(e->hint);
	e->hint = TAKE(e->next_hint);
	/* Before 5.19 every bpf(2) is refused to the unprivileged, also where only an id is asked for. */
	if (!e->hint && kind == EBPFNET_ERROR_PERMISSION)
		e->hint =
			strdup("CAP_SYS_ADMIN (or root); from Linux 5.8 CAP_BPF, and CAP_NET_ADMIN "
			       "for networks");
	return code;
}

int ebpfnet__fail_nomem(struct ebpfnet__call *call)
{
	ebpfnet_error_free(call->error);
	call->error = &no_memory;
	call->failed = true;
	return -ENOMEM;
}

int ebpfnet__fail_from(struct ebpfnet__call *call, struct ebpfnet_error *inner)
{
	char *message = NULL;
	int code = ebpfnet_error_code(inner);

	if (!inner || inner == &no_memory)
		return ebpfnet__fail_nomem(call);
	if (asprintf(&message, "%s: %s", call->what, inner->message) < 0) {
		ebpfnet_error_free(inner);
		return ebpfnet__fail_nomem(call);
	}
	free(inner->message);
	inner->message = message;
	ebpfnet_error_free(call->error);
	call->error = inner;
	call->failed = true;
	return code;
}

void ebpfnet__hint(struct ebpfnet__call *call, const char *fmt, ...)
{
	struct ebpfnet_error *e = error_of(call);
	char *text = NULL;
	va_list ap;

	if (e == &no_memory)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	free(e->next_hint);
	e->next_hint = text;
}

void ebpfnet__note_min_kernel(struct ebpfnet__call *call, const char *version)
{
	set_text(call, &error_of(call)->min_kernel, version);
}

void ebpfnet__note_verifier_log(struct ebpfnet__call *call, const char *log)
{
	set_text(call, &error_of(call)->verifier_log, log && *log ? log : NULL);
}

void ebpfnet__note_extack(struct ebpfnet__call *call, const char *text)
{
	set_text(call, &error_of(call)->extack, text && *text ? text : NULL);
}

const char *ebpfnet__libbpf_text(const struct ebpfnet__call *call)
{
	return call->error && call->error->libbpf_log ? call->error->libbpf_log : "";
}

#define LIBBPF_TEXT_MAX ((size_t)64 * 1024)

void ebpfnet__call_append_libbpf(struct ebpfnet__call *call, const char *text)
{
	struct ebpfnet_error *e = error_of(call);
	size_t have = e->libbpf_log ? strlen(e->libbpf_log) : 0, more = strlen(text);
	char *log;

	/* A verifier log comes through here too, whole; it has a place of its own. */
	if (e == &no_memory || have + more > LIBBPF_TEXT_MAX)
		return;
	log = realloc(e->libbpf_log, have + more + 1);
	if (!log)
		return;
	memcpy(log + have, text, more + 1);
	e->libbpf_log = log;
}

int ebpfnet_error_code(const struct ebpfnet_error *err)
{
	return err ? err->code : 0;
}

uint32_t ebpfnet_error_kind(const struct ebpfnet_error *err)
{
	return err ? err->kind : 0;
}

const char *ebpfnet_error_message(const struct ebpfnet_error *err)
{
	return err && err->message ? err->message : "no error";
}

const char *ebpfnet_error_hint(const struct ebpfnet_error *err)
{
	return err ? err->hint : NULL;
}

const char *ebpfnet_error_min_kernel(const struct ebpfnet_error *err)
{
	return err ? err->min_kernel : NULL;
}

const char *ebpfnet_error_verifier_log(const struct ebpfnet_error *err)
{
	return err ? err->verifier_log : NULL;
}

const char *ebpfnet_error_libbpf_log(const struct ebpfnet_error *err)
{
	return err ? err->libbpf_log : NULL;
}

const char *ebpfnet_error_extack(const struct ebpfnet_error *err)
{
	return err ? err->extack : NULL;
}

void ebpfnet_error_free(struct ebpfnet_error *err)
{
	if (!err || err == &no_memory)
		return;
	free(err->message);
	free(err->hint);
	free(err->next_hint);
	free(err->min_kernel);
	free(err->verifier_log);
	free(err->libbpf_log);
	free(err->extack);
	free(err);
}
