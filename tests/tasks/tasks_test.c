// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * How many lines a user needs. Each task is there twice, with this library and in plain libbpf; both
 * do the same under real traffic, and their lines are counted by one rule: every line of the file
 * that is not blank and not comment alone. t1 and t4 are whole programs; t2 and t3 are given a
 * loaded program or map, and are whole files.
 */
#include <bpf/bpf.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"
#include "netns.h"
#include "tasks.h"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_error *err;

/* ---- Lines. ---- */

static char *read_source(const char *path)
{
	FILE *f = fopen(test_source(path), "re");
	char *text = calloc(1, 65536);

	ck_assert_msg(f && text, "%s", path);
	ck_assert_uint_lt(fread(text, 1, 65535, f), 65535);
	fclose(f);
	return text;
}

/* Lines with anything on them that is neither white space nor comment. No task has a string with a
 * comment's signs in it. */
static int count_lines(const char *text)
{
	bool comment = false, line_comment = false, seen = false;
	int lines = 0;

	for (; *text; text++) {
		if (*text == '\n') {
			lines += seen;
			seen = line_comment = false;
		} else if (comment) {
			comment = strncmp(text, "*/", 2) != 0;
			text += !comment;
		} else if (!line_comment && !strncmp(text, "/*", 2)) {
			comment = true;
			text++;
		} else if (!strncmp(text, "//", 2)) {
			line_comment = true;
		} else if (!line_comment && !isspace((unsigned char)*text)) {
			seen = true;
		}
	}
	return lines + seen;
}

START_TEST(test_counting)
{
	ck_assert_int_eq(count_lines(""), 0);
	ck_assert_int_eq(count_lines("\n \t\n"), 0);
	ck_assert_int_eq(count_lines("int x;"), 1);
	ck_assert_int_eq(count_lines("int x;\n\n{\n}\n"), 3);
	ck_assert_int_eq(count_lines("// a\nint x; // b\n"), 1);
	ck_assert_int_eq(count_lines("/* a\n * b\n */\nint x; /* c\n d */\n/* e */ int y;\n"), 2);
}
END_TEST

START_TEST(test_lines)
{
	static const struct {
		const char *name;
		int max;
	} tasks[] = { { "t1", 23 }, { "t2", 10 }, { "t3", 18 }, { "t4", 9 } };

	for (size_t i = 0; i < sizeof(tasks) / sizeof(*tasks); i++) {
		char path[64], *ours, *theirs;

		snprintf(path, sizeof(path), "tests/tasks/%s.c", tasks[i].name);
		ours = read_source(path);
		snprintf(path, sizeof(path), "tests/tasks/%s_libbpf.c", tasks[i].name);
		theirs = read_source(path);
		printf("%s: %d lines, at most %d; in plain libbpf %d\n", tasks[i].name,
		       count_lines(ours), tasks[i].max, count_lines(theirs));
		ck_assert_msg(count_lines(ours) <= tasks[i].max, "%s has %d lines, above %d",
			      tasks[i].name, count_lines(ours), tasks[i].max);
		ck_assert_int_gt(count_lines(ours), 0);
		free(ours);
		free(theirs);
	}
}
END_TEST

/* The README's program is t1, from its first include on. */
START_TEST(test_readme)
{
	static const char fence[] = "<!-- program: begin -->\n```c\n";
	char *readme = read_source("README.md"), *t1 = read_source("tests/tasks/t1.c");
	const char *shown = strstr(readme, fence), *program = strstr(t1, "#include");

	ck_assert_ptr_nonnull(shown);
	shown += strlen(fence);
	ck_assert_msg(!strncmp(shown, program, strlen(program)), "README.md does not show t1.c");
	ck_assert_msg(!strncmp(shown + strlen(program), "```\n", 4), "README.md shows more");
	free(readme);
	free(t1);
}
END_TEST

/* ---- Runs. ---- */

static struct test_net net;

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
}

static void end(void)
{
	if (net.near_fd > 0) /* of a test that failed */
		test_net_close(&net);
	ebpfnet_ctx_unref(ctx);
}

/* Reads what it prints until that is what near has sent by then, for up to 20 lines. */
static bool counts_what_is_sent(FILE *f, int fd)
{
	char line[256], want[64];

	for (int i = 0; i < 20; i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		snprintf(want, sizeof(want), "%llu packets",
			 (unsigned long long)test_net_statistic(&net, 0, "tx_packets"));
		if (poll(&p, 1, 1500) > 0 && fgets(line, sizeof(line), f)) {
			line[strcspn(line, "\r\n")] = '\0';
			if (!strcmp(line, want))
				return true;
			printf("not yet \"%s\": \"%s\"\n", want, line);
		}
	}
	return false;
}

/* On a terminal, where it prints each line at once; in the far namespace. */
static void run_t1(const char *program)
{
	char command[512], object[512];
	pid_t pid;
	FILE *out;
	int fd;

	snprintf(command, sizeof(command), "%s", test_built(program));
	snprintf(object, sizeof(object), "%s", test_object("t1"));
	test_net_open(&net, 0);
	test_net_enter(net.far_fd);
	pid = forkpty(&fd, NULL, NULL, NULL);
	if (pid == 0) {
		execl(command, program, "v0", object, NULL);
		_exit(127);
	}
	test_net_enter(-1);
	ck_assert_int_gt(pid, 0);
	out = fdopen(fd, "r");
	ck_assert_msg(counts_what_is_sent(out, fd), "%s does not start", program);
	/* What was sent before it attached is nothing: the link comes up now. */
	test_net_up(&net);
	ck_assert_int_eq(test_net_ping(&net, 4, 5), 5);
	ck_assert_int_eq(test_net_ping(&net, 6, 5), 5);
	ck_assert_uint_ge(test_net_statistic(&net, 0, "tx_packets"), 10);
	ck_assert_msg(counts_what_is_sent(out, fd), "%s counts something else", program);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	fclose(out);
	test_net_close(&net);
}

START_TEST(test_t1)
{
	test_need_root();
	run_t1("tests/tasks/t1");
	run_t1("tests/tasks/t1_libbpf");
}
END_TEST

static struct bpf_object *load_foreign(void)
{
	struct bpf_object *obj = bpf_object__open_file(test_object("t2"), NULL);

	ck_assert_ptr_nonnull(obj);
	ck_assert_int_eq(bpf_object__load(obj), 0);
	return obj;
}

static struct bpf_program *foreign_program(struct bpf_object *obj, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, name);

	ck_assert_ptr_nonnull(prog);
	return prog;
}

static uint32_t id_of(const struct bpf_program *prog)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	ck_assert_int_eq(bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size), 0);
	return info.id;
}

static void ask(struct ebpfnet_query **query)
{
	ASSERT_OK(ebpfnet_tc_query(ctx, net.far_if, EBPFNET_INGRESS, NULL, query, &err), err);
}

/* A foreign program drops everything; ours accepts everything, and runs first. */
static void run_t2(struct bpf_object *foreign, struct ebpfnet_object *obj)
{
	uint32_t before = id_of(foreign_program(foreign, "drop_all"));
	struct ebpfnet_program *accept, *drop;
	struct ebpfnet_query *query, *now;
	struct ebpfnet_link *link, *second;

	ASSERT_OK(ebpfnet_object_program(obj, "accept_all", &accept, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "drop_all", &drop, &err), err);
	ask(&query);
	ASSERT_OK(t2(accept, before, net.far_if, query, &link, &err), err);
	test_net_enter(-1);
	ck_assert_int_eq(test_net_ping(&net, 4, 2), 2);
	ck_assert_int_eq(test_net_ping(&net, 6, 2), 2);
	test_net_enter(net.far_fd);
	/* Now the chain is another one than the query saw: nothing is done. */
	ASSERT_FAILS(t2(drop, before, net.far_if, query, &second, &err), err, -ESTALE,
		     EBPFNET_ERROR_STALE, "");
	ask(&now);
	ck_assert_uint_eq(ebpfnet_query_count(now), 2);
	ebpfnet_query_free(now);
	ebpfnet_query_free(query);
	ebpfnet_link_close(link);
}

static void run_t2_libbpf(struct bpf_object *foreign, struct bpf_object *obj)
{
	uint32_t before = id_of(foreign_program(foreign, "drop_all"));
	struct ebpfnet_query *query;
	struct bpf_link *link, *second;
	uint64_t revision;

	ask(&query);
	revision = ebpfnet_query_revision(query);
	ebpfnet_query_free(query);
	ck_assert_int_eq(
		t2_libbpf(foreign_program(obj, "accept_all"), before, net.far_if, revision, &link),
		0);
	test_net_enter(-1);
	ck_assert_int_eq(test_net_ping(&net, 4, 2), 2);
	test_net_enter(net.far_fd);
	ck_assert_int_eq(
		t2_libbpf(foreign_program(obj, "drop_all"), before, net.far_if, revision, &second),
		-ESTALE);
	bpf_link__destroy(link);
}

START_TEST(test_t2)
{
	struct bpf_object *foreign, *plain;
	struct ebpfnet_object *obj;
	struct bpf_link *held;

	test_need_root();
	if (ebpfnet_probe(ctx, EBPFNET_FEATURE_TCX, NULL) != 1)
		return;
	foreign = load_foreign();
	plain = load_foreign();
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("t2"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	test_net_open(&net, 1);
	ck_assert_int_eq(test_net_ping(&net, 4, 2), 2);
	ck_assert_int_eq(test_net_ping(&net, 6, 2), 2);
	test_net_enter(net.far_fd);
	held = bpf_program__attach_tcx(foreign_program(foreign, "drop_all"), net.far_if, NULL);
	ck_assert_ptr_nonnull(held);
	test_net_enter(-1);
	ck_assert_int_eq(test_net_ping(&net, 4, 1), 0);
	test_net_enter(net.far_fd);
	run_t2(foreign, obj);
	run_t2_libbpf(foreign, plain);
	test_net_enter(-1);
	/* The foreign program has seen nothing of it. */
	ck_assert_int_eq(test_net_ping(&net, 4, 1), 0);
	bpf_link__destroy(held);
	test_net_close(&net);
	ebpfnet_object_close(obj);
	bpf_object__close(plain);
	bpf_object__close(foreign);
}
END_TEST

static void write_number(int fd, const void *event)
{
	uint64_t n;

	memcpy(&n, event, sizeof(n));
	ck_assert_int_eq(write(fd, &n, sizeof(n)), sizeof(n));
}

static int take(void *data, const struct ebpfnet_ring_event *event)
{
	if (event->len == sizeof(uint64_t))
		write_number(*(int *)data, event->data);
	return 0;
}

static int take_libbpf(void *data, void *event, size_t len)
{
	if (len == sizeof(uint64_t))
		write_number(*(int *)data, event);
	return 0;
}

/* The consumer is a child; 42 says that a signal stopped it and it came back. */
static pid_t start_t3(bool ours, const struct ebpfnet_map *map, int fd)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int ret = ours ? t3(map, take, &fd, NULL)
			       : t3_libbpf(ebpfnet_map_fd(map), take_libbpf, &fd);

		_exit(ret == -EINTR ? 42 : 1);
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

/* Every packet is an event, each number once and in order, until the signal. */
static void run_t3(bool ours)
{
	struct ebpfnet_object *obj;
	struct ebpfnet_program *prog;
	struct ebpfnet_link *link;
	struct ebpfnet_map *map;
	uint64_t n, expected = 0, sent;
	int pipes[2], status;
	pid_t pid;

	EBPFNET_OPTS(ebpfnet_xdp_opts, xdp);
	test_net_open(&net, 0);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("t3"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_map(obj, "events", &map, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "sample", &prog, &err), err);
	xdp.netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_xdp_attach(prog, net.far_if, &xdp, &link, &err), err);
	ck_assert_int_eq(pipe(pipes), 0);
	pid = start_t3(ours, map, pipes[1]);
	close(pipes[1]);
	test_net_up(&net);
	ck_assert_int_eq(test_net_ping(&net, 4, 20), 20);
	ck_assert_int_eq(test_net_ping(&net, 6, 20), 20);
	/* Nothing more is sent; what was, is read by then. */
	ck_assert_int_eq(test_shell("ip -n %s link set v0 down", net.near), 0);
	usleep(200000);
	sent = test_net_statistic(&net, 0, "tx_packets");
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	ck_assert_int_eq(kill(pid, SIGINT), 0);
	while (read(pipes[0], &n, sizeof(n)) == sizeof(n))
		ck_assert_uint_eq(n, expected++);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status %#x", status);
	ck_assert_uint_ge(sent, 40);
	ck_assert_uint_eq(expected, sent);
	close(pipes[0]);
	ebpfnet_link_close(link);
	ebpfnet_object_close(obj);
	test_net_close(&net);
}

START_TEST(test_t3)
{
	test_need_root();
	run_t3(true);
	run_t3(false);
}
END_TEST

START_TEST(test_t4)
{
	static const char *const programs[] = { "tests/tasks/t4", "tests/tasks/t4_libbpf" };
	char out[4096], want[2][32];

	test_need_root();
	snprintf(want[0], sizeof(want[0]), "xdp_link\t5.9\t%d\n",
		 ebpfnet_probe(ctx, EBPFNET_FEATURE_XDP_LINK, NULL));
	snprintf(want[1], sizeof(want[1]), "tcx\t6.6\t%d\n",
		 ebpfnet_probe(ctx, EBPFNET_FEATURE_TCX, NULL));
	for (size_t i = 0; i < 2; i++) {
		/* A program that ends at once leaves its memory to the kernel. */
		ck_assert_int_eq(test_shell_output(out, sizeof(out),
						   "ASAN_OPTIONS=detect_leaks=0 %s",
						   test_built(programs[i])),
				 0);
		ck_assert_msg(strstr(out, want[0]) && strstr(out, want[1]), "%s says %s",
			      programs[i], out);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_counting, test_lines, test_readme, test_t1,
				       test_t2,	      test_t3,	  test_t4 };

	return test_run(
		test_suite_around("tasks", tests, sizeof(tests) / sizeof(*tests), 120, begin, end));
}
