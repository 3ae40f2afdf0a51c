/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_CHECK_TREE_H
#define EBPFNET_TESTS_CHECK_TREE_H

/*
 * A check reads every file of a source tree and reports what breaks a convention. It is trusted only
 * after it has found each offender that its own table plants in a temporary tree, and nothing else
 * there; then it reads the real one. No git: a release archive is checked as a checkout is.
 */

#include <stdbool.h>
#include <stddef.h>

/* One regular file, whole. */
struct tree_file {
	const char *path; /* relative to the root of the tree: "lib/core/ctx.c" */
	const char *text; /* ends with a NUL that is not counted */
	size_t size;
	bool executable;
};

/* A file that the self-test plants in an otherwise empty tree. */
struct tree_plant {
	const char *path;
	const char *text;
	size_t size;	  /* 0: text's length */
	const char *says; /* the one offence is reported with these words; NULL: it must pass */
};

struct tree_check {
	/* Once per file, in the order of the directory. */
	void (*file)(const struct tree_file *file);
	/* When all files were seen; may be NULL. */
	void (*end)(const char *root);
	const struct tree_plant *plants;
	size_t n_plants;
};

/* Reports an offence; line 0: the file as a whole. */
void tree_offence(const char *path, unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

bool tree_starts(const char *text, const char *prefix);
bool tree_ends(const char *text, const char *suffix);

/* The line number of a place in a file's text. */
unsigned int tree_line(const struct tree_file *file, const char *at);

/* Self-test, then the tree that EBPFNET_SOURCE names. Returns what main() shall return. */
int tree_main(const struct tree_check *check);

#endif /* EBPFNET_TESTS_CHECK_TREE_H */
