#!/usr/bin/env python3
"""The house rules that a compiler does not check, from the sources: who may include whom, what the engine may not touch,
only port/ calls rte_eth_*, no counter called errors, headers begin with what they are, the tests that the protocol names are
there. Prints TAP."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
FOLDERS = ["hugepages", "netstack", "engine", "app"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
STANDARD = re.compile(r"^[a-z_0-9]+$|^(sys|netinet|arpa|net)/|^(unistd|fcntl|sched|pthread|stdint|stdlib|string|getopt|time|signal|poll|errno)\.h$")


def sources(folder):
    return sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in (".hpp", ".cpp"))


def name(path):
    return path.relative_to(ROOT).as_posix()


def room(path):
    """Which row of DESIGN's table a file belongs to."""
    text = name(path)
    if text.startswith("netstack/wire/"):
        return "wire"
    return text.split("/")[0]


def own_header(included):
    return (ROOT / included).is_file()


# What a room may include: of our own folders, and of foreign headers (None: anything).
OURS = {
    "wire": ["netstack/wire/"],
    "engine": ["engine/", "hugepages/"],
    "hugepages": ["hugepages/"],
    "netstack": ["netstack/", "hugepages/", "engine/"],
    "app": ["app/", "netstack/", "engine/", "hugepages/"],
}
# The rooms of a folder in the order in which they may know each other: an include goes to an earlier one. Rooms in one
# string know each other. What lies in the folder itself comes last.
ORDER = {
    "hugepages": ["base", "memory rings", "host"],
    "netstack": ["wire", "common", "port", "link", "ip", "udp", "session", "frame_writer", "tcp", "intake", "answers", "receive",
                 "transmit", "publish", "client"],
    "app": ["files", "config", "partition", "figures", "replay", "plan", "ctl", "run", "doctor", "top", "flow", "load", "scenario"],
}
# Lists of names that any room of netstack may read: a parser's reasons are the counters of the stage that runs it.
LISTS = {"netstack/receive/counters.hpp": ("hugepages/base/counters.hpp",)}
# Product files of over 500 lines, each with its reason.
LONG_FILES = {
    "app/command_line.cpp": "only here is CLI11 included, which costs the compiler seconds wherever it is",
}
FOREIGN = {"wire": (), "engine": (), "hugepages": ("hwloc", "linux/", "sys/"), "netstack": ("rte_", "pcap", "sys/", "linux/", "zlib.h", "zstd.h"), "app": None}


def includes_outside_the_table():
    for folder in FOLDERS:
        for path in sources(folder):
            here = room(path)
            for included in INCLUDE.findall(path.read_text()):
                if own_header(included):
                    if not included.startswith(tuple(OURS[here])):
                        yield f"{name(path)} includes {included}"
                elif not STANDARD.match(included) and FOREIGN[here] is not None and not included.startswith(FOREIGN[here]):
                    yield f"{name(path)} includes {included}"


def rank(text):
    """Position of a file's room in the order of its folder; beyond all for what lies in the folder itself."""
    folder, *remaining = text.split("/")
    rooms = ORDER[folder]
    if len(remaining) == 1:
        return len(rooms)
    found = [i for i, names in enumerate(rooms) if remaining[0] in names.split()]
    return found[0] if found else None


def includes_against_the_order():
    seen = set()
    for folder in ORDER:
        for path in sources(folder):
            here = name(path)
            if rank(here) is None:
                yield f"{here} lies in a room that ORDER does not name"
                continue
            seen.add(rank(here))
            for included in INCLUDE.findall(path.read_text()):
                if not included.startswith(folder + "/") or not own_header(included) or included in LISTS:
                    continue
                if rank(included) is None or rank(included) > rank(here):
                    yield f"{here} includes {included}"
    for text, allowed in LISTS.items():
        for included in INCLUDE.findall((ROOT / text).read_text()):
            if own_header(included) and included not in allowed:
                yield f"{text} is a list of names and includes {included}"


def long_product_files():
    lengths = {name(p): len(p.read_text().splitlines()) for folder in FOLDERS for p in sources(folder)}
    for text, lines in lengths.items():
        if lines > 500 and text not in LONG_FILES:
            yield f"{text} has {lines} lines: part it by subject, or name the reason in LONG_FILES"
    for text in LONG_FILES:
        if lengths.get(text, 0) <= 500:
            yield f"{text} is in LONG_FILES and is not long"


def pages():
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def long_lines_of_docs():
    """Tables and what a program writes between two marks apart: a diff of a long line cannot be reviewed."""
    for path in pages():
        made = False
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.startswith("<!-- "):
                made = not line.startswith("<!-- end of ")
            if len(line) > 120 and not made and not line.startswith("|"):
                yield f"{name(path)}:{number}: {len(line)} characters"


def paths_that_are_named_and_not_there():
    """In comments and pages, of sources and folders."""
    named = re.compile(r"(?<![\w/.-])((?:app|netstack|engine|hugepages|tests)/[a-z_0-9]+(?:/[a-z_0-9]+)*(?:\.[a-z]+)?)(?![\w*])")
    prices = {line.split("\t")[0] for line in (ROOT / "bench/price.tsv").read_text().splitlines()}
    made = {"app/crosswire", "tests/fuzz/corpus", "hugepages/hugepages"}  # by the build, by scripts/fuzz; a path of sysfs
    files = [p for folder in [*FOLDERS, "tests", "bench"] for p in sources(folder)] + pages()
    for path in files:
        for text in named.findall(path.read_text()):
            there = [ROOT / (text + suffix) for suffix in ("", ".hpp", ".cpp")]
            if text not in prices and text not in made and not any(p.exists() for p in there):
                yield f"{name(path)} names {text}"


def engine_includes_of_hugepages_sources():
    """The engine may know pool, ring and arena headers, not hosts and topologies."""
    allowed = ("hugepages/base/", "hugepages/rings/", "hugepages/memory/arena.hpp", "hugepages/memory/order_pool.hpp")
    for path in sources("engine"):
        for included in INCLUDE.findall(path.read_text()):
            if included.startswith("hugepages/") and not included.startswith(allowed):
                yield f"{name(path)} includes {included}"


def netstack_knowledge_of_the_engine():
    """Records only: no stage of netstack may call the engine."""
    allowed = {f"engine/{n}.hpp" for n in ("command", "event", "order", "types", "config")}
    for path in sources("netstack"):
        for included in INCLUDE.findall(path.read_text()):
            if included.startswith("engine/") and included not in allowed:
                yield f"{name(path)} includes {included}"


def forbidden(folder, pattern, keep=lambda path: True):
    rule = re.compile(pattern)
    for path in sources(folder):
        if not keep(path):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if rule.search(line.split("//")[0]):
                yield f"{name(path)}:{number}: {line.strip()}"


def clocks_files_and_heap_in_the_engine():
    return forbidden("engine", r"std::chrono|clock_gettime|fopen|std::ofstream|\bnew\b|malloc|make_unique|make_shared|rdtsc|<thread>")


def device_calls_outside_port():
    return forbidden("netstack", r"rte_eth_", lambda path: "netstack/port/" not in name(path))


def counters_called_errors():
    for folder in FOLDERS:
        yield from forbidden(folder, r'"errors"|\berrors,\s*$', lambda path: "counter" in path.name)


def files_without_an_opening_comment():
    for folder in FOLDERS:
        for path in sources(folder):
            if not path.read_text().startswith("//"):
                yield name(path)


def headers_without_pragma_once():
    for folder in FOLDERS:
        for path in sources(folder):
            if path.suffix == ".hpp" and "#pragma once" not in path.read_text():
                yield name(path)


def slow_headers_that_spread():
    """CLI11 costs seconds wherever it is included: in one file. The others are in no header, which would hand them on."""
    handed_on = ("nlohmann/", "prometheus/", "spdlog/")
    for folder in [*FOLDERS, "tests", "bench"]:
        for path in sources(folder):
            for included in INCLUDE.findall(path.read_text()):
                if (included.startswith("CLI/") and name(path) != "app/command_line.cpp") or (
                        included.startswith(handed_on) and path.suffix == ".hpp"):
                    yield f"{name(path)} includes {included}"


def tests_that_the_protocol_names_and_nobody_wrote():
    written = set()
    for path in (ROOT / "tests").rglob("*.cpp"):
        written.update(re.findall(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", path.read_text(), re.M))
    for page, least in (("docs/protocol.md", 50), ("docs/messages.md", 50), ("docs/rules.md", 30)):
        named = re.findall(r"`([A-Z]\w*)\.([A-Z]\w*)`", (ROOT / page).read_text())
        if len(named) < least:
            yield f"{page} names only {len(named)} tests"
        for suite, test in sorted(set(named)):
            if (suite, test) not in written:
                yield f"{page} names {suite}.{test}"


def rules_without_a_scenario():
    """Of docs/rules.md: each row of a table that has a column `scenario` names files of tests/scenarios there, and each file
    is named by a row or in the text."""
    page = (ROOT / "docs/rules.md").read_text()
    there = {p.stem for p in (ROOT / "tests/scenarios").glob("*.scenario")}
    column = None
    rows = 0
    for number, line in enumerate(page.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else None
        if cells is None:
            column = None
        elif column is None:
            column = cells.index("scenario") if "scenario" in cells else -1
            if column < 0:
                yield f"docs/rules.md:{number}: a table without a column \"scenario\""
        elif column >= 0 and set(line) - set("|- "):
            rows += 1
            named = re.findall(r"`(\w+)`", cells[column]) if column < len(cells) else []
            if not named:
                yield f"docs/rules.md:{number}: the rule \"{cells[0]}\" names no scenario"
            for name in named:
                if name not in there:
                    yield f"docs/rules.md:{number}: names the scenario {name}, and there is no tests/scenarios/{name}.scenario"
    if rows < 50:
        yield f"docs/rules.md has only {rows} rules with scenarios"
    for name in sorted(there):
        if f"`{name}`" not in page:
            yield f"docs/rules.md has no rule for tests/scenarios/{name}.scenario"


def drops_that_operators_are_not_told_of():
    told = (ROOT / "docs/operating.md").read_text()
    tables = [p for folder in FOLDERS for p in sources(folder) if p.name == "counters.hpp"]
    drops = [d for p in tables for d in re.findall(r'Row\{\w+,\s*drop,\s*"(\w+)"', p.read_text())]
    if len(drops) < 50:
        yield f"only {len(drops)} drops were found in the tables of counters"
    for drop in drops:
        if not re.search(rf"\b{drop}\b", told):
            yield f"docs/operating.md does not say what {drop} means"


def log_lines_that_operators_are_not_told_of():
    """Warnings and errors, by how their messages begin; those that are made up as they come are told by hand."""
    told = (ROOT / "docs/operating.md").read_text()
    found = 0
    for path in sources("app"):
        for message in re.findall(r'log_(?:warning|error)\(\s*"([^"]+)"', path.read_text()):
            found += 1
            if f"`{message.split(';')[0]}`" not in told:
                yield f"docs/operating.md does not say what to do about: {message}"
    if found < 5:
        yield f"only {found} warnings and errors were found in app"


RULES = {
    "each folder includes only what the design's table allows": includes_outside_the_table,
    "each room includes only what comes before it in its folder": includes_against_the_order,
    "a product file of over 500 lines has its reason": long_product_files,
    "no line of the docs is longer than 120 characters": long_lines_of_docs,
    "every source that a comment or page names is there": paths_that_are_named_and_not_there,
    "the engine sees only the pool and ring headers of hugepages": engine_includes_of_hugepages_sources,
    "netstack sees only the engine's records": netstack_knowledge_of_the_engine,
    "the engine reads no clock, opens no file and takes no heap": clocks_files_and_heap_in_the_engine,
    "only netstack/port calls rte_eth": device_calls_outside_port,
    "no counter is called errors": counters_called_errors,
    "every source opens with what it is": files_without_an_opening_comment,
    "every header is included once": headers_without_pragma_once,
    "headers that are slow to compile stay where they are needed": slow_headers_that_spread,
    "every test that docs/protocol.md, docs/messages.md and docs/rules.md name is there": tests_that_the_protocol_names_and_nobody_wrote,
    "every rule of docs/rules.md names its scenarios, and they are there": rules_without_a_scenario,
    "docs/operating.md says what each drop means": drops_that_operators_are_not_told_of,
    "docs/operating.md says what to do about each warning and error of the log": log_lines_that_operators_are_not_told_of,
}

print(f"1..{len(RULES) + 1}")
found = sum(len(sources(folder)) for folder in FOLDERS)
print(("ok" if found > 20 else "not ok"), f"1 - {found} sources were read")
for number, (sentence, rule) in enumerate(RULES.items(), 2):
    faults = list(rule())
    print("not ok" if faults else "ok", number, "-", sentence)
    for fault in faults:
        print("#", fault)
