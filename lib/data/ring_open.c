// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Making and closing a ring: mappings, the epoll set, and what a forked child may not touch. */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <ebpfnet/bpf/ring.h>

#include "core/opts.h"
#include "core/uapi.h"
#include "data/ring.h"
#include "load/pin.h"

#define GATHER_MAX_US 1000000u
/* The first nap, before anything is known about the producer. */
#define NAP_FIRST_NS 50000u

static void map_free(struct ebpfnet__ring_map *rm, bool ours)
{
	if (!rm)
		return;
	/* In a forked child nothing of ours is mapped there, and something else may be. */
	if (ours && rm->consumer_page)
		munmap(rm->consumer_page, (size_t)sysconf(_SC_PAGESIZE));
	if (ours && rm->producer_pages)
		munmap(rm->producer_pages, rm->producer_len);
	ebpfnet_map_close(rm->map);
	ebpfnet_map_close(rm->drops);
	free(rm);
}

/* The kernel's pages, which no child inherits. Fails the call. */
static void *map_pages(struct ebpfnet__call *call, const struct ebpfnet__ring_map *rm, size_t len,
		       int prot, off_t offset)
{
	void *at = mmap(NULL, len, prot, MAP_SHARED, rm->map->fd, offset);

	if (at == MAP_FAILED) {
		if (errno == EPERM || errno == EACCES)
			ebpfnet__hint(call, "the consumer writes its position into the map: it may "
					    "be neither read-only nor frozen");
		ebpfnet__fail(call, -errno, 0, "mmap: %s", ebpfnet_strerror(errno));
		return NULL;
	}
	if (madvise(at, len, MADV_DONTFORK) < 0) {
		ebpfnet__fail(call, -errno, 0, "madvise: %s", ebpfnet_strerror(errno));
		munmap(at, len);
		return NULL;
	}
	return at;
}

static int map_memory(struct ebpfnet__call *call, struct ebpfnet__ring_map *rm)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = rm->map->max_entries;

	if (size > (SIZE_MAX - page) / 2)
		return ebpfnet__fail(call, -E2BIG, 0, "%zu bytes are too many to map twice", size);
	rm->consumer_page = map_pages(call, rm, page, PROT_READ | PROT_WRITE, 0);
	if (!rm->consumer_page)
		return ebpfnet_error_code(call->error);
	rm->producer_len = page + 2 * size;
	rm->producer_pages = map_pages(call, rm, rm->producer_len, PROT_READ, (off_t)page);
	if (!rm->producer_pages)
		return ebpfnet_error_code(call->error);
	rm->mem.consumer = rm->consumer_page;
	rm->mem.producer = rm->producer_pages;
	rm->mem.data = (const uint8_t *)rm->producer_pages + page;
	rm->mem.size = size;
	if (ebpfnet__ring_mem_start(&rm->mem))
		return ebpfnet__fail(call, -EIO, EBPFNET_ERROR_INVALID,
				     "positions %lu and %lu are not those of a ring of %zu bytes",
				     *rm->mem.consumer, *rm->mem.producer, size);
	return 0;
}

static bool is_drops(const struct ebpfnet_map *map)
{
	return map->type == BPF_MAP_TYPE_PERCPU_ARRAY && map->fd >= 0 &&
	       map->value_size == sizeof(struct ebpfnet_ring_drops);
}

/* The map NAME_drops beside the ring, as EBPFNET_RING() declares it, or NULL. */
static const struct ebpfnet_map *drops_beside(const struct ebpfnet_map *map)
{
	const struct ebpfnet_object *obj = map->object;
	size_t len = strlen(map->name);

	for (size_t i = 0; obj && i < obj->map_count; i++) {
		const char *name = obj->maps[i].name;

		if (!strncmp(name, map->name, len) && !strcmp(name + len, "_drops") &&
		    is_drops(&obj->maps[i]))
			return &obj->maps[i];
	}
	return NULL;
}

static int bind_drops(struct ebpfnet__call *call, struct ebpfnet__ring_map *rm,
		      const struct ebpfnet_map *map, const struct ebpfnet_map *drops)
{
	struct ebpfnet_error *inner = NULL;

	if (drops && !is_drops(drops)) {
		ebpfnet__hint(call, "EBPFNET_RING() of <ebpfnet/bpf/ring.h> declares it");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "%s is no drop counter: a loaded per-CPU array of %zu bytes",
				     drops->name, sizeof(struct ebpfnet_ring_drops));
	}
	if (!drops)
		drops = drops_beside(map);
	if (drops && ebpfnet_map_open_fd(call->ctx, drops->fd, &rm->drops, &inner) < 0)
		return ebpfnet__fail_from(call, inner);
	return 0;
}

static int check_map(struct ebpfnet__call *call, const struct ebpfnet_map *map,
		     struct bpf_map_info *info)
{
	int ret;

	if (map->fd < 0)
		return ebpfnet__fail(call, -EBADF, EBPFNET_ERROR_INVALID, "it is not loaded");
	ret = ebpfnet__info_by_fd(map->fd, info, sizeof(*info));
	if (ret)
		return ebpfnet__fail(call, ret, 0, "info: %s", ebpfnet_strerror(ret));
	if (info->type != BPF_MAP_TYPE_RINGBUF)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "a map of type %u is no ring buffer (%u)", info->type,
				     BPF_MAP_TYPE_RINGBUF);
	/* There the producer moves the oldest position on by itself, without asking us. */
	if (info->map_flags & EBPFNET__BPF_F_RB_OVERWRITE)
		return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
				     "it overwrites old events (BPF_F_RB_OVERWRITE)");
	return 0;
}

/* Duplicates, maps and watches one map. Frees it all after a failure. */
static int map_open(struct ebpfnet__call *call, struct ebpfnet_ring *ring,
		    const struct ebpfnet_map *map, const struct ebpfnet_map *drops,
		    struct ebpfnet__ring_map *rm)
{
	struct epoll_event watch = { .events = EPOLLIN };
	struct ebpfnet_error *inner = NULL;
	struct bpf_map_info info = { 0 };
	int ret = check_map(call, map, &info);

	if (ret)
		return ret;
	for (uint32_t i = 0; i < ring->count; i++)
		if (ring->maps[i]->id == info.id)
			return ebpfnet__fail(call, -EEXIST, EBPFNET_ERROR_INVALID,
					     "it is in this ring already, as number %u", i);
	rm->id = info.id;
	if (ebpfnet_map_open_fd(call->ctx, map->fd, &rm->map, &inner) < 0)
		return ebpfnet__fail_from(call, inner);
	ret = bind_drops(call, rm, map, drops);
	if (!ret)
		ret = map_memory(call, rm);
	if (ret)
		return ret;
	rm->mem.hold = ring->gather_ns != 0;
	if (ring->trigger == EBPFNET_RING_EDGE)
		watch.events |= (uint32_t)EPOLLET;
	if (epoll_ctl(ring->epoll_fd, EPOLL_CTL_ADD, rm->map->fd, &watch) < 0)
		return ebpfnet__fail(call, -errno, 0, "epoll: %s", ebpfnet_strerror(errno));
	return 0;
}

static int add(struct ebpfnet__call *call, struct ebpfnet_ring *ring, const struct ebpfnet_map *map,
	       const struct ebpfnet_map *drops)
{
	struct ebpfnet__ring_map *rm = calloc(1, sizeof(*rm)), **more;
	int ret;

	more = rm ? reallocarray(ring->maps, ring->count + 1, sizeof(struct ebpfnet__ring_map *))
		  : NULL;
	if (!more) {
		free(rm);
		return ebpfnet__fail_nomem(call);
	}
	ring->maps = more;
	ret = map_open(call, ring, map, drops, rm);
	if (ret) {
		map_free(rm, true);
		return ret;
	}
	ring->maps[ring->count++] = rm;
	return 0;
}

/* The page that tells a parent from its child, and the two descriptors. */
static int prepare(struct ebpfnet__call *call, struct ebpfnet_ring *ring)
{
	struct epoll_event watch = { .events = EPOLLIN };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *ours = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ours == MAP_FAILED)
		return ebpfnet__fail_nomem(call);
	ring->ours = ours;
	if (madvise(ours, page, MADV_WIPEONFORK) < 0)
		return ebpfnet__fail(call, -errno, 0, "madvise: %s", ebpfnet_strerror(errno));
	*ring->ours = 1;
	ring->wake_fd = ebpfnet__fd_safe(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	ring->epoll_fd = ebpfnet__fd_safe(epoll_create1(EPOLL_CLOEXEC));
	if (ring->wake_fd < 0 || ring->epoll_fd < 0 ||
	    epoll_ctl(ring->epoll_fd, EPOLL_CTL_ADD, ring->wake_fd, &watch) < 0)
		return ebpfnet__fail(call, -errno, 0, "epoll: %s", ebpfnet_strerror(errno));
	return 0;
}

static int take_opts(struct ebpfnet__call *call, struct ebpfnet_ring *ring,
		     const struct ebpfnet_ring_opts *user, struct ebpfnet_ring_opts *o)
{
	int ret = EBPFNET__OPTS_COPY(call, user, o);

	if (ret)
		return ret;
	if (o->trigger > EBPFNET_RING_EDGE)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "unknown trigger %u",
				     o->trigger);
	if (o->gather_us > GATHER_MAX_US)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "gather_us %u is more than %u", o->gather_us, GATHER_MAX_US);
	ring->trigger = o->trigger;
	ring->gather_ns = (uint64_t)o->gather_us * 1000;
	ring->nap_ns = ring->gather_ns < NAP_FIRST_NS ? ring->gather_ns : NAP_FIRST_NS;
	return 0;
}

int ebpfnet_ring_new(const struct ebpfnet_map *map, const struct ebpfnet_ring_opts *opts,
		     struct ebpfnet_ring **out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, map->ctx, err, "ring %s", map->name);
	struct ebpfnet_ring_opts o = { 0 };
	struct ebpfnet_ring *ring;
	int ret;

	*out = NULL;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return ebpfnet__fail_nomem(&call);
	ring->ctx = ebpfnet_ctx_ref(map->ctx);
	ring->wake_fd = ring->epoll_fd = -1;
	ret = take_opts(&call, ring, opts, &o);
	if (!ret)
		ret = prepare(&call, ring);
	if (!ret)
		ret = add(&call, ring, map, o.drops);
	if (ret) {
		ebpfnet_ring_free(ring);
		return ret;
	}
	*out = ring;
	return 0;
}

int ebpfnet_ring_add(struct ebpfnet_ring *ring, const struct ebpfnet_map *map,
		     const struct ebpfnet_map *drops, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ring->ctx, err, "ring: add %s", map->name);
	int ret = ebpfnet__ring_usable(ring);

	if (ret)
		return ebpfnet__fail(&call, ret, EBPFNET_ERROR_INVALID, "%s",
				     ret == -EPERM ? "the ring belongs to the parent process"
						   : "called from the ring's own callback");
	return add(&call, ring, map, drops);
}

void ebpfnet_ring_free(struct ebpfnet_ring *ring)
{
	bool ours;

	if (!ring)
		return;
	ours = ring->ours && *ring->ours;
	for (uint32_t i = 0; i < ring->count; i++) {
		struct ebpfnet__ring_mem *m = &ring->maps[i]->mem;

		/* What was given back and held is not seen again, unless another consumer took over. */
		if (ours && __atomic_load_n(m->consumer, __ATOMIC_RELAXED) == m->published)
			ebpfnet__ring_arm(m);
		map_free(ring->maps[i], ours);
	}
	free(ring->maps);
	if (ring->epoll_fd >= 0)
		close(ring->epoll_fd);
	if (ring->wake_fd >= 0)
		close(ring->wake_fd);
	if (ring->ours)
		munmap(ring->ours, (size_t)sysconf(_SC_PAGESIZE));
	ebpfnet_ctx_unref(ring->ctx);
	free(ring);
}
