"""One cluster twice: a run that is stored, cut, resumed and looked at, beside one that is left alone.

Knows: workspaces from outside, the oracle.  Must not know: why an event arrives when it does.
"""

from __future__ import annotations

import msgspec

from models.fold import Limits, is_empty
from models.observation import Observation
from models.rows import HISTORY
from models.stored import decode, encode
from models.transitions import Moved
from models.workspace import RowKey, Workspace
from tests import oracle
from tests.builders import DAY
from tests.properties.harness import Table, folded, now_of, same, shown

Rows = dict[RowKey, bytes]


class Lane:
    """What one cluster's events do to both runs."""

    def __init__(self, arn: str, limits: Limits | None) -> None:
        self.arn, self.limits = arn, limits
        self.alone, self.cut, self.table = Workspace(arn, limits), Workspace(arn, limits), Table()
        self.arrived: list[Observation] = []
        self.told: dict[str, Moved] = {}
        self.reads = False

    def hears(self, obs: Observation, read_at: int | None) -> None:
        """An event arrives, and counts the same in both; what is told of its reading depends on the arrival."""
        self.reads |= read_at is not None
        self.arrived.append(obs)
        assert self.cut.apply(obs, read_at) == self.alone.apply(obs, read_at)

    def is_stored(self) -> None:
        """A checkpoint."""
        changes = self.cut.take()
        self.table.write(changes.rows)
        self.told |= {record.transition_id: record for record in changes.transitions}

    def is_cut(self) -> None:
        """A checkpoint, and somebody else goes on from there."""
        self.is_stored()
        self.cut = self.table.reopened(self.arn, self.limits)

    def is_seen(self, now: int) -> None:
        """Somebody looks, at whatever moment: it must not change what is seen later."""
        self.cut.picture(now)

    def check(self, *, in_time: bool) -> None:
        """What holds in the end; `in_time`: all came within the bound, so that their order was nothing."""
        now = now_of(self.arrived)
        self.is_stored()
        for moment in (now, now + DAY):
            same(shown(self.cut.picture(moment)), shown(self.alone.picture(moment)), self.arrived)
        left = self.alone.take()
        _equal(self.table.rows, _kept(left.rows), self.arrived)
        _bounded(self.table.rows, self.limits or Limits())
        assert _present(self.told) == _present({record.transition_id: record for record in left.transitions})
        near = self.order_is_nothing() and not self.reads
        if in_time or near:
            self._is_the_sorted_story(now, to_the_byte=near)

    def order_is_nothing(self) -> bool:
        """Whether the events are too few, or too near to each other, for any of them to be late."""
        limits, times = self.limits or Limits(), [obs.time for obs in self.arrived]
        events = len({obs.event_id for obs in self.arrived})
        near = events <= limits.keep or max(times) - min(times) <= limits.lateness_ms
        return near and events <= limits.ceiling_events

    def _is_the_sorted_story(self, now: int, *, to_the_byte: bool) -> None:
        """A copy that moves an event elsewhere may leave its old row's checkpoint further on than it had to be."""
        tidy, found = oracle.once(self.arrived), shown(self.cut.picture(now))
        wanted = folded(self.arn, tidy, self.limits)
        same(found, shown(wanted.picture(now)), self.arrived)
        same(found, shown(oracle.picture(self.arn, tidy, now)), self.arrived)
        mine, sorted_ones = _of_the_set(self.table.rows), _of_the_set(_kept(wanted.take().rows))
        if not to_the_byte:
            mine, sorted_ones = _states(mine), _states(sorted_ones)
        _equal(mine, sorted_ones, self.arrived)


def _kept(rows: dict[RowKey, bytes | None]) -> Rows:
    return {key: data for key, data in rows.items() if data is not None}


def _of_the_set(rows: Rows) -> Rows:
    """Without what only the arrival made: the spans of which the rows cannot tell the past."""
    known = {key: decode(data) for key, data in rows.items()}
    for row in known.values():
        row.unsure = []
    return {key: encode(row) for key, row in known.items() if not is_empty(row)}


def _states(rows: Rows) -> Rows:
    return {key: msgspec.json.encode(decode(data).state) for key, data in rows.items()}


def _equal(found: Rows, wanted: Rows, arrived: list[Observation]) -> None:
    if found != wanted:
        same(_text(found), _text(wanted), arrived)


def _text(rows: Rows) -> str:
    """A value a line, in the rows' own order."""
    return "\n".join(
        f"{key.table} {key.key} {msgspec.json.format(data).decode()}" for key, data in sorted(rows.items())
    )


def _bounded(rows: Rows, limits: Limits) -> None:
    for data in rows.values():
        row = decode(data)
        assert len(row.retained) <= limits.ceiling_events
        assert row.size <= limits.ceiling_bytes or len(row.retained) == 1
        assert max(len(row.state.history), len(row.late_history)) <= HISTORY


def _present(told: dict[str, Moved]) -> set[tuple[object, ...]]:
    """The changes that hold, each by its last record, without what is only known of its entity by now."""
    return {
        (record.transition_id, record.machine, record.from_, record.to, record.time, record.event_id, record.legal)
        for record in told.values()
        if record.status == "accepted"
    }
