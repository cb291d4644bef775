#!/usr/bin/env python3
"""docs/tcp-compliance.md: which rule of which RFC is kept, and what shows it. From the annotations in traces and tests
("rule: RFC 9293 MUST-3 kept: why") and from the list of rules beside this file. Prints TAP; fails where the page is not what they
make. CROSSWIRE_WRITE_DOCS=1 writes it."""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
HERE = ROOT / "tests/netstack/tcp/trace"
PAGE = ROOT / "docs/tcp-compliance.md"
MARK = "<!-- rules: made by `CROSSWIRE_WRITE_DOCS=1 meson test -C build tcp-compliance` -->\n"
END = "<!-- end of rules -->\n"
RULE = re.compile(r"(?:#|//)\s*rule: RFC (\d+) (\S+) (kept|differs|not done)(?:: (.*))?$")
WORDS = {"kept": "kept", "differs": "**differs**", "not done": "**not done**"}


def rules():
    """Chapters of the page: (RFC, title, [(item, what it asks, what is decided without a test)])."""
    chapters = []
    for number, line in enumerate((HERE / "rules.txt").read_text().splitlines(), 1):
        if line.startswith("## "):
            rfc, title = line[3:].split(" ", 1)
            chapters.append((rfc, title, []))
        elif line and not line.startswith("# ") and chapters:
            item, what, *decided = line.split("\t")
            chapters[-1][2].append((item, what, decided[0].strip() if decided else ""))
    return chapters


def annotated(path):
    """(RFC, item, verdict, why, what shows it) of each annotation in a file."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if "rule: RFC" not in line or path.suffix == ".py":
            continue
        found = RULE.search(line)
        if not found:
            yield None, None, None, None, f"{path.relative_to(ROOT)}:{number + 1}: {line.strip()}"
            continue
        shown = path.stem
        if path.suffix == ".cpp":
            tests = (re.search(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", later) for later in lines[number:])
            shown = next((f"{test[1]}.{test[2]}" for test in tests if test), path.stem)
        yield found[1], found[2], found[3], found[4] or "", shown


def annotations():
    shown, bad = {}, []
    files = sorted((ROOT / "tests/netstack").rglob("*.trace")) + sorted((ROOT / "tests").rglob("*.cpp"))
    for path in files:
        for rfc, item, verdict, why, where in annotated(path):
            if rfc is None:
                bad.append(where)
            else:
                shown.setdefault((rfc, item), []).append((verdict, why, where))
    return shown, bad


def row(item, what, decided, found):
    if decided and not found:
        verdict, why = decided.split(": ", 1)
        return f"| {item} | {what} | {WORDS.get(verdict, verdict)} | {why} | |"
    if not found:
        return f"| {item} | {what} | not shown | | |"
    verdict = max((f[0] for f in found), key=["kept", "differs", "not done"].index)
    whys = "; ".join(dict.fromkeys(why for _, why, _ in found if why))
    tests = ", ".join(dict.fromkeys(f"`{where}`" for _, _, where in found))
    return f"| {item} | {what} | {WORDS[verdict]} | {whys} | {tests} |"


def made(chapters, shown):
    lines = []
    for rfc, title, items in chapters:
        lines += [f"## RFC {rfc}: {title}", "", "| item | asks | here | how, or why | shown by |", "|---|---|---|---|---|"]
        lines += [row(item, what, decided, shown.get((rfc, item), [])) for item, what, decided in items]
        lines.append("")
    return "\n".join(lines)


def check(number, sentence, faults):
    print("not ok" if faults else "ok", number, "-", sentence)
    for fault in faults:
        print("#", fault)
    return bool(faults)


def main():
    chapters, (shown, bad) = rules(), annotations()
    known = {(rfc, item) for rfc, _, items in chapters for item, _, _ in items}
    text = PAGE.read_text()
    begin, end = text.find(MARK), text.find(END)
    body = "\n" + made(chapters, shown)
    stale = [] if 0 <= begin < end else [f"{PAGE.relative_to(ROOT)} has lost its marks"]
    if not stale and text[begin + len(MARK):end] != body:
        if os.environ.get("CROSSWIRE_WRITE_DOCS"):
            PAGE.write_text(text[:begin + len(MARK)] + body + text[end:])
        else:
            stale = ["refresh it with: CROSSWIRE_WRITE_DOCS=1 meson test -C build tcp-compliance"]
    both = [f"RFC {rfc} {item} is decided in rules.txt and shown by {shown[rfc, item][0][2]}"
            for rfc, _, items in chapters for item, _, decided in items if decided and (rfc, item) in shown]
    print("1..5")
    failed = [
        check(1, "every annotation can be read", bad),
        check(2, "every annotation is of a rule in rules.txt",
              [f"RFC {rfc} {item}" for rfc, item in shown if (rfc, item) not in known]),
        check(3, "no rule is decided twice", both),
        check(4, "what differs says why", [f"RFC {rfc} {item}" for (rfc, item), found in shown.items()
                                           if any(verdict != "kept" and not why for verdict, why, _ in found)]),
        check(5, "docs/tcp-compliance.md is what the annotations make", stale),
    ]
    return 1 if any(failed) else 0


if __name__ == "__main__":
    sys.exit(main())
