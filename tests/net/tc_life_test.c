// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The life of a TC link: update under traffic, pins, other processes, kills, lost devices. */
#include "tc_fixture.h"

#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define CLEAN "qdisc noqueue 0: root refcnt 2 \n"

/* Attached by the account of traffic and by ours, or free. */
static void assert_dropping(uint32_t direction, bool yes)
{
	ck_assert_int_eq(udp(4, 3), yes ? 0 : 3);
	ck_assert_int_eq(udp(6, 3), yes ? 0 : 3);
	ck_assert_uint_eq(attached(direction, EBPFNET_VIA_ANY), yes);
	if (!yes)
		ck_assert_str_eq(tc_text(direction), CLEAN);
}

START_TEST(test_update)
{
	struct ebpfnet_object *other;

	EBPFNET_OPTS(ebpfnet_link_update_opts, u);
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("xdp"), NULL, &other, &err), err);
	ASSERT_OK(ebpfnet_object_load(other, &err), err);
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++)
		for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS;
		     direction++) {
			struct ebpfnet_tc_opts o = opts_of(direction, via);
			struct ebpfnet_program *drop = program("drop_port"), *pass = numbered(1);
			struct ebpfnet_link *link = attach(drop, direction, &o);
			struct ebpfnet_program *old;

			assert_dropping(direction, true);
			ASSERT_OK(ebpfnet_link_update(link, pass, NULL, &old, &err), err);
			ck_assert_uint_eq(id_of(old), id_of(drop));
			ck_assert_uint_eq(order(4), 1);
			ck_assert_uint_eq(info_of(link).program_id, id_of(pass));
			/* Going back is one call. */
			ASSERT_OK(ebpfnet_link_update(link, old, NULL, NULL, &err), err);
			ebpfnet_program_close(old);
			assert_dropping(direction, true);
			u.expected = pass;
			if (via == EBPFNET_VIA_TCX) {
				ASSERT_FAILS(ebpfnet_link_update(link, pass, &u, &old, &err), err,
					     -ESTALE, EBPFNET_ERROR_STALE, "not the expected");
				assert_dropping(direction, true);
				u.expected = drop;
				ASSERT_OK(ebpfnet_link_update(link, pass, &u, &old, &err), err);
				ck_assert_uint_eq(id_of(old), id_of(drop));
				ebpfnet_program_close(old);
			} else {
				/* Right or wrong: what cannot be kept is refused, not ignored. */
				for (int right = 0; right < 2; right++) {
					u.expected = right ? drop : pass;
					ASSERT_FAILS(
						ebpfnet_link_update(link, pass, &u, &old, &err),
						err, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
						"no compare-and-swap");
				}
				assert_dropping(direction, true);
				ASSERT_OK(ebpfnet_link_update(link, pass, NULL, NULL, &err), err);
			}
			ASSERT_FAILS(ebpfnet_link_update(link, program_of(other, "pass_all"), NULL,
							 NULL, &err),
				     err, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE, "its type");
			ck_assert_uint_eq(order(6), 1);
			ebpfnet_link_close(link);
			assert_dropping(direction, false);
		}
	ebpfnet_object_close(other);
}
END_TEST

#define UPDATES 200
#define SENT_AT_LEAST 5000
#define SENT_AT_MOST 200000

static struct sender {
	int family;
	unsigned int sent; /* atomic, as stop is */
	bool stop;
} sender;

static void *send_on(void *data)
{
	struct sockaddr_storage addr;
	socklen_t len = far_address(sender.family, &addr);
	int fd = socket(addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	while (!__atomic_load_n(&sender.stop, __ATOMIC_SEQ_CST) && sender.sent < SENT_AT_MOST)
		if (sendto(fd, "x", 1, 0, (void *)&addr, len) == 1)
			__atomic_add_fetch(&sender.sent, 1, __ATOMIC_SEQ_CST);
	close(fd);
	return data;
}

/* Two programs count into their own slots: no packet meets none of them, and none meets both. */
static void update_under_traffic(uint32_t direction, uint32_t via, int family)
{
	struct ebpfnet_tc_opts o = opts_of(direction, via);
	struct ebpfnet_program *progs[] = { program("pass_port"), program("other_port") };
	struct ebpfnet_link *link = attach(progs[0], direction, &o);
	uint32_t class = family == 4 ? TC_UDP4 : TC_UDP6, sent = 0;
	uint64_t first, second;
	pthread_t thread;
	int updates = 0;

	forget();
	sender = (struct sender) { .family = family };
	test_net_enter(net.near_fd); /* a thread starts where its maker is */
	ck_assert_int_eq(pthread_create(&thread, NULL, send_on, NULL), 0);
	test_net_enter(-1);
	while (updates < UPDATES || (sent < SENT_AT_LEAST && updates < 100 * UPDATES)) {
		ASSERT_OK(ebpfnet_link_update(link, progs[++updates % 2], NULL, NULL, &err), err);
		usleep(100);
		sent = __atomic_load_n(&sender.sent, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&sender.stop, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	usleep(10000); /* what is on its way */
	first = seen(TC_PASS + class);
	second = seen(TC_SECOND + class);
	ck_assert_uint_eq(first + second, sender.sent);
	ck_assert_uint_ge(sender.sent, SENT_AT_LEAST);
	ck_assert_uint_gt(first, 0);
	ck_assert_uint_gt(second, 0);
	ebpfnet_link_close(link);
	printf("update under traffic: via %u, direction %u, IPv%d: %d updates, %u of %u seen\n",
	       via, direction, family, updates, (unsigned int)(first + second), sender.sent);
}

START_TEST(test_update_under_traffic)
{
	warm_up();
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++)
		for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS; direction++)
			for (int family = 4; family <= 6; family += 2)
				update_under_traffic(direction, via, family);
}
END_TEST

/* The direction of the test that forks; children read it. */
static uint32_t forked_direction;
static struct ebpfnet_link *parents_link;

static int reopen_update_close(void *data)
{
	struct ebpfnet_error *e = NULL;
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	struct ebpfnet_program *old;
	struct ebpfnet_link *link;

	(void)data;
	EBPFNET_OPTS(ebpfnet_link_open_opts, o);
	o.netns_fd = ns_of(forked_direction);
	if (ebpfnet_link_open_pinned(ctx, pin_name("link"), &o, &link, &e) < 0) {
		test_print_error(e);
		return 1;
	}
	CHILD_NEEDS(ebpfnet_link_info(link, &info, &e) == 0);
	CHILD_NEEDS(info.hook == forked_direction && info.kind == EBPFNET_LINK_TC);
	CHILD_NEEDS(info.pinned == 1 && info.defunct == 0);
	CHILD_NEEDS(ebpfnet_link_update(link, numbered(1), NULL, &old, &e) == 0);
	CHILD_NEEDS(id_of(old) == id_of(program("drop_port")));
	CHILD_NEEDS(ebpfnet_link_update(link, old, NULL, NULL, &e) == 0);
	ebpfnet_program_close(old);
	ebpfnet_link_close(link); /* pinned: stays */
	return 0;
}

START_TEST(test_pin)
{
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++)
		for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS;
		     direction++) {
			struct ebpfnet_tc_opts o = opts_of(direction, via);
			struct ebpfnet_link *link = attach(program("drop_port"), direction, &o);
			struct ebpfnet_link *again;
			struct ebpfnet_query *query;
			int32_t priority = info_of(link).priority;

			EBPFNET_OPTS(ebpfnet_link_open_opts, p);
			p.netns_fd = o.netns_fd;
			forked_direction = direction;
			ASSERT_OK(ebpfnet_link_pin(link, pin_name("link"), &err), err);
			ASSERT_FAILS(ebpfnet_link_pin(link, pin_name("other"), &err), err, -EBUSY,
				     EBPFNET_ERROR_BUSY, "pinned at");
			ebpfnet_link_close(link);
			assert_dropping(direction, true);
			query = query_via(direction, via);
			ck_assert_uint_eq(entry_of(query, 0).orphan, 0); /* its pin holds it */
			ebpfnet_query_free(query);
			ck_assert_int_eq(test_in_child(reopen_update_close, NULL), 0);
			assert_dropping(direction, true);
			ASSERT_OK(ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &again, &err),
				  err);
			ck_assert_uint_eq(info_of(again).via, via);
			ck_assert_uint_eq(info_of(again).hook, direction);
			ck_assert_int_eq(info_of(again).priority, priority);
			ck_assert_uint_eq(info_of(again).program_id, id_of(program("drop_port")));
			ASSERT_OK(ebpfnet_link_unpin(again, &err), err);
			assert_dropping(direction, true);
			ebpfnet_link_close(again);
			assert_dropping(direction, false);
			/* No pin and no record is left. */
			ck_assert_int_eq(test_shell("ls -d /sys/fs/bpf/%s/* 2>/dev/null", pin_dir),
					 2);
		}
}
END_TEST

/* Pins of filters: what they stand for is looked up, not believed. */
START_TEST(test_pin_of_a_lost_filter)
{
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_CLSACT);
	struct ebpfnet_link *link = attach(program("drop_port"), EBPFNET_INGRESS, &o), *again;
	struct ebpfnet_query *query;

	EBPFNET_OPTS(ebpfnet_link_open_opts, p);
	ASSERT_OK(ebpfnet_link_pin(link, pin_name("link"), &err), err);
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &again, &err), err,
		     -EINVAL, EBPFNET_ERROR_INVALID, "another network namespace");
	p.netns_fd = net.far_fd;
	/* Somebody removes our filter and puts one of their own in its place. */
	ck_assert_int_eq(test_shell("tc -n %s filter del dev v0 ingress pref 16384 && "
				    "nsenter --net=/run/netns/%s tc filter add dev v0 ingress pref "
				    "16384 handle 1 bpf da object-pinned /sys/fs/bpf/%s/link",
				    net.far, net.far, pin_dir),
			 0);
	ASSERT_FAILS(ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &again, &err), err,
		     -ENOLINK, EBPFNET_ERROR_DEFUNCT, "no longer runs that program");
	ck_assert_uint_eq(info_of(link).defunct, 1);
	ck_assert_uint_eq(info_of(link).program_id, 0);
	ck_assert_int_eq((int)info_of(link).ifindex, net.far_if);
	ASSERT_FAILS(ebpfnet_link_update(link, numbered(1), NULL, NULL, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "another one has its place");
	/* What is there now is not ours, though it has our program, place and handle. */
	query = query_via(EBPFNET_INGRESS, EBPFNET_VIA_CLSACT);
	ck_assert_uint_eq(ebpfnet_query_count(query), 1);
	ck_assert_uint_eq(entry_of(query, 0).orphan, 0);
	ck_assert_uint_eq(entry_of(query, 0).program_id, id_of(program("drop_port")));
	ebpfnet_query_free(query);
	ASSERT_OK(ebpfnet_link_detach(link, &err), err);
	ck_assert_uint_eq(attached(EBPFNET_INGRESS, EBPFNET_VIA_CLSACT), 1);
	ASSERT_OK(ebpfnet_link_unpin(link, &err), err);
	ebpfnet_link_close(link);
	ck_assert_uint_eq(attached(EBPFNET_INGRESS, EBPFNET_VIA_CLSACT), 1);
	ck_assert_int_eq(udp(4, 2), 0);
}
END_TEST

/* Another filter of this library in the place of a lost one, with the same program even. */
START_TEST(test_place_taken_by_another_of_ours)
{
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_CLSACT);
	struct ebpfnet_link *lost = attach(program("drop_port"), EBPFNET_INGRESS, &o), *link;

	ck_assert_int_eq(test_shell("tc -n %s filter del dev v0 ingress pref 16384", net.far), 0);
	link = attach(program("drop_port"), EBPFNET_INGRESS, &o);
	ck_assert_int_eq(info_of(link).priority, info_of(lost).priority);
	ck_assert_uint_eq(info_of(link).handle, info_of(lost).handle);
	ck_assert_uint_eq(info_of(lost).defunct, 1);
	ASSERT_FAILS(ebpfnet_link_update(lost, numbered(1), NULL, NULL, &err), err, -ENOLINK,
		     EBPFNET_ERROR_DEFUNCT, "another one has its place");
	ebpfnet_link_close(lost);
	ck_assert_uint_eq(info_of(link).defunct, 0);
	assert_dropping(EBPFNET_INGRESS, true);
	ebpfnet_link_close(link);
	/* The first one's qdisc was the library's; the second could not know. */
	ck_assert_uint_eq(attached(EBPFNET_INGRESS, EBPFNET_VIA_ANY), 0);
}
END_TEST

START_TEST(test_two_handles)
{
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++) {
		struct ebpfnet_tc_opts o = opts_of(EBPFNET_EGRESS, via);
		struct ebpfnet_link *link = attach(program("drop_port"), EBPFNET_EGRESS, &o),
				    *again;
		struct ebpfnet_program *old;

		EBPFNET_OPTS(ebpfnet_link_open_opts, p);
		p.netns_fd = o.netns_fd;
		ASSERT_OK(ebpfnet_link_pin(link, pin_name("link"), &err), err);
		ASSERT_OK(ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &again, &err), err);
		ASSERT_OK(ebpfnet_link_update(again, numbered(1), NULL, &old, &err), err);
		ck_assert_uint_eq(id_of(old), id_of(program("drop_port")));
		ebpfnet_program_close(old);
		if (via == EBPFNET_VIA_CLSACT)
			/* This handle knows of another program: what is there stays. */
			ASSERT_FAILS(ebpfnet_link_detach(link, &err), err, -ESTALE,
				     EBPFNET_ERROR_STALE, "(number_1) is attached");
		ASSERT_OK(ebpfnet_link_update(link, program("drop_port"), NULL, &old, &err), err);
		ck_assert_uint_eq(id_of(old), id_of(numbered(1)));
		ebpfnet_program_close(old);
		ebpfnet_link_close(again);
		ebpfnet_link_close(link);
		assert_dropping(EBPFNET_EGRESS, true);
		ASSERT_OK(ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &again, &err), err);
		ck_assert_uint_eq(info_of(again).program_id, id_of(program("drop_port")));
		ASSERT_OK(ebpfnet_link_detach(again, &err), err);
		assert_dropping(EBPFNET_EGRESS, false);
		ASSERT_FAILS(ebpfnet_link_update(again, numbered(1), NULL, NULL, &err), err,
			     -ENOLINK, EBPFNET_ERROR_DEFUNCT, "detached");
		ASSERT_OK(ebpfnet_link_unpin(again, &err), err);
		ebpfnet_link_close(again);
	}
}
END_TEST

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
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++)
		for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS;
		     direction++) {
			struct ebpfnet_tc_opts o = opts_of(direction, via);

			parents_link = attach(program("drop_port"), direction, &o);
			ck_assert_int_eq(test_in_child(child_closes, NULL), 0);
			assert_dropping(direction, true);
			ASSERT_OK(ebpfnet_link_detach(parents_link, &err), err);
			assert_dropping(direction, false);
			ASSERT_OK(ebpfnet_link_detach(parents_link, &err), err);
			ebpfnet_link_close(parents_link);
		}
}
END_TEST

/* Attaches, and is killed. */
static void attach_and_die(uint32_t direction, uint32_t via)
{
	struct ebpfnet_tc_opts o = opts_of(direction, via);
	int ready[2], status;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (ebpfnet_tc_attach(program("drop_port"), if_of(direction), direction, &o,
				      &parents_link, NULL) == 0 &&
		    write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_dropping(direction, true);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

START_TEST(test_killed)
{
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++)
		for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS;
		     direction++) {
			struct ebpfnet_query_entry e;
			struct ebpfnet_query *query;
			struct ebpfnet_link *link;
			struct ebpfnet_tc_opts o = opts_of(direction, via);

			attach_and_die(direction, via);
			/* The link goes with its process; a filter stays (doc/OWNERSHIP.md). */
			if (via == EBPFNET_VIA_TCX) {
				assert_dropping(direction, false);
				continue;
			}
			assert_dropping(direction, true);
			/* Beside one whose owner lives. */
			link = attach(numbered(1), direction, &o);
			query = query_via(direction, via);
			ck_assert_uint_eq(ebpfnet_query_count(query), 2);
			e = entry_of(query, 0);
			ck_assert_uint_eq(e.orphan, 1);
			ck_assert_uint_eq(e.program_id, id_of(program("drop_port")));
			ck_assert_str_eq(e.name, "drop_port");
			ck_assert_uint_eq(entry_of(query, 1).orphan, 0);
			ebpfnet_query_free(query);
			ck_assert_int_eq(
				test_shell("tc -n %s filter del dev v0 %s pref %d",
					   ns_name(direction),
					   direction == EBPFNET_INGRESS ? "ingress" : "egress",
					   e.priority),
				0);
			/* The one that is left knows that the dead one's qdisc is the library's. */
			ebpfnet_link_close(link);
			assert_dropping(direction, false);
		}
}
END_TEST

START_TEST(test_device_removed)
{
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++) {
		struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, via);
		struct ebpfnet_link *link = attach(program("drop_port"), EBPFNET_INGRESS, &o);
		struct ebpfnet_link *again;

		EBPFNET_OPTS(ebpfnet_link_open_opts, p);
		p.netns_fd = o.netns_fd;
		ASSERT_OK(ebpfnet_link_pin(link, pin_name("link"), &err), err);
		ck_assert_uint_eq(info_of(link).defunct, 0);
		ck_assert_int_eq(test_shell("ip -n %s link del v0", net.far), 0);
		ck_assert_uint_eq(info_of(link).defunct, 1);
		ck_assert_uint_eq(info_of(link).ifindex, 0);
		ASSERT_FAILS(ebpfnet_link_update(link, numbered(1), NULL, NULL, &err), err,
			     -ENOLINK, EBPFNET_ERROR_DEFUNCT, "gone");
		if (via == EBPFNET_VIA_CLSACT)
			ASSERT_FAILS(
				ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &again, &err),
				err, -ENOLINK, EBPFNET_ERROR_DEFUNCT, "interface is gone");
		ASSERT_OK(ebpfnet_link_detach(link, &err), err);
		ASSERT_OK(ebpfnet_link_unpin(link, &err), err);
		ebpfnet_link_close(link);
		end();
		begin();
	}
}
END_TEST

START_TEST(test_adopt)
{
	NEEDS_TCX();
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_EGRESS, EBPFNET_VIA_TCX);
	struct ebpfnet_link *link = attach(program("drop_port"), EBPFNET_EGRESS, &o), *adopted;

	ASSERT_OK(ebpfnet_link_open_fd(ctx, ebpfnet_link_fd(link), &adopted, &err), err);
	ebpfnet_link_close(link);
	assert_dropping(EBPFNET_EGRESS, true);
	ck_assert_uint_eq(info_of(adopted).kind, EBPFNET_LINK_TC);
	ck_assert_uint_eq(info_of(adopted).via, EBPFNET_VIA_TCX);
	ck_assert_uint_eq(info_of(adopted).hook, EBPFNET_EGRESS);
	/* An adopted link is an anchor like any other. */
	o.anchor = EBPFNET_ANCHOR_BEFORE;
	o.anchor_link = adopted;
	link = attach(numbered(1), EBPFNET_EGRESS, &o);
	forget();
	ck_assert_int_eq(udp(4, 1), 0);
	ck_assert_uint_eq(seen(TC_ORDER), 1);
	ebpfnet_link_close(link);
	ebpfnet_link_close(adopted);
	assert_dropping(EBPFNET_EGRESS, false);
}
END_TEST

#define RACE_UPDATES 200

static struct racer {
	struct ebpfnet_link *link;
	struct ebpfnet_program *install;
	unsigned int replaced_first, replaced_second;
	bool failed;
} racers[2];

static void *race_updates(void *arg)
{
	struct racer *r = arg;

	for (int i = 0; i < RACE_UPDATES; i++) {
		struct ebpfnet_program_info info = { .sz = sizeof(info) };
		struct ebpfnet_program *old;

		if (ebpfnet_link_update(r->link, r->install, NULL, &old, NULL) < 0 ||
		    ebpfnet_program_info(old, &info, NULL) < 0) {
			r->failed = true;
			return NULL;
		}
		if (strcmp(info.name, "number_1") == 0)
			r->replaced_first++;
		else
			r->replaced_second++;
		ebpfnet_program_close(old);
	}
	return NULL;
}

/*
 * Two handles of one pinned link, each told which program it replaced. Told truly, every installed
 * program is replaced exactly once, except the last one.
 */
START_TEST(test_old_program_in_a_race)
{
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++) {
		struct ebpfnet_tc_opts o = opts_of(EBPFNET_EGRESS, via);
		struct ebpfnet_link *link = attach(numbered(1), EBPFNET_EGRESS, &o);
		pthread_t threads[2];
		bool first_last;

		EBPFNET_OPTS(ebpfnet_link_open_opts, p);
		p.netns_fd = o.netns_fd;
		ASSERT_OK(ebpfnet_link_pin(link, pin_name("link"), &err), err);
		for (int i = 0; i < 2; i++) {
			memset(&racers[i], 0, sizeof(racers[i]));
			racers[i].install = numbered(i + 1);
			ASSERT_OK(ebpfnet_link_open_pinned(ctx, pin_name("link"), &p,
							   &racers[i].link, &err),
				  err);
			ck_assert_int_eq(
				pthread_create(&threads[i], NULL, race_updates, &racers[i]), 0);
		}
		for (int i = 0; i < 2; i++) {
			pthread_join(threads[i], NULL);
			ck_assert(!racers[i].failed);
			ebpfnet_link_close(racers[i].link);
		}
		first_last = info_of(link).program_id == id_of(numbered(1));
		ck_assert_uint_eq(racers[0].replaced_first + racers[1].replaced_first,
				  RACE_UPDATES + 1 - first_last);
		ck_assert_uint_eq(racers[0].replaced_second + racers[1].replaced_second,
				  RACE_UPDATES - !first_last);
		/* The pin followed: it opens, whoever was last. */
		ASSERT_OK(
			ebpfnet_link_open_pinned(ctx, pin_name("link"), &p, &racers[0].link, &err),
			err);
		ck_assert_uint_eq(info_of(racers[0].link).program_id, info_of(link).program_id);
		ASSERT_OK(ebpfnet_link_unpin(racers[0].link, &err), err);
		ebpfnet_link_close(racers[0].link);
		ASSERT_OK(ebpfnet_link_detach(link, &err), err);
		ebpfnet_link_close(link);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_update,
		test_update_under_traffic,
		test_pin,
		test_pin_of_a_lost_filter,
		test_place_taken_by_another_of_ours,
		test_two_handles,
		test_fork,
		test_killed,
		test_device_removed,
		test_adopt,
		test_old_program_in_a_race,
	};

	test_need_root();
	test_need_bpffs();
	return test_run(test_suite_around("tc_life", tests, sizeof(tests) / sizeof(*tests), 120,
					  begin, end));
}
