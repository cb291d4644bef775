#!/usr/bin/env python3
"""The appliance while somebody sets the host's clock back by an hour and forward again: a line and a figure say so, the
market goes on, and orders, feed, recording and log go on telling one time, which does not leap. Over a veth pair in network
namespaces of its own, with live.py's set-up; the host's clock is made up by a library in front of it, $CLOCK_LEAPS. Output:
TAP."""
import datetime
import os
import re
import signal
import struct
import subprocess
import sys
import time

import live
from figures import MONITORING, Telemetry, metric, metrics_of, scrape, top, until
from link import Log
from tap import figure, write_config

HOUR_NS = 3600 * 10**9
CLOSE_NS = 60 * 10**9  # between two looks at a clock, on a machine that is busy: far from an hour


def close(ns, other_ns):
    return abs(ns - other_ns) < CLOSE_NS


def midnight_ns():
    now = time.time_ns()
    return now - now % (24 * HOUR_NS)


def line_time_ns(line):
    moment = datetime.datetime.strptime(line.split()[0], "%Y-%m-%dT%H:%M:%S.%fZ")
    return int(moment.replace(tzinfo=datetime.timezone.utc).timestamp() * 1e9)


def times_of(capture):
    """Of the frames of a capture, ns since the epoch."""
    with open(capture, "rb") as file:
        data = file.read()
    at, times = 24, []
    while at < len(data):
        seconds, ns, length = struct.unpack("<III", data[at:at + 12])
        times.append(seconds * 10**9 + ns)
        at += 16 + length
    return times


class Market:
    """One client's orders, with the times that are told of them."""

    def __init__(self):
        self.ann, self.feed, self.told_ns = live.Client("ann", 40001), live.join_feed(), []

    def login(self):
        return self.ann.login()

    def order(self):
        """Enters one. The time of its acceptance, ns since midnight; 0: there is none, or the feed tells another."""
        answered = len(self.told_ns) + 1
        self.ann.messages(live.enter(answered, b"B", 100, 1000000))
        if not self.ann.wait_for("A" * answered):
            return 0
        accepted = [message for message in self.ann.answers() if message[:1] == b"A"]
        told_ns = int.from_bytes(accepted[-1][1:9], "big")
        self.told_ns.append(told_ns)
        adds = lambda got: [m for d in got for _, m in live.blocks(d) if m[:1] == b"A"]
        self.feed.wait(lambda got: len(adds(got)) == answered)
        published_ns = int.from_bytes(adds(self.feed.datagrams)[-1][5:11], "big")
        return told_ns if told_ns == published_ns else 0

    def stop(self):
        self.ann.inbox.stop()
        self.feed.stop()


def clock_metric(name):
    return metric(metrics_of(scrape()), f"crosswire_clock_{name}")


def leaps(tap, program, appliance, said, market):
    midnight = midnight_ns()
    before_ns = market.order()
    tap.check("orders and feed tell the host's time", close(midnight + before_ns, time.time_ns()), before_ns)
    tap.check("and so do its figures: no leap, somebody keeps the clock",
              clock_metric("unfollowed_seconds") == 0 and clock_metric("synchronised") == 1 and 0 < clock_metric("bound_seconds"),
              scrape())

    said.mark()
    appliance.send_signal(signal.SIGUSR1)
    leapt = "error the host's clock has leapt, and is not followed"
    said.wait_for(leapt)
    line = next((line for line in said.lines() if leapt in line), "")
    seconds = re.search(r" seconds=(\S+) ", line)
    tap.check("an hour back is a line of the log", seconds and round(float(seconds[1]), 2) == -3600, said.lines())
    tap.check("whose own time has not leapt", line and close(line_time_ns(line), time.time_ns()), line)
    tap.check("and a figure that an alert looks at", until(lambda: clock_metric("unfollowed_seconds"), lambda s: round(s) == -3600),
              scrape())
    clock = Telemetry().ask("/crosswire/clock")
    tap.check("which telemetry has, too", abs(clock["unfollowed_ms"] + 3_600_000) < 1000 and abs(clock["offset_ns"]) < 10**9, clock)
    page = top(program, "--once").stdout
    tap.check("and `crosswire top`", re.search(r"^clock +-3600\.0\d\d s NOT FOLLOWED, ", page, re.M), page)
    during_ns = market.order()
    tap.check("orders are answered, and their times go on",
              before_ns < during_ns and close(midnight + during_ns, time.time_ns()), market.told_ns)

    said.mark()
    appliance.send_signal(signal.SIGUSR1)
    tap.check("the way back is a line", said.wait_for("warning the host's clock has leapt back, and is followed again"), said.lines())
    tap.check("and takes the figure back", until(lambda: clock_metric("unfollowed_seconds"), lambda s: s == 0) == 0, scrape())
    after_ns = market.order()
    tap.check("times go on", during_ns < after_ns and close(midnight + after_ns, time.time_ns()), market.told_ns)


def is_not_kept(tap, appliance, said):
    for told, kept in (("warning nobody keeps the host's clock", 0), ("warning the host's clock is kept again", 1)):
        said.mark()
        appliance.send_signal(signal.SIGUSR2)
        tap.check(f"it logs: {told}", said.wait_for(told), said.lines())
        tap.check("and its figure says so", until(lambda: clock_metric("synchronised"), lambda now: now == kept) == kept, scrape())


def run_all(tap, program, folder):
    os.environ["RUNTIME_DIRECTORY"] = folder  # where DPDK puts its sockets: others may run on this machine
    live.ip("-n", live.APPLIANCE_NS, "link", "set", "lo", "up")  # where the endpoint listens
    config, log, recording = (os.path.join(folder, name) for name in ("c.toml", "log", "in.pcap"))
    write_config(config, live.CONFIG + MONITORING)
    said, begun_ns = Log(log), time.time_ns()
    appliance = subprocess.Popen(
        ["ip", "netns", "exec", live.APPLIANCE_NS, "env", f"LD_PRELOAD={os.environ['CLOCK_LEAPS']}", program, "run",
         "--config", config, "--log-file", log, "--record", recording],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        live.wait_until_running(appliance)
        market = Market()
        tap.check("a client logs in", market.login())
        leaps(tap, program, appliance, said, market)
        is_not_kept(tap, appliance, said)
        appliance.send_signal(signal.SIGINT)
        figures, errors = appliance.communicate(timeout=live.PATIENCE)
        market.stop()
    finally:
        if appliance.poll() is None:
            appliance.kill()
            appliance.wait()
    tap.check("it leaves with 0", appliance.returncode == 0, figures + errors)
    times = times_of(recording)
    tap.check("the recording has the times of the orders, and none that leapt",
              times == sorted(times) and {midnight_ns() + told for told in market.told_ns} <= set(times)
              and close(times[0], begun_ns) and close(times[-1], time.time_ns()),
              f"{market.told_ns} {begun_ns} {times}")
    replay = subprocess.run([program, "replay", "--config", config, "--in", recording, "--out", os.path.join(folder, "out.pcap")],
                            capture_output=True, text=True, check=False)
    tap.check("and replays to the same state",
              figure(replay.stdout, "state_hash") == figure(figures, "state_hash") is not None, replay.stdout + replay.stderr)


if __name__ == "__main__":
    if not os.environ.get("CLOCK_LEAPS"):
        print("1..0 # SKIP a sanitizer takes no library in front of it")
        sys.exit(0)
    sys.exit(live.on_the_link("clock", run_all))
