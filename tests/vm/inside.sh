#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Runs in the guest: inside.sh SECONDS PROGRAM..., each a test program in EBPFNET_TEST_OBJECTS. Its answers are
# lines, and table.sh reads them:
#
#   EBN-KERNEL  RELEASE
#   EBN-FEATURE NAME yes|no|refused|unknown
#   EBN-OBJECT  NAME works|refused
#   EBN-WAY     works|falls back to X|refused|not there <tab> HOOK       (tests/helpers.h: test_way)
#   EBN-CASE    PROGRAM CASE skipped|failed WHY
#   EBN-TEST    PROGRAM works|skipped|failed SECONDS PASSED
#   EBN-GUEST   EXECUTED SKIPPED FAILED
#
# PASSED counts a program's cases, - where it does not tell. The output of a program that failed comes before its
# line.
seconds=$1
shift
executed=0 skipped=0 failed=0
examples=$EBPFNET_BUILD/examples
echo "EBN-KERNEL $(uname -r)"

# The library as it is installed, by its examples: what it finds here, and whether its own objects load.
if [ -x "$examples/02-probe" ]; then
	"$examples/02-probe" --tsv | while IFS=$'\t' read -r name answer _; do
		echo "EBN-FEATURE $name $answer"
	done
fi
if [ -x "$examples/01-load" ]; then
	for object in "$EBPFNET_BUILD"/bpf/*.bpf.o; do
		name=${object##*/} name=${name%.bpf.o}
		if "$examples/01-load" "$name" >/tmp/out 2>&1; then
			echo "EBN-OBJECT $name works"
		else
			tail -n 20 /tmp/out
			echo "EBN-OBJECT $name refused"
		fi
	done
fi

# Prints what failed and why a reader of the console needs no second run.
explain() { # NAME STATUS OUTPUT
	[ "$2" -ne 124 ] && [ "$2" -ne 137 ] || echo "$1: killed after $seconds seconds"
	echo "--- $1: exit $2"
	tail -n 60 "$3"
	dmesg | grep -aE 'BUG|WARNING|Oops|segfault|soft lockup' | tail -n 5
	echo "---"
}

for program; do
	out=/tmp/out tap=/tmp/tap name=${program/_//} passed=-
	rm -f "$tap"
	began=$(date +%s%N)
	CK_TAP_LOG_FILE_NAME=$tap timeout -k 5 "$seconds" "$EBPFNET_TEST_OBJECTS/$program" >"$out" 2>&1 </dev/null
	status=$?
	took=$((($(date +%s%N) - began) / 10000000))
	case $status in
	0) result=works executed=$((executed + 1)) ;;
	77) result=skipped skipped=$((skipped + 1)) ;;
	*) result=failed executed=$((executed + 1)) failed=$((failed + 1)) ;;
	esac
	# Skipped by its last case, after another had failed.
	if [ $result = skipped ] && grep -qs '^not ok ' "$tap"; then
		result=failed skipped=$((skipped - 1)) executed=$((executed + 1)) failed=$((failed + 1))
	fi
	grep -a '^EBN-WAY ' "$out"
	if [ -s "$tap" ]; then
		passed=$(($(grep -c '^ok ' "$tap") - $(grep -ac '^SKIPPED ' "$out")))
		sed -nE "s,^not ok [0-9]+ - [^:]*:[^:]*:([A-Za-z0-9_]+): ?(.*),EBN-CASE $name \1 failed \2,p" "$tap" | awk '!seen[$3]++'
	fi
	# tests/helpers.h: TEST_SKIP_CASE. A case that runs in a loop is told once.
	sed -nE "s,^SKIPPED ([A-Za-z0-9_]+): ?(.*),EBN-CASE $name \1 skipped \2,p" "$out" | awk '!seen[$3]++'
	[ $result != failed ] || explain "$name" $status "$out"
	if [ $result = skipped ]; then sed -n 's/^SKIP: /skipped: /p' "$out"; fi
	[ -z "${EBPFNET_GUEST_VERBOSE:-}" ] || [ $result = failed ] || cat "$out"
	printf 'EBN-TEST %s %s %d.%02d %s\n' "$name" $result $((took / 100)) $((took % 100)) "$passed"
done
echo "EBN-GUEST $executed $skipped $failed"
[ $failed = 0 ]
