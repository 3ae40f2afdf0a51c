/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_DATA_MAP_TYPES_H
#define EBPFNET_DATA_MAP_TYPES_H

/* The BTF of a map's key and value, wherever it can be had. */

#include <bpf/btf.h>

#include "load/object.h"

struct ebpfnet__map_types {
	const struct btf *btf; /* NULL: none */
	struct btf *owned;     /* the same if it was fetched for this, else NULL */
	uint32_t key;	       /* type ids in btf; 0: not known */
	uint32_t value;
};

/*
 * Finds them; a map without BTF leaves all at 0. Returns 0, -EPERM when the kernel does not show
 * it, -ENOMEM, or what reading it gives.
 */
int ebpfnet__map_types_get(const struct ebpfnet_map *map, struct ebpfnet__map_types *types);

static inline void ebpfnet__cleanup_map_types(struct ebpfnet__map_types *types)
{
	btf__free(types->owned);
}

/* For the unit test: key and value of a map from its definition in an object's .maps section. */
int ebpfnet__map_types_of_object(const struct btf *btf, const char *name,
				 struct ebpfnet__map_types *types);

#endif /* EBPFNET_DATA_MAP_TYPES_H */
