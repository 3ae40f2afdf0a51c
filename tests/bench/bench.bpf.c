// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that benchmarks need and that are nobody's peer: empty ones, the calibration program,
 * the sender of live frames.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define TABLE(name)                                                                                \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(max_entries, 2048);                                                         \
		__type(key, __u32);                                                                \
		__type(value, __u64);                                                              \
	} name SEC(".maps")

/* User space puts the addresses of 1,024 flows in; what is looked up is there. */
TABLE(sources);
TABLE(destinations);
TABLE(services);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} counted SEC(".maps");

__u32 sent;

SEC("xdp")
int xdp_empty(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("tc")
int tc_empty(struct __sk_buff *ctx)
{
	return TC_ACT_OK;
}

static __always_inline const struct iphdr *ip_of(struct xdp_md *ctx)
{
	const void *end = (void *)(long)ctx->data_end;
	const struct iphdr *ip = (void *)(long)ctx->data + sizeof(struct ethhdr);

	return (const void *)(ip + 1) > end ? NULL : ip;
}

/* The calibration program: what one hash lookup costs on this machine, now. */
static __always_inline int lookup(struct xdp_md *ctx, int verdict)
{
	const struct iphdr *ip = ip_of(ctx);
	__u64 *v;

	if (!ip)
		return XDP_ABORTED;
	v = bpf_map_lookup_elem(&sources, &ip->saddr);
	return v && *v == 1 ? verdict : XDP_ABORTED;
}

SEC("xdp")
int xdp_lookup(struct xdp_md *ctx)
{
	return lookup(ctx, XDP_PASS);
}

/* The same and one more, for the harness's own test. */
SEC("xdp")
int xdp_lookup_more(struct xdp_md *ctx)
{
	const struct iphdr *ip = ip_of(ctx);
	__u64 *v;

	if (!ip || lookup(ctx, XDP_PASS) != XDP_PASS)
		return XDP_ABORTED;
	v = bpf_map_lookup_elem(&destinations, &ip->daddr);
	return v ? XDP_PASS : XDP_ABORTED;
}

/* The three that the field quotes rates of. */
SEC("xdp")
int drop_empty(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int drop_lookup(struct xdp_md *ctx)
{
	return lookup(ctx, XDP_DROP);
}

/* A rule by source, a rule by destination, a service by protocol and port; then a count. */
SEC("xdp")
int drop_logic(struct xdp_md *ctx)
{
	const struct iphdr *ip = ip_of(ctx);
	__u32 zero = 0, service;
	__u64 *source, *destination, *policy, *n;
	const __be16 *ports;

	if (!ip || ip->version != 4 || ip->ihl != 5)
		return XDP_ABORTED;
	ports = (const void *)(ip + 1);
	if ((const void *)(ports + 2) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	source = bpf_map_lookup_elem(&sources, &ip->saddr);
	destination = bpf_map_lookup_elem(&destinations, &ip->daddr);
	service = (__u32)ip->protocol << 16 | bpf_ntohs(ports[1]);
	policy = bpf_map_lookup_elem(&services, &service);
	if (!source || !destination || !policy || *source != 1)
		return XDP_ABORTED;
	n = bpf_map_lookup_elem(&counted, &zero);
	if (!n || *destination != *policy)
		return XDP_ABORTED;
	n[0]++;
	return XDP_DROP;
}

/* Live frames: sends each back out of the interface it seems to come from, 1,024 sources in turn. */
SEC("xdp")
int live_send(struct xdp_md *ctx)
{
	struct iphdr *ip = (struct iphdr *)ip_of(ctx);

	if (!ip)
		return XDP_ABORTED;
	ip->saddr = bpf_htonl(0x0a000000 + (sent++ & 1023));
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
