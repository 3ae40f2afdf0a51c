/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_CORE_OPTS_H
#define EBPFNET_CORE_OPTS_H

/* Structs that carry their size across the ABI: options in, reports out. */

#include <stddef.h>

#include "core/error.h"

/*
 * Copies the caller's options into one of our own size: missing fields are zero, an unknown tail
 * must be. NULL is all zero. Returns 0 or fails the call with -EINVAL or -E2BIG.
 */
int ebpfnet__opts_copy(struct ebpfnet__call *call, const void *user, void *ours, size_t size);

/* EBPFNET__OPTS_COPY(&call, user, &ours) */
#define EBPFNET__OPTS_COPY(call, user, ours) ebpfnet__opts_copy(call, user, ours, sizeof(*(ours)))

/*
 * Fills a caller's output struct from ours: min(sz) bytes, the rest of the caller's cleared, its sz
 * kept. Returns 0, or -EINVAL when sz is too small to hold sz itself.
 */
int ebpfnet__out_fill(void *user, const void *ours, size_t size);

#define EBPFNET__OUT_FILL(user, ours) ebpfnet__out_fill(user, ours, sizeof(*(ours)))

#endif /* EBPFNET_CORE_OPTS_H */
