/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause OR GPL-2.0-only */
#ifndef EBPFNET_BPF_COUNTER_LAYOUT_H
#define EBPFNET_BPF_COUNTER_LAYOUT_H

/*
 * What both halves of the counter share. The maps are pinned and outlive processes and versions of
 * the library: a layout changes only together with COUNTER_ABI.
 */

#include <linux/types.h>

#define COUNTER_ABI 2

/* The same numbers as enum ebpfnet_counter_key. */
enum counter_key {
	COUNTER_TOTAL = 0,
	COUNTER_PROTOCOL = 1,
	COUNTER_SOURCE = 2,
	COUNTER_DESTINATION = 3,
	COUNTER_DESTINATION_PORT = 4,
	COUNTER_SOURCE_PREFIX = 5,
	COUNTER_FIVE_TUPLE = 6,
	COUNTER_KEYS = 7,
};

/* One CPU's share of one key. */
struct counter_value {
	__u64 packets;
	__u64 bytes;
	__u64 extra_segments; /* segments - packets: 0 where no packet is a merged one */
};

/* Keys of the tables; addresses and ports in network order. Types without holes, because every byte
 * of a key counts, and structs, because a map's BTF has both types or none. */

/* "address6"; the key of "address4" is a __be32. */
struct counter_address6 {
	__u8 byte[16];
};

/* "port" */
struct counter_port {
	__u8 family; /* 4 or 6 */
	__u8 protocol;
	__be16 port; /* 0 where the protocol has none */
};

/* "tuple4" */
struct counter_tuple4 {
	__be32 source;
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
	__u32 protocol;
};

/* "tuple6" */
struct counter_tuple6 {
	struct counter_address6 source;
	struct counter_address6 destination;
	__be16 source_port;
	__be16 destination_port;
	__u32 protocol;
};

/* Slots of the map "total". */
enum counter_slot {
	COUNTER_SLOT_ALL = 0,
	COUNTER_SLOT_OTHER = 1, /* packets that have no key: not IP, malformed, later fragments */
	COUNTER_SLOTS = 2,
};

/* The map "protocol" is indexed by COUNTER_IP6 or 0, plus the IP protocol. */
#define COUNTER_IP6 256
#define COUNTER_PROTOCOLS 512

/*
 * The map "base", one entry, user space's own: what was counted before the last reset. Nobody but
 * the kernel half writes to the counters, so a reset under traffic loses nothing; and it is one
 * write, so that a process killed in the middle leaves the old base or the new one.
 */
struct counter_base {
	__u64 resets; /* how many there were */
	struct counter_value slot[COUNTER_SLOTS];
	struct counter_value removed; /* in keys that resets deleted, since the maps were made */
	struct counter_value evicted; /* before the last reset */
	struct counter_value protocol[COUNTER_PROTOCOLS];
};

/* The map "meta", one entry: how the pinned counter was made. */
struct counter_meta {
	__u32 abi_version;
	__u32 key; /* enum counter_key */
	__u32 max_entries;
	__u32 flags;   /* enum ebpfnet_counter_flags */
	__u32 prefix4; /* COUNTER_SOURCE_PREFIX: bits, else 0 */
	__u32 prefix6;
};

/* How the program is made: the constant "counter_config". */
struct counter_config {
	__u32 mask4; /* COUNTER_SOURCE_PREFIX, in network order */
	__u32 no_l2; /* packets at TC begin with the IP header */
	__u64 mask6[2];
};

#endif /* EBPFNET_BPF_COUNTER_LAYOUT_H */
