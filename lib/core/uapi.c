// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* No code: our UAPI numbers against the build machine's headers, where those have them. */
#include "core/uapi.h"

#include <assert.h>

#define SAME(name)                                                                                 \
	static_assert(EBPFNET__##name == (int)name, #name " differs from the kernel's header")

#ifdef HAVE_BPF_F_BEFORE
SAME(BPF_F_BEFORE);
#endif
#ifdef HAVE_BPF_MAP_TYPE_ARENA
SAME(BPF_MAP_TYPE_ARENA);
#endif
#ifdef HAVE_BPF_NETFILTER
SAME(BPF_NETFILTER);
#endif
#ifdef HAVE_BPF_NETKIT_PEER
SAME(BPF_NETKIT_PEER);
#endif
#ifdef HAVE_BPF_NETKIT_PRIMARY
SAME(BPF_NETKIT_PRIMARY);
#endif
#ifdef HAVE_BPF_PROG_TYPE_NETFILTER
SAME(BPF_PROG_TYPE_NETFILTER);
#endif
#ifdef HAVE_BPF_TCX_EGRESS
SAME(BPF_TCX_EGRESS);
#endif
#ifdef HAVE_BPF_TCX_INGRESS
SAME(BPF_TCX_INGRESS);
#endif
#ifdef HAVE_BPF_TOKEN_CREATE
SAME(BPF_TOKEN_CREATE);
#endif

/* ISO C wants one declaration in a translation unit. */
typedef int ebpfnet__uapi_checked;
