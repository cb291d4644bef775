#!/usr/bin/env python3
"""The recorded day over SoupBinTCP (`scripts/replay-day --transport tcp`): the same executions and depth as the exchange's,
on a link that loses nothing and on ones that do. $CROSSWIRE_LOSSES: percentages, "1" if left out; "0 1 5" takes minutes.

Skips, saying so, where ../shared/data/sse-600519 is not there or no network namespace is to be had. The program is named by
$CROSSWIRE. Output: TAP."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from tap import Tap

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAY = ROOT.parent / "shared" / "data" / "sse-600519"
WANTED = ("executions 18685/18685 identical in order", "depth 4865/4865 identical")


def main():
    if not (DAY / "day.toml").is_file():
        print("1..0 # SKIP the recorded day is not at ../shared/data/sse-600519")
        return 0
    if os.geteuid() != 0 or shutil.which("ip") is None:
        print("1..0 # SKIP needs root and iproute2, for network namespaces")
        return 0
    tap = Tap()
    for loss in os.environ.get("CROSSWIRE_LOSSES", "1").split():
        with tempfile.TemporaryDirectory(prefix="crosswire-soup-day-") as folder:
            ran = subprocess.run([ROOT / "scripts" / "replay-day", "--transport", "tcp", "--loss", loss, DAY, folder],
                                 capture_output=True, text=True, check=False, timeout=400)
        if "no network namespace" in ran.stderr:
            tap.skip("the day over TCP", ran.stderr.strip().splitlines()[-1])
            break
        lines = ran.stdout.splitlines()
        tap.check(f"with {loss} % lost each way a client over TCP makes the day's 18,685 executions and 4,865 snapshots",
                  ran.returncode == 0 and all(wanted in lines for wanted in WANTED), ran.stdout[-2000:] + ran.stderr[-2000:])
        print("".join(f"# {line}\n" for line in lines if "over TCP" in line), end="")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
