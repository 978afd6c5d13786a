"""Time for the partitions: ticks, how far behind each lane is, whether it moves at all, and whether all are quiet.

Knows: when a raw partition's clock is the wall clock, and when it is that of its last value.
Must not know: what time is used for.

A timer only sends records.  What is judged by time is judged when the tick is read from `hyperpod.events`, so its
place among the events is fixed for ever: a backlog raises no false alarm, a silent stream raises the true ones.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP
from mode import Service

from streams import logs
from streams.agents.raw import RawLane
from streams.calm import Calm
from streams.lane import Lane
from streams.lanes import Lanes
from streams.watchdog import Watchdog

log = logs.get(__name__)
LOOK_SECONDS = 1.0
HURRY_SECONDS = 0.2
"""Between two looks while partitions wait for their first judgement, which needs a tick."""
REST_SECONDS = 1.0
"""After so long without a message, a position at the end of a partition means that all of it was worked."""
ASK_SECONDS = 10.0


class Ticker(Service):
    """Looks at every lane each second; ticks where there was something new, and at the latest after `tick_seconds`."""

    mundane_level = "debug"

    def __init__(self, app: Any, lanes: Lanes, calm: Calm, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._app, self._lanes, self._watchdog, self._calm = app, lanes, Watchdog(), calm
        self._ticked: dict[int, tuple[float, float]] = {}

    @Service.task
    async def _look(self) -> None:
        while not self.should_stop:
            if self._lanes.assigned:
                try:
                    async with asyncio.timeout(ASK_SECONDS):
                        await self.look()
                except (KafkaError, TimeoutError) as error:
                    log.warning("lag unknown", error=type(error).__name__)
                    self._watchdog.blind()
            waiting = any(not lane.judged for lane in self._lanes.events.values())
            await self.sleep(HURRY_SECONDS if waiting else LOOK_SECONDS)

    @Service.task
    async def _beat(self) -> None:
        while not self.should_stop:
            self._lanes.wakefulness.beat(self._lanes.events.values())
            await self.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Once over all lanes."""
        lanes = self._lanes.all()
        ends = await self._lanes.ends((lane.source, lane.partition) for lane in lanes)
        for lane in lanes:
            lane.lag = await self._lag(lane, ends[lane.source, lane.partition])
            if isinstance(lane, RawLane) and lane.open:
                self._tick(lane)
        self._watchdog.look(lanes)
        self._calm.look(lane for lane in lanes if lane.source == self._lanes.settings.events_topic)

    async def _lag(self, lane: Lane, end: int) -> int:
        """Records that wait.  What stands at the end may be markers of transactions, which are never delivered."""
        if lane.next >= end:
            return 0
        if lane.idle and time.monotonic() - lane.touched_at >= REST_SECONDS:
            position = await self._app.consumer.position(TP(lane.source, lane.partition))
            if position is not None and position >= end:
                return 0
        return end - lane.next

    def _tick(self, lane: RawLane) -> None:
        clock = round(time.time() * 1000) if lane.lag == 0 and lane.idle else lane.progress.last_ms
        at, touched = self._ticked.get(lane.partition, (0.0, -1.0))
        due = time.monotonic() - at >= self._lanes.settings.tick_seconds
        if clock is None or not (due or lane.touched_at != touched):
            return
        self._ticked[lane.partition] = (time.monotonic(), lane.touched_at)
        lane.tick(clock)
