#!/usr/bin/env python3
"""Load over shared memory: `crosswire load` on one end of a vhost link, the appliance on the other (scripts/link).

Each check is a sentence. Any user, no hugepages, no NIC. Python's standard library only. The program is named by
$CROSSWIRE, scripts/link by $LINK. Output: TAP."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from tap import Tap, figure, two_accounts, write_config

CONFIG = two_accounts("net_vhost0,iface=x", """
[limits]
max_orders = 20000
max_levels = 2000
[orders]
messages_kept = 16384
[feed]
messages_kept = 65536
""", 'mac = "02:00:00:00:00:01"') + """
[[symbol]]
name = "BBB"
reference_price_e4 = 500000
tick_e4 = 50
"""
LOAD = ["--rate", "2000", "--seconds", "1", "--warm-up", "0.2", "--resting", "500", "--hugepages", "off"]
SHORT_LOAD = ["--rate", "2000", "--seconds", "0.2", "--warm-up", "0.1", "--resting", "100", "--hugepages", "off"]


class Link:
    """scripts/link with a folder of its own."""

    def __init__(self, folder):
        self.folder, self.dir = folder, os.path.join(folder, "link")
        self.config = os.path.join(folder, "c.toml")
        write_config(self.config, CONFIG)

    def __call__(self, what, *options, load=()):
        link = ["--dir", self.dir] if what == "stop" else ["--dir", self.dir, "--server-core", "any", "--client-core", "any"]
        command = [os.environ["LINK"], what, *link, *options, *(["--", *load] if load else [])]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)


def ends_with_nothing_lost(tap, link, program):
    record, report = os.path.join(link.folder, "in.pcap"), os.path.join(link.folder, "load.json")
    ran = link("run", "--config", link.config, "--record", record, load=[*LOAD, "--json", report])
    seen = ran.stdout + ran.stderr
    # A busy machine may hold the sender up; then it says so.
    good = ran.returncode == 0 or (ran.returncode == 1 and "the rate was not reached" in ran.stderr)
    tap.check("sends at the rate asked for, or says that it did not", good, seen)
    if not good:
        return
    with open(report) as file:
        load = json.load(file)
    tap.check("is answered for every order, and loses nothing",
              load["sent"] == load["answered"] > 1000 and load["lost"] == load["rejected"] == load["of_orders_gone"] == 0, load)
    tap.check("hears of every order on the feed",
              load["not_on_feed"] == 0 and load["feed"]["never"] == 0 and load["latency_ns"]["order_to_feed"]["count"] > 0, load)
    tap.check("knows what executes", load["executions"] == load["sent_by_kind"]["crossing"] > 100, load)
    tap.check("leaves the books empty", "live at the end 0" in ran.stdout, seen)
    replayed = subprocess.run([program, "replay", "--config", link.config, "--in", record, "--out", "/dev/null"],
                              capture_output=True, text=True, check=False)
    tap.check("can be replayed from the appliance's recording to the same state",
              figure(replayed.stdout, "state_hash") == figure(ran.stdout, "state_hash") is not None, seen + replayed.stdout + replayed.stderr)


def measures_the_floor_over_tcp(tap, link):
    report = os.path.join(link.folder, "tcp.json")
    ran = link("run", "--transport", "tcp", "--server", "echo", "--sessions", "100", load=[*SHORT_LOAD, "--json", report])
    tap.check("measures an echo over a hundred TCP connections", ran.returncode in (0, 1) and os.path.exists(report), ran.stdout + ran.stderr)
    if not os.path.exists(report):
        return
    with open(report) as file:
        load = json.load(file)
    tap.check("is answered by it for every order", load["sent"] == load["answered"] > 0 and load["lost"] == 0 and
              load["tcp"]["connections"] == 100 and load["tcp"]["lost"] == 0, load)


def trades_over_tcp(tap, link):
    report = os.path.join(link.folder, "tcp.json")
    ran = link("run", "--transport", "tcp", "--config", link.config, load=[*LOAD, "--json", report])
    seen = ran.stdout + ran.stderr
    good = ran.returncode == 0 or (ran.returncode == 1 and "the rate was not reached" in ran.stderr)
    tap.check("sends over TCP at the rate asked for, or says that it did not", good, seen)
    if not good:
        return
    with open(report) as file:
        load = json.load(file)
    tap.check("is answered over TCP for every order, and loses nothing",
              # Those whose order was gone are the whole run's, the others the measured part's.
              load["answered"] <= load["sent"] <= load["answered"] + load["of_orders_gone"] and load["answered"] > 1000
              and load["lost"] == load["rejected"] == load["tcp"]["lost"] == 0, load)
    tap.check("hears over TCP of every order on the feed, and knows what executes",
              load["not_on_feed"] == 0 and load["executions"] == load["sent_by_kind"]["crossing"] > 100, load)
    tap.check("leaves the books empty over TCP", "live at the end 0" in ran.stdout, seen)


def prints_the_floor_beside_it(tap, link, floor):
    ran = link("run", "--config", link.config, load=[*SHORT_LOAD, "--beside", floor])
    tap.check("prints the appliance beside the floor", "above the floor" in ran.stdout, ran.stdout + ran.stderr)


def explains_what_goes_wrong(tap, link):
    started = link("start", "--config", link.config)
    tap.check("starts a link that stays up", started.returncode == 0, started.stdout + started.stderr)
    command = started.stdout.split()
    with open(os.path.join(link.dir, "pid")) as file:
        pid = int(file.read())
    load = subprocess.Popen([*command, *LOAD[:2], "--seconds", "200", *LOAD[4:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in load.stderr:
        if re.search(r"sent \d+", line):
            break
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    text, errors = load.communicate(timeout=120)
    tap.check("gives up on a server that died, with what it has measured and status 1",
              load.returncode == 1 and text.startswith("PARTIAL") and "crosswire load: the server has sent nothing" in errors
              and time.monotonic() - began < 100, text + errors)
    link("stop")
    tap.check("leaves no folder behind", not os.path.exists(link.dir), os.listdir(link.folder))

    refused = subprocess.run([*command, *LOAD], capture_output=True, text=True, check=False)
    tap.check("says in one line that its configuration is gone", refused.returncode == 1 and refused.stderr.count("\n") == 1, refused.stderr)
    link("start", "--config", link.config)
    other = os.path.join(link.folder, "other.toml")
    write_config(other, CONFIG.replace('"secret"', '"wrong"'))
    command[command.index("--config") + 1] = other
    refused = subprocess.run([*command, *LOAD], capture_output=True, text=True, check=False)
    tap.check("says that a password is refused", refused.returncode == 1 and "login is refused" in refused.stderr, refused.stderr)
    link("stop")
    empty = os.path.join(link.folder, "empty.pcap")
    with open(empty, "wb") as file:
        file.write(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    for option in ("--capture", "--gaps"):
        refused = subprocess.run([*command, *LOAD[2:], option, empty], capture_output=True, text=True, check=False)
        tap.check(f"refuses an empty capture for {option}", refused.returncode == 1 and empty in refused.stderr, refused.stderr)


def exits(command, **environment):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=180, env={**os.environ, **environment})


def scripts_explain_themselves(tap, link, scripts):
    for script in ("link", "bench", "profile"):
        ran = exits([os.path.join(scripts, script), "--help"])
        tap.check(f"scripts/{script} --help says how", ran.returncode == 0 and "--" in ran.stdout, ran.stderr)
    for wrong, says in ((["--link", "wire"], "give vhost, af_packet, af_xdp or pci"), (["--server", "x"], "give run, echo or testpmd"),
                        (["--server", "testpmd", "--server-on", "virtio"], "only with --server-on vhost"),
                        (["--transport", "x"], "give udp or tcp"), (["--server", "testpmd", "--transport", "tcp"], "only with --transport udp"),
                        (["--link", "pci", "--server-pci", "3"], "--client-pci"), (["--window"], "unknown option")):
        ran = exits([os.environ["LINK"], "start", "--dir", link.dir, *wrong])
        tap.check(f"scripts/link refuses {' '.join(wrong)}", ran.returncode == 2 and says in ran.stderr and ran.stderr.count("\n") == 1, ran.stderr)
    ran = exits([os.environ["LINK"], "start", "--dir", link.dir], CROSSWIRE="/dev/null")
    tap.check("scripts/link says that there is no program", ran.returncode == 1 and "is no program" in ran.stderr, ran.stderr)
    ran = exits([os.environ["LINK"], "stop", "--dir", link.dir])
    tap.check("scripts/link says that there is no link to stop", ran.returncode == 1 and "no link in" in ran.stderr, ran.stderr)
    for script in ("bench", "profile"):
        ran = exits([os.path.join(scripts, script), "--build", "nowhere", "--out", os.path.join(link.folder, "out")])
        tap.check(f"scripts/{script} says what it has not found", ran.returncode == 1 and ran.stderr.count("\n") == 1, ran.stderr)


def benches(tap, link, scripts, program):
    """The whole of scripts/bench in short: whatever its figures, it writes what it promises. Returns the folder of the
    reports of its runs."""
    out = os.path.join(link.folder, "bench")
    build = os.path.dirname(os.path.dirname(program))
    ran = subprocess.run([os.path.join(scripts, "bench"), "--smoke", "--out", out, "--build", build], capture_output=True, text=True, check=False, timeout=600)
    tap.check("scripts/bench ends with a verdict", ran.returncode in (0, 1) and ("A good run." in ran.stdout or "Not a good run: " in ran.stdout),
              ran.stdout + ran.stderr)
    for name in ("report.md", "pictures/curve.svg", "pictures/latency.svg", "result.json"):
        tap.check(f"scripts/bench writes {name}", os.path.exists(os.path.join(out, name)), ran.stderr)
    with open(os.path.join(out, "report.md")) as file:
        report = file.read()
    rows = ("floor: echo, first", "floor: echo, last", "order to ack", "order to ack, feed off", "floor, frames echoed, first", "crosswire, orders answered",
            "crosswire, 256 outstanding, feed off")
    tap.check("scripts/bench has floor and appliance side by side", all(f"| {row} | " in report for row in rows), report)
    with open(os.path.join(out, "result.json")) as file:
        result = json.load(file)
    tap.check("scripts/bench keeps its figures", result["peak"] > 0 and result["floor"]["peak"] > 0 and len(result["commands"]) >= 10, result)
    return os.path.join(out, "raw")


def measures_floors(tap, raw):
    """From the bench's runs: a server's start takes longer than its measurement."""
    for server, name, sign in (("the floor", "floor-first-latency", "; the floor"), ("testpmd as a floor", "testpmd-latency", "TX-packets")):
        found = [file for file in os.listdir(raw) if file.endswith(f"-{name}.txt")]
        if server != "the floor" and shutil.which("dpdk-testpmd") is None:
            tap.check(f"measures {server} # SKIP dpdk-testpmd is not installed", True)
            continue
        with open(os.path.join(raw, found[0])) as file:
            text = file.read()
        tap.check(f"measures {server}", "; the floor" in text and "lost 0  rejected 0" in text and sign in text, text)


def main():
    program = os.environ.get("CROSSWIRE")
    if program is None or "LINK" not in os.environ:
        print("1..0 # SKIP CROSSWIRE and LINK do not name the program and scripts/link")
        return 0
    tap, folder = Tap(), tempfile.mkdtemp(prefix="crosswire-load-")
    link = Link(folder)
    try:
        scripts = os.path.dirname(os.environ["LINK"])
        ends_with_nothing_lost(tap, link, program)
        explains_what_goes_wrong(tap, link)
        scripts_explain_themselves(tap, link, scripts)
        trades_over_tcp(tap, link)
        measures_the_floor_over_tcp(tap, link)
        raw = benches(tap, link, scripts, program)
        measures_floors(tap, raw)
        prints_the_floor_beside_it(tap, link, os.path.join(raw, "02-floor-first-latency.json"))
    finally:
        if os.path.exists(link.dir):
            link("stop")
        shutil.rmtree(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
