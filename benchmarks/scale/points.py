"""A worker that has a fleet of some size: how long it takes to be back, and what it holds.

Knows: in which order a worker is started, asked and ended; where Kafka and the worker keep their files.
Must not know: how rows are made, what follows from a figure.
"""

from __future__ import annotations

import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from benchmarks.ground import DEADLINE, Ground
from benchmarks.scale.results import Asked, Point
from benchmarks.scale.seed import CLUSTER, Rows, Seeder
from benchmarks.worker import RealWorker

REST_SECONDS = 25.0
"""Until clusters rest that nobody needs (10 s), and what was allocated for the start is given back."""
SETTLE_SECONDS = 5.0
QUESTIONS = ("/api/v1/instances?limit=1", "/api/v1/fleet", "/metrics")
Say = Callable[[str], None]


def points(place: Ground, sizes: list[int], partitions: int, say: Say) -> tuple[int, list[Point]]:
    """What a worker without a fleet holds in memory, and then a point for each size, the smallest first."""
    place.create(["scale-raw"], partitions)
    worker = RealWorker(place, "scale-raw", "scale", partitions, restore_deadline=DEADLINE)
    with started(worker):
        time.sleep(REST_SECONDS)
        empty = worker.resident_bytes()
    say(f"{0:>9,} instances  {empty >> 20:,} MiB")
    seeder, found = Seeder(place.bootstrap, worker.group, partitions), list[Point]()
    for size in sorted(sizes):
        made = seeder.grow(size)
        with started(worker):  # tells of the anomalies that the new clusters have
            time.sleep(SETTLE_SECONDS)
        found.append(_point(place, worker, made))
        say(_line(found[-1]))
    return empty, found


@contextmanager
def started(worker: RealWorker) -> Iterator[tuple[float, float]]:
    """From its start to its end; how long it took to be ready, and how much of a processor."""
    began = time.monotonic()
    with worker.running():
        worker.wait_ready()
        yield time.monotonic() - began, worker.cpu_seconds()


def _point(place: Ground, worker: RealWorker, made: Rows) -> Point:
    logs = log_bytes(place, f"{worker.group}-").items()
    anomalies, anomaly_bytes = _anomalies(place, worker)
    shutil.rmtree(worker.folder / "data")
    with started(worker) as (cold, cold_cpu):
        time.sleep(REST_SECONDS)
        resident, disk = worker.resident_bytes(), worker.disk_bytes()
        asked = {question: Asked(_ask(worker, question), _ask(worker, question)) for question in QUESTIONS}
        shown = worker.resident_bytes()
    with started(worker) as (warm, warm_cpu):
        pass
    return Point(
        instances=made.clusters * CLUSTER,
        clusters=made.clusters,
        rows=made.rows,
        row_bytes=made.row_bytes,
        anomalies=anomalies,
        anomaly_bytes=anomaly_bytes,
        changelog_bytes=sum(size for topic, size in logs if topic.endswith("-changelog")),
        cold_seconds=round(cold, 2),
        cold_cpu=round(cold_cpu, 2),
        warm_seconds=round(warm, 2),
        warm_cpu=round(warm_cpu, 2),
        resident_bytes=resident,
        asked_bytes=shown,
        disk_bytes=disk,
        asked=asked,
    )


def _ask(worker: RealWorker, question: str) -> float:
    """Seconds until all of the answer is here."""
    began = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{worker.port}{question}", timeout=DEADLINE) as answer:
        answer.read()
    return round(time.monotonic() - began, 3)


def _anomalies(place: Ground, worker: RealWorker) -> tuple[int, int]:
    """How many the table has, and the bytes of their keys and values."""
    name = f"{worker.group}-anomalies-changelog"
    consumer = KafkaConsumer(bootstrap_servers=place.bootstrap, isolation_level="read_committed", group_id=None)
    kept: dict[bytes, int] = {}
    try:
        parts = [TopicPartition(name, number) for number in range(worker.partitions)]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends = consumer.end_offsets(parts)
        while any(consumer.position(part) < ends[part] for part in parts):
            for batch in consumer.poll(timeout_ms=200).values():
                kept.update((record.key, len(record.key) + len(record.value or b"")) for record in batch)
    finally:
        consumer.close()
    return len(kept), sum(kept.values())


def log_bytes(place: Ground, prefix: str) -> dict[str, int]:
    """What Kafka has on its disk of each topic whose name begins so."""
    found: dict[str, int] = {}
    for folder in sorted(Path(place.kafka.data, "topics").glob(f"{prefix}*")):
        topic = folder.name.rpartition("-")[0]
        found[topic] = found.get(topic, 0) + sum(path.stat().st_size for path in folder.glob("*.log"))
    return found


def _line(point: Point) -> str:
    return (
        f"{point.instances:>9,} instances  {point.resident_bytes >> 20:,} MiB, cold {point.cold_seconds:.1f} s, "
        f"warm {point.warm_seconds:.1f} s, {point.row_bytes / point.instances:,.0f} bytes of rows each"
    )
