/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_CORE_UAPI_H
#define EBPFNET_CORE_UAPI_H

/*
 * Every kernel number and layout that Linux 6.1's headers lack, under our own names, with the
 * kernel that brought it. Where the build machine's header knows it too, meson.build found out and
 * the assertion in uapi.c compares the two.
 */

#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>

/* 6.4 */
#define EBPFNET__BPF_PROG_TYPE_NETFILTER 32
#define EBPFNET__BPF_NETFILTER 45
#define EBPFNET__BPF_LINK_TYPE_NETFILTER 10
struct ebpfnet__link_info_netfilter { /* bpf_link_info.netfilter */
	uint32_t pf;
	uint32_t hooknum;
	int32_t priority;
	uint32_t flags;
};
static inline struct ebpfnet__link_info_netfilter
ebpfnet__link_info_netfilter(const struct bpf_link_info *info)
{
	struct ebpfnet__link_info_netfilter out;

	/* Every kind's facts start where those of XDP do. */
	memcpy(&out, &info->xdp, sizeof(out));
	return out;
}
enum { /* linux/netfilter/nfnetlink_hook.h */
       EBPFNET__NFNL_HOOK_TYPE_BPF = 2,
};
enum {
	EBPFNET__NFNLA_HOOK_BPF_ID = 1,
};
/* 6.6 */
#define EBPFNET__BPF_TCX_INGRESS 46
#define EBPFNET__BPF_TCX_EGRESS 47
#define EBPFNET__BPF_F_BEFORE (1u << 3)
#define EBPFNET__BPF_F_AFTER (1u << 4)
#define EBPFNET__BPF_F_LINK (1u << 13)
#define EBPFNET__BPF_LINK_TYPE_TCX 11
struct ebpfnet__link_info_tcx { /* bpf_link_info.tcx */
	uint32_t ifindex;
	uint32_t attach_type;
};
static inline struct ebpfnet__link_info_tcx ebpfnet__link_info_tcx(const struct bpf_link_info *info)
{
	struct ebpfnet__link_info_tcx out;

	memcpy(&out, &info->xdp, sizeof(out));
	return out;
}
/* 6.7 */
#define EBPFNET__BPF_CGROUP_UNIX_CONNECT 49
#define EBPFNET__BPF_CGROUP_UNIX_SENDMSG 50
#define EBPFNET__BPF_CGROUP_UNIX_RECVMSG 51
#define EBPFNET__BPF_CGROUP_UNIX_GETPEERNAME 52
#define EBPFNET__BPF_CGROUP_UNIX_GETSOCKNAME 53
#define EBPFNET__BPF_NETKIT_PRIMARY 54
#define EBPFNET__BPF_NETKIT_PEER 55
#define EBPFNET__BPF_LINK_TYPE_NETKIT 13
struct ebpfnet__link_info_netkit { /* bpf_link_info.netkit */
	uint32_t ifindex;
	uint32_t attach_type;
};
static inline struct ebpfnet__link_info_netkit
ebpfnet__link_info_netkit(const struct bpf_link_info *info)
{
	struct ebpfnet__link_info_netkit out;

	memcpy(&out, &info->xdp, sizeof(out));
	return out;
}
enum { /* linux/if_link.h */
       EBPFNET__NETKIT_L2,
       EBPFNET__NETKIT_L3,
};
enum {
	EBPFNET__NETKIT_PASS = 0,
	EBPFNET__NETKIT_DROP = 2,
};
enum {
	EBPFNET__IFLA_NETKIT_PEER_INFO = 1,
	EBPFNET__IFLA_NETKIT_PRIMARY,
	EBPFNET__IFLA_NETKIT_POLICY,
	EBPFNET__IFLA_NETKIT_PEER_POLICY,
	EBPFNET__IFLA_NETKIT_MODE,
	EBPFNET__IFLA_NETKIT_SCRUB, /* 6.12 */
	EBPFNET__IFLA_NETKIT_PEER_SCRUB,
	EBPFNET__IFLA_NETKIT_HEADROOM, /* 6.14 */
	EBPFNET__IFLA_NETKIT_TAILROOM,
};
enum { /* 6.12 */
       EBPFNET__NETKIT_SCRUB_NONE,
};
/* 6.9 */
#define EBPFNET__BPF_TOKEN_CREATE 36
#define EBPFNET__BPF_MAP_TYPE_ARENA 33
struct ebpfnet__token_create { /* bpf_attr.token_create */
	uint32_t flags;
	uint32_t bpffs_fd;
};
/* 6.10 */
#define EBPFNET__BPF_LINK_TYPE_SOCKMAP 14
struct ebpfnet__link_info_sockmap { /* bpf_link_info.sockmap */
	uint32_t map_id;
	uint32_t attach_type;
};
/* 6.15 */
#define EBPFNET__BPF_F_PREORDER (1u << 6)
/* 6.17 */
struct ebpfnet__cgroup_link_create { /* bpf_attr.link_create of a cgroup */
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	uint32_t relative_fd;
	uint32_t reserved;
	uint64_t expected_revision;
};
struct ebpfnet__cgroup_prog_attach { /* bpf_attr of BPF_PROG_ATTACH and _DETACH */
	uint32_t target_fd;
	uint32_t attach_bpf_fd;
	uint32_t attach_type;
	uint32_t attach_flags;
	uint32_t replace_bpf_fd;
	uint32_t relative_fd;
	uint64_t expected_revision;
};
struct ebpfnet__cgroup_query { /* bpf_attr.query */
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t query_flags;
	uint32_t attach_flags;
	uint64_t prog_ids;
	uint32_t prog_cnt;
	uint32_t reserved;
	uint64_t prog_attach_flags;
	uint64_t link_ids;
	uint64_t link_attach_flags;
	uint64_t revision;
};
/* 6.19 */
#define EBPFNET__BPF_F_RB_OVERWRITE (1u << 19)

#endif /* EBPFNET_CORE_UAPI_H */
