#!/usr/bin/env bash
# box.sh - what a story needs to run coppice as PID 1 of a small container: make it, watch it, end it.
#
# A story is an executable tests/box/NAME.sh that reads from top to bottom:
#
#	#!/usr/bin/env bash
#	# restart.sh - a service that dies is run again.
#	# shellcheck source=tests/lib/box.sh disable=SC2016
#	. "${0%/*}/../lib/box.sh"
#
#	image small
#	unit web <<-EOF
#		[Service]
#		Image=small
#		ExecStart=/bin/sleep inf
#		Restart=always
#	EOF
#	boot
#	first=$(status_of web pid)
#	ctl kill -s KILL web
#	wait_for '[[ $(status_of web pid) != "$first" ]]'
#	check "it came back" "$(status_of web state)" = ready
#	down
#	check "a clean stop" "$STATUS" = 0
#	done_testing
#
# Making       unit NAME <<EOF, conf <<EOF, image NAME, script NAME <<EOF, and whatever else under $BOX/root
# Running      boot [VAR=VALUE...] [INIT OPTIONS...], boot_bg, ctl VERB..., in_box CMD..., signal_box SIG,
#              ended [SECONDS], down [SIG], console, status_of UNIT FIELD, states UNIT...
# Waiting      wait_for 'EXPRESSION' [SECONDS], soon 'EXPRESSION' [SECONDS], idle MILLISECONDS
# Judging      check TEXT TEST-ARGS..., check_ok TEXT CMD..., check_fails TEXT CMD..., check_status N TEXT CMD...,
#              skip TEXT REASON, skip_all REASON, done_testing
#
# $BOX is the story's own tmpfs: units/ images/ volumes/ (links into root/), root/ (the container's), console
# (what PID 1 and its units print), said (what the last check_... command printed).
# The story and its container live in a mount namespace and a cgroup of their own, and the container dies with
# the story, however that ends: no process, no mount, no directory stays behind.
#
# From the environment: COPPICE=FILE tries another binary, BOX_PATIENCE=N makes every deadline N times longer,
# BOX_BARE=yes boots without /proc, /sys and /dev, BOX_CGROUP=no without /sys/fs/cgroup, BOX_NET=FILE in a network
# namespace that is there already.
#
# shellcheck disable=SC2016 # soon and wait_for evaluate what they are given
set -u
export LC_ALL=C

box_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${COPPICE:=$box_top/coppice}"
box_story=$(basename "$0" .sh)
BOX=$box_top/build/box/at
BOX_PID='' STATUS=''
box_console=$BOX/console box_unshare='' box_cgroup='' box_checks=0 box_failures=0 box_told='' box_finished='' box_keep='' box_linger=''

# --- judging: TAP on stdout ----------------------------------------------------------------------------------

comment() { printf '%s\n' "$*" | sed 's/^/# /'; }

# These print; demo.sh has others for people.
tap_pass() { printf 'ok %d - %s\n' "$box_checks" "$1"; }
tap_fail() { printf 'not ok %d - %s\n' "$box_checks" "$1"; }
tap_plan() { printf '1..%d\n' "$box_checks"; }

passed() {
	box_checks=$((box_checks + 1))
	tap_pass "${1//\#/}"
}

# failed TEXT [WHY]: the first one shows the end of the console as well.
failed() {
	box_checks=$((box_checks + 1))
	box_failures=$((box_failures + 1))
	tap_fail "${1//\#/}"
	[[ -z ${2:-} ]] || comment "$2"
	if [[ ! $box_told && -s $box_console ]]; then
		box_told=yes
		comment "the console's last lines:"
		comment "$(tail -n 20 "$box_console")"
	fi
}

# check TEXT TEST-ARGS...: as test(1) judges them.
check() {
	local text=$1 said
	shift
	if said=$(test "$@" 2>&1); then
		passed "$text"
	else
		failed "$text" "test$(printf ' %q' "$@")${said:+: $said}"
	fi
}

check_ok() { check_status 0 "$@"; }

# check_fails TEXT CMD...: any failure will do; check_status is stricter. A command that is not there proves nothing.
check_fails() {
	local text=$1 status=0
	shift
	"$@" >"$BOX/said" 2>&1 || status=$?
	if [[ $status -ne 0 && $status -ne 126 && $status -ne 127 ]]; then
		passed "$text"
	else
		failed "$text" "exit status $status from$(printf ' %q' "$@"): $(tail -n 20 "$BOX/said")"
	fi
}

# check_status N TEXT CMD...: the command runs in this shell, so boot, down and the like may be judged too.
check_status() {
	local want=$1 text=$2 status=0
	shift 2
	"$@" >"$BOX/said" 2>&1 || status=$?
	if [[ $status -eq $want ]]; then
		passed "$text"
	else
		failed "$text" "exit status $status, not $want, from$(printf ' %q' "$@"): $(tail -n 20 "$BOX/said")"
	fi
}

skip() {
	box_checks=$((box_checks + 1))
	printf 'ok %d - %s # SKIP %s\n' "$box_checks" "$1" "$2"
}

skip_all() {
	printf '# SKIP %s\n' "$1"
	box_finished=yes
	exit 77
}

# Without this, a typo in a story would be a line on stderr and nothing more.
command_not_found_handle() {
	echo "$1: command not found" | tee -a "$BOX/unknown" >&2
	return 127
}

# A story that cannot go on: one failed check, and out.
give_up() {
	failed "$@"
	done_testing
}

done_testing() {
	[[ ! -e $BOX/unknown ]] || failed "the story calls only commands that exist" "$(<"$BOX/unknown")"
	box_finished=yes
	tap_plan
	[[ $box_failures -eq 0 && $box_checks -gt 0 ]]
	exit
}

# --- waiting: always for something, never longer than a deadline ---------------------------------------------

# soon 'EXPRESSION' [SECONDS]: true as soon as the expression is, false once the deadline has passed.
soon() {
	local start=${EPOCHREALTIME/./} limit=$((${2:-10} * ${BOX_PATIENCE:-1} * 1000)) spent=0
	until eval "$1" >/dev/null 2>&1; do
		spent=$(((${EPOCHREALTIME/./} - start) / 1000))
		((spent < limit)) || return 1
		# The longer it takes, the less often: looking must not take the time that what is looked at needs.
		idle $((spent < 40 ? 4 : spent < 500 ? spent / 10 : 50))
	done
}

# wait_for 'EXPRESSION' [SECONDS]: a deadline that passes is a failed check; what comes true in time is not counted.
wait_for() {
	soon "$@" || {
		failed "waited $((${2:-10} * ${BOX_PATIENCE:-1})) s in vain for: $1"
		return 1
	}
}

# idle MILLISECONDS: lets time pass, to prove that something does not happen in it.
idle() { sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"; }

# --- making --------------------------------------------------------------------------------------------------

# A root with static busybox and a relative link for each of its applets, made once and copied from then on.
# Relative, for a link to /bin/busybox would lead out of an image that is looked at from outside.
box_template() {
	local busybox applet made
	busybox=$(command -v busybox) || skip_all "no busybox here; install busybox-static"
	box_template_dir=$box_top/build/box/template-$(stat -L -c '%s-%Y' "$busybox")
	if [[ ! -d $box_template_dir ]]; then
		made=$(mktemp -d "$box_template_dir.XXXXXX")
		mkdir "$made"/{bin,dev,etc,proc,root,run,sys,tmp,var}
		chmod 755 "$made"
		chmod 1777 "$made/tmp"
		cp -L "$busybox" "$made/bin/busybox"
		for applet in $("$busybox" --list); do
			[[ $applet == busybox ]] || ln -s busybox "$made/bin/$applet"
		done
		cat >"$made/etc/passwd" <<-PASSWD
			root:x:0:0:root:/root:/bin/sh
			www:x:1000:1000:web server:/var/www:/bin/sh
			nobody:x:65534:65534:nobody:/:/bin/false
		PASSWD
		cat >"$made/etc/group" <<-GROUP
			root:x:0:
			staff:x:50:www
			www:x:1000:
			nogroup:x:65534:
		GROUP
		mkdir -p "$made/var/www"
		# Another story may have been faster.
		mv -T "$made" "$box_template_dir" 2>/dev/null || rm -rf "$made"
	fi
}

# unit NAME[.KIND] <<EOF: writes a unit file; NAME.service.d/x.conf writes a drop-in.
unit() {
	local file=$1
	[[ ${file##*/} == *.* ]] || file=$file.service
	mkdir -p "$(dirname "$BOX/units/$file")"
	cat >"$BOX/units/$file"
}

conf() { cat >"$BOX/units/coppice.conf"; }

# script NAME [IMAGE] <<EOF: a program for busybox sh, /bin/NAME in the container's own root or in an image.
script() {
	local file=${2:+$BOX/images/$2}
	file=${file:-$BOX/root}/bin/$1
	{
		echo '#!/bin/sh'
		cat
	} >"$file"
	chmod 755 "$file"
}

# image NAME: a root file system with busybox, and the users root, www (1000, also in staff) and nobody.
image() {
	cp -a "$box_template_dir" "$BOX/images/$1"
	printf 'ID=%s\nPRETTY_NAME="the image %s"\n' "$1" "$1" >"$BOX/images/$1/etc/os-release"
}

box_make() {
	[[ -x $COPPICE ]] || give_up "there is $COPPICE" "run make first"
	box_template
	cp -a "$box_template_dir" "$BOX/root"
	mkdir -p "$BOX"/root/{etc/coppice,sbin,usr/bin,usr/lib,var/lib/coppice/images,var/lib/coppice/volumes}
	printf 'ID=box\nPRETTY_NAME="the container"\n' >"$BOX/root/etc/os-release"
	ln -s root/etc/coppice "$BOX/units"
	ln -s root/var/lib/coppice/images "$BOX/images"
	ln -s root/var/lib/coppice/volumes "$BOX/volumes"
	cp -L "$COPPICE" "$BOX/root/sbin/init"
	ln -s ../../sbin/init "$BOX/root/usr/bin/coppice"
}

# --- running -------------------------------------------------------------------------------------------------

# What PID 1 does before it becomes init: the mounts that a container manager makes. For busybox sh, which has all
# these commands built in and is done in half the time.
# Moving the root over / instead of a bare chroot makes it a root that can be pivoted, as every manager leaves it.
box_pid1='
	set -e
	root=$1 bare=$2 cgroup=$3
	shift 3
	mount --rbind "$root" "$root"
	cd "$root"
	if [ ! "$bare" ]; then
		mount -t proc -o nosuid,nodev,noexec proc proc
		mount -t sysfs -o nosuid,nodev,noexec sysfs sys
		[ ! "$cgroup" ] || mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
		mount -t tmpfs -o nosuid,mode=755 dev dev
		mknod -m 666 dev/null c 1 3
		mknod -m 666 dev/zero c 1 5
		mknod -m 666 dev/full c 1 7
		mknod -m 666 dev/random c 1 8
		mknod -m 666 dev/urandom c 1 9
		mknod -m 666 dev/tty c 5 0
		mkdir dev/pts
		mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
		ln -s pts/ptmx dev/ptmx
		ln -s /proc/self/fd dev/fd
		ln -s /proc/self/fd/0 dev/stdin
		ln -s /proc/self/fd/1 dev/stdout
		ln -s /proc/self/fd/2 dev/stderr
	fi
	mount --move . /
	exec env -i "$@"
'

# box_spawn ROOT CONSOLE [VAR=VALUE...] -- INIT [ARG...]: starts ROOT/INIT as PID 1; $BOX_PID is its pid out here.
box_spawn() {
	local root=$1 console=$2 words=() die=(setpriv --pdeathsig KILL) kill=(--kill-child) net=(--net)
	shift 2
	while [[ $1 != -- ]]; do
		words+=("$1")
		shift
	done
	words+=("$(command -v chroot)" . "${@:2}")
	[[ ! $box_linger ]] || die=() kill=()
	[[ ! ${BOX_NET:-} ]] || die+=(nsenter "--net=$BOX_NET" --) net=()
	STATUS='' BOX_PID=''
	(
		for fd in {3..9}; do
			eval "exec $fd>&-" # a manager's PID 1 has its three descriptors and no more
		done
		# Its cgroup becomes the root of its cgroup namespace.
		[[ ! $box_cgroup ]] || echo "$BASHPID" >"$box_cgroup/cgroup.procs"
		exec "${die[@]}" setsid unshare --pid --fork "${kill[@]}" --mount "${net[@]}" --uts --ipc --cgroup --propagation private \
			busybox sh -c "$box_pid1" box "$root" "${BOX_BARE:-}" "$box_cgroup" "${words[@]}"
	) </dev/null >"$console" 2>&1 &
	box_unshare=$!
	# The pid is good once the shell above has become init. An init that is quick to die may never be seen.
	soon 'box_gone || { BOX_PID=$(</proc/$box_unshare/task/$box_unshare/children)
		BOX_PID=${BOX_PID%% *}
		[[ /proc/$BOX_PID/exe -ef '"$root$2"' ]]; }'
}

box_gone() { [[ ! -e /proc/$box_unshare ]]; }

# boot_bg [VAR=VALUE...] [INIT OPTIONS...]: starts coppice as PID 1, with this environment and these options.
boot_bg() {
	local env=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
	while [[ ${1:-} == [A-Za-z_]*=* ]]; do
		env+=("$1")
		shift
	done
	box_spawn "$BOX/root" "$box_console" "${env[@]}" -- /sbin/init "$@" || give_up "PID 1 starts"
}

# boot [VAR=VALUE...] [INIT OPTIONS...]: the same, and waits until it answers.
boot() {
	boot_bg "$@"
	soon 'box_gone || { [[ -S /proc/$BOX_PID/root/run/coppice/control.sock ]] && ctl rpc ping; }' ||
		give_up "PID 1 answers on its control socket within 10 s"
	if box_gone; then
		ended
		give_up "PID 1 boots" "it ended with status $STATUS"
	fi
}

# A command inside the container's namespaces, with its root. It may hang no longer than a minute.
box_enter() {
	[[ $BOX_PID ]] || {
		echo "box: nothing is running here" >&2
		return 127
	}
	timeout --foreground $((60 * ${BOX_PATIENCE:-1})) \
		nsenter --target "$BOX_PID" --mount --uts --ipc --net --pid --cgroup -- "$@"
}

ctl() { box_enter /usr/bin/coppice "$@"; }
in_box() { box_enter "$@"; }
# slowest: the longest of 30 pings, in ms. in_time: it is no longer than PID 1 may ever take.
slowest() { "$box_python" "$box_top/tests/lib/pings.py" "/proc/$BOX_PID/root/run/coppice/control.sock"; }
in_time() {
	local ms
	ms=$(slowest) && [[ $ms -le $((100 * ${BOX_PATIENCE:-1})) ]]
}
console() { cat "$BOX/console"; }

# status_of UNIT FIELD: one field of `status --json UNIT`; a dot leads inside, as in health.result or log.lines.
# null prints as nothing; a list prints its elements with blanks between them.
status_of() {
	ctl status --json "$1" | "$box_python" -c '
import json, sys
unit, path = sys.argv[1:]
names = (unit, unit + ".service")
found = [u for u in json.load(sys.stdin)["units"] if u["unit"] in names]
if not found:
    sys.exit("status_of: no unit " + unit)
value = found[0]
for key in path.split("."):
    value = value[key] if value is not None else None
if value is None:
    print()
elif isinstance(value, list):
    print(*value)
else:
    print(value if isinstance(value, str) else json.dumps(value))
' "$1" "$2"
}

# states UNIT...: the state of each, in that order.
states() {
	ctl status --json | "$box_python" -c '
import json, sys
state = {u["unit"]: u["state"] for u in json.load(sys.stdin)["units"]}
print(*[state.get(name, "none") for name in sys.argv[1:]])
' "$@"
}

# signal_box SIG: by name or number, from outside, as a container manager sends it.
signal_box() { kill -s "$1" "$BOX_PID"; }

# ended [SECONDS]: waits until PID 1 has ended by itself, and sets $STATUS. reboot(2) shows as 129, for a restart, or 130:
# the kernel ends the PID namespace with SIGHUP or SIGINT. PID 1 of a container calls it for a reboot alone; halt and power
# off are an exit like any other there.
ended() {
	soon box_gone "${1:-10}" || return 1
	wait "$box_unshare" 2>/dev/null
	STATUS=$?
	BOX_PID=
}

# down [SIG]: asks PID 1 to stop and waits for its end, setting $STATUS.
down() {
	if ! signal_box "${1:-TERM}" || ! ended 30; then
		failed "PID 1 ends within 30 s of signal ${1:-TERM}"
		return 1
	fi
}

# --- the story's own room ------------------------------------------------------------------------------------

# The cgroup2 tree, whole or as part of a hybrid one.
box_cgroup_make() {
	local tree=/sys/fs/cgroup dir
	[[ -e $tree/cgroup.controllers ]] || tree=$tree/unified
	[[ -e $tree/cgroup.controllers && ${BOX_CGROUP:-yes} != no ]] || return 0
	for dir in "$tree"/coppice-box-*; do # of stories that were killed
		[[ ! -d $dir || -e /proc/${dir##*-} ]] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null
	done
	mkdir "$tree/coppice-box-$$" 2>/dev/null && box_cgroup=$tree/coppice-box-$$
}

box_end() {
	local status=$?
	trap - EXIT
	if [[ $box_keep ]]; then
		exit "$status"
	fi
	if [[ $box_unshare ]]; then
		[[ ! $BOX_PID ]] || box_gone || kill -s KILL "$BOX_PID" 2>/dev/null
		soon box_gone 5 || kill -s KILL "$box_unshare"
		wait "$box_unshare" 2>/dev/null
	fi
	if [[ $box_cgroup ]]; then
		find "$box_cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
	fi
	if [[ ! $box_finished ]]; then
		failed "the story came to its end" "it left with status $status before done_testing"
		tap_plan
		status=1
	fi
	if [[ $box_failures -gt 0 && -s $BOX/console ]]; then
		cp "$BOX/console" "$box_top/build/box/$box_story.console"
		comment "the whole console: build/box/$box_story.console"
	fi
	if declare -F at_exit >/dev/null; then
		at_exit
	fi
	exit "$status"
}

if [[ ${box_inside:-} != "$$" ]]; then
	[[ $(id -u) -eq 0 ]] || skip_all "needs root, for namespaces with users of their own; try sudo"
	unshare --mount true 2>/dev/null || skip_all "may not make namespaces here; use a privileged container or a VM"
	box_inside=$$ exec unshare --mount --propagation private -- "$BASH" "$0" "$@"
fi
box_python=/usr/bin/python3
[[ -x $box_python ]] || box_python=python3
trap box_end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
box_cgroup_make
mkdir -p "$BOX" && mount -t tmpfs -o mode=755 box "$BOX" || exit
rm -f "$box_top/build/box/$box_story.console"
# demo.sh has a root of its own.
[[ ${BOX_EMPTY:-} ]] || box_make
