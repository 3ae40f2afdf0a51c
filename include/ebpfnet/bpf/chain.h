/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause OR GPL-2.0-only */
#ifndef EBPFNET_BPF_CHAIN_H
#define EBPFNET_BPF_CHAIN_H

/*
 * For XDP programs that share an interface with others. The kernel runs one XDP program per
 * interface; a chain makes it several, one behind the other:
 *
 *	#include <ebpfnet/bpf/chain.h>
 *
 *	SEC("xdp")
 *	int my_stage(struct xdp_md *ctx)
 *	{
 *		...
 *		return ebpfnet_next(ctx, XDP_PASS);
 *	}
 *
 * A program that ends like this can be attached alone, by ebpfnet_xdp_attach(), or be a stage of a
 * chain, by ebpfnet_chain_append(), in the chains of several interfaces at once. One object holds
 * one such program: stages of one chain cannot share their slots.
 */

#ifdef __bpf__

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The highest ifindex is one less; ebpfnet_object_set_map_entries(obj, "ebpfnet_slots", n). */
#ifndef EBPFNET_CHAIN_SLOTS
#define EBPFNET_CHAIN_SLOTS 1024
#endif

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, EBPFNET_CHAIN_SLOTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} ebpfnet_slots SEC(".maps");

/*
 * Hands a packet that may go on to the next stage of the interface's chain; returns the verdict if
 * there is none, and for every other verdict. Inlined always: the kernel refuses a tail call from a
 * subprogram whose callers use much stack. About 2 ns, with a next stage and without.
 */
static __always_inline int ebpfnet_next(struct xdp_md *ctx, int verdict)
{
	if (verdict == XDP_PASS)
		bpf_tail_call(ctx, &ebpfnet_slots, ctx->ingress_ifindex);
	return verdict;
}

#endif /* __bpf__ */

#endif /* EBPFNET_BPF_CHAIN_H */
