#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Fetches and unpacks the kernels that guests boot. For each NAME one line: name, release, folder.
#
#   tests/vm/kernels.sh [--refresh] NAME...   5.10 6.1 6.12 newest
#   tests/vm/kernels.sh --list                the names known
#
# They are Debian's cloud kernels, found with apt in a private configuration: the mirror and the key are the
# ones that apt already uses here, the suites are added for this run only, nothing below /etc is touched.
# `newest` is the highest version in experimental and sid at the time it was fetched; --refresh looks again.
#
# A kernel is a folder NAME with vmlinuz, config, release, lib/modules/RELEASE (unpacked .ko) and packages
# (sha256 and name of each package, as sha256sum prints them). They are kept in the folder that
# EBPFNET_KERNELS names, else /var/cache/libebpfnet-kernels. Kernels put there by hand in that form are
# taken as they are, so a machine without Debian's archive can still run the guests; with EBPFNET_NO_DEPS=1
# none is fetched.
set -euo pipefail

kernels=${EBPFNET_KERNELS:-/var/cache/libebpfnet-kernels}
known=(5.10 6.1 6.12 newest)

die() {
	echo "tests/vm/kernels.sh: $*" >&2
	exit 1
}

suites_of() {
	case "$1" in
	5.10) echo bullseye bullseye-security ;;
	6.1) echo bookworm bookworm-security ;;
	6.12) echo bookworm-backports bookworm-security ;;
	newest) echo experimental sid ;;
	*) die "no kernel named $1; known: ${known[*]}" ;;
	esac
}

version_of() { if [ "$1" = newest ]; then echo '[0-9]+\.[0-9]+'; else echo "${1//./\\.}"; fi; }

# The mirrors of this host: every Debian row has the main archive, the row of *-security has the other.
mirror() {
	# shellcheck disable=SC2016 # apt expands these, not the shell
	apt-get indextargets --format '$(LABEL)|$(RELEASE)|$(REPO_URI)' 2>/dev/null |
		awk -F '|' -v security="$1" '$1 ~ /^Debian/ && ($2 ~ /-security$/) == security { print $3; exit }'
}

private_apt() {
	local suite uri main security keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	main=$(mirror 0)
	security=$(mirror 1)
	[ -n "$main" ] || die "apt has no Debian mirror here: put kernels into $kernels by hand (see the head of this file)"
	[ -r "$keyring" ] || die "$keyring is missing: install debian-archive-keyring"
	mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial"
	: >"$tmp/status"
	for suite in "$@"; do
		uri=$main
		case "$suite" in *-security) uri=$security ;; esac
		[ -z "$uri" ] || echo "deb [arch=amd64 signed-by=$keyring] $uri $suite main"
	done >"$tmp/sources.list"
	cat >"$tmp/apt.conf" <<-EOF
		Dir::Etc::SourceList "$tmp/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State::Lists "$tmp/lists";
		Dir::State::Status "$tmp/status";
		Dir::Cache "$tmp/cache";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
	EOF
	export APT_CONFIG=$tmp/apt.conf
	apt-get -qq update >"$tmp/update.log" 2>&1 || {
		cat "$tmp/update.log" >&2
		die "apt-get update failed for: $*"
	}
}

# Picks linux-image-VERSION-cloud-amd64 by version, then adds the packages that 7.x splits it into.
packages_of() {
	local re image
	re="^linux-image-$(version_of "$1")([^0-9-][^-]*)?(-[^-]+)*-cloud-amd64\$"
	image=$(apt-cache search --names-only '^linux-image-[0-9]' | awk -v re="$re" '$1 ~ re { print $1 }' |
		while read -r p; do
			apt-cache show --no-all-versions "$p" | awk -v p="$p" '/^Version:/ { print $2, p; exit }'
		done | sort -k 1,1V | awk 'END { print $2 }')
	[ -n "$image" ] || return 1
	echo "$image"
	apt-cache depends "$image" | awk '/Depends: linux-(base|binary|modules)-[0-9]/ { print $2 }'
}

expand_modules() {
	find "$1" -name '*.ko.xz' -exec xz -d -T 1 {} +
	find "$1" -name '*.ko.zst' -exec zstd -q -d --rm {} +
	find "$1" -name '*.ko.gz' -exec gzip -d {} +
}

unpack() {
	local name=$1 out=$2 root=$tmp/root deb image release
	mkdir -p "$root" "$out"
	for deb in "$tmp"/debs/*.deb; do
		dpkg -x "$deb" "$root"
	done
	image=$(find "$root" \( -name 'vmlinuz-*' -o -name vmlinuz \) -type f | head -n 1)
	[ -n "$image" ] || die "no vmlinuz in the packages of $name"
	# Debian 7.x has /usr/lib/modules, the others /lib/modules.
	[ -d "$root/lib/modules" ] || { mkdir -p "$root/lib" && mv "$root/usr/lib/modules" "$root/lib/modules"; }
	case "$image" in "$root"/usr/lib/modules/*) image=$root/lib/modules/${image#"$root"/usr/lib/modules/} ;; esac
	release=$(ls "$root/lib/modules")
	cp "$image" "$out/vmlinuz"
	cp "$(find "$root/boot" "$root/lib/modules" \( -name "config-$release" -o -name config \) -type f 2>/dev/null |
		head -n 1)" "$out/config" || die "no config in the packages of $name"
	mkdir -p "$out/lib"
	mv "$root/lib/modules" "$out/lib/modules"
	rm -f "$out/lib/modules/$release/vmlinuz"
	expand_modules "$out/lib/modules"
	(cd "$tmp/debs" && sha256sum -- *.deb) >"$out/packages"
	echo "$release" >"$out/release"
}

fetch() {
	local name=$1 suites packages
	tmp=$(mktemp -d "$kernels/.fetch.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	read -r -a suites < <(suites_of "$name")
	echo "kernels: $name: looking in ${suites[*]}" >&2
	private_apt "${suites[@]}"
	mapfile -t packages < <(packages_of "$name")
	[ ${#packages[@]} -gt 0 ] || die "no cloud kernel $name in ${suites[*]}"
	echo "kernels: $name: fetching ${packages[*]}" >&2
	mkdir "$tmp/debs"
	(cd "$tmp/debs" && apt-get -qq download "${packages[@]}") || die "apt-get download failed: ${packages[*]}"
	unpack "$name" "$tmp/new"
	sed 's/^/kernels: sha256 /' "$tmp/new/packages" >&2
	rm -rf "${kernels:?}/$name"
	chmod 755 "$tmp/new"
	mv "$tmp/new" "$kernels/$name"
	rm -rf "$tmp"
	trap - EXIT
}

refresh=
case "${1:-}" in
--list)
	printf '%s\n' "${known[@]}"
	exit 0
	;;
--refresh)
	refresh=1
	shift
	;;
esac
[ $# -gt 0 ] || die "usage: kernels.sh [--refresh] NAME... (${known[*]})"

for name in "$@"; do
	if [ -n "$refresh" ] || [ ! -s "$kernels/$name/release" ]; then
		suites_of "$name" >/dev/null
		mkdir -p "$kernels"
		exec 9>"$kernels/.lock"
		flock -w 900 9 || die "another fetch holds $kernels/.lock"
		[ -z "${EBPFNET_NO_DEPS:-}" ] || die "no kernel $name in $kernels, and EBPFNET_NO_DEPS forbids to fetch it"
		# It may have come while we waited.
		if [ -n "$refresh" ] || [ ! -s "$kernels/$name/release" ]; then fetch "$name"; fi
		exec 9>&-
	fi
	printf '%s\t%s\t%s\n' "$name" "$(cat "$kernels/$name/release")" "$kernels/$name"
done
