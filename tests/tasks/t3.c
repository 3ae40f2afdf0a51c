// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Task 3: every event of a ring goes to fn until Ctrl-C, which waits for no event. */
#include <ebpfnet/ebpfnet.h>
#include <signal.h>

static struct ebpfnet_ring *ring;

static void stop(int sig)
{
	ebpfnet_ring_wake(sig == SIGINT ? ring : NULL);
}

int t3(const struct ebpfnet_map *map, ebpfnet_ring_fn fn, void *data, struct ebpfnet_error **err)
{
	int ret = ebpfnet_ring_new(map, NULL, &ring, err);

	signal(SIGINT, ret < 0 ? SIG_DFL : stop);
	while (ret >= 0 && (ret = ebpfnet_ring_wait(ring, -1)) == 0)
		ret = ebpfnet_ring_dispatch(ring, fn, data, 256);
	signal(SIGINT, SIG_DFL);
	ebpfnet_ring_free(ring);
	return ret;
}
