# shellcheck shell=bash disable=SC2016,SC2034
# dhcp_lab.sh - small networks, each with a server's and a client's namespace, for many short plays at once.
#
# A play is a function that is run in the background with a directory and two network namespaces of its own, a
# veth pair between them: c0 in $CLIENT, s0 in $SERVER. It judges with good and bad; play_all waits for all of
# them and hands their judgements to the story. Whatever they start dies with them.
#
#	play NAME           runs the function NAME in the background
#	on_server CMD...    in_client CMD...     run in the namespaces
#	server CMD...       in the background; $SERVER_PID; stop_server kills it
#	client KEY=VALUE... dhcp_run in the background; $CLIENT_PID; its news in $LAB/news, its log in $LAB/log
#	leave [SIGNAL]      ends it and keeps its status in $STATUS
#	expect TEXT EXPRESSION [SECONDS]   good as soon as the expression is true, bad when the time is over
#	expect_not TEXT EXPRESSION         bad if it is true now
lab_pids=()
LAB_WRAP=() # a command that dhcp_run is run by

good() { printf 'good\t%s\n' "$*" >>"$LAB/judged"; }
bad() {
	local text=$1
	shift
	printf 'bad\t%s\t%s\n' "$text" "$(printf '%s' "$*" | tr '\n\t' '  ')" >>"$LAB/judged"
}

expect() {
	if soon "$2" "${3:-10}"; then good "$play: $1"; else
		bad "$play: $1" "never true: $2; log: $(tail -n 8 "$LAB/log" 2>&1); address: $(address); routes: $(in_client ip route 2>&1)"
	fi
}

expect_not() {
	if eval "$2" >/dev/null 2>&1; then bad "$play: $1" "$2; log: $(tail -n 8 "$LAB/log" 2>&1)"; else good "$play: $1"; fi
}

on_server() { nsenter --net="/proc/$SERVER/ns/net" -- "$@"; }
in_client() { nsenter --net="/proc/$CLIENT/ns/net" -- "$@"; }

# The address on c0 with its bits, without what the kernel gives itself.
address() { in_client ip -o -4 addr show dev c0 2>/dev/null | awk '{ print $4 }' | tr '\n' ' ' | sed 's/ $//'; }
has_address() { [[ " $(address) " == *" $1"[/\ ]* ]]; }
routes() { in_client ip route | sed 's/ *$//'; }
mtu() { in_client cat /sys/class/net/c0/mtu 2>/dev/null || in_client ip -o link show c0 | sed 's/.* mtu \([0-9]*\).*/\1/'; }
lines_of() { grep -c -e "$1" "$2" 2>/dev/null || true; }

stop_server() {
	kill -s KILL "$SERVER_PID"
	wait "$SERVER_PID" 2>/dev/null
}

# A process of the play's own that ends with it.
lab_start() {
	setpriv --pdeathsig KILL "$@" &
	lab_pids+=($!)
}

server() {
	lab_start nsenter --net="/proc/$SERVER/ns/net" -- "$@" >>"$LAB/server" 2>&1
	SERVER_PID=$!
}

client() {
	client_of c0 "$@" >>"$LAB/news" 2>>"$LAB/log"
	CLIENT_PID=$RUN_PID
}

# client_of INTERFACE KEY=VALUE...: the same for another interface; $RUN_PID.
client_of() {
	local name=$1
	shift
	lab_start nsenter --net="/proc/$CLIENT/ns/net" --uts="/proc/$CLIENT/ns/uts" -- "${LAB_WRAP[@]}" \
		"$DHCP_RUN" "$LAB/state" "$LAB/run" "$LAB/etc/resolv.conf" "Interface=$name" "$@"
	RUN_PID=$!
}

# setpriv becomes nsenter, which becomes dhcp_run: one pid. Its child is the applier, whose is the client.
applier_pid() { pgrep -P "$CLIENT_PID" | head -n 1; }
dhcp_pid() { pgrep -P "$(applier_pid)" | head -n 1; }

leave() {
	STATUS=0
	kill -s "${1:-TERM}" "$CLIENT_PID" 2>/dev/null
	wait "$CLIENT_PID" 2>/dev/null || STATUS=$?
}

lab_end() {
	local pid
	for pid in "${lab_pids[@]}"; do
		kill -s KILL "$pid" 2>/dev/null
	done
	wait 2>/dev/null
}

lab_run() {
	play=$1
	LAB=$BOX/$play
	mkdir -p "$LAB/state" "$LAB/run" "$LAB/etc"
	: >"$LAB/judged"
	: >"$LAB/log"
	trap lab_end EXIT
	lab_start unshare --net sleep 1000
	SERVER=$!
	lab_start unshare --net --uts sleep 1000
	CLIENT=$!
	soon '[[ $(readlink /proc/$SERVER/ns/net) != "$(readlink /proc/self/ns/net)" &&
		$(readlink /proc/$CLIENT/ns/uts) != "$(readlink /proc/self/ns/uts)" ]]'
	ip link add s0 netns "$SERVER" type veth peer name c0 netns "$CLIENT"
	on_server ip link set lo up
	in_client ip link set lo up
	on_server ip addr add 198.51.100.1/24 dev s0
	on_server ip link set s0 up
	"$play"
	echo over >>"$LAB/judged"
}

plays=()
play() {
	plays+=("$1")
	(lab_run "$1") </dev/null >"$BOX/$1.said" 2>&1 &
}

play_all() {
	local name verdict text why
	wait
	for name in "${plays[@]}"; do
		while IFS=$'\t' read -r verdict text why; do
			case $verdict in
			good) passed "$text" ;;
			bad) failed "$text" "$why" ;;
			skip) skip "$text" "$why" ;;
			esac
		done <"$BOX/$name/judged"
		[[ $(tail -n 1 "$BOX/$name/judged") == over ]] || failed "$name: the play came to its end" "$(tail -n 5 "$BOX/$name.said")"
		[[ ! -s $BOX/$name.said ]] || comment "$name said: $(tail -n 5 "$BOX/$name.said")"
	done
}

# Without the server, the play is skipped, and says so.
need() {
	command -v "$1" >/dev/null && return
	printf 'skip\t%s\t%s\n' "$play: all of it" "no $1 here; .ci/need dhcp installs it" >>"$LAB/judged"
	return 1
}

DHCP_RUN=${DHCP_RUN:-$box_top/build/tests/box/dhcp_run}
[[ -x $DHCP_RUN ]] || give_up "there is $DHCP_RUN" "run make programs first"
