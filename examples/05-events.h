/* SPDX-License-Identifier: 0BSD */
/* What 05-events.bpf.c sends and 05-events.c prints. */
#include <ebpfnet/bpf/parse.h>

struct event {
	__u64 time; /* ns, CLOCK_MONOTONIC */
	__u32 ifindex;
	__u32 reserved;
	struct ebpfnet_pkt pkt; /* its headers, parsed */
};
