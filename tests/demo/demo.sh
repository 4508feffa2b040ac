#!/usr/bin/env bash
# demo.sh - a database, a feed reader and a web proxy: three images of two Debian releases, in one container under coppice.
# TIMEOUT 300
#
#	demo.sh [--with=MANAGER] [--keep] [--test]
#
# --with=unshare|lxc|nspawn  who makes the container: plain namespaces (default), LXC, or systemd-nspawn
# --keep                     leave the container running, and say how to enter it
# --test                     TAP for machines; the same root is booted by all three managers
#
# It fetches a page through the proxy that only the database can know, kills the database and watches it come back,
# stops the container as its manager would, and boots it again to find the data. Images are built once
# (images.sh) and kept in build/demo/images; the container's root lies in build/demo/root while this runs.
#
# shellcheck disable=SC2016 # soon evaluates what it is given

usage() {
	sed -n '/^#\t/s/^#\t/usage: /p' "$0" >&2
	exit 2
}
with='' keep='' test=''
for word in "$@"; do
	case $word in
	--with=unshare | --with=lxc | --with=nspawn) with=${word#*=} ;;
	--keep) keep=yes ;;
	--test) test=yes ;;
	*) usage ;;
	esac
done

export BOX_EMPTY=yes
# shellcheck source=tests/lib/box.sh
. "$(dirname "$0")/../lib/box.sh"

here=$box_top/tests/demo
demo=$box_top/build/demo
root=$demo/root
box_console=$demo/console
if [[ $with ]]; then
	managers=("$with" "$with")
elif [[ $test ]]; then
	managers=(unshare lxc nspawn)
else
	managers=(unshare unshare)
fi

# --- telling -------------------------------------------------------------------------------------------------

bold='' dim='' green='' red='' plain='' tty=''
if [[ ! $test && -t 1 ]]; then
	tty=yes
	[[ ${NO_COLOR:-} ]] || bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi
clear_line=${tty:+$'\r\e[K'}

if [[ $test ]]; then
	heading() { comment "$1"; }
	tell() { [[ ! $1 ]] || comment "$1"; }
else
	heading() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
	tell() { [[ ! $1 ]] || sed "s/^/    $dim/; s/\$/$plain/" <<<"$1"; }
	comment() { tell "$*"; }
	tap_pass() { printf '%s  %s✓%s %s\n' "$clear_line" "$green" "$plain" "$1"; }
	tap_fail() { printf '%s  %s✗ %s%s\n' "$clear_line" "$red" "$1" "$plain"; }
	tap_plan() { :; }
fi

now() { echo "${EPOCHREALTIME/./}"; }
since() { printf '%d.%01d s' $((($(now) - $1) / 1000000)) $((($(now) - $1) / 100000 % 10)); }

# await TEXT SECONDS EXPRESSION: like wait_for, and shows the seconds go by on a terminal. A claim if it comes true.
await() {
	local text=$1 seconds=$2 expression=$3 start
	start=$(now)
	if soon 'progress "$text" "$start"; eval "$expression"' "$seconds"; then
		passed "$text ($(since "$start"))"
	else
		failed "$text" "not within $seconds s: $expression"
		return 1
	fi
}
progress() { [[ ! $tty ]] || printf '%s  %s… %s (%s)%s' "$clear_line" "$dim" "$1" "$(since "$2")" "$plain" >/dev/tty; }

# --- the container's root ------------------------------------------------------------------------------------

secret() { od -An -tx1 -N12 /dev/urandom | tr -d ' \n'; }

make_root() {
	local exe
	[[ -x $COPPICE ]] || give_up "there is a binary to show: $COPPICE" "run make first"
	for exe in /proc/[0-9]*/exe; do
		[[ ! $exe -ef $root/sbin/init ]] ||
			give_up "the stage is free" "a container still runs here; stop it by kill -PWR $(cut -d/ -f3 <<<"$exe")"
	done
	remove_root
	rm -f "$box_console"*
	mkdir -p "$root"/{dev,proc,sys,run,tmp,sbin,usr/bin,etc,var/lib/coppice/images,var/lib/coppice/volumes}
	cp -L "$COPPICE" "$root/sbin/init"
	ln -s ../../sbin/init "$root/usr/bin/coppice"
	printf 'ID=demo\nNAME="coppice demo"\n' >"$root/etc/os-release"
	cp -r "$here/units" "$root/etc/coppice"
	(
		umask 077
		printf 'PGUSER=miniflux\nPGPASSWORD=%s\n' "$(secret)" >"$root/etc/coppice/db.env"
		printf 'ADMIN_USERNAME=admin\nADMIN_PASSWORD=%s\n' "$(secret)" >"$root/etc/coppice/app.env"
	)
	# Read-only, and in this script's mount namespace only: LXC, nspawn and unshare take it over with the root.
	mount -o bind,ro "$demo/images" "$root/var/lib/coppice/images" || give_up "the container is shown the images"
}

remove_root() {
	local images=$root/var/lib/coppice/images
	[[ -d $root ]] || return 0
	# Never delete through the mount: without it, the directory is empty and rmdir will have it.
	if mountpoint -q "$images"; then
		umount -l "$images"
	fi
	[[ ! -d $images ]] || rmdir "$images" || return
	rm -rf --one-file-system "${root:?}"
}

# --- managers: start_X sets BOX_PID, the pid of the container's PID 1 out here; stop_X sets STATUS -----------------

declare -A starts=(
	[unshare]="unshare: new namespaces and nothing else"
	[lxc]="LXC: lxc-start"
	[nspawn]="systemd-nspawn --boot"
)
declare -A stops=(
	[unshare]="SIGPWR to PID 1"
	[lxc]="lxc-stop"
	[nspawn]="SIGTERM to systemd-nspawn, which sends SIGRTMIN+3"
)

# The PID 1 among the descendants of PID.
pid1_under() {
	local child inside
	# shellcheck disable=SC2013 # words are what it holds
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		inside=$(awk '/^NSpid:/ && NF > 2 { print $NF }' "/proc/$child/status" 2>/dev/null)
		if [[ $inside == 1 && /proc/$child/exe -ef $root/sbin/init ]]; then
			echo "$child"
			return
		fi
		pid1_under "$child" && return
	done
	return 1
}

start_unshare() {
	box_spawn "$root" "$box_console" PATH=/usr/sbin:/usr/bin:/sbin:/bin -- /sbin/init
}
stop_unshare() { signal_box PWR && ended 60; }

lxc_do() {
	local tool=$1
	shift
	"$tool" -P "$demo/lxc" -n coppice-demo "$@"
}
start_lxc() {
	mkdir -p "$demo/lxc/coppice-demo"
	: >"$box_console"
	cat >"$demo/lxc/coppice-demo/config" <<-CONFIG
		lxc.uts.name = demo
		lxc.rootfs.path = dir:$root
		lxc.init.cmd = /sbin/init
		lxc.net.0.type = empty
		lxc.mount.auto = proc:mixed sys:ro
		lxc.console.logfile = $box_console
	CONFIG
	lxc_do lxc-start -o "$demo/lxc/log" -l WARN && lxc_do lxc-wait -s RUNNING -t 10 &&
		BOX_PID=$(lxc_do lxc-info -p -H) && box_unshare=$BOX_PID
}
stop_lxc() {
	lxc_do lxc-stop -t 60
	STATUS=$?
	lxc_do lxc-wait -s STOPPED -t 10 && BOX_PID=''
}

start_nspawn() {
	local die=(setpriv --pdeathsig TERM)
	[[ ! $box_linger ]] || die=()
	"${die[@]}" setsid systemd-nspawn --quiet --boot --keep-unit --register=no --private-network --link-journal=no \
		--console=pipe --kill-signal=SIGRTMIN+3 --directory="$root" </dev/null >"$box_console" 2>&1 &
	box_unshare=$!
	soon 'BOX_PID=$(pid1_under "$box_unshare")'
}
stop_nspawn() { kill -TERM "$box_unshare" && ended 60; }

# Called on every way out, after box.sh has ended what it knows of.
at_exit() {
	if [[ -d $demo/lxc/coppice-demo ]]; then
		lxc_do lxc-stop -k 2>/dev/null
		rm -rf "$demo/lxc"
	fi
	# LXC and nspawn forget directories in every hierarchy. Those in use by others cannot be removed.
	find /sys/fs/cgroup -maxdepth 2 -depth -type d \( -name lxc.pivot -o -name payload -o -name supervisor \) \
		-exec rmdir {} + 2>/dev/null
	remove_root
}

# Makes sure MANAGER is there. On a machine without it and without a network, its round is skipped.
has() {
	case $1 in
	unshare) return 0 ;;
	lxc) command -v lxc-start || "$box_top/.ci/need" lxc ;;
	nspawn) command -v systemd-nspawn || "$box_top/.ci/need" systemd-container ;;
	esac >/dev/null 2>&1
}

# --- what a visitor sees -------------------------------------------------------------------------------------

# curl, run in the container's network and in nothing else of it.
fetch() {
	nsenter --target "$BOX_PID" --net curl -sS --max-time 5 --cookie "$BOX/cookies" --cookie-jar "$BOX/cookies" "$@"
}
at=http://127.0.0.1:8080

log_in() {
	local token
	token=$(fetch "$at/" | sed -n 's/.*name="csrf" value="\([^"]*\)".*/\1/p' | head -n 1)
	[[ $token ]] && fetch -o /dev/null -w '%{redirect_url}' --data-urlencode "csrf=$token" \
		--data "username=admin" --data "password=$(sed -n 's/^ADMIN_PASSWORD=//p' "$root/etc/coppice/app.env")" \
		"$at/login" | grep -q /unread
}

# Stores a category of this name by the page's own form.
store() {
	local token
	token=$(fetch "$at/category/create" | sed -n 's/.*name="csrf" value="\([^"]*\)".*/\1/p' | head -n 1)
	[[ $token ]] && fetch -o /dev/null -w '%{http_code}' --data-urlencode "csrf=$token" \
		--data-urlencode "title=$1" "$at/category/save" | grep -q '^302'
}

# The page of categories, read from the database for every visitor, names it.
page_shows() { fetch "$at/categories" | grep -qF "$1"; }

# --- the story -----------------------------------------------------------------------------------------------

boot_by() { # MANAGER
	local start
	start=$(now)
	"start_$1" || give_up "$1 starts the container" "$([[ $1 != lxc ]] || cat "$demo/lxc/log")"
	await "coppice answers as PID 1" 10 '[[ -S /proc/$BOX_PID/root/run/coppice/control.sock ]] && ctl rpc ping' ||
		done_testing
	await "coppice wait: all three are ready" 90 'ctl wait --for=ready --timeout=1s' || {
		comment "$(ctl status 2>&1)"
		done_testing
	}
}

look_around() {
	tell "$(ctl status)"
	check "the database's image is Debian 12, the feed reader's is Debian 13" \
		"$(ctl exec db cat /etc/debian_version | cut -d. -f1)-$(ctl exec app cat /etc/debian_version | cut -d. -f1)" = 12-13
	check "each runs as a user that only its own image knows" \
		"$(ctl exec db id -un) $(ctl exec app id -un) $(ctl exec proxy id -un)" = "postgres miniflux www-data"
	check_ok "the container's own root holds no shell, no libc and no users" \
		test ! -e "$root/bin/sh" -a ! -e "$root/lib" -a ! -e "$root/etc/passwd"
}

use_it() {
	check_ok "logging in through the proxy" log_in
	check_ok "storing a category \"$title\"" store "$title"
	check_ok "the page behind the proxy shows it" page_shows "$title"
	check "and psql, run in the database's image, finds it in the table" \
		"$(ctl exec db psql -h 127.0.0.1 -Atc "SELECT title FROM categories WHERE title = '$title'")" = "$title"
}

kill_it() {
	local db app start
	db=$(status_of db pid) app=$(status_of app pid) start=$(now)
	ctl kill -s KILL db || failed "coppice kill -s KILL db"
	# It replays its log first; the page asks it anew.
	soon '[[ $(status_of db pid) != "'"$db"'" && $(status_of db ready) == true ]]' 60 &&
		soon 'page_shows "$title"' 10
	check_ok "PostgreSQL, killed with SIGKILL, is back and the page shows the same ($(since "$start"))" page_shows "$title"
	check "it is another process" "$(status_of db pid)" != "$db"
	check "counted as one restart" "$(status_of db restarts)" = 1
	check "the feed reader was not restarted for it" "${app:-unknown}" = "$(status_of app pid)"
	tell "$(ctl status)"
}

stop_by() { # MANAGER
	local start
	start=$(now)
	"stop_$1" || failed "the container stops when $1 asks it to"
	check "the container ended with status 0 ($(since "$start"))" "$STATUS" = 0
	check_ok "PostgreSQL shut down cleanly" grep -q 'database system is shut down' "$box_console"
	tell "$(grep -o 'LOG:.*\(fast shutdown\|is shut down\).*' "$box_console")"
	cp "$box_console" "$box_console.$round"
}

for tool in curl busybox nsenter; do
	command -v "$tool" >/dev/null || "$box_top/.ci/need" demo || give_up "$tool is installed"
done
heading "Images"
tell "three root file systems, unpacked from Debian's packages; kept in ${demo#"$box_top"/}/images"
start=$(now)
if [[ $test ]]; then
	"$here/images.sh" 2>&1 | sed 's/^/# /'
	images_status=${PIPESTATUS[0]}
else
	"$here/images.sh"
	images_status=$?
fi
[[ $images_status -eq 0 ]] || give_up "the images are built"
passed "the images are built ($(since "$start"))"
make_root

title="Hazel coppice $RANDOM"
round=0 booted=0
for manager in "${managers[@]}"; do
	round=$((round + 1))
	heading "Boot $round, by ${starts[$manager]}"
	if ! has "$manager"; then
		skip "boot by $manager" "it is not installed and cannot be"
		continue
	fi
	booted=$((booted + 1))
	# The last container of --keep must not die with this script.
	[[ ! $keep || $round -lt ${#managers[@]} ]] || box_linger=yes
	boot_by "$manager"
	if [[ $booted -eq 1 ]]; then
		look_around
		heading "A page that only the database can know"
		use_it
		heading "kill -9 for the database"
		kill_it
	else
		check_ok "the page shows what was stored before the container stopped" page_shows "$title"
		check "and PostgreSQL had nothing to recover" \
			"$(grep -oE 'database system was (shut down at|interrupted|not properly shut down)' "$box_console")" = \
			'database system was shut down at'
	fi
	if [[ $box_linger && $box_failures -eq 0 ]]; then
		box_keep=yes
		heading "Left running"
		tell "PID 1        $BOX_PID from outside
root         $root
console      $box_console
look inside  nsenter -t $BOX_PID -a coppice status
a shell      nsenter -t $BOX_PID -a coppice exec -it db sh
the page     nsenter -t $BOX_PID -n curl $at/
log in       admin, password in $root/etc/coppice/app.env
stop it      kill -PWR $BOX_PID"
		break
	fi
	heading "Stop, by ${stops[$manager]}"
	stop_by "$manager"
done

done_testing
