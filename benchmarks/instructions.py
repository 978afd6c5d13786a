"""`make bench-check`: does reading and folding a fixed input take more instructions than it did?

Knows: how instructions are counted without a clock, the stored counts, how far they may differ.
Must not know: how the fold works.

Valgrind counts what the processor would execute: nearly the same on every machine that has the same Python and
libraries.  Where it is missing, calls of functions are counted: coarser, and blind to a call that got slower.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.contenders.in_process import observed
from benchmarks.contenders.real_fold import Clusters
from benchmarks.workload import BEGIN_MS, Shape, values

ROOT = Path(__file__).resolve().parent.parent
STORED = Path(__file__).parent / "instructions.json"
STAGES = ("read", "fold", "written")
EVENTS = 600
SHAPE = Shape(events=EVENTS, clusters=2, instances=20, disorder=0.05)
TOLERANCE = 0.03
LIBRARIES = ("msgspec", "orjson", "pydantic")
COUNTER = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
OK, WORSE, UNAVAILABLE = 0, 1, 3
Counts = dict[str, int]


class Stored(msgspec.Struct):
    """Counts for one event, by stage, and what they were counted with."""

    versions: dict[str, str]
    instructions: Counts
    calls: Counts


def stage(name: str, lines: list[bytes]) -> None:
    """What is counted; `nothing` only makes the input."""
    if name == "read":
        observed(lines)
    elif name in ("fold", "written"):
        clusters = Clusters()
        for line in lines:
            clusters.apply(line, BEGIN_MS, 0)
        if name == "written":
            for _ in clusters.take():
                pass
        else:
            clusters.settle()


def count_calls(name: str) -> int:
    """Calls of functions for one event, Python's and others."""
    lines, seen = values(SHAPE), 0
    stage(name, lines)  # what is made once is made now

    def note(frame: Any, kind: str, argument: Any) -> None:
        nonlocal seen
        seen += kind in ("call", "c_call")

    sys.setprofile(note)
    try:
        stage(name, lines)
    finally:
        sys.setprofile(None)
    return round(seen / EVENTS)


def count_instructions() -> Counts | None:
    """Instructions for one event, by stage; None where Valgrind is missing."""
    if shutil.which(COUNTER[0]) is None:
        return None
    nothing = _instructions("nothing")
    return {name: round((_instructions(name) - nothing) / EVENTS) for name in STAGES}


def _instructions(name: str) -> int:
    command = [*COUNTER, sys.executable, "-m", "benchmarks.instructions", name]
    env = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1].replace(",", ""))


def versions() -> dict[str, str]:
    """What the counts depend on beside our own code."""
    system = f"{platform.system()} {platform.machine()}"
    return {"python": platform.python_version(), "system": system, **{name: version(name) for name in LIBRARIES}}


def compare(stored: Counts, found: Counts, kind: str, tolerance: float = TOLERANCE) -> tuple[list[str], bool]:
    """A line for each stage, and whether none takes more than it may."""
    lines, good = [], True
    for name, count in found.items():
        change = count / stored[name] - 1
        worse, better = change > tolerance, change < -tolerance
        good = good and not worse
        mark = "✘ more" if worse else "✔ fewer: store it with RENEW=1" if better else "✔"
        lines.append(f"{name:<8} {count:>9,} {kind} an event, stored {stored[name]:>9,} ({change:+.1%})  {mark}")
    return lines, good


def check() -> int:
    """Counts now against the stored ones."""
    stored, here = msgspec.json.decode(STORED.read_bytes(), type=Stored), versions()
    if differing := [name for name, known in stored.versions.items() if here.get(name) != known]:
        told = ", ".join(f"{name} {stored.versions[name]} (here {here.get(name)})" for name in differing)
        print(f"The stored counts are of {told}, so they say nothing here. make bench-check RENEW=1 stores new ones.")
        return UNAVAILABLE
    found, kind, known = count_instructions(), "instructions", stored.instructions
    if found is None:
        print("There is no valgrind here, so calls of functions are counted.")
        found, kind, known = {name: count_calls(name) for name in STAGES}, "calls", stored.calls
    lines, good = compare(known, found, kind)
    print(*lines, sep="\n")
    return OK if good else WORSE


def renew() -> int:
    """Store what it takes now."""
    found = count_instructions()
    if found is None:
        print("There is no valgrind here: the stored counts stay as they are.", file=sys.stderr)
        return UNAVAILABLE
    stored = Stored(versions(), found, {name: count_calls(name) for name in STAGES})
    STORED.write_bytes(msgspec.json.format(msgspec.json.encode(stored), indent=1) + b"\n")
    print(STORED.read_text())
    return OK


def main(arguments: list[str]) -> int:
    """`--renew`, or nothing; a stage when it is called by itself under the counter."""
    if arguments and not arguments[0].startswith("-"):
        stage(arguments[0], values(SHAPE))
        return OK
    return renew() if arguments == ["--renew"] else check()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
