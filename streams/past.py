"""Earlier moments of this worker's clusters, out of the rows and, where those do not reach so far, of the history.

Knows: lanes, which of the two answers.
Must not know: how a past is found in either, routes.

What is needed of the rows is taken at once, on the loop that moves them; folding and judging it happens in a thread.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterator
from typing import Protocol

from models.public import Picture, iso, join
from streams.agents.events import EventsLane
from streams.fleet import Moment
from streams.lanes import Lanes
from streams.web.provider import Gone

KEPT = 32
"""Pictures of one cluster at one moment that are kept: who looks at a past looks at it more than once."""


class History(Protocol):
    """What knows of times that the rows have forgotten."""

    async def picture(self, lane: EventsLane, arn: str, at: int) -> Picture:
        """The cluster at that moment.  Raises Gone or Behind."""


class Pasts:
    """Answers one question at a time: they take a while."""

    def __init__(self, lanes: Lanes, history: History | None = None) -> None:
        self._lanes, self._history = lanes, history
        self._known: OrderedDict[tuple[str, int, int], Picture] = OrderedDict()
        self._turn = asyncio.Lock()

    async def picture(self, at: int, arns: Collection[str] | None) -> Picture:
        """Those clusters at `at` (epoch ms), all of them where none is named.  Raises Gone or Behind."""
        async with self._turn:
            found, missing = self._look_back(at, arns)
            if missing and self._history is None:
                raise Gone(self._oldest(missing))
            pictures = [self._known.get(each.key) or await self._fold(each) for each in found]
            pictures += [await self._tell(lane, arn, at) for lane, arn in missing]
        return join(pictures)

    def _look_back(self, at: int, arns: Collection[str] | None) -> tuple[list[Moment], list[tuple[EventsLane, str]]]:
        """What the rows tell, and the clusters of which they do not; all of one cut of each partition."""
        found: list[Moment] = []
        missing: list[tuple[EventsLane, str]] = []
        for lane, arn in self._clusters(arns):
            moment = lane.fleet.look_back(arn, at)
            if moment is None:
                missing.append((lane, arn))
            else:
                found.append(moment)
        return found, missing

    def _clusters(self, arns: Collection[str] | None) -> Iterator[tuple[EventsLane, str]]:
        for lane in self._lanes.events.values():
            for arn in lane.fleet.arns():
                if arns is None or arn in arns:
                    yield lane, arn

    async def _fold(self, moment: Moment) -> Picture:
        return self._keep(moment.key, await asyncio.to_thread(moment.picture))

    async def _tell(self, lane: EventsLane, arn: str, at: int) -> Picture:
        """What the history knows; it is not asked twice, as long as nothing new is known of the cluster."""
        assert self._history is not None
        key = arn, at, lane.fleet.state_of(arn)
        return self._known.get(key) or self._keep(key, await self._history.picture(lane, arn, at))

    def _keep(self, key: tuple[str, int, int], picture: Picture) -> Picture:
        self._known[key] = picture
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return picture

    def _oldest(self, clusters: Collection[tuple[EventsLane, str]]) -> str | None:
        """From when on the rows can tell of all of these clusters."""
        known = [lane.fleet.told_from(arn) for lane, arn in clusters]
        times = [time for time in known if time is not None]
        return iso(max(times)) if times else None
