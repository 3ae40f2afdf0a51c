// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * ebpfnet_object_relocs() against libbpf: the same object is loaded with libbpf, which tells every
 * instruction that it patches as debug text and keeps the patched instructions. Nothing of that is
 * ours, so that a mistake of ours shows.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"

#define MAX 512

/* What libbpf did, from its own words. */
struct deed {
	char program[64];
	uint32_t insn;
	bool poisoned;
	uint64_t old_value, new_value;
};

static struct deed deeds[MAX];
static size_t deed_count;

static struct deed *deed_of(const char *program, uint32_t insn)
{
	for (size_t i = 0; i < deed_count; i++) {
		if (strcmp(deeds[i].program, program) == 0 && deeds[i].insn == insn)
			return &deeds[i];
	}
	return NULL;
}

static struct deed *new_deed(const char *program, uint32_t insn)
{
	struct deed *d = deed_of(program, insn);

	if (d)
		return d;
	ck_assert_uint_lt(deed_count, MAX);
	d = &deeds[deed_count++];
	memset(d, 0, sizeof(*d));
	snprintf(d->program, sizeof(d->program), "%s", program);
	d->insn = insn;
	return d;
}

static int listen_to_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[1024], program[64], form[32];
	uint64_t old_value, new_value;
	uint32_t number, insn;

	(void)level;
	vsnprintf(line, sizeof(line), fmt, ap);
	if (sscanf(line,
		   "libbpf: prog '%63[^']': relo #%u: patched insn #%u (%*[^)]) %31s %" SCNu64
		   " -> %" SCNu64,
		   program, &number, &insn, form, &old_value, &new_value) == 6) {
		struct deed *d;

		if (strcmp(form, "mem_sz") == 0) /* a second line about the same instruction */
			return 0;
		d = new_deed(program, insn);
		d->old_value = old_value;
		d->new_value = new_value;
	} else if (sscanf(line, "libbpf: prog '%63[^']': relo #%u: substituting insn #%u", program,
			  &number, &insn) == 3) {
		new_deed(program, insn)->poisoned = true;
	}
	return 0;
}

static struct bpf_object *load_with_libbpf(const char *path, const char *btf_path)
{
	LIBBPF_OPTS(bpf_object_open_opts, o, .btf_custom_path = btf_path);
	libbpf_print_fn_t before = libbpf_set_print(listen_to_libbpf);
	struct bpf_object *bpf = bpf_object__open_file(path, &o);
	int ret;

	deed_count = 0;
	ck_assert_ptr_nonnull(bpf);
	ret = bpf_object__load(bpf);
	libbpf_set_print(before);
	ck_assert_int_eq(ret, 0);
	return bpf;
}

static size_t list_relocs(const char *path, struct ebpfnet_reloc *relocs)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_object *obj;
	struct ebpfnet_ctx *ctx;
	size_t n = MAX, count = 0;

	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	ASSERT_OK(ebpfnet_object_open_file(ctx, path, NULL, &obj, &err), err);
	ASSERT_OK(ebpfnet_object_relocs(obj, NULL, 0, &count, &err), err);
	ASSERT_OK(ebpfnet_object_relocs(obj, relocs, sizeof(*relocs), &n, &err), err);
	ck_assert_uint_eq(n, count);
	ck_assert_uint_le(n, MAX);
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	return n;
}

/* The second half of a poisoned 64-bit load is a deed of libbpf's, but no relocation. */
static bool second_half(const struct deed *d)
{
	const struct deed *first = d->insn ? deed_of(d->program, d->insn - 1) : NULL;

	return d->poisoned && first && first->poisoned;
}

/* Relocations of which list and libbpf say different things, each printed. */
static int differences(const struct ebpfnet_reloc *relocs, size_t n, const char *off, bool print)
{
	size_t expected = 0, listed = 0;
	int wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const struct ebpfnet_reloc *r = &relocs[i];
		const struct deed *d = deed_of(r->program, r->insn);
		bool same;

		if (strcmp(r->program, off) == 0)
			continue;
		listed++;
		if (d && d->poisoned)
			same = r->effect == EBPFNET_RELOC_POISONED && r->why[0];
		else
			same = d && r->effect == EBPFNET_RELOC_PATCHED &&
			       r->target_value == d->new_value;
		wrong += !same;
		if (!same && print)
			printf("%s insn %u %s: %s %" PRIu64 " (%s); libbpf: %s %" PRIu64 "\n",
			       r->program, r->insn, r->what,
			       r->effect == EBPFNET_RELOC_PATCHED ? "patched" : "not patched",
			       r->target_value, r->why,
			       !d	     ? "nothing"
			       : d->poisoned ? "poisoned"
					     : "patched",
			       d ? d->new_value : 0);
	}
	for (size_t i = 0; i < deed_count; i++)
		expected += !second_half(&deeds[i]);
	if (expected != listed) {
		wrong++;
		if (print)
			printf("libbpf relocated %zu instructions, %zu are listed\n", expected,
			       listed);
	}
	return wrong;
}

START_TEST(agrees_with_libbpf)
{
	static struct ebpfnet_reloc relocs[MAX];
	struct bpf_object *bpf = load_with_libbpf(test_object("core_kinds"), NULL);
	size_t n = list_relocs(test_object("core_kinds"), relocs);
	uint32_t kinds = 0, poisoned = 0;

	ck_assert_int_eq(differences(relocs, n, "off", true), 0);
	for (size_t i = 0; i < n; i++) {
		kinds |= 1u << relocs[i].kind;
		poisoned += relocs[i].effect == EBPFNET_RELOC_POISONED;
	}
	printf("%zu relocations, %u poisoned, kinds 0x%x: the same as libbpf %s\n", n, poisoned,
	       kinds, libbpf_version_string());
	/* Every kind; clang learnt type_matches in version 15. */
	ck_assert_uint_eq(kinds | 1u << EBPFNET_RELOC_TYPE_MATCHES, 0x3ffe);
	ck_assert_uint_ge(poisoned, 3);
	bpf_object__close(bpf);
}
END_TEST

/* The comparison is worth something only if it finds a mistake. */
START_TEST(finds_a_planted_difference)
{
	static struct ebpfnet_reloc relocs[MAX], bad[MAX];
	struct bpf_object *bpf = load_with_libbpf(test_object("core_kinds"), NULL);
	size_t n = list_relocs(test_object("core_kinds"), relocs);

	for (size_t i = 0; i < n; i++) {
		memcpy(bad, relocs, sizeof(relocs));
		if (strcmp(bad[i].program, "off") == 0)
			continue;
		bad[i].target_value ^= bad[i].effect == EBPFNET_RELOC_PATCHED;
		bad[i].effect = bad[i].effect == EBPFNET_RELOC_POISONED ? EBPFNET_RELOC_PATCHED
									: bad[i].effect;
		ck_assert_int_eq(differences(bad, n, "off", false), 1);
	}
	ck_assert_int_ge(differences(relocs, n - 2, "off", false), 1);
	bpf_object__close(bpf);
}
END_TEST

static uint64_t constant_in(const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX:
		return (uint64_t)insn->off;
	case BPF_LD:
		return (uint32_t)insn->imm | (uint64_t)(uint32_t)insn[1].imm << 32;
	default:
		return (uint32_t)insn->imm;
	}
}

/* Without trust in libbpf's words: the instructions themselves, as they were given to the kernel.
 */
START_TEST(agrees_with_the_instructions)
{
	static struct ebpfnet_reloc relocs[MAX];
	struct bpf_object *bpf = load_with_libbpf(test_object("core_kinds"), NULL);
	size_t n = list_relocs(test_object("core_kinds"), relocs), compared = 0;

	for (size_t i = 0; i < n; i++) {
		const struct ebpfnet_reloc *r = &relocs[i];
		struct bpf_program *prog = bpf_object__find_program_by_name(bpf, r->program);
		const struct bpf_insn *insn;

		if (!prog || !bpf_program__autoload(prog))
			continue;
		ck_assert_uint_lt(r->insn, bpf_program__insn_cnt(prog));
		insn = bpf_program__insns(prog) + r->insn;
		compared++;
		if (r->effect == EBPFNET_RELOC_POISONED) {
			ck_assert_uint_eq(insn->code, BPF_JMP | BPF_CALL);
			ck_assert_int_eq(insn->imm, 0xbad2310);
			continue;
		}
		ck_assert_msg(constant_in(insn) == r->target_value,
			      "%s insn %u %s: listed %" PRIu64 ", patched %" PRIu64, r->program,
			      r->insn, r->what, r->target_value, constant_in(insn));
	}
	ck_assert_uint_gt(compared, 80);
	bpf_object__close(bpf);
}
END_TEST

static const struct ebpfnet_reloc *reloc_of(const struct ebpfnet_reloc *relocs, size_t n,
					    const char *program, const char *what, uint32_t kind)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(relocs[i].program, program) == 0 && strcmp(relocs[i].what, what) == 0 &&
		    relocs[i].kind == kind)
			return &relocs[i];
	}
	ck_abort_msg("no relocation of %s in %s", what, program);
	return NULL;
}

/* The words are C, and the reasons are about the thing that is missing. */
START_TEST(says_it_in_words)
{
	static struct ebpfnet_reloc relocs[MAX];
	size_t n = list_relocs(test_object("core_kinds"), relocs);
	static const struct {
		const char *program, *what, *why;
		uint32_t kind;
		uint32_t found;
	} rows[] = {
		{ "loads", "sk_buff.len", "", EBPFNET_RELOC_FIELD_OFFSET, 1 },
		{ "loads", "sk_buff.cb[5]", "", EBPFNET_RELOC_FIELD_OFFSET, 1 },
		{ "loads", "net.ns.inum", "", EBPFNET_RELOC_FIELD_OFFSET, 1 },
		{ "fields", "sock.__sk_common.skc_v6_daddr.in6_u.u6_addr32[2]", "",
		  EBPFNET_RELOC_FIELD_OFFSET, 1 },
		{ "fields", "sk_buff.ebpfnet_no_such_member",
		  "struct sk_buff has no member ebpfnet_no_such_member there",
		  EBPFNET_RELOC_FIELD_EXISTS, 0 },
		{ "fields", "sk_buff.len",
		  "len is of type struct in the object and of type integer there",
		  EBPFNET_RELOC_FIELD_EXISTS, 0 },
		{ "fields", "ebpfnet_no_such_type.y",
		  "this kernel has no struct ebpfnet_no_such_type", EBPFNET_RELOC_FIELD_EXISTS, 0 },
		{ "types", "struct sk_buff", "", EBPFNET_RELOC_TYPE_SIZE, 1 },
		{ "types", "union bpf_attr", "", EBPFNET_RELOC_TYPE_SIZE, 1 },
		{ "types", "typedef ebpfnet_no_such_typedef",
		  "this kernel has no typedef ebpfnet_no_such_typedef", EBPFNET_RELOC_TYPE_EXISTS,
		  0 },
		{ "enums", "enum nf_inet_hooks.NF_INET_POST_ROUTING", "", EBPFNET_RELOC_ENUM_VALUE,
		  1 },
		{ "enums", "enum nf_inet_hooks.NF_INET_EBPFNET_NO_SUCH",
		  "enum nf_inet_hooks has no NF_INET_EBPFNET_NO_SUCH there",
		  EBPFNET_RELOC_ENUM_VALUE, 0 },
		{ "length_of", "sk_buff.mark", "", EBPFNET_RELOC_FIELD_OFFSET, 1 },
		{ "off", "sk_buff.data_len", "", EBPFNET_RELOC_FIELD_OFFSET, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct ebpfnet_reloc *r =
			reloc_of(relocs, n, rows[i].program, rows[i].what, rows[i].kind);

		/* The same words twice in a program: the one that is asked about exists or not. */
		while (r->found != rows[i].found && r + 1 < relocs + n)
			r = reloc_of(r + 1, (size_t)(relocs + n - r - 1), rows[i].program,
				     rows[i].what, rows[i].kind);
		ck_assert_str_eq(r->why, rows[i].why);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { agrees_with_libbpf, agrees_with_the_instructions,
				       finds_a_planted_difference, says_it_in_words };

	test_need_root();
	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		test_skip("needs a kernel with BTF");
	return test_run(test_suite("core_agree", tests, sizeof(tests) / sizeof(*tests), 60));
}
