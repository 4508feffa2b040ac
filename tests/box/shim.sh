#!/bin/sh
# shim.sh - statuses, words and what the command finds, under tini, dumb-init, catatonit and ours; shim.py tells it.
# TIMEOUT 240
python=/usr/bin/python3
[ -x "$python" ] || python=python3
exec "$python" -B "${0%.sh}.py" "$@"
