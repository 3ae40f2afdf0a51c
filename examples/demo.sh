#!/usr/bin/env bash
# SPDX-License-Identifier: 0BSD
#
# The main job, on real traffic: builds libebpfnet, installs it into a staging prefix, compiles the
# examples as a downstream program would, joins two network namespaces by a veth pair, lets iperf3, curl
# and ping run over IPv4 and IPv6, and puts our counters beside the kernel's own. Exits 1 if one packet
# or byte differs. Run it as root; EBPFNET_NO_DEPS=1 leaves the installing of packages out.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo "demo: run it as root: it makes network namespaces and loads BPF programs" >&2; exit 1; }
client=ebn-client-$$ server=ebn-server-$$
work=$(mktemp -d)
began=$(date +%s)
pids=()

say() { printf '[%3ds] %s\n' $(($(date +%s) - began)) "$*"; }
cleanup() {
	trap '' INT TERM
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
	for p in "${pids[@]}"; do wait "$p" 2>/dev/null || true; done
	ip -n "$client" link del v0 2>/dev/null || true
	ip netns del "$client" 2>/dev/null || true
	ip netns del "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
fail() { echo "demo: $*" >&2; exit 1; }
# Runs a command, a dot every two seconds; its output is shown only if it fails.
quietly() {
	local status=0 dots=
	"$@" >"$work/log" 2>&1 &
	local pid=$!
	pids+=("$pid")
	while kill -0 "$pid" 2>/dev/null; do
		for _ in $(seq 20); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
		kill -0 "$pid" 2>/dev/null && printf . && dots=1
	done
	[ -z "$dots" ] || echo
	wait "$pid" || status=$?
	unset 'pids[-1]'
	[ "$status" = 0 ] || { tail -n 30 "$work/log" >&2; fail "failed ($status): $*"; }
}

if [ -z "${EBPFNET_NO_DEPS:-}" ]; then
	say "dependencies"
	tests/deps.sh
fi

say "build (release)"
quietly meson setup "$work/build" --buildtype=release --prefix="$work/prefix" --libdir=lib -Dtests=false
quietly ninja -C "$work/build"
quietly meson install -C "$work/build"
export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig LD_LIBRARY_PATH=$work/prefix/lib

say "examples, through pkg-config"
for source in examples/*.c; do
	name=$(basename "$source" .c)
	[ "${name%.bpf}" = "$name" ] || continue # the BPF half of an example, which clang compiles
	also=$(sed -n 's/.*pkg-config --cflags --libs libebpfnet\(.*\)).*/\1/p' "$source" | head -n 1)
	# shellcheck disable=SC2086,SC2046
	quietly cc -Wall -Wextra -O2 -o "$work/$name" "$source" $(pkg-config --cflags --libs libebpfnet $also)
done

say "what this kernel can ($(uname -r))"
"$work/02-probe" | head -n 6
say "what the counter needs"
"$work/01-load" counter

say "two namespaces and a veth pair"
for ns in "$client" "$server"; do
	ip netns add "$ns"
	# A quiet wire: no duplicate address detection, no router solicitation.
	ip netns exec "$ns" sh -c 'for i in all default; do
		for k in accept_dad accept_ra router_solicitations; do echo 0 >/proc/sys/net/ipv6/conf/$i/$k; done; done'
done
ip -n "$client" link add v0 type veth peer name v0 netns "$server"
ip -n "$client" addr add 10.99.0.1/24 dev v0
ip -n "$server" addr add 10.99.0.2/24 dev v0
ip -n "$client" addr add fd99::1/64 dev v0 nodad
ip -n "$server" addr add fd99::2/64 dev v0 nodad

# Attached while the wire is down, so that ours and the kernel's counters all start from 0.
for ns in "$client" "$server"; do
	ip netns exec "$ns" "$work/04-count" --json v0 >"$work/count.$ns" 2>"$work/err.$ns" &
	pids+=($!)
done
for ns in "$client" "$server"; do
	for _ in $(seq 100); do [ -s "$work/count.$ns" ] && break; sleep 0.1; done
	[ -s "$work/count.$ns" ] || { cat "$work/err.$ns" >&2; fail "04-count did not start"; }
done
for ns in "$client" "$server"; do
	ip -n "$ns" link set lo up
	ip -n "$ns" link set v0 up
done

mkdir "$work/www"
head -c 16777216 /dev/urandom >"$work/www/file"
cat >"$work/nginx.conf" <<CONF
daemon off;
worker_processes 1;
pid $work/nginx.pid;
error_log $work/nginx.log;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work; uwsgi_temp_path $work; scgi_temp_path $work;
	server { listen 80; listen [::]:80; root $work/www; }
}
CONF
chmod 755 "$work" "$work/www"
ip netns exec "$server" nginx -e "$work/nginx.log" -c "$work/nginx.conf" &
pids+=($!)
ip netns exec "$server" iperf3 -s >/dev/null 2>&1 &
pids+=($!)
ready() { ip netns exec "$client" bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null; }
for port in 80 5201; do
	for _ in $(seq 100); do ready 10.99.0.2 $port && break; sleep 0.1; done
done

on_client() { ip netns exec "$client" "$@"; }
for family in 4 6; do
	address=10.99.0.2 url=http://10.99.0.2/file
	[ $family = 4 ] || address=fd99::2 url='http://[fd99::2]/file'
	say "IPv$family: ping, curl 16 MiB from nginx, iperf3 TCP both ways, iperf3 UDP"
	quietly on_client ping -$family -c 20 -i 0.02 "$address"
	quietly on_client curl -sS -o "$work/got" "$url"
	cmp -s "$work/got" "$work/www/file" || fail "the download differs from the file"
	quietly on_client iperf3 -$family -c "$address" -t 2
	quietly on_client iperf3 -$family -c "$address" -t 2 -R
	quietly on_client iperf3 -$family -c "$address" -u -b 200M -t 2
done

say "wire down, last figures"
ip -n "$client" link set v0 down
ip -n "$server" link set v0 down
statistic() { ip netns exec "$1" cat "/sys/class/net/v0/statistics/$2"; }
for ns in "$client" "$server"; do
	statistic "$ns" rx_packets >"$work/packets.$ns"
	statistic "$ns" rx_bytes >"$work/bytes.$ns"
done
kill -TERM "${pids[0]}" "${pids[1]}"
wait "${pids[0]}" || fail "04-count failed in $client: $(cat "$work/err.$client")"
wait "${pids[1]}" || fail "04-count failed in $server: $(cat "$work/err.$server")"

# The sums stand before the list of keys in the last document.
sum() { tail -n 1 "$work/count.$1" | grep -o '^{[^[]*' | grep -o "\"$2\": *[0-9]*" | grep -o '[0-9]*'; }
differs=0
echo
printf '%-8s %-8s %16s %16s %8s\n' end what ours kernel differ
row() {
	printf '%-8s %-8s %16s %16s %8s\n' "$1" "$2" "$3" "$4" $(($3 - $4))
	[ "$3" = "$4" ] || differs=1
	[ "$3" -gt 0 ] || { echo "demo: nothing was counted" >&2; differs=1; }
}
for end in client server; do
	ns=${!end}
	packets=$(cat "$work/packets.$ns")
	row $end packets "$(sum "$ns" packets)" "$packets"
	row $end bytes "$(sum "$ns" bytes)" $(($(cat "$work/bytes.$ns") + 14 * packets))
done
echo "(veth's own rx_bytes leaves the 14 bytes of the Ethernet header out; they are added to the kernel's figure.)"
echo
echo "the server's packets by protocol:"
tail -n 1 "$work/count.$server" | grep -o '{"packets[^}[]*}' | sed 's/[{}"]//g; s/,/  /g; s/^/  /'
if [ $differs = 0 ]; then
	say "every packet and byte was counted"
else
	say "the counts differ"
	exit 1
fi
