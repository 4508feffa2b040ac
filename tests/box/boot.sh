#!/usr/bin/env bash
# boot.sh - the boot steps: what is missing is made, what is there is left alone, what is refused is told and survived.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

# kind PATH: what is mounted there, by PID 1's own list; more than one word if more than once.
kind() { awk -v at="$1" '$5 == at { for (i = 7; $i != "-"; i++); print $(i + 1) }' "/proc/$BOX_PID/mountinfo" | xargs; }
option() { awk -v at="$1" '$5 == at { print $6 }' "/proc/$BOX_PID/mountinfo" | tr , '\n' | grep -cx "$2"; }

# result STEP: how a boot step went, and why.
result() {
	ctl status --json | "$box_python" -c '
import json, sys
found = [s for s in json.load(sys.stdin)["manager"]["boot"] if s["step"] == sys.argv[1]]
print(*[s["state"] + (": " + s["why"] if s["why"] else "") for s in found])
' "$1"
}

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
check "status says how each step went" "$(result proc) $(result tmpfs) $(result prelaunch)" = "done done skipped: nobody asked for it"
check_ok "images have a root of their own" in_box test -e /run/coppice/root/web/etc/os-release
down
check "a clean stop" "$STATUS" = 0

# --- all is there --------------------------------------------------------------------------------------------

boot
check_ok "a root that a manager made ready" ctl wait --timeout=5 web plain
check "status says so" "$(result proc) $(result dev)" = "already already"
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
check "status says the same" "$(result proc) $(result realinit)" = \
	"refused: Operation not permitted; programs cannot see processes; ps and many runtimes fail skipped: nobody asked for it"
ctl status >"$BOX/status"
check "also to people, a line for each" "$(grep -c '^boot: .* was refused: ' "$BOX/status")" = "$(ctl status --json | grep -o '"refused"' | wc -l)"
check_ok "with the name of the step" grep -q '^boot: loopback was refused: .*; 127.0.0.1 does not answer' "$BOX/status"
desk=$(ctl status --json | sed -n 's/.*"desk": *\([0-9]*\).*/\1/p')
in_box /bin/kill -s KILL "$desk"
wait_for 'ctl ping'
check "and so does the next desk" "$(result proc | cut -c 1-7)" = refused
down
check "a clean stop there, too" "$STATUS" = 0

# --- the environment ------------------------------------------------------------------------------------------

script sees <<-'EOF'
	echo "$1 sees <$A> <$B> <$C> <$D> <$E>"
	[ "$1" != prelaunch ] || exit 3
EOF
cp "$BOX/root/bin/sees" "$BOX/images/small/bin/sees"
script prepare <<-'EOF'
	exec sees prelaunch
EOF
cat >"$BOX/root/etc/variables" <<'EOF'
# a comment
A=$(touch /touched) `touch /touched`; touch /touched
B="two  words"
; C=no
C='single, 1'
1=x
D=file
E=file
EOF
conf <<-'EOF'
	[Manager]
	DefaultEnvironment=D=default E=default
	[Boot]
	EnvironmentFile=/etc/variables
	PreLaunch=/bin/prepare
EOF
for name in inside outside; do
	unit $name <<-EOF
		[Service]
		$([[ $name = outside ]] || echo Image=small)
		Type=oneshot
		RemainAfterExit=yes
		Environment=E=unit
		ExecStart=/bin/sees $name
	EOF
done
sees() { grep -o "$1 sees .*" "$BOX/console" | tail -n 1; }
boot A=manager
ctl wait --timeout=5 inside outside
text='<$(touch /touched) `touch /touched`; touch /touched> <two  words> <single, 1>'
check "EnvironmentFile= of [Boot] is data, for a unit in the container's root" "$(sees outside)" = "outside sees $text <default> <unit>"
check "and for one in an image; what is nearer counts more" "$(sees inside)" = "inside sees $text <default> <unit>"
check "PreLaunch= has it too" "$(sees prelaunch)" = "prelaunch sees $text <default> <default>"
check "nothing of it was executed" ! -e "$BOX/root/touched"
check "a line that is no assignment is told" "$(grep -c '/etc/variables:6: this is not NAME=value' "$BOX/console")" = 1
check "a program that fails is told, and boot goes on" "$(grep -c 'PreLaunch=/bin/prepare ended with status 3' "$BOX/console") $(result prelaunch)" = \
	"1 refused: it has failed; what it was to ready is not"
echo 'A=new' >"$BOX/root/etc/variables"
signal_box HUP
wait_for 'grep -q "reload: done" "$BOX/console"'
ctl restart outside
wait_for 'grep -q "outside sees <new>" "$BOX/console"'
check "a reload reads it anew" "$(sees outside)" = 'outside sees <new> <> <> <default> <unit>'
down
rm "$BOX/root/etc/variables"
boot
check_ok "one that is not there is told" grep -q '/etc/variables: cannot be read: No such file' "$BOX/console"
check_ok "and the units start" ctl wait --timeout=5 inside outside
down
sed -i 's|=/etc/variables|=-/etc/variables|' "$BOX/units/coppice.conf"
boot
ctl wait --timeout=5
check "with - it may be missing" "$(grep -c /etc/variables "$BOX/console")" = 0
down
head -c 1100000 /dev/zero | tr '\0' x >"$BOX/root/etc/variables"
boot
check_ok "one that is too large is told, and left out" grep -q '/etc/variables: is larger than 1024 KiB' "$BOX/console"
down
rm "$BOX/units/"{coppice.conf,inside.service,outside.service}

# --- no boot -------------------------------------------------------------------------------------------------

BOX_BARE=yes boot --no-boot
check "--no-boot leaves all as it is" "$(kind /proc)$(kind /dev)$(kind /tmp)" = ""
check "and says so of each step" "$(result proc), $(result realinit)" = "skipped: --no-boot, skipped: --no-boot"
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
