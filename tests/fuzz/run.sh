#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# run.sh TARGET SECONDS [planted]: seeds a corpus in a temporary folder and fuzzes for that long. A target with a planted
# bug has to find it.
set -eu
target=$(realpath "$1")
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
"$target" --seeds "$corpus"
cd "$corpus"
if [ "${3:-}" = planted ]; then
	! "$target" -max_total_time="${EBPFNET_FUZZ_SECONDS:-$2}" -max_len=2000 "$corpus" || { echo "the planted bug was not found"; exit 1; }
	exit 0
fi
"$target" -max_total_time="${EBPFNET_FUZZ_SECONDS:-$2}" -max_len=2000 -print_final_stats=1 "$corpus"
