// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* An object into the kernel, whole or not at all; and the check that leaves nothing there. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/opts.h"
#include "load/explain.h"
#include "load/object.h"
#include "load/pin.h"

#ifndef BPF_LOG_STATS
#define BPF_LOG_STATS 4 /* the verifier's figures only; linux/bpf_verifier.h */
#endif

int ebpfnet__object_load_bpf(struct ebpfnet__call *call, const struct ebpfnet_object *obj,
			     struct bpf_object *bpf, uint32_t log_level, struct ebpfnet__logs *logs)
{
	int ret = ebpfnet__logs_set(logs, bpf, log_level);

	if (ret)
		return ebpfnet__fail(call, ret, 0, "verifier log: %s", ebpfnet_strerror(ret));
	ret = bpf_object__load(bpf);
	if (ret)
		return ebpfnet__explain_load(call, obj, bpf, ret, logs);
	return 0;
}

/* libbpf before 1.5 loses close-on-exec when it moves an fd away from 0..2. */
static int adopt_fd(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static int take_fds(struct ebpfnet_object *obj)
{
	for (size_t i = 0; i < obj->program_count; i++) {
		int fd = bpf_program__fd(obj->programs[i].bpf);

		obj->programs[i].fd = fd < 0 ? -1 : adopt_fd(fd);
	}
	for (size_t i = 0; i < obj->map_count; i++) {
		struct ebpfnet_map *map = &obj->maps[i];
		struct bpf_map_info info = { 0 };
		int fd = bpf_map__fd(map->bpf), ret;

		map->fd = fd < 0 ? -1 : adopt_fd(fd);
		if (map->fd < 0)
			continue;
		ret = ebpfnet__info_by_fd(map->fd, &info, sizeof(info));
		if (ret)
			return ret;
		ebpfnet__map_shape(map, &info);
	}
	return 0;
}

int ebpfnet_object_load(struct ebpfnet_object *obj, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, obj->ctx, err, "load %s", obj->name);
	CLEANUP(logs) struct ebpfnet__logs logs = { 0 };
	int ret = ebpfnet__object_adjustable(&call, obj);

	if (ret)
		return ret;
	ret = ebpfnet__object_load_bpf(&call, obj, obj->bpf, 0, &logs);
	if (ret) {
		obj->state = EBPFNET__OBJECT_FAILED;
		return ret;
	}
	obj->state = EBPFNET__OBJECT_LOADED;
	ret = take_fds(obj);
	if (ret)
		return ebpfnet__fail(&call, ret, 0, "info: %s", ebpfnet_strerror(ret));
	return 0;
}

/*
 * What was adjusted in one libbpf object, in a second one of the same bytes: in the same order, for
 * libbpf gives a map that is shared the name of the existing one.
 */
static int copy_adjustments(struct ebpfnet__call *call, struct bpf_object *from,
			    struct bpf_object *to)
{
	struct bpf_program *prog, *prog_twin = NULL;
	struct bpf_map *map, *twin = NULL;

	bpf_object__for_each_program(prog, from)
	{
		prog_twin = bpf_object__next_program(to, prog_twin);
		bpf_program__set_autoload(prog_twin, bpf_program__autoload(prog));
	}
	bpf_object__for_each_map(map, from)
	{
		const void *data;
		size_t size;
		int ret;

		twin = bpf_object__next_map(to, twin);
		if (bpf_map__fd(map) >= 0) {
			ret = bpf_map__reuse_fd(twin, bpf_map__fd(map));
			if (ret)
				return ebpfnet__fail(call, ret, 0, "share map %s: %s",
						     bpf_map__name(map), ebpfnet_strerror(ret));
			continue;
		}
		data = bpf_map__initial_value(map, &size);
		if (data)
			bpf_map__set_initial_value(twin, data, size);
		else
			bpf_map__set_max_entries(twin, bpf_map__max_entries(map));
	}
	return 0;
}

/*
 * "stack depth 24+8+0" is one figure per function, and the sum bounds the deepest chain of calls;
 * Linux 7.3 knows the chain itself and says "stack depth max 24".
 */
static uint32_t stack_depth(const char *log)
{
	const char *p = strstr(log, "stack depth ");
	uint32_t sum = 0;

	if (!p)
		return 0;
	p += strlen("stack depth ");
	if (strncmp(p, "max ", 4) == 0)
		p += 4;
	for (;;) {
		char *end;

		sum += (uint32_t)strtoul(p, &end, 10);
		if (*end != '+' || end == p)
			return sum;
		p = end + 1;
	}
}

static uint32_t walked(const char *log)
{
	const char *p = strstr(log, "processed ");

	return p ? (uint32_t)strtoul(p + strlen("processed "), NULL, 10) : 0;
}

static void report_program(const struct bpf_program *prog, const char *log,
			   struct ebpfnet_program_report *r)
{
	struct bpf_prog_info info = { 0 };

	memset(r, 0, sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%s", bpf_program__name(prog));
	ebpfnet__info_by_fd(bpf_program__fd(prog), &info, sizeof(info));
	r->type = info.type;
	r->insns = info.xlated_prog_len / sizeof(struct bpf_insn);
	r->verified_insns = info.verified_insns ? info.verified_insns : walked(log);
	r->stack_depth = stack_depth(log);
	r->jited_size = info.jited_prog_len;
}

static void ebpfnet__cleanup_bpf_object(struct bpf_object **bpf)
{
	bpf_object__close(*bpf);
}

int ebpfnet_object_check(struct ebpfnet_object *obj, struct ebpfnet_program_report *reports,
			 size_t elem_size, size_t *count, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, obj->ctx, err, "check %s", obj->name);
	CLEANUP(logs) struct ebpfnet__logs logs = { 0 };
	CLEANUP(bpf_object) struct bpf_object *bpf = NULL;
	size_t room = reports ? *count : 0, index = 0, found = 0;
	struct bpf_program *prog;
	int ret = ebpfnet__object_adjustable(&call, obj);

	if (ret)
		return ret;
	if (room && elem_size < sizeof(reports->sz))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "elem_size is %zu: give sizeof(*reports)", elem_size);
	bpf = ebpfnet__object_parse(&call, obj);
	if (!bpf)
		return ebpfnet_error_code(call.error);
	ret = copy_adjustments(&call, obj->bpf, bpf);
	if (ret == 0)
		ret = ebpfnet__object_load_bpf(&call, obj, bpf, BPF_LOG_STATS, &logs);
	if (ret)
		return ret;
	bpf_object__for_each_program(prog, bpf)
	{
		const char *log = ebpfnet__logs_get(&logs, index++);
		struct ebpfnet_program_report r;

		if (!bpf_program__autoload(prog))
			continue;
		if (found < room) {
			void *slot = (char *)reports + found * elem_size;

			report_program(prog, log, &r);
			memcpy(slot, &elem_size, sizeof(elem_size));
			EBPFNET__OUT_FILL(slot, &r);
		}
		found++;
	}
	*count = found;
	return 0;
}
