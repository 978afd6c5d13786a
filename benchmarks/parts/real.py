"""Part `real`: the real worker, and the same fold in Quix Streams and on the bare client.

Knows: how the worker's rate is taken from outside.
Must not know: how a row moves, what is aimed at.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

from benchmarks.ground import Contender, Ground, ground
from benchmarks.measure import Run
from benchmarks.parts.sizes import Sizes
from benchmarks.parts.transports import drained, present
from benchmarks.worker import RealWorker
from benchmarks.workload import Shape

PEERS = (
    Contender("bare", "peers", "real_bare", {"whole": True}),
    Contender("bare_judging", "peers", "real_bare", {"whole": True, "judges": True}),
    Contender("quix", "peers", "real_quix", {"whole": True}),
    Contender("quix_tuned", "peers", "real_quix", {"whole": True, "tuned": True}),
)
SHARE = 5
"""One event in so many of the small step's: a fold takes the longer."""


def shape_of(sizes: Sizes) -> Shape:
    """Ten clusters whose instances have about a dozen events each, of just now: older ones would be history."""
    events = sizes.events // SHARE
    begin = round(time.time()) * 1000 - 10 * events
    return Shape(events=events, clusters=10, instances=max(10, events // 120), begin_ms=begin)


def measure(sizes: Sizes) -> Iterator[Run]:
    """Every contender once a round."""
    shape, chosen = shape_of(sizes), present(PEERS, sizes)
    with ground() as place:
        topic = place.fill("input", shape)
        for number in sizes.turns():
            yield worked(place, topic, shape, number, sizes)
            for contender in chosen:
                if run := drained(place, contender, topic, shape, number, sizes):
                    yield run


def worked(place: Ground, topic: str, shape: Shape, number: int, sizes: Sizes) -> Run:
    """The worker, from its first raw record until every event is in a committed checkpoint."""
    worker = RealWorker(place, topic, f"worker-{number}", shape.partitions)
    with worker.running():
        worker.wait_reading()
        begin, used = time.monotonic(), worker.cpu_seconds()
        worker.wait_applied(shape.events)
        seconds, cpu = time.monotonic() - begin, worker.cpu_seconds() - used
    place.clean(worker.group)
    shutil.rmtree(worker.folder, ignore_errors=True)
    rate = shape.events / seconds
    sizes.say(f"round {number + 1}  {'worker':<18} {rate:>9,.0f} events/s")
    figures = {"events": shape.events, "seconds": round(seconds, 4), "cpu_seconds": round(cpu, 2)}
    return Run("worker", number, round(rate, 1), "events/s", figures)
