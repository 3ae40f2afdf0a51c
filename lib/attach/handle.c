// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What a hook's file needs to make a link and to name a program; link.c stands above the hooks. */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "attach/link.h"
#include "load/pin.h"

/* Links looked at to find one: the kernel's numbers go on growing, the walk must not. */
#define LINKS_MAX 100000

struct ebpfnet_link *ebpfnet__link_new(struct ebpfnet__call *call, uint32_t kind, int ifindex,
				       int netns_fd)
{
	struct ebpfnet_link *link = calloc(1, sizeof(*link));

	if (!link) {
		ebpfnet__fail_nomem(call);
		return NULL;
	}
	link->ctx = ebpfnet_ctx_ref(call->ctx);
	link->kind = kind;
	link->ifindex = ifindex;
	link->fd = -1;
	link->prog_fd = -1;
	link->target_fd = -1;
	link->sock_fd = -1;
	link->record_fd = -1;
	link->owner = getpid();
	if (netns_fd) {
		int dup = ebpfnet__fd_dup(netns_fd);

		if (dup < 0) {
			ebpfnet__fail(call, dup, 0, "netns_fd: %s", ebpfnet_strerror(dup));
			ebpfnet__link_free(link);
			return NULL;
		}
		link->netns_fd = dup;
	}
	return link;
}

void ebpfnet__link_free(struct ebpfnet_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	if (link->prog_fd >= 0)
		close(link->prog_fd);
	if (link->target_fd >= 0)
		close(link->target_fd);
	if (link->record_fd >= 0)
		close(link->record_fd);
	if (link->netns_fd > 0)
		close(link->netns_fd);
	free(link->pin);
	ebpfnet_ctx_unref(link->ctx);
	free(link);
}

uint32_t ebpfnet__link_find(bool (*match)(const struct bpf_link_info *info, const void *data),
			    const void *data, struct bpf_link_info *info)
{
	uint32_t id = 0;

	for (int i = 0; i < LINKS_MAX && bpf_link_get_next_id(id, &id) == 0; i++) {
		CLEANUP(fd) int fd = bpf_link_get_fd_by_id(id);

		memset(info, 0, sizeof(*info));
		if (fd >= 0 && ebpfnet__info_by_fd(fd, info, sizeof(*info)) == 0 &&
		    match(info, data))
			return id;
	}
	return 0;
}

uint32_t ebpfnet__program_id(int prog_fd)
{
	struct bpf_prog_info info = { 0 };

	return ebpfnet__info_by_fd(prog_fd, &info, sizeof(info)) ? 0 : info.id;
}

void ebpfnet__program_label(uint32_t id, char *label, size_t size)
{
	CLEANUP(fd) int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = { 0 };

	if (fd >= 0 && ebpfnet__info_by_fd(fd, &info, sizeof(info)) == 0 && info.name[0])
		snprintf(label, size, "program %u (%s)", id, info.name);
	else
		snprintf(label, size, "program %u", id);
}
