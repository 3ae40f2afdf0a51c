/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_LINK_KINDS_H
#define EBPFNET_TESTS_LINK_KINDS_H

/*
 * A place for every kind of link and way of holding it: where its programs go, one that shows in
 * real traffic and one that does not, and how to take it away without the library. The columns of
 * doc/OWNERSHIP.md's table are tried on each of them (link_cells.h).
 */

#include "helpers.h"

/* What a kind's begin() sets up. */
struct link_site {
	struct ebpfnet_ctx *ctx;
	struct ebpfnet_object *obj, *xdp;
	/* One that shows and one that does not, of the same type; and one of another type. */
	struct ebpfnet_program *active, *idle, *alien;
	struct ebpfnet_link_info want; /* what info says of the place: ifindex, hook, family, ids */
	int netns_fd;		       /* for reopening; 0: this thread's */
};

extern struct link_site link_site;

struct link_kind {
	const char *row; /* the first cell of its row: kind and way */
	uint32_t kind;	 /* enum ebpfnet_link_kind */
	uint32_t via;
	const char *(*lacks)(void); /* what this kernel has not, or NULL; may be NULL itself */
	void (*begin)(void);
	void (*end)(void); /* also after gone() */
	int (*attach)(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		      struct ebpfnet_error **err);
	bool (*in_force)(void); /* by what traffic does, not by what the library says */
	/* Takes away what is attached as another tool does; NULL: it takes a descriptor. */
	void (*take_away)(void);
	/* Removes what the program is attached to; NULL: the link itself keeps that alive. */
	void (*gone)(void);
	/* Taken away, or replaced through another handle: it cannot tell, and detach says STALE. */
	bool stale_when_taken;
	bool (*blind)(void); /* true: a kernel that cannot say whether it is defunct */
};

extern const struct link_kind *const link_kinds[];
extern const unsigned int link_kinds_count;

/* Context, programs and an object of another type; "tc" and so on as test_object() has them. */
void link_site_open(const char *object, const char *active, const char *idle);
void link_site_close(void);

/* The inode of a namespace by its descriptor, which is its number in infos. */
uint64_t link_site_inode(int netns_fd);

/* NULL if the kernel has a feature, else what it is called. */
const char *link_site_lacks(uint32_t feature, const char *name);

/* Of link_kinds_local.c: what needs no second namespace. */
extern const struct link_kind link_cgroup_link, link_cgroup_prog, link_sockmap_link,
	link_sockmap_prog, link_socket;

#endif /* EBPFNET_TESTS_LINK_KINDS_H */
