"""Notices a lane that stands still while the process lives and Kafka answers.

Knows: what moves in a lane that works.
Must not know: Kafka, HTTP, why a lane stands still.

An outage of Kafka has its own message (`streams.provider`), and is no stall: while Kafka does not answer, no time
passes here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from streams import logs
from streams.lane import Lane

log = logs.get(__name__)
PATIENCE_SECONDS = 30.0


@dataclass
class Pace:
    """One thing that must move: its last value, since when it has not moved although it should, and if that is long."""

    value: int
    since: float
    stuck: bool = False

    def look(self, now: float, value: int, waits: bool, patience: float) -> float:
        """For how long it has stood still."""
        if value != self.value or not waits:
            self.value, self.since, self.stuck = value, now, False
        still = now - self.since
        self.stuck = self.stuck or still >= patience
        return still


class Watchdog:
    """Looks at all lanes each time that it was learnt how far their topics go; tells each lane how it does."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, patience: float = PATIENCE_SECONDS) -> None:
        self._clock, self._patience = clock, patience
        self._paces: dict[Lane, tuple[Pace, Pace]] = {}

    def look(self, lanes: Collection[Lane]) -> None:
        """Kafka has answered: messages that wait should be folded, and what is folded be written."""
        now = self._clock()
        self._paces = {lane: self._paces.get(lane) or (Pace(lane.next, now), Pace(lane.written, now)) for lane in lanes}
        for lane, (folding, writing) in self._paces.items():
            unfolded = folding.look(now, lane.next, bool(lane.lag), self._patience)
            unwritten = writing.look(now, lane.written, lane.busy, self._patience)
            lane.still = max(unfolded, unwritten)
            _tell(lane, folding.stuck, writing.stuck)

    def blind(self) -> None:
        """Kafka has not answered: whatever stands still now has a reason."""
        now = self._clock()
        for paces in self._paces.values():
            for pace in paces:
                pace.since = now


def _tell(lane: Lane, unfolded: bool, unwritten: bool) -> None:
    """An error when it begins, a warning when it ends, the reason in between."""
    where, was = f"{lane.source}/{lane.partition}", lane.stalled
    waits = [f"{lane.lag} messages wait and none is folded"] * unfolded + ["nothing is written"] * unwritten
    lane.stalled = f"{where}: {' and '.join(waits)} for {lane.still:.0f} s" if waits else None
    if lane.stalled and not was:
        log.error("lane stalled", lane=where, why=lane.stalled, open=lane.open)
    elif was and not lane.stalled:
        log.warning("lane moves again", lane=where)
