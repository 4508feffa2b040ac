#!/usr/bin/env python3
"""notified.py - an outer manager's NOTIFY_SOCKET: writes each datagram as one line, its own newlines as "|".

Usage: notified.py ADDRESS FILE    hears at a path, or at @NAME, until it is killed
       notified.py ADDRESS --fill  sends to it until it takes no more
"""
import os
import socket
import sys

address, into = sys.argv[1:]
where = "\0" + address[1:] if address.startswith("@") else address
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
if into == "--fill":
    sock.setblocking(False)
    try:
        while True:
            sock.sendto(b"FILL=1", where)
    except BlockingIOError:
        sys.exit(0)
if not address.startswith("@") and os.path.exists(address):
    os.unlink(address)
sock.bind(where)
with open(into, "a", encoding="utf-8") as out:
    print("LISTENING", file=out, flush=True)
    while True:
        said = sock.recv(4096).decode()
        if said != "FILL=1":
            print(said.rstrip("\n").replace("\n", "|"), file=out, flush=True)
