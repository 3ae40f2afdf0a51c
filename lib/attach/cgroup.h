/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_CGROUP_H
#define EBPFNET_ATTACH_CGROUP_H

/* The hooks of a cgroup, finding a cgroup, and PROG_ATTACH. */

#include <limits.h>

#include "attach/link.h"
#include "load/object.h"

/* A row of the table of hooks. */
struct ebpfnet__cgroup_hook {
	const char *name;
	const char *section; /* where libbpf looks for such a program */
	uint32_t attach_type;
	uint32_t prog_type;
	const char *min_kernel;
};

/* The row of enum ebpfnet_cgroup_hook, or NULL. */
const struct ebpfnet__cgroup_hook *ebpfnet__cgroup_hook(uint32_t hook);

/* enum ebpfnet_cgroup_hook of a kernel's attach type; 0: none that we know. */
uint32_t ebpfnet__cgroup_hook_of(uint32_t attach_type);

/*
 * Whether the kernel takes a program on a hook: 1, 0, or -errno if there is no telling. Of the same
 * type there are programs for different hooks, which nothing but the attempt tells apart.
 */
int ebpfnet__cgroup_fits(int prog_fd, uint32_t hook);

/* The hook of this call: *hook, or what the program was loaded for. Returns 0 or fails the call. */
int ebpfnet__cgroup_choose_hook(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
				uint32_t *hook);

/*
 * Opens a cgroup by a path that is absolute or below the mount point of cgroup v2. Returns an fd,
 * or fails the call.
 */
int ebpfnet__cgroup_open(struct ebpfnet__call *call, const char *path);

/* A duplicate of a caller's fd, if it is a cgroup's. Returns the fd, or fails the call. */
int ebpfnet__cgroup_adopt(struct ebpfnet__call *call, int fd);

/* Opens a cgroup by its id; -ENOENT if it is gone. Returns an fd or -errno. */
int ebpfnet__cgroup_open_id(uint64_t id);

/* The id of an open cgroup, 0 after a failure. */
uint64_t ebpfnet__cgroup_id(int fd);

/* The folder where cgroup v2 is mounted. Returns 0 or -ENOENT. */
int ebpfnet__cgroup_mount_point(char path[PATH_MAX]);

#define EBPFNET__CGROUP_PROGS_MAX 64

/* The programs of a hook of one cgroup, not of those above it, in their order. */
struct ebpfnet__cgroup_progs {
	uint32_t flags; /* BPF_F_ALLOW_*, as the first was attached */
	uint32_t count;
	uint64_t revision; /* 0 before 6.17 */
	uint32_t ids[EBPFNET__CGROUP_PROGS_MAX];
};

/* Returns 0 or -errno: -ENOENT if the cgroup is gone. */
int ebpfnet__cgroup_progs(int cgroup_fd, uint32_t hook, struct ebpfnet__cgroup_progs *progs);
bool ebpfnet__cgroup_has(const struct ebpfnet__cgroup_progs *progs, uint32_t prog_id);

/* PROG_ATTACH: programs that belong to their cgroup. */
extern const struct ebpfnet__link_way ebpfnet__way_cgroup_prog;

/* Opens the cgroup of a link that comes from a pinned record. Returns 0 or fails the call. */
int ebpfnet__cgroup_reopen(struct ebpfnet__call *call, struct ebpfnet_link *link, const char *path);

#endif /* EBPFNET_ATTACH_CGROUP_H */
