#!/usr/bin/env bash
# dhcp.sh - from link up to address set, and memory while bound, beside busybox udhcpc and dhcpcd, with one dnsmasq.
#
# Usage: tests/bench/dhcp.sh [ROUNDS]     as root; prints a table
# In each round every client begins anew in a network namespace of its own: its interface is down; the clock
# starts as the client does, which is told to bring the link up, and stops at the kernel's word of the address.
# dhcpcd is asked to leave out what the others do not do either (ARP for five seconds, IPv6).
# shellcheck disable=SC2016
set -u
export LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd)
run=${DHCP_RUN:-$top/build/tests/box/dhcp_run}
rounds=${1:-15}
[[ $(id -u) -eq 0 ]] || { echo "dhcp.sh: needs root, for network namespaces" >&2; exit 77; }
if [[ ${bench_inside:-} != yes ]]; then
	bench_inside=yes exec unshare --mount --propagation private -- "$BASH" "$0" "$@"
fi
dir=$(mktemp -d)
mount -t tmpfs bench "$dir" || exit
pids=()
at_end() {
	for pid in "${pids[@]}"; do kill -s KILL "$pid" 2>/dev/null; done
	wait 2>/dev/null
	umount -l "$dir"
	rmdir "$dir"
}
trap at_end EXIT

start() { setpriv --pdeathsig KILL "$@" & pids+=($!); }
now() { echo "${EPOCHREALTIME/./}"; }

cat >"$dir/script" <<'SCRIPT'
#!/bin/sh
case $1 in
deconfig) busybox ip link set "$interface" up ;;
bound | renew)
	busybox ip addr add "$ip/$mask" dev "$interface"
	busybox ip route add default via "$router"
	echo "nameserver $dns" >"$RESOLV.new" && mv "$RESOLV.new" "$RESOLV"
	;;
esac
SCRIPT
chmod +x "$dir/script"

client_coppice() { exec "$run" "$dir/state" "$dir/run" "$dir/resolv" Interface=c0; }
client_udhcpc() { RESOLV=$dir/resolv exec busybox udhcpc -i c0 -f -q -n -t 5 -T 4 -s "$dir/script"; }
client_udhcpc_stay() { RESOLV=$dir/resolv exec busybox udhcpc -i c0 -f -t 5 -T 4 -s "$dir/script"; }
# Its hooks would write the resolv.conf of the machine: they are left out.
client_dhcpcd() { exec dhcpcd -f "$dir/dhcpcd.conf" --script /bin/true -B -4 -A c0; }
client_dhcpcd_stay() { client_dhcpcd; }
client_coppice_stay() { client_coppice; }
: >"$dir/dhcpcd.conf"

pss_tree() {
	local pid total=0 each
	for pid in $1 $(pgrep -P "$1") $(for p in $(pgrep -P "$1"); do pgrep -P "$p"; done); do
		each=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null)
		total=$((total + ${each:-0}))
		[[ ! ${2:-} ]] || printf ' %s %s' "$(tr -d '\n' <"/proc/$pid/comm")" "${each:-0}"
	done
	[[ ${2:-} ]] || echo "$total"
}

# one CLIENT: a round; prints the ms it took.
one() {
	local server holder client begun
	unshare --net sleep 100 & server=$!
	unshare --net sleep 100 & holder=$!
	pids+=("$server" "$holder")
	for pid in "$server" "$holder"; do
		until [[ $(readlink "/proc/$pid/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do sleep 0.01; done
	done
	ip link add s0 netns "$server" type veth peer name c0 netns "$holder"
	nsenter --net="/proc/$server/ns/net" ip addr add 198.51.100.1/24 dev s0
	nsenter --net="/proc/$server/ns/net" ip link set s0 up
	rm -rf "$dir/state" "$dir/leases"
	setpriv --pdeathsig KILL nsenter --net="/proc/$server/ns/net" dnsmasq -k --port=0 --interface=s0 --bind-interfaces --no-ping \
		--conf-file=/dev/null --user=root --dhcp-leasefile="$dir/leases" --dhcp-authoritative \
		--dhcp-range=198.51.100.50,198.51.100.60,255.255.255.0,120 \
		--dhcp-option=6,198.51.100.1 --log-facility=/dev/null & pids+=($!)
	local dns=$!
	until nsenter --net="/proc/$server/ns/net" ss -Hlnu 2>/dev/null | grep -q :67; do sleep 0.01; done
	coproc watch { exec nsenter --net="/proc/$holder/ns/net" ip -o -4 monitor address; }
	sleep 0.05
	begun=$(now)
	nsenter --net="/proc/$holder/ns/net" "$BASH" -c \
		"$(declare -f "client_$1" client_dhcpcd client_coppice); run=$run dir=$dir; client_$1" >/dev/null 2>"$dir/said" &
	client=$!
	read -r -t 20 -u "${watch[0]}" line || line=
	[[ $line == *198.51.100.* ]] && echo $(((($(now) - begun) + 50) / 100)) || echo fail
	if [[ ${2:-} ]]; then
		sleep 1
		pss_tree "$client" "$2" >&2
		echo >&2
	fi
	kill -s TERM "$client" 2>/dev/null
	sleep 0.05
	# shellcheck disable=SC2154 # coproc sets it
	kill -s KILL "$watch_PID" "$client" "$dns" "$server" "$holder" 2>/dev/null
	wait 2>/dev/null
}

clients=(coppice udhcpc dhcpcd)
for c in "${clients[@]}"; do : >"$dir/times-$c"; done
for ((i = 0; i < rounds; i++)); do
	for c in "${clients[@]}"; do
		command -v busybox >/dev/null || [[ $c != udhcpc ]] || continue
		command -v dhcpcd >/dev/null || [[ $c != dhcpcd ]] || continue
		one "$c" 2>/dev/null >>"$dir/times-$c"
	done
done
printf '%-10s %10s %10s %10s   %s\n' client median best worst "processes while bound, KiB PSS"
for c in "${clients[@]}"; do
	[[ -s $dir/times-$c ]] || continue
	memory=$(one "${c}_stay" yes 2>&1 >/dev/null | grep -v Killed | tr -d '\n')
	sort -n "$dir/times-$c" | awk -v c="$c" -v m="$memory" '
		{ t[NR] = $1 / 10 }
		END { printf "%-10s %7.1f ms %7.1f ms %7.1f ms  %s\n", c, t[int((NR + 1) / 2)], t[1], t[NR], m }'
done
