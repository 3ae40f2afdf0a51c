// SPDX-License-Identifier: 0BSD
/*
 * 04-count: a live table of what an interface receives, like top, until Ctrl-C; all passes.
 *	cc -o 04-count 04-count.c $(pkg-config --cflags --libs libebpfnet json-c)
 *	./04-count [--json] eth0	by protocol, once a second
 *	./04-count -k source eth0	the busiest sources
 */
#include <arpa/inet.h>
#include <ebpfnet/ebpfnet.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const char *const keys[] = { "total", "protocol", "source" };
static uint32_t key = EBPFNET_COUNTER_PROTOCOL;
static const char *device;
static bool json;

static int fail(struct ebpfnet_error *err)
{
	fprintf(stderr, "04-count: %s\n%s\n", ebpfnet_error_message(err),
		ebpfnet_error_hint(err) ? ebpfnet_error_hint(err) : "");
	ebpfnet_error_free(err);
	return 1;
}

static const char *label(const struct ebpfnet_counter_entry *e)
{
	static char text[INET6_ADDRSTRLEN];

	if (key == EBPFNET_COUNTER_SOURCE)
		return inet_ntop(e->family == 4 ? AF_INET : AF_INET6, e->address, text,
				 sizeof(text));
	snprintf(text, sizeof(text), "ipv%u protocol %u", e->family, e->protocol);
	return key == EBPFNET_COUNTER_TOTAL ? "total" : text;
}

static json_object *numbers(uint64_t packets, uint64_t bytes)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "packets", json_object_new_uint64(packets));
	json_object_object_add(o, "bytes", json_object_new_uint64(bytes));
	return o;
}

static void print(const struct ebpfnet_counter_stats *all,
		  const struct ebpfnet_counter_snapshot *snap)
{
	json_object *doc = numbers(all->packets, all->bytes), *list = json_object_new_array(), *row;

	if (!json)
		printf("%s%s: %" PRIu64 " packets, %" PRIu64 " without a key, %" PRIu64
		       " evicted\n%-40s %14s %16s\n",
		       isatty(1) ? "\033[H\033[J" : "", device, all->packets, all->other_packets,
		       all->evicted_packets, keys[key], "packets", "bytes");
	for (size_t i = 0; i < ebpfnet_counter_snapshot_count(snap) && (json || i < 20); i++) {
		struct ebpfnet_counter_entry e = { .sz = sizeof(e) };

		ebpfnet_counter_snapshot_entry(snap, i, &e);
		row = numbers(e.packets, e.bytes);
		json_object_object_add(row, keys[key], json_object_new_string(label(&e)));
		json_object_array_add(list, row);
		if (!json)
			printf("%-40s %14" PRIu64 " %16" PRIu64 "\n", label(&e), e.packets,
			       e.bytes);
	}
	json_object_object_add(doc, "keys", list);
	if (json)
		puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN));
	json_object_put(doc);
	fflush(stdout);
}

static int show(struct ebpfnet_counter *counter)
{
	struct ebpfnet_counter_stats all = { .sz = sizeof(all) };
	struct ebpfnet_counter_snapshot *snap;
	struct ebpfnet_error *err = NULL;

	if (ebpfnet_counter_stats(counter, &all, &err) < 0 ||
	    ebpfnet_counter_snapshot_new(counter, &snap, &err) < 0)
		return fail(err);
	print(&all, snap);
	ebpfnet_counter_snapshot_free(snap);
	return 0;
}

static int run(struct ebpfnet_ctx *ctx, const sigset_t *ends)
{
	const struct timespec pause = { .tv_sec = 1 };
	struct ebpfnet_counter *counter = NULL;
	struct ebpfnet_link *link = NULL;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_program *prog;
	int ret;

	EBPFNET_OPTS(ebpfnet_counter_opts, opts);
	EBPFNET_OPTS(ebpfnet_xdp_opts, where);
	opts.key = key;
	where.mode = EBPFNET_XDP_AUTO;
	if (ebpfnet_counter_new(ctx, &opts, &counter, &err) < 0 ||
	    ebpfnet_counter_program(counter, EBPFNET_HOOK_XDP, &prog, &err) < 0 ||
	    ebpfnet_xdp_attach(prog, (int)if_nametoindex(device), &where, &link, &err) < 0)
		ret = fail(err);
	else
		do
			ret = show(counter);
		while (ret == 0 && sigtimedwait(ends, NULL, &pause) < 0);
	if (ret == 0)
		ret = show(counter); /* the last packets before the end */
	ebpfnet_link_close(link);
	ebpfnet_counter_free(counter);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;
	sigset_t ends;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "k:", longopts, NULL)) != -1) {
		json |= opt == 'j';
		if (opt == 'k')
			for (key = 0; key < 3 && strcmp(keys[key], optarg); key++)
				;
		key = opt == '?' ? 3 : key;
	}
	if (optind != argc - 1 || key == 3) {
		fprintf(stderr, "usage: 04-count [-k total|protocol|source] [--json] INTERFACE\n");
		return 2;
	}
	device = argv[optind];
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	if (ebpfnet_ctx_new(NULL, &ctx, &err) < 0)
		return fail(err);
	ret = run(ctx, &ends);
	ebpfnet_ctx_unref(ctx);
	return ret;
}
