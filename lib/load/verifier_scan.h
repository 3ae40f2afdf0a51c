/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_LOAD_VERIFIER_SCAN_H
#define EBPFNET_LOAD_VERIFIER_SCAN_H

/* Between verifier_log.c, which reads the log, and verifier_class.c, which says what it means. */

#include <string.h>

#include "load/verifier_log.h"

/* A piece of the log; not NUL-terminated. */
struct text {
	const char *p;
	size_t n;
};

static inline struct text text_of(const char *s)
{
	return (struct text) { s, strlen(s) };
}

static inline bool text_starts(struct text t, const char *prefix)
{
	size_t n = strlen(prefix);

	return t.n >= n && !memcmp(t.p, prefix, n);
}

/* What follows `prefix` if t starts with it, else an empty text. */
static inline struct text text_behind_start(struct text t, const char *prefix)
{
	size_t n = strlen(prefix);

	if (!text_starts(t, prefix))
		return (struct text) { t.p, 0 };
	return (struct text) { t.p + n, t.n - n };
}

/* What follows `needle` in t; .p is NULL if it is not there. */
static inline struct text text_behind(struct text t, const char *needle)
{
	size_t n = strlen(needle);
	const char *at = t.n >= n ? memmem(t.p, t.n, needle, n) : NULL;

	if (!at)
		return (struct text) { NULL, 0 };
	return (struct text) { at + n, (size_t)(t.p + t.n - at) - n };
}

static inline bool text_has(struct text t, const char *needle)
{
	return text_behind(t, needle).p != NULL;
}

/* t up to the first of `stops`. */
static inline struct text text_until(struct text t, const char *stops)
{
	size_t i;

	for (i = 0; i < t.n && !strchr(stops, t.p[i]); i++)
		;
	return (struct text) { t.p, i };
}

static inline struct text text_trim(struct text t)
{
	while (t.n && (*t.p == ' ' || *t.p == '\t'))
		t.p++, t.n--;
	while (t.n && (t.p[t.n - 1] == ' ' || t.p[t.n - 1] == '\t' || t.p[t.n - 1] == '\r'))
		t.n--;
	return t;
}

/* The decimal number at the start of t, or -1; *rest gets what follows. */
static inline int32_t text_number(struct text t, struct text *rest)
{
	int32_t value = 0;
	size_t i;

	for (i = 0; i < t.n && t.p[i] >= '0' && t.p[i] <= '9' && i < 9; i++)
		value = value * 10 + (t.p[i] - '0');
	if (rest)
		*rest = (struct text) { t.p + i, t.n - i };
	return i ? value : -1;
}

/* Appends t to the string in buf, as one line; what does not fit ends in "...". */
static inline void text_append(char *buf, size_t size, struct text t)
{
	size_t used = strlen(buf), n = t.n;
	bool cut = n > size - 1 - used;

	if (cut) {
		n = size - 1 - used;
		n = n > 3 ? n - 3 : 0;
		while (n && (t.p[n] & 0xc0) == 0x80) /* not within a UTF-8 character */
			n--;
	}
	for (size_t i = 0; i < n; i++)
		buf[used + i] = (unsigned char)t.p[i] < ' ' || t.p[i] == 0x7f ? ' ' : t.p[i];
	used += n;
	for (int i = 0; cut && i < 3 && used < size - 1; i++)
		buf[used++] = '.';
	buf[used] = '\0';
}

static inline void text_put(char *buf, size_t size, struct text t)
{
	buf[0] = '\0';
	text_append(buf, size, t);
}

/* Since Linux 7.3 many failures end in a block of these, behind the line of older kernels. */
enum ebpfnet__verifier_section {
	SECTION_NONE,
	SECTION_REASON,
	SECTION_AT,
	SECTION_SUGGESTION,
	SECTION_OTHER,
};

struct ebpfnet__verifier_scan {
	struct text call; /* the last instruction, from its opcode on */
	struct text source, place;
	int32_t insn;
	struct text last, before; /* the last two messages behind the last instruction */
	unsigned int messages;	  /* and how many there are */
	bool statistics;	  /* the log's last line is there */
	bool block;
	enum ebpfnet__verifier_section section;
	unsigned int block_lines; /* besides the reason */
	bool at_insn, at_source;  /* found already */
	struct text problem;
	char reason[256];
	char suggestion[256];
};

/*
 * Sets class, subject, min_kernel and hint from out->message, out->cut_off and what else the scan
 * found; where the log says nothing, the summary too, from the errno.
 */
void ebpfnet__verifier_classify(const struct ebpfnet__verifier_scan *s, int err,
				struct ebpfnet__verifier_summary *out);

#endif /* EBPFNET_LOAD_VERIFIER_SCAN_H */
