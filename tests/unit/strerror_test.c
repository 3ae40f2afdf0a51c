// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Texts for codes that strerror() does not know, and the errno that stands for them. */
#include "helpers.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "core/error.h"

START_TEST(errno_as_the_system_says)
{
	for (int e = 1; e < 134; e++) {
		if (!strerrordesc_np(e))
			continue;
		ck_assert_str_eq(ebpfnet_strerror(-e), strerrordesc_np(e));
		ck_assert_str_eq(ebpfnet_strerror(e), strerrordesc_np(e));
		ck_assert_int_eq(ebpfnet__errno(-e), -e);
		ck_assert_int_eq(ebpfnet__errno(e), -e);
	}
}
END_TEST

START_TEST(the_kernels_own_not_supported)
{
	ck_assert_str_eq(ebpfnet_strerror(-524), strerrordesc_np(EOPNOTSUPP));
	ck_assert_str_eq(ebpfnet_strerror(524), strerrordesc_np(EOPNOTSUPP));
	ck_assert_int_eq(ebpfnet__errno(-524), -EOPNOTSUPP);
	ck_assert_int_eq(ebpfnet__errno(524), -EOPNOTSUPP);
}
END_TEST

/* Every code has its own text, and an errno that strerror() knows. */
START_TEST(libbpf_codes)
{
	for (int code = __LIBBPF_ERRNO__START; code < __LIBBPF_ERRNO__END; code++) {
		const char *text = ebpfnet_strerror(-code);

		ck_assert_str_eq(text, ebpfnet_strerror(code));
		ck_assert_str_ne(text, "unknown error");
		for (int other = __LIBBPF_ERRNO__START; other < code; other++)
			ck_assert_str_ne(text, ebpfnet_strerror(other));
		ck_assert_int_lt(ebpfnet__errno(-code), 0);
		ck_assert_int_gt(ebpfnet__errno(-code), -134);
		ck_assert_int_eq(ebpfnet__errno(-code), ebpfnet__errno(code));
	}
	ck_assert_int_eq(ebpfnet__errno(-LIBBPF_ERRNO__FORMAT), -ENOEXEC);
	ck_assert_int_eq(ebpfnet__errno(-LIBBPF_ERRNO__ENDIAN), -ENOEXEC);
	ck_assert_int_eq(ebpfnet__errno(-LIBBPF_ERRNO__VERIFY), -EACCES);
	ck_assert_int_eq(ebpfnet__errno(-LIBBPF_ERRNO__PROG2BIG), -E2BIG);
	ck_assert_int_eq(ebpfnet__errno(-LIBBPF_ERRNO__RELOC), -EINVAL);
	ck_assert_ptr_nonnull(strstr(ebpfnet_strerror(-LIBBPF_ERRNO__ENDIAN), "byte order"));
	ck_assert_ptr_nonnull(strstr(ebpfnet_strerror(-LIBBPF_ERRNO__NLPARSE), "netlink"));
}
END_TEST

START_TEST(what_nobody_knows)
{
	static const int codes[] = {
		3999, __LIBBPF_ERRNO__END, 100000, INT_MAX, INT_MIN, -INT_MAX
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		ck_assert_str_eq(ebpfnet_strerror(codes[i]), "unknown error");
	ck_assert_int_lt(ebpfnet__errno(INT_MIN), 0);
	ck_assert_int_eq(ebpfnet__errno(INT_MAX), -INT_MAX);
	ck_assert_ptr_nonnull(ebpfnet_strerror(0));
}
END_TEST

TEST_MAIN("strerror", 30, errno_as_the_system_says, the_kernels_own_not_supported, libbpf_codes,
	  what_nobody_knows)
