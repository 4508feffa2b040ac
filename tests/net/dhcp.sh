#!/usr/bin/env bash
# dhcp.sh - the DHCP client against real servers: dnsmasq, udhcpd, ISC dhcpd and Kea, in namespaces, all at once.
# TIMEOUT 150
#
# Leases last 20 s; dnsmasq grants nothing below 120 s, so it is made to send T1 = 15 s and T2 = 25 s.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2034,SC2317
BOX_EMPTY=yes
. "${0%/*}/../lib/box.sh"
# shellcheck source=tests/lib/dhcp_lab.sh
. "${0%/*}/../lib/dhcp_lab.sh"

# --- servers: each says where its lease ends, and gives 198.51.100.50-60, routes by option 121, an MTU of 1280 ---

isc_conf() {
	cat >"$LAB/isc.conf" <<-CONF
		authoritative; ping-check off; ddns-update-style none;
		default-lease-time 20; max-lease-time 20; min-lease-time 20;
		option rfc3442 code 121 = array of integer 8;
		subnet ${1:-198.51.100}.0 netmask 255.255.255.0 {
			range ${1:-198.51.100}.50 ${1:-198.51.100}.60;
			option routers ${1:-198.51.100}.1; option domain-name-servers ${1:-198.51.100}.1;
			option domain-name "example.org"; option domain-search "a.example.org", "b.example.org";
			option interface-mtu 1280; option host-name "granted";
			option rfc3442 24,203,0,113,198,51,100,1, 0,198,51,100,1;
		}
	CONF
	: >>"$LAB/isc.leases"
}
isc() {
	isc_conf "$@"
	server dhcpd -f -d -4 -cf "$LAB/isc.conf" -lf "$LAB/isc.leases" --no-pid -user root -group root s0
}

kea() {
	local prefix=${1:-198.51.100}
	cat >"$LAB/kea.json" <<-CONF
		{"Dhcp4": {"interfaces-config": {"interfaces": ["s0"], "dhcp-socket-type": "raw"}, "authoritative": true,
		"lease-database": {"type": "memfile", "persist": false}, "valid-lifetime": 20, "calculate-tee-times": true,
		"option-def": [{"name": "rfc3442", "code": 121, "space": "dhcp4", "type": "binary"}],
		"subnet4": [{"subnet": "$prefix.0/24", "pools": [{"pool": "$prefix.50-$prefix.60"}], "option-data": [
			{"name": "routers", "data": "$prefix.1"}, {"name": "interface-mtu", "data": "1280"},
			{"name": "domain-name-servers", "data": "$prefix.1"}, {"name": "domain-name", "data": "example.org"},
			{"name": "domain-search", "data": "a.example.org, b.example.org"},
			{"name": "rfc3442", "csv-format": false, "data": "18CB0071C633640100C6336401"}]}],
		"loggers": [{"name": "kea-dhcp4", "output_options": [{"output": "stdout"}], "severity": "INFO"}]}}
	CONF
	server env KEA_PIDFILE_DIR="$LAB" KEA_LOCKFILE_DIR="$LAB" kea-dhcp4 -c "$LAB/kea.json"
}

udhcpd() {
	cat >"$LAB/udhcpd.conf" <<-CONF
		start 198.51.100.50
		end 198.51.100.60
		interface s0
		max_leases 5
		lease_file $LAB/udhcpd.leases
		pidfile $LAB/udhcpd.pid
		min_lease 5
		auto_time 1
		opt subnet 255.255.255.0
		opt router 198.51.100.1
		opt dns 198.51.100.1
		opt domain example.org
		opt search a.example.org b.example.org
		opt mtu 1280
		opt lease 20
		opt staticroutes 203.0.113.0/24 198.51.100.1, 0.0.0.0/0 198.51.100.1
	CONF
	: >>"$LAB/udhcpd.leases"
	server busybox udhcpd -f "$LAB/udhcpd.conf"
}

dnsmasq_plain() {
	server dnsmasq -k --port=0 --interface=s0 --bind-interfaces --no-ping --conf-file=/dev/null --user=root \
		--dhcp-leasefile="$LAB/dnsmasq.leases" --log-facility=- --log-dhcp --dhcp-authoritative "$@"
}
dnsmasq_full() {
	dnsmasq_plain --dhcp-range=198.51.100.50,198.51.100.60,255.255.255.0,120 --dhcp-option=26,1280 --dhcp-option=6,198.51.100.1 \
		--dhcp-option=15,example.org --dhcp-option=119,a.example.org,b.example.org \
		--dhcp-option=121,203.0.113.0/24,198.51.100.1,0.0.0.0/0,198.51.100.1 --dhcp-option-force=58,15 "$@"
}

# --- what every server's client goes through ------------------------------------------------------------------

# The second server in a play has said that it is ready, each in its words.
ready_to_serve() { soon '[[ $(lines_of "Server starting service\|DHCP4_STARTED\|sockets bound" "$LAB/server") -ge 2 ]]' 15; }

# granted: all that the server says is in the kernel and in resolv.conf.
granted() {
	expect "an address" '[[ $(address) == 198.51.100.5?/24 || $(address) == 198.51.100.60/24 ]]' 15
	expect "option 121: a default route by it" 'routes | grep -q "^default via 198.51.100.1 dev c0 proto dhcp"' 2
	expect "option 121: a route to a network" 'routes | grep -q "^203.0.113.0/24 via 198.51.100.1 dev c0 proto dhcp"' 2
	expect "an MTU of 1280" '[[ $(mtu) == 1280 ]]' 2
	expect "resolv.conf" 'grep -qx "nameserver 198.51.100.1" "$LAB/etc/resolv.conf" &&
		grep -q "^search .*a.example.org b.example.org" "$LAB/etc/resolv.conf"' 2
	expect "PID 1 hears of it" '[[ $(tail -n 1 "$LAB/news") == "up default" ]]' 2
}

# How long the kernel will still keep the address, in seconds.
valid_for() { in_client ip -o -4 addr show dev c0 | sed 's/.*valid_lft \([0-9]*\)sec.*/\1/'; }

# What the kernel says of c0's addresses from now on, with the time in ms before each line.
watch_addresses() {
	lab_start nsenter --net="/proc/$CLIENT/ns/net" ip -o -4 monitor address dev c0 > >(while read -r line; do
		echo "${EPOCHREALTIME/./} $line"
	done >>"$LAB/monitor")
}

# renewed_and_bereaved: three renewals that disturb nothing; then the server dies: the address goes when the lease is over.
renewed_and_bereaved() {
	local last gone
	watch_addresses
	expect "three renewals" '[[ $(lines_of "inet 198" "$LAB/monitor") -ge 3 ]]' 40
	expect_not "that never take the address away" 'grep -q Deleted "$LAB/monitor"'
	stop_server
	expect "its server dead, the address goes" '[[ ! $(address) ]]' 25
	last=$(grep -v Deleted "$LAB/monitor" | tail -n 1)
	gone=$(grep Deleted "$LAB/monitor" | head -n 1)
	expect "after twenty seconds, not later" '[[ $(((${gone%% *} - ${last%% *}) / 100000)) -le 202 &&
		$(((${gone%% *} - ${last%% *}) / 100000)) -ge 195 ]]' 0
	expect "and its routes with it" '[[ ! $(routes) ]]' 1
	expect "and its name server" '! grep -q nameserver "$LAB/etc/resolv.conf"' 1
	expect "and its MTU" '[[ $(mtu) == 1500 ]]' 1
	expect "PID 1 hears of that, too" '[[ $(tail -n 1 "$LAB/news") == down ]]' 1
}

returns() {
	expect "the server returns: an address again" '[[ $(address) == 198.51.100.* ]]' 25
	leave
	expect "a clean end" '[[ $STATUS == 0 ]]' 0
	expect "gives the address back" '[[ ! $(address) && ! $(routes) ]]' 1
	expect_not "nothing was said that is an error" 'grep -qi "error\|refused\|cannot\|could not" "$LAB/log"'
}

isc_server() {
	need dhcpd || return
	isc
	client
	granted
	renewed_and_bereaved
	isc
	returns
	expect "ISC dhcpd hears the release" 'grep -q DHCPRELEASE "$LAB/server"' 2
}

kea_server() {
	need kea-dhcp4 || return
	kea
	client
	granted
	renewed_and_bereaved
	kea
	returns
	expect "Kea hears the release" 'grep -q DHCP4_RELEASE "$LAB/server"' 2
}

udhcpd_server() {
	need busybox || return
	udhcpd
	client
	granted
	renewed_and_bereaved
	udhcpd
	returns
}

# Its lease outlasts the server's absence: the address is never away.
dnsmasq_server() {
	need dnsmasq || return
	dnsmasq_full --dhcp-option-force=59,25
	client UseHostname=no
	granted
	watch_addresses
	expect "two renewals" '[[ $(lines_of "inet 198" "$LAB/monitor") -ge 2 ]]' 40
	stop_server
	expect "its server dead, T1 passes without an answer" '(($(valid_for) < 104))' 30
	dnsmasq_full --dhcp-option-force=59,25
	expect "the server returns, and T2 finds it" '[[ $(lines_of "inet 198" "$LAB/monitor") -ge 3 ]]' 30
	expect_not "without the address having been away" 'grep -q Deleted "$LAB/monitor"'
	leave
	expect "dnsmasq hears the release" 'grep -q DHCPRELEASE "$LAB/server"' 2
}

# --- NAK: the network is another one when the client comes back with its old lease ----------------------------

denied() {
	expect "an address of the first network" '[[ $(address) == 198.51.100.* ]]' 15
	leave USR1
	expect "it stays for the next one" '[[ $STATUS == 0 && $(address) == 198.51.100.* && -s $LAB/state/lease-c0 ]]' 0
	stop_server
	on_server ip addr add 203.0.113.1/24 dev s0
	on_server ip addr del 198.51.100.1/24 dev s0
}
denied_and_granted() {
	ready_to_serve
	client
	expect "the old address is refused" 'grep -q "is not ours, says the server" "$LAB/log"' 15
	expect "and another one taken instead" '[[ $(address) == 203.0.113.* ]]' 15
	expect "with the routes of the new one only" '! routes | grep -q "^default via 198" && routes | grep -q "^203.0.113.0/24"' 2
	leave
}
nak_isc() {
	need dhcpd || return
	isc
	client
	denied
	isc 203.0.113
	denied_and_granted
}
nak_kea() {
	need kea-dhcp4 || return
	kea
	client
	denied
	kea 203.0.113
	denied_and_granted
}
nak_dnsmasq() {
	need dnsmasq || return
	dnsmasq_full
	client
	denied
	rm -f "$LAB/dnsmasq.leases"
	dnsmasq_plain --dhcp-range=203.0.113.50,203.0.113.60,255.255.255.0,120
	denied_and_granted
}

# --- single things -------------------------------------------------------------------------------------------

lone_address() {
	need dnsmasq || return
	dnsmasq_plain --dhcp-range=198.51.100.50,198.51.100.60,255.255.255.0,120 --dhcp-option-force=1,255.255.255.255 --dhcp-option=3,10.0.0.1
	client
	expect "a /32" '[[ $(address) == 198.51.100.5?/32 || $(address) == 198.51.100.60/32 ]]'
	expect "its gateway on the link" 'routes | grep -q "^10.0.0.1 dev c0 proto dhcp scope link"' 2
	expect "and the default route by it" 'routes | grep -q "^default via 10.0.0.1 dev c0 proto dhcp"' 2
	leave
	expect "all of it goes" '[[ ! $(address) && ! $(routes) ]]' 1
}

# Two servers on one wire, each with its own network's idea: the first sound offer is taken, the other logged.
two_servers() {
	need dnsmasq || return
	local second
	lab_start unshare --net sleep 1000
	second=$!
	soon '[[ $(readlink /proc/$second/ns/net) != "$(readlink /proc/self/ns/net)" ]]'
	on_server ip addr del 198.51.100.1/24 dev s0
	on_server ip link add br0 type bridge forward_delay 0
	on_server ip link set s0 master br0
	on_server ip link set br0 up
	on_server ip addr add 198.51.100.1/24 dev br0
	ip link add t0 netns "$SERVER" type veth peer name s0 netns "$second"
	on_server ip link set t0 master br0 up
	nsenter --net="/proc/$second/ns/net" ip addr add 198.51.100.2/24 dev s0
	nsenter --net="/proc/$second/ns/net" ip link set s0 up
	server dnsmasq -k --port=0 --interface=br0 --bind-interfaces --no-ping --conf-file=/dev/null --user=root \
		--dhcp-leasefile="$LAB/l1" --log-facility=- --log-dhcp \
		--dhcp-range=198.51.100.50,198.51.100.60,255.255.255.0,120 --dhcp-option-force=58,15
	lab_start nsenter --net="/proc/$second/ns/net" dnsmasq -k --port=0 --interface=s0 --bind-interfaces --no-ping \
		--conf-file=/dev/null --user=root --dhcp-leasefile="$LAB/l2" --log-facility=- --log-dhcp \
		--dhcp-range=198.51.100.150,198.51.100.160,255.255.255.0,120 --dhcp-option-force=58,15 >"$LAB/server2" 2>&1
	soon 'on_server ss -Hlnu | grep -q :67 && nsenter --net=/proc/$second/ns/net ss -Hlnu | grep -q :67'
	client
	expect "one address, of one of the two" '[[ $(address) == 198.51.100.5?/24 || $(address) == 198.51.100.15?/24 ||
		$(address) == 198.51.100.?60/24 ]]' 10
	expect "the other server's offer is in the log" 'grep -q "is offered too, but another server was first" "$LAB/log"' 3
	expect "one ACK only was sent" '[[ $(cat "$LAB/server" "$LAB/server2" | grep -c "DHCPACK") == 1 ]]' 1
	watch_addresses
	expect "its own server renews it" 'grep -q "inet 198" "$LAB/monitor"' 20
	leave
	expect "its own server hears the release" '[[ $(cat "$LAB/server" "$LAB/server2" | grep -c "DHCPRELEASE") == 1 ]]' 2
}

# Two interfaces: resolv.conf of both, a default route by each, and each leaves with its own.
two_interfaces() {
	need dnsmasq || return
	local other
	ip link add s1 netns "$SERVER" type veth peer name c1 netns "$CLIENT"
	on_server ip addr add 203.0.113.1/24 dev s1
	on_server ip link set s1 up
	dnsmasq_plain --interface=s1 --dhcp-range=198.51.100.50,198.51.100.60,255.255.255.0,120 \
		--dhcp-range=203.0.113.50,203.0.113.60,255.255.255.0,120 \
		--dhcp-option=15,example.org --dhcp-option=6,0.0.0.0
	client
	client_of c1 DNS=9.9.9.9 RouteMetric=50 slot=1 >"$LAB/news1" 2>"$LAB/log1"
	other=$RUN_PID
	expect "an address on each" '[[ $(address) == 198.51.100.* && $(in_client ip -o -4 addr show dev c1) == *203.0.113.* ]]'
	expect "a default route by each, the metric as told" 'routes | grep -q "^default via 203.0.113.1 dev c1 proto dhcp .*metric 50$" &&
		routes | grep -q "^default via 198.51.100.1 dev c0"' 3
	expect "resolv.conf has the name servers of both" '[[ $(grep -c "^nameserver" "$LAB/etc/resolv.conf") == 3 &&
		$(grep -c "^search example.org$" "$LAB/etc/resolv.conf") == 1 ]] && grep -qx "nameserver 9.9.9.9" "$LAB/etc/resolv.conf"' 3
	leave
	expect "one leaves: the other's stays" '[[ $(in_client ip -o -4 addr show dev c1) == *203.0.113.* ]] &&
		grep -q "nameserver 203.0.113.1" "$LAB/etc/resolv.conf" && ! grep -q "nameserver 198" "$LAB/etc/resolv.conf"' 3
	kill -s TERM "$other"
	wait "$other" 2>/dev/null
	expect "both gone: only what coppice.conf says is left" '[[ ! $(routes) &&
		$(grep nameserver "$LAB/etc/resolv.conf") == "nameserver 9.9.9.9" ]]' 0
}

# A first process that dies with its lease, and a second that goes on with it: the address is never away.
taken_up() {
	need dnsmasq || return
	dnsmasq_full
	client
	expect "an address" '[[ $(address) == 198.51.100.* ]]'
	watch_addresses
	sleep 0.2
	kill -s KILL "$(dhcp_pid)"
	expect "the client killed: its applier says so and ends" 'grep -q "the DHCP client is gone" "$LAB/log" && ! kill -0 "$CLIENT_PID"' 5
	STATUS=0
	wait "$CLIENT_PID" || STATUS=$?
	expect "with status 1" '[[ $STATUS == 1 ]]' 0
	client
	expect "the next one confirms the lease" 'grep -q "inet 198" "$LAB/monitor"' 5
	expect_not "and the address was never away" 'grep -q Deleted "$LAB/monitor"'
	expect "INIT-REBOOT, no second DISCOVER" '[[ $(grep -c "DHCPDISCOVER(" "$LAB/server") == 1 &&
		$(grep -c "DHCPREQUEST(" "$LAB/server") == 2 ]]' 1
	leave
}

# Static addresses by the same applier, which needs no client; what others set stays.
by_hand() {
	in_client ip link set c0 up
	in_client ip route add 192.0.2.0/24 dev c0
	client DHCP=no Address=198.51.100.77/24 Address=198.51.100.78/32 Gateway=198.51.100.1 DNS=198.51.100.1 Domains=example.org RouteMetric=7
	expect "both addresses" 'has_address 198.51.100.77/24 && has_address 198.51.100.78/32' 3
	expect "the gateway" 'routes | grep -q "^default via 198.51.100.1 dev c0 proto static metric 7$"' 3
	expect "the name server" 'grep -qx "nameserver 198.51.100.1" "$LAB/etc/resolv.conf" &&
		grep -qx "search example.org" "$LAB/etc/resolv.conf"' 3
	expect "up, with a default route" '[[ $(tail -n 1 "$LAB/news") == "up default" ]]' 3
	expect "no client process" '[[ ! $(dhcp_pid) ]]' 0
	in_client ip link set c0 down
	expect "down, when the link is" '[[ $(tail -n 1 "$LAB/news") == down ]]' 3
	in_client ip link set c0 up
	expect "the gateway is back with the link" 'routes | grep -q "^default via 198.51.100.1"' 3
	leave
	expect "addresses by hand outlive their process" 'has_address 198.51.100.77/24' 0
}

# No interface is nothing to wait for; one that comes later is served.
comes_later() {
	need dnsmasq || return
	in_client ip link set c0 name wait0
	dnsmasq_full
	client
	expect "absent, says PID 1's news" '[[ $(tail -n 1 "$LAB/news") == absent ]]' 3
	in_client ip link set wait0 name c0
	expect "it comes: an address" '[[ $(address) == 198.51.100.* ]]' 10
	in_client ip link set c0 down
	in_client ip link set c0 name gone0
	expect "renamed away: absent" '[[ $(tail -n 1 "$LAB/news") == absent ]]' 3
	in_client ip link set gone0 name c0
	in_client ip link set c0 up
	expect "and back: an address" '[[ $(address) == 198.51.100.* && $(tail -n 1 "$LAB/news") == "up default" ]]' 10
	in_client ip link del c0
	expect "deleted: absent" '[[ $(tail -n 1 "$LAB/news") == absent ]]' 3
	ip link add s0 netns "$SERVER" type veth peer name c0 netns "$CLIENT"
	on_server ip addr add 198.51.100.1/24 dev s0
	on_server ip link set s0 up
	stop_server
	dnsmasq_full
	expect "another card by its name: an address" '[[ $(address) == 198.51.100.* ]]' 15
	leave
}

# A manager that has done it all: nothing is done over it.
already_done() {
	need dnsmasq || return
	dnsmasq_full
	in_client ip addr add 198.51.100.99/24 dev c0
	in_client ip link set c0 up
	in_client ip route add default via 198.51.100.1
	client
	expect "up at once, by somebody else's work" '[[ $(tail -n 1 "$LAB/news") == "up default" ]]' 3
	sleep 1
	expect_not "and nothing is asked of a server" 'grep -q DHCPDISCOVER "$LAB/server"'
	leave
	expect "nor taken away" 'has_address 198.51.100.99/24 && routes | grep -q ^default' 0
}

# Flags of [Network], one by one.
settings() {
	need dnsmasq || return
	dnsmasq_full --dhcp-option-force=12,granted
	client UseRoutes=no UseDNS=no UseMTU=no UseHostname=yes NoPrefixRoute=yes
	expect "an address" '[[ $(address) == 198.51.100.* ]]'
	expect "UseHostname=" '[[ $(nsenter --uts=/proc/$CLIENT/ns/uts hostname) == granted ]]' 3
	expect "UseRoutes=, NoPrefixRoute=: no route at all" '[[ ! $(routes) ]]' 1
	expect "UseMTU=" '[[ $(mtu) == 1500 ]]' 0
	expect "UseDNS=" '! grep -q nameserver "$LAB/etc/resolv.conf"' 0
	expect "not online, for there is no default route" '[[ $(tail -n 1 "$LAB/news") == up ]]' 0
	leave
	client NoPrefixRoute=yes
	expect "NoPrefixRoute= with routes: the gateway is on the link" 'routes | grep -q "^198.51.100.1 dev c0 proto dhcp scope link" &&
		routes | grep -q "^default via 198.51.100.1" && ! routes | grep -q ^198.51.100.0/24' 5
	leave
}

# resolv.conf: somebody else's stays; a mounted one is written in place; a dangling link is replaced.
resolv_conf() {
	need dnsmasq || return
	dnsmasq_full
	echo "nameserver 6.6.6.6" >"$LAB/etc/resolv.conf"
	client
	expect "an address" '[[ $(address) == 198.51.100.* ]]'
	leave
	expect "somebody else's is left alone" '[[ $(<"$LAB/etc/resolv.conf") == "nameserver 6.6.6.6" ]]' 0
	expect "which is said" 'grep -q "was made by somebody else" "$LAB/log"' 0
	: >"$LAB/mounted"
	mount --bind "$LAB/mounted" "$LAB/etc/resolv.conf"
	client
	expect "a mounted one is written in place" 'grep -qx "nameserver 198.51.100.1" "$LAB/mounted"' 5
	leave
	expect "and emptied so" '! grep -q nameserver "$LAB/mounted"' 0
	umount "$LAB/etc/resolv.conf"
	rm -f "$LAB/etc/resolv.conf"
	ln -s nowhere/at/all "$LAB/etc/resolv.conf"
	client
	expect "a link to nowhere is replaced" '[[ ! -L $LAB/etc/resolv.conf ]] && grep -qx "nameserver 198.51.100.1" "$LAB/etc/resolv.conf"' 5
	leave
}

for p in isc_server kea_server udhcpd_server dnsmasq_server; do
	play "$p"
done
# The short ones wait for those to have begun: two processors have to do.
wait_for '[[ -s $BOX/isc_server/judged && -s $BOX/dnsmasq_server/judged ]]'
for p in nak_isc nak_kea nak_dnsmasq lone_address two_servers two_interfaces taken_up by_hand comes_later already_done settings \
	resolv_conf; do
	play "$p"
done
play_all
done_testing
