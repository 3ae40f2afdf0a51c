// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"

static struct test_cgroup *open_cgroup;
static char own_mount[64]; /* mounted by us; "": not */
static char home[256];	   /* the process's cgroup at the start, below the mount point */

static void close_at_exit(void)
{
	if (open_cgroup)
		test_cgroup_close(open_cgroup);
	if (*own_mount) {
		umount2(own_mount, MNT_DETACH);
		rmdir(own_mount);
	}
}

static void find_mount(char *mount_point, size_t size)
{
	if (test_shell_output(mount_point, size,
			      "awk '$9 == \"cgroup2\" || $8 == \"cgroup2\" {print $5; exit}' "
			      "/proc/self/mountinfo") == 0 &&
	    *mount_point == '/') {
		mount_point[strcspn(mount_point, "\n")] = '\0';
		return;
	}
	if (!*own_mount) {
		snprintf(own_mount, sizeof(own_mount), "/tmp/ebn-cgroup2-%d", getpid());
		mkdir(own_mount, 0700);
		if (mount("none", own_mount, "cgroup2", 0, NULL) < 0) {
			rmdir(own_mount);
			*own_mount = '\0';
			test_skip("cgroup v2 is not mounted and cannot be");
		}
	}
	snprintf(mount_point, size, "%s", own_mount);
}

static void move_to(const char *folder)
{
	char path[640];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s", path);
	ck_assert_msg(write(fd, "0", 1) == 1, "%s: errno %d", path, errno);
	close(fd);
}

void test_cgroup_open(struct test_cgroup *cg)
{
	static bool registered;
	int fd;

	memset(cg, 0, sizeof(*cg));
	find_mount(cg->mount, sizeof(cg->mount));
	if (!*home) {
		test_shell_output(home, sizeof(home), "sed -n 's/^0:://p' /proc/self/cgroup");
		home[strcspn(home, "\n")] = '\0';
	}
	snprintf(cg->name, sizeof(cg->name), "ebn-cg-%d", getpid());
	snprintf(cg->path, sizeof(cg->path), "%s/%s", cg->mount, cg->name);
	ck_assert_msg(mkdir(cg->path, 0755) == 0, "%s: errno %d", cg->path, errno);
	open_cgroup = cg;
	if (!registered)
		atexit(close_at_exit);
	registered = true;
	fd = open(cg->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cg->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
}

void test_cgroup_close(struct test_cgroup *cg)
{
	test_cgroup_leave(cg);
	if (cg->fd > 0)
		close(cg->fd);
	cg->fd = 0;
	/* The kernel needs a moment after the last process has left. */
	test_shell("for i in 1 2 3 4 5 6 7 8 9 10; do find '%s' -depth -type d -exec rmdir {} \\; "
		   "2>/dev/null; [ -e '%s' ] || break; sleep 0.05; done",
		   cg->path, cg->path);
	open_cgroup = NULL;
}

void test_cgroup_enter(const struct test_cgroup *cg, const char *below)
{
	char folder[512];

	snprintf(folder, sizeof(folder), "%s/%s", cg->path, below);
	move_to(folder);
}

void test_cgroup_leave(const struct test_cgroup *cg)
{
	char folder[640];

	snprintf(folder, sizeof(folder), "%s%s", cg->mount, home);
	move_to(folder);
}

void test_cgroup_make(const struct test_cgroup *cg, const char *below)
{
	char folder[512];

	snprintf(folder, sizeof(folder), "%s/%s", cg->path, below);
	ck_assert_msg(mkdir(folder, 0755) == 0, "%s: errno %d", folder, errno);
}

void test_cgroup_remove(const struct test_cgroup *cg, const char *below)
{
	char folder[512];

	snprintf(folder, sizeof(folder), "%s/%s", cg->path, below);
	ck_assert_msg(rmdir(folder) == 0, "%s: errno %d", folder, errno);
}
