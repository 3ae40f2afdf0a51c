// SPDX-License-Identifier: 0BSD
/*
 * 04-count: a live table of what an interface receives, like top; everything passes.
 *
 *	cc -o 04-count 04-count.c $(pkg-config --cflags --libs libebpfnet json-c)
 *	./04-count eth0				by protocol, once a second
 *	./04-count -k source -n 20 eth0		the 20 busiest sources
 *	./04-count --json -i 10 eth0		one JSON document a line, every 10 seconds
 *
 * Ctrl-C prints the last figures and detaches.
 */
#include <arpa/inet.h>
#include <ebpfnet/ebpfnet.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <net/if.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const keys[] = { "total", "protocol", "source" };

struct settings {
	uint32_t key, mode;
	size_t rows;
	unsigned int interval;
	bool json;
	const char *device;
};

static int fail(struct ebpfnet_error *err)
{
	fprintf(stderr, "04-count: %s\n", ebpfnet_error_message(err));
	if (ebpfnet_error_hint(err))
		fprintf(stderr, "hint: %s\n", ebpfnet_error_hint(err));
	ebpfnet_error_free(err);
	return 1;
}

static const char *label(const struct ebpfnet_counter_entry *e, uint32_t key, char *buf, size_t n)
{
	const struct protoent *p = getprotobynumber((int)e->protocol);

	if (key == EBPFNET_COUNTER_SOURCE)
		return inet_ntop(e->family == 4 ? AF_INET : AF_INET6, e->address, buf, n);
	if (key == EBPFNET_COUNTER_TOTAL)
		return "total";
	if (p)
		snprintf(buf, n, "ipv%u %s", e->family, p->p_name);
	else
		snprintf(buf, n, "ipv%u %u", e->family, e->protocol);
	return buf;
}

static void put_number(json_object *o, const char *name, uint64_t value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

static void print_json(const struct settings *s, const struct ebpfnet_counter_stats *stats,
		       const struct ebpfnet_counter_snapshot *snap)
{
	json_object *doc = json_object_new_object(), *list = json_object_new_array();
	char buf[INET6_ADDRSTRLEN + 16];

	json_object_object_add(doc, "device", json_object_new_string(s->device));
	put_number(doc, "packets", stats->packets);
	put_number(doc, "bytes", stats->bytes);
	put_number(doc, "other_packets", stats->other_packets);
	put_number(doc, "evicted_packets", stats->evicted_packets);
	for (size_t i = 0; i < ebpfnet_counter_snapshot_count(snap); i++) {
		struct ebpfnet_counter_entry e = { .sz = sizeof(e) };
		json_object *row = json_object_new_object();

		ebpfnet_counter_snapshot_entry(snap, i, &e);
		json_object_object_add(row, "key", json_object_new_string(label(&e, s->key, buf, sizeof(buf))));
		put_number(row, "packets", e.packets);
		put_number(row, "bytes", e.bytes);
		json_object_array_add(list, row);
	}
	json_object_object_add(doc, keys[s->key], list);
	puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN));
	json_object_put(doc);
}

static void print_table(const struct settings *s, const struct ebpfnet_counter_stats *stats,
			const struct ebpfnet_counter_snapshot *snap)
{
	char buf[INET6_ADDRSTRLEN + 16];
	size_t n = ebpfnet_counter_snapshot_count(snap);

	if (isatty(1))
		printf("\033[H\033[J");
	printf("%s: %" PRIu64 " packets, %" PRIu64 " bytes; %" PRIu64 " without a key, %" PRIu64
	       " evicted; %zu keys\n", s->device, stats->packets, stats->bytes,
	       stats->other_packets, stats->evicted_packets, n);
	printf("%-40s %14s %16s\n", keys[s->key], "packets", "bytes");
	for (size_t i = 0; i < n && i < s->rows; i++) {
		struct ebpfnet_counter_entry e = { .sz = sizeof(e) };

		ebpfnet_counter_snapshot_entry(snap, i, &e);
		printf("%-40s %14" PRIu64 " %16" PRIu64 "\n", label(&e, s->key, buf, sizeof(buf)),
		       e.packets, e.bytes);
	}
}

static int show(const struct settings *s, struct ebpfnet_counter *counter)
{
	struct ebpfnet_counter_stats stats = { .sz = sizeof(stats) };
	struct ebpfnet_counter_snapshot *snap;
	struct ebpfnet_error *err = NULL;

	if (ebpfnet_counter_snapshot_new(counter, &snap, &err) < 0)
		return fail(err);
	if (ebpfnet_counter_stats(counter, &stats, &err) < 0) {
		ebpfnet_counter_snapshot_free(snap);
		return fail(err);
	}
	(s->json ? print_json : print_table)(s, &stats, snap);
	fflush(stdout);
	ebpfnet_counter_snapshot_free(snap);
	return 0;
}

static int run(const struct settings *s, struct ebpfnet_ctx *ctx, const sigset_t *ends)
{
	const struct timespec pause = { .tv_sec = s->interval };
	struct ebpfnet_counter *counter = NULL;
	struct ebpfnet_link *link = NULL;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_program *prog;
	int ret;

	EBPFNET_OPTS(ebpfnet_counter_opts, copts);
	EBPFNET_OPTS(ebpfnet_xdp_opts, xopts);
	copts.key = s->key;
	xopts.mode = s->mode;
	if (ebpfnet_counter_new(ctx, &copts, &counter, &err) < 0 ||
	    ebpfnet_counter_program(counter, EBPFNET_HOOK_XDP, &prog, &err) < 0 ||
	    ebpfnet_xdp_attach(prog, (int)if_nametoindex(s->device), &xopts, &link, &err) < 0)
		ret = fail(err);
	else
		while ((ret = show(s, counter)) == 0 && sigtimedwait(ends, NULL, &pause) < 0)
			;
	if (ret == 0)
		ret = show(s, counter); /* the last packets before the end */
	ebpfnet_link_close(link);
	ebpfnet_counter_free(counter);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	struct settings s = { .key = EBPFNET_COUNTER_PROTOCOL, .rows = 20, .interval = 1 };
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;
	sigset_t ends;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "i:k:n:gj", longopts, NULL)) != -1) {
		if (opt == 'i')
			s.interval = (unsigned int)atoi(optarg);
		else if (opt == 'k')
			for (s.key = 0; s.key < 3 && strcmp(keys[s.key], optarg); s.key++)
				;
		else if (opt == 'n')
			s.rows = (size_t)atol(optarg);
		else if (opt == 'g')
			s.mode = EBPFNET_XDP_GENERIC;
		else if (opt == 'j')
			s.json = true;
		else
			s.key = 3;
	}
	if (s.key == 3 || optind != argc - 1 || s.interval == 0) {
		fprintf(stderr, "usage: 04-count [-k total|protocol|source] [-n ROWS] [-i SECONDS] "
				"[-g] [--json] INTERFACE\n");
		return 2;
	}
	s.device = argv[optind];
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	if (ebpfnet_ctx_new(NULL, &ctx, &err) < 0)
		return fail(err);
	ret = run(&s, ctx, &ends);
	ebpfnet_ctx_unref(ctx);
	return ret;
}
