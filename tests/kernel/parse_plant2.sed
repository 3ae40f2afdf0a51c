# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Planted bug: the length of an IPv6 extension header off by one unit.
s/len = (p\[1\] + 1) \* 8/len = (p[1] + 2) * 8/
