// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts packets and bytes, in total and per key, and lets everything pass. Every CPU counts for
 * itself; user space adds up. What the loader leaves off is removed by the verifier.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <ebpfnet/bpf/parse.h>

#include "counter_layout.h"

const volatile __u32 counter_key = COUNTER_TOTAL;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_SLOTS);
	__type(key, __u32);
	__type(value, struct counter_value);
} total SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_PROTOCOLS);
	__type(key, __u32);
	__type(value, struct counter_value);
} protocol SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, __be32);
	__type(value, struct counter_value);
} address4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct counter_address6);
	__type(value, struct counter_value);
} address6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counter_base);
} base SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counter_meta);
} meta SEC(".maps");

static __always_inline void add(struct counter_value *v, __u64 bytes)
{
	v->packets++;
	v->bytes += bytes;
}

static __always_inline void add_slot(void *map, __u32 slot, __u64 bytes)
{
	struct counter_value *v = bpf_map_lookup_elem(map, &slot);

	if (v)
		add(v, bytes);
}

static __always_inline void add_key(void *map, const void *key, __u64 bytes)
{
	struct counter_value *v = bpf_map_lookup_elem(map, key);
	struct counter_value first = { .packets = 1, .bytes = bytes };

	if (v) {
		add(v, bytes);
		return;
	}
	if (bpf_map_update_elem(map, key, &first, BPF_NOEXIST) == 0)
		return;
	/* Another CPU made the key at the same moment. If not, there is no room: it counts as
	 * evicted. */
	v = bpf_map_lookup_elem(map, key);
	if (v)
		add(v, bytes);
}

static __always_inline void count_protocol(const struct ebpfnet_pkt *pkt, __u64 bytes)
{
	add_slot(&protocol, pkt->l4_proto + (pkt->family == 6 ? COUNTER_IP6 : 0), bytes);
}

static __always_inline void count_source(const struct ebpfnet_pkt *pkt, __u64 bytes)
{
	if (pkt->family == 6)
		add_key(&address6, &pkt->saddr, bytes);
	else
		add_key(&address4, &pkt->saddr.v4, bytes);
}

SEC("xdp")
int counter_xdp(struct xdp_md *ctx)
{
	__u64 bytes = ctx->data_end - ctx->data;
	struct ebpfnet_pkt pkt;

	add_slot(&total, COUNTER_SLOT_ALL, bytes);
	if (counter_key == COUNTER_TOTAL)
		return XDP_PASS;
	/* A protocol is behind the extension headers, an address is not. */
	ebpfnet_parse_xdp_to(ctx, &pkt,
			     counter_key == COUNTER_SOURCE ? EBPFNET_PARSE_L3 : EBPFNET_PARSE_L4);
	if (!(pkt.flags & EBPFNET_PKT_L3) || (pkt.reason && counter_key != COUNTER_SOURCE))
		add_slot(&total, COUNTER_SLOT_OTHER, bytes);
	else if (counter_key == COUNTER_PROTOCOL)
		count_protocol(&pkt, bytes);
	else
		count_source(&pkt, bytes);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
