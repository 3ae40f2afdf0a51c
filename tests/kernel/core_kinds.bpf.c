// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Every kind of CO-RE relocation in every form that clang makes of it, for comparing what
 * ebpfnet_object_relocs() says with what libbpf patches. Nothing here is ever attached.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

struct net_device {
	char name[4];
	int ifindex;
	struct {
		struct net *net;
	} nd_net;
};

/* Members out of order, bit fields of other places, arrays of other lengths. */
struct sk_buff {
	__u8 ip_summed : 2;
	__u8 pkt_type : 3;
	__u8 encapsulation : 1;
	char cb[12];
	__be16 protocol;
	unsigned int len;
	unsigned int data_len;
	unsigned char *data;
	struct net_device *dev;
	__u32 mark;
};

struct sk_buff___narrow {
	__u16 len; /* the load is widened to the kernel's 4 bytes */
};

struct sk_buff___signed {
	__s16 len; /* no load keeps the value: poisoned */
};

struct sk_buff___wish {
	int ebpfnet_no_such_member;
	struct {
		int deeper;
	} ebpfnet_nor_this;
};

struct sk_buff___other {
	struct net_device len; /* an integer in the kernel */
	int cb[1000];
};

struct tcp_sock;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	struct in6_addr skc_v6_daddr;
	volatile unsigned char skc_state;
	unsigned char skc_reuse : 4;
	unsigned char skc_ipv6only : 1;
	__u16 skc_num;
};

struct sock {
	struct sock_common __sk_common;
	int sk_rcvbuf;
};

struct nf_conn {
	__u32 mark;
	unsigned long status;
};

struct ebpfnet_no_such_type {
	int x;
	int y;
};

#pragma clang attribute pop

union bpf_attr___mine {
	int x;
};

typedef int ebpfnet_no_such_typedef;
typedef __u32 u32___mine;
typedef struct {
	int counter;
} __attribute__((preserve_access_index)) atomic_t;

enum nf_inet_hooks {
	NF_INET_POST_ROUTING = 77,
	NF_INET_EBPFNET_NO_SUCH = 78,
};

enum netns_bpf_attach_type___mine {
	NETNS_BPF_INVALID = 5, /* -1 in the kernel */
};

/* 64 bits wide in kernels whose BTF can say so. */
enum perf_callchain_context {
	PERF_CONTEXT_MAX = 3,
};

enum ebpfnet_no_such_enum {
	EBPFNET_NO_SUCH_VALUE = 1,
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sink SEC(".maps");

static void put(__u64 value)
{
	__u32 key = 0;

	bpf_map_update_elem(&sink, &key, &value, BPF_ANY);
}

/* A subprogram of .text, called from two programs. */
static __attribute__((noinline)) int length_of(struct sk_buff *skb)
{
	unsigned int len = 0, mark = 0;

	bpf_core_read(&len, sizeof(len), &skb->len);
	bpf_core_read(&mark, sizeof(mark), &skb->mark);
	return len + mark;
}

__attribute__((noinline)) int index_of(int unused)
{
	put(bpf_core_field_offset(struct net_device, ifindex));
	return unused + bpf_core_field_size(struct net_device, name);
}

SEC("xdp")
int fields(struct xdp_md *ctx)
{
	put(bpf_core_field_exists(struct sk_buff, len));
	put(bpf_core_field_exists(struct sk_buff___wish, ebpfnet_no_such_member));
	put(bpf_core_field_exists(struct sk_buff___wish, ebpfnet_nor_this.deeper));
	put(bpf_core_field_exists(struct sk_buff___other, len));
	put(bpf_core_field_exists(struct sk_buff___other, cb[999]));
	put(bpf_core_field_exists(struct ebpfnet_no_such_type, y));
	put(bpf_core_field_size(struct sk_buff, cb));
	put(bpf_core_field_size(struct sk_buff, cb[2]));
	put(bpf_core_field_size(struct sk_buff, len));
	put(bpf_core_field_size(struct sock_common, skc_v6_daddr));
	put(bpf_core_field_offset(struct sk_buff, cb[3]));
	put(bpf_core_field_offset(struct sock, __sk_common.skc_v6_daddr.in6_u.u6_addr32[2]));
	put(bpf_core_field_offset(struct net_device, nd_net.net));
	put(bpf_core_field_offset(atomic_t, counter));
	return index_of(1);
}

SEC("xdp")
int bits(struct xdp_md *ctx)
{
	struct sk_buff *skb = (void *)(long)ctx->data;
	struct sock_common *sk = (void *)(long)ctx->data;

	put(BPF_CORE_READ_BITFIELD_PROBED(skb, ip_summed));
	put(BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type));
	put(BPF_CORE_READ_BITFIELD_PROBED(skb, encapsulation));
	put(BPF_CORE_READ_BITFIELD_PROBED(sk, skc_ipv6only));
	put(BPF_CORE_READ_BITFIELD_PROBED(sk, skc_reuse));
	put(BPF_CORE_READ_BITFIELD_PROBED(skb, len));
	put(__builtin_preserve_field_info(skb->len, BPF_FIELD_SIGNED));
	put(__builtin_preserve_field_info(skb->dev->ifindex, BPF_FIELD_SIGNED));
	return length_of(skb);
}

SEC("xdp")
int types(struct xdp_md *ctx)
{
	put(bpf_core_type_id_local(struct sk_buff));
	put(bpf_core_type_id_local(struct ebpfnet_no_such_type));
	put(bpf_core_type_id_kernel(struct sk_buff));
	put(bpf_core_type_id_kernel(atomic_t));
	put(bpf_core_type_id_kernel(enum nf_inet_hooks));
	put(bpf_core_type_id_kernel(struct ebpfnet_no_such_type));
	put(bpf_core_type_exists(struct sk_buff___wish));
	put(bpf_core_type_exists(struct ebpfnet_no_such_type));
	put(bpf_core_type_exists(union bpf_attr___mine));
	put(bpf_core_type_exists(u32___mine));
	put(bpf_core_type_exists(atomic_t));
	put(bpf_core_type_exists(ebpfnet_no_such_typedef));
	put(bpf_core_type_exists(enum netns_bpf_attach_type___mine));
	put(bpf_core_type_size(struct sk_buff));
	put(bpf_core_type_size(union bpf_attr___mine));
	put(bpf_core_type_size(u32___mine));
	put(bpf_core_type_size(enum perf_callchain_context));
	put(bpf_core_type_size(struct ebpfnet_no_such_type));
#if __clang_major__ >= 15
	put(bpf_core_type_matches(struct sk_buff));
	put(bpf_core_type_matches(struct sk_buff___wish));
	put(bpf_core_type_matches(struct ns_common));
	put(bpf_core_type_matches(struct in6_addr));
	put(bpf_core_type_matches(atomic_t));
	put(bpf_core_type_matches(enum nf_inet_hooks));
	put(bpf_core_type_matches(enum netns_bpf_attach_type___mine));
	put(bpf_core_type_matches(struct ebpfnet_no_such_type));
#endif
	return XDP_PASS;
}

SEC("xdp")
int enums(struct xdp_md *ctx)
{
	put(bpf_core_enum_value_exists(enum nf_inet_hooks, NF_INET_POST_ROUTING));
	put(bpf_core_enum_value_exists(enum nf_inet_hooks, NF_INET_EBPFNET_NO_SUCH));
	put(bpf_core_enum_value_exists(enum ebpfnet_no_such_enum, EBPFNET_NO_SUCH_VALUE));
	put(bpf_core_enum_value(enum nf_inet_hooks, NF_INET_POST_ROUTING));
	put(bpf_core_enum_value(enum netns_bpf_attach_type___mine, NETNS_BPF_INVALID));
	if (bpf_core_enum_value_exists(enum perf_callchain_context, PERF_CONTEXT_MAX))
		put(bpf_core_enum_value(enum perf_callchain_context, PERF_CONTEXT_MAX));
	if (bpf_core_enum_value_exists(enum nf_inet_hooks, NF_INET_EBPFNET_NO_SUCH))
		put(bpf_core_enum_value(enum nf_inet_hooks, NF_INET_EBPFNET_NO_SUCH));
	return XDP_PASS;
}

/* In most distributions' kernels a module's types: only there while it is loaded. */
SEC("xdp")
int module(struct xdp_md *ctx)
{
	put(bpf_core_type_exists(struct nf_conn));
	put(bpf_core_type_size(struct nf_conn));
	put(bpf_core_field_exists(struct nf_conn, mark));
	if (bpf_core_field_exists(struct nf_conn, status))
		put(bpf_core_field_offset(struct nf_conn, status));
	return XDP_PASS;
}

/* Loads from the kernel's memory without a helper: the offset is in the load itself. */
SEC("tp_btf/netif_receive_skb")
int loads(__u64 *args)
{
	struct sk_buff *skb = (void *)args[0];
	struct sk_buff___narrow *narrow = (void *)args[0];
	struct sk_buff___signed *sign = (void *)args[0];
	struct sk_buff___wish *wish = (void *)args[0];

	put(skb->len);
	put(skb->cb[5]);
	put(skb->dev->name[2]);
	put(skb->dev->nd_net.net->ns.inum);
	put(narrow->len);
	if (bpf_core_field_exists(wish->ebpfnet_no_such_member)) {
		put(wish->ebpfnet_no_such_member);
		put(wish->ebpfnet_nor_this.deeper);
		put(sign->len);
	}
	return length_of(skb);
}

/* Not loaded unless asked for; its relocations are listed all the same. */
SEC("?tp_btf/netif_receive_skb")
int off(__u64 *args)
{
	struct sk_buff *skb = (void *)args[0];

	return skb->data_len;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
