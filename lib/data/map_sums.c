// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "data/map_sums.h"

#include <errno.h>
#include <string.h>

#include "data/map_types.h"

/* BTF from a file may be a loop: no compiler nests structs as deep as this. */
#define DEPTH_MAX 32

struct builder {
	const struct btf *btf;
	struct ebpfnet__map_sums *sums;
	uint32_t room;
	uint32_t value_size;
};

static int add_type(struct builder *b, uint32_t id, uint32_t offset, unsigned int depth);

/* Appends a number, to the last run if it goes on there. */
static int add_number(struct builder *b, uint32_t offset, uint32_t size, uint16_t number)
{
	struct ebpfnet__map_sums *sums = b->sums;
	struct ebpfnet__map_sum *last = sums->count ? &sums->sums[sums->count - 1] : NULL;

	if (offset > b->value_size || size > b->value_size - offset)
		return -EINVAL;
	if (last && last->size == size && last->number == number &&
	    last->offset + last->count * size == offset) {
		last->count++;
		return 0;
	}
	if (sums->count == b->room) {
		b->room = b->room ? b->room * 2 : 8;
		sums = realloc(sums, sizeof(*sums) + b->room * sizeof(sums->sums[0]));
		if (!sums)
			return -ENOMEM;
		b->sums = sums;
	}
	sums->sums[sums->count++] = (struct ebpfnet__map_sum) {
		.offset = offset, .count = 1, .size = (uint16_t)size, .number = number
	};
	return 0;
}

static int add_int(struct builder *b, const struct btf_type *t, uint32_t offset)
{
	uint8_t encoding = btf_int_encoding(t);

	if (t->size > 8 || (t->size & (t->size - 1)))
		return 0;
	return add_number(b, offset, t->size,
			  encoding & BTF_INT_BOOL     ? EBPFNET__MAP_BOOL
			  : encoding & BTF_INT_SIGNED ? EBPFNET__MAP_SIGNED
						      : EBPFNET__MAP_UNSIGNED);
}

static int add_array(struct builder *b, const struct btf_type *t, uint32_t offset,
		     unsigned int depth)
{
	const struct btf_array *array = btf_array(t);
	int id = btf__resolve_type(b->btf, array->type), ret = 0;
	const struct btf_type *elem = id < 0 ? NULL : btf__type_by_id(b->btf, (uint32_t)id);
	long long size = elem ? btf__resolve_size(b->btf, (uint32_t)id) : -1;

	if (size <= 0)
		return size == 0 ? 0 : -EINVAL;
	/* Text, an address, a flag per bit: whatever bytes are, they are not counted. */
	if (btf_is_int(elem) && elem->size == 1 && !(btf_int_encoding(elem) & BTF_INT_BOOL))
		return 0;
	for (uint32_t i = 0; i < array->nelems && ret == 0; i++) {
		uint64_t at = offset + (uint64_t)i * (uint64_t)size;

		ret = at > b->value_size ? -EINVAL
					 : add_type(b, (uint32_t)id, (uint32_t)at, depth + 1);
	}
	return ret;
}

static int add_struct(struct builder *b, const struct btf_type *t, uint32_t offset,
		      unsigned int depth)
{
	uint32_t n = btf_vlen(t);

	/* The members of a union are the same bytes: they can be added once. */
	if (btf_is_union(t) && n > 1)
		n = 1;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t bits = btf_member_bit_offset(t, i);
		int ret;

		if (btf_member_bitfield_size(t, i) || bits % 8)
			return -EINVAL;
		ret = add_type(b, btf_members(t)[i].type, offset + bits / 8, depth + 1);
		if (ret)
			return ret;
	}
	return 0;
}

static int add_type(struct builder *b, uint32_t type, uint32_t offset, unsigned int depth)
{
	int id = btf__resolve_type(b->btf, type);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(b->btf, (uint32_t)id);

	if (!t || depth > DEPTH_MAX)
		return -EINVAL;
	if (btf_is_int(t))
		return add_int(b, t, offset);
	if (btf_is_array(t))
		return add_array(b, t, offset, depth);
	if (btf_is_composite(t))
		return add_struct(b, t, offset, depth);
	return 0;
}

struct ebpfnet__map_sums *ebpfnet__map_sums_make(const struct btf *btf, uint32_t type,
						 uint32_t value_size)
{
	struct builder b = { .btf = btf, .value_size = value_size };
	int ret = 0;

	b.sums = calloc(1, sizeof(*b.sums));
	if (!b.sums)
		return NULL;
	if (type)
		ret = add_type(&b, type, 0, 0);
	else if (value_size % 8)
		ret = -EINVAL;
	for (uint32_t i = 0; !type && i < value_size / 8 && ret == 0; i++)
		ret = add_number(&b, i * 8, 8, EBPFNET__MAP_UNSIGNED);
	if (ret == -ENOMEM) {
		free(b.sums);
		return NULL;
	}
	if (ret || b.sums->count == 0) {
		b.sums->error = -EINVAL;
		b.sums->count = 0;
	}
	return b.sums;
}

const struct ebpfnet__map_sums *ebpfnet__map_sums_get(struct ebpfnet_map *map)
{
	struct ebpfnet__map_sums *sums = __atomic_load_n(&map->sums, __ATOMIC_ACQUIRE),
				 *first = NULL;
	CLEANUP(map_types) struct ebpfnet__map_types types = { 0 };

	if (sums)
		return sums;
	/* What libbpf has to say about a BTF that it cannot read is not for stderr. */
	EBPFNET__CALL(call, map->ctx, NULL, "map %s: types", map->name);
	/* Without the right to read it the BTF is as good as absent. */
	if (ebpfnet__map_types_get(map, &types) == -ENOMEM)
		return NULL;
	sums = ebpfnet__map_sums_make(types.btf, types.value, map->value_size);
	if (!sums)
		return NULL;
	if (__atomic_compare_exchange_n(&map->sums, &first, sums, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return sums;
	free(sums);
	return first;
}

/* A number of 1, 2, 4 or 8 bytes at any address, sign-extended if it has a sign. */
static uint64_t load(const uint8_t *p, const struct ebpfnet__map_sum *s)
{
	bool sign = s->number == EBPFNET__MAP_SIGNED;
	uint64_t v8;
	uint32_t v4;
	uint16_t v2;

	switch (s->size) {
	case 1:
		return sign ? (uint64_t)(int8_t)*p : *p;
	case 2:
		memcpy(&v2, p, sizeof(v2));
		return sign ? (uint64_t)(int16_t)v2 : v2;
	case 4:
		memcpy(&v4, p, sizeof(v4));
		return sign ? (uint64_t)(int32_t)v4 : v4;
	default:
		memcpy(&v8, p, sizeof(v8));
		return v8;
	}
}

static void store(uint8_t *p, const struct ebpfnet__map_sum *s, uint64_t v)
{
	uint32_t v4 = (uint32_t)v;
	uint16_t v2 = (uint16_t)v;

	switch (s->size) {
	case 1:
		*p = (uint8_t)v;
		break;
	case 2:
		memcpy(p, &v2, sizeof(v2));
		break;
	case 4:
		memcpy(p, &v4, sizeof(v4));
		break;
	default:
		memcpy(p, &v, sizeof(v));
	}
}

static uint64_t combine(enum ebpfnet__map_op op, uint16_t number, uint64_t a, uint64_t b)
{
	if (number == EBPFNET__MAP_BOOL)
		return a | b;
	if (op == EBPFNET__MAP_SUM)
		return a + b;
	if (number == EBPFNET__MAP_SIGNED)
		return (int64_t)a > (int64_t)b ? a : b;
	return a > b ? a : b;
}

static void reduce_run(const struct ebpfnet__map_sum *s, enum ebpfnet__map_op op, uint8_t *value,
		       const uint8_t *other)
{
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t at = s->offset + i * s->size;

		store(value + at, s,
		      combine(op, s->number, load(value + at, s), load(other + at, s)));
	}
}

void ebpfnet__map_sums_reduce(const struct ebpfnet__map_sums *sums, enum ebpfnet__map_op op,
			      void *value, size_t size, const uint8_t *values, uint32_t cpus,
			      size_t stride)
{
	memset(value, 0, size);
	/* The first CPU's numbers start it: the largest of negative ones is not zero. */
	for (uint32_t i = 0; i < sums->count; i++)
		memcpy((uint8_t *)value + sums->sums[i].offset, values + sums->sums[i].offset,
		       (size_t)sums->sums[i].count * sums->sums[i].size);
	for (uint32_t cpu = 1; cpu < cpus; cpu++)
		for (uint32_t i = 0; i < sums->count; i++)
			reduce_run(&sums->sums[i], op, value, values + cpu * stride);
}
