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
    """How much the worker grows when a second fleet joins a first one of the same size, and when that one came.

    A load leaves pages behind that are only partly free, once, however many more follow: so what an instance takes is
    told by the second fleet, and by the first one what both of them take together.
    """
    fleet = max(400, sizes.events // 40)
    with ground() as place:
        for number in sizes.turns(max(1, sizes.rounds // 2)):
            yield from _grown(place, fleet, number, sizes)


def _grown(place: Ground, fleet: int, number: int, sizes: Sizes) -> Iterator[Run]:
    one = _fleet(fleet, 0)
    two, raw = _fleet(fleet, one.clusters), f"input-{number}"
    place.create([raw], one.partitions)
    place.filled.add(raw)
    worker = RealWorker(place, raw, f"memory-worker-{number}", one.partitions)
    with worker.running():
        worker.wait_ready()
        at_rest = [_rested(worker)]
        for shape in (one, two):
            place.fill(raw, shape)
            worker.wait_applied(shape.events * len(at_rest))
            at_rest.append(_rested(worker))
    place.clean(worker.group)
    (empty, _), (before, disk), (after, stored) = at_rest
    first, grown, kept = ((before - empty), (after - before), (stored - disk))
    figures = {"instances": two.fleet, "empty": empty, "resident_bytes": grown, "disk_bytes": kept, "before": before}
    for contender, value in (("resident", grown), ("resident_first", first), ("disk", kept)):
        yield Run(contender, number, round(value / two.fleet, 1), "bytes", figures)
    each = (f"{value / two.fleet:,.0f}" for value in (grown, first, kept))
    sizes.say("round {}  {} bytes resident ({} of the first fleet), {} on disk".format(number + 1, *each))


def _rested(worker: RealWorker) -> tuple[int, int]:
    """Bytes in memory and on the disk, once nothing is at work."""
    time.sleep(REST_SECONDS)
    return worker.resident_bytes(), worker.disk_bytes()


def _fleet(size: int, first_cluster: int) -> Shape:
    clusters = max(1, size // 200)
    instances, now = size // clusters, round(time.time()) * 1000
    events = clusters * instances * EVENTS_EACH
    return Shape(events, clusters, instances, begin_ms=now - events * 10, first_cluster=first_cluster)
