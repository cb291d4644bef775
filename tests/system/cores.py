#!/usr/bin/env python3
"""The recorded day over one to four threads: the same bytes out and the state that is known of it.

Skips, saying so, where ../shared/data/sse-600519 is not there. The program is named by $CROSSWIRE. Output: TAP."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAY = ROOT.parent / "shared" / "data" / "sse-600519"
STATE = "c09f9e86260687ea"  # of scripts/replay-day on one thread
MOST = 4


def run(*arguments):
    return subprocess.run([os.environ["CROSSWIRE"], *map(str, arguments)], capture_output=True, text=True, timeout=300)


def main():
    if not (DAY / "day.toml").is_file():
        print("1..0 # SKIP the recorded day is not at ../shared/data/sse-600519")
        return 0
    failed = 0
    print(f"1..{MOST}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        flow = run("flow", "--orders", DAY / "orders.csv.gz", "--day", DAY / "day.toml", "--out", folder / "in.pcap",
                   "--config-out", folder / "c.toml")
        first = None
        for cores in range(1, MOST + 1):
            out = folder / f"{cores}.pcap"
            ran = run("replay", "--config", folder / "c.toml", "--in", folder / "in.pcap", "--out", out, "--cores", cores)
            found = re.search(r"^state_hash +(\w+)$", ran.stdout, re.M)
            sent = out.read_bytes() if out.exists() else b""
            first = sent if first is None else first
            good = ran.returncode == 0 and found and found.group(1) == STATE and len(sent) > 1_000_000 and sent == first
            failed += not good
            print(f"{'ok' if good else 'not ok'} {cores} - {cores} threads send the same bytes and reach the same state")
            if not good:
                print(f"# {len(sent)} bytes, first {len(first)}; {flow.stderr} {ran.stderr} {ran.stdout[-600:]!r}")
    return 1 if failed else 0


sys.exit(main())
