/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_ABI_SCRATCH_H
#define EBPFNET_TESTS_ABI_SCRATCH_H

/* A temporary folder, the tools of a packager, and builds of the library that are not this one. */

#include <stddef.h>

/* The folder; made by the first call, removed when the process ends. */
const char *scratch(void);

/* A path below it; one of sixteen static buffers. */
const char *scratch_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Ends the program as skipped unless the tool is in PATH. */
void scratch_need(const char *tool);

/* Writes a text file. */
void scratch_write(const char *path, const char *text);

/* The whole of a file, to be freed; the test fails if it cannot be read. */
char *scratch_read(const char *path);
char *scratch_read_sized(const char *path, size_t *size);

/*
 * Runs a command with its output in a file. If it fails, the output is printed and so does the test.
 * Returns the path of the output: scratch()/log, which the next command overwrites.
 */
const char *scratch_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A release build of a source folder for a prefix, without tests and without sanitizers. */
void scratch_build(const char *source, const char *build, const char *prefix);

#endif /* EBPFNET_TESTS_ABI_SCRATCH_H */
