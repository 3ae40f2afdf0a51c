#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Installs what libebpfnet needs to build, test and show itself; examples/demo.sh and tests/run.sh call it.
#
#   tests/deps.sh           install what is missing (root); does nothing when nothing is missing
#   tests/deps.sh --list    print the packages and stop
#
# Debian 12 is the only system that needs a package from elsewhere: its libbpf is 1.1 and we need 1.3, so
# exactly libbpf-dev, libbpf1 and bpftool come from bookworm-backports. libelf and the kernel headers stay
# Debian 12's own: the backported libelf has a static archive that cannot be linked.
set -euo pipefail

build=(
	clang
	gcc
	git
	libbpf-dev
	libc6-dev
	libelf-dev
	libmnl-dev
	linux-libc-dev
	llvm
	meson
	ninja-build
	pkg-config
	zlib1g-dev
)
# libelf's and zlib's static archives come with their -dev packages; libzstd is what libelf.a needs.
tests=(
	abigail-tools
	bpftool
	bsdextrautils
	busybox-static
	check
	clang-format
	cpio
	curl
	ethtool
	g++
	gcovr
	gnuplot-nox
	iperf3
	iproute2
	iputils-ping
	libcap2-bin
	libjson-c-dev
	libzstd-dev
	nginx-light
	procps
	qemu-system-x86
	util-linux
	xz-utils
)

id=unknown codename=unknown
if [ -r /etc/os-release ]; then
	# shellcheck disable=SC1091
	. /etc/os-release
	id=${ID:-unknown} codename=${VERSION_CODENAME:-unknown}
fi

case "$id" in
ubuntu) tests=("${tests[@]/bpftool/linux-tools-common}") ;;
esac
# libFuzzer's and the sanitizers' runtime for clang has the compiler's version in its name.
runtime() { apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\).*/libclang-rt-\1-dev/p' | head -n 1; }

if [ "${1:-}" = --list ]; then
	printf '%s\n' "${build[@]}" "${tests[@]}"
	exit 0
fi

case "$id:$codename" in
debian:* | ubuntu:*) ;;
*)
	echo "tests/deps.sh: this is $id $codename, not Debian or Ubuntu: install these yourself, under your system's names:" >&2
	printf '  %s\n' "${build[@]}" "${tests[@]}" >&2
	echo "and set EBPFNET_NO_DEPS=1 to skip this step." >&2
	exit 1
	;;
esac

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }
version_at_least() { dpkg --compare-versions "$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo 0)" ge "$2"; }

export DEBIAN_FRONTEND=noninteractive
updated=
update() {
	[ -z "$updated" ] || return 0
	echo "deps: reading package lists"
	apt-get -qq update
	updated=1
}

backports=()
if [ "$codename" = bookworm ]; then
	installed libbpf-dev && version_at_least libbpf-dev 1:1.3 || backports+=(libbpf-dev libbpf1)
	installed bpftool && version_at_least bpftool 7.2 || backports+=(bpftool)
fi

missing=()
for p in "${build[@]}" "${tests[@]}"; do
	case " ${backports[*]} " in *" $p "*) continue ;; esac
	installed "$p" || missing+=("$p")
done
rt=$(runtime)
if [ -z "$rt" ] && ! installed clang; then
	[ "$(id -u)" = 0 ] && update && rt=$(runtime)
fi
[ -z "$rt" ] || installed "$rt" || missing+=("$rt")

if [ ${#missing[@]} -eq 0 ] && [ ${#backports[@]} -eq 0 ]; then
	exit 0
fi
if [ "$(id -u)" != 0 ]; then
	echo "tests/deps.sh: not root, and these are missing: ${missing[*]} ${backports[*]}" >&2
	exit 1
fi

# The backports live on the mirror that apt already uses for bookworm, below the same key.
add_backports() {
	local sources=/etc/apt/sources.list.d/libebpfnet-backports.sources
	local pin=/etc/apt/preferences.d/libebpfnet-backports
	local uri key
	if apt-get indextargets --format '$(RELEASE)' 2>/dev/null | grep -qx bookworm-backports; then
		return 0
	fi
	uri=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 2>/dev/null |
		awk '$1 ~ /^(bookworm|oldstable|stable)$/ { print $2; exit }')
	# The key that the configuration names for bookworm; without one apt uses its trusted keys.
	key=$(awk -v RS= '/bookworm/ && match($0, /[Ss]igned-[Bb]y[:=] *\/[^] \n]*/) {
		k = substr($0, RSTART, RLENGTH); sub(/^[^\/]*/, "", k); print k; exit }' \
		/etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
	if [ -z "${uri:-}" ]; then
		echo "tests/deps.sh: apt has no source for bookworm to derive its backports from; add bookworm-backports and run again" >&2
		exit 1
	fi
	{
		printf 'Types: deb\nURIs: %s\nSuites: bookworm-backports\nComponents: main\n' "$uri"
		[ -z "${key:-}" ] || printf 'Signed-By: %s\n' "$key"
	} >"$sources.new"
	printf 'Package: *\nPin: release n=bookworm-backports\nPin-Priority: 50\n' >"$pin.new"
	mv "$pin.new" "$pin"
	mv "$sources.new" "$sources"
	echo "deps: added bookworm-backports with a low pin ($sources)"
	updated=
}

[ ${#backports[@]} -eq 0 ] || add_backports
update
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
	echo "deps: installing $*"
	if ! apt-get -qq -y --no-install-recommends install "$@" >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		echo "tests/deps.sh: apt-get install failed" >&2
		exit 1
	fi
}
[ ${#backports[@]} -eq 0 ] || install "${backports[@]/%//bookworm-backports}"
[ ${#missing[@]} -eq 0 ] || install "${missing[@]}"
echo "deps: done"
