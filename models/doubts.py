"""Spans of time of which a cluster's rows cannot tell the past.

Knows: spans, and the newest time that a row has heard of.
Must not know: what made them unsure (`models.workspace`), what is asked of the past (`models.past`).
"""

from __future__ import annotations

from collections.abc import Iterable

from models.rows import MARKS, Row

Span = tuple[int, int]
"""From a time on, up to but not including another."""
BEFORE_ALL = -(2**63)


def newest_time(row: Row) -> int:
    """The newest time that the row has heard of."""
    times = [row.retained[-1].time] if row.retained else []
    times += [row.horizon.time] if row.horizon else []
    times += [until for _, until in row.unsure] + [change.time for change in row.late_history]
    times += [row.observed.time] if row.observed else []
    return max(times, default=BEFORE_ALL)


def joined(spans: Iterable[Span], more: Span) -> tuple[Span, ...]:
    """The spans with one more: apart, in order, and not too many; the oldest become one where they would be."""
    merged: list[Span] = []
    for begin, end in sorted([*spans, more]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    extra = len(merged) - MARKS
    return tuple(merged if extra <= 0 else [(merged[0][0], merged[extra][1]), *merged[extra + 1 :]])


def note_doubt(row: Row, begin: int, end: int) -> bool:
    """One more span; whether that says more than was known."""
    before, row.unsure = row.unsure, joined(row.unsure, (begin, end))
    return row.unsure != before


def oldest_history(row: Row, otherwise: int) -> int:
    """The oldest event of which the row knows that it was history when it was read."""
    times = [read.event.time for read, _ in row.outdated]
    return min([*times, otherwise if row.history_from is None else row.history_from])


def horizon_of(row: Row) -> int:
    """The time of the newest event in the checkpoint."""
    return row.horizon.time if row.horizon else BEFORE_ALL
