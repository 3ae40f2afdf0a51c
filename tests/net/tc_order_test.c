// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The order of programs on a TC hook, the same through TCX and clsact, seen by the packets: each
 * program appends its number to the mark. And every refusal of an order.
 */
#include "tc_fixture.h"

#include <linux/bpf.h>
#include <sys/wait.h>

#include "core/uapi.h"

enum anchor_by { BY_PROGRAM, BY_PROGRAM_ID, BY_LINK, BY_LINK_ID, ANCHORS_BY };

static void set_anchor(struct ebpfnet_tc_opts *o, uint32_t place, struct ebpfnet_link *link,
		       enum anchor_by by)
{
	static struct ebpfnet_program *prog;
	struct ebpfnet_link_info info;

	o->anchor = place;
	if (place != EBPFNET_ANCHOR_BEFORE && place != EBPFNET_ANCHOR_AFTER)
		return;
	info = info_of(link);
	if (by == BY_LINK_ID && info.id == 0) /* a filter has none */
		by = BY_LINK;
	switch (by) {
	case BY_PROGRAM:
		ebpfnet_program_close(prog);
		ASSERT_OK(ebpfnet_program_open_id(ctx, info.program_id, &prog, &err), err);
		o->anchor_program = prog;
		break;
	case BY_PROGRAM_ID:
		o->anchor_program_id = info.program_id;
		break;
	case BY_LINK:
		o->anchor_link = link;
		break;
	default:
		o->anchor_link_id = info.id;
		break;
	}
}

/* The order as it should be: digits in an array, changed as the words of the API say. */
struct model {
	int list[4], count;
};

static void model_insert(struct model *m, int n, uint32_t place, int anchor)
{
	int at = place == EBPFNET_ANCHOR_FIRST ? 0 : m->count;

	for (int i = 0; i < m->count; i++)
		if (m->list[i] == anchor && place == EBPFNET_ANCHOR_BEFORE)
			at = i;
		else if (m->list[i] == anchor && place == EBPFNET_ANCHOR_AFTER)
			at = i + 1;
	for (int i = m->count++; i > at; i--)
		m->list[i] = m->list[i - 1];
	m->list[at] = n;
}

static uint64_t model_digits(const struct model *m)
{
	uint64_t digits = 0;

	for (int i = 0; i < m->count; i++)
		digits = digits * 10 + (uint64_t)m->list[i];
	return digits;
}

/* The order that a query gives: names end in the number. */
static uint64_t queried(uint32_t direction, uint32_t via)
{
	struct ebpfnet_query *query = query_via(direction, via);
	uint64_t digits = 0;

	for (size_t i = 0; i < ebpfnet_query_count(query); i++) {
		struct ebpfnet_query_entry e = entry_of(query, i);

		ck_assert_uint_eq(e.kind, EBPFNET_LINK_TC);
		ck_assert_uint_eq(e.hook, direction);
		ck_assert_int_eq((int)e.ifindex, if_of(direction));
		ck_assert_uint_eq(e.orphan, 0);
		ck_assert_msg(strncmp(e.name, "number_", 7) == 0, "%s", e.name);
		digits = digits * 10 + (uint64_t)(e.name[7] - '0');
	}
	ebpfnet_query_free(query);
	return digits;
}

/* One way to attach three: where the second goes, where the third, and relative to which. */
struct script {
	int number[3];
	uint32_t place2, place3;
	int anchor3; /* 0 or 1: which of the two that are there */
};

static uint64_t play(const struct script *s, uint32_t direction, uint32_t via, int turn)
{
	struct ebpfnet_link *links[3];
	struct model model = { 0 };
	uint64_t got;

	for (int i = 0; i < 3; i++) {
		struct ebpfnet_tc_opts o = opts_of(direction, via);
		uint32_t place = i == 0 ? EBPFNET_ANCHOR_LAST : i == 1 ? s->place2 : s->place3;
		int anchor = i == 2 ? s->anchor3 : 0;

		set_anchor(&o, place, i ? links[anchor] : NULL,
			   (enum anchor_by)((turn + i) % ANCHORS_BY));
		links[i] = attach(numbered(s->number[i]), direction, &o);
		model_insert(&model, s->number[i], place, s->number[anchor]);
	}
	got = order(turn % 2 ? 4 : 6);
	ck_assert_msg(got == model_digits(&model), "via %u: %lu, not %lu", via, (unsigned long)got,
		      (unsigned long)model_digits(&model));
	ck_assert_uint_eq(queried(direction, via), got);
	for (int i = 0; i < 3; i++)
		ebpfnet_link_close(links[i]);
	return got;
}

START_TEST(test_parity)
{
	static const int permutations[][3] = { { 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 },
					       { 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 } };
	int turn = 0;

	warm_up();
	for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS; direction++)
		for (uint32_t place2 = 0; place2 <= EBPFNET_ANCHOR_AFTER; place2++)
			for (uint32_t place3 = 0; place3 <= EBPFNET_ANCHOR_AFTER; place3++)
				for (int anchor3 = 0; anchor3 < 2; anchor3++, turn++) {
					struct script s = { .place2 = place2,
							    .place3 = place3,
							    .anchor3 = anchor3 };

					memcpy(s.number, permutations[turn % 6], sizeof(s.number));
					uint64_t got =
						play(&s, direction, EBPFNET_VIA_CLSACT, turn);

					if (has_tcx())
						ck_assert_uint_eq(
							play(&s, direction, EBPFNET_VIA_TCX, turn),
							got);
				}
}
END_TEST

START_TEST(test_tcx_before_clsact)
{
	NEEDS_TCX();
	for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS; direction++) {
		struct ebpfnet_tc_opts c = opts_of(direction, EBPFNET_VIA_CLSACT);
		struct ebpfnet_tc_opts x = opts_of(direction, EBPFNET_VIA_TCX);
		struct ebpfnet_link *first = attach(numbered(1), direction, &c), *second, *third;
		struct ebpfnet_query *query;

		second = attach(numbered(2), direction, &x);
		ck_assert_uint_eq(order(4), 21);
		ck_assert_uint_eq(queried(direction, EBPFNET_VIA_ANY), 21);
		ck_assert_uint_eq(queried(direction, EBPFNET_VIA_TCX), 2);
		ck_assert_uint_eq(queried(direction, EBPFNET_VIA_CLSACT), 1);
		query = query_via(direction, EBPFNET_VIA_ANY);
		ck_assert_uint_eq(entry_of(query, 0).link_id, info_of(second).id);
		ck_assert_uint_eq(entry_of(query, 1).link_id, 0);
		ck_assert_int_eq(entry_of(query, 1).priority, 0x4000);
		ck_assert_int_eq(info_of(first).priority, 0x4000);
		ck_assert_uint_eq(entry_of(query, 1).handle, info_of(first).handle);
		ebpfnet_query_free(query);
		/* Via ANY a program goes where its anchor is. */
		x.via = EBPFNET_VIA_ANY;
		x.anchor = EBPFNET_ANCHOR_BEFORE;
		x.anchor_link = first;
		third = attach(numbered(3), direction, &x);
		ck_assert_uint_eq(info_of(third).via, EBPFNET_VIA_CLSACT);
		ck_assert_uint_eq(order(6), 231);
		ebpfnet_link_close(third);
		ebpfnet_link_close(second);
		ebpfnet_link_close(first);
	}
}
END_TEST

static void refuse(struct ebpfnet_program *prog, uint32_t direction, struct ebpfnet_tc_opts *o,
		   int code, uint32_t kind, const char *words)
{
	struct ebpfnet_link *link = (void *)1;
	size_t before = attached(direction, EBPFNET_VIA_ANY);
	int fds = test_open_fds();

	ASSERT_FAILS(ebpfnet_tc_attach(prog, if_of(direction), direction, o, &link, &err), err,
		     code, kind, words);
	ck_assert_ptr_null(link);
	ck_assert_uint_eq(attached(direction, EBPFNET_VIA_ANY), before);
	ck_assert_int_eq(test_open_fds(), fds);
}

START_TEST(test_unknown_anchor)
{
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++)
		for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS;
		     direction++) {
			struct ebpfnet_tc_opts o = opts_of(direction, via), other = o;
			struct ebpfnet_link *here = attach(numbered(1), direction, &o), *elsewhere;
			uint32_t back = EBPFNET_INGRESS + EBPFNET_EGRESS - direction;
			char words[64];

			o.anchor = EBPFNET_ANCHOR_BEFORE;
			o.anchor_program = numbered(3);
			if (via == EBPFNET_VIA_TCX)
				snprintf(words, sizeof(words),
					 "program %u (number_3), is not on this hook",
					 id_of(numbered(3)));
			else
				snprintf(words, sizeof(words), "not among the 1 clsact filters");
			refuse(numbered(2), direction, &o, -ENOENT, EBPFNET_ERROR_NOT_FOUND, words);
			refuse(numbered(2), direction, &o, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
			       "lists what is");
			o.anchor_program = NULL;
			o.anchor_program_id = 0x7fffff00;
			o.anchor = EBPFNET_ANCHOR_AFTER;
			refuse(numbered(2), direction, &o, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "not");
			o.anchor_program_id = 0;
			o.anchor_link_id = 0x7fffff00;
			refuse(numbered(2), direction, &o, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "not");
			o.anchor_link_id = 0;
			/* A link that is on the other hook. */
			other.netns_fd = ns_of(back);
			elsewhere = attach(numbered(4), back, &other);
			o.anchor_link = elsewhere;
			refuse(numbered(2), direction, &o, -ENOENT, EBPFNET_ERROR_NOT_FOUND, "not");
			ebpfnet_link_close(elsewhere);
			ebpfnet_link_close(here);
		}
}
END_TEST

START_TEST(test_anchor_on_the_other_way)
{
	NEEDS_TCX();
	struct ebpfnet_tc_opts c = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_CLSACT);
	struct ebpfnet_tc_opts x = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_TCX);
	struct ebpfnet_link *filter = attach(numbered(1), EBPFNET_INGRESS, &c);
	struct ebpfnet_link *tcx = attach(numbered(2), EBPFNET_INGRESS, &x), *xdp;
	struct ebpfnet_object *other;

	x.anchor = c.anchor = EBPFNET_ANCHOR_BEFORE;
	x.anchor_link = filter;
	refuse(numbered(3), EBPFNET_INGRESS, &x, -EINVAL, EBPFNET_ERROR_INVALID,
	       "the anchor is on clsact");
	c.anchor_link = tcx;
	refuse(numbered(3), EBPFNET_INGRESS, &c, -EINVAL, EBPFNET_ERROR_INVALID,
	       "the anchor is on TCX");
	x.anchor_link = NULL;
	x.anchor_program = numbered(1);
	refuse(numbered(3), EBPFNET_INGRESS, &x, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
	       "is a clsact filter of this hook");
	refuse(numbered(3), EBPFNET_INGRESS, &x, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
	       "use via CLSACT");
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("xdp"), NULL, &other, &err), err);
	ASSERT_OK(ebpfnet_object_load(other, &err), err);
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	ASSERT_OK(ebpfnet_xdp_attach(program_of(other, "pass_all"), net.far_if, &o, &xdp, &err),
		  err);
	x.anchor_program = NULL;
	x.anchor_link = xdp;
	refuse(numbered(3), EBPFNET_INGRESS, &x, -EINVAL, EBPFNET_ERROR_INVALID,
	       "another hook than TC");
	ebpfnet_link_close(xdp);
	ebpfnet_object_close(other);
	ebpfnet_link_close(tcx);
	ebpfnet_link_close(filter);
}
END_TEST

START_TEST(test_twice)
{
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++)
		for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS;
		     direction++) {
			struct ebpfnet_tc_opts o = opts_of(direction, via);
			struct ebpfnet_link *link = attach(numbered(1), direction, &o), *second;
			char words[96];

			if (via == EBPFNET_VIA_TCX)
				snprintf(words, sizeof(words),
					 "program %u (number_1) is on this hook already, "
					 "by link %u",
					 id_of(numbered(1)), info_of(link).id);
			else
				snprintf(words, sizeof(words),
					 "program %u (number_1) is on this hook already, at "
					 "priority 16384",
					 id_of(numbered(1)));
			refuse(numbered(1), direction, &o, -EEXIST, EBPFNET_ERROR_BUSY, words);
			refuse(numbered(1), direction, &o, -EEXIST, EBPFNET_ERROR_BUSY,
			       "load its object again");
			/* An update is refused for the same reason. */
			second = attach(numbered(2), direction, &o);
			ASSERT_FAILS(ebpfnet_link_update(second, numbered(1), NULL, NULL, &err),
				     err, -EEXIST, EBPFNET_ERROR_BUSY, "on this hook already");
			ck_assert_uint_eq(order(4), 12);
			ebpfnet_link_close(second);
			ebpfnet_link_close(link);
		}
}
END_TEST

START_TEST(test_revision)
{
	NEEDS_TCX();
	for (uint32_t direction = EBPFNET_INGRESS; direction <= EBPFNET_EGRESS; direction++) {
		struct ebpfnet_tc_opts o = opts_of(direction, EBPFNET_VIA_TCX);
		struct ebpfnet_query *query = query_via(direction, EBPFNET_VIA_TCX);
		struct ebpfnet_link *first, *second;
		uint64_t revision = ebpfnet_query_revision(query);

		ebpfnet_query_free(query);
		o.expected_revision = revision;
		first = attach(numbered(1), direction, &o);
		refuse(numbered(2), direction, &o, -ESTALE, EBPFNET_ERROR_STALE,
		       "the hook is at revision 2, not 1");
		refuse(numbered(2), direction, &o, -ESTALE, EBPFNET_ERROR_STALE, "query the hook");
		o.expected_revision = revision + 1;
		second = attach(numbered(2), direction, &o);
		query = query_via(direction, EBPFNET_VIA_ANY);
		ck_assert_uint_eq(ebpfnet_query_revision(query), revision + 2);
		ebpfnet_query_free(query);
		ebpfnet_link_close(first);
		ebpfnet_link_close(second);
		/* Never ignored where it cannot be kept. */
		o.via = EBPFNET_VIA_CLSACT;
		refuse(numbered(1), direction, &o, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
		       "clsact has no revision");
		refuse(numbered(1), direction, &o, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
		       "use via TCX");
		ck_assert_str_eq(strstr(tc_text(direction), "clsact") ? "clsact" : "", "");
	}
}
END_TEST

/* What others try with a slot that our link holds; the kernel refuses them all. */
START_TEST(test_slot_of_a_link)
{
	NEEDS_TCX();
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_TCX);
	struct ebpfnet_link *link = attach(numbered(1), EBPFNET_INGRESS, &o);
	LIBBPF_OPTS(bpf_prog_attach_opts, replace, .flags = BPF_F_REPLACE,
		    .replace_fd = ebpfnet_program_fd(numbered(1)));
	int type = EBPFNET__BPF_TCX_INGRESS;

	test_net_enter(net.far_fd);
	ck_assert_int_eq(bpf_prog_attach_opts(ebpfnet_program_fd(numbered(2)), net.far_if,
					      (enum bpf_attach_type)type, &replace),
			 -EBUSY);
	ck_assert_int_eq(bpf_prog_detach_opts(ebpfnet_program_fd(numbered(1)), net.far_if,
					      (enum bpf_attach_type)type, NULL),
			 -EBUSY);
	test_net_enter(-1);
	ck_assert_uint_eq(order(4), 1);
	ASSERT_OK(ebpfnet_link_update(link, numbered(2), NULL, NULL, &err), err);
	ck_assert_uint_eq(order(4), 2);
	ebpfnet_link_close(link);
}
END_TEST

/* The kernel's array has 64 places and keeps one free (measured on 6.18). */
#define LIMIT 63

/* Programs of one instruction, each its own. */
static struct ebpfnet_program *small(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct ebpfnet_program *prog;
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "small", "GPL", insns, 2, NULL);

	ck_assert_int_gt(fd, 0);
	ASSERT_OK(ebpfnet_program_open_fd(ctx, fd, &prog, &err), err);
	close(fd);
	return prog;
}

START_TEST(test_63_programs)
{
	struct ebpfnet_program *progs[LIMIT];
	struct ebpfnet_link *links[LIMIT + 1];

	for (int i = 0; i < LIMIT; i++)
		progs[i] = small();
	for (uint32_t via = first_via(); via <= EBPFNET_VIA_CLSACT; via++) {
		struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, via);

		for (int i = 0; i < LIMIT; i++)
			links[i] = attach(progs[i], EBPFNET_INGRESS, &o);
		ck_assert_uint_eq(attached(EBPFNET_INGRESS, via), LIMIT);
		if (via == EBPFNET_VIA_TCX) {
			refuse(numbered(1), EBPFNET_INGRESS, &o, -ERANGE, EBPFNET_ERROR_BUSY,
			       "the hook has 63 programs");
			refuse(numbered(1), EBPFNET_INGRESS, &o, -ERANGE, EBPFNET_ERROR_BUSY,
			       "detach one of them");
		} else {
			links[LIMIT] = attach(numbered(1), EBPFNET_INGRESS, &o);
			ck_assert_uint_eq(order(4), 1);
			ebpfnet_link_close(links[LIMIT]);
		}
		for (int i = 0; i < LIMIT; i++)
			ebpfnet_link_close(links[i]);
		ck_assert_uint_eq(attached(EBPFNET_INGRESS, via), 0);
	}
	for (int i = 0; i < LIMIT; i++)
		ebpfnet_program_close(progs[i]);
}
END_TEST

/* Halving a gap of 64 gives six places, then both neighbours are named. */
START_TEST(test_no_room)
{
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_EGRESS, EBPFNET_VIA_CLSACT);
	struct ebpfnet_link *first = attach(numbered(1), EBPFNET_EGRESS, &o);
	struct ebpfnet_link *last = attach(numbered(2), EBPFNET_EGRESS, &o), *between[6];
	struct ebpfnet_program *progs[7];

	ck_assert_int_eq(info_of(last).priority, 0x4000 + 64);
	o.anchor = EBPFNET_ANCHOR_AFTER;
	o.anchor_link = first;
	for (int i = 0; i < 7; i++)
		progs[i] = small();
	for (int i = 0; i < 6; i++) {
		between[i] = attach(progs[i], EBPFNET_EGRESS, &o);
		ck_assert_int_eq(info_of(between[i]).priority, 0x4000 + (32 >> i));
	}
	refuse(progs[6], EBPFNET_EGRESS, &o, -EBUSY, EBPFNET_ERROR_BUSY,
	       "q:number_1 of priority 16384");
	refuse(progs[6], EBPFNET_EGRESS, &o, -EBUSY, EBPFNET_ERROR_BUSY,
	       "q:small of priority 16385");
	refuse(progs[6], EBPFNET_EGRESS, &o, -EBUSY, EBPFNET_ERROR_BUSY, "use via TCX");
	o.anchor = EBPFNET_ANCHOR_LAST;
	o.anchor_link = NULL;
	ebpfnet_link_close(attach(progs[6], EBPFNET_EGRESS, &o));
	for (int i = 0; i < 6; i++)
		ebpfnet_link_close(between[i]);
	ebpfnet_link_close(first);
	ebpfnet_link_close(last);
	for (int i = 0; i < 7; i++)
		ebpfnet_program_close(progs[i]);
}
END_TEST

#define ROUNDS 20

struct racer {
	int go, done; /* pipes: a revision comes, a result goes */
	pid_t pid;
};

/* Attaches with each revision that it is told, holds on until told the next. */
static void race(int go, int done, const char *name)
{
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_TCX);
	struct ebpfnet_link *link = NULL;

	while (read(go, &o.expected_revision, sizeof(o.expected_revision)) > 0) {
		int ret;

		ebpfnet_link_close(link);
		link = NULL;
		if (o.expected_revision == 0) /* a pause: let go */
			ret = 0;
		else
			ret = ebpfnet_tc_attach(program(name), net.far_if, EBPFNET_INGRESS, &o,
						&link, NULL);
		if (write(done, &ret, sizeof(ret)) != sizeof(ret))
			break;
	}
	_exit(0);
}

static void start_racer(struct racer *r, const char *name)
{
	int go[2], done[2];

	ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(done, O_CLOEXEC), 0);
	r->pid = fork();
	if (r->pid == 0) {
		close(go[1]);
		race(go[0], done[1], name);
	}
	close(go[0]);
	close(done[1]);
	r->go = go[1];
	r->done = done[0];
}

/* Two processes decide on the same revision: always exactly one is right. */
START_TEST(test_revision_race)
{
	NEEDS_TCX();
	static const char *const names[] = { "number_1", "number_2" };
	struct racer racers[2];

	/* The second must not hold the first one's pipe open: each ends when its own is closed. */
	for (int i = 0; i < 2; i++)
		start_racer(&racers[i], names[i]);
	for (int round = 0; round < ROUNDS; round++) {
		struct ebpfnet_query *query = query_via(EBPFNET_INGRESS, EBPFNET_VIA_TCX);
		uint64_t revision = ebpfnet_query_revision(query), pause = 0;
		int won = 0, stale = 0, ret;

		ck_assert_uint_eq(ebpfnet_query_count(query), 0);
		ebpfnet_query_free(query);
		for (int i = 0; i < 2; i++)
			ck_assert_int_eq(write(racers[i].go, &revision, sizeof(revision)), 8);
		for (int i = 0; i < 2; i++) {
			ck_assert_int_eq(read(racers[i].done, &ret, sizeof(ret)), 4);
			won += ret == 0;
			stale += ret == -ESTALE;
		}
		ck_assert_int_eq(won, 1);
		ck_assert_int_eq(stale, 1);
		ck_assert_uint_eq(attached(EBPFNET_INGRESS, EBPFNET_VIA_TCX), 1);
		for (int i = 0; i < 2; i++) {
			ck_assert_int_eq(write(racers[i].go, &pause, sizeof(pause)), 8);
			ck_assert_int_eq(read(racers[i].done, &ret, sizeof(ret)), 4);
		}
	}
	close(racers[0].go);
	close(racers[1].go);
	for (int i = 0; i < 2; i++) {
		close(racers[i].done);
		waitpid(racers[i].pid, NULL, 0);
	}
}
END_TEST

static int attach_many(void *data)
{
	struct ebpfnet_tc_opts o = opts_of(EBPFNET_INGRESS, EBPFNET_VIA_CLSACT);
	struct ebpfnet_link_info info = { .sz = sizeof(info) };
	int who = *(int *)data;

	for (int i = 0; i < ROUNDS; i++) {
		struct ebpfnet_link *link;

		o.anchor = (uint32_t)i % 2; /* last, first */
		if (ebpfnet_tc_attach(numbered(who), net.far_if, EBPFNET_INGRESS, &o, &link, &err) <
		    0) {
			test_print_error(err);
			return 1;
		}
		/* No ck_assert in a child: it would go on with the next test. */
		CHILD_NEEDS(ebpfnet_link_info(link, &info, NULL) == 0);
		CHILD_NEEDS(info.defunct == 0 && info.program_id != 0);
		ebpfnet_link_close(link);
	}
	return 0;
}

/* Processes that come and go on clsact make and remove the qdisc under each other. */
START_TEST(test_clsact_race)
{
	pid_t pids[3];
	int status;

	for (int i = 0; i < 3; i++) {
		int who = i + 1;

		pids[i] = fork();
		if (pids[i] == 0)
			_exit(attach_many(&who));
	}
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_str_eq(tc_text(EBPFNET_INGRESS), "qdisc noqueue 0: root refcnt 2 \n");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_parity,	     test_tcx_before_clsact,
		test_unknown_anchor, test_anchor_on_the_other_way,
		test_twice,	     test_revision,
		test_slot_of_a_link, test_63_programs,
		test_no_room,	     test_revision_race,
		test_clsact_race,
	};

	test_need_root();
	return test_run(test_suite_around("tc_order", tests, sizeof(tests) / sizeof(*tests), 120,
					  begin, end));
}
