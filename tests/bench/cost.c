// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "cost.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "packets.h"

static const uint32_t source_off[] = { [COST_IP4] = 14 + 12, [COST_IP6] = 14 + 8 + 12 };

uint32_t cost_packet(uint8_t *out, size_t size, enum cost_family family, uint32_t flow)
{
	struct packet_spec spec = { .l3 = family == COST_IP4 ? PACKET_IP4 : PACKET_IP6,
				    .l4 = PACKET_TCP,
				    .saddr = { 10 },
				    .daddr = { 10, 77, 0, 2 },
				    .sport = 1024,
				    .dport = 80,
				    .tcp_flags = 0x10 };
	static struct packet packet;

	if (!packet_build(&spec, &packet))
		return 0;
	if (packet.len < 60)
		packet.len = 60;
	if (packet.len > size)
		return 0;
	memcpy(out, packet.data, packet.len);
	memcpy(out + source_off[family], &flow, sizeof(flow));
	return packet.len;
}

struct frame {
	uint8_t data[128];
	uint32_t len;
	uint32_t off;
};

static struct frame frame_of(enum cost_family family)
{
	struct frame frame = { .off = source_off[family] };

	frame.len = cost_packet(frame.data, sizeof(frame.data), family, 0);
	return frame;
}

static int run_once(int fd, struct frame *frame, uint32_t flow)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data, .data_size_in = frame->len,
		    .repeat = 1);

	/* 10.x.y.z: as many addresses as there are flows, none of them special. */
	flow = __builtin_bswap32(0x0a000000 + (flow & 0xffffff));
	memcpy(frame->data + frame->off, &flow, sizeof(flow));
	return bpf_prog_test_run_opts(fd, &opts) < 0 ? -errno : 0;
}

static int read_stats(int fd, uint64_t *ns, uint64_t *count)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	*ns = info.run_time_ns;
	*count = info.run_cnt;
	return 0;
}

static enum cost_family family_of(const struct cost_run *run, const struct cost_program *program)
{
	return program->family ? program->family : run->family;
}

/* Mean time of one run, over packets whose flows the seed decides. */
static int one_round(const struct cost_run *run, int fd, enum cost_family family, uint64_t seed,
		     double *ns)
{
	struct frame frame = frame_of(family);
	struct packet_rng rng = { seed };
	uint64_t t0 = 0, n0 = 0, t1 = 0, n1 = 0;
	int ret = read_stats(fd, &t0, &n0);

	for (uint32_t i = 0; !ret && i < run->packets; i++)
		ret = run_once(fd, &frame, packet_rand(&rng, run->flows));
	if (!ret)
		ret = read_stats(fd, &t1, &n1);
	if (ret)
		return ret;
	if (n1 - n0 != run->packets)
		return -ENODATA; /* somebody else runs it, or statistics are off */
	*ns = (double)(t1 - t0) / (double)(n1 - n0);
	return 0;
}

static int warm_up(const struct cost_run *run, const struct cost_program *program)
{
	struct frame frame = frame_of(family_of(run, program));
	int ret = 0;

	for (uint32_t i = 0; !ret && i < run->flows; i++)
		ret = run_once(program->fd, &frame, i);
	return ret;
}

/* Programs of one type share their empty one: it runs once a round. */
static int measure_empty(const struct cost_run *run, const struct cost_program *programs, size_t i,
			 uint64_t seed, double *empty)
{
	for (size_t k = 0; k < i; k++) {
		if (programs[k].empty_fd == programs[i].empty_fd) {
			empty[i] = empty[k];
			return 0;
		}
	}
	return one_round(run, programs[i].empty_fd, run->family, seed, &empty[i]);
}

static int round_of_all(const struct cost_run *run, struct cost_program *programs, size_t n,
			size_t round)
{
	double ns[COST_PROGRAMS], empty[COST_PROGRAMS];
	uint64_t seed = 0x9e3779b97f4a7c15ull * (round + 1);
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++)
		ret = measure_empty(run, programs, i, seed, empty);
	/* There and back, so that being first helps nobody. */
	for (size_t i = 0; !ret && i < n; i++) {
		size_t k = round % 2 ? n - 1 - i : i;

		ret = one_round(run, programs[k].fd, family_of(run, &programs[k]), seed, &ns[k]);
	}
	for (size_t i = 0; !ret && i < n; i++)
		bench_add(&programs[i].ns, ns[i] - empty[i]);
	return ret;
}

int cost_measure(const struct cost_run *run, struct cost_program *programs, size_t n)
{
	int stats, ret = 0;

	if (n > COST_PROGRAMS)
		return -E2BIG;
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (stats < 0)
		return -errno;
	for (size_t i = 0; !ret && i < n; i++)
		ret = warm_up(run, &programs[i]);
	for (size_t round = 0; !ret && round < run->rounds; round++)
		ret = round_of_all(run, programs, n, round);
	close(stats);
	return ret;
}
