/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EBPFNET_BPF_COUNTER_MAPS_H
#define EBPFNET_BPF_COUNTER_MAPS_H

/* The counter's maps, and how a packet is added to them. A table that the key does not use has one
 * entry. */

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "counter_layout.h"

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
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct counter_port);
	__type(value, struct counter_value);
} port SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct counter_tuple4);
	__type(value, struct counter_value);
} tuple4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct counter_tuple6);
	__type(value, struct counter_value);
} tuple6 SEC(".maps");

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

/* What one packet counts. extra is the constant 0 where the hook knows no merged packets. */
struct amount {
	__u64 bytes;
	__u64 extra;
};

static __always_inline void add(struct counter_value *v, struct amount a)
{
	v->packets++;
	v->bytes += a.bytes;
	if (a.extra)
		v->extra_segments += a.extra;
}

static __always_inline void add_slot(void *map, __u32 slot, struct amount a)
{
	struct counter_value *v = bpf_map_lookup_elem(map, &slot);

	if (v)
		add(v, a);
}

static __always_inline void add_key(void *map, const void *key, struct amount a)
{
	struct counter_value *v = bpf_map_lookup_elem(map, key), first;

	if (__builtin_expect(!!v, 1)) {
		add(v, a);
		return;
	}
	first.packets = 1;
	first.bytes = a.bytes;
	first.extra_segments = a.extra;
	if (bpf_map_update_elem(map, key, &first, BPF_NOEXIST) == 0)
		return;
	/* Another CPU made the key at the same moment. If not, there is no room: it counts as
	 * evicted. */
	v = bpf_map_lookup_elem(map, key);
	if (v)
		add(v, a);
}

#endif /* EBPFNET_BPF_COUNTER_MAPS_H */
