// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The comment above every public function has all of its parts, in one order: @brief, @param for
 * each parameter, @return, Thread-safety:, Kernel:, @see, @since. What @see names exists.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define MARK "EBPFNET_API "
#define PARAMS_MAX 16
#define NAME_MAX_LEN 64

struct function {
	char name[NAME_MAX_LEN];
	bool returns; /* something else than void */
	char params[PARAMS_MAX][NAME_MAX_LEN];
	size_t n_params;
};

/* What the whole tree defines and what its comments refer to, until the end is reached. */
static char *defined;
static struct see {
	char path[256];
	unsigned int line;
	char name[NAME_MAX_LEN];
} * seen;
static size_t n_seen;

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The last word before `end`: the name in "const struct x *name" and in "char name[4]". */
static void last_word(const char *start, const char *end, char *name)
{
	const char *from;

	while (end > start && end[-1] == ']')
		while (end > start && *--end != '[')
			;
	while (end > start && !is_word(end[-1]))
		end--;
	for (from = end; from > start && is_word(from[-1]); from--)
		;
	snprintf(name, NAME_MAX_LEN, "%.*s", (int)(end - from), from);
}

/* A parameter's name; that of a function pointer stands behind "(*". */
static void param_name(const char *start, const char *end, char *name)
{
	const char *pointer = strstr(start, "(*");

	if (pointer && pointer < end)
		end = pointer + 2 + strspn(pointer + 2, "abcdefghijklmnopqrstuvwxyz_0123456789");
	last_word(start, end, name);
}

/* Takes "type name(type a, type b);" apart. */
static bool parse_function(const char *text, struct function *f)
{
	const char *open = strchr(text, '('), *at;
	int depth = 0;

	memset(f, 0, sizeof(*f));
	if (!open)
		return false;
	last_word(text, open, f->name);
	f->returns = strncmp(text, "void ", 5) || text[5] == '*';
	if (tree_starts(open, "(void)"))
		return true;
	for (at = open + 1; *at && f->n_params < PARAMS_MAX; at++) {
		depth += (*at == '(') - (*at == ')');
		if (depth < 0 || (*at == ',' && !depth)) {
			param_name(open + 1, at, f->params[f->n_params++]);
			open = at;
		}
		if (depth < 0)
			return true;
	}
	return false;
}

/* The next line of a comment whose first word is `tag`, from *at on; moves *at behind the tag. */
static bool next_tag(const char **at, const char *tag)
{
	char wanted[128];
	const char *found;

	snprintf(wanted, sizeof(wanted), "\n * %s", tag);
	found = strstr(*at, wanted);
	if (!found)
		return false;
	*at = found + strlen(wanted);
	return true;
}

static void remember_see(const struct tree_file *file, unsigned int line, const char *at)
{
	struct see *see;

	at += strspn(at, " ");
	seen = realloc(seen, (n_seen + 1) * sizeof(*seen));
	if (!seen)
		abort();
	see = &seen[n_seen++];
	snprintf(see->path, sizeof(see->path), "%s", file->path);
	snprintf(see->name, sizeof(see->name), "%.*s", (int)strcspn(at, " \n,("), at);
	see->line = line;
}

/* The parts of one comment against one function. */
static void check_comment(const struct tree_file *file, unsigned int line, const char *comment,
			  const struct function *f)
{
	static const char *const rest[] = { "Thread-safety: ", "Kernel: ", "@see ", "@since " };
	const char *at = comment;
	char tag[NAME_MAX_LEN + 16];
	size_t n = 0;

	if (!next_tag(&at, "@brief "))
		tree_offence(file->path, line, "%s: no @brief", f->name);
	for (size_t i = 0; i < f->n_params; i++) {
		snprintf(tag, sizeof(tag), "@param %.*s ", NAME_MAX_LEN, f->params[i]);
		if (!next_tag(&at, tag))
			tree_offence(file->path, line, "%s: no @param %s, or not in its place",
				     f->name, f->params[i]);
	}
	for (const char *p = comment; next_tag(&p, "@param "); n++)
		;
	if (n > f->n_params)
		tree_offence(file->path, line, "%s: a @param of no parameter", f->name);
	if (f->returns && !next_tag(&at, "@return "))
		tree_offence(file->path, line, "%s: no @return, or not in its place", f->name);
	if (!f->returns && strstr(comment, "@return"))
		tree_offence(file->path, line, "%s: a @return of a void function", f->name);
	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++) {
		if (!next_tag(&at, rest[i]))
			tree_offence(file->path, line, "%s: no %s, or not in its place", f->name,
				     rest[i]);
		else if (!strcmp(rest[i], "@see "))
			remember_see(file, line, at);
	}
}

/* The comment that ends right above `at`, as a string of its own; NULL if there is none. */
static char *comment_above(const struct tree_file *file, const char *at)
{
	const char *start = at;

	if (at - file->text < 4 || strncmp(at - 4, " */\n", 4))
		return NULL;
	while (start > file->text && strncmp(start, "/*", 2))
		start--;
	return strncmp(start, "/**\n", 4) ? NULL : strndup(start, at - start);
}

static void check_function(const struct tree_file *file, const char *at)
{
	unsigned int line = tree_line(file, at);
	char *comment = comment_above(file, at);
	struct function f;

	if (!parse_function(at + strlen(MARK), &f))
		tree_offence(file->path, line, "a declaration that this check cannot read");
	else if (!comment)
		tree_offence(file->path, line, "%s: no comment right above it", f.name);
	else
		check_comment(file, line, comment, &f);
	free(comment);
}

static void check_file(const struct tree_file *file)
{
	size_t have = defined ? strlen(defined) : 0;

	if (!tree_starts(file->path, "include/ebpfnet/") || !tree_ends(file->path, ".h"))
		return;
	defined = realloc(defined, have + file->size + 1);
	if (!defined)
		abort();
	memcpy(defined + have, file->text, file->size + 1);
	for (const char *at = file->text; (at = strstr(at, "\n" MARK)); at++)
		check_function(file, at + 1);
}

/* True if some header names it outside of a comment: as a function, struct, macro or constant. */
static bool is_defined(const char *name)
{
	size_t len = strlen(name);

	for (const char *at = defined; (at = strstr(at, name)); at += len) {
		const char *line = at;

		while (line > defined && line[-1] != '\n')
			line--;
		if ((at == defined || !is_word(at[-1])) && !is_word(at[len]) &&
		    !tree_starts(line, " *"))
			return true;
	}
	return false;
}

/* Only now is every header known. */
static void check_seen(const char *root)
{
	(void)root;
	for (size_t i = 0; i < n_seen; i++) {
		bool ours = tree_starts(seen[i].name, "ebpfnet_") ||
			    tree_starts(seen[i].name, "EBPFNET_");
		size_t len = strlen(seen[i].name);

		/* A family is written EBPFNET_XDP_*; something else is the kernel's or a manual. */
		if (ours && seen[i].name[len - 1] != '*' && !is_defined(seen[i].name))
			tree_offence(seen[i].path, seen[i].line, "@see %s, which does not exist",
				     seen[i].name);
	}
	free(seen);
	free(defined);
	seen = NULL;
	defined = NULL;
	n_seen = 0;
}

#define BRIEF "\n/**\n * @brief Does it.\n *\n"
#define PARAM_A " * @param a in.\n"
#define PARAM_ERR " * @param err out, may be NULL.\n"
#define RETURN " * @return 0.\n *\n"
#define THREAD " * Thread-safety: safe.\n"
#define KERNEL " * Kernel: any.\n"
#define SEE " * @see ebpfnet_f\n"
#define SINCE " * @since 0.1\n"
#define END " */\n"
#define TAIL THREAD KERNEL SEE SINCE END
#define F "EBPFNET_API int ebpfnet_f(int a,\n\t\t\t  struct x **err);\n"
#define H "include/ebpfnet/core.h"

static const struct tree_plant plants[] = {
	{ H, BRIEF PARAM_A PARAM_ERR RETURN TAIL F, 0, NULL },
	{ H, BRIEF TAIL "EBPFNET_API void ebpfnet_f(void);\n", 0, NULL },
	{ H, BRIEF RETURN TAIL "EBPFNET_API void *ebpfnet_f(void);\n", 0, NULL },
	{ H,
	  BRIEF " * @param fn in.\n" PARAM_A TAIL
		"EBPFNET_API void ebpfnet_f(int (*fn)(int, void *), char a[4]);\n",
	  0, NULL },
	{ H, "\n" F, 0, "core.h:2: ebpfnet_f: no comment" },
	{ H, BRIEF PARAM_A PARAM_ERR RETURN TAIL "\n" F, 0, "no comment right above" },
	{ H, "\n/*\n * A.\n" PARAM_A PARAM_ERR RETURN TAIL F, 0, "no comment right above" },
	{ H, "\n/**\n" PARAM_A PARAM_ERR RETURN TAIL F, 0, "no @brief" },
	{ H, BRIEF PARAM_A RETURN TAIL F, 0, "no @param err" },
	{ H, BRIEF PARAM_ERR PARAM_A RETURN TAIL F, 0, "no @param err, or not in its place" },
	{ H, BRIEF PARAM_A PARAM_ERR " * @param b in.\n" RETURN TAIL F, 0, "of no parameter" },
	{ H, BRIEF PARAM_A PARAM_ERR TAIL F, 0, "no @return" },
	{ H, BRIEF RETURN TAIL "EBPFNET_API void ebpfnet_f(void);\n", 0, "of a void function" },
	{ H, BRIEF PARAM_A PARAM_ERR RETURN KERNEL SEE SINCE END F, 0, "no Thread-safety:" },
	{ H, BRIEF PARAM_A PARAM_ERR RETURN THREAD SEE SINCE END F, 0, "no Kernel:" },
	{ H, BRIEF PARAM_A PARAM_ERR RETURN THREAD KERNEL SINCE END F, 0, "no @see" },
	{ H, BRIEF PARAM_A PARAM_ERR RETURN THREAD KERNEL SEE END F, 0, "no @since" },
	{ H, BRIEF PARAM_A PARAM_ERR RETURN KERNEL THREAD SEE SINCE END F, 0, "no Kernel:" },
	{ H, BRIEF PARAM_A PARAM_ERR RETURN THREAD KERNEL " * @see ebpfnet_g\n" SINCE END F, 0,
	  "core.h:14: @see ebpfnet_g, which does not exist" },
	{ "lib/core/a.h", "\n" F, 0, NULL },
};

int main(void)
{
	static const struct tree_check check = {
		.file = check_file,
		.end = check_seen,
		.plants = plants,
		.n_plants = sizeof(plants) / sizeof(*plants),
	};

	return tree_main(&check);
}
