/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_LOAD_PIN_H
#define EBPFNET_LOAD_PIN_H

/* What programs, maps and links share: info by fd, and pins in bpffs. */

#include <limits.h>
#include <stddef.h>

#include "core/error.h"

enum ebpfnet__bpf_noun {
	EBPFNET__NOUN_OTHER,
	EBPFNET__NOUN_PROGRAM,
	EBPFNET__NOUN_MAP,
	EBPFNET__NOUN_LINK
};

/* bpf_prog_info, bpf_map_info, bpf_link_info of an fd. Returns 0 or -errno. */
int ebpfnet__info_by_fd(int fd, void *info, size_t size);

/* Program, map, link, or something that is none of them. */
enum ebpfnet__bpf_noun ebpfnet__fd_noun(int fd);

/* A duplicate of a caller's fd, if it is what it should be. Returns the fd, or fails the call. */
int ebpfnet__fd_adopt(struct ebpfnet__call *call, int fd, enum ebpfnet__bpf_noun want);

/*
 * The absolute path of a pin: a relative one is below BPFFS/ebpfnet/APPLICATION/NETNS, where NETNS is
 * the inode of the namespace (0: the thread's own).
 */
int ebpfnet__pin_path(struct ebpfnet__call *call, const char *path, uint64_t netns,
		      char full[PATH_MAX]);

/* Pins an fd, making missing folders; a failure leaves nothing behind. */
int ebpfnet__pin_fd(struct ebpfnet__call *call, int fd, const char *path);

/* Opens a pin; NOUN_OTHER takes whatever is there. Returns the fd, or fails the call. */
int ebpfnet__pin_get(struct ebpfnet__call *call, const char *path, enum ebpfnet__bpf_noun want);

/* Removes a pin, and only a pin. */
int ebpfnet__pin_remove(struct ebpfnet__call *call, const char *path);

#endif /* EBPFNET_LOAD_PIN_H */
