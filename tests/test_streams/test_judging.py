"""When a lane judges what it has folded: as soon as it may, and what it publishes never twice with one revision."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from models.observation import Observation
from streams import codecs
from streams.agents.events import EventsLane
from streams.codecs import Origin
from streams.lane import Cadence, Lane, Message
from streams.settings import Settings

ARN = "arn:aws:sagemaker:us-east-1:111122223333:cluster/abc"
MINUTE = 60_000


class Empty:
    """Stands for tables of a worker that starts for the first time."""

    def get(self, table: str, partition: int, key: bytes) -> bytes | None:
        return None

    def scan(self, table: str, partition: int, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        return iter(())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What `time.monotonic` says to the lane."""
    now = [100.0]
    monkeypatch.setattr("streams.agents.events.time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def lane() -> EventsLane:
    """It owns the only partition, and has caught up."""

    async def recover(_: Lane) -> None:
        raise AssertionError("nothing is lost here")

    made = EventsLane("events", 0, Empty(), None, Cadence(1, 1, 1), recover)  # type: ignore[arg-type]
    made.settings, made.incarnation, made.goal = Settings(raw_partitions=1), "inc", 0
    made.load()
    return made


def fold(lane: EventsLane, data: bytes) -> None:
    lane.fold(Message(lane.next, data, None))
    lane.next += 1


def event(number: int) -> bytes:
    seen = Observation(
        event_id=f"e{number}", detail_type="SageMaker HyperPod Cluster State Change", cluster_arn=ARN, time=number
    )
    return codecs.forwarded(Origin("inc", 0, number, 0), number, seen, {})


def test_nothing_is_judged_twice_at_one_place(lane: EventsLane, clock: list[float]) -> None:
    async def run() -> None:
        fold(lane, event(1))
        fold(lane, codecs.tick(0, MINUTE))
        assert _published(lane)
        fold(lane, codecs.tick(0, 2 * MINUTE))
        lane._next_full = clock[0] + 50
        fold(lane, event(2))
        clock[0] += 1
        assert _published(lane)
        clock[0] += 100  # by now all of it might be judged anew, and whoever pokes the lane makes it cut
        assert not _published(lane)
        fold(lane, codecs.tick(0, 3 * MINUTE))
        assert _published(lane)

    asyncio.run(run())


def _published(lane: EventsLane) -> bool:
    """Whether a cut judges anything; it is written at once."""
    before = lane.shown
    lane.cut().done()
    return lane.shown > before
