// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs of sockets for the tests: each counts, and does what its slot of policy says. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "sockmap_fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SOCKMAP_SLOTS);
	__type(key, __u32);
	__type(value, struct sockmap_policy);
} policy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SOCKMAP_SLOTS);
	__type(key, __u32);
	__type(value, struct sockmap_count);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} group SEC(".maps");

static __always_inline struct sockmap_policy count(__u32 slot, __u32 bytes)
{
	struct sockmap_count *n = bpf_map_lookup_elem(&counts, &slot);
	struct sockmap_policy *p = bpf_map_lookup_elem(&policy, &slot);

	if (n) {
		__sync_fetch_and_add(&n->runs, 1);
		/* Adding a constant 0 becomes an atomic OR with 0, which is of 5.12. */
		if (!__builtin_constant_p(bytes) || bytes)
			__sync_fetch_and_add(&n->bytes, bytes);
	}
	if (p)
		return *p;
	return (struct sockmap_policy) { .action = SOCKMAP_PASS };
}

static __always_inline int msg(struct sk_msg_md *ctx, __u32 slot)
{
	struct sockmap_policy p = count(slot, ctx->size);
	__u64 flags = p.ingress ? BPF_F_INGRESS : 0;

	switch (p.action) {
	case SOCKMAP_DROP:
		return SK_DROP;
	case SOCKMAP_TO_MAP:
		return bpf_msg_redirect_map(ctx, &map, p.key, flags);
	case SOCKMAP_TO_HASH:
		return bpf_msg_redirect_hash(ctx, &hash, &p.key, flags);
	default:
		return SK_PASS;
	}
}

static __always_inline int skb(struct __sk_buff *ctx, __u32 slot)
{
	struct sockmap_policy p = count(slot, ctx->len);
	__u64 flags = p.ingress ? BPF_F_INGRESS : 0;

	switch (p.action) {
	case SOCKMAP_DROP:
		return SK_DROP;
	case SOCKMAP_TO_MAP:
		return bpf_sk_redirect_map(ctx, &map, p.key, flags);
	case SOCKMAP_TO_HASH:
		return bpf_sk_redirect_hash(ctx, &hash, &p.key, flags);
	default:
		return SK_PASS;
	}
}

SEC("sk_msg")
int msg_verdict(struct sk_msg_md *ctx)
{
	return msg(ctx, SOCKMAP_MSG);
}

SEC("sk_msg")
int msg_other(struct sk_msg_md *ctx)
{
	return msg(ctx, SOCKMAP_MSG_OTHER);
}

SEC("sk_skb/stream_parser")
int parser(struct __sk_buff *ctx)
{
	__u8 length;

	count(SOCKMAP_PARSER, 0);
	if (bpf_skb_load_bytes(ctx, 0, &length, 1) < 0)
		return 0;
	return length + 1;
}

SEC("sk_skb/stream_verdict")
int stream_verdict(struct __sk_buff *ctx)
{
	return skb(ctx, SOCKMAP_STREAM);
}

SEC("sk_skb/stream_verdict")
int stream_other(struct __sk_buff *ctx)
{
	return skb(ctx, SOCKMAP_STREAM_OTHER);
}

SEC("sk_skb/verdict")
int skb_verdict(struct __sk_buff *ctx)
{
	return skb(ctx, SOCKMAP_SKB);
}

SEC("sk_skb/verdict")
int skb_other(struct __sk_buff *ctx)
{
	return skb(ctx, SOCKMAP_SKB_OTHER);
}

SEC("socket")
int filter(struct __sk_buff *ctx)
{
	struct sockmap_policy p = count(SOCKMAP_FILTER, ctx->len);

	return p.action == SOCKMAP_DROP ? 0 : ctx->len;
}

SEC("socket")
int filter_other(struct __sk_buff *ctx)
{
	return count(SOCKMAP_FILTER_OTHER, ctx->len).limit;
}

SEC("sk_reuseport")
int reuseport(struct sk_reuseport_md *ctx)
{
	struct sockmap_policy p = count(SOCKMAP_REUSEPORT, ctx->len);

	if (p.action == SOCKMAP_DROP)
		return SK_DROP;
	return bpf_sk_select_reuseport(ctx, &group, &p.limit, 0) ? SK_DROP : SK_PASS;
}

SEC("socket")
int reuseport_index(struct __sk_buff *ctx)
{
	return count(SOCKMAP_REUSEPORT_INDEX, ctx->len).limit;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
