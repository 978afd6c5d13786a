"""What a chunk says of the end of its partition: as aiokafka keeps it, without a broker."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import Assignment

from streams.transport import CommittedConsumerThread, LivingListener, _is_end

CHANGELOG = TopicPartition("app-instances-changelog", 0)
HERE, ELSEWHERE = TopicPartition("events", 0), TopicPartition("events", 1)


def is_end(asked: TopicPartition, position: int | None, stable: int | None) -> bool:
    async def asking() -> bool:
        assignment = Assignment({HERE})
        state = assignment.state_value(HERE)
        state.lso = stable
        if position is not None:
            state.seek(position)
        subscriptions = SimpleNamespace(subscription=SimpleNamespace(assignment=assignment))
        return _is_end(SimpleNamespace(_subscription=subscriptions), asked)

    return asyncio.run(asking())


@pytest.mark.parametrize(
    ("position", "stable", "end"),
    [(7, 7, True), (8, 7, True), (6, 7, False), (7, None, False), (None, 7, False)],
)
def test_a_chunk_is_the_last_where_everything_committed_is_read(position, stable, end) -> None:
    assert is_end(HERE, position, stable) is end


def test_a_partition_that_was_just_taken_away_has_no_end() -> None:
    assert not is_end(ELSEWHERE, 7, 7)


class Assigned:
    """A consumer that was given a partition of a source, and one of a changelog."""

    def __init__(self) -> None:
        self._coordinator = SimpleNamespace(_start_heartbeat_task=lambda: None, generation=1)
        self.paused: list[TopicPartition] = []
        self.asked: list[TopicPartition] = []

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset({HERE, CHANGELOG})

    def pause(self, *parts: TopicPartition) -> None:
        self.paused += parts

    async def seek_to_committed(self, *parts: TopicPartition) -> dict[TopicPartition, int]:
        self.asked += parts
        return dict.fromkeys(parts, 7)


class Thread(CommittedConsumerThread):
    """As far as it needs no broker."""

    def __init__(self, consumer: Assigned) -> None:
        tables = SimpleNamespace(changelog_topics={CHANGELOG.topic})
        self._consumer, self.app = consumer, SimpleNamespace(tables=tables)  # type: ignore[assignment]

    async def call_thread(self, fun: Any, *args: Any, **kwargs: Any) -> Any:
        return await fun(*args, **kwargs)

    async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:
        """Faust's part."""


def test_changelogs_are_assigned_and_not_fetched() -> None:
    consumer = Assigned()
    asyncio.run(LivingListener(Thread(consumer)).on_partitions_assigned({HERE, CHANGELOG}))
    assert consumer.paused == [CHANGELOG]


def test_nobody_asks_how_far_a_changelog_is_committed() -> None:
    consumer = Assigned()
    assert asyncio.run(Thread(consumer).seek_to_committed()) == {HERE: 7}
    assert consumer.asked == [HERE]
