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
 * One counter may be on any number of hooks and interfaces at once and counts them together; to tell
 * them apart, make two counters. Every CPU counts for itself, so a count costs a few nanoseconds and
 * two CPUs never wait for each other. Counts are exact: no packet is lost or counted twice, also
 * during a reset. doc/counter.md has the details.
 */

#include <ebpfnet/attach.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ebpfnet_counter;
struct ebpfnet_counter_snapshot;

/** What packets are told apart by. Values are never reused. */
enum ebpfnet_counter_key {
	EBPFNET_COUNTER_TOTAL = 0,	  /* nothing: one sum */
	EBPFNET_COUNTER_PROTOCOL,	  /* IP version and protocol, behind extension headers */
	EBPFNET_COUNTER_SOURCE,		  /* source address */
	EBPFNET_COUNTER_DESTINATION,	  /* destination address */
	EBPFNET_COUNTER_DESTINATION_PORT, /* IP version, protocol, destination port */
	EBPFNET_COUNTER_SOURCE_PREFIX,	  /* the first bits of the source address */
	EBPFNET_COUNTER_FIVE_TUPLE,	  /* addresses, protocol and ports */
};

/** Flags of ebpfnet_counter_opts. */
enum ebpfnet_counter_flags {
	/* Take XDP frames of several buffers too, as a large MTU needs them, with all their bytes;
	 * a few nanoseconds a packet, and Linux 5.18. */
	EBPFNET_COUNTER_XDP_FRAGS = 1u << 0,
	/* At TC packets begin with the IP header: tun and wireguard devices. */
	EBPFNET_COUNTER_NO_L2 = 1u << 1,
};

/** Options of ebpfnet_counter_new(). */
struct ebpfnet_counter_opts {
	size_t sz;	      /* sizeof(struct ebpfnet_counter_opts) */
	uint32_t key;	      /* enum ebpfnet_counter_key; 0: total */
	uint32_t max_entries; /* keys kept, of IPv4 and of IPv6 each, of ports in all; 0: 65,536;
				 the least used go first */
	uint32_t prefix4;     /* key SOURCE_PREFIX: bits, 1 to 32; 0: 24 */
	uint32_t prefix6;     /* key SOURCE_PREFIX: bits, 1 to 128; 0: 64 */
	uint32_t flags;	      /* enum ebpfnet_counter_flags */
	uint32_t reserved;
};

/**
 * @brief Makes a counter. It counts once a program of it is attached.
 *
 * @param ctx in; the counter holds its own reference.
 * @param opts in, may be NULL: one total.
 * @param counter out; owned by the caller, ends with ebpfnet_counter_free().
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (unknown key or flag, a prefix longer than an address, or one without key
 * SOURCE_PREFIX), -E2BIG (an option of a newer library, or more entries than memory), and what
 * ebpfnet_object_load() gives.
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
 * It is loaded when it is asked for the first time, so that nobody pays for hooks that are not used.
 * The same goes for a counter that was opened from its pins. Both directions of a hook have the same
 * program.
 *
 * @param counter in.
 * @param hook in: enum ebpfnet_hook.
 * @param prog out; borrowed, ends with the counter.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (no program for that hook), -EOPNOTSUPP (EBPFNET_COUNTER_XDP_FRAGS before
 * Linux 5.18), and what ebpfnet_object_load() gives.
 *
 * Thread-safety: safe.
 * Kernel: 5.10; CAP_BPF and CAP_NET_ADMIN.
 * @see ebpfnet_xdp_attach, ebpfnet_tc_attach, ebpfnet_cgroup_attach
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_program(struct ebpfnet_counter *counter, uint32_t hook,
					struct ebpfnet_program **prog, struct ebpfnet_error **err);

/** Sums over all packets since the last reset; filled by ebpfnet_counter_stats(). */
struct ebpfnet_counter_stats {
	size_t sz; /* sizeof(struct ebpfnet_counter_stats) */
	uint64_t packets;
	uint64_t bytes; /* on the wire, from the first header that the hook sees on: at XDP and TC
			      Ethernet, at cgroup hooks IP */
	uint64_t segments; /* packets on the wire: more than packets where the kernel merged some */
	uint64_t other_packets; /* of these, without a key: not IP, malformed; doc/counter.md */
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

/**
 * One key and what was counted for it; filled by ebpfnet_counter_snapshot_entry(). What is not part
 * of the counter's key is 0.
 */
struct ebpfnet_counter_entry {
	size_t sz;		   /* sizeof(struct ebpfnet_counter_entry) */
	uint32_t family;	   /* 4, 6, or 0: the total */
	uint32_t protocol;	   /* IPPROTO_* */
	uint8_t source[16];	   /* network order; IPv4 in the first 4 bytes */
	uint8_t destination[16];   /* the same */
	uint16_t source_port;	   /* host order */
	uint16_t destination_port; /* host order; 0 where the protocol has no ports */
	uint32_t prefix;	   /* bits of source that count: 32 or 128 if it is all of them */
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

/** What the busiest are the busiest by. */
enum ebpfnet_counter_by {
	EBPFNET_COUNTER_BY_PACKETS = 0,
	EBPFNET_COUNTER_BY_BYTES,
};

/** Options of ebpfnet_counter_top(). */
struct ebpfnet_counter_top_opts {
	size_t sz;	/* sizeof(struct ebpfnet_counter_top_opts) */
	uint32_t count; /* keys wanted; 0: 10 */
	uint32_t by;	/* enum ebpfnet_counter_by; 0: packets */
};

/**
 * @brief Copies the busiest keys only, the busiest first.
 *
 * Reads the whole table as a full snapshot does, but keeps and sorts no more than it gives.
 *
 * @param counter in.
 * @param opts in, may be NULL: ten, by packets.
 * @param snapshot out; owned by the caller, ends with ebpfnet_counter_snapshot_free().
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (unknown by), -E2BIG (an option of a newer library), -ENOMEM, and what map
 * reads give.
 *
 * Thread-safety: safe.
 * Kernel: as ebpfnet_counter_new(). Keys that come or go during the call may be in it or not.
 * @see ebpfnet_counter_snapshot_new
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_top(struct ebpfnet_counter *counter,
				    const struct ebpfnet_counter_top_opts *opts,
				    struct ebpfnet_counter_snapshot **snapshot,
				    struct ebpfnet_error **err);

/**
 * @brief When a snapshot was begun.
 *
 * @param snapshot in.
 * @return nanoseconds of CLOCK_MONOTONIC.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_counter_rates_new
 * @since 0.1
 */
EBPFNET_API uint64_t ebpfnet_counter_snapshot_time(const struct ebpfnet_counter_snapshot *snapshot);

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

struct ebpfnet_counter_rates;

/** What became of a key between two snapshots. */
enum ebpfnet_counter_change {
	EBPFNET_COUNTER_SAME = 0,  /* it is in both */
	EBPFNET_COUNTER_NEW,	   /* only in the later one: all of it counts */
	EBPFNET_COUNTER_RESTARTED, /* it began anew from 0: what it counts since is a lower bound */
	EBPFNET_COUNTER_GONE,	   /* only in the earlier one, evicted or reset: 0 is not known */
};

/** One key and its rates; filled by ebpfnet_counter_rates_entry(). */
struct ebpfnet_counter_rate {
	size_t sz;	 /* sizeof(struct ebpfnet_counter_rate) */
	uint32_t family; /* the key, as in struct ebpfnet_counter_entry */
	uint32_t protocol;
	uint8_t source[16];
	uint8_t destination[16];
	uint16_t source_port;
	uint16_t destination_port;
	uint32_t prefix;
	uint32_t change; /* enum ebpfnet_counter_change */
	uint32_t reserved;
	uint64_t packets; /* in between */
	uint64_t bytes;
	uint64_t segments;
	double packets_per_s;
	double bytes_per_s;
	double segments_per_s;
};

/**
 * @brief What every key did between two snapshots of a counter, the busiest in between first.
 *
 * A key that was evicted and came back within the interval looks RESTARTED, or like a slower key if
 * it has more packets than before by then; `evicted_packets` of ebpfnet_counter_stats() tells
 * whether any was. After a reset in between, every key that is there is RESTARTED.
 *
 * @param before in: a full snapshot; may be freed afterwards.
 * @param after in: a later one of the same counter, full or from ebpfnet_counter_top(); then nothing
 * is said of other keys, and none is GONE.
 * @param rates out; owned by the caller, ends with ebpfnet_counter_rates_free().
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (another key, before is not full, or after is not later), -ENOMEM.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_counter_snapshot_new
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_rates_new(const struct ebpfnet_counter_snapshot *before,
					  const struct ebpfnet_counter_snapshot *after,
					  struct ebpfnet_counter_rates **rates,
					  struct ebpfnet_error **err);

/**
 * @brief Number of keys in rates.
 *
 * @param rates in.
 * @return the number.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_counter_rates_entry
 * @since 0.1
 */
EBPFNET_API size_t ebpfnet_counter_rates_count(const struct ebpfnet_counter_rates *rates);

/**
 * @brief One key of rates; index 0 had the most packets in between.
 *
 * @param rates in.
 * @param index in: below ebpfnet_counter_rates_count().
 * @param rate out; the caller sets sz.
 * @return 0, or -ENOENT (index), -EINVAL (sz).
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_counter_rates_count
 * @since 0.1
 */
EBPFNET_API int ebpfnet_counter_rates_entry(const struct ebpfnet_counter_rates *rates, size_t index,
					    struct ebpfnet_counter_rate *rate);

/**
 * @brief Frees rates.
 *
 * @param rates in, may be NULL.
 *
 * Thread-safety: not safe for one object.
 * Kernel: any.
 * @see ebpfnet_counter_rates_new
 * @since 0.1
 */
EBPFNET_API void ebpfnet_counter_rates_free(struct ebpfnet_counter_rates *rates);

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
 * @brief Pins a counter's maps, so that the next process goes on with the same counts.
 *
 * Pin the link too, and its program keeps counting in between.
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
