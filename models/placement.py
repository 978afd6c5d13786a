"""Where an event belongs: its home row, who else hears of it, and which instance a slot's events are about.

Knows: scopes, ids.  Must not know: machines, states, how rows are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from models.observation import Observation
from models.rows import Level
from models.steps.common import SCOPES
from models.steps.instance_group import SNAPSHOTS


class RowKey(NamedTuple):
    """A table and a key in it."""

    table: str
    key: str


def cluster_key(arn: str) -> RowKey:
    """The cluster's own row."""
    return RowKey("clusters", arn)


def group_key(arn: str, group: str) -> RowKey:
    """A group's row."""
    return RowKey("instance_groups", f"{arn}|{group}")


def instance_key(arn: str, instance_id: str) -> RowKey:
    """An instance's row."""
    return RowKey("instances", f"{arn}|{instance_id}")


def slot_key(arn: str, node_logical_id: str) -> RowKey:
    """The row of what is known by NodeLogicalId alone."""
    return RowKey("instances", f"{arn}|slot:{node_logical_id}")


def level_of(key: RowKey) -> Level:
    """The level of a row, from its key."""
    if key.table == "clusters":
        return "cluster"
    if key.table == "instance_groups":
        return "group"
    return "slot" if "|slot:" in key.key else "instance"


def home(obs: Observation) -> RowKey:
    """The one row that keeps an event: of the entity it names, the most particular that its text is about."""
    arn, scope = obs.cluster_arn, SCOPES.get(obs.code)
    if obs.code in SNAPSHOTS or obs.code in ("NodeList", "Heartbeat") or scope == "Cluster":
        return cluster_key(arn)
    if scope != "InstanceGroup":
        if obs.instance_id:
            return instance_key(arn, obs.instance_id)
        if obs.node_logical_id:
            return slot_key(arn, obs.node_logical_id)
    return group_key(arn, obs.instance_group) if obs.instance_group else cluster_key(arn)


def group_views(obs: Observation) -> list[tuple[RowKey, Observation]]:
    """A snapshot as each of its groups hears it."""
    if obs.code not in SNAPSHOTS:
        return []
    return [
        (group_key(obs.cluster_arn, name), msgspec.structs.replace(obs, instance_group=name, details=group))
        for group in obs.details.get("groups") or []
        if (name := group.get("name"))
    ]


class Marker(NamedTuple):
    """An instance's first own event in its slot."""

    key: tuple[int, int, str]
    instance_id: str
    leaving: bool


_BEGINS_AN_ATTEMPT = frozenset(
    {
        "InstanceOperationStarted",
        "ReplacementStarted",
        "CapacityReservationFound",
        "CapacityReservationNotFound",
        "PayloadSetupFailed",
        "EniCreated",
        "EniCreationFailed",
        "InstanceProvisionFailed",
    }
)


def assign(events: Iterable[Observation], markers: Sequence[Marker]) -> dict[str, str | None]:
    """Which instance each event of a slot is about, by event id; None while its instance has no id yet.

    An attempt begins with the steps that come before there is an EC2 id, and ends with the first event of the next
    instance of the slot; other events are about the instance that the slot has, if no attempt is under way.
    """
    coming = sorted((m for m in markers if not m.leaving), key=lambda m: m.key)
    present = min((m for m in markers if m.leaving), key=lambda m: m.key, default=None)
    owner: str | None = present.instance_id if present else None
    answer: dict[str, str | None] = {}
    pending: list[str] = []
    for obs in sorted(events, key=lambda o: o.key):
        while coming and coming[0].key < obs.key:
            owner = coming.pop(0).instance_id
            answer.update(dict.fromkeys(pending, owner))
            pending = []
        deletes = obs.operation == "delete"
        if pending or owner is None or (obs.code in _BEGINS_AN_ATTEMPT and not deletes):
            pending.append(obs.event_id)
        else:
            answer[obs.event_id] = owner
    answer.update(dict.fromkeys(pending, coming[0].instance_id if coming else None))
    return answer
