#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# The kernel matrix: the kernel and net suites at quick size in a guest for each of Debian's kernels 5.10, 6.1, 6.12
# and the newest, two guests at a time on two processors; then the table, held against tests/vm/expected.
#
#   tests/vm/matrix.sh [-b BUILD] [-j GUESTS] [-o FOLDER] [TEST]...
#
#   -b BUILD     the build folder, without sanitizers; default build-guest, made when it is not there. The same
#                library, programs and BPF objects go into every guest
#   -j GUESTS    at a time; default the number of processors
#   -o FOLDER    keep the guests' consoles (NAME.log) and the table there
#   TEST...      only these (guest.sh); the table is printed and not judged
#
# EBPFNET_KERNELS=FOLDER  where the kernels are (kernels.sh)
# EBPFNET_NO_DEPS=1       none is fetched
# EBPFNET_UPDATE=1        write tests/vm/expected and the table of doc/KERNELS.md anew; then read the diff
#
# Exit status: 0 when four guests ran, no test failed and the table is as expected.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
expected=$here/expected page=$source/doc/KERNELS.md
build=$source/build-guest jobs=$(nproc) out=''
names=(5.10 6.1 6.12 newest)

die() {
	echo "tests/vm/matrix.sh: $*" >&2
	exit 2
}

while getopts b:j:o: option; do
	case "$option" in
	b) build=$OPTARG ;;
	j) jobs=$OPTARG ;;
	o) out=$OPTARG ;;
	*) die "see the head of this file for the options" ;;
	esac
done
shift $((OPTIND - 1))

work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317 # called by the trap
finish() {
	trap - EXIT
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
	wait
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 2' INT TERM HUP
[ -n "$out" ] || out=$work/out
mkdir -p "$out"
began=$(date +%s)
say() { printf '[%4ds] %s\n' $(($(date +%s) - began)) "$*"; }

if [ ! -f "$build/build.ninja" ]; then
	meson setup "$build" "$source" -Dbuildtype=debugoptimized >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
fi
ninja -C "$build" >"$work/log" 2>&1 || { grep -E 'error|FAILED' -A5 "$work/log" | tail -n 60; exit 1; }
meson introspect --buildoptions "$build" | tr '{' '\n' | grep '"name": "b_sanitize", "value": "none"' >/dev/null ||
	say "note: $build has sanitizers, and a guest is an emulated processor: this will take long"
# As a user links them; guest.sh takes them along.
mkdir -p "$build/examples"
for name in 01-load 02-probe; do
	cc -O2 -I "$source/include" -o "$build/examples/$name" "$source/examples/$name.c" -L "$build" -lebpfnet
done

# One guest: its console is NAME.log, what boot.sh and kernels.sh say is NAME.err.
run_one() {
	local status=0
	"$here/kernels.sh" "$1" >/dev/null 2>"$out/$1.err" || status=$?
	if [ "$status" != 0 ]; then
		echo "no kernel: $(tail -n 1 "$out/$1.err")" >"$out/$1.state"
		return
	fi
	"$here/guest.sh" -T 180 -b "$build" "$1" "${tests[@]}" >"$out/$1.log" 2>>"$out/$1.err" || status=$?
	echo "exit $status" >"$out/$1.state"
}

# Prints what a guest has to say. A guest that ran has its last line; anything else is as if it had not booted.
report() {
	local log=$out/$1.log last
	grep -h '^boot: .*retry' "$out/$1.err" || true
	last=$(grep -s '^EBN-GUEST ' "$log" | tr -d '\r' || true)
	if [ -z "$last" ]; then
		say "FAIL  kernel $1: $(cat "$out/$1.state")"
		tail -n 25 "$out/$1.err"
		[ ! -s "$log" ] || tail -n 15 "$log"
		rm -f "$log"
		failed=$((failed + 1))
		return
	fi
	booted=$((booted + 1))
	read -r _ executed skipped bad <<<"$last"
	say "kernel $1 ($(sed -n 's/^EBN-KERNEL //p' "$log")): $executed executed, $skipped skipped, $bad failed," \
		"$(grep -c '^EBN-CASE [^ ]* [^ ]* skipped' "$log" || true) cases skipped," \
		"$(sed -n 's/^boot: .* after \(.*\)$/\1/p' "$out/$1.err" | tail -n 1)"
	[ "$bad" = 0 ] || { failed=$((failed + 1)) && grep -v -E '^EBN-(FEATURE|OBJECT|WAY|TEST [^ ]* works)' "$log"; }
}

# Writes the ledger, with the packages it was measured on, and replaces what is between the markers of the page.
update() {
	{
		echo "# The kernel matrix (table.sh says how to read it). EBPFNET_UPDATE=1 tests/vm/matrix.sh writes it."
		echo "# Measured on, sha256 and package:"
		"$here/kernels.sh" "${names[@]}" | cut -f 3 | while read -r folder; do
			sed 's/^/#   /' "$folder/packages" 2>/dev/null || echo "#   $(cat "$folder/release"), of no package"
		done
		cat "$out/table"
	} >"$expected"
	awk -v table="$work/markdown" '
		/<!-- matrix: end -->/ { skip = 0 }
		!skip { print }
		/<!-- matrix: begin -->/ { skip = 1; while ((getline line < table) > 0) print line }
	' "$page" >"$work/page"
	cat "$work/page" >"$page"
	say "written: tests/vm/expected and doc/KERNELS.md"
}

all=''
tests=("$@")
[ $# -gt 0 ] || { all=1 && tests=(kernel net); }
rm -f "$out"/*.log "$out"/*.err "$out"/*.state
say "kernels ${names[*]}, $jobs at a time: ${tests[*]}"
booted=0 failed=0
waiting=("${names[@]}")
declare -A running=()
while [ ${#waiting[@]} -gt 0 ] || [ ${#running[@]} -gt 0 ]; do
	while [ ${#waiting[@]} -gt 0 ] && [ ${#running[@]} -lt "$jobs" ]; do
		run_one "${waiting[0]}" &
		running[$!]=${waiting[0]}
		waiting=("${waiting[@]:1}")
	done
	pids=("${!running[@]}")
	wait -n -p done_pid "${pids[@]}" || true
	report "${running[$done_pid]}"
	unset "running[$done_pid]"
done
pids=()

status=0
[ "$failed" = 0 ] || status=1
if [ "$booted" -lt ${#names[@]} ]; then
	say "FAIL  $booted of ${#names[@]} kernels booted: the matrix needs all of them"
	status=1
fi
[ "$booted" -gt 0 ] || exit 1
"$here/table.sh" make "$out" >"$out/table"
column -t -s $'\t' "$out/table" 2>/dev/null || cat "$out/table"
if [ -n "$all" ]; then
	"$here/table.sh" markdown "$out/table" >"$work/markdown"
	if [ -n "${EBPFNET_UPDATE:-}" ] && [ "$status" = 0 ]; then
		update
	elif ! "$here/table.sh" judge "$expected" "$out/table"; then
		say "FAIL  the table is not tests/vm/expected; if it is true: EBPFNET_UPDATE=1 tests/vm/matrix.sh"
		status=1
	fi
fi
say "$booted kernels, $failed with failures"
exit $status
