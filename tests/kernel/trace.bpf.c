// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs on functions: on the entry and the exit of one of the kernel's, counting what one
 * namespace receives, and an XDP program with a function that an extension program replaces.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

struct net_device {
	struct {
		struct net *net;
	} nd_net;
};

struct sk_buff {
	unsigned int len;
	struct net_device *dev;
};

#pragma clang attribute pop

/* Slot 0: packets at the entry, 1: their bytes, 2: packets at the exit that were taken. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

const volatile __u32 own_netns;

static __always_inline void add(__u32 slot, __u64 value)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &slot);

	if (n)
		__sync_fetch_and_add(n, value);
}

/* int ip_rcv(struct sk_buff *, struct net_device *, struct packet_type *, struct net_device *) */
SEC("fentry/ip_rcv")
int at_entry(__u64 *args)
{
	struct sk_buff *skb = (void *)args[0];

	if (skb->dev->nd_net.net->ns.inum != own_netns)
		return 0;
	add(0, 1);
	add(1, skb->len);
	return 0;
}

SEC("fexit/ip_rcv")
int at_exit(__u64 *args)
{
	/* The packet may be gone: the device stays. */
	struct net_device *dev = (void *)args[1];

	if (dev->nd_net.net->ns.inum == own_netns && args[4] == 0)
		add(2, 1);
	return 0;
}

/* Global, or there is nothing to replace; the verifier takes it for any number. */
__noinline int replaceable(struct xdp_md *ctx)
{
	volatile int verdict = XDP_DROP;

	return ctx->data == ctx->data_end ? XDP_ABORTED : verdict;
}

SEC("xdp")
int with_function(struct xdp_md *ctx)
{
	return replaceable(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
