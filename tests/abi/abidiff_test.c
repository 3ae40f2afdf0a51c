// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * abidiff, which packagers run between two releases, reads this library: it finds no change against
 * itself, and finds one that is planted. The baseline is a release's own library, from 0.1 on.
 */
#include <string.h>
#include <unistd.h>

#include "abi/scratch.h"
#include "helpers.h"

/* Bits of abidiff's exit status. */
#define ABIDIFF_ERROR 3
#define ABIDIFF_CHANGE 4

static int abidiff(const char *options, const char *a, const char *b)
{
	int status;

	scratch_need("abidiff");
	status = test_shell("abidiff %s '%s' '%s' >'%s' 2>&1", options, a, b, scratch_path("diff"));
	ck_assert_msg(!(status & ABIDIFF_ERROR), "abidiff: exit status %d", status);
	return status;
}

START_TEST(library_is_compatible_with_itself)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/libebpfnet.so", getenv("EBPFNET_BUILD"));
	ck_assert_int_eq(abidiff("", path, path), 0);
}
END_TEST

/* The same library with a member and a symbol less. */
static const char text[] = "struct opts { unsigned long sz; unsigned int mode;\n"
			   "#ifndef LESS\n"
			   "	unsigned int flags;\n"
			   "#endif\n"
			   "};\n"
			   "int demo_open(const struct opts *o) { return (int)o->sz; }\n"
			   "#if !defined(LESS) || LESS == 1\n"
			   "int demo_close(void) { return 0; }\n"
			   "#endif\n";

static const char *variant(const char *name, const char *define)
{
	const char *out = scratch_path("%s.so", name);

	scratch_write(scratch_path("demo.c"), text);
	scratch_run("cc -g -shared -fPIC %s -o '%s' '%s'", define, out, scratch_path("demo.c"));
	return out;
}

START_TEST(planted_changes_are_seen)
{
	ck_assert_int_eq(abidiff("", variant("a", ""), variant("b", "")), 0);
	ck_assert_int_eq(abidiff("", variant("a", ""), variant("b", "-DLESS=1")) & ABIDIFF_CHANGE,
			 ABIDIFF_CHANGE);
	ck_assert_int_eq(abidiff("--no-added-syms", variant("a", ""), variant("b", "-DLESS=2")) &
				 ABIDIFF_CHANGE,
			 ABIDIFF_CHANGE);
}
END_TEST

/* The library's own objects, linked again under a version map. */
static const char *relinked(const char *name, const char *map)
{
	const char *out = scratch_path("%s/libebpfnet.so", name);

	scratch_run("mkdir '%s' && cc -shared -o '%s' -Wl,-soname,libebpfnet.so.0 "
		    "-Wl,--version-script='%s' -Wl,--whole-archive '%s/libebpfnet.a' "
		    "-Wl,--no-whole-archive",
		    scratch_path("%s", name), out, map, getenv("EBPFNET_BUILD"));
	return out;
}

START_TEST(a_symbol_taken_from_the_library_is_seen)
{
	const char *less_map = scratch_path("less.map");
	char whole[512], less[512];

	scratch_run("sed '/ebpfnet_version;/d' '%s' >'%s'", test_source("lib/libebpfnet.map"),
		    less_map);
	strcpy(less, relinked("less", less_map));
	strcpy(whole, relinked("whole", test_source("lib/libebpfnet.map")));
	ck_assert_int_eq(abidiff("", whole, less) & ABIDIFF_CHANGE, ABIDIFF_CHANGE);
	ck_assert_int_eq(test_shell("grep -q ebpfnet_version '%s'", scratch_path("diff")), 0);
	ck_assert_int_eq(abidiff("", whole, relinked("again", test_source("lib/libebpfnet.map"))),
			 0);
}
END_TEST

TEST_MAIN("abidiff", 200, library_is_compatible_with_itself, planted_changes_are_seen,
	  a_symbol_taken_from_the_library_is_seen)
