/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause OR GPL-2.0-only */
#ifndef EBPFNET_TESTS_SOCKMAP_FIXTURE_H
#define EBPFNET_TESTS_SOCKMAP_FIXTURE_H

/* What the sockmap programs of sockmap.bpf.c do, and what they count: one slot per program. */

#include <linux/types.h>

enum sockmap_slot {
	SOCKMAP_MSG, /* sk_msg */
	SOCKMAP_MSG_OTHER,
	SOCKMAP_PARSER, /* sk_skb/stream_parser: one byte of length, then that many bytes */
	SOCKMAP_STREAM, /* sk_skb/stream_verdict */
	SOCKMAP_STREAM_OTHER,
	SOCKMAP_SKB, /* sk_skb/verdict */
	SOCKMAP_SKB_OTHER,
	SOCKMAP_FILTER,	      /* socket */
	SOCKMAP_FILTER_OTHER, /* keeps limit bytes */
	SOCKMAP_REUSEPORT,
	SOCKMAP_REUSEPORT_INDEX, /* type socket, the index is its result */
	SOCKMAP_SLOTS,
};

enum sockmap_action {
	SOCKMAP_PASS,
	SOCKMAP_DROP,
	SOCKMAP_TO_MAP,	 /* redirect to key of the sockmap */
	SOCKMAP_TO_HASH, /* redirect to key of the sockhash */
};

struct sockmap_policy {
	__u32 action;
	__u32 key;
	__u32 ingress; /* redirect into the receive queue of that socket, not out through it */
	__u32 limit;   /* of a socket filter: bytes kept; of reuseport: the index chosen */
};

struct sockmap_count {
	__u64 runs;
	__u64 bytes;
};

#endif /* EBPFNET_TESTS_SOCKMAP_FIXTURE_H */
