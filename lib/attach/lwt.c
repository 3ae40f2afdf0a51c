// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Lightweight tunnels: programs that run for the packets of one route. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "attach/netns.h"
#include "attach/rtnl_lwt.h"
#include "core/opts.h"
#include "load/object.h"
#include "load/pin.h"
#include "probe/kernel.h"

/* LWT_BPF_MAX_HEADROOM of net/core/lwt_bpf.c */
#define HEADROOM_MAX 256

/* The hook that a program's type is for; 0: none. */
static uint32_t hook_of(uint32_t prog_type)
{
	switch (prog_type) {
	case BPF_PROG_TYPE_LWT_IN:
		return EBPFNET_LWT_IN;
	case BPF_PROG_TYPE_LWT_OUT:
		return EBPFNET_LWT_OUT;
	case BPF_PROG_TYPE_LWT_XMIT:
		return EBPFNET_LWT_XMIT;
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
		return EBPFNET_LWT_SEG6LOCAL;
	default:
		return 0;
	}
}

/* Gives a program its place on the route. Its hook, or the call fails. */
static int add_program(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
		       struct ebpfnet__lwt_route *route)
{
	struct bpf_prog_info info = { 0 };
	uint32_t hook;
	int ret;

	if (prog->fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is not loaded", prog->name);
	ret = ebpfnet__info_by_fd(prog->fd, &info, sizeof(info));
	if (ret)
		return ebpfnet__fail(call, ret, 0, "program %s: %s", prog->name,
				     ebpfnet_strerror(ret));
	hook = hook_of(info.type);
	if (hook == 0) {
		ebpfnet__hint(call, "put it into SEC(\"lwt_in\"), SEC(\"lwt_out\"), "
				    "SEC(\"lwt_xmit\") or SEC(\"lwt_seg6local\")");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is of type %u, which no route runs", prog->name,
				     info.type);
	}
	if (route->program[hook].fd >= 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is the second of its type, and a route has one",
				     prog->name);
	route->program[hook].fd = prog->fd;
	ebpfnet__lwt_name(info.id, info.name, route->program[hook].name);
	return (int)hook;
}

static int add_programs(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
			const struct ebpfnet_lwt_opts *o, struct ebpfnet__lwt_route *route)
{
	int hook = add_program(call, prog, route);

	for (size_t i = 0; i < EBPFNET__ARRAY_SIZE(o->more) && hook > 0; i++) {
		int ret = o->more[i] ? add_program(call, o->more[i], route) : 0;

		if (ret < 0)
			return ret;
	}
	if (hook > 0 && route->program[EBPFNET_LWT_SEG6LOCAL].fd >= 0 && (o->more[0] || o->more[1]))
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "a seg6local route has one program");
	return hook;
}

/* Bits of an address behind its prefix, which name nothing. */
static bool has_host_bits(const uint8_t *address, size_t size, unsigned int prefix)
{
	for (unsigned int bit = prefix; bit < 8 * size; bit++) {
		if (address[bit / 8] & (0x80 >> bit % 8))
			return true;
	}
	return false;
}

/* "10.1.0.0/16", "fd00::/64", or an address alone. */
static int parse_destination(struct ebpfnet__call *call, const char *text,
			     struct ebpfnet__lwt_route *route)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned int most, prefix;
	char end;

	route->family = memchr(text, ':', len) ? AF_INET6 : AF_INET;
	most = route->family == AF_INET ? 32 : 128;
	prefix = most;
	if (len >= sizeof(address) ||
	    snprintf(address, sizeof(address), "%.*s", (int)len, text) < 0 ||
	    inet_pton(route->family, address, route->destination) != 1 ||
	    (slash && (sscanf(slash, "/%u%c", &prefix, &end) != 1 || prefix > most))) {
		ebpfnet__hint(call, "as in 10.1.0.0/16, fd00::/64 or 0.0.0.0/0");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "\"%s\" is not a destination", text);
	}
	if (has_host_bits(route->destination, most / 8, prefix))
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "\"%s\" has bits behind its prefix of %u", text, prefix);
	route->prefix = (uint8_t)prefix;
	return 0;
}

static int check(struct ebpfnet__call *call, const struct ebpfnet_lwt_opts *o,
		 struct ebpfnet__lwt_route *route)
{
	if (o->gateway && inet_pton(route->family, o->gateway, route->gateway) != 1)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "gateway \"%s\" is not an address of the destination's family",
				     o->gateway);
	if (!o->gateway && o->ifindex == 0) {
		ebpfnet__hint(call, "set gateway, ifindex or both");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "where the route leads is not said");
	}
	if (o->headroom > HEADROOM_MAX || (o->headroom && route->program[EBPFNET_LWT_XMIT].fd < 0))
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "headroom is for a program of type LWT_XMIT, at most %d",
				     HEADROOM_MAX);
	if (route->program[EBPFNET_LWT_SEG6LOCAL].fd >= 0 && route->family != AF_INET6)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "segment routing is of IPv6, and the destination is not");
	if (o->ifindex < 0)
		return ebpfnet__fail(call, -ENODEV, 0, "there is no such interface");
	route->has_gateway = o->gateway != NULL;
	route->ifindex = o->ifindex;
	route->table = o->table ? o->table : RT_TABLE_MAIN;
	route->metric = o->metric;
	route->headroom = o->headroom;
	return ebpfnet__netns_check(call, o->netns_fd);
}

static int fail_unsupported(struct ebpfnet__call *call, uint32_t hook)
{
	bool seg6 = hook == EBPFNET_LWT_SEG6LOCAL;
	const char *option = seg6 ? "CONFIG_IPV6_SEG6_BPF" : "CONFIG_LWTUNNEL_BPF";

	ebpfnet__note_min_kernel(call, seg6 ? "4.18" : "4.10");
	ebpfnet__hint(call, "use a kernel with %s", option);
	return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
			     ebpfnet__kconfig(option) == 'n' ? "this kernel has %s unset"
							     : "this kernel runs without %s",
			     option);
}

static int fail_attach(struct ebpfnet__call *call, uint32_t hook, const char *words, int code)
{
	ebpfnet__note_extack(call, words);
	switch (code) {
	case -EEXIST:
		ebpfnet__hint(call,
			      "remove that route (ip route), or give another metric or table");
		return ebpfnet__fail(call, -EEXIST, EBPFNET_ERROR_BUSY,
				     "the table has a route to this destination with this metric");
	case -EOPNOTSUPP:
		return fail_unsupported(call, hook);
	case -ENODEV:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_NOT_FOUND,
				     "there is no such interface");
	case -EPERM:
		ebpfnet__hint(call, "CAP_NET_ADMIN in the namespace of the route");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_PERMISSION, "%s",
				     ebpfnet_strerror(code));
	case -EINVAL:
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -ENETDOWN:
		return ebpfnet__fail(call, code, EBPFNET_ERROR_INVALID, "%s",
				     *words ? words : ebpfnet_strerror(code));
	default:
		return ebpfnet__fail(call, code, 0, "%s", *words ? words : ebpfnet_strerror(code));
	}
}

/* A link that knows its program, before there is a route. NULL: told. */
static struct ebpfnet_link *new_link(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
				     uint32_t hook, const struct ebpfnet_lwt_opts *o)
{
	CLEANUP(link) struct ebpfnet_link *link = NULL;

	link = ebpfnet__link_new(call, EBPFNET_LINK_LWT, o->ifindex, o->netns_fd);
	if (!link)
		return NULL;
	link->hook = hook;
	link->way = &ebpfnet__way_lwt;
	link->via = EBPFNET_VIA_NETLINK;
	link->prog_fd = ebpfnet__fd_dup(prog->fd);
	if (link->prog_fd < 0) {
		ebpfnet__fail(call, link->prog_fd, 0, "%s", ebpfnet_strerror(link->prog_fd));
		return NULL;
	}
	return TAKE(link);
}

int ebpfnet_lwt_attach(const struct ebpfnet_program *prog, const char *destination,
		       const struct ebpfnet_lwt_opts *opts, struct ebpfnet_link **out,
		       struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "attach to route %s", destination);
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	struct ebpfnet__lwt_route route = { 0 };
	struct ebpfnet_lwt_opts o;
	int hook, ret;

	*out = NULL;
	for (hook = 0; hook < EBPFNET__LWT_HOOKS; hook++)
		route.program[hook].fd = -1;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret)
		return ret;
	hook = add_programs(&call, prog, &o, &route);
	if (hook < 0)
		return hook;
	ret = parse_destination(&call, destination, &route);
	if (ret == 0)
		ret = check(&call, &o, &route);
	if (ret == 0)
		ret = ebpfnet__rtnl_open(&call, o.netns_fd, &rtnl);
	if (ret)
		return ret;
	link = new_link(&call, prog, (uint32_t)hook, &o);
	if (!link)
		return ebpfnet_error_code(call.error);
	ret = ebpfnet__rtnl_lwt_put(&rtnl, &route, NLM_F_CREATE | NLM_F_EXCL);
	if (ret)
		return fail_attach(&call, (uint32_t)hook, rtnl.extack, ret);
	*out = TAKE(link);
	return 0;
}
