/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_LINK_H
#define EBPFNET_ATTACH_LINK_H

/*
 * What every hook shares. A hook's file finds out where and how to attach, explains a refusal, and
 * hands over a filled link; from then on link.c serves it through one of the ways below.
 */

#include <linux/bpf.h>
#include <sys/types.h>

#include <ebpfnet/attach.h>

#include "core/error.h"

struct ebpfnet_link;

/* One way of holding a program on a hook. Functions return 0, or fail the call. */
struct ebpfnet__link_way {
	/* Replaces the program; expected_fd -1 is any, and another one attached is -ESTALE. */
	int (*update)(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd,
		      int expected_fd);
	int (*detach)(struct ebpfnet__call *call, struct ebpfnet_link *link);
	/* Fills id, program_id, ifindex, defunct. */
	int (*info)(struct ebpfnet__call *call, const struct ebpfnet_link *link,
		    struct ebpfnet_link_info *info);
	int (*pin)(struct ebpfnet__call *call, struct ebpfnet_link *link, const char *path);
	int (*unpin)(struct ebpfnet__call *call, struct ebpfnet_link *link);
	/* Whether the attachment ends by itself with the last descriptor. */
	bool by_fd;
	/* The kernel cannot compare when it replaces: a caller's expected program is refused. */
	bool no_compare;
};

struct ebpfnet_link {
	struct ebpfnet_ctx *ctx;
	const struct ebpfnet__link_way *way;
	uint32_t kind;
	uint32_t via;
	uint32_t mode;	/* of XDP */
	uint32_t flags; /* XDP_FLAGS_*_MODE, over netlink */
	uint32_t hook;	/* as struct ebpfnet_link_info has it */
	uint32_t family;
	int32_t priority;
	uint32_t handle;
	uint64_t netns_inode; /* of a hook of a namespace, whose link needs no netns_fd; else 0 */
	int ifindex;
	int target_fd;	 /* what a program is attached to where no link holds it: cgroup, map; -1 */
	int fd;		 /* of a bpf_link, else -1 */
	int prog_fd;	 /* the program as this handle last saw it; -1: not known */
	int record_fd;	 /* attach/record.h; -1: none */
	uint64_t target; /* what target_fd is on, for the record */
	int sock_fd;	 /* the caller's own descriptor of a socket, unless target_fd is one */
	uint64_t cookie; /* of that socket: a number is not reused as a descriptor is */
	int netns_fd;	 /* where the interface is; 0: the opening thread's own */
	pid_t owner;	 /* a forked child never detaches */
	bool detached;
	char *pin; /* absolute path, NULL: not pinned */
};

/* A link that is attached to nothing yet. NULL: told. netns_fd is duplicated. */
struct ebpfnet_link *ebpfnet__link_new(struct ebpfnet__call *call, uint32_t kind, int ifindex,
				       int netns_fd);

/* Frees a handle and leaves the attachment as it is. */
void ebpfnet__link_free(struct ebpfnet_link *link);

static inline void ebpfnet__cleanup_link(struct ebpfnet_link **link)
{
	if (*link)
		ebpfnet__link_free(*link);
}

/* The way of every bpf_link. */
extern const struct ebpfnet__link_way ebpfnet__way_bpf_link;

/* What kind a bpf_link is of, and its facts that never change: kind, via, hook, ifindex, ... */
void ebpfnet__bpf_link_facts(const struct bpf_link_info *info, struct ebpfnet_link *link);

/* XDP over netlink, and TC by filters of a clsact qdisc. */
extern const struct ebpfnet__link_way ebpfnet__way_xdp_netlink;
extern const struct ebpfnet__link_way ebpfnet__way_clsact;

/* Sockmap programs by BPF_PROG_ATTACH. */
extern const struct ebpfnet__link_way ebpfnet__way_sockmap_prog;

/* Programs of one socket, by setsockopt(2). */
extern const struct ebpfnet__link_way ebpfnet__way_socket;

/* The mode in which an interface runs a program of this id; NATIVE if it runs none. */
uint32_t ebpfnet__xdp_mode_of(struct ebpfnet__call *call, int netns_fd, int ifindex,
			      uint32_t prog_id);

/* Looks for a link in the whole kernel: its id, 0 if none matches. info is then that link's. */
uint32_t ebpfnet__link_find(bool (*match)(const struct bpf_link_info *info, const void *data),
			    const void *data, struct bpf_link_info *info);

/* Program id of an fd, 0 if it has none. */
uint32_t ebpfnet__program_id(int prog_fd);

/* "program 12 (drop_all)": the name only if the kernel tells it. */
void ebpfnet__program_label(uint32_t id, char *label, size_t size);

#endif /* EBPFNET_ATTACH_LINK_H */
