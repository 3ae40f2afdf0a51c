// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Filters of a socket, which drop and trim: what arrives is compared byte for byte, and the count
 * with what was sent. The life and the refusals of all programs of sockets.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers.h"
#include "kernel/sockmap_fixture.h"
#include "sockets.h"

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_error *err;
static struct ebpfnet_program *filter, *trim, *reuseport, *msg;

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("sockmap"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "filter", &filter, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "filter_other", &trim, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "reuseport", &reuseport, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "msg_verdict", &msg, &err), err);
}

static void end(void)
{
	ebpfnet_object_close(obj);
	obj = NULL;
	ebpfnet_ctx_unref(ctx);
}

static int fd_of(const char *name)
{
	struct ebpfnet_map *m;

	ASSERT_OK(ebpfnet_object_map(obj, name, &m, &err), err);
	return ebpfnet_map_fd(m);
}

static void decide(uint32_t slot, uint32_t action, uint32_t limit)
{
	struct sockmap_policy p = { .action = action, .limit = limit };

	ck_assert_int_eq(bpf_map_update_elem(fd_of("policy"), &slot, &p, BPF_ANY), 0);
}

static struct sockmap_count counted(uint32_t slot)
{
	struct sockmap_count n;

	ck_assert_int_eq(bpf_map_lookup_elem(fd_of("counts"), &slot, &n), 0);
	return n;
}

static struct ebpfnet_link_info info_of(const struct ebpfnet_link *link)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	return info;
}

static uint32_t id_of(const struct ebpfnet_program *prog)
{
	struct ebpfnet_program_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_program_info(prog, &info, &err), err);
	return info.id;
}

static struct ebpfnet_link *attach(struct ebpfnet_program *prog, int sock, uint32_t hook)
{
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_socket_opts, o);
	o.hook = hook;
	ASSERT_OK(ebpfnet_socket_attach(prog, sock, &o, &link, &err), err);
	return link;
}

/* The filter of a UDP socket sees the UDP header and what is behind it. */
START_TEST(test_filter_udp)
{
	for (int six = 0; six < 2; six++) {
		struct test_pair pair = test_pair_open(six ? AF_INET6 : AF_INET, SOCK_DGRAM);
		struct sockmap_count before = counted(SOCKMAP_FILTER);
		struct ebpfnet_link *link = attach(filter, pair.far, 0);

		decide(SOCKMAP_FILTER, SOCKMAP_PASS, 0);
		ck_assert_int_eq(test_send(pair.near, "pass"), 4);
		ck_assert(test_arrives(pair.far, "pass"));
		decide(SOCKMAP_FILTER, SOCKMAP_DROP, 0);
		for (int i = 0; i < 5; i++)
			ck_assert_int_eq(test_send(pair.near, "lost"), 4);
		ck_assert(test_silent(pair.far));
		ck_assert_uint_eq(counted(SOCKMAP_FILTER).runs, before.runs + 6);
		ck_assert_uint_eq(counted(SOCKMAP_FILTER).bytes, before.bytes + 6 * (8 + 4));
		ebpfnet_link_close(link);
		ck_assert_int_eq(test_send(pair.near, "free"), 4);
		ck_assert(test_arrives(pair.far, "free"));
		ck_assert_uint_eq(counted(SOCKMAP_FILTER).runs, before.runs + 6);
		/* Trimmed: the header and three bytes more are kept. */
		link = attach(trim, pair.far, EBPFNET_SOCKET_FILTER);
		decide(SOCKMAP_FILTER_OTHER, 0, 8 + 3);
		ck_assert_int_eq(test_send(pair.near, "trimmed"), 7);
		ck_assert(test_arrives(pair.far, "tri"));
		ck_assert(test_silent(pair.far));
		ebpfnet_link_close(link);
		test_pair_close(&pair);
	}
	test_way("socket filter", "works");
}
END_TEST

/* A TCP segment that the filter drops is sent again, and arrives when the filter has gone. */
START_TEST(test_filter_tcp)
{
	for (int six = 0; six < 2; six++) {
		struct test_pair pair = test_pair_open(six ? AF_INET6 : AF_INET, SOCK_STREAM);
		struct sockmap_count before = counted(SOCKMAP_FILTER);
		struct ebpfnet_link *link = attach(filter, pair.far, 0);

		decide(SOCKMAP_FILTER, SOCKMAP_DROP, 0);
		ck_assert_int_eq(test_send(pair.near, "late"), 4);
		ck_assert(test_silent(pair.far));
		ck_assert_uint_ge(counted(SOCKMAP_FILTER).runs, before.runs + 1);
		ebpfnet_link_close(link);
		ck_assert(test_arrives(pair.far, "late"));
		/* With a filter that passes every segment is counted: data of near, in one each. */
		decide(SOCKMAP_FILTER, SOCKMAP_PASS, 0);
		before = counted(SOCKMAP_FILTER);
		link = attach(filter, pair.far, 0);
		for (int i = 0; i < 4; i++) {
			ck_assert_int_eq(test_send(pair.near, "data"), 4);
			ck_assert(test_arrives(pair.far, "data"));
		}
		/* 20 bytes of header and 12 of timestamps before each; no segment without data. */
		ck_assert_uint_eq(counted(SOCKMAP_FILTER).runs, before.runs + 4);
		ck_assert_uint_eq(counted(SOCKMAP_FILTER).bytes, before.bytes + 4 * (32 + 4));
		ebpfnet_link_close(link);
		test_pair_close(&pair);
	}
}
END_TEST

static int packet_socket(void)
{
	int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll where = { .sll_family = AF_PACKET,
				     .sll_ifindex = (int)if_nametoindex("lo"),
				     .sll_protocol = htons(ETH_P_ALL) };

	ck_assert_int_ge(sock, 0);
	ck_assert_int_eq(bind(sock, (struct sockaddr *)&where, sizeof(where)), 0);
	return sock;
}

/* What a packet socket holds: frames and the bytes in them; it sees each loopback frame twice. */
static void drain(int sock, unsigned int *frames, unsigned int *bytes)
{
	struct pollfd ready = { .fd = sock, .events = POLLIN };
	char frame[2048];

	*frames = *bytes = 0;
	while (poll(&ready, 1, 50) == 1) {
		ssize_t n = recv(sock, frame, sizeof(frame), MSG_DONTWAIT);

		ck_assert_int_gt(n, 0);
		(*frames)++;
		*bytes += (unsigned int)n;
	}
}

START_TEST(test_filter_packet_socket)
{
	for (int six = 0; six < 2; six++) {
		struct test_pair pair = test_pair_open(six ? AF_INET6 : AF_INET, SOCK_DGRAM);
		unsigned int headers = 14 + (six ? 40 : 20) + 8, frames, bytes;
		struct sockmap_count before;
		struct ebpfnet_link *link;
		int tap = packet_socket();

		/* Trimmed to the Ethernet header and ten bytes. */
		decide(SOCKMAP_FILTER_OTHER, 0, 24);
		before = counted(SOCKMAP_FILTER_OTHER);
		link = attach(trim, tap, 0);
		drain(tap, &frames, &bytes);
		before = counted(SOCKMAP_FILTER_OTHER);
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(test_send(pair.near, "hello"), 5);
		drain(tap, &frames, &bytes);
		ck_assert_uint_eq(frames, 6);
		ck_assert_uint_eq(bytes, 6 * 24);
		ck_assert_uint_eq(counted(SOCKMAP_FILTER_OTHER).runs, before.runs + 6);
		ck_assert_uint_eq(counted(SOCKMAP_FILTER_OTHER).bytes,
				  before.bytes + 6 * (headers + 5));
		decide(SOCKMAP_FILTER_OTHER, 0, 0);
		ck_assert_int_eq(test_send(pair.near, "hello"), 5);
		drain(tap, &frames, &bytes);
		ck_assert_uint_eq(frames, 0);
		ebpfnet_link_close(link);
		ck_assert_int_eq(test_send(pair.near, "hello"), 5);
		drain(tap, &frames, &bytes);
		ck_assert_uint_eq(bytes, 2 * (headers + 5));
		close(tap);
		test_pair_close(&pair);
	}
}
END_TEST

/* A classic filter by byte: datagrams that begin with 'k' are kept, trimmed to 8 + 4. */
static const struct sock_filter keep_k[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'k', 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 8 + 4),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

START_TEST(test_classic_filter)
{
	for (int six = 0; six < 2; six++) {
		struct test_pair pair = test_pair_open(six ? AF_INET6 : AF_INET, SOCK_DGRAM);
		struct ebpfnet_link *link;

		ASSERT_OK(
			ebpfnet_socket_attach_classic(ctx, keep_k, 4, pair.far, NULL, &link, &err),
			err);
		ck_assert_uint_eq(info_of(link).kind, EBPFNET_LINK_SOCKET);
		ck_assert_uint_eq(info_of(link).program_id, 0);
		ck_assert_uint_eq(info_of(link).defunct, 0);
		ck_assert_int_eq(test_send(pair.near, "other"), 5);
		ck_assert_int_eq(test_send(pair.near, "keep it"), 7);
		ck_assert(test_arrives(pair.far, "keep"));
		ck_assert(test_silent(pair.far));
		/* From classic to a program in one step. */
		decide(SOCKMAP_FILTER, SOCKMAP_PASS, 0);
		ASSERT_OK(ebpfnet_link_update(link, filter, NULL, NULL, &err), err);
		ck_assert_uint_eq(info_of(link).program_id, id_of(filter));
		ck_assert_int_eq(test_send(pair.near, "other"), 5);
		ck_assert(test_arrives(pair.far, "other"));
		ebpfnet_link_close(link);
		test_pair_close(&pair);
	}
	test_way("socket filter classic", "works");
}
END_TEST

START_TEST(test_life)
{
	struct test_pair pair = test_pair_open(AF_INET, SOCK_DGRAM);
	struct ebpfnet_link *link = attach(filter, pair.far, 0);
	struct ebpfnet_program *old;

	EBPFNET_OPTS(ebpfnet_link_update_opts, u);
	decide(SOCKMAP_FILTER, SOCKMAP_DROP, 0);
	decide(SOCKMAP_FILTER_OTHER, 0, 100);
	ck_assert_uint_eq(info_of(link).kind, EBPFNET_LINK_SOCKET);
	ck_assert_uint_eq(info_of(link).via, EBPFNET_VIA_SETSOCKOPT);
	ck_assert_uint_eq(info_of(link).hook, EBPFNET_SOCKET_FILTER);
	ck_assert_uint_eq(info_of(link).program_id, id_of(filter));
	ck_assert_uint_eq(info_of(link).id, 0);
	ck_assert_int_eq(ebpfnet_link_fd(link), -EBADF);
	ASSERT_OK(ebpfnet_link_update(link, trim, NULL, NULL, &err), err);
	ck_assert_uint_eq(info_of(link).program_id, id_of(trim));
	ck_assert_int_eq(test_send(pair.near, "seen"), 4);
	ck_assert(test_arrives(pair.far, "seen"));
	u.expected = trim;
	ASSERT_FAILS(ebpfnet_link_update(link, filter, &u, NULL, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_NOT_SUPPORTED, "expected");
	ASSERT_FAILS(ebpfnet_link_update(link, filter, NULL, &old, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_NOT_SUPPORTED, "NULL for expected and for old");
	ASSERT_FAILS(ebpfnet_link_update(link, msg, NULL, NULL, &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "is no filter of a socket");
	ASSERT_FAILS(ebpfnet_link_update(link, reuseport, NULL, NULL, &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "is no filter of a socket");
	ASSERT_FAILS(ebpfnet_link_pin(link, "ebpfnet-test/socket", &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_NOT_SUPPORTED, "SCM_RIGHTS");
	ck_assert_uint_eq(info_of(link).pinned, 0);
	ck_assert_int_eq(test_send(pair.near, "seen"), 4);
	ck_assert(test_arrives(pair.far, "seen"));
	ASSERT_OK(ebpfnet_link_update(link, filter, NULL, NULL, &err), err);
	ck_assert_int_eq(test_send(pair.near, "lost"), 4);
	ck_assert(test_silent(pair.far));
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ck_assert_int_eq(test_send(pair.near, "seen"), 4);
	ck_assert(test_arrives(pair.far, "seen"));
	ebpfnet_link_close(link);
	test_pair_close(&pair);
}
END_TEST

/* The socket ends as it would without us, and its number may mean another one afterwards. */
START_TEST(test_socket_closed)
{
	struct test_pair pair = test_pair_open(AF_INET, SOCK_STREAM),
			 other = test_pair_open(AF_INET, SOCK_DGRAM);
	struct ebpfnet_link *link, *theirs;
	int number = pair.far;
	char byte;

	decide(SOCKMAP_FILTER, SOCKMAP_PASS, 0);
	link = attach(filter, pair.far, 0);
	close(pair.far);
	pair.far = -1;
	/* The peer sees the end at once: nothing held the socket. */
	ck_assert_int_eq(recv(pair.near, &byte, 1, 0), 0);
	ck_assert_uint_eq(info_of(link).defunct, 1);
	ASSERT_FAILS(ebpfnet_link_update(link, trim, NULL, NULL, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "the socket was closed");
	/* Another socket by the same number: its filter is not ours to take away. */
	ck_assert_int_eq(dup3(other.far, number, O_CLOEXEC), number);
	decide(SOCKMAP_FILTER, SOCKMAP_DROP, 0);
	theirs = attach(filter, number, 0);
	ASSERT_FAILS(ebpfnet_link_update(link, trim, NULL, NULL, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "the socket was closed");
	ebpfnet_link_close(link);
	ck_assert_int_eq(test_send(other.near, "lost"), 4);
	ck_assert(test_silent(other.far));
	ck_assert_uint_eq(info_of(theirs).defunct, 0);
	ebpfnet_link_close(theirs);
	ck_assert_int_eq(test_send(other.near, "seen"), 4);
	ck_assert(test_arrives(other.far, "seen"));
	close(number);
	test_pair_close(&other);
	test_pair_close(&pair);
}
END_TEST

START_TEST(test_socket_held)
{
	struct test_pair pair = test_pair_open(AF_INET, SOCK_STREAM);
	struct ebpfnet_link *link;
	char byte;
	int fds = test_open_fds();

	EBPFNET_OPTS(ebpfnet_socket_opts, o);
	o.hold = 1;
	ASSERT_OK(ebpfnet_socket_attach(filter, pair.far, &o, &link, &err), err);
	close(pair.far);
	pair.far = -1;
	ck_assert_int_eq(recv(pair.near, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_uint_eq(info_of(link).defunct, 0);
	ebpfnet_link_close(link);
	ck_assert_int_eq(recv(pair.near, &byte, 1, 0), 0);
	ck_assert_int_eq(test_open_fds(), fds - 1);
	test_pair_close(&pair);
}
END_TEST

/* Without a handle the program stays for as long as the socket lives. */
START_TEST(test_without_a_link)
{
	struct test_pair pair = test_pair_open(AF_INET, SOCK_DGRAM);
	int zero = 0;

	decide(SOCKMAP_FILTER, SOCKMAP_DROP, 0);
	ASSERT_OK(ebpfnet_socket_attach(filter, pair.far, NULL, NULL, &err), err);
	ck_assert_int_eq(test_send(pair.near, "lost"), 4);
	ck_assert(test_silent(pair.far));
	ck_assert_int_eq(setsockopt(pair.far, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof(zero)),
			 0);
	ck_assert_int_eq(test_send(pair.near, "seen"), 4);
	ck_assert(test_arrives(pair.far, "seen"));
	test_pair_close(&pair);
}
END_TEST

static struct ebpfnet_link *parents_link;
static int parents_sock;

static int child_closes(void *data)
{
	struct ebpfnet_error *e = NULL;

	(void)data;
	CHILD_NEEDS(ebpfnet_link_detach(parents_link, &e) == -EPERM);
	ebpfnet_error_free(e);
	ebpfnet_link_close(parents_link);
	close(parents_sock);
	return 0;
}

static int child_attaches_and_dies(void *data)
{
	struct ebpfnet_link *link;

	(void)data;
	CHILD_NEEDS(ebpfnet_socket_attach(filter, parents_sock, NULL, &link, NULL) == 0);
	abort();
}

START_TEST(test_fork_and_kill)
{
	struct test_pair pair = test_pair_open(AF_INET, SOCK_DGRAM);

	decide(SOCKMAP_FILTER, SOCKMAP_DROP, 0);
	parents_sock = pair.far;
	parents_link = attach(filter, pair.far, 0);
	ck_assert_int_eq(test_in_child(child_closes, NULL), 0);
	ck_assert_int_eq(test_send(pair.near, "lost"), 4);
	ck_assert(test_silent(pair.far));
	ebpfnet_link_close(parents_link);
	/* The socket outlives the process that attached, and so does the program. */
	ck_assert_int_ne(test_in_child(child_attaches_and_dies, NULL), 0);
	ck_assert_int_eq(test_send(pair.near, "lost"), 4);
	ck_assert(test_silent(pair.far));
	test_pair_close(&pair);
}
END_TEST

START_TEST(test_refusals)
{
	struct test_pair pair = test_pair_open(AF_INET, SOCK_DGRAM);
	static const struct sock_filter endless[] = { BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0) };
	struct ebpfnet_link *link = (void *)1, *held;
	int one = 1, plain = pair.far, raw;

	EBPFNET_OPTS(ebpfnet_socket_opts, o);
	ASSERT_FAILS(ebpfnet_socket_attach(filter, 999, NULL, &link, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "fd 999");
	ck_assert_ptr_null(link);
	ASSERT_FAILS(ebpfnet_socket_attach(filter, fd_of("group"), NULL, &link, &err), err,
		     -ENOTSOCK, EBPFNET_ERROR_INVALID, "fd ");
	ASSERT_FAILS(ebpfnet_socket_attach(msg, plain, NULL, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "SEC(\"socket\")");
	o.hook = EBPFNET_SOCKET_FILTER;
	ASSERT_FAILS(ebpfnet_socket_attach(reuseport, plain, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "is no filter of a socket");
	o.hook = 7;
	ASSERT_FAILS(ebpfnet_socket_attach(filter, plain, &o, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "hook 7");
	o.hook = 0;
	o.hold = 1;
	ASSERT_FAILS(ebpfnet_socket_attach(filter, plain, &o, NULL, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "no link that could hold");
	o.hold = 0;
	/* In no group: bound without SO_REUSEPORT. */
	ASSERT_FAILS(ebpfnet_socket_attach(reuseport, plain, NULL, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "before bind(2)");
	ck_assert_int_eq(setsockopt(plain, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
	ASSERT_FAILS(ebpfnet_socket_attach(reuseport, plain, NULL, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "bound before SO_REUSEPORT");
	raw = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_FAILS(ebpfnet_socket_attach(reuseport, raw, NULL, &link, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_NOT_SUPPORTED, "for TCP and UDP sockets");
	close(raw);
	ASSERT_FAILS(ebpfnet_socket_attach_classic(ctx, endless, 1, plain, NULL, &link, &err), err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "ends with BPF_RET");
	ASSERT_FAILS(ebpfnet_socket_attach_classic(ctx, endless, 0, plain, NULL, &link, &err), err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "0 instructions");
	ASSERT_FAILS(ebpfnet_socket_attach_classic(ctx, endless, 4097, plain, NULL, &link, &err),
		     err, -EINVAL, EBPFNET_ERROR_INVALID, "1 to 4096");
	/* Locked: neither a new one nor none. */
	held = attach(filter, plain, 0);
	ck_assert_int_eq(setsockopt(plain, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)), 0);
	ASSERT_FAILS(ebpfnet_socket_attach(trim, plain, NULL, &link, &err), err, -EPERM,
		     EBPFNET_ERROR_BUSY, "SO_LOCK_FILTER");
	ASSERT_FAILS(ebpfnet_socket_attach_classic(ctx, keep_k, 4, plain, NULL, &link, &err), err,
		     -EPERM, EBPFNET_ERROR_BUSY, "never taken off");
	ASSERT_FAILS(ebpfnet_link_update(held, trim, NULL, NULL, &err), err, -EPERM,
		     EBPFNET_ERROR_BUSY, "SO_LOCK_FILTER");
	ASSERT_FAILS(ebpfnet_link_detach(held, &err), err, -EPERM, EBPFNET_ERROR_BUSY,
		     "SO_LOCK_FILTER");
	ebpfnet_link_close(held);
	test_pair_close(&pair);
}
END_TEST

/* The longest classic filter is more than a socket may hold of options. */
START_TEST(test_no_option_memory)
{
	static struct sock_filter long_one[4096];
	struct test_pair pair = test_pair_open(AF_INET, SOCK_DGRAM);
	struct ebpfnet_link *link;
	char was[32];

	for (int i = 0; i < 4096; i++)
		long_one[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 1);
	test_shell_output(was, sizeof(was), "cat /proc/sys/net/core/optmem_max");
	if (test_shell("echo 4096 >/proc/sys/net/core/optmem_max 2>/dev/null"))
		TEST_SKIP_CASE("net.core.optmem_max cannot be set");
	int ret = ebpfnet_socket_attach_classic(ctx, long_one, 4096, pair.far, NULL, &link, &err);
	test_shell("echo %s >/proc/sys/net/core/optmem_max", strtok(was, "\n"));
	ASSERT_FAILS(ret, err, -ENOMEM, EBPFNET_ERROR_SYSTEM, "net.core.optmem_max");
	test_pair_close(&pair);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_filter_udp,
		test_filter_tcp,
		test_filter_packet_socket,
		test_classic_filter,
		test_life,
		test_socket_closed,
		test_socket_held,
		test_without_a_link,
		test_fork_and_kill,
		test_refusals,
		test_no_option_memory,
	};

	test_need_root();
	test_loopback_only();
	return test_run(
		test_suite_around("socket", tests, sizeof(tests) / sizeof(*tests), 60, begin, end));
}
