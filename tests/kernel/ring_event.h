/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause OR GPL-2.0-only */
#ifndef EBPFNET_TESTS_KERNEL_RING_EVENT_H
#define EBPFNET_TESTS_KERNEL_RING_EVENT_H

/* What ring.bpf.c sends, and where it counts. */

#include <linux/types.h>

struct ring_event {
	__u64 number;
	__u64 check; /* ~number */
};

/* Keys of the map numbers. */
enum { RING_NEXT, RING_NEXT_OTHER, RING_TRIED, RING_NUMBERS };

#endif /* EBPFNET_TESTS_KERNEL_RING_EVENT_H */
