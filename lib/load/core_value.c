// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The number that a CO-RE relocation puts into an instruction, and whether it fits there. */
#include "load/core_spec.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

/* libbpf before 1.6 compared the size of a whole array with what a load of one element moves. */
static bool sizes_whole_arrays(void)
{
	return libbpf_major_version() == 1 && libbpf_minor_version() < 6;
}

/* The bytes that a load of a member, or of an element of it, moves. */
static int load_size(const struct btf *btf, uint32_t id, uint32_t *size)
{
	const struct btf_type *t = ebpfnet__core_skip(btf, id, &id);
	int64_t bytes;

	for (int i = 0; t && btf_is_array(t) && !sizes_whole_arrays(); i++) {
		if (i == EBPFNET__CORE_STEPS)
			return -EINVAL;
		t = ebpfnet__core_skip(btf, btf_array(t)->type, &id);
	}
	bytes = btf__resolve_size(btf, id);
	*size = (uint32_t)bytes;
	return bytes < 0 ? -EINVAL : 0;
}

static int calc_element(const struct ebpfnet__core_spec *place, uint32_t kind,
			struct ebpfnet__core_value *out)
{
	const struct ebpfnet__core_step *step = &place->steps[place->len - 1];
	int64_t size;

	if (kind == BPF_CORE_FIELD_BYTE_OFFSET) {
		out->value = place->bit_offset / 8;
		out->mem_type = step->type_id;
		return load_size(place->btf, step->type_id, &out->mem_size);
	}
	size = kind == BPF_CORE_FIELD_BYTE_SIZE ? btf__resolve_size(place->btf, step->type_id) : -1;
	out->value = (uint64_t)size;
	return size < 0 ? -EINVAL : 0;
}

/* Where a member lies: its bytes, or for a bit field the smallest word that holds all of it. */
struct extent {
	uint32_t bits;
	uint32_t byte_size;
	uint32_t byte_offset;
};

static int bit_field_extent(const struct btf_type *type, uint32_t bit_offset, struct extent *e)
{
	if ((!btf_is_int(type) && !btf_is_any_enum(type)) || type->size == 0 || type->size > 16)
		return -EINVAL;
	e->byte_size = type->size;
	e->byte_offset = bit_offset / 8 / e->byte_size * e->byte_size;
	while (bit_offset + e->bits - e->byte_offset * 8 > e->byte_size * 8) {
		if (e->byte_size >= 8)
			return -E2BIG;
		e->byte_size *= 2;
		e->byte_offset = bit_offset / 8 / e->byte_size * e->byte_size;
	}
	return 0;
}

static int whole_extent(const struct ebpfnet__core_spec *place, uint32_t id, struct extent *e)
{
	int64_t size = btf__resolve_size(place->btf, id);

	if (size < 0)
		return -EINVAL;
	e->byte_size = (uint32_t)size;
	e->byte_offset = place->bit_offset / 8;
	e->bits = e->byte_size * 8;
	return 0;
}

static bool is_signed(const struct btf_type *t)
{
	return (btf_is_any_enum(t) && btf_kflag(t)) ||
	       (btf_is_int(t) && (btf_int_encoding(t) & BTF_INT_SIGNED));
}

/* libbpf computes shifts in 32 bits, also those that make no sense for a large member. */
static uint32_t left_shift(uint32_t bit_offset, const struct extent *e)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return 64 - (bit_offset + e->bits - e->byte_offset * 8);
#else
	return (8 - e->byte_size) * 8 + (bit_offset - e->byte_offset * 8);
#endif
}

static int calc_member(const struct ebpfnet__core_spec *place, uint32_t kind,
		       struct ebpfnet__core_value *out)
{
	const struct ebpfnet__core_step *step = &place->steps[place->len - 1];
	const struct btf_type *t = btf__type_by_id(place->btf, step->type_id), *type;
	struct extent e = { .bits = btf_member_bitfield_size(t, step->index) };
	bool bit_field = e.bits > 0;
	uint32_t id;
	int ret;

	type = ebpfnet__core_skip(place->btf, btf_members(t)[step->index].type, &id);
	if (!type)
		return -EINVAL;
	ret = bit_field ? bit_field_extent(type, place->bit_offset, &e)
			: whole_extent(place, id, &e);
	if (ret)
		return ret;
	out->exact = !bit_field;
	switch (kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET:
		out->value = e.byte_offset;
		if (bit_field)
			return 0;
		out->mem_type = id;
		return load_size(place->btf, id, &out->mem_size);
	case BPF_CORE_FIELD_BYTE_SIZE:
		out->value = e.byte_size;
		return 0;
	case BPF_CORE_FIELD_SIGNED:
		out->value = is_signed(type);
		break;
	case BPF_CORE_FIELD_LSHIFT_U64:
		out->value = left_shift(place->bit_offset, &e);
		return 0;
	default: /* BPF_CORE_FIELD_RSHIFT_U64 */
		out->value = (uint32_t)(64 - e.bits);
	}
	/* The compiler cannot err about these two even for a bit field. */
	out->exact = true;
	return 0;
}

static int calc_type(const struct ebpfnet__core_spec *place, uint32_t kind,
		     struct ebpfnet__core_value *out)
{
	int64_t size;

	switch (kind) {
	case BPF_CORE_TYPE_ID_LOCAL:
	case BPF_CORE_TYPE_ID_TARGET:
		out->value = place->root_id;
		out->exact = false; /* a linker may have renumbered the types */
		return 0;
	case BPF_CORE_TYPE_SIZE:
		size = btf__resolve_size(place->btf, place->root_id);
		out->value = (uint64_t)size;
		return size < 0 ? -EINVAL : 0;
	default: /* exists, matches */
		out->value = 1;
		return 0;
	}
}

static uint64_t enumerator_value(const struct ebpfnet__core_spec *place)
{
	const struct btf_type *t = btf__type_by_id(place->btf, place->steps[0].type_id);
	uint32_t i = place->steps[0].index;

	if (btf_is_enum(t))
		return (uint64_t)(int64_t)btf_enum(t)[i].val;
	return btf_enum64_value(btf_enum64(t) + i);
}

static bool asks_existence(uint32_t kind)
{
	return kind == BPF_CORE_FIELD_EXISTS || kind == BPF_CORE_ENUMVAL_EXISTS;
}

int ebpfnet__core_calc(struct ebpfnet__core_work *work, uint32_t kind,
		       const struct ebpfnet__core_spec *place, struct ebpfnet__core_value *out)
{
	int ret = 0;

	memset(out, 0, sizeof(*out));
	out->exact = true;
	if (asks_existence(kind)) {
		out->value = place ? 1 : 0;
	} else if (!place) {
		/* A type that is not there has size 0 and id 0; a place that is not there has no
		 * number. */
		out->poison = !ebpfnet__core_is_type(kind);
	} else if (ebpfnet__core_is_type(kind)) {
		ret = calc_type(place, kind, out);
	} else if (ebpfnet__core_is_enum(kind)) {
		out->value = enumerator_value(place);
	} else {
		ret = place->steps[place->len - 1].name ? calc_member(place, kind, out)
							: calc_element(place, kind, out);
	}
	if (ret == -E2BIG)
		ebpfnet__core_why(work, "the bit field is spread over more than 64 bits");
	else if (ret)
		ebpfnet__core_why(work, "its type has no size, or no such property");
	return ret;
}

/* A load may change its width only where that keeps the value: pointers and unsigned integers. */
static bool may_resize(const struct ebpfnet__core_spec *local,
		       const struct ebpfnet__core_value *local_value,
		       const struct ebpfnet__core_spec *target,
		       const struct ebpfnet__core_value *target_value)
{
	const struct btf_type *a = btf__type_by_id(local->btf, local_value->mem_type);
	const struct btf_type *b = btf__type_by_id(target->btf, target_value->mem_type);

	if (btf_is_ptr(a) && btf_is_ptr(b))
		return true;
	return btf_is_int(a) && btf_is_int(b) && btf_int_encoding(a) != BTF_INT_SIGNED &&
	       btf_int_encoding(b) != BTF_INT_SIGNED;
}

static uint32_t access_bytes(const struct bpf_insn *insn)
{
	switch (BPF_SIZE(insn->code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

static enum ebpfnet_reloc_effect access_effect(struct ebpfnet__core_work *work,
					       const struct bpf_insn *insn,
					       const struct ebpfnet__core_spec *local,
					       const struct ebpfnet__core_value *local_value,
					       const struct ebpfnet__core_spec *target,
					       const struct ebpfnet__core_value *target_value)
{
	uint32_t was = local_value->mem_size, is = target_value->mem_size;

	if (target_value->value > INT16_MAX) {
		ebpfnet__core_why(work, "offset %llu is beyond what a load or store can hold",
				  (unsigned long long)target_value->value);
		return EBPFNET_RELOC_REFUSED;
	}
	if (was == is)
		return EBPFNET_RELOC_PATCHED;
	if (was == 0 || is == 0) {
		ebpfnet__core_why(work, "it is a bit field or an array of no length %s",
				  was ? "there" : "in the object");
		return EBPFNET_RELOC_POISONED;
	}
	if (!target || !may_resize(local, local_value, target, target_value)) {
		ebpfnet__core_why(work,
				  "it has %u bytes in the object and %u there: not loaded as is",
				  was, is);
		return EBPFNET_RELOC_POISONED;
	}
	if (access_bytes(insn) == was && (is == 1 || is == 2 || is == 4 || is == 8))
		return EBPFNET_RELOC_PATCHED;
	ebpfnet__core_why(work, "no load or store moves its %u bytes", is);
	return EBPFNET_RELOC_REFUSED;
}

/* What the compiler left in the instruction. Returns false for one that holds no constant. */
static bool instruction_value(const struct bpf_insn *insn, bool has_next, uint64_t *value)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		*value = (uint64_t)(int64_t)insn->imm;
		return BPF_SRC(insn->code) == BPF_K;
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		*value = (uint64_t)(int64_t)insn->off;
		return true;
	case BPF_LD:
		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW) || insn->src_reg || insn->off ||
		    !has_next || insn[1].code || insn[1].dst_reg || insn[1].src_reg || insn[1].off)
			return false;
		*value = (uint32_t)insn->imm | (uint64_t)(uint32_t)insn[1].imm << 32;
		return true;
	default:
		return false;
	}
}

enum ebpfnet_reloc_effect ebpfnet__core_effect(struct ebpfnet__core_work *work,
					       const struct bpf_insn *insn, bool has_next,
					       const struct ebpfnet__core_spec *local,
					       const struct ebpfnet__core_value *local_value,
					       const struct ebpfnet__core_spec *target,
					       const struct ebpfnet__core_value *target_value)
{
	uint32_t class = BPF_CLASS(insn->code);
	uint64_t have;

	if (target_value->poison)
		return EBPFNET_RELOC_POISONED;
	if (!instruction_value(insn, has_next, &have)) {
		ebpfnet__core_why(work, "an instruction of code 0x%02x takes no such value",
				  insn->code);
		return EBPFNET_RELOC_REFUSED;
	}
	if (local_value->exact && have != local_value->value) {
		ebpfnet__core_why(work,
				  "the instruction holds %lld, and the object's own type says %llu",
				  (long long)have, (unsigned long long)local_value->value);
		return EBPFNET_RELOC_REFUSED;
	}
	if (class == BPF_LDX || class == BPF_ST || class == BPF_STX)
		return access_effect(work, insn, local, local_value, target, target_value);
	return EBPFNET_RELOC_PATCHED;
}
