#!/usr/bin/env python3
"""What tshark, which we did not write, makes of a replay's output: not one malformed packet, nothing unknown.

Skips, saying so, where tshark is not installed. ../shared/wire/nasdaq50.lua, where it is there, dissects every ITCH field.
The program is named by $CROSSWIRE. Output: TAP."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIELDS = ROOT.parent / "shared" / "wire" / "nasdaq50.lua"
checks = failed = 0


def check(sentence, good, seen=""):
    global checks, failed
    checks += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {checks} - {sentence}")
    if not good:
        print("\n".join("# " + line for line in str(seen).splitlines()[:20]))


def tshark(capture, *arguments):
    """Its output lines, and what it said on stderr beyond the warning about root."""
    done = subprocess.run(["tshark", "-n", "-r", capture, *arguments], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if line and "Running as user" not in line]
    return done.stdout.splitlines(), complaints + ([f"exit {done.returncode}"] if done.returncode else [])


def crosswire(*arguments):
    subprocess.run([os.environ["CROSSWIRE"], *arguments], check=True, capture_output=True, text=True)


def main():
    if shutil.which("tshark") is None:
        print("1..0 # SKIP tshark is not installed")
        return 0
    folder = tempfile.mkdtemp(prefix="crosswire-dissect-")
    try:
        path = lambda name: os.path.join(folder, name)
        crosswire("flow", "--synthetic", "--orders-count", "3000", "--symbols", "3", "--sessions", "3", "--seed", "7",
                  "--out", path("orders.pcap"), "--config-out", path("crosswire.toml"))
        crosswire("replay", "--config", path("crosswire.toml"), "--in", path("orders.pcap"), "--out", path("out.pcap"))

        ours = ("-X", f"lua_script:{ROOT}/scripts/crosswire.lua")
        for name in ("orders.pcap", "out.pcap"):
            lines, complaints = tshark(path(name), *ours, "-Y", "_ws.malformed || _ws.expert || _ws.lua.error")
            check(f"{name} has no malformed or unknown packet", not lines and not complaints, "\n".join(lines + complaints))
            lines, _ = tshark(path(name), *ours, "-Y", "udp && !crosswire")
            check(f"every datagram of {name} is dissected", not lines, "\n".join(lines))
        lines, _ = tshark(path("out.pcap"), *ours, "-Y", "crosswire.message", "-T", "fields", "-e", "crosswire.message")
        names = {name for line in lines for name in line.split(",")}
        want = {"System Event", "Accepted", "Replaced", "Canceled", "Executed", "Modified", "Stock Directory", "Trading Action",
                "Add Order", "Order Executed", "Order Executed With Price", "Order Cancel", "Order Delete", "Order Replace",
                "Cross Trade", "Net Order Imbalance"}
        check("the answers and the feed hold every kind of message that a trading day brings", want <= names, want - names)
        lines, _ = tshark(path("out.pcap"), "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
                          "-Y", "ip.checksum.status == 0 || udp.checksum.status == 0")
        check("every IPv4 and UDP checksum is right", not lines, "\n".join(lines))

        feed = ("-d", "udp.port==26477,moldudp64")
        lines, _ = tshark(path("out.pcap"), *feed, "-Y", "_ws.malformed || _ws.expert.severity >= 6291456")
        check("tshark's own MoldUDP64 dissector finds no fault in the feed", not lines, "\n".join(lines))
        if FIELDS.exists():
            fields = (*feed, "-X", f"lua_script:{FIELDS}", "-d", "moldudp64.payload,itch50")
            lines, _ = tshark(path("out.pcap"), *fields, "-Y", "_ws.malformed || _ws.expert.severity >= 6291456 || moldudp64.msgdata")
            check("every ITCH message of the feed dissects to its fields", not lines, "\n".join(lines))
        else:
            print(f"ok {checks + 1} - every ITCH message of the feed dissects to its fields # SKIP no ../shared/wire/nasdaq50.lua")
            print(f"1..{checks + 1}")
            return failed != 0
    finally:
        shutil.rmtree(folder)
    print(f"1..{checks}")
    return failed != 0


sys.exit(main())
