/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_LOAD_CORE_RELOS_H
#define EBPFNET_LOAD_CORE_RELOS_H

#include <stddef.h>

#include "load/object.h"

/* What it returns other than 0 ends the list. */
typedef int (*ebpfnet__core_reloc_fn)(void *data, const struct ebpfnet_reloc *reloc);

/* Every CO-RE relocation of an object, resolved. Returns 0 or fails the call. */
int ebpfnet__core_each(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
		       ebpfnet__core_reloc_fn fn, void *data);

/* How many there are; asks nothing of the kernel. Returns 0 or fails the call. */
int ebpfnet__core_count(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
			size_t *count);

/*
 * Whether a load failed for a CO-RE relocation, and which: writes "sk_buff.nope: struct sk_buff has
 * no member nope there". program is the one that the kernel refused, NULL if it was not asked; log
 * is the verifier's, or ""; words are libbpf's, or "".
 */
bool ebpfnet__core_missing(const struct ebpfnet_object *obj, const char *program, const char *log,
			   const char *words, char *buf, size_t size);

#endif /* EBPFNET_LOAD_CORE_RELOS_H */
