#!/usr/bin/env python3
"""The engine as a library of its own: the example of docs/engine.md, which is tests/engine/example.cpp, says what the page
says it does; built here, built with pkg-config's flags alone against what is installed, and built by a project that has
crosswire as its subproject. Output: TAP."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "system"))
from tap import Tap

EXAMPLE = HERE / "example.cpp"
PAGE = (ROOT / "docs" / "engine.md").read_text()
BUILD = pathlib.Path(os.environ["BUILD"])
PATIENCE = 400


def block(language):
    """The first fenced block of that language on the page."""
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)
    return found.group(1) if found else None


def run(command, **more):
    """Its exit status and all that it said."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, **more)
    return done.returncode, done.stdout


def says_what_the_page_says(tap, sentence, program):
    status, said = run([program]) if program.exists() else (None, f"{program} is not there")
    tap.check(sentence, status == 0 and said == block("text"), said)


def installed(tap, folder):
    destination = folder / "root"
    status, said = run(["meson", "install", "-C", BUILD, "--no-rebuild", "--tags", "devel", "--destdir", destination])
    tap.check("the library, its headers and its .pc file are installed", status == 0, said)
    files = [path for path in destination.rglob("*") if path.is_file()]
    strays = [path for path in files if path.suffix not in (".hpp", ".a", ".pc")]
    tap.check("nothing else is", files and not strays, strays)
    found = [path.parent for path in files if path.name == "crosswire-engine.pc"]
    flags = ["pkg-config", "--cflags", "--libs", "crosswire-engine"]
    where = {**os.environ, "PKG_CONFIG_LIBDIR": str(found[0]) if found else "", "PKG_CONFIG_SYSROOT_DIR": str(destination)}
    status, said = run(flags, env=where)
    tap.check("pkg-config knows it, with no other library in sight", status == 0, said)
    outside = folder / "outside"
    outside.mkdir()
    shutil.copy(EXAMPLE, outside / "example.cpp")
    status, complaint = run(["c++", "-std=c++20", "example.cpp", "-o", "example", *said.split()], cwd=outside)
    tap.check("the example is built with its flags alone, where no source of ours is", status == 0, complaint)
    says_what_the_page_says(tap, "and says what the page says", outside / "example")


def as_a_subproject(tap, folder):
    project = folder / "project"
    (project / "subprojects").mkdir(parents=True)
    (project / "subprojects" / "crosswire").symlink_to(ROOT)
    shutil.copy(EXAMPLE, project / "example.cpp")
    (project / "meson.build").write_text(block("meson") or "")
    # Without a way to anything but the compiler's own libraries.
    alone = {**os.environ, "PKG_CONFIG_LIBDIR": str(folder / "nowhere"), "CCACHE_NOHASHDIR": "1"}
    status, said = run(["meson", "setup", "build", "-Doptimization=0", "-Ddebug=false"], cwd=project, env=alone)
    tap.check("a project has it as its subproject, without DPDK", status == 0, said)
    status, said = run(["ninja", "-C", "build", "example"], cwd=project, env=alone)
    tap.check("and builds the example", status == 0, said)
    says_what_the_page_says(tap, "which says what the page says, too", project / "build" / "example")


def main():
    tap = Tap()
    tap.check("docs/engine.md shows tests/engine/example.cpp as it is", block("cpp") == EXAMPLE.read_text(), block("cpp"))
    says_what_the_page_says(tap, "the example says what the page says", pathlib.Path(os.environ["EXAMPLE"]))
    with tempfile.TemporaryDirectory() as folder:
        installed(tap, pathlib.Path(folder))
        as_a_subproject(tap, pathlib.Path(folder))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
