// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The way of every bpf_link: the kernel does it all. */
#include <bpf/bpf.h>
#include <errno.h>

#include "attach/link.h"
#include "load/pin.h"

void ebpfnet__bpf_link_facts(const struct bpf_link_info *info, struct ebpfnet_link *link)
{
	link->via = EBPFNET_VIA_LINK;
	switch (info->type) {
	case BPF_LINK_TYPE_XDP:
		link->kind = EBPFNET_LINK_XDP;
		link->ifindex = (int)info->xdp.ifindex;
		break;
	default:
		link->kind = EBPFNET_LINK_OTHER;
		break;
	}
}

static int fail_update(struct ebpfnet__call *call, const struct ebpfnet_link *link, int code,
		       int expected_fd)
{
	struct bpf_link_info info = { 0 };
	char label[64];

	ebpfnet__info_by_fd(link->fd, &info, sizeof(info));
	/* Another program than the expected one is EPERM, like a missing capability. */
	if (code == -EPERM && expected_fd >= 0 &&
	    info.prog_id != ebpfnet__program_id(expected_fd)) {
		ebpfnet__program_label(info.prog_id, label, sizeof(label));
		return ebpfnet__fail(call, -ESTALE, EBPFNET_ERROR_STALE,
				     "%s is attached, not the expected program %u", label,
				     ebpfnet__program_id(expected_fd));
	}
	switch (code) {
	case -EINVAL:
		ebpfnet__hint(call, "load it with the same section name and flags as the old one");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_INCOMPATIBLE,
				     "its type or expected attach type is not that of the link");
	case -ENOLINK:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_DEFUNCT,
				     "the device or namespace of the link is gone");
	default:
		return ebpfnet__fail(call, code, 0, "%s", ebpfnet_strerror(code));
	}
}

static int update(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd,
		  int expected_fd)
{
	LIBBPF_OPTS(bpf_link_update_opts, o, .flags = expected_fd < 0 ? 0 : BPF_F_REPLACE,
		    .old_prog_fd = expected_fd < 0 ? 0 : (__u32)expected_fd);

	if (bpf_link_update(link->fd, prog_fd, &o) == 0)
		return 0;
	return fail_update(call, link, -errno, expected_fd);
}

static int detach(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	if (bpf_link_detach(link->fd) == 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == EINVAL)
		ebpfnet__hint(call, "remove its pin and close every descriptor of it");
	return ebpfnet__fail(call, -errno, errno == EINVAL ? EBPFNET_ERROR_NOT_SUPPORTED : 0,
			     "this kernel cannot detach it by force: %s", ebpfnet_strerror(errno));
}

static int info(struct ebpfnet__call *call, const struct ebpfnet_link *link,
		struct ebpfnet_link_info *out)
{
	struct bpf_link_info i = { 0 };
	int ret = ebpfnet__info_by_fd(link->fd, &i, sizeof(i));

	if (ret)
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	out->id = i.id;
	out->program_id = i.prog_id;
	switch (link->kind) {
	case EBPFNET_LINK_XDP:
		out->ifindex = i.xdp.ifindex;
		out->defunct = i.xdp.ifindex == 0;
		break;
	default:
		break;
	}
	return 0;
}

static int pin(struct ebpfnet__call *call, struct ebpfnet_link *link, const char *path)
{
	return ebpfnet__pin_fd(call, link->fd, path);
}

static int unpin(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	return ebpfnet__pin_remove(call, link->pin);
}

const struct ebpfnet__link_way ebpfnet__way_bpf_link = {
	.update = update,
	.detach = detach,
	.info = info,
	.pin = pin,
	.unpin = unpin,
	.by_fd = true,
};
