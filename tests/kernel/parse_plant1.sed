# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Planted bug: the IPv4 fragment offset in the wrong byte order.
s/frag = ebpfnet__be16(ebpfnet__get16(p + 6))/frag = ebpfnet__get16(p + 6)/
