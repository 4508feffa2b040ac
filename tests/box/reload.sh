#!/usr/bin/env bash
# reload.sh - SIGHUP reads the unit files anew: what is new starts, what is gone stops, the rest does not notice.
# shellcheck source=tests/lib/box.sh disable=SC2016
. "${0%/*}/../lib/box.sh"

image small
unit keep <<-UNIT
	[Service]
	Image=small
	ExecStart=/bin/sh -c 'echo kept; exec sleep 1000'
	HealthFile=/etc/passwd
	Restart=always
UNIT
unit gone <<-UNIT
	[Service]
	ExecStart=/bin/sleep 1000
UNIT
unit changed <<-UNIT
	[Unit]
	Requires=keep
	[Service]
	ExecStart=/bin/sh -c 'echo old; exec sleep 1000'
	Restart=always
UNIT
unit aaa-late <<-UNIT
	[Service]
	ExecStart=/bin/false
UNIT
boot
check_ok "all are up" ctl wait --timeout=10 keep gone changed
keep=$(status_of keep pid) changed=$(status_of changed pid) gone=$(status_of gone pid)

rm "$BOX/units/gone.service" "$BOX/units/aaa-late.service"
unit changed <<-UNIT
	[Unit]
	Requires=keep
	[Service]
	ExecStart=/bin/sh -c 'echo new; exec sleep 1000'
	Restart=always
UNIT
unit fresh <<-UNIT
	[Unit]
	Requires=keep
	[Service]
	ExecStart=/bin/sh -c 'echo I am fresh; exec sleep 1000'
UNIT
signal_box HUP
wait_for '[[ $(status_of fresh ready) == true ]]'
check "what was added runs" "$(status_of fresh state)" = running
check "what stayed has not noticed" "$(status_of keep pid)" = "$keep"
check "what changed runs on as it was" "$(status_of changed pid)" = "$changed"
check_status 3 "what was taken away is unknown" ctl status gone
check_fails "and its process is gone" in_box /bin/kill -0 "$gone"
check_ok "each change was told" grep -q 'reload: changed: changed; takes effect at its next start' "$BOX/console"
check "health goes on" "$(status_of keep health.result)" = success
check "logs of before are kept" "$(ctl logs keep | grep -c kept)" = 1
check_ok "the view of its root is kept" in_box /bin/ls /run/coppice/root/keep/etc/passwd

ctl kill -s KILL changed
wait_for '[[ $(status_of changed pid) != "$changed" && $(status_of changed ready) == true ]]'
check "the change takes effect at the next start" "$(ctl logs changed | grep -c new)" = 1
check "under the new table it is restarted and counted" "$(status_of changed restarts)" = 1
ctl kill -s KILL keep
wait_for '[[ $(status_of keep pid) != "$keep" && $(status_of keep ready) == true ]]'
check "and so is one that was carried over" "$(status_of keep restarts)" = 1

echo 'Restarts=always' >>"$BOX/units/fresh.service"
fresh=$(status_of fresh pid)
signal_box HUP
wait_for 'grep -q "all stays as it is: mend them" "$BOX/console"'
check "a faulty file changes nothing" "$(status_of fresh pid)" = "$fresh"
check_ok "and is told with file, line and remedy" \
	grep -q 'fresh.service:5: unknown setting "Restarts".*did you mean Restart=' "$BOX/console"
unit fresh <<-UNIT
	[Service]
	ExecStart=/bin/sleep 1000
UNIT
fds=$(in_box /bin/ls /proc/1/fd | wc -l)
for _ in 1 2 3 4 5 6 7 8 9 10; do
	# shellcheck disable=SC2034 # wait_for evaluates it
	before=$(grep -c 'reload: done' "$BOX/console")
	signal_box HUP
	wait_for '(($(grep -c "reload: done" "$BOX/console") > before))'
done
check "ten reloads cost no descriptor" "$(in_box /bin/ls /proc/1/fd | wc -l)" -le "$fds"
check "and no unit its process" "$(status_of fresh pid)" = "$fresh"
down
check "a clean stop" "$STATUS" = 0
done_testing
