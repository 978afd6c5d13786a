"""The rows of one cluster, decoded: events in, changed rows and a picture out.

Knows: which rows an event touches and how it moves when a copy of it says more.
Must not know: Kafka, Faust, tables' storage, the clock.

Everything it derives from rows (where an event id is, which instances a slot had) it can derive again after `load`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from models import fold
from models.arrivals import leave_history, note_copy, note_reading
from models.deadlines import Thresholds
from models.doubts import horizon_of
from models.feeds import Feed
from models.fold import Limits
from models.goals import Goals
from models.held import hold, told
from models.judge import Judgement, judge
from models.listing import NODE_LIST
from models.observation import Observation
from models.placement import (
    RowKey,
    cluster_key,
    group_views,
    slot_key,
)
from models.public import Picture
from models.public_silence import Silence
from models.reading import merge
from models.rows import Row
from models.slots import NOTHING, Touched
from models.stored import decode, encode
from models.tenancy import Tenancy, is_of_slot
from models.transitions import Moved, Published, transitions


class Outcome(NamedTuple):
    """How one event was counted."""

    duplicate: bool = False
    late: bool = False
    unrecognized: bool = False


_APPLIED, _UNRECOGNIZED, _DUPLICATE = Outcome(), Outcome(unrecognized=True), Outcome(duplicate=True)


class Changes(NamedTuple):
    """What a checkpoint has to write: rows by key (None: delete), and transitions without revision."""

    rows: dict[RowKey, bytes | None]
    transitions: list[Moved]


class Workspace(Tenancy):
    """The rows of one cluster."""

    def __init__(self, cluster_arn: str, limits: Limits | None = None) -> None:
        super().__init__(cluster_arn, limits)
        self._goals = Goals(cluster_arn, self._rows, self._slots)
        self._behind: list[Row] = []
        self._published: dict[RowKey, Published] = {}

    def load(self, table: str, key: str, data: bytes) -> None:
        """Take a stored row.  Raises what `models.stored.decode` raises."""
        row_key, row = RowKey(table, key), decode(data)
        self.hold(row_key, row)
        self._published[row_key] = Published(row)
        if fold.again(row) and encode(row) != data:
            self._changed.add(row_key)

    def apply(self, obs: Observation, read_at: int | None = None) -> Outcome:
        """Take one event of this cluster; never raises on data.

        `read_at` is the Kafka record's time (epoch ms), where there is one: what was history by then has no deadlines.
        """
        time = obs.time
        if time > self.newest:
            self.newest = time
        if (place := self._held.get(obs.event_id)) is not None:
            self._read_copy(place, self._merge(place, obs), read_at)
            self._renew()
            return _DUPLICATE
        key = self._goals.goal(obs)
        row = self._rows.get(key) or self._row(key)
        if time <= self._horizon:  # perhaps a copy of one that was absorbed somewhere else
            self._doubt(time)
        if fold.is_late(row, obs, self._limits):
            self._changed.add(key)
            fresh = fold.note_late(row, obs)
            flawed = obs.clock_suspect or obs.shape is not None  # which the checkpoint counts, whatever its time
            self._doubt(min(time, horizon_of(row)) if flawed else time)
            return Outcome(duplicate=not fresh, late=fresh, unrecognized=fresh and obs.shape is not None)
        self._read(row, obs, read_at)
        if key.table == "clusters":
            for heard, view in group_views(obs):
                self._read(self._row(heard), view, read_at)
        if touched := self._put(key, row, obs):
            self._reassign(touched)
            self._renew()
        return _APPLIED if obs.shape is None else _UNRECOGNIZED

    def _read(self, row: Row, obs: Observation, read_at: int | None) -> None:
        if (history := note_reading(row, obs, read_at)) is not None:
            self._doubt(history)

    def _read_copy(self, place: RowKey, event: Observation, read_at: int | None) -> None:
        for key in (place, *(heard for heard, _ in group_views(event))):
            row = self._rows.get(key)
            if row is not None and note_copy(row, event, read_at):
                self._changed.add(key)
                if (history := leave_history(row)) is not None:
                    self._doubt(history)

    def take(self) -> Changes:
        """What changed since the last take."""
        rows: dict[RowKey, bytes | None] = {}
        moved: list[Moved] = []
        for key in sorted(self._changed):
            row = self._rows.get(key)
            if row is None:
                rows[key] = None
                continue
            fold.settle(row)
            moved += transitions(self.cluster_arn, key, self._published.get(key), row)
            if fold.is_empty(row) and not row.unsure:
                rows[key] = None
                del self._rows[key]
                self._published.pop(key, None)
                continue
            rows[key] = encode(row)
            self._published[key] = Published(row)
        self._changed = set()
        self._behind.clear()
        return Changes(rows, moved)

    def picture(
        self,
        now: int,
        thresholds: Thresholds | None = None,
        feed: Feed | None = None,
        silences: Sequence[Silence] = (),
    ) -> Picture:
        """The cluster at `now` (epoch ms), by the default thresholds unless told; `feed` is what its events come by."""
        return self.judgement(now, thresholds, feed, silences).picture

    def judgement(
        self,
        now: int,
        thresholds: Thresholds | None = None,
        feed: Feed | None = None,
        silences: Sequence[Silence] = (),
        patience: int | None = None,
    ) -> Judgement:
        """The same, and how long it holds if no event comes.  With `patience` (ms): of the present, see `judge`."""
        return judge(self.cluster_arn, self._settled(), now, thresholds, feed, silences, patience)

    def _settled(self) -> dict[RowKey, Row]:
        """Rows with anything in them."""
        rows = {key: row for key, row in self._rows.items() if not fold.is_empty(row)}
        for row in rows.values():
            fold.settle(row)
        return rows

    def _merge(self, place: RowKey, obs: Observation) -> Observation:
        """A copy of a known event: if it says more, the event is taken out and put where it belongs now.

        Returns what all copies together say.

        A copy that would move the event behind the bound of its new entity comes too late to be heard.
        """
        held = fold.find(self._rows[place], obs)
        if held == hold(obs, held):
            return obs
        known = told(held)
        merged = merge(known, obs)
        times = (known.time, obs.time, merged.time)
        self._doubt(min(times), max(times))
        if merged == known:
            return known
        touched = self._take_out(place, known)
        goal = self._goals.goal(merged)
        if fold.is_late(self._row(goal), merged, self._limits):
            goal, merged = place, known
            self._doubt(min(times))
        touched |= self._put(goal, self._row(goal), merged)
        touched |= {(copy.node_logical_id, "") for copy in (known, merged) if is_of_slot(copy) and copy.node_logical_id}
        self._reassign(touched)
        return merged

    def _put(self, key: RowKey, row: Row, obs: Observation) -> Touched:
        """Insert an event; returns the slots whose events may be about another instance now."""
        goes_on = fold.take(row, obs)
        self._behind.append(row)
        if len(self._behind) == fold.PUT_OFF:
            self._catch_up()
        self._held[obs.event_id] = key
        self._absorb(key, row)
        if key.table == "instances":
            if obs.instance_id:  # what goes on as before is in the slot that it was in, and is not its first event
                return NOTHING if goes_on else self._came(row, obs.instance_id, obs)
            return {(obs.node_logical_id, "")} if obs.node_logical_id and self._goals.turns(obs) else NOTHING
        if key.table == "clusters":
            self._show(obs)
        return NOTHING

    def _came(self, row: Row, name: str, obs: Observation) -> Touched:
        if not self._slots.begins(name, row, obs):
            return self._slots.added(name, row, obs)
        slot = str(obs.node_logical_id)
        return {(slot, name)} if slot_key(self.cluster_arn, slot) in self._rows else NOTHING

    def _catch_up(self) -> None:
        for row in self._behind:
            if row.coming:
                fold.catch_up(row)
        self._behind.clear()

    def _show(self, obs: Observation) -> None:
        """Let those hear of a snapshot that it shows; a group that has gone on past the bound hears no more of it."""
        for key, view in group_views(obs):
            row = self._row(key)
            if not fold.is_late(row, view, self._limits):
                fold.take(row, view)
                self._absorb(key, row)
            else:
                self._doubt(view.time)
            self._changed.add(key)
        if obs.code == NODE_LIST:
            self._observe(obs)
            self._hear(obs)

    def _take_out(self, place: RowKey, obs: Observation) -> Touched:
        row = self._rows[place]
        self._doubt_reading(row)
        fold.remove(row, obs)
        self._drain(place)
        del self._held[obs.event_id]
        for key, view in group_views(obs):
            fold.remove(self._row(key), view)
            self._drain(key)
        if obs.code == NODE_LIST:
            self._hide(row, obs)
        if place.table == "instances" and obs.instance_id:
            return self._slots.look(obs.instance_id, row)
        return NOTHING


__all__ = ["Changes", "Outcome", "RowKey", "Workspace", "cluster_key"]
