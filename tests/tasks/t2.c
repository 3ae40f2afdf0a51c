// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Task 2: prog goes on TCX ingress before a given program, if nothing changed since the query. */
#include <ebpfnet/ebpfnet.h>

int t2(struct ebpfnet_program *prog, uint32_t before, int ifindex, struct ebpfnet_query *query,
       struct ebpfnet_link **link, struct ebpfnet_error **err)
{
	EBPFNET_OPTS(ebpfnet_tc_opts, opts);
	opts.anchor = EBPFNET_ANCHOR_BEFORE;
	opts.anchor_program_id = before;
	opts.expected_revision = ebpfnet_query_revision(query);
	return ebpfnet_tc_attach(prog, ifindex, EBPFNET_INGRESS, &opts, link, err);
}
