/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_LOAD_PIN_FOLDER_H
#define EBPFNET_LOAD_PIN_FOLDER_H

#include <limits.h>
#include <stddef.h>

#include "core/error.h"

#define EBPFNET__FOLDERS_MAX 16

/*
 * The folders that were made for a pin, innermost last, to take them back if it fails. While they
 * are held no other process that uses this library makes or removes folders below this root.
 */
struct ebpfnet__folders {
	char *made[EBPFNET__FOLDERS_MAX];
	size_t count;
	int lock; /* -1: none */
};

/* Makes the folders above a path; the nearest one that exists must be on a bpffs already. */
int ebpfnet__folders_make(struct ebpfnet__call *call, const char *path, struct ebpfnet__folders *f);

/* Lets go: keeps the folders, or removes those that were made. */
void ebpfnet__folders_end(struct ebpfnet__folders *f, bool keep);

/* Removes a pin and the folders below BPFFS/ebpfnet that it leaves empty. Returns 0 or -errno. */
int ebpfnet__folders_unlink(const struct ebpfnet_ctx *ctx, char *path);

/* Removes a folder below BPFFS/ebpfnet, and those above it that it leaves empty, if it is empty. */
void ebpfnet__folders_prune(const struct ebpfnet_ctx *ctx, const char *folder);

/* Fails the call for a path where no pin can be. */
int ebpfnet__fail_not_bpffs(struct ebpfnet__call *call, const char *folder);
int ebpfnet__fail_pin_name(struct ebpfnet__call *call, int code, const char *path);

/* Whether a path is on a bpffs; false also if it does not exist. */
bool ebpfnet__on_bpffs(const char *path);

#endif /* EBPFNET_LOAD_PIN_FOLDER_H */
