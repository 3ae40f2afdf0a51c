// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One program for each thing that loading and running can show; tests find them by their prefix. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 ldt_answer = 7;
const volatile __u8 ldt_octet = 3;
const volatile __u64 ldt_wide = 1;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

SEC("xdp")
int ldt_constant(struct xdp_md *ctx)
{
	return ldt_answer + ldt_octet + (__u32)(ldt_wide >> 32);
}

SEC("xdp")
int ldt_count(struct xdp_md *ctx)
{
	__u32 slot = 1;
	__u64 *n = bpf_map_lookup_elem(&counts, &slot);

	if (n)
		__sync_fetch_and_add(n, 1);
	return XDP_PASS;
}

SEC("xdp")
int ldt_grow(struct xdp_md *ctx)
{
	return bpf_xdp_adjust_tail(ctx, 16) ? XDP_ABORTED : XDP_TX;
}

SEC("tc")
int ldt_length(struct __sk_buff *skb)
{
	skb->mark = 42;
	return skb->len;
}

/* Uses stack in two frames. */
static __noinline int ldt_sum(__u32 n)
{
	volatile __u64 a[4] = { n, n + 1, n + 2, n + 3 };

	return a[0] + a[1] + a[2] + a[3];
}

SEC("xdp")
int ldt_deep(struct xdp_md *ctx)
{
	volatile __u64 a[8] = { 0 };

	a[3] = ldt_sum(ctx->ingress_ifindex);
	return a[3] + a[4];
}

/* The kernel has no test run for these. */
SEC("sockops")
int ldt_sockops(struct bpf_sock_ops *ctx)
{
	return 1;
}

SEC("?xdp")
int ldt_off(struct xdp_md *ctx)
{
	__u32 key = 1;

	return bpf_map_lookup_elem(&table, &key) ? XDP_DROP : XDP_PASS;
}

/* The ring is part of the object, whether a program writes to it or not. */
SEC("?tc")
int ldt_ring(struct __sk_buff *skb)
{
	__u32 len = skb->len;

	return bpf_ringbuf_output(&ring, &len, sizeof(len), 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
