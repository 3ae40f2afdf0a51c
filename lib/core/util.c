// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "core/util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int ebpfnet__fd_safe(int fd)
{
	int moved, err;

	if (fd < 0 || fd > 2)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	err = errno;
	close(fd);
	return moved < 0 ? -err : moved;
}

int ebpfnet__fd_dup(int fd)
{
	int dup = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return dup < 0 ? -errno : dup;
}

uint64_t ebpfnet__netns_inode(int netns_fd)
{
	struct stat st;
	int ret = netns_fd ? fstat(netns_fd, &st) : stat("/proc/thread-self/ns/net", &st);

	return ret ? 0 : (uint64_t)st.st_ino;
}

int ebpfnet__file_read(const char *path, size_t max, char **data, size_t *size)
{
	CLEANUP(fd) int fd = ebpfnet__fd_safe(open(path, O_RDONLY | O_CLOEXEC));
	CLEANUP(free) char *buf = NULL;
	size_t have = 0, room = 0;
	struct stat st;

	*data = NULL;
	*size = 0;
	if (fd < 0)
		return fd == -1 ? -errno : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (st.st_size > 0 && (uint64_t)st.st_size > max)
		return -EFBIG;
	for (;;) {
		ssize_t n;

		if (have == room) {
			char *more;

			/* Files below /sys say 4096 or 0 and hold another size: grow until the end.
			 */
			room = room ? room * 2 : (size_t)(st.st_size > 0 ? st.st_size + 1 : 65536);
			more = realloc(buf, room + 1);
			if (!more)
				return -ENOMEM;
			buf = more;
		}
		n = read(fd, buf + have, room - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
		if (have > max)
			return -EFBIG;
	}
	buf[have] = '\0';
	*data = TAKE(buf);
	*size = have;
	return 0;
}

#define NAME_MAX_COMPARED 64

/* Levenshtein distance over the first 64 characters. */
static unsigned int distance(const char *a, const char *b)
{
	size_t la = strnlen(a, NAME_MAX_COMPARED), lb = strnlen(b, NAME_MAX_COMPARED);
	unsigned int row[NAME_MAX_COMPARED + 1];

	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *ebpfnet__nearest(const char *name, const char *const *names, size_t n)
{
	unsigned int limit = (unsigned int)(strnlen(name, NAME_MAX_COMPARED) / 3 + 1);
	const char *best = NULL;

	for (size_t i = 0; i < n; i++) {
		unsigned int d = distance(name, names[i]);

		if (d <= limit) {
			best = names[i];
			limit = d ? d - 1 : 0;
			if (d == 0)
				break;
		}
	}
	return best;
}
