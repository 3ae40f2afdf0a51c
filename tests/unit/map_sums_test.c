// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Which bytes of a value are numbers, and what is made of them over the CPUs. */
#include "helpers.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "data/map_sums.h"

/* One of everything that a value may hold; the BTF below describes this very struct. */
struct inner {
	int16_t depth;
	uint8_t kind;
	uint8_t text[5];
};

struct value {
	uint64_t packets;
	int32_t low;
	bool seen;
	int8_t small;
	uint16_t marks[3];
	uint32_t color; /* an enum */
	void *pointer;
	struct inner inner[2];
	union {
		uint64_t whole;
		uint32_t half[2];
	};
	uint64_t last;
};

struct types {
	struct btf *btf;
	int u8, u16, u32, u64, s8, s16, s32, s128, flag, index, value;
};

static int array_of(const struct types *t, int elem, uint32_t n)
{
	return btf__add_array(t->btf, t->index, elem, n);
}

static void add_ints(struct types *t)
{
	t->btf = btf__new_empty();
	ck_assert_ptr_nonnull(t->btf);
	t->u8 = btf__add_int(t->btf, "unsigned char", 1, 0);
	t->u16 = btf__add_int(t->btf, "unsigned short", 2, 0);
	t->u32 = btf__add_int(t->btf, "unsigned int", 4, 0);
	t->u64 = btf__add_int(t->btf, "unsigned long", 8, 0);
	t->s8 = btf__add_int(t->btf, "signed char", 1, BTF_INT_SIGNED);
	t->s16 = btf__add_int(t->btf, "short", 2, BTF_INT_SIGNED);
	t->s32 = btf__add_int(t->btf, "int", 4, BTF_INT_SIGNED);
	t->s128 = btf__add_int(t->btf, "__int128", 16, BTF_INT_SIGNED);
	t->flag = btf__add_int(t->btf, "bool", 1, BTF_INT_BOOL);
	t->index = t->u32;
}

static void field(const struct types *t, const char *name, int type, size_t offset)
{
	ck_assert_int_eq(btf__add_field(t->btf, name, type, (uint32_t)offset * 8, 0), 0);
}

static struct types make_types(void)
{
	struct types t;
	int color, pointer, inner, either, text, marks, half, inners, typed;

	add_ints(&t);
	text = array_of(&t, t.u8, 5);
	marks = array_of(&t, t.u16, 3);
	half = array_of(&t, t.u32, 2);
	color = btf__add_enum(t.btf, "color", 4);
	btf__add_enum_value(t.btf, "RED", 1);
	pointer = btf__add_ptr(t.btf, 0);
	inner = btf__add_struct(t.btf, "inner", sizeof(struct inner));
	field(&t, "depth", t.s16, offsetof(struct inner, depth));
	field(&t, "kind", t.u8, offsetof(struct inner, kind));
	field(&t, "text", text, offsetof(struct inner, text));
	inners = array_of(&t, inner, 2);
	either = btf__add_union(t.btf, NULL, 8);
	field(&t, "whole", t.u64, 0);
	field(&t, "half", half, 0);
	typed = btf__add_typedef(t.btf, "counter_t", btf__add_volatile(t.btf, t.u64));
	t.value = btf__add_struct(t.btf, "value", sizeof(struct value));
	field(&t, "packets", typed, offsetof(struct value, packets));
	field(&t, "low", t.s32, offsetof(struct value, low));
	field(&t, "seen", t.flag, offsetof(struct value, seen));
	field(&t, "small", t.s8, offsetof(struct value, small));
	field(&t, "marks", marks, offsetof(struct value, marks));
	field(&t, "color", color, offsetof(struct value, color));
	field(&t, "pointer", pointer, offsetof(struct value, pointer));
	field(&t, "inner", inners, offsetof(struct value, inner));
	field(&t, NULL, either, offsetof(struct value, whole));
	field(&t, "last", t.u64, offsetof(struct value, last));
	return t;
}

static struct ebpfnet__map_sums *make(const struct types *t, int type, size_t size)
{
	struct ebpfnet__map_sums *sums =
		ebpfnet__map_sums_make(t->btf, (uint32_t)type, (uint32_t)size);

	ck_assert_ptr_nonnull(sums);
	return sums;
}

static const struct value cpus[3] = {
	{
		.packets = UINT64_MAX,
		.low = -4,
		.small = -1,
		.marks = { 1, 2, 65535 },
		.color = 1,
		.pointer = (void *)8,
		.inner = { { -5, 200, "abc" }, { 3, 1, "x" } },
		.whole = 0x100000001,
		.last = 5,
	},
	{
		.packets = 3,
		.low = -9,
		.seen = true,
		.small = -2,
		.marks = { 10, 20, 2 },
		.color = 1,
		.inner = { { -6, 100, "abc" }, { 4, 1, "x" } },
		.whole = 0xffffffff,
		.last = 9,
	},
	{ .low = -1, .small = -3, .inner = { { -7, 0, "" }, { 0, 0, "" } }, .last = 7 },
};

START_TEST(sum_of_everything)
{
	struct types t = make_types();
	struct ebpfnet__map_sums *sums = make(&t, t.value, sizeof(struct value));
	struct value v, want = {
		.packets = 2,
		.low = -14,
		.seen = true,
		.small = -6,
		.marks = { 11, 22, 1 },
		.inner = { { -18, 44, "" }, { 7, 2, "" } },
		.whole = 0x200000000,
		.last = 21,
	};

	memset(&v, 0xaa, sizeof(v));
	ck_assert_int_eq(sums->error, 0);
	ebpfnet__map_sums_reduce(sums, EBPFNET__MAP_SUM, &v, sizeof(v), (const uint8_t *)cpus, 3,
				 sizeof(v));
	ck_assert_mem_eq(&v, &want, sizeof(v));
	free(sums);
	btf__free(t.btf);
}
END_TEST

START_TEST(max_of_everything)
{
	struct types t = make_types();
	struct ebpfnet__map_sums *sums = make(&t, t.value, sizeof(struct value));
	struct value v, want = {
		.packets = UINT64_MAX,
		.low = -1,
		.seen = true,
		.small = -1,
		.marks = { 10, 20, 65535 },
		.inner = { { -5, 200, "" }, { 4, 1, "" } },
		.whole = 0x100000001,
		.last = 9,
	};

	memset(&v, 0xaa, sizeof(v));
	ebpfnet__map_sums_reduce(sums, EBPFNET__MAP_MAX, &v, sizeof(v), (const uint8_t *)cpus, 3,
				 sizeof(v));
	ck_assert_mem_eq(&v, &want, sizeof(v));
	free(sums);
	btf__free(t.btf);
}
END_TEST

/* What comes in a row is one run: the reduction of a long array is one loop. */
START_TEST(runs)
{
	struct types t;
	struct ebpfnet__map_sums *sums;

	add_ints(&t);
	sums = make(&t, array_of(&t, array_of(&t, t.u64, 10), 10), 800);
	ck_assert_uint_eq(sums->count, 1);
	ck_assert_uint_eq(sums->sums[0].count, 100);
	free(sums);
	sums = make(&t, t.s8, 1);
	ck_assert_uint_eq(sums->count, 1);
	ck_assert_uint_eq(sums->sums[0].number, EBPFNET__MAP_SIGNED);
	free(sums);
	btf__free(t.btf);
}
END_TEST

START_TEST(without_btf)
{
	struct ebpfnet__map_sums *sums = ebpfnet__map_sums_make(NULL, 0, 24);

	ck_assert_int_eq(sums->error, 0);
	ck_assert_uint_eq(sums->count, 1);
	ck_assert_uint_eq(sums->sums[0].count, 3);
	ck_assert_uint_eq(sums->sums[0].size, 8);
	free(sums);
	sums = ebpfnet__map_sums_make(NULL, 0, 12);
	ck_assert_int_eq(sums->error, -EINVAL);
	free(sums);
}
END_TEST

static void refused(const struct types *t, int type, size_t size)
{
	struct ebpfnet__map_sums *sums = make(t, type, size);

	ck_assert_int_eq(sums->error, -EINVAL);
	ck_assert_uint_eq(sums->count, 0);
	free(sums);
}

/* No number in it, bit fields, types that lead outside of the value, and a loop. */
START_TEST(refusals)
{
	struct types t;
	int s;

	add_ints(&t);
	refused(&t, array_of(&t, t.u8, 8), 8);
	refused(&t, t.s128, 16);
	refused(&t, btf__add_ptr(t.btf, t.u64), 8);
	refused(&t, t.u64, 4);
	refused(&t, array_of(&t, t.u64, 3), 16);
	refused(&t, 12345, 8);
	s = btf__add_struct(t.btf, "bits", 8);
	ck_assert_int_eq(btf__add_field(t.btf, "b", t.u64, 0, 40), 0);
	refused(&t, s, 8);
	s = btf__add_struct(t.btf, "loop", 8);
	ck_assert_int_eq(btf__add_field(t.btf, "again", s, 0, 0), 0);
	refused(&t, s, 8);
	btf__free(t.btf);
}
END_TEST

TEST_MAIN("map_sums", 10, sum_of_everything, max_of_everything, runs, without_btf, refusals)
