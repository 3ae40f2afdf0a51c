// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Going through maps: every entry once, in batches and key by key, alone and with others writing.
 */
#include "map_fixture.h"

#include <pthread.h>
#include <time.h>

#define ENTRIES_MAX 10000
#define ENTRIES ((uint32_t)(test_quick() ? 2000 : ENTRIES_MAX))

struct seen {
	uint32_t count[2 * ENTRIES_MAX]; /* how often each address was given */
	uint32_t total;
	uint64_t packets;
};

static struct map_key key_of(uint32_t address)
{
	return (struct map_key) { .address = address, .port = (uint16_t)(address * 7) };
}

static void fill(struct by_key m, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct map_key key = key_of(i);
		struct map_value v = { .packets = i };

		ck_assert_int_eq(by_key_put(m, &key, &v, EBPFNET_MAP_ANY), 0);
	}
}

/* Counts what is given; returns how it ended. */
static int go_through(struct by_key m, uint32_t flags, uint32_t batch, struct seen *seen)
{
	struct ebpfnet_error *err = NULL;
	struct by_key_iter it;
	struct map_value v;
	struct map_key key;
	int ret;

	EBPFNET_OPTS(ebpfnet_map_iter_opts, opts);
	opts.flags = flags;
	opts.batch = batch;
	memset(seen, 0, sizeof(*seen));
	ASSERT_OK(by_key_iter_new(m, &opts, &it, &err), err);
	while ((ret = by_key_iter_next(it, &key, &v)) == 1) {
		ck_assert_uint_lt(key.address, 2 * ENTRIES_MAX);
		ck_assert_uint_eq(key.port, key_of(key.address).port);
		seen->count[key.address]++;
		seen->total++;
		seen->packets += v.packets;
	}
	by_key_iter_free(it);
	return ret;
}

START_TEST(batches_and_keys_agree)
{
	static struct seen batched, walked;
	struct fixture f = fixture_load("map_objects");
	struct by_key m = fixture_by_key(&f, "hash");

	ck_assert_int_eq(go_through(m, 0, 0, &batched), 0);
	ck_assert_uint_eq(batched.total, 0);
	ck_assert_int_eq(go_through(m, EBPFNET_MAP_ITER_NO_BATCH, 0, &batched), 0);
	ck_assert_uint_eq(batched.total, 0);
	fill(m, 0, ENTRIES);
	ck_assert_int_eq(go_through(m, EBPFNET_MAP_ITER_NO_BATCH, 0, &walked), 0);
	ck_assert_uint_eq(walked.total, ENTRIES);
	ck_assert_uint_eq(walked.packets, (uint64_t)ENTRIES * (ENTRIES - 1) / 2);
	/* 1: smaller than many buckets, so that it must grow; more than there is; and the default.
	 */
	for (int i = 0; i < 4; i++) {
		static const uint32_t sizes[] = { 1, 100, 1000000, 0 };

		ck_assert_int_eq(go_through(m, 0, sizes[i], &batched), 0);
		ck_assert_mem_eq(&batched, &walked, sizeof(batched));
	}
	for (uint32_t i = 0; i < ENTRIES; i++)
		ck_assert_uint_eq(batched.count[i], 1);
	fixture_close(&f);
}
END_TEST

/* Deleting what was just given: everything is given once, and nothing is left. */
START_TEST(delete_on_the_way)
{
	struct fixture f = fixture_load("map_objects");
	struct by_key m = fixture_by_key(&f, "hash");
	uint32_t flags[] = { 0, EBPFNET_MAP_ITER_NO_BATCH };
	static struct seen seen;

	for (int i = 0; i < 2; i++) {
		struct by_key_iter it;
		struct map_key key;
		uint32_t n = 0;

		EBPFNET_OPTS(ebpfnet_map_iter_opts, opts);
		opts.flags = flags[i];
		fill(m, 0, ENTRIES);
		ASSERT_OK(by_key_iter_new(m, &opts, &it, &f.err), f.err);
		while (by_key_iter_next(it, &key, NULL) == 1) {
			ck_assert_int_eq(by_key_del(m, &key), 0);
			n++;
		}
		ck_assert_int_eq(by_key_iter_next(it, &key, NULL), 0);
		by_key_iter_free(it);
		ck_assert_uint_eq(n, ENTRIES);
		ck_assert_int_eq(go_through(m, 0, 0, &seen), 0);
		ck_assert_uint_eq(seen.total, 0);
	}
	fixture_close(&f);
}
END_TEST

/* Deleting every other key: what stays must not be given again, as when the way starts anew. */
START_TEST(delete_half)
{
	struct fixture f = fixture_load("map_objects");
	struct by_key m = fixture_by_key(&f, "hash");
	uint32_t flags[] = { 0, EBPFNET_MAP_ITER_NO_BATCH };

	for (int i = 0; i < 2; i++) {
		struct by_key_iter it;
		struct map_key key;
		uint32_t n = 0;

		EBPFNET_OPTS(ebpfnet_map_iter_opts, opts);
		opts.flags = flags[i];
		fill(m, 0, ENTRIES);
		ASSERT_OK(by_key_iter_new(m, &opts, &it, &f.err), f.err);
		while (by_key_iter_next(it, &key, NULL) == 1)
			if (n++ % 2)
				ck_assert_int_eq(by_key_del(m, &key), 0);
		by_key_iter_free(it);
		ck_assert_uint_eq(n, ENTRIES);
	}
	fixture_close(&f);
}
END_TEST

#define ORDERED 300

/*
 * Somebody else deletes the key to come, and then the last two given as well: the way goes on
 * behind what is left, in the same order, and gives nothing twice.
 */
START_TEST(next_key_deleted)
{
	struct fixture f = fixture_load("map_objects");
	struct by_key m = fixture_by_key(&f, "hash");
	struct map_key order[ORDERED], key;
	struct by_key_iter it;
	int i;

	EBPFNET_OPTS(ebpfnet_map_iter_opts, opts);
	opts.flags = EBPFNET_MAP_ITER_NO_BATCH;
	fill(m, 0, ORDERED);
	ASSERT_OK(by_key_iter_new(m, &opts, &it, &f.err), f.err);
	for (i = 0; i < ORDERED; i++)
		ck_assert_int_eq(by_key_iter_next(it, &order[i], NULL), 1);
	by_key_iter_free(it);
	ASSERT_OK(by_key_iter_new(m, &opts, &it, &f.err), f.err);
	for (i = 0; i < ORDERED; i++) {
		ck_assert_int_eq(by_key_iter_next(it, &key, NULL), 1);
		ck_assert_mem_eq(&key, &order[i], sizeof(key));
		if (i % 10 != 7 || i + 1 == ORDERED)
			continue;
		ck_assert_int_eq(by_key_del(m, &order[i + 1]), 0);
		if (i % 20 == 7) {
			ck_assert_int_eq(by_key_del(m, &order[i]), 0);
			ck_assert_int_eq(by_key_del(m, &order[i - 1]), 0);
		}
		i++;
	}
	ck_assert_int_eq(by_key_iter_next(it, &key, NULL), 0);
	by_key_iter_free(it);
	fixture_close(&f);
}
END_TEST

#define STABLE 5000
#define CHURNED 4000

struct churn {
	struct by_key m;
	bool overwrite; /* stable keys too */
	bool stop;
	uint32_t rounds;
};

/* Deletes and inserts keys above STABLE as fast as it can; may overwrite those below it. */
static void *churn(void *data)
{
	struct churn *c = data;
	struct map_value v = { .packets = 1 };
	uint32_t seed = 1;

	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		struct map_key key;

		seed = seed * 1664525 + 1013904223;
		key = key_of(STABLE + (seed >> 8) % CHURNED);
		if (by_key_del(c->m, &key))
			by_key_put(c->m, &key, &v, EBPFNET_MAP_ANY);
		key = key_of((seed >> 8) % STABLE);
		if (c->overwrite)
			by_key_put(c->m, &key, &v, EBPFNET_MAP_EXIST);
		__atomic_fetch_add(&c->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static uint32_t start_churn(struct churn *c, pthread_t *thread)
{
	c->stop = false;
	c->rounds = 0;
	ck_assert_int_eq(pthread_create(thread, NULL, churn, c), 0);
	while (__atomic_load_n(&c->rounds, __ATOMIC_RELAXED) < 100)
		sched_yield();
	return 0;
}

static uint32_t stop_churn(struct churn *c, pthread_t thread)
{
	__atomic_store_n(&c->stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return c->rounds;
}

/* The promise of batches: keys that stay are given exactly once, overwritten or not; others at most
 * once. */
START_TEST(batches_under_churn)
{
	struct fixture f = fixture_load("map_objects");
	struct churn c = { .m = fixture_by_key(&f, "hash"), .overwrite = true };
	static struct seen seen;
	pthread_t thread;

	fill(c.m, 0, STABLE);
	start_churn(&c, &thread);
	for (int round = 0; round < (test_quick() ? 4 : 40); round++) {
		ck_assert_int_eq(go_through(c.m, 0, round % 2 ? 16 : 0, &seen), 0);
		for (uint32_t i = 0; i < STABLE; i++)
			ck_assert_msg(seen.count[i] == 1, "key %u given %u times", i,
				      seen.count[i]);
		for (uint32_t i = STABLE; i < STABLE + CHURNED; i++)
			ck_assert_uint_le(seen.count[i], 1);
	}
	ck_assert_uint_gt(stop_churn(&c, thread), 1000);
	fixture_close(&f);
}
END_TEST

/* Key by key it must end, and find what nobody touches; it may give a key twice. */
START_TEST(keys_under_churn)
{
	struct fixture f = fixture_load("map_objects");
	struct churn c = { .m = fixture_by_key(&f, "hash") };
	static struct seen seen;
	uint32_t missed = 0, ended = 0;
	pthread_t thread;

	fill(c.m, 0, STABLE);
	start_churn(&c, &thread);
	for (int round = 0; round < (test_quick() ? 2 : 5); round++) {
		int ret = go_through(c.m, EBPFNET_MAP_ITER_NO_BATCH, 0, &seen);

		ck_assert_msg(ret == 0 || ret == -EAGAIN, "%d", ret);
		ended += ret == 0;
		for (uint32_t i = 0; ret == 0 && i < STABLE; i++)
			missed += seen.count[i] == 0;
	}
	ck_assert_uint_gt(stop_churn(&c, thread), 1000);
	ck_assert_uint_gt(ended, 0);
	ck_assert_uint_eq(missed, 0);
	fixture_close(&f);
}
END_TEST

/* The key to come, and all that were given, disappear: only the first key of all is left to go on
 * from. */
START_TEST(keys_when_all_is_gone)
{
	struct fixture f = fixture_load("map_objects");
	struct by_key m = fixture_by_key(&f, "hash");
	struct by_key_iter it;
	struct map_key key;
	int n = 0;

	EBPFNET_OPTS(ebpfnet_map_iter_opts, opts);
	opts.flags = EBPFNET_MAP_ITER_NO_BATCH;
	fill(m, 0, 500);
	ASSERT_OK(by_key_iter_new(m, &opts, &it, &f.err), f.err);
	ck_assert_int_eq(by_key_iter_next(it, &key, NULL), 1);
	for (uint32_t i = 0; i < 500; i++) {
		key = key_of(i);
		ck_assert_int_eq(by_key_del(m, &key), 0);
	}
	fill(m, 1000, 1010);
	while (by_key_iter_next(it, &key, NULL) == 1)
		n += key.address >= 1000;
	ck_assert_int_eq(n, 10);
	by_key_iter_free(it);
	fixture_close(&f);
}
END_TEST

/* Somebody who deletes and makes keys at every step cannot hold it for ever. */
START_TEST(keys_end_under_sabotage)
{
	struct fixture f = fixture_load("map_objects");
	struct small m;
	struct small_iter it;
	uint32_t key = 0, n = 0;
	uint64_t v = 0;
	int ret;

	EBPFNET_OPTS(ebpfnet_map_iter_opts, opts);
	opts.flags = EBPFNET_MAP_ITER_NO_BATCH;
	ASSERT_OK(small_bind(fixture_map(&f, "small"), &m, &f.err), f.err);
	for (key = 0; key < 2; key++)
		ck_assert_int_eq(small_put(m, &key, &v, 0), 0);
	ASSERT_OK(small_iter_new(m, &opts, &it, &f.err), f.err);
	while ((ret = small_iter_next(it, NULL, &v)) == 1 && n++ < 100000) {
		uint32_t old = key - 2, gone;

		small_del(m, &old);
		for (gone = 0; small_next(m, NULL, &gone) == 0;)
			small_del(m, &gone);
		small_put(m, &key, &v, 0);
		key++;
		small_put(m, &key, &v, 0);
		key++;
	}
	ck_assert_uint_lt(n, 2000);
	ck_assert_msg(ret == 0 || ret == -EAGAIN, "%d", ret);
	ck_assert_int_eq(small_iter_next(it, NULL, &v), ret);
	small_iter_free(it);
	fixture_close(&f);
}
END_TEST

START_TEST(arrays)
{
	struct fixture f = fixture_load("map_objects");
	struct by_index m = fixture_by_index(&f, "array");
	uint32_t flags[] = { 0, EBPFNET_MAP_ITER_NO_BATCH }, index;
	struct map_value v;

	for (index = 0; index < 1000; index++) {
		v = (struct map_value) { .packets = index + 1 };
		ck_assert_int_eq(by_index_put(m, &index, &v, 0), 0);
	}
	for (int i = 0; i < 2; i++) {
		struct by_index_iter it;
		uint32_t n = 0;

		EBPFNET_OPTS(ebpfnet_map_iter_opts, opts);
		opts.flags = flags[i];
		opts.batch = 77;
		ASSERT_OK(by_index_iter_new(m, &opts, &it, &f.err), f.err);
		while (by_index_iter_next(it, &index, &v) == 1) {
			ck_assert_uint_eq(index, n);
			ck_assert_uint_eq(v.packets, n + 1);
			n++;
		}
		ck_assert_uint_eq(n, 1000);
		by_index_iter_free(it);
	}
	fixture_close(&f);
}
END_TEST

/* The kernel has no batches for it and says so; slot 0 is empty, which is not the end. */
START_TEST(without_batches)
{
	struct fixture f = fixture_load("map_objects");
	uint32_t slot = 1, size = 64, n = 0;
	struct queues_iter it;
	struct queues m;

	ASSERT_OK(queues_bind(fixture_map(&f, "queues"), &m, &f.err), f.err);
	ck_assert_int_eq(queues_put(m, &slot, &size, EBPFNET_MAP_ANY), 0);
	ASSERT_OK(queues_iter_new(m, NULL, &it, &f.err), f.err);
	slot = size = 0;
	while (queues_iter_next(it, &slot, &size) == 1)
		n++;
	ck_assert_int_eq(queues_iter_next(it, NULL, NULL), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(slot, 1);
	ck_assert_uint_eq(size, 64);
	queues_iter_free(it);
	fixture_close(&f);
}
END_TEST

/* 12 bytes a CPU and 16 in the kernel: the sum, and each CPU's own, in both ways of reading. */
static void percpu_by(struct fixture *f, struct odd m, uint32_t flags, uint32_t entries)
{
	int cpus = ebpfnet_map_cpus(m.map);
	struct map_odd *v = calloc((size_t)cpus, sizeof(*v));
	struct odd_iter it;
	uint32_t key, n = 0;

	EBPFNET_OPTS(ebpfnet_map_iter_opts, opts);
	opts.flags = flags;
	ASSERT_OK(odd_iter_new(m, &opts, &it, &f->err), f->err);
	while (odd_iter_next(it, &key, v) == 1) {
		n++;
		if (!(flags & EBPFNET_MAP_ITER_PERCPU)) {
			ck_assert_uint_eq(v->a, (uint32_t)cpus * key);
			ck_assert_uint_eq(v->b, (uint32_t)(cpus * (cpus - 1) / 2));
			continue;
		}
		for (int i = 0; i < cpus; i++) {
			ck_assert_uint_eq(v[i].a, key);
			ck_assert_uint_eq(v[i].b, i);
			ck_assert_uint_eq(v[i].c, 9);
		}
	}
	ck_assert_uint_eq(n, entries);
	odd_iter_free(it);
	free(v);
}

START_TEST(percpu)
{
	struct fixture f = fixture_load("map_objects");
	int cpus = ebpfnet_map_cpus(fixture_map(&f, "odd"));
	struct map_odd *v = calloc((size_t)cpus, sizeof(*v));
	struct odd m;

	ASSERT_OK(odd_bind(fixture_map(&f, "odd"), &m, &f.err), f.err);
	for (uint32_t key = 1; key <= 10; key++) {
		for (int i = 0; i < cpus; i++)
			v[i] = (struct map_odd) { key, (uint32_t)i, 9 };
		ck_assert_int_eq(odd_put_percpu(m, &key, v, (size_t)cpus, 0), 0);
	}
	percpu_by(&f, m, 0, 10);
	percpu_by(&f, m, EBPFNET_MAP_ITER_NO_BATCH, 10);
	percpu_by(&f, m, EBPFNET_MAP_ITER_PERCPU, 10);
	percpu_by(&f, m, EBPFNET_MAP_ITER_PERCPU | EBPFNET_MAP_ITER_NO_BATCH, 10);
	free(v);
	fixture_close(&f);
}
END_TEST

START_TEST(percpu_types)
{
	static const char *const maps[] = { "percpu_hash", "percpu_lru" };
	struct fixture f = fixture_load("map_objects");
	struct by_index array = fixture_by_index(&f, "percpu_array");
	struct by_index_iter it;
	struct map_value v = { .packets = 3 };
	uint32_t index, n = 0;
	static struct seen seen;

	for (int i = 0; i < 2; i++) {
		struct by_key m = fixture_by_key(&f, maps[i]);

		for (uint32_t j = 0; j < 100; j++) {
			struct map_key key = key_of(j);

			ck_assert_int_eq(by_key_put_percpu(m, &key, &v, 1, 0), 0);
		}
		ck_assert_int_eq(go_through(m, 0, 0, &seen), 0);
		ck_assert_uint_eq(seen.total, 100);
		ck_assert_uint_eq(seen.packets, 300);
	}
	index = 50;
	ck_assert_int_eq(by_index_put_percpu(array, &index, &v, 1, 0), 0);
	ASSERT_OK(by_index_iter_new(array, NULL, &it, &f.err), f.err);
	while (by_index_iter_next(it, &index, &v) == 1)
		ck_assert_uint_eq(v.packets, n++ == 50 ? 3 : 0);
	ck_assert_uint_eq(n, 100);
	by_index_iter_free(it);
	fixture_close(&f);
}
END_TEST

START_TEST(lru_stays_below_its_size)
{
	struct fixture f = fixture_load("map_objects");
	struct by_key m = fixture_by_key(&f, "lru");
	static struct seen seen;

	fill(m, 0, ENTRIES);
	ck_assert_int_eq(go_through(m, 0, 0, &seen), 0);
	ck_assert_msg(seen.total > 0 && seen.total <= 1000, "%u kept", seen.total);
	ck_assert_uint_eq(seen.count[ENTRIES - 1], 1);
	fixture_close(&f);
}
END_TEST

START_TEST(refusals)
{
	struct fixture f = fixture_load("map_objects");
	struct ebpfnet_map_iter *it;
	uint64_t tail[8] = { sizeof(tail), 0, 0, 1 };

	EBPFNET_OPTS(ebpfnet_map_iter_opts, opts);
	opts.flags = EBPFNET_MAP_ITER_PERCPU;
	ASSERT_FAILS(ebpfnet_map_iter_new(fixture_map(&f, "hash"), &opts, &it, &f.err), f.err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "one value a key");
	ck_assert_ptr_null(it);
	opts.flags = 1u << 9;
	ASSERT_FAILS(ebpfnet_map_iter_new(fixture_map(&f, "hash"), &opts, &it, &f.err), f.err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "unknown flags 0x200");
	ASSERT_FAILS(ebpfnet_map_iter_new(fixture_map(&f, "hash"),
					  (const struct ebpfnet_map_iter_opts *)(void *)tail, &it,
					  &f.err),
		     f.err, -E2BIG, EBPFNET_ERROR_INVALID, "newer libebpfnet");
	ASSERT_FAILS(ebpfnet_map_iter_new(NULL, NULL, &it, &f.err), f.err, -EINVAL,
		     EBPFNET_ERROR_INVALID, "there is no map");
	ASSERT_FAILS(ebpfnet_map_iter_new(fixture_map(&f, "ring"), NULL, &it, &f.err), f.err,
		     -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "no keys");
	ASSERT_FAILS(ebpfnet_map_iter_new(fixture_map(&f, "write_only"), NULL, &it, &f.err), f.err,
		     -EPERM, EBPFNET_ERROR_PERMISSION, "");
	ck_assert_int_eq(ebpfnet_map_iter_next(NULL, NULL, NULL), -EINVAL);
	ebpfnet_map_iter_free(NULL);
	fixture_close(&f);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		batches_and_keys_agree,
		delete_on_the_way,
		batches_under_churn,
		keys_under_churn,
		keys_when_all_is_gone,
		delete_half,
		next_key_deleted,
		keys_end_under_sabotage,
		arrays,
		without_batches,
		percpu,
		percpu_types,
		lru_stays_below_its_size,
		refusals,
	};

	test_need_root();
	return test_run(test_suite("map_iter", tests, sizeof(tests) / sizeof(*tests), 120));
}
