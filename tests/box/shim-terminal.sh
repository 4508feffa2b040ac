#!/bin/sh
# shim-terminal.sh - who holds the terminal, under tini, dumb-init, catatonit and ours; shim-terminal.py tells it.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
exec "$python" -B "${0%.sh}.py" "$@"
