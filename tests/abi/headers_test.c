// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Every public header compiles alone, as C99, C11 and C++17, with every compiler there is and with
 * warnings as errors; and so does a program that uses the macros, in both languages from one text.
 */
#include <glob.h>
#include <string.h>

#include "abi/scratch.h"
#include "helpers.h"

#define STRICT "-Wall -Wextra -Wpedantic -Wundef -Werror -fsyntax-only"
/* Not in C++: g++ says that a function, as in stat(2), hides the constructor of its struct. */
#define C_ONLY " -Wshadow -Wstrict-prototypes"

static const struct compiler {
	const char *name;
	const char *flags;
	const char *suffix;
} compilers[] = {
	{ "gcc", "-std=c99" C_ONLY, "c" },   { "gcc", "-std=c11" C_ONLY, "c" },
	{ "clang", "-std=c99" C_ONLY, "c" }, { "clang", "-std=c11" C_ONLY, "c" },
	{ "g++", "-std=c++17", "cpp" },	     { "clang++", "-std=c++17", "cpp" },
};
#define COMPILERS (sizeof(compilers) / sizeof(*compilers))

static bool has(const struct compiler *compiler)
{
	return !test_shell("command -v %s >/dev/null", compiler->name);
}

static int compile(const struct compiler *compiler, const char *text)
{
	const char *path = scratch_path("one.%s", compiler->suffix);

	scratch_write(path, text);
	return test_shell("%s %s " STRICT " -I'%s' '%s'", compiler->name, compiler->flags,
			  test_source("include"), path);
}

/* A header of each kind of folder: the library's, and those for BPF programs, which the host reads
 * too. */
static void compile_each(const struct compiler *compiler, const char *pattern, const char *prefix)
{
	char text[512];
	glob_t found;

	ck_assert_int_eq(glob(test_source(pattern), 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = strrchr(found.gl_pathv[i], '/') + 1;

		/* Twice: the guard holds. */
		snprintf(text, sizeof(text),
			 "#include <ebpfnet/%s%s>\n#include <ebpfnet/%s%s>\nint not_empty;\n",
			 prefix, name, prefix, name);
		ck_assert_msg(!compile(compiler, text), "%s%s alone, %s %s", prefix, name,
			      compiler->name, compiler->flags);
	}
	globfree(&found);
}

START_TEST(a_bad_header_is_seen)
{
	for (size_t i = 0; i < COMPILERS; i++) {
		if (!has(&compilers[i]))
			continue;
		printf("the next error is wanted: ");
		fflush(stdout);
		ck_assert_int_ne(
			compile(&compilers[i], "struct a { int x; };;\nint f(size_t n);\n"), 0);
	}
}
END_TEST

START_TEST(each_header_compiles_alone)
{
	unsigned int c = 0, cpp = 0;

	for (size_t i = 0; i < COMPILERS; i++) {
		if (!has(&compilers[i])) {
			printf("%s is not installed: not tried\n", compilers[i].name);
			continue;
		}
		compile_each(&compilers[i], "include/ebpfnet/*.h", "");
		c += !strcmp(compilers[i].suffix, "c");
		cpp += !strcmp(compilers[i].suffix, "cpp");
	}
	ck_assert_uint_gt(c, 0);
	ck_assert_uint_gt(cpp, 0);
}
END_TEST

/*
 * Headers for BPF programs are C for clang; on the host they serve tests and fuzzers, and layouts
 * serve users, who may write C++.
 */
START_TEST(each_bpf_header_compiles_on_the_host)
{
	for (size_t i = 0; i < COMPILERS; i++) {
		if (has(&compilers[i]))
			compile_each(&compilers[i], "include/ebpfnet/bpf/*.h", "bpf/");
	}
}
END_TEST

/* The names of all option structs, as the headers have them: a new one is used without a line here.
 */
static void add_opts(char *text, size_t size)
{
	char *names = scratch_read(
		scratch_run("sed -n 's,^struct \\(ebpfnet_[a-z0-9_]*_opts\\) {$,\\1,p' '%s'/*.h",
			    test_source("include/ebpfnet")));
	char *name, *save = NULL;
	unsigned int n = 0;

	for (name = strtok_r(names, "\n", &save); name; name = strtok_r(NULL, "\n", &save), n++)
		snprintf(text + strlen(text), size - strlen(text),
			 "size_t use_%s(void);\nsize_t use_%s(void)\n{\n\tEBPFNET_OPTS(%s, "
			 "opts);\n\treturn opts.sz;\n}\n",
			 name, name, name);
	ck_assert_uint_gt(n, 4);
	free(names);
}

static const char program[] =
	"#include <ebpfnet/ebpfnet.h>\n"
	"#include <ebpfnet/data.h>\n"
	"struct flow { uint32_t source; uint16_t port; uint16_t zero; };\n"
	"struct tally { uint64_t packets; struct { uint64_t in; } bytes; };\n"
	"EBPFNET_MAP_DEFINE(flows, struct flow, struct tally, (source, port, zero),\n"
	"		   (packets, bytes.in));\n"
	"EBPFNET_MAP_DEFINE(sums, uint32_t, uint64_t);\n"
	"int use_maps(struct ebpfnet_map *map);\n"
	"int use_maps(struct ebpfnet_map *map)\n"
	"{\n"
	"	struct flows f;\n"
	"	struct sums s;\n"
	"	struct flow key;\n"
	"	struct tally value;\n"
	"	uint32_t index = 0;\n"
	"	uint64_t sum;\n"
	"	memset(&key, 0, sizeof(key));\n"
	"	if (flows_bind(map, &f, NULL) || sums_bind(map, &s, NULL))\n"
	"		return -1;\n"
	"	return flows_get(f, &key, &value) + sums_get(s, &index, &sum);\n"
	"}\n";

START_TEST(macros_serve_both_languages)
{
	static char text[32768];

	strcpy(text, program);
	add_opts(text, sizeof(text));
	for (size_t i = 0; i < COMPILERS; i++) {
		const struct compiler *c = &compilers[i];

		ck_assert_msg(!has(c) || !compile(c, text), "%s %s", c->name, c->flags);
	}
}
END_TEST

TEST_MAIN("headers", 200, a_bad_header_is_seen, each_header_compiles_alone,
	  each_bpf_header_compiles_on_the_host, macros_serve_both_languages)
