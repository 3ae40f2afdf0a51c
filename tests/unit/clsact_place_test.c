// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Priorities: every place in every small list lies where it should, or there is truly no room. */
#include "attach/tc.h"
#include "helpers.h"

#define END EBPFNET__PRIORITY_END

static struct ebpfnet__clsact_place place(const uint32_t *priorities, size_t n, uint32_t anchor,
					  size_t at)
{
	struct ebpfnet__filter list[8] = { 0 };
	struct ebpfnet__filters filters = { .list = list, .count = n };

	for (size_t i = 0; i < n; i++)
		list[i].priority = priorities[i];
	return ebpfnet__clsact_place(&filters, anchor, at);
}

static uint32_t first(uint32_t only)
{
	return place(&only, 1, EBPFNET_ANCHOR_FIRST, 0).priority;
}

static uint32_t last(uint32_t only)
{
	return place(&only, 1, EBPFNET_ANCHOR_LAST, 0).priority;
}

START_TEST(test_start)
{
	for (uint32_t a = EBPFNET_ANCHOR_LAST; a <= EBPFNET_ANCHOR_FIRST; a++)
		ck_assert_uint_eq(place(NULL, 0, a, 0).priority, 0x4000);
	ck_assert_uint_eq(last(0x4000), 0x4040);
	ck_assert_uint_eq(first(0x4000), 0x3fc0);
	/* Far from ours: the start of ours. */
	ck_assert_uint_eq(first(0xc000), 0x4000);
	ck_assert_uint_eq(last(1), 0x4000);
	/* Near ours, there is still a gap. */
	ck_assert_uint_eq(first(0x4001), 0x3fc1);
	ck_assert_uint_eq(last(0x3fff), 0x403f);
	/* Towards the ends gaps shrink, then there is none. */
	ck_assert_uint_eq(first(64), 32);
	ck_assert_uint_eq(first(2), 1);
	ck_assert_uint_eq(first(1), 0);
	ck_assert_uint_eq(last(0xffc0), 0xffe0);
	ck_assert_uint_eq(last(0xfffe), 0xffff);
	ck_assert_uint_eq(last(0xffff), 0);
}
END_TEST

/* Filters of one priority are one neighbour, and lists need not be sorted. */
START_TEST(test_neighbours)
{
	static const uint32_t list[] = { 10, 10, 30, 20, 31 };
	struct ebpfnet__clsact_place p = place(list, 5, EBPFNET_ANCHOR_AFTER, 0);

	ck_assert_uint_eq(p.below, 10);
	ck_assert_uint_eq(p.above, 20);
	ck_assert_uint_eq(p.priority, 15);
	p = place(list, 5, EBPFNET_ANCHOR_BEFORE, 1);
	ck_assert_uint_eq(p.below, 0);
	ck_assert_uint_eq(p.above, 10);
	ck_assert_uint_eq(p.priority, 5);
	p = place(list, 5, EBPFNET_ANCHOR_BEFORE, 4);
	ck_assert_uint_eq(p.below, 30);
	ck_assert_uint_eq(p.above, 31);
	ck_assert_uint_eq(p.priority, 0);
	p = place(list, 5, EBPFNET_ANCHOR_AFTER, 4);
	ck_assert_uint_eq(p.below, 31);
	ck_assert_uint_eq(p.above, END);
	ck_assert_uint_eq(p.priority, 0x4000);
}
END_TEST

/* Against a search through all numbers: between the neighbours, and 0 only if there is nothing. */
START_TEST(test_every_gap)
{
	static const uint32_t numbers[] = { 1,	    2,	    3,	    63,	    64,	    65,	    127,
					    0x3fbf, 0x3fff, 0x4000, 0x4001, 0x403f, 0x4040, 0x8000,
					    0xc000, 0xffbf, 0xffc0, 0xfffe, 0xffff };
	size_t n = sizeof(numbers) / sizeof(*numbers);

	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++) {
			uint32_t two[] = { numbers[i], numbers[k] };

			for (uint32_t a = EBPFNET_ANCHOR_LAST; a <= EBPFNET_ANCHOR_AFTER; a++)
				for (size_t at = 0; at < 2; at++) {
					uint32_t low = a == EBPFNET_ANCHOR_FIRST  ? 0
						       : a == EBPFNET_ANCHOR_LAST ? two[1]
						       : a == EBPFNET_ANCHOR_AFTER
							       ? two[at]
							       : (at ? two[0] : 0);
					uint32_t high = a == EBPFNET_ANCHOR_FIRST  ? two[0]
							: a == EBPFNET_ANCHOR_LAST ? END
							: a == EBPFNET_ANCHOR_BEFORE
								? two[at]
								: (at ? END : two[1]);
					struct ebpfnet__clsact_place p = place(two, 2, a, at);

					ck_assert_uint_eq(p.below, low);
					ck_assert_uint_eq(p.above, high);
					if (high - low < 2)
						ck_assert_uint_eq(p.priority, 0);
					else
						ck_assert(p.priority > low && p.priority < high);
				}
		}
}
END_TEST

TEST_MAIN("clsact_place", 10, test_start, test_neighbours, test_every_gap)
