# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Planted bug: layer 4 read from later fragments.
s/ebpfnet__unlikely(pkt->frag == EBPFNET_FRAG_LATER)/0/
