// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "link_cells.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link_elsewhere.h"

#define HELD 4

static const char yes[] = "yes", no[] = "no", detached[] = "detached", attached[] = "attached";

static const struct link_kind *kind;
static struct ebpfnet_error *err;
static struct ebpfnet_link *held[HELD]; /* closed after each cell */

/* What belongs into no cell. */
__attribute__((format(printf, 1, 2))) static const char *odd(const char *fmt, ...)
{
	static char text[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

#define NEED(what)                                                                                 \
	do {                                                                                       \
		if (!(what))                                                                       \
			return odd("not so (line %d): %s", __LINE__, #what);                       \
	} while (0)

#define CALL(what)                                                                                 \
	do {                                                                                       \
		int ret_ = (what);                                                                 \
		if (ret_ < 0)                                                                      \
			return odd("line %d: %s: %s", __LINE__, #what, message(ret_));             \
	} while (0)

/* What a call said, which is then forgotten. */
static const char *message(int ret)
{
	static char text[400];

	snprintf(text, sizeof(text), "%d: %s", ret, ebpfnet_error_message(err));
	ebpfnet_error_free(err);
	err = NULL;
	return text;
}

/* The call failed in just this way. */
static bool fails(int ret, int code, uint32_t error_kind)
{
	bool so = ret == code && ebpfnet_error_code(err) == code &&
		  ebpfnet_error_kind(err) == error_kind && *ebpfnet_error_message(err);

	if (!so)
		printf("%s\n", message(ret));
	ebpfnet_error_free(err);
	err = NULL;
	return so;
}

/* yes, no, or what the call said instead. */
static const char *outcome(int ret)
{
	if (ret == 0)
		return yes;
	if (ret != -EOPNOTSUPP || ebpfnet_error_kind(err) != EBPFNET_ERROR_NOT_SUPPORTED)
		return odd("%s", message(ret));
	ebpfnet_error_free(err);
	err = NULL;
	return no;
}

static struct ebpfnet_link *hold(struct ebpfnet_link *link)
{
	int i = 0;

	while (held[i])
		ck_assert_int_lt(++i, HELD);
	return held[i] = link;
}

static void let_go(struct ebpfnet_link *link)
{
	for (int i = 0; i < HELD; i++) {
		if (held[i] != link)
			continue;
		ebpfnet_link_close(link);
		held[i] = NULL;
		return;
	}
}

void link_let_go(void)
{
	for (int i = 0; i < HELD; i++)
		let_go(held[i]);
}

static const char *pin_name(void)
{
	return link_pin_of(getpid());
}

/* Nothing is left in bpffs, not even a folder. */
static bool no_pin(void)
{
	return test_shell("ls /sys/fs/bpf/ebpfnet/test-%d >/dev/null 2>&1", getpid()) != 0;
}

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

/* Every cell begins here: nothing shows, then the program does. */
static struct ebpfnet_link *attach(void)
{
	struct ebpfnet_link *link;

	ck_assert_msg(!kind->in_force(), "%s: in force before it is attached", kind->row);
	ASSERT_OK(kind->attach(link_site.active, &link, &err), err);
	hold(link);
	ck_assert_msg(kind->in_force(), "%s: attached and not in force", kind->row);
	return link;
}

/* Traffic and info agree that this is the program. */
static bool runs(const struct ebpfnet_link *link, const struct ebpfnet_program *prog)
{
	struct ebpfnet_link_info info = info_of(link);

	return info.program_id == id_of(prog) && !info.defunct &&
	       kind->in_force() == (prog == link_site.active);
}

/* What a pin held goes behind an RCU grace period: soon, not at once. */
static bool ends_soon(int tries)
{
	for (int i = 0; i < tries && kind->in_force(); i++)
		usleep(20000);
	return !kind->in_force();
}

static const char *seen_update(void)
{
	struct ebpfnet_link *link = attach();
	const char *can = outcome(ebpfnet_link_update(link, link_site.idle, NULL, NULL, &err));

	if (can == no)
		NEED(runs(link, link_site.active));
	if (can != yes)
		return can;
	NEED(runs(link, link_site.idle));
	NEED(fails(ebpfnet_link_update(link, link_site.alien, NULL, NULL, &err), -EINVAL,
		   EBPFNET_ERROR_INCOMPATIBLE));
	NEED(runs(link, link_site.idle));
	CALL(ebpfnet_link_update(link, link_site.active, NULL, NULL, &err));
	NEED(runs(link, link_site.active));
	return yes;
}

static const char *seen_compare(void)
{
	struct ebpfnet_link *link = attach();
	struct ebpfnet_program *old = NULL;
	const char *can;
	int wrong;

	EBPFNET_OPTS(ebpfnet_link_update_opts, u);
	u.expected = link_site.idle;
	wrong = ebpfnet_link_update(link, link_site.idle, &u, &old, &err);
	NEED(!old);
	can = wrong == -ESTALE && ebpfnet_error_kind(err) == EBPFNET_ERROR_STALE ? yes
										 : outcome(wrong);
	ebpfnet_error_free(err);
	err = NULL;
	NEED(wrong != 0);
	NEED(runs(link, link_site.active));
	u.expected = link_site.active;
	if (can == no) {
		NEED(outcome(ebpfnet_link_update(link, link_site.idle, &u, NULL, &err)) == no);
		NEED(runs(link, link_site.active));
	}
	if (can != yes)
		return can;
	CALL(ebpfnet_link_update(link, link_site.idle, &u, NULL, &err));
	NEED(runs(link, link_site.idle));
	return yes;
}

static const char *seen_old(void)
{
	struct ebpfnet_link *link = attach();
	struct ebpfnet_program *old = NULL;
	const char *can = outcome(ebpfnet_link_update(link, link_site.idle, NULL, &old, &err));

	if (can == no) {
		NEED(!old);
		NEED(runs(link, link_site.active));
	}
	if (can != yes)
		return can;
	NEED(old);
	NEED(id_of(old) == id_of(link_site.active));
	NEED(runs(link, link_site.idle));
	CALL(ebpfnet_link_update(link, old, NULL, NULL, &err)); /* going back is one call */
	ebpfnet_program_close(old);
	NEED(runs(link, link_site.active));
	return yes;
}

static const char *seen_pin(void)
{
	struct ebpfnet_link *link = attach(), *again;
	const char *can = outcome(ebpfnet_link_pin(link, pin_name(), &err));

	EBPFNET_OPTS(ebpfnet_link_open_opts, o);
	if (can == no) {
		NEED(no_pin());
		NEED(info_of(link).pinned == 0);
		NEED(fails(ebpfnet_link_unpin(link, &err), -ENOENT, EBPFNET_ERROR_NOT_FOUND));
		NEED(runs(link, link_site.active));
	}
	if (can != yes)
		return can;
	NEED(info_of(link).pinned == 1);
	NEED(access(pin_name(), F_OK) == 0);
	NEED(fails(ebpfnet_link_pin(link, pin_name(), &err), -EBUSY, EBPFNET_ERROR_BUSY));
	let_go(link);
	NEED(kind->in_force());
	o.netns_fd = link_site.netns_fd;
	CALL(ebpfnet_link_open_pinned(link_site.ctx, pin_name(), &o, &again, &err));
	hold(again);
	CALL(ebpfnet_link_unpin(again, &err));
	NEED(no_pin());
	NEED(info_of(again).pinned == 0);
	NEED(runs(again, link_site.active));
	let_go(again);
	NEED(ends_soon(50));
	return yes;
}

/* link_elsewhere() for this cell's pin. */
static int elsewhere(const char *act, uint32_t now, const struct ebpfnet_program *next)
{
	return link_elsewhere(kind, act, now, next ? id_of(next) : 0);
}

/* What is never pinned is not found at a path, and has no descriptor to hand on. */
static const char *not_reopened(struct ebpfnet_link *link)
{
	struct ebpfnet_link *again;

	EBPFNET_OPTS(ebpfnet_link_open_opts, o);
	o.netns_fd = link_site.netns_fd;
	NEED(fails(ebpfnet_link_open_pinned(link_site.ctx, pin_name(), &o, &again, &err), -ENOENT,
		   EBPFNET_ERROR_NOT_FOUND));
	NEED(ebpfnet_link_fd(link) == -EBADF);
	NEED(runs(link, link_site.active));
	return no;
}

/* The same kernel link by its descriptor, where there is one. */
static const char *adopted(struct ebpfnet_link *link)
{
	struct ebpfnet_link *again;

	if (ebpfnet_link_fd(link) < 0)
		return yes;
	CALL(ebpfnet_link_open_fd(link_site.ctx, ebpfnet_link_fd(link), &again, &err));
	hold(again);
	NEED(info_of(again).id == info_of(link).id);
	NEED(info_of(again).kind == kind->kind && info_of(again).via == kind->via);
	NEED(runs(again, link_site.active));
	let_go(again);
	NEED(kind->in_force()); /* one descriptor of two */
	return yes;
}

static const char *seen_reopen(void)
{
	struct ebpfnet_link *link = attach();
	uint32_t first = id_of(link_site.active), second = id_of(link_site.idle);
	const char *can = outcome(ebpfnet_link_pin(link, pin_name(), &err));
	int ret;

	if (can == no)
		return not_reopened(link);
	if (can == yes)
		can = adopted(link);
	if (can != yes)
		return can;
	let_go(link);
	NEED(elsewhere("look", first, NULL) == 0);
	NEED(kind->in_force()); /* it was closed there, and is pinned */
	ret = elsewhere("update", first, link_site.idle);
	NEED(ret == 0 || ret == LINK_REFUSED);
	NEED(kind->in_force() == (ret == LINK_REFUSED));
	if (ret == 0) {
		NEED(elsewhere("update", second, link_site.active) == 0);
		NEED(kind->in_force());
	}
	NEED(elsewhere("detach", first, NULL) == 0);
	NEED(!kind->in_force());
	NEED(no_pin());
	return yes;
}

static const char *seen_info(void)
{
	const struct ebpfnet_link_info *want = &link_site.want;
	struct ebpfnet_link *link = attach();
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	const char *can = outcome(ebpfnet_link_info(link, &info, &err));

	if (can != yes)
		return can;
	NEED(info.kind == kind->kind && info.via == kind->via);
	NEED(info.program_id == id_of(link_site.active));
	NEED((info.id != 0) == (ebpfnet_link_fd(link) >= 0));
	NEED(info.defunct == 0 && info.pinned == 0);
	NEED(info.ifindex == want->ifindex);
	NEED(info.hook == want->hook);
	NEED(info.family == want->family);
	NEED(info.map_id == want->map_id);
	NEED(info.cgroup_id == want->cgroup_id);
	NEED(info.netns_inode == want->netns_inode);
	info.sz = 0;
	NEED(fails(ebpfnet_link_info(link, &info, &err), -EINVAL, EBPFNET_ERROR_INVALID));
	return yes;
}

/* Its handle knows that it is defunct, and says so. */
static const char *tells(struct ebpfnet_link *link, bool stale)
{
	for (int i = 0; i < 100 && !info_of(link).defunct; i++)
		usleep(kind->gone ? 20000 : 1000); /* a namespace goes in its own time */
	if (!info_of(link).defunct)
		return no;
	NEED(fails(ebpfnet_link_update(link, link_site.active, NULL, NULL, &err), -ENOLINK,
		   EBPFNET_ERROR_DEFUNCT));
	if (stale)
		NEED(fails(ebpfnet_link_detach(link, &err), -ESTALE, EBPFNET_ERROR_STALE));
	else
		CALL(ebpfnet_link_detach(link, &err));
	return yes;
}

/* Taken away by another: through another descriptor, or as another tool does it. */
static const char *taken_away(void)
{
	struct ebpfnet_link *link = attach(), *other;

	if (kind->take_away) {
		kind->take_away();
	} else {
		CALL(ebpfnet_link_open_fd(link_site.ctx, ebpfnet_link_fd(link), &other, &err));
		hold(other);
		CALL(ebpfnet_link_detach(other, &err));
	}
	NEED(!kind->in_force());
	return tells(link, kind->stale_when_taken);
}

static const char *seen_defunct(void)
{
	const char *taken = taken_away(), *removed;
	struct ebpfnet_link *link;

	if (!kind->gone || (taken != yes && taken != no))
		return taken;
	link_let_go();
	link = attach();
	kind->gone();
	removed = tells(link, false);
	let_go(link);
	kind->end();
	kind->begin();
	if (removed == taken || (removed != yes && removed != no))
		return removed;
	return odd("taken away: told %s; what it was on is gone: told %s", taken, removed);
}

/* Pinned, and with a second descriptor where there can be one: neither keeps it. */
static const char *seen_detach(void)
{
	struct ebpfnet_link *link = attach(), *other;
	const char *pinned = outcome(ebpfnet_link_pin(link, pin_name(), &err)), *can;

	if (ebpfnet_link_fd(link) >= 0) {
		CALL(ebpfnet_link_open_fd(link_site.ctx, ebpfnet_link_fd(link), &other, &err));
		hold(other);
	}
	can = outcome(ebpfnet_link_detach(link, &err));
	if (can == no)
		NEED(runs(link, link_site.active));
	if (pinned == yes)
		CALL(ebpfnet_link_unpin(link, &err));
	if (can != yes)
		return can;
	NEED(!kind->in_force());
	CALL(ebpfnet_link_detach(link, &err));
	NEED(fails(ebpfnet_link_update(link, link_site.active, NULL, NULL, &err), -ENOLINK,
		   EBPFNET_ERROR_DEFUNCT));
	NEED(!kind->in_force());
	return yes;
}

/* attached or detached, and no longer so than it takes to look three times. */
static const char *state(void)
{
	return ends_soon(3) ? detached : attached;
}

/* Not by us any more: what stays belongs to what it is on, and another tool takes it away. */
static const char *clear(const char *left)
{
	if (left == detached)
		return left;
	NEED(kind->take_away);
	kind->take_away();
	NEED(!kind->in_force());
	return left;
}

static const char *seen_close(void)
{
	int fds = test_open_fds();

	let_go(attach());
	NEED(test_open_fds() == fds);
	return clear(state());
}

/* A child that attaches, and pins if asked to, is killed as soon as the program is in force. */
static const char *attach_and_die(bool pin)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	NEED(!kind->in_force());
	ck_assert_int_eq(pipe(ready), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct ebpfnet_link *link;

		if (kind->attach(link_site.active, &link, NULL) == 0 &&
		    (!pin || ebpfnet_link_pin(link, link_pin_of(getppid()), NULL) == 0) &&
		    write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	NEED(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	NEED(kind->in_force());
	kill(pid, SIGKILL);
	NEED(waitpid(pid, &status, 0) == pid);
	NEED(WIFSIGNALED(status));
	return state();
}

static const char *seen_kill(void)
{
	struct ebpfnet_link *link = attach();
	const char *can = outcome(ebpfnet_link_pin(link, pin_name(), &err)), *left;

	if (can == yes)
		CALL(ebpfnet_link_unpin(link, &err));
	let_go(link);
	NEED(ends_soon(50));
	left = attach_and_die(false);
	if (left == attached || left == detached)
		left = clear(left);
	if (can != yes || (left != attached && left != detached))
		return left;
	/* Pinned it stays, whatever the kind. */
	NEED(attach_and_die(true) == attached);
	NEED(elsewhere("detach", id_of(link_site.active), NULL) == 0);
	NEED(!kind->in_force());
	NEED(no_pin());
	return left;
}

const struct link_cell link_cells[LINK_CELLS] = {
	{ "update", { yes, no }, seen_update },
	{ "compare-and-swap", { yes, no }, seen_compare },
	{ "old program returned", { yes, no }, seen_old },
	{ "pin", { yes, no }, seen_pin },
	{ "reopen", { yes, no }, seen_reopen },
	{ "info", { yes, no }, seen_info },
	{ "defunct told", { yes, no }, seen_defunct },
	{ "forced detach", { yes, no }, seen_detach },
	{ "after close", { detached, attached }, seen_close },
	{ "after kill -9", { detached, attached }, seen_kill },
};

const char *link_cell(const struct link_kind *k, unsigned int column)
{
	const char *seen;

	kind = k;
	ebpfnet_error_free(err);
	err = NULL;
	seen = link_cells[column].seen();
	link_let_go();
	if (seen != link_cells[column].words[0] && seen != link_cells[column].words[1]) {
		/* Whatever is left: the next cell begins anew. */
		test_shell("rm -rf /sys/fs/bpf/ebpfnet/test-%d", getpid());
		kind->end();
		kind->begin();
		return seen;
	}
	return ends_soon(50) ? seen : odd("%s, and left in force", seen);
}
