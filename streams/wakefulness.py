"""Whether this process has slept for so long that its partitions may be another worker's by now.

Knows: a clock, the session's length, which lanes have written since.
Must not know: Kafka, HTTP.

A process that was stopped, or whose machine was, wakes up with its pictures and knows of nothing that came meanwhile.
What a lane writes proves that the partition is still its own: whoever takes a partition over fences its last owner out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from streams.lane import Lane

HEARTBEAT_SECONDS = 3.0
"""So much of a session may be over when the sleep begins."""


class Wakefulness:
    """`beat` is to be called every second."""

    def __init__(self, session_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = session_seconds - HEARTBEAT_SECONDS, clock
        self._beat = clock()
        self._written: dict[Lane, int] = {}

    def begin(self) -> None:
        """Partitions were just assigned: nothing is in doubt."""
        self._beat, self._written = self._clock(), {}

    def beat(self, lanes: Iterable[Lane]) -> None:
        """The process is awake; if it has slept, these lanes are in doubt."""
        if self._slept():
            self._written = {lane: lane.written for lane in lanes}
        self._beat = self._clock()

    def doubted(self, lanes: Iterable[Lane]) -> list[Lane]:
        """Those of the lanes that have not proved anything since."""
        slept = self._slept()
        return [lane for lane in lanes if slept or self._written.get(lane) == lane.written]

    def _slept(self) -> bool:
        return self._clock() - self._beat > self._most
