#!/usr/bin/env python3
"""What tshark, which we did not write, makes of a replay's output: not one malformed packet, nothing unknown.

Skips, saying so, where tshark is not installed. ../shared/wire/nasdaq50.lua, where it is there, dissects every ITCH field.
The program is named by $CROSSWIRE. Output: TAP."""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIELDS = ROOT.parent / "shared" / "wire" / "nasdaq50.lua"
checks = failed = 0


def check(sentence, good, seen=""):
    global checks, failed
    checks += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {checks} - {sentence}")
    if not good:
        print("\n".join("# " + line for line in str(seen).splitlines()[:20]))


def tshark(capture, *arguments):
    """Its output lines, and what it said on stderr beyond the warning about root."""
    done = subprocess.run(["tshark", "-n", "-r", capture, *arguments], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if line and "Running as user" not in line]
    return done.stdout.splitlines(), complaints + ([f"exit {done.returncode}"] if done.returncode else [])


def crosswire(*arguments):
    subprocess.run([os.environ["CROSSWIRE"], *arguments], check=True, capture_output=True, text=True)


ETHERNET, IP, UDP, MOLD = 14, 20, 8, 20
PAYLOAD = ETHERNET + IP + UDP


def with_payload(frame, payload):
    """A client's untagged frame with another payload: IPv4 checksum anew, UDP without one."""
    ip = bytearray(frame[ETHERNET:ETHERNET + IP])
    ip[2:4] = struct.pack(">H", IP + UDP + len(payload))
    ip[10:12] = bytes(2)
    total = sum(struct.unpack(">10H", ip))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    ip[10:12] = struct.pack(">H", ~total & 0xFFFF)
    udp = frame[ETHERNET + IP:ETHERNET + IP + 4] + struct.pack(">HH", UDP + len(payload), 0)
    return frame[:ETHERNET] + bytes(ip) + udp + payload


def messages_with_attributes(enter):
    """OUCH messages on a channel of their own, at twice the price of `enter`, where nobody else is: a hidden and an
    attributable sale, a buyer of all that is there, and what is about the firm as a whole."""
    channel = b"\x02\x1c\x01"
    symbol, price = enter[10:18], struct.pack(">Q", 2 * struct.unpack(">Q", enter[18:26])[0])

    def order(number, side, quantity, time_in_force, display):
        return (b"O" + struct.pack(">I", number) + side + struct.pack(">I", quantity) + symbol + price + time_in_force + display
                + b"PNN" + b"attributes    " + struct.pack(">H", len(channel)) + channel)

    def firm(letter, number, remaining):
        return letter + struct.pack(">I", number) + remaining + struct.pack(">H", len(channel)) + channel

    return [order(1, b"S", 100, b"0", b"N"), order(2, b"S", 100, b"0", b"A"), order(3, b"B", 999_999, b"3", b"Y"),
            order(4, b"S", 100, b"0", b"Z"), firm(b"D", 5, b"    "), firm(b"E", 6, b"    "), firm(b"C", 7, b" " * 12),
            firm(b"C", 8, b"????" + b" " * 8)]


def add_attributes(flow, out):
    """The first half of a flow's capture, and then messages_with_attributes() of the client that spoke last in it."""
    data = pathlib.Path(flow).read_bytes()
    records, at = [], 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        records.append((data[at:at + 8], data[at + 16:at + 16 + length]))
        at += 16 + length
    records = records[:len(records) // 2]
    entered = lambda frame: len(frame) > PAYLOAD + MOLD + 2 and frame[PAYLOAD + MOLD + 2:PAYLOAD + MOLD + 3] == b"O"
    frame = next(frame for time, frame in reversed(records) if entered(frame))
    sequence, count = struct.unpack_from(">QH", frame, PAYLOAD + 10)
    seconds, nanoseconds = struct.unpack("<II", records[-1][0])
    for i, message in enumerate(messages_with_attributes(frame[PAYLOAD + MOLD + 2:])):
        packet = frame[PAYLOAD:PAYLOAD + 10] + struct.pack(">QHH", sequence + count + i, 1, len(message)) + message
        nanoseconds += 1
        time = struct.pack("<II", seconds + nanoseconds // 10**9, nanoseconds % 10**9)
        records.append((time, with_payload(frame, packet)))
    pathlib.Path(out).write_bytes(data[:24] + b"".join(time + struct.pack("<II", len(f), len(f)) + f for time, f in records))


def write_tcp_session(out):
    """A session over TCP, whose packets have nothing to do with its segments: 40 bytes a segment one way, one the other."""
    client, venue = bytes([10, 99, 0, 100]), bytes([10, 99, 0, 1])

    def soup(letter, payload=b""):
        return struct.pack(">H", 1 + len(payload)) + letter + payload

    def segment(source, destination, ports, sequence, acknowledged, flags, payload=b""):
        tcp = struct.pack(">HHIIBBHHH", *ports, sequence, acknowledged, 0x50, flags, 65535, 0, 0) + payload
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, IP + len(tcp), 0, 0x4000, 64, 6, 0, source, destination)
        return bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 8, 0]) + ip + tcp

    enter = struct.pack(">cIcI8sQccccc14s", b"O", 1, b"B", 100, b"AAA     ", 1_000_000, b"0", b"Y", b"A", b"N", b"N", b"order".ljust(14))
    said = (soup(b"L", b"ann   secret    " + b" " * 29 + b"1") + soup(b"U", enter + bytes([0, 3, 2, 128]) + b"Y") + soup(b"R")
            + soup(b"U", enter + bytes(2)) + soup(b"O"))
    told = (soup(b"A", b"O00000ABCD" + b"1".rjust(20)) + soup(b"S", struct.pack(">cQc", b"S", 5, b"S")) + soup(b"H")
            + soup(b"+", b"taken over") + soup(b"J", b"A") + soup(b"Z"))
    to, back = (40_000, 26_400), (26_400, 40_000)
    frames = [segment(client, venue, to, 1000, 0, 2), segment(venue, client, back, 5000, 1001, 18),
              segment(client, venue, to, 1001, 5001, 16)]
    frames += [segment(client, venue, to, 1001 + i, 5001, 24, said[i:i + 40]) for i in range(0, len(said), 40)]
    frames.append(segment(venue, client, back, 5001, 1001 + len(said), 24, told))
    records = b"".join(struct.pack("<IIII", 1000, i, len(f), len(f)) + f for i, f in enumerate(frames))
    pathlib.Path(out).write_bytes(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1) + records)


def main():
    if shutil.which("tshark") is None:
        print("1..0 # SKIP tshark is not installed")
        return 0
    folder = tempfile.mkdtemp(prefix="crosswire-dissect-")
    try:
        path = lambda name: os.path.join(folder, name)
        crosswire("flow", "--synthetic", "--orders-count", "3000", "--symbols", "3", "--sessions", "3", "--seed", "7",
                  "--out", path("orders.pcap"), "--config-out", path("crosswire.toml"))
        crosswire("replay", "--config", path("crosswire.toml"), "--in", path("orders.pcap"), "--out", path("out.pcap"))

        add_attributes(path("orders.pcap"), path("more.pcap"))
        crosswire("replay", "--config", path("crosswire.toml"), "--in", path("more.pcap"), "--out", path("more-out.pcap"))

        ours = ("-X", f"lua_script:{ROOT}/scripts/crosswire.lua")
        for name in ("orders.pcap", "out.pcap", "more.pcap", "more-out.pcap"):
            lines, complaints = tshark(path(name), *ours, "-Y", "_ws.malformed || _ws.expert || _ws.lua.error")
            check(f"{name} has no malformed or unknown packet", not lines and not complaints, "\n".join(lines + complaints))
            lines, _ = tshark(path(name), *ours, "-Y", "udp && !crosswire")
            check(f"every datagram of {name} is dissected", not lines, "\n".join(lines))

        write_tcp_session(path("tcp.pcap"))
        lines, complaints = tshark(path("tcp.pcap"), *ours, "-Y", "_ws.malformed || _ws.lua.error || crosswire.lies || crosswire.unknown")
        check("nothing of a session over TCP is malformed or unknown", not lines and not complaints, "\n".join(lines + complaints))
        lines, _ = tshark(path("tcp.pcap"), *ours, "-Y", "crosswire", "-T", "fields", "-e", "crosswire.packet", "-e", "crosswire.message")
        packets = [name for line in lines for name in line.split("\t")[0].split(",")]
        said = ["Login Request", "Unsequenced Data", "Client Heartbeat", "Unsequenced Data", "Logout Request"]
        told = ["Login Accepted", "Sequenced Data", "Server Heartbeat", "Debug", "Login Rejected", "End of Session"]
        check("its packets are put together from segments, each one", packets == said + told, packets)

        def names_in(name):
            lines, _ = tshark(path(name), *ours, "-Y", "crosswire.message", "-T", "fields", "-e", "crosswire.message")
            return {name for line in lines for name in line.split(",")}

        names = names_in("out.pcap")
        want = {"System Event", "Accepted", "Replaced", "Canceled", "Executed", "Modified", "Stock Directory", "Stock Trading Action",
                "Add Order", "Order Executed", "Order Executed With Price", "Order Cancel", "Order Delete", "Order Replace",
                "Cross Trade", "Net Order Imbalance"}
        check("the answers and the feed hold every kind of message that a trading day brings", want <= names, want - names)
        names = names_in("more-out.pcap")
        want = {"Mass Cancel Response", "Disable Response", "Enable Response", "Rejected", "Add Order with MPID", "Trade"}
        check("and those that order attributes and a firm's messages bring", want <= names, want - names)
        lines, _ = tshark(path("out.pcap"), "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
                          "-Y", "ip.checksum.status == 0 || udp.checksum.status == 0")
        check("every IPv4 and UDP checksum is right", not lines, "\n".join(lines))

        feed = ("-d", "udp.port==26477,moldudp64")
        lines, _ = tshark(path("out.pcap"), *feed, "-Y", "_ws.malformed || _ws.expert.severity >= 6291456")
        check("tshark's own MoldUDP64 dissector finds no fault in the feed", not lines, "\n".join(lines))
        if FIELDS.exists():
            fields = (*feed, "-X", f"lua_script:{FIELDS}", "-d", "moldudp64.payload,itch50")
            lines = []
            for name in ("out.pcap", "more-out.pcap"):
                lines += tshark(path(name), *fields, "-Y", "_ws.malformed || _ws.expert.severity >= 6291456 || moldudp64.msgdata")[0]
            check("every ITCH message of the feed dissects to its fields", not lines, "\n".join(lines))
        else:
            print(f"ok {checks + 1} - every ITCH message of the feed dissects to its fields # SKIP no ../shared/wire/nasdaq50.lua")
            print(f"1..{checks + 1}")
            return failed != 0
    finally:
        shutil.rmtree(folder)
    print(f"1..{checks}")
    return failed != 0


sys.exit(main())
