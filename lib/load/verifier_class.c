// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "load/verifier_scan.h"

#include <errno.h>
#include <stdio.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <ebpfnet/core.h>

#include "core/util.h"

/* What libbpf calls in place of what it could not resolve; the log has them if it was not
 * rewritten. */
#define CORE_POISON "invalid func unknown#195896080"
#define KFUNC_POISON "invalid func unknown#2002"
#define MAP_POISON "invalid func unknown#2001"

#define COMPLEX_HINT "split the program with tail calls or global functions, or use bpf_loop()"

/* The kernel from which on helpers have a number of this one or higher; helpers end with 6.2. */
static const char *helper_kernel(int32_t id)
{
	static const struct {
		int32_t first;
		const char *kernel;
	} kernels[] = {
		{ 210, "6.2" },	 { 208, "6.1" },  { 204, "6.0" },  { 194, "5.19" }, { 186, "5.18" },
		{ 180, "5.17" }, { 176, "5.16" }, { 169, "5.15" }, { 166, "5.14" }, { 164, "5.13" },
		{ 163, "5.12" }, { 156, "5.11" }, { 142, "5.10" }, { 136, "5.9" },  { 125, "5.8" },
	};

	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(kernels) && id <= 211; i++)
		if (id >= kernels[i].first)
			return kernels[i].kernel;
	return NULL;
}

static const char *helper_name(int32_t id)
{
#define NAME(x) "bpf_" #x
	static const char *const names[] = { __BPF_FUNC_MAPPER(NAME) };
#undef NAME

	return id > 0 && id < (int32_t)EBPFNET__ARRAY_SIZE(names) ? names[id] : NULL;
}

/* The subject, and the hint, whose one %s is the subject. */
static void explain(struct ebpfnet__verifier_summary *out, enum ebpfnet__verifier_class class,
		    struct text subject, const char *hint)
{
	struct text rest = text_behind(text_of(hint), "%s");

	out->class = class;
	text_put(out->subject, sizeof(out->subject), subject);
	text_put(out->hint, sizeof(out->hint), text_of(hint));
	if (!rest.p)
		return;
	out->hint[rest.p - hint - strlen("%s")] = '\0';
	text_append(out->hint, sizeof(out->hint), subject);
	text_append(out->hint, sizeof(out->hint), rest);
}

/* "call bpf_loop#181" -> "bpf_loop" */
static struct text called(const struct ebpfnet__verifier_scan *s)
{
	struct text name = text_behind(s->call, "call ");

	if (!name.p)
		name = text_behind(text_of(s->reason), "The helper ");
	return name.n ? text_until(name, "# ") : text_of("the helper");
}

static void classify_unknown_helper(int32_t id, struct ebpfnet__verifier_summary *out)
{
	const char *name = helper_name(id);
	char numbered[32];

	snprintf(numbered, sizeof(numbered), "helper #%d", id);
	out->min_kernel = helper_kernel(id);
	explain(out, EBPFNET__VERIFIER_HELPER_UNKNOWN, text_of(name ? name : numbered),
		out->min_kernel ? "this kernel has no %s: probe for it before the load"
				: "no kernel has %s: check the instruction");
	if (out->min_kernel) {
		text_append(out->hint, sizeof(out->hint), text_of("; it came with Linux "));
		text_append(out->hint, sizeof(out->hint), text_of(out->min_kernel));
	}
}

static bool classify_helper(const struct ebpfnet__verifier_scan *s, struct text m,
			    struct ebpfnet__verifier_summary *out)
{
	struct text reason = text_of(s->reason), id = text_behind(m, "invalid func unknown#");

	if (text_has(m, "GPL-restricted") || text_has(m, "from non-GPL compatible program") ||
	    text_has(reason, "restricted to GPL-compatible"))
		explain(out, EBPFNET__VERIFIER_GPL_ONLY, called(s),
			"%s is for GPL programs only: give the object a GPL-compatible licence, "
			"for example \"Dual BSD/GPL\", or do without it");
	else if (id.p)
		classify_unknown_helper(text_number(id, NULL), out);
	else if (text_has(m, "unknown func ") || text_has(m, "cannot use helper ") ||
		 text_has(reason, "this program type does not allow the helper"))
		explain(out, EBPFNET__VERIFIER_HELPER_REFUSED, called(s),
			"%s is not for programs of this type, or not in this kernel's "
			"configuration: check the section name");
	else
		return false;
	return true;
}

/* "<byte_off> [7] struct sk_buff.nope (0:1 @ offset 4)" -> "struct sk_buff.nope" */
static struct text core_target(struct text spec)
{
	struct text type = text_behind(spec, "] "), end = text_behind(type, " (");

	if (end.p)
		type.n = (size_t)(end.p - type.p) - strlen(" (");
	return type.n ? type : text_of("what a relocation asks for");
}

static bool classify_relocation(struct text m, struct ebpfnet__verifier_summary *out)
{
	struct text core = text_behind(m, "failed to resolve CO-RE relocation ");
	struct text kfunc = text_behind(m, "kfunc '"), map = text_behind(m, "BPF map '");
	struct text refused = text_behind(m, "calling kernel function ");

	if (core.p || text_has(m, CORE_POISON))
		explain(out, EBPFNET__VERIFIER_CORE, core_target(core),
			"%s is not in this kernel's BTF: guard its use with "
			"bpf_core_field_exists() or bpf_core_type_exists()");
	else if (kfunc.p || text_has(m, KFUNC_POISON))
		explain(out, EBPFNET__VERIFIER_KFUNC_UNKNOWN,
			kfunc.p ? text_until(kfunc, "'") : text_of("a kernel function"),
			"%s is missing in this kernel or has other arguments: guard the call "
			"with bpf_ksym_exists()");
	else if (map.p || text_has(m, MAP_POISON))
		explain(out, EBPFNET__VERIFIER_MAP_NOT_CREATED,
			map.p ? text_until(map, "'") : text_of("a map"),
			"%s was left out at load, but this program uses it");
	else if (refused.p)
		explain(out, EBPFNET__VERIFIER_KFUNC_REFUSED, text_until(refused, " "),
			"%s is not for programs of this type");
	else
		return false;
	return true;
}

static const char *rule_hint(struct text message)
{
	static const struct {
		const char *part, *hint;
	} rules[] = {
		{ "!read_ok", "set the register or argument on every path to this instruction" },
		{ "At program exit", "return only what this program type allows" },
		{ "Too large",
		  "a call chain has 512 bytes of stack: use a map for large variables" },
		{ "Unreleased reference", "release it on every path before the return" },
		{ "_or_null'", "check the pointer for NULL before its use" },
		{ "back-edge", "give the loop a bound that the verifier sees, or use bpf_loop()" },
		{ "infinite loop",
		  "give the loop a bound that the verifier sees, or use bpf_loop()" },
		{ "invalid access to map value", "keep offset + size within the map's value" },
		{ "invalid access to packet", "compare the end of the access with data_end first" },
		{ "invalid bpf_context access", "this program type has no such context field" },
		{ "outside of the packet", "compare the end of the access with data_end first" },
		{ "to stack R", "a program has 512 bytes of stack: use a map for large variables" },
		{ "too complex", COMPLEX_HINT },
		{ "too large", COMPLEX_HINT },
		{ "unreachable insn", "remove the code that no path leads to" },
	};

	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(rules); i++)
		if (text_has(message, rules[i].part))
			return rules[i].hint;
	return NULL;
}

static void classify_rule(const struct ebpfnet__verifier_scan *s, struct text m,
			  struct ebpfnet__verifier_summary *out)
{
	bool complex = text_has(m, "program is too large") || text_has(m, "too complex");
	const char *hint = s->suggestion; /* the kernel's own is about this very program */

	if (!*hint)
		hint = rule_hint(s->last);
	if (!hint)
		hint = rule_hint(s->before);
	explain(out, complex ? EBPFNET__VERIFIER_TOO_COMPLEX : EBPFNET__VERIFIER_REFUSED,
		text_of(""), hint ? hint : "");
}

/* There is no message: what the errno alone says. */
static void explain_errno(int err, struct ebpfnet__verifier_summary *out)
{
	const char *text = ebpfnet_strerror(err);

	if (out->cut_off) {
		text = "the verifier's log is cut off and the reason is lost";
		explain(out, EBPFNET__VERIFIER_CUT_OFF, text_of(""),
			"load with a larger log buffer; Linux before 6.4 loses the log's end");
	} else if (err == EPERM) {
		text = "not permitted, and the verifier gives no reason";
		explain(out, EBPFNET__VERIFIER_PERMISSION, text_of(""),
			"loading takes root, or CAP_BPF and CAP_NET_ADMIN (tracing: CAP_PERFMON), "
			"and a kernel that is not locked down (/sys/kernel/security/lockdown)");
	} else if (err == E2BIG) {
		text = "the program has more instructions than the kernel takes";
		explain(out, EBPFNET__VERIFIER_TOO_COMPLEX, text_of(""),
			"the limit is 4,096 instructions without CAP_BPF and a million with it");
	} else if (err >= __LIBBPF_ERRNO__START && err < __LIBBPF_ERRNO__END) {
		out->class = EBPFNET__VERIFIER_LIBBPF;
	}
	text_put(out->summary, sizeof(out->summary), text_of(text));
}

void ebpfnet__verifier_classify(const struct ebpfnet__verifier_scan *s, int err,
				struct ebpfnet__verifier_summary *out)
{
	struct text m = text_of(out->message);

	if (!out->summary[0])
		explain_errno(err, out);
	else if (!classify_relocation(m, out) && !classify_helper(s, m, out))
		classify_rule(s, m, out);
}

const char *ebpfnet__verifier_class_name(enum ebpfnet__verifier_class class)
{
	static const char *const names[] = {
		[EBPFNET__VERIFIER_UNKNOWN] = "unknown",
		[EBPFNET__VERIFIER_REFUSED] = "refused",
		[EBPFNET__VERIFIER_GPL_ONLY] = "gpl-only",
		[EBPFNET__VERIFIER_HELPER_UNKNOWN] = "helper-unknown",
		[EBPFNET__VERIFIER_HELPER_REFUSED] = "helper-refused",
		[EBPFNET__VERIFIER_KFUNC_UNKNOWN] = "kfunc-unknown",
		[EBPFNET__VERIFIER_KFUNC_REFUSED] = "kfunc-refused",
		[EBPFNET__VERIFIER_MAP_NOT_CREATED] = "map-not-created",
		[EBPFNET__VERIFIER_CORE] = "core",
		[EBPFNET__VERIFIER_PERMISSION] = "permission",
		[EBPFNET__VERIFIER_TOO_COMPLEX] = "too-complex",
		[EBPFNET__VERIFIER_CUT_OFF] = "cut-off",
		[EBPFNET__VERIFIER_LIBBPF] = "libbpf",
	};

	return (size_t) class < EBPFNET__ARRAY_SIZE(names) ? names[class] : "unknown";
}
