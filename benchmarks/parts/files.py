"""Part `replay`: two files of one fleet, one ten times as long as the other: how fast, and in how much memory.

Knows: how such files are made, how the memory of a process and of those that it starts is watched.
Must not know: how a replay works, what is aimed at.

The fleet is the same in both, so what a replay holds should be, too: it grows with instances, not with events.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.ground import ROOT, Failed, Figures
from benchmarks.measure import Run
from benchmarks.parts.sizes import Sizes
from benchmarks.workload import Shape, events

TIMES = 10
FLEET = {"clusters": 10, "instances": 10}
PACE_MS = 120_000
"""Many events of each instance, few of them of one day: so the smaller file already fills what a row may keep."""
EVENT_BYTES = 1_300
"""At most."""
LOOK_SECONDS = 0.2
PAGE = os.sysconf("SC_PAGE_SIZE")
TENTHS = 10


def measure(sizes: Sizes) -> Iterator[Run]:
    """By all cores, as a user has it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        _room(Path(name), sizes.file_events * (TIMES + 1) * EVENT_BYTES)
        files = {"once": (sizes.file_events, Path(name) / "once.jsonl")}
        files["ten_times"] = (sizes.file_events * TIMES, Path(name) / "ten_times.jsonl")
        for count, path in files.values():
            make(path, count)
        for number in sizes.turns(max(1, sizes.rounds // 3)):
            for kind, (count, path) in files.items():
                yield from _replayed(kind, count, path, number, sizes)


def make(path: Path, count: int, **fleet: int) -> None:
    """A file of so many events, one a line."""
    shape = Shape(events=count, pace_ms=PACE_MS, begin_ms=1_600_000_000_000, **{**FLEET, **fleet})
    with path.open("wb", buffering=1 << 20) as file:
        file.writelines(event.value + b"\n" for event in events(shape))


def _room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Failed(f"The files need {needed >> 20:,} MiB in {folder.parent}, where {free >> 20:,} are free (TMPDIR).")


def _replayed(kind: str, count: int, path: Path, number: int, sizes: Sizes) -> Iterator[Run]:
    figures = {
        "events": count,
        **watched([sys.executable, "-m", "streams.cli", "replay", str(path), "-o", "json"], path),
    }
    rate, peak = count / figures["seconds"], figures["peak_mb"]
    sizes.say(f"round {number + 1}  {count:>10,} events  {rate:>9,.0f} events/s  {peak:,.0f} MB at most")
    yield Run(f"replay_{kind}", number, round(rate, 1), "events/s", figures)
    yield Run(f"memory_{kind}", number, peak, "MB", figures)


def watched(command: list[str], path: Path) -> Figures:
    """Run it, and look at the memory of all its processes; `mb_by_tenth` is the most up to each tenth of the file."""
    before, began, size = _cpu_seconds(), time.monotonic(), path.stat().st_size
    peaks = [0.0] * (TENTHS + 1)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said)
        while process.poll() is None:
            tenth = min(TENTHS, _read_bytes(process.pid) * TENTHS // size)
            peaks[tenth] = max(peaks[tenth], sum(map(_resident, _family(process.pid))) / 1e6)
            time.sleep(LOOK_SECONDS)
        if process.returncode:
            said.seek(0)
            raise Failed(f"replay ended with {process.returncode}:\n{said.read()[-1000:].decode(errors='replace')}")
    seconds, cpu = time.monotonic() - began, _cpu_seconds() - before
    told = {"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), "peak_mb": round(max(peaks), 1)}
    return {**told, "mb_by_tenth": [round(peak, 1) for peak in peaks]}


def _family(pid: int) -> list[int]:
    """A process, and those that any of its threads has started."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _text(path).split():
            found += _family(int(child))
    return found


def _resident(pid: int) -> int:
    fields = _text(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * PAGE if fields else 0


def _read_bytes(pid: int) -> int:
    """Of the file, and a little of whatever else it reads."""
    found = [line for line in _text(Path(f"/proc/{pid}/io")).splitlines() if line.startswith("rchar")]
    return int(found[0].split()[1]) if found else 0


def _text(path: Path) -> str:
    """Nothing where the process has ended meanwhile."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
