// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* netkit programs: one per verdict, and four that write down in which order they ran. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define NETKIT_NEXT (-1)
#define NETKIT_PASS 0
#define NETKIT_DROP 2

#define IP4_PROTOCOL 9
#define IP6_NEXT_HEADER 6
#define TCP_FLAGS 13
#define SYN 0x02
#define SYN_ACK 0x12

#define ORDER 28
#define MARK 29
#define TARGET 30 /* where to redirect to, an ifindex of the receiving side's namespace */

const volatile __u16 port = 7777;

/* By verdict, times 4, and kind of traffic: 0 TCP and 1 UDP over IPv4, 2 and 3 over IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

/* A datagram or the first packet of a connection to the port: its kind; else -1. */
static __always_inline int kind_of(struct __sk_buff *skb)
{
	int v6 = skb->protocol == bpf_htons(ETH_P_IPV6);
	__u32 l4 = v6 ? 40 : 20;
	__u8 proto, flags;
	__be16 to;

	if (!v6 && skb->protocol != bpf_htons(ETH_P_IP))
		return -1;
	if (bpf_skb_load_bytes_relative(skb, v6 ? IP6_NEXT_HEADER : IP4_PROTOCOL, &proto, 1,
					BPF_HDR_START_NET) ||
	    bpf_skb_load_bytes_relative(skb, l4 + 2, &to, sizeof(to), BPF_HDR_START_NET) ||
	    to != bpf_htons(port))
		return -1;
	if (proto == IPPROTO_UDP)
		return 2 * v6 + 1;
	if (proto != IPPROTO_TCP ||
	    bpf_skb_load_bytes_relative(skb, l4 + TCP_FLAGS, &flags, 1, BPF_HDR_START_NET) ||
	    (flags & SYN_ACK) != SYN)
		return -1;
	return 2 * v6;
}

static __always_inline __u64 *slot(__u32 key)
{
	return bpf_map_lookup_elem(&seen, &key);
}

/* Counts and returns the verdict; what is not the tests' traffic goes on. */
static __always_inline int judge(struct __sk_buff *skb, __u32 base, int verdict)
{
	int kind = kind_of(skb);
	__u64 *n;

	if (kind < 0)
		return NETKIT_NEXT;
	n = slot(MARK);
	if (n)
		*n = skb->mark;
	n = slot(base + kind);
	if (n)
		__sync_fetch_and_add(n, 1);
	return verdict;
}

SEC("tc")
int nk_next(struct __sk_buff *skb)
{
	return judge(skb, 0, NETKIT_NEXT);
}

SEC("tc")
int nk_pass(struct __sk_buff *skb)
{
	return judge(skb, 4, NETKIT_PASS);
}

SEC("tc")
int nk_drop(struct __sk_buff *skb)
{
	return judge(skb, 8, NETKIT_DROP);
}

SEC("tc")
int nk_redirect(struct __sk_buff *skb)
{
	__u64 *to = slot(TARGET);

	if (judge(skb, 12, NETKIT_PASS) != NETKIT_PASS || !to)
		return NETKIT_NEXT;
	return bpf_redirect(*to, 0);
}

/* Decimal digits of the programs that saw a datagram, in order. */
static __always_inline int sign(struct __sk_buff *skb, __u32 digit)
{
	__u64 *order = slot(ORDER);

	if (order && kind_of(skb) >= 0)
		*order = *order * 10 + digit;
	return NETKIT_NEXT;
}

SEC("tc")
int sign_1(struct __sk_buff *skb)
{
	return sign(skb, 1);
}

SEC("tc")
int sign_2(struct __sk_buff *skb)
{
	return sign(skb, 2);
}

SEC("tc")
int sign_3(struct __sk_buff *skb)
{
	return sign(skb, 3);
}

SEC("tc")
int sign_4(struct __sk_buff *skb)
{
	return sign(skb, 4);
}

SEC("xdp")
int other_type(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
