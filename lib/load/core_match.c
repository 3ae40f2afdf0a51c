// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The steps of a local place, taken again through a type of the target. */
#include "load/core_spec.h"

#include <errno.h>
#include <string.h>

/* Arrays within arrays within pointers; a corrupt type may be its own element. */
#define NESTED_MAX 32

/* Two member types that may stand for each other: their sizes may differ, their nature may not. */
static int members_compat(struct ebpfnet__core_work *work, const struct btf *local_btf,
			  uint32_t local_id, const struct btf *btf, uint32_t id)
{
	for (int i = 0; i < NESTED_MAX; i++) {
		const struct btf_type *local = ebpfnet__core_skip(local_btf, local_id, &local_id);
		const struct btf_type *t = ebpfnet__core_skip(btf, id, &id);

		if (!local || !t || !ebpfnet__core_spend(work))
			return -EINVAL;
		if (btf_is_composite(local) && btf_is_composite(t))
			return 1;
		if (!ebpfnet__core_same_kind(local, t))
			return 0;
		if (btf_is_any_enum(local) || btf_is_fwd(local)) {
			const char *a = ebpfnet__core_name(local_btf, local->name_off);
			const char *b = ebpfnet__core_name(btf, t->name_off);

			return !*a || !*b || ebpfnet__core_same_name(a, b);
		}
		if (btf_is_int(local)) /* an offset in it is how bit fields were told before 5.0 */
			return btf_int_offset(local) == 0 && btf_int_offset(t) == 0;
		if (!btf_is_array(local))
			return btf_is_ptr(local) || btf_is_float(local);
		local_id = btf_array(local)->type;
		id = btf_array(t)->type;
	}
	return -EINVAL;
}

static void why_other_nature(struct ebpfnet__core_work *work, const struct btf *local_btf,
			     uint32_t local_id, const struct btf *btf, uint32_t id,
			     const char *name)
{
	ebpfnet__core_why(work, "%s is of type %s in the object and of type %s there", name,
			  ebpfnet__core_noun(ebpfnet__core_skip(local_btf, local_id, NULL)),
			  ebpfnet__core_noun(ebpfnet__core_skip(btf, id, NULL)));
}

/* What the search for one member carries along. */
struct search {
	struct ebpfnet__core_work *work;
	const struct btf *local_btf;
	const char *name;
	uint32_t local_type; /* the member's */
	struct ebpfnet__core_spec *target;
	uint32_t next_id; /* out: the type of the member found */
};

/* Members of anonymous structs and unions are members of the struct around them. */
static int find_member(struct search *s, uint32_t id)
{
	struct ebpfnet__core_spec *target = s->target;
	const struct btf_type *t = ebpfnet__core_skip(target->btf, id, &id);
	const struct btf_member *m;

	if (!t)
		return -EINVAL;
	if (!btf_is_composite(t))
		return 0;
	m = btf_members(t);
	for (uint32_t i = 0; i < btf_vlen(t); i++, m++) {
		const char *name = ebpfnet__core_name(target->btf, m->name_off);
		uint32_t bits = target->bit_offset, raw = target->raw_len;
		int found = 0;

		if (target->raw_len == EBPFNET__CORE_STEPS || !ebpfnet__core_spend(s->work))
			return -E2BIG;
		if (*name && strcmp(name, s->name) != 0)
			continue;
		target->raw_len++;
		if (ebpfnet__core_advance(target, btf_member_bit_offset(t, i)))
			return -ERANGE;
		if (!*name) {
			found = find_member(s, m->type);
			if (found)
				return found;
			target->bit_offset = bits;
			target->raw_len = raw;
			continue;
		}
		s->next_id = m->type;
		found = members_compat(s->work, s->local_btf, s->local_type, target->btf, m->type);
		if (found > 0)
			target->steps[target->len++] = (struct ebpfnet__core_step) { name, id, i };
		else
			why_other_nature(s->work, s->local_btf, s->local_type, target->btf, m->type,
					 name);
		return found;
	}
	return 0;
}

static int match_member(struct ebpfnet__core_work *work, const struct ebpfnet__core_spec *local,
			const struct ebpfnet__core_step *step, struct ebpfnet__core_spec *target,
			uint32_t *id)
{
	const struct btf_type *t = btf__type_by_id(local->btf, step->type_id);
	struct search s = {
		.work = work,
		.local_btf = local->btf,
		.name = step->name,
		.local_type = btf_members(t)[step->index].type,
		.target = target,
	};
	int found = find_member(&s, *id);

	if (found == 0) {
		const struct btf_type *in = ebpfnet__core_skip(target->btf, *id, NULL);
		const char *name = ebpfnet__core_name(target->btf, in->name_off);

		ebpfnet__core_why(work, "%s %s has no member %s there", ebpfnet__core_noun(in),
				  *name ? name : "(anonymous)", step->name);
	}
	*id = s.next_id;
	return found;
}

/* The element type of the array that the steps so far led to. */
static int enter_array(struct ebpfnet__core_work *work, const struct ebpfnet__core_step *step,
		       struct ebpfnet__core_spec *target, uint32_t *id)
{
	const struct btf_type *t = ebpfnet__core_skip(target->btf, *id, id);
	const struct btf_array *array;

	if (!t)
		return -EINVAL;
	if (!btf_is_array(t)) {
		ebpfnet__core_why(work, "it is no array there, but of type %s",
				  ebpfnet__core_noun(t));
		return 0;
	}
	array = btf_array(t);
	if (ebpfnet__core_bounded(target->btf, &target->steps[target->len - 1], array) &&
	    step->index >= array->nelems) {
		ebpfnet__core_why(work, "element %u is asked for and the array has %u there",
				  step->index, array->nelems);
		return 0;
	}
	return ebpfnet__core_skip(target->btf, array->type, id) ? 1 : -EINVAL;
}

static int match_element(struct ebpfnet__core_work *work, const struct ebpfnet__core_step *step,
			 bool root, struct ebpfnet__core_spec *target, uint32_t *id)
{
	int64_t size;

	if (root) {
		if (!ebpfnet__core_skip(target->btf, *id, id))
			return -EINVAL;
	} else {
		int found = enter_array(work, step, target, id);

		if (found <= 0)
			return found;
	}
	if (target->raw_len == EBPFNET__CORE_STEPS)
		return -E2BIG;
	target->raw_len++;
	target->steps[target->len++] = (struct ebpfnet__core_step) { NULL, *id, step->index };
	size = btf__resolve_size(target->btf, *id);
	if (size < 0)
		return (int)size;
	return ebpfnet__core_advance(target, (uint64_t)size * 8 * step->index) ? -ERANGE : 1;
}

static int match_enumerator(struct ebpfnet__core_work *work, const struct ebpfnet__core_spec *local,
			    uint32_t id, struct ebpfnet__core_spec *target)
{
	const struct btf_type *t = ebpfnet__core_skip(target->btf, id, &id);
	const char *want = local->steps[0].name;

	if (!t)
		return -EINVAL;
	if (!btf_is_any_enum(t)) {
		ebpfnet__core_why(work, "it is no enum there, but of type %s",
				  ebpfnet__core_noun(t));
		return 0;
	}
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *name = ebpfnet__core_enumerator(target->btf, t, i);

		if (!ebpfnet__core_spend(work))
			return -E2BIG;
		if (!ebpfnet__core_same_name(want, name))
			continue;
		target->steps[target->len++] = (struct ebpfnet__core_step) { name, id, i };
		return 1;
	}
	ebpfnet__core_why(work, "enum %s has no %.*s there",
			  ebpfnet__core_name(target->btf, t->name_off),
			  (int)ebpfnet__core_essential(want), want);
	return 0;
}

int ebpfnet__core_match(struct ebpfnet__core_work *work, const struct ebpfnet__core_spec *local,
			const struct btf *btf, uint32_t id, struct ebpfnet__core_spec *target)
{
	memset(target, 0, sizeof(*target));
	target->btf = btf;
	target->root_id = id;
	target->kind = local->kind;
	if (local->kind == BPF_CORE_TYPE_MATCHES)
		return ebpfnet__core_types_match(work, local->btf, local->root_id, btf, id);
	if (ebpfnet__core_is_type(local->kind))
		return ebpfnet__core_types_compat(work, local->btf, local->root_id, btf, id);
	if (ebpfnet__core_is_enum(local->kind))
		return match_enumerator(work, local, id, target);
	for (uint32_t i = 0; i < local->len; i++) {
		const struct ebpfnet__core_step *step = &local->steps[i];
		int found = step->name ? match_member(work, local, step, target, &id)
				       : match_element(work, step, i == 0, target, &id);

		if (found <= 0)
			return found;
	}
	return 1;
}
