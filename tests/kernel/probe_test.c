// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The feature table against the running kernel: the table, the probe and the kernel must agree. */
#include "helpers.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/ctx.h"
#include "probe/feature.h"
#include "probe/kernel.h"

#define ROWS_MAX EBPFNET__PROBE_MAX

static struct ebpfnet_ctx *new_ctx(void)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;

	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	return ctx;
}

/* Asks every row. Returns how many there are. */
static uint32_t ask_all(struct ebpfnet_ctx *ctx, int answers[ROWS_MAX])
{
	uint32_t f;

	for (f = 1; ebpfnet__feature(f); f++) {
		struct ebpfnet_error *err = NULL;

		answers[f - 1] = ebpfnet_probe(ctx, f, &err);
		ck_assert_int_eq(answers[f - 1] < 0, err != NULL);
		ck_assert_int_eq(ebpfnet_error_code(err), answers[f - 1] < 0 ? answers[f - 1] : 0);
		if (answers[f - 1] == -EPERM)
			ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_PERMISSION);
		ebpfnet_error_free(err);
	}
	return f - 1;
}

static bool running_is_older(const char *min_kernel)
{
	struct ebpfnet__version running, min;

	ck_assert_int_eq(ebpfnet__version_parse(ebpfnet__kernel_release(), &running), 0);
	ck_assert_int_eq(ebpfnet__version_parse(min_kernel, &min), 0);
	return ebpfnet__version_compare(&running, &min) < 0;
}

/* Arenas of 7.x allocate without locks, which x86-64 does with cmpxchg16b; the guests have none. */
static bool no_cx16(void)
{
	return test_shell("grep -qw cx16 /proc/cpuinfo") != 0;
}

/* Backports that were looked into by hand: the feature worked, not just its probe. */
static const struct {
	unsigned int major, minor;
	uint32_t feature;
} backports[] = {
	/* Debian's 6.12.117: of three links the last, made with BEFORE, runs first. */
	{ 6, 12, EBPFNET_FEATURE_CGROUP_ORDER },
};

static bool known_backport(uint32_t feature)
{
	struct ebpfnet__version v;

	ck_assert_int_eq(ebpfnet__version_parse(ebpfnet__kernel_release(), &v), 0);
	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(backports); i++)
		if (backports[i].major == v.major && backports[i].minor == v.minor &&
		    backports[i].feature == feature)
			return true;
	return false;
}

/*
 * Yes on a kernel older than the table says is a backport: printed, and under EBPFNET_TEST_STRICT,
 * where the kernels are known, wrong unless it is known too, because a probe that always says yes
 * looks the same. No must have a reason that the kernel's version, configuration, modules or
 * switches give. Refused is neither.
 */
START_TEST(table_is_honest)
{
	struct ebpfnet_ctx *ctx = new_ctx();
	int answers[ROWS_MAX], wrong = 0;
	uint32_t n = ask_all(ctx, answers);

	printf("Linux %s\n", ebpfnet__kernel_release());
	for (uint32_t i = 0; i < n; i++) {
		const struct ebpfnet__feature *f = ebpfnet__feature(i + 1);
		bool bad = false;
		struct ebpfnet__why why = { 0 };

		if (answers[i] == 1 && running_is_older(f->min_kernel)) {
			snprintf(why.text, sizeof(why.text), "a backport of %s", f->min_kernel);
			bad = getenv("EBPFNET_TEST_STRICT") && !known_backport(i + 1);
		} else if (answers[i] == 0) {
			ebpfnet__feature_why_here(f, &why);
			bad = why.cause == EBPFNET__CAUSE_UNKNOWN;
			/* Without a configuration there is nothing to hold the answer against. */
		} else if (answers[i] < 0 && answers[i] != -EPERM) {
			bad = !(answers[i] == -ENOMEM && !strcmp(f->name, "arena") && no_cx16());
			snprintf(why.text, sizeof(why.text), "%s", ebpfnet_strerror(answers[i]));
		}
		printf("%-17s %-8s %s%s\n", f->name,
		       answers[i] == 1	      ? "yes"
		       : answers[i] == 0      ? "no"
		       : answers[i] == -EPERM ? "refused"
					      : "unknown",
		       why.text, bad ? "  <-- WRONG" : "");
		wrong += bad;
	}
	ebpfnet_ctx_unref(ctx);
	ck_assert_int_eq(wrong, 0);
}
END_TEST

/* Only extension programs are known to be refused to root, by the policy of some kernels. */
START_TEST(root_is_answered)
{
	struct ebpfnet_ctx *ctx = new_ctx();
	int answers[ROWS_MAX];
	uint32_t n = ask_all(ctx, answers);

	for (uint32_t i = 0; i < n; i++)
		if (i + 1 != EBPFNET_FEATURE_FREPLACE_MULTI)
			ck_assert_msg(answers[i] != -EPERM, "%s is refused to root",
				      ebpfnet__feature(i + 1)->name);
	ebpfnet_ctx_unref(ctx);
}
END_TEST

/* What a probe could leave behind: descriptors, a namespace, a mask, something on the loopback
 * device. */
struct traces {
	int fds;
	ino_t netns;
	sigset_t mask;
	char loopback[4096];
};

static void look(struct traces *t)
{
	struct stat st;

	memset(t, 0, sizeof(*t));
	t->fds = test_open_fds();
	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &st), 0);
	t->netns = st.st_ino;
	pthread_sigmask(SIG_SETMASK, NULL, &t->mask);
	test_shell_output(t->loopback, sizeof(t->loopback),
			  "ip -d link show dev lo 2>&1; tc qdisc show dev lo 2>&1");
}

START_TEST(nothing_is_left)
{
	struct ebpfnet_ctx *ctx = new_ctx();
	struct traces before, after;
	int answers[ROWS_MAX];
	sigset_t none;

	/* Whatever the tests before this one left. */
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	look(&before);
	ask_all(ctx, answers);
	look(&after);
	ck_assert_int_eq(before.fds, after.fds);
	ck_assert_uint_eq(before.netns, after.netns);
	ck_assert_mem_eq(&before.mask, &after.mask, sizeof(before.mask));
	ck_assert_str_eq(before.loopback, after.loopback);
	ebpfnet_ctx_unref(ctx);
}
END_TEST

/* Every row, stdout and stderr going to a file of ours. */
START_TEST(nothing_is_printed)
{
	struct ebpfnet_ctx *ctx = new_ctx();
	FILE *sink = tmpfile();
	int answers[ROWS_MAX], out, err;
	struct stat st;

	ck_assert_ptr_nonnull(sink);
	fflush(stdout);
	out = dup(1);
	err = dup(2);
	dup2(fileno(sink), 1);
	dup2(fileno(sink), 2);
	ask_all(ctx, answers);
	fflush(stdout);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	ck_assert_int_eq(fstat(fileno(sink), &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	fclose(sink);
	ebpfnet_ctx_unref(ctx);
}
END_TEST

/* In a process without capabilities: never a "no" that root does not get, and nothing kept of a
 * refusal. */
static int without_capabilities(const int as_root[ROWS_MAX])
{
	struct ebpfnet_ctx *ctx;
	int refused = 0;

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) ||
	    ebpfnet_ctx_new(NULL, &ctx, NULL))
		return 101;
	for (uint32_t f = 1; ebpfnet__feature(f); f++) {
		struct ebpfnet_error *err = NULL;
		int ret = ebpfnet_probe(ctx, f, &err);
		bool fine = ret >= 0
				    ? ret == as_root[f - 1]
				    : ret == -EPERM &&
					      ebpfnet_error_kind(err) == EBPFNET_ERROR_PERMISSION &&
					      ebpfnet_error_hint(err) && !ctx->probed[f - 1];

		if (!fine) {
			printf("%s: root gets %d, nobody %d: %s\n", ebpfnet__feature(f)->name,
			       as_root[f - 1], ret, ebpfnet_error_message(err));
			return 102;
		}
		refused += ret == -EPERM;
		ebpfnet_error_free(err);
	}
	ebpfnet_ctx_unref(ctx);
	return refused;
}

START_TEST(refused)
{
	struct ebpfnet_ctx *ctx = new_ctx();
	int as_root[ROWS_MAX], status;
	pid_t child;

	ask_all(ctx, as_root);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		status = without_capabilities(as_root);
		fflush(stdout);
		_exit(status);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	printf("%d of the rows are refused to nobody\n", WEXITSTATUS(status));
	ck_assert_int_lt(WEXITSTATUS(status), 100);
	ck_assert_int_ge(WEXITSTATUS(status), 10);
	ebpfnet_ctx_unref(ctx);
}
END_TEST

/* What is kept is what was answered, and a kept answer is not asked for again. */
START_TEST(answers_are_kept)
{
	struct ebpfnet_ctx *ctx = new_ctx();
	struct ebpfnet_error *err = NULL;
	unsigned char *kept = &ctx->probed[EBPFNET_FEATURE_MAP_BATCH - 1];

	ck_assert_uint_eq(*kept, 0);
	ck_assert_int_eq(ebpfnet_probe(ctx, EBPFNET_FEATURE_MAP_BATCH, &err), 1);
	ck_assert_uint_eq(*kept, 1);
	*kept = 2;
	ck_assert_int_eq(ebpfnet_probe(ctx, EBPFNET_FEATURE_MAP_BATCH, &err), 0);
	ASSERT_FAILS(ebpfnet_probe_require(ctx, EBPFNET_FEATURE_MAP_BATCH, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_NOT_SUPPORTED, "probe map_batch: not supported: ");
	ebpfnet_ctx_unref(ctx);
}
END_TEST

START_TEST(no_such_feature)
{
	struct ebpfnet_ctx *ctx = new_ctx();
	struct ebpfnet_error *err = NULL;

	ASSERT_FAILS(ebpfnet_probe(ctx, 0, &err), err, -EINVAL, EBPFNET_ERROR_INVALID, "0 is not");
	ASSERT_FAILS(ebpfnet_probe_require(ctx, 4711, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "4711");
	ASSERT_FAILS(ebpfnet_probe(ctx, UINT32_MAX, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "4294");
	ebpfnet_ctx_unref(ctx);
}
END_TEST

START_TEST(require_says_why)
{
	struct ebpfnet_ctx *ctx = new_ctx();
	struct ebpfnet_error *err = NULL;
	int answers[ROWS_MAX];
	uint32_t n = ask_all(ctx, answers);

	for (uint32_t f = 1; f <= n; f++) {
		int ret = ebpfnet_probe_require(ctx, f, &err);

		ck_assert_int_eq(ret, answers[f - 1] == 1   ? 0
				      : answers[f - 1] == 0 ? -EOPNOTSUPP
							    : answers[f - 1]);
		if (ret == -EOPNOTSUPP) {
			ck_assert_uint_eq(ebpfnet_error_kind(err), EBPFNET_ERROR_NOT_SUPPORTED);
			ck_assert_str_eq(ebpfnet_error_min_kernel(err),
					 ebpfnet__feature(f)->min_kernel);
			ck_assert_ptr_nonnull(ebpfnet_error_hint(err));
			printf("%s (%s)\n", ebpfnet_error_message(err), ebpfnet_error_hint(err));
		}
		ebpfnet_error_free(err);
		err = NULL;
	}
	ebpfnet_ctx_unref(ctx);
}
END_TEST

struct asker {
	pthread_t thread;
	struct ebpfnet_ctx *ctx;
	int answers[ROWS_MAX];
};

static void *ask_in_thread(void *data)
{
	struct asker *a = data;

	for (uint32_t f = 1; ebpfnet__feature(f); f++)
		a->answers[f - 1] = ebpfnet_probe(a->ctx, f, NULL);
	return NULL;
}

START_TEST(threads_agree)
{
	struct asker askers[4];
	struct ebpfnet_ctx *ctx = new_ctx();
	int alone[ROWS_MAX];
	uint32_t n;

	memset(askers, 0, sizeof(askers));
	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(askers); i++) {
		askers[i].ctx = ctx;
		ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask_in_thread, &askers[i]),
				 0);
	}
	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(askers); i++)
		pthread_join(askers[i].thread, NULL);
	n = ask_all(ctx, alone);
	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(askers); i++)
		ck_assert_mem_eq(askers[i].answers, alone, n * sizeof(int));
	ebpfnet_ctx_unref(ctx);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { table_is_honest,	   root_is_answered, nothing_is_left,
				       nothing_is_printed, refused,	     answers_are_kept,
				       no_such_feature,	   require_says_why, threads_agree };

	test_need_root();
	return test_run(test_suite("probe", tests, EBPFNET__ARRAY_SIZE(tests), 60));
}
