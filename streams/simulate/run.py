"""One simulation: from a seed and settings to values and truth, the same bytes every time.

Knows: how the parts come together.
Must not know: files, Kafka, clocks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

from streams.simulate.days import Day, polled
from streams.simulate.delivery import Delivered, Habits, deliver
from streams.simulate.kernel import Kernel
from streams.simulate.records import TIME_FORMS, Event
from streams.simulate.stage import Stage
from streams.simulate.truth import Truth, described
from streams.simulate.world import REGIONS, Cluster, Metadata, Names

START_MS = 1_791_158_400_000
"""2026-10-05T00:00:00Z."""
HOUR = 3600


class Faults(StrEnum):
    """How much goes wrong."""

    none = "none"
    some = "some"
    many = "many"


class Told(StrEnum):
    """What EventMetadata carries; `mixed`: full, null and absent by cluster."""

    full = "full"
    null = "null"
    absent = "absent"
    mixed = "mixed"


GAPS = {Faults.none: HOUR, Faults.some: 40 * 60, Faults.many: 15 * 60}
"""How far stories of one cluster begin from each other, in seconds on average."""


@dataclass(frozen=True)
class Settings:
    """What a simulation is made from.  `instances`: at the beginning, in each cluster."""

    seed: int
    clusters: int = 3
    instances: int = 60
    hours: float = 24
    faults: Faults = Faults.some
    metadata: Told = Told.full
    start_ms: int = START_MS
    habits: Habits = field(default_factory=Habits)
    polls: float | None = None
    """Minutes from one snapshot of each cluster to the next."""


@dataclass(frozen=True)
class Simulation:
    """What came of it.  `truth` is TRUTH.json's object."""

    delivered: Delivered
    truth: dict[str, Any]


@dataclass
class Fleet:
    """A fleet whose stories have begun: what they say is in `log`, what was true in `truth`."""

    kernel: Kernel
    clusters: list[Cluster]
    start_ms: int
    log: list[Event]
    truth: Truth


def begun(settings: Settings, seconds: int) -> Fleet:
    """A fleet with plans for so long."""
    start_ms = settings.start_ms // 1000 * 1000
    clusters = [_cluster(settings, number, start_ms) for number in range(settings.clusters)]
    fleet = Fleet(Kernel(), clusters, start_ms, [], Truth())
    for number, cluster in enumerate(clusters):
        chance = Random(f"{settings.seed} story {number}")  # nosec B311  # makes up fleets, keeps no secret
        stage = Stage(fleet.kernel, cluster, start_ms, chance, fleet.log, fleet.truth)
        day = Day(stage, settings.instances, seconds, GAPS[settings.faults], faulty=settings.faults is not Faults.none)
        fleet.kernel.spawn(day.story())
        if settings.polls is not None:
            asked = Random(f"{settings.seed} polls {number}")  # nosec B311  # as above
            fleet.kernel.spawn(polled(stage, round(settings.polls * 60), seconds, asked))
    return fleet


def simulate(settings: Settings) -> Simulation:
    """Plays the whole fleet.  The same settings give the same bytes; habits change deliveries alone."""
    fleet = begun(settings, round(settings.hours * HOUR))
    fleet.kernel.run()
    delivered = deliver(fleet.log, settings.habits, Random(f"{settings.seed} delivery"))  # nosec B311  # as above
    now_ms = max(event.at_ms for event in fleet.log)
    told = described(fleet.clusters, fleet.truth, (now_ms - fleet.start_ms) // 1000, fleet.start_ms)
    counts = {"events": len(fleet.log), "delivered": delivered.read, "distinct": delivered.distinct}
    return Simulation(delivered, {"seed": settings.seed, "now_ms": now_ms, **counts, **told})


def _cluster(settings: Settings, number: int, start_ms: int) -> Cluster:
    """Every other cluster is Slurm's; each has its own way of writing EventTime, some several."""
    chance = Random(f"{settings.seed} cluster {number}")  # nosec B311  # as above
    names = Names(chance)
    eks = number % 2 == 0
    forms = (("ms",), ("iso", "ms"), TIME_FORMS)[number % 3]
    ways = (Metadata.full, Metadata.null, Metadata.absent)
    metadata = ways[number % 3] if settings.metadata is Told.mixed else Metadata(settings.metadata.value)
    region = REGIONS[number % len(REGIONS)]
    name = f"{'eks' if eks else 'slurm'}-{names.hex(4)}"
    return Cluster(name, names.hex(12), region, eks, metadata, start_ms, forms=forms)
