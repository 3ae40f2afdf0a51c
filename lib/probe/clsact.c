// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * clsact cannot be asked about: rtnetlink looks for the interface first, the qdisc second, the kind
 * of filter last. So both are made on the loopback device of a network namespace that lives for
 * this call, which also loads the modules as a real attach would.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "core/util.h"
#include "probe/try.h"

#define LOOPBACK 1 /* the first interface of every namespace */

/* A socket bound to a namespace of its own, which goes when the socket is closed. */
static int socket_elsewhere(int home)
{
	int fd = -1, ret = 0;

	/* setns() to where we are: if that is forbidden, the way back would be too. */
	if (setns(home, CLONE_NEWNET) < 0 || unshare(CLONE_NEWNET) < 0)
		return -errno;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		ret = -errno;
	if (setns(home, CLONE_NEWNET) < 0)
		ret = -ENOTRECOVERABLE;
	if (ret == 0)
		return ebpfnet__fd_safe(fd);
	if (fd >= 0)
		close(fd);
	return ret;
}

static int private_rtnetlink(void)
{
	CLEANUP(fd)
	int home = ebpfnet__fd_safe(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
	sigset_t all, before;
	int ret;

	if (home < 0)
		return errno == EACCES ? -EPERM : -EIO;
	/* A signal handler of the application must not run in another namespace. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = socket_elsewhere(home);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

/* Creates one TC object of a kind on the loopback device. Returns 0 or the kernel's -errno. */
static int create(int fd, uint16_t type, uint32_t handle, uint32_t parent, uint32_t info,
		  const char *kind)
{
	char buf[512];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct tcmsg *tc;
	ssize_t n;

	msg->nlmsg_type = type;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	tc = mnl_nlmsg_put_extra_header(msg, sizeof(*tc));
	tc->tcm_ifindex = LOOPBACK;
	tc->tcm_handle = handle;
	tc->tcm_parent = parent;
	tc->tcm_info = info;
	mnl_attr_put_strz(msg, TCA_KIND, kind);
	if (send(fd, msg, msg->nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, buf, sizeof(buf), 0);
	if (n < 0)
		return -errno;
	return mnl_cb_run(buf, (size_t)n, 0, 0, NULL, NULL) < 0 ? -errno : 0;
}

/* ENOENT: no such qdisc, no such filter. A filter without options is EINVAL once its kind is found.
 */
int ebpfnet__probe_clsact(void)
{
	CLEANUP(fd) int fd = private_rtnetlink();
	int ret;

	if (fd < 0)
		return fd;
	ret = create(fd, RTM_NEWQDISC, TC_H_MAKE(TC_H_CLSACT, 0), TC_H_CLSACT, 0, "clsact");
	if (ret == -ENOENT || ret == -EOPNOTSUPP)
		return 0;
	if (ret)
		return ret;
	ret = create(fd, RTM_NEWTFILTER, 0, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		     TC_H_MAKE(1u << 16, htons(ETH_P_ALL)), "bpf");
	if (ret == -ENOENT)
		return 0;
	return ret == -EINVAL || ret == 0 ? 1 : ret;
}
