// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* TC programs for devices of every kind: they count the large packets, drop them, or pace them. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define GO_ON -1 /* TCX_NEXT, TC_ACT_UNSPEC */
#define DROP 2	 /* TCX_DROP, TC_ACT_SHOT */
#define LARGE 300
#define GAP_NS 20000000

/* 2 * direction: packets, 2 * direction + 1: the length of the last one. 4: when the next may go. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 5);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline void count(struct __sk_buff *skb, __u32 direction)
{
	__u32 slot = 2 * direction;
	__u64 *packets = bpf_map_lookup_elem(&seen, &slot), *len;

	slot++;
	len = bpf_map_lookup_elem(&seen, &slot);
	if (!packets || !len || skb->len < LARGE)
		return;
	__sync_fetch_and_add(packets, 1);
	*len = skb->len;
}

SEC("tc")
int in(struct __sk_buff *skb)
{
	count(skb, 0);
	return GO_ON;
}

SEC("tc")
int out(struct __sk_buff *skb)
{
	count(skb, 1);
	return GO_ON;
}

SEC("tc")
int drop_in(struct __sk_buff *skb)
{
	count(skb, 0);
	return skb->len < LARGE ? GO_ON : DROP;
}

/* Each large packet leaves GAP_NS after the one before; sch_fq keeps it until then. */
SEC("tc")
int pace(struct __sk_buff *skb)
{
	__u64 now = bpf_ktime_get_ns(), *next;
	__u32 slot = 4;

	count(skb, 1);
	next = bpf_map_lookup_elem(&seen, &slot);
	if (!next || skb->len < LARGE)
		return GO_ON;
	if (*next < now)
		*next = now;
	skb->tstamp = *next;
	*next += GAP_NS;
	return GO_ON;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
