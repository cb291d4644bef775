#!/usr/bin/env python3
"""What `crosswire run` tells a supervisor over a notification socket, and whether systemd takes our unit. Any user.

The program is named by $CROSSWIRE, the unit's folder by $UNITS. Output: TAP."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

CONFIG = """
[port]
device = "net_ring0"
address = "10.99.0.1"
[placement]
mode = "unpinned"
idle = "yield"
[limits]
max_orders = 1000
max_levels = 1000
[memory]
hugepages = "off"
[[symbol]]
name = "AAA"
reference_price_e4 = 1000000
tick_e4 = 100
[[account]]
user = "ann"
password = "secret"
"""
count = failed = 0


def check(sentence, good, seen=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {sentence}", flush=True)
    if not good:
        print("\n".join(f"# {line}" for line in str(seen).splitlines()), flush=True)


def skip(sentence, why):
    global count
    count += 1
    print(f"ok {count} - {sentence} # SKIP {why}", flush=True)


def check_notifications(folder):
    config, path = os.path.join(folder, "c.toml"), os.path.join(folder, "notify")
    with open(config, "w") as file:
        file.write(CONFIG)
    os.chmod(config, 0o600)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(60)
        environment = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}
        run = subprocess.Popen([os.environ["CROSSWIRE"], "run", "--config", config], env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        said = []
        try:
            while said.count("WATCHDOG=1") < 3:
                said += listener.recv(4096).decode().splitlines()
            check("the first thing said is that it is ready", said[0] == "READY=1" and said[1].startswith("STATUS="), said)
            check("then again and again that it is alive", said[2:5] == ["WATCHDOG=1"] * 3, said)
            run.send_signal(signal.SIGTERM)
            while "STOPPING=1" not in said:
                said += listener.recv(4096).decode().splitlines()
            check("and at SIGTERM, once, that it stops", said.count("STOPPING=1") == 1, said)
        except TimeoutError:
            check("the supervisor hears of the appliance", False, said)
        finally:
            if run.poll() is None:
                run.terminate()
            out, _ = run.communicate(timeout=60)
        check("the end is a success", run.returncode == 0, out)
    # The supervisor is gone, and its socket with it.
    run = subprocess.Popen([os.environ["CROSSWIRE"], "run", "--config", config], env=environment, stdout=subprocess.PIPE, text=True)
    for line in run.stdout:
        if line.startswith("running until"):
            break
    run.terminate()
    run.communicate(timeout=60)
    check("a socket that is gone changes nothing", run.returncode == 0, run.returncode)


def check_unit(folder):
    """systemd-analyze wants the program where the unit says, so it gets a copy that names one that is there."""
    sentence = "systemd takes the unit"
    if shutil.which("systemd-analyze") is None:
        return skip(sentence, "no systemd-analyze")
    with open(os.path.join(os.environ["UNITS"], "crosswire@.service")) as file:
        text = file.read()
    unit = os.path.join(folder, "crosswire@.service")
    with open(unit, "w") as file:
        file.write(text.replace("/usr/local/bin/crosswire", os.environ["CROSSWIRE"]))
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", os.path.join(folder, "crosswire@one.service")],
                         capture_output=True, text=True)
    if ran.returncode != 0 and "crosswire@" not in ran.stderr:
        return skip(sentence, "systemd-analyze does not work here: " + ran.stderr.strip().splitlines()[-1] if ran.stderr else "?")
    check(sentence, ran.returncode == 0 and "crosswire@" not in ran.stderr, ran.stderr)


folder = tempfile.mkdtemp(prefix="crosswire-supervisor-")
try:
    if os.environ.get("HAVE_SYSTEMD") == "1":
        check_notifications(folder)
    else:
        skip("what it tells a supervisor", "built without libsystemd")
    check_unit(folder)
finally:
    shutil.rmtree(folder, ignore_errors=True)
print(f"1..{count}")
sys.exit(1 if failed else 0)
