"""Whether all is read, as a real Kafka tells a reader of committed records: checkpoints at once depend on it."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.transport import _is_end
from tests.kafka import new_topic

if TYPE_CHECKING:
    from tests.kafka import Broker


async def written(producer: AIOKafkaProducer, topic: str, values: list[bytes]) -> None:
    async with producer.transaction():
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)


async def read(consumer: AIOKafkaConsumer, most: int) -> tuple[list[bytes], bool]:
    """As the worker's consumer does: what there is of the partition, and whether that was all."""
    async with asyncio.timeout(60):
        while not (found := await consumer.getmany(timeout_ms=1000, max_records=most)):
            pass
    [(tp, records)] = found.items()
    return [record.value for record in records], _is_end(consumer, tp)


async def told(bootstrap: str, topic: str) -> list[tuple[list[bytes], bool]]:
    part = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest", group_id=None
    )
    names = [f"test-{uuid.uuid4().hex}" for _ in range(2)]
    one, other = (AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=name) for name in names)
    async with one, other, consumer:
        consumer.assign([part])
        await written(one, topic, [b"1", b"2", b"3"])
        found = [await read(consumer, 2), await read(consumer, 2)]
        await other.begin_transaction()
        await other.send_and_wait(topic, b"open", partition=0)
        await other.abort_transaction()
        await written(one, topic, [b"4"])
        found.append(await read(consumer, 2))
        await other.begin_transaction()
        await written(one, topic, [b"5"])
        await other.send_and_wait(topic, b"open", partition=0)
        found.append(await read(consumer, 2))
        await other.abort_transaction()
    return found


def test_the_end_is_where_nothing_committed_is_left_whatever_markers_and_open_transactions_stand_there(
    kafka: Broker,
) -> None:
    topic = new_topic(kafka.bootstrap, partitions=1)
    assert asyncio.run(told(kafka.bootstrap, topic)) == [
        ([b"1", b"2"], False),
        ([b"3"], True),
        ([b"4"], True),
        ([b"5"], True),
    ]
