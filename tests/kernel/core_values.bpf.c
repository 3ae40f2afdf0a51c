// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Kernel structures as they are in the running kernel, from a source that knows only the names of
 * their members: no vmlinux.h. The offsets here are wrong on purpose, CO-RE puts them right.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "core_values.h"

#define NFPROTO_IPV4 2
#define NFPROTO_IPV6 10
#define ETH_P_IP 0x0800

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
	__be16 protocol;
	struct net_device *dev;
};

/* Another view of the same structure, with a member that no kernel has. */
struct sk_buff___wish {
	int ebpfnet_no_such_member;
};

struct nf_hook_state {
	__u8 pf;
};

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};

struct sock_common {
	__u16 skc_num;
	__be16 skc_dport;
	unsigned char skc_state;
	unsigned short skc_family;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct ebpfnet_no_such_type {
	int x;
};

#pragma clang attribute pop

/* 77 and 78 stand for nothing: the kernel's own value replaces the first, nothing the second. */
enum nf_inet_hooks {
	NF_INET_POST_ROUTING = 77,
	NF_INET_EBPFNET_NO_SUCH = 78,
};

/* Typeless, so that any symbol of /proc/kallsyms will do: where CONFIG_KALLSYMS_ALL is off,
 * functions. */
extern const void ip_rcv __ksym __weak;
extern const void ebpfnet_no_such_symbol __ksym __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ANSWER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} answers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct length);
	__type(value, __u64);
} lengths SEC(".maps");

/* The namespace whose packets the tracepoint counts: it sees everybody's. */
const volatile __u32 own_netns;

static void answer(__u32 what, __u64 value)
{
	bpf_map_update_elem(&answers, &what, &value, BPF_ANY);
}

SEC("xdp")
int ask(struct xdp_md *ctx)
{
	struct sk_buff___wish *wish = (void *)(long)ctx->data;

	answer(ANSWER_FIELD_PRESENT, bpf_core_field_exists(struct sk_buff, len));
	answer(ANSWER_FIELD_ABSENT, bpf_core_field_exists(wish->ebpfnet_no_such_member));
	answer(ANSWER_TYPE_PRESENT, bpf_core_type_exists(struct sk_buff));
	answer(ANSWER_TYPE_ABSENT, bpf_core_type_exists(struct ebpfnet_no_such_type));
	answer(ANSWER_ENUM_PRESENT,
	       bpf_core_enum_value_exists(enum nf_inet_hooks, NF_INET_POST_ROUTING));
	answer(ANSWER_ENUM_ABSENT,
	       bpf_core_enum_value_exists(enum nf_inet_hooks, NF_INET_EBPFNET_NO_SUCH));
	answer(ANSWER_ENUM_VALUE, bpf_core_enum_value(enum nf_inet_hooks, NF_INET_POST_ROUTING));
	if (bpf_core_field_exists(wish->ebpfnet_no_such_member))
		answer(ANSWER_GUARDED, wish->ebpfnet_no_such_member);
	answer(ANSWER_KSYM_PRESENT, &ip_rcv != NULL);
	answer(ANSWER_KSYM_ABSENT, &ebpfnet_no_such_symbol != NULL);
	return XDP_PASS;
}

static void count(__u32 source, __u32 family, __u32 len)
{
	struct length key = { source, family, len };
	__u64 one = 1, *seen = bpf_map_lookup_elem(&lengths, &key);

	if (seen)
		__sync_fetch_and_add(seen, 1);
	else
		bpf_map_update_elem(&lengths, &key, &one, BPF_NOEXIST);
}

SEC("netfilter")
int nf_length(struct bpf_nf_ctx *ctx)
{
	count(SOURCE_NETFILTER, ctx->state->pf, ctx->skb->len);
	return 1; /* NF_ACCEPT */
}

SEC("tp_btf/netif_receive_skb")
int tp_length(__u64 *args)
{
	struct sk_buff *skb = (void *)args[0];

	if (skb->dev->nd_net.net->ns.inum == own_netns)
		count(SOURCE_TRACEPOINT,
		      skb->protocol == bpf_htons(ETH_P_IP) ? NFPROTO_IPV4 : NFPROTO_IPV6, skb->len);
	return 0;
}

SEC("iter/tcp")
int tcp_states(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct tcp_line line = {};

	if (!sk)
		return 0;
	line.family = sk->skc_family;
	line.num = sk->skc_num;
	line.dport = sk->skc_dport;
	line.state = sk->skc_state;
	bpf_seq_write(ctx->meta->seq, &line, sizeof(line));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
