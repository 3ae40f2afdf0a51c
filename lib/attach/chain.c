// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Editing a chain while packets flow. Each edit is one write of one slot that packets read; what has
 * to be right before it is written before, and what has to wait until no packet needs it is removed
 * after a grace period. A process that is killed in between leaves a chain that works.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/chain.h"
#include "attach/link.h"
#include "attach/netns.h"
#include "attach/query.h"
#include "attach/rtnl.h"
#include "core/ctx.h"
#include "core/opts.h"
#include "load/object.h"
#include "load/pin.h"

#define DEFAULT_SLOTS 1024 /* EBPFNET_CHAIN_SLOTS of bpf/chain.h */

/* One edit: the chain as it is, and what the program would be in it. */
struct edit {
	struct ebpfnet__call *call;
	const struct ebpfnet_chain *chain;
	const struct ebpfnet_program *prog;
	struct ebpfnet__chain_view view;
	struct ebpfnet__stage stage;
};

static void stage_pin_path(const struct ebpfnet_chain *chain, uint32_t id, char path[])
{
	snprintf(path, PATH_MAX + 16, "%s/%u", chain->folder, id);
}

/* The slots that lead to stage i. */
static int slots_before(const struct ebpfnet__chain_view *view, size_t i)
{
	return i ? view->stages[i - 1].slots_fd : view->root_slots;
}

static void label_stage(const struct ebpfnet__stage *stage, char label[64])
{
	ebpfnet__program_label(stage->program_id, label, 64);
}

static int fail_slot(struct edit *e, int code, size_t i)
{
	char label[2][64];

	label_stage(&e->stage, label[0]);
	if (i)
		label_stage(&e->view.stages[i - 1], label[1]);
	else
		strcpy(label[1], "the root");
	if (code == -EINVAL) {
		ebpfnet__hint(e->call,
			      "load both from SEC(\"xdp\"), or both from SEC(\"xdp.frags\")");
		return ebpfnet__fail(
			e->call, code, EBPFNET_ERROR_INCOMPATIBLE,
			"%s cannot come behind %s: one handles packets in fragments "
			"and the other does not, or their expected attach types differ",
			label[0], label[1]);
	}
	return ebpfnet__fail(e->call, code, 0, "%s behind %s: %s", label[0], label[1],
			     ebpfnet_strerror(code));
}

/* Writes the slot that leads to position i. */
static int lead_to(struct edit *e, size_t i, int prog_fd)
{
	__u32 key = (__u32)e->chain->ifindex;

	if (bpf_map_update_elem(slots_before(&e->view, i), &key, &prog_fd, 0) == 0)
		return 0;
	return fail_slot(e, -errno, i);
}

/* What comes behind the new stage, before any packet can reach it. next_fd -1: nothing. */
static int lead_on(struct edit *e, int next_fd)
{
	__u32 key = (__u32)e->chain->ifindex;
	int ret;

	if (e->stage.slots_fd < 0)
		return 0;
	if (next_fd < 0) {
		ret = bpf_map_delete_elem(e->stage.slots_fd, &key) < 0 ? -errno : 0;
		ret = ret == -ENOENT ? 0 : ret;
	} else {
		ret = bpf_map_update_elem(e->stage.slots_fd, &key, &next_fd, 0) < 0 ? -errno : 0;
	}
	if (ret == -E2BIG || (ret == -ENOENT && next_fd >= 0)) {
		ebpfnet__hint(e->call,
			      "ebpfnet_object_set_map_entries(obj, \"" EBPFNET__SLOTS_NAME
			      "\", %d) before it is loaded",
			      e->chain->ifindex + 1);
		return ebpfnet__fail(e->call, -E2BIG, EBPFNET_ERROR_INVALID,
				     "program %s has no slot for ifindex %d", e->prog->name,
				     e->chain->ifindex);
	}
	if (ret == -EINVAL) {
		ebpfnet__hint(e->call,
			      "load both from SEC(\"xdp\"), or both from SEC(\"xdp.frags\")");
		return ebpfnet__fail(e->call, ret, EBPFNET_ERROR_INCOMPATIBLE,
				     "the stage that follows cannot come behind program %s: one "
				     "handles packets in fragments and the other does not, or "
				     "their expected attach types differ",
				     e->prog->name);
	}
	return ret ? ebpfnet__fail(e->call, ret, 0, "slots of program %s: %s", e->prog->name,
				   ebpfnet_strerror(ret))
		   : 0;
}

/* A tail call with an index out of range falls through in silence: the slot must exist. */
static int check_slot(struct edit *e)
{
	struct bpf_map_info info = { 0 };

	if (e->stage.slots_fd < 0)
		return 0;
	if (ebpfnet__info_by_fd(e->stage.slots_fd, &info, sizeof(info)) == 0 &&
	    info.max_entries > (uint32_t)e->chain->ifindex)
		return 0;
	ebpfnet__hint(e->call,
		      "ebpfnet_object_set_map_entries(obj, \"" EBPFNET__SLOTS_NAME
		      "\", n) before it is loaded, n above %d",
		      e->chain->ifindex);
	return ebpfnet__fail(e->call, -E2BIG, EBPFNET_ERROR_INVALID,
			     "program %s has %u slots, and %s is ifindex %d", e->prog->name,
			     info.max_entries, e->chain->name, e->chain->ifindex);
}

/* Refuses a program that is in the chain, and one whose slots are: it would lead to itself. */
static int check_new(struct edit *e, const struct ebpfnet__stage *but)
{
	for (size_t i = 0; i < e->view.count; i++) {
		const struct ebpfnet__stage *s = &e->view.stages[i];
		char label[64];

		if (s == but)
			continue;
		if (s->program_id == e->stage.program_id)
			return ebpfnet__fail(e->call, -EEXIST, EBPFNET_ERROR_BUSY,
					     "program %s is stage %zu already", e->prog->name,
					     i + 1);
		if (!e->stage.slots_id || s->slots_id != e->stage.slots_id)
			continue;
		label_stage(s, label);
		ebpfnet__hint(e->call, "load the second program from an object of its own");
		return ebpfnet__fail(e->call, -ELOOP, EBPFNET_ERROR_INVALID,
				     "program %s shares its slots with %s, stage %zu: the chain "
				     "would lead back to itself",
				     e->prog->name, label, i + 1);
	}
	if (!but && e->view.count == EBPFNET__STAGES_MAX) {
		return ebpfnet__fail(e->call, -E2BIG, EBPFNET_ERROR_BUSY,
				     "%d stages are all that the kernel runs in a row",
				     EBPFNET__STAGES_MAX);
	}
	return check_slot(e);
}

static int check_type(struct ebpfnet__call *call, const struct ebpfnet_program *prog)
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
	if (info.type == BPF_PROG_TYPE_XDP)
		return 0;
	ebpfnet__hint(call, "TCX, netkit and cgroup hooks run several programs by themselves");
	return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "program %s is not XDP",
			     prog->name);
}

static int begin(struct edit *e)
{
	int ret = check_type(e->call, e->prog);

	e->stage = (struct ebpfnet__stage) { .prog_fd = -1, .slots_fd = -1 };
	e->view = (struct ebpfnet__chain_view) { .lock = -1, .root_slots = -1 };
	if (ret == 0)
		ret = ebpfnet__stage_of(e->call, e->prog, &e->stage);
	if (ret == 0)
		ret = ebpfnet__chain_view(e->call, e->chain, &e->view);
	return ret;
}

static int end(struct edit *e, int ret)
{
	ebpfnet__stage_end(&e->stage);
	ebpfnet__chain_view_end(&e->view);
	return ret;
}

/* Where a program is in the chain, or the call fails. */
static int find(struct edit *e, const struct ebpfnet_program *prog, size_t *at)
{
	uint32_t id = ebpfnet__program_id(prog->fd);

	for (*at = 0; *at < e->view.count; (*at)++)
		if (e->view.stages[*at].program_id == id)
			return 0;
	return ebpfnet__fail(e->call, -ENOENT, EBPFNET_ERROR_NOT_FOUND,
			     "program %s (%u) is not in the chain of %s", prog->name, id,
			     e->chain->name);
}

/* Keeps the kernel from emptying a stage's slots when its loader ends. */
static int pin_slots(struct edit *e)
{
	char path[PATH_MAX + 16];

	if (e->stage.slots_fd < 0)
		return 0;
	stage_pin_path(e->chain, e->stage.program_id, path);
	/* An editor that was killed may have left it, of the same program. */
	unlink(path);
	return ebpfnet__pin_fd(e->call, e->stage.slots_fd, path);
}

static void unpin_slots(const struct edit *e, uint32_t program_id)
{
	char path[PATH_MAX + 16];

	stage_pin_path(e->chain, program_id, path);
	unlink(path);
}

/* Empties the slot of a stage that no packet reaches any more, unless its successor uses it too. */
static void retire(struct edit *e, const struct ebpfnet__stage *stage, bool in_use)
{
	__u32 key = (__u32)e->chain->ifindex;

	if (stage->slots_fd < 0)
		return;
	/* A full slot that nobody reads holds a reference to a program, and does no other harm. */
	if (ebpfnet__chain_wait() && !in_use)
		bpf_map_delete_elem(stage->slots_fd, &key);
	unpin_slots(e, stage->program_id);
}

static int check_place(struct edit *e, size_t at)
{
	char label[64];

	if (at && e->view.stages[at - 1].slots_fd < 0) {
		label_stage(&e->view.stages[at - 1], label);
		ebpfnet__hint(e->call, "insert before it; or end it with ebpfnet_next() of "
				       "<ebpfnet/bpf/chain.h>");
		return ebpfnet__fail(e->call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "%s does not hand packets on and so is the last stage", label);
	}
	if (at < e->view.count && e->stage.slots_fd < 0) {
		ebpfnet__hint(e->call, "append it; or end it with ebpfnet_next() of "
				       "<ebpfnet/bpf/chain.h>");
		return ebpfnet__fail(e->call, -EINVAL, EBPFNET_ERROR_INCOMPATIBLE,
				     "program %s does not hand packets on: it can only be the last "
				     "stage",
				     e->prog->name);
	}
	return 0;
}

static int put(struct edit *e, size_t at)
{
	int ret = check_new(e, NULL);

	if (ret == 0)
		ret = check_place(e, at);
	if (ret)
		return ret;
	ret = pin_slots(e);
	if (ret == 0)
		ret = lead_on(e, at < e->view.count ? e->view.stages[at].prog_fd : -1);
	if (ret == 0 && e->view.root_slots < 0)
		ret = ebpfnet__chain_root_make(e->call, e->chain, e->prog, &e->view.root_slots);
	else if (ret == 0)
		ret = lead_to(e, at, e->stage.prog_fd);
	if (ret && e->stage.slots_fd >= 0) {
		__u32 key = (__u32)e->chain->ifindex;

		bpf_map_delete_elem(e->stage.slots_fd, &key);
		unpin_slots(e, e->stage.program_id);
	}
	return ret;
}

int ebpfnet_chain_insert(struct ebpfnet_chain *chain, const struct ebpfnet_program *prog,
			 const struct ebpfnet_program *before, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, chain->ctx, err, "chain of %s: insert %s", chain->name, prog->name);
	struct edit e = { .call = &call, .chain = chain, .prog = prog };
	size_t at;
	int ret = begin(&e);

	at = e.view.count;
	if (ret == 0 && before)
		ret = find(&e, before, &at);
	if (ret == 0)
		ret = put(&e, at);
	return end(&e, ret);
}

int ebpfnet_chain_append(struct ebpfnet_chain *chain, const struct ebpfnet_program *prog,
			 struct ebpfnet_error **err)
{
	return ebpfnet_chain_insert(chain, prog, NULL, err);
}

int ebpfnet_chain_replace(struct ebpfnet_chain *chain, const struct ebpfnet_program *old,
			  const struct ebpfnet_program *prog, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, chain->ctx, err, "chain of %s: replace %s by %s", chain->name,
		      old->name, prog->name);
	struct edit e = { .call = &call, .chain = chain, .prog = prog };
	size_t at;
	int ret = begin(&e);

	if (ret == 0)
		ret = find(&e, old, &at);
	if (ret == 0)
		ret = check_new(&e, &e.view.stages[at]);
	if (ret == 0 && at + 1 < e.view.count)
		ret = check_place(&e, at);
	if (ret == 0)
		ret = pin_slots(&e);
	if (ret == 0)
		ret = lead_on(&e, at + 1 < e.view.count ? e.view.stages[at + 1].prog_fd : -1);
	if (ret == 0)
		ret = lead_to(&e, at, e.stage.prog_fd);
	if (ret == 0)
		retire(&e, &e.view.stages[at], e.view.stages[at].slots_id == e.stage.slots_id);
	return end(&e, ret);
}

int ebpfnet_chain_remove(struct ebpfnet_chain *chain, const struct ebpfnet_program *prog,
			 struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, chain->ctx, err, "chain of %s: remove %s", chain->name, prog->name);
	struct edit e = { .call = &call, .chain = chain, .prog = prog };
	__u32 key = (__u32)chain->ifindex;
	size_t at;
	int ret = begin(&e);

	if (ret == 0)
		ret = find(&e, prog, &at);
	if (ret)
		return end(&e, ret);
	if (e.view.count == 1)
		ret = ebpfnet__chain_root_remove(&call, chain);
	else if (at + 1 < e.view.count)
		ret = lead_to(&e, at, e.view.stages[at + 1].prog_fd);
	else if (bpf_map_delete_elem(slots_before(&e.view, at), &key) < 0)
		ret = ebpfnet__fail(&call, -errno, 0, "%s", ebpfnet_strerror(errno));
	if (ret == 0)
		retire(&e, &e.view.stages[at], false);
	return end(&e, ret);
}

int ebpfnet_chain_query(struct ebpfnet_chain *chain, struct ebpfnet_query **out,
			struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, chain->ctx, err, "chain of %s: query", chain->name);
	CLEANUP(query) struct ebpfnet_query *query = NULL;
	struct ebpfnet__chain_view view;
	int ret;

	*out = NULL;
	query = ebpfnet__query_new(&call);
	if (!query)
		return -ENOMEM;
	ret = ebpfnet__chain_view(&call, chain, &view);
	for (size_t i = 0; i < view.count && ret == 0; i++) {
		struct ebpfnet_query_entry *entry = ebpfnet__query_add(&call, query);

		if (!entry) {
			ret = -ENOMEM;
			break;
		}
		entry->kind = EBPFNET_LINK_XDP;
		entry->via = EBPFNET_VIA_CHAIN;
		entry->ifindex = (uint32_t)chain->ifindex;
		entry->program_id = view.stages[i].program_id;
		ebpfnet__query_name(entry, "");
	}
	ebpfnet__chain_view_end(&view);
	if (ret == 0)
		*out = TAKE(query);
	return ret;
}

static int fill(struct ebpfnet__call *call, struct ebpfnet_chain *chain,
		const struct ebpfnet_chain_opts *o)
{
	CLEANUP(rtnl) struct ebpfnet__rtnl rtnl = { 0 };
	struct ebpfnet__interface interface;
	int ret = ebpfnet__netns_check(call, o->netns_fd);

	if (o->mode > EBPFNET_XDP_OFFLOAD)
		return ebpfnet__fail(call, -EINVAL, EBPFNET_ERROR_INVALID, "mode %u is none",
				     o->mode);
	if (ret == 0)
		ret = ebpfnet__rtnl_open(call, o->netns_fd, &rtnl);
	if (ret)
		return ret;
	ret = ebpfnet__rtnl_interface(&rtnl, chain->ifindex, &interface);
	if (ret)
		return ebpfnet__fail(call, ret, 0, "%s",
				     ret == -ENODEV ? "there is no such interface"
						    : ebpfnet_strerror(ret));
	snprintf(chain->name, sizeof(chain->name), "%s", interface.name);
	if (chain->slots <= (uint32_t)chain->ifindex) {
		ebpfnet__hint(call, "opts.slots above %d", chain->ifindex);
		return ebpfnet__fail(call, -E2BIG, EBPFNET_ERROR_INVALID,
				     "a root with %u slots has none for ifindex %d", chain->slots,
				     chain->ifindex);
	}
	snprintf(chain->folder, sizeof(chain->folder), "%s/ebpfnet/xdp-chain/%llu/%d",
		 call->ctx->bpffs_root, (unsigned long long)ebpfnet__netns_inode(o->netns_fd),
		 chain->ifindex);
	chain->netns_fd = o->netns_fd ? ebpfnet__fd_dup(o->netns_fd) : 0;
	return chain->netns_fd < 0 ? ebpfnet__fail(call, chain->netns_fd, 0, "netns_fd: %s",
						   ebpfnet_strerror(chain->netns_fd))
				   : 0;
}

int ebpfnet_chain_open(struct ebpfnet_ctx *ctx, int ifindex, const struct ebpfnet_chain_opts *opts,
		       struct ebpfnet_chain **out, struct ebpfnet_error **err)
{
	EBPFNET__CALL(call, ctx, err, "open chain of ifindex %d", ifindex);
	struct ebpfnet_chain_opts o;
	struct ebpfnet_chain *chain;
	int ret;

	*out = NULL;
	ret = EBPFNET__OPTS_COPY(&call, opts, &o);
	if (ret)
		return ret;
	chain = calloc(1, sizeof(*chain));
	if (!chain)
		return ebpfnet__fail_nomem(&call);
	chain->ctx = ebpfnet_ctx_ref(ctx);
	chain->ifindex = ifindex;
	chain->mode = o.mode;
	chain->slots = o.slots ? o.slots : DEFAULT_SLOTS;
	ret = fill(&call, chain, &o);
	if (ret) {
		ebpfnet_chain_close(chain);
		return ret;
	}
	*out = chain;
	return 0;
}

void ebpfnet_chain_close(struct ebpfnet_chain *chain)
{
	if (!chain)
		return;
	if (chain->netns_fd > 0)
		close(chain->netns_fd);
	ebpfnet_ctx_unref(chain->ctx);
	free(chain);
}
