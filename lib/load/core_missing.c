// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Which CO-RE relocation made a load fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/core_relos.h"

/* The number of the helper that libbpf calls in a poisoned instruction's place: "bad relo" in hex.
 */
#define POISON "call unknown#195896080"
/* What libbpf makes of that line where the verifier ended on it. */
#define POISON_TOLD "<invalid CO-RE relocation>"

/* What is looked for, and what was found of it so far. */
struct missing {
	const struct ebpfnet_object *obj;
	const char *program; /* NULL: any */
	const char *words;   /* libbpf's */
	bool reached;	     /* the verifier came to a poisoned instruction */
	long insn;	     /* that one, or -1 */
	char *buf;
	size_t size;
	bool found;
};

/* "12: (85) call unknown#..." and "12: <invalid CO-RE relocation>" begin with the instruction. */
static bool poisoned_line(const char *log, const char *words, long *insn)
{
	const char *hit = strstr(log, words), *line = hit;
	char *end;

	if (!hit)
		return false;
	while (line > log && line[-1] != '\n')
		line--;
	*insn = strtol(line, &end, 10);
	if (end == line || *end != ':')
		*insn = -1;
	return true;
}

static bool is_program(const struct ebpfnet_object *obj, const char *function)
{
	for (size_t i = 0; i < obj->program_count; i++) {
		if (strcmp(obj->programs[i].name, function) == 0)
			return true;
	}
	return false;
}

static void tell(struct missing *m, const struct ebpfnet_reloc *reloc)
{
	snprintf(m->buf, m->size, "%s: %s", reloc->what, reloc->why);
	m->found = true;
}

/* libbpf gave up at a relocation of this function. */
static bool gave_up_in(const struct missing *m, const char *function)
{
	char line[EBPFNET_NAME_LEN + 16];

	snprintf(line, sizeof(line), "prog '%s': relo #", function);
	return strstr(m->words, line);
}

/* 1 ends the search. */
static int look_at(void *data, const struct ebpfnet_reloc *reloc)
{
	struct missing *m = data;
	bool own = m->program && strcmp(reloc->program, m->program) == 0;

	if (!m->reached) {
		if (reloc->effect == EBPFNET_RELOC_REFUSED && gave_up_in(m, reloc->program))
			tell(m, reloc);
		return m->found;
	}
	if (reloc->effect != EBPFNET_RELOC_POISONED)
		return 0;
	/* Subprograms are put behind the program, so that their instructions have other numbers. */
	if (own && (m->insn < 0 || reloc->insn == m->insn)) {
		tell(m, reloc);
		return 1;
	}
	if (!own && !m->found && !is_program(m->obj, reloc->program))
		tell(m, reloc);
	return 0;
}

bool ebpfnet__core_missing(const struct ebpfnet_object *obj, const char *program, const char *log,
			   const char *words, char *buf, size_t size)
{
	EBPFNET__CALL(call, obj->ctx, NULL, "relocations of %s", obj->name);
	struct missing m = { obj, program, words, false, -1, buf, size, false };

	m.reached = poisoned_line(log, POISON_TOLD, &m.insn) || poisoned_line(log, POISON, &m.insn);
	/* Neither the verifier nor libbpf speaks of a relocation: it is about something else. */
	if (!m.reached && (*log || !strstr(words, ": relo #")))
		return false;
	ebpfnet__core_each(&call, obj, look_at, &m);
	ebpfnet__call_clear(&call);
	return m.found;
}
