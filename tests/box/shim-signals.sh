#!/bin/sh
# shim-signals.sh - what becomes of every signal, under tini, dumb-init, catatonit and ours; shim-signals.py tells it.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
exec "$python" -B "${0%.sh}.py" "$@"
