"""When a row's events were read: what is history by then, and in which bursts it came.

Knows: a row's notes of reading.  Must not know: states, what is made of the notes (`models.judge`), the clock.
"""

from __future__ import annotations

from models import bursts
from models.observation import Observation
from models.rows import HISTORY_MS, LATE_MS, MARKS, Key, Read, Row


def note_reading(row: Row, obs: Observation, read_at: int | None) -> int | None:
    """Remember when the row's newest event was read; one without a time of reading is a timely one.

    Returns the time of the oldest event that was history when it was read, once the newest one is not.
    """
    last, time = row.newest_read, obs.time
    if read_at is None and last is None and row.history_from is None:
        return None
    at = time if read_at is None else read_at
    event = Key(time, obs.rank, obs.event_id)
    present = Read(event, at)
    timely = at - time <= LATE_MS and row.history_from is None
    if timely and (last is None or (last.event.time < time and last.read_at - last.event.time <= HISTORY_MS)):
        row.newest_read = present
        return None
    if present.is_late:
        _note_late_reading(row, present)
    if present.is_history:
        row.history_from = obs.time if row.history_from is None else min(row.history_from, obs.time)
    if last is None or present.event > last.event:
        if last is not None and last.is_history and not present.is_history:
            row.outdated = (*row.outdated, (last, obs.time))[-MARKS:]
        if read_at is not None or last is not None:
            row.newest_read = present
    return leave_history(row)


def note_copy(row: Row, event: Observation, read_at: int | None) -> bool:
    """Whether a copy says more of the row's newest event: that it was read sooner, or when it happened.

    So it does not matter which copy is read first, where one is news and one is of a backfill.  `event` is what all
    copies together say.
    """
    last = row.newest_read
    if last is None or last.event.event_id != event.event_id:
        return False
    at = event.time if read_at is None else read_at
    row.newest_read = Read(Key(event.time, event.rank, event.event_id), min(last.read_at, at))
    return row.newest_read != last


def leave_history(row: Row) -> int | None:
    """The oldest event that was history when it was read, once, where the newest one is not."""
    if row.history_from is None or row.is_outdated:
        return None
    oldest, row.history_from = row.history_from, None
    return oldest


def _note_late_reading(row: Row, present: Read) -> None:
    row.late_spans = bursts.remember(row.late_spans, present.read_at)
    if (last := row.late_read) is None or last.last < present.last:
        if last is not None and present.read_at - last.read_at >= bursts.SPREAD_MS:
            row.late_before = last
        row.late_read = present
