#!/usr/bin/env bash
# nspawn.sh - under systemd-nspawn: power off, reboot, readiness told to it, user namespaces, read-only and volatile roots.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"
# shellcheck source=tests/lib/managers.sh
. "${0%/*}/../lib/managers.sh"

command -v systemd-nspawn >/dev/null || "$box_top/.ci/need" systemd-container >/dev/null 2>&1 ||
	skip_all "no systemd-nspawn here, and it cannot be installed"
at_exit() { managers_end; }

# A network of the story's own: without --private-network, nspawn leaves us the one it has.
nspawn_net=(unshare --net)
nspawn_settings=(--boot --kill-signal=SIGRTMIN+3)

# begin [VAR=VALUE...] [NSPAWN OPTIONS...]: starts it and waits for its PID 1.
begin() {
	local env=()
	while [[ ${1:-} == [A-Z]*=* ]]; do
		env+=("$1")
		shift
	done
	rm -f "$BOX/root/trace"
	: >"$BOX/console"
	STATUS='' BOX_PID=''
	env "${env[@]}" setpriv --pdeathsig TERM setsid "${nspawn_net[@]}" systemd-nspawn --quiet --keep-unit --register=no \
		--link-journal=no --console=pipe "${nspawn_settings[@]}" --directory="$BOX/root" "$@" </dev/null >"$BOX/console" 2>&1 &
	box_unshare=$!
	soon 'box_gone || BOX_PID=$(pid1_under "$box_unshare")'
	[[ $BOX_PID ]] || give_up "systemd-nspawn $* boots" "$(tail -n 5 "$BOX/console")"
}
start() {
	begin "$@"
	soon answers || give_up "systemd-nspawn $*: the units are up"
}

managers_units

# --- the ends ------------------------------------------------------------------------------------------------

start --private-network
check "it says whose container it is" "$(ctl status --json | grep -o '"container": *"[a-z]*"' | grep -c nspawn)" = 1
check "units are up, one of them in its image" "$(states web db)" = "running running"
check_ok "their words are on its console" grep -q '^web *| serving' "$BOX/console"
kill -TERM "$box_unshare"
ended
check "SIGTERM to nspawn: RTMIN+3 to us, an ordered stop" "$STATUS $(trace) $(grep -c 'stopping: signal 37' "$BOX/console")" = \
	"0 started stopped 1"
for verb in poweroff halt; do
	start --private-network
	ctl $verb >/dev/null
	ended
	check "coppice $verb, from inside: nspawn ends well" "$STATUS $(trace)" = "0 started stopped"
done
start --private-network
ctl exit 5 >/dev/null
ended
check "coppice exit 5: it is nspawn's status, too" "$STATUS" = 5
start --private-network
ctl reboot >/dev/null
ended
# It has to be started again by who started it; that is what 133 says where --keep-unit is given.
check "coppice reboot: nspawn says that it wants to be started again" "$STATUS $(trace)" = "133 started stopped"
start --private-network
signal_box INT
ended
check "SIGINT, which machinectl reboot sends, does the same" "$STATUS $(trace)" = "133 started stopped"

# --- the example ---------------------------------------------------------------------------------------------

# nspawn reads what lies beside the root by its name.
cp "$box_top/conf/examples/shop.nspawn" "$BOX/root.nspawn"
nspawn_settings=(--settings=trusted)
start
check "conf/examples/shop.nspawn: it boots, in a network of its own" "$(states web db) $(in_box ls /sys/class/net | xargs)" = \
	"running running lo"
kill -TERM "$box_unshare"
ended
check "and stops by its KillSignal=" "$STATUS $(trace) $(grep -c 'stopping: signal 37' "$BOX/console")" = "0 started stopped 1"
rm "$BOX/root.nspawn"
nspawn_settings=(--boot --kill-signal=SIGRTMIN+3)

# --- readiness -----------------------------------------------------------------------------------------------

script slow <<-'EOF'
	: >/asked
	read x </gate
	echo through
EOF
mkfifo "$BOX/root/gate"
unit slow <<-'EOF'
	[Service]
	Type=oneshot
	RemainAfterExit=yes
	ExecStart=/bin/slow
EOF
# Our systemd's end of NOTIFY_SOCKET.
"$box_python" -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)
' "$BOX/outer" >"$BOX/told" &
listener=$!
wait_for '[[ -S $BOX/outer ]]'
begin NOTIFY_SOCKET="$BOX/outer" --private-network --notify-ready=yes
wait_for '[[ -e $BOX/root/asked ]] && ctl ping'
check_fails "--notify-ready=yes: while a unit starts, nobody is told READY=1" grep -q READY=1 "$BOX/told"
echo >"$BOX/root/gate"
wait_for 'grep -q READY=1 "$BOX/told"'
check_ok "when all are up, it is" answers
ctl poweroff >/dev/null
ended
check "and power off is as ever" "$STATUS" = 0
kill $listener
rm "$BOX/units/slow.service"

# --- less ----------------------------------------------------------------------------------------------------

start
check "the network that is there already: it runs" "$(states web db)" = "running running"
ctl poweroff >/dev/null
ended

begin --private-network --read-only
wait_for '[[ $(states web db 2>/dev/null) = "running running" ]]'
check_ok "--read-only: units run, also in images" in_box test -e /run/coppice/root/db/etc
check_fails "nothing of that root was written" test -e "$BOX/root/trace"
ctl poweroff >/dev/null
ended
check "--read-only: a clean stop" "$STATUS" = 0

# /etc and /var are empty or a tmpfs then: units come from /usr/lib.
mkdir -p "$BOX/root/usr/lib/coppice"
cp "$BOX/units/web.service" "$BOX/root/usr/lib/coppice"
begin --private-network --volatile=state
wait_for '[[ $(states web 2>/dev/null) = running ]]'
passed "--volatile=state: units of the read-only root run"
ctl poweroff >/dev/null
ended
check "--volatile=state: a clean stop" "$STATUS" = 0
begin --private-network --volatile=overlay
wait_for '[[ $(states web db 2>/dev/null) = "running running" ]]'
ctl poweroff >/dev/null
ended
check "--volatile=overlay: units run, and what they wrote is gone" "$STATUS $(trace)" = "0 "
rm -r "$BOX/root/usr/lib/coppice"

# --- in a user namespace -------------------------------------------------------------------------------------

chown -Rh 200000:200000 "$BOX/root"
start --private-network --private-users=200000:65536
check "--private-users: root in there is nobody out here" "$(stat -c %u "/proc/$BOX_PID")" = 200000
check "units are up, one of them in its image" "$(states web db)" = "running running"
check_ok "root of the machine has no business on its control socket" eval \
	'! nsenter --target "$BOX_PID" --mount --pid -- /usr/bin/coppice ping 2>/dev/null'
ctl reboot >/dev/null
ended
check "it may reboot its own container" "$STATUS $(trace)" = "133 started stopped"
done_testing
