#!/usr/bin/env bash
# upward.sh - who started the container is told by NOTIFY_SOCKET how it is; nobody else is, and nothing waits for it.
# shellcheck source=tests/lib/box.sh disable=SC2016
. "${0%/*}/../lib/box.sh"

notified=$box_top/tests/box/notified.py
socket=$BOX/root/notify heard=$BOX/heard
listener='' apart=''
at_exit() { kill -s KILL ${apart:+"$apart"} ${listener:+"$listener"} 2>/dev/null; }
# listens [ADDRESS [COMMAND...]]: from now on; what was heard before is forgotten.
listens() {
	if [[ $listener ]]; then
		kill -s KILL "$listener"
		wait "$listener" 2>/dev/null
	fi
	rm -f "$heard"
	"${@:2}" "$box_python" "$notified" "${1:-$socket}" "$heard" &
	listener=$!
	wait_for 'grep -q LISTENING "$heard"'
}
# How many lines match; the number of the first one.
count() { grep -c -- "$1" "$heard"; }
first() { grep -n -m 1 -- "$1" "$heard" | cut -d: -f1; }
upward() { boot NOTIFY_SOCKET=/notify "$@"; }

script prepare <<-'EOF'
	echo "prelaunch sees <$NOTIFY_SOCKET>"
EOF
conf <<-'EOF'
	[Boot]
	PreLaunch=/bin/prepare
EOF
unit web <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'echo "web sees <$$NOTIFY_SOCKET>"; exec sleep inf'
	PassEnvironment=NOTIFY_SOCKET WATCHDOG_USEC
	HealthFile=/run/gate
	HealthInterval=50ms
	HealthStartupInterval=20ms
EOF
unit other <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
EOF

# --- a life --------------------------------------------------------------------------------------------------

listens
upward
wait_for '(($(count "STATUS=starting: 1 of 2 units up")))'
check "not ready before all are" "$(count READY=1)" = 0
in_box touch /run/gate
wait_for '(($(count READY=1)))'
check "ready, and how" "$(grep READY=1 "$heard")" = "READY=1|STATUS=running: 2 of 2 units up"
check_ok "which is what wait says" ctl wait --timeout=1
check "units do not inherit the socket, however they ask" "$(grep -c 'web sees <>' "$BOX/console") $(grep -c 'prelaunch sees <>' "$BOX/console")" = "1 1"
unit web <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
EOF
signal_box HUP
wait_for '(($(count READY=1) == 2))'
check "a reload: RELOADING with its time" "$(grep -cE '^RELOADING=1\|MONOTONIC_USEC=[0-9]+\|STATUS=' "$heard")" = 1
check "then READY" "$(first RELOADING=1)" -lt "$(grep -n READY=1 "$heard" | tail -n 1 | cut -d: -f1)"
ctl restart web
ctl kill -s KILL other
wait_for '(($(count "STATUS=degraded: 1 of 2 units up, 1 failed")))'
check "a unit that fails changes the status, and nothing else is said" "$(count READY=1) $(count STOPPING=1)" = "2 0"
turns() { awk '/ctxt/ { n += $2 } END { print n }' "/proc/$BOX_PID/status"; }
before=$(turns)
idle 1500
check "at rest nobody is woken for it" "$(($(turns) - before))" = 0
from=$(($(wc -l <"$heard") + 1)) start=${EPOCHREALTIME/./}
for _ in {1..15}; do
	ctl start other
	ctl kill -s KILL other
	wait_for '[[ $(states other) = failed ]]'
done
spent=$(((${EPOCHREALTIME/./} - start) / 1000000))
check "a status that changes all the time is told once a second" "$(tail -n "+$from" "$heard" | grep -c STATUS=)" -le $((spent + 2))
down
wait_for '(($(count EXIT_STATUS)))'
check "the end: STOPPING, at last EXIT_STATUS=0" "$(count STOPPING=1) $(tail -n 1 "$heard")" = "1 EXIT_STATUS=0"

# --- ends ----------------------------------------------------------------------------------------------------

unit other <<-'EOF'
	[Service]
	Critical=yes
	ExecStart=/bin/sh -c 'until [ -e /run/go ]; do usleep 10000; done; exit 7'
EOF
listens
upward
wait_for '(($(count READY=1)))'
in_box touch /run/go
ended
wait_for '(($(count EXIT_STATUS)))'
check "a critical unit's status is told" "$STATUS $(tail -n 1 "$heard")" = "7 EXIT_STATUS=7"
listens
upward
wait_for '(($(count READY=1)))'
down 48
wait_for '(($(count EXIT_STATUS)))'
check "an end at once, too" "$(tail -n 1 "$heard")" = "STOPPING=1|EXIT_STATUS=0"
rm "$BOX/units/other.service"

# --- sockets -------------------------------------------------------------------------------------------------

listens
kill -s STOP "$listener"
"$box_python" "$notified" "$socket" --fill
upward
check_ok "a listener that is stuck holds up nothing" ctl wait --timeout=5
kill -s CONT "$listener"
wait_for '(($(count READY=1)))'
check "it is told when it listens again" "$(count READY=1)" = 1
listens
ctl stop web
wait_for '(($(count STATUS=)))'
check "one that was started anew is found again" "$(count STATUS=)" -ge 1
down
unshare --net sleep 1000 &
apart=$!
wait_for '[[ $(readlink "/proc/$apart/ns/net") != "$(readlink /proc/self/ns/net)" ]]'
listens @coppice-outer nsenter "--net=/proc/$apart/ns/net"
BOX_NET=/proc/$apart/ns/net boot NOTIFY_SOCKET=@coppice-outer
wait_for '(($(count READY=1)))'
check "an abstract socket" "$(count READY=1)" = 1
down
for bad in nonsense vsock:2:1234 /missing; do
	boot "NOTIFY_SOCKET=$bad"
	check_ok "NOTIFY_SOCKET=$bad: boots" ctl wait --timeout=5
	down
	check "and that is told once" "$(grep -c NOTIFY_SOCKET "$BOX/console")" = 1
done

# --- its watchdog --------------------------------------------------------------------------------------------

listens
upward WATCHDOG_USEC=200000 WATCHDOG_PID=1
wait_for '(($(count WATCHDOG=1) >= 5))' 3
check "a watchdog of ours is patted twice in its time" "$(count WATCHDOG=1)" -ge 5
down
listens
upward WATCHDOG_USEC=200000 WATCHDOG_PID=4711
wait_for '(($(count READY=1)))'
idle 500
check "one of somebody else's is not" "$(count WATCHDOG=1)" = 0
down
done_testing
