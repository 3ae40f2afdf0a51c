// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The probes that are a call or two of bpf(2). Each says by which errno the kernel tells yes from
 * no; a probe that changes something says why nothing else will do.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>

#include "core/uapi.h"
#include "core/util.h"
#include "probe/try.h"

/* /sys/kernel/btf/vmlinux came with BTF's exposure to user space; its content is not looked at. */
int ebpfnet__probe_btf(void)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		return 1;
	if (errno == EACCES)
		return -EPERM;
	return access("/sys/kernel", F_OK) == 0 ? 0 : -ENOENT;
}

/* Asked of a program: the sysctl is hidden from network namespaces, and on is not the same as
 * works. */
int ebpfnet__probe_jit(void)
{
	CLEANUP(fd) int fd = ebpfnet__try_return(BPF_PROG_TYPE_XDP, 0, 0, XDP_PASS);
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	return info.jited_prog_len > 0;
}

/*
 * EINVAL: no such helper. Calling one that exists without arguments is EACCES, and one that takes
 * none works. Security modules say EACCES too, but not through the verifier's log.
 */
static int probe_helper(uint32_t id)
{
	const struct bpf_insn insns[] = { EBPFNET__CALL_HELPER((int)id), EBPFNET__EXIT };
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	char log[4096] = "";
	int fd;

	opts.log_buf = log;
	opts.log_size = sizeof(log);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, NULL, "GPL", insns, EBPFNET__ARRAY_SIZE(insns),
			   &opts);
	if (fd == -EACCES)
		return log[0] ? 1 : -EPERM;
	return ebpfnet__try_answer(fd);
}

/*
 * Charging maps to the memory cgroup shows nowhere; 5.11 brought this helper too. libbpf decides by
 * the same sign whether to raise RLIMIT_MEMLOCK.
 */
int ebpfnet__probe_memcg_accounting(void)
{
	return probe_helper(BPF_FUNC_ktime_get_coarse_ns);
}

int ebpfnet__probe_bpf_timer(void)
{
	return probe_helper(BPF_FUNC_timer_init);
}

int ebpfnet__probe_bpf_loop(void)
{
	return probe_helper(BPF_FUNC_loop);
}

int ebpfnet__probe_raw_syncookie(void)
{
	return probe_helper(BPF_FUNC_tcp_raw_gen_syncookie_ipv4);
}

/*
 * The one probe that does what it asks about, for the microseconds until the fd is closed: an
 * unknown command and an unknown kind of statistics are both EINVAL, and nothing else can be wrong
 * with it.
 */
int ebpfnet__probe_run_stats(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.enable_stats.type = BPF_STATS_RUN_TIME;
	return ebpfnet__try_answer(ebpfnet__try_bpf(BPF_ENABLE_STATS, &attr));
}

static int probe_map(uint32_t type, uint32_t value_size, uint32_t entries, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int fd;

	opts.map_flags = flags;
	fd = bpf_map_create(type, NULL, 0, value_size, entries, &opts);
	return ebpfnet__try_answer(fd == -EACCES ? -EPERM : fd);
}

int ebpfnet__probe_ringbuf(void)
{
	return probe_map(BPF_MAP_TYPE_RINGBUF, 0, (uint32_t)sysconf(_SC_PAGESIZE), 0);
}

int ebpfnet__probe_bloom_filter(void)
{
	return probe_map(BPF_MAP_TYPE_BLOOM_FILTER, 4, 1, 0);
}

int ebpfnet__probe_user_ringbuf(void)
{
	return probe_map(BPF_MAP_TYPE_USER_RINGBUF, 0, (uint32_t)sysconf(_SC_PAGESIZE), 0);
}

/* EOPNOTSUPP: this architecture's JIT has no arena. */
int ebpfnet__probe_arena(void)
{
	int ret = probe_map(EBPFNET__BPF_MAP_TYPE_ARENA, 0, 1, BPF_F_MMAPABLE);

	return ret == -EOPNOTSUPP ? 0 : ret;
}

/* A command with an fd that nobody has: EBADF if the kernel looks it up, EINVAL if it knows no
 * such. */
static int probe_bad_fd(int cmd, union bpf_attr *attr)
{
	int ret = ebpfnet__try_bpf(cmd, attr);

	return ret == -EBADF ? 1 : ebpfnet__try_answer(ret);
}

int ebpfnet__probe_map_batch(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.batch.map_fd = (uint32_t)-1;
	return probe_bad_fd(BPF_MAP_LOOKUP_BATCH, &attr);
}

int ebpfnet__probe_skb_verdict(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)-1;
	attr.attach_bpf_fd = (uint32_t)-1;
	attr.attach_type = BPF_SK_SKB_VERDICT;
	return probe_bad_fd(BPF_PROG_ATTACH, &attr);
}

int ebpfnet__probe_bpf_token(void)
{
	union {
		union bpf_attr attr;
		struct ebpfnet__token_create token;
	} u;

	memset(&u, 0, sizeof(u));
	u.token.bpffs_fd = (uint32_t)-1;
	return probe_bad_fd(EBPFNET__BPF_TOKEN_CREATE, &u.attr);
}

int ebpfnet__probe_sk_lookup(void)
{
	return ebpfnet__try_answer(
		ebpfnet__try_return(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, 0, SK_PASS));
}

int ebpfnet__probe_xdp_frags(void)
{
	return ebpfnet__try_answer(
		ebpfnet__try_return(BPF_PROG_TYPE_XDP, BPF_XDP, BPF_F_XDP_HAS_FRAGS, XDP_PASS));
}

/* BPF_LINK_CREATE for a program, to a target that cannot be. Closes the program; passes its -errno
 * on. */
static int try_link(int prog, uint32_t attach_type, uint32_t target, uint32_t flags)
{
	union bpf_attr attr;
	int ret;

	if (prog < 0)
		return prog;
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)prog;
	attr.link_create.attach_type = attach_type;
	attr.link_create.target_fd = target;
	attr.link_create.flags = flags;
	ret = ebpfnet__try_bpf(BPF_LINK_CREATE, &attr);
	close(prog);
	return ret;
}

/*
 * An unknown interface is EINVAL, as is everything before 5.9. Hardware mode on the loopback device
 * is EOPNOTSUPP, or EBUSY or EEXIST if it has a program.
 */
int ebpfnet__probe_xdp_link(void)
{
	int ret = try_link(ebpfnet__try_return(BPF_PROG_TYPE_XDP, 0, 0, XDP_PASS), BPF_XDP,
			   if_nametoindex("lo"), XDP_FLAGS_HW_MODE);

	if (ret == -EOPNOTSUPP || ret == -EBUSY || ret == -EEXIST)
		return 1;
	return ebpfnet__try_answer(ret);
}

int ebpfnet__probe_sockmap_link(void)
{
	int ret =
		try_link(ebpfnet__try_return(BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT, 0, SK_PASS),
			 BPF_SK_MSG_VERDICT, (uint32_t)-1, 0);

	return ret == -EBADF ? 1 : ebpfnet__try_answer(ret);
}

/* EINVAL until 6.17: a cgroup link took no such flag, and said so before it looked at the cgroup.
 */
int ebpfnet__probe_cgroup_order(void)
{
	int ret = try_link(
		ebpfnet__try_return(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, 0, 1),
		BPF_CGROUP_INET_INGRESS, (uint32_t)-1, EBPFNET__BPF_F_BEFORE);

	return ret == -EBADF ? 1 : ebpfnet__try_answer(ret);
}

/* A protocol family of 0 is none: EAFNOSUPPORT. */
int ebpfnet__probe_netfilter_link(void)
{
	int ret = try_link(
		ebpfnet__try_return(EBPFNET__BPF_PROG_TYPE_NETFILTER, EBPFNET__BPF_NETFILTER, 0, 1),
		EBPFNET__BPF_NETFILTER, 0, 0);

	return ret == -EAFNOSUPPORT ? 1 : ebpfnet__try_answer(ret);
}

/* A batch is at most 256 frames, which only a kernel that knows batches says: E2BIG. */
int ebpfnet__probe_xdp_live_frames(void)
{
	CLEANUP(fd) int prog = ebpfnet__try_return(BPF_PROG_TYPE_XDP, 0, 0, XDP_DROP);
	unsigned char frame[64] = { 0 };
	union bpf_attr attr;
	int ret;

	if (prog < 0)
		return prog;
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)prog;
	attr.test.data_in = (uintptr_t)frame;
	attr.test.data_size_in = sizeof(frame);
	attr.test.repeat = 1;
	attr.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
	attr.test.batch_size = UINT32_MAX;
	ret = ebpfnet__try_bpf(BPF_PROG_TEST_RUN, &attr);
	return ret == -E2BIG ? 1 : ebpfnet__try_answer(ret);
}

/* Interface 0 is never there: ENODEV. */
static int probe_query(uint32_t attach_type)
{
	union bpf_attr attr;
	int ret;

	memset(&attr, 0, sizeof(attr));
	attr.query.attach_type = attach_type;
	ret = ebpfnet__try_bpf(BPF_PROG_QUERY, &attr);
	return ret == -ENODEV ? 1 : ebpfnet__try_answer(ret);
}

int ebpfnet__probe_tcx(void)
{
	return probe_query(EBPFNET__BPF_TCX_INGRESS);
}

int ebpfnet__probe_netkit(void)
{
	return probe_query(EBPFNET__BPF_NETKIT_PRIMARY);
}
