// SPDX-License-Identifier: 0BSD
/*
 * 04-count: a live table of the busiest keys on a hook, like top, until Ctrl-C; all passes.
 *	cc -o 04-count 04-count.c $(pkg-config --cflags --libs libebpfnet json-c)
 *	./04-count [--json] eth0	what it receives, by protocol, once a second
 *	./04-count -H cgroup-egress -k destination system.slice
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

/* In the order of enum ebpfnet_counter_key and enum ebpfnet_hook. */
static char *const keys[] = { "total", "protocol",	"source",     "destination",
			      "port",  "source-prefix", "five-tuple", NULL };
static char *const hooks[] = { "xdp",		"tc-ingress", "tc-egress", "cgroup-ingress",
			       "cgroup-egress", NULL };
static uint32_t key = EBPFNET_COUNTER_PROTOCOL, hook = EBPFNET_HOOK_XDP;
static const char *where;
static bool json;
static struct ebpfnet_counter_snapshot *last;

static int fail(struct ebpfnet_error *err)
{
	fprintf(stderr, "04-count: %s\n%s\n", ebpfnet_error_message(err),
		ebpfnet_error_hint(err) ? ebpfnet_error_hint(err) : "");
	ebpfnet_error_free(err);
	return 1;
}

static const char *label(const struct ebpfnet_counter_rate *e)
{
	static char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN], text[160];
	int family = e->family == 4 ? AF_INET : AF_INET6;

	inet_ntop(family, e->source, from, sizeof(from));
	inet_ntop(family, e->destination, to, sizeof(to));
	snprintf(text, sizeof(text), "ipv%u protocol %u", e->family, e->protocol);
	if (key > EBPFNET_COUNTER_PROTOCOL) /* what is no part of the key is 0 */
		snprintf(text, sizeof(text), "%u %s/%u %u > %s %u", e->protocol, from, e->prefix,
			 e->source_port, to, e->destination_port);
	return key == EBPFNET_COUNTER_TOTAL ? "total" : text;
}

static json_object *numbers(uint64_t packets, uint64_t bytes)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "packets", json_object_new_uint64(packets));
	json_object_object_add(o, "bytes", json_object_new_uint64(bytes));
	return o;
}

/* The table has rates since the last one, JSON everything since the start. */
static int show(struct ebpfnet_counter *counter)
{
	struct ebpfnet_counter_stats all = { .sz = sizeof(all) };
	struct ebpfnet_counter_rate e = { .sz = sizeof(e) };
	json_object *doc, *list = json_object_new_array(), *row;
	struct ebpfnet_counter_snapshot *now;
	struct ebpfnet_counter_rates *rates;
	struct ebpfnet_error *err = NULL;

	if (ebpfnet_counter_stats(counter, &all, &err) < 0 ||
	    ebpfnet_counter_snapshot_new(counter, &now, &err) < 0 ||
	    ebpfnet_counter_rates_new(last, now, &rates, &err) < 0)
		return fail(err);
	if (!json)
		printf("%s%s: %" PRIu64 " packets, %" PRIu64 " evicted\n%-64s %12s %14s\n",
		       isatty(1) ? "\033[H\033[J" : "", where, all.packets, all.evicted_packets,
		       keys[key], "packets/s", "bytes/s");
	for (size_t i = 0; (json || i < 20) && !ebpfnet_counter_rates_entry(rates, i, &e); i++) {
		row = numbers(e.packets, e.bytes);
		json_object_object_add(row, keys[key], json_object_new_string(label(&e)));
		json_object_array_add(list, row);
		if (!json)
			printf("%-64s %12.0f %14.0f\n", label(&e), e.packets_per_s, e.bytes_per_s);
	}
	doc = numbers(all.packets, all.bytes);
	json_object_object_add(doc, "keys", list);
	if (json)
		puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN));
	json_object_put(doc);
	fflush(stdout);
	ebpfnet_counter_rates_free(rates);
	ebpfnet_counter_snapshot_free(json ? now : last);
	last = json ? last : now;
	return 0;
}

static int attach(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		  struct ebpfnet_error **err)
{
	int ifindex = (int)if_nametoindex(where);

	EBPFNET_OPTS(ebpfnet_xdp_opts, x);
	x.mode = EBPFNET_XDP_AUTO;
	return hook == EBPFNET_HOOK_XDP ? ebpfnet_xdp_attach(prog, ifindex, &x, link, err)
	       : hook <= EBPFNET_HOOK_TC_EGRESS
		       ? ebpfnet_tc_attach(prog, ifindex, hook - 1, NULL, link, err)
		       : ebpfnet_cgroup_attach(prog, where, hook - 3, NULL, link, err);
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	struct ebpfnet_counter *counter = NULL;
	struct ebpfnet_link *link = NULL;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx = NULL;
	struct ebpfnet_program *prog;
	int opt, ret = 0;
	sigset_t ends;
	char *value;

	while ((opt = getopt_long(argc, argv, "k:H:", longopts, NULL)) != -1) {
		key = opt == 'k' ? (uint32_t)getsubopt(&optarg, keys, &value) : key;
		hook = opt == 'H' ? (uint32_t)getsubopt(&optarg, hooks, &value) + 1 : hook;
		json |= opt == 'j', ret |= opt == '?';
	}
	if (ret || !(where = argv[optind]) || argv[optind + 1] ||
	    key > EBPFNET_COUNTER_FIVE_TUPLE || hook - 1 > 4) {
		fputs("usage: 04-count [-H HOOK] [-k KEY] [--json] INTERFACE|CGROUP\n", stderr);
		return 2;
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	EBPFNET_OPTS(ebpfnet_counter_opts, opts);
	opts.key = key;
	if (ebpfnet_ctx_new(NULL, &ctx, &err) < 0 ||
	    ebpfnet_counter_new(ctx, &opts, &counter, &err) < 0 ||
	    ebpfnet_counter_program(counter, hook, &prog, &err) < 0 ||
	    ebpfnet_counter_snapshot_new(counter, &last, &err) < 0 || attach(prog, &link, &err) < 0)
		ret = fail(err);
	for (opt = 0; ret == 0 && opt <= 0; ret = show(counter)) /* the signal shows the last */
		opt = sigtimedwait(&ends, NULL, &(struct timespec) { 1, 0 });
	ebpfnet_counter_snapshot_free(last);
	ebpfnet_link_close(link);
	ebpfnet_counter_free(counter);
	ebpfnet_ctx_unref(ctx);
	return ret;
}
