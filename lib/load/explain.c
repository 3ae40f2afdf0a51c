// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Why an object did not load. libbpf says which part it was at; the kernel's log says what was
 * wrong. */
#include "load/explain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ebpfnet/probe.h>

#include "load/core_relos.h"
#include "load/verifier_log.h"

/* The program that libbpf was loading when it failed, by its own words; its index, or -1. */
static int failed_program(const char *words, struct bpf_object *bpf, const char **name)
{
	struct bpf_program *prog;
	int index = 0;

	bpf_object__for_each_program(prog, bpf)
	{
		char line[EBPFNET_NAME_LEN + 64];

		*name = bpf_program__name(prog);
		snprintf(line, sizeof(line), "prog '%s': BPF program load failed", *name);
		if (strstr(words, line))
			return index;
		index++;
	}
	return -1;
}

static const struct bpf_map *failed_map(const char *words, const struct bpf_object *bpf)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, bpf)
	{
		char line[EBPFNET_NAME_LEN + 64];

		snprintf(line, sizeof(line), "map '%s': failed to create", bpf_map__name(map));
		if (strstr(words, line))
			return map;
	}
	return NULL;
}

static void hint_permission(struct ebpfnet__call *call)
{
	struct ebpfnet_error *inner = NULL;

	/* Kernels before 5.11 charge memory against RLIMIT_MEMLOCK and say EPERM when it is used
	 * up. */
	if (ebpfnet_probe(call->ctx, EBPFNET_FEATURE_MEMCG_ACCOUNTING, &inner) == 0)
		ebpfnet__hint(call, "CAP_BPF and CAP_NET_ADMIN (or root); and on this kernel "
				    "RLIMIT_MEMLOCK must be large enough: ulimit -l unlimited");
	else
		ebpfnet__hint(call,
			      "CAP_BPF and CAP_NET_ADMIN (or root); a locked-down kernel "
			      "(/sys/kernel/security/lockdown) refuses some programs to everyone");
	ebpfnet_error_free(inner);
}

static uint32_t kind_of_class(enum ebpfnet__verifier_class class)
{
	switch (class) {
	case EBPFNET__VERIFIER_CORE:
		return EBPFNET_ERROR_CORE;
	case EBPFNET__VERIFIER_PERMISSION:
		return EBPFNET_ERROR_PERMISSION;
	case EBPFNET__VERIFIER_UNKNOWN:
	case EBPFNET__VERIFIER_LIBBPF:
		return 0;
	default:
		return EBPFNET_ERROR_VERIFIER;
	}
}

/* A relocation that failed is named with what the kernel has instead. Returns 0 if none did. */
static int explain_core(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
			const char *name, const char *log, int code)
{
	char what[2 * EBPFNET_NAME_LEN + 8];

	if (!ebpfnet__core_missing(obj, *name ? name : NULL, log, ebpfnet__libbpf_text(call), what,
				   sizeof(what)))
		return 0;
	ebpfnet__note_verifier_log(call, log);
	ebpfnet__hint(call,
		      "ask with bpf_core_field_exists(), bpf_core_type_exists() or "
		      "bpf_core_enum_value_exists() before it is used; ebpfnet_object_relocs() "
		      "lists what else is missing");
	return ebpfnet__fail(call, code, EBPFNET_ERROR_CORE, "%s%s%s%s", *name ? "program " : "",
			     name, *name ? " needs " : "", what);
}

static int explain_program(struct ebpfnet__call *call, const char *name, const char *log, int code)
{
	struct ebpfnet__verifier_summary s;
	char more[48] = "", where[300] = "";

	ebpfnet__verifier_log_summarise(log, strlen(log), code, &s);
	ebpfnet__note_verifier_log(call, log);
	if (s.min_kernel)
		ebpfnet__note_min_kernel(call, s.min_kernel);
	if (s.class == EBPFNET__VERIFIER_PERMISSION)
		hint_permission(call);
	else if (s.hint[0])
		ebpfnet__hint(call, "%s", s.hint);
	if (s.more_lines)
		snprintf(more, sizeof(more), " (%u more lines)", s.more_lines);
	if (s.source[0])
		snprintf(where, sizeof(where), ", at: %s%s%s", s.source, s.place[0] ? " @ " : "",
			 s.place);
	return ebpfnet__fail(call, code, kind_of_class(s.class), "program %s: %s%s%s", name,
			     s.summary, where, more);
}

static int explain_map(struct ebpfnet__call *call, const struct bpf_map *map, int code)
{
	if (code == -EPERM)
		hint_permission(call);
	else if (code == -EINVAL)
		ebpfnet__hint(call,
			      "this kernel lacks the map type or one of its flags, or a size is "
			      "out of its range");
	else if (code == -E2BIG || code == -ENOMEM)
		ebpfnet__hint(call, "fewer entries: ebpfnet_object_set_map_entries()");
	return ebpfnet__fail(call, code, 0,
			     "map %s (type %u, key %u, value %u, entries %u, flags 0x%x): %s",
			     bpf_map__name(map), bpf_map__type(map), bpf_map__key_size(map),
			     bpf_map__value_size(map), bpf_map__max_entries(map),
			     bpf_map__map_flags(map), ebpfnet_strerror(code));
}

int ebpfnet__explain_load(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
			  struct bpf_object *bpf, int code, const struct ebpfnet__logs *logs)
{
	const char *words = ebpfnet__libbpf_text(call), *name = "";
	int index = failed_program(words, bpf, &name), ret;
	const char *log = index < 0 ? "" : ebpfnet__logs_get(logs, (size_t)index);
	const struct bpf_map *map;

	ret = explain_core(call, obj, index < 0 ? "" : name, log, code);
	if (ret)
		return ret;
	if (index >= 0)
		return explain_program(call, name, log, code);
	map = failed_map(words, bpf);
	if (map)
		return explain_map(call, map, code);
	if (code == -EPERM) {
		hint_permission(call);
		/* libbpf guesses at RLIMIT_MEMLOCK, which is out of it since Linux 5.11. */
		if (strstr(words, "load trivial BPF program"))
			return ebpfnet__fail(call, code, 0,
					     "the kernel lets this process load no program at all");
	}
	return ebpfnet__fail(call, code, 0, "%s%s%.*s", ebpfnet_strerror(code), *words ? ": " : "",
			     (int)strcspn(words, "\n"), words);
}
