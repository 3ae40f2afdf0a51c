/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_LINK_LIFE_H
#define EBPFNET_TESTS_LINK_LIFE_H

/*
 * The life of a link that is a bpf_link, whatever its hook: attach, info, update, compare-and-swap,
 * pin, reopen and use in another process, detach, close, fork, kill -9. After every step real
 * traffic says whether the program is in force.
 */

#include "helpers.h"

struct link_life {
	struct ebpfnet_ctx *ctx;
	uint32_t kind; /* enum ebpfnet_link_kind */
	uint32_t via;
	/* One that shows and one that does not, of the same type; and one of another type. */
	struct ebpfnet_program *active, *idle, *alien;
	int (*attach)(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		      struct ebpfnet_error **err);
	bool (*in_force)(void);
	bool keeps_program; /* update is refused: EOPNOTSUPP, NOT_SUPPORTED */
	int netns_fd;	    /* of the hook, for reopening; 0: none, or this thread's */
};

void test_link_life(const struct link_life *life);

#endif /* EBPFNET_TESTS_LINK_LIFE_H */
