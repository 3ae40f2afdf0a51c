/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_CORE_UTIL_H
#define EBPFNET_CORE_UTIL_H

/* The one clean-up idiom of this library, and the few helpers that everybody needs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define EBPFNET__ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define EBPFNET__PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * CLEANUP(free) char *text = strdup("..."); frees at the end of the scope; return TAKE(text) hands
 * it on. For every type with a close function: CLEANUP(TYPE_close) with a function that takes a
 * pointer to the variable.
 */
#define CLEANUP(fn) __attribute__((cleanup(ebpfnet__cleanup_##fn)))
#define TAKE(var)                                                                                  \
	__extension__({                                                                            \
		__typeof__(var) taken_ = (var);                                                    \
		(var) = NULL;                                                                      \
		taken_;                                                                            \
	})
#define TAKE_FD(var)                                                                               \
	__extension__({                                                                            \
		int taken_ = (var);                                                                \
		(var) = -1;                                                                        \
		taken_;                                                                            \
	})

static inline void ebpfnet__cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void ebpfnet__cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* A descriptor above 2, close-on-exec: one that took the place of a closed stdin is moved. */
int ebpfnet__fd_safe(int fd);

/* A duplicate under the same rules. Returns the new fd or -errno. */
int ebpfnet__fd_dup(int fd);

/* The inode of a namespace, 0 for the thread's own; its identity while it exists. 0 after a
 * failure. */
uint64_t ebpfnet__netns_inode(int netns_fd);

/* Reads a whole file, NUL-terminated behind its end. Returns 0 or -errno (-EFBIG above max). */
int ebpfnet__file_read(const char *path, size_t max, char **data, size_t *size);

/* The nearest of n names, or NULL when none is near: for "did you mean". */
const char *ebpfnet__nearest(const char *name, const char *const *names, size_t n);

#endif /* EBPFNET_CORE_UTIL_H */
