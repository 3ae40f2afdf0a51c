// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "helpers.h"

#include <dirent.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static int skipped_cases;

void test_skip(const char *fmt, ...)
{
	va_list ap;

	printf("SKIP: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(TEST_SKIP);
}

void test_case_skipped(const char *fn, const char *fmt, ...)
{
	size_t len = strlen(fn);
	va_list ap;

	/* Check calls the function of START_TEST(name) name_fn. */
	if (len > 3 && !strcmp(fn + len - 3, "_fn"))
		len -= 3;
	printf("SKIPPED %.*s: ", (int)len, fn);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	skipped_cases++;
}

void test_way(const char *hook, const char *way)
{
	printf("EBN-WAY %s\t%s\n", way, hook);
}

bool test_quick(void)
{
	const char *quick = getenv("EBPFNET_TEST_QUICK");

	return quick && *quick;
}

void test_need_root(void)
{
	if (geteuid() != 0)
		test_skip("needs root");
}

void test_need_bpffs(void)
{
	static const char root[] = "/sys/fs/bpf";
	struct statfs fs;

	if (statfs(root, &fs) == 0 && fs.f_type == 0xcafe4a11)
		return;
	if (mount("bpf", root, "bpf", 0, NULL) < 0)
		test_skip("no bpffs at %s, and none can be mounted there", root);
}

int test_in_child(int (*fn)(void *data), void *data)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int ret = fn(data);

		fflush(NULL);
		_exit(ret);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const char *test_object(const char *name)
{
	static char path[512];
	const char *folder = getenv("EBPFNET_TEST_OBJECTS");

	snprintf(path, sizeof(path), "%s/%s.bpf.o", folder ? folder : ".", name);
	return path;
}

const char *test_source(const char *relative)
{
	static char path[512];
	const char *folder = getenv("EBPFNET_SOURCE");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : ".", relative);
	return path;
}

const char *test_built(const char *relative)
{
	static char path[512];
	const char *folder = getenv("EBPFNET_BUILD");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : ".", relative);
	return path;
}

Suite *test_suite(const char *name, const TTest *const *tests, size_t n, double timeout)
{
	return test_suite_around(name, tests, n, timeout, NULL, NULL);
}

Suite *test_suite_around(const char *name, const TTest *const *tests, size_t n, double timeout,
			 void (*begin)(void), void (*end)(void))
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, timeout);
	tcase_add_checked_fixture(tc, begin, end);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	return suite;
}

int test_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	setvbuf(stdout, NULL, _IOLBF, 0);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	if (skipped_cases)
		printf("%d of %d tests skipped\n", skipped_cases, srunner_ntests_run(runner));
	srunner_free(runner);
	return failed ? 1 : 0;
}

int test_shell_output(char *out, size_t size, const char *fmt, ...)
{
	char command[4096];
	size_t have = 0;
	va_list ap;
	FILE *f;
	int status;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	f = popen(command, "re");
	if (!f)
		return -1;
	if (size) {
		have = fread(out, 1, size - 1, f);
		out[have] = '\0';
	}
	while (fgetc(f) != EOF)
		;
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int test_shell(const char *fmt, ...)
{
	char command[4096];
	va_list ap;
	int status;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void test_print_error(const struct ebpfnet_error *err)
{
	const char *log = ebpfnet_error_verifier_log(err);

	printf("error: %s\n", ebpfnet_error_message(err));
	if (ebpfnet_error_hint(err))
		printf(" hint: %s\n", ebpfnet_error_hint(err));
	if (ebpfnet_error_libbpf_log(err))
		printf("libbpf: %s\n", ebpfnet_error_libbpf_log(err));
	if (log)
		printf("verifier, last of %zu bytes: %s\n", strlen(log),
		       strlen(log) > 3000 ? log + strlen(log) - 3000 : log);
}

bool test_error_says(const struct ebpfnet_error *err, const char *words)
{
	const char *hint = ebpfnet_error_hint(err);

	return strstr(ebpfnet_error_message(err), words) || (hint && strstr(hint, words));
}

int test_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}
