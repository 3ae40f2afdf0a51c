/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_CORE_ERROR_H
#define EBPFNET_CORE_ERROR_H

/*
 * How a public function fails. Each one that takes `err` opens with
 *
 *	EBPFNET__CALL(call, ctx, err, "attach xdp %s", name);
 *
 * and every helper below it takes that call. A failure is one line:
 *
 *	return ebpfnet__fail(&call, -EBUSY, EBPFNET_ERROR_BUSY, "program %u is attached", id);
 *
 * Hints and logs are given before ebpfnet__fail(), which takes them along. When the public function
 * returns, the error goes to the caller's *err, or once to the log if the caller has none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ebpfnet/core.h>

#include "core/util.h"

struct ebpfnet__call {
	struct ebpfnet_ctx *ctx;     /* borrowed; NULL while a context is being made */
	struct ebpfnet_error **out;  /* the caller's err */
	struct ebpfnet_error *error; /* of this call so far */
	struct ebpfnet__call *outer; /* the call of ours on this thread that made this one */
	bool failed;
	char what[208];
};

#define EBPFNET__CALL(call, ctx, err, ...)                                                         \
	__attribute__((cleanup(ebpfnet__call_end))) struct ebpfnet__call call;                     \
	ebpfnet__call_begin(&call, ctx, err, __VA_ARGS__)

void ebpfnet__call_begin(struct ebpfnet__call *call, struct ebpfnet_ctx *ctx,
			 struct ebpfnet_error **err, const char *what, ...) EBPFNET__PRINTF(4, 5);
void ebpfnet__call_end(struct ebpfnet__call *call);

/* What the call is about, once more is known: "attach xdp eth0" instead of "attach xdp ifindex 3".
 */
void ebpfnet__call_what(struct ebpfnet__call *call, const char *what, ...) EBPFNET__PRINTF(2, 3);

/* Forgets a failure that a fallback made good. */
void ebpfnet__call_clear(struct ebpfnet__call *call);

/*
 * Fails the call: code is -errno, or one of libbpf's codes, which are translated. A kind of 0
 * stands for the one that the errno suggests. Returns the code that the public function shall
 * return.
 */
int ebpfnet__fail(struct ebpfnet__call *call, int code, uint32_t kind, const char *fmt, ...)
	EBPFNET__PRINTF(4, 5);

/* -ENOMEM, whatever was to be said. */
int ebpfnet__fail_nomem(struct ebpfnet__call *call);

/* Fails the call with the error that a public function below gave; takes it. Returns its code. */
int ebpfnet__fail_from(struct ebpfnet__call *call, struct ebpfnet_error *inner);

/* Details for the ebpfnet__fail() that follows. Texts are copied. */
void ebpfnet__hint(struct ebpfnet__call *call, const char *fmt, ...) EBPFNET__PRINTF(2, 3);
void ebpfnet__note_min_kernel(struct ebpfnet__call *call, const char *version);
void ebpfnet__note_verifier_log(struct ebpfnet__call *call, const char *log);
void ebpfnet__note_extack(struct ebpfnet__call *call, const char *text);

/* What libbpf printed during this call so far, or "". */
const char *ebpfnet__libbpf_text(const struct ebpfnet__call *call);

/* 524 and libbpf's 4000s as an errno that C programs know; everything else as it is. Negative. */
int ebpfnet__errno(int code);

/* The innermost call of ours on this thread, or NULL; for the libbpf trampoline. */
struct ebpfnet__call *ebpfnet__call_current(void);
void ebpfnet__call_append_libbpf(struct ebpfnet__call *call, const char *text);

#endif /* EBPFNET_CORE_ERROR_H */
