// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "link_life.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct link_life *life;
static struct ebpfnet_error *err;
static struct ebpfnet_link *parents_link;

static uint32_t id_of(const struct ebpfnet_program *prog)
{
	struct ebpfnet_program_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_program_info(prog, &info, &err), err);
	return info.id;
}

static struct ebpfnet_link_info info_of(const struct ebpfnet_link *link)
{
	struct ebpfnet_link_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_link_info(link, &info, &err), err);
	return info;
}

static const char *pin_name(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/sys/fs/bpf/ebpfnet/test-%d/life", getpid());
	return path;
}

static void assert_info(const struct ebpfnet_link *link, const struct ebpfnet_program *prog)
{
	struct ebpfnet_link_info info = info_of(link);

	ck_assert_uint_eq(info.kind, life->kind);
	ck_assert_uint_eq(info.via, life->via);
	ck_assert_uint_eq(info.program_id, id_of(prog));
	ck_assert_uint_ne(info.id, 0);
	ck_assert_uint_eq(info.defunct, 0);
}

/* A pin lets go of its link behind an RCU grace period: soon, not at once. */
static void assert_ends_soon(void)
{
	for (int i = 0; i < 50 && life->in_force(); i++)
		usleep(20000);
	ck_assert(!life->in_force());
}

static void attach_and_close(void)
{
	struct ebpfnet_link *link;
	int fd, before = test_open_fds();

	ck_assert(!life->in_force());
	ASSERT_OK(life->attach(life->active, &link, &err), err);
	ck_assert(life->in_force());
	assert_info(link, life->active);
	fd = ebpfnet_link_fd(link);
	ck_assert_int_gt(fd, 2);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	ebpfnet_link_close(link);
	ck_assert(!life->in_force());
	ck_assert_int_eq(test_open_fds(), before);
}

static void update_refused(struct ebpfnet_link *link)
{
	ASSERT_FAILS(ebpfnet_link_update(link, life->idle, NULL, NULL, &err), err, -EOPNOTSUPP,
		     EBPFNET_ERROR_NOT_SUPPORTED, "keeps its program");
	ck_assert(life->in_force());
	ebpfnet_link_close(link);
}

static void update(void)
{
	struct ebpfnet_program *old;
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_link_update_opts, u);
	ASSERT_OK(life->attach(life->active, &link, &err), err);
	if (life->keeps_program) {
		update_refused(link);
		return;
	}
	ASSERT_OK(ebpfnet_link_update(link, life->idle, NULL, &old, &err), err);
	ck_assert_uint_eq(id_of(old), id_of(life->active));
	ck_assert(!life->in_force());
	assert_info(link, life->idle);
	ASSERT_OK(ebpfnet_link_update(link, old, NULL, NULL, &err), err);
	ebpfnet_program_close(old);
	ck_assert(life->in_force());
	u.expected = life->idle;
	ASSERT_FAILS(ebpfnet_link_update(link, life->idle, &u, &old, &err), err, -ESTALE,
		     EBPFNET_ERROR_STALE, "expected");
	ck_assert_ptr_null(old);
	ck_assert(life->in_force());
	u.expected = life->active;
	ASSERT_OK(ebpfnet_link_update(link, life->idle, &u, NULL, &err), err);
	ck_assert(!life->in_force());
	ASSERT_FAILS(ebpfnet_link_update(link, life->alien, NULL, NULL, &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "type");
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ASSERT_FAILS(ebpfnet_link_update(link, life->active, NULL, NULL, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "detached");
	ebpfnet_link_close(link);
}

/* Shares nothing with the parent but the kernel: exit status 0 if all is as it should be. */
static int reopen(void *data)
{
	const char *path = data;
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_link_open_opts, o);
	o.netns_fd = life->netns_fd;
	CHILD_NEEDS(ebpfnet_link_open_pinned(life->ctx, path, &o, &link, &e) == 0);
	assert_info(link, life->active);
	CHILD_NEEDS(info_of(link).pinned == 1);
	if (!life->keeps_program) {
		CHILD_NEEDS(ebpfnet_link_update(link, life->idle, NULL, NULL, &e) == 0);
		CHILD_NEEDS(!life->in_force());
		CHILD_NEEDS(ebpfnet_link_update(link, life->active, NULL, NULL, &e) == 0);
	}
	ebpfnet_link_close(link);
	return 0;
}

static void pin(void)
{
	struct ebpfnet_link *link, *again;

	EBPFNET_OPTS(ebpfnet_link_open_opts, o);
	o.netns_fd = life->netns_fd;
	ASSERT_OK(life->attach(life->active, &link, &err), err);
	ASSERT_OK(ebpfnet_link_pin(link, pin_name(), &err), err);
	ck_assert_uint_eq(info_of(link).pinned, 1);
	ebpfnet_link_close(link);
	ck_assert(life->in_force());
	ck_assert_int_eq(test_in_child(reopen, (void *)pin_name()), 0);
	ck_assert(life->in_force());
	ASSERT_OK(ebpfnet_link_open_pinned(life->ctx, pin_name(), &o, &again, &err), err);
	ASSERT_OK(ebpfnet_link_unpin(again, &err), err);
	ck_assert(life->in_force());
	ebpfnet_link_close(again);
	assert_ends_soon();
	ck_assert_int_ne(test_shell("ls /sys/fs/bpf/ebpfnet/test-%d 2>/dev/null", getpid()), 0);
}

static int child_closes(void *data)
{
	struct ebpfnet_error *e = NULL;

	(void)data;
	CHILD_NEEDS(ebpfnet_link_detach(parents_link, &e) == -EPERM);
	ebpfnet_error_free(e);
	ebpfnet_link_close(parents_link);
	return 0;
}

static void forked_and_detached(void)
{
	struct ebpfnet_link *adopted;

	ASSERT_OK(life->attach(life->active, &parents_link, &err), err);
	ck_assert_int_eq(test_in_child(child_closes, NULL), 0);
	ck_assert(life->in_force());
	ASSERT_OK(ebpfnet_link_open_fd(life->ctx, ebpfnet_link_fd(parents_link), &adopted, &err),
		  err);
	assert_info(adopted, life->active);
	/* Two descriptors of one link: detaching by force does not wait for the other. */
	ASSERT_OK(ebpfnet_link_detach(parents_link, &err), err);
	ck_assert(!life->in_force());
	ASSERT_OK(ebpfnet_link_detach(parents_link, &err), err);
	ebpfnet_link_close(parents_link);
	ebpfnet_link_close(adopted);
}

static void killed(void)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (life->attach(life->active, &parents_link, NULL) == 0 &&
		    write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	ck_assert(life->in_force());
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(!life->in_force());
}

void test_link_life(const struct link_life *l)
{
	life = l;
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	attach_and_close();
	update();
	pin();
	forked_and_detached();
	killed();
}
