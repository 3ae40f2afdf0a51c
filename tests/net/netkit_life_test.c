// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* netkit pairs and links: how they are made, live and end, and what is refused. */
#include "netkit_fixture.h"

#include "link_life.h"

static int life_attach(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		       struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_netkit_opts, o);
	o.netns_fd = net.near_fd;
	return ebpfnet_netkit_attach(prog, (int)pair.ifindex, EBPFNET_NETKIT_PEER, &o, link, e);
}

static bool in_force(void)
{
	return send_from(&sides[1], 1) == 0;
}

START_TEST(test_life)
{
	struct link_life life = {
		.ctx = ctx,
		.kind = EBPFNET_LINK_NETKIT,
		.via = EBPFNET_VIA_LINK,
		.active = drop,
		.idle = pass,
		.alien = other,
		.attach = life_attach,
		.in_force = in_force,
		.netns_fd = net.near_fd,
	};

	make_pair(NULL);
	test_link_life(&life);
}
END_TEST

START_TEST(test_device_removed)
{
	for (int s = 0; s < 3; s++) {
		uint32_t side = sides[s & 1].side;
		struct ebpfnet_link *link;

		make_pair(NULL);
		ASSERT_OK(attach_to(drop, side, &link), err);
		ck_assert_uint_eq(info_of(link).hook, side);
		ck_assert_uint_eq(info_of(link).defunct, 0);
		ck_assert_uint_eq(info_of(link).ifindex,
				  side == EBPFNET_NETKIT_PEER ? pair.peer_ifindex : pair.ifindex);
		if (s == 0) /* by the peer, in its own namespace */
			ASSERT_OK(ebpfnet_netkit_delete(ctx, (int)pair.peer_ifindex, net.far_fd,
							&err),
				  err);
		else if (s == 1)
			delete_pair();
		else /* with the namespace of the primary, which no descriptor of ours holds */
			test_net_close(&net);
		for (int i = 0; i < 200 && !info_of(link).defunct; i++)
			usleep(10000);
		ck_assert_uint_eq(info_of(link).defunct, 1);
		ck_assert_uint_eq(info_of(link).ifindex, 0);
		ASSERT_FAILS(ebpfnet_link_update(link, pass, NULL, NULL, &err), err, -ENOLINK,
			     EBPFNET_ERROR_DEFUNCT, "gone");
		ASSERT_OK(ebpfnet_link_detach(link, &err), err);
		ebpfnet_link_close(link);
	}
}
END_TEST

START_TEST(test_refused_devices)
{
	struct ebpfnet_link *link = (void *)1;

	make_pair(NULL);
	EBPFNET_OPTS(ebpfnet_netkit_opts, o);
	o.netns_fd = net.near_fd;
	ASSERT_FAILS(ebpfnet_netkit_attach(drop, net.near_if, 1, &o, &link, &err), err, -ENXIO,
		     EBPFNET_ERROR_INVALID, "v0 is no netkit device but veth");
	ck_assert_ptr_null(link);
	ASSERT_FAILS(ebpfnet_netkit_attach(drop, 99999, 1, &o, &link, &err), err, -ENODEV,
		     EBPFNET_ERROR_NOT_FOUND, "no such interface");
	ASSERT_FAILS(ebpfnet_netkit_attach(drop, (int)pair.ifindex, 3, &o, &link, &err), err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "side 3");
	o.netns_fd = net.far_fd;
	for (uint32_t side = EBPFNET_NETKIT_PRIMARY; side <= EBPFNET_NETKIT_PEER; side++)
		ASSERT_FAILS(
			ebpfnet_netkit_attach(drop, (int)pair.peer_ifindex, side, &o, &link, &err),
			err, -EACCES, EBPFNET_ERROR_INVALID, "through the primary's ifindex");
	ASSERT_FAILS(ebpfnet_netkit_delete(ctx, net.near_if, net.near_fd, &err), err, -ENXIO,
		     EBPFNET_ERROR_INVALID, "no netkit device but veth");
	ASSERT_FAILS(ebpfnet_netkit_delete(ctx, 99999, 0, &err), err, -ENODEV,
		     EBPFNET_ERROR_NOT_FOUND, "no such interface");
}
END_TEST

START_TEST(test_refused_places)
{
	struct ebpfnet_link *held, *link = (void *)1;

	make_pair(NULL);
	ASSERT_OK(attach_to(drop, EBPFNET_NETKIT_PRIMARY, &held), err);
	ASSERT_FAILS(attach_to(drop, EBPFNET_NETKIT_PRIMARY, &link), err, -EEXIST,
		     EBPFNET_ERROR_BUSY, "(nk_drop) is on this hook already, by link");
	ck_assert_ptr_null(link);
	ASSERT_FAILS(attach_to(other, EBPFNET_NETKIT_PRIMARY, &link), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "not SCHED_CLS");
	EBPFNET_OPTS(ebpfnet_netkit_opts, o);
	o.netns_fd = net.near_fd;
	o.anchor = EBPFNET_ANCHOR_BEFORE;
	ASSERT_FAILS(ebpfnet_netkit_attach(pass, (int)pair.ifindex, 1, &o, &link, &err), err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "0 anchors are given");
	o.anchor_program = next;
	ASSERT_FAILS(ebpfnet_netkit_attach(pass, (int)pair.ifindex, 1, &o, &link, &err), err,
		     -ENOENT, EBPFNET_ERROR_NOT_FOUND, "(nk_next), is not on this hook");
	o.anchor_program = NULL;
	o.anchor_link = held; /* of the other side */
	ASSERT_FAILS(ebpfnet_netkit_attach(pass, (int)pair.ifindex, 2, &o, &link, &err), err,
		     -ENOENT, EBPFNET_ERROR_NOT_FOUND, "is not on this hook");
	o.anchor = 9;
	ASSERT_FAILS(ebpfnet_netkit_attach(pass, (int)pair.ifindex, 1, &o, &link, &err), err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "anchor 9");
	ebpfnet_link_close(held);
}
END_TEST

/* 63 fit (measured on 7.3): the kernel's 64 places end with an empty one. */
START_TEST(test_full)
{
	static const char *const names[] = { "nk_next", "nk_pass", "nk_drop", "nk_redirect",
					     "sign_1",	"sign_2",  "sign_3",  "sign_4" };
	struct ebpfnet_link *links[65];
	struct ebpfnet_object *objects[8];
	int n, ret = 0;

	make_pair(NULL);
	for (n = 0; n < 64; n++) {
		struct ebpfnet_program *prog;

		if (n % 8 == 0)
			load(&objects[n / 8]);
		ASSERT_OK(ebpfnet_object_program(objects[n / 8], names[n % 8], &prog, &err), err);
		ret = attach_to(prog, EBPFNET_NETKIT_PRIMARY, &links[n]);
		if (ret < 0)
			break;
	}
	ck_assert_int_eq(n, 63);
	ASSERT_FAILS(ret, err, -ERANGE, EBPFNET_ERROR_BUSY, "63 programs, all that it takes");
	ck_assert_ptr_null(links[63]);
	while (n)
		ebpfnet_link_close(links[--n]);
	for (int i = 0; i < 8; i++)
		ebpfnet_object_close(objects[i]);
}
END_TEST

static int create(const struct ebpfnet_netkit_create_opts *o)
{
	pair.sz = sizeof(pair);
	return ebpfnet_netkit_create(ctx, o, &pair, &err);
}

static bool is_there(const char *ns, const char *name)
{
	return test_shell("ip -n %s link show %s >/dev/null 2>&1", ns, name) == 0;
}

START_TEST(test_create)
{
	int fds = test_open_fds();
	char flags[16];

	/* All defaults: the kernel's names, both here, L3. */
	test_net_enter(net.near_fd);
	ASSERT_OK(create(NULL), err);
	test_net_enter(-1);
	ck_assert(is_there(net.near, pair.name) && is_there(net.near, pair.peer_name));
	ck_assert_str_ne(pair.name, pair.peer_name);
	ck_assert_uint_ne(pair.ifindex, pair.peer_ifindex);
	test_shell_output(flags, sizeof(flags), "ip -n %s link show %s | grep -o NOARP", net.near,
			  pair.name);
	ck_assert_str_eq(flags, "NOARP\n");
	delete_pair();
	ck_assert(!is_there(net.near, pair.name) && !is_there(net.near, pair.peer_name));
	EBPFNET_OPTS(ebpfnet_netkit_create_opts, o);
	o.netns_fd = net.near_fd;
	o.peer_netns_fd = net.far_fd;
	o.mode = EBPFNET_NETKIT_L2;
	o.name = "nk-a";
	ASSERT_OK(create(&o), err);
	ck_assert_str_eq(pair.name, "nk-a");
	ck_assert(is_there(net.near, "nk-a") && is_there(net.far, pair.peer_name));
	ck_assert_int_ne(test_shell("ip -n %s link show nk-a | grep -q NOARP", net.near), 0);
	ASSERT_FAILS(create(&o), err, -EEXIST, EBPFNET_ERROR_BUSY, "name exists");
	ck_assert_int_eq(test_open_fds(), fds);
}
END_TEST

START_TEST(test_create_refused)
{
	struct {
		struct ebpfnet_netkit_create_opts o;
		uint64_t newer;
	} tail = { .o = { .sz = sizeof(tail) }, .newer = 1 };
	struct ebpfnet_netkit_info tiny = { .sz = 0 };

	ASSERT_FAILS(create(&tail.o), err, -E2BIG, EBPFNET_ERROR_INVALID, "knows");
	ASSERT_FAILS(ebpfnet_netkit_create(ctx, NULL, &tiny, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "sz");
	EBPFNET_OPTS(ebpfnet_netkit_create_opts, o);
	o.netns_fd = net.near_fd;
	o.name = "a-name-of-sixteen";
	ASSERT_FAILS(create(&o), err, -EINVAL, EBPFNET_ERROR_INVALID, "1 to 15 characters");
	o.name = "a/b"; /* what only the kernel refuses, in its words if it has any */
	ASSERT_FAILS(create(&o), err, -EINVAL, EBPFNET_ERROR_INVALID, "create netkit a/b");
	o.name = NULL;
	o.mode = 2;
	ASSERT_FAILS(create(&o), err, -EINVAL, EBPFNET_ERROR_INVALID, "mode 2");
	o.mode = 0;
	o.headroom = 65536;
	ASSERT_FAILS(create(&o), err, -EINVAL, EBPFNET_ERROR_INVALID, "65536");
	o.headroom = 0;
	o.peer_netns_fd = 999;
	ASSERT_FAILS(create(&o), err, -EBADF, EBPFNET_ERROR_INVALID, "not an open descriptor");
	o.peer_netns_fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	ASSERT_FAILS(create(&o), err, -EINVAL, EBPFNET_ERROR_INVALID, "not a network namespace");
	close(o.peer_netns_fd);
	ck_assert_int_ne(test_shell("ip -n %s link | grep -q ': nk'", net.near), 0);
}
END_TEST

/* The mark of a datagram as the program at the primary sees it. */
static uint64_t mark_seen(const struct ebpfnet_netkit_create_opts *o)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct ebpfnet_link *link;
	int fd, mark = 42;

	make_pair(o);
	ASSERT_OK(attach_to(pass, EBPFNET_NETKIT_PRIMARY, &link), err);
	inet_pton(AF_INET, POD4, &to.sin_addr);
	test_net_enter(net.near_fd);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	test_net_enter(-1);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	put(MARK, 0);
	ck_assert_int_eq(sendto(fd, "x", 1, 0, (void *)&to, sizeof(to)), 1);
	close(fd);
	assert_seen(PASS, 1, 1);
	ebpfnet_link_close(link);
	delete_pair();
	return take(MARK);
}

START_TEST(test_scrub)
{
	EBPFNET_OPTS(ebpfnet_netkit_create_opts, o);
	ck_assert_uint_eq(mark_seen(&o), 0);
	o.netns_fd = net.near_fd;
	o.scrub = EBPFNET_NETKIT_SCRUB_NONE;
	if (create(&o) < 0) {
		const char *since = ebpfnet_error_min_kernel(err);

		ck_assert_str_eq(since ? since : "", "6.12");
		ASSERT_FAILS(-EOPNOTSUPP, err, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
			     "scrub needs Linux 6.12");
		ck_assert_int_ne(test_shell("ip -n %s link | grep -q ': nk'", net.near), 0);
		TEST_SKIP_CASE("needs scrub (6.12), which is refused as it should be");
	}
	delete_pair();
	ck_assert_uint_eq(mark_seen(&o), 42);
	/* That of the other direction is its own. */
	o.scrub = EBPFNET_NETKIT_SCRUB_DEFAULT;
	o.peer_scrub = EBPFNET_NETKIT_SCRUB_NONE;
	ck_assert_uint_eq(mark_seen(&o), 0);
}
END_TEST

START_TEST(test_headroom)
{
	EBPFNET_OPTS(ebpfnet_netkit_create_opts, o);
	o.headroom = 128;
	o.tailroom = 64;
	o.netns_fd = net.near_fd;
	if (create(&o) < 0) {
		const char *since = ebpfnet_error_min_kernel(err);

		ck_assert_str_eq(since ? since : "", "6.14");
		ASSERT_FAILS(-EOPNOTSUPP, err, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
			     "headroom needs Linux 6.14");
		ck_assert_int_ne(test_shell("ip -n %s link | grep -q ': nk'", net.near), 0);
		TEST_SKIP_CASE("needs headroom (6.14), which is refused as it should be");
	}
	delete_pair();
	make_pair(&o);
	for (int kind = 0; kind < TRAFFIC_KINDS; kind++)
		ck_assert_int_eq(send_from(&sides[0], kind), N);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_life,	     test_device_removed, test_refused_devices,
		test_refused_places, test_full,		  test_create,
		test_create_refused, test_scrub,	  test_headroom,
	};

	return netkit_main("netkit_life", tests, sizeof(tests) / sizeof(*tests));
}
