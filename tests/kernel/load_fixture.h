/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_KERNEL_LOAD_FIXTURE_H
#define EBPFNET_TESTS_KERNEL_LOAD_FIXTURE_H

/* What is loaded, seen from outside of the library; and an object in each of its states. */

#include "helpers.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The programs of load_*.bpf.c, and of nobody else. */
#define LDT_PREFIX "ldt_"

static struct ebpfnet_ctx *ctx;

/* Programs that are counted must be this process's: no second one runs beside it. */
static inline void ldt_start(void)
{
	struct ebpfnet_error *err = NULL;
	int fd = open("/tmp/ebpfnet-test-load.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	test_need_root();
	test_need_bpffs();
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		test_skip("cannot lock /tmp/ebpfnet-test-load.lock");
	if (ebpfnet_ctx_new(NULL, &ctx, &err) < 0) {
		test_print_error(err);
		exit(1);
	}
}

/* The same outside of a test, where nothing can be asserted. */
static inline struct ebpfnet_object *ldt_start_with(const char *name)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;

	ldt_start();
	if (ebpfnet_object_open_file(ctx, test_object(name), NULL, &obj, &err) == 0 &&
	    ebpfnet_object_load(obj, &err) == 0)
		return obj;
	test_print_error(err);
	exit(1);
}

/* How many such programs the kernel has. */
static inline int ldt_loaded_now(void)
{
	uint32_t id = 0;
	int n = 0;

	while (bpf_prog_get_next_id(id, &id) == 0) {
		struct bpf_prog_info info;
		__u32 len = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 &&
		    strncmp(info.name, LDT_PREFIX, strlen(LDT_PREFIX)) == 0)
			n++;
		close(fd);
	}
	return n;
}

/* The kernel lets go of a program a moment after its last user: waits for want, up to 3 s. */
static inline int ldt_loaded(int want)
{
	int n = ldt_loaded_now();

	for (int i = 0; i < 300 && n != want; i++) {
		usleep(10000);
		n = ldt_loaded_now();
	}
	return n;
}

static inline struct ebpfnet_object *ldt_open(const char *name)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;

	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object(name), NULL, &obj, &err), err);
	return obj;
}

static inline struct ebpfnet_object *ldt_load(const char *name)
{
	struct ebpfnet_object *obj = ldt_open(name);
	struct ebpfnet_error *err = NULL;

	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	return obj;
}

static inline struct ebpfnet_program *ldt_program(struct ebpfnet_object *obj, const char *name)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(obj, name, &prog, &err), err);
	return prog;
}

static inline struct ebpfnet_map *ldt_map(struct ebpfnet_object *obj, const char *name)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_map *map;

	ASSERT_OK(ebpfnet_object_map(obj, name, &map, &err), err);
	return map;
}

/* What a program returns for a packet of zeros. */
static inline uint32_t ldt_run(struct ebpfnet_object *obj, const char *name)
{
	struct ebpfnet_error *err = NULL;
	uint8_t packet[64] = { 0 };

	EBPFNET_OPTS(ebpfnet_program_run, run);
	run.data_in = packet;
	run.data_in_size = sizeof(packet);
	ASSERT_OK(ebpfnet_program_run(ldt_program(obj, name), &run, &err), err);
	return run.retval;
}

/* An entry of an array of u64, read without the library. */
static inline uint64_t ldt_value(const struct ebpfnet_map *map, uint32_t slot)
{
	uint64_t value = 0;

	ck_assert_int_eq(bpf_map_lookup_elem(ebpfnet_map_fd(map), &slot, &value), 0);
	return value;
}

#endif /* EBPFNET_TESTS_KERNEL_LOAD_FIXTURE_H */
