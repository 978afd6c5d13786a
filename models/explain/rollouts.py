"""A rollout in words: what it did, what it left behind, when it will be over.

Knows: the public record of a rollout.  Must not know: where it comes from, how it is printed.
"""

from __future__ import annotations

from models.explain.times import milliseconds, span
from models.public import RolloutItem, Time
from models.public_rollout import BakeItem, Estimate

NAMED = 5
"""How many instances a sentence names."""
_PAST = ("not_reached", "failed", "skipped", "rollback_failed", "gone")
_WORDS = {
    "not_reached": "not reached",
    "prepared": "prepared",
    "replacing_root_volume": "replacing their root volume",
    "failed": "failed",
    "skipped": "skipped",
    "rolling_back": "rolling back",
    "rolled_back": "rolled back",
    "rollback_failed": "not rolled back: failed",
    "gone": "gone meanwhile",
}


def tell_rollout(item: RolloutItem, now: Time | None) -> str:
    """One sentence per fact, the outcome first."""
    parts = [f"{item.outcome}{_when(item, now)}", _members(item)]
    if item.batches:
        parts.append(f"{item.batches} batch{'es' if item.batches > 1 else ''} selected")
    if item.bakes:
        parts.append(f"bakes: {', '.join(map(_bake, item.bakes))}")
    if item.residue is not None and item.residue.instances:
        image = f" ({item.residue.image})" if item.residue.image else ""
        parts.append(f"left on the other image{image}: {_named(item.residue.instances)}")
    if item.estimate is not None:
        parts.append(tell_estimate(item.estimate))
    return "; ".join(parts) + "."


def tell_estimate(estimate: Estimate) -> str:
    """When it ends, or why nobody can say."""
    if estimate.ends_at is None:
        last = f", the slowest of them would end at {_short(estimate.latest)}" if estimate.latest else ""
        return f"no end can be estimated: {estimate.reason}{last}"
    spread = f"{_short(estimate.earliest)} to {_short(estimate.latest)}"
    return f"expected to end at {_short(estimate.ends_at)} ({spread} by {estimate.n} earlier of this group)"


def took(item: RolloutItem, now: Time | None) -> int | None:
    """Milliseconds from its beginning to its end, or to `now`; None before it begins."""
    until = item.ended or now
    if item.begun is None or until is None:
        return None
    return max(0, milliseconds(until) - milliseconds(item.begun))


def _when(item: RolloutItem, now: Time | None) -> str:
    length = took(item, now)
    if length is None:
        return f", scheduled {_short(item.scheduled)}" if item.scheduled else ""
    return f" {'after' if item.ended else 'for'} {span(length)} (begun {_short(item.begun)})"


def _members(item: RolloutItem) -> str:
    lists = item.instances.model_dump()
    told = [f"{len(lists['updated'])} of {item.total} updated"]
    for name, words in _WORDS.items():
        if lists[name]:
            ids = f" ({_named(lists[name])})" if name in _PAST and len(lists[name]) < item.total else ""
            told.append(f"{len(lists[name])} {words}{ids}")
    return ", ".join(told)


def _bake(bake: BakeItem) -> str:
    if bake.result == "Running":
        return f"running until {_short(bake.due)}" if bake.due else "running"
    return f"alarm {', '.join(bake.alarms)}" if bake.alarms else bake.result.lower()


def _named(ids: tuple[str, ...]) -> str:
    more = len(ids) - NAMED
    return ", ".join(ids[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _short(time: Time | None) -> str:
    return "-" if time is None else time[:19] + "Z"
