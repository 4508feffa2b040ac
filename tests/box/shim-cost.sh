#!/bin/sh
# shim-cost.sh - memory at rest and time to start, under tini, dumb-init, catatonit and ours; shim-cost.py tells it.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
exec "$python" -B "${0%.sh}.py" "$@"
