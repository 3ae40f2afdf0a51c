// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* libbpf's words, brought to the call that caused them. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "core/ctx.h"
#include "core/error.h"

static libbpf_print_fn_t previous_print;

/*
 * libbpf explains itself only through one process-wide callback. While this thread is inside a call
 * of ours, the text belongs to that call's error; everything else goes where it went before.
 */
static int libbpf_trampoline(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	struct ebpfnet__call *call = ebpfnet__call_current();
	char text[2048];

	if (!call)
		return previous_print ? previous_print(level, fmt, ap) : 0;
	if (level == LIBBPF_DEBUG && (!call->ctx || call->ctx->log_level < EBPFNET_LOG_DEBUG))
		return 0;
	vsnprintf(text, sizeof(text), fmt, ap);
	if (level == LIBBPF_WARN)
		ebpfnet__call_append_libbpf(call, text);
	text[strcspn(text, "\n")] = '\0';
	ebpfnet__log(call->ctx, EBPFNET_LOG_DEBUG, "%s", text);
	return 0;
}

static void install(void)
{
	previous_print = libbpf_set_print(libbpf_trampoline);
}

void ebpfnet__libbpf_print_install(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install);
}
