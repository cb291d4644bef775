#!/usr/bin/env python3
"""Small inputs on which crosswire once fell short, each by its name: made here, replayed, and its outcome compared with
what is right. Where a folder of the same inputs as they were handed in is beside the checkout (../shared/faults), those
are replayed too.

Each check is a sentence. Python's standard library only. The program is named by $CROSSWIRE. Output: TAP."""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

from tap import Tap, write_config

SESSION = "TESTSESS01"
SERVER, SERVER_MAC = "10.99.0.1", "02:00:00:00:00:01"
ORDER_PORT, REQUEST_PORT = 26400, 26478
MIDNIGHT = 1_767_225_600  # 2026-01-01T00:00:00Z
PHASES = '[[phase]]\nat = "09:00:00"\nstate = "continuous"\n[[phase]]\nat = "15:00:00"\nstate = "closed"\n'
HANDED = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "faults"


def config(phases=PHASES, orders="", limits=""):
    accounts = "".join(f'[[account]]\nuser = "{user}"\npassword = "{password}"\nfirm = "{firm}"\n' for user, password, firm in
                       (("ALPHA", "secret1", "ALFA"), ("BRAVO", "secret2", "BRVO"), ("CHARL", "secret3", "CHRL")))
    return f"""[time]
midnight = 2026-01-01T00:00:00Z
[port]
address = "{SERVER}"
mac = "{SERVER_MAC}"
[orders]
udp_port = {ORDER_PORT}
{orders}
[limits]
{limits}
[memory]
hugepages = "off"
[[symbol]]
name = "AAAA"
reference_price_e4 = 1000000
tick_e4 = 100
{accounts}{phases}"""


# ---- Frames -----------------------------------------------------------------------------------------------------------

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Client:
    """A trading firm's end: its frames, and what it sends in them. `partial`: the host leaves UDP's sums to a card."""

    def __init__(self, number, partial=False):
        self.mac = bytes([2, 0, 0, 0, 1, number])
        self.address = bytes([10, 99, 0, 10 + number])
        self.port, self.partial, self.sent = 30000 + number, partial, 0

    def frame(self, payload, port=ORDER_PORT, mac=None):
        server = bytes(map(int, SERVER.split(".")))
        length = 8 + len(payload)
        pseudo = self.address + server + struct.pack(">BBH", 0, 17, length)
        udp = struct.pack(">HHHH", self.port, port, length, 0) + payload
        summed = (~checksum(pseudo) & 0xFFFF) if self.partial else checksum(pseudo + udp) or 0xFFFF
        udp = udp[:6] + struct.pack(">H", summed) + payload
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + length, 0, 0x4000, 64, 17, 0, self.address, server)
        ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
        return bytes.fromhex(SERVER_MAC.replace(":", "")) + (mac or self.mac) + b"\x08\x00" + ip + udp

    def login(self, user, password):
        return self.frame(struct.pack(">Hc6s10s10s20s", 47, b"L", user.ljust(6).encode(), password.ljust(10).encode(),
                                      b" " * 10, b"1".rjust(20)))

    def orders(self, *messages, mac=None):
        number, self.sent = self.sent + 1, self.sent + len(messages)
        blocks = b"".join(struct.pack(">H", len(message)) + message for message in messages)
        return self.frame(struct.pack(">10sQH", SESSION.encode(), number, len(messages)) + blocks, mac=mac)

    def request(self, session, first, count, port=ORDER_PORT):
        return self.frame(struct.pack(">10sQH", session, first, count), port)


def options(*pairs):
    body = b"".join(struct.pack(">BB", 1 + len(value), tag) + value for tag, value in pairs)
    return struct.pack(">H", len(body)) + body


def enter(number, side, quantity, price, tif=b"0", minimum=0):
    appendage = options((3, struct.pack(">I", minimum))) if minimum else options()
    return struct.pack(">cIcI8sQ5s14s", b"O", number, side, quantity, b"AAAA".ljust(8), price, tif + b"YANN",
                       b"T%d" % number) + appendage


def cancel(number):
    return struct.pack(">cII", b"X", number, 0)


def cancel_group(number, group):
    return struct.pack(">cI4s8s", b"C", number, b" " * 4, b" " * 8) + options((0x18, struct.pack(">H", group)))


def batches(items, size):
    return [items[i:i + size] for i in range(0, len(items), size)]


def write_capture(path, timed_frames, snaplen=262144):
    """`timed_frames`: (seconds since midnight, frame)."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snaplen, 1))
        for seconds, frame in timed_frames:
            nanoseconds = round(seconds * 1e9)
            file.write(struct.pack("<IIII", MIDNIGHT + nanoseconds // 10**9, nanoseconds % 10**9, len(frame), len(frame)) + frame)


# ---- Replays ----------------------------------------------------------------------------------------------------------

class Datagram:
    """A frame that crosswire sent."""

    def __init__(self, seconds, frame):
        self.seconds, self.length = seconds, len(frame)
        self.to = ".".join(map(str, frame[30:34]))
        self.port = struct.unpack(">H", frame[36:38])[0]
        self.payload = frame[42:14 + struct.unpack(">H", frame[16:18])[0]]
        self.is_soup = self.payload[0] == 0
        self.messages = []
        if self.is_soup:
            return
        _, _, count = struct.unpack(">10sQH", self.payload[:20])
        at = 20
        for _ in range(0 if count == 0xFFFF else count):
            length, = struct.unpack(">H", self.payload[at:at + 2])
            self.messages.append(self.payload[at + 2:at + 2 + length])
            at += 2 + length


def read_capture(path):
    data = path.read_bytes()
    at, found = 24, []
    while at < len(data):
        seconds, fraction, length, _ = struct.unpack("<IIII", data[at:at + 16])
        frame = data[at + 16:at + 16 + length]
        if frame[12:14] == b"\x08\x00" and frame[23] == 17:
            found.append(Datagram(seconds - MIDNIGHT + fraction / 1e9, frame))
        at += 16 + length
    return found


class Replay:
    """What came of one: exit status, what was said, what was sent."""

    def __init__(self, capture, configuration, *arguments):
        out = capture.parent / "out.pcap"
        out.unlink(missing_ok=True)
        run = subprocess.run([os.environ["CROSSWIRE"], "replay", "--config", configuration, "--in", capture, "--out", out,
                              "--session", SESSION, *arguments], capture_output=True, text=True, timeout=240)
        self.status, self.said = run.returncode, run.stdout + run.stderr
        self.sent = read_capture(out) if out.exists() else []

    def to(self, number):
        return [datagram for datagram in self.sent if datagram.to == f"10.99.0.{10 + number}" and datagram.port == 30000 + number]

    def answers(self, number, letters=""):
        """Messages of the account's stream, re-requested ones again."""
        return [message for datagram in self.to(number) if datagram.payload[:10] == SESSION.encode()
                for message in datagram.messages if not letters or chr(message[0]) in letters]

    def feed(self, letter):
        return [message for datagram in self.sent if datagram.port == 26477 for message in datagram.messages
                if message[:1] == letter.encode()]

    def rejected(self, number):
        """UserRefNum to reason."""
        return {struct.unpack(">I", m[9:13])[0]: struct.unpack(">H", m[13:15])[0] for m in self.answers(number, "J")}


# ---- The inputs, and what is right ----------------------------------------------------------------------------------------

OPEN = 9 * 3600 + 1  # seconds: the market has opened


def two_logged_in():
    first, second = Client(1), Client(2)
    return first, second, [(OPEN, first.login("ALPHA", "secret1")), (OPEN, second.login("BRAVO", "secret2"))]


def mass_cancel_scan():
    first, second, frames = two_logged_in()
    orders = [enter(i + 1, b"B", 1, 999_900) for i in range(20_000)]
    frames += [(OPEN + 1 + i * 1e-6, first.orders(*batch)) for i, batch in enumerate(batches(orders, 29))]
    for i in range(10):
        frames.append((OPEN + 3 + i / 10, first.orders(cancel_group(20_001 + i, 7))))
        frames.append((OPEN + 3 + i / 10 + 1e-9, second.orders(enter(i + 1, b"S", 1, 1_000_100 + 100 * i))))
    return frames, config()


def is_right_mass_cancel_scan(run):
    granted, refused = run.answers(1, "X"), [r for r in run.rejected(1).values()]
    # A second's worth and a part of one: what is looked at in vain is paid back at 20,000 a second.
    return len(granted) == 2 and refused == [0x0029] * 8 and len(run.answers(2, "A")) == 10


def minqty_scan():
    first, second, frames = two_logged_in()
    asks = [enter(i + 1, b"S", 1, 100 * (1 + 4096 * i)) for i in range(2_048)]
    frames += [(OPEN + 1 + i * 1e-6, second.orders(*batch)) for i, batch in enumerate(batches(asks, 29))]
    weapon = [enter(i + 1, b"B", 999_999, 1_999_999_900, b"3", 999_999) for i in range(480)]
    frames += [(OPEN + 2 + i / 1000, first.orders(*batch)) for i, batch in enumerate(batches(weapon, 26))]
    return frames, config()


def is_right_minqty_scan(run):
    # 157 looks at 128 levels are a second's worth; the handed input has the asks on the weapon's account.
    weapons = [m for m in run.answers(1, "A") if m[13:14] == b"B"]
    return 155 <= len(weapons) <= 162 and set(run.rejected(1).values()) == {0x0029} and len(run.rejected(1)) > 310


def partial_udp_checksum():
    client = Client(1, partial=True)
    return [(OPEN, client.login("ALPHA", "secret1")), (OPEN + 1, client.orders(enter(1, b"B", 1, 1_000_000)))], config()


def noii_reference():
    client = Client(1)
    frames = [(1, client.login("ALPHA", "secret1")),
              (6, client.orders(enter(1, b"B", 1, 1_000_000), enter(2, b"B", 9, 999_900), enter(3, b"S", 11, 999_900))),
              (8, client.frame(b"\0\1R"))]
    return frames, config('[[phase]]\nat = "00:00:05"\nstate = "opening_call"\n[[phase]]\nat = "00:00:10"\nstate = "continuous"\n')


def is_right_noii(run):
    """Paired and imbalance shares are those at the reference price; of the orders for the cross alone there are none."""
    for message in run.feed("I"):
        paired, imbalance, direction = struct.unpack(">QQc", message[11:28])
        far, near, reference = struct.unpack(">III", message[36:48])
        if paired == 0:
            continue
        expected = {999_900: (10, 1), 1_000_000: (1, 10)}
        return expected.get(reference) == (paired, imbalance) and near == reference and far == 0
    return False


def order_rerequests():
    client = Client(1)
    frames = [(OPEN, client.login("ALPHA", "secret1"))]
    orders = [enter(i + 1, b"B", 1, 999_900) for i in range(100)]
    frames += [(OPEN + 1 + i * 1e-6, client.orders(*batch)) for i, batch in enumerate(batches(orders, 29))]
    frames += [(OPEN + 2 + i * 1e-6, client.request(SESSION.encode(), 2, 0xFFFE)) for i in range(1000)]
    return frames, config()


def account_queries():
    client = Client(1)
    frames = [(OPEN, client.login("ALPHA", "secret1"))]
    frames += [(OPEN + 1 + i * 1e-6, client.orders(*[b"Q"] * 484)) for i in range(10)]
    return frames, config()


def snap_small():
    first, second, frames = two_logged_in()
    frames += [(OPEN + 1, first.orders(enter(1, b"B", 100, 1_000_000))), (OPEN + 2, second.orders(enter(1, b"S", 50, 990_000, b"3")))]
    return frames, config()


def two_router_macs():
    client = Client(1)
    frames = [(OPEN, client.login("ALPHA", "secret1"))]
    other = bytes([2, 0, 0, 0, 1, 0x51])
    frames += [(OPEN + 1 + i / 2, client.orders(enter(i + 1, b"B", 1, 1_000_000 - 100 * i), mac=other if i % 2 else None)) for i in range(10)]
    return frames, config()


def one_account_takes_max_orders():
    first, second, frames = two_logged_in()
    orders = [enter(i + 1, b"B", 1, 100) for i in range(1_024)]
    frames += [(OPEN + 1 + i * 1e-6, first.orders(*batch)) for i, batch in enumerate(batches(orders, 29))]
    frames.append((OPEN + 3, second.orders(enter(1, b"S", 1, 1_000_000), enter(2, b"S", 5, 100, b"3"))))
    return frames, config(limits="max_orders = 1024")


def one_wrong_timestamp():
    client = Client(1)
    frames = [(OPEN, client.login("ALPHA", "secret1"))]
    frames += [(OPEN + 1 + i + (12 * 3600 if i == 2 else 0), client.orders(enter(i + 1, b"B", 1, 1_000_000 - 100 * i))) for i in range(10)]
    return frames, config()


def feed_session(start):
    """Of a replay whose capture begins then: F, and nine digits of base 36 that count milliseconds."""
    left, name = (MIDNIGHT + start) * 1000, b""
    while len(name) < 9:
        left, digit = divmod(left, 36)
        name = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit:digit + 1] + name
    return b"F" + name


def no_snapshot():
    first, second, frames = two_logged_in()
    frames.append((OPEN + 1, first.orders(enter(1, b"B", 10, 999_900))))
    churn = [message for i in range(600) for message in (enter(i + 1, b"S", 1, 1_000_100), cancel(i + 1))]
    frames += [(OPEN + 2 + i * 1e-6, second.orders(*batch)) for i, batch in enumerate(batches(churn, 48))]
    frames.append((OPEN + 4, first.request(feed_session(OPEN), 1, 0xFFFE, REQUEST_PORT)))
    return frames, config(orders="[feed]\nmessages_kept = 1024")


def replayed_login():
    first, second = Client(1), Client(2)
    frames = [(OPEN, first.login("ALPHA", "secret1")), (OPEN + 1, first.orders(enter(1, b"B", 1, 1_000_000))),
              (OPEN + 2, second.login("ALPHA", "secret1")), (OPEN + 2.00005, first.login("ALPHA", "secret1")),
              (OPEN + 3, second.orders(enter(2, b"B", 1, 1_000_000)))]
    return frames, config()


def oldest_resent(run):
    """Number of the first message of the feed's answers to account 1."""
    return min(struct.unpack(">Q", d.payload[10:18])[0] for d in run.to(1) if d.payload[:1] == b"F")


# Name, sentence, input, arguments of the replay, its exit status, what is right.
INPUTS = [
    ("01_mass_cancel_scan", "what Mass Cancels look at in vain is charged, and beyond it they are Rejected 0x0029",
     mass_cancel_scan, [], 0, is_right_mass_cancel_scan),
    ("02_minqty_scan", "a MinQty asks once, is charged where it finds too few, and beyond that is Rejected 0x0029",
     minqty_scan, [], 0, is_right_minqty_scan),
    ("03_partial_udp_checksum", "is dropped, and the last line says which option takes it",
     partial_udp_checksum, [], 1, lambda run: "--partial-checksums" in run.said and not run.answers(1, "A")),
    ("03_partial_udp_checksum", "is read with --partial-checksums",
     partial_udp_checksum, ["--partial-checksums"], 0, lambda run: len(run.answers(1, "A")) == 1),
    ("07_noii_reference", "an imbalance's shares are those at its reference price", noii_reference, [], 0, is_right_noii),
    ("09a_order_rerequests", "a thousand re-requests at once have ten answers",
     order_rerequests, [], 0, lambda run: len([d for d in run.to(1) if len(d.messages) > 1]) == 10),
    ("09b_account_queries", "are answered at their account's rate, many in a datagram",
     account_queries, [], 0, lambda run: len(run.answers(1, "Q")) == 257 and len([d for d in run.to(1) if d.messages]) <= 6),
    ("11_snapsmall", "whole records are read whatever the header's snaplen says",
     snap_small, [], 0, lambda run: len(run.answers(1, "E")) == 1 and len(run.answers(2, "E")) == 1),
    ("12_two_router_macs", "what comes through the other router is dropped, and the figures say why",
     two_router_macs, [], 0, lambda run: len(run.answers(1, "A")) == 5 and "receive.order_source_changed 5" in run.said and
     "a client behind two routers" in run.said),
    ("13_one_account_takes_max_orders", "an account rests its share, and another's order rests and executes",
     one_account_takes_max_orders, [], 0, lambda run: set(run.rejected(1).values()) == {0x000A} and not run.rejected(2) and
     len(run.answers(2, "E")) == 5),
    ("14_one_wrong_timestamp", "ends the replay with the frame's number",
     one_wrong_timestamp, [], 1, lambda run: "frame 5" in run.said and "--allow-time-fall" in run.said),
    ("14_one_wrong_timestamp", "is read on request, and the last line says what the leap has cost",
     one_wrong_timestamp, ["--allow-time-fall"], 1, lambda run: "8 of 10 order frames (80 %) were dropped" in run.said),
    ("15_no_snapshot", "a re-request of messages that are no longer kept is answered with the oldest kept one, and counted",
     no_snapshot, [], 0, lambda run: "publish.resends_too_early 1" in run.said and len(run.answers(1, "A")) == 1 and
     oldest_resent(run) > 100),
    ("16_replayed_login", "a late copy of an old login does not take the session back",
     replayed_login, [], 0, lambda run: len([d for d in run.to(1) if d.is_soup and d.payload[2:3] == b"A"]) == 1 and
     len(run.answers(2, "A")) == 1),
]


def two_link_types(path):
    """A pcapng whose second interface is of another kind of link, and has no frame."""
    def block(kind, body):
        length = 12 + len(body)
        return struct.pack("<II", kind, length) + body + struct.pack("<I", length)
    frame = Client(1).login("ALPHA", "secret1")
    stamp = (MIDNIGHT + OPEN) * 1_000_000
    packet = struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame)) + frame + b"\0" * (-len(frame) % 4)
    path.write_bytes(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0)) +
                     block(1, struct.pack("<HHI", 113, 0, 0)) + block(6, packet))


def check(tap, name, sentence, run, status, right):
    try:
        good = run.status == status and right(run)
    except (IndexError, struct.error) as fault:
        good, run.said = False, f"{fault!r}\n{run.said}"
    tap.check(f"{name}: {sentence}", good, f"exit status {run.status}, {len(run.sent)} datagrams\n{run.said}")


def main():
    tap = Tap()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="crosswire-faults-"))
    try:
        for name, sentence, make, arguments, status, right in INPUTS:
            frames, text = make()
            capture, configuration = folder / f"{name}.pcap", folder / f"{name}.toml"
            write_capture(capture, frames, snaplen=60 if name == "11_snapsmall" else 262144)
            write_config(configuration, text)
            check(tap, name, sentence, Replay(capture, configuration, *arguments), status, right)
        two = folder / "11_two.pcapng"
        two_link_types(two)
        write_config(folder / "two.toml", config())
        check(tap, "11_two", "a second interface of another kind of link is named", Replay(two, folder / "two.toml"), 1,
              lambda run: "an interface has a type 113" in run.said)
        if not HANDED.is_dir():
            tap.skip("the same inputs as they were handed in", f"no {HANDED}")
            return tap.end()
        for name, sentence, _, arguments, status, right in INPUTS:
            capture, configuration = folder / f"{name}.pcap", folder / f"{name}.toml"
            shutil.copy(HANDED / f"{name}.pcap", capture)
            write_config(configuration, (HANDED / f"{'11_capture' if name == '11_snapsmall' else name}.toml").read_text())
            check(tap, f"{name} as handed", sentence, Replay(capture, configuration, *arguments), status, right)
        shutil.copy(HANDED / "11_two.pcapng", two)
        write_config(folder / "two.toml", (HANDED / "11_capture.toml").read_text())
        check(tap, "11_two as handed", "a second interface of another kind of link is named", Replay(two, folder / "two.toml"), 1,
              lambda run: "an interface has a type 113" in run.said)
    finally:
        shutil.rmtree(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
