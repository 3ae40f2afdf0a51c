/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_DATA_MAP_LEAVES_H
#define EBPFNET_DATA_MAP_LEAVES_H

/* A struct of BTF as the list of its innermost members, named as C names them: "slot[0].bytes". */

#include <bpf/btf.h>
#include <stdbool.h>
#include <stdlib.h>

#include <ebpfnet/load.h>

#include "core/util.h"

struct ebpfnet__map_leaf {
	char name[EBPFNET_NAME_LEN];
	uint32_t offset; /* bytes from the start of the outermost struct */
	uint32_t size;	 /* bytes */
	bool bitfield;	 /* C cannot say where it is */
};

struct ebpfnet__map_leaves {
	struct ebpfnet__map_leaf *leaves;
	size_t count;
	size_t room;
};

static inline void ebpfnet__cleanup_map_leaves(struct ebpfnet__map_leaves *leaves)
{
	free(leaves->leaves);
}

/*
 * Lists the leaves of a struct or union. Of an array of structs those of the first element stand
 * for all. Returns 0, -ENOMEM, -ENAMETOOLONG, or -EINVAL for BTF that makes no sense.
 */
int ebpfnet__map_leaves_list(const struct btf *btf, uint32_t type,
			     struct ebpfnet__map_leaves *leaves);

const struct ebpfnet__map_leaf *ebpfnet__map_leaves_find(const struct ebpfnet__map_leaves *leaves,
							 const char *name);

#endif /* EBPFNET_DATA_MAP_LEAVES_H */
