// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * An extension program names the function it replaces when it is loaded; since 5.10 a link can give
 * it another one. Only a loaded extension can be offered such a link, so the probe loads a target,
 * an extension of it, and offers a link to a program that is not there.
 */
#include <errno.h>
#include <string.h>

#include <bpf/btf.h>
#include <linux/btf.h>

#include "core/util.h"
#include "probe/try.h"

static inline void ebpfnet__cleanup_btf(struct btf **btf)
{
	btf__free(*btf);
}

/* int probe(struct xdp_md *ctx), a global function. Returns an fd and the function's id. */
static int function_btf(int *function)
{
	CLEANUP(btf) struct btf *btf = btf__new_empty();
	const void *raw;
	uint32_t size = 0;
	int integer, context, proto;

	if (!btf)
		return -ENOMEM;
	integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	/* The verifier knows a program's context by the name of its struct. */
	context = btf__add_ptr(btf, btf__add_struct(btf, "xdp_md", 4));
	proto = btf__add_func_proto(btf, integer);
	if (btf__add_func_param(btf, "ctx", context) < 0)
		return -ENOMEM;
	*function = btf__add_func(btf, "probe", BTF_FUNC_GLOBAL, proto);
	raw = *function > 0 ? btf__raw_data(btf, &size) : NULL;
	return raw ? ebpfnet__fd_safe(bpf_btf_load(raw, size, NULL)) : -ENOMEM;
}

static int load(uint32_t type, int btf, int function, int target)
{
	const struct bpf_insn insns[] = { EBPFNET__MOV_IMM(BPF_REG_0, XDP_PASS), EBPFNET__EXIT };
	const struct bpf_func_info info = { .type_id = (uint32_t)function };
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int fd;

	opts.prog_btf_fd = (uint32_t)btf;
	opts.func_info = &info;
	opts.func_info_cnt = 1;
	opts.func_info_rec_size = sizeof(info);
	if (target >= 0) {
		opts.attach_prog_fd = (uint32_t)target;
		opts.attach_btf_id = (uint32_t)function;
	}
	fd = ebpfnet__fd_safe(
		bpf_prog_load(type, NULL, "GPL", insns, EBPFNET__ARRAY_SIZE(insns), &opts));
	return fd == -EACCES ? -EPERM : fd;
}

/* EBADF: a link may name a target of its own. EINVAL: it may not, or there are no extensions here.
 */
int ebpfnet__probe_freplace_multi(void)
{
	int function = 0, ret;
	CLEANUP(fd) int btf = function_btf(&function);
	CLEANUP(fd) int target = btf < 0 ? btf : load(BPF_PROG_TYPE_XDP, btf, function, -1);
	CLEANUP(fd)
	int extension = target < 0 ? target : load(BPF_PROG_TYPE_EXT, btf, function, target);
	union bpf_attr attr;

	if (extension < 0)
		return ebpfnet__try_answer(extension);
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)extension;
	attr.link_create.target_fd = (uint32_t)-1;
	attr.link_create.target_btf_id = (uint32_t)function;
	ret = ebpfnet__try_bpf(BPF_LINK_CREATE, &attr);
	return ret == -EBADF ? 1 : ebpfnet__try_answer(ret);
}
