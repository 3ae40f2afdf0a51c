// SPDX-License-Identifier: 0BSD
/*
 * 01-load: checks a BPF object and prints what it needs of this kernel. Nothing stays loaded.
 *
 *	cc -o 01-load 01-load.c $(pkg-config --cflags --libs libebpfnet)
 *	./01-load drop.bpf.o
 *	./01-load counter		a block that the library carries
 *	./01-load -b other.btf drop.bpf.o	relocate against another kernel's BTF
 */
#include <ebpfnet/ebpfnet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAMS_MAX 64
#define RELOCS_MAX 1024

static int fail(struct ebpfnet_error *err)
{
	const char *hint = ebpfnet_error_hint(err), *log = ebpfnet_error_verifier_log(err);

	fprintf(stderr, "01-load: %s\n", ebpfnet_error_message(err));
	if (hint)
		fprintf(stderr, "hint: %s\n", hint);
	if (log)
		fprintf(stderr, "--- the verifier's log, whole ---\n%s", log);
	ebpfnet_error_free(err);
	return 1;
}

static int print_programs(struct ebpfnet_object *obj)
{
	static struct ebpfnet_program_report reports[PROGRAMS_MAX];
	struct ebpfnet_error *err = NULL;
	size_t count = PROGRAMS_MAX;

	if (ebpfnet_object_check(obj, reports, sizeof(reports[0]), &count, &err) < 0)
		return fail(err);
	printf("%-28s %6s %9s %6s %7s\n", "program", "insns", "verified", "stack", "jited");
	for (size_t i = 0; i < count && i < PROGRAMS_MAX; i++)
		printf("%-28s %6u %9u %6u %7u\n", reports[i].name, reports[i].insns,
		       reports[i].verified_insns, reports[i].stack_depth, reports[i].jited_size);
	return 0;
}

static int print_relocs(struct ebpfnet_object *obj)
{
	static struct ebpfnet_reloc relocs[RELOCS_MAX];
	struct ebpfnet_error *err = NULL;
	size_t count = RELOCS_MAX;

	if (ebpfnet_object_relocs(obj, relocs, sizeof(relocs[0]), &count, &err) < 0)
		return fail(err);
	if (count == 0) {
		printf("\nno CO-RE relocations: it asks nothing of the kernel's own structures\n");
		return 0;
	}
	printf("\n%-28s %5s %-36s %8s %8s\n", "program", "insn", "asks for", "object", "kernel");
	for (size_t i = 0; i < count && i < RELOCS_MAX; i++) {
		printf("%-28s %5u %-36s %8" PRIu64 " ", relocs[i].program, relocs[i].insn,
		       relocs[i].what, relocs[i].local_value);
		if (relocs[i].found)
			printf("%8" PRIu64 "\n", relocs[i].target_value);
		else
			printf("%8s %s\n", "-", relocs[i].why);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct ebpfnet_object *obj = NULL;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx;
	int opt, ret;

	EBPFNET_OPTS(ebpfnet_ctx_opts, opts);
	while ((opt = getopt(argc, argv, "b:")) != -1) {
		if (opt != 'b')
			return 2;
		opts.btf_path = optarg;
	}
	if (optind != argc - 1) {
		fprintf(stderr, "usage: 01-load [-b BTF] FILE.bpf.o | BLOCK\n");
		return 2;
	}
	if (ebpfnet_ctx_new(&opts, &ctx, &err) < 0)
		return fail(err);
	if (strchr(argv[optind], '.'))
		ret = ebpfnet_object_open_file(ctx, argv[optind], NULL, &obj, &err);
	else
		ret = ebpfnet_object_open_builtin(ctx, argv[optind], NULL, &obj, &err);
	ret = ret < 0 ? fail(err) : print_relocs(obj) | print_programs(obj);
	ebpfnet_object_close(obj);
	ebpfnet_ctx_unref(ctx);
	return ret;
}
