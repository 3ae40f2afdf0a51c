// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "load/logs.h"

#include <errno.h>
#include <sys/mman.h>

/*
 * A buffer that is too small turns the verifier's EACCES into ENOSPC, so each program gets the
 * largest that every kernel accepts; pages are taken only as the kernel writes them.
 */
#define LOG_SIZE ((size_t)16 << 20)

int ebpfnet__logs_set(struct ebpfnet__logs *logs, struct bpf_object *bpf, uint32_t level)
{
	struct bpf_program *prog;
	size_t count = 0;
	void *area;

	bpf_object__for_each_program(prog, bpf) count++;
	if (count == 0)
		return 0;
	area = mmap(NULL, count * LOG_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return -errno;
	logs->area = area;
	logs->count = count;
	count = 0;
	bpf_object__for_each_program(prog, bpf)
	{
		bpf_program__set_log_buf(prog, logs->area + count++ * LOG_SIZE, LOG_SIZE);
		bpf_program__set_log_level(prog, level);
	}
	return 0;
}

const char *ebpfnet__logs_get(const struct ebpfnet__logs *logs, size_t index)
{
	return index < logs->count ? logs->area + index * LOG_SIZE : "";
}

void ebpfnet__logs_free(struct ebpfnet__logs *logs)
{
	if (logs->area)
		munmap(logs->area, logs->count * LOG_SIZE);
	logs->area = NULL;
	logs->count = 0;
}
