// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * CO-RE is shown, not assumed: programs that know only the names of kernel members read them from
 * real packets and sockets, and what they read is what user space sent and opened. And against BTF
 * in which a member has moved or is gone.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/uapi.h"
#include "core/util.h"
#include "helpers.h"
#include "kernel/core_values.h"

#define NF_INET_LOCAL_OUT 3
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8

/* A network namespace of this thread's own, with a loopback device only; it goes with its last
 * user. */
static int enter_own_netns(void)
{
	int before = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), s;
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	ck_assert_int_ge(before, 0);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(ioctl(s, SIOCSIFFLAGS, &ifr), 0);
	close(s);
	return before;
}

static void leave_own_netns(int before)
{
	ck_assert_int_eq(setns(before, CLONE_NEWNET), 0);
	close(before);
}

static uint32_t netns_inode(void)
{
	struct stat st;

	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &st), 0);
	return (uint32_t)st.st_ino;
}

static bool has_netfilter_programs(void)
{
	return libbpf_probe_bpf_prog_type((enum bpf_prog_type)EBPFNET__BPF_PROG_TYPE_NETFILTER,
					  NULL) == 1;
}

static struct ebpfnet_ctx *context(const char *btf_path)
{
	EBPFNET_OPTS(ebpfnet_ctx_opts, opts);
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;

	opts.btf_path = btf_path;
	ASSERT_OK(ebpfnet_ctx_new(&opts, &ctx, &err), err);
	return ctx;
}

/* core_values, loaded; the reference to the context is the object's. */
static struct ebpfnet_object *load_values(void)
{
	struct ebpfnet_ctx *ctx = context(NULL);
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;
	uint32_t netns = netns_inode();

	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("core_values"), NULL, &obj, &err), err);
	ebpfnet_ctx_unref(ctx);
	ASSERT_OK(ebpfnet_object_set_const(obj, "own_netns", &netns, sizeof(netns), &err), err);
	ASSERT_OK(ebpfnet_object_set_program_enabled(obj, "nf_length", has_netfilter_programs(),
						     &err),
		  err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	return obj;
}

static int program_fd(struct ebpfnet_object *obj, const char *name)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(obj, name, &prog, &err), err);
	return ebpfnet_program_fd(prog);
}

static int map_fd(struct ebpfnet_object *obj, const char *name)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_map *map;

	ASSERT_OK(ebpfnet_object_map(obj, name, &map, &err), err);
	return ebpfnet_map_fd(map);
}

static uint32_t run(struct ebpfnet_object *obj, const char *name)
{
	struct ebpfnet_program_run r = { .sz = sizeof(r) };
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_program *prog;
	char packet[64] = { 0 };

	r.data_in = packet;
	r.data_in_size = sizeof(packet);
	ASSERT_OK(ebpfnet_object_program(obj, name, &prog, &err), err);
	ASSERT_OK(ebpfnet_program_run(prog, &r, &err), err);
	return r.retval;
}

START_TEST(answers_both_ways)
{
	static const uint64_t want[ANSWER_COUNT] = {
		[ANSWER_FIELD_PRESENT] = 1, [ANSWER_TYPE_PRESENT] = 1, [ANSWER_ENUM_PRESENT] = 1,
		[ANSWER_ENUM_VALUE] = 4, /* NF_INET_POST_ROUTING; the source says 77 */
		[ANSWER_KSYM_PRESENT] = 1,
	};
	struct ebpfnet_object *obj = load_values();

	ck_assert_uint_eq(run(obj, "ask"), XDP_PASS);
	for (uint32_t i = 0; i < ANSWER_COUNT; i++) {
		uint64_t value = 99;

		ck_assert_int_eq(bpf_map_lookup_elem(map_fd(obj, "answers"), &i, &value), 0);
		ck_assert_msg(value == want[i], "answer %u is %llu, not %llu", i,
			      (unsigned long long)value, (unsigned long long)want[i]);
	}
	ebpfnet_object_close(obj);
}
END_TEST

static const uint32_t payloads[] = { 0, 1, 100, 1000, 1472, 9000 };
#define PAYLOADS (sizeof(payloads) / sizeof(*payloads))

/* One UDP packet of each size over lo, each received before the next is sent. */
static void send_udp(int family)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *addr = family == AF_INET ? (void *)&v4 : (void *)&v6;
	socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);
	int in = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int out = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	static char data[10000];

	ck_assert_int_eq(bind(in, addr, len), 0);
	ck_assert_int_eq(getsockname(in, addr, &len), 0);
	for (size_t i = 0; i < PAYLOADS; i++) {
		ck_assert_int_eq(sendto(out, data, payloads[i], 0, addr, len), payloads[i]);
		ck_assert_int_eq(recv(in, data, sizeof(data), 0), payloads[i]);
	}
	close(in);
	close(out);
}

static uint64_t packets_of(int fd, uint32_t source, uint32_t family, uint32_t len)
{
	struct length key = { source, family, len };
	uint64_t n = 0;

	return bpf_map_lookup_elem(fd, &key, &n) == 0 ? n : 0;
}

static size_t keys_in(int fd)
{
	struct length key, next;
	void *at = NULL;
	size_t n;

	for (n = 0; bpf_map_get_next_key(fd, at, &next) == 0; n++) {
		key = next;
		at = &key;
	}
	return n;
}

/* What the program saw of sk_buff.len is what was sent, and it saw nothing else. */
static void check_lengths(struct ebpfnet_object *obj, uint32_t source)
{
	int fd = map_fd(obj, "lengths");

	for (size_t i = 0; i < PAYLOADS; i++) {
		ck_assert_uint_eq(
			packets_of(fd, source, AF_INET, IPV4_HEADER + UDP_HEADER + payloads[i]), 1);
		ck_assert_uint_eq(
			packets_of(fd, source, AF_INET6, IPV6_HEADER + UDP_HEADER + payloads[i]),
			1);
	}
	ck_assert_uint_eq(keys_in(fd), 2 * PAYLOADS);
}

static int netfilter_link(int prog_fd, uint32_t family)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .netfilter.pf = family,
		    .netfilter.hooknum = NF_INET_LOCAL_OUT, .netfilter.priority = -128);

	return bpf_link_create(prog_fd, 0, (enum bpf_attach_type)EBPFNET__BPF_NETFILTER, &opts);
}

START_TEST(netfilter_reads_sk_buff)
{
	int before, v4, v6, prog;
	struct ebpfnet_object *obj;

	if (!has_netfilter_programs())
		TEST_SKIP_CASE("no netfilter programs before Linux 6.4: the tracepoint alone reads "
			       "sk_buff");
	before = enter_own_netns();
	obj = load_values();
	prog = program_fd(obj, "nf_length");
	v4 = netfilter_link(prog, AF_INET);
	v6 = netfilter_link(prog, AF_INET6);
	ck_assert(v4 >= 0 && v6 >= 0);
	send_udp(AF_INET);
	send_udp(AF_INET6);
	check_lengths(obj, SOURCE_NETFILTER);
	close(v4);
	close(v6);
	ebpfnet_object_close(obj);
	leave_own_netns(before);
}
END_TEST

START_TEST(tracepoint_reads_sk_buff)
{
	int before = enter_own_netns(), link;
	struct ebpfnet_object *obj = load_values();

	link = bpf_raw_tracepoint_open(NULL, program_fd(obj, "tp_length"));
	ck_assert_int_ge(link, 0);
	send_udp(AF_INET);
	send_udp(AF_INET6);
	check_lengths(obj, SOURCE_TRACEPOINT);
	test_way("raw tracepoint (CO-RE reads sk_buff)", "works");
	close(link);
	ebpfnet_object_close(obj);
	leave_own_netns(before);
}
END_TEST

static uint16_t port_of(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET ? ((const struct sockaddr_in *)addr)->sin_port
					  : ((const struct sockaddr_in6 *)addr)->sin6_port;
}

/* What user space knows of its own socket. */
static struct tcp_line line_of(int fd)
{
	struct sockaddr_storage local = { 0 }, peer = { 0 };
	struct tcp_info info = { 0 };
	socklen_t local_len = sizeof(local), peer_len = sizeof(peer), info_len = sizeof(info);
	struct tcp_line line = { 0 };

	ck_assert_int_eq(getsockname(fd, (void *)&local, &local_len), 0);
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_len), 0);
	line.family = local.ss_family;
	line.num = ntohs(port_of(&local));
	if (getpeername(fd, (void *)&peer, &peer_len) == 0)
		line.dport = port_of(&peer);
	line.state = info.tcpi_state;
	return line;
}

static size_t read_lines(int prog_fd, struct tcp_line *lines, size_t room)
{
	int link = bpf_link_create(prog_fd, 0, BPF_TRACE_ITER, NULL), iter;
	size_t have = 0;
	ssize_t n;

	ck_assert_int_ge(link, 0);
	iter = bpf_iter_create(link);
	ck_assert_int_ge(iter, 0);
	while ((n = read(iter, (char *)lines + have, room * sizeof(*lines) - have)) > 0)
		have += (size_t)n;
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(have % sizeof(*lines), 0);
	close(iter);
	close(link);
	return have / sizeof(*lines);
}

/* Each of our sockets is listed once, with the state and ports that user space sees, and no other.
 */
static void check_sockets(int prog_fd, const int *fds, size_t count)
{
	struct tcp_line lines[64];
	size_t n = read_lines(prog_fd, lines, sizeof(lines) / sizeof(*lines));

	ck_assert_uint_eq(n, count);
	for (size_t i = 0; i < count; i++) {
		struct tcp_line want = line_of(fds[i]);
		int seen = 0;

		for (size_t k = 0; k < n; k++)
			seen += memcmp(&lines[k], &want, sizeof(want)) == 0;
		ck_assert_msg(seen == 1, "socket %zu: family %u port %u peer %u state %u: %d times",
			      i, want.family, want.num, ntohs(want.dport), want.state, seen);
	}
}

static int listener(int family, struct sockaddr_storage *addr, socklen_t *len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(addr, 0, sizeof(*addr));
	addr->ss_family = (sa_family_t)family;
	if (family == AF_INET)
		((struct sockaddr_in *)addr)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)addr)->sin6_addr = in6addr_loopback;
	*len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	ck_assert_int_eq(bind(fd, (void *)addr, *len), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	ck_assert_int_eq(getsockname(fd, (void *)addr, len), 0);
	return fd;
}

static void wait_for_state(int fd, uint16_t state)
{
	for (int i = 0; i < 1000 && line_of(fd).state != state; i++)
		usleep(1000);
	ck_assert_uint_eq(line_of(fd).state, state);
}

START_TEST(iterator_reads_sockets)
{
	int before = enter_own_netns(), fds[6], prog;
	struct ebpfnet_object *obj = load_values();

	for (int i = 0; i < 2; i++) {
		struct sockaddr_storage addr;
		socklen_t len;
		int *three = &fds[3 * i];

		three[0] = listener(i ? AF_INET6 : AF_INET, &addr, &len);
		three[1] = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(connect(three[1], (void *)&addr, len), 0);
		three[2] = accept4(three[0], NULL, NULL, SOCK_CLOEXEC);
		ck_assert_int_ge(three[2], 0);
	}
	prog = program_fd(obj, "tcp_states");
	ck_assert_uint_eq(line_of(fds[0]).state, TCP_LISTEN);
	ck_assert_uint_eq(line_of(fds[1]).state, TCP_ESTABLISHED);
	check_sockets(prog, fds, 6);
	/* The same sockets in other states. */
	shutdown(fds[1], SHUT_WR);
	wait_for_state(fds[1], TCP_FIN_WAIT2);
	wait_for_state(fds[2], TCP_CLOSE_WAIT);
	check_sockets(prog, fds, 6);
	test_way("TCP socket iterator (CO-RE reads sockets)", "works");
	for (int i = 0; i < 6; i++)
		close(fds[i]);
	ebpfnet_object_close(obj);
	leave_own_netns(before);
}
END_TEST

/* A file of this process's own. */
static const char *btf_file(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/tmp/ebpfnet-core-%d.btf", getpid());
	return path;
}

static struct btf *new_btf(void)
{
	struct btf *btf = btf__new_empty();

	ck_assert_int_eq(btf__add_int(btf, "unsigned int", 4, 0), 1);
	return btf;
}

/* A struct sk_buff with len at this offset, and with nope if its offset is not 0. */
static void add_sk_buff(struct btf *btf, uint32_t len_offset, uint32_t nope_offset)
{
	ck_assert_int_gt(btf__add_struct(btf, "sk_buff", 128), 0);
	ck_assert_int_eq(btf__add_field(btf, "len", 1, len_offset * 8, 0), 0);
	if (nope_offset)
		ck_assert_int_eq(btf__add_field(btf, "nope", 1, nope_offset * 8, 0), 0);
}

/* Writes the BTF as the kernel shows its own, and frees it. */
static void save_btf(struct btf *btf)
{
	uint32_t size;
	const void *data = btf__raw_data(btf, &size);
	FILE *f = fopen(btf_file(), "we");

	ck_assert_ptr_nonnull(data);
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, size, f), size);
	fclose(f);
	btf__free(btf);
}

static void write_btf(uint32_t len_offset, uint32_t nope_offset)
{
	struct btf *btf = new_btf();

	add_sk_buff(btf, len_offset, nope_offset);
	save_btf(btf);
}

/* core_gone with this program switched on, against that file; unloaded. */
static struct ebpfnet_object *open_gone(const char *program)
{
	struct ebpfnet_ctx *ctx = context(btf_file());
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;

	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("core_gone"), NULL, &obj, &err), err);
	ebpfnet_ctx_unref(ctx);
	ASSERT_OK(ebpfnet_object_set_program_enabled(obj, program, true, &err), err);
	return obj;
}

/* The relocation of a program that asks where a member is. */
static struct ebpfnet_reloc offset_reloc(struct ebpfnet_object *obj, const char *program,
					 const char *what)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_reloc relocs[16];
	size_t n = 16;

	ASSERT_OK(ebpfnet_object_relocs(obj, relocs, sizeof(*relocs), &n, &err), err);
	for (size_t i = 0; i < n && i < 16; i++) {
		if (strcmp(relocs[i].program, program) == 0 && strcmp(relocs[i].what, what) == 0 &&
		    relocs[i].kind == EBPFNET_RELOC_FIELD_OFFSET)
			return relocs[i];
	}
	ck_abort_msg("no such relocation: %s in %s", what, program);
	return relocs[0];
}

START_TEST(a_member_has_moved)
{
	static const uint32_t offsets[] = { 4, 24, 124 };

	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		struct ebpfnet_error *err = NULL;
		struct ebpfnet_object *obj;
		struct ebpfnet_reloc r;

		write_btf(offsets[i], 0);
		obj = open_gone("needs_len");
		r = offset_reloc(obj, "needs_len", "sk_buff.len");
		ck_assert_uint_eq(r.local_value, 0);
		ck_assert_uint_eq(r.target_value, offsets[i]);
		ck_assert_uint_eq(r.found, 1);
		ck_assert_uint_eq(r.effect, EBPFNET_RELOC_PATCHED);
		ck_assert_str_eq(r.why, "");
		/* And it is what the program is loaded with. */
		ASSERT_OK(ebpfnet_object_load(obj, &err), err);
		ck_assert_uint_eq(run(obj, "needs_len"), offsets[i]);
		ebpfnet_object_close(obj);
	}
	unlink(btf_file());
}
END_TEST

START_TEST(a_member_is_gone)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;
	struct ebpfnet_reloc r;

	write_btf(8, 0);
	obj = open_gone("needs_nope");
	r = offset_reloc(obj, "needs_nope", "sk_buff.nope");
	ck_assert_uint_eq(r.found, 0);
	ck_assert_uint_eq(r.effect, EBPFNET_RELOC_POISONED);
	ck_assert_uint_eq(r.local_value, 4);
	ck_assert_uint_eq(r.target_value, 0);
	ck_assert_str_eq(r.why, "struct sk_buff has no member nope there");
	ck_assert_str_eq(offset_reloc(obj, "needs_nope", "net.neither").why,
			 "the BTF file has no struct net");
	/* net.neither is guarded and comes first: the one that was reached is named. */
	ASSERT_FAILS(ebpfnet_object_load(obj, &err), err, -EINVAL, EBPFNET_ERROR_CORE,
		     "program needs_nope needs sk_buff.nope: struct sk_buff has no member nope");
	ebpfnet_object_close(obj);
	unlink(btf_file());
}
END_TEST

START_TEST(gone_below_in_a_subprogram)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;

	write_btf(8, 0);
	obj = open_gone("needs_below");
	ck_assert_uint_eq(offset_reloc(obj, "offset_of_neither", "net.neither").found, 0);
	ASSERT_FAILS(ebpfnet_object_load(obj, &err), err, -EINVAL, EBPFNET_ERROR_CORE,
		     "program needs_below needs net.neither: the BTF file has no struct net");
	ebpfnet_object_close(obj);
	unlink(btf_file());
}
END_TEST

START_TEST(who_asks_first_is_loaded)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;

	write_btf(8, 0);
	obj = open_gone("asks_first");
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ck_assert_uint_eq(run(obj, "asks_first"), 1000);
	ebpfnet_object_close(obj);

	write_btf(8, 48);
	obj = open_gone("asks_first");
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ck_assert_uint_eq(run(obj, "asks_first"), 48);
	ebpfnet_object_close(obj);
	unlink(btf_file());
}
END_TEST

START_TEST(a_refused_relocation_is_named)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;
	struct btf *btf = new_btf();

	/* Two kernel types of one name that disagree: libbpf gives up before the kernel is asked.
	 */
	add_sk_buff(btf, 8, 0);
	add_sk_buff(btf, 16, 0);
	save_btf(btf);
	obj = open_gone("needs_len");
	ck_assert_uint_eq(offset_reloc(obj, "needs_len", "sk_buff.len").effect,
			  EBPFNET_RELOC_REFUSED);
	ASSERT_FAILS(ebpfnet_object_load(obj, &err), err, -EINVAL, EBPFNET_ERROR_CORE,
		     "sk_buff.len: ambiguous: types 2 and 3 have it at offsets 8 and 16");
	ebpfnet_object_close(obj);
	unlink(btf_file());
}
END_TEST

START_TEST(btf_path_must_be_btf)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_reloc r;
	struct ebpfnet_object *obj;
	size_t n = 1;
	FILE *f;

	unlink(btf_file());
	obj = open_gone("needs_len");
	ASSERT_FAILS(ebpfnet_object_relocs(obj, &r, sizeof(r), &n, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "btf_path /tmp/ebpfnet-core-");
	f = fopen(btf_file(), "we");
	fputs("not BTF, but long enough to have a header", f);
	fclose(f);
	ASSERT_FAILS(ebpfnet_object_relocs(obj, &r, sizeof(r), &n, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "raw BTF, as in /sys/kernel/btf/vmlinux");
	/* Counting asks nothing of it. */
	ASSERT_OK(ebpfnet_object_relocs(obj, NULL, 0, &n, &err), err);
	ck_assert_uint_eq(n, 7);
	ebpfnet_object_close(obj);
	unlink(btf_file());
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		answers_both_ways,	    netfilter_reads_sk_buff,  tracepoint_reads_sk_buff,
		iterator_reads_sockets,	    a_member_has_moved,	      a_member_is_gone,
		gone_below_in_a_subprogram, who_asks_first_is_loaded, a_refused_relocation_is_named,
		btf_path_must_be_btf,
	};

	test_need_root();
	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		test_skip("needs a kernel with BTF");
	return test_run(test_suite("core", tests, EBPFNET__ARRAY_SIZE(tests), 60));
}
