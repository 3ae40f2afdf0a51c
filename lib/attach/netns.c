// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/vfs.h>

#define NSFS_MAGIC 0x6e736673 /* linux/magic.h */
#define OWN_NETNS "/proc/thread-self/ns/net"

static bool is_namespace(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
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
