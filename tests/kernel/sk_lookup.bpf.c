// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sk_lookup programs that choose a socket, refuse, or only look, and count what they saw. */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>

#define AF_INET6 10

/* Nobody listens on the first; somebody listens on the second. */
const volatile __u32 free_port = 7777;
const volatile __u32 taken_port = 7778;

/* By kind of traffic: 0 TCP and 1 UDP over IPv4, 2 and 3 over IPv6. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline __u32 kind_of(const struct bpf_sk_lookup *ctx)
{
	return (ctx->family == AF_INET6 ? 2 : 0) + (ctx->protocol == IPPROTO_UDP);
}

static __always_inline void count(__u32 slot)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &slot);

	if (n)
		__sync_fetch_and_add(n, 1);
}

static __always_inline int choose(struct bpf_sk_lookup *ctx, __u32 base)
{
	__u32 key = base + kind_of(ctx);
	struct bpf_sock *sk;
	long ret;

	if (ctx->local_port != free_port)
		return SK_PASS;
	count(key);
	sk = bpf_map_lookup_elem(&targets, &key);
	if (!sk)
		return SK_PASS;
	ret = bpf_sk_assign(ctx, sk, BPF_SK_LOOKUP_F_REPLACE);
	bpf_sk_release(sk);
	return ret ? SK_DROP : SK_PASS;
}

SEC("sk_lookup")
int choose_first(struct bpf_sk_lookup *ctx)
{
	return choose(ctx, 0);
}

SEC("sk_lookup")
int choose_second(struct bpf_sk_lookup *ctx)
{
	return choose(ctx, 4);
}

SEC("sk_lookup")
int refuse(struct bpf_sk_lookup *ctx)
{
	if (ctx->local_port != free_port && ctx->local_port != taken_port)
		return SK_PASS;
	count(8 + kind_of(ctx));
	return SK_DROP;
}

SEC("sk_lookup")
int look(struct bpf_sk_lookup *ctx)
{
	return SK_PASS;
}

SEC("flow_dissector")
int other_type(struct __sk_buff *ctx)
{
	return BPF_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
