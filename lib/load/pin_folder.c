// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Where pins live: BPFFS/ebpfnet/APPLICATION/NETNS/PATH. An application finds its own pins again and
 * nobody else's, and what two namespaces call the same does not meet.
 */
#include "load/pin_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "core/ctx.h"
#include "load/pin.h"

#define BPF_FS_MAGIC 0xcafe4a11 /* linux/magic.h */
#define OURS "/ebpfnet"		/* below the root, above every application */

/* ".." would lead out of the application's folder. */
static bool leads_out(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
			return true;
	return false;
}

int ebpfnet__pin_path(struct ebpfnet__call *call, const char *path, uint64_t netns,
		      char full[PATH_MAX])
{
	const struct ebpfnet_ctx *ctx = call->ctx;
	int n;

	if (path[0] == '/')
		n = snprintf(full, PATH_MAX, "%s", path);
	else
		n = snprintf(full, PATH_MAX, "%s" OURS "/%s/%llu/%s", ctx->bpffs_root, ctx->app,
			     (unsigned long long)(netns ? netns : ebpfnet__netns_inode(0)), path);
	if (n < 0 || n >= PATH_MAX || path[0] == '\0')
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the path is empty or longer than %d", PATH_MAX - 1);
	if (leads_out(path))
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "a pin's path has no \"..\"");
	return 0;
}

bool ebpfnet__on_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

int ebpfnet__fail_not_bpffs(struct ebpfnet__call *call, const char *folder)
{
	ebpfnet__hint(call, "mount -t bpf bpf %s, or set bpffs_root in the context's options",
		      call->ctx->bpffs_root);
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "%s is not on a bpffs, the only file system that holds pins", folder);
}

int ebpfnet__fail_pin_name(struct ebpfnet__call *call, int code, const char *path)
{
	if (code == -EPERM && strchr(strrchr(path, '/'), '.')) {
		ebpfnet__hint(call, "use '-' or '_' instead of '.'");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "%s: names in a bpffs have no dot", path);
	}
	return ebpfnet__fail(call, code, 0, "%s: %s", path, ebpfnet_strerror(code));
}

/*
 * Between making a folder and pinning into it, another process must not find it empty and remove
 * it. The lock is on the root, which nobody removes; it is held for a few system calls. -1: there
 * is no such folder, and then nothing below it either.
 */
static int lock_root(const struct ebpfnet_ctx *ctx)
{
	int fd = ebpfnet__fd_safe(open(ctx->bpffs_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (fd < 0)
		return -1;
	while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
	return fd;
}

static void unlock(int *lock)
{
	if (*lock >= 0)
		close(*lock);
	*lock = -1;
}

/* The folder above a path, "/" at least. */
static void folder_of(const char *path, char folder[PATH_MAX])
{
	snprintf(folder, PATH_MAX, "%.*s", (int)(strrchr(path, '/') - path), path);
	if (folder[0] == '\0')
		strcpy(folder, "/");
}

static int make_one(struct ebpfnet__call *call, const char *folder, struct ebpfnet__folders *f)
{
	char above[PATH_MAX];
	int ret;

	if (access(folder, F_OK) == 0)
		return 0;
	folder_of(folder, above);
	if (!ebpfnet__on_bpffs(above))
		return ebpfnet__fail_not_bpffs(call, above);
	if (f->count == EBPFNET__FOLDERS_MAX)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "more than %d folders would have to be made",
				     EBPFNET__FOLDERS_MAX);
	f->made[f->count] = strdup(folder);
	if (!f->made[f->count])
		return ebpfnet__fail_nomem(call);
	if (mkdir(folder, 0700) == 0) {
		f->count++;
		return 0;
	}
	ret = -errno;
	free(f->made[f->count]);
	/* Somebody else was faster: then it is theirs to remove. */
	return ret == -EEXIST ? 0 : ebpfnet__fail_pin_name(call, ret, folder);
}

int ebpfnet__folders_make(struct ebpfnet__call *call, const char *path, struct ebpfnet__folders *f)
{
	char part[PATH_MAX];
	int ret = 0;

	f->count = 0;
	f->lock = lock_root(call->ctx);
	for (const char *slash = strchr(path + 1, '/'); slash && ret == 0;
	     slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		ret = make_one(call, part, f);
	}
	if (ret)
		return ret;
	folder_of(path, part);
	return ebpfnet__on_bpffs(part) ? 0 : ebpfnet__fail_not_bpffs(call, part);
}

void ebpfnet__folders_end(struct ebpfnet__folders *f, bool keep)
{
	while (f->count) {
		if (!keep)
			rmdir(f->made[f->count - 1]);
		free(f->made[--f->count]);
	}
	unlock(&f->lock);
}

/* Below the root's folder of ours: one elsewhere may be somebody's own, even when it is empty. */
static bool is_ours(const struct ebpfnet_ctx *ctx, const char *path)
{
	size_t root = strlen(ctx->bpffs_root);

	return strncmp(path, ctx->bpffs_root, root) == 0 &&
	       strncmp(path + root, OURS "/", sizeof(OURS)) == 0;
}

static void prune(const struct ebpfnet_ctx *ctx, char *folder)
{
	while (strlen(folder) > strlen(ctx->bpffs_root) && rmdir(folder) == 0)
		*strrchr(folder, '/') = '\0';
}

int ebpfnet__folders_unlink(const struct ebpfnet_ctx *ctx, char *path)
{
	int lock = lock_root(ctx), ret = unlink(path) < 0 ? -errno : 0;

	if (ret == 0 && is_ours(ctx, path)) {
		*strrchr(path, '/') = '\0';
		prune(ctx, path);
	}
	unlock(&lock);
	return ret;
}

void ebpfnet__folders_prune(const struct ebpfnet_ctx *ctx, const char *folder)
{
	int lock = lock_root(ctx);
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", folder);
	if (is_ours(ctx, path))
		prune(ctx, path);
	unlock(&lock);
}
