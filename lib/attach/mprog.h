/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_MPROG_H
#define EBPFNET_ATTACH_MPROG_H

/* Hooks of an interface where the kernel keeps the order of programs: mprog, of TCX and netkit. */

#include "attach/link.h"
#include "attach/query.h"

struct ebpfnet__mprog_hook {
	int ifindex;
	uint32_t attach_type;
	int netns_fd; /* where the interface is; 0: the thread's own */
};

/* Where a program goes, as the options of a hook say it; at most one of the four is set. */
struct ebpfnet__mprog_place {
	uint32_t anchor; /* enum ebpfnet_anchor */
	const struct ebpfnet_link *link;
	const struct ebpfnet_program *program;
	uint32_t link_id, program_id;
	uint64_t expected_revision; /* 0: any */
};

/* What is on a hook. */
struct ebpfnet__mprog_entries {
	uint32_t *programs, *links; /* one allocation */
	uint32_t count;
	uint64_t revision;
};

static inline void ebpfnet__cleanup_entries(struct ebpfnet__mprog_entries *e)
{
	free(e->programs);
}

/* BEFORE and AFTER have exactly one anchor, the others none; fails the call if it is not so. */
int ebpfnet__mprog_check(struct ebpfnet__call *call, const struct ebpfnet__mprog_place *place);

/*
 * Makes a link, whose fd it puts into link. Returns 0 or -errno; the call has failed only if the
 * namespace was the matter. After a failure `now` has what is on the hook, to explain it with.
 */
int ebpfnet__mprog_attach(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
			  const struct ebpfnet__mprog_hook *hook,
			  const struct ebpfnet__mprog_place *place, struct ebpfnet_link *link,
			  struct ebpfnet__mprog_entries *now);

/* Fails the call for what mprog refuses: anchor, revision, room, twice; and for everything else. */
int ebpfnet__mprog_fail(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
			const struct ebpfnet__mprog_place *place,
			const struct ebpfnet__mprog_entries *now, int code);

/* Reads what is on a hook. Returns 0 or -errno, as ebpfnet__mprog_attach(). */
int ebpfnet__mprog_read(struct ebpfnet__call *call, const struct ebpfnet__mprog_hook *hook,
			struct ebpfnet__mprog_entries *out);

/* The anchor in words: "program 12 (count)", "link 7". */
void ebpfnet__mprog_label(const struct ebpfnet__mprog_place *place, char *label, size_t size);

#endif /* EBPFNET_ATTACH_MPROG_H */
