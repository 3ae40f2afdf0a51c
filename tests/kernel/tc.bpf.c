// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* TC programs that count or drop what goes to one port, or write down in which order they ran. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tc_slots.h"

#define GO_ON -1 /* TCX_NEXT, TC_ACT_UNSPEC */
#define DROP 2	 /* TCX_DROP, TC_ACT_SHOT */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline void count(__u32 slot)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &slot);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* Which of the four kinds of traffic to TC_PORT a packet is; TC_OTHER for the rest. */
static __always_inline __u32 class_of(struct __sk_buff *skb)
{
	__u32 at, class = 0;
	__u8 first, proto;
	__be16 port;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN, &first, 1) ||
		    bpf_skb_load_bytes(skb, ETH_HLEN + 9, &proto, 1))
			return TC_OTHER;
		at = ETH_HLEN + (first & 15) * 4;
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN + 6, &proto, 1))
			return TC_OTHER;
		at = ETH_HLEN + 40;
		class = TC_TCP6;
	} else {
		return TC_OTHER;
	}
	if ((proto != IPPROTO_TCP && proto != IPPROTO_UDP) ||
	    bpf_skb_load_bytes(skb, at + 2, &port, 2) || port != bpf_htons(TC_PORT))
		return TC_OTHER;
	return proto == IPPROTO_UDP ? class + TC_UDP4 : class;
}

#define COUNTING(name, base, verdict)                                                              \
	SEC("tc")                                                                                  \
	int name(struct __sk_buff *skb)                                                            \
	{                                                                                          \
		__u32 class = class_of(skb);                                                       \
                                                                                                   \
		count((base) + class);                                                             \
		count((base) + TC_ALL);                                                            \
		return class == TC_OTHER ? GO_ON : (verdict);                                      \
	}

COUNTING(pass_port, TC_PASS, GO_ON)
COUNTING(drop_port, TC_DROP, DROP)
COUNTING(other_port, TC_SECOND, GO_ON)

/* The mark goes with the packet through all programs of a hook; the last one has it whole. */
#define NUMBERED(n)                                                                                \
	SEC("tc")                                                                                  \
	int number_##n(struct __sk_buff *skb)                                                      \
	{                                                                                          \
		__u32 slot = TC_ORDER;                                                             \
		__u64 *order = bpf_map_lookup_elem(&seen, &slot);                                  \
                                                                                                   \
		if (class_of(skb) == TC_OTHER || !order)                                           \
			return GO_ON;                                                              \
		skb->mark = skb->mark * 10 + n;                                                    \
		*order = skb->mark;                                                                \
		return GO_ON;                                                                      \
	}

NUMBERED(1)
NUMBERED(2)
NUMBERED(3)
NUMBERED(4)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
