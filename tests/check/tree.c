// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	unsigned int offences;
	bool quiet;	 /* the self-test expects them */
	char last[1024]; /* offence, for the self-test */
} state;

bool tree_starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool tree_ends(const char *text, const char *suffix)
{
	size_t have = strlen(text), want = strlen(suffix);

	return have >= want && !strcmp(text + have - want, suffix);
}

unsigned int tree_line(const struct tree_file *file, const char *at)
{
	unsigned int line = 1;

	for (const char *c = file->text; c < at; c++)
		line += *c == '\n';
	return line;
}

void tree_offence(const char *path, unsigned int line, const char *fmt, ...)
{
	va_list ap;
	int n = line ? snprintf(state.last, sizeof(state.last), "%s:%u: ", path, line)
		     : snprintf(state.last, sizeof(state.last), "%s: ", path);

	va_start(ap, fmt);
	vsnprintf(state.last + n, sizeof(state.last) - n, fmt, ap);
	va_end(ap);
	state.offences++;
	if (!state.quiet)
		printf("%s\n", state.last);
}

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

static void read_file(const char *full, const char *path, const struct stat *st,
		      const struct tree_check *check)
{
	char *text = malloc(st->st_size + 1);
	FILE *f = fopen(full, "re");
	struct tree_file file = {
		.path = path,
		.text = text,
		.executable = st->st_mode & 0100,
	};

	if (!f || !text)
		die(full);
	file.size = fread(text, 1, st->st_size, f);
	text[file.size] = '\0';
	fclose(f);
	check->file(&file);
	free(text);
}

/* What .gitignore lists, git's own, and build folders whatever their name. */
static bool is_foreign(const char *root, const char *path)
{
	char inner[4096];

	if (!strcmp(path, ".git") || tree_starts(path, "build"))
		return true;
	if (tree_starts(path, "subprojects/") && !tree_ends(path, ".wrap"))
		return true;
	snprintf(inner, sizeof(inner), "%s/%s/meson-private", root, path);
	return !access(inner, F_OK);
}

static void walk(const char *root, const char *folder, const struct tree_check *check)
{
	char full[8192], path[4096];
	struct dirent **list;
	struct stat st;
	int n;

	snprintf(full, sizeof(full), "%s/%s", root, folder);
	n = scandir(full, &list, NULL, alphasort);
	if (n < 0)
		die(full);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		snprintf(path, sizeof(path), "%s%s%s", folder, *folder ? "/" : "", name);
		snprintf(full, sizeof(full), "%s/%s", root, path);
		/* A file that goes while we look is somebody's temporary one. */
		if (!strcmp(name, ".") || !strcmp(name, "..") || is_foreign(root, path) ||
		    lstat(full, &st) < 0)
			;
		else if (S_ISDIR(st.st_mode))
			walk(root, path, check);
		else if (S_ISREG(st.st_mode))
			read_file(full, path, &st, check);
		free(list[i]);
	}
	free(list);
}

static unsigned int run(const char *root, const struct tree_check *check)
{
	state.offences = 0;
	walk(root, "", check);
	if (check->end)
		check->end(root);
	return state.offences;
}

static void plant(const char *root, const struct tree_plant *plant)
{
	char full[4096];
	FILE *f;

	for (const char *c = strchr(plant->path, '/'); c; c = strchr(c + 1, '/')) {
		snprintf(full, sizeof(full), "%s/%.*s", root, (int)(c - plant->path), plant->path);
		if (mkdir(full, 0700) < 0 && errno != EEXIST)
			die(full);
	}
	snprintf(full, sizeof(full), "%s/%s", root, plant->path);
	f = fopen(full, "we");
	if (!f || !fwrite(plant->text, plant->size ? plant->size : strlen(plant->text), 1, f) ||
	    fclose(f))
		die(full);
}

static void uproot(const char *root, const char *path)
{
	char full[4096];
	char *slash;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	if (unlink(full) < 0)
		die(full);
	while ((slash = strrchr(full, '/')) && (size_t)(slash - full) >= strlen(root)) {
		*slash = '\0';
		if (rmdir(full) < 0)
			die(full);
	}
}

/* True if the check found in each planted tree what it should, and no more. */
static bool finds_its_plants(const struct tree_check *check)
{
	unsigned int missed = 0;

	state.quiet = true;
	for (size_t i = 0; i < check->n_plants; i++) {
		const struct tree_plant *p = &check->plants[i];
		char root[] = "/tmp/ebpfnet-check-XXXXXX";
		unsigned int found;

		if (!mkdtemp(root))
			die(root);
		plant(root, p);
		state.last[0] = '\0';
		found = run(root, check);
		uproot(root, p->path);
		if (found != !!p->says || (p->says && !strstr(state.last, p->says))) {
			printf("self-test %zu, %s: %u offences (\"%s\"), not %s%s%s\n", i, p->path,
			       found, state.last, p->says ? "one with \"" : "none",
			       p->says ? p->says : "", p->says ? "\"" : "");
			missed++;
		}
	}
	state.quiet = false;
	return !missed;
}

int tree_main(const struct tree_check *check)
{
	const char *source = getenv("EBPFNET_SOURCE");
	unsigned int found;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!finds_its_plants(check))
		return 1;
	found = run(source ? source : ".", check);
	printf("%zu plants judged rightly, %u offences in the tree\n", check->n_plants, found);
	return found ? 1 : 0;
}
