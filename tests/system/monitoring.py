#!/usr/bin/env python3
"""scripts/monitoring: Prometheus takes the rules and the scrape configuration, and each alert fires when it should and not
otherwise. Needs promtool (Debian's package prometheus) and says so otherwise. That the metrics are there is for figures.py.
The repository is named by $SOURCE_ROOT. Output: TAP."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ["SOURCE_ROOT"])
FOLDER = ROOT / "scripts/monitoring"


def promtool(*arguments):
    return subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)


def drops():
    """{"stage/reason": whether it is harmless}, as docs/monitoring.md has them from the tables of counters."""
    rows = re.findall(r"^\| (\w+/\w+) \| drop(, harmless)? \|", (ROOT / "docs/monitoring.md").read_text(), re.M)
    return {name: harmless != "" for name, harmless in rows}


def test_of_each_drop(folder):
    """One series for each drop, all of which rise: CrosswireDrops fires for just those that are not harmless."""
    mend = "docs/monitoring.md says where to look for each kind of reason."
    series, fired = [], []
    for name, harmless in drops().items():
        stage, reason = name.split("/")
        labels = {"partition": "day", "stage": stage, "reason": reason}
        series.append({"series": "crosswire_dropped_total{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}", "values": "0x10 1x20"})
        if not harmless:
            fired.append({"exp_labels": {**labels, "severity": "ticket"},
                          "exp_annotations": {"summary": f"day: {stage} dropped for {reason}", "mend": mend}})
    rule = {"eval_time": "2m", "alertname": "CrosswireDrops", "exp_alerts": fired}
    path = pathlib.Path(folder) / "drops_test.yml"  # JSON is YAML
    path.write_text(json.dumps({"rule_files": [str(FOLDER / "alerts.yml")], "evaluation_interval": "5s",
                                "tests": [{"interval": "5s", "input_series": series, "alert_rule_test": [rule]}]}))
    return path


def main():
    if shutil.which("promtool") is None:
        print("1..0 # SKIP promtool is not installed")
        return 0
    checks = []
    for sentence, arguments in (("Prometheus takes the rules", ("check", "rules", "alerts.yml")),
                                ("each alert fires when it should, and not otherwise", ("test", "rules", "alerts_test.yml")),
                                ("Prometheus takes the scrape configuration", ("check", "config", "prometheus.yml"))):
        ran = promtool(*arguments)
        checks.append((sentence, ran.returncode == 0, ran.stdout + ran.stderr))
    with tempfile.TemporaryDirectory() as folder:
        ran = promtool("test", "rules", str(test_of_each_drop(folder)))
    kinds = list(drops().values())
    checks.append(("a harmful drop fires and a harmless one does not, each of them",
                   ran.returncode == 0 and kinds.count(True) > 10 and kinds.count(False) > 10, ran.stdout + ran.stderr))
    alerts = set(re.findall(r"alert: (\w+)", (FOLDER / "alerts.yml").read_text()))
    fired = set(re.findall(r"alertname: (\w+)\n +exp_alerts:", (FOLDER / "alerts_test.yml").read_text()))
    quiet = set(re.findall(r"alertname: (\w+)\}", (FOLDER / "alerts_test.yml").read_text()))
    checks.append(("each alert is seen to fire in a test, and seen to be quiet", alerts == fired == quiet and len(alerts) >= 8,
                   f"{alerts} {fired} {quiet}"))
    checks.append(("the dashboard is JSON with panels", len(json.loads((FOLDER / "dashboard.json").read_text())["panels"]) >= 4, ""))
    print(f"1..{len(checks)}")
    for number, (sentence, good, seen) in enumerate(checks, 1):
        print("ok" if good else "not ok", number, "-", sentence)
        if not good:
            print("\n".join(f"# {line}" for line in seen.splitlines()))
    return 0 if all(good for _, good, _ in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
