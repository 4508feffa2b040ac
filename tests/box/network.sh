#!/usr/bin/env bash
# network.sh - a container on a veth pair gets its address by DHCP before its units start, and never waits too long.
# shellcheck source=tests/lib/box.sh disable=SC2016
. "${0%/*}/../lib/box.sh"

command -v dnsmasq >/dev/null || skip_all "no dnsmasq here; install dnsmasq-base"

unit late <<-UNIT
	[Service]
	Type=oneshot
	ExecStart=/bin/sh -c 'ip -4 addr show dev eth0; ip route; cat /etc/resolv.conf'
UNIT
conf <<-CONF
	[Boot]
	Hostname=stem
	[Network]
	Interface=eth0
	WaitOnlineSec=8s
CONF

# The server and the container live in namespaces of their own, held open by sleepers.
unshare --net sleep 1000 &
server=$!
unshare --net sleep 1000 &
client=$! dnsmasq=
at_exit() { kill "$server" "$client" ${dnsmasq:+"$dnsmasq"} 2>/dev/null; }
apart() { [[ $(readlink "/proc/$1/ns/net") != "$(readlink /proc/self/ns/net)" ]]; }
wait_for 'apart "$server" && apart "$client"'
BOX_NET=/proc/$client/ns/net
ip link add s0 netns "$server" type veth peer name eth0 netns "$client" || skip_all "no veth pairs here"
nsenter --target "$server" --net sh -c 'ip link set lo up; ip addr add 198.51.100.1/24 dev s0; ip link set s0 up'
serve() {
	nsenter --target "$server" --net dnsmasq --keep-in-foreground --port=0 --interface=s0 --bind-interfaces --no-ping \
		--dhcp-range=198.51.100.50,198.51.100.60,255.255.255.0,120 --dhcp-option=option:router,198.51.100.1 \
		--dhcp-option=option:dns-server,198.51.100.1 --dhcp-authoritative --conf-file=/dev/null --user=root \
		--dhcp-leasefile="$BOX/leases" --log-facility="$BOX/dnsmasq.log" --log-dhcp &
	dnsmasq=$!
}
serve
boot_bg
wait_for '[[ $(status_of late state) == done ]]' 20
ctl logs late >"$BOX/seen"
check_ok "when the unit starts there is an address of the range" grep -qE '198\.51\.100\.(5[0-9]|60)/24' "$BOX/seen"
check_ok "a default route" grep -q 'default via 198\.51\.100\.1' "$BOX/seen"
check_ok "the name server" grep -q 'nameserver 198\.51\.100\.1' "$BOX/seen"
check_ok "the host name was set, and sent" grep -q 'stem' "$BOX/dnsmasq.log"
check_ok "it was told once" grep -q 'net eth0: up, with a default route' "$BOX/console"
down
check "a clean stop" "$STATUS" = 0
wait_for 'grep -q DHCPRELEASE "$BOX/dnsmasq.log"' 5
check_ok "and the lease was given back" grep -q DHCPRELEASE "$BOX/dnsmasq.log"
kill "$dnsmasq"

# Nobody answers: boot waits as long as it may, and no longer.
conf <<-CONF
	[Network]
	Interface=eth0
	WaitOnlineSec=500ms
CONF
image small
unit late <<-UNIT
	[Service]
	Image=small
	ExecStart=/bin/sleep 1000
UNIT
rm -f "$BOX/root/etc/resolv.conf"
boot_bg
wait_for '[[ $(status_of late ready) == true ]]' 5
check_ok "without a server the units start all the same" grep -q 'the units start without it' "$BOX/console"
pid=$(status_of late pid)
serve
wait_for 'ctl exec late cat /etc/resolv.conf | grep -q "nameserver 198.51.100.1"' 30
check "a lease that comes later is seen in a root that was built before" "$(status_of late pid)" = "$pid"
check_ok "and in the container" in_box grep -q 'nameserver 198.51.100.1' /etc/resolv.conf
down
check "and stop" "$STATUS" = 0
kill "$dnsmasq"
wait "$dnsmasq" 2>/dev/null

# PID 1 becomes the program of an image; those that look after the network go on without it. dnsmasq gives nobody less than
# two minutes, udhcpd does.
rm "$BOX/units/late.service"
cat >"$BOX/units/oci.json" <<-'EOF'
	{"config": {"Cmd": ["/bin/serve"], "Env": ["PATH=/bin"]}}
EOF
script serve <<-'EOF'
	trap 'exit 5' TERM
	: >/run/serves
	while :; do
		sleep inf &
		wait $!
	done
EOF
conf <<-CONF
	[Manager]
	Supervise=exec
	[Network]
	Interface=eth0
	WaitOnlineSec=8s
CONF
cat >"$BOX/udhcpd.conf" <<-CONF
	start 198.51.100.50
	end 198.51.100.60
	interface s0
	max_leases 5
	lease_file $BOX/udhcpd.leases
	pidfile $BOX/udhcpd.pid
	min_lease 5
	opt subnet 255.255.255.0
	opt router 198.51.100.1
	opt lease 10
CONF
: >"$BOX/udhcpd.leases"
nsenter --target "$server" --net busybox udhcpd -f "$BOX/udhcpd.conf" >"$BOX/udhcpd.log" 2>&1 &
dnsmasq=$!
answered() { grep -c 'sending ACK' "$BOX/udhcpd.log"; }
lives() { nsenter --target "$client" --net ip -4 -o addr show dev eth0 | sed -n 's/.*valid_lft \([0-9]*\)sec.*/\1/p'; }
helpers() { in_box ps -o args | grep -c '[c]oppice: \(net\|dhcp\)'; }
# How many live in the container's network.
peopled() {
	local space n=0
	for space in /proc/[0-9]*/ns/net; do
		[[ $space -ef /proc/$client/ns/net ]] && n=$((n + 1))
	done
	echo $n
}
boot_bg
wait_for '[[ -e /proc/$BOX_PID/root/run/serves ]]'
check_ok "PID 1 is the image's program now" test "/proc/$BOX_PID/exe" -ef "/proc/$BOX_PID/root/bin/busybox"
check_ok "and found a network" test "$(lives)"
check "two go on beside it" "$(helpers)" = 2
wait_for '[[ $(answered) -ge 4 ]]' 40
check "a lease of ten seconds is renewed, again and again" "$([[ $(lives) -gt 0 ]] && echo yes) $(helpers)" = "yes 2"
down
check "the container ends as the program does" "$STATUS" = 5
wait_for '[[ $(peopled) = 1 ]]'
check "and nobody of it is left" "$(peopled)" = 1 # but the sleeper
done_testing
