// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What a cgroup's tasks may make and open: sockets and their options, devices, sysctl. */
#include "cgroup_fixture.h"

#include <fcntl.h>

#define CALLS 5

static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

START_TEST(test_sock_create)
{
	struct ebpfnet_link *link = cg_attach("sock_create", EBPFNET_CGROUP_SOCK_CREATE);

	for (int i = 0; i < 4; i++) {
		int family = families[i & 1], type = types[i >> 1];

		cg_act(EBPFNET_CGROUP_SOCK_CREATE, CG_REFUSE);
		for (int n = 0; n < CALLS; n++) {
			ck_assert_int_eq(socket(family, type, 0), -1);
			ck_assert_int_eq(errno, EPERM);
		}
		ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SOCK_CREATE), CALLS);
		cg_act(EBPFNET_CGROUP_SOCK_CREATE, 0);
		close(cg_socket(family, type));
		ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SOCK_CREATE), 1);
	}
	cg_act(EBPFNET_CGROUP_SOCK_CREATE, CG_REFUSE);
	ebpfnet_link_close(link);
	close(cg_socket(AF_INET, SOCK_STREAM));
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SOCK_CREATE), 0);
	test_way("cgroup_sock_create", "works");
}
END_TEST

/* No verdict here: what the program reads of each socket that goes is the second effect. */
START_TEST(test_sock_release)
{
	struct ebpfnet_link *link = cg_attach("sock_release", EBPFNET_CGROUP_SOCK_RELEASE);

	for (int i = 0; i < 4; i++) {
		int family = families[i & 1], type = types[i >> 1];

		cg_act(0, 0);
		cg_act(EBPFNET_CGROUP_SOCK_RELEASE, 0);
		for (int n = 0; n < CALLS; n++)
			close(cg_socket(family, type));
		ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SOCK_RELEASE), CALLS);
		ck_assert_uint_eq(
			cg_seen(0),
			(uint64_t)(CALLS * (type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP)));
	}
	ebpfnet_link_close(link);
	close(cg_socket(AF_INET, SOCK_STREAM));
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SOCK_RELEASE), CALLS);
	test_way("cgroup_sock_release", "works");
}
END_TEST

static int priority_of(int sock)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(sock, SOL_SOCKET, SO_PRIORITY, &value, &len) < 0 ? -errno : value;
}

static int set_priority(int sock, int value)
{
	return setsockopt(sock, SOL_SOCKET, SO_PRIORITY, &value, sizeof(value)) < 0 ? -errno : 0;
}

START_TEST(test_sockops)
{
	struct ebpfnet_link *link = cg_attach("tcp_events", EBPFNET_CGROUP_SOCKOPS);
	struct test_pair pair;

	for (int i = 0; i < 2; i++) {
		cg_act(EBPFNET_CGROUP_SOCKOPS, 5);
		for (int n = 0; n < CALLS; n++) {
			pair = test_pair_open(families[i], SOCK_STREAM);
			ck_assert_int_eq(priority_of(pair.near), 5);
			ck_assert_int_eq(priority_of(pair.far), 5);
			test_pair_close(&pair);
		}
		/* Both ends of every connection. */
		ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SOCKOPS), 2 * CALLS);
	}
	ebpfnet_link_close(link);
	pair = test_pair_open(AF_INET, SOCK_STREAM);
	ck_assert_int_eq(priority_of(pair.near), 0);
	test_pair_close(&pair);
	test_way("cgroup_sockops", "works");
}
END_TEST

START_TEST(test_setsockopt)
{
	struct ebpfnet_link *link = cg_attach("setsockopt", EBPFNET_CGROUP_SETSOCKOPT);

	for (int i = 0; i < 4; i++) {
		int sock = cg_socket(families[i & 1], types[i >> 1]);

		cg_act(EBPFNET_CGROUP_SETSOCKOPT, CG_REFUSE);
		for (int n = 0; n < CALLS; n++)
			ck_assert_int_eq(set_priority(sock, 3), -EPERM);
		ck_assert_int_eq(priority_of(sock), 0);
		ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SETSOCKOPT), CALLS);
		cg_act(EBPFNET_CGROUP_SETSOCKOPT, 4);
		ck_assert_int_eq(set_priority(sock, 3), 0);
		ck_assert_int_eq(priority_of(sock), 4);
		ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SETSOCKOPT), 1);
		close(sock);
	}
	ebpfnet_link_close(link);
	test_way("cgroup_setsockopt", "works");
}
END_TEST

START_TEST(test_getsockopt)
{
	struct ebpfnet_link *link = cg_attach("getsockopt", EBPFNET_CGROUP_GETSOCKOPT);

	for (int i = 0; i < 4; i++) {
		int sock = cg_socket(families[i & 1], types[i >> 1]);

		cg_act(EBPFNET_CGROUP_GETSOCKOPT, CG_REFUSE);
		for (int n = 0; n < CALLS; n++)
			ck_assert_int_eq(priority_of(sock), -EPERM);
		ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_GETSOCKOPT), CALLS);
		cg_act(EBPFNET_CGROUP_GETSOCKOPT, 42);
		ck_assert_int_eq(priority_of(sock), 42);
		ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_GETSOCKOPT), 1);
		close(sock);
	}
	ebpfnet_link_close(link);
	test_way("cgroup_getsockopt", "works");
}
END_TEST

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

START_TEST(test_device)
{
	struct ebpfnet_link *link = cg_attach("device", EBPFNET_CGROUP_DEVICE);

	cg_act(EBPFNET_CGROUP_DEVICE, CG_REFUSE);
	for (int n = 0; n < CALLS; n++)
		ck_assert_int_eq(try_open("/dev/null", O_RDWR), -EPERM);
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_DEVICE), CALLS);
	cg_act(EBPFNET_CGROUP_DEVICE, 0);
	for (int n = 0; n < CALLS; n++)
		ck_assert_int_eq(try_open("/dev/null", O_RDWR), 0);
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_DEVICE), CALLS);
	cg_act(EBPFNET_CGROUP_DEVICE, CG_REFUSE);
	ebpfnet_link_close(link);
	ck_assert_int_eq(try_open("/dev/null", O_RDWR), 0);
	test_way("cgroup_device", "works");
}
END_TEST

#define TTL "/proc/sys/net/ipv4/ip_default_ttl" /* of this test's own namespace */

static const char *read_ttl(void)
{
	static char text[16];
	int fd = open(TTL, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	int code = errno;

	close(fd);
	if (n < 0)
		return strerror(code);
	text[n > 0 && text[n - 1] == '\n' ? n - 1 : n] = '\0';
	return text;
}

static int write_ttl(const char *value)
{
	int fd = open(TTL, O_WRONLY | O_CLOEXEC);
	int ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;

	close(fd);
	return ret;
}

START_TEST(test_sysctl)
{
	struct ebpfnet_link *link;

	ck_assert_int_eq(write_ttl("64"), 0);
	link = cg_attach("sysctl", EBPFNET_CGROUP_SYSCTL);
	cg_act(EBPFNET_CGROUP_SYSCTL, CG_REFUSE);
	for (int n = 0; n < CALLS; n++) {
		ck_assert_str_eq(read_ttl(), strerror(EPERM));
		ck_assert_int_eq(write_ttl("65"), -EPERM);
	}
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SYSCTL), 2 * CALLS);
	cg_act(EBPFNET_CGROUP_SYSCTL, 2);
	ck_assert_int_eq(write_ttl("65"), 0);
	/* A number can be read from its beginning only: from elsewhere there is nothing. */
	ck_assert_str_eq(read_ttl(), "");
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SYSCTL), 2);
	ebpfnet_link_close(link);
	ck_assert_str_eq(read_ttl(), "33");
	test_way("cgroup_sysctl", "works");
}
END_TEST

CG_MAIN("cgroup_sock", test_sock_create, test_sock_release, test_sockops, test_setsockopt,
	test_getsockopt, test_device, test_sysctl)
