/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_RECORD_H
#define EBPFNET_ATTACH_RECORD_H

/*
 * What a bpf_link keeps by itself is kept here for attachments that have none: a map of one entry,
 * because the kernel counts its users and a bpffs takes it. It is pinned at PATH-record, beside the
 * program at PATH.
 */

#include <limits.h>
#include <stdint.h>

#include "attach/link.h"

/* A pinned layout: only ever extended, under a new version. */
struct ebpfnet__record {
	uint32_t magic;
	uint32_t abi_version;
	uint32_t kind; /* enum ebpfnet_link_kind */
	uint32_t via;
	uint32_t hook;
	uint32_t mode;
	uint32_t flags;
	uint32_t ifindex;
	uint64_t netns;	 /* inode */
	uint64_t target; /* what is not an interface: id of the map, inode of the cgroup */
	uint32_t prog_id;
	int32_t priority;
	uint32_t handle;
	uint32_t reserved;
};

/* Makes the record of a link that has none. Returns 0 or fails the call. */
int ebpfnet__record_new(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd);

/* The record follows an update, and so does the pin if there is one. */
int ebpfnet__record_update(struct ebpfnet__call *call, struct ebpfnet_link *link, int prog_fd);

/* Pins program and record, making one if need be; takes both pins away. For link ways. */
int ebpfnet__record_pin(struct ebpfnet__call *call, struct ebpfnet_link *link, const char *path);
int ebpfnet__record_unpin(struct ebpfnet__call *call, struct ebpfnet_link *link);

/*
 * Makes a link from the record beside a pinned program. Takes prog_fd, also after a failure. Kind,
 * facts and descriptors are filled in; way is not.
 */
int ebpfnet__record_open(struct ebpfnet__call *call, int prog_fd, const char *path, int netns_fd,
			 struct ebpfnet__record *record, struct ebpfnet_link **link);

/* -ENOLINK kind DEFUNCT: what the pin stands for is not there; `why` says what is missing. */
int ebpfnet__record_defunct(struct ebpfnet__call *call, const char *path, const char *why);

/* The kernel's id of a record, 0 for -1: it names the record where no descriptor can be kept. */
uint32_t ebpfnet__record_id(int record_fd);

/* Whether a record of this id is still held by a process or a pin: 1, 0, or -errno. */
int ebpfnet__record_held(uint32_t id);

#endif /* EBPFNET_ATTACH_RECORD_H */
