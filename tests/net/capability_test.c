// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The table of capabilities in doc/KERNELS.md, row by row: a child with exactly the named ones
 * loads and attaches, and without any one of them it is refused as PERMISSION, with a hint.
 *
 * EBPFNET_UPDATE=1 prints the table as this kernel has it, found by trying every set.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroups.h"
#include "helpers.h"
#include "sockets.h"

#define CAPS 4
static const struct {
	const char *name;
	int number;
} caps[CAPS] = {
	{ "CAP_BPF", CAP_BPF },
	{ "CAP_NET_ADMIN", CAP_NET_ADMIN },
	{ "CAP_PERFMON", CAP_PERFMON },
	{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN },
};

static struct ebpfnet_ctx *ctx;
static struct ebpfnet_error *err;
static struct test_cgroup cg;
static struct ebpfnet_map *sockmap;
static struct test_pair pair;
static int ifindex, group;

/* What the way of attaching needs of its row. */
struct row {
	const char *name;    /* in the table */
	const char *program; /* of capability.bpf.c; NULL: classic */
	int (*attach)(const struct row *row, struct ebpfnet_program *prog,
		      struct ebpfnet_link **link, struct ebpfnet_error **e);
	uint32_t via;
	uint32_t feature; /* 0: every kernel has it */
};

static int attach_xdp(const struct row *row, struct ebpfnet_program *prog,
		      struct ebpfnet_link **link, struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.via = row->via;
	return ebpfnet_xdp_attach(prog, ifindex, &o, link, e);
}

static int attach_tc(const struct row *row, struct ebpfnet_program *prog,
		     struct ebpfnet_link **link, struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_tc_opts, o);
	o.via = row->via;
	return ebpfnet_tc_attach(prog, ifindex, EBPFNET_INGRESS, &o, link, e);
}

static int attach_netfilter(const struct row *row, struct ebpfnet_program *prog,
			    struct ebpfnet_link **link, struct ebpfnet_error **e)
{
	(void)row;
	return ebpfnet_netfilter_attach(prog, 2, 1, NULL, link, e);
}

static int attach_netns(const struct row *row, struct ebpfnet_program *prog,
			struct ebpfnet_link **link, struct ebpfnet_error **e)
{
	(void)row;
	return ebpfnet_netns_attach(prog, NULL, link, e);
}

static int attach_cgroup(const struct row *row, struct ebpfnet_program *prog,
			 struct ebpfnet_link **link, struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_cgroup_opts, o);
	o.via = row->via;
	return ebpfnet_cgroup_attach(prog, cg.name, 0, &o, link, e);
}

static int attach_sockmap(const struct row *row, struct ebpfnet_program *prog,
			  struct ebpfnet_link **link, struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_sockmap_opts, o);
	o.via = row->via;
	return ebpfnet_sockmap_attach(prog, sockmap, &o, link, e);
}

static int attach_socket(const struct row *row, struct ebpfnet_program *prog,
			 struct ebpfnet_link **link, struct ebpfnet_error **e)
{
	(void)row;
	return ebpfnet_socket_attach(prog, pair.far, NULL, link, e);
}

static int attach_reuseport(const struct row *row, struct ebpfnet_program *prog,
			    struct ebpfnet_link **link, struct ebpfnet_error **e)
{
	(void)row;
	return ebpfnet_socket_attach(prog, group, NULL, link, e);
}

static int attach_classic(const struct row *row, struct ebpfnet_program *prog,
			  struct ebpfnet_link **link, struct ebpfnet_error **e)
{
	static const struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, 65535) };

	(void)row;
	(void)prog;
	return ebpfnet_socket_attach_classic(ctx, all, 1, pair.far, NULL, link, e);
}

static int attach_lwt(const struct row *row, struct ebpfnet_program *prog,
		      struct ebpfnet_link **link, struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_lwt_opts, o);
	(void)row;
	o.ifindex = ifindex;
	return ebpfnet_lwt_attach(prog, "10.99.0.0/16", &o, link, e);
}

/* clang-format off */
static const struct row rows[] = {
	{ "xdp link", "xdp", attach_xdp, EBPFNET_VIA_LINK, EBPFNET_FEATURE_XDP_LINK },
	{ "xdp netlink", "xdp", attach_xdp, EBPFNET_VIA_NETLINK, 0 },
	{ "tc tcx", "tc", attach_tc, EBPFNET_VIA_TCX, EBPFNET_FEATURE_TCX },
	{ "tc clsact", "tc", attach_tc, EBPFNET_VIA_CLSACT, EBPFNET_FEATURE_CLSACT },
	{ "netfilter", "netfilter", attach_netfilter, 0, EBPFNET_FEATURE_NETFILTER_LINK },
	{ "sk_lookup", "sk_lookup", attach_netns, 0, EBPFNET_FEATURE_SK_LOOKUP },
	{ "flow dissector", "flow_dissector", attach_netns, 0, 0 },
	{ "cgroup skb", "cgroup_skb", attach_cgroup, EBPFNET_VIA_LINK, 0 },
	{ "cgroup sock", "cgroup_sock", attach_cgroup, EBPFNET_VIA_LINK, 0 },
	{ "cgroup connect", "cgroup_connect4", attach_cgroup, EBPFNET_VIA_LINK, 0 },
	{ "cgroup sockops", "cgroup_sockops", attach_cgroup, EBPFNET_VIA_LINK, 0 },
	{ "cgroup sockopt", "cgroup_getsockopt", attach_cgroup, EBPFNET_VIA_LINK, 0 },
	{ "cgroup device", "cgroup_device", attach_cgroup, EBPFNET_VIA_LINK, 0 },
	{ "cgroup sysctl", "cgroup_sysctl", attach_cgroup, EBPFNET_VIA_LINK, 0 },
	{ "cgroup skb prog_attach", "cgroup_skb", attach_cgroup, EBPFNET_VIA_PROG_ATTACH, 0 },
	{ "cgroup connect prog_attach", "cgroup_connect4", attach_cgroup, EBPFNET_VIA_PROG_ATTACH, 0 },
	{ "sockmap msg verdict", "msg_verdict", attach_sockmap, EBPFNET_VIA_LINK, EBPFNET_FEATURE_SOCKMAP_LINK },
	{ "sockmap stream parser", "stream_parser", attach_sockmap, EBPFNET_VIA_LINK, EBPFNET_FEATURE_SOCKMAP_LINK },
	{ "sockmap stream verdict", "stream_verdict", attach_sockmap, EBPFNET_VIA_LINK, EBPFNET_FEATURE_SOCKMAP_LINK },
	{ "sockmap skb verdict", "skb_verdict", attach_sockmap, EBPFNET_VIA_LINK, EBPFNET_FEATURE_SOCKMAP_LINK },
	{ "sockmap msg verdict prog_attach", "msg_verdict", attach_sockmap, EBPFNET_VIA_PROG_ATTACH, 0 },
	{ "sockmap stream verdict prog_attach", "stream_verdict", attach_sockmap, EBPFNET_VIA_PROG_ATTACH, 0 },
	{ "socket filter", "socket_filter", attach_socket, 0, 0 },
	{ "socket filter classic", NULL, attach_classic, 0, 0 },
	{ "reuseport", "reuseport", attach_reuseport, 0, 0 },
	{ "lwt out", "lwt_out", attach_lwt, 0, 0 },
	{ "lwt xmit", "lwt_xmit", attach_lwt, 0, 0 },
};
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(*rows))

/* One attempt, in a child: what is done with which capabilities. */
struct attempt {
	const struct row *row;
	unsigned int set; /* bits of caps[] */
	bool attach;	  /* with a program that was loaded before; else load */
};

static void keep_only(unsigned int set)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	for (int i = 0; i < CAPS; i++) {
		if (set & 1u << i) {
			data[caps[i].number / 32].effective |= 1u << caps[i].number % 32;
			data[caps[i].number / 32].permitted |= 1u << caps[i].number % 32;
		}
	}
	if (syscall(SYS_capset, &header, data))
		_exit(3);
}

static int open_program(const struct row *row, struct ebpfnet_object **obj,
			struct ebpfnet_program **prog, struct ebpfnet_error **e)
{
	int ret = ebpfnet_object_open_file(ctx, test_object("capability"), NULL, obj, e);

	if (ret == 0)
		ret = ebpfnet_object_set_program_enabled(*obj, row->program, true, e);
	if (ret == 0)
		ret = ebpfnet_object_program(*obj, row->program, prog, e);
	return ret;
}

/* 0: done; 1: refused as it should be; 2: anything else, which is printed. */
static int try(void *data)
{
	const struct attempt *a = data;
	struct ebpfnet_program *prog = NULL;
	struct ebpfnet_object *obj = NULL;
	struct ebpfnet_link *link = NULL;
	struct ebpfnet_error *e = NULL;
	int ret = 0;

	if (a->row->program)
		ret = open_program(a->row, &obj, &prog, &e);
	if (ret == 0 && a->attach && obj)
		ret = ebpfnet_object_load(obj, &e);
	if (ret) {
		test_print_error(e);
		return 2;
	}
	keep_only(a->set);
	if (a->attach)
		ret = a->row->attach(a->row, prog, &link, &e);
	else if (obj)
		ret = ebpfnet_object_load(obj, &e);
	/* The parent takes away what the child's death leaves. */
	if (ret == 0)
		return 0;
	if (ret == -EPERM && ebpfnet_error_kind(e) == EBPFNET_ERROR_PERMISSION &&
	    ebpfnet_error_hint(e))
		return 1;
	test_print_error(e);
	return 2;
}

/* Whatever stays when the child ends. */
static void clean(const struct row *row)
{
	if (row->via == EBPFNET_VIA_NETLINK)
		test_shell("ip link set dev v0 xdp off");
	if (row->via == EBPFNET_VIA_CLSACT)
		test_shell("tc qdisc del dev v0 clsact 2>/dev/null");
	if (row->attach == attach_lwt)
		test_shell("ip route del 10.99.0.0/16 2>/dev/null");
	if (row->attach == attach_cgroup && row->via == EBPFNET_VIA_PROG_ATTACH) {
		test_cgroup_close(&cg);
		test_cgroup_open(&cg);
	}
	if (row->attach == attach_sockmap && row->via == EBPFNET_VIA_PROG_ATTACH) {
		ebpfnet_map_close(sockmap);
		sockmap = NULL;
	}
}

static void make_sockmap(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_SOCKMAP, "capability", 4, 4, 1, NULL);

	ASSERT_OK(ebpfnet_map_open_fd(ctx, fd, &sockmap, &err), err);
	close(fd);
}

static int outcome(const struct row *row, unsigned int set, bool attach)
{
	struct attempt a = { row, set, attach };
	int ret;

	if (!sockmap)
		make_sockmap();
	ret = test_in_child(try, &a);
	if (attach && ret == 0)
		clean(row);
	return ret;
}

/* "CAP_BPF CAP_NET_ADMIN", "none". */
static void print_set(unsigned int set)
{
	printf(" ");
	for (int i = 0; i < CAPS; i++) {
		if (set & 1u << i)
			printf("%s ", caps[i].name);
	}
	printf("%s|", set ? "" : "none ");
}

static unsigned int parse_set(const char *text, size_t len)
{
	unsigned int set = 0;

	for (int i = 0; i < CAPS; i++) {
		const char *at = strstr(text, caps[i].name);

		if (at && at < text + len)
			set |= 1u << i;
	}
	return set;
}

/*
 * The smallest set that does it, by trying all of them. CAP_SYS_ADMIN comes last: it is the bit that
 * stands in for others, and what one wants to do without.
 */
static unsigned int least(const struct row *row, bool attach)
{
	for (unsigned int admin = 0; admin < 2; admin++) {
		for (int size = 0; size < CAPS; size++) {
			for (unsigned int few = 0; few < 1u << (CAPS - 1); few++) {
				unsigned int set = few | admin << (CAPS - 1);

				if (__builtin_popcount(few) == size &&
				    outcome(row, set, attach) == 0)
					return set;
			}
		}
	}
	return ~0u;
}

static bool there(const struct row *row)
{
	return !row->feature || ebpfnet_probe(ctx, row->feature, NULL) == 1;
}

static void print_table(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (!there(&rows[i]))
			continue;
		printf("| %s |", rows[i].name);
		print_set(rows[i].program ? least(&rows[i], false) : 0);
		print_set(least(&rows[i], true));
		printf("\n");
	}
}

/*
 * The table is of 6.18. Older kernels ask for CAP_NET_ADMIN in BPF_PROG_ATTACH, whatever is
 * attached: there the sets must do together with it, and less is not looked at.
 */
static void check_phase(const struct row *row, unsigned int set, bool attach)
{
	bool as_table = !attach || ebpfnet_probe(ctx, EBPFNET_FEATURE_CGROUP_ORDER, NULL) == 1;
	const char *what = attach ? "attach" : "load";
	int ret = outcome(row, as_table ? set : set | 3, attach);

	ck_assert_msg(ret == 0, "%s: %s with what the table says: %d", row->name, what, ret);
	for (int i = 0; as_table && i < CAPS; i++) {
		if (!(set & 1u << i))
			continue;
		ret = outcome(row, set & ~(1u << i), attach);
		ck_assert_msg(ret == 1, "%s: %s without %s: %d", row->name, what, caps[i].name,
			      ret);
	}
}

START_TEST(test_table)
{
	static char page[65536];
	const char *at, *end;
	size_t found = 0;
	FILE *f = fopen(test_source("doc/KERNELS.md"), "re");

	ck_assert_ptr_nonnull(f);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	at = strstr(page, "<!-- capabilities: begin -->");
	end = strstr(page, "<!-- capabilities: end -->");
	ck_assert(at && end);
	for (size_t i = 0; i < ROWS; i++) {
		char start[64];
		const char *line, *load, *attach;

		snprintf(start, sizeof(start), "\n| %s |", rows[i].name);
		line = strstr(at, start);
		ck_assert_msg(line && line < end, "no row for %s", rows[i].name);
		found++;
		load = line + strlen(start);
		attach = strchr(load, '|') + 1;
		if (!there(&rows[i])) {
			printf("%s is not there\n", rows[i].name);
			continue;
		}
		if (rows[i].program)
			check_phase(&rows[i], parse_set(load, (size_t)(attach - load)), false);
		check_phase(&rows[i], parse_set(attach, (size_t)(strchr(attach, '|') - attach)),
			    true);
	}
	/* No row that nobody tests: two lines are the head. */
	for (at = strstr(at, "\n|"); at && at < end; at = strstr(at + 1, "\n|"))
		found--;
	ck_assert_int_eq((int)found, -2);
}
END_TEST

/* Exit status 0 if each of the maps can be made with set, and each that asks for more without it. */
static int make_maps(void *data)
{
	static const struct {
		enum bpf_map_type type;
		bool net;
	} maps[] = {
		{ BPF_MAP_TYPE_SOCKMAP, true }, { BPF_MAP_TYPE_SOCKHASH, true },
		{ BPF_MAP_TYPE_DEVMAP, true },	{ BPF_MAP_TYPE_XSKMAP, true },
		{ BPF_MAP_TYPE_CPUMAP, false }, { BPF_MAP_TYPE_HASH, false },
		{ BPF_MAP_TYPE_ARRAY, false },
	};
	unsigned int set = *(unsigned int *)data;

	keep_only(set);
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		int fd = bpf_map_create(maps[i].type, "capability", 4, 4, 1, NULL);

		CHILD_NEEDS((fd >= 0) == (set == 3 || (set == 1 && !maps[i].net)));
		CHILD_NEEDS(fd >= 0 || errno == EPERM);
	}
	return 0;
}

START_TEST(test_maps)
{
	for (unsigned int set = 0; set < 4; set++)
		ck_assert_int_eq(test_in_child(make_maps, &set), 0);
}
END_TEST

static void begin(void)
{
	uint16_t port;
	int one = 1;

	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	test_cgroup_open(&cg);
	ck_assert_int_eq(test_shell("ip link add v0 type veth peer name v1 && ip link set v0 up && "
				    "ip link set v1 up"),
			 0);
	ifindex = (int)if_nametoindex("v0");
	pair = test_pair_open(AF_INET, SOCK_DGRAM);
	group = test_bound(AF_INET, SOCK_DGRAM, &port);
	close(group);
	group = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(setsockopt(group, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
}

static void end(void)
{
	ebpfnet_map_close(sockmap);
	sockmap = NULL;
	test_pair_close(&pair);
	close(group);
	test_shell("ip link del v0");
	test_cgroup_close(&cg);
	ebpfnet_ctx_unref(ctx);
}

START_TEST(test_print)
{
	print_table();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_table, test_maps };
	const TTest *const update[] = { test_print };

	test_need_root();
	/* Without this sysctl some programs load without a capability: no distribution has that. */
	if (test_shell("! grep -qx 0 /proc/sys/kernel/unprivileged_bpf_disabled"))
		test_skip("kernel.unprivileged_bpf_disabled is 0");
	test_loopback_only();
	if (getenv("EBPFNET_UPDATE"))
		return test_run(test_suite_around("capability", update, 1, 120, begin, end));
	return test_run(test_suite_around("capability", tests, sizeof(tests) / sizeof(*tests), 120,
					  begin, end));
}
