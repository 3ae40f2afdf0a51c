// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
/*
 * Writes the golden verifier logs below verifier/: what real kernels say of programs they refuse.
 *
 *	cd tests/golden
 *	clang -O2 -g -target bpf -mcpu=v3 -idirafter /usr/include/$(gcc -print-multiarch) \
 *		-ffile-prefix-map=$PWD/= -fdebug-compilation-dir=. -c bad.bpf.c -o bad.bpf.o
 *	gcc -O2 -Wall -static capture.c -o capture -lbpf -lelf -lz -lzstd
 *	./capture --all | ./capture --split verifier
 *	../vm/boot.sh -k newest -p ./capture:/bin/capture -f bad.bpf.o:/bad.bpf.o \
 *		-e CAPTURE_VIA='tests/vm/boot.sh -k newest -- ' \
 *		-- capture --all | ./capture --split verifier
 *
 * `capture NAME` prints one log, `capture --list` the names. Needs root, and bad.bpf.o in the
 * working directory. Logs are taken as the library takes them: through libbpf, with a buffer of
 * our own, at level 1. CAPTURE_VIA stands before the command that each log names: in a guest,
 * the one that booted it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define OBJECT "bad.bpf.o"
#define LOG_MAX (16U << 20)
/* Too small on purpose: the end of the log is lost before Linux 6.4, the start since. */
#define LOG_SMALL (4U << 10)
#define FILE_MARK "=== "

#define INSN(o, d, s, of, im)                                                                      \
	{                                                                                          \
		.code = (o), .dst_reg = (d), .src_reg = (s), .off = (of), .imm = (im)              \
	}
#define MOV_IMM(d, im) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, im)
#define MOV_REG(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD_IMM(d, im) INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, im)
#define LOAD32(d, s, of) INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, of, 0)
#define STORE64_IMM(d, of, im) INSN(BPF_ST | BPF_MEM | BPF_DW, d, 0, of, im)
#define CALL(id) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define JNE_IMM(d, im, of) INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, of, im)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

struct raw_program {
	const char *name;
	enum bpf_prog_type type;
	const char *licence;
	size_t log_size; /* 0: enough */
	bool without_capabilities;
	struct bpf_insn insns[10];
};

static const struct raw_program raw_programs[] = {
	{ .name = "context_access",
	  .type = BPF_PROG_TYPE_XDP,
	  .insns = { LOAD32(BPF_REG_0, BPF_REG_1, 200), EXIT() } },
	{ .name = "gpl_helper",
	  .type = BPF_PROG_TYPE_XDP,
	  .licence = "Proprietary",
	  .insns = { MOV_REG(BPF_REG_1, BPF_REG_10), ADD_IMM(BPF_REG_1, -8),
		     STORE64_IMM(BPF_REG_10, -8, 0), MOV_IMM(BPF_REG_2, 8),
		     CALL(BPF_FUNC_trace_printk), MOV_IMM(BPF_REG_0, 0), EXIT() } },
	{ .name = "helper_of_other_type",
	  .type = BPF_PROG_TYPE_XDP,
	  .insns = { CALL(BPF_FUNC_skb_pull_data), MOV_IMM(BPF_REG_0, 0), EXIT() } },
	{ .name = "infinite_loop",
	  .type = BPF_PROG_TYPE_XDP,
	  .insns = { MOV_IMM(BPF_REG_0, 0), JNE_IMM(BPF_REG_0, 1, -1), EXIT() } },
	{ .name = "no_exit",
	  .type = BPF_PROG_TYPE_XDP,
	  .insns = { MOV_IMM(BPF_REG_0, 0), MOV_IMM(BPF_REG_0, 1) } },
	{ .name = "scalar_as_pointer",
	  .type = BPF_PROG_TYPE_XDP,
	  .insns = { MOV_IMM(BPF_REG_1, 4096), LOAD32(BPF_REG_0, BPF_REG_1, 0), EXIT() } },
	{ .name = "stack_bounds",
	  .type = BPF_PROG_TYPE_XDP,
	  .insns = { STORE64_IMM(BPF_REG_10, -520, 0), MOV_IMM(BPF_REG_0, 0), EXIT() } },
	{ .name = "too_many_instructions",
	  .type = BPF_PROG_TYPE_XDP,
	  .log_size = LOG_SMALL,
	  .insns = { MOV_IMM(BPF_REG_0, 0), ADD_IMM(BPF_REG_0, 1), JNE_IMM(BPF_REG_0, 10000000, -2),
		     MOV_IMM(BPF_REG_0, 0), EXIT() } },
	{ .name = "unprivileged",
	  .type = BPF_PROG_TYPE_XDP,
	  .without_capabilities = true,
	  .insns = { MOV_IMM(BPF_REG_0, 0), EXIT() } },
	{ .name = "uninitialised_register",
	  .type = BPF_PROG_TYPE_XDP,
	  .insns = { MOV_REG(BPF_REG_0, BPF_REG_3), EXIT() } },
	{ .name = "unknown_helper",
	  .type = BPF_PROG_TYPE_XDP,
	  .insns = { CALL(9999), MOV_IMM(BPF_REG_0, 0), EXIT() } },
	{ .name = "unreachable",
	  .type = BPF_PROG_TYPE_XDP,
	  .insns = { MOV_IMM(BPF_REG_0, 0), EXIT(), MOV_IMM(BPF_REG_0, 1), EXIT() } },
};

static const char *const object_programs[] = {
	"core_poison",	 "kfunc_refused", "kfunc_unknown", "map_value_bounds",	   "null_map_value",
	"packet_bounds", "return_code",	  "stack_depth",   "unreleased_reference",
};

static char libbpf_text[4096];
static char *log_text;

static int keep_libbpf_text(enum libbpf_print_level level, const char *fmt, va_list args)
{
	size_t used = strlen(libbpf_text);

	if (level == LIBBPF_WARN)
		vsnprintf(libbpf_text + used, sizeof(libbpf_text) - used, fmt, args);
	return 0;
}

static size_t count_insns(const struct bpf_insn *insns, size_t max)
{
	static const struct bpf_insn none;

	while (max && !memcmp(&insns[max - 1], &none, sizeof(none)))
		max--;
	return max;
}

static int load_raw(const struct raw_program *p)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	size_t max = sizeof(p->insns) / sizeof(p->insns[0]);
	int fd;

	opts.log_buf = log_text;
	opts.log_size = p->log_size ? p->log_size : LOG_MAX;
	opts.log_level = 1;
	if (p->without_capabilities && setresuid(65534, 65534, 65534))
		return -errno;
	fd = bpf_prog_load(p->type, NULL, p->licence ? p->licence : "GPL", p->insns,
			   count_insns(p->insns, max), &opts);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int load_from_object(const char *name)
{
	struct bpf_object *obj = bpf_object__open_file(OBJECT, NULL);
	struct bpf_program *prog;
	int err = -errno;

	if (!obj) {
		fprintf(stderr, "capture: %s: %s\n", OBJECT, strerror(errno));
		return err;
	}
	prog = bpf_object__find_program_by_name(obj, name);
	if (!prog || bpf_program__set_autoload(prog, true) ||
	    bpf_program__set_log_buf(prog, log_text, LOG_MAX))
		err = -ENOENT;
	else
		err = bpf_object__load(obj);
	bpf_object__close(obj);
	return err;
}

/* "Linux 6.1.0 (Debian 6.1.192-2)": enough to know the text by, nothing about the machine. */
static void print_kernel(void)
{
	struct utsname u;
	const char *debian;

	uname(&u);
	debian = strstr(u.version, "Debian ");
	printf("# kernel: Linux %.*s %s", (int)strcspn(u.release, "-+"), u.release, u.machine);
	if (debian)
		printf(" (%.*s)", 7 + (int)strcspn(debian + 7, " "), debian);
	printf("\n");
}

static void print_log(const char *name, int err)
{
	const char *via = getenv("CAPTURE_VIA");
	size_t n = strlen(log_text);

	print_kernel();
	printf("# program: %s\n", name);
	printf("# command: %stests/golden/capture %s\n", via ? via : "", name);
	printf("# errno: %d\n", -err);
	for (char *line = strtok(libbpf_text, "\n"); line; line = strtok(NULL, "\n"))
		if (!n)
			printf("# %s\n", line);
	fputs(log_text, stdout);
	if (n && log_text[n - 1] != '\n')
		printf("\n");
}

static int capture(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(raw_programs) / sizeof(raw_programs[0]); i++)
		if (!strcmp(raw_programs[i].name, name)) {
			print_log(name, load_raw(&raw_programs[i]));
			return 0;
		}
	for (i = 0; i < sizeof(object_programs) / sizeof(object_programs[0]); i++)
		if (!strcmp(object_programs[i], name)) {
			print_log(name, load_from_object(name));
			return 0;
		}
	fprintf(stderr, "capture: no program %s; try --list\n", name);
	return 1;
}

/* In a child, because one of them gives up its capabilities. */
static int capture_marked(const char *name)
{
	struct utsname u;
	int status;
	pid_t pid;

	uname(&u);
	printf(FILE_MARK "%s-%.*s.log\n", name, (int)strspn(u.release, "0123456789."), u.release);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		status = capture(name);
		fflush(stdout);
		_exit(status);
	}
	return waitpid(pid, &status, 0) == pid && !status ? 0 : 1;
}

static int for_all(int (*fn)(const char *name))
{
	int err = 0;
	size_t i;

	for (i = 0; i < sizeof(raw_programs) / sizeof(raw_programs[0]); i++)
		err |= fn(raw_programs[i].name);
	for (i = 0; i < sizeof(object_programs) / sizeof(object_programs[0]); i++)
		err |= fn(object_programs[i]);
	return err;
}

static int print_name(const char *name)
{
	return puts(name) < 0;
}

static int split(const char *dir)
{
	char *line = NULL, path[512];
	FILE *out = NULL;
	size_t size = 0;
	int files = 0;

	while (getline(&line, &size, stdin) > 0) {
		if (strncmp(line, FILE_MARK, strlen(FILE_MARK))) {
			if (out)
				fputs(line, out);
			continue;
		}
		if (out)
			fclose(out);
		snprintf(path, sizeof(path), "%s/%.*s", dir,
			 (int)strcspn(line + strlen(FILE_MARK), "/\n"), line + strlen(FILE_MARK));
		out = fopen(path, "w");
		if (!out) {
			perror(path);
			break;
		}
		files++;
	}
	if (out)
		fclose(out);
	free(line);
	fprintf(stderr, "capture: %d files in %s\n", files, dir);
	return !out;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--split"))
		return split(argv[2]);
	if (argc != 2) {
		fprintf(stderr, "usage: capture NAME | --all | --list | --split FOLDER\n");
		return 2;
	}
	log_text = calloc(1, LOG_MAX);
	if (!log_text)
		return 1;
	libbpf_set_print(keep_libbpf_text);
	if (!strcmp(argv[1], "--list"))
		return for_all(print_name);
	if (!strcmp(argv[1], "--all"))
		return for_all(capture_marked);
	return capture(argv[1]);
}
