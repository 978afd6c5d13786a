"""What needs no Kafka: the fold in one process, beside a bare parse of the same bytes.

Knows: the workload, the fold, how often a worker would write.
Must not know: how its figures are used.

Options: `what` is `parse`, `unwrap`, `read`, `fold` (nothing is written), `written` (rows and transitions are made
ready every so many events, as for a checkpoint) or `growth` (the same, with a fleet of `clusters` by `instances` that
has spoken once before).  From `unwrap` on each does what the one before does, and more.  Python looks for garbage as
seldom as in `hyperpod-state replay`, whatever is measured.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import orjson

from benchmarks.contenders.job import Job, cpu_seconds, leave, report, told
from benchmarks.contenders.real_fold import Clusters, nothing, observations
from benchmarks.workload import BEGIN_MS, Shape, events, values
from models.reading import ahead, read
from models.unwrap import Value, unwrap
from streams.garbage import look_rarely

CHECKPOINT = 5000
FLEET = {"clusters": 10, "instances": 340}


def main(job: Job) -> None:
    """Once over the events."""
    options = dict(job.options)
    what = options.pop("what")
    look_rarely()
    if what == "growth":
        growth(job, Shape(**options))
    else:
        lines = values(Shape(events=job.events, **{**FLEET, **options}))
        act = LOOKS.get(what) or (lambda given: fold(Clusters(), given, written=what == "written"))
        began, used = time.monotonic(), cpu_seconds()
        act(lines)
        report(len(lines), time.monotonic() - began, cpu_seconds() - used)
    leave()


def parse(lines: Sequence[bytes]) -> None:
    """What anybody pays who looks at the events at all."""
    for line in lines:
        orjson.loads(line)


def unwrapped(lines: Sequence[bytes]) -> None:
    """Bytes to values: size, depth, numbers and form are looked at."""
    for line in lines:
        list(unwrap(line, observed_ms=BEGIN_MS))


def observed(lines: Sequence[bytes]) -> None:
    """Values to observations."""
    for line in lines:
        for value in unwrap(line, observed_ms=BEGIN_MS):
            assert isinstance(value, Value)
            read(value, latest=nothing)


LOOKS: dict[str, Callable[[Sequence[bytes]], None]] = {"parse": parse, "unwrap": unwrapped, "read": observed}


def fold(clusters: Clusters, lines: Iterable[bytes], *, written: bool) -> None:
    """What disorder has put off is folded every so many events, as a worker would for its checkpoint.

    Some events are read ahead, as a process of `hyperpod-state replay` does it.
    """
    for number, obs in enumerate(ahead(observations(lines, BEGIN_MS)), 1):
        clusters.take_in(obs, BEGIN_MS, 0)
        if number % CHECKPOINT == 0:
            checkpoint(clusters, written)
    checkpoint(clusters, written)


def checkpoint(clusters: Clusters, written: bool) -> None:
    """Everything folded, and made ready to be written if it is to be."""
    if written:
        for _ in clusters.take():
            pass
    else:
        clusters.settle()


def growth(job: Job, fleet: Shape) -> None:
    """Every instance has had one event; then comes one more of as many as there are events to measure.

    A small fleet is made as often as it takes, so that every event measured is the second one of its instance.
    """
    born = replace(fleet, events=fleet.fleet)
    again = replace(fleet, events=min(fleet.fleet, job.events), first=fleet.fleet)
    lines, done, seconds, cpu = values(again), 0, 0.0, 0.0
    while done < job.events:
        clusters = Clusters()
        fold(clusters, (event.value for event in events(born)), written=True)
        gc.collect()
        began, used = time.monotonic(), cpu_seconds()
        fold(clusters, lines, written=True)
        seconds, cpu, done = seconds + time.monotonic() - began, cpu + cpu_seconds() - used, done + len(lines)
    report(done, seconds, cpu, peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)


if __name__ == "__main__":
    main(told())
