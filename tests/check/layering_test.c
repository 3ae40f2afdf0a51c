// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * core <- probe <- load <- data <- attach <- block: a file includes from its own folder or from one
 * to its left; a block only the public headers, lib/core, its own folder and its own layouts of
 * bpf/; no block another one; nothing outside tests/ anything of tests/.
 */
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "tree.h"

static const char *const rooms[] = { "core", "probe", "load", "data", "attach" };
#define ROOMS ((int)(sizeof(rooms) / sizeof(*rooms)))
#define BLOCK ROOMS
#define NOWHERE (-1)

/* Where a file lives: the number of its room, or BLOCK and the block's name. */
struct place {
	int room;
	char block[64];
};

/* The first word of a path or name: "counter" of counter/pin.c, counter.h and counter_layout.h. */
static void first_word(const char *text, char *word, size_t size)
{
	size_t len = strcspn(text, "/._");

	snprintf(word, size, "%.*s", (int)len, text);
}

static struct place place_of(const char *path)
{
	struct place place = { .room = NOWHERE };

	first_word(path, place.block, sizeof(place.block));
	for (int i = 0; i < ROOMS; i++) {
		if (!strcmp(place.block, rooms[i]))
			place.room = i;
	}
	if (!strcmp(place.block, "block") && path[5] == '/') {
		place.room = BLOCK;
		first_word(path + 6, place.block, sizeof(place.block));
	}
	return place;
}

/* A public header's place: those that no room has are a block's; ebpfnet.h is for users alone. */
static struct place place_of_public(const char *name)
{
	struct place place = place_of(name);

	if (!strcmp(name, "ebpfnet.h"))
		place.room = BLOCK + 1;
	else if (place.room == NOWHERE)
		place.room = BLOCK;
	return place;
}

/* Why a file at `from` may not include the public header `name`; NULL if it may. */
static const char *judge_public(const struct place *from, const char *name)
{
	struct place to = place_of_public(name);

	/* Leaves: they describe packets and layouts, and include nothing of the library. */
	if (tree_starts(name, "bpf/"))
		return NULL;
	if (from->room > BLOCK)
		return NULL;
	if (to.room > from->room)
		return "is to the right of this folder";
	if (to.room == BLOCK && strcmp(to.block, from->block))
		return "is another block's";
	return NULL;
}

static const char *judge_private(const struct place *from, const char *path, const char *name)
{
	struct place to = place_of(name);
	char word[64];

	if (!strcmp(name, "builtin.h") && !strcmp(path, "lib/load/builtin.c"))
		return NULL;
	if (!strchr(name, '/')) {
		first_word(name, word, sizeof(word));
		if (from->room != BLOCK)
			return "names no folder of lib/";
		return strcmp(word, from->block) ? "is not a layout of this block" : NULL;
	}
	if (to.room == NOWHERE)
		return "names no folder of lib/";
	if (to.room > from->room)
		return "is to the right of this folder";
	if (to.room == BLOCK && strcmp(to.block, from->block))
		return "is another block's";
	if (from->room == BLOCK && to.room != BLOCK && to.room != 0)
		return "is an internal of another room than lib/core";
	return NULL;
}

static const char *judge_lib(const char *path, const char *name, bool quoted)
{
	struct place from = place_of(path + strlen("lib/"));

	if (from.room == NOWHERE)
		return "is included by a file outside of every room";
	if (quoted)
		return judge_private(&from, path, name);
	return tree_starts(name, "ebpfnet/") ? judge_public(&from, name + strlen("ebpfnet/"))
					     : NULL;
}

static const char *judge_header(const char *path, const char *name, bool quoted)
{
	struct place from = place_of_public(path + strlen("include/ebpfnet/"));

	if (quoted)
		return "is quoted in a public header";
	if (!tree_starts(name, "ebpfnet/"))
		return NULL;
	if (tree_starts(path, "include/ebpfnet/bpf/"))
		return tree_starts(name, "ebpfnet/bpf/") ? NULL : "is not below ebpfnet/bpf/";
	return judge_public(&from, name + strlen("ebpfnet/"));
}

static const char *judge_bpf(const char *path, const char *name, bool quoted)
{
	char own[64], word[64];

	first_word(path + strlen("bpf/"), own, sizeof(own));
	first_word(name, word, sizeof(word));
	if (quoted)
		return strchr(name, '/') || strcmp(own, word) ? "is not this program's own" : NULL;
	if (tree_starts(name, "ebpfnet/") && !tree_starts(name, "ebpfnet/bpf/"))
		return "is not below ebpfnet/bpf/";
	return NULL;
}

static const char *judge(const char *path, const char *name, bool quoted)
{
	if (strstr(name, ".."))
		return "climbs out of its folder";
	if (tree_starts(path, "lib/"))
		return judge_lib(path, name, quoted);
	if (tree_starts(path, "include/ebpfnet/"))
		return judge_header(path, name, quoted);
	if (tree_starts(path, "bpf/"))
		return judge_bpf(path, name, quoted);
	/* An example is copied out of here: it has what is installed, and files beside it. */
	if (tree_starts(path, "examples/"))
		return quoted && strchr(name, '/') ? "is in another folder" : NULL;
	return NULL;
}

static void check_file(const struct tree_file *file)
{
	static regex_t include;
	static bool ready;
	regmatch_t m[3];

	if (!tree_ends(file->path, ".c") && !tree_ends(file->path, ".h"))
		return;
	if (!ready)
		ready = !regcomp(&include, "^[ \t]*#[ \t]*include[ \t]*([\"<])([^\">]*)[\">]",
				 REG_EXTENDED | REG_NEWLINE);
	for (const char *at = file->text; !regexec(&include, at, 3, m, 0); at += m[0].rm_eo) {
		char name[256];
		const char *why;

		snprintf(name, sizeof(name), "%.*s", (int)(m[2].rm_eo - m[2].rm_so),
			 at + m[2].rm_so);
		why = judge(file->path, name, at[m[1].rm_so] == '"');
		if (why)
			tree_offence(file->path, tree_line(file, at + m[1].rm_so), "\"%s\" %s",
				     name, why);
	}
}

#define RIGHT "is to the right"

static const struct tree_plant plants[] = {
	{ "lib/core/a.c", "#include <ebpfnet/core.h>\n#include \"core/b.h\"\n", 0, NULL },
	{ "lib/core/a.c", "int x;\n#include \"probe/try.h\"\n", 0,
	  "a.c:2: \"probe/try.h\" " RIGHT },
	{ "lib/core/a.c", "# include <ebpfnet/load.h>\n", 0, RIGHT },
	{ "lib/core/a.c", "#include <ebpfnet/ebpfnet.h>\n", 0, RIGHT },
	{ "lib/core/a.c", "#include <ebpfnet/counter.h>\n", 0, RIGHT },
	{ "lib/load/a.h", "#include \"data/map_value.h\"\n", 0, RIGHT },
	{ "lib/attach/a.c", "#include \"load/pin.h\"\n#include \"data/x.h\"\n", 0, NULL },
	{ "lib/attach/a.c", "#include \"block/counter/counter.h\"\n", 0, RIGHT },
	{ "lib/attach/a.c", "#include \"tests/helpers.h\"\n", 0, "names no folder" },
	{ "lib/attach/a.c", "#include \"helpers.h\"\n", 0, "names no folder" },
	{ "lib/attach/a.c", "#include \"../load/pin.h\"\n", 0, "climbs" },
	{ "lib/attach/a.c", "#include \"builtin.h\"\n", 0, "names no folder" },
	{ "lib/load/builtin.c", "#include \"builtin.h\"\n", 0, NULL },
	{ "lib/misc/a.c", "#include <stdio.h>\n", 0, "outside of every room" },
	{ "lib/block/counter/a.c",
	  "#include <ebpfnet/attach.h>\n#include \"core/util.h\"\n#include \"counter_layout.h\"\n"
	  "#include \"block/counter/counter.h\"\n#include <ebpfnet/counter.h>\n",
	  0, NULL },
	{ "lib/block/lb/a.c", "#include \"load/object.h\"\n", 0, "another room than lib/core" },
	{ "lib/block/lb/a.c", "#include \"counter_layout.h\"\n", 0, "not a layout of this block" },
	{ "lib/block/lb/a.c", "#include \"block/counter/counter.h\"\n", 0, "another block's" },
	{ "lib/block/lb/a.c", "#include <ebpfnet/counter.h>\n", 0, "another block's" },
	{ "include/ebpfnet/load.h", "#include <ebpfnet/core.h>\n", 0, NULL },
	{ "include/ebpfnet/load.h", "#include <ebpfnet/attach.h>\n", 0, RIGHT },
	{ "include/ebpfnet/load.h", "#include \"core.h\"\n", 0, "is quoted" },
	{ "include/ebpfnet/lb.h", "#include <ebpfnet/counter.h>\n", 0, "another block's" },
	{ "include/ebpfnet/ebpfnet.h", "#include <ebpfnet/counter.h>\n", 0, NULL },
	{ "include/ebpfnet/bpf/chain.h", "#include <ebpfnet/core.h>\n", 0, "is not below" },
	{ "bpf/lb.bpf.c", "#include <ebpfnet/bpf/parse.h>\n#include \"lb_layout.h\"\n", 0, NULL },
	{ "bpf/lb.bpf.c", "#include \"counter_layout.h\"\n", 0, "not this program's own" },
	{ "bpf/lb.bpf.c", "#include <ebpfnet/core.h>\n", 0, "is not below" },
	{ "examples/01-load.c", "#include \"tests/helpers.h\"\n", 0, "in another folder" },
	{ "tests/unit/a.c", "#include \"block/counter/counter.h\"\n", 0, NULL },
};

int main(void)
{
	static const struct tree_check check = {
		.file = check_file,
		.plants = plants,
		.n_plants = sizeof(plants) / sizeof(*plants),
	};

	return tree_main(&check);
}
