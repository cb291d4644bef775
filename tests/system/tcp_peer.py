# What the tests of TCP against the kernel share: `crosswire echo --tcp` in the appliance's namespace, the kernel's sockets and
# frames of our own on the client's end, and tc, which makes the way bad. Over live.py's veth pair.
import contextlib
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import threading
import time

from live import APPLIANCE_IF, APPLIANCE_NS, CLIENT_ADDRESS, CLIENT_IF, CLIENT_MAC, CLIENT_NS, CONFIG, OUR_ADDRESS, PATIENCE, checksum, wait_until_running
from tap import write_config

PORT = 7
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
KEEP_ON, DROP = 0xFFFFFFFF, 2  # what tc's filters return: TC_ACT_UNSPEC, TC_ACT_SHOT


def pattern(size, seed=1):
    """Bytes of which no two places look alike."""
    return random.Random(seed).randbytes(size)


class Echo:
    """`crosswire echo --tcp` in the appliance's namespace."""

    def __init__(self, program, folder, *options, driver="net_af_packet0", device_options=""):
        config = os.path.join(folder, "echo.toml")
        write_config(config, CONFIG.replace(f"net_af_packet0,iface={APPLIANCE_IF}", f"{driver},iface={APPLIANCE_IF}{device_options}"))
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", APPLIANCE_NS, program, "echo", "--config", config, "--tcp", str(PORT), *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "RUNTIME_DIRECTORY": folder})
        self.said = wait_until_running(self.process)
        self.runs = "running" in self.said
        self.figures = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def end(self):
        """Its counters by name, those that are 0 left out."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=PATIENCE)
        self.said += out
        self.figures = {name: int(value) for name, value in re.findall(r"^  (\w+) +(\d+)  ", out, re.M)}
        return self.figures

    def __getitem__(self, name):
        return self.figures.get(name, 0)


def connect(port=0, seconds=PATIENCE, receive_bytes=0, send_bytes=0):
    """A client of the echo, from this port of ours."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    if send_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_bytes)
    sock.bind((CLIENT_ADDRESS, port))
    sock.settimeout(seconds)
    try:
        sock.connect((OUR_ADDRESS, PORT))
    except OSError:
        sock.close()
        raise
    return sock


def port_of(sock):
    return sock.getsockname()[1]


def read(sock, size):
    """So many bytes, or what came until the stream ended."""
    got = bytearray()
    with contextlib.suppress(OSError):
        while len(got) < size:
            some = sock.recv(min(1 << 16, size - len(got)))
            if not some:
                break
            got += some
    return bytes(got)


class Sending(threading.Thread):
    """Sends while others read."""

    def __init__(self, sock, *messages):
        super().__init__(daemon=True)
        self.sock, self.messages = sock, messages
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            for message in self.messages:
                self.sock.sendall(message)


def echoed(sock, data):
    """Whether every byte comes back in its place while the others are still sent."""
    sending = Sending(sock, data)
    good = read(sock, len(data)) == data
    sending.join(PATIENCE)
    return good and not sending.is_alive()


def reset(sock):
    """Leaves with an RST, as what is killed with bytes unread does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def at_its_end(sock):
    with contextlib.suppress(ConnectionResetError):
        return sock.recv(1) == b""
    return False


# ---- A bad way ------------------------------------------------------------------------------------------------------------


def tc(*arguments, namespace=None):
    subprocess.run(["tc", *(["-n", namespace] if namespace else []), *arguments], check=True, capture_output=True, text=True)


def bytecode(*instructions):
    """Classic BPF: (code, jump if true, jump if false, operand)."""
    return ",".join([str(len(instructions)), *(" ".join(map(str, i)) for i in instructions)])


def at_random(percent):
    random_number = 0xFFFFF000 + 56
    return bytecode((0x20, 0, 0, random_number), (0x35, 0, 1, int(percent / 100 * 2**32)), (6, 0, 0, KEEP_ON), (6, 0, 0, DROP))


def by_port(offset, port):
    return bytecode((0x28, 0, 0, offset), (0x15, 0, 1, port), (6, 0, 0, DROP), (6, 0, 0, KEEP_ON))


def can_be_made_bad():
    try:
        tc("qdisc", "add", "dev", CLIENT_IF, "clsact")
        tc("filter", "add", "dev", CLIENT_IF, "egress", "protocol", "ip", "bpf", "da", "bytecode", at_random(0.001))
    except (OSError, subprocess.CalledProcessError):
        return False
    make_good()
    return True


def make_good():
    for arguments in (["qdisc", "del", "dev", CLIENT_IF, "clsact"], ["qdisc", "del", "dev", CLIENT_IF, "root"],
                      ["-n", APPLIANCE_NS, "qdisc", "del", "dev", APPLIANCE_IF, "root"]):
        subprocess.run(["tc", *arguments], check=False, capture_output=True)


def drop(**programs):
    """What the filters of each direction (egress: the client's frames) drop is lost until make_good()."""
    with contextlib.suppress(subprocess.CalledProcessError):
        tc("qdisc", "add", "dev", CLIENT_IF, "clsact")
    for direction, program in programs.items():
        tc("filter", "add", "dev", CLIENT_IF, direction, "protocol", "ip", "bpf", "da", "bytecode", program)


def silence(port):
    """Nothing that the client says from this port arrives any more."""
    drop(egress=by_port(34, port))


# ---- Frames of our own ----------------------------------------------------------------------------------------------------


def padded_checksum(data):
    return checksum(data + b"\0" * (len(data) % 2))


class Raw:
    """Frames as we want them, from the client's end to the appliance."""

    def __init__(self, our_mac):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.sock.bind((CLIENT_IF, 0))
        self.macs = bytes.fromhex((our_mac + CLIENT_MAC).replace(":", ""))

    def frame(self, protocol, payload, source=CLIENT_ADDRESS, fragment=0):
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, fragment, 64, protocol, 0,
                             socket.inet_aton(source), socket.inet_aton(OUR_ADDRESS))
        return self.macs + b"\x08\x00" + header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload

    def segment(self, port, flags, sequence, acknowledgement=0, payload=b"", source=CLIENT_ADDRESS, options=b"", fragment=0,
                wrong=0, window=64240):
        """A TCP segment as a whole frame; `wrong` is put onto its checksum."""
        words = (20 + len(options)) // 4 << 12 | flags
        bare = struct.pack(">HHIIHHHH", port, PORT, sequence % 2**32, acknowledgement % 2**32, words, window, 0, 0) + options + payload
        pseudo = socket.inet_aton(source) + socket.inet_aton(OUR_ADDRESS) + struct.pack(">HH", socket.IPPROTO_TCP, len(bare))
        right = padded_checksum(pseudo + bare)
        return self.frame(socket.IPPROTO_TCP, bare[:16] + struct.pack(">H", right ^ wrong) + bare[18:], source, fragment)

    def unreachable(self, port, sequence, code):
        """An ICMP error about a segment of the appliance's to this port of ours."""
        quoted = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 1, 0x4000, 64, socket.IPPROTO_TCP, 0,
                             socket.inet_aton(OUR_ADDRESS), socket.inet_aton(CLIENT_ADDRESS))
        quoted += struct.pack(">HHI", PORT, port, sequence % 2**32)
        bare = struct.pack(">BBHI", 3, code, 0, 0) + quoted
        return self.frame(socket.IPPROTO_ICMP, bare[:2] + struct.pack(">H", padded_checksum(bare)) + bare[4:])

    def send(self, *frames):
        for number, frame in enumerate(frames):
            if number % 64 == 63:
                time.sleep(0.0005)  # a ring is short
            while True:
                try:
                    self.sock.send(frame)
                    break
                except OSError:  # the interface's queue is full
                    time.sleep(0.001)

    def close(self):
        self.sock.close()


def numbers_of(sock):
    """What the appliance takes next of a connection, what it sends next, and its timestamp's value and echo: one on the way
    reads them. Asks for an echo."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as wire:
        wire.bind((CLIENT_IF, 0x0800))
        wire.settimeout(PATIENCE)
        sock.sendall(b"where are you?")
        read(sock, 14)
        while True:
            frame = wire.recv(2048)
            if frame[23] != socket.IPPROTO_TCP or struct.unpack(">HH", frame[34:38]) != (PORT, port_of(sock)):
                continue
            sequence, acknowledgement = struct.unpack(">II", frame[38:46])
            header, total = (frame[46] >> 4) * 4, struct.unpack(">H", frame[16:18])[0]
            if total > 20 + header:
                return acknowledgement, sequence + total - 20 - header, frame[54:34 + header]


def keep_order():
    """Frames of one connection that leave from two cores would overtake each other in veth's queues, of which each core has
    one: all that arrives goes through the first core's."""
    for namespace, interface in ((APPLIANCE_NS, APPLIANCE_IF), (CLIENT_NS, CLIENT_IF)):
        subprocess.run(["ip", "netns", "exec", namespace, "sh", "-c", f"echo 1 > /sys/class/net/{interface}/queues/rx-0/rps_cpus"],
                       check=False, capture_output=True)


def received_packets():
    """Frames that came to the client's end so far."""
    shown = subprocess.run(["ip", "-json", "-s", "link", "show", "dev", CLIENT_IF], check=True, capture_output=True)
    return json.loads(shown.stdout)[0]["stats64"]["rx"]["packets"]


# ---- A look at the wire ---------------------------------------------------------------------------------------------------


class Capture:
    """dumpcap on the client's end; None where it is not there is the caller's to see."""

    def __init__(self, path):
        self.path = path
        self.process = subprocess.Popen(["dumpcap", "-q", "-i", CLIENT_IF, "-P", "-B", "64", "-w", path],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + PATIENCE
        while not (os.path.exists(path) and os.path.getsize(path) >= 24) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.2)

    def end(self):
        time.sleep(0.3)  # what is still in its ring
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=PATIENCE)
        return errors


def dissected(capture, condition, *fields):
    """The fields by name of each frame that tshark finds the condition to hold for."""
    fields = ("frame.number", "ip.src", "tcp.stream", *fields)
    command = ["tshark", "-r", capture, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y", condition, "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=4 * PATIENCE)
    return [dict(zip(fields, line.split("\t"))) for line in done.stdout.splitlines()]


def waits(capture, rows):
    """For how long before each of these frames the byte that it begins with had not been sent, in seconds; 0: it never was."""
    wanted, sent, found = {int(row["frame.number"]) for row in rows}, {}, []
    with open(capture, "rb") as file:
        data = file.read()
    at, number = 24, 0
    while at + 16 <= len(data):
        seconds, fraction, length = struct.unpack("<III", data[at:at + 12])
        frame, now, number = data[at + 16:at + 16 + length], seconds + fraction / 1e6, number + 1
        at += 16 + length
        if frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_TCP:
            continue
        before, (sequence,) = sent.setdefault(frame[26:38], []), struct.unpack(">I", frame[38:42])
        size = struct.unpack(">H", frame[16:18])[0] - 20 - (frame[46] >> 4) * 4
        if number in wanted:
            last = next((time_s for first, bytes_n, time_s in reversed(before) if (sequence - first) % 2**32 < bytes_n), now)
            found.append(now - last)
        before.append((sequence, max(size, 1), now))
    return found
