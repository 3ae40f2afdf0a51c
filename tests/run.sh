#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Installs what is missing, builds with ASan and UBSan and runs every suite. The last line is
# "N passed, N failed, N skipped", alone.
#
#   tests/run.sh            everything but guests and benchmarks: unit, abi, check, fuzz, kernel, net, coverage, the
#                           demo, residue
#   tests/run.sh --quick    without what takes long: abi builds, net, the demo
#   tests/run.sh --kernels  the kernel matrix alone (tests/vm/matrix.sh)
#   tests/run.sh --bench    benchmarks alone, in a release build of their own; doc/BENCH.md. The last line is
#                           "N ok, N short, N ref, N failed"; short is a figure and no failure
#
# EBPFNET_TEST_STRICT=1   a skip that tests/expected-skips does not list is a failure
# EBPFNET_NO_DEPS=1       do not install packages
# EBPFNET_TEST_BUILD=DIR  build there; default build-test, kept for the next run; DIR-guest is for the guests
# EBPFNET_KERNELS=DIR     the kernels of the matrix (tests/vm/kernels.sh)
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8

quick='' bench='' kernels='' no_netkit=''
for arg in "$@"; do
	case "$arg" in
	--quick) quick=1 ;;
	--bench) bench=1 ;;
	--kernels) kernels=1 ;;
	*)
		sed -n '3,20s/^# \{0,1\}//p' "$0" >&2
		exit 2
		;;
	esac
done

build=${EBPFNET_TEST_BUILD:-build-test}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
began=$(date +%s)
say() { printf '[%4ds] %s\n' $(($(date +%s) - began)) "$*"; }
passed=0 failed=0 skipped=0
verdict() { # NAME STATUS [WORDS]
	case "$2" in
	0) passed=$((passed + 1)) && say "pass  $1" ;;
	*) failed=$((failed + 1)) && say "FAIL  $1 ${3:-}" ;;
	esac
}

if [ -z "${EBPFNET_NO_DEPS:-}" ]; then
	say "dependencies"
	tests/deps.sh
fi
if [ "$(id -u)" = 0 ] && ! mountpoint -q /sys/fs/bpf; then
	mount -t bpf bpf /sys/fs/bpf || say "bpffs could not be mounted: tests that pin will skip"
fi

if [ -n "$bench" ]; then
	build=${EBPFNET_TEST_BUILD:-build-bench}
	say "release build ($build)"
	[ -f "$build/build.ninja" ] || meson setup "$build" -Dbuildtype=release -Dfuzz=disabled >"$work/log" 2>&1 ||
		{ tail -n 30 "$work/log"; exit 1; }
	ninja -C "$build" >"$work/log" 2>&1 || { grep -E 'error|FAILED' -A5 "$work/log" | tail -n 60; exit 1; }
	rm -f "$build"/tests/bench/*.csv "$build/tests/bench/bench.svg" "$build/meson-logs/testlog.json"
	# Several minutes: each line appears as it is measured.
	meson test -C "$build" --no-rebuild --benchmark --suite bench | tee "$work/log" |
		grep --line-buffered -E $'\t|^#|SKIP|refused|[0-9]+%: Checks|:[FE]:' || true
	failed=$(grep -c '"result": "\(FAIL\|TIMEOUT\|ERROR\|INTERRUPT\)"' "$build/meson-logs/testlog.json" || true)
	[ -f "$build/tests/bench/bench.csv" ] || { echo "no benchmark wrote a line"; exit 1; }
	awk -F, -v failed="${failed:-0}" 'NR > 1 { n[$7]++ }
		END { printf "%d ok, %d short, %d ref, %d failed\n", n["ok"], n["short"], n["ref"], failed }' \
		"$build/tests/bench/bench.csv"
	[ "${failed:-0}" = 0 ] && exit 0
	exit 1
fi

# What takes long shows that it is alive.
with_dots() {
	local status=0
	"$@" >"$work/log" 2>&1 &
	while kill -0 $! 2>/dev/null; do
		sleep 2
		printf .
	done
	echo
	wait $! || status=$?
	return $status
}
# Guests: a line and a verdict each, then the table's. Their skips are held against tests/vm/expected.
kernel_matrix() {
	local name
	if [ "$(id -u)" != 0 ]; then
		say "skip  the kernel matrix: needs root"
		skipped=$((skipped + 1))
		[ -z "${EBPFNET_TEST_STRICT:-}" ] || verdict "kernel matrix" 1 "(needs root)"
		return 0
	fi
	say "the kernel matrix, in guests"
	with_dots tests/vm/matrix.sh -b "$build-guest" && status=0 || status=$?
	cat "$work/log"
	while read -r name; do
		if grep -q "^\[.*\] kernel $name .* 0 failed," "$work/log"; then
			verdict "kernel $name" 0
		else
			verdict "kernel $name" 1 "(see above)"
		fi
	done < <(tests/vm/kernels.sh --list)
	verdict "kernel matrix" "$status"
}

# Everything of ours that could stay behind in the kernel, as text.
residue() {
	ip netns list 2>/dev/null | awk '/^ebn-/ { print "namespace " $1 }'
	find /sys/fs/bpf -mindepth 1 -name '*ebpfnet*' 2>/dev/null | sed 's/^/pin /'
	ip -o link show | awk -F': ' '{ print "device " $2 }'
	tc qdisc show 2>/dev/null | sed 's/^/qdisc /; s/ refcnt.*//'
	tc filter show 2>/dev/null | sed 's/^/filter /'
	bpftool link show 2>/dev/null | awk '/^[0-9]+:/ { print "link " $0 }'
	bpftool net show 2>/dev/null | awk 'NF && !/:$/ { print "attached " $0 }'
}
if [ -n "$kernels" ]; then
	kernel_matrix
	say "done"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit
fi
residue >"$work/before"

say "build with ASan, UBSan and coverage ($build)"
if [ ! -f "$build/build.ninja" ]; then
	meson setup "$build" -Dbuildtype=debug -Db_sanitize=address,undefined -Db_coverage=true >"$work/log" 2>&1 ||
		{ tail -n 30 "$work/log"; exit 1; }
fi
with_dots ninja -C "$build" || { grep -E 'error|warning|FAILED' -A5 "$work/log" | tail -n 60; exit 1; }
if grep -q 'warning:' "$work/log"; then
	grep -A3 'warning:' "$work/log"
	verdict "build without warnings" 1
else
	verdict "build without warnings" 0
fi
find "$build" -name '*.gcda' -delete

# What some kernel of the matrix skips depends on the kernel, and the guests show where it works.
expected_skip() { # SUITE/NAME [CASE]
	grep -q "^$1${2:+ $2}	" tests/expected-skips ||
		grep -q "^test $1${2:+ $2}	\(.*	\)\?skipped\(	\|\$\)" tests/vm/expected 2>/dev/null
}
# name, case, why of every line "SKIPPED case: why" in what the tests of a log printed.
skipped_cases() {
	awk '{
		if (!match($0, /"name": "[^"]*"/)) next
		name = substr($0, RSTART + 9, RLENGTH - 10)
		sub(/.* \/ /, "", name)
		n = split($0, line, /\\n|"stdout": "/)
		for (i = 2; i <= n; i++) {
			if (line[i] !~ /^SKIPPED [A-Za-z0-9_]+: /) continue
			sub(/^SKIPPED /, "", line[i])
			sub(/: /, "\t", line[i])
			print name "\t" line[i]
		}
	}' "$1"
}

suites=(unit check fuzz kernel abi net)
[ -z "$quick" ] || suites=(unit check fuzz kernel)
for suite in "${suites[@]}"; do
	if ! meson introspect --tests "$build" | grep -q "\"libebpfnet:$suite\"\|\"$suite\""; then
		say "skip  $suite: not built here (fuzz needs clang's libFuzzer)"
		skipped=$((skipped + 1))
		[ -z "${EBPFNET_TEST_STRICT:-}" ] || verdict "suite $suite" 1 "(not built)"
		continue
	fi
	say "suite $suite"
	rm -f "$build/meson-logs/testlog.json"
	with_dots meson test -C "$build" --no-rebuild --suite "$suite" --print-errorlogs --verbose || true
	# One JSON document a line: name, result, output.
	while IFS=$'\t' read -r name result; do
		case "$result" in
		OK) verdict "$suite/$name" 0 ;;
		SKIP)
			skipped=$((skipped + 1))
			[ "$name" != netkit_test ] || no_netkit=1
			why=$(sed -n "/ $name\$/,\$p" "$work/log" | grep -m 1 -o 'SKIP: .*' || true)
			say "skip  $suite/$name ${why#SKIP: }"
			if [ -n "${EBPFNET_TEST_STRICT:-}" ] && ! expected_skip "$suite/$name"; then
				verdict "$suite/$name" 1 "(a skip that tests/expected-skips does not list)"
			fi
			;;
		*)
			verdict "$suite/$name" 1 "($result)"
			;;
		esac
	done < <(sed -n 's/^{"name": "\([^"]*\)".*"result": "\([^"]*\)".*/\1\t\2/p' "$build/meson-logs/testlog.json" | sed 's,^[^\t]*/ ,,')
	# Tests that left one of their cases out (tests/helpers.h): each is a skip of its own.
	while IFS=$'\t' read -r name case why; do
		skipped=$((skipped + 1))
		say "skip  $suite/$name $case: $why"
		if [ -n "${EBPFNET_TEST_STRICT:-}" ] && ! expected_skip "$suite/$name" "$case"; then
			verdict "$suite/$name $case" 1 "(a skip that tests/expected-skips does not list)"
		fi
	done < <(skipped_cases "$build/meson-logs/testlog.json")
	if grep -q '"result": "\(FAIL\|TIMEOUT\|ERROR\|INTERRUPT\)"' "$build/meson-logs/testlog.json"; then
		grep -E '%: Checks|:[FE]:|ERROR: |runtime error|SUMMARY:|Assertion|error:|hint:' "$work/log" | tail -n 60 || true
	fi
done

if command -v gcovr >/dev/null; then
	say "line coverage of lib/"
	for room in core probe load data attach block; do
		[ -d "lib/$room" ] || continue
		# Where the kernel has no netkit its tests run in guests, which count no lines.
		percent=$(gcovr -r . "$build" --filter "lib/$room/" ${no_netkit:+--exclude '.*netkit'} --exclude-throw-branches --gcov-ignore-parse-errors \
			2>/dev/null | awk '/^TOTAL/ { sub("%", "", $NF); print $NF }')
		printf '        lib/%-8s %s %%\n' "$room" "${percent:-?}"
		if [ -z "$quick" ] && [ "$(id -u)" = 0 ]; then
			[ "${percent:-0}" -ge 85 ] && verdict "coverage lib/$room" 0 || verdict "coverage lib/$room" 1 "(below 85 %)"
		fi
	done
fi

if [ -z "$quick" ] && [ "$(id -u)" = 0 ]; then
	say "the demo"
	EBPFNET_NO_DEPS=1 with_dots examples/demo.sh && status=0 || status=$?
	grep -E '^(end|client|server) |differ' "$work/log" || true
	[ "$status" = 0 ] || tail -n 20 "$work/log"
	verdict demo "$status"
fi

# Last of all: nothing of ours is left. The check itself must see a planted leftover first.
if [ "$(id -u)" = 0 ]; then
	residue >"$work/after"
	ip netns add ebn-planted-$$
	residue >"$work/planted"
	ip netns del ebn-planted-$$
	diff "$work/after" "$work/planted" >/dev/null && verdict "residue check sees a planted namespace" 1 ||
		verdict "residue check sees a planted namespace" 0
	if diff "$work/before" "$work/after" >"$work/left"; then
		verdict residue 0
	else
		cat "$work/left"
		verdict residue 1
	fi
fi

say "done"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
