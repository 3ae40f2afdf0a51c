// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Programs that PROG_ATTACH gave to a cgroup: they belong to the cgroup, not to a process, and are
 * known by nothing but themselves.
 */
#include <errno.h>
#include <string.h>

#include "attach/cgroup.h"
#include "attach/record.h"
#include "core/uapi.h"
#include "probe/try.h"

int ebpfnet__cgroup_progs(int cgroup_fd, uint32_t hook, struct ebpfnet__cgroup_progs *progs)
{
	struct ebpfnet__cgroup_query query = {
		.target_fd = (uint32_t)cgroup_fd,
		.attach_type = ebpfnet__cgroup_hook(hook)->attach_type,
		.prog_ids = (uintptr_t)progs->ids,
		.prog_cnt = EBPFNET__CGROUP_PROGS_MAX,
	};
	union bpf_attr attr;
	int ret;

	memset(progs, 0, sizeof(*progs));
	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, &query, sizeof(query));
	ret = ebpfnet__try_bpf(BPF_PROG_QUERY, &attr);
	if (ret)
		return ret;
	memcpy(&query, &attr, sizeof(query));
	progs->flags = query.attach_flags;
	progs->count = query.prog_cnt;
	progs->revision = query.revision;
	return 0;
}

bool ebpfnet__cgroup_has(const struct ebpfnet__cgroup_progs *progs, uint32_t prog_id)
{
	for (uint32_t i = 0; i < progs->count; i++) {
		if (progs->ids[i] == prog_id)
			return true;
	}
	return false;
}

static int fail_gone(struct ebpfnet__call *call, const struct ebpfnet_link *link)
{
	struct ebpfnet__cgroup_progs progs;

	if (ebpfnet__cgroup_progs(link->target_fd, link->hook, &progs) == -ENOENT)
		return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT, "the cgroup is gone");
	return ebpfnet__fail(call, -ENOLINK, EBPFNET_ERROR_DEFUNCT,
			     "the cgroup no longer has the program of this link");
}

static int replace(const struct ebpfnet_link *link, int prog_fd)
{
	struct ebpfnet__cgroup_prog_attach attach = {
		.target_fd = (uint32_t)link->target_fd,
		.attach_bpf_fd = (uint32_t)prog_fd,
		.attach_type = ebpfnet__cgroup_hook(link->hook)->attach_type,
		/* Whatever is not repeated here would be lost. */
		.attach_flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE | link->flags,
		.replace_bpf_fd = (uint32_t)link->prog_fd,
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, &attach, sizeof(attach));
	return ebpfnet__try_bpf(BPF_PROG_ATTACH, &attr);
}

static int update(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd,
		  int expected_fd)
{
	uint32_t mine = ebpfnet__program_id(link->prog_fd);
	int ret;

	/* The kernel would replace any program of the hook, another owner's too. */
	if (expected_fd >= 0 && ebpfnet__program_id(expected_fd) != mine)
		return ebpfnet__fail(call, -ESTALE, EBPFNET_ERROR_STALE,
				     "program %u is attached, not the expected program %u", mine,
				     ebpfnet__program_id(expected_fd));
	if (ebpfnet__cgroup_fits(prog_fd, link->hook) == 0) {
		ebpfnet__hint(call, "load it with the same section name as the old one");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "its type or expected attach type is not that of the link");
	}
	ret = replace(link, prog_fd);
	switch (ret) {
	case 0:
		return ebpfnet__record_update(call, link, prog_fd);
	case -ENOENT:
		return fail_gone(call, link);
	case -EINVAL:
		return ebpfnet__fail(call, -EEXIST, EBPFNET_ERROR_BUSY,
				     "program %u is attached there by itself",
				     ebpfnet__program_id(prog_fd));
	default:
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	}
}

static int detach(struct ebpfnet__call *call, struct ebpfnet_link *link)
{
	struct ebpfnet__cgroup_prog_attach attach = {
		.target_fd = (uint32_t)link->target_fd,
		.attach_bpf_fd = (uint32_t)link->prog_fd,
		.attach_type = ebpfnet__cgroup_hook(link->hook)->attach_type,
	};
	struct ebpfnet__cgroup_progs progs;
	union bpf_attr attr;
	int ret;

	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, &attach, sizeof(attach));
	ret = ebpfnet__try_bpf(BPF_PROG_DETACH, &attr);
	if (ret == 0)
		return 0;
	if (ret != -ENOENT)
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	/* A cgroup that is gone has no program any more: that is what was asked for. */
	if (ebpfnet__cgroup_progs(link->target_fd, link->hook, &progs) == -ENOENT)
		return 0;
	return ebpfnet__fail(call, -ESTALE, EBPFNET_ERROR_STALE,
			     "the cgroup no longer has the program of this link");
}

static int info(struct ebpfnet__call *call, const struct ebpfnet_link *link,
		struct ebpfnet_link_info *out)
{
	struct ebpfnet__cgroup_progs progs;
	uint32_t prog_id = ebpfnet__program_id(link->prog_fd);
	int ret = ebpfnet__cgroup_progs(link->target_fd, link->hook, &progs);

	if (ret && ret != -ENOENT)
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	if (ret == 0)
		out->cgroup_id = ebpfnet__cgroup_id(link->target_fd);
	if (ret == 0 && ebpfnet__cgroup_has(&progs, prog_id))
		out->program_id = prog_id;
	else
		out->defunct = 1;
	return 0;
}

const struct ebpfnet__link_way ebpfnet__way_cgroup_prog = {
	.update = update,
	.detach = detach,
	.info = info,
	.pin = ebpfnet__record_pin,
	.unpin = ebpfnet__record_unpin,
	.by_fd = false,
};

int ebpfnet__cgroup_reopen(struct ebpfnet__call *call, struct ebpfnet_link *link, const char *path)
{
	int fd = ebpfnet__cgroup_hook(link->hook) ? ebpfnet__cgroup_open_id(link->target) : -EINVAL;

	if (fd >= 0) {
		link->target_fd = fd;
		return 0;
	}
	if (fd == -ENOENT)
		return ebpfnet__record_defunct(call, path, "its cgroup is gone");
	if (fd == -EPERM)
		ebpfnet__hint(call, "opening a cgroup by its id needs CAP_DAC_READ_SEARCH");
	return ebpfnet__fail(call, fd, 0, "its cgroup: %s", ebpfnet_strerror(fd));
}
