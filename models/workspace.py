"""The rows of one cluster, decoded: events in, changed rows and a picture out.

Knows: which rows an event touches and how it moves when a copy of it says more.
Must not know: Kafka, Faust, tables' storage, the clock.

Everything it derives from rows (where an event id is, which instances a slot had) it can derive again after `load`.
"""

from __future__ import annotations

from typing import NamedTuple

from models import fold
from models.fold import Limits
from models.judge import judge
from models.observation import Observation
from models.placement import (
    Marker,
    RowKey,
    assign,
    cluster_key,
    group_views,
    home,
    instance_key,
    level_of,
    slot_key,
)
from models.public import Picture, Transition
from models.reading import merge
from models.rows import Key, Observed, Row, decode, encode
from models.transitions import Published, transitions


class Outcome(NamedTuple):
    """How one event was counted."""

    duplicate: bool = False
    late: bool = False
    unrecognized: bool = False


class Changes(NamedTuple):
    """What a checkpoint has to write: rows by key (None: delete), and transitions without revision."""

    rows: dict[RowKey, bytes | None]
    transitions: list[Transition]


class Workspace:
    """The rows of one cluster."""

    def __init__(self, cluster_arn: str, limits: Limits | None = None) -> None:
        self.cluster_arn = cluster_arn
        self._limits = limits or Limits()
        self._rows: dict[RowKey, Row] = {}
        self._homes: dict[str, RowKey] = {}
        self._slots: dict[str, set[str]] = {}
        self._slots_of: dict[str, set[str]] = {}
        self._changed: set[RowKey] = set()
        self._published: dict[RowKey, Published] = {}

    def load(self, table: str, key: str, data: bytes) -> None:
        """Take a stored row.  Raises what `models.rows.decode` raises."""
        row_key, row = RowKey(table, key), decode(data)
        self._rows[row_key] = row
        for obs in row.retained:
            if home(obs).table == row_key.table:  # else a snapshot as its group heard it: its home is the cluster
                self._homes[obs.event_id] = row_key
        if level_of(row_key) == "instance" and row.state.node_logical_id:
            instance, slot = key.rsplit("|", 1)[1], row.state.node_logical_id
            self._slots.setdefault(slot, set()).add(instance)
            self._slots_of.setdefault(instance, set()).add(slot)
        self._published[row_key] = Published(row)

    def apply(self, obs: Observation) -> Outcome:
        """Take one event of this cluster; never raises on data."""
        place = self._homes.get(obs.event_id)
        if place is not None:
            self._merge(place, obs)
            return Outcome(duplicate=True)
        key = home(obs)
        row = self._row(key)
        if fold.is_late(row, obs, self._limits):
            self._changed.add(key)
            fresh = fold.note_late(row, obs)
            return Outcome(duplicate=not fresh, late=fresh, unrecognized=fresh and obs.shape is not None)
        self._place(key, obs)
        return Outcome(unrecognized=obs.shape is not None)

    def take(self) -> Changes:
        """What changed since the last take."""
        rows: dict[RowKey, bytes | None] = {}
        moved: list[Transition] = []
        for key in sorted(self._changed):
            row = self._rows.get(key)
            if row is None:
                rows[key] = None
                continue
            fold.settle(row)
            moved += transitions(self.cluster_arn, key, self._published.get(key), row)
            if fold.is_empty(row):
                rows[key] = None
                del self._rows[key]
                self._published.pop(key, None)
                continue
            rows[key] = encode(row)
            self._published[key] = Published(row)
        self._changed = set()
        return Changes(rows, moved)

    def picture(self, now: int) -> Picture:
        """The cluster at `now` (epoch ms)."""
        for row in self._rows.values():
            fold.settle(row)
        return judge(self.cluster_arn, self._rows, now)

    def _row(self, key: RowKey) -> Row:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = fold.begin(level_of(key))
        return row

    def _merge(self, place: RowKey, obs: Observation) -> None:
        """A copy of a known event: if it says more, the event is taken out and put where it belongs now."""
        known = fold.held(self._rows[place], obs.event_id)
        if known is None:
            return
        merged = merge(known, obs)
        if merged == known:
            return
        self._displace(place, known)
        self._place(home(merged), merged)
        for copy in (known, merged):
            if copy.instance_id in self._slots_of:
                self._link(instance_key(self.cluster_arn, copy.instance_id), copy, anyway=True)

    def _place(self, key: RowKey, obs: Observation) -> None:
        self._insert(key, obs)
        for view_key, view in group_views(obs):
            row = self._row(view_key)
            if not fold.is_late(row, view, self._limits):
                fold.insert(row, view, self._limits)
            self._changed.add(view_key)
        self._observe(obs)
        self._link(key, obs)

    def _displace(self, place: RowKey, obs: Observation) -> None:
        fold.remove(self._rows[place], obs)
        self._changed.add(place)
        self._homes.pop(obs.event_id, None)
        for view_key, view in group_views(obs):
            fold.remove(self._row(view_key), view)
            self._changed.add(view_key)

    def _insert(self, key: RowKey, obs: Observation, *, borrowed: bool = False) -> None:
        row = self._row(key)
        if borrowed:
            row.borrowed.append(obs.event_id)
        self._homes[obs.event_id] = key
        for absorbed in fold.insert(row, obs, self._limits):
            self._homes.pop(absorbed, None)
        self._changed.add(key)

    def _observe(self, obs: Observation) -> None:
        """A node list sets what was observed, newest word first, and nothing else."""
        if obs.code != "NodeList":
            return
        for node in obs.details.get("nodes") or []:
            if not node.get("instance_id"):
                continue
            key = instance_key(self.cluster_arn, node["instance_id"])
            said = Observed(
                obs.time,
                node.get("status"),
                node.get("message"),
                node.get("instance_group"),
                node.get("node_logical_id"),
            )
            row = self._row(key)
            row.observed = said if row.observed is None else max(row.observed, said, key=_newest)
            self._changed.add(key)

    def _link(self, key: RowKey, obs: Observation, *, anyway: bool = False) -> None:
        """Keep a slot's events with the instance that they are about."""
        if level_of(key) == "slot" and obs.node_logical_id:
            self._reassign(obs.node_logical_id)
        if level_of(key) != "instance" or not obs.instance_id:
            return
        fresh = obs.node_logical_id and obs.instance_id not in self._slots.setdefault(obs.node_logical_id, set())
        if fresh and obs.node_logical_id:
            self._slots[obs.node_logical_id].add(obs.instance_id)
            self._slots_of.setdefault(obs.instance_id, set()).add(obs.node_logical_id)
        first = fold.own_first(self._rows[key])
        if anyway or fresh or (first is not None and first[0] == obs.key):
            for slot in sorted(self._slots_of.get(obs.instance_id, ())):
                self._reassign(slot)

    def _reassign(self, slot: str) -> None:
        here, instances = slot_key(self.cluster_arn, slot), self._slots.get(slot, set())
        slot_row = self._rows.get(here)
        lent = self._lent(instances)
        if not instances or (not lent and (slot_row is None or fold.is_empty(slot_row))):
            return
        markers = self._markers(instances)
        if slot_row is not None and slot_row.horizon is not None:
            self._hand_over(slot_row, slot_row.horizon, markers)
        events = lent + [(here, obs) for obs in slot_row.retained] if slot_row else lent
        owners = assign([obs for _, obs in events], markers)
        for place, obs in events:
            owner = owners[obs.event_id]
            goal = instance_key(self.cluster_arn, owner) if owner else here
            if goal != place:
                self._move(place, goal, obs, borrowed=owner is not None)

    def _lent(self, instances: set[str]) -> list[tuple[RowKey, Observation]]:
        keys = [instance_key(self.cluster_arn, instance) for instance in sorted(instances)]
        rows = [(key, self._rows[key]) for key in keys if key in self._rows]
        return [(key, obs) for key, row in rows for obs in row.retained if obs.event_id in row.borrowed]

    def _markers(self, instances: set[str]) -> list[Marker]:
        firsts = [(i, fold.own_first(self._row(instance_key(self.cluster_arn, i)))) for i in sorted(instances)]
        return [Marker(first[0], instance, first[1]) for instance, first in firsts if first is not None]

    def _hand_over(self, slot_row: Row, horizon: Key, markers: list[Marker]) -> None:
        """What the slot's checkpoint knows becomes the instance's that came next, while that one is new."""
        end = (horizon.time, horizon.rank, horizon.event_id)
        coming = sorted(marker for marker in markers if not marker.leaving and marker.key > end)
        if not coming:
            return
        key = instance_key(self.cluster_arn, coming[0].instance_id)
        if self._rows[key].horizon is None:
            fold.adopt(self._rows[key], slot_row)
            self._changed.add(key)

    def _move(self, place: RowKey, goal: RowKey, obs: Observation, *, borrowed: bool) -> None:
        fold.remove(self._rows[place], obs)
        self._changed.add(place)
        row = self._row(goal)
        if fold.is_late(row, obs, self._limits):
            fold.remember(row, obs)
            self._homes.pop(obs.event_id, None)
            self._changed.add(goal)
            return
        self._insert(goal, obs, borrowed=borrowed)


def _newest(said: Observed) -> tuple[int, str, str]:
    return said.time, str(said.status), str(said.message)


__all__ = ["Changes", "Outcome", "RowKey", "Workspace", "cluster_key"]
