"""One cluster, which is one partition, which is one worker: what events cost there, and what judging does.

Knows: a worker with one partition, a cluster in this process.
Must not know: what follows from a figure.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median

from kafka import KafkaProducer

from benchmarks.ground import Ground
from benchmarks.scale import written
from benchmarks.scale.points import Say, started
from benchmarks.scale.results import Cluster, Events, Row
from benchmarks.scale.seed import CLUSTER, LIFE, folded, shape, taken
from benchmarks.worker import TOPICS, RealWorker
from benchmarks.workload import Shape, events
from models.placement import RowKey
from models.workspace import Workspace

SINGLE = 100
PAUSE_SECONDS = 0.15
SIZES = (1_000, 4_000)
LIVES = (3, 9, 30, 64, 120)
"""Events of an instance whose row is weighed; from 64 on a row settles those that are older than a day."""
DAY_MS = 86_400_000


def live(place: Ground, say: Say) -> tuple[Events, Events, float]:
    """A backlog of one cluster's events, then single ones; and the bytes of a tick."""
    place.create(["hot-raw"], 1)
    worker = RealWorker(place, "hot-raw", "hot", 1)
    past = shape(0)
    with started(worker):
        backlog, _ = _events(place, worker, replace(past, events=CLUSTER * LIFE), 0.0)
        say(f"{backlog.events:>9,} events of a backlog, {backlog.events / backlog.seconds:,.0f} a second")
        later = replace(past, first=past.events, events=SINGLE)
        single, ticks = _events(place, worker, later, PAUSE_SECONDS, past.events)
        say(f"{single.events:>9,} single events, {sum(single.bytes_each.values()):,.0f} bytes of Kafka's disk each")
    return backlog, single, sum(ticks) / len(ticks)


def _events(place: Ground, worker: RealWorker, life: Shape, pause: float, before: int = 0) -> tuple[Events, list[int]]:
    """How long, how much of a processor, and how many bytes, from the first one's sending to the last one's commit."""
    ends, used, began = written.ends(place.bootstrap, worker.group), worker.cpu_seconds(), time.monotonic()
    producer = KafkaProducer(bootstrap_servers=place.bootstrap, linger_ms=0 if pause else 20)
    try:
        for event in events(life):
            producer.send(worker.raw, key=event.key, value=event.value)
            time.sleep(pause)
        producer.flush(timeout=60)
    finally:
        producer.close()
    worker.wait_applied(before + life.events)
    seconds, cpu = time.monotonic() - began, worker.cpu_seconds() - used
    sizes, ticks = written.since(place.bootstrap, ends, life.events if pause else 0)
    each = {_plain(worker, topic): round(size / life.events, 1) for topic, size in sizes.items()}
    return Events(life.events, round(seconds, 2), round(cpu, 3), each), ticks


def _plain(worker: RealWorker, topic: str) -> str:
    """A topic's name as users have it."""
    told = {worker.topic(kind): f"hyperpod.{kind}" for kind in TOPICS} | {worker.raw: "hyperpod.events.raw"}
    return told.get(topic, topic.removeprefix(f"{worker.group}-"))


def clusters() -> Iterator[Cluster]:
    """Judged, and opened from their rows, in this process."""
    for size in SIZES:
        made = folded(shape(0, size))
        rows = [(key, value) for key, value in made.take().rows.items() if value is not None]
        now = round(time.time() * 1000)
        judged = _micro(lambda: made.judgement(now), size)  # noqa: B023 - called at once
        opened = _micro(lambda: _opened(made.cluster_arn, rows), size)  # noqa: B023
        yield Cluster(size, judged, opened)


def _opened(arn: str, rows: list[tuple[RowKey, bytes]]) -> None:
    workspace = Workspace(arn)
    for (table, key), value in rows:
        workspace.load(table, key, value)


def _micro(act: Callable[[], object], size: int) -> float:
    """Processor time of an instance in microseconds: the middle of three."""
    found = []
    for _ in range(3):
        gc.collect()
        used = time.process_time()
        act()
        found.append((time.process_time() - used) / size * 1e6)
    return round(median(found), 1)


def rows() -> Iterator[Row]:
    """What an instance's row takes, in a small cluster: the same bytes every time."""
    for each in LIVES:
        life = replace(shape(0, 20, each, begin_ms=1_790_000_000_000), pace_ms=DAY_MS // 40)
        sizes = [len(value) for key, value in taken(folded(life)) if key.table == "instances"]
        yield Row(each, round(sum(sizes) / len(sizes)))
