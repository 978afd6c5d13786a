"""Part `memory`: what an instance costs the real worker.

Knows: fleets, where the worker's figures are.
Must not know: how the worker works, what is aimed at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.ground import Ground, ground
from benchmarks.measure import Run
from benchmarks.parts.sizes import Sizes
from benchmarks.worker import RealWorker
from benchmarks.workload import Shape

EVENTS_EACH = 12
REST_SECONDS = 30.0
"""For what is still being judged, written or collected, and until clusters rest that nobody needs."""


def memory(sizes: Sizes) -> Iterator[Run]:
    """How much the worker grows when a second, larger fleet joins the first; so nothing that it has anyhow counts."""
    fleet = max(400, sizes.events // 40)
    with ground() as place:
        for number in sizes.turns(max(1, sizes.rounds // 2)):
            yield from _grown(place, fleet, number, sizes)


def _grown(place: Ground, fleet: int, number: int, sizes: Sizes) -> Iterator[Run]:
    first = _fleet(fleet // 5, 0)
    second = _fleet(fleet, first.clusters)
    raw = place.fill(f"input-{number}", first)
    worker = RealWorker(place, raw, f"memory-worker-{number}", first.partitions)
    with worker.running():
        worker.wait_applied(first.events)
        time.sleep(REST_SECONDS)
        resident, disk = worker.resident_bytes(), worker.disk_bytes()
        place.fill(raw, second)
        worker.wait_applied(first.events + second.events)
        time.sleep(REST_SECONDS)
        grown, stored = worker.resident_bytes() - resident, worker.disk_bytes() - disk
    place.clean(worker.group)
    figures = {"instances": second.fleet, "resident_bytes": grown, "disk_bytes": stored, "before": resident}
    sizes.say(f"round {number + 1}  {grown / second.fleet:,.0f} bytes resident, {stored / second.fleet:,.0f} on disk")
    yield Run("resident", number, round(grown / second.fleet, 1), "bytes", figures)
    yield Run("disk", number, round(stored / second.fleet, 1), "bytes", figures)


def _fleet(size: int, first_cluster: int) -> Shape:
    clusters = max(1, size // 200)
    instances, now = size // clusters, round(time.time()) * 1000
    events = clusters * instances * EVENTS_EACH
    return Shape(events, clusters, instances, begin_ms=now - events * 10, first_cluster=first_cluster)
