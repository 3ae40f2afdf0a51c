/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_CHAIN_H
#define EBPFNET_ATTACH_CHAIN_H

/*
 * A chain is a list that the kernel holds: each stage has a PROG_ARRAY, its slots, and the slot of
 * the interface holds the next stage. Nothing else remembers the order, so nothing can disagree
 * with what packets do. Below BPFFS/ebpfnet/xdp-chain/NETNS/IFINDEX/ are pinned
 *
 *	root	what is attached to the interface: a link
 *	slots	the root's slots
 *	ID	the slots of the stage with this program id, since the kernel empties a
 *		PROG_ARRAY when no descriptor and no pin holds it
 */

#include <limits.h>

#include <ebpfnet/attach.h>

#include "core/error.h"

/* The kernel allows 33 tail calls in a row (MAX_TAIL_CALL_CNT). */
#define EBPFNET__STAGES_MAX 33

#define EBPFNET__SLOTS_NAME "ebpfnet_slots"

struct ebpfnet__stage {
	uint32_t program_id;
	uint32_t slots_id; /* of its PROG_ARRAY; 0: it does not hand packets on */
	int prog_fd;
	int slots_fd; /* -1: none */
};

struct ebpfnet_chain {
	struct ebpfnet_ctx *ctx;
	int ifindex;
	int netns_fd; /* 0: the opening thread's own */
	uint32_t mode;
	uint32_t slots; /* of a root that is made */
	char folder[PATH_MAX];
	char name[16]; /* of the interface */
};

/* A chain as the kernel has it, while the folder's lock is held. */
struct ebpfnet__chain_view {
	const struct ebpfnet_chain *chain;
	int lock;
	int root_slots; /* -1: there is no chain */
	size_t count;
	struct ebpfnet__stage stages[EBPFNET__STAGES_MAX];
};

/* Reads a chain. Returns 0 or fails the call; end with ebpfnet__chain_view_end() in both cases. */
int ebpfnet__chain_view(struct ebpfnet__call *call, const struct ebpfnet_chain *chain,
			struct ebpfnet__chain_view *view);
void ebpfnet__chain_view_end(struct ebpfnet__chain_view *view);

/* Waits until every packet has left the programs it is in now. False: it cannot be known. */
bool ebpfnet__chain_wait(void);

/* What a program would be as a stage; end with ebpfnet__stage_end(). Returns 0 or fails the call. */
int ebpfnet__stage_of(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
		      struct ebpfnet__stage *stage);
void ebpfnet__stage_end(struct ebpfnet__stage *stage);

/* Makes a chain's folder, and locks it until the fd is closed. Returns the fd or fails the call. */
int ebpfnet__chain_lock(struct ebpfnet__call *call, const struct ebpfnet_chain *chain);

/* Makes and attaches the root, whose slot is `first` already: no packet meets an empty chain. */
int ebpfnet__chain_root_make(struct ebpfnet__call *call, const struct ebpfnet_chain *chain,
			     const struct ebpfnet_program *first, int *root_slots);
/* Detaches the root. */
int ebpfnet__chain_root_remove(struct ebpfnet__call *call, const struct ebpfnet_chain *chain);

#endif /* EBPFNET_ATTACH_CHAIN_H */
