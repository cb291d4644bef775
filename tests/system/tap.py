# What the system tests share: their checks, the configurations they run, a look at what is printed. Output: TAP.
import os
import re


class Tap:
    """Numbered checks, each a sentence."""

    def __init__(self):
        self.count = self.failed = 0

    def check(self, sentence, good, seen=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {sentence}", flush=True)
        if not good:
            print("\n".join(f"# {line}" for line in str(seen).splitlines()), flush=True)

    def skip(self, sentence, why):
        self.count += 1
        print(f"ok {self.count} - {sentence} # SKIP {why}", flush=True)

    def end(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0


def two_accounts(device, limits, options=""):
    """A small appliance without hugepages that yields its core: symbol AAA, accounts ann (from 10.99.0.0/24) and bob."""
    return f"""
[time]
at_end = "stop"
linger_s = 0
[port]
device = "{device}"
address = "10.99.0.1"
{options}
[placement]
mode = "unpinned"
idle = "yield"
{limits}
[memory]
hugepages = "off"
[[symbol]]
name = "AAA"
reference_price_e4 = 1000000
tick_e4 = 100
[[account]]
user = "ann"
password = "secret"
firm = "ANNS"
sources = ["10.99.0.0/24"]
[[account]]
user = "bob"
password = "secret"
firm = "BOBS"
"""


def write_config(path, text):
    """As a configuration with passwords has to be: its owner's alone."""
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o600)


def figure(text, name):
    """The word behind `name` in what a run or replay prints at its end; None: it is not there."""
    found = re.search(rf"^{name} +(\S+)", text, re.M)
    return found.group(1) if found else None
