#!/usr/bin/env bash
# stages.sh - every way to end, from outside and from inside, at every stage of boot; and every exit status there is. TIMEOUT 240
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

# means SIG [container]: what follows from a stop signal. reboot(2), which is for reboots only, shows as 129.
means() {
	case $1 in
	39 | 49) echo 129 ;;
	INT) [[ ${2:-} ]] && echo 129 || echo 0 ;;
	*) echo 0 ;;
	esac
}

# --- stages --------------------------------------------------------------------------------------------------

# A program that runs before the units, and takes its time.
script prepare <<-'EOF'
	trap 'echo prelaunch was asked to end; exit 0' TERM
	: >/run/prepares
	while :; do usleep 10000; done
EOF
unit db <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
	HealthFile=/run/gate
	HealthStartupInterval=20ms
EOF
unit web <<-'EOF'
	[Unit]
	Requires=db
	[Service]
	ExecStart=/bin/sh -c 'echo "web has come up"; exec sleep inf'
EOF
unshare --net sleep 1000 &
holder=$!
at_exit() { kill -s KILL "$holder" 2>/dev/null; }
wait_for '[[ $(readlink "/proc/$holder/ns/net") != "$(readlink /proc/self/ns/net)" ]]'
# An interface whose other end leads nowhere: nobody answers there.
nsenter --target "$holder" --net ip link add eth0 type veth peer name nobody && dead_end=yes
nsenter --target "$holder" --net ip link set nobody up

# reach STAGE [VAR=VALUE]: boots, and comes back when it is there.
reach() {
	local stage=$1
	shift
	case $stage in
	first-act)
		boot_bg "$@"
		wait_for 'grep -q "^SigBlk:.*fffffffffffbfeff$" "/proc/$BOX_PID/status"'
		;;
	network)
		[[ ! -e /proc/$holder/ns/net ]] || BOX_NET=/proc/$holder/ns/net boot_bg "$@"
		wait_for 'ctl ping'
		;;
	prelaunch)
		boot_bg "$@"
		wait_for '[[ -e /proc/$BOX_PID/root/run/prepares ]]'
		;;
	gate)
		boot_bg "$@"
		wait_for '[[ $(states db web) = "starting waiting" ]]'
		;;
	esac
}
settings() {
	case $1 in
	network)
		conf <<-'EOF'
			[Network]
			WaitOnlineSec=60s
		EOF
		;;
	prelaunch)
		conf <<-'EOF'
			[Boot]
			PreLaunch=/bin/prepare
		EOF
		;;
	*) conf </dev/null ;;
	esac
}

stages=(first-act prelaunch gate)
[[ ! ${dead_end:-} ]] || stages+=(network)
[[ ${dead_end:-} ]] || skip "while boot waits for the network" "no veth pairs here"
for stage in "${stages[@]}"; do
	settings "$stage"
	for sig in TERM PWR 37 38 USR2 INT 39 47 48 49; do
		for from in outside inside; do
			# Before its root is ready nobody is inside.
			[[ $stage != first-act || $from = outside ]] || continue
			reach "$stage"
			start=${EPOCHREALTIME/./}
			if [[ $from = inside ]]; then
				in_box /bin/kill -s "${sig/#[0-9]*/$sig}" 1
				ended 20
			else
				down "$sig"
			fi
			spent=$(((${EPOCHREALTIME/./} - start) / 1000))
			check "$stage: signal $sig from $from" "$STATUS" = "$(means "$sig")"
			check "in time" "$spent" -lt 5000
		done
	done
	reach "$stage" container=lxc
	down INT
	check "$stage: SIGINT in LXC is a reboot" "$STATUS" = 129
	check "no unit that had to wait was started" "$(grep -c 'web has come up' "$BOX/console")" = 0
done

# A PreLaunch= that does not hear a SIGTERM: a second stop signal shortens it.
script prepare <<-'EOF'
	trap '' TERM
	: >/run/prepares
	while :; do usleep 10000; done
EOF
settings prelaunch
reach prelaunch
signal_box TERM
idle 50
start=${EPOCHREALTIME/./}
down
check "a second stop signal ends a program that hears none" "$STATUS $(((${EPOCHREALTIME/./} - start) / 1000000 < 3))" = "0 1"
settings gate
unit deaf <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'trap "" TERM; echo deaf; while :; do sleep 1000; done'
EOF
reach gate
wait_for 'ctl logs deaf | grep -q deaf'
for sig in PWR INT 39; do
	signal_box TERM
	idle 50
	start=${EPOCHREALTIME/./}
	down "$sig"
	check "TERM and then $sig: SIGKILL, and the first one's meaning" "$STATUS $(((${EPOCHREALTIME/./} - start) / 1000000 < 3))" = "0 1"
	reach gate
	wait_for 'ctl logs deaf | grep -q deaf'
done
down 47
rm "$BOX/units/"{deaf,db,web}.service "$BOX/units/coppice.conf"

# --- every exit status ---------------------------------------------------------------------------------------

unit app <<-'EOF'
	[Service]
	Critical=yes
	IgnoreSIGPIPE=no
	ExecStart=/bin/sh -c '. /how'
EOF
# ends_with WHAT: the status of a container whose critical unit does this.
ends_with() {
	echo "$1" >"$BOX/root/how"
	boot_bg --no-boot
	ended 10
}
wrong=''
for code in {0..255}; do
	ends_with "exit $code"
	[[ $STATUS = "$code" ]] || wrong+=" $code:$STATUS"
done
check "a critical unit's exit codes, 0 to 255, are the container's" "$wrong" = ''
wrong=''
for sig in {1..64}; do
	case $sig in
	17 | 18 | 19 | 20 | 21 | 22 | 23 | 28) continue ;; # ignored, or stopping, and no end
	esac
	ends_with "exec kill -s $sig \$\$"
	[[ $STATUS = $((128 + sig)) ]] || wrong+=" $sig:$STATUS"
done
check "and 128 and more for each signal that kills" "$wrong" = ''
done_testing
