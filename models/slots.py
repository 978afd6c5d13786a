"""Which instances each slot has had, and where the time of each begins.

Knows: instances' rows and the slots that their events name.  Must not know: where a slot's own events are kept.

All of it follows from the rows; it is kept beside them because looking through them at every event would be slow.
"""

from __future__ import annotations

from collections.abc import Set

from models import fold
from models.machines.signals import is_leaving
from models.observation import Observation
from models.placement import Marker, Tenants
from models.rows import Row

Touched = Set[tuple[str, str]]
"""Slots, each with an instance for which something changed there."""
NOTHING: Touched = frozenset()

_NOBODY = Tenants(())


class Slots:
    """The slots of one cluster."""

    def __init__(self) -> None:
        self._instances: dict[str, set[str]] = {}
        self._slots: dict[str, set[str]] = {}
        self._markers: dict[str, Marker] = {}
        self._tenants: dict[str, Tenants] = {}

    def instances(self, slot: str) -> set[str]:
        """The instances that have been in a slot."""
        return self._instances.get(slot, set())

    def tenants(self, slot: str) -> Tenants:
        """The same in their order."""
        if slot not in self._instances:
            return _NOBODY
        known = self._tenants.get(slot)
        if known is None:
            known = self._tenants[slot] = Tenants(self._markers[name] for name in self._instances[slot])
        return known

    def begins(self, instance: str, row: Row, obs: Observation) -> bool:
        """Whether the row's event is its first, in a slot that nobody was in: if so, it is taken as `added` would."""
        slot = obs.node_logical_id
        if not slot or slot in self._instances or instance in self._slots:
            return False
        if len(row.retained) > 1 or row.horizon is not None:
            return False
        self._instances[slot], self._slots[instance] = {instance}, {slot}
        self._markers[instance] = Marker(obs.key, instance, is_leaving(obs))
        return True

    def added(self, instance: str, row: Row, obs: Observation) -> Touched:
        """The instance's row has got an own event."""
        slots, slot = self._slots.get(instance), obs.node_logical_id
        if slot and (slots is None or slot not in slots):
            return self.look(instance, row)
        if not slots or obs.time > self._markers[instance].key[0] or obs.key >= self._markers[instance].key:
            return NOTHING
        return self._set(instance, slots, _marker(instance, row))

    def look(self, instance: str, row: Row) -> Touched:
        """Look through the instance's row anew: an own event was taken out, or the row was read from a table."""
        return self._set(instance, fold.slots_of(row), _marker(instance, row))

    def _set(self, instance: str, slots: set[str], marker: Marker | None) -> Touched:
        before, old = self._slots.get(instance, set()), self._markers.get(instance)
        slots = slots if marker else set()
        if before == slots and (old == marker or not slots):
            return NOTHING
        touched = before | slots if old != marker else before ^ slots
        for slot in before - slots:
            self._instances[slot].discard(instance)
            if not self._instances[slot]:
                del self._instances[slot]
        for slot in slots:
            self._instances.setdefault(slot, set()).add(instance)
        self._slots[instance] = set(slots)
        if marker:
            self._markers[instance] = marker
        else:
            self._markers.pop(instance, None)
        for slot in touched:
            self._tenants.pop(slot, None)
        return {(slot, instance) for slot in touched}


def _marker(instance: str, row: Row) -> Marker | None:
    first = fold.own_first(row)
    return Marker(first[0], instance, first[1]) if first else None
