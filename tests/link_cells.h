/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_LINK_CELLS_H
#define EBPFNET_TESTS_LINK_CELLS_H

/*
 * What the columns of doc/OWNERSHIP.md's table of links mean, as something that is tried: each
 * answers with the word that belongs into the cell, without having read the table. "no" is a refusal
 * as the API promises it (NOT_SUPPORTED, and nothing changed), never a mere failure.
 */

#include "link_kinds.h"

#define LINK_CELLS 10

struct link_cell {
	const char *column;
	const char *words[2]; /* what its cells can say */
	const char *(*seen)(void);
};

extern const struct link_cell link_cells[LINK_CELLS];

/* Tries a column on a kind between its begin() and end(): a word, or a sentence of what was odd. */
const char *link_cell(const struct link_kind *kind, unsigned int column);

/* Closes the links that a cell holds: it does so itself unless an assertion ended it. */
void link_let_go(void);

#endif /* EBPFNET_TESTS_LINK_CELLS_H */
