// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* A loaded program or map in hand: run, counted, described, dumped, and adopted by fd and id. */
#include "load_fixture.h"

#include <linux/bpf.h>

static struct ebpfnet_object *obj;

START_TEST(run_xdp)
{
	struct ebpfnet_program *prog = ldt_program(obj, "ldt_grow");
	struct ebpfnet_error *err = NULL;
	uint8_t in[64], out[128];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	memset(out, 0xff, sizeof(out));
	EBPFNET_OPTS(ebpfnet_program_run, run);
	run.data_in = in;
	run.data_in_size = sizeof(in);
	run.data_out = out;
	run.data_out_size = sizeof(out);
	ASSERT_OK(ebpfnet_program_run(prog, &run, &err), err);
	ck_assert_uint_eq(run.retval, XDP_TX);
	ck_assert_uint_eq(run.data_out_size, sizeof(in) + 16);
	ck_assert_int_eq(memcmp(in, out, sizeof(in)), 0);
	for (size_t i = 0; i < 16; i++)
		ck_assert_uint_eq(out[sizeof(in) + i], 0);
	ck_assert_uint_eq(out[sizeof(in) + 16], 0xff);

	/* Too small: what fits, and how large it must be. */
	run.data_out_size = sizeof(in);
	memset(out, 0xff, sizeof(out));
	ASSERT_FAILS(ebpfnet_program_run(prog, &run, &err), err, -ENOSPC, EBPFNET_ERROR_INVALID,
		     "the packet has 80 bytes afterwards");
	ck_assert_uint_eq(run.data_out_size, sizeof(in) + 16);
	ck_assert_uint_eq(out[sizeof(in)], 0xff);
	ASSERT_OK(ebpfnet_program_run(prog, &run, &err), err);

	/* Not wanted: the size is told all the same. */
	run.data_out = NULL;
	run.data_out_size = 5;
	ASSERT_OK(ebpfnet_program_run(prog, &run, &err), err);
	ck_assert_uint_eq(run.retval, XDP_TX);
	ck_assert_uint_eq(run.data_out_size, sizeof(in) + 16);

	/* Less than an Ethernet header: 5.10 runs it, later kernels do not; ours is their answer. */
	LIBBPF_OPTS(bpf_test_run_opts, raw, .data_in = in, .data_size_in = 13);
	run.data_in_size = 13;
	if (bpf_prog_test_run_opts(ebpfnet_program_fd(prog), &raw) == 0)
		ASSERT_OK(ebpfnet_program_run(prog, &run, &err), err);
	else
		ASSERT_FAILS(ebpfnet_program_run(prog, &run, &err), err, -EINVAL,
			     EBPFNET_ERROR_INVALID, "13 bytes of packet");
	run.data_in_size = 14;
	ASSERT_OK(ebpfnet_program_run(prog, &run, &err), err);
}
END_TEST

START_TEST(run_tc)
{
	struct ebpfnet_program *prog = ldt_program(obj, "ldt_length");
	struct ebpfnet_error *err = NULL;
	struct __sk_buff in, out;
	uint8_t packet[100] = { 0 };

	memset(&in, 0, sizeof(in));
	memset(&out, 0, sizeof(out));
	in.mark = 7;
	EBPFNET_OPTS(ebpfnet_program_run, run);
	run.data_in = packet;
	run.data_in_size = sizeof(packet);
	run.ctx_in = &in;
	run.ctx_in_size = sizeof(in);
	run.ctx_out = &out;
	run.ctx_out_size = sizeof(out);
	ASSERT_OK(ebpfnet_program_run(prog, &run, &err), err);
	ck_assert_uint_eq(run.retval, sizeof(packet));
	ck_assert_uint_eq(out.mark, 42);
	ck_assert_uint_gt(run.ctx_out_size, 0);

	run.ctx_out_size = 4;
	ASSERT_FAILS(ebpfnet_program_run(prog, &run, &err), err, -ENOSPC, EBPFNET_ERROR_INVALID,
		     "more than ctx_out holds");
	ck_assert_uint_gt(run.ctx_out_size, 4);

	/* A field that the kernel does not take. */
	in.len = 5;
	run.ctx_out = NULL;
	ASSERT_FAILS(ebpfnet_program_run(prog, &run, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "must be zero");
}
END_TEST

START_TEST(what_cannot_run)
{
	struct {
		struct ebpfnet_program_run known;
		uint64_t newer;
	} newer;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *unloaded = ldt_open("load_small");
	uint8_t packet[64] = { 0 };

	memset(&newer, 0, sizeof(newer));
	newer.known.sz = sizeof(newer);
	newer.known.data_in = packet;
	newer.known.data_in_size = sizeof(packet);
	ASSERT_OK(ebpfnet_program_run(ldt_program(obj, "ldt_constant"), &newer.known, &err), err);
	ck_assert_uint_eq(newer.known.retval, 10);
	ck_assert_uint_eq(newer.known.sz, sizeof(newer));
	ASSERT_FAILS(ebpfnet_program_run(ldt_program(obj, "ldt_sockops"), &newer.known, &err), err,
		     -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "no test run for this program type");
	ASSERT_FAILS(ebpfnet_program_run(ldt_program(unloaded, "ldt_count"), &newer.known, &err),
		     err, -EBADF, EBPFNET_ERROR_INVALID, "it is not loaded");
	newer.known.flags = 1u << 30;
	ASSERT_FAILS(ebpfnet_program_run(ldt_program(obj, "ldt_count"), &newer.known, &err), err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "must be 0");
	newer.known.flags = 0;
	newer.newer = 1;
	ASSERT_FAILS(ebpfnet_program_run(ldt_program(obj, "ldt_count"), &newer.known, &err), err,
		     -E2BIG, EBPFNET_ERROR_INVALID, "newer libebpfnet");
	/* An older caller has no room for what came later. */
	newer.newer = 0;
	newer.known.sz = offsetof(struct ebpfnet_program_run, retval);
	newer.known.retval = 0x5a5a5a5a;
	ASSERT_OK(ebpfnet_program_run(ldt_program(obj, "ldt_count"), &newer.known, &err), err);
	ck_assert_uint_eq(newer.known.retval, 0x5a5a5a5a);
	ebpfnet_object_close(unloaded);
}
END_TEST

START_TEST(statistics)
{
	struct ebpfnet_program *prog = ldt_program(obj, "ldt_deep");
	struct ebpfnet_program_stats before = { .sz = sizeof(before) }, after = before;
	struct ebpfnet_error *err = NULL;
	uint8_t packet[64] = { 0 };
	int fd;

	ASSERT_OK(ebpfnet_program_stats_enable(ctx, &fd, &err), err);
	ck_assert_int_gt(fd, 2);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ASSERT_OK(ebpfnet_program_stats(prog, &before, &err), err);
	for (int i = 0; i < 1000; i++)
		ldt_run(obj, "ldt_deep");
	ASSERT_OK(ebpfnet_program_stats(prog, &after, &err), err);
	ck_assert_uint_eq(after.run_count - before.run_count, 1000);
	ck_assert_uint_gt(after.run_time_ns, before.run_time_ns);
	ck_assert_uint_eq(after.recursion_misses, 0);
	EBPFNET_OPTS(ebpfnet_program_run, run);
	run.data_in = packet;
	run.data_in_size = sizeof(packet);
	run.repeat = 77;
	ASSERT_OK(ebpfnet_program_run(prog, &run, &err), err);
	ASSERT_OK(ebpfnet_program_stats(prog, &after, &err), err);
	ck_assert_uint_eq(after.run_count - before.run_count, 1077);
	ck_assert_int_eq(close(fd), 0);
	after.sz = 3;
	ASSERT_FAILS(ebpfnet_program_stats(prog, &after, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "sz is not set");
}
END_TEST

START_TEST(program_info)
{
	struct ebpfnet_program *prog = ldt_program(obj, "ldt_count");
	struct ebpfnet_program_info info = { .sz = sizeof(info) };
	struct ebpfnet_object *unloaded = ldt_open("load_small");
	struct ebpfnet_error *err = NULL;
	struct bpf_prog_info want;
	__u32 len = sizeof(want);

	memset(&want, 0, sizeof(want));
	ck_assert_int_eq(bpf_obj_get_info_by_fd(ebpfnet_program_fd(prog), &want, &len), 0);
	ASSERT_OK(ebpfnet_program_info(prog, &info, &err), err);
	ck_assert_str_eq(info.name, "ldt_count");
	ck_assert_str_eq(ebpfnet_program_name(prog), "ldt_count");
	ck_assert_uint_eq(info.id, want.id);
	ck_assert_uint_eq(info.type, BPF_PROG_TYPE_XDP);
	ck_assert_uint_eq(info.attach_type, BPF_XDP);
	ck_assert_uint_eq(info.insns, want.xlated_prog_len / 8);
	ck_assert_uint_eq(info.verified_insns, want.verified_insns);
	ck_assert_uint_eq(info.jited_size, want.jited_prog_len);
	ck_assert_uint_eq(info.gpl, 1);
	ck_assert_uint_eq(info.map_count, want.nr_map_ids);
	ck_assert_uint_ge(info.map_count, 1);
	ck_assert_uint_eq(info.load_time_ns, want.load_time);
	ck_assert_int_eq(memcmp(info.tag, want.tag, sizeof(info.tag)), 0);
	info.sz = 0;
	ASSERT_FAILS(ebpfnet_program_info(prog, &info, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "sz is not set");
	info.sz = sizeof(info);
	ASSERT_FAILS(ebpfnet_program_info(ldt_program(unloaded, "ldt_count"), &info, &err), err,
		     -EBADF, EBPFNET_ERROR_INVALID, "it is not loaded");
	ebpfnet_object_close(unloaded);
}
END_TEST

static void dump_is_complete(const struct ebpfnet_program *prog, uint32_t kind, size_t want)
{
	struct ebpfnet_error *err = NULL;
	size_t size = 0;
	uint8_t *code;

	ASSERT_OK(ebpfnet_program_dump(prog, kind, NULL, &size, &err), err);
	ck_assert_uint_eq(size, want);
	code = malloc(want + 8);
	memset(code, 0xa5, want + 8);
	/* One byte short: the size only. */
	size = want - 1;
	ASSERT_OK(ebpfnet_program_dump(prog, kind, code, &size, &err), err);
	ck_assert_uint_eq(size, want);
	for (size_t i = 0; i < want + 8; i++)
		ck_assert_uint_eq(code[i], 0xa5);
	size = want + 8;
	ASSERT_OK(ebpfnet_program_dump(prog, kind, code, &size, &err), err);
	ck_assert_uint_eq(size, want);
	ck_assert_uint_eq(code[want], 0xa5);
	/* The last instruction is exit. */
	if (kind == EBPFNET_DUMP_TRANSLATED)
		ck_assert_uint_eq(code[want - 8], BPF_JMP | BPF_EXIT);
	free(code);
}

START_TEST(dump)
{
	struct ebpfnet_program *prog = ldt_program(obj, "ldt_count");
	struct ebpfnet_object *unloaded = ldt_open("load_small");
	struct ebpfnet_error *err = NULL;
	struct bpf_prog_info want;
	__u32 len = sizeof(want);
	size_t size = 0;

	memset(&want, 0, sizeof(want));
	ck_assert_int_eq(bpf_obj_get_info_by_fd(ebpfnet_program_fd(prog), &want, &len), 0);
	dump_is_complete(prog, EBPFNET_DUMP_TRANSLATED, want.xlated_prog_len);
	if (want.jited_prog_len)
		dump_is_complete(prog, EBPFNET_DUMP_JITED, want.jited_prog_len);
	else
		ASSERT_FAILS(ebpfnet_program_dump(prog, EBPFNET_DUMP_JITED, NULL, &size, &err), err,
			     -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "bpf_jit_enable");
	for (uint32_t kind = 0; kind < 5; kind++) {
		if (kind == EBPFNET_DUMP_TRANSLATED || kind == EBPFNET_DUMP_JITED)
			continue;
		ASSERT_FAILS(ebpfnet_program_dump(prog, kind, NULL, &size, &err), err, -EINVAL,
			     EBPFNET_ERROR_INVALID, "unknown kind");
	}
	ASSERT_FAILS(ebpfnet_program_dump(ldt_program(unloaded, "ldt_count"),
					  EBPFNET_DUMP_TRANSLATED, NULL, &size, &err),
		     err, -EBADF, EBPFNET_ERROR_INVALID, "it is not loaded");
	ebpfnet_object_close(unloaded);
}
END_TEST

/* Who may hold a program is not yet allowed to see its code: not "no JIT". */
static int dump_as_nobody(void *data)
{
	struct ebpfnet_program *prog = data;
	struct ebpfnet_error *err = NULL;
	size_t size = 0;

	CHILD_NEEDS(setresuid(65534, 65534, 65534) == 0);
	for (uint32_t kind = EBPFNET_DUMP_TRANSLATED; kind <= EBPFNET_DUMP_JITED; kind++) {
		int ret = ebpfnet_program_dump(prog, kind, NULL, &size, &err);

		if (ret != -EPERM)
			printf("kind %u: %d: %s\n", kind, ret, ebpfnet_error_message(err));
		CHILD_NEEDS(ret == -EPERM);
		CHILD_NEEDS(ebpfnet_error_kind(err) == EBPFNET_ERROR_PERMISSION);
		CHILD_NEEDS(test_error_says(err, "CAP_SYS_ADMIN"));
		ebpfnet_error_free(err);
		err = NULL;
	}
	return 0;
}

START_TEST(dump_without_privileges)
{
	ck_assert_int_eq(test_in_child(dump_as_nobody, ldt_program(obj, "ldt_count")), 0);
}
END_TEST

START_TEST(adopted_programs)
{
	struct ebpfnet_program *prog = ldt_program(obj, "ldt_constant"), *mine = (void *)1;
	struct ebpfnet_program_info info = { .sz = sizeof(info) };
	struct ebpfnet_error *err = NULL;
	int fds = test_open_fds(), null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ASSERT_OK(ebpfnet_program_info(prog, &info, &err), err);
	ASSERT_OK(ebpfnet_program_open_fd(ctx, ebpfnet_program_fd(prog), &mine, &err), err);
	ck_assert_int_ne(ebpfnet_program_fd(mine), ebpfnet_program_fd(prog));
	ck_assert_str_eq(ebpfnet_program_name(mine), "ldt_constant");
	ebpfnet_program_close(mine);
	/* What is borrowed is not closed. */
	ebpfnet_program_close(prog);
	ebpfnet_program_close(NULL);
	ck_assert_uint_eq(ldt_run(obj, "ldt_constant"), 10);

	ASSERT_OK(ebpfnet_program_open_id(ctx, info.id, &mine, &err), err);
	memset(info.tag, 0, sizeof(info.tag));
	ASSERT_OK(ebpfnet_program_info(mine, &info, &err), err);
	ck_assert_str_eq(info.name, "ldt_constant");
	ebpfnet_program_close(mine);

	ASSERT_FAILS(ebpfnet_program_open_id(ctx, UINT32_MAX, &mine, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "open program 4294967295");
	ck_assert_ptr_null(mine);
	ASSERT_FAILS(ebpfnet_program_open_fd(ctx, -1, &mine, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "fd -1");
	ck_assert_ptr_null(mine);
	ASSERT_FAILS(
		ebpfnet_program_open_fd(ctx, ebpfnet_map_fd(ldt_map(obj, "counts")), &mine, &err),
		err, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "it is a map, not a program");
	ck_assert_ptr_null(mine);
	ASSERT_FAILS(ebpfnet_program_open_fd(ctx, null, &mine, &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "it is something else, not a program");
	close(null);
	ck_assert_int_eq(test_open_fds(), fds);
}
END_TEST

START_TEST(adopted_maps)
{
	struct ebpfnet_map *map = ldt_map(obj, "table"), *mine = (void *)1;
	struct ebpfnet_map_info info = { .sz = sizeof(info) };
	struct ebpfnet_error *err = NULL;
	int fds = test_open_fds();

	ASSERT_OK(ebpfnet_map_info(map, &info, &err), err);
	ck_assert_str_eq(info.name, "table");
	ck_assert_str_eq(ebpfnet_map_name(map), "table");
	ck_assert_uint_eq(info.type, BPF_MAP_TYPE_HASH);
	ck_assert_uint_eq(info.key_size, 4);
	ck_assert_uint_eq(info.value_size, 8);
	ck_assert_uint_eq(info.max_entries, 16);
	ck_assert_uint_eq(info.flags, 0);
	ck_assert_uint_eq(info.frozen, 0);
	ASSERT_OK(ebpfnet_map_open_fd(ctx, ebpfnet_map_fd(map), &mine, &err), err);
	ck_assert_int_ne(ebpfnet_map_fd(mine), ebpfnet_map_fd(map));
	ebpfnet_map_close(mine);
	ebpfnet_map_close(map);
	ebpfnet_map_close(NULL);
	ASSERT_OK(ebpfnet_map_open_id(ctx, info.id, &mine, &err), err);
	ck_assert_str_eq(ebpfnet_map_name(mine), "table");
	info.sz = sizeof(size_t) - 1;
	ASSERT_FAILS(ebpfnet_map_info(mine, &info, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "sz is not set");
	ebpfnet_map_close(mine);
	ASSERT_FAILS(ebpfnet_map_open_id(ctx, UINT32_MAX, &mine, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "open map 4294967295");
	ck_assert_ptr_null(mine);
	ASSERT_FAILS(ebpfnet_map_open_fd(ctx, 9999, &mine, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "fd 9999");
	ASSERT_FAILS(ebpfnet_map_open_fd(ctx, ebpfnet_program_fd(ldt_program(obj, "ldt_count")),
					 &mine, &err),
		     err, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "it is a program, not a map");
	ck_assert_ptr_null(mine);
	ck_assert_int_eq(test_open_fds(), fds);
}
END_TEST

/* libbpf freezes the constants; what user space freezes afterwards is seen too. */
START_TEST(frozen_maps)
{
	struct ebpfnet_object *own = ldt_load("load_small");
	struct ebpfnet_map_info info = { .sz = sizeof(info) };
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_map *counts = ldt_map(own, "counts");

	ASSERT_OK(ebpfnet_map_info(ldt_map(own, "load_sma.rodata"), &info, &err), err);
	ck_assert_uint_eq(info.frozen, 1);
	ASSERT_OK(ebpfnet_map_info(counts, &info, &err), err);
	ck_assert_uint_eq(info.frozen, 0);
	ck_assert_int_eq(bpf_map_freeze(ebpfnet_map_fd(counts)), 0);
	ASSERT_OK(ebpfnet_map_info(counts, &info, &err), err);
	ck_assert_uint_eq(info.frozen, 1);
	ebpfnet_object_close(own);
	own = ldt_open("load_small");
	ASSERT_FAILS(ebpfnet_map_info(ldt_map(own, "counts"), &info, &err), err, -EBADF,
		     EBPFNET_ERROR_INVALID, "it is not loaded");
	ebpfnet_object_close(own);
}
END_TEST

/* A program in hand keeps it loaded when its object is gone. */
START_TEST(outlives_its_object)
{
	struct ebpfnet_object *own = ldt_load("load_other");
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_program *mine;
	uint8_t packet[64] = { 0 };
	int before;

	ASSERT_OK(ebpfnet_program_open_fd(ctx, ebpfnet_program_fd(ldt_program(own, "ldt_add_own")),
					  &mine, &err),
		  err);
	before = ldt_loaded_now();
	ebpfnet_object_close(own);
	ck_assert_int_eq(ldt_loaded(before - 2), before - 2);
	EBPFNET_OPTS(ebpfnet_program_run, run);
	run.data_in = packet;
	run.data_in_size = sizeof(packet);
	ASSERT_OK(ebpfnet_program_run(mine, &run, &err), err);
	ck_assert_uint_eq(run.retval, 10000);
	ebpfnet_program_close(mine);
	ck_assert_int_eq(ldt_loaded(before - 3), before - 3);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		run_xdp,      run_tc,	   what_cannot_run,	    statistics,
		program_info, dump,	   dump_without_privileges, adopted_programs,
		adopted_maps, frozen_maps, outlives_its_object
	};
	int ret;

	obj = ldt_start_with("load_small");
	ret = test_run(test_suite("program", tests, sizeof(tests) / sizeof(*tests), 120));
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	return ret;
}
