// SPDX-License-Identifier: 0BSD
/*
 * 02-probe: asks this kernel for everything that libebpfnet can use, and says why not where it
 *cannot.
 *
 *	cc -o 02-probe 02-probe.c $(pkg-config --cflags --libs libebpfnet)
 *	./02-probe			a table for people
 *	./02-probe tcx netkit		these two; exit 1 if one is missing, 2 if the kernel would
 *not say
 *	./02-probe --tsv		feature, yes/no/refused, minimum kernel, reason, split by
 *tabs
 *	./02-probe --markdown		the table of doc/KERNELS.md; the kernel is not asked
 */
#include <ebpfnet/ebpfnet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "probe tcx: not supported: tcx needs Linux 6.6, running 6.1" without its first two parts. */
static const char *reason(const struct ebpfnet_error *err)
{
	const char *text = ebpfnet_error_message(err);

	for (int i = 0; i < 2; i++) {
		const char *colon = strstr(text, ": ");

		if (colon)
			text = colon + 2;
	}
	return text;
}

/* Prints one row. Returns the exit code that it asks for. */
static int print_row(struct ebpfnet_ctx *ctx, uint32_t feature, int tsv)
{
	struct ebpfnet_feature_info info;
	struct ebpfnet_error *err = NULL;
	const char *answer = "yes", *why = "";
	int ret, code = 0;

	info.sz = sizeof(info);
	ebpfnet_probe_info(feature, &info);
	ret = ebpfnet_probe_require(ctx, feature, &err);
	if (ret == -EOPNOTSUPP) {
		answer = "no";
		why = reason(err);
		code = 1;
	} else if (ret < 0) {
		answer = ret == -EPERM ? "refused" : "unknown";
		why = reason(err);
		code = 2;
	}
	if (tsv)
		printf("%s\t%s\t%s\t%s\n", info.name, answer, info.min_kernel, why);
	else
		printf("%-17s %-8s %-6s %s\n", info.name, answer, info.min_kernel, why);
	ebpfnet_error_free(err);
	return code;
}

static int print_all(struct ebpfnet_ctx *ctx, int tsv)
{
	struct ebpfnet_feature_info info;

	info.sz = sizeof(info);
	if (!tsv)
		printf("%-17s %-8s %-6s %s\n", "feature", "here", "min", "why not");
	for (uint32_t f = 1; ebpfnet_probe_info(f, &info) == 0; f++)
		print_row(ctx, f, tsv);
	return 0;
}

static int print_named(struct ebpfnet_ctx *ctx, char **names)
{
	int worst = 0;

	for (; *names; names++) {
		uint32_t feature = ebpfnet_probe_find(*names);
		int code;

		if (!feature) {
			fprintf(stderr, "02-probe: no feature is called %s\n", *names);
			return 3;
		}
		code = print_row(ctx, feature, 0);
		worst = code > worst ? code : worst;
	}
	return worst;
}

static int print_markdown(void)
{
	struct ebpfnet_feature_info info;

	info.sz = sizeof(info);
	printf("| feature | minimum | config | what |\n|---|---|---|---|\n");
	for (uint32_t f = 1; ebpfnet_probe_info(f, &info) == 0; f++)
		printf("| %s | %s | %s | %s |\n", info.name, info.min_kernel,
		       info.config ? info.config : "", info.description);
	return 0;
}

int main(int argc, char **argv)
{
	int tsv = argc == 2 && !strcmp(argv[1], "--tsv"), ret;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;

	if (argc == 2 && !strcmp(argv[1], "--markdown"))
		return print_markdown();
	if (argc > 1 && argv[1][0] == '-' && !tsv) {
		fprintf(stderr, "usage: 02-probe [--tsv | --markdown | FEATURE...]\n");
		return 3;
	}
	if (ebpfnet_ctx_new(NULL, &ctx, &err) < 0) {
		fprintf(stderr, "02-probe: %s\n", ebpfnet_error_message(err));
		ebpfnet_error_free(err);
		return 3;
	}
	ret = argc > 1 && !tsv ? print_named(ctx, argv + 1) : print_all(ctx, tsv);
	ebpfnet_ctx_unref(ctx);
	return ret;
}
