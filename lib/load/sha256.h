/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef EBPFNET_LOAD_SHA256_H
#define EBPFNET_LOAD_SHA256_H

#include <stddef.h>

/* SHA-256 (FIPS 180-4) as 64 lower-case digits and a NUL. Ours, because no library we depend on has
 * it. */
void ebpfnet__sha256_hex(const void *data, size_t size, char hex[65]);

#endif /* EBPFNET_LOAD_SHA256_H */
