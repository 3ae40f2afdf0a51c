// SPDX-License-Identifier: 0BSD
/*
 * 06-list: everything that is attached in a network namespace, and whose it is.
 *	cc -o 06-list 06-list.c $(pkg-config --cflags --libs libebpfnet json-c)
 *	./06-list blue			in the one that `ip netns add blue` made
 *	./06-list --all --json		also cgroups, and what is loaded and attached nowhere
 */
#include <ebpfnet/ebpfnet.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OF(list, i) ((i) < sizeof(list) / sizeof(*(list)) && (list)[i] ? (list)[i] : "other")

static const char *const kinds[] = { "unattached", "xdp",	"tc",	     "netkit", "cgroup",
				     "sk_lookup",  "dissector", "netfilter", "sockmap" };
static const char *const ways[] = { "-", "link", "netlink", "tcx", "clsact", "prog_attach" };
static const char *const modes[] = { "native", "auto", "generic", "offload" };
static const char *const sides[] = { "", "ingress", "egress" };
static const char *const pair[] = { "", "primary", "peer" };
static const char *const hooks[] = { "prerouting", "input", "forward", "output", "postrouting" };
static const char *const slots[] = { "", "msg_verdict", "stream_parser", "stream_verdict",
				     "skb_verdict" };

static int fail(struct ebpfnet_error *err)
{
	fprintf(stderr, "06-list: %s\n", ebpfnet_error_message(err));
	ebpfnet_error_free(err);
	return 1;
}

/* The place on its hook: "v0 ingress", "ipv4 input -100", "map 12 msg_verdict". */
static const char *where(const struct ebpfnet_query *query, size_t i,
			 const struct ebpfnet_query_entry *e)
{
	static char text[512];
	const char *cgroup = ebpfnet_query_cgroup(query, i);

	snprintf(text, sizeof(text), "%s %s", e->device,
		 e->kind == EBPFNET_LINK_XDP  ? OF(modes, e->mode)
		 : e->kind == EBPFNET_LINK_TC ? OF(sides, e->hook)
					      : OF(pair, e->hook));
	if (e->part_of)
		snprintf(text, sizeof(text), "%s part of %u", e->device, e->part_of);
	else if (e->via == EBPFNET_VIA_CLSACT)
		snprintf(text, sizeof(text), "%s %s %d:%x", e->device, OF(sides, e->hook),
			 e->priority, e->handle);
	else if (e->kind == EBPFNET_LINK_NETFILTER)
		snprintf(text, sizeof(text), "%s %s %d", e->family == 2 ? "ipv4" : "ipv6",
			 OF(hooks, e->hook), e->priority);
	else if (e->map_id)
		snprintf(text, sizeof(text), "map %u %s", e->map_id, OF(slots, e->hook));
	else if (!e->ifindex)
		snprintf(text, sizeof(text), "%s", cgroup ? cgroup : "");
	return text;
}

static void put(json_object *row, const char *key, uint64_t value)
{
	if (value)
		json_object_object_add(row, key, json_object_new_uint64(value));
}

static void put_text(json_object *row, const char *key, const char *value)
{
	if (value && *value)
		json_object_object_add(row, key, json_object_new_string(value));
}

static json_object *row_of(const struct ebpfnet_query *query, size_t i,
			   const struct ebpfnet_query_entry *e)
{
	struct ebpfnet_query_owner owner = { .sz = sizeof(owner) };
	json_object *row = json_object_new_object(), *owners = json_object_new_array(), *o;

	put_text(row, "kind", OF(kinds, e->kind)), put_text(row, "via", OF(ways, e->via));
	put_text(row, "where", where(query, i, e)), put_text(row, "device", e->device);
	put_text(row, "name", e->name), put_text(row, "cgroup", ebpfnet_query_cgroup(query, i));
	put_text(row, "pin", ebpfnet_query_pin(query, i)), put(row, "ifindex", e->ifindex);
	put(row, "program", e->program_id), put(row, "link", e->link_id);
	put(row, "map", e->map_id), put(row, "revision", e->revision);
	put(row, "order", e->order), put(row, "handle", e->handle), put(row, "hook", e->hook);
	put(row, "dispatcher", e->dispatcher), put(row, "part_of", e->part_of);
	put(row, "orphan", e->orphan), put(row, "netns", e->netns_inode);
	json_object_object_add(row, "priority", json_object_new_int64(e->priority));
	for (size_t j = 0; ebpfnet_query_owner(query, i, j, &owner) == 0; j++) {
		json_object_array_add(owners, o = json_object_new_object());
		put(o, "pid", owner.pid), put_text(o, "comm", owner.comm);
	}
	json_object_object_add(row, "owners", owners);
	return row;
}

static void show(const struct ebpfnet_query *query, int json)
{
	struct ebpfnet_query_entry e = { .sz = sizeof(e) };
	json_object *doc = json_object_new_object(), *list = json_object_new_array();

	if (!json)
		printf("%-10s %-28s %-11s %-24s %8s %6s  %s\n", "KIND", "WHERE", "VIA", "NAME",
		       "PROGRAM", "LINK", "HELD BY");
	for (size_t i = 0; ebpfnet_query_entry(query, i, &e) == 0; i++) {
		json_object_array_add(list, row_of(query, i, &e));
		if (!json)
			printf("%-10s %-28s %-11s %-24s %8u %6u  %s %.0u%s%s\n", OF(kinds, e.kind),
			       where(query, i, &e), OF(ways, e.via), e.name, e.program_id,
			       e.link_id, e.owner_comm, e.owner_pid, e.orphan ? " orphan" : "",
			       e.pinned ? ebpfnet_query_pin(query, i) : "");
	}
	json_object_object_add(doc, "attached", list);
	put_text(doc, "missing", ebpfnet_query_missing_text(query));
	if (json)
		puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN));
	else if (ebpfnet_query_missing(query))
		printf("not seen: %s\n", ebpfnet_query_missing_text(query));
	json_object_put(doc);
}

int main(int argc, char **argv)
{
	const char *name = NULL;
	struct ebpfnet_query *query = NULL;
	struct ebpfnet_error *err = NULL;
	struct ebpfnet_ctx *ctx = NULL;
	int json = 0, ret = 0;

	EBPFNET_OPTS(ebpfnet_netns_query_opts, opts);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = 1;
		else if (strcmp(argv[i], "--all") == 0)
			opts.flags = EBPFNET_QUERY_CGROUPS | EBPFNET_QUERY_UNATTACHED;
		else if (argv[i][0] != '-' && !name)
			name = argv[i];
		else
			return fputs("usage: 06-list [--all] [--json] [NETNS]\n", stderr), 2;
	}
	if (ebpfnet_ctx_new(NULL, &ctx, &err) < 0 ||
	    (name && ebpfnet_netns_open(ctx, name, &opts.netns_fd, &err) < 0) ||
	    ebpfnet_netns_query(ctx, &opts, &query, &err) < 0)
		ret = fail(err);
	else
		show(query, json);
	ebpfnet_query_free(query);
	ebpfnet_ctx_unref(ctx);
	if (opts.netns_fd > 0)
		close(opts.netns_fd);
	return ret;
}
