#!/usr/bin/env bash
# lxc.sh - under LXC, privileged and not: console, attach, every way to stop and to reboot, from inside and outside.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"
# shellcheck source=tests/lib/managers.sh
. "${0%/*}/../lib/managers.sh"

command -v lxc-start >/dev/null || "$box_top/.ci/need" lxc uidmap >/dev/null 2>&1 ||
	skip_all "no LXC here, and it cannot be installed"

# A name of its own: LXC finds a container by an abstract socket that all mount namespaces share.
name=coppice-$$
lxc() { # TOOL [ARG...]
	"lxc-$1" -P "$BOX/lxc" -n $name "${@:2}"
}
at_exit() {
	lxc stop -k 2>/dev/null
	managers_end
}
# container [CONFIG...]: makes it anew, as the example has it, with these lines too.
container() {
	rm -rf "$BOX/lxc"
	mkdir -p "$BOX/lxc/$name"
	{
		sed -e "s|/var/lib/lxc/shop/rootfs|$BOX/root|; s|/var/log/lxc/shop.console|$BOX/console|" "$box_top/conf/examples/lxc.conf"
		printf '%s\n' "$@"
	} >"$BOX/lxc/$name/config"
}
now_init() { BOX_PID=$(lxc info -p -H); }
start() {
	rm -f "$BOX/root/trace"
	: >"$BOX/console"
	if ! lxc start -o "$BOX/lxc/log" -l WARN || ! lxc wait -s RUNNING -t 10 || ! now_init || ! soon answers; then
		give_up "LXC boots it" "$(tail -n 5 "$BOX/lxc/log")"
	fi
}
stopped() { lxc wait -s STOPPED -t 10; }
# again PID: there is another init, whose units are up.
again() { now_init && [[ $BOX_PID != "$1" ]] && answers; }

managers_units

# --- privileged ----------------------------------------------------------------------------------------------

container
start
check "it says whose container it is" "$(ctl status --json | grep -o '"container": *"[a-z]*"' | grep -c lxc)" = 1
check "units are up, one of them in its image" "$(states web db)" = "running running"
check_ok "the console log has what the units say" grep -q '^web *| serving' "$BOX/console"
check_ok "and what coppice says" grep -q '^coppice | up: 2 of 2 units ready' "$BOX/console"
check_ok "lxc-attach: the verbs work" lxc attach -- /usr/bin/coppice status
check_status 5 "lxc-attach: the status is the command's" lxc attach -- /usr/bin/coppice exec db sh -c 'exit 5'

first=$BOX_PID
check_ok "coppice reboot, from inside" lxc attach -- /usr/bin/coppice reboot
wait_for 'again $first'
check "LXC starts the same container again, after an ordered stop" "$(lxc info -s -H) $(trace)" = "RUNNING started stopped started"
first=$BOX_PID
check_ok "lxc-stop --reboot" lxc stop -r -t 20
wait_for 'again $first'
check "does the same" "$(lxc info -s -H) $(trace)" = "RUNNING started stopped started stopped started"
check_ok "lxc-stop" lxc stop -t 20
check "is an ordered stop" "$(lxc info -s -H) $(trace)" = "STOPPED started stopped started stopped started stopped"
check_ok "by the signal that LXC takes where PID 1 blocks it" grep -q 'stopping: signal 37' "$BOX/console"

for verb in poweroff halt exit; do
	start
	check_ok "coppice $verb, from inside" lxc attach -- /usr/bin/coppice $verb
	check "LXC sees it stop, in order" "$(stopped && trace)" = "started stopped"
done

# --- other signals -------------------------------------------------------------------------------------------

container 'lxc.signal.halt = SIGPWR' 'lxc.signal.reboot = SIGRTMIN+5' 'lxc.signal.stop = SIGTERM'
start
first=$BOX_PID
lxc stop -r -t 20
wait_for 'again $first'
check_ok "lxc.signal.reboot = SIGRTMIN+5" grep -q 'rebooting: signal 39' "$BOX/console"
lxc stop -t 20
check_ok "lxc.signal.halt = SIGPWR" grep -q 'stopping: signal 30' "$BOX/console"
start
lxc stop -k
check "lxc.signal.stop = SIGTERM: lxc-stop --kill is an ordered stop, too" "$(stopped && trace)" = "started stopped"

# --- a stop that comes early ---------------------------------------------------------------------------------

# From the moment PID 1 blocks its signals, none is lost. (Before, the kernel drops what a namespace's init does not handle.)
container
: >"$BOX/console"
for _ in 1 2 3 4 5; do
	lxc start && now_init && soon hears
	lxc stop -t 20 || failed "lxc-stop right after lxc-start"
done
check "lxc-stop right after lxc-start, five times" "$(grep -c 'stopping: signal' "$BOX/console") $(lxc info -s -H)" = "5 STOPPED"

mkfifo "$BOX/root/gate"
script pre <<-'EOF'
	: >/pre
	read x </gate
EOF
conf <<-'EOF'
	[Boot]
	PreLaunch=/bin/pre
EOF
rm -f "$BOX/root/trace"
: >"$BOX/console"
lxc start && now_init
wait_for '[[ -e $BOX/root/pre ]]'
check_ok "lxc-stop before the first unit was started, and with PreLaunch= under way" lxc stop -t 20
check_ok "is heard, and no need to kill" grep -q 'stopping: signal 37' "$BOX/console"
check_fails "no unit was started then" grep -q started "$BOX/root/trace"
rm "$BOX/units/coppice.conf"

# --- not as init ---------------------------------------------------------------------------------------------

check_status 7 "lxc-execute: as a shim below LXC's own init" lxc execute -- /usr/bin/coppice -s -- /bin/sh -c 'exit 7'
check_status 143 "and with a signal's status" lxc execute -- /usr/bin/coppice -s -- /bin/sh -c 'kill -TERM $$'

# --- unprivileged --------------------------------------------------------------------------------------------

# The ranges that newuidmap lets root use, in this story's mount namespace only.
for file in subuid subgid; do
	echo root:100000:65536 >"$BOX/$file"
	[[ -e /etc/$file ]] && mount --bind "$BOX/$file" /etc/$file
done
# lxc.rootfs.options=idmap=container would save this, but LXC 5.0 forgets it in a restart.
chown -Rh 100000:100000 "$BOX/root"
# Nobody may be let into the directories above the tree.
mount --bind "$BOX/root" /mnt
container "lxc.rootfs.path = dir:/mnt" 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536'
if ! command -v newuidmap >/dev/null || [[ ! -e /etc/subuid ]]; then
	skip "unprivileged" "no newuidmap and no /etc/subuid here; install uidmap"
elif ! setpriv --reuid=100000 --regid=100000 --clear-groups -- "$(command -v test)" -x "$BOX/lxc"; then
	# LXC's log would begin with a warning about something else.
	skip "unprivileged" "$box_top lies below a directory that only root may enter, and root of a user namespace is somebody else"
elif ! lxc start -o "$BOX/lxc/log" -l WARN; then
	skip "unprivileged" "LXC cannot: $(grep -m 1 ' ERROR ' "$BOX/lxc/log" || tail -n 1 "$BOX/lxc/log")"
else
	lxc stop -k
	start
	check "root in there is nobody out here" "$(stat -c %u "/proc/$BOX_PID")" = 100000
	check "units are up, one of them in its image" "$(states web db)" = "running running"
	check "what the kernel refuses is told, each once" "$(grep -c 'boot step' "$BOX/console")" = \
		"$(grep 'boot step' "$BOX/console" | sort -u | wc -l)"
	first=$BOX_PID
	lxc attach -- /usr/bin/coppice reboot
	wait_for "again $first"
	check "it may reboot its own container, after an ordered stop" "$(lxc info -s -H) $(trace)" = "RUNNING started stopped started"
	check_ok "lxc-stop" lxc stop -t 20
	check "is an ordered stop" "$(lxc info -s -H) $(trace)" = "STOPPED started stopped started stopped"
fi
done_testing
