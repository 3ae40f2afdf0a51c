// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "live.h"

#include <bpf/bpf.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cost.h"
#include "helpers.h"

void live_open(struct live *live, int send_fd)
{
	memset(live, 0, sizeof(*live));
	live->send_fd = send_fd;
	test_net_open(&live->net, 1);
	/* Else the kernel announces itself to multicast routers, and a count is one too many. */
	ck_assert_int_eq(test_shell("for n in %s %s; do ip netns exec $n sh -c 'echo 1 "
				    ">/proc/sys/net/ipv6/conf/v0/disable_ipv6'; done",
				    live->net.near, live->net.far),
			 0);
}

void live_close(struct live *live)
{
	test_net_close(&live->net);
}

static int ethtool(int fd, void *command)
{
	struct ifreq req = { .ifr_name = "v0", .ifr_data = command };

	return ioctl(fd, SIOCETHTOOL, &req) < 0 ? -errno : 0;
}

/* The driver's statistics whose names end so, all queues together. */
static int sum_of(int fd, const char *suffix, uint64_t *sum)
{
	/* struct ethtool_sset_info with room for one number behind it. */
	uint64_t room[3] = { 0 };
	struct ethtool_sset_info *sset = (struct ethtool_sset_info *)room;
	struct ethtool_gstrings *names;
	struct ethtool_stats *stats;
	size_t length = strlen(suffix);
	uint32_t count;
	int ret;

	sset->cmd = ETHTOOL_GSSET_INFO;
	sset->sset_mask = 1ull << ETH_SS_STATS;
	ret = ethtool(fd, sset);
	count = sset->data[0];
	*sum = 0;
	if (ret)
		return ret;
	names = calloc(1, sizeof(*names) + (size_t)count * ETH_GSTRING_LEN);
	stats = calloc(1, sizeof(*stats) + count * sizeof(uint64_t));
	ck_assert(names && stats);
	*names = (struct ethtool_gstrings) { ETHTOOL_GSTRINGS, ETH_SS_STATS, count };
	*stats = (struct ethtool_stats) { ETHTOOL_GSTATS, count };
	ret = ethtool(fd, names);
	if (!ret)
		ret = ethtool(fd, stats);
	for (uint32_t i = 0; !ret && i < count; i++) {
		const char *name = (const char *)names->data + i * ETH_GSTRING_LEN;
		size_t n = strnlen(name, ETH_GSTRING_LEN);

		if (n >= length && !memcmp(name + n - length, suffix, length))
			*sum += stats->data[i];
	}
	free(names);
	free(stats);
	return ret;
}

struct account {
	uint64_t received, dropped;
};

static int socket_in(int ns)
{
	int fd;

	test_net_enter(ns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Near says what the wire refused, far what its program was run on. */
static int read_account(int near, int far, struct account *a)
{
	int ret = sum_of(far, "_xdp_packets", &a->received);

	return ret ? ret : sum_of(near, "_xdp_xmit_errors", &a->dropped);
}

static int send_frames(const struct live *live, uint32_t n)
{
	uint8_t frame[128];
	struct xdp_md ctx = { .ingress_ifindex = (uint32_t)live->net.near_if };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = (int)n,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64);

	opts.data_size_in = cost_packet(frame, sizeof(frame), COST_IP4, 0);
	ctx.data_end = opts.data_size_in;
	return bpf_prog_test_run_opts(live->send_fd, &opts) < 0 ? -errno : 0;
}

/* Looks at what has arrived about every 50 us, from another CPU than the sender's. */
struct watch {
	pthread_t thread;
	atomic_bool stop;
	int fd;		 /* /proc/net/dev of the receiver's namespace */
	uint64_t before; /* arrived before the run */
	uint64_t first, first_ns, last, last_ns;
};

/* Packets that v0 received: the second number of its line. No lock of the kernel's is taken. */
static uint64_t arrived(int fd)
{
	char text[4096], *line;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	unsigned long long bytes, packets = 0;

	text[n > 0 ? n : 0] = '\0';
	line = strstr(text, "v0:");
	if (line && sscanf(line, "v0: %llu %llu", &bytes, &packets) == 2)
		return packets;
	return 0;
}

static void look(struct watch *w)
{
	uint64_t n = arrived(w->fd), now = bench_now();

	if (n == w->before || n == w->last)
		return;
	if (!w->first) {
		w->first = n;
		w->first_ns = now;
	}
	w->last = n;
	w->last_ns = now;
}

static void *watch(void *data)
{
	struct watch *w = data;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	while (!atomic_load(&w->stop)) {
		look(w);
		usleep(50);
	}
	return NULL;
}

static void watch_begin(struct watch *w, const struct live *live)
{
	memset(w, 0, sizeof(*w));
	test_net_enter(live->net.far_fd);
	w->fd = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
	test_net_enter(live->net.near_fd);
	ck_assert_int_ge(w->fd, 0);
	w->before = arrived(w->fd);
	ck_assert_int_eq(pthread_create(&w->thread, NULL, watch, w), 0);
}

static double watch_end(struct watch *w)
{
	atomic_store(&w->stop, true);
	pthread_join(w->thread, NULL);
	look(w);
	close(w->fd);
	if (w->last_ns == w->first_ns)
		return 0;
	return (double)(w->last - w->first) * 1000 / (double)(w->last_ns - w->first_ns);
}

/* The receiver runs behind the sender: up to a fifth of a second for the last frames. */
static int wait_for_all(const struct live *live, int near, int far, const struct account *before,
			struct live_result *r)
{
	uint64_t began = bench_now();
	struct account now;
	int ret;

	do {
		ret = read_account(near, far, &now);
		if (ret)
			return ret;
		r->received = now.received - before->received;
		r->dropped = now.dropped - before->dropped;
	} while (r->received + r->dropped < r->sent && bench_now() - began < 200000000);
	r->received -= live->lost;
	return r->received + r->dropped == r->sent ? 0 : -ENODATA;
}

int live_run(struct live *live, uint32_t n, struct live_result *r)
{
	int near = socket_in(live->net.near_fd), far = socket_in(live->net.far_fd), ret;
	struct account before;
	struct watch w;

	memset(r, 0, sizeof(*r));
	r->sent = n;
	watch_begin(&w, live);
	ret = read_account(near, far, &before);
	if (!ret)
		ret = send_frames(live, n);
	if (!ret)
		ret = wait_for_all(live, near, far, &before, r);
	r->mpps = watch_end(&w);
	test_net_enter(-1);
	close(near);
	close(far);
	if (!ret && r->mpps == 0)
		ret = -ENODATA; /* too few for a rate */
	return ret;
}
