#!/usr/bin/env bash
# boot.sh - the boot steps: what is missing is made, what is there is left alone, what is refused is told and survived.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

# kind PATH: what is mounted there, by PID 1's own list; more than one word if more than once.
kind() { awk -v at="$1" '$5 == at { for (i = 7; $i != "-"; i++); print $(i + 1) }' "/proc/$BOX_PID/mountinfo" | xargs; }
option() { awk -v at="$1" '$5 == at { print $6 }' "/proc/$BOX_PID/mountinfo" | tr , '\n' | grep -cx "$2"; }

image small
unit web <<-'EOF'
	[Service]
	Image=small
	ExecStart=/bin/sleep inf
EOF
unit plain <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
EOF

# --- nothing is there ----------------------------------------------------------------------------------------

touch "$BOX/root/tmp/stale" "$BOX/root/run/stale"
BOX_BARE=yes boot
check_ok "a bare root: units are up" ctl wait --timeout=5 web plain
check "/proc, /sys, /dev and what belongs to it" "$(kind /proc) $(kind /sys) $(kind /dev) $(kind /dev/pts)" = "proc sysfs tmpfs devpts"
check "/sys is read-only" "$(option /sys ro)" = 1
check "/dev/shm, /run and /tmp are memory" "$(kind /dev/shm) $(kind /run) $(kind /tmp)" = "tmpfs tmpfs tmpfs"
check "with their modes" "$(in_box stat -c %a /dev/shm /run /tmp | xargs)" = "1777 755 1777"
check "and empty of what an earlier boot left" "$(in_box ls /tmp) $(in_box ls /run)" = " coppice"
check_ok "null, zero, full, random, urandom, tty" in_box sh -c 'for n in null zero full random urandom tty; do [ -c /dev/$n ] || exit 1; done'
check_ok "they work" in_box sh -c 'echo x >/dev/null && [ "$(head -c 2 /dev/zero | wc -c)" = 2 ] && ! echo x 2>/dev/null >/dev/full'
check "fd, stdin, stdout, stderr, ptmx are links" "$(in_box sh -c 'for n in fd stdin stdout stderr ptmx; do readlink /dev/$n; done' | xargs)" = \
	"/proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 pts/ptmx"
check_ok "the loopback is up" in_box ping -c 1 -W 1 127.0.0.1
check_fails "nothing was refused" grep -q 'boot step' "$BOX/console"
check_ok "images have a root of their own" in_box test -e /run/coppice/root/web/etc/os-release
down
check "a clean stop" "$STATUS" = 0

# --- all is there --------------------------------------------------------------------------------------------

boot
check_ok "a root that a manager made ready" ctl wait --timeout=5 web plain
check "nothing is mounted twice" "$(kind /proc) $(kind /sys) $(kind /dev) $(kind /dev/pts) $(kind /run)" = "proc sysfs tmpfs devpts tmpfs"
down

# --- nothing is allowed --------------------------------------------------------------------------------------

# boots without these capabilities and without any mount made for it.
refused() {
	BOX_BARE=yes box_spawn "$BOX/root" "$box_console" PATH=/bin:/sbin:/usr/bin "$(command -v setpriv)" "--bounding-set=$1" -- /sbin/init
	wait_for '[[ -S /proc/$BOX_PID/root/run/coppice/control.sock ]] && ctl ping'
}
mknod -m 666 "$BOX/root/dev/null" c 1 3
refused -sys_admin,-net_admin,-mknod
check_ok "without rights it boots all the same" ctl ping
check "each step that is refused is told once, with why and what that means" \
	"$(grep -c 'boot step "proc": .*programs cannot see processes' "$BOX/console") $(grep -c 'boot step "loopback": .*127.0.0.1 does not answer' "$BOX/console")" = "1 1"
check "what needs none of it runs" "$(status_of plain state)" = running
down
check "a clean stop there, too" "$STATUS" = 0

# --- no boot -------------------------------------------------------------------------------------------------

BOX_BARE=yes boot --no-boot
check "--no-boot leaves all as it is" "$(kind /proc)$(kind /dev)$(kind /tmp)" = ""
down
boot_bg --no-such-option
ended
check "an option that it does not know: 2" "$STATUS" = 2
boot --max-units 1 --config /nowhere
check "--max-units: what is too much is named, the others run" \
	"$(states plain web) $(grep -c 'web.service: .*more than 1 units; raise --max-units' "$BOX/console")" = "running none 1"
check_ok "a --config that is not there is told" grep -q '/nowhere: cannot be read' "$BOX/console"
down
boot_bg --runtime /srv/other
wait_for 'ctl ping --socket /srv/other/control.sock'
check_ok "--runtime: sockets and roots are there" eval 'ctl wait --socket /srv/other/control.sock --timeout=5 web && in_box test -e /srv/other/root/web/etc'
down
check "and a clean stop" "$STATUS" = 0
boot --units /nowhere
check_ok "no unit at all: it is up, with nothing to do" ctl ping
down
check "and stops" "$STATUS" = 0
done_testing
