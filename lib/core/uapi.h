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

/* 6.4 */
#define EBPFNET__BPF_PROG_TYPE_NETFILTER 32
#define EBPFNET__BPF_NETFILTER 45
/* 6.6 */
#define EBPFNET__BPF_TCX_INGRESS 46
#define EBPFNET__BPF_TCX_EGRESS 47
#define EBPFNET__BPF_F_BEFORE (1u << 3)
/* 6.7 */
#define EBPFNET__BPF_NETKIT_PRIMARY 54
#define EBPFNET__BPF_NETKIT_PEER 55
/* 6.9 */
#define EBPFNET__BPF_TOKEN_CREATE 36
#define EBPFNET__BPF_MAP_TYPE_ARENA 33
struct ebpfnet__token_create { /* bpf_attr.token_create */
	uint32_t flags;
	uint32_t bpffs_fd;
};

#endif /* EBPFNET_CORE_UAPI_H */
