/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause OR GPL-2.0-only */
#ifndef EBPFNET_BPF_COUNTER_LAYOUT_H
#define EBPFNET_BPF_COUNTER_LAYOUT_H
/* placeholder while the skeleton is built */
#endif
