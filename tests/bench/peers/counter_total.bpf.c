// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What one writes by hand to count packets and bytes: one slot of a per-CPU array. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct value {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} total SEC(".maps");

static __always_inline void count(__u64 bytes)
{
	__u32 zero = 0;
	struct value *v = bpf_map_lookup_elem(&total, &zero);

	if (v) {
		v->packets++;
		v->bytes += bytes;
	}
}

SEC("xdp")
int total_xdp(struct xdp_md *ctx)
{
	count(ctx->data_end - ctx->data);
	return XDP_PASS;
}

SEC("tc")
int total_tc(struct __sk_buff *skb)
{
	count(skb->len);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
