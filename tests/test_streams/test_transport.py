"""What a chunk is made of, and what it says of the end of its partition: as aiokafka keeps it, without a broker."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.consumer.subscription_state import Assignment
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams import codecs
from streams.message import Message
from streams.transport import CommittedConsumerThread, Fetched, LivingListener, _is_end

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


def fetched(batches: list[bytes]) -> list[Message]:
    """What a consumer is handed of a fetch that brought these batches of partition 0."""

    async def asking() -> list[Message]:
        assignment = Assignment({HERE})
        assignment.state_value(HERE).seek(0)
        records = MemoryRecords(b"".join(batches))
        unpacked = PartitionRecords(HERE, records, [(7, 1)], 0, None, None, True, READ_COMMITTED)
        results = Fetched()
        results[HERE] = FetchResult(HERE, assignment=assignment, partition_records=unpacked, backoff=0)
        return list(results[HERE].getall())

    return asyncio.run(asking())


Headers = list[tuple[str, bytes]]


def batch(offset: int, producer: int, records: list[tuple[bytes | None, bytes | None, Headers]]) -> bytes:
    """One, as Kafka would store it at that offset."""
    made = DefaultRecordBatchBuilder(2, 0, True, producer, 0, 0, 1 << 16)
    for number, (key, value, headers) in enumerate(records):
        made.append(number, 1000 + number, key, value, headers)
    return offset.to_bytes(8, "big") + bytes(made.build())[8:]


def test_what_aiokafka_fetched_becomes_messages_and_what_was_aborted_does_not() -> None:
    told = [(codecs.REPLAY_HEADER, b"letter"), ("other", b"x")]
    kept = batch(0, 3, [(b"k", b"v", [])])
    aborted = batch(1, 7, [(b"k", b"gone", [])])
    after = batch(2, 3, [(None, b"w", told), (b"k", None, [])])
    assert fetched([kept, aborted, after]) == [
        Message(0, b"v", 1000, None, b"k", last=False),
        Message(2, b"w", 1000, "letter", None, last=False),
        Message(3, None, 1001, None, b"k", last=False),
    ]


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


def test_that_nothing_is_fetched_of_a_changelog_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []
    monkeypatch.setattr(AIOKafkaConsumerThread, "verify_event_path", lambda self, now, tp: looked.append(tp))
    for part in (CHANGELOG, HERE):
        Thread(Assigned()).verify_event_path(1000.0, part)
    assert looked == [HERE]
