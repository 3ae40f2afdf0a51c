// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What went through a ring. The consumer's counts are its own; what was lost the producer counts. */
#include <errno.h>

#include <ebpfnet/bpf/ring.h>

#include "core/opts.h"
#include "data/map_value.h"
#include "data/ring.h"

static uint64_t look(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static int add_drops(struct ebpfnet__call *call, const struct ebpfnet_map *map,
		     struct ebpfnet_ring_stats *s)
{
	EBPFNET__SCRATCH(scratch);
	struct ebpfnet_ring_drops *d;
	const uint32_t key = 0;
	int cpus = ebpfnet_map_cpus(map);

	if (cpus < 0)
		return ebpfnet__fail(call, cpus, 0, "CPUs: %s", ebpfnet_strerror(cpus));
	d = ebpfnet__scratch_get(&scratch, (size_t)cpus * sizeof(*d));
	if (!d)
		return ebpfnet__fail_nomem(call);
	cpus = ebpfnet_map_get_percpu(map, &key, d, (size_t)cpus);
	if (cpus < 0)
		return ebpfnet__fail(call, cpus, 0, "drop counter: %s", ebpfnet_strerror(cpus));
	for (int i = 0; i < cpus; i++) {
		s->dropped += d[i].events;
		s->dropped_bytes += d[i].bytes;
	}
	s->drops_known++;
	return 0;
}

static int add_map(struct ebpfnet__call *call, const struct ebpfnet__ring_map *rm,
		   struct ebpfnet_ring_stats *s)
{
	const struct ebpfnet__ring_mem *m = &rm->mem;
	/* The consumer's first: it never overtakes the producer's, so that the difference is sound. */
	unsigned long consumer = __atomic_load_n(m->consumer, __ATOMIC_ACQUIRE);
	unsigned long pending = __atomic_load_n(m->producer, __ATOMIC_ACQUIRE) - consumer;
	uint64_t high = look(&m->high_water);

	/* Between the two loads both may have moved on. */
	s->pending_bytes += pending < m->size ? pending : m->size;
	s->events += look(&m->events);
	s->bytes += look(&m->bytes);
	s->discarded += look(&m->discarded);
	s->high_water_bytes = high > s->high_water_bytes ? high : s->high_water_bytes;
	s->size_bytes += m->size;
	s->rings++;
	return rm->drops ? add_drops(call, rm->drops, s) : 0;
}

int ebpfnet_ring_stats(const struct ebpfnet_ring *ring, uint32_t which,
		       struct ebpfnet_ring_stats *out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ring->ctx, err, "ring: stats");
	struct ebpfnet_ring_stats s = { 0 };

	if (!*ring->ours)
		return ebpfnet__fail(&call, -EPERM, EBPFNET_ERROR_INVALID,
				     "the ring belongs to the parent process");
	if (which != EBPFNET_RING_ALL && which >= ring->count)
		return ebpfnet__fail(&call, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
				     "no map %u: there are %u", which, ring->count);
	for (uint32_t i = 0; i < ring->count; i++) {
		int ret = which == EBPFNET_RING_ALL || which == i
				  ? add_map(&call, ring->maps[i], &s)
				  : 0;

		if (ret)
			return ret;
	}
	s.sleeps = look(&ring->sleeps);
	if (EBPFNET__OUT_FILL(out, &s))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID, "sz is not set");
	return 0;
}
