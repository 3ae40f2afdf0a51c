// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* `meson dist` makes an archive that holds every committed file and builds. */
#include <string.h>

#include "abi/scratch.h"
#include "helpers.h"

START_TEST(archive_holds_the_commit_and_builds)
{
	const char *source = test_source(".");

	scratch_need("git");
	scratch_need("meson");
	scratch_need("ninja");
	if (test_shell("git -C '%s' rev-parse --verify -q HEAD >/dev/null 2>&1", source))
		test_skip("%s is not a git checkout", source);
	scratch_run("meson setup -Dtests=false '%s' '%s'", scratch_path("build"), source);
	scratch_run("meson dist -C '%s' --no-tests --allow-dirty", scratch_path("build"));
	scratch_run("mkdir '%s' && tar xf '%s'/meson-dist/libebpfnet-*.tar.xz -C '%s'",
		    scratch_path("out"), scratch_path("build"), scratch_path("out"));
	scratch_run("cd '%s'/libebpfnet-* && find . ! -type d | sed 's,^\\./,,' | LC_ALL=C sort "
		    ">'%s'",
		    scratch_path("out"), scratch_path("have"));
	scratch_run("git -C '%s' -c core.quotePath=false ls-tree -r --name-only HEAD | "
		    "LC_ALL=C sort | diff - '%s'",
		    source, scratch_path("have"));
	scratch_run("mv '%s'/libebpfnet-* '%s'", scratch_path("out"), scratch_path("tree"));
	scratch_build(scratch_path("tree"), scratch_path("again"), "/usr");
}
END_TEST

TEST_MAIN("dist", 200, archive_holds_the_commit_and_builds)
