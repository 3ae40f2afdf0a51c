// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * lib/ and include/ are as clang-format writes them. Versions differ in taste, so only the one that the
 * tree is written with is asked: Debian 12's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define VERSION "14"
#define SKIP 77

static char files[65536];

static void check_file(const struct tree_file *file)
{
	size_t have = strlen(files);

	if ((tree_starts(file->path, "lib/") || tree_starts(file->path, "include/")) &&
	    (tree_ends(file->path, ".c") || tree_ends(file->path, ".h")))
		snprintf(files + have, sizeof(files) - have, "%s\n", file->path);
}

/* Only then is it worth a process each. */
static void check_listed(const char *root)
{
	const char *source = getenv("EBPFNET_SOURCE");
	char command[4096], *save = NULL;

	for (char *path = strtok_r(files, "\n", &save); path; path = strtok_r(NULL, "\n", &save)) {
		snprintf(command, sizeof(command),
			 "clang-format --style='file:%s/.clang-format' --dry-run -Werror "
			 "'%s/%s' >/dev/null 2>&1",
			 source ? source : ".", root, path);
		if (system(command))
			tree_offence(path, 0, "not as clang-format writes it: clang-format -i %s",
				     path);
	}
	files[0] = '\0';
}

static const struct tree_plant plants[] = {
	{ "lib/core/a.c", "int f(void)\n{\n\treturn 1;\n}\n", 0, NULL },
	{ "lib/core/a.c", "int f(void)\n{\n    return 1;\n}\n", 0, "a.c: not as" },
	{ "include/ebpfnet/a.h", "int f( void );\n", 0, "a.h: not as" },
	{ "lib/core/a.c", "/* One.\n * Kernel: two. */\nint x;\n", 0, NULL },
	{ "tests/unit/a.c", "int f( void );\n", 0, NULL },
};

int main(void)
{
	static const struct tree_check check = {
		.file = check_file,
		.end = check_listed,
		.plants = plants,
		.n_plants = sizeof(plants) / sizeof(*plants),
	};

	if (system("clang-format --version 2>/dev/null | grep -q 'version " VERSION "\\.'")) {
		printf("SKIP: clang-format " VERSION " is not installed\n");
		return SKIP;
	}
	return tree_main(&check);
}
