/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_LOAD_OBJECT_H
#define EBPFNET_LOAD_OBJECT_H

#include <bpf/libbpf.h>

#include <ebpfnet/load.h>

#include "core/error.h"
#include "load/logs.h"

struct ebpfnet_program {
	struct ebpfnet_ctx *ctx;
	struct bpf_program *bpf; /* NULL unless it is borrowed from an object */
	int fd;			 /* -1 before load; libbpf's own if borrowed */
	bool owned;
	char name[EBPFNET_NAME_LEN];
};

struct ebpfnet_map {
	struct ebpfnet_ctx *ctx;
	struct bpf_map *bpf;	       /* NULL unless it is borrowed from an object */
	struct ebpfnet_object *object; /* that one, or NULL */
	int fd;			       /* -1 before load; libbpf's own if borrowed */
	bool owned;
	/* What the data room needs on every call, asked once. */
	uint32_t type;
	uint32_t key_size;
	uint32_t value_size; /* of one CPU */
	uint32_t max_entries;
	struct ebpfnet__map_sums *sums; /* which parts of a value can be added up; made at bind */
	char name[EBPFNET_NAME_LEN];
};

enum ebpfnet__object_state {
	EBPFNET__OBJECT_OPENED,
	EBPFNET__OBJECT_LOADED,
	EBPFNET__OBJECT_FAILED,
};

struct ebpfnet_object {
	struct ebpfnet_ctx *ctx;
	enum ebpfnet__object_state state;
	char *name;
	void *data; /* the ELF bytes, kept for check and relocs */
	size_t size;
	struct bpf_object *bpf;
	struct ebpfnet_program *programs;
	size_t program_count;
	struct ebpfnet_map *maps;
	size_t map_count;
};

/* libbpf's object over the same bytes, unloaded. NULL after a failure, which is told. */
struct bpf_object *ebpfnet__object_parse(struct ebpfnet__call *call, struct ebpfnet_object *obj);

/* Fails the call unless the object can still be adjusted. */
int ebpfnet__object_adjustable(struct ebpfnet__call *call, const struct ebpfnet_object *obj);

/* -ENOENT with "did you mean" for a name that an object does not have. */
int ebpfnet__object_no_such(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
			    const char *noun, const char *name);

/* ELF, class, machine, byte order, BTF: what can be said before libbpf looks. */
int ebpfnet__object_inspect(struct ebpfnet__call *call, const void *data, size_t size);

/* What the data room asks on every call, remembered. */
void ebpfnet__map_shape(struct ebpfnet_map *map, const struct bpf_map_info *info);

/* Loads a parsed object with a log buffer for each program, and explains a failure. */
int ebpfnet__object_load_bpf(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
			     struct bpf_object *bpf, uint32_t log_level,
			     struct ebpfnet__logs *logs);

#endif /* EBPFNET_LOAD_OBJECT_H */
