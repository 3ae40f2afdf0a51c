// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Flow dissectors: one that reads addresses and ports, one to which all packets are one flow. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <stddef.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IP4_PROTOCOL 9
#define IP4_ADDRESSES 12
#define IP4_LEN 20 /* the test's packets have no options */
#define IP6_NEXT_HEADER 6
#define IP6_ADDRESSES 8
#define IP6_LEN 40

/* By program and kind of traffic: 0 TCP and 1 UDP over IPv4, 2 and 3 over IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline void count(__u32 slot)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &slot);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* The kind of traffic, or -1 for what a test does not send. */
static __always_inline int kind_of(struct __sk_buff *ctx, const struct bpf_flow_keys *keys)
{
	int v6 = keys->n_proto == bpf_htons(ETH_P_IPV6);
	__u8 proto;

	if (!v6 && keys->n_proto != bpf_htons(ETH_P_IP))
		return -1;
	if (bpf_skb_load_bytes(ctx, keys->nhoff + (v6 ? IP6_NEXT_HEADER : IP4_PROTOCOL), &proto, 1))
		return -1;
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return -1;
	return 2 * v6 + (proto == IPPROTO_UDP);
}

/* Helpers do not write to flow keys: over the stack. */
static __always_inline void read_ports(struct __sk_buff *ctx, struct bpf_flow_keys *keys, int v6)
{
	__u32 addresses[8], ports;

	if (v6 && bpf_skb_load_bytes(ctx, keys->nhoff + IP6_ADDRESSES, addresses, 32) == 0) {
		__builtin_memcpy(keys->ipv6_src, addresses, 16);
		__builtin_memcpy(keys->ipv6_dst, addresses + 4, 16);
	}
	if (!v6 && bpf_skb_load_bytes(ctx, keys->nhoff + IP4_ADDRESSES, addresses, 8) == 0) {
		keys->ipv4_src = addresses[0];
		keys->ipv4_dst = addresses[1];
	}
	if (bpf_skb_load_bytes(ctx, keys->thoff, &ports, 4) == 0)
		__builtin_memcpy(&keys->sport, &ports, 4);
}

static __always_inline int dissect(struct __sk_buff *ctx, __u32 base, int truly)
{
	struct bpf_flow_keys *keys = ctx->flow_keys;
	int kind = kind_of(ctx, keys);
	int v6 = kind >= 2;

	if (kind < 0)
		return BPF_DROP;
	count(base + kind);
	keys->addr_proto = v6 ? ETH_P_IPV6 : ETH_P_IP;
	keys->ip_proto = kind & 1 ? IPPROTO_UDP : IPPROTO_TCP;
	keys->thoff = keys->nhoff + (v6 ? IP6_LEN : IP4_LEN);
	if (!truly)
		return BPF_OK;
	read_ports(ctx, keys, v6);
	return BPF_OK;
}

SEC("flow_dissector")
int one_flow(struct __sk_buff *ctx)
{
	return dissect(ctx, 0, 0);
}

SEC("flow_dissector")
int by_ports(struct __sk_buff *ctx)
{
	return dissect(ctx, 4, 1);
}

SEC("sk_lookup")
int other_type(struct bpf_sk_lookup *ctx)
{
	return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
