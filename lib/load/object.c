// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "load/object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/ctx.h"
#include "core/opts.h"
#include "load/sha256.h"

#define OBJECT_SIZE_MAX ((size_t)64 << 20)

static void free_object(struct ebpfnet_object *obj)
{
	bpf_object__close(obj->bpf);
	for (size_t i = 0; i < obj->map_count; i++)
		free(obj->maps[i].sums);
	free(obj->programs);
	free(obj->maps);
	free(obj->name);
	free(obj->data);
	ebpfnet_ctx_unref(obj->ctx);
	free(obj);
}

static void ebpfnet__cleanup_object(struct ebpfnet_object **obj)
{
	if (*obj)
		free_object(*obj);
}

/* libbpf has one code for every failure of libelf; only its words, libelf's, tell this one. */
static bool out_of_memory(const struct ebpfnet__call *call, int ret)
{
	return ret == -ENOMEM || strstr(ebpfnet__libbpf_text(call), ": out of memory\n");
}

struct bpf_object *ebpfnet__object_parse(struct ebpfnet__call *call, struct ebpfnet_object *obj)
{
	LIBBPF_OPTS(bpf_object_open_opts, o, .object_name = obj->name,
		    .btf_custom_path = obj->ctx->btf_path, .pin_root_path = obj->ctx->bpffs_root);
	struct bpf_object *bpf;
	int ret;

#if LIBBPF_MAJOR_VERSION > 1 || LIBBPF_MINOR_VERSION >= 5
	o.bpf_token_path = obj->ctx->token_path;
#endif
	bpf = bpf_object__open_mem(obj->data, obj->size, &o);
	ret = bpf ? 0 : -errno;
	if (ret == 0)
		return bpf;
	if (out_of_memory(call, ret))
		ebpfnet__fail_nomem(call);
	else
		ebpfnet__fail(call, ret, EBPFNET_ERROR_INVALID, "libbpf cannot read it: %s%s%.*s",
			      ebpfnet_strerror(ret), *ebpfnet__libbpf_text(call) ? ": " : "",
			      (int)strcspn(ebpfnet__libbpf_text(call), "\n"),
			      ebpfnet__libbpf_text(call));
	return NULL;
}

static int list_programs(struct ebpfnet_object *obj)
{
	struct bpf_program *bpf;
	size_t n = 0;

	bpf_object__for_each_program(bpf, obj->bpf) n++;
	obj->programs = calloc(n ? n : 1, sizeof(*obj->programs));
	if (!obj->programs)
		return -ENOMEM;
	bpf_object__for_each_program(bpf, obj->bpf)
	{
		struct ebpfnet_program *prog = &obj->programs[obj->program_count++];

		prog->ctx = obj->ctx;
		prog->bpf = bpf;
		prog->fd = -1;
		snprintf(prog->name, sizeof(prog->name), "%s", bpf_program__name(bpf));
	}
	return 0;
}

static int list_maps(struct ebpfnet_object *obj)
{
	struct bpf_map *bpf;
	size_t n = 0;

	bpf_object__for_each_map(bpf, obj->bpf) n++;
	obj->maps = calloc(n ? n : 1, sizeof(*obj->maps));
	if (!obj->maps)
		return -ENOMEM;
	bpf_object__for_each_map(bpf, obj->bpf)
	{
		struct ebpfnet_map *map = &obj->maps[obj->map_count++];

		map->ctx = obj->ctx;
		map->bpf = bpf;
		map->object = obj;
		map->fd = -1;
		snprintf(map->name, sizeof(map->name), "%s", bpf_map__name(bpf));
	}
	return 0;
}

static int check_sha256(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
			const char *want)
{
	char have[65];

	if (!want)
		return 0;
	if (strlen(want) != 64 || strspn(want, "0123456789abcdefABCDEF") != 64) {
		ebpfnet__hint(call, "sha256sum prints it");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "the expected sha256 \"%s\" is not 64 hexadecimal digits",
				     want);
	}
	ebpfnet__sha256_hex(obj->data, obj->size, have);
	if (strcasecmp(have, want) == 0)
		return 0;
	return ebpfnet__fail(call, -EKEYREJECTED, EBPFNET_ERROR_INCOMPATIBLE,
			     "its sha256 is %s, expected %s", have, want);
}

/* Takes data, also after a failure. */
static int open_bytes(struct ebpfnet__call *call, struct ebpfnet_ctx *ctx, char *data, size_t size,
		      const struct ebpfnet_object_opts *o, const char *name,
		      struct ebpfnet_object **out)
{
	CLEANUP(object) struct ebpfnet_object *obj = calloc(1, sizeof(*obj));
	int ret;

	if (!obj) {
		free(data);
		return ebpfnet__fail_nomem(call);
	}
	obj->ctx = ebpfnet_ctx_ref(ctx);
	obj->data = data;
	obj->size = size;
	obj->name = strdup(name);
	if (!obj->name)
		return ebpfnet__fail_nomem(call);
	ret = check_sha256(call, obj, o->sha256);
	if (ret)
		return ret;
	ret = ebpfnet__object_inspect(call, data, size);
	if (ret)
		return ret;
	obj->bpf = ebpfnet__object_parse(call, obj);
	if (!obj->bpf)
		return ebpfnet_error_code(call->error);
	if (list_programs(obj) || list_maps(obj))
		return ebpfnet__fail_nomem(call);
	*out = TAKE(obj);
	return 0;
}

int ebpfnet_object_open_file(struct ebpfnet_ctx *ctx, const char *path,
			     const struct ebpfnet_object_opts *opts, struct ebpfnet_object **obj,
			     struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "open %s", path);
	const char *slash = strrchr(path, '/');
	struct ebpfnet_object_opts o;
	size_t size;
	char *data;
	int ret;

	*obj = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret)
		return ret;
	ret = ebpfnet__file_read(path, OBJECT_SIZE_MAX, &data, &size);
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "%s", ebpfnet_strerror(ret));
	return open_bytes(&call, ctx, data, size, &o,
			  o.name  ? o.name
			  : slash ? slash + 1
				  : path,
			  obj);
}

int ebpfnet_object_open_mem(struct ebpfnet_ctx *ctx, const void *data, size_t size,
			    const struct ebpfnet_object_opts *opts, struct ebpfnet_object **obj,
			    struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "open object from memory");
	struct ebpfnet_object_opts o;
	char *copy;
	int ret;

	*obj = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret)
		return ret;
	if (o.name)
		ebpfnet__call_what(&call, "open %s", o.name);
	copy = malloc(size ? size : 1);
	if (!copy)
		return ebpfnet__fail_nomem(&call);
	memcpy(copy, data, size);
	return open_bytes(&call, ctx, copy, size, &o, o.name ? o.name : "memory", obj);
}

void ebpfnet_object_close(struct ebpfnet_object *obj)
{
	if (obj)
		free_object(obj);
}

int ebpfnet__object_no_such(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
			    const char *noun, const char *name)
{
	bool program = strcmp(noun, "program") == 0;
	size_t n = program ? obj->program_count : obj->map_count;
	CLEANUP(free) const char **names = calloc(n ? n : 1, sizeof(*names));
	const char *near;

	if (!names)
		return ebpfnet__fail_nomem(call);
	for (size_t i = 0; i < n; i++)
		names[i] = program ? obj->programs[i].name : obj->maps[i].name;
	near = ebpfnet__nearest(name, names, n);
	if (near)
		ebpfnet__hint(call, "did you mean %s?", near);
	else if (n)
		ebpfnet__hint(call, "it has %zu; the first is %s", n, names[0]);
	return ebpfnet__fail(call, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "%s has no %s named %s",
			     obj->name, noun, name);
}

int ebpfnet_object_program(struct ebpfnet_object *obj, const char *name,
			   struct ebpfnet_program **prog, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, obj->ctx, err, "find program %s", name);

	*prog = NULL;
	for (size_t i = 0; i < obj->program_count; i++) {
		struct ebpfnet_program *p = &obj->programs[i];

		if (strcmp(p->name, name) != 0)
			continue;
		if (obj->state == EBPFNET__OBJECT_LOADED && p->fd < 0) {
			ebpfnet__hint(&call, "ebpfnet_object_set_program_enabled() before load");
			return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
					     "it was switched off when %s was loaded", obj->name);
		}
		*prog = p;
		return 0;
	}
	return ebpfnet__object_no_such(&call, obj, "program", name);
}

int ebpfnet_object_map(struct ebpfnet_object *obj, const char *name, struct ebpfnet_map **map,
		       struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, obj->ctx, err, "find map %s", name);

	*map = NULL;
	for (size_t i = 0; i < obj->map_count; i++) {
		if (strcmp(obj->maps[i].name, name) == 0) {
			*map = &obj->maps[i];
			return 0;
		}
	}
	return ebpfnet__object_no_such(&call, obj, "map", name);
}
