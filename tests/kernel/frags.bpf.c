// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* XDP on frames of several buffers: the verdict hangs on a byte far behind the first one. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define MARK_AT 8000
#define MARK_DROP 'D'

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 6);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(
	".maps"); /* of jumbo frames: 0 frames, 1 bytes, 2 those of first buffers, 3 with the mark;
			of all: 4 frames, 5 bytes */

static __always_inline void add(__u32 slot, __u64 value)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &slot);

	if (n)
		__sync_fetch_and_add(n, value);
}

static __always_inline int look(struct xdp_md *ctx)
{
	__u64 bytes = bpf_xdp_get_buff_len(ctx);
	__u8 mark = 0;

	add(4, 1);
	add(5, bytes);
	if (bpf_xdp_load_bytes(ctx, MARK_AT, &mark, 1))
		return XDP_PASS;
	add(0, 1);
	add(1, bytes);
	add(2, ctx->data_end - ctx->data);
	if (mark != MARK_DROP)
		return XDP_PASS;
	add(3, 1);
	return XDP_DROP;
}

SEC("xdp.frags")
int whole_frames(struct xdp_md *ctx)
{
	return look(ctx);
}

SEC("xdp")
int one_buffer(struct xdp_md *ctx)
{
	return look(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
