// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "load/explain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The program that libbpf was loading when it failed, by its own words; its index, or -1. */
static int failed_program(const struct ebpfnet__call *call, const struct bpf_object *bpf)
{
	struct bpf_program *prog;
	int index = 0;

	bpf_object__for_each_program(prog, bpf) {
		char words[EBPFNET_NAME_LEN + 64];

		snprintf(words, sizeof(words), "prog '%s': BPF program load failed",
			 bpf_program__name(prog));
		if (strstr(ebpfnet__libbpf_text(call), words))
			return index;
		index++;
	}
	return -1;
}

int ebpfnet__explain_load(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
			  struct bpf_object *bpf, int code, const struct ebpfnet__logs *logs)
{
	int index = failed_program(call, bpf);
	const char *log = index < 0 ? "" : ebpfnet__logs_get(logs, (size_t)index);

	(void)obj;
	ebpfnet__note_verifier_log(call, log);
	return ebpfnet__fail(call, code, *log ? EBPFNET_ERROR_VERIFIER : 0, "%s",
			     ebpfnet_strerror(code));
}
