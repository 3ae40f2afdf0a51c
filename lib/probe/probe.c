// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <ebpfnet/probe.h>

#include <errno.h>
#include <string.h>

#include "core/ctx.h"
#include "core/opts.h"
#include "probe/feature.h"

enum { NOT_ASKED, YES, NO };

static int no_such(struct ebpfnet__call *call, uint32_t feature)
{
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "%u is not one of enum ebpfnet_feature", feature);
}

static int refused(struct ebpfnet__call *call)
{
	if (geteuid() == 0)
		ebpfnet__hint(call,
			      "root is not enough here: look for a dropped capability, kernel "
			      "lockdown, a container's seccomp filter, and before Linux 5.11 a "
			      "low ulimit -l");
	else
		ebpfnet__hint(call, "run as root, or with CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON and "
				    "CAP_SYS_ADMIN");
	return ebpfnet__fail(call, -EPERM, EBPFNET_ERROR_PERMISSION,
			     "the kernel would not tell this process");
}

static int inconclusive(struct ebpfnet__call *call, int ret)
{
	switch (-ret) {
	case EPERM:
		return refused(call);
	case ENOENT:
		ebpfnet__hint(call, "mount -t sysfs sysfs /sys");
		return ebpfnet__fail(call, ret, 0, "sysfs is not mounted at /sys");
	case ENOSYS:
		ebpfnet__hint(call, "boot a kernel built with CONFIG_BPF_SYSCALL; a container's "
				    "seccomp filter can hide bpf(2) too");
		return ebpfnet__fail(call, ret, 0, "there is no bpf(2)");
	case ENOTRECOVERABLE:
		return ebpfnet__fail(call, ret, EBPFNET_ERROR_INTERNAL,
				     "this thread could not return to its network namespace");
	default:
		return ebpfnet__fail(call, ret, EBPFNET_ERROR_SYSTEM,
				     "the kernel answered neither "
				     "yes nor no: %s",
				     ebpfnet_strerror(ret));
	}
}

/* A "no" may be kept unless modprobe or sysctl can turn it into a "yes". */
static bool lasting(const struct ebpfnet__feature *f, int answer)
{
	char missing[EBPFNET__MODULES_LEN];

	return answer ||
	       !(f->sysctl || ebpfnet__feature_missing_modules(f, missing, sizeof(missing)));
}

static int ask(struct ebpfnet__call *call, uint32_t feature)
{
	const struct ebpfnet__feature *f = ebpfnet__feature(feature);
	unsigned char *kept;
	int ret;

	if (!f)
		return no_such(call, feature);
	ebpfnet__call_what(call, "probe %s", f->name);
	kept = &call->ctx->probed[feature - 1];
	ret = __atomic_load_n(kept, __ATOMIC_RELAXED);
	if (ret != NOT_ASKED)
		return ret == YES;
	ret = f->probe();
	if (ret < 0)
		return inconclusive(call, ret);
	ebpfnet__log(call->ctx, EBPFNET_LOG_DEBUG, "probe %s: %s", f->name, ret ? "yes" : "no");
	if (lasting(f, ret))
		__atomic_store_n(kept, ret ? YES : NO, __ATOMIC_RELAXED);
	return ret;
}

int ebpfnet_probe(struct ebpfnet_ctx *ctx, uint32_t feature, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "probe");

	return ask(&call, feature);
}

int ebpfnet_probe_require(struct ebpfnet_ctx *ctx, uint32_t feature, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "probe");
	int ret = ask(&call, feature);

	if (ret)
		return ret < 0 ? ret : 0;
	return ebpfnet__fail_feature(&call, -EOPNOTSUPP, feature, NULL);
}

int ebpfnet_probe_info(uint32_t feature, struct ebpfnet_feature_info *info)
{
	const struct ebpfnet__feature *f = ebpfnet__feature(feature);
	struct ebpfnet_feature_info ours = { 0 };

	if (!f)
		return -ENOENT;
	ours.name = f->name;
	ours.description = f->description;
	ours.min_kernel = f->min_kernel;
	ours.config = f->config;
	ours.modules = f->modules;
	ours.sysctl = f->sysctl;
	return EBPFNET__OUT_FILL(info, &ours);
}

uint32_t ebpfnet_probe_find(const char *name)
{
	const struct ebpfnet__feature *f;

	for (uint32_t i = 1; (f = ebpfnet__feature(i)); i++)
		if (!strcmp(f->name, name))
			return i;
	return 0;
}
