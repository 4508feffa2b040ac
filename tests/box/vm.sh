#!/usr/bin/env bash
# vm.sh - as the first program of a machine: from an initramfs and from a disk, with a network, to each of its ends.
# TIMEOUT 300
#
# KERNEL=FILE names a kernel image; else the newest of /boot, else Debian's for clouds, which is fetched (not installed).
# A kernel whose drivers are modules finds them in lib/modules beside its boot/.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

for tool in qemu-system-x86_64:qemu-system-x86 mkfs.ext4:e2fsprogs cpio:cpio; do
	command -v "${tool%:*}" >/dev/null || "$box_top/.ci/need" "${tool#*:}" >/dev/null 2>&1 ||
		skip_all "no ${tool%:*} here, and ${tool#*:} cannot be installed"
done

# --- a kernel ------------------------------------------------------------------------------------------------

newest() { printf '%s\n' "$@" | sort -V | tail -n 1; }
# Unpacked beside what else was downloaded; a kernel that is installed would be started by the next boot of this machine.
fetch_kernel() {
	local package into=$box_top/build/cache/kernel
	[[ ! -d $into ]] || return 0
	command -v apt-get >/dev/null || return 1
	mkdir -p "$BOX/deb" "${into%/*}"
	package=$(apt-cache show linux-image-cloud-amd64 2>/dev/null | sed -n 's/^Depends: *\(linux-image-[^ ,]*\).*/\1/p' | head -n 1)
	[[ $package ]] && (cd "$BOX/deb" && timeout 90 apt-get -q -o Acquire::Retries=0 -o Acquire::http::Timeout=10 download "$package") &&
		dpkg -x "$BOX"/deb/*.deb "$BOX/deb/tree" && cp -a "$BOX/deb/tree" "$into.$$" && mv -T "$into.$$" "$into"
} >/dev/null 2>&1
if [[ ! ${KERNEL:-} ]]; then
	KERNEL=$(newest /boot/vmlinuz-*)
	[[ -e $KERNEL ]] || { fetch_kernel && KERNEL=$(newest "$box_top"/build/cache/kernel/boot/vmlinuz-*); }
fi
[[ -e $KERNEL ]] ||
	skip_all "no kernel to boot, and linux-image-cloud-amd64 cannot be fetched; install it, or name one: KERNEL=FILE"

# What a distribution's initramfs would do: the drivers first, each after what it needs. Those that the kernel has built in are not there.
drivers="virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk failover net_failover virtio_net
	serio libps2 i8042 atkbd crc16 crc32c_generic libcrc32c mbcache jbd2 ext4 overlay"
modules=${KERNEL%/boot/*}/lib/modules/${KERNEL##*/vmlinuz-} rdinit=''
[[ $KERNEL == */boot/vmlinuz-* && -d $modules ]] || modules=''
pack_drivers() {
	local file at=$BOX/drivers
	mkdir -p "$at"/{bin,dev,disk,modules}
	cp -a "$BOX"/root/bin/{busybox,sh,mount,insmod,switch_root} "$at/bin"
	find "$modules" -name '*.ko*' | while read -r file; do
		[[ " ${drivers//[[:space:]]/ } " == *" $(basename "${file%.ko*}") "* ]] && cp "$file" "$at/modules"
	done
	for file in "$at"/modules/*.xz; do
		[[ ! -e $file ]] || xz -d "$file"
	done
	{
		printf '#!/bin/sh\nfor name in %s; do\n\tinsmod /modules/$name.ko\ndone 2>/dev/null\n' "${drivers//[[:space:]]/ }"
		printf '[ "$disk" ] || exec /init\nmount -t devtmpfs dev /dev\nmount -t ext4 /dev/vda /disk && exec switch_root /disk /sbin/init\n'
	} >"$at/drive"
	chmod 755 "$at/drive"
	cp "$at/drive" "$at/init" # switch_root looks for it before it removes all that is here
	archive "$at"
}
# archive DIR: as an initramfs, or a part of one: the kernel unpacks one after the other.
archive() { (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0); }

# --- the machine ---------------------------------------------------------------------------------------------

script pre <<-'EOF'
	: >/run/was-here
	[ ! -d /data/lost+found ] || echo boot >>/data/boots
EOF
unit web <<-'EOF'
	[Service]
	ExecStart=/bin/web
EOF
script web <<-'EOF'
	trap 'echo web stopped; sed "s/ .*//; s/^/stopped=/" /proc/uptime >/dev/ttyS1; exit 0' TERM
	echo web serving as $$
	sleep inf &
	wait
EOF
# Says what it finds on a line that the kernel does not write to.
script look <<-'EOF'
	exec >/dev/ttyS1 2>&1
	awk '{ for (i = 7; $i != "-"; i++); print "mount=" $5, $(i + 1), $6 }' /proc/self/mountinfo
	cp /bin/busybox /run/busybox && /run/busybox echo run=yes
	echo "controllers=$(cat /sys/fs/cgroup/cgroup.controllers)"
	echo "status=$(coppice status --json)"
	echo "hostname=$(hostname) $(grep -c "127.0.1.1[[:space:]]*$(hostname)" /etc/hosts)"
	echo "id=$(cat /etc/machine-id) $INVOCATION_ID"
	echo "sysctl=$(cat /proc/sys/vm/dirty_ratio /proc/sys/net/ipv4/ip_forward | xargs)"
	echo "disk=$(grep -qw ext4 /proc/filesystems && [ -b /dev/vda ] && echo yes)"
	echo "overlay=$(grep -qw overlay /proc/filesystems && echo yes)"
	echo "eth0=$(ip -4 -o addr show dev eth0 2>/dev/null | awk '{ print $4 }')"
	echo "route=$(ip route show default)"
	echo "dns=$(grep '^nameserver' /etc/resolv.conf)"
	echo "image=$(coppice exec db sh -c '. /etc/os-release; : >>/mine; echo $ID')"
	echo "kept=$(find / -xdev -name mine)"
	echo "terminal=$(coppice exec -t web tty </dev/ttyS1 | tr -d '\r')"
	echo looked=yes
EOF
unit look <<-'EOF'
	[Unit]
	After=web.service db.service strict.service network-online.target
	Wants=network-online.target

	[Service]
	Type=oneshot
	ExecStart=/bin/look
EOF
image small
unit db <<-'EOF'
	[Service]
	Image=small
	ExecStart=/bin/sh -c 'while :; do sleep inf; done'
EOF
unit strict <<-'EOF'
	[Service]
	Type=oneshot
	Image=small
	RootMode=pivot
	ExecStart=/bin/true
EOF
# In its turn it asks for what the kernel's command line says: the kernel hands "how=..." to init as a variable.
unit end <<-'EOF'
	[Unit]
	After=web.service look.service db.service

	[Service]
	Type=oneshot
	PassEnvironment=how
	ExecStart=/bin/end
EOF
script end <<-'EOF'
	# Once the disk takes no more, who writes to it cannot be killed.
	[ ! -e /etc/coppice/stuck.service ] || until ps -o stat,comm | grep -q '^D.* dd$'; do sleep 0.1; done
	if [ "$how" = twice ]; then
		[ "$(wc -l </data/boots)" -lt 2 ] && how=reboot || how=poweroff
	fi
	[ ! "$how" ] || exec /bin/coppice $how
EOF
conf <<-'EOF'
	[Boot]
	Hostname=stem
	PreLaunch=/bin/pre
	[Sysctl]
	vm.dirty_ratio=17
	[Network]
	WaitOnlineSec=0
EOF
cp -L "$COPPICE" "$BOX/coppice"
rm "$BOX/root/sbin/init" "$BOX/root/usr/bin/coppice"
"$box_top/conf/examples/initramfs/pack" "$BOX/coppice" "$BOX/root" >"$BOX/initramfs" || give_up "the example packs an initramfs"
passed "the example packs an initramfs"
if [[ $modules ]]; then
	pack_drivers >"$BOX/drivers.cpio"
	cp "$BOX/drivers.cpio" "$BOX/both"
	cat "$BOX/initramfs" >>"$BOX/both"
	mv "$BOX/both" "$BOX/initramfs"
	rdinit=rdinit=/drive
fi

# plug FILE [DIR]: a new disk, with what the directory has.
plug() {
	rm -f "$1"
	truncate -s 64M "$1"
	mkfs.ext4 -q ${2:+-d "$2"} "$1" || give_up "a disk"
}
# As its superblock tells: nothing has to be done before it is mounted.
clean() { dumpe2fs -h "$1" 2>/dev/null | grep -qE '^Filesystem state: +clean$' && ! dumpe2fs -h "$1" 2>/dev/null | grep -q needs_recovery; }
on_disk() { debugfs -R "cat $2" "$1" 2>/dev/null; }

at_exit() { [[ ! ${machine:-} ]] || kill -KILL "$machine" 2>/dev/null; }
# power_on [QEMU OPTIONS...] -- [WORDS...]: of the kernel's command line. Its network ends in qemu, which has none itself.
power_on() {
	local options=()
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	: >"$BOX/console"
	: >"$BOX/facts"
	setpriv --pdeathsig KILL unshare --net qemu-system-x86_64 -accel tcg -cpu max -m 256 -display none -nodefaults \
		-serial file:"$BOX/console" -serial file:"$BOX/facts" -monitor unix:"$BOX/monitor",server,nowait \
		-kernel "$KERNEL" "${options[@]}" -append "console=ttyS0 panic=-1 $rdinit ${*:2}" </dev/null >"$BOX/qemu" 2>&1 &
	machine=$!
}
from_initramfs() { power_on -initrd "$BOX/initramfs" -no-reboot "$@"; }
power_cut() {
	kill -KILL "$machine" 2>/dev/null
	wait "$machine" 2>/dev/null
	machine=''
}
says() { soon "grep -aqE '$1' '$BOX/console'" "${2:-60}"; }
off() { [[ ! -e /proc/$machine ]]; }
fact() { tr -d '\r' <"$BOX/facts" | sed -n "s/^$1=//p"; }
# The options that the file system is mounted with.
mounted() { fact mount | awk -v at="$1" '$1 == at { print $3 }' | tail -n 1; }
steps() {
	fact status | "$box_python" -c '
import json, sys
for step in json.load(sys.stdin)["manager"]["boot"]:
    print(step["step"] + "=" + step["state"])'
}
# Kernel's time from one unit's end to the machine's, in ms.
last_breath() {
	local from to
	from=$(fact stopped)
	to=$(sed -n 's/^\[ *\([0-9.]*\)\] reboot: .*/\1/p' "$BOX/console" | head -n 1)
	awk -v from="$from" -v to="$to" 'BEGIN { print from && to ? int((to - from) * 1000) : 999999 }'
}

# --- all that there is, and poweroff -------------------------------------------------------------------------

plug "$BOX/disk"
disk=(-drive "file=$BOX/disk,format=raw,if=virtio")
from_initramfs "${disk[@]}" -netdev user,id=net -device virtio-net-pci,netdev=net -- how=poweroff splash sysctl.net.ipv4.ip_forward=1
says 'web serving as' || give_up "the units run" "$(tail -n 20 "$BOX/console")"
passed "the kernel starts us, and we the units; its own words for init are no reason to refuse"
check_ok "coppice poweroff: an ordered stop" says 'web stopped'
# Where the firmware knows no way to power off, the kernel halts.
check_ok "then power is off" says 'reboot: (Power down|Power off not available: System halted)'
check_fails "and the kernel did not miss us" grep -aq 'Kernel panic' "$BOX/console"
grep -aq 'Power off not available' "$BOX/console" || check_ok "the machine has gone" soon off 20
check "at once, for of the processes that are left all are the kernel's own" "$(last_breath)" -lt 4000
power_cut
check "it had its look around" "$(fact looked)" = yes
check "all is mounted, each once" "$(fact mount | awk '{ print $1 ":" $2 }' | sort | xargs)" = "/:rootfs /dev/mqueue:mqueue /dev/pts:devpts /dev/shm:tmpfs \
/dev:devtmpfs /proc:proc /run:tmpfs /sys/fs/cgroup:cgroup2 /sys:sysfs /tmp:tmpfs"
check "/sys may be written, and what is in /run be executed" "$(mounted /sys | cut -d, -f1) $(fact run)" = "rw yes"
check_ok "cgroups have controllers" eval 'fact controllers | grep -qw pids'
check "no boot step is refused" "$(steps | xargs)" = "proc=done sys=done dev=done pts=done mqueue=done cgroup=done tmpfs=done mounts=skipped \
hostname=done hosts=done machine-id=done loopback=done sysctl=done prelaunch=done realinit=skipped"
check "the name, also in /etc/hosts" "$(fact hostname)" = "stem 1"
check_ok "a machine and a unit's run are unlike any other, before the kernel has gathered entropy" eval 'fact id | grep -qE "^[0-9a-f]{32} [0-9a-f]{32}$"'
check "[Sysctl], and forwarding is off whatever it was" "$(fact sysctl)" = "17 0"
check_ok "a terminal" eval 'fact terminal | grep -q "^/dev/pts/[0-9]"'
if [[ $(fact overlay) ]]; then
	check "a unit in its image, though an initramfs is no root that can be pivoted" "$(fact image)" = small
	check "it writes into an upper of its own" "$(fact kept)" = ''
	check_ok "one that insists on pivot_root is told" grep -aq 'strict: setup step CHROOT.*pivot_root, which RootMode=pivot demands' "$BOX/console"
else
	skip "a unit in its image" "this kernel has no overlayfs"
fi
if [[ $(fact eth0) ]]; then
	check "DHCP: the address" "$(fact eth0)" = 10.0.2.15/24
	check_ok "what leans on network-online.target is begun when there is a route" eval 'fact route | grep -q "^default via 10.0.2.2 dev eth0"'
	check "and a name server" "$(fact dns)" = "nameserver 10.0.2.3"
else
	skip "DHCP" "this kernel does not know the network card"
fi
has_disk=$(fact disk)

# --- a disk of data, twice -----------------------------------------------------------------------------------

if [[ $has_disk ]]; then
	mkdir -p "$BOX/part/etc/coppice/coppice.conf.d" "$BOX/part/etc/coppice/db.service.d"
	cp "$BOX/initramfs" "$BOX/plain"
	cat >"$BOX/part/etc/coppice/coppice.conf.d/disk.conf" <<-'EOF'
		[Boot]
		Mount=/dev/vda:/data:ext4
	EOF
	# It is still writing when all is to end.
	cat >"$BOX/part/etc/coppice/db.service.d/disk.conf" <<-'EOF'
		[Service]
		Volume=/data/db:/srv
		ExecStart=
		ExecStart=/bin/sh -c 'exec 3>>/srv/log; while :; do echo line >&3; done'
	EOF
	[[ $(fact overlay) ]] || echo 'Overlay=none' >>"$BOX/part/etc/coppice/db.service.d/disk.conf"
	archive "$BOX/part" >>"$BOX/initramfs"
	mkdir -p "$BOX/seed/db"
	plug "$BOX/disk" "$BOX/seed"
	power_on "${disk[@]}" -initrd "$BOX/initramfs" -- how=twice
	check_ok "coppice reboot, and the machine comes up again; coppice poweroff, and it does not" \
		says 'reboot: (Power down|Power off not available: System halted)'
	power_cut
	check "it was up twice" "$(on_disk "$BOX/disk" boots | xargs) / $(grep -ac 'web serving as' "$BOX/console")" = "boot boot / 2"
	check "each time in order" "$(grep -ac 'web stopped' "$BOX/console")" = 2
	check_fails "the disk had nothing to recover" grep -aqE 'EXT4-fs.*(recover|orphan|unchecked)' "$BOX/console"
	check_ok "nor has it now, whoever was writing" clean "$BOX/disk"
	check_ok "what was written is there" eval 'on_disk "$BOX/disk" db/log | grep -q line'

	# --- a disk that takes no more ---------------------------------------------------------------------------

	cat >"$BOX/part/etc/coppice/stuck.service" <<-'EOF'
		[Service]
		ExecStart=/bin/dd if=/dev/zero of=/data/big bs=64k count=64 conv=fsync
	EOF
	cat >"$BOX/part/etc/coppice/coppice.conf.d/stuck.conf" <<-'EOF'
		[Manager]
		ShutdownTimeoutSec=3s
	EOF
	printf '[Service]\nExecStart=\nExecStart=/bin/sleep inf\n' >"$BOX/part/etc/coppice/db.service.d/disk.conf"
	cp "$BOX/plain" "$BOX/initramfs"
	archive "$BOX/part" >>"$BOX/initramfs"
	plug "$BOX/disk" "$BOX/seed"
	# After half a megabyte a byte a second. The machine's clock runs ahead while nobody in it has anything to do, so its patience is soon over.
	from_initramfs -drive "file=$BOX/disk,format=raw,if=virtio,throttling.bps-write=1,throttling.bps-write-max=500000" \
		-icount shift=3,sleep=off -- how=reboot
	check_ok "a unit that hangs in a write cannot be killed: the rest stops without it" says 'stuck: SIGKILL was sent and it is still there'
	check_ok "and what hangs in unmounting does not keep the machine up" says 'reboot: Restarting system'
	check_fails "though that disk was not done with" clean "$BOX/disk"
	check "it had half a minute" "$(last_breath)" -ge 30000
	power_cut
	mv "$BOX/plain" "$BOX/initramfs"
else
	skip "a disk of data" "this kernel knows no virtio disk, or no ext4"
	skip "a disk that takes no more" "this kernel knows no virtio disk, or no ext4"
fi

# --- from a disk ---------------------------------------------------------------------------------------------

if [[ $has_disk ]]; then
	root=$BOX/root
	rm "$root/bin/coppice" 2>/dev/null
	cp "$BOX/coppice" "$root/sbin/init"
	ln -s ../sbin/init "$root/bin/coppice"
	mknod -m 600 "$root/dev/console" c 5 1 # for a kernel that does not mount /dev by itself
	unit db <<-'EOF'
		[Service]
		Image=small
		Overlay=persistent
		RootMode=pivot
		Volume=db:/srv
		ExecStart=/bin/sh -c 'echo $$$$ >/mine; exec 3>>/srv/log; while :; do echo line >&3; done'
	EOF
	[[ $(fact overlay) ]] || sed -i 's/^Overlay=.*/Overlay=none/' "$BOX/units/db.service"
	plug "$BOX/disk" "$root"
	if [[ $modules ]]; then
		power_on "${disk[@]}" -no-reboot -initrd "$BOX/drivers.cpio" -- disk=yes how=halt
	else
		power_on "${disk[@]}" -no-reboot -- root=/dev/vda rw init=/sbin/init how=halt
	fi
	check_ok "from a disk; coppice halt: an ordered stop" says 'web stopped'
	check_ok "then the machine halts, and stays on" eval 'says "reboot: System halted" && ! off'
	power_cut
	check "all is mounted, each once" "$(fact mount | awk '{ print $1 ":" $2 }' | sort | xargs)" = "/:ext4 /dev/mqueue:mqueue /dev/pts:devpts /dev/shm:tmpfs \
/dev:devtmpfs /proc:proc /run:tmpfs /sys/fs/cgroup:cgroup2 /sys:sysfs /tmp:tmpfs"
	check "no boot step is refused" "$(steps | grep -E 'refused|^dev=' | sed 's/already/done/')" = dev=done
	check_fails "the root could be made read-only" grep -aq 'cannot be made read-only' "$BOX/console"
	check_ok "and is clean, whoever was writing" clean "$BOX/disk"
	check_ok "what was written is there" eval 'on_disk "$BOX/disk" /var/lib/coppice/volumes/db/log | grep -q line'
	check_fails "a unit may insist on pivot_root" grep -aq 'strict: setup step' "$BOX/console"
	[[ ! $(fact overlay) ]] ||
		check_ok "also in an upper that is kept" eval 'on_disk "$BOX/disk" /var/lib/coppice/overlays/db/upper/mine | grep -q "^[0-9]"'
	check "the machine keeps its number" "$(on_disk "$BOX/disk" /etc/machine-id)" = "$(fact id | cut -d' ' -f1)"
else
	skip "from a disk" "this kernel knows no virtio disk, or no ext4"
fi

# --- the other ends, with nothing but a kernel ---------------------------------------------------------------

from_initramfs -- how=reboot
check_ok "coppice reboot: an ordered stop" says 'web stopped'
check_ok "then the machine restarts" says 'reboot: Restarting system'
check_ok "and not by a panic" eval 'soon off 20 && ! grep -aq "Kernel panic" "$BOX/console"'
power_cut

from_initramfs --
says 'web serving as'
# Through qemu's monitor, as by the keys. It forgets what it has not read from a client that leaves, so both of its prompts are waited for.
press() {
	"$box_python" -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
s.connect(sys.argv[1])
for words in b"", b"sendkey ctrl-alt-delete\n":
    s.sendall(words)
    said = b""
    while not said.endswith(b"(qemu) "):
        said += s.recv(4096) or sys.exit("the monitor has gone")
' "$BOX/monitor"
}
if grep -aq 'AT Translated Set 2 keyboard' "$BOX/console"; then
	check_ok "Ctrl-Alt-Del: the kernel leaves it to us, as SIGINT: an ordered stop" eval 'press && says "web stopped"'
	check_ok "and the end of the machine" says 'reboot: (Power down|Power off not available)'
else
	skip "Ctrl-Alt-Del" "this kernel has no keyboard"
fi
power_cut

from_initramfs -- how=halt
check_ok "coppice halt: an ordered stop, then the machine halts" says 'reboot: System halted'
check_ok "in that order" grep -aq 'web stopped' "$BOX/console"
power_cut
done_testing
