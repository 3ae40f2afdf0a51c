// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What the library does not attach itself: fentry, fexit and freplace. Their programs load from the
 * same object on every kernel, their links are adopted, told, pinned and given back, and each is
 * seen to work. Some kernels (locked down, or by their maker's policy) refuse them even to root.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"

#define IPV4_HEADER 20
#define UDP_HEADER 8
#define PACKETS 40u
#define PAYLOAD 100u

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_error *err;
static char pin[96];

static uint64_t seen(struct ebpfnet_object *obj, uint32_t slot)
{
	struct ebpfnet_map *map;
	uint64_t n;

	ASSERT_OK(ebpfnet_object_map(obj, "seen", &map, &err), err);
	ck_assert_int_eq(bpf_map_lookup_elem(ebpfnet_map_fd(map), &slot, &n), 0);
	return n;
}

static struct ebpfnet_program *program(struct ebpfnet_object *obj, const char *name)
{
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(obj, name, &prog, &err), err);
	return prog;
}

/* A namespace with nothing but a loopback device; the process stays in it. */
static uint32_t own_netns(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	struct stat st;
	int s;

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(ioctl(s, SIOCSIFFLAGS, &ifr), 0);
	close(s);
	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &st), 0);
	return (uint32_t)st.st_ino;
}

static void go_home(int home)
{
	ck_assert_int_eq(setns(home, CLONE_NEWNET), 0);
	close(home);
}

/* PACKETS datagrams over the loopback device, each of them received. */
static void send_packets(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int to = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char payload[PAYLOAD] = { 0 };
	socklen_t len = sizeof(addr);

	ck_assert_int_eq(bind(to, (void *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(getsockname(to, (void *)&addr, &len), 0);
	for (unsigned int i = 0; i < PACKETS; i++) {
		ck_assert_int_eq(sendto(from, payload, PAYLOAD, 0, (void *)&addr, len), PAYLOAD);
		ck_assert_int_eq(recv(to, payload, PAYLOAD, 0), PAYLOAD);
	}
	close(to);
	close(from);
}

/* The object with just these programs; NULL when the kernel does not let them in. */
static struct ebpfnet_object *load_only(const char *name, const char *also, uint32_t netns)
{
	static const char *const all[] = { "at_entry", "at_exit", "with_function" };
	struct ebpfnet_object *obj;
	int ret;

	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("trace"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_set_const(obj, "own_netns", &netns, sizeof(netns), &err), err);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		bool yes = !strcmp(all[i], name) || (also && !strcmp(all[i], also));

		ASSERT_OK(ebpfnet_object_set_program_enabled(obj, all[i], yes, &err), err);
	}
	ret = ebpfnet_object_load(obj, &err);
	if (ret == -EPERM) {
		ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_PERMISSION);
		ebpfnet_error_free(err);
		err = NULL;
		ebpfnet_object_close(obj);
		return NULL;
	}
	ASSERT_OK(ret, err);
	return obj;
}

/* Takes the fd over; what is told must be what was attached. */
static struct ebpfnet_link *adopt(int fd, const struct ebpfnet_program *prog)
{
	struct ebpfnet_program_info want = { .sz = sizeof(want) };
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	struct ebpfnet_link *link;

	ck_assert_int_ge(fd, 0);
	ASSERT_OK(ebpfnet_link_open_fd(ctx, fd, &link, &err), err);
	close(fd);
	ASSERT_OK(ebpfnet_program_info(prog, &want, &err), err);
	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	ck_assert_uint_eq(info.kind, EBPFNET_LINK_OTHER);
	ck_assert_uint_eq(info.via, EBPFNET_VIA_LINK);
	ck_assert_uint_eq(info.program_id, want.id);
	return link;
}

START_TEST(functions_of_the_kernel)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct ebpfnet_object *obj = load_only("at_entry", "at_exit", own_netns());
	struct ebpfnet_link *entry, *exit_link;
	uint64_t before = 0;

	if (!obj) {
		go_home(home);
		test_way("fentry and fexit", "refused");
		TEST_SKIP_CASE("this kernel refuses tracing programs");
	}
	entry = adopt(bpf_link_create(ebpfnet_program_fd(program(obj, "at_entry")), 0,
				      BPF_TRACE_FENTRY, NULL),
		      program(obj, "at_entry"));
	exit_link = adopt(bpf_link_create(ebpfnet_program_fd(program(obj, "at_exit")), 0,
					  BPF_TRACE_FEXIT, NULL),
			  program(obj, "at_exit"));
	send_packets();
	ck_assert_uint_eq(seen(obj, 0), PACKETS);
	ck_assert_uint_eq(seen(obj, 1), PACKETS * (IPV4_HEADER + UDP_HEADER + PAYLOAD));
	ck_assert_uint_eq(seen(obj, 2), PACKETS);

	/* The pin holds it, the closed handle does not. */
	ASSERT_OK(ebpfnet_link_pin(entry, pin, &err), err);
	ebpfnet_link_close(entry);
	ebpfnet_link_close(exit_link);
	send_packets();
	ck_assert_uint_eq(seen(obj, 0), 2 * PACKETS);
	ck_assert_uint_eq(seen(obj, 2), PACKETS);
	ASSERT_OK(ebpfnet_link_open_pinned(ctx, pin, NULL, &entry, &err), err);
	ASSERT_OK(ebpfnet_link_unpin(entry, &err), err);
	ebpfnet_link_close(entry);
	/* The kernel lets go of what a removed pin held after an RCU grace period. */
	for (int i = 0; i < 100; i++) {
		before = seen(obj, 0);
		send_packets();
		if (seen(obj, 0) == before)
			break;
		usleep(20000);
	}
	ck_assert_uint_eq(seen(obj, 0), before);
	ebpfnet_object_close(obj);
	go_home(home);
	test_way("fentry and fexit", "works");
}
END_TEST

static uint32_t verdict(const struct ebpfnet_program *prog)
{
	struct ebpfnet_program_run run = { .sz = sizeof(run) };
	uint8_t packet[64] = { 0 };

	run.data_in = packet;
	run.data_in_size = sizeof(packet);
	ASSERT_OK(ebpfnet_program_run(prog, &run, &err), err);
	return run.retval;
}

START_TEST(a_function_of_a_program)
{
	struct ebpfnet_object *obj = load_only("with_function", NULL, 0);
	struct bpf_object *extension = bpf_object__open_file(test_object("trace_ext"), NULL);
	struct ebpfnet_program *target, *mine;
	struct bpf_program *replacement;
	struct ebpfnet_link *link;
	int ret, fd;

	ck_assert_ptr_nonnull(obj);
	ck_assert_ptr_nonnull(extension);
	target = program(obj, "with_function");
	ck_assert_uint_eq(verdict(target), XDP_DROP);
	replacement = bpf_object__next_program(extension, NULL);
	ck_assert_int_eq(bpf_program__set_attach_target(replacement, ebpfnet_program_fd(target),
							"replaceable"),
			 0);
	ret = bpf_object__load(extension);
	if (ret == -EPERM) {
		bpf_object__close(extension);
		ebpfnet_object_close(obj);
		test_way("freplace", "refused");
		TEST_SKIP_CASE("this kernel refuses extension programs");
	}
	ck_assert_int_eq(ret, 0);
	ASSERT_OK(ebpfnet_program_open_fd(ctx, bpf_program__fd(replacement), &mine, &err), err);
	/* No target: the one that it was loaded for. */
	fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(replacement));
	link = adopt(fd, mine);
	ck_assert_uint_eq(verdict(target), XDP_TX);
	ebpfnet_link_close(link);
	ck_assert_uint_eq(verdict(target), XDP_DROP);
	ebpfnet_program_close(mine);
	bpf_object__close(extension);
	ebpfnet_object_close(obj);
	test_way("freplace", "works");
}
END_TEST

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
}

static void end(void)
{
	ebpfnet_ctx_unref(ctx);
}

int main(void)
{
	const TTest *const tests[] = { functions_of_the_kernel, a_function_of_a_program };
	int ret;

	test_need_root();
	test_need_bpffs();
	snprintf(pin, sizeof(pin), "/sys/fs/bpf/ebpfnet/test-%d/fentry", getpid());
	ret = test_run(
		test_suite_around("trace", tests, sizeof(tests) / sizeof(*tests), 60, begin, end));
	test_shell("rm -rf /sys/fs/bpf/ebpfnet/test-%d", getpid());
	return ret;
}
