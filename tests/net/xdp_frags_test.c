// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * XDP on jumbo frames: a program of SEC("xdp.frags") sees the whole frame, and one without is
 * refused at that MTU with the kernel's words. And what there is to say of offload.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers.h"
#include "netns.h"

#define PORT 4001
#define PAYLOAD 8900
#define MARK_AT 8000 /* of the frame; frags.bpf.c */
#define STREAM_BYTES (4 << 20)

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_program *frags, *plain;
static struct ebpfnet_error *err;
static struct test_net net;

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	test_net_open(&net, 1);
	ck_assert_int_eq(
		test_shell("ip -n %s link set v0 mtu 9000 && ip -n %s link set v0 mtu 9000",
			   net.near, net.far),
		0);
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	if (ebpfnet_probe(ctx, EBPFNET_FEATURE_XDP_FRAGS, NULL) != 1)
		test_skip("this kernel has no XDP on several buffers");
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("frags"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "whole_frames", &frags, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "one_buffer", &plain, &err), err);
}

static void end(void)
{
	ebpfnet_object_close(obj);
	obj = NULL;
	ebpfnet_ctx_unref(ctx);
	test_net_close(&net);
}

static uint64_t seen(uint32_t slot)
{
	struct ebpfnet_map *map;
	uint64_t n;

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	ck_assert_int_eq(bpf_map_lookup_elem(ebpfnet_map_fd(map), &slot, &n), 0);
	return n;
}

static void forget(void)
{
	struct ebpfnet_map *map;
	uint64_t zero = 0;

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	for (uint32_t slot = 0; slot < 6; slot++)
		ck_assert_int_eq(bpf_map_update_elem(ebpfnet_map_fd(map), &slot, &zero, BPF_ANY),
				 0);
}

struct tally {
	uint64_t frames, bytes;	      /* what the program saw */
	uint64_t tx_frames, tx_bytes; /* what the near end sent */
};

/* All four at one moment: a neighbour may ask for another between two of them. */
static struct tally tally(void)
{
	struct tally t;

	do {
		t.frames = seen(4);
		t.bytes = seen(5);
		t.tx_frames = test_net_statistic(&net, 0, "tx_packets");
		t.tx_bytes = test_net_statistic(&net, 0, "tx_bytes");
	} while (t.frames != seen(4) || t.tx_frames != test_net_statistic(&net, 0, "tx_packets"));
	return t;
}

static socklen_t far_address(int family, struct sockaddr_storage *address)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
	struct sockaddr_in *four = (struct sockaddr_in *)address;

	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	if (family == AF_INET6) {
		six->sin6_port = htons(PORT);
		ck_assert_int_eq(inet_pton(family, TEST_FAR6, &six->sin6_addr), 1);
		return sizeof(*six);
	}
	four->sin_port = htons(PORT);
	ck_assert_int_eq(inet_pton(family, TEST_FAR4, &four->sin_addr), 1);
	return sizeof(*four);
}

/* A bound socket at the far end and a connected one at the near end; TCP listens at the far one. */
static void ends(int family, int type, int *near, int *far)
{
	struct sockaddr_storage address;
	socklen_t len = far_address(family, &address);

	test_net_enter(net.far_fd);
	*far = socket(family, type | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(setsockopt(*far, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 }, sizeof(int)), 0);
	ck_assert_int_eq(bind(*far, (struct sockaddr *)&address, len), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(*far, 1), 0);
	test_net_enter(net.near_fd);
	*near = socket(family, type | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(*near, (struct sockaddr *)&address, len), 0);
	test_net_enter(-1);
}

static int arrived(int sock)
{
	struct pollfd ready = { .fd = sock, .events = POLLIN };
	static char datagram[PAYLOAD + 1];
	int n = 0;

	while (poll(&ready, 1, 100) == 1 && recv(sock, datagram, sizeof(datagram), 0) == PAYLOAD)
		n++;
	return n;
}

static struct ebpfnet_link *attach(struct ebpfnet_program *prog, uint32_t mode)
{
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	o.mode = mode;
	ASSERT_OK(ebpfnet_xdp_attach(prog, net.far_if, &o, &link, &err), err);
	return link;
}

/* Datagrams of one jumbo frame each: those with the mark are dropped, and each byte is counted. */
static void datagrams(uint32_t mode)
{
	for (int six = 0; six < 2; six++) {
		uint64_t frame = 14 + (six ? 40 : 20) + 8 + PAYLOAD;
		static char payload[PAYLOAD];
		struct ebpfnet_link *link;
		int near, far;

		ends(six ? AF_INET6 : AF_INET, SOCK_DGRAM, &near, &far);
		/* Once without the program: neighbours are known afterwards. */
		ck_assert_int_eq(send(near, payload, PAYLOAD, 0), PAYLOAD);
		ck_assert_int_eq(arrived(far), 1);
		link = attach(frags, mode);
		forget();
		for (int i = 0; i < 10; i++) {
			payload[MARK_AT - (frame - PAYLOAD)] = i % 2 ? 'D' : 'P';
			ck_assert_int_eq(send(near, payload, PAYLOAD, 0), PAYLOAD);
		}
		ck_assert_int_eq(arrived(far), 5);
		ck_assert_uint_eq(seen(0), 10);
		ck_assert_uint_eq(seen(1), 10 * frame);
		ck_assert_uint_eq(seen(3), 5);
		/* In native mode the frame is more than the program's first buffer. */
		if (mode == EBPFNET_XDP_NATIVE)
			ck_assert_uint_lt(seen(2), seen(1));
		ebpfnet_link_close(link);
		ck_assert_int_eq(send(near, payload, PAYLOAD, 0), PAYLOAD);
		ck_assert_int_eq(arrived(far), 1);
		ck_assert_uint_eq(seen(0), 10);
		close(near);
		close(far);
	}
}

START_TEST(test_native)
{
	datagrams(EBPFNET_XDP_NATIVE);
	test_way("xdp frags", "works");
}
END_TEST

START_TEST(test_generic)
{
	datagrams(EBPFNET_XDP_GENERIC);
}
END_TEST

/* A stream goes through whole; the bytes that the program counted are those that the wire had. */
START_TEST(test_tcp_stream)
{
	for (int six = 0; six < 2; six++) {
		static char piece[65536];
		struct ebpfnet_link *link = attach(frags, EBPFNET_XDP_NATIVE);
		struct tally before = tally(), after;
		int near, far, stream;
		size_t sent = 0, got = 0;

		ends(six ? AF_INET6 : AF_INET, SOCK_STREAM, &near, &far);
		stream = accept4(far, NULL, NULL, SOCK_CLOEXEC);
		ck_assert_int_ge(stream, 0);
		while (got < STREAM_BYTES) {
			ssize_t n = sent < STREAM_BYTES
					    ? send(near, piece, sizeof(piece), MSG_DONTWAIT)
					    : 0;

			sent += n > 0 ? (size_t)n : 0;
			n = recv(stream, piece, sizeof(piece),
				 sent < STREAM_BYTES ? MSG_DONTWAIT : 0);
			got += n > 0 ? (size_t)n : 0;
		}
		ck_assert_uint_eq(sent, got);
		close(stream);
		close(near);
		close(far);
		usleep(50000);
		after = tally();
		ck_assert_uint_eq(after.frames - before.frames, after.tx_frames - before.tx_frames);
		/* The statistic of veth is without the Ethernet header. */
		ck_assert_uint_eq(after.bytes - before.bytes,
				  after.tx_bytes - before.tx_bytes +
					  14 * (after.frames - before.frames));
		ck_assert_uint_ge(after.bytes - before.bytes, STREAM_BYTES);
		ck_assert_uint_gt(seen(0), 0);
		ebpfnet_link_close(link);
	}
}
END_TEST

START_TEST(test_one_buffer_is_refused)
{
	struct ebpfnet_link *link, *held;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	for (o.via = EBPFNET_VIA_LINK; o.via <= EBPFNET_VIA_NETLINK; o.via++) {
		ASSERT_FAILS(ebpfnet_xdp_attach(plain, net.far_if, &o, &link, &err), err, -ERANGE,
			     EBPFNET_ERROR_INVALID, "MTU is too large to set XDP");
		ASSERT_FAILS(ebpfnet_xdp_attach(plain, net.far_if, &o, &link, &err), err, -ERANGE,
			     EBPFNET_ERROR_INVALID, "SEC(\"xdp.frags\")");
		/* And as the next program of one that is attached. */
		ASSERT_OK(ebpfnet_xdp_attach(frags, net.far_if, &o, &held, &err), err);
		ASSERT_FAILS(ebpfnet_link_update(held, plain, NULL, NULL, &err), err, -ERANGE,
			     EBPFNET_ERROR_INCOMPATIBLE, "MTU");
		ebpfnet_link_close(held);
	}
	/* Generic mode puts a frame together first. */
	o.via = EBPFNET_VIA_ANY;
	o.mode = EBPFNET_XDP_GENERIC;
	ASSERT_OK(ebpfnet_xdp_attach(plain, net.far_if, &o, &link, &err), err);
	ebpfnet_link_close(link);
	/* And at an ordinary MTU it is welcome. */
	ck_assert_int_eq(
		test_shell("ip -n %s link set v0 mtu 1500 && ip -n %s link set v0 mtu 1500",
			   net.near, net.far),
		0);
	o.mode = EBPFNET_XDP_NATIVE;
	ASSERT_OK(ebpfnet_xdp_attach(plain, net.far_if, &o, &link, &err), err);
	ck_assert_int_ne(test_shell("ip -n %s link set v0 mtu 9000 2>/dev/null", net.near), 0);
	ebpfnet_link_close(link);
	ck_assert_int_eq(test_shell("ip -n %s link set v0 mtu 9000", net.near), 0);
}
END_TEST

START_TEST(test_offload_is_refused)
{
	struct ebpfnet_link *link;
	int lo;

	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.mode = EBPFNET_XDP_OFFLOAD;
	test_net_enter(net.far_fd);
	lo = (int)if_nametoindex("lo");
	for (o.via = EBPFNET_VIA_ANY; o.via <= EBPFNET_VIA_NETLINK; o.via++) {
		ASSERT_FAILS(ebpfnet_xdp_attach(plain, net.far_if, &o, &link, &err), err,
			     -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
			     "v0 cannot run XDP programs itself");
		ck_assert_ptr_null(link);
		ASSERT_FAILS(ebpfnet_xdp_attach(plain, lo, &o, &link, &err), err, -EOPNOTSUPP,
			     EBPFNET_ERROR_NOT_SUPPORTED, "use native mode");
	}
	test_net_enter(-1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_native,
		test_generic,
		test_tcp_stream,
		test_one_buffer_is_refused,
		test_offload_is_refused,
	};

	test_need_root();
	return test_run(test_suite_around("xdp_frags", tests, sizeof(tests) / sizeof(*tests), 60,
					  begin, end));
}
