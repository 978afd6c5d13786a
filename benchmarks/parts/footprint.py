"""Part `memory`: what an instance costs the real worker.

Knows: fleets, where the worker's figures are.
Must not know: how the worker works, what is aimed at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.ground import Ground, ground
from benchmarks.measure import Run
from benchmarks.parts.sizes import Sizes
from benchmarks.worker import RealWorker
from benchmarks.workload import Shape

EVENTS_EACH = 12
FLEETS = 5
SETTLE_SECONDS = 5.0
"""So long anomalies are held back that a late event would explain; then their clusters are opened once more.

By default it is a minute, so that of a fleet that was measured before it was over all of it was open in the next one's
figure.  It has no part in what is kept.
"""
REST_SECONDS = 40.0
"""For what is still being judged, held back, written or collected, and until clusters rest that nobody needs."""

LEAST = 1.0
"""Bytes: where later fleets fit into what the first one left, there is nothing to divide by."""


@dataclass(frozen=True)
class Rested:
    """Bytes that a worker holds once nothing is at work, and how many of memory it held at most until then."""

    memory: int
    disk: int
    peak: int


def memory(sizes: Sizes) -> Iterator[Run]:
    """How much the worker grows with fleets that join a first one of the same size, and when that one came.

    A load leaves pages behind that are only partly free: as many as it had decoded at once, and the next one uses them
    again.  So what an instance takes is told by all fleets but the first, and by that one what both take together.
    """
    fleet = max(400, sizes.events // 40)
    with ground() as place:
        for number in sizes.turns(1):
            yield from _runs(number, fleet, _grown(place, fleet, number, sizes))


def _grown(place: Ground, fleet: int, number: int, sizes: Sizes) -> list[Rested]:
    """At rest: without anything, and after each fleet."""
    raw, clusters, events = f"input-{number}", 0, 0
    place.create([raw], Shape.partitions)
    place.filled.add(raw)
    worker = RealWorker(place, raw, f"memory-worker-{number}", Shape.partitions, settle_seconds=SETTLE_SECONDS)
    with worker.running():
        worker.wait_ready()
        found = [_rested(worker)]
        while len(found) <= FLEETS:
            shape = _fleet(fleet, clusters)
            clusters, events = clusters + shape.clusters, events + shape.events
            place.fill(raw, shape)
            worker.wait_applied(events)
            found.append(_rested(worker))
            more = (found[-1].memory - found[-2].memory) / shape.fleet
            sizes.say(f"fleet {len(found) - 1}  {more:,.0f} bytes resident for each of {shape.fleet:,} instances")
    place.clean(worker.group)
    return found


def _runs(number: int, fleet: int, found: list[Rested]) -> Iterator[Run]:
    empty, first, *_, last = found
    instances = _fleet(fleet, 0).fleet
    figures = {
        "instances": instances,
        "fleets": FLEETS,
        "empty": empty.memory,
        "grown": [round((after.memory - before.memory) / instances) for before, after in pairwise(found)],
        "peaks": [each.peak for each in found],
    }
    further = instances * (FLEETS - 1)
    for contender, value in (
        ("resident", (last.memory - first.memory) / further),
        ("resident_first", (first.memory - empty.memory) / instances),
        ("disk", (last.disk - first.disk) / further),
    ):
        yield Run(contender, number, max(LEAST, round(value, 1)), "bytes", figures)


def _rested(worker: RealWorker) -> Rested:
    time.sleep(REST_SECONDS)
    return Rested(worker.resident_bytes(), worker.disk_bytes(), worker.peak_bytes())


def _fleet(size: int, first_cluster: int) -> Shape:
    clusters = max(1, size // 200)
    instances, now = size // clusters, round(time.time()) * 1000
    events = clusters * instances * EVENTS_EACH
    return Shape(events, clusters, instances, begin_ms=now - events * 10, first_cluster=first_cluster)
