// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The links of the kernel, and which of them holds a program that a hook told without it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "attach/netns_query.h"
#include "attach/rtnl.h"
#include "load/pin.h"

/* The kernel's numbers go on growing, the walk must not. */
#define LINKS_MAX 100000

void ebpfnet__cleanup_links(struct ebpfnet__links *links)
{
	free(links->list);
	free(links->used);
}

static struct bpf_link_info *add(struct ebpfnet__links *links)
{
	if (links->count == links->room) {
		size_t room = links->room ? 2 * links->room : 64;
		void *list = reallocarray(links->list, room, sizeof(*links->list));

		if (!list)
			return NULL;
		links->list = list;
		links->room = room;
	}
	memset(&links->list[links->count], 0, sizeof(*links->list));
	return &links->list[links->count];
}

int ebpfnet__links_read(struct ebpfnet__netns_query *q)
{
	struct ebpfnet__links *links = &q->links;
	uint32_t id = 0;

	for (int i = 0; i < LINKS_MAX && links->code == 0; i++) {
		CLEANUP(fd) int fd = -1;
		struct bpf_link_info *info;

		if (bpf_link_get_next_id(id, &id)) {
			links->code = errno == ENOENT ? 0 : -errno;
			break;
		}
		fd = bpf_link_get_fd_by_id(id);
		info = add(links);
		if (!info)
			return ebpfnet__fail_nomem(q->call);
		if (fd < 0) /* gone meanwhile, or not for us */
			links->code = errno == ENOENT ? 0 : -errno;
		else if (ebpfnet__info_by_fd(fd, info, sizeof(*info)) == 0)
			links->count++;
		if (i == LINKS_MAX - 1)
			links->code = -E2BIG;
	}
	links->used = calloc(links->count + 1, sizeof(*links->used));
	if (!links->used)
		return ebpfnet__fail_nomem(q->call);
	/* A kernel before 5.8 knows no links to list. */
	if (links->code == -EINVAL)
		links->code = 0;
	if (links->code)
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_LINKS,
				    "links: %s: which link holds a program, and whether one does, "
				    "needs CAP_SYS_ADMIN",
				    ebpfnet_strerror(links->code));
	return 0;
}

size_t ebpfnet__links_match(const struct ebpfnet__links *links,
			    bool (*is)(const struct bpf_link_info *info, const void *what),
			    const void *what, size_t *at)
{
	size_t n = 0, free = links->count;

	*at = links->count;
	for (size_t i = 0; i < links->count; i++) {
		if (!is(&links->list[i], what))
			continue;
		if (n++ == 0)
			*at = i;
		if (free == links->count && !links->used[i])
			free = i;
	}
	if (free < links->count)
		*at = free;
	return n;
}

struct xdp_place {
	uint32_t ifindex, prog_id;
};

static bool is_xdp(const struct bpf_link_info *info, const void *what)
{
	const struct xdp_place *place = what;

	return info->type == BPF_LINK_TYPE_XDP && info->xdp.ifindex == place->ifindex &&
	       info->prog_id == place->prog_id;
}

/*
 * Whether a link holds the program of a mode: 1, 0, -errno. The kernel says of an XDP link which
 * ifindex it has, but not in which namespace. So it is asked to replace a program that certainly is
 * not there (REPLACE compares, 5.7): EBUSY is its answer for a link, EEXIST for any other program,
 * and it changes nothing.
 */
static int held_by_link(struct ebpfnet__netns_query *q, int ifindex, uint32_t mode)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const uint32_t modes[] = {
		[EBPFNET_XDP_NATIVE] = XDP_FLAGS_DRV_MODE,
		[EBPFNET_XDP_GENERIC] = XDP_FLAGS_SKB_MODE,
		[EBPFNET_XDP_OFFLOAD] = XDP_FLAGS_HW_MODE,
	};
	int ret;

	if (q->ask_fd < 0)
		q->ask_fd = ebpfnet__fd_safe(bpf_prog_load(BPF_PROG_TYPE_XDP, "ebpfnet_ask",
							   "Dual BSD/GPL", pass, 2, NULL));
	if (q->ask_fd < 0)
		return -errno;
	ret = ebpfnet__rtnl_xdp_set(q->rtnl, ifindex, q->ask_fd, modes[mode] | XDP_FLAGS_REPLACE,
				    q->ask_fd);
	if (ret == -EBUSY)
		return 1;
	return ret == -EEXIST ? 0 : ret ? ret : -EIO;
}

long ebpfnet__query_xdp_link(struct ebpfnet__netns_query *q, int ifindex, uint32_t mode,
			     uint32_t prog_id)
{
	struct xdp_place place = { (uint32_t)ifindex, prog_id };
	size_t at, n = ebpfnet__links_match(&q->links, is_xdp, &place, &at);
	int held;

	if (n == 0 && q->links.code == 0)
		return -1;
	held = held_by_link(q, ifindex, mode);
	if (held == 0)
		return -1;
	if (held < 0)
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_LINKS,
				    "links: whether one holds an XDP program: %s (needs "
				    "CAP_NET_ADMIN and CAP_BPF)",
				    ebpfnet_strerror(held));
	if (n > 1)
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_LINKS,
				    "links: %zu hold program %u on interfaces of number %d, and "
				    "the kernel does not tell in which namespace each is",
				    n, prog_id, ifindex);
	return n == 1 ? (long)at : (long)q->links.count;
}
