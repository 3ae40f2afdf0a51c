// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Unix sockets of a cgroup. Abstract names belong to the namespace, which is this test's own. */
#include "cgroup_fixture.h"

#include <stddef.h>
#include <sys/un.h>

#define CALLS 5
#define SERVER "ebn-server"
#define ELSEWHERE "ebn-elsewhere" /* what the programs write */
#define CLIENT "ebn-client"

static struct ebpfnet_object *inet; /* what the fixture has loaded */

/* The fixture's object gives way to ours; false: this kernel is too old. */
static bool begin(void)
{
	if (cg_kernel_before(6, 7))
		return false;
	inet = obj;
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("cgroup_unix"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	return true;
}

static void end(void)
{
	ebpfnet_object_close(obj);
	obj = inet;
}

#define BEGIN_OR_SKIP()                                                                            \
	do {                                                                                       \
		if (!begin()) {                                                                    \
			test_way("cgroup_unix", "not there");                                      \
			TEST_SKIP_CASE("the hooks of unix sockets need Linux 6.7");                \
		}                                                                                  \
	} while (0)

static const struct sockaddr *name_is(const char *name, socklen_t *len)
{
	static struct sockaddr_un address;

	memset(&address, 0, sizeof(address));
	address.sun_family = AF_UNIX;
	memcpy(address.sun_path + 1, name, strlen(name));
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	return (const struct sockaddr *)&address;
}

static int server(int type, const char *name)
{
	int sock = cg_socket(AF_UNIX, type);
	socklen_t len;
	const struct sockaddr *address = name_is(name, &len);

	ck_assert_int_eq(bind(sock, address, len), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(sock, 2 * CALLS), 0);
	return sock;
}

static int connect_to(int sock, const char *name)
{
	socklen_t len;
	const struct sockaddr *address = name_is(name, &len);

	return connect(sock, address, len) < 0 ? -errno : 0;
}

static int send_to(int sock, const char *name)
{
	socklen_t len;
	const struct sockaddr *address = name_is(name, &len);

	return sendto(sock, "datagram", 8, 0, address, len) < 0 ? -errno : 0;
}

/* The text of a name that a call gave. */
static const char *text(struct sockaddr_un *address, socklen_t len)
{
	size_t n = len - offsetof(struct sockaddr_un, sun_path);

	ck_assert_uint_lt(n, sizeof(address->sun_path));
	address->sun_path[n] = '\0';
	return n ? address->sun_path + 1 : "";
}

START_TEST(test_connect)
{
	struct ebpfnet_link *link;
	int wanted, other, sock;

	BEGIN_OR_SKIP();
	wanted = server(SOCK_STREAM, SERVER);
	other = server(SOCK_STREAM, ELSEWHERE);
	link = cg_attach("connect_unix", EBPFNET_CGROUP_CONNECT_UNIX);
	cg_act(EBPFNET_CGROUP_CONNECT_UNIX, CG_REFUSE);
	for (int n = 0; n < CALLS; n++) {
		sock = cg_socket(AF_UNIX, SOCK_STREAM);
		ck_assert_int_eq(connect_to(sock, SERVER), -EPERM);
		close(sock);
	}
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_CONNECT_UNIX), CALLS);
	cg_act(EBPFNET_CGROUP_CONNECT_UNIX, 2);
	for (int n = 0; n < CALLS; n++) {
		int end;

		sock = cg_socket(AF_UNIX, SOCK_STREAM);
		ck_assert_int_eq(connect_to(sock, SERVER), 0);
		end = accept4(other, NULL, NULL, SOCK_CLOEXEC);
		ck_assert_int_eq(test_send(sock, "message"), 7);
		ck_assert(test_arrives(end, "message"));
		close(end);
		close(sock);
	}
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_CONNECT_UNIX), CALLS);
	ebpfnet_link_close(link);
	close(wanted);
	close(other);
	end();
	test_way("cgroup_unix", "works");
}
END_TEST

START_TEST(test_sendmsg)
{
	struct ebpfnet_link *link;
	int wanted, other, sock;

	BEGIN_OR_SKIP();
	wanted = server(SOCK_DGRAM, SERVER);
	other = server(SOCK_DGRAM, ELSEWHERE);
	sock = cg_socket(AF_UNIX, SOCK_DGRAM);
	link = cg_attach("sendmsg_unix", EBPFNET_CGROUP_SENDMSG_UNIX);
	cg_act(EBPFNET_CGROUP_SENDMSG_UNIX, CG_REFUSE);
	for (int n = 0; n < CALLS; n++)
		ck_assert_int_eq(send_to(sock, SERVER), -EPERM);
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SENDMSG_UNIX), CALLS);
	cg_act(EBPFNET_CGROUP_SENDMSG_UNIX, 2);
	for (int n = 0; n < CALLS; n++) {
		ck_assert_int_eq(send_to(sock, SERVER), 0);
		ck_assert(test_arrives(other, "datagram"));
	}
	ck_assert(test_silent(wanted));
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SENDMSG_UNIX), CALLS);
	ebpfnet_link_close(link);
	ck_assert_int_eq(send_to(sock, SERVER), 0);
	ck_assert(test_arrives(wanted, "datagram"));
	close(sock);
	close(wanted);
	close(other);
	end();
}
END_TEST

START_TEST(test_recvmsg)
{
	struct ebpfnet_link *link;
	int wanted, sock;

	BEGIN_OR_SKIP();
	wanted = server(SOCK_DGRAM, SERVER);
	sock = server(SOCK_DGRAM, CLIENT);
	link = cg_attach("recvmsg_unix", EBPFNET_CGROUP_RECVMSG_UNIX);
	for (uint64_t what = 0; what <= 2; what += 2) {
		cg_act(EBPFNET_CGROUP_RECVMSG_UNIX, what);
		for (int n = 0; n < CALLS; n++) {
			struct sockaddr_un from;
			socklen_t len = sizeof(from);
			char bytes[16];

			ck_assert_int_eq(send_to(sock, SERVER), 0);
			ck_assert_int_eq(recvfrom(wanted, bytes, sizeof(bytes), 0,
						  (struct sockaddr *)&from, &len),
					 8);
			ck_assert_str_eq(text(&from, len), what ? ELSEWHERE : CLIENT);
		}
		ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_RECVMSG_UNIX), CALLS);
	}
	ebpfnet_link_close(link);
	close(sock);
	close(wanted);
	end();
}
END_TEST

START_TEST(test_names)
{
	BEGIN_OR_SKIP();
	for (int peer = 0; peer < 2; peer++) {
		uint32_t hook =
			peer ? EBPFNET_CGROUP_GETPEERNAME_UNIX : EBPFNET_CGROUP_GETSOCKNAME_UNIX;
		int wanted = server(SOCK_STREAM, SERVER), sock = server(SOCK_DGRAM, CLIENT), stream;
		struct ebpfnet_link *link =
			cg_attach(peer ? "getpeername_unix" : "getsockname_unix", hook);

		stream = cg_socket(AF_UNIX, SOCK_STREAM);
		ck_assert_int_eq(connect_to(stream, SERVER), 0);
		for (uint64_t what = 0; what <= 2; what += 2) {
			cg_act(hook, what);
			for (int n = 0; n < CALLS; n++) {
				struct sockaddr_un name;
				socklen_t len = sizeof(name);

				ck_assert_int_eq(
					peer ? getpeername(stream, (struct sockaddr *)&name, &len)
					     : getsockname(sock, (struct sockaddr *)&name, &len),
					0);
				ck_assert_str_eq(text(&name, len), what	  ? ELSEWHERE
								   : peer ? SERVER
									  : CLIENT);
			}
			ck_assert_uint_eq(cg_seen(hook), CALLS);
		}
		ebpfnet_link_close(link);
		close(stream);
		close(sock);
		close(wanted);
	}
	end();
}
END_TEST

CG_MAIN("cgroup_unix", test_connect, test_sendmsg, test_recvmsg, test_names)
