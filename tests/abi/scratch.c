// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "abi/scratch.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"

static char folder[64];

static void clean(void)
{
	test_shell("rm -rf '%s'", folder);
}

const char *scratch(void)
{
	if (!folder[0]) {
		strcpy(folder, "/tmp/ebpfnet-abi-XXXXXX");
		if (!mkdtemp(folder)) {
			perror(folder);
			exit(2);
		}
		atexit(clean);
	}
	return folder;
}

const char *scratch_path(const char *fmt, ...)
{
	static char paths[16][512];
	static unsigned int next;
	char *path = paths[next++ % 16];
	va_list ap;
	int n = snprintf(path, sizeof(paths[0]), "%s/", scratch());

	va_start(ap, fmt);
	vsnprintf(path + n, sizeof(paths[0]) - n, fmt, ap);
	va_end(ap);
	return path;
}

void scratch_need(const char *tool)
{
	if (test_shell("command -v %s >/dev/null", tool))
		test_skip("%s is not installed", tool);
}

void scratch_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_msg(f && fputs(text, f) >= 0 && !fclose(f), "cannot write %s", path);
}

char *scratch_read_sized(const char *path, size_t *size)
{
	FILE *f = fopen(path, "re");
	char *text;

	ck_assert_msg(f && !fseek(f, 0, SEEK_END), "cannot read %s", path);
	*size = ftell(f);
	rewind(f);
	text = malloc(*size + 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(fread(text, 1, *size, f), *size);
	text[*size] = '\0';
	fclose(f);
	return text;
}

char *scratch_read(const char *path)
{
	size_t size;

	return scratch_read_sized(path, &size);
}

const char *scratch_run(const char *fmt, ...)
{
	static char log[80];
	char command[3072];
	va_list ap;
	int status;

	snprintf(log, sizeof(log), "%s/log", scratch());
	va_start(ap, fmt);
	ck_assert_int_lt(vsnprintf(command, sizeof(command), fmt, ap), (int)sizeof(command));
	va_end(ap);
	status = test_shell("{ %s\n} >'%s' 2>&1", command, log);
	if (status) {
		printf("$ %s\n", command);
		fflush(stdout);
		test_shell("tail -n 60 '%s'", log);
	}
	ck_assert_msg(!status, "exit status %d", status);
	return log;
}

void scratch_build(const char *source, const char *build, const char *prefix)
{
	/* What the surrounding run asks of its own programs is not for the compiler's. */
	scratch_run("unset ASAN_OPTIONS UBSAN_OPTIONS DESTDIR; meson setup --buildtype=release "
		    "-Db_lto=false -Db_sanitize=none -Db_coverage=false -Dtests=false "
		    "--prefix='%s' --libdir=lib '%s' '%s' && ninja -C '%s' -j2",
		    prefix, build, source, build);
}
