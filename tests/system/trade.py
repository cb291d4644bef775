#!/usr/bin/env python3
"""scripts/trade, the sample client, against a live appliance: orders, losses, the feed, and what it says when it cannot.
With live.py's set-up; $SAMPLES prints the messages as the codecs read them. Output: TAP."""

import importlib.machinery
import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

from live import APPLIANCE_NS, CLIENT_ADDRESS, CONFIG, OUR_ADDRESS, PATIENCE, on_the_link, wait_until_running
from tap import write_config

TRADE = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "trade"


class Client:
    """scripts/trade, its input, and each line that it prints."""

    def __init__(self, *arguments, password="secret"):
        self.lines, self.news = [], threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-B", TRADE, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, "CROSSWIRE_PASSWORD": password})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.rstrip())
                self.news.notify_all()

    def tell(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines))
        self.process.stdin.flush()

    def wait_for(self, *words, count=1):
        """Until so many lines have all the words."""
        said = lambda: sum(all(word in line for word in words) for line in self.lines) >= count
        with self.news:
            return self.news.wait_for(said, PATIENCE)

    def numbers(self):
        return [int(line.split(":")[0]) for line in self.lines if line[:1].isdigit()]

    def end(self):
        """Its exit status and what it said on stderr."""
        self.process.stdin.close()
        try:
            status = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = None
        self.reader.join()
        with self.process.stderr as errors, self.process.stdout:
            return status, errors.read()


def trader(user, *more, password="secret"):
    return Client("orders", "--server", OUR_ADDRESS, "--bind", CLIENT_ADDRESS, "--user", user, *more, password=password)


def follower(*more):
    return Client("feed", "--server", OUR_ADDRESS, "--interface", CLIENT_ADDRESS, *more)


def in_order(numbers):
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else False


def load_trade():
    loader = importlib.machinery.SourceFileLoader("trade", str(TRADE))
    sys.dont_write_bytecode = True
    trade = importlib.util.module_from_spec(importlib.util.spec_from_loader("trade", loader))
    loader.exec_module(trade)
    return trade


def goes_on_behind_what_is_not_kept(tap):
    trade = load_trade()
    name = b"O000000000"

    def packet(number, *messages):
        return trade.mold(name, number, *messages)

    stream = trade.Stream(1)
    list(stream.take(packet(6)))  # a heartbeat: 1 to 5 are missing
    stream.request()
    late = [number for number, _ in stream.take(packet(4, b"d", b"e"))]
    tap.check("a packet that comes late behind the first asking makes it give nothing up", late == [] and stream.next == 1, late)
    stream.asked_at -= 2
    stream.request()
    told = [number for number, _ in stream.take(packet(3, b"c", b"d", b"e"))]
    tap.check("asked again and answered from a later number, it goes on there", told == [3, 4, 5], told)


def reads_as_the_codecs(tap):
    trade = load_trade()
    tables = {"ouch_out": trade.ANSWERS, "itch": trade.FEED}
    printed = subprocess.run([os.environ["SAMPLES"]], check=True, capture_output=True, text=True).stdout
    faults, count, fields = [], 0, None
    for line in printed.splitlines() + ["end\tend\t"]:
        first, second, third, *_ = line.split("\t")
        if first and fields is not None:
            name, values = trade.decode(message, table)
            count += 1
            if (name, {k: str(v) for k, v in values.items()}) != (title, fields):
                faults.append(f"{title}: {fields} read as {name} {values}")
        if first:
            title, table = second, tables.get(first)
            message, fields = (bytes.fromhex(third), {}) if table else (b"", None)
        elif fields is not None and ".option." not in second:
            fields[second.rsplit(".", 1)[1].replace("reject_", "")] = third
    tap.check("it reads each message as the codecs do", count > 60 and not faults, "\n".join(faults) or count)


def trades(tap, feed):
    ann, bob = trader("ann"), trader("bob")
    tap.check("it logs in over UDP", ann.wait_for("# logged in") and bob.wait_for("# logged in"), ann.lines)
    ann.tell("buy 300 AAA 100.00")
    tap.check("enters an order", ann.wait_for("Accepted", "quantity=300", "symbol=AAA", "price=100.0000"), ann.lines)
    bob.tell("sell 100 AAA 99.00 ioc")
    tap.check("prints executions of both sides", ann.wait_for("Executed", "quantity=100", "liquidity=A")
              and bob.wait_for("Executed", "price=100.0000", "liquidity=R"), bob.lines)
    ann.tell("cancel 1 250", "cancel 1", "query")
    tap.check("cancels in part and whole", ann.wait_for("Canceled", "quantity=50 ") and ann.wait_for("Canceled", "quantity=150 "),
              ann.lines)
    tap.check("asks for the next number", ann.wait_for("Account Query Response", "next_user_ref_num=2"), ann.lines)
    ann.tell("buy 0 AAA 1.00", "sell AAA", "sing")
    tap.check("prints rejections", ann.wait_for("Rejected", "reason=0x0013"), ann.lines)
    tap.check("says what it does not understand", ann.wait_for("# sell AAA: ") and ann.wait_for("# sing: "), ann.lines)
    before = ann.numbers()
    ann.tell("resend 1")
    tap.check("asks for old answers again", ann.wait_for("Accepted", count=2) and ann.wait_for("1: System Event"), ann.lines)
    tap.check("numbers without a gap before", in_order(before), before)
    ann.tell("buy 10 AAA 90.00")
    tap.check("keeps its number when an old answer comes again", ann.wait_for("Accepted", "user_ref_num=3", "quantity=10"), ann.lines)
    ann.tell("cancel 3")
    tap.check("and goes on", ann.wait_for("Canceled", "user_ref_num=3"), ann.lines)
    time.sleep(3)
    ann.tell("query")
    tap.check("stays with heartbeats", ann.wait_for("Account Query Response", count=5), ann.lines)
    ann.tell("quit")
    status, errors = ann.end()
    tap.check("logs out", status == 0 and not errors and ann.lines[-1] == "# logged out", (status, errors, ann.lines[-2:]))
    tap.check("the feed shows it all", feed.wait_for("Add Order", "shares=300") and feed.wait_for("Order Executed", "shares=100")
              and feed.wait_for("Order Cancel", "shares=50") and feed.wait_for("Order Delete"), feed.lines)
    return bob


def trades_over_tcp(tap):
    ann, bob = trader("ann", "--transport", "tcp"), trader("bob")
    tap.check("it logs in over TCP", ann.wait_for("# logged in") and bob.wait_for("# logged in"), ann.lines)
    ann.tell("buy 300 AAA 101.00")
    tap.check("enters an order over it", ann.wait_for("Accepted", "quantity=300", "price=101.0000"), ann.lines)
    bob.tell("sell 100 AAA 101.00 ioc")
    tap.check("and is told of its execution", ann.wait_for("Executed", "quantity=100", "price=101.0000"), ann.lines)
    before = ann.numbers()
    tap.check("with numbers without a gap", in_order(before), before)
    ann.tell("resend 1")
    tap.check("logs in anew for old answers, from number 1 on", ann.wait_for("# logged in", count=2) and ann.wait_for("1: System Event"), ann.lines)
    ann.tell("query", "sing")
    ann.wait_for("# sing: ")
    ann.tell("buy 10 AAA 90.00")
    tap.check("and goes on with its orders", ann.wait_for("Accepted", "quantity=10 ") and in_order(ann.numbers()[len(before):]), ann.numbers())
    time.sleep(3)
    ann.tell("cancel " + next(line for line in reversed(ann.lines) if "quantity=10 " in line).split("user_ref_num=")[1].split()[0])
    tap.check("stays with heartbeats over TCP", ann.wait_for("Canceled", "quantity=10 "), ann.lines)
    other = trader("ann")
    other.wait_for("# logged in")
    ann.wait_for("# taken over")
    status, errors = ann.end()
    tap.check("a login over UDP goes on in its session, and it says that it was taken over",
              status == 1 and errors == "scripts/trade: the exchange has ended this session: taken over\n", (status, errors, ann.lines))
    back = trader("ann", "--transport", "tcp")
    back.wait_for("# logged in")
    back.tell("quit")
    status, errors = back.end()
    tap.check("and back: it logs out over TCP", status == 0 and not errors and back.lines[-1] == "# logged out", (status, errors, back.lines))
    status, errors = other.end()
    tap.check("the one that lost the session says so", status == 1 and "taken it over" in errors, (status, errors, other.lines))
    bob.tell("quit")
    bob.end()
    return trader("ann", "--transport", "tcp")


def loses(tap):
    ann, feed = trader("ann", "--drop", "3"), follower("--drop", "2", "--from-start")
    ann.wait_for("# logged in")
    ann.tell(*[f"buy 100 AAA {90 + n / 100:.2f}" for n in range(40)])
    tap.check("asks for answers that were lost, and tells each once",
              ann.wait_for("Accepted", count=40) and ann.wait_for("missing from") and in_order(ann.numbers()), ann.lines)
    tap.check("so does the feed's follower, from the first message on",
              feed.wait_for("Add Order", count=41) and feed.wait_for("missing from") and feed.numbers()[:1] == [1]
              and in_order(feed.numbers()), feed.lines[-50:])
    ann.tell("quit")
    tap.check("and leaves with 0", ann.end()[0] == 0)
    return feed


def fails(tap):
    status, errors = trader("ann", password="wrong").end()
    tap.check("a wrong password is a plain line", status == 1 and errors ==
              "scripts/trade: login of ann: unknown user or wrong password\n", (status, errors))
    status, errors = trader("ann", "--port", "9").end()
    tap.check("so is an exchange that does not answer", status == 1 and errors.startswith("scripts/trade: no answer from 10.99"),
              (status, errors))
    for transport, port, words in (("tcp", "26400", "unknown user or wrong password"), ("tcp", "9", "no connection to 10.99")):
        status, errors = trader("ann", "--transport", transport, "--port", port, password="wrong").end()
        tap.check(f"over TCP too: {words}", status == 1 and words in errors and errors.count("\n") == 1, (status, errors))
    status, errors = trader("ann", "--transport", "tcp", "--drop", "3").end()
    tap.check("there is nothing to lose over TCP, which it says", status == 1 and errors.startswith("scripts/trade: --drop is for datagrams"), errors)
    status, errors = follower("--group", "here").end()
    tap.check("and a group that is none", status == 1 and errors == "scripts/trade: --group here is no IPv4 address\n", errors)


def run_all(tap, program, folder):
    goes_on_behind_what_is_not_kept(tap)
    reads_as_the_codecs(tap)
    config = os.path.join(folder, "c.toml")
    write_config(config, CONFIG.replace("linger_s = 0", "linger_s = 2").replace("silence_s = 600", "silence_s = 2"))
    appliance = subprocess.Popen(["ip", "netns", "exec", APPLIANCE_NS, program, "run", "--config", config],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    clients = []
    try:
        wait_until_running(appliance)
        feed = follower()
        feed.wait_for("# following")
        bob = trades(tap, feed)
        clients = [feed, bob, loses(tap)]
        fails(tap)
        clients.remove(bob)
        bob.tell("quit")  # or another of his takes the session over
        bob.end()
        clients.append(trades_over_tcp(tap))
        clients[-1].wait_for("# logged in")
        appliance.send_signal(signal.SIGINT)
        for client in clients:
            tap.check("it is told the end, and leaves with 0", client.wait_for("is over for today") and client.end()[0] == 0,
                      client.lines[-3:])
        appliance.communicate(timeout=PATIENCE)
    finally:
        for client in clients:
            if client.process.poll() is None:
                client.process.kill()
        if appliance.poll() is None:
            appliance.kill()
            appliance.wait()


if __name__ == "__main__":
    sys.exit(on_the_link("trade", run_all))
