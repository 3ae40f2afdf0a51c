#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Installs what is missing, builds with ASan and UBSan and runs every suite. The last line is
# "N passed, N failed, N skipped", alone.
#
#   tests/run.sh            everything: unit, abi, check, fuzz, kernel, net, coverage, the demo, residue
#   tests/run.sh --quick    without what takes long: abi builds, net, the demo
#   tests/run.sh --bench    benchmarks          (not there yet)
#   tests/run.sh --kernels  the kernel matrix   (not there yet)
#
# EBPFNET_TEST_STRICT=1   a skip that tests/expected-skips does not list is a failure
# EBPFNET_NO_DEPS=1       do not install packages
# EBPFNET_TEST_BUILD=DIR  build there; default build-test, kept for the next run
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8

quick=
for arg in "$@"; do
	case "$arg" in
	--quick) quick=1 ;;
	--bench | --kernels)
		echo "tests/run.sh: $arg is not there yet: it comes with the benchmarks and the kernel matrix" >&2
		exit 2
		;;
	*)
		sed -n '3,17s/^# \{0,1\}//p' "$0" >&2
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
residue >"$work/before"

say "build with ASan, UBSan and coverage ($build)"
if [ ! -f "$build/build.ninja" ]; then
	meson setup "$build" -Dbuildtype=debug -Db_sanitize=address,undefined -Db_coverage=true >"$work/log" 2>&1 ||
		{ tail -n 30 "$work/log"; exit 1; }
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
with_dots ninja -C "$build" || { grep -E 'error|warning|FAILED' -A5 "$work/log" | tail -n 60; exit 1; }
if grep -q 'warning:' "$work/log"; then
	grep -A3 'warning:' "$work/log"
	verdict "build without warnings" 1
else
	verdict "build without warnings" 0
fi
find "$build" -name '*.gcda' -delete

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
			why=$(sed -n "/ $name\$/,\$p" "$work/log" | grep -m 1 -o 'SKIP: .*' || true)
			say "skip  $suite/$name ${why#SKIP: }"
			if [ -n "${EBPFNET_TEST_STRICT:-}" ] && ! grep -q "^${suite}/${name}[[:space:]]" tests/expected-skips; then
				verdict "$suite/$name" 1 "(a skip that tests/expected-skips does not list)"
			fi
			;;
		*)
			verdict "$suite/$name" 1 "($result)"
			;;
		esac
	done < <(sed -n 's/^{"name": "\([^"]*\)".*"result": "\([^"]*\)".*/\1\t\2/p' "$build/meson-logs/testlog.json" | sed 's,^[^\t]*/ ,,')
	if grep -q '"result": "\(FAIL\|TIMEOUT\|ERROR\|INTERRUPT\)"' "$build/meson-logs/testlog.json"; then
		grep -E '%: Checks|:[FE]:|ERROR: |runtime error|SUMMARY:|Assertion|error:|hint:' "$work/log" | tail -n 60 || true
	fi
done

if command -v gcovr >/dev/null; then
	say "line coverage of lib/"
	for room in core probe load data attach block; do
		[ -d "lib/$room" ] || continue
		percent=$(gcovr -r . "$build" --filter "lib/$room/" --exclude-throw-branches --gcov-ignore-parse-errors \
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
