// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Programs of a sockmap or sockhash: as a link, or by BPF_PROG_ATTACH on kernels before 6.10. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "attach/link.h"
#include "attach/sockmap.h"
#include "core/ctx.h"
#include "core/opts.h"
#include "core/uapi.h"
#include "load/object.h"
#include "load/pin.h"
#include <ebpfnet/probe.h>

/* Entries of a map looked at to say that sockets are in it. */
#define ENTRIES_MAX 1024

/* The program slots of a map. */
static const struct hook {
	uint32_t attach_type;
	uint32_t prog_type;
	uint32_t excludes; /* the hook that cannot be taken at the same time */
	const char *name;
	const char *section;
} hooks[] = {
	[EBPFNET_SOCKMAP_MSG_VERDICT] = { BPF_SK_MSG_VERDICT, BPF_PROG_TYPE_SK_MSG, 0,
					  "msg verdict", "sk_msg" },
	[EBPFNET_SOCKMAP_STREAM_PARSER] = { BPF_SK_SKB_STREAM_PARSER, BPF_PROG_TYPE_SK_SKB, 0,
					    "stream parser", "sk_skb/stream_parser" },
	[EBPFNET_SOCKMAP_STREAM_VERDICT] = { BPF_SK_SKB_STREAM_VERDICT, BPF_PROG_TYPE_SK_SKB,
					     EBPFNET_SOCKMAP_SKB_VERDICT, "stream verdict",
					     "sk_skb/stream_verdict" },
	[EBPFNET_SOCKMAP_SKB_VERDICT] = { BPF_SK_SKB_VERDICT, BPF_PROG_TYPE_SK_SKB,
					  EBPFNET_SOCKMAP_STREAM_VERDICT, "skb verdict",
					  "sk_skb/verdict" },
};

#define HOOKS EBPFNET__ARRAY_SIZE(hooks)

uint32_t ebpfnet__sockmap_attach_type(uint32_t hook)
{
	return hook < HOOKS ? hooks[hook].attach_type : 0;
}

static bool holds_slot(const struct bpf_link_info *info, const void *data)
{
	return info->type == EBPFNET__BPF_LINK_TYPE_SOCKMAP &&
	       memcmp(&info->xdp, data, sizeof(struct ebpfnet__link_info_sockmap)) == 0;
}

/* The id of the link that holds a slot of a map, 0 if none is found. */
static uint32_t find_link(uint32_t map_id, uint32_t attach_type)
{
	struct ebpfnet__link_info_sockmap slot = { .map_id = map_id, .attach_type = attach_type };
	struct bpf_link_info info;

	return ebpfnet__link_find(holds_slot, &slot, &info);
}

/* Names the program that holds a slot; 0: the slot is free as far as the kernel tells. */
static int fail_taken(struct ebpfnet__call *call, int map_fd, uint32_t hook)
{
	struct bpf_map_info info = { 0 };
	uint32_t prog_id, link_id;
	char label[64];

	if (ebpfnet__sockmap_query(map_fd, hook, &prog_id) || prog_id == 0)
		return 0;
	ebpfnet__info_by_fd(map_fd, &info, sizeof(info));
	ebpfnet__program_label(prog_id, label, sizeof(label));
	link_id = find_link(info.id, hooks[hook].attach_type);
	if (link_id) {
		ebpfnet__hint(call, "detach that one (bpftool link detach id %u)", link_id);
		return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
				     "%s is attached as %s by link %u", label, hooks[hook].name,
				     link_id);
	}
	ebpfnet__hint(call, "detach that one (bpftool prog detach id %u %s id %u)", prog_id,
		      strrchr(hooks[hook].section, '/') ? strrchr(hooks[hook].section, '/') + 1
							: "msg_verdict",
		      info.id);
	return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
			     "%s is attached as %s by BPF_PROG_ATTACH", label, hooks[hook].name);
}

/*
 * Whether a slot can be had. The kernel puts a program over one that BPF_PROG_ATTACH left there
 * without a word, so this is asked before; only a link is guarded by the kernel itself.
 */
static int check_free(struct ebpfnet__call *call, int map_fd, uint32_t hook)
{
	int ret = fail_taken(call, map_fd, hook);
	uint32_t other = hooks[hook].excludes, prog_id;
	char label[64];

	if (ret || !other || ebpfnet__sockmap_query(map_fd, other, &prog_id) || prog_id == 0)
		return ret;
	ebpfnet__program_label(prog_id, label, sizeof(label));
	ebpfnet__hint(call,
		      "use another map for it, or detach %s: a stream verdict works with a stream "
		      "parser, an skb verdict without one",
		      label);
	return ebpfnet__fail(call, -EBUSY, EBPFNET_ERROR_BUSY,
			     "a map takes a %s or a %s, and %s is attached as %s",
			     hooks[EBPFNET_SOCKMAP_STREAM_VERDICT].name,
			     hooks[EBPFNET_SOCKMAP_SKB_VERDICT].name, label, hooks[other].name);
}

static bool probe_says_no(struct ebpfnet_ctx *ctx, uint32_t feature)
{
	struct ebpfnet_error *inner = NULL;
	int has = ebpfnet_probe(ctx, feature, &inner);

	ebpfnet_error_free(inner);
	return has == 0;
}

static int fail_attach(struct ebpfnet__call *call, int map_fd, uint32_t hook, uint32_t via,
		       int code)
{
	int ret;

	switch (code) {
	case -EBUSY:
		ret = check_free(call, map_fd, hook);
		if (ret)
			return ret;
		ebpfnet__hint(call, "bpftool link and bpftool map show what holds it");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_BUSY,
				     "another program is attached as %s, or as the verdict that "
				     "excludes it",
				     hooks[hook].name);
	case -EPERM:
		ebpfnet__hint(call, "CAP_NET_ADMIN and CAP_BPF");
		return ebpfnet__fail(call, code, EBPFNET_ERROR_PERMISSION, "%s",
				     ebpfnet_strerror(code));
	case -EINVAL:
		if (hook == EBPFNET_SOCKMAP_SKB_VERDICT &&
		    probe_says_no(call->ctx, EBPFNET_FEATURE_SKB_VERDICT)) {
			ebpfnet__note_min_kernel(call, "5.13");
			ebpfnet__hint(call, "use a stream verdict, which serves TCP only");
			return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
					     "this kernel has no skb verdict");
		}
		if (via == EBPFNET_VIA_LINK &&
		    probe_says_no(call->ctx, EBPFNET_FEATURE_SOCKMAP_LINK)) {
			ebpfnet__note_min_kernel(call, "6.10");
			ebpfnet__hint(call, "use via ANY or PROG_ATTACH");
			return ebpfnet__fail(call, -EOPNOTSUPP, EBPFNET_ERROR_NOT_SUPPORTED,
					     "this kernel has no links for sockmaps");
		}
		/* fall through */
	default:
		return ebpfnet__fail(call, code, 0, "%s", ebpfnet_strerror(code));
	}
}

static int check_program(struct ebpfnet__call *call, const struct ebpfnet_program *prog,
			 uint32_t *hook)
{
	struct bpf_prog_info info = { 0 };
	int ret;

	if (prog->fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is not loaded", prog->name);
	ret = ebpfnet__info_by_fd(prog->fd, &info, sizeof(info));
	if (ret)
		return ebpfnet__fail(call, ret, 0, "program %s: %s", prog->name,
				     ebpfnet_strerror(ret));
	if (info.type != BPF_PROG_TYPE_SK_MSG && info.type != BPF_PROG_TYPE_SK_SKB) {
		ebpfnet__hint(call, "put it into SEC(\"sk_msg\") or SEC(\"sk_skb/...\")");
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is of type %u, not SK_MSG (%u) or SK_SKB (%u)",
				     prog->name, info.type, BPF_PROG_TYPE_SK_MSG,
				     BPF_PROG_TYPE_SK_SKB);
	}
	/* The kernel keeps no expected attach type of sk_skb: only the section's name tells. */
	for (uint32_t i = 1; i < HOOKS && !*hook; i++) {
		if (hooks[i].prog_type == info.type &&
		    (info.type == BPF_PROG_TYPE_SK_MSG ||
		     (prog->bpf &&
		      bpf_program__expected_attach_type(prog->bpf) == hooks[i].attach_type)))
			*hook = i;
	}
	if (!*hook) {
		ebpfnet__hint(call, "give hook in the options, or put it into %s, %s or %s",
			      hooks[2].section, hooks[3].section, hooks[4].section);
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "nothing tells which hook program %s is for", prog->name);
	}
	if (hooks[*hook].prog_type != info.type)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "program %s is of type %u, and %s takes type %u", prog->name,
				     info.type, hooks[*hook].name, hooks[*hook].prog_type);
	return 0;
}

static int check_map(struct ebpfnet__call *call, const struct ebpfnet_map *map)
{
	if (map->fd < 0)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "map %s is not loaded",
				     map->name);
	if (map->type == BPF_MAP_TYPE_SOCKMAP || map->type == BPF_MAP_TYPE_SOCKHASH)
		return 0;
	ebpfnet__hint(call, "its type is BPF_MAP_TYPE_SOCKMAP or BPF_MAP_TYPE_SOCKHASH");
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID,
			     "map %s is of type %u, and only a sockmap or sockhash has programs",
			     map->name, map->type);
}

/* Sockets take their programs along when they are inserted, and only then. */
static void warn_of_sockets(const struct ebpfnet__call *call, const struct ebpfnet_map *map)
{
	CLEANUP(free) void *key = calloc(1, map->key_size);
	bool some = false;
	uint64_t cookie;

	if (!key)
		return;
	if (map->type == BPF_MAP_TYPE_SOCKHASH)
		some = bpf_map_get_next_key(map->fd, NULL, key) == 0;
	/* With values of 4 bytes the kernel does not say what is in a sockmap. */
	for (uint32_t i = 0;
	     map->type == BPF_MAP_TYPE_SOCKMAP && !some && map->value_size == sizeof(cookie) &&
	     i < map->max_entries && i < ENTRIES_MAX;
	     i++)
		some = bpf_map_lookup_elem(map->fd, &i, &cookie) == 0;
	if (some)
		ebpfnet__log(call->ctx, EBPFNET_LOG_WARN,
			     "%s: sockets that are in the map already do not get the program: "
			     "delete them and insert them again",
			     call->what);
}

static int attach_link(struct ebpfnet_link *link, const struct ebpfnet_program *prog,
		       const struct ebpfnet_map *map)
{
	int fd = ebpfnet__fd_safe(
		bpf_link_create(prog->fd, map->fd, hooks[link->hook].attach_type, NULL));

	if (fd < 0)
		return -errno;
	link->fd = fd;
	link->way = &ebpfnet__way_bpf_link;
	return 0;
}

static int attach_prog(struct ebpfnet_link *link, const struct ebpfnet_program *prog,
		       const struct ebpfnet_map *map)
{
	struct bpf_map_info info = { 0 };

	link->target_fd = ebpfnet__fd_dup(map->fd);
	if (link->target_fd < 0)
		return link->target_fd;
	if (ebpfnet__info_by_fd(map->fd, &info, sizeof(info)) == 0)
		link->target = info.id;
	if (bpf_prog_attach(prog->fd, map->fd, hooks[link->hook].attach_type, 0))
		return -errno;
	link->way = &ebpfnet__way_sockmap_prog;
	return 0;
}

int ebpfnet_sockmap_attach(const struct ebpfnet_program *prog, const struct ebpfnet_map *map,
			   const struct ebpfnet_sockmap_opts *opts, struct ebpfnet_link **out,
			   struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, prog->ctx, err, "attach %s to sockmap %s", prog->name, map->name);
	CLEANUP(link) struct ebpfnet_link *link = NULL;
	struct ebpfnet_sockmap_opts o;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret)
		return ret;
	if (o.hook >= HOOKS || (o.via != EBPFNET_VIA_ANY && o.via != EBPFNET_VIA_LINK &&
				o.via != EBPFNET_VIA_PROG_ATTACH))
		return ebpfnet__fail(&call, -EINVAL, EBPFNET_ERROR_INVALID,
				     "hook %u or via %u is none that a sockmap has", o.hook, o.via);
	ret = check_program(&call, prog, &o.hook);
	if (ret == 0)
		ret = check_map(&call, map);
	if (ret == 0)
		ret = check_free(&call, map->fd, o.hook);
	if (ret)
		return ret;
	if (o.via == EBPFNET_VIA_ANY)
		o.via = probe_says_no(call.ctx, EBPFNET_FEATURE_SOCKMAP_LINK)
				? EBPFNET_VIA_PROG_ATTACH
				: EBPFNET_VIA_LINK;
	link = ebpfnet__link_new(&call, EBPFNET_LINK_SOCKMAP, 0, 0);
	if (!link)
		return -ENOMEM;
	link->hook = o.hook;
	link->via = o.via;
	link->prog_fd = ebpfnet__fd_dup(prog->fd);
	if (link->prog_fd < 0)
		return ebpfnet__fail(&call, link->prog_fd, 0, "%s",
				     ebpfnet_strerror(link->prog_fd));
	ret = o.via == EBPFNET_VIA_LINK ? attach_link(link, prog, map)
					: attach_prog(link, prog, map);
	if (ret)
		return fail_attach(&call, map->fd, o.hook, o.via, ret);
	warn_of_sockets(&call, map);
	*out = TAKE(link);
	return 0;
}
