// SPDX-License-Identifier: 0BSD
/*
 * 05-events: prints one packet in N that an interface receives, until Ctrl-C; all pass.
 *
 *	cc -o 05-events 05-events.c $(pkg-config --cflags --libs libebpfnet)
 *	./05-events eth0		with 05-events.bpf.o, made from 05-events.bpf.c, in this folder
 *	./05-events -n 1000 eth0	one in 1,000, picked at random
 */
#include <arpa/inet.h>
#include <ebpfnet/ebpfnet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "05-events.h"

static struct ebpfnet_ring *ring;

static int fail(struct ebpfnet_error *err)
{
	fprintf(stderr, "05-events: %s\n%s\n", ebpfnet_error_message(err),
		ebpfnet_error_hint(err) ? ebpfnet_error_hint(err) : "");
	ebpfnet_error_free(err);
	return 1;
}

static void stop(int sig)
{
	(void)sig;
	ebpfnet_ring_wake(ring);
}

static void print_time(uint64_t monotonic)
{
	struct timespec now, mono;
	uint64_t ns;
	time_t s;
	char text[16];

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	ns = (uint64_t)(now.tv_sec - mono.tv_sec) * 1000000000 + (uint64_t)now.tv_nsec -
	     (uint64_t)mono.tv_nsec + monotonic;
	s = (time_t)(ns / 1000000000);
	strftime(text, sizeof(text), "%H:%M:%S", localtime(&s));
	printf("%s.%06" PRIu64, text, ns / 1000 % 1000000);
}

static int print(void *data, const struct ebpfnet_ring_event *event)
{
	const struct event *e = event->data;
	const struct ebpfnet_pkt *p = &e->pkt;
	int family = p->family == 4 ? AF_INET : AF_INET6;
	char name[IF_NAMESIZE] = "?", from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	(void)data;
	print_time(e->time);
	printf(" %s ", if_indextoname(e->ifindex, name) ? name : "?");
	if (p->family)
		printf("%s.%u > %s.%u protocol %u",
		       inet_ntop(family, &p->saddr, from, sizeof(from)), ntohs(p->sport),
		       inet_ntop(family, &p->daddr, to, sizeof(to)), ntohs(p->dport), p->l4_proto);
	else
		printf("ethertype 0x%04x", p->ethertype);
	printf(" length %u%s\n", p->wire_len, p->reason ? " malformed" : "");
	return 0;
}

/* Until Ctrl-C. Events gather for up to 10 ms: nobody reads faster, and the sender is not held. */
static int run(struct ebpfnet_object *obj, int ifindex)
{
	struct ebpfnet_ring_stats stats = { .sz = sizeof(stats) };
	struct ebpfnet_link *link = NULL;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_program *prog;
	struct ebpfnet_map *map;
	int ret = 0;

	EBPFNET_OPTS(ebpfnet_ring_opts, opts);
	EBPFNET_OPTS(ebpfnet_xdp_opts, where);
	opts.gather_us = 10000;
	where.mode = EBPFNET_XDP_AUTO;
	if (ebpfnet_object_map(obj, "events", &map, &err) < 0 ||
	    ebpfnet_ring_new(map, &opts, &ring, &err) < 0)
		return fail(err);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	if (ebpfnet_object_program(obj, "sample", &prog, &err) < 0 ||
	    ebpfnet_xdp_attach(prog, ifindex, &where, &link, &err) < 0)
		ret = fail(err);
	while (ret == 0 && (ret = ebpfnet_ring_wait(ring, -1)) == 0) {
		ret = ebpfnet_ring_dispatch(ring, print, NULL, 256);
		ret = ret < 0 ? ret : 0;
		fflush(stdout);
	}
	ebpfnet_link_close(link);
	if (ret == -EINTR && ebpfnet_ring_stats(ring, EBPFNET_RING_ALL, &stats, &err) == 0)
		fprintf(stderr, "%" PRIu64 " events, %" PRIu64 " dropped\n", stats.events,
			stats.dropped);
	ebpfnet_ring_free(ring);
	return ret == -EINTR ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct ebpfnet_object *obj = NULL;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;
	uint32_t every = 1;
	int opt, ret;

	while ((opt = getopt(argc, argv, "n:")) != -1)
		every = opt == 'n' ? (uint32_t)strtoul(optarg, NULL, 10) : 0;
	if (optind != argc - 1 || !every) {
		fprintf(stderr, "usage: 05-events [-n N] INTERFACE\n");
		return 2;
	}
	if (ebpfnet_ctx_new(NULL, &ctx, &err) < 0)
		return fail(err);
	if (ebpfnet_object_open_file(ctx, "05-events.bpf.o", NULL, &obj, &err) < 0 ||
	    ebpfnet_object_set_const(obj, "sample_every", &every, sizeof(every), &err) < 0 ||
	    ebpfnet_object_load(obj, &err) < 0)
		ret = fail(err);
	else
		ret = run(obj, (int)if_nametoindex(argv[optind]));
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	return ret;
}
