#!/bin/sh
# reproducible.sh - the same source, built in another directory, gives the same binary to the byte.
# TIMEOUT 400
set -u
cd "${0%/*}/.." || exit
# Under make, the make below would take itself for a part of it.
unset MAKEFLAGS MAKELEVEL MFLAGS

elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
cp -R Makefile .ci conf mount health supervise init "$elsewhere"
mkdir -p "$elsewhere/build/cache"
cp build/cache/*.orig.tar.* "$elsewhere/build/cache"
[ ! -e config.mak ] || cp config.mak "$elsewhere"

echo 1..1
if make -C "$elsewhere" >"$elsewhere/log" 2>&1 && cmp coppice "$elsewhere/coppice"; then
	echo "ok 1 - built elsewhere it is the same, $(sha256sum coppice | cut -c 1-16)"
else
	echo "not ok 1 - built elsewhere it differs, or does not build"
	tail -n 20 "$elsewhere/log"
	exit 1
fi
