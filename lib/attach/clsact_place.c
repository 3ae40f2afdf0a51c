// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Order by priorities. The kernel's own choice counts down from 49152, so that of two filters the
 * later one runs first; TCX appends. Numbers of our own, with gaps, give TCX's order.
 */
#include "attach/tc.h"

#define START 0x4000
#define GAP 64

static struct ebpfnet__clsact_place neighbours(const struct ebpfnet__filters *filters,
					       uint32_t anchor, size_t at)
{
	struct ebpfnet__clsact_place p = { .below = 0, .above = EBPFNET__PRIORITY_END };
	uint32_t own = 0;

	if (anchor == EBPFNET_ANCHOR_BEFORE)
		p.above = own = filters->list[at].priority;
	else if (anchor == EBPFNET_ANCHOR_AFTER)
		p.below = own = filters->list[at].priority;
	for (size_t i = 0; i < filters->count; i++) {
		uint32_t priority = filters->list[i].priority;
		bool earlier = anchor == EBPFNET_ANCHOR_LAST ||
			       (anchor == EBPFNET_ANCHOR_BEFORE && priority < own);
		bool later = anchor == EBPFNET_ANCHOR_FIRST ||
			     (anchor == EBPFNET_ANCHOR_AFTER && priority > own);

		if (earlier && priority > p.below)
			p.below = priority;
		if (later && priority < p.above)
			p.above = priority;
	}
	return p;
}

static uint32_t at_the_front(uint32_t above)
{
	if (above >= START + GAP)
		return START;
	return above > GAP ? above - GAP : above / 2;
}

static uint32_t at_the_end(uint32_t below)
{
	uint32_t want = below + GAP > START ? below + GAP : START;

	return want < EBPFNET__PRIORITY_END ? want : (below + EBPFNET__PRIORITY_END) / 2;
}

struct ebpfnet__clsact_place ebpfnet__clsact_place(const struct ebpfnet__filters *filters,
						   uint32_t anchor, size_t at)
{
	struct ebpfnet__clsact_place p = neighbours(filters, anchor, at);

	if (p.below == 0)
		p.priority = at_the_front(p.above);
	else if (p.above == EBPFNET__PRIORITY_END)
		p.priority = at_the_end(p.below);
	else
		p.priority = (p.below + p.above) / 2;
	if (p.priority == p.below)
		p.priority = 0;
	return p;
}
