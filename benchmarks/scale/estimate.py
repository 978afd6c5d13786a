"""What a fleet of any size takes, by the figures that were measured.

Knows: the formulas, and what they assume of Kafka.
Must not know: how anything is measured or shown.

Everything but a few fixed parts is a straight line through the two largest points that were measured: rows, bytes, and
the processor time to read them back are of instances, whatever cluster they are in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.scale.results import Point, Scale

DIRTY = 0.5
"""Kafka compacts a log once so large a share of it is new (min.cleanable.dirty.ratio)."""
DAY = 86_400.0
TICK_SECONDS = 5.0
RAW = 4
"""Raw partitions of any fleet that is reckoned, as sizing advises: they need not be as many as the others."""
DAYS = {"hyperpod.events.raw": 7, "hyperpod.events": 30, "hyperpod.transitions": 30, "hyperpod.deadletter": 30}
"""Of the topics that forget by age; the raw one by Kafka's default (log.retention.hours)."""
COMMITTED = 0.25
"""A worker is given instances until it needs so much of `HYPERPOD_STATE_RESTORE_DEADLINE` to be back."""


@dataclass(frozen=True)
class Fleet:
    """What is asked about."""

    instances: int
    clusters: int
    workers: int
    partitions: int
    events_a_day: float = 1.0
    """Of an instance, copies included."""


@dataclass(frozen=True)
class Line:
    """A straight line: what there is without a fleet, and what each instance adds."""

    fixed: float
    each: float

    def at(self, instances: float) -> float:
        """Never less than nothing."""
        return max(0.0, self.fixed + self.each * instances)


@dataclass(frozen=True)
class Estimate:
    """Of one fleet; of the busiest worker where it says so."""

    rows: float
    row_bytes: float
    changelog_bytes: float
    """On Kafka's disk, one replica, while it is compacted as it comes."""
    resident_bytes: float
    disk_bytes: float
    cold_cpu: float
    """Processor seconds until it is ready, which is how long it takes where nothing else wants that core."""
    warm_cpu: float
    events_a_second: float
    """Of the whole fleet, evenly over the day."""


def line(found: Scale, value: Callable[[Point], float]) -> Line:
    """Through the two largest points."""
    one, two = sorted(found.fleets.points, key=lambda point: point.instances)[-2:]
    each = (value(two) - value(one)) / (two.instances - one.instances)
    return Line(value(two) - each * two.instances, each)


def estimate(found: Scale, fleet: Fleet) -> Estimate:
    """By the formulas on the page."""
    share = fleet.instances / fleet.workers
    row_bytes = line(found, lambda point: point.row_bytes + point.anomaly_bytes).at(fleet.instances)
    return Estimate(
        rows=line(found, lambda point: point.rows).at(fleet.instances),
        row_bytes=row_bytes,
        changelog_bytes=row_bytes / (1 - DIRTY),
        resident_bytes=line(found, lambda point: point.resident_bytes).at(share),
        disk_bytes=line(found, lambda point: point.disk_bytes).at(share),
        cold_cpu=line(found, lambda point: point.cold_cpu).at(share),
        warm_cpu=line(found, lambda point: point.warm_cpu).at(share),
        events_a_second=fleet.instances * fleet.events_a_day / DAY,
    )


def kept(found: Scale, fleet: Fleet) -> dict[str, float]:
    """Bytes of the topics that forget by age: what a day brings, times the days."""
    daily = fleet.instances * fleet.events_a_day
    sizes = {name: DAYS[name] * daily * found.live.single.bytes_each.get(name, 0.0) for name in DAYS}
    sizes["hyperpod.events"] += DAYS["hyperpod.events"] * ticks_a_day(found, fleet.partitions, RAW)
    return sizes


def written_a_day(found: Scale, fleet: Fleet) -> float:
    """Bytes that go into all topics, ticks among them; one replica."""
    each = sum(found.live.single.bytes_each.values())
    return fleet.instances * fleet.events_a_day * each + ticks_a_day(found, fleet.partitions, RAW)


def ticks_a_day(found: Scale, partitions: int, raw_partitions: int) -> float:
    """Bytes of `hyperpod.events` by which time is told while nothing happens: every raw partition tells every other."""
    return found.live.tick_bytes * DAY / TICK_SECONDS * partitions * raw_partitions


def most_of_a_worker(found: Scale, deadline: float) -> float:
    """Instances that are read back within `COMMITTED` of the deadline."""
    cold = line(found, lambda point: point.cold_cpu)
    return (COMMITTED * deadline - cold.fixed) / cold.each


def events_a_second(found: Scale) -> float:
    """That a processor of its own takes of one cluster while it works off a backlog."""
    return found.live.backlog.events / found.live.backlog.cpu_seconds


def judging(found: Scale, instances: int) -> Mapping[str, float]:
    """Seconds, of one cluster: to judge it, to judge it after a rest, and between two judgements of a busy one."""
    size = max(found.process.clusters, key=lambda cluster: cluster.instances)
    judged, opened = instances * size.judge_us / 1e6, instances * size.open_us / 1e6
    return {"judged": judged, "opened": judged + opened, "busy": 3 * judged}
