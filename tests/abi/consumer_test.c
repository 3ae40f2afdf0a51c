// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What a packager installs is what a user needs: a release build of this tree is installed under a
 * prefix of its own, and consumer.c built with the flags that pkg-config gives, shared and static.
 */
#include <string.h>
#include <unistd.h>

#include "abi/scratch.h"
#include "helpers.h"

#define PKG_CONFIG "PKG_CONFIG_PATH='%s/lib/pkgconfig' pkg-config "

/* Built and installed once for the whole program; the prefix. */
static const char *installed(void)
{
	static char prefix[512];

	scratch_need("meson");
	scratch_need("ninja");
	scratch_need("pkg-config");
	if (prefix[0])
		return prefix;
	strcpy(prefix, scratch_path("prefix"));
	scratch_build(test_source("."), scratch_path("build"), prefix);
	scratch_run("meson install -C '%s' --no-rebuild", scratch_path("build"));
	return prefix;
}

static void build_consumer(const char *prefix, const char *cc, const char *how, const char *out)
{
	scratch_run("%s -o '%s' '%s' $(" PKG_CONFIG "%s --cflags --libs libebpfnet)", cc, out,
		    test_source("tests/abi/consumer.c"), prefix, how);
}

START_TEST(shared)
{
	const char *prefix = installed(), *out = scratch_path("shared");
	char *text;

	build_consumer(prefix, "cc", "", out);
	text = scratch_read(scratch_run("readelf -d '%s'", out));
	ck_assert_ptr_nonnull(strstr(text, "[libebpfnet.so.0]"));
	/* A user of the shared library does not link what the library itself needs. */
	ck_assert_ptr_null(strstr(text, "[libbpf"));
	free(text);
	text = scratch_read(scratch_run("LD_LIBRARY_PATH='%s/lib' '%s'", prefix, out));
	ck_assert_str_eq(text, "libebpfnet 0x100 opened counter\n");
	free(text);
}
END_TEST

/* Without the shared library, -lebpfnet is the archive, and --static brings what it needs. */
START_TEST(archive)
{
	const char *prefix = scratch_path("only-archive"), *out = scratch_path("archive");
	char *text;

	scratch_run("cp -a '%s' '%s' && cd '%s/lib' && rm libebpfnet.so* && "
		    "sed -i 's,^prefix=.*,prefix=%s,' pkgconfig/libebpfnet.pc",
		    installed(), prefix, prefix, prefix);
	build_consumer(prefix, "cc", "--static", out);
	text = scratch_read(scratch_run("readelf -d '%s'", out));
	ck_assert_ptr_null(strstr(text, "libebpfnet"));
	free(text);
	text = scratch_read(scratch_run("'%s'", out));
	ck_assert_str_eq(text, "libebpfnet 0x100 opened counter\n");
	free(text);
}
END_TEST

/* No library at all at run time, where the distribution has the archives of what we need. */
START_TEST(all_static)
{
	const char *prefix = installed(), *out = scratch_path("static");
	char *text;

	/* It must use libelf: elfutils 0.192's archive exists and cannot be linked. */
	scratch_write(scratch_path("empty.c"), "extern void *elf_memory(char *, unsigned long);\n"
					       "int main(int argc, char **argv) { return argc == 9 "
					       "&& elf_memory(argv[0], 0); }\n");
	if (test_shell("cc -static -o '%s' '%s' -lmnl -lbpf -lelf -lz -lzstd >/dev/null 2>&1", out,
		       scratch_path("empty.c"))) {
		printf("no static libmnl, libbpf, libelf or zlib that links here: cc -static not "
		       "tried\n");
		return;
	}
	build_consumer(prefix, "cc -static", "--static", out);
	text = scratch_read(scratch_run("'%s'", out));
	ck_assert_str_eq(text, "libebpfnet 0x100 opened counter\n");
	free(text);
}
END_TEST

START_TEST(every_header_is_installed)
{
	scratch_run("diff -r '%s' '%s/include/ebpfnet'", test_source("include/ebpfnet"),
		    installed());
}
END_TEST

/* The same bytes as the embedded ones: those are in the library's read-only data, whole. */
START_TEST(every_bpf_object_is_installed)
{
	const char *prefix = installed();
	char *text = scratch_read(scratch_run(PKG_CONFIG "--variable=bpfdir libebpfnet", prefix));
	char *list, *name, *save = NULL;
	unsigned int n = 0;

	text[strcspn(text, "\n")] = '\0';
	ck_assert_msg(!strncmp(text, prefix, strlen(prefix)), "bpfdir is %s", text);
	list = scratch_read(scratch_run("cd '%s/lib/ebpfnet-0' && ls", prefix));
	for (name = strtok_r(list, "\n", &save); name; name = strtok_r(NULL, "\n", &save), n++) {
		size_t size, library_size;
		char *object, *library;

		scratch_run("cp '%s/%s' '%s'", text, name, scratch_path("object"));
		scratch_run("cp -L '%s/lib/libebpfnet.so' '%s'", prefix, scratch_path("library"));
		object = scratch_read_sized(scratch_path("object"), &size);
		library = scratch_read_sized(scratch_path("library"), &library_size);
		ck_assert_msg(memmem(library, library_size, object, size),
			      "%s is not what the "
			      "library carries",
			      name);
		/* The search itself: one bit off is not found. */
		object[size / 2] ^= 1;
		ck_assert_ptr_null(memmem(library, library_size, object, size));
		free(object);
		free(library);
	}
	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(access(scratch_path("prefix/lib/ebpfnet-0/counter.bpf.o"), R_OK), 0);
	free(list);
	free(text);
}
END_TEST

/* With DESTDIR too, as packagers install; a file that is not in this list has no business there. */
START_TEST(nothing_else_is_installed)
{
	const char *prefix = installed(), *stage = scratch_path("stage");
	char *text;

	scratch_run("DESTDIR='%s' meson install -C '%s' --no-rebuild", stage,
		    scratch_path("build"));
	scratch_run("diff -r '%s' '%s%s'", prefix, stage, prefix);
	text = scratch_read(scratch_run("cd '%s' && find . ! -type d | sed 's,^\\.%s/,,' | grep "
					"-vE '^(include/ebpfnet/.*\\.h|"
					"lib/libebpfnet\\.(a|so|so\\.0|so\\.0\\.[0-9.]+)|lib/"
					"ebpfnet-0/[a-z0-9_]+\\.bpf\\.o|"
					"lib/pkgconfig/libebpfnet\\.pc|share/.*)$' || true",
					stage, prefix));
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

TEST_MAIN("consumer", 250, shared, archive, all_static, every_header_is_installed,
	  every_bpf_object_is_installed, nothing_else_is_installed)
