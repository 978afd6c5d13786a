"""The rows of one cluster, decoded: events in, changed rows and a picture out.

Knows: which rows an event touches and how it moves when a copy of it says more.
Must not know: Kafka, Faust, tables' storage, the clock.

Everything it derives from rows (where an event id is, which instances a slot had) it can derive again after `load`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from models import fold
from models.arrivals import leave_history, note_copy, note_reading
from models.deadlines import Thresholds
from models.doubts import BEFORE_ALL, horizon_of, newest_time, note_doubt, oldest_history
from models.feeds import Feed
from models.fold import Limits
from models.goals import Goals, order_of
from models.held import Held, Known, hold, told
from models.judge import Judgement, judge
from models.listing import NODE_LIST, absorb, hear, hear_again, observations
from models.observation import Observation
from models.placement import (
    RowKey,
    assign,
    cluster_key,
    group_views,
    instance_key,
    is_of_cluster,
    is_of_instance,
    level_of,
    slot_key,
)
from models.public import Picture
from models.public_silence import Silence
from models.reading import merge
from models.rows import Observed, Row
from models.slots import NOTHING, Slots, Touched
from models.stored import decode, encode
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


class Workspace:
    """The rows of one cluster."""

    def __init__(self, cluster_arn: str, limits: Limits | None = None) -> None:
        self.cluster_arn = cluster_arn
        self._limits = limits = limits or Limits()
        # Events, and bytes of them, that a row has room for before anything may leave it.
        self._room = min(limits.keep, limits.ceiling_events), limits.ceiling_bytes
        self._rows: dict[RowKey, Row] = {}
        self._held: dict[str, RowKey] = {}
        self._slots = Slots()
        self._goals = Goals(cluster_arn, self._rows, self._slots)
        self._changed: set[RowKey] = set()
        self._drained: set[RowKey] = set()
        self._behind: list[Row] = []
        self._published: dict[RowKey, Published] = {}
        self.newest = self._horizon = BEFORE_ALL

    def load(self, table: str, key: str, data: bytes) -> None:
        """Take a stored row.  Raises what `models.stored.decode` raises."""
        row_key, row = RowKey(table, key), decode(data)
        self.hold(row_key, row)
        self._published[row_key] = Published(row)
        if fold.again(row) and encode(row) != data:
            self._changed.add(row_key)

    @property
    def rows(self) -> Mapping[RowKey, Row]:
        """What there is now; nobody else may change it."""
        return self._rows

    def hold(self, row_key: RowKey, row: Row) -> None:
        """Take a row over."""
        self._rows[row_key] = row
        for held in row.retained:
            if row_key.table == "clusters" or not is_of_cluster(held):  # else a snapshot as its group heard it
                self._held[held.event_id] = row_key
        if level_of(row_key) == "instance":
            self._slots.look(row_key.key.removeprefix(self.cluster_arn + "|"), row)
        self.newest = max(self.newest, newest_time(row))
        self._horizon = max(self._horizon, horizon_of(row))

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

    def _row(self, key: RowKey) -> Row:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = fold.begin(level_of(key))
        return row

    def _renew(self) -> None:
        """What has lost all it had begins again, as it would after a checkpoint, which keeps no empty rows."""
        for key in self._drained:
            if fold.is_empty(self._rows[key]):
                self._rows[key] = fold.begin(level_of(key), self._rows[key].unsure)
        self._drained = set()

    def _doubt(self, begin: int, end: int | None = None) -> None:
        """Note that the rows cannot tell what was between, up to the newest event unless told otherwise: from then on
        everything was there that decided.
        """
        end = self.newest if end is None else end
        key = cluster_key(self.cluster_arn)
        if begin < end and note_doubt(self._row(key), begin, end):
            self._changed.add(key)

    def _doubt_reading(self, giver: Row) -> None:
        """When events were read does not go with them where they turn out to be about somebody else."""
        self._doubt(oldest_history(giver, self.newest))

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
        touched |= {(copy.node_logical_id, "") for copy in (known, merged) if _is_slots(copy) and copy.node_logical_id}
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
                return NOTHING if goes_on else self._slots.added(obs.instance_id, row, obs)
            return {(obs.node_logical_id, "")} if obs.node_logical_id and self._goals.turns(obs) else NOTHING
        if key.table == "clusters":
            self._show(obs)
        return NOTHING

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

    def _observe(self, obs: Observation) -> None:
        for key, said in observations(self.cluster_arn, obs):
            row = self._row(key)
            row.observed = said if row.observed is None else max(row.observed, said, key=Observed.order)
            row.observed_from = said.time if row.observed_from is None else min(row.observed_from, said.time)
            self._changed.add(key)

    def _hear(self, obs: Observation | None) -> None:
        """Let instances hear a node list; all that are kept where it is not the newest, or one is gone."""
        lists = [held for held in self._row(cluster_key(self.cluster_arn)).retained if held.code == NODE_LIST]
        if obs is not None and lists and lists[-1].event_id == obs.event_id:
            self._changed |= hear(self.cluster_arn, self._rows, [obs])
        else:
            self._changed |= hear_again(self.cluster_arn, self._rows, map(told, lists))

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

    def _drain(self, key: RowKey) -> None:
        self._changed.add(key)
        self._drained.add(key)

    def _hide(self, cluster: Row, obs: Observation) -> None:
        """Forget what a node list said; what older ones that are kept said holds again."""
        for key, said in observations(self.cluster_arn, obs):
            if self._row(key).observed == said:
                self._row(key).observed = None
                self._drain(key)
        for kept in cluster.retained:
            if kept.code == NODE_LIST:
                self._observe(told(kept))
        self._hear(None)

    def _absorb(self, key: RowKey, row: Row) -> None:
        self._changed.add(key)
        events, size = self._room
        if len(row.retained) <= events and row.size <= size:
            return
        absorbed = fold.absorb(row, self._limits)
        for held in absorbed:
            if self._held.get(held.event_id) == key:  # else a snapshot that the cluster still has
                del self._held[held.event_id]
                if held.code == NODE_LIST:
                    obs = told(held)
                    self._observe(obs)
                    self._changed |= absorb(self.cluster_arn, self._rows, [obs])
        if absorbed:
            self._horizon = max(self._horizon, horizon_of(row))

    def reassign(self) -> None:
        """Put the events of all slots to the instances that they are about, where rows were taken over out of time."""
        prefix, touched = f"{self.cluster_arn}|", NOTHING
        for key, row in self._rows.items():
            name = key.key.removeprefix(prefix) if level_of(key) == "instance" else ""
            slots = {obs.node_logical_id for obs in row.retained if _is_slots(obs)}
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


def _is_slots(obs: Known) -> bool:
    """Whether an event names a slot and no instance, and is about an instance."""
    return bool(obs.node_logical_id) and not obs.instance_id and is_of_instance(obs)


__all__ = ["Changes", "Outcome", "RowKey", "Workspace", "cluster_key"]
