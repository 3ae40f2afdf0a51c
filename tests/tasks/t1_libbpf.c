// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The same as t1.c in plain libbpf, which prints its reasons by itself. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_link_create_opts, native, .flags = XDP_FLAGS_DRV_MODE);
	int cpus = libbpf_num_possible_cpus(), ifindex, link, map;
	struct bpf_program *prog;
	struct bpf_object *obj;
	uint64_t *values, sum;
	uint32_t zero = 0;

	if (argc != 3 || cpus < 0)
		return 1;
	ifindex = (int)if_nametoindex(argv[1]);
	values = calloc((size_t)cpus, sizeof(*values));
	obj = bpf_object__open_file(argv[2], NULL);
	if (!ifindex || !values || !obj || bpf_object__load(obj) < 0)
		return fprintf(stderr, "%s: %s\n", argv[2], strerror(errno)), 1;
	prog = bpf_object__find_program_by_name(obj, "count");
	map = bpf_object__find_map_fd_by_name(obj, "packets");
	if (!prog || map < 0)
		return fprintf(stderr, "%s: no program or map\n", argv[2]), 1;
	link = bpf_link_create(bpf_program__fd(prog), ifindex, BPF_XDP, &native);
	if (link < 0)
		return fprintf(stderr, "attach to %s: %s\n", argv[1], strerror(errno)), 1;
	while (sleep(1) == 0 && bpf_map_lookup_elem(map, &zero, values) == 0) {
		sum = 0;
		for (int i = 0; i < cpus; i++)
			sum += values[i];
		printf("%llu packets\n", (unsigned long long)sum);
	}
	return 1;
}
