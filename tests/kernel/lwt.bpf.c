// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A program that counts and one that drops for each hook of a route; slots as enum ebpfnet_lwt_hook. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline int count(__u32 slot, int verdict)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &slot);

	if (n)
		__sync_fetch_and_add(n, 1);
	return verdict;
}

#define PAIR(hook, slot)                                                                           \
	SEC("lwt_" #hook) int pass_##hook(struct __sk_buff *skb)                                   \
	{                                                                                          \
		return count(slot, BPF_OK);                                                        \
	}                                                                                          \
	SEC("lwt_" #hook) int drop_##hook(struct __sk_buff *skb)                                   \
	{                                                                                          \
		return count(slot, BPF_DROP);                                                      \
	}

PAIR(in, 1)
PAIR(out, 2)
PAIR(xmit, 3)
PAIR(seg6local, 4)

SEC("xdp")
int not_for_routes(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
