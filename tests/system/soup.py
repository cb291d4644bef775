#!/usr/bin/env python3
"""A day's trading over SoupBinTCP: `crosswire run` on one end of a veth pair, on the other clients that were written from the
wire specification alone, over the kernel's TCP. Connections break in every way, transports change, a late client asks for all
there was, and nothing is missed or comes twice. Over a link of its own, with live.py's set-up. Output: TAP."""

import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import time

import live
from live import APPLIANCE_IF, APPLIANCE_NS, CLIENT_ADDRESS, ORDER_PORT, OUR_ADDRESS, blocks, is_soup, on_the_link
from soup_client import Client, cancel, close_all, enter, go_on_for, packet, query, replace, turn, wait
from tap import two_accounts, write_config
from tcp_peer import Capture, keep_order

FIELDS = pathlib.Path(__file__).resolve().parents[3] / "shared" / "wire" / "nasdaq50.lua"
PRICE = 1000000
LONG = 20_000  # messages of a long history
USERS = ("cat", "dan", "eve", "fay", "gus")


def config(orders="", limits=""):
    more = "".join(f'[[account]]\nuser = "{user}"\npassword = "secret"\nfirm = "{user.upper()}"\n' for user in USERS)
    return two_accounts(f"net_af_packet0,iface={APPLIANCE_IF},framecnt=4096", f"""
[orders]
{orders}
[limits]
max_orders = 100000
max_levels = 10000
{limits}
""").replace("linger_s = 0", "linger_s = 2") + more


class Appliance:
    """`crosswire run` in its namespace, from the line "running" until it is told to end."""

    def __init__(self, program, folder, text):
        path = lambda name: os.path.join(folder, name)
        write_config(path("soup.toml"), text)
        with open(path("out"), "w") as out, open(path("log"), "w") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", APPLIANCE_NS, program, "run", "--config", path("soup.toml")], stdout=out, stderr=log,
                env={**os.environ, "RUNTIME_DIRECTORY": folder})
        self.folder = folder
        until = time.monotonic() + live.PATIENCE
        while "running" not in self.read("out") and self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        self.runs = self.process.poll() is None

    def read(self, name):
        with open(os.path.join(self.folder, name)) as file:
            return file.read()

    def said(self):
        return self.read("out") + self.read("log")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        close_all()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def end_of_day(self):
        self.process.send_signal(signal.SIGINT)


class Trader(Client):
    """A client with an account of the configuration, which counts its UserRefNums and knows what it was told of each."""

    def __init__(self, user, password="secret"):
        super().__init__(user, password, (OUR_ADDRESS, ORDER_PORT), CLIENT_ADDRESS)
        self.ref, self.told = 0, {}

    def take(self, kind, payload):
        super().take(kind, payload)
        if kind == b"S" and payload[:1] in b"ACEJ":
            number, = struct.unpack_from(">I", payload, 9)
            self.told[number] = self.told.get(number, "") + payload[:1].decode()
        if kind == b"S" and payload[:1] == b"U":
            original, number = struct.unpack_from(">II", payload, 9)
            self.told[number] = self.told.get(number, "") + "U"

    def enters(self, side, quantity, price=PRICE, **more):
        """Its UserRefNum."""
        self.ref += 1
        self.order(enter(self.ref, side, quantity, price, **more))
        return self.ref

    def buys(self, quantity, price=PRICE, **more):
        return self.enters(b"B", quantity, price, **more)

    def sells(self, quantity, price=PRICE, **more):
        return self.enters(b"S", quantity, price, **more)

    def hears(self, number, kinds):
        return wait(lambda: self.ended or self.told.get(number) == kinds) and self.told.get(number) == kinds

    def is_answered(self):
        """All that was sent before."""
        before = self.count("Q")
        self.order(query())
        return wait(lambda: self.ended or self.count("Q") > before) and self.count("Q") > before


def from_the_start(user, until):
    """What the exchange keeps of a session's messages, numbers 1 to `until`; for who is logged out."""
    other = Trader(user)
    good = other.login(1) and wait(lambda: other.next > until)
    return other.messages[:until] if good and other.logout() else other.kinds


def is_that_of(trader):
    """All that it was told over all its connections is what the exchange keeps, each message once."""
    return trader.is_whole() and from_the_start(trader.user, len(trader.messages)) == trader.messages


# ---- The day --------------------------------------------------------------------------------------------------------------


def begins(tap, ann, bob):
    tap.check("a client logs in with a blank session and number 1, and is told both",
              ann.login() and bob.login() and ann.accepted == 1 and ann.session and bob.session, (ann.kinds, bob.kinds))
    tap.check("what there was already comes first", wait(lambda: ann.count("S") == 1) and ann.messages[0][0] == 1, ann.messages)


def trades(tap, ann, bob):
    bought = ann.buys(300)
    tap.check("an order is accepted", ann.hears(bought, "A"), ann.answers())
    sold = bob.sells(100, PRICE - 10000)
    tap.check("both sides are told of an execution, under one number",
              ann.hears(bought, "AE") and bob.hears(sold, "AE")
              and [(e["quantity"], e["price"], e["match_number"]) for e in ann.answers("E")]
              == [(e["quantity"], e["price"], e["match_number"]) for e in bob.answers("E")] != [], ann.answers() + bob.answers())
    ann.order(cancel(bought, 150))
    tap.check("a cancel takes off what it says", ann.hears(bought, "AEC") and ann.answers("C")[0]["quantity"] == 150, ann.answers())
    ann.ref += 1
    ann.order(replace(bought, ann.ref, 200, PRICE + 100))
    tap.check("a replace is answered", ann.hears(ann.ref, "U"), ann.answers())
    ann.order(cancel(ann.ref))
    tap.check("and what is left can be taken back", ann.hears(ann.ref, "UC"), ann.answers())
    wrong = bob.sells(0)
    tap.check("what is wrong is rejected", bob.hears(wrong, "J"), bob.answers())
    tap.check("a query says which number is free", ann.is_answered() and ann.answers("Q")[-1]["next_user_ref_num"] == ann.ref + 1,
              ann.answers("Q"))


def cuts_as_it_likes(tap, ann, seed):
    first = ann.ref + 1
    messages = [enter(first + i, b"B", 100, 900000) for i in range(30)]
    ann.send(b"".join([packet(b"U", m) for m in messages[:20]] + [packet(b"R"), packet(b"+", b"hello")]
                      + [packet(b"U", m) for m in messages[20:]]))
    ann.ref += 30
    tap.check("thirty orders, a heartbeat and a word in one segment are thirty orders",
              ann.is_answered() and all(ann.told.get(n) == "A" for n in range(first, first + 30)), ann.kinds)
    ann.ref += 1
    for byte in packet(b"U", enter(ann.ref, b"B", 100, 900000)):
        ann.send(bytes([byte]))
    tap.check("an order that comes byte by byte is an order", ann.hears(ann.ref, "A"), ann.kinds)
    numbers = random.Random(seed)
    data = b"".join(packet(b"U", cancel(n)) for n in range(first, ann.ref + 1))
    while data:
        size = numbers.randrange(1, 60)
        ann.send(data[:size])
        data = data[size:]
    tap.check("cancels cut anywhere are cancels", wait(lambda: all(ann.told[n] == "AC" for n in range(first, ann.ref + 1))), ann.told)


def comes_back(tap, how, leave, ann, bob):
    """While it is away the other one sells to its order, or it has been cancelled: either is told behind the login."""
    number = ann.buys(100)
    ann.hears(number, "A")
    leave(ann)
    other = bob.sells(100)
    bob.is_answered()
    bob.order(cancel(other))
    bob.is_answered()
    before = ann.next
    tap.check(f"{how}: it logs in with its session and the next number", ann.login() and ann.accepted == before, ann.kinds)
    tap.check("and hears what became of its order",
              wait(lambda: ann.told[number] in ("AE", "AC")) and ann.is_answered() and ann.is_whole(), ann.told[number])


def trades_until_killed(user, report):
    Client.open_ones.clear()  # the parent's
    trader = Trader(user)
    trader.login()
    while True:
        number = trader.buys(100, 800000)
        trader.order(cancel(number))
        turn(0.0005)
        os.write(report, struct.pack(">II", trader.next, trader.ref))


def is_killed(tap):
    reports, report = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            trades_until_killed("cat", report)
        finally:
            os._exit(1)
    os.close(report)
    next_number = 0
    while next_number < 100 and (last := os.read(reports, 8)):
        next_number, ref = struct.unpack(">II", last)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while last := os.read(reports, 8):
        next_number, ref = struct.unpack(">II", last)
    os.close(reports)
    cat = Trader("cat")
    good = cat.login(next_number) and cat.accepted == next_number
    tap.check("who is killed in the middle of its trading logs in with the next number", good, (next_number, cat.accepted, cat.kinds))
    cat.ref = ref + 1000  # the last of them may be on their way still
    number = cat.buys(100, 800000)
    cat.hears(number, "A")
    known, seen = [n for n, _ in cat.messages], cat.next - 1
    cat.logout()
    whole = from_the_start("cat", seen)
    tap.check("and misses nothing, and gets nothing twice",
              known == list(range(next_number, seen + 1)) and whole[next_number - 1:] == cat.messages, known[:5])


def disconnects(tap, ann, bob):
    comes_back(tap, "a client that leaves with an RST", lambda one: one.reset(), ann, bob)
    comes_back(tap, "one that leaves with a FIN", lambda one: one.finish() and one.close(), ann, bob)
    comes_back(tap, "one that closes and waits for nothing", lambda one: one.close(), ann, bob)
    comes_back(tap, "one that logs out", lambda one: one.logout(), ann, bob)
    is_killed(tap)


def changes_transport(tap):
    """The session and its numbers are the same over both."""
    eve, udp = Trader("eve"), live.Client("eve", 40005)
    try:
        eve.login()
        eve.hears(eve.buys(100, 800000), "A")
        following = eve.next
        good = udp.login()
        answer = next((d for d in udp.inbox.datagrams if is_soup(d) and d[2:3] == b"A"), b"")
        tap.check("a login over UDP goes on in the same session, with the next number",
                  good and udp.session.decode().strip() == eve.session and int(answer[13:33] or 0) == following, answer)
        tap.check("the connection is told that it was taken over, and closed",
                  wait(lambda: eve.ended) and eve.notes == ["taken over"] and eve.ended == "fin" and eve.kinds[-1] == "+", (eve.notes, eve.ended))
        udp.messages(enter(2, b"B", 100, 800000))
        udp.inbox.wait(lambda got: "A" in udp.kinds(got))
        over_udp = [(number, m) for d in udp.inbox.datagrams for number, m in blocks(d)]
        tap.check("its answers are numbered on", over_udp and over_udp[0][0] == following, over_udp)
        eve.ref = 2
        tap.check("a login over TCP goes on behind what TCP has brought, and brings what UDP brought",
                  eve.login() and wait(lambda: eve.told.get(2) == "A") and eve.messages[following - 1:] == over_udp, eve.messages)
        udp.inbox.datagrams.clear()
        udp.send(packet(b"R"))
        told = lambda got: {d[2:] for d in got if is_soup(d)} >= {b"+taken over", b"JS"}
        tap.check("the UDP client is told so when it speaks", udp.inbox.wait(told), udp.inbox.datagrams)
        eve.hears(eve.buys(100, 800000), "A")
        eve.logout()
        tap.check("nothing was missed over both, and nothing came twice", is_that_of(eve), eve.messages)
    finally:
        udp.inbox.stop()


def is_taken_over(tap):
    old, new = Trader("fay"), Trader("fay")
    old.login()
    number = old.buys(100, 800000)
    old.hears(number, "A")
    tap.check("a second login of a user wins, and gets all from the number that it asks for",
              new.login(1) and new.hears(number, "A") and new.messages[:len(old.messages)] == old.messages, new.kinds)
    tap.check("the first one is told so, and closed",
              wait(lambda: old.ended) and old.notes == ["taken over"] and old.ended == "fin", (old.notes, old.ended))
    new.order(cancel(number))
    tap.check("an order outlives that", new.hears(number, "AC"), new.answers())
    new.logout()


def is_late(tap, bob):
    """Its receive buffer is small, so that it is the exchange that holds the history back."""
    dan = Trader("dan")
    dan.login()
    while len(dan.messages) < LONG:
        first, dan.ref = dan.ref + 1, dan.ref + 500
        dan.order(*[m for n in range(first, dan.ref + 1) for m in (enter(n, b"B", 100, 700000), cancel(n))])
        dan.hears(dan.ref, "AC")
    dan.logout()
    late = Trader("dan")
    late.connect(receive_bytes=8192)
    began = time.monotonic()
    late.login(1)
    late.ref = dan.ref
    own = late.buys(100, 700000)
    rounds, longest = 0, 0.0
    while late.next <= len(dan.messages) and time.monotonic() < began + live.PATIENCE:
        asked = time.monotonic()
        number = bob.buys(1, 500000)
        if not bob.hears(number, "A"):
            break
        bob.order(cancel(number))
        longest, rounds = max(longest, time.monotonic() - asked), rounds + 1
    took = time.monotonic() - began
    tap.check(f"a late client that asks for {LONG} messages from 1 on gets them all", late.messages[:len(dan.messages)] == dan.messages, late.next)
    tap.check("another's answers come meanwhile", rounds >= 10 and longest < 2, (rounds, longest, took))
    tap.check("what is new to the late one comes behind its history", late.hears(own, "A") and late.is_whole(), late.next)
    print(f"# {len(dan.messages)} messages in {took:.2f} s; {rounds} round trips of another meanwhile, the longest {1e3 * longest:.1f} ms")
    late.logout()


def looked_at(tap, path, least):
    """What tshark says of the appliance's packets. (The clients' end where they like.)"""
    fields = ["frame.number", "soupbintcp.packet_type", "_ws.malformed", "_ws.expert.severity", "tcp.checksum.status", "ip.checksum.status",
              "soupbintcp.message"]
    command = ["tshark", "-n", "-r", path, "-d", f"tcp.port=={ORDER_PORT},soupbintcp", "--disable-heuristic", "ouch_soupbintcp",
               "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
               "-o", "tcp.reassemble_out_of_order:TRUE",  # a packet in two segments is read whole where one was lost on its way, too
               "-Y", f"ip.src == {OUR_ADDRESS} && tcp.port == {ORDER_PORT}",
               *(["-X", f"lua_script:{FIELDS}"] if FIELDS.exists() else []), "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    frames = [dict(zip(fields, line.split("\t"))) for line in done.stdout.splitlines()]
    error = 0x00800000
    wrong = [f for f in frames if f["_ws.malformed"] or str(error) in f["_ws.expert.severity"].split(",")
             or "0" in (f["tcp.checksum.status"], f["ip.checksum.status"])]
    tap.check("tshark finds nothing malformed", not wrong, [done.stderr, *wrong[:10]])
    if FIELDS.exists():
        opaque = [f for f in frames if f["soupbintcp.message"]]
        tap.check("and knows every message", not opaque, opaque[:10])
    seen = sum(f["soupbintcp.packet_type"] != "" for f in frames)
    tap.check("in a capture with packets enough to say so", seen >= least, (seen, len(frames), done.stderr))


class Looking:
    """A capture of what happens within, where the tools for it are. It is looked at when nobody waits for heartbeats."""

    def __init__(self, folder, name):
        self.path = os.path.join(folder, name)
        self.there = shutil.which("dumpcap") and shutil.which("tshark")

    def __enter__(self):
        self.capture = Capture(self.path) if self.there else None

    def __exit__(self, *_):
        if self.capture:
            self.capture.end()

    def look(self, tap, least):
        if self.there:
            looked_at(tap, self.path, least)
        else:
            tap.skip("tshark finds nothing malformed", "no tshark or dumpcap here")


def closes_its_books(tap, ann, bob):
    for one in (ann, bob):
        one.order(*[cancel(number) for number in one.told])
        one.is_answered()
    open_ones = [(one.user, number, kinds) for one in (ann, bob) for number, kinds in one.told.items() if kinds[-1] == "A"]
    executions = lambda one: sorted((e["match_number"], e["quantity"], e["price"]) for e in one.answers("E"))
    tap.check("both know the same executions, and every order's end", executions(ann) == executions(bob) and not open_ones,
              (open_ones, executions(ann), executions(bob)))
    tap.check("each logs out: its connection is closed without a word",
              all(one.logout() and one.kinds[-1] in "SH" for one in (ann, bob)), (ann.kinds, bob.kinds))
    tap.check("neither has missed anything or got it twice", is_that_of(ann) and is_that_of(bob))


def whole_day(tap, program, folder, seed):
    looking = Looking(folder, "day.pcap")
    with Appliance(program, folder, config()) as appliance:
        tap.check("the appliance starts", appliance.runs, appliance.said())
        ann, bob = Trader("ann"), Trader("bob")
        with looking:
            begins(tap, ann, bob)
            trades(tap, ann, bob)
            cuts_as_it_likes(tap, ann, seed)
            disconnects(tap, ann, bob)
            is_taken_over(tap)
        changes_transport(tap)
        is_late(tap, bob)
        closes_its_books(tap, ann, bob)
        tap.check("the appliance still runs", appliance.process.poll() is None, appliance.said())
    looking.look(tap, 40)


# ---- Who says nothing, and the end ----------------------------------------------------------------------------------------


def is_silent(tap, began, idle, silent, half):
    """Two seconds of silence are the end of a connection here."""
    go_on_for(4.5)
    tap.check("who sends heartbeats stays, and gets one each second", idle.ended is None and 3 <= idle.kinds.count("H") <= 5, idle.kinds)
    tap.check("who sends nothing is told that it was silent, and closed",
              silent.ended == "fin" and silent.notes == ["silent"], (silent.ended, silent.notes, silent.kinds))
    tap.check("so is who sends bytes, but no packet, or its packet is taken", half.ended is None or half.notes == ["silent"], (half.ended, half.kinds))
    return began


def never_logs_in(tap, began, mute):
    wait(lambda: mute.ended, 8)
    took = time.monotonic() - began
    tap.check("who opens a connection and does not log in for 5 s is closed",
              mute.ended is not None and 4.5 < took < 8 and set(mute.kinds) <= {"+"}, (mute.ended, took, mute.kinds, mute.notes))


def is_not_kept(tap):
    """64 messages are kept here."""
    eve = Trader("eve")
    eve.login()
    for _ in range(100):
        eve.order(cancel(eve.buys(100, 800000)))
        eve.hears(eve.ref, "AC")  # or it would be taken for one that does not read
    eve.logout()
    other = Trader("eve")
    tap.check("a number that is not kept any more is refused", not other.login(1) and other.rejected == "S" and wait(lambda: other.ended == "fin"),
              (other.kinds, other.rejected, other.ended))
    kept = eve.next - 60
    tap.check("one that is kept is served", other.login(kept) and wait(lambda: other.next == eve.next)
              and other.messages == eve.messages[kept - 1:], (other.kinds, other.rejected))
    other.logout()


def ends(tap, appliance, idle):
    number = idle.buys(100, 800000)
    idle.hears(number, "A")
    silent = Trader("bob")
    silent.login()
    appliance.end_of_day()
    good = wait(lambda: idle.ended and silent.ended)
    tap.check("at the day's end each is told End of Session as the last packet, and closed",
              good and all(one.over and one.ended == "fin" and one.kinds[-1] == "Z" for one in (idle, silent)), (idle.kinds, silent.kinds))
    again = Trader("ann")
    tap.check("who logs in then gets what it has missed, and the end",
              again.login(idle.next - 2) and wait(lambda: again.ended) and again.over and again.messages[:2] == idle.messages[-2:], again.kinds)
    tap.check("behind the session's last messages", idle.is_whole() and idle.answers("S")[-1]["event"] == "E", idle.answers()[-3:])
    appliance.process.wait(live.PATIENCE)
    tap.check("and the appliance ends with 0", appliance.process.returncode == 0, appliance.said())


def last_hours(tap, program, folder):
    looking = Looking(folder, "last.pcap")
    with Appliance(program, folder, config("silence_s = 2\nmessages_kept = 64")) as appliance, looking:
        began = time.monotonic()
        mute, idle, silent, half = Trader("dan").connect(), Trader("ann"), Trader("bob"), Trader("cat")
        silent.beats = half.beats = False
        for one in (idle, silent, half):
            one.login()
        half.send(packet(b"R")[:2])
        is_silent(tap, began, idle, silent, half)
        half.close()
        never_logs_in(tap, began, mute)
        is_not_kept(tap)
        ends(tap, appliance, idle)
    looking.look(tap, 10)


def run_all(tap, program, folder):
    seed = int(os.environ.get("CROSSWIRE_SEED", random.randrange(2**32)))
    print(f"# seed {seed}")
    keep_order()
    whole_day(tap, program, folder, seed)
    last_hours(tap, program, folder)
    tap.check("nothing that the specification does not allow was said to a client", not Client.faults, "\n".join(Client.faults[:10]))


if __name__ == "__main__":
    sys.exit(on_the_link("soup", run_all))
