#!/usr/bin/env python3
"""scripts/tune and scripts/hugepages: on hosts of our own making (--root), and, as root, on this one.

Each check is a sentence. What is changed here is put back, also when this test is ended. The program is named by
$CROSSWIRE, the scripts' folder by $SCRIPTS. Output: TAP."""

import configparser
import glob
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from tap import Tap

SCRIPTS, CROSSWIRE = os.environ["SCRIPTS"], os.environ["CROSSWIRE"]
CPU = "sys/devices/system/cpu/"
THP = "sys/kernel/mm/transparent_hugepage/enabled"


def script(name, *arguments, **more):
    return subprocess.run([os.path.join(SCRIPTS, name), *arguments], capture_output=True, text=True, **more)


def findings(*arguments):
    """Findings of the doctor by name."""
    ran = subprocess.run([CROSSWIRE, "doctor", "--json", "--seconds", "0", *arguments], capture_output=True, text=True)
    return {finding["name"]: finding for finding in json.loads(ran.stdout)["findings"]}


def tunable(found):
    return sorted(name for name, finding in found.items() if finding["tune"])


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def value(path):
    """As tune has to write it back: of "always [madvise] never" the chosen word."""
    try:
        with open(path) as file:
            text = file.read().strip()
    except OSError:
        return None
    return text[text.index("[") + 1 : text.index("]")] if "[" in text and "]" in text else text


def make_host(root):
    """Eight cores from the shop; 2-3 are to poll."""
    files = {
        THP: "[always] madvise never",
        "sys/kernel/mm/ksm/run": "1",
        "proc/swaps": "Filename\n/dev/sda2 partition 1 0 -2",
        "proc/sys/vm/swappiness": "60",
        "proc/sys/vm/stat_interval": "1",
        "proc/sys/kernel/numa_balancing": "1",
        "proc/sys/kernel/nmi_watchdog": "1",
        "proc/sys/kernel/soft_watchdog": "1",
        "proc/sys/kernel/watchdog_cpumask": "0-7",
        "proc/irq/default_smp_affinity": "ff",
        "proc/cpuinfo": "vendor_id : GenuineIntel\nflags : tsc constant_tsc nonstop_tsc",
        "sys/devices/virtual/workqueue/cpumask": "00000000,000000ff",
        "sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet",
        "sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet",
        "proc/meminfo": "MemAvailable: 8388608 kB",
        CPU + "online": "0-7",
        CPU + "isolated": "2-3",
    }
    for irq, cpus in ((24, "0-7"), (25, "2"), (26, "0-1")):
        files[f"proc/irq/{irq}/smp_affinity_list"] = cpus
        files[f"proc/irq/{irq}/eth0-{irq}/x"] = ""
    for core in range(8):
        files[f"{CPU}cpu{core}/cpufreq/scaling_governor"] = "schedutil"
        for state, latency in enumerate((0, 2, 85)):
            files[f"{CPU}cpu{core}/cpuidle/state{state}/latency"] = str(latency)
            files[f"{CPU}cpu{core}/cpuidle/state{state}/disable"] = "0"
    for node in range(2):
        for size, pages in (("2048", "10"), ("1048576", "0")):
            folder = f"sys/devices/system/node/node{node}/hugepages/hugepages-{size}kB/"
            files[folder + "nr_hugepages"] = files[folder + "free_hugepages"] = pages
    for path, text in files.items():
        write(os.path.join(root, path), text + "\n")
    for name in ("tune", "tune.lock", "hugepages", "hugepages.lock"):
        os.makedirs(f"{root}/run/crosswire/{name}")  # of units that have such a name


def values_under(root):
    """Every value of a made-up host, but for what the scripts keep."""
    return {
        path: value(path)
        for path in glob.glob(root + "/**", recursive=True)
        if os.path.isfile(path) and not path.startswith(root + "/run/")
    }


def check_made_up_host(tap, root):
    make_host(root)
    before = values_under(root)
    host = ("--root", root, "--cores", "2-3")
    faults = tunable(findings(*host))
    wanted = "c_states clocksource governor irq_default irqs ksm nmi_watchdog numa_balancing soft_watchdog stat_interval swap thp workqueue"
    tap.check("an untuned host has every fault that tune fixes", " ".join(faults) == wanted, faults)
    ran = script("tune", "apply", *host)
    tap.check("tune apply fixes them all", ran.returncode == 0 and tunable(findings(*host)) == [], ran.stdout + ran.stderr + str(tunable(findings(*host))))
    after = values_under(root)
    path = root + "/" + CPU
    tap.check("it leaves other cores and interrupts alone", all(after[p] == before[p] for p in (
        f"{path}cpu1/cpufreq/scaling_governor", f"{path}cpu1/cpuidle/state2/disable", f"{path}cpu2/cpuidle/state1/disable",
        f"{root}/proc/irq/26/smp_affinity_list")))
    tap.check("an interrupt that could only go to polling cores goes to all others", after[f"{root}/proc/irq/25/smp_affinity_list"] == "0-1,4-7")
    tap.check("masks are written as the kernel does", after[f"{root}/sys/devices/virtual/workqueue/cpumask"] == "f3")
    script("tune", "apply", "--root", root, "--cores", "4")
    ran = script("tune", "undo", "--root", root)
    tap.check("undo puts back what was before the first of two apply", values_under(root) == before and ran.stdout.endswith("all as before\n"), ran.stdout + ran.stderr)
    script("tune", "apply", *host)
    shutil.rmtree(f"{root}/proc/irq/24")
    ran = script("tune", "undo", "--root", root)
    left = {p: v for p, v in before.items() if "/irq/24/" not in p}
    tap.check("undo comes to its end also where an interrupt has gone meanwhile", ran.returncode == 0 and values_under(root) == left
              and "/proc/irq/24/smp_affinity_list: is there no more" in ran.stdout, ran.stdout + ran.stderr)
    tap.check("a second undo has nothing to do", script("tune", "undo", "--root", root).stdout == "nothing to undo\n")
    for name in ("tune", "hugepages"):
        state = f"{root}/run/crosswire-host/{name}"
        write(state, "")
        script(name, "undo", "--root", root)
        tap.check(f"{name} undo leaves nothing of a run that was ended before its first change", not os.path.exists(state))


def check_interruptions(tap, root):
    """Killed at any point, undo puts everything back."""
    seed = int(os.environ.get("CROSSWIRE_SEED", random.randrange(1 << 32)))
    chance = random.Random(seed)
    shutil.rmtree(root)
    make_host(root)
    before = values_under(root)
    bad, touched = [], 0
    for attempt in range(12):
        apply = subprocess.Popen([os.path.join(SCRIPTS, "tune"), "apply", "--root", root, "--cores", "2-3"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True)
        # Some are interrupted at any point, and some in what they change, however long the host lets them wait before.
        while attempt % 2 == 1 and apply.poll() is None and values_under(root) == before:
            pass
        time.sleep(chance.uniform(0.01, 0.35))
        os.killpg(apply.pid, chance.choice((signal.SIGKILL, signal.SIGTERM)))
        apply.wait()
        touched += values_under(root) != before
        ran = script("tune", "undo", "--root", root)
        if ran.returncode != 0 or values_under(root) != before:
            bad.append(ran.stdout + ran.stderr)
    tap.check("undo after an interruption at any point puts everything back", not bad and touched > 0, f"seed {seed}, {touched} times changed: {bad}")


def check_refusals(tap, root):
    ran = script("tune", "apply", "--root", root, "--cores", "0-7")
    tap.check("no polling cores without a core for the system", ran.returncode == 2 and ran.stderr.count("\n") == 1, ran.stderr)
    for arguments in (("apply", "--cores", "x"), ("apply", "--cores", "3-1"), ("apply", "--cores", "3,9-10"), ("boot",), ("fly",), (), ("apply", "--fast", "1"), ("undo", "--2m", "3")):
        ran = script("tune", *arguments, *(("--root", root) if arguments else ()))
        tap.check(f"wrong usage: tune {' '.join(arguments)}", ran.returncode == 2 and ran.stderr.count("\n") == 1 and ran.stdout == "", ran.stderr)
    ran = script("tune", "boot", "--root", root, "--cores", "2-3", "--1g", "4")
    tap.check("boot prints a whole command line", "isolcpus=managed_irq,domain,2-3 nohz_full=2-3 rcu_nocbs=2-3 irqaffinity=0-1,4-7" in ran.stdout
              and "hugepagesz=1G hugepages=4" in ran.stdout, ran.stdout)
    profile = configparser.ConfigParser()
    profile.read_string(script("tune", "profile", "--root", root, "--cores", "2-3").stdout)
    tap.check("profile prints a tuned profile", profile["cpu"]["governor"] == "performance" and "isolcpus" in profile["bootloader"]["cmdline_crosswire"])


def check_made_up_hugepages(tap, root):
    shutil.rmtree(root)
    make_host(root)
    before = values_under(root)
    host = ("--root", root)
    node1 = root + "/sys/devices/system/node/node1/hugepages/hugepages-"
    ran = script("hugepages", "reserve", "--2m", "5", *host)
    tap.check("several nodes want --node", ran.returncode == 2 and "0 1" in ran.stderr, ran.stderr)
    ran = script("hugepages", "reserve", "--2m", "512", "--1g", "2", "--node", "1", *host)
    tap.check("reserve raises both sizes on its node alone", ran.returncode == 0 and value(node1 + "2048kB/nr_hugepages") == "512"
              and value(node1 + "1048576kB/nr_hugepages") == "2" and sum(values_under(root)[p] != before[p] for p in before) == 2, ran.stdout + ran.stderr)
    script("hugepages", "reserve", "--2m", "600", "--node", "1", *host)
    ran = script("hugepages", "reserve", "--2m", "20", "--node", "1", *host)
    tap.check("reserve never lowers", value(node1 + "2048kB/nr_hugepages") == "600", ran.stdout)
    tap.check("show says what undo puts back", "600 pages of 2 MiB, 10 free; undo: 10" in script("hugepages", "show", *host).stdout)
    ran = script("hugepages", "undo", *host)
    tap.check("hugepages undo puts back what was before the first reserve", ran.returncode == 0 and values_under(root) == before, ran.stdout + ran.stderr)
    ran = script("hugepages", "reserve", "--1g", "9", "--node", "0", *host)
    tap.check("more than the host has available is refused before it is tried", ran.returncode == 1 and "9216 MiB more are asked for" in ran.stderr
              and values_under(root) == before, ran.stderr)
    # A file of the kernel that nobody can write stands for one that gives fewer.
    path = root + "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
    os.remove(path)
    os.symlink("/proc/sys/kernel/cap_last_cap", path)
    has = value(path)
    ran = script("hugepages", "reserve", "--2m", "100", "--node", "0", *host)
    tap.check("a kernel that gives fewer is quoted, with the boot parameter", ran.returncode == 1 and ran.stderr.count("\n") == 1
              and f"gave {has} of 100" in ran.stderr and "hugepagesz=2M hugepages=100" in ran.stderr, ran.stderr)
    tap.check("and leaves nothing to undo", script("hugepages", "undo", *host).stdout == "nothing to undo\n")
    large = root + "/sys/devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages"
    ran = script("hugepages", "reserve", "--1g", "1", "--2m", "100", "--node", "0", *host)
    tap.check("where the second size fails the first is put back", ran.returncode == 1 and f"gave {has} of 100" in ran.stderr and value(large) == "0"
              and script("hugepages", "undo", *host).stdout == "nothing to undo\n", ran.stdout + ran.stderr + value(large))
    script("hugepages", "reserve", "--1g", "1", "--node", "0", *host)
    ran = script("hugepages", "reserve", "--1g", "2", "--2m", "100", "--node", "0", *host)
    tap.check("to what an earlier reserve made it, which undo still knows", ran.returncode == 1 and value(large) == "1"
              and script("hugepages", "undo", *host).returncode == 0 and value(large) == "0", ran.stdout + ran.stderr + value(large))
    for arguments in ((), ("reserve",), ("reserve", "--2m", "x"), ("reserve", "--2m", "08", "--node", "0"), ("reserve", "--2m"), ("undo", "--2m", "1"), ("lend",)):
        ran = script("hugepages", *arguments, *(host if len(arguments) != 1 or arguments[0] == "reserve" else ()))
        tap.check(f"wrong usage: hugepages {' '.join(arguments)}", ran.returncode == 2 and ran.stderr.count("\n") == 1, ran.stderr)


# What tune may change, on this host.
KNOBS = ("/" + THP, "/sys/kernel/mm/ksm/run", "/proc/sys/vm/swappiness", "/proc/sys/vm/stat_interval", "/proc/sys/kernel/*watchdog*",
         "/proc/sys/kernel/numa_balancing", "/sys/devices/virtual/workqueue/cpumask", "/proc/irq/default_smp_affinity",
         "/proc/irq/*/smp_affinity_list", "/sys/devices/system/clocksource/clocksource0/current_clocksource",
         "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor", "/sys/devices/system/cpu/cpu*/cpuidle/state*/disable",
         "/sys/kernel/mm/hugepages/*/nr_hugepages")


def knobs():
    return {path: value(path) for pattern in KNOBS for path in glob.glob(pattern)}


def why_not_here():
    if os.geteuid() != 0:
        return "changing the host wants root"
    if os.path.exists("/run/crosswire-host/tune") or os.path.exists("/run/crosswire-host/hugepages"):
        return "this host is tuned already; scripts/tune undo runs this too"
    if os.cpu_count() < 2 or not os.access("/" + THP, os.W_OK):
        return "one core only, or settings that cannot be written"
    return ""


def wait_for_my_turn():
    """One test of this host at a time, whoever's. The name is this process's until it ends."""
    turn = socket.socket(socket.AF_UNIX)
    for _ in range(3000):
        try:
            turn.bind("\0crosswire-tests-of-this-host")
            return turn
        except OSError:
            time.sleep(0.1)
    return None


def check_this_host(tap):
    """The fault is made, so that there is one: transparent hugepages always."""
    core = str(max(os.sched_getaffinity(0)))
    original = value("/" + THP)
    before = knobs()
    try:
        write("/" + THP, "always")
        faulty = knobs()
        found = findings("--cores", core)
        tap.check("the doctor shows a fault of this host", "thp" in found, list(found))
        ran = script("tune", "apply", "--cores", core)
        left = tunable(findings("--cores", core))
        tap.check("tune apply fixes all that the doctor says it can on this host", ran.returncode == 0 and left == [], f"{left}\n{ran.stdout}{ran.stderr}")
        ran = script("tune", "undo")
        tap.check("tune undo restores the very values", ran.returncode == 0 and knobs() == faulty, ran.stdout + ran.stderr)
        apply = subprocess.Popen([os.path.join(SCRIPTS, "tune"), "apply", "--cores", core], stdout=subprocess.DEVNULL, start_new_session=True)
        time.sleep(0.1)
        os.killpg(apply.pid, signal.SIGKILL)
        apply.wait()
        ran = script("tune", "undo")
        tap.check("and after an interruption, too", ran.returncode == 0 and knobs() == faulty, ran.stdout + ran.stderr)
        folder = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
        if len(glob.glob("/sys/devices/system/node/node[0-9]*")) > 1 or value(folder) is None:
            tap.skip("scripts/hugepages reserves and gives back", "several nodes, or no hugepages")
        else:
            wanted = int(value(folder)) + 4
            ran = script("hugepages", "reserve", "--2m", str(wanted))
            got = value(folder)
            again = script("hugepages", "undo")
            tap.check("scripts/hugepages reserves and gives back", ran.returncode == 0 and int(got) == wanted and again.returncode == 0
                      and knobs() == faulty, ran.stdout + ran.stderr + again.stdout + again.stderr)
    finally:
        if os.path.exists("/run/crosswire-host/tune"):
            script("tune", "undo")
        if os.path.exists("/run/crosswire-host/hugepages"):
            script("hugepages", "undo")
        write("/" + THP, original)
    tap.check("nothing of this host stays changed", knobs() == before, set(knobs().items()) ^ set(before.items()))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # by way of `finally`
    tap = Tap()
    root = tempfile.mkdtemp(prefix="crosswire-tune-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        check_made_up_host(tap, root)
        check_interruptions(tap, root)
        check_refusals(tap, root)
        check_made_up_hugepages(tap, root)
        turn = wait_for_my_turn()
        why = why_not_here() if turn else "another test of this host does not end"
        if why:
            tap.skip("tune and undo on this host", why)
        else:
            check_this_host(tap)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return tap.end()


sys.exit(main())
