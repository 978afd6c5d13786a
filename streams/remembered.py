"""The last pictures of partitions that this worker gave up: what `stale=ok` may still be answered from.

Knows: what a lane showed last, for how long that is kept.
Must not know: routes, who owns the partition now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.public import Anomaly, Picture, join, sort_anomalies
from streams.agents.events import EventsLane
from streams.shelf import Shelf, Shelved

KEPT_SECONDS = 900.0
"""A rebalance and the restore after it are over by then; until then the memory is used twice."""


@dataclass(frozen=True)
class Shown:
    """What a lane shows at one cut: its clusters' pictures, and the anomalies as they were published."""

    judged_at: int
    pictures: Sequence[Picture | Shelved]
    records: Sequence[dict[str, Any]]


def shown_by(lane: EventsLane) -> Shown | None:
    """None until all of the partition has been judged."""
    if lane.judged_at is None:
        return None
    return Shown(lane.judged_at, list(lane.pictures.values()), list(lane.ledger.records()))


def merged(parts: Sequence[Shown], shelf: Shelf) -> Picture:
    """Several partitions as one picture, lists in the contract's order."""
    picture = join(shelf.opened(each for part in parts for each in part.pictures))
    anomalies = sort_anomalies(Anomaly.model_validate(record) for part in parts for record in part.records)
    return picture.model_copy(update={"anomalies": anomalies})


class Remembered:
    """By partition, each for `KEPT_SECONDS`."""

    def __init__(self) -> None:
        self._last: dict[int, Shown] = {}

    def keep(self, lane: EventsLane) -> None:
        """The lane is given up; what it showed is kept in place of what was kept before."""
        last = shown_by(lane)
        if last is not None:
            self._last[lane.partition] = last
            asyncio.get_running_loop().call_later(KEPT_SECONDS, self._forget, lane.partition, last)

    def get(self, partition: int) -> Shown | None:
        """What was last shown of the partition."""
        return self._last.get(partition)

    def known(self) -> list[tuple[int, int]]:
        """The partitions of which something is kept, and the moment that it is of (epoch ms)."""
        return [(partition, shown.judged_at) for partition, shown in self._last.items()]

    def drop(self, partition: int) -> None:
        """It is here again, and whole."""
        self._last.pop(partition, None)

    def _forget(self, partition: int, what: Shown) -> None:
        if self._last.get(partition) is what:
            del self._last[partition]
