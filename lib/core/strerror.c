// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "core/error.h"

/* The kernel's internal "not supported", which some bpf(2) paths let out. */
#define KERNEL_ENOTSUPP 524

struct libbpf_code {
	int errnum;
	const char *text;
};

/* Indexed by code - __LIBBPF_ERRNO__START. */
static const struct libbpf_code libbpf_codes[] = {
	{ ENOEXEC, "not a valid ELF file" },
	{ ENOEXEC, "not a valid BPF object" },
	{ EINVAL, "the object's version section is missing or wrong" },
	{ ENOEXEC, "the object has another byte order than this machine" },
	{ EIO, "internal error in libbpf" },
	{ EINVAL, "a relocation of the object failed" },
	{ EINVAL, "the kernel refused a program" },
	{ EACCES, "the verifier refused a program" },
	{ E2BIG, "the program is too large" },
	{ EINVAL, "the kernel has another version than the object asks for" },
	{ EINVAL, "the program has another type than its section says" },
	{ EIO, "a netlink answer has the wrong sender" },
	{ EIO, "a netlink answer has the wrong sequence number" },
	{ EIO, "a netlink answer could not be parsed" },
};

/* What has no positive counterpart is no code of anybody's. */
static int positive_of(int code)
{
	if (code >= 0)
		return code;
	return code == INT_MIN ? INT_MAX : -code;
}

static const struct libbpf_code *libbpf_code(int code)
{
	int i = code - __LIBBPF_ERRNO__START;

	if (i < 0 || i >= (int)EBPFNET__ARRAY_SIZE(libbpf_codes))
		return NULL;
	return &libbpf_codes[i];
}

int ebpfnet__errno(int code)
{
	int positive = positive_of(code);
	const struct libbpf_code *c = libbpf_code(positive);

	if (c)
		return -c->errnum;
	return positive == KERNEL_ENOTSUPP ? -EOPNOTSUPP : -positive;
}

const char *ebpfnet_strerror(int code)
{
	int positive = positive_of(code);
	const struct libbpf_code *c = libbpf_code(positive);
	const char *text;

	if (c)
		return c->text;
	if (positive == KERNEL_ENOTSUPP)
		positive = EOPNOTSUPP;
#ifdef __GLIBC__
	text = strerrordesc_np(positive);
#else
	text = strerror(positive); /* static and thread-safe in musl */
#endif
	return text ? text : "unknown error";
}
