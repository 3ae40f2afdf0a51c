// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* One CO-RE record against the target's types of that name. */
#include "load/core_spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Steps of work in one call: a large object takes a million, and this many take about a second. */
#define BUDGET (1ull << 25)

struct ebpfnet__core_resolver {
	const struct btf *local;
	struct ebpfnet__core_target *target;
	uint64_t budget;
	/* By local type. A candidate that did not fit one record is none for the next, as in
	 * libbpf. */
	struct ebpfnet__core_candidates **candidates;
	uint32_t type_count;
};

struct ebpfnet__core_resolver *ebpfnet__core_resolver_new(const struct btf *local,
							  struct ebpfnet__core_target *target)
{
	CLEANUP(free) struct ebpfnet__core_resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->local = local;
	r->target = target;
	r->budget = BUDGET;
	r->type_count = btf__type_cnt(local);
	r->candidates = calloc(r->type_count, sizeof(struct ebpfnet__core_candidates *));
	return r->candidates ? TAKE(r) : NULL;
}

void ebpfnet__core_resolver_free(struct ebpfnet__core_resolver *resolver)
{
	if (!resolver)
		return;
	for (uint32_t i = 0; i < resolver->type_count; i++)
		free(resolver->candidates[i]);
	free(resolver->candidates);
	free(resolver);
}

/* What is known of the record so far. */
struct match {
	struct ebpfnet__core_work work;
	struct ebpfnet__core_spec local;
	struct ebpfnet__core_spec target; /* the first candidate that fits */
	struct ebpfnet__core_value local_value;
	struct ebpfnet__core_value target_value;
	bool found;
};

static int refuse(struct match *m, struct ebpfnet_reloc *out)
{
	/* The reason is of no interest when the whole call is given up. */
	if (*m->work.budget == 0)
		return -E2BIG;
	ebpfnet__core_why(&m->work, "the type is corrupt, or nested too deeply");
	out->effect = EBPFNET_RELOC_REFUSED;
	snprintf(out->why, sizeof(out->why), "%s", m->work.why);
	return 0;
}

/* Every candidate that fits must say the same. Returns 1 for a fit, 0, or -errno. */
static int try_candidate(struct match *m, const struct ebpfnet__core_candidate *candidate)
{
	struct ebpfnet__core_spec spec;
	struct ebpfnet__core_value value;
	int ret;

	if (!ebpfnet__core_spend(&m->work))
		return -E2BIG;
	ret = ebpfnet__core_match(&m->work, &m->local, candidate->btf, candidate->id, &spec);
	if (ret <= 0)
		return ret;
	m->work.why[0] = '\0'; /* what other candidates lack does not matter any more */
	ret = ebpfnet__core_calc(&m->work, m->local.kind, &m->local, &m->local_value);
	if (ret == 0)
		ret = ebpfnet__core_calc(&m->work, m->local.kind, &spec, &value);
	if (ret)
		return ret;
	if (!m->found) {
		m->target = spec;
		m->target_value = value;
		m->found = true;
		return 1;
	}
	if (spec.bit_offset == m->target.bit_offset && value.value == m->target_value.value)
		return 1;
	if (spec.bit_offset != m->target.bit_offset)
		ebpfnet__core_why(&m->work,
				  "ambiguous: types %u and %u have it at offsets %u and %u",
				  m->target.root_id, spec.root_id, m->target.bit_offset / 8,
				  spec.bit_offset / 8);
	else
		ebpfnet__core_why(&m->work, "ambiguous: types %u and %u give %llu and %llu",
				  m->target.root_id, spec.root_id,
				  (unsigned long long)m->target_value.value,
				  (unsigned long long)value.value);
	return -EINVAL;
}

static int try_candidates(struct match *m, struct ebpfnet__core_candidates *c, bool keep)
{
	size_t fits = 0;

	for (size_t i = 0; i < c->count; i++) {
		int ret = try_candidate(m, &c->list[i]);

		if (ret < 0)
			return ret;
		if (m->found)
			m->work.why[0] = '\0';
		if (ret > 0 && !keep)
			c->list[fits++] = c->list[i];
	}
	if (fits)
		c->count = fits;
	return 0;
}

static struct ebpfnet__core_candidates *candidates_of(struct ebpfnet__core_resolver *r,
						      uint32_t local_id)
{
	if (!r->candidates[local_id])
		r->candidates[local_id] = ebpfnet__core_find(r->target, r->local, local_id);
	return r->candidates[local_id];
}

static void fill(struct match *m, const struct ebpfnet__core_record *record,
		 struct ebpfnet_reloc *out)
{
	struct bpf_insn insn[2] = { 0 };

	memcpy(insn, record->insn, record->has_next ? sizeof(insn) : sizeof(insn[0]));
	out->effect =
		ebpfnet__core_effect(&m->work, insn, record->has_next, &m->local, &m->local_value,
				     m->found ? &m->target : NULL, &m->target_value);
	out->local_value = m->local_value.value;
	out->target_value = out->effect == EBPFNET_RELOC_PATCHED ? m->target_value.value : 0;
	out->found = m->found;
	snprintf(out->why, sizeof(out->why), "%s", m->work.why);
}

/* The object's own number of a type; asked of nobody. */
static void fill_local(struct match *m, const struct ebpfnet__core_record *record,
		       struct ebpfnet_reloc *out)
{
	ebpfnet__core_calc(&m->work, m->local.kind, &m->local, &m->local_value);
	m->target = m->local;
	m->target_value = m->local_value;
	m->found = true;
	fill(m, record, out);
}

static int resolve(struct ebpfnet__core_resolver *r, const struct ebpfnet__core_record *record,
		   struct match *m, struct ebpfnet_reloc *out)
{
	const struct btf_type *t = btf__type_by_id(r->local, record->relo.type_id);
	struct ebpfnet__core_candidates *c;
	const char *name;

	if (record->relo.kind == BPF_CORE_TYPE_ID_LOCAL) {
		fill_local(m, record, out);
		return 0;
	}
	name = ebpfnet__core_name(r->local, t->name_off);
	if (!*name) {
		ebpfnet__core_why(&m->work, "a type without a name cannot be looked for");
		return refuse(m, out);
	}
	c = candidates_of(r, record->relo.type_id);
	if (!c)
		return -ENOMEM;
	if (c->count == 0)
		ebpfnet__core_why(&m->work, "%s has no %s %.*s",
				  ebpfnet__core_target_noun(r->target), ebpfnet__core_noun(t),
				  (int)ebpfnet__core_essential(name), name);
	if (try_candidates(m, c, record->keeps_candidates))
		return refuse(m, out);
	if (!m->found && (ebpfnet__core_calc(&m->work, m->local.kind, &m->local, &m->local_value) ||
			  ebpfnet__core_calc(&m->work, m->local.kind, NULL, &m->target_value)))
		return refuse(m, out);
	fill(m, record, out);
	return 0;
}

int ebpfnet__core_resolve(struct ebpfnet__core_resolver *resolver,
			  const struct ebpfnet__core_record *record, struct ebpfnet_reloc *out)
{
	struct match m = { .work = { .budget = &resolver->budget } };

	memset(out, 0, sizeof(*out));
	/* The same order, but 0 stays free for a kind that only a later compiler knows. */
	out->kind = record->relo.kind <= BPF_CORE_TYPE_MATCHES ? record->relo.kind + 1 : 0;
	if (ebpfnet__core_parse(&m.work, resolver->local, &record->relo, &m.local)) {
		ebpfnet__core_words(&m.local, out->what, sizeof(out->what));
		return refuse(&m, out);
	}
	ebpfnet__core_words(&m.local, out->what, sizeof(out->what));
	return resolve(resolver, record, &m, out);
}
