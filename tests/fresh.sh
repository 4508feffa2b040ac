#!/bin/sh
# fresh.sh - on a fresh Debian 12 two commands are enough: install make, then make.
# TIMEOUT 1500
#
# Builds the machine once with debootstrap and keeps it in build/cache/fresh.tar. The tree goes in as a
# clean clone would have it. COMMAND changes what is run there, "make && make check" if not set.
set -u
cd "${0%/*}/.." || exit

skip() { echo "# SKIP $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root for chroot"
command -v debootstrap >/dev/null || skip "needs debootstrap; run .ci/need fresh"

tar=build/cache/fresh.tar
room=$(mktemp -d /var/tmp/fresh.XXXXXX)
clean() {
	rm -f "$room.log"
	rm -rf --one-file-system "$room"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

n=0 failed=0
# check TEXT COMMAND... - its output is shown if it fails; nothing after it makes sense then.
check() {
	text=$1
	shift
	n=$((n + 1))
	start=$(date +%s)
	if "$@" >"$room.log" 2>&1; then
		echo "ok $n - $text ($(($(date +%s) - start)) s)"
	else
		echo "not ok $n - $text"
		tail -n 60 "$room.log" | sed 's/^/# /'
		failed=1
	fi
	[ $failed = 0 ]
}

machine() {
	[ ! -e "$tar" ] || return 0
	mirror=$(apt-get update --print-uris | sed -n "s,^'\(.*\)/dists/bookworm/InRelease'.*,\1,p" | head -n 1)
	mkdir -p "${tar%/*}" "$room/new" &&
		debootstrap --variant=minbase bookworm "$room/new" "$mirror" &&
		tar -C "$room/new" -cf "$tar.part" . && mv "$tar.part" "$tar"
	status=$?
	rm -rf "$room/new"
	return "$status"
}

furnish() {
	tar -C "$room" -xpf "$tar" &&
		cp /etc/resolv.conf /etc/hosts "$room/etc" &&
		mkdir "$room/root/coppice" &&
		tar -c --exclude=./build --exclude=./coppice --exclude=./.git . | tar -x -C "$room/root/coppice"
}

# inside COMMAND - the room becomes / of a mount namespace, as a machine has it: in a bare chroot the kernel
# refuses user namespaces and pivot_root. What is mounted for it ends with it.
inside() {
	# shellcheck disable=SC2016 # for the shell in there
	unshare --mount --propagation private sh -c '
		set -e
		mount --bind "$1" "$1"
		cd "$1"
		mount -t proc proc proc
		mount --rbind /sys sys
		mount --rbind /dev dev
		mount --move . /
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root CI=true \
			chroot . sh -c "cd /root/coppice && $2"
	' inside "$room" "$1"
}

install="apt-get update && apt-get install -y make"
check "README.md says: $install" grep -qF "$install" README.md &&
	check "a fresh Debian 12" machine &&
	check "the tree in it, as cloned" furnish &&
	check "$install" inside "$install" &&
	check "${COMMAND:-make && make check}" inside "${COMMAND:-make && make check}"
echo "1..$n"
exit $failed
