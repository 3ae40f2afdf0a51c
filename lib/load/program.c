// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/opts.h"
#include "load/object.h"
#include "load/pin.h"

int ebpfnet_program_fd(const struct ebpfnet_program *prog)
{
	return prog->fd < 0 ? -EBADF : prog->fd;
}

const char *ebpfnet_program_name(const struct ebpfnet_program *prog)
{
	return prog->name;
}

static int get_info(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
		    struct bpf_prog_info *info)
{
	int ret = prog->fd < 0 ? -EBADF : ebpfnet__info_by_fd(prog->fd, info, sizeof(*info));

	if (ret)
		return ebpfnet__fail(call, ret, ret == -EBADF ? EBPFNET_ERROR_INVALID : 0, "%s",
				     prog->fd < 0 ? "it is not loaded" : ebpfnet_strerror(ret));
	return 0;
}

int ebpfnet_program_info(const struct ebpfnet_program *prog, struct ebpfnet_program_info *out,
			 struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "program %s: info", prog->name);
	struct ebpfnet_program_info o = { 0 };
	struct bpf_prog_info info = { 0 };
	int ret = get_info(&call, prog, &info);

	if (ret)
		return ret;
	snprintf(o.name, sizeof(o.name), "%s", prog->name);
	o.id = info.id;
	o.type = info.type;
	o.attach_type = prog->bpf ? bpf_program__expected_attach_type(prog->bpf) : 0;
	o.insns = info.xlated_prog_len / sizeof(struct bpf_insn);
	o.verified_insns = info.verified_insns;
	o.jited_size = info.jited_prog_len;
	o.gpl = info.gpl_compatible;
	o.map_count = info.nr_map_ids;
	o.load_time_ns = info.load_time;
	memcpy(o.tag, info.tag, sizeof(o.tag));
	if (EBPFNET__OUT_FILL(out, &o))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID, "sz is not set");
	return 0;
}

/* What the kernel's answer to a test run means; r is what was asked, o what came back. */
static int explain_run(struct ebpfnet__call *call, int ret, const struct ebpfnet_program_run *r,
		       const struct bpf_test_run_opts *o)
{
	switch (ret) {
	case 0:
		return 0;
	case -EINVAL:
		ebpfnet__hint(call, "packets start at the Ethernet header; context fields that the "
				    "kernel does not take must be zero");
		return ebpfnet__fail(
			call, ret, EBPFNET_ERROR_INVALID,
			"the kernel does not run this type on %u bytes of packet and %u "
			"of context",
			r->data_in_size, r->ctx_in_size);
	case -ENOSPC:
		if (!r->data_out || o->data_size_out <= r->data_out_size)
			return ebpfnet__fail(call, ret, EBPFNET_ERROR_INVALID,
					     "the context has %u bytes, more than ctx_out holds",
					     o->ctx_size_out);
		return ebpfnet__fail(call, ret, EBPFNET_ERROR_INVALID,
				     "the packet has %u bytes afterwards, more than data_out holds",
				     o->data_size_out);
	case -524: /* ENOTSUPP */
		return ebpfnet__fail(call, ret, EBPFNET_ERROR_NOT_SUPPORTED,
				     "the kernel has no test run for this program type");
	default:
		return ebpfnet__fail(call, ret, 0, "%s", ebpfnet_strerror(ret));
	}
}

int ebpfnet_program_run(const struct ebpfnet_program *prog, struct ebpfnet_program_run *run,
			struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "program %s: run", prog->name);
	struct ebpfnet_program_run r, back;
	int ret = EBPFNET__OPTS_COPY(&call, run, &r);

	if (ret)
		return ret;
	if (prog->fd < 0)
		return ebpfnet__fail(&call, -EBADF, EBPFNET_ERROR_INVALID, "it is not loaded");
	/* Linux before 5.18 ignores those that it does not know, live frames among them. */
	if (r.flags)
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID, "flags 0x%x: must be 0",
				     r.flags);
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = r.data_in, .data_size_in = r.data_in_size,
		    .data_out = r.data_out, .data_size_out = r.data_out ? r.data_out_size : 0,
		    .ctx_in = r.ctx_in, .ctx_size_in = r.ctx_in_size, .ctx_out = r.ctx_out,
		    .ctx_size_out = r.ctx_out ? r.ctx_out_size : 0, .repeat = (int)r.repeat);
	ret = bpf_prog_test_run_opts(prog->fd, &o);
	back = r;
	back.data_out_size = o.data_size_out;
	back.ctx_out_size = o.ctx_size_out;
	back.retval = o.retval;
	back.duration_ns = o.duration;
	EBPFNET__OUT_FILL(run, &back);
	return explain_run(&call, ret, &r, &o);
}

int ebpfnet_program_stats(const struct ebpfnet_program *prog, struct ebpfnet_program_stats *stats,
			  struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "program %s: stats", prog->name);
	struct ebpfnet_program_stats o = { 0 };
	struct bpf_prog_info info = { 0 };
	int ret = get_info(&call, prog, &info);

	if (ret)
		return ret;
	o.run_count = info.run_cnt;
	o.run_time_ns = info.run_time_ns;
	o.recursion_misses = info.recursion_misses;
	if (EBPFNET__OUT_FILL(stats, &o))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID, "sz is not set");
	return 0;
}

int ebpfnet_program_stats_enable(struct ebpfnet_ctx *ctx, int *fd, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "switch program statistics on");
	int ret;

	*fd = -1;
	ret = ebpfnet__fd_safe(bpf_enable_stats(BPF_STATS_RUN_TIME));
	if (ret < 0) {
		ret = -errno;
		if (ret == -EINVAL) {
			ebpfnet__note_min_kernel(&call, "5.8");
			ebpfnet__hint(&call, "sysctl kernel.bpf_stats_enabled=1 works since 5.1");
		} else if (ret == -EPERM) {
			ebpfnet__hint(&call, "CAP_SYS_ADMIN (or root)");
		}
		return ebpfnet__fail(&call, ret, 0, "%s", ebpfnet_strerror(ret));
	}
	*fd = ret;
	return 0;
}

int ebpfnet_program_dump(const struct ebpfnet_program *prog, uint32_t kind, void *buf, size_t *size,
			 struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "program %s: dump", prog->name);
	struct bpf_prog_info sizes = { 0 }, ask = { 0 };
	bool jited = kind == EBPFNET_DUMP_JITED;
	uint32_t need;
	int ret;

	if (!jited && kind != EBPFNET_DUMP_TRANSLATED)
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID, "unknown kind %u",
				     kind);
	ret = get_info(&call, prog, &sizes);
	if (ret)
		return ret;
	need = jited ? sizes.jited_prog_len : sizes.xlated_prog_len;
	/* Who may not see the code is told 0 for both sizes. */
	if (need == 0) {
		bool no_jit = sizes.xlated_prog_len != 0;

		ebpfnet__hint(&call, no_jit ? "sysctl net.core.bpf_jit_enable=1"
					    : "CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON");
		return ebpfnet__fail(&call, no_jit ? -EOPNOTSUPP : -EPERM, 0,
				     "the kernel gives no %s code",
				     jited ? "machine" : "translated");
	}
	if (buf && *size >= need) {
		if (jited) {
			ask.jited_prog_insns = (uintptr_t)buf;
			ask.jited_prog_len = need;
		} else {
			ask.xlated_prog_insns = (uintptr_t)buf;
			ask.xlated_prog_len = need;
		}
		ret = get_info(&call, prog, &ask);
		if (ret)
			return ret;
		/* Without the right to see it the kernel says 0 for the pointer. */
		if (!(jited ? ask.jited_prog_insns : ask.xlated_prog_insns)) {
			ebpfnet__hint(&call,
				      "CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON; and sysctl "
				      "net.core.bpf_jit_harden=2 or kernel.kptr_restrict hide it");
			return ebpfnet__fail(&call, -EPERM, 0, "the kernel does not show its code");
		}
	}
	*size = need;
	return 0;
}

int ebpfnet_program_pin(const struct ebpfnet_program *prog, const char *path,
			struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "pin program %s", prog->name);

	return ebpfnet__pin_fd(&call, prog->fd, path);
}

/* Takes the fd, also after a failure. */
static int open_owned(struct ebpfnet__call *call, int fd, struct ebpfnet_program **out)
{
	struct ebpfnet_program *prog = calloc(1, sizeof(*prog));
	struct bpf_prog_info info = { 0 };

	if (!prog) {
		close(fd);
		return ebpfnet__fail_nomem(call);
	}
	prog->ctx = ebpfnet_ctx_ref(call->ctx);
	prog->fd = fd;
	prog->owned = true;
	if (ebpfnet__info_by_fd(fd, &info, sizeof(info)) == 0)
		snprintf(prog->name, sizeof(prog->name), "%s", info.name);
	*out = prog;
	return 0;
}

int ebpfnet_program_open_pinned(struct ebpfnet_ctx *ctx, const char *path,
				struct ebpfnet_program **prog, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "open pinned program %s", path);
	int fd;

	*prog = NULL;
	fd = ebpfnet__pin_get(&call, path, EBPFNET__NOUN_PROGRAM);
	return fd < 0 ? fd : open_owned(&call, fd, prog);
}

int ebpfnet_program_open_id(struct ebpfnet_ctx *ctx, uint32_t id, struct ebpfnet_program **prog,
			    struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "open program %u", id);
	int fd;

	*prog = NULL;
	fd = ebpfnet__fd_safe(bpf_prog_get_fd_by_id(id));
	if (fd < 0) {
		int ret = -errno;

		if (ret == -EPERM)
			ebpfnet__hint(&call, "CAP_SYS_ADMIN (or root)");
		return ebpfnet__fail(&call, ret, 0, "%s", ebpfnet_strerror(ret));
	}
	return open_owned(&call, fd, prog);
}

int ebpfnet_program_open_fd(struct ebpfnet_ctx *ctx, int fd, struct ebpfnet_program **prog,
			    struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "adopt program fd %d", fd);
	int dup;

	*prog = NULL;
	dup = ebpfnet__fd_adopt(&call, fd, EBPFNET__NOUN_PROGRAM);
	return dup < 0 ? dup : open_owned(&call, dup, prog);
}

void ebpfnet_program_close(struct ebpfnet_program *prog)
{
	if (!prog || !prog->owned)
		return;
	close(prog->fd);
	ebpfnet_ctx_unref(prog->ctx);
	free(prog);
}
