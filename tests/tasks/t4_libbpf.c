// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * XDP links and TCX only, in plain libbpf, which probes program, map and helper types and no
 * hooks: each is tried with an interface that does not exist. The releases are the programmer's.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "tcx_uapi.h"

static const struct bpf_insn code[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 2 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int probe(enum bpf_prog_type type, enum bpf_attach_type hook, int there)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = hook);
	int prog = bpf_prog_load(type, NULL, "GPL", code, 2, &opts), ret, error;

	if (prog < 0)
		return errno == EPERM ? -EPERM : 0;
	ret = bpf_link_create(prog, 0x7fffffff, hook, NULL);
	error = errno;
	close(prog);
	if (ret >= 0)
		close(ret);
	return error == EPERM ? -EPERM : error == there;
}

int main(void)
{
	printf("xdp_link\t5.9\t%d\n", probe(BPF_PROG_TYPE_XDP, BPF_XDP, EINVAL));
	printf("tcx\t6.6\t%d\n", probe(BPF_PROG_TYPE_SCHED_CLS, TCX_INGRESS, ENODEV));
}
