// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Waiting for events, and being woken from it.
 *
 * ebpfnet_ring_wake() sets `woken` and then writes to the eventfd, which is in the epoll set: the
 * flag is the truth, the fd ends a sleep. In that order no wake is lost: whoever takes the flag
 * returns -EINTR after the wake began. It can come between the two, and then the fd becomes readable
 * with nothing to tell. So once there was a wake, whoever finds nothing reads the fd empty and then
 * looks at the flag, which was set before anything that he read.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>

#include "data/ring.h"

#define NS_PER_MS 1000000
/* How long a record that is just being written is waited for before sleeping: about a microsecond,
 * where sleeping and being woken take several. */
#define BUSY_SPINS 100
#define BUSY_NAP_NS 20000u
/* With events leased the kernel does not wake us. */
#define LEASED_NAP_NS NS_PER_MS
/* A nap shorter than this costs more than it saves. */
#define NAP_LEAST_NS 5000u

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#else
	__asm__ volatile("" ::: "memory");
#endif
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 * NS_PER_MS + ts.tv_nsec;
}

/* Nanoseconds that are left, -1 for no end, or -ETIMEDOUT, which no remaining time is. */
static int64_t remaining(struct ebpfnet__ring_timer *t)
{
	int64_t now;

	if (t->timeout_ms < 0)
		return INT64_MAX;
	now = now_ns();
	if (!t->deadline_ns)
		t->deadline_ns = now + (int64_t)t->timeout_ms * NS_PER_MS;
	return t->deadline_ns > now ? t->deadline_ns - now : -ETIMEDOUT;
}

void ebpfnet_ring_wake(struct ebpfnet_ring *ring)
{
	const uint64_t one = 1;
	int saved = errno;

	/* A child shares the eventfd with its parent, who is not to be woken by it. */
	if (ring && *ring->ours) {
		__atomic_store_n(&ring->woken, 1, __ATOMIC_SEQ_CST);
		/* Full means readable, which is all that is wanted. */
		if (write(ring->wake_fd, &one, sizeof(one)) < 0)
			errno = saved;
	}
	errno = saved;
}

static void drain_wake_fd(const struct ebpfnet_ring *ring)
{
	uint64_t n;

	/* Not blocking: that it is empty is as good. */
	while (read(ring->wake_fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

int ebpfnet__ring_take_wake(struct ebpfnet_ring *ring)
{
	if (!__atomic_exchange_n(&ring->woken, 0, __ATOMIC_SEQ_CST))
		return 0;
	ring->woken_once = true;
	drain_wake_fd(ring);
	return -EINTR;
}

int ebpfnet__ring_settle_wake(struct ebpfnet_ring *ring)
{
	if (ring->woken_once)
		drain_wake_fd(ring);
	return ebpfnet__ring_woken(ring);
}

int ebpfnet__ring_arm_all(struct ebpfnet_ring *ring)
{
	int ready = 0;

	for (uint32_t i = 0; i < ring->count; i++) {
		int ret = ebpfnet__ring_arm(&ring->maps[i]->mem);

		if (ret < 0)
			return ret;
		ready |= ret;
	}
	return ready;
}

static int ready_any(struct ebpfnet_ring *ring)
{
	for (uint32_t i = 0; i < ring->count; i++) {
		int ret = ebpfnet__ring_ready(&ring->maps[i]->mem);

		if (ret)
			return ret;
	}
	return 0;
}

static bool busy_any(const struct ebpfnet_ring *ring)
{
	for (uint32_t i = 0; i < ring->count; i++)
		if (ebpfnet__ring_busy(&ring->maps[i]->mem))
			return true;
	return false;
}

/* Sleeps without asking the kernel for events; ebpfnet_ring_wake() and signals end it. */
static int nap(struct ebpfnet_ring *ring, uint64_t ns, struct ebpfnet__ring_timer *timer)
{
	struct pollfd wake = { .fd = ring->wake_fd, .events = POLLIN };
	int64_t left = remaining(timer);
	struct timespec ts;

	if (left < 0)
		return (int)left;
	if (ns > (uint64_t)left)
		ns = (uint64_t)left;
	ts.tv_sec = (time_t)(ns / (1000 * NS_PER_MS));
	ts.tv_nsec = (long)(ns % (1000 * NS_PER_MS));
	if (ppoll(&wake, 1, &ts, NULL) < 0)
		return -errno;
	return wake.revents ? ebpfnet__ring_settle_wake(ring) : 0;
}

/* A quarter of the ring in one nap is too much: a burst of that size again would not find room. */
static void adapt(struct ebpfnet_ring *ring)
{
	unsigned long most = 0;

	for (uint32_t i = 0; i < ring->count; i++) {
		const struct ebpfnet__ring_mem *m = &ring->maps[i]->mem;
		unsigned long eighths = (m->limit - m->read) / (m->size / 8);

		most = eighths > most ? eighths : most;
	}
	if (most >= 2 && ring->nap_ns > NAP_LEAST_NS)
		ring->nap_ns /= 2;
	if (most == 0 && ring->nap_ns < ring->gather_ns)
		ring->nap_ns =
			ring->nap_ns * 2 < ring->gather_ns ? ring->nap_ns * 2 : ring->gather_ns;
}

/*
 * Lets events gather: while the newest record is held back the kernel sends no wake-ups, and a look
 * at memory after a nap costs the producer nothing. 1: there are some; 0: a whole nap brought
 * nothing, so that the next event is worth a wake-up.
 */
static int gather(struct ebpfnet_ring *ring, struct ebpfnet__ring_timer *timer)
{
	int ret = nap(ring, ring->nap_ns, timer);

	if (ret < 0 && ret != -ETIMEDOUT)
		return ret;
	/* All of them are asked: the fill of each counts. */
	for (uint32_t i = 0; i < ring->count; i++) {
		int one = ebpfnet__ring_ready(&ring->maps[i]->mem);

		if (one < 0)
			return one;
		if (one)
			ret = 1;
	}
	if (ret > 0)
		adapt(ring);
	return ret;
}

/* Until the kernel says that there is something. */
static int sleep_armed(struct ebpfnet_ring *ring, struct ebpfnet__ring_timer *timer)
{
	int64_t left = remaining(timer), ms;
	struct epoll_event events[4];

	if (left < 0)
		return (int)left;
	__atomic_store_n(&ring->sleeps, ring->sleeps + 1, __ATOMIC_RELAXED);
	/* Rounded up: a call that wakes too early would only sleep again. */
	ms = left == INT64_MAX ? -1 : (left + NS_PER_MS - 1) / NS_PER_MS;
	if (epoll_wait(ring->epoll_fd, events, 4, (int)ms) < 0)
		return -errno;
	return ebpfnet__ring_settle_wake(ring);
}

/* The next record is being written, which takes well below a microsecond unless its CPU is taken
 * away. */
static int spin(struct ebpfnet_ring *ring)
{
	for (int i = 0; i < BUSY_SPINS; i++) {
		int ret = ready_any(ring);

		if (ret)
			return ret;
		relax();
	}
	return 0;
}

int ebpfnet__ring_sleep(struct ebpfnet_ring *ring, struct ebpfnet__ring_timer *timer)
{
	bool busy;
	int ret;

	if (ring->gather_ns && ring->active) {
		ret = gather(ring, timer);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	ret = ebpfnet__ring_arm_all(ring);
	busy = busy_any(ring);
	if (ret == 0 && busy)
		ret = spin(ring);
	if (ret)
		return ret < 0 ? ret : 0;
	if (ring->leased)
		return nap(ring, LEASED_NAP_NS, timer);
	/* A level-triggered epoll takes a record that is reserved for one that can be read. */
	if (busy && ring->trigger == EBPFNET_RING_LEVEL)
		return nap(ring, BUSY_NAP_NS, timer);
	ring->active = false;
	return sleep_armed(ring, timer);
}

int ebpfnet_ring_wait(struct ebpfnet_ring *ring, int timeout_ms)
{
	struct ebpfnet__ring_timer timer = { .timeout_ms = timeout_ms };
	int ret = ebpfnet__ring_usable(ring);

	while (!ret) {
		ret = ebpfnet__ring_woken(ring);
		if (!ret)
			ret = ready_any(ring);
		if (ret)
			return ret < 0 ? ret : 0;
		if (timeout_ms) {
			ret = ebpfnet__ring_sleep(ring, &timer);
			continue;
		}
		ret = ring->gather_ns ? 0 : ebpfnet__ring_arm_all(ring);
		if (ret == 0)
			ret = ebpfnet__ring_settle_wake(ring);
		if (ret == 0)
			return -EAGAIN;
		ret = ret > 0 ? 0 : ret;
	}
	return ret;
}

int ebpfnet_ring_fd(const struct ebpfnet_ring *ring)
{
	return !ring || ring->gather_ns ? -EINVAL : ring->epoll_fd;
}
