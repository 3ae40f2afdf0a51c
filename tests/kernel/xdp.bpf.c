// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that pass or drop and count what they saw, for the tests of hooks and links. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline void count(__u32 slot)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &slot);

	if (n)
		__sync_fetch_and_add(n, 1);
}

SEC("xdp")
int pass_all(struct xdp_md *ctx)
{
	count(0);
	return XDP_PASS;
}

SEC("xdp")
int drop_all(struct xdp_md *ctx)
{
	count(1);
	return XDP_DROP;
}

SEC("tc")
int tc_pass(struct __sk_buff *ctx)
{
	count(2);
	return 0;
}

/* Its cpumap attach type makes it another kind of XDP program, which an interface does not take. */
SEC("xdp/cpumap")
int on_cpumap(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
