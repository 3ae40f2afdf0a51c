/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_PROBE_TRY_H
#define EBPFNET_PROBE_TRY_H

/*
 * What the probes share. Programs and maps are made through libbpf, which raises RLIMIT_MEMLOCK on
 * kernels before 5.11 as the context allows; every other command goes to bpf(2) as it is, because
 * libbpf's wrappers fall back on EINVAL to older ways, and EINVAL is what a probe listens for.
 */

#include <stdint.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#define EBPFNET__INSN(op, dst, src, offset, value)                                                 \
	((struct bpf_insn) { .code = (op),                                                         \
			     .dst_reg = (dst),                                                     \
			     .src_reg = (src),                                                     \
			     .off = (offset),                                                      \
			     .imm = (value) })
#define EBPFNET__MOV_IMM(dst, value) EBPFNET__INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define EBPFNET__MOV_REG(dst, src) EBPFNET__INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define EBPFNET__ADD_IMM(dst, value) EBPFNET__INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define EBPFNET__CALL_HELPER(id) EBPFNET__INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define EBPFNET__EXIT EBPFNET__INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* A bpf(2) command. Returns what it gives, or -errno. */
int ebpfnet__try_bpf(int cmd, union bpf_attr *attr);

/*
 * The program that returns a constant. Returns an fd or -errno; a refusal by the security module
 * (EACCES) is -EPERM, as a refusal for want of a capability is.
 */
int ebpfnet__try_return(uint32_t type, uint32_t attach_type, uint32_t flags, int value);

/* An answer from an fd, which is closed, or from an errno: EINVAL is no, the rest is no telling. */
int ebpfnet__try_answer(int ret);

/* The probes, one per row of the table: 1, 0, or -errno if there is no telling. */
int ebpfnet__probe_arena(void);
int ebpfnet__probe_bloom_filter(void);
int ebpfnet__probe_bpf_loop(void);
int ebpfnet__probe_bpf_timer(void);
int ebpfnet__probe_bpf_token(void);
int ebpfnet__probe_btf(void);
int ebpfnet__probe_cgroup_order(void);
int ebpfnet__probe_clsact(void);
int ebpfnet__probe_ct_lookup(void);
int ebpfnet__probe_dynptr_skb(void);
int ebpfnet__probe_dynptr_xdp(void);
int ebpfnet__probe_freplace_multi(void);
int ebpfnet__probe_jit(void);
int ebpfnet__probe_map_batch(void);
int ebpfnet__probe_memcg_accounting(void);
int ebpfnet__probe_netfilter_link(void);
int ebpfnet__probe_netkit(void);
int ebpfnet__probe_raw_syncookie(void);
int ebpfnet__probe_ringbuf(void);
int ebpfnet__probe_run_stats(void);
int ebpfnet__probe_sk_lookup(void);
int ebpfnet__probe_skb_verdict(void);
int ebpfnet__probe_sockmap_link(void);
int ebpfnet__probe_tcx(void);
int ebpfnet__probe_user_ringbuf(void);
int ebpfnet__probe_xdp_frags(void);
int ebpfnet__probe_xdp_link(void);
int ebpfnet__probe_xdp_live_frames(void);

#endif /* EBPFNET_PROBE_TRY_H */
