// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Where cgroup v2 is mounted, and how a cgroup is opened. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "attach/cgroup.h"

/* linux/magic.h */
#define CGROUP1_MAGIC 0x27e0eb
#define CGROUP2_MAGIC 0x63677270
/* The file handle of a kernfs node is its id (include/linux/exportfs.h, Linux 5.5). */
#define KERNFS_HANDLE 0xfe

#define MOUNTINFO "/proc/self/mountinfo"
#define MOUNTINFO_MAX (16u << 20)

/* The kernel writes blanks, tabs, newlines and backslashes of a path as \040 and the like. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; to++) {
		if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] && at[3]) {
			*to = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
			at += 4;
		} else {
			*to = *at++;
		}
	}
	*to = '\0';
}

/* "38 31 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw" */
static bool is_cgroup2_line(char *line, char **root, char **point)
{
	char *save, *type = strstr(line, " - ");

	if (!type || strncmp(type, " - cgroup2 ", 11) != 0)
		return false;
	*type = '\0';
	if (!strtok_r(line, " ", &save) || !strtok_r(NULL, " ", &save) ||
	    !strtok_r(NULL, " ", &save))
		return false;
	*root = strtok_r(NULL, " ", &save);
	*point = strtok_r(NULL, " ", &save);
	return *point != NULL;
}

/* A mount can be hidden below a later one. */
static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_MAGIC;
}

int ebpfnet__cgroup_mount_point(char path[PATH_MAX])
{
	CLEANUP(free) char *text = NULL;
	char *line, *next, *root, *point;
	size_t size;
	int ret = ebpfnet__file_read(MOUNTINFO, MOUNTINFO_MAX, &text, &size);

	if (ret)
		return ret;
	*path = '\0';
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!is_cgroup2_line(line, &root, &point))
			continue;
		unescape(point);
		if (strlen(point) >= PATH_MAX || !is_cgroup2(point))
			continue;
		/* One whose root is the hierarchy's, before one that shows a part of it. */
		if (*path == '\0' || strcmp(root, "/") == 0)
			strcpy(path, point);
		if (strcmp(root, "/") == 0)
			break;
	}
	return *path ? 0 : -ENOENT;
}

/* "/sys/fs/cgroup/unified/web": the path as it is, or below the mount point. */
static int full_path(struct ebpfnet__call *call, const char *path, char full[PATH_MAX])
{
	char point[PATH_MAX];
	int ret, n;

	if (path[0] == '/' && path[1]) {
		if (strlen(path) >= PATH_MAX)
			return ebpfnet__fail(call, -ENAMETOOLONG, EBPFNET_ERROR_INVALID,
					     "the path is too long");
		strcpy(full, path);
		return 0;
	}
	ret = ebpfnet__cgroup_mount_point(point);
	if (ret) {
		ebpfnet__hint(call, "mount -t cgroup2 none /sys/fs/cgroup");
		return ebpfnet__fail(call, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
				     "no cgroup v2 is mounted");
	}
	n = path[0] && path[0] != '/' ? snprintf(full, PATH_MAX, "%s/%s", point, path)
				      : snprintf(full, PATH_MAX, "%s", point);
	if (n >= PATH_MAX)
		return ebpfnet__fail(call, -ENAMETOOLONG, EBPFNET_ERROR_INVALID,
				     "the path is too long");
	return 0;
}

static int fail_open(struct ebpfnet__call *call, const char *path, const char *full, int code)
{
	char point[PATH_MAX];

	if (code == -ENOTDIR) {
		ebpfnet__hint(call, "give the folder, not a file in it");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "%s is not a folder",
				     full);
	}
	if (code == -ENOENT && path[0] == '/' && ebpfnet__cgroup_mount_point(point) == 0)
		ebpfnet__hint(call, "without the leading slash a path is below %s", point);
	else if (code == -ENOENT)
		ebpfnet__hint(call, "mkdir %s", full);
	return ebpfnet__fail(call, code, 0, "%s: %s", full,
			     code == -ENOENT ? "there is no such cgroup" : ebpfnet_strerror(code));
}

/* Fails the call unless an fd is that of a cgroup v2. */
static int check_fd(struct ebpfnet__call *call, int fd, int code, const char *name)
{
	char point[PATH_MAX];
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return ebpfnet__fail(call, -errno, 0, "%s: %s", name, ebpfnet_strerror(errno));
	if (fs.f_type == CGROUP2_MAGIC && S_ISDIR(st.st_mode))
		return 0;
	if (ebpfnet__cgroup_mount_point(point) == 0)
		ebpfnet__hint(call, "cgroup v2 is mounted at %s", point);
	else
		ebpfnet__hint(call, "mount -t cgroup2 none /sys/fs/cgroup");
	if (fs.f_type == CGROUP1_MAGIC)
		return ebpfnet__fail(call, code, EBPFNET_ERROR_INVALID,
				     "%s belongs to cgroup v1, which has no hooks", name);
	return ebpfnet__fail(call, code, EBPFNET_ERROR_INVALID, "%s is not a cgroup", name);
}

int ebpfnet__cgroup_open(struct ebpfnet__call *call, const char *path)
{
	CLEANUP(fd) int fd = -1;
	char full[PATH_MAX];
	int ret = full_path(call, path, full);

	if (ret)
		return ret;
	fd = ebpfnet__fd_safe(open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (fd < 0)
		return fail_open(call, path, full, -errno);
	ret = check_fd(call, fd, -EINVAL, full);
	return ret ? ret : TAKE_FD(fd);
}

int ebpfnet__cgroup_adopt(struct ebpfnet__call *call, int fd)
{
	CLEANUP(fd) int dup = ebpfnet__fd_dup(fd);
	char name[32];
	int ret;

	if (dup < 0) {
		ebpfnet__hint(call, "open() the cgroup's folder");
		return ebpfnet__fail(
			call, dup, dup == -EBADF ? EBPFNET_ERROR_INVALID : 0, "cgroup_fd %d: %s",
			fd, dup == -EBADF ? "it is not an open descriptor" : ebpfnet_strerror(dup));
	}
	snprintf(name, sizeof(name), "cgroup_fd %d", fd);
	ret = check_fd(call, dup, -EBADF, name);
	return ret ? ret : TAKE_FD(dup);
}

uint64_t ebpfnet__cgroup_id(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : (uint64_t)st.st_ino;
}

int ebpfnet__cgroup_open_id(uint64_t id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} u;
	CLEANUP(fd) int mount = -1;
	char point[PATH_MAX];
	int fd, ret = ebpfnet__cgroup_mount_point(point);

	if (ret)
		return ret;
	mount = ebpfnet__fd_safe(open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (mount < 0)
		return -errno;
	u.handle.handle_bytes = sizeof(id);
	u.handle.handle_type = KERNFS_HANDLE;
	memcpy(u.handle.f_handle, &id, sizeof(id));
	fd = ebpfnet__fd_safe(
		open_by_handle_at(mount, &u.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (fd < 0)
		return errno == ESTALE ? -ENOENT : -errno;
	return fd;
}
