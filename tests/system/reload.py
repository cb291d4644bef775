#!/usr/bin/env python3
"""`crosswire ctl reload` and SIGHUP: a running appliance changes its configuration between two commands of its day, clients
trade under the new limits, and the recording replays to the same hash with the configuration that the day began with. Over a
veth pair in network namespaces of its own, with live.py's set-up. Output: TAP."""
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time

import live
from tap import write_config

LIMITED = live.CONFIG + "[account.risk]\norder_quantity = 100\nfunds_e4 = 1_000_000_000\n"


class Client(live.Client):
    """With another password than the usual one."""

    def __init__(self, user, port, password):
        super().__init__(user, port)
        self.password = password

    def login(self):
        packet = b"L" + self.user.encode().ljust(6) + self.password.encode().ljust(10) + b" " * 10 + b"1".rjust(20)
        self.send(struct.pack(">H", len(packet)) + packet)
        self.inbox.wait(lambda got: any(live.is_soup(d) and d[2:3] in (b"A", b"J") for d in got))
        first = next((d for d in self.inbox.datagrams if live.is_soup(d)), b"")
        self.session = first[3:13]
        return first[2:3] == b"A"


class Run:
    def __init__(self, program, folder, config):
        self.program, self.folder = program, folder
        self.environment = {**os.environ, "RUNTIME_DIRECTORY": folder}
        self.log = os.path.join(folder, "log.txt")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", live.APPLIANCE_NS, program, "run", "--config", config, "--log-file", self.log,
             "--record", os.path.join(folder, "day.pcap"), "--report", os.path.join(folder, "live.json")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment)
        self.waits_for("msg=running")

    def logged(self):
        return open(self.log).read() if os.path.exists(self.log) else ""

    def waits_for(self, words, count=1):
        until = time.monotonic() + live.PATIENCE
        while self.logged().count(words) < count and time.monotonic() < until and self.process.poll() is None:
            time.sleep(0.02)
        return self.logged().count(words) >= count

    def ctl(self, *arguments):
        ran = subprocess.run([self.program, "ctl", *arguments], capture_output=True, text=True, env=self.environment,
                             timeout=live.PATIENCE, check=False)
        return ran.returncode, ran.stdout + ran.stderr


def check_limits(tap, run, config, bob):
    bob.messages(live.enter(1, b"B", 200, 1000000))
    tap.check("an order beyond its limit is rejected", bob.wait_for("J"), bob.kinds())
    said = run.ctl("reload")
    tap.check("nothing changes where nothing is another", said[0] == 0 and "the same" in said[1], said)
    write_config(config, LIMITED.replace("order_quantity = 100", "order_quantity = 300"))
    said = run.ctl("reload", "--dry-run")
    tap.check("a dry run prints key, before and after",
              said[0] == 0 and re.search(r"account\[bob\]\.risk\.order_quantity +100 +300 +loosens", said[1])
              and "nothing is changed" in said[1], said)
    bob.messages(live.enter(2, b"B", 200, 1000000))
    tap.check("and changes nothing", bob.wait_for("JJ"), bob.kinds())
    said = run.ctl("reload", "--reason", "more for bob")
    tap.check("a reload changes it", said[0] == 0 and "done, 1 row changed" in said[1], said)
    bob.messages(live.enter(3, b"B", 200, 1000000))
    tap.check("and the next order is taken", bob.wait_for("JJA"), bob.kinds())
    said = run.ctl("limits", "bob", "--json")
    tap.check("the limit is shown as it is by now", said[0] == 0 and "300" in said[1], said)
    write_config(config, LIMITED.replace("order_quantity = 100", "order_quantity = 300").replace("funds_e4 = 1_000_000_000",
                                                                                           "funds_e4 = 100_000_000"))
    said = run.ctl("reload")
    bob.messages(live.enter(4, b"B", 1, 1000000), live.cancel(3), live.enter(5, b"B", 100, 1000000))
    tap.check("funds lowered below what is reserved leave only what reduces", said[0] == 0 and bob.wait_for("JJAJCA"),
              f"{said} {bob.kinds()}")


def check_refusals(tap, run, config, bob):
    text = open(config).read()
    for fault, words in (("max_orders = x", "c.toml:"), (text.replace("tick_e4 = 100", "tick_e4 = 0"), "symbol.tick_e4")):
        write_config(config, text + fault if "\n" not in fault else fault)
        said = run.ctl("reload")
        tap.check(f"a fault in the file is told with file and line, and nothing changes: {words}",
                  said[0] == 1 and words in said[1] and re.search(r"c\.toml:\d+: ", said[1]), said)
    write_config(config, text.replace("order_quantity = 300", "order_quantity = 400").replace("tick_e4 = 100", "tick_e4 = 200"))
    said = run.ctl("reload")
    tap.check("a key that may not change within a day is refused by name, and nothing changes",
              said[0] == 1 and "symbol[AAA].tick_e4 may not change within a day" in said[1], said)
    bob.messages(live.enter(6, b"B", 301, 10000))
    tap.check("so the old limit holds", bob.wait_for("JJAJCAJ"), bob.kinds())
    said = run.ctl("reload", "--only-what-may")
    tap.check("unless only what may is wanted", said[0] == 0 and "1 row changed" in said[1] and "not within a day" in said[1], said)
    write_config(config, text)
    said = run.ctl("reload")
    tap.check("what was left out is compared with what runs", said[0] == 0 and "tick_e4" not in said[1], said)


def check_accounts(tap, run, config, bob):
    text = open(config).read()
    head, tail = text.split('user = "bob"\npassword = "secret"')
    write_config(config, f'{head}user = "bob"\npassword = "changed"{tail}')
    said = run.ctl("reload")
    tap.check("a password changes, and is not printed", said[0] == 0 and "a secret has changed" in said[1]
              and '"changed"' not in said[1] + run.logged(), said)
    old, new = Client("bob", 40007, "secret"), Client("bob", 40008, "changed")
    tap.check("the old one is refused", not old.login())
    tap.check("the new one is taken", new.login())
    for client in (old, new):
        client.inbox.stop()
    write_config(config, f'{head}user = "bob"\nenabled = false\npassword = "changed"{tail}')
    said = run.ctl("reload")
    tap.check("an account is switched off", said[0] == 0 and "account[bob].enabled" in said[1], said)
    status, shown = run.ctl("account", "bob", "--json")
    tap.check("and its orders are cancelled", status == 0 and json.loads(shown).get("live_orders", 0) == 0, shown)
    write_config(config, f'{head}user = "bob"\npassword = "changed"{tail}')
    run.process.send_signal(signal.SIGHUP)
    tap.check("SIGHUP reloads, too", run.waits_for("operator=SIGHUP"), run.logged())
    before = run.logged().count("the configuration is re")
    run.process.send_signal(signal.SIGHUP)
    run.process.send_signal(signal.SIGHUP)
    tap.check("twice at once is harmless", run.waits_for("the configuration is read again, and is the same"), run.logged())
    return before


def run_all(tap, program, folder):
    config, first = os.path.join(folder, "c.toml"), os.path.join(folder, "first.toml")
    write_config(config, LIMITED)
    write_config(first, LIMITED)
    run = Run(program, folder, config)
    try:
        bob = live.Client("bob", 40002)
        tap.check("accepts a login", bob.login(), run.logged())
        check_limits(tap, run, config, bob)
        check_refusals(tap, run, config, bob)
        check_accounts(tap, run, config, bob)
        bob.inbox.stop()
        run.process.send_signal(signal.SIGTERM)
        tap.check("ends with 0", run.process.wait(live.PATIENCE) == 0, run.logged())
        ran = subprocess.run([program, "replay", "--config", first, "--in", os.path.join(folder, "day.pcap"), "--out",
                              os.path.join(folder, "out.pcap"), "--report", os.path.join(folder, "replayed.json")],
                             capture_output=True, text=True, check=False)
        lived, replayed = (json.load(open(os.path.join(folder, name))) if os.path.exists(os.path.join(folder, name)) else {}
                           for name in ("live.json", "replayed.json"))
        tap.check("the recording replays to the same hash, with the configuration that the day began with",
                  lived and lived["state_hash"] == replayed.get("state_hash")
                  and lived["counters"]["match"]["configured"] == replayed["counters"]["match"]["configured"] >= 6
                  and lived["counters"]["receive"] == replayed["counters"]["receive"], f"{ran.stderr} {lived} {replayed}")
        tap.check("no password is in it but those of logins",
                  open(os.path.join(folder, "day.pcap"), "rb").read().count(b"changed") == 1)
    finally:
        if run.process.poll() is None:
            run.process.kill()


if __name__ == "__main__":
    sys.exit(live.on_the_link("reload", run_all))
