// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* EBPFNET_MAP_DEFINE in every language it promises, and the mistakes that must not compile. */
#include "helpers.h"

#include <string.h>
#include <unistd.h>

#define PROLOGUE                                                                                   \
	"#include <ebpfnet/data.h>\n"                                                              \
	"struct point { uint32_t x, y; };\n"                                                       \
	"struct shape { uint64_t id; struct point at; struct point corner[3]; uint8_t name[8]; "   \
	"};\n"

/* Everything that the macro makes is used once, by types that the compiler then compares. */
static const char good[] = PROLOGUE
	"EBPFNET_MAP_DEFINE(counts, uint32_t, uint64_t);\n"
	"EBPFNET_MAP_DEFINE(shapes, struct point, struct shape, (x, y),\n"
	"		   (id, at.x, at.y, corner[0].x, corner[0].y, name));\n"
	"EBPFNET_MAP_DEFINE(devices, uint32_t, struct point, (), (x, y));\n"
	"EBPFNET_MAP_DEFINE(unused, struct point, uint64_t, (x, y), ());\n"
	"int use(struct ebpfnet_map *map, struct ebpfnet_error **err);\n"
	"int use(struct ebpfnet_map *map, struct ebpfnet_error **err)\n"
	"{\n"
	"	struct counts counts; struct shapes shapes; struct devices devices;\n"
	"	struct shapes_iter it; uint32_t key = 0; uint64_t n; struct point p; struct shape "
	"s[2];\n"
	"	if (counts_bind(map, &counts, err) || shapes_bind(map, &shapes, err) ||\n"
	"	    devices_bind(map, &devices, err) || shapes_iter_new(shapes, NULL, &it, err))\n"
	"		return -1;\n"
	"	while (shapes_iter_next(it, &p, s) == 1)\n"
	"		shapes_del(shapes, &p);\n"
	"	shapes_iter_free(it);\n"
	"	return counts_get(counts, &key, &n) | counts_put(counts, &key, &n, "
	"EBPFNET_MAP_ANY) |\n"
	"	       counts_next(counts, NULL, &key) | counts_sum(counts, &key, &n) |\n"
	"	       counts_max(counts, &key, &n) | shapes_get_percpu(shapes, &p, s, 2) |\n"
	"	       shapes_put_percpu(shapes, &p, s, 2, 0) | devices_get(devices, &key, &p);\n"
	"}\n";

static const struct {
	const char *compiler, *standard, *suffix;
} languages[] = {
	{ "gcc", "c99", "c" },	      { "gcc", "c11", "c" },	{ "gcc", "c17", "c" },
	{ "clang", "c99", "c" },      { "clang", "c11", "c" },	{ "clang", "c17", "c" },
	{ "g++", "c++11", "cc" },     { "g++", "c++17", "cc" }, { "clang++", "c++11", "cc" },
	{ "clang++", "c++17", "cc" },
};

static char dir[] = "/tmp/ebpfnet-define-XXXXXX";

/* Compiles a source; returns the compiler's exit status and its words. */
static int compile(size_t language, const char *source, const char *more, char *out, size_t size)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/t.%s", dir, languages[language].suffix);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "%s%s", source, more);
	fclose(f);
	return test_shell_output(out, size,
				 "%s -std=%s -Wall -Wextra -Wpedantic -Werror -I%s -c %s -o %s/t.o "
				 "2>&1",
				 languages[language].compiler, languages[language].standard,
				 test_source("include"), path, dir);
}

static bool have(size_t language)
{
	return test_shell("command -v %s >/dev/null", languages[language].compiler) == 0;
}

static int compilers(void)
{
	int n = 0;

	for (size_t i = 0; i < sizeof(languages) / sizeof(*languages); i++)
		n += have(i);
	return n;
}

START_TEST(every_language)
{
	char out[4096];

	for (size_t i = 0; i < sizeof(languages) / sizeof(*languages); i++) {
		if (!have(i))
			continue;
		ck_assert_msg(compile(i, good, "", out, sizeof(out)) == 0, "%s -std=%s: %s",
			      languages[i].compiler, languages[i].standard, out);
	}
}
END_TEST

static const struct {
	const char *source, *words;
} mistakes[] = {
	{ "EBPFNET_MAP_DEFINE(bad, uint32_t, struct point);\n", "bad_value_needs_its_members" },
	{ "EBPFNET_MAP_DEFINE(bad, struct point, uint32_t);\n", "bad_key_needs_its_members" },
	{ "EBPFNET_MAP_DEFINE(bad, uint32_t, struct point, (), ());\n",
	  "bad_value_needs_its_members" },
	{ "EBPFNET_MAP_DEFINE(bad, uint32_t, struct point, (), (x, z));\n", "z" },
	{ "EBPFNET_MAP_DEFINE(bad, uint32_t, uint64_t, (), (x));\n", "x" },
	{ "EBPFNET_MAP_DEFINE(bad, uint32_t, struct point, (x, y));\n", "bad" },
	/* One map's calls for another; another type of key. */
	{ "EBPFNET_MAP_DEFINE(other, uint32_t, uint64_t);\n"
	  "int f(struct other m, uint64_t *v); int f(struct other m, uint64_t *v)\n"
	  "{ uint32_t k = 0; return counts_get(m, &k, v); }\n",
	  "counts_get" },
	{ "int f(struct counts m, uint64_t *v); int f(struct counts m, uint64_t *v)\n"
	  "{ return counts_get(m, v, v); }\n",
	  "counts_get" },
};

START_TEST(mistakes_do_not_compile)
{
	static char out[200000];

	for (size_t i = 0; i < sizeof(languages) / sizeof(*languages); i++) {
		/* The newest of each compiler: what differs between standards is tested above. */
		if (!have(i) || !strstr(languages[i].standard, "17"))
			continue;
		for (size_t j = 0; j < sizeof(mistakes) / sizeof(*mistakes); j++) {
			int status = compile(i, good, mistakes[j].source, out, sizeof(out));

			ck_assert_msg(status == 1, "%s takes: %s", languages[i].compiler,
				      mistakes[j].source);
			ck_assert_msg(strstr(out, mistakes[j].words) != NULL,
				      "%s: no \"%s\" in: %s", languages[i].compiler,
				      mistakes[j].words, out);
		}
	}
}
END_TEST

/* 64 members are taken, the 65th is refused and not forgotten. */
START_TEST(number_of_members)
{
	static char out[200000];
	char source[8192];

	for (int n = 64; n <= 65; n++) {
		size_t len = (size_t)snprintf(source, sizeof(source), "struct many { char ");

		for (int i = 0; i < n; i++)
			len += (size_t)snprintf(source + len, sizeof(source) - len, "%sm%d",
						i ? ", " : "", i);
		len += (size_t)snprintf(
			source + len, sizeof(source) - len,
			"; };\nEBPFNET_MAP_DEFINE(bad, uint32_t, struct many, (), (");
		for (int i = 0; i < n; i++)
			len += (size_t)snprintf(source + len, sizeof(source) - len, "%sm%d",
						i ? ", " : "", i);
		snprintf(source + len, sizeof(source) - len, "));\n");
		for (size_t i = 0; i < sizeof(languages) / sizeof(*languages); i++) {
			if (!have(i) || !strstr(languages[i].standard, "17"))
				continue;
			ck_assert_int_eq(compile(i, good, source, out, sizeof(out)), n == 65);
			ck_assert(n == 64 || strstr(out, "MORE_THAN_64_MEMBERS"));
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { every_language, mistakes_do_not_compile, number_of_members };
	int ret;

	if (compilers() == 0)
		test_skip("needs gcc or clang");
	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	ret = test_run(test_suite("map_define", tests, sizeof(tests) / sizeof(*tests), 120));
	test_shell("rm -r %s", dir);
	return ret;
}
