// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* CO-RE rules on types made for the purpose: what clang 14 cannot emit and what no kernel has. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"
#include "load/core_spec.h"

#define MOV (BPF_ALU64 | BPF_MOV | BPF_K)
#define LOAD_1 (BPF_LDX | BPF_MEM | BPF_B)
#define LOAD_4 (BPF_LDX | BPF_MEM | BPF_W)

/* The object's types and the kernel's; type 1 is unsigned int and 2 is int in both. */
struct pair {
	struct btf *local, *kernel;
	struct ebpfnet__core_target *target;
	struct ebpfnet__core_resolver *resolver;
	bool switched_off; /* the programs that are tried are not loaded */
};

static void open_pair(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	p->local = btf__new_empty();
	p->kernel = btf__new_empty();
	for (int i = 0; i < 2; i++) {
		struct btf *btf = i ? p->local : p->kernel;

		ck_assert_int_eq(btf__add_int(btf, "unsigned int", 4, 0), 1);
		ck_assert_int_eq(btf__add_int(btf, "int", 4, BTF_INT_SIGNED), 2);
	}
}

static void close_pair(struct pair *p)
{
	ebpfnet__core_resolver_free(p->resolver);
	ebpfnet__core_target_close(p->target);
	btf__free(p->local);
	btf__free(p->kernel);
}

/* What becomes of one instruction; types cannot be added any more afterwards. */
static int try(struct pair *p, uint32_t kind, int type, const char *access, uint8_t code,
	       int64_t local_value, struct ebpfnet_reloc *out)
{
	struct bpf_insn insn[2] = { { .code = code } };
	struct ebpfnet__core_record record = {
		.relo = { .kind = kind, .type_id = (uint32_t)type },
		.insn = insn,
		.has_next = true,
		.keeps_candidates = p->switched_off,
	};

	insn[0].imm = (int32_t)local_value;
	if (BPF_CLASS(code) == BPF_LDX)
		insn[0].off = (int16_t)local_value;
	if (BPF_CLASS(code) == BPF_LD)
		insn[1].imm = (int32_t)(local_value >> 32);
	record.relo.access_str_off = (uint32_t)btf__add_str(p->local, access);
	if (!p->resolver) {
		ck_assert_int_eq(ebpfnet__core_target_new(p->kernel, NULL, &p->target), 0);
		p->resolver = ebpfnet__core_resolver_new(p->local, p->target);
		ck_assert_ptr_nonnull(p->resolver);
	}
	return ebpfnet__core_resolve(p->resolver, &record, out);
}

static void expect(struct pair *p, uint32_t kind, int type, const char *access, uint8_t code,
		   int64_t local_value, uint32_t effect, uint64_t value, const char *what,
		   const char *why)
{
	struct ebpfnet_reloc out;

	ck_assert_int_eq(try(p, kind, type, access, code, local_value, &out), 0);
	ck_assert_str_eq(out.what, what);
	ck_assert_str_eq(out.why, why);
	ck_assert_uint_eq(out.effect, effect);
	ck_assert_uint_eq(out.target_value, value);
	ck_assert_uint_eq(out.kind, kind + 1);
}

#define PATCHED EBPFNET_RELOC_PATCHED
#define POISONED EBPFNET_RELOC_POISONED
#define REFUSED EBPFNET_RELOC_REFUSED

START_TEST(names_without_flavor)
{
	static const struct {
		const char *name;
		size_t n;
	} rows[] = {
		{ "", 0 },	    { "a", 1 },	     { "sk_buff", 7 }, { "sk_buff___v2", 7 },
		{ "a___b___c", 5 }, { "a____b", 6 }, { "a___", 4 },    { "___a", 4 },
		{ "a__b", 4 },	    { "a___b", 1 },  { "a___b_", 1 },
	};

	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(rows); i++)
		ck_assert_uint_eq(ebpfnet__core_essential(rows[i].name), rows[i].n);
	ck_assert(ebpfnet__core_same_name("a___x", "a___y"));
	ck_assert(!ebpfnet__core_same_name("a___x", "b___x"));
}
END_TEST

START_TEST(wide_enums)
{
	const uint8_t ld = BPF_LD | BPF_IMM | BPF_DW;
	struct pair p;
	int e, narrow;

	open_pair(&p);
	e = btf__add_enum64(p.local, "wide", 8, false);
	btf__add_enum64_value(p.local, "BIG", 5);
	btf__add_enum64_value(p.local, "GONE", 6);
	narrow = btf__add_enum(p.local, "turned", 4);
	btf__add_enum_value(p.local, "X", 1);
	btf__add_enum64(p.kernel, "wide", 8, false);
	btf__add_enum64_value(p.kernel, "OTHER", 1);
	btf__add_enum64_value(p.kernel, "BIG", 0x123456789abcdef0);
	btf__add_enum64(p.kernel, "turned", 8, true);
	btf__add_enum64_value(p.kernel, "X", (uint64_t)-2);
	expect(&p, BPF_CORE_ENUMVAL_VALUE, e, "0", ld, 5, PATCHED, 0x123456789abcdef0,
	       "enum wide.BIG", "");
	expect(&p, BPF_CORE_ENUMVAL_EXISTS, e, "0", ld, 1, PATCHED, 1, "enum wide.BIG", "");
	expect(&p, BPF_CORE_ENUMVAL_EXISTS, e, "1", ld, 1, PATCHED, 0, "enum wide.GONE",
	       "enum wide has no GONE there");
	expect(&p, BPF_CORE_ENUMVAL_VALUE, e, "1", ld, 6, POISONED, 0, "enum wide.GONE",
	       "enum wide has no GONE there");
	expect(&p, BPF_CORE_ENUMVAL_VALUE, narrow, "0", ld, 1, PATCHED, (uint64_t)-2,
	       "enum turned.X", "");
	/* An instruction that does not hold what the object's own type says is not touched. */
	expect(&p, BPF_CORE_ENUMVAL_VALUE, narrow, "0", ld, 3, REFUSED, 0, "enum turned.X",
	       "the instruction holds 3, and the object's own type says 1");
	expect(&p, BPF_CORE_ENUMVAL_VALUE, e, "2", ld, 5, REFUSED, 0, "enum wide",
	       "its access string \"2\" does not fit its type");
	close_pair(&p);
}
END_TEST

/* struct s { unsigned a[4]; struct { unsigned inner; }; unsigned last[]; } in another order. */
static int add_local(struct btf *btf)
{
	int array = btf__add_array(btf, 1, 1, 4), open_array = btf__add_array(btf, 1, 1, 0), s;
	int anonymous = btf__add_struct(btf, NULL, 4);

	btf__add_field(btf, "inner", 1, 0, 0);
	s = btf__add_struct(btf, "s___mine", 20);
	btf__add_field(btf, "a", array, 0, 0);
	btf__add_field(btf, NULL, anonymous, 128, 0);
	btf__add_field(btf, "last", open_array, 160, 0);
	return s;
}

static void add_kernel(struct btf *btf)
{
	int array = btf__add_array(btf, 1, 1, 2), open_array = btf__add_array(btf, 1, 1, 0);
	int deepest = btf__add_struct(btf, NULL, 8), deeper;

	btf__add_field(btf, "inner", 1, 32, 0);
	deeper = btf__add_union(btf, NULL, 8);
	btf__add_field(btf, NULL, deepest, 0, 0);
	btf__add_struct(btf, "s", 40);
	btf__add_field(btf, NULL, deeper, 64, 0);
	btf__add_field(btf, "a", array, 128, 0);
	btf__add_field(btf, "last", open_array, 320, 0);
}

START_TEST(arrays_and_anonymous_members)
{
	struct pair p;
	int s;

	open_pair(&p);
	s = add_local(p.local);
	add_kernel(p.kernel);
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0:1", LOAD_4, 4, PATCHED, 20, "s.a[1]", "");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0:3", LOAD_4, 12, POISONED, 0, "s.a[3]",
	       "element 3 is asked for and the array has 2 there");
	expect(&p, BPF_CORE_FIELD_EXISTS, s, "0:0:3", MOV, 1, PATCHED, 0, "s.a[3]",
	       "element 3 is asked for and the array has 2 there");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:1:0", LOAD_4, 16, PATCHED, 12, "s.inner", "");
	/* A load from the array itself moves one element; libbpf before 1.6 compared whole arrays.
	 */
	if (libbpf_major_version() == 1 && libbpf_minor_version() < 6)
		expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0", LOAD_4, 0, POISONED, 0, "s.a",
		       "it has 16 bytes in the object and 8 there: not loaded as is");
	else
		expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0", LOAD_4, 0, PATCHED, 16, "s.a", "");
	/* An array without a length at the end goes on for ever. */
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:2:7", LOAD_4, 48, PATCHED, 68, "s.last[7]",
	       "");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "2:0:1", MOV, 44, PATCHED, 100, "s[2].a[1]", "");
	expect(&p, BPF_CORE_FIELD_BYTE_SIZE, s, "0:0", MOV, 16, PATCHED, 8, "s.a", "");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0:4", MOV, 16, REFUSED, 0, "s.a",
	       "its access string \"0:0:4\" does not fit its type");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:9", MOV, 16, REFUSED, 0, "struct s",
	       "its access string \"0:9\" does not fit its type");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:-1", MOV, 16, REFUSED, 0, "struct s",
	       "its access string \"0:-1\" does not fit its type");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "4294967296", MOV, 0, REFUSED, 0, "struct s",
	       "its access string \"4294967296\" does not fit its type");
	/* An offset that no load can hold. */
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "1000:0:1", LOAD_4, 20004, REFUSED, 0,
	       "s[1000].a[1]", "offset 40020 is beyond what a load or store can hold");
	close_pair(&p);
}
END_TEST

START_TEST(widths)
{
	struct pair p;
	int wide, s;

	open_pair(&p);
	s = btf__add_struct(p.local, "s", 24);
	btf__add_field(p.local, "number", 1, 0, 0);
	btf__add_field(p.local, "sign", 2, 32, 0);
	btf__add_field(p.local, "bits", 1, 64, 3);
	btf__add_field(p.local, "whole", 1, 96, 0);
	wide = btf__add_int(p.kernel, "unsigned long", 8, 0);
	btf__add_struct(p.kernel, "s", 32);
	btf__add_field(p.kernel, "number", wide, 0, 0);
	btf__add_field(p.kernel, "sign", wide, 64, 0);
	btf__add_field(p.kernel, "bits", 1, 128 + 13, 5);
	btf__add_field(p.kernel, "whole", 1, 192 + 4, 4);
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0", LOAD_4, 0, PATCHED, 0, "s.number", "");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:1", LOAD_4, 4, POISONED, 0, "s.sign",
	       "it has 4 bytes in the object and 8 there: not loaded as is");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:1", MOV, 4, PATCHED, 8, "s.sign", "");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:3", LOAD_4, 12, POISONED, 0, "s.whole",
	       "it is a bit field or an array of no length there");
	/* A load of another width than the member's cannot be widened. */
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0", LOAD_1, 0, REFUSED, 0, "s.number",
	       "no load or store moves its 8 bytes");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:2", MOV, 99, PATCHED, 16, "s.bits", "");
	expect(&p, BPF_CORE_FIELD_LSHIFT_U64, s, "0:2", MOV, 99, PATCHED,
	       __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 64 - 18 : 32 + 13, "s.bits", "");
	expect(&p, BPF_CORE_FIELD_RSHIFT_U64, s, "0:2", MOV, 61, PATCHED, 59, "s.bits", "");
	expect(&p, BPF_CORE_FIELD_SIGNED, s, "0:1", MOV, 1, PATCHED, 0, "s.sign", "");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0", BPF_ALU64 | BPF_MOV | BPF_X, 0, REFUSED, 0,
	       "s.number", "an instruction of code 0xbf takes no such value");
	close_pair(&p);
}
END_TEST

/* A kernel type that did not fit one relocation is no candidate for the next one. */
START_TEST(candidates)
{
	struct pair p;
	int s;

	open_pair(&p);
	s = btf__add_struct(p.local, "s", 8);
	btf__add_field(p.local, "common", 1, 0, 0);
	btf__add_field(p.local, "only_first", 1, 32, 0);
	btf__add_struct(p.kernel, "s", 16);
	btf__add_field(p.kernel, "common", 1, 0, 0);
	btf__add_field(p.kernel, "only_first", 1, 96, 0);
	btf__add_struct(p.kernel, "s___2", 16);
	btf__add_field(p.kernel, "common", 1, 64, 0);
	btf__add_union(p.kernel, "s", 16);
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0", MOV, 0, REFUSED, 0, "s.common",
	       "ambiguous: types 3 and 4 have it at offsets 0 and 8");
	expect(&p, BPF_CORE_TYPE_ID_TARGET, s, "0", MOV, 0, REFUSED, 0, "struct s",
	       "ambiguous: types 3 and 4 give 3 and 4");
	expect(&p, BPF_CORE_TYPE_SIZE, s, "0", MOV, 8, PATCHED, 16, "struct s", "");
	/* libbpf does not see what a program asks that is switched off. */
	p.switched_off = true;
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:1", MOV, 4, PATCHED, 12, "s.only_first", "");
	p.switched_off = false;
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0", MOV, 0, REFUSED, 0, "s.common",
	       "ambiguous: types 3 and 4 have it at offsets 0 and 8");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:1", MOV, 4, PATCHED, 12, "s.only_first", "");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0", MOV, 0, PATCHED, 0, "s.common", "");
	close_pair(&p);
}
END_TEST

START_TEST(types_that_match)
{
	struct pair p;
	int s, f, h, wide, proto, t;

	open_pair(&p);
	s = btf__add_struct(p.local, "s", 8);
	btf__add_field(p.local, "a", 1, 0, 0);
	f = btf__add_struct(p.local, "f", 8);
	btf__add_field(p.local, "a", 2, 0, 0);
	h = btf__add_struct(p.local, "h", 8);
	btf__add_field(p.local, "a", 1, 0, 0);
	proto = btf__add_func_proto(p.local, 2);
	btf__add_func_param(p.local, "x", 1);
	t = btf__add_typedef(p.local, "fn", btf__add_ptr(p.local, proto));

	btf__add_struct(p.kernel, "s", 16);
	btf__add_field(p.kernel, "b", 2, 0, 0);
	btf__add_field(p.kernel, "a", 1, 32, 0);
	btf__add_struct(p.kernel, "f", 16);
	btf__add_field(p.kernel, "a", 1, 32, 0);
	wide = btf__add_int(p.kernel, "unsigned int", 8, 0);
	btf__add_struct(p.kernel, "h", 8);
	btf__add_field(p.kernel, "a", wide, 0, 0);
	proto = btf__add_func_proto(p.kernel, 2);
	btf__add_func_param(p.kernel, "other", 1);
	btf__add_typedef(p.kernel, "fn", btf__add_ptr(p.kernel, proto));
	expect(&p, BPF_CORE_TYPE_MATCHES, s, "0", MOV, 1, PATCHED, 1, "struct s", "");
	expect(&p, BPF_CORE_TYPE_MATCHES, f, "0", MOV, 1, PATCHED, 0, "struct f",
	       "the type does not match there: a member or its type differs");
	expect(&p, BPF_CORE_TYPE_EXISTS, f, "0", MOV, 1, PATCHED, 1, "struct f", "");
	expect(&p, BPF_CORE_TYPE_MATCHES, h, "0", MOV, 1, PATCHED, 0, "struct h",
	       "the type does not match there: a member or its type differs");
	expect(&p, BPF_CORE_TYPE_MATCHES, t, "0", MOV, 1, PATCHED, 1, "typedef fn", "");
	expect(&p, BPF_CORE_TYPE_EXISTS, t, "0", MOV, 1, PATCHED, 1, "typedef fn", "");
	close_pair(&p);
}
END_TEST

/* Types that go in circles end in a refusal, and the worst of them ends the whole call. */
START_TEST(circles)
{
	struct ebpfnet_reloc out;
	struct pair p;
	int a, b, s, typedef_id;

	open_pair(&p);
	typedef_id = (int)btf__type_cnt(p.local);
	btf__add_typedef(p.local, "around", typedef_id + 1);
	btf__add_typedef(p.local, "and_around", typedef_id);
	s = btf__add_struct(p.local, "s", 8);
	btf__add_field(p.local, "wanted", 1, 0, 0);
	/* An anonymous struct that holds two of itself. */
	a = (int)btf__type_cnt(p.kernel);
	btf__add_struct(p.kernel, NULL, 8);
	btf__add_field(p.kernel, NULL, a, 0, 0);
	btf__add_field(p.kernel, NULL, a, 0, 0);
	btf__add_struct(p.kernel, "s", 8);
	btf__add_field(p.kernel, NULL, a, 0, 0);
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, typedef_id, "0", MOV, 0, REFUSED, 0,
	       "typedef around", "its access string \"0\" does not fit its type");
	expect(&p, BPF_CORE_FIELD_BYTE_OFFSET, s, "0:0", MOV, 0, REFUSED, 0, "s.wanted",
	       "the type is corrupt, or nested too deeply");
	close_pair(&p);

	/* Whole types that are twice their own member by value, 2^32 comparisons. */
	open_pair(&p);
	for (int i = 0; i < 2; i++) {
		struct btf *btf = i ? p.local : p.kernel;

		b = (int)btf__type_cnt(btf);
		btf__add_struct(btf, "s", 8);
		btf__add_field(btf, "one", b, 0, 0);
		btf__add_field(btf, "one", b, 0, 0);
		btf__add_field(btf, i ? "here" : "there", 1, 0, 0);
	}
	/* libbpf's limit of 32 levels ends it before the budget does. */
	ck_assert_int_eq(try(&p, BPF_CORE_TYPE_MATCHES, b, "0", MOV, 1, &out), 0);
	ck_assert_uint_eq(out.effect, EBPFNET_RELOC_REFUSED);
	close_pair(&p);
}
END_TEST

/* A ladder of structs, each with two of the one below under names that are tried in turn. */
START_TEST(budget)
{
	struct ebpfnet_reloc out;
	struct pair p;
	int top = 0;

	open_pair(&p);
	for (int i = 0; i < 2; i++) {
		struct btf *btf = i ? p.local : p.kernel;

		top = btf__add_struct(btf, "s", 8);
		btf__add_field(btf, i ? "here" : "there", 1, 0, 0);
		for (int level = 0; level < 29; level++) {
			int below = top;

			top = btf__add_struct(btf, "s", 8);
			/* Each mismatch below makes the next namesake be tried: 4^29 ways to fail.
			 */
			for (int k = 0; k < 4; k++)
				btf__add_field(btf, "m", below, 0, 0);
		}
	}
	ck_assert_int_eq(try(&p, BPF_CORE_TYPE_MATCHES, top, "0", MOV, 1, &out), -E2BIG);
	close_pair(&p);
}
END_TEST

/* A type that only a module has is found in the module's own BTF, which leans on the kernel's. */
START_TEST(modules)
{
	struct ebpfnet__core_target *target;
	struct ebpfnet__core_candidates *found;
	char folder[] = "/tmp/ebpfnet-modules-XXXXXX", path[128];
	struct btf *module;
	const void *data;
	struct pair p;
	uint32_t size;
	int s, both;
	FILE *f;

	open_pair(&p);
	s = btf__add_struct(p.local, "nf_conn", 8);
	both = btf__add_struct(p.local, "sk_buff", 8);
	btf__add_struct(p.kernel, "sk_buff", 8);
	module = btf__new_empty_split(p.kernel);
	btf__add_struct(module, "nf_conn", 64);
	btf__add_field(module, "mark", 1, 96, 0);
	btf__add_struct(module, "sk_buff", 16);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/nf_conntrack", folder);
	data = btf__raw_data(module, &size);
	f = fopen(path, "we");
	ck_assert_uint_eq(fwrite(data, 1, size, f), size);
	fclose(f);
	btf__free(module);

	ck_assert_int_eq(ebpfnet__core_target_new(p.kernel, folder, &target), 0);
	/* What the kernel itself has is not looked for in modules. */
	found = ebpfnet__core_find(target, p.local, (uint32_t)both);
	ck_assert_uint_eq(found->count, 1);
	ck_assert_uint_eq(btf__type_by_id(found->list[0].btf, found->list[0].id)->size, 8);
	free(found);
	found = ebpfnet__core_find(target, p.local, (uint32_t)s);
	ck_assert_uint_eq(found->count, 1);
	ck_assert_uint_eq(btf__type_by_id(found->list[0].btf, found->list[0].id)->size, 64);
	free(found);
	ck_assert_str_eq(ebpfnet__core_target_noun(target), "this kernel");
	ebpfnet__core_target_close(target);
	unlink(path);
	rmdir(folder);
	close_pair(&p);
}
END_TEST

TEST_MAIN("core_spec", 60, names_without_flavor, wide_enums, arrays_and_anonymous_members, widths,
	  candidates, types_that_match, circles, budget, modules)
