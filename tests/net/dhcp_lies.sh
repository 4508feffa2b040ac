#!/usr/bin/env bash
# dhcp_lies.sh - the DHCP client and a server that lies: malformed, misdirected, absurd, hostile, flooding, silent.
# A kernel that refuses (N-18) is in tests/unit/net_apply.c.
# TIMEOUT 150
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2034,SC2317
BOX_EMPTY=yes
. "${0%/*}/../lib/box.sh"
# shellcheck source=tests/lib/dhcp_lab.sh
. "${0%/*}/../lib/dhcp_lab.sh"
[[ -x $box_python ]] || command -v "$box_python" >/dev/null || skip_all "no python3 here, in which the liar is written"

# liar NAME: the server of that lie, which hears all.
liar() {
	server "$box_python" "$box_top/tests/net/dhcp_liar.py" "$1" "$LAB/heard"
	soon 'grep -q READY "$LAB/heard"'
}
heard() { lines_of " $1" "$LAB/heard"; }
# Milliseconds between the first lines of two kinds, or of the n-th.
when() { grep " $1 " "$LAB/heard" | sed -n "${2:-1}s/ .*//p"; }
truthful() { expect "the truth is taken: .50" '[[ $(address) == 198.51.100.50/24 ]]'; }
never_66() { expect_not "and no lie is: .66 nowhere" 'grep -q 198.51.100.66/ "$LAB/log" || has_address 198.51.100.66'; }
# CPU time of a process in hundredths of a second, all of it.
cpu_of() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

malformed() { # N-01
	liar malformed
	client
	truthful
	never_66
	expect "the client is the one that began" '[[ $(lines_of . "$LAB/news") -le 2 ]] && kill -0 "$CLIENT_PID"' 0
	expect "what was ignored was counted" 'grep -q "packets were ignored: .*malformed options" "$LAB/log"' 0
	expect "options that are not sound count as absent" '! grep -q ^search "$LAB/etc/resolv.conf" && [[ $(mtu) == 1500 ]]' 0
	leave
	expect "a clean end" '[[ $STATUS == 0 ]]' 0
}

shell_words() { # N-02, N-03
	local before
	before=$(nsenter --uts="/proc/$CLIENT/ns/uts" hostname)
	liar shell
	client UseHostname=yes
	truthful
	expect "resolv.conf holds what is clean, and not one line more" '[[ $(sed 1d "$LAB/etc/resolv.conf") == "search good.example
nameserver 198.51.100.1" ]]' 2
	expect "the host name is as it was" '[[ $(nsenter --uts="/proc/$CLIENT/ns/uts" hostname) == "$before" ]]' 0
	expect_not "nothing was run" '[[ -e /tmp/x ]]'
	leave
}

misdirected() { # N-04
	liar misdirected
	client
	truthful
	never_66
	expect "what was ignored was counted, by its kind" 'grep "packets were ignored" "$LAB/log" |
		grep "not meant for us" | grep -q "a wrong UDP checksum"' 0
	leave
}

nak_storm() { # N-06
	liar nak_storm
	client
	sleep 12
	expect "twelve seconds of NAK after NAK: three DISCOVERs at most" '[[ $(heard DISCOVER) -ge 2 && $(heard DISCOVER) -le 3 &&
		$(heard REQUEST) -le 3 ]]' 0
	expect "and no more than three lines in the log" '[[ $(lines_of . "$LAB/log") -le 4 ]]' 0
	leave
}

flooded() { # N-06
	local cpu
	liar flood
	client
	expect "the flood begins" '[[ $(heard REQUEST) -ge 1 ]]'
	cpu=$(cpu_of "$(dhcp_pid)")
	expect "three seconds of offers, as many as go" 'grep -q FLOODED "$LAB/heard"' 10
	cpu=$(($(cpu_of "$(dhcp_pid)") - cpu))
	expect "take little time of the client: $cpu of 300 hundredths" "((cpu <= 8))" 0
	expect "and none of the applier" '(($(cpu_of "$(applier_pid)") <= 10))' 0
	expect "and it asked no more often for that" '[[ $(heard DISCOVER) -le 2 && $(heard REQUEST) -le 2 ]]' 0
	truthful
	leave
}

no_time() { # N-07
	liar no_time
	client
	sleep 9
	expect "leases of no time and of a second are not taken" '[[ ! $(address) ]] && grep -q "its lease is too short" "$LAB/log"' 0
	expect "nor asked for again and again" '[[ $(heard DISCOVER) -le 3 && $(heard REQUEST) == 0 ]]' 0
	leave
}

for_ever() { # N-07
	liar for_ever
	client
	truthful
	expect "for ever is for ever" 'in_client ip -o -4 addr show dev c0 | grep -q "valid_lft forever"' 0
	sleep 6
	expect "and is not renewed after a second" '[[ $(heard REQUEST) == 1 ]]' 0
	leave
	expect "but given back" '[[ ! $(address) ]]' 1
}

out_of_order() { # N-07
	liar order
	client
	truthful
	sleep 14
	expect "a renewal goes to its server alone" '[[ $(grep " REQUEST " "$LAB/heard" | tail -n 1) == *"has 198.51.100.50 to 198.51.100.1" ]]' 0
	expect "whose answer is not said to be unreachable" '[[ $(heard ICMP) == 0 ]]' 0
	expect "T1 > T2 > lease: renewed at half of it" '(($(when REQUEST 2) - $(when REQUEST) >= 11000 &&
		$(when REQUEST 2) - $(when REQUEST) <= 12100))' 0
	leave
}

routes_taken_aside() { # N-08
	in_client ip link set c0 up
	in_client ip addr add 192.0.2.9/24 dev lo
	in_client ip route add 10.9.0.0/16 dev lo metric 3
	in_client ip route add 192.0.2.0/24 dev lo metric 5
	liar routes
	client RouteMetric=3
	truthful
	expect "no half of the world, no loopback, no gateway outside" '! routes | grep -qE "^(0.0.0.0/1|128.0.0.0/1|127|224|10.10|default)"' 1
	expect "a route that was there stays" 'routes | grep -q "^10.9.0.0/16 dev lo .*metric 3" &&
		grep -q "there is a route already, and it stays" "$LAB/log"' 1
	expect "at most 32 of many" '[[ $(routes | grep -c "proto dhcp") -le 32 && $(routes | grep -c "proto dhcp") -ge 20 ]]' 1
	leave
	expect "what was not ours is still there, what was is not" 'routes | grep -q "^10.9.0.0/16 dev lo" && ! routes | grep -q "proto dhcp"' 1
}

forced() { # N-09
	liar forced
	client
	truthful
	sleep 3
	expect "FORCERENEW moves nobody" '[[ $(heard REQUEST) == 1 ]]' 0
	leave
}

absurd() { # N-10
	liar absurd
	client
	truthful
	never_66
	expect "of four gateways, the one on the link" 'routes | grep -q "^default via 198.51.100.1 dev"' 1
	expect "why the others were not taken is said once" '[[ $(grep -c "is not taken" "$LAB/log") -ge 1 &&
		$(grep -c "is not taken" "$LAB/log") -le 3 ]]' 0
	leave
}

mtus() { # N-11
	liar small_mtu
	client
	truthful
	expect "an MTU of 1 is 576" '[[ $(mtu) == 576 ]]' 1
	leave
	expect "and what it was, afterwards" '[[ $(mtu) == 1500 ]]' 1
	stop_server
	liar large_mtu
	client
	truthful
	expect "an MTU of 65535 is none" '[[ $(mtu) == 1500 ]]' 0
	leave
}

taken() { # N-12
	liar "$1"
	client
	expect "the conflict is seen" 'grep -q "is used by somebody else" "$LAB/log"' 8
	expect "and declined" '[[ $(heard DECLINE) == 1 ]]' 1
	expect "the address is not there, or no more" '! has_address 198.51.100.50' 1
	expect "then another" '[[ $(address) == 198.51.100.51/24 ]]' 20
	expect "after ten seconds, not sooner" 'awk "/DECLINE/ { at = \$1 } /DISCOVER/ && at { exit !(\$1 - at >= 9700 &&
		\$1 - at <= 16000) }" "$LAB/heard"' 0
	leave
}
taken_at_once() {
	taken taken
	expect_not "it was never used" 'grep -q "198.51.100.50/24 is ours" "$LAB/log"'
}
taken_slowly() { taken taken_late; }

flapping() { # N-13
	local i
	liar short
	client
	truthful
	for i in {1..20}; do
		on_server ip link set s0 down
		on_server ip link set s0 up
	done
	expect "a link that flaps keeps its address" '[[ $(address) == 198.51.100.50/24 ]]' 1
	expect "and is asked for a few times, not twenty" '[[ $(heard REQUEST) -le 6 && $(heard DISCOVER) -le 4 ]]' 0
	expect "and has its default route" 'routes | grep -q ^default' 10
	on_server ip link set s0 down
	expect "down for longer than the lease: it goes all the same" '[[ ! $(address) ]]' 10
	on_server ip link set s0 up
	truthful
	for i in {1..10}; do
		in_client ip link set c0 down
		in_client ip link set c0 up
	done
	expect "set down and up by hand: address and routes are back" '[[ $(address) == 198.51.100.50/24 ]] && routes | grep -q ^default' 15
	leave
}

another_clock() { # N-14
	unshare --time --boottime 1000000 true 2>/dev/null || {
		printf 'skip\t%s\t%s\n' "$play: all of it" "no time namespaces here" >>"$LAB/judged"
		return
	}
	LAB_WRAP=(unshare --time --boottime 1000000 --)
	liar short
	client
	truthful
	expect "renewed by a clock that is a million seconds ahead" '[[ $(heard REQUEST) -ge 3 ]]' 10
	expect "at its times" '(($(when REQUEST 3) - $(when REQUEST 2) >= 2500 && $(when REQUEST 3) - $(when REQUEST 2) <= 3200))' 0
	kill -s TERM "$(applier_pid)" 2>/dev/null
	leave
}

walled_in() { # N-15
	local client_pid applier_pid
	liar nothing
	client
	truthful
	client_pid=$(dhcp_pid) applier_pid=$(applier_pid)
	expect "the client is nobody" 'awk "/^Uid|^Gid/ { if (\$2 != 65534 || \$3 != 65534 ||
		\$4 != 65534) exit 1 }" "/proc/$client_pid/status"' 0
	expect "it has no capabilities, and cannot get any" '[[ $(grep -c "^Cap.*0000000000000000$" "/proc/$client_pid/status") == 5 ]] &&
		grep -q "^NoNewPrivs:.1" "/proc/$client_pid/status"' 0
	expect "its system calls are listed" 'grep -q "^Seccomp:.2" "/proc/$client_pid/status"' 0
	expect "its root is empty, and gone" '[[ ! $(ls -A "/proc/$client_pid/root/") && $(readlink "/proc/$client_pid/root") == *deleted* ]]' 0
	expect "of descriptors it has its log, sockets and a timer" \
		'[[ $(readlink /proc/$client_pid/fd/* | grep -cvE "socket:|timerfd|$LAB|/dev/null") == 0 ]]' 0
	expect "one of them is a packet socket" '[[ $(on_packets | wc -l) == 1 ]]' 0
	expect "the applier has CAP_NET_ADMIN alone" 'grep -q "^CapEff:.0000000000001000" "/proc/$applier_pid/status" &&
		grep -q "^CapBnd:.0000000000000000" "/proc/$applier_pid/status" && grep -q "^Seccomp:.2" "/proc/$applier_pid/status"' 0
	expect "both are small: $(pss_of "$client_pid") and $(pss_of "$applier_pid") KiB PSS" \
		'[[ $(pss_of "$client_pid") -le 200 && $(pss_of "$applier_pid") -le 200 ]]' 0
	expect "while bound nothing wakes it" 'idle_for_a_second "$client_pid"' 12
	leave
}
pss_of() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"; }
on_packets() { in_client ss -Hln0; }
idle_for_a_second() {
	local before after
	before=$(awk '/^voluntary/ { print $2 }' "/proc/$1/status")
	on_server "$box_python" -c '
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("s0", 0))
bootp = b"\2\1\6" + bytes(233) + b"\x63\x82\x53\x63\x35\1\2\xff"
udp = struct.pack("!HHHH", 67, 68, 8 + len(bootp), 0) + bootp
ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + bytes(8)
arp = struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + bytes(20)
for i in range(200):
    s.send(b"\xff" * 6 + b"\2\0\0\0\0\7" + b"\x08\0" + ip + udp)
    s.send(b"\xff" * 6 + b"\2\0\0\0\0\7" + b"\x08\6" + arp)'
	sleep 1
	after=$(awk '/^voluntary/ { print $2 }' "/proc/$1/status")
	((after == before))
}

silence() { # N-16
	liar silence
	client
	expect "PID 1 is told at once that there is nothing" '[[ $(tail -n 1 "$LAB/news") == down ]]' 1
	sleep 16
	expect "asked thrice in sixteen seconds, as the RFC lets us" '[[ $(heard DISCOVER) == 3 ]]' 0
	leave
	expect "a clean end" '[[ $STATUS == 0 ]]' 0
}

from_the_beginning() {
	local before ours
	before=$(heard DISCOVER) ours=$(lines_of "is ours" "$LAB/log")
	client
	expect "$1: from the beginning" '[[ $(heard DISCOVER) -gt '"$before"' && $(lines_of "is ours" "$LAB/log") -gt '"$ours"' ]]'
	truthful
}

spoilt_lease() { # N-17
	liar nothing
	client
	truthful
	leave USR1
	"$box_python" - "$LAB/state/lease-c0" <<-'PY'
		import sys
		data = bytearray(open(sys.argv[1], "rb").read())
		data[len(data) // 2] ^= 4
		open(sys.argv[1], "wb").write(data)
	PY
	from_the_beginning "a spoilt lease is none"
	leave USR1
	: >"$LAB/state/lease-c0"
	from_the_beginning "nor is an empty one"
	leave USR1
	rm -f "$LAB/state/lease-c0"
	mkdir "$LAB/state/lease-c0"
	from_the_beginning "nor a directory"
	leave
}

meddlers() { # N-19
	local i
	liar short
	client
	truthful
	in_client ip addr add 203.0.113.7/24 dev c0
	in_client ip route add 192.0.2.0/24 via 198.51.100.1
	in_client ip route add default via 198.51.100.9 metric 5
	for i in {1..30}; do
		in_client ip addr del 198.51.100.50/24 dev c0 2>/dev/null
		sleep 0.02
	done
	expect "deleted by others: back with the next renewal" 'has_address 198.51.100.50' 6
	expect "routes, too" 'routes | grep -q "^default via 198.51.100.1 dev c0 proto dhcp"' 6
	in_client ip route del default via 198.51.100.1
	expect "a route deleted: back as well" 'routes | grep -q "^default via 198.51.100.1 dev c0 proto dhcp"' 6
	stop_server
	expect "the lease over, ours goes" '! has_address 198.51.100.50 && ! routes | grep -q "proto dhcp"' 12
	expect "theirs stays" 'has_address 203.0.113.7' 0
	leave
}

for p in malformed shell_words misdirected nak_storm no_time for_ever out_of_order routes_taken_aside forced absurd mtus \
	taken_at_once taken_slowly flapping another_clock walled_in silence spoilt_lease meddlers; do
	play "$p"
done
# The flood would be everybody's.
play_all
plays=(flooded)
play flooded
plays=(flooded)
play_all
done_testing
