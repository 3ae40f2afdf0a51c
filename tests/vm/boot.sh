#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# Boots a kernel under QEMU without KVM, runs one command in the guest, and exits with its status.
#
#   tests/vm/boot.sh [option]... -- COMMAND [ARGUMENT]...
#
#   -k KERNEL      a name that kernels.sh knows, or a folder in that form; default newest
#   -p FILE[:AT]   a program and the libraries `ldd` names; in the guest at the same path, or at AT. Repeatable
#   -f FILE[:AT]   a file or a folder as it is. Repeatable
#   -m MODULE[?]   a module, loaded with those it depends on before the command; MODULE? may be missing. Repeatable
#   -e NAME=VALUE  an environment variable of the command. Repeatable
#   -C FOLDER      the command's working directory in the guest; default /
#   -t SECONDS     the guest is killed after that; default 120
#   -M MEGABYTES   memory; default 1500
#   -c FILE        keep the whole console, every boot of it
#   -q             no line about the boot on stderr
#
# stdout is the command's stdout and stderr, as they come; a lone carriage return is lost on the way. stdin is
# empty. The command may be a busybox applet, and `sh -c` makes it a script. In the guest /proc /sys /dev
# /sys/fs/bpf /sys/fs/cgroup (v2) /sys/kernel/tracing /sys/kernel/debug /tmp /run are mounted, lo is up, and
# /boot has the kernel's config.
#
# Exit status: that of the command; 124 when the time was up, 125 when the guest could not be made or booted, 126
# when the kernel died under the command. A guest that dies before init's first line is booted again, up to
# three times, and each retry is printed. A guest that has reached init is never run again.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
mark="libebpfnet guest"
kernel=newest seconds=120 memory=1500 workdir=/ console_copy='' quiet=''
programs=() files=() modules=() environment=()

die() {
	echo "tests/vm/boot.sh: $*" >&2
	exit 125
}
say() { [ -n "$quiet" ] || echo "boot: $*" >&2; }

while getopts k:p:f:m:e:C:t:M:c:q option; do
	case "$option" in
	k) kernel=$OPTARG ;;
	p) programs+=("$OPTARG") ;;
	f) files+=("$OPTARG") ;;
	m) modules+=("$OPTARG") ;;
	e) environment+=("$OPTARG") ;;
	C) workdir=$OPTARG ;;
	t) seconds=$OPTARG ;;
	M) memory=$OPTARG ;;
	c) console_copy=$OPTARG ;;
	q) quiet=1 ;;
	*) die "see the head of this file for the options" ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || die "no command given"
for tool in qemu-system-x86_64 busybox cpio gzip timeout; do
	command -v "$tool" >/dev/null ||
		die "no $tool: apt-get install --no-install-recommends qemu-system-x86 busybox-static cpio"
done
if ldd "$(command -v busybox)" >/dev/null 2>&1; then die "busybox is not static: install busybox-static"; fi

case "$kernel" in
*/*) folder=$kernel ;;
*) folder=$("$here/kernels.sh" "$kernel" | cut -f 3) || die "no kernel $kernel" ;;
esac
if [ ! -s "$folder/vmlinuz" ] || [ ! -s "$folder/release" ]; then die "$folder holds no vmlinuz and release"; fi
release=$(cat "$folder/release")

tmp=$(mktemp -d)
guest=
# shellcheck disable=SC2317 # called by the trap
finish() {
	trap - EXIT
	[ -z "$guest" ] || kill -- "$guest" 2>/dev/null || true
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 125' INT TERM HUP

# put FILE AT: copies FILE, following links, to AT in the guest.
put() {
	mkdir -p "$root${2%/*}"
	cp -RL --preserve=mode,timestamps "$1" "$root$2"
}

put_program() {
	local file=${1%%:*} at=$1 library
	at=${at#"$file"} at=${at#:}
	file=$(command -v "$file") || die "no program ${1%%:*}"
	file=$(realpath -s "$file")
	put "$file" "${at:-$file}"
	# "name => /path (0x...)" and "/path (0x...)"; a static program has no such line.
	while read -r library; do
		[ -e "$root$library" ] || put "$library" "$library"
	done < <({ ldd "$file" 2>/dev/null || true; } | sed -nE 's|^.*[[:space:]](/[^ ]+) \(0x.*$|\1|p')
}

# Writes to load.list the modules that $1 needs, then $1; those built into the kernel need nothing.
put_module() {
	local name=${1//-/_} file at need
	if [ -e "$tmp/seen.$name" ]; then return 0; fi
	: >"$tmp/seen.$name"
	file=$(find "$folder/lib/modules/$release" -type f \
		\( -name "$name.ko" -o -name "${name//_/-}.ko" -o -name "$1.ko" \) | head -n 1)
	if [ -z "$file" ]; then
		tr - _ <"$folder/lib/modules/$release/modules.builtin" 2>/dev/null | grep -q "/$name\.ko\$" && return 0
		[ -z "${2:-}" ] || return 0
		die "kernel $release has no module $1"
	fi
	while read -r need; do
		put_module "$need"
	done < <(module_field depends "$file")
	while read -r need; do
		put_module "$need" optional
	done < <(module_field softdep "$file" | sed -n 's/^pre://p')
	at=/lib/modules/$name.ko
	put "$file" "$at"
	echo "$at" >>"$root/etc/load.list"
}

# The .modinfo section is a run of name=value strings, each ended by NUL; values are split by comma or blank.
module_field() {
	tr '\0' '\n' <"$2" | grep -a "^$1=" | sed "s/^$1=//; s/pre: */pre:/g" | tr -s ', ' '\n' | grep -a . || true
}

make_init() {
	cat >"$root/init" <<-'EOF'
		#!/bin/busybox sh
		export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/applets HOME=/root LC_ALL=C
		/bin/busybox mount -t devtmpfs none /dev 2>/dev/null
		/bin/busybox stty -opost </dev/console
		echo "@mark@: init"
		/bin/busybox --install -s /applets
		at() { mount -t "$1" none "$2" 2>/dev/null || echo "$1 $2" >>/run/not-mounted; }
		at tmpfs /run
		at proc /proc
		at sysfs /sys
		at tmpfs /tmp
		at bpf /sys/fs/bpf
		at cgroup2 /sys/fs/cgroup
		at tracefs /sys/kernel/tracing
		at debugfs /sys/kernel/debug
		mkdir -p /dev/pts /dev/shm
		at devpts /dev/pts
		at tmpfs /dev/shm
		[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
		ip link set lo up
		hostname guest
		while read -r module; do
			insmod "$module" || { echo "insmod $module failed"; echo "@mark@: no module"; reboot -f; }
		done </etc/load.list
		echo "@mark@: begin"
		/etc/command </dev/null 2>&1
		echo "@mark@: exit $?"
		reboot -f
	EOF
	sed -i "s/@mark@/$mark/" "$root/init"
	{
		echo '#!/bin/busybox sh'
		printf 'cd %q || exit 127\n' "$workdir"
		[ ${#environment[@]} -eq 0 ] || printf "export '%s'\n" "${environment[@]//\'/\'\\\'\'}"
		printf 'exec'
		printf " '%s'" "${@//\'/\'\\\'\'}"
		echo
	} >"$root/etc/command"
	chmod +x "$root/init" "$root/etc/command"
}

make_initramfs() {
	local item file at
	root=$tmp/root
	# As merged as Debian's own tree, so that /bin/x and /usr/bin/x are the same program.
	mkdir -p "$root"/{usr/bin,usr/sbin,usr/lib,usr/lib64,applets,dev,proc,sys,tmp,run,root,etc,var/tmp}
	ln -s usr/bin "$root/bin"
	ln -s usr/sbin "$root/sbin"
	ln -s usr/lib "$root/lib"
	ln -s usr/lib64 "$root/lib64"
	ln -s /run "$root/var/run"
	ln -s /proc/self/mounts "$root/etc/mtab"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	echo '127.0.0.1 localhost guest' >"$root/etc/hosts"
	: >"$root/etc/load.list"
	mknod -m 600 "$root/dev/console" c 5 1 2>/dev/null ||
		die "cannot make /dev/console for the initramfs: run as root"
	put "$(command -v busybox)" /bin/busybox
	# Where Debian has it, and the library looks for it.
	[ ! -e "$folder/config" ] || put "$folder/config" "/boot/config-$release"
	for item in ${programs[@]+"${programs[@]}"}; do
		put_program "$item"
	done
	for item in ${files[@]+"${files[@]}"}; do
		file=${item%%:*} at=${item#"${item%%:*}"}
		file=$(realpath -s "$file") at=${at#:}
		put "$file" "${at:-$file}"
	done
	for item in ${modules[@]+"${modules[@]}"}; do
		case "$item" in
		*\?) put_module "${item%\?}" optional ;;
		*) put_module "$item" ;;
		esac
	done
	[ -e "$root/bin/sh" ] || ln -s busybox "$root/bin/sh"
	make_init "$@"
	(cd "$root" && find . -print0 | cpio --quiet --null -o -H newc | gzip -1) >"$tmp/initramfs"
}

# Runs one guest with its console in $1; the command's part of it goes to stdout as it comes.
run_guest() {
	local status=0 filter
	: >"$1"
	# pti=off: with page table isolation every system call empties the emulated TLB, which takes half of the time.
	timeout -k 5 "$seconds" qemu-system-x86_64 -accel tcg,thread=single -cpu Haswell,-cx16 -smp 2 \
		-m "${memory}M" -nic none -nographic -no-reboot -kernel "$folder/vmlinuz" -initrd "$tmp/initramfs" \
		-append "console=ttyS0 quiet loglevel=1 panic=-1 pti=off rdinit=/init" \
		</dev/null >"$tmp/pipe" 2>"$tmp/qemu.err" &
	guest=$!
	sed -un -e 's/\r//g' -e "s/^\(..*\)\($mark: exit [0-9]*\)\$/\1\n\2/" -e "w $1" \
		-e "/^$mark: begin\$/,/$mark: exit [0-9]*\$/{/^$mark: begin\$/d" \
		-e "s/\n*$mark: exit [0-9]*\$//;t last" -e 'p;b' -e ':last' -e '/./p' -e '}' <"$tmp/pipe" &
	filter=$!
	wait "$guest" || status=$?
	guest=
	wait "$filter" || true
	return "$status"
}

make_initramfs "$@"
mkfifo "$tmp/pipe"
console=$tmp/console
[ -z "$console_copy" ] || : >"$console_copy"
for attempt in 1 2 3 4; do
	started=$(date +%s%N)
	died=0
	run_guest "$console" || died=$?
	milliseconds=$((($(date +%s%N) - started) / 1000000))
	[ -z "$console_copy" ] || cat "$console" >>"$console_copy"
	took=$(printf '%d.%02d s' $((milliseconds / 1000)) $((milliseconds % 1000 / 10)))
	status=$(sed -n "s/^$mark: exit \([0-9]*\)\$/\1/p" "$console" | tail -n 1)
	if [ -n "$status" ]; then
		say "$release: exit $status after $took"
		exit "$status"
	fi
	if [ "$died" = 124 ] || [ "$died" = 137 ]; then
		say "$release: killed after $seconds seconds; the console ends with:"
		tail -n 15 "$console" >&2
		exit 124
	fi
	if grep -q "^$mark: no module" "$console"; then
		grep '^insmod' "$console" >&2 || true
		die "$release: a module could not be loaded"
	fi
	# The firmware leaves its last line open, so init's first is not at the start of one.
	if grep -q "$mark: init\$" "$console"; then
		say "$release: the guest died after $took; the console ends with:"
		tail -n 30 "$console" >&2
		exit 126
	fi
	grep -v "TCG doesn't support requested feature" "$tmp/qemu.err" >&2 || true
	tail -n 5 "$console" | tr -cd '[:print:]\t\n' >&2
	echo >&2
	[ "$attempt" = 4 ] || echo "boot: $release: died before init after $took (qemu status $died): retry $attempt of 3" >&2
done
die "$release: no boot reached init"
