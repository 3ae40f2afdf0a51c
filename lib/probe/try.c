// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "probe/try.h"

#include <errno.h>
#include <sys/syscall.h>

#include "core/util.h"

int ebpfnet__try_bpf(int cmd, union bpf_attr *attr)
{
	/*
	 * The size may be more than an old kernel's: it takes that when the rest is zero. A field
	 * that it does not know gives EINVAL within its union and E2BIG behind it.
	 */
	long ret = syscall(__NR_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : (int)ret;
}

int ebpfnet__try_return(uint32_t type, uint32_t attach_type, uint32_t flags, int value)
{
	const struct bpf_insn insns[] = { EBPFNET__MOV_IMM(BPF_REG_0, value), EBPFNET__EXIT };
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int fd;

	opts.expected_attach_type = attach_type;
	opts.prog_flags = flags;
	fd = ebpfnet__fd_safe(
		bpf_prog_load(type, NULL, "GPL", insns, EBPFNET__ARRAY_SIZE(insns), &opts));
	return fd == -EACCES ? -EPERM : fd;
}

int ebpfnet__try_answer(int ret)
{
	if (ret >= 0)
		close(ret);
	if (ret == -EINVAL)
		return 0;
	return ret >= 0 ? 1 : ret;
}
