"""What a worker does once it has become quiet: it lets go of what it kept only to be quick.

Knows: when nothing is at work, who keeps something.
Must not know: what they keep.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from streams.garbage import RETURNS, Returns
from streams.lane import Lane

AGAIN_SECONDS = 60.0
"""Questions, too, leave something behind, and nobody is busy then."""


class Calm:
    """`release` is called when all lanes have become quiet, and then memory that is free is given back."""

    def __init__(
        self,
        *release: Callable[[], None],
        returns: Returns = RETURNS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._release, self._returns, self._clock = release, returns, clock
        self._due = clock()

    def look(self, lanes: Iterable[Lane]) -> None:
        """Once in a while; while it stays quiet all is done again every minute."""
        if not all(lane.quiet for lane in lanes):
            self._due = self._clock()
        elif self._clock() >= self._due:
            self._due = self._clock() + AGAIN_SECONDS
            for each in self._release:
                each()
            self._returns.calm()
