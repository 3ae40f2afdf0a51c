// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Every source file names the licence of its folder in its first line, or behind its #! line. */
#include <stdio.h>
#include <string.h>

#include "tree.h"

#define LIBRARY "LGPL-2.1-or-later OR BSD-2-Clause"
#define PROGRAM "GPL-2.0-only OR BSD-2-Clause"
#define SHARED LIBRARY " OR GPL-2.0-only"
#define EXAMPLE "0BSD"
/* Split, so that a search for the tag in this file finds the one above only. */
#define TAG                                                                                        \
	"SPDX-License-"                                                                            \
	"Identifier: "

static bool is_source(const struct tree_file *file)
{
	return tree_ends(file->path, ".c") || tree_ends(file->path, ".h") ||
	       tree_ends(file->path, ".sh") || tree_ends(file->path, "meson.build") ||
	       tree_ends(file->path, "meson_options.txt") || tree_starts(file->text, "#!");
}

/* A header that a BPF program includes: its own, or one whose layouts the host reads too. */
static bool is_for_bpf(const char *path)
{
	return tree_starts(path, "include/ebpfnet/bpf/") ||
	       (tree_starts(path, "bpf/") && tree_ends(path, ".h"));
}

static bool fits(const char *path, const char *licence)
{
	if (tree_starts(path, "examples/"))
		return !strcmp(licence, EXAMPLE);
	if (tree_ends(path, ".bpf.c"))
		return !strcmp(licence, PROGRAM);
	if (tree_ends(path, "_layout.h") || tree_starts(path, "include/ebpfnet/bpf/"))
		return !strcmp(licence, SHARED);
	if (is_for_bpf(path))
		return !strcmp(licence, SHARED) || !strcmp(licence, PROGRAM);
	/* Tests have layouts and bare BPF headers of their own. */
	if (tree_starts(path, "tests/") && tree_ends(path, ".h"))
		return !strcmp(licence, LIBRARY) || !strcmp(licence, SHARED) ||
		       !strcmp(licence, PROGRAM);
	return !strcmp(licence, LIBRARY);
}

static void check_file(const struct tree_file *file)
{
	const char *line = file->text, *tag, *end;
	char licence[128];
	size_t len;

	if (!is_source(file))
		return;
	if (tree_starts(line, "#!"))
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "";
	end = strchrnul(line, '\n');
	tag = strstr(line, TAG);
	if (!tag || tag > end) {
		tree_offence(file->path, tree_line(file, line), "no SPDX line");
		return;
	}
	tag += strlen(TAG);
	len = end - tag;
	if (len >= 3 && !strncmp(end - 3, " */", 3))
		len -= 3;
	snprintf(licence, sizeof(licence), "%.*s", (int)len, tag);
	if (!fits(file->path, licence))
		tree_offence(file->path, tree_line(file, tag),
			     "\"%s\" is not the licence of this folder", licence);
}

#define NOT_OURS "is not the licence of this folder"

static const struct tree_plant plants[] = {
	{ "lib/core/a.c", "// " TAG LIBRARY "\n", 0, NULL },
	{ "lib/core/a.h", "/* " TAG LIBRARY " */\n", 0, NULL },
	{ "lib/core/a.c", "int x;\n", 0, "a.c:1: no SPDX line" },
	{ "lib/core/a.c", "int x;\n// " TAG LIBRARY "\n", 0, "no SPDX line" },
	{ "lib/core/a.c", "// " TAG PROGRAM "\n", 0, NOT_OURS },
	{ "lib/core/a.c", "// " TAG LIBRARY " and more\n", 0, NOT_OURS },
	{ "include/ebpfnet/a.h", "/* " TAG SHARED " */\n", 0, NOT_OURS },
	{ "include/ebpfnet/bpf/a.h", "/* " TAG SHARED " */\n", 0, NULL },
	{ "include/ebpfnet/bpf/a.h", "/* " TAG LIBRARY " */\n", 0, NOT_OURS },
	{ "bpf/a.bpf.c", "// " TAG PROGRAM "\n", 0, NULL },
	{ "bpf/a.bpf.c", "// " TAG LIBRARY "\n", 0, NOT_OURS },
	{ "bpf/a_layout.h", "/* " TAG SHARED " */\n", 0, NULL },
	{ "bpf/a_layout.h", "/* " TAG PROGRAM " */\n", 0, NOT_OURS },
	{ "bpf/a_rules.h", "/* " TAG PROGRAM " */\n", 0, NULL },
	{ "bpf/embed.c", "// " TAG PROGRAM "\n", 0, NOT_OURS },
	{ "examples/01-a.c", "// " TAG EXAMPLE "\n", 0, NULL },
	{ "examples/01-a.c", "// " TAG LIBRARY "\n", 0, NOT_OURS },
	{ "tests/kernel/a.bpf.c", "// " TAG LIBRARY "\n", 0, NOT_OURS },
	{ "tests/unit/a.c", "// " TAG LIBRARY "\n", 0, NULL },
	{ "tests/run.sh", "#!/bin/sh\n# " TAG LIBRARY "\n", 0, NULL },
	{ "tests/run.sh", "#!/bin/sh\nset -e\n", 0, "run.sh:2: no SPDX line" },
	{ ".ci/run", "#!/bin/sh\n", 0, "no SPDX line" },
	{ "tests/meson.build", "x = 1\n", 0, "no SPDX line" },
	{ "meson_options.txt", "# " TAG LIBRARY "\n", 0, NULL },
	{ "doc/KERNELS.md", "# Kernels\n", 0, NULL },
};

int main(void)
{
	static const struct tree_check check = {
		.file = check_file,
		.plants = plants,
		.n_plants = sizeof(plants) / sizeof(*plants),
	};

	return tree_main(&check);
}
