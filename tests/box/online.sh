#!/usr/bin/env bash
# online.sh - network-online.target holds who leans on it until there is a default route, and nobody where none is to come.
# shellcheck source=tests/lib/box.sh disable=SC2016
. "${0%/*}/../lib/box.sh"

unit free <<-UNIT
	[Service]
	ExecStart=/bin/sleep 1000
UNIT
unit bound <<-UNIT
	[Unit]
	BindsTo=network-online.target
	[Service]
	ExecStart=/bin/sleep 1000
UNIT
unit later <<-UNIT
	[Unit]
	After=network-online.target
	Wants=network-online.target
	[Service]
	ExecStart=/bin/sleep 1000
UNIT
unit needs <<-UNIT
	[Unit]
	Requires=network-online.target
	[Service]
	ExecStart=/bin/sleep 1000
UNIT
all() { states network-online.target bound later needs free; }

unshare --net sleep 1000 &
server=$!
unshare --net sleep 1000 &
client=$! dnsmasq=
at_exit() { kill -s KILL "$server" "$client" ${dnsmasq:+"$dnsmasq"} 2>/dev/null; }
apart() { [[ $(readlink "/proc/$1/ns/net") != "$(readlink /proc/self/ns/net)" ]]; }
wait_for 'apart "$server" && apart "$client"'
there() { nsenter --target "$server" --net "$@"; }
here() { nsenter --target "$client" --net "$@"; }
BOX_NET=/proc/$client/ns/net

# --- nothing to wait for -------------------------------------------------------------------------------------

helpers() { in_box /bin/ps -o comm,args | grep -c 'coppice: \(net\|dhcp\)'; }
boot
wait_for '[[ $(all) = "ready running running running running" ]]'
check "no eth0: online at once" "$(all)" = "ready running running running running"
check "and no helper stays up for it" "$(helpers)" = 0
check_ok "the target says that it has no file" eval "ctl cat network-online.target | grep -q 'it has no file'"
down
conf <<-CONF
	[Network]
	Interface=eth7
CONF
boot
wait_for '[[ $(all) = "ready running running running running" ]]'
check "an interface that is asked for and not there: the same" "$(all)" = "ready running running running running"
down
boot --no-boot
wait_for '[[ $(all) = "ready running running running running" ]]'
check "--no-boot: the same" "$(all)" = "ready running running running running"
down

there ip link add s0 type veth peer name eth0 netns "$client" || skip_all "no veth pairs here"
there ip addr add 198.51.100.1/24 dev s0
there ip link set s0 up
conf <<-CONF
	[Network]
	Address=198.51.100.2/24
CONF
boot
wait_for '[[ $(all) = "ready running running running running" ]]'
check "a fixed address without a gateway: online when it is up" "$(all)" = "ready running running running running"
down
here ip addr flush dev eth0
conf <<-CONF
	[Network]
	Address=198.51.100.2/24
	Gateway=198.51.100.1
CONF
boot
wait_for '[[ $(all) = "ready running running running running" ]]'
check "one with a gateway, too" "$(all)" = "ready running running running running"
down
here ip addr flush dev eth0
rm "$BOX/units/coppice.conf"
here ip addr add 198.51.100.3/24 dev eth0
here ip link set eth0 up
boot
wait_for '[[ $(all) = "ready running running running running" ]]'
check "somebody else has set it up, without a default route: nothing more is to come" "$(all)" = "ready running running running running"
down
here ip addr flush dev eth0
there ip link add s1 type veth peer name eth1 netns "$client"
there ip link set s1 up
here ip addr add 203.0.113.2/24 dev eth1
here ip link set eth1 up
here ip route add default via 203.0.113.1
conf <<-CONF
	[Network]
	WaitOnlineSec=200ms
CONF
boot
wait_for '[[ $(all) = "ready running running running running" ]]'
check "a default route of another interface will do" "$(all)" = "ready running running running running"
down
here ip link set eth1 down

# --- a server that is late -----------------------------------------------------------------------------------

serve() {
	there dnsmasq --keep-in-foreground --port=0 --interface=s0 --bind-interfaces --no-ping \
		--dhcp-range=198.51.100.50,198.51.100.60,255.255.255.0,120 --dhcp-option=option:router,198.51.100.1 \
		--dhcp-authoritative --conf-file=/dev/null --user=root --dhcp-leasefile="$BOX/leases" --log-facility="$BOX/dnsmasq.log" &
	dnsmasq=$!
}
boot
wait_for '[[ $(states free) = running ]]'
check "boot does not wait for ever; who leans on the network does" "$(all)" = "waiting waiting waiting waiting running"
check "the target says what it waits for" "$(status_of network-online.target why)" = \
	"waits for a default route: no interface has one yet; see [Network] in coppice.conf"
check "and those that lean on it, that they wait for it" "$(status_of needs why) / $(status_of later waiting_on)" = \
	"waits for network-online.target, which is itself waiting / network-online.target"
idle 500
check "and it stays so" "$(all)" = "waiting waiting waiting waiting running"
if command -v dnsmasq >/dev/null; then
	serve
	wait_for '[[ $(all) = "ready running running running running" ]]' 30
	check "a lease with a default route: all start" "$(all)" = "ready running running running running"
	before=$(status_of needs pid)
	there ip link set s0 down
	wait_for '[[ $(states network-online.target bound) = "waiting waiting" ]]'
	check "the link goes: who is bound to it stops, the others are left alone" "$(all)/$(status_of needs pid)" = \
		"waiting waiting running running running/$before"
	ctl kill -s KILL later
	wait_for '[[ $(states later) = failed ]]'
	ctl start later &
	wait_for '[[ $(states later) = waiting ]]'
	check "and who starts now waits" "$(states later)" = waiting
	there ip link set s0 up
	wait_for '[[ $(all) = "ready running running running running" ]]' 30
	check "it comes back: all are up again" "$(all)" = "ready running running running running"
	wait $!
else
	skip "a lease with a default route: all start" "no dnsmasq here; install dnsmasq-base"
fi
down
check "a clean stop" "$STATUS" = 0
done_testing
