#!/usr/bin/env python3
"""crosswire's TCP with the kernel as its peer over a bad link: frames lost at random both ways (tc's clsact with a filter that
throws dice), queues that are too short for what is sent (tbf), the link down for a while. Every byte arrives all the same.
Over a veth pair of its own, with live.py's set-up. Output: TAP."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from live import APPLIANCE_IF, APPLIANCE_NS, CLIENT_IF, on_the_link
from tcp_peer import Echo, at_random, can_be_made_bad, connect, drop, echoed, make_good, pattern, read, tc


def one_client(seed, size, messages):
    """In bulk both ways, then messages that wait for their answers."""
    with connect() as sock:
        good = echoed(sock, pattern(size, seed))
        for number in range(messages):
            message = pattern(20 + number % 300, 100 * seed + number)
            sock.sendall(message)
            good = good and read(sock, len(message)) == message
        return good


def clients(count, size, messages):
    with ThreadPoolExecutor(count) as pool:
        began = time.monotonic()
        good = list(pool.map(lambda seed: one_client(seed, size, messages), range(count)))
        return all(good), time.monotonic() - began


def loses(tap, percent, count, size, messages):
    drop(egress=at_random(percent), ingress=at_random(percent))
    good, took = clients(count, size, messages)
    make_good()
    tap.check(f"every byte arrives where {percent} % of the frames are lost each way", good)
    print(f"# {count} connections, {size} bytes and {messages} messages each: {took:.1f} s")


def is_narrow(tap):
    """Both queues hold a dozen frames."""
    narrow = ["root", "tbf", "rate", "100mbit", "burst", "8k", "limit", "20k"]
    tc("qdisc", "add", "dev", CLIENT_IF, *narrow)
    tc("qdisc", "add", "dev", APPLIANCE_IF, *narrow, namespace=APPLIANCE_NS)
    good, took = clients(4, 1_000_000, 5)
    make_good()
    tap.check("and where more is sent than the way between takes", good)
    print(f"# 4 connections, 1000000 bytes each at 100 Mbit/s: {took:.1f} s")


def is_down_for_a_while(tap):
    with connect() as sock, ThreadPoolExecutor(1) as pool:
        echoed(sock, b"before")
        echo = pool.submit(echoed, sock, pattern(3_000_000))
        time.sleep(0.05)
        drop(egress=at_random(100), ingress=at_random(100))
        time.sleep(1.5)
        make_good()
        tap.check("and where nothing came through for a while", echo.result())


def run_all(tap, program, folder):
    if not can_be_made_bad():
        tap.skip("the link loses frames", "tc has no clsact or no bpf here")
        return
    with Echo(program, folder, "--connections", "64") as echo:
        for percent, count, size, messages in ((1, 4, 3_000_000, 100), (3, 4, 1_000_000, 50), (10, 8, 200_000, 20)):
            loses(tap, percent, count, size, messages)
        is_narrow(tap)
        is_down_for_a_while(tap)
        echo.end()
        counted = all(echo[name] > 0 for name in ("tcp_retransmitted", "tcp_fast_recoveries", "tcp_out_of_order", "tcp_timeouts"))
        tap.check("with what it took to get there counted", counted, echo.said)
        print(f"# of {echo['tcp_sent']} segments {echo['tcp_retransmitted']} were sent again, behind {echo['tcp_fast_recoveries']} recoveries, "
              f"{echo['tcp_timeouts']} time-outs and {echo['tcp_probes_of_tail']} probes")
        tap.check("and no connection cut", echo["tcp_cut"] + echo["tcp_silent"] + echo["tcp_resets_sent"] == 0, echo.said)
    if (os.cpu_count() or 1) < 2:
        return
    with Echo(program, folder, "--connections", "64", "--send-core", str(max(os.sched_getaffinity(0)))) as echo:
        loses(tap, 3, 4, 200_000, 10)
        echo.end()


if __name__ == "__main__":
    sys.exit(on_the_link("tcp-bad-link", run_all))
