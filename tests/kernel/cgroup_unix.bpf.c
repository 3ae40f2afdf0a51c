// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The hooks of unix sockets (6.7): each counts, refuses where it may, and gives another address. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* enum ebpfnet_cgroup_hook */
enum hook {
	CONNECT_UNIX = 24,
	SENDMSG_UNIX,
	RECVMSG_UNIX,
	GETPEERNAME_UNIX,
	GETSOCKNAME_UNIX,
	SLOTS = 32,
};

#define REFUSE 1

/* Known by its name; a declaration alone would be another kind of BTF. */
struct bpf_sock_addr_kern {
	__u32 unused;
};
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym;
extern int bpf_sock_addr_set_sun_path(struct bpf_sock_addr_kern *ctx, const __u8 *path,
				      __u32 path__sz) __ksym;

struct counts {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, __u64);
};

struct counts seen SEC(".maps");
struct counts act SEC(".maps");

static __always_inline __u64 enter(struct bpf_sock_addr *ctx, __u32 hook)
{
	__u8 elsewhere[] = "\0ebn-elsewhere"; /* without a file: an abstract name */
	__u64 *n = bpf_map_lookup_elem(&seen, &hook);
	__u64 *what = bpf_map_lookup_elem(&act, &hook);

	if (n)
		__sync_fetch_and_add(n, 1);
	if (what && *what > REFUSE)
		bpf_sock_addr_set_sun_path(bpf_cast_to_kern_ctx(ctx), elsewhere,
					   sizeof(elsewhere) - 1);
	return what ? *what : 0;
}

#define REFUSES(name, hook)                                                                        \
	SEC("cgroup/" #name) int name(struct bpf_sock_addr *ctx)                                   \
	{                                                                                          \
		return enter(ctx, hook) != REFUSE;                                                 \
	}

/* The kernel lets these say nothing but 1. */
#define NAMES(name, hook)                                                                          \
	SEC("cgroup/" #name) int name(struct bpf_sock_addr *ctx)                                   \
	{                                                                                          \
		enter(ctx, hook);                                                                  \
		return 1;                                                                          \
	}

REFUSES(connect_unix, CONNECT_UNIX)
REFUSES(sendmsg_unix, SENDMSG_UNIX)
NAMES(recvmsg_unix, RECVMSG_UNIX)
NAMES(getpeername_unix, GETPEERNAME_UNIX)
NAMES(getsockname_unix, GETSOCKNAME_UNIX)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
