/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_TASKS_H
#define EBPFNET_TESTS_TASKS_H

/* Tasks 2 and 3 are the part of a program that does the task, so that their lines are about it. */

#include <bpf/libbpf.h>

#include <ebpfnet/ebpfnet.h>

int t2(struct ebpfnet_program *prog, uint32_t before, int ifindex, struct ebpfnet_query *query,
       struct ebpfnet_link **link, struct ebpfnet_error **err);
int t2_libbpf(struct bpf_program *prog, __u32 before, int ifindex, __u64 revision,
	      struct bpf_link **link);
int t3(const struct ebpfnet_map *map, ebpfnet_ring_fn fn, void *data, struct ebpfnet_error **err);
int t3_libbpf(int map_fd, ring_buffer_sample_fn fn, void *data);

#endif /* EBPFNET_TESTS_TASKS_H */
