/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_LOAD_LOGS_H
#define EBPFNET_LOAD_LOGS_H

#include <bpf/libbpf.h>

#include "core/util.h"

/* One verifier log buffer for each program of an object. */
struct ebpfnet__logs {
	char *area;
	size_t count;
};

/* Gives every program of an object its buffer. Returns 0 or -errno. */
int ebpfnet__logs_set(struct ebpfnet__logs *logs, struct bpf_object *bpf, uint32_t level);

/* The log of the program at an index, "" if it has none. */
const char *ebpfnet__logs_get(const struct ebpfnet__logs *logs, size_t index);

void ebpfnet__logs_free(struct ebpfnet__logs *logs);

static inline void ebpfnet__cleanup_logs(struct ebpfnet__logs *logs)
{
	ebpfnet__logs_free(logs);
}

#endif /* EBPFNET_LOAD_LOGS_H */
