#!/bin/sh
# shim-orphans.sh - who is reaped and who is asked to end, under tini, dumb-init, catatonit and ours; shim-orphans.py tells it.
# TIMEOUT 240
python=/usr/bin/python3
[ -x "$python" ] || python=python3
exec "$python" -B "${0%.sh}.py" "$@"
