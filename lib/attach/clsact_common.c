// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "attach/clsact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "attach/record.h"
#include "load/pin.h"

#define NAME_FORMAT "ebpfnet:%u%c:%s"
#define QDISC_OURS 'q'
#define QDISC_THEIRS '-'
#define LOCK_TRIES 2000
#define LOCK_PAUSE_NS 1000000

bool ebpfnet__mark_read(const struct ebpfnet__filter *f, struct ebpfnet__mark *mark)
{
	char made;
	int end = 0;

	if (strcmp(f->kind, "bpf") != 0 ||
	    sscanf(f->name, "ebpfnet:%u%c:%n", &mark->record_id, &made, &end) != 2 || end == 0)
		return false;
	mark->made_qdisc = made == QDISC_OURS;
	mark->program = f->name + end;
	return made == QDISC_OURS || made == QDISC_THEIRS;
}

void ebpfnet__mark_write(struct ebpfnet__filter *f, uint32_t record_id, bool made_qdisc,
			 int prog_fd)
{
	struct bpf_prog_info info = { 0 };

	ebpfnet__info_by_fd(prog_fd, &info, sizeof(info));
	snprintf(f->name, sizeof(f->name), NAME_FORMAT, record_id,
		 made_qdisc ? QDISC_OURS : QDISC_THEIRS, info.name);
}

bool ebpfnet__clsact_is(const struct ebpfnet__filter *f, const struct ebpfnet_link *link)
{
	uint32_t id = ebpfnet__record_id(link->record_fd);
	struct ebpfnet__mark mark;

	if (f->priority != (uint32_t)link->priority || f->handle != link->handle ||
	    !ebpfnet__mark_read(f, &mark) || mark.record_id != id)
		return false;
	return id || f->prog_id == ebpfnet__program_id(link->prog_fd);
}

int ebpfnet__clsact_lock(struct ebpfnet__call *call, int netns_fd, int *lock)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	char path[64] = "/proc/thread-self/ns/net";

	/* An open file of its own: duplicates of one would share the lock. */
	if (netns_fd)
		snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", netns_fd);
	*lock = ebpfnet__fd_safe(open(path, O_RDONLY | O_CLOEXEC));
	if (*lock < 0)
		return ebpfnet__fail(call, -errno, 0, "%s: %s", path, ebpfnet_strerror(errno));
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	ebpfnet__hint(call, "lslocks shows who: a FLOCK on the inode of the network namespace");
	return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
			     "another process keeps the lock of this network namespace");
}

void ebpfnet__cleanup_clsact_lock(int *lock)
{
	if (*lock < 0)
		return;
	/* Closing is not enough while a child that was forked meanwhile has the file open. */
	flock(*lock, LOCK_UN);
	close(*lock);
}

int ebpfnet__clsact_fail(struct ebpfnet__call *call, const struct ebpfnet__rtnl *rtnl, int code)
{
	const char *words = rtnl->extack[0] ? rtnl->extack : ebpfnet_strerror(code);

	ebpfnet__note_extack(call, rtnl->extack);
	switch (code) {
	case -EPERM:
		ebpfnet__hint(call, "CAP_NET_ADMIN in the namespace of the interface");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_PERMISSION, "%s", words);
	case -ENODEV:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_FOUND,
				     "the interface went away");
	default:
		return ebpfnet__fail(call, code, 0, "clsact: %s", words);
	}
}

int ebpfnet__clsact_survey(struct ebpfnet__rtnl *rtnl, int ifindex, bool *empty, bool *ours)
{
	*empty = true;
	*ours = false;
	for (uint32_t d = EBPFNET_INGRESS; d <= EBPFNET_EGRESS; d++) {
		CLEANUP(filters) struct ebpfnet__filters filters = { 0 };
		struct ebpfnet__tc_hook hook = { ifindex, d };
		struct ebpfnet__mark mark;
		int ret = ebpfnet__rtnl_filters(rtnl, &hook, &filters);

		if (ret)
			return ret;
		*empty = *empty && filters.total == 0;
		for (size_t i = 0; i < filters.count; i++)
			*ours |= ebpfnet__mark_read(&filters.list[i], &mark) && mark.made_qdisc;
	}
	return 0;
}

void ebpfnet__clsact_release(struct ebpfnet__rtnl *rtnl, int ifindex, bool made)
{
	char kind[EBPFNET__TC_KIND_MAX];
	bool empty, ours;

	if (made && ebpfnet__clsact_survey(rtnl, ifindex, &empty, &ours) == 0 && empty &&
	    ebpfnet__rtnl_hook_qdisc(rtnl, ifindex, kind) == 0 && strcmp(kind, "clsact") == 0)
		ebpfnet__rtnl_clsact_del(rtnl, ifindex);
}

int ebpfnet__clsact_refuse_twice(struct ebpfnet__call *call, const struct ebpfnet__filters *filters,
				 uint32_t prog_id, const struct ebpfnet__filter *except)
{
	char label[64];

	for (size_t i = 0; i < filters->count; i++) {
		const struct ebpfnet__filter *f = &filters->list[i];

		if (f == except || f->prog_id == 0 || f->prog_id != prog_id)
			continue;
		ebpfnet__program_label(prog_id, label, sizeof(label));
		ebpfnet__hint(call, "a hook takes a program once: load its object again to run it "
				    "twice");
		return ebpfnet__fail(call, -EEXIST, EBPFNET_ERROR_BUSY,
				     "%s is on this hook already, at priority %u", label,
				     f->priority);
	}
	return 0;
}
