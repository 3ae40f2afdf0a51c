/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_COUNTER_H
#define EBPFNET_COUNTER_H

/*
 * The counter: packets and bytes on a hook, in total and per key, while everything passes.
 *
 *	struct ebpfnet_counter *counter;
 *	struct ebpfnet_program *prog;
 *
 *	EBPFNET_OPTS(ebpfnet_counter_opts, opts);
 *	opts.key = EBPFNET_COUNTER_SOURCE;
 *	if (ebpfnet_counter_new(ctx, &opts, &counter, &err) < 0 ||
 *	    ebpfnet_counter_program(counter, EBPFNET_HOOK_XDP, &prog, &err) < 0 ||
 *	    ebpfnet_xdp_attach(prog, ifindex, NULL, &link, &err) < 0)
 *		...
 *	ebpfnet_counter_snapshot_new(counter, &snapshot, &err);
 *
 * Every CPU counts for itself, so a count costs a few nanoseconds and two CPUs never wait for each
 * other. Counts are exact: no packet is lost or counted twice, also during a reset. doc/counter.md
 *has the details.
 */

#include <ebpfnet/attach.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ebpfnet_counter;
struct ebpfnet_counter_snapshot;

/** What packets are told apart by. Values are never reused. */
enum ebpfnet_counter_key {
	EBPFNET_COUNTER_TOTAL = 0, /* nothing: one sum */
	EBPFNET_COUNTER_PROTOCOL,  /* IP version and protocol, behind IPv6 extension headers */
	EBPFNET_COUNTER_SOURCE,	   /* source address */
};

/** Options of ebpfnet_counter_new(). */
struct ebpfnet_counter_opts {
	size_t sz;	      /* sizeof(struct ebpfnet_counter_opts) */
	uint32_t key;	      /* enum ebpfnet_counter_key; 0: total */
	uint32_t max_entries; /* keys kept, of IPv4 and of IPv6 each; 0: 65,536; the least used go
				 first */
};

/**
 * @brief Loads a counter. It counts once its program is attached.
 *
 * @param ctx in; the counter holds its own reference.
 * @param opts in, may be NULL: one total.
 * @param counter out; owned by the caller, ends with ebpfnet_counter_free().
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (unknown key), -E2BIG (an option of a newer library, or more entries than
 * memory), and what ebpfnet_object_load() gives.
 *
 * Thread-safety: safe.
 * Kernel: 5.10; CAP_BPF and CAP_NET_ADMIN.
 * @see ebpfnet_counter_program
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_new(struct ebpfnet_ctx *ctx,
				    const struct ebpfnet_counter_opts *opts,
				    struct ebpfnet_counter **counter, struct ebpfnet_error **err);

/**
 * @brief The counter's program for a hook, to attach by the ordinary call.
 *
 * @param counter in.
 * @param hook in: enum ebpfnet_hook; EBPFNET_HOOK_XDP.
 * @param prog out; borrowed, ends with the counter.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (no program for that hook).
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_xdp_attach
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_program(struct ebpfnet_counter *counter, uint32_t hook,
					struct ebpfnet_program **prog, struct ebpfnet_error **err);

/** Sums over all packets since the last reset; filled by ebpfnet_counter_stats(). */
struct ebpfnet_counter_stats {
	size_t sz; /* sizeof(struct ebpfnet_counter_stats) */
	uint64_t packets;
	uint64_t bytes;	   /* as the hook sees them: at XDP from the Ethernet header on */
	uint64_t segments; /* packets on the wire: more than packets where the kernel merged some */
	uint64_t other_packets; /* of these, not IP or malformed: they have no key */
	uint64_t other_bytes;
	uint64_t evicted_packets; /* of these, in keys that had to go because the table was full */
	uint64_t evicted_bytes;
	uint64_t entries; /* keys with packets now */
};

/**
 * @brief Reads the sums. With keys, sum over a snapshot + other + evicted = total.
 *
 * Exact when no packet is running; otherwise packets that are counted during the call may be in one
 * sum and not yet in another.
 *
 * @param counter in.
 * @param stats out; the caller sets sz.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (sz), -ENOMEM, and what map reads give.
 *
 * Thread-safety: safe.
 * Kernel: as ebpfnet_counter_new(). Reads the whole table.
 * @see ebpfnet_counter_snapshot_new
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_stats(struct ebpfnet_counter *counter,
				      struct ebpfnet_counter_stats *stats,
				      struct ebpfnet_error **err);

/** One key and what was counted for it; filled by ebpfnet_counter_snapshot_entry(). */
struct ebpfnet_counter_entry {
	size_t sz;	     /* sizeof(struct ebpfnet_counter_entry) */
	uint32_t family;     /* 4, 6, or 0: the total */
	uint32_t protocol;   /* IPPROTO_*; key PROTOCOL only */
	uint8_t address[16]; /* network order; IPv4 in the first 4 bytes; key SOURCE only */
	uint64_t packets;
	uint64_t bytes;
	uint64_t segments;
};

/**
 * @brief Copies all keys and their counts, the busiest first.
 *
 * @param counter in.
 * @param snapshot out; owned by the caller, ends with ebpfnet_counter_snapshot_free().
 * @param err out, may be NULL.
 * @return 0, or -ENOMEM, and what map reads give.
 *
 * Thread-safety: safe.
 * Kernel: as ebpfnet_counter_new(). Keys that come or go during the call may be in it or not.
 * @see ebpfnet_counter_snapshot_entry
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_snapshot_new(struct ebpfnet_counter *counter,
					     struct ebpfnet_counter_snapshot **snapshot,
					     struct ebpfnet_error **err);

/**
 * @brief Number of keys in a snapshot.
 *
 * @param snapshot in.
 * @return the number.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_counter_snapshot_entry
 * @since 0.1
 */
EBPFNET_API size_t ebpfnet_counter_snapshot_count(const struct ebpfnet_counter_snapshot *snapshot);

/**
 * @brief One key of a snapshot; index 0 has the most packets.
 *
 * @param snapshot in.
 * @param index in: below ebpfnet_counter_snapshot_count().
 * @param entry out; the caller sets sz.
 * @return 0, or -ENOENT (index), -EINVAL (sz).
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_counter_snapshot_count
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_snapshot_entry(const struct ebpfnet_counter_snapshot *snapshot,
					       size_t index, struct ebpfnet_counter_entry *entry);

/**
 * @brief Frees a snapshot.
 *
 * @param snapshot in, may be NULL.
 *
 * Thread-safety: not safe for one snapshot.
 * Kernel: any.
 * @see ebpfnet_counter_snapshot_new
 * @since 0.1
 */
EBPFNET_API void ebpfnet_counter_snapshot_free(struct ebpfnet_counter_snapshot *snapshot);

/**
 * @brief Starts anew from zero, under traffic too: each packet is counted before or after.
 *
 * @param counter in.
 * @param err out, may be NULL.
 * @return 0, or -ENOMEM, and what map writes give.
 *
 * Thread-safety: not safe for one counter; two processes must not reset one pinned counter at once.
 * Kernel: as ebpfnet_counter_new().
 * @see ebpfnet_counter_stats
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_reset(struct ebpfnet_counter *counter, struct ebpfnet_error **err);

/**
 * @brief Pins a counter's maps and programs, so that the next process goes on with the same counts.
 *
 * Pin the link too, and the program keeps counting in between.
 *
 * @param counter in.
 * @param dir in: a folder for this counter alone, absolute or relative to the folder of the context's app;
 * made if it is missing.
 * @param err out, may be NULL.
 * @return 0, or -EEXIST (something is pinned there), -EBUSY (pinned already), and what
 * ebpfnet_map_pin() gives. A failure leaves nothing behind.
 *
 * Thread-safety: not safe for one counter.
 * Kernel: as ebpfnet_counter_new().
 * @see ebpfnet_counter_open_pinned
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_pin(struct ebpfnet_counter *counter, const char *dir,
				    struct ebpfnet_error **err);

/**
 * @brief Removes a counter's pins; what is attached keeps counting until its link goes.
 *
 * @param counter in; pinned through this handle or opened from its pins.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (not pinned, or a pin is gone), -EPERM.
 *
 * Thread-safety: not safe for one counter.
 * Kernel: as ebpfnet_counter_new().
 * @see ebpfnet_counter_pin
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_unpin(struct ebpfnet_counter *counter, struct ebpfnet_error **err);

/**
 * @brief Takes over a pinned counter, its counts intact.
 *
 * @param ctx in; the counter holds its own reference.
 * @param dir in: the folder that was given to ebpfnet_counter_pin().
 * @param counter out; owned by the caller, ends with ebpfnet_counter_free().
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (nothing is pinned there), -EINVAL kind INCOMPATIBLE (another layout; the
 * message names both versions), -EPERM.
 *
 * Thread-safety: safe.
 * Kernel: as ebpfnet_counter_new().
 * @see ebpfnet_counter_pin
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_open_pinned(struct ebpfnet_ctx *ctx, const char *dir,
					    struct ebpfnet_counter **counter,
					    struct ebpfnet_error **err);

/**
 * @brief Frees a counter. Attached or pinned programs keep counting.
 *
 * @param counter in, may be NULL.
 *
 * Thread-safety: not safe for one counter.
 * Kernel: any.
 * @see ebpfnet_counter_new
 * @since 0.1
 */
EBPFNET_API void ebpfnet_counter_free(struct ebpfnet_counter *counter);

#ifdef __cplusplus
}
#endif

#endif /* EBPFNET_COUNTER_H */
