#!/usr/bin/env bash
# alloc.sh - once it is up PID 1 asks the kernel for no memory, keeps no descriptor, and sleeps as long as nothing happens.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

command -v strace >/dev/null || skip_all "no strace here; install strace"

image small
unit web <<-'EOF'
	[Service]
	Image=small
	ExecStart=/bin/sleep inf
	Restart=always
	[Unit]
	StartLimitBurst=0
EOF
unit app <<-'EOF'
	[Unit]
	Requires=web.service
	[Service]
	ExecStartPre=/bin/true
	ExecStart=/bin/sh -c 'echo I am here; exec sleep inf'
	ExecStopPost=/bin/true
EOF
unit fails <<-'EOF'
	[Service]
	ExecStart=/bin/absent
EOF
for name in file cmd; do
	unit "$name" <<-EOF
		[Service]
		ExecStart=/bin/sleep inf
		$([[ $name = file ]] && echo HealthFile=/etc/passwd || echo HealthCmd=/bin/true)
		HealthInterval=30ms
	EOF
done
mkdir "$BOX/root/quiet"
printf '[Service]\nExecStart=/bin/sleep inf\n' | tee "$BOX/root/quiet/a.service" >"$BOX/root/quiet/b.service"

# fds: its descriptors, while no check or start is under way.
fds() { for _ in {1..20}; do find "/proc/$BOX_PID/fd" -mindepth 1 | wc -l; done | sort -n | head -n 1; }
# memory: its private pages, in KiB. What it shares with its children counts for less, the more of them there are.
memory() { for _ in {1..20}; do awk '/^Private/ { n += $2 } END { print n }' "/proc/$BOX_PID/smaps_rollup"; done | sort -n | head -n 1; }
# watch CALLS COMMAND...: counts these system calls of PID 1, and only of PID 1, while the command runs.
watch() {
	local calls=$1 tracer
	shift
	strace -qq -e trace="$calls" -e signal=none -o "$BOX/calls" -p "$BOX_PID" 2>"$BOX/strace" &
	tracer=$!
	soon '[[ $(awk "/^TracerPid/ { print \$2 }" /proc/$BOX_PID/status) != 0 ]]' || return 1
	"$@"
	# As strace leaves on SIGINT, the kernel is done with what it was asked.
	kill -INT "$tracer"
	wait "$tracer" || return 0
}

# All that a day may bring.
busy() {
	for _ in {1..50}; do
		ctl restart web >/dev/null
	done
	ctl kill -s KILL web
	soon '[[ $(status_of web state) = running ]]'
	ctl stop app web
	ctl start app
	ctl start fails 2>/dev/null
	ctl status >/dev/null
	ctl status --json >/dev/null
	ctl logs app >/dev/null
	ctl exec web true
	ctl show web >/dev/null
	ctl reload app 2>/dev/null
	ctl reset-failed fails
	idle 300
}

boot
check_ok "units are up" ctl wait --timeout=5 web app file cmd
memory='brk,mmap,mremap,munmap'
if ! watch "$memory" true; then
	skip "nothing" "this kernel lets nobody trace PID 1 of a container: $(<"$BOX/strace")"
	done_testing
fi
watch "clone,clone3,fork,vfork" ctl restart web
check_ok "the tracer sees what PID 1 does" test -s "$BOX/calls"
watch "$memory" busy
check "50 restarts, a fall, stops, starts, failures, status, logs, exec, health checks: no memory is asked for" "$(<"$BOX/calls")" = ""

# --- nothing grows -------------------------------------------------------------------------------------------

fds=$(fds) before=$(memory)
for _ in {1..150}; do
	ctl restart web
done
check "200 restarts: not a descriptor more" "$(fds)" = "$fds"
check_ok "and not a page more, but for what the first time touched" test "$(memory)" -le $((before + 16))
wait_for '[[ $(in_box ps -o stat | grep -c ^Z) = 0 ]]'
passed "no child is left unreaped"
down
check "a clean stop" "$STATUS" = 0

# --- nothing happens -----------------------------------------------------------------------------------------

boot --units /quiet
check_ok "units without health checks are up" ctl wait --timeout=5 a b
desk=$(ctl rpc status | "$box_python" -c 'import json, sys; print(json.load(sys.stdin)["manager"]["helpers"]["desk"])')
# switches PID: how often it was woken, by its own count.
switches() { awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$BOX_PID/root/proc/$1/status"; }
wait_for 'one=$(switches 1) && idle 200 && [[ $(switches 1) = "$one" ]]'
one=$(switches 1) two=$(switches "$desk")
idle 3000
check "in three seconds in which nothing happens PID 1 is not woken once" "$(($(switches 1) - one))" = 0
check "nor is its desk" "$(($(switches "$desk") - two))" = 0
down
check "a clean stop" "$STATUS" = 0
done_testing
