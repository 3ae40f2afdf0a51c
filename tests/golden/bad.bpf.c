// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that the verifier refuses, one reason each, for the golden logs that capture.c writes.
 * Here are those that need BTF, line information or libbpf's relocations; the others are
 * instructions in capture.c. This file may only be changed together with all logs: the line numbers
 * are in them.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

SEC("?xdp")
int packet_bounds(struct xdp_md *ctx)
{
	const __u8 *data = (const void *)(long)ctx->data;

	return data[12] == 8 ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int null_map_value(struct xdp_md *ctx)
{
	__u32 key = ctx->ingress_ifindex;
	__u64 *count = bpf_map_lookup_elem(&counts, &key);

	*count += 1;
	return XDP_PASS;
}

SEC("?xdp")
int map_value_bounds(struct xdp_md *ctx)
{
	__u32 key = ctx->ingress_ifindex;
	__u64 *count = bpf_map_lookup_elem(&counts, &key);

	if (!count)
		return XDP_PASS;
	return (int)((volatile __u64 *)count)[1];
}

SEC("?tc")
int unreleased_reference(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = { .ipv4 = { .dport = 80 } };
	struct bpf_sock *sk;

	sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	return sk ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("?cgroup_skb/egress")
int return_code(struct __sk_buff *skb)
{
	return 5;
}

static __attribute__((noinline)) __u32 second_half(struct xdp_md *ctx)
{
	__u8 room[400];

	room[0] = (__u8)ctx->ingress_ifindex;
	asm volatile("" : : "r"(room) : "memory");
	return room[0];
}

SEC("?xdp")
int stack_depth(struct xdp_md *ctx)
{
	__u8 room[400];

	room[0] = (__u8)second_half(ctx);
	asm volatile("" : : "r"(room) : "memory");
	return room[0];
}

/* A kernel type with a member that no kernel has: libbpf puts a call to an impossible helper there.
 */
struct sk_buff {
	int no_such_member;
} __attribute__((preserve_access_index));

SEC("?tc")
int core_poison(struct __sk_buff *skb)
{
	struct sk_buff *kernel_skb = (void *)skb;

	return kernel_skb->no_such_member;
}

struct task_struct {
	int pid;
};

extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym __weak;
extern void ebpfnet_no_such_kfunc(void) __ksym __weak;

SEC("?xdp")
int kfunc_refused(struct xdp_md *ctx)
{
	bpf_task_acquire((void *)ctx);
	return XDP_PASS;
}

SEC("?xdp")
int kfunc_unknown(struct xdp_md *ctx)
{
	ebpfnet_no_such_kfunc();
	return XDP_PASS;
}
