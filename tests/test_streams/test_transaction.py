"""A transaction and a restore against clients that stand for Kafka's: what is done when Kafka says no, or nothing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalOperation,
    KafkaError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    ProducerClosed,
)
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.tables.recovery import RebalanceAgain
from faust.types import TP

from streams.restore import CommittedRecovery, Restorer
from streams.tables import RestoreError
from streams.settings import Settings
from streams.transaction import LimitLowered, Record, TransactionLost, Transactions
from tests.kafka import Broker, new_topic

PLACES = (("a", 0), ("b", 0), ("a", 0), ("a", 1), ("b", 0))


class Refusing:
    """Stands for aiokafka's producer, and does as it does: commits whatever became of the records."""

    committed = False

    def __init__(self, refuse: type[KafkaError]) -> None:
        self._refuse = refuse
        self.sent: list[tuple[str, int, int]] = []

    async def begin_transaction(self) -> None:
        """At once."""

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(100, 0, is_transactional=1)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        if "fenced" in topic:
            raise IllegalOperation("Can't send messages while not in transaction")
        future = asyncio.get_running_loop().create_future()
        self.sent.append((topic, partition, batch.record_count()))
        if "refused" in topic:
            asyncio.get_running_loop().call_later(0.01, future.set_exception, self._refuse())
        else:
            future.set_result(SimpleNamespace(offset=10 * len(self.sent)))
        return future

    async def commit_transaction(self) -> None:
        self.committed = True


def test_a_producer_that_cannot_end_in_order_leaves_nothing_behind(
    kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has in hand finds no broker any more, so that it waits for ever."""
    monkeypatch.setattr("streams.transaction.CLOSE_SECONDS", 0.3)
    topic = new_topic(kafka.bootstrap)

    async def run() -> None:
        writer = Transactions(Settings(brokers=kafka.bootstrap), topic)
        await writer.claim()
        before = asyncio.all_tasks()
        assert writer._producer is not None
        assert len(before) > 1
        await writer._producer.begin_transaction()
        monkeypatch.setattr(writer._producer._sender, "_send_produce_req", _never)
        batch = writer._producer.create_batch()
        batch.append(timestamp=1, key=b"k", value=b"v")
        sent = await writer._producer.send_batch(batch, topic, partition=0)
        await writer.close()
        await asyncio.sleep(0.1)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert isinstance(sent.exception(), ProducerClosed)

    asyncio.run(run())


@pytest.mark.parametrize("how", ["closed", "cancelled"])
def test_a_claim_that_is_given_up_half_way_leaves_nothing_behind(kafka: Broker, how: str) -> None:
    async def run() -> None:
        writer = Transactions(Settings(brokers=kafka.bootstrap), f"half-way-{how}")
        claiming = asyncio.create_task(writer.claim())
        await asyncio.sleep(0.01)
        if how == "closed":
            await writer.close()
        else:
            claiming.cancel()
        await asyncio.wait([claiming])
        await writer.close()  # a quick machine may have been through with it
        await asyncio.sleep(0.1)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        with pytest.raises(TransactionLost, match="not claimed"):
            await writer.write([], {})

    asyncio.run(run())


async def _never(*_: Any) -> None:
    await asyncio.Event().wait()


class TestTransactions:
    """Nothing is committed without all of it."""

    def write(self, refuse: type[KafkaError], *values: bytes) -> tuple[Any, Any]:
        """What came of writing these values, and the producer."""
        producer = Refusing(refuse)

        async def run() -> Any:
            writer = Transactions(Settings(), "t")
            writer._producer = producer  # type: ignore[assignment]
            return await writer.write([Record(f"topic-{value!r}", 0, b"k", value) for value in values], {})

        try:
            return asyncio.run(run()), producer
        except (TransactionLost, LimitLowered) as error:
            return error, producer

    def test_offsets_are_those_that_kafka_acknowledged(self) -> None:
        offsets, producer = self.write(NotLeaderForPartitionError, b"one", b"two")
        assert (offsets, producer.committed) == ([10, 20], True)

    def test_records_of_a_partition_go_together_in_their_order_as_far_as_a_batch_has_room(self) -> None:
        producer = Refusing(NotLeaderForPartitionError)
        writer = Transactions(Settings(), "t")
        writer._producer = producer  # type: ignore[assignment]
        wide = b"x" * 60
        records = [Record(topic, part, b"k", wide if topic == "b" else b"v") for topic, part in PLACES]
        offsets = asyncio.run(writer.write([*records, Record("b", 0, b"k", b"x" * 900)], {}))
        assert producer.sent == [("a", 0, 2), ("b", 0, 1), ("a", 1, 1), ("b", 0, 1), ("b", 0, 1)]
        assert offsets == [10, 20, 11, 30, 40, 50]

    def test_a_record_that_kafka_refuses_takes_the_others_with_it(self) -> None:
        error, producer = self.write(NotLeaderForPartitionError, b"one", b"refused", b"three")
        assert isinstance(error, TransactionLost)
        assert not producer.committed

    def test_who_is_fenced_between_two_records_has_lost_the_transaction(self) -> None:
        error, producer = self.write(NotLeaderForPartitionError, b"one", b"fenced", b"three")
        assert isinstance(error, TransactionLost)
        assert not producer.committed

    def test_a_limit_that_was_lowered_is_named_with_its_topic(self) -> None:
        error, producer = self.write(MessageSizeTooLargeError, b"one", b"refused")
        assert isinstance(error, LimitLowered)
        assert "topic-b'refused'" in str(error)
        assert not producer.committed


class Hanging:
    """Stands for a consumer that gets nothing beyond an offset."""

    def __init__(self, ends: dict[TopicPartition, int], stands: int) -> None:
        self._ends, self._stands = ends, stands

    async def start(self) -> None:
        """At once."""

    async def stop(self) -> None:
        """At once."""

    def assign(self, parts: list[TopicPartition]) -> None:
        """All of them."""

    def seek(self, part: TopicPartition, offset: int) -> None:
        """Wherever."""

    async def end_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return self._ends

    async def beginning_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 0)

    async def getmany(self, *parts: TopicPartition, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0.001)
        return {}

    async def position(self, part: TopicPartition) -> int:
        return min(self._stands, self._ends[part])


class TestRestore:
    """A restore that does not end says where it stands."""

    def test_partitions_that_are_taken_away_meanwhile_are_no_inconsistency(self) -> None:
        async def taken_away() -> None:
            return None

        recovery = CommittedRecovery.__new__(CommittedRecovery)
        recovery.before = taken_away
        with pytest.raises(RebalanceAgain):
            asyncio.run(recovery._build_highwaters(None, {TP("a", 0)}, {}, "active"))

    def test_the_record_that_holds_it_up_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        table = SimpleNamespace(persisted_offset=lambda tp: None)
        tables = SimpleNamespace(by_changelog=lambda: {"short": table, "long": table})
        parts = {TopicPartition("short", 0): 3, TopicPartition("long", 1): 90}
        restorer = Restorer(Settings(restore_deadline=0.05), tables, lambda *_: None)  # type: ignore[arg-type]
        monkeypatch.setattr(restorer, "_consumer", lambda: Hanging(parts, 17))
        with pytest.raises(RestoreError, match=r"within 0\.05 s.*: long/1 at offset 17 of 90\. .*RESTORE_DEADLINE"):
            asyncio.run(restorer.restore(TP(*part) for part in parts))
