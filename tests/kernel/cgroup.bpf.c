// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One program for every hook of a cgroup. Each counts its calls in the slot of its hook, and does
 * what the test has written into the slot of the map `act`: 0 lets pass, 1 refuses, more rewrites.
 */
#include <asm/socket.h>
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* enum ebpfnet_cgroup_hook */
enum hook {
	SKB_INGRESS = 1,
	SKB_EGRESS,
	SOCK_CREATE,
	SOCK_RELEASE,
	POST_BIND4,
	POST_BIND6,
	BIND4,
	BIND6,
	CONNECT4,
	CONNECT6,
	SENDMSG4,
	SENDMSG6,
	RECVMSG4,
	RECVMSG6,
	GETPEERNAME4,
	GETPEERNAME6,
	GETSOCKNAME4,
	GETSOCKNAME6,
	SOCKOPS,
	GETSOCKOPT,
	SETSOCKOPT,
	DEVICE,
	SYSCTL,
	SLOTS = 32,
};

#define REFUSE 1

struct counts {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, __u64);
};

struct counts seen SEC(".maps");
struct counts act SEC(".maps");
/* The order in which the programs first, second and third ran, a digit each. */
struct counts order SEC(".maps");

static __always_inline __u64 enter(__u32 hook)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &hook);
	__u64 *what = bpf_map_lookup_elem(&act, &hook);

	if (n)
		__sync_fetch_and_add(n, 1);
	return what ? *what : 0;
}

#define VERDICT(section, name, context, hook)                                                      \
	SEC(section) int name(struct context *ctx)                                                 \
	{                                                                                          \
		return enter(hook) != REFUSE;                                                      \
	}

VERDICT("cgroup_skb/ingress", skb_ingress, __sk_buff, SKB_INGRESS)
VERDICT("cgroup_skb/egress", skb_egress, __sk_buff, SKB_EGRESS)
VERDICT("cgroup/skb", skb_any, __sk_buff, SKB_INGRESS)
VERDICT("cgroup/sock_create", sock_create, bpf_sock, SOCK_CREATE)
VERDICT("cgroup/post_bind4", post_bind4, bpf_sock, POST_BIND4)
VERDICT("cgroup/post_bind6", post_bind6, bpf_sock, POST_BIND6)
VERDICT("cgroup/dev", device, bpf_cgroup_dev_ctx, DEVICE)

/* Its verdict means nothing; what it tells of the socket does: slot 0 adds up the protocols. */
SEC("cgroup/sock_release")
int sock_release(struct bpf_sock *ctx)
{
	__u32 zero = 0;
	__u64 *sum = bpf_map_lookup_elem(&seen, &zero);

	enter(SOCK_RELEASE);
	if (sum)
		__sync_fetch_and_add(sum, ctx->protocol);
	return 1;
}

/* Refused, or with the port that the test wants. */
#define ADDRESS(section, name, hook)                                                               \
	SEC(section) int name(struct bpf_sock_addr *ctx)                                           \
	{                                                                                          \
		__u64 what = enter(hook);                                                          \
                                                                                                   \
		if (what > REFUSE)                                                                 \
			ctx->user_port = bpf_htons((__u16)what);                                   \
		return what != REFUSE;                                                             \
	}

ADDRESS("cgroup/bind4", bind4, BIND4)
ADDRESS("cgroup/bind6", bind6, BIND6)
ADDRESS("cgroup/connect4", connect4, CONNECT4)
ADDRESS("cgroup/connect6", connect6, CONNECT6)
ADDRESS("cgroup/sendmsg4", sendmsg4, SENDMSG4)
ADDRESS("cgroup/sendmsg6", sendmsg6, SENDMSG6)

/* The kernel lets these say nothing but 1. */
#define NAMES(section, name, hook)                                                                 \
	SEC(section) int name(struct bpf_sock_addr *ctx)                                           \
	{                                                                                          \
		__u64 what = enter(hook);                                                          \
                                                                                                   \
		if (what > REFUSE)                                                                 \
			ctx->user_port = bpf_htons((__u16)what);                                   \
		return 1;                                                                          \
	}

NAMES("cgroup/recvmsg4", recvmsg4, RECVMSG4)
NAMES("cgroup/recvmsg6", recvmsg6, RECVMSG6)
NAMES("cgroup/getpeername4", getpeername4, GETPEERNAME4)
NAMES("cgroup/getpeername6", getpeername6, GETPEERNAME6)
NAMES("cgroup/getsockname4", getsockname4, GETSOCKNAME4)
NAMES("cgroup/getsockname6", getsockname6, GETSOCKNAME6)

/* Counts established connections of either end, and gives their sockets a priority. */
SEC("sockops")
int tcp_events(struct bpf_sock_ops *ctx)
{
	int priority;

	if (ctx->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB &&
	    ctx->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return 1;
	priority = (int)enter(SOCKOPS);
	if (priority)
		bpf_setsockopt(ctx, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
	return 1;
}

static __always_inline int *value_of(struct bpf_sockopt *ctx)
{
	int *value = ctx->optval;

	if (ctx->level != SOL_SOCKET || ctx->optname != SO_PRIORITY ||
	    (void *)(value + 1) > ctx->optval_end)
		return 0;
	return value;
}

SEC("cgroup/getsockopt")
int getsockopt(struct bpf_sockopt *ctx)
{
	int *value = value_of(ctx);
	__u64 what;

	if (!value)
		return 1;
	what = enter(GETSOCKOPT);
	if (what > REFUSE)
		*value = (int)what;
	return what != REFUSE;
}

SEC("cgroup/setsockopt")
int setsockopt(struct bpf_sockopt *ctx)
{
	int *value = value_of(ctx);
	__u64 what;

	if (!value)
		return 1;
	what = enter(SETSOCKOPT);
	if (what > REFUSE)
		*value = (int)what;
	return what != REFUSE;
}

/* A read starts at the third byte of the value; what is written becomes 33. */
SEC("cgroup/sysctl")
int sysctl(struct bpf_sysctl *ctx)
{
	static const char value[] = "33";
	__u64 what = enter(SYSCTL);

	if (what > REFUSE && ctx->write)
		bpf_sysctl_set_new_value(ctx, value, sizeof(value) - 1);
	else if (what > REFUSE && ctx->file_pos == 0)
		ctx->file_pos = 2;
	return what != REFUSE;
}

static __always_inline int ran(__u64 digit)
{
	__u32 zero = 0;
	__u64 *log = bpf_map_lookup_elem(&order, &zero);

	if (log)
		*log = *log * 10 + digit;
	return 1;
}

#define ORDERED(name, digit)                                                                       \
	SEC("cgroup/sock_create") int name(struct bpf_sock *ctx)                                   \
	{                                                                                          \
		return ran(digit);                                                                 \
	}

ORDERED(first, 1)
ORDERED(second, 2)
ORDERED(third, 3)
ORDERED(fourth, 4)

SEC("xdp")
int not_for_cgroups(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
