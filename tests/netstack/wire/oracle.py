"""The wire specification's own codec as an oracle: the lines of message_text.hpp, checked or made.

  oracle.py DIR check            reads "PROTOCOL <tab> HEX <tab> LINE", answers each with "ok" or what is wrong
  oracle.py DIR make SEED TIMES  writes such lines: every message of every protocol, TIMES over

DIR holds wire.py, a table-driven codec that is independent of crosswire's.
"""
import random
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import wire  # noqa: E402

# Options of ours, which OUCH has not: docs/protocol.md, 1.8.
OURS = {"StayOnDisconnect": (128, "c", ("EnterOrder", "ReplaceOrder", "OrderAccepted", "OrderReplaced")),
        "SelfTrade": (129, "c", ("EnterOrder", "ReplaceOrder")),
        "Kill": (130, "c", ("DisableOrderEntry", "DisableOrderEntryResponse"))}
for option, (tag, kind, _) in OURS.items():
    wire.OUCH50_TAGS[tag] = (option, kind)
    wire.TAG_BY_NAME[option] = tag

TABLES = [("ouch-in", "ouch50", "in"), ("ouch-out", "ouch50", "out"), ("itch", "itch50", "out"),
          ("itch", "glimpse", "out"), ("soup", "soup", None)]


def text(kind, value):
    if isinstance(value, bytes):
        return "t:" + value.hex()
    return "n:%d" % value if isinstance(value, int) else "t:" + value.encode("latin1").hex()


def value(word):
    return int(word[2:]) if word.startswith("n:") else bytes.fromhex(word[2:]).decode("latin1")


def allowed(message):
    note = re.sub(r"\(.*?\)", "", next(f.note for f in message.fields if f.type.startswith("app")))
    theirs = [word for word in note.split() if word in wire.TAG_BY_NAME]
    return theirs + [option for option, (_, _, messages) in OURS.items() if message.name in messages]


def options_text(options):
    return ";".join("%s,%s" % (name, text(None, v)) for name, v in options.items())


def find(protocol, name):
    for p, table, direction in TABLES:
        for message in wire.PROTOCOLS[table]:
            if p == protocol and message.name == name and direction in (None, message.dir):
                return table, message
    raise KeyError((protocol, name))


def describe(protocol, name, data):
    if protocol == "mold":
        session, sequence, count, messages = mold_parse(data)
        return "Packet\tsession=%s\tsequence=n:%d\tcount=n:%d\tmessages=%s" % (
            text(None, session), sequence, count, ",".join("x" + m.hex() for m in messages))
    if protocol == "soup":
        (kind, payload), (_, remaining) = wire.soup_split(data)
        assert not remaining, "bytes after the packet"
        message = next(m for m in wire.PROTOCOLS["soup"] if m.type == kind)
        return "\t".join([message.name] + ["%s=%s" % (f.name, text(f.type, payload if f.size is None else wire.unpack(
            f.type, payload[f.off:f.off + f.size]))) for f in message.fields])
    table, message = find(protocol, name)
    message, fields = wire.decode(table, data, message.dir)
    words = [message.name]
    for field, v in fields.items():
        if field == "appendage":
            assert set(v) <= set(allowed(message)), "options that the message does not take: %s" % v
            words.append("appendage=" + options_text(v))
        else:
            words.append("%s=%s" % (field, text(None, v)))
    return "\t".join(words)


def mold_parse(data):
    if len(data) > 20:
        return wire.mold_parse(data)
    # A header alone may be a request, whose count counts no blocks.
    return data[:10].decode("latin1"), int.from_bytes(data[10:18], "big"), int.from_bytes(data[18:20], "big"), []


def build(protocol, line):
    name, *words = line.split("\t")
    fields = dict(word.split("=", 1) for word in words)
    if protocol == "mold":
        messages = [bytes.fromhex(m[1:]) for m in fields["messages"].split(",") if m]
        return wire.mold(value(fields["session"]), value(fields["sequence"]), messages, value(fields["count"]))
    appendage = fields.pop("appendage", None)
    values = {k: value(v) for k, v in fields.items()}
    table, message = find(protocol, name)
    if appendage is not None:
        values["appendage"] = {o.split(",")[0]: value(o.split(",")[1]) for o in appendage.split(";") if o}
    if protocol == "soup":
        for field in message.fields:
            if field.type == "b*":
                values[field.name] = values[field.name].encode("latin1")
        return wire.soup(message.type, wire.encode("soup", name, **values))
    return wire.encode(table, name, **values)


def check():
    for line in sys.stdin:
        protocol, data, said = line.rstrip("\n").split("\t", 2)
        data = bytes.fromhex(data)
        try:
            read, written = describe(protocol, said.split("\t")[0], data), build(protocol, said)
        except (ValueError, KeyError, AssertionError, IndexError) as error:
            print("refused: %r" % error)
            continue
        print("ok" if read == said and written == data else "reads %s; writes %s" % (read, written.hex()))


def word(rng, most):
    return "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(rng.randint(0, most)))


def random_value(rng, kind):
    size = wire.field_size(kind)
    if kind == "c":
        return chr(rng.randint(33, 126))
    if kind[0] in "ar":
        return word(rng, size)
    bits = rng.choice([1, 8 * size // 2, 8 * size])
    number = rng.getrandbits(bits)
    return number - (1 << 8 * size - 1) if kind.startswith("s") and bits == 8 * size else number


def random_fields(rng, message):
    fields = {}
    for field in message.fields:
        if field.type in ("app", "app?"):
            names = allowed(message)
            if field.type == "app?" and rng.random() < 0.3:
                continue
            chosen = rng.sample(names, rng.choice([0, len(names), rng.randint(0, len(names))]))
            fields[field.name] = {n: random_value(rng, wire.OUCH50_TAGS[wire.TAG_BY_NAME[n]][1]) for n in chosen}
        elif field.type == "b*":
            fields[field.name] = bytes(rng.getrandbits(8) for _ in range(rng.choice([0, 1, 47, 1400])))
        elif field.type == "r20":
            fields[field.name] = rng.getrandbits(rng.choice([1, 31, 64]))
        elif field.name != "type":
            fields[field.name] = random_value(rng, field.type)
    return fields


def put(protocol, name, data):
    print("%s\t%s\t%s" % (protocol, data.hex(), describe(protocol, name, data)))


def make(seed, times):
    rng = random.Random(seed)
    for _ in range(times):
        for protocol, table, direction in TABLES:
            for message in wire.PROTOCOLS[table]:
                if direction not in (None, message.dir):
                    continue
                data = wire.encode(table, message.name, **random_fields(rng, message))
                put(protocol, message.name, wire.soup(message.type, data) if protocol == "soup" else data)
        session, sequence = word(rng, 10), rng.getrandbits(64)
        messages = [bytes(rng.getrandbits(8) for _ in range(rng.randint(0, 60))) for _ in range(rng.randint(1, 20))]
        for data in (wire.mold(session, sequence, messages), wire.mold(session, sequence, (), 0),
                     wire.mold(session, sequence, (), 0xFFFF),
                     wire.mold_request(session, sequence, rng.randint(1, 0xFFFE))):
            put("mold", None, data)


if sys.argv[2] == "check":
    check()
else:
    make(int(sys.argv[3]), int(sys.argv[4]))
