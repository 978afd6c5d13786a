"""Parts `process` and `growth`: the fold with no Kafka, beside a bare parse; disorder; larger fleets; files.

Knows: what is run in a process of its own, and that processor seconds are what counts there.
Must not know: how the fold works, what is aimed at.
"""

from __future__ import annotations

import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.contenders.in_process import FLEET
from benchmarks.ground import DEADLINE, ROOT, Contender, compute
from benchmarks.measure import Run
from benchmarks.parts.sizes import Sizes
from benchmarks.workload import Shape, events

SHARE = 5
INSTANCES = 200
"""Of a cluster, however many clusters there are."""
INSTANCE_BYTES = 8 << 10
"""About so much an instance with an event or two takes."""
SLOWER = 4
"""A machine may become so much slower meanwhile before a fleet is given up."""
MODULE = "in_process"
CONTENDERS = (
    Contender("parse", "product", MODULE, {"what": "parse"}),
    Contender("unwrap", "product", MODULE, {"what": "unwrap"}),
    Contender("read", "product", MODULE, {"what": "read"}),
    Contender("fold", "product", MODULE, {"what": "fold"}),
    Contender("disorder_0", "product", MODULE, {"what": "written"}),
    Contender("disorder_1", "product", MODULE, {"what": "written", "disorder": 0.01}),
    Contender("disorder_30", "product", MODULE, {"what": "written", "disorder": 0.3}),
)
LOOP = "import sys, orjson\nfor line in open(sys.argv[1], 'rb'): orjson.loads(line)"


def measure(sizes: Sizes) -> Iterator[Run]:
    """Every contender once a round, then whole processes over a file."""
    count = sizes.events // SHARE
    for number in sizes.turns():
        yield from _computed(sizes, CONTENDERS, count, number)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "events.jsonl"
        with path.open("wb") as file:
            file.writelines(event.value + b"\n" for event in events(Shape(events=count, **FLEET)))
        commands = {
            "file_parse": [sys.executable, "-c", LOOP, str(path)],
            "file_replay": [sys.executable, "-m", "streams.cli", "replay", str(path), "-o", "json"],
        }
        for number in sizes.turns():
            for name, command in commands.items():
                yield _timed(sizes, name, command, number, count)


def growth(sizes: Sizes) -> Iterator[Run]:
    """The same events to fleets of several sizes, each as often as there is time for; the smallest once in any case."""
    count, took = sizes.events // SHARE, dict[int, float]()
    fleets = fitting(sizes, machine.free_bytes())
    for number in range(sizes.rounds):
        for fleet in [each for each in fleets if number < rounds_of(each, sizes)]:
            seconds = expected(fleet, count, took)
            if not sizes.in_time(seconds):
                fleets.remove(fleet)
                sizes.notes.append(_late(fleet, number, seconds))
                continue
            began = sizes.clock()
            there = Contender(name_of(fleet), "product", MODULE, {"what": "growth", **_fleet(fleet)})
            yield from _computed(sizes, [there], count, number, max(DEADLINE, SLOWER * seconds))
            took[fleet] = sizes.clock() - began


def fitting(sizes: Sizes, free: int) -> list[int]:
    """The fleets that there is memory for, the smallest first; of the others the notes tell."""
    for fleet in sizes.fleets:
        if fleet * INSTANCE_BYTES > free:
            needed = f"some {fleet * INSTANCE_BYTES >> 20:,} MiB, and {free >> 20:,} are free"
            sizes.notes.append(f"{fleet:,} instances were left out: they take {needed}.")
    return sorted(fleet for fleet in sizes.fleets if fleet * INSTANCE_BYTES <= free)


def expected(fleet: int, count: int, took: Mapping[int, float]) -> float:
    """Seconds for a fleet of that size, by the largest that was measured; none while nothing was."""
    if not took:
        return 0.0
    known = fleet if fleet in took else max(took)
    return took[known] * _folded(fleet, count) / _folded(known, count)


def _folded(fleet: int, count: int) -> int:
    """Events: the first ones of the whole fleet, and those that are measured, again and again where it is small."""
    again = min(fleet, count)
    return math.ceil(count / again) * (fleet + again)


def _late(fleet: int, number: int, seconds: float) -> str:
    rounds = f" from round {number + 1} on" if number else ""
    return (
        f"{fleet:,} instances were left out{rounds}: {seconds / 60:.0f} minutes more there were not (MINUTES, FLEETS)."
    )


def name_of(fleet: int) -> str:
    """1k, 200k, 1m."""
    return f"{fleet // 1_000_000}m" if fleet >= 1_000_000 else f"{fleet // 1000}k"


def rounds_of(fleet: int, sizes: Sizes) -> int:
    """How often a fleet of that size is measured."""
    return sizes.rounds if fleet < 1_000_000 else max(1, sizes.rounds // 3)


def _fleet(fleet: int) -> dict[str, int]:
    return {"clusters": max(1, fleet // INSTANCES), "instances": min(fleet, INSTANCES)}


def _computed(
    sizes: Sizes, contenders: Sequence[Contender], count: int, number: int, deadline: float = DEADLINE
) -> Iterator[Run]:
    for contender in contenders:
        figures = compute(contender, count, deadline)
        rate = figures["events"] / figures["cpu_seconds"]
        sizes.say(f"round {number + 1}  {contender.name:<18} {rate:>9,.0f} events per processor second")
        yield Run(contender.name, number, round(rate, 1), "events/processor second", figures)


def _timed(sizes: Sizes, name: str, command: list[str], number: int, count: int) -> Run:
    """A whole process: wall time, as a user waits for it, and the processor time of it and of its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sizes.say(f"round {number + 1}  {name:<18} {count / seconds:>9,.0f} events/s")
    figures = {"events": count, "seconds": round(seconds, 4), "cpu_seconds": round(cpu, 4)}
    return Run(name, number, round(count / seconds, 1), "events/s", figures)
