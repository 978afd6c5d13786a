"""The chain of instances that had one place, oldest first: who replaced whom, why, and what each change cost.

Knows: public items with their links and history.  Must not know: how a link was found.

What a change cost are the minutes from when the old one began to leave or fail until the new one was in service.  A
failed attempt costs until it failed; from there on its own successor's minutes count, so that the sum is the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from pydantic import Field

from models.explain.times import MINUTE_MS, milliseconds
from models.public import Anomaly, AnomalyStatus, HistoryItem, InstanceItem, Picture, PublicModel, Severity, Time
from models.rows import HISTORY

_GOOD = frozenset(
    {
        ("provision", "InService"),
        ("replace", "Replaced"),
        ("rollback", "RolledBack"),
        ("reboot", "Rebooted"),
        ("health", "Healthy"),
    }
)
_BAD = frozenset(
    {
        *(("provision", state) for state in ("Failed", "Terminating", "Terminated")),
        *((machine, "Failed") for machine in ("lifecycle_script", "replace", "rollback")),
        ("health", "Degraded"),
        ("health", "Unhealthy"),
    }
)
_SERVES = frozenset({("provision", "InService"), ("replace", "Replaced")})


class ChainFault(PublicModel):
    """An anomaly of an instance of the chain."""

    anomaly_id: str
    kind: str
    cause: str | None
    status: str
    opened_at: Time


class ChainItem(PublicModel):
    """One instance of a chain; the last may be a slot that has no instance yet."""

    instance_id: str | None
    node_logical_id: str | None
    instance_group: str | None
    phase: str
    lineage: Literal["node_logical_id", "inferred"] | None = Field(
        description="How the link to the one before is known"
    )
    replaces: str | None
    replaced_by: str | None
    attempt: int | None = Field(description="Attempts at one replacement, from 1; null for what replaces nobody.")
    first_seen: Time | None = Field(description="Null where the kept history does not reach back to it.")
    in_service_at: Time | None
    lost_at: Time | None = Field(description="When it began to fail or leave, if it has not recovered since.")
    replaced_at: Time | None = Field(description="When the one after it was in service.")
    terminated_at: Time | None
    minutes_lost: float | None = Field(
        description="From the loss of the one before until this one was in service, failed, or now; null if not known."
    )
    faults: tuple[ChainFault, ...] = Field(description="Its anomalies, retracted and informational ones left out.")


def lineage_chain(picture: Picture, of: InstanceItem, now: Time | None) -> tuple[ChainItem, ...]:
    """The whole chain that the instance or slot is in, oldest first; at least itself."""
    chain = _linked(picture.instances, of)
    items: list[ChainItem] = []
    for place, item in enumerate(chain):
        before = chain[place - 1] if place else None
        after = chain[place + 1] if place + 1 < len(chain) else None
        items.append(_item(item, before, after, items, picture.anomalies, now))
    return tuple(items)


def _linked(instances: Sequence[InstanceItem], of: InstanceItem) -> list[InstanceItem]:
    """Back to the first, then on to the last; a chain that bites its tail ends where it began."""
    known = {each.instance_id: each for each in instances if each.cluster_arn == of.cluster_arn and each.instance_id}
    waiting = [each for each in instances if each.instance_id is None and each.cluster_arn == of.cluster_arn]
    if of.instance_id is None:
        of = _last_in(of, known.values()) or of
    first, seen = of, {of.instance_id}
    while first.replaces in known and first.replaces not in seen:
        first = known[first.replaces]
        seen.add(first.instance_id)
    chain, passed = [first], {first.instance_id}
    while chain[-1].replaced_by in known and chain[-1].replaced_by not in passed:
        chain.append(known[chain[-1].replaced_by])
        passed.add(chain[-1].instance_id)
    slots = [each for each in waiting if each.node_logical_id and each.node_logical_id == chain[-1].node_logical_id]
    return chain + [each for each in slots if each is not chain[-1]]


def _last_in(slot: InstanceItem, known: Iterable[InstanceItem]) -> InstanceItem | None:
    """The instance that was in the slot last, and has no successor yet."""
    inside = [each for each in known if each.node_logical_id == slot.node_logical_id and each.replaced_by is None]
    return inside[-1] if inside and slot.node_logical_id else None


def _item(
    item: InstanceItem,
    before: InstanceItem | None,
    after: InstanceItem | None,
    done: Sequence[ChainItem],
    anomalies: Sequence[Anomaly],
    now: Time | None,
) -> ChainItem:
    return ChainItem(
        instance_id=item.instance_id,
        node_logical_id=item.node_logical_id,
        instance_group=item.instance_group,
        phase=item.phase,
        lineage=item.lineage,
        replaces=item.replaces,
        replaced_by=item.replaced_by,
        attempt=_attempt(done) if before else None,
        first_seen=item.history[0].time if 0 < len(item.history) < HISTORY else None,
        in_service_at=_first(item, _SERVES),
        lost_at=lost_at(item.history),
        replaced_at=_first(after, _SERVES) if after else None,
        terminated_at=_first(item, frozenset({("provision", "Terminated")})),
        minutes_lost=_minutes(before, item, now) if before else None,
        faults=tuple(_faults(item, anomalies)),
    )


def _attempt(done: Sequence[ChainItem]) -> int:
    """One more than the attempts before it that never were in service."""
    number = 1
    for item in reversed(done):
        if item.attempt is None or item.in_service_at is not None:
            break
        number += 1
    return number


def lost_at(history: Sequence[HistoryItem]) -> Time | None:
    """When the instance began to fail or leave; what recovered in between does not count."""
    since: Time | None = None
    for change in history:
        step = (change.machine, change.to)
        if step in _GOOD:
            since = None
        elif step in _BAD and since is None:
            since = change.time
    return since


def _first(item: InstanceItem, steps: frozenset[tuple[str, str]]) -> Time | None:
    return next((change.time for change in item.history if (change.machine, change.to) in steps), None)


def _minutes(before: InstanceItem, item: InstanceItem, now: Time | None) -> float | None:
    lost = lost_at(before.history)
    ended = _first(item, _SERVES) or lost_at(item.history) or now
    if lost is None or ended is None:
        return None
    return round(max(0, milliseconds(ended) - milliseconds(lost)) / MINUTE_MS, 1)


def _faults(item: InstanceItem, anomalies: Sequence[Anomaly]) -> Iterator[ChainFault]:
    name = (item.cluster_arn, item.instance_id, None if item.instance_id else item.node_logical_id)
    for each in anomalies:
        whose = (each.cluster_arn, each.instance_id, None if each.instance_id else each.node_logical_id)
        if whose == name and each.status is not AnomalyStatus.RETRACTED and each.severity is not Severity.INFO:
            yield ChainFault(
                anomaly_id=each.anomaly_id,
                kind=each.kind,
                cause=each.cause,
                status=each.status,
                opened_at=each.opened_at,
            )
