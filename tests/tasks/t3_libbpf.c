// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The same as t3.c in plain libbpf. A signal that comes between the look at `stopped` and
 * epoll_pwait() would wait for the next event: hence the mask. poll() drains until the ring is
 * empty, so the callback looks too.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>

static volatile sig_atomic_t stopped;
static ring_buffer_sample_fn inner;

static void stop(int sig)
{
	stopped = sig == SIGINT;
}

static int look_and_call(void *data, void *event, size_t len)
{
	int ret = inner(data, event, len);

	return ret < 0 ? ret : -(int)stopped;
}

int t3_libbpf(int map_fd, ring_buffer_sample_fn fn, void *data)
{
	struct sigaction action = { .sa_handler = stop };
	struct epoll_event event;
	struct ring_buffer *ring;
	sigset_t blocked, before;
	int ret = 0;

	inner = fn;
	ring = ring_buffer__new(map_fd, look_and_call, data, NULL);
	if (!ring)
		return -errno;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	sigaction(SIGINT, &action, NULL);
	while (ret >= 0 && !stopped) {
		if (epoll_pwait(ring_buffer__epoll_fd(ring), &event, 1, -1, &before) > 0)
			ret = ring_buffer__consume(ring);
	}
	action.sa_handler = SIG_DFL;
	sigaction(SIGINT, &action, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	ring_buffer__free(ring);
	return stopped ? -EINTR : ret;
}
