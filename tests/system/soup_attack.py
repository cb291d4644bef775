#!/usr/bin/env python3
"""SoupBinTCP under bad input and attack: lengths that lie, packets of unknown types, logins that are wrong in every byte, in
pieces, twice, in a loop; clients that never log in, never read, send a byte a second, come back a hundred times a second, or
evict each other. Each gets what the specification says, and two that trade meanwhile notice nothing. Over a link of its own,
with live.py's set-up. Output: TAP."""

import contextlib
import os
import random
import socket
import struct
import sys
import time

from live import on_the_link
from soup import PRICE, Appliance, Trader, config, is_that_of
from soup_client import Client, cancel, enter, go_on_for, login_packet, packet, wait
from tcp_peer import keep_order

FLOOD = 60_000  # messages that one who never reads is owed
COMES_BACK = 200
WRONG = 300
MOST_WAIT_S = 12  # for a place


class Working:
    """Two clients that trade with each other while others do what they like."""

    def __init__(self):
        self.ann, self.bob = Trader("ann"), Trader("bob")
        self.runs = self.ann.login() and self.bob.login()
        self.longest = 0.0

    def trade(self):
        """Whether an order of each executes against the other's."""
        began = time.monotonic()
        bought = self.ann.buys(100, PRICE)
        good = self.ann.hears(bought, "A")
        sold = self.bob.sells(100, PRICE)
        good = good and self.ann.hears(bought, "AE") and self.bob.hears(sold, "AE")
        self.longest = max(self.longest, time.monotonic() - began)
        return good


def hostile(user="eve"):
    """One with an account, logged in with its session's next number."""
    one = Trader(user)
    one.login(0)
    return learns_its_number(one)


def learns_its_number(one):
    if one.is_answered():
        one.ref = one.answers("Q")[-1]["next_user_ref_num"] - 1
    return one


def leave(one):
    if one.sock:
        one.logout()
    one.close()


def said(one):
    return f"packets {one.kinds!r} {one.notes} rejected {one.rejected} ended {one.ended}"


# ---- Packets --------------------------------------------------------------------------------------------------------------


def lengths_lie(tap, working, random_numbers):
    for when in ("before the login", "behind it"):
        one = hostile() if when != "before the login" else Trader("eve").connect()
        one.send(b"\0\0")
        tap.check(f"length 0 {when} is the end of the connection", wait(lambda: one.ended) and working.trade(), said(one))
        leave(one)
    one = hostile()
    one.send(struct.pack(">H", 65535) + b"U" + b"\0" * 1000)
    go_on_for(0.1)
    one.send(b"\0" * (65534 - 1000))
    number = one.buys(100, 800000)
    tap.check("length 65,535 is taken or the end of the connection", wait(lambda: one.ended or one.told.get(number) == "A")
              and working.trade(), said(one))
    leave(one)
    one = Trader("eve").connect()
    one.send(b"\xff\xffL" + random_numbers.randbytes(3000))
    tap.check("as a login it is the end of the connection", wait(lambda: one.ended, 7) and one.accepted is None and working.trade(), said(one))
    one = hostile()
    one.ref += 1  # one that is whole but for its options may be rejected, and so use its number up
    order = enter(one.ref, b"B", 100, 800000)
    one.order(order[:2], b"", order[:40], order[:46], b"X", b"U" + order[1:])
    number = one.buys(100, 800000)
    tap.check("orders that are cut short have no effect, and what follows is taken",
              one.hears(number, "A") and one.told.get(number - 1, "J") == "J" and working.trade(), (said(one), one.told))
    one.order(enter(one.ref + 1, b"B", 100, 800000) + b"more")
    one.ref += 1
    number = one.buys(100, 800000)
    tap.check("one that has bytes behind its end is not accepted, and what follows is",
              one.hears(number, "A") and "A" not in one.told.get(number - 1, "") and working.trade(), said(one))
    inner = packet(b"U", enter(one.ref + 1, b"B", 100, 800000))
    one.send(struct.pack(">H", 10) + b"U" + inner)  # it ends within the order, and some byte of it is the next length
    wait(lambda: one.ended, 0.3)
    tap.check("a length that ends within its message harms nobody else", working.trade() and one.count("A") == 2, said(one))
    one.reset() if one.sock else one.close()


def types_are_unknown(tap, working):
    one = hostile()
    for kind in [bytes([letter]) for letter in range(256) if bytes([letter]) not in (b"U", b"O", b"L")]:
        one.send(packet(kind, b"what is this?"))
    number = one.buys(100, 800000)
    tap.check("packets of unknown types are ignored, each of them", one.hears(number, "A") and working.trade(), said(one))
    leave(one)
    one = Trader("eve").connect()
    one.send(packet(b"+", b"good morning") + login_packet("eve", "secret", "", 0))
    wait(lambda: one.accepted or one.rejected or one.ended, 7)
    tap.check("a first packet that is no login is ignored or the end of the connection", (one.accepted or one.ended) and working.trade(), said(one))
    leave(one)
    one = Trader("eve").connect()
    one.order(enter(5000, b"B", 100, 800000))
    wait(lambda: one.ended, 0.5)
    tap.check("an order before the login has no effect", "S" not in one.kinds and "A" not in one.kinds and working.trade(), said(one))
    one.close()
    return [Trader("eve").connect() for _ in range(20)]


def logs_out(tap, working):
    one = hostile()
    first = one.ref + 1
    one.send(packet(b"O") + b"".join(packet(b"U", enter(first + i, b"B", 100, 800000)) for i in range(10)))
    tap.check("a logout closes the connection without a word", wait(lambda: one.ended == "fin") and one.kinds[-1] in "SHA", said(one))
    again = hostile()
    tap.check("and orders behind it have no effect", again.ref + 1 == first and working.trade(), (again.ref, first))
    leave(again)


# ---- Logins ---------------------------------------------------------------------------------------------------------------


def in_pieces(tap, working):
    one, login = Trader("eve").connect(), login_packet("eve", "secret", "", 0)
    one.send(login[:20])
    go_on_for(0.2)
    one.send(login[20:])
    wait(lambda: one.accepted)
    tap.check("a login in two segments is a login", one.accepted and working.trade(), said(one))
    learns_its_number(one).send(login)
    number = one.buys(100, 800000)
    good = wait(lambda: one.ended or one.rejected or one.told.get(number) == "A", 5)
    tap.check("a second login on one connection is ignored or its end", good and one.kinds.count("A") == 1 and working.trade(), said(one))
    print(f"# a second login on one connection: {said(one)}; its order: {one.told.get(number)}")
    leave(one)
    for letter, name in ((login_packet("EVE", "SECRET", "", 0), "in capitals"), (login_packet("eve\0\0\0", "secret\0\0\0\0", "", 0), "padded with NULs"),
                         (packet(b"L", b"eve   secret    " + b" " * 10 + b"0".ljust(20)), "with its number left-justified")):
        one = Trader("eve").connect()
        one.send(letter)
        wait(lambda: one.accepted or one.rejected or one.ended)
        tap.check(f"a login {name} is a login", one.accepted is not None, said(one))
        leave(one)


def verdict(payload, session, following):
    """What a login's 46 bytes deserve: the number that it is accepted with, or the letters of which one is its rejection."""
    strip = lambda text: text.strip(b" \0")
    user, password, wanted, number = (strip(payload[a:b]) for a, b in ((0, 6), (6, 16), (16, 26), (26, 46)))
    if user.lower() != b"gus" or password.lower() != b"secret":
        return "A"
    if wanted not in (b"", session):
        return "S"
    if not number.isdigit() or not number.isascii():
        return "AS"
    return int(number) if 0 < int(number) < following else following


def with_a_past():
    """Logged out, with nothing left of which its session could be told later."""
    gus = hostile("gus")
    gus.order(cancel(gus.buys(100, 800000)))
    gus.is_answered()
    leave(gus)
    return gus


def is_wrong_somewhere(tap, working, random_numbers):
    """Each byte of the 46 wrong once, as drawn, and once the other case or a NUL, which may pass."""
    gus = with_a_past()
    session, right = gus.session.encode(), login_packet("gus", "secret", "", 1)[3:]
    faults, passed = [], 0
    for at in range(46):
        for wrong in (random_numbers.choice([b for b in range(256) if b != right[at]]), right[at] ^ 0x20):
            payload = right[:at] + bytes([wrong]) + right[at + 1:]
            one = Trader("gus").connect()
            one.send(packet(b"L", payload))
            wait(lambda: one.accepted or one.rejected or one.ended)
            due = verdict(payload, session, gus.next)
            good = one.accepted == due if isinstance(due, int) else (one.rejected or "none") in due
            passed += one.accepted is not None
            if not good:
                faults.append(f"byte {at} {right[at]:#x} -> {wrong:#x}: due {due}, {said(one)} accepted {one.accepted}")
            if one.rejected and not (wait(lambda: one.ended) and one.ended == "fin"):
                faults.append(f"byte {at}: no FIN behind J: {said(one)}")
            leave(one)
    tap.check("a login with a byte wrong is rejected, but for case and padding", not faults, "\n".join(faults[:20]))
    tap.check("and nobody notices", working.trade(), passed)
    ones = [Trader("gus").connect() for _ in range(4)]
    for one, payload in zip(ones, (right[:45], right + b" ", b"", right[:16])):
        one.send(packet(b"L", payload))
    for one, size in zip(ones, (45, 47, 0, 16)):
        tap.check(f"a login of {size} bytes is none", wait(lambda: one.ended, 7) and one.accepted is None, said(one))


def numbers_are_odd(tap, working):
    one = with_a_past()
    last = one.next - 1
    for number, due in ((0, last + 1), (last + 1, last + 1), (last + 2, last + 1), (10**19, last + 1), (2**64 - 1, last + 1), (last, last)):
        other = Trader("gus")
        good = other.login(number) and other.accepted == due
        if due == last:
            good = good and wait(lambda: other.messages == one.messages[-1:])
        tap.check(f"number {'last' if number == last else number} of {last} is accepted with {due}", good, (said(other), other.accepted))
        leave(other)
    other = Trader("gus")
    tap.check("a session that is not known is refused", not other.login(1, "NOSUCH") and other.rejected == "S" and wait(lambda: other.ended == "fin"), said(other))
    other = Trader("gus")
    tap.check("its own is not, however padded", other.login(last, one.session), said(other))
    leave(other)
    tap.check("nobody notices", working.trade())


def guesses_passwords(tap, working):
    told, began, refused = [], time.monotonic(), 0
    for number in range(WRONG):
        one = Trader("fay", f"guess{number}")
        try:
            one.connect()
        except OSError:
            refused += 1
            go_on_for(0.01)
            continue
        one.send(login_packet("fay", one.password))
        wait(lambda: one.rejected or one.ended or one.accepted)
        told.append(one.accepted or one.rejected)
        one.close()
        if number % 50 == 0 and not working.trade():
            told.append("a trade failed")
    tap.check(f"{WRONG} wrong passwords in a loop are each refused", set(told) <= {"A", None} and told[0] == "A", told)
    print(f"# {told.count('A')} of {WRONG} wrong passwords were answered, {refused} connections refused, in {time.monotonic() - began:.1f} s")
    one = logged_in_at_last("fay")
    tap.check("the right one is taken behind them", one.accepted and working.trade(), said(one))
    leave(one)


# ---- Those who are a burden -------------------------------------------------------------------------------------------------


def logged_in_at_last(user):
    """Connections of before may hold their places for a while, and an account logs in so often and no more."""
    one, began = Trader(user), time.monotonic()
    while one.accepted is None and time.monotonic() < began + MOST_WAIT_S:
        try:
            one.login(0)
        except OSError:
            pass
        if one.accepted is None:
            one.close()
            go_on_for(0.1)
            one = Trader(user)
    print(f"# {user} is in after {time.monotonic() - began:.1f} s")
    return one


class Dribbler:
    """Sends a byte a second of what it has to say, while others wait."""

    def __init__(self, one, data):
        self.one, self.data, self.began, self.sent = one, data, time.monotonic(), 0
        self.ended_at = None

    def go_on(self):
        if self.one.ended and self.ended_at is None:
            self.ended_at = time.monotonic()
        while self.one.sock and self.sent < len(self.data) and time.monotonic() - self.began >= self.sent:
            self.one.send(self.data[self.sent:self.sent + 1])
            self.sent += 1

    def wait(self, condition, seconds):
        def goes_on():
            self.go_on()
            return condition()
        return wait(goes_on, seconds)


def kernel_knows_the_end(sock):
    """Whether the other side's FIN has come, though nobody reads."""
    close, close_wait = 7, 8
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in (close, close_wait)


def never_reads(tap, working):
    one = hostile("cat")
    before, first_ref = one.next, one.ref + 1
    one.logout()
    one.connect(receive_bytes=4096)
    one.login(before)
    one.reads, owed, began = False, 0, time.monotonic()
    while owed < FLOOD and one.ended is None and not kernel_knows_the_end(one.sock) and time.monotonic() < began + 15:
        first, one.ref, owed = one.ref + 1, one.ref + 250, owed + 500
        one.order(*[m for n in range(first, one.ref + 1) for m in (enter(n, b"B", 100, 700000), cancel(n))])
        wait(lambda: not one.unsent or one.ended, 2)
    traded = working.trade()
    cut = wait(lambda: one.ended or kernel_knows_the_end(one.sock), 20)
    print(f"# who never reads was {'cut' if cut else 'not cut'} after {owed} messages, {time.monotonic() - began:.1f} s: {said(one)}")
    one.reads = True
    wait(lambda: one.ended)
    tap.check("who never reads is cut", cut and traded, said(one))
    one.unsent.clear()
    tap.check("and recovers by number", one.login() and one.is_answered(), said(one))
    told = [one.told.get(number, "") for number in range(first_ref, max(one.told, default=0) + 1)]
    tap.check("all of it, once", [n for n, _ in one.messages if n >= before] == list(range(before, one.next))
              and len(told) > 1000 and set(told[:-1]) == {"AC"} and working.trade(), (before, one.next, len(told)))
    leave(one)


def comes_a_hundred_times(tap, working):
    began, accepted, longest = time.monotonic(), 0, working.longest
    working.longest, traded = 0.0, True
    for number in range(COMES_BACK):
        one = Trader("dan")
        with contextlib.suppress(OSError):
            one.connect()
            one.send(login_packet("dan", "secret", "", 0))
            if number % 2:
                wait(lambda: one.accepted or one.rejected or one.ended, 1)
            accepted += one.accepted is not None
            one.reset()
        if number % 20 == 0:
            traded = traded and working.trade()
        go_on_for(max(0.0, began + number * 0.01 - time.monotonic()))
    print(f"# {accepted} of {COMES_BACK // 2} logins that were waited for accepted in {time.monotonic() - began:.1f} s, others' longest trade {1e3 * working.longest:.1f} ms")
    tap.check("who comes back a hundred times a second disturbs nobody", traded and working.longest < 2, working.longest)
    one = logged_in_at_last("dan")
    tap.check("and is let in when it stays", one.accepted and working.trade(), said(one))
    leave(one)
    working.longest = max(longest, working.longest)


def evict_each_other(tap, working):
    """Two copies of one program."""
    copies = [Trader("dan"), Trader("dan")]
    takeovers, turn_of = 0, 0
    copies[0].login(0)
    while takeovers < 10:
        other = copies[1 - turn_of]
        if not other.login(0):
            break
        wait(lambda: copies[turn_of].ended)
        takeovers, turn_of = takeovers + 1, 1 - turn_of
    one, refused = copies[turn_of], time.monotonic()
    tap.check("of two copies that evict each other the fourth takeover in 10 s is refused",
              takeovers == 3 and other.rejected == "A" and wait(lambda: other.ended == "fin"), (takeovers, said(other)))
    learns_its_number(one)
    tap.check("and the one that is connected stays, and trades", one.ended is None and one.hears(one.buys(100, 800000), "A") and working.trade(), said(one))
    return one, other, refused


def evicts_again(tap, eviction):
    one, other, refused = eviction
    again = other.login(0)
    tap.check("within 10 s it is still refused", not again and other.rejected == "A" or time.monotonic() > refused + 10, said(other))
    go_on_for(max(0.0, refused + 10.2 - time.monotonic()))
    tap.check("and 10 s later it is not", other.login(0) and wait(lambda: one.notes == ["taken over"]), said(other))
    leave(other)


def run_all(tap, program, folder):
    seed = int(os.environ.get("CROSSWIRE_SEED", random.randrange(2**32)))
    print(f"# seed {seed}")
    random_numbers = random.Random(seed)
    keep_order()
    with Appliance(program, folder, config("messages_kept = 32768", "failed_logins_per_second = 10000")) as appliance:
        working = Working()
        tap.check("two trade", working.runs and working.trade(), appliance.said())
        slow_login = Dribbler(Trader("fay").connect(), login_packet("fay", "secret"))
        slow_order = Dribbler(hostile("fay"), packet(b"U", b"Q"))
        slow_order.one.beats = False
        lengths_lie(tap, working, random_numbers)
        slow_login.go_on()
        slow_order.go_on()
        rubbish = types_are_unknown(tap, working)
        logs_out(tap, working)
        in_pieces(tap, working)
        slow_login.wait(lambda: slow_login.ended_at, 8)
        took = (slow_login.ended_at or 0) - slow_login.began
        tap.check("who sends its login a byte a second is closed when its 5 s are over", 4.5 < took < 12 and slow_login.one.accepted is None, (took, said(slow_login.one)))
        before = slow_order.one.count("Q")
        good = slow_order.wait(lambda: slow_order.one.count("Q") > before, 8)
        tap.check("who sends a query a byte a second is answered", good and working.trade(), said(slow_order.one))
        leave(slow_order.one)
        is_wrong_somewhere(tap, working, random_numbers)
        numbers_are_odd(tap, working)
        eviction = evict_each_other(tap, working)
        guesses_passwords(tap, working)
        never_reads(tap, working)
        evicts_again(tap, eviction)
        comes_a_hundred_times(tap, working)
        tap.check("who opens a connection and never logs in is closed", wait(lambda: all(one.ended for one in rubbish), 6), [said(one) for one in rubbish])
        print(f"# the longest of the two's trades took {1e3 * working.longest:.1f} ms")
        working.ann.logout()
        working.bob.logout()
        tap.check("nothing was missed by the two, and nothing came twice", is_that_of(working.ann) and is_that_of(working.bob))
        tap.check("nothing that the specification does not allow was said to a client", not Client.faults, "\n".join(Client.faults[:10]))
        tap.check("the appliance still runs", appliance.process.poll() is None, appliance.said())


if __name__ == "__main__":
    sys.exit(on_the_link("soup-attack", run_all))
