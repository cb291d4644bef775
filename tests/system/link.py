#!/usr/bin/env python3
"""The appliance when its link falls: each change is a line of the log, and it goes on by itself when the link is back. Over a
veth pair in network namespaces of its own, with live.py's set-up. Output: TAP."""
import os
import signal
import subprocess
import sys
import time

from live import (APPLIANCE_IF, APPLIANCE_NS, CLIENT_IF, CLIENT_NS, CONFIG, PATIENCE, Client, enter, ip, on_the_link,
                  wait_until_running)
from tap import write_config


class Log:
    """The appliance's log; looks for lines that came since the last mark."""

    def __init__(self, path):
        self.path, self.marked = path, 0

    def lines(self):
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


def run_all(tap, program, folder):
    config, log = os.path.join(folder, "c.toml"), os.path.join(folder, "log")
    write_config(config, CONFIG)
    said = Log(log)
    appliance = subprocess.Popen(
        ["ip", "netns", "exec", APPLIANCE_NS, program, "run", "--config", config, "--log-file", log],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "RUNTIME_DIRECTORY": folder})
    try:
        wait_until_running(appliance)
        ann = Client("ann", 40001)
        ann.login()
        steps = (("its own interface goes down", APPLIANCE_NS, APPLIANCE_IF, "is down"),
                 ("the other end goes down", CLIENT_NS, CLIENT_IF, "has no carrier"))
        for sentence, namespace, interface, words in steps:
            said.mark()
            ip("-n", namespace, "link", "set", interface, "down")
            tap.check(f"a line says that {sentence}", said.wait_for("the link is down", words), said.lines())
            ip("-n", namespace, "link", "set", interface, "up")
            tap.check("and another one that it is back, and for how long it was not",
                      said.wait_for("the link is up again", "seconds="), said.lines())
        ip("-n", CLIENT_NS, "neigh", "flush", "all")
        before = len(ann.answers())
        ann.messages(enter(1, b"B", 100, 1000000))
        until = time.monotonic() + PATIENCE
        while len(ann.answers()) == before and time.monotonic() < until:
            time.sleep(0.02)
        tap.check("orders are answered again, in the session of before", len(ann.answers()) > before, ann.kinds())
        ip("-n", APPLIANCE_NS, "link", "del", APPLIANCE_IF)
        tap.check("a line says that its interface is gone", said.wait_for("the link is down", "is gone"), said.lines())
        appliance.send_signal(signal.SIGINT)
        appliance.communicate(timeout=PATIENCE)
        tap.check("it ends on SIGINT even then", appliance.returncode == 0, appliance.returncode)
    finally:
        if appliance.poll() is None:
            appliance.kill()
            appliance.wait()


if __name__ == "__main__":
    sys.exit(on_the_link("link", run_all))
