// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What no file of the tree holds: notes to oneself, white space at the end of a line, bytes that
 * are not text; and nothing at the top level but what the architecture names.
 */
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "tree.h"

/* The top level; a folder ends with a slash. */
static const char *const top[] = {
	".ci/",
	".clang-format",
	".clang-tidy",
	".editorconfig",
	".gitattributes",
	".gitignore",
	"COPYING",
	"README.md",
	"bpf/",
	"doc/",
	"examples/",
	"include/",
	"lib/",
	"meson.build",
	"meson_options.txt",
	"subprojects/",
	"tests/",
};

static void check_place(const struct tree_file *file)
{
	for (size_t i = 0; i < sizeof(top) / sizeof(*top); i++) {
		if (tree_ends(top[i], "/") ? tree_starts(file->path, top[i])
					   : !strcmp(file->path, top[i]))
			return;
	}
	tree_offence(file->path, 0, "the top level has no room for it (tests/check/words_test.c)");
}

static void check_notes(const struct tree_file *file)
{
	static regex_t note;
	static bool ready;
	regmatch_t m[3];

	/* Taken apart, or this file would be an offender; mkstemp()'s six letters are not one. */
	if (!ready)
		ready = !regcomp(&note,
				 "(^|[^A-Za-z_])(TO"
				 "DO|FIX"
				 "ME|X"
				 "XX)([^A-Za-z_]|$)",
				 REG_EXTENDED | REG_NEWLINE);
	for (const char *at = file->text; !regexec(&note, at, 3, m, 0); at += m[2].rm_eo)
		tree_offence(file->path, tree_line(file, at + m[2].rm_so),
			     "a note to oneself: do it, or say in the manual what is missing");
}

static void check_white_space(const struct tree_file *file)
{
	const char *line = file->text, *end;

	/* Copies of what kernels printed. */
	if (tree_starts(file->path, "tests/golden/"))
		return;
	for (; (end = strchr(line, '\n')); line = end + 1) {
		if (end > line && strchr(" \t\r", end[-1]))
			tree_offence(file->path, tree_line(file, line), "white space at the end");
	}
	if (*line)
		tree_offence(file->path, tree_line(file, line), "no newline at the end");
}

static void check_file(const struct tree_file *file)
{
	check_place(file);
	/* The fuzzers' corpora are packets. */
	if (tree_starts(file->path, "tests/fuzz/corpus/"))
		return;
	if (memchr(file->text, '\0', file->size)) {
		tree_offence(file->path, 0, "not text: no binary is committed");
		return;
	}
	check_notes(file);
	check_white_space(file);
}

static const struct tree_plant plants[] = {
	{ "lib/core/a.c", "/* mkstemp(\"/tmp/XXXXXX\"); a to-do list */\nint x;\n", 0, NULL },
	{ "lib/core/a.c",
	  "int x;\n/* TO"
	  "DO: more */\n",
	  0, "a.c:2: a note" },
	{ "lib/core/a.c",
	  "/* FIX"
	  "ME */\n",
	  0, "a note" },
	{ "doc/A.md",
	  "X"
	  "XX\n",
	  0, "a note" },
	{ "lib/core/a.c", "int x;\nint y; \n", 0, "a.c:2: white space" },
	{ "doc/A.md", "two\n\t\n", 0, "white space" },
	{ "doc/A.md", "one\r\n", 0, "white space" },
	{ "doc/A.md", "one\ntwo", 0, "A.md:2: no newline" },
	{ "tests/golden/verifier/a.log", "0: (95) exit \n", 0, NULL },
	{ "bpf/counter.bpf.o", "\177ELF\0\1\n", 7, "not text" },
	{ "tests/fuzz/corpus/parse/a", "\0\1", 2, NULL },
	{ "README.md", "# libebpfnet\n", 0, NULL },
	{ "notes.txt", "one\n", 0, "no room" },
	{ "src/a.c", "int x;\n", 0, "no room" },
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
