// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What one writes by hand to drop everything, and to let everything go on at tc. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int drop_xdp(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("tcx/ingress")
int next_tcx(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
