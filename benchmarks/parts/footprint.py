"""Parts `latency` and `memory`: the real worker under a steady load, and what an instance costs it.

Knows: paces, fleets, where the worker's figures are.
Must not know: how the worker works, what is aimed at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, replace

from benchmarks.ground import Contender, Ground, ground, told
from benchmarks.measure import Run
from benchmarks.parts.real import shape_of
from benchmarks.parts.sizes import Sizes
from benchmarks.worker import RealWorker
from benchmarks.workload import Shape

LOADS = (10, 50, 90)
P50 = "ms (p50)"
PACE = Contender("pace", "peers", "pace")
EVENTS_EACH = 12
REST_SECONDS = 30.0
"""For what is still being judged, written or collected, and until clusters rest that nobody needs."""


def latency(sizes: Sizes) -> Iterator[Run]:
    """At shares of the rate that the part `real` found; for each pace a worker of its own."""
    if not sizes.rate:
        sizes.notes.append("Latency needs the worker's own rate: measure the part real first.")
        return
    with ground() as place:
        for number in range(max(1, sizes.rounds // 2)):
            for load in LOADS:
                yield _paced(place, load, number, sizes)


def _paced(place: Ground, load: int, number: int, sizes: Sizes) -> Run:
    rate = sizes.rate * load / 100
    shape = replace(shape_of(sizes), events=max(10, round(rate * sizes.seconds)))
    shape = replace(shape, begin_ms=round(time.time()) * 1000, pace_ms=max(1, round(1000 / rate)))
    raw = f"input-{load}-{number}"
    place.create([raw], shape.partitions)
    worker = RealWorker(place, raw, f"latency-{load}-{number}", shape.partitions)
    with worker.running():
        worker.wait_ready()
        topics = {"raw": raw, "transitions": worker.topic("transitions")}
        order = {"bootstrap": place.bootstrap, **topics, "rate": rate, "shape": asdict(shape)}
        figures = told(PACE, order)
    place.clean(worker.group)
    sizes.say(
        f"round {number + 1}  {load:>3} % load, {rate:,.0f}/s: p50 {figures.get('p50')} ms, p99 {figures.get('p99')} ms"
    )
    return Run(f"load_{load}", number, figures.get("p50", 0.0), P50, figures)


def memory(sizes: Sizes) -> Iterator[Run]:
    """How much the worker grows when a second, larger fleet joins the first; so nothing that it has anyhow counts."""
    fleet = max(400, sizes.events // 40)
    with ground() as place:
        for number in range(max(1, sizes.rounds // 2)):
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
