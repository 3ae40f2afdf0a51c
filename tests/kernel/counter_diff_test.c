// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The counter's programs through BPF_PROG_TEST_RUN: every key on every kind of hook, with random
 * packets against a model of their descriptions, and with damaged ones against the shared parser.
 */
#include <bpf/bpf.h>
#include <errno.h>

#include <ebpfnet/bpf/parse.h>

#include "counter_model.h"
#include "helpers.h"

#define PACKETS 600
#define KEYS (EBPFNET_COUNTER_FIVE_TUPLE + 1)

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_error *err;
static struct packet packet;
static struct packet_spec spec;

/* XDP twice: the plain program, and the one for frames of several buffers. */
static const struct hook {
	uint32_t hook;
	uint32_t flags;
	int verdict;
} hooks[] = {
	{ EBPFNET_HOOK_XDP, 0, 2 },
	{ EBPFNET_HOOK_XDP, EBPFNET_COUNTER_XDP_FRAGS, 2 },
	{ EBPFNET_HOOK_TC_INGRESS, 0, -1 },
	{ EBPFNET_HOOK_CGROUP_INGRESS, 0, 1 },
};
#define HOOKS (sizeof(hooks) / sizeof(*hooks))

static void begin(void)
{
	ebpfnet_error_free(err);
	err = NULL;
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	model_clear();
}

static void end(void)
{
	ebpfnet_ctx_unref(ctx);
}

static bool is_there(const struct hook *h)
{
	return !(h->flags & EBPFNET_COUNTER_XDP_FRAGS) ||
	       ebpfnet_probe(ctx, EBPFNET_FEATURE_XDP_FRAGS, NULL) == 1;
}

static struct ebpfnet_counter *make(uint32_t key, const struct hook *h, int *fd)
{
	struct ebpfnet_counter *counter;
	struct ebpfnet_program *prog;

	EBPFNET_OPTS(ebpfnet_counter_opts, o);
	o.key = key;
	o.flags = h->flags;
	if (key == EBPFNET_COUNTER_SOURCE_PREFIX) {
		o.prefix4 = MODEL_PREFIX4;
		o.prefix6 = MODEL_PREFIX6;
	}
	ASSERT_OK(ebpfnet_counter_new(ctx, &o, &counter, &err), err);
	ASSERT_OK(ebpfnet_counter_program(counter, h->hook, &prog, &err), err);
	*fd = ebpfnet_program_fd(prog);
	model_clear();
	return counter;
}

/* false: the kernel does not take such a packet for a test run. */
static bool run(int fd, const struct hook *h, uint32_t gso_segs)
{
	struct __sk_buff skb = { .gso_segs = gso_segs };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet.data, .data_size_in = packet.len);

	if (gso_segs) {
		o.ctx_in = &skb;
		o.ctx_size_in = sizeof(skb);
	}
	if (bpf_prog_test_run_opts(fd, &o)) {
		ck_assert_int_eq(errno, EINVAL);
		return false;
	}
	ck_assert_int_eq((int)o.retval, h->verdict);
	return true;
}

/* What the hook sees of the frame. */
static uint64_t bytes_at(const struct hook *h)
{
	return h->hook == EBPFNET_HOOK_CGROUP_INGRESS ? packet.len - 14 : packet.len;
}

static void described(uint32_t key, const struct hook *h)
{
	struct packet_rng rng = { 7 + key };
	struct ebpfnet_counter *counter;
	int fd;

	counter = make(key, h, &fd);
	for (int i = 0; i < PACKETS; i++) {
		packet_random(&rng, &spec);
		/* Many of few: addresses and ports that meet again, and first bits that do. */
		memset(spec.saddr + 1, 0, 15);
		spec.saddr[0] = 10;
		spec.saddr[2] = (uint8_t)packet_rand(&rng, 32);
		spec.saddr[6] = (uint8_t)packet_rand(&rng, 16);
		memset(spec.daddr, 0, 16);
		spec.daddr[3] = (uint8_t)packet_rand(&rng, 4);
		spec.daddr[15] = (uint8_t)packet_rand(&rng, 4);
		spec.sport %= 3;
		spec.dport = (uint16_t)(8080 + spec.dport % 3);
		if (!packet_build(&spec, &packet))
			continue;
		for (uint32_t n = packet_rand(&rng, 3); n < 3; n++)
			if (run(fd, h, 0))
				model_packet(&spec, key, bytes_at(h), 1);
	}
	ck_assert_uint_gt(model_packets, PACKETS / 2);
	if (key != EBPFNET_COUNTER_TOTAL)
		ck_assert_uint_gt(model_other, 10);
	printf("hook %u flags %u key %u: %zu keys, %lu packets agree\n", h->hook, h->flags, key,
	       model_compare(counter), (unsigned long)model_packets);
	ebpfnet_counter_free(counter);
}

START_TEST(test_described)
{
	for (uint32_t key = 0; key < KEYS; key++)
		for (size_t h = 0; h < HOOKS; h++)
			if (is_there(&hooks[h]))
				described(key, &hooks[h]);
}
END_TEST

/* The documented place of a packet, from what the parser says of its bytes. */
static void model_bytes_of(const struct ebpfnet_pkt *p, uint32_t key, uint64_t bytes)
{
	bool has = p->flags & EBPFNET_PKT_L3;
	struct packet_spec s = { .l3 = p->family == 4 ? PACKET_IP4 : PACKET_IP6,
				 .l4 = PACKET_TCP,
				 .sport = __builtin_bswap16(p->sport),
				 .dport = __builtin_bswap16(p->dport) };
	struct model_key k;

	memcpy(s.saddr, &p->saddr, 16);
	memcpy(s.daddr, &p->daddr, 16);
	if (!model_has_address(key))
		has = has && !p->reason;
	if (key == EBPFNET_COUNTER_DESTINATION_PORT || key == EBPFNET_COUNTER_FIVE_TUPLE)
		has = has && p->frag != EBPFNET_FRAG_LATER;
	model_key_of(&s, key, &k);
	if (k.protocol)
		k.protocol = p->l4_proto;
	model_add(has ? &k : NULL, bytes, 1);
}

static void damaged(uint32_t key, const struct hook *h)
{
	struct packet_rng rng = { 99 + key };
	bool l2 = h->hook != EBPFNET_HOOK_CGROUP_INGRESS;
	struct ebpfnet_counter *counter;
	int fd;

	counter = make(key, h, &fd);
	for (int i = 0; i < PACKETS; i++) {
		struct ebpfnet_bytes b = { 0 };
		struct ebpfnet_pkt pkt;

		packet_random(&rng, &spec);
		if (!packet_build(&spec, &packet))
			continue;
		packet_damage(&rng, &packet);
		if (packet_rand(&rng, 4) == 0)
			packet.len = 14 + packet_rand(&rng, packet.len - 14);
		b.has_l2 = l2;
		b.ethertype = (uint16_t)(packet.data[12] << 8 | packet.data[13]);
		b.data = l2 ? packet.data : packet.data + 14;
		b.len = b.linear = (uint32_t)bytes_at(h);
		/* A length is no ethertype: the kernel puts another one in its place. */
		if ((!l2 && b.ethertype < 0x600) || !run(fd, h, 0))
			continue;
		ebpfnet_parse_bytes(&b, &pkt, EBPFNET_PARSE_L4);
		model_bytes_of(&pkt, key, bytes_at(h));
	}
	ck_assert_uint_gt(model_packets, PACKETS / 2);
	model_compare(counter);
	ebpfnet_counter_free(counter);
}

START_TEST(test_damaged)
{
	for (uint32_t key = 1; key < KEYS; key++)
		for (size_t h = 0; h < HOOKS; h++)
			if (is_there(&hooks[h]))
				damaged(key, &hooks[h]);
}
END_TEST

/* Merged packets: what their segments are on the wire, for both layouts of headers. */
START_TEST(test_segments)
{
	for (uint32_t key = 0; key < KEYS; key++) {
		for (size_t h = 2; h < HOOKS; h++) {
			struct packet_rng rng = { 5 };
			struct ebpfnet_counter *counter;
			uint64_t headers;
			int fd;

			counter = make(key, &hooks[h], &fd);
			for (int i = 0; i < 200; i++) {
				uint32_t n = 1 + packet_rand(&rng, 40);

				memset(&spec, 0, sizeof(spec));
				spec.l3 = i % 2 ? PACKET_IP4 : PACKET_IP6;
				spec.l4 = i / 2 % 2 ? PACKET_TCP : PACKET_UDP;
				spec.options = i % 2 ? (uint8_t)packet_rand(&rng, 3) : 0;
				spec.tcp_options = (uint8_t)packet_rand(&rng, 5);
				spec.tags = (uint8_t)packet_rand(&rng, 2);
				spec.tag[0].proto = 0x8100;
				spec.saddr[3] = (uint8_t)i;
				spec.dport = (uint16_t)i;
				spec.payload = (uint16_t)(1000 + i);
				ck_assert(packet_build(&spec, &packet));
				ck_assert(run(fd, &hooks[h], n));
				headers = packet.payload_off;
				if (hooks[h].hook == EBPFNET_HOOK_CGROUP_INGRESS)
					headers -= 14;
				model_packet(&spec, key, bytes_at(&hooks[h]) + (n - 1) * headers,
					     n);
			}
			model_compare(counter);
			ebpfnet_counter_free(counter);
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_described, test_damaged, test_segments };

	test_need_root();
	return test_run(test_suite_around("counter_diff", tests, sizeof(tests) / sizeof(*tests),
					  200, begin, end));
}
