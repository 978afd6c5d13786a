"""A worker that lives and does not work is noticed; one that has a reason to stand still is not blamed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streams.lane import Batch, Cadence, Lane
from streams.message import Message
from streams.metrics.collector import Metrics
from streams.metrics.workings import Workings
from streams.provider import WorkerProvider
from streams.transaction import Record
from streams.wakefulness import Wakefulness
from streams.watchdog import PATIENCE_SECONDS, Watchdog

NOTICED_BY = 60.0
SESSION = 30.0


class Counting(Lane):
    """A lane that only counts; `deaf` is one whose messages never reach it."""

    judged, judged_at = True, 1_790_000_000_000

    def load(self) -> None:
        self.next = 0

    def fold(self, message: Message) -> None:
        """Nothing to keep."""

    def cut(self) -> Batch:
        return Batch(self.next, len(self._kept), [Record("t", 0, b"k", b"v")])


class Writer:
    """Stands for Transactions: writes only while it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.let.set()

    async def claim(self) -> None:
        """Nothing to fence out."""

    async def close(self) -> None:
        """Nothing to close."""

    async def write(self, records: list[Record], offsets: dict[tuple[str, int], int]) -> list[int]:
        await self.let.wait()
        return list(range(len(records)))


class Night:
    """One lane, a watchdog, and a clock that only the test moves."""

    def __init__(self) -> None:
        self.now, self.offset = 1000.0, 0
        self.writer = Writer()
        tables: Any = SimpleNamespace(apply=lambda *_: None)
        writer: Any = self.writer
        self.lane = Counting("events", 3, tables, writer, Cadence(0.001, 1, 0.001), _never)
        self.lane.lag = 0
        self.dog = Watchdog(clock=lambda: self.now)
        lanes: Any = SimpleNamespace(raw={}, events={3: self.lane}, all=lambda: [self.lane], assigned=True)
        lanes.restorer = SimpleNamespace(share=None)
        lanes.wakefulness = self.wakefulness = Wakefulness(SESSION, clock=lambda: self.now)
        self.provider = WorkerProvider(lanes)

    async def __aenter__(self) -> Night:
        self.lane.load()
        self.lane.begin(lambda task: None)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.lane.drop()

    async def message(self) -> None:
        await self.lane.take([Message(self.offset, b"v", None)])
        self.offset += 1

    async def quiet(self) -> None:
        """Until everything is written."""
        async with asyncio.timeout(10):
            while self.lane.busy:
                await asyncio.sleep(0.001)

    def passes(self, seconds: float, answers: bool = True) -> None:
        for _ in range(round(seconds)):
            self.now += 1
            self.wakefulness.beat([self.lane])
            if answers:
                self.dog.look([self.lane])
            else:
                self.dog.blind()


async def _never(_: Lane) -> None:
    raise AssertionError("no transaction is lost here")


def story(told: Any) -> None:
    async def run() -> None:
        async with Night() as night:
            night.dog.look([night.lane])
            await told(night)

    asyncio.run(run())


def test_a_lane_that_works_and_one_that_has_nothing_to_do_are_well() -> None:
    async def told(night: Night) -> None:
        for _ in range(5):
            await night.message()
            await night.quiet()
            night.passes(20)
        night.passes(3600)
        assert night.provider.ready().ready
        assert night.lane.still == 0.0

    story(told)


def test_a_process_that_slept_proves_first_that_its_partitions_are_still_its_own() -> None:
    async def told(night: Night) -> None:
        night.now += SESSION - 5
        assert night.provider.ready().ready
        night.passes(1)
        night.now += SESSION + 1
        assert "has slept" in night.provider.ready().message, "before anything could notice"
        night.passes(5)
        assert "has slept" in night.provider.ready().message, "awake, but nothing is proved"
        await night.message()
        await night.quiet()
        assert night.provider.ready().ready
        night.now += SESSION + 1
        night.wakefulness.begin()
        assert night.provider.ready().ready, "a new assignment is beyond doubt"

    story(told)


def test_messages_that_nobody_folds_are_noticed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def say(event: str, **_: Any) -> None:
        said.append(event)

    monkeypatch.setattr("streams.watchdog.log", SimpleNamespace(error=say, warning=say))

    async def told(night: Night) -> None:
        night.lane.lag = 7
        night.passes(PATIENCE_SECONDS - 1)
        assert night.provider.ready().ready
        night.passes(NOTICED_BY - PATIENCE_SECONDS)
        ready = night.provider.ready()
        assert not ready.ready
        assert "events/3: 7 messages wait and none is folded" in ready.message
        assert ready.partitions[0].state == "stalled"
        assert b'hyperpod_state_stalled{partition="3",topic="events"} 1.0' in await scraped(night)

        await night.message()
        await night.quiet()
        night.lane.lag = 0
        night.passes(1)
        assert night.provider.ready().ready
        assert b'hyperpod_state_stalled{partition="3",topic="events"} 0.0' in await scraped(night)

    story(told)
    assert said == ["lane stalled", "lane moves again"]


def test_a_checkpoint_that_never_ends_is_noticed_although_messages_are_folded() -> None:
    async def told(night: Night) -> None:
        night.writer.let.clear()
        for _ in range(int(NOTICED_BY)):
            await night.message()
            night.passes(1)
        assert "nothing is written" in night.provider.ready().message
        night.writer.let.set()
        await night.quiet()
        night.passes(1)
        assert night.provider.ready().ready

    story(told)


def test_an_outage_of_kafka_is_no_stall() -> None:
    async def told(night: Night) -> None:
        night.writer.let.clear()
        await night.message()
        night.passes(3600, answers=False)
        night.passes(PATIENCE_SECONDS - 1)
        assert night.lane.stalled is None
        night.passes(2)
        assert night.lane.stalled is not None
        night.passes(3600, answers=False)
        night.passes(1)
        assert night.lane.stalled is not None  # an outage mends nothing

    story(told)


def test_progress_is_told_by_partition() -> None:
    async def told(night: Night) -> None:
        await night.message()
        await night.quiet()
        [partition] = night.provider.ready().partitions
        [topic] = partition.topics
        assert (topic.topic, topic.folded, topic.committed, topic.lag) == ("events", 1, 1, 0)
        assert partition.as_of == "2026-09-21T14:13:20.000Z"
        text = await scraped(night)
        assert b'hyperpod_state_folded_offset{partition="3",topic="events"} 1.0' in text
        assert b'hyperpod_state_committed_offset{partition="3",topic="events"} 1.0' in text
        assert b'hyperpod_state_as_of_timestamp_seconds{partition="3"} 1.79e+09' in text

    story(told)


async def scraped(night: Night) -> bytes:
    """The metrics; the fleet is left out."""
    provider: Any = SimpleNamespace(
        ready=lambda: SimpleNamespace(ready=False), workings=Workings, freshness=night.provider.freshness
    )
    return await Metrics(provider).scrape()
