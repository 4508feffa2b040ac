#!/usr/bin/env bash
# health.sh - every kind of health check, what one answer means and what many mean, and what is done with a sick unit.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

puppet=$box_top/build/tests/box/puppet
[[ -x $puppet ]] || give_up "there is $puppet" "run make programs first"
run() { echo "/proc/$BOX_PID/root/run/$1"; }
running() { in_box ps -o args | grep -c "^$1"; }

image small
cp "$puppet" "$BOX/images/small/bin/"
mkdir "$BOX/root/www"

# checked NAME SETTING... < more settings: a service whose checks come quickly.
checked() {
	local name=$1
	{
		printf '[Service]\nHealthStartupInterval=20ms\nHealthInterval=50ms\n'
		cat
		printf '%s\n' "${@:2}"
	} | unit "$name"
}
sleeps='ExecStart=/bin/sleep inf'

# --- kinds ---------------------------------------------------------------------------------------------------

checked cmd "$sleeps" <<-'EOF'
	Image=small
	User=www
	HealthStartPeriod=1min
	HealthCmd=test -e /tmp/os || { id -un >/tmp/who && cp /etc/os-release /tmp/os; }; test -e /tmp/go
EOF
checked hangs "$sleeps" <<-'EOF'
	HealthCmd=trap '' TERM; sleep 4321 & wait
	HealthTimeout=100ms
	HealthRetries=2
EOF
checked forks "$sleeps" <<-'EOF'
	HealthCmd=sleep 8765 & sleep 8765 & exit 0
	HealthInterval=1h
EOF
script listen <<-'EOF'
	until [ -e /run/listen ]; do sleep 0.02; done
	httpd -p '[::1]:8082' -h /www
	exec httpd -f -p 127.0.0.1:8081 -h /www
EOF
# One failure would be one too many, but for the start period.
patient='HealthRetries=1
HealthStartPeriod=1min'
checked tcp "$patient" <<-'EOF'
	ExecStart=/bin/listen
	HealthTcp=8081
	HealthSuccessMessage=the web server answers
EOF
# These have nothing but a check.
checked http "$patient" <<<'HealthHttp=http://127.0.0.1:8081/page'
checked http404 "$patient" <<-'EOF'
	HealthHttp=http://localhost:8081/nowhere
	HealthHttpStatus=404
EOF
checked listen4 "$patient" <<<'HealthListen=8081'
checked listen6 "$patient" <<<'HealthListen=8082'
checked refused "$patient" <<<'HealthTcp=127.0.0.1:8099'
checked unix "$patient" <<-'EOF'
	Image=small
	ExecStart=/bin/sh -c 'until [ -e /tmp/go ]; do sleep 0.02; done; exec puppet listen /tmp/x.sock'
	HealthUnix=/tmp/x.sock
EOF
checked file "$sleeps" "$patient" <<-'EOF'
	Image=small
	HealthFile=/tmp/well
EOF

# --- verdicts ------------------------------------------------------------------------------------------------

checked flaky "$sleeps" <<-'EOF'
	HealthCmd=echo >>/run/asked; ! rm /run/trip 2>/dev/null
	HealthRetries=3
EOF
checked sick "$sleeps" <<-'EOF'
	HealthFile=/run/well.sick
	HealthFailureMessage=the file is gone
	ExecStartPre=/bin/touch /run/well.sick
EOF
for act in kill restart stop; do
	checked "on-$act" "$sleeps" <<-EOF
		ExecStartPre=/bin/touch /run/well.$act
		HealthFile=/run/well.$act
		HealthRetries=1
		HealthOnFailure=$act
	EOF
done
echo Restart=always >>"$BOX/units/on-stop.service"
for code in 59 60 61; do
	checked "code$code" "$sleeps" <<-EOF
		HealthCmd=test -e /run/code.over || exit $code
		HealthRetries=1
	EOF
done
checked gate "$patient" <<<'HealthFile=/run/gate'
checked behind "$sleeps" <<-'EOF'
	[Unit]
	Requires=gate.service
	[Service]
EOF

# --- each kind is starting, then ready -----------------------------------------------------------------------

boot
wait_for '[[ $(states cmd tcp unix file) = "starting starting starting starting" ]]'
wait_for '[[ $(in_box cat /run/coppice/root/cmd/tmp/os) == *small* ]]'
check "HealthCmd= runs in the image" "$(in_box head -n 1 /run/coppice/root/cmd/tmp/os)" = ID=small
check "as the unit's user" "$(in_box cat /run/coppice/root/cmd/tmp/who)" = www
idle 100
check "no kind is ready before it finds what it looks for" "$(states cmd tcp http listen4 listen6 unix file)" = \
	"starting starting starting starting starting starting starting"
check "its health is starting, and failures in the start period do not count" "$(status_of tcp health.result) $(status_of tcp health.failures)" = "starting 0"
in_box touch /run/coppice/root/cmd/tmp/go /run/coppice/root/unix/tmp/go "/run/listen" /tmp/well
check_ok "HealthCmd= with 0 makes it ready" ctl wait --timeout=5 cmd
check "HealthCmd= leaves nobody behind, whatever it forked" "$(ctl wait --timeout=5 forks; running 'sleep 8765')" = 0
check_ok "HealthTcp= connects" ctl wait --timeout=5 tcp
check "HealthSuccessMessage= is what status says then" "$(status_of tcp health.result): $(status_of tcp health.message)" = "success: the web server answers"
check_ok "HealthListen= sees a listener on IPv4" ctl wait --timeout=5 listen4
if [[ -e /proc/net/if_inet6 ]]; then
	check_ok "HealthListen= sees a listener on IPv6" ctl wait --timeout=5 listen6
else
	skip "HealthListen= sees a listener on IPv6" "this kernel has no IPv6"
fi
check_ok "HealthUnix= connects to a socket inside the root" ctl wait --timeout=5 unix
check "HealthHttp= takes 404 for a failure" "$(status_of http state)" = starting
check_ok "unless HealthHttpStatus= says otherwise" ctl wait --timeout=5 http404
echo hello >"$BOX/root/www/page"
check_ok "HealthHttp= is content with 200" ctl wait --timeout=5 http
check "HealthFile= looks inside the root, not beside it" "$(status_of file state)" = starting
in_box touch /run/coppice/root/file/tmp/well
check_ok "and finds the file there" ctl wait --timeout=5 file
check "what nobody answers stays as it was" "$(status_of refused ready)" = false

# --- one answer, and many ------------------------------------------------------------------------------------

pid=$(status_of flaky pid)
touch "$(run trip)"
wait_for '[[ ! -e $(run trip) ]]'
# shellcheck disable=SC2034 # wait_for reads it
asked=$(wc -l <"$(run asked)")
wait_for '[[ $(wc -l <"$(run asked)") -gt $((asked + 2)) ]]'
check "a single failed check stops nobody" "$(status_of flaky state) $(status_of flaky pid) $(status_of flaky health.failures)" = "ready $pid 0"
check_fails "and is no news" grep -q 'flaky: unhealthy' "$BOX/console"

check_ok "health of a unit that is well" ctl health sick
pid=$(status_of sick pid)
rm "$(run well.sick)"
wait_for '[[ $(status_of sick state) = unhealthy ]]'
check "HealthRetries= failures in a row make it unhealthy, and it runs on" \
	"$(status_of sick health.result) $(status_of sick pid)" = "failure $pid"
check "it says how many, and of what kind" "$(status_of sick why)" = "3 health checks in a row failed: no such file"
check "HealthFailureMessage= is what status says" "$(status_of sick health.message)" = "the file is gone"
check_status 1 "health of a unit that is sick" ctl health sick
check_status 1 "health of the container" ctl health
touch "$(run well.sick)"
wait_for '[[ $(status_of sick state) = ready ]]'
check "one success makes it well again" "$(status_of sick pid) $(status_of sick restarts)" = "$pid 0"

wait_for '[[ $(status_of hangs state) = unhealthy ]]'
check "a check that hangs is a failure after HealthTimeout=" "$(status_of hangs health.message)" = "no answer in time"
check_ok "the unit runs on, and no heap of checks piles up" test "$(running 'sleep 4321')" -le 1
ctl stop hangs
check "a stop takes a running check along" "$(running 'sleep 4321')" = 0

# --- what is done with a sick one ----------------------------------------------------------------------------

check "all three are well" "$(ctl wait --timeout=5 on-kill on-restart on-stop; states on-kill on-restart on-stop)" = "ready ready ready"
pid=$(status_of on-restart pid)
rm "$(run well.kill)" "$(run well.restart)" "$(run well.stop)"
wait_for '[[ $(status_of on-kill state) = failed ]]'
check "HealthOnFailure=kill: SIGKILL, and Restart= decides" "$(status_of on-kill exit.signal) $(status_of on-kill restarts)" = "9 0"
wait_for '[[ $(status_of on-restart restarts) = 1 && $(status_of on-restart state) = ready ]]'
check_ok "HealthOnFailure=restart: it is another process now" test "$(status_of on-restart pid)" != "$pid"
wait_for '[[ $(status_of on-stop state) = failed ]]'
check "HealthOnFailure=stop: it stays down, even with Restart=always" "$(status_of on-stop restarts)/$(status_of on-stop pid)" = 0/
check "and says why" "$(status_of on-stop why)" = "its health check failed: no such file"

# --- words ---------------------------------------------------------------------------------------------------

check "exit codes 59, 60, 61 are disabled, starting, loading" \
	"$(status_of code59 health.result) $(status_of code60 health.result) $(status_of code61 health.result)" = "disabled starting loading"
check "none of them is a success, or a failure" "$(states code59 code60 code61)" = "starting starting starting"
touch "$(run code.over)"
check_ok "a later 0 makes them ready" ctl wait --timeout=5 code60 code61

# --- a unit that is only a check -----------------------------------------------------------------------------

check "a unit with only health settings gates others" "$(states gate behind)" = "starting waiting"
check "as they say" "$(status_of behind why)" = "waits for gate, which is starting"
touch "$(run gate)"
check_ok "until it succeeds" ctl wait --timeout=5 behind
rm "$(run gate)"
wait_for '[[ $(status_of gate state) = unhealthy ]]'
check "and reports when it fails, which stops nobody" "$(status_of gate health.result) $(status_of behind state)" = "failure running"

# --- the prober falls ----------------------------------------------------------------------------------------

prober() { ctl rpc status | "$box_python" -c 'import json, sys; print(json.load(sys.stdin)["manager"]["helpers"]["probe"])'; }
pid=$(prober) db=$(status_of tcp pid)
in_box kill -KILL "$pid"
wait_for '[[ $(prober) != 0 && $(prober) != "$pid" ]]'
rm "$(run well.sick)"
wait_for '[[ $(status_of sick state) = unhealthy ]]'
check "the prober is killed: another one goes on, and units do not notice" "$(status_of tcp state) $(status_of tcp pid)" = "ready $db"

down
check "a clean stop" "$STATUS" = 0

# --- without CAP_SYS_PTRACE, as Docker and Podman run a container ----------------------------------------------

# boot_without CAPABILITIES: /proc/PID/root of a unit is shut then, even for PID 1 and its helpers.
boot_without() {
	box_spawn "$BOX/root" "$box_console" PATH=/bin:/sbin:/usr/bin "$(command -v setpriv)" --bounding-set="$1" -- /sbin/init ||
		give_up "PID 1 starts without $1"
	soon 'box_gone || { [[ -S /proc/$BOX_PID/root/run/coppice/control.sock ]] && ctl rpc ping; }' ||
		give_up "PID 1 answers without $1" "$(tail -n 5 "$BOX/console")"
}
# Descriptors of PID 1, and of the prober.
# The fewest of some looks: a check that is under way has some for a moment.
held() { for _ in {1..10}; do find "/proc/$BOX_PID/fd" -type l | wc -l; done | sort -n | head -n 1; }
probes() { in_box sh -c 'ls /proc/$0/fd | wc -l' "$(prober)"; }
# Those that lead to the root of an image, and to no mount namespace or pipe.
tops() { in_box sh -c 'for fd in /proc/$0/fd/*; do readlink $fd; done' "$1" | grep -c '^/\($\|var/lib/coppice/images/\)'; }

rm -rf "$BOX"/units/*
rm -f "$BOX"/root/run/*.sock "$BOX"/root/tmp/*
script greet small <<<'until [ -e /tmp/go ]; do sleep 0.02; done; rm -f /tmp/x.sock; exec puppet listen /tmp/x.sock'
checked file "$sleeps" "$patient" <<-'EOF'
	Image=small
	HealthFile=/tmp/well
EOF
checked unix "$patient" <<-'EOF'
	Image=small
	User=www
	ExecStart=/bin/greet
	HealthUnix=/tmp/x.sock
EOF
checked other "$sleeps" "$patient" <<-'EOF'
	Image=small
	HealthCmd=false
EOF
shared() {
	checked shared "$sleeps" "$patient" <<-'EOF'
		[Unit]
		Requires=plain.service
		After=plain.service
		[Service]
		RootFrom=plain
		HealthFile=/tmp/shared
	EOF
}
checked plain "$sleeps" <<<'Image=small'
touch "$BOX/root/tmp/well" "$BOX/root/tmp/go"

for lacks in -sys_ptrace -sys_ptrace,-sys_admin; do
	rm -f "$BOX"/units/shared.service "$BOX"/images/small/tmp/{well,go,x.sock}
	[[ $lacks == *admin* ]] || shared
	boot_without "$lacks"
	wait_for '[[ $(states file unix other plain) = "starting starting starting running" ]]'
	idle 100
	check "$lacks: a file beside the root does not count" "$(states file unix)" = "starting starting"
	in_box touch /run/coppice/root/{file,unix}/tmp/{well,go}
	check_ok "$lacks: HealthFile= finds one inside" ctl wait --timeout=5 file
	check_ok "$lacks: HealthUnix= connects to a socket there" ctl wait --timeout=5 unix
	if [[ $lacks != *admin* ]]; then
		check "$lacks: a shared root is not the one that shares it" "$(status_of shared state)" = starting
		in_box touch /run/coppice/root/plain/tmp/shared
		check_ok "$lacks: HealthFile= looks into a shared root" ctl wait --timeout=5 shared
	fi
	check "$lacks: PID 1 holds the roots of those alone whose checks look into them" "$(tops 1)" = "$([[ $lacks == *admin* ]] && echo 2 || echo 3)"

	before=$(held)
	for _ in 1 2 3; do
		check_ok "$lacks: well again after a restart" ctl restart --timeout=5 file unix
	done
	check "$lacks: PID 1 holds as many descriptors as before" "$(held)" = "$before"
	wait_for '[[ $(tops "$(prober)") = 0 ]]'
	check_ok "$lacks: and the prober none of these" test "$(probes)" -le 8
	in_box rm /run/coppice/root/file/tmp/well
	wait_for '[[ $(status_of file state) = unhealthy ]]'
	in_box touch /run/coppice/root/file/tmp/well
	wait_for '[[ $(status_of file state) = ready ]]'

	sed -i 's,^HealthCmd=.*,HealthFile=/tmp/well,' "$BOX/units/other.service"
	signal_box HUP
	wait_for '[[ $(status_of other health.message) ]]'
	check "$lacks: what cannot be looked into says so" "$(status_of other health.result): $(status_of other health.message)" = \
		"starting: could not be tried: permission denied"
	check_ok "$lacks: a reload takes the others along" ctl wait --timeout=5 file unix
	in_box rm /run/coppice/root/file/tmp/well
	wait_for '[[ $(status_of file state) = unhealthy ]]'
	in_box touch /run/coppice/root/other/tmp/well
	check_ok "$lacks: until it is started anew" ctl restart --timeout=5 other
	ctl stop file unix other
	check "$lacks: of those that were stopped nothing is held" "$(tops 1)" = "$([[ $lacks == *admin* ]] && echo 0 || echo 1)"
	sed -i 's,^HealthFile=.*,HealthCmd=false,' "$BOX/units/other.service"
	down
	check "$lacks: a clean stop" "$STATUS" = 0
done
done_testing
