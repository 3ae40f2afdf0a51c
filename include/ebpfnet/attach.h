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

/** The hook of a link. Values are never reused. */
enum ebpfnet_link_kind {
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
	uint32_t family;  /* of netfilter: NFPROTO_IPV4 or _IPV6 */
	int32_t priority; /* of clsact and netfilter: the lower runs first */
	uint32_t handle;  /* of clsact */
	uint32_t map_id;  /* of a sockmap */
	uint32_t reserved;
	uint64_t cgroup_id;   /* inode of the cgroup; 0 if it is gone */
	uint64_t netns_inode; /* of a hook of a network namespace; 0 if it is gone */
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
 * -ENOLINK kind DEFUNCT (the device is gone), -EPERM.
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
 * A bpf_link is pinned itself. Of an attachment over netlink the program is pinned, and beside it,
 * as PATH-record, what is needed to find the attachment again.
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
 * DEFUNCT (an attachment over netlink that is no longer there), -EPERM.
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
 * @return 0 (also if the device is gone), or -ESTALE (over netlink: another program is attached,
 * and is left alone), -EPERM (a forked child, or a capability is missing), -EOPNOTSUPP (before 5.9
 * a link cannot be detached by force; close it and remove its pin).
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
 * @return borrowed fd, or -EBADF for an attachment over netlink, which has none.
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

#ifdef __cplusplus
}
#endif

#endif /* EBPFNET_ATTACH_H */
