/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_LOAD_EXPLAIN_H
#define EBPFNET_LOAD_EXPLAIN_H

#include "load/logs.h"
#include "load/object.h"

/* Fails the call with the reason why an object did not load. Returns its code. */
int ebpfnet__explain_load(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
			  struct bpf_object *bpf, int code, const struct ebpfnet__logs *logs);

#endif /* EBPFNET_LOAD_EXPLAIN_H */
