#!/usr/bin/env python3
"""An appliance that passes the end of its day: `crosswire run` over a veth pair rolls over to the next day by itself,
begins halted where it came late, is killed and goes on with its next recording.

Each check is a sentence. Needs root for the network namespaces it makes (and removes again); says so and skips
otherwise. The program is named by $CROSSWIRE. Output: TAP."""
import datetime
import json
import os
import signal
import subprocess
import sys
import time

import live
from tap import figure, write_config

ROLLS_IN = 14  # seconds from the start: enough for what is done before


def config_that_ends_soon(seconds=ROLLS_IN, at_end="roll", linger_s=1):
    """Its days begin on the evening before, at a time of the clock that is some seconds ahead: there today's ends."""
    now = datetime.datetime.now(datetime.timezone.utc)
    midday = now.replace(hour=23, minute=0, second=0)  # where the wall's clock is now, by a zone of our own
    offset = round((midday - now).total_seconds() / 60)
    offset = offset - 24 * 60 if offset > 12 * 60 else offset
    wall = now + datetime.timedelta(minutes=offset)
    begins = wall + datetime.timedelta(seconds=seconds)
    zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    text = live.CONFIG.replace('at_end = "stop"\nlinger_s = 0', f'zone = "{zone}"\nat_end = "{at_end}"\nlinger_s = {linger_s}')
    dates = [(wall + datetime.timedelta(days=days)).date().isoformat() for days in (0, 1)]
    return text + f"""
[[phase]]
at = "-1d {begins:%H:%M:%S}"
state = "continuous"
[[phase]]
at = "{wall - datetime.timedelta(hours=1):%H:%M:%S}"
state = "continuous"
""", dates


class Run:
    def __init__(self, program, folder, config, *options, into=None):
        self.log = os.path.join(folder, "log.txt")
        self.out = open(os.path.join(folder, "out.txt"), "w+")
        self.environment = {**os.environ, "RUNTIME_DIRECTORY": folder}
        self.program = program
        command = ["ip", "netns", "exec", live.APPLIANCE_NS, program, "run", "--config", config, "--log-file", self.log,
                   "--record", os.path.join(into or folder, "day-%F-%N.pcap"),
                   "--report", os.path.join(into or folder, "r-%F-%N.json"),
                   *options]
        self.process = subprocess.Popen(command, stdout=self.out, stderr=subprocess.STDOUT, env=self.environment)
        self.waits_for("msg=running", "running")

    def logged(self):
        return open(self.log).read() if os.path.exists(self.log) else ""

    def waits_for(self, *words):
        until = time.monotonic() + live.PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            if any(word in self.logged() for word in words):
                return True
            time.sleep(0.02)
        return any(word in self.logged() for word in words)

    def ctl(self, *arguments):
        ran = subprocess.run([self.program, "ctl", *arguments], capture_output=True, text=True, env=self.environment,
                             timeout=live.PATIENCE, check=False)
        return ran.returncode, ran.stdout + ran.stderr

    def output(self):
        return open(self.out.name).read()


def replayed(program, folder, config, recording):
    ran = subprocess.run([program, "replay", "--config", config, "--in", os.path.join(folder, recording), "--out",
                          os.path.join(folder, "out.pcap")], capture_output=True, text=True, check=False)
    return figure(ran.stdout, "state_hash"), ran.stdout + ran.stderr


def reference_in(folder, recording, symbol=b"AAA     "):
    """Of a recording's frame of reference prices: 4 bytes behind the symbol."""
    with open(os.path.join(folder, recording), "rb") as file:
        data = file.read(8192)
    at = data.find(symbol, data.find(b"crosswire recording references"))
    return int.from_bytes(data[at + 8:at + 12], "big")


def check_day(tap, program, folder, run, config):
    text, dates = config_that_ends_soon(linger_s=12)  # for ctl, which on a busy machine takes seconds to start
    write_config(config, text)
    run = Run(program, folder, config)
    tap.check("says that it begins halted behind a phase", run.waits_for("all symbols are halted"), run.logged())
    ann, bob, feed = live.Client("ann", 40001), live.Client("bob", 40002), live.join_feed()
    tap.check("accepts logins", ann.login() and bob.login(), run.logged())
    ann.messages(live.enter(1, b"B", 100, 1010000))
    ann.wait_for("J")
    tap.check("trades nothing while halted", ann.kinds() in ("A", "J"), ann.kinds())
    status, said = run.ctl("resume", "--all")
    tap.check("an operator resumes all", status == 0, said)
    ann.messages(live.enter(2, b"B", 100, 1010000))
    bob.messages(live.enter(1, b"S", 100, 1000000))
    tap.check("trades then", bob.wait_for("AE"), f"{ann.kinds()} {bob.kinds()}")
    tap.check("says the day's end to its clients", ann.inbox.wait(live.ends(1)) and feed.wait(live.ends(1)), run.logged())
    status, said = run.ctl("halt", "--all")
    tap.check("takes no operator's command behind it", status == 1 and "the day is over" in said, said)
    tap.check("begins the next day by itself", run.waits_for("the next day begins"), run.logged())
    tap.check("does not halt at a roll-over", run.logged().count("all symbols are halted") == 1, run.logged())
    first_session = ann.session
    for inbox in (ann.inbox, bob.inbox):
        inbox.stop()
    ann, bob = live.Client("ann", 40001), live.Client("bob", 40002)
    tap.check("accepts logins on the next day", ann.login() and bob.login(), run.logged())
    tap.check("under the name of another session", ann.session != first_session, ann.session)
    tap.check("which knows nothing of the day before", ann.kinds() == "", ann.kinds())
    ann.messages(live.enter(1, b"B", 100, 1000000))
    bob.messages(live.enter(1, b"S", 100, 990000))
    tap.check("trades on the next day", ann.wait_for("AE") and bob.wait_for("AE"), f"{ann.kinds()} {bob.kinds()}")
    status, said = run.ctl("halt", "AAA")
    tap.check("takes operators' commands on the next day", status == 0, said)
    for inbox in (ann.inbox, bob.inbox, feed):
        inbox.stop()
    return run, dates


def check_lost_folder(tap, program, folder, config):
    """The folder of recordings and reports goes away before the next day begins."""
    into = os.path.join(folder, "gone")
    os.mkdir(into)
    write_config(config, config_that_ends_soon(5)[0])
    run = Run(program, folder, config, "--resume", into=into)
    try:
        os.rename(into, into + "-away")
        tap.check("begins the next day where its files cannot be made, and says so",
                  run.waits_for("the next day begins") and run.logged().count("the day goes on without") == 2, run.logged())
        tap.check("says that the last day's report is not written", "something of the day is not written" in run.logged(),
                  run.logged())
        ann = live.Client("ann", 40001)
        tap.check("trades without them", ann.login(), run.logged())
        ann.inbox.stop()
        run.process.send_signal(signal.SIGTERM)
        run.process.wait(live.PATIENCE)
        tap.check("and ends with 1", run.process.returncode == 1, run.logged())
    finally:
        if run.process.poll() is None:
            run.process.kill()


def run_all(tap, program, folder):
    config = os.path.join(folder, "c.toml")
    run = None
    try:
        run, dates = check_day(tap, program, folder, run, config)
        names = [f"day-{date}-1.pcap" for date in dates]
        os.kill(run.process.pid, signal.SIGKILL)
        run.process.wait()
        tap.check("has a recording of each day", all(os.path.exists(os.path.join(folder, name)) for name in names),
                  os.listdir(folder))
        report = json.load(open(os.path.join(folder, f"r-{dates[0]}-1.json")))
        state, said = replayed(program, folder, config, names[0])
        tap.check("the first day's recording replays to the state of its report", state == report["state_hash"], said)
        state, said = replayed(program, folder, config, names[1])
        tap.check("the killed day's recording replays, and says what it is", state is not None and "broken off" in said, said)
        tap.check("the next day's reference price is the last one's price", reference_in(folder, names[1]) == 1010000,
                  reference_in(folder, names[1]))
        log = run.logged()
        os.unlink(run.log)
        run = Run(program, folder, config, "--resume")
        tap.check("a restart goes on with the next recording", run.waits_for(f"day-{dates[1]}-2.pcap"), log + run.logged())
        tap.check("with the reference prices of its day, and says so",
                  reference_in(folder, f"day-{dates[1]}-2.pcap") == 1010000 and "of an earlier start" in run.logged(),
                  run.logged())
        tap.check("and does not begin halted where it is told to go on", "halted" not in run.logged(), run.logged())
        run.process.send_signal(signal.SIGTERM)
        run.process.wait(live.PATIENCE)
        tap.check("ends with 0", run.process.returncode == 0, run.output() + run.logged())
        os.unlink(run.log)
        write_config(config, config_that_ends_soon(4, "stop")[0])
        run = Run(program, folder, config)
        status = run.process.wait(live.PATIENCE)
        tap.check("ends with its day where it is to stop there, with 0 and figures",
                  status == 0 and figure(run.output(), "state_hash") and "next day" not in run.logged(), run.output())
        os.unlink(run.log)
        check_lost_folder(tap, program, folder, config)
    finally:
        if run is not None and run.process.poll() is None:
            run.process.kill()


if __name__ == "__main__":
    sys.exit(live.on_the_link("rollover", run_all))
