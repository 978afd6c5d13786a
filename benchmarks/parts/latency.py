"""Part `latency`: from producing an event to seeing what it did, one at a time and at shares of the worker's rate.

Knows: paces, where the worker tells what it did.
Must not know: how the worker works, what is aimed at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, replace

from benchmarks.ground import Contender, Figures, Ground, ground, told
from benchmarks.measure import Run
from benchmarks.parts.real import shape_of
from benchmarks.parts.sizes import Sizes
from benchmarks.worker import RealWorker
from benchmarks.workload import Shape

LOADS = (10, 50, 90)
P99 = "ms (p99)"
PACE = Contender("pace", "peers", "pace")
SINGLE = Contender("single", "peers", "single")
SINGLES = 100
"""Events that come alone, in one round."""


def measure(sizes: Sizes) -> Iterator[Run]:
    """A worker of its own for each pace; single events need no rate, the others the one that the part `real` found."""
    if not sizes.rate:
        sizes.notes.append("Shares of the worker's rate were left out: measure the part real on this machine first.")
    with ground() as place:
        for number in sizes.turns(max(1, sizes.rounds // 2)):
            yield from _single(place, number, sizes)
            for load in LOADS if sizes.rate else ():
                yield from _paced(place, load, number, sizes)


def _single(place: Ground, number: int, sizes: Sizes) -> Iterator[Run]:
    """Single failures: each is awaited on the topics and in the API before the next one comes."""
    figures = _against(place, f"single-{number}", SINGLE, Shape(events=SINGLES, clusters=10, instances=100_000))
    for kind in ("transition", "anomaly", "api"):
        yield from _run(f"single_{kind}", number, figures[kind], sizes)


def _paced(place: Ground, load: int, number: int, sizes: Sizes) -> Iterator[Run]:
    rate = sizes.rate * load / 100
    shape = replace(shape_of(sizes), events=max(10, round(rate * sizes.seconds)))
    shape = replace(shape, begin_ms=round(time.time()) * 1000, pace_ms=max(1, round(1000 / rate)))
    figures = _against(place, f"{load}-{number}", PACE, shape, rate=rate)
    yield from _run(f"load_{load}", number, figures, sizes)


def _against(place: Ground, name: str, contender: Contender, shape: Shape, **order: float) -> Figures:
    """A contender that produces and listens, beside a worker that has just become ready."""
    raw = f"input-{name}"
    place.create([raw], shape.partitions)
    worker = RealWorker(place, raw, f"latency-{name}", shape.partitions)
    with worker.running():
        worker.wait_ready()
        where = {kind: worker.topic(kind) for kind in ("transitions", "anomalies")}
        where |= {"bootstrap": place.bootstrap, "raw": raw, "http": f"127.0.0.1:{worker.port}"}
        figures = told(contender, {**where, "shape": asdict(shape), **order})
    place.clean(worker.group)
    return figures


def _run(name: str, number: int, figures: Figures, sizes: Sizes) -> Iterator[Run]:
    """Where nothing came back in time there is no figure, and it is said."""
    if not figures["heard"]:
        sizes.notes.append(f"{name}: nothing was heard of any event in round {number + 1}.")
        return
    sizes.say(f"round {number + 1}  {name:<18} p50 {figures['p50']:,.0f} ms, p99 {figures['p99']:,.0f} ms")
    yield Run(name, number, figures["p99"], P99, figures)
