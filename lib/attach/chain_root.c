// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The root of a chain: the one program that the kernel has on the interface. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

#include "attach/chain.h"
#include "attach/link.h"
#include "load/object.h"
#include "load/pin.h"

static void ebpfnet__cleanup_object(struct ebpfnet_object **obj)
{
	ebpfnet_object_close(*obj);
}

static void ebpfnet__cleanup_attached(struct ebpfnet_link **link)
{
	ebpfnet_link_close(*link);
}

/* Loads a root and puts the first stage behind it. 0, -EINVAL if they do not fit, or it is told. */
static int load(struct ebpfnet__call *call, const struct ebpfnet_chain *chain,
		const struct ebpfnet_program *first, bool frags, struct ebpfnet_object **obj)
{
	struct ebpfnet_error *inner = NULL;
	struct ebpfnet_program *prog;
	__u32 ifindex = (__u32)chain->ifindex;
	struct ebpfnet_map *slots;

	*obj = NULL;
	if (ebpfnet_object_open_builtin(chain->ctx, "chain_root", NULL, obj, &inner) < 0 ||
	    ebpfnet_object_set_map_entries(*obj, EBPFNET__SLOTS_NAME, chain->slots, &inner) < 0 ||
	    ebpfnet_object_program(*obj, "chain_root", &prog, &inner) < 0 ||
	    ebpfnet_object_map(*obj, EBPFNET__SLOTS_NAME, &slots, &inner) < 0)
		return ebpfnet__fail_from(call, inner);
	if (frags)
		bpf_program__set_flags(prog->bpf,
				       bpf_program__flags(prog->bpf) | BPF_F_XDP_HAS_FRAGS);
	if (ebpfnet_object_load(*obj, &inner) < 0)
		return ebpfnet__fail_from(call, inner);
	return bpf_map_update_elem(slots->fd, &ifindex, &first->fd, 0) < 0 ? -errno : 0;
}

static int fail_fit(struct ebpfnet__call *call, const struct ebpfnet_program *first)
{
	ebpfnet__hint(call, "load it from SEC(\"xdp\") or SEC(\"xdp.frags\")");
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
			     "the kernel takes program %s behind the chain's root (chain_root) "
			     "neither with frags nor without: its expected attach type is not XDP",
			     first->name);
}

/* With frags as the first stage has them: a PROG_ARRAY takes only programs that agree in that. */
static int load_fitting(struct ebpfnet__call *call, const struct ebpfnet_chain *chain,
			const struct ebpfnet_program *first, struct ebpfnet_object **obj)
{
	int ret = load(call, chain, first, false, obj);

	if (ret != -EINVAL || call->failed)
		goto out;
	ebpfnet_object_close(*obj);
	*obj = NULL;
	ret = load(call, chain, first, true, obj);
out:
	if (ret == 0 || call->failed)
		return ret;
	return ret == -EINVAL ? fail_fit(call, first)
			      : ebpfnet__fail(call, ret, 0, "program %s: %s", first->name,
					      ebpfnet_strerror(ret));
}

/* What an editor left that was killed while it made or removed the root. */
static void remove_left_over(const struct ebpfnet_chain *chain)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/slots", chain->folder);
	unlink(path);
}

int ebpfnet__chain_root_make(struct ebpfnet__call *call, const struct ebpfnet_chain *chain,
			     const struct ebpfnet_program *first, int *root_slots)
{
	CLEANUP(object) struct ebpfnet_object *obj = NULL;
	CLEANUP(attached) struct ebpfnet_link *link = NULL;
	struct ebpfnet_error *inner = NULL;
	char path[2][PATH_MAX + 8];
	struct ebpfnet_program *root;
	struct ebpfnet_map *slots;
	int ret = load_fitting(call, chain, first, &obj);

	if (ret)
		return ret;
	snprintf(path[0], sizeof(path[0]), "%s/slots", chain->folder);
	snprintf(path[1], sizeof(path[1]), "%s/root", chain->folder);
	remove_left_over(chain);
	EBPFNET_OPTS(ebpfnet_xdp_opts, o);
	o.mode = chain->mode;
	o.via = EBPFNET_VIA_LINK;
	o.netns_fd = chain->netns_fd;
	/* The link's pin comes last: without it a chain counts as not made. */
	if (ebpfnet_object_program(obj, "chain_root", &root, &inner) < 0 ||
	    ebpfnet_object_map(obj, EBPFNET__SLOTS_NAME, &slots, &inner) < 0 ||
	    ebpfnet_map_pin(slots, path[0], &inner) < 0)
		return ebpfnet__fail_from(call, inner);
	if (ebpfnet_xdp_attach(root, chain->ifindex, &o, &link, &inner) < 0 ||
	    ebpfnet_link_pin(link, path[1], &inner) < 0) {
		remove_left_over(chain);
		return ebpfnet__fail_from(call, inner);
	}
	*root_slots = ebpfnet__fd_dup(slots->fd);
	return *root_slots < 0
		       ? ebpfnet__fail(call, *root_slots, 0, "%s", ebpfnet_strerror(*root_slots))
		       : 0;
}

int ebpfnet__chain_root_remove(struct ebpfnet__call *call, const struct ebpfnet_chain *chain)
{
	struct ebpfnet_error *inner = NULL;
	struct ebpfnet_link *link = NULL;
	char path[PATH_MAX + 8];
	int ret;

	snprintf(path, sizeof(path), "%s/root", chain->folder);
	EBPFNET_OPTS(ebpfnet_link_open_opts, o);
	o.netns_fd = chain->netns_fd;
	if (ebpfnet_link_open_pinned(chain->ctx, path, &o, &link, &inner) < 0)
		return ebpfnet__fail_from(call, inner);
	/* Detached, not only let go: another handle may be open, and the interface is to be free. */
	ret = ebpfnet_link_detach(link, &inner);
	if (ret == 0)
		ret = ebpfnet_link_unpin(link, &inner);
	ebpfnet_link_close(link);
	if (ret)
		return ebpfnet__fail_from(call, inner);
	remove_left_over(chain);
	return 0;
}
