// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <ebpfnet/attach.h>

#define NSFS_MAGIC 0x6e736673 /* linux/magic.h */
#define OWN_NETNS "/proc/thread-self/ns/net"
#define NAMED_NETNS "/run/netns" /* of iproute2 */
/* Names looked at for "did you mean". */
#define NAMES_MAX 256

static bool is_namespace(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

/* Of another kind for certain: kernels before 4.11 do not say. */
static bool is_other_namespace(int fd)
{
	int type = ioctl(fd, NS_GET_NSTYPE);

	return type >= 0 && type != CLONE_NEWNET;
}

int ebpfnet__netns_check(struct ebpfnet__call *call, int netns_fd)
{
	if (netns_fd == 0 && is_namespace(0)) {
		/* With stdin closed, open() of a namespace gives 0, which here means "my own". */
		ebpfnet__hint(call, "fcntl(0, F_DUPFD_CLOEXEC, 3) and give that");
		return ebpfnet__fail(
			call, -EBADF, EBPFNET_ERROR_INVALID,
			"netns_fd 0 is the default, the thread's own namespace, but fd 0 "
			"is open on a namespace");
	}
	if (netns_fd == 0)
		return 0;
	if (netns_fd < 0 || fcntl(netns_fd, F_GETFD) < 0)
		return ebpfnet__fail(call, -EBADF, EBPFNET_ERROR_INVALID,
				     "netns_fd %d is not an open descriptor", netns_fd);
	if (!is_namespace(netns_fd)) {
		ebpfnet__hint(call, "open /run/netns/NAME or /proc/PID/ns/net");
		return ebpfnet__fail(call, -EBADF, EBPFNET_ERROR_INVALID,
				     "netns_fd %d is not a namespace", netns_fd);
	}
	return 0;
}

int ebpfnet__netns_check_net(struct ebpfnet__call *call, int netns_fd)
{
	int ret = ebpfnet__netns_check(call, netns_fd);

	if (ret || netns_fd == 0 || !is_other_namespace(netns_fd))
		return ret;
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "netns_fd %d is not a network namespace", netns_fd);
}

int ebpfnet__netns_dup(struct ebpfnet__call *call, int netns_fd, int *out)
{
	if (netns_fd)
		*out = ebpfnet__fd_dup(netns_fd);
	else
		*out = ebpfnet__fd_safe(open(OWN_NETNS, O_RDONLY | O_CLOEXEC));
	if (*out >= 0)
		return 0;
	if (netns_fd)
		return ebpfnet__fail(call, *out, 0, "netns_fd: %s", ebpfnet_strerror(*out));
	return ebpfnet__fail(call, -errno, 0, "%s: %s", OWN_NETNS, ebpfnet_strerror(errno));
}

int ebpfnet__netns_enter(struct ebpfnet__call *call, int netns_fd, struct ebpfnet__netns *stay)
{
	int ret;

	stay->home = -1;
	if (netns_fd == 0)
		return 0;
	stay->home = ebpfnet__fd_safe(open(OWN_NETNS, O_RDONLY | O_CLOEXEC));
	if (stay->home < 0)
		return ebpfnet__fail(call, -errno, 0, "%s: %s", OWN_NETNS, ebpfnet_strerror(errno));
	if (setns(netns_fd, CLONE_NEWNET) == 0)
		return 0;
	ret = -errno;
	close(stay->home);
	stay->home = -1;
	if (ret == -EPERM)
		ebpfnet__hint(call, "entering a namespace needs CAP_SYS_ADMIN");
	return ebpfnet__fail(
		call, ret, ret == -EINVAL ? EBPFNET_ERROR_INVALID : 0, "netns_fd %d: %s", netns_fd,
		ret == -EINVAL ? "it is not a network namespace" : ebpfnet_strerror(ret));
}

int ebpfnet__netns_leave(struct ebpfnet__call *call, struct ebpfnet__netns *stay, int ret)
{
	int back;

	if (stay->home < 0)
		return ret;
	back = setns(stay->home, CLONE_NEWNET) < 0 ? -errno : 0;
	close(stay->home);
	stay->home = -1;
	if (back)
		return ebpfnet__fail(call, back, EBPFNET_ERROR_INTERNAL,
				     "this thread could not return to its network namespace: %s",
				     ebpfnet_strerror(back));
	return ret;
}

static int fail_no_such(struct ebpfnet__call *call, const char *name)
{
	char *names[NAMES_MAX];
	DIR *dir = opendir(NAMED_NETNS);
	const struct dirent *entry;
	const char *near;
	size_t n = 0;

	while (dir && n < NAMES_MAX && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && (names[n] = strdup(entry->d_name)))
			n++;
	if (dir)
		closedir(dir);
	near = ebpfnet__nearest(name, (const char *const *)names, n);
	if (near)
		ebpfnet__hint(call, "did you mean %s?", near);
	else
		ebpfnet__hint(call, "ip netns list shows the names; ip netns add %s makes it",
			      name);
	while (n)
		free(names[--n]);
	return ebpfnet__fail(call, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
			     "there is no namespace of this name in " NAMED_NETNS);
}

int ebpfnet_netns_open(struct ebpfnet_ctx *ctx, const char *name, int *out,
		       struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "open network namespace %s", name);
	CLEANUP(fd) int fd = -1;
	char path[PATH_MAX];

	*out = -1;
	if (!name[0] || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strlen(name) > NAME_MAX) {
		ebpfnet__hint(&call, "open(2) of a path gives a netns_fd as well");
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "a name is a file of " NAMED_NETNS ", without a slash");
	}
	snprintf(path, sizeof(path), NAMED_NETNS "/%s", name);
	fd = ebpfnet__fd_safe(open(path, O_RDONLY | O_CLOEXEC));
	if (fd < 0 && errno == ENOENT)
		return fail_no_such(&call, name);
	if (fd < 0)
		return ebpfnet__fail(&call, -errno, 0, "%s: %s", path, ebpfnet_strerror(errno));
	if (!is_namespace(fd) || is_other_namespace(fd)) {
		/* What `ip netns add` leaves where nothing is mounted: another mount namespace. */
		ebpfnet__hint(&call, "it may be mounted in another mount namespace only; if not, "
				     "remove the file");
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "%s is not a network namespace", path);
	}
	*out = TAKE_FD(fd);
	return 0;
}
