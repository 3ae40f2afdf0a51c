// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* XDP over netlink: the attachment belongs to the interface, not to a process. */
#include <errno.h>
#include <linux/if_link.h>

#include "attach/link.h"
#include "attach/record.h"
#include "attach/rtnl.h"

static uint32_t id_in_mode(const struct ebpfnet__interface *i, uint32_t flags)
{
	if (flags & XDP_FLAGS_SKB_MODE)
		return i->xdp_generic;
	return flags & XDP_FLAGS_HW_MODE ? i->xdp_offload : i->xdp_native;
}

/* Which program the interface runs in this link's mode; 0 none, and also if the interface is gone.
 */
static int look(struct ebpfnet__call *call, const struct ebpfnet_link *link, uint32_t *prog_id,
		bool *gone)
{
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	struct ebpfnet__interface interface;
	int ret = ebpfnet__rtnl_open(call, link->netns_fd, &rtnl);

	*prog_id = 0;
	*gone = false;
	if (ret)
		return ret;
	ret = ebpfnet__rtnl_interface(&rtnl, link->ifindex, &interface);
	if (ret == -ENODEV) {
		*gone = true;
		return 0;
	}
	if (ret)
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	*prog_id = id_in_mode(&interface, link->flags);
	return 0;
}

/* Sets or (fd -1) clears the program; expected_fd -1 takes whatever is there. */
static int set(struct ebpfnet__call *call, struct ebpfnet_link *link, int fd, int expected_fd)
{
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	uint32_t flags = link->flags | (expected_fd < 0 ? 0 : XDP_FLAGS_REPLACE);
	int ret = ebpfnet__rtnl_open(call, link->netns_fd, &rtnl);

	if (ret)
		return ret;
	ret = ebpfnet__rtnl_xdp_set(&rtnl, link->ifindex, fd, flags, expected_fd);
	ebpfnet__note_extack(call, rtnl.extack);
	switch (ret) {
	case 0:
		return 0;
	case -EEXIST:
		return ebpfnet__fail(call, -ESTALE, EBPFNET_ERROR_STALE,
				     "another program than the expected one is attached");
	case -ENODEV:
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     "the interface is gone");
	case -EBUSY:
		return ebpfnet__fail(call, ret, EBPFNET_ERROR_BUSY,
				     "the interface's program is held by a bpf_link now");
	case -EINVAL:
	case -ERANGE: /* veth, of its MTU */
		return ebpfnet__fail(call, ret, EBPFNET_ERROR_INCOMPATIBLE, "%s",
				     rtnl.extack[0] ? rtnl.extack : "the program does not fit");
	default:
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	}
}

static int update(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd,
		  int expected_fd)
{
	uint32_t now;
	bool gone;
	int ret = look(call, link, &now, &gone);

	if (ret)
		return ret;
	if (gone || now == 0)
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
				     gone ? "the interface is gone"
					  : "the interface has no program any more");
	/* "Any" is still only ours to replace while some program is there: compare with that one.
	 */
	if (expected_fd < 0)
		expected_fd = now == ebpfnet__program_id(link->prog_fd) ? link->prog_fd : -1;
	ret = set(call, link, prog_fd, expected_fd);
	return ret ? ret : ebpfnet__record_update(call, link, prog_fd);
}

static int detach(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	uint32_t now;
	bool gone;
	int ret = look(call, link, &now, &gone);

	/* To an interface without a program the kernel says what it says of another one's: EEXIST. */
	if (ret || gone || now == 0)
		return ret;
	ret = set(call, link, -1, link->prog_fd);
	/* A device that is gone has no program any more: that is what was asked for. */
	if (ret == -ENOLINK) {
		ebpfnet__call_clear(call);
		return 0;
	}
	return ret;
}

static int info(struct ebpfnet__call *call, const struct ebpfnet_link *link,
		struct ebpfnet_link_info *out)
{
	bool gone;
	int ret = look(call, link, &out->program_id, &gone);

	if (ret)
		return ret;
	out->ifindex = gone ? 0 : (uint32_t)link->ifindex;
	out->defunct = gone || out->program_id == 0;
	return 0;
}

const struct ebpfnet__link_way ebpfnet__way_xdp_netlink = {
	.update = update,
	.detach = detach,
	.info = info,
	.pin = ebpfnet__record_pin,
	.unpin = ebpfnet__record_unpin,
	.by_fd = false,
};
