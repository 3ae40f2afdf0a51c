// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Pins: made whole or not at all, found again, and nothing removed that is no pin. */
#include "load_fixture.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct ebpfnet_object *obj;
static struct ebpfnet_program *prog;
static struct ebpfnet_map *map;
static char root[64]; /* /sys/fs/bpf/ebpfnet/test-PID */

static const char *in_root(const char *path)
{
	static char full[2 * PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	return full;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

START_TEST(pin_and_open)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_program *found;
	struct ebpfnet_map *found_map;
	int fds = test_open_fds();

	ASSERT_OK(ebpfnet_program_pin(prog, in_root("a/b/prog"), &err), err);
	ASSERT_OK(ebpfnet_map_pin(map, in_root("a/map"), &err), err);
	ck_assert(exists(in_root("a/map")));
	ASSERT_OK(ebpfnet_program_open_pinned(ctx, in_root("a/b/prog"), &found, &err), err);
	ck_assert_str_eq(ebpfnet_program_name(found), "ldt_count");
	ASSERT_OK(ebpfnet_map_open_pinned(ctx, in_root("a/map"), &found_map, &err), err);
	ck_assert_str_eq(ebpfnet_map_name(found_map), "counts");
	ebpfnet_program_close(found);
	ebpfnet_map_close(found_map);

	/* The other noun. */
	found = (void *)1;
	ASSERT_FAILS(ebpfnet_program_open_pinned(ctx, in_root("a/map"), &found, &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "it is a map, not a program");
	ck_assert_ptr_null(found);
	found_map = (void *)1;
	ASSERT_FAILS(ebpfnet_map_open_pinned(ctx, in_root("a/b/prog"), &found_map, &err), err,
		     -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "it is a program, not a map");
	ck_assert_ptr_null(found_map);

	/* Taken: by what. */
	ASSERT_FAILS(ebpfnet_program_pin(prog, in_root("a/map"), &err), err, -EEXIST,
		     EBPFNET_ERROR_BUSY, "a/map is taken: it holds a map");
	ASSERT_FAILS(ebpfnet_map_pin(map, in_root("a/b/prog"), &err), err, -EEXIST,
		     EBPFNET_ERROR_BUSY, "a/b/prog is taken: it holds a program");
	ASSERT_FAILS(ebpfnet_map_pin(map, in_root("a/b"), &err), err, -EEXIST, EBPFNET_ERROR_BUSY,
		     "it holds something else");
	/* A pin is no folder. */
	ck_assert_int_eq(ebpfnet_map_pin(map, in_root("a/map/below"), &err), -ENOTDIR);
	ebpfnet_error_free(err);
	err = NULL;

	/* Folders go when nothing is in them any more. */
	ASSERT_OK(ebpfnet_pin_remove(ctx, in_root("a/b/prog"), &err), err);
	ck_assert(!exists(in_root("a/b")));
	ck_assert(exists(in_root("a/map")));
	ASSERT_OK(ebpfnet_pin_remove(ctx, in_root("a/map"), &err), err);
	ck_assert(!exists(root));
	ck_assert_int_eq(test_open_fds(), fds);
}
END_TEST

/* BPFFS/ebpfnet/APPLICATION/NETNS/PATH: no two applications and no two namespaces meet. */
static int relative(void *data)
{
	struct ebpfnet_program *mine, *found;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *other;
	char path[2][128];
	struct stat ns;

	(void)data;
	EBPFNET_OPTS(ebpfnet_ctx_opts, o);
	o.app = "pin-test_1";
	CHILD_NEEDS(ebpfnet_ctx_new(&o, &other, &err) == 0);
	CHILD_NEEDS(ebpfnet_program_open_fd(other, ebpfnet_program_fd(prog), &mine, &err) == 0);
	for (int i = 0; i < 2; i++) {
		CHILD_NEEDS(stat("/proc/self/ns/net", &ns) == 0);
		snprintf(path[i], sizeof(path[i]), "/sys/fs/bpf/ebpfnet/pin-test_1/%llu/a/prog",
			 (unsigned long long)ns.st_ino);
		CHILD_NEEDS(!exists(path[i]));
		CHILD_NEEDS(ebpfnet_program_open_pinned(other, "a/prog", &found, &err) == -ENOENT);
		ebpfnet_error_free(err);
		err = NULL;
		CHILD_NEEDS(ebpfnet_program_pin(mine, "a/prog", &err) == 0 && exists(path[i]));
		CHILD_NEEDS(ebpfnet_program_open_pinned(other, "a/prog", &found, &err) == 0);
		ebpfnet_program_close(found);
		/* Another application, whose name is its file's. */
		CHILD_NEEDS(ebpfnet_program_open_pinned(ctx, "a/prog", &found, &err) == -ENOENT);
		CHILD_NEEDS(test_error_says(err, "/sys/fs/bpf/ebpfnet/kernel_pin_test/"));
		ebpfnet_error_free(err);
		err = NULL;
		CHILD_NEEDS(i == 1 || unshare(CLONE_NEWNET) == 0);
	}
	CHILD_NEEDS(ebpfnet_pin_remove(other, "a/prog", &err) == 0);
	CHILD_NEEDS(exists(path[0]) && !exists(path[1]));
	CHILD_NEEDS(ebpfnet_pin_remove(other, path[0], &err) == 0);
	CHILD_NEEDS(!exists("/sys/fs/bpf/ebpfnet/pin-test_1"));
	CHILD_NEEDS(ebpfnet_program_pin(mine, "../up", &err) == -EINVAL);
	CHILD_NEEDS(test_error_says(err, "\"..\""));
	ebpfnet_error_free(err);
	ebpfnet_program_close(mine);
	ebpfnet_ctx_unref(other);
	return 0;
}

START_TEST(relative_paths)
{
	ck_assert_int_eq(test_in_child(relative, NULL), 0);
}
END_TEST

/* Two processes pin into one folder and leave it empty again: neither removes it from below the
 * other. */
static int pin_and_remove(void *data)
{
	struct ebpfnet_error *err = NULL;

	for (int i = 0; i < 3000; i++) {
		CHILD_NEEDS(ebpfnet_program_pin(prog, in_root(data), &err) == 0);
		CHILD_NEEDS(ebpfnet_pin_remove(ctx, in_root(data), &err) == 0);
	}
	return 0;
}

START_TEST(two_processes)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(pin_and_remove("deep/folder/one"));
	ck_assert_int_eq(pin_and_remove("deep/folder/two"), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(!exists(root));
}
END_TEST

START_TEST(what_cannot_be_opened)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_program *found = (void *)1;

	ASSERT_FAILS(ebpfnet_program_open_pinned(ctx, in_root("none"), &found, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "none");
	ck_assert_ptr_null(found);
	ASSERT_FAILS(ebpfnet_program_open_pinned(ctx, "/etc/passwd", &found, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "not on a bpffs");
	ASSERT_FAILS(ebpfnet_program_open_pinned(ctx, "", &found, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "empty");
	ASSERT_FAILS(ebpfnet_program_open_pinned(ctx, "/sys/fs/bpf", &found, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "is not a pin");
	ck_assert_ptr_null(found);
}
END_TEST

/* Every one of them leaves no folder behind. */
START_TEST(what_cannot_be_pinned)
{
	struct ebpfnet_object *unloaded = ldt_open("load_small");
	struct ebpfnet_error *err = NULL;
	char name[2 * PATH_MAX];
	size_t n;

	ASSERT_FAILS(ebpfnet_program_pin(prog, in_root("x/y/prog.v1"), &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "no dot");
	ck_assert(!exists(root));
	ASSERT_FAILS(ebpfnet_program_pin(prog, in_root("x/v1.0/prog"), &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "no dot");
	ck_assert(!exists(root));
	ASSERT_FAILS(ebpfnet_program_pin(ldt_program(unloaded, "ldt_count"), in_root("prog"), &err),
		     err, -EBADF, EBPFNET_ERROR_INVALID, "it is not loaded");
	ASSERT_FAILS(ebpfnet_map_pin(ldt_map(unloaded, "counts"), in_root("map"), &err), err,
		     -EBADF, EBPFNET_ERROR_INVALID, "it is not loaded");
	ck_assert(!exists(root));
	ASSERT_FAILS(ebpfnet_program_pin(prog, "", &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "the path is empty");
	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[PATH_MAX] = '\0';
	ASSERT_FAILS(ebpfnet_program_pin(prog, name, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "longer than 4095");
	/* One name of more than 255. */
	n = (size_t)snprintf(name, sizeof(name), "%s/x/", root);
	memset(name + n, 'n', 256);
	name[n + 256] = '\0';
	ck_assert_int_eq(ebpfnet_program_pin(prog, name, &err), -ENAMETOOLONG);
	ebpfnet_error_free(err);
	err = NULL;
	ck_assert(!exists(root));
	/* Sixteen folders can be made; the root's first is there if another application pins. */
	n = (size_t)snprintf(name, sizeof(name), "%s", root);
	for (int i = 0; i < 14; i++)
		n += (size_t)snprintf(name + n, sizeof(name) - n, "/%d", i);
	strcpy(name + n, "/prog");
	ASSERT_OK(ebpfnet_program_pin(prog, name, &err), err);
	ASSERT_OK(ebpfnet_pin_remove(ctx, name, &err), err);
	ck_assert(!exists(root));
	strcpy(name + n, "/and/more/prog");
	ASSERT_FAILS(ebpfnet_program_pin(prog, name, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "more than 16 folders");
	ck_assert(!exists(root));
	ASSERT_FAILS(ebpfnet_program_pin(prog, "/tmp/ebpfnet-no-such-folder/prog", &err), err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "mount -t bpf bpf /sys/fs/bpf");
	ck_assert(!exists("/tmp/ebpfnet-no-such-folder"));
	ASSERT_FAILS(ebpfnet_program_pin(prog, "/tmp/prog", &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "/tmp is not on a bpffs");
	ASSERT_FAILS(ebpfnet_program_pin(prog, "/prog", &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "/ is not on a bpffs");
	ck_assert(!exists("/tmp/prog") && !exists("/prog"));
	ebpfnet_object_close(unloaded);
}
END_TEST

/* Folders that were there before stay, though a pin in them failed. */
START_TEST(folders_of_others)
{
	struct ebpfnet_error *err = NULL;
	char elsewhere[64];

	test_shell("mkdir -p %s", in_root("theirs"));
	ASSERT_FAILS(ebpfnet_program_pin(prog, in_root("theirs/ours/a.b"), &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "no dot");
	ck_assert(exists(in_root("theirs")));
	ck_assert(!exists(in_root("theirs/ours")));
	/* Empty path components and a slash at the end. */
	ASSERT_OK(ebpfnet_program_pin(prog, in_root("theirs//ours//prog"), &err), err);
	ck_assert(exists(in_root("theirs/ours/prog")));
	ASSERT_OK(ebpfnet_pin_remove(ctx, in_root("theirs/ours/prog"), &err), err);
	ck_assert_int_lt(ebpfnet_program_pin(prog, in_root("theirs/ours/"), &err), 0);
	ebpfnet_error_free(err);
	err = NULL;
	ck_assert(!exists(in_root("theirs/ours")));
	rmdir(in_root("theirs"));
	test_shell("rmdir -p %s 2>/dev/null", root);
	/* Outside BPFFS/ebpfnet a folder may be somebody's own, also when it is empty. */
	snprintf(elsewhere, sizeof(elsewhere), "/sys/fs/bpf/theirs-ebpfnet-%d/prog", (int)getpid());
	ASSERT_OK(ebpfnet_program_pin(prog, elsewhere, &err), err);
	ASSERT_OK(ebpfnet_pin_remove(ctx, elsewhere, &err), err);
	*strrchr(elsewhere, '/') = '\0';
	ck_assert_int_eq(rmdir(elsewhere), 0);
}
END_TEST

START_TEST(what_is_not_removed)
{
	char file[] = "/tmp/ebpfnet-pin-XXXXXX";
	struct ebpfnet_error *err = NULL;
	int fd = mkstemp(file);

	close(fd);
	ASSERT_FAILS(ebpfnet_pin_remove(ctx, file, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "is not a pin");
	ck_assert(exists(file));
	unlink(file);
	ASSERT_FAILS(ebpfnet_pin_remove(ctx, in_root("none"), &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "none");
	test_shell("mkdir -p %s", root);
	ASSERT_FAILS(ebpfnet_pin_remove(ctx, root, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "is not a pin");
	/* A symbolic link to a pin is no pin. */
	ASSERT_OK(ebpfnet_program_pin(prog, in_root("prog"), &err), err);
	ck_assert_int_eq(symlink("prog", in_root("link")), 0);
	ASSERT_FAILS(ebpfnet_pin_remove(ctx, in_root("link"), &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "is not a pin");
	ck_assert(exists(in_root("prog")));
	ck_assert_int_eq(unlink(in_root("link")), 0);
	ASSERT_FAILS(ebpfnet_pin_remove(ctx, "", &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "empty");
	ASSERT_OK(ebpfnet_pin_remove(ctx, in_root("prog"), &err), err);
	ck_assert(!exists(root));
}
END_TEST

static int private_mounts(void)
{
	return unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int without_bpffs(void *data)
{
	struct ebpfnet_program *found = NULL;
	struct ebpfnet_error *err = NULL;

	(void)data;
	if (private_mounts())
		return TEST_SKIP;
	CHILD_NEEDS(umount2("/sys/fs/bpf", MNT_DETACH) == 0);
	CHILD_NEEDS(ebpfnet_program_pin(prog, "x/prog", &err) == -EINVAL);
	CHILD_NEEDS(ebpfnet_error_kind(err) == EBPFNET_ERROR_INVALID);
	CHILD_NEEDS(test_error_says(err, "/sys/fs/bpf is not on a bpffs"));
	CHILD_NEEDS(test_error_says(err, "mount -t bpf bpf /sys/fs/bpf"));
	ebpfnet_error_free(err);
	err = NULL;
	CHILD_NEEDS(ebpfnet_program_open_pinned(ctx, "x/prog", &found, &err) == -ENOENT);
	CHILD_NEEDS(!found && test_error_says(err, "mount -t bpf bpf /sys/fs/bpf"));
	ebpfnet_error_free(err);
	err = NULL;
	CHILD_NEEDS(ebpfnet_pin_remove(ctx, "x/prog", &err) == -ENOENT);
	ebpfnet_error_free(err);
	return 0;
}

/* Another root, with a slash at its end. */
static int another_root(void *data)
{
	char folder[] = "/tmp/ebpfnet-root-XXXXXX", with_slash[40];
	struct ebpfnet_program *mine, *found;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *other;

	(void)data;
	CHILD_NEEDS(mkdtemp(folder));
	if (private_mounts() || mount("bpf", folder, "bpf", 0, NULL))
		return TEST_SKIP;
	snprintf(with_slash, sizeof(with_slash), "%s/", folder);
	EBPFNET_OPTS(ebpfnet_ctx_opts, o);
	o.bpffs_root = with_slash;
	CHILD_NEEDS(ebpfnet_ctx_new(&o, &other, &err) == 0);
	CHILD_NEEDS(ebpfnet_program_open_fd(other, ebpfnet_program_fd(prog), &mine, &err) == 0);
	CHILD_NEEDS(ebpfnet_program_pin(mine, "a/prog", &err) == 0);
	CHILD_NEEDS(ebpfnet_program_open_pinned(other, "a/prog", &found, &err) == 0);
	ebpfnet_program_close(found);
	CHILD_NEEDS(chdir(folder) == 0 && exists("ebpfnet"));
	CHILD_NEEDS(ebpfnet_pin_remove(other, "a/prog", &err) == 0);
	CHILD_NEEDS(!exists("ebpfnet") && exists(folder));
	CHILD_NEEDS(ebpfnet_program_pin(mine, "/tmp/prog", &err) == -EINVAL);
	CHILD_NEEDS(test_error_says(err, folder));
	ebpfnet_error_free(err);
	ebpfnet_program_close(mine);
	ebpfnet_ctx_unref(other);
	CHILD_NEEDS(chdir("/") == 0);
	return umount(folder) || rmdir(folder);
}

START_TEST(mounts)
{
	int ret = test_in_child(without_bpffs, NULL);

	if (ret == TEST_SKIP)
		test_skip("no private mount namespace here");
	ck_assert_int_eq(ret, 0);
	ck_assert_int_eq(test_in_child(another_root, NULL), 0);
}
END_TEST

/* A link is neither a program nor a map, in hand or pinned. */
static int links(void *data)
{
	struct ebpfnet_program *found = NULL;
	struct ebpfnet_map *found_map = NULL;
	struct ebpfnet_error *err = NULL;
	int fd;

	(void)data;
	if (unshare(CLONE_NEWNET))
		return TEST_SKIP;
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = 2 /* XDP_FLAGS_SKB_MODE */);
	fd = bpf_link_create(ebpfnet_program_fd(prog), 1, BPF_XDP, &o);
	CHILD_NEEDS(fd >= 0);
	CHILD_NEEDS(ebpfnet_program_open_fd(ctx, fd, &found, &err) == -EINVAL && !found);
	CHILD_NEEDS(test_error_says(err, "it is a link, not a program"));
	ebpfnet_error_free(err);
	err = NULL;
	CHILD_NEEDS(test_shell("mkdir -p %s", root) == 0);
	CHILD_NEEDS(bpf_obj_pin(fd, in_root("link")) == 0);
	CHILD_NEEDS(ebpfnet_map_open_pinned(ctx, in_root("link"), &found_map, &err) == -EINVAL);
	CHILD_NEEDS(test_error_says(err, "it is a link, not a map"));
	ebpfnet_error_free(err);
	err = NULL;
	CHILD_NEEDS(ebpfnet_program_pin(prog, in_root("link"), &err) == -EEXIST);
	CHILD_NEEDS(test_error_says(err, "it holds a link"));
	ebpfnet_error_free(err);
	err = NULL;
	CHILD_NEEDS(ebpfnet_pin_remove(ctx, in_root("link"), &err) == 0);
	CHILD_NEEDS(!exists(root));
	return 0;
}

START_TEST(a_link)
{
	ck_assert_int_eq(test_in_child(links, NULL), 0);
}
END_TEST

/* Who may not write there. */
static int pin_as_nobody(void *data)
{
	struct ebpfnet_error *err = NULL;
	int ret;

	(void)data;
	CHILD_NEEDS(setresuid(65534, 65534, 65534) == 0);
	ret = ebpfnet_program_pin(prog, in_root("x/prog"), &err);
	test_print_error(err);
	CHILD_NEEDS(ret == -EPERM || ret == -EACCES || ret == -EINVAL);
	CHILD_NEEDS(ret == -EINVAL || ebpfnet_error_kind(err) == EBPFNET_ERROR_PERMISSION);
	ebpfnet_error_free(err);
	return 0;
}

START_TEST(without_privileges)
{
	ck_assert_int_eq(test_shell("mkdir -p %s", root), 0);
	ck_assert_int_eq(test_in_child(pin_as_nobody, NULL), 0);
	ck_assert_int_eq(test_shell("rmdir -p %s 2>/dev/null; test ! -d %s", root, root), 0);
}
END_TEST

/* Loads, pins, removes, for ever; killed at any point of it. */
static void load_and_pin(void)
{
	for (;;) {
		struct ebpfnet_object *own;

		if (ebpfnet_object_open_file(ctx, test_object("load_small"), NULL, &own, NULL) ||
		    ebpfnet_object_load(own, NULL))
			_exit(1);
		/* Several times, for loading takes longer than all of them. */
		for (int i = 0; i < 50; i++) {
			ebpfnet_program_pin(ldt_program(own, "ldt_count"), in_root("k/prog"), NULL);
			ebpfnet_map_pin(ldt_map(own, "counts"), in_root("k/map"), NULL);
			ebpfnet_pin_remove(ctx, in_root("k/prog"), NULL);
			ebpfnet_pin_remove(ctx, in_root("k/map"), NULL);
		}
		ebpfnet_object_close(own);
	}
}

#define KILLS 50

START_TEST(killed_at_any_point)
{
	unsigned int pinned = 0, random = 12345;
	int before = ldt_loaded_now();

	for (int i = 0; i < KILLS; i++) {
		struct ebpfnet_error *err = NULL;
		struct ebpfnet_program *found;
		struct ebpfnet_map *found_map;
		int status, left = 0;
		pid_t pid = fork();

		if (pid == 0)
			load_and_pin();
		ck_assert_int_gt(pid, 0);
		random = random * 1103515245 + 12345;
		usleep(2000 + random / 65536 % 40000);
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFSIGNALED(status), "the child ended with %d", status);
		/* A pin that is there is a whole one. */
		if (exists(in_root("k/prog"))) {
			ASSERT_OK(ebpfnet_program_open_pinned(ctx, in_root("k/prog"), &found, &err),
				  err);
			ck_assert_str_eq(ebpfnet_program_name(found), "ldt_count");
			ebpfnet_program_close(found);
			left = 1;
		}
		if (exists(in_root("k/map"))) {
			ASSERT_OK(ebpfnet_map_open_pinned(ctx, in_root("k/map"), &found_map, &err),
				  err);
			ck_assert_str_eq(ebpfnet_map_name(found_map), "counts");
			ebpfnet_map_close(found_map);
		}
		ck_assert_msg(ldt_loaded(before + left) == before + left,
			      "kill %d: %d programs loaded, not %d", i, ldt_loaded_now(),
			      before + left);
		pinned += (unsigned int)left;
		if (exists(in_root("k/map")))
			ASSERT_OK(ebpfnet_pin_remove(ctx, in_root("k/map"), &err), err);
		if (left)
			ASSERT_OK(ebpfnet_pin_remove(ctx, in_root("k/prog"), &err), err);
		rmdir(in_root("k"));
		rmdir(root);
		ck_assert(!exists(root));
		ck_assert_int_eq(ldt_loaded(before), before);
	}
	printf("%d kills, %u of them while the program was pinned\n", KILLS, pinned);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { pin_and_open,
				       relative_paths,
				       two_processes,
				       what_cannot_be_opened,
				       what_cannot_be_pinned,
				       folders_of_others,
				       what_is_not_removed,
				       mounts,
				       a_link,
				       without_privileges,
				       killed_at_any_point };
	int ret;

	snprintf(root, sizeof(root), "/sys/fs/bpf/ebpfnet/test-%d", (int)getpid());
	obj = ldt_start_with("load_small");
	if (ebpfnet_object_program(obj, "ldt_count", &prog, NULL) ||
	    ebpfnet_object_map(obj, "counts", &map, NULL))
		return 1;
	ret = test_run(test_suite("pin", tests, sizeof(tests) / sizeof(*tests), 200));
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	if (exists(root))
		test_shell("rm -r %s; rmdir /sys/fs/bpf/ebpfnet 2>/dev/null", root);
	return ret;
}
