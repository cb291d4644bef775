#!/usr/bin/env python3
"""crosswire's TCP under attack, beside clients that work, the kernel's: a flood of SYNs, segments and ICMP errors forged by
somebody who sees nothing and by somebody who sees nearly all, storms of acknowledgements, what is damaged or in fragments. No
client that works may notice more than a wait. Over a veth pair of its own, with live.py's set-up. Output: TAP."""

import os
import random
import statistics
import struct
import sys
import time

from link import neighbours_mac
from live import on_the_link
from tcp_peer import (ACK, FIN, PSH, RST, SYN, Echo, Raw, connect, echoed, numbers_of, pattern, port_of, read,
                      received_packets)

WORKING = 100
FLOOD_S = 3
STORM = 20_000


def floods(raw, seconds):
    """SYNs of clients that there are not, from another process. Its id."""
    pid = os.fork()
    if pid != 0:
        return pid
    try:
        numbers = random.Random(1)
        frames = [raw.segment(numbers.randrange(1024, 65536), SYN, numbers.randrange(2**32), options=b"\2\4\5\xb4",
                              source=f"10.99.0.{numbers.randrange(101, 255)}") for _ in range(5000)]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for i in range(0, len(frames), 50):
                raw.send(*frames[i:i + 50])
                time.sleep(0.002)
                if time.monotonic() > until:
                    break
    finally:
        os._exit(0)


def rounds_of(socks, until):
    """Round trips of one message after the other, in seconds, and whether all came back."""
    took, number = [], 0
    while time.monotonic() < until:
        for sock in socks:
            message = pattern(64, number)
            number += 1
            began = time.perf_counter()
            sock.sendall(message)
            if read(sock, len(message)) != message:
                return took, False
            took.append(time.perf_counter() - began)
    return took, True


def said_of(times):
    times = sorted(times)
    return f"{len(times)} round trips, p50 {1e6 * statistics.median(times):.0f} us, p99 {1e6 * times[len(times) * 99 // 100]:.0f} us, longest {1e3 * times[-1]:.1f} ms"


def is_flooded(tap, program, folder):
    with Echo(program, folder, "--connections", "256", "--backlog", "16") as echo:
        socks = [connect() for _ in range(WORKING)]
        raw = Raw(neighbours_mac())
        calm, _ = rounds_of(socks, time.monotonic() + 0.5)
        child = floods(raw, FLOOD_S)
        flooded, good = rounds_of(socks, time.monotonic() + FLOOD_S / 2)
        came = connect()
        tap.check("a new client comes in through a flood of SYNs", echoed(came, pattern(5000)))
        more, good_too = rounds_of(socks, time.monotonic() + FLOOD_S / 2)
        os.waitpid(child, 0)
        tap.check(f"the {WORKING} that work lose nothing", good and good_too and all(echoed(sock, pattern(3000)) for sock in socks))
        print(f"# before the flood: {said_of(calm)}")
        print(f"# in the flood:     {said_of(flooded + more)}")
        for sock in (came, *socks):
            sock.close()
        time.sleep(0.2)
        raw.close()
        echo.end()
        tap.check("who floods gets cookies, and the new client was let in by one",
                  echo["tcp_cookies_sent"] > 1000 and echo["tcp_cookies_taken"] >= 1, echo.said)
        tap.check("and no connection is lost", echo["tcp_opened"] == WORKING + 1 == echo["tcp_finished"], echo.said)
        print(f"# {echo['tcp_cookies_sent']} cookies sent, {echo['tcp_sent']} segments in all, {echo['tcp_segments']} taken in")


def injected(raw, port, next_in, next_out, rights):
    """What the blind guess: numbers anywhere. What one who has seen them nearly guesses: within the window, not the very next."""
    numbers = random.Random(7)
    anywhere = [numbers.randrange(2**32) for _ in range(500)]
    for number in anywhere:
        if (number - next_in) % 2**32 < 2**17 or (next_in - number) % 2**32 < 2**17:
            continue
        yield raw.segment(port, RST, number)
        yield raw.segment(port, RST | ACK, number, numbers.randrange(2**32))
        yield raw.segment(port, SYN, number, options=b"\2\4\5\xb4")
        yield raw.segment(port, ACK | PSH, number, numbers.randrange(2**32), b"forged", options=rights)
        yield raw.segment(port, FIN | ACK, number, numbers.randrange(2**32), options=rights)
    for ahead in range(1, 60_000, 500):
        yield raw.segment(port, RST, next_in + ahead)
        yield raw.segment(port, SYN, next_in + ahead, options=b"\2\4\5\xb4")
        yield raw.segment(port, SYN | ACK, next_in + ahead, next_out)
        yield raw.segment(port, ACK | PSH, next_in, next_out + 1 + ahead, b"forged", options=rights)  # of what was not sent
        yield raw.segment(port, ACK | PSH, next_in, next_out - 2**30 - ahead, b"forged", options=rights)  # too old
        yield raw.segment(port, PSH, next_in, 0, b"forged", options=rights)
        yield raw.segment(port, ACK | PSH, next_in, next_out, b"forged")  # no timestamp where both have agreed upon them
        yield raw.segment(port, SYN | FIN, next_in, 0)
    for code in range(16):
        yield raw.unreachable(port, next_out, code)
        yield raw.unreachable(port, next_out - 1, code)
        yield raw.unreachable(port, next_out + 2**20, code)


def rights_of(seen, later_ms):
    """A timestamp option that the appliance takes: later than all that the client has said so far."""
    value, echo = struct.unpack(">II", seen[4:12])
    return b"\1\1\x08\x0a" + struct.pack(">II", (echo + later_ms) % 2**32, value)


def is_lied_to(tap, raw, sock):
    next_in, next_out, options = numbers_of(sock)
    before = received_packets()
    frames = list(injected(raw, port_of(sock), next_in, next_out, rights_of(options, 60_000)))
    raw.send(*frames)
    time.sleep(0.2)
    answers = received_packets() - before
    tap.check("RSTs, SYNs, data, FINs and ICMP errors that are forged do nothing to a connection", echoed(sock, pattern(200_000)))
    tap.check("and are hardly answered", answers < 20, f"{answers} answers to {len(frames)}")


def is_stormed(tap, raw, sock):
    """Acknowledgements that say nothing new, that are old, and that are of what was not sent."""
    next_in, next_out, options = numbers_of(sock)
    rights, old, port = rights_of(options, 100), rights_of(options, -100), port_of(sock)
    storm = [raw.segment(port, ACK, next_in, next_out, options=old),
             raw.segment(port, ACK, next_in, next_out, options=rights), raw.segment(port, ACK, next_in, next_out - 100, options=rights),
             raw.segment(port, ACK, next_in, next_out + 100_000, options=rights), raw.segment(port, ACK, next_in - 5000, next_out, options=rights)]
    before = received_packets()
    for _ in range(STORM // 100):
        raw.send(*(20 * storm))
        time.sleep(0.002)
    time.sleep(0.2)
    answers = received_packets() - before
    tap.check("a storm of acknowledgements does nothing, and is hardly answered", echoed(sock, pattern(200_000)) and answers < 20,
              f"{answers} answers to {STORM}")


def is_damaged(tap, raw, sock):
    """Each would be the next of the stream if it were whole."""
    next_in, next_out, options = numbers_of(sock)
    rights, port = rights_of(options, 0), port_of(sock)
    good = lambda **more: raw.segment(port, ACK | PSH, next_in, next_out, b"forged", options=rights, **more)
    for _ in range(50):
        raw.send(good(wrong=1), good(wrong=0xFF00))
        raw.send(good(fragment=0x2000), good(fragment=1))
    broken = bytearray(good())
    broken[24] ^= 1  # the IPv4 header's checksum
    raw.send(*(50 * [bytes(broken)]))
    tap.check("what is damaged or a fragment is dropped", echoed(sock, pattern(20_000)))


def is_attacked(tap, program, folder, driver, device_options):
    with Echo(program, folder, "--connections", "16", driver=driver, device_options=device_options) as echo:
        if not echo.runs and driver == "net_af_xdp0":
            return tap.skip("the same over net_af_xdp", "it does not open here")
        raw = Raw(neighbours_mac())
        sock, other = connect(), connect()
        is_lied_to(tap, raw, sock)
        is_stormed(tap, raw, sock)
        is_damaged(tap, raw, sock)
        tap.check("nobody else notices", echoed(other, pattern(50_000)))
        sock.close()
        other.close()
        time.sleep(0.2)
        raw.close()
        echo.end()
        # net_af_packet has the kernel put fragments together first, which never become whole here.
        fragments = echo["ip_fragment"] == 100 or driver == "net_af_packet0"
        tap.check("each is counted: checksums, fragments, errors, RSTs, SYNs, acknowledgements",
                  echo["tcp_checksum"] == 100 and fragments and echo["ip_checksum"] == 50
                  and all(echo[name] > 0 for name in ("tcp_icmp_ignored", "tcp_rst_invalid", "tcp_syn_unexpected", "tcp_ack_invalid",
                                                      "tcp_out_of_window", "tcp_no_ack", "tcp_no_timestamp", "tcp_flags")), echo.said)
        tap.check("and both connections end as they would", echo["tcp_finished"] == 2, echo.said)


def run_all(tap, program, folder):
    with Echo(program, folder) as echo:  # who it is, asked for once
        connect().close()
        echo.end()
    is_flooded(tap, program, folder)
    is_attacked(tap, program, folder, "net_af_packet0", ",framecnt=4096")
    is_attacked(tap, program, folder, "net_af_xdp0", ",busy_budget=0")


if __name__ == "__main__":
    sys.exit(on_the_link("tcp-attack", run_all))
