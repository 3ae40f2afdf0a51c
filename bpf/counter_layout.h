/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause OR GPL-2.0-only */
#ifndef EBPFNET_BPF_COUNTER_LAYOUT_H
#define EBPFNET_BPF_COUNTER_LAYOUT_H

/*
 * What both halves of the counter share. The maps are pinned and outlive processes and versions of
 * the library: a layout changes only together with COUNTER_ABI.
 */

#include <linux/types.h>

#define COUNTER_ABI 1

/* The same numbers as enum ebpfnet_counter_key. */
enum counter_key {
	COUNTER_TOTAL = 0,
	COUNTER_PROTOCOL = 1,
	COUNTER_SOURCE = 2,
};

/* One CPU's share of one key. */
struct counter_value {
	__u64 packets;
	__u64 bytes;
	__u64 extra_segments; /* segments - packets: 0 where no packet is a merged one */
};

/* Key of the map "address6", in network order. A type, because a map's BTF has both types or none.
 */
struct counter_address6 {
	__u8 byte[16];
};

/* Slots of the map "total". */
enum counter_slot {
	COUNTER_SLOT_ALL = 0,
	COUNTER_SLOT_OTHER = 1, /* packets that have no key: not IP, or malformed */
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
	__u32 reserved;
};

#endif /* EBPFNET_BPF_COUNTER_LAYOUT_H */
