"""Events of slots are put to the instances that they are about, whenever one of them turns out to be another's.

Knows: who was in a slot when, how events and checkpoints go from row to row.
Must not know: how an event comes in (`models.workspace`), snapshots.
"""

from __future__ import annotations

from models import fold
from models.cluster_rows import ClusterRows
from models.doubts import BEFORE_ALL
from models.goals import order_of
from models.held import Held, Known
from models.placement import (
    RowKey,
    assign,
    instance_key,
    is_of_instance,
    level_of,
    slot_key,
)
from models.rows import Row
from models.slots import NOTHING, Touched


class Tenancy(ClusterRows):
    """Rows of which each has the events of its own time in a slot."""

    def reassign(self) -> None:
        """Put the events of all slots to the instances that they are about, where rows were taken over out of time."""
        prefix, touched = f"{self.cluster_arn}|", NOTHING
        for key, row in self._rows.items():
            name = key.key.removeprefix(prefix) if level_of(key) == "instance" else ""
            slots = {obs.node_logical_id for obs in row.retained if is_of_slot(obs)}
            slots |= {slot for slot in [row.checkpoint.node_logical_id] if slot and name and fold.is_pure(row, slot)}
            touched |= {(slot, name) for slot in slots if slot}
        self._reassign(touched)

    def _reassign(self, touched: Touched) -> None:
        """Put the events of slots to the instances that they are about."""
        for slot in sorted({slot for slot, _ in touched}):
            here = slot_key(self.cluster_arn, slot)
            names = self._slots.instances(slot) | {name for where, name in touched if where == slot and name}
            keys = [here, *(instance_key(self.cluster_arn, name) for name in sorted(names))]
            rows = {key: self._rows[key] for key in keys if key in self._rows}
            if here not in rows and all(map(fold.names_itself, rows.values())):
                continue  # as nearly always: nothing is known by the slot alone
            self._hand_over(slot, rows)
            events = {
                obs.event_id: (key, obs)
                for key, row in rows.items()
                for obs in row.retained
                if not obs.instance_id and obs.node_logical_id == slot
            }
            if events:  # mostly every event names its instance
                attempts = [order_of(row.attempt) for row in rows.values() if row.attempt]
                owners = assign([obs for _, obs in events.values()], self._slots.tenants(slot), attempts)
                self._move(here, events, owners)
            self._hand_on_late(slot, here)

    def _move(self, here: RowKey, events: dict[str, tuple[RowKey, Held]], owners: dict[str, str | None]) -> None:
        ways: dict[tuple[RowKey, RowKey], list[Held]] = {}
        for event_id, owner in owners.items():
            place, held = events[event_id]
            goal = instance_key(self.cluster_arn, owner) if owner else here
            if goal != place:
                ways.setdefault((place, goal), []).append(held)
        for (place, goal), moved in ways.items():
            giver, row = self._rows[place], self._row(goal)
            self._doubt_reading(giver)
            row.follow_reading(giver)
            for held in fold.move(giver, row, moved):
                fold.remember(row, held)
                self._held.pop(held.event_id, None)
                self._doubt(held.time)
            self._held.update((held.event_id, goal) for held in moved if held.event_id in self._held)
            self._drain(place)
        for goal in dict.fromkeys(goal for _, goal in ways):
            self._absorb(goal, self._row(goal))

    def _hand_over(self, slot: str, rows: dict[RowKey, Row]) -> None:
        """A checkpoint that knows the slot's events alone goes to the instance that came next, as they do.

        Where that one has gone on already, it is history: a slot waits for nobody once it has its instance.
        """
        for _, key in sorted((order_of(row.horizon), key) for key, row in rows.items() if fold.is_pure(row, slot)):
            giver = rows[key]
            stay = self._slots.tenants(slot).stay(order_of(giver.horizon))
            heir = stay.owner if stay.owner and not giver.attempt else stay.following
            goal = instance_key(self.cluster_arn, heir) if heir else slot_key(self.cluster_arn, slot)
            row = self._row(goal)
            if goal == key or not (fold.may_adopt(row, giver) or level_of(key) == "slot"):
                continue
            self._doubt_reading(giver)
            if fold.may_adopt(row, giver):
                fold.adopt(row, giver)
            else:
                self._doubt(giver.checkpoint.oldest or BEFORE_ALL)
                fold.outlive(row, giver)
            self._changed.add(goal)
            self._drain(key)

    def _hand_on_late(self, slot: str, here: RowKey) -> None:
        slot_row = self._rows.get(here)
        if slot_row is None or not slot_row.late or slot_row.retained or slot_row.horizon:
            return
        if (heir := self._slots.tenants(slot).last) is None:
            return
        key = instance_key(self.cluster_arn, heir)
        self._doubt(min((change.time for change in slot_row.late_history), default=BEFORE_ALL))
        fold.adopt_late(self._row(key), slot_row)
        self._changed.add(key)
        self._drain(here)


def is_of_slot(obs: Known) -> bool:
    """Whether an event names a slot and no instance, and is about an instance."""
    return bool(obs.node_logical_id) and not obs.instance_id and is_of_instance(obs)
