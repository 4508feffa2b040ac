#!/usr/bin/env bash
# caps.sh - PID 1 gives up what no unit may have, children drop the rest, and a unit that comes later still gets what it names.
# shellcheck source=tests/lib/box.sh disable=SC2016
. "${0%/*}/../lib/box.sh"

# cap FIELD PID NUMBER: 1 if that set of the process has the capability.
cap() { in_box awk -v f="$1:" '$1 == f { print $2 }' "/proc/$2/status" | "$box_python" -c 'import sys; print(int(sys.stdin.read(), 16) >> int(sys.argv[1]) & 1)' "$3"; }
SYS_ADMIN=21 SYS_MODULE=16 SYS_NICE=23 CHOWN=0

unit plain <<-UNIT
	[Service]
	ExecStart=/bin/sleep 1000
UNIT
unit nice <<-UNIT
	[Service]
	ExecStart=/bin/sleep 1000
	CapabilityBoundingSet=CAP_SYS_NICE CAP_CHOWN
UNIT
boot
check_ok "all are up" ctl wait --timeout=10
check "PID 1 keeps what it has" "$(cap CapPrm 1 $SYS_ADMIN) $(cap CapEff 1 $SYS_MODULE)" = "1 1"
check "nobody below it can gain what no unit may have" "$(cap CapBnd 1 $SYS_ADMIN) $(cap CapBnd 1 $SYS_MODULE)" = "0 0"
check "but what one of them may" "$(cap CapBnd 1 $SYS_NICE) $(cap CapBnd 1 $CHOWN)" = "1 1"
plain=$(status_of plain pid) nice=$(status_of nice pid)
check "each has its own" \
	"$(cap CapBnd "$plain" $SYS_NICE)$(cap CapEff "$plain" $CHOWN) $(cap CapBnd "$nice" $SYS_NICE)$(cap CapEff "$nice" $SYS_NICE)" = "01 11"
check "and nothing to inherit" "$(cap CapInh "$plain" $CHOWN)$(cap CapInh "$nice" $SYS_NICE)" = 00
check "the limit of descriptors is the container's own" \
	"$(in_box awk '/open files/ { print $4 }' "/proc/$plain/limits")" = "$(ulimit -Sn)"

unit late <<-UNIT
	[Service]
	ExecStart=/bin/sh -c 'sleep 1000 & wait'
	CapabilityBoundingSet=CAP_SYS_ADMIN CAP_CHOWN
UNIT
signal_box HUP
wait_for '[[ $(status_of late ready) == true ]]'
late=$(status_of late pid)
check "one that a reload brings has what it names" "$(cap CapEff "$late" $SYS_ADMIN)$(cap CapEff "$late" $CHOWN)" = 11
check "and no more" "$(cap CapEff "$late" $SYS_MODULE)$(cap CapPrm "$late" $SYS_NICE)" = 00
child=
wait_for 'child=$(in_box cat "/proc/$late/task/$late/children" | cut -d" " -f1); [[ $child ]]'
check "so have those that it runs" "$(cap CapEff "$child" $SYS_ADMIN)" = 1
down
check "a clean stop" "$STATUS" = 0
done_testing
