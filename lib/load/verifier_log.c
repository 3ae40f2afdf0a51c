// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "load/verifier_log.h"

#include <errno.h>
#include <string.h>

#include "core/util.h"
#include "load/verifier_scan.h"

/* Lines that say how the verifier went about it, not why it stopped. */
static bool is_noise(struct text line)
{
	static const char *const prefixes[] = {
		"(speculative execution)",
		"-- BEGIN",
		"-- END",
		"Func#",
		"Live regs before insn",
		"Validating ",
		"callee:",
		"caller:",
		"cur state:",
		"func#",
		"insns processed",
		"last_idx ",
		"libbpf:",
		"mark_precise:",
		"max_states",
		"old state:",
		"parent already had",
		"parent didn't have",
		"processed ",
		"propagating ",
		"regs=",
		"returning from callee",
		"stack depth ",
		"to caller at",
		"verification time ",
	};

	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(prefixes); i++)
		if (text_starts(line, prefixes[i]))
			return true;
	/* "frame1: R0=...", but "frame pointer is read only" */
	return text_number(text_behind_start(line, "frame"), NULL) >= 0 ||
	       text_number(text_behind_start(line, "from "), NULL) >= 0;
}

/* Whether `whole` begins with all of line, which may have been cut off anywhere. */
static bool is_start_of(struct text line, const char *whole)
{
	return line.n < strlen(whole) && !memcmp(line.p, whole, line.n);
}

/* "R1=ctx()", " R0_w=inv2", "R0_rw=P0": not "R1 offset is outside of the packet". */
static bool is_registers(struct text line)
{
	struct text rest;

	if (!text_starts(line, "R") ||
	    text_number((struct text) { line.p + 1, line.n - 1 }, &rest) < 0)
		return false;
	return rest.n && (rest.p[0] == '=' || rest.p[0] == '_');
}

static void scan_source(struct ebpfnet__verifier_scan *s, struct text line)
{
	struct text code = { line.p + 1, line.n - 1 }, next, place = { NULL, 0 };

	/* The text behind the last " @ ": the code may contain one itself. */
	for (next = text_behind(code, " @ "); next.p; next = text_behind(next, " @ "))
		place = next;
	if (place.p)
		code.n = (size_t)(place.p - code.p) - strlen(" @ ");
	code = text_trim(code);
	if (!code.n)
		return;
	s->source = code;
	s->place = text_trim(place);
}

static void scan_message(struct ebpfnet__verifier_scan *s, struct text line)
{
	s->messages++;
	if (s->block) /* the line that counts came before the block */
		return;
	s->before = s->last;
	s->last = line;
}

/* "12: (85) call bpf_loop#181   ; R0=..."; libbpf writes "12: <invalid CO-RE relocation>". */
static bool scan_instruction(struct ebpfnet__verifier_scan *s, struct text line)
{
	struct text rest;
	int32_t insn = text_number(line, &rest);

	if (insn < 0 || (rest.n && *rest.p != ':'))
		return false;
	if (!text_starts(rest, ": (") && !text_starts(rest, ": <"))
		return true; /* "0: R1=ctx()", "12: safe", or cut off */
	/* Whatever was said before was not the end. */
	s->insn = insn;
	s->call = rest;
	s->last = s->before = (struct text) { NULL, 0 };
	s->messages = s->block_lines = 0;
	s->block = false;
	s->section = SECTION_NONE;
	return true;
}

static void scan_block_start(struct ebpfnet__verifier_scan *s, struct text problem)
{
	struct text rest = text_behind(problem, ": "); /* behind the category */

	s->block = true;
	s->section = SECTION_OTHER;
	s->problem = text_trim(rest.p ? rest : problem);
	s->reason[0] = s->suggestion[0] = '\0';
	s->at_insn = s->at_source = false;
}

static bool scan_heading(struct ebpfnet__verifier_scan *s, struct text line)
{
	static const struct {
		const char *name;
		enum ebpfnet__verifier_section section;
	} headings[] = {
		{ "Active lock:", SECTION_OTHER },     { "At:", SECTION_AT },
		{ "Causal path:", SECTION_OTHER },     { "Reason:", SECTION_REASON },
		{ "Suggestion:", SECTION_SUGGESTION },
	};

	if (text_starts(line, "Verification failed:")) {
		scan_block_start(s, text_behind(line, "Verification failed:"));
		return true;
	}
	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(headings); i++) {
		if (line.n != strlen(headings[i].name) || !text_starts(line, headings[i].name))
			continue;
		if (!s->block) /* its start was cut off */
			scan_block_start(s, text_of(""));
		s->section = headings[i].section;
		return true;
	}
	return false;
}

/* "  func @ file.c:26:9", "  insn 4", "  >>> 26 |  return data[12];", "  >>> 1 | (71) r1 = ..." */
static void scan_at(struct ebpfnet__verifier_scan *s, struct text line)
{
	struct text rest = text_behind(line, " @ "), code;
	int32_t n;

	line = text_trim(line);
	if (text_starts(line, "insn ") && !s->at_insn) {
		s->insn = text_number(text_behind(line, "insn "), NULL);
		s->at_insn = true;
	} else if (text_starts(line, ">>> ")) {
		n = text_number(text_trim(text_behind(line, ">>> ")), &code);
		code = text_trim(text_behind(code, "|"));
		if (text_starts(code, "(") && code.n > 3 && code.p[3] == ')') {
			s->insn = s->at_insn ? s->insn : n;
			s->at_insn = true;
		} else if (!s->at_source && code.n) {
			s->source = code;
			s->at_source = true;
		}
	} else if (rest.p && !s->at_source) {
		s->place = rest;
		for (size_t i = rest.n; i-- > 0;) /* without the column */
			if (rest.p[i] == ':') {
				s->place.n = i;
				break;
			}
	}
}

static void append_words(char *buf, size_t size, struct text line)
{
	if (buf[0])
		text_append(buf, size, text_of(" "));
	text_append(buf, size, text_trim(line));
}

static void scan_block_line(struct ebpfnet__verifier_scan *s, struct text line)
{
	switch (s->section) {
	case SECTION_REASON:
		append_words(s->reason, sizeof(s->reason), line);
		return;
	case SECTION_SUGGESTION:
		append_words(s->suggestion, sizeof(s->suggestion), line);
		break;
	case SECTION_AT:
		scan_at(s, line);
		break;
	default:
		break;
	}
	s->block_lines++;
}

/* `whole` is false for a line that may lack its start or its end. */
static void scan_line(struct ebpfnet__verifier_scan *s, struct text line, bool whole)
{
	if (!line.n || !text_trim(line).n)
		return;
	if (scan_heading(s, line))
		return;
	if (line.p[0] == ' ' || line.p[0] == '\t') {
		if (s->block)
			scan_block_line(s, line);
		return;
	}
	if (text_starts(line, "processed "))
		s->statistics = true;
	if (is_noise(line) || is_registers(line) || scan_instruction(s, line))
		return;
	if (line.p[0] == ';')
		scan_source(s, line);
	else if (whole)
		scan_message(s, line);
}

/* A log that lost its start or end has one broken line there, which would pass for a message. */
static void scan_log(struct ebpfnet__verifier_scan *s, struct text log, int err)
{
	const char *newline;
	struct text line;
	bool whole;

	for (size_t at = 0; at < log.n; at += line.n + 1) {
		newline = memchr(log.p + at, '\n', log.n - at);
		line.p = log.p + at;
		line.n = newline ? (size_t)(newline - line.p) : log.n - at;
		if (!newline && is_start_of(line, "processed "))
			break;
		whole = err != ENOSPC || (at && newline);
		scan_line(s, line, whole);
	}
}

/* The line that says most: the last one, except that the one before names the leaked reference. */
static struct text chosen(const struct ebpfnet__verifier_scan *s)
{
	if (s->before.n && text_has(s->last, "would lead to reference leak"))
		return s->before;
	return s->last;
}

static void fill(const struct ebpfnet__verifier_scan *s, struct ebpfnet__verifier_summary *out)
{
	struct text message = chosen(s), insn = text_behind(message, " insn ");

	text_put(out->message, sizeof(out->message), text_trim(message));
	text_put(out->source, sizeof(out->source), s->source);
	text_put(out->place, sizeof(out->place), s->place);
	out->more_lines = s->messages + s->block_lines;
	out->insn = s->insn >= 0 || !insn.p ? s->insn : text_number(insn, NULL);
	if (s->block && (s->problem.n || s->reason[0])) {
		text_put(out->summary, sizeof(out->summary), s->problem);
		if (s->problem.n && s->reason[0])
			text_append(out->summary, sizeof(out->summary), text_of(": "));
		text_append(out->summary, sizeof(out->summary), text_of(s->reason));
	} else if (message.n) {
		text_put(out->summary, sizeof(out->summary), text_trim(message));
		out->more_lines--;
	}
}

void ebpfnet__verifier_log_summarise(const char *log, size_t size, int err,
				     struct ebpfnet__verifier_summary *out)
{
	struct text text = { log, log ? strnlen(log, size) : 0 };
	struct ebpfnet__verifier_scan s = { .insn = -1 };

	err = err < 0 ? -err : err;
	memset(out, 0, sizeof(*out));
	scan_log(&s, text, err);
	fill(&s, out);
	out->cut_off = err == ENOSPC || (text.n && !s.statistics);
	ebpfnet__verifier_classify(&s, err, out);
}
