#!/usr/bin/env bash
# stop.sh - the end: how long it may take, who is waited for, and which status the container leaves behind.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

trace() { cat "$BOX/root/trace" 2>/dev/null; }
afresh() { rm -rf "$BOX"/units/* "$BOX/root/trace"; }
# took COMMAND...: its milliseconds, in $TOOK.
took() {
	local start=${EPOCHREALTIME/./}
	"$@"
	TOOK=$(((${EPOCHREALTIME/./} - start) / 1000))
}
stubborn='ExecStart=/bin/sh -c '\''trap "" TERM; : >/run/up.%p; exec sleep inf'\'
# serve NAME COMMAND: runs the command when it is told to stop.
script serve <<-'EOF'
	sleep inf &
	# What is forked but not executed yet would not hear a SIGTERM.
	until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done
	trap "$2; exit 0" TERM
	: >/run/up.$1
	wait $!
EOF
is_up() { [[ -e /proc/$BOX_PID/root/run/up.$1 ]]; }

# --- those that do not want to -------------------------------------------------------------------------------

unit stubborn <<-EOF
	[Service]
	$stubborn
	TimeoutStopSec=1h
EOF
boot
wait_for 'is_up stubborn'
signal_box TERM
wait_for '[[ $(status_of stubborn state) = stopping ]]'
check_fails "a unit that ignores SIGTERM holds the stop up" ended 0.3
check_ok "it still answers" ctl ping
check_status 1 "but starts nothing any more" ctl start stubborn
signal_box TERM
check_ok "a second signal: SIGKILL now" ended 2
check "with status 0" "$STATUS" = 0
check_ok "it is told" grep -q 'asked again to stop' "$BOX/console"

# The budget is for all four, one after the other: each has its share, so that the last one is asked, too.
conf <<-'EOF'
	[Manager]
	ShutdownTimeoutSec=1s
EOF
unit keeper <<-'EOF'
	[Service]
	ExecStart=/bin/serve keeper "echo keeper stopped >>/trace"
EOF
unit stubborn <<-EOF
	[Unit]
	Requires=keeper.service
	[Service]
	$stubborn
	TimeoutStopSec=1h
EOF
unit higher <<-EOF
	[Unit]
	Requires=stubborn.service
	[Service]
	$stubborn
EOF
unit highest <<-EOF
	[Unit]
	Requires=higher.service
	[Service]
	$stubborn
EOF
boot
wait_for 'is_up keeper && is_up stubborn && is_up higher && is_up highest'
took down
check "ShutdownTimeoutSec= is the budget of all together" "$STATUS $((TOOK <= 1300 * ${BOX_PATIENCE:-1})) $((TOOK >= 300))" = "0 1 1"
check "who stands at the bottom is still asked to stop, not killed" "$(trace)" = "keeper stopped"

afresh
unit slow <<-'EOF'
	[Service]
	ExecStart=/bin/serve slow "sleep 0.4; echo wrote it >>/trace"
EOF
unit daemons <<-'EOF'
	[Service]
	Type=oneshot
	RemainAfterExit=yes
	KillMode=process
	ExecStart=/bin/leave
EOF
script leave <<-'EOF'
	setsid serve stranger "sleep 0.3; echo stranger gone >>/trace" &
	setsid sh -c 'trap "" TERM; : >/run/up.deaf; while :; do sleep 0.2; done' &
EOF
# Who is deaf gets half of what is left of it.
conf <<-'EOF'
	[Manager]
	ShutdownTimeoutSec=3s
EOF
boot
wait_for 'is_up slow && is_up stranger && is_up deaf'
(in_box serve guest "echo guest gone >>/trace") 2>/dev/null &
wait_for 'is_up guest'
check "a daemon that left its parent is PID 1's child" "$(in_box ps -o ppid,args | grep -c '^ *1 .*stranger')" = 1
took down
check "each that is asked to stop is waited for" "$(trace | grep -c 'wrote it') $STATUS" = "1 0"
check "strangers hear SIGTERM, too, and are waited for" "$(trace | grep -c 'stranger gone')" = 1
check "so does a process that came in from outside" "$(trace | grep -c 'guest gone')" = 1
check_ok "but units went first" eval '[[ $(trace | head -n 1) = "wrote it" ]]'

# --- the status of one --------------------------------------------------------------------------------------

# status_after COMMAND-LINE: of a container with one critical unit.
status_after() {
	afresh
	{
		echo '[Service]'
		echo 'Critical=yes'
		echo "ExecStart=$1"
	} | unit app
	unit other <<-'EOF'
		[Service]
		ExecStart=/bin/sleep inf
	EOF
	boot_bg
	ended || failed "the container ends with its critical unit: $1"
	echo "$STATUS" >"$BOX/status"
}
ends_with() {
	status_after "$2"
	check "$3" "$STATUS" = "$1"
}
ends_with 0 "/bin/true" "a critical unit that ends well ends the container with 0"
ends_with 1 "/bin/false" "its exit code is the container's: 1"
ends_with 42 "/bin/sh -c 'exit 42'" "42"
ends_with 255 "/bin/sh -c 'exit 255'" "255"
ends_with 137 "/bin/sh -c 'kill -KILL \$\$\$\$'" "killed by SIGKILL: 137"
ends_with 139 "/bin/sh -c 'kill -SEGV \$\$\$\$'" "killed by SIGSEGV: 139"
ends_with 143 "/bin/sh -c 'kill -TERM \$\$\$\$'" "killed by SIGTERM: 143"
ends_with 127 "/bin/absent" "a program that is not there: 127"
: >"$BOX/root/bin/data"
ends_with 126 "/bin/data" "one that cannot be executed: 126"
afresh
unit app <<-'EOF'
	[Service]
	Critical=yes
	User=absent
	ExecStart=/bin/sleep inf
EOF
boot_bg
ended
check "a step of its setup that fails: systemd's number, 217 for its user" "$STATUS" = 217

# --- the status of many -------------------------------------------------------------------------------------

policy() {
	afresh
	conf <<-EOF
		[Manager]
		ExitPolicy=$1
	EOF
	unit works <<-'EOF'
		[Service]
		ExecStart=/bin/sh -c 'until [ -e /go ]; do sleep 0.02; done'
	EOF
	unit fails <<-'EOF'
		[Service]
		ExecStart=/bin/sh -c 'until [ -e /go ]; do sleep 0.02; done; sleep 0.2; exit 9'
	EOF
	[[ ${2:-} != stays ]] || unit stays <<-'EOF'
		[Service]
		ExecStart=/bin/sleep inf
	EOF
	rm -f "$BOX/root/go"
	boot
	touch "$BOX/root/go"
}
policy any stays
check_ok "ExitPolicy=any: the first that ends ends the container" ended 5
check "with its status" "$STATUS" = 0
policy any-failure stays
check_ok "ExitPolicy=any-failure: the first that fails" ended 5
check "with its status" "$STATUS" = 9
policy all
check_ok "ExitPolicy=all: when all have ended" ended 5
check "with the status of the one that failed" "$STATUS" = 9
policy all stays
wait_for '[[ $(states works fails) = "done failed" ]]'
check_fails "but not while one runs" ended 0.2
ctl kill stays
check_ok "and then it does" ended 5
policy never
wait_for '[[ $(states works fails) = "done failed" ]]'
check_fails "ExitPolicy=never: it stays, with nothing to do" ended 0.2
check_ok "exit with a code of one's own" ctl exit 5
check_ok "ends it" ended 5
check "with that code" "$STATUS" = 5

# --- not PID 1 -----------------------------------------------------------------------------------------------

afresh
unit bystander <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
EOF
mkdir -p "$BOX/root/alt"
cat >"$BOX/root/alt/web.service" <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'setsid sleep 3333 & exec serve alt "echo web stopped >>/trace"'
EOF
cat >"$BOX/root/alt/keen.service" <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c '[ -S "$NOTIFY_SOCKET" ] && echo found >/keen; exec sleep inf'
	NotifyAccess=main
EOF
boot
in_box /usr/bin/coppice init --no-boot --units /alt --runtime /run/alt >"$BOX/alt.console" 2>&1 &
inner=$!
wait_for 'in_box coppice ping --socket /run/alt/control.sock && is_up alt'
check_ok "init that is not PID 1 says that it is a subreaper" grep -q 'not PID 1 .*subreaper' "$BOX/alt.console"
wait_for '[[ -e $BOX/root/keen ]]'
passed "a unit that may speak to it finds its socket, however early it starts"
pid=$(in_box coppice rpc status --socket /run/alt/control.sock | "$box_python" -c 'import json, sys; print(json.load(sys.stdin)["manager"]["pid"])')
in_box coppice kill --socket /run/alt/control.sock -s KILL web
wait_for '[[ $(in_box ps -o ppid,args | grep "sleep 3333" | xargs) = "$pid sleep 3333" ]]'
passed "what loses its parent comes to it, not to PID 1"
rm -f "/proc/$BOX_PID/root/run/up.alt"
in_box coppice start --socket /run/alt/control.sock web
wait_for 'is_up alt'
rm -f "/proc/$BOX_PID/root/run/up.alt"
in_box coppice restart --socket /run/alt/control.sock web
wait_for 'is_up alt'
rm -f "$BOX/root/trace"
in_box kill -TERM "$pid"
status=0
wait $inner || status=$?
check "it stops in order, with status 0" "$status $(trace)" = "0 web stopped"
check "takes along what came to it" "$(in_box ps -o args | grep -c '^sleep 3333')" = 0
check "and leaves the others alone" "$(status_of bystander state)" = running
down
check "as PID 1 finds, which stops, too" "$STATUS" = 0
done_testing
