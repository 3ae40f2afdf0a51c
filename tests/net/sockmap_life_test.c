// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The life of what is attached to a sockmap or sockhash, as a link and by BPF_PROG_ATTACH, and what
 * each refusal says. Sockets take their programs along when they are inserted: "in force" is asked
 * of a fresh one.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"
#include "kernel/sockmap_fixture.h"
#include "link_life.h"
#include "sockets.h"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_map *map, *maps[2];
static struct ebpfnet_program *drop, *pass, *parser, *stream, *skb, *filter;
static struct ebpfnet_error *err;
static char log_line[1024];

static void on_log(void *data, uint32_t level, const char *line)
{
	(void)data;
	if (level == EBPFNET_LOG_WARN)
		snprintf(log_line, sizeof(log_line), "%s", line);
}

static int fd_of(const char *name)
{
	struct ebpfnet_map *m;

	ASSERT_OK(ebpfnet_object_map(obj, name, &m, &err), err);
	return ebpfnet_map_fd(m);
}

static void begin(void)
{
	struct sockmap_policy p = { .action = SOCKMAP_DROP };
	static const uint32_t drops = SOCKMAP_MSG;

	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	log_line[0] = '\0';
	EBPFNET_OPTS(ebpfnet_ctx_opts, o);
	o.log_fn = on_log;
	ASSERT_OK(ebpfnet_ctx_new(&o, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("sockmap"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_map(obj, "map", &maps[0], &err), err);
	ASSERT_OK(ebpfnet_object_map(obj, "hash", &maps[1], &err), err);
	map = maps[0];
	ASSERT_OK(ebpfnet_object_program(obj, "msg_verdict", &drop, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "msg_other", &pass, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "parser", &parser, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "stream_verdict", &stream, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "skb_verdict", &skb, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "filter", &filter, &err), err);
	ck_assert_int_eq(bpf_map_update_elem(fd_of("policy"), &drops, &p, BPF_ANY), 0);
}

static void end(void)
{
	ebpfnet_object_close(obj);
	obj = NULL;
	ebpfnet_ctx_unref(ctx);
	test_shell("find /sys/fs/bpf -depth -path '*/ebpfnet-test-%d*' -delete 2>/dev/null",
		   getpid());
}

static uint32_t id_of(const struct ebpfnet_program *prog)
{
	struct ebpfnet_program_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_program_info(prog, &info, &err), err);
	return info.id;
}

static struct ebpfnet_link_info info_of(const struct ebpfnet_link *link)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	return info;
}

static uint32_t map_id(struct ebpfnet_map *m)
{
	struct ebpfnet_map_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_map_info(m, &info, &err), err);
	return info.id;
}

/* The files of our pins, wherever the library puts relative ones; static buffer. */
static const char *pins(void)
{
	static char out[1024];

	test_shell_output(out, sizeof(out),
			  "find /sys/fs/bpf -path '*/ebpfnet-test-%d*' -printf '%%f ' 2>/dev/null",
			  getpid());
	return out;
}

static const char *pin_name(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "ebpfnet-test-%d/%s", getpid(), name);
	return path;
}

/* Whether a socket that is inserted now meets the dropping program: its send, its counter. */
static bool in_force(void)
{
	struct test_pair pair = test_pair_open(AF_INET, SOCK_STREAM);
	uint32_t key = 0, slot = SOCKMAP_MSG;
	struct sockmap_count before, after;
	bool arrived;
	long sent;

	ck_assert_int_eq(bpf_map_lookup_elem(fd_of("counts"), &slot, &before), 0);
	ASSERT_OK(ebpfnet_sockmap_put(map, &key, pair.near, EBPFNET_MAP_ANY, &err), err);
	sent = test_send(pair.near, "hello");
	arrived = sent == 5 && test_arrives(pair.far, "hello");
	ck_assert_int_eq(bpf_map_lookup_elem(fd_of("counts"), &slot, &after), 0);
	ck_assert_int_eq(bpf_map_delete_elem(ebpfnet_map_fd(map), &key), 0);
	test_pair_close(&pair);
	/* The two sights agree. */
	ck_assert_msg(arrived == (after.runs == before.runs) && sent == (arrived ? 5 : -EACCES),
		      "sent %ld, arrived %d, runs %llu", sent, arrived,
		      (unsigned long long)(after.runs - before.runs));
	return !arrived;
}

/* BPF_PROG_QUERY of maps came with 5.17 or so: before it nobody can tell what a sockmap has. */
static bool has_query(void)
{
	uint32_t count = 1, id = 0;

	return bpf_prog_query(ebpfnet_map_fd(map), BPF_SK_MSG_VERDICT, 0, NULL, &id, &count) == 0;
}

static int attach_via(struct ebpfnet_program *prog, uint32_t via, struct ebpfnet_link **link,
		      struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_sockmap_opts, o);
	o.via = via;
	return ebpfnet_sockmap_attach(prog, map, &o, link, e);
}

static int attach_any(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		      struct ebpfnet_error **e)
{
	return attach_via(prog, EBPFNET_VIA_ANY, link, e);
}

static struct ebpfnet_link *attached(struct ebpfnet_program *prog, uint32_t via)
{
	struct ebpfnet_link *link;

	ASSERT_OK(attach_via(prog, via, &link, &err), err);
	return link;
}

static bool has_links(void)
{
	return ebpfnet_probe(ctx, EBPFNET_FEATURE_SOCKMAP_LINK, NULL) == 1;
}

START_TEST(test_life_of_a_link)
{
	if (!has_links())
		TEST_SKIP_CASE("this kernel has no sockmap links");
	for (int i = 0; i < 2; i++) {
		struct link_life life = {
			.ctx = ctx,
			.kind = EBPFNET_LINK_SOCKMAP,
			.via = EBPFNET_VIA_LINK,
			.active = drop,
			.idle = pass,
			.alien = parser,
			.attach = attach_any,
			.in_force = in_force,
		};

		map = maps[i];
		test_link_life(&life);
	}
}
END_TEST

START_TEST(test_info)
{
	static const char *const names[] = { "msg_verdict", "parser", "stream_verdict",
					     "skb_verdict" };
	static const uint32_t hooks[] = { EBPFNET_SOCKMAP_MSG_VERDICT,
					  EBPFNET_SOCKMAP_STREAM_PARSER,
					  EBPFNET_SOCKMAP_STREAM_VERDICT,
					  EBPFNET_SOCKMAP_SKB_VERDICT };

	if (ebpfnet_probe(ctx, EBPFNET_FEATURE_SKB_VERDICT, NULL) != 1)
		TEST_SKIP_CASE("this kernel has no skb verdict");
	for (int i = 0; i < 8; i++) {
		uint32_t via = i & 1 ? EBPFNET_VIA_LINK : EBPFNET_VIA_PROG_ATTACH;
		struct ebpfnet_program *prog, *adopted;
		struct ebpfnet_link_info info;
		struct ebpfnet_link *link, *again;

		if (via == EBPFNET_VIA_LINK && !has_links())
			continue;
		ASSERT_OK(ebpfnet_object_program(obj, names[i / 2], &prog, &err), err);
		link = attached(prog, via);
		info = info_of(link);
		ck_assert_uint_eq(info.kind, EBPFNET_LINK_SOCKMAP);
		ck_assert_uint_eq(info.via, via);
		ck_assert_uint_eq(info.hook, hooks[i / 2]);
		ck_assert_uint_eq(info.map_id, map_id(map));
		ck_assert_uint_eq(info.program_id, id_of(prog));
		ck_assert_uint_eq(info.id != 0, via == EBPFNET_VIA_LINK);
		if (via == EBPFNET_VIA_LINK) {
			ASSERT_OK(ebpfnet_link_open_fd(ctx, ebpfnet_link_fd(link), &again, &err),
				  err);
			ck_assert_uint_eq(info_of(again).hook, hooks[i / 2]);
			ck_assert_uint_eq(info_of(again).map_id, map_id(map));
			/* Detached by the other handle: this one is told. */
			ASSERT_OK(ebpfnet_link_detach(link, &err), err);
			ck_assert_uint_eq(info_of(again).defunct, 1);
			ck_assert_uint_eq(info_of(again).map_id, 0);
			ASSERT_FAILS(ebpfnet_link_update(again, prog, NULL, NULL, &err), err,
				     -ENOLINK, EBPFNET_ERROR_DEFUNCT, "");
			ebpfnet_link_close(again);
		} else {
			ck_assert_int_eq(ebpfnet_link_fd(link), -EBADF);
		}
		ebpfnet_link_close(link);
		/* Of a program known by its fd only the type is known. */
		ASSERT_OK(ebpfnet_program_open_fd(ctx, ebpfnet_program_fd(prog), &adopted, &err),
			  err);
		EBPFNET_OPTS(ebpfnet_sockmap_opts, o);
		if (hooks[i / 2] == EBPFNET_SOCKMAP_MSG_VERDICT) {
			ASSERT_OK(ebpfnet_sockmap_attach(adopted, map, &o, &link, &err), err);
		} else {
			ASSERT_FAILS(ebpfnet_sockmap_attach(adopted, map, &o, &link, &err), err,
				     -EINVAL, EBPFNET_ERROR_INVALID, "give hook in the options");
			o.hook = hooks[i / 2];
			ASSERT_OK(ebpfnet_sockmap_attach(adopted, map, &o, &link, &err), err);
		}
		ck_assert_uint_eq(info_of(link).hook, hooks[i / 2]);
		ebpfnet_link_close(link);
		ebpfnet_program_close(adopted);
	}
}
END_TEST

START_TEST(test_prog_attach_update)
{
	struct ebpfnet_program *old;
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_link_update_opts, u);
	link = attached(drop, EBPFNET_VIA_PROG_ATTACH);
	ck_assert(in_force());
	ASSERT_OK(ebpfnet_link_update(link, pass, NULL, NULL, &err), err);
	ck_assert(!in_force());
	ck_assert_uint_eq(info_of(link).program_id, id_of(pass));
	/* What cannot be kept is refused, and nothing changes. */
	u.expected = pass;
	ASSERT_FAILS(ebpfnet_link_update(link, drop, &u, NULL, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_NOT_SUPPORTED, "expected");
	ASSERT_FAILS(ebpfnet_link_update(link, drop, NULL, &old, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_NOT_SUPPORTED, "NULL for expected and for old");
	ck_assert_ptr_null(old);
	ck_assert(!in_force());
	ASSERT_OK(ebpfnet_link_update(link, drop, NULL, NULL, &err), err);
	ck_assert(in_force());
	ASSERT_FAILS(ebpfnet_link_update(link, parser, NULL, NULL, &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "type");
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ck_assert(!in_force());
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ASSERT_FAILS(ebpfnet_link_update(link, drop, NULL, NULL, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "detached");
	ASSERT_FAILS(ebpfnet_link_pin(link, pin_name("x"), &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "detached");
	ebpfnet_link_close(link);
}
END_TEST

/* Somebody else's program is left alone; none is what was asked for. */
START_TEST(test_prog_attach_detach_of_another)
{
	struct ebpfnet_link *link = attached(drop, EBPFNET_VIA_PROG_ATTACH);
	int fd = ebpfnet_map_fd(map);

	if (!has_query()) {
		ebpfnet_link_close(link);
		TEST_SKIP_CASE("this kernel does not tell which program a sockmap has");
	}
	ck_assert_int_eq(bpf_prog_attach(ebpfnet_program_fd(pass), fd, BPF_SK_MSG_VERDICT, 0), 0);
	ck_assert_uint_eq(info_of(link).program_id, id_of(pass));
	ASSERT_FAILS(ebpfnet_link_detach(link, &err), err, -ESTALE, EBPFNET_ERROR_STALE,
		     "left alone");
	ck_assert_uint_eq(info_of(link).program_id, id_of(pass));
	ck_assert_int_eq(bpf_prog_detach2(ebpfnet_program_fd(pass), fd, BPF_SK_MSG_VERDICT), 0);
	ck_assert_uint_eq(info_of(link).defunct, 1);
	ASSERT_FAILS(ebpfnet_link_update(link, pass, NULL, NULL, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "no program any more");
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ebpfnet_link_close(link);
}
END_TEST

static int reopen_and_update(void *data)
{
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_link *link;

	CHILD_NEEDS(ebpfnet_link_open_pinned(ctx, data, NULL, &link, &e) == 0);
	CHILD_NEEDS(info_of(link).program_id == id_of(drop) && info_of(link).pinned);
	CHILD_NEEDS(ebpfnet_link_update(link, pass, NULL, NULL, &e) == 0);
	CHILD_NEEDS(!in_force());
	CHILD_NEEDS(ebpfnet_link_update(link, drop, NULL, NULL, &e) == 0);
	ebpfnet_link_close(link); /* pinned: stays */
	return 0;
}

START_TEST(test_prog_attach_pin)
{
	struct ebpfnet_link *link, *again;
	char path[128];

	if (!has_query())
		TEST_SKIP_CASE("this kernel does not tell which program a sockmap has");
	test_need_bpffs();
	snprintf(path, sizeof(path), "%s", pin_name("life"));
	for (int i = 0; i < 2; i++) {
		map = maps[i];
		link = attached(drop, EBPFNET_VIA_PROG_ATTACH);
		ASSERT_OK(ebpfnet_link_pin(link, path, &err), err);
		ASSERT_FAILS(ebpfnet_link_pin(link, path, &err), err, -EBUSY, EBPFNET_ERROR_BUSY,
			     "pinned at");
		ck_assert_uint_eq(info_of(link).pinned, 1);
		ebpfnet_link_close(link);
		ck_assert(in_force());
		ck_assert_int_eq(test_in_child(reopen_and_update, path), 0);
		ck_assert(in_force());
		ASSERT_OK(ebpfnet_link_open_pinned(ctx, path, NULL, &again, &err), err);
		ck_assert_uint_eq(info_of(again).via, EBPFNET_VIA_PROG_ATTACH);
		ck_assert_uint_eq(info_of(again).hook, EBPFNET_SOCKMAP_MSG_VERDICT);
		ck_assert_uint_eq(info_of(again).map_id, map_id(map));
		/* Detached behind the pin's back. */
		ck_assert_int_eq(bpf_prog_detach2(ebpfnet_program_fd(drop), ebpfnet_map_fd(map),
						  BPF_SK_MSG_VERDICT),
				 0);
		ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, path, NULL, &link, &err), err, -ENOLINK,
			     EBPFNET_ERROR_DEFUNCT, "no longer has that program");
		ASSERT_OK(ebpfnet_link_unpin(again, &err), err);
		ASSERT_FAILS(ebpfnet_link_unpin(again, &err), err, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
			     "not pinned");
		ebpfnet_link_close(again);
		ck_assert_str_eq(pins(), "");
	}
}
END_TEST

/* A place that is taken, by one of the three files: none of ours stays. */
START_TEST(test_prog_attach_pin_taken)
{
	static const char *const taken[] = { "life", "life-record", "life-map" };
	struct ebpfnet_link *link = attached(drop, EBPFNET_VIA_PROG_ATTACH);
	struct ebpfnet_map *counts;

	test_need_bpffs();
	ASSERT_OK(ebpfnet_object_map(obj, "counts", &counts, &err), err);
	for (int i = 0; i < 3; i++) {
		char want[128];

		ASSERT_OK(ebpfnet_map_pin(counts, pin_name(taken[i]), &err), err);
		ASSERT_FAILS(ebpfnet_link_pin(link, pin_name("life"), &err), err, -EEXIST,
			     EBPFNET_ERROR_BUSY, "is taken");
		snprintf(want, sizeof(want), "ebpfnet-test-%d %s ", getpid(), taken[i]);
		ck_assert_str_eq(pins(), want);
		ASSERT_OK(ebpfnet_pin_remove(ctx, pin_name(taken[i]), &err), err);
	}
	ck_assert_uint_eq(info_of(link).pinned, 0);
	ebpfnet_link_close(link);
	ck_assert(!in_force());
}
END_TEST

static struct ebpfnet_link *parents_link;

static int child_closes(void *data)
{
	struct ebpfnet_error *e = NULL;

	(void)data;
	CHILD_NEEDS(ebpfnet_link_detach(parents_link, &e) == -EPERM);
	ebpfnet_error_free(e);
	ebpfnet_link_close(parents_link);
	return 0;
}

static int child_attaches_and_dies(void *data)
{
	struct ebpfnet_link *link;

	(void)data;
	CHILD_NEEDS(attach_via(drop, EBPFNET_VIA_PROG_ATTACH, &link, NULL) == 0);
	kill(getpid(), SIGKILL);
	return 1;
}

/* The map is ours here, and so the program stays with it. */
START_TEST(test_prog_attach_fork_and_kill)
{
	parents_link = attached(drop, EBPFNET_VIA_PROG_ATTACH);
	ck_assert_int_eq(test_in_child(child_closes, NULL), 0);
	ck_assert(in_force());
	ebpfnet_link_close(parents_link);
	ck_assert(!in_force());
	ck_assert_int_eq(test_in_child(child_attaches_and_dies, NULL), 128 + SIGKILL);
	ck_assert(in_force());
	ck_assert_int_eq(
		bpf_prog_detach2(ebpfnet_program_fd(drop), ebpfnet_map_fd(map), BPF_SK_MSG_VERDICT),
		0);
}
END_TEST

/* The program of the map's slot as the kernel tells it, 0 for none; asks by a new descriptor. */
static uint32_t program_of_map(uint32_t id)
{
	uint32_t count = 1, prog_id = 0;
	struct ebpfnet_map *again;

	ASSERT_OK(ebpfnet_map_open_id(ctx, id, &again, &err), err);
	ck_assert_int_eq(bpf_prog_query(ebpfnet_map_fd(again), BPF_SK_MSG_VERDICT, 0, NULL,
					&prog_id, &count),
			 0);
	ebpfnet_map_close(again);
	return count ? prog_id : 0;
}

/*
 * The user's descriptors of the map go, while a loaded program still uses it. A link or a handle
 * keeps the attachment; without one the map drops what BPF_PROG_ATTACH gave it.
 */
START_TEST(test_map_gone)
{
	static const uint32_t ways[] = { EBPFNET_VIA_LINK, EBPFNET_VIA_PROG_ATTACH };

	if (!has_query())
		TEST_SKIP_CASE("this kernel does not tell which program a sockmap has");
	for (int i = 0; i < 2; i++) {
		struct ebpfnet_program *held, *user;
		struct ebpfnet_link *link;
		uint32_t id;
		int fd;

		if (ways[i] == EBPFNET_VIA_LINK && !has_links())
			continue;
		/* It redirects through the map, and so keeps it alive. */
		ASSERT_OK(ebpfnet_program_open_fd(ctx, ebpfnet_program_fd(drop), &held, &err), err);
		ASSERT_OK(ebpfnet_program_open_fd(ctx, ebpfnet_program_fd(pass), &user, &err), err);
		link = attached(drop, ways[i]);
		id = map_id(map);
		ebpfnet_object_close(obj);
		obj = NULL;
		ck_assert_uint_eq(info_of(link).map_id, id);
		ck_assert_uint_eq(info_of(link).program_id, id_of(held));
		ck_assert_uint_eq(info_of(link).defunct, 0);
		ck_assert_uint_eq(program_of_map(id), id_of(held));
		ebpfnet_link_close(link);
		ck_assert_uint_eq(program_of_map(id), 0);
		/* By hand, without a handle. */
		fd = bpf_map_get_fd_by_id(id);
		ck_assert_int_eq(
			bpf_prog_attach(ebpfnet_program_fd(held), fd, BPF_SK_MSG_VERDICT, 0), 0);
		close(fd);
		ck_assert_uint_eq(program_of_map(id), 0);
		ebpfnet_program_close(held);
		ebpfnet_program_close(user);
		end();
		begin();
	}
}
END_TEST

/* What is in the map when something is attached, replaced or detached goes on as it was. */
START_TEST(test_sockets_that_are_in_the_map)
{
	static const uint32_t ways[] = { EBPFNET_VIA_LINK, EBPFNET_VIA_PROG_ATTACH };

	for (int i = 0; i < 4; i++) {
		struct test_pair before = test_pair_open(AF_INET, SOCK_STREAM),
				 with = test_pair_open(AF_INET, SOCK_STREAM);
		struct ebpfnet_link *link;
		uint32_t key = 1;

		map = maps[i / 2];
		if (ways[i % 2] == EBPFNET_VIA_LINK && !has_links())
			continue;
		ASSERT_OK(ebpfnet_sockmap_put(map, &key, before.near, EBPFNET_MAP_ANY, &err), err);
		log_line[0] = '\0';
		link = attached(drop, ways[i % 2]);
		ck_assert_msg(strstr(log_line, "sockets that are in the map already") != NULL, "%s",
			      log_line);
		ck_assert_int_eq(test_send(before.near, "free"), 4);
		ck_assert(test_arrives(before.far, "free"));
		key = 2;
		ASSERT_OK(ebpfnet_sockmap_put(map, &key, with.near, EBPFNET_MAP_ANY, &err), err);
		ASSERT_OK(ebpfnet_link_update(link, pass, NULL, NULL, &err), err);
		ck_assert(!in_force());
		ck_assert_int_eq(test_send(with.near, "held"), -EACCES);
		ebpfnet_link_close(link);
		ck_assert_int_eq(test_send(with.near, "held"), -EACCES);
		test_pair_close(&before);
		test_pair_close(&with);
		/* An empty map, an attachment without a warning. */
		log_line[0] = '\0';
		ebpfnet_link_close(attached(drop, ways[i % 2]));
		ck_assert_str_eq(log_line, "");
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_life_of_a_link,
		test_info,
		test_prog_attach_update,
		test_prog_attach_detach_of_another,
		test_prog_attach_pin,
		test_prog_attach_pin_taken,
		test_prog_attach_fork_and_kill,
		test_map_gone,
		test_sockets_that_are_in_the_map,
	};

	test_need_root();
	test_need_bpffs();
	test_loopback_only();
	return test_run(test_suite_around("sockmap_life", tests, sizeof(tests) / sizeof(*tests), 60,
					  begin, end));
}
