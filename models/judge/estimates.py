"""When a rollout will be over, by what the same group's earlier ones took.

Knows: durations and counts.  Must not know: rows, instances, other groups.

HyperPod does not say how many batches there will be, so an earlier rollout counts by its seconds per updated instance,
bakes and waits between batches included.  Nothing is estimated from another group, nor where nothing came before.
"""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from models.judge.clock import Clock
from models.judge.items import stamp
from models.public_rollout import Estimate


class Past(NamedTuple):
    """An earlier rollout that completed: how long it took, for how many instances."""

    ms: int
    instances: int


def estimate(outcome: str, begun: int | None, wanted: int, past: list[Past], clock: Clock) -> Estimate:
    """The end of a rollout under way that is to update `wanted` instances."""
    rates = sorted(took.ms / took.instances for took in past)
    reason = _reason(outcome, begun, wanted, rates)
    if reason is not None or begun is None:
        return _estimate(rates, reason=reason)
    earliest, middle, latest = (begun + round(rate * wanted) for rate in (rates[0], median(rates), rates[-1]))
    if clock.is_past(latest):
        reason = "it has taken longer than every earlier rollout of this group, for as many instances"
        return _estimate(rates, earliest, None, latest, reason)
    if clock.is_past(middle):
        return _estimate(rates, earliest, None, latest, "it has taken longer than the median of the earlier ones")
    return _estimate(rates, earliest, middle, latest)


def _reason(outcome: str, begun: int | None, wanted: int, rates: list[float]) -> str | None:
    if outcome == "Scheduled":
        return "it has not begun"
    if outcome == "RollingBack":
        return "it is rolling back: HyperPod sends no event for the end, and earlier rollouts say nothing about it"
    if begun is None:
        return "its beginning was not seen"
    if not wanted:
        return "no member is known that it is to update"
    return None if rates else "no earlier rollout of this group is known from beginning to completion"


def _estimate(
    rates: list[float],
    earliest: int | None = None,
    ends_at: int | None = None,
    latest: int | None = None,
    reason: str | None = None,
) -> Estimate:
    return Estimate(
        ends_at=stamp(ends_at),
        earliest=stamp(earliest),
        latest=stamp(latest),
        seconds_per_instance=round(median(rates) / 1000, 1) if rates else None,
        n=len(rates),
        reason=reason,
    )
