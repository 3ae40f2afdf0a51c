// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Reading a map in batches (Linux 5.6). */
#include <bpf/bpf.h>
#include <errno.h>

#include "data/map_iter.h"

/* A hash keeps its place in a u32, whatever its keys are; others keep it in a key. */
#define TOKEN_MIN sizeof(uint32_t)

int ebpfnet__map_iter_room(struct ebpfnet_map_iter *it, uint32_t n)
{
	free(it->keys);
	free(it->values);
	it->count = it->at = it->room = 0;
	it->keys = calloc(n, it->map->key_size);
	it->values = calloc(n, it->entry_size);
	if (!it->keys || !it->values)
		return -ENOMEM;
	it->room = n;
	return 0;
}

static int make_tokens(struct ebpfnet_map_iter *it)
{
	size_t size = it->map->key_size > TOKEN_MIN ? it->map->key_size : TOKEN_MIN;

	it->token = calloc(1, size);
	it->next_token = calloc(1, size);
	return it->token && it->next_token ? 0 : -ENOMEM;
}

/* A bucket is given whole or not at all; none can hold more than the map does. */
static int grow(struct ebpfnet_map_iter *it)
{
	if (it->room / 4 > it->map->max_entries)
		return -ENOSPC;
	return ebpfnet__map_iter_room(it, it->room * 2);
}

static void advance(struct ebpfnet_map_iter *it)
{
	uint8_t *token = it->token;

	it->token = it->next_token;
	it->next_token = token;
	it->started = true;
}

int ebpfnet__map_batch_read(struct ebpfnet_map_iter *it)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	int ret = it->token ? 0 : make_tokens(it);

	while (ret == 0) {
		uint32_t n = it->room;

		ret = bpf_map_lookup_batch(it->map->fd, it->started ? it->token : NULL,
					   it->next_token, it->keys, it->values, &n, &opts);
		if (ret == -ENOSPC) {
			ret = grow(it);
			continue;
		}
		if (ret && ret != -ENOENT)
			return ebpfnet__errno(ret);
		it->count = n;
		it->done = ret == -ENOENT;
		advance(it);
		return 0;
	}
	return ret;
}
