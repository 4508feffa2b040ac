#!/usr/bin/env bash
# control.sh - asking and commanding: every verb and its exit status, the socket itself, logs, exec, and a desk that dies.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

said() { cat "$BOX/said"; }
# saying TEXT PATTERN: what the last judged command printed.
saying() {
	if grep -qE -- "$2" "$BOX/said"; then
		passed "$1"
	else
		failed "$1" "no \"$2\" in: $(said)"
	fi
}
# hang_up WORDS: kills the client in the container that was called with these words.
hang_up() { in_box kill -KILL "$(in_box ps -o pid,args | awk -v words="coppice $1" 'index($0, words) { print $1 }')"; }
# as UID COMMAND...: in the container, as somebody else.
as() { timeout 20 nsenter --target "$BOX_PID" --mount --uts --ipc --net --pid --cgroup -S "$1" -G "$1" -- "${@:2}"; }
manager() { ctl rpc status | "$box_python" -c 'import json, sys; print(eval("json.load(sys.stdin)[\"manager\"]" + sys.argv[1]))' "$1"; }

image small
unit web <<-'EOF'
	[Unit]
	Description=the web server
	[Service]
	Image=small
	User=www
	Environment=COLOUR=green
	WorkingDirectory=/var/www
	ExecStart=/bin/sleep inf
	ExecReload=/bin/sh -c 'exit 0'
EOF
unit app <<-'EOF'
	[Unit]
	Requires=web.service
	[Service]
	ExecStart=/bin/sleep inf
EOF
unit stays <<-'EOF'
	[Service]
	Type=notify
	ExecStart=/bin/sleep inf
EOF
unit fails <<-'EOF'
	[Service]
	ExecStartPre=/bin/sh -c 'exit 9'
	ExecStart=/bin/sleep inf
EOF
mkfifo "$BOX/root/words"
unit talk <<-'EOF'
	[Service]
	ExecStart=/bin/sh -c 'exec 3<>/words; while read -r line <&3; do echo "$line"; done'
EOF
tell() { printf '%s\n' "$@" 1<>"$BOX/root/words"; }

# --- verbs ---------------------------------------------------------------------------------------------------

check_status 6 "without a PID 1 there is nobody to talk to: 6" "$BOX/root/usr/bin/coppice" ping --socket "$BOX/nothing"
boot
check_ok "wait" ctl wait --timeout=5 web app talk
check_ok "ping" ctl ping
check "answers pong" "$(said)" = pong
check_ok "version" ctl version
check "says which" "$(said | cut -d' ' -f1)" = coppice
check_ok "help" ctl help
for verb in status start stop restart reload reset-failed kill wait logs exec health events check show cat graph exit poweroff halt reboot ping rpc version help; do
	grep -q "^  $verb " "$BOX/said" || failed "help lists $verb"
	ctl help $verb | grep -q "^coppice $verb - " || failed "help $verb says what it does"
done
check_ok "status" ctl status
check "shows every unit with its state, without colours where there is no terminal" \
	"$(said | awk '$1 == "web" { print $2 }') $(grep -c $'\e' "$BOX/said")" = "running 0"
check "and why" "$(said | grep '^fails ' | grep -c 'ExecStartPre= exited with status 9')" = 1
check_ok "status UNIT" ctl status web
saying "tells more of it" 'the web server'
check "status --json has all that the contract names" "$(ctl status --json web | "$box_python" -c '
import json, sys
s = json.load(sys.stdin)
u = s["units"][0]
names = "unit description state sub ready health pid since restarts exit why waiting_on image root log".split()
missing = [n for n in names if n not in u] + [n for n in ("result", "message", "failures") if n not in u["health"]]
missing += [n for n in ("lines", "dropped") if n not in u["log"]] + ([] if "manager" in s and len(s["units"]) == 1 else ["shape"])
print(*missing)')" = ""
check_status 3 "no such unit: 3" ctl status wep
saying "it names the nearest" 'did you mean "web"'
check_status 3 "also for start" ctl start nobody
check_status 2 "no such verb: 2" ctl stats
saying "it names the nearest" 'did you mean "status"'
check_status 2 "no such option: 2" ctl status --jsno
check_status 2 "too few arguments: 2" ctl start
check_status 2 "no such signal: 2" ctl kill -s NONE web
check_status 2 "no such method: 2" ctl rpc nothing
check_status 1 "a start that fails: 1" ctl start fails
saying "with the reason" 'ExecStartPre= exited with status 9'
check_status 4 "kill of what does not run: 4" ctl kill fails
check_status 5 "wait --timeout: 5" ctl wait --timeout=100ms stays
check_status 5 "start --timeout: 5" ctl start --timeout=100ms stays
check_ok "start --no-wait does not wait" ctl start --no-wait stays
check_ok "kill sends a signal" ctl kill -s KILL stays
check_ok "wait --for=stopped" ctl wait --for=stopped --timeout=5 stays
check_status 1 "wait for one that has failed: 1" ctl wait --timeout=5 stays
check_ok "reload" ctl reload web
check_ok "restart takes several" ctl restart web talk
check_ok "stop of a requirement" ctl stop web
check "takes its dependents along" "$(states web app)" = "inactive inactive"
check_status 4 "exec in a root that is not there: 4" ctl exec web true
check_ok "stop of what is down already" ctl stop web
check_ok "start" ctl start app
check "takes its requirements along" "$(states web app)" = "running running"
check_ok "health UNIT" ctl health web
check_status 1 "health: not of one that failed" ctl health fails
check_ok "show" ctl show web
saying "every setting in effect, and where it comes from" 'User=www.*web.service:5'
saying "also those that nobody set" 'KillSignal=(SIG)?TERM'
check_ok "cat" ctl cat web
saying "prints the file" '^Description=the web server$'
check_ok "graph" ctl graph
saying "names both ends" 'web.*requires'
check_ok "graph --dot" ctl graph --dot
saying "is for Graphviz" '^digraph'
(ctl events >"$BOX/events") 2>/dev/null &
wait_for '[[ $(manager "[\"pid\"]") ]] && { ctl restart app; grep -q app "$BOX/events"; }'
passed "events tells of a restart"
hang_up events
in_box coppice init --dry-run >"$BOX/said"
check "init --dry-run shows the order of starts" "$(grep '^start ' "$BOX/said" | grep -n . | sed -n 's/^\([0-9]*\):start *\(web\|app\) .*/\2/p' | xargs)" = "web app"
check_status 2 "init does not take an option it does not know" in_box coppice init --dry-rum

# --- who may -------------------------------------------------------------------------------------------------

check_status 6 "another user does not even connect" as 65534 coppice ping

# --- logs ----------------------------------------------------------------------------------------------------

tell one two three
wait_for '[[ $(ctl logs talk) == *three* ]]'
check "logs" "$(ctl logs talk | xargs)" = "one two three"
check "logs -n" "$(ctl logs -n 2 talk | xargs)" = "two three"
(ctl logs -f -n 1 talk >"$BOX/followed") 2>/dev/null &
wait_for 'grep -q three "$BOX/followed"'
tell four
wait_for 'grep -q four "$BOX/followed"'
check "logs -f goes on with each new line" "$(xargs <"$BOX/followed")" = "three four"
hang_up "logs -f"
check_ok "logs of all say whose line it is" eval 'ctl logs | grep -qE "talk +[|] four"'
check "logs --since" "$(ctl logs --since=1h talk | wc -l)" = 4
check "logs --json" "$(ctl logs --json -n 1 talk | "$box_python" -c 'import json, sys; print(json.loads(sys.stdin.readline()).get("text"))')" = four

# --- exec ----------------------------------------------------------------------------------------------------

check_status 7 "exec passes the exit status on" ctl exec web sh -c 'exit 7'
check_status 137 "and a signal as 128 and its number" ctl exec web sh -c 'kill -KILL $$'
check_status 127 "127 where there is no such program" ctl exec web absent
check "it runs in the unit's image, as its user, in its directory, with its environment" \
	"$(ctl exec web sh -c '. /etc/os-release; echo $ID $(id -un) $(pwd) $COLOUR $HOME')" = "small www /var/www green /var/www"
check "-u, -w, -e" "$(ctl exec -u root -w /tmp -e COLOUR=red -e 'X=a b' web sh -c 'echo $(id -u) $(pwd) $COLOUR "$X"')" = "0 /tmp red a b"
check "-u nobody of the image" "$(ctl exec -u nobody web id -u)" = 65534
check "without -i it reads nothing" "$(echo hello | ctl exec web cat)" = ""
check "with -i it reads" "$(echo hello | ctl exec -i web cat)" = hello
check "without a command it is the user's shell" "$(echo 'echo I am $USER' | ctl exec -i web)" = "I am www"
check "a megabyte goes through and back" "$(head -c 1000000 /dev/zero | ctl exec -i web cat | wc -c)" = 1000000
check "its stderr is apart" "$(ctl exec web sh -c 'echo out; echo err >&2' 2>/dev/null)" = out
check "exec as root has no more rights than the unit" "$(ctl exec -u root web grep CapBnd /proc/self/status | cut -f2)" = 00000000800005fb
check "no descriptor of PID 1 comes along" "$(ctl exec web ls /proc/self/fd | xargs)" = "0 1 2 3"
cat >"$BOX/terminal.py" <<-'PY'
	import os, pty, sys
	got = b""
	pid, master = pty.fork()
	if pid == 0:
	    os.execvp(sys.argv[1], sys.argv[1:])
	os.write(master, b"word\n")
	while True:
	    try:
	        piece = os.read(master, 4096)
	    except OSError:
	        break
	    if not piece:
	        break
	    got += piece
	status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
	print(status, got.decode().replace("\r\n", " ").strip())
PY
# The operator's own terminal may echo the word, too, as long as it is not raw.
check "-t gives it a terminal of its own, and its status comes back" \
	"$("$box_python" "$BOX/terminal.py" nsenter --target "$BOX_PID" --mount --uts --ipc --net --pid --cgroup -- \
		/usr/bin/coppice exec -it web sh -c '[ -t 0 ] && [ -t 1 ] && read x && echo got $x; exit 5' | sed 's/word word/word/')" = "5 word got word"
(ctl exec web sleep 5555) 2>/dev/null &
wait_for 'in_box ps -o args | grep -q "^sleep 5555"'
hang_up "exec web sleep"
wait_for '! in_box ps -o args | grep -q "^sleep 5555"'
passed "a client that is gone takes its command along"

# --- the socket itself ---------------------------------------------------------------------------------------

cat >"$BOX/rpc.py" <<-'PY'
	import json, os, socket, sys, time
	path = sys.argv[1]
	def connect():
	    s = socket.socket(socket.AF_UNIX)
	    s.settimeout(10)
	    s.connect(path)
	    return s, s.makefile("rb")
	def answer(f):
	    line = f.readline()
	    return json.loads(line) if line else None
	def ask(text):
	    s.sendall(text if isinstance(text, bytes) else text.encode() + b"\n")
	    return answer(f)
	n = 0
	def check(text, good, got=""):
	    global n
	    print("%s %s%s" % ("ok" if good else "not ok", text, "" if good else ": " + repr(got)))
	def code(a):
	    return a.get("error", {}).get("code") if isinstance(a, dict) else a
	PING = '{"jsonrpc":"2.0","id":%s,"method":"ping"}'
	s, f = connect()
	a = ask(PING % 1)
	check("a request, its answer", a == {"jsonrpc": "2.0", "id": 1, "result": "pong"}, a)
	a = ask(PING % '"x"')
	check("the id comes back as it was", a["id"] == "x", a)
	a = ask((PING % 2 + "\r\n").encode())
	check("CRLF is as good as LF", a["id"] == 2, a)
	s.sendall((PING % 3 + "\n" + PING % 4 + "\n").encode())
	a = {answer(f)["id"], answer(f)["id"]}
	check("two requests in one piece", a == {3, 4}, a)
	for piece in (PING % 5 + "\n").encode().partition(b"method"):
	    s.sendall(piece)
	    time.sleep(0.02)
	a = answer(f)
	check("one request in three pieces", a["id"] == 5, a)
	a = ask("this is no JSON")
	check("what is not JSON: -32700, and id null", code(a) == -32700 and a["id"] is None, a)
	a = ask("{}")
	check("what is no request: -32600", code(a) == -32600, a)
	a = ask('{"jsonrpc":"1.0","id":1,"method":"ping"}')
	check("another version: -32600", code(a) == -32600, a)
	a = ask('{"jsonrpc":"2.0","id":1,"method":"pong"}')
	check("no such method: -32601", code(a) == -32601, a)
	a = ask('{"jsonrpc":"2.0","id":1,"method":"start","params":{"unti":"web"}}')
	check("no such parameter: -32602", code(a) == -32602 and "unit" in a["error"]["message"], a)
	a = ask('{"jsonrpc":"2.0","id":1,"method":"start","params":{"unit":7}}')
	check("a parameter of another type: -32602", code(a) == -32602, a)
	a = ask('{"jsonrpc":"2.0","id":1,"method":"start","params":{"unit":"fails"}}')
	check("data.unit and data.why tell of a failure",
	      a["error"].get("data", {}).get("unit") == "fails" and "status 9" in a["error"]["data"].get("why", ""), a)
	s.sendall(b'{"jsonrpc":"2.0","method":"ping"}\n')
	a = ask(PING % 6)
	check("a notification gets no answer", a["id"] == 6, a)
	a = ask("[%s,%s,1]" % (PING % 7, PING % 8))
	check("a batch", isinstance(a, list) and sorted(str(x["id"]) for x in a) == ["7", "8", "None"], a)
	a = ask(b'{"jsonrpc":"2.0","id":1,"method":"ping\0"}\n')
	check("a NUL byte: -32700", code(a) == -32700, a)
	deep = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":%s}}'
	a = ask(deep % ("[" * 15 + "]" * 15))
	check("deeper than 16 levels: refused", code(a) in (-32600, -32700), a)
	a = ask('{"jsonrpc":"2.0","id":1,"method":"%s"}' % ("x" * 70000))
	check("longer than 64 KiB: refused", code(a) == -32600, a)
	a = ask(PING % 9)
	check("and the connection is still good", a["id"] == 9, a)
	s.sendall(('{"jsonrpc":"2.0","id":10,"method":"wait","params":{"unit":"stays","for":"ready","timeout":0.2}}\n' + PING % 11 + "\n").encode())
	a = [answer(f)["id"], answer(f)["id"]]
	check("answers may come in another order", sorted(a) == [10, 11], a)
	more = []
	for i in range(63):
	    more.append(connect())
	t, g = connect()
	a = answer(g)
	check("the 65th connection is told that there are too many", a and "error" in a and answer(g) is None, a)
	for c, g in more:
	    g.close()
	    c.close()
	for i in range(200):
	    t, g = connect()
	    try:
	        t.sendall((PING % 12 + "\n").encode())
	        a = answer(g)
	    except OSError:
	        a = None
	    if a and a.get("id") == 12:
	        break
	    time.sleep(0.02)
	check("when others have left there is room again", a and a.get("id") == 12, a)
	for i in range(50):
	    c = socket.socket(socket.AF_UNIX)
	    c.connect(path)
	    c.sendall(b'{"jsonrpc"')
	    c.close()
	check("who leaves in the middle of a word harms nobody", ask(PING % 13)["id"] == 13)
PY
sock=/proc/$BOX_PID/root/run/coppice/control.sock
while IFS= read -r line; do
	case $line in
	"ok "*) passed "socket: ${line#ok }" ;;
	*) failed "socket: ${line#not ok }" ;;
	esac
done < <("$box_python" "$BOX/rpc.py" "$sock" 2>&1)

# --- somebody does not read ----------------------------------------------------------------------------------

# --- the desk dies -------------------------------------------------------------------------------------------

desk=$(manager '["helpers"]["desk"]') web=$(status_of web pid)
in_box kill -KILL "$desk"
wait_for '[[ $(manager "[\"helpers\"][\"desk\"]") != "$desk" ]]'
check "the desk is killed: another one answers" "$(ctl ping)" = pong
check "units have not noticed" "$(status_of web pid) $(status_of web state)" = "$web running"
check "what is known of them is kept" "$(status_of fails state) $(status_of fails why)" = "failed ExecStartPre= exited with status 9"
check "so are their logs" "$(ctl logs talk | xargs)" = "one two three four"
tell five
wait_for '[[ $(ctl logs -n 1 talk) = five ]]'
passed "and they go on"
check_ok "shutdown by its verb" ctl exit 3
check_ok "ends PID 1" ended
check "with the code that was asked for" "$STATUS" = 3

# --- nobody reads the container's output ---------------------------------------------------------------------

unit flood <<-'EOF'
	[Service]
	ExecStart=/bin/yes there is always one more line to say
EOF
conf <<-'EOF'
	[Manager]
	ControlGroup=www
EOF
mkfifo "$BOX/console.fifo"
exec 5<>"$BOX/console.fifo"
box_spawn "$BOX/root" "$BOX/console.fifo" PATH=/bin:/sbin:/usr/bin:/usr/sbin -- /sbin/init
wait_for 'ctl ping'
wait_for '[[ $(status_of flood log.dropped) -gt 1000 ]]'
check_ok "nobody reads the container's output: ping is answered within 100 ms" in_time
check_ok "units run" ctl restart web
check "their lines are kept" "$(ctl logs -n 1 flood)" = "there is always one more line to say"
mkfifo "$BOX/unread"
exec 6<>"$BOX/unread"
(ctl logs -f >&6) 2>/dev/null &
wait_for 'in_box ps -o args | grep -q "coppice logs -f"'
check_ok "a client that does not read is no matter either" in_time
hang_up "logs -f"
ctl stop flood
timeout 1 cat <&5 >"$BOX/console"
check_ok "when somebody reads again, the loss is told" grep -qE '^coppice +\| .*[0-9]+ lines' "$BOX/console"

# --- ControlGroup= -------------------------------------------------------------------------------------------

check_ok "ControlGroup= may read" as 1000 coppice status
check_status 1 "and not command" as 1000 coppice stop web
saying "as it is told" 'may only read'
check "nothing happened" "$(status_of web state)" = running
check_fails "others may not even read" as 65534 coppice status
down
check "a clean stop without a reader" "$STATUS" = 0
done_testing
