// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The parser in the kernel, at every hook and with its result in every kind of memory: each program
 * leaves it in a map, where parse_diff_test.c compares it with what the host says.
 * EBPFNET_PARSE_HEADER is another copy of the parser, with a planted bug.
 */
#ifdef EBPFNET_PARSE_HEADER
#include EBPFNET_PARSE_HEADER
#else
#include <ebpfnet/bpf/parse.h>
#endif

/* The same struct is in parse_diff_test.c. */
struct diff_result {
	struct ebpfnet_pkt pkt;
	__u32 linear; /* bytes readable before the parser began; only from programs with scratch */
	__u32 ran;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct diff_result);
} result SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct diff_result);
} scratch SEC(".maps");

EBPFNET_PARSE_DEFINE_XDP(parse_xdp)
EBPFNET_PARSE_DEFINE_SKB(parse_skb)

static __always_inline void keep(const struct diff_result *r)
{
	__u32 zero = 0;

	bpf_map_update_elem(&result, &zero, r, BPF_ANY);
}

#define IN_MAP(section, name, context, parse, verdict)                                             \
	SEC(section)                                                                               \
	int name(struct context *ctx)                                                              \
	{                                                                                          \
		__u32 zero = 0;                                                                    \
		struct diff_result *r = bpf_map_lookup_elem(&scratch, &zero);                      \
                                                                                                   \
		if (!r)                                                                            \
			return verdict;                                                            \
		r->linear = ebpfnet__ctx_pointer(ctx, data_end) - ebpfnet__ctx_pointer(ctx, data); \
		r->ran = 1;                                                                        \
		parse(ctx, &r->pkt);                                                               \
		keep(r);                                                                           \
		return verdict;                                                                    \
	}

#define ON_STACK(section, name, context, parse, verdict)                                           \
	SEC(section)                                                                               \
	int name(struct context *ctx)                                                              \
	{                                                                                          \
		struct diff_result r = { .ran = 1 };                                               \
                                                                                                   \
		parse;                                                                             \
		keep(&r);                                                                          \
		return verdict;                                                                    \
	}

IN_MAP("xdp", diff_xdp, xdp_md, ebpfnet_parse_xdp, XDP_PASS)
IN_MAP("xdp.frags", diff_xdp_frags, xdp_md, ebpfnet_parse_xdp_frags, XDP_PASS)
IN_MAP("tc", diff_tc, __sk_buff, ebpfnet_parse_skb, 0)

ON_STACK("xdp", diff_xdp_stack, xdp_md, ebpfnet_parse_xdp(ctx, &r.pkt), XDP_PASS)
ON_STACK("tc", diff_tc_stack, __sk_buff, ebpfnet_parse_skb(ctx, &r.pkt), 0)
ON_STACK("cgroup_skb/ingress", diff_cgroup, __sk_buff, ebpfnet_parse_cgroup_skb(ctx, &r.pkt), 1)

ON_STACK("xdp", diff_xdp_global, xdp_md, parse_xdp(ctx, &r.pkt, EBPFNET_PARSE_L4), XDP_PASS)
ON_STACK("tc", diff_tc_global, __sk_buff, parse_skb(ctx, &r.pkt, EBPFNET_PARSE_L4), 0)

char _license[] SEC("license") = "Dual BSD/GPL";
