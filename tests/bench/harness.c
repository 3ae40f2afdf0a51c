// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "harness.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static FILE *csv;
static double calibration = NAN;

void bench_add(struct bench_samples *s, double value)
{
	if (s->n < BENCH_ROUNDS)
		s->value[s->n++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_quantile(const struct bench_samples *s, double part)
{
	double sorted[BENCH_ROUNDS], at;
	size_t i;

	if (!s || !s->n)
		return NAN;
	memcpy(sorted, s->value, s->n * sizeof(*sorted));
	qsort(sorted, s->n, sizeof(*sorted), compare);
	at = part * (double)(s->n - 1);
	i = (size_t)at;
	if (i + 1 >= s->n)
		return sorted[s->n - 1];
	return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

static double median(const struct bench_samples *s)
{
	return bench_quantile(s, 0.5);
}

/* What is judged is what is printed. */
static double rounded(double value)
{
	return round(value * 100) / 100;
}

double bench_ratio(const struct bench_samples *ours, const struct bench_samples *peer)
{
	return rounded(median(ours) / median(peer));
}

enum bench_status bench_judge(const struct bench_line *line, const struct bench_samples *ours,
			      const struct bench_samples *peer)
{
	double ratio = bench_ratio(ours, peer);
	bool good = false;

	if (!peer || !peer->n || line->judge == BENCH_NONE || !isfinite(ratio))
		return BENCH_REF;
	switch (line->judge) {
	case BENCH_RATIO_AT_MOST:
		good = ratio <= line->limit;
		break;
	case BENCH_RATIO_AT_LEAST:
		good = ratio >= line->limit;
		break;
	case BENCH_VALUE_AT_MOST:
		good = rounded(median(ours)) <= line->limit;
		break;
	case BENCH_NONE:
		break;
	}
	return good ? BENCH_OK : BENCH_SHORT;
}

static const char *status_name(enum bench_status status)
{
	static const char *const names[] = { "ok", "short", "ref" };

	return names[status];
}

/* "-" for what is not there. */
static const char *number(char *out, size_t size, double value)
{
	if (isfinite(value))
		snprintf(out, size, "%.2f", value);
	else
		snprintf(out, size, "-");
	return out;
}

static const char *target(char *out, size_t size, const struct bench_line *line)
{
	const char *sign = line->judge == BENCH_RATIO_AT_LEAST ? ">=" : "<=";

	if (line->quoted)
		snprintf(out, size, "quoted %s", line->quoted);
	else if (line->judge == BENCH_NONE)
		snprintf(out, size, "-");
	else if (line->judge == BENCH_VALUE_AT_MOST)
		snprintf(out, size, "%s %g %s", sign, line->limit, line->unit);
	else
		snprintf(out, size, "%s %.2f", sign, line->limit);
	return out;
}

void bench_format(char *out, size_t size, const struct bench_line *line,
		  const struct bench_samples *ours, const struct bench_samples *peer)
{
	char a[32], b[32], r[32], t[48];

	snprintf(out, size, "%s\t%s\t%s\t%s\t%s\t%s\t%s", line->name,
		 number(a, sizeof(a), median(ours)), number(b, sizeof(b), median(peer)), line->unit,
		 number(r, sizeof(r), bench_ratio(ours, peer)), target(t, sizeof(t), line),
		 status_name(bench_judge(line, ours, peer)));
}

static void print_spread(const struct bench_line *line, const struct bench_samples *ours,
			 const struct bench_samples *peer)
{
	printf("# %s: %zu rounds, quartiles %.2f %.2f", line->name, ours->n,
	       bench_quantile(ours, 0.25), bench_quantile(ours, 0.75));
	if (peer && peer->n)
		printf(", peer %.2f %.2f", bench_quantile(peer, 0.25), bench_quantile(peer, 0.75));
	if (!strcmp(line->unit, "ns") && isfinite(calibration))
		printf(", %.2f x calibration (%.2f ns)", median(ours) / calibration, calibration);
	printf("\n");
	fflush(stdout);
}

static void write_row(const struct bench_line *line, const struct bench_samples *ours,
		      const struct bench_samples *peer)
{
	bool ns = !strcmp(line->unit, "ns");
	char r[32], t[48];

	if (!csv)
		return;
	fprintf(csv, "%s,%.4f,%.4f,%s,%s,%s,%s,%zu,%.4f,%.4f,%.4f,%.4f,%.4f,%.4f\n", line->name,
		median(ours), median(peer), line->unit,
		number(r, sizeof(r), bench_ratio(ours, peer)), target(t, sizeof(t), line),
		status_name(bench_judge(line, ours, peer)), ours->n, bench_quantile(ours, 0.25),
		bench_quantile(ours, 0.75), bench_quantile(peer, 0.25), bench_quantile(peer, 0.75),
		ns ? calibration : NAN, ns ? median(ours) / calibration : NAN);
	fflush(csv);
}

enum bench_status bench_report(const struct bench_line *line, const struct bench_samples *ours,
			       const struct bench_samples *peer, const char *why)
{
	char text[256];

	if (!ours->n) {
		printf("# %s reports nothing: %s\n", line->name, why ? why : "no round was good");
		return BENCH_REF;
	}
	bench_format(text, sizeof(text), line, ours, peer);
	printf("%s\n", text);
	print_spread(line, ours, peer);
	write_row(line, ours, peer);
	return bench_judge(line, ours, peer);
}

void bench_set_calibration(double ns)
{
	calibration = ns;
}

const char *bench_refusal(void)
{
	/* Empty in a release build without sanitizers; the build file says what is wrong. */
	return *BENCH_BUILD ? BENCH_BUILD : NULL;
}

/* What the figures were measured in. */
static void print_surroundings(void)
{
	double load = 0;
	struct utsname u;

	if (uname(&u) == 0 && getloadavg(&load, 1) == 1)
		printf("# bench: Linux %s, load average %.2f on %ld CPUs%s\n", u.release, load,
		       sysconf(_SC_NPROCESSORS_ONLN),
		       load > 1 ? ": other work disturbs these figures" : "");
}

void bench_begin(const char *room)
{
	const char *folder = getenv("EBPFNET_BENCH_OUT"), *why = bench_refusal();
	char path[512];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (why) {
		fprintf(stderr,
			"bench %s: refused: %s; figures of such a build mean nothing: "
			"meson setup BUILD -Dbuildtype=release\n",
			room, why);
		exit(2);
	}
	bench_settle();
	print_surroundings();
	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/%s.csv", folder, room);
	csv = fopen(path, "we");
	if (csv)
		fprintf(csv, "name,ours,peer,unit,ratio,target,status,rounds,ours_q1,ours_q3,"
			     "peer_q1,peer_q3,calibration,calibrated\n");
}

void bench_settle(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	/* Without either it is noisier, and nothing else. */
	if (sched_setaffinity(0, sizeof(set), &set) < 0 || setpriority(PRIO_PROCESS, 0, -20) < 0)
		printf("# bench: not alone on a CPU, or not before others: expect more noise\n");
}

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

uint64_t bench_now(void)
{
	return now(CLOCK_MONOTONIC);
}

uint64_t bench_cpu(void)
{
	return now(CLOCK_THREAD_CPUTIME_ID);
}
