"""What a worker can tell of its own work, beside what it knows of the fleet.

Knows: the shape of the answer, how durations are counted.
Must not know: lanes, Kafka, how a figure is shown.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streams.metrics.series import Buckets

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds.  A checkpoint on a Kafka nearby takes some hundredths; one that takes a minute is in trouble."""


class Checkpoints:
    """How long checkpoints of one topic took, what they wrote, and how many were lost, since this process began."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum = 0.0
        self.lost = 0
        """Transactions after which a partition was claimed anew."""
        self.wrote: Counter[str] = Counter()
        """Records by the topic that they went to."""

    def took(self, seconds: float) -> None:
        """One was committed."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self._sum += seconds

    @property
    def buckets(self) -> Buckets:
        """Cumulative, as Prometheus wants them."""
        total, counts = 0, []
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self._counts, strict=True):
            total += count
            counts.append((bound, float(total)))
        return Buckets(counts, self._sum)


@dataclass(frozen=True)
class Counted:
    """Counts of one partition as they are committed: they never fall, not even when the worker is killed.

    A count that is not known to the topic is left out: of raw events what was read, of events what became of it.
    """

    topic: str
    partition: int
    outcomes: Mapping[str, int]
    letters: Mapping[str, int]
    """Dead letters by reason."""
    read: int | None = None
    late: int | None = None
    unrecognized: int | None = None


@dataclass(frozen=True)
class Workings:
    """At one moment."""

    partitions: Mapping[str, int] = field(default_factory=dict)
    """How many each topic has, whoever works them."""
    counts: Sequence[Counted] = ()
    watermarks: Mapping[int, int] = field(default_factory=dict)
    """By partition of the events topic: the newest event time seen, epoch ms."""
    heartbeats: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By account and region: the newest heartbeat, epoch ms."""
    checkpoints: Mapping[str, Checkpoints] = field(default_factory=dict)
    """By topic."""
    topics: Mapping[str, str] = field(default_factory=dict)
    """What the topics on the data's way are called here, in its order: raw, events, transitions …"""
    assignments: int = 0
    """How often partitions were taken over since this process began."""
    restored: float = 1.0
    """Share of the tables read back, 0 to 1."""
