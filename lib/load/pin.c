// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "load/pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/ctx.h"
#include "load/object.h"
#include "load/pin_folder.h"

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
	return ebpfnet__fail_pin_name(call, -errno, path);
}

int ebpfnet__pin_fd(struct ebpfnet__call *call, int fd, const char *path)
{
	struct ebpfnet__folders folders;
	char full[PATH_MAX];
	int ret;

	if (fd < 0)
		return ebpfnet__fail(call, -EBADF, EBPFNET_ERROR_INVALID, "it is not loaded");
	ret = ebpfnet__pin_path(call, path, 0, full);
	if (ret)
		return ret;
	ret = ebpfnet__folders_make(call, full, &folders);
	if (ret == 0)
		ret = pin_at(call, fd, full);
	ebpfnet__folders_end(&folders, ret == 0);
	return ret;
}

static int fail_get(struct ebpfnet__call *call, int code, const char *full)
{
	const char *root = call->ctx->bpffs_root;
	struct stat st;
	bool there = stat(full, &st) == 0;

	if (there && !ebpfnet__on_bpffs(full))
		return ebpfnet__fail_not_bpffs(call, full);
	/* The kernel says EACCES, as if a capability were missing. */
	if (there && S_ISDIR(st.st_mode))
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "%s is not a pin but a folder", full);
	if (code == -ENOENT && access(root, F_OK) == 0 && !ebpfnet__on_bpffs(root))
		ebpfnet__hint(call, "no bpffs is mounted there: mount -t bpf bpf %s", root);
	return ebpfnet__fail(call, code, 0, "%s: %s", full, ebpfnet_strerror(code));
}

int ebpfnet__pin_get(struct ebpfnet__call *call, const char *path, enum ebpfnet__bpf_noun want)
{
	char full[PATH_MAX];
	int fd, ret;

	ret = ebpfnet__pin_path(call, path, 0, full);
	if (ret)
		return ret;
	fd = ebpfnet__fd_safe(bpf_obj_get(full));
	if (fd < 0)
		return fail_get(call, -errno, full);
	ret = check_noun(call, fd, want);
	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

int ebpfnet__pin_remove(struct ebpfnet__call *call, const char *path)
{
	char full[PATH_MAX];
	struct stat st;
	int ret;

	ret = ebpfnet__pin_path(call, path, 0, full);
	if (ret)
		return ret;
	if (lstat(full, &st) < 0)
		return ebpfnet__fail(call, -errno, 0, "%s: %s", full, ebpfnet_strerror(errno));
	if (!ebpfnet__on_bpffs(full) || !S_ISREG(st.st_mode))
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "%s is not a pin", full);
	ret = ebpfnet__folders_unlink(call->ctx, full);
	if (ret)
		return ebpfnet__fail(call, ret, 0, "%s: %s", full, ebpfnet_strerror(ret));
	return 0;
}

int ebpfnet_pin_remove(struct ebpfnet_ctx *ctx, const char *path, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "remove pin %s", path);

	return ebpfnet__pin_remove(&call, path);
}
