// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What one writes by hand to count by source: the headers as the kernel's xdp1 sample reads them. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct value {
	__u64 packets, bytes;
};

#define TABLE(name, key_type)                                                                      \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);                                        \
		__uint(max_entries, 65536);                                                        \
		__type(key, key_type);                                                             \
		__type(value, struct value);                                                       \
	} name SEC(".maps")

TABLE(source4, __be32);
TABLE(source6, struct in6_addr);

static __always_inline void count(void *map, const void *key, __u64 bytes)
{
	struct value first = { 1, bytes }, *v = bpf_map_lookup_elem(map, key);

	if (v) {
		v->packets++;
		v->bytes += bytes;
	} else {
		bpf_map_update_elem(map, key, &first, BPF_NOEXIST);
	}
}

SEC("xdp")
int source_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *l3;
	__be16 proto;

	l3 = data + sizeof(struct ethhdr);
	proto = l3 > end ? 0 : ((struct ethhdr *)data)->h_proto;
	for (int i = 0;
	     i < 2 && (proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD)); i++) {
		if (l3 + 4 > end)
			return XDP_PASS;
		proto = *(__be16 *)(l3 + 2);
		l3 += 4;
	}
	if (proto == bpf_htons(ETH_P_IP) && l3 + sizeof(struct iphdr) <= end)
		count(&source4, &((struct iphdr *)l3)->saddr, end - data);
	else if (proto == bpf_htons(ETH_P_IPV6) && l3 + sizeof(struct ipv6hdr) <= end)
		count(&source6, &((struct ipv6hdr *)l3)->saddr, end - data);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
