#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# compile.sh CLANG LLVM-STRIP INPUT OUTPUT CFLAGS... : one BPF object, without DWARF.
set -e
clang=$1 strip=$2 out=$4
# The absolute path, which -ffile-prefix-map makes relative to the source folder: the line information
# is then the same from every build folder.
in=$(realpath "$3")
shift 4
"$clang" "$@" -c "$in" -o "$out"
"$strip" -g "$out"
