// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * embed OUTPUT INPUT...: writes BPF objects as one C header, a table of name, bytes and size. Runs
 * on the build machine; a header made this way is rebuilt and cross-compiles like any other source.
 */
#include <stdio.h>
#include <string.h>

static int embed(FILE *out, const char *path, int index)
{
	FILE *in = fopen(path, "rb");
	unsigned long size = 0;
	int c;

	if (!in)
		return -1;
	/* libbpf casts into the bytes: give them the alignment of an ELF header. */
	fprintf(out, "static const unsigned char builtin_%d[] __attribute__((aligned(8))) = {",
		index);
	for (; (c = getc(in)) != EOF; size++)
		fprintf(out, "%s%d,", size % 24 ? "" : "\n", c);
	fprintf(out, "\n};\n");
	fclose(in);
	return size ? 0 : -1;
}

int main(int argc, char **argv)
{
	FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;

	if (!out)
		return 1;
	for (int i = 2; i < argc; i++) {
		if (embed(out, argv[i], i) < 0) {
			perror(argv[i]);
			return 1;
		}
	}
	fprintf(out,
		"static const struct builtin {\n\tconst char *name;\n\tconst unsigned char *data;\n"
		"\tsize_t size;\n} builtins[] = {\n");
	for (int i = 2; i < argc; i++) {
		const char *slash = strrchr(argv[i], '/');
		const char *base = slash ? slash + 1 : argv[i];

		fprintf(out, "\t{ \"%.*s\", builtin_%d, sizeof(builtin_%d) },\n",
			(int)strcspn(base, "."), base, i, i);
	}
	fprintf(out, "};\n");
	return fclose(out) ? 1 : 0;
}
