#!/usr/bin/env bash
# image.sh - a root of its own for every unit: overlays, volumes, users and rights of the image, and nothing left behind.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

# proc UNIT KEY: a line of /proc/PID/status of its main process.
proc() { in_box cat "/proc/$(status_of "$1" pid)/status" | sed -n "s/^$2:[[:space:]]*//p"; }
in_root() { in_box chroot "/run/coppice/root/$1" "${@:2}"; }

image small
image other
mkdir -p "$BOX"/images/small/{srv/data/sub,srv/owned,srv/app} "$BOX/root/host"
chown 1000:1000 "$BOX/images/small/srv/app"
echo from the image >"$BOX/images/small/srv/data/file"
chmod 640 "$BOX/images/small/srv/data/file"
chown -R 1000:50 "$BOX/images/small/srv/data"
ln -s /etc "$BOX/images/small/srv/link"
ln -s ../../../../../../host "$BOX/images/small/srv/out"
mkdir -p "$BOX/images/tools/opt" "$BOX/root/srv"
echo from tools >"$BOX/images/tools/opt/tool"
cp -a "$BOX/images/other" "$BOX/root/srv/root"
echo '127.0.0.1 localhost of the container' >"$BOX/root/etc/hosts"
echo 'nameserver 192.0.2.53' >"$BOX/root/etc/resolv.conf"
echo hello >"$BOX/root/host/file"
# www exists inside the image only.
sed -i '/www/d' "$BOX"/root/etc/passwd "$BOX"/root/etc/group

# --- what runs -----------------------------------------------------------------------------------------------

for name in one two; do
	unit "$name" <<-'EOF'
		[Service]
		Image=small
		ExecStart=/bin/sleep inf
		Restart=always
		[Unit]
		StartLimitBurst=0
	EOF
done
unit pauses <<-'EOF'
	[Service]
	Image=small
	ExecStart=/bin/sleep inf
	Restart=always
	RestartSec=20s
EOF
unit else <<-'EOF'
	[Container]
	Image=other
	Exec=/bin/sleep inf
EOF
unit keeps <<-'EOF'
	[Service]
	Image=small
	Overlay=persistent
	ExecStart=/bin/sleep inf
EOF
unit bare <<-'EOF'
	[Service]
	Image=small
	Overlay=none
	ExecStart=/bin/sleep inf
EOF
unit plain <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
EOF
unit person <<-'EOF'
	[Service]
	Image=small
	User=www
	SupplementaryGroups=nogroup 4242
	WorkingDirectory=/srv/app
	UMask=0027
	Nice=7
	LimitNOFILE=100:200
	Environment=GREETING="good day" EMPTY=
	ExecStart=/bin/sleep inf
EOF
unit binder <<-'EOF'
	[Service]
	Image=small
	User=www
	AmbientCapabilities=CAP_NET_BIND_SERVICE
	ExecStart=/bin/sleep inf
EOF
unit volumes <<-'EOF'
	[Service]
	Image=small
	User=www
	Volume=data:/srv/data
	Volume=mine:/srv/owned:U
	Volume=/host:/srv/host:ro
	Volume=new:/srv/made/here
	Tmpfs=/srv/scratch
	ExecStart=/bin/sleep inf
EOF
# The image means to lead them into the container's /etc and /host.
unit bent <<-'EOF'
	[Service]
	Image=small
	Volume=linked:/srv/link
	Volume=fled:/srv/out/new
	ExecStart=/bin/sleep inf
EOF
unit guest <<-'EOF'
	[Service]
	RootFrom=one.service
	ExecStart=/bin/sleep inf
	[Unit]
	Requires=one.service
EOF
unit layered <<-'EOF'
	[Service]
	Image=small
	ExtraLayers=tools /host
	SharedRun=yes
	ExecStart=/bin/sleep inf
EOF
unit directory <<-'EOF'
	[Service]
	RootDirectory=/srv/root
	ExecStart=/bin/sleep inf
EOF
unit pivots <<-'EOF'
	[Service]
	Image=small
	RootMode=pivot
	ExecStart=/bin/sleep inf
EOF
unit chroots <<-'EOF'
	[Service]
	Image=small
	RootMode=chroot
	ExecStart=/bin/sleep inf
EOF

unit noimage <<-'EOF'
	[Service]
	Image=absent
	ExecStart=/bin/sleep inf
EOF
unit noprogram <<-'EOF'
	[Service]
	Image=small
	ExecStart=/bin/absent
EOF
unit nouser <<-'EOF'
	[Service]
	Image=small
	User=absent
	ExecStart=/bin/sleep inf
EOF
unit nogroup <<-'EOF'
	[Service]
	Image=small
	Group=absent
	ExecStart=/bin/sleep inf
EOF
unit nodir <<-'EOF'
	[Service]
	Image=small
	WorkingDirectory=/absent
	ExecStart=/bin/sleep inf
EOF
unit noloader <<-'EOF'
	[Service]
	Image=small
	ExecStart=/bin/strange
EOF
printf '#!/bin/nothing\n' >"$BOX/images/small/bin/strange"
chmod 755 "$BOX/images/small/bin/strange"
# Its second mount cannot be: the first one must go again.
unit halfway <<-'EOF'
	[Service]
	Image=small
	Volume=halfway:/srv/halfway
	Volume=/absent:/srv/data
	ExecStart=/bin/sleep inf
EOF

# --- a root of its own ---------------------------------------------------------------------------------------

boot
cp "/proc/$BOX_PID/mountinfo" "$BOX/mounts"
mounts_are_as_before() { diff "$BOX/mounts" "/proc/$BOX_PID/mountinfo"; }
check_ok "all that can be up are up" ctl wait --timeout=20 one two else keeps bare plain person binder volumes bent guest layered directory pivots chroots
check "two images in one container" "$(in_box head -n 1 /run/coppice/root/one/etc/os-release) $(in_box head -n 1 /run/coppice/root/else/etc/os-release)" = \
	"ID=small ID=other"
in_root one touch /etc/mine
check_fails "units of one image do not see each other's files" in_box test -e /run/coppice/root/two/etc/mine
check_fails "the image itself stays as it was" test -e "$BOX/images/small/etc/mine"
check "the outside view leads to the root of the main process" "$(in_box readlink /run/coppice/root/one)" = "/proc/$(status_of one pid)/root"
check "status names it" "$(status_of one root) $(status_of one image)" = "/run/coppice/root/one small"
check "RootFrom= shares it" "$(in_box ls /run/coppice/root/guest/etc/mine)" = /run/coppice/root/guest/etc/mine

# shellcheck disable=SC2034 # wait_for reads it
first=$(status_of one pid)
ctl kill -s KILL one
wait_for '[[ $(status_of one pid) =~ [0-9] && $(status_of one pid) != "$first" ]]'
wait_for 'in_box test -e /run/coppice/root/one/etc/mine'
passed "an ephemeral overlay is kept over a restart"
ctl restart one
check_ok "also over one by hand" in_box test -e /run/coppice/root/one/etc/mine
ctl stop guest one
check_fails "the outside view goes with the unit" in_box ls /run/coppice/root/one/
ctl start one guest
check_fails "and its files are gone after a stop" in_box test -e /run/coppice/root/one/etc/mine
ctl kill -s KILL pauses
wait_for '[[ $(status_of pauses state) = backoff ]]'
check_fails "there is no view of a process that is no more" in_box readlink /run/coppice/root/pauses
in_root keeps touch /etc/mine
ctl stop keeps
ctl start keeps
check_ok "Overlay=persistent is kept over a stop" in_box test -e /run/coppice/root/keeps/etc/mine
check_fails "Overlay=none: the root is the image, read-only" in_root bare touch /etc/mine

check "/etc/hosts is the container's" "$(in_root one cat /etc/hosts)" = "127.0.0.1 localhost of the container"
check "so is /etc/resolv.conf" "$(in_root one cat /etc/resolv.conf)" = "nameserver 192.0.2.53"
check_ok "/dev/null, /dev/zero, /dev/urandom, /dev/tty, /dev/pts, /dev/shm are there" ctl exec one /bin/sh -c \
	'echo x >/dev/null && head -c 1 /dev/zero && head -c 1 /dev/urandom && [ -c /dev/tty ] && [ -d /dev/pts ] && : >/dev/shm/x && : >/run/x && : >/tmp/x'
check_ok "/proc shows the container's processes" ctl exec one /bin/sh -c '[ "$(cat /proc/1/comm)" = coppice ]'
check_fails "/proc/sys cannot be written" ctl exec one /bin/sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
check_fails "nor can /sys" ctl exec one /bin/sh -c 'mkdir /sys/x || touch /sys/x'
check_fails "no daemon reaches the container's root through /proc/1/root" ctl exec one ls /proc/1/root/
check_fails "nor its directory or memory" ctl exec one sh -c 'ls /proc/1/cwd/ || cat /proc/1/environ || cat /proc/1/maps'

# --- who it is, and what it may --------------------------------------------------------------------------------

check "users are looked up inside the image" "$(proc person Uid | cut -f1) $(proc person Gid | cut -f1)" = "1000 1000"
check "supplementary groups: the user's own and those of the unit" "$(proc person Groups | tr ' ' '\n' | sort -n | xargs)" = "50 4242 65534"
check "the root daemon has none of PID 1's" "$(proc one Groups)" = ""
pid=$(status_of person pid)
check "WorkingDirectory=, UMask=, Nice=" \
	"$(in_box readlink "/proc/$pid/cwd") $(proc person Umask) $(in_box cut -d' ' -f19 "/proc/$pid/stat")" = "/srv/app 0027 7"
check "LimitNOFILE=" "$(in_box awk '/open files/ { print $4, $5 }' "/proc/$pid/limits")" = "100 200"
check "its environment: what was set, who it is, and nothing of PID 1's" \
	"$(in_box tr '\0' '\n' <"/proc/$BOX_PID/root/proc/$pid/environ" | grep -v INVOCATION_ID | LC_ALL=C sort | tr '\n' ,)" = \
	"EMPTY=,GREETING=good day,HOME=/var/www,LOGNAME=www,PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin,SHELL=/bin/sh,USER=www,"
check "descriptors 0, 1, 2 and no other" "$(in_box ls "/proc/$pid/fd" | xargs)" = "0 1 2"
check "a session of its own" "$(in_box cut -d' ' -f5,6 "/proc/$pid/stat")" = "$pid $pid"
check "no signal is blocked" "$(proc one SigBlk)" = 0000000000000000
check "none but SIGPIPE is ignored" "$(proc one SigIgn)" = 0000000000001000

# denied HEX: none of SYS_MODULE 16, SYS_RAWIO 17, SYS_CHROOT 18, SYS_PTRACE 19, SYS_ADMIN 21, MKNOD 27.
denied() { (((16#$1 & (1 << 16 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 21 | 1 << 27)) == 0)); }
for name in one plain person; do
	for set in CapBnd CapPrm CapEff CapInh CapAmb; do
		denied "$(proc $name $set)" || failed "$name: what opens a way out is not in $set" "$(proc $name $set)"
	done
done
check "a root daemon has CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SETFCAP" \
	"$(proc one CapEff) $(proc one CapBnd)" = "00000000800005fb 00000000800005fb"
check "without an image, too" "$(proc plain CapEff)" = 00000000800005fb
check "another user than root has none" "$(proc person CapEff) $(proc person CapPrm)" = "0000000000000000 0000000000000000"
check "but for AmbientCapabilities=" "$(proc binder CapEff)" = 0000000000000400

# --- volumes -------------------------------------------------------------------------------------------------

check "a new volume has what the image has there" "$(cat "$BOX/volumes/data/file"); $(stat -c %u:%g:%a "$BOX/volumes/data/file")" = "from the image; 1000:50:640"
check "and its owner" "$(stat -c %u:%g "$BOX/volumes/data")" = 1000:50
check ":U gives it to the unit's user" "$(stat -c %u:%g "$BOX/volumes/mine")" = 1000:1000
in_root volumes sh -c 'echo changed >/srv/data/file; rm -r /srv/data/sub'
ctl restart volumes
check "it is filled once" "$(cat "$BOX/volumes/data/file") $(ls "$BOX/volumes/data")" = "changed file"
check_fails "the image keeps what it had" grep -q changed "$BOX/images/small/srv/data/file"
check "ExtraLayers= lie over the image, whether images or directories" \
	"$(in_root layered cat /opt/tool) $(in_box ls /run/coppice/root/layered/file)" = "from tools /run/coppice/root/layered/file"
check "SharedRun=: its /run is the container's, but for ours" \
	"$(in_box touch /run/shared; in_root layered ls /run | grep -cx shared; in_root layered ls /run/coppice)" = $'1\nnotify'
check "RootDirectory= is a root, too" "$(in_root directory head -n 1 /etc/os-release)" = ID=other
check "a directory of the container is bound" "$(in_root volumes cat /srv/host/file)" = hello
check_fails "read-only, as it says" in_root volumes touch /srv/host/new
check_ok "a target that is not there is made" in_root volumes touch /srv/made/here/x
check_ok "where the volume is" test -e "$BOX/volumes/new/x"
check "Tmpfs=" "$(in_root volumes stat -f -c %T /srv/scratch)" = tmpfs

in_root bent touch /srv/link/into
check_fails "a target that is a link to /etc does not reach the container's" test -e "$BOX/root/etc/into"
check_ok "it stays inside the image's root" test -e "$BOX/volumes/linked/into"
check "a link that climbs does not get out" "$(ls "$BOX/root/host")" = file
check_ok "nothing was mounted outside of the units' own namespaces" mounts_are_as_before

# --- what cannot be had --------------------------------------------------------------------------------------

wait_for '[[ $(states noimage noprogram nouser nogroup nodir noloader halfway) = "failed failed failed failed failed failed failed" ]]'
told() {
	check_ok "$1: status says $2" grep -qE -- "$2" <<<"$(status_of "$1" why)"
	check_ok "$1: status and console name file and line" eval \
		'grep -qF "'"$3"'" <<<"$(status_of '"$1"' why)" && grep -qE "coppice +\| '"$1"': .*'"$3"'" "$BOX/console"'
}
told noimage 'IMAGE, Image=absent: no such file' noimage.service:2
told noprogram 'cannot run /bin/absent: no such file in image "small"' noprogram.service:3
told nouser 'USER, User=absent: no such user in image "small"' nouser.service:3
told nogroup 'GROUP, Group=absent: no such group in image "small"' nogroup.service:3
told nodir 'CHDIR, WorkingDirectory=/absent: no such file in image "small"' nodir.service:3
told noloader 'cannot run /bin/strange: .*interpreter' noloader.service:3
check_ok "which interpreter is told, too" grep -qF /bin/nothing "$BOX/console"
told halfway 'MOUNTS' halfway.service
check "the exit codes are systemd's: 226 203 217 216 200" "$(for u in noimage noprogram nouser nogroup nodir; do status_of $u exit.code; done | xargs)" = \
	"226 203 217 216 200"
check "a plan that failed leaves nothing behind" "$(in_box find /run/coppice -mindepth 2 -maxdepth 2 -name 'halfway*')" = ""

# --- nothing is left -----------------------------------------------------------------------------------------

# Their cleaners may still be at work after the stop was told.
for _ in {1..50}; do ctl restart two; done
check "fifty restarts" "$(status_of two state)" = running
check_ok "leave no mount behind" mounts_are_as_before
check_ok "everything is stopped" ctl stop --all
check_ok "and leaves no mount behind" mounts_are_as_before
wait_for '[[ ! $(in_box find /run/coppice -mindepth 2 ! -path "*/root") ]]'
check "nor a file below /run/coppice" "$(in_box find /run/coppice -mindepth 2)" = ""
check "nor an unfinished volume" "$(find "$BOX/volumes" -name '.*.tmp')" = ""
down
check "a clean stop" "$STATUS" = 0

# --- a container that may not mount ----------------------------------------------------------------------------

rm -f "$BOX"/units/{noimage,noprogram,nouser,nogroup,nodir,noloader,halfway,guest,bent,layered}.service
box_spawn "$BOX/root" "$box_console" PATH=/bin:/sbin:/usr/bin "$(command -v setpriv)" --bounding-set=-sys_admin -- /sbin/init
wait_for 'ctl rpc ping'
wait_for '[[ $(states one else pivots volumes) = "running running failed failed" ]]'
check "without CAP_SYS_ADMIN images run by chroot" "$(in_box head -n 1 /run/coppice/root/one/etc/os-release) $(in_box head -n 1 /run/coppice/root/else/etc/os-release)" = \
	"ID=small ID=other"
check_ok "which is told once, with what is lost and the remedy" grep -q 'this container may not mount: .*give the container CAP_SYS_ADMIN' "$BOX/console"
check "and shown in status" "$(ctl rpc status | "$box_python" -c 'import json, sys; print(json.load(sys.stdin)["manager"]["rung"])')" = chroot
check_ok "RootMode=pivot would rather fail" grep -q 'pivots: .*RootMode=pivot' "$BOX/console"
check_ok "so would one that needs a volume" grep -q 'volumes: .*CAP_SYS_ADMIN' "$BOX/console"
check_ok "users are still those of the image" test "$(proc person Uid | cut -f1)" = 1000
down
check "a clean stop there" "$STATUS" = 0
done_testing
