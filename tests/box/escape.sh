#!/usr/bin/env bash
# escape.sh - daemons and images that want out: races for mount points, devices, chroot, descriptors, trees that cannot be removed.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

in_unit() { ctl exec "$1" /bin/sh -c "$2"; }

image small
image hostile
rm -r "$BOX/images/hostile/proc"
ln -s /etc "$BOX/images/hostile/proc"
image passwdless
rm "$BOX/images/passwdless/etc/passwd"
mkfifo "$BOX/images/passwdless/etc/passwd"
mkdir "$BOX/root/precious"
echo untouched >"$BOX/root/precious/file"

# --- what runs -----------------------------------------------------------------------------------------------

# It shares a volume with the victim, and exchanges the place where the victim has a mount for a link: what the link names
# would be made in the container, were it followed there.
script flip small <<-'EOF'
	cd /shared && mkdir place && ln -s ../../../../../../../../precious/made away
	while :; do
		mv -T place kept 2>/dev/null && mv -T away place 2>/dev/null
		mv -T place away 2>/dev/null && mv -T kept place 2>/dev/null
		[ -e place ] || [ -L place ] || mkdir place
	done
EOF
unit attacker <<-'EOF'
	[Service]
	Image=small
	Volume=shared:/shared
	ExecStart=/bin/flip
EOF
unit victim <<-'EOF'
	[Unit]
	StartLimitBurst=0
	[Service]
	Type=oneshot
	RemainAfterExit=yes
	Image=small
	Volume=shared:/shared
	Volume=inner:/shared/place:nocopy
	ExecStart=-/bin/sh -c 'echo written >/shared/place/mark'
EOF
unit one <<-'EOF'
	[Service]
	Image=small
	ExecStart=/bin/sleep inf
EOF
unit locked <<-'EOF'
	[Service]
	Image=small
	NoNewPrivileges=yes
	User=www
	ExecStart=/bin/sleep inf
EOF
for name in left right; do
	unit "$name" <<-'EOF'
		[Service]
		Image=small
		SharedRun=yes
		ExecStart=/bin/sleep inf
	EOF
done
unit bent <<-'EOF'
	[Service]
	Image=hostile
	ExecStart=/bin/sleep inf
EOF
unit stuck <<-'EOF'
	[Service]
	Image=passwdless
	User=www
	ExecStart=/bin/sleep inf
EOF
for fd in 3 4 5 6 7 8 9 10; do
	unit "leak$fd" <<-EOF
		[Service]
		Image=small
		WorkingDirectory=/proc/self/fd/$fd
		ExecStart=/bin/sleep inf
	EOF
done
# Who may trace PID 1 may follow this link.
unit ptrace <<-'EOF'
	[Service]
	Image=small
	AddCapability=CAP_SYS_PTRACE
	WorkingDirectory=/proc/1/root
	ExecStart=/bin/sleep inf
EOF

boot
check_ok "they run" ctl wait --timeout=20 attacker one locked left right
cp "/proc/$BOX_PID/mountinfo" "$BOX/mounts"

# --- the race for a mount point --------------------------------------------------------------------------------

for _ in {1..60}; do ctl restart victim; done >/dev/null 2>&1
check "whatever is exchanged, nothing reaches the container" \
	"$(ls "$BOX/root/precious") $(cat "$BOX/root/precious/file")" = "file untouched"
check_ok "nor is anything mounted there" diff "$BOX/mounts" "/proc/$BOX_PID/mountinfo"
ctl stop attacker victim

# --- from inside -----------------------------------------------------------------------------------------------

check "its /dev has what a program needs, and no disk" "$(in_unit one 'ls /dev | xargs')" = \
	"fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"
check_fails "root makes no device" in_unit one 'mknod /tmp/disk b 8 0'
check_fails "it mounts nothing" in_unit one 'mount -t tmpfs x /tmp'
check_fails "and unmounts nothing" in_unit one 'umount /proc/sys'
check_fails "chroot, the classic way out, is closed" in_unit one 'mkdir /tmp/a && chroot /tmp/a /bin/true'
check_fails "PID 1's namespaces are not joined" in_unit one 'nsenter -t 1 -m ls /precious'
check_fails "nor is its root seen" in_unit one 'ls /proc/1/root/precious'
check_fails "a sibling's root neither, by another user" in_unit locked "ls /proc/$(status_of one pid)/root/etc"
check "an exec has descriptors 0, 1, 2 and that of ls" "$(in_unit one 'ls /proc/self/fd | xargs')" = "0 1 2 3"
check_fails "an exec's working directory does not lead out" ctl exec -w /proc/self/fd/9 one /bin/pwd
mkdir "$BOX/images/small/suid"
cp "$BOX/images/small/bin/busybox" "$BOX/images/small/suid/grep"
chmod 4755 "$BOX/images/small/suid/grep"
check "a set-user-id program of the image gives nothing to who has NoNewPrivileges=" \
	"$(in_unit locked '/suid/grep ^Uid: /proc/self/status | tr -s "\t" " "')" = "Uid: 1000 1000 1000 1000"
check "SharedRun= shares /run" "$(in_unit left 'echo hello >/run/note'; in_unit right 'cat /run/note')" = hello
check "but of our own directory in it only the notify socket" "$(in_unit left 'ls -A /run/coppice')" = notify
check_fails "others do not see it at all" in_unit one 'cat /run/note'

wait_for '[[ $(states bent stuck) = "failed failed" ]]'
check_ok "an image whose /proc is a link is refused" grep -q 'bent: .*/proc, which is a link in the image' "$BOX/console"
check_ok "one whose passwd is a pipe is not waited for" grep -q 'stuck: .*no regular file' "$BOX/console"
for fd in 3 4 5 6 7 8 9 10; do
	wait_for "[[ \$(status_of leak$fd state) = failed ]]"
done
check "no descriptor is there to lead a working directory out of the root" "$(grep -c 'leak[0-9]*: setup step CHDIR' "$BOX/console")" -ge 8
wait_for '[[ $(status_of ptrace state) = failed ]]'
check_ok "and what else leads out is seen to" grep -q 'ptrace: setup step CHDIR.*/proc/1/root, which leads out of the root' "$BOX/console"

# --- what they leave -------------------------------------------------------------------------------------------

in_unit one 'cd /tmp && i=0 && while [ $i -lt 300 ]; do mkdir d && cd d && echo x >f && i=$((i + 1)); done
	mkdir /tmp/shut && chmod 0 /tmp/shut && ln -s /proc /tmp/link && mkfifo /tmp/pipe && rm -r /var /etc/passwd'
# shellcheck disable=SC2034 # wait_for reads it
upper=/run/coppice/upper/one
check_ok "it wrote into its upper" in_box test -e "$upper/upper/tmp/d/d/d/f"
check_ok "it stops" ctl stop one
wait_for '! in_box test -e "$upper"' && passed "and its upper goes, however it was built"
down
check "a clean stop" "$STATUS" = 0
done_testing
