#!/usr/bin/env bash
# life.sh - the life of one service: started, ready, fallen, back again; each kind of end, each command around it.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

puppet=$box_top/build/tests/box/puppet
[[ -x $puppet ]] || give_up "there is $puppet" "run make programs first"
cp "$puppet" "$BOX/root/bin/"
trace() { cat "$BOX/root/trace.$1" 2>/dev/null; }

# --- what runs -----------------------------------------------------------------------------------------------

unit web <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
	Restart=always
EOF

# Each policy of Restart= meets each kind of end, once; the second time the program stays.
script fall <<-'EOF'
	[ ! -e /run/fallen.$2 ] || exec sleep inf
	: >/run/fallen.$2
	case $1 in
	clean) exit 0 ;;
	code) exit 1 ;;
	term) kill -TERM $$ ;;
	kill) kill -KILL $$ ;;
	late | dog) exec sleep inf ;;
	esac
EOF
policies='no always on-success on-failure on-abnormal on-abort on-watchdog'
for policy in $policies; do
	for end in clean code term kill late dog; do
		unit "r-$end-$policy" <<-EOF
			[Service]
			Restart=$policy
			ExecStart=/bin/fall $end $policy.$end
			$([[ $end != late ]] || printf 'Type=notify\nTimeoutStartSec=200ms')
			$([[ $end != dog ]] || echo WatchdogSec=200ms)
		EOF
	done
done
unit good42 <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'exit 42'
	SuccessExitStatus=42
EOF
unit prevented <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'exit 42'
	Restart=always
	RestartPreventExitStatus=42
EOF
unit forced <<-'EOF'
	[Service]
	ExecStart=/bin/fall clean forced
	RestartForceExitStatus=0
EOF

script crash <<-'EOF'
	read up idle </proc/uptime
	echo $up >>/trace.crash
	exit 3
EOF
unit crash <<-'EOF'
	[Service]
	ExecStart=/bin/crash
	Restart=on-failure
	RestartSec=40ms
EOF

# What each command of a unit is told.
script note <<-'EOF'
	echo $2 ${MAINPID:-none} $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS >>/trace.$1
EOF
unit hooks <<-'EOF'
	[Service]
	ExecCondition=/bin/note hooks condition
	ExecStartPre=/bin/note hooks pre1
	ExecStartPre=-/bin/false
	ExecStartPre=/bin/note hooks pre2
	ExecStart=/bin/sleep inf
	ExecStartPost=/bin/note hooks post
	ExecReload=/bin/note hooks reload
	ExecStop=/bin/note hooks stop
	ExecStopPost=/bin/note hooks after
EOF
unit coded <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'exit 7'
	ExecStopPost=/bin/note coded after
EOF
unit killed <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'kill -KILL $$$$'
	ExecStopPost=/bin/note killed after
EOF
unit prefails <<-'EOF'
	[Service]
	ExecStartPre=/bin/false
	ExecStart=/bin/note prefails main
	ExecStopPost=/bin/note prefails after
EOF
unit postfails <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
	ExecStartPost=/bin/false
EOF
unit unneeded <<-'EOF'
	[Service]
	ExecCondition=/bin/false
	ExecStart=/bin/note unneeded main
EOF
unit undecided <<-'EOF'
	[Service]
	ExecCondition=/bin/sh -c 'exit 255'
	ExecStart=/bin/note undecided main
EOF

unit twice <<-'EOF'
	[Service]
	Type=oneshot
	ExecStart=/bin/note twice first
	ExecStart=/bin/note twice second
EOF
unit remains <<-'EOF'
	[Service]
	Type=oneshot
	RemainAfterExit=yes
	ExecStart=/bin/note remains start
	ExecStop=/bin/note remains stop
EOF
unit halfway <<-'EOF'
	[Service]
	Type=oneshot
	ExecStart=/bin/false
	ExecStart=/bin/note halfway second
EOF

mkfifo "$BOX"/root/pipe.{talker,child,trusted}
unit talker <<-'EOF'
	[Service]
	Type=notify
	ExecStart=/bin/puppet notify /pipe.talker
EOF
# Here a child speaks, and the main process keeps silent.
for name in child trusted; do
	unit "$name" <<-EOF
		[Service]
		Type=notify
		ExecStart=/bin/sh -c 'puppet notify /pipe.$name & exec sleep inf'
		$([[ $name = child ]] || echo NotifyAccess=all)
	EOF
done
unit mute <<-'EOF'
	[Service]
	Type=notify
	ExecStart=/bin/true
EOF
mkfifo "$BOX/root/pipe.fed"
unit fed <<-'EOF'
	[Service]
	ExecStart=/bin/puppet notify /pipe.fed
	WatchdogSec=400ms
EOF

script daemonise <<-'EOF'
	rm -f /run/daemon.pid
	setsid sh -c 'echo $$ >/run/daemon.pid; exec sleep inf' &
	until [ -s /run/daemon.pid ]; do sleep 0.01; done
EOF
unit daemon <<-'EOF'
	[Service]
	Type=forking
	PIDFile=/run/daemon.pid
	ExecStart=/bin/daemonise
	Restart=always
EOF
# The process it names is alive, and of another unit.
unit liar <<-'EOF'
	[Service]
	Type=forking
	PIDFile=/run/liar.pid
	ExecStart=/bin/sh -c 'until [ -s /run/daemon.pid ]; do sleep 0.01; done; sleep 0.1; cp /run/daemon.pid /run/liar.pid'
	TimeoutStartSec=5s
EOF

unit slow <<-'EOF'
	[Service]
	ExecStartPre=/bin/sleep inf
	ExecStart=/bin/sleep inf
	TimeoutStartSec=200ms
EOF
unit brief <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
	RuntimeMaxSec=200ms
EOF
unit stubborn <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'trap "" TERM; exec sleep inf'
	ExecStopPost=/bin/note stubborn after
	TimeoutStopSec=200ms
EOF

script family <<-'EOF'
	sh -c 'trap "echo child heard >>/trace.family.$0; exit" TERM; : >/run/family.$0; while :; do sleep 0.05; done' $1 &
	echo $! >/run/family.$1.pid
	trap "echo main heard >>/trace.family.$1; exit" TERM
	while :; do sleep 0.05; done
EOF
for mode in control-group mixed process; do
	unit "family-$mode" <<-EOF
		[Service]
		ExecStart=/bin/family $mode
		KillMode=$mode
	EOF
done

script holder <<-'EOF'
	httpd -f -p 8080 &
	exec sleep inf
EOF
unit holder <<-'EOF'
	[Service]
	ExecStart=/bin/holder
	Restart=always
EOF
unit clinger <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'trap "" TERM; sleep 7777 & exec sleep inf'
	Restart=always
	TimeoutStopSec=200ms
EOF

unit lingers <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
	ExecStopPost=/bin/sh -c 'until [ -e /run/over ]; do sleep 0.02; done'
EOF

unit talk <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'echo first; echo wrong >&2; printf "\\033[31mred\\n"; printf "no end"'
EOF

# --- started, ready, fallen, back ----------------------------------------------------------------------------

boot
check_ok "start waits until the unit is up" ctl start web
first=$(status_of web pid)
check "a service without a health check is running" "$(status_of web state) $(status_of web ready)" = "running true"
check "its pid is that of its program" "$(in_box cat "/proc/$first/comm")" = sleep
ctl kill -s KILL web
wait_for '[[ $(status_of web pid) =~ ^[0-9]+$ && $(status_of web pid) != "$first" ]]'
check "killed with SIGKILL it comes back with a new pid" "$(status_of web state) $(status_of web restarts)" = "running 1"
check_fails "the first restart comes at once, without a pause" grep -qE 'web: .*again in [1-9]' "$BOX/console"
second=$(status_of web pid)
check_ok "restart by hand" ctl restart web
check "it has a new pid and is not counted as a fall" "$(status_of web restarts) $([[ $(status_of web pid) != "$second" ]] && echo new)" = "0 new"
check_ok "stop waits until the unit is down" ctl stop web
check "it is inactive, without a pid, and says who stopped it" \
	"$(status_of web state)/$(status_of web pid)/$(status_of web why)" = "inactive//stopped on request"
check "the exit of a stopped unit is the signal that stopped it" "$(status_of web exit.signal)" = 15

# --- how it ended, and what that means -----------------------------------------------------------------------

# policies_after END: those that restarted the unit. Empty as long as one of them is neither here nor there.
policies_after() {
	# shellcheck disable=SC2086 # words
	ctl status --json | "$box_python" -c '
import json, sys
units = {u["unit"]: u for u in json.load(sys.stdin)["units"]}
mine = {p: units["r-%s-%s" % (sys.argv[1], p)] for p in sys.argv[2:]}
if all(u["restarts"] or u["state"] in ("done", "failed") for u in mine.values()):
    print(*[p for p, u in mine.items() if u["restarts"]])
' "$1" $policies
}
restarts_after() {
	local end=$1 text=$2 want=$3
	wait_for '[[ $(policies_after '"$end"') ]]'
	check "$text: the policies that restart are $want" "$(policies_after "$end")" = "$want"
}
restarts_after clean "exit 0" "always on-success"
restarts_after term "SIGTERM from elsewhere" "always on-success"
restarts_after code "exit 1" "always on-failure"
restarts_after kill "SIGKILL" "always on-failure on-abnormal on-abort"
restarts_after late "a start that takes too long" "always on-failure on-abnormal"
restarts_after dog "a watchdog that was not fed" "always on-failure on-abnormal on-watchdog"
check "without a restart: clean ends are done, others failed" \
	"$(states r-{clean,term,code,kill,late,dog}-no)" = "done done failed failed failed failed"
check "SuccessExitStatus= makes an exit code a success" "$(status_of good42 state) $(status_of good42 exit.code)" = "done 42"
check "RestartPreventExitStatus= wins over Restart=always" "$(status_of prevented state) $(status_of prevented restarts)" = "failed 0"
check "RestartForceExitStatus= restarts without Restart=" "$(status_of forced state) $(status_of forced restarts)" = "running 1"

check "status shows the exit code" "$(status_of coded state) $(status_of coded exit)" = 'failed {"code": 7}'
check "and says it in words" "$(status_of coded why)" = "exited with status 7"
check "status shows the signal" "$(status_of killed state) $(status_of killed exit)" = 'failed {"signal": 9}'
check "and says it in words, with its name" "$(status_of killed why)" = "killed by SIGKILL"

# --- a crash loop --------------------------------------------------------------------------------------------

wait_for '[[ $(status_of crash state) = failed ]]'
check "a crash loop ends after five starts in ten seconds" "$(trace crash | wc -l)" = 5
check "each pause is about twice the one before: 40, 80, 160, 320 ms" "$(trace crash | awk '
	NR > 1 { gap = ($1 - last) * 1000; if (gap < 25 * 2 ^ (NR - 2)) bad = bad " " gap }
	{ last = $1 }
	END { print bad }')" = ""
check "the limit is told with the way out of it" "$(status_of crash why)" = \
	"was started 5 times within 10s (StartLimitBurst=, StartLimitIntervalSec=); mend it, then: coppice reset-failed crash"
check "the exit code that led to it is still shown" "$(status_of crash exit.code)" = 3
check_ok "reset-failed" ctl reset-failed crash
check "forgets it" "$(status_of crash state)" = inactive
ctl start crash
wait_for '[[ $(status_of crash state) = failed ]]'
check "and the next five starts are its own" "$(trace crash | wc -l)" = 10

# --- commands around it --------------------------------------------------------------------------------------

pid=$(status_of hooks pid)
check_ok "reload runs ExecReload=" ctl reload hooks
check "and leaves the program alone" "$(status_of hooks pid)" = "$pid"
check_status 4 "reload of a unit that is not running is refused" ctl reload web
ctl stop hooks
check "each command of a unit in its order, with MAINPID and the result" "$(trace hooks | tr '\n' ',')" = \
	"condition none,pre1 none,pre2 none,post $pid,reload $pid,stop $pid success,after none success killed TERM,"
check "ExecStopPost= of an exit code" "$(trace coded)" = "after none exit-code exited 7"
check "ExecStopPost= of a signal" "$(trace killed)" = "after none signal killed KILL"
check "a failed ExecStartPre= is a failed start, and ExecStopPost= still runs" \
	"$(status_of prefails state) $(trace prefails)" = "failed after none exit-code"
check "it says which command" "$(status_of prefails why)" = "ExecStartPre= exited with status 1"
check "a failed ExecStartPost= takes the program down" "$(status_of postfails state)/$(status_of postfails pid)" = "failed/"
check "ExecCondition= with 1 to 254 skips the start, and is no failure" \
	"$(status_of unneeded state)/$(trace unneeded)" = "inactive/"
check "and says so" "$(status_of unneeded why)" = "ExecCondition= said that it is not needed now"
check "ExecCondition= with 255 is a failure" "$(status_of undecided state)/$(trace undecided)" = "failed/"

# --- other types ---------------------------------------------------------------------------------------------

check "a oneshot runs its commands in order and is done" "$(status_of twice state) $(trace twice | tr '\n' ',')" = "done first none,second none,"
check "a oneshot that is done is ready" "$(status_of twice ready)" = true
ctl start twice
check "it can be started again" "$(trace twice | wc -l)" = 4
check "RemainAfterExit= stays up" "$(status_of remains ready) $(trace remains | wc -l)" = "true 1"
ctl start remains
check "so a start has nothing to do" "$(trace remains | wc -l)" = 1
ctl stop remains
check "and a stop runs ExecStop=" "$(trace remains | tail -n 1 | cut -d' ' -f1-3) $(status_of remains state)" = "stop none success inactive"
check "a oneshot whose first command fails has no second" "$(status_of halfway state)/$(trace halfway)" = "failed/"

check "Type=notify is not ready before it says so" "$(states talker child trusted)" = "starting starting starting"
echo READY=1 1<>"$BOX/root/pipe.child"
echo READY=1 1<>"$BOX/root/pipe.talker"
wait_for '[[ $(status_of talker state) = ready ]]'
passed "READY=1 makes it ready"
echo READY=1 1<>"$BOX/root/pipe.trusted"
wait_for '[[ $(status_of trusted state) = ready ]]'
passed "NotifyAccess=all: a child may say it"
check "else a child's READY=1 does not count" "$(status_of child state)" = starting
check "one that ends before it was ready has failed" "$(status_of mute state): $(status_of mute why)" = \
	"failed: ended before it said that it was ready"

pid=$(<"/proc/$BOX_PID/root/run/daemon.pid")
check "Type=forking: the main process is the one in PIDFile=" "$(status_of daemon state) $(status_of daemon pid)" = "running $pid"
in_box kill -KILL "$pid"
wait_for '[[ $(status_of daemon restarts) = 1 && $(status_of daemon state) = running ]]'
check "its end is seen and it is started again" "$(status_of daemon pid)" = "$(<"/proc/$BOX_PID/root/run/daemon.pid")"
check "a PIDFile= that names another unit's process is not believed" "$(status_of liar state)" = failed

# --- time limits ---------------------------------------------------------------------------------------------

ctl restart fed
for _ in 1 2 3 4 5 6; do
	echo WATCHDOG=1 1<>"$BOX/root/pipe.fed"
	idle 100
done
check "a watchdog that is fed leaves the unit alone" "$(status_of fed state)" = running
wait_for '[[ $(status_of fed state) = failed ]]'
check "one that is not, ends it with SIGABRT" "$(status_of fed exit.signal)" = 6
check "and says so" "$(status_of fed why)" = "gave no sign of life for 400ms (WatchdogSec=)"
check "TimeoutStartSec= ends a start" "$(status_of slow state): $(status_of slow why)" = \
	"failed: was not ready within 200ms (TimeoutStartSec=)"
check "RuntimeMaxSec= ends a run" "$(status_of brief state): $(status_of brief why)" = \
	"failed: ran for 200ms, which is all it may (RuntimeMaxSec=)"
check_ok "a unit that ignores SIGTERM is stopped all the same" ctl stop stubborn
check "by SIGKILL, after TimeoutStopSec=" "$(status_of stubborn state) $(status_of stubborn exit.signal)" = "inactive 9"
check "and ExecStopPost= is told of the timeout" "$(trace stubborn)" = "after none timeout killed KILL"

# --- whose processes -----------------------------------------------------------------------------------------

for mode in control-group mixed process; do
	wait_for '[[ -e /proc/$BOX_PID/root/run/family.'"$mode"' ]]'
	ctl stop "family-$mode"
done
check "KillMode=control-group: all of them hear SIGTERM" "$(trace family.control-group | sort | tr '\n' ',')" = "child heard,main heard,"
check "KillMode=mixed: the main process hears it" "$(trace family.mixed)" = "main heard"
check_fails "and the others are killed" in_box kill -0 "$(<"/proc/$BOX_PID/root/run/family.mixed.pid")"
check_ok "KillMode=process: the others stay" in_box kill -0 "$(<"/proc/$BOX_PID/root/run/family.process.pid")"

wait_for "in_box pidof httpd"
old=$(in_box pidof httpd)
ctl kill -s KILL holder
wait_for '[[ $(status_of holder restarts) = 1 && $(in_box pidof httpd) ]]'
check "what a dead main process leaves behind is gone before the restart" \
	"$(in_box pidof httpd | wc -w) $([[ $(in_box pidof httpd) != "$old" ]] && echo new)" = "1 new"
check_fails "so the port is free for the new one" grep -q 'holder .*in use' "$BOX/console"
ctl kill -s KILL clinger
wait_for '[[ $(status_of clinger restarts) = 1 && $(status_of clinger state) = running ]] && in_box ps -o args | grep "^sleep 7777"'
check "also what ignores SIGTERM" "$(in_box ps -o args | grep -c '^sleep 7777')" = 1

ctl kill -s KILL lingers
wait_for '[[ $(status_of lingers state) = stopping ]]'
ctl start --no-wait lingers
touch "/proc/$BOX_PID/root/run/over"
wait_for '[[ $(status_of lingers state) = running ]]'
check "a start by hand while it still goes down is not lost" "$(status_of lingers restarts)" = 0

# --- what it says --------------------------------------------------------------------------------------------

check_ok "a line of stdout is on the console, behind the unit's name" grep -qE '^talk +\| first$' "$BOX/console"
check_ok "so is one of stderr" grep -qE '^talk +\| wrong$' "$BOX/console"
check_ok "what a terminal would obey is shown instead" grep -qF '\x1b[31mred' "$BOX/console"
wait_for 'grep -qE "^talk +\| no end$" "$BOX/console"'
passed "a last line without a newline is shown too"
check "status counts the lines that ended" "$(status_of talk log.lines)" = 3

down
check "a clean stop" "$STATUS" = 0
done_testing
