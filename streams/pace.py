"""How often lanes may checkpoint and judge: as often as they like, unless that would take too much of the time.

Knows: a clock, what the last checkpoints and judgements took.
Must not know: lanes, Kafka.

A checkpoint is cheap for a single event and dear for each of many: a stream that is never quite silent is written in
small heaps rather than event by event, and the heaps are the larger the busier the machine is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHARE = 2
"""Checkpoints may take one part in so many of the time: with more of them at once they wait for each other in Kafka."""
CREDIT_SECONDS = 0.5
"""So much of the time that was not used lately is there for several in a row: what is rare never waits."""
MOST_SECONDS = 1.0
"""To wait: one that an outage has drawn out says nothing of the next."""


class Pace:
    """Of one lane."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due = clock()

    def rest(self) -> float:
        """Seconds until the next may begin."""
        return max(0.0, self._due - self._clock())

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Around each."""
        began = self._clock()
        try:
            yield
        finally:
            ended = self._clock()
            due = max(self._due, began - CREDIT_SECONDS) + SHARE * (ended - began)
            self._due = min(due, ended + MOST_SECONDS)


class Judging:
    """Of all lanes of a worker: they share a processor, and what one of them judges keeps the others waiting."""

    def __init__(self) -> None:
        self._ended, self._took = 0.0, 0.0

    def due(self, share: float) -> float:
        """From when on the next may begin: `share` times as long as the last one took lies between them."""
        return self._ended + share * self._took

    def begin(self, at: float) -> None:
        """Somebody has the turn: the others wait as if it were over."""
        self._ended = at

    def end(self, began: float, ended: float) -> None:
        """After each."""
        self._ended, self._took = ended, ended - began
