#!/usr/bin/env bash
# control.sh - the operator at work: verbs and their exit statuses, why things are as they are, exec, a desk that dies.
# shellcheck source=tests/lib/box.sh disable=SC2016
. "${0%/*}/../lib/box.sh"

image small
unit db <<-'EOF'
	[Service]
	Image=small
	Environment=PLACE=db
	User=www
	ExecStart=/bin/sleep inf
EOF
unit web <<-'EOF'
	[Unit]
	Description=The web
	Requires=db.service
	[Service]
	ExecStart=/bin/sleep inf
	ExecReload=/bin/touch /reloaded
EOF
unit broken <<-'EOF'
	[Service]
	ExecStart=/bin/nothing-here
EOF
unit once <<-'EOF'
	[Service]
	Type=oneshot
	ExecStart=/bin/true
EOF
unit slow <<-'EOF'
	[Service]
	Type=notify
	TimeoutStartSec=infinity
	ExecStart=/bin/sleep inf
EOF

boot
wait_for '[[ "$(states db web once broken)" =~ ^(ready|running)\ (ready|running)\ done\ failed$ ]]'

# --- what it says --------------------------------------------------------------------------------------------

check_ok "status" ctl status
check "a table with its head" "$(ctl status | grep -c '^UNIT *STATE *HEALTH *PID *SINCE *RESTARTS *WHY$')" = 1
check "why a unit failed: file, line and setting" \
	"$(ctl status broken | grep -c 'cannot run /bin/nothing-here: no such file.*see broken.service:2 ExecStart=')" = 1
check_status 3 "a unit that is not there" ctl status bd
check "and the one that was meant" "$(grep -c 'did you mean "db"' "$BOX/said")" = 1
check_status 1 "health of the whole: one has failed" ctl health
check_ok "health of one that runs" ctl health web
check_status 1 "health of one that failed" ctl health broken
check_status 1 "waiting for all is over once one has failed" ctl wait --timeout=10s
check "which is named" "$(grep -c 'broken has failed' "$BOX/said")" = 1
check_status 5 "a wait that is too long" ctl wait --for=stopped --timeout=100ms web
check_status 2 "a verb that is not" ctl frobnicate
check_status 6 "nobody there" ctl status --socket=/nowhere
check "the graph" "$(ctl graph --dot | grep -c '"web" -> "db"')" = 1
check "show: a setting and its origin" "$(ctl show web | grep -c '^Unit.Description=The web *# .*web.service:2$')" = 1
check "cat: the file itself" "$(ctl cat web | grep -c '^Description=The web$')" = 1
check "every method that is told of" "$(ctl rpc status '{"unit":"db"}' | grep -c '"image":"small","root":"/run/coppice/root/db"')" = 1

# --- what it does --------------------------------------------------------------------------------------------

first=$(status_of web pid)
check_ok "restart" ctl restart web
check "another process" "$(status_of web pid)" != "$first"
check_ok "stop" ctl stop web
check "is down when stop is done" "$(status_of web state)" = inactive
check_status 4 "kill of what does not run" ctl kill web
check_ok "start" ctl start web
check "is up when start is done" "$(status_of web ready)" = true
check_ok "reload" ctl reload web
check "has been done" -e "$BOX/root/reloaded"
check_status 1 "start of what cannot run" ctl start broken
check_ok "start of what ends well" ctl start once
check_ok "reset-failed" ctl reset-failed broken
check "failed no more" "$(status_of broken state)" = inactive
ctl kill -s KILL web
wait_for '[[ $(status_of web state) = failed ]]'
check "killed by whom" "$(status_of web why)" = "killed by SIGKILL"
check "and its last end" "$(status_of web exit.signal)" = 9

# A start that nobody has the patience for.
check_status 5 "start waits until it is ready" ctl start --timeout=200ms slow
check "which it is not" "$(status_of slow ready)" = false
check_ok "and does not, if told so" ctl start --no-wait slow
check_ok "stop of what was never ready" ctl stop slow

# --- exec ----------------------------------------------------------------------------------------------------

check "in the unit's image" "$(ctl exec db cat /etc/os-release | head -1)" = ID=small
check "with its environment" "$(ctl exec db sh -c 'echo $PLACE')" = db
check "as its user" "$(ctl exec db id -u)" = 1000
check "as another" "$(ctl exec -u root db id -u)" = 0
check "with more of an environment" "$(ctl exec -e PLACE=here -e MORE=1 db sh -c 'echo $PLACE $MORE')" = "here 1"
check "somewhere else" "$(ctl exec -w /var db pwd)" = /var
check_status 7 "its status" ctl exec db sh -c 'exit 7'
check_status 137 "its death" ctl exec db sh -c 'kill -9 $$'
check_status 127 "no such program" ctl exec db /bin/nothing-here
check_status 126 "no program" ctl exec db /etc/passwd
check "stdin only when asked for" "$(echo word | ctl exec db cat)" = ""
check "stdin when asked for" "$(echo word | ctl exec -i db cat)" = word
check "a terminal of its own" "$(ctl exec -t db sh -c 'test -t 1 && echo yes' | tr -d '\r')" = yes
check "a lot of output, whole" "$(ctl exec db seq 1 100000 | cksum)" = "$(seq 1 100000 | cksum)"
check "a lot through a terminal, whole" "$(ctl exec -t db seq 1 20000 | tr -d '\r' | cksum)" = "$(seq 1 20000 | cksum)"

# The client is interrupted: what it ran does not stay.
ctl exec db sleep 4242 &
client=$!
wait_for 'pgrep -fx "sleep 4242" && pgrep -fx "/usr/bin/coppice exec db sleep 4242"'
kill "$(pgrep -fx '/usr/bin/coppice exec db sleep 4242')"
wait_for '! pgrep -fx "sleep 4242"'
wait "$client" 2>/dev/null
passed "a command does not outlive its client"

# --- the socket ----------------------------------------------------------------------------------------------

check "is root's alone" "$(in_box stat -c %a /run/coppice/control.sock)" = 600
check_fails "so nobody else gets in" in_box setpriv --reuid=1000 --clear-groups coppice status
check "units do not see it" "$(ctl exec -u root db sh -c 'ls /run/coppice/control.sock 2>/dev/null')" = ""

# --- a desk that dies ----------------------------------------------------------------------------------------

desk=$(ctl rpc status '{"unit":"db"}' | grep -o '"desk":[0-9]*' | tr -dc 0-9)
up=$(status_of db pid)
in_box kill -9 "$desk"
wait_for 'ctl ping'
check "another desk" "$(ctl rpc status '{"unit":"db"}' | grep -o '"desk":[0-9]*' | tr -dc 0-9)" != "$desk"
check "the same daemons" "$(status_of db pid)" = "$up"

# --- the end -------------------------------------------------------------------------------------------------

check_ok "exit 7" ctl exit 7
ended 20
check "is the container's status" "$STATUS" = 7
done_testing
