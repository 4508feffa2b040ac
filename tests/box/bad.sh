#!/usr/bin/env bash
# bad.sh - bad input, by name: one message each with file, line and remedy; the others boot, and PID 1 answers.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

image small
good='[Service]\nExecStart=/bin/sleep inf\n'
# shellcheck disable=SC2059 # it is meant as a format
file() { printf "${@:2}" >"$BOX/units/$1"; }

# --- what is wrong with it -----------------------------------------------------------------------------------

file good.service "$good"
file key.service '[Service]\nExecStrat=/bin/sleep inf\nExecStart=/bin/sleep inf\n'
file nul.service '[Service]\nExecStart=/bin/sleep\0 inf\n'
{
	printf '[Service]\nExecStart=/bin/sleep inf\nEnvironment=X='
	head -c 1048576 /dev/zero | tr '\0' x
	echo
} >"$BOX/units/long.service"
file crlf.service '[Service]\r\nExecStart=/bin/sleep inf\r\n'
mkfifo "$BOX/units/fifo.service"
mkdir "$BOX/units/dir.service"
ln -s /dev/zero "$BOX/units/device.service"
ln -s /nowhere "$BOX/units/dangling.service"
file section.service "${good}[Servise]\nUser=www\n"
file foreign.service "${good}MountFlags=shared\n"
file values.service "${good}Restart=sometimes\n"
file nothing.service '[Service]\nUser=www\n'
file lonely.service "${good}[Unit]\nRequires=nobody.service\n"
file ring1.service "${good}[Unit]\nRequires=ring2.service\n"
file ring2.service "${good}[Unit]\nRequires=ring3.service\n"
file ring3.service "${good}[Unit]\nRequires=ring1.service\n"
file group.pod '[Pod]\nPodName=group\n'
# These show when they start.
file image.service "${good}Image=absent\n"
file program.service '[Service]\nImage=small\nExecStart=/bin/absent\n'
file user.service "${good}Image=small\nUser=absent\n"
conf <<-'EOF'
	[Manager]
	ShutdownTimeout=20s
EOF

# --- boot ----------------------------------------------------------------------------------------------------

boot
check_ok "the others boot" ctl wait --timeout=5 good
check_ok "ping is answered within 100 ms" in_time
status=0
in_box coppice check >"$BOX/checked" 2>&1 || status=$?
check "coppice check finds the same, and exits with 1" "$status" = 1
# told UNIT TEXT MESSAGE: once on the console, once by check, and in the unit's status.
told() {
	local unit=$1 message=$3
	check "$2: told once on the console, with file, line and remedy" "$(grep -cF -- "$message" "$BOX/console")" = 1
	check "$2: by coppice check" "$(grep -cF -- "$message" "$BOX/checked")" = 1
	[[ ! $unit ]] || check "$2: in status" "$(status_of "$unit" state): $(status_of "$unit" why)" = "failed: $message"
}
told key "an unknown key" 'key.service:2: unknown setting "ExecStrat" in [Service]; did you mean ExecStart=?'
told nul "a NUL byte" 'nul.service:2: NUL byte; this is no text file, or it was damaged: write it anew'
told long "a line of a megabyte" 'long.service:3: line is longer than 1048574 bytes; shorten it'
told crlf "CRLF" "crlf.service:1: line ends in CR LF; convert the file: sed -i 's/\\r\$//' crlf.service"
told fifo "a FIFO" 'fifo.service: is a FIFO; it must be a regular file, or a link to one'
told dir "a directory" 'dir.service: is a directory; it must be a regular file, or a link to one'
told device "a device" 'device.service: is a device; it must be a regular file, or a link to one'
told dangling "a link to nowhere" 'dangling.service: is a link to "/nowhere", which is not there; create that, or remove the link'
told section "an unknown section" 'section.service:3: unknown section [Servise]; did you mean [Service]?'
told foreign "a setting that means nothing here" 'foreign.service:3: MountFlags=: not applicable: every unit with a root has mounts of its own; remove it'
told values "a bad value" 'values.service:3: Restart=: "sometimes" is none of no, always, on-success, on-failure, on-abnormal, on-abort, on-watchdog'
told nothing "no ExecStart=" 'nothing.service: no ExecStart=; say in [Service] which program to run'
told lonely "a requirement that is not there" 'lonely.service:4: Requires=: there is no unit "nobody"; create nobody.service, or drop it from Requires='
told ring1 "a cycle" 'ring1.service:4: ring1 needs ring2 needs ring3 needs ring1; remove one of these'
told '' "a pod" 'group.pod: not applicable: one container has one network; remove the file'
told '' "an unknown key of coppice.conf" 'coppice.conf:2: unknown setting "ShutdownTimeout" in [Manager]; did you mean ShutdownTimeoutSec=?'
check "the other units of the cycle say the same" "$(status_of ring2 state)/$(status_of ring3 state): $(status_of ring3 why | grep -c 'ring1 needs ring2')" = "failed/failed: 1"
check_status 1 "what has errors does not start" ctl start key
check_ok "and says so" grep -q 'key.service:2' <(ctl start key 2>&1)
check_ok "coppice check of a file without errors" in_box coppice check /etc/coppice/good.service
check_status 1 "of one with errors" in_box coppice check /etc/coppice/good.service /etc/coppice/key.service
check_status 2 "coppice check does not take an option it does not know" in_box coppice check --rot

# starts_not UNIT TEXT STATUS CONSOLE: what shows only when it is started.
starts_not() {
	wait_for '[[ $(status_of '"$1"' state) = failed ]]'
	check_ok "$2: in status, with the line" grep -qE -- "$3" <<<"$(status_of "$1" why)"
	check "$2: once on the console, with file, line and remedy" "$(grep -cE -- "$4" "$BOX/console")" = 1
}
starts_not image "a missing image" 'Image=absent: no such file; see image.service:3' \
	'image: .*see image.service:3 Image=: no image "absent" in /var/lib/coppice/images; put a root file system there'
starts_not program "a missing program" 'cannot run /bin/absent: no such file in image "small".*; see program.service:3' \
	'program: cannot run /bin/absent: no such file.*see program.service:3 ExecStart='
starts_not user "an unknown user" 'User=absent: no such user in image "small"; see user.service:4' \
	'user: .*see user.service:4 User=: user "absent", which is not in the image.s /etc/passwd; give a number'
in_box coppice check --root >"$BOX/checked" 2>&1
for unit in image:3 program:3 user:4; do
	check_ok "coppice check --root finds the ${unit%:*} without starting it" grep -q "^${unit%:*}.service:${unit#*:}: " "$BOX/checked"
done

down
check "a clean stop" "$STATUS" = 0

# --- a full /run ---------------------------------------------------------------------------------------------

rm -rf "$BOX"/units/*
for name in rooted hungry; do
	unit "$name" <<-'EOF'
		[Service]
		Image=small
		ExecStart=/bin/sleep inf
		Restart=always
	EOF
done
file plain.service "${good}Restart=always\n"
boot
check_ok "units are up" ctl wait --timeout=5 rooted hungry plain
ctl stop hungry
run=/proc/$BOX_PID/root/run
in_box mount -o "remount,size=256k,nr_inodes=$(($(stat -f -c %c "$run") - $(stat -f -c %d "$run") + 1))" /run
dd if=/dev/zero of="$run/filler" bs=4k 2>/dev/null
check_fails "/run is full" eval 'echo x 2>/dev/null >"$run/more" && [[ -s $run/more ]]'
check_fails "a full /run: a unit that needs room there does not start" ctl start --timeout=500ms hungry
check_ok "and says why" grep -q 'no space left' <<<"$(status_of hungry why)"
check_ok "ping is answered within 100 ms" in_time
check_ok "the others restart as ever" ctl restart plain rooted
rm -f "$run/filler" "$run/more"
in_box mount -o remount,nr_inodes=0 /run
check_ok "when there is room again it starts" ctl start --timeout=5 hungry

# --- a full process table ------------------------------------------------------------------------------------

# limit N: the container may have so many processes. By the pids controller, wherever it is.
pids=''
if [[ -e /sys/fs/cgroup/pids/cgroup.procs ]] && mkdir "/sys/fs/cgroup/pids/coppice-box-$$" 2>/dev/null; then
	pids=/sys/fs/cgroup/pids/coppice-box-$$
	inside=$(readlink "/proc/$BOX_PID/ns/pid")
	for proc in /proc/[0-9]*; do
		[[ $(readlink "$proc/ns/pid") != "$inside" ]] || echo "${proc#/proc/}" >"$pids/cgroup.procs"
	done
elif [[ -e ${box_cgroup:-/nothing}/pids.max ]]; then
	pids=$box_cgroup
fi
limit() { echo "$1" >"$pids/pids.max"; }
at_exit() { [[ ! $pids ]] || find "$pids" -depth -type d -exec rmdir {} + 2>/dev/null; }
if [[ $pids ]]; then
	ctl stop hungry
	# Also who removes its upper layer is a process.
	wait_for '[[ $(in_box ps -o comm | grep -cx "coppice *") = 1 ]]'
	limit "$(<"$pids/pids.current")"
	ctl start --no-wait hungry
	wait_for '[[ $(status_of hungry why) == "no process could be made: too many processes"* ]]'
	check "a full process table: a unit waits, with the reason" "$(status_of hungry state)" = backoff
	check_ok "ping is answered within 100 ms" in_time
	pid=$(status_of plain pid)
	check "the others run" "$(states plain rooted)" = "running running"
	# The place of the dead one is all there is, and others want it, too.
	ctl kill -s KILL plain
	limit max
	check_ok "when there is room again all go on by themselves" ctl wait --timeout=10 hungry plain
	check_ok "also what fell meanwhile" test "$(status_of plain pid)" != "$pid"
else
	skip "a full process table: a unit waits, with the reason" "no pids controller here"
fi
down
check "a clean stop after all that" "$STATUS" = 0
done_testing
