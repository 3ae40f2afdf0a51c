// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "packets.h"

#include <string.h>

/* Where the builder is. Everything it writes goes through put(), which remembers that it did not
 * fit. */
struct builder {
	struct packet *packet;
	bool full;
};

static void put(struct builder *b, const void *bytes, size_t n)
{
	struct packet *p = b->packet;

	if (n > PACKET_SIZE - p->len) {
		b->full = true;
		return;
	}
	memcpy(p->data + p->len, bytes, n);
	p->len += n;
}

static void put8(struct builder *b, uint8_t x)
{
	put(b, &x, 1);
}

static void put16(struct builder *b, uint16_t x)
{
	put8(b, x >> 8);
	put8(b, x & 0xff);
}

static void put32(struct builder *b, uint32_t x)
{
	put16(b, x >> 16);
	put16(b, x & 0xffff);
}

/* n bytes that are recognised in a dump, and that look like no header. */
static void fill(struct builder *b, size_t n)
{
	for (size_t i = 0; i < n && !b->full; i++)
		put8(b, (uint8_t)(0xa0 + i));
}

static void set16(uint8_t *at, uint32_t x)
{
	at[0] = x >> 8 & 0xff;
	at[1] = x & 0xff;
}

static uint32_t sum(const uint8_t *p, size_t n, uint32_t s)
{
	for (size_t i = 0; i < n; i++)
		s += i & 1 ? p[i] : p[i] << 8;
	return s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s & 0xffff;
}

/* CRC32c, bit by bit. */
static uint32_t crc32c(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff;

	while (n--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

unsigned int packet_ext_size(const struct packet_ext *ext)
{
	switch (ext->type) {
	case PACKET_FRAGMENT:
		return 8;
	case PACKET_AH:
		return (ext->units + 2) * 4;
	default:
		return (ext->units + 1) * 8;
	}
}

unsigned int packet_l4_size(const struct packet_spec *spec)
{
	switch (spec->l4) {
	case PACKET_TCP:
		return 20 + spec->tcp_options * 4;
	case PACKET_SCTP:
		return 12;
	case PACKET_OTHER:
		return 0;
	default:
		return 8;
	}
}

uint8_t packet_l4_proto(const struct packet_spec *spec)
{
	switch (spec->l4) {
	case PACKET_TCP:
		return 6;
	case PACKET_UDP:
		return 17;
	case PACKET_ICMP:
		return spec->l3 == PACKET_IP6 ? 58 : 1;
	case PACKET_SCTP:
		return 132;
	default:
		return spec->proto;
	}
}

bool packet_is_fragment(const struct packet_spec *spec)
{
	bool header = spec->l3 == PACKET_IP4;

	for (unsigned int i = 0; i < spec->exts; i++)
		header |= spec->ext[i].type == PACKET_FRAGMENT;
	return header && (spec->more || spec->frag_off);
}

static void build_ethernet(struct builder *b, const struct packet_spec *spec)
{
	static const uint16_t ethertype[] = {
		[PACKET_IP4] = 0x0800, [PACKET_IP6] = 0x86dd, [PACKET_ARP] = 0x0806
	};
	static const uint8_t mac[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };

	put(b, mac, sizeof(mac));
	for (unsigned int i = 0; i < spec->tags; i++) {
		put16(b, spec->tag[i].proto);
		put16(b, spec->tag[i].tci);
	}
	put16(b, spec->l3 == PACKET_UNKNOWN ? spec->ethertype : ethertype[spec->l3]);
}

static void build_ip4(struct builder *b, const struct packet_spec *spec)
{
	put8(b, 0x45 + spec->options);
	put8(b, spec->dscp << 2);
	put16(b, 0); /* total length */
	put16(b, spec->id & 0xffff);
	put16(b, (spec->df ? 0x4000 : 0) | (spec->more ? 0x2000 : 0) | spec->frag_off);
	put8(b, spec->ttl ? spec->ttl : 64);
	put8(b, packet_l4_proto(spec));
	put16(b, 0); /* checksum */
	put(b, spec->saddr, 4);
	put(b, spec->daddr, 4);
	for (unsigned int i = 0; i < spec->options; i++)
		put32(b, 0x01010101); /* no operation */
}

static void build_ext(struct builder *b, const struct packet_spec *spec, unsigned int i)
{
	const struct packet_ext *ext = &spec->ext[i];

	put8(b, i + 1 < spec->exts ? spec->ext[i + 1].type : packet_l4_proto(spec));
	if (ext->type == PACKET_FRAGMENT) {
		b->packet->fragment_off = b->packet->len - 1;
		put8(b, 0);
		put16(b, spec->frag_off << 3 | spec->more);
		put32(b, spec->id);
		return;
	}
	put8(b, ext->units);
	if (ext->type == PACKET_HOP || ext->type == PACKET_DESTINATION) {
		/* Padding that is valid: one PadN after the other, each of up to 255 bytes. */
		unsigned int left = packet_ext_size(ext) - 2;

		while (left) {
			unsigned int n = left < 2 ? left : left > 257 ? 200 : left;

			put8(b, n == 1 ? 0 : 1);
			for (unsigned int k = 1; k < n; k++)
				put8(b, k == 1 ? n - 2 : 0);
			left -= n;
		}
		return;
	}
	fill(b, packet_ext_size(ext) - 2);
}

static void build_ip6(struct builder *b, const struct packet_spec *spec)
{
	put32(b, 6u << 28 | (uint32_t)spec->dscp << 22);
	put16(b, 0); /* payload length */
	put8(b, spec->exts ? spec->ext[0].type : packet_l4_proto(spec));
	put8(b, spec->ttl ? spec->ttl : 64);
	put(b, spec->saddr, 16);
	put(b, spec->daddr, 16);
	for (unsigned int i = 0; i < spec->exts; i++)
		build_ext(b, spec, i);
}

static void build_l4(struct builder *b, const struct packet_spec *spec)
{
	switch (spec->l4) {
	case PACKET_TCP:
		put16(b, spec->sport);
		put16(b, spec->dport);
		put32(b, 0x01020304);
		put32(b, 0x05060708);
		put8(b, (5 + spec->tcp_options) << 4);
		put8(b, spec->tcp_flags);
		put16(b, 64240);
		put32(b, 0); /* checksum, urgent pointer */
		for (unsigned int i = 0; i < spec->tcp_options; i++)
			put32(b, 0x01010101);
		break;
	case PACKET_UDP:
		put16(b, spec->sport);
		put16(b, spec->dport);
		put32(b, 0); /* length, checksum */
		break;
	case PACKET_ICMP:
		put8(b, spec->icmp_type);
		put8(b, spec->icmp_code);
		put16(b, 0);
		put32(b, 0x00070001);
		break;
	case PACKET_SCTP:
		put16(b, spec->sport);
		put16(b, spec->dport);
		put32(b, 0x11223344);
		put32(b, 0); /* checksum */
		break;
	case PACKET_OTHER:
		break;
	}
}

/* Lengths and checksums, when all bytes are there. end is where the IP packet ends. */
static void finish(const struct packet_spec *spec, struct packet *p, uint32_t end)
{
	uint8_t *l3 = p->data + p->l3_off, *l4 = p->data + p->l4_off;
	uint32_t n = end - p->l4_off, pseudo = packet_l4_proto(spec) + n;

	if (spec->l3 == PACKET_IP4) {
		set16(l3 + 2, end - p->l3_off);
		set16(l3 + 10, fold(sum(l3, p->l4_off - p->l3_off, 0)));
		pseudo = sum(l3 + 12, 8, pseudo);
	} else {
		set16(l3 + 4, end - p->l3_off - 40);
		pseudo = sum(l3 + 8, 32, pseudo);
	}
	switch (spec->l4) {
	case PACKET_TCP:
		set16(l4 + 16, fold(sum(l4, n, pseudo)));
		break;
	case PACKET_UDP:
		/* The length of a fragmented datagram is that of the whole. */
		set16(l4 + 4, packet_is_fragment(spec) ? n + 1480 : n);
		set16(l4 + 6, fold(sum(l4, n, pseudo)));
		break;
	case PACKET_ICMP:
		set16(l4 + 2, fold(sum(l4, n, spec->l3 == PACKET_IP6 ? pseudo : 0)));
		break;
	case PACKET_SCTP: {
		uint32_t crc = crc32c(l4, n);

		for (int i = 0; i < 4; i++)
			l4[8 + i] = crc >> 8 * i & 0xff;
		break;
	}
	case PACKET_OTHER:
		break;
	}
}

bool packet_build(const struct packet_spec *spec, struct packet *packet)
{
	struct builder b = { .packet = packet };
	uint32_t from, end;

	packet->len = 0;
	packet->fragment_off = 0;
	build_ethernet(&b, spec);
	packet->l3_off = packet->len;
	if (spec->l3 == PACKET_IP4)
		build_ip4(&b, spec);
	else if (spec->l3 == PACKET_IP6)
		build_ip6(&b, spec);
	packet->l4_off = packet->len;
	if (spec->l3 == PACKET_IP4 || spec->l3 == PACKET_IP6)
		build_l4(&b, spec);
	packet->payload_off = packet->len;
	fill(&b, spec->l3 == PACKET_ARP ? 28 : spec->payload);
	from = packet->fragment_off ? packet->fragment_off + 8u : packet->l4_off;
	if (spec->more && packet_is_fragment(spec) && (packet->len - from) % 8)
		fill(&b, 8 - (packet->len - from) % 8);
	end = packet->len;
	fill(&b, spec->padding);
	if (b.full)
		return false;
	if (spec->l3 == PACKET_IP4 || spec->l3 == PACKET_IP6)
		finish(spec, packet, end);
	return true;
}

/* splitmix64: any seed will do, 0 too. */
uint32_t packet_rand(struct packet_rng *rng, uint32_t below)
{
	uint64_t x = rng->state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	x ^= x >> 31;
	return (uint32_t)((x >> 32) * below >> 32);
}

/* True once in n times. */
static bool rarely(struct packet_rng *rng, uint32_t n)
{
	return packet_rand(rng, n) == 0;
}

static void random_ext(struct packet_rng *rng, struct packet_spec *spec)
{
	static const uint8_t types[] = { PACKET_ROUTING, PACKET_AH, PACKET_DESTINATION,
					 PACKET_MOBILITY };
	/* Where the one fragment header goes, if there is one. */
	unsigned int fragment = rarely(rng, 2) ? packet_rand(rng, 8) : PACKET_EXTS;

	spec->exts = rarely(rng, 16) ? PACKET_EXTS : packet_rand(rng, 9);
	for (unsigned int i = 0; i < spec->exts; i++) {
		struct packet_ext *ext = &spec->ext[i];

		ext->type = types[packet_rand(rng, sizeof(types))];
		if (i == fragment)
			ext->type = PACKET_FRAGMENT;
		else if (!i && rarely(rng, 2))
			ext->type = PACKET_HOP;
		ext->units = packet_rand(rng, rarely(rng, 8) ? 16 : 3);
		if (ext->type == PACKET_AH)
			ext->units++;
		if (ext->type == PACKET_FRAGMENT)
			ext->units = 0;
	}
}

static void random_fragment(struct packet_rng *rng, struct packet_spec *spec)
{
	spec->more = rarely(rng, 2);
	/* Offset 1 would be malformed for TCP, and beyond 8,000 the end may be. */
	spec->frag_off = rarely(rng, 3) ? 0 : 2 + packet_rand(rng, 7900);
	if (spec->l3 == PACKET_IP4)
		spec->df = rarely(rng, 8);
}

void packet_random(struct packet_rng *rng, struct packet_spec *spec)
{
	static const uint16_t unknown[] = { 0x88cc, 0x8847, 0x9000, 0x0600, 0x0123 };
	static const uint8_t other[] = { 2, 4, 41, 47, 50, 59, 89, 103, 112, 136, 139, 255 };

	memset(spec, 0, sizeof(*spec));
	if (rarely(rng, 3))
		spec->tags = rarely(rng, 8) ? PACKET_TAGS : 1 + packet_rand(rng, 4);
	for (unsigned int i = 0; i < spec->tags; i++) {
		spec->tag[i].proto = rarely(rng, 3) ? 0x88a8 : 0x8100;
		spec->tag[i].tci = packet_rand(rng, 65536);
	}
	spec->l3 = rarely(rng, 12)   ? PACKET_ARP
		   : rarely(rng, 12) ? PACKET_UNKNOWN
				     : packet_rand(rng, 2);
	spec->ethertype = unknown[packet_rand(rng, sizeof(unknown) / sizeof(*unknown))];
	for (unsigned int i = 0; i < 16; i++) {
		spec->saddr[i] = packet_rand(rng, 256);
		spec->daddr[i] = packet_rand(rng, 256);
	}
	spec->dscp = packet_rand(rng, 64);
	spec->ttl = 1 + packet_rand(rng, 255);
	spec->id = packet_rand(rng, UINT32_MAX);
	spec->df = rarely(rng, 2);
	if (spec->l3 == PACKET_IP4 && rarely(rng, 3))
		spec->options = 1 + packet_rand(rng, 10);
	if (spec->l3 == PACKET_IP6 && rarely(rng, 2))
		random_ext(rng, spec);
	if (rarely(rng, 3))
		random_fragment(rng, spec);
	spec->l4 = packet_rand(rng, 5);
	spec->proto = other[packet_rand(rng, sizeof(other))];
	spec->sport = packet_rand(rng, 65536);
	spec->dport = packet_rand(rng, 65536);
	spec->tcp_flags = packet_rand(rng, 256);
	spec->tcp_options = rarely(rng, 3) ? packet_rand(rng, 11) : 0;
	spec->icmp_type = packet_rand(rng, 256);
	spec->icmp_code = packet_rand(rng, 256);
	spec->payload = packet_rand(rng, rarely(rng, 8) ? 600 : 40);
	spec->padding = rarely(rng, 3) ? packet_rand(rng, 20) : 0;
}

void packet_damage(struct packet_rng *rng, struct packet *packet)
{
	for (uint32_t n = 1 + packet_rand(rng, 4); n; n--) {
		uint32_t headers =
			packet->payload_off < packet->len ? packet->payload_off : packet->len;
		uint32_t at = packet_rand(rng, rarely(rng, 8) || !headers ? packet->len : headers);

		/* The lengths and types of layer 3 are where parsers go wrong. */
		if (rarely(rng, 2) && packet->l3_off + 8u < packet->len)
			at = packet->l3_off + packet_rand(rng, 8);
		if (rarely(rng, 2))
			packet->data[at] = packet_rand(rng, 256);
		else
			packet->data[at] ^= 1 << packet_rand(rng, 8);
	}
}
