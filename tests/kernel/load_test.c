// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Objects into the kernel: adjusted, shared, checked, refused with the reason, and all or nothing.
 */
#include "load_fixture.h"

#include <linux/bpf.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

START_TEST(a_built_in_block)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;
	int fds = test_open_fds();

	ASSERT_OK(ebpfnet_object_open_builtin(ctx, "counter", NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ck_assert_uint_eq(ldt_run(obj, "counter_xdp"), XDP_PASS);
	ebpfnet_object_close(obj);
	ck_assert_int_eq(test_open_fds(), fds);
}
END_TEST

START_TEST(constants)
{
	struct ebpfnet_error *err = NULL;
	uint64_t wide = (uint64_t)1000 << 32;
	uint32_t answer = 100;
	uint8_t octet = 20;
	struct ebpfnet_object *obj = ldt_load("load_small");

	ck_assert_uint_eq(ldt_run(obj, "ldt_constant"), 10);
	ASSERT_FAILS(ebpfnet_object_set_const(obj, "ldt_answer", &answer, sizeof(answer), &err),
		     err, -EBUSY, EBPFNET_ERROR_BUSY, "is loaded already");
	ebpfnet_object_close(obj);

	obj = ldt_open("load_small");
	ASSERT_OK(ebpfnet_object_set_const(obj, "ldt_answer", &answer, sizeof(answer), &err), err);
	ASSERT_OK(ebpfnet_object_set_const(obj, "ldt_octet", &octet, sizeof(octet), &err), err);
	ASSERT_OK(ebpfnet_object_set_const(obj, "ldt_wide", &wide, sizeof(wide), &err), err);
	ASSERT_FAILS(ebpfnet_object_set_const(obj, "ldt_wide", &wide, 4, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID,
		     "it has 8 bytes in load_small.bpf.o, the given value 4");
	ASSERT_FAILS(ebpfnet_object_set_const(obj, "ldt_octet", &octet, 0, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "it has 1 bytes");
	ASSERT_FAILS(ebpfnet_object_set_const(obj, "ldt_anser", &answer, 4, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "did you mean ldt_answer?");
	ASSERT_FAILS(ebpfnet_object_set_const(obj, "something_else", &answer, 4, &err), err,
		     -ENOENT, EBPFNET_ERROR_NOT_FOUND, "const volatile");
	/* Not a constant, though the name is one of the object's. */
	ASSERT_FAILS(ebpfnet_object_set_const(obj, "LICENSE", "GPL", 4, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "no constant named LICENSE");
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ck_assert_uint_eq(ldt_run(obj, "ldt_constant"), 1120);
	ebpfnet_object_close(obj);
}
END_TEST

static void info_of(const struct ebpfnet_map *map, struct ebpfnet_map_info *info)
{
	struct ebpfnet_error *err = NULL;

	memset(info, 0, sizeof(*info));
	info->sz = sizeof(*info);
	ASSERT_OK(ebpfnet_map_info(map, info, &err), err);
}

START_TEST(entries)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj = ldt_open("load_small");
	struct ebpfnet_map_info info;
	char words[64];
	long page = sysconf(_SC_PAGESIZE);

	ASSERT_OK(ebpfnet_object_set_map_entries(obj, "table", 1000, &err), err);
	ASSERT_FAILS(ebpfnet_object_set_map_entries(obj, "table", 0, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "at least one");
	ASSERT_FAILS(ebpfnet_object_set_map_entries(obj, "tabel", 1, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "did you mean table?");
	ASSERT_FAILS(ebpfnet_object_set_map_entries(obj, "entirely_different", 1, &err), err,
		     -ENOENT, EBPFNET_ERROR_NOT_FOUND, "the first is ");
	snprintf(words, sizeof(words), "%ld is not, %ld would be", 2 * page + 1, 4 * page);
	ASSERT_FAILS(ebpfnet_object_set_map_entries(obj, "ring", (uint32_t)(2 * page + 1), &err),
		     err, -EINVAL, EBPFNET_ERROR_INVALID, words);
	snprintf(words, sizeof(words), "%ld is not, %ld would be", 3 * page, 4 * page);
	ASSERT_FAILS(ebpfnet_object_set_map_entries(obj, "ring", (uint32_t)(3 * page), &err), err,
		     -EINVAL, EBPFNET_ERROR_INVALID, words);
	ASSERT_FAILS(ebpfnet_object_set_map_entries(obj, "ring", 1, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "power of two of pages");
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	info_of(ldt_map(obj, "table"), &info);
	ck_assert_uint_eq(info.max_entries, 1000);
	/* What was refused changed nothing. */
	info_of(ldt_map(obj, "ring"), &info);
	ck_assert_uint_eq(info.max_entries, 4096);
	ASSERT_FAILS(ebpfnet_object_set_map_entries(obj, "table", 5, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, "open the object again");
	ebpfnet_object_close(obj);

	obj = ldt_open("load_small");
	ASSERT_OK(ebpfnet_object_set_map_entries(obj, "ring", (uint32_t)(4 * page), &err), err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	info_of(ldt_map(obj, "ring"), &info);
	ck_assert_uint_eq(info.max_entries, 4 * page);
	ebpfnet_object_close(obj);
}
END_TEST

START_TEST(two_objects_share_a_map)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *small = ldt_load("load_small"), *other = ldt_open("load_other");
	struct ebpfnet_map *map = ldt_map(small, "counts");
	struct ebpfnet_map_info one, two;

	ASSERT_OK(ebpfnet_object_reuse_map(other, "shared", map, &err), err);
	/* It keeps its name in this object, and the other map its own. */
	ASSERT_OK(ebpfnet_object_reuse_map(other, "shared", map, &err), err);
	ASSERT_FAILS(ebpfnet_object_set_map_entries(other, "shared", 9, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, "shared with an existing map");
	ASSERT_OK(ebpfnet_object_set_map_entries(other, "counts", 6, &err), err);
	ASSERT_OK(ebpfnet_object_load(other, &err), err);
	ck_assert_str_eq(ebpfnet_map_name(ldt_map(other, "shared")), "shared");
	info_of(map, &one);
	info_of(ldt_map(other, "shared"), &two);
	ck_assert_uint_eq(one.id, two.id);
	info_of(ldt_map(other, "counts"), &two);
	ck_assert_uint_ne(one.id, two.id);
	ck_assert_uint_eq(two.max_entries, 6);

	ck_assert_uint_eq(ldt_run(small, "ldt_count"), XDP_PASS);
	ck_assert_uint_eq(ldt_run(other, "ldt_add_shared"), 101);
	ck_assert_uint_eq(ldt_run(other, "ldt_add_own"), 10000);
	ck_assert_uint_eq(ldt_value(map, 1), 101);
	/* It lives as long as one of them does. */
	ebpfnet_object_close(small);
	ck_assert_uint_eq(ldt_run(other, "ldt_add_shared"), 201);
	ebpfnet_object_close(other);
}
END_TEST

/* What the second copy of check is given: the shared map, not one of its own. */
START_TEST(check_shares_too)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *small = ldt_load("load_small"), *other = ldt_open("load_other");
	struct ebpfnet_map *map = ldt_map(small, "counts");
	size_t count = 0;

	ASSERT_OK(ebpfnet_object_reuse_map(other, "shared", map, &err), err);
	/* In the place of the other object's own table, a program of it would be refused. */
	ASSERT_OK(ebpfnet_object_reuse_map(other, "shared_table", ldt_map(small, "table"), &err),
		  err);
	ASSERT_OK(ebpfnet_object_check(other, NULL, 0, &count, &err), err);
	ck_assert_uint_eq(count, 3);
	ASSERT_OK(ebpfnet_object_load(other, &err), err);
	ck_assert_uint_eq(ldt_run(other, "ldt_add_shared"), 100);
	ck_assert_uint_eq(ldt_value(map, 1), 100);
	ebpfnet_object_close(other);
	ebpfnet_object_close(small);
}
END_TEST

START_TEST(maps_that_do_not_fit)
{
	static const struct {
		const char *theirs, *ours, *words;
	} cases[] = {
		{ "counts", "other_type", "the type differs: other_type in load_other.bpf.o" },
		{ "table", "other_key", "the key size differs" },
		{ "counts", "other_value", "the value size differs" },
		{ "counts", "other_entries", "the number of entries differs" },
		{ "counts", "other_flags", "flags differ" },
	};
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *small = ldt_load("load_small"), *other = ldt_open("load_other");
	struct ebpfnet_object *unloaded = ldt_open("load_small");

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ASSERT_FAILS(ebpfnet_object_reuse_map(other, cases[i].ours,
						      ldt_map(small, cases[i].theirs), &err),
			     err, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, cases[i].words);
	}
	ASSERT_FAILS(ebpfnet_object_reuse_map(other, "shard", ldt_map(small, "counts"), &err), err,
		     -ENOENT, EBPFNET_ERROR_NOT_FOUND, "did you mean shared?");
	ASSERT_FAILS(ebpfnet_object_reuse_map(other, "shared", ldt_map(unloaded, "counts"), &err),
		     err, -EBADF, EBPFNET_ERROR_INVALID, "not loaded");
	ASSERT_FAILS(ebpfnet_object_reuse_map(small, "counts", ldt_map(small, "counts"), &err), err,
		     -EBUSY, EBPFNET_ERROR_BUSY, "loaded");
	ebpfnet_object_close(unloaded);
	ebpfnet_object_close(other);
	ebpfnet_object_close(small);
}
END_TEST

START_TEST(programs_on_and_off)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj = ldt_open("load_small");
	struct ebpfnet_program *prog;
	int before = ldt_loaded_now();

	ASSERT_OK(ebpfnet_object_set_program_enabled(obj, "ldt_off", true, &err), err);
	ASSERT_OK(ebpfnet_object_set_program_enabled(obj, "ldt_count", false, &err), err);
	ASSERT_FAILS(ebpfnet_object_set_program_enabled(obj, "ldt_of", true, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "did you mean ldt_off?");
	/* Before load everything can be found; nothing has an fd. */
	ck_assert_int_eq(ebpfnet_program_fd(ldt_program(obj, "ldt_count")), -EBADF);
	ck_assert_int_eq(ebpfnet_map_fd(ldt_map(obj, "counts")), -EBADF);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ck_assert_int_eq(ldt_loaded(before + 6), before + 6);
	ck_assert_uint_eq(ldt_run(obj, "ldt_off"), XDP_PASS);
	ASSERT_FAILS(ebpfnet_object_program(obj, "ldt_count", &prog, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "switched off");
	ck_assert_ptr_null(prog);
	ASSERT_FAILS(ebpfnet_object_program(obj, "ldt_ring", &prog, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "ebpfnet_object_set_program_enabled");
	ASSERT_FAILS(ebpfnet_object_program(obj, "ldt_cuont", &prog, &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "did you mean ldt_count?");
	ASSERT_FAILS(ebpfnet_object_set_program_enabled(obj, "ldt_count", true, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, "loaded");
	ebpfnet_object_close(obj);
	ck_assert_int_eq(ldt_loaded(before), before);
}
END_TEST

START_TEST(check_reports)
{
	struct ebpfnet_program_report r[8];
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj = ldt_open("load_small");
	int before = ldt_loaded_now(), fds = test_open_fds();
	uint32_t answer = 50;
	size_t count = 8;

	ASSERT_OK(ebpfnet_object_set_const(obj, "ldt_answer", &answer, sizeof(answer), &err), err);
	memset(r, 0xff, sizeof(r));
	ASSERT_OK(ebpfnet_object_check(obj, r, sizeof(*r), &count, &err), err);
	ck_assert_int_eq(ldt_loaded(before), before);
	ck_assert_int_eq(test_open_fds(), fds);
	ck_assert_uint_eq(count, 6);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(r[i].sz, sizeof(*r));
		ck_assert_int_eq(strncmp(r[i].name, LDT_PREFIX, 4), 0);
		ck_assert_uint_gt(r[i].insns, 0);
		ck_assert_uint_gt(r[i].verified_insns, 0);
		ck_assert_uint_eq(r[i].type,
				  strcmp(r[i].name, "ldt_length") == 0	  ? BPF_PROG_TYPE_SCHED_CLS
				  : strcmp(r[i].name, "ldt_sockops") == 0 ? BPF_PROG_TYPE_SOCK_OPS
									  : BPF_PROG_TYPE_XDP);
		if (test_shell("grep -qx 1 /proc/sys/net/core/bpf_jit_enable") == 0)
			ck_assert_uint_gt(r[i].jited_size, 0);
		/* Arrays of 8 and 4 numbers, in two frames. */
		if (strcmp(r[i].name, "ldt_deep") == 0)
			ck_assert_uint_ge(r[i].stack_depth, 96);
		if (strcmp(r[i].name, "ldt_constant") == 0)
			ck_assert_uint_eq(r[i].stack_depth, 0);
	}

	/* Less room: the first ones, and how many there are; an older caller's shorter elements. */
	memset(r, 0xff, sizeof(r));
	count = 2;
	ASSERT_OK(ebpfnet_object_check(obj, r, sizeof(*r), &count, &err), err);
	ck_assert_uint_eq(count, 6);
	ck_assert_uint_eq(r[1].sz, sizeof(*r));
	ck_assert_uint_eq(r[2].sz, SIZE_MAX);
	count = 1;
	memset(r, 0xff, sizeof(r));
	ASSERT_OK(ebpfnet_object_check(obj, r, sizeof(size_t) + 4, &count, &err), err);
	ck_assert_uint_eq(r[0].sz, sizeof(size_t) + 4);
	ck_assert_int_eq(strncmp(r[0].name, LDT_PREFIX, 4), 0);
	ck_assert_int_eq((unsigned char)r[0].name[4], 0xff);
	count = 1;
	ASSERT_FAILS(ebpfnet_object_check(obj, r, 4, &count, &err), err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "sizeof(*reports)");

	/* Nothing of that changed the object. */
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ck_assert_uint_eq(ldt_run(obj, "ldt_constant"), 53);
	count = 0;
	ASSERT_FAILS(ebpfnet_object_check(obj, NULL, 0, &count, &err), err, -EBUSY,
		     EBPFNET_ERROR_BUSY, "is loaded already");
	ebpfnet_object_close(obj);
}
END_TEST

START_TEST(loading_twice)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj = ldt_load("load_small");

	ASSERT_FAILS(ebpfnet_object_load(obj, &err), err, -EBUSY, EBPFNET_ERROR_BUSY,
		     "load_small.bpf.o is loaded already");
	ck_assert_uint_eq(ldt_run(obj, "ldt_constant"), 10);
	ebpfnet_object_close(obj);
}
END_TEST

/* Loads load_bad with one of its programs on; nothing of it may stay. Returns the error. */
static struct ebpfnet_error *load_bad(const char *program, int want)
{
	struct ebpfnet_error *err = NULL, *again = NULL;
	struct ebpfnet_object *obj = ldt_open("load_bad");
	int before = ldt_loaded_now(), fds = test_open_fds(), ret;

	if (program)
		ASSERT_OK(ebpfnet_object_set_program_enabled(obj, program, true, &err), err);
	else
		ASSERT_OK(ebpfnet_object_set_map_entries(obj, "huge", UINT32_MAX - 1, &err), err);
	ret = ebpfnet_object_load(obj, &err);
	test_print_error(err);
	ck_assert_int_lt(ret, 0);
	ck_assert(want == 0 || ret == want);
	ck_assert_int_eq(ebpfnet_error_code(err), ret);
	ck_assert_int_eq(ldt_loaded(before), before);
	ck_assert_int_eq(test_open_fds(), fds);
	ASSERT_FAILS(ebpfnet_object_load(obj, &again), again, -EBUSY, EBPFNET_ERROR_BUSY,
		     "failed to load before");
	ck_assert_int_eq(ebpfnet_map_fd(ldt_map(obj, "huge")), -EBADF);
	ebpfnet_object_close(obj);
	return err;
}

START_TEST(refused_by_the_verifier)
{
	struct ebpfnet_error *err = load_bad("ldt_beyond", -EACCES);

	ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_VERIFIER);
	ck_assert(test_error_says(err, "load load_bad.bpf.o: verifier: program ldt_beyond: "));
	/* 7.3 says it in a report of several lines. */
	ck_assert(test_error_says(err, "outside of the packet") ||
		  test_error_says(err, "outside of the allowed memory range") ||
		  test_error_says(err, "Access outside bounds"));
	ck_assert_ptr_nonnull(ebpfnet_error_verifier_log(err));
	ck_assert_ptr_nonnull(strstr(ebpfnet_error_verifier_log(err), "processed "));
	ck_assert_ptr_nonnull(ebpfnet_error_libbpf_log(err));
	ebpfnet_error_free(err);
}
END_TEST

START_TEST(an_unknown_helper)
{
	struct ebpfnet_error *err = load_bad("ldt_helper", -EINVAL);

	ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_VERIFIER);
	ck_assert(test_error_says(err, "ldt_helper"));
	ck_assert(test_error_says(err, "99999"));
	ck_assert_ptr_nonnull(ebpfnet_error_verifier_log(err));
	ebpfnet_error_free(err);
}
END_TEST

START_TEST(a_helper_of_another_type)
{
	struct ebpfnet_error *err = load_bad("ldt_no_xdp", 0);

	ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_VERIFIER);
	ck_assert(test_error_says(err, "bpf_skb_pull_data"));
	ebpfnet_error_free(err);
}
END_TEST

START_TEST(a_helper_for_gpl_only)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj = ldt_open("load_closed");

	ck_assert_int_lt(ebpfnet_object_load(obj, &err), 0);
	test_print_error(err);
	ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_VERIFIER);
	ck_assert_ptr_nonnull(ebpfnet_error_hint(err));
	ck_assert_ptr_nonnull(strstr(ebpfnet_error_hint(err), "bpf_trace_printk"));
	ck_assert_ptr_nonnull(strstr(ebpfnet_error_hint(err), "GPL"));
	ebpfnet_error_free(err);
	ebpfnet_object_close(obj);
}
END_TEST

START_TEST(a_map_too_large)
{
	struct ebpfnet_error *err = load_bad(NULL, 0);
	int code = ebpfnet_error_code(err);

	ck_assert_msg(code == -E2BIG || code == -ENOMEM, "%d", code);
	ck_assert(
		test_error_says(err, "map huge (type 2, key 4, value 1048576, entries 4294967294"));
	ck_assert(test_error_says(err, "ebpfnet_object_set_map_entries()"));
	ck_assert_ptr_null(ebpfnet_error_verifier_log(err));
	ebpfnet_error_free(err);
}
END_TEST

/* A kind of map that the kernel refuses for its shape. */
START_TEST(a_map_of_a_wrong_shape)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj = ldt_open("load_small");

	/* Not a power of two of pages, and libbpf cannot round it up. */
	ASSERT_OK(ebpfnet_object_set_map_entries(obj, "ring", UINT32_MAX, &err), err);
	ASSERT_FAILS(ebpfnet_object_load(obj, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "out of its range");
	ebpfnet_object_close(obj);
}
END_TEST

/* Opened as root, loaded as nobody. */
static int load_as_nobody(void *data)
{
	struct ebpfnet_object *obj = data;
	struct ebpfnet_error *err = NULL;
	int ret;

	CHILD_NEEDS(setresgid(65534, 65534, 65534) == 0);
	CHILD_NEEDS(setresuid(65534, 65534, 65534) == 0);
	ret = ebpfnet_object_load(obj, &err);
	test_print_error(err);
	CHILD_NEEDS(ret == -EPERM);
	CHILD_NEEDS(ebpfnet_error_kind(err) == EBPFNET_ERROR_PERMISSION);
	CHILD_NEEDS(ebpfnet_error_hint(err) && strstr(ebpfnet_error_hint(err), "CAP_BPF"));
	/* libbpf's guess, which has been wrong since Linux 5.11. */
	CHILD_NEEDS(!strstr(ebpfnet_error_message(err), "RLIMIT_MEMLOCK"));
	return 0;
}

/* CAP_BPF alone: enough for maps and some programs, and XDP wants CAP_NET_ADMIN too. */
static int load_with_cap_bpf(void *data)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2];
	struct ebpfnet_object *obj = data;
	struct ebpfnet_error *err = NULL;
	int ret;

	memset(caps, 0, sizeof(caps));
	caps[CAP_BPF / 32].effective = caps[CAP_BPF / 32].permitted = 1u << CAP_BPF % 32;
	CHILD_NEEDS(syscall(SYS_capset, &header, caps) == 0);
	ret = ebpfnet_object_load(obj, &err);
	test_print_error(err);
	CHILD_NEEDS(ret == -EPERM);
	CHILD_NEEDS(ebpfnet_error_kind(err) == EBPFNET_ERROR_PERMISSION);
	CHILD_NEEDS(test_error_says(err, "program ldt_"));
	CHILD_NEEDS(ebpfnet_error_hint(err) && strstr(ebpfnet_error_hint(err), "CAP_NET_ADMIN"));
	CHILD_NEEDS(!strstr(ebpfnet_error_message(err), "RLIMIT_MEMLOCK"));
	return 0;
}

static int ask_as_nobody(void *data)
{
	struct ebpfnet_program *prog = NULL;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_map *map = NULL;
	int fd;

	(void)data;
	CHILD_NEEDS(setresuid(65534, 65534, 65534) == 0);
	CHILD_NEEDS(ebpfnet_program_open_id(ctx, 1, &prog, &err) == -EPERM && !prog);
	CHILD_NEEDS(ebpfnet_error_kind(err) == EBPFNET_ERROR_PERMISSION);
	CHILD_NEEDS(test_error_says(err, "CAP_SYS_ADMIN"));
	ebpfnet_error_free(err);
	err = NULL;
	CHILD_NEEDS(ebpfnet_map_open_id(ctx, 1, &map, &err) == -EPERM && !map);
	CHILD_NEEDS(test_error_says(err, "CAP_SYS_ADMIN"));
	ebpfnet_error_free(err);
	err = NULL;
	CHILD_NEEDS(ebpfnet_program_stats_enable(ctx, &fd, &err) == -EPERM && fd == -1);
	CHILD_NEEDS(ebpfnet_error_kind(err) == EBPFNET_ERROR_PERMISSION);
	CHILD_NEEDS(test_error_says(err, "CAP_SYS_ADMIN"));
	ebpfnet_error_free(err);
	return 0;
}

START_TEST(without_privileges)
{
	struct ebpfnet_object *obj = ldt_open("load_small");

	ck_assert_int_eq(test_in_child(load_as_nobody, obj), 0);
	ck_assert_int_eq(test_in_child(load_with_cap_bpf, obj), 0);
	ebpfnet_object_close(obj);
	ck_assert_int_eq(test_in_child(ask_as_nobody, NULL), 0);
}
END_TEST

static int low_fds_closed(void *data)
{
	struct ebpfnet_object *obj = NULL;
	struct ebpfnet_program *prog;
	struct ebpfnet_map *map, *mine;
	uint8_t seen[256] = { 0 };

	(void)data;
	/* Before: those that are not ours. */
	for (int fd = 3; fd < 256; fd++)
		seen[fd] = fcntl(fd, F_GETFD) >= 0;
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	if (ebpfnet_object_open_file(ctx, test_object("load_small"), NULL, &obj, NULL) ||
	    ebpfnet_object_load(obj, NULL) ||
	    ebpfnet_object_program(obj, "ldt_count", &prog, NULL) ||
	    ebpfnet_object_map(obj, "counts", &map, NULL) ||
	    ebpfnet_map_open_fd(ctx, ebpfnet_map_fd(map), &mine, NULL))
		return 2;
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 10 + fd;
	for (int fd = 3; fd < 256; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (!seen[fd] && flags >= 0 && !(flags & FD_CLOEXEC))
			return 20;
	}
	if (ebpfnet_program_fd(prog) < 3 || ebpfnet_map_fd(map) < 3 || ebpfnet_map_fd(mine) < 3)
		return 3;
	ebpfnet_map_close(mine);
	ebpfnet_object_close(obj);
	return 0;
}

START_TEST(descriptors)
{
	ck_assert_int_eq(test_in_child(low_fds_closed, NULL), 0);
}
END_TEST

/* No descriptor left for the log, a map, a program: nothing stays, and nothing crashes. */
static int few_descriptors(void *data)
{
	struct rlimit limit;

	(void)data;
	CHILD_NEEDS(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (rlim_t n = 4; n < 40; n++) {
		struct ebpfnet_object *obj = NULL;
		struct ebpfnet_error *err = NULL;
		struct rlimit few = { n, limit.rlim_max };
		int fds = test_open_fds(), ret;

		CHILD_NEEDS(ebpfnet_object_open_file(ctx, test_object("load_small"), NULL, &obj,
						     &err) == 0);
		CHILD_NEEDS(setrlimit(RLIMIT_NOFILE, &few) == 0);
		ret = ebpfnet_object_load(obj, &err);
		CHILD_NEEDS(setrlimit(RLIMIT_NOFILE, &limit) == 0);
		if (ret && (!err || ebpfnet_error_code(err) != ret))
			return 2;
		ebpfnet_error_free(err);
		ebpfnet_object_close(obj);
		CHILD_NEEDS(test_open_fds() == fds);
	}
	return 0;
}

START_TEST(too_few_descriptors)
{
	int before = ldt_loaded_now();

	ck_assert_int_eq(test_in_child(few_descriptors, NULL), 0);
	ck_assert_int_eq(ldt_loaded(before), before);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_built_in_block,	 constants,	    entries,
		two_objects_share_a_map, check_shares_too,  maps_that_do_not_fit,
		programs_on_and_off,	 check_reports,	    loading_twice,
		refused_by_the_verifier, an_unknown_helper, a_helper_of_another_type,
		a_helper_for_gpl_only,	 a_map_too_large,   a_map_of_a_wrong_shape,
		without_privileges,	 descriptors,	    too_few_descriptors
	};
	int ret;

	ldt_start();
	ret = test_run(test_suite("load", tests, sizeof(tests) / sizeof(*tests), 120));
	ebpfnet_ctx_unref(ctx);
	return ret;
}
