// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Another version of map_objects.bpf.c's value in each map: what a stale header meets. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct map_key {
	__u32 address;
	__u16 port;
	__u16 zone;
};

struct seen {
	__u64 first;
	__u64 last;
};

#define TAIL                                                                                       \
	__u32 marks[3];                                                                            \
	__s32 low;                                                                                 \
	__u8 name[8];                                                                              \
	struct seen seen

struct moved_value {
	__u64 bytes;
	__u64 packets;
	TAIL;
};

struct grown_value {
	__u64 packets;
	__u64 drops;
	__u64 bytes;
	TAIL;
};

struct shrunk_value {
	__u64 packets;
	TAIL;
};

struct resized_value {
	__u64 packets;
	__u32 bytes;
	__u32 other;
	TAIL;
};

struct renamed_value {
	__u64 packets;
	__u64 byte;
	TAIL;
};

struct narrow_value {
	__u64 packets;
	__u32 bytes;
	TAIL;
};

struct padded_value {
	__u64 packets;
	__u64 bytes;
	TAIL;
} __attribute__((aligned(32)));

struct bits_value {
	__u64 packets;
	__u64 bytes : 40;
	__u64 : 24;
	TAIL;
};

struct deep_value {
	__u64 packets;
	__u64 bytes;
	__u32 marks[3];
	__s32 low;
	__u8 name[8];
	struct {
		__u64 last;
		__u64 first;
	} seen;
};

struct wide_key {
	__u64 address;
	__u16 port;
	__u16 zone;
};

#define MAP(name, key_type, value_type)                                                            \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(max_entries, 16);                                                           \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

MAP(moved, struct map_key, struct moved_value);
MAP(grown, struct map_key, struct grown_value);
MAP(shrunk, struct map_key, struct shrunk_value);
MAP(resized, struct map_key, struct resized_value);
MAP(renamed, struct map_key, struct renamed_value);
MAP(narrow, struct map_key, struct narrow_value);
MAP(padded, struct map_key, struct padded_value);
MAP(bits, struct map_key, struct bits_value);
MAP(deep, struct map_key, struct deep_value);
MAP(wide, struct wide_key, struct moved_value);
MAP(scalar, struct map_key, __u64);

SEC("xdp")
int nothing(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
