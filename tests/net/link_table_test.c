// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The table of links in doc/OWNERSHIP.md, cell by cell: what works, what is refused, what stays. The
 * table is read here, every cell is tried without having read it, and the two must agree. A row that
 * nothing tries, a kind that has no row, and a cell that lies are found; that they are is tried on
 * changed copies of the table.
 */
#include <stdarg.h>
#include <string.h>

#include "link_cells.h"
#include "link_elsewhere.h"
#include "sockets.h"

#define BEGIN "<!-- links: begin -->\n"
#define END "<!-- links: end -->"
#define ROWS_MAX 32
#define PLANTED "sockmap prog_attach" /* says every word that a cell can say, and is quick */

struct cell {
	size_t at; /* in the text */
	char word[32];
};

struct table {
	char text[8192];
	unsigned int rows;
	char name[ROWS_MAX][32];
	struct cell cell[ROWS_MAX][LINK_CELLS];
	unsigned int findings;
	char finding[1024]; /* the last one */
};

static struct table table, changed;

__attribute__((format(printf, 2, 3))) static void find(struct table *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->finding, sizeof(t->finding), fmt, ap);
	va_end(ap);
	t->findings++;
	printf("%s: %s\n", t == &table ? "doc/OWNERSHIP.md" : "planted", t->finding);
}

/* The next cell of a line that stands before its "|"; returns what is behind it, NULL at the end. */
static const char *next_cell(const char *at, const char *text, struct cell *cell)
{
	size_t len;

	at += strspn(at, "| ");
	len = strcspn(at, "|\n");
	if (at[len] != '|')
		return NULL;
	cell->at = (size_t)(at - text);
	while (len && at[len - 1] == ' ')
		len--;
	snprintf(cell->word, sizeof(cell->word), "%.*s", (int)len, at);
	return at + len;
}

/* One line: its first cell is the row's name, and as many follow as there are columns. */
static void read_line(struct table *t, const char *line, char name[32], struct cell *cells)
{
	struct cell first, more;
	const char *at = next_cell(line, t->text, &first);

	ck_assert_msg(at, "no table: %.60s", line);
	snprintf(name, 32, "%s", first.word);
	for (int i = 0; i < LINK_CELLS; i++) {
		at = next_cell(at, t->text, &cells[i]);
		if (!at) {
			find(t, "%s: %d cells, not %d", name, i, LINK_CELLS);
			return;
		}
	}
	if (next_cell(at, t->text, &more))
		find(t, "%s: a cell more than columns: %s", name, more.word);
}

/* The columns must be those that are tried here, by name and in order. */
static void parse(struct table *t)
{
	struct cell head[LINK_CELLS] = { 0 };
	const char *line = t->text;
	char name[32];

	t->rows = t->findings = 0;
	read_line(t, line, name, head);
	for (int i = 0; i < LINK_CELLS; i++) {
		if (strcmp(head[i].word, link_cells[i].column))
			find(t, "column %d is \"%s\", and \"%s\" is tried", i + 1, head[i].word,
			     link_cells[i].column);
	}
	line = strchr(line, '\n') + 1;
	ck_assert_int_eq(strncmp(line, "|--", 3), 0);
	for (line = strchr(line, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
		ck_assert_uint_lt(t->rows, ROWS_MAX);
		memset(t->cell[t->rows], 0, sizeof(t->cell[0]));
		read_line(t, line, t->name[t->rows], t->cell[t->rows]);
		t->rows++;
	}
}

static void read_table(void)
{
	static char page[65536];
	FILE *f = fopen(test_source("doc/OWNERSHIP.md"), "re");
	char *from, *to;

	ck_assert_ptr_nonnull(f);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	from = strstr(page, BEGIN);
	ck_assert_msg(from, "doc/OWNERSHIP.md has no " BEGIN);
	from += strlen(BEGIN);
	to = strstr(from, END);
	ck_assert_msg(to && (size_t)(to - from) < sizeof(table.text), "no " END);
	snprintf(table.text, sizeof(table.text), "%.*s", (int)(to - from), from);
	parse(&table);
}

static int row_of(const struct table *t, const char *name)
{
	for (unsigned int i = 0; i < t->rows; i++) {
		if (!strcmp(t->name[i], name))
			return (int)i;
	}
	return -1;
}

static const struct link_kind *kind_of(const char *row)
{
	for (unsigned int i = 0; i < link_kinds_count; i++) {
		if (!strcmp(link_kinds[i]->row, row))
			return link_kinds[i];
	}
	return NULL;
}

/* Rows and kinds are the same, each once, and cells say one of their column's two words. */
static void check_shape(struct table *t)
{
	for (unsigned int i = 0; i < t->rows; i++) {
		if (!kind_of(t->name[i]))
			find(t, "%s: no kind of this name is tried", t->name[i]);
		if (row_of(t, t->name[i]) != (int)i)
			find(t, "%s: two rows", t->name[i]);
		for (int c = 0; c < LINK_CELLS; c++) {
			const char *const *words = link_cells[c].words;

			if (strcmp(t->cell[i][c].word, words[0]) &&
			    strcmp(t->cell[i][c].word, words[1]))
				find(t, "%s, %s: \"%s\" is neither %s nor %s", t->name[i],
				     link_cells[c].column, t->cell[i][c].word, words[0], words[1]);
		}
	}
	for (unsigned int i = 0; i < link_kinds_count; i++) {
		if (row_of(t, link_kinds[i]->row) < 0)
			find(t, "%s: no row", link_kinds[i]->row);
	}
}

/* Tries the cells of a row, from one to before another. */
static void check_cells(struct table *t, const struct link_kind *kind, unsigned int from,
			unsigned int to)
{
	static const struct link_kind *open;
	int row = row_of(t, kind->row);

	ck_assert_int_ge(row, 0);
	link_let_go();
	if (open) /* of a test that failed */
		open->end();
	open = kind;
	kind->begin();
	for (unsigned int c = from; c < to; c++) {
		bool blind = !strcmp(link_cells[c].column, "defunct told") && kind->blind &&
			     kind->blind();
		const char *says = t->cell[row][c].word, *seen = link_cell(kind, c);

		if (blind && !strcmp(seen, "no"))
			seen = "yes"; /* as the page says of older kernels */
		if (strcmp(says, seen))
			find(t, "%s, %s: the table says %s, seen: %s", kind->row,
			     link_cells[c].column, says, seen);
	}
	kind->end();
	open = NULL;
}

START_TEST(test_shape)
{
	read_table();
	check_shape(&table);
	ck_assert_msg(table.findings == 0, "%u findings, see above", table.findings);
}
END_TEST

static void try_row(const char *name)
{
	read_table();
	check_cells(&table, kind_of(name), 0, LINK_CELLS);
	ck_assert_msg(table.findings == 0, "%u findings, the last: %s", table.findings,
		      table.finding);
}

#define ROW(test, row)                                                                             \
	START_TEST(test)                                                                           \
	{                                                                                          \
		const struct link_kind *kind = kind_of(row);                                       \
		const char *lacks = kind->lacks ? kind->lacks() : NULL;                            \
                                                                                                   \
		if (lacks)                                                                         \
			TEST_SKIP_CASE("this kernel has no %s", lacks);                            \
		try_row(row);                                                                      \
	}                                                                                          \
	END_TEST

ROW(cgroup_link, "cgroup link")
ROW(cgroup_prog_attach, "cgroup prog_attach")
ROW(flow_dissector_link, "flow_dissector link")
ROW(lwt_netlink, "lwt netlink")
ROW(netfilter_link, "netfilter link")
ROW(netkit_link, "netkit link")
ROW(sk_lookup_link, "sk_lookup link")
ROW(socket_setsockopt, "socket setsockopt")
ROW(sockmap_link, "sockmap link")
ROW(sockmap_prog_attach, PLANTED)
ROW(tc_clsact, "tc clsact")
ROW(tc_link, "tc link")
ROW(xdp_link, "xdp link")
ROW(xdp_netlink, "xdp netlink")

/* A copy of the table in which a stretch of the text is something else. */
static void change(size_t at, size_t len, const char *with)
{
	snprintf(changed.text, sizeof(changed.text), "%.*s%s%s", (int)at, table.text, with,
		 table.text + at + len);
	parse(&changed);
}

/* Each cell of a row says the other word in turn: found, alone, by name. */
START_TEST(planted_cells)
{
	int row;

	read_table();
	row = row_of(&table, PLANTED);
	ck_assert_int_ge(row, 0);
	for (unsigned int c = 0; c < LINK_CELLS; c++) {
		const struct cell *cell = &table.cell[row][c];
		const char *const *words = link_cells[c].words;
		char place[96];

		change(cell->at, strlen(cell->word), words[!strcmp(cell->word, words[0])]);
		check_shape(&changed);
		ck_assert_uint_eq(changed.findings, 0);
		check_cells(&changed, kind_of(PLANTED), test_quick() ? c : 0,
			    test_quick() ? c + 1 : LINK_CELLS);
		snprintf(place, sizeof(place), PLANTED ", %s: ", link_cells[c].column);
		ck_assert_msg(changed.findings == 1, "%s%u findings", place, changed.findings);
		ck_assert_ptr_nonnull(strstr(changed.finding, place));
	}
}
END_TEST

/* The copy must have findings of check_shape() or parse(), and this must be in the last of them. */
static void assert_found(const char *what)
{
	check_shape(&changed);
	ck_assert_msg(changed.findings > 0, "not found: %s", what);
	ck_assert_msg(strstr(changed.finding, what), "\"%s\" is not: %s", changed.finding, what);
}

START_TEST(planted_shapes)
{
	const char *line, *first, *column;
	size_t len;

	read_table();
	line = strstr(table.text, "| " PLANTED " |");
	first = strstr(table.text, "| xdp link |");
	column = strstr(table.text, "| pin |");
	ck_assert(line && first && column);
	len = strcspn(line, "\n") + 1;
	change((size_t)(line - table.text), len, "");
	assert_found(PLANTED ": no row");
	change((size_t)(line - table.text) + 2, strlen("sockmap"), "hashmap");
	check_shape(&changed);
	ck_assert_uint_eq(changed.findings, 2); /* a row too many and one too few */
	change((size_t)(first - table.text), 0,
	       "| usb link | yes | yes | yes | yes | yes | yes | yes | yes | detached | detached "
	       "|\n");
	assert_found("usb link: no kind");
	change((size_t)(first - table.text), 0,
	       "| xdp link | yes | yes | yes | yes | yes | yes | yes | yes | detached | detached "
	       "|\n");
	assert_found("xdp link: two rows");
	change((size_t)(first - table.text) + strlen("| xdp link | "), strlen("yes"), "maybe");
	assert_found("neither yes nor no");
	change((size_t)(first - table.text) + strlen("| xdp link "), strlen("| yes "), "");
	check_shape(&changed);
	ck_assert_uint_gt(changed.findings, 0);
	change((size_t)(column - table.text) + 2, strlen("pin"), "pins");
	assert_found("\"pins\", and \"pin\" is tried");
}
END_TEST

int main(int argc, char **argv)
{
	/* Each row has a test of its own, so that one of a newer kernel skips alone. */
	const TTest *const rows[] = {
		cgroup_link,	cgroup_prog_attach,  flow_dissector_link, lwt_netlink,
		netfilter_link, netkit_link,	     sk_lookup_link,	  socket_setsockopt,
		sockmap_link,	sockmap_prog_attach, tc_clsact,		  tc_link,
		xdp_link,	xdp_netlink,
	};
	const TTest *tests[sizeof(rows) / sizeof(*rows) + 3];
	size_t n = sizeof(rows) / sizeof(*rows);
	int elsewhere = link_elsewhere_main(argc, argv);

	if (elsewhere >= 0)
		return elsewhere;
	test_need_root();
	test_need_bpffs();
	if (n != link_kinds_count) {
		fprintf(stderr, "%u kinds and %zu tests of rows\n", link_kinds_count, n);
		return 1;
	}
	memcpy(tests, rows, sizeof(rows));
	tests[n] = test_shape;
	tests[n + 1] = planted_shapes;
	tests[n + 2] = planted_cells;
	test_loopback_only();
	return test_run(test_suite("link_table", tests, n + 3, 120));
}
