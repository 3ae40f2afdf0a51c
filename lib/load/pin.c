// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "load/pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "core/ctx.h"
#include "load/object.h"

#define BPF_FS_MAGIC 0xcafe4a11 /* linux/magic.h */
#define FOLDERS_MAX 16

static const char *const noun_names[] = {
	[EBPFNET__NOUN_OTHER] = "something else",
	[EBPFNET__NOUN_PROGRAM] = "a program",
	[EBPFNET__NOUN_MAP] = "a map",
	[EBPFNET__NOUN_LINK] = "a link",
};

int ebpfnet__info_by_fd(int fd, void *info, size_t size)
{
	__u32 len = (__u32)size;

	return bpf_obj_get_info_by_fd(fd, info, &len) < 0 ? -errno : 0;
}

enum ebpfnet__bpf_noun ebpfnet__fd_noun(int fd)
{
	char path[32], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return EBPFNET__NOUN_OTHER;
	target[n] = '\0';
	/* The names that the kernel gives its anonymous inodes (kernel/bpf/syscall.c). */
	if (strcmp(target, "anon_inode:bpf-prog") == 0)
		return EBPFNET__NOUN_PROGRAM;
	if (strcmp(target, "anon_inode:bpf-map") == 0)
		return EBPFNET__NOUN_MAP;
	if (strcmp(target, "anon_inode:bpf_link") == 0 ||
	    strcmp(target, "anon_inode:bpf-link") == 0)
		return EBPFNET__NOUN_LINK;
	return EBPFNET__NOUN_OTHER;
}

static int check_noun(struct ebpfnet__call *call, int fd, enum ebpfnet__bpf_noun want)
{
	enum ebpfnet__bpf_noun have = ebpfnet__fd_noun(fd);

	if (have == want || want == EBPFNET__NOUN_OTHER)
		return 0;
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "it is %s, not %s",
			     noun_names[have], noun_names[want]);
}

int ebpfnet__fd_adopt(struct ebpfnet__call *call, int fd, enum ebpfnet__bpf_noun want)
{
	int dup = ebpfnet__fd_dup(fd), ret;

	if (dup < 0)
		return ebpfnet__fail(call, dup, EBPFNET_ERROR_INVALID, "fd %d: %s", fd,
				     ebpfnet_strerror(dup));
	ret = check_noun(call, dup, want);
	if (ret == 0)
		return dup;
	close(dup);
	return ret;
}

int ebpfnet__pin_path(struct ebpfnet__call *call, const char *path, char full[PATH_MAX])
{
	int n;

	if (path[0] == '/')
		n = snprintf(full, PATH_MAX, "%s", path);
	else
		n = snprintf(full, PATH_MAX, "%s/%s", call->ctx->bpffs_root, path);
	if (n < 0 || n >= PATH_MAX || path[0] == '\0')
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the path is empty or longer than %d", PATH_MAX - 1);
	return 0;
}

static int fail_not_bpffs(struct ebpfnet__call *call, const char *folder)
{
	ebpfnet__hint(call, "mount -t bpf bpf %s, or set bpffs_root in the context's options",
		      call->ctx->bpffs_root);
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "%s is not on a bpffs, the only file system that holds pins", folder);
}

/* The folders that were made for a pin, innermost last, to take them back if it fails. */
struct folders {
	char *made[FOLDERS_MAX];
	size_t count;
};

static void take_back(struct folders *f)
{
	while (f->count) {
		rmdir(f->made[--f->count]);
		free(f->made[f->count]);
	}
}

static void keep(struct folders *f)
{
	while (f->count)
		free(f->made[--f->count]);
}

/* A pin or a folder that could not be made. */
static int fail_name(struct ebpfnet__call *call, int code, const char *path)
{
	if (code == -EPERM && strchr(strrchr(path, '/'), '.')) {
		ebpfnet__hint(call, "use '-' or '_' instead of '.'");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "%s: names in a bpffs have no dot", path);
	}
	return ebpfnet__fail(call, code, 0, "%s: %s", path, ebpfnet_strerror(code));
}

/* Makes the folders above a path; the nearest one that exists must be a bpffs already. */
static int make_folders(struct ebpfnet__call *call, const char *path, struct folders *f)
{
	char part[PATH_MAX];
	struct statfs fs;
	int ret;

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (access(part, F_OK) == 0)
			continue;
		snprintf(part + (strrchr(part, '/') - part), 2, "%s", "");
		if (statfs(*part ? part : "/", &fs) < 0 || fs.f_type != BPF_FS_MAGIC)
			return fail_not_bpffs(call, *part ? part : "/");
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (f->count == FOLDERS_MAX)
			return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
					     "more than %d folders would have to be made",
					     FOLDERS_MAX);
		f->made[f->count] = strdup(part);
		if (!f->made[f->count])
			return ebpfnet__fail_nomem(call);
		if (mkdir(part, 0700) == 0) {
			f->count++;
			continue;
		}
		ret = -errno;
		free(f->made[f->count]);
		/* Somebody else was faster: then it is theirs to remove. */
		if (ret != -EEXIST)
			return fail_name(call, ret, part);
	}
	snprintf(part, sizeof(part), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (statfs(*part ? part : "/", &fs) < 0 || fs.f_type != BPF_FS_MAGIC)
		return fail_not_bpffs(call, *part ? part : "/");
	return 0;
}

static int pin_at(struct ebpfnet__call *call, int fd, const char *path)
{
	CLEANUP(fd) int there = -1;

	if (bpf_obj_pin(fd, path) == 0)
		return 0;
	if (errno == EEXIST) {
		there = bpf_obj_get(path);
		ebpfnet__hint(call, "remove it with ebpfnet_pin_remove(), or choose another name");
		return ebpfnet__fail(
			call, -EEXIST, EBPFNET_ERROR_BUSY, "%s is taken: it holds %s", path,
			noun_names[there < 0 ? EBPFNET__NOUN_OTHER : ebpfnet__fd_noun(there)]);
	}
	return fail_name(call, -errno, path);
}

int ebpfnet__pin_fd(struct ebpfnet__call *call, int fd, const char *path)
{
	struct folders folders = { .count = 0 };
	char full[PATH_MAX];
	int ret;

	if (fd < 0)
		return ebpfnet__fail(call, -EBADF, EBPFNET_ERROR_INVALID, "it is not loaded");
	ret = ebpfnet__pin_path(call, path, full);
	if (ret)
		return ret;
	ret = make_folders(call, full, &folders);
	if (ret == 0)
		ret = pin_at(call, fd, full);
	if (ret)
		take_back(&folders);
	else
		keep(&folders);
	return ret;
}

int ebpfnet__pin_get(struct ebpfnet__call *call, const char *path, enum ebpfnet__bpf_noun want)
{
	char full[PATH_MAX];
	struct statfs fs;
	struct stat st;
	int fd, ret;

	ret = ebpfnet__pin_path(call, path, full);
	if (ret)
		return ret;
	fd = ebpfnet__fd_safe(bpf_obj_get(full));
	if (fd < 0) {
		ret = -errno;
		if (statfs(full, &fs) == 0 && fs.f_type != BPF_FS_MAGIC)
			return fail_not_bpffs(call, full);
		/* The kernel says EACCES, as if a capability were missing. */
		if (stat(full, &st) == 0 && S_ISDIR(st.st_mode))
			return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
					     "%s is not a pin but a folder", full);
		if (ret == -ENOENT && statfs(call->ctx->bpffs_root, &fs) == 0 &&
		    fs.f_type != BPF_FS_MAGIC)
			ebpfnet__hint(call, "no bpffs is mounted there: mount -t bpf bpf %s",
				      call->ctx->bpffs_root);
		return ebpfnet__fail(call, ret, 0, "%s: %s", full, ebpfnet_strerror(ret));
	}
	ret = check_noun(call, fd, want);
	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

/* The folders that pinning made, once nothing is left in them; never the root nor what is above it.
 */
static void remove_empty_folders(const struct ebpfnet_ctx *ctx, char *path)
{
	size_t root = strlen(ctx->bpffs_root);

	if (strncmp(path, ctx->bpffs_root, root) != 0 || path[root] != '/')
		return;
	do
		*strrchr(path, '/') = '\0';
	while (strlen(path) > root && rmdir(path) == 0);
}

int ebpfnet__pin_remove(struct ebpfnet__call *call, const char *path)
{
	char full[PATH_MAX];
	struct statfs fs;
	struct stat st;
	int ret;

	ret = ebpfnet__pin_path(call, path, full);
	if (ret)
		return ret;
	if (lstat(full, &st) < 0 || statfs(full, &fs) < 0)
		return ebpfnet__fail(call, -errno, 0, "%s: %s", full, ebpfnet_strerror(errno));
	if (fs.f_type != BPF_FS_MAGIC || !S_ISREG(st.st_mode))
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "%s is not a pin", full);
	if (unlink(full) < 0)
		return ebpfnet__fail(call, -errno, 0, "%s: %s", full, ebpfnet_strerror(errno));
	remove_empty_folders(call->ctx, full);
	return 0;
}

int ebpfnet_pin_remove(struct ebpfnet_ctx *ctx, const char *path, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "remove pin %s", path);

	return ebpfnet__pin_remove(&call, path);
}
