// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The same sources give the same bytes, wherever they lie and wherever they are built: two copies
 * of the tree, in folders of different depth and name, with build folders inside and outside of
 * them.
 */
#include <string.h>

#include "abi/scratch.h"
#include "helpers.h"

static void copy_tree(const char *to)
{
	scratch_run(
		"mkdir -p '%s' && cd '%s' && tar cf - --exclude=./.git --exclude='./build*' . | "
		"tar xf - -C '%s'",
		to, test_source("."), to);
}

static int same(const char *name)
{
	return test_shell("cmp '%s' '%s'", scratch_path("one/build/%s", name),
			  scratch_path("other-build/%s", name));
}

START_TEST(two_builds_are_the_same)
{
	scratch_need("meson");
	scratch_need("ninja");
	copy_tree(scratch_path("one"));
	copy_tree(scratch_path("two/a-deeper/folder of another name"));
	scratch_build(scratch_path("one"), scratch_path("one/build"), "/usr");
	scratch_build(scratch_path("two/a-deeper/folder of another name"),
		      scratch_path("other-build"), "/usr");

	ck_assert_int_eq(same("bpf/builtin.h"), 0);
	ck_assert_int_eq(same("libebpfnet.so"), 0);
	ck_assert_int_eq(test_shell("for f in '%s'/bpf/*.bpf.o; do cmp \"$f\" "
				    "'%s'/bpf/\"${f##*/}\" || exit 1; done",
				    scratch_path("one/build"), scratch_path("other-build")),
			 0);
	/* Nor does a path of the build machine stand in what is shipped. */
	ck_assert_int_eq(test_shell("grep -F -c '%s' '%s/libebpfnet.so' >/dev/null", scratch(),
				    scratch_path("one/build")),
			 1);
}
END_TEST

/* The comparison sees what it is for: a path that the compiler put into the library. */
START_TEST(a_planted_path_is_seen)
{
	scratch_run(
		"cd '%s' && echo 'extern const char planted[]; const char planted[] = \"'$PWD'\";' "
		">>'%s/lib/core/ctx.c' && ninja -C '%s/build' -j2",
		scratch(), scratch_path("one"), scratch_path("one"));
	ck_assert_int_ne(same("libebpfnet.a"), 0);
	ck_assert_int_eq(test_shell("grep -F -c '%s' '%s/libebpfnet.a' >/dev/null", scratch(),
				    scratch_path("one/build")),
			 0);
}
END_TEST

TEST_MAIN("reproducible", 280, two_builds_are_the_same, a_planted_path_is_seen)
