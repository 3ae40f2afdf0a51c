/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_DATA_H
#define EBPFNET_DATA_H

/*
 * Maps: what programs in the kernel and programs in user space tell each other.
 *
 * Typed, the normal way. EBPFNET_MAP_DEFINE names the types once; bind compares them with what the
 * object was compiled with, and from then on the compiler checks every call:
 *
 *	EBPFNET_MAP_DEFINE(packets, uint32_t, uint64_t);
 *
 *	struct packets packets;
 *	uint32_t key = 0;
 *	uint64_t sum;
 *
 *	if (ebpfnet_object_map(obj, "packets", &map, &err) < 0 ||
 *	    packets_bind(map, &packets, &err) < 0)
 *		...ebpfnet_error_message(err)...
 *	if (packets_sum(packets, &key, &sum) == 0)
 *		printf("%" PRIu64 "\n", sum);
 *
 * Untyped, for maps whose types are known at run time only: ebpfnet_map_get() and its like take
 * pointers to key_size and value_size bytes (ebpfnet_map_info()).
 *
 * Every CPU has its own value in a per-CPU map. Buffers here hold those values one behind the
 * other, value_size bytes each: the kernel's rounding to 8 bytes stays inside the library.
 *
 * Calls without `err` are for hot paths: they return -errno, allocate nothing unless they say so,
 * and log nothing.
 */

#include <ebpfnet/load.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ebpfnet_map_iter;

/** What ebpfnet_map_put() may do; the numbers of BPF_ANY, BPF_NOEXIST and BPF_EXIST. */
enum ebpfnet_map_put_flags {
	EBPFNET_MAP_ANY = 0,	 /* make the entry or overwrite it */
	EBPFNET_MAP_NOEXIST = 1, /* make it; -EEXIST if it is there */
	EBPFNET_MAP_EXIST = 2,	 /* overwrite it; -ENOENT if it is not there */
};

/**
 * @brief Reads an entry of a map that has one value per key.
 *
 * @param map in; loaded.
 * @param key in: key_size bytes.
 * @param value out: value_size bytes.
 * @return 0, or -ENOENT (no such key, or an index behind the end of an array), -EINVAL (NULL; a
 * per-CPU map: use ebpfnet_map_sum() or ebpfnet_map_get_percpu()), -EBADF (not loaded), -EPERM (the
 * map is write-only for user space).
 *
 * Thread-safety: safe. A hash replaces whole values; an array's value is copied word by word, so a
 * reader can see half of a concurrent write.
 * Kernel: 3.19.
 * @see ebpfnet_map_put
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_get(const struct ebpfnet_map *map, const void *key, void *value);

/**
 * @brief Writes an entry of a map that has one value per key.
 *
 * @param map in; loaded.
 * @param key in: key_size bytes; padding counts, so clear it.
 * @param value in: value_size bytes.
 * @param flags in: one of enum ebpfnet_map_put_flags.
 * @return 0, or -E2BIG (a hash that is full, or an index behind the end of an array), -EEXIST
 * (EBPFNET_MAP_NOEXIST; always for arrays, whose entries are all there), -ENOENT
 * (EBPFNET_MAP_EXIST), -EINVAL (NULL; unknown flags; a per-CPU map: use ebpfnet_map_put_percpu()),
 * -EBADF (not loaded), -EPERM (frozen, or read-only for user space), -ENOMEM, -EBUSY (a tracing
 * program interrupted an update of the same bucket on this CPU: try again). An LRU hash is never
 * full: it drops what was used longest ago, somewhat before the last entry is taken, and says
 * nothing.
 *
 * Thread-safety: safe.
 * Kernel: 3.19; LRU 4.10.
 * @see ebpfnet_map_get
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_put(const struct ebpfnet_map *map, const void *key, const void *value,
				uint64_t flags);

/**
 * @brief Deletes an entry, of all CPUs in a per-CPU map.
 *
 * @param map in; loaded.
 * @param key in: key_size bytes.
 * @return 0, or -ENOENT (no such key), -EINVAL (NULL; an array, whose entries cannot be deleted:
 * put zeros), -EBADF (not loaded), -EPERM (frozen, or read-only for user space), -EBUSY as
 * ebpfnet_map_put().
 *
 * Thread-safety: safe.
 * Kernel: 3.19.
 * @see ebpfnet_map_put
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_del(const struct ebpfnet_map *map, const void *key);

/**
 * @brief The key behind another in the map's own order.
 *
 * For looking at one neighbour. To go through a map use ebpfnet_map_iter_new(): a loop over this
 * call starts anew, without a word, when somebody deletes the key it stands on.
 *
 * @param map in; loaded.
 * @param key in: key_size bytes; NULL, or a key that is not in the map: the first.
 * @param next out: key_size bytes; may be the same memory as key.
 * @return 0, or -ENOENT (key is the last, or the map is empty), -EINVAL (NULL), -EBADF (not
 * loaded).
 *
 * Thread-safety: safe.
 * Kernel: 3.19; NULL for key 4.12.
 * @see ebpfnet_map_iter_new
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_next(const struct ebpfnet_map *map, const void *key, void *next);

/**
 * @brief How many values a key has: the number of possible CPUs for a per-CPU map, else 1.
 *
 * @param map in; loaded.
 * @return at least 1; or -EINVAL (NULL), -EBADF (not loaded), and what reading
 * /sys/devices/system/cpu/possible gives.
 *
 * Thread-safety: safe.
 * Kernel: any. CPUs that are offline, or can be plugged in later, count too.
 * @see ebpfnet_map_get_percpu
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_cpus(const struct ebpfnet_map *map);

/**
 * @brief Reads every CPU's value of a key.
 *
 * @param map in; loaded, of a per-CPU type.
 * @param key in: key_size bytes.
 * @param values out: value_size bytes for CPU 0, then CPU 1 and so on, without gaps.
 * @param capacity_cpus in: how many values have room; ebpfnet_map_cpus() says how many there are.
 * @return how many values were written, which is ebpfnet_map_cpus(); or -ENOENT (no such key),
 * -ENOSPC (too little room, nothing is written), -EINVAL (NULL; not a per-CPU map), -EBADF (not
 * loaded), -ENOMEM.
 *
 * Up to 32 KiB for all CPUs together (value_size rounded up to 8, times CPUs) the stack is used,
 * above it one malloc() a call.
 *
 * Thread-safety: safe.
 * Kernel: 4.6; LRU 4.10.
 * @see ebpfnet_map_sum
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_get_percpu(const struct ebpfnet_map *map, const void *key, void *values,
				       size_t capacity_cpus);

/**
 * @brief Writes every CPU's value of a key.
 *
 * A program that counts meanwhile loses what it counts between this thread's read and its write.
 * Keep a base in user space and subtract it instead of writing zeros under traffic.
 *
 * @param map in; loaded, of a per-CPU type.
 * @param key in: key_size bytes.
 * @param values in: value_size bytes for CPU 0, then CPU 1 and so on, without gaps; may be NULL
 * with cpus 0.
 * @param cpus in: how many values are given; the CPUs behind them get zeros.
 * @param flags in: one of enum ebpfnet_map_put_flags.
 * @return 0, or -EINVAL (NULL; not a per-CPU map; more values than CPUs), and what
 * ebpfnet_map_put() gives. Scratch memory as ebpfnet_map_get_percpu().
 *
 * Thread-safety: safe.
 * Kernel: 4.6; LRU 4.10.
 * @see ebpfnet_map_get_percpu
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_put_percpu(const struct ebpfnet_map *map, const void *key,
				       const void *values, size_t cpus, uint64_t flags);

/**
 * @brief Adds up every CPU's value of a key, member by member.
 *
 * Which bytes are numbers is known from the map's BTF, nested structs and arrays included: integers
 * of 1 to 8 bytes are added and wrap, of a bool the OR is taken, of a union the first member
 * counts. Everything else (arrays of 1-byte integers, which are text and addresses; enums;
 * pointers; floats; integers of 16 bytes; padding) is zero in the result. A map without BTF whose
 * value is a multiple of 8 bytes is taken for an array of uint64_t.
 *
 * @param map in; loaded, of a per-CPU type.
 * @param key in: key_size bytes.
 * @param value out: value_size bytes.
 * @return 0, or -ENOENT (no such key), -EINVAL (NULL; not a per-CPU map; a value with bit fields or
 * without any number, or without BTF and not a multiple of 8 bytes), -EBADF (not loaded), -ENOMEM.
 * The first call for a map reads its BTF and allocates, unless bind or an iteration did so before.
 * Other scratch memory as ebpfnet_map_get_percpu().
 *
 * Thread-safety: safe. Each CPU's value is a snapshot of its own.
 * Kernel: 4.6; LRU 4.10; BTF 4.18, and for a map that is not of an object CAP_SYS_ADMIN to read it:
 * without, it counts as a map without BTF.
 * @see ebpfnet_map_max
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_sum(struct ebpfnet_map *map, const void *key, void *value);

/**
 * @brief The largest of every CPU's value of a key, member by member.
 *
 * For time stamps and high-water marks. Members are found as for ebpfnet_map_sum(); signed ones are
 * compared as such.
 *
 * @param map in; loaded, of a per-CPU type.
 * @param key in: key_size bytes.
 * @param value out: value_size bytes.
 * @return 0, or what ebpfnet_map_sum() gives.
 *
 * Thread-safety: safe. Each CPU's value is a snapshot of its own.
 * Kernel: as ebpfnet_map_sum().
 * @see ebpfnet_map_sum
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_max(struct ebpfnet_map *map, const void *key, void *value);

/** Receives one CPU's value, aligned to 8 bytes; what it returns ends the loop unless it is 0. */
typedef int (*ebpfnet_map_each_fn)(uint32_t cpu, const void *value, void *data);

/**
 * @brief Calls a function for every CPU's value of a key, in the order of the CPUs.
 *
 * @param map in; loaded, of a per-CPU type.
 * @param key in: key_size bytes.
 * @param fn in; called on this thread. The value is borrowed until fn returns.
 * @param data in: third argument of fn.
 * @return 0, or what fn returned first that is not 0, or -ENOENT (no such key), -EINVAL (NULL; not
 * a per-CPU map), -EBADF (not loaded), -ENOMEM. Scratch memory as ebpfnet_map_get_percpu().
 *
 * Thread-safety: safe.
 * Kernel: 4.6; LRU 4.10.
 * @see ebpfnet_map_get_percpu
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_each(const struct ebpfnet_map *map, const void *key,
				 ebpfnet_map_each_fn fn, void *data);

/** Values of a per-CPU map are given CPU by CPU as ebpfnet_map_get_percpu() does, not added up. */
#define EBPFNET_MAP_ITER_PERCPU (1u << 0)
/** Read entry by entry also where the kernel has batches: slower, and with the weaker promise. */
#define EBPFNET_MAP_ITER_NO_BATCH (1u << 1)

/** Options of ebpfnet_map_iter_new(). */
struct ebpfnet_map_iter_opts {
	size_t sz;	/* sizeof(struct ebpfnet_map_iter_opts) */
	uint32_t flags; /* EBPFNET_MAP_ITER_* */
	uint32_t batch; /* entries read at a time; 0: as many as fit 64 KiB */
};

/**
 * @brief Starts going through all entries of a map.
 *
 * It always ends, however fast others insert and delete, and deleting or overwriting the key that
 * was given last does not disturb it. Values are as they were when their batch was read. What is
 * promised beyond that:
 *
 * - Hash and LRU hash, in batches: every key that is there the whole time is given exactly once,
 *   also when its value is overwritten meanwhile; a key that comes or goes meanwhile is given once
 *   or not at all. (The kernel copies one bucket after the other, each under its lock, and keys do
 *   not change their bucket.)
 * - Arrays: every index exactly once.
 * - Hash entry by entry (EBPFNET_MAP_ITER_NO_BATCH, or a kernel without batches): the same while
 *   nobody else writes. A key that is overwritten, or deleted and made anew, meanwhile can be given
 *   twice or not at all, since a write moves it inside its bucket; when the keys read last have all
 *   been deleted by somebody else it starts anew and can give keys twice; and it ends with -EAGAIN
 *   when it had to read many times as many keys as the map can hold.
 *
 * @param map in; loaded, not closed before the iterator is freed.
 * @param opts in, may be NULL.
 * @param it out; owned by the caller, ends with ebpfnet_map_iter_free().
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (an unknown flag; EBPFNET_MAP_ITER_PERCPU for a map that is not per-CPU; a
 * value that ebpfnet_map_sum() cannot add up), -EOPNOTSUPP (a map type without keys to go through),
 * -E2BIG (an option this library does not know), -EBADF (not loaded), -EPERM (write-only), -ENOMEM.
 *
 * Thread-safety: safe; one iterator belongs to one thread at a time.
 * Kernel: 3.19; batches 5.6, of per-CPU arrays 5.13.
 * @see ebpfnet_map_iter_next
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_iter_new(struct ebpfnet_map *map,
				     const struct ebpfnet_map_iter_opts *opts,
				     struct ebpfnet_map_iter **it, struct ebpfnet_error **err);

/**
 * @brief Gives the next entry.
 *
 * @param it in.
 * @param key out: key_size bytes; may be NULL.
 * @param value out: value_size bytes: the value, or the sum of a per-CPU map's; with
 * EBPFNET_MAP_ITER_PERCPU ebpfnet_map_cpus() values. May be NULL.
 * @return 1 for an entry, 0 at the end; or -EAGAIN (entry by entry only: the map changes too fast,
 * and keys were left out), -ENOMEM, and what the kernel gives. After an error it gives the same
 * again.
 *
 * Thread-safety: not safe for one iterator. Allocates when a bucket is larger than the batch.
 * Kernel: as ebpfnet_map_iter_new().
 * @see ebpfnet_map_iter_free
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_iter_next(struct ebpfnet_map_iter *it, void *key, void *value);

/**
 * @brief Ends an iteration, at any point of it.
 *
 * @param it in, may be NULL.
 *
 * Thread-safety: not safe for one iterator.
 * Kernel: any.
 * @see ebpfnet_map_iter_new
 * @since 0.1
 */
EBPFNET_API void ebpfnet_map_iter_free(struct ebpfnet_map_iter *it);

/** One member of a key or value as the C program sees it. EBPFNET_MAP_DEFINE fills it. */
struct ebpfnet_map_member {
	const char *name;   /* as it is listed: "bytes", "address.v4", "slot[0].bytes" */
	uint32_t offset;    /* bytes from the start of the outermost struct */
	uint32_t size;	    /* bytes */
	uint32_t is_struct; /* 1: a struct or union, which must be listed by its own members */
	uint32_t reserved;
};

/** A map's types as the C program sees them. EBPFNET_MAP_DEFINE fills it. */
struct ebpfnet_map_layout {
	size_t sz;	    /* sizeof(struct ebpfnet_map_layout) */
	size_t member_size; /* sizeof(struct ebpfnet_map_member) */
	/* Up to a NULL name; none at all for a type that is not a struct. */
	const struct ebpfnet_map_member *key_members;
	const struct ebpfnet_map_member *value_members;
	uint32_t key_size;   /* bytes */
	uint32_t value_size; /* bytes */
};

/**
 * @brief Compares a C program's types with those that the map was compiled with.
 *
 * What the NAME_bind() of EBPFNET_MAP_DEFINE calls; for bindings of other languages too. Sizes
 * always have to agree; structs have to agree in every member's name, offset and size, and no
 * member may be missing on either side: "value: member `bytes` is at offset 8 in the object and 12
 * here". A map of an object is compared with the object's BTF, also when the object shares it
 * (ebpfnet_object_reuse_map()), another with the BTF that the kernel keeps of it. A map that was
 * made without BTF is compared by size alone, and of an array of structs the first element stands
 * for all.
 *
 * @param map in; loaded.
 * @param layout in; read during the call only.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL kind INCOMPATIBLE (the message names what differs), -EINVAL (a member is
 * listed twice, or is a struct and not listed by its members; NULL), -EBADF (not loaded), -EPERM (a
 * map that is not of an object: CAP_SYS_ADMIN is needed to read its BTF), -ENOMEM.
 *
 * Thread-safety: safe.
 * Kernel: 3.19; BTF of maps 4.18.
 * @see EBPFNET_MAP_DEFINE
 * @since 0.1
 */
EBPFNET_API int ebpfnet_map_bind(struct ebpfnet_map *map, const struct ebpfnet_map_layout *layout,
				 struct ebpfnet_error **err);

/*
 * Rings: events that programs send to user space, in the order in which they were reserved.
 *
 *	static struct ebpfnet_ring *ring;
 *
 *	static void stop(int sig)
 *	{
 *		ebpfnet_ring_wake(ring);
 *	}
 *	...
 *	struct ebpfnet_ring_event event = { .sz = sizeof(event) };
 *
 *	if (ebpfnet_object_map(obj, "events", &map, &err) < 0 ||
 *	    ebpfnet_ring_new(map, NULL, &ring, &err) < 0)
 *		...ebpfnet_error_message(err)...
 *	signal(SIGINT, stop);
 *	while (ebpfnet_ring_next(ring, -1, &event) == 0) {
 *		...event.data, event.len...
 *		ebpfnet_ring_commit(ring);
 *	}
 *	ebpfnet_ring_free(ring);
 *
 * An event is read where the kernel wrote it. It is leased until ebpfnet_ring_commit(), which gives
 * its room back; ebpfnet_ring_dispatch() does both for a batch. A BPF program uses
 * <ebpfnet/bpf/ring.h>, or the kernel's own helpers, which leave the lost events uncounted.
 *
 * One ring has one consumer: its position is kept in the ring's own memory, so that a process that
 * takes over goes on where the last one committed. doc/ring.md says which events can be seen twice.
 */

struct ebpfnet_ring;

/** What makes ebpfnet_ring_fd() readable, and the waiting calls return. */
enum ebpfnet_ring_trigger {
	EBPFNET_RING_LEVEL = 0, /* there are events */
	EBPFNET_RING_EDGE,	/* events came: who does not take all of them is not told again */
};

/** Options of ebpfnet_ring_new(). */
struct ebpfnet_ring_opts {
	size_t sz; /* sizeof(struct ebpfnet_ring_opts) */
	/* Per-CPU array in which the BPF program counts what found no room, for a map that is not of
	 * an object; NULL: the object's map NAME_drops, as EBPFNET_RING() declares it, if there is
	 * one. Duplicated. */
	const struct ebpfnet_map *drops;
	uint32_t trigger; /* enum ebpfnet_ring_trigger */
	/* Microseconds, up to 1,000,000: how long a waiting call that found the ring empty lets
	 * events gather before it asks the kernel for a wake-up. Producers then send one only after a
	 * pause of that length instead of one for every event that meets an empty ring; what this
	 * costs is up to so much delay, and the newest event may be seen again after a crash. It is
	 * made shorter while the ring fills quickly. For ebpfnet_ring_next() and
	 * ebpfnet_ring_wait(); there is no ebpfnet_ring_fd(). 0: never. */
	uint32_t gather_us;
};

/** One event; filled by the library. */
struct ebpfnet_ring_event {
	size_t sz;	  /* sizeof(struct ebpfnet_ring_event) */
	const void *data; /* borrowed, read-only, aligned to 8; ends with the commit */
	uint32_t len;	  /* bytes */
	uint32_t ring;	  /* which map: 0 of ebpfnet_ring_new(), then in the order of adding */
};

/** Receives one event. 0: go on; positive: stop behind it; negative: stop, and return that. The
 * event and those before it are taken in any case. */
typedef int (*ebpfnet_ring_fn)(void *data, const struct ebpfnet_ring_event *event);

/**
 * @brief Opens a ring buffer map for reading events.
 *
 * Reading goes on where the last consumer of that map committed.
 *
 * @param map in; loaded; BPF_MAP_TYPE_RINGBUF. Duplicated: it may be closed before the ring.
 * @param opts in, may be NULL; read during the call only.
 * @param ring out; owned by the caller, ends with ebpfnet_ring_free().
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (not a ring buffer; a drop counter of another shape; an option out of
 * range), -EBADF (not loaded), -EACCES (read-only for user space), -EPERM (frozen), -EOPNOTSUPP (a ring
 * that overwrites), -EIO (what is in the ring's memory is no ring), -E2BIG (a newer option this
 * library does not know), -EMFILE, -ENOMEM.
 *
 * Thread-safety: safe.
 * Kernel: 5.8.
 * @see ebpfnet_ring_next
 * @since 0.1
 */
EBPFNET_API int ebpfnet_ring_new(const struct ebpfnet_map *map,
				 const struct ebpfnet_ring_opts *opts, struct ebpfnet_ring **ring,
				 struct ebpfnet_error **err);

/**
 * @brief Adds one more map to a ring: one wait and one fd for all of them.
 *
 * Events of one map come in its order; between maps there is none, and each gets its turn.
 *
 * @param ring in.
 * @param map in; as in ebpfnet_ring_new(). Its events have the next number in `ring`.
 * @param drops in, may be NULL; as in struct ebpfnet_ring_opts.
 * @param err out, may be NULL.
 * @return 0, or what ebpfnet_ring_new() gives; -EEXIST (the map is in this ring), -EBUSY (called
 * from an ebpfnet_ring_fn), -EPERM (a forked child).
 *
 * Thread-safety: not safe for one ring.
 * Kernel: 5.8.
 * @see ebpfnet_ring_new
 * @since 0.1
 */
EBPFNET_API int ebpfnet_ring_add(struct ebpfnet_ring *ring, const struct ebpfnet_map *map,
				 const struct ebpfnet_map *drops, struct ebpfnet_error **err);

/**
 * @brief Gives the next event, waiting for one if there is none. Copies nothing.
 *
 * Several events may be leased at a time; their room is given back together.
 *
 * @param ring in.
 * @param timeout_ms in: milliseconds to wait, as poll(2): 0 not at all, negative without end. The
 * deadline is fixed when the call begins; nothing that happens during it moves it.
 * @param event out; its sz is set by the caller.
 * @return 0, or -EAGAIN (timeout 0 and no event), -ETIMEDOUT (no event in that time), -EINTR
 * (ebpfnet_ring_wake(), or a signal handler ran), -EIO (the ring is corrupt; nothing more is read
 * from it), -ESTALE (another consumer reads the same map), -EBUSY (called from an
 * ebpfnet_ring_fn), -EPERM (a forked child: the ring is its parent's), -EINVAL (NULL, sz not set).
 *
 * Thread-safety: not safe for one ring, except against ebpfnet_ring_wake() and
 * ebpfnet_ring_stats().
 * Kernel: 5.8. A call that waits while events are leased looks once a millisecond, because the
 * kernel wakes only a consumer that has committed everything.
 * @see ebpfnet_ring_commit
 * @since 0.1
 */
EBPFNET_API int ebpfnet_ring_next(struct ebpfnet_ring *ring, int timeout_ms,
				  struct ebpfnet_ring_event *event);

/**
 * @brief Gives back the room of every event that ebpfnet_ring_next() handed out.
 *
 * Their data must not be read any more. A consumer that takes over later does not see them again.
 *
 * @param ring in.
 * @return 0, or -EBUSY (called from an ebpfnet_ring_fn), -EPERM (a forked child), -EINVAL (NULL).
 *
 * Thread-safety: as ebpfnet_ring_next().
 * Kernel: 5.8.
 * @see ebpfnet_ring_next
 * @since 0.1
 */
EBPFNET_API int ebpfnet_ring_commit(struct ebpfnet_ring *ring);

/**
 * @brief Calls a function for the events that are there, at most max; never waits.
 *
 * The fast way, for an event loop of one's own. Room is given back as it goes on, not once per
 * event. A result below max says that the ring was empty, so that ebpfnet_ring_fd() tells when the
 * next event comes, also by edges; max says that there may be more.
 *
 * @param ring in.
 * @param fn in: called with each event; may call ebpfnet_ring_wake() and ebpfnet_ring_stats() only.
 * @param data in: first argument of fn.
 * @param max in: more than 0. Events that the producer discarded count too, or one that discards
 * all the time would hold the call for ever.
 * @return how many events were taken, discarded ones included; or what fn returned if negative;
 * -EINTR, -EPERM as ebpfnet_ring_next(); -EIO, -ESTALE also behind events that were taken; -EBUSY
 * (called from fn, or events are leased: commit first), -EINVAL (NULL, max 0).
 *
 * Thread-safety: as ebpfnet_ring_next().
 * Kernel: 5.8.
 * @see ebpfnet_ring_wait
 * @since 0.1
 */
EBPFNET_API int ebpfnet_ring_dispatch(struct ebpfnet_ring *ring, ebpfnet_ring_fn fn, void *data,
				      uint32_t max);

/**
 * @brief Waits until there is an event, without taking it: for a loop around
 * ebpfnet_ring_dispatch().
 *
 *	while ((ret = ebpfnet_ring_wait(ring, -1)) == 0 &&
 *	       (ret = ebpfnet_ring_dispatch(ring, fn, data, 256)) >= 0)
 *		;
 *
 * @param ring in.
 * @param timeout_ms in: as in ebpfnet_ring_next().
 * @return 0, or an error as ebpfnet_ring_next().
 *
 * Thread-safety: as ebpfnet_ring_next().
 * Kernel: 5.8.
 * @see ebpfnet_ring_dispatch
 * @since 0.1
 */
EBPFNET_API int ebpfnet_ring_wait(struct ebpfnet_ring *ring, int timeout_ms);

/**
 * @brief One fd for poll(2), epoll(7) and event loops: readable when a ring of this object is.
 *
 * Readable too after ebpfnet_ring_wake(), until a call returned -EINTR for it.
 *
 * @param ring in.
 * @return borrowed fd; or -EINVAL (NULL; gather_us is set, which needs the library's own wait).
 *
 * Thread-safety: safe.
 * Kernel: 5.8.
 * @see ebpfnet_ring_dispatch
 * @since 0.1
 */
EBPFNET_API int ebpfnet_ring_fd(const struct ebpfnet_ring *ring);

/**
 * @brief Makes the waiting call, or else the next one, return -EINTR, once. For a clean stop.
 *
 * May be called from a signal handler and from any thread. It is noticed also while events never
 * stop coming. Calls add up to one.
 *
 * @param ring in, may be NULL.
 *
 * Thread-safety: safe, and async-signal-safe.
 * Kernel: 5.8.
 * @see ebpfnet_ring_next
 * @since 0.1
 */
EBPFNET_API void ebpfnet_ring_wake(struct ebpfnet_ring *ring);

/** Every map of a ring together, for ebpfnet_ring_stats(). */
#define EBPFNET_RING_ALL UINT32_MAX

/** What went through a ring; filled by ebpfnet_ring_stats(). */
struct ebpfnet_ring_stats {
	size_t sz;	    /* sizeof(struct ebpfnet_ring_stats) */
	uint64_t events;    /* handed out by this object */
	uint64_t bytes;	    /* of those, without the ring's own headers */
	uint64_t discarded; /* reserved and then given up by the producer */
	uint64_t dropped;   /* found no room, since the drop counter was made; see drops_known */
	uint64_t dropped_bytes;	   /* of those */
	uint64_t pending_bytes;	   /* in the ring at this moment, with headers */
	uint64_t high_water_bytes; /* most of that which this object saw */
	uint64_t size_bytes;	   /* of the ring */
	uint64_t sleeps;      /* times that a waiting call asked the kernel for a wake-up; of the
				    * whole ring object, whatever `which` */
	uint32_t rings;	      /* maps that this is about */
	uint32_t drops_known; /* how many of them have a drop counter */
};

/**
 * @brief Counts of one map of a ring, or of all: taken, discarded, dropped, and how full it is.
 *
 * @param ring in.
 * @param which in: a map's number as in struct ebpfnet_ring_event, or EBPFNET_RING_ALL.
 * @param stats out; its sz is set by the caller. high_water_bytes of all is the largest.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such map), -EPERM (a forked child), -EINVAL (sz is not set).
 *
 * Thread-safety: safe, but not against ebpfnet_ring_add() and ebpfnet_ring_free().
 * Kernel: 5.8.
 * @see EBPFNET_RING_ALL
 * @since 0.1
 */
EBPFNET_API int ebpfnet_ring_stats(const struct ebpfnet_ring *ring, uint32_t which,
				   struct ebpfnet_ring_stats *stats, struct ebpfnet_error **err);

/**
 * @brief Closes a ring. Events that were not committed stay in the map for the next consumer.
 *
 * @param ring in, may be NULL.
 *
 * Thread-safety: not safe for one ring. In a forked child it frees the child's copy only.
 * Kernel: 5.8.
 * @see ebpfnet_ring_new
 * @since 0.1
 */
EBPFNET_API void ebpfnet_ring_free(struct ebpfnet_ring *ring);

/**
 * @brief Defines a typed map: EBPFNET_MAP_DEFINE(NAME, KEY, VALUE) at file scope.
 *
 * A struct's members must be listed, since C cannot do so itself; `()` stands for a type that is
 * not a struct. Both lists or none:
 *
 *	EBPFNET_MAP_DEFINE(flows, struct flow_key, struct flow, (source, port), (packets, bytes));
 *	EBPFNET_MAP_DEFINE(devices, uint32_t, struct device, (), (mac, count.packets, count.bytes));
 *
 * A struct inside a struct is listed by its own members, an array of structs by those of its first
 * element (slot[0].packets), of anonymous structs and unions only the members, of a union each
 * member. A struct without its list does not compile: the error names NAME_key_needs_its_members or
 * NAME_value_needs_its_members.
 *
 * It makes `struct NAME`, one pointer, passed by value: calls for one map cannot be given another.
 *
 *	int NAME_bind(struct ebpfnet_map *map, struct NAME *m, struct ebpfnet_error **err);
 *	int NAME_get(struct NAME m, const KEY *key, VALUE *value);
 *	int NAME_put(struct NAME m, const KEY *key, const VALUE *value, uint64_t flags);
 *	int NAME_del(struct NAME m, const KEY *key);
 *	int NAME_next(struct NAME m, const KEY *key, KEY *next);
 *	int NAME_get_percpu(struct NAME m, const KEY *key, VALUE *values, size_t capacity_cpus);
 *	int NAME_put_percpu(struct NAME m, const KEY *key, const VALUE *values, size_t cpus,
 *			    uint64_t flags);
 *	int NAME_sum(struct NAME m, const KEY *key, VALUE *value);
 *	int NAME_max(struct NAME m, const KEY *key, VALUE *value);
 *	int NAME_iter_new(struct NAME m, const struct ebpfnet_map_iter_opts *opts,
 *			  struct NAME_iter *it, struct ebpfnet_error **err);
 *	int NAME_iter_next(struct NAME_iter it, KEY *key, VALUE *value);
 *	void NAME_iter_free(struct NAME_iter it);
 *
 * All but bind are inline and do what ebpfnet_map_get() and its like do; bind is
 * ebpfnet_map_bind(). After a failed bind m->map is NULL and every call gives -EINVAL. The map is
 * borrowed. There are no calls that make a mistake in a per-CPU map possible: get and put refuse
 * it, sum refuses the others.
 *
 * Thread-safety: as the functions below it.
 * Kernel: as the functions below it.
 * @see ebpfnet_map_bind
 * @since 0.1
 */
#define EBPFNET_MAP_DEFINE(...)                                                                    \
	EBPFNET__DEFINE_BY_COUNT(__VA_ARGS__, EBPFNET__DEFINE_STRUCTS,                             \
				 EBPFNET_MAP_DEFINE_takes_both_lists_or_none,                      \
				 EBPFNET__DEFINE_SCALARS, 0)                                       \
	(__VA_ARGS__)

/* From here on: what EBPFNET_MAP_DEFINE is made of. Only C99, without empty variadic arguments. */

#define EBPFNET__DEFINE_BY_COUNT(name, key, value, a, b, define, ...) define
#define EBPFNET__DEFINE_SCALARS(name, key, value) EBPFNET__DEFINE(name, key, value, (), ())
#define EBPFNET__DEFINE_STRUCTS(name, key, value, key_list, value_list)                            \
	EBPFNET__DEFINE(name, key, value, key_list, value_list)

/* __builtin_classify_type() of a struct and of a union, in gcc's typeclass.h and in clang. */
#define EBPFNET__IS_STRUCT(expr)                                                                   \
	(__builtin_classify_type(expr) == 12 || __builtin_classify_type(expr) == 13)
#ifdef __cplusplus
#define EBPFNET__IS_STRUCT_TYPE(type) (__is_class(type) || __is_union(type))
#else
#define EBPFNET__IS_STRUCT_TYPE(type) EBPFNET__IS_STRUCT(*(type *)0)
#endif

/* One initializer for every member of a list in parentheses, which is filled up with nothing. */
/* clang-format off */
#define EBPFNET__MEMBERS(type, list)								   \
	EBPFNET__MEMBERS_OF(type, EBPFNET__STRIP list, EBPFNET__EMPTY16, EBPFNET__EMPTY16,	   \
			    EBPFNET__EMPTY16, EBPFNET__EMPTY16, 0)
#define EBPFNET__STRIP(...) __VA_ARGS__
#define EBPFNET__EMPTY16 , , , , , , , , , , , , , , ,
#define EBPFNET__MEMBERS_OF(...) EBPFNET__MEMBERS_64(__VA_ARGS__)
#define EBPFNET__MEMBERS_64(type, m0, m1, m2, m3, m4, m5, m6, m7,				   \
			    m8, m9, m10, m11, m12, m13, m14, m15, m16, m17,			   \
			    m18, m19, m20, m21, m22, m23, m24, m25, m26, m27,			   \
			    m28, m29, m30, m31, m32, m33, m34, m35, m36, m37,			   \
			    m38, m39, m40, m41, m42, m43, m44, m45, m46, m47,			   \
			    m48, m49, m50, m51, m52, m53, m54, m55, m56, m57,			   \
			    m58, m59, m60, m61, m62, m63, m64, ...)				   \
	EBPFNET__MEMBER(type, m0) EBPFNET__MEMBER(type, m1) EBPFNET__MEMBER(type, m2)		   \
	EBPFNET__MEMBER(type, m3) EBPFNET__MEMBER(type, m4) EBPFNET__MEMBER(type, m5)		   \
	EBPFNET__MEMBER(type, m6) EBPFNET__MEMBER(type, m7) EBPFNET__MEMBER(type, m8)		   \
	EBPFNET__MEMBER(type, m9) EBPFNET__MEMBER(type, m10) EBPFNET__MEMBER(type, m11)		   \
	EBPFNET__MEMBER(type, m12) EBPFNET__MEMBER(type, m13) EBPFNET__MEMBER(type, m14)	   \
	EBPFNET__MEMBER(type, m15) EBPFNET__MEMBER(type, m16) EBPFNET__MEMBER(type, m17)	   \
	EBPFNET__MEMBER(type, m18) EBPFNET__MEMBER(type, m19) EBPFNET__MEMBER(type, m20)	   \
	EBPFNET__MEMBER(type, m21) EBPFNET__MEMBER(type, m22) EBPFNET__MEMBER(type, m23)	   \
	EBPFNET__MEMBER(type, m24) EBPFNET__MEMBER(type, m25) EBPFNET__MEMBER(type, m26)	   \
	EBPFNET__MEMBER(type, m27) EBPFNET__MEMBER(type, m28) EBPFNET__MEMBER(type, m29)	   \
	EBPFNET__MEMBER(type, m30) EBPFNET__MEMBER(type, m31) EBPFNET__MEMBER(type, m32)	   \
	EBPFNET__MEMBER(type, m33) EBPFNET__MEMBER(type, m34) EBPFNET__MEMBER(type, m35)	   \
	EBPFNET__MEMBER(type, m36) EBPFNET__MEMBER(type, m37) EBPFNET__MEMBER(type, m38)	   \
	EBPFNET__MEMBER(type, m39) EBPFNET__MEMBER(type, m40) EBPFNET__MEMBER(type, m41)	   \
	EBPFNET__MEMBER(type, m42) EBPFNET__MEMBER(type, m43) EBPFNET__MEMBER(type, m44)	   \
	EBPFNET__MEMBER(type, m45) EBPFNET__MEMBER(type, m46) EBPFNET__MEMBER(type, m47)	   \
	EBPFNET__MEMBER(type, m48) EBPFNET__MEMBER(type, m49) EBPFNET__MEMBER(type, m50)	   \
	EBPFNET__MEMBER(type, m51) EBPFNET__MEMBER(type, m52) EBPFNET__MEMBER(type, m53)	   \
	EBPFNET__MEMBER(type, m54) EBPFNET__MEMBER(type, m55) EBPFNET__MEMBER(type, m56)	   \
	EBPFNET__MEMBER(type, m57) EBPFNET__MEMBER(type, m58) EBPFNET__MEMBER(type, m59)	   \
	EBPFNET__MEMBER(type, m60) EBPFNET__MEMBER(type, m61) EBPFNET__MEMBER(type, m62)	   \
	EBPFNET__MEMBER(type, m63)								   \
	EBPFNET__MORE_THAN_64_MEMBERS_##m64
#define EBPFNET__MORE_THAN_64_MEMBERS_
#define EBPFNET__MEMBER(type, member)								   \
	EBPFNET__SECOND(EBPFNET__NO_MEMBER_##member, EBPFNET__MEMBER_ONE, 0)(type, member)
#define EBPFNET__NO_MEMBER_ 0, EBPFNET__MEMBER_NONE
#define EBPFNET__MEMBER_NONE(type, member)
#define EBPFNET__MEMBER_ONE(type, member)							   \
	{ #member, offsetof(type, member), sizeof(((type *)0)->member),				   \
	  EBPFNET__IS_STRUCT(((type *)0)->member), 0 },
#define EBPFNET__SECOND(...) EBPFNET__SECOND_OF(__VA_ARGS__)
#define EBPFNET__SECOND_OF(first, second, ...) second
/* clang-format on */

/* The length of an array of one element, or of none that can be, if a list is missing. */
#define EBPFNET__LISTED(type, members)                                                             \
	(EBPFNET__IS_STRUCT_TYPE(type) == (sizeof(members) > sizeof(*(members))) ? 1 : -1)

#define EBPFNET__INLINE __attribute__((unused)) static inline

#define EBPFNET__DEFINE(name, key, value, key_list, value_list)                                    \
	struct name {                                                                              \
		struct ebpfnet_map *map;                                                           \
	};                                                                                         \
	struct name##_iter {                                                                       \
		struct ebpfnet_map_iter *iter;                                                     \
	};                                                                                         \
	EBPFNET__DEFINE_BIND(name, key, value, key_list, value_list)                               \
	EBPFNET__DEFINE_ENTRY(name, key, value)                                                    \
	EBPFNET__DEFINE_PERCPU(name, key, value)                                                   \
	EBPFNET__DEFINE_ITER(name, key, value)                                                     \
	struct name

#define EBPFNET__DEFINE_BIND(name, key, value, key_list, value_list)                               \
	EBPFNET__INLINE int name##_bind(struct ebpfnet_map *map_, struct name *m_,                 \
					struct ebpfnet_error **err_)                               \
	{                                                                                          \
		static const struct ebpfnet_map_member key_members_[] = { EBPFNET__MEMBERS(        \
			key, key_list) { NULL, 0, 0, 0, 0 } };                                     \
		static const struct ebpfnet_map_member value_members_[] = { EBPFNET__MEMBERS(      \
			value, value_list) { NULL, 0, 0, 0, 0 } };                                 \
		typedef char name##_key_needs_its_members[EBPFNET__LISTED(key, key_members_)];     \
		typedef char                                                                       \
			name##_value_needs_its_members[EBPFNET__LISTED(value, value_members_)];    \
		struct ebpfnet_map_layout layout_;                                                 \
		int ret_;                                                                          \
                                                                                                   \
		memset(&layout_, 0, sizeof(layout_));                                              \
		layout_.sz = sizeof(layout_);                                                      \
		layout_.member_size = sizeof(struct ebpfnet_map_member);                           \
		layout_.key_members = key_members_;                                                \
		layout_.value_members = value_members_;                                            \
		layout_.key_size = sizeof(name##_key_needs_its_members) * sizeof(key);             \
		layout_.value_size = sizeof(name##_value_needs_its_members) * sizeof(value);       \
		ret_ = ebpfnet_map_bind(map_, &layout_, err_);                                     \
		m_->map = ret_ ? NULL : map_;                                                      \
		return ret_;                                                                       \
	}

#define EBPFNET__DEFINE_ENTRY(name, key, value)                                                    \
	EBPFNET__INLINE int name##_get(struct name m_, const key *key_, value *value_)             \
	{                                                                                          \
		return ebpfnet_map_get(m_.map, key_, value_);                                      \
	}                                                                                          \
	EBPFNET__INLINE int name##_put(struct name m_, const key *key_, const value *value_,       \
				       uint64_t flags_)                                            \
	{                                                                                          \
		return ebpfnet_map_put(m_.map, key_, value_, flags_);                              \
	}                                                                                          \
	EBPFNET__INLINE int name##_del(struct name m_, const key *key_)                            \
	{                                                                                          \
		return ebpfnet_map_del(m_.map, key_);                                              \
	}                                                                                          \
	EBPFNET__INLINE int name##_next(struct name m_, const key *key_, key *next_)               \
	{                                                                                          \
		return ebpfnet_map_next(m_.map, key_, next_);                                      \
	}

#define EBPFNET__DEFINE_PERCPU(name, key, value)                                                   \
	EBPFNET__INLINE int name##_get_percpu(struct name m_, const key *key_, value *values_,     \
					      size_t capacity_cpus_)                               \
	{                                                                                          \
		return ebpfnet_map_get_percpu(m_.map, key_, values_, capacity_cpus_);              \
	}                                                                                          \
	EBPFNET__INLINE int name##_put_percpu(struct name m_, const key *key_,                     \
					      const value *values_, size_t cpus_, uint64_t flags_) \
	{                                                                                          \
		return ebpfnet_map_put_percpu(m_.map, key_, values_, cpus_, flags_);               \
	}                                                                                          \
	EBPFNET__INLINE int name##_sum(struct name m_, const key *key_, value *value_)             \
	{                                                                                          \
		return ebpfnet_map_sum(m_.map, key_, value_);                                      \
	}                                                                                          \
	EBPFNET__INLINE int name##_max(struct name m_, const key *key_, value *value_)             \
	{                                                                                          \
		return ebpfnet_map_max(m_.map, key_, value_);                                      \
	}

#define EBPFNET__DEFINE_ITER(name, key, value)                                                     \
	EBPFNET__INLINE int name##_iter_new(struct name m_,                                        \
					    const struct ebpfnet_map_iter_opts *opts_,             \
					    struct name##_iter *it_, struct ebpfnet_error **err_)  \
	{                                                                                          \
		return ebpfnet_map_iter_new(m_.map, opts_, &it_->iter, err_);                      \
	}                                                                                          \
	EBPFNET__INLINE int name##_iter_next(struct name##_iter it_, key *key_, value *value_)     \
	{                                                                                          \
		return ebpfnet_map_iter_next(it_.iter, key_, value_);                              \
	}                                                                                          \
	EBPFNET__INLINE void name##_iter_free(struct name##_iter it_)                              \
	{                                                                                          \
		ebpfnet_map_iter_free(it_.iter);                                                   \
	}

#ifdef __cplusplus
}
#endif

#endif /* EBPFNET_DATA_H */
