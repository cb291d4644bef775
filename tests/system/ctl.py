#!/usr/bin/env python3
"""`crosswire ctl` against a running appliance: what it does, what it refuses, and that a recording of it replays to the
same hash. Over net_ring, so without root, a link or hugepages. Python's standard library; the program is named by
$CROSSWIRE. Output: TAP."""
import grp
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from tap import Tap, two_accounts

CROSSWIRE = os.environ["CROSSWIRE"]
PATIENCE = 60
WAITS = 3  # for a second person
FOLDER = tempfile.TemporaryDirectory(prefix="crosswire-ctl-")
AT = pathlib.Path(FOLDER.name)
ENVIRONMENT = {**os.environ, "RUNTIME_DIRECTORY": FOLDER.name}
SOCKET = AT / "crosswire" / "crosswire.ctl"
CONFIG = two_accounts("net_ring0", "[limits]\nmax_orders = 1000\nmax_levels = 100\n") + """
[[symbol]]
name = "BBB"
reference_price_e4 = 1000000
tick_e4 = 100
[[account]]
user = "cyn"
password = "secret"
firm = "CYNS"
[account.risk]
funds_e4 = 12_345_600
orders_per_second = 10
position_short = 7
[[account.position]]
symbol = "AAA"
shares = 500
"""
tap = Tap()


class Appliance:
    """`crosswire run` until its control socket is there."""

    def __init__(self, configs, *options):
        self.output = open(AT / "out.txt", "w+")
        self.log = open(AT / "log.txt", "w+")
        arguments = [word for config in configs for word in ("--config", str(config))]
        self.process = subprocess.Popen([CROSSWIRE, "run", *arguments, *options], stdout=self.output, stderr=self.log,
                                        env=ENVIRONMENT)
        until = time.monotonic() + PATIENCE
        while "running" not in self.logged() and self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)

    def logged(self):
        return (AT / "log.txt").read_text()

    def end(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        return (AT / "out.txt").read_text()


def ctl(*arguments):
    run = subprocess.run([CROSSWIRE, "ctl", *arguments], capture_output=True, text=True, env=ENVIRONMENT, timeout=PATIENCE)
    return run.returncode, run.stdout.strip(), run.stderr.strip()


def account(user, word):
    """What is shown of an account; once more where the stages were without a core, or have not done yet what was asked."""
    until = time.monotonic() + PATIENCE
    while True:
        said = ctl("account", user)
        if word in said[1] or time.monotonic() > until:
            return said
        time.sleep(0.1)


def one_line(said, status, *words):
    code, out, err = said
    text, other = (out, err) if status in (0, WAITS) else (err, out)
    return code == status and "\n" not in text and all(word in text for word in words) and not other


def raw(data):
    """What the socket answers to these bytes, until it hangs up."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(PATIENCE)
        peer.connect(str(SOCKET))
        try:
            peer.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough
        said = b""
        try:
            while chunk := peer.recv(65536):
                said += chunk
        except ConnectionResetError:
            pass
        return said


class Person:
    """Somebody else at this host, by the numbers of his user and groups; his programs have no other rights."""

    def __init__(self, uid, *groups):
        self.uid, self.groups = uid, groups
        self.name = f"uid {uid}"

    def ctl(self, *arguments, command="ctl"):
        run = subprocess.run([PROGRAM, command, *arguments], capture_output=True, text=True, env=ENVIRONMENT,
                             timeout=PATIENCE, cwd="/", user=self.uid, group=self.groups[0],
                             extra_groups=self.groups[1:])
        return run.returncode, run.stdout.strip(), run.stderr.strip()

    def say(self, *lines):
        """What the socket answers to each line, a connection for each."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setgroups(self.groups)
                os.setgid(self.groups[0])
                os.setuid(self.uid)
                with os.fdopen(writer, "wb") as out:
                    out.write(b"".join(raw(line.encode() + b"\n") for line in lines))
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as answers:
            said = answers.read().decode().splitlines()
        os.waitpid(child, 0)
        return [json.loads(line) for line in said]


def pending_number(said):
    found = re.search(r"crosswire ctl approve (\d+)", said[1])
    return found[1] if found else "0"


def write_config(name, text=CONFIG):
    path = AT / name
    path.write_text(text)
    path.chmod(0o600)
    return path


said = ctl("halt", "AAA")
tap.check("without an appliance it says that nobody listens", one_line(said, 1, "crosswire.ctl", "crosswire run"), said)
said = ctl("account", "ann")
tap.check("nor can an account be looked at", one_line(said, 1, "dpdk_telemetry", "crosswire run"), said)
said = ctl("halted", "AAA")
tap.check("an unknown command is wrong usage", one_line(said, 2, "halted", "halt, resume, phase, kill, allow, pending, approve"), said)
said = ctl("halt")
tap.check("neither a symbol nor all is wrong usage", said[0] == 2 and "--all" in said[2], said)

config = write_config("one.toml")
appliance = Appliance([config], "--record", str(AT / "day.pcap"), "--report", str(AT / "live.json"))
tap.check("the socket is its user's alone", SOCKET.exists() and SOCKET.stat().st_mode & 0o777 == 0o600,
          appliance.logged())
said = ctl("halt", "AAA", "--request", "7", "--reason", "news pending")
tap.check("a halt is done", one_line(said, 0, "one: halt, AAA: done, 1 symbol, now halted", "request 7"), said)
again = ctl("halt", "AAA", "--request", "7")
first = re.search(r"command (\d+)", said[1])
tap.check("the same request again gets the first one's answer and is not done again",
          one_line(again, 0, "done, 1 symbol", "not done again") and first and f"command {first[1]}," in again[1], again)
for other in (("halt", "--all"), ("halt", "BBB"), ("resume", "AAA"), ("phase", "closed", "AAA")):
    said = ctl(*other, "--request", "7")
    tap.check(f"another command under its number is refused: {' '.join(other)}", one_line(said, 1, "refused", "another"), said)
said = ctl("halt", "AAA", "--request", "-1")
tap.check("a request number below 1 is wrong usage", said[0] == 2, said)
said = ctl("halt", "AAA")
tap.check("another halt of it is refused", one_line(said, 1, "refused", "already"), said)
said = ctl("phase", "closing_call", "--all")
tap.check("a phase by hand reaches the others, and says which stay halted",
          one_line(said, 0, "done, 1 symbol, 1 symbol still halted"), said)
said = ctl("resume", "AAA")
tap.check("a resume is done", one_line(said, 0, "resume, AAA: done, 1 symbol, now closing_call"), said)
said = ctl("resume", "--all")
tap.check("a resume of what nobody halted is refused", one_line(said, 1, "refused", "no operator has halted"), said)
said = ctl("kill", "--account", "ann", "--request", "9", "--reason", "runs wild")
tap.check("a kill is done", one_line(said, 0, "kill, account ann: done, 1 account, 0 orders cancelled", "request 9"), said)
said = ctl("kill", "--account", "ann")
tap.check("another kill of it is refused", one_line(said, 1, "refused", "killed it already"), said)
said = account("cyn", "trading")
tap.check("an account is shown with what is left of its limits",
          said[0] == 0 and "cyn, firm CYNS, partition one" in said[1]
          and "1234.5600 of the currency, 0.0000 reserved by open purchases, 1234.5600 left" in said[1]
          and re.search(r"^orders_per_second +10 messages, 0 taken within the last second, 10 left$", said[1], re.M)
          and re.search(r"^cancels_per_second +no limit$", said[1], re.M)
          and re.search(r"^AAA +500 +0 +0 +no limit +7 +0$", said[1], re.M), said)
ctl("kill", "--account", "cyn")
said = account("cyn", "killed by an operator")
tap.check("one that is killed is said to be so", re.search(r"^state +killed by an operator$", said[1], re.M), said)
said = ctl("account", "cyn", "--json")
seen = json.loads(said[1]) if said[0] == 0 else {}
tap.check("the same as one object", seen.get("killed") == 1 and seen["partition"] == "one" and seen["cash_e4"] == 12345600
          and seen["positions"] == [{"symbol": "AAA", "long": 500, "short": 0, "open_buys": 0, "open_sells": 0,
                                     "most_long": 1 << 40, "most_short": 7, "messages": 0}], said)
ctl("allow", "--account", "cyn")
said = account("cyn", "trading")
tap.check("and trading when it is allowed again", re.search(r"^state +trading$", said[1], re.M), said)
said = account("bob", "trading")
tap.check("an account without limits has none", said[0] == 0 and said[1].count("no limit") == 10, said)
said = ctl("limits", "cyn")
tap.check("its limits are listed, set or not",
          re.search(r"^cyn +funds_e4 +12345600 +1/10000 of the currency +account$", said[1], re.M)
          and re.search(r"^cyn +order_quantity +not set +shares +account$", said[1], re.M), said)
said = ctl("limits")
tap.check("and those of all", said[0] == 0 and all(re.search(rf"^{user} ", said[1], re.M) for user in ("ann", "bob", "cyn")), said)
said = ctl("rates", "--json")
seen = json.loads(said[1]) if said[0] == 0 else {"accounts": []}
tap.check("and what is used of their rates", [one["user"] for one in seen["accounts"]] == ["ann", "bob", "cyn"]
          and seen["accounts"][2]["orders_limit"] == 10, said)
said = ctl("rates", "cyn", "--socket", str(SOCKET))
tap.check("also by the control socket", said[0] == 0 and re.search(r"^cyn +orders_per_second +0 +10 +10$", said[1], re.M), said)
said = ctl("pending")
tap.check("without [operators] nothing waits for a second person", said[:2] == (0, "no command waits for a second person"), said)
said = ctl("approve", "1")
tap.check("so nothing can be approved", one_line(said, 1, "no command 1 is pending"), said)
said = ctl("account", "eve")
tap.check("an account that is not there is refused by name", one_line(said, 1, "no account", "eve"), said)
said = ctl("account", "cyn", "--partition", "two")
tap.check("and so is a partition", one_line(said, 1, "two", "there is one"), said)
said = ctl("kill", "--account", "eve")
tap.check("an unknown account is refused by name", one_line(said, 1, "no account", "eve"), said)
said = ctl("kill", "AAA")
tap.check("a symbol is nothing to kill", said[0] == 2, said)
said = ctl("kill")
tap.check("neither an account nor a firm is wrong usage", said[0] == 2 and "--firm" in said[2], said)
said = ctl("allow", "--account", "ann")
tap.check("an allow is done", one_line(said, 0, "allow, account ann: done, 1 account"), said)
said = ctl("halt", "CCC")
tap.check("an unknown symbol is refused by name", one_line(said, 1, "CCC"), said)
said = ctl("halt", "AAA", "--partition", "two")
tap.check("an unknown partition is refused with the names there are", one_line(said, 1, "two", "there is one"), said)
said = raw(b"x" * (1 << 20))
tap.check("a line of a megabyte gets one line and is not read further", said.count(b"\n") == 1 and b"at most" in said, said)
said = raw(b'{"command": "halt", "all": true, "symbl": "AAA", "request": 1}\n')
tap.check("a key that is not known is refused", b"symbl" in said, said)
silent = [socket.socket(socket.AF_UNIX) for _ in range(40)]
for peer in silent:
    peer.setblocking(False)
    try:
        peer.connect(str(SOCKET))
    except BlockingIOError:
        pass
for peer in silent:
    peer.close()
said = ctl("halt", "--all", "--reason", "for the night")
tap.check("peers that say nothing keep nobody out when they are gone", one_line(said, 0, "done, 2 symbols"), said)
threads = []
answers = []
for number in range(24):
    threads.append(threading.Thread(target=lambda n=number: answers.append(ctl("phase", "continuous", "--all", "--request", str(100 + n % 3)))))
    threads[-1].start()
for thread in threads:
    thread.join()
tap.check("many at once are all answered, each request done once",
          len(answers) == 24 and all(code == 0 for code, _, _ in answers)
          and len({re.search(r"[(]command (\d+)", out)[1] for _, out, _ in answers}) == 3, answers)
ctl("resume", "--all")
ended = appliance.end()
tap.check("the log has who did what and why", "operator's command" in appliance.logged()
          and 'reason="news pending"' in appliance.logged(), appliance.logged())
tap.check("the socket goes with the process", not SOCKET.exists())
replay = subprocess.run([CROSSWIRE, "replay", "--config", str(config), "--in", str(AT / "day.pcap"), "--out",
                         str(AT / "out.pcap"), "--report", str(AT / "replayed.json")], capture_output=True, text=True)
live = json.loads((AT / "live.json").read_text()) if (AT / "live.json").exists() else {}
replayed = json.loads((AT / "replayed.json").read_text()) if (AT / "replayed.json").exists() else {}
tap.check("the recording replays to the same hash, feed and operators' commands",
          live and live["state_hash"] == replayed.get("state_hash")
          and live["feed_messages"] == replayed["feed_messages"]
          and live["counters"]["match"]["operated"] == replayed["counters"]["match"]["operated"] > 20,
          replay.stderr + str(live) + str(replayed))


def frames(path):
    """Offset of each frame of a classic capture in its bytes, and the frame."""
    data, at = path.read_bytes(), 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield at + 16, data[at + 16:at + 16 + length]
        at += 16 + length


forged = bytearray((AT / "day.pcap").read_bytes())
operators = [at for at, frame in frames(AT / "day.pcap") if frame[12:14] == b"\x88\xb5" and len(frame) == 174]
for at in operators:
    forged[at + 14] ^= 1
(AT / "forged.pcap").write_bytes(forged)
subprocess.run([CROSSWIRE, "replay", "--config", str(config), "--in", str(AT / "forged.pcap"), "--out",
                str(AT / "out2.pcap"), "--report", str(AT / "forged.json")], capture_output=True, text=True)
report = json.loads((AT / "forged.json").read_text()) if (AT / "forged.json").exists() else {}
tap.check("an operator's command without the recording's tag is a stranger's frame",
          len(operators) > 20 and report and report["counters"]["match"]["operated"] == 0
          and report["drops"]["receive.ether_other_destination"] == len(operators), str(report)[:2000])

two = write_config("two.toml", CONFIG.replace("net_ring0", "net_ring1"))
appliance = Appliance([config, two])
said = ctl("halt", "AAA")
tap.check("of several partitions one has to be named", one_line(said, 1, "--partition", "one, two"), said)
said = ctl("account", "cyn")
tap.check("also to look at an account", one_line(said, 1, "--partition", "one, two"), said)
said = ctl("halt", "AAA", "--partition", "two")
tap.check("and is then the one that halts", one_line(said, 0, "done, 1 symbol"), said)
second = Appliance([write_config("three.toml", CONFIG.replace("net_ring0", "net_ring2"))])
said = ctl("halt", "BBB", "--socket", f"{SOCKET}:1")
tap.check("a second process listens beside the first one", one_line(said, 0, "done, 1 symbol"), said + (second.logged(),))
second.end()
os.kill(appliance.process.pid, 19)  # SIGSTOP
with socket.socket(socket.AF_UNIX) as peer:
    peer.connect(str(SOCKET))
    said = ctl("resume", "AAA", "--partition", "two", "--request", "9")
os.kill(appliance.process.pid, 18)  # SIGCONT
tap.check("an appliance that does not answer is told of, with how to ask again",
          one_line(said, 1, "no answer within", "not known", "--request 9"), said)
os.kill(appliance.process.pid, 19)
waiting = [socket.socket(socket.AF_UNIX) for _ in range(40)]
for peer in waiting:
    peer.setblocking(False)
    try:
        peer.connect(str(SOCKET))
    except BlockingIOError:
        pass
said = ctl("resume", "AAA", "--partition", "two")
tap.check("where its queue is full too, that nothing is done", one_line(said, 1, "Nothing is done"), said)
for peer in waiting:
    peer.close()
os.kill(appliance.process.pid, 18)
appliance.process.kill()
appliance.process.wait()
tap.check("what a killed process has left is taken over by the next",
          SOCKET.exists() and (appliance := Appliance([config])) and one_line(ctl("halt", "AAA"), 0, "done"), "")
appliance.end()


def people_by_groups():
    """[operators]: what real users of real groups may. As root alone, who can be anybody."""
    mine = {0, os.getgid(), *os.getgroups()}
    groups = [group for group in grp.getgrall() if group.gr_gid not in mine][:4]
    if len(groups) < 4:
        return tap.skip("people of different groups may different things", "this host has too few groups")
    viewers, market, house, anns = (group.gr_gid for group in groups)
    operators = """
[operators]
viewer = ["{0.gr_name}"]
market_control = ["{1.gr_name}"]
house_risk = ["{2.gr_name}"]
[[operators.firm]]
firm = "ANNS"
group = "{3.gr_name}"
""".format(*groups)
    none = 64000
    ops, stranger = Person(64001, none, viewers), Person(64002, none)
    marketer, marketer2 = Person(64003, market), Person(64004, none, viewers, market)
    risk, risk2 = Person(64005, none, house), Person(64006, house)
    ann, ann2 = Person(64007, anns), Person(64008, none, anns)

    unknown = write_config("unknown.toml", CONFIG + operators.replace(groups[2].gr_name, "no-such-group"))
    run = subprocess.run([CROSSWIRE, "run", "--config", str(unknown)], capture_output=True, text=True, env=ENVIRONMENT,
                         timeout=PATIENCE)
    line = unknown.read_text().splitlines().index('house_risk = ["no-such-group"]') + 1
    tap.check("a group that is not there is told with its line", run.returncode == 1
              and f"unknown.toml:{line}: operators.house_risk: there is no group" in run.stderr, run.stderr)

    config = write_config("roles.toml", CONFIG + operators)
    appliance = Appliance([config], "--record", str(AT / "roles.pcap"), "--report", str(AT / "roles.json"))
    tap.check("the socket is open to all, in a folder that can be entered and not read",
              SOCKET.stat().st_mode & 0o777 == 0o666 and SOCKET.parent.stat().st_mode & 0o777 == 0o711, appliance.logged())
    said = stranger.ctl("halt", "AAA")
    tap.check("who is in none of the groups is refused", one_line(said, 1, "uid 64002 is in none of the groups"), said)
    said = stranger.ctl("account", "ann")
    tap.check("also to look", one_line(said, 1, "is in none of the groups"), said)
    for who, command in ((ops, ("halt", "AAA")), (risk, ("halt", "AAA")), (ann, ("phase", "closed", "--all")),
                         (marketer, ("kill", "--account", "ann")), (ann, ("kill", "--account", "bob")),
                         (ann, ("kill", "--firm", "CYNS")), (ann, ("kill", "--account", "nobody"))):
        said = who.ctl(*command)
        tap.check(f"{who.name} may not: {' '.join(command)}", one_line(said, 1, "may not", "is for"), said)
    said = ctl("halt", "AAA")
    tap.check("nor may root, who is in none of them", one_line(said, 1, "root may not"), said)

    said = marketer.ctl("halt", "AAA")
    tap.check("a halt acts at once", one_line(said, 0, "halt, AAA: done"), said)
    said = marketer.ctl("resume", "AAA", "--request", "77", "--reason", "news are out")
    number = pending_number(said)
    tap.check("its resume waits for a second person", one_line(said, WAITS, "waits for a second person", "operator's halt"), said)
    again = marketer.ctl("resume", "AAA", "--request", "77")
    tap.check("asked again it is the same", again[0] == WAITS and pending_number(again) == number, again)
    said = marketer.ctl("approve", number)
    tap.check("nobody approves his own", one_line(said, 1, "your own"), said)
    said = risk.ctl("approve", number)
    tap.check("nor who may not do it", one_line(said, 1, f"no command {number}"), said)
    said = ops.ctl("pending")
    tap.check("it is listed for who may see it", said[0] == 0 and number in said[1] and "news are out" in said[1]
              and "uid 64003" in said[1], said)
    tap.check("and not for others", risk.ctl("pending")[1] == "no command waits for a second person")
    said = marketer2.ctl("approve", number)
    tap.check("it acts when another one approves it",
              one_line(said, 0, "resume, AAA, asked for by uid 64003: done, 1 symbol", "request 77"), said)
    said = marketer2.ctl("approve", number)
    tap.check("once", one_line(said, 1, "uid 64004 has approved it"), said)

    said = marketer.ctl("phase", "closing_call", "--all")
    tap.check("a phase away from trading acts at once", one_line(said, 0, "done, 2 symbols"), said)
    said = marketer.ctl("phase", "opening_call", "AAA")
    tap.check("one out of a call, whose cross would execute, waits", one_line(said, WAITS, "ends a call"), said)
    marketer.ctl("phase", "halted", "AAA")
    said = marketer.ctl("phase", "continuous", "AAA")
    tap.check("one towards trading waits", one_line(said, WAITS, "towards trading"), said)
    taken = marketer2.ctl("withdraw", pending_number(said))
    tap.check("it can be taken back", one_line(taken, 0, "withdrawn", "continuous, AAA"), taken)

    said = ann.ctl("kill", "--firm", "ANNS")
    tap.check("the firm's risk stops its firm", one_line(said, 0, "done, 1 account"), said)
    said = ann.ctl("allow", "--account", "ann")
    lifted = ann2.ctl("approve", pending_number(said))
    tap.check("and lets it go by two", said[0] == WAITS and one_line(lifted, 0, "done, 1 account"), (said, lifted))
    said = risk.ctl("kill", "--account", "ann")
    tap.check("the house stops any account", one_line(said, 0, "done, 1 account"), said)
    said = ann.ctl("allow", "--account", "ann")
    tap.check("which its firm does not let go", one_line(said, 1, "killed by house_risk"), said)
    said = risk.ctl("allow", "--account", "ann", "--reason", "it is mended")
    lifted = risk2.ctl("approve", pending_number(said))
    tap.check("but two of the house do", said[0] == WAITS and one_line(lifted, 0, "asked for by uid 64005"), (said, lifted))

    said = ops.ctl("account", "bob")
    tap.check("a viewer sees any account", said[0] == 0 and "bob, firm BOBS" in said[1], said)
    said = ops.ctl("--once", command="top")
    tap.check("and all figures", said[0] == 0 and "AAA" in said[1], said)
    said = ann.ctl("account", "ann")
    tap.check("a firm's risk sees its own account", said[0] == 0 and "ann, firm ANNS" in said[1], said)
    for command in (("account", "bob"), ("limits", "bob"), ("rates", "cyn")):
        said = ann.ctl(*command)
        tap.check(f"and not another's: {command[0]}", one_line(said, 1, "no account of his firm"), said)
    said = ann.ctl("limits", "--json")
    seen = json.loads(said[1]) if said[0] == 0 else {}
    tap.check("also where it asks for all", [one["user"] for one in seen.get("accounts", [])] == ["ann"], said)
    said = ann.ctl("--once", command="top")
    tap.check("nor the other figures", one_line(said, 1, "is for viewer"), said)
    said = marketer.ctl("account", "ann")
    tap.check("who is no viewer sees none", one_line(said, 1, "is for viewer"), said)

    lines = [json.dumps({"command": "allow", "account": "ann", "request": n, "partition": "roles"}) for n in range(1, 1001)]
    answers = risk.say(*lines)
    kept = {one.get("pending") for one in answers}
    tap.check("what one person asks for a thousand times is pending once, and each is answered",
              len(answers) == 1000 and len(kept) == 1 and None not in kept, answers[:5])
    said = risk.ctl("kill", "--account", "ann")
    tap.check("which keeps no kill out", one_line(said, 0, "done, 1 account"), said)
    answers = risk2.say(json.dumps({"command": "withdraw", "number": kept.pop()}))
    tap.check("it can be taken back by another one", "withdrawn" in answers[0], answers)
    lines = [json.dumps({"command": "kill", "account": "ann", "request": n, "partition": "roles"}) for n in range(1, 1001)]
    answers = marketer.say(*lines)
    tap.check("a thousand commands that are not his are refused one by one",
              len(answers) == 1000 and all("may not" in one.get("error", "") for one in answers), answers[:5])
    said = raw(b"x" * (10 << 20))
    tap.check("ten megabytes get one line and are not read further", said.count(b"\n") == 1 and b"at most" in said, said)
    said = raw(b'{"command": "approve", "num')
    tap.check("half a request is none", b"no whole line" in said, said)

    said = subprocess.run([CROSSWIRE, "top", "--json"], capture_output=True, text=True, env=ENVIRONMENT,
                          timeout=PATIENCE).stdout
    tap.check("refusals are counted", json.loads(said)["info"]["operators_refused"] >= 1000, said[:500])
    appliance.end()
    log = appliance.logged()
    tap.check("the log has both names",
              re.search(r'operator="uid 64005" role=house_risk approved_by="uid 64006" command="allow, account ann"', log), log)
    tap.check("and what waited, was taken back, and who was refused", "waits for a second person" in log
              and "command is withdrawn" in log and "an operator is refused" in log, log)
    names = [frame for _, frame in frames(AT / "roles.pcap") if frame[12:14] == b"\x88\xb5" and b"uid 64005" in frame]
    tap.check("the recording has them, too", any(b"uid 64006" in frame for frame in names), names)
    subprocess.run([CROSSWIRE, "replay", "--config", str(config), "--in", str(AT / "roles.pcap"), "--out",
                    str(AT / "out3.pcap"), "--report", str(AT / "replayed3.json")], capture_output=True, text=True)
    live = json.loads((AT / "roles.json").read_text()) if (AT / "roles.json").exists() else {}
    replayed = json.loads((AT / "replayed3.json").read_text()) if (AT / "replayed3.json").exists() else {}
    tap.check("and replays to the same hash", live and live["state_hash"] == replayed.get("state_hash"), str(replayed)[:500])


def appliance_of_another_user():
    """Who asks one that runs as neither himself nor root talks to nobody who has only put a socket there."""
    group = next((one for one in grp.getgrall() if one.gr_gid not in {0, os.getgid(), *os.getgroups()}), None)
    if group is None:
        return tap.skip("an appliance of another user is asked where only he can have put it", "this host has no group")
    owner, marketer = 64009, Person(64003, group.gr_gid)
    for parent, good in (("/run", True), ("/tmp", False)):
        with tempfile.TemporaryDirectory(prefix="crosswire-ctl-", dir=parent) as name:
            folder = pathlib.Path(name)
            config = folder / "other.toml"
            config.write_text(CONFIG + f'\n[operators]\nmarket_control = ["{group.gr_name}"]\n')
            config.chmod(0o600)
            folder.chmod(0o711)
            os.chown(config, owner, owner)
            os.chown(folder, owner, owner)
            environment = {**os.environ, "RUNTIME_DIRECTORY": name}
            at = folder / "crosswire" / "crosswire.ctl"
            process = subprocess.Popen([PROGRAM, "run", "--config", str(config)], env=environment, user=owner, group=owner,
                                       extra_groups=(), cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            until = time.monotonic() + PATIENCE
            while not at.exists() and process.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
            said = marketer.ctl("halt", "AAA", "--socket", str(at))
            process.terminate()
            log = process.communicate(timeout=PATIENCE)[1]
            if good:
                tap.check("an appliance of another user is asked where only he can have put it",
                          one_line(said, 0, "halt, AAA: done"), (said, log))
            else:
                tap.check("and not in a folder that all may write", one_line(said, 1, "another user listens there"), (said, log))


PROGRAM = CROSSWIRE
if os.geteuid() == 0:
    AT.chmod(0o711)  # other users come through it
    try:
        Person(64000, 64000).ctl(command="--version")
    except PermissionError:  # the build lies where they may not look
        PROGRAM = str(AT / "program")
        shutil.copy(CROSSWIRE, PROGRAM)
    people_by_groups()
    appliance_of_another_user()
else:
    tap.skip("people of different groups may different things", "only root can be other users")
FOLDER.cleanup()
sys.exit(tap.end())
