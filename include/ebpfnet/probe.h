/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_PROBE_H
#define EBPFNET_PROBE_H

/*
 * What can this kernel do? One row per feature, each answered by trying, never by comparing
 *versions: distributions backport, and builders leave options out.
 *
 *	switch (ebpfnet_probe(ctx, EBPFNET_FEATURE_TCX, &err)) {
 *	case 1:			the kernel has it
 *	case 0:			it does not; ebpfnet_probe_require() says why
 *	case -EPERM:		it would not say to this process: neither yes nor no
 *	}
 *
 * A probe makes nothing that outlives it, attaches nothing to anything that exists, and is silent.
 * Conclusive answers are kept in the context. To see the whole table:
 *
 *	struct ebpfnet_feature_info info;
 *
 *	info.sz = sizeof(info);
 *	for (uint32_t f = 1; ebpfnet_probe_info(f, &info) == 0; f++)
 *		printf("%s\t%s\n", info.name, info.min_kernel);
 *
 * doc/KERNELS.md has the table in print.
 */

#include <ebpfnet/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What can be asked for. Numbered without a gap from 1; values are never reused. */
enum ebpfnet_feature {
	EBPFNET_FEATURE_BTF = 1,
	EBPFNET_FEATURE_JIT,
	EBPFNET_FEATURE_MEMCG_ACCOUNTING,
	EBPFNET_FEATURE_RUN_STATS,
	EBPFNET_FEATURE_CLSACT,
	EBPFNET_FEATURE_MAP_BATCH,
	EBPFNET_FEATURE_RINGBUF,
	EBPFNET_FEATURE_XDP_LINK,
	EBPFNET_FEATURE_SK_LOOKUP,
	EBPFNET_FEATURE_FREPLACE_MULTI,
	EBPFNET_FEATURE_SKB_VERDICT,
	EBPFNET_FEATURE_BPF_TIMER,
	EBPFNET_FEATURE_BLOOM_FILTER,
	EBPFNET_FEATURE_BPF_LOOP,
	EBPFNET_FEATURE_XDP_FRAGS,
	EBPFNET_FEATURE_XDP_LIVE_FRAMES,
	EBPFNET_FEATURE_CT_LOOKUP,
	EBPFNET_FEATURE_RAW_SYNCOOKIE,
	EBPFNET_FEATURE_USER_RINGBUF,
	EBPFNET_FEATURE_DYNPTR_SKB,
	EBPFNET_FEATURE_DYNPTR_XDP,
	EBPFNET_FEATURE_NETFILTER_LINK,
	EBPFNET_FEATURE_TCX,
	EBPFNET_FEATURE_NETKIT,
	EBPFNET_FEATURE_BPF_TOKEN,
	EBPFNET_FEATURE_ARENA,
	EBPFNET_FEATURE_SOCKMAP_LINK,
	EBPFNET_FEATURE_CGROUP_ORDER,
};

/** A row of the feature table; filled by ebpfnet_probe_info(). All texts are static. */
struct ebpfnet_feature_info {
	size_t sz;		 /* sizeof(struct ebpfnet_feature_info) */
	const char *name;	 /* "tcx": what messages call it */
	const char *description; /* in words, one line */
	const char *min_kernel;	 /* "6.6": the Linux release that brought it */
	const char *config;  /* options it needs, by blanks; NULL: none beyond CONFIG_BPF_SYSCALL */
	const char *modules; /* must be loaded unless built in, by blanks; NULL: none */
	const char *sysctl;  /* a switch that can be off although the kernel has it; NULL: none */
};

/**
 * @brief Asks the kernel whether it has a feature.
 *
 * To choose between two ways before going either. When a call of this library fails because a
 * feature is missing, its error says so by itself.
 *
 * @param ctx in; keeps the answer, so that the next question costs nothing. A "no" that loading a
 * module or setting a sysctl can change is not kept.
 * @param feature in: enum ebpfnet_feature.
 * @param err out, may be NULL.
 * @return 1 (yes), 0 (no; not an error), or -EPERM kind PERMISSION (refused to this process: a
 * capability is missing, or the kernel is locked down), -EINVAL (no such feature), -ENOENT (sysfs
 * is not mounted), -ENOSYS (no bpf(2)), -ENOMEM, -EMFILE and their like.
 *
 * Thread-safety: safe. The probe for clsact makes a network namespace and visits it with the
 * calling thread, signals blocked, for three system calls. Those for kernel functions (ct_lookup,
 * dynptr_skb, dynptr_xdp) read the kernel's BTF, about 10 ms; the others take microseconds.
 * Kernel: any; root, or CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, and CAP_SYS_ADMIN for run_stats,
 * clsact and ct_lookup.
 * @see ebpfnet_probe_require
 * @since 0.1
 */
EBPFNET_API int ebpfnet_probe(struct ebpfnet_ctx *ctx, uint32_t feature,
			      struct ebpfnet_error **err);

/**
 * @brief Fails unless the kernel has a feature, and says what is missing.
 *
 * For programs that cannot do without: "probe tcx: not supported: tcx needs Linux 6.6,
 * running 6.1", "probe netkit: not supported: this kernel (6.18.44) has CONFIG_NETKIT unset".
 *
 * @param ctx in; keeps the answer as ebpfnet_probe() does.
 * @param feature in: enum ebpfnet_feature.
 * @param err out, may be NULL; the hint names the remedy, ebpfnet_error_min_kernel() the release.
 * @return 0 (the kernel has it), or -EOPNOTSUPP kind NOT_SUPPORTED (it does not), or what
 * ebpfnet_probe() fails with.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_probe
 * @since 0.1
 */
EBPFNET_API int ebpfnet_probe_require(struct ebpfnet_ctx *ctx, uint32_t feature,
				      struct ebpfnet_error **err);

/**
 * @brief What is known about a feature, whatever kernel is running.
 *
 * @param feature in: enum ebpfnet_feature.
 * @param info out; the caller sets sz.
 * @return 0, or -ENOENT (no such feature; the table ends at the first one), -EINVAL (sz).
 *
 * Thread-safety: safe.
 * Kernel: any; the kernel is not asked.
 * @see ebpfnet_probe
 * @since 0.1
 */
EBPFNET_API int ebpfnet_probe_info(uint32_t feature, struct ebpfnet_feature_info *info);

/**
 * @brief Finds a feature by its name, for command lines and other languages.
 *
 * @param name in: "tcx".
 * @return enum ebpfnet_feature, or 0 if no feature has this name.
 *
 * Thread-safety: safe.
 * Kernel: any; the kernel is not asked.
 * @see ebpfnet_probe_info
 * @since 0.1
 */
EBPFNET_API uint32_t ebpfnet_probe_find(const char *name);

#ifdef __cplusplus
}
#endif

#endif /* EBPFNET_PROBE_H */
