// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts packets and bytes, in total and per key, and lets everything pass. Every CPU counts for
 * itself; user space adds up. Each hook has a program for the total and one for the keys, of which
 * the verifier removes the keys that are not wanted.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "counter_keys.h"

SEC("xdp")
int counter_xdp(struct xdp_md *ctx)
{
	struct amount a = { ctx->data_end - ctx->data, 0 };

	add_slot(&total, COUNTER_SLOT_ALL, a);
	return XDP_PASS;
}

static __always_inline int xdp_key(struct xdp_md *ctx, __u32 key)
{
	const __u8 *data = ebpfnet__ctx_pointer(ctx, data);
	const __u8 *end = ebpfnet__ctx_pointer(ctx, data_end);
	struct amount a = { end - data, 0 };
	struct ebpfnet_pkt pkt;

	add_slot(&total, COUNTER_SLOT_ALL, a);
	if (is_address(key) && data + 14 <= end &&
	    count_plain(data + 14, end, a.bytes - 14, ebpfnet__get16(data + 12), key, a))
		return XDP_PASS;
	ebpfnet_parse_xdp(ctx, &pkt);
	count_parsed(&pkt, key, a, 0);
	return XDP_PASS;
}

SEC("?xdp")
int counter_xdp_key(struct xdp_md *ctx)
{
	return xdp_key(ctx, counter_key);
}

/* Two keys have their own: a key that the compiler knows saves 2 ns. */
SEC("?xdp")
int counter_xdp_src(struct xdp_md *ctx)
{
	return xdp_key(ctx, COUNTER_SOURCE);
}

SEC("?xdp")
int counter_xdp_prt(struct xdp_md *ctx)
{
	return xdp_key(ctx, COUNTER_PROTOCOL);
}

SEC("?xdp.frags")
int counter_xdpf(struct xdp_md *ctx)
{
	struct amount a = { bpf_xdp_get_buff_len(ctx), 0 };

	add_slot(&total, COUNTER_SLOT_ALL, a);
	return XDP_PASS;
}

SEC("?xdp.frags")
int counter_xdpf_key(struct xdp_md *ctx)
{
	struct amount a = { bpf_xdp_get_buff_len(ctx), 0 };
	const __u8 *data = ebpfnet__ctx_pointer(ctx, data);
	const __u8 *end = ebpfnet__ctx_pointer(ctx, data_end);
	__u32 key = counter_key;
	struct ebpfnet_pkt pkt;

	add_slot(&total, COUNTER_SLOT_ALL, a);
	if (is_address(key) && data + 14 <= end &&
	    count_plain(data + 14, end, a.bytes - 14, ebpfnet__get16(data + 12), key, a))
		return XDP_PASS;
	ebpfnet_parse_xdp_frags(ctx, &pkt);
	count_parsed(&pkt, key, a, a.bytes);
	return XDP_PASS;
}

/*
 * Of a packet that the kernel merged or has not cut yet: what its segments are on the wire. Each but
 * the first has the headers again. payload_off ends the last header that was read.
 */
static __always_inline struct amount segments(const struct ebpfnet_pkt *pkt, __u64 len, __u64 n)
{
	struct amount a = { len, n - 1 };

	a.bytes += a.extra * forget(pkt->payload_off, len);
	return a;
}

static __always_inline int parse_tc(struct __sk_buff *ctx, struct ebpfnet_pkt *pkt)
{
	if (counter_config.no_l2)
		return ebpfnet_parse_skb_to(ctx, pkt, EBPFNET_PARSE_L4 | EBPFNET_PARSE_NO_L2);
	return ebpfnet_parse_skb(ctx, pkt);
}

SEC("?tc")
int counter_tc(struct __sk_buff *ctx)
{
	struct amount a = { ctx->len, 0 };
	__u32 n = ctx->gso_segs;
	struct ebpfnet_pkt pkt;

	if (ebpfnet__unlikely(n > 1)) {
		parse_tc(ctx, &pkt);
		a = segments(&pkt, a.bytes, n);
	}
	add_slot(&total, COUNTER_SLOT_ALL, a);
	return TC_ACT_UNSPEC;
}

SEC("?tc")
int counter_tc_key(struct __sk_buff *ctx)
{
	const __u8 *data = ebpfnet__ctx_pointer(ctx, data);
	const __u8 *end = ebpfnet__ctx_pointer(ctx, data_end);
	struct amount a = { ctx->len, 0 };
	__u32 key = counter_key, n = ctx->gso_segs;
	struct ebpfnet_pkt pkt;

	if (is_address(key) && !counter_config.no_l2 && n <= 1 && data + 14 <= end &&
	    count_plain(data + 14, end, a.bytes - 14, ebpfnet__get16(data + 12), key, a)) {
		add_slot(&total, COUNTER_SLOT_ALL, a);
		return TC_ACT_UNSPEC;
	}
	/* Read anew: the verifier walks the parser once for each thing that it knows of them. */
	a.bytes = ebpfnet__reread(ctx->len);
	n = ebpfnet__reread(ctx->gso_segs);
	parse_tc(ctx, &pkt);
	if (n > 1)
		a = segments(&pkt, a.bytes, n);
	count_parsed(&pkt, key, a, a.bytes);
	add_slot(&total, COUNTER_SLOT_ALL, a);
	return TC_ACT_UNSPEC;
}

SEC("?cgroup/skb")
int counter_cg(struct __sk_buff *ctx)
{
	struct amount a = { ctx->len, 0 };
	__u32 n = ctx->gso_segs;
	struct ebpfnet_pkt pkt;

	if (ebpfnet__unlikely(n > 1)) {
		ebpfnet_parse_cgroup_skb(ctx, &pkt);
		a = segments(&pkt, a.bytes, n);
	}
	add_slot(&total, COUNTER_SLOT_ALL, a);
	return 1;
}

SEC("?cgroup/skb")
int counter_cg_key(struct __sk_buff *ctx)
{
	const __u8 *data = ebpfnet__ctx_pointer(ctx, data);
	const __u8 *end = ebpfnet__ctx_pointer(ctx, data_end);
	struct amount a = { ctx->len, 0 };
	__u32 key = counter_key, n = ctx->gso_segs;
	struct ebpfnet_pkt pkt;

	if (is_address(key) && n <= 1 &&
	    count_plain(data, end, a.bytes, (__be16)ctx->protocol, key, a)) {
		add_slot(&total, COUNTER_SLOT_ALL, a);
		return 1;
	}
	a.bytes = ebpfnet__reread(ctx->len); /* as at tc */
	n = ebpfnet__reread(ctx->gso_segs);
	ebpfnet_parse_cgroup_skb(ctx, &pkt);
	if (n > 1)
		a = segments(&pkt, a.bytes, n);
	count_parsed(&pkt, key, a, a.bytes);
	add_slot(&total, COUNTER_SLOT_ALL, a);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
