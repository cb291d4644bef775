#!/usr/bin/env python3
"""scripts/crosswire.lua against the codecs: what tshark shows of each message, field, option and value that there is.

$SAMPLES prints the messages and what the codecs read in them. Skips, saying so, where tshark is not installed. Output: TAP."""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

from tap import Tap

DISSECTOR = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "crosswire.lua"
ORDERS, FEED, CLIENT = 26400, 26477, 40001
TO_EXCHANGE = ("Login Request", "Client Heartbeat", "Logout Request")


class Sample:
    def __init__(self, chapter, title, data):
        self.chapter, self.title, self.data, self.fields = chapter, title, data, []

    def datagram(self):
        if self.chapter in ("soup", "mold"):
            return self.data
        return struct.pack(">10sQHH", b"O0MJ5V2TC0", 1, 1, len(self.data)) + self.data

    def ports(self, orders, feed):
        if self.chapter == "itch":
            return feed, feed
        inbound = self.chapter == "ouch_in" or self.title in TO_EXCHANGE or "client" in self.title or "request" in self.title
        return (CLIENT, orders) if inbound else (orders, CLIENT)


def read_samples():
    samples = []
    printed = subprocess.run([os.environ["SAMPLES"]], check=True, capture_output=True, text=True).stdout
    for line in printed.splitlines():
        first, second, third, *more = line.split("\t")
        if first:
            samples.append(Sample(first, second, bytes.fromhex(third)))
        else:
            samples[-1].fields.append((second, third, more[0]))
    return samples


def write_capture(path, samples, orders=ORDERS, feed=FEED):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for at, sample in enumerate(samples):
            payload = sample.datagram()
            udp = struct.pack(">HHHH", *sample.ports(orders, feed), 8 + len(payload), 0) + payload
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
            frame = b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + udp
            file.write(struct.pack("<IIII", at, 0, len(frame), len(frame)) + frame)


def dissect(path, *options):
    """Of each packet the fields of crosswire's: (filter, value, as shown). What tshark said on stderr."""
    done = subprocess.run(["tshark", "-n", "-r", path, "-X", f"lua_script:{DISSECTOR}", *options, "-T", "pdml"],
                          capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if line and "Running as user" not in line]
    packets = []
    for packet in xml.fromstring(done.stdout or "<none/>").iter("packet"):
        packets.append([(f.get("name"), f.get("show", ""), f.get("showname", "")) for f in packet.iter("field")
                        if f.get("name", "").startswith(("crosswire.", "_ws.expert", "_ws.lua.error", "_ws.malformed"))])
    return packets, complaints


def fault_of(sample, shown):
    """What tshark says otherwise than the codecs; empty: nothing."""
    for name, value, _ in shown:
        if name.startswith("_ws."):
            return f"{name}: {value}"
    seen = [one for one in shown if one[0].startswith(("crosswire.soup.", "crosswire.ouch.", "crosswire.itch."))]
    if sample.chapter == "mold":
        return "" if any(name == "crosswire.session" for name, _, _ in shown) else "no packet"
    if sample.chapter != "soup" and ("crosswire.message", sample.title) not in [(n, v) for n, v, _ in shown]:
        return f"not called {sample.title}"
    for want, got in zip(sample.fields, seen):
        if want[:2] != got[:2] or want[2] not in got[2]:
            return f"{want} is shown as {got}"
    return "" if len(seen) == len(sample.fields) else f"{len(seen)} fields of {len(sample.fields)}"


def check_all(tap, folder):
    samples, capture = read_samples(), os.path.join(folder, "samples.pcap")
    write_capture(capture, samples)
    packets, complaints = dissect(capture)
    tap.check("tshark takes the dissector without a word", not complaints, "\n".join(complaints))
    tap.check("and shows each packet", len(packets) == len(samples), f"{len(packets)} of {len(samples)}")
    by_title = {}
    for sample, shown in zip(samples, packets):
        by_title.setdefault((sample.chapter, sample.title), []).append(fault_of(sample, shown))
    for (chapter, title), faults in by_title.items():
        told = [fault for fault in faults if fault]
        tap.check(f"{chapter}: {title} is shown as the codecs read it, {len(faults)} times", not told, "\n".join(told))

    write_capture(capture, samples, 31000, 31001)
    moved, _ = dissect(capture, "-o", "crosswire.order_port:31000", "-o", "crosswire.feed_port:31001")
    tap.check("and alike at ports that the preferences name", moved == packets and moved)
    sample = next(s for s in samples if s.chapter == "ouch_in" and s.title == "Enter Order")
    sample.data = sample.data[:30]
    other = Sample("ouch_in", "?", b"?" + bytes(20))
    write_capture(capture, [sample, other])
    marked, _ = dissect(capture)
    tap.check("a message that is too short or not known is marked",
              all(any(name.startswith("_ws.expert") for name, _, _ in shown) for shown in marked), marked)


def main():
    if shutil.which("tshark") is None:
        print("1..0 # SKIP tshark is not installed")
        return 0
    tap, folder = Tap(), tempfile.mkdtemp(prefix="crosswire-dissect-fields-")
    try:
        check_all(tap, folder)
    finally:
        shutil.rmtree(folder)
    return tap.end()


sys.exit(main())
