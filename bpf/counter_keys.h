/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EBPFNET_BPF_COUNTER_KEYS_H
#define EBPFNET_BPF_COUNTER_KEYS_H

/* From a packet to its key: a short way for the plainest, and the shared parser for all others. */

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>

#include <ebpfnet/bpf/parse.h>

#include "counter_maps.h"

#define P_IP bpf_htons(0x0800)
#define P_IPV6 bpf_htons(0x86DD)

const volatile __u32 counter_key = COUNTER_TOTAL;
const volatile struct counter_config counter_config = {};

/* The families of keys: by what of the packet they need. */
static __always_inline int is_address(__u32 key)
{
	return key == COUNTER_SOURCE || key == COUNTER_DESTINATION || key == COUNTER_SOURCE_PREFIX;
}

static __always_inline int has_ports(__u32 key)
{
	return key == COUNTER_DESTINATION_PORT || key == COUNTER_FIVE_TUPLE;
}

static __always_inline void add_address4(__u32 key, const __be32 *source, const __be32 *destination,
					 struct amount a)
{
	if (key == COUNTER_SOURCE_PREFIX) {
		__be32 prefix = *source & counter_config.mask4;

		add_key(&address4, &prefix, a);
	} else {
		add_key(&address4, key == COUNTER_SOURCE ? source : destination, a);
	}
}

static __always_inline void add_address6(__u32 key, const void *source, const void *destination,
					 struct amount a)
{
	if (key == COUNTER_SOURCE_PREFIX) {
		const __u64 *half = source;
		__u64 prefix[2] = { half[0] & counter_config.mask6[0],
				    half[1] & counter_config.mask6[1] };

		add_key(&address6, prefix, a);
	} else {
		add_key(&address6, key == COUNTER_SOURCE ? source : destination, a);
	}
}

/*
 * The plainest packets, for keys that are addresses: no tag in the bytes, no IPv4 options, all that
 * is read is linear. ip is behind layer 2 and left the bytes from there on. 0: let the parser look.
 * What it takes, the parser would take for the same; tests/kernel/counter_diff_test.c holds the two
 * against each other.
 */
static __always_inline int count_plain(const __u8 *ip, const __u8 *end, __u64 left, __be16 proto,
				       __u32 key, struct amount a)
{
	__u64 len;

	if (ebpfnet__likely(proto == P_IP)) {
		if (ebpfnet__unlikely(ip + 20 > end || ip[0] != 0x45))
			return 0;
		len = bpf_ntohs(ebpfnet__get16(ip + 2));
		/* 20 to left, in one comparison. */
		if (ebpfnet__unlikely(len - 20 > left - 20))
			return 0;
		add_address4(key, (const __be32 *)(ip + 12), (const __be32 *)(ip + 16), a);
		return 1;
	}
	if (proto != P_IPV6 || ip + 40 > end || ip[0] >> 4 != 6)
		return 0;
	len = bpf_ntohs(ebpfnet__get16(ip + 4));
	if (ebpfnet__unlikely(len + 40 > left))
		return 0;
	add_address6(key, ip + 8, ip + 24, a);
	return 1;
}

/*
 * The same number, and the verifier no longer knows by which path through the parser it came about.
 * Else it walks everything behind the parser for each of them (612,000 instructions at tc instead
 * of 90,000). unknown is a number that it knows nothing of.
 */
static __always_inline __u64 forget(__u64 x, __u64 unknown)
{
	if (!__builtin_constant_p(unknown))
		asm volatile("%0 += %1\n\t%0 -= %1" : "+r"(x) : "r"(unknown));
	return x;
}

static __always_inline void count_ports(const struct ebpfnet_pkt *pkt, __u64 family, __u64 protocol,
					struct amount a)
{
	struct counter_port k = { family, protocol, forget(pkt->dport, a.bytes) };

	add_key(&port, &k, a);
}

static __always_inline void count_tuple(const struct ebpfnet_pkt *pkt, __u64 family, __u64 protocol,
					struct amount a)
{
	__be16 source_port = forget(pkt->sport, a.bytes);
	__be16 destination_port = forget(pkt->dport, a.bytes);

	if (family == 6) {
		struct tuple6 {
			__u64 half[4];
			__be16 source_port;
			__be16 destination_port;
			__u32 protocol;
		} k = {
			.half = { forget(pkt->saddr.half[0], a.bytes),
				  forget(pkt->saddr.half[1], a.bytes),
				  forget(pkt->daddr.half[0], a.bytes),
				  forget(pkt->daddr.half[1], a.bytes) },
			.source_port = source_port,
			.destination_port = destination_port,
			.protocol = protocol,
		};

		_Static_assert(sizeof(k) == sizeof(struct counter_tuple6), "the same bytes");
		add_key(&tuple6, &k, a);
	} else {
		struct counter_tuple4 k = { forget(pkt->saddr.v4, a.bytes),
					    forget(pkt->daddr.v4, a.bytes), source_port,
					    destination_port, protocol };

		add_key(&tuple4, &k, a);
	}
}

static __always_inline void count_address(const struct ebpfnet_pkt *pkt, __u64 family, __u32 key,
					  struct amount a)
{
	const union ebpfnet_pkt_addr *from = key == COUNTER_DESTINATION ? &pkt->daddr : &pkt->saddr;
	__u64 half[2] = { forget(from->half[0], a.bytes), forget(from->half[1], a.bytes) };

	if (family == 6)
		add_address6(key, half, half, a);
	else
		add_address4(key, (const __be32 *)half, (const __be32 *)half, a);
}

/*
 * A parsed packet under its key, or under "other". unknown as for forget(); 0 at XDP, where it is
 * not needed and would cost 4 ns.
 */
static __always_inline void count_parsed(const struct ebpfnet_pkt *pkt, __u32 key, struct amount a,
					 __u64 unknown)
{
	__u64 flags = forget(pkt->flags, unknown), reason = forget(pkt->reason, unknown);
	__u64 family, proto;

	/* An address is before what can be wrong behind it, and ports are in no later fragment. */
	if (!(flags & EBPFNET_PKT_L3) || (!is_address(key) && reason) ||
	    (has_ports(key) && forget(pkt->frag, unknown) == EBPFNET_FRAG_LATER)) {
		add_slot(&total, COUNTER_SLOT_OTHER, a);
		return;
	}
	family = forget(pkt->family, unknown);
	proto = forget(pkt->l4_proto, unknown);
	if (is_address(key))
		count_address(pkt, family, key, a);
	else if (key == COUNTER_PROTOCOL)
		add_slot(&protocol, proto + (family == 6 ? COUNTER_IP6 : 0), a);
	else if (key == COUNTER_DESTINATION_PORT)
		count_ports(pkt, family, proto, a);
	else
		count_tuple(pkt, family, proto, a);
}

#endif /* EBPFNET_BPF_COUNTER_KEYS_H */
