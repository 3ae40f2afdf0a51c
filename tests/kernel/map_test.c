// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Entries of every map type: what one half writes the other half reads; and every refusal. */
#include "map_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct map_key key_a = { .address = 7, .port = 80 };

static void both_ways_by_key(struct fixture *f, const char *map, const char *program)
{
	struct map_value v = { .packets = 100, .bytes = 1000, .low = -5, .name = "c" };
	struct by_key m = fixture_by_key(f, map);

	ck_assert_int_eq(by_key_get(m, &key_a, &v), -ENOENT);
	ck_assert_int_eq(by_key_put(m, &key_a, &v, EBPFNET_MAP_EXIST), -ENOENT);
	ck_assert_int_eq(by_key_put(m, &key_a, &v, EBPFNET_MAP_NOEXIST), 0);
	ck_assert_int_eq(by_key_put(m, &key_a, &v, EBPFNET_MAP_NOEXIST), -EEXIST);
	ck_assert_uint_eq(fixture_add(f, program, key_a, 5), 105);
	ck_assert_int_eq(by_key_get(m, &key_a, &v), 0);
	ck_assert_uint_eq(v.packets, 105);
	ck_assert_uint_eq(v.bytes, 1010);
	ck_assert_uint_eq(v.marks[2], 5);
	ck_assert_int_eq(v.low, -10);
	ck_assert_str_eq((const char *)v.name, "b");
	ck_assert_uint_eq(v.seen.last, 5);
	ck_assert_int_eq(by_key_del(m, &key_a), 0);
	ck_assert_int_eq(by_key_del(m, &key_a), -ENOENT);
	/* The BPF half makes it anew. */
	ck_assert_uint_eq(fixture_add(f, program, key_a, 3), 3);
	ck_assert_int_eq(by_key_get(m, &key_a, &v), 0);
	ck_assert_uint_eq(v.packets, 3);
}

START_TEST(hash_and_lru)
{
	struct fixture f = fixture_load("map_objects");

	both_ways_by_key(&f, "hash", "hash_add");
	both_ways_by_key(&f, "lru", "lru_add");
	fixture_close(&f);
}
END_TEST

START_TEST(array)
{
	struct fixture f = fixture_load("map_objects");
	struct by_index m = fixture_by_index(&f, "array");
	struct map_value v = { .packets = 1, .low = 4 };
	uint32_t i = 999, next;

	ck_assert_int_eq(by_index_put(m, &i, &v, EBPFNET_MAP_ANY), 0);
	ck_assert_uint_eq(fixture_add(&f, "array_add", (struct map_key) { .address = i }, 6), 7);
	ck_assert_int_eq(by_index_get(m, &i, &v), 0);
	ck_assert_uint_eq(v.packets, 7);
	ck_assert_int_eq(v.low, -2);
	ck_assert_int_eq(by_index_put(m, &i, &v, EBPFNET_MAP_NOEXIST), -EEXIST);
	ck_assert_int_eq(by_index_del(m, &i), -EINVAL);
	ck_assert_int_eq(by_index_next(m, &i, &next), -ENOENT);
	i = 1000;
	ck_assert_int_eq(by_index_put(m, &i, &v, EBPFNET_MAP_ANY), -E2BIG);
	ck_assert_int_eq(by_index_get(m, &i, &v), -ENOENT);
	ck_assert_int_eq(by_index_next(m, NULL, &next), 0);
	ck_assert_uint_eq(next, 0);
	ck_assert_int_eq(by_index_next(m, &next, &next), 0);
	ck_assert_uint_eq(next, 1);
	fixture_close(&f);
}
END_TEST

START_TEST(full_hash)
{
	struct fixture f = fixture_load("map_objects");
	struct small m;
	uint32_t key;
	uint64_t v = 1;

	ASSERT_OK(small_bind(fixture_map(&f, "small"), &m, &f.err), f.err);
	for (key = 0; key < 4; key++)
		ck_assert_int_eq(small_put(m, &key, &v, EBPFNET_MAP_ANY), 0);
	ck_assert_int_eq(small_put(m, &key, &v, EBPFNET_MAP_ANY), -E2BIG);
	ck_assert_int_eq(small_get(m, &key, &v), -ENOENT);
	key = 0;
	ck_assert_int_eq(small_put(m, &key, &v, EBPFNET_MAP_ANY), 0);
	ck_assert_int_eq(small_put(m, &key, &v, 1u << 20), -EINVAL);
	fixture_close(&f);
}
END_TEST

/* An LRU hash is never full; what the BPF half keeps using stays, the rest goes without a word. */
START_TEST(lru_evicts)
{
	struct fixture f = fixture_load("map_objects");
	struct by_key m = fixture_by_key(&f, "lru");
	struct map_key key = { .port = 1 };
	struct map_value v = { .packets = 9 };
	uint32_t kept = 0;

	for (key.address = 0; key.address < 5000; key.address++)
		ck_assert_int_eq(by_key_put(m, &key, &v, EBPFNET_MAP_ANY), 0);
	for (key.address = 0; key.address < 5000; key.address++)
		kept += by_key_get(m, &key, &v) == 0;
	ck_assert_msg(kept > 0 && kept <= 1000, "%u kept", kept);
	key.address = 0;
	ck_assert_int_eq(by_key_get(m, &key, &v), -ENOENT);
	key.address = 4999;
	ck_assert_int_eq(by_key_get(m, &key, &v), 0);
	ck_assert_uint_eq(v.packets, 9);
	fixture_close(&f);
}
END_TEST

static void run_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(set), &set), 0);
}

static bool cpu_usable(int cpu)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_ISSET(cpu, &set);
}

static int collect(uint32_t cpu, const void *value, void *data)
{
	struct map_value *values = data;

	memcpy(&values[cpu], value, sizeof(*values));
	return 0;
}

static int stop_at_once(uint32_t cpu, const void *value, void *data)
{
	(void)value;
	++*(int *)data;
	return 77 + (int)cpu;
}

/* The BPF half adds 1 on CPU 0, 2 on CPU 1; C has put 10 and 20 there before. */
static void percpu_both_ways(struct fixture *f, struct ebpfnet_map *map, const void *key,
			     const char *program)
{
	struct map_value values[512] = { { .packets = 10, .low = -3, .seen.first = 7 },
					 { .packets = 20, .low = -9, .seen.first = 8 } };
	struct map_value v, each[512];
	int cpus = ebpfnet_map_cpus(map), calls = 0;
	cpu_set_t before;

	ck_assert_int_ge(cpus, 2);
	ck_assert_int_le(cpus, 512);
	ck_assert_int_eq(ebpfnet_map_put_percpu(map, key, values, 2, EBPFNET_MAP_ANY), 0);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	run_on_cpu(0);
	ck_assert_uint_eq(fixture_add(f, program, (struct map_key) { .address = 7, .port = 80 }, 1),
			  11);
	run_on_cpu(1);
	ck_assert_uint_eq(fixture_add(f, program, (struct map_key) { .address = 7, .port = 80 }, 2),
			  22);
	sched_setaffinity(0, sizeof(before), &before);
	memset(values, 0xff, sizeof(values));
	ck_assert_int_eq(ebpfnet_map_get_percpu(map, key, values, (size_t)cpus - 1), -ENOSPC);
	ck_assert_int_eq(ebpfnet_map_get_percpu(map, key, values, (size_t)cpus), cpus);
	ck_assert_uint_eq(values[0].packets, 11);
	ck_assert_uint_eq(values[1].packets, 22);
	ck_assert_uint_eq(values[1].bytes, 4);
	ck_assert_int_eq(values[1].low, -11);
	for (int i = 2; i < cpus; i++)
		ck_assert_uint_eq(values[i].packets, 0);
	ck_assert_int_eq(ebpfnet_map_each(map, key, collect, each), 0);
	ck_assert_mem_eq(each, values, (size_t)cpus * sizeof(*values));
	ck_assert_int_eq(ebpfnet_map_each(map, key, stop_at_once, &calls), 77);
	ck_assert_int_eq(calls, 1);

	ck_assert_int_eq(ebpfnet_map_sum(map, key, &v), 0);
	ck_assert_uint_eq(v.packets, 33);
	ck_assert_uint_eq(v.bytes, 6);
	ck_assert_uint_eq(v.marks[2], 3);
	ck_assert_int_eq(v.low, -15);
	ck_assert_uint_eq(v.seen.first, 15);
	ck_assert_uint_eq(v.name[0], 0);
	ck_assert_int_eq(ebpfnet_map_max(map, key, &v), 0);
	ck_assert_uint_eq(v.packets, 22);
	ck_assert_int_eq(v.low, cpus > 2 ? 0 : -4);
	ck_assert_uint_eq(v.seen.first, 8);
	ck_assert_uint_eq(v.seen.last, 2);
}

START_TEST(percpu)
{
	struct fixture f = fixture_load("map_objects");
	struct map_value values[512] = { 0 };
	uint32_t i = 7;

	if (!cpu_usable(0) || !cpu_usable(1)) {
		fixture_close(&f);
		test_skip("needs CPUs 0 and 1");
	}
	percpu_both_ways(&f, fixture_by_key(&f, "percpu_hash").map, &key_a, "percpu_hash_add");
	percpu_both_ways(&f, fixture_by_key(&f, "percpu_lru").map, &key_a, "percpu_lru_add");
	percpu_both_ways(&f, fixture_by_index(&f, "percpu_array").map, &i, "percpu_array_add");
	/* All zeros again, without a value given. */
	ck_assert_int_eq(by_key_put_percpu(fixture_by_key(&f, "percpu_hash"), &key_a, NULL, 0, 0),
			 0);
	ck_assert_int_eq(by_key_sum(fixture_by_key(&f, "percpu_hash"), &key_a, values), 0);
	ck_assert_uint_eq(values->packets, 0);
	ck_assert_int_eq(
		by_key_put_percpu(fixture_by_key(&f, "percpu_hash"), &key_a, values, 511, 0),
		ebpfnet_map_cpus(fixture_map(&f, "percpu_hash")) < 511 ? -EINVAL : 0);
	fixture_close(&f);
}
END_TEST

/* 12 bytes a CPU for the caller, 16 in the kernel; 24,000 bytes a CPU do not fit the stack's
 * scratch. */
START_TEST(percpu_sizes)
{
	struct fixture f = fixture_load("map_objects");
	int cpus = ebpfnet_map_cpus(fixture_map(&f, "odd"));
	struct map_odd *in = calloc((size_t)cpus, sizeof(*in)),
		       *out = malloc((size_t)cpus * sizeof(*out));
	struct map_big *big = calloc((size_t)cpus, sizeof(*big));
	struct map_odd sum;
	struct odd odd;
	struct big b;
	uint32_t key = 1;

	ck_assert_uint_eq(sizeof(*in), 12);
	ASSERT_OK(odd_bind(fixture_map(&f, "odd"), &odd, &f.err), f.err);
	ASSERT_OK(big_bind(fixture_map(&f, "big"), &b, &f.err), f.err);
	for (int i = 0; i < cpus; i++) {
		in[i] = (struct map_odd) { 1, 10 + (uint32_t)i, UINT32_MAX };
		big[i].n[2999] = (uint64_t)i + 1;
	}
	ck_assert_int_eq(odd_put_percpu(odd, &key, in, (size_t)cpus, EBPFNET_MAP_NOEXIST), 0);
	ck_assert_int_eq(odd_get_percpu(odd, &key, out, (size_t)cpus), cpus);
	ck_assert_mem_eq(in, out, (size_t)cpus * sizeof(*in));
	ck_assert_int_eq(odd_sum(odd, &key, &sum), 0);
	ck_assert_uint_eq(sum.a, cpus);
	ck_assert_uint_eq(sum.c, (uint32_t)-cpus); /* wraps at 32 bits and does not carry */
	ck_assert_int_eq(big_put_percpu(b, &key, big, (size_t)cpus, EBPFNET_MAP_ANY), 0);
	memset(big, 0, (size_t)cpus * sizeof(*big));
	ck_assert_int_eq(big_get_percpu(b, &key, big, (size_t)cpus), cpus);
	ck_assert_uint_eq(big[cpus - 1].n[2999], cpus);
	ck_assert_int_eq(big_sum(b, &key, big), 0);
	ck_assert_uint_eq(big[0].n[2999], cpus * (cpus + 1) / 2);
	free(in);
	free(out);
	free(big);
	fixture_close(&f);
}
END_TEST

START_TEST(wrong_calls)
{
	struct fixture f = fixture_load("map_objects");
	struct ebpfnet_map *hash = fixture_map(&f, "hash"), *cpus = fixture_map(&f, "percpu_hash");
	struct map_value values[512] = { 0 };
	uint32_t zero = 0;
	uint64_t v = 1;

	ck_assert_int_eq(ebpfnet_map_get(cpus, &key_a, values), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_put(cpus, &key_a, values, 0), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_get_percpu(hash, &key_a, values, 512), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_put_percpu(hash, &key_a, values, 1, 0), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_sum(hash, &key_a, values), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_max(hash, &key_a, values), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_each(hash, &key_a, collect, values), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_cpus(hash), 1);

	ck_assert_int_eq(ebpfnet_map_get(NULL, &key_a, values), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_get(hash, NULL, values), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_get(hash, &key_a, NULL), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_put(hash, &key_a, NULL, 0), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_del(hash, NULL), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_next(hash, NULL, NULL), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_sum(cpus, NULL, values), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_sum(NULL, &key_a, values), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_get_percpu(cpus, &key_a, NULL, 512), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_put_percpu(cpus, &key_a, NULL, 1, 0), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_each(cpus, &key_a, NULL, NULL), -EINVAL);
	ck_assert_int_eq(ebpfnet_map_cpus(NULL), -EINVAL);

	ck_assert_int_eq(ebpfnet_map_sum(cpus, &key_a, values), -ENOENT);
	ck_assert_int_eq(ebpfnet_map_get_percpu(cpus, &key_a, values, 512), -ENOENT);
	ck_assert_int_eq(ebpfnet_map_each(cpus, &key_a, collect, values), -ENOENT);
	ck_assert_int_eq(ebpfnet_map_get(fixture_map(&f, "write_only"), &zero, &v), -EPERM);
	ck_assert_int_eq(ebpfnet_map_put(fixture_map(&f, "write_only"), &zero, &v, 0), 0);
	fixture_close(&f);
}
END_TEST

START_TEST(not_loaded)
{
	struct fixture f = fixture_open("map_objects");
	struct ebpfnet_map *hash = fixture_map(&f, "hash");
	struct ebpfnet_map_iter *it;
	struct map_value v = { 0 };
	struct by_key m;

	ck_assert_int_eq(ebpfnet_map_get(hash, &key_a, &v), -EBADF);
	ck_assert_int_eq(ebpfnet_map_put(hash, &key_a, &v, 0), -EBADF);
	ck_assert_int_eq(ebpfnet_map_del(hash, &key_a), -EBADF);
	ck_assert_int_eq(ebpfnet_map_next(hash, NULL, &v), -EBADF);
	ck_assert_int_eq(ebpfnet_map_sum(hash, &key_a, &v), -EBADF);
	ck_assert_int_eq(ebpfnet_map_cpus(hash), -EBADF);
	ASSERT_FAILS(by_key_bind(hash, &m, &f.err), f.err, -EBADF, EBPFNET_ERROR_INVALID,
		     "not loaded");
	ck_assert_ptr_null(m.map);
	ck_assert_int_eq(by_key_get(m, &key_a, &v), -EINVAL);
	ASSERT_FAILS(ebpfnet_map_iter_new(hash, NULL, &it, &f.err), f.err, -EBADF,
		     EBPFNET_ERROR_INVALID, "not loaded");
	ASSERT_FAILS(by_key_bind(NULL, &m, &f.err), f.err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "there is no map");
	fixture_close(&f);
}
END_TEST

/* A map without BTF is an array of u64 by default; one whose size does not allow that is refused.
 */
START_TEST(without_types)
{
	struct fixture f = fixture_load("map_objects");
	struct ebpfnet_map *map = fixture_map(&f, "untyped");
	int cpus = ebpfnet_map_cpus(map);
	uint64_t *v = calloc((size_t)cpus, 16), sum[2];
	uint8_t key[16] = { 1 };

	for (int i = 0; i < cpus; i++)
		v[2 * i] = v[2 * i + 1] = 1ull << 40;
	ck_assert_int_eq(ebpfnet_map_put_percpu(map, key, v, (size_t)cpus, 0), 0);
	ck_assert_int_eq(ebpfnet_map_sum(map, key, sum), 0);
	ck_assert_uint_eq(sum[0], (uint64_t)cpus << 40);
	ck_assert_uint_eq(sum[1], (uint64_t)cpus << 40);
	free(v);
	fixture_close(&f);
}
END_TEST

/* Capabilities as the kernel takes them: libcap is not needed for one bit. */
static void keep_sys_admin(bool keep)
{
	struct {
		uint32_t version;
		int pid;
	} head = { 0x20080522, 0 };
	struct {
		uint32_t effective, permitted, inheritable;
	} data[2];

	ck_assert_int_eq(syscall(SYS_capget, &head, data), 0);
	data[0].effective = keep ? data[0].permitted : data[0].effective & ~(1u << 21);
	ck_assert_int_eq(syscall(SYS_capset, &head, data), 0);
}

/* Without the right to read BTF: an object's own is enough, an adopted map's layout cannot be
 * proved. */
START_TEST(without_sys_admin)
{
	struct fixture f = fixture_load("map_objects");
	struct ebpfnet_map *own = fixture_map(&f, "percpu_hash"), *adopted, *count;
	struct by_key m;
	uint32_t zero = 0;
	uint64_t sum;

	ASSERT_OK(ebpfnet_map_open_fd(f.ctx, ebpfnet_map_fd(own), &adopted, &f.err), f.err);
	ASSERT_OK(ebpfnet_map_open_fd(f.ctx, ebpfnet_map_fd(fixture_map(&f, "count")), &count,
				      &f.err),
		  f.err);
	keep_sys_admin(false);
	ASSERT_OK(by_key_bind(own, &m, &f.err), f.err);
	ASSERT_FAILS(by_key_bind(adopted, &m, &f.err), f.err, -EPERM, EBPFNET_ERROR_PERMISSION,
		     "CAP_SYS_ADMIN");
	ck_assert_int_eq(ebpfnet_map_sum(count, &zero, &sum), 0);
	keep_sys_admin(true);
	ASSERT_OK(by_key_bind(adopted, &m, &f.err), f.err);
	ebpfnet_map_close(adopted);
	ebpfnet_map_close(count);
	fixture_close(&f);
}
END_TEST

static const struct {
	const char *map, *words;
} stale[] = {
	{ "moved", "value: member `packets` is at offset 8 in the object and 0 here" },
	{ "grown", "value: member `drops` is in the object and not in the list here" },
	{ "shrunk", "value: member `bytes` is here and not in the object" },
	{ "resized", "value: member `other` is in the object and not in the list here" },
	{ "renamed", "the object has `byte`" },
	{ "narrow", "value: member `bytes` has 4 bytes in the object and 8 here" },
	{ "padded", "value: it has 64 bytes in the object and 56 here" },
	{ "bits", "value: member `bytes` is a bit field in the object" },
	{ "deep", "value: member `seen.first` is at offset 48 in the object and 40 here" },
	{ "wide", "key: member `address` has 8 bytes in the object and 4 here" },
	{ "scalar", "value: it is a struct here and none in the object" },
};

/* The test's header against an object of another version, through libbpf's BTF and the kernel's. */
START_TEST(stale_header)
{
	struct fixture f = fixture_load("map_stale");

	for (size_t i = 0; i < sizeof(stale) / sizeof(*stale); i++) {
		struct ebpfnet_map *own = fixture_map(&f, stale[i].map), *adopted;
		struct by_key m = { own };

		ASSERT_FAILS(by_key_bind(own, &m, &f.err), f.err, -EINVAL,
			     EBPFNET_ERROR_INCOMPATIBLE, stale[i].words);
		ck_assert_ptr_null(m.map);
		ASSERT_OK(ebpfnet_map_open_fd(f.ctx, ebpfnet_map_fd(own), &adopted, &f.err), f.err);
		ASSERT_FAILS(by_key_bind(adopted, &m, &f.err), f.err, -EINVAL,
			     EBPFNET_ERROR_INCOMPATIBLE, stale[i].words);
		ebpfnet_map_close(adopted);
	}
	fixture_close(&f);
}
END_TEST

START_TEST(wrong_types)
{
	struct fixture f = fixture_load("map_objects");
	struct by_index by_index;
	struct small small;
	struct big big;

	ASSERT_FAILS(small_bind(fixture_map(&f, "hash"), &small, &f.err), f.err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE,
		     "key: it is struct map_key in the object and not a struct here");
	ASSERT_FAILS(by_index_bind(fixture_map(&f, "big"), &by_index, &f.err), f.err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "value: member `packets` is here");
	ASSERT_FAILS(small_bind(fixture_map(&f, "array"), &small, &f.err), f.err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "value: it is struct map_value in the object");
	/* No BTF: sizes are what is left to compare. */
	ASSERT_FAILS(small_bind(fixture_map(&f, "untyped"), &small, &f.err), f.err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "key: it has 16 bytes in the object and 4 here");
	ASSERT_FAILS(small_bind(fixture_map(&f, "ring"), &small, &f.err), f.err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "key: it has 0 bytes in the object and 4 here");
	ASSERT_OK(big_bind(fixture_map(&f, "big"), &big, &f.err), f.err);
	fixture_close(&f);
}
END_TEST

#define THREADS 4

static pthread_barrier_t all_ready;

static void *first_sum(void *data)
{
	struct map_value v;

	pthread_barrier_wait(&all_ready);
	return (void *)(intptr_t)ebpfnet_map_sum(data, &key_a, &v);
}

/* Whoever sums first makes the list of numbers; the others must neither see half of it nor leak. */
START_TEST(sum_from_threads)
{
	struct fixture f = fixture_load("map_objects");
	struct ebpfnet_map *map = fixture_map(&f, "percpu_hash");
	pthread_t threads[THREADS];
	void *ret;

	ck_assert_int_eq(pthread_barrier_init(&all_ready, NULL, THREADS), 0);
	ck_assert_int_eq(ebpfnet_map_put_percpu(map, &key_a, NULL, 0, 0), 0);
	for (int i = 0; i < 50; i++) {
		struct ebpfnet_map *adopted;

		ASSERT_OK(ebpfnet_map_open_fd(f.ctx, ebpfnet_map_fd(map), &adopted, &f.err), f.err);
		for (int t = 0; t < THREADS; t++)
			ck_assert_int_eq(pthread_create(&threads[t], NULL, first_sum, adopted), 0);
		for (int t = 0; t < THREADS; t++) {
			pthread_join(threads[t], &ret);
			ck_assert_ptr_null(ret);
		}
		ebpfnet_map_close(adopted);
	}
	pthread_barrier_destroy(&all_ready);
	fixture_close(&f);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		hash_and_lru, array,	   full_hash,	     lru_evicts,    percpu,
		percpu_sizes, wrong_calls, not_loaded,	     without_types, without_sys_admin,
		stale_header, wrong_types, sum_from_threads,
	};

	test_need_root();
	return test_run(test_suite("map", tests, sizeof(tests) / sizeof(*tests), 60));
}
