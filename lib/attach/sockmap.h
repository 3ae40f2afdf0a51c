/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_SOCKMAP_H
#define EBPFNET_ATTACH_SOCKMAP_H

/* What the two halves of sockmap programs share: attaching, and holding without a link. */

#include "attach/link.h"

/* The kernel's number of an enum ebpfnet_sockmap_hook. */
uint32_t ebpfnet__sockmap_attach_type(uint32_t hook);

/* The program of a map's slot, 0 for none. Returns 0 or -errno: the kernel tells it from 5.17. */
int ebpfnet__sockmap_query(int map_fd, uint32_t hook, uint32_t *prog_id);

/* The map of a link that was made from a record, with its program. Returns 0 or fails the call. */
int ebpfnet__sockmap_reopen(struct ebpfnet__call *call, struct ebpfnet_link *link,
			    const char *path);

#endif /* EBPFNET_ATTACH_SOCKMAP_H */
