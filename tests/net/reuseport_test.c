// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Choosers of a reuseport group: by socket array, by index, classic; TCP and UDP over IPv4 and
 * IPv6. Every socket of the group is reached in turn, and the count equals what was sent.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/filter.h>
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
static struct ebpfnet_program *select_by_map, *select_by_index;

static void begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("sockmap"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "reuseport", &select_by_map, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, "reuseport_index", &select_by_index, &err), err);
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

#define GROUP 4

/* A reuseport group on one port, all of it listening or bound. */
static uint16_t group_open(int family, int type, int group[GROUP])
{
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof(address);
	int one = 1;

	address.ss_family = (sa_family_t)family;
	if (family == AF_INET)
		((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
	for (int i = 0; i < GROUP; i++) {
		group[i] = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		ck_assert_int_eq(setsockopt(group[i], SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)),
				 0);
		ck_assert_int_eq(bind(group[i], (struct sockaddr *)&address,
				      family == AF_INET ? sizeof(struct sockaddr_in)
							: sizeof(struct sockaddr_in6)),
				 0);
		ck_assert_int_eq(getsockname(group[i], (struct sockaddr *)&address, &len), 0);
		if (type == SOCK_STREAM)
			ck_assert_int_eq(listen(group[i], 16), 0);
	}
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

/* One client that says hello; it stays open until the caller closes it. */
static int client(int family, int type, uint16_t port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_addr = in6addr_loopback,
				    .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons(port) };
	int sock = socket(family, type | SOCK_CLOEXEC, 0);
	int ret = family == AF_INET ? connect(sock, (struct sockaddr *)&four, sizeof(four))
				    : connect(sock, (struct sockaddr *)&six, sizeof(six));

	if (ret < 0) {
		ret = -errno;
		close(sock);
		return ret;
	}
	ck_assert_int_eq(test_send(sock, "hello"), 5);
	return sock;
}

/* Which socket of the group has something; -1 none, -2 several. Takes it out. */
static int reached(int type, const int group[GROUP])
{
	struct pollfd ready[GROUP];
	int which = -1;

	for (int i = 0; i < GROUP; i++)
		ready[i] = (struct pollfd) { .fd = group[i], .events = POLLIN };
	if (poll(ready, GROUP, 200) <= 0)
		return -1;
	for (int i = 0; i < GROUP; i++) {
		char got[16];
		int accepted;

		if (!(ready[i].revents & POLLIN))
			continue;
		which = which == -1 ? i : -2;
		if (type == SOCK_STREAM) {
			accepted = accept(group[i], NULL, NULL);
			ck_assert_int_ge(accepted, 0);
			close(accepted);
		} else {
			ck_assert_int_eq(recv(group[i], got, sizeof(got), 0), 5);
		}
	}
	return which;
}

/* Sends to each index in turn, three times, and looks which socket it reached. */
static void each_is_reached(int family, int type, uint16_t port, const int group[GROUP],
			    uint32_t slot)
{
	struct sockmap_count before = counted(slot);
	int sent = 0;

	for (uint32_t i = 0; i < 3 * GROUP; i++) {
		int sock;

		decide(slot, SOCKMAP_PASS, i % GROUP);
		sock = client(family, type, port);
		ck_assert_int_ge(sock, 0);
		sent++;
		ck_assert_int_eq(reached(type, group), (int)(i % GROUP));
		close(sock);
	}
	ck_assert_uint_eq(counted(slot).runs, before.runs + sent);
}

static const struct kind {
	int family, type;
} kinds[] = {
	{ AF_INET, SOCK_STREAM },
	{ AF_INET6, SOCK_STREAM },
	{ AF_INET, SOCK_DGRAM },
	{ AF_INET6, SOCK_DGRAM },
};

START_TEST(test_reuseport_by_map)
{
	for (int k = 0; k < 4; k++) {
		int group[GROUP], map = fd_of("group"), sock;
		uint16_t port = group_open(kinds[k].family, kinds[k].type, group);
		struct ebpfnet_link *link = attach(select_by_map, group[1], 0);

		ck_assert_uint_eq(info_of(link).hook, EBPFNET_SOCKET_REUSEPORT);
		ck_assert_uint_eq(info_of(link).program_id, id_of(select_by_map));
		for (uint32_t i = 0; i < GROUP; i++) {
			uint64_t fd = (uint64_t)group[i];

			ck_assert_int_eq(bpf_map_update_elem(map, &i, &fd, BPF_ANY), 0);
		}
		each_is_reached(kinds[k].family, kinds[k].type, port, group, SOCKMAP_REUSEPORT);
		/* Dropped: nobody gets it, and TCP is told. */
		decide(SOCKMAP_REUSEPORT, SOCKMAP_DROP, 0);
		sock = client(kinds[k].family, kinds[k].type, port);
		if (kinds[k].type == SOCK_STREAM)
			ck_assert_int_eq(sock, -ECONNREFUSED);
		else
			close(sock);
		ck_assert_int_eq(reached(kinds[k].type, group), -1);
		/* Detached: the hash chooses again, and the program is not asked. */
		ASSERT_OK(ebpfnet_link_detach(link, &err), err);
		ck_assert_uint_eq(info_of(link).defunct, 1);
		ebpfnet_link_close(link);
		decide(SOCKMAP_REUSEPORT, SOCKMAP_DROP, 0);
		for (int i = 0; i < 4; i++) {
			sock = client(kinds[k].family, kinds[k].type, port);
			ck_assert_int_ge(sock, 0);
			ck_assert_int_ge(reached(kinds[k].type, group), 0);
			close(sock);
		}
		for (int i = 0; i < GROUP; i++)
			close(group[i]);
	}
	test_way("reuseport", "works");
}
END_TEST

START_TEST(test_reuseport_by_index)
{
	for (int k = 0; k < 4; k++) {
		int group[GROUP];
		uint16_t port = group_open(kinds[k].family, kinds[k].type, group);
		struct ebpfnet_link *link =
			attach(select_by_index, group[0], EBPFNET_SOCKET_REUSEPORT);

		each_is_reached(kinds[k].family, kinds[k].type, port, group,
				SOCKMAP_REUSEPORT_INDEX);
		ebpfnet_link_close(link);
		for (int i = 0; i < GROUP; i++)
			close(group[i]);
	}
}
END_TEST

START_TEST(test_reuseport_classic)
{
	EBPFNET_OPTS(ebpfnet_socket_opts, o);
	o.hook = EBPFNET_SOCKET_REUSEPORT;
	for (int k = 0; k < 4; k++) {
		int group[GROUP];
		uint16_t port = group_open(kinds[k].family, kinds[k].type, group);

		for (uint32_t i = 0; i < GROUP; i++) {
			struct sock_filter choose[] = { BPF_STMT(BPF_RET | BPF_K, i) };
			struct ebpfnet_link *link;
			int sock;

			ASSERT_OK(ebpfnet_socket_attach_classic(ctx, choose, 1, group[0], &o, &link,
								&err),
				  err);
			for (int n = 0; n < 3; n++) {
				sock = client(kinds[k].family, kinds[k].type, port);
				ck_assert_int_ge(sock, 0);
				ck_assert_int_eq(reached(kinds[k].type, group), (int)i);
				close(sock);
			}
			ebpfnet_link_close(link);
		}
		for (int i = 0; i < GROUP; i++)
			close(group[i]);
	}
	test_way("reuseport classic", "works");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_reuseport_by_map,
		test_reuseport_by_index,
		test_reuseport_classic,
	};

	test_need_root();
	test_loopback_only();
	return test_run(test_suite_around("reuseport", tests, sizeof(tests) / sizeof(*tests), 60,
					  begin, end));
}
