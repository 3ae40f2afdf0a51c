// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Structs that carry their size: older and newer callers, in and out. */
#include "helpers.h"

#include <errno.h>
#include <string.h>

#include "core/opts.h"

/* What this library knows, what an older and what a newer caller has. */
struct known {
	size_t sz;
	uint32_t a, b;
};

struct older {
	size_t sz;
	uint32_t a;
	uint32_t canary;
};

struct newer {
	size_t sz;
	uint32_t a, b;
	uint8_t c[16]; /* no padding behind it: that would be an option too */
};

static int copy(const void *user, struct known *ours, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, NULL, err, "test");

	return EBPFNET__OPTS_COPY(&call, user, ours);
}

START_TEST(no_struct_is_all_zero)
{
	struct ebpfnet_error *err = NULL;
	struct known ours;

	memset(&ours, 0xff, sizeof(ours));
	ASSERT_OK(copy(NULL, &ours, &err), err);
	ck_assert_uint_eq(ours.sz, 0);
	ck_assert_uint_eq(ours.a, 0);
	ck_assert_uint_eq(ours.b, 0);
}
END_TEST

START_TEST(an_older_caller_leaves_zeros)
{
	struct older user = { offsetof(struct older, canary), 7, 0xffffffff };
	struct ebpfnet_error *err = NULL;
	struct known ours;

	memset(&ours, 0xff, sizeof(ours));
	ASSERT_OK(copy(&user, &ours, &err), err);
	ck_assert_uint_eq(ours.a, 7);
	ck_assert_uint_eq(ours.b, 0);
	user.sz = sizeof(user.sz);
	ASSERT_OK(copy(&user, &ours, &err), err);
	ck_assert_uint_eq(ours.a, 0);
}
END_TEST

START_TEST(a_newer_caller_may_leave_the_new_unset)
{
	struct newer user = { sizeof(user), 1, 2, { 0 } };
	struct ebpfnet_error *err = NULL;
	struct known ours;

	ASSERT_OK(copy(&user, &ours, &err), err);
	ck_assert_uint_eq(ours.a, 1);
	ck_assert_uint_eq(ours.b, 2);
	for (size_t i = 0; i < sizeof(user.c); i++) {
		char words[32];

		memset(user.c, 0, sizeof(user.c));
		user.c[i] = 1;
		snprintf(words, sizeof(words), "at byte %zu ", sizeof(ours) + i);
		ASSERT_FAILS(copy(&user, &ours, &err), err, -E2BIG, EBPFNET_ERROR_INVALID, words);
	}
}
END_TEST

START_TEST(a_size_below_itself)
{
	struct known user = { 0, 1, 2 }, ours;
	struct ebpfnet_error *err = NULL;

	for (user.sz = 0; user.sz < sizeof(user.sz); user.sz++)
		ASSERT_FAILS(copy(&user, &ours, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
			     "EBPFNET_OPTS");
}
END_TEST

START_TEST(output)
{
	const struct known ours = { 0, 3, 4 };
	struct known same = { .sz = sizeof(same) };
	struct older old = { offsetof(struct older, canary), 0, 0x5a5a5a5a };
	struct newer new = { .sz = sizeof(new), .c = { 1, 2, 3 } };

	ck_assert_int_eq(EBPFNET__OUT_FILL(&same, &ours), 0);
	ck_assert_uint_eq(same.sz, sizeof(same));
	ck_assert_uint_eq(same.a, 3);
	ck_assert_uint_eq(same.b, 4);
	ck_assert_int_eq(EBPFNET__OUT_FILL(&old, &ours), 0);
	ck_assert_uint_eq(old.a, 3);
	ck_assert_uint_eq(old.canary, 0x5a5a5a5a);
	ck_assert_int_eq(EBPFNET__OUT_FILL(&new, &ours), 0);
	ck_assert_uint_eq(new.sz, sizeof(new));
	ck_assert_uint_eq(new.b, 4);
	for (size_t i = 0; i < sizeof(new.c); i++)
		ck_assert_uint_eq(new.c[i], 0);
	for (same.sz = 0; same.sz < sizeof(same.sz); same.sz++)
		ck_assert_int_eq(EBPFNET__OUT_FILL(&same, &ours), -EINVAL);
}
END_TEST

TEST_MAIN("opts", 30, no_struct_is_all_zero, an_older_caller_leaves_zeros,
	  a_newer_caller_may_leave_the_new_unset, a_size_below_itself, output)
