#!/usr/bin/env bash
# signals.sh - what each signal to PID 1 means, that none is lost, and that no starter's carelessness harms it.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

puppet=$box_top/build/tests/box/puppet
[[ -x $puppet ]] || give_up "there is $puppet" "run make programs first"
trace() { cat "$BOX/root/trace" 2>/dev/null; }

script serve <<-'EOF'
	sleep inf &
	# What is forked but not executed yet would not hear a SIGTERM.
	until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done
	trap 'echo stopped >>/trace; exit 0' TERM
	: >/run/serves
	wait $!
EOF
unit web <<-'EOF'
	[Service]
	ExecStart=/bin/serve
EOF
unit plain <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
EOF

# serving [VAR=VALUE]: boots, and waits until web would hear a SIGTERM.
serving() {
	rm -f "$BOX/root/trace"
	boot "$@"
	wait_for '[[ -e /proc/$BOX_PID/root/run/serves ]]'
}
# means SIG STATUS TRACE TEXT: what follows from a signal. reboot(2), which is for reboots only, shows as 129.
means() {
	down "$1"
	check "$4" "$STATUS/$(trace)" = "$2/$3"
}

# --- the table -----------------------------------------------------------------------------------------------

for sig in TERM PWR 37; do
	serving
	means $sig 0 stopped "signal $sig: an ordered stop, status 0"
done
for sig in 38 USR2; do
	serving
	means $sig 0 stopped "signal $sig: an ordered stop, status 0"
	check_ok "signal $sig means power off" grep -q 'powering off: signal' "$BOX/console"
done
serving
means 39 129 stopped "signal 39: an ordered stop, then a reboot"
serving
means INT 0 stopped "SIGINT: an ordered stop"
serving container=lxc
means INT 129 stopped "SIGINT in LXC: a reboot"
for sig in 47 48; do
	serving
	means $sig 0 '' "signal $sig: halt or power off at once, without stopping units"
done
serving
means 49 129 '' "signal 49: reboot at once"

serving
pid=$(status_of web pid)
in_box rm /run/coppice/control.sock
check_status 6 "without its socket nobody is there to talk to" ctl ping
signal_box USR1
wait_for 'ctl ping'
passed "SIGUSR1 opens the control socket anew"
unit newcomer <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
EOF
signal_box HUP
wait_for '[[ $(states newcomer web) = "running running" ]]'
check "SIGHUP reads the units anew: one that is new is started, the others go on" "$(status_of web pid)" = "$pid"
rm "$BOX/units/newcomer.service"
signal_box HUP
wait_for '[[ $(states newcomer web) = "none running" ]]'
check "one that is gone is stopped" "$(status_of web pid) $(in_box ps -o args | grep -c '^/bin/sleep inf')" = "$pid 1"
for sig in 3 6 8 10 13 14 17 20 21 22 24 28 29 31 34 35 36 40 41 46 50 60 64; do
	[[ $sig = 10 ]] || signal_box $sig
done
check_ok "all signals without a meaning end nobody" ctl ping
check "nor any unit" "$(status_of web pid)" = "$pid"
means TERM 0 stopped "and SIGTERM still has its meaning"

conf <<-'EOF'
	[Manager]
	OnSIGTERM=ignore
	OnSIGUSR2=exit
EOF
serving
signal_box TERM
check_ok "OnSIGTERM=ignore" ctl ping
means USR2 0 stopped "OnSIGUSR2=exit"
rm "$BOX/units/coppice.conf"

# --- other wishes ---------------------------------------------------------------------------------------------

conf <<-'EOF'
	[Manager]
	OnSIGHUP=forward
	OnSIGQUIT=dump
	OnSIGWINCH=reopen-logs
	OnSIGRTMIN+9=ignore
EOF
script hears <<-'EOF'
	trap 'echo "$1 was told"' HUP
	echo "$1 listens"
	while :; do usleep 20000; done
EOF
unit app <<-'EOF'
	[Service]
	ExecStart=/bin/hears app
EOF
for name in first second; do
	unit $name <<-EOF
		[Service]
		Critical=yes
		ExecStart=/bin/hears $name
	EOF
done
unit missing <<-'EOF'
	[Service]
	ExecStart=/bin/nothing
EOF
# told NAME...: how often have these said so?
told() { grep -cE "($1) was told" "$BOX/console"; }
serving
wait_for '[[ $(grep -cE "(app|first|second) listens" "$BOX/console") = 3 ]]'
signal_box HUP
wait_for '(($(told app)))'
check "forward: to the unit app, and to nobody else" "$(told app) $(told 'first|second')" = "1 0"
signal_box 43
signal_box QUIT
wait_for 'grep -q "dump: web: .*running" "$BOX/console"'
check_ok "dump: how many there are" grep -qE 'dump: 6 units, 0 on their way, 5 with processes' "$BOX/console"
check_ok "each unit with its state and its process" grep -qE "dump: web: running \\(.*\\) for [0-9a-z ]+, pid $(status_of web pid)," "$BOX/console"
check_ok "and why" grep -q 'dump: missing: failed .*: cannot run /bin/nothing' "$BOX/console"
in_box rm /run/coppice/control.sock
signal_box WINCH
wait_for 'ctl ping'
check_ok "reopen-logs by another signal" ctl ping
means TERM 0 stopped "and a clean stop"
rm "$BOX/units/app.service"
serving
wait_for '[[ $(grep -cE "(first|second) listens" "$BOX/console") = 2 ]]'
signal_box HUP
wait_for '(($(told first) && $(told second)))'
check "forward without an app: to each Critical= unit" "$(told first) $(told second)" = "1 1"
down
rm "$BOX/units/"{first,second,missing}.service
serving
signal_box HUP
wait_for 'grep -q "nobody to forward it to" "$BOX/console"'
check_ok "forward to nobody is told" ctl ping
down
# More units than one turn tells of.
for n in {1..250}; do
	echo "[Unit]" | unit "many$n.target"
done
serving
signal_box QUIT
wait_for '(($(grep -c "dump: many" "$BOX/console") >= 250))'
check "a dump of many units is whole" "$(grep -c 'dump: many' "$BOX/console")" = 250
down
rm "$BOX/units/"many*.target "$BOX/units/coppice.conf"

# --- a stop in the midst of boot -----------------------------------------------------------------------------

# All that can be blocked is, from the first act on; what comes from then on waits for the loop.
blocked() { grep -q '^SigBlk:.*fffffffffffbfeff$' "/proc/$BOX_PID/status"; }
for delay in 0 3 10; do
	boot_bg
	wait_for blocked
	idle $delay
	down
	check "a stop $delay ms after the first act is heard" "$STATUS" = 0
done

# --- a careless starter --------------------------------------------------------------------------------------

rm -f "$BOX/root/trace"
box_spawn "$BOX/root" "$box_console" PATH=/bin "$puppet" hostile -- /sbin/init
wait_for 'ctl ping'
check_ok "without descriptors, without a name, all signals ignored, umask 0777: it boots" ctl wait --timeout=5 plain
proc() { in_box sed -n "s/^$1:[[:space:]]*//p" "/proc/$(status_of plain pid)/status"; }
check "its units know nothing of that" "$(proc SigBlk) $(proc Umask) $(in_box ls "/proc/$(status_of plain pid)/fd" | xargs)" = \
	"0000000000000000 0022 0 1 2"
check "and ignore no more than SIGPIPE" "$(proc SigIgn)" = 0000000000001000
check "what they say is kept, although there is no console" "$(ctl rpc logs '{"unit":"web"}' >/dev/null && echo kept)" = kept
wait_for '[[ -e /proc/$BOX_PID/root/run/serves ]]'
means TERM 0 stopped "and it stops as it should"
done_testing
