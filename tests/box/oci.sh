#!/usr/bin/env bash
# oci.sh - as Docker, Podman and Kubernetes run a container, by the very programs they run it with: crun and runc.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"
# shellcheck source=tests/lib/managers.sh
. "${0%/*}/../lib/managers.sh"

command -v crun >/dev/null || "$box_top/.ci/need" crun >/dev/null 2>&1 || skip_all "no crun here, and it cannot be installed"
# It refuses mixed cgroups v1 and v2 even where it is to leave them alone: in this story's mount namespace there is v2.
[[ ! -e /sys/fs/cgroup/unified/cgroup.procs ]] || mount --rbind /sys/fs/cgroup/unified /sys/fs/cgroup
# crun gives what it finds on its descriptors to the container's user: not the machine's /dev/null, please.
mount -t tmpfs -o mode=755 dev "$BOX/root/dev"
for node in null:3 zero:5 full:7 random:8 urandom:9; do
	mknod -m 666 "$BOX/root/dev/${node%:*}" c 1 "${node#*:}"
done
mknod -m 666 "$BOX/root/dev/tty" c 5 0
ln -s /proc/self/fd "$BOX/root/dev/fd" # bash wants it
mount --move "$BOX/root/dev" /dev
runtime=(crun --root "$BOX/run" --cgroup-manager=disabled)
root=$BOX/root
oci() { "${runtime[@]}" "$@"; }
at_exit() { oci delete --force c 2>/dev/null; }

# run MANAGER [BUNDLE OPTIONS...] -- ARG...: starts it; $STATUS will be its own.
run() {
	rm -f "$BOX/root/trace"
	: >"$BOX/console"
	mkdir -p "$BOX/bundle"
	"$box_python" "$box_top/tests/lib/bundle.py" "$1" "$root" "${@:2}" >"$BOX/bundle/config.json" || give_up "a bundle"
	STATUS='' BOX_PID=''
	setpriv --pdeathsig KILL "${runtime[@]}" run --bundle "$BOX/bundle" c </dev/null >"$BOX/console" 2>&1 &
	box_unshare=$!
	soon 'box_gone || { BOX_PID=$(oci state c | sed -n "s/.*\"pid\": *\([1-9][0-9]*\).*/\1/p") && [[ $BOX_PID ]]; }' ||
		give_up "$1: the container starts" "$(tail -n 5 "$BOX/console")"
}
up() {
	if ! soon 'box_gone || oci exec c /usr/bin/coppice wait --timeout=1s' || box_gone; then
		give_up "the units are up" "$(tail -n 20 "$BOX/console")"
	fi
	[[ ! -e $BOX/root/bin/serve ]] || wait_for '[[ $(trace) == *started ]]'
}
stop() { # SIGNAL [SECONDS]
	oci kill c "$1"
	ended "${2:-10}" || failed "it ends by signal $1"
}
state() { oci exec c /usr/bin/coppice status --json "$1" | "$box_python" -c 'import json, sys; print(json.load(sys.stdin)["units"][0]["state"])'; }
whose() { oci exec c /usr/bin/coppice status --json | grep -o '"container": *"[a-z]*"' | cut -d'"' -f4; }

managers_units
unit well <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
	HealthFile=/var/well
	HealthInterval=100ms
	HealthRetries=1
EOF
# What each leaves for us to know it by.
mark() {
	rm -f "$BOX"/root/{.dockerenv,run/.containerenv}
	touch "$BOX/root/var/well"
	case $1 in
	docker) touch "$BOX/root/.dockerenv" ;;
	podman) touch "$BOX/root/run/.containerenv" ;;
	esac
}

# --- what the examples say is what is run here ---------------------------------------------------------------

# words FILE KEY: the first list of words behind KEY, one a line.
words() { sed -n "s/^.*$2[^[]*\\(\\[.*\\]\\).*/\\1/p" "$box_top/conf/examples/$1" | head -n 1 | "$box_python" -c 'import json; print(*json.loads(input()), sep="\n")'; }
number() { sed -n "s/^ *$2: *\\([0-9]*\\)s*$/\\1/p" "$box_top/conf/examples/$1"; }
mapfile -t init < <(words Containerfile ENTRYPOINT)
mapfile -t health < <(words Containerfile HEALTHCHECK)
check "Containerfile, compose.yaml and pod.yaml ask for health alike" \
	"$(words compose.yaml 'test:' | tail -n +2 | xargs)=$(sed -n '/startupProbe/,$p' "$box_top/conf/examples/pod.yaml" | grep -c '"/usr/bin/coppice", "health"')" = "${health[*]}=2"
check "compose.yaml and pod.yaml grant a little more than coppice takes" \
	"$(($(number compose.yaml stop_grace_period) > 9 && $(number pod.yaml terminationGracePeriodSeconds) > 25))" = 1
check_ok "pod.yaml: it is alive where PID 1 answers" eval 'sed -n "/livenessProbe/,\$p" "$box_top/conf/examples/pod.yaml" | grep -q "\"/usr/bin/coppice\", \"ping\""'

# --- as the container's init ---------------------------------------------------------------------------------

for manager in docker podman kubernetes; do
	mark $manager
	run $manager -- "${init[@]}"
	up
	check "$manager: we know whose container it is" "$(whose)" = $manager
	check "$manager: the units run, one of them in its image, without CAP_SYS_ADMIN" "$(state web) $(state db)" = "running running"
	check_ok "$manager: they say so on the container's stdout" grep -q '^web *| serving$' "$BOX/console"
	check "$manager: what is lost without mounts is told, once" "$(grep -c 'images run by chroot' "$BOX/console")" = 1
	check_status 0 "$manager: coppice health, as a health check runs it" oci exec c "${health[@]}"
	check_status 0 "$manager: coppice ping, as a liveness probe runs it" oci exec c /usr/bin/coppice ping
	rm "$BOX/root/var/well"
	wait_for '[[ $(state well) == unhealthy ]]'
	check_status 1 "$manager: and 1 where a unit is not well" oci exec c "${health[@]}"
	stop TERM
	check "$manager: SIGTERM is an ordered stop, status 0" "$STATUS $(trace)" = "0 started stopped"
done

mark docker
run docker -- /sbin/init
up
stop 37
check "STOPSIGNAL SIGRTMIN+3 means the same" "$STATUS $(trace)" = "0 started stopped"

for row in "exit 7:7" "poweroff:0" "halt:0" "reboot:133"; do
	run podman -- /sbin/init
	up
	# shellcheck disable=SC2086 # a verb and its argument
	oci exec c /usr/bin/coppice ${row%:*} >/dev/null 2>&1
	ended
	check "coppice ${row%:*}: the container's status is ${row#*:}, after an ordered stop" "$STATUS $(trace)" = "${row#*:} started stopped"
done
check_ok "a reboot that is refused is told" grep -q 'reboot: Operation not permitted; leaving with status 133 instead' "$BOX/console"

unit boss <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'read x </gate; eval "$x"'
	Critical=yes
EOF
mkfifo "$BOX/root/gate"
for row in "exit 3:3" 'kill -KILL $$:137' "exit 0:0"; do
	run docker -- /sbin/init
	up
	echo "${row%:*}" >"$BOX/root/gate"
	ended
	check "the critical unit's ${row%:*}: the container's status" "$STATUS" = "${row##*:}"
done
rm "$BOX/units/boss.service"

# Docker and Podman send SIGKILL after ten seconds. That must not be needed.
unit stubborn <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'trap "" TERM; : >/var/deaf; while :; do sleep inf; done'
EOF
run docker -- /sbin/init
up
wait_for '[[ -e $BOX/root/var/deaf ]]'
stop TERM 10
check "a unit that does not stop is killed before Docker kills us all" "$STATUS $(trace)" = "0 started stopped"
rm "$BOX/units/stubborn.service"

# --- in a user namespace -------------------------------------------------------------------------------------

cp -a "$BOX/root" "$BOX/mine"
chown -Rh 300000:300000 "$BOX/root"
# Where the tree lies may be closed to everybody but root.
mount --bind "$BOX/root" /mnt
root=/mnt
run podman --user-namespace -- /sbin/init
up
check "a user namespace, as rootless Podman has one: root in there is nobody out here" "$(stat -c %u "/proc/$BOX_PID")" = 300000
check "the units run" "$(state web) $(state db)" = "running running"
stop TERM
check "and stop in order" "$STATUS $(trace)" = "0 started stopped"
umount /mnt
root=$BOX/root
rm -rf "$BOX/root"
mv "$BOX/mine" "$BOX/root"

# --- in place of their own inits -----------------------------------------------------------------------------

script job <<-'EOF'
	sleep inf &
	until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done
	trap 'echo stopped >>/trace; exit 3' TERM
	echo started >>/trace
	wait
EOF
for at in docker:/sbin/docker-init docker:/dev/init podman:/run/podman-init podman:/dev/init; do
	run "${at%:*}" --bind "$COPPICE:${at#*:}" -- "${at#*:}" -- /bin/job
	wait_for '[[ $(trace) == started ]]'
	stop TERM
	check "${at#*:} -- COMMAND: SIGTERM reaches the command, its status is the container's" "$STATUS $(trace)" = "3 started stopped"
done
for row in "exit 5:5" 'kill -KILL $$:137' "exit 0:0"; do
	run docker --bind "$COPPICE:/sbin/docker-init" -- /sbin/docker-init -s -- /bin/sh -c "${row%:*}"
	ended
	check "docker-init -s -- sh -c '${row%:*}': ${row##*:}" "$STATUS" = "${row##*:}"
done
run podman --bind "$COPPICE:/run/podman-init" -- /run/podman-init -- /no/such/program
ended
check "a command that is not there: 127" "$STATUS" = 127

# --- runc ----------------------------------------------------------------------------------------------------

mark docker
if ! command -v runc >/dev/null && ! "$box_top/.ci/need" runc >/dev/null 2>&1; then
	skip "runc" "it is not here and cannot be installed"
else
	runtime=(runc --root "$BOX/run")
	run docker -- /sbin/init
	if box_gone; then
		skip "runc" "it cannot run here: $(tail -n 1 "$BOX/console")"
	else
		up
		check "runc: the units run" "$(state web) $(state db)" = "running running"
		check_status 0 "runc: coppice health" oci exec c /usr/bin/coppice health
		stop TERM
		check "runc: SIGTERM is an ordered stop" "$STATUS $(trace)" = "0 started stopped"
	fi
fi
done_testing
