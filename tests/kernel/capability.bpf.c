// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The least program of every hook: what it takes to load and attach it is what the hook takes. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define LEAST(section, name, type, verdict)                                                        \
	SEC(section) int name(type *ctx)                                                           \
	{                                                                                          \
		return verdict;                                                                    \
	}

/* The context of a netfilter program is the kernel's own. */
struct bpf_nf_ctx;

LEAST("?xdp", xdp, struct xdp_md, XDP_PASS)
LEAST("?tc", tc, struct __sk_buff, 0)
LEAST("?netfilter", netfilter, struct bpf_nf_ctx, 1)
LEAST("?sk_lookup", sk_lookup, struct bpf_sk_lookup, SK_PASS)
LEAST("?flow_dissector", flow_dissector, struct __sk_buff, 129)
LEAST("?cgroup_skb/egress", cgroup_skb, struct __sk_buff, 1)
LEAST("?cgroup/sock_create", cgroup_sock, struct bpf_sock, 1)
LEAST("?cgroup/connect4", cgroup_connect4, struct bpf_sock_addr, 1)
LEAST("?sockops", cgroup_sockops, struct bpf_sock_ops, 1)
LEAST("?cgroup/getsockopt", cgroup_getsockopt, struct bpf_sockopt, 1)
LEAST("?cgroup/dev", cgroup_device, struct bpf_cgroup_dev_ctx, 1)
LEAST("?cgroup/sysctl", cgroup_sysctl, struct bpf_sysctl, 1)
LEAST("?sk_msg", msg_verdict, struct sk_msg_md, SK_PASS)
LEAST("?sk_skb/stream_parser", stream_parser, struct __sk_buff, 1)
LEAST("?sk_skb/stream_verdict", stream_verdict, struct __sk_buff, SK_PASS)
LEAST("?sk_skb/verdict", skb_verdict, struct __sk_buff, SK_PASS)
LEAST("?socket", socket_filter, struct __sk_buff, 0)
LEAST("?sk_reuseport", reuseport, struct sk_reuseport_md, SK_PASS)
LEAST("?lwt_out", lwt_out, struct __sk_buff, 0)
LEAST("?lwt_xmit", lwt_xmit, struct __sk_buff, 0)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
