// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What the kernel refuses of sockmap and sockhash, and what the library says then. */
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
static struct ebpfnet_map *map, *hash, *counts;
static struct ebpfnet_program *msg, *msg2, *parser, *stream, *stream2, *skb, *skb2, *filter;
static struct ebpfnet_error *err;

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("sockmap"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_map(obj, "map", &map, &err), err);
	ASSERT_OK(ebpfnet_object_map(obj, "hash", &hash, &err), err);
	ASSERT_OK(ebpfnet_object_map(obj, "counts", &counts, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "msg_verdict", &msg, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "msg_other", &msg2, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "parser", &parser, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "stream_verdict", &stream, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "stream_other", &stream2, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "skb_verdict", &skb, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "skb_other", &skb2, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "filter", &filter, &err), err);
}

static void end(void)
{
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
}

static uint32_t id_of(const struct ebpfnet_program *prog)
{
	struct ebpfnet_program_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_program_info(prog, &info, &err), err);
	return info.id;
}

static uint32_t link_id(const struct ebpfnet_link *link)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	return info.id;
}

static int attach(struct ebpfnet_program *prog, struct ebpfnet_map *to, uint32_t via,
		  struct ebpfnet_link **link, struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_sockmap_opts, o);
	o.via = via;
	return ebpfnet_sockmap_attach(prog, to, &o, link, e);
}

/* PROG_ATTACH, and LINK where the kernel has it. */
static const uint32_t ways[] = { EBPFNET_VIA_PROG_ATTACH, EBPFNET_VIA_LINK };

static size_t way_count(void)
{
	return ebpfnet_probe(ctx, EBPFNET_FEATURE_SOCKMAP_LINK, NULL) == 1 ? 2 : 1;
}

/* From 5.17 on the kernel says what is attached; before it replaces without a word. */
static bool has_query(void)
{
	uint32_t count = 0;

	return bpf_prog_query(ebpfnet_map_fd(map), BPF_SK_MSG_VERDICT, 0, NULL, NULL, &count) == 0;
}

/* Every way next to every way, in both maps. */
START_TEST(test_slot_taken)
{
	struct {
		struct ebpfnet_program *first, *second;
		const char *name, *verb;
	} slots[] = {
		{ msg, msg2, "msg_verdict", "msg verdict" },
		{ parser, parser, "parser", "stream parser" },
		{ stream, stream2, "stream_verdict", "stream verdict" },
		{ skb, skb2, "skb_verdict", "skb verdict" },
	};

	if (!has_query())
		TEST_SKIP_CASE("this kernel does not tell which program a sockmap has");
	for (size_t i = 0; i < 4 * way_count() * way_count() * 2; i++) {
		struct ebpfnet_map *to = i & 1 ? map : hash;
		uint32_t held = ways[i / 2 % way_count()],
			 tried = ways[i / 2 / way_count() % way_count()];
		size_t slot = i / 2 / way_count() / way_count();
		struct ebpfnet_link *first, *second = (void *)1;
		char words[160];

		ASSERT_OK(attach(slots[slot].first, to, held, &first, &err), err);
		if (held == EBPFNET_VIA_LINK)
			snprintf(words, sizeof(words),
				 "program %u (%s) is attached as %s by link %u",
				 id_of(slots[slot].first), slots[slot].name, slots[slot].verb,
				 link_id(first));
		else
			snprintf(words, sizeof(words),
				 "program %u (%s) is attached as %s by BPF_PROG_ATTACH",
				 id_of(slots[slot].first), slots[slot].name, slots[slot].verb);
		ASSERT_FAILS(attach(slots[slot].second, to, tried, &second, &err), err, -EBUSY,
			     EBPFNET_ERROR_BUSY, words);
		ck_assert_ptr_null(second);
		ASSERT_FAILS(attach(slots[slot].second, to, tried, &second, &err), err, -EBUSY,
			     EBPFNET_ERROR_BUSY,
			     held == EBPFNET_VIA_LINK ? "bpftool link detach id"
						      : "bpftool prog detach id");
		/* Free again when the first has gone. */
		ebpfnet_link_close(first);
		ASSERT_OK(attach(slots[slot].second, to, tried, &second, &err), err);
		ebpfnet_link_close(second);
	}
}
END_TEST

START_TEST(test_verdicts_exclude_each_other)
{
	if (!has_query())
		TEST_SKIP_CASE("this kernel does not tell which program a sockmap has");
	for (size_t i = 0; i < 2 * way_count() * way_count(); i++) {
		struct ebpfnet_program *first = i & 1 ? stream : skb,
				       *second = i & 1 ? skb : stream;
		struct ebpfnet_link *link, *other, *more;

		ASSERT_OK(attach(first, map, ways[i / 2 % way_count()], &link, &err), err);
		ASSERT_FAILS(attach(second, map, ways[i / 2 / way_count()], &other, &err), err,
			     -EBUSY, EBPFNET_ERROR_BUSY,
			     i & 1 ? "(stream_verdict) is attached as stream verdict"
				   : "(skb_verdict) is attached as skb verdict");
		ck_assert_ptr_null(other);
		/* The other map is another matter, and the other slots are. */
		ASSERT_OK(attach(second, hash, ways[i / 2 / way_count()], &other, &err), err);
		ASSERT_OK(attach(msg, map, EBPFNET_VIA_ANY, &more, &err), err);
		ebpfnet_link_close(more);
		ebpfnet_link_close(other);
		ebpfnet_link_close(link);
	}
}
END_TEST

/* Held by a link, a slot is closed to BPF_PROG_ATTACH of an update too. */
START_TEST(test_link_takes_over)
{
	struct ebpfnet_link *handle, *link;
	int fd = ebpfnet_map_fd(map);

	if (way_count() < 2)
		TEST_SKIP_CASE("this kernel has no sockmap links");
	ASSERT_OK(attach(msg, map, EBPFNET_VIA_PROG_ATTACH, &handle, &err), err);
	ck_assert_int_eq(bpf_prog_detach2(ebpfnet_program_fd(msg), fd, BPF_SK_MSG_VERDICT), 0);
	ASSERT_OK(attach(msg2, map, EBPFNET_VIA_LINK, &link, &err), err);
	ASSERT_FAILS(ebpfnet_link_update(handle, msg, NULL, NULL, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, "held by a bpf_link");
	ASSERT_FAILS(ebpfnet_link_detach(handle, &err), err, -EBUSY, EBPFNET_ERROR_BUSY,
		     "held by a bpf_link");
	ebpfnet_link_close(handle);
	ck_assert_uint_ne(link_id(link), 0);
	ebpfnet_link_close(link);
}
END_TEST

START_TEST(test_bad_input)
{
	struct ebpfnet_object *unloaded;
	struct ebpfnet_program *prog;
	struct ebpfnet_map *unmade;
	struct ebpfnet_link *link = (void *)1;
	struct {
		struct ebpfnet_sockmap_opts o;
		uint64_t newer;
	} tail = { .o = { .sz = sizeof(tail) }, .newer = 1 };

	EBPFNET_OPTS(ebpfnet_sockmap_opts, o);
	ASSERT_FAILS(ebpfnet_sockmap_attach(filter, map, NULL, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "is of type 1, not SK_MSG");
	ck_assert_ptr_null(link);
	ASSERT_FAILS(ebpfnet_sockmap_attach(msg, counts, NULL, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "only a sockmap or sockhash");
	ASSERT_FAILS(ebpfnet_sockmap_attach(msg, map, &tail.o, &link, &err), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "knows");
	o.hook = 9;
	ASSERT_FAILS(ebpfnet_sockmap_attach(msg, map, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "hook 9");
	o.hook = EBPFNET_SOCKMAP_STREAM_VERDICT;
	ASSERT_FAILS(ebpfnet_sockmap_attach(msg, map, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "stream verdict takes type 14");
	o.hook = 0;
	o.via = EBPFNET_VIA_NETLINK;
	ASSERT_FAILS(ebpfnet_sockmap_attach(msg, map, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "via 2");
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("sockmap"), NULL, &unloaded, &err),
		  err);
	ASSERT_OK(ebpfnet_object_program(unloaded, "msg_verdict", &prog, &err), err);
	ASSERT_OK(ebpfnet_object_map(unloaded, "map", &unmade, &err), err);
	ASSERT_FAILS(ebpfnet_sockmap_attach(prog, map, NULL, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "msg_verdict is not loaded");
	ASSERT_FAILS(ebpfnet_sockmap_attach(msg, unmade, NULL, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "map map is not loaded");
	ebpfnet_object_close(unloaded);
}
END_TEST

static int put(struct ebpfnet_map *to, uint32_t key, int sock, uint64_t flags)
{
	return ebpfnet_sockmap_put(to, &key, sock, flags, &err);
}

START_TEST(test_put_of_a_socket)
{
	struct ebpfnet_map *to[] = { map, hash };

	for (int i = 0; i < 2; i++) {
		struct test_pair pair = test_pair_open(i ? AF_INET6 : AF_INET, SOCK_STREAM);
		uint16_t port;
		int bound = test_bound(AF_INET, SOCK_STREAM, &port);
		int raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

		/* Neither established nor listening. */
		ASSERT_FAILS(put(to[i], 0, bound, EBPFNET_MAP_ANY), err, -EOPNOTSUPP,
			     EBPFNET_ERROR_INVALID, "is in state CLOSE");
		ASSERT_FAILS(put(to[i], 0, bound, EBPFNET_MAP_ANY), err, -EOPNOTSUPP,
			     EBPFNET_ERROR_INVALID, "after connect() or accept()");
		ck_assert_int_eq(listen(bound, 1), 0);
		ASSERT_OK(put(to[i], 0, bound, EBPFNET_MAP_ANY), err);
		ck_assert_int_eq(shutdown(pair.near, SHUT_WR), 0);
		ASSERT_FAILS(put(to[i], 1, pair.near, EBPFNET_MAP_ANY), err, -EOPNOTSUPP,
			     EBPFNET_ERROR_INVALID, "is in state FIN_WAIT");
		ASSERT_FAILS(put(to[i], 1, raw, EBPFNET_MAP_ANY), err, -EOPNOTSUPP,
			     EBPFNET_ERROR_INVALID, "a socket of family 17");
		ASSERT_FAILS(put(to[i], 1, -1, EBPFNET_MAP_ANY), err, -EBADF, EBPFNET_ERROR_INVALID,
			     "fd -1");
		ASSERT_FAILS(put(to[i], 1, 999, EBPFNET_MAP_ANY), err, -EBADF,
			     EBPFNET_ERROR_INVALID, "fd 999");
		ASSERT_FAILS(put(to[i], 1, ebpfnet_map_fd(map), EBPFNET_MAP_ANY), err, -ENOTSOCK,
			     EBPFNET_ERROR_INVALID, "Socket operation");
		ASSERT_FAILS(put(to[i], 0, bound, EBPFNET_MAP_NOEXIST), err, -EEXIST,
			     EBPFNET_ERROR_BUSY, "the key has a socket");
		ASSERT_FAILS(put(to[i], 7, bound, EBPFNET_MAP_EXIST), err, -ENOENT,
			     EBPFNET_ERROR_NOT_FOUND, "the key has no socket");
		ASSERT_FAILS(put(to[i], 7, bound, 8), err, -EINVAL, EBPFNET_ERROR_INVALID,
			     "flags 8");
		close(raw);
		close(bound);
		test_pair_close(&pair);
	}
	ASSERT_FAILS(put(map, 8, 0, EBPFNET_MAP_ANY), err, -ENOTSOCK, EBPFNET_ERROR_INVALID, "");
	ASSERT_FAILS(put(counts, 0, 0, EBPFNET_MAP_ANY), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "not a loaded sockmap");
}
END_TEST

START_TEST(test_put_without_room)
{
	struct test_pair pair[5];

	for (int i = 0; i < 5; i++)
		pair[i] = test_pair_open(AF_INET, SOCK_STREAM);
	for (uint32_t i = 0; i < 8; i++)
		ASSERT_OK(put(hash, i, i & 1 ? pair[i / 2].near : pair[i / 2].far, EBPFNET_MAP_ANY),
			  err);
	ASSERT_FAILS(put(hash, 8, pair[4].near, EBPFNET_MAP_ANY), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "8 entries");
	ASSERT_FAILS(put(map, 8, pair[4].near, EBPFNET_MAP_ANY), err, -E2BIG, EBPFNET_ERROR_INVALID,
		     "behind its end");
	for (int i = 0; i < 5; i++)
		test_pair_close(&pair[i]);
}
END_TEST

/* One owner of a kind of program: a second map with one is refused, without one it is not. */
START_TEST(test_put_into_two_maps)
{
	struct test_pair pair = test_pair_open(AF_INET, SOCK_STREAM);
	struct ebpfnet_link *first, *second;

	ASSERT_OK(attach(msg, map, EBPFNET_VIA_ANY, &first, &err), err);
	ASSERT_OK(put(map, 0, pair.near, EBPFNET_MAP_ANY), err);
	ASSERT_OK(put(hash, 0, pair.near, EBPFNET_MAP_ANY), err);
	ASSERT_OK(attach(msg2, hash, EBPFNET_VIA_ANY, &second, &err), err);
	ASSERT_FAILS(put(hash, 1, pair.near, EBPFNET_MAP_ANY), err, -EBUSY, EBPFNET_ERROR_BUSY,
		     "delete it from the other map");
	ebpfnet_link_close(second);
	ebpfnet_link_close(first);
	test_pair_close(&pair);
}
END_TEST

/* BPF_PROG_TEST_RUN does none of them: 524, told as EOPNOTSUPP (that is why these tests are here).
 */
START_TEST(test_run_is_refused)
{
	struct ebpfnet_program *progs[] = { msg, parser, stream, skb };
	unsigned char frame[64] = { 0 };

	for (int i = 0; i < 4; i++) {
		struct ebpfnet_program_run run = { .sz = sizeof(run) };

		run.data_in = frame;
		run.data_in_size = sizeof(frame);
		ck_assert_int_eq(ebpfnet_program_run(progs[i], &run, &err), -EOPNOTSUPP);
		ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_NOT_SUPPORTED);
		ebpfnet_error_free(err);
		err = NULL;
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_slot_taken,	test_verdicts_exclude_each_other,
		test_link_takes_over,	test_bad_input,
		test_put_of_a_socket,	test_put_without_room,
		test_put_into_two_maps, test_run_is_refused,
	};

	test_need_root();
	test_loopback_only();
	return test_run(test_suite_around("sockmap_errno", tests, sizeof(tests) / sizeof(*tests),
					  60, begin, end));
}
