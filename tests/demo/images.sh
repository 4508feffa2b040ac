#!/usr/bin/env bash
# images.sh - builds the demo's three images: Debian root file systems, each of its own release, with its own users.
#
#   images.sh [--force] [postgres|app|proxy ...]      default: all that are missing or older than their recipe
#
# Packages are resolved by apt against an empty package database, so the set does not depend on this machine,
# and unpacked without running their maintainer scripts; what those would have made (users, state directories)
# lies in images/NAME/, which is copied over the root. The mirror is the one this machine's apt uses; MIRROR=URL
# names another. apt checks the archive's signature and every package's hash.
#
# Results: build/demo/images/NAME. Downloads: build/cache/apt. Both survive an interrupted run.
set -euo pipefail
shopt -s inherit_errexit
umask 022

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/tests/demo
out=$top/build/demo/images
cache=$top/build/cache/apt
need_mb=700 # three images and one twice (280 MB), their packages (80 MB), what apt knows of two releases (180 MB)

# The image's release and the packages it is made of; everything they depend on comes along.
declare -A release=([postgres]=bookworm [app]=trixie [proxy]=bookworm)
declare -A packages=(
	[postgres]="postgresql-15 base-files dash coreutils libc-bin"
	[app]="miniflux base-files dash coreutils libc-bin ca-certificates tzdata"
	[proxy]="nginx-light base-files dash coreutils libc-bin"
)
# Left out by name: tools of package management and of maintainer scripts, and what only they need.
# libllvm is PostgreSQL's optional just-in-time compiler and half its weight.
dropped='perl.*|lib.*-perl|libperl.*|libgdbm.*|libdb5.*|dpkg|tar|debconf|libdebconfclient0|adduser|passwd|login.defs
libsemanage.*|libsepol.*|base-passwd|init-system-helpers|sysvinit-utils|lsb-base|ucf|sensible-utils|usrmerge|usr-is-merged
libc-l10n|locales|openssl|openssl-provider-legacy|ssl-cert|netbase|procps|libproc2-0|libncursesw6|readline-common
postgresql-common|postgresql-client-common|postgresql-client|postgresql-client-17|dbconfig-.*|debianutils|mawk
libllvm.*|libz3.*|iproute2|libbpf.*|libelf.*|libcap2-bin|libtirpc.*|libxtables.*|libmnl0|libpam-modules.*|libpam-runtime'

if [[ -t 2 ]]; then tty=yes; else tty=; fi
say() { printf '%s%-9s %s\n' "${tty:+$'\r\e[K'}" "$1" "$2" >&2; }
note() { # progress that replaces itself on a terminal and stays silent elsewhere
	if [[ $tty ]]; then printf '\r\e[K%-9s %s' "$1" "$2" >&2; fi
}
trap 'echo "images.sh: line $LINENO: $BASH_COMMAND: failed" >&2' ERR
die() {
	printf '%simages.sh: %s\n' "${tty:+$'\r\e[K'}" "$1" >&2
	exit 1
}

# --- where packages come from --------------------------------------------------------------------------------

# Prints "archive-uri security-uri" of the Debian mirror in use here.
mirror() {
	if [[ ${MIRROR:-} ]]; then
		echo "${MIRROR%/} ${MIRROR%/}-security"
		return
	fi
	local uri origin label archive='' security=''
	# shellcheck disable=SC2016 # apt's own placeholders
	while IFS='|' read -r uri origin label; do
		[[ $origin == Debian ]] || continue
		case $label in
		Debian) archive=${archive:-${uri%/}} ;;
		Debian-Security) security=${security:-${uri%/}} ;;
		esac
	done < <(apt-get indextargets --format '$(REPO_URI)|$(ORIGIN)|$(LABEL)' 'Created-By: Packages')
	[[ $archive ]] || die "no Debian archive among this machine's apt sources; run apt-get update, or set MIRROR=URL"
	echo "$archive ${security:-$archive-security}"
}

# apt with lists, cache and package database of its own, one set for each release.
apt_of() { # RELEASE COMMAND...
	local state=$cache/$1
	shift
	"${@:1:1}" -qq -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status" \
		-o Dir::Cache="$state" -o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache= \
		-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$state/sources" \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false \
		-o Acquire::Retries=3 -o APT::Update::Error-Mode=any -o APT::Sandbox::User=root \
		-o APT::Install-Recommends=false -o Debug::NoLocking=true "${@:2}"
}

declare -A updated
update() { # RELEASE
	[[ ${updated[$1]:-} ]] && return
	local state=$cache/$1 keys=/usr/share/keyrings/debian-archive-keyring.gpg uris archive security
	uris=$(mirror)
	read -r archive security <<<"$uris"
	mkdir -p "$state/lists/partial" "$state/sources" "$state/debs"
	: >"$state/status"
	cat >"$state/sources/debian.sources" <<-SOURCES
		Types: deb
		URIs: $archive
		Suites: $1 $1-updates
		Components: main
		Signed-By: $keys

		Types: deb
		URIs: $security
		Suites: $1-security
		Components: main
		Signed-By: $keys
	SOURCES
	note "$1" "reading package lists"
	if ! apt_of "$1" apt-get update 2>"$state/update.log"; then
		compgen -G "$state/lists/*_Packages*" >/dev/null || {
			sed 's/^/  /' "$state/update.log" >&2
			die "no package lists for $1 from $archive; check the network, or set MIRROR=URL"
		}
		say "$1" "mirror out of reach, using the package lists from the last run"
	fi
	updated[$1]=yes
}

# --- one image -----------------------------------------------------------------------------------------------

# Changes whenever the image would come out different: this file, and what is copied over the root.
recipe() { # NAME
	(cd "$here" && find images.sh "images/$1" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

# Downloads what the image needs; leaves the package files' names, in order of installation, in $files.
fetch() { # NAME
	local r=${release[$1]} chosen plan uri file size hash total=0 have pid
	local debs=$cache/$r/debs
	# shellcheck disable=SC2086 # a list of words
	plan=$(apt_of "$r" apt-get -s install ${packages[$1]} 2>&1) || die "$1: apt cannot resolve it: ${plan##*$'\n'}"
	mapfile -t chosen < <(awk '/^Inst /{ sub(/^\(/, "", $3); print $2 "=" $3 }' <<<"$plan" |
		grep -vE "^(${dropped//$'\n'/|})=")
	files=()
	while read -r uri file size hash; do
		[[ $uri == \'* && $hash ]] || continue
		files+=("$debs/$file")
		total=$((total + size))
	done < <(apt_of "$r" apt-get --print-uris download "${chosen[@]}")
	[[ ${#files[@]} -eq ${#chosen[@]} ]] || die "$1: apt names ${#files[@]} files for ${#chosen[@]} packages"

	(cd "$debs" && exec 9>&- && apt_of "$r" apt-get download "${chosen[@]}") >"$cache/$r/download.log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		have=$({ du -bc "${files[@]}" 2>/dev/null || true; } | tail -n1 | cut -f1)
		note "$1" "downloading ${#files[@]} packages: $((have / 1000000)) of $((total / 1000000)) MB"
		sleep 0.1
	done
	wait "$pid" || {
		tail -n3 "$cache/$r/download.log" | sed 's/^/  /' >&2
		die "$1: the download failed; what arrived is kept, so run it again"
	}
	printf '%s\n' "${chosen[@]}" >"$cache/$1.packages"
	say "$1" "${#files[@]} packages of $r, $((total / 1000000)) MB"
}

# Unpacks $files into ROOT.
unpack() { # NAME ROOT
	local name=$1 root=$2 file n=0 dir
	mkdir -p "$root"/usr/{bin,sbin,lib,lib64}
	for dir in bin sbin lib lib64; do
		ln -s "usr/$dir" "$root/$dir" # merged /usr before the first package lands, as debootstrap does
	done
	for file in "${files[@]}"; do
		n=$((n + 1))
		note "$name" "unpacking $n of ${#files[@]}: $(basename "${file%%_*}")"
		dpkg-deb --fsys-tarfile "$file" | tar -x -p -C "$root" --keep-directory-symlink \
			--exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/info/*' \
			--exclude='./usr/share/locale/*' --exclude='./usr/share/lintian' --exclude='./usr/share/bug' \
			--exclude='./usr/share/postgresql/15/man' --exclude='./usr/lib/postgresql/15/lib/bitcode' \
			--exclude='./usr/lib/postgresql/15/lib/llvmjit*' --exclude='./usr/share/zoneinfo/right' \
			--exclude='./usr/share/zoneinfo/posix' --exclude='./usr/lib/*/gconv/*' --exclude='./lib/*/gconv/*' \
			2>"$cache/unpack.log" || {
			head -n2 "$cache/unpack.log" | sed 's/^/  /' >&2
			die "$name: cannot unpack $(basename "$file"); is there space left? (df -h $out)"
		}
	done
}

# What every Debian root has, though no package holds it.
furnish() { # NAME ROOT
	local name=$1 root=$2
	mkdir -p "$root"/{dev,proc,sys,run,tmp,root,etc,var/tmp}
	chmod 1777 "$root/tmp" "$root/var/tmp"
	rm -rf "$root/var/run" "$root/var/lock"
	ln -s /run "$root/var/run"
	ln -s /run/lock "$root/var/lock"
	[[ -e $root/usr/bin/sh ]] || ln -s dash "$root/usr/bin/sh"
	printf '127.0.0.1\tlocalhost\n::1\tlocalhost\n' >"$root/etc/hosts"
	cp -r --no-preserve=ownership "$here/images/$name/." "$root"
	case $name in
	postgres)
		# Debian keeps the programs off the PATH, behind wrappers that can choose among versions; here is only one.
		(cd "$root/usr/bin" && ln -s ../lib/postgresql/15/bin/* .)
		# A new volume takes over this directory's owner and mode.
		install -d -o 105 -g 105 -m 0755 "$root"/var/lib/postgresql{,/15}
		;;
	app)
		cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
		;;
	proxy)
		install -d -o 33 -g 33 -m 0755 "$root/var/lib/nginx"
		;;
	esac
}

# The image's programs, run in it. A library that a change to $dropped took away is found here, not in the demo.
prove() { # NAME ROOT
	local name=$1 root=$2 line said
	local -a words
	declare -A programs=(
		[postgres]='/usr/bin/postgres --version\n/usr/bin/initdb --version\n/usr/bin/pg_isready --version\n/usr/bin/psql --version'
		[app]='/usr/bin/miniflux -version'
		[proxy]='/usr/sbin/nginx -v'
	)
	while read -r line; do
		read -ra words <<<"$line"
		said=$(unshare --mount --pid --net --fork -- chroot "$root" "${words[@]}" 2>&1 </dev/null) ||
			die "$name: $line does not run in its image: $said"
	done < <(printf '%b\n' "${programs[$name]}" '/bin/sh -c true' '/bin/cat /etc/os-release')
}

build() { # NAME
	local name=$1 started=$SECONDS files=() root=$out/$1.tmp
	update "${release[$name]}"
	fetch "$name"
	rm -rf --one-file-system "$root"
	mkdir -p "$root"
	unpack "$name" "$root"
	furnish "$name" "$root"
	prove "$name" "$root"
	{
		echo "recipe $(recipe "$name")"
		cat "$cache/$name.packages"
	} >"$root/etc/image-recipe"
	# The name appears last: an image that exists is whole.
	rm -rf --one-file-system "${out:?}/$name"
	mv -T "$root" "$out/$name"
	say "$name" "ready: $(du -sm "$out/$name" | cut -f1) MB in $((SECONDS - started)) s, Debian $(<"$out/$name/etc/debian_version")"
}

# --- all of them ---------------------------------------------------------------------------------------------

force='' wanted=()
for word in "$@"; do
	case $word in
	--force) force=yes ;;
	postgres | app | proxy) wanted+=("$word") ;;
	*)
		echo "usage: images.sh [--force] [postgres|app|proxy ...]" >&2
		exit 2
		;;
	esac
done
[[ ${#wanted[@]} -gt 0 ]] || wanted=(postgres app proxy)

is_current() { # NAME
	[[ -e $out/$1/etc/image-recipe && "recipe $(recipe "$1")" == "$(head -n1 "$out/$1/etc/image-recipe")" ]]
}

all_current=yes
for name in "${wanted[@]}"; do
	is_current "$name" || all_current=''
done
[[ $force || ! $all_current ]] || exit 0

[[ $(id -u) -eq 0 ]] || die "must be root, to give files their owners; try sudo"
command -v apt-get dpkg-deb >/dev/null || die "builds Debian images and needs apt-get and dpkg-deb; run it on Debian"
[[ -e /usr/share/keyrings/debian-archive-trixie-stable.gpg ]] || "$top/.ci/need" debian-archive-keyring
mkdir -p "$out" "$cache"
free_mb=$(df --output=avail -BM "$out" | tail -n1 | tr -dc 0-9)
[[ $free_mb -ge $need_mb ]] || die "$free_mb MB free under $out and $need_mb MB needed; make room, or make build a link to a larger disk"

exec 9>"$out/.lock"
flock -n 9 || {
	say "waiting" "another images.sh is at work"
	flock 9
}
trap 'rm -rf --one-file-system "$out"/*.tmp' EXIT
for name in "${wanted[@]}"; do
	# Whoever held the lock may have built it.
	if [[ $force ]] || ! is_current "$name"; then
		build "$name"
	fi
done
