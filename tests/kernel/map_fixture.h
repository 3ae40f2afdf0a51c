/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_KERNEL_MAP_FIXTURE_H
#define EBPFNET_TESTS_KERNEL_MAP_FIXTURE_H

/* The user-space half of map_objects.bpf.c, and a loaded object. */

#include "helpers.h"

#include <errno.h>
#include <string.h>

struct map_key {
	uint32_t address;
	uint16_t port;
	uint16_t zone;
};

struct map_value {
	uint64_t packets;
	uint64_t bytes;
	uint32_t marks[3];
	int32_t low;
	uint8_t name[8];
	struct {
		uint64_t first;
		uint64_t last;
	} seen;
};

struct map_odd {
	uint32_t a, b, c;
};

struct map_big {
	uint64_t n[3000];
};

#define MAP_KEY (address, port, zone)
#define MAP_VALUE (packets, bytes, marks, low, name, seen.first, seen.last)

EBPFNET_MAP_DEFINE(by_key, struct map_key, struct map_value, MAP_KEY, MAP_VALUE);
EBPFNET_MAP_DEFINE(by_index, uint32_t, struct map_value, (), MAP_VALUE);
EBPFNET_MAP_DEFINE(small, uint32_t, uint64_t);
EBPFNET_MAP_DEFINE(queues, uint32_t, uint32_t);
EBPFNET_MAP_DEFINE(odd, uint32_t, struct map_odd, (), (a, b, c));
EBPFNET_MAP_DEFINE(big, uint32_t, struct map_big, (), (n));

struct fixture {
	struct ebpfnet_ctx *ctx;
	struct ebpfnet_object *obj;
	struct ebpfnet_error *err;
};

static inline struct fixture fixture_open(const char *object)
{
	struct fixture f = { 0 };

	ASSERT_OK(ebpfnet_ctx_new(NULL, &f.ctx, &f.err), f.err);
	ASSERT_OK(ebpfnet_object_open_file(f.ctx, test_object(object), NULL, &f.obj, &f.err),
		  f.err);
	return f;
}

static inline struct fixture fixture_load(const char *object)
{
	struct fixture f = fixture_open(object);

	ASSERT_OK(ebpfnet_object_load(f.obj, &f.err), f.err);
	return f;
}

static inline void fixture_close(struct fixture *f)
{
	ebpfnet_object_close(f->obj);
	ebpfnet_ctx_unref(f->ctx);
}

static inline struct ebpfnet_map *fixture_map(struct fixture *f, const char *name)
{
	struct ebpfnet_map *map;

	ASSERT_OK(ebpfnet_object_map(f->obj, name, &map, &f->err), f->err);
	return map;
}

static inline struct by_key fixture_by_key(struct fixture *f, const char *name)
{
	struct by_key m;

	ASSERT_OK(by_key_bind(fixture_map(f, name), &m, &f->err), f->err);
	return m;
}

static inline struct by_index fixture_by_index(struct fixture *f, const char *name)
{
	struct by_index m;

	ASSERT_OK(by_index_bind(fixture_map(f, name), &m, &f->err), f->err);
	return m;
}

/* Lets the BPF half add n to an entry; returns what it found there afterwards. */
static inline uint32_t fixture_add(struct fixture *f, const char *program, struct map_key key,
				   uint64_t n)
{
	uint8_t packet[64] = { 0 };
	struct ebpfnet_program *prog;

	EBPFNET_OPTS(ebpfnet_program_run, run);
	memcpy(packet + 16, &key, sizeof(key));
	memcpy(packet + 16 + sizeof(key), &n, sizeof(n));
	run.data_in = packet;
	run.data_in_size = sizeof(packet);
	ASSERT_OK(ebpfnet_object_program(f->obj, program, &prog, &f->err), f->err);
	ASSERT_OK(ebpfnet_program_run(prog, &run, &f->err), f->err);
	return run.retval;
}

#endif /* EBPFNET_TESTS_KERNEL_MAP_FIXTURE_H */
