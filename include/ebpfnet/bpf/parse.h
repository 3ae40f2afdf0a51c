/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The packet parser: from the bytes a hook hands over to one flat struct ebpfnet_pkt.
 *
 *	SEC("xdp")
 *	int drop_telnet(struct xdp_md *ctx)
 *	{
 *		struct ebpfnet_pkt pkt;
 *
 *		if (ebpfnet_parse_xdp(ctx, &pkt))
 *			return XDP_DROP;
 *		if (pkt.l4_proto == IPPROTO_TCP && (pkt.flags & EBPFNET_PKT_L4) &&
 *		    pkt.dport == bpf_htons(23))
 *			return XDP_DROP;
 *		return XDP_PASS;
 *	}
 *
 * Which function for which hook:
 *
 *	ebpfnet_parse_xdp()		XDP, SEC("xdp")			Linux 5.10
 *	ebpfnet_parse_xdp_frags()	XDP, SEC("xdp.frags")		Linux 5.18
 *	ebpfnet_parse_skb()		tc, TCX, netkit			Linux 5.10
 *	ebpfnet_parse_cgroup_skb()	cgroup_skb			Linux 5.10
 *	ebpfnet_parse_bytes()		a test, a fuzzer, a capture file
 *
 * Each has a form with _to behind its name, which takes how deep to read: a counter of sources
 * need not pay for layer 4.
 *
 * What is read: Ethernet; up to EBPFNET_PARSE_TAG_MAX VLAN tags (802.1Q, 802.1ad), of which one
 * that the device lifted out of the bytes (tc's skb->vlan_tci) is the outermost; IPv4 with options;
 * IPv6 and up to EBPFNET_PARSE_EXT_MAX extension headers (hop-by-hop, routing, fragment, AH,
 * destination, mobility); TCP, UDP, ICMP over IPv4, ICMPv6 over IPv6, SCTP. Layer 4 is never read
 * from a later fragment.
 *
 * Three outcomes:
 *   - understood: the reason is 0, and the flags say how far (an ARP frame has no layer 3 flag, a
 *     GRE packet no layer 4 flag). An unknown ethertype or protocol is not an error.
 *   - malformed: the reason says how. "Truncated" means beyond the packet's own length, or beyond
 *     what its IP header says; never beyond what happens to be linear in memory.
 *   - EBPFNET_PARSE_UNREADABLE: the kernel did not give bytes that exist (out of memory).
 *
 * Every field is written, and what was not read is 0. Of a malformed packet the layers before the
 * bad one are complete: behind a good IP header l4_off and l4_proto name the header that was
 * reached, and tags before a bad one stay.
 *
 * What it does not do: verify checksums, reassemble, follow tunnels, look into ESP, judge addresses
 * or TCP flags. AH over IPv4 is a layer 4 protocol (51), as it is to nft; only in IPv6 is it an
 * extension header. Bytes behind the end of the IP packet (Ethernet padding) are fine. An IPv4
 * total or IPv6 payload length of 0 means "all there is" when more than 65,535 bytes follow (BIG
 * TCP, jumbograms); otherwise it is what it says.
 *
 * Where to keep the result. The verifier walks what comes behind the parser once for many of the
 * paths through it, unless it forgets them:
 *   - stack: the fastest, and fine for most programs; how much is walked depends on the program.
 *   - map: the value of a per-CPU array of one entry. The verifier does not follow what is in maps,
 *     so this is the way for a large program at XDP or tc. Not for cgroup_skb: programs there run
 *     with interrupts on, and one would find its result overwritten by another.
 *   - global: the stack, behind a global function that is verified once and alone, made by
 *     EBPFNET_PARSE_DEFINE_XDP(name) and its kin. Needs Linux 5.12 (pointers as arguments of global
 *     functions), and in a program that tail-calls an architecture that allows both (arm64: 6.0).
 *     Slow where returns are guarded against speculation.
 *
 * Measured on Linux 6.18, AMD EPYC, clang 14: ns for IPv4 and for IPv6 TCP (1,024 flows, less an
 * empty program), and instructions walked when the program tests twelve fields behind the parser:
 *
 *			stack			map			global
 *	XDP		9/9 ns   34,000		11/11 ns  34,000	20/19 ns   39,000
 *	XDP, frags				28/29 ns  46,000	36/39 ns   37,000
 *	tc		16/18 ns 52,000		19/19 ns  58,000	28/28 ns  128,000
 *	cgroup_skb	         55,000					           50,000
 *
 * To layer 3 XDP takes 6 to 7 ns, to layer 2 3 ns. From Linux 5.10 to 7.3 the stack form walks
 * 34,000 to 199,000 instructions (tc on 5.10), the map form 15,000 to 101,000.
 *
 * Afterwards take ctx->data and ctx->data_end anew: at tc the parser may have moved the bytes, and
 * kernels before 6.13 do not notice a stale pointer behind a global function.
 */
#ifndef EBPFNET_BPF_PARSE_H
#define EBPFNET_BPF_PARSE_H

#include <linux/types.h>

#ifdef __bpf__
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#define EBPFNET__PARSE_FN static inline __attribute__((always_inline))
#else
#include <string.h>
#define EBPFNET__PARSE_FN static inline
#endif

#ifdef __cplusplus
#define EBPFNET__PARSE_ASSERT(cond, name) static_assert(cond, #name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define EBPFNET__PARSE_ASSERT(cond, name) _Static_assert(cond, #name)
#else
#define EBPFNET__PARSE_ASSERT(cond, name) typedef char ebpfnet__assert_##name[(cond) ? 1 : -1]
#endif

#define EBPFNET_PARSE_TAG_MAX 4 /* VLAN tags, the lifted one included; a fifth is TAG_DEPTH */
#define EBPFNET_PARSE_EXT_MAX 8 /* IPv6 extension headers; a ninth is EXT_DEPTH */

/*
 * How deep to read: ethertype and tags; or the IP header too; or everything. At L3 the extension
 * headers of IPv6 are not walked, and l4_proto is the next header of the IP header. NO_L2 is or-ed
 * in at tc on a device without layer 2 (tun, wireguard): skb->protocol says what the bytes are.
 */
enum ebpfnet_parse_opt {
	EBPFNET_PARSE_L2 = 2,
	EBPFNET_PARSE_L3 = 3,
	EBPFNET_PARSE_L4 = 4,
	EBPFNET_PARSE_DEPTH_MASK = 7,
	EBPFNET_PARSE_NO_L2 = 8,
};

/*
 * Why a packet is malformed: name, number, words. The numbers are stable and new ones are added at
 * the end, so they can index an array of counters of EBPFNET_PARSE_REASON_COUNT entries.
 */
#define EBPFNET_PARSE_REASONS(X)                                                                   \
	X(OK, 0, "well-formed")                                                                    \
	X(ETH_TRUNCATED, 1, "truncated in the Ethernet header")                                    \
	X(TAG_TRUNCATED, 2, "truncated in a VLAN tag")                                             \
	X(TAG_DEPTH, 3, "more than 4 VLAN tags")                                                   \
	X(IP4_TRUNCATED, 4, "truncated in the IPv4 header")                                        \
	X(IP4_VERSION, 5, "IPv4 ethertype, but another version in the header")                     \
	X(IP4_IHL, 6, "IPv4 header length below 20 bytes")                                         \
	X(IP4_LENGTH_SHORT, 7, "IPv4 total length below the header length")                        \
	X(IP4_LENGTH_LONG, 8, "IPv4 total length beyond the packet")                               \
	X(IP6_TRUNCATED, 9, "truncated in the IPv6 header")                                        \
	X(IP6_VERSION, 10, "IPv6 ethertype, but another version in the header")                    \
	X(IP6_LENGTH_LONG, 11, "IPv6 payload length beyond the packet")                            \
	X(EXT_TRUNCATED, 12, "truncated in an IPv6 extension header")                              \
	X(EXT_DEPTH, 13, "more than 8 IPv6 extension headers")                                     \
	X(EXT_HOP_ORDER, 14, "IPv6 hop-by-hop header not first")                                   \
	X(EXT_FRAGMENT_TWICE, 15, "two IPv6 fragment headers")                                     \
	X(EXT_AH_LENGTH, 16, "IPv6 authentication header below 12 bytes")                          \
	X(FRAGMENT_LENGTH, 17, "fragment not the last, and its length no multiple of 8")           \
	X(FRAGMENT_END, 18, "fragment ends beyond 65,535 bytes")                                   \
	X(FRAGMENT_OVERLAP, 19, "fragment at offset 8 overlaps the TCP header")                    \
	X(TCP_TRUNCATED, 20, "truncated in the TCP header")                                        \
	X(TCP_OFFSET_SHORT, 21, "TCP data offset below 20 bytes")                                  \
	X(TCP_OFFSET_LONG, 22, "TCP data offset beyond the packet")                                \
	X(UDP_TRUNCATED, 23, "truncated in the UDP header")                                        \
	X(UDP_LENGTH_SHORT, 24, "UDP length below 8 bytes")                                        \
	X(UDP_LENGTH_LONG, 25, "UDP length beyond the packet")                                     \
	X(ICMP_TRUNCATED, 26, "truncated in the ICMP header")                                      \
	X(ICMP6_TRUNCATED, 27, "truncated in the ICMPv6 header")                                   \
	X(SCTP_TRUNCATED, 28, "truncated in the SCTP header")                                      \
	X(UNREADABLE, 29, "the kernel could not read the packet")

enum ebpfnet_parse_reason {
#define EBPFNET__REASON(name, number, text) EBPFNET_PARSE_##name = number,
	EBPFNET_PARSE_REASONS(EBPFNET__REASON)
#undef EBPFNET__REASON
		EBPFNET_PARSE_REASON_COUNT = 30
};

/* ebpfnet_pkt.flags */
enum ebpfnet_pkt_flag {
	EBPFNET_PKT_L2 = 0x01,	    /* an Ethernet header was there and read */
	EBPFNET_PKT_L3 = 0x02,	    /* IPv4 or IPv6 was read: addresses, lengths, l4_proto */
	EBPFNET_PKT_L4 = 0x04,	    /* layer 4 was read: ports, or ICMP type and code */
	EBPFNET_PKT_LIFTED = 0x08,  /* vlan[0] is not in the bytes: the device had lifted it out */
	EBPFNET_PKT_DF = 0x10,	    /* IPv4 "don't fragment" */
	EBPFNET_PKT_MF = 0x20,	    /* more fragments follow */
	EBPFNET_PKT_OPTIONS = 0x40, /* the IPv4 header has options */
	EBPFNET_PKT_JUMBO = 0x80,   /* the IP header says length 0, l3_len is what the packet has */
};

/* ebpfnet_pkt.frag */
enum ebpfnet_pkt_frag {
	EBPFNET_FRAG_NONE = 0,
	EBPFNET_FRAG_FIRST = 1,	 /* offset 0, more follow: layer 4 is here */
	EBPFNET_FRAG_LATER = 2,	 /* offset above 0: no layer 4, whatever the bytes look like */
	EBPFNET_FRAG_ATOMIC = 3, /* IPv6, a fragment that is whole (RFC 6946): layer 4 is here */
};

/* ebpfnet_pkt.ext_seen */
enum ebpfnet_pkt_ext {
	EBPFNET_EXT_HOP = 0x01,
	EBPFNET_EXT_ROUTING = 0x02,
	EBPFNET_EXT_FRAGMENT = 0x04,
	EBPFNET_EXT_AH = 0x08,
	EBPFNET_EXT_DESTINATION = 0x10,
	EBPFNET_EXT_MOBILITY = 0x20,
};

/* In network order. IPv4 is in v4 and the other 12 bytes are 0: the 16 bytes can be a map key. */
union ebpfnet_pkt_addr {
	__be32 v4;
	__u8 v6[16];
	__be32 word[4];
	__u64 half[2]; /* network order: equal or not, nothing else */
};

struct ebpfnet_pkt_vlan {
	__u16 proto; /* host order: ETH_P_8021Q, ETH_P_8021AD */
	__u16 tci;   /* host order: priority << 13 | drop eligible << 12 | id */
};

/*
 * The result. Addresses and ports are in network order, as they are in the packet and as kernel
 * structs have them; every other number is in host order. Offsets count from the first byte that
 * the hook hands over (ctx->data). The layout is fixed and without holes, so it can be copied,
 * compared and stored as 88 bytes.
 *
 * The order matters to the verifier when the struct is on the stack: it remembers constants that
 * are stored at multiples of 8, so there is none there (flags at one made tc walk 357,000
 * instructions instead of 52,000).
 */
struct ebpfnet_pkt {
	union ebpfnet_pkt_addr saddr;
	union ebpfnet_pkt_addr daddr;
	__u32 wire_len;	   /* bytes that the hook handed over, and 4 more for a lifted tag */
	__u32 l3_len;	   /* bytes from l3_off to the end of the IP packet, as its header says */
	__u16 payload_off; /* behind the last header that was read */
	__u16 l4_off;	   /* behind the IP header and its extension headers */
	__u16 l3_off;	   /* set for every ethertype */
	__u16 ethertype;   /* behind the tags */
	__u8 ttl;	   /* hop limit in IPv6 */
	__u8 dscp;	   /* 0 to 63 */
	__u8 family;	   /* 4, 6, or 0: neither */
	__u8 l4_proto;	   /* IPPROTO_*; in a later IPv6 fragment what the fragment header names */
	__u16 flags;	   /* EBPFNET_PKT_* */
	__u8 frag;	   /* EBPFNET_FRAG_* */
	__u8 reason;	   /* EBPFNET_PARSE_*; 0 is well-formed */
	__be16 sport;	   /* TCP, UDP, SCTP */
	__be16 dport;
	__u8 tcp_flags; /* FIN 1 SYN 2 RST 4 PSH 8 ACK 0x10 URG 0x20 ECE 0x40 CWR 0x80 */
	__u8 icmp_type; /* ICMP, ICMPv6 */
	__u8 icmp_code;
	__u8 vlan_count; /* entries of vlan */
	__u32 frag_id;	 /* only when frag is not NONE */
	__u16 frag_off;	 /* in units of 8 bytes */
	__u8 ext_seen;	 /* EBPFNET_EXT_* */
	__u8 ext_count;	 /* IPv6 extension headers */
	/* The outermost first. */
	struct ebpfnet_pkt_vlan vlan[EBPFNET_PARSE_TAG_MAX];
};

EBPFNET__PARSE_ASSERT(sizeof(union ebpfnet_pkt_addr) == 16, addr_size);
EBPFNET__PARSE_ASSERT(sizeof(struct ebpfnet_pkt) == 88, pkt_size);
EBPFNET__PARSE_ASSERT(__builtin_offsetof(struct ebpfnet_pkt, wire_len) == 32, pkt_wire_len);
EBPFNET__PARSE_ASSERT(__builtin_offsetof(struct ebpfnet_pkt, sport) == 56, pkt_sport);
EBPFNET__PARSE_ASSERT(__builtin_offsetof(struct ebpfnet_pkt, vlan) == 72, pkt_vlan);

#ifndef __bpf__
/*
 * Bytes and what has to be known about them, for use outside the kernel. A reader whose bytes are
 * not all at hand sets linear below len and one of the two functions: pull makes the first n bytes
 * readable at b->data (it may move them, and updates data and linear); load copies n bytes at off.
 * Both return 0, or anything else for a failure.
 */
struct ebpfnet_bytes {
	const __u8 *data;
	__u32 linear;	 /* bytes readable at data */
	__u32 len;	 /* bytes of the packet */
	__u16 ethertype; /* host order; only without layer 2 */
	__u16 tag_proto; /* host order */
	__u16 tag_tci;	 /* host order */
	__u8 has_tag;	 /* a tag was lifted out */
	__u8 has_l2;	 /* data begins with an Ethernet header */
	int (*pull)(struct ebpfnet_bytes *b, __u32 n);
	int (*load)(struct ebpfnet_bytes *b, __u32 off, void *to, __u32 n);
};
#endif

/* ---- How it is done. Names with two underscores are not for use outside of this file. ---- */

#define EBPFNET__P_IP 0x0800
#define EBPFNET__P_8021Q 0x8100
#define EBPFNET__P_IPV6 0x86DD
#define EBPFNET__P_8021AD 0x88A8

#define EBPFNET__HOP 0
#define EBPFNET__ICMP 1
#define EBPFNET__TCP 6
#define EBPFNET__UDP 17
#define EBPFNET__ROUTING 43
#define EBPFNET__FRAGMENT 44
#define EBPFNET__AH 51
#define EBPFNET__ICMPV6 58
#define EBPFNET__DESTINATION 60
#define EBPFNET__SCTP 132
#define EBPFNET__MOBILITY 135

/*
 * Bits that an offset can have, for the verifier: layer 3 begins at 14 + 4 tags = 30 at most, layer
 * 4 at 30 + 40 + eight extension headers of 2,048 bytes = 16,454 at most.
 */
#define EBPFNET__L3_OFF_MASK 0x1f
#define EBPFNET__L4_OFF_MASK 0x7fff
/* How much is pulled: the headers of all packets that are not made up of extension headers. */
#define EBPFNET__PULL 128
/* The largest header that is read in one piece (IPv6). */
#define EBPFNET__HEADER_MAX 40

#define ebpfnet__likely(x) __builtin_expect(!!(x), 1)
#define ebpfnet__unlikely(x) __builtin_expect(!!(x), 0)

/* Who hands over the bytes: a constant in each instance, so that the rest is compiled away. */
enum ebpfnet__source {
	EBPFNET__FROM_BYTES,
	EBPFNET__FROM_XDP,
	EBPFNET__FROM_XDP_FRAGS,
	EBPFNET__FROM_SKB,
	EBPFNET__FROM_CGROUP,
};

/* The descriptor and the position. data and end move when bytes are pulled. */
struct ebpfnet__cursor {
	void *ctx;
	const __u8 *data;
	const __u8 *end;
	__u64 len;		   /* of the packet, as handed over */
	enum ebpfnet__source from; /* a constant, as is far */
	__u8 far;
	__u16 ethertype;
	__u16 tag_proto;
	__u16 tag_tci;
	__u8 has_tag;
	__u8 has_l2;
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ebpfnet__be16(x) __builtin_bswap16(x)
#define ebpfnet__be32(x) __builtin_bswap32(x)
#else
#define ebpfnet__be16(x) (x)
#define ebpfnet__be32(x) (x)
#endif

/*
 * Loads. In BPF they are plain: the target has no unaligned access in its ABI, so that memcpy or a
 * packed struct would become one load per byte, while the machines it runs on do have it.
 */
#ifdef __bpf__
#define ebpfnet__get16(p) (*(const __u16 *)(p))
#define ebpfnet__get32(p) (*(const __u32 *)(p))
#define ebpfnet__get64(p) (*(const __u64 *)(p))
#else
EBPFNET__PARSE_FN __u16 ebpfnet__get16(const __u8 *p)
{
	__u16 x;

	memcpy(&x, p, sizeof(x));
	return x;
}

EBPFNET__PARSE_FN __u32 ebpfnet__get32(const __u8 *p)
{
	__u32 x;

	memcpy(&x, p, sizeof(x));
	return x;
}

EBPFNET__PARSE_FN __u64 ebpfnet__get64(const __u8 *p)
{
	__u64 x;

	memcpy(&x, p, sizeof(x));
	return x;
}
#endif

/*
 * Read a field of the result back from memory. The verifier does not know what is in memory that it
 * was given (the argument of a global function, the value of a map), and so forgets by which path
 * the number came about: through four tags or eight extension headers it would otherwise follow
 * every combination on its own.
 */
#define ebpfnet__reread(field) (*(volatile __typeof__(field) *)&(field))

/*
 * Reading has two passes. The near one takes only what is linear, and is all there is in XDP. When
 * it meets bytes that exist but are elsewhere, the far one begins again, and copies every header.
 * Two passes, and not a way out at each header, because the verifier would follow both ways at each
 * header and everything behind them.
 */
#ifdef __bpf__
#define EBPFNET__PULLED struct __sk_buff

/* The seam to bytes that are not linear at tc: make the first n readable at ctx->data. */
EBPFNET__PARSE_FN long ebpfnet_pull(struct __sk_buff *ctx, __u32 n)
{
	return bpf_skb_pull_data(ctx, n);
}

EBPFNET__PARSE_FN const __u8 *ebpfnet__near(struct ebpfnet__cursor *c, __u64 off, __u32 n)
{
	const __u8 *p = c->data + off;

	/* Else the compiler may compute p again, and the verifier has not seen that one checked. */
	asm volatile("" : "+r"(p));
	return ebpfnet__likely(p + n <= c->end) ? p : NULL;
}

EBPFNET__PARSE_FN const __u8 *ebpfnet__far(struct ebpfnet__cursor *c, __u64 off, __u32 n, __u8 *buf)
{
	if (c->from == EBPFNET__FROM_XDP_FRAGS)
		return bpf_xdp_load_bytes((struct xdp_md *)c->ctx, off, buf, n) ? NULL : buf;
	return bpf_skb_load_bytes(c->ctx, off, buf, n) ? NULL : buf; /* tc and cgroup */
}
#else
#define EBPFNET__PULLED struct ebpfnet_bytes

EBPFNET__PARSE_FN int ebpfnet_pull(struct ebpfnet_bytes *b, __u32 n)
{
	return b->pull ? b->pull(b, n) : -1;
}

EBPFNET__PARSE_FN const __u8 *ebpfnet__near(struct ebpfnet__cursor *c, __u64 off, __u32 n)
{
	return off + n <= (__u64)(c->end - c->data) ? c->data + off : NULL;
}

EBPFNET__PARSE_FN const __u8 *ebpfnet__far(struct ebpfnet__cursor *c, __u64 off, __u32 n, __u8 *buf)
{
	struct ebpfnet_bytes *b = (struct ebpfnet_bytes *)c->ctx;

	if (off + n > b->len)
		return NULL;
	if (b->load)
		return b->load(b, (__u32)off, buf, n) ? NULL : buf;
	if (off + n > b->linear && ebpfnet_pull(b, (__u32)(off + n)))
		return NULL;
	c->data = b->data;
	c->end = b->data + b->linear;
	return ebpfnet__near(c, off, n);
}
#endif

/* n bytes at off, or NULL. n is a constant, and the pointer is good until the next call. */
EBPFNET__PARSE_FN const __u8 *ebpfnet__at(struct ebpfnet__cursor *c, __u64 off, __u32 n, __u8 *buf)
{
	return c->far ? ebpfnet__far(c, off, n, buf) : ebpfnet__near(c, off, n);
}

/* Why there was nothing up to end: beyond the packet, or (near pass) not linear, or not at all. */
EBPFNET__PARSE_FN int ebpfnet__missing(const struct ebpfnet__cursor *c, __u64 end, int truncated)
{
	return end > c->len ? truncated : EBPFNET_PARSE_UNREADABLE;
}

EBPFNET__PARSE_FN int ebpfnet__is_tag(__u16 proto)
{
	return proto == EBPFNET__P_8021Q || proto == EBPFNET__P_8021AD;
}

/*
 * Tags in the bytes; first is 1 when vlan[0] is taken by the lifted one. It is a constant and the
 * loop is unrolled, because 5.10 refuses to write to the stack at a variable index.
 */
EBPFNET__PARSE_FN int ebpfnet__parse_tags(struct ebpfnet__cursor *c, struct ebpfnet_pkt *pkt,
					  int first, __u16 *proto, __u64 *off, __u8 *buf)
{
	const __u8 *p;
	int i;

#ifdef __bpf__
#pragma clang loop unroll(full)
#endif
	for (i = first; i < EBPFNET_PARSE_TAG_MAX; i++) {
		if (!ebpfnet__is_tag(*proto))
			return EBPFNET_PARSE_OK;
		p = ebpfnet__at(c, *off, 4, buf);
		if (!p)
			return ebpfnet__missing(c, *off + 4, EBPFNET_PARSE_TAG_TRUNCATED);
		pkt->vlan[i].proto = *proto;
		pkt->vlan[i].tci = ebpfnet__be16(ebpfnet__get16(p));
		pkt->vlan_count = i + 1;
		*proto = ebpfnet__be16(ebpfnet__get16(p + 2));
		*off += 4;
	}
	return ebpfnet__is_tag(*proto) ? EBPFNET_PARSE_TAG_DEPTH : EBPFNET_PARSE_OK;
}

/* Where the parser is, and what one layer tells the next. */
struct ebpfnet__walk {
	__u64 off;   /* where the next header begins */
	__u64 end;   /* where the IP packet ends */
	__u64 flags; /* EBPFNET_PKT_* */
	__u64 proto; /* of the next header */
};

/* Ethernet and tags, or what stands for them. */
EBPFNET__PARSE_FN int ebpfnet__parse_l2(struct ebpfnet__cursor *c, struct ebpfnet__walk *w,
					struct ebpfnet_pkt *pkt, __u8 *buf)
{
	__u16 proto = c->ethertype;
	int reason = EBPFNET_PARSE_OK;
	const __u8 *p;

	pkt->wire_len = c->len;
	if (c->has_l2) {
		p = ebpfnet__at(c, 0, 14, buf);
		if (ebpfnet__unlikely(!p))
			return ebpfnet__missing(c, 14, EBPFNET_PARSE_ETH_TRUNCATED);
		proto = ebpfnet__be16(ebpfnet__get16(p + 12));
		w->off = 14;
		w->flags = EBPFNET_PKT_L2;
	}
	if (ebpfnet__unlikely(c->has_tag)) {
		w->flags |= EBPFNET_PKT_LIFTED;
		pkt->wire_len = c->len + 4;
		pkt->vlan[0].proto = c->tag_proto;
		pkt->vlan[0].tci = c->tag_tci;
		pkt->vlan_count = 1;
	}
	if (ebpfnet__unlikely(ebpfnet__is_tag(proto))) {
		if (c->has_tag)
			reason = ebpfnet__parse_tags(c, pkt, 1, &proto, &w->off, buf);
		else
			reason = ebpfnet__parse_tags(c, pkt, 0, &proto, &w->off, buf);
		if (reason)
			return reason;
		pkt->l3_off = w->off;
		w->off = ebpfnet__reread(pkt->l3_off) & EBPFNET__L3_OFF_MASK;
	}
	pkt->ethertype = proto;
	pkt->l3_off = w->off;
	return EBPFNET_PARSE_OK;
}

/*
 * A fragment of either family. units is the offset as the header has it, more that others follow,
 * ahead the bytes of headers that reassembly puts before the data, len the data of this fragment.
 */
EBPFNET__PARSE_FN int ebpfnet__fragment(struct ebpfnet__walk *w, struct ebpfnet_pkt *pkt,
					__u32 units, __u32 more, __u64 ahead, __u64 len)
{
	if (more && (len & 7))
		return EBPFNET_PARSE_FRAGMENT_LENGTH;
	if (ahead + units * 8 + len > 65535)
		return EBPFNET_PARSE_FRAGMENT_END;
	/* RFC 3128: this one would replace the TCP flags that the first was let in for. */
	if (units == 1 && w->proto == EBPFNET__TCP)
		return EBPFNET_PARSE_FRAGMENT_OVERLAP;
	if (more)
		w->flags |= EBPFNET_PKT_MF;
	if (units)
		pkt->frag = EBPFNET_FRAG_LATER;
	else
		pkt->frag = more ? EBPFNET_FRAG_FIRST : EBPFNET_FRAG_ATOMIC;
	pkt->frag_off = units;
	return EBPFNET_PARSE_OK;
}

EBPFNET__PARSE_FN void ebpfnet__set_l4(const struct ebpfnet__walk *w, struct ebpfnet_pkt *pkt)
{
	pkt->l4_proto = w->proto;
	pkt->l4_off = w->off;
	pkt->payload_off = w->off;
}

EBPFNET__PARSE_FN int ebpfnet__parse_ip4(struct ebpfnet__cursor *c, struct ebpfnet__walk *w,
					 struct ebpfnet_pkt *pkt, __u8 *buf)
{
	const __u8 *p = ebpfnet__at(c, w->off, 20, buf);
	__u64 all = c->len - w->off, total, ihl;
	__u16 frag;

	if (ebpfnet__unlikely(!p))
		return ebpfnet__missing(c, w->off + 20, EBPFNET_PARSE_IP4_TRUNCATED);
	if (ebpfnet__unlikely(p[0] >> 4 != 4))
		return EBPFNET_PARSE_IP4_VERSION;
	ihl = (p[0] & 15) * 4;
	if (ebpfnet__unlikely(ihl < 20))
		return EBPFNET_PARSE_IP4_IHL;
	total = ebpfnet__be16(ebpfnet__get16(p + 2));
	if (ebpfnet__unlikely(!total && all > 65535)) {
		total = all;
		w->flags |= EBPFNET_PKT_JUMBO;
	}
	if (ebpfnet__unlikely(total < ihl))
		return EBPFNET_PARSE_IP4_LENGTH_SHORT;
	if (ebpfnet__unlikely(total > all))
		return EBPFNET_PARSE_IP4_LENGTH_LONG;
	w->proto = p[9];
	w->end = w->off + total;
	w->off += ihl;
	w->flags |= EBPFNET_PKT_L3;
	if (ebpfnet__unlikely(ihl > 20))
		w->flags |= EBPFNET_PKT_OPTIONS;
	ebpfnet__set_l4(w, pkt);
	pkt->l3_len = total;
	pkt->family = 4;
	pkt->ttl = p[8];
	pkt->dscp = p[1] >> 2;
	pkt->saddr.v4 = ebpfnet__get32(p + 12);
	pkt->daddr.v4 = ebpfnet__get32(p + 16);
	frag = ebpfnet__be16(ebpfnet__get16(p + 6));
	if (frag & 0x4000)
		w->flags |= EBPFNET_PKT_DF;
	if (ebpfnet__likely(!(frag & 0x3fff)))
		return EBPFNET_PARSE_OK;
	pkt->frag_id = ebpfnet__be16(ebpfnet__get16(p + 4));
	return ebpfnet__fragment(w, pkt, frag & 0x1fff, frag & 0x2000, ihl, total - ihl);
}

/* An extension header that is walked. Two comparisons and a shift, because the verifier follows
 * every branch. */
EBPFNET__PARSE_FN int ebpfnet__is_ext(__u64 proto)
{
	const __u64 low = 1ULL << EBPFNET__HOP | 1ULL << EBPFNET__ROUTING |
			  1ULL << EBPFNET__FRAGMENT | 1ULL << EBPFNET__AH |
			  1ULL << EBPFNET__DESTINATION;

	return proto < 64 ? low >> proto & 1 : proto == EBPFNET__MOBILITY;
}

/* Bit n & 63 of seen is set for header number n; the six do not collide. */
EBPFNET__PARSE_FN __u8 ebpfnet__ext_seen(__u64 seen)
{
	return (seen >> EBPFNET__HOP & 1) * EBPFNET_EXT_HOP |
	       (seen >> EBPFNET__ROUTING & 1) * EBPFNET_EXT_ROUTING |
	       (seen >> EBPFNET__FRAGMENT & 1) * EBPFNET_EXT_FRAGMENT |
	       (seen >> EBPFNET__AH & 1) * EBPFNET_EXT_AH |
	       (seen >> EBPFNET__DESTINATION & 1) * EBPFNET_EXT_DESTINATION |
	       (seen >> (EBPFNET__MOBILITY & 63) & 1) * EBPFNET_EXT_MOBILITY;
}

/* Extension header number i, whose first 8 bytes are at p. first is where the chain began. */
EBPFNET__PARSE_FN int ebpfnet__parse_ext(struct ebpfnet__walk *w, struct ebpfnet_pkt *pkt,
					 const __u8 *p, __u32 i, __u64 first)
{
	__u64 len = (p[1] + 1) * 8, at = w->off, proto = w->proto;
	__u16 frag;

	if (proto == EBPFNET__HOP && i)
		return EBPFNET_PARSE_EXT_HOP_ORDER;
	if (proto == EBPFNET__FRAGMENT)
		len = 8;
	if (proto == EBPFNET__AH) {
		if (!p[1])
			return EBPFNET_PARSE_EXT_AH_LENGTH;
		len = (p[1] + 2) * 4;
	}
	if (at + len > w->end)
		return EBPFNET_PARSE_EXT_TRUNCATED;
	if (proto == EBPFNET__FRAGMENT && ebpfnet__reread(pkt->frag))
		return EBPFNET_PARSE_EXT_FRAGMENT_TWICE;
	w->off = at + len;
	w->proto = p[0];
	if (proto != EBPFNET__FRAGMENT)
		return EBPFNET_PARSE_OK;
	frag = ebpfnet__be16(ebpfnet__get16(p + 2));
	pkt->frag_id = ebpfnet__be32(ebpfnet__get32(p + 4));
	return ebpfnet__fragment(w, pkt, frag >> 3, frag & 1, at - first, w->end - w->off);
}

/*
 * The chain of extension headers, to its end or to the fragment header of a later fragment. The
 * position lives in the result; see ebpfnet__reread().
 */
EBPFNET__PARSE_FN int ebpfnet__parse_chain(struct ebpfnet__cursor *c, struct ebpfnet__walk *w,
					   struct ebpfnet_pkt *pkt, __u8 *buf)
{
	__u64 first = w->off, seen = 0;
	const __u8 *p;
	int reason;
	__u32 i;

#ifdef __bpf__
#pragma clang loop unroll(disable)
#endif
	for (i = 0; i < EBPFNET_PARSE_EXT_MAX; i++) {
		if (w->off + 8 > w->end)
			return EBPFNET_PARSE_EXT_TRUNCATED;
		p = ebpfnet__at(c, w->off, 8, buf);
		if (!p)
			return EBPFNET_PARSE_UNREADABLE;
		seen |= 1ULL << (w->proto & 63);
		reason = ebpfnet__parse_ext(w, pkt, p, i, first);
		if (reason)
			return reason;
		ebpfnet__set_l4(w, pkt);
		w->off = ebpfnet__reread(pkt->l4_off) & EBPFNET__L4_OFF_MASK;
		w->proto = ebpfnet__reread(pkt->l4_proto);
		if (!ebpfnet__is_ext(w->proto) || ebpfnet__reread(pkt->frag) == EBPFNET_FRAG_LATER)
			break;
	}
	if (i == EBPFNET_PARSE_EXT_MAX)
		return EBPFNET_PARSE_EXT_DEPTH;
	pkt->ext_count = i + 1;
	pkt->ext_seen = ebpfnet__ext_seen(seen);
	return EBPFNET_PARSE_OK;
}

EBPFNET__PARSE_FN int ebpfnet__parse_ip6(struct ebpfnet__cursor *c, struct ebpfnet__walk *w,
					 struct ebpfnet_pkt *pkt, __u32 depth, __u8 *buf)
{
	const __u8 *p = ebpfnet__at(c, w->off, 40, buf);
	__u64 all = c->len - w->off - 40, payload;

	if (ebpfnet__unlikely(!p))
		return ebpfnet__missing(c, w->off + 40, EBPFNET_PARSE_IP6_TRUNCATED);
	if (ebpfnet__unlikely(p[0] >> 4 != 6))
		return EBPFNET_PARSE_IP6_VERSION;
	payload = ebpfnet__be16(ebpfnet__get16(p + 4));
	if (ebpfnet__unlikely(!payload && all > 65535)) {
		payload = all;
		w->flags |= EBPFNET_PKT_JUMBO;
	}
	if (ebpfnet__unlikely(payload > all))
		return EBPFNET_PARSE_IP6_LENGTH_LONG;
	w->proto = p[6];
	w->off += 40;
	w->end = w->off + payload;
	w->flags |= EBPFNET_PKT_L3;
	ebpfnet__set_l4(w, pkt);
	pkt->l3_len = payload + 40;
	pkt->family = 6;
	pkt->ttl = p[7];
	pkt->dscp = ebpfnet__be16(ebpfnet__get16(p)) >> 6 & 0x3f;
	pkt->saddr.half[0] = ebpfnet__get64(p + 8);
	pkt->saddr.half[1] = ebpfnet__get64(p + 16);
	pkt->daddr.half[0] = ebpfnet__get64(p + 24);
	pkt->daddr.half[1] = ebpfnet__get64(p + 32);
	if (ebpfnet__likely(!ebpfnet__is_ext(w->proto)) || depth < EBPFNET_PARSE_L4)
		return EBPFNET_PARSE_OK;
	return ebpfnet__parse_chain(c, w, pkt, buf);
}

/* n bytes of a layer 4 header, which must lie inside the IP packet; *reason is truncated if they do
 * not. */
EBPFNET__PARSE_FN const __u8 *ebpfnet__l4_at(struct ebpfnet__cursor *c,
					     const struct ebpfnet__walk *w, __u32 n, int truncated,
					     int *reason, __u8 *buf)
{
	const __u8 *p;

	*reason = truncated;
	if (ebpfnet__unlikely(w->off + n > w->end))
		return NULL;
	p = ebpfnet__at(c, w->off, n, buf);
	if (ebpfnet__unlikely(!p))
		*reason = EBPFNET_PARSE_UNREADABLE;
	return p;
}

EBPFNET__PARSE_FN int ebpfnet__parse_tcp(struct ebpfnet__cursor *c, struct ebpfnet__walk *w,
					 struct ebpfnet_pkt *pkt, __u8 *buf)
{
	const __u8 *p;
	int reason;
	__u64 len;

	p = ebpfnet__l4_at(c, w, 20, EBPFNET_PARSE_TCP_TRUNCATED, &reason, buf);
	if (!p)
		return reason;
	len = (p[12] >> 4) * 4;
	if (ebpfnet__unlikely(len < 20))
		return EBPFNET_PARSE_TCP_OFFSET_SHORT;
	if (ebpfnet__unlikely(w->off + len > w->end))
		return EBPFNET_PARSE_TCP_OFFSET_LONG;
	pkt->sport = ebpfnet__get16(p);
	pkt->dport = ebpfnet__get16(p + 2);
	pkt->tcp_flags = p[13];
	pkt->payload_off = w->off + len;
	w->flags |= EBPFNET_PKT_L4;
	return EBPFNET_PARSE_OK;
}

EBPFNET__PARSE_FN int ebpfnet__parse_udp(struct ebpfnet__cursor *c, struct ebpfnet__walk *w,
					 struct ebpfnet_pkt *pkt, __u8 *buf)
{
	__u64 all = w->end - w->off, len;
	const __u8 *p;
	int reason;

	p = ebpfnet__l4_at(c, w, 8, EBPFNET_PARSE_UDP_TRUNCATED, &reason, buf);
	if (!p)
		return reason;
	len = ebpfnet__be16(ebpfnet__get16(p + 4));
	/* RFC 2675: a datagram beyond 65,535 bytes says 0. */
	if (ebpfnet__unlikely(len < 8 && (len || all <= 65535)))
		return EBPFNET_PARSE_UDP_LENGTH_SHORT;
	/* In a first fragment the length is that of the whole datagram. */
	if (ebpfnet__unlikely(len > all && pkt->frag != EBPFNET_FRAG_FIRST))
		return EBPFNET_PARSE_UDP_LENGTH_LONG;
	pkt->sport = ebpfnet__get16(p);
	pkt->dport = ebpfnet__get16(p + 2);
	pkt->payload_off = w->off + 8;
	w->flags |= EBPFNET_PKT_L4;
	return EBPFNET_PARSE_OK;
}

EBPFNET__PARSE_FN int ebpfnet__parse_icmp(struct ebpfnet__cursor *c, struct ebpfnet__walk *w,
					  struct ebpfnet_pkt *pkt, int truncated, __u8 *buf)
{
	const __u8 *p;
	int reason;

	p = ebpfnet__l4_at(c, w, 8, truncated, &reason, buf);
	if (!p)
		return reason;
	pkt->icmp_type = p[0];
	pkt->icmp_code = p[1];
	pkt->payload_off = w->off + 8;
	w->flags |= EBPFNET_PKT_L4;
	return EBPFNET_PARSE_OK;
}

EBPFNET__PARSE_FN int ebpfnet__parse_sctp(struct ebpfnet__cursor *c, struct ebpfnet__walk *w,
					  struct ebpfnet_pkt *pkt, __u8 *buf)
{
	const __u8 *p;
	int reason;

	p = ebpfnet__l4_at(c, w, 12, EBPFNET_PARSE_SCTP_TRUNCATED, &reason, buf);
	if (!p)
		return reason;
	pkt->sport = ebpfnet__get16(p);
	pkt->dport = ebpfnet__get16(p + 2);
	pkt->payload_off = w->off + 12;
	w->flags |= EBPFNET_PKT_L4;
	return EBPFNET_PARSE_OK;
}

/* ICMP counts only in IPv4 and ICMPv6 only in IPv6: elsewhere no host listens to them. */
EBPFNET__PARSE_FN int ebpfnet__parse_l4(struct ebpfnet__cursor *c, struct ebpfnet__walk *w,
					struct ebpfnet_pkt *pkt, __u8 *buf)
{
	if (ebpfnet__likely(w->proto == EBPFNET__TCP))
		return ebpfnet__parse_tcp(c, w, pkt, buf);
	if (ebpfnet__likely(w->proto == EBPFNET__UDP))
		return ebpfnet__parse_udp(c, w, pkt, buf);
	if (w->proto == EBPFNET__ICMP && pkt->family == 4)
		return ebpfnet__parse_icmp(c, w, pkt, EBPFNET_PARSE_ICMP_TRUNCATED, buf);
	if (w->proto == EBPFNET__ICMPV6 && pkt->family == 6)
		return ebpfnet__parse_icmp(c, w, pkt, EBPFNET_PARSE_ICMP6_TRUNCATED, buf);
	if (w->proto == EBPFNET__SCTP)
		return ebpfnet__parse_sctp(c, w, pkt, buf);
	return EBPFNET_PARSE_OK;
}

/* All layers, down to depth. pkt is clear. */
EBPFNET__PARSE_FN int ebpfnet__parse_layers(struct ebpfnet__cursor *c, struct ebpfnet__walk *w,
					    struct ebpfnet_pkt *pkt, __u32 depth, __u8 *buf)
{
	int reason = ebpfnet__parse_l2(c, w, pkt, buf);

	if (ebpfnet__unlikely(reason) || depth < EBPFNET_PARSE_L3)
		return reason;
	if (ebpfnet__likely(pkt->ethertype == EBPFNET__P_IP))
		reason = ebpfnet__parse_ip4(c, w, pkt, buf);
	else if (pkt->ethertype == EBPFNET__P_IPV6)
		reason = ebpfnet__parse_ip6(c, w, pkt, depth, buf);
	else
		return EBPFNET_PARSE_OK;
	if (ebpfnet__unlikely(reason) || depth < EBPFNET_PARSE_L4)
		return reason;
	if (ebpfnet__unlikely(pkt->frag == EBPFNET_FRAG_LATER))
		return EBPFNET_PARSE_OK;
	return ebpfnet__parse_l4(c, w, pkt, buf);
}

EBPFNET__PARSE_FN void ebpfnet__clear(struct ebpfnet_pkt *pkt)
{
	__builtin_memset(pkt, 0, sizeof(*pkt));
}

/* One pass over a result that is clear. */
EBPFNET__PARSE_FN int ebpfnet__pass(struct ebpfnet__cursor *c, struct ebpfnet_pkt *pkt, __u32 opts,
				    __u8 far)
{
	__u64 buf[EBPFNET__HEADER_MAX / 8];
	struct ebpfnet__walk w = { 0, 0, 0, 0 };
	int reason;

	c->far = far;
	reason = ebpfnet__parse_layers(c, &w, pkt, opts & EBPFNET_PARSE_DEPTH_MASK, (__u8 *)buf);
	pkt->flags = w.flags;
	pkt->reason = reason;
	return reason;
}

EBPFNET__PARSE_FN int ebpfnet__parse(struct ebpfnet__cursor *c, struct ebpfnet_pkt *pkt, __u32 opts)
{
	int reason;

	ebpfnet__clear(pkt);
	reason = ebpfnet__pass(c, pkt, opts, 0);
	if (c->from == EBPFNET__FROM_XDP || ebpfnet__likely(reason != EBPFNET_PARSE_UNREADABLE))
		return reason;
	/* The caller will want the headers too. If it fails, copying them still works. */
	if (c->from == EBPFNET__FROM_SKB || c->from == EBPFNET__FROM_BYTES)
		ebpfnet_pull((EBPFNET__PULLED *)c->ctx,
			     c->len < EBPFNET__PULL ? c->len : EBPFNET__PULL);
	ebpfnet__clear(pkt);
	return ebpfnet__pass(c, pkt, opts, 1);
}

/* ---- The entries, one for each hook. ---- */

#ifdef __bpf__

/*
 * ctx->data and ctx->data_end are 32 bits wide in the header and pointers to the verifier. In C the
 * compiler may spill them as 32 bits, and the verifier refuses that.
 */
#define ebpfnet__ctx_pointer(ctx, field)                                                           \
	__extension__({                                                                            \
		const __u8 *p_;                                                                    \
		asm volatile("%0 = *(u32 *)(%1 + %2)"                                              \
			     : "=r"(p_)                                                            \
			     : "r"(ctx), "i"(__builtin_offsetof(__typeof__(*(ctx)), field)));      \
		p_;                                                                                \
	})

EBPFNET__PARSE_FN void ebpfnet__cursor_xdp(struct ebpfnet__cursor *c, struct xdp_md *ctx)
{
	c->ctx = ctx;
	c->data = ebpfnet__ctx_pointer(ctx, data);
	c->end = ebpfnet__ctx_pointer(ctx, data_end);
	c->len = c->end - c->data;
	c->from = EBPFNET__FROM_XDP;
	c->ethertype = 0;
	c->tag_proto = 0;
	c->tag_tci = 0;
	c->has_tag = 0;
	c->has_l2 = 1;
}

EBPFNET__PARSE_FN void ebpfnet__cursor_skb(struct ebpfnet__cursor *c, struct __sk_buff *ctx)
{
	c->ctx = ctx;
	c->data = ebpfnet__ctx_pointer(ctx, data);
	c->end = ebpfnet__ctx_pointer(ctx, data_end);
	c->len = ctx->len;
	c->from = EBPFNET__FROM_SKB;
	c->ethertype = ebpfnet__be16((__u16)ctx->protocol);
	c->tag_proto = 0;
	c->tag_tci = 0;
	c->has_tag = 0;
	c->has_l2 = 0;
}

/**
 * @brief Parse the packet of an XDP program.
 *
 * The cheapest place to look at a packet. In SEC("xdp.frags") use ebpfnet_parse_xdp_frags(): here
 * the packet would end with the first buffer. A tag that the device lifted out is not visible at
 * XDP; see rx-vlan-hw-parse.
 *
 * @param ctx   the program's context
 * @param pkt   out: the result, 88 bytes; owned by the caller, on the stack or in a map
 * @param opts  EBPFNET_PARSE_L2, _L3 or _L4; best a constant
 * @return pkt->reason: 0, or how the packet is malformed, EBPFNET_PARSE_*
 *
 * Thread-safety: touches nothing but pkt.
 * Kernel: 5.10.
 * @see ebpfnet_parse_xdp_frags, ebpfnet_parse_skb_to
 * @since 0.1
 */
EBPFNET__PARSE_FN int ebpfnet_parse_xdp_to(struct xdp_md *ctx, struct ebpfnet_pkt *pkt, __u32 opts)
{
	struct ebpfnet__cursor c;

	ebpfnet__cursor_xdp(&c, ctx);
	return ebpfnet__parse(&c, pkt, opts);
}

/** @brief ebpfnet_parse_xdp_to() down to layer 4. @since 0.1 */
EBPFNET__PARSE_FN int ebpfnet_parse_xdp(struct xdp_md *ctx, struct ebpfnet_pkt *pkt)
{
	return ebpfnet_parse_xdp_to(ctx, pkt, EBPFNET_PARSE_L4);
}

/**
 * @brief Parse the packet of an XDP program with fragments, SEC("xdp.frags").
 *
 * Headers behind the first buffer are copied out of the others, and lengths are those of the whole
 * packet.
 *
 * @param ctx   the program's context
 * @param pkt   out: the result, 88 bytes; owned by the caller, on the stack or in a map
 * @param opts  EBPFNET_PARSE_L2, _L3 or _L4; best a constant
 * @return pkt->reason: 0, or how the packet is malformed, EBPFNET_PARSE_*
 *
 * Thread-safety: touches nothing but pkt.
 * Kernel: 5.18 (bpf_xdp_load_bytes, bpf_xdp_get_buff_len).
 * @see ebpfnet_parse_xdp_to
 * @since 0.1
 */
EBPFNET__PARSE_FN int ebpfnet_parse_xdp_frags_to(struct xdp_md *ctx, struct ebpfnet_pkt *pkt,
						 __u32 opts)
{
	struct ebpfnet__cursor c;

	ebpfnet__cursor_xdp(&c, ctx);
	c.from = EBPFNET__FROM_XDP_FRAGS;
	c.len = bpf_xdp_get_buff_len(ctx);
	return ebpfnet__parse(&c, pkt, opts);
}

/** @brief ebpfnet_parse_xdp_frags_to() down to layer 4. @since 0.1 */
EBPFNET__PARSE_FN int ebpfnet_parse_xdp_frags(struct xdp_md *ctx, struct ebpfnet_pkt *pkt)
{
	return ebpfnet_parse_xdp_frags_to(ctx, pkt, EBPFNET_PARSE_L4);
}

/**
 * @brief Parse the packet of a tc, TCX or netkit program.
 *
 * A tag in skb->vlan_tci is vlan[0]. When headers are not linear (IPv6 from a tap, GRO), up to 128
 * bytes are pulled, so that the caller finds them at ctx->data too; what lies further is copied.
 *
 * @param ctx   the program's context
 * @param pkt   out: the result, 88 bytes; owned by the caller, on the stack or in a map
 * @param opts  EBPFNET_PARSE_L2, _L3 or _L4, or-ed with EBPFNET_PARSE_NO_L2 on a device without
 * layer 2 (tun, wireguard); best a constant
 * @return pkt->reason: 0, or how the packet is malformed, EBPFNET_PARSE_*
 *
 * Thread-safety: touches nothing but pkt.
 * Kernel: 5.10.
 * @see ebpfnet_parse_cgroup_skb_to
 * @since 0.1
 */
EBPFNET__PARSE_FN int ebpfnet_parse_skb_to(struct __sk_buff *ctx, struct ebpfnet_pkt *pkt,
					   __u32 opts)
{
	struct ebpfnet__cursor c;

	ebpfnet__cursor_skb(&c, ctx);
	c.has_l2 = !(opts & EBPFNET_PARSE_NO_L2);
	c.has_tag = !!ctx->vlan_present;
	if (c.has_tag) {
		c.tag_proto = ebpfnet__be16((__u16)ctx->vlan_proto);
		c.tag_tci = ctx->vlan_tci;
	}
	return ebpfnet__parse(&c, pkt, opts);
}

/** @brief ebpfnet_parse_skb_to() down to layer 4, on a device with layer 2. @since 0.1 */
EBPFNET__PARSE_FN int ebpfnet_parse_skb(struct __sk_buff *ctx, struct ebpfnet_pkt *pkt)
{
	return ebpfnet_parse_skb_to(ctx, pkt, EBPFNET_PARSE_L4);
}

/**
 * @brief Parse the packet of a cgroup_skb program.
 *
 * There is no layer 2 and no tag: offsets count from the IP header. The kernel does not let these
 * programs pull (measured on 6.18), so headers that are not linear are copied.
 *
 * @param ctx   the program's context
 * @param pkt   out: the result, 88 bytes; owned by the caller, on the stack or in a map
 * @param opts  EBPFNET_PARSE_L2, _L3 or _L4; best a constant
 * @return pkt->reason: 0, or how the packet is malformed, EBPFNET_PARSE_*
 *
 * Thread-safety: touches nothing but pkt.
 * Kernel: 5.10.
 * @see ebpfnet_parse_skb_to
 * @since 0.1
 */
EBPFNET__PARSE_FN int ebpfnet_parse_cgroup_skb_to(struct __sk_buff *ctx, struct ebpfnet_pkt *pkt,
						  __u32 opts)
{
	struct ebpfnet__cursor c;

	ebpfnet__cursor_skb(&c, ctx);
	c.from = EBPFNET__FROM_CGROUP;
	return ebpfnet__parse(&c, pkt, opts);
}

/** @brief ebpfnet_parse_cgroup_skb_to() down to layer 4. @since 0.1 */
EBPFNET__PARSE_FN int ebpfnet_parse_cgroup_skb(struct __sk_buff *ctx, struct ebpfnet_pkt *pkt)
{
	return ebpfnet_parse_cgroup_skb_to(ctx, pkt, EBPFNET_PARSE_L4);
}

/*
 * A parser behind a boundary for the verifier: a global function name(ctx, pkt, opts), once in a
 * file, outside of functions. Before Linux 6.3 *pkt must be initialised by the caller, whatever it
 * is (struct ebpfnet_pkt pkt = {}).
 */
#define EBPFNET__DEFINE(name, context, parse)                                                      \
	__attribute__((noinline)) int name(struct context *ctx, struct ebpfnet_pkt *pkt,           \
					   __u32 opts)                                             \
	{                                                                                          \
		return pkt ? parse(ctx, pkt, opts) : EBPFNET_PARSE_UNREADABLE;                     \
	}
#define EBPFNET_PARSE_DEFINE_XDP(name) EBPFNET__DEFINE(name, xdp_md, ebpfnet_parse_xdp_to)
#define EBPFNET_PARSE_DEFINE_XDP_FRAGS(name)                                                       \
	EBPFNET__DEFINE(name, xdp_md, ebpfnet_parse_xdp_frags_to)
#define EBPFNET_PARSE_DEFINE_SKB(name) EBPFNET__DEFINE(name, __sk_buff, ebpfnet_parse_skb_to)
#define EBPFNET_PARSE_DEFINE_CGROUP_SKB(name)                                                      \
	EBPFNET__DEFINE(name, __sk_buff, ebpfnet_parse_cgroup_skb_to)

#else

/**
 * @brief Parse bytes outside of the kernel, with the code that runs inside.
 *
 * For tests, fuzzing, capture files and explanations.
 *
 * @param b     in/out: the bytes and their descriptor; b->pull may change data and linear
 * @param pkt   out: the result, 88 bytes; owned by the caller
 * @param opts  EBPFNET_PARSE_L2, _L3 or _L4; NO_L2 is b->has_l2 here
 * @return pkt->reason: 0, or how the packet is malformed, EBPFNET_PARSE_*
 *
 * Thread-safety: touches nothing but b and pkt.
 * Kernel: none.
 * @see ebpfnet_parse_reason_text
 * @since 0.1
 */
EBPFNET__PARSE_FN int ebpfnet_parse_bytes(struct ebpfnet_bytes *b, struct ebpfnet_pkt *pkt,
					  __u32 opts)
{
	struct ebpfnet__cursor c;

	c.ctx = b;
	c.data = b->data;
	c.end = b->data + b->linear;
	c.len = b->len;
	c.from = EBPFNET__FROM_BYTES;
	c.ethertype = b->ethertype;
	c.tag_proto = b->tag_proto;
	c.tag_tci = b->tag_tci;
	c.has_tag = b->has_tag;
	c.has_l2 = b->has_l2;
	return ebpfnet__parse(&c, pkt, opts);
}

/**
 * @brief A reason in words.
 *
 * For logs and reports.
 *
 * @param reason  EBPFNET_PARSE_*
 * @return a constant string, "unknown reason" for a number that is none
 *
 * Thread-safety: safe.
 * Kernel: none.
 * @see ebpfnet_parse_bytes
 * @since 0.1
 */
EBPFNET__PARSE_FN const char *ebpfnet_parse_reason_text(__u32 reason)
{
	switch (reason) {
#define EBPFNET__REASON(name, number, text)                                                        \
	case number:                                                                               \
		return text;
		EBPFNET_PARSE_REASONS(EBPFNET__REASON)
#undef EBPFNET__REASON
	default:
		return "unknown reason";
	}
}
#endif

#endif
