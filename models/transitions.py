"""What of a row's history is new, and what a refold has taken back.

Knows: changes of rows.  Must not know: topics, revisions (whoever publishes gives them).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from models.canonical import digest
from models.placement import RowKey, level_of
from models.public import SCHEMA_VERSION, ResourceType, iso
from models.rows import HISTORY, Change, Level, Row

_RESOURCE: dict[Level, ResourceType] = {
    "cluster": "Cluster",
    "group": "InstanceGroup",
    "instance": "Instance",
    "slot": "Instance",
}


class Moved(msgspec.Struct, gc=False, rename={"from_": "from"}, tag_field="schema_version", tag=SCHEMA_VERSION):
    """`models.public.Transition` as it is written: every value has its type already, and nearly every event has one."""

    transition_id: str
    status: Literal["accepted", "withdrawn"]
    revision: int
    """Whoever publishes gives it."""
    cluster_arn: str
    cluster_name: str | None
    instance_group: str | None
    instance_id: str | None
    node_logical_id: str | None
    resource_type: ResourceType
    machine: str
    from_: str | None
    to: str
    time: str
    event_id: str
    code: str
    legal: bool


class Published:
    """The changes of a row as they were last published."""

    __slots__ = ("history",)

    def __init__(self, row: Row) -> None:
        self.history = [*row.state.history]


def transitions(cluster_arn: str, key: RowKey, before: Published | None, row: Row) -> list[Moved]:
    """The changes that came (accepted) and those that are no more (withdrawn); revision 0.

    What only left the bounded history is not withdrawn.
    """
    gone, come = _difference(before.history if before else [], row.state.history)
    if not (gone or come):
        return []
    tell = _Teller(cluster_arn, key, row).tell
    return [tell(change, "withdrawn") for change in gone] + [tell(change, "accepted") for change in come]


def _difference(known: list[Change], present: list[Change]) -> tuple[Iterable[Change], Iterable[Change]]:
    """What is gone, and what has come."""
    left = known.index(present[0]) if known and len(present) >= HISTORY and present[0] in known else 0
    if known[left:] == present[: len(known) - left]:  # nothing was folded again
        return (), _moves(present[len(known) - left :])
    before, after = _moves(known), _moves(present)
    oldest = present[0].time if len(present) >= HISTORY else None
    gone = [change for change in before if change not in after and (oldest is None or change.time > oldest)]
    return gone, [change for change in after if change not in before]


def _moves(changes: Iterable[Change]) -> dict[Change, None]:
    return {change: None for change in changes if change.machine is not None}


class _Teller:
    """Tells changes of one row."""

    def __init__(self, cluster_arn: str, key: RowKey, row: Row) -> None:
        self._arn, self._key, self._state = cluster_arn, key, row.state
        level, name = level_of(key), key.key.removeprefix(f"{cluster_arn}|")
        self._resource = _RESOURCE[level]
        self._group = name if level == "group" else row.state.instance_group
        self._instance = name if level == "instance" else None

    def tell(self, change: Change, status: Literal["accepted", "withdrawn"]) -> Moved:
        """One of them."""
        machine, target = str(change.machine), str(change.target)
        parts = [self._key.table, self._key.key, change.event_id, machine, str(change.origin), target, change.time]
        return Moved(
            digest(parts),
            status,
            0,
            self._arn,
            self._state.cluster_name,
            self._group,
            self._instance,
            self._state.node_logical_id,
            self._resource,
            machine,
            change.origin,
            target,
            iso(change.time),
            change.event_id,
            change.code,
            change.legal,
        )
