// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * XDP chains: what each edit does to the packets that flow meanwhile. Every stage adds its number
 * to the packet's metadata, in octal; the last one counts packets by the number that came out, so a
 * packet that saw an order which never was is found.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"
#include "netns.h"

#include "bench/live.h"

#define STAGES 5
#define SEQUENCES 4096
#define FRAMES 20000

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_error *err;
static struct ebpfnet_object *objects[STAGES + 1], *sender;
static struct ebpfnet_program *stages[STAGES + 1]; /* [0] is the last one, which counts */
static struct ebpfnet_map *counts[STAGES + 1];
static struct ebpfnet_chain *chain;
static struct live live;

static void open_stage(size_t i, const char *program, uint32_t number, uint32_t verdict)
{
	static const char *const others[] = { "stage", "last" };

	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("chain"), NULL, &objects[i], &err),
		  err);
	ASSERT_OK(ebpfnet_object_set_const(objects[i], "stage_number", &number, 4, &err), err);
	ASSERT_OK(ebpfnet_object_set_const(objects[i], "stage_verdict", &verdict, 4, &err), err);
	for (int n = 0; n < 2; n++)
		if (strcmp(others[n], program) != 0)
			ASSERT_OK(ebpfnet_object_set_program_enabled(objects[i], others[n], false,
								     &err),
				  err);
	ASSERT_OK(ebpfnet_object_load(objects[i], &err), err);
	ASSERT_OK(ebpfnet_object_program(objects[i], program, &stages[i], &err), err);
	ASSERT_OK(ebpfnet_object_map(objects[i], "sequences", &counts[i], &err), err);
}

static struct ebpfnet_chain *open_chain(int ns, int ifindex)
{
	struct ebpfnet_chain *c;

	EBPFNET_OPTS(ebpfnet_chain_opts, o);
	o.netns_fd = ns;
	ASSERT_OK(ebpfnet_chain_open(ctx, ifindex, &o, &c, &err), err);
	return c;
}

static void begin(void)
{
	struct ebpfnet_program *send;

	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("chain_send"), NULL, &sender, &err),
		  err);
	ASSERT_OK(ebpfnet_object_load(sender, &err), err);
	ASSERT_OK(ebpfnet_object_program(sender, "send", &send, &err), err);
	live_open(&live, ebpfnet_program_fd(send));
	open_stage(0, "last", 0, 0);
	for (uint32_t i = 1; i <= STAGES; i++)
		open_stage(i, "stage", i, 2 /* XDP_PASS */);
	chain = open_chain(live.net.far_fd, live.net.far_if);
}

static void empty(struct ebpfnet_chain *c)
{
	struct ebpfnet_query_entry entry = { .sz = sizeof(entry) };
	struct ebpfnet_query *query;
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_chain_query(c, &query, &err), err);
	for (size_t i = 0; i < ebpfnet_query_count(query); i++) {
		ck_assert_int_eq(ebpfnet_query_entry(query, i, &entry), 0);
		ASSERT_OK(ebpfnet_program_open_id(ctx, entry.program_id, &prog, &err), err);
		ASSERT_OK(ebpfnet_chain_remove(c, prog, &err), err);
		ebpfnet_program_close(prog);
	}
	ebpfnet_query_free(query);
}

static void end(void)
{
	empty(chain);
	ebpfnet_chain_close(chain);
	for (size_t i = 0; i <= STAGES; i++)
		ebpfnet_object_close(objects[i]);
	live_close(&live);
	ebpfnet_object_close(sender);
	ck_assert_int_ne(test_shell("ls -d /sys/fs/bpf/ebpfnet/xdp-chain 2>/dev/null"), 0);
}

static uint64_t counted(size_t stage, uint32_t sequence)
{
	uint64_t sum = 0;

	ASSERT_OK(ebpfnet_map_sum(counts[stage], &sequence, &sum), err);
	return sum;
}

static uint64_t all_counted(size_t stage)
{
	uint64_t sum = 0;

	for (uint32_t s = 0; s < SEQUENCES; s++)
		sum += counted(stage, s);
	return sum;
}

/* Sends n frames, and says how many arrived: all but those that the wire had no room for. A rate
 * (-ENODATA if there are too few) is not asked for. */
static int send_frames(uint32_t n, uint64_t *arrived)
{
	struct live_result r;
	int ret = live_run(&live, n, &r);

	*arrived = r.received;
	if (ret && ret != -ENODATA)
		return ret;
	return r.received && r.sent == r.received + r.dropped ? 0 : -ENODATA;
}

/* Sends n frames: they must arrive, and all come out of the chain with this sequence. */
static void all_see(uint32_t n, uint32_t sequence)
{
	uint64_t before = counted(0, sequence);
	uint64_t n_arrived;

	ck_assert_int_eq(send_frames(n, &n_arrived), 0);
	ck_assert_uint_eq(counted(0, sequence) - before, n_arrived);
}

static void order_is(struct ebpfnet_chain *c, const char *digits)
{
	struct ebpfnet_query_entry entry = { .sz = sizeof(entry) };
	struct ebpfnet_query *query;

	ASSERT_OK(ebpfnet_chain_query(c, &query, &err), err);
	ck_assert_uint_eq(ebpfnet_query_count(query), strlen(digits));
	for (size_t i = 0; i < strlen(digits); i++) {
		struct ebpfnet_program_info info = { .sz = sizeof(info) };

		ASSERT_OK(ebpfnet_program_info(stages[digits[i] - '0'], &info, &err), err);
		ck_assert_int_eq(ebpfnet_query_entry(query, i, &entry), 0);
		ck_assert_uint_eq(entry.program_id, info.id);
		ck_assert_uint_eq(entry.kind, EBPFNET_LINK_XDP);
	}
	ebpfnet_query_free(query);
}

START_TEST(edits)
{
	ASSERT_OK(ebpfnet_chain_append(chain, stages[1], &err), err);
	ASSERT_OK(ebpfnet_chain_append(chain, stages[0], &err), err);
	all_see(FRAMES, 01);
	ASSERT_OK(ebpfnet_chain_insert(chain, stages[2], stages[1], &err), err);
	order_is(chain, "210");
	all_see(FRAMES, 021);
	ASSERT_OK(ebpfnet_chain_insert(chain, stages[3], stages[0], &err), err);
	all_see(FRAMES, 0213);
	ASSERT_OK(ebpfnet_chain_remove(chain, stages[1], &err), err);
	order_is(chain, "230");
	all_see(FRAMES, 023);
	ASSERT_OK(ebpfnet_chain_replace(chain, stages[2], stages[4], &err), err);
	all_see(FRAMES, 043);
	/* What was removed can come again. */
	ASSERT_OK(ebpfnet_chain_insert(chain, stages[1], stages[3], &err), err);
	all_see(FRAMES, 0413);
	ASSERT_OK(ebpfnet_chain_remove(chain, stages[4], &err), err);
	ASSERT_OK(ebpfnet_chain_remove(chain, stages[3], &err), err);
	ASSERT_OK(ebpfnet_chain_remove(chain, stages[1], &err), err);
	order_is(chain, "0");
	all_see(FRAMES, 0);
}
END_TEST

/* A verdict that is not "pass" ends the chain. */
START_TEST(verdicts)
{
	static const uint32_t ends[] = { 1 /* DROP */, 3 /* TX */, 4 /* REDIRECT: to nowhere */ };

	for (size_t i = 0; i < 3; i++) {
		uint64_t n_arrived, before = all_counted(0);

		ebpfnet_object_close(objects[2]);
		open_stage(2, "stage", 2, ends[i]);
		ASSERT_OK(ebpfnet_chain_append(chain, stages[2], &err), err);
		ASSERT_OK(ebpfnet_chain_append(chain, stages[0], &err), err);
		/* What was sent back keeps its metadata, and is sent again with it. */
		ck_assert_int_eq(send_frames(FRAMES, &n_arrived), 0);
		ck_assert_uint_eq(all_counted(2), n_arrived);
		ck_assert_uint_eq(all_counted(0), before);
		empty(chain);
	}
}
END_TEST

/* One block in the chains of two interfaces, in different orders. */
START_TEST(two_interfaces)
{
	struct ebpfnet_chain *near = open_chain(live.net.near_fd, live.net.near_if);

	ck_assert_int_ne(live.net.near_if, live.net.far_if);
	ASSERT_OK(ebpfnet_chain_append(chain, stages[1], &err), err);
	ASSERT_OK(ebpfnet_chain_append(chain, stages[2], &err), err);
	ASSERT_OK(ebpfnet_chain_append(chain, stages[0], &err), err);
	ASSERT_OK(ebpfnet_chain_append(near, stages[2], &err), err);
	ASSERT_OK(ebpfnet_chain_append(near, stages[1], &err), err);
	order_is(chain, "120");
	order_is(near, "21");
	all_see(FRAMES, 012);
	/* Removing it from one leaves the other. */
	ASSERT_OK(ebpfnet_chain_remove(near, stages[2], &err), err);
	all_see(FRAMES, 012);
	ASSERT_OK(ebpfnet_chain_remove(near, stages[1], &err), err);
	all_see(FRAMES, 012);
	ebpfnet_chain_close(near);
}
END_TEST

static int append_and_end(void *data)
{
	(void)data;
	CHILD_NEEDS(ebpfnet_chain_append(chain, stages[1], &err) == 0);
	CHILD_NEEDS(ebpfnet_chain_append(chain, stages[2], &err) == 0);
	CHILD_NEEDS(ebpfnet_chain_append(chain, stages[0], &err) == 0);
	return 0;
}

/* Its pins keep it: also the slots, which the kernel empties when nobody holds them. */
START_TEST(outlives_the_process)
{
	ck_assert_int_eq(test_in_child(append_and_end, NULL), 0);
	/* The programs of a chain need no object either. */
	for (size_t i = 1; i <= 2; i++) {
		struct ebpfnet_program *kept;

		ASSERT_OK(ebpfnet_program_open_fd(ctx, ebpfnet_program_fd(stages[i]), &kept, &err),
			  err);
		ebpfnet_object_close(objects[i]);
		objects[i] = NULL;
		stages[i] = kept;
	}
	all_see(FRAMES, 012);
	order_is(chain, "120");
	ASSERT_OK(ebpfnet_chain_remove(chain, stages[1], &err), err);
	all_see(FRAMES, 02);
	ebpfnet_program_close(stages[1]);
	ebpfnet_program_close(stages[2]);
}
END_TEST

static struct ebpfnet_object *open_other(const char *program, bool frags,
					 struct ebpfnet_program **p)
{
	static const char *const all[] = { "stage", "second", "frags", "skb", "xdp_dispatcher" };
	struct ebpfnet_object *obj;

	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("chain_other"), NULL, &obj, &err), err);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strcmp(all[i], program) != 0 && (frags || strcmp(all[i], "second") != 0))
			ASSERT_OK(ebpfnet_object_set_program_enabled(obj, all[i], false, &err),
				  err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	ASSERT_OK(ebpfnet_object_program(obj, program, p, &err), err);
	return obj;
}

START_TEST(refused)
{
	struct ebpfnet_object *other;
	struct ebpfnet_program *prog, *second;
	struct ebpfnet_chain *c;
	struct ebpfnet_link *link;

	ASSERT_OK(ebpfnet_chain_append(chain, stages[1], &err), err);
	ASSERT_OK(ebpfnet_chain_append(chain, stages[0], &err), err);
	ASSERT_FAILS(ebpfnet_chain_append(chain, stages[2], &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "last) does not hand packets on");
	ASSERT_FAILS(ebpfnet_chain_insert(chain, stages[1], stages[0], &err), err, -EEXIST,
		     EBPFNET_ERROR_BUSY, "stage 1 already");
	ASSERT_FAILS(ebpfnet_chain_insert(chain, stages[2], stages[3], &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "is not in the chain of v0");
	ASSERT_FAILS(ebpfnet_chain_remove(chain, stages[3], &err), err, -ENOENT,
		     EBPFNET_ERROR_NOT_FOUND, "is not in the chain");
	/* Two programs of one object have one set of slots. */
	other = open_other("stage", false, &prog);
	ASSERT_OK(ebpfnet_object_program(other, "second", &second, &err), err);
	ASSERT_OK(ebpfnet_chain_insert(chain, prog, stages[1], &err), err);
	ASSERT_FAILS(ebpfnet_chain_insert(chain, second, stages[1], &err), err, -ELOOP,
		     EBPFNET_ERROR_INVALID, "lead back to itself");
	/* One may take the other's place, though. */
	ASSERT_OK(ebpfnet_chain_replace(chain, prog, second, &err), err);
	all_see(FRAMES, 01);
	ASSERT_OK(ebpfnet_chain_remove(chain, second, &err), err);
	all_see(FRAMES, 01);
	ebpfnet_object_close(other);
	other = open_other("frags", true, &prog);
	ASSERT_FAILS(ebpfnet_chain_insert(chain, prog, stages[1], &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "in fragments");
	all_see(FRAMES, 01);
	/* Alone it gets a root that fits it. */
	empty(chain);
	ASSERT_OK(ebpfnet_chain_append(chain, prog, &err), err);
	ASSERT_FAILS(ebpfnet_chain_append(chain, stages[1], &err), err, -EINVAL,
		     EBPFNET_ERROR_INCOMPATIBLE, "in fragments");
	empty(chain);
	ebpfnet_object_close(other);
	other = open_other("skb", true, &prog);
	ASSERT_FAILS(ebpfnet_chain_append(chain, prog, &err), err, -EINVAL, EBPFNET_ERROR_INVALID,
		     "is not XDP");
	ebpfnet_object_close(other);
	EBPFNET_OPTS(ebpfnet_chain_opts, o);
	o.netns_fd = live.net.far_fd;
	o.slots = 1;
	ASSERT_FAILS(ebpfnet_chain_open(ctx, live.net.far_if, &o, &c, &err), err, -E2BIG,
		     EBPFNET_ERROR_INVALID, "has none for ifindex");
	ck_assert_ptr_null(c);
	ASSERT_FAILS(ebpfnet_chain_open(ctx, 999999, NULL, &c, &err), err, -ENODEV,
		     EBPFNET_ERROR_NOT_FOUND, "no such interface");
	/* A program with too few slots would end the chain in silence. */
	ASSERT_OK(ebpfnet_object_open_file(ctx, test_object("chain"), NULL, &other, &err), err);
	ASSERT_OK(ebpfnet_object_set_map_entries(other, "ebpfnet_slots", 1, &err), err);
	ASSERT_OK(ebpfnet_object_load(other, &err), err);
	ASSERT_OK(ebpfnet_object_program(other, "stage", &prog, &err), err);
	ASSERT_FAILS(ebpfnet_chain_append(chain, prog, &err), err, -E2BIG, EBPFNET_ERROR_INVALID,
		     "has 1 slots, and v0 is ifindex");
	ebpfnet_object_close(other);
	/* Somebody else's single program, and libxdp's dispatcher. */
	other = open_other("xdp_dispatcher", true, &prog);
	EBPFNET_OPTS(ebpfnet_xdp_opts, x);
	x.netns_fd = live.net.far_fd;
	ASSERT_OK(ebpfnet_xdp_attach(prog, live.net.far_if, &x, &link, &err), err);
	ASSERT_FAILS(ebpfnet_chain_append(chain, stages[1], &err), err, -EBUSY, EBPFNET_ERROR_BUSY,
		     "libxdp");
	ebpfnet_link_close(link);
	ebpfnet_object_close(other);
}
END_TEST

/* What a child tells its parent before each edit: the orders that may be. */
struct told {
	atomic_uint edits;
	atomic_bool legal[SEQUENCES];
};

struct order {
	size_t n;
	uint32_t stage[4];
};

static uint32_t digits(const struct order *o)
{
	uint32_t d = 0;

	for (size_t i = 0; i < o->n; i++)
		d = d * 8 + o->stage[i];
	return d;
}

/* The stages in front of the last one, as the kernel has them. */
static int read_order(struct order *o)
{
	struct ebpfnet_query_entry entry = { .sz = sizeof(entry) };
	struct ebpfnet_query *query;

	o->n = 0;
	if (ebpfnet_chain_query(chain, &query, &err) < 0)
		return -1;
	for (size_t i = 0; i + 1 < ebpfnet_query_count(query); i++) {
		ebpfnet_query_entry(query, i, &entry);
		for (uint32_t s = 1; s <= STAGES; s++) {
			struct ebpfnet_program_info info = { .sz = sizeof(info) };

			if (ebpfnet_program_info(stages[s], &info, NULL) == 0 &&
			    info.id == entry.program_id)
				o->stage[o->n++] = s;
		}
	}
	ebpfnet_query_free(query);
	return 0;
}

static bool in(const struct order *o, uint32_t stage)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->stage[i] == stage)
			return true;
	return false;
}

/* One random edit, of a chain of at most three stages before the last one. */
static int edit(struct told *told, uint32_t *random)
{
	struct order o, want;
	uint32_t stage;
	size_t at;
	int ret;

	*random = *random * 1103515245 + 12345;
	stage = 1 + *random / 65536 % STAGES;
	if (read_order(&o))
		return -1;
	want = o;
	at = o.n ? *random / 512 % o.n : 0;
	if (in(&o, stage)) {
		for (at = 0; o.stage[at] != stage; at++)
			;
		memmove(&want.stage[at], &want.stage[at + 1], (want.n - at - 1) * 4);
		want.n--;
		told->legal[digits(&want)] = true;
		ret = ebpfnet_chain_remove(chain, stages[stage], &err);
	} else if (o.n == 3) {
		want.stage[at] = stage;
		told->legal[digits(&want)] = true;
		ret = ebpfnet_chain_replace(chain, stages[o.stage[at]], stages[stage], &err);
	} else {
		memmove(&want.stage[at + 1], &want.stage[at], (want.n - at) * 4);
		want.stage[at] = stage;
		want.n++;
		told->legal[digits(&want)] = true;
		ret = ebpfnet_chain_insert(chain, stages[stage], stages[o.n ? o.stage[at] : 0],
					   &err);
	}
	if (ret)
		test_print_error(err);
	told->edits++;
	return ret;
}

static atomic_bool stop;
static uint64_t received;

static void *send_all(void *data)
{
	uint64_t n_arrived;

	(void)data;
	while (!stop) {
		if (send_frames(FRAMES, &n_arrived) < 0)
			return "frames are missing";
		received += n_arrived;
	}
	return NULL;
}

static void editor(struct told *told, uint32_t random)
{
	while (edit(told, &random) == 0)
		;
	_exit(1);
}

START_TEST(a_thousand_edits_and_kills)
{
	unsigned int wanted = test_quick() ? 50 : 1000, kills = 0;
	struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t sum = 0;
	pthread_t thread;
	void *why;

	ck_assert_ptr_ne(told, MAP_FAILED);
	ASSERT_OK(ebpfnet_chain_append(chain, stages[0], &err), err);
	told->legal[0] = true;
	received = 0;
	stop = false;
	pthread_create(&thread, NULL, send_all, NULL);
	while (told->edits < wanted) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			editor(told, told->edits * 7919u + kills);
		usleep(20000 + told->edits * 7919u % 60000);
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFSIGNALED(status), "an edit failed");
		kills++;
	}
	stop = true;
	pthread_join(thread, &why);
	ck_assert_msg(!why, "%s", (char *)why);
	for (uint32_t s = 0; s < SEQUENCES; s++) {
		uint64_t n = counted(0, s);

		ck_assert_msg(!n || told->legal[s],
			      "%llu packets saw the order 0%o, which never was",
			      (unsigned long long)n, s);
		sum += n;
	}
	printf("        %u edits, %u kills, %llu frames\n", told->edits, kills,
	       (unsigned long long)sum);
	ck_assert_uint_eq(sum, received);
	ck_assert_uint_gt(kills, 3);
	munmap(told, sizeof(*told));
}
END_TEST

/* Appends and removes its own stages; the other process does the same with others. */
static int edit_own(uint32_t first)
{
	for (int i = 0; i < (test_quick() ? 10 : 100); i++) {
		CHILD_NEEDS(ebpfnet_chain_insert(chain, stages[first], stages[0], &err) == 0);
		CHILD_NEEDS(ebpfnet_chain_insert(chain, stages[first + 1], stages[first], &err) ==
			    0);
		CHILD_NEEDS(ebpfnet_chain_remove(chain, stages[first], &err) == 0);
		CHILD_NEEDS(i == 99 || ebpfnet_chain_remove(chain, stages[first + 1], &err) == 0);
	}
	return 0;
}

START_TEST(two_editors)
{
	struct order o;
	int status;
	pid_t pid;

	ASSERT_OK(ebpfnet_chain_append(chain, stages[0], &err), err);
	pid = fork();
	if (pid == 0)
		_exit(edit_own(1));
	ck_assert_int_eq(edit_own(3), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(read_order(&o), 0);
	ck_assert_uint_eq(o.n, test_quick() ? 0 : 2);
	ck_assert(test_quick() || (in(&o, 2) && in(&o, 4)));
	all_see(FRAMES, digits(&o));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { edits,	       verdicts,
				       two_interfaces, outlives_the_process,
				       refused,	       a_thousand_edits_and_kills,
				       two_editors };
	int ret;

	test_need_root();
	test_need_bpffs();
	if (ebpfnet_ctx_new(NULL, &ctx, &err) < 0)
		return 1;
	/* The same release brought frags and live frames. */
	if (ebpfnet_probe(ctx, EBPFNET_FEATURE_XDP_FRAGS, &err) != 1)
		test_skip("this kernel sends no live frames (5.18)");
	ret = test_run(
		test_suite_around("chain", tests, sizeof(tests) / sizeof(*tests), 200, begin, end));
	ebpfnet_ctx_unref(ctx);
	return ret;
}
