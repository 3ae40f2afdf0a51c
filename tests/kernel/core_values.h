/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause OR GPL-2.0-only */
#ifndef EBPFNET_TESTS_CORE_VALUES_H
#define EBPFNET_TESTS_CORE_VALUES_H

/* What core_values.bpf.c hands to core_test.c. */

#include <linux/types.h>

/* Indices of the map "answers". */
enum answer {
	ANSWER_FIELD_PRESENT,
	ANSWER_FIELD_ABSENT,
	ANSWER_TYPE_PRESENT,
	ANSWER_TYPE_ABSENT,
	ANSWER_ENUM_PRESENT,
	ANSWER_ENUM_ABSENT,
	ANSWER_ENUM_VALUE,
	ANSWER_GUARDED, /* read behind a check for a field that no kernel has */
	ANSWER_KSYM_PRESENT,
	ANSWER_KSYM_ABSENT,
	ANSWER_COUNT,
};

enum source { SOURCE_NETFILTER, SOURCE_TRACEPOINT };

/* Key of the map "lengths"; its value counts the packets. */
struct length {
	__u32 source; /* enum source */
	__u32 family; /* NFPROTO_IPV4 or NFPROTO_IPV6 */
	__u32 len;    /* sk_buff.len */
};

/* What iter/tcp writes per socket. */
struct tcp_line {
	__u16 family;
	__u16 num;   /* the local port, host order */
	__u16 dport; /* the peer's, network order */
	__u16 state; /* TCP_ESTABLISHED... */
};

#endif /* EBPFNET_TESTS_CORE_VALUES_H */
