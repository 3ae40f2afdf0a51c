/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_LOAD_VERIFIER_LOG_H
#define EBPFNET_LOAD_VERIFIER_LOG_H

/*
 * The kernel explains a refused program in a log of up to megabytes, whose one interesting line is
 * near its end. This finds that line, the C source that it is about, and what to do.
 *
 * A pure function of its arguments: no allocation, no I/O, no kernel. The golden logs in
 * tests/golden/verifier show what it is given and tests/golden/verifier/expected what it makes of
 * it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ebpfnet__verifier_class {
	EBPFNET__VERIFIER_UNKNOWN,	   /* no log and an errno that says nothing more */
	EBPFNET__VERIFIER_REFUSED,	   /* the program breaks a rule: see summary */
	EBPFNET__VERIFIER_GPL_ONLY,	   /* subject: the helper */
	EBPFNET__VERIFIER_HELPER_UNKNOWN,  /* this kernel has no such helper; subject, min_kernel */
	EBPFNET__VERIFIER_HELPER_REFUSED,  /* not for this program type; subject */
	EBPFNET__VERIFIER_KFUNC_UNKNOWN,   /* this kernel has no such kernel function; subject */
	EBPFNET__VERIFIER_KFUNC_REFUSED,   /* not for this program type; subject */
	EBPFNET__VERIFIER_MAP_NOT_CREATED, /* the program uses a map that was left out; subject */
	EBPFNET__VERIFIER_CORE,	       /* a CO-RE relocation failed; subject "struct x.member" */
	EBPFNET__VERIFIER_PERMISSION,  /* EPERM before the verifier ran */
	EBPFNET__VERIFIER_TOO_COMPLEX, /* more instructions, jumps or states than it walks */
	EBPFNET__VERIFIER_CUT_OFF,     /* the log buffer was too small and the reason is lost */
	EBPFNET__VERIFIER_LIBBPF,      /* one of libbpf's own codes, and no log */
};

struct ebpfnet__verifier_summary {
	enum ebpfnet__verifier_class class;
	int32_t insn;		/* the instruction that failed, or -1 */
	uint32_t more_lines;	/* lines of the log about the failure besides those in summary */
	bool cut_off;		/* the log lacks its start or its end */
	const char *min_kernel; /* static: the first kernel with what is missing, or NULL */
	char summary[256];	/* one line, never empty */
	char message[256]; /* the kernel's own line, as kernels before 7.3 have it; may be empty */
	char source[128];  /* the C source of the instruction, if the program has line info */
	char place[128];   /* "file.c:12" of it, from Linux 6.9 */
	char subject[128]; /* the name that the class is about */
	char hint[256];	   /* what to do, or empty */
};

/*
 * Summarises `size` bytes of `log` (a NUL ends it earlier; NULL is an empty log). `err` is the
 * errno of the load with either sign, or one of libbpf's codes. `out` is filled completely,
 * whatever the log.
 */
void ebpfnet__verifier_log_summarise(const char *log, size_t size, int err,
				     struct ebpfnet__verifier_summary *out);

/* "gpl-only", "core", ...: for logs and tests. */
const char *ebpfnet__verifier_class_name(enum ebpfnet__verifier_class class);

#endif /* EBPFNET_LOAD_VERIFIER_LOG_H */
