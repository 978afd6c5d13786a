"""Where an event belongs: its home row, who else hears of it, and which instance a slot's events are about.

Knows: scopes, ids.  Must not know: machines, states, how rows are kept.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, wraps
from typing import NamedTuple

import msgspec

from models.held import Held, Known
from models.observation import Observation
from models.rows import Level
from models.steps.common import SCOPES, SNAPSHOTS

OrderKey = tuple[int, int, str]


class RowKey(NamedTuple):
    """A table and a key in it."""

    table: str
    key: str


_LONGEST = 256


def _remembered(make: Callable[[str, str], RowKey]) -> Callable[[str, str], RowKey]:
    """The same key again for names that are usual; those of any length would take memory without a bound."""
    known = lru_cache(maxsize=1 << 16)(make)

    @wraps(make)
    def key(arn: str, name: str) -> RowKey:
        return known(arn, name) if len(arn) + len(name) <= _LONGEST else make(arn, name)

    vars(key).update(cache_parameters=known.cache_parameters, cache_clear=known.cache_clear)
    return key


def cluster_key(arn: str) -> RowKey:
    """The cluster's own row."""
    return RowKey("clusters", arn)


@_remembered
def group_key(arn: str, group: str) -> RowKey:
    """A group's row."""
    return RowKey("instance_groups", f"{arn}|{group}")


@_remembered
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


_OF_THE_CLUSTER = frozenset({*SNAPSHOTS, "NodeList", *(code for code, scope in SCOPES.items() if scope == "Cluster")})
_OF_THE_GROUP = frozenset(code for code, scope in SCOPES.items() if scope == "InstanceGroup")
NOT_OF_AN_INSTANCE = _OF_THE_CLUSTER | _OF_THE_GROUP
"""Codes of events that are about something larger, whatever instance they name."""


def is_of_cluster(obs: Known) -> bool:
    """Whether an event is about its cluster, whatever else it names."""
    return obs.code in _OF_THE_CLUSTER


def is_of_instance(obs: Known) -> bool:
    """Whether an event is about an instance, if it names one or its slot."""
    return obs.code not in NOT_OF_AN_INSTANCE


def home(obs: Observation) -> RowKey:
    """The one row that keeps an event: of the entity it names, the most particular that its text is about."""
    arn, code = obs.cluster_arn, obs.code
    if code not in NOT_OF_AN_INSTANCE:
        if obs.instance_id:
            return instance_key(arn, obs.instance_id)
        if obs.node_logical_id:
            return slot_key(arn, obs.node_logical_id)
    elif code in _OF_THE_CLUSTER:
        return cluster_key(arn)
    return group_key(arn, obs.instance_group) if obs.instance_group else cluster_key(arn)


def group_views(obs: Observation) -> list[tuple[RowKey, Observation]]:
    """A snapshot as each of its groups hears it, once each."""
    if obs.code not in SNAPSHOTS:
        return []
    groups = {group["name"]: group for group in reversed(obs.details.get("groups") or []) if group.get("name")}
    return [
        (group_key(obs.cluster_arn, name), msgspec.structs.replace(obs, instance_group=name, details=groups[name]))
        for name in sorted(groups)
    ]


class Marker(NamedTuple):
    """An instance's first own event: where its time in a slot begins."""

    key: OrderKey
    instance_id: str
    leaving: bool
    """That event was about its end already, so that the instance was there before the slot's first event."""


_BEGINS_AN_ATTEMPT = frozenset(
    {
        "InstanceOperationStarted",
        "ReplacementStarted",
        "ReplacementStartFailed",
        "CapacityReservationFound",
        "CapacityReservationNotFound",
        "PayloadSetupFailed",
        "EniCreated",
        "EniCreationFailed",
        "InstanceProvisionFailed",
    }
)

_OF_WHO_IS_THERE = frozenset({"delete", "reboot", "update", "update_software"})
"""Operations that no new instance comes of."""


def begins_attempt(obs: Known) -> bool:
    """Whether an event is one of the steps that come before there is an EC2 id."""
    if obs.code == "InstanceOperationStartFailed":
        return obs.operation in ("create", "replace")
    return obs.code in _BEGINS_AN_ATTEMPT and obs.operation not in _OF_WHO_IS_THERE


class Stay(NamedTuple):
    """A stretch of a slot's time: after the first event of one instance, up to the first event of the next."""

    owner: str | None
    since: OrderKey | None
    following: str | None


class Tenants:
    """The instances of one slot in their order."""

    def __init__(self, markers: Iterable[Marker]) -> None:
        markers = sorted(markers)
        self._coming = [marker for marker in markers if not marker.leaving]
        self._keys = [marker.key for marker in self._coming]
        # Whoever is first seen on its way out, before anybody else was seen, was there from the beginning.
        self._old = markers[0].instance_id if markers and markers[0].leaving else None
        self.last = self._coming[-1].instance_id if self._coming else self._old

    def stay(self, key: OrderKey) -> Stay:
        """The stay that a moment in the slot belongs to."""
        place = bisect_left(self._keys, key)
        following = self._coming[place].instance_id if place < len(self._coming) else None
        if place == 0:
            return Stay(self._old, None, following)
        return Stay(self._coming[place - 1].instance_id, self._keys[place - 1], following)


def assign(events: Iterable[Held], tenants: Tenants, attempts: Sequence[OrderKey] = ()) -> dict[str, str | None]:
    """Which instance each event of a slot is about, by event id; None while its instance has no id yet.

    An attempt begins with the steps that come before there is an EC2 id, and ends with the first event of the next
    instance of the slot; other events are about the instance that the slot has, if no attempt is under way.
    `attempts` are beginnings that are no longer among the events.
    """
    answer: dict[str, str | None] = {}
    present: Stay | None = None
    under_way = False
    for obs in sorted(events, key=lambda event: event.key):
        stay = tenants.stay(obs.key)
        if stay != present:
            present, under_way = stay, stay.owner is None
        under_way = under_way or begins_attempt(obs) or _begun_before(attempts, stay, obs.key)
        answer[obs.event_id] = stay.following if under_way else stay.owner
    return answer


def _begun_before(attempts: Sequence[OrderKey], stay: Stay, key: OrderKey) -> bool:
    return any(attempt < key and (stay.since is None or attempt > stay.since) for attempt in attempts)
