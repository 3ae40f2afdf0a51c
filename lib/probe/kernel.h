/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_PROBE_KERNEL_H
#define EBPFNET_PROBE_KERNEL_H

/* What the running kernel says of itself. For messages: no decision is taken on any of it. */

#include <stddef.h>

struct ebpfnet__version {
	unsigned int major, minor, patch;
};

#define EBPFNET__VERSION_LEN 36

/* uname's release, "6.1.0-56-cloud-amd64"; static. */
const char *ebpfnet__kernel_release(void);

/* The numbers at the start of a release. Returns 0, or -EINVAL unless there are at least two. */
int ebpfnet__version_parse(const char *text, struct ebpfnet__version *version);

/* Below, equal or above 0, as strcmp(). */
int ebpfnet__version_compare(const struct ebpfnet__version *a, const struct ebpfnet__version *b);

/* "6.18.44", "6.1" for 6.1.0; a release that starts otherwise is given as it is, cut. */
void ebpfnet__version_text(const char *release, char text[EBPFNET__VERSION_LEN]);

/* A kernel's configuration as text, from text or gzip. Returns 0 or -errno; *text is the caller's.
 */
int ebpfnet__kconfig_text(const void *data, size_t size, char **text);

/* The running kernel's. Returns 0, or -ENOENT if it is nowhere to be read. */
int ebpfnet__kconfig_load(char **text);

/* 'y' (also for numbers and strings), 'm', or 'n': unset, or not an option of this kernel at all.
 */
char ebpfnet__kconfig_find(const char *text, const char *name);

/* "CONFIG_NETKIT" of the running kernel: 'y', 'm', 'n', or 0 if its configuration cannot be read.
 */
char ebpfnet__kconfig(const char *name);

#endif /* EBPFNET_PROBE_KERNEL_H */
