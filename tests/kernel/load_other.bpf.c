// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Shares maps with load_small: "shared" fits its counts; the others differ in one thing each. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} shared SEC(".maps");

/* As load_small's, by name: what is shared must not be found in its place. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

/* Fits load_small's table; what has that name here does not. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} shared_table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[64]);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} other_type SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u64);
	__type(value, __u64);
} other_key SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} other_value SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 5);
	__type(key, __u32);
	__type(value, __u64);
} other_entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} other_flags SEC(".maps");

static __always_inline int add(void *map, __u64 n)
{
	__u32 slot = 1;
	__u64 *v = bpf_map_lookup_elem(map, &slot);

	if (!v)
		return 0;
	__sync_fetch_and_add(v, n);
	return *v;
}

SEC("xdp")
int ldt_add_shared(struct xdp_md *ctx)
{
	return add(&shared, 100);
}

SEC("xdp")
int ldt_add_own(struct xdp_md *ctx)
{
	return add(&counts, 10000);
}

SEC("xdp")
int ldt_own_table(struct xdp_md *ctx)
{
	__u32 key = 0;
	char *v = bpf_map_lookup_elem(&table, &key);

	return v ? v[60] : XDP_ABORTED;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
