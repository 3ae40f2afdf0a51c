// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kernel half of map_test.c: a map of each type and, for each, a program that adds to an entry.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct map_key {
	__u32 address;
	__u16 port;
	__u16 zone;
};

struct map_value {
	__u64 packets;
	__u64 bytes;
	__u32 marks[3];
	__s32 low;
	__u8 name[8];
	struct {
		__u64 first;
		__u64 last;
	} seen;
};

/* 12 bytes: the kernel's stride of 16 shows. */
struct map_odd {
	__u32 a;
	__u32 b;
	__u32 c;
};

/* More than 32 KiB on two CPUs. */
struct map_big {
	__u64 n[3000];
};

/* What a test sends as its packet, behind the Ethernet addresses. */
struct map_command {
	struct map_key key;
	__u64 n;
};

#define MAP(name, map_type, entries, key_type, value_type)                                         \
	struct {                                                                                   \
		__uint(type, map_type);                                                            \
		__uint(max_entries, entries);                                                      \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

MAP(hash, BPF_MAP_TYPE_HASH, 10000, struct map_key, struct map_value);
MAP(array, BPF_MAP_TYPE_ARRAY, 1000, __u32, struct map_value);
MAP(lru, BPF_MAP_TYPE_LRU_HASH, 1000, struct map_key, struct map_value);
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 1000, struct map_key, struct map_value);
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, 100, __u32, struct map_value);
MAP(percpu_lru, BPF_MAP_TYPE_LRU_PERCPU_HASH, 1000, struct map_key, struct map_value);
MAP(small, BPF_MAP_TYPE_HASH, 4, __u32, __u64);
MAP(odd, BPF_MAP_TYPE_PERCPU_HASH, 16, __u32, struct map_odd);
MAP(big, BPF_MAP_TYPE_PERCPU_ARRAY, 2, __u32, struct map_big);
MAP(count, BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, __u64);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_WRONLY);
	__type(key, __u32);
	__type(value, __u64);
} write_only SEC(".maps");

/* Has no batches in any kernel, and empty slots. */
struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} queues SEC(".maps");

/* Sizes and no types: the kernel and libbpf know no BTF for it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__uint(key_size, 16);
	__uint(value_size, 16);
} untyped SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

static __always_inline int read_command(struct xdp_md *ctx, struct map_command *c)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 16 + sizeof(*c) > end)
		return -1;
	__builtin_memcpy(c, data + 16, sizeof(*c));
	return 0;
}

static __always_inline int add(void *map, const void *key, const struct map_command *c)
{
	struct map_value zero = {}, *v = bpf_map_lookup_elem(map, key);

	if (!v) {
		bpf_map_update_elem(map, key, &zero, BPF_NOEXIST);
		v = bpf_map_lookup_elem(map, key);
	}
	if (!v)
		return -1;
	v->packets += c->n;
	v->bytes += 2 * c->n;
	v->marks[2] += (__u32)c->n;
	v->low -= (__s32)c->n;
	v->name[0] = 'b';
	v->seen.last = c->n;
	return (int)v->packets;
}

#define ADD_BY_STRUCT(name)                                                                        \
	SEC("xdp")                                                                                 \
	int name##_add(struct xdp_md *ctx)                                                         \
	{                                                                                          \
		struct map_command c;                                                              \
                                                                                                   \
		return read_command(ctx, &c) ? -1 : add(&name, &c.key, &c);                        \
	}

#define ADD_BY_INDEX(name)                                                                         \
	SEC("xdp")                                                                                 \
	int name##_add(struct xdp_md *ctx)                                                         \
	{                                                                                          \
		struct map_command c;                                                              \
                                                                                                   \
		return read_command(ctx, &c) ? -1 : add(&name, &c.key.address, &c);                \
	}

ADD_BY_STRUCT(hash)
ADD_BY_INDEX(array)
ADD_BY_STRUCT(lru)
ADD_BY_STRUCT(percpu_hash)
ADD_BY_INDEX(percpu_array)
ADD_BY_STRUCT(percpu_lru)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
