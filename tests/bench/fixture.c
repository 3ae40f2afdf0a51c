// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "fixture.h"

#include <arpa/inet.h>

#define OBJECTS 8

struct ebpfnet_ctx *bench_ctx;
struct ebpfnet_error *bench_err;
static struct ebpfnet_object *objects[OBJECTS];
static size_t n_objects;
static struct bench_samples calibration;

static void fill(struct ebpfnet_object *obj, const char *map, uint32_t key, uint64_t value)
{
	struct ebpfnet_map *m;

	ASSERT_OK(ebpfnet_object_map(obj, map, &m, &bench_err), bench_err);
	ck_assert_int_eq(ebpfnet_map_put(m, &key, &value, EBPFNET_MAP_ANY), 0);
}

/* The flows of cost_packet() and of live_send, TCP to 10.77.0.2 port 80. */
struct ebpfnet_object *bench_tables(void)
{
	struct ebpfnet_object *obj = bench_object("bench", NULL, 0);

	for (uint32_t i = 0; i < BENCH_FLOWS; i++)
		fill(obj, "sources", htonl(0x0a000000 + i), 1);
	for (uint32_t i = 0; i < BENCH_FLOWS; i++)
		fill(obj, "destinations", htonl(0x0a4d0000 + i), 7);
	for (uint32_t i = 0; i < BENCH_FLOWS; i++)
		fill(obj, "services", 6 << 16 | i, 7);
	return obj;
}

void bench_open(void)
{
	ebpfnet_error_free(bench_err); /* of a test that failed */
	bench_err = NULL;
	ASSERT_OK(ebpfnet_ctx_new(NULL, &bench_ctx, &bench_err), bench_err);
	bench_tables();
}

void bench_close(void)
{
	while (n_objects)
		ebpfnet_object_close(objects[--n_objects]);
	ebpfnet_ctx_unref(bench_ctx);
	bench_ctx = NULL;
}

struct ebpfnet_program *bench_program(const char *name)
{
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(objects[0], name, &prog, &bench_err), bench_err);
	return prog;
}

int bench_fd(const char *name)
{
	return ebpfnet_program_fd(bench_program(name));
}

struct ebpfnet_object *bench_object(const char *name, const char *const *maps, uint32_t entries)
{
	struct ebpfnet_object *obj;

	ck_assert_uint_lt(n_objects, OBJECTS);
	ASSERT_OK(ebpfnet_object_open_file(bench_ctx, test_object(name), NULL, &obj, &bench_err),
		  bench_err);
	objects[n_objects++] = obj;
	for (; maps && *maps; maps++)
		ASSERT_OK(ebpfnet_object_set_map_entries(obj, *maps, entries, &bench_err),
			  bench_err);
	ASSERT_OK(ebpfnet_object_load(obj, &bench_err), bench_err);
	return obj;
}

int bench_object_fd(struct ebpfnet_object *obj, const char *program)
{
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(obj, program, &prog, &bench_err), bench_err);
	return ebpfnet_program_fd(prog);
}

const struct bench_samples *bench_calibrate(void)
{
	static const struct cost_run run = {
		.family = COST_IP4, .flows = BENCH_FLOWS, .rounds = 41, .packets = 1024
	};
	static struct cost_program program;

	program.ns.n = 0;
	program.fd = bench_fd("xdp_lookup");
	program.empty_fd = bench_fd("xdp_empty");
	ck_assert_int_eq(cost_measure(&run, &program, 1), 0);
	calibration = program.ns;
	bench_set_calibration(bench_quantile(&calibration, 0.5));
	return &calibration;
}
