// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The life of what is attached to a cgroup, as a link and by PROG_ATTACH. */
#include "cgroup_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "link_life.h"

static const uint32_t vias[] = { EBPFNET_VIA_LINK, EBPFNET_VIA_PROG_ATTACH };

static char pin_dir[64];

static const char *pin_name(const char *name)
{
	static char path[128];

	snprintf(pin_dir, sizeof(pin_dir), "/sys/fs/bpf/ebpfnet/test-%d", getpid());
	snprintf(path, sizeof(path), "%s/%s", pin_dir, name);
	return path;
}

static uint32_t id_of(const struct ebpfnet_program *prog)
{
	struct ebpfnet_program_info info = { .sz = sizeof(info) };

	ASSERT_OK(ebpfnet_program_info(prog, &info, &err), err);
	return info.id;
}

/* What sock_create does to a new socket; and how often it was asked. */
static bool refused(void)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock >= 0)
		close(sock);
	return sock < 0;
}

static struct ebpfnet_link *attach(const char *name, uint32_t via)
{
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
	o.via = via;
	ASSERT_OK(ebpfnet_cgroup_attach(cg_program(name), cg.name, 0, &o, &link, &err), err);
	ck_assert_uint_eq(cg_info(link).via, via);
	ck_assert_uint_eq(cg_info(link).kind, EBPFNET_LINK_CGROUP);
	return link;
}

/* The kernel's view of the hook: how many programs this cgroup has there. */
static int attached(void)
{
	uint32_t ids[8], count = 8, flags;

	ck_assert_int_eq(bpf_prog_query(cg.fd, BPF_CGROUP_INET_SOCK_CREATE, 0, &flags, ids, &count),
			 0);
	return (int)count;
}

/* A bpffs lets go of what was pinned in the background. */
static bool becomes_free(void)
{
	for (int i = 0; i < 100 && refused(); i++)
		usleep(20000);
	return !refused();
}

static int life_attach(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		       struct ebpfnet_error **e)
{
	return ebpfnet_cgroup_attach(prog, cg.name, EBPFNET_CGROUP_SOCK_CREATE, NULL, link, e);
}

START_TEST(test_life_of_a_link)
{
	struct link_life life = {
		.ctx = ctx,
		.kind = EBPFNET_LINK_CGROUP,
		.via = EBPFNET_VIA_LINK,
		.active = cg_program("sock_create"),
		.idle = cg_program("first"),
		.alien = cg_program("connect4"),
		.attach = life_attach,
		.in_force = refused,
	};

	cg_act(EBPFNET_CGROUP_SOCK_CREATE, CG_REFUSE);
	test_link_life(&life);
}
END_TEST

/* The kernel would take any program of the type, also one for another hook of the family. */
START_TEST(test_update_to_another_hook)
{
	struct ebpfnet_link *link;

	for (int i = 0; i < 2; i++) {
		EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
		o.via = vias[i];
		ASSERT_OK(
			ebpfnet_cgroup_attach(cg_program("connect4"), cg.name, 0, &o, &link, &err),
			err);
		ASSERT_FAILS(ebpfnet_link_update(link, cg_program("connect6"), NULL, NULL, &err),
			     err, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "expected attach type");
		ASSERT_FAILS(ebpfnet_link_update(link, cg_program("device"), NULL, NULL, &err), err,
			     -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "section name");
		ck_assert_uint_eq(cg_info(link).program_id, id_of(cg_program("connect4")));
		ebpfnet_link_close(link);
	}
}
END_TEST

START_TEST(test_update)
{
	struct ebpfnet_program *old;
	struct ebpfnet_link *link;

	EBPFNET_OPTS(ebpfnet_link_update_opts, u);
	for (int i = 0; i < 2; i++) {
		cg_act(EBPFNET_CGROUP_SOCK_CREATE, CG_REFUSE);
		link = attach("sock_create", vias[i]);
		ck_assert(refused());
		ASSERT_OK(ebpfnet_link_update(link, cg_program("first"), NULL, &old, &err), err);
		ck_assert_uint_eq(id_of(old), id_of(cg_program("sock_create")));
		ck_assert(!refused());
		ck_assert_uint_eq(cg_info(link).program_id, id_of(cg_program("first")));
		ASSERT_OK(ebpfnet_link_update(link, old, NULL, NULL, &err), err);
		ebpfnet_program_close(old);
		ck_assert(refused());
		u.expected = cg_program("second");
		ASSERT_FAILS(ebpfnet_link_update(link, cg_program("first"), &u, &old, &err), err,
			     -ESTALE, EBPFNET_ERROR_STALE, "expected");
		ck_assert_ptr_null(old);
		ck_assert(refused());
		u.expected = cg_program("sock_create");
		ASSERT_OK(ebpfnet_link_update(link, cg_program("first"), &u, &old, &err), err);
		ck_assert_uint_eq(id_of(old), id_of(cg_program("sock_create")));
		ebpfnet_program_close(old);
		ck_assert(!refused());
		ck_assert_int_eq(attached(), 1);
		ebpfnet_link_close(link);
		ck_assert_int_eq(attached(), 0);
	}
}
END_TEST

/* What another owner has on the same hook is neither taken away nor replaced. */
START_TEST(test_update_beside_others)
{
	struct ebpfnet_program *old;

	EBPFNET_OPTS(ebpfnet_link_update_opts, u);
	for (int i = 0; i < 2; i++) {
		struct ebpfnet_link *mine = attach("first", vias[i]);
		struct ebpfnet_link *other = attach("second", EBPFNET_VIA_PROG_ATTACH);

		u.expected = cg_program("second");
		ASSERT_FAILS(ebpfnet_link_update(mine, cg_program("third"), &u, NULL, &err), err,
			     -ESTALE, EBPFNET_ERROR_STALE, "not the expected");
		ck_assert_uint_eq(cg_info(other).program_id, id_of(cg_program("second")));
		if (vias[i] == EBPFNET_VIA_PROG_ATTACH) {
			ASSERT_FAILS(
				ebpfnet_link_update(mine, cg_program("second"), NULL, NULL, &err),
				err, -EEXIST, EBPFNET_ERROR_BUSY, "by itself");
			ASSERT_OK(ebpfnet_link_detach(mine, &err), err);
			ck_assert_uint_eq(cg_info(other).defunct, 0);
			ck_assert_int_eq(bpf_prog_detach2(ebpfnet_program_fd(cg_program("second")),
							  cg.fd, BPF_CGROUP_INET_SOCK_CREATE),
					 0);
			ASSERT_FAILS(
				ebpfnet_link_update(other, cg_program("third"), NULL, &old, &err),
				err, -ENOLINK, EBPFNET_ERROR_DEFUNCT, "any more");
		}
		ebpfnet_link_close(mine);
		ebpfnet_link_close(other);
	}
}
END_TEST

static int reopen_update_close(void *data)
{
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_link *link;
	int ret;

	(void)data;
	if (ebpfnet_link_open_pinned(ctx, pin_dir, NULL, &link, &e) == 0 || !e)
		return 1;
	ebpfnet_error_free(e);
	e = NULL;
	if (ebpfnet_link_open_pinned(ctx, data, NULL, &link, &e) < 0) {
		test_print_error(e);
		return 2;
	}
	ret = ebpfnet_link_update(link, cg_program("first"), NULL, NULL, &e) < 0;
	ret |= ebpfnet_link_update(link, cg_program("sock_create"), NULL, NULL, &e) < 0;
	if (ret)
		test_print_error(e);
	ebpfnet_link_close(link); /* pinned: stays */
	return ret;
}

START_TEST(test_pin)
{
	struct ebpfnet_link *link, *again;
	char path[128];

	test_need_bpffs();
	cg_act(EBPFNET_CGROUP_SOCK_CREATE, CG_REFUSE);
	snprintf(path, sizeof(path), "%s", pin_name("link"));
	for (int i = 0; i < 2; i++) {
		uint64_t cgroup_id;

		link = attach("sock_create", vias[i]);
		cgroup_id = cg_info(link).cgroup_id;
		ASSERT_OK(ebpfnet_link_pin(link, path, &err), err);
		ck_assert_uint_eq(cg_info(link).pinned, 1);
		ebpfnet_link_close(link);
		ck_assert(refused());
		ck_assert_int_eq(test_in_child(reopen_update_close, path), 0);
		ck_assert(refused());
		ASSERT_OK(ebpfnet_link_open_pinned(ctx, path, NULL, &again, &err), err);
		ck_assert_uint_eq(cg_info(again).kind, EBPFNET_LINK_CGROUP);
		ck_assert_uint_eq(cg_info(again).via, vias[i]);
		ck_assert_uint_eq(cg_info(again).hook, EBPFNET_CGROUP_SOCK_CREATE);
		ck_assert_uint_eq(cg_info(again).program_id, id_of(cg_program("sock_create")));
		ck_assert_uint_eq(cg_info(again).cgroup_id, cgroup_id);
		ASSERT_OK(ebpfnet_link_unpin(again, &err), err);
		ck_assert(refused());
		ebpfnet_link_close(again);
		ck_assert(becomes_free());
		ck_assert_int_ne(test_shell("ls %s 2>/dev/null", pin_dir), 0);
	}
}
END_TEST

/* By PROG_ATTACH a pin says what was; the cgroup says what is. */
START_TEST(test_pin_of_what_is_gone)
{
	struct ebpfnet_link *link, *again;
	char path[128];

	test_need_bpffs();
	snprintf(path, sizeof(path), "%s", pin_name("link"));
	link = attach("sock_create", EBPFNET_VIA_PROG_ATTACH);
	ASSERT_OK(ebpfnet_link_pin(link, path, &err), err);
	ck_assert_int_eq(bpf_prog_detach2(ebpfnet_program_fd(cg_program("sock_create")), cg.fd,
					  BPF_CGROUP_INET_SOCK_CREATE),
			 0);
	ck_assert_uint_eq(cg_info(link).defunct, 1);
	ck_assert_uint_eq(cg_info(link).program_id, 0);
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, path, NULL, &again, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "no longer has that program");
	ASSERT_FAILS(ebpfnet_link_update(link, cg_program("first"), NULL, NULL, &err), err,
		     -ENOLINK, EBPFNET_ERROR_DEFUNCT, "no longer has");
	ASSERT_FAILS(ebpfnet_link_detach(link, &err), err, -ESTALE, EBPFNET_ERROR_STALE,
		     "no longer has");
	ASSERT_OK(ebpfnet_link_unpin(link, &err), err);
	ebpfnet_link_close(link);
}
END_TEST

static struct ebpfnet_link *parents_link;

static int child_closes(void *data)
{
	struct ebpfnet_error *e = NULL;
	int ret = ebpfnet_link_detach(parents_link, &e);

	(void)data;
	ebpfnet_error_free(e);
	ebpfnet_link_close(parents_link);
	return ret == -EPERM ? 0 : 1;
}

START_TEST(test_fork)
{
	cg_act(EBPFNET_CGROUP_SOCK_CREATE, CG_REFUSE);
	for (int i = 0; i < 2; i++) {
		parents_link = attach("sock_create", vias[i]);
		ck_assert_int_eq(test_in_child(child_closes, NULL), 0);
		ck_assert(refused());
		ASSERT_OK(ebpfnet_link_detach(parents_link, &err), err);
		ck_assert(!refused());
		ck_assert_int_eq(attached(), 0);
		ASSERT_OK(ebpfnet_link_detach(parents_link, &err), err);
		ebpfnet_link_close(parents_link);
	}
}
END_TEST

START_TEST(test_killed)
{
	cg_act(EBPFNET_CGROUP_SOCK_CREATE, CG_REFUSE);
	for (int i = 0; i < 2; i++) {
		int ready[2], status;
		char byte;
		pid_t pid;

		EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
		o.via = vias[i];
		ck_assert_int_eq(pipe(ready), 0);
		pid = fork();
		if (pid == 0) {
			if (ebpfnet_cgroup_attach(cg_program("sock_create"), cg.name, 0, &o,
						  &parents_link, NULL) == 0 &&
			    write(ready[1], "x", 1) == 1)
				pause();
			_exit(1);
		}
		close(ready[1]);
		ck_assert_int_eq(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		ck_assert(refused());
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		/* doc/OWNERSHIP.md */
		ck_assert(refused() == (vias[i] == EBPFNET_VIA_PROG_ATTACH));
		if (vias[i] == EBPFNET_VIA_PROG_ATTACH)
			ck_assert_int_eq(
				bpf_prog_detach2(ebpfnet_program_fd(cg_program("sock_create")),
						 cg.fd, BPF_CGROUP_INET_SOCK_CREATE),
				0);
		ck_assert(!refused());
	}
}
END_TEST

/* Waits for what the kernel does in the background. */
static bool becomes_defunct(const struct ebpfnet_link *link)
{
	for (int i = 0; i < 100 && !cg_info(link).defunct; i++)
		usleep(20000);
	return cg_info(link).defunct == 1;
}

START_TEST(test_cgroup_removed)
{
	test_need_bpffs();
	for (int i = 0; i < 2; i++) {
		struct ebpfnet_link *link, *again;
		char name[96], path[128];

		EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
		o.via = vias[i];
		snprintf(name, sizeof(name), "%s/below", cg.name);
		snprintf(path, sizeof(path), "%s", pin_name("link"));
		test_cgroup_make(&cg, "below");
		ASSERT_OK(
			ebpfnet_cgroup_attach(cg_program("sock_create"), name, 0, &o, &link, &err),
			err);
		ASSERT_OK(ebpfnet_link_pin(link, path, &err), err);
		ck_assert_uint_ne(cg_info(link).cgroup_id, 0);
		ck_assert_uint_eq(cg_info(link).defunct, 0);
		test_cgroup_remove(&cg, "below");
		ck_assert(becomes_defunct(link));
		ck_assert_uint_eq(cg_info(link).cgroup_id, 0);
		ASSERT_FAILS(ebpfnet_link_update(link, cg_program("first"), NULL, NULL, &err), err,
			     -ENOLINK, EBPFNET_ERROR_DEFUNCT, "gone");
		if (vias[i] == EBPFNET_VIA_PROG_ATTACH) {
			ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, path, NULL, &again, &err), err,
				     -ENOLINK, EBPFNET_ERROR_DEFUNCT, "its cgroup is gone");
		} else {
			ASSERT_OK(ebpfnet_link_open_pinned(ctx, path, NULL, &again, &err), err);
			ck_assert_uint_eq(cg_info(again).defunct, 1);
			ebpfnet_link_close(again);
		}
		ASSERT_OK(ebpfnet_link_detach(link, &err), err);
		ASSERT_OK(ebpfnet_link_unpin(link, &err), err);
		ebpfnet_link_close(link);
	}
}
END_TEST

START_TEST(test_adopt)
{
	struct ebpfnet_link *link;
	int fd = bpf_link_create(ebpfnet_program_fd(cg_program("sock_create")), cg.fd,
				 BPF_CGROUP_INET_SOCK_CREATE, NULL);
	struct stat st;

	ck_assert_int_ge(fd, 0);
	ASSERT_OK(ebpfnet_link_open_fd(ctx, fd, &link, &err), err);
	close(fd);
	ck_assert_uint_eq(cg_info(link).kind, EBPFNET_LINK_CGROUP);
	ck_assert_uint_eq(cg_info(link).hook, EBPFNET_CGROUP_SOCK_CREATE);
	ck_assert_int_eq(fstat(cg.fd, &st), 0);
	ck_assert_uint_eq(cg_info(link).cgroup_id, st.st_ino);
	cg_act(EBPFNET_CGROUP_SOCK_CREATE, CG_REFUSE);
	ck_assert(refused());
	ebpfnet_link_close(link);
	ck_assert(!refused());
}
END_TEST

START_TEST(test_no_descriptor_leaks)
{
	int before = test_open_fds();

	for (int i = 0; i < 2; i++) {
		struct ebpfnet_link *link = attach("sock_create", vias[i]);

		ck_assert_int_eq(ebpfnet_link_fd(link) >= 0, vias[i] == EBPFNET_VIA_LINK);
		ebpfnet_link_close(link);
	}
	ck_assert_int_eq(test_open_fds(), before);
}
END_TEST

CG_MAIN("cgroup_link", test_life_of_a_link, test_update_to_another_hook, test_update,
	test_update_beside_others, test_pin, test_pin_of_what_is_gone, test_fork, test_killed,
	test_cgroup_removed, test_adopt, test_no_descriptor_leaks)
