// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* t1 INTERFACE OBJECT: attaches the program "count" in the driver; its per-CPU sum every second. */
#include <ebpfnet/ebpfnet.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_program *prog;
	struct ebpfnet_object *obj;
	struct ebpfnet_link *link;
	struct ebpfnet_ctx *ctx;
	struct ebpfnet_map *map;
	uint64_t packets;

	if (ebpfnet_ctx_new(NULL, &ctx, &err) == 0 &&
	    ebpfnet_object_open_file(ctx, argv[argc - 1], NULL, &obj, &err) == 0 &&
	    ebpfnet_object_load(obj, &err) == 0 &&
	    ebpfnet_object_program(obj, "count", &prog, &err) == 0 &&
	    ebpfnet_object_map(obj, "packets", &map, &err) == 0 &&
	    ebpfnet_xdp_attach(prog, (int)if_nametoindex(argv[1]), NULL, &link, &err) == 0)
		while (sleep(1) == 0 && ebpfnet_map_sum(map, &(uint32_t) { 0 }, &packets) == 0)
			printf("%llu packets\n", (unsigned long long)packets);
	return fprintf(stderr, "t1: %s\n", ebpfnet_error_message(err)), 1;
}
