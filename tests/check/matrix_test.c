// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The kernel matrix without a kernel: tests/vm/table.sh makes the table of consoles that are written
 * here, and judges what was planted in it; doc/KERNELS.md holds the table of tests/vm/expected.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

static char folder[] = "/tmp/ebpfnet-matrix-XXXXXX";
static const char *source;
static int wrong;

static int shell(char *out, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Runs a command; its output, stderr too, goes to out. Returns its exit status. */
static int shell(char *out, size_t size, const char *fmt, ...)
{
	char command[2048];
	size_t have = 0, n;
	va_list ap;
	FILE *f;
	int status;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	f = popen(command, "r");
	if (!f)
		return -1;
	while (have + 1 < size && (n = fread(out + have, 1, size - 1 - have, f)))
		have += n;
	out[have] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static void expect(int yes, const char *what, const char *output)
{
	if (yes)
		return;
	wrong++;
	printf("FAIL: %s\n%s\n", what, output);
}

/* A console as inside.sh leaves it: other lines, carriage returns. */
static const char old_console[] = "EBN-KERNEL 5.10.0\r\n"
				  "EBN-FEATURE btf yes\r\n"
				  "EBN-FEATURE tcx no\n"
				  "EBN-OBJECT counter works\n"
				  "EBN-WAY falls back to clsact\ttc ingress\n"
				  "EBN-CASE net/tc_test revision skipped needs tcx\n"
				  "EBN-TEST net/tc_test works 1.20 7\n"
				  "EBN-TEST net/netfilter_test skipped 0.10 -\n"
				  "EBN-GUEST 1 1 0\n";
static const char new_console[] = "EBN-KERNEL 6.12.0\n"
				  "[    1.0] a line of the kernel's\n"
				  "EBN-FEATURE btf yes\n"
				  "EBN-FEATURE tcx yes\n"
				  "EBN-OBJECT counter works\n"
				  "EBN-WAY works\ttc ingress\n"
				  "EBN-WAY works\ttc ingress\n"
				  "EBN-TEST net/tc_test works 1.20 8\n"
				  "EBN-TEST net/netfilter_test works 0.10 4\n"
				  "EBN-GUEST 2 0 0\n";

#define HEAD "row\t5.10\t6.1\t6.12\tnewest\n"
#define BTF "feature btf\tworks\tworks\tworks\tworks\n"
#define TCX "feature tcx\tnot there\tnot there\tworks\tworks\n"
#define TC "hook tc ingress\tfalls back to clsact\tfalls back to clsact\tworks\tworks\n"
#define OBJECT "object counter\tworks\tworks\tworks\tworks\n"
#define NETFILTER "test net/netfilter_test\tskipped\tskipped\tworks\tworks\n"
#define CASE "test net/tc_test revision\tskipped\tskipped\tworks\tworks\n"
#define TABLE HEAD BTF TCX TC OBJECT NETFILTER CASE

static void makes_the_table(void)
{
	static char out[8192];

	write_file("5.10.log", old_console);
	write_file("6.1.log", old_console);
	write_file("6.12.log", new_console);
	write_file("newest.log", new_console);
	expect(shell(out, sizeof(out), "%s/tests/vm/table.sh make %s 2>&1", source, folder) == 0 &&
		       !strcmp(out, TABLE),
	       "the table of four consoles", out);
}

/* What is planted in one table, and whether it must be told and be wrong. */
static const struct {
	const char *what, *old_table, *new_table;
	int status;
	const char *says;
} plants[] = {
	{ "the same", TABLE, TABLE, 0, "" },
	{ "remarks are not rows", "# measured on\n" TABLE, TABLE, 0, "" },
	{ "a test falls from works to skipped", TABLE,
	  HEAD BTF TCX TC OBJECT NETFILTER CASE "test net/xdp_test\tworks\tskipped\tworks\tworks\n",
	  1, "WRONG  test net/xdp_test on 6.1: skipped, expected: works" },
	{ "a case falls from works to skipped", TABLE,
	  HEAD BTF TCX TC OBJECT NETFILTER
	  "test net/tc_test revision\tskipped\tskipped\tskipped\tworks\n",
	  1, "WRONG  test net/tc_test revision on 6.12: skipped, expected: works" },
	{ "the newest falls too", TABLE,
	  HEAD BTF TCX TC OBJECT NETFILTER
	  "test net/tc_test revision\tskipped\tskipped\tworks\tskipped\n",
	  1, "WRONG  test net/tc_test revision on newest: skipped, expected: works" },
	{ "a hook falls to its fallback", TABLE,
	  HEAD BTF TCX "hook tc ingress\tfalls back to clsact\tfalls back to clsact\tfalls back to "
		       "clsact\tworks\n" OBJECT NETFILTER CASE,
	  1, "WRONG  hook tc ingress on 6.12: falls back to clsact, expected: works" },
	{ "another fallback", TABLE,
	  HEAD BTF TCX
	  "hook tc ingress\tfalls back to u32\tfalls back to clsact\tworks\tworks\n" OBJECT
		  NETFILTER CASE,
	  1, "WRONG  hook tc ingress on 5.10: falls back to u32" },
	{ "a hook is not told any more", TABLE, HEAD BTF TCX OBJECT NETFILTER CASE, 1,
	  "WRONG  hook tc ingress on 6.12: -, expected: works" },
	{ "a hook that nobody expects", HEAD BTF TCX OBJECT NETFILTER CASE, TABLE, 1,
	  "WRONG  hook tc ingress on 6.12: works, expected: -" },
	{ "a feature is refused", TABLE,
	  HEAD BTF "feature tcx\tnot there\tnot there\trefused\tworks\n" TC OBJECT NETFILTER CASE,
	  1, "WRONG  feature tcx on 6.12: refused, expected: works" },
	{ "not there and refused are two things", TABLE,
	  HEAD BTF "feature tcx\tnot there\trefused\tworks\tworks\n" TC OBJECT NETFILTER CASE, 1,
	  "WRONG  feature tcx on 6.1: refused, expected: not there" },
	{ "a block does not load", TABLE,
	  HEAD BTF TCX TC "object counter\trefused\tworks\tworks\tworks\n" NETFILTER CASE, 1,
	  "WRONG  object counter on 5.10: refused, expected: works" },
	{ "more than expected, on a kernel that stands still", TABLE,
	  HEAD BTF TCX TC OBJECT CASE "test net/netfilter_test\tskipped\tworks\tworks\tworks\n", 1,
	  "WRONG  test net/netfilter_test on 6.1: works, expected: skipped" },
	{ "more than expected, on the newest",
	  HEAD BTF TCX TC OBJECT CASE "test net/netfilter_test\tskipped\tskipped\tworks\tskipped\n",
	  TABLE, 0, "better  test net/netfilter_test on newest: works, expected: skipped" },
	{ "failed is wrong, also where it is expected",
	  HEAD BTF TCX TC OBJECT NETFILTER CASE "test net/xdp_test\tworks\tfailed\tworks\tworks\n",
	  HEAD BTF TCX TC OBJECT NETFILTER CASE "test net/xdp_test\tworks\tfailed\tworks\tworks\n",
	  1, "WRONG  test net/xdp_test on 6.1: failed" },
	{ "two tests of a hook say different things", TABLE,
	  HEAD BTF TCX "hook tc ingress\tfalls back to clsact and works\tfalls back to "
		       "clsact\tworks\tworks\n" OBJECT NETFILTER CASE,
	  1, "WRONG  hook tc ingress on 5.10: falls back to clsact and works" },
	{ "a kernel did not run", TABLE,
	  "row\t5.10\t6.1\t6.12\tnewest\n"
	  "feature btf\tworks\t-\tworks\tworks\n" TCX TC OBJECT NETFILTER CASE,
	  1, "WRONG  feature btf on 6.1: -, expected: works" },
};

static void judges(void)
{
	static char out[8192];

	for (size_t i = 0; i < sizeof(plants) / sizeof(*plants); i++) {
		int status;

		write_file("old", plants[i].old_table);
		write_file("new", plants[i].new_table);
		status = shell(out, sizeof(out), "%s/tests/vm/table.sh judge %s/old %s/new 2>&1",
			       source, folder, folder);
		expect(status == plants[i].status, plants[i].what, out);
		expect(*plants[i].says ? strstr(out, plants[i].says) != NULL : !*out,
		       plants[i].what, out);
	}
}

#define BEGIN "<!-- matrix: begin -->\n"
#define END "<!-- matrix: end -->"

/* Is the table between the page's markers the one of the ledger? */
static int page_has_table(const char *page_path, const char *table_path)
{
	static char want[65536], page[262144];
	char *begin, *end;

	if (shell(want, sizeof(want), "%s/tests/vm/table.sh markdown %s", source, table_path) ||
	    shell(page, sizeof(page), "cat %s", page_path))
		return 0;
	begin = strstr(page, BEGIN);
	end = begin ? strstr(begin, END) : NULL;
	if (!end)
		return 0;
	*end = '\0';
	return !strcmp(begin + strlen(BEGIN), want);
}

static void the_page_has_the_table(void)
{
	static char markdown[65536];
	char page[256], table[256];

	write_file("table", HEAD TCX);
	write_file("page.md", "# Kernels\n" BEGIN "| | 5.10 | 6.1 | 6.12 | newest |\n"
			      "|---|---|---|---|---|\n"
			      "| feature tcx | not there | not there | works | works |\n" END "\n");
	snprintf(page, sizeof(page), "%s/page.md", folder);
	snprintf(table, sizeof(table), "%s/table", folder);
	expect(page_has_table(page, table), "a page that holds its table", "");
	write_file("table", HEAD BTF);
	expect(!page_has_table(page, table), "a page that holds another table", "");
	snprintf(page, sizeof(page), "%s/doc/KERNELS.md", source);
	snprintf(table, sizeof(table), "%s/tests/vm/expected", source);
	if (access(table, F_OK) < 0) {
		printf("kernel matrix: no table is recorded yet, so none is compared\n");
		return;
	}
	if (!page_has_table(page, table)) {
		shell(markdown, sizeof(markdown), "%s/tests/vm/table.sh markdown %s 2>&1", source,
		      table);
		expect(0, "doc/KERNELS.md is not tests/vm/expected; put this between its markers:",
		       markdown);
	}
}

int main(void)
{
	char out[256];

	source = getenv("EBPFNET_SOURCE") ? getenv("EBPFNET_SOURCE") : ".";
	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	makes_the_table();
	judges();
	the_page_has_the_table();
	shell(out, sizeof(out), "rm -r %s", folder);
	printf("kernel matrix: %zu planted tables, %d wrong\n", sizeof(plants) / sizeof(*plants),
	       wrong);
	return wrong ? 1 : 0;
}
