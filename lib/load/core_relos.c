// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The CO-RE records of an object: section .BTF.ext, written by clang and laid out as
 *
 *	header	magic, version, flags, header length; offset and length of three parts
 *	part	record size; then per ELF section: name, number of records, the records
 *
 * libbpf reads it too, but shows it to nobody. Every offset in it may be a lie.
 */
#include "load/core_relos.h"

#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>

#include "core/ctx.h"
#include "core/opts.h"
#include "load/core_spec.h"

#define BTF_EXT_MAGIC 0xeB9F
/* Fields of the header, by their byte. */
#define HEADER_MIN 8
#define HEADER_CORE_OFF 24
#define HEADER_CORE_END 32

struct bytes {
	const unsigned char *data;
	size_t size;
};

/* A function's instructions; its section's name is how .BTF.ext speaks of it. */
struct function {
	const char *name;
	const char *section;
	struct bytes code;
	uint64_t start; /* in its section */
};

struct object_view {
	struct ebpfnet__call *call;
	const struct ebpfnet_object *obj;
	Elf *elf;
	size_t names; /* section of section names */
	struct bytes btf_ext;
	struct function *functions; /* by section name, then start */
	size_t function_count;
};

static int fail_bad(struct object_view *v, const char *what)
{
	ebpfnet__hint(v->call, "compile the object again: libbpf ignores such a section and loads "
			       "programs as they are, for the structures of another kernel");
	return ebpfnet__fail(v->call, -EINVAL, EBPFNET_ERROR_INVALID, "section .BTF.ext: %s", what);
}

static bool section_bytes(const struct object_view *v, const GElf_Shdr *sh, struct bytes *out)
{
	if (sh->sh_type == SHT_NOBITS || sh->sh_offset > v->obj->size ||
	    sh->sh_size > v->obj->size - sh->sh_offset)
		return false;
	out->data = (const unsigned char *)v->obj->data + sh->sh_offset;
	out->size = sh->sh_size;
	return true;
}

static const char *section_name(const struct object_view *v, const GElf_Shdr *sh)
{
	const char *name = elf_strptr(v->elf, v->names, sh->sh_name);

	return name ? name : "";
}

/* A symbol's function, if it is one that libbpf would take for a program or subprogram. */
static bool read_function(const struct object_view *v, const GElf_Sym *sym, size_t strings,
			  struct function *f)
{
	GElf_Shdr sh;
	Elf_Scn *scn;
	struct bytes section;

	if (GELF_ST_TYPE(sym->st_info) != STT_FUNC || sym->st_shndx == SHN_UNDEF ||
	    sym->st_shndx >= SHN_LORESERVE)
		return false;
	scn = elf_getscn(v->elf, sym->st_shndx);
	if (!scn || !gelf_getshdr(scn, &sh) || !section_bytes(v, &sh, &section))
		return false;
	if (sym->st_size == 0 || sym->st_value > section.size ||
	    sym->st_size > section.size - sym->st_value)
		return false;
	f->name = elf_strptr(v->elf, strings, sym->st_name);
	f->section = section_name(v, &sh);
	f->code.data = section.data + sym->st_value;
	f->code.size = sym->st_size;
	f->start = sym->st_value;
	return f->name;
}

static int compare_functions(const void *a, const void *b)
{
	const struct function *x = a, *y = b;
	int order = strcmp(x->section, y->section);

	if (order)
		return order;
	return x->start < y->start ? -1 : x->start > y->start;
}

static int list_functions(struct object_view *v, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data ? data->d_size / sizeof(Elf64_Sym) : 0;

	if (v->functions)
		return 0;
	v->functions = calloc(n + 1, sizeof(*v->functions));
	if (!v->functions)
		return ebpfnet__fail_nomem(v->call);
	for (size_t i = 0; i < n; i++) {
		GElf_Sym sym;

		if (gelf_getsym(data, (int)i, &sym) &&
		    read_function(v, &sym, sh->sh_link, &v->functions[v->function_count]))
			v->function_count++;
	}
	qsort(v->functions, v->function_count, sizeof(*v->functions), compare_functions);
	return 0;
}

static int open_view(struct object_view *v)
{
	Elf_Scn *scn = NULL;

	elf_version(EV_CURRENT);
	v->elf = elf_memory((char *)v->obj->data, v->obj->size);
	if (!v->elf || elf_getshdrstrndx(v->elf, &v->names))
		return ebpfnet__fail(v->call, -EINVAL, EBPFNET_ERROR_INVALID, "%s", elf_errmsg(-1));
	while ((scn = elf_nextscn(v->elf, scn))) {
		GElf_Shdr sh;
		int ret = 0;

		if (!gelf_getshdr(scn, &sh))
			continue;
		if (sh.sh_type == SHT_SYMTAB)
			ret = list_functions(v, scn, &sh);
		else if (!v->btf_ext.data && strcmp(section_name(v, &sh), ".BTF.ext") == 0 &&
			 !section_bytes(v, &sh, &v->btf_ext))
			ret = fail_bad(v, "it ends beyond the file");
		if (ret)
			return ret;
	}
	return 0;
}

static void ebpfnet__cleanup_view(struct object_view *v)
{
	free(v->functions);
	elf_end(v->elf);
}

/* The function around an offset into a section, or NULL. */
static const struct function *find_function(const struct object_view *v, const char *section,
					    uint64_t offset)
{
	size_t low = 0, high = v->function_count;
	struct function key = { .section = section, .start = offset };

	/* The first that begins behind it; the one before is the last that does not. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_functions(&v->functions[middle], &key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	low--;
	if (strcmp(v->functions[low].section, section) != 0 ||
	    offset - v->functions[low].start >= v->functions[low].code.size)
		return NULL;
	return &v->functions[low];
}

static uint32_t word_at(struct bytes b, size_t offset)
{
	uint32_t word;

	memcpy(&word, b.data + offset, sizeof(word));
	return word;
}

/* The part with CO-RE records; empty if the compiler wrote none. */
static int core_part(struct object_view *v, struct bytes *part)
{
	struct bytes ext = v->btf_ext;
	uint32_t header, offset, size;
	uint16_t magic;

	*part = (struct bytes) { 0 };
	if (!ext.data)
		return 0;
	if (ext.size < HEADER_MIN)
		return fail_bad(v, "it is shorter than its header");
	memcpy(&magic, ext.data, sizeof(magic));
	header = word_at(ext, 4);
	if (magic != BTF_EXT_MAGIC || ext.data[2] != 1 || ext.data[3] != 0)
		return fail_bad(v, "its magic, version or flags are not those of BTF");
	if (header < HEADER_MIN || header > ext.size)
		return fail_bad(v, "its header ends beyond it");
	if (header < HEADER_CORE_END)
		return 0; /* clang before 9 */
	offset = word_at(ext, HEADER_CORE_OFF);
	size = word_at(ext, HEADER_CORE_OFF + 4);
	if (offset > ext.size - header || size > ext.size - header - offset)
		return fail_bad(v, "its CO-RE records end beyond it");
	part->data = ext.data + header + offset;
	part->size = size;
	return 0;
}

/* A record in its function. */
struct found_record {
	const struct function *function;
	struct ebpfnet__core_record record;
	uint32_t insn;
};

typedef int (*record_fn)(void *data, const struct found_record *found);

static int visit_record(struct object_view *v, const char *section, const unsigned char *bytes,
			record_fn fn, void *data)
{
	struct found_record r = { 0 };
	struct bpf_core_relo *relo = &r.record.relo;
	size_t offset;

	memcpy(relo, bytes, sizeof(*relo));
	if (relo->insn_off % sizeof(struct bpf_insn))
		return fail_bad(v, "a record points into the middle of an instruction");
	r.function = find_function(v, section, relo->insn_off);
	if (!r.function) /* a weak function that a linker dropped: libbpf passes it over too */
		return 0;
	offset = relo->insn_off - r.function->start;
	if (offset % sizeof(struct bpf_insn) ||
	    r.function->code.size - offset < sizeof(struct bpf_insn))
		return fail_bad(v, "a record points to half an instruction");
	r.insn = (uint32_t)(offset / sizeof(struct bpf_insn));
	r.record.insn = r.function->code.data + offset;
	r.record.has_next = r.function->code.size - offset >= 2 * sizeof(struct bpf_insn);
	return fn(data, &r);
}

/* Calls fn for every record of the object; what it returns other than 0 ends it. */
static int visit_records(struct object_view *v, record_fn fn, void *data)
{
	const struct btf *btf = bpf_object__btf(v->obj->bpf);
	struct bytes part;
	uint32_t record_size;
	size_t at = 4;
	int ret = core_part(v, &part);

	if (ret || part.size == 0)
		return ret;
	if (part.size < 4)
		return fail_bad(v, "its CO-RE records have no size");
	record_size = word_at(part, 0);
	if (record_size < sizeof(struct bpf_core_relo) || record_size % 4)
		return fail_bad(v, "the size of its CO-RE records is wrong");
	while (at < part.size) {
		const char *section;
		uint32_t n;

		if (part.size - at < 8)
			return fail_bad(v, "a list of CO-RE records is cut off");
		section = ebpfnet__core_name(btf, word_at(part, at));
		n = word_at(part, at + 4);
		at += 8;
		if (!*section || n == 0 || n > (part.size - at) / record_size)
			return fail_bad(v, "a list of CO-RE records is longer than the section");
		for (; n > 0; n--, at += record_size) {
			ret = visit_record(v, section, part.data + at, fn, data);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static int count_record(void *data, const struct found_record *found)
{
	(void)found;
	++*(size_t *)data;
	return 0;
}

/* A resolver at work over the records of one object. */
struct listing {
	struct object_view *view;
	struct ebpfnet__core_resolver *resolver;
	ebpfnet__core_reloc_fn fn;
	void *data;
};

static int list_record(void *data, const struct found_record *found)
{
	struct listing *l = data;
	struct ebpfnet__core_record record = found->record;
	struct bpf_program *prog =
		bpf_object__find_program_by_name(l->view->obj->bpf, found->function->name);
	struct ebpfnet_reloc reloc;
	int ret;

	record.keeps_candidates = prog && !bpf_program__autoload(prog);
	ret = ebpfnet__core_resolve(l->resolver, &record, &reloc);
	if (ret == -ENOMEM)
		return ebpfnet__fail_nomem(l->view->call);
	if (ret)
		return ebpfnet__fail(l->view->call, ret, EBPFNET_ERROR_INVALID,
				     "%s: the types are too entangled to be searched", reloc.what);
	snprintf(reloc.program, sizeof(reloc.program), "%s", found->function->name);
	reloc.insn = found->insn;
	return l->fn(l->data, &reloc);
}

static void ebpfnet__cleanup_target(struct ebpfnet__core_target **target)
{
	ebpfnet__core_target_close(*target);
}

static void ebpfnet__cleanup_resolver(struct ebpfnet__core_resolver **resolver)
{
	ebpfnet__core_resolver_free(*resolver);
}

int ebpfnet__core_each(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
		       ebpfnet__core_reloc_fn fn, void *data)
{
	CLEANUP(view) struct object_view v = { .call = call, .obj = obj };
	CLEANUP(target) struct ebpfnet__core_target *target = NULL;
	CLEANUP(resolver) struct ebpfnet__core_resolver *resolver = NULL;
	struct listing l = { .view = &v, .fn = fn, .data = data };
	size_t count = 0;
	int ret = open_view(&v);

	if (ret == 0)
		ret = visit_records(&v, count_record, &count);
	/* An object without relocations asks nothing of the kernel. */
	if (ret || count == 0)
		return ret;
	ret = ebpfnet__core_target_open(call, obj->ctx->btf_path, &target);
	if (ret)
		return ret;
	resolver = ebpfnet__core_resolver_new(bpf_object__btf(obj->bpf), target);
	if (!resolver)
		return ebpfnet__fail_nomem(call);
	l.resolver = resolver;
	return visit_records(&v, list_record, &l);
}

int ebpfnet__core_count(struct ebpfnet__call *call, const struct ebpfnet_object *obj, size_t *count)
{
	CLEANUP(view) struct object_view v = { .call = call, .obj = obj };
	int ret = open_view(&v);

	*count = 0;
	return ret ? ret : visit_records(&v, count_record, count);
}

/* The caller's array. */
struct output {
	char *slot;
	size_t elem_size;
	size_t room;
	size_t count;
};

static int put_reloc(void *data, const struct ebpfnet_reloc *reloc)
{
	struct output *o = data;

	if (o->count++ < o->room) {
		memcpy(o->slot, &o->elem_size, sizeof(o->elem_size));
		EBPFNET__OUT_FILL(o->slot, reloc);
		o->slot += o->elem_size;
	}
	return 0;
}

int ebpfnet_object_relocs(struct ebpfnet_object *obj, struct ebpfnet_reloc *relocs,
			  size_t elem_size, size_t *count, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, obj->ctx, err, "relocations of %s", obj->name);
	struct output o = { (char *)relocs, elem_size, relocs ? *count : 0, 0 };
	int ret;

	if (o.room == 0)
		return ebpfnet__core_count(&call, obj, count);
	if (elem_size < sizeof(relocs->sz))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "elem_size is %zu: give sizeof(*relocs)", elem_size);
	ret = ebpfnet__core_each(&call, obj, put_reloc, &o);
	if (ret)
		return ret;
	*count = o.count;
	return 0;
}
