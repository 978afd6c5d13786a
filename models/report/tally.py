"""Values of one scope gathered, and the figures that follow from them.

Knows: sums, means, percentiles, and from how few values none is told.  Must not know: where values come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from models.public import Cause
from models.report.definitions import LEAST_FOR_P95
from models.report.failures import Failure

HOUR_MS = 3_600_000


@dataclass
class Tally:
    """What lies in one scope.  Times in milliseconds."""

    places: int = 0
    instances: int = 0
    lived: int = 0
    up: int = 0
    lost_planned: int = 0
    lost_unplanned: int = 0
    provisioned: int = 0
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take what lies in the same scope elsewhere too."""
        self.places += other.places
        self.instances += other.instances
        self.lived += other.lived
        self.up += other.up
        self.lost_planned += other.lost_planned
        self.lost_unplanned += other.lost_unplanned
        self.provisioned += other.provisioned
        self.failures += other.failures

    def reliability(self, now: int) -> dict[str, Any]:
        """The figures that failures give; of a cause too."""
        ends = [(each, each.repaired) for each in self.failures]
        repairs = sorted(end - each.opened for each, end in ends if end is not None and end <= now)
        waits = [now - each.opened for each, end in ends if end is None or end > now]
        planned = sum(each.planned for each in self.failures)
        unplanned = len(self.failures) - planned
        return {
            "up_hours": hours(self.up),
            "lost_hours_unplanned": hours(self.lost_unplanned),
            "failures": len(self.failures),
            "failures_planned": planned,
            "failures_open": len(waits),
            "repairs": len(repairs),
            "mttr_seconds": seconds(sum(repairs) / len(repairs)) if repairs else None,
            "repair_median_seconds": middle(repairs),
            "repair_p95_seconds": p95(repairs),
            "longest_open_seconds": seconds(max(0, *waits)) if waits else None,
            "mtbf_hours": hours(self.up / unplanned) if unplanned else None,
        }

    def whole(self, now: int) -> dict[str, Any]:
        """Every figure."""
        wanted = self.up + self.lost_planned + self.lost_unplanned
        short = [each for each in self.failures if each.cause == Cause.CAPACITY]
        misses = sum(each.faults for each in short)
        attempts = misses + self.provisioned
        waits = [(now if each.resolved is None else each.resolved) - each.opened for each in short]
        return {
            **self.reliability(now),
            "places": self.places,
            "instances": self.instances,
            "instance_hours": hours(self.lived),
            "lost_hours_planned": hours(self.lost_planned),
            "availability": round(self.up / wanted, 4) if wanted else None,
            "provisioned": self.provisioned,
            "capacity_failures": misses,
            "capacity_shortage": round(misses / attempts, 4) if attempts else None,
            "capacity_longest_wait_seconds": seconds(max(0, *waits)) if waits else None,
        }


@dataclass
class Dwell:
    """Stays in one state.  Times in milliseconds."""

    lengths: list[int] = field(default_factory=list)
    open: int = 0
    total: int = 0

    def add(self, other: Dwell) -> None:
        """Take another's stays too."""
        self.lengths += other.lengths
        self.open += other.open
        self.total += other.total

    def figures(self) -> dict[str, Any]:
        """The figures of the state."""
        lengths = sorted(self.lengths)
        return {
            "n": len(lengths),
            "open": self.open,
            "median_seconds": middle(lengths),
            "p95_seconds": p95(lengths),
            "longest_seconds": seconds(lengths[-1]) if lengths else None,
            "hours": hours(self.total),
        }


def hours(ms: float) -> float:
    """Milliseconds as hours."""
    return round(ms / HOUR_MS, 4)


def seconds(ms: float) -> float:
    """Milliseconds as seconds."""
    return round(ms / 1000, 1)


def middle(sorted_ms: Sequence[int]) -> float | None:
    """The median in seconds."""
    return seconds(median(sorted_ms)) if sorted_ms else None


def p95(sorted_ms: Sequence[int]) -> float | None:
    """The 95th percentile in seconds, by the nearest rank; None where there are too few."""
    if len(sorted_ms) < LEAST_FOR_P95:
        return None
    return seconds(sorted_ms[-(-95 * len(sorted_ms) // 100) - 1])
