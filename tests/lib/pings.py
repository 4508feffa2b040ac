"""pings.py SOCKET - the longest of 30 pings to a control socket, in ms."""
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f, worst = s.makefile("rb"), 0
for i in range(30):
    start = time.monotonic()
    s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    assert b"pong" in f.readline()
    worst = max(worst, time.monotonic() - start)
    time.sleep(0.005)
print(int(worst * 1000))
