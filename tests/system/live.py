#!/usr/bin/env python3
"""The appliance live: `crosswire run --record` on one end of a veth pair, a client with the kernel's sockets on the other.

Each check is a sentence. Needs root for the network namespaces it makes (and removes again); says so and skips
otherwise. Python's standard library and iproute2 only. The program is named by $CROSSWIRE. Output: TAP."""

import array
import ctypes
import fcntl
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from tap import Tap, figure, two_accounts, write_config

OUR_ADDRESS, CLIENT_ADDRESS = "10.99.0.1", "10.99.0.100"
ORDER_PORT, FEED_PORT, REQUEST_PORT, GROUP = 26400, 26477, 26478, "239.192.0.1"
APPLIANCE_NS, CLIENT_NS = f"crosswire-a{os.getpid()}", f"crosswire-c{os.getpid()}"
APPLIANCE_IF, CLIENT_IF = "xwire0", "xclient0"
CLIENT_MAC = "02:00:00:00:00:64"
END_OF_SESSION = 0xFFFF
PATIENCE = 60  # seconds, for what comes at once on a machine that is not busy

CONFIG = two_accounts(f"net_af_packet0,iface={APPLIANCE_IF}", """
[orders]
messages_kept = 4096
silence_s = 600  # these clients send no heartbeats
[feed]
messages_kept = 8192
[limits]
max_orders = 10000
max_levels = 1000
""")


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def enter_namespace(name):
    with open(f"/run/netns/{name}") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def switch_offloads_off(interface):
    """What `ethtool -K INTERFACE tx off tso off gso off gro off` does, without ethtool."""
    siocethtool, commands = 0x8946, {"STXCSUM": 0x17, "STSO": 0x1F, "SGSO": 0x24, "SGRO": 0x2C}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in commands.values():
            value = array.array("I", [command, 0])
            request = struct.pack("16sP8x", interface.encode(), value.buffer_info()[0])
            fcntl.ioctl(control, siocethtool, request)


def make_link(*about_ours):
    """A client that comes back with another MAC would have to log in again."""
    ip("link", "add", APPLIANCE_IF, "netns", APPLIANCE_NS, *about_ours, "type", "veth",
       "peer", "name", CLIENT_IF, "netns", CLIENT_NS, "address", CLIENT_MAC)
    ip("-n", APPLIANCE_NS, "link", "set", APPLIANCE_IF, "up")  # without an address, or its kernel would answer, too
    ip("-n", CLIENT_NS, "addr", "add", f"{CLIENT_ADDRESS}/24", "dev", CLIENT_IF)
    ip("-n", CLIENT_NS, "link", "set", CLIENT_IF, "up")
    ip("-n", CLIENT_NS, "route", "add", "239.0.0.0/8", "dev", CLIENT_IF)
    # Asked for once: the kernel must not look again whether the appliance is there, which the appliance would count.
    ip("-n", CLIENT_NS, "ntable", "change", "name", "arp_cache", "dev", CLIENT_IF, "base_reachable", "3600000")


def set_up_link():
    for namespace in (APPLIANCE_NS, CLIENT_NS):
        ip("netns", "add", namespace)
        subprocess.run(["ip", "netns", "exec", namespace, "sh", "-c",
                        "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6;"
                        "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"], check=False, capture_output=True)
    make_link()
    enter_namespace(CLIENT_NS)
    switch_offloads_off(CLIENT_IF)


def remove_link():
    for namespace in (APPLIANCE_NS, CLIENT_NS):
        subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True)


class Listener(threading.Thread):
    """Keeps every datagram that a socket gets."""

    def __init__(self, sock):
        super().__init__(daemon=True)
        so_rcvbufforce = 33  # else the host's limit is too small for what comes while we are without a core
        sock.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, 4 << 20)
        self.sock, self.datagrams, self.news, self.stopping = sock, [], threading.Condition(), False
        self.start()

    def run(self):
        while not self.stopping:
            if not select.select([self.sock], [], [], 0.05)[0]:
                continue
            datagram = self.sock.recv(2048)
            with self.news:
                self.datagrams.append(datagram)
                self.news.notify_all()

    def wait(self, condition, seconds=PATIENCE):
        with self.news:
            return self.news.wait_for(lambda: condition(self.datagrams), seconds)

    def stop(self):
        self.stopping = True
        self.join()
        self.sock.close()


def is_soup(datagram):
    return datagram[0] == 0


def header(datagram):
    return struct.unpack(">10sQH", datagram[:20])


def blocks(datagram):
    """(number, message) of each message in a MoldUDP64 datagram."""
    if is_soup(datagram):
        return
    _, number, count = header(datagram)
    at = 20
    for i in range(0 if count == END_OF_SESSION else count):
        length, = struct.unpack(">H", datagram[at:at + 2])
        yield number + i, datagram[at + 2:at + 2 + length]
        at += 2 + length


class Client:
    """A trading firm: one socket, one account, OUCH over UDP."""

    def __init__(self, user, port):
        self.user, self.port, self.next, self.session = user, port, 1, b""
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((CLIENT_ADDRESS, port))
        self.inbox = Listener(self.sock)

    def send(self, payload):
        self.sock.sendto(payload, (OUR_ADDRESS, ORDER_PORT))

    def login(self):
        packet = b"L" + self.user.encode().ljust(6) + b"secret    " + b" " * 10 + b"1".rjust(20)
        self.send(struct.pack(">H", len(packet)) + packet)
        if not self.inbox.wait(lambda got: any(is_soup(d) and d[2:3] == b"A" for d in got)):
            return False
        self.session = next(d for d in self.inbox.datagrams if is_soup(d))[3:13]
        return True

    def messages(self, *messages):
        body = b"".join(struct.pack(">H", len(m)) + m for m in messages)
        self.send(struct.pack(">10sQH", self.session, self.next, len(messages)) + body)
        self.next += len(messages)

    def request(self, first, count):
        self.send(struct.pack(">10sQH", self.session, first, count))

    def answers(self, received=None):
        return [m for d in (received or self.inbox.datagrams) for _, m in blocks(d)]

    def wait_for(self, kinds, seconds=PATIENCE):
        """Until the types of all answers, the system events apart, are `kinds`."""
        return self.inbox.wait(lambda got: self.kinds(got) == kinds, seconds)

    def kinds(self, received=None):
        return b"".join(m[:1] for m in self.answers(received) if m[:1] != b"S").decode()


def enter(number, side, quantity, price):
    return struct.pack(">cIcI8sQccccc14sH", b"O", number, side, quantity, b"AAA".ljust(8), price, b"0", b"Y", b"A", b"N",
                       b"N", str(number).encode().ljust(14), 0)


def cancel(number, quantity=0):
    return struct.pack(">cII", b"X", number, quantity)


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def ping(count):
    """How many of `count` echo requests the kernel saw answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.settimeout(PATIENCE)
        answered = 0
        for i in range(count):
            body = bytes(range(56))
            bare = struct.pack(">BBHHH", 8, 0, 0, os.getpid() & 0xFFFF, i)
            message = struct.pack(">BBHHH", 8, 0, checksum(bare + body), os.getpid() & 0xFFFF, i) + body
            sock.sendto(message, (OUR_ADDRESS, 0))
            try:
                reply = sock.recv(2048)[20:]
            except socket.timeout:
                continue
            answered += reply[0] == 0 and reply[4:] == message[4:] and checksum(reply) == 0
        return answered


def join_feed():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((GROUP, FEED_PORT))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                    socket.inet_aton(GROUP) + socket.inet_aton(CLIENT_ADDRESS))
    return Listener(sock)


def frames_of(capture):
    """UDP datagrams (address, port, payload) of a classic capture of untagged IPv4 frames, in order."""
    with open(capture, "rb") as file:
        data = file.read()
    at, found = 24, []
    while at < len(data):
        length = struct.unpack("<I", data[at + 8:at + 12])[0]
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        if frame[12:14] == b"\x08\x00" and frame[23] == 17:
            port, udp_length = struct.unpack(">HH", frame[36:40])
            found.append((socket.inet_ntoa(frame[30:34]), port, frame[42:34 + udp_length]))
    return found


def wait_until_running(program):
    lines = []
    for line in program.stdout:
        lines.append(line)
        if line.startswith("running"):
            break
    return "".join(lines)


def trade(tap, ann, bob, feed):
    tap.check("answers ARP and pings", ping(3) == 3)
    tap.check("accepts logins", ann.login() and bob.login())

    ann.messages(enter(1, b"B", 300, 1000000))
    ann.wait_for("A")
    bob.messages(enter(1, b"S", 100, 990000))
    tap.check("answers an order with Accepted and both sides with Executed",
              ann.wait_for("AE") and bob.wait_for("AE"), f"{ann.kinds()} {bob.kinds()}")
    ann.messages(cancel(1, 150))
    ann.wait_for("AEC")
    ann.messages(cancel(1))
    tap.check("answers cancels", ann.wait_for("AECC"), ann.kinds())
    ann.messages(cancel(1))
    bob.messages(enter(2, b"S", 0, 990000))
    tap.check("rejects what is wrong and ignores what is too late", bob.wait_for("AEJ") and ann.kinds() == "AECC",
              f"{ann.kinds()} {bob.kinds()}")

    for number in range(2, 502):
        ann.messages(enter(number, b"B", 100, 1000000 + 100 * (number % 5)))
        if number % 50 == 0:
            time.sleep(0.002)
    tap.check("answers five hundred orders sent in bursts", ann.wait_for("AECC" + 500 * "A"), len(ann.kinds()))
    bob.messages(*[enter(number, b"S", 100, 1000000) for number in range(3, 28)])
    tap.check("executes against the best prices first", bob.wait_for("AEJ" + 25 * "AE"), bob.kinds())

    first = {number: message for d in ann.inbox.datagrams for number, message in blocks(d)}
    received = len(ann.inbox.datagrams)
    ann.request(2, 3)
    ann.inbox.wait(lambda got: any(not is_soup(d) and header(d)[1:] == (2, 3) for d in got[received:]))
    again = next((d for d in ann.inbox.datagrams[received:] if not is_soup(d) and header(d)[2] == 3), b"")
    tap.check("sends answers again when asked", len(again) > 20 and dict(blocks(again)) == {n: first[n] for n in (2, 3, 4)})

    feed.wait(lambda got: sum(1 for d in got for _ in blocks(d)) >= 500)
    numbers = [number for d in feed.datagrams for number, _ in blocks(d)]
    tap.check("publishes a feed without a gap", len(numbers) >= 500 and numbers == list(range(numbers[0], numbers[0] + len(numbers))))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((CLIENT_ADDRESS, 0))
    asker = Listener(sock)
    sock.sendto(struct.pack(">10sQH", header(feed.datagrams[-1])[0], numbers[0], 5), (OUR_ADDRESS, REQUEST_PORT))
    asker.wait(lambda got: got)
    sent = [m for d in feed.datagrams for _, m in blocks(d)][:5]
    tap.check("sends feed messages again when asked", [m for d in asker.datagrams for _, m in blocks(d)] == sent)
    asker.stop()
    beats = lambda got: any(not is_soup(d) and header(d)[2] == 0 for d in got)
    tap.check("sends heartbeats when there is nothing to say", ann.inbox.wait(beats) and feed.wait(beats))


def is_end(datagram):
    return not is_soup(datagram) and header(datagram)[2] == END_OF_SESSION


def ends(count):
    return lambda got: sum(1 for d in got if is_end(d)) >= count


def linger(tap, appliance, ann, bob, feed):
    """Behind the day's end: what one who has missed some can still do, until a second signal."""
    appliance.send_signal(signal.SIGINT)
    tap.check("ends sessions and feed", all(inbox.wait(ends(1)) for inbox in (ann.inbox, bob.inbox, feed)))
    answers, received = len(ann.answers()), len(ann.inbox.datagrams)
    ann.request(2, 3)
    again = lambda got: any(not is_soup(d) and header(d)[1:] == (2, 3) for d in got[received:])
    tap.check("sends answers again behind the day's end", ann.inbox.wait(again))
    ann.messages(enter(1000, b"B", 100, 1000000))
    tap.check("says the end again each second", all(inbox.wait(ends(3)) for inbox in (ann.inbox, bob.inbox, feed)))
    tap.check("takes no order any more", len(ann.answers()) == answers + 3, ann.answers()[answers:])
    tap.check("still lingers", appliance.poll() is None)
    appliance.send_signal(signal.SIGINT)


def run_all(tap, program, folder):
    config, recording, replayed = (os.path.join(folder, name) for name in ("c.toml", "in.pcap", "out.pcap"))
    write_config(config, CONFIG.replace("linger_s = 0", "linger_s = 3600"))
    appliance = subprocess.Popen(["ip", "netns", "exec", APPLIANCE_NS, program, "run", "--config", config, "--record", recording],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        started = wait_until_running(appliance)
        tap.check("starts on a DPDK device", "running until" in started, started)
        ann, bob, feed = Client("ann", 40001), Client("bob", 40002), join_feed()
        trade(tap, ann, bob, feed)
        linger(tap, appliance, ann, bob, feed)
        figures, errors = appliance.communicate(timeout=PATIENCE)
    finally:
        if appliance.poll() is None:
            appliance.kill()
    tap.check("ends at once at a second SIGINT, prints its figures and leaves with 0",
              appliance.returncode == 0 and figure(figures, "state_hash") is not None, figures + errors)
    for inbox in (ann.inbox, bob.inbox, feed):
        inbox.stop()

    replay = subprocess.run([program, "replay", "--config", config, "--in", recording, "--out", replayed],
                            capture_output=True, text=True, check=False)
    tap.check("replays its recording", replay.returncode == 0, replay.stdout + replay.stderr)
    tap.check("arrives at the same state in the replay",
              figure(replay.stdout, "state_hash") == figure(figures, "state_hash"), figures + replay.stdout)
    frames = frames_of(replayed) if replay.returncode == 0 else []
    for name, inbox, endpoint in (("one client", ann.inbox, (CLIENT_ADDRESS, 40001)), ("the other", bob.inbox, (CLIENT_ADDRESS, 40002))):
        expected = [payload for address, port, payload in frames if (address, port) == endpoint]
        tap.check(f"sends the same answers to {name} in the replay", inbox.datagrams == expected,
                  f"{len(inbox.datagrams)} live, {len(expected)} in the replay")
    published = [payload for address, port, payload in frames if (address, port) == (GROUP, FEED_PORT)]
    live = feed.datagrams  # the client joined after the start
    tap.check("publishes the same datagrams in the replay", live and published[-len(live):] == live,
              f"{len(live)} live, {len(published)} in the replay")
    tap.check("leaves nothing behind but its recording",
              sorted(os.listdir(folder)) == ["c.toml", "in.pcap", "out.pcap"], os.listdir(folder))


def on_the_link(name, checks):
    """Runs `checks` (Tap, program, folder of their own) with the link set up, or says why it cannot. Exit status."""
    program = os.environ.get("CROSSWIRE")
    if program is None:
        print("1..0 # SKIP CROSSWIRE does not name the program")
        return 0
    if os.geteuid() != 0 or shutil.which("ip") is None:
        print("1..0 # SKIP needs root and iproute2, for network namespaces")
        return 0
    tap, folder = Tap(), tempfile.mkdtemp(prefix=f"crosswire-{name}-")
    try:
        try:
            set_up_link()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"1..0 # SKIP no network namespace or veth pair to be had here: {error}")
            return 0
        checks(tap, os.path.abspath(program), folder)
    finally:
        remove_link()
        shutil.rmtree(folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(on_the_link("live", run_all))
