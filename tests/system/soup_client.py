# A trading firm's client, written from the wire specification and Python's standard library alone, so that it is an outside
# check: SoupBinTCP 3.00 over the kernel's TCP, and what a scripted day needs of OUCH 5.0. No code of the project.
# One thread: who waits for one client reads all that are open, and sends their heartbeats.
import contextlib
import select
import socket
import struct
import time

HEARTBEAT_S = 1  # after so long without sending
SILENCE_S = 15  # without a word: the exchange is gone
PATIENCE = 30  # seconds, for what comes at once on a machine that is not busy


# ---- SoupBinTCP -----------------------------------------------------------------------------------------------------------


def packet(kind, payload=b""):
    return struct.pack(">H", 1 + len(payload)) + kind + payload


def login_packet(user, password, session="", number=1):
    return packet(b"L", user.encode().ljust(6) + password.encode().ljust(10) + session.encode().rjust(10)
                  + str(number).encode().rjust(20))


def packets_in(stream):
    """Takes the whole packets off the front of a bytearray: (kind, payload) of each."""
    at, found = 0, []
    while len(stream) - at >= 3:
        length, = struct.unpack_from(">H", stream, at)
        if len(stream) - at < 2 + length:
            break
        whole = bytes(stream[at + 2:at + 2 + length])
        found.append((whole[:1], whole[1:]))
        at += 2 + length
    del stream[:at]
    return found


LENGTHS = {b"A": 30, b"J": 1, b"H": 0, b"Z": 0}  # of the payloads that the exchange sends, where they are fixed


def is_right_justified(text):
    return text.strip() != b"" and text == text.strip(b" ").rjust(len(text))


class Client:
    """A firm's account, over one connection at a time. Its session's name, its numbers and the messages that it has got
    outlive the connection."""

    open_ones = set()
    faults = []  # what exchanges have said against the specification

    def __init__(self, user, password, server, source=""):
        self.user, self.password, self.server, self.source = user, password, server, source
        self.session, self.next, self.messages = "", 1, []  # messages: (number, message), as they came
        self.sock, self.reads, self.beats = None, True, True
        self.begin_anew()

    def begin_anew(self):
        self.stream, self.unsent = bytearray(), bytearray()
        self.accepted = None  # the number that Login Accepted names
        self.rejected = None  # the reason's letter
        self.ended = None  # "fin", "reset" or "silent"
        self.over = False  # End of Session
        self.was_reset = False  # a send has said so
        self.kinds, self.notes = "", []  # the types of all packets, and the texts of Debug
        self.sent_at = self.heard_at = time.monotonic()

    # ---- What it does

    def connect(self, receive_bytes=0):
        self.close()
        self.begin_anew()
        self.sock = socket.socket()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_bytes:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.sock.bind((self.source, 0))
        self.sock.settimeout(PATIENCE)
        try:
            self.sock.connect(self.server)
        except OSError:
            self.sock.close()
            self.sock = None
            raise
        self.sock.setblocking(False)
        Client.open_ones.add(self)
        return self

    def send(self, data):
        """What the kernel does not take at once it gets while somebody waits."""
        self.unsent += data
        self.sent_at = time.monotonic()
        self.flush()

    def flush(self):
        try:
            while self.unsent and self.sock:
                del self.unsent[:self.sock.send(self.unsent)]
        except BlockingIOError:
            pass
        except OSError as error:
            # What has come before is still read, and then the end, as which the kernel shows a reset that it has told.
            self.was_reset = self.was_reset or isinstance(error, ConnectionResetError)
            self.unsent.clear()

    def login(self, number=None, session=None):
        """On a new connection where there is none. Whether it is accepted."""
        if self.sock is None:
            self.connect()
        self.send(login_packet(self.user, self.password, self.session if session is None else session,
                               self.next if number is None else number))
        wait(lambda: self.accepted or self.rejected or self.ended)
        return self.accepted is not None and self.rejected is None

    def order(self, *messages):
        """One Unsequenced Data packet for each, in one go."""
        self.send(b"".join(packet(b"U", message) for message in messages))

    def logout(self):
        self.send(packet(b"O"))
        return wait(lambda: self.ended == "fin")

    def close(self):
        """With a FIN, or with an RST where something is unread."""
        Client.open_ones.discard(self)
        if self.sock:
            self.sock.close()
        self.sock = None

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def finish(self):
        """Ends its own half with a FIN and waits for the other one."""
        self.sock.shutdown(socket.SHUT_WR)
        return wait(lambda: self.ended == "fin")

    # ---- What it hears

    def read(self):
        try:
            some = self.sock.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            return self.end("reset")
        self.heard_at = time.monotonic()
        self.stream += some
        for kind, payload in packets_in(self.stream):
            self.take(kind, payload)
        if not some and self.was_reset:
            self.end("reset")
        elif not some:
            if self.stream:
                self.fault(f"ends within a packet: {bytes(self.stream)!r}")
            self.end("fin")

    def take(self, kind, payload):
        if self.over or self.rejected:
            self.fault(f"says {kind!r} behind its last word")
        if len(payload) != LENGTHS.get(kind, len(payload)):
            self.fault(f"{kind!r} with {len(payload)} bytes")
        if kind in (b"S", b"H", b"Z") and self.accepted is None:
            self.fault(f"{kind!r} to one that is not logged in")
        self.kinds += kind.decode("latin-1")
        if kind == b"S":
            self.messages.append((self.next, payload))
            self.next += 1
        elif kind == b"A":
            self.accept(payload)
        elif kind == b"J":
            self.rejected = payload.decode("latin-1")
        elif kind == b"Z":
            self.over = True
        elif kind == b"+":
            self.notes.append(payload.decode("latin-1"))
        elif kind != b"H":
            self.fault(f"unknown packet {kind!r}")

    def accept(self, payload):
        session, number = payload[:10], payload[10:]
        if self.accepted is not None or not is_right_justified(session) or not is_right_justified(number) or not number.strip().isdigit():
            return self.fault(f"Login Accepted {payload!r}")
        self.session, self.accepted = session.decode().strip(), int(number)
        self.next = self.accepted

    def fault(self, text):
        Client.faults.append(f"{self.user}: {text}")

    def end(self, how):
        self.ended = self.ended or how
        self.close()

    def watch_the_clock(self, now):
        if self.beats and self.accepted is not None and now - self.sent_at > HEARTBEAT_S:
            self.send(packet(b"R"))
        if self.reads and now - self.heard_at > SILENCE_S and self.accepted is not None:
            self.end("silent")

    # ---- What it knows

    def answers(self, *kinds):
        """The OUCH messages that it has got, decoded; of these types alone where there are any."""
        return [decode(message) for _, message in self.messages if not kinds or message[:1].decode("latin-1") in kinds]

    def count(self, *kinds):
        """How many of them there are."""
        return sum(message[:1].decode("latin-1") in kinds for _, message in self.messages)

    def is_whole(self):
        """Nothing is missing, nothing came twice."""
        return [number for number, _ in self.messages] == list(range(1, len(self.messages) + 1))


def turn(seconds):
    """All open clients read once, send what they could not, and beat."""
    clients = {one.sock: one for one in Client.open_ones}
    readable, writable, _ = select.select([sock for sock, one in clients.items() if one.reads],
                                          [sock for sock, one in clients.items() if one.unsent], [], seconds)
    for sock in writable:
        clients[sock].flush()
    for sock in readable:
        if clients[sock].sock is sock:
            clients[sock].read()
    now = time.monotonic()
    for one in list(Client.open_ones):
        one.watch_the_clock(now)


def wait(condition, seconds=PATIENCE):
    """Until it holds. Whether it does."""
    until = time.monotonic() + seconds
    while not condition():
        left = until - time.monotonic()
        if left <= 0:
            return False
        turn(min(left, 0.1))
    return True


def go_on_for(seconds):
    wait(lambda: False, seconds)


def close_all():
    for one in list(Client.open_ones):
        with contextlib.suppress(OSError):
            one.close()


# ---- OUCH 5.0 -------------------------------------------------------------------------------------------------------------


def enter(number, side, quantity, price_e4, symbol="AAA", time_in_force=b"0", appendage=b""):
    return struct.pack(">cIcI8sQccccc14sH", b"O", number, side, quantity, symbol.encode().ljust(8), price_e4, time_in_force, b"Y",
                       b"A", b"N", b"N", f"order {number}".encode().ljust(14), len(appendage)) + appendage


def replace(original, number, quantity, price_e4):
    return struct.pack(">cIIIQccc14sH", b"U", original, number, quantity, price_e4, b"0", b"Y", b"N",
                       f"order {number}".encode().ljust(14), 0)


def cancel(number, quantity=0):
    return struct.pack(">cII", b"X", number, quantity)


def query():
    return b"Q"


# Each message of the exchange: its layout behind the type, and its fields. What follows is the appendage.
OUT = {
    "S": (">Qc", "timestamp event"),
    "A": (">QIcI8sQccQcccc14s", "timestamp user_ref_num side quantity symbol price time_in_force display order_ref capacity iso "
          "cross_type order_state cl_ord_id"),
    "U": (">QIIcI8sQccQcccc14s", "timestamp orig_user_ref_num user_ref_num side quantity symbol price time_in_force display "
          "order_ref capacity iso cross_type order_state cl_ord_id"),
    "C": (">QIIc", "timestamp user_ref_num quantity reason"),
    "E": (">QIIQcQ", "timestamp user_ref_num quantity price liquidity match_number"),
    "J": (">QIH14s", "timestamp user_ref_num reason cl_ord_id"),
    "M": (">QIcI", "timestamp user_ref_num side quantity"),
    "Q": (">QI", "timestamp next_user_ref_num"),
}


def decode(message):
    kind = message[:1].decode("latin-1")
    layout, fields = OUT.get(kind, (">", ""))
    values = struct.unpack_from(layout, message, 1)
    told = {name: value.decode("latin-1").rstrip() if isinstance(value, bytes) else value
            for name, value in zip(fields.split(), values)}
    return {"kind": kind, **told}
