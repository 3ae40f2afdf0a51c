// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The feature table: one row per feature, printed in doc/KERNELS.md. */
#include <assert.h>

#include "core/ctx.h"
#include "probe/feature.h"
#include "probe/try.h"

/* In the order of enum ebpfnet_feature. */
static const struct ebpfnet__feature features[] = {
	[EBPFNET_FEATURE_BTF] = {
		.name = "btf",
		.description = "the kernel's own types: CO-RE relocation, kernel functions",
		.min_kernel = "5.4",
		.config = "CONFIG_DEBUG_INFO_BTF",
		.probe = ebpfnet__probe_btf,
	},
	[EBPFNET_FEATURE_JIT] = {
		.name = "jit",
		.description = "programs are compiled to machine code instead of interpreted",
		.min_kernel = "3.18",
		.config = "CONFIG_BPF_JIT",
		.sysctl = "net.core.bpf_jit_enable",
		.probe = ebpfnet__probe_jit,
	},
	[EBPFNET_FEATURE_MEMCG_ACCOUNTING] = {
		.name = "memcg_accounting",
		.description = "memory is charged to the cgroup, RLIMIT_MEMLOCK does not count",
		.min_kernel = "5.11",
		.probe = ebpfnet__probe_memcg_accounting,
	},
	[EBPFNET_FEATURE_RUN_STATS] = {
		.name = "run_stats",
		.description = "run count and run time of programs, on while an fd is open",
		.min_kernel = "5.8",
		.probe = ebpfnet__probe_run_stats,
	},
	[EBPFNET_FEATURE_CLSACT] = {
		.name = "clsact",
		.description = "programs as filters of the clsact qdisc: TC before TCX",
		.min_kernel = "4.5",
		.config = "CONFIG_NET_CLS_ACT CONFIG_NET_CLS_BPF CONFIG_NET_SCH_INGRESS",
		.modules = "cls_bpf sch_ingress",
		.probe = ebpfnet__probe_clsact,
	},
	[EBPFNET_FEATURE_MAP_BATCH] = {
		.name = "map_batch",
		.description = "many map elements read, written or deleted in one call",
		.min_kernel = "5.6",
		.probe = ebpfnet__probe_map_batch,
	},
	[EBPFNET_FEATURE_RINGBUF] = {
		.name = "ringbuf",
		.description = "ring buffer: events from programs of all CPUs in one order",
		.min_kernel = "5.8",
		.probe = ebpfnet__probe_ringbuf,
	},
	[EBPFNET_FEATURE_XDP_LINK] = {
		.name = "xdp_link",
		.description = "XDP attachment that is a link: owned, pinned, replaced atomically",
		.min_kernel = "5.9",
		.probe = ebpfnet__probe_xdp_link,
	},
	[EBPFNET_FEATURE_SK_LOOKUP] = {
		.name = "sk_lookup",
		.description = "programs that choose the socket for a new connection",
		.min_kernel = "5.9",
		.config = "CONFIG_INET",
		.probe = ebpfnet__probe_sk_lookup,
	},
	[EBPFNET_FEATURE_FREPLACE_MULTI] = {
		.name = "freplace_multi",
		.description = "one extension program attached to several programs",
		.min_kernel = "5.10",
		.config = "CONFIG_BPF_JIT",
		.sysctl = "net.core.bpf_jit_enable",
		.probe = ebpfnet__probe_freplace_multi,
	},
	[EBPFNET_FEATURE_SKB_VERDICT] = {
		.name = "skb_verdict",
		.description = "sockmap verdict without a stream parser, for UDP too",
		.min_kernel = "5.13",
		.probe = ebpfnet__probe_skb_verdict,
	},
	[EBPFNET_FEATURE_BPF_TIMER] = {
		.name = "bpf_timer",
		.description = "timers in map values that call back into a program",
		.min_kernel = "5.15",
		.probe = ebpfnet__probe_bpf_timer,
	},
	[EBPFNET_FEATURE_BLOOM_FILTER] = {
		.name = "bloom_filter",
		.description = "bloom filter map",
		.min_kernel = "5.16",
		.probe = ebpfnet__probe_bloom_filter,
	},
	[EBPFNET_FEATURE_BPF_LOOP] = {
		.name = "bpf_loop",
		.description = "loops of up to 8 million rounds that the verifier walks once",
		.min_kernel = "5.17",
		.probe = ebpfnet__probe_bpf_loop,
	},
	[EBPFNET_FEATURE_XDP_FRAGS] = {
		.name = "xdp_frags",
		.description = "XDP on packets of several buffers: jumbo frames, GRO",
		.min_kernel = "5.18",
		.probe = ebpfnet__probe_xdp_frags,
	},
	[EBPFNET_FEATURE_XDP_LIVE_FRAMES] = {
		.name = "xdp_live_frames",
		.description = "BPF_PROG_TEST_RUN that sends real frames: a packet generator",
		.min_kernel = "5.18",
		.probe = ebpfnet__probe_xdp_live_frames,
	},
	[EBPFNET_FEATURE_CT_LOOKUP] = {
		.name = "ct_lookup",
		.description = "XDP programs look up connection tracking entries",
		.min_kernel = "5.18",
		.config = "CONFIG_BPF_JIT CONFIG_DEBUG_INFO_BTF CONFIG_NF_CONNTRACK",
		.modules = "nf_conntrack",
		.sysctl = "net.core.bpf_jit_enable",
		.probe = ebpfnet__probe_ct_lookup,
	},
	[EBPFNET_FEATURE_RAW_SYNCOOKIE] = {
		.name = "raw_syncookie",
		.description = "SYN cookies made and checked without a socket",
		.min_kernel = "6.0",
		.config = "CONFIG_INET CONFIG_SYN_COOKIES",
		.probe = ebpfnet__probe_raw_syncookie,
	},
	[EBPFNET_FEATURE_USER_RINGBUF] = {
		.name = "user_ringbuf",
		.description = "ring buffer from user space to programs",
		.min_kernel = "6.1",
		.probe = ebpfnet__probe_user_ringbuf,
	},
	[EBPFNET_FEATURE_DYNPTR_SKB] = {
		.name = "dynptr_skb",
		.description = "packet access through bpf_dynptr_from_skb at TC",
		.min_kernel = "6.4",
		.config = "CONFIG_BPF_JIT CONFIG_DEBUG_INFO_BTF",
		.sysctl = "net.core.bpf_jit_enable",
		.probe = ebpfnet__probe_dynptr_skb,
	},
	[EBPFNET_FEATURE_DYNPTR_XDP] = {
		.name = "dynptr_xdp",
		.description = "packet access through bpf_dynptr_from_xdp",
		.min_kernel = "6.4",
		.config = "CONFIG_BPF_JIT CONFIG_DEBUG_INFO_BTF",
		.sysctl = "net.core.bpf_jit_enable",
		.probe = ebpfnet__probe_dynptr_xdp,
	},
	[EBPFNET_FEATURE_NETFILTER_LINK] = {
		.name = "netfilter_link",
		.description = "programs at the netfilter hooks of IPv4 and IPv6",
		.min_kernel = "6.4",
		.config = "CONFIG_NETFILTER_BPF_LINK",
		.probe = ebpfnet__probe_netfilter_link,
	},
	[EBPFNET_FEATURE_TCX] = {
		.name = "tcx",
		.description = "TC attachment that is an ordered list of links, without a qdisc",
		.min_kernel = "6.6",
		.config = "CONFIG_NET_CLS_ACT CONFIG_NET_XGRESS",
		.probe = ebpfnet__probe_tcx,
	},
	[EBPFNET_FEATURE_NETKIT] = {
		.name = "netkit",
		.description = "device pair for containers whose transmit path is programs",
		.min_kernel = "6.7",
		.config = "CONFIG_NETKIT",
		.probe = ebpfnet__probe_netkit,
	},
	[EBPFNET_FEATURE_BPF_TOKEN] = {
		.name = "bpf_token",
		.description = "bpf(2) delegated to an unprivileged user namespace",
		.min_kernel = "6.9",
		.probe = ebpfnet__probe_bpf_token,
	},
	[EBPFNET_FEATURE_ARENA] = {
		.name = "arena",
		.description = "memory shared between programs and user space, with pointers in it",
		.min_kernel = "6.9",
		.config = "CONFIG_BPF_JIT CONFIG_MMU",
		.probe = ebpfnet__probe_arena,
	},
	[EBPFNET_FEATURE_SOCKMAP_LINK] = {
		.name = "sockmap_link",
		.description = "sockmap attachment that is a link",
		.min_kernel = "6.10",
		.config = "CONFIG_INET",
		.probe = ebpfnet__probe_sockmap_link,
	},
	[EBPFNET_FEATURE_CGROUP_ORDER] = {
		.name = "cgroup_order",
		.description = "order and revision of the programs of a cgroup",
		.min_kernel = "6.17",
		.config = "CONFIG_CGROUP_BPF",
		.probe = ebpfnet__probe_cgroup_order,
	},
};

static_assert(EBPFNET__ARRAY_SIZE(features) <= EBPFNET__PROBE_MAX,
	      "the context has no room for an answer per feature");

const struct ebpfnet__feature *ebpfnet__feature(uint32_t feature)
{
	return feature && feature < EBPFNET__ARRAY_SIZE(features) ? &features[feature] : NULL;
}
