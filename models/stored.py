"""Rows as bytes, and back.

Knows: what of a row follows from the rest of it, the versions of its JSON.
Must not know: how a row moves, tables, Kafka.

A row is written whole whenever it has changed, so it has everything once: what its events have alike, of its history
what the checkpoint has not, and events by their place.  The same row is the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from itertools import pairwise
from operator import attrgetter
from sys import intern
from typing import Any

import msgspec

from models.fold import BEGUN
from models.held import Held, Subject, held_as, held_of_old, shared, size_of
from models.rows import FOLD_VERSION, HISTORY, Change, Kept, Row, State

_NAMELESS = 2
"""From this version on events have no names of fields, and their steps stand apart from the state."""


class _Step(msgspec.Struct, frozen=True, array_like=True):
    """A change by the place of its event."""

    place: int
    machine: str | None = None
    origin: str | None = None
    target: str | None = None
    legal: bool = True


class _Stored(Kept, kw_only=True):
    """One row as it is stored."""

    state: State
    checkpoint: State | None = None
    """None where nothing was absorbed, nor came too late."""
    subjects: tuple[Subject, ...] = ()
    """All that the events are of; the first event is of the first."""
    turns: tuple[tuple[int, int], ...] = ()
    """From a place on they are of another subject, by its number."""
    retained: msgspec.Raw = msgspec.Raw(b"[]")
    history: tuple[_Step, ...] = ()
    """What the state's history has beyond the checkpoint's."""
    version: int = 1


class RowVersionError(ValueError):
    """The row was written by a newer fold than this program has."""


_ENCODER = msgspec.json.Encoder()
_STORED = msgspec.json.Decoder(_Stored)
_EVENTS = msgspec.json.Decoder(list[msgspec.Raw])
_KEPT = attrgetter(*Kept.__struct_fields__)


def encode(row: Row) -> bytes:
    """The row as JSON; its state is settled."""
    state, retained, begun = row.state, row.retained, BEGUN[row.state.level]
    told = copy(state)
    told.history = []
    subjects, turns = _subjects(retained)
    return _ENCODER.encode(
        _Stored(
            *_KEPT(row),
            state=told,
            checkpoint=None if row.checkpoint is begun or row.checkpoint == begun else row.checkpoint,
            subjects=subjects,
            turns=turns,
            retained=msgspec.Raw(b"[%b]" % b",".join([held.data for held in retained])),
            history=tuple(_steps(_since_checkpoint(row), retained)),
            version=FOLD_VERSION,
        )
    )


def decode(data: bytes) -> Row:
    """The row from its JSON.

    Raises:
        RowVersionError: written by a newer version.
        msgspec.DecodeError: not a row.
    """
    stored = _STORED.decode(data)
    if stored.version > FOLD_VERSION:
        raise RowVersionError(f"row of fold version {stored.version}, this program knows {FOLD_VERSION}")
    state, checkpoint = stored.state, stored.checkpoint
    if checkpoint is None or checkpoint == BEGUN[state.level]:
        checkpoint = BEGUN[state.level]
    events = _EVENTS.decode(stored.retained)
    if stored.version < _NAMELESS:
        retained = _old_events(events)
    else:
        retained = _events(stored, events)
        state.history = [*checkpoint.history, *_changes(stored.history, retained)][-HISTORY:]
    return Row(
        *_KEPT(stored),
        checkpoint=checkpoint,
        state=state,
        retained=retained,
        size=sum([held.size for held in retained]),
    )


def _subjects(retained: Sequence[Held]) -> tuple[tuple[Subject, ...], tuple[tuple[int, int], ...]]:
    """All of them, and where another one's events begin."""
    if not retained:
        return (), ()
    last, subjects = retained[0].subject, [held.subject for held in retained]
    if subjects.count(last) == len(subjects):
        return (last,), ()
    numbers, turns = {last: 0}, list[tuple[int, int]]()
    for place, subject in enumerate(subjects):
        if subject is not last and subject != last:
            turns.append((place, numbers.setdefault(subject, len(numbers))))
            last = subject
    return tuple(numbers), tuple(turns)


def _events(stored: _Stored, events: Sequence[msgspec.Raw]) -> list[Held]:
    found: list[Held] = []
    for (begin, number), (end, _) in pairwise(((0, 0), *stored.turns, (len(events), 0))):
        if begin < end:
            if not 0 <= number < len(stored.subjects):
                raise msgspec.ValidationError("an event of nobody")
            subject = shared(stored.subjects[number])
            size = size_of(subject)
            found += [held_as(bytes(data), subject, size) for data in events[begin:end]]
    if len(found) != len(events):
        raise msgspec.ValidationError("events out of their places")
    return found


def _old_events(events: Sequence[msgspec.Raw]) -> list[Held]:
    found: list[Held] = []
    for data in events:
        found.append(held_of_old(bytes(data), found[-1] if found else None))
    return found


def _since_checkpoint(row: Row) -> Sequence[Change]:
    """The history without the checkpoint's, where that has not been cut off."""
    history = row.state.history
    return history if len(history) >= HISTORY else history[len(row.checkpoint.history) :]


def _steps(history: Sequence[Change], retained: Sequence[Held]) -> list[Any]:
    """What events that are retained changed; whatever came before them is in the checkpoint."""
    steps: list[Any] = []
    place, held = len(retained), None
    for change in reversed(history):  # both are in one order, and not every event has changed something
        # By the time too: an id may come again after the checkpoint has taken the event that had it first.
        while held is None or held.event_id != change.event_id or held.time != change.time:
            if not place:
                return steps[::-1]
            place -= 1
            held = retained[place]
        if change.machine is None:
            steps.append((place,))
        elif change.legal:
            steps.append((place, change.machine, change.origin, change.target))
        else:
            steps.append((place, change.machine, change.origin, change.target, False))
    return steps[::-1]


def _changes(steps: Sequence[_Step], retained: Sequence[Held]) -> Iterator[Change]:
    for step in steps:
        if not 0 <= step.place < len(retained):
            raise msgspec.ValidationError("a step of no event")
        held = retained[step.place]
        machine, origin, target = (word and intern(word) for word in (step.machine, step.origin, step.target))
        yield Change(held.time, held.event_id, held.code, machine, origin, target, step.legal)
