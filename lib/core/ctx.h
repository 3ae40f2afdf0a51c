/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_CORE_CTX_H
#define EBPFNET_CORE_CTX_H

#include <ebpfnet/core.h>

#include "core/util.h"

/* Room for one cached answer per row of the probe table, which asserts that it fits. */
#define EBPFNET__PROBE_MAX 64

struct ebpfnet_ctx {
	unsigned int refs; /* atomic */
	uint32_t flags;
	ebpfnet_log_fn log_fn; /* NULL: silent */
	void *log_data;
	uint32_t log_level;
	char *bpffs_root;
	char *app;	  /* folder of its pins */
	char *btf_path;	  /* NULL: the running kernel's */
	char *token_path; /* NULL: none */
	/* Conclusive probe answers: 0 not asked yet, 1 yes, 2 no. Atomic; the rest is immutable. */
	unsigned char probed[EBPFNET__PROBE_MAX];
};

/* One line to the context's log; also before there is a context (then only the environment counts).
 */
void ebpfnet__log(const struct ebpfnet_ctx *ctx, uint32_t level, const char *fmt, ...)
	EBPFNET__PRINTF(3, 4);

/* The level and sink that EBPFNET_LOG asks for; level 0 if it does not. */
uint32_t ebpfnet__log_env_level(void);
void ebpfnet__log_stderr(void *data, uint32_t level, const char *line);

/* Routes libbpf's text into the call that caused it; once per process. */
void ebpfnet__libbpf_print_install(void);

#endif /* EBPFNET_CORE_CTX_H */
