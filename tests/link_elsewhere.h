/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_LINK_ELSEWHERE_H
#define EBPFNET_TESTS_LINK_ELSEWHERE_H

/*
 * A process of its own that opens the pin of a link: forked and executed, it shares nothing with the
 * test but the kernel.
 */

#include <sys/types.h>

#include "link_kinds.h"

#define LINK_REFUSED 10
#define LINK_ODD 11

/* Where the test of a process pins its link; static buffer. */
const char *link_pin_of(pid_t pid);

/*
 * Opens this process's pin there, compares what info says (now: the program's id), and acts: "look",
 * "update" to the program of id next, or "detach" and unpin. Returns 0, LINK_REFUSED (NOT_SUPPORTED)
 * or LINK_ODD, which is printed.
 */
int link_elsewhere(const struct link_kind *kind, const char *act, uint32_t now, uint32_t next);

/* What main() of the test begins with: the exit status if this is the other process, else -1. */
int link_elsewhere_main(int argc, char **argv);

#endif /* EBPFNET_TESTS_LINK_ELSEWHERE_H */
