#!/usr/bin/env bash
# engines.sh - a room in which a story may run a container engine, Podman's or Docker's, and nothing of it stays behind.
#
# A story says what it needs, and sources this in place of box.sh:
#
#	engine_programs='podman runc' engine_packages='podman runc'
#	. "${0%/*}/../lib/engines.sh"
#
# From then on it is PID 1 of a PID namespace, so that daemons that detach themselves end with it; in a cgroup namespace,
# whose trees are mounted anew, so that all that engines make lies in one directory; without a network; and with /dev, /run, /etc
# and the like that it may change. The packages are installed before, outside, where there is a network.
#
# The story sets $engine, podman or docker (with options: an array), starts it, and then has
#
#	e VERB...             the engine; what it says on stderr goes to the console
#	limit N WHAT          the smaller of N and the hard limit, as ulimit says WHAT: who may not raise it may not ask for more
#	shop                  the image "shop": conf/examples/Containerfile, with two images made here for those of the network
#	small                 the image "small": busybox, one unit in the container's own root, /sbin/init
#	run NAME OPTIONS... IMAGE [ARG...], up NAME, over NAME, gone NAME, state NAME FIELD, said NAME [UNIT], traced NAME
#	stops, exits, restarts, stands_in, poor   what both stories see
#
# shellcheck shell=bash disable=SC2154,SC2016 # the story says what it needs; soon and wait_for evaluate what they are given

engine_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Each cgroup tree: where it is mounted, its type, its options.
engine_trees() { awk '$(NF - 2) ~ /^cgroup2?$/ && $5 ~ /^\/sys\/fs\/cgroup/ { print $5, $(NF - 2), $NF }' /proc/self/mountinfo; }

# engine_place TREE TYPE OPTIONS: the cgroup in it that we are in.
engine_place() {
	local id names path
	while IFS=: read -r id names path; do
		case $2,$id,,$3, in
		cgroup2,0,* | cgroup,*,*",${names%%,*},"*) echo "$1${path%/}" && return ;;
		esac
	done </proc/self/cgroup
}

# What engines leave in the cgroups of a story that has ended.
engine_sweep() {
	local dir
	for dir; do
		[[ ! -d $dir ]] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null
	done
}

# engine_enter STORY [ARG...]: runs it again, inside. We stay outside, and put away what is left.
engine_enter() {
	local tree type options place dir dirs=() child status
	while read -r tree type options; do
		place=$(engine_place "$tree" "$type" "$options")
		for dir in "$place"/coppice-box-*; do # of stories that were killed
			[[ -e /proc/${dir##*-} ]] || engine_sweep "$dir"
		done
		dir=$place/coppice-box-$$
		mkdir -p "$dir/story" 2>/dev/null || continue
		for tree in "$dir" "$dir/story"; do # the kernel lets nobody into a set of no processors
			[[ ! -e $tree/cpuset.mems || $type == cgroup2 ]] ||
				cat "$place/cpuset.cpus" >"$tree/cpuset.cpus" && cat "$place/cpuset.mems" >"$tree/cpuset.mems"
		done 2>/dev/null
		dirs+=("$dir")
	done < <(engine_trees)
	# The directory becomes the namespace's root. In cgroup2 nothing may run there but in its leaves.
	(
		for dir in "${dirs[@]}"; do
			echo "$BASHPID" >"$dir/cgroup.procs" || exit
		done
		exec unshare --cgroup -- "$BASH" -c '
			until [[ $1 == -- ]]; do
				echo $$ >"$1/story/cgroup.procs"
				shift
			done
			exec setpriv --pdeathsig KILL unshare --pid --fork --kill-child --net --mount-proc --propagation private "$@"
		' engines "${dirs[@]}" -- "$BASH" "$@"
	) </dev/null &
	child=$!
	trap 'exec 2>/dev/null; kill -KILL "$child"' HUP INT TERM
	wait "$child"
	status=$?
	# The last of a namespace is gone a moment before its cgroups know.
	SECONDS=0
	while engine_sweep "${dirs[@]}" && [[ -e ${dirs[0]:-} && $SECONDS -lt 5 ]]; do :; done
	exit "$status"
}

if [[ ! ${engine_room:-} && $(id -u) == 0 ]]; then
	for program in $engine_programs; do
		command -v "$program" >/dev/null && continue
		# shellcheck disable=SC2086 # several
		"$engine_top/.ci/need" $engine_packages >/dev/null 2>&1
		break
	done
	if unshare --pid --fork --mount --net --cgroup true 2>/dev/null; then
		engine_room=$$ BOX_CGROUP=no
		export engine_room BOX_CGROUP
		engine_enter "$0" "$@"
	fi
fi
# shellcheck source=tests/lib/box.sh
. "$engine_top/tests/lib/box.sh"
[[ ${engine_room:-} ]] || skip_all "may not make namespaces here; use a privileged container or a VM"
for program in $engine_programs; do
	command -v "$program" >/dev/null || skip_all "no $program here, and it cannot be installed"
done

engine_furnish() {
	local node tree type options trees
	trees=$(engine_trees)
	umount -R /sys/fs/cgroup || return
	[[ $trees == "/sys/fs/cgroup cgroup2 "* ]] || mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
	while read -r tree type options; do
		mkdir -p "$tree" && mount -t "$type" -o "$options" cgroup "$tree" || return
	done <<<"$trees"
	mkdir -p "$BOX"/{dev,tmp}
	mount -t tmpfs -o mode=755 dev "$BOX/dev"
	for node in null:3 zero:5 full:7 random:8 urandom:9; do
		mknod -m 666 "$BOX/dev/${node%:*}" c 1 "${node#*:}"
	done
	mknod -m 666 "$BOX/dev/tty" c 5 0
	mkdir "$BOX"/dev/{pts,shm,mqueue}
	ln -s pts/ptmx "$BOX/dev/ptmx"
	ln -s /proc/self/fd "$BOX/dev/fd"
	mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$BOX/dev/pts"
	mount -t tmpfs -o mode=1777 shm "$BOX/dev/shm"
	mount --move "$BOX/dev" /dev
	mount -t tmpfs -o mode=755 run /run
	for tree in /etc /opt /var/cache /var/lib; do
		mkdir -p "$BOX/over$tree"/{upper,work}
		mount -t overlay -o "lowerdir=$tree,upperdir=$BOX/over$tree/upper,workdir=$BOX/over$tree/work" over "$tree" || return
	done
}
[[ ! $box_top/ =~ ^/(opt|var/cache|var/lib)/ ]] || skip_all "this tree lies where engines keep what is theirs"
engine_furnish || skip_all "cgroups or overlays cannot be mounted here; use a privileged container or a VM"
export TMPDIR=$BOX/tmp HOME=$BOX/tmp

limit() {
	local hard
	hard=$(ulimit -H "$2")
	[[ $hard != unlimited && $hard -lt $1 ]] || hard=$1
	echo "$hard"
}

# --- containers ----------------------------------------------------------------------------------------------

e() { timeout $((60 * ${BOX_PATIENCE:-1})) "${engine[@]}" "$@" 2>>"$BOX/console"; }
run() {
	e run --detach --network=none --name "$@" >/dev/null || give_up "$engine run $*" "$(tail -n 3 "$BOX/console")"
}
up() {
	soon "e exec $1 /usr/bin/coppice wait --timeout=1s" || give_up "$1: the units are up" "$("$engine" logs "$1" 2>&1 | tail -n 20)"
}
over() { wait_for "[[ \$(state $1 Status) == exited ]]"; }
gone() { e rm --force "$@" >/dev/null; }
state() { e inspect --format "{{.State.$2}}" "$1"; }
said() { "$engine" logs "$1" 2>&1 | sed -n "s/^${2:-coppice} *| //p"; }
# What the units have said of their lives: how many began to serve, who stopped, in that order.
traced() {
	"$engine" logs "$1" 2>/dev/null | awk '
		$3 == "serving" { n++ }
		$3 == "stopped" { if (n) print n, "serving"; n = 0; print $1, $3 }
		END { if (n) print n, "serving" }' | xargs
}
# How units are, by the engine's exec: NAME UNIT...
units() {
	e exec "$1" /usr/bin/coppice status --json | "$box_python" -c '
import json, sys
state = {u["unit"]: u["state"] for u in json.load(sys.stdin)["units"]}
print(*[state.get(name, "none") for name in sys.argv[1:]])' "${@:2}"
}
life='2 serving web stopped db stopped'

serve='
	sleep inf &
	trap "echo stopped; exit 0" TERM
	echo serving
	wait
'

# Two units, each in its image. web is well as long as there is a file.
shop() {
	local name build
	for name in nginx redis; do
		image $name
		script serve $name <<<"$serve"
		: >"$BOX/images/$name/well"
		# Where they run by chroot we make one, if we may: Docker grants CAP_MKNOD, Podman does not. A shell wants one.
		[[ ${engine[0]} == docker ]] || : >"$BOX/images/$name/dev/null"
	done
	mkdir "$BOX/shop"
	cp "$BOX/root/sbin/init" "$BOX/shop/coppice"
	mv "$(readlink -f "$BOX/images")" "$BOX/shop/images"
	unit web <<-'UNIT'
		[Unit]
		Requires=db.service
		[Service]
		Image=nginx
		ExecStart=/bin/serve
		HealthFile=/well
		HealthInterval=100ms
		HealthRetries=1
	UNIT
	unit db <<-'UNIT'
		[Service]
		Image=redis
		ExecStart=/bin/serve
	UNIT
	cp -r "$BOX/units/" "$BOX/shop/units"
	rm "$BOX"/units/*
	sed -e '/^FROM docker.io/d' -e 's|^COPY --from=\([a-z]*\) / |COPY images/\1/ |' "$box_top/conf/examples/Containerfile" >"$BOX/shop/Containerfile"
	# As that file's first line has it.
	build=$(sed -n '1s/.*: podman //p' "$box_top/conf/examples/Containerfile")
	[[ $engine == podman ]] || build=${build/--format docker/--file Containerfile}
	# shellcheck disable=SC2086 # words
	(cd "$BOX/shop" && DOCKER_BUILDKIT=0 "$engine" $build >>"$BOX/console" 2>&1) || give_up "the Containerfile is built" "$(tail -n 5 "$BOX/console")"
	check "the image has the example's health check" "$(e inspect shop | "$box_python" -c '
import json, sys
i = json.load(sys.stdin)[0]
print(*(i["Config"].get("Healthcheck") or i["Healthcheck"])["Test"])')" = "CMD /usr/bin/coppice health"
	cat >"$BOX/boss.service" <<-'UNIT'
		[Service]
		Image=redis
		PassEnvironment=END
		ExecStart=/bin/sh -c 'eval "$$END"'
		Critical=yes
	UNIT
	boss=(--volume "$BOX/boss.service:/etc/coppice/boss.service:ro")
}

small() {
	script serve <<<"$serve"
	unit web <<-'UNIT'
		[Service]
		ExecStart=/bin/serve
	UNIT
	tar -C "$BOX/root" -c . | e import - small >/dev/null || give_up "an image is imported" "$(tail -n 5 "$BOX/console")"
}

# example FILE KEY: the words of the list behind KEY, one a line.
example() {
	sed -n "s/^ *$2: *\\(\\[.*\\]\\)/\\1/p" "$box_top/conf/examples/$1" | head -n 1 | "$box_python" -c 'import json; print(*json.loads(input()), sep="\n")'
}

# --- what both stories see -----------------------------------------------------------------------------------

stops() {
	local cap option rights=()

	run plain shop
	up plain
	check "the container is known for what it is" "$(e exec plain /usr/bin/coppice status --json | grep -o '"container":"[a-z]*"')" = "\"container\":\"$engine\""
	check "the units run, each in its image, without CAP_SYS_ADMIN" "$(units plain web db)" = "ready running"
	check "what is lost without mounts is told, once" "$("$engine" logs plain 2>&1 | grep -c 'images run by chroot')" = 1
	check_ok "coppice logs" eval 'e exec plain /usr/bin/coppice logs web | grep -q serving'
	check_status 3 "coppice exec: a command's own status" e exec plain /usr/bin/coppice exec db sh -c 'exit 3'
	check_ok "stop" e stop plain
	check "is SIGTERM, an ordered stop, and status 0" "$(said plain | grep -c 'stopping: signal 15') $(state plain ExitCode) $(traced plain)" = "1 0 $life"
	# What the first life left in /run is still there.
	check_ok "start: the same container again" e start plain
	up plain
	check "its units are up again" "$(units plain web db) $(traced plain)" = "ready running $life 2 serving"
	e kill --signal INT plain >/dev/null
	over plain
	check "kill --signal INT: an ordered stop, too" "$(said plain | grep -c 'stopping: signal 2') $(state plain ExitCode) $(traced plain)" = "1 0 $life $life"
	gone plain

	for cap in $(example compose.yaml cap_add); do
		rights+=("--cap-add=$cap")
	done
	for option in $(example compose.yaml security_opt); do
		rights+=("--security-opt=$option")
	done
	run rooted "${rights[@]}" --stop-signal SIGRTMIN+3 shop
	up rooted
	check "with what compose.yaml grants: the units run" "$(units rooted web db)" = "ready running"
	check "each in a root of its own" "$(for unit in web db; do
		e exec rooted /usr/bin/coppice exec $unit sh -c 'grep -c " / / .* - overlay " /proc/self/mountinfo; grep ^ID= /etc/os-release'
	done | xargs)" = "1 ID=nginx 1 ID=redis"
	check "and nothing is complained of" "$("$engine" logs rooted 2>&1 | grep -ciE 'warn|refused|not permitted|chroot')" = 0
	e stop rooted >/dev/null
	check "--stop-signal SIGRTMIN+3: an ordered stop" "$(said rooted | grep -c 'stopping: signal 37') $(state rooted ExitCode) $(traced rooted)" = "1 0 $life"
	gone rooted
}

exits() {
	local row status
	for row in "exit 0:0" "exit 3:3" "exit 255:255" 'kill -TERM $$:143' 'kill -SEGV $$:139' 'kill -KILL $$:137'; do
		e run --rm --network=none "${boss[@]}" --env END="${row%:*}" shop >/dev/null
		status=$?
		check "the critical unit's ${row%:*}: the container's status" $status = "${row##*:}"
	done
	run waited "${boss[@]}" --env END="sleep inf" shop
	up waited
	e wait waited >"$BOX/status" &
	e exec waited /usr/bin/coppice exit 9
	wait $!
	check "coppice exit 9: what wait says, after an ordered stop" "$(<"$BOX/status") $(traced waited)" = "9 $life"
	gone waited
	run waited shop
	up waited
	e kill --signal 49 waited >/dev/null
	over waited
	check "signal 49: at once, without the units" "$(state waited ExitCode) $(traced waited)" = "133 2 serving"
	gone waited
}

restarted() { [[ $(e inspect --format '{{.RestartCount}}' "$1") == "$2" ]] && [[ $(state "$1" Status) == "$3" ]]; }
restarts() {
	local policy
	run failing --restart=on-failure:2 "${boss[@]}" --env END='echo round; exit 7' shop
	wait_for 'restarted failing 2 exited'
	check "--restart=on-failure:2: three rounds, and the status at last" "$(state failing ExitCode) $(said failing boss | xargs)" = "7 round round round"
	run passing --restart=on-failure:2 "${boss[@]}" --env END='echo round; exit 0' shop
	over passing
	policy=$(sed -n 's/^ *restart: //p' "$box_top/conf/examples/compose.yaml")
	run lasting "--restart=$policy" shop
	up lasting
	kill -KILL "$(state lasting Pid)"
	wait_for 'restarted lasting 1 running'
	up lasting
	check "--restart=$policy: PID 1 was killed, and the units are up again" "$(units lasting web db) $(traced lasting)" = "ready running 4 serving"
	e exec lasting /usr/bin/coppice reboot
	wait_for 'restarted lasting 2 running'
	up lasting
	check "coppice reboot: an ordered stop, and up again" "$(units lasting web db) $(traced lasting)" = "ready running 4 serving web stopped db stopped 2 serving"
	e stop lasting >/dev/null
	idle 500 # longer than either takes to restart
	check "stop: it stays down" "$(state lasting Status) $(state lasting ExitCode)" = "exited 0"
	check "on-failure, and status 0: it is left alone" "$(restarted passing 0 exited && said passing boss)" = round
	gone failing passing lasting
}

# stands_in WORDS...: by these the engine runs the image's command under us.
stands_in() {
	local row status
	for row in "exit 0:0" "exit 5:5" 'kill -KILL $$:137' 'cmp /proc/1/exe /sbin/init:0'; do
		timeout $((20 * ${BOX_PATIENCE:-1})) "$engine" run --rm --network=none "$@" small sh -c "${row%:*}" 2>>"$BOX/console"
		status=$?
		check "$1: ${row%:*}" $status = "${row##*:}"
	done
	e run --rm --network=none "$@" small /no/such/program
	check "$1: a command that is not there" $? = 127
	e run --rm --network=none "$@" small timeout 10 sh -c '(sh -c "echo \$\$ >/orphan" &)
		until [ -s /orphan ] && [ ! -e /proc/$(cat /orphan) ]; do :; done; exit 9'
	check "$1: orphans are reaped" $? = 9
	run signalled "$@" small sh -c 'trap "exit 3" TERM; echo on; sleep inf & wait'
	wait_for '[[ $(e logs signalled) == on ]]'
	e stop signalled >/dev/null
	check "$1: stop reaches the command, its status is the container's" "$(state signalled ExitCode)" = 3
	gone signalled
}

# With little or nothing granted.
poor() {
	local options user
	for options in --read-only --cap-drop=all --user=1000 "--read-only --cap-drop=all --security-opt=no-new-privileges --user=1000"; do
		# shellcheck disable=SC2086 # words
		run poor $options --entrypoint=/sbin/init small
		wait_for '[[ $(traced poor) ]]'
		e stop poor >/dev/null
		check "$options: the unit runs, and stops in order" "$(state poor ExitCode) $(traced poor)" = "0 1 serving web stopped"
		gone poor
	done
	run poor --user=1000 --tmpfs=/tmp --entrypoint=/sbin/init small --runtime /tmp/run
	wait_for '[[ $(traced poor) ]]'
	for user in 0 1000; do
		check_status 0 "--user=1000, and a place for the socket: $user may ask" \
			e exec --user=$user --env=COPPICE_SOCKET=/tmp/run/control.sock poor /usr/bin/coppice health
	done
	check_status 1 "and order nothing, but as root" e exec --env=COPPICE_SOCKET=/tmp/run/control.sock poor /usr/bin/coppice stop web
	gone poor
}
