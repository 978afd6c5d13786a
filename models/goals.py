"""Which row an event goes to: its home, or its slot's instance.

Knows: rows as they are, slots.  Must not know: how rows move.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.doubts import BEFORE_ALL
from models.observation import Observation
from models.placement import (
    NOT_OF_AN_INSTANCE,
    OrderKey,
    RowKey,
    Stay,
    begins_attempt,
    home,
    instance_key,
    slot_key,
)
from models.rows import Key, Row
from models.slots import Slots

FIRST: OrderKey = (BEFORE_ALL, 0, "")
"""Before any event."""


def order_of(key: Key | None) -> OrderKey:
    """A row's key among those of events."""
    return (key.time, key.rank, key.event_id) if key else FIRST


class Goals:
    """Looks at the rows of one cluster, and changes none."""

    def __init__(self, cluster_arn: str, rows: Mapping[RowKey, Row], slots: Slots) -> None:
        self._arn, self._rows, self._slots = cluster_arn, rows, slots
        self._instances: dict[str, RowKey] = {}
        """Rows of instances that events named; nearly every event does."""

    def goal(self, obs: Observation) -> RowKey:
        """The row that an event goes to: its home, or its slot's instance."""
        name = obs.instance_id
        if name and obs.code not in NOT_OF_AN_INSTANCE:
            known = self._instances.get(name)
            if known is None:
                known = self._instances[name] = instance_key(self._arn, name)
            return known
        key = home(obs)
        if name or not obs.node_logical_id or key.table != "instances":
            return key
        stay = self._slots.tenants(obs.node_logical_id).stay(obs.key)
        if stay.owner and not begins_attempt(obs) and not self._attempted(obs.node_logical_id, stay, obs.key):
            return instance_key(self._arn, stay.owner)
        return instance_key(self._arn, stay.following) if stay.following else key

    def _attempted(self, slot: str, stay: Stay, key: OrderKey) -> bool:
        """Whether an attempt at the next instance began before: whoever will have it has its first event."""
        arn = self._arn
        row = self._rows.get(instance_key(arn, stay.following) if stay.following else slot_key(arn, slot))
        if row is None:
            return False
        if row.attempt is not None and (stay.since or FIRST) < order_of(row.attempt) < key:
            return True
        for obs in row.retained:
            if obs.key >= key or obs.instance_id:
                return False
            if obs.node_logical_id == slot:
                return True
        return False

    def turns(self, obs: Observation) -> bool:
        """Whether events of the slot's present instance are the next one's, now that an attempt began before them."""
        if not begins_attempt(obs) or not obs.node_logical_id:
            return False
        owner = self._slots.tenants(obs.node_logical_id).stay(obs.key).owner
        row = self._rows.get(instance_key(self._arn, owner)) if owner else None
        for held in reversed(row.retained if row else ()):
            if held.key <= obs.key:
                return False
            if not held.instance_id and held.node_logical_id == obs.node_logical_id:
                return True
        return False
