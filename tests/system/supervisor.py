#!/usr/bin/env python3
"""What `crosswire run` tells a supervisor over a notification socket, and whether systemd takes our unit. Any user.

The program is named by $CROSSWIRE, the unit's folder by $UNITS. Output: TAP."""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from tap import Tap, two_accounts, write_config

CONFIG = two_accounts("net_ring0", "[limits]\nmax_orders = 1000\nmax_levels = 1000")


def check_notifications(tap, folder):
    config, path = os.path.join(folder, "c.toml"), os.path.join(folder, "notify")
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
            tap.check("the first thing said is that it is ready", said[0] == "READY=1" and said[1].startswith("STATUS="), said)
            tap.check("then again and again that it is alive", said[2:5] == ["WATCHDOG=1"] * 3, said)
            run.send_signal(signal.SIGTERM)
            while "STOPPING=1" not in said:
                said += listener.recv(4096).decode().splitlines()
            tap.check("and at SIGTERM, once, that it stops", said.count("STOPPING=1") == 1, said)
        except TimeoutError:
            tap.check("the supervisor hears of the appliance", False, said)
        finally:
            if run.poll() is None:
                run.terminate()
            out, _ = run.communicate(timeout=60)
        tap.check("the end is a success", run.returncode == 0, out)
    # The supervisor is gone, and its socket with it.
    run = subprocess.Popen([os.environ["CROSSWIRE"], "run", "--config", config], env=environment, stdout=subprocess.PIPE, text=True)
    for line in run.stdout:
        if line.startswith("running until"):
            break
    run.terminate()
    run.communicate(timeout=60)
    tap.check("a socket that is gone changes nothing", run.returncode == 0, run.returncode)


def check_clock(tap, folder):
    """A clock that is set back while the control thread sleeps must not make it sleep on: systemd would end us for it."""
    sentence = "it is alive also where the host's clock is set back"
    if not os.environ.get("CLOCK_AHEAD"):
        return tap.skip(sentence, "a sanitizer takes no library in front of it")
    config, path = os.path.join(folder, "c.toml"), os.path.join(folder, "clock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(60)
        environment = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000", "LD_PRELOAD": os.environ["CLOCK_AHEAD"]}
        run = subprocess.Popen([os.environ["CROSSWIRE"], "run", "--config", config], env=environment, stdout=subprocess.DEVNULL)
        said = []
        try:
            while said.count("WATCHDOG=1") < 4:
                said += listener.recv(4096).decode().splitlines()
        except TimeoutError:
            pass
        finally:
            run.terminate()
            run.wait(timeout=60)
        tap.check(sentence, said.count("WATCHDOG=1") >= 4 and run.returncode == 0, said)


class StandingThread:
    """The busiest thread of a process does not run while this lasts; its others do."""

    SEIZE, INTERRUPT, DETACH, EVERY_KIND = 0x4206, 0x4207, 17, 0x40000000

    def __init__(self, pid):
        def used(task):
            with open(f"/proc/{pid}/task/{task}/stat") as file:
                return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))

        for _ in range(600):
            self.task = int(max(os.listdir(f"/proc/{pid}/task"), key=used))
            if used(self.task) >= 20:  # of a hundredth of a second: no other thread of ours has so much to do
                break
            time.sleep(0.1)
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]

    def ask(self, request):
        if self.libc.ptrace(request, self.task, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        self.ask(self.SEIZE)
        self.ask(self.INTERRUPT)
        os.waitpid(self.task, self.EVERY_KIND)

    def __exit__(self, *_):
        self.ask(self.DETACH)


def check_broken_stderr(tap, folder):
    """A line that nobody can take, as on a full disk or a terminal that is gone, must not cost the books."""
    sentence = "a stage that stands still while stderr takes nothing ends nothing"
    config, report = os.path.join(folder, "c.toml"), os.path.join(folder, "report.json")
    with open("/dev/full", "w") as full:
        run = subprocess.Popen([os.environ["CROSSWIRE"], "run", "--config", config, "--report", report], stdout=subprocess.PIPE, stderr=full,
                               text=True)
    try:
        for line in run.stdout:
            if line.startswith("running until"):
                break
        try:
            with StandingThread(run.pid):
                time.sleep(1.5)
        except OSError as error:
            return tap.skip(sentence, f"no thread may be stopped here: {error}")
        time.sleep(0.3)
        alive = run.poll() is None
    finally:
        run.terminate()
        out, _ = run.communicate(timeout=60)
    tap.check(sentence, alive and run.returncode == 0 and os.path.getsize(report) > 100, f"{alive} {run.returncode}\n{out}")


def unread_pipe():
    """Both ends of a pipe of one page, which nobody reads."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    return read, write


def check_stalled_log(tap, folder, what, arguments, **streams):
    """A log, or stdout, that nobody takes: the supervisor hears all the same that the exchange is alive, and it ends when it should."""
    config, path = os.path.join(folder, "c.toml"), os.path.join(folder, f"stalled-{len(os.listdir(folder))}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(60)
        environment = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}
        run = subprocess.Popen([os.environ["CROSSWIRE"], "run", "--config", config, *arguments], env=environment, **streams)
        said, ended = [], None
        try:
            while "READY=1" not in said:
                said += listener.recv(4096).decode().splitlines()
            # Each makes a line, where the one before is taken: more than the pipe holds.
            for _ in range(100):
                run.send_signal(signal.SIGHUP)
                time.sleep(0.005)
            time.sleep(0.5)
            listener.setblocking(False)
            try:
                while listener.recv(4096):
                    pass
            except BlockingIOError:
                pass
            listener.setblocking(True)
            listener.settimeout(60)
            said = []
            while said.count("WATCHDOG=1") < 3:
                said += listener.recv(4096).decode().splitlines()
            run.terminate()
            ended = run.wait(timeout=60)
        except (TimeoutError, subprocess.TimeoutExpired):
            pass
        finally:
            if run.poll() is None:
                run.kill()
                run.wait()
    tap.check(f"it is alive also where nobody takes {what}, and ends when it should", said.count("WATCHDOG=1") >= 3 and ended in (0, 1), f"{said} {ended}")
    return ended


def check_stalled_logs(tap, folder):
    read, write = unread_pipe()
    check_stalled_log(tap, folder, "its stderr", [], stdout=subprocess.DEVNULL, stderr=write)
    os.close(write)
    text = b""
    while part := os.read(read, 65536):
        text += part
    os.close(read)
    tap.check("and what the pipe has had room for are whole lines", text.count(b"SIGHUP: the configuration is read again") > 10, text[:300])
    fifo = os.path.join(folder, "log-fifo")
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDWR)  # so that it can be opened; nobody reads
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    check_stalled_log(tap, folder, "its log file", ["--log-file", fifo], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(reader)
    read, write = unread_pipe()
    os.write(write, b"x" * 4096)  # it is full already
    ended = check_stalled_log(tap, folder, "its stdout", [], stdout=write, stderr=subprocess.DEVNULL)
    tap.check("and figures that nobody could read end it with 1", ended == 1, ended)
    os.close(write)
    os.close(read)


def check_unit(tap, folder):
    """systemd-analyze wants the program where the unit says, so it gets a copy that names one that is there."""
    sentence = "systemd takes the unit"
    if shutil.which("systemd-analyze") is None:
        return tap.skip(sentence, "no systemd-analyze")
    with open(os.path.join(os.environ["UNITS"], "crosswire@.service")) as file:
        text = file.read()
    unit = os.path.join(folder, "crosswire@.service")
    with open(unit, "w") as file:
        file.write(text.replace("/usr/local/bin/crosswire", os.environ["CROSSWIRE"]))
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", os.path.join(folder, "crosswire@one.service")],
                         capture_output=True, text=True)
    if ran.returncode != 0 and "crosswire@" not in ran.stderr:
        return tap.skip(sentence, "systemd-analyze does not work here: " + ran.stderr.strip().splitlines()[-1] if ran.stderr else "?")
    tap.check(sentence, ran.returncode == 0 and "crosswire@" not in ran.stderr, ran.stderr)


def check_devices(tap):
    """systemd lets a service open a few harmless devices only, once any of these is there: no /dev/vfio then."""
    closing = ("DevicePolicy=", "DeviceAllow=", "PrivateDevices=", "ProtectClock=")
    with open(os.path.join(os.environ["UNITS"], "crosswire@.service")) as file:
        found = [line for line in file.read().splitlines() if line.startswith(closing)]
    tap.check("the unit leaves the devices of the network card open", not found, found)


def main():
    tap, folder = Tap(), tempfile.mkdtemp(prefix="crosswire-supervisor-")
    write_config(os.path.join(folder, "c.toml"), CONFIG)
    try:
        if os.environ.get("HAVE_SYSTEMD") == "1":
            check_notifications(tap, folder)
            check_clock(tap, folder)
            check_stalled_logs(tap, folder)
        else:
            tap.skip("what it tells a supervisor", "built without libsystemd")
        check_broken_stderr(tap, folder)
        check_unit(tap, folder)
        check_devices(tap)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
