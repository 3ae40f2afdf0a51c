// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Producers of numbered events. A number is used up only by an event that found room. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <ebpfnet/bpf/ring.h>

#include "ring_event.h"

EBPFNET_RING(events, 65536);
EBPFNET_RING(others, 4096);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} uncounted SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RING_NUMBERS);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

static __u64 *number(__u32 key)
{
	return bpf_map_lookup_elem(&numbers, &key);
}

static int count(__u32 key)
{
	__u64 *n = number(key);

	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}

SEC("tc")
int ring_emit(struct __sk_buff *ctx)
{
	struct ring_event *e;
	__u64 *n = number(RING_NEXT);

	count(RING_TRIED);
	e = ebpfnet_ring_reserve(&events, &events_drops, sizeof(*e));
	if (!e)
		return 0;
	e->number = n ? (*n)++ : 0;
	e->check = ~e->number;
	ebpfnet_ring_submit(e);
	return 1;
}

SEC("tc")
int ring_emit_other(struct __sk_buff *ctx)
{
	struct ring_event *e;
	__u64 *n = number(RING_NEXT_OTHER);

	e = ebpfnet_ring_reserve(&others, &others_drops, sizeof(*e));
	if (!e)
		return 0;
	e->number = n ? (*n)++ : 0;
	e->check = ~e->number;
	ebpfnet_ring_submit(e);
	return 1;
}

/* Every third is given up. */
SEC("tc")
int ring_emit_some(struct __sk_buff *ctx)
{
	struct ring_event *e;
	__u64 *n = number(RING_NEXT), *tried = number(RING_TRIED);

	e = ebpfnet_ring_reserve(&events, &events_drops, sizeof(*e));
	if (!e || !n || !tried) {
		if (e)
			ebpfnet_ring_discard(e);
		return 0;
	}
	if ((*tried)++ % 3 == 2) {
		ebpfnet_ring_discard(e);
		return 2;
	}
	e->number = (*n)++;
	e->check = ~e->number;
	ebpfnet_ring_submit(e);
	return 1;
}

SEC("tc")
int ring_discard(struct __sk_buff *ctx)
{
	struct ring_event *e;

	count(RING_TRIED);
	/* Nothing between the two: where a path splits, 5.10 forgets that e is not NULL. */
	e = ebpfnet_ring_reserve(&events, &events_drops, sizeof(*e));
	if (e)
		ebpfnet_ring_discard(e);
	return 0;
}

static __u8 filler[1024];

/* As many bytes as the packet's first two say, all of the number's value. */
SEC("tc")
int ring_emit_length(struct __sk_buff *ctx)
{
	__u16 *data = (__u16 *)(long)ctx->data;
	__u64 *n = number(RING_NEXT), len;

	if (data + 1 > (__u16 *)(long)ctx->data_end || !n)
		return 0;
	len = *data & 1023;
	filler[0] = (__u8)*n;
	filler[len] = (__u8)*n; /* must not be copied */
	if (ebpfnet_ring_output(&events, &events_drops, filler, len))
		return 0;
	(*n)++;
	return 1;
}

SEC("tc")
int ring_emit_quiet(struct __sk_buff *ctx)
{
	struct ring_event *e = ebpfnet_ring_reserve(&events, &events_drops, sizeof(*e));
	__u64 *n = number(RING_NEXT);

	if (!e)
		return 0;
	e->number = n ? (*n)++ : 0;
	e->check = ~e->number;
	ebpfnet_ring_submit_quiet(e);
	return 1;
}

/* Wakes when eight of them wait. */
SEC("tc")
int ring_emit_bulk(struct __sk_buff *ctx)
{
	struct ring_event *e = ebpfnet_ring_reserve(&events, &events_drops, sizeof(*e));
	__u64 *n = number(RING_NEXT);

	if (!e)
		return 0;
	e->number = n ? (*n)++ : 0;
	e->check = ~e->number;
	ebpfnet_ring_submit_bulk(&events, e, 8 * (sizeof(*e) + 8));
	return 1;
}

SEC("tc")
int ring_emit_uncounted(struct __sk_buff *ctx)
{
	struct ring_event *e = bpf_ringbuf_reserve(&uncounted, sizeof(*e), 0);

	if (!e)
		return 0;
	e->number = 1;
	e->check = ~1ull;
	bpf_ringbuf_submit(e, 0);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
