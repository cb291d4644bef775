#!/usr/bin/env python3
"""The appliance when its link falls, or its interface is made anew: each change is a line of the log, it goes on by itself
when the link is back, with its sessions and its book, and announces its address. Over a veth pair in network namespaces of its
own, with live.py's set-up. Output: TAP."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

from live import (APPLIANCE_IF, APPLIANCE_NS, CLIENT_IF, CLIENT_NS, CONFIG, OUR_ADDRESS, PATIENCE, Client, Listener, blocks, enter,
                  ip, make_link, on_the_link, wait_until_running)
from rollover import config_that_ends_soon
from tap import write_config

STALE_MAC = "02:00:00:00:00:99"
RING = 512  # frames that net_af_packet's rings hold by default
FLOOD = 20000


class Log:
    """The appliance's log; looks for lines that came since the last mark."""

    def __init__(self, path):
        self.path, self.marked = path, 0

    def lines(self):
        if not os.path.exists(self.path):
            return []
        with open(self.path) as log:
            return log.readlines()

    def mark(self):
        self.marked = len(self.lines())

    def wait_for(self, *words):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if any(all(word in line for word in words) for line in self.lines()[self.marked:]):
                return True
            time.sleep(0.02)
        return False


def wait_until(condition):
    until = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


def listen_for_arp():
    arp = 0x0806
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(arp))
    sock.bind((CLIENT_IF, arp))
    return Listener(sock)


def announcements(frames):
    """Those that are byte for byte what RFC 5227 says, of any sender."""
    return [f for f in frames if f[:6] == b"\xff" * 6 and f[12:] == (
        b"\x08\x06\0\1\x08\0\6\4\0\1" + f[6:12] + socket.inet_aton(OUR_ADDRESS) + bytes(6) + socket.inet_aton(OUR_ADDRESS)
        + bytes(18))]


def neighbours_mac():
    shown = subprocess.run(["ip", "-json", "-n", CLIENT_NS, "neigh", "show", OUR_ADDRESS], check=True, capture_output=True)
    return json.loads(shown.stdout or b"[]")[0].get("lladdr")


def forget_the_mac():
    ip("-n", CLIENT_NS, "neigh", "replace", OUR_ADDRESS, "lladdr", STALE_MAC, "dev", CLIENT_IF, "nud", "stale")


def answered(client, *messages):
    before = len(client.answers())
    client.messages(*messages)
    return wait_until(lambda: len(client.answers()) > before)


def numbers(client):
    return [number for datagram in client.inbox.datagrams for number, _ in blocks(datagram)]


def falls_and_rises(tap, said, ann):
    steps = (("its own interface goes down", APPLIANCE_NS, APPLIANCE_IF, "is down"),
             ("the other end goes down", CLIENT_NS, CLIENT_IF, "has no carrier"))
    for sentence, namespace, interface, words in steps:
        said.mark()
        ip("-n", namespace, "link", "set", interface, "down")
        tap.check(f"a line says that {sentence}", said.wait_for("the link is down", words), said.lines())
        ip("-n", namespace, "link", "set", interface, "up")
        tap.check("and another one that it is back, and for how long it was not",
                  said.wait_for("the link is up again", "seconds="), said.lines())
        forget_the_mac()
        tap.check("a neighbour with a stale MAC learns ours by the second announcement",
                  wait_until(lambda: neighbours_mac() != STALE_MAC), neighbours_mac())
    tap.check("orders are answered again, in the session of before", answered(ann, enter(1, b"B", 100, 1000000)), ann.kinds())


def is_made_anew(tap, said, ann):
    for sentence, while_it_is_gone in (("is deleted and made anew", "is gone"), ("is deleted and made anew at once", "is ")):
        said.mark()
        ip("-n", APPLIANCE_NS, "link", "del", APPLIANCE_IF)
        if while_it_is_gone == "is gone":
            tap.check("a line says that its interface is gone", said.wait_for("the link is down", "is gone"), said.lines())
        make_link()
        tap.check(f"its interface {sentence}, and a line says that the device is open again",
                  said.wait_for("the device is open again", "because=", APPLIANCE_IF), said.lines())
        tap.check("and another one that the link is up again", said.wait_for("the link is up again"), said.lines())
        frames = listen_for_arp()
        tap.check("which the appliance announces", frames.wait(announcements), frames.datagrams)
        frames.stop()
        before = numbers(ann)
        tap.check("orders are answered again in the same session, and the answers' numbers go on",
                  answered(ann, enter(ann.next, b"B", 100, 1000000)) and numbers(ann) == before + [before[-1] + 1],
                  numbers(ann))
    bob = Client("bob", 40002)
    bob.login()
    tap.check("the book is kept: an order against those of before trades", answered(bob, enter(1, b"S", 300, 1000000))
              and wait_until(lambda: bob.kinds().count("E") == 3), bob.kinds())
    bob.inbox.stop()


def goes_away_and_comes_back(tap, said, ann):
    elsewhere = f"crosswire-e{os.getpid()}"
    ip("netns", "add", elsewhere)
    try:
        said.mark()
        ip("-n", APPLIANCE_NS, "link", "set", APPLIANCE_IF, "netns", elsewhere)
        ip("-n", elsewhere, "link", "set", APPLIANCE_IF, "netns", APPLIANCE_NS)
        ip("-n", APPLIANCE_NS, "link", "set", APPLIANCE_IF, "up")
        tap.check("an interface that is moved away and back is taken for a new one",
                  said.wait_for("the device is open again") and said.wait_for("the link is up again"), said.lines())
        tap.check("and orders are answered", answered(ann, enter(ann.next, b"B", 100, 1000000)), ann.kinds())
    finally:
        ip("netns", "del", elsewhere)


def cannot_be_opened(tap, said, ann):
    """While another process of crosswire's polls the new interface: so says its socket."""
    index = "4242"
    held = ("import socket, sys; s = socket.socket(socket.AF_UNIX);"
            f"s.bind('\\0crosswire/interface/{index}/queue/0'); s.listen(); print(flush=True); sys.stdin.read()")
    with subprocess.Popen(["ip", "netns", "exec", APPLIANCE_NS, sys.executable, "-c", held],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        said.mark()
        ip("-n", APPLIANCE_NS, "link", "del", APPLIANCE_IF)
        make_link("index", index)
        tap.check("a device that cannot be opened is a line, with the reason",
                  said.wait_for("the device cannot be opened again", f"process {other.pid} polls"), said.lines())
        time.sleep(2.5)
        tap.check("which is said once", sum("cannot be opened" in line for line in said.lines()) == 1, said.lines())
        other.stdin.close()
    tap.check("it is opened when it can be", said.wait_for("the device is open again"), said.lines())
    tap.check("and orders are answered", answered(ann, enter(ann.next, b"B", 100, 1000000)), ann.kinds())


def comes_too_late(tap, command):
    """At a terminal a wrong name is told at once."""
    told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    tap.check("a start without its interface is refused in one line that says what to do",
              told.returncode == 1 and f"interface {APPLIANCE_IF} is not there; " in told.stderr
              and told.stderr.count("\n") == 1, told.stderr)


def wait_until_stopped(pid):
    """Each of its threads: SIGSTOP reaches one on another core some time after it was sent."""
    def stopped(task):
        with open(f"/proc/{pid}/task/{task}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "T"
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not all(stopped(task) for task in os.listdir(f"/proc/{pid}/task")):
        time.sleep(0.001)


def is_stopped_under_load(tap, said, appliance, ann):
    """What its ring had no room for, which no driver and no other counter of the process sees."""
    appliance.send_signal(signal.SIGSTOP)
    wait_until_stopped(appliance.pid)
    for _ in range(FLOOD):
        ann.send(b"no order")
    appliance.send_signal(signal.SIGCONT)
    number, before, until = ann.next, len(ann.answers()), time.monotonic() + PATIENCE
    while len(ann.answers()) == before and time.monotonic() < until:
        ann.next = number  # it may have found the ring still full
        ann.messages(enter(number, b"B", 100, 1000000))
        time.sleep(0.1)
    tap.check("orders are answered behind a flood that came while the process was stopped",
              len(ann.answers()) == before + 1, ann.kinds())


def ends_over_a_tap(tap, program, folder):
    """A device of which nobody knows what it lost."""
    config, log, report = (os.path.join(folder, name) for name in ("tap.toml", "tap.log", "tap.json"))
    write_config(config, CONFIG.replace(f"net_af_packet0,iface={APPLIANCE_IF}", "net_tap0,iface=xtap0"))
    said = Log(log)
    appliance = subprocess.Popen(
        ["ip", "netns", "exec", APPLIANCE_NS, program, "run", "--config", config, "--log-file", log, "--report", report],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "RUNTIME_DIRECTORY": folder})
    try:
        wait_until_running(appliance)
        ip("-n", APPLIANCE_NS, "link", "set", "xtap0", "down")
        tap.check("a line says that a tap goes down", said.wait_for("the link is down", "no carrier"), said.lines())
        ip("-n", APPLIANCE_NS, "link", "set", "xtap0", "up")
        tap.check("and another one that it is back", said.wait_for("the link is up again"), said.lines())
        top = subprocess.run([program, "top", "--once", "--socket", os.path.join(folder, "dpdk/crosswire/dpdk_telemetry.v2")],
                             capture_output=True, text=True, check=False, timeout=PATIENCE)
        tap.check("top says of a tap that nobody knows what it lost",
                  any(line.split()[-3:] == ["port/rx_missed", "not", "known"] for line in top.stdout.splitlines()),
                  top.stdout + top.stderr)
        appliance.send_signal(signal.SIGINT)
        out, _ = appliance.communicate(timeout=PATIENCE)
        tap.check("so do the figures at the end", "dropped      port.rx_missed not known" in out, out)
        with open(report) as file:
            drops = json.load(file)["drops"]
        tap.check("and so does the report", drops["port.rx_missed"] is None and drops["port.rx_errors"] == 0, drops)
    finally:
        if appliance.poll() is None:
            appliance.kill()
            appliance.wait()


def rolls_over_without_its_interface(tap, program, folder):
    config, log = os.path.join(folder, "roll.toml"), os.path.join(folder, "roll.log")
    write_config(config, config_that_ends_soon(6)[0])
    said = Log(log)
    appliance = subprocess.Popen(
        ["ip", "netns", "exec", APPLIANCE_NS, program, "run", "--config", config, "--log-file", log],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "RUNTIME_DIRECTORY": folder})
    try:
        wait_until_running(appliance)
        ip("-n", APPLIANCE_NS, "link", "del", APPLIANCE_IF)
        tap.check("a day ends, and the next one begins, while the interface is gone",
                  said.wait_for("the link is down", "is gone") and said.wait_for("the next day begins"), said.lines())
        make_link()
        tap.check("in which the device is opened when it can be", said.wait_for("the device is open again"), said.lines())
        ann = Client("ann", 40003)
        tap.check("and logins are taken, and orders answered",
                  ann.login() and answered(ann, enter(1, b"B", 100, 1000000)), said.lines())
        ann.inbox.stop()
        appliance.send_signal(signal.SIGINT)
        appliance.communicate(timeout=PATIENCE)
        tap.check("until it is stopped", appliance.returncode == 0, said.lines())
    finally:
        if appliance.poll() is None:
            appliance.kill()
            appliance.wait()


def lost(out):
    found = re.search(r"port\.rx_missed (\d+)", out)
    return int(found.group(1)) if found else 0


def run_all(tap, program, folder):
    config, log = os.path.join(folder, "c.toml"), os.path.join(folder, "log")
    write_config(config, CONFIG.replace("linger_s = 0", "linger_s = 1"))
    ends_over_a_tap(tap, program, folder)
    rolls_over_without_its_interface(tap, program, folder)
    said = Log(log)
    run = ["ip", "netns", "exec", APPLIANCE_NS, program, "run", "--config", config]
    ip("-n", APPLIANCE_NS, "link", "del", APPLIANCE_IF)
    comes_too_late(tap, run)
    said.mark()
    appliance = subprocess.Popen(
        [*run, "--log-file", log], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "RUNTIME_DIRECTORY": folder, "NOTIFY_SOCKET": os.path.join(folder, "supervisor")})
    try:
        tap.check("under a supervisor, as at boot, it waits for it, and says so",
                  said.wait_for("waiting for an interface", f"interface={APPLIANCE_IF}"), said.lines())
        make_link()
        frames = listen_for_arp()
        banner = wait_until_running(appliance)
        tap.check("it says how much its rings really hold", f"{RING} receive and {RING} transmit descriptors" in banner, banner)
        tap.check("its address is announced twice at the start",
                  frames.wait(lambda got: len(announcements(got)) == 2), frames.datagrams)
        frames.stop()
        ann = Client("ann", 40001)
        ann.login()
        falls_and_rises(tap, said, ann)
        is_stopped_under_load(tap, said, appliance, ann)
        is_made_anew(tap, said, ann)
        goes_away_and_comes_back(tap, said, ann)
        cannot_be_opened(tap, said, ann)
        said.mark()
        ip("-n", APPLIANCE_NS, "link", "del", APPLIANCE_IF)
        said.wait_for("the link is down", "is gone")
        asked = time.monotonic()
        appliance.send_signal(signal.SIGINT)
        out, _ = appliance.communicate(timeout=PATIENCE)
        took = time.monotonic() - asked
        tap.check("it ends on SIGINT even while its interface is gone", appliance.returncode == 0, appliance.returncode)
        tap.check("when it has lingered for its second and drained for two", took < 20, took)
        tap.check("what came while it was stopped is counted, on whatever interfaces it was since",
                  FLOOD - 2 * RING <= lost(out) <= FLOOD, out)
        tap.check("and has counted how often the device was opened anew", "device_reopened 4" in out, out)
    finally:
        if appliance.poll() is None:
            appliance.kill()
            appliance.wait()


if __name__ == "__main__":
    sys.exit(on_the_link("link", run_all))
