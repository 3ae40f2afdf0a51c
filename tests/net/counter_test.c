// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The counter on a real interface: known packets go in, every key comes out, the kernel agrees. */
#include <errno.h>
#include <linux/if_packet.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counter_layout.h"
#include "helpers.h"
#include "netns.h"
#include "packets.h"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_counter *counter;
static struct ebpfnet_link *link_;
static struct ebpfnet_error *err;
static struct test_net net;
static char dir[64];

/* What was sent: the model that the counter is held against. */
#define KEYS_MAX 20000
static struct sent {
	struct ebpfnet_counter_entry key;
	uint64_t packets, bytes;
} sent[KEYS_MAX];
static size_t sent_keys;
static uint64_t sent_packets, sent_bytes, sent_other;
static int wire = -1;

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	sent_keys = sent_packets = sent_bytes = sent_other = 0;
	snprintf(dir, sizeof(dir), "/sys/fs/bpf/ebpfnet/test-%d/counter", getpid());
	test_net_open(&net, 0); /* down: the kernel's counters and ours start from 0 together */
	/* Not even a multicast report: what the test sends is all there is. */
	ck_assert_int_eq(test_shell("ip netns exec %s sh -c 'echo 1 >/proc/sys/net/ipv6/conf/v0/"
				    "disable_ipv6'",
				    net.near),
			 0);
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
}

/* A raw socket on the near end, which must be up: one that was bound before fails once. */
static void open_wire(void)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = net.near_if };

	test_net_enter(net.near_fd);
	wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	test_net_enter(-1);
	ck_assert_int_eq(bind(wire, (struct sockaddr *)&to, sizeof(to)), 0);
}

static void end(void)
{
	if (wire >= 0)
		close(wire);
	wire = -1;
	ebpfnet_link_close(link_);
	ebpfnet_counter_free(counter);
	ebpfnet_ctx_unref(ctx);
	link_ = NULL;
	counter = NULL;
	test_net_close(&net);
	test_shell("rm -rf /sys/fs/bpf/ebpfnet/test-%d", getpid());
}

static void start(uint32_t key, uint32_t max_entries, uint32_t mode)
{
	struct ebpfnet_program *prog;

	EBPFNET_OPTS(ebpfnet_counter_opts, o);
	EBPFNET_OPTS(ebpfnet_xdp_opts, x);
	o.key = key;
	o.max_entries = max_entries;
	x.netns_fd = net.far_fd;
	x.mode = mode;
	ASSERT_OK(ebpfnet_counter_new(ctx, &o, &counter, &err), err);
	ASSERT_OK(ebpfnet_counter_program(counter, EBPFNET_HOOK_XDP, &prog, &err), err);
	ASSERT_OK(ebpfnet_xdp_attach(prog, net.far_if, &x, &link_, &err), err);
	test_net_up(&net);
	open_wire();
}

static struct sent *model_key(uint32_t family, uint32_t protocol, const uint8_t *address)
{
	struct ebpfnet_counter_entry key = { .family = family, .protocol = protocol };

	if (address)
		memcpy(key.source, address, family == 4 ? 4 : 16);
	for (size_t i = sent_keys; i-- > 0;)
		if (memcmp(&sent[i].key, &key, sizeof(key)) == 0)
			return &sent[i];
	ck_assert_uint_lt(sent_keys, KEYS_MAX);
	memset(&sent[sent_keys], 0, sizeof(sent[0]));
	sent[sent_keys].key = key;
	return &sent[sent_keys++];
}

static void transmit(const struct packet *p)
{
	ck_assert_int_eq(send(wire, p->data, p->len, 0), (ssize_t)p->len);
	sent_packets++;
	sent_bytes += p->len;
	/* The far end takes 256 frames at a time: let it. */
	if (sent_packets % 64 == 0)
		usleep(300);
}

/* Sends a packet n times and enters it under its key; NULL: it has none. */
static void send_known(const struct packet *p, unsigned int n, struct sent *key)
{
	for (unsigned int i = 0; i < n; i++) {
		transmit(p);
		if (key) {
			key->packets++;
			key->bytes += p->len;
		} else {
			sent_other++;
		}
	}
}

/* Waits until the far end has taken all, and says what the kernel counted there. */
static void settle(void)
{
	uint64_t got = 0;

	for (int i = 0; i < 200; i++) {
		got = test_net_statistic(&net, 1, "rx_packets");
		if (got >= sent_packets)
			break;
		usleep(10000);
	}
	ck_assert_uint_eq(got, sent_packets);
}

static struct ebpfnet_counter_stats stats(void)
{
	struct ebpfnet_counter_stats s = { .sz = sizeof(s) };

	ASSERT_OK(ebpfnet_counter_stats(counter, &s, &err), err);
	return s;
}

/* Every key that was sent, with its packets and bytes, and no other one. */
static void compare_every_key(void)
{
	struct ebpfnet_counter_snapshot *snap;
	uint64_t last = UINT64_MAX;
	size_t n;

	ASSERT_OK(ebpfnet_counter_snapshot_new(counter, &snap, &err), err);
	n = ebpfnet_counter_snapshot_count(snap);
	ck_assert_uint_eq(n, sent_keys);
	for (size_t i = 0; i < n; i++) {
		struct ebpfnet_counter_entry e = { .sz = sizeof(e) };
		struct sent *want;
		size_t before = sent_keys;

		ck_assert_int_eq(ebpfnet_counter_snapshot_entry(snap, i, &e), 0);
		want = model_key(e.family, e.protocol, e.source);
		ck_assert_msg(sent_keys == before,
			      "key %zu (family %u, protocol %u) was never sent", i, e.family,
			      e.protocol);
		ck_assert_uint_eq(e.packets, want->packets);
		ck_assert_uint_eq(e.bytes, want->bytes);
		ck_assert_uint_eq(e.segments, want->packets);
		ck_assert_uint_le(e.packets, last); /* the busiest first */
		last = e.packets;
	}
	ck_assert_int_eq(ebpfnet_counter_snapshot_entry(snap, n, NULL), -ENOENT);
	ebpfnet_counter_snapshot_free(snap);
}

static void compare_totals(uint32_t mode)
{
	struct ebpfnet_counter_stats s = stats();

	ck_assert_uint_eq(s.packets, sent_packets);
	ck_assert_uint_eq(s.bytes, sent_bytes);
	ck_assert_uint_eq(s.segments, sent_packets);
	ck_assert_uint_eq(s.other_packets, sent_other);
	/* With native XDP veth leaves the Ethernet header out of rx_bytes, otherwise not
	 * (measured). */
	ck_assert_uint_eq(s.bytes, test_net_statistic(&net, 1, "rx_bytes") +
					   (mode == EBPFNET_XDP_NATIVE ? 14 * s.packets : 0));
}

START_TEST(test_total)
{
	for (uint32_t mode = EBPFNET_XDP_NATIVE; mode <= EBPFNET_XDP_GENERIC; mode += 2) {
		struct packet_rng rng = { 42 };
		struct packet_spec spec;
		struct packet packet;
		struct sent *key;

		start(EBPFNET_COUNTER_TOTAL, 0, mode);
		key = model_key(0, 0, NULL);
		for (int i = 0; i < 500; i++) {
			packet_random(&rng, &spec);
			ck_assert(packet_build(&spec, &packet));
			if (packet.len <= 1514)
				send_known(&packet, 1, key);
		}
		settle();
		compare_every_key();
		compare_totals(mode);
		end();
		begin();
	}
}
END_TEST

START_TEST(test_protocols)
{
	static const enum packet_l4 l4s[] = { PACKET_TCP, PACKET_UDP, PACKET_ICMP, PACKET_SCTP,
					      PACKET_OTHER };
	static const uint32_t protocols[2][5] = { { 6, 17, 1, 132, 47 }, { 6, 17, 58, 132, 47 } };
	struct packet packet;
	unsigned int n = 3;

	start(EBPFNET_COUNTER_PROTOCOL, 0, EBPFNET_XDP_NATIVE);
	for (int family = 4; family <= 6; family += 2) {
		for (int i = 0; i < 5; i++) {
			struct packet_spec spec = { .l3 = family == 4 ? PACKET_IP4 : PACKET_IP6,
						    .l4 = l4s[i],
						    .proto = 47,
						    .sport = 1,
						    .dport = 2,
						    .payload = 40 };
			struct sent *key =
				model_key((uint32_t)family, protocols[family == 6][i], NULL);

			ck_assert(packet_build(&spec, &packet));
			send_known(&packet, n++, key);
			/* Tags, options and extension headers stand before the protocol, not for
			 * it. */
			spec.tags = 2;
			spec.tag[0] = (struct packet_tag) { 0x88a8, 7 };
			spec.tag[1] = (struct packet_tag) { 0x8100, 9 };
			spec.options = family == 4 ? 3 : 0;
			if (family == 6) {
				spec.exts = 2;
				spec.ext[0].type = PACKET_HOP;
				spec.ext[1].type = PACKET_DESTINATION;
			}
			ck_assert(packet_build(&spec, &packet));
			send_known(&packet, n++, key);
		}
	}
	struct packet_spec arp = { .l3 = PACKET_ARP };
	struct packet_spec bad = { .l3 = PACKET_IP4, .l4 = PACKET_TCP, .payload = 10 };

	ck_assert(packet_build(&arp, &packet));
	send_known(&packet, 5, NULL);
	ck_assert(packet_build(&bad, &packet));
	packet.data[14] = 0x44; /* a header of 16 bytes */
	send_known(&packet, 4, NULL);
	settle();
	compare_every_key();
	compare_totals(EBPFNET_XDP_NATIVE);
}
END_TEST

static void source_packet(int family, uint32_t number, uint16_t payload, struct packet *packet,
			  uint8_t address[16])
{
	struct packet_spec spec = { .l3 = family == 4 ? PACKET_IP4 : PACKET_IP6,
				    .l4 = PACKET_UDP,
				    .sport = 7,
				    .dport = 9,
				    .payload = payload };

	memset(spec.saddr, 0, sizeof(spec.saddr));
	spec.saddr[0] = family == 4 ? 10 : 0xfd;
	spec.saddr[family == 4 ? 1 : 13] = (uint8_t)(number >> 16);
	spec.saddr[family == 4 ? 2 : 14] = (uint8_t)(number >> 8);
	spec.saddr[family == 4 ? 3 : 15] = (uint8_t)number;
	ck_assert(packet_build(&spec, packet));
	memcpy(address, spec.saddr, 16);
}

static void send_sources(uint32_t count, unsigned int each)
{
	for (uint32_t i = 0; i < count; i++) {
		for (int family = 4; family <= 6; family += 2) {
			struct packet packet;
			uint8_t address[16];

			source_packet(family, i, (uint16_t)(20 + i % 50), &packet, address);
			send_known(&packet, each + i % 3, model_key((uint32_t)family, 0, address));
		}
	}
}

START_TEST(test_sources)
{
	start(EBPFNET_COUNTER_SOURCE, 1024, EBPFNET_XDP_NATIVE);
	send_sources(200, 1);
	settle();
	compare_every_key();
	compare_totals(EBPFNET_XDP_NATIVE);
	ck_assert_uint_eq(stats().evicted_packets, 0);
	ck_assert_uint_eq(stats().entries, 400);

	/* A reset starts from 0, and what comes afterwards is exact again. */
	ASSERT_OK(ebpfnet_counter_reset(counter, &err), err);
	ck_assert_uint_eq(stats().packets, 0);
	ck_assert_uint_eq(stats().entries, 0);
	ck_assert_uint_eq(stats().evicted_packets, 0);
	sent_keys = 0;
	uint64_t before = sent_packets;

	send_sources(100, 2);
	settle();
	compare_every_key();
	ck_assert_uint_eq(stats().packets, sent_packets - before);
	ck_assert_uint_eq(stats().evicted_packets, 0);
}
END_TEST

START_TEST(test_reset_of_arrays)
{
	struct packet_spec spec = { .l3 = PACKET_IP6, .l4 = PACKET_UDP, .payload = 8 };
	struct packet packet;

	start(EBPFNET_COUNTER_PROTOCOL, 0, EBPFNET_XDP_NATIVE);
	ck_assert(packet_build(&spec, &packet));
	send_known(&packet, 10, model_key(6, 17, NULL));
	settle();
	ASSERT_OK(ebpfnet_counter_reset(counter, &err), err);
	sent_keys = 0;
	compare_every_key();
	send_known(&packet, 7, model_key(6, 17, NULL));
	settle();
	compare_every_key();
	ck_assert_uint_eq(stats().packets, 7);
}
END_TEST

START_TEST(test_eviction)
{
	struct ebpfnet_counter_snapshot *snap;
	struct ebpfnet_counter_stats s;
	uint64_t live = 0, live_bytes = 0;

	start(EBPFNET_COUNTER_SOURCE, 1024, EBPFNET_XDP_NATIVE);
	for (uint32_t i = 0; i < 10000; i++) {
		struct packet packet;
		uint8_t address[16];

		source_packet(4, i, 30, &packet, address);
		transmit(&packet);
	}
	settle();
	ASSERT_OK(ebpfnet_counter_snapshot_new(counter, &snap, &err), err);
	for (size_t i = 0; i < ebpfnet_counter_snapshot_count(snap); i++) {
		struct ebpfnet_counter_entry e = { .sz = sizeof(e) };

		ebpfnet_counter_snapshot_entry(snap, i, &e);
		ck_assert_uint_eq(e.packets, 1); /* each source sent one */
		live += e.packets;
		live_bytes += e.bytes;
	}
	s = stats();
	ck_assert_uint_eq(s.entries, ebpfnet_counter_snapshot_count(snap));
	ebpfnet_counter_snapshot_free(snap);
	ck_assert_uint_le(s.entries, 1024);
	ck_assert_uint_ge(s.entries, 512); /* LRU evicts before it is full, but not that early */
	ck_assert_uint_eq(live + s.evicted_packets, 10000);
	ck_assert_uint_eq(live_bytes + s.evicted_bytes, sent_bytes);
	ck_assert_uint_eq(s.packets, 10000);
	/* And the arithmetic survives a reset. */
	ASSERT_OK(ebpfnet_counter_reset(counter, &err), err);
	s = stats();
	ck_assert_uint_eq(s.packets + s.evicted_packets + s.entries, 0);
}
END_TEST

static void *send_from_cpu(void *arg)
{
	struct packet_spec spec = { .l3 = PACKET_IP4, .l4 = PACKET_UDP, .payload = 20 };
	int cpu = (int)(intptr_t)arg;
	struct packet packet;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	packet_build(&spec, &packet);
	for (int i = 0; i < 5000; i++) {
		/* No room in the device's queue: it was not sent. */
		while (send(wire, packet.data, packet.len, 0) != (ssize_t)packet.len) {
			if (errno != ENOBUFS)
				return (void *)1;
			usleep(300);
		}
		if (i % 32 == 0)
			usleep(300);
	}
	return NULL;
}

START_TEST(test_two_cpus)
{
	pthread_t threads[2];
	void *ret;

	start(EBPFNET_COUNTER_TOTAL, 0, EBPFNET_XDP_NATIVE);
	for (intptr_t i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, send_from_cpu, (void *)i), 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &ret);
		ck_assert_ptr_null(ret);
	}
	sent_packets = 10000;
	settle();
	ck_assert_uint_eq(stats().packets, 10000);
}
END_TEST

/* A reset under traffic: afterwards keys, other and evicted still add up to the total, exactly. */
START_TEST(test_reset_under_traffic)
{
	static const uint32_t tried[] = { EBPFNET_COUNTER_PROTOCOL, EBPFNET_COUNTER_SOURCE };

	for (size_t k = 0; k < 2; k++) {
		struct ebpfnet_counter_snapshot *snap;
		struct ebpfnet_counter_stats s;
		uint64_t live = 0;
		pthread_t thread;
		void *ret;

		start(tried[k], 1024, EBPFNET_XDP_NATIVE);
		ck_assert_int_eq(pthread_create(&thread, NULL, send_from_cpu, (void *)0), 0);
		for (int i = 0; i < 5000 && stats().packets == 0; i++)
			usleep(1000);
		for (int i = 0; i < 8; i++) {
			usleep(1000);
			ASSERT_OK(ebpfnet_counter_reset(counter, &err), err);
		}
		pthread_join(thread, &ret);
		ck_assert_ptr_null(ret);
		sent_packets = 5000;
		settle();
		ASSERT_OK(ebpfnet_counter_snapshot_new(counter, &snap, &err), err);
		for (size_t i = 0; i < ebpfnet_counter_snapshot_count(snap); i++) {
			struct ebpfnet_counter_entry e = { .sz = sizeof(e) };

			ebpfnet_counter_snapshot_entry(snap, i, &e);
			live += e.packets;
		}
		ebpfnet_counter_snapshot_free(snap);
		s = stats();
		ck_assert_uint_eq(s.packets, live + s.other_packets + s.evicted_packets);
		ck_assert_uint_gt(s.packets, 0);
		ck_assert_uint_lt(s.packets, 5000);
		end();
		begin();
	}
}
END_TEST

static int take_over(void)
{
	struct ebpfnet_counter *taken;
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_counter_stats s = { .sz = sizeof(s) };

	if (ebpfnet_counter_open_pinned(ctx, dir, &taken, &e) < 0 ||
	    ebpfnet_counter_stats(taken, &s, &e) < 0) {
		test_print_error(e);
		return 1;
	}
	ebpfnet_counter_free(taken);
	return s.packets == sent_packets ? 0 : 2;
}

START_TEST(test_pin_and_take_over)
{
	struct ebpfnet_counter *other;
	char link_pin[96];
	int status;

	snprintf(link_pin, sizeof(link_pin), "/sys/fs/bpf/ebpfnet/test-%d/link", getpid());
	start(EBPFNET_COUNTER_SOURCE, 1024, EBPFNET_XDP_NATIVE);
	send_sources(20, 1);
	settle();
	ASSERT_OK(ebpfnet_counter_pin(counter, dir, &err), err);
	ASSERT_OK(ebpfnet_link_pin(link_, link_pin, &err), err);
	/* The place is taken for another counter, which must leave it as it is. */
	ASSERT_OK(ebpfnet_counter_new(ctx, NULL, &other, &err), err);
	ASSERT_FAILS(ebpfnet_counter_pin(other, dir, &err), err, -EEXIST, EBPFNET_ERROR_BUSY,
		     "is taken");
	ebpfnet_counter_free(other);
	ebpfnet_link_close(link_);
	ebpfnet_counter_free(counter);
	link_ = NULL;
	counter = NULL;

	send_sources(20, 1); /* nobody is there, and the program counts on */
	settle();
	pid_t pid = fork();
	if (pid == 0)
		_exit(take_over());
	waitpid(pid, &status, 0);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ASSERT_OK(ebpfnet_counter_open_pinned(ctx, dir, &counter, &err), err);
	compare_every_key();
	compare_totals(EBPFNET_XDP_NATIVE);
	EBPFNET_OPTS(ebpfnet_link_open_opts, o);
	o.netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_link_open_pinned(ctx, link_pin, &o, &link_, &err), err);
	ASSERT_OK(ebpfnet_link_unpin(link_, &err), err);
	ASSERT_OK(ebpfnet_counter_unpin(counter, &err), err);
	ASSERT_FAILS(ebpfnet_counter_unpin(counter, &err), err, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
		     "not pinned");
	ck_assert_int_ne(test_shell("ls /sys/fs/bpf/ebpfnet/test-%d 2>/dev/null", getpid()), 0);
}
END_TEST

START_TEST(test_pins_of_another_kind)
{
	struct ebpfnet_counter *other;
	struct counter_meta meta = { .abi_version = COUNTER_ABI + 1 };
	struct ebpfnet_map *map;
	char path[160];
	uint32_t zero = 0;

	ASSERT_FAILS(ebpfnet_counter_open_pinned(ctx, dir, &other, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "");
	ck_assert_ptr_null(other);
	ASSERT_OK(ebpfnet_counter_new(ctx, NULL, &counter, &err), err);
	ASSERT_OK(ebpfnet_counter_pin(counter, dir, &err), err);
	ASSERT_FAILS(ebpfnet_counter_pin(counter, dir, &err), err, -EBUSY, EBPFNET_ERROR_BUSY,
		     "pinned in");
	snprintf(path, sizeof(path), "%s/meta", dir);
	ASSERT_OK(ebpfnet_map_open_pinned(ctx, path, &map, &err), err);
	ck_assert_int_eq(ebpfnet_map_put(map, &zero, &meta, 0), 0);
	ASSERT_FAILS(ebpfnet_counter_open_pinned(ctx, dir, &other, &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "layout 3");
	meta.abi_version = COUNTER_ABI;
	ck_assert_int_eq(ebpfnet_map_put(map, &zero, &meta, 0), 0);
	ebpfnet_map_close(map);
	/* One pin is gone: told, and nothing is taken over by half. */
	snprintf(path, sizeof(path), "%s/base", dir);
	ASSERT_OK(ebpfnet_pin_remove(ctx, path, &err), err);
	ASSERT_FAILS(ebpfnet_counter_open_pinned(ctx, dir, &other, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "base");
}
END_TEST

START_TEST(test_bad_input)
{
	struct ebpfnet_counter *other = (void *)1;
	struct ebpfnet_program *prog;
	struct {
		struct ebpfnet_counter_opts o;
		uint64_t newer;
	} tail = { .o = { .sz = sizeof(tail) }, .newer = 1 };

	EBPFNET_OPTS(ebpfnet_counter_opts, o);
	o.key = 99;
	ASSERT_FAILS(ebpfnet_counter_new(ctx, &o, &other, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "key 99");
	ck_assert_ptr_null(other);
	ASSERT_FAILS(ebpfnet_counter_new(ctx, &tail.o, &other, &err), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "knows");
	ASSERT_OK(ebpfnet_counter_new(ctx, NULL, &counter, &err), err);
	ASSERT_FAILS(ebpfnet_counter_program(counter, 99, &prog, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "hook 99");
	EBPFNET_OPTS(ebpfnet_counter_opts, huge);
	huge.key = EBPFNET_COUNTER_SOURCE;
	huge.max_entries = UINT32_MAX;
	ck_assert_int_lt(ebpfnet_counter_new(ctx, &huge, &other, &err), 0);
	ck_assert_msg(test_error_says(err, "map address"), "%s", ebpfnet_error_message(err));
	ebpfnet_error_free(err);
	err = NULL;
	ebpfnet_counter_free(NULL);
	ebpfnet_counter_snapshot_free(NULL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_total,
		test_protocols,
		test_sources,
		test_reset_of_arrays,
		test_eviction,
		test_two_cpus,
		test_pin_and_take_over,
		test_pins_of_another_kind,
		test_bad_input,
		test_reset_under_traffic,
	};

	test_need_root();
	return test_run(test_suite_around("counter", tests, sizeof(tests) / sizeof(*tests), 120,
					  begin, end));
}
