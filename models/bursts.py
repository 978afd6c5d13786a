"""Bursts: from when to when events were read late, without a longer silence between them.

Knows: times of reading.  Must not know: what was read, rows.

A row remembers when events of its own were read late; all rows of a cluster together tell from where to where a burst
of its history went.  Once it has ended, a later one does not make it go on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Span = tuple[int, int]
"""From when to when, epoch ms, both included."""

SPREAD_MS = 10_000
"""Within so long a burst of history is in all raw partitions: how far one of them is says nothing before that."""
MOST_MS = 900_000
"""No entity waits longer than this for its own history to go on, whatever else is still coming in."""


def remember(spans: tuple[Span, ...], at: int) -> tuple[Span, ...]:
    """With one more time of reading, and without what nobody waits for any longer."""
    if len(spans) == 1:  # as nearly always: this is done for every event of a backlog
        begin, end = spans[0]
        if begin <= at < end + SPREAD_MS and at - begin <= MOST_MS:
            return spans if at <= end else ((begin, at),)
    return together(spans, ((at, at),))


def together(one: tuple[Span, ...], other: tuple[Span, ...]) -> tuple[Span, ...]:
    """The times of both, without what nobody waits for any longer."""
    if not one or not other:
        return one or other
    joined = join([*one, *other], SPREAD_MS)
    oldest = joined[-1][1] - MOST_MS
    return tuple((max(begin, oldest), end) for begin, end in joined if end >= oldest)


def join(spans: Iterable[Span], silence: int) -> list[Span]:
    """Bursts in the order of time; those between which it was silent for less than `silence` ms are one."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin < joined[-1][1] + silence:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def end_of(bursts: Sequence[Span], at: int) -> int:
    """When the burst ended (so far) in which something was read at `at`."""
    place = bisect_right(bursts, at, key=lambda burst: burst[0]) - 1
    return max(at, bursts[place][1]) if place >= 0 else at
