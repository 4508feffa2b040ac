#!/usr/bin/env bash
# app.sh - an image as a container: what its config says is done, its end is the container's, and an init keeps PID 1.
# TIMEOUT 300
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

# oci [FILE] <<EOF: a config, by default where init looks for one.
oci() { cat >"${1:-$BOX/units/oci.json}"; }
proc() { in_box sed -n "s/^$1:[[:space:]]*//p" "/proc/$(status_of app pid)/status" | tr '\t' ' '; }
env_of() { in_box cat "/proc/$(status_of app pid)/environ" | tr '\0' '\n' | sed -n "s/^$1=//p"; }
wrote() { cat "$BOX/root/trace" 2>/dev/null; }
forget() {
	rm -f "$BOX/root/trace"
	install -m 666 /dev/null "$BOX/root/trace"
}
serving() { [[ -e /proc/$BOX_PID/root/run/serves ]]; }

script serve <<-'EOF'
	trap 'echo hup >>/trace' HUP
	trap 'echo winch >>/trace' WINCH
	trap 'echo quit >>/trace; exit 0' QUIT
	echo "$0 $*" >>/trace
	echo "hello from the app"
	: >/run/serves
	while :; do
		sleep inf &
		wait $!
	done
EOF
script well <<-'EOF'
	[ -e /run/is-well ]
EOF

# --- what the config says --------------------------------------------------------------------------------------

oci <<-'EOF'
	{"architecture": "amd64", "config": {
		"Env": ["PATH=/opt/bin:/bin", "COLOUR=red", "SIZE=big", "odd.name=`touch /x` $(touch /x) \"q\" $HOME"],
		"Entrypoint": ["serve", "it's $HOME"], "Cmd": ["image's", "own"], "WorkingDir": "/srv/made/here", "User": "www:staff",
		"StopSignal": "SIGQUIT", "Volumes": {"/var/lib/app": {}}, "ExposedPorts": {"80/tcp": {}},
		"Healthcheck": {"Test": ["CMD", "well"], "Interval": 100000000, "Timeout": 2000000000, "Retries": 2}}}
EOF
conf <<-'EOF'
	[Boot]
	Tmpfs=
	Tmpfs=/run:mode=1777
EOF
forget
boot COLOUR=blue PATH=/sbin:/usr/bin:/bin HOME=/manager container=other
wait_for serving
check "no unit, but oci.json: one unit, app" "$(ctl status --json | "$box_python" -c 'import json, sys; print(*[u["unit"] for u in json.load(sys.stdin)["units"]])')" = app
check "entrypoint and command, to the letter" "$(wrote)" = "/bin/serve it's \$HOME image's own"
check "what the manager says outdoes the config, but for PATH" "$(env_of COLOUR) $(env_of SIZE) $(env_of PATH) $(env_of container)" = \
	"blue big /opt/bin:/bin other"
check "a variable is data, whatever it is called and says" "$(env_of odd.name)" = '`touch /x` $(touch /x) "q" $HOME'
check_fails "and nothing of it is executed" test -e "$BOX/root/x"
check "the home is the user's own" "$(env_of HOME) $(env_of USER)" = "/var/www www"
check "user and group are those of the container's passwd" "$(proc Uid) $(proc Gid)" = "1000 1000 1000 1000 50 50 50 50"
check "the directory is made" "$(in_box readlink "/proc/$(status_of app pid)/cwd")" = /srv/made/here
check_ok "and so is that of a volume" in_box test -d /var/lib/app
check "nothing is ignored for it" "$(proc SigIgn)" = 0000000000000000
check "all boot steps are done" "$(in_box cat /proc/sys/net/ipv4/ip_forward) $(awk '$5 == "/run"' "/proc/$BOX_PID/mountinfo" | wc -l)" = "0 1"
check "its output is the container's" "$(grep -c 'hello from the app' "$BOX/console")" = 1

wait_for '[[ $(status_of app health.result) = failure ]]'
check_status 1 "its health check counts, with its own times: not well" ctl health
in_box touch /run/is-well
wait_for '[[ $(status_of app health.result) = success ]]'
check_ok "and well" ctl health
shown() { ctl show app | grep -c "^$1 *# /etc/coppice/oci.json\$"; }
check "show tells where it is from" \
	"$(shown Container.HealthInterval=100ms) $(shown Container.HealthTimeout=2s) $(shown Container.HealthRetries=2) $(shown Service.User=www)" = "1 1 1 1"

pid=$(status_of app pid)
forget
signal_box HUP
wait_for '[[ $(wrote) = hup ]]'
signal_box WINCH
wait_for '[[ $(wrote | xargs) = "hup winch" ]]'
check "SIGHUP, and what means nothing to PID 1, is the app's" "$(status_of app pid)" = "$pid"
check "exec is as the app is" "$(ctl exec app sh -c 'id -u; pwd; echo $SIZE' | xargs)" = "1000 /srv/made/here big"

in_box rm /run/serves
in_box kill -KILL "$pid"
wait_for 'serving && [[ $(status_of app pid) ]]'
check "what is killed is started again" "$(status_of app restarts) $([[ $(status_of app pid) != "$pid" ]] && echo new)" = "1 new"
forget
down QUIT
check "the config's stop signal, as docker stop sends it to PID 1: an ordered stop" "$STATUS $(wrote) $(grep -c 'stopping: signal 3' "$BOX/console")" = "0 quit 1"
boot
wait_for serving
forget
down
check "any other stop reaches the app as its own signal" "$STATUS $(wrote)" = "0 quit"
rm "$BOX/units/oci.json" "$BOX/units/coppice.conf"

# --- how it ends -----------------------------------------------------------------------------------------------

oci "$BOX/root/runtime.json" <<-'EOF'
	{"process": {"args": ["/bin/sh", "-c", "exit 3"], "env": ["PATH=/bin"], "cwd": "/", "user": {"uid": 0, "gid": 0}}}
EOF
oci "$BOX/root/small.json" <<-'EOF'
	{"workdir": "/tmp", "user": "root", "entrypoint": ["/bin/sh", "-c"], "cmd": ["exit 4"]}
EOF
oci "$BOX/root/nowhere.json" <<<'[{"Config": {"Cmd": ["/bin/nowhere"]}}]'
oci "$BOX/root/plain.json" <<<'{"config": {"Cmd": ["/etc/passwd"]}}'
oci "$BOX/root/who.json" <<<'{"config": {"Cmd": ["/bin/sh"], "User": "nemo"}}'
oci "$BOX/root/bad.json" <<<'{"config": {"Cmd": "/bin/sh", "User": 7}}'
oci "$BOX/root/self.json" <<<'{"config": {"Entrypoint": ["/sbin/init"]}}'

# ends STATUS TEXT [INIT OPTIONS...]: how the container ends by itself.
ends() {
	local want=$1 text=$2
	shift 2
	boot_bg --no-boot "$@"
	ended 15
	check "$text" "$STATUS" = "$want"
}
conf <<-'EOF'
	[Manager]
	Supervise=once
EOF
ends 3 "Supervise=once: a runtime config's command, and its status" --oci /runtime.json
ends 4 "the small form's" --oci /small.json
for n in 0 1 77 126 127 200 203 217 255; do
	ends $n "status $n" --oci /small.json -- "exit $n"
done
# Not SIGQUIT, which busybox's shell ignores for itself.
for sig in 1 2 6 9 11 12 13 15 31 40; do
	ends $((128 + sig)) "killed by signal $sig: $((128 + sig))" --oci /small.json -- "kill -$sig \$\$"
done
rm "$BOX/units/coppice.conf"
ends 0 "supervised, a clean end is the end, too" --oci /small.json -- 'exit 0'
forget
ends 9 "what fails again and again ends the container with its status" --oci /small.json -- 'echo run >>/trace; exit 9'
check "after five starts" "$(wrote | wc -l)" = 5
ends 127 "a program that is not there: 127" --oci /nowhere.json
check "tried once, and told" "$(grep -c 'cannot run /bin/nowhere: no such file' "$BOX/console")" = 1
ends 126 "one that cannot be run: 126" --oci /plain.json
ends 217 "a user who is not there: 217" --oci /who.json
ends 78 "a config that is no good: 78" --oci /bad.json
check "with what is wrong in it" "$(grep -c '/bad.json: .*: is a' "$BOX/console")" = 2
ends 78 "one that is not there: 78" --oci /none.json

# --- it keeps PID 1 --------------------------------------------------------------------------------------------

cat >"$BOX/root/init" <<-'EOF'
	#!/bin/sh
	trap 'exit 5' TERM
	{
		echo "$$ $* $FOO $(pwd) $(id -u)"
		sed -n 's/^Sig\([BI]..\):[[:space:]]*/signals \1 /p' /proc/$$/status
		sed -n 's/^CapEff:[[:space:]]*/caps /p' /proc/$$/status
		echo "files $(ulimit -Sn)"
	} >/trace
	: >/run/serves
	while :; do
		sleep inf &
		wait $!
	done
EOF
chmod 755 "$BOX/root/init"
oci "$BOX/root/s6.json" <<<'{"config": {"Entrypoint": ["/init"], "Cmd": ["a b"], "Env": ["FOO=image", "PATH=/bin"], "WorkingDir": "/srv/s6"}}'
# The story has to see who is there before it is somebody else.
script seen <<-'EOF'
	until [ -e /seen ]; do sleep 0.01; done
	rm /seen
EOF
conf <<-'EOF'
	[Boot]
	PreLaunch=/bin/seen
EOF
boot_bg FOO=manager --oci /s6.json
touch "$BOX/root/seen"
wait_for serving
check "an image whose entrypoint is an init: it is PID 1, after the boot steps" \
	"$(wrote | head -n 1) $(awk '$5 == "/run"' "/proc/$BOX_PID/mountinfo" | wc -l)" = "1 a b manager /srv/s6 0 1"
# SIGQUIT is what busybox's shell ignores for itself, 10 is the script that it reads.
check "no signal is blocked or ignored" "$(wrote | sed -n 's/^signals //p' | xargs)" = "Blk 0000000000000000 Ign 0000000000000004"
check "nothing of ours is open" "$(in_box ls /proc/1/fd | sort -n | xargs)" = "0 1 2 10"
check "it may do what PID 1 might" "$(wrote | sed -n 's/^caps //p')" = "$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)"
check "with the limit of descriptors that PID 1 was given" "$(wrote | sed -n 's/^files //p')" = "$(ulimit -Sn)"
check "no helper is left" "$(in_box ps -o args | grep -c '[c]oppice')" = 0
down
check "it ends as it likes" "$STATUS" = 5
rm "$BOX/units/coppice.conf"

conf <<-'EOF'
	[Manager]
	Supervise=exec
EOF
ends 12 "Supervise=exec: another program" --oci /small.json -- 'exit 12'
ends 127 "that is not there" --oci /nowhere.json
ends 217 "or has no user" --oci /who.json
ends 126 "or cannot be run" --oci /plain.json
check_ok "which is told, with the config" grep -q 'app: cannot run /etc/passwd: .*see /plain.json Exec=' "$BOX/console"
ends 78 "an entrypoint that is coppice itself does not go round" --oci /self.json
check_ok "but is told" grep -q 'app: /sbin/init is coppice itself' "$BOX/console"
rm "$BOX/units/coppice.conf"

# A stop before that is not lost: the pre-launch program is still running when it comes.
script slow <<-'EOF'
	: >/run/serves
	sleep 2
EOF
conf <<-'EOF'
	[Boot]
	PreLaunch=/bin/slow
EOF
forget
boot_bg --oci /s6.json
wait_for serving
down
check "a stop while it boots: the init is never begun" "$STATUS $(wrote)" = "0 "
rm "$BOX/units/coppice.conf"

# --- on paper --------------------------------------------------------------------------------------------------

outside() { chroot "$BOX/root" /usr/bin/coppice "$@"; }
check "dry-run: an init" "$(outside init --dry-run --oci /s6.json | tail -n 1 | xargs)" = "exec app wave 0"
check "dry-run: another" "$(outside init --dry-run --oci /small.json | tail -n 1 | xargs)" = "start app wave 0"
check_status 1 "check reads a config" outside check /bad.json
check_ok "a good one, too" outside check /s6.json
check_status 2 "arguments need --oci" outside init -- x
unit real <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
EOF
oci <<<'{"config": {"Cmd": ["/bin/sh"]}}'
boot
check "where there is a unit, oci.json is not looked at" "$(states real app)" = "running none"
down
rm "$BOX/units/real.service" "$BOX/units/oci.json"

# --- images of units -------------------------------------------------------------------------------------------

image web
mkdir -p "$BOX/images/web/data"
echo seed >"$BOX/images/web/data/seed"
chmod 777 "$BOX/images/web/data"
oci "$BOX/images/web.json" <<-'EOF'
	{"config": {"Env": ["A=image", "B=image", "PATH=/bin"], "Entrypoint": ["/bin/sh", "-c"], "Cmd": ["echo $0 $A $B $C >/data/out; exec sleep inf"],
		"WorkingDir": "/made", "User": "www", "Volumes": {"/data": {}}}}
EOF
unit one <<-'EOF'
	[Service]
	Image=web
	Environment=B=unit
EOF
unit two <<-'EOF'
	[Container]
	Image=web
	Exec="echo $$0 other >/data/out; exec sleep inf" $A
	User=root
EOF
boot C=manager
check_ok "units made of nothing but an image" ctl wait --timeout=5 one two
wait_for '[[ -s $BOX/volumes/one+data/out && -s $BOX/volumes/two+data/out ]]'
check "its environment yields to the unit's; the container's stays outside" "$(cat "$BOX/volumes/one+data/out")" = "/bin/sh image unit"
check "Exec= in place of Cmd, with the image's variables" "$(cat "$BOX/volumes/two+data/out")" = "image other"
check "the volume begins with what the image has there" "$(cat "$BOX/volumes/one+data/seed")" = seed
who() { in_box stat -c %u "/proc/$(status_of "$1" pid)"; }
check "user and directory" "$(who one) $(in_box readlink "/proc/$(status_of one pid)/cwd") $(who two)" = "1000 /made 0"
ctl stop one
ctl start one
check_ok "what is in it outlives the unit" test -s "$BOX/volumes/one+data/seed"
down
check "a clean stop" "$STATUS" = 0

# Where nothing may be mounted, a volume that only the image asks for is no reason not to start.
box_spawn "$BOX/root" "$box_console" PATH=/bin:/sbin:/usr/bin "$(command -v setpriv)" --bounding-set=-sys_admin -- /sbin/init --no-boot
wait_for '[[ -S /proc/$BOX_PID/root/run/coppice/control.sock ]] && ctl wait --timeout=5 one'
check "by chroot it goes without" "$(status_of one state)" = running
wait_for '[[ -s $BOX/images/web/data/out ]]'
down
done_testing
