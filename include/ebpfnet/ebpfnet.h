/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_EBPFNET_H
#define EBPFNET_EBPFNET_H

/* All of libebpfnet: one header per room, then one per block. */

#include <ebpfnet/core.h>
#include <ebpfnet/probe.h>
#include <ebpfnet/load.h>
#include <ebpfnet/data.h>
#include <ebpfnet/attach.h>

#include <ebpfnet/counter.h>

#endif /* EBPFNET_EBPFNET_H */
