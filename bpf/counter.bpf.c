// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct counter_value {
	__u64 packets;
	__u64 bytes;
	__u64 extra_segments;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counter_value);
} total SEC(".maps");

SEC("xdp")
int counter_xdp(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct counter_value *v = bpf_map_lookup_elem(&total, &key);

	if (v) {
		v->packets++;
		v->bytes += ctx->data_end - ctx->data;
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
