// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What a reader can keep in mind: a library file has at most 600 lines and a function of it 70, a
 * BPF program file 350, an example 150.
 */
#include <stdio.h>
#include <string.h>

#include "tree.h"

#define FUNCTION_MAX 70

static const struct {
	const char *folder;
	const char *suffix;
	unsigned int max;
} limits[] = {
	{ "lib/", ".c", 600 },
	{ "bpf/", ".c", 350 },
	{ "examples/", ".c", 150 },
};

/* A function's braces, and nothing else in this style, stand alone in the first column. */
static void check_functions(const struct tree_file *file)
{
	unsigned int line = 1, open = 0;

	for (const char *at = file->text; at; line++) {
		if (tree_starts(at, "{\n"))
			open = line;
		if (tree_starts(at, "}\n") && open) {
			if (line - open - 1 > FUNCTION_MAX)
				tree_offence(file->path, open, "a function of %u lines, above %d",
					     line - open - 1, FUNCTION_MAX);
			open = 0;
		}
		at = strchr(at, '\n');
		if (at)
			at++;
	}
}

static void check_file(const struct tree_file *file)
{
	unsigned int lines = tree_line(file, file->text + file->size) - 1;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (tree_starts(file->path, limits[i].folder) &&
		    tree_ends(file->path, limits[i].suffix) && lines > limits[i].max)
			tree_offence(file->path, 0, "%u lines, above %u", lines, limits[i].max);
	}
	if (tree_starts(file->path, "lib/") && tree_ends(file->path, ".c"))
		check_functions(file);
}

/* So many lines at a time. */
#define L10 "x;\nx;\nx;\nx;\nx;\nx;\nx;\nx;\nx;\nx;\n"
#define L50 L10 L10 L10 L10 L10
#define L150 L50 L50 L50
#define L350 L150 L150 L50
#define L600 L350 L150 L50 L50
#define L70 L50 L10 L10

static const struct tree_plant plants[] = {
	{ "lib/core/a.c", L600, 0, NULL },
	{ "lib/core/a.c", L600 "x;\n", 0, "601 lines, above 600" },
	{ "lib/core/a.c", "int f(void)\n{\n" L70 "}\n\nint g(void)\n{\n" L50 "}\n", 0, NULL },
	{ "lib/core/a.c", "int f(void)\n{\n" L70 "x;\n}\n", 0, "a.c:2: a function of 71 lines" },
	{ "lib/core/a.c", "static const int table[] = {\n" L70 L70 "};\n", 0, NULL },
	{ "bpf/a.bpf.c", L350, 0, NULL },
	{ "bpf/a.bpf.c", L350 "x;\n", 0, "351 lines, above 350" },
	{ "examples/01-a.c", L150, 0, NULL },
	{ "examples/01-a.c", L150 "x;\n", 0, "151 lines, above 150" },
	{ "tests/unit/a.c", L600 L600, 0, NULL },
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
