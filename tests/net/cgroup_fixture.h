/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_NET_CGROUP_FIXTURE_H
#define EBPFNET_TESTS_NET_CGROUP_FIXTURE_H

/*
 * The user-space half of cgroup.bpf.c, and a process that is alone in a cgroup of its own, in a
 * namespace with nothing but a loopback.
 */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cgroups.h"
#include "helpers.h"
#include "sockets.h"

#define CG_SLOTS 32
#define CG_REFUSE 1

static struct test_cgroup cg;
static struct ebpfnet_ctx *ctx;
static struct ebpfnet_object *obj;
static struct ebpfnet_error *err;

static const int families[] = { AF_INET, AF_INET6 };

static inline int cg_map(const char *name)
{
	struct ebpfnet_map *map;

	ASSERT_OK(ebpfnet_object_map(obj, name, &map, &err), err);
	return ebpfnet_map_fd(map);
}

static inline uint64_t cg_seen(uint32_t slot)
{
	uint64_t n;

	ck_assert_int_eq(bpf_map_lookup_elem(cg_map("seen"), &slot, &n), 0);
	return n;
}

/* What the program of a hook does from now on, and its count begins again. */
static inline void cg_act(uint32_t slot, uint64_t what)
{
	uint64_t zero = 0;

	ck_assert_int_eq(bpf_map_update_elem(cg_map("act"), &slot, &what, BPF_ANY), 0);
	ck_assert_int_eq(bpf_map_update_elem(cg_map("seen"), &slot, &zero, BPF_ANY), 0);
}

static inline struct ebpfnet_program *cg_program(const char *name)
{
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(obj, name, &prog, &err), err);
	return prog;
}

static inline struct ebpfnet_link_info cg_info(const struct ebpfnet_link *link)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	return info;
}

/* Attaches to the hook that the program's section names, which must be this one. */
static inline struct ebpfnet_link *cg_attach(const char *name, uint32_t hook)
{
	struct ebpfnet_link *link;

	ASSERT_OK(ebpfnet_cgroup_attach(cg_program(name), cg.name, 0, NULL, &link, &err), err);
	ck_assert_uint_eq(cg_info(link).hook, hook);
	ck_assert_uint_eq(cg_info(link).via, EBPFNET_VIA_LINK);
	return link;
}

static inline void cg_begin(void)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	test_cgroup_open(&cg);
	test_cgroup_enter(&cg, "");
	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("cgroup"), NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
}

static inline void cg_end(void)
{
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	test_cgroup_close(&cg);
}

/* For facts of the kernel that no probe can tell. */
static inline bool cg_kernel_before(int major, int minor)
{
	struct utsname uts;
	int have_major, have_minor;

	ck_assert_int_eq(uname(&uts), 0);
	ck_assert_int_eq(sscanf(uts.release, "%d.%d", &have_major, &have_minor), 2);
	return have_major < major || (have_major == major && have_minor < minor);
}

/* The loopback of a family with a port; *len gets its size. */
static inline struct sockaddr *cg_address(int family, uint16_t port, socklen_t *len)
{
	static struct sockaddr_storage address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
	struct sockaddr_in *four = (struct sockaddr_in *)&address;

	memset(&address, 0, sizeof(address));
	if (family == AF_INET6) {
		*six = (struct sockaddr_in6) { .sin6_family = AF_INET6,
					       .sin6_port = htons(port),
					       .sin6_addr = in6addr_loopback };
		*len = sizeof(*six);
	} else {
		*four = (struct sockaddr_in) { .sin_family = AF_INET,
					       .sin_port = htons(port),
					       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		*len = sizeof(*four);
	}
	return (struct sockaddr *)&address;
}

static inline uint16_t cg_port(const struct sockaddr_storage *address)
{
	/* The port of IPv4 and IPv6 is at the same place. */
	return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

static inline int cg_socket(int family, int type)
{
	int sock = socket(family, type | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(sock, 0);
	return sock;
}

/* connect(2), bind(2) to the loopback; 0 or -errno. */
static inline int cg_connect(int sock, int family, uint16_t port)
{
	socklen_t len;
	const struct sockaddr *address = cg_address(family, port, &len);

	return connect(sock, address, len) < 0 ? -errno : 0;
}

static inline int cg_bind(int sock, int family, uint16_t port)
{
	socklen_t len;
	const struct sockaddr *address = cg_address(family, port, &len);

	return bind(sock, address, len) < 0 ? -errno : 0;
}

/* A datagram to a port of the loopback; 0 or -errno. */
static inline int cg_send_to(int sock, int family, uint16_t port)
{
	socklen_t len;
	const struct sockaddr *address = cg_address(family, port, &len);

	return sendto(sock, "datagram", 8, 0, address, len) < 0 ? -errno : 0;
}

static inline uint16_t cg_own_port(int sock)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	ck_assert_int_eq(getsockname(sock, (struct sockaddr *)&address, &len), 0);
	return cg_port(&address);
}

#define CG_MAIN(name, ...)                                                                         \
	int main(void)                                                                             \
	{                                                                                          \
		const TTest *const tests[] = { __VA_ARGS__ };                                      \
                                                                                                   \
		test_need_root();                                                                  \
		test_loopback_only();                                                              \
		return test_run(test_suite_around(name, tests, sizeof(tests) / sizeof(*tests), 60, \
						  cg_begin, cg_end));                              \
	}

#endif /* EBPFNET_TESTS_NET_CGROUP_FIXTURE_H */
