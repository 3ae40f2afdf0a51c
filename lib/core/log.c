// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/ctx.h"

static const char *const level_names[] = {
	[EBPFNET_LOG_ERROR] = "error",
	[EBPFNET_LOG_WARN] = "warn",
	[EBPFNET_LOG_INFO] = "info",
	[EBPFNET_LOG_DEBUG] = "debug",
};

uint32_t ebpfnet__log_env_level(void)
{
	const char *want = secure_getenv("EBPFNET_LOG");

	for (uint32_t i = EBPFNET_LOG_ERROR; want && i <= EBPFNET_LOG_DEBUG; i++)
		if (strcmp(want, level_names[i]) == 0)
			return i;
	return 0;
}

void ebpfnet__log_stderr(void *data, uint32_t level, const char *line)
{
	(void)data;
	fprintf(stderr, "libebpfnet: %s: %s\n", level_names[level], line);
}

void ebpfnet__log(const struct ebpfnet_ctx *ctx, uint32_t level, const char *fmt, ...)
{
	ebpfnet_log_fn fn = ctx ? ctx->log_fn : ebpfnet__log_stderr;
	uint32_t limit = ctx ? ctx->log_level : ebpfnet__log_env_level();
	char line[1024];
	va_list ap;

	if (!fn || level > limit)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fn(ctx ? ctx->log_data : NULL, level, line);
}
