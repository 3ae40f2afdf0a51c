// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The types that relocations are looked for in: a kernel's, and its modules' where that has none.
 */
#include "load/core_spec.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define KERNEL_BTF_FOLDER "/sys/kernel/btf"
/* A kernel with more modules than that would be the first. */
#define MODULES_MAX 4096

struct name {
	uint32_t hash;
	uint32_t id;
};

/* The types that one BTF adds, sorted by the hash of their essential name. */
struct index {
	struct btf *btf;
	bool owned;
	size_t count;
	struct name *names;
};

struct ebpfnet__core_target {
	struct index main;
	const char *noun;
	const char *module_folder; /* NULL: none, or read already */
	struct index *modules;
	size_t module_count;
};

static uint32_t hash_name(const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t n = ebpfnet__core_essential(name); n > 0; n--)
		hash = (hash ^ (unsigned char)*name++) * 16777619u;
	return hash;
}

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Takes btf as its own only when it succeeds. */
static int index_types(struct index *index, struct btf *btf, uint32_t first, bool owned)
{
	uint32_t end = btf__type_cnt(btf);

	index->names = calloc(end - first + 1, sizeof(*index->names));
	if (!index->names)
		return -ENOMEM;
	for (uint32_t id = first; id < end; id++) {
		const char *name = ebpfnet__core_name(btf, btf__type_by_id(btf, id)->name_off);

		if (*name)
			index->names[index->count++] = (struct name) { hash_name(name), id };
	}
	qsort(index->names, index->count, sizeof(*index->names), compare_names);
	index->btf = btf;
	index->owned = owned;
	return 0;
}

static void free_index(struct index *index)
{
	free(index->names);
	if (index->owned)
		btf__free(index->btf);
}

int ebpfnet__core_target_new(struct btf *btf, const char *modules,
			     struct ebpfnet__core_target **out)
{
	struct ebpfnet__core_target *target = calloc(1, sizeof(*target));

	if (!target || index_types(&target->main, btf, 1, false)) {
		free(target);
		return -ENOMEM;
	}
	target->noun = modules ? "this kernel" : "the BTF file";
	target->module_folder = modules;
	*out = target;
	return 0;
}

void ebpfnet__core_target_close(struct ebpfnet__core_target *target)
{
	if (!target)
		return;
	/* Split BTF leans on the main one. */
	for (size_t i = 0; i < target->module_count; i++)
		free_index(&target->modules[i]);
	free_index(&target->main);
	free(target->modules);
	free(target);
}

static int fail_open(struct ebpfnet__call *call, const char *btf_path, int code)
{
	if (code == -ENOMEM)
		return ebpfnet__fail_nomem(call);
	if (btf_path && (code == -ENOENT || code == -EACCES || code == -EPERM))
		return ebpfnet__fail(call, code, 0, "the context's btf_path %s: %s", btf_path,
				     ebpfnet_strerror(code));
	if (btf_path) {
		ebpfnet__hint(call, "it must be raw BTF, as in " KERNEL_BTF_FOLDER "/vmlinux, or "
				    "an ELF file with a .BTF section");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the context's btf_path %s is no BTF", btf_path);
	}
	ebpfnet__hint(call, "give the context a btf_path, or run a kernel with "
			    "CONFIG_DEBUG_INFO_BTF=y");
	return ebpfnet__fail(call, -ENOENT, EBPFNET_ERROR_NOT_SUPPORTED,
			     "this kernel has no BTF in " KERNEL_BTF_FOLDER "/vmlinux: %s",
			     ebpfnet_strerror(code));
}

int ebpfnet__core_target_open(struct ebpfnet__call *call, const char *btf_path,
			      struct ebpfnet__core_target **out)
{
	struct btf *btf = btf_path ? btf__parse(btf_path, NULL) : btf__load_vmlinux_btf();

	*out = NULL;
	if (!btf)
		return fail_open(call, btf_path, errno ? -errno : -EINVAL);
	if (ebpfnet__core_target_new(btf, btf_path ? NULL : KERNEL_BTF_FOLDER, out)) {
		btf__free(btf);
		return ebpfnet__fail_nomem(call);
	}
	(*out)->main.owned = true;
	return 0;
}

/* A module whose BTF cannot be read is none: libbpf passes it over too. */
static int add_module(struct ebpfnet__core_target *target, const char *path)
{
	struct btf *btf = btf__parse_split(path, target->main.btf);
	struct index *grown;

	if (!btf)
		return 0;
	grown = realloc(target->modules, (target->module_count + 1) * sizeof(*grown));
	if (grown) {
		struct index *slot = &grown[target->module_count];

		target->modules = grown;
		memset(slot, 0, sizeof(*slot));
		if (index_types(slot, btf, btf__type_cnt(target->main.btf), true) == 0) {
			target->module_count++;
			return 0;
		}
	}
	btf__free(btf);
	return -ENOMEM;
}

static int read_modules(struct ebpfnet__core_target *target)
{
	DIR *dir = opendir(target->module_folder);
	struct dirent *entry;
	int ret = 0;

	while (dir && ret == 0 && target->module_count < MODULES_MAX && (entry = readdir(dir))) {
		char path[PATH_MAX];

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "vmlinux") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", target->module_folder, entry->d_name);
		ret = add_module(target, path);
	}
	if (dir)
		closedir(dir);
	target->module_folder = NULL;
	return ret;
}

/* Where the names of a hash begin. */
static size_t lower_bound(const struct index *index, uint32_t hash)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->names[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int find_in(const struct index *index, const struct btf_type *local, const char *name,
		   struct ebpfnet__core_candidates **found)
{
	uint32_t hash = hash_name(name);

	for (size_t i = lower_bound(index, hash); i < index->count && index->names[i].hash == hash;
	     i++) {
		const struct btf_type *t = btf__type_by_id(index->btf, index->names[i].id);
		struct ebpfnet__core_candidates *grown;
		size_t n = (*found)->count;

		if (!ebpfnet__core_same_kind(t, local) ||
		    !ebpfnet__core_same_name(name, ebpfnet__core_name(index->btf, t->name_off)))
			continue;
		grown = realloc(*found, sizeof(*grown) + (n + 1) * sizeof(grown->list[0]));
		if (!grown)
			return -ENOMEM;
		grown->list[n] =
			(struct ebpfnet__core_candidate) { index->btf, index->names[i].id };
		grown->count++;
		*found = grown;
	}
	return 0;
}

struct ebpfnet__core_candidates *ebpfnet__core_find(struct ebpfnet__core_target *target,
						    const struct btf *local, uint32_t local_id)
{
	CLEANUP(free) struct ebpfnet__core_candidates *found = calloc(1, sizeof(*found));
	const struct btf_type *t = btf__type_by_id(local, local_id);
	const char *name = ebpfnet__core_name(local, t->name_off);

	if (!found || find_in(&target->main, t, name, &found))
		return NULL;
	if (found->count)
		return TAKE(found);
	if (target->module_folder && read_modules(target))
		return NULL;
	for (size_t i = 0; i < target->module_count; i++) {
		if (find_in(&target->modules[i], t, name, &found))
			return NULL;
	}
	return TAKE(found);
}

const char *ebpfnet__core_target_noun(const struct ebpfnet__core_target *target)
{
	return target->noun;
}
