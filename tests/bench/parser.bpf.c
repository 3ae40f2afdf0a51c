// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs with the library's parser: it alone, and what a user of it writes. */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include <ebpfnet/bpf/parse.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64[2]);
} counted SEC(".maps");

/* The result must be there, but nothing is done with it. */
#define KEEP(pkt) asm volatile("" : : "r"(&(pkt)) : "memory")

SEC("xdp")
int parse_xdp(struct xdp_md *ctx)
{
	struct ebpfnet_pkt pkt;

	ebpfnet_parse_xdp(ctx, &pkt);
	KEEP(pkt);
	return XDP_PASS;
}

SEC("tc")
int parse_tc(struct __sk_buff *ctx)
{
	struct ebpfnet_pkt pkt;

	ebpfnet_parse_skb(ctx, &pkt);
	KEEP(pkt);
	return TC_ACT_OK;
}

/* The parser, a per-CPU count, a verdict. */
SEC("xdp")
int drop_parsed(struct xdp_md *ctx)
{
	struct ebpfnet_pkt pkt;
	__u32 zero = 0;
	__u64 *n;

	if (ebpfnet_parse_xdp(ctx, &pkt))
		return XDP_ABORTED;
	n = bpf_map_lookup_elem(&counted, &zero);
	if (!n)
		return XDP_ABORTED;
	n[0]++;
	n[1] += pkt.wire_len;
	return pkt.l4_proto == IPPROTO_TCP ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
