// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Finding a cgroup, and every refusal with its reason and remedy. */
#include "cgroup_fixture.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

static struct ebpfnet_program *prog;

static int attach(const char *cgroup, const struct ebpfnet_cgroup_opts *o)
{
	struct ebpfnet_link *link;
	int ret = ebpfnet_cgroup_attach(prog, cgroup, 0, o, &link, &err);

	ck_assert_int_eq(ret == 0, link != NULL);
	ebpfnet_link_close(link);
	return ret;
}

static uint64_t inode(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_ino;
}

/* Attaches and says to which cgroup. */
static uint64_t goes_to(const char *cgroup, const struct ebpfnet_cgroup_opts *o)
{
	struct ebpfnet_link *link;
	uint64_t id;

	ASSERT_OK(ebpfnet_cgroup_attach(cg_program("device"), cgroup, 0, o, &link, &err), err);
	id = cg_info(link).cgroup_id;
	ebpfnet_link_close(link);
	return id;
}

START_TEST(test_paths)
{
	char slashes[512];

	EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
	ck_assert_uint_eq(goes_to(cg.path, NULL), inode(cg.path));
	ck_assert_uint_eq(goes_to(cg.name, NULL), inode(cg.path));
	snprintf(slashes, sizeof(slashes), "%s//.", cg.name);
	ck_assert_uint_eq(goes_to(slashes, NULL), inode(cg.path));
	test_cgroup_make(&cg, "a b\\c");
	snprintf(slashes, sizeof(slashes), "%s/a b\\c", cg.name);
	ck_assert_uint_ne(goes_to(slashes, NULL), inode(cg.path));
	ck_assert_uint_eq(goes_to("", NULL), inode(cg.mount));
	ck_assert_uint_eq(goes_to("/", NULL), inode(cg.mount));
	o.cgroup_fd = cg.fd;
	ck_assert_uint_eq(goes_to(NULL, &o), inode(cg.path));
}
END_TEST

START_TEST(test_no_cgroup)
{
	char path[8192];

	prog = cg_program("sock_create");
	ASSERT_FAILS(attach("ebn-nowhere", NULL), err, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "mkdir ");
	ASSERT_FAILS(attach("/ebn-nowhere", NULL), err, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
		     "without the leading slash");
	ASSERT_FAILS(attach("/tmp", NULL), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "/tmp is not a cgroup");
	ASSERT_FAILS(attach("/tmp", NULL), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "cgroup v2 is mounted at");
	snprintf(path, sizeof(path), "%s/cgroup.procs", cg.name);
	ASSERT_FAILS(attach(path, NULL), err, -EINVAL, EBPFNET_ERROR_INVALID, "not a folder");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ASSERT_FAILS(attach(path, NULL), err, -ENAMETOOLONG, EBPFNET_ERROR_INVALID, "");
}
END_TEST

START_TEST(test_cgroup_v1)
{
	char folder[64], words[128];
	int ret;

	prog = cg_program("sock_create");
	snprintf(folder, sizeof(folder), "/tmp/ebn-cgroup1-%d", getpid());
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	/* A named hierarchy without controllers can be mounted beside anything. */
	ret = mount("none", folder, "cgroup", 0, "none,name=ebn-test");
	if (ret) {
		rmdir(folder);
		TEST_SKIP_CASE("this kernel has no cgroup v1");
	}
	snprintf(words, sizeof(words), "%s belongs to cgroup v1", folder);
	ret = attach(folder, NULL);
	umount(folder);
	rmdir(folder);
	ASSERT_FAILS(ret, err, -EINVAL, EBPFNET_ERROR_INVALID, words);
}
END_TEST

START_TEST(test_bad_fd)
{
	EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
	prog = cg_program("sock_create");
	ASSERT_FAILS(attach(NULL, &o), err, -EINVAL, EBPFNET_ERROR_INVALID, "neither a path nor");
	ASSERT_FAILS(attach(NULL, NULL), err, -EINVAL, EBPFNET_ERROR_INVALID, "root cgroup");
	o.cgroup_fd = 999;
	ASSERT_FAILS(attach(NULL, &o), err, -EBADF, EBPFNET_ERROR_INVALID, "not an open");
	o.cgroup_fd = -1;
	ASSERT_FAILS(attach(NULL, &o), err, -EBADF, EBPFNET_ERROR_INVALID, "cgroup_fd -1");
	o.cgroup_fd = ebpfnet_program_fd(prog);
	ASSERT_FAILS(attach(NULL, &o), err, -EBADF, EBPFNET_ERROR_INVALID, "is not a cgroup");
	o.cgroup_fd = cg.fd;
	ASSERT_FAILS(attach(cg.name, &o), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "by path and by cgroup_fd");
}
END_TEST

START_TEST(test_removed)
{
	char path[512];

	for (uint32_t via = EBPFNET_VIA_LINK; via <= EBPFNET_VIA_PROG_ATTACH; via++) {
		EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
		if (via != EBPFNET_VIA_LINK && via != EBPFNET_VIA_PROG_ATTACH)
			continue;
		o.via = via;
		prog = cg_program("sock_create");
		test_cgroup_make(&cg, "below");
		snprintf(path, sizeof(path), "%s/below", cg.path);
		o.cgroup_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_gt(o.cgroup_fd, 0);
		test_cgroup_remove(&cg, "below");
		ASSERT_FAILS(attach(NULL, &o), err, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
			     "was removed");
		close(o.cgroup_fd);
	}
}
END_TEST

static int attach_to(const char *name, uint32_t hook)
{
	struct ebpfnet_link *link;
	int ret = ebpfnet_cgroup_attach(cg_program(name), cg.name, hook, NULL, &link, &err);

	ck_assert_int_eq(ret == 0, link != NULL);
	ebpfnet_link_close(link);
	return ret;
}

START_TEST(test_wrong_program)
{
	struct ebpfnet_object *unloaded;

	ASSERT_FAILS(attach_to("not_for_cgroups", 0), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "which no hook of a cgroup takes");
	ASSERT_FAILS(attach_to("not_for_cgroups", EBPFNET_CGROUP_CONNECT4), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "SEC(\"cgroup/connect4\")");
	ASSERT_FAILS(attach_to("connect6", EBPFNET_CGROUP_CONNECT4), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "was loaded for connect6, not connect4");
	ASSERT_FAILS(attach_to("sock_create", EBPFNET_CGROUP_POST_BIND4), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "SEC(\"cgroup/post_bind4\")");
	ASSERT_FAILS(attach_to("tcp_events", EBPFNET_CGROUP_DEVICE), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "SEC(\"cgroup/dev\")");
	ASSERT_FAILS(attach_to("sock_create", 99), err, -EINVAL, EBPFNET_ERROR_INVALID, "hook 99");
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("cgroup"), NULL, &unloaded, &err), err);
	ASSERT_OK(ebpfnet_object_program(unloaded, "connect4", &prog, &err), err);
	ASSERT_FAILS(attach(cg.name, NULL), err, -EINVAL, EBPFNET_ERROR_INVALID, "is not loaded");
	ebpfnet_object_close(unloaded);
}
END_TEST

/* What a program fits is found out without its section: also for one that came by fd. */
START_TEST(test_adopted_program)
{
	struct ebpfnet_program *adopted;
	struct ebpfnet_link *link;

	ASSERT_OK(ebpfnet_program_open_fd(ctx, ebpfnet_program_fd(cg_program("getsockname6")),
					  &adopted, &err),
		  err);
	ASSERT_OK(ebpfnet_cgroup_attach(adopted, cg.name, 0, NULL, &link, &err), err);
	ck_assert_uint_eq(cg_info(link).hook, EBPFNET_CGROUP_GETSOCKNAME6);
	ebpfnet_link_close(link);
	ebpfnet_program_close(adopted);
	ASSERT_OK(ebpfnet_program_open_fd(ctx, ebpfnet_program_fd(cg_program("skb_egress")),
					  &adopted, &err),
		  err);
	ASSERT_FAILS(ebpfnet_cgroup_attach(adopted, cg.name, 0, NULL, &link, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "more than one hook");
	ebpfnet_program_close(adopted);
}
END_TEST

START_TEST(test_bad_options)
{
	struct ebpfnet_link *other = cg_attach("first", EBPFNET_CGROUP_SOCK_CREATE);
	struct {
		struct ebpfnet_cgroup_opts o;
		uint64_t newer;
	} big = { .o = { .sz = sizeof(big) }, .newer = 1 };

	EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
	prog = cg_program("sock_create");
	ASSERT_FAILS(attach(cg.name, &big.o), err, -E2BIG, EBPFNET_ERROR_INVALID, "knows");
	o.via = EBPFNET_VIA_NETLINK;
	ASSERT_FAILS(attach(cg.name, &o), err, -EINVAL, EBPFNET_ERROR_INVALID, "via 2");
	o.via = 0;
	o.flags = 1u << 31;
	ASSERT_FAILS(attach(cg.name, &o), err, -EINVAL, EBPFNET_ERROR_INVALID, "0x80000000");
	o.flags = 0;
	o.anchor = EBPFNET_ANCHOR_AFTER + 1;
	ASSERT_FAILS(attach(cg.name, &o), err, -EINVAL, EBPFNET_ERROR_INVALID, "anchor 4");
	o.anchor = EBPFNET_ANCHOR_BEFORE;
	ASSERT_FAILS(attach(cg.name, &o), err, -EINVAL, EBPFNET_ERROR_INVALID, "what is not said");
	o.anchor_link = other;
	o.anchor_program = cg_program("first");
	ASSERT_FAILS(attach(cg.name, &o), err, -EINVAL, EBPFNET_ERROR_INVALID, "both set");
	o.anchor = EBPFNET_ANCHOR_FIRST;
	o.anchor_program = NULL;
	ASSERT_FAILS(attach(cg.name, &o), err, -EINVAL, EBPFNET_ERROR_INVALID, "beside nothing");
	o.anchor = EBPFNET_ANCHOR_AFTER;
	ASSERT_OK(ebpfnet_link_detach(other, &err), err);
	ASSERT_FAILS(attach(cg.name, &o), err, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "was detached");
	ebpfnet_link_close(other);
}
END_TEST

START_TEST(test_twice)
{
	struct ebpfnet_link *one, *two;

	EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
	prog = cg_program("sock_create");
	o.via = EBPFNET_VIA_PROG_ATTACH;
	ASSERT_OK(ebpfnet_cgroup_attach(prog, cg.name, 0, &o, &one, &err), err);
	ASSERT_FAILS(attach(cg.name, &o), err, -EEXIST, EBPFNET_ERROR_BUSY,
		     "program sock_create is attached there");
	/* A link is one more holder. */
	ASSERT_OK(ebpfnet_cgroup_attach(prog, cg.name, 0, NULL, &two, &err), err);
	close(cg_socket(AF_INET, SOCK_DGRAM));
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SOCK_CREATE), 2);
	ebpfnet_link_close(one);
	ck_assert_uint_eq(cg_info(two).defunct, 0);
	ebpfnet_link_close(two);
}
END_TEST

START_TEST(test_full)
{
	struct ebpfnet_link *links[64];

	prog = cg_program("sock_create");
	for (int i = 0; i < 64; i++)
		ASSERT_OK(ebpfnet_cgroup_attach(prog, cg.name, 0, NULL, &links[i], &err), err);
	close(cg_socket(AF_INET, SOCK_DGRAM));
	ck_assert_uint_eq(cg_seen(EBPFNET_CGROUP_SOCK_CREATE), 64);
	ASSERT_FAILS(attach(cg.name, NULL), err, -E2BIG, EBPFNET_ERROR_BUSY, "64 programs");
	for (int i = 0; i < 64; i++)
		ebpfnet_link_close(links[i]);
}
END_TEST

/* Programs of others that suffer no more beside them, or below them. */
START_TEST(test_closed)
{
	static const uint32_t closed[] = { 0, BPF_F_ALLOW_OVERRIDE };
	int other = ebpfnet_program_fd(cg_program("first"));
	char below[96];

	test_cgroup_make(&cg, "below");
	snprintf(below, sizeof(below), "%s/below", cg.name);
	prog = cg_program("sock_create");
	for (int i = 0; i < 2; i++) {
		for (uint32_t via = EBPFNET_VIA_LINK; via <= EBPFNET_VIA_PROG_ATTACH; via += 4) {
			EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
			o.via = via;
			ck_assert_int_eq(bpf_prog_attach(other, cg.fd, BPF_CGROUP_INET_SOCK_CREATE,
							 closed[i]),
					 0);
			ASSERT_FAILS(attach(cg.name, &o), err, -EBUSY, EBPFNET_ERROR_BUSY,
				     "without ALLOW_MULTI");
			if (closed[i])
				ASSERT_OK(attach(below, &o), err);
			else
				ASSERT_FAILS(attach(below, &o), err, -EBUSY, EBPFNET_ERROR_BUSY,
					     "ALLOW_MULTI");
			ck_assert_int_eq(
				bpf_prog_detach2(other, cg.fd, BPF_CGROUP_INET_SOCK_CREATE), 0);
			ASSERT_OK(attach(cg.name, &o), err);
		}
	}
}
END_TEST

/* Ours suffer others beside them; the kernel keeps away those that would suffer none. */
START_TEST(test_others_are_kept_away)
{
	int other = ebpfnet_program_fd(cg_program("first"));

	for (uint32_t via = EBPFNET_VIA_LINK; via <= EBPFNET_VIA_PROG_ATTACH; via += 4) {
		struct ebpfnet_link *link;

		EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
		o.via = via;
		ASSERT_OK(ebpfnet_cgroup_attach(cg_program("sock_create"), cg.name, 0, &o, &link,
						&err),
			  err);
		errno = 0;
		ck_assert_int_lt(bpf_prog_attach(other, cg.fd, BPF_CGROUP_INET_SOCK_CREATE, 0), 0);
		ck_assert_int_eq(errno, EPERM);
		ck_assert_int_eq(bpf_prog_attach(other, cg.fd, BPF_CGROUP_INET_SOCK_CREATE,
						 BPF_F_ALLOW_MULTI),
				 0);
		ebpfnet_link_close(link);
		ck_assert_int_eq(bpf_prog_detach2(other, cg.fd, BPF_CGROUP_INET_SOCK_CREATE), 0);
	}
}
END_TEST

static int unprivileged(void *data)
{
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_link *link;

	CHILD_NEEDS(setresuid(65534, 65534, 65534) == 0);
	CHILD_NEEDS(ebpfnet_cgroup_attach(data, cg.name, 0, NULL, &link, &e) == -EPERM);
	CHILD_NEEDS(ebpfnet_error_kind(e) == EBPFNET_ERROR_PERMISSION);
	CHILD_NEEDS(test_error_says(e, "CAP_NET_ADMIN"));
	ebpfnet_error_free(e);
	return 0;
}

START_TEST(test_unprivileged)
{
	ck_assert_int_eq(test_in_child(unprivileged, cg_program("skb_egress")), 0);
}
END_TEST

CG_MAIN("cgroup_refuse", test_paths, test_no_cgroup, test_cgroup_v1, test_bad_fd, test_removed,
	test_wrong_program, test_adopted_program, test_bad_options, test_twice, test_full,
	test_closed, test_others_are_kept_away, test_unprivileged)
