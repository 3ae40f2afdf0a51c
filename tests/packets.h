/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_PACKETS_H
#define EBPFNET_TESTS_PACKETS_H

/*
 * Packets for tests: a description becomes bytes with right lengths and checksums; a seeded
 *generator makes descriptions and damages bytes. Depends on nothing of the library, so that both
 *can be wrong on their own.
 *
 *	struct packet_spec spec = { .l3 = PACKET_IP4, .l4 = PACKET_TCP, .sport = 1024, .dport = 80
 *}; struct packet packet;
 *
 *	packet_build(&spec, &packet);
 *	use(packet.data, packet.len);
 *
 * Numbers in a description are in host order, addresses are the bytes as they are sent. A zero
 *length or ttl in a description means the usual one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_SIZE 20480 /* room for eight extension headers of 2,048 bytes */
#define PACKET_TAGS 5	  /* one more than the parser takes */
#define PACKET_EXTS 9	  /* one more than the parser takes */

enum packet_l3 {
	PACKET_IP4,
	PACKET_IP6,
	PACKET_ARP,
	PACKET_UNKNOWN, /* ethertype is as given, payload follows */
};

enum packet_l4 {
	PACKET_TCP,
	PACKET_UDP,
	PACKET_ICMP, /* ICMPv6 in IPv6 */
	PACKET_SCTP,
	PACKET_OTHER, /* proto is as given, payload follows */
};

enum packet_ext_type {
	PACKET_HOP = 0,
	PACKET_ROUTING = 43,
	PACKET_FRAGMENT = 44,
	PACKET_AH = 51,
	PACKET_DESTINATION = 60,
	PACKET_MOBILITY = 135,
};

struct packet_tag {
	uint16_t proto;
	uint16_t tci;
};

struct packet_ext {
	uint8_t type;  /* enum packet_ext_type */
	uint8_t units; /* its length field: of 8 bytes beyond the first 8; AH: of 4 bytes beyond 8
			*/
};

struct packet_spec {
	uint8_t tags; /* entries of tag */
	struct packet_tag tag[PACKET_TAGS];
	enum packet_l3 l3;
	uint16_t ethertype; /* PACKET_UNKNOWN */
	uint8_t saddr[16];  /* IPv4: the first four */
	uint8_t daddr[16];
	uint8_t dscp;
	uint8_t ttl;	 /* 0: 64 */
	uint8_t options; /* words of IPv4 options, up to 10 */
	bool df;
	bool more;	   /* IPv4, and the fragment header of IPv6 */
	uint16_t frag_off; /* in units of 8 bytes */
	uint32_t id;	   /* IPv4: the low 16 bits */
	uint8_t exts;	   /* entries of ext */
	struct packet_ext ext[PACKET_EXTS];
	enum packet_l4 l4;
	uint8_t proto; /* PACKET_OTHER */
	uint16_t sport, dport;
	uint8_t tcp_flags;
	uint8_t tcp_options; /* words, up to 10 */
	uint8_t icmp_type, icmp_code;
	uint16_t payload; /* bytes */
	uint16_t padding; /* bytes behind the IP packet */
};

struct packet {
	uint32_t len;
	uint16_t l3_off;
	uint16_t l4_off;       /* behind all extension headers */
	uint16_t payload_off;  /* behind the layer 4 header */
	uint16_t fragment_off; /* of the IPv6 fragment header; 0: none */
	uint8_t data[PACKET_SIZE];
};

/* false: it does not fit. A fragment that is not the last gets payload up to a multiple of 8 bytes.
 */
bool packet_build(const struct packet_spec *spec, struct packet *packet);

/* The bytes of the layer 4 header, and of one extension header. */
unsigned int packet_l4_size(const struct packet_spec *spec);
unsigned int packet_ext_size(const struct packet_ext *ext);

/* The number in the protocol field that announces layer 4. */
uint8_t packet_l4_proto(const struct packet_spec *spec);

/* A fragment, first or later: IPv6 needs a fragment header for it. */
bool packet_is_fragment(const struct packet_spec *spec);

struct packet_rng {
	uint64_t state;
};

/* Uniform in [0, below); below is not 0. */
uint32_t packet_rand(struct packet_rng *rng, uint32_t below);

/* A valid packet of any kind, of at most about 1,400 bytes. */
void packet_random(struct packet_rng *rng, struct packet_spec *spec);

/* Change one to four bytes, mostly among the headers. */
void packet_damage(struct packet_rng *rng, struct packet *packet);

#endif /* EBPFNET_TESTS_PACKETS_H */
