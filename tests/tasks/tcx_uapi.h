/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_TESTS_TASKS_TCX_UAPI_H
#define EBPFNET_TESTS_TASKS_TCX_UAPI_H

/* BPF_TCX_INGRESS, BPF_F_BEFORE and BPF_F_ID of Linux 6.6, which Debian 12's headers lack. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_BEFORE (1u << 3)
#define TCX_ID (1u << 5)

#endif /* EBPFNET_TESTS_TASKS_TCX_UAPI_H */
