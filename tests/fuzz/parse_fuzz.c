// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * libFuzzer target for the packet parser. An input is six bytes of descriptor and a packet:
 *
 *	0	bit 0 a tag was lifted, bit 1 no layer 2, bits 2 and 3 the depth below L4
 *	1	how many bytes are linear, in 255ths of the packet
 *	2, 3	the lifted tag, and without layer 2 its low bits choose the ethertype
 *	4, 5	bytes of packet to pretend behind the end of the input, which stay unreadable
 *
 * Beside "no crash" it checks that offsets are ordered and inside the packet, that layers come in
 *order, that fields of a layer that was not read are 0, and that a packet which is not linear gives
 *the same result, pulled or copied.
 *
 * There is no corpus in the tree: `parse_fuzz --seeds DIR` writes one from the packet generator,
 *and the mutator throws in fresh packets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <ebpfnet/bpf/parse.h>

#include "packets.h"

#define HEAD 6
#define SEEDS 64

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "parse_fuzz: line %d: %s\n", __LINE__, #cond);             \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* A packet of which only some bytes are at hand, in a block of exactly their size. */
struct remote {
	struct ebpfnet_bytes bytes;
	const uint8_t *all;
	size_t size; /* bytes that can be had at all */
	uint8_t *block;
};

static uint8_t *exactly(const uint8_t *data, size_t n)
{
	uint8_t *block = malloc(n ? n : 1);

	CHECK(block);
	memcpy(block, data, n);
	return block;
}

static int pull(struct ebpfnet_bytes *b, __u32 n)
{
	struct remote *r = (struct remote *)b;

	if (n > r->size)
		return -1;
	free(r->block);
	r->block = exactly(r->all, n);
	b->data = r->block;
	b->linear = n;
	return 0;
}

static int load(struct ebpfnet_bytes *b, __u32 off, void *to, __u32 n)
{
	struct remote *r = (struct remote *)b;

	if (off > r->size || n > r->size - off)
		return -1;
	memcpy(to, r->all + off, n);
	return 0;
}

static void describe(struct ebpfnet_bytes *b, const uint8_t *head, size_t size)
{
	static const uint16_t ethertypes[] = { 0x0800, 0x86dd, 0x8100, 0x0806 };

	memset(b, 0, sizeof(*b));
	b->has_tag = head[0] & 1;
	b->has_l2 = !(head[0] & 2);
	b->tag_proto = head[2] & 1 ? 0x8100 : 0x88a8;
	b->tag_tci = head[2] << 8 | head[3];
	b->ethertype = ethertypes[head[3] & 3];
	b->len = size + (head[4] << 8 | head[5]);
}

static int parse(const uint8_t *head, const uint8_t *data, size_t size, size_t linear, int way,
		 uint32_t opts, struct ebpfnet_pkt *pkt)
{
	struct remote r = { .all = data, .size = size };
	int reason;

	describe(&r.bytes, head, size);
	r.block = exactly(data, linear);
	r.bytes.data = r.block;
	r.bytes.linear = linear;
	if (way == 1)
		r.bytes.pull = pull;
	if (way == 2)
		r.bytes.load = load;
	memset(pkt, 0xa5, sizeof(*pkt));
	reason = ebpfnet_parse_bytes(&r.bytes, pkt, opts);
	free(r.block);
	return reason;
}

static void check(const struct ebpfnet_pkt *pkt, uint32_t len, uint32_t depth)
{
	static const union ebpfnet_pkt_addr none;

	CHECK(pkt->reason < EBPFNET_PARSE_REASON_COUNT);
	CHECK(pkt->vlan_count <= EBPFNET_PARSE_TAG_MAX);
	for (int i = pkt->vlan_count; i < EBPFNET_PARSE_TAG_MAX; i++)
		CHECK(!pkt->vlan[i].proto && !pkt->vlan[i].tci);
	CHECK(pkt->l3_off <= len && pkt->l4_off <= len && pkt->payload_off <= len);
	if (!(pkt->flags & EBPFNET_PKT_L3)) {
		CHECK(!pkt->family && !pkt->l3_len && !pkt->l4_off && !pkt->payload_off);
		CHECK(!memcmp(&pkt->saddr, &none, 16) && !memcmp(&pkt->daddr, &none, 16));
		CHECK(!pkt->ext_count && !pkt->frag && !(pkt->flags & EBPFNET_PKT_L4));
	} else {
		CHECK(depth >= EBPFNET_PARSE_L3);
		CHECK(pkt->family == (pkt->ethertype == 0x0800 ? 4 : 6));
		CHECK(pkt->l3_off + pkt->l3_len <= len);
		CHECK(pkt->l3_off + (pkt->family == 4 ? 20 : 40) <= pkt->l4_off);
		CHECK(pkt->l4_off <= pkt->payload_off);
		CHECK(pkt->payload_off <= pkt->l3_off + pkt->l3_len);
		CHECK(pkt->ext_count <= EBPFNET_PARSE_EXT_MAX);
		CHECK(pkt->family == 6 || (!pkt->ext_count && !pkt->ext_seen));
	}
	if (pkt->flags & EBPFNET_PKT_L4) {
		CHECK(depth >= EBPFNET_PARSE_L4 && !pkt->reason);
		CHECK(pkt->frag != EBPFNET_FRAG_LATER);
		CHECK(pkt->payload_off >= pkt->l4_off + 8);
	} else {
		CHECK(!pkt->sport && !pkt->dport && !pkt->tcp_flags);
		CHECK(!pkt->icmp_type && !pkt->icmp_code);
	}
	if (!pkt->frag && !pkt->reason)
		CHECK(!pkt->frag_off && !pkt->frag_id && !(pkt->flags & EBPFNET_PKT_MF));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ebpfnet_pkt whole, got;
	struct ebpfnet_bytes b;
	uint32_t depth;
	size_t linear;

	if (size < HEAD)
		return 0;
	depth = EBPFNET_PARSE_L4 - (data[0] >> 2 & 3) % 3;
	size -= HEAD;
	describe(&b, data, size);
	CHECK(parse(data, data + HEAD, size, size, 0, depth, &whole) == whole.reason);
	check(&whole, b.len, depth);
	CHECK(whole.reason != EBPFNET_PARSE_UNREADABLE || b.len > size);
	linear = size * data[1] / 255;
	for (int way = 1; way < 3; way++) {
		parse(data, data + HEAD, size, linear, way, depth, &got);
		CHECK(!memcmp(&got, &whole, sizeof(got)));
	}
	return 0;
}

/* An input with a random packet; returns its size, 0 when it does not fit. */
static size_t random_input(struct packet_rng *rng, uint8_t *data, size_t max)
{
	static struct packet p;
	struct packet_spec spec;

	packet_random(rng, &spec);
	if (!packet_build(&spec, &p) || p.len + HEAD > max)
		return 0;
	if (packet_rand(rng, 2))
		packet_damage(rng, &p);
	memset(data, 0, HEAD);
	data[0] = packet_rand(rng, 4) ? 0 : packet_rand(rng, 16);
	data[1] = packet_rand(rng, 256);
	data[2] = packet_rand(rng, 256);
	data[3] = packet_rand(rng, 256);
	memcpy(data + HEAD, p.data, p.len);
	if ((data[0] & 2) && p.len > 14) {
		memmove(data + HEAD, data + HEAD + 14, p.len - 14);
		return HEAD + p.len - 14;
	}
	return HEAD + p.len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct packet_rng rng = { .state = seed };
	size_t fresh;

	if (packet_rand(&rng, 8) == 0) {
		fresh = random_input(&rng, data, max);
		if (fresh)
			return fresh;
	}
	return LLVMFuzzerMutate(data, size, max);
}

static int write_seeds(const char *folder)
{
	struct packet_rng rng = { .state = 1 };

	mkdir(folder, 0777);
	for (int i = 0; i < SEEDS; i++) {
		static uint8_t input[PACKET_SIZE + HEAD];
		size_t n = random_input(&rng, input, sizeof(input));
		char path[512];
		FILE *f;

		snprintf(path, sizeof(path), "%s/packet-%02d", folder, i);
		f = fopen(path, "wb");
		if (!f || fwrite(input, 1, n, f) != n || fclose(f)) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (*argc == 3 && !strcmp((*argv)[1], "--seeds"))
		exit(write_seeds((*argv)[2]));
	return 0;
}
