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

AHEAD, MOST_AHEAD = 0.02, 0.5
"""Of what a judgement took: by so much who waits is before the next one, for each that was judged meanwhile."""


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
    """Of all lanes of a worker: they share a processor, and what one of them judges keeps the others waiting.

    `share` times as long as a judgement took lies between it and the next; where one of the two may do with less, less.
    Else one that works off a backlog would never be judged beside one that has caught up and is judged all the time.
    """

    def __init__(self) -> None:
        self._last: dict[float, tuple[float, float]] = {}
        """Of each share: when the last one ended, and what it took."""
        self.turns = 0
        """How many there were: who waits notes it."""

    def due(self, share: float, since: int | None = None) -> float:
        """From when on one may begin; who waits `since` so many turns is a little before all that came later."""
        ahead = 0.0 if since is None else min(AHEAD * (self.turns - since), MOST_AHEAD)
        return max((ended + (min(share, own) - ahead) * took for own, (ended, took) in self._last.items()), default=0.0)

    def begin(self, at: float, share: float) -> None:
        """Somebody has the turn: the others wait as if it were over."""
        self._last[share] = at, max(self._last.values(), default=(0.0, 0.0))[1]  # what the newest took

    def end(self, began: float, ended: float, share: float) -> None:
        """After each."""
        self._last[share] = ended, ended - began
        self.turns += 1
