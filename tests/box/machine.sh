#!/usr/bin/env bash
# machine.sh - the end of a machine: all is unmounted, the deepest first, what is busy becomes read-only, then reboot(2).
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

machinist=$box_top/build/tests/box/machinist
[[ -x $machinist ]] || give_up "there is $machinist" "run make programs first"

# --- a mock machine ------------------------------------------------------------------------------------------

# Its root is a file system of its own: at the end it becomes read-only as a whole.
root=$BOX/machine
mkdir "$root"
mount -t tmpfs -o mode=755 machine "$root" || give_up "a file system for the machine"
cp -a "$BOX/root/." "$root"
cp -L "$machinist" "$root/bin/machinist"
mkfifo "$root/begin"

# machine HOW <<SCRIPT: PID 1 of a namespace runs the script, waits for us, and then ends as a machine does.
# Descriptor 9 keeps its mounts where they can be looked at when it has gone.
machine() {
	local how=$1 script
	script=$(cat)
	mount -o remount,rw "$root"
	: >"$BOX/console"
	setpriv --pdeathsig KILL setsid unshare --pid --fork --kill-child --mount --net --uts --ipc --propagation private \
		busybox sh -c "$box_pid1" box "$root" '' '' PATH=/bin "$(command -v chroot)" . /bin/sh -c \
		"$script"$'\n: >/run/set\nread x </begin\nexec /bin/machinist '"$how" </dev/null >"$BOX/console" 2>&1 9>&- &
	box_unshare=$!
	wait_for '[[ -e $root/run/set ]] && BOX_PID=$(</proc/$box_unshare/task/$box_unshare/children) && BOX_PID=${BOX_PID%% *}'
	rm "$root/run/set"
	exec 9<"/proc/$BOX_PID/ns/mnt"
}
# A process that nobody in there can kill, for it is not of their PID namespace.
stranger() {
	coproc STRANGER { exec nsenter --mount="/proc/$BOX_PID/ns/mnt" /bin/sh -c "$1" 9>&-; }
	read -r -u "${STRANGER[0]}" -t 10 || failed "a stranger is there"
}
finish() { # starts the end, and waits for it
	echo >"$root/begin"
	ended 20 || failed "the machine ends"
}
# By our own /proc, for theirs shows nobody of ours.
mountinfo() { nsenter --mount=/proc/self/fd/9 --wd=/proc /bin/cat self/mountinfo; }
mounts() { mountinfo | awk '{ print $5 }' | grep -vE '^/(proc|sys|dev)(/|$)' | sort | xargs; }
# ro or rw: the file system as a whole.
sealed() { mountinfo | awk '$5 == "'"$1"'" { print $NF }' | tail -n 1 | cut -d, -f1; }

machine poweroff <<-'EOF'
	mkdir -p /srv '/a b' /mnt /old /young /home
	mount -t tmpfs a /srv
	mkdir /srv/deep
	mount -t tmpfs b /srv/deep
	mount -t tmpfs c /srv/deep
	mkdir /srv/deep/er
	mount -t tmpfs d /srv/deep/er
	mount --bind /srv/deep /mnt
	mount -t tmpfs e '/a b'
	# A child that is older than its parent.
	mount -t tmpfs f /old
	mount -t tmpfs g /young
	mkdir /young/old
	mount --move /old /young/old
	# Somebody lives here who can be killed.
	mount -t tmpfs h /home
	machinist hold /home/file >/dev/null &
	until [ -e /home/file ]; do :; done
EOF
check "nine file systems are mounted" "$(mounts | wc -w)" -eq 10 # and the root
finish
check "power off ends it as the kernel does: SIGINT" "$STATUS" = 130
check "nothing is left mounted but the root" "$(mounts)" = /
check "and that is read-only" "$(sealed /)" = ro
check "nothing was said, for nothing was amiss" ! -s "$BOX/console"

machine reboot <<-'EOF'
	mkdir -p /busy /looked-at /free
	mount -t tmpfs a /busy
	mount -t tmpfs b /looked-at
	mount -t tmpfs c /free
EOF
stranger 'cd /looked-at && exec machinist hold /busy/file'
started=${EPOCHREALTIME/./}
finish
check "reboot: SIGHUP" "$STATUS" = 129
check "it waited for who might be dying, but not for ever" $(((${EPOCHREALTIME/./} - started) / 1000)) -lt 10000
check "what is busy stays" "$(mounts)" = "/ /busy /looked-at"
check "read-only where that can be" "$(sealed /looked-at) $(sealed /busy) $(sealed /)" = "ro rw ro"
check_ok "the one is told" grep -q '^coppice: /looked-at is still in use; it is read-only now$' "$BOX/console"
check_ok "and the other" grep -q '^coppice: /busy is still in use, and cannot be made read-only: ' "$BOX/console"
kill "$STRANGER_PID" && wait "$STRANGER_PID" 2>/dev/null

for how in halt exit; do
	machine $how <<<'mkdir -p /m && mount -t tmpfs m /m'
	finish
	check "$how: SIGINT, and nothing is left mounted" "$STATUS $(mounts)" = "130 /"
done
exec 9<&-

# --- who are we? ---------------------------------------------------------------------------------------------

cp -L "$machinist" "$BOX/root/bin/machinist"
look() { # as PID 1, or with -n beside it
	setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount --net --propagation private \
		busybox sh -c "$box_pid1" box "$BOX/root" "$1" '' "$2" "$(command -v chroot)" . "${@:3}" </dev/null 2>&1 9>&-
}
check "PID 1 of a namespace that was made is a container's" "$(look '' A=b /bin/machinist look)" = container
check "it knows so without /proc, and the machine goes on" "$(look yes A=b /bin/machinist look)" = container
check "also where it says that it is one" "$(look yes container=lxc /bin/machinist look)" = container
check "another process is a guest" "$(look '' A=b /bin/sh -c '/bin/machinist look; :')" = guest
check "as is one on this very machine" "$("$machinist" look)" = guest

# --- a subreaper is asked to reboot: not what runs here ------------------------------------------------------

unit plain <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
EOF
said=$(look '' A=b /bin/timeout 20 /bin/sh -c 'coppice() { /usr/bin/coppice "$@"; }
	coppice init & p=$!
	until [ -S /run/coppice/control.sock ]; do :; done
	coppice wait --timeout=5 plain && coppice reboot
	wait $p; echo "status $?"')
check "status 133" "$(tail -n 1 <<<"$said")" = "status 133"
check_ok "and it says why" grep -q 'what runs here is not ours to reboot; leaving with status 133 instead' <<<"$said"

# --- other inits' words --------------------------------------------------------------------------------------

# heard COMMAND TEXT: the command, in the container, ends it in order, with this on the console.
heard() {
	boot
	in_box /bin/busybox "$1"
	ended 20
	check "busybox $1: an ordered stop" "$STATUS $(grep -c "coppice | $2" "$BOX/console")" = "0 1"
}
heard poweroff 'powering off: signal 12'
heard reboot 'stopping: signal 15'
boot
in_box /bin/busybox halt
wait_for 'grep -q "opened anew" "$BOX/console"'
check_ok "busybox halt opens the control socket anew, and no more" ctl ping
down
done_testing
