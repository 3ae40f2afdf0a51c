// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The layout of every struct that crosses the ABI, or a pin, against layout.expected: its members
 * are read from the headers, asked of the compiler, and may not have a gap between them. A struct
 * with sz may grow at its end; any other difference breaks somebody's program.
 *
 * EBPFNET_UPDATE=1 writes layout.expected anew: look at the difference before it is committed.
 */
#include <ctype.h>
#include <glob.h>
#include <string.h>

#include "abi/scratch.h"
#include "helpers.h"

/* The program that is written, compiled and run; it prints a struct a paragraph. */
static FILE *program;

/* "const struct x *name[4]" -> "name"; "int (*name)(void)" -> "name". */
static void member_name(const char *text, char *name, size_t size)
{
	const char *pointer = strstr(text, "(*");
	const char *start = pointer ? pointer + 2 : text, *end;

	if (pointer) {
		end = strchrnul(start, ')');
	} else {
		end = text + strcspn(text, "[:;");
		while (end > text && isspace((unsigned char)end[-1]))
			end--;
		for (start = end;
		     start > text && (isalnum((unsigned char)start[-1]) || start[-1] == '_');
		     start--)
			;
	}
	snprintf(name, size, "%.*s", (int)(end - start), start);
}

/* From behind the brace that opens a struct to the brace that closes it. */
static void write_struct(const char *type, const char *body, const char *end)
{
	char name[128], member[512];

	fprintf(program, "BEGIN(%s)\n", type);
	while (body < end) {
		const char *stop = memchr(body, ';', end - body);

		if (!stop)
			break;
		ck_assert_msg(!memchr(body, '{', stop - body),
			      "struct %s: a struct inside: name it", type);
		snprintf(member, sizeof(member), "%.*s", (int)(stop - body), body);
		member_name(member, name, sizeof(name));
		fprintf(program, "MEMBER(%s, %s)\n", type, name);
		body = stop + 1;
	}
	fprintf(program, "END(%s)\n", type);
}

/* A header without comments, macros and line ends inside of macros. */
static char *declarations(const char *header)
{
	char *text = scratch_read(header), *to = text;
	bool start = true;

	for (const char *at = text; *at;) {
		if (!strncmp(at, "/*", 2)) {
			at = strstr(at, "*/") + 2;
		} else if (start && *at == '#') {
			while (*at && (*at != '\n' || at[-1] == '\\'))
				at++;
		} else {
			start = *at == '\n';
			*to++ = *at++;
		}
	}
	*to = '\0';
	return text;
}

static void write_header(const char *header)
{
	char *text = declarations(header), *at = text;
	char type[128];

	while ((at = strstr(at, "\nstruct "))) {
		int len = 0;

		at++;
		if (sscanf(at, "struct %127[a-z0-9_] {%n", type, &len) == 1 && len) {
			char *end = strstr(at, "\n}");

			ck_assert_ptr_nonnull(end);
			write_struct(type, at + len, end);
		}
	}
	free(text);
}

static const char prologue[] =
	"#include <stdio.h>\n"
	"static size_t at, broken;\n"
	"#define BEGIN(s) at = 0; printf(\"%s %zu\\n\", #s, sizeof(struct s));\n"
	"#define MEMBER(s, m) \\\n"
	"	if (offsetof(struct s, m) != at) { \\\n"
	"		printf(\"a gap before %s.%s\\n\", #s, #m); broken++; } \\\n"
	"	at = offsetof(struct s, m) + sizeof(((struct s *)0)->m); \\\n"
	"	if (!__builtin_strcmp(#m, \"sz\") && (offsetof(struct s, m) || \\\n"
	"	    !__builtin_types_compatible_p(__typeof__(((struct s *)0)->m), size_t))) { \\\n"
	"		printf(\"%s.sz is not a size_t at 0\\n\", #s); broken++; } \\\n"
	"	printf(\"\\t%zu %zu %s\\n\", offsetof(struct s, m), sizeof(((struct s *)0)->m), "
	"#m);\n"
	"#define END(s) if (at != sizeof(struct s)) { \\\n"
	"		printf(\"a gap at the end of %s\\n\", #s); broken++; }\n"
	"int main(void)\n{\n";

static void include_and_write(const char *pattern, bool write)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (write)
			write_header(found.gl_pathv[i]);
		else
			fprintf(program, "#include \"%s\"\n", found.gl_pathv[i]);
	}
	globfree(&found);
}

/* The layouts of all headers that the patterns name; *status is the program's: 0 if nothing is
 * broken. */
static char *layouts(const char *const patterns[], size_t n, int *status)
{
	const char *source = scratch_path("layout.c");

	program = fopen(source, "we");
	ck_assert_ptr_nonnull(program);
	fprintf(program, "#include <stddef.h>\n");
	for (size_t i = 0; i < n; i++)
		include_and_write(patterns[i], false);
	fprintf(program, "%s", prologue);
	for (size_t i = 0; i < n; i++)
		include_and_write(patterns[i], true);
	fprintf(program, "return broken != 0;\n}\n");
	fclose(program);
	scratch_run("cc -std=gnu11 -w -I'%s' -o '%s' '%s'", test_source("include"),
		    scratch_path("layout"), source);
	*status = test_shell("'%s' >'%s'", scratch_path("layout"), scratch_path("layout.txt"));
	return scratch_read(scratch_path("layout.txt"));
}

static char *layouts_of(const char *text, int *status)
{
	const char *header = scratch_path("planted.h");

	scratch_write(header, text);
	return layouts(&header, 1, status);
}

START_TEST(planted_structs_are_judged)
{
	char *good, *text;
	int status;

	good = layouts_of("\nstruct a {\n\tsize_t sz; /* x; */\n\tconst char *(*fn)(int, void *);\n"
			  "\tchar name[8];\n};\nstruct b;\n",
			  &status);
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(good, "a 24\n\t0 8 sz\n\t8 8 fn\n\t16 8 name\n");
	text = layouts_of("\nstruct a {\n\tsize_t sz;\n\tint x;\n};\n", &status);
	ck_assert_int_eq(status, 1);
	ck_assert_ptr_nonnull(strstr(text, "a gap at the end of a"));
	free(text);
	text = layouts_of("\nstruct a {\n\tsize_t sz;\n\tint x;\n\tlong y;\n};\n", &status);
	ck_assert_int_eq(status, 1);
	ck_assert_ptr_nonnull(strstr(text, "a gap before a.y"));
	free(text);
	text = layouts_of("\nstruct a {\n\tlong x;\n\tsize_t sz;\n};\n", &status);
	ck_assert_int_eq(status, 1);
	ck_assert_ptr_nonnull(strstr(text, "a.sz is not a size_t at 0"));
	free(text);
	text = layouts_of("\nstruct a {\n\tsize_t sz;\n\tchar name[8];\n\tlong fn;\n};\n", &status);
	ck_assert_int_eq(status, 0);
	ck_assert_str_ne(text, good);
	free(text);
	free(good);
}
END_TEST

/* An option struct without sz could never grow. */
static void options_have_sz(const char *text)
{
	for (const char *at = text; (at = strstr(at, "_opts ")); at++)
		ck_assert_msg(!strncmp(strchr(at, '\n'), "\n\t0 8 sz\n", 8), "no sz first: %.40s",
			      at);
}

START_TEST(layouts_are_as_expected)
{
	char patterns[2][512];
	const char *const list[] = { patterns[0], patterns[1] };
	const char *expected = test_source("tests/abi/layout.expected");
	char *text;
	int status;

	/* The maps of a pinned block outlive the library that made them. */
	strcpy(patterns[0], test_source("include/ebpfnet/*.h"));
	strcpy(patterns[1], test_source("bpf/*_layout.h"));
	text = layouts(list, 2, &status);
	ck_assert_msg(!status, "%s", text);
	/* The numbers are those of 64-bit machines; elsewhere the rules above are what is tested.
	 */
	if (sizeof(void *) == 8) {
		options_have_sz(text);
		expected = test_source("tests/abi/layout.expected");
		if (getenv("EBPFNET_UPDATE"))
			scratch_write(expected, text);
		ck_assert_msg(
			!test_shell("diff -u '%s' '%s'", expected, scratch_path("layout.txt")),
			"a layout changed; if it may, EBPFNET_UPDATE=1 writes it anew");
	}
	free(text);
}
END_TEST

TEST_MAIN("layout", 100, planted_structs_are_judged, layouts_are_as_expected)
