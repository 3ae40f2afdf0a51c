// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Whole types against each other: bpf_core_type_exists() and bpf_core_type_size() want them
 * compatible (the same nature), bpf_core_type_matches() wants each local member found again.
 */
#include "load/core_spec.h"

#include <errno.h>

/* libbpf's limits: levels of recursion, and pointers or arrays in a row on one level. */
#define LEVELS 32
#define NESTED_MAX 32

/* The two types that are being compared, and how deep. */
struct pair {
	struct ebpfnet__core_work *work;
	const struct btf *local_btf;
	const struct btf *btf;
	uint32_t local_id;
	uint32_t id;
	bool behind_ptr;
	int level;
};

/* Enters both types; returns false when either is broken or the budget is gone. */
static bool enter(struct pair *p, const struct btf_type **local, const struct btf_type **t)
{
	*local = ebpfnet__core_skip(p->local_btf, p->local_id, &p->local_id);
	*t = ebpfnet__core_skip(p->btf, p->id, &p->id);
	return *local && *t && ebpfnet__core_spend(p->work);
}

static struct pair descend(const struct pair *p, uint32_t local_id, uint32_t id)
{
	struct pair sub = *p;

	sub.local_id = local_id;
	sub.id = id;
	sub.level--;
	return sub;
}

/* The element or target type of both, for the next round. */
static void go_on(struct pair *p, const struct btf_type *local, const struct btf_type *t)
{
	p->local_id = btf_is_array(local) ? btf_array(local)->type : local->type;
	p->id = btf_is_array(t) ? btf_array(t)->type : t->type;
}

static int compat(struct pair p);

static int parameters(const struct pair *p, const struct btf_type *local, const struct btf_type *t,
		      int (*compare)(struct pair))
{
	if (btf_vlen(local) != btf_vlen(t))
		return 0;
	for (uint32_t i = 0; i < btf_vlen(local); i++) {
		int ret = compare(descend(p, btf_params(local)[i].type, btf_params(t)[i].type));

		if (ret <= 0)
			return ret;
	}
	return 1;
}

/* The kinds at the root are compared as they are, typedef with typedef; below that behind them. */
static int compat(struct pair p)
{
	if (p.level < 0)
		return -EINVAL;
	for (int i = 0; i < NESTED_MAX; i++) {
		const struct btf_type *local, *t;
		int ret;

		if (!enter(&p, &local, &t))
			return -EINVAL;
		if (!ebpfnet__core_same_kind(local, t))
			return 0;
		switch (btf_kind(local)) {
		case BTF_KIND_UNKN:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FWD:
			return 1;
		case BTF_KIND_INT:
			return btf_int_offset(local) == 0 && btf_int_offset(t) == 0;
		case BTF_KIND_PTR:
		case BTF_KIND_ARRAY:
			break;
		case BTF_KIND_FUNC_PROTO:
			ret = parameters(&p, local, t, compat);
			if (ret <= 0)
				return ret;
			break;
		default:
			return 0;
		}
		go_on(&p, local, t);
	}
	return -EINVAL;
}

int ebpfnet__core_types_compat(struct ebpfnet__core_work *work, const struct btf *local_btf,
			       uint32_t local_id, const struct btf *btf, uint32_t id)
{
	struct pair p = { work, local_btf, btf, local_id, id, false, LEVELS };
	int ret;

	if (!ebpfnet__core_same_kind(btf__type_by_id(local_btf, local_id),
				     btf__type_by_id(btf, id)))
		return 0;
	ret = compat(p);
	if (ret == 0)
		ebpfnet__core_why(work, "the type is of another nature there");
	return ret;
}

static bool names_match(const struct pair *p, uint32_t local_off, uint32_t off)
{
	return ebpfnet__core_same_name(ebpfnet__core_name(p->local_btf, local_off),
				       ebpfnet__core_name(p->btf, off));
}

/* Each local enumerator has a namesake; values may differ. */
static int enums_match(const struct pair *p, const struct btf_type *local, const struct btf_type *t)
{
	if (local->size != t->size || btf_vlen(local) > btf_vlen(t))
		return 0;
	for (uint32_t i = 0; i < btf_vlen(local); i++) {
		const char *want = ebpfnet__core_enumerator(p->local_btf, local, i);
		bool matched = false;

		for (uint32_t j = 0; j < btf_vlen(t) && !matched; j++) {
			if (!ebpfnet__core_spend(p->work))
				return -E2BIG;
			matched = ebpfnet__core_same_name(want,
							  ebpfnet__core_enumerator(p->btf, t, j));
		}
		if (!matched)
			return 0;
	}
	return 1;
}

static int match(struct pair p);

static int composites_match(const struct pair *p, const struct btf_type *local,
			    const struct btf_type *t)
{
	if (btf_vlen(local) > btf_vlen(t))
		return 0;
	for (uint32_t i = 0; i < btf_vlen(local); i++) {
		const struct btf_member *m = &btf_members(local)[i];
		int matched = 0;

		for (uint32_t j = 0; j < btf_vlen(t) && !matched; j++) {
			const struct btf_member *other = &btf_members(t)[j];

			if (!ebpfnet__core_spend(p->work))
				return -E2BIG;
			if (!names_match(p, m->name_off, other->name_off))
				continue;
			matched = match(descend(p, m->type, other->type));
			if (matched < 0)
				return matched;
		}
		if (!matched)
			return 0;
	}
	return 1;
}

/* For a forward declaration the flag says union. */
static bool fwd_stands_for(const struct btf_type *fwd, const struct btf_type *t)
{
	return btf_kflag(fwd) ? btf_is_union(t) : btf_is_struct(t);
}

static int structs_match(const struct pair *p, const struct btf_type *local,
			 const struct btf_type *t)
{
	if (btf_kind(local) == btf_kind(t)) {
		if (btf_is_fwd(local))
			return btf_kflag(local) == btf_kflag(t);
		return p->behind_ptr ? 1 : composites_match(p, local, t);
	}
	if (!p->behind_ptr)
		return 0;
	if (btf_is_fwd(local))
		return fwd_stands_for(local, t);
	return btf_is_fwd(t) && fwd_stands_for(t, local);
}

static bool ints_match(const struct btf_type *local, const struct btf_type *t)
{
	return btf_is_int(t) && local->size == t->size &&
	       (btf_int_encoding(local) & BTF_INT_SIGNED) == (btf_int_encoding(t) & BTF_INT_SIGNED);
}

static int match(struct pair p)
{
	if (p.level <= 0)
		return -EINVAL;
	for (int i = 0; i < NESTED_MAX; i++) {
		const struct btf_type *local, *t;
		int ret;

		if (!enter(&p, &local, &t))
			return -EINVAL;
		if (!names_match(&p, local->name_off, t->name_off))
			return 0;
		switch (btf_kind(local)) {
		case BTF_KIND_UNKN:
			return btf_kind(t) == BTF_KIND_UNKN;
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return btf_is_any_enum(t) ? enums_match(&p, local, t) : 0;
		case BTF_KIND_FWD:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
			return structs_match(&p, local, t);
		case BTF_KIND_INT:
			return ints_match(local, t);
		case BTF_KIND_PTR:
			p.behind_ptr = true;
			break;
		case BTF_KIND_ARRAY:
			if (!btf_is_array(t) || btf_array(local)->nelems != btf_array(t)->nelems)
				return 0;
			break;
		case BTF_KIND_FUNC_PROTO:
			ret = btf_is_func_proto(t) ? parameters(&p, local, t, match) : 0;
			if (ret <= 0)
				return ret;
			break;
		default:
			return 0;
		}
		if (btf_kind(local) != btf_kind(t))
			return 0;
		go_on(&p, local, t);
	}
	return -EINVAL;
}

int ebpfnet__core_types_match(struct ebpfnet__core_work *work, const struct btf *local_btf,
			      uint32_t local_id, const struct btf *btf, uint32_t id)
{
	struct pair p = { work, local_btf, btf, local_id, id, false, LEVELS };
	int ret = match(p);

	if (ret == 0)
		ebpfnet__core_why(work,
				  "the type does not match there: a member or its type differs");
	return ret;
}
