// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The packet parser on the host: a table of packets with every field, a table of malformed ones,
 * random packets against what their description says, and every truncation of each, in memory that
 * ends where the packet ends.
 */
#include "helpers.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ebpfnet/bpf/parse.h>

#include "packets.h"

#define RANDOM_PACKETS 20000

/* ---- Memory of which no byte behind the packet can be read. ---- */

#define ARENA (96 * 1024)

static uint8_t *arena[2];

static void arena_open(void)
{
	for (int i = 0; i < 2 && !arena[i]; i++) {
		size_t page = sysconf(_SC_PAGESIZE);
		uint8_t *p = mmap(NULL, ARENA + page, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ck_assert(p != MAP_FAILED);
		ck_assert_int_eq(mprotect(p + ARENA, page, PROT_NONE), 0);
		arena[i] = p;
	}
}

/* The bytes, with the last one before the forbidden page. */
static uint8_t *arena_put(int i, const uint8_t *data, uint32_t n)
{
	return memcpy(arena[i] + ARENA - n, data, n);
}

/* A packet of which only the first bytes are at hand. The descriptor is first: the parser knows no
 * more. */
struct remote {
	struct ebpfnet_bytes bytes;
	const uint8_t *all;
	int at; /* the arena in use */
};

/* As in the kernel a pull moves the packet, and the old place holds something else afterwards. */
static int pull(struct ebpfnet_bytes *b, __u32 n)
{
	struct remote *r = (struct remote *)b;

	if (n > b->len)
		return -1;
	memset(arena[r->at] + ARENA - b->linear, 0xee, b->linear);
	r->at = !r->at;
	b->data = arena_put(r->at, r->all, n);
	b->linear = n;
	return 0;
}

static int load(struct ebpfnet_bytes *b, __u32 off, void *to, __u32 n)
{
	struct remote *r = (struct remote *)b;

	if (off > b->len || n > b->len - off)
		return -1;
	memcpy(to, r->all + off, n);
	return 0;
}

static int fail_pull(struct ebpfnet_bytes *b, __u32 n)
{
	(void)b;
	(void)n;
	return -1;
}

/* The descriptor of a frame with layer 2, all of it linear. */
static struct ebpfnet_bytes frame(const uint8_t *data, uint32_t len)
{
	struct ebpfnet_bytes b = { .data = data, .linear = len, .len = len, .has_l2 = 1 };

	return b;
}

static void parse(const uint8_t *data, uint32_t len, __u32 opts, struct ebpfnet_pkt *pkt)
{
	struct ebpfnet_bytes b = frame(arena_put(0, data, len), len);
	int reason;

	/* What was in the result before must not shine through. */
	memset(pkt, 0xff, sizeof(*pkt));
	reason = ebpfnet_parse_bytes(&b, pkt, opts);
	if (reason != pkt->reason)
		ck_abort_msg("returned %d, reason %d", reason, pkt->reason);
}

/* The same with linear bytes at hand, and a way to the others. */
static int parse_remote(const uint8_t *data, uint32_t len, uint32_t linear, bool by_pull,
			struct ebpfnet_pkt *pkt)
{
	struct remote r = { .bytes = frame(arena_put(0, data, linear), len), .all = data };

	r.bytes.linear = linear;
	if (by_pull)
		r.bytes.pull = pull;
	else
		r.bytes.load = load;
	memset(pkt, 0xff, sizeof(*pkt));
	return ebpfnet_parse_bytes(&r.bytes, pkt, EBPFNET_PARSE_L4);
}

#define SIZE_OF(f) sizeof(((struct ebpfnet_pkt *)0)->f)
#define FIELD(f)                                                                                   \
	{                                                                                          \
		.name = #f, .at = offsetof(struct ebpfnet_pkt, f), .size = SIZE_OF(f)              \
	}

static const struct {
	const char *name;
	size_t at, size;
} members[] = {
	FIELD(saddr),	   FIELD(daddr),    FIELD(wire_len),  FIELD(l3_len),	FIELD(payload_off),
	FIELD(l4_off),	   FIELD(l3_off),   FIELD(ethertype), FIELD(ttl),	FIELD(dscp),
	FIELD(family),	   FIELD(l4_proto), FIELD(flags),     FIELD(frag),	FIELD(reason),
	FIELD(sport),	   FIELD(dport),    FIELD(tcp_flags), FIELD(icmp_type), FIELD(icmp_code),
	FIELD(vlan_count), FIELD(frag_id),  FIELD(frag_off),  FIELD(ext_seen),	FIELD(ext_count),
	FIELD(vlan),
};

static void print_bytes(const char *what, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	printf("%s", what);
	for (size_t i = 0; i < n; i++)
		printf(" %02x", p[i]);
}

/* Every member that differs, as the bytes it has. */
static void assert_same(const char *name, const struct ebpfnet_pkt *got,
			const struct ebpfnet_pkt *want)
{
	const char *a = (const char *)got, *b = (const char *)want;

	if (!memcmp(got, want, sizeof(*got)))
		return;
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		size_t at = members[i].at, size = members[i].size;

		if (!memcmp(a + at, b + at, size))
			continue;
		printf("%s: %s", name, members[i].name);
		print_bytes(" is", a + at, size);
		print_bytes(", not", b + at, size);
		printf("\n");
	}
	ck_abort_msg("%s: %s", name, ebpfnet_parse_reason_text(got->reason));
}

/* ---- Packets with every field. ---- */

#define V4 .saddr = { 192, 0, 2, 1 }, .daddr = { 198, 51, 100, 2 }
#define V6                                                                                         \
	.l3 = PACKET_IP6, .saddr = { 0x20, 1, 0xd, 0xb8, [15] = 1 },                               \
	.daddr = { 0x20, 1, 0xd, 0xb8, [7] = 9, [15] = 2 }
#define WANT_V4                                                                                    \
	.saddr.v6 = { 192, 0, 2, 1 }, .daddr.v6 = { 198, 51, 100, 2 }, .family = 4, .ttl = 64
#define WANT_V6                                                                                    \
	.saddr.v6 = { 0x20, 1, 0xd, 0xb8, [15] = 1 },                                              \
	.daddr.v6 = { 0x20, 1, 0xd, 0xb8, [7] = 9, [15] = 2 }, .family = 6, .ttl = 64
#define L2 EBPFNET_PKT_L2
#define L3 (EBPFNET_PKT_L2 | EBPFNET_PKT_L3)
#define L4 (EBPFNET_PKT_L2 | EBPFNET_PKT_L3 | EBPFNET_PKT_L4)
#define AT(l3, l4, payload) .l3_off = l3, .l4_off = l4, .payload_off = payload
#define PORTS .sport = 40000, .dport = 443
#define WANT_PORTS .sport = ebpfnet__be16(40000), .dport = ebpfnet__be16(443)

static const struct {
	const char *name;
	struct packet_spec spec;
	struct ebpfnet_pkt want;
} packets[] = {
	{ "tcp4",
	  { V4, PORTS, .tcp_flags = 0x12, .dscp = 46, .ttl = 3, .df = true, .payload = 5 },
	  { .saddr.v6 = { 192, 0, 2, 1 },
	    .daddr.v6 = { 198, 51, 100, 2 },
	    .family = 4,
	    .ttl = 3,
	    .wire_len = 59,
	    .l3_len = 45,
	    .ethertype = 0x0800,
	    AT(14, 34, 54),
	    .dscp = 46,
	    .flags = L4 | EBPFNET_PKT_DF,
	    .l4_proto = 6,
	    WANT_PORTS,
	    .tcp_flags = 0x12 } },
	{ "tcp4, options in both headers",
	  { V4, PORTS, .options = 10, .tcp_options = 10, .tcp_flags = 2 },
	  { WANT_V4, .wire_len = 134, .l3_len = 120, .ethertype = 0x0800, AT(14, 74, 134),
	    .flags = L4 | EBPFNET_PKT_OPTIONS, .l4_proto = 6, WANT_PORTS, .tcp_flags = 2 } },
	{ "udp4, padding",
	  { V4, PORTS, .l4 = PACKET_UDP, .payload = 4, .padding = 14 },
	  { WANT_V4, .wire_len = 60, .l3_len = 32, .ethertype = 0x0800, AT(14, 34, 42), .flags = L4,
	    .l4_proto = 17, WANT_PORTS } },
	{ "icmp4",
	  { V4, .l4 = PACKET_ICMP, .icmp_type = 3, .icmp_code = 4, .payload = 28 },
	  { WANT_V4, .wire_len = 70, .l3_len = 56, .ethertype = 0x0800, AT(14, 34, 42), .flags = L4,
	    .l4_proto = 1, .icmp_type = 3, .icmp_code = 4 } },
	{ "sctp4",
	  { V4, PORTS, .l4 = PACKET_SCTP, .payload = 20 },
	  { WANT_V4, .wire_len = 66, .l3_len = 52, .ethertype = 0x0800, AT(14, 34, 46), .flags = L4,
	    .l4_proto = 132, WANT_PORTS } },
	{ "gre4: an unknown protocol is well-formed",
	  { V4, .l4 = PACKET_OTHER, .proto = 47, .payload = 8 },
	  { WANT_V4, .wire_len = 42, .l3_len = 28, .ethertype = 0x0800, AT(14, 34, 34), .flags = L3,
	    .l4_proto = 47 } },
	{ "icmpv6 over IPv4 is an unknown protocol",
	  { V4, .l4 = PACKET_OTHER, .proto = 58, .payload = 2 },
	  { WANT_V4, .wire_len = 36, .l3_len = 22, .ethertype = 0x0800, AT(14, 34, 34), .flags = L3,
	    .l4_proto = 58 } },
	{ "AH over IPv4 is layer 4",
	  { V4, .l4 = PACKET_OTHER, .proto = 51, .payload = 24 },
	  { WANT_V4, .wire_len = 58, .l3_len = 44, .ethertype = 0x0800, AT(14, 34, 34), .flags = L3,
	    .l4_proto = 51 } },
	{ "udp4, first fragment",
	  { V4, PORTS, .l4 = PACKET_UDP, .more = true, .id = 0xbeef, .payload = 16 },
	  { WANT_V4, .wire_len = 58, .l3_len = 44, .ethertype = 0x0800, AT(14, 34, 42),
	    .flags = L4 | EBPFNET_PKT_MF, .l4_proto = 17, WANT_PORTS, .frag = EBPFNET_FRAG_FIRST,
	    .frag_id = 0xbeef } },
	{ "tcp4, middle fragment that looks like a header",
	  { V4, PORTS, .more = true, .frag_off = 185, .id = 7, .payload = 4 },
	  { WANT_V4, .wire_len = 58, .l3_len = 44, .ethertype = 0x0800, AT(14, 34, 34),
	    .flags = L3 | EBPFNET_PKT_MF, .l4_proto = 6, .frag = EBPFNET_FRAG_LATER,
	    .frag_off = 185, .frag_id = 7 } },
	{ "udp4, last fragment of 3 bytes",
	  { V4, .l4 = PACKET_OTHER, .proto = 17, .frag_off = 0x1000, .id = 8, .payload = 3 },
	  { WANT_V4, .wire_len = 37, .l3_len = 23, .ethertype = 0x0800, AT(14, 34, 34), .flags = L3,
	    .l4_proto = 17, .frag = EBPFNET_FRAG_LATER, .frag_off = 0x1000, .frag_id = 8 } },
	{ "tcp6",
	  { V6, PORTS, .tcp_flags = 0x10, .dscp = 46, .payload = 5 },
	  { WANT_V6, .wire_len = 79, .l3_len = 65, .ethertype = 0x86dd, AT(14, 54, 74), .dscp = 46,
	    .flags = L4, .l4_proto = 6, WANT_PORTS, .tcp_flags = 0x10 } },
	{ "icmp6",
	  { V6, .l4 = PACKET_ICMP, .icmp_type = 135, .payload = 16 },
	  { WANT_V6, .wire_len = 78, .l3_len = 64, .ethertype = 0x86dd, AT(14, 54, 62), .flags = L4,
	    .l4_proto = 58, .icmp_type = 135 } },
	{ "no next header",
	  { V6, .l4 = PACKET_OTHER, .proto = 59 },
	  { WANT_V6, .wire_len = 54, .l3_len = 40, .ethertype = 0x86dd, AT(14, 54, 54), .flags = L3,
	    .l4_proto = 59 } },
	{ "udp6 behind every extension header",
	  { V6, PORTS, .l4 = PACKET_UDP, .id = 0xdeadbeef, .exts = 6,
	    .ext = { { PACKET_HOP, 0 },
		     { PACKET_DESTINATION, 1 },
		     { PACKET_ROUTING, 2 },
		     { PACKET_FRAGMENT, 0 },
		     { PACKET_AH, 4 },
		     { PACKET_MOBILITY, 0 } } },
	  { WANT_V6, .wire_len = 150, .l3_len = 136, .ethertype = 0x86dd, AT(14, 142, 150),
	    .flags = L4, .l4_proto = 17, WANT_PORTS, .frag = EBPFNET_FRAG_ATOMIC,
	    .frag_id = 0xdeadbeef, .ext_seen = 0x3f, .ext_count = 6 } },
	{ "tcp6, eight extension headers of 2,048 bytes",
	  { V6, PORTS, .exts = 8,
	    .ext = { { PACKET_HOP, 255 },
		     { PACKET_DESTINATION, 255 },
		     { PACKET_ROUTING, 255 },
		     { PACKET_ROUTING, 255 },
		     { PACKET_DESTINATION, 255 },
		     { PACKET_ROUTING, 255 },
		     { PACKET_ROUTING, 255 },
		     { PACKET_ROUTING, 255 } } },
	  { WANT_V6, .wire_len = 16458, .l3_len = 16444, .ethertype = 0x86dd, AT(14, 16438, 16458),
	    .flags = L4, .l4_proto = 6, WANT_PORTS, .ext_seen = 0x13, .ext_count = 8 } },
	{ "tcp6, later fragment; a forged header behind it",
	  { V6, PORTS, .exts = 2, .frag_off = 100, .id = 9,
	    .ext = { { PACKET_FRAGMENT, 0 }, { PACKET_DESTINATION, 0 } } },
	  { WANT_V6, .wire_len = 90, .l3_len = 76, .ethertype = 0x86dd, AT(14, 62, 62), .flags = L3,
	    .l4_proto = PACKET_DESTINATION, .frag = EBPFNET_FRAG_LATER, .frag_off = 100,
	    .frag_id = 9, .ext_seen = EBPFNET_EXT_FRAGMENT, .ext_count = 1 } },
	{ "tcp6, first fragment",
	  { V6, PORTS, .exts = 1, .more = true, .id = 10, .ext = { { PACKET_FRAGMENT, 0 } },
	    .payload = 4 },
	  { WANT_V6, .wire_len = 86, .l3_len = 72, .ethertype = 0x86dd, AT(14, 62, 82),
	    .flags = L4 | EBPFNET_PKT_MF, .l4_proto = 6, WANT_PORTS, .frag = EBPFNET_FRAG_FIRST,
	    .frag_id = 10, .ext_seen = EBPFNET_EXT_FRAGMENT, .ext_count = 1 } },
	{ "udp4, one tag",
	  { V4, PORTS, .l4 = PACKET_UDP, .tags = 1, .tag = { { 0x8100, 0x6005 } } },
	  { WANT_V4, .wire_len = 46, .l3_len = 28, .ethertype = 0x0800, AT(18, 38, 46), .flags = L4,
	    .l4_proto = 17, WANT_PORTS, .vlan_count = 1, .vlan = { { 0x8100, 0x6005 } } } },
	{ "udp6, four tags",
	  { V6, PORTS, .l4 = PACKET_UDP, .tags = 4,
	    .tag = { { 0x88a8, 1 }, { 0x8100, 2 }, { 0x88a8, 3 }, { 0x8100, 0xffff } } },
	  { WANT_V6, .wire_len = 78, .l3_len = 48, .ethertype = 0x86dd, AT(30, 70, 78), .flags = L4,
	    .l4_proto = 17, WANT_PORTS, .vlan_count = 4,
	    .vlan = { { 0x88a8, 1 }, { 0x8100, 2 }, { 0x88a8, 3 }, { 0x8100, 0xffff } } } },
	{ "five tags",
	  { V4, PORTS, .tags = 5,
	    .tag = { { 0x8100, 1 }, { 0x8100, 2 }, { 0x8100, 3 }, { 0x8100, 4 }, { 0x8100, 5 } } },
	  { .wire_len = 74,
	    .flags = L2,
	    .reason = EBPFNET_PARSE_TAG_DEPTH,
	    .vlan_count = 4,
	    .vlan = { { 0x8100, 1 }, { 0x8100, 2 }, { 0x8100, 3 }, { 0x8100, 4 } } } },
	{ "arp",
	  { .l3 = PACKET_ARP, .padding = 18 },
	  { .wire_len = 60, .ethertype = 0x0806, .l3_off = 14, .flags = L2 } },
	{ "unknown ethertype behind a tag",
	  { .l3 = PACKET_UNKNOWN, .ethertype = 0x88cc, .tags = 1, .tag = { { 0x8100, 7 } } },
	  { .wire_len = 18,
	    .ethertype = 0x88cc,
	    .l3_off = 18,
	    .flags = L2,
	    .vlan_count = 1,
	    .vlan = { { 0x8100, 7 } } } },
	{ "802.3 length instead of a type",
	  { .l3 = PACKET_UNKNOWN, .ethertype = 38, .payload = 38, .padding = 8 },
	  { .wire_len = 60, .ethertype = 38, .l3_off = 14, .flags = L2 } },
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void build(const struct packet_spec *spec, struct packet *p)
{
	if (!packet_build(spec, p))
		ck_abort_msg("a packet does not fit");
}

START_TEST(fields)
{
	arena_open();
	for (size_t i = 0; i < COUNT(packets); i++) {
		struct ebpfnet_pkt got;
		static struct packet p;

		build(&packets[i].spec, &p);
		parse(p.data, p.len, EBPFNET_PARSE_L4, &got);
		assert_same(packets[i].name, &got, &packets[i].want);
	}
}
END_TEST

/* ---- Malformed packets: a good one, with bytes changed or cut off. ---- */

enum base { FROM_START, FROM_L3, FROM_L4 };

struct patch {
	enum base base;
	uint8_t at;
	uint8_t size; /* 1, 2; 0: no patch */
	uint16_t value;
};

#define TCP4                                                                                       \
	{                                                                                          \
		V4, PORTS                                                                          \
	}
#define UDP4                                                                                       \
	{                                                                                          \
		V4, PORTS, .l4 = PACKET_UDP, .payload = 4                                          \
	}
#define TCP6                                                                                       \
	{                                                                                          \
		V6, PORTS                                                                          \
	}
#define CHAIN(...)                                                                                 \
	{                                                                                          \
		V6, PORTS,                                                                         \
			.exts = sizeof((struct packet_ext[]) { __VA_ARGS__ }) /                    \
				sizeof(struct packet_ext),                                         \
			.ext = { __VA_ARGS__ }                                                     \
	}

static const struct {
	const char *name;
	struct packet_spec spec;
	struct patch patch[2];
	uint32_t len; /* cut to; 0: not */
	enum ebpfnet_parse_reason reason;
	uint16_t layers;
} malformed[] = {
	{ "empty", TCP4, .len = 1, .reason = EBPFNET_PARSE_ETH_TRUNCATED },
	{ "13 bytes", TCP4, .len = 13, .reason = EBPFNET_PARSE_ETH_TRUNCATED },
	{ "tag",
	  { .tags = 1, .tag = { { 0x8100, 1 } } },
	  .len = 17,
	  .reason = EBPFNET_PARSE_TAG_TRUNCATED,
	  .layers = L2 },
	{ "IPv4 header", TCP4, .len = 33, .reason = EBPFNET_PARSE_IP4_TRUNCATED, .layers = L2 },
	{ "version",
	  TCP4,
	  { { FROM_L3, 0, 1, 0x65 } },
	  .reason = EBPFNET_PARSE_IP4_VERSION,
	  .layers = L2 },
	{ "IHL 4",
	  TCP4,
	  { { FROM_L3, 0, 1, 0x44 } },
	  .reason = EBPFNET_PARSE_IP4_IHL,
	  .layers = L2 },
	{ "IHL 0",
	  TCP4,
	  { { FROM_L3, 0, 1, 0x40 } },
	  .reason = EBPFNET_PARSE_IP4_IHL,
	  .layers = L2 },
	{ "total length 19",
	  TCP4,
	  { { FROM_L3, 2, 2, 19 } },
	  .reason = EBPFNET_PARSE_IP4_LENGTH_SHORT,
	  .layers = L2 },
	{ "total length 0",
	  TCP4,
	  { { FROM_L3, 2, 2, 0 } },
	  .reason = EBPFNET_PARSE_IP4_LENGTH_SHORT,
	  .layers = L2 },
	{ "options beyond the total length",
	  TCP4,
	  { { FROM_L3, 0, 1, 0x4f } },
	  .reason = EBPFNET_PARSE_IP4_LENGTH_SHORT,
	  .layers = L2 },
	{ "total length + 1",
	  TCP4,
	  { { FROM_L3, 2, 2, 41 } },
	  .reason = EBPFNET_PARSE_IP4_LENGTH_LONG,
	  .layers = L2 },
	{ "IPv6 header", TCP6, .len = 53, .reason = EBPFNET_PARSE_IP6_TRUNCATED, .layers = L2 },
	{ "version 4",
	  TCP6,
	  { { FROM_L3, 0, 1, 0x40 } },
	  .reason = EBPFNET_PARSE_IP6_VERSION,
	  .layers = L2 },
	{ "payload length + 1",
	  TCP6,
	  { { FROM_L3, 4, 2, 21 } },
	  .reason = EBPFNET_PARSE_IP6_LENGTH_LONG,
	  .layers = L2 },
	{ "payload length 0",
	  TCP6,
	  { { FROM_L3, 4, 2, 0 } },
	  .reason = EBPFNET_PARSE_TCP_TRUNCATED,
	  .layers = L3 },
	{ "extension header beyond the packet",
	  CHAIN({ PACKET_DESTINATION, 0 }),
	  { { FROM_L3, 41, 1, 3 } },
	  .reason = EBPFNET_PARSE_EXT_TRUNCATED,
	  .layers = L3 },
	{ "extension header of 7 bytes",
	  CHAIN({ PACKET_DESTINATION, 0 }),
	  { { FROM_L3, 4, 2, 7 } },
	  .reason = EBPFNET_PARSE_EXT_TRUNCATED,
	  .layers = L3 },
	{ "a chain that goes on behind the end",
	  CHAIN({ PACKET_DESTINATION, 0 }),
	  { { FROM_L3, 4, 2, 8 }, { FROM_L3, 40, 1, PACKET_ROUTING } },
	  .reason = EBPFNET_PARSE_EXT_TRUNCATED,
	  .layers = L3 },
	{ "nine extension headers",
	  CHAIN({ 60, 0 }, { 60, 0 }, { 43, 0 }, { 43, 0 }, { 60, 0 }, { 60, 0 }, { 60, 0 },
		{ 60, 0 }, { 60, 0 }),
	  .reason = EBPFNET_PARSE_EXT_DEPTH, .layers = L3 },
	{ "hop-by-hop second", CHAIN({ PACKET_DESTINATION, 0 }, { PACKET_HOP, 0 }),
	  .reason = EBPFNET_PARSE_EXT_HOP_ORDER, .layers = L3 },
	{ "two fragment headers", CHAIN({ PACKET_FRAGMENT, 0 }, { PACKET_FRAGMENT, 0 }),
	  .reason = EBPFNET_PARSE_EXT_FRAGMENT_TWICE, .layers = L3 },
	{ "AH of 8 bytes", CHAIN({ PACKET_AH, 0 }), .reason = EBPFNET_PARSE_EXT_AH_LENGTH,
	  .layers = L3 },
	{ "fragment of 20 bytes, more follow",
	  TCP4,
	  { { FROM_L3, 6, 2, 0x2000 } },
	  .reason = EBPFNET_PARSE_FRAGMENT_LENGTH,
	  .layers = L3 },
	{ "IPv6 fragment of 20 bytes, more follow",
	  CHAIN({ PACKET_FRAGMENT, 0 }),
	  { { FROM_L3, 42, 2, 1 } },
	  .reason = EBPFNET_PARSE_FRAGMENT_LENGTH,
	  .layers = L3 },
	{ "fragment beyond 64 KiB",
	  TCP4,
	  { { FROM_L3, 6, 2, 0x1fff } },
	  .reason = EBPFNET_PARSE_FRAGMENT_END,
	  .layers = L3 },
	{ "fragment that ends at 65,535 bytes",
	  { V4, .l4 = PACKET_OTHER, .proto = 17, .frag_off = 8187, .payload = 19 },
	  .reason = EBPFNET_PARSE_OK,
	  .layers = L3 },
	{ "fragment that ends at 65,536 bytes",
	  { V4, .l4 = PACKET_OTHER, .proto = 17, .frag_off = 8187, .payload = 20 },
	  .reason = EBPFNET_PARSE_FRAGMENT_END,
	  .layers = L3 },
	{ "IPv6 fragment beyond 64 KiB",
	  CHAIN({ PACKET_FRAGMENT, 0 }),
	  { { FROM_L3, 42, 2, 0xfff8 } },
	  .reason = EBPFNET_PARSE_FRAGMENT_END,
	  .layers = L3 },
	{ "fragment over the TCP flags",
	  TCP4,
	  { { FROM_L3, 6, 2, 1 } },
	  .reason = EBPFNET_PARSE_FRAGMENT_OVERLAP,
	  .layers = L3 },
	{ "IPv6 fragment over the TCP flags",
	  CHAIN({ PACKET_FRAGMENT, 0 }),
	  { { FROM_L3, 42, 2, 8 } },
	  .reason = EBPFNET_PARSE_FRAGMENT_OVERLAP,
	  .layers = L3 },
	{ "TCP header cut to 8 bytes",
	  TCP4,
	  { { FROM_L3, 2, 2, 28 } },
	  .reason = EBPFNET_PARSE_TCP_TRUNCATED,
	  .layers = L3 },
	{ "TCP header of 19 bytes",
	  TCP6,
	  { { FROM_L3, 4, 2, 19 } },
	  .reason = EBPFNET_PARSE_TCP_TRUNCATED,
	  .layers = L3 },
	{ "first fragment with 8 bytes of TCP",
	  { V4, .l4 = PACKET_OTHER, .proto = 6, .more = true, .payload = 8 },
	  .reason = EBPFNET_PARSE_TCP_TRUNCATED,
	  .layers = L3 },
	{ "data offset 4",
	  TCP4,
	  { { FROM_L4, 12, 1, 0x40 } },
	  .reason = EBPFNET_PARSE_TCP_OFFSET_SHORT,
	  .layers = L3 },
	{ "data offset beyond",
	  TCP4,
	  { { FROM_L4, 12, 1, 0x60 } },
	  .reason = EBPFNET_PARSE_TCP_OFFSET_LONG,
	  .layers = L3 },
	{ "UDP header of 7 bytes",
	  UDP4,
	  { { FROM_L3, 2, 2, 27 } },
	  .reason = EBPFNET_PARSE_UDP_TRUNCATED,
	  .layers = L3 },
	{ "UDP length 7",
	  UDP4,
	  { { FROM_L4, 4, 2, 7 } },
	  .reason = EBPFNET_PARSE_UDP_LENGTH_SHORT,
	  .layers = L3 },
	{ "UDP length 0",
	  UDP4,
	  { { FROM_L4, 4, 2, 0 } },
	  .reason = EBPFNET_PARSE_UDP_LENGTH_SHORT,
	  .layers = L3 },
	{ "UDP length + 1",
	  UDP4,
	  { { FROM_L4, 4, 2, 13 } },
	  .reason = EBPFNET_PARSE_UDP_LENGTH_LONG,
	  .layers = L3 },
	{ "UDP length below the payload",
	  UDP4,
	  { { FROM_L4, 4, 2, 8 } },
	  .reason = EBPFNET_PARSE_OK,
	  .layers = L4 },
	{ "ICMP of 7 bytes",
	  { V4, .l4 = PACKET_ICMP },
	  { { FROM_L3, 2, 2, 27 } },
	  .reason = EBPFNET_PARSE_ICMP_TRUNCATED,
	  .layers = L3 },
	{ "ICMPv6 of 7 bytes",
	  { V6, .l4 = PACKET_ICMP },
	  { { FROM_L3, 4, 2, 7 } },
	  .reason = EBPFNET_PARSE_ICMP6_TRUNCATED,
	  .layers = L3 },
	{ "SCTP of 11 bytes",
	  { V4, .l4 = PACKET_SCTP },
	  { { FROM_L3, 2, 2, 31 } },
	  .reason = EBPFNET_PARSE_SCTP_TRUNCATED,
	  .layers = L3 },
};

static void apply(struct packet *p, const struct patch *patch)
{
	uint32_t base = patch->base == FROM_L3 ? p->l3_off : patch->base == FROM_L4 ? p->l4_off : 0;

	if (patch->size == 2)
		p->data[base + patch->at] = patch->value >> 8;
	if (patch->size)
		p->data[base + patch->at + patch->size - 1] = patch->value & 0xff;
}

START_TEST(reasons)
{
	bool seen[EBPFNET_PARSE_REASON_COUNT] = { [EBPFNET_PARSE_OK] = true };

	arena_open();
	seen[EBPFNET_PARSE_TAG_DEPTH] = true;  /* in the table of fields */
	seen[EBPFNET_PARSE_UNREADABLE] = true; /* in its own test */
	for (size_t i = 0; i < COUNT(malformed); i++) {
		const char *name = malformed[i].name;
		struct ebpfnet_pkt got;
		static struct packet p;
		uint16_t layers;

		build(&malformed[i].spec, &p);
		for (size_t k = 0; k < COUNT(malformed[i].patch); k++)
			apply(&p, &malformed[i].patch[k]);
		parse(p.data, malformed[i].len ? malformed[i].len : p.len, EBPFNET_PARSE_L4, &got);
		ck_assert_msg(got.reason == malformed[i].reason, "%s: %s, not: %s", name,
			      ebpfnet_parse_reason_text(got.reason),
			      ebpfnet_parse_reason_text(malformed[i].reason));
		layers = got.flags & L4;
		ck_assert_msg(layers == malformed[i].layers, "%s: layers %#x", name, layers);
		ck_assert_msg((layers & EBPFNET_PKT_L4) ||
				      (!got.sport && !got.dport && !got.icmp_type),
			      "%s: layer 4 fields without layer 4", name);
		seen[got.reason] = true;
	}
	for (int i = 0; i < EBPFNET_PARSE_REASON_COUNT; i++)
		ck_assert_msg(seen[i], "no packet for reason %d: %s", i,
			      ebpfnet_parse_reason_text(i));
}
END_TEST

/* ---- Random packets: what the description says must come out. ---- */

/* IPv6: the extension headers as the parser should count them. Returns false when there are too
 * many. */
static bool expect_chain(const struct packet_spec *spec, const struct packet *p,
			 struct ebpfnet_pkt *want)
{
	static const struct {
		uint8_t type, bit;
	} bits[] = { { PACKET_HOP, EBPFNET_EXT_HOP },
		     { PACKET_ROUTING, EBPFNET_EXT_ROUTING },
		     { PACKET_FRAGMENT, EBPFNET_EXT_FRAGMENT },
		     { PACKET_AH, EBPFNET_EXT_AH },
		     { PACKET_DESTINATION, EBPFNET_EXT_DESTINATION },
		     { PACKET_MOBILITY, EBPFNET_EXT_MOBILITY } };
	uint32_t off = p->l3_off + 40;

	for (unsigned int i = 0; i < spec->exts; i++) {
		const struct packet_ext *ext = &spec->ext[i];

		if (i == EBPFNET_PARSE_EXT_MAX) {
			want->l4_off = off;
			want->l4_proto = ext->type;
			want->reason = EBPFNET_PARSE_EXT_DEPTH;
			return false;
		}
		off += packet_ext_size(ext);
		want->ext_count = i + 1;
		for (size_t k = 0; k < COUNT(bits); k++)
			if (bits[k].type == ext->type)
				want->ext_seen |= bits[k].bit;
		if (ext->type != PACKET_FRAGMENT)
			continue;
		want->frag_id = spec->id;
		want->frag_off = spec->frag_off;
		want->frag = spec->frag_off ? EBPFNET_FRAG_LATER
			     : spec->more   ? EBPFNET_FRAG_FIRST
					    : EBPFNET_FRAG_ATOMIC;
		if (spec->more)
			want->flags |= EBPFNET_PKT_MF;
		if (spec->frag_off) {
			want->l4_off = off;
			want->l4_proto =
				i + 1 < spec->exts ? spec->ext[i + 1].type : packet_l4_proto(spec);
			return true;
		}
	}
	return true;
}

static void expect_l3(const struct packet_spec *spec, const struct packet *p,
		      struct ebpfnet_pkt *want)
{
	bool v4 = spec->l3 == PACKET_IP4;

	want->flags |= EBPFNET_PKT_L3;
	want->family = v4 ? 4 : 6;
	want->l3_len = p->len - spec->padding - p->l3_off;
	want->ttl = spec->ttl;
	want->dscp = spec->dscp;
	memcpy(&want->saddr, spec->saddr, v4 ? 4 : 16);
	memcpy(&want->daddr, spec->daddr, v4 ? 4 : 16);
	want->l4_off = p->l4_off;
	want->l4_proto = packet_l4_proto(spec);
	if (!v4)
		return;
	if (spec->df)
		want->flags |= EBPFNET_PKT_DF;
	if (spec->options)
		want->flags |= EBPFNET_PKT_OPTIONS;
	if (!packet_is_fragment(spec))
		return;
	want->frag = spec->frag_off ? EBPFNET_FRAG_LATER : EBPFNET_FRAG_FIRST;
	want->frag_off = spec->frag_off;
	want->frag_id = spec->id & 0xffff;
	if (spec->more)
		want->flags |= EBPFNET_PKT_MF;
}

static void expect_l4(const struct packet_spec *spec, const struct packet *p,
		      struct ebpfnet_pkt *want)
{
	if (spec->l4 == PACKET_OTHER)
		return;
	want->flags |= EBPFNET_PKT_L4;
	want->payload_off = p->payload_off;
	if (spec->l4 == PACKET_ICMP) {
		want->icmp_type = spec->icmp_type;
		want->icmp_code = spec->icmp_code;
		return;
	}
	want->sport = ebpfnet__be16(spec->sport);
	want->dport = ebpfnet__be16(spec->dport);
	if (spec->l4 == PACKET_TCP)
		want->tcp_flags = spec->tcp_flags;
}

static void expect(const struct packet_spec *spec, const struct packet *p, struct ebpfnet_pkt *want)
{
	memset(want, 0, sizeof(*want));
	want->wire_len = p->len;
	want->flags = EBPFNET_PKT_L2;
	for (unsigned int i = 0; i < spec->tags && i < EBPFNET_PARSE_TAG_MAX; i++) {
		want->vlan_count = i + 1;
		want->vlan[i].proto = spec->tag[i].proto;
		want->vlan[i].tci = spec->tag[i].tci;
	}
	if (spec->tags > EBPFNET_PARSE_TAG_MAX) {
		want->reason = EBPFNET_PARSE_TAG_DEPTH;
		return;
	}
	want->ethertype = p->data[p->l3_off - 2] << 8 | p->data[p->l3_off - 1];
	want->l3_off = p->l3_off;
	if (spec->l3 != PACKET_IP4 && spec->l3 != PACKET_IP6)
		return;
	expect_l3(spec, p, want);
	if (spec->l3 == PACKET_IP6 && !expect_chain(spec, p, want)) {
		want->ext_seen = 0;
		want->ext_count = 0;
		want->payload_off = want->l4_off;
		return;
	}
	want->payload_off = want->l4_off;
	if (want->frag != EBPFNET_FRAG_LATER)
		expect_l4(spec, p, want);
}

START_TEST(random_packets)
{
	struct packet_rng rng = { .state = 1 };

	arena_open();
	for (int i = 0; i < RANDOM_PACKETS; i++) {
		struct ebpfnet_pkt got, want;
		struct packet_spec spec;
		static struct packet p;
		char name[32];

		packet_random(&rng, &spec);
		build(&spec, &p);
		parse(p.data, p.len, EBPFNET_PARSE_L4, &got);
		expect(&spec, &p, &want);
		snprintf(name, sizeof(name), "packet %d of seed 1", i);
		assert_same(name, &got, &want);
	}
}
END_TEST

/* ---- However little of a packet is linear, and however it is read, the result is the same. ----
 */

static void every_way(const char *name, const uint8_t *data, uint32_t len, uint32_t step)
{
	struct ebpfnet_pkt whole, got;

	parse(data, len, EBPFNET_PARSE_L4, &whole);
	if (whole.payload_off > len)
		ck_abort_msg("%s: payload at %u of %u", name, whole.payload_off, len);
	for (uint32_t linear = 0; linear < len; linear += step) {
		parse_remote(data, len, linear, true, &got);
		assert_same(name, &got, &whole);
		parse_remote(data, len, linear, false, &got);
		assert_same(name, &got, &whole);
	}
}

START_TEST(truncations)
{
	struct packet_rng rng = { .state = 2 };

	arena_open();
	for (size_t i = 0; i < COUNT(packets); i++) {
		static struct packet p;

		build(&packets[i].spec, &p);
		for (uint32_t len = 0; len <= p.len; len += len < 200 ? 1 : 509)
			every_way(packets[i].name, p.data, len, len < 200 ? 1 : 211);
	}
	for (int i = 0; i < 1000; i++) {
		struct packet_spec spec;
		static struct packet p;

		packet_random(&rng, &spec);
		build(&spec, &p);
		if (i & 1)
			packet_damage(&rng, &p);
		for (uint32_t len = 0; len <= p.len;
		     len += 1 + packet_rand(&rng, len < 200 ? 5 : 200))
			every_way("random", p.data, len, 1 + packet_rand(&rng, 60));
	}
}
END_TEST

/* When the length in the IP header shrinks with the packet, the layer that is cut says so. */
START_TEST(truncations_with_right_lengths)
{
	static const struct {
		struct packet_spec spec;
		uint32_t header;
		enum ebpfnet_parse_reason reason;
	} cases[] = {
		{ { V4, PORTS }, 20, EBPFNET_PARSE_TCP_TRUNCATED },
		{ { V6, PORTS }, 20, EBPFNET_PARSE_TCP_TRUNCATED },
		{ { V6, .l4 = PACKET_ICMP }, 8, EBPFNET_PARSE_ICMP6_TRUNCATED },
		{ { V4, .l4 = PACKET_ICMP }, 8, EBPFNET_PARSE_ICMP_TRUNCATED },
		{ { V4, PORTS, .l4 = PACKET_SCTP }, 12, EBPFNET_PARSE_SCTP_TRUNCATED },
		{ { V6, PORTS, .l4 = PACKET_UDP }, 8, EBPFNET_PARSE_UDP_TRUNCATED },
	};

	arena_open();
	for (size_t i = 0; i < COUNT(cases); i++) {
		static struct packet p;

		build(&cases[i].spec, &p);
		for (uint32_t n = 0; n <= cases[i].header; n++) {
			uint8_t *l3 = p.data + p.l3_off;
			struct ebpfnet_pkt got;

			l3[cases[i].spec.l3 == PACKET_IP6 ? 5 : 3] =
				cases[i].spec.l3 == PACKET_IP6 ? n : 20 + n;
			parse(p.data, p.l4_off + n, EBPFNET_PARSE_L4, &got);
			ck_assert_int_eq(got.reason,
					 n < cases[i].header ? cases[i].reason : EBPFNET_PARSE_OK);
		}
	}
}
END_TEST

/* ---- The descriptor. ---- */

/* What is the same wherever the bytes begin. */
static void rebase(struct ebpfnet_pkt *pkt, int by)
{
	pkt->l3_off += by;
	if (pkt->l4_off) {
		pkt->l4_off += by;
		pkt->payload_off += by;
	}
}

START_TEST(lifted_tag)
{
	arena_open();
	for (size_t i = 0; i < COUNT(packets); i++) {
		struct ebpfnet_bytes b;
		struct ebpfnet_pkt got, want;
		static struct packet p;
		uint8_t lifted[PACKET_SIZE];

		if (!packets[i].spec.tags || packets[i].want.reason)
			continue;
		build(&packets[i].spec, &p);
		memcpy(lifted, p.data, 12);
		memcpy(lifted + 12, p.data + 16, p.len - 16);
		b = frame(arena_put(0, lifted, p.len - 4), p.len - 4);
		b.has_tag = 1;
		b.tag_proto = packets[i].spec.tag[0].proto;
		b.tag_tci = packets[i].spec.tag[0].tci;
		ebpfnet_parse_bytes(&b, &got, EBPFNET_PARSE_L4);
		want = packets[i].want;
		want.flags |= EBPFNET_PKT_LIFTED;
		rebase(&want, -4);
		assert_same(packets[i].name, &got, &want);
	}
}
END_TEST

/* Five tags are too many also when one of them is lifted; four and the lifted one are five. */
START_TEST(lifted_tag_and_four)
{
	struct packet_spec spec = {
		V4, PORTS, .tags = 4,
		.tag = { { 0x8100, 1 }, { 0x8100, 2 }, { 0x8100, 3 }, { 0x8100, 4 } }
	};
	struct ebpfnet_pkt got;
	struct ebpfnet_bytes b;
	static struct packet p;

	build(&spec, &p);
	b = frame(p.data, p.len);
	b.has_tag = 1;
	b.tag_proto = 0x88a8;
	ck_assert_int_eq(ebpfnet_parse_bytes(&b, &got, EBPFNET_PARSE_L4), EBPFNET_PARSE_TAG_DEPTH);
	ck_assert_int_eq(got.vlan_count, 4);
	ck_assert_int_eq(got.vlan[0].proto, 0x88a8);
	ck_assert_int_eq(got.vlan[3].tci, 3);
}
END_TEST

START_TEST(without_layer_2)
{
	arena_open();
	for (size_t i = 0; i < COUNT(packets); i++) {
		struct ebpfnet_pkt got, want = packets[i].want;
		struct ebpfnet_bytes b;
		static struct packet p;

		if (packets[i].spec.tags)
			continue;
		build(&packets[i].spec, &p);
		b = frame(arena_put(0, p.data + 14, p.len - 14), p.len - 14);
		b.has_l2 = 0;
		b.ethertype = want.ethertype;
		ebpfnet_parse_bytes(&b, &got, EBPFNET_PARSE_L4);
		want.flags &= ~EBPFNET_PKT_L2;
		want.wire_len -= 14;
		rebase(&want, -14);
		assert_same(packets[i].name, &got, &want);
	}
}
END_TEST

START_TEST(depth)
{
	arena_open();
	for (size_t i = 0; i < COUNT(packets); i++) {
		const struct ebpfnet_pkt *want = &packets[i].want;
		struct ebpfnet_pkt l2, l3;
		static struct packet p;

		build(&packets[i].spec, &p);
		parse(p.data, p.len, EBPFNET_PARSE_L2, &l2);
		ck_assert_int_eq(l2.flags, want->flags & EBPFNET_PKT_L2);
		ck_assert_int_eq(l2.ethertype, want->ethertype);
		ck_assert_int_eq(l2.l3_off, want->l3_off);
		ck_assert_int_eq(l2.vlan_count, want->vlan_count);
		ck_assert_int_eq(l2.family, 0);
		parse(p.data, p.len, EBPFNET_PARSE_L3, &l3);
		ck_assert_int_eq(l3.flags & L4, want->flags & L3);
		ck_assert_int_eq(l3.family, want->family);
		ck_assert_int_eq(l3.l3_len, want->l3_len);
		ck_assert_mem_eq(&l3.saddr, &want->saddr, 32);
		ck_assert_int_eq(l3.sport, 0);
		if (want->family == 6) {
			/* The chain is not walked. */
			ck_assert_int_eq(l3.l4_off, want->l3_off + 40);
			ck_assert_int_eq(l3.l4_proto, p.data[p.l3_off + 6]);
			ck_assert_int_eq(l3.ext_count, 0);
		} else {
			ck_assert_int_eq(l3.l4_off, want->l4_off);
			ck_assert_int_eq(l3.frag, want->frag);
		}
	}
}
END_TEST

/* ---- What does not fit into the tables. ---- */

/* BIG TCP and jumbograms: 70,000 bytes behind a header that says 0. */
START_TEST(jumbo)
{
	static const struct packet_spec specs[] = { { V4, PORTS },
						    { V6, PORTS },
						    { V6, PORTS, .l4 = PACKET_UDP } };
	uint8_t *big = calloc(1, 70000);

	ck_assert_ptr_nonnull(big);
	for (size_t i = 0; i < COUNT(specs); i++) {
		bool v6 = specs[i].l3 == PACKET_IP6;
		struct ebpfnet_bytes b = frame(big, 70000);
		struct ebpfnet_pkt got;
		static struct packet p;

		build(&specs[i], &p);
		memset(p.data + p.l3_off + (v6 ? 4 : 2), 0, 2);
		if (specs[i].l4 == PACKET_UDP)
			memset(p.data + p.l4_off + 4, 0, 2);
		memcpy(big, p.data, p.len);
		ck_assert_int_eq(ebpfnet_parse_bytes(&b, &got, EBPFNET_PARSE_L4), EBPFNET_PARSE_OK);
		ck_assert_int_eq(got.flags, L4 | EBPFNET_PKT_JUMBO);
		ck_assert_int_eq(got.l3_len, 70000 - 14);
		ck_assert_int_eq(got.payload_off, p.payload_off);
		/* One byte more than a 16-bit length can say is the least that may say 0. */
		b.len = b.linear = 14 + (v6 ? 40 : 0) + 65535;
		ck_assert_int_ne(ebpfnet_parse_bytes(&b, &got, EBPFNET_PARSE_L4), EBPFNET_PARSE_OK);
	}
	free(big);
}
END_TEST

START_TEST(unreadable)
{
	for (size_t i = 0; i < COUNT(packets); i++) {
		struct remote r;
		struct ebpfnet_pkt got;
		static struct packet p;

		build(&packets[i].spec, &p);
		for (int way = 0; way < 2; way++) {
			r.bytes = frame(p.data, p.len);
			r.bytes.linear = 13;
			r.bytes.pull = way ? fail_pull : NULL;
			ck_assert_int_eq(ebpfnet_parse_bytes(&r.bytes, &got, EBPFNET_PARSE_L4),
					 EBPFNET_PARSE_UNREADABLE);
			ck_assert_int_eq(got.flags, 0);
		}
	}
}
END_TEST

START_TEST(reason_texts)
{
	for (int i = 0; i < EBPFNET_PARSE_REASON_COUNT; i++)
		ck_assert_str_ne(ebpfnet_parse_reason_text(i), "unknown reason");
	ck_assert_str_eq(ebpfnet_parse_reason_text(EBPFNET_PARSE_REASON_COUNT), "unknown reason");
	ck_assert_str_eq(ebpfnet_parse_reason_text(EBPFNET_PARSE_OK), "well-formed");
}
END_TEST

TEST_MAIN("parse", 120, fields, reasons, random_packets, truncations,
	  truncations_with_right_lengths, lifted_tag, lifted_tag_and_four, without_layer_2, depth,
	  jumbo, unreadable, reason_texts)
