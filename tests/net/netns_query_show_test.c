// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What ebpfnet_netns_query() lists, beside what bpftool shows, and as examples/06-list prints it. */
int example_main(int argc, char **argv);
#define main example_main
#include "06-list.c"
#undef main

#include "netns_query_fixture.h"

/* What bpftool says in the far namespace. */
static json_object *bpftool(const char *words)
{
	static char text[1 << 20];
	json_object *doc;
	char *broken;

	ck_assert_int_eq(test_shell_output(text, sizeof(text),
					   "nsenter --net=/run/netns/%s bpftool -j %s", net.far,
					   words),
			 0);
	/* bpftool 7.5 forgets the braces of a flow dissector. */
	broken = strstr(text, "\"flow_dissector\":[\"id\"");
	if (broken) {
		broken += strlen("\"flow_dissector\":[");
		memmove(broken + 1, broken, strlen(broken) + 1);
		*broken = '{';
		broken = strchr(broken, ']');
		memmove(broken + 1, broken, strlen(broken) + 1);
		*broken = '}';
	}
	doc = json_tokener_parse(text);
	ck_assert_msg(doc != NULL, "no JSON: %s", text);
	return doc;
}

static uint32_t number(json_object *row, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(row, key, &value) ? (uint32_t)json_object_get_int64(value)
							   : 0;
}

/* A program of bpftool's, among our entries of this kind: once, with the same link. */
static void assert_ours(uint32_t kind, uint32_t ifindex, uint32_t prog_id, uint32_t link_id)
{
	int n = 0;

	for (size_t i = 0; i < ebpfnet_query_count(query); i++) {
		struct ebpfnet_query_entry e = entry_at(i);

		n += e.kind == kind && e.ifindex == ifindex && e.program_id == prog_id &&
		     (link_id == 0 || e.link_id == link_id);
	}
	ck_assert_msg(n == 1, "kind %u ifindex %u program %u link %u is listed %d times", kind,
		      ifindex, prog_id, link_id, n);
}

static size_t compare_part(json_object *net_doc, const char *part, uint32_t kind)
{
	json_object *list, *rows = json_object_array_get_idx(net_doc, 0);
	size_t n;

	ck_assert_msg(json_object_object_get_ex(rows, part, &list), "%s", part);
	n = json_object_array_length(list);
	for (size_t i = 0; i < n; i++) {
		json_object *row = json_object_array_get_idx(list, i);
		uint32_t id = number(row, "prog_id");

		assert_ours(kind, number(row, "ifindex"), id ? id : number(row, "id"),
			    number(row, "link_id"));
	}
	return n;
}

static bool bpftool_has(json_object *net_doc, const char *part, uint32_t prog_id)
{
	json_object *list, *rows = json_object_array_get_idx(net_doc, 0);
	bool has = false;

	ck_assert_msg(json_object_object_get_ex(rows, part, &list), "%s", part);
	for (size_t i = 0; i < json_object_array_length(list); i++)
		has |= number(json_object_array_get_idx(list, i), "id") == prog_id;
	return has;
}

START_TEST(test_equal_to_bpftool)
{
	json_object *doc;

	start_child(attach_everything);
	add_foreign_filter();
	look(net.far_fd, EBPFNET_QUERY_CGROUPS);
	ck_assert_uint_eq(shared->made[9].info.kind, EBPFNET_LINK_NETFILTER);
	doc = bpftool("net show");
	ck_assert_uint_eq(compare_part(doc, "xdp", EBPFNET_LINK_XDP), ours_of(EBPFNET_LINK_XDP));
	ck_assert_uint_eq(compare_part(doc, "tc", EBPFNET_LINK_TC), ours_of(EBPFNET_LINK_TC));
	ck_assert_uint_eq(compare_part(doc, "flow_dissector", EBPFNET_LINK_FLOW_DISSECTOR), 1);
	/* That part is of all namespaces, where others come and go. */
	ck_assert(bpftool_has(doc, "netfilter", shared->made[9].info.program_id));
	json_object_put(doc);
	doc = bpftool("link show");
	for (uint32_t i = 0; i < shared->count; i++) {
		const struct ebpfnet_link_info *info = &shared->made[i].info;
		size_t k = 0, n = json_object_array_length(doc);

		while (k < n && number(json_object_array_get_idx(doc, k), "id") != info->id)
			k++;
		if (info->id == 0)
			continue;
		ck_assert_msg(k < n, "bpftool does not show link %u", info->id);
		ck_assert_uint_eq(number(json_object_array_get_idx(doc, k), "prog_id"),
				  entry_at((size_t)find(info)).program_id);
	}
	json_object_put(doc);
}
END_TEST

/* The example's JSON, as it prints it. */
static json_object *run_example(char **argv, int argc)
{
	static char text[1 << 20];
	int fds[2], status;
	size_t have = 0;
	ssize_t n = 1;
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		status = example_main(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	close(fds[1]);
	while (n > 0 && have < sizeof(text) - 1) {
		n = read(fds[0], text + have, sizeof(text) - 1 - have);
		have += n > 0 ? (size_t)n : 0;
	}
	text[have] = '\0';
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	return argc > 2 ? json_tokener_parse(text) : json_object_new_string(text);
}

START_TEST(test_example)
{
	char *argv[] = { "06-list", net.far, "--json", "--all", NULL };
	json_object *doc, *list, *owners, *text;
	size_t rows = 0;

	start_child(attach_everything);
	doc = run_example(argv, 4);
	ck_assert_ptr_nonnull(doc);
	ck_assert(json_object_object_get_ex(doc, "attached", &list));
	text = run_example(argv, 2);
	for (uint32_t i = 0; i < shared->count; i++) {
		const struct ebpfnet_link_info *info = &shared->made[i].info;

		for (size_t k = 0; k < json_object_array_length(list); k++) {
			json_object *row = json_object_array_get_idx(list, k);

			if (number(row, "program") != info->program_id)
				continue;
			rows++;
			ck_assert_uint_eq(number(row, "link"), info->id);
			ck_assert_uint_eq(number(row, "map"), info->map_id);
			ck_assert_uint_eq(number(row, "handle"), info->handle);
			ck_assert_int_eq((int32_t)number(row, "priority"), info->priority);
			ck_assert(json_object_object_get_ex(row, "owners", &owners));
			ck_assert_uint_eq(number(json_object_array_get_idx(owners, 0), "pid"),
					  (uint32_t)child);
			ck_assert(json_object_object_get_ex(row, "name", &owners));
			if (info->kind != EBPFNET_LINK_CGROUP)
				ck_assert_ptr_nonnull(strstr(json_object_get_string(text),
							     json_object_get_string(owners)));
		}
	}
	ck_assert_uint_eq(rows, shared->count);
	json_object_put(text);
	json_object_put(doc);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_equal_to_bpftool,
		test_example,
	};

	test_need_root();
	test_need_bpffs();
	if (test_shell("bpftool version >/dev/null 2>&1"))
		test_skip("bpftool is not installed");
	if (!has_tcx())
		test_skip("this kernel has no TCX, which is among what is listed");
	return test_run(test_suite_around("netns_query", tests, sizeof(tests) / sizeof(*tests), 60,
					  begin, end));
}
