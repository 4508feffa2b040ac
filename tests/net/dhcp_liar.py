#!/usr/bin/env python3
"""dhcp_liar.py - a DHCP server that lies, on the interface s0, one lie for each name.

Usage: dhcp_liar.py LIE LOG

It hears everything on the wire and writes what a client sends into LOG, a line each: the time in ms, the type, and
what of it matters. It answers DISCOVER and REQUEST as the lie wants it; where it tells the truth, it grants
198.51.100.50/24 by 198.51.100.1 for 3600 s.
"""
import random
import socket
import struct
import sys
import time

LIE, LOG = sys.argv[1:3]
SERVER, YOURS = "198.51.100.1", "198.51.100.50"
TYPES = {1: "DISCOVER", 2: "OFFER", 3: "REQUEST", 4: "DECLINE", 5: "ACK", 6: "NAK", 7: "RELEASE"}
OFFER, ACK, NAK = 2, 5, 6
EVERYBODY = b"\xff" * 6
log = open(LOG, "a", buffering=1)
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("s0", 0))
own_mac = wire.getsockname()[4]
random.seed(LIE)


def say(*words):
    print(int(time.monotonic() * 1000), *words, file=log)


def ip(text):
    return socket.inet_aton(text)


def option(code, value):
    """Longer ones are split (RFC 3396)."""
    parts = [value[i:i + 255] for i in range(0, len(value), 255)] or [b""]
    return b"".join(bytes([code, len(p)]) + p for p in parts)


def seconds(n):
    return struct.pack("!I", n & 0xFFFFFFFF)


TRUTH = {54: ip(SERVER), 51: seconds(3600), 1: ip("255.255.255.0"), 3: ip(SERVER), 6: ip(SERVER)}


def bootp(ask, kind, yours=YOURS, more=None, raw=b"", end=b"\xff", xid=None, mac=None, htype=1, op=2, file=b"", sname=b""):
    """A reply; `more` changes or, with None, takes out options; `raw` comes before the end."""
    options = dict(TRUTH) if kind != NAK else {54: ip(SERVER)}
    options.update(more or {})
    body = option(53, bytes([kind])) + b"".join(option(c, v) for c, v in options.items() if v is not None)
    return struct.pack("!BBBBIHH4s4s4s4s16s64s128s", op, htype, 6, 0, ask["xid"] if xid is None else xid, 0, 0, bytes(4),
                       ip("0.0.0.0" if kind == NAK else yours), bytes(4), bytes(4), (mac or ask["mac"]) + bytes(10), sname, file) \
        + b"\x63\x82\x53\x63" + body + raw + end


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def packet(payload, source=67, target=68, fragment=0, bad_ip=False, bad_udp=False, protocol=17, cut=0, version=0x45):
    udp = struct.pack("!HHHH", source, target, 8 + len(payload), 0) + payload
    pseudo = ip(SERVER) + ip("255.255.255.255") + struct.pack("!BBH", 0, 17, len(udp))
    sum_ = (checksum(pseudo + udp) or 0xFFFF) ^ (0x1234 if bad_udp else 0)
    udp = udp[:6] + struct.pack("!H", sum_) + udp[8:]
    head = struct.pack("!BBHHHBBH4s4s", version, 0, 20 + len(udp), 1, fragment, 64, protocol, 0, ip(SERVER), ip("255.255.255.255"))
    head = head[:10] + struct.pack("!H", checksum(head) ^ (0x1234 if bad_ip else 0)) + head[12:]
    whole = head + udp
    return whole[:len(whole) - cut]


def send(data, ethertype=0x0800, to=EVERYBODY, tag=None):
    head = to + own_mac + (struct.pack("!HH", 0x8100, tag) if tag else b"") + struct.pack("!H", ethertype)
    try:
        wire.send(head + data)
    except OSError:
        pass


def reply(ask, kind, **how):
    send(packet(bootp(ask, kind, **how)))


def truth(ask, yours=YOURS, **how):
    """What an honest server would answer."""
    reply(ask, OFFER if ask["type"] == 1 else ACK, yours=yours, **how)


def parse(frame):
    """A client's message, or None."""
    if len(frame) < 14 + 28 + 240 or frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return None
    payload = frame[14 + (frame[14] & 15) * 4 + 8:]
    if payload[0] != 1 or payload[236:240] != b"\x63\x82\x53\x63":
        return None
    ask = {"xid": struct.unpack("!I", payload[4:8])[0], "mac": payload[28:34], "ciaddr": socket.inet_ntoa(payload[12:16]), "options": {}}
    i = 240
    while i < len(payload) and payload[i] != 255:
        if payload[i] == 0:
            i += 1
            continue
        ask["options"][payload[i]] = payload[i + 2:i + 2 + payload[i + 1]]
        i += 2 + payload[i + 1]
    ask["type"] = ask["options"].get(53, b"\0")[0]
    return ask


# --- the lies: each is called with a DISCOVER or a REQUEST ----------------------------------------------------


def lie_nothing(ask):
    truth(ask)


def lie_silence(ask):
    pass


def lie_malformed(ask):
    """N-01. The bad ones offer .66; then comes the truth."""
    kind = OFFER if ask["type"] == 1 else ACK
    bad = [
        {"raw": bytes([15, 200]) + b"abc"}, {"raw": bytes([15])}, {"end": b""}, {"raw": bytes([12, 255]) + b"x" * 100, "end": b""},
        {"raw": option(52, b"\x03"), "file": option(52, b"\x03") + b"x" * 120, "sname": b"\x0c\xff"},
        {"raw": option(52, b"\x00")}, {"raw": option(52, b"\x04")}, {"raw": option(52, b"")}, {"more": {54: b"\1\2\3"}},
        {"more": {51: b""}},
        {"more": {54: None}}, {"more": {1: bytes(4)}}, {"raw": option(82, bytes([82, 255] * 60)) + bytes([82, 255])},
        {"raw": b"".join(bytes([15, 255]) + b"a" * 255 for _ in range(4)) + bytes([15, 255])},
        {"raw": option(119, b"\xc0\0" * 100) + option(121, b"\xff" * 200), "end": b""},
    ]
    for how in bad:
        reply(ask, kind, yours="198.51.100.66", **how)
    for _ in range(200):
        data = bytearray(bootp(ask, kind, yours="198.51.100.66"))
        for _ in range(random.randint(1, 60)):
            data[random.randrange(240, len(data))] = random.randrange(256)
        data[236:240] = random.randbytes(4)
        send(packet(bytes(data)))
    # Sound, with options that are not: these are taken, without the options.
    truth(ask, raw=option(119, b"\xc0\0") + option(121, b"\x21\1\1") + option(12, b"") + option(15, b"") + option(33, b"\1\2")
          + option(26, b"\1"))


def lie_shell(ask):
    """N-02, N-03."""
    evil = [b"$(reboot)", b"`touch /tmp/x`", b"a\nnameserver 6.6.6.6", b"a;b", b"a b\nsearch evil", b"a\0b", b"a'\"b",
            b"()\x20{ :;}; x"]
    pick = evil[int(time.monotonic() * 10) % len(evil)]
    labels = b"".join(bytes([len(e)]) + e for e in evil[:3]) + b"\0" + b"\x04good\x07example\0" + b"\x09evil\nline\0"
    truth(ask, more={12: pick, 15: b"a\nnameserver 6.6.6.6\noptions x", 252: b"http://$(reboot)/", 56: b"$(x)\n", 67: b"`x`",
                     17: b"| sh", 119: labels, 81: b"\0\0\0$(reboot)"})


def lie_misdirected(ask):
    """N-04. Everything that is wrong offers .66; then comes the truth."""
    kind = OFFER if ask["type"] == 1 else ACK
    bad = {"yours": "198.51.100.66"}
    for _ in range(20):
        reply(ask, kind, xid=random.getrandbits(32), **bad)
        reply(ask, kind, mac=random.randbytes(6), **bad)
    reply(ask, kind, htype=6, **bad)
    reply(ask, kind, op=1, **bad)
    good = bootp(ask, kind, **bad)
    for how in ({"bad_udp": True}, {"bad_ip": True}, {"fragment": 0x2000}, {"fragment": 5}, {"source": 68}, {"target": 67},
                {"protocol": 6}, {"cut": 40}, {"version": 0x65}, {"version": 0x44}):
        send(packet(good, **how))
    send(packet(good), tag=7)
    send(packet(good), ethertype=0x0801)
    send(packet(good), to=b"\x02\xaa\xaa\xaa\xaa\xaa")
    if ask["type"] == 3:
        reply(ask, ACK, yours="198.51.100.66", more={54: ip("198.51.100.9")})
        reply(ask, NAK, more={54: ip("198.51.100.9")})
    truth(ask)


def lie_nak_storm(ask):
    """N-06. Offers, and says no a thousand times, whatever is asked."""
    if ask["type"] == 1:
        truth(ask)
        return
    for _ in range(1000):
        reply(ask, NAK)


def lie_flood(ask):
    """N-06. Three seconds of offers, as fast as they go, after the first REQUEST; then the truth."""
    global flooded
    if ask["type"] == 1 or flooded:
        truth(ask)
        return
    flooded = True
    offer = bootp(ask, OFFER, yours="198.51.100.66", more={54: ip("198.51.100.9")})
    frame = EVERYBODY + own_mac + b"\x08\x00" + packet(offer)
    end = time.monotonic() + 3
    sent = 0
    while time.monotonic() < end:
        for _ in range(100):
            wire.send(frame)
        sent += 100
    say("FLOODED", sent)
    truth(ask)


def lie_no_time(ask):
    """N-07."""
    truth(ask, more={51: seconds(0)})
    truth(ask, more={51: seconds(1)})


def lie_for_ever(ask):
    truth(ask, more={51: seconds(0xFFFFFFFF), 58: seconds(1), 59: seconds(2)})


def lie_order(ask):
    """T1 > T2 > lease."""
    truth(ask, more={51: seconds(24), 58: seconds(3600), 59: seconds(1800)})


def hop(net, bits, via):
    return bytes([bits]) + ip(net)[:(bits + 7) // 8] + ip(via)


def lie_routes(ask):
    """N-08."""
    hops = hop("0.0.0.0", 1, SERVER) + hop("128.0.0.0", 1, SERVER) + hop("0.0.0.0", 0, "203.0.113.77") \
        + hop("127.0.0.0", 8, SERVER) + hop("224.0.0.0", 8, SERVER) \
        + hop("192.0.2.0", 24, SERVER) + hop("10.9.0.0", 16, SERVER) + hop("10.10.0.0", 16, "203.0.113.1") \
        + b"".join(hop(f"10.20.{i}.0", 24, SERVER) for i in range(120))
    truth(ask, more={121: hops})


def lie_forced(ask):
    """N-09. FORCERENEW (type 9) without authentication, as soon as the lease is there."""
    truth(ask)
    if ask["type"] == 3:
        for _ in range(50):
            reply(ask, 9)
            send(packet(bootp(ask, 9)), to=ask["mac"])


ABSURD = ["0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255", "240.1.1.1", "198.51.100.0", "198.51.100.255"]
MASKS = ["0.0.0.0", "255.0.255.0", "0.0.0.255", "128.0.0.0", "254.0.0.0"]


def lie_absurd(ask):
    """N-10."""
    kind = OFFER if ask["type"] == 1 else ACK
    for a in ABSURD:
        reply(ask, kind, yours=a)
    for m in MASKS:
        reply(ask, kind, yours="198.51.100.66", more={1: ip(m)})
    truth(ask, more={3: ip("203.0.113.1") + ip("127.0.0.1") + ip(YOURS) + ip(SERVER)})


def lie_small_mtu(ask):
    """N-11."""
    truth(ask, more={26: b"\0\1", 12: b"x" * 255, 42: ip("10.0.0.1") * 60})


def lie_large_mtu(ask):
    truth(ask, more={26: b"\xff\xff"})


def lie_taken(ask):
    """N-12. .50 is somebody else's, who answers at once; then .51 is free."""
    if ask["type"] == 1:
        truth(ask, yours=YOURS if declined == 0 else "198.51.100.51")
    else:
        truth(ask, yours=socket.inet_ntoa(ask["options"].get(50, ip(YOURS))))


lie_taken_late = lie_taken


def lie_short(ask):
    """Leases of 8 s, for what happens meanwhile. A renewal gets the address it has."""
    truth(ask, more={51: seconds(8), 58: seconds(3), 59: seconds(6)})


declined, flooded = 0, False
late = [] # frames to be sent, with their time


def answer_arp(frame):
    """The owner of .50 is a stranger with a hardware address of his own."""
    operation, sender, target = frame[20:22], frame[22:28], frame[38:42]
    if operation != b"\0\1" or target != ip(YOURS) or LIE not in ("taken", "taken_late"):
        return
    say("PROBED", socket.inet_ntoa(frame[28:32]))
    stranger = b"\x02\xbb\0\0\0\1"
    head = sender + stranger + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2)
    late.append((time.monotonic() + (0.3 if LIE == "taken_late" else 0), head + stranger + ip(YOURS) + sender + frame[28:32]))


def main():
    global declined
    lie = globals()["lie_" + LIE]
    wire.settimeout(0.02)
    say("READY")
    while True:
        while late and late[0][0] <= time.monotonic():
            wire.send(late.pop(0)[1])
        try:
            frame, where = wire.recvfrom(4096)
        except OSError: # nothing, or the link went down
            continue
        if where[2] == 4: # PACKET_OUTGOING
            continue
        if frame[12:14] == b"\x08\x06" and len(frame) >= 42:
            answer_arp(frame)
            continue
        if frame[12:14] == b"\x08\x00" and frame[23] == 1:
            say("ICMP", frame[34])
        ask = parse(frame)
        if not ask:
            continue
        wanted = ask["options"].get(50)
        say(TYPES.get(ask["type"], "?"), "wants", socket.inet_ntoa(wanted) if wanted else "-", "has", ask["ciaddr"],
            "to", socket.inet_ntoa(frame[30:34]))
        if ask["type"] == 4:
            declined += 1
        elif ask["type"] in (1, 3):
            lie(ask)


main()
