// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The kinds of links that decide over packets between two namespaces: near sends, far receives. */
#include "link_kinds.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ebpfnet/probe.h>

#include "netns.h"
#include "traffic.h"

#define PORT 7777   /* as the programs have it */
#define BEHIND 7779 /* as none of them has it */
#define FLOWS 32
#define ARRIVE_MS 250

/* A netkit pair beside the veth: primary in near, peer in far. */
#define POD4 "10.88.0.2"
#define POD6 "fd88::2"

struct link_site link_site;
static struct ebpfnet_error *err;
static struct test_net net;
static struct ebpfnet_netkit_info pair;
static int fanout[2]; /* of the flow dissector: packet sockets that share what arrives */

static struct ebpfnet_program *program(struct ebpfnet_object *obj, const char *name)
{
	struct ebpfnet_program *prog;

	ASSERT_OK(ebpfnet_object_program(obj, name, &prog, &err), err);
	return prog;
}

static struct ebpfnet_object *load(const char *name)
{
	struct ebpfnet_object *obj;

	ASSERT_OK(ebpfnet_object_open_file(link_site.ctx, test_object(name), NULL, &obj, &err),
		  err);
	ASSERT_OK(ebpfnet_object_load(obj, &err), err);
	return obj;
}

void link_site_open(const char *object, const char *active, const char *idle)
{
	ebpfnet_error_free(err); /* of a test that failed */
	err = NULL;
	memset(&link_site, 0, sizeof(link_site));
	ASSERT_OK(ebpfnet_ctx_new(NULL, &link_site.ctx, &err), err);
	link_site.obj = load(object);
	link_site.xdp = load("xdp");
	link_site.active = program(link_site.obj, active);
	link_site.idle = program(link_site.obj, idle);
	link_site.alien = program(link_site.xdp, strcmp(object, "xdp") ? "pass_all" : "tc_pass");
}

void link_site_close(void)
{
	ebpfnet_object_close(link_site.obj);
	ebpfnet_object_close(link_site.xdp);
	ebpfnet_ctx_unref(link_site.ctx);
	memset(&link_site, 0, sizeof(link_site));
}

uint64_t link_site_inode(int netns_fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(netns_fd, &st), 0);
	return st.st_ino;
}

const char *link_site_lacks(uint32_t feature, const char *name)
{
	struct ebpfnet_ctx *ctx;
	int has;

	ASSERT_OK(ebpfnet_ctx_new(NULL, &ctx, &err), err);
	has = ebpfnet_probe(ctx, feature, NULL);
	ebpfnet_ctx_unref(ctx);
	return has == 0 ? name : NULL;
}

static void net_begin(const char *object, const char *active, const char *idle)
{
	test_net_open(&net, 1);
	link_site_open(object, active, idle);
	link_site.netns_fd = net.far_fd;
	link_site.want.ifindex = (uint32_t)net.far_if;
}

static void net_end(void)
{
	link_site_close();
	test_net_close(&net);
}

static void far_gone(void)
{
	ck_assert_int_eq(test_shell("ip -n %s link del v0", net.far), 0);
}

static void send_to(const struct traffic_kind *kind, const char *to, uint16_t port)
{
	traffic_send(net.near_fd, kind, to, port, 1, 100, NULL);
}

/*
 * One datagram each from near to addresses in far; to4 or to6 may be NULL. All or none arrive. What
 * is sent behind them to another port, by IPv6, comes after them: nobody has to wait for what is
 * lost. Without that address all traffic may be lost, and the wait is as long as traffic.h's.
 */
static bool lost(const char *to4, const char *to6, const char *behind)
{
	const struct traffic_kind *v4 = &traffic_kinds[1], *v6 = &traffic_kinds[3];
	int at4 = traffic_listen(net.far_fd, v4, NULL, PORT);
	int at6 = traffic_listen(net.far_fd, v6, NULL, PORT);
	int last = traffic_listen(net.far_fd, v6, NULL, BEHIND);
	int came4, came6, came;

	if (to4)
		send_to(v4, to4, PORT);
	if (to6)
		send_to(v6, to6, PORT);
	if (behind) {
		send_to(v6, behind, BEHIND);
		ck_assert_int_eq(traffic_arrived(last, 1), 1);
	}
	came4 = traffic_arrived(at4, to4 && !behind);
	/* Where the other was waited for in vain, this one had the time too. */
	came6 = traffic_arrived(at6, to6 && !behind && came4);
	came = came4 + came6;
	close(at4);
	close(at6);
	close(last);
	ck_assert_msg(came == 0 || came == !!to4 + !!to6, "IPv4 %d, IPv6 %d", came4, came6);
	return came == 0;
}

static bool all_lost(void)
{
	return lost(TEST_FAR4, TEST_FAR6, NULL);
}

static bool port_lost(void)
{
	return lost(TEST_FAR4, TEST_FAR6, TEST_FAR6);
}

static bool port_lost4(void)
{
	return lost(TEST_FAR4, NULL, TEST_FAR6);
}

static void xdp_begin(void)
{
	net_begin("xdp", "drop_all", "pass_all");
}

static int xdp_attach(struct ebpfnet_program *prog, uint32_t via, struct ebpfnet_link **link,
		      struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.netns_fd = net.far_fd;
	o.via = via;
	return ebpfnet_xdp_attach(prog, net.far_if, &o, link, e);
}

static int xdp_by_link(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		       struct ebpfnet_error **e)
{
	return xdp_attach(prog, EBPFNET_VIA_LINK, link, e);
}

static int xdp_by_netlink(struct ebpfnet_program *prog, struct ebpfnet_link **link,
			  struct ebpfnet_error **e)
{
	return xdp_attach(prog, EBPFNET_VIA_NETLINK, link, e);
}

static void xdp_off(void)
{
	ck_assert_int_eq(test_shell("ip -n %s link set dev v0 xdp off", net.far), 0);
}

static const struct link_kind xdp_link = {
	.row = "xdp link",
	.kind = EBPFNET_LINK_XDP,
	.via = EBPFNET_VIA_LINK,
	.begin = xdp_begin,
	.end = net_end,
	.attach = xdp_by_link,
	.in_force = all_lost,
	.gone = far_gone,
};

static const struct link_kind xdp_netlink = {
	.row = "xdp netlink",
	.kind = EBPFNET_LINK_XDP,
	.via = EBPFNET_VIA_NETLINK,
	.begin = xdp_begin,
	.end = net_end,
	.attach = xdp_by_netlink,
	.in_force = all_lost,
	.take_away = xdp_off,
	.gone = far_gone,
};

static void tc_begin(void)
{
	net_begin("tc", "drop_port", "pass_port");
	link_site.want.hook = EBPFNET_INGRESS;
}

static int tc_attach(struct ebpfnet_program *prog, uint32_t via, struct ebpfnet_link **link,
		     struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_tc_opts, o);
	o.netns_fd = net.far_fd;
	o.via = via;
	return ebpfnet_tc_attach(prog, net.far_if, EBPFNET_INGRESS, &o, link, e);
}

static int tc_by_link(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		      struct ebpfnet_error **e)
{
	return tc_attach(prog, EBPFNET_VIA_TCX, link, e);
}

static int tc_by_filter(struct ebpfnet_program *prog, struct ebpfnet_link **link,
			struct ebpfnet_error **e)
{
	return tc_attach(prog, EBPFNET_VIA_CLSACT, link, e);
}

static void tc_off(void)
{
	ck_assert_int_eq(test_shell("tc -n %s qdisc del dev v0 clsact", net.far), 0);
}

static const char *lacks_tcx(void)
{
	return link_site_lacks(EBPFNET_FEATURE_TCX, "TCX (6.6)");
}

static const struct link_kind tc_link = {
	.row = "tc link",
	.kind = EBPFNET_LINK_TC,
	.via = EBPFNET_VIA_TCX,
	.lacks = lacks_tcx,
	.begin = tc_begin,
	.end = net_end,
	.attach = tc_by_link,
	.in_force = port_lost,
	.gone = far_gone,
};

static const struct link_kind tc_clsact = {
	.row = "tc clsact",
	.kind = EBPFNET_LINK_TC,
	.via = EBPFNET_VIA_CLSACT,
	.begin = tc_begin,
	.end = net_end,
	.attach = tc_by_filter,
	.in_force = port_lost,
	.take_away = tc_off,
	.gone = far_gone,
};

static int netns_attach(struct ebpfnet_program *prog, struct ebpfnet_link **link,
			struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_netns_opts, o);
	o.netns_fd = net.far_fd;
	return ebpfnet_netns_attach(prog, &o, link, e);
}

static void netns_want(void)
{
	link_site.want.ifindex = 0;
	link_site.want.netns_inode = link_site_inode(net.far_fd);
}

static void sk_lookup_begin(void)
{
	net_begin("sk_lookup", "refuse", "look");
	netns_want();
}

static void netns_gone(void)
{
	test_net_close(&net);
}

static const struct link_kind sk_lookup = {
	.row = "sk_lookup link",
	.kind = EBPFNET_LINK_SK_LOOKUP,
	.via = EBPFNET_VIA_LINK,
	.begin = sk_lookup_begin,
	.end = net_end,
	.attach = netns_attach,
	.in_force = port_lost,
	.gone = netns_gone,
};

/* What arrives is dealt out by a hash of what the flow dissector found. */
static void dissector_begin(void)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };
	int group = 1 | PACKET_FANOUT_HASH << 16;

	net_begin("flow_dissector", "one_flow", "by_ports");
	netns_want();
	at.sll_ifindex = net.far_if;
	test_net_enter(net.far_fd);
	for (int i = 0; i < 2; i++) {
		fanout[i] = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		ck_assert_int_ge(fanout[i], 0);
		ck_assert_int_eq(bind(fanout[i], (void *)&at, sizeof(at)), 0);
		ck_assert_int_eq(
			setsockopt(fanout[i], SOL_PACKET, PACKET_FANOUT, &group, sizeof(group)), 0);
	}
	test_net_enter(-1);
}

static void dissector_gone(void)
{
	/* Sockets keep a namespace alive. */
	for (int i = 0; i < 2; i++) {
		if (fanout[i] >= 0)
			close(fanout[i]);
		fanout[i] = -1;
	}
	test_net_close(&net);
}

static void dissector_end(void)
{
	dissector_gone();
	link_site_close();
}

/* All flows are one to its hash: they come to one socket. */
static bool one_flow(void)
{
	int came[2] = { 0, 0 }, tries = 0;
	char packet[256];

	for (int i = 0; i < FLOWS; i++)
		traffic_send(net.near_fd, &traffic_kinds[1], TEST_FAR4, PORT, 1, 100, NULL);
	for (; came[0] + came[1] < FLOWS && tries < ARRIVE_MS; tries++) {
		for (int i = 0; i < 2; i++) {
			while (recv(fanout[i], packet, sizeof(packet), 0) > 0)
				came[i]++;
		}
		usleep(1000);
	}
	ck_assert_msg(came[0] + came[1] == FLOWS, "%d and %d of %d", came[0], came[1], FLOWS);
	return came[0] == 0 || came[1] == 0;
}

static const struct link_kind flow_dissector = {
	.row = "flow_dissector link",
	.kind = EBPFNET_LINK_FLOW_DISSECTOR,
	.via = EBPFNET_VIA_LINK,
	.begin = dissector_begin,
	.end = dissector_end,
	.attach = netns_attach,
	.in_force = one_flow,
	.gone = dissector_gone,
};

static const char *lacks_netfilter(void)
{
	return link_site_lacks(EBPFNET_FEATURE_NETFILTER_LINK, "netfilter links (6.4)");
}

static void netfilter_begin(void)
{
	net_begin("netfilter", "drop_port", "accept_port");
	netns_want();
	link_site.want.hook = EBPFNET_NETFILTER_LOCAL_IN;
	link_site.want.family = AF_INET;
}

static int netfilter_attach(struct ebpfnet_program *prog, struct ebpfnet_link **link,
			    struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_netfilter_opts, o);
	o.netns_fd = net.far_fd;
	return ebpfnet_netfilter_attach(prog, AF_INET, EBPFNET_NETFILTER_LOCAL_IN, &o, link, e);
}

static const struct link_kind netfilter = {
	.row = "netfilter link",
	.kind = EBPFNET_LINK_NETFILTER,
	.via = EBPFNET_VIA_LINK,
	.lacks = lacks_netfilter,
	.begin = netfilter_begin,
	.end = net_end,
	.attach = netfilter_attach,
	.in_force = port_lost4,
};

static const char *lacks_netkit(void)
{
	return link_site_lacks(EBPFNET_FEATURE_NETKIT, "netkit (6.7, CONFIG_NETKIT)");
}

static void netkit_begin(void)
{
	EBPFNET_OPTS(ebpfnet_netkit_create_opts, o);
	net_begin("netkit", "nk_drop", "nk_pass");
	o.name = "nk-host";
	o.peer_name = "nk-pod";
	o.netns_fd = net.near_fd;
	o.peer_netns_fd = net.far_fd;
	pair.sz = sizeof(pair);
	ASSERT_OK(ebpfnet_netkit_create(link_site.ctx, &o, &pair, &err), err);
	ck_assert_int_eq(test_shell("set -e; h='ip -n %s'; p='ip -n %s'; "
				    "$h addr add 10.88.0.1/24 dev nk-host; "
				    "$h addr add fd88::1/64 dev nk-host nodad; "
				    "$p addr add " POD4 "/24 dev nk-pod; "
				    "$p addr add " POD6 "/64 dev nk-pod nodad; "
				    "$h link set nk-host up; $p link set nk-pod up",
				    net.near, net.far),
			 0);
	link_site.netns_fd = net.near_fd;
	link_site.want.ifindex = pair.ifindex;
	link_site.want.hook = EBPFNET_NETKIT_PRIMARY;
	link_site.want.netns_inode = link_site_inode(net.near_fd);
}

static int netkit_attach(struct ebpfnet_program *prog, struct ebpfnet_link **link,
			 struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_netkit_opts, o);
	o.netns_fd = net.near_fd;
	return ebpfnet_netkit_attach(prog, (int)pair.ifindex, EBPFNET_NETKIT_PRIMARY, &o, link, e);
}

static bool lost_on_netkit(void)
{
	return lost(POD4, POD6, POD6);
}

static void netkit_gone(void)
{
	ck_assert_int_eq(test_shell("ip -n %s link del nk-host", net.near), 0);
}

static const struct link_kind netkit = {
	.row = "netkit link",
	.kind = EBPFNET_LINK_NETKIT,
	.via = EBPFNET_VIA_LINK,
	.lacks = lacks_netkit,
	.begin = netkit_begin,
	.end = net_end,
	.attach = netkit_attach,
	.in_force = lost_on_netkit,
	.gone = netkit_gone,
};

static void lwt_begin(void)
{
	net_begin("lwt", "drop_out", "pass_out");
	link_site.netns_fd = net.near_fd;
	link_site.want.ifindex = (uint32_t)net.near_if;
	link_site.want.hook = EBPFNET_LWT_OUT;
	link_site.want.family = AF_INET;
}

static int lwt_attach(struct ebpfnet_program *prog, struct ebpfnet_link **link,
		      struct ebpfnet_error **e)
{
	EBPFNET_OPTS(ebpfnet_lwt_opts, o);
	o.netns_fd = net.near_fd;
	o.ifindex = net.near_if;
	return ebpfnet_lwt_attach(prog, TEST_FAR4, &o, link, e);
}

/* The kernel has no other sign of it than what it says to an attempt. */
static const char *lacks_lwt(void)
{
	struct ebpfnet_link *link;
	int ret;

	lwt_begin();
	ret = lwt_attach(link_site.active, &link, NULL);
	ebpfnet_link_close(link);
	net_end();
	return ret == -EOPNOTSUPP ? "routes with programs (CONFIG_LWTUNNEL_BPF)" : NULL;
}

static void lwt_off(void)
{
	ck_assert_int_eq(test_shell("ip -n %s route del " TEST_FAR4, net.near), 0);
}

static void near_gone(void)
{
	ck_assert_int_eq(test_shell("ip -n %s link del v0", net.near), 0);
}

static const struct link_kind lwt = {
	.row = "lwt netlink",
	.kind = EBPFNET_LINK_LWT,
	.via = EBPFNET_VIA_NETLINK,
	.lacks = lacks_lwt,
	.begin = lwt_begin,
	.end = net_end,
	.attach = lwt_attach,
	.in_force = port_lost4,
	.take_away = lwt_off,
	.gone = near_gone,
};

const struct link_kind *const link_kinds[] = {
	&link_cgroup_link,  &link_cgroup_prog,
	&flow_dissector,    &lwt,
	&netfilter,	    &netkit,
	&sk_lookup,	    &link_socket,
	&link_sockmap_link, &link_sockmap_prog,
	&tc_clsact,	    &tc_link,
	&xdp_link,	    &xdp_netlink,
};
const unsigned int link_kinds_count = sizeof(link_kinds) / sizeof(*link_kinds);
