#!/usr/bin/env bash
# logs.sh - what daemons write: on the container's stdout, in memory, past floods, slow readers and a desk that is killed.
# shellcheck source=tests/lib/box.sh disable=SC2016
. "${0%/*}/../lib/box.sh"

unit talker <<-'EOF'
	[Service]
	Type=oneshot
	RemainAfterExit=yes
	ExecStart=/bin/sh -c 'echo to stdout; echo to stderr >&2; printf "\033[31mred\n"; printf "no end"'
EOF
script giant <<-'EOF'
	head -c 100000 /dev/zero | tr '\0' x
	echo
	echo after
EOF
unit giant <<-'EOF'
	[Service]
	Type=oneshot
	ExecStart=/bin/giant
EOF
boot
wait_for 'console | grep -q "no end"'
check "stdout, under the unit's name" "$(console | grep -c '^talker  *| to stdout$')" = 1
check "stderr as well" "$(console | grep -c '^talker  *| to stderr$')" = 1
check "nothing that a terminal obeys" "$(console | grep -c '^talker  *| \\x1b\[31mred$')" = 1
check "a line without an end, once the unit has ended" "$(console | grep -c '^talker  *| no end$')" = 1
check "logs: the text alone" "$(ctl logs talker)" = $'to stdout\nto stderr\n\\x1b[31mred\nno end'
check "logs -n" "$(ctl logs -n 1 talker)" = "no end"
check "logs --json has the bytes as they were" "$(ctl logs --json talker | grep -ci '"text":"\\u001b\[31mred"')" = 1
wait_for 'console | grep -q "^giant .*| after$"'
check "a line of 100,000 bytes in pieces" "$(console | grep -c '^giant  *[|+] xx*$')" = 7
check "none of it lost" "$(console | sed -n 's/^giant  *[|+] \(xx*\)$/\1/p' | tr -d '\n' | wc -c)" = 100000

down

# --- lives shorter than it takes the desk to come --------------------------------------------------------------

rm "$BOX/units/talker.service" "$BOX/units/giant.service"
conf <<-'EOF'
	[Manager]
	ExitPolicy=all
EOF
for n in 1 2 3 4 5; do
	unit brief <<-EOF
		[Service]
		Type=oneshot
		ExecStart=/bin/echo was here $n
	EOF
	boot_bg
	check_ok "life $n is over at once" ended 5
	check "and what it said was written, $n" "$(console | grep -c "^brief  *| was here $n$")" = 1
done
rm "$BOX/units/brief.service"

# The desk's pid, as it is outside.
desk() {
	local pid
	for pid in $(<"/proc/$BOX_PID/task/$BOX_PID/children"); do
		[[ $(<"/proc/$pid/comm") != "coppice: desk" ]] || echo "$pid"
	done
}

# --- the order in which it was said ------------------------------------------------------------------------------

# Each names the next, so that none of it is the order of their names.
for n in {1..9}; do
	unit "u$n" <<-EOF
		[Unit]
		After=u$((n + 1)).service
		[Service]
		Type=oneshot
		ExecStart=/bin/echo said by $n
	EOF
done
said() { console | sed -n 's/^u. *| said by //p' | xargs; }
for n in 1 2 3; do
	boot_bg
	check_ok "a row of units is over at once, $n" ended 5
	check "what they said before the desk came is told in their order, $n" "$(said)" = "9 8 7 6 5 4 3 2 1"
done
rm "$BOX/units/coppice.conf"
for n in {1..9}; do
	unit "u$n" <<-EOF
		[Unit]
		Before=u$((n + 1)).service
		[Service]
		ExecStart=/bin/sleep inf
		ExecStop=/bin/echo said by $n
	EOF
done
if command -v strace >/dev/null; then
	boot
	ctl wait >/dev/null
	desk=$(desk)
	# It is told to look what PID 1 says, and until it does all has ended.
	strace -qq -p "$desk" -e trace=recvmsg -e inject=recvmsg:delay_enter=300000 -o /dev/null 2>/dev/null &
	soon '[[ $(awk "/^TracerPid/ { print \$2 }" /proc/$desk/status) != 0 ]]'
	down
	check "and so is what they said while the desk could not read" "$(said)" = "9 8 7 6 5 4 3 2 1"
	wait $!
else
	skip "what they said while the desk could not read" "no strace here; install strace"
fi
rm "$BOX"/units/u?.service

# --- more new pipes than a desk that is held up can be told of ---------------------------------------------------

for n in {1..400}; do
	unit "u$n" <<<"
		[Service]
		ExecStart=/bin/echo said by $n"
done
unit boss <<-EOF
	[Unit]
	OnFailure=$(printf 'u%d.service ' {1..400})
	[Service]
	ExecStart=/bin/sh -c 'read x </fifo; exit 1'
EOF
mkfifo "$BOX/root/fifo"
boot
kill -STOP "$(desk)"
timeout 5 "$BASH" -c 'echo >"$1"' pipe "$BOX/root/fifo"
wait_for 'ctl ping && [[ $(console | grep -c "| said by") -eq 400 ]]'
passed "what 400 units said is read, by a desk that inherits their pipes"
down
rm "$BOX"/units/{u*,boss}.service

# --- following -----------------------------------------------------------------------------------------------

unit counter <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'i=0; while :; do i=$((i + 1)); echo number $i; usleep 2000; done'
EOF
boot
ctl logs -f -n 0 counter >"$BOX/followed" &
follower=$!
wait_for '[[ $(grep -c number "$BOX/followed") -ge 50 ]]'
kill "$follower"
wait "$follower" 2>/dev/null
check "a follower misses nothing" "$(awk '{ if (NR > 1 && $2 != last + 1) n++; last = $2 } END { print n + 0 }' "$BOX/followed")" = 0

# --- a desk that is killed in the middle of it ---------------------------------------------------------------

for _ in 1 2 3; do
	desk=$(ctl rpc status '{"unit":"counter"}' | grep -o '"desk":[0-9]*' | tr -dc 0-9)
	in_box kill -9 "$desk"
	wait_for 'ctl ping'
	idle 200
done
ctl stop counter
check "no line is lost" "$(console | sed -n 's/^counter  *[|+] number //p' |
	awk '{ if (NR > 1 && $1 != last + 1) n++; last = $1 } END { print n + 0, (NR > 100) }')" = "0 1"

down
rm "$BOX/units/counter.service"

# --- a flood -------------------------------------------------------------------------------------------------

unit flood <<-'EOF'
	[Service]
	ExecStart=/bin/yes flooding
EOF
unit quiet <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'while :; do echo quiet; sleep 0.1; done'
EOF
boot
before=$(status_of quiet log.lines)
idle 1000
check "another unit is heard through it" $(($(status_of quiet log.lines) - before)) -ge 5
check_ok "and so is the operator" timeout 2 nsenter --target "$BOX_PID" --mount --pid -- /usr/bin/coppice status
check "memory keeps the last 64 KiB, not more" "$(ctl logs flood | wc -c)" -le 65536
check_ok "it stops" ctl stop flood
down
rm "$BOX/units/flood.service" "$BOX/units/quiet.service"

# --- the end: what was written last is shown -----------------------------------------------------------------

unit last <<-'EOF'
	[Service]
	ExecStart=/bin/sleep inf
	ExecStop=/bin/echo famous last words
EOF
boot
wait_for '[[ $(status_of last ready) = true ]]'
down
check "the last words are on the console" "$(console | grep -c 'famous last words')" = 1
check "a clean end" "$STATUS" = 0

# --- nobody reads --------------------------------------------------------------------------------------------

unit flood <<-'EOF'
	[Service]
	ExecStart=/bin/yes flooding
EOF
mkfifo "$BOX/fifo"
sleep 1000 <>"$BOX/fifo" &
holder=$!
rm -f "$BOX/console"
ln -s fifo "$BOX/console"
boot
idle 500
check "a console that nobody reads holds up nobody" "$(ctl ping)" = pong
check "and what it did not get is counted" "$(status_of flood log.dropped)" -gt 0
cat "$BOX/fifo" >"$BOX/late" &
reader=$!
ctl stop flood
wait_for 'grep -q "lines were not shown: the reader of our stdout is slow" "$BOX/late"'
passed "which is told once somebody reads"
down
kill "$reader" "$holder"
wait "$reader" "$holder" 2>/dev/null
done_testing
