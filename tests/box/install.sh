#!/usr/bin/env bash
# install.sh - coppice puts itself into a root as /sbin/init, keeps the init that was there, and takes itself out again.
# shellcheck source=tests/lib/box.sh disable=SC2016
. "${0%/*}/../lib/box.sh"

top=$BOX/roots
mkdir "$top"

# root NAME: a root with merged /usr, and a systemd of sorts as its init.
root() {
	R=$top/$1
	mkdir -p "$R"/{etc,usr/sbin,usr/bin,usr/lib/systemd,var/lib}
	ln -s usr/sbin "$R/sbin"
	ln -s usr/bin "$R/bin"
	ln -s usr/lib "$R/lib"
	printf '#!/bin/true\nthe real init\n' >"$R/usr/lib/systemd/systemd"
	chmod 755 "$R/usr/lib/systemd/systemd"
}

# xattr FILE: sets an extended attribute, where the file system has them.
xattr() { "$box_python" -c 'import os,sys; p=sys.argv[1]; os.setxattr(p, "trusted.note", b"kept")' "$1" 2>/dev/null; }

# tree DIR: all there is to know of what lies there: kind, mode, owner, size, text of links, bytes; times of what is no directory.
tree() {
	(
		cd "$1" || exit
		find . ! -type d -printf '%p %y %m %U:%G %l %T@\n' -o -printf '%p %y %m %U:%G\n' | sort
		find . -type f -exec sha256sum {} + | sort
		find . -type f -print0 | sort -z | xargs -0 -r "$box_python" -c 'import os, sys
for path in sys.argv[1:]:
	for name in sorted(os.listxattr(path)):
		print(path, name, os.getxattr(path, name))'
	)
}

# did OUTPUT-FILE PATH: the word that stands for a path.
did() { awk -v at="$2" '$1 == at { sub(":", "", $2); print $2; exit }' "$1"; }

install() { "$COPPICE" install "$@" >"$BOX/out" 2>"$BOX/err"; }

# undone WHAT: installs into $R and takes it back; all is as it was.
undone() {
	tree "$R" >"$BOX/before"
	check_status 0 "$1: installed" install --oci "$BOX/oci.json" "$R"
	check_ok "$1: /sbin/init is a copy" cmp "$COPPICE" "${2:-$R/usr/sbin/init}"
	check_status 0 "$1: undone" install --undo "$R"
	tree "$R" >"$BOX/after"
	check_ok "$1: all is as it was" diff "$BOX/before" "$BOX/after"
}

echo '{"config":{"Cmd":["/bin/app"]}}' >"$BOX/oci.json"

# --- merged /usr, and an init that is a link ------------------------------------------------------------------

root merged
ln -s ../lib/systemd/systemd "$R/usr/sbin/init"
chown -h 33:44 "$R/usr/sbin/init"
undone "merged /usr, a relative link"

tree "$R" >"$BOX/before"
check_status 0 "a dry run" install --dry-run --oci "$BOX/oci.json" "$R"
tree "$R" >"$BOX/after"
check_ok "changes nothing" diff "$BOX/before" "$BOX/after"
check "but says what would be" "$(did "$BOX/out" /sbin/init) $(did "$BOX/out" /lxd-realinit) $(did "$BOX/out" /etc/coppice)" = "installed kept made"

check_status 0 "installed" install "$R"
check "a program of its own, not a link; root's, mode 755" "$(stat -c '%F %a %U %h' "$R/usr/sbin/init")" = "regular file 755 root 1"
check_ok "/sbin stays a link" test -L "$R/sbin"
check_ok "the real init is found from the root directory, too" grep -q 'the real init' "$R/lxd-realinit"
check_ok "the directories are there" test -d "$R/etc/coppice" -a -d "$R/var/lib/coppice/images" -a -d "$R/var/lib/coppice/volumes"
check_fails "no oci.json where none is asked for" test -e "$R/etc/coppice/oci.json"
check_fails "nothing is left of the work" eval 'find "$R" -name ".*coppice" | grep .'
tree "$R" >"$BOX/before"
stat -c '%n %Y %Z' "$R"/usr/sbin "$R"/var/lib/coppice "$R"/etc/coppice >"$BOX/stats"
check_status 0 "a second time" install "$R"
check "says already" "$(awk 'NF { sub(":", "", $2); print $2 }' "$BOX/out" | sort -u)" = already
tree "$R" >"$BOX/after"
stat -c '%n %Y %Z' "$R"/usr/sbin "$R"/var/lib/coppice "$R"/etc/coppice | diff "$BOX/stats" - >"$BOX/diff"
check_ok "and changes nothing" eval '[[ ! -s $BOX/diff ]] && diff "$BOX/before" "$BOX/after"'
check_status 0 "--json" install --json "$R"
check "tells the same" "$("$box_python" -c 'import json, sys; j = json.load(sys.stdin)
print(j["root"], j["dry_run"], *sorted({i["did"] for i in j["items"]}))' <"$BOX/out")" = "$R False already"

# --- an older coppice is exchanged, and the first real init stays ---------------------------------------------

cp "$COPPICE" "$top/older"
echo older >>"$top/older"
check_status 0 "undone" install --undo "$R"
check_status 0 "an older coppice installs itself" eval '"$top/older" install "$R"'
inode=$(stat -c %i "$R/usr/sbin/init")
check_status 0 "the newer one after it" install "$R"
check "replaces it" "$(did "$BOX/out" /sbin/init) $(did "$BOX/out" /lxd-realinit)" = "replaced already"
check_ok "by a new file; who runs the old one keeps it" test "$inode" != "$(stat -c %i "$R/usr/sbin/init")"
check_ok "and the first init is still the real one" eval 'cmp "$COPPICE" "$R/usr/sbin/init" && grep -q "the real init" "$R/lxd-realinit"'
check_status 0 "undone" install --undo "$R"
check "the first init is back" "$(readlink "$R/usr/sbin/init")" = ../lib/systemd/systemd

rm "$R/usr/sbin/init"
cp "$top/older" "$R/usr/sbin/init"
check_status 0 "a coppice that was copied by hand" install "$R"
check_fails "is no real init" test -e "$R/lxd-realinit"
check_status 0 "undone" install --undo "$R"
check_ok "and comes back" cmp "$top/older" "$R/usr/sbin/init"
check_status 1 "it is not to be taken out without a record" install --undo "$R"
check_ok "and that is said" grep -q 'was not put there by install' "$BOX/err"

# --- other roots ----------------------------------------------------------------------------------------------

root file
printf 'an init, as a file\n' >"$R/usr/sbin/init"
chmod 4711 "$R/usr/sbin/init"
chown 33:44 "$R/usr/sbin/init"
touch -d 2001-02-03 "$R/usr/sbin/init"
xattr "$R/usr/sbin/init"
inode=$(stat -c %i "$R/usr/sbin/init")
undone "a file with its mode, owner and time"
check "it is the very same file" "$(stat -c %i "$R/usr/sbin/init")" = "$inode"

root none
undone "no init at all"

root absolute
ln -s /lib/systemd/systemd "$R/usr/sbin/init"
undone "an absolute link"
install "$R"
check "it is kept as it was" "$(readlink "$R/lxd-realinit")" = /lib/systemd/systemd

R=$top/plain
mkdir -p "$R/sbin" "$R/bin"
echo 'the init' >"$R/sbin/init"
undone "a root without merged /usr" "$R/sbin/init"

R=$top/empty
mkdir "$R"
undone "an empty directory" "$R/sbin/init"

R=$top/dangling
mkdir "$R"
ln -s usr/sbin "$R/sbin"
undone "a /sbin that leads to what is not there yet"
check_fails "what was made for it is gone" test -e "$R/usr"

R=$top/owned
mkdir -p "$R/sbin"
chown -R 100000:100000 "$R"
(umask 077 && install "$R")
check "in a root of somebody else all belongs to them, whatever the umask" \
	"$(stat -c '%u:%g %a' "$R/sbin/init" "$R/etc/coppice" "$R/var/lib/coppice/images" | sort -u | xargs)" = "100000:100000 755"

root lxdocker
echo 'lxdocker' >"$R/usr/sbin/init"
echo 'the real one' >"$R/lxd-realinit"
undone "a root where /lxd-realinit is there already"
install "$R"
check_ok "it stays the real init" eval 'grep -q "the real one" "$R/lxd-realinit" && grep -q lxdocker "$R/var/lib/coppice/former-init"'

root other_fs
printf 'an init\n' >"$R/usr/sbin/init"
xattr "$R/usr/sbin/init"
cp -a "$R/usr" "$top/usr"
mount -t tmpfs -o mode=755 usr "$R/usr"
cp -a "$top/usr/." "$R/usr"
touch -d 2001-02-03 "$R/usr/sbin/init"
undone "a /usr of its own"
umount "$R/usr"

# --- links that lead out --------------------------------------------------------------------------------------

mkdir "$top/outside"
tree "$top/outside" >"$BOX/outside"
for link in /../../outside ../../../../outside "$top/outside" /proc/1/root/etc; do
	R=$top/escape
	rm -rf "$R"
	mkdir -p "$R/etc" "$R/outside" "$R$top/outside" "$R/proc/1/root/etc"
	ln -s "$link" "$R/sbin"
	ln -s "${link%etc}" "$R/var"
	check_status 0 "/sbin and /var lead to $link: installed" install --oci "$BOX/oci.json" "$R"
	check_ok "$link: inside" cmp "$COPPICE" "$(find "$R" -name init -type f)"
	check_status 0 "$link: undone" install --undo "$R"
	check "$link: nothing of it stays" "$(find "$R" -type f | wc -l)" = 0
done
tree "$top/outside" >"$BOX/after"
check_ok "nothing was ever outside" diff "$BOX/outside" "$BOX/after"
R=$top/loop
mkdir "$R"
ln -s sbin "$R/sbin"
check_status 1 "a /sbin that leads in circles" install "$R"
check_ok "is told" grep -q '/sbin: .*[Ll]ink' "$BOX/err"
R=$top/bad
mkdir -p "$R/sbin/init"
check_status 1 "a directory as /sbin/init" install "$R"
check_ok "is told, with what to do" grep -q '/sbin/init: is a directory; move it away' "$BOX/err"
rmdir "$R/sbin/init"
mkfifo "$R/sbin/init"
check_status 1 "a pipe is not waited for" timeout 5 "$COPPICE" install "$R"
check "and nothing was made" "$(ls "$R")" = sbin

# --- where nothing can be written -----------------------------------------------------------------------------

root readonly
echo real >"$R/usr/sbin/init"
mount --bind "$R" "$R"
mount -o remount,bind,ro "$R"
check_status 1 "a read-only root" install "$R"
check_ok "is told once" eval '[[ $(wc -l <"$BOX/err") = 1 ]] && grep -q "Read-only file system" "$BOX/err"'
mount -o remount,bind,rw "$R"
install "$R"
mount -o remount,bind,ro "$R"
check_status 0 "one that has it needs no writing" install "$R"
check_status 1 "undo does" install --undo "$R"
mount -o remount,bind,rw "$R"
check_status 0 "and does it as soon as it can" install --undo "$R"
umount "$R"

R=$top/full
mkdir "$R"
mount -t tmpfs -o size=300k,mode=755 full "$R"
mkdir -p "$R/sbin" "$R/etc"
echo real >"$R/sbin/init"
tree "$R" >"$BOX/before"
check_status 1 "a full disk" install "$R"
check_ok "is told" grep -q 'No space left' "$BOX/err"
tree "$R" >"$BOX/after"
check_ok "and nothing has changed" diff "$BOX/before" "$BOX/after"
# Room for the program, and not for all that comes after it: each inode more lets another step fail.
umount "$R"
for kind in none file link coppice; do
	for inodes in {4..24}; do
		mount -t tmpfs -o "size=4m,nr_inodes=$inodes,mode=755" full "$R"
		mkdir "$R/sbin"
		case $kind in
		file) echo real >"$R/sbin/init" ;;
		link) ln -s ../lib/init "$R/sbin/init" ;;
		coppice) cp "$top/older" "$R/sbin/init" ;;
		esac
		tree "$R" >"$BOX/before"
		status=0
		install --oci "$BOX/oci.json" "$R" || status=$?
		tree "$R" >"$BOX/after"
		umount "$R"
		[[ $status -ne 0 ]] || break
		diff "$BOX/before" "$BOX/after" >"$BOX/diff" || failed "$kind, $inodes inodes: nothing has changed" "$(<"$BOX/diff")"
	done
	check "$kind: no step that fails leaves anything behind; $inodes inodes are enough" "$status$((inodes > 7))" = 01
done

# Where the tree lies may be closed to everybody but root.
open=$(mktemp -d)
at_exit() { rm -rf "$open"; }
chmod 755 "$open"
cp "$COPPICE" "$open/coppice"
R=$open/user
mkdir -p "$R/sbin"
echo real >"$R/sbin/init"
chown -R 1000:1000 "$R"
tree "$R" >"$BOX/before"
user() { setpriv --reuid=1000 --regid=1000 --clear-groups "$open/coppice" install "$@" >"$BOX/out" 2>"$BOX/err"; }
check_status 0 "somebody else than root, into a root of theirs" user "$R"
check "it is theirs" "$(stat -c %u "$R/sbin/init")" = 1000
check_status 0 "undone" user --undo "$R"
tree "$R" >"$BOX/after"
check_ok "all is as it was" diff "$BOX/before" "$BOX/after"
chown root "$R" "$R/sbin" && chmod 755 "$R/sbin"
check_status 1 "not into one of root's" user "$R"
check_ok "and that is told" grep -q 'Permission denied' "$BOX/err"

# --- what the user changed stays ------------------------------------------------------------------------------

root changed
echo real >"$R/usr/sbin/init"
install --oci "$BOX/oci.json" "$R"
check "oci.json is written" "$(<"$R/etc/coppice/oci.json")" = "$(<"$BOX/oci.json")"
echo '{"config":{}}' >"$BOX/other.json"
check_status 0 "another config" install --oci "$BOX/other.json" "$R"
check "takes its place" "$(did "$BOX/out" /etc/coppice/oci.json) $(<"$R/etc/coppice/oci.json")" = "replaced $(<"$BOX/other.json")"
echo '{"mine":1}' >"$R/etc/coppice/oci.json"
touch "$R/etc/coppice/mine.service"
check_status 0 "undo leaves what was changed" install --undo "$R"
check "and says so" "$(did "$BOX/out" /etc/coppice/oci.json) $(did "$BOX/out" /etc/coppice) $(did "$BOX/out" /sbin/init)" = "left left restored"
check "there it is" "$(<"$R/etc/coppice/oci.json")" = '{"mine":1}'
check_status 0 "a config of the user's own is kept" install --oci "$BOX/oci.json" "$R"
check_status 0 "and comes back" install --undo "$R"
check "as it was" "$(<"$R/etc/coppice/oci.json")" = '{"mine":1}'
install "$R"
rm "$R/usr/sbin/init"
echo 'a newer real init' >"$R/usr/sbin/init"
check_status 0 "an init that a package put over it" install --undo "$R"
check "stays" "$(did "$BOX/out" /sbin/init) $(<"$R/usr/sbin/init")" = "left a newer real init"
root package
echo first >"$R/usr/sbin/init"
install "$R"
rm "$R/usr/sbin/init"
echo second >"$R/usr/sbin/init"
check_status 0 "or is the real one from then on" install "$R"
check "kept" "$(<"$R/lxd-realinit")" = second
rm "$R/lxd-realinit"
check_status 1 "what was kept is gone: undo says so" install --undo "$R"
check_ok "and leaves coppice there" cmp "$COPPICE" "$R/usr/sbin/init"
for text in '{"directories":[],"init":{"was":"link","aside":false,"crc":1,"size":1}}' '{"directories":["../x"]}' '{"directories":["/"]}' \
	'{"directories":[],"init":{"was":"seen","aside":false,"crc":1,"size":1}}' '{"directories":[],"oci":{"was":"file","aside":true,"crc":1,"size":-1}}' \
	'[]' '{}' '' "$(printf '[%.0s' {1..9999})"; do
	printf %s "$text" >"$R/var/lib/coppice/installed.json"
	check_status 1 "a damaged record: ${text:0:60}" install --undo "$R"
	check_ok "is told" grep -q 'installed.json: is damaged' "$BOX/err"
done
root interrupted
for kind in file link; do
	rm -f "$R/usr/sbin/init"
	if [[ $kind == file ]]; then echo real >"$R/usr/sbin/init"; else ln -s ../lib/systemd/systemd "$R/usr/sbin/init"; fi
	tree "$R" >"$BOX/before"
	install "$R"
	# As it lay there in the moment before the last rename.
	if [[ $kind == file ]]; then ln -f "$R/lxd-realinit" "$R/usr/sbin/init"; else ln -sf ../lib/systemd/systemd "$R/usr/sbin/init"; fi
	check_status 0 "an install that was interrupted, a $kind: undone" install --undo "$R"
	tree "$R" >"$BOX/after"
	check "nothing of it stays" "$(did "$BOX/out" /sbin/init) $(cut -d ' ' -f 1-5 "$BOX/before" | diff - <(cut -d ' ' -f 1-5 "$BOX/after"))" = "already "
done
check_status 0 "undo where nothing was installed" install --undo "$top/outside"
check "has nothing to do" "$(did "$BOX/out" /sbin/init)" = already

# --- usage ----------------------------------------------------------------------------------------------------

check_status 2 "no root named" install
check_status 2 "--undo and --oci" install --undo --oci "$BOX/oci.json" "$R"
check_status 1 "no such root" install /no/such/root
root usage
for text in '' '{' '3' '{}x' "$(printf '[%.0s' {1..100})"; do
	printf %s "$text" >"$BOX/bad.json"
	check_status 1 "no config: ${text:0:5}" install --oci "$BOX/bad.json" "$R"
done
check_status 1 "no such config" install --oci /nowhere.json "$R"
check_fails "and nothing was done" test -e "$R/usr/sbin/init"
# The machine's own / is never named here: were the refusal broken, its init would be gone.
root machine
mkdir "$R/proc"
cp "$COPPICE" "$(command -v busybox)" "$R/usr/bin"
on_machine() {
	unshare --pid --fork --mount --propagation private -- "$R/usr/bin/busybox" sh -c \
		'busybox mount -t proc proc "$0/proc" && busybox chroot "$0" /bin/busybox sh -c "/bin/coppice install $1 /; exit \$?"' \
		"$R" "$1" >"$BOX/out" 2>"$BOX/err"
}
check_status 0 "a machine's own root: a dry run may" on_machine --dry-run
check_status 1 "no more than that" on_machine ''
check_ok "for its PID 1 is another" grep -q 'PID 1 is not coppice; --force' "$BOX/err"
check_fails "and nothing was done" test -e "$R/usr/sbin/init"
check_status 0 "by force it may" on_machine --force
check_ok "and it is done there" cmp "$COPPICE" "$R/usr/sbin/init"
if command -v flock >/dev/null; then
	check_status 1 "one at a time" flock "$R" "$COPPICE" install "$R"
fi

# --- it boots -------------------------------------------------------------------------------------------------

rm "$BOX/root/sbin/init"
printf '#!/bin/sh\necho the real init\n' >"$BOX/root/sbin/init.real"
chmod 755 "$BOX/root/sbin/init.real"
ln -s init.real "$BOX/root/sbin/init"
check_status 0 "the box's own root" install "$BOX/root"
image small
unit web <<-'UNIT'
	[Service]
	Image=small
	ExecStart=/bin/sleep inf
UNIT
boot
check_ok "boots" ctl wait --timeout=5 web
check "PID 1 is coppice, and who looks at /sbin/init sees the real one" \
	"$(in_box cat /proc/1/comm) $(in_box tail -n 1 /sbin/init)" = "coppice echo the real init"
cp "$COPPICE" "$BOX/root/bin/again"
check_status 1 "what is mounted over is not written over" in_box /bin/again install /
check "and that is told" "$(grep -c 'something is mounted over it' "$BOX/said")" = 1
down
check "a clean stop" "$STATUS" = 0
check_status 0 "undone" install --undo "$BOX/root"
check "the old init is back" "$(readlink "$BOX/root/sbin/init")" = init.real
done_testing
