#!/usr/bin/env python3
"""crosswire's TCP with the kernel as its peer: `crosswire echo --tcp` on one end of a veth pair, the kernel's sockets on the
other, as clients use them: in bulk, in short messages, many at once, closing in every way, vanishing. What was on the wire is
looked at with tshark. Over a link of its own, with live.py's set-up. Output: TAP.

$CROSSWIRE_TCP_IDLE_S: for how many seconds a client that reads sends nothing after an answer (2)."""

import os
import random
import select
import shutil
import socket
import sys
import time

from live import CLIENT_ADDRESS, OUR_ADDRESS, PATIENCE, on_the_link
from tcp_peer import (PORT, Capture, Echo, Sending, at_its_end, by_port, can_be_made_bad, connect, dissected, drop, echoed,
                      keep_order, make_good, pattern, port_of, read, reset, silence, waits)

IDLE_S = float(os.environ.get("CROSSWIRE_TCP_IDLE_S", "2"))
MANY = 450
GONE_S = 15  # TcpConfig::silence_ns


def bulk(tap, size):
    with connect() as sock:
        began = time.monotonic()
        good = echoed(sock, pattern(size))
        tap.check(f"{size / 1e6:.0f} MB go both ways at once, every byte once and in its place", good)
        print(f"# {2 * size / 1e6 / (time.monotonic() - began):.0f} MB/s, both ways together")


def short_messages(tap, count):
    sizes = random.Random(2)
    with connect() as sock:
        messages = [pattern(sizes.randrange(1, 200), seed) for seed in range(count)]
        good = True
        for message in messages:
            sock.sendall(message)
            good = good and read(sock, len(message)) == message
        tap.check(f"{count} short messages are answered one by one", good)
        sending = Sending(sock, *messages)
        good = read(sock, sum(map(len, messages))) == b"".join(messages)
        sending.join()
        tap.check("and as many without waiting for the answers", good)


def many_at_once(tap, count):
    """All of them begin at the same time: some come in by a cookie, where the backlog is full."""
    socks = []
    for _ in range(count):
        sock = socket.socket()
        sock.bind((CLIENT_ADDRESS, 0))
        sock.setblocking(False)
        sock.connect_ex((OUR_ADDRESS, PORT))
        socks.append(sock)
    for sock in socks:
        sock.settimeout(PATIENCE)
        select.select([], [sock], [], PATIENCE)
    opened = sum(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0 for sock in socks)
    tap.check(f"{count} connections are open at once", opened == count, opened)
    good = 0
    for turn in range(3):
        messages = [pattern(300, 1000 * turn + i) for i in range(count)]
        for sock, message in zip(socks, messages):
            sock.sendall(message)
        good += sum(read(sock, len(message)) == message for sock, message in zip(socks, messages))
    tap.check("and each gets its own bytes back", good == 3 * count, good)
    for sock in socks:
        sock.close()


def ends(tap):
    data = pattern(1_000_000, 3)
    with connect() as sock:
        sending = Sending(sock, data)
        got = read(sock, 100_000)
        got += read(sock, len(data) - len(got))
        sending.join()
        sock.shutdown(socket.SHUT_WR)
        tap.check("a client that has ended its stream sees the end of ours", got == data and at_its_end(sock))
    with connect() as sock:
        sock.sendall(data[:30_000])
        sock.shutdown(socket.SHUT_WR)
        time.sleep(0.1)
        tap.check("what is under way when it does comes all the same", read(sock, 1 << 20) == data[:30_000])
    with connect() as sock:
        sock.shutdown(socket.SHUT_WR)
        tap.check("also when nothing was ever sent", at_its_end(sock))
    with connect() as sock:
        sock.sendall(data[:1000])
        sock.shutdown(socket.SHUT_RD)
        sock.sendall(data[:1000])
        sock.shutdown(socket.SHUT_WR)


def killed(tap):
    data = pattern(5000, 3)
    port = port_of(again := connect())
    began = time.monotonic()
    for _ in range(5):
        again.sendall(data)
        time.sleep(0.01)
        reset(again)  # with bytes unread
        again = connect(port)
    good, took = echoed(again, data), time.monotonic() - began
    tap.check("a client that was killed comes back from the same port at once, and again", good and took < 1, took)
    again.close()


def stolen():
    """Seconds of the processors' time that the host has kept from this machine since it was booted."""
    with open("/proc/stat", encoding="ascii") as file:
        return int(file.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def clean(tap, program, folder, driver, device_options, options, sizes):
    """A round on a link that loses nothing, and what tshark says of it."""
    stolen_before = stolen()
    megabytes, messages, connections = sizes
    path = os.path.join(folder, "clean.pcap")
    with Echo(program, folder, "--connections", "512", *options, driver=driver, device_options=device_options) as echo:
        if not echo.runs and driver == "net_af_xdp0":
            return tap.skip("the same over net_af_xdp", "it does not open here")
        tap.check(f"the echo starts on {driver}{', a core for each half' if options else ''}", echo.runs, echo.said)
        capture = Capture(path) if shutil.which("dumpcap") and shutil.which("tshark") else None
        bulk(tap, megabytes * 1_000_000)
        short_messages(tap, messages)
        many_at_once(tap, connections)
        ends(tap)
        time.sleep(0.2)
        told = capture.end() if capture else ""
        echo.end()
        tap.check("it ends when it is told to", echo.process.returncode == 0, echo.said)
        opened = echo["tcp_opened"]
        tap.check("every connection is closed by both sides, or reset by its client",
                  echo["tcp_finished"] + echo["tcp_reset_by_peer"] == opened, echo.said)
    if capture is None:
        tap.skip("tshark finds nothing wrong", "no tshark or dumpcap here")
    else:
        looked_at(tap, path, told, echo, "--send-core" in options, stolen() - stolen_before)


def looked_at(tap, path, told, echo, on_two_cores, stolen_seconds):
    malformed = ["_ws.malformed", "_ws.expert.group == Malformed", "tcp.checksum.status == 0", "ip.checksum.status == 0"]
    odd = ["tcp.analysis.out_of_order", "tcp.analysis.ack_lost_segment", "tcp.analysis.lost_segment"]
    again = ["tcp.analysis.retransmission", "tcp.analysis.fast_retransmission"]
    fields = ["_ws.malformed", "tcp.checksum.status", "ip.checksum.status", *odd, *again, "tcp.analysis.rto"]
    rows = dissected(path, " || ".join([*malformed, *odd, *again]), *fields)
    # Of the appliance's alone: its client's kernel may show a frame to the capture before the sum is in it.
    wrong = [row for row in rows if row["ip.src"] == OUR_ADDRESS
             and (row["_ws.malformed"] or "0" in (row["tcp.checksum.status"], row["ip.checksum.status"]))]
    tap.check("tshark finds no malformed packet and no wrong checksum", not wrong, wrong[:10])
    sent_again = [row for row in rows if any(row[name] for name in again)]
    late = [row for row in rows if row not in wrong and row not in sent_again]
    # On two busy cores one half may be without its core while the other's clock goes on, and frames of both leave as the
    # scheduler likes: nothing can be said of that.
    if not on_two_cores:
        tap.check("nor anything out of order, nor an acknowledgement of what it has not seen", not late, [told, *late[:10], echo.said])
    # Who waits for a core longer than a time-out or a probe of the tail has what it sent sent again; nothing else may.
    at_once = [(row, wait) for row, wait in zip(sent_again, waits(path, sent_again)) if wait < 0.001]
    what = "nor a retransmission but where an acknowledgement was awaited for long"
    if at_once and not on_two_cores and stolen_seconds >= 0.06:
        # Between its look at the clock and its frame's leave the stack may have stood still for longer than its shortest
        # time-out: then the frame and its repeat leave together.
        tap.skip(what, f"the host kept its processors from this machine for {stolen_seconds:.2f} s meanwhile")
    elif not on_two_cores:
        tap.check(what, not at_once, [*at_once[:10], echo.said])
    print(f"# {len(sent_again)} of {echo['tcp_sent'] + echo['tcp_segments']} segments were sent again, {len(at_once)} of them at once")


# ---- Clients that are slow, silent or gone --------------------------------------------------------------------------------


def is_refused_a_window(tap):
    data = pattern(600_000, 4)
    with connect(receive_bytes=4096, send_bytes=32768) as sock:
        sending = Sending(sock, data)
        time.sleep(1.5)
        stuck = sending.is_alive()
        got = read(sock, len(data) // 2)
        time.sleep(0.7)
        got += read(sock, len(data) - len(got))
        sending.join(PATIENCE)
        tap.check("a client that stops reading is waited for, and goes on where it stopped", stuck and got == data, (stuck, len(got)))


def sends_byte_by_byte(tap):
    data = pattern(3000, 5)
    with connect() as sock:
        for byte in data:
            sock.sendall(bytes([byte]))
        tap.check("a client that sends a byte at a time is answered", read(sock, len(data)) == data)


def never_reads():
    sock = connect()
    sock.setblocking(False)
    for _ in range(1000):
        try:
            sock.send(b"x" * 10_000)
        except BlockingIOError:
            break
    return sock


def reboots(tap):
    """Its kernel forgets the connection and tells nobody; then it opens the same one again."""
    before = connect()
    port = port_of(before)
    echoed(before, b"before")
    silence(port)
    reset(before)
    make_good()
    began = time.monotonic()
    try:
        with connect(port) as sock:
            took = time.monotonic() - began
            tap.check("a client that has rebooted comes back by the challenge's answer", echoed(sock, b"after") and took < 5, took)
    except OSError as error:
        tap.check("a client that has rebooted comes back by the challenge's answer", False, error)


def slow_and_silent(tap, program, folder):
    bad = can_be_made_bad()
    with Echo(program, folder, "--connections", "64", "--keepalive", "1") as echo:
        idle, reader, deaf = connect(), connect(), never_reads()
        good = True
        killed(tap)
        if bad:
            reboots(tap)
        else:
            tap.skip("a client that has rebooted comes back by the challenge's answer", "tc cannot drop here")
        if bad:
            quiet, waiting = connect(), connect()
            echoed(quiet, b"hello")
            echoed(waiting, b"hello")
            drop(egress=by_port(34, port_of(quiet)), ingress=by_port(36, port_of(quiet)))
            drop(ingress=by_port(36, port_of(waiting)))
            waiting.sendall(b"the answer to this never comes")
            time.sleep(0.05)
            silence(port_of(waiting))
            vanished = time.monotonic()
        for turn in range(2):
            good = good and echoed(reader, pattern(1000, turn))
            time.sleep(IDLE_S)
        tap.check("a client that reads and then sends nothing is answered when it goes on", good and echoed(reader, b"still here"))
        is_refused_a_window(tap)
        sends_byte_by_byte(tap)
        if bad:
            time.sleep(max(0.0, vanished + GONE_S + 4 - time.monotonic()))
        tap.check("one that was idle for all this time, and asked whether it is there, still is", echoed(idle, pattern(100_000)))
        reset(deaf)
        for sock in (idle, reader):
            sock.close()
        time.sleep(0.2)
        echo.end()
        tap.check("one that never reads holds up nobody", echo["tcp_probes_of_window"] > 0 and echo["tcp_cut"] == 0, echo.said)
        if bad:
            tap.check("who vanishes is found out, idle or with an answer under way", echo["tcp_silent"] == 2, echo.said)
            for sock in (quiet, waiting):
                reset(sock)
            make_good()
        else:
            tap.skip("who vanishes is found out", "tc cannot drop here")


def sinks(tap, program, folder):
    with Echo(program, folder, "--sink") as echo:
        with connect() as sock:
            sock.sendall(pattern(20_000_000))
            sock.shutdown(socket.SHUT_WR)
            tap.check("a sink takes all and closes when its client does", at_its_end(sock))
        time.sleep(0.2)
        echo.end()
        tap.check("and has got every byte", echo["tcp_bytes"] == 20_000_000 and echo["tcp_finished"] == 1, echo.said)


def has_no_more_room(tap, program, folder):
    with Echo(program, folder, "--connections", "4") as echo:
        socks = [connect() for _ in range(4)]
        refused = 0
        for _ in range(10):
            try:
                connect().close()
            except ConnectionRefusedError:
                refused += 1
        tap.check("a fifth client of four is refused at once", refused == 10, refused)
        tap.check("and the others do not notice", all(echoed(sock, pattern(50_000)) for sock in socks))
        socks.pop().close()
        time.sleep(0.2)
        with connect() as sock:
            tap.check("a place that is left is taken again", echoed(sock, b"hello"))
        for sock in socks:
            sock.close()
        time.sleep(0.2)
        echo.end()
        tap.check("who was refused is counted", echo["tcp_refused_full"] == 10 and echo["tcp_finished"] == 5, echo.said)


def run_all(tap, program, folder):
    keep_order()
    # A ring that holds all that so many send at once while the echo is without its core.
    wide = ",framecnt=4096"
    clean(tap, program, folder, "net_af_packet0", wide, [], (20, 3000, MANY))
    clean(tap, program, folder, "net_af_packet0", wide, ["--send-core", str(max(os.sched_getaffinity(0)))], (5, 500, 100))
    clean(tap, program, folder, "net_af_xdp0", ",busy_budget=0", [], (5, 500, 100))
    slow_and_silent(tap, program, folder)
    sinks(tap, program, folder)
    has_no_more_room(tap, program, folder)


if __name__ == "__main__":
    sys.exit(on_the_link("tcp", run_all))
