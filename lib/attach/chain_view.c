// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Reading a chain out of the kernel: from slot to program to its slots, until one is empty. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "attach/chain.h"
#include "attach/link.h"
#include "load/object.h"
#include "load/pin.h"
#include "load/pin_folder.h"

/* How often a folder may vanish between being made and being locked. */
#define LOCK_TRIES 100
/* Maps that are looked at for a program's slots: more than the kernel lets a program have. */
#define MAPS_MAX 64

/*
 * Waits until every packet that was in a program when this was called has left it: on more than one
 * CPU MEMBARRIER_CMD_GLOBAL is synchronize_rcu() (kernel/sched/membarrier.c), and with one CPU no
 * packet is in a program while this runs. False: it cannot be known (nohz_full).
 */
bool ebpfnet__chain_wait(void)
{
	return syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0;
}

static bool still_there(int fd, const char *folder)
{
	struct stat held, there;

	return fstat(fd, &held) == 0 && stat(folder, &there) == 0 && held.st_ino == there.st_ino &&
	       held.st_dev == there.st_dev;
}

int ebpfnet__chain_lock(struct ebpfnet__call *call, const struct ebpfnet_chain *chain)
{
	struct ebpfnet__folders folders;
	char inside[PATH_MAX + 8];

	snprintf(inside, sizeof(inside), "%s/root", chain->folder);
	for (int i = 0; i < LOCK_TRIES; i++) {
		int ret = ebpfnet__folders_make(call, inside, &folders);
		int fd;

		ebpfnet__folders_end(&folders, ret == 0);
		if (ret)
			return ret;
		fd = ebpfnet__fd_safe(open(chain->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		if (fd < 0)
			continue;
		while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
			;
		/* Another editor may have removed the last stage, and the folder, meanwhile. */
		if (still_there(fd, chain->folder))
			return fd;
		close(fd);
	}
	return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY, "%s comes and goes", chain->folder);
}

void ebpfnet__stage_end(struct ebpfnet__stage *stage)
{
	if (stage->prog_fd >= 0)
		close(stage->prog_fd);
	if (stage->slots_fd >= 0)
		close(stage->slots_fd);
	stage->prog_fd = stage->slots_fd = -1;
}

static bool is_stage(const struct ebpfnet__chain_view *view, const char *name)
{
	for (size_t i = 0; i < view->count; i++)
		if (strtoul(name, NULL, 10) == view->stages[i].program_id)
			return true;
	return false;
}

/*
 * Removes what editors left that were killed: the pins of stages that are not in the chain, and all
 * of them if there is no chain. Packets may be in such a stage still, just taken out.
 */
static void remove_left_over(const struct ebpfnet__chain_view *view)
{
	DIR *dir = opendir(view->chain->folder);
	const struct dirent *entry;
	bool waited = false;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_REG || is_stage(view, entry->d_name) ||
		    (view->root_slots >= 0 && strspn(entry->d_name, "0123456789") == 0))
			continue;
		if (!waited)
			ebpfnet__chain_wait();
		waited = true;
		unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

static bool is_slots(int fd, struct bpf_map_info *info)
{
	return ebpfnet__info_by_fd(fd, info, sizeof(*info)) == 0 &&
	       info->type == BPF_MAP_TYPE_PROG_ARRAY &&
	       strcmp(info->name, EBPFNET__SLOTS_NAME) == 0;
}

/* Fills a stage from its program's fd, which it takes. Returns 0 or -errno. */
static int read_stage(int prog_fd, struct ebpfnet__stage *stage)
{
	__u32 ids[MAPS_MAX];
	struct bpf_prog_info info = { .nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)ids };
	int ret = ebpfnet__info_by_fd(prog_fd, &info, sizeof(info));

	*stage = (struct ebpfnet__stage) { .prog_fd = prog_fd, .slots_fd = -1 };
	if (ret)
		return ret;
	stage->program_id = info.id;
	for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++) {
		int fd = ebpfnet__fd_safe(bpf_map_get_fd_by_id(ids[i]));
		struct bpf_map_info map = { 0 };

		if (fd < 0)
			return -errno;
		if (is_slots(fd, &map)) {
			stage->slots_fd = fd;
			stage->slots_id = map.id;
			return 0;
		}
		close(fd);
	}
	return 0;
}

static int fail_read(struct ebpfnet__call *call, int code, const char *what)
{
	if (code == -EPERM)
		ebpfnet__hint(call, "reading a chain needs CAP_SYS_ADMIN: programs by their ids");
	return ebpfnet__fail(call, code, 0, "%s: %s", what, ebpfnet_strerror(code));
}

int ebpfnet__stage_of(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
		      struct ebpfnet__stage *stage)
{
	int fd, ret;

	*stage = (struct ebpfnet__stage) { .prog_fd = -1, .slots_fd = -1 };
	if (prog->fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is not loaded", prog->name);
	fd = ebpfnet__fd_dup(prog->fd);
	if (fd < 0)
		return ebpfnet__fail(call, fd, 0, "%s", ebpfnet_strerror(fd));
	ret = read_stage(fd, stage);
	return ret ? fail_read(call, ret, prog->name) : 0;
}

/* The stage in a slot: 1, or 0 if it is empty, or -errno. */
static int next_stage(int slots, __u32 ifindex, struct ebpfnet__stage *stage)
{
	__u32 id;
	int fd, ret;

	*stage = (struct ebpfnet__stage) { .prog_fd = -1, .slots_fd = -1 };
	if (bpf_map_lookup_elem(slots, &ifindex, &id) < 0)
		return errno == ENOENT ? 0 : -errno;
	fd = ebpfnet__fd_safe(bpf_prog_get_fd_by_id(id));
	if (fd < 0)
		return -errno;
	ret = read_stage(fd, stage);
	return ret ? ret : 1;
}

static int walk(struct ebpfnet__call *call, const struct ebpfnet_chain *chain,
		struct ebpfnet__chain_view *view)
{
	int slots = view->root_slots;

	while (slots >= 0) {
		struct ebpfnet__stage stage;
		int ret = next_stage(slots, (__u32)chain->ifindex, &stage);

		if (ret <= 0) {
			ebpfnet__stage_end(&stage);
			return ret ? fail_read(call, ret, "stage of the chain") : 0;
		}
		if (view->count == EBPFNET__STAGES_MAX) {
			ebpfnet__stage_end(&stage);
			return ebpfnet__fail(call, -ELOOP, EBPFNET_ERROR_INVALID,
					     "it has more than %d stages, or leads back to itself",
					     EBPFNET__STAGES_MAX);
		}
		view->stages[view->count++] = stage;
		slots = stage.slots_fd;
	}
	return 0;
}

/* Whether the root is attached; a pin of it may outlive a device, or an editor that was killed. */
static bool root_is_attached(const char *path)
{
	CLEANUP(fd) int fd = bpf_obj_get(path);
	struct bpf_link_info info = { 0 };

	return fd >= 0 && ebpfnet__info_by_fd(fd, &info, sizeof(info)) == 0 &&
	       info.type == BPF_LINK_TYPE_XDP && info.xdp.ifindex != 0;
}

int ebpfnet__chain_view(struct ebpfnet__call *call, const struct ebpfnet_chain *chain,
			struct ebpfnet__chain_view *view)
{
	char path[PATH_MAX + 8];
	int ret;

	*view = (struct ebpfnet__chain_view) { .chain = chain, .root_slots = -1 };
	view->lock = ebpfnet__chain_lock(call, chain);
	if (view->lock < 0)
		return view->lock;
	snprintf(path, sizeof(path), "%s/root", chain->folder);
	if (!root_is_attached(path)) {
		/* Slots without a root: an editor was killed in the middle. */
		remove_left_over(view);
		return 0;
	}
	snprintf(path, sizeof(path), "%s/slots", chain->folder);
	view->root_slots = ebpfnet__pin_get(call, path, EBPFNET__NOUN_MAP);
	if (view->root_slots < 0)
		return view->root_slots;
	ret = walk(call, chain, view);
	if (ret == 0)
		remove_left_over(view);
	return ret;
}

void ebpfnet__chain_view_end(struct ebpfnet__chain_view *view)
{
	while (view->count)
		ebpfnet__stage_end(&view->stages[--view->count]);
	if (view->root_slots >= 0)
		close(view->root_slots);
	if (view->lock >= 0) {
		/* It was made for the lock; it stays if there is a chain in it. */
		ebpfnet__folders_prune(view->chain->ctx, view->chain->folder);
		close(view->lock);
	}
}
