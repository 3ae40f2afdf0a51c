/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_COUNTER_MODEL_H
#define EBPFNET_TESTS_COUNTER_MODEL_H

/*
 * What a counter must say, told from descriptions of packets and not from their bytes: nothing here
 * is shared with the counter or with the parser. Every key is compared, both ways.
 */

#include <string.h>

#include "helpers.h"
#include "packets.h"

#define MODEL_PREFIX4 21
#define MODEL_PREFIX6 53
#define MODEL_KEYS 4096

struct model_key {
	uint32_t family, protocol;
	uint8_t source[16], destination[16];
	uint16_t source_port, destination_port;
	uint32_t prefix;
};

static struct model_count {
	struct model_key key;
	uint64_t packets, bytes, segments;
} model[MODEL_KEYS];
static size_t model_keys;
static uint64_t model_packets, model_bytes, model_segments, model_other, model_other_bytes;

static inline void model_clear(void)
{
	model_keys = 0;
	model_packets = model_bytes = model_segments = model_other = model_other_bytes = 0;
}

static inline struct model_count *model_find(const struct model_key *key)
{
	for (size_t i = model_keys; i-- > 0;)
		if (memcmp(&model[i].key, key, sizeof(*key)) == 0)
			return &model[i];
	return NULL;
}

/* key NULL: the packet has none. */
static inline void model_add(const struct model_key *key, uint64_t bytes, uint64_t segments)
{
	struct model_count *c;

	model_packets++;
	model_bytes += bytes;
	model_segments += segments;
	if (!key) {
		model_other++;
		model_other_bytes += bytes;
		return;
	}
	c = model_find(key);
	if (!c) {
		ck_assert_uint_lt(model_keys, MODEL_KEYS);
		c = &model[model_keys++];
		memset(c, 0, sizeof(*c));
		c->key = *key;
	}
	c->packets++;
	c->bytes += bytes;
	c->segments += segments;
}

static inline bool model_has_address(uint32_t key)
{
	return key == EBPFNET_COUNTER_SOURCE || key == EBPFNET_COUNTER_DESTINATION ||
	       key == EBPFNET_COUNTER_SOURCE_PREFIX;
}

/* What stands behind the extension headers; later: a fragment without layer 4; false: too many. */
static inline bool model_protocol(const struct packet_spec *spec, uint8_t *protocol, bool *later)
{
	*protocol = packet_l4_proto(spec);
	*later = spec->l3 == PACKET_IP4 && spec->frag_off;
	for (unsigned int i = 0; i < spec->exts; i++) {
		if (i == 8)
			return false;
		if (spec->ext[i].type == PACKET_FRAGMENT && spec->frag_off) {
			*later = true;
			if (i + 1u < spec->exts)
				*protocol = spec->ext[i + 1].type;
			return true;
		}
	}
	return true;
}

static inline void model_prefix(struct model_key *k, unsigned int bits)
{
	k->prefix = bits;
	for (unsigned int i = 0; i < 128; i++)
		if (i >= bits)
			k->source[i / 8] &= (uint8_t) ~(1u << (7 - i % 8));
}

/* The key of a described packet; false: it has none. */
static inline bool model_key_of(const struct packet_spec *spec, uint32_t key, struct model_key *k)
{
	size_t size = spec->l3 == PACKET_IP4 ? 4 : 16;
	uint8_t protocol;
	bool later, known;

	memset(k, 0, sizeof(*k));
	if (key == EBPFNET_COUNTER_TOTAL)
		return true;
	if ((spec->l3 != PACKET_IP4 && spec->l3 != PACKET_IP6) || spec->tags > 4)
		return false;
	k->family = spec->l3 == PACKET_IP4 ? 4 : 6;
	known = model_protocol(spec, &protocol, &later);
	if (key == EBPFNET_COUNTER_SOURCE || key == EBPFNET_COUNTER_SOURCE_PREFIX ||
	    key == EBPFNET_COUNTER_FIVE_TUPLE) {
		memcpy(k->source, spec->saddr, size);
		k->prefix = size * 8;
	}
	if (key == EBPFNET_COUNTER_SOURCE_PREFIX)
		model_prefix(k, size == 4 ? MODEL_PREFIX4 : MODEL_PREFIX6);
	if (key == EBPFNET_COUNTER_DESTINATION || key == EBPFNET_COUNTER_FIVE_TUPLE)
		memcpy(k->destination, spec->daddr, size);
	if (model_has_address(key))
		return true;
	k->protocol = protocol;
	if (key == EBPFNET_COUNTER_PROTOCOL)
		return known;
	if (spec->l4 == PACKET_TCP || spec->l4 == PACKET_UDP || spec->l4 == PACKET_SCTP) {
		k->destination_port = spec->dport;
		if (key == EBPFNET_COUNTER_FIVE_TUPLE)
			k->source_port = spec->sport;
	}
	return known && !later;
}

static inline void model_packet(const struct packet_spec *spec, uint32_t key, uint64_t bytes,
				uint64_t segments)
{
	struct model_key k;
	bool has = model_key_of(spec, key, &k);

	model_add(has ? &k : NULL, bytes, segments);
}

/* Every key with its figures, no other key, and the sums. Returns how many keys agree. */
static inline size_t model_compare(struct ebpfnet_counter *counter)
{
	struct ebpfnet_counter_stats s = { .sz = sizeof(s) };
	struct ebpfnet_counter_snapshot *snap;
	struct ebpfnet_error *e = NULL;
	size_t n;

	ASSERT_OK(ebpfnet_counter_snapshot_new(counter, &snap, &e), e);
	n = ebpfnet_counter_snapshot_count(snap);
	for (size_t i = 0; i < n; i++) {
		struct ebpfnet_counter_entry got = { .sz = sizeof(got) };
		struct model_key k;
		struct model_count *want;

		ck_assert_int_eq(ebpfnet_counter_snapshot_entry(snap, i, &got), 0);
		memset(&k, 0, sizeof(k));
		k.family = got.family;
		k.protocol = got.protocol;
		memcpy(k.source, got.source, 16);
		memcpy(k.destination, got.destination, 16);
		k.source_port = got.source_port;
		k.destination_port = got.destination_port;
		k.prefix = got.prefix;
		want = model_find(&k);
		ck_assert_msg(want, "no packet had key %zu: family %u protocol %u ports %u %u", i,
			      k.family, k.protocol, k.source_port, k.destination_port);
		ck_assert_uint_eq(got.packets, want->packets);
		ck_assert_uint_eq(got.bytes, want->bytes);
		ck_assert_uint_eq(got.segments, want->segments);
	}
	ck_assert_uint_eq(n, model_keys);
	ebpfnet_counter_snapshot_free(snap);
	ASSERT_OK(ebpfnet_counter_stats(counter, &s, &e), e);
	ck_assert_uint_eq(s.packets, model_packets);
	ck_assert_uint_eq(s.bytes, model_bytes);
	ck_assert_uint_eq(s.segments, model_segments);
	ck_assert_uint_eq(s.other_packets, model_other);
	ck_assert_uint_eq(s.other_bytes, model_other_bytes);
	ck_assert_uint_eq(s.evicted_packets, 0);
	return n;
}

#endif /* EBPFNET_TESTS_COUNTER_MODEL_H */
