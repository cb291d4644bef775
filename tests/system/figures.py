#!/usr/bin/env python3
"""The live figures: telemetry socket, Prometheus endpoint and `crosswire top` tell of a running appliance what it prints
when it ends.

Each check is a sentence. Over a veth pair as live.py, whose client trades; needs root and says so otherwise. curl,
promtool and tmux are used where they are installed. The program is named by $CROSSWIRE, the repository by $SOURCE_ROOT.
Output: TAP."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import live
from tap import write_config

ENDPOINT = "127.0.0.1:19464"  # in the appliance's own namespace
MONITORING = f'\n[monitoring]\nprometheus = "{ENDPOINT}"\n'


class Telemetry:
    """What dpdk-telemetry.py does: one packet a question, one packet an answer."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(live.PATIENCE)
        self.sock.connect(os.path.join(os.environ["RUNTIME_DIRECTORY"], "dpdk/crosswire/dpdk_telemetry.v2"))
        self.hello = json.loads(self.sock.recv(1 << 16))

    def ask(self, command):
        self.sock.send(command.encode())
        return json.loads(self.sock.recv(1 << 16))[command.split(",")[0]]

    def ask_rows(self, command):
        """Of a stage's own state: while the stage is without a core there is none."""
        return until(lambda: self.ask(command), bool)


def until(look, condition):
    """What look() returns, once the condition holds of it; what it last was where that never comes."""
    end = time.monotonic() + live.PATIENCE
    while True:
        seen = look()
        if condition(seen) or time.monotonic() >= end:
            return seen
        time.sleep(0.1)


def in_appliance(*command):
    return subprocess.run(["ip", "netns", "exec", live.APPLIANCE_NS, *command], capture_output=True, text=True, check=False)


def scrape():
    if shutil.which("curl") is not None:
        return in_appliance("curl", "-s", "-m", str(live.PATIENCE), f"http://{ENDPOINT}/metrics").stdout
    fetch = f"import urllib.request; print(urllib.request.urlopen('http://{ENDPOINT}/metrics', timeout={live.PATIENCE}).read().decode())"
    return in_appliance(sys.executable, "-c", fetch).stdout


def metrics_of(text):
    """{name: {frozenset of labels: value}}"""
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(r'(\w+)(?:\{(.*)\})? (\S+)', line)
        if match and not line.startswith("#"):
            labels = frozenset(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
            found.setdefault(match[1], {})[labels] = float(match[3])
    return found


def metric(metrics, name, **labels):
    wanted = set(labels.items())
    values = [value for have, value in metrics.get(name, {}).items() if wanted <= have]
    return values[0] if len(values) == 1 else None


def top(program, *arguments):
    return subprocess.run([program, "top", *arguments], capture_output=True, text=True, check=False, timeout=live.PATIENCE)


def settled(telemetry):
    """The counters, once two looks a little apart agree on what clients cause."""
    seen = None
    for _ in range(600):
        counters = telemetry.ask("/crosswire/counters")
        caused = [counters[f"match/{name}"] for name in ("orders", "executions")] + [counters["transmit/answers"]]
        if caused == seen:
            return counters
        seen = caused
        time.sleep(0.1)
    return counters


# What a drain adds: the day's end, its events and frames, and whatever the kernel's side still sends.
ADDED_BY_THE_END = re.compile(r"^(port/|receive/(frames|commands|ether_|order_empty|heartbeats)|match/commands|"
                              r"transmit/(frames|answers|answers_unsent|heartbeats|sessions_ended|arp_replies)|"
                              r"publish/(frames|messages|datagrams|heartbeats))")


def compare(tap, program, telemetry):
    tap.check("says on DPDK's telemetry socket who it is", telemetry.ask("/crosswire/info")["partitions"] == ["c"])
    commands = [command for command in telemetry.ask("/") if command.startswith("/crosswire")]
    helps = [telemetry.ask(f"/help,{command}") for command in commands]
    tap.check("has a help text for each of its commands",
              len(commands) >= 10 and all(len(str(text)) > 30 for text in helps), f"{commands} {helps}")
    counters = settled(telemetry)
    tap.check("counts the trades of the client", counters["match/orders"] > 500 and counters["match/executions"] >= 26, counters)
    latency = telemetry.ask("/crosswire/latency")
    histogram = telemetry.ask("/crosswire/histogram,in_the_box")
    tap.check("tells how long orders were in the box",
              latency["in_the_box/count"] == sum(histogram["count"]) > 0 and
              latency["in_the_box/p50"] <= latency["in_the_box/p99"] <= latency["in_the_box/max"],
              f"{latency} {histogram}")
    drops = telemetry.ask("/crosswire/drops")
    tap.check("names drops and notices among its counters",
              "match/ignored_dead_order" in drops and drops["match/ignored_dead_order"] == counters["match/ignored_dead_order"] == 1
              and "match/rejected" in telemetry.ask("/crosswire/notices"), drops)
    rings = telemetry.ask("/crosswire/rings")
    tap.check("shows its rings", rings["commands/match/capacity"] == 4096 and rings["events/publish/most_waiting"] >= 1, rings)
    tap.check("shows what the port counted", telemetry.ask("/crosswire/ports,c")["rx_frames"] > 30)
    sessions = telemetry.ask_rows("/crosswire/sessions,c")
    ann = dict(zip(sessions, (column[0] for column in sessions.values())))
    tap.check("shows who is logged in, from where", sessions["user"] == ["ann", "bob"] and sessions["bound"] == [1, 1] and
              ann["source"] == f"{live.CLIENT_ADDRESS}:40001" and ann["heard_ms"] < 600_000 and ann["next_in"] > 500 and
              ann["next_out"] > 500 and ann["kept"] == ann["next_out"] - 1, sessions)
    tap.check("has no sessions beyond the last", telemetry.ask("/crosswire/sessions,c,2") == {})
    accounts = telemetry.ask_rows("/crosswire/accounts,c")
    tap.check("shows what is left of accounts' limits", accounts["user"] == ["ann", "bob"] and accounts["has_limits"] == [0, 0]
              and accounts["killed"] == [0, 0] and sum(accounts["live_orders"]) == 475, accounts)
    told = [telemetry.ask(f"/crosswire/positions,{user}") for user in ("ann,c", "bob", "eve")]
    tap.check("and an account's positions", told == [{"account": 0, "next": 0}, {"account": 1, "next": 0},
                                                     {"error": "there is no account 'eve'"}], told)
    # 500 bids of 100 shares at five prices; then 25 sells took the best of them.
    book = telemetry.ask_rows("/crosswire/book,AAA")
    tap.check("shows the top of a book", (book["bid_e4"], book["bid_shares"], book["ask_e4"], book["last_e4"], book["volume"],
              book["phase"]) == (1000400, 7500, 0, 1000400, 2600, "continuous"), book)
    tap.check("and of the one in a partition that is named", telemetry.ask_rows("/crosswire/book,AAA,c") == book)
    tap.check("shows the tops of all books", telemetry.ask_rows("/crosswire/books")["bid_shares"] == [7500])
    told = telemetry.ask("/crosswire/book,NOSUCH")
    tap.check("says so where a book is not there", told == {"error": "there is no symbol 'NOSUCH'"}, told)
    no_partition = {"error": "there is no partition 'nosuch'", "partitions": ["c"]}
    asked = ("stages,nosuch", "histogram,in_the_box,nosuch", "sessions,nosuch", "books,nosuch,0",
             "book,AAA,nosuch", "accounts,nosuch", "positions,ann,nosuch")
    told = [telemetry.ask(f"/crosswire/{command}") for command in asked]
    tap.check("says which partitions there are to who names another", told == [no_partition] * len(asked), told)
    told = telemetry.ask("/crosswire/histogram,nosuch")
    tap.check("says which latencies there are to who names another",
              told["error"] == "there is no latency 'nosuch'" and "in_the_box" in told["latencies"], told)
    told = telemetry.ask("/crosswire/sessions,c,x")
    tap.check("says what is wrong with the number of a first row", "'x'" in told["error"], told)
    totals = telemetry.ask("/crosswire/totals")
    tap.check("shows the day, its phases and how full the tables are",
              re.fullmatch(r"\d{4}-\d\d-\d\d", totals["date"]) and totals["phase"] == "continuous 1" and totals["next_phase"] == ""
              and totals["live_orders"] > 0 and totals["price_levels"] == 5 and totals["live_orders_limit"] > totals["live_orders"]
              and totals["sessions_logged_in"] == totals["accounts"] == 2 and totals["recording_written_bytes"] > 0, totals)

    text = scrape()
    metrics = metrics_of(text)
    same = {
        "crosswire_orders_total": "match/orders", "crosswire_executions_total": "match/executions",
        "crosswire_answers_total": "transmit/answers", "crosswire_rejected_total": "match/rejected"}
    tap.check("tells Prometheus the same totals",
              all(metric(metrics, name, partition="c") == counters[key] for name, key in same.items()), text)
    tap.check("tells Prometheus every drop by name",
              metric(metrics, "crosswire_dropped_total", stage="match", reason="ignored_dead_order") == 1 and
              len(metrics["crosswire_dropped_total"]) == len(drops))
    tap.check("tells Prometheus how long orders were in the box",
              metric(metrics, "crosswire_in_the_box_seconds_count") == latency["in_the_box/count"])
    if shutil.which("promtool") is not None:
        lint = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        tap.check("names its metrics as promtool wants them", len(text) > 1000 and lint.returncode == 0, lint.stdout + lint.stderr)
    rules = os.path.join(os.environ["SOURCE_ROOT"], "scripts/monitoring/alerts.yml")
    dashboard = os.path.join(os.environ["SOURCE_ROOT"], "scripts/monitoring/dashboard.json")
    for file in (rules, dashboard):
        with open(file) as opened:
            named = set(re.findall(r"\bcrosswire_[a-z0-9_]+", opened.read()))
        tap.check(f"exports every metric that scripts/monitoring/{os.path.basename(file)} names",
                  len(named) > 4 and named <= set(metrics), named - set(metrics))

    tap.check("tells Prometheus of the same tables, sessions and phases",
              all(metric(metrics, f"crosswire_{name}", partition="c") == totals[name] for name in
                  ("live_orders", "live_orders_limit", "price_levels", "price_levels_limit", "sessions_logged_in", "accounts"))
              and metric(metrics, "crosswire_symbols", partition="c", phase="continuous") == 1
              and metric(metrics, "crosswire_symbols", partition="c", phase="halted") == 0
              and metric(metrics, "crosswire_log_lines_lost_total") == 0, totals)

    tap.check("tells everywhere that the recording goes on", metric(metrics, "crosswire_recording", partition="c") == 1 and
              telemetry.ask("/crosswire/totals")["recording"] == 1 and
              re.search(r"^recording +goes on, ", top(program, "--once").stdout, re.M))

    clock = telemetry.ask("/crosswire/clock")
    tap.check("tells everywhere how far its time is off the host's, and whether somebody keeps that",
              clock["bound_ns"] > 0 and clock["unfollowed_ms"] == 0 and metric(metrics, "crosswire_clock_bound_seconds") > 0 and
              metric(metrics, "crosswire_clock_unfollowed_seconds") == 0 and
              metric(metrics, "crosswire_clock_synchronised") == clock["synchronised"] and
              re.search(r"^clock +off [+-][0-9.]+ us, bound [0-9.]+ us, ", top(program, "--once").stdout, re.M), clock)

    book_row = r"^AAA +continuous +100.0400 +7500 +- +0 +100.0400 +2600$"
    page = until(lambda: top(program, "--once"), lambda page: re.search(r"^ann +yes ", page.stdout, re.M) and re.search(book_row, page.stdout, re.M))
    tap.check("shows the same totals in `crosswire top`",
              page.returncode == 0 and f"orders      {counters['match/orders']} (" in page.stdout
              and f"executions {counters['match/executions']} (" in page.stdout
              and re.search(r"^dropped +match/ignored_dead_order +1 |^ +match/ignored_dead_order +1 ", page.stdout, re.M),
              page.stdout + page.stderr)
    tap.check("shows sessions and books in `crosswire top`", re.search(r"^ann +yes +10.99.0.100:40001", page.stdout, re.M) and
              re.search(book_row, page.stdout, re.M), page.stdout)
    report = json.loads(top(program, "--json").stdout)["partitions"]["c"]
    tap.check("gives scripts the same as JSON, sessions and books too", report["totals"]["orders"] == counters["match/orders"] and
              report["sessions"]["user"] == ["ann", "bob"] and report["books"]["symbol"] == ["AAA"], report)
    if shutil.which("tmux") is not None:
        watch(tap, program, counters)
    return counters, drops


def watch(tap, program, counters):
    """In a terminal, of two sizes, until q."""
    name = f"crosswire-{os.getpid()}"
    tmux = lambda *a: subprocess.run(["tmux", "-L", name, *a], capture_output=True, text=True, check=False)
    tmux("-f", "/dev/null", "new-session", "-d", "-s", name, "-x", "120", "-y", "50", f"{program} top --interval 0.2; echo it ended with $?; sleep 600")
    screen = lambda: tmux("capture-pane", "-p", "-t", name).stdout.rstrip("\n")
    good = lambda shown: "rates of the last" in shown and f"orders      {counters['match/orders']} (0/s)" in shown
    shown = until(screen, good)
    tap.check("shows them in a terminal, again and again", good(shown), shown)
    tmux("resize-window", "-t", name, "-x", "60", "-y", "10")
    good = lambda small: small.startswith("crosswire ") and "stage" in small and all(len(line) <= 60 for line in small.splitlines())
    small = until(screen, good)
    tap.check("keeps to a smaller terminal", good(small), small)
    tmux("send-keys", "-t", name, "q")
    ended = until(screen, lambda text: "it ended with" in text)
    tap.check("ends at q", "it ended with 0" in ended, ended)
    tmux("kill-server")


def run_all(tap, program, folder):
    os.environ["RUNTIME_DIRECTORY"] = folder  # where DPDK puts its sockets: others may run on this machine
    live.ip("-n", live.APPLIANCE_NS, "link", "set", "lo", "up")  # where the endpoint listens
    config, report = (os.path.join(folder, name) for name in ("c.toml", "report.json"))
    write_config(config, live.CONFIG + MONITORING)
    gone = top(program, "--once", "--prefix", "nobody-is-here")
    tap.check("says in one line that nobody is there", gone.returncode == 1 and gone.stderr.count("\n") == 1, gone.stderr)
    appliance = subprocess.Popen(
        ["ip", "netns", "exec", live.APPLIANCE_NS, program, "run", "--config", config, "--report", report, "--record",
         os.path.join(folder, "in.pcap")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        started = live.wait_until_running(appliance)
        tap.check("starts with an endpoint", "running until" in started, started)
        ann, bob, feed = live.Client("ann", 40001), live.Client("bob", 40002), live.join_feed()
        live.trade(tap, ann, bob, feed)
        counters, drops = compare(tap, program, Telemetry())
        again = in_appliance(program, "run", "--config", config)
        tap.check("is not disturbed by another that wants the same endpoint",
                  again.returncode == 1 and top(program, "--once").returncode == 0, again.stderr)
        appliance.send_signal(signal.SIGINT)
        figures, errors = appliance.communicate(timeout=live.PATIENCE)
    finally:
        if appliance.poll() is None:
            appliance.kill()
    with open(report) as file:
        end = json.load(file)
    ended = {f"{stage}/{name}": value for stage, values in end["counters"].items() for name, value in values.items()}
    kept = {name: value for name, value in counters.items() if not ADDED_BY_THE_END.match(name)}
    different = {name: (value, ended.get(name)) for name, value in kept.items() if ended.get(name) != value}
    tap.check("told while it ran what it prints at the end", len(kept) > 60 and not different, different)
    tap.check("told of the same drops", {n for n in drops} == {n.replace(".", "/") for n in end["drops"]})
    tap.check("never told more than in the end", all(ended[name] >= value for name, value in counters.items()), counters)
    said = [f"a client has logged in partition=c user={user} source={live.CLIENT_ADDRESS}:{port}" for user, port in (("ann", 40001), ("bob", 40002))]
    tap.check("has said in its log who logged in, and the phase", all(line in errors for line in said) and
              'the phase has changed partition=c symbols="continuous 1" before="pre_open 1"' in errors, errors)
    tap.check("leaves with 0", appliance.returncode == 0, figures + errors)
    for inbox in (ann.inbox, bob.inbox, feed):
        inbox.stop()


if __name__ == "__main__":
    sys.exit(live.on_the_link("figures", run_all))
