/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause OR GPL-2.0-only */
#ifndef EBPFNET_TESTS_TC_SLOTS_H
#define EBPFNET_TESTS_TC_SLOTS_H

/* Where tc.bpf.c counts: a program's base plus the class of the packet. */

#define TC_PORT 7777

#define TC_TCP4 0
#define TC_UDP4 1
#define TC_TCP6 2
#define TC_UDP6 3
#define TC_OTHER 4
#define TC_ALL 5

#define TC_PASS 0
#define TC_DROP 8
#define TC_SECOND 16
#define TC_ORDER 32 /* the numbers of the programs that the last packet met */

#endif /* EBPFNET_TESTS_TC_SLOTS_H */
