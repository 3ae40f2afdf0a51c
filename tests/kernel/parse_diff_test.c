// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The parser in the kernel against the parser on the host: generated packets, damaged packets, and
 * the truncations of each, at every hook; the two results must be the same byte for byte. Frames
 * that BPF_PROG_TEST_RUN cannot make (a lifted tag, bytes that are not linear) come through a tap
 * in pieces. Then copies of the parser with planted bugs must be found out, else the test proves
 * nothing.
 *
 * EBPFNET_TEST_OBJECTS is the folder of parse_diff.bpf.o and parse_plant[123].bpf.o;
 * EBPFNET_TEST_SEED the seed.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <ebpfnet/bpf/parse.h>

#include "packets.h"

#define SKIP 77
#define PACKETS 300
#define PACKETS_QUICK 40  /* on an emulated processor; a planted bug is looked for with all */
#define WALK_LIMIT 300000 /* instructions that the verifier may walk for one program */
#define PLANTS 3

/* The same struct is in parse_diff.bpf.c. */
struct diff_result {
	struct ebpfnet_pkt pkt;
	__u32 linear;
	__u32 ran;
};

enum hook { XDP, XDP_FRAGS, TC, CGROUP };

static const struct program {
	const char *name;
	enum hook hook;
	int major, minor; /* of the first kernel that takes it */
} programs[] = {
	{ "diff_xdp", XDP, 5, 10 },	   { "diff_xdp_stack", XDP, 5, 10 },
	{ "diff_xdp_global", XDP, 5, 12 }, { "diff_xdp_frags", XDP_FRAGS, 5, 18 },
	{ "diff_tc", TC, 5, 10 },	   { "diff_tc_stack", TC, 5, 10 },
	{ "diff_tc_global", TC, 5, 12 },   { "diff_cgroup", CGROUP, 5, 10 },
};

#define PROGRAMS (sizeof(programs) / sizeof(*programs))

struct loaded {
	const struct program *program;
	struct bpf_object *object;
	int fd, result_fd;
	unsigned long runs, refused, split;
};

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static const char *object_path(const char *name)
{
	static char path[512];
	const char *folder = getenv("EBPFNET_TEST_OBJECTS");

	snprintf(path, sizeof(path), "%s/%s.bpf.o", folder ? folder : ".", name);
	return path;
}

static bool too_old(const struct program *program)
{
	struct utsname kernel;
	int major = 0, minor = 0;

	uname(&kernel);
	sscanf(kernel.release, "%d.%d", &major, &minor);
	return major < program->major || (major == program->major && minor < program->minor);
}

/* What the verifier had to walk, from the line of statistics that every kernel since 5.2 writes. */
static long walked(const char *log)
{
	const char *line = strstr(log, "processed ");

	return line ? strtol(line + strlen("processed "), NULL, 10) : -1;
}

static int load_program(const char *path, const struct program *program, struct loaded *l)
{
	static char log[1 << 20];
	struct bpf_program *p;
	long walk;

	memset(l, 0, sizeof(*l));
	l->program = program;
	l->object = bpf_object__open(path);
	if (!l->object) {
		printf("FAIL: %s: %s\n", path, strerror(errno));
		return -1;
	}
	bpf_object__for_each_program(p, l->object)
		bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), program->name));
	p = bpf_object__find_program_by_name(l->object, program->name);
	bpf_program__set_log_level(p, 4);
	bpf_program__set_log_buf(p, log, sizeof(log));
	if (bpf_object__load(l->object)) {
		printf("FAIL: %s does not load: %s\n%.2000s\n", program->name, strerror(errno),
		       log);
		bpf_object__close(l->object);
		return -1;
	}
	l->fd = bpf_program__fd(p);
	l->result_fd = bpf_map__fd(bpf_object__find_map_by_name(l->object, "result"));
	walk = walked(log);
	printf("walked\t%s\t%ld\n", program->name, walk);
	if (walk < 0 || walk > WALK_LIMIT) {
		printf("FAIL: %s: the verifier walks %ld instructions, the limit is %d\n",
		       program->name, walk, WALK_LIMIT);
		bpf_object__close(l->object);
		return -1;
	}
	return 0;
}

/* ---- What the host says. ---- */

/* The ethertype that the kernel gives an skb, which is not the one in the frame when that is a
 * length. */
static uint16_t skb_protocol(const uint8_t *data, uint32_t len)
{
	uint16_t type = data[12] << 8 | data[13];

	if (type >= 0x600)
		return type;
	return len >= 16 && data[14] == 0xff && data[15] == 0xff ? 1 : 4;
}

static void parse_on_host(enum hook hook, const uint8_t *data, uint32_t len,
			  struct ebpfnet_pkt *pkt)
{
	struct ebpfnet_bytes b = { .data = data, .linear = len, .len = len, .has_l2 = 1 };

	if (hook == CGROUP) {
		b.has_l2 = 0;
		b.ethertype = skb_protocol(data, len);
		b.data += 14;
		b.len = b.linear = len - 14;
	}
	ebpfnet_parse_bytes(&b, pkt, EBPFNET_PARSE_L4);
}

static void dump(const char *what, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	printf("%s", what);
	for (size_t i = 0; i < n; i++)
		printf("%s%02x", i % 32 ? " " : "\n  ", p[i]);
	printf("\n");
}

static bool same(const struct ebpfnet_pkt *kernel, const struct ebpfnet_pkt *host)
{
	return !memcmp(kernel, host, sizeof(*host));
}

static void print_difference(const char *name, const uint8_t *data, uint32_t len,
			     const struct ebpfnet_pkt *kernel, const struct ebpfnet_pkt *host)
{
	const uint8_t *a = (const uint8_t *)kernel, *b = (const uint8_t *)host;
	size_t at = 0;

	while (at < sizeof(*host) && a[at] == b[at])
		at++;
	printf("FAIL: %s: the results differ from byte %zu on; kernel: %s; host: %s\n", name, at,
	       ebpfnet_parse_reason_text(kernel->reason), ebpfnet_parse_reason_text(host->reason));
	dump("packet", data, len);
	dump("kernel", kernel, sizeof(*kernel));
	dump("host", host, sizeof(*host));
}

/* ---- BPF_PROG_TEST_RUN. ---- */

/* Frames that the kernel refuses to make an skb of: without or with less than an IP header,
 * depending on its age. */
static bool may_be_refused(enum hook hook, const uint8_t *data, uint32_t len)
{
	uint16_t type = data[12] << 8 | data[13];

	if (hook == XDP || hook == XDP_FRAGS)
		return false;
	return len == 14 || (type == 0x0800 && len < 34) || (type == 0x86dd && len < 54);
}

/* 0 same, 1 different, -1 the test itself failed. linear is for XDP_FRAGS, 0: as the kernel likes.
 */
static int diff_one(struct loaded *l, const uint8_t *data, uint32_t len, uint32_t linear, bool tell)
{
	struct xdp_md ctx = { .data_end = linear };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = len, .repeat = 1);
	struct diff_result r;
	struct ebpfnet_pkt host;
	__u32 zero = 0;
	int err;

	if (linear) {
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	err = bpf_prog_test_run_opts(l->fd, &opts);
	if (err == -EINVAL && may_be_refused(l->program->hook, data, len)) {
		l->refused++;
		return 0;
	}
	if (err || bpf_map_lookup_elem(l->result_fd, &zero, &r)) {
		printf("FAIL: %s: %u bytes: %s\n", l->program->name, len, strerror(errno));
		return -1;
	}
	l->runs++;
	l->split += l->program->hook == XDP_FRAGS && r.linear < len;
	parse_on_host(l->program->hook, data, len, &host);
	if (same(&r.pkt, &host))
		return 0;
	if (tell)
		print_difference(l->program->name, data, len, &r.pkt, &host);
	return 1;
}

/* Whether this kernel lets a test run say how much of a packet is in the first buffer (6.18). */
static bool can_split(struct loaded *l)
{
	uint8_t data[200] = { [12] = 0x08, [13] = 0x06 };
	struct xdp_md ctx = { .data_end = 100 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = sizeof(data),
		    .repeat = 1, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	return l->program->hook == XDP_FRAGS && !bpf_prog_test_run_opts(l->fd, &opts);
}

static int diff_truncations(struct loaded *l, struct packet_rng *rng, const struct packet *p,
			    bool split, bool tell)
{
	/* Every length while headers are cut, then a few. */
	uint32_t dense = p->payload_off + 24;
	int err = 0;

	for (uint32_t len = 14; len <= p->len && !err; len += len < dense ? 1 : 97) {
		err = diff_one(l, p->data, len, 0, tell);
		if (!err && split && len > 15)
			err = diff_one(l, p->data, len, 14 + packet_rand(rng, len - 14), tell);
	}
	return err ? err : diff_one(l, p->data, p->len, 0, tell);
}

/* Headers that are longer than the first buffer of any kernel. */
static int diff_long(struct loaded *l)
{
	struct packet_spec spec = { .l3 = PACKET_IP6, .l4 = PACKET_UDP, .sport = 7, .dport = 9 };
	static struct packet p;

	for (spec.exts = 0; spec.exts < 8; spec.exts++)
		spec.ext[spec.exts] = (struct packet_ext) { PACKET_DESTINATION, 255 };
	packet_build(&spec, &p);
	return diff_one(l, p.data, p.len, 0, true);
}

static int packets(void)
{
	const char *quick = getenv("EBPFNET_TEST_QUICK");

	return quick && *quick ? PACKETS_QUICK : PACKETS;
}

static int diff_program(struct loaded *l, uint64_t seed, bool tell)
{
	struct packet_rng rng = { .state = seed };
	bool split = can_split(l);
	int err = 0, n = tell ? packets() : PACKETS;

	for (int i = 0; i < n && !err; i++) {
		struct packet_spec spec;
		static struct packet p;

		packet_random(&rng, &spec);
		if (!packet_build(&spec, &p))
			return -1;
		err = diff_truncations(l, &rng, &p, split, tell);
		packet_damage(&rng, &p);
		err = err ? err : diff_truncations(l, &rng, &p, split, tell);
		if (err && tell)
			printf("packet %d of seed %llu\n", i, (unsigned long long)seed);
	}
	if (!err && l->program->hook == XDP_FRAGS)
		err = diff_long(l);
	return err;
}

/* ---- A tap: frames that arrive in pieces, and tags that the kernel lifts out. ---- */

static int tap_open(int *ifindex)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_NAPI | IFF_NAPI_FRAGS };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || s < 0 || ioctl(fd, TUNSETIFF, &ifr))
		goto fail;
	*ifindex = (int)if_nametoindex(ifr.ifr_name);
	ifr.ifr_flags = IFF_UP;
	if (ioctl(s, SIOCSIFFLAGS, &ifr))
		goto fail;
	close(s);
	return fd;
fail:
	if (fd >= 0)
		close(fd);
	if (s >= 0)
		close(s);
	return -1;
}

static int tap_attach(struct loaded *l, int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = l->fd);

	return bpf_tc_hook_create(&hook) || bpf_tc_attach(&hook, &opts) ? -1 : 0;
}

/* The frame as tc has it: the outermost tag is in the descriptor. */
static void parse_lifted(const struct packet *p, struct ebpfnet_pkt *pkt)
{
	struct ebpfnet_bytes b = { .data = p->data, .linear = p->len, .len = p->len, .has_l2 = 1 };
	uint16_t type = p->data[12] << 8 | p->data[13];
	static uint8_t frame[PACKET_SIZE];

	if (type == 0x8100 || type == 0x88a8) {
		memcpy(frame, p->data, 12);
		memcpy(frame + 12, p->data + 16, p->len - 16);
		b.data = frame;
		b.len = b.linear = p->len - 4;
		b.has_tag = 1;
		b.tag_proto = type;
		b.tag_tci = p->data[14] << 8 | p->data[15];
	}
	ebpfnet_parse_bytes(&b, pkt, EBPFNET_PARSE_L4);
}

/* The frame in two or three pieces, of which the first has at bytes. 1: the kernel did not take it.
 */
static int tap_send(int fd, const struct packet *p, uint32_t at, uint32_t second)
{
	uint8_t *data = (uint8_t *)p->data;
	struct iovec iov[3] = { { data, at },
				{ data + at, second },
				{ data + at + second, p->len - at - second } };

	if (!second || at + second == p->len) {
		iov[1].iov_len = p->len - at;
		return writev(fd, iov, 2) != (ssize_t)p->len;
	}
	return writev(fd, iov, 3) != (ssize_t)p->len;
}

static int tap_frames(struct loaded *l, int fd, uint64_t seed, unsigned long *nonlinear)
{
	struct packet_rng rng = { .state = seed };
	static struct packet p;

	for (int i = 0, n = packets(); i < n; i++) {
		struct packet_spec spec;
		struct ebpfnet_pkt host;

		packet_random(&rng, &spec);
		packet_build(&spec, &p);
		parse_lifted(&p, &host);
		/* The kernel wants the headers that the flow dissector knows of in the first piece.
		 */
		for (uint32_t at = 14; at < p.len && at < p.payload_off + 8u; at++) {
			struct diff_result r = { .ran = 0 };
			__u32 zero = 0;

			bpf_map_update_elem(l->result_fd, &zero, &r, BPF_ANY);
			if (tap_send(fd, &p, at, packet_rand(&rng, p.len - at)))
				continue;
			bpf_map_lookup_elem(l->result_fd, &zero, &r);
			if (!r.ran)
				continue;
			l->runs++;
			*nonlinear += r.linear <
				      host.wire_len - (host.flags & EBPFNET_PKT_LIFTED ? 4 : 0);
			if (same(&r.pkt, &host))
				continue;
			print_difference("tap", p.data, p.len, &r.pkt, &host);
			printf("packet %d of seed %llu, first piece %u bytes, %u linear\n", i,
			       (unsigned long long)seed, at, r.linear);
			return -1;
		}
	}
	return 0;
}

static int diff_tap(struct loaded *l, uint64_t seed)
{
	unsigned long nonlinear = 0;
	int ifindex, fd, err;

	l->runs = 0;
	if (unshare(CLONE_NEWNET) || (fd = tap_open(&ifindex)) < 0) {
		printf("SKIPPED diff_tap: this kernel has no tap with IFF_NAPI_FRAGS: %s\n",
		       strerror(errno));
		return 0;
	}
	if (tap_attach(l, ifindex)) {
		printf("SKIPPED diff_tap: cls_bpf does not attach: %s\n", strerror(errno));
		close(fd);
		return 0;
	}
	err = tap_frames(l, fd, seed, &nonlinear);
	close(fd);
	printf("tap: %lu frames, %lu of them not linear\n", l->runs, nonlinear);
	if (!err && !nonlinear) {
		printf("FAIL: no frame was in pieces, so nothing was compared\n");
		err = -1;
	}
	return err;
}

/* ---- All of it. ---- */

static int compare_all(uint64_t seed)
{
	int failed = 0;

	for (size_t i = 0; i < PROGRAMS; i++) {
		struct loaded l;

		if (too_old(&programs[i])) {
			printf("SKIPPED %s: needs Linux %d.%d\n", programs[i].name,
			       programs[i].major, programs[i].minor);
			continue;
		}
		if (load_program(object_path("parse_diff"), &programs[i], &l)) {
			failed++;
			continue;
		}
		if (diff_program(&l, seed, true))
			failed++;
		printf("%s: %lu runs, %lu frames refused by the kernel", programs[i].name, l.runs,
		       l.refused);
		printf(programs[i].hook == XDP_FRAGS ? ", %lu in fragments\n" : "\n", l.split);
		if (programs[i].hook == TC && !strcmp(programs[i].name, "diff_tc") &&
		    diff_tap(&l, seed))
			failed++;
		bpf_object__close(l.object);
	}
	return failed;
}

/* Each planted bug must show up at XDP and at tc. */
static int find_plants(uint64_t seed)
{
	int failed = 0;

	for (int plant = 1; plant <= PLANTS; plant++) {
		char name[32];

		snprintf(name, sizeof(name), "parse_plant%d", plant);
		for (size_t i = 0; i < PROGRAMS; i++) {
			struct loaded l;

			if (strcmp(programs[i].name, "diff_xdp") &&
			    strcmp(programs[i].name, "diff_tc"))
				continue;
			if (load_program(object_path(name), &programs[i], &l)) {
				failed++;
				continue;
			}
			if (diff_program(&l, seed, false) != 1) {
				printf("FAIL: %s at %s: the planted bug was not found\n", name,
				       programs[i].name);
				failed++;
			} else {
				printf("%s at %s: found after %lu runs\n", name, programs[i].name,
				       l.runs);
			}
			bpf_object__close(l.object);
		}
	}
	return failed;
}

int main(void)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	const char *text = getenv("EBPFNET_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : 1;
	int failed;

	if (geteuid()) {
		printf("SKIP: needs root\n");
		return SKIP;
	}
	setrlimit(RLIMIT_MEMLOCK, &all);
	libbpf_set_print(quiet);
	printf("seed %llu\n", (unsigned long long)seed);
	failed = compare_all(seed) + find_plants(seed);
	if (!failed)
		printf("parse: kernel and host agree\n");
	return failed ? 1 : 0;
}
