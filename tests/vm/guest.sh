#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Runs tests, or a command, in a guest that has the tools and the modules that the tests use.
#
#   tests/vm/guest.sh [option]... KERNEL TEST...         net/xdp_test, or net for all of that suite
#   tests/vm/guest.sh [option]... KERNEL -- COMMAND...   for one command, such as bash -c '...'
#
#   KERNEL         5.10 6.1 6.12 newest, or a folder (kernels.sh)
#   -b BUILD       the build folder; default build-guest. One without sanitizers is several times faster
#   -T SECONDS     for each test; default 120
#   -p -f -m -e -t -M -c -q   as boot.sh has them: more programs, files, modules, environment
#
# The tests run at quick size, EBPFNET_TEST_QUICK=1; -e EBPFNET_TEST_QUICK= runs them in full. The build folder
# is /ebpfnet/build in the guest, the tests' objects are in /ebpfnet/build/tests, /ebpfnet/source has include,
# doc and tests/vm. What a test prints is inside.sh's business.
#
# Exit status: 0 when no test failed; else as boot.sh has it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
build=$source/build-guest seconds=120
boot=()

die() {
	echo "tests/vm/guest.sh: $*" >&2
	exit 125
}

# What the host's own copy of is put into the guest, where it is there.
tools=(
	# Shell and text. The shell is the host's: busybox prefers its applets to what PATH has.
	sh bash awk base64 basename cat chmod cmp cp cut date dd diff dirname env expr false find grep head hexdump
	id ln ls mkdir mkfifo mktemp mv nproc od paste printf readlink realpath rm rmdir sed seq sleep sort stat
	strace stdbuf stty sync tail tee test timeout touch tr true uname uniq wc xargs
	# Processes, mounts, rights.
	capsh findmnt flock getpcaps ionice kill mount mountpoint nsenter pgrep pkill prlimit ps setpriv setsid
	sysctl taskset umount unshare
	# Networks.
	bpftool bridge conntrack ethtool ip iperf3 iptables nc nft nstat ping ss tc tcpdump
)
# Built in or missing on some kernel, so all of them may be missing.
modules=(
	8021q act_bpf act_ct act_gact act_mirred act_skbedit bareudp bonding br_netfilter bridge cls_bpf cls_flower
	cls_matchall cls_u32 dummy fou fou6 geneve gre ifb ip6_gre ip6_tunnel ip6_udp_tunnel ip_gre ip_tunnel ip_vs
	ipip ipvlan macvlan nf_conntrack nf_defrag_ipv4 nf_defrag_ipv6 nf_nat nf_tables nft_chain_nat nft_ct
	nft_nat sch_fq sch_fq_codel sch_htb sch_ingress sch_netem sch_prio sch_tbf sit tls tun tunnel4 tunnel6 udp_tunnel
	unix_diag tcp_diag udp_diag inet_diag veth vrf vxlan
)

while getopts b:T:p:f:m:e:t:M:c:q option; do
	case "$option" in
	b) build=$OPTARG ;;
	T) seconds=$OPTARG ;;
	q) boot+=(-q) ;;
	p | f | m | e | t | M | c) boot+=("-$option" "$OPTARG") ;;
	*) die "see the head of this file for the options" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || die "usage: guest.sh [option]... KERNEL TEST...  (or KERNEL -- COMMAND...)"
kernel=$1
shift
build=$(realpath "$build")
[ -d "$build/tests" ] || die "no $build/tests: meson setup $build && ninja -C $build"

# The tests of a suite are what the build folder holds of it now.
tests=()
if [ "$1" = -- ]; then
	shift
else
	for test in "$@"; do
		case "$test" in
		*/*) tests+=("${test/\//_}") ;;
		*_*) tests+=("$test") ;;
		*)
			while read -r file; do
				tests+=("${file##*/}")
			done < <(find "$build/tests" -maxdepth 1 -type f -perm -u+x -name "${test}_*_test" | sort)
			;;
		esac
	done
	[ ${#tests[@]} -gt 0 ] || die "no test $* in $build/tests"
	set -- bash /ebpfnet/source/tests/vm/inside.sh "$seconds" "${tests[@]}"
fi
inside=/ebpfnet/build/tests
for test in ${tests[@]+"${tests[@]}"}; do
	[ -x "$build/tests/$test" ] || die "no test ${test/_//} in $build/tests"
done
while read -r file; do
	boot+=(-p "$file:$inside/${file##*/}")
done < <(find "$build/tests" -maxdepth 1 -type f -perm -u+x \( -name 'kernel_*' -o -name 'net_*' \))
while read -r file; do
	boot+=(-f "$file:$inside/${file##*/}")
done < <(find "$build/tests" -maxdepth 1 -type f -name '*.bpf.o')
[ ! -d "$build/bpf" ] || boot+=(-f "$build/bpf:/ebpfnet/build/bpf")
while read -r file; do
	boot+=(-p "$file:/ebpfnet/build/examples/${file##*/}")
done < <(find "$build/examples" -maxdepth 1 -type f -perm -u+x 2>/dev/null)
[ ! -e "$build/libebpfnet.so.0" ] || boot+=(-p "$build/libebpfnet.so.0:/ebpfnet/build/libebpfnet.so.0")
for file in include doc tests/vm tests/golden; do
	boot+=(-f "$source/$file:/ebpfnet/source/$file")
done
[ ! -d /etc/iproute2 ] || boot+=(-f /etc/iproute2)
for tool in "${tools[@]}"; do
	# Not the shell's own of the same name.
	! type -P "$tool" >/dev/null || boot+=(-p "$(type -P "$tool")")
done
for module in "${modules[@]}"; do
	boot+=(-m "$module?")
done

exec "$here/boot.sh" -k "$kernel" -e EBPFNET_TEST_OBJECTS=$inside -e EBPFNET_BUILD=/ebpfnet/build \
	-e EBPFNET_SOURCE=/ebpfnet/source -e EBPFNET_GOLDEN=/ebpfnet/source/tests/golden/verifier -e CK_FORK=no \
	-e EBPFNET_TEST_QUICK=1 -e EBPFNET_TEST_STRICT=1 -e LD_LIBRARY_PATH=/ebpfnet/build \
	-e UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 -e TERM=dumb -t 1800 "${boot[@]}" -- "$@"
