// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Who holds what a query found: descriptors, as /proc/PID/fdinfo tells them, and pins. Both are
 * read once for all entries.
 */
#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "attach/netns_query.h"
#include "load/pin.h"

/* Descriptors of the machine that are looked at; a look is about 2 us. */
#define DESCRIPTORS_MAX 4000000
/* Files below all bpffs. */
#define PINS_MAX 100000
#define FDINFO_SIZE 1024
#define MOUNTINFO_MAX (16u << 20)

/* A descriptor or a pin. */
struct hold {
	uint32_t noun, id; /* enum ebpfnet__bpf_noun */
	uint32_t pid;
	char comm[16];
	char *path;
};

struct holds {
	struct hold *list;
	size_t count, room;
	size_t left, refused;
	bool nomem;
};

static void ebpfnet__cleanup_holds(struct holds *holds)
{
	for (size_t i = 0; i < holds->count; i++)
		free(holds->list[i].path);
	free(holds->list);
}

static void add(struct holds *holds, const struct hold *hold)
{
	if (holds->count == holds->room) {
		size_t room = holds->room ? 2 * holds->room : 64;
		void *list = reallocarray(holds->list, room, sizeof(*hold));

		holds->nomem |= !list;
		if (!list)
			return;
		holds->list = list;
		holds->room = room;
	}
	holds->list[holds->count++] = *hold;
}

static int compare(const void *a, const void *b)
{
	const struct hold *x = a, *y = b;

	if (x->noun != y->noun)
		return x->noun < y->noun ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* The first hold of a thing in the sorted list; the list's count if there is none. */
static size_t first_of(const struct holds *holds, uint32_t noun, uint32_t id)
{
	struct hold key = { .noun = noun, .id = id };
	size_t low = 0, high = holds->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare(&holds->list[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < holds->count && holds->list[low].noun == noun && holds->list[low].id == id)
		return low;
	return holds->count;
}

/* "link_id:\t7": of a link there are also those of its program and map. */
static uint32_t number_of(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at && (at == text || at[-1] == '\n') ? (uint32_t)strtoul(at + strlen(key), NULL, 10)
						    : 0;
}

static void read_fdinfo(int pid_fd, const char *fd_name, struct hold *hold, struct holds *holds)
{
	char path[32], text[FDINFO_SIZE];
	CLEANUP(fd) int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "fdinfo/%.16s", fd_name);
	fd = ebpfnet__fd_safe(openat(pid_fd, path, O_RDONLY | O_CLOEXEC));
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0) /* closed meanwhile */
		return;
	text[n] = '\0';
	hold->noun = EBPFNET__NOUN_LINK;
	hold->id = number_of(text, "link_id:");
	if (!hold->id) {
		hold->noun = EBPFNET__NOUN_MAP;
		hold->id = number_of(text, "map_id:");
	}
	if (!hold->id) {
		hold->noun = EBPFNET__NOUN_PROGRAM;
		hold->id = number_of(text, "prog_id:");
	}
	if (hold->id)
		add(holds, hold);
}

static void read_comm(int pid_fd, struct hold *hold)
{
	CLEANUP(fd) int fd = ebpfnet__fd_safe(openat(pid_fd, "comm", O_RDONLY | O_CLOEXEC));
	ssize_t n = fd < 0 ? 0 : read(fd, hold->comm, sizeof(hold->comm) - 1);

	hold->comm[n > 0 ? n : 0] = '\0';
	hold->comm[strcspn(hold->comm, "\n")] = '\0';
}

/* Only of a descriptor whose name says that it is one of bpf(2)'s the rest is read. */
static void scan_process(int proc_fd, const char *pid, struct holds *holds)
{
	CLEANUP(fd)
	int pid_fd = ebpfnet__fd_safe(openat(proc_fd, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int fd = pid_fd < 0 ? -1 : openat(pid_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct hold hold = { .pid = (uint32_t)strtoul(pid, NULL, 10) };
	const struct dirent *entry;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		holds->refused += errno == EACCES || errno == EPERM;
		if (fd >= 0)
			close(fd);
		return;
	}
	while (holds->left && (entry = readdir(dir))) {
		char target[32];
		ssize_t n;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		n = readlinkat(fd, entry->d_name, target, sizeof(target) - 1);

		holds->left--;
		if (n < 0 && (errno == EACCES || errno == EPERM)) {
			holds->refused++; /* and so it is with all the others */
			break;
		}
		if (n < 14 || strncmp(target, "anon_inode:bpf", 14) != 0)
			continue;
		if (!*hold.comm)
			read_comm(pid_fd, &hold);
		read_fdinfo(pid_fd, entry->d_name, &hold, holds);
	}
	closedir(dir);
}

static int scan_processes(struct holds *holds)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (!proc)
		return -errno;
	holds->left = DESCRIPTORS_MAX;
	while (holds->left && (entry = readdir(proc))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			scan_process(dirfd(proc), entry->d_name, holds);
	}
	closedir(proc);
	if (holds->count)
		qsort(holds->list, holds->count, sizeof(*holds->list), compare);
	return 0;
}

/* The owners of one thing become those of an entry; a process has one place, however many
 * descriptors. */
static int give(struct ebpfnet__netns_query *q, size_t i, const struct holds *holds, uint32_t noun,
		uint32_t id)
{
	struct ebpfnet__query_detail *detail = &q->query->details[i];
	struct ebpfnet_query_entry *entry = &q->query->entries[i];
	size_t at = id ? first_of(holds, noun, id) : holds->count;

	for (; at < holds->count && holds->list[at].noun == noun && holds->list[at].id == id;
	     at++) {
		const struct hold *hold = &holds->list[at];
		struct ebpfnet_query_owner *owner;
		uint32_t k = 0;

		while (k < entry->owner_count && detail->owners[k].pid != hold->pid)
			k++;
		if (k < entry->owner_count)
			continue;
		owner = reallocarray(detail->owners, k + 1, sizeof(*owner));
		if (!owner)
			return ebpfnet__fail_nomem(q->call);
		detail->owners = owner;
		owner[k] = (struct ebpfnet_query_owner) { .sz = sizeof(*owner), .pid = hold->pid };
		memcpy(owner[k].comm, hold->comm, sizeof(owner[k].comm));
		entry->owner_count = k + 1;
	}
	return 0;
}

static int compare_owners(const void *a, const void *b)
{
	const struct ebpfnet_query_owner *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int give_owners(struct ebpfnet__netns_query *q, size_t i, const struct holds *holds)
{
	struct ebpfnet__query_detail *detail = &q->query->details[i];
	struct ebpfnet_query_entry *entry = &q->query->entries[i];
	int ret;

	if (entry->link_id)
		return give(q, i, holds, EBPFNET__NOUN_LINK, entry->link_id);
	ret = give(q, i, holds, EBPFNET__NOUN_PROGRAM, entry->program_id);
	if (ret == 0)
		ret = give(q, i, holds, EBPFNET__NOUN_MAP, entry->map_id);
	if (entry->owner_count > 1)
		qsort(detail->owners, entry->owner_count, sizeof(*detail->owners), compare_owners);
	return ret;
}

int ebpfnet__query_owners(struct ebpfnet__netns_query *q)
{
	CLEANUP(holds) struct holds holds = { 0 };
	int code = q->query->count ? scan_processes(&holds) : 0, ret = 0;

	if (holds.nomem)
		return ebpfnet__fail_nomem(q->call);
	for (size_t i = 0; i < q->query->count && ret == 0; i++) {
		struct ebpfnet_query_entry *entry = &q->query->entries[i];

		ret = give_owners(q, i, &holds);
		if (entry->owner_count == 0)
			continue;
		entry->owner_pid = q->query->details[i].owners[0].pid;
		memcpy(entry->owner_comm, q->query->details[i].owners[0].comm,
		       sizeof(entry->owner_comm));
	}
	if (code)
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_OWNERS, "owners: /proc: %s",
				    ebpfnet_strerror(code));
	else if (holds.refused)
		ebpfnet__query_miss(
			q->query, EBPFNET_MISSING_OWNERS,
			"owners: %zu of the processes do not show their descriptors (needs "
			"CAP_SYS_PTRACE)",
			holds.refused);
	else if (q->query->count && holds.left == 0)
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_OWNERS,
				    "owners: only %d descriptors of this machine were looked at",
				    DESCRIPTORS_MAX);
	return ret;
}

static int read_pin(struct ebpfnet__walk *walk, const char *path)
{
	CLEANUP(fd) int fd = ebpfnet__fd_safe(bpf_obj_get(path));
	struct hold hold = { .noun = fd < 0 ? 0 : ebpfnet__fd_noun(fd) };
	struct holds *holds = walk->data;
	struct bpf_prog_info prog = { 0 };
	struct bpf_link_info link = { 0 };
	struct bpf_map_info map = { 0 };

	if (fd < 0 && errno != ENOENT && walk->code == 0)
		walk->code = -errno;
	if (hold.noun == EBPFNET__NOUN_LINK && !ebpfnet__info_by_fd(fd, &link, sizeof(link)))
		hold.id = link.id;
	if (hold.noun == EBPFNET__NOUN_PROGRAM && !ebpfnet__info_by_fd(fd, &prog, sizeof(prog)))
		hold.id = prog.id;
	if (hold.noun == EBPFNET__NOUN_MAP && !ebpfnet__info_by_fd(fd, &map, sizeof(map)))
		hold.id = map.id;
	if (hold.id == 0)
		return 0;
	hold.path = strdup(path);
	holds->nomem |= !hold.path;
	add(holds, &hold);
	if (holds->nomem)
		free(hold.path);
	return holds->nomem ? -ENOMEM : 0;
}

/* "41 28 0:36 / /sys/fs/bpf rw,nosuid shared:20 - bpf bpf rw,mode=700" */
static int walk_bpffs(struct ebpfnet__walk *walk)
{
	CLEANUP(free) char *text = NULL;
	char *line, *lines, *words;
	size_t size;
	int ret = ebpfnet__file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &text, &size);

	for (line = ret ? NULL : strtok_r(text, "\n", &lines); line && ret == 0;
	     line = strtok_r(NULL, "\n", &lines)) {
		const char *point = NULL;

		if (!strstr(line, " - bpf "))
			continue;
		point = strtok_r(line, " ", &words);
		for (int i = 0; i < 4 && point; i++)
			point = strtok_r(NULL, " ", &words);
		if (point)
			ret = ebpfnet__walk(walk, point);
	}
	return ret;
}

static const struct hold *pin_of(const struct holds *holds, const struct ebpfnet_query_entry *entry)
{
	size_t at;

	if (entry->link_id) {
		at = first_of(holds, EBPFNET__NOUN_LINK, entry->link_id);
	} else {
		at = entry->program_id ? first_of(holds, EBPFNET__NOUN_PROGRAM, entry->program_id)
				       : holds->count;
		if (at == holds->count && entry->map_id)
			at = first_of(holds, EBPFNET__NOUN_MAP, entry->map_id);
	}
	return at < holds->count ? &holds->list[at] : NULL;
}

int ebpfnet__query_pins(struct ebpfnet__netns_query *q)
{
	CLEANUP(holds) struct holds pins = { 0 };
	struct ebpfnet__walk walk = { .file = read_pin, .data = &pins, .left = PINS_MAX };
	int ret = q->query->count ? walk_bpffs(&walk) : 0;

	if (pins.nomem)
		return ebpfnet__fail_nomem(q->call);
	if (ret || walk.code)
		ebpfnet__query_miss(q->query, EBPFNET_MISSING_PINS, "pins: %s",
				    ebpfnet_strerror(ret ? ret : walk.code));
	if (pins.count)
		qsort(pins.list, pins.count, sizeof(*pins.list), compare);
	for (size_t i = 0; i < q->query->count; i++) {
		const struct hold *pin = pin_of(&pins, &q->query->entries[i]);

		if (!pin)
			continue;
		q->query->details[i].pin = strdup(pin->path);
		if (!q->query->details[i].pin)
			return ebpfnet__fail_nomem(q->call);
		q->query->entries[i].pinned = 1;
	}
	return 0;
}
