#!/bin/sh
# binary.sh - the binary keeps to its budget: small, static, position-independent, hardened.
set -u
cd "${0%/*}/.." || exit

n=0 failed=0
# report GOOD TEXT
report() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}

size=$(stat -c %s coppice)
[ "$size" -le 700000 ]
report $? "${size:-no} bytes, of 700000 at most"

headers=$(readelf -lW coppice && readelf -dW coppice)
# PATTERN in the headers, and what that proves; "no" before a pattern that must be absent.
while IFS='|' read -r want pattern text; do
	echo "$headers" | grep -Eq "$pattern"
	found=$?
	[ "$want" = yes ] || found=$((!found))
	[ "$headers" ] || found=1
	report $found "$text"
done <<-TABLE
	no|INTERP|static: no interpreter
	yes|Elf file type is DYN|position-independent
	yes|GNU_STACK .* RW +0x|the stack is not executable
	no|LOAD .* RWE |no segment is both writable and executable
	yes|GNU_RELRO|relocated data becomes read-only
	no|TEXTREL|no relocations in the code
TABLE
echo "1..$n"
exit $failed
