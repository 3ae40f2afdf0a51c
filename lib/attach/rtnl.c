// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/rtnl.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "attach/netns.h"

/* An answer about one interface with all its attributes: 32 KiB, as iproute2 found out. */
#define BUFFER_SIZE 32768

int ebpfnet__rtnl_open(struct ebpfnet__call *call, int netns_fd, struct ebpfnet__rtnl *rtnl)
{
	struct ebpfnet__netns stay;
	int one = 1, ret;

	memset(rtnl, 0, sizeof(*rtnl));
	ret = ebpfnet__netns_enter(call, netns_fd, &stay);
	if (ret)
		return ret;
	rtnl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	ret = rtnl->socket ? 0 : -errno;
	ret = ebpfnet__netns_leave(call, &stay, ret);
	if (call->failed) {
		ebpfnet__rtnl_close(rtnl);
		return ret;
	}
	if (ret == 0 && mnl_socket_bind(rtnl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		ret = -errno;
	if (ret) {
		ebpfnet__rtnl_close(rtnl);
		return ebpfnet__fail(call, ret, 0, "rtnetlink socket: %s", ebpfnet_strerror(ret));
	}
	/* Both only make failures clearer; a kernel without them works as well. */
	mnl_socket_setsockopt(rtnl->socket, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(rtnl->socket, NETLINK_CAP_ACK, &one, sizeof(one));
	return 0;
}

void ebpfnet__rtnl_close(struct ebpfnet__rtnl *rtnl)
{
	if (rtnl->socket)
		mnl_socket_close(rtnl->socket);
	rtnl->socket = NULL;
}

static int extack_attr(const struct nlattr *attr, void *data)
{
	struct ebpfnet__rtnl *rtnl = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
		snprintf(rtnl->extack, sizeof(rtnl->extack), "%.*s",
			 (int)mnl_attr_get_payload_len(attr), mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

/* The words behind an error; with NETLINK_CAP_ACK the request itself is not repeated. */
static void keep_extack(struct ebpfnet__rtnl *rtnl, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*error);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(nlh) >= skip ? error->msg.nlmsg_len - NLMSG_HDRLEN
							       : 0;
	if (skip < mnl_nlmsg_get_payload_len(nlh))
		mnl_attr_parse(nlh, (unsigned int)skip, extack_attr, rtnl);
}

int ebpfnet__rtnl_talk(struct ebpfnet__rtnl *rtnl, struct nlmsghdr *request, mnl_cb_t cb,
		       void *data)
{
	unsigned int port = mnl_socket_get_portid(rtnl->socket);
	char *buffer;
	int ret = 1;

	rtnl->extack[0] = '\0';
	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = ++rtnl->sequence;
	if (mnl_socket_sendto(rtnl->socket, request, request->nlmsg_len) < 0)
		return -errno;
	buffer = malloc(BUFFER_SIZE);
	if (!buffer)
		return -ENOMEM;
	while (ret > 0) {
		ssize_t n = mnl_socket_recvfrom(rtnl->socket, buffer, BUFFER_SIZE);
		const struct nlmsghdr *nlh = (void *)buffer;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ret = -errno;
			break;
		}
		if ((size_t)n >= sizeof(*nlh) && nlh->nlmsg_type == NLMSG_ERROR)
			keep_extack(rtnl, nlh);
		ret = mnl_cb_run(buffer, (size_t)n, request->nlmsg_seq, port, cb, data);
		if (ret < 0)
			ret = -errno;
	}
	free(buffer);
	return ret;
}

static int xdp_attr(const struct nlattr *attr, void *data)
{
	struct ebpfnet__interface *out = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_XDP_DRV_PROG_ID:
		out->xdp_native = mnl_attr_get_u32(attr);
		break;
	case IFLA_XDP_SKB_PROG_ID:
		out->xdp_generic = mnl_attr_get_u32(attr);
		break;
	case IFLA_XDP_HW_PROG_ID:
		out->xdp_offload = mnl_attr_get_u32(attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int link_attr(const struct nlattr *attr, void *data)
{
	struct ebpfnet__interface *out = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		snprintf(out->name, sizeof(out->name), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_MTU:
		out->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_XDP:
		return mnl_attr_parse_nested(attr, xdp_attr, out);
	default:
		break;
	}
	return MNL_CB_OK;
}

static int link_message(const struct nlmsghdr *nlh, void *data)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		mnl_attr_parse(nlh, sizeof(struct ifinfomsg), link_attr, data);
	return MNL_CB_OK;
}

static struct nlmsghdr *link_request(void *buffer, uint16_t type, int ifindex)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	nlh->nlmsg_type = type;
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = ifindex;
	return nlh;
}

int ebpfnet__rtnl_interface(struct ebpfnet__rtnl *rtnl, int ifindex, struct ebpfnet__interface *out)
{
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));

	memset(out, 0, sizeof(*out));
	/* 0 would ask for "any", and the kernel takes a negative one as a number out of range. */
	if (ifindex <= 0)
		return -ENODEV;
	return ebpfnet__rtnl_talk(rtnl, link_request(buffer, RTM_GETLINK, ifindex), link_message,
				  out);
}

int ebpfnet__rtnl_xdp_set(struct ebpfnet__rtnl *rtnl, int ifindex, int fd, uint32_t flags,
			  int expected_fd)
{
	char buffer[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = link_request(buffer, RTM_SETLINK, ifindex);
	struct nlattr *nest = mnl_attr_nest_start(nlh, IFLA_XDP);

	mnl_attr_put_u32(nlh, IFLA_XDP_FD, (uint32_t)fd);
	if (flags)
		mnl_attr_put_u32(nlh, IFLA_XDP_FLAGS, flags);
	if (flags & XDP_FLAGS_REPLACE)
		mnl_attr_put_u32(nlh, IFLA_XDP_EXPECTED_FD, (uint32_t)expected_fd);
	mnl_attr_nest_end(nlh, nest);
	return ebpfnet__rtnl_talk(rtnl, nlh, NULL, NULL);
}
