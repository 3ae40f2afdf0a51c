/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_ATTACH_H
#define EBPFNET_ATTACH_H

/*
 * Links: a program on a hook, for as long as the link lives.
 *
 *	struct ebpfnet_link *link;
 *
 *	if (ebpfnet_xdp_attach(prog, ifindex, NULL, &link, &err) < 0)
 *		...ebpfnet_error_message(err)...
 *	...
 *	ebpfnet_link_close(link);
 *
 * Closing a link detaches its program, and so does the end of the process; a pinned link stays
 * until its pin is removed. A forked child never detaches what its parent attached. doc/OWNERSHIP.md
 * has the table of what each kind of link can do and what a crash leaves behind.
 */

#include <ebpfnet/load.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ebpfnet_link;

/** The hooks that a block has programs for. Values are never reused. */
enum ebpfnet_hook {
	EBPFNET_HOOK_XDP = 1,
	EBPFNET_HOOK_TC_INGRESS = 2,
	EBPFNET_HOOK_TC_EGRESS = 3,
	EBPFNET_HOOK_CGROUP_INGRESS = 4, /* cgroup skb: packets without layer 2 */
	EBPFNET_HOOK_CGROUP_EGRESS = 5,
};

/** Which way packets go on an interface. */
enum ebpfnet_direction {
	EBPFNET_INGRESS = 1,
	EBPFNET_EGRESS = 2,
};

/** Where in the receive path an XDP program runs. */
enum ebpfnet_xdp_mode {
	EBPFNET_XDP_NATIVE = 0, /* in the driver, before the packet becomes an skb */
	EBPFNET_XDP_AUTO,	/* native, and generic where the driver has no XDP */
	EBPFNET_XDP_GENERIC,	/* in the stack, behind GRO: packets may be merged ones */
	EBPFNET_XDP_OFFLOAD,	/* in the device */
};

/** How a program is held on its hook. */
enum ebpfnet_via {
	EBPFNET_VIA_ANY = 0,	     /* in options: the best that the kernel has */
	EBPFNET_VIA_LINK = 1,	     /* a bpf_link: goes with its last descriptor or pin */
	EBPFNET_VIA_NETLINK = 2,     /* rtnetlink: stays when the process dies */
	EBPFNET_VIA_TCX = 3,	     /* a bpf_link on TCX, 6.6 */
	EBPFNET_VIA_CLSACT = 4,	     /* a filter of a clsact qdisc: stays when the process dies */
	EBPFNET_VIA_PROG_ATTACH = 5, /* BPF_PROG_ATTACH: stays while its target lives */
	EBPFNET_VIA_SETSOCKOPT = 6,  /* an option of a socket: goes with that socket */
	EBPFNET_VIA_CHAIN = 7,	     /* a stage of an XDP chain: stays until it is removed */
};

/** Options of ebpfnet_xdp_attach(). */
struct ebpfnet_xdp_opts {
	size_t sz;	  /* sizeof(struct ebpfnet_xdp_opts) */
	uint32_t mode;	  /* enum ebpfnet_xdp_mode; 0: native */
	uint32_t via;	  /* EBPFNET_VIA_ANY, _LINK or _NETLINK */
	int32_t netns_fd; /* namespace of the interface; 0: the calling thread's */
	uint32_t reserved;
	/*
	 * Replace this program, and fail with kind STALE if another one is attached. Only the
	 * netlink way can do that at attach; what a link holds is replaced by
	 * ebpfnet_link_update(). NULL: the hook must be free.
	 */
	const struct ebpfnet_program *expected;
};

/**
 * @brief Attaches an XDP program to an interface.
 *
 * @param prog in; loaded, of type XDP; may be closed afterwards.
 * @param ifindex in: if_nametoindex(3), in the namespace of opts.netns_fd.
 * @param opts in, may be NULL: native mode, this thread's namespace, the hook must be free.
 * @param link out; owned by the caller, ends with ebpfnet_link_close().
 * @param err out, may be NULL.
 * @return 0, or -ENODEV (no such interface), -EOPNOTSUPP (the driver has no native XDP, or no
 * offload), -EBUSY (a program is attached; the message names it), -ESTALE (not the expected one),
 * -EINVAL or -ERANGE (not an XDP program; MTU or features of the device, with the kernel's words),
 * -EPERM, -EBADF (netns_fd).
 *
 * Thread-safety: safe. With netns_fd the thread is in that namespace during the call.
 * Kernel: 4.8 over netlink, with CAP_NET_ADMIN; 5.9 as a link, which whoever holds a loaded program
 * may make (measured on 6.18); netns_fd needs CAP_SYS_ADMIN.
 * @see ebpfnet_link_update
 * @since 0.1
 */
EBPFNET_API int ebpfnet_xdp_attach(const struct ebpfnet_program *prog, int ifindex,
				   const struct ebpfnet_xdp_opts *opts, struct ebpfnet_link **link,
				   struct ebpfnet_error **err);

/** Where a cgroup's programs run. Values are never reused. */
enum ebpfnet_cgroup_hook {
	EBPFNET_CGROUP_SKB_INGRESS = 1,
	EBPFNET_CGROUP_SKB_EGRESS = 2,
	EBPFNET_CGROUP_SOCK_CREATE = 3,
	EBPFNET_CGROUP_SOCK_RELEASE = 4,
	EBPFNET_CGROUP_POST_BIND4 = 5,
	EBPFNET_CGROUP_POST_BIND6 = 6,
	EBPFNET_CGROUP_BIND4 = 7,
	EBPFNET_CGROUP_BIND6 = 8,
	EBPFNET_CGROUP_CONNECT4 = 9,
	EBPFNET_CGROUP_CONNECT6 = 10,
	EBPFNET_CGROUP_SENDMSG4 = 11, /* UDP that is not connected, as RECVMSG */
	EBPFNET_CGROUP_SENDMSG6 = 12,
	EBPFNET_CGROUP_RECVMSG4 = 13,
	EBPFNET_CGROUP_RECVMSG6 = 14,
	EBPFNET_CGROUP_GETPEERNAME4 = 15,
	EBPFNET_CGROUP_GETPEERNAME6 = 16,
	EBPFNET_CGROUP_GETSOCKNAME4 = 17,
	EBPFNET_CGROUP_GETSOCKNAME6 = 18,
	EBPFNET_CGROUP_SOCKOPS = 19,
	EBPFNET_CGROUP_GETSOCKOPT = 20,
	EBPFNET_CGROUP_SETSOCKOPT = 21,
	EBPFNET_CGROUP_DEVICE = 22, /* opening and making device nodes */
	EBPFNET_CGROUP_SYSCTL = 23,
	EBPFNET_CGROUP_CONNECT_UNIX = 24, /* 6.7, as those below */
	EBPFNET_CGROUP_SENDMSG_UNIX = 25,
	EBPFNET_CGROUP_RECVMSG_UNIX = 26,
	EBPFNET_CGROUP_GETPEERNAME_UNIX = 27,
	EBPFNET_CGROUP_GETSOCKNAME_UNIX = 28,
};

/**
 * The program runs before those of the cgroups below it, not behind them (6.15). Order by anchor is
 * among the programs that have this flag, or among those that have not.
 */
#define EBPFNET_CGROUP_PREORDER (1u << 0)

/** Options of ebpfnet_cgroup_attach(). */
struct ebpfnet_cgroup_opts {
	size_t sz;	 /* sizeof(struct ebpfnet_cgroup_opts) */
	uint32_t anchor; /* enum ebpfnet_anchor; other than LAST: 6.17 */
	uint32_t via;	 /* EBPFNET_VIA_ANY, _LINK or _PROG_ATTACH */
	/* Of BEFORE and AFTER: one of the two, attached to this hook of this cgroup. */
	const struct ebpfnet_link *anchor_link;
	const struct ebpfnet_program *anchor_program; /* attached by PROG_ATTACH */
	/* Fail with kind STALE unless the hook is at this revision (6.17); 0: any. */
	uint64_t expected_revision;
	int32_t cgroup_fd; /* the cgroup, where no path is given */
	uint32_t flags;	   /* EBPFNET_CGROUP_* flags */
};

/**
 * @brief Attaches a program to a hook of a cgroup: it runs for the sockets and tasks of that cgroup
 * and of all cgroups below it.
 *
 * Any number of programs share a hook, and every one of them must let the packet or call pass.
 * Without an anchor a program comes behind those that are there. Held by a link where the kernel
 * has links (5.7); PROG_ATTACH outlives this process and goes with the cgroup, or by
 * ebpfnet_link_detach().
 *
 * @param prog in; loaded, of the type that the hook takes; may be closed afterwards.
 * @param cgroup in: the folder of a cgroup v2, absolute, or relative to where cgroup v2 is mounted:
 * "" and "/" are the root cgroup. May be NULL: the cgroup is opts.cgroup_fd.
 * @param hook in: enum ebpfnet_cgroup_hook; 0: the one that the program was loaded for.
 * @param opts in, may be NULL: as a link if the kernel has them, last.
 * @param link out; owned by the caller, ends with ebpfnet_link_close().
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such cgroup; no cgroup v2 is mounted; the anchor is not attached
 * there), -EINVAL (another kind of program, with the section name to use; a folder that is no
 * cgroup, or one of cgroup v1; bad options), -EEXIST (PROG_ATTACH of a program that is attached),
 * -EBADF (cgroup_fd), -EOPNOTSUPP (this kernel cannot keep the anchor, revision or flag, or lacks
 * the hook; a link is placed beside links only, PROG_ATTACH beside PROG_ATTACH), -ESTALE (another revision), -EBUSY (a program of this or a higher cgroup was attached
 * so that it suffers no other), -E2BIG (64 programs are attached), -EPERM.
 *
 * Thread-safety: safe.
 * Kernel: 4.10 with PROG_ATTACH and CAP_NET_ADMIN, 5.7 as a link; each hook has its own release,
 * which the error names.
 * @see ebpfnet_link_update
 * @since 0.1
 */
EBPFNET_API int ebpfnet_cgroup_attach(const struct ebpfnet_program *prog, const char *cgroup,
				      uint32_t hook, const struct ebpfnet_cgroup_opts *opts,
				      struct ebpfnet_link **link, struct ebpfnet_error **err);

/** Where among a hook's programs a new one goes. They run one after another. */
enum ebpfnet_anchor {
	EBPFNET_ANCHOR_LAST = 0,
	EBPFNET_ANCHOR_FIRST,
	EBPFNET_ANCHOR_BEFORE, /* directly before the anchor that the options name */
	EBPFNET_ANCHOR_AFTER,
};

/** Options of ebpfnet_tc_attach(). BEFORE and AFTER take exactly one of the anchor_ fields. */
struct ebpfnet_tc_opts {
	size_t sz;	 /* sizeof(struct ebpfnet_tc_opts) */
	uint32_t anchor; /* enum ebpfnet_anchor; 0: last */
	uint32_t via;	 /* EBPFNET_VIA_ANY, _TCX or _CLSACT */
	const struct ebpfnet_link *anchor_link;
	const struct ebpfnet_program *anchor_program;
	uint32_t anchor_link_id;    /* of the kernel, as a query tells it */
	uint32_t anchor_program_id; /* likewise */
	uint32_t anchor_priority;   /* clsact: a filter that is no program, by its priority */
	int32_t netns_fd;	    /* namespace of the interface; 0: the calling thread's */
	/*
	 * ebpfnet_query_revision(): attach only if nothing was attached or detached since, else
	 * kind STALE. 0: any. clsact has no revision and refuses one.
	 */
	uint64_t expected_revision;
};

/**
 * @brief Attaches a program to the ingress or egress of an interface, at a place in the order.
 *
 * A program that lets a packet go on returns -1 (TCX_NEXT, TC_ACT_UNSPEC); 0 accepts it and ends
 * the chain, and 2 drops it. Through TCX where the kernel has it; else as a filter of a clsact
 * qdisc, which is made if it is not there and removed with the last filter, if this library made
 * it. The order is the same both ways. All TCX programs run before all clsact filters.
 *
 * @param prog in; loaded, of type SCHED_CLS; may be closed afterwards.
 * @param ifindex in: if_nametoindex(3), in the namespace of opts.netns_fd.
 * @param direction in: enum ebpfnet_direction.
 * @param opts in, may be NULL: last, any way, this thread's namespace, any revision.
 * @param link out; owned by the caller, ends with ebpfnet_link_close().
 * @param err out, may be NULL.
 * @return 0, or -ENODEV (no such interface), -ENOENT (the anchor is not on this hook), -ESTALE (not
 * the expected revision), -EEXIST (this program is on this hook already), -ERANGE (63 programs, all
 * that TCX takes), -EBUSY (clsact: no priority is free between two filters, which the message
 * names; the interface has an ingress qdisc, which has no egress), -EOPNOTSUPP (the way or the
 * revision is not there), -EINVAL (not a SCHED_CLS program, direction, anchor), -EPERM, -EBADF
 * (netns_fd), and what rtnetlink says, in its words.
 *
 * Thread-safety: safe. With netns_fd the thread is in that namespace during the call.
 * Kernel: 6.6 for TCX; 4.5 for clsact, with CAP_NET_ADMIN; netns_fd needs CAP_SYS_ADMIN.
 * @see ebpfnet_tc_query
 * @since 0.1
 */
EBPFNET_API int ebpfnet_tc_attach(const struct ebpfnet_program *prog, int ifindex,
				  uint32_t direction, const struct ebpfnet_tc_opts *opts,
				  struct ebpfnet_link **link, struct ebpfnet_error **err);

/**
 * @brief Opens a network namespace by its name, for the netns_fd of any option struct.
 *
 * The name is one that `ip netns add` gave. A namespace without a name is open(2) of
 * /proc/PID/ns/net.
 *
 * @param ctx in.
 * @param name in: a file of /run/netns, without a slash.
 * @param fd out; close-on-exec, greater than 2, owned by the caller: close(2). -1 after a failure.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (no such namespace; "did you mean"), -EINVAL (a path instead of a name; the
 * file is no network namespace), -EPERM, -EACCES.
 *
 * Thread-safety: safe.
 * Kernel: 3.0; 4.11 tells a network namespace from another one.
 * @see ebpfnet_netns_attach
 * @since 0.1
 */
EBPFNET_API int ebpfnet_netns_open(struct ebpfnet_ctx *ctx, const char *name, int *fd,
				   struct ebpfnet_error **err);

/** Options of ebpfnet_netns_attach(). */
struct ebpfnet_netns_opts {
	size_t sz;	  /* sizeof(struct ebpfnet_netns_opts) */
	int32_t netns_fd; /* the namespace; 0: the calling thread's */
	uint32_t reserved;
};

/**
 * @brief Attaches a program to a network namespace: sk_lookup, which chooses the socket for a new
 * TCP connection or an unconnected UDP datagram, or the flow dissector, which reads packet headers
 * for the kernel's hashes and classifiers.
 *
 * Of sk_lookup up to 64 programs run, in the order in which they were attached, and the last one
 * that selects a socket wins; without a selection a single SK_DROP refuses the packet. Of the flow
 * dissector there is one in a namespace, and one in the root namespace rules out all others.
 *
 * @param prog in; loaded, SEC("sk_lookup") or SEC("flow_dissector"); may be closed afterwards.
 * @param opts in, may be NULL: this thread's namespace.
 * @param link out; owned by the caller, ends with ebpfnet_link_close(). It does not keep the
 * namespace alive: when that goes, the link is defunct.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (a program of another type; netns_fd is another kind of namespace), -E2BIG
 * kind BUSY (64 sk_lookup programs are attached), -EBUSY (a flow dissector is attached; the message
 * names it), -EBADF (netns_fd), -EPERM.
 *
 * Thread-safety: safe; the thread stays in its namespace.
 * Kernel: 5.9 sk_lookup, 5.8 flow dissector; whoever holds a loaded program may attach it.
 * @see ebpfnet_netns_open
 * @since 0.1
 */
EBPFNET_API int ebpfnet_netns_attach(const struct ebpfnet_program *prog,
				     const struct ebpfnet_netns_opts *opts,
				     struct ebpfnet_link **link, struct ebpfnet_error **err);

/** The hooks of netfilter, with the numbers of NF_INET_* in linux/netfilter.h. */
enum ebpfnet_netfilter_hook {
	EBPFNET_NETFILTER_PRE_ROUTING = 0,
	EBPFNET_NETFILTER_LOCAL_IN = 1,
	EBPFNET_NETFILTER_FORWARD = 2,
	EBPFNET_NETFILTER_LOCAL_OUT = 3,
	EBPFNET_NETFILTER_POST_ROUTING = 4,
};

/** Packets are put together from their fragments before the program sees them (6.6). */
#define EBPFNET_NETFILTER_DEFRAG (1u << 0)

/** Options of ebpfnet_netfilter_attach(). */
struct ebpfnet_netfilter_opts {
	size_t sz;	  /* sizeof(struct ebpfnet_netfilter_opts) */
	int32_t priority; /* the lower runs first; 0: NF_IP_PRI_FILTER, where filters are */
	uint32_t flags;	  /* EBPFNET_NETFILTER_* flags; DEFRAG: priority above -400 */
	int32_t netns_fd; /* the namespace; 0: the calling thread's */
	uint32_t reserved;
};

/**
 * @brief Attaches a program to a netfilter hook, among the chains of nftables and iptables.
 *
 * A program is for one family and one hook, and its priority is its own there: attach it once for
 * IPv4 and once for IPv6. Its verdicts are NF_DROP and NF_ACCEPT.
 *
 * @param prog in; loaded, SEC("netfilter"); may be closed afterwards.
 * @param family in: AF_INET or AF_INET6, which are NFPROTO_IPV4 and NFPROTO_IPV6.
 * @param hook in: enum ebpfnet_netfilter_hook.
 * @param opts in, may be NULL: priority 0, this thread's namespace.
 * @param link out; owned by the caller, ends with ebpfnet_link_close(). It keeps the namespace
 * alive, and its program cannot be replaced.
 * @param err out, may be NULL.
 * @return 0, or -EAFNOSUPPORT (another family), -EINVAL (no such hook; a program of another type),
 * -EBUSY (the priority is taken; the message names by whom), -ERANGE (priority INT_MIN or INT_MAX,
 * or DEFRAG at -400 or below), -EOPNOTSUPP (an unknown flag; the kernel has no netfilter link or no
 * DEFRAG), -EBADF (netns_fd), -EPERM.
 *
 * Thread-safety: safe. With netns_fd the thread is in that namespace during the call.
 * Kernel: 6.4; whoever holds a loaded program may attach it; netns_fd needs CAP_SYS_ADMIN.
 * @see ebpfnet_netns_open
 * @since 0.1
 */
EBPFNET_API int ebpfnet_netfilter_attach(const struct ebpfnet_program *prog, uint32_t family,
					 uint32_t hook, const struct ebpfnet_netfilter_opts *opts,
					 struct ebpfnet_link **link, struct ebpfnet_error **err);

/** The program slots of a sockmap or sockhash. Values are never reused. */
enum ebpfnet_sockmap_hook {
	EBPFNET_SOCKMAP_MSG_VERDICT = 1,    /* SEC("sk_msg"): what a socket of the map sends */
	EBPFNET_SOCKMAP_STREAM_PARSER = 2,  /* SEC("sk_skb/stream_parser"): where a message ends */
	EBPFNET_SOCKMAP_STREAM_VERDICT = 3, /* SEC("sk_skb/stream_verdict"): received messages */
	EBPFNET_SOCKMAP_SKB_VERDICT = 4,    /* SEC("sk_skb/verdict"): received data, UDP too */
};

/** Options of ebpfnet_sockmap_attach(). */
struct ebpfnet_sockmap_opts {
	size_t sz;     /* sizeof(struct ebpfnet_sockmap_opts) */
	uint32_t via;  /* EBPFNET_VIA_ANY, _LINK or _PROG_ATTACH */
	uint32_t hook; /* enum ebpfnet_sockmap_hook; 0: what the program's section says */
};

/**
 * @brief Attaches a program to a sockmap or sockhash: it decides over the data of its sockets.
 *
 * Attach first and insert sockets afterwards. A socket takes the map's programs along when it is
 * inserted and keeps them until it is deleted from the map: an attachment, update or detachment
 * that comes later counts for sockets that are inserted from then on. When sockets are found in the
 * map, the log has a warning.
 *
 * What the kernel does besides (seen on 6.18): SK_DROP of a msg verdict, also for want of the
 * redirect's target, holds for all that this socket sends afterwards, without asking again. Stream
 * parser and verdict see a segment from its start and in its whole length, not the message in it.
 *
 * Each slot takes one program, and a map has a stream verdict or an skb verdict, never both. As a
 * link the attachment also holds the map. By BPF_PROG_ATTACH it belongs to the map and ends with
 * the map's last descriptor and pin; being used by a loaded program does not count for that. The
 * handle holds a descriptor.
 *
 * @param prog in; loaded, of type SK_MSG or SK_SKB; may be closed afterwards. One that was opened
 * by fd, id or pin needs opts.hook, if it is SK_SKB.
 * @param map in; loaded; may be closed afterwards.
 * @param opts in, may be NULL: as a link where the kernel has it, on the program's own hook.
 * @param link out; owned by the caller, ends with ebpfnet_link_close().
 * @param err out, may be NULL.
 * @return 0, or -EBUSY (the slot, or the verdict that excludes it, is taken; the message names the
 * program; found out before the attempt from 5.17 on, earlier kernels replace what BPF_PROG_ATTACH
 * left), -EINVAL (another type of program or map, no hook), -EOPNOTSUPP (no link, no skb verdict),
 * -EPERM.
 *
 * Thread-safety: safe. Two threads that attach by BPF_PROG_ATTACH to one slot at the same moment
 * both succeed, and the last one counts.
 * Kernel: stream parser and verdict 4.14, msg verdict 4.17, sockhash 4.18, skb verdict 5.13; link
 * 6.10.
 * @see ebpfnet_sockmap_put
 * @since 0.1
 */
EBPFNET_API int ebpfnet_sockmap_attach(const struct ebpfnet_program *prog,
				       const struct ebpfnet_map *map,
				       const struct ebpfnet_sockmap_opts *opts,
				       struct ebpfnet_link **link, struct ebpfnet_error **err);

/**
 * @brief Inserts a socket into a sockmap or sockhash and says why, if the kernel does not take it.
 *
 * As ebpfnet_map_put() with the descriptor as value, in 4 or 8 bytes as the map has it.
 *
 * @param map in; loaded.
 * @param key in: of the map's key size; of a sockmap an index.
 * @param sock_fd in; stays the caller's. A closed socket leaves the map by itself.
 * @param flags in: enum ebpfnet_map_put_flags.
 * @param err out, may be NULL.
 * @return 0, or -EOPNOTSUPP kind INVALID (a TCP socket that is neither established nor listening,
 * or a kind of socket that no sockmap takes), -EBUSY (it has such a program from another map),
 * -EINVAL (not such a map; kTLS is set on the socket), -EBADF or -ENOTSOCK (sock_fd), -E2BIG (index
 * behind the end, or the map is full), -EEXIST, -ENOENT (flags), -EPERM.
 *
 * Thread-safety: safe.
 * Kernel: 4.14; UDP 5.13 (connected or bound), AF_UNIX 5.15.
 * @see ebpfnet_sockmap_attach
 * @since 0.1
 */
EBPFNET_API int ebpfnet_sockmap_put(const struct ebpfnet_map *map, const void *key, int sock_fd,
				    uint64_t flags, struct ebpfnet_error **err);

/** The hooks of one socket. Values are never reused. */
enum ebpfnet_socket_hook {
	EBPFNET_SOCKET_FILTER = 1,    /* returns how many bytes of what arrives are kept; 0: none */
	EBPFNET_SOCKET_REUSEPORT = 2, /* chooses the socket of an SO_REUSEPORT group */
};

/** Options of ebpfnet_socket_attach() and ebpfnet_socket_attach_classic(). */
struct ebpfnet_socket_opts {
	size_t sz;     /* sizeof(struct ebpfnet_socket_opts) */
	uint32_t hook; /* enum ebpfnet_socket_hook; 0: filter, or reuseport for SK_REUSEPORT */
	/*
	 * 1: the link keeps a duplicate of the descriptor. The socket then stays open until the
	 * link is closed too, so the peer sees no end of the connection before that. 0: it is
	 * borrowed, and close(2) of the socket ends socket and attachment as ever.
	 */
	uint32_t hold;
};

/**
 * @brief Attaches a program to a socket, as its filter or as the chooser of its reuseport group.
 *
 * The attachment is an option of the socket: it ends with the socket, and a new program takes the
 * place of the one before without being asked. The link does not keep the socket open (see hold).
 * It knows the socket by its cookie: closing the link never touches another socket that got the
 * same number. A reuseport program belongs to the group, to which a socket belongs from bind(2) on.
 *
 * @param prog in; loaded, of type SOCKET_FILTER (either hook) or SK_REUSEPORT; may be closed
 * afterwards.
 * @param sock_fd in; stays the caller's.
 * @param opts in, may be NULL: the hook of the program's type, borrowed.
 * @param link out, may be NULL: then the program stays until the socket is closed, or is detached
 * with setsockopt(2). Owned by the caller, ends with ebpfnet_link_close(), which detaches.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (another type of program; no SO_REUSEPORT on the socket), -EBADF or
 * -ENOTSOCK (sock_fd), -EPERM kind BUSY (SO_LOCK_FILTER is set), -EOPNOTSUPP (an SK_REUSEPORT
 * program on a socket that is neither TCP nor UDP), -ENOMEM (net.core.optmem_max).
 *
 * Thread-safety: safe.
 * Kernel: filter 3.19, reuseport with SOCKET_FILTER 4.5, with SK_REUSEPORT 4.19; detaching from a
 * group 5.3.
 * @see ebpfnet_socket_attach_classic
 * @since 0.1
 */
EBPFNET_API int ebpfnet_socket_attach(const struct ebpfnet_program *prog, int sock_fd,
				      const struct ebpfnet_socket_opts *opts,
				      struct ebpfnet_link **link, struct ebpfnet_error **err);

struct sock_filter; /* <linux/filter.h> */

/**
 * @brief Attaches a classic filter (what `tcpdump -dd` prints) to a socket or a reuseport group.
 *
 * Needs no capability and no program to be loaded. For the rest as ebpfnet_socket_attach(); the
 * program id of such a link is 0.
 *
 * @param ctx in; the link holds its own reference.
 * @param insns in: read during the call.
 * @param count in: instructions, 1 to 4096.
 * @param sock_fd in; stays the caller's.
 * @param opts in, may be NULL: a filter, borrowed.
 * @param link out, may be NULL, as ebpfnet_socket_attach().
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (count; the kernel refuses the instructions; no SO_REUSEPORT), -EBADF or
 * -ENOTSOCK (sock_fd), -EPERM kind BUSY (SO_LOCK_FILTER is set), -ENOMEM (net.core.optmem_max).
 *
 * Thread-safety: safe.
 * Kernel: filter any, reuseport 4.5.
 * @see ebpfnet_socket_attach
 * @since 0.1
 */
EBPFNET_API int ebpfnet_socket_attach_classic(struct ebpfnet_ctx *ctx,
					      const struct sock_filter *insns, size_t count,
					      int sock_fd, const struct ebpfnet_socket_opts *opts,
					      struct ebpfnet_link **link,
					      struct ebpfnet_error **err);

/** What a netkit pair carries. */
enum ebpfnet_netkit_mode {
	EBPFNET_NETKIT_L3 = 0, /* IP packets: no addresses of layer 2, no ARP */
	EBPFNET_NETKIT_L2 = 1, /* Ethernet frames, as veth does */
};

/** What becomes of what a side transmits while no program is attached to it. */
enum ebpfnet_netkit_policy {
	EBPFNET_NETKIT_FORWARD = 0,
	EBPFNET_NETKIT_BLACKHOLE = 1, /* nothing passes until a program says so */
};

/** What becomes of a packet's mark and priority on its way to the other side. */
enum ebpfnet_netkit_scrub {
	EBPFNET_NETKIT_SCRUB_DEFAULT = 0, /* cleared between namespaces */
	EBPFNET_NETKIT_SCRUB_NONE = 1,	  /* kept (6.12) */
};

/** The sides of a netkit pair: programs run on what that side transmits. */
enum ebpfnet_netkit_side {
	EBPFNET_NETKIT_PRIMARY = 1,
	EBPFNET_NETKIT_PEER = 2,
};

/** Options of ebpfnet_netkit_create(). Strings are read during the call only. */
struct ebpfnet_netkit_create_opts {
	size_t sz;	       /* sizeof(struct ebpfnet_netkit_create_opts) */
	const char *name;      /* of the primary; NULL: nkN */
	const char *peer_name; /* NULL: nkN */
	uint32_t mode;	       /* enum ebpfnet_netkit_mode; 0: L3 */
	uint32_t policy;       /* enum ebpfnet_netkit_policy, of the primary; 0: forward */
	uint32_t peer_policy;  /* of the peer */
	uint32_t scrub;	       /* enum ebpfnet_netkit_scrub, of what the primary transmits */
	uint32_t peer_scrub;   /* of what the peer transmits */
	uint32_t headroom;     /* bytes kept free before each packet, up to 65535 (6.14) */
	uint32_t tailroom;     /* bytes behind it (6.14) */
	int32_t netns_fd;      /* namespace of the primary; 0: the calling thread's */
	int32_t peer_netns_fd; /* namespace of the peer; 0: that of the primary */
	uint32_t reserved;
};

/** A netkit pair that was made; filled by ebpfnet_netkit_create(). */
struct ebpfnet_netkit_info {
	size_t sz;	       /* sizeof(struct ebpfnet_netkit_info) */
	uint32_t ifindex;      /* of the primary: programs of both sides attach by it */
	uint32_t peer_ifindex; /* in the peer's namespace */
	char name[16];	       /* of the primary */
	char peer_name[16];
};

/**
 * @brief Makes a netkit pair: two devices, what one transmits the other receives, and a program
 * decides on the way.
 *
 * For containers: the peer goes into the container's namespace, the primary stays, and the programs
 * of both sides belong to whoever has the primary. Both devices are down. They stay until one of
 * them is removed (ebpfnet_netkit_delete(), ip link del) or its namespace goes.
 *
 * @param ctx in; borrowed for the call.
 * @param opts in, may be NULL: L3, forwarding, both here, names by the kernel.
 * @param info out, may be NULL; the caller sets sz.
 * @param err out, may be NULL.
 * @return 0, or -EEXIST kind BUSY (a name is taken), -EOPNOTSUPP (the kernel has no netkit, or no
 * scrub, headroom or tailroom: then no pair is left), -EINVAL (a name, mode, policy or scrub that is
 * none; sz), -EPERM, -EBADF (netns_fd, peer_netns_fd), and what rtnetlink says, in its words.
 *
 * Thread-safety: safe. With netns_fd the thread is in that namespace during the call.
 * Kernel: 6.7 and CAP_NET_ADMIN in both namespaces; netns_fd needs CAP_SYS_ADMIN.
 * @see ebpfnet_netkit_attach
 * @since 0.1
 */
EBPFNET_API int ebpfnet_netkit_create(struct ebpfnet_ctx *ctx,
				      const struct ebpfnet_netkit_create_opts *opts,
				      struct ebpfnet_netkit_info *info, struct ebpfnet_error **err);

/**
 * @brief Removes a netkit pair by either of its devices; links to it become defunct.
 *
 * @param ctx in; borrowed for the call.
 * @param ifindex in: of the primary or the peer; a device of another kind is refused.
 * @param netns_fd in: the namespace of that device; 0: the calling thread's.
 * @param err out, may be NULL.
 * @return 0, or -ENODEV (no such interface), -ENXIO (not a netkit device), -EPERM, -EBADF
 * (netns_fd).
 *
 * Thread-safety: safe. With netns_fd the thread is in that namespace during the call.
 * Kernel: 6.7 and CAP_NET_ADMIN.
 * @see ebpfnet_netkit_create
 * @since 0.1
 */
EBPFNET_API int ebpfnet_netkit_delete(struct ebpfnet_ctx *ctx, int ifindex, int netns_fd,
				      struct ebpfnet_error **err);

/** Options of ebpfnet_netkit_attach(). BEFORE and AFTER take exactly one of the anchor_ fields. */
struct ebpfnet_netkit_opts {
	size_t sz;	  /* sizeof(struct ebpfnet_netkit_opts) */
	uint32_t anchor;  /* enum ebpfnet_anchor; 0: last */
	int32_t netns_fd; /* namespace of the primary; 0: the calling thread's */
	const struct ebpfnet_link *anchor_link;
	const struct ebpfnet_program *anchor_program;
	uint32_t anchor_link_id;    /* of the kernel, as a query tells it */
	uint32_t anchor_program_id; /* likewise */
	/* ebpfnet_query_revision(): fail with kind STALE at another one; 0: any. */
	uint64_t expected_revision;
};

/**
 * @brief Attaches a program to a side of a netkit pair, at a place in the order.
 *
 * It runs on what that side transmits, before the other side receives it: PEER is what a container
 * sends, PRIMARY what is sent to it. A program returns -1 (NETKIT_NEXT) to let the next one decide,
 * 0 to pass, 2 to drop, 7 to redirect; NEXT from the last one passes, whatever the policy.
 *
 * @param prog in; loaded, of type SCHED_CLS (SEC("tc")); may be closed afterwards.
 * @param ifindex in: the primary's, also for side PEER, in the namespace of opts.netns_fd.
 * @param side in: enum ebpfnet_netkit_side.
 * @param opts in, may be NULL: last, this thread's namespace, any revision.
 * @param link out; owned by the caller, ends with ebpfnet_link_close().
 * @param err out, may be NULL.
 * @return 0, or -ENODEV (no such interface), -ENXIO (not a netkit device), -EACCES kind INVALID (the
 * peer's ifindex), -ENOENT (the anchor is not on this side), -ESTALE (not the expected revision),
 * -EEXIST (this program is on this side already), -ERANGE (63 programs), -EOPNOTSUPP (the kernel
 * has no netkit), -EINVAL (not a SCHED_CLS program, side, anchor), -EPERM, -EBADF (netns_fd).
 *
 * Thread-safety: safe. With netns_fd the thread is in that namespace during the call.
 * Kernel: 6.7; netns_fd needs CAP_SYS_ADMIN.
 * @see ebpfnet_netkit_query
 * @since 0.1
 */
EBPFNET_API int ebpfnet_netkit_attach(const struct ebpfnet_program *prog, int ifindex,
				      uint32_t side, const struct ebpfnet_netkit_opts *opts,
				      struct ebpfnet_link **link, struct ebpfnet_error **err);

/** Where the packets of a route meet a program. Values are never reused. */
enum ebpfnet_lwt_hook {
	EBPFNET_LWT_IN = 1,	   /* a packet from outside has been found to take this route */
	EBPFNET_LWT_OUT = 2,	   /* it is about to leave, forwarded or sent from here */
	EBPFNET_LWT_XMIT = 3,	   /* behind OUT and fragmentation: may push headers, redirect */
	EBPFNET_LWT_SEG6LOCAL = 4, /* IPv6 segment routing: the action End.BPF (4.18) */
};

/** Options of ebpfnet_lwt_attach(): where the route leads. */
struct ebpfnet_lwt_opts {
	size_t sz;	     /* sizeof(struct ebpfnet_lwt_opts) */
	const char *gateway; /* next hop, of the destination's family; NULL: on the link itself */
	const struct ebpfnet_program *more[2]; /* of the same route, each of another type */
	int32_t ifindex;		       /* 0: that of the gateway */
	int32_t netns_fd;		       /* namespace of the route; 0: the calling thread's */
	uint32_t table;			       /* 0: main */
	uint32_t metric;		       /* 0: the kernel's, 0 for IPv4 and 1024 for IPv6 */
	uint32_t headroom; /* bytes that an XMIT program pushes in front; at most 256 */
	uint32_t reserved;
};

/**
 * @brief Makes a route whose packets run a program: a lightweight tunnel.
 *
 * For what concerns one destination and no device: encapsulate, drop, count, reroute. The program's
 * type says the hook. The route belongs to its table: it stays when the process is killed, goes
 * with its interface, and closing the link removes it, if it still carries this program. The kernel
 * tells no more of a route's program than the name it came with; ours holds the program's id.
 *
 * @param prog in; loaded, of type LWT_IN, LWT_OUT, LWT_XMIT or LWT_SEG6LOCAL; may be closed
 * afterwards.
 * @param destination in: "10.1.0.0/16", "fd00::/64", or an address.
 * @param opts in: a gateway, an interface or both are needed.
 * @param link out; owned by the caller, ends with ebpfnet_link_close(). Update has no `expected`;
 * with opts.more it needs CAP_SYS_ADMIN.
 * @param err out, may be NULL.
 * @return 0, or -EEXIST kind BUSY (there is such a route), -EINVAL (destination, gateway, another
 * type of program), -ENETUNREACH and -ENETDOWN (gateway or interface, in the kernel's words),
 * -ENODEV (no such interface), -EOPNOTSUPP (the kernel is built without it), -EPERM, -EBADF
 * (netns_fd).
 *
 * Thread-safety: safe. With netns_fd the thread is in that namespace during the call.
 * Kernel: 4.10 with CONFIG_LWTUNNEL_BPF, 4.18 with CONFIG_IPV6_SEG6_BPF for segment routing;
 * CAP_NET_ADMIN. Every call on the link looks through the routes of its namespace.
 * @see ebpfnet_link_update
 * @since 0.1
 */
EBPFNET_API int ebpfnet_lwt_attach(const struct ebpfnet_program *prog, const char *destination,
				   const struct ebpfnet_lwt_opts *opts, struct ebpfnet_link **link,
				   struct ebpfnet_error **err);

/** The hook of a link. Values are never reused. */
enum ebpfnet_link_kind {
	EBPFNET_LINK_NONE = 0, /* in a query: attached nowhere */
	EBPFNET_LINK_XDP = 1,
	EBPFNET_LINK_TC = 2,
	EBPFNET_LINK_NETKIT = 3,
	EBPFNET_LINK_CGROUP = 4,
	EBPFNET_LINK_SK_LOOKUP = 5,
	EBPFNET_LINK_FLOW_DISSECTOR = 6,
	EBPFNET_LINK_NETFILTER = 7,
	EBPFNET_LINK_SOCKMAP = 8,
	EBPFNET_LINK_SOCKET = 9, /* socket filter, reuseport */
	EBPFNET_LINK_LWT = 10,
	EBPFNET_LINK_OTHER = 255, /* adopted: a kind that this version has no calls for */
};

/** What is known of a link; filled by ebpfnet_link_info(). */
struct ebpfnet_link_info {
	size_t sz;	     /* sizeof(struct ebpfnet_link_info) */
	uint32_t kind;	     /* enum ebpfnet_link_kind */
	uint32_t via;	     /* enum ebpfnet_via that it got: never ANY */
	uint32_t id;	     /* of the bpf_link; 0 where there is none */
	uint32_t program_id; /* now attached */
	uint32_t ifindex;    /* 0 if the device is gone */
	uint32_t mode;	     /* enum ebpfnet_xdp_mode that it got: never AUTO */
	uint32_t defunct;    /* 1: the device or namespace is gone and the program does not run */
	uint32_t pinned;     /* 1: pinned through this handle, or opened from a pin */
	/*
	 * Which of a kind's hooks: enum ebpfnet_direction of TC, the hook number of netfilter, and
	 * where a kind has an enum of its own, that.
	 */
	uint32_t hook;
	uint32_t family;  /* of netfilter: NFPROTO_IPV4 or _IPV6; of LWT the same numbers */
	int32_t priority; /* of clsact and netfilter: the lower runs first; of LWT: the metric */
	uint32_t handle;  /* of clsact; of LWT: the routing table */
	uint32_t map_id;  /* of a sockmap */
	uint32_t reserved;
	uint64_t cgroup_id; /* inode of the cgroup; 0 if it is gone */
	/* Where sk_lookup, flow dissector, netfilter, netkit are; 0: gone, or not told on reopening. */
	uint64_t netns_inode;
};

/**
 * @brief Says what a link is and whether its program still runs.
 *
 * @param link in.
 * @param info out; the caller sets sz.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL (sz). A lost device is no error: `defunct` tells it.
 *
 * Thread-safety: safe.
 * Kernel: 5.8 for links.
 * @see ebpfnet_link_update
 * @since 0.1
 */
EBPFNET_API int ebpfnet_link_info(const struct ebpfnet_link *link, struct ebpfnet_link_info *info,
				  struct ebpfnet_error **err);

/** Options of ebpfnet_link_update(). */
struct ebpfnet_link_update_opts {
	size_t sz;				/* sizeof(struct ebpfnet_link_update_opts) */
	const struct ebpfnet_program *expected; /* STALE if another one is attached; NULL: any */
};

/**
 * @brief Replaces the program of a link in one step: every packet meets the old one or the new one.
 *
 * @param link in.
 * @param prog in; loaded, of the same type and expected attach type as the old one.
 * @param opts in, may be NULL.
 * @param old out, may be NULL; the program that was replaced, owned by the caller: going back is
 * one more update. Asking for it needs CAP_SYS_ADMIN if the link was opened from a pin.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL kind INCOMPATIBLE (another type), -ESTALE (not the expected program),
 * -EOPNOTSUPP (expected is given and the way cannot compare: clsact), -EEXIST (TC: this program is
 * on the hook already), -ENOLINK kind DEFUNCT (the device is gone), -EPERM.
 *
 * Thread-safety: safe against other links; not for one link.
 * Kernel: 5.9; CAP_NET_ADMIN over netlink. On an XDP link a native driver may take 26 ms for it.
 * @see ebpfnet_xdp_attach
 * @since 0.1
 */
EBPFNET_API int ebpfnet_link_update(struct ebpfnet_link *link, const struct ebpfnet_program *prog,
				    const struct ebpfnet_link_update_opts *opts,
				    struct ebpfnet_program **old, struct ebpfnet_error **err);

/**
 * @brief Pins a link: it stays attached when this process ends.
 *
 * A bpf_link is pinned itself. Of what is attached without one the program is pinned, and beside
 * it, as PATH-record, what is needed to find the attachment again.
 *
 * @param link in.
 * @param path in: absolute, or relative to the folder of the context's app; missing folders are made; no
 * dots in names.
 * @param err out, may be NULL.
 * @return 0, or -EEXIST (path is taken), -EBUSY (pinned already), -EINVAL (not below a bpffs),
 * -EPERM.
 *
 * Thread-safety: not safe for one link.
 * Kernel: 5.8 for links.
 * @see ebpfnet_link_open_pinned
 * @since 0.1
 */
EBPFNET_API int ebpfnet_link_pin(struct ebpfnet_link *link, const char *path,
				 struct ebpfnet_error **err);

/**
 * @brief Removes the pin of a link; the program stays attached until the link is closed.
 *
 * @param link in; pinned through this handle or opened from a pin.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (it is not pinned, or the pin is gone), -EPERM.
 *
 * Thread-safety: not safe for one link.
 * Kernel: 5.8 for links.
 * @see ebpfnet_link_pin
 * @since 0.1
 */
EBPFNET_API int ebpfnet_link_unpin(struct ebpfnet_link *link, struct ebpfnet_error **err);

/** Options of ebpfnet_link_open_pinned(). */
struct ebpfnet_link_open_opts {
	size_t sz;	  /* sizeof(struct ebpfnet_link_open_opts) */
	int32_t netns_fd; /* namespace of the interface; 0: the calling thread's */
	uint32_t reserved;
};

/**
 * @brief Opens a pinned link, in this process or another one.
 *
 * @param ctx in; the link holds its own reference.
 * @param path in: absolute, or relative to the folder of the context's app.
 * @param opts in, may be NULL.
 * @param link out; owned by the caller; closing it leaves the program attached, as it is pinned.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT, -EINVAL kind INCOMPATIBLE (something else is pinned there), -ENOLINK kind
 * DEFUNCT (an attachment without a bpf_link that is no longer there), -EPERM.
 *
 * Thread-safety: safe.
 * Kernel: 5.8 for links.
 * @see ebpfnet_link_pin
 * @since 0.1
 */
EBPFNET_API int ebpfnet_link_open_pinned(struct ebpfnet_ctx *ctx, const char *path,
					 const struct ebpfnet_link_open_opts *opts,
					 struct ebpfnet_link **link, struct ebpfnet_error **err);

/**
 * @brief Adopts a bpf_link that something else made: libbpf, a parent process.
 *
 * @param ctx in; the link holds its own reference.
 * @param fd in; duplicated, stays the caller's.
 * @param link out; owned by the caller, ends with ebpfnet_link_close().
 * @param err out, may be NULL.
 * @return 0, or -EBADF (no such fd), -EINVAL kind INCOMPATIBLE (the fd is not a link's).
 *
 * Thread-safety: safe.
 * Kernel: 5.8.
 * @see ebpfnet_program_open_fd
 * @since 0.1
 */
EBPFNET_API int ebpfnet_link_open_fd(struct ebpfnet_ctx *ctx, int fd, struct ebpfnet_link **link,
				     struct ebpfnet_error **err);

/**
 * @brief Detaches the program now, also if the link is pinned; the handle is then defunct.
 *
 * @param link in.
 * @param err out, may be NULL.
 * @return 0 (also if the device is gone), or -ESTALE (without a bpf_link: another program is
 * attached, and is left alone), -EPERM (a forked child, or a capability is missing), -EOPNOTSUPP
 * (before 5.9 a link cannot be detached by force; close it and remove its pin).
 *
 * Thread-safety: not safe for one link.
 * Kernel: 5.9 for links.
 * @see ebpfnet_link_close
 * @since 0.1
 */
EBPFNET_API int ebpfnet_link_detach(struct ebpfnet_link *link, struct ebpfnet_error **err);

/**
 * @brief The kernel's fd of a link.
 *
 * @param link in.
 * @return borrowed fd, or -EBADF for what is attached without a bpf_link.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_link_open_fd
 * @since 0.1
 */
EBPFNET_API int ebpfnet_link_fd(const struct ebpfnet_link *link);

/**
 * @brief Closes a link; its program is detached unless the link is pinned.
 *
 * In a forked child the parent's attachment stays.
 *
 * @param link in, may be NULL.
 *
 * Thread-safety: not safe for one link.
 * Kernel: any.
 * @see ebpfnet_link_detach
 * @since 0.1
 */
EBPFNET_API void ebpfnet_link_close(struct ebpfnet_link *link);

struct ebpfnet_query;

/** Options of the functions that query hooks. */
struct ebpfnet_query_opts {
	size_t sz;	  /* sizeof(struct ebpfnet_query_opts) */
	uint32_t via;	  /* only what is held this way; EBPFNET_VIA_ANY: all */
	int32_t netns_fd; /* namespace asked about; 0: the calling thread's */
};

/** One attachment that a query found; filled by ebpfnet_query_entry(). */
struct ebpfnet_query_entry {
	size_t sz;	     /* sizeof(struct ebpfnet_query_entry) */
	uint32_t kind;	     /* enum ebpfnet_link_kind */
	uint32_t via;	     /* enum ebpfnet_via, never ANY */
	uint32_t hook;	     /* as in struct ebpfnet_link_info: enum ebpfnet_direction of TC */
	uint32_t ifindex;    /* 0: not on an interface */
	uint32_t program_id; /* 0: a filter that runs no program */
	uint32_t link_id;    /* 0: no bpf_link holds it */
	int32_t priority;    /* of clsact and netfilter */
	uint32_t handle;     /* of clsact */
	/*
	 * 1: this library attached it, the process that did is gone, and no pin holds it. To
	 * see it needs CAP_SYS_ADMIN.
	 */
	uint32_t orphan;
	uint32_t reserved;
	char name[EBPFNET_NAME_LEN]; /* of the program; of a filter without one, its kind: "u32" */
	uint32_t order;		     /* from 0, among those of its hook and way, as they run */
	uint32_t mode;		     /* of XDP: enum ebpfnet_xdp_mode, never AUTO */
	uint32_t family;	     /* of netfilter: NFPROTO_IPV4 or _IPV6 */
	uint32_t map_id;	     /* of a sockmap; of a map that is used nowhere */
	uint32_t program_type;	     /* BPF_PROG_TYPE_*; 0: no program, or not told */
	uint32_t dispatcher;	     /* 1: libxdp's xdp_dispatcher, whose parts follow */
	uint32_t part_of;	     /* a part (freplace) of this program, which calls it; else 0 */
	uint32_t pinned;	     /* 1: ebpfnet_query_pin() says where */
	uint64_t revision;	     /* of the hook; 0: it has none */
	uint64_t cgroup_id;	     /* of a cgroup; ebpfnet_query_cgroup() has the path */
	/* Where interfaces, sk_lookup, ... are; 0: of no namespace, or the kernel does not tell. */
	uint64_t netns_inode;
	/* Filled by ebpfnet_netns_query() alone, as are part_of and pinned. */
	uint32_t owner_pid;   /* the first process that holds it; 0: none was seen */
	uint32_t owner_count; /* ebpfnet_query_owner() has them all */
	char owner_comm[16];
	char device[16]; /* name of the interface */
};

/**
 * @brief Lists what is attached to the ingress or egress of an interface, in the order it runs.
 *
 * Whoever attached it: TCX programs first, then clsact filters of every kind, as packets meet them.
 *
 * @param ctx in; borrowed for the call.
 * @param ifindex in: if_nametoindex(3), in the namespace of opts.netns_fd.
 * @param direction in: enum ebpfnet_direction.
 * @param opts in, may be NULL: TCX and clsact, this thread's namespace.
 * @param query out; owned by the caller, ends with ebpfnet_query_free(). A copy: it does not follow
 * changes.
 * @param err out, may be NULL.
 * @return 0 (also if nothing is attached), or -ENODEV (no such interface), -EOPNOTSUPP (via TCX
 * and the kernel has none), -EINVAL (direction, via), -EPERM, -EBADF (netns_fd), -ENOMEM.
 *
 * Thread-safety: safe. With netns_fd the thread is in that namespace during the call.
 * Kernel: 6.6 for TCX; any for clsact; CAP_NET_ADMIN for TCX.
 * @see ebpfnet_query_entry
 * @since 0.1
 */
EBPFNET_API int ebpfnet_tc_query(struct ebpfnet_ctx *ctx, int ifindex, uint32_t direction,
				 const struct ebpfnet_query_opts *opts,
				 struct ebpfnet_query **query, struct ebpfnet_error **err);

/**
 * @brief Lists what is attached to a hook of a cgroup, or to all of them, in the order it runs.
 *
 * Whoever attached it. Programs of the cgroups above run here too and are listed there. What this
 * library gave to a cgroup by PROG_ATTACH cannot be told from others': no entry is an orphan.
 *
 * @param ctx in; borrowed for the call.
 * @param cgroup in: as of ebpfnet_cgroup_attach(); "/proc/self/fd/N" for one that is open.
 * @param hook in: enum ebpfnet_cgroup_hook; 0: all, and the revision is 0.
 * @param opts in, may be NULL: links and PROG_ATTACH. There is no netns_fd of a cgroup.
 * @param query out; owned by the caller, ends with ebpfnet_query_free(). A copy: it does not follow
 * changes.
 * @param err out, may be NULL.
 * @return 0 (also if nothing is attached), or -ENOENT (no such cgroup), -EINVAL (hook, via; not a
 * cgroup v2), -EOPNOTSUPP (the kernel lacks the hook), -EPERM, -ENOMEM.
 *
 * Thread-safety: safe.
 * Kernel: 4.15 and CAP_NET_ADMIN; revision 6.17; without CAP_SYS_ADMIN every entry looks as if it
 * were by PROG_ATTACH.
 * @see ebpfnet_query_entry
 * @since 0.1
 */
EBPFNET_API int ebpfnet_cgroup_query(struct ebpfnet_ctx *ctx, const char *cgroup, uint32_t hook,
				     const struct ebpfnet_query_opts *opts,
				     struct ebpfnet_query **query, struct ebpfnet_error **err);

/**
 * @brief Lists what is attached to a side of a netkit pair, in the order it runs.
 *
 * @param ctx in; borrowed for the call.
 * @param ifindex in: the primary's, in the namespace of opts.netns_fd.
 * @param side in: enum ebpfnet_netkit_side.
 * @param opts in, may be NULL: this thread's namespace; via is EBPFNET_VIA_ANY or _LINK.
 * @param query out; owned by the caller, ends with ebpfnet_query_free(). A copy: it does not follow
 * changes.
 * @param err out, may be NULL.
 * @return 0 (also if nothing is attached), or -ENODEV (no such interface), -ENXIO (not a netkit
 * device), -EACCES kind INVALID (the peer's ifindex), -EINVAL (side, via), -EOPNOTSUPP (the kernel
 * has no netkit), -EPERM, -EBADF (netns_fd), -ENOMEM.
 *
 * Thread-safety: safe. With netns_fd the thread is in that namespace during the call.
 * Kernel: 6.7 and CAP_NET_ADMIN; netns_fd needs CAP_SYS_ADMIN.
 * @see ebpfnet_netkit_attach
 * @since 0.1
 */
EBPFNET_API int ebpfnet_netkit_query(struct ebpfnet_ctx *ctx, int ifindex, uint32_t side,
				     const struct ebpfnet_query_opts *opts,
				     struct ebpfnet_query **query, struct ebpfnet_error **err);

/** Also what is loaded and attached nowhere: programs and maps, with kind EBPFNET_LINK_NONE. */
#define EBPFNET_QUERY_UNATTACHED (1u << 0)
/** Also the programs of every cgroup: they run in all namespaces. */
#define EBPFNET_QUERY_CGROUPS (1u << 1)
/** Not whose they are: /proc is not read. */
#define EBPFNET_QUERY_NO_OWNERS (1u << 2)
/** Not where they are pinned: the bpffs are not read. */
#define EBPFNET_QUERY_NO_PINS (1u << 3)

/** Options of ebpfnet_netns_query(). */
struct ebpfnet_netns_query_opts {
	size_t sz;	  /* sizeof(struct ebpfnet_netns_query_opts) */
	int32_t netns_fd; /* the namespace; 0: the calling thread's */
	uint32_t flags;	  /* EBPFNET_QUERY_* flags */
};

/** What a query could not see; bits of ebpfnet_query_missing(). Values are never reused. */
enum ebpfnet_missing {
	EBPFNET_MISSING_DEVICES = 1,   /* XDP, TCX, clsact or netkit of an interface */
	EBPFNET_MISSING_NAMESPACE = 2, /* sk_lookup, flow dissector */
	EBPFNET_MISSING_NETFILTER = 4, /* netfilter, or in which namespace it is */
	EBPFNET_MISSING_SOCKMAPS = 8,
	EBPFNET_MISSING_CGROUPS = 16,
	/* Ids of links: without them, whether a link or something else holds a program. */
	EBPFNET_MISSING_LINKS = 32,
	EBPFNET_MISSING_PROGRAMS = 64, /* names, types, what is attached nowhere */
	EBPFNET_MISSING_OWNERS = 128,
	EBPFNET_MISSING_PINS = 256,
};

/**
 * @brief Lists everything that is attached in a network namespace, whoever attached it, and whose
 * it is.
 *
 * XDP (with the parts of a libxdp dispatcher), TCX, clsact filters of every kind and netkit of each
 * interface; sk_lookup, flow dissector, netfilter. And what belongs to no namespace: programs of
 * sockmaps, and on request of cgroups. The kernel does not list the programs of single sockets, and
 * of routes ebpfnet_lwt_attach() has the links. The answer is no snapshot of one moment. What could
 * not be seen is no error: ebpfnet_query_missing() tells it.
 *
 * @param ctx in; borrowed for the call.
 * @param opts in, may be NULL: this thread's namespace, what is attached, with owners and pins.
 * @param query out; owned by the caller, ends with ebpfnet_query_free(). A copy: it does not follow
 * changes. Entries of a hook stand together, in the order in which they run.
 * @param err out, may be NULL.
 * @return 0 (also if nothing is attached, or not all of it was seen), or -EINVAL (netns_fd is
 * another kind of namespace), -EOPNOTSUPP (flags), -EBADF (netns_fd), -EPERM (entering the
 * namespace), -ENOMEM, and what rtnetlink says to a request for the interfaces.
 *
 * Thread-safety: safe. With netns_fd the thread is in that namespace during the call.
 * Kernel: any, and what it lacks cannot be attached; CAP_NET_ADMIN for TCX, netkit and namespaces,
 * CAP_SYS_ADMIN for links, names and sockmaps, CAP_SYS_PTRACE for the owners among other users'
 * processes. Costs one dump of the interfaces, some calls per interface and link, and a look at
 * every descriptor of the machine. In which namespace a netfilter link is needs
 * CONFIG_NETFILTER_NETLINK_HOOK.
 * @see ebpfnet_query_missing
 * @since 0.1
 */
EBPFNET_API int ebpfnet_netns_query(struct ebpfnet_ctx *ctx,
				    const struct ebpfnet_netns_query_opts *opts,
				    struct ebpfnet_query **query, struct ebpfnet_error **err);

/**
 * @brief What ebpfnet_netns_query() could not see.
 *
 * @param query in.
 * @return bits of enum ebpfnet_missing; 0: the answer is complete.
 *
 * Thread-safety: safe.
 * Kernel: any; the kernel is not asked.
 * @see ebpfnet_query_missing_text
 * @since 0.1
 */
EBPFNET_API uint32_t ebpfnet_query_missing(const struct ebpfnet_query *query);

/**
 * @brief The same in words: what was not seen, why, and what it needs.
 *
 * @param query in.
 * @return a line for each bit of ebpfnet_query_missing(), "" if nothing is missing; borrowed.
 *
 * Thread-safety: safe.
 * Kernel: any; the kernel is not asked.
 * @see ebpfnet_query_missing
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_query_missing_text(const struct ebpfnet_query *query);

/** A process that holds an attachment; filled by ebpfnet_query_owner(). */
struct ebpfnet_query_owner {
	size_t sz; /* sizeof(struct ebpfnet_query_owner) */
	uint32_t pid;
	uint32_t reserved;
	char comm[16]; /* /proc/PID/comm */
};

/**
 * @brief One of the processes that hold an attachment.
 *
 * It has a descriptor of the link; where there is no link, of the program, or of the sockmap.
 * Processes that this one's /proc does not show are not among them.
 *
 * @param query in; of ebpfnet_netns_query().
 * @param i in: the entry, as of ebpfnet_query_entry().
 * @param j in: below the entry's owner_count; by rising pid.
 * @param owner out; the caller sets sz.
 * @return 0, or -ENOENT (no such entry or owner), -EINVAL (sz).
 *
 * Thread-safety: safe.
 * Kernel: any; the kernel is not asked.
 * @see ebpfnet_netns_query
 * @since 0.1
 */
EBPFNET_API int ebpfnet_query_owner(const struct ebpfnet_query *query, size_t i, size_t j,
				    struct ebpfnet_query_owner *owner);

/**
 * @brief Where an attachment is pinned: its link; where there is no link, its program or map.
 *
 * @param query in; of ebpfnet_netns_query().
 * @param i in: the entry, as of ebpfnet_query_entry().
 * @return one of its pins, borrowed; NULL: none was seen in this mount namespace.
 *
 * Thread-safety: safe.
 * Kernel: any; the kernel is not asked.
 * @see ebpfnet_netns_query
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_query_pin(const struct ebpfnet_query *query, size_t i);

/**
 * @brief The path of the cgroup that an entry belongs to.
 *
 * @param query in; of ebpfnet_netns_query() with EBPFNET_QUERY_CGROUPS.
 * @param i in: the entry, as of ebpfnet_query_entry().
 * @return the folder, absolute, borrowed; NULL: an entry of no cgroup.
 *
 * Thread-safety: safe.
 * Kernel: any; the kernel is not asked.
 * @see ebpfnet_netns_query
 * @since 0.1
 */
EBPFNET_API const char *ebpfnet_query_cgroup(const struct ebpfnet_query *query, size_t i);

/**
 * @brief The revision of the hook when it was queried: it grows with each change.
 *
 * Given as expected_revision, an attach succeeds only if the hook is as the query found it.
 *
 * @param query in.
 * @return the revision, from 1; 0 if the hook has none (clsact), or of several hooks.
 *
 * Thread-safety: safe.
 * Kernel: 6.6 for TCX.
 * @see ebpfnet_tc_attach
 * @since 0.1
 */
EBPFNET_API uint64_t ebpfnet_query_revision(const struct ebpfnet_query *query);

/**
 * @brief How many attachments a query found.
 *
 * @param query in.
 * @return the number.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_query_entry
 * @since 0.1
 */
EBPFNET_API size_t ebpfnet_query_count(const struct ebpfnet_query *query);

/**
 * @brief One attachment that a query found.
 *
 * @param query in.
 * @param i in: below ebpfnet_query_count(); entries are in the order in which they run.
 * @param entry out; the caller sets sz.
 * @return 0, or -ENOENT (no such entry), -EINVAL (sz).
 *
 * Thread-safety: safe.
 * Kernel: any; the kernel is not asked.
 * @see ebpfnet_query_count
 * @since 0.1
 */
EBPFNET_API int ebpfnet_query_entry(const struct ebpfnet_query *query, size_t i,
				    struct ebpfnet_query_entry *entry);

/**
 * @brief Frees the answer of a query.
 *
 * @param query in, may be NULL.
 *
 * Thread-safety: safe.
 * Kernel: any.
 * @see ebpfnet_tc_query
 * @since 0.1
 */
EBPFNET_API void ebpfnet_query_free(struct ebpfnet_query *query);

/*
 * XDP chains. The kernel runs one XDP program per interface; a chain makes it several. It belongs to
 * the interface, not to a process: stages stay until they are removed or the interface goes, and any
 * process that may, edits them.
 *
 *	ebpfnet_chain_open(ctx, ifindex, NULL, &chain, &err);
 *	ebpfnet_chain_append(chain, firewall, &err);
 *	ebpfnet_chain_append(chain, balancer, &err);
 *	ebpfnet_chain_close(chain);
 *
 * A packet that a stage passes goes to the next one; drop, transmit and redirect end the chain.
 * Programs become stages by <ebpfnet/bpf/chain.h>; one that does not use it can be the last stage.
 */
struct ebpfnet_chain;

/** Options of ebpfnet_chain_open(). */
struct ebpfnet_chain_opts {
	size_t sz;	  /* sizeof(struct ebpfnet_chain_opts) */
	uint32_t mode;	  /* enum ebpfnet_xdp_mode, of a root that is made; 0: native */
	int32_t netns_fd; /* namespace of the interface; 0: the calling thread's */
	uint32_t slots;	  /* of a root that is made: ifindexes below it; 0: 1,024 */
	uint32_t reserved;
};

/**
 * @brief Opens the chain of an interface, which may have no stages yet.
 *
 * The first stage attaches a root to the interface, the last one that is removed takes it away. Root
 * and slots are pinned below BPFFS/ebpfnet/xdp-chain/NETNS/IFINDEX/.
 *
 * @param ctx in; the chain holds its own reference.
 * @param ifindex in: if_nametoindex(3), in the namespace of opts.netns_fd.
 * @param opts in, may be NULL: native mode, this thread's namespace, 1,024 slots.
 * @param chain out; owned by the caller, ends with ebpfnet_chain_close().
 * @param err out, may be NULL.
 * @return 0, or -ENODEV (no such interface), -E2BIG (no slot for this ifindex), -EINVAL (mode),
 * -EBADF (netns_fd), -ENOMEM.
 *
 * Thread-safety: safe.
 * Kernel: 5.9; the editing calls need CAP_NET_ADMIN, CAP_BPF and CAP_SYS_ADMIN (programs by id).
 * @see ebpfnet_chain_append
 * @since 0.1
 */
EBPFNET_API int ebpfnet_chain_open(struct ebpfnet_ctx *ctx, int ifindex,
				   const struct ebpfnet_chain_opts *opts,
				   struct ebpfnet_chain **chain, struct ebpfnet_error **err);

/**
 * @brief Adds a program as the last stage.
 *
 * One slot is written: a packet meets the chain without the stage or with it.
 *
 * @param chain in.
 * @param prog in; loaded, XDP; may be closed afterwards, the chain keeps it.
 * @param err out, may be NULL.
 * @return 0, or -EINVAL kind INCOMPATIBLE (the last stage does not hand packets on; frags or
 * expected attach type differ), -EEXIST (it is a stage already), -ELOOP (it shares its slots with a
 * stage), -E2BIG (33 stages; no slot for this ifindex in the program), -EBUSY (another program is on
 * the interface, named; libxdp's dispatcher too), -EPERM, and what ebpfnet_xdp_attach() gives.
 *
 * Thread-safety: safe, also against other processes: edits wait for each other.
 * Kernel: 5.9.
 * @see ebpfnet_chain_insert
 * @since 0.1
 */
EBPFNET_API int ebpfnet_chain_append(struct ebpfnet_chain *chain,
				     const struct ebpfnet_program *prog,
				     struct ebpfnet_error **err);

/**
 * @brief Adds a program before a stage.
 *
 * @param chain in.
 * @param prog in; loaded, XDP, and it hands packets on; may be closed afterwards.
 * @param before in: a stage of the chain; NULL: behind the last one.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (before is no stage), and what ebpfnet_chain_append() gives.
 *
 * Thread-safety: safe, also against other processes.
 * Kernel: 5.9.
 * @see ebpfnet_chain_append
 * @since 0.1
 */
EBPFNET_API int ebpfnet_chain_insert(struct ebpfnet_chain *chain,
				     const struct ebpfnet_program *prog,
				     const struct ebpfnet_program *before,
				     struct ebpfnet_error **err);

/**
 * @brief Puts a program in the place of a stage: a packet meets the old one or the new one.
 *
 * @param chain in.
 * @param old in: a stage of the chain.
 * @param prog in; loaded, XDP; may be closed afterwards.
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (old is no stage), and what ebpfnet_chain_append() gives.
 *
 * Thread-safety: safe, also against other processes.
 * Kernel: 5.9. Waits until no packet is in the old program.
 * @see ebpfnet_chain_append
 * @since 0.1
 */
EBPFNET_API int ebpfnet_chain_replace(struct ebpfnet_chain *chain,
				      const struct ebpfnet_program *old,
				      const struct ebpfnet_program *prog,
				      struct ebpfnet_error **err);

/**
 * @brief Removes a stage; the last one takes the root with it, and the interface is free.
 *
 * @param chain in.
 * @param prog in: a stage of the chain; after a restart from ebpfnet_chain_query() and
 * ebpfnet_program_open_id().
 * @param err out, may be NULL.
 * @return 0, or -ENOENT (it is no stage), -EPERM.
 *
 * Thread-safety: safe, also against other processes.
 * Kernel: 5.9. Waits until no packet is in the program.
 * @see ebpfnet_chain_query
 * @since 0.1
 */
EBPFNET_API int ebpfnet_chain_remove(struct ebpfnet_chain *chain,
				     const struct ebpfnet_program *prog,
				     struct ebpfnet_error **err);

/**
 * @brief Lists the stages, in the order in which packets meet them.
 *
 * @param chain in.
 * @param query out; owned by the caller, ends with ebpfnet_query_free(). A copy.
 * @param err out, may be NULL.
 * @return 0 (also if there are none), or -EPERM, -ENOMEM.
 *
 * Thread-safety: safe, also against other processes.
 * Kernel: 5.9; CAP_SYS_ADMIN.
 * @see ebpfnet_query_entry
 * @since 0.1
 */
EBPFNET_API int ebpfnet_chain_query(struct ebpfnet_chain *chain, struct ebpfnet_query **query,
				    struct ebpfnet_error **err);

/**
 * @brief Closes the handle; the chain and its stages stay.
 *
 * @param chain in, may be NULL.
 *
 * Thread-safety: not safe for one handle.
 * Kernel: any.
 * @see ebpfnet_chain_remove
 * @since 0.1
 */
EBPFNET_API void ebpfnet_chain_close(struct ebpfnet_chain *chain);

#ifdef __cplusplus
}
#endif

#endif /* EBPFNET_ATTACH_H */
