#!/bin/sh
# shim.sh - the behaviours of tini, dumb-init and catatonit, theirs and ours side by side; shim.py tells them.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
exec "$python" -B "${0%.sh}.py" "$@"
