// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Whole files, near names, and descriptors that stay away from 0, 1 and 2. */
#include "helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/util.h"

static char folder[] = "/tmp/ebpfnet-util-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *file_of(const char *name, size_t size)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < size; i++)
		fputc((int)('a' + i % 26), f);
	ck_assert_int_eq(fclose(f), 0);
	return path;
}

START_TEST(reads_every_size)
{
	static const size_t sizes[] = { 0, 1, 2, 4095, 4096, 4097, 65535, 65536, 65537, 200000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const char *path = file_of("size", sizes[i]);
		char *data;
		size_t size;

		ck_assert_int_eq(ebpfnet__file_read(path, 200000, &data, &size), 0);
		ck_assert_uint_eq(size, sizes[i]);
		ck_assert_int_eq(data[size], '\0');
		ck_assert_uint_eq(strlen(data), size);
		if (size)
			ck_assert_int_eq(data[size - 1], (int)('a' + (size - 1) % 26));
		free(data);
	}
}
END_TEST

static void must_not_read(const char *path, size_t max, int want)
{
	int fds = test_open_fds(), ret;
	char *data = (char *)1;
	size_t size = 1;

	ret = ebpfnet__file_read(path, max, &data, &size);
	ck_assert_msg(ret == want, "%s: %d, not %d", path, ret, want);
	ck_assert_ptr_null(data);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(test_open_fds(), fds);
}

START_TEST(what_is_no_file_or_too_large)
{
	struct rlimit old, few;
	const char *sparse;

	must_not_read(path_of("none"), 10, -ENOENT);
	must_not_read(folder, 10, -EISDIR);
	must_not_read(file_of("eleven", 11), 10, -EFBIG);
	must_not_read("/dev/zero", 100000, -EFBIG);
	must_not_read("/proc/self/mem", 10, -EIO);
	/* Refused by its size: nothing of it is read, and nothing is allocated for it. */
	sparse = file_of("sparse", 1);
	ck_assert_int_eq(truncate(sparse, (off_t)1 << 42), 0);
	must_not_read(sparse, (size_t)64 << 20, -EFBIG);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	ck_assert_int_eq(ebpfnet__file_read(sparse, 1, &(char *) { NULL }, &(size_t) { 0 }),
			 -EMFILE);
	ck_assert_int_eq(ebpfnet__fd_dup(0), -EINVAL);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
}
END_TEST

/* stat(2) says 4096, or 0, for files that hold something else. */
START_TEST(reads_what_lies_about_its_size)
{
	static const char *const paths[] = { "/sys/kernel/mm/transparent_hugepage/enabled",
					     "/sys/kernel/btf/vmlinux", "/proc/self/status" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		char *data;
		size_t size;

		if (access(paths[i], R_OK) < 0)
			continue;
		ck_assert_int_eq(ebpfnet__file_read(paths[i], (size_t)64 << 20, &data, &size), 0);
		ck_assert_uint_gt(size, 0);
		if (strstr(paths[i], "status"))
			ck_assert_ptr_nonnull(strstr(data, "\nPid:"));
		free(data);
	}
}
END_TEST

static int low_fds(void *data)
{
	char *text;
	size_t size;
	int fd;

	(void)data;
	for (int i = 0; i < 3; i++)
		close(i);
	for (int i = 0; i < 3; i++) {
		fd = ebpfnet__fd_safe(open("/dev/null", O_RDONLY | O_CLOEXEC));
		if (fd < 3 || !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			return 1;
	}
	/* The three places are still free. */
	if (open("/dev/null", O_RDONLY) != 0)
		return 2;
	fd = ebpfnet__fd_dup(0);
	if (fd < 3 || !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
		return 3;
	if (ebpfnet__file_read("/proc/self/status", 1 << 20, &text, &size) || !size)
		return 4;
	free(text);
	return open("/dev/null", O_RDONLY) == 1 ? 0 : 5;
}

/* One that cannot be moved is closed, not left where it is. */
static int low_fds_and_no_room(void *data)
{
	struct rlimit few = { 3, 3 };

	(void)data;
	close(0);
	if (setrlimit(RLIMIT_NOFILE, &few))
		return 1;
	/* F_DUPFD from 3 on, where no descriptor may be: EINVAL. */
	if (ebpfnet__fd_safe(open("/dev/null", O_RDONLY)) != -EINVAL)
		return 2;
	return fcntl(0, F_GETFD) < 0 && errno == EBADF ? 0 : 3;
}

START_TEST(descriptors_above_two)
{
	ck_assert_int_eq(ebpfnet__fd_safe(-1), -1);
	ck_assert_int_eq(ebpfnet__fd_safe(-ENOENT), -ENOENT);
	ck_assert_int_eq(ebpfnet__fd_safe(3), 3);
	ck_assert_int_eq(ebpfnet__fd_dup(-1), -EBADF);
	ck_assert_int_eq(test_in_child(low_fds, NULL), 0);
	ck_assert_int_eq(test_in_child(low_fds_and_no_room, NULL), 0);
}
END_TEST

START_TEST(near_names)
{
	static const char *const names[] = { "counter_key", "total", "protocol", "address4",
					     "address6",    "",	     "a" };
	const size_t n = sizeof(names) / sizeof(*names);
	char longer[200];

	ck_assert_str_eq(ebpfnet__nearest("counter_kei", names, n), "counter_key");
	ck_assert_str_eq(ebpfnet__nearest("counterkey", names, n), "counter_key");
	ck_assert_str_eq(ebpfnet__nearest("totl", names, n), "total");
	ck_assert_str_eq(ebpfnet__nearest("ttoal", names, n), "total");
	ck_assert_str_eq(ebpfnet__nearest("address6", names, n), "address6");
	ck_assert_str_eq(ebpfnet__nearest("address5", names, n), "address4");
	ck_assert_ptr_null(ebpfnet__nearest("firewall_rules", names, n));
	ck_assert_ptr_null(ebpfnet__nearest("total", names, 0));
	ck_assert_str_eq(ebpfnet__nearest("", names, n), "");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_ptr_null(ebpfnet__nearest(longer, names, n));
}
END_TEST

START_TEST(clean_up_and_take)
{
	int fds = test_open_fds(), kept = -1;
	char *text;

	{
		CLEANUP(fd) int gone = open("/dev/null", O_RDONLY | O_CLOEXEC);
		CLEANUP(fd) int taken = open("/dev/null", O_RDONLY | O_CLOEXEC);
		CLEANUP(free) char *lost = strdup("lost");
		CLEANUP(free) char *found = strdup("found");

		ck_assert_str_eq(lost, "lost");
		ck_assert_int_ge(gone, 0);
		kept = TAKE_FD(taken);
		text = TAKE(found);
		ck_assert_int_eq(taken, -1);
		ck_assert_ptr_null(found);
	}
	ck_assert_str_eq(text, "found");
	ck_assert_int_eq(test_open_fds(), fds + 1);
	free(text);
	close(kept);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { reads_every_size,
				       what_is_no_file_or_too_large,
				       reads_what_lies_about_its_size,
				       descriptors_above_two,
				       near_names,
				       clean_up_and_take };
	int ret;

	if (!mkdtemp(folder))
		return 1;
	ret = test_run(test_suite("util", tests, sizeof(tests) / sizeof(*tests), 60));
	test_shell("rm -r %s", folder);
	return ret;
}
