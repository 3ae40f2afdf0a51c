// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* A C program's members against BTF: every way in which they can differ, and the words for it. */
#include "helpers.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "data/map_leaves.h"
#include "data/map_members.h"
#include "data/map_types.h"

struct point {
	uint32_t x, y;
};

struct shape {
	uint64_t id;
	struct point at;
	struct point corner[3];
	struct point grid[2][2];
	union {
		uint32_t v4;
		uint8_t v6[16];
	};
	char name[8];
	uint32_t last;
};

/* As EBPFNET_MAP_DEFINE lists them. */
static const struct ebpfnet_map_member shape_members[] = { EBPFNET__MEMBERS(
	struct shape, (id, at.x, at.y, corner[0].x, corner[0].y, grid[0][0].x, grid[0][0].y, v4, v6,
		       name, last)) { NULL, 0, 0, 0, 0 } };

struct types {
	struct btf *btf;
	int u8, u32, u64, point, either;
};

static void field(struct btf *btf, const char *name, int type, size_t offset)
{
	ck_assert_int_eq(btf__add_field(btf, name, type, (uint32_t)offset * 8, 0), 0);
}

static struct types make_types(void)
{
	struct types t = { .btf = btf__new_empty() };
	int bytes;

	t.u8 = btf__add_int(t.btf, "unsigned char", 1, 0);
	t.u32 = btf__add_int(t.btf, "unsigned int", 4, 0);
	t.u64 = btf__add_int(t.btf, "unsigned long", 8, 0);
	bytes = btf__add_array(t.btf, t.u32, t.u8, 16);
	t.point = btf__add_struct(t.btf, "point", sizeof(struct point));
	field(t.btf, "x", t.u32, 0);
	field(t.btf, "y", t.u32, 4);
	t.either = btf__add_union(t.btf, NULL, 16);
	field(t.btf, "v4", t.u32, 0);
	field(t.btf, "v6", bytes, 0);
	return t;
}

/* struct shape as a compiler would describe it. */
static int make_shape(const struct types *t)
{
	int corners = btf__add_array(t->btf, t->u32, t->point, 3);
	int row = btf__add_array(t->btf, t->u32, t->point, 2);
	int grid = btf__add_array(t->btf, t->u32, row, 2);
	int name = btf__add_array(t->btf, t->u32, t->u8, 8);
	int at = btf__add_typedef(t->btf, "point_t", btf__add_const(t->btf, t->point));
	int empty = btf__add_array(t->btf, t->u32, t->u8, 0);
	int shape = btf__add_struct(t->btf, "shape", sizeof(struct shape));

	field(t->btf, "id", t->u64, offsetof(struct shape, id));
	field(t->btf, "at", at, offsetof(struct shape, at));
	field(t->btf, "corner", corners, offsetof(struct shape, corner));
	field(t->btf, "grid", grid, offsetof(struct shape, grid));
	field(t->btf, NULL, t->either, offsetof(struct shape, v4));
	field(t->btf, "name", name, offsetof(struct shape, name));
	field(t->btf, "last", t->u32, offsetof(struct shape, last));
	field(t->btf, "rest", empty, sizeof(struct shape));
	return shape;
}

static const char *const leaf_names[] = {
	"id",		"at.x", "at.y", "corner[0].x", "corner[0].y", "grid[0][0].x",
	"grid[0][0].y", "v4",	"v6",	"name",	       "last",
};

START_TEST(leaves)
{
	CLEANUP(map_leaves) struct ebpfnet__map_leaves l = { 0 };
	struct types t = make_types();
	int shape = make_shape(&t);

	ck_assert_int_eq(ebpfnet__map_leaves_list(t.btf, (uint32_t)shape, &l), 0);
	ck_assert_uint_eq(l.count, EBPFNET__ARRAY_SIZE(leaf_names));
	for (size_t i = 0; i < l.count; i++)
		ck_assert_str_eq(l.leaves[i].name, leaf_names[i]);
	ck_assert_uint_eq(ebpfnet__map_leaves_find(&l, "v6")->size, 16);
	ck_assert_uint_eq(ebpfnet__map_leaves_find(&l, "name")->offset,
			  offsetof(struct shape, name));
	ck_assert_ptr_null(ebpfnet__map_leaves_find(&l, "at"));
	ck_assert_int_eq(ebpfnet__map_leaves_list(t.btf, (uint32_t)t.u32, &l), -EINVAL);
	btf__free(t.btf);
}
END_TEST

START_TEST(leaves_of_nonsense)
{
	CLEANUP(map_leaves) struct ebpfnet__map_leaves l = { 0 };
	struct types t = make_types();
	char longer[100];
	int s, outer;

	s = btf__add_struct(t.btf, "loop", 8);
	field(t.btf, "l", s, 0);
	ck_assert_int_eq(ebpfnet__map_leaves_list(t.btf, (uint32_t)s, &l), -EINVAL);
	memset(longer, 'n', sizeof(longer));
	longer[99] = '\0';
	s = btf__add_struct(t.btf, "s", 4);
	field(t.btf, longer, t.u32, 0);
	outer = btf__add_struct(t.btf, "outer", 4);
	field(t.btf, longer, s, 0);
	ck_assert_int_eq(ebpfnet__map_leaves_list(t.btf, (uint32_t)outer, &l), -ENAMETOOLONG);
	btf__free(t.btf);
}
END_TEST

static const struct ebpfnet_map_member point_members[] = {
	{ "x", 0, 4, 0, 0 },
	{ "y", 4, 4, 0, 0 },
};

static int check(const struct btf *btf, int type, const struct ebpfnet_map_member *members,
		 size_t count, uint32_t size, uint32_t map_size, struct ebpfnet_error **err)
{
	struct ebpfnet__map_side side = { "value", members, count, size, map_size };

	EBPFNET__CALL(call, NULL, err, "bind map shapes");
	return ebpfnet__map_side_check(&call, &side, btf, (uint32_t)type);
}

START_TEST(agreement)
{
	struct types t = make_types();
	struct ebpfnet_error *err = NULL;

	ASSERT_OK(check(t.btf, t.point, point_members, 2, 8, 8, &err), err);
	ASSERT_OK(check(t.btf, btf__add_typedef(t.btf, "p", t.point), point_members, 2, 8, 8, &err),
		  err);
	ASSERT_OK(check(t.btf, t.u64, NULL, 0, 8, 8, &err), err);
	ASSERT_OK(check(t.btf, make_shape(&t), shape_members,
			EBPFNET__ARRAY_SIZE(shape_members) - 1, sizeof(struct shape),
			sizeof(struct shape), &err),
		  err);
	/* Without BTF nothing but the size is known. */
	ASSERT_OK(check(NULL, 0, point_members, 2, 8, 8, &err), err);
	ASSERT_OK(check(t.btf, 0, point_members, 2, 8, 8, &err), err);
	ASSERT_FAILS(check(NULL, 0, point_members, 2, 8, 12, &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "value: it has 12 bytes in the object and 8 here");
	btf__free(t.btf);
}
END_TEST

/* Each case lists struct point otherwise than the BTF has it. */
static const struct {
	struct ebpfnet_map_member members[3];
	size_t count;
	uint32_t kind;
	const char *words;
} wrong[] = {
	{ { { "x", 0, 4, 0, 0 }, { "y", 8, 4, 0, 0 } },
	  2,
	  EBPFNET_ERROR_INCOMPATIBLE,
	  "member `y` is at offset 4 in the object and 8 here" },
	{ { { "x", 0, 4, 0, 0 }, { "y", 4, 8, 0, 0 } },
	  2,
	  EBPFNET_ERROR_INCOMPATIBLE,
	  "member `y` has 4 bytes in the object and 8 here" },
	{ { { "x", 0, 4, 0, 0 } },
	  1,
	  EBPFNET_ERROR_INCOMPATIBLE,
	  "member `y` is in the object and not in the list here" },
	{ { { "x", 0, 4, 0, 0 }, { "y", 4, 4, 0, 0 }, { "z", 8, 4, 0, 0 } },
	  3,
	  EBPFNET_ERROR_INCOMPATIBLE,
	  "member `z` is here and not in the object" },
	{ { { "x", 0, 4, 0, 0 }, { "x", 0, 4, 0, 0 }, { "y", 4, 4, 0, 0 } },
	  3,
	  EBPFNET_ERROR_INVALID,
	  "member `x` is listed twice" },
	{ { { "x", 0, 4, 1, 0 }, { "y", 4, 4, 0, 0 } },
	  2,
	  EBPFNET_ERROR_INVALID,
	  "member `x` is a struct or union" },
	{ { { NULL, 0, 0, 0, 0 } },
	  0,
	  EBPFNET_ERROR_INCOMPATIBLE,
	  "it is struct point in the object and not a struct here" },
};

START_TEST(disagreement)
{
	struct types t = make_types();
	struct ebpfnet_error *err = NULL;

	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(wrong); i++)
		ASSERT_FAILS(check(t.btf, t.point, wrong[i].members, wrong[i].count, 8, 8, &err),
			     err, -EINVAL, wrong[i].kind, wrong[i].words);
	ASSERT_FAILS(check(t.btf, t.u64, point_members, 2, 8, 8, &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "it is a struct here and none in the object");
	btf__free(t.btf);
}
END_TEST

/* The definition of a map in .maps, where libbpf has forgotten the types. */
START_TEST(map_definition)
{
	struct types t = make_types();
	struct ebpfnet__map_types found = { 0 };
	int key = btf__add_ptr(t.btf, t.u32), value = btf__add_ptr(t.btf, t.point);
	int def = btf__add_struct(t.btf, NULL, 16), sized;

	field(t.btf, "key", key, 0);
	field(t.btf, "value", value, 8);
	sized = btf__add_struct(t.btf, NULL, 16);
	field(t.btf, "key_size", key, 0);
	field(t.btf, "value", value, 8);
	def = btf__add_var(t.btf, "shapes", BTF_VAR_GLOBAL_ALLOCATED, def);
	sized = btf__add_var(t.btf, "sized", BTF_VAR_GLOBAL_ALLOCATED, sized);
	ck_assert_int_eq(ebpfnet__map_types_of_object(t.btf, "shapes", &found), -ENOENT);
	btf__add_datasec(t.btf, ".maps", 32);
	btf__add_datasec_var_info(t.btf, def, 0, 16);
	btf__add_datasec_var_info(t.btf, sized, 16, 16);
	ck_assert_int_eq(ebpfnet__map_types_of_object(t.btf, "shapes", &found), 0);
	ck_assert_uint_eq(found.key, (uint32_t)t.u32);
	ck_assert_uint_eq(found.value, (uint32_t)t.point);
	memset(&found, 0, sizeof(found));
	ck_assert_int_eq(ebpfnet__map_types_of_object(t.btf, "sized", &found), 0);
	ck_assert_uint_eq(found.key, 0);
	ck_assert_uint_eq(found.value, (uint32_t)t.point);
	ck_assert_int_eq(ebpfnet__map_types_of_object(t.btf, "none", &found), -ENOENT);
	btf__free(t.btf);
}
END_TEST

TEST_MAIN("map_members", 10, leaves, leaves_of_nonsense, agreement, disagreement, map_definition)
