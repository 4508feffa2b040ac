#!/usr/bin/env bash
# vm.sh - as the first program of a machine: boots it from an initramfs, and powers it off, halts and restarts it.
#
# KERNEL=FILE names a kernel image; else the newest of /boot.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

command -v qemu-system-x86_64 >/dev/null || skip_all "no qemu-system-x86_64 here; install qemu-system-x86"
command -v cpio >/dev/null || "$box_top/.ci/need" cpio >/dev/null 2>&1 || skip_all "no cpio here, and it cannot be installed"
if [[ ! ${KERNEL:-} ]]; then
	for file in /boot/vmlinuz-*; do
		[[ ! -e $file ]] || KERNEL=$file
	done
fi
[[ ${KERNEL:-} ]] || skip_all "no kernel to boot; install linux-image-cloud-amd64, or name one: KERNEL=FILE"

unit web <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'trap "echo web stopped; exit 0" TERM; echo web serving as $$; sleep inf & wait'
EOF
# In its turn it asks for what the kernel's command line says: the kernel hands "how=..." to init as a variable.
unit end <<-'EOF'
	[Unit]
	After=web.service

	[Service]
	Type=oneshot
	PassEnvironment=how
	ExecStart=/bin/sh -c '[ ! "$how" ] || exec /bin/coppice $how'
EOF
cp -L "$COPPICE" "$BOX/coppice"
rm "$BOX/root/sbin/init" "$BOX/root/usr/bin/coppice"
"$box_top/conf/examples/initramfs/pack" "$BOX/coppice" "$BOX/root" >"$BOX/initramfs" || give_up "the example packs an initramfs"
passed "the example packs an initramfs"

at_exit() { [[ ! ${machine:-} ]] || kill -KILL "$machine" 2>/dev/null; }
# power_on [WORDS]: of the kernel's command line.
power_on() {
	: >"$BOX/console"
	setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg -cpu max -m 256 -no-reboot -display none -nodefaults \
		-chardev file,id=console,path="$BOX/console" -serial chardev:console -monitor unix:"$BOX/monitor",server,nowait \
		-kernel "$KERNEL" -initrd "$BOX/initramfs" -append "console=ttyS0 panic=-1 $*" </dev/null >"$BOX/qemu" 2>&1 &
	machine=$!
}
says() { soon "grep -aqE '$1' '$BOX/console'" "${2:-60}"; }
off() { [[ ! -e /proc/$machine ]]; }

power_on how=poweroff splash
says 'web serving as' || give_up "the units run" "$(tail -n 20 "$BOX/console")"
passed "the kernel starts us, and we the units; its own words for init are no reason to refuse"
check_ok "coppice poweroff: an ordered stop" says 'web stopped'
# Where the firmware knows no way to power off, the kernel halts.
check_ok "then power is off" says 'reboot: (Power down|Power off not available: System halted)'
check_fails "and the kernel did not miss us" grep -aq 'Kernel panic' "$BOX/console"
grep -aq 'Power off not available' "$BOX/console" || check_ok "the machine has gone" soon off 20
kill -KILL "$machine" 2>/dev/null
wait "$machine" 2>/dev/null

power_on how=reboot
check_ok "coppice reboot: an ordered stop" says 'web stopped'
check_ok "then the machine restarts" says 'reboot: Restarting system'
check_ok "and not by a panic" eval 'soon off 20 && ! grep -aq "Kernel panic" "$BOX/console"'

power_on
says 'web serving as'
# Through qemu's monitor, as by the keys.
"$box_python" -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.recv(4096)
s.sendall(b"sendkey ctrl-alt-delete\n")
s.recv(4096)
' "$BOX/monitor"
if grep -aq 'AT Translated Set 2 keyboard' "$BOX/console"; then
	check_ok "Ctrl-Alt-Del: the kernel leaves it to us, as SIGINT: an ordered stop" says 'web stopped' 20
	check_ok "and the end of the machine" says 'reboot: (Power down|Power off not available)'
else
	skip "Ctrl-Alt-Del" "this kernel has no keyboard"
fi
kill -KILL "$machine" 2>/dev/null
wait "$machine" 2>/dev/null

power_on how=halt
check_ok "coppice halt: an ordered stop, then the machine halts" says 'reboot: System halted'
check_ok "in that order" grep -aq 'web stopped' "$BOX/console"
done_testing
