// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The same as t2.c in plain libbpf: TCX or nothing, and a refusal is an errno. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "tcx_uapi.h"

int t2_libbpf(struct bpf_program *prog, __u32 before, int ifindex, __u64 revision,
	      struct bpf_link **link)
{
	LIBBPF_OPTS(bpf_tcx_opts, opts, .flags = TCX_BEFORE | TCX_ID, .relative_id = before,
		    .expected_revision = revision);

	*link = bpf_program__attach_tcx(prog, ifindex, &opts);
	return *link ? 0 : -errno;
}
