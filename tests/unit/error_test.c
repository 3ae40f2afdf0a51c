// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* How a call fails: the line, the kind, what hangs on it, and the error that needs no memory. */
#include "helpers.h"

#include <errno.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "core/ctx.h"
#include "core/error.h"

static int refuse(struct ebpfnet_error **err, int code, uint32_t kind)
{
	EBPFNET__CALL(call, NULL, err, "attach %s %s", "xdp", "eth0");

	return ebpfnet__fail(&call, code, kind, "program %u is attached", 12);
}

START_TEST(the_line)
{
	struct ebpfnet_error *err = NULL;

	ck_assert_int_eq(refuse(&err, -EBUSY, EBPFNET_ERROR_BUSY), -EBUSY);
	ck_assert_str_eq(ebpfnet_error_message(err),
			 "attach xdp eth0: busy: program 12 is attached");
	ck_assert_int_eq(ebpfnet_error_code(err), -EBUSY);
	ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_BUSY);
	ck_assert_ptr_null(ebpfnet_error_hint(err));
	ck_assert_ptr_null(ebpfnet_error_min_kernel(err));
	ck_assert_ptr_null(ebpfnet_error_verifier_log(err));
	ck_assert_ptr_null(ebpfnet_error_libbpf_log(err));
	ck_assert_ptr_null(ebpfnet_error_extack(err));
	ebpfnet_error_free(err);
}
END_TEST

START_TEST(no_error)
{
	ck_assert_str_eq(ebpfnet_error_message(NULL), "no error");
	ck_assert_int_eq(ebpfnet_error_code(NULL), 0);
	ck_assert_uint_eq(ebpfnet_error_kind(NULL), 0);
	ck_assert_ptr_null(ebpfnet_error_hint(NULL));
	ck_assert_ptr_null(ebpfnet_error_min_kernel(NULL));
	ck_assert_ptr_null(ebpfnet_error_verifier_log(NULL));
	ck_assert_ptr_null(ebpfnet_error_libbpf_log(NULL));
	ck_assert_ptr_null(ebpfnet_error_extack(NULL));
	ebpfnet_error_free(NULL);
}
END_TEST

static const struct {
	int code, want;
	uint32_t kind;
	const char *text;
} kinds[] = {
	{ -EPERM, -EPERM, EBPFNET_ERROR_PERMISSION, "permission denied" },
	{ -EACCES, -EACCES, EBPFNET_ERROR_PERMISSION, "permission denied" },
	{ -ENOENT, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "not found" },
	{ -ENODEV, -ENODEV, EBPFNET_ERROR_NOT_FOUND, "not found" },
	{ -ENXIO, -ENXIO, EBPFNET_ERROR_NOT_FOUND, "not found" },
	{ -EBUSY, -EBUSY, EBPFNET_ERROR_BUSY, "busy" },
	{ -EEXIST, -EEXIST, EBPFNET_ERROR_BUSY, "busy" },
	{ -ESTALE, -ESTALE, EBPFNET_ERROR_STALE, "stale" },
	{ -EOPNOTSUPP, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "not supported" },
	{ -ENOSYS, -ENOSYS, EBPFNET_ERROR_NOT_SUPPORTED, "not supported" },
	{ -524, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED, "not supported" },
	{ -ENOLINK, -ENOLINK, EBPFNET_ERROR_DEFUNCT, "defunct" },
	{ -EINVAL, -EINVAL, EBPFNET_ERROR_INVALID, "invalid" },
	{ -E2BIG, -E2BIG, EBPFNET_ERROR_INVALID, "invalid" },
	{ -LIBBPF_ERRNO__RELOC, -EINVAL, EBPFNET_ERROR_INVALID, "invalid" },
	{ -EMFILE, -EMFILE, EBPFNET_ERROR_SYSTEM, "Too many open files" },
	{ EMFILE, -EMFILE, EBPFNET_ERROR_SYSTEM, "Too many open files" },
};

START_TEST(the_kind_that_an_errno_suggests)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct ebpfnet_error *err = NULL;
		char line[128];

		ck_assert_int_eq(refuse(&err, kinds[i].code, 0), kinds[i].want);
		ck_assert_int_eq(ebpfnet_error_code(err), kinds[i].want);
		ck_assert_uint_eq(ebpfnet_error_kind(err), kinds[i].kind);
		snprintf(line, sizeof(line), "attach xdp eth0: %s: program 12 is attached",
			 kinds[i].text);
		ck_assert_str_eq(ebpfnet_error_message(err), line);
		ebpfnet_error_free(err);
	}
}
END_TEST

START_TEST(every_kind_has_a_word)
{
	static const char *const words[] = {
		[EBPFNET_ERROR_SYSTEM] = ": Input/output error: ",
		[EBPFNET_ERROR_INVALID] = ": invalid: ",
		[EBPFNET_ERROR_NOT_SUPPORTED] = ": not supported: ",
		[EBPFNET_ERROR_PERMISSION] = ": permission denied: ",
		[EBPFNET_ERROR_VERIFIER] = ": verifier: ",
		[EBPFNET_ERROR_CORE] = ": CO-RE: ",
		[EBPFNET_ERROR_NOT_FOUND] = ": not found: ",
		[EBPFNET_ERROR_BUSY] = ": busy: ",
		[EBPFNET_ERROR_STALE] = ": stale: ",
		[EBPFNET_ERROR_INCOMPATIBLE] = ": incompatible: ",
		[EBPFNET_ERROR_DEFUNCT] = ": defunct: ",
		[EBPFNET_ERROR_INTERNAL] = ": internal error: ",
	};

	for (uint32_t kind = 1; kind < sizeof(words) / sizeof(*words); kind++) {
		struct ebpfnet_error *err = NULL;

		ck_assert_int_eq(refuse(&err, -EIO, kind), -EIO);
		ck_assert_uint_eq(ebpfnet_error_kind(err), kind);
		ck_assert_ptr_nonnull(strstr(ebpfnet_error_message(err), words[kind]));
		ebpfnet_error_free(err);
	}
}
END_TEST

/* Copies: what the notes were made of may go at once. */
static int fail_with_everything(struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, NULL, err, "load drop.bpf.o");
	char text[64];

	strcpy(text, "R1 invalid mem access\n");
	ebpfnet__note_verifier_log(&call, text);
	strcpy(text, "6.6");
	ebpfnet__note_min_kernel(&call, text);
	strcpy(text, "the kernel's words");
	ebpfnet__note_extack(&call, text);
	ebpfnet__hint(&call, "the first hint");
	ebpfnet__hint(&call, "the second %s", "hint");
	ebpfnet__call_append_libbpf(&call, "libbpf: one\n");
	ebpfnet__call_append_libbpf(&call, "libbpf: two\n");
	memset(text, 'x', sizeof(text));
	return ebpfnet__fail(&call, -EACCES, EBPFNET_ERROR_VERIFIER, "no");
}

START_TEST(what_hangs_on_it)
{
	struct ebpfnet_error *err = NULL;

	ck_assert_int_eq(fail_with_everything(&err), -EACCES);
	ck_assert_str_eq(ebpfnet_error_message(err), "load drop.bpf.o: verifier: no");
	ck_assert_str_eq(ebpfnet_error_hint(err), "the second hint");
	ck_assert_str_eq(ebpfnet_error_min_kernel(err), "6.6");
	ck_assert_str_eq(ebpfnet_error_verifier_log(err), "R1 invalid mem access\n");
	ck_assert_str_eq(ebpfnet_error_extack(err), "the kernel's words");
	ck_assert_str_eq(ebpfnet_error_libbpf_log(err), "libbpf: one\nlibbpf: two\n");
	ebpfnet_error_free(err);
}
END_TEST

START_TEST(empty_notes_are_none)
{
	struct ebpfnet_error *err = NULL;

	{
		EBPFNET__CALL(call, NULL, &err, "call");

		ebpfnet__note_verifier_log(&call, "old");
		ebpfnet__note_verifier_log(&call, "");
		ebpfnet__note_extack(&call, NULL);
		ebpfnet__fail(&call, -EINVAL, 0, "x");
	}
	ck_assert_ptr_null(ebpfnet_error_verifier_log(err));
	ck_assert_ptr_null(ebpfnet_error_extack(err));
	ebpfnet_error_free(err);
}
END_TEST

/* The second failure of a call is the one that is told; the first one's hint is not its hint. */
START_TEST(the_last_failure_counts)
{
	struct ebpfnet_error *err = NULL;

	{
		EBPFNET__CALL(call, NULL, &err, "ifindex 3");

		ebpfnet__hint(&call, "of the first");
		ebpfnet__fail(&call, -EIO, 0, "the first");
		ebpfnet__call_what(&call, "eth%d", 0);
		ebpfnet__fail(&call, -ENOENT, 0, "the second");
	}
	ck_assert_str_eq(ebpfnet_error_message(err), "eth0: not found: the second");
	ck_assert_ptr_null(ebpfnet_error_hint(err));
	ebpfnet_error_free(err);
}
END_TEST

/* Where nobody knows better, what is refused has a remedy all the same. */
START_TEST(permission_has_a_hint)
{
	struct ebpfnet_error *err = NULL;

	for (int own = 0; own < 2; own++) {
		{
			EBPFNET__CALL(call, NULL, &err, "call");

			if (own)
				ebpfnet__hint(&call, "its own");
			ebpfnet__fail(&call, -EPERM, 0, "refused");
		}
		ck_assert_ptr_nonnull(ebpfnet_error_hint(err));
		ck_assert_int_eq(strcmp(ebpfnet_error_hint(err), "its own") == 0, own);
		ebpfnet_error_free(err);
		err = NULL;
	}
}
END_TEST

static int fall_back(struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, NULL, err, "call");

	ebpfnet__hint(&call, "of the first");
	ebpfnet__fail(&call, -EIO, 0, "the first way");
	ebpfnet__call_clear(&call);
	return 0;
}

START_TEST(a_fallback_forgets)
{
	struct ebpfnet_error *err = NULL;

	ASSERT_OK(fall_back(&err), err);
	/* Hints and notes of a call that did not fail are nobody's. */
	{
		EBPFNET__CALL(call, NULL, &err, "call");

		ebpfnet__hint(&call, "unused");
		ebpfnet__call_append_libbpf(&call, "unused");
	}
	ck_assert_ptr_null(err);
}
END_TEST

static int outer(struct ebpfnet_error **err, struct ebpfnet_error *inner)
{
	EBPFNET__CALL(call, NULL, err, "counter on eth0");

	return ebpfnet__fail_from(&call, inner);
}

START_TEST(from_a_call_below)
{
	struct ebpfnet_error *inner = NULL, *err = NULL;

	fail_with_everything(&inner);
	ck_assert_int_eq(outer(&err, inner), -EACCES);
	ck_assert_str_eq(ebpfnet_error_message(err),
			 "counter on eth0: load drop.bpf.o: verifier: no");
	ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_VERIFIER);
	ck_assert_str_eq(ebpfnet_error_hint(err), "the second hint");
	ck_assert_str_eq(ebpfnet_error_verifier_log(err), "R1 invalid mem access\n");
	ebpfnet_error_free(err);
}
END_TEST

static int no_memory(struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, NULL, err, "call");

	return ebpfnet__fail_nomem(&call);
}

/* Its free does nothing: it is one for everybody, and passes through every layer as it is. */
START_TEST(out_of_memory)
{
	struct ebpfnet_error *err = NULL, *again = NULL, *through = NULL;

	ck_assert_int_eq(no_memory(&err), -ENOMEM);
	ck_assert_int_eq(no_memory(&again), -ENOMEM);
	ck_assert_ptr_eq(err, again);
	ck_assert_int_eq(ebpfnet_error_code(err), -ENOMEM);
	ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_SYSTEM);
	ebpfnet_error_free(err);
	ebpfnet_error_free(again);
	ck_assert_str_eq(ebpfnet_error_message(err), "out of memory");
	ck_assert_int_eq(outer(&through, err), -ENOMEM);
	ck_assert_ptr_eq(through, err);
	through = NULL;
	ck_assert_int_eq(outer(&through, NULL), -ENOMEM);
	ck_assert_ptr_eq(through, err);
	{
		struct ebpfnet_error *noted = NULL;
		EBPFNET__CALL(call, NULL, &noted, "call");

		ebpfnet__fail_nomem(&call);
		ebpfnet__hint(&call, "nothing is hung on it");
		ebpfnet__note_extack(&call, "nothing is hung on it");
		ebpfnet__call_append_libbpf(&call, "nothing is hung on it");
		ck_assert_int_eq(ebpfnet__fail(&call, -EINVAL, 0, "still"), -ENOMEM);
	}
	ck_assert_ptr_null(ebpfnet_error_hint(err));
	ck_assert_ptr_null(ebpfnet_error_extack(err));
	ck_assert_ptr_null(ebpfnet_error_libbpf_log(err));
}
END_TEST

START_TEST(errno_survives)
{
	struct ebpfnet_error *err = NULL;

	{
		EBPFNET__CALL(call, NULL, &err, "call");

		ebpfnet__fail(&call, -EINVAL, 0, "x");
		errno = ENOTTY;
	}
	ck_assert_int_eq(errno, ENOTTY);
	ebpfnet_error_free(err);
}
END_TEST

/* A name of any length: what a call is about is cut, the reason never. */
START_TEST(long_names)
{
	struct ebpfnet_error *err = NULL;
	char name[1000];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	{
		EBPFNET__CALL(call, NULL, &err, "open %s", name);

		ebpfnet__fail(&call, -ENOENT, 0, "%s", name);
	}
	ck_assert_ptr_nonnull(strstr(ebpfnet_error_message(err), name));
	ck_assert_ptr_nonnull(strstr(ebpfnet_error_message(err), ": not found: "));
	ebpfnet_error_free(err);
}
END_TEST

/* libbpf's text is bounded: a verifier log comes through there too. */
START_TEST(libbpf_text_is_bounded)
{
	struct ebpfnet_error *err = NULL;
	char line[1001];

	memset(line, 'l', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	{
		EBPFNET__CALL(call, NULL, &err, "call");

		for (int i = 0; i < 100; i++)
			ebpfnet__call_append_libbpf(&call, line);
		ebpfnet__fail(&call, -EINVAL, 0, "x");
	}
	ck_assert_uint_eq(strlen(ebpfnet_error_libbpf_log(err)), 65000);
	ebpfnet_error_free(err);
}
END_TEST

TEST_MAIN("error", 60, the_line, no_error, the_kind_that_an_errno_suggests, every_kind_has_a_word,
	  what_hangs_on_it, empty_notes_are_none, the_last_failure_counts, permission_has_a_hint,
	  a_fallback_forgets, from_a_call_below, out_of_memory, errno_survives, long_names,
	  libbpf_text_is_bounded)
