// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The verdicts of sockmap and sockhash on real sockets: what arrives where, byte for byte, and a
 * count that equals what was sent. Each test runs on both maps, over IPv4 and IPv6.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers.h"
#include "kernel/sockmap_fixture.h"
#include "sockets.h"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_error *err;
/* The map of this round, and the two pairs: near sends, far receives. The key of other.far is 1. */
static struct ebpfnet_map *map;
static bool is_hash;
static struct test_pair pair, other;

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
}

static void end(void)
{
	ebpfnet_object_close(obj);
	obj = NULL;
	ebpfnet_ctx_unref(ctx);
}

static struct ebpfnet_program *program(const char *name)
{
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(obj, name, &prog, &err), err);
	return prog;
}

static int fd_of(const char *name)
{
	struct ebpfnet_map *m;

	ASSERT_OK(ebpfnet_object_map(obj, name, &m, &err), err);
	return ebpfnet_map_fd(m);
}

static struct sockmap_count counted(uint32_t slot)
{
	struct sockmap_count n;

	ck_assert_int_eq(bpf_map_lookup_elem(fd_of("counts"), &slot, &n), 0);
	return n;
}

static void assert_counted(uint32_t slot, uint64_t runs, uint64_t bytes)
{
	struct sockmap_count n = counted(slot);

	ck_assert_msg(n.runs == runs && n.bytes == bytes,
		      "slot %u: %llu runs and %llu bytes, not %llu and %llu", slot,
		      (unsigned long long)n.runs, (unsigned long long)n.bytes,
		      (unsigned long long)runs, (unsigned long long)bytes);
}

static void decide(uint32_t slot, uint32_t action, bool ingress)
{
	struct sockmap_policy p = { .action = action, .key = 1, .ingress = ingress };

	ck_assert_int_eq(bpf_map_update_elem(fd_of("policy"), &slot, &p, BPF_ANY), 0);
}

static uint32_t redirect(void)
{
	return is_hash ? SOCKMAP_TO_HASH : SOCKMAP_TO_MAP;
}

static void insert(uint32_t key, int sock)
{
	ASSERT_OK(ebpfnet_sockmap_put(map, &key, sock, EBPFNET_MAP_ANY, &err), err);
}

static struct ebpfnet_link *attach(const char *name)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	struct ebpfnet_link *link;

	ASSERT_OK(ebpfnet_sockmap_attach(program(name), map, NULL, &link, &err), err);
	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	ck_assert_uint_eq(info.kind, EBPFNET_LINK_SOCKMAP);
	return link;
}

/* A fresh object, and two pairs that are in no map yet. */
static void round_begin(int family, int type, bool hash)
{
	is_hash = hash;
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("sockmap"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_map(obj, hash ? "hash" : "map", &map, &err), err);
	pair = test_pair_open(family, type);
	other = test_pair_open(family, type);
}

static void round_end(void)
{
	test_pair_close(&pair);
	test_pair_close(&other);
	ebpfnet_object_close(obj);
	obj = NULL;
}

/* Both maps by both families. */
#define ROUNDS(type)                                                                               \
	for (int round = 0; round < 4; round++, round_end())                                       \
		if (round_begin(round & 2 ? AF_INET6 : AF_INET, type, round & 1), true)

static bool has_skb_verdict(void)
{
	return ebpfnet_probe(ctx, EBPFNET_FEATURE_SKB_VERDICT, NULL) == 1;
}

/* How this kernel holds the program, for the matrix. */
static void seen_to_work(const char *hook)
{
	test_way(hook, ebpfnet_probe(ctx, EBPFNET_FEATURE_SOCKMAP_LINK, NULL) == 1
			       ? "works"
			       : "falls back to prog_attach");
}

START_TEST(test_msg_verdict)
{
	ROUNDS(SOCK_STREAM)
	{
		struct ebpfnet_link *link = attach("msg_verdict");

		insert(0, pair.near);
		insert(1, other.far);
		/* Pass: to its own peer. */
		ck_assert_int_eq(test_send(pair.near, "one"), 3);
		ck_assert_int_eq(test_send(pair.near, "two"), 3);
		ck_assert(test_arrives(pair.far, "onetwo"));
		assert_counted(SOCKMAP_MSG, 2, 6);
		/* Redirected into the receive queue of other.far, in order. */
		decide(SOCKMAP_MSG, redirect(), true);
		ck_assert_int_eq(test_send(pair.near, "first "), 6);
		ck_assert_int_eq(test_send(pair.near, "second "), 7);
		ck_assert_int_eq(test_send(pair.near, "third"), 5);
		ck_assert(test_arrives(other.far, "first second third"));
		ck_assert(test_silent(pair.far));
		assert_counted(SOCKMAP_MSG, 5, 24);
		/* Redirected out through other.far: other.near is its peer. */
		decide(SOCKMAP_MSG, redirect(), false);
		ck_assert_int_eq(test_send(pair.near, "out"), 3);
		ck_assert(test_arrives(other.near, "out"));
		ck_assert(test_silent(pair.far));
		assert_counted(SOCKMAP_MSG, 6, 27);
		/* What a socket outside of the map sends is not touched. */
		decide(SOCKMAP_MSG, SOCKMAP_DROP, false);
		ck_assert_int_eq(test_send(pair.far, "back"), 4);
		ck_assert(test_arrives(pair.near, "back"));
		assert_counted(SOCKMAP_MSG, 6, 27);
		/*
		 * Drop: the sender is told, and the peer gets nothing. It comes last, because the
		 * kernel keeps the verdict for all that this socket sends afterwards
		 * (psock->eval; seen on 6.18).
		 */
		ck_assert_int_eq(test_send(pair.near, "lost"), -EACCES);
		ck_assert(test_silent(pair.far));
		ck_assert(test_silent(other.far));
		assert_counted(SOCKMAP_MSG, 7, 31);
		ebpfnet_link_close(link);
	}
	seen_to_work("sockmap msg verdict");
}
END_TEST

/*
 * The programs see a segment from its start, not the message in it, and its whole length: messages
 * that share a segment here have the same length, and their bytes are not added up.
 */
START_TEST(test_stream_parser_and_verdict)
{
	if (!has_skb_verdict())
		TEST_SKIP_CASE("before 5.13 the kernel itself repeats what a parser splits (seen "
			       "on 5.10)");
	ROUNDS(SOCK_STREAM)
	{
		struct ebpfnet_link *parser = attach("parser"), *link = attach("stream_verdict");
		uint64_t parsed;

		insert(0, pair.far);
		insert(1, other.far);
		/* The parser puts two sends together to one: nothing arrives before it is whole. */
		ck_assert_int_eq(test_send(pair.near, "\7in "), 4);
		ck_assert(test_silent(pair.far));
		assert_counted(SOCKMAP_STREAM, 0, 0);
		ck_assert_int_eq(test_send(pair.near, "part"), 4);
		ck_assert(test_arrives(pair.far, "\7in part"));
		assert_counted(SOCKMAP_STREAM, 1, 8);
		parsed = counted(SOCKMAP_PARSER).runs;
		ck_assert_uint_ge(parsed, 1);
		decide(SOCKMAP_STREAM, SOCKMAP_DROP, false);
		ck_assert_int_eq(test_send(pair.near, "\4lost"), 5);
		ck_assert(test_silent(pair.far));
		assert_counted(SOCKMAP_STREAM, 2, 13);
		decide(SOCKMAP_STREAM, redirect(), true);
		for (int i = 0; i < 8; i++) {
			ck_assert_int_eq(test_send(pair.near, (char[]) { 1, (char)('0' + i), 0 }),
					 2);
			/* One segment each, so that the count has their bytes. */
			ck_assert(test_arrives(other.far, (char[]) { 1, (char)('0' + i), 0 }));
		}
		ck_assert(test_silent(pair.far));
		assert_counted(SOCKMAP_STREAM, 10, 29);
		decide(SOCKMAP_STREAM, redirect(), false);
		ck_assert_int_eq(test_send(pair.near, "\3out"), 4);
		ck_assert(test_arrives(other.near, "\3out"));
		assert_counted(SOCKMAP_STREAM, 11, 33);
		/* The parser splits one send into its messages: the verdict runs for each. */
		decide(SOCKMAP_STREAM, redirect(), true);
		ck_assert_int_eq(test_send(pair.near, "\2ab\2cd\2ef"), 9);
		ck_assert(test_arrives(other.far, "\2ab\2cd\2ef"));
		ck_assert_uint_eq(counted(SOCKMAP_STREAM).runs, 14);
		ck_assert_uint_ge(counted(SOCKMAP_PARSER).runs, parsed + 13);
		ebpfnet_link_close(link);
		ebpfnet_link_close(parser);
	}
	seen_to_work("sockmap stream parser");
}
END_TEST

/* A stream verdict needs no parser: then every piece that arrives is a message. */
START_TEST(test_stream_verdict_alone)
{
	ROUNDS(SOCK_STREAM)
	{
		struct ebpfnet_link *link = attach("stream_verdict");

		insert(0, pair.far);
		insert(1, other.far);
		decide(SOCKMAP_STREAM, redirect(), true);
		ck_assert_int_eq(test_send(pair.near, "a piece"), 7);
		ck_assert(test_arrives(other.far, "a piece"));
		ck_assert(test_silent(pair.far));
		assert_counted(SOCKMAP_STREAM, 1, 7);
		decide(SOCKMAP_STREAM, SOCKMAP_DROP, false);
		ck_assert_int_eq(test_send(pair.near, "lost"), 4);
		ck_assert(test_silent(pair.far));
		assert_counted(SOCKMAP_STREAM, 2, 11);
		ebpfnet_link_close(link);
	}
	seen_to_work("sockmap stream verdict");
}
END_TEST

/* Pass, drop and redirect of what pair.far receives; out: also through other.far to its peer. */
static void skb_verdicts(bool out)
{
	struct ebpfnet_link *link = attach("skb_verdict");

	insert(0, pair.far);
	insert(1, other.far);
	ck_assert_int_eq(test_send(pair.near, "pass"), 4);
	ck_assert(test_arrives(pair.far, "pass"));
	assert_counted(SOCKMAP_SKB, 1, 4);
	decide(SOCKMAP_SKB, SOCKMAP_DROP, false);
	ck_assert_int_eq(test_send(pair.near, "lost"), 4);
	ck_assert(test_silent(pair.far));
	assert_counted(SOCKMAP_SKB, 2, 8);
	decide(SOCKMAP_SKB, redirect(), true);
	ck_assert_int_eq(test_send(pair.near, "first "), 6);
	ck_assert(test_arrives(other.far, "first "));
	ck_assert_int_eq(test_send(pair.near, "second"), 6);
	ck_assert(test_arrives(other.far, "second"));
	ck_assert(test_silent(pair.far));
	assert_counted(SOCKMAP_SKB, 4, 20);
	if (out) {
		decide(SOCKMAP_SKB, redirect(), false);
		ck_assert_int_eq(test_send(pair.near, "out"), 3);
		ck_assert(test_arrives(other.near, "out"));
		ck_assert(test_silent(pair.far));
		assert_counted(SOCKMAP_SKB, 5, 23);
	}
	ebpfnet_link_close(link);
}

START_TEST(test_skb_verdict_tcp)
{
	if (!has_skb_verdict())
		TEST_SKIP_CASE("this kernel has no skb verdict");
	ROUNDS(SOCK_STREAM)
	{
		skb_verdicts(true);
	}
	seen_to_work("sockmap skb verdict TCP");
}
END_TEST

START_TEST(test_skb_verdict_udp)
{
	if (!has_skb_verdict())
		TEST_SKIP_CASE("this kernel has no skb verdict");
	ROUNDS(SOCK_DGRAM)
	{
		skb_verdicts(true);
	}
	seen_to_work("sockmap skb verdict UDP");
}
END_TEST

/* Whether this kernel takes a kind of AF_UNIX socket at all. */
static bool takes_unix(int type)
{
	uint32_t key = 5;
	int ret;

	round_begin(AF_UNIX, type, false);
	ret = ebpfnet_sockmap_put(map, &key, pair.far, EBPFNET_MAP_ANY, NULL);
	round_end();
	ck_assert_msg(ret == 0 || ret == -EOPNOTSUPP, "%d", ret);
	return ret == 0;
}

START_TEST(test_skb_verdict_unix)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };

	if (!has_skb_verdict())
		TEST_SKIP_CASE("this kernel has no skb verdict");
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (!takes_unix(types[i])) {
			printf("this kernel takes no AF_UNIX socket of type %d\n", types[i]);
			continue;
		}
		for (int hash = 0; hash < 2; hash++) {
			round_begin(AF_UNIX, types[i], hash);
			skb_verdicts(false);
			round_end();
		}
	}
}
END_TEST

/* A socket that carries data through a longer redirect keeps every byte in order. */
START_TEST(test_order_of_many)
{
	if (!has_skb_verdict())
		TEST_SKIP_CASE(
			"before 5.13 the kernel itself loses bytes of a burst (seen on 5.10)");
	ROUNDS(SOCK_STREAM)
	{
		struct ebpfnet_link *link = attach("stream_verdict");
		uint32_t sent = 0, got = 0, at = 0;
		unsigned char byte[512];

		insert(0, pair.far);
		insert(1, other.far);
		decide(SOCKMAP_STREAM, redirect(), true);
		for (int i = 0; i < 400; i++) {
			size_t n = (size_t)(1 + i % 97);

			for (size_t k = 0; k < n; k++)
				byte[k] = (unsigned char)((sent + k) * 31 % 251);
			ck_assert_int_eq(send(pair.near, byte, n, 0), (ssize_t)n);
			sent += (uint32_t)n;
		}
		for (struct timeval t = { .tv_sec = 2 };
		     got < sent &&
		     !setsockopt(other.far, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));) {
			ssize_t n = recv(other.far, byte, sizeof(byte), 0);

			ck_assert_msg(n > 0, "%u of %u bytes: %s", got, sent, strerror(errno));
			for (ssize_t k = 0; k < n; k++, at++)
				ck_assert_uint_eq(byte[k], at * 31 % 251);
			got += (uint32_t)n;
		}
		ck_assert_uint_eq(counted(SOCKMAP_STREAM).bytes, sent);
		ck_assert(test_silent(pair.far));
		ebpfnet_link_close(link);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_msg_verdict,     test_stream_parser_and_verdict, test_stream_verdict_alone,
		test_skb_verdict_tcp, test_skb_verdict_udp,	      test_skb_verdict_unix,
		test_order_of_many,
	};

	test_need_root();
	test_loopback_only();
	return test_run(test_suite_around("sockmap", tests, sizeof(tests) / sizeof(*tests), 60,
					  begin, end));
}
