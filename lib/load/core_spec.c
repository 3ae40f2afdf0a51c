// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What a CO-RE record asks: "0:1:2" and a type, read as steps through it and told in words. */
#include "load/core_spec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Modifiers and typedefs in a row; real code has less than ten. */
#define CHAIN_MAX 64

void ebpfnet__core_why(struct ebpfnet__core_work *work, const char *fmt, ...)
{
	va_list ap;

	if (*work->why)
		return;
	va_start(ap, fmt);
	vsnprintf(work->why, sizeof(work->why), fmt, ap);
	va_end(ap);
}

bool ebpfnet__core_spend(struct ebpfnet__core_work *work)
{
	if (*work->budget == 0)
		return false;
	(*work->budget)--;
	return true;
}

bool ebpfnet__core_is_field(uint32_t kind)
{
	return kind <= BPF_CORE_FIELD_RSHIFT_U64;
}

bool ebpfnet__core_is_enum(uint32_t kind)
{
	return kind == BPF_CORE_ENUMVAL_EXISTS || kind == BPF_CORE_ENUMVAL_VALUE;
}

bool ebpfnet__core_is_type(uint32_t kind)
{
	return (kind >= BPF_CORE_TYPE_ID_LOCAL && kind <= BPF_CORE_TYPE_SIZE) ||
	       kind == BPF_CORE_TYPE_MATCHES;
}

const char *ebpfnet__core_name(const struct btf *btf, uint32_t offset)
{
	const char *name = btf__str_by_offset(btf, offset);

	return name ? name : "";
}

/* X___Y, where X and Y are not underscores; the last one counts. */
size_t ebpfnet__core_essential(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = n < 5 ? 0 : n - 4; i > 0; i--) {
		const char *s = name + i - 1;

		if (s[0] != '_' && memcmp(s + 1, "___", 3) == 0 && s[4] != '_')
			return i;
	}
	return n;
}

bool ebpfnet__core_same_name(const char *a, const char *b)
{
	size_t n = ebpfnet__core_essential(a);

	return n == ebpfnet__core_essential(b) && memcmp(a, b, n) == 0;
}

const char *ebpfnet__core_noun(const struct btf_type *t)
{
	static const char *const nouns[] = {
		[BTF_KIND_UNKN] = "void",
		[BTF_KIND_INT] = "integer",
		[BTF_KIND_PTR] = "pointer",
		[BTF_KIND_ARRAY] = "array",
		[BTF_KIND_STRUCT] = "struct",
		[BTF_KIND_UNION] = "union",
		[BTF_KIND_ENUM] = "enum",
		[BTF_KIND_FWD] = "undefined struct",
		[BTF_KIND_TYPEDEF] = "typedef",
		[BTF_KIND_FUNC] = "function",
		[BTF_KIND_FUNC_PROTO] = "prototype",
		[BTF_KIND_FLOAT] = "float",
		[BTF_KIND_ENUM64] = "enum",
	};
	uint32_t kind = t ? btf_kind(t) : BTF_KIND_UNKN;

	return kind < EBPFNET__ARRAY_SIZE(nouns) && nouns[kind] ? nouns[kind] : "type";
}

const struct btf_type *ebpfnet__core_skip(const struct btf *btf, uint32_t id, uint32_t *real_id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	for (int i = 0; t && (btf_is_mod(t) || btf_is_typedef(t)); i++) {
		if (i == CHAIN_MAX)
			return NULL;
		id = t->type;
		t = btf__type_by_id(btf, id);
	}
	if (real_id)
		*real_id = id;
	return t;
}

bool ebpfnet__core_same_kind(const struct btf_type *a, const struct btf_type *b)
{
	return btf_kind(a) == btf_kind(b) || (btf_is_any_enum(a) && btf_is_any_enum(b));
}

bool ebpfnet__core_bounded(const struct btf *btf, const struct ebpfnet__core_step *before,
			   const struct btf_array *array)
{
	const struct btf_type *t = btf__type_by_id(btf, before->type_id);

	return !before->name || array->nelems > 0 || !t || before->index + 1 != btf_vlen(t);
}

const char *ebpfnet__core_enumerator(const struct btf *btf, const struct btf_type *t, uint32_t i)
{
	return ebpfnet__core_name(btf, btf_is_enum(t) ? btf_enum(t)[i].name_off
						      : btf_enum64(t)[i].name_off);
}

int ebpfnet__core_advance(struct ebpfnet__core_spec *spec, uint64_t bits)
{
	if (bits > UINT32_MAX - spec->bit_offset)
		return -ERANGE;
	spec->bit_offset += (uint32_t)bits;
	return 0;
}

/* The next number of "0:1:2". Returns 1, 0 at the end, -EINVAL. */
static int next_number(const char **s, bool first, uint32_t *out)
{
	uint64_t n = 0;
	int digits = 0;

	if (!**s)
		return 0;
	if (!first && *(*s)++ != ':')
		return -EINVAL;
	for (; **s >= '0' && **s <= '9'; (*s)++, digits++) {
		n = n * 10 + (uint64_t)(**s - '0');
		if (n > INT32_MAX)
			return -EINVAL;
	}
	*out = (uint32_t)n;
	return digits ? 1 : -EINVAL;
}

static int parse_enumerator(struct ebpfnet__core_spec *spec, const struct btf_type *t)
{
	struct ebpfnet__core_step *step = &spec->steps[0];

	if (!btf_is_any_enum(t) || step->index >= btf_vlen(t))
		return -EINVAL;
	step->name = ebpfnet__core_enumerator(spec->btf, t, step->index);
	return 0;
}

static int step_member(struct ebpfnet__core_spec *spec, const struct btf_type *t, uint32_t *id,
		       uint32_t index)
{
	const struct btf_member *m;
	const char *name;

	if (index >= btf_vlen(t))
		return -EINVAL;
	m = btf_members(t) + index;
	if (ebpfnet__core_advance(spec, btf_member_bit_offset(t, index)))
		return -ERANGE;
	if (m->name_off) {
		name = ebpfnet__core_name(spec->btf, m->name_off);
		if (!*name)
			return -EINVAL;
		spec->steps[spec->len++] = (struct ebpfnet__core_step) { name, *id, index };
	}
	*id = m->type;
	return 0;
}

static int step_element(struct ebpfnet__core_spec *spec, const struct btf_type *t, uint32_t *id,
			uint32_t index)
{
	const struct btf_array *array = btf_array(t);
	int64_t size;

	if (ebpfnet__core_bounded(spec->btf, &spec->steps[spec->len - 1], array) &&
	    index >= array->nelems)
		return -EINVAL;
	if (!ebpfnet__core_skip(spec->btf, array->type, id))
		return -EINVAL;
	spec->steps[spec->len++] = (struct ebpfnet__core_step) { NULL, *id, index };
	size = btf__resolve_size(spec->btf, *id);
	if (size < 0)
		return (int)size;
	return ebpfnet__core_advance(spec, (uint64_t)size * 8 * index);
}

static int parse_steps(struct ebpfnet__core_work *work, struct ebpfnet__core_spec *spec,
		       const char *access)
{
	const struct btf_type *t;
	uint32_t id, index;
	int64_t size;
	int more = next_number(&access, true, &index);

	t = ebpfnet__core_skip(spec->btf, spec->root_id, &id);
	if (more <= 0 || !t)
		return -EINVAL;
	spec->steps[spec->len++] = (struct ebpfnet__core_step) { NULL, id, index };
	spec->raw_len = 1;
	if (ebpfnet__core_is_enum(spec->kind))
		return *access ? -EINVAL : parse_enumerator(spec, t);
	/* The first number is an index into an array of the struct itself: p[0].len. */
	size = btf__resolve_size(spec->btf, id);
	if (size < 0)
		return (int)size;
	if (ebpfnet__core_advance(spec, (uint64_t)size * 8 * index))
		return -ERANGE;
	while ((more = next_number(&access, false, &index)) > 0) {
		int ret = -EINVAL;

		if (spec->raw_len++ == EBPFNET__CORE_STEPS || !ebpfnet__core_spend(work))
			return -E2BIG;
		t = ebpfnet__core_skip(spec->btf, id, &id);
		if (t && btf_is_composite(t))
			ret = step_member(spec, t, &id, index);
		else if (t && btf_is_array(t))
			ret = step_element(spec, t, &id, index);
		if (ret)
			return ret;
	}
	return more;
}

int ebpfnet__core_parse(struct ebpfnet__core_work *work, const struct btf *btf,
			const struct bpf_core_relo *relo, struct ebpfnet__core_spec *spec)
{
	const char *access = ebpfnet__core_name(btf, relo->access_str_off);
	int ret = -EINVAL;

	memset(spec, 0, sizeof(*spec));
	spec->btf = btf;
	spec->root_id = relo->type_id;
	spec->kind = relo->kind;
	if (!btf__type_by_id(btf, relo->type_id)) {
		ebpfnet__core_why(work, "the object has no type %u", relo->type_id);
		return -EINVAL;
	}
	if (ebpfnet__core_is_type(relo->kind))
		ret = strcmp(access, "0") == 0 ? 0 : -EINVAL;
	else if (ebpfnet__core_is_field(relo->kind) || ebpfnet__core_is_enum(relo->kind))
		ret = parse_steps(work, spec, access);
	else
		ebpfnet__core_why(work, "unknown kind of relocation %u", relo->kind);
	if (ret)
		ebpfnet__core_why(work, "its access string \"%.40s\" does not fit its type",
				  access);
	return ret;
}

/* Appends like snprintf; a buffer that is full stays as it is. */
static void append(char *buf, size_t size, const char *fmt, ...) EBPFNET__PRINTF(3, 4);
static void append(char *buf, size_t size, const char *fmt, ...)
{
	size_t have = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + have, size - have, fmt, ap);
	va_end(ap);
}

void ebpfnet__core_words(const struct ebpfnet__core_spec *spec, char *buf, size_t size)
{
	const struct btf_type *t = btf__type_by_id(spec->btf, spec->root_id);
	const char *name = t ? ebpfnet__core_name(spec->btf, t->name_off) : "";
	/* p[0] is the thing itself; an enumerator that was not found has no name. */
	bool no_step = spec->len == 0 ||
		       (spec->len == 1 && !spec->steps[0].name &&
			(spec->steps[0].index == 0 || ebpfnet__core_is_enum(spec->kind)));
	bool type_only = ebpfnet__core_is_type(spec->kind) || no_step;

	buf[0] = '\0';
	if (type_only || ebpfnet__core_is_enum(spec->kind))
		append(buf, size, "%s ", ebpfnet__core_noun(t));
	if (*name)
		append(buf, size, "%.*s", (int)ebpfnet__core_essential(name), name);
	else
		append(buf, size, "(anonymous)");
	if (type_only)
		return;
	for (uint32_t i = 0; i < spec->len; i++) {
		const struct ebpfnet__core_step *step = &spec->steps[i];

		if (step->name)
			append(buf, size, ".%s", step->name);
		else if (i > 0 || step->index > 0)
			append(buf, size, "[%u]", step->index);
	}
}
