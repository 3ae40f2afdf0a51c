/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_LOAD_CORE_SPEC_H
#define EBPFNET_LOAD_CORE_SPEC_H

/*
 * CO-RE ("compile once, run everywhere") as libbpf does it, computed beside libbpf, because libbpf
 * tells what it made of a relocation only as debug text and only while it loads.
 *
 *	core_relos.c   the records of an object and the functions they are in; the public call
 *	core_target.c  the kernel's types, found by name
 *	core_resolve.c one record against its candidates: found, poisoned or refused
 *	core_spec.c    what a record asks, in steps and in words
 *	core_match.c   the same steps through a type of the kernel
 *	core_types.c   whole types: compatible, matching
 *	core_value.c   the number that goes into the instruction, and whether it fits there
 *
 * The rules are those of libbpf's relo_core.c; tests compare the numbers. The input is an object
 * from anywhere: every loop is bounded by ebpfnet__core_spend().
 */

#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include <ebpfnet/load.h>

#include "core/error.h"

/* Longest access string, in numbers; libbpf's limit too. */
#define EBPFNET__CORE_STEPS 64

/* A member by its name, or an element of an array. */
struct ebpfnet__core_step {
	const char *name; /* NULL: an element; borrowed from the BTF */
	uint32_t type_id; /* of the struct that has the member; of the element */
	uint32_t index;	  /* of the member in its struct; of the element */
};

/* A place in a type: sk_buff.cb[3], or an enumerator, or nothing but the type. */
struct ebpfnet__core_spec {
	const struct btf *btf;
	uint32_t root_id; /* as the record has it: typedefs not resolved */
	uint32_t kind;	  /* enum bpf_core_relo_kind */
	uint32_t len;
	uint32_t raw_len; /* anonymous members too */
	uint32_t bit_offset;
	struct ebpfnet__core_step steps[EBPFNET__CORE_STEPS];
};

/* What the work on one relocation needs beside the types. */
struct ebpfnet__core_work {
	uint64_t *budget;	    /* steps left of the whole call */
	char why[EBPFNET_NAME_LEN]; /* the first reason given stays */
};

/* Keeps a reason; the first one is the nearest to the cause. */
void ebpfnet__core_why(struct ebpfnet__core_work *work, const char *fmt, ...) EBPFNET__PRINTF(2, 3);

/* One step of work. False when the budget is used up: corrupt types can be made to loop. */
bool ebpfnet__core_spend(struct ebpfnet__core_work *work);

/* core_spec.c */

bool ebpfnet__core_is_field(uint32_t kind);
bool ebpfnet__core_is_enum(uint32_t kind);
bool ebpfnet__core_is_type(uint32_t kind);

/* A name of a BTF, "" if it has none. */
const char *ebpfnet__core_name(const struct btf *btf, uint32_t offset);

/* The length of a name without its flavor: sk_buff___old is an sk_buff. */
size_t ebpfnet__core_essential(const char *name);
bool ebpfnet__core_same_name(const char *a, const char *b);

/* "struct", "an int", ...: what a type is. */
const char *ebpfnet__core_noun(const struct btf_type *t);

/* Behind const, volatile, restrict, tags and typedefs. NULL for a bad id or an endless chain. */
const struct btf_type *ebpfnet__core_skip(const struct btf *btf, uint32_t id, uint32_t *real_id);

/* The same kind, where both sorts of enum are one. */
bool ebpfnet__core_same_kind(const struct btf_type *a, const struct btf_type *b);

/* The elements of an array that a step goes into; false for a zero-length array at the end. */
bool ebpfnet__core_bounded(const struct btf *btf, const struct ebpfnet__core_step *before,
			   const struct btf_array *array);

/* The name of an enumerator. */
const char *ebpfnet__core_enumerator(const struct btf *btf, const struct btf_type *t, uint32_t i);

/* Adds bits to a place. -ERANGE beyond what 32 bits hold. */
int ebpfnet__core_advance(struct ebpfnet__core_spec *spec, uint64_t bits);

/* Reads a record. Returns 0, or -errno for one that does not fit its type. */
int ebpfnet__core_parse(struct ebpfnet__core_work *work, const struct btf *btf,
			const struct bpf_core_relo *relo, struct ebpfnet__core_spec *spec);

/* "sk_buff.len", "struct foo", "enum bar.BAZ"; a spec that could not be parsed shows its type. */
void ebpfnet__core_words(const struct ebpfnet__core_spec *spec, char *buf, size_t size);

/* core_match.c */

/* Finds a local place in a type of the target. Returns 1, 0 (it is not there), or -errno. */
int ebpfnet__core_match(struct ebpfnet__core_work *work, const struct ebpfnet__core_spec *local,
			const struct btf *btf, uint32_t id, struct ebpfnet__core_spec *target);

/* core_types.c: 1, 0, or -errno. */

int ebpfnet__core_types_compat(struct ebpfnet__core_work *work, const struct btf *local_btf,
			       uint32_t local_id, const struct btf *btf, uint32_t id);
int ebpfnet__core_types_match(struct ebpfnet__core_work *work, const struct btf *local_btf,
			      uint32_t local_id, const struct btf *btf, uint32_t id);

/* core_value.c */

struct ebpfnet__core_value {
	uint64_t value;
	uint32_t mem_size; /* bytes that a load or store of it moves; 0: not known */
	uint32_t mem_type;
	bool exact; /* the compiler must have computed the same for the object's own type */
	bool poison;
};

/* The number that a relocation of this kind gives at a place; place NULL: it is not there. */
int ebpfnet__core_calc(struct ebpfnet__core_work *work, uint32_t kind,
		       const struct ebpfnet__core_spec *place, struct ebpfnet__core_value *out);

/* What libbpf does with an instruction (and the second half of a 64-bit load). */
enum ebpfnet_reloc_effect ebpfnet__core_effect(struct ebpfnet__core_work *work,
					       const struct bpf_insn *insn, bool has_next,
					       const struct ebpfnet__core_spec *local,
					       const struct ebpfnet__core_value *local_value,
					       const struct ebpfnet__core_spec *target,
					       const struct ebpfnet__core_value *target_value);

/* core_target.c */

struct ebpfnet__core_candidate {
	const struct btf *btf;
	uint32_t id;
};

/* Ends with free(). */
struct ebpfnet__core_candidates {
	size_t count;
	struct ebpfnet__core_candidate list[];
};

struct ebpfnet__core_target;

/* The context's btf_path, or the running kernel's types and those of its modules. */
int ebpfnet__core_target_open(struct ebpfnet__call *call, const char *btf_path,
			      struct ebpfnet__core_target **out);
void ebpfnet__core_target_close(struct ebpfnet__core_target *target);

/* The types of a BTF that the caller keeps; modules: a folder of split BTF, or NULL. -ENOMEM. */
int ebpfnet__core_target_new(struct btf *btf, const char *modules,
			     struct ebpfnet__core_target **out);

/* The target's types of a local type's kind and essential name. NULL: out of memory. */
struct ebpfnet__core_candidates *ebpfnet__core_find(struct ebpfnet__core_target *target,
						    const struct btf *local, uint32_t local_id);

/* "this kernel", or "the BTF file". */
const char *ebpfnet__core_target_noun(const struct ebpfnet__core_target *target);

/* core_resolve.c */

/* A relocation record, the instruction it is about, and what became of it. */
struct ebpfnet__core_record {
	struct bpf_core_relo relo;
	const void *insn;      /* may be unaligned */
	bool has_next;	       /* there is an instruction behind it */
	bool keeps_candidates; /* its program is not loaded: libbpf never sees the record */
};

struct ebpfnet__core_resolver;

/* Both stay the caller's. NULL: out of memory. */
struct ebpfnet__core_resolver *ebpfnet__core_resolver_new(const struct btf *local,
							  struct ebpfnet__core_target *target);
void ebpfnet__core_resolver_free(struct ebpfnet__core_resolver *resolver);

/* Fills all but program and insn. Returns 0, -ENOMEM, or -E2BIG (the budget is used up). */
int ebpfnet__core_resolve(struct ebpfnet__core_resolver *resolver,
			  const struct ebpfnet__core_record *record, struct ebpfnet_reloc *out);

#endif /* EBPFNET_LOAD_CORE_SPEC_H */
