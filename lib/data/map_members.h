/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_DATA_MAP_MEMBERS_H
#define EBPFNET_DATA_MAP_MEMBERS_H

/* A C program's type against the BTF of a map's key or value. */

#include <bpf/btf.h>

#include <ebpfnet/data.h>

#include "core/error.h"

struct ebpfnet__map_side {
	const char *name;			  /* "key" or "value", for messages */
	const struct ebpfnet_map_member *members; /* as the C program lists them */
	size_t count;
	uint32_t size;	   /* in the C program */
	uint32_t map_size; /* in the map */
};

/*
 * Fails the call unless they agree. btf may be NULL and type 0: then only sizes are compared. What
 * is missing is told before what has moved: a new member at the front moves all that come after it.
 */
int ebpfnet__map_side_check(struct ebpfnet__call *call, const struct ebpfnet__map_side *side,
			    const struct btf *btf, uint32_t type);

#endif /* EBPFNET_DATA_MAP_MEMBERS_H */
