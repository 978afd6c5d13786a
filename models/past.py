"""A cluster as it was at a moment in the past: exactly, or not at all.

Knows: which events a row still has, and what it has forgotten.
Must not know: how rows move, Kafka, the clock.

A row is a checkpoint and the events after it, in judged order; so the row at a moment is its checkpoint and the events
up to that moment, if the checkpoint is no newer.  What depended on arrival (an event that came too late, copies that
disagree about their time) is noted as a span of time: before it the event is not there, and after it everything that
decided about it had happened already.  Inside the span the rows cannot tell.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from models import fold
from models.fold import Limits
from models.held import told
from models.listing import NODE_LIST, hear_again, observations
from models.observation import Observation
from models.placement import RowKey, cluster_key, level_of
from models.rows import HISTORY, MARKS, Change, DayNote, Observed, Row, State
from models.steps.common import NOTES
from models.workspace import Workspace

_ENCODER = msgspec.json.Encoder()
_STATE = msgspec.json.Decoder(State)


class Frozen(NamedTuple):
    """A row at a moment, not folded yet; nothing that goes on changing is in it."""

    row: Row
    checkpoint: bytes | None
    """None where nothing was absorbed yet, nor came too late."""


class Past(NamedTuple):
    """The rows of one cluster at a moment."""

    cluster_arn: str
    at: int
    rows: Mapping[RowKey, Frozen]

    def thaw(self) -> Iterator[tuple[RowKey, Row]]:
        """Rows to work with, folded again by whoever settles them."""
        for key, (row, checkpoint) in self.rows.items():
            begun = fold.begin(level_of(key)).checkpoint if checkpoint is None else _STATE.decode(checkpoint)
            yield key, msgspec.structs.replace(row, checkpoint=begun, retained=[*row.retained], stale=True)


class _Unknown(Exception):
    """A row does not keep what is asked."""


def look_back(workspace: Workspace, at: int) -> Past | None:
    """What the events up to `at` (epoch ms) had made of the cluster; None where the rows do not keep enough.

    Cheap, and apart from the workspace for good: `as_of` makes one of it, which takes its time.
    """
    said = _Said(workspace, at)
    frozen: dict[RowKey, Frozen] = {}
    try:
        for key, row in workspace.rows.items():
            if (cut := _cut(key, row, at, said)) is not None:
                frozen[key] = cut
    except _Unknown:
        return None
    return Past(workspace.cluster_arn, at, frozen)


def as_of(past: Past, limits: Limits | None = None) -> Workspace:
    """A workspace to look at: as if the events up to that moment had been all."""
    made = Workspace(past.cluster_arn, limits)
    for key, row in past.thaw():
        made.hold(key, row)
    made.reassign()
    cluster = made.rows.get(cluster_key(past.cluster_arn))
    hear_again(past.cluster_arn, made.rows, _lists(cluster))
    return made


def told_from(workspace: Workspace) -> int | None:
    """The time from which on `look_back` always has an answer; None where it has from the beginning."""
    said = _Said(workspace, None)
    edges: list[int] = []
    for key, row in workspace.rows.items():
        edges += [row.horizon.time] if row.horizon else []
        edges += [until for _, until in row.unsure]
        edges += [workspace.newest] if row.history_from is not None else []
        edges += [named] if (named := _named_at(row)) is not None else []
        if row.observed is not None and said.may_have_gone(row):
            edges += [said.oldest[key].time if key in said.oldest else row.observed.time]
    return max(edges, default=None)


class _Said:
    """What the node lists that are kept say of each instance, up to a moment."""

    def __init__(self, workspace: Workspace, at: int | None) -> None:
        cluster = workspace.rows.get(cluster_key(workspace.cluster_arn))
        self.gone = cluster.horizon.time if cluster and cluster.horizon else None
        """No node list after this is missing."""
        self.newest: dict[RowKey, Observed] = {}
        self.oldest: dict[RowKey, Observed] = {}
        for obs in _lists(cluster):
            if not (at is None or obs.time <= at):
                break
            for key, word in observations(workspace.cluster_arn, obs):
                self.newest[key] = max(self.newest.get(key, word), word, key=Observed.order)
                if self.gone is None or word.time > self.gone:
                    self.oldest.setdefault(key, word)

    def may_have_gone(self, row: Row) -> bool:
        """Whether a list that is not kept may have spoken of the instance."""
        return self.gone is not None and (row.observed_from is None or row.observed_from <= self.gone)

    def word(self, key: RowKey, row: Row, at: int) -> Observed | None:
        """The newest word up to then: the row's own, else one that a list which is kept says."""
        if row.observed is None or row.observed.time <= at:
            return row.observed
        if row.observed_from is not None and at < row.observed_from:
            return None
        found = self.newest.get(key)
        if self.may_have_gone(row) and not (found and self.gone is not None and found.time > self.gone):
            raise _Unknown
        return found


def _lists(cluster: Row | None) -> Iterator[Observation]:
    """The node lists that are kept, oldest first."""
    return (told(held) for held in (cluster.retained if cluster else ()) if held.code == NODE_LIST)


def _cut(key: RowKey, row: Row, at: int, said: _Said) -> Frozen | None:
    """The row at `at`; None where there was none yet."""
    if any(begin <= at < end for begin, end in row.unsure) or (row.horizon and row.horizon.time > at):
        raise _Unknown
    kept = row.retained[: bisect_left(row.retained, at + 1, key=lambda held: held.time)]
    if (named := _named_at(row)) is not None and named > at:
        raise _Unknown
    begun, late = fold.begin(level_of(key)), _notes(row, at)
    if late and len(late) < len(row.late) and row.horizon is None:  # the checkpoint has counted what is wrong with all
        raise _Unknown
    cut = msgspec.structs.replace(
        row,
        checkpoint=begun.checkpoint,
        state=begun.state,
        retained=kept,
        size=0,
        coming=(),
        marks=(),
        observed=said.word(key, row, at),
        late=late,
        late_history=_late_history(row, at),
        unsure=(),
        **_reading(row, at),
    )
    if fold.is_empty(cut):
        return None
    return Frozen(cut, _ENCODER.encode(row.checkpoint) if row.horizon or late else None)


def _named_at(row: Row) -> int | None:
    """When an instance first named its slot, whose events its checkpoint has already; None where it had by then."""
    slot = row.checkpoint.node_logical_id
    if row.own_first is None or slot is None or slot in row.slots:
        return None
    return next((obs.time for obs in row.retained if obs.instance_id and obs.node_logical_id == slot), None)


def _notes(row: Row, at: int) -> dict[str, DayNote]:
    """Notes on late events are by day: one with events of both sides cannot be taken apart."""
    notes = {day: msgspec.structs.replace(note) for day, note in row.late.items() if note.first.time <= at}
    if any(note.updated > at for note in notes.values()) or (len(row.late) == NOTES and len(notes) < NOTES):
        raise _Unknown
    return notes


def _late_history(row: Row, at: int) -> tuple[Change, ...]:
    kept = tuple(change for change in row.late_history if change.time <= at)
    if len(row.late_history) == HISTORY and len(kept) < HISTORY:
        raise _Unknown
    return kept


def _reading(row: Row, at: int) -> dict[str, object]:
    """When events were read matters only where they were history by then."""
    newest = row.newest_read
    if newest is not None and newest.event.time <= at:
        return {}
    if row.history_from is not None and row.history_from <= at:
        raise _Unknown
    outdated = tuple((read, end) for read, end in row.outdated if read.event.time <= at)
    if len(row.outdated) == MARKS and len(outdated) < MARKS:
        raise _Unknown
    return {"newest_read": None, "outdated": outdated, "history_from": None}
