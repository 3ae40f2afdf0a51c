// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Kernel functions: found by name in the kernel's BTF, then called by a program that is only
 * loaded. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "core/util.h"
#include "probe/try.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

/* Where a kernel function lives: fd is -1 for the kernel itself, else its module's BTF. */
struct kfunc_home {
	struct btf *kernel;
	struct btf *module;
	int fd;
};

static void ebpfnet__cleanup_home(struct kfunc_home *home)
{
	btf__free(home->module);
	btf__free(home->kernel);
	if (home->fd >= 0)
		close(home->fd);
}

/* The BTF of a module, by walking all BTF of the kernel: the program needs its fd, sysfs has none.
 */
static int module_fd(const char *name)
{
	uint32_t id = 0;

	while (bpf_btf_get_next_id(id, &id) == 0) {
		CLEANUP(fd) int fd = ebpfnet__fd_safe(bpf_btf_get_fd_by_id(id));
		struct bpf_btf_info info = { 0 };
		uint32_t len = sizeof(info);
		char found[64] = "";

		if (fd == -ENOENT)
			continue; /* gone since */
		if (fd < 0)
			return fd;
		info.name = (uintptr_t)found;
		info.name_len = sizeof(found);
		if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && info.kernel_btf &&
		    !strcmp(found, name))
			return TAKE_FD(fd);
	}
	return errno == ENOENT ? -ENOENT : -errno;
}

/* Opens the kernel's BTF, and the module's if the kernel itself lacks the function. 1, 0 or -errno.
 */
static int find_home(struct kfunc_home *home, const char *function, const char *module)
{
	char path[64];

	home->kernel = btf__parse_raw(KERNEL_BTF);
	if (!home->kernel)
		return errno == ENOENT ? 0 : -errno;
	if (btf__find_by_name_kind(home->kernel, function, BTF_KIND_FUNC) > 0)
		return 1;
	if (!module)
		return 0;
	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", module);
	if (access(path, R_OK) < 0)
		return 0;
	home->module = btf__parse_raw_split(path, home->kernel);
	if (!home->module)
		return -errno;
	if (btf__find_by_name_kind(home->module, function, BTF_KIND_FUNC) <= 0)
		return 0;
	home->fd = module_fd(module);
	if (home->fd == -EINVAL)
		return 0; /* a kernel older than BTF ids */
	return home->fd < 0 ? home->fd : 1;
}

static struct bpf_insn call(const struct kfunc_home *home, const char *function)
{
	const struct btf *btf = home->module ? home->module : home->kernel;
	int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);

	/* fd_array[0] is never read: an offset of 0 is the kernel itself. */
	return EBPFNET__INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, home->module ? 1 : 0,
			     id);
}

/* ENOTSUPP: kernel functions can be called from compiled programs only, and the JIT is off. */
static int load(const struct kfunc_home *home, uint32_t type, const struct bpf_insn *insns,
		size_t n)
{
	const int fds[] = { -1, home->fd };
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	char log[4096] = "";
	int fd;

	opts.fd_array = fds;
	opts.log_buf = log;
	opts.log_size = sizeof(log);
	fd = bpf_prog_load(type, NULL, "GPL", insns, n, &opts);
	if (fd == -EACCES)
		return log[0] ? 0 : -EPERM;
	return fd == -524 ? 0 : ebpfnet__try_answer(fd);
}

static int probe_dynptr(uint32_t type, const char *function)
{
	CLEANUP(home) struct kfunc_home home = { .fd = -1 };
	int ret = find_home(&home, function, NULL);

	if (ret <= 0)
		return ret;

	const struct bpf_insn insns[] = {
		EBPFNET__MOV_IMM(BPF_REG_2, 0), /* flags */
		EBPFNET__MOV_REG(BPF_REG_3, BPF_REG_10),
		EBPFNET__ADD_IMM(BPF_REG_3, -16), /* struct bpf_dynptr */
		call(&home, function),
		EBPFNET__MOV_IMM(BPF_REG_0, 0),
		EBPFNET__EXIT,
	};

	return load(&home, type, insns, EBPFNET__ARRAY_SIZE(insns));
}

int ebpfnet__probe_dynptr_skb(void)
{
	return probe_dynptr(BPF_PROG_TYPE_SCHED_CLS, "bpf_dynptr_from_skb");
}

int ebpfnet__probe_dynptr_xdp(void)
{
	return probe_dynptr(BPF_PROG_TYPE_XDP, "bpf_dynptr_from_xdp");
}

#define ZERO(offset) EBPFNET__INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, offset, 0)

int ebpfnet__probe_ct_lookup(void)
{
	CLEANUP(home) struct kfunc_home home = { .fd = -1 };
	int ret = find_home(&home, "bpf_xdp_ct_lookup", "nf_conntrack");

	if (ret <= 0)
		return ret;

	const struct bpf_insn insns[] = {
		ZERO(-8),
		ZERO(-16),
		ZERO(-24),
		ZERO(-32),
		EBPFNET__MOV_REG(BPF_REG_2, BPF_REG_10),
		EBPFNET__ADD_IMM(BPF_REG_2, -16), /* struct bpf_sock_tuple, IPv4 */
		EBPFNET__MOV_IMM(BPF_REG_3, 12),
		EBPFNET__MOV_REG(BPF_REG_4, BPF_REG_10),
		EBPFNET__ADD_IMM(BPF_REG_4, -32), /* struct bpf_ct_opts */
		EBPFNET__MOV_IMM(BPF_REG_5, 12),
		call(&home, "bpf_xdp_ct_lookup"),
		EBPFNET__INSN(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 2, 0),
		EBPFNET__MOV_REG(BPF_REG_1, BPF_REG_0),
		call(&home, "bpf_ct_release"),
		EBPFNET__MOV_IMM(BPF_REG_0, XDP_PASS),
		EBPFNET__EXIT,
	};

	return load(&home, BPF_PROG_TYPE_XDP, insns, EBPFNET__ARRAY_SIZE(insns));
}
