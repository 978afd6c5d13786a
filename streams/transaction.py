"""One Kafka transaction: everything that a partition's checkpoint writes, or nothing of it.

Knows: transactional ids, records, offsets.
Must not know: Faust, rows, what the records mean.

The transactional id belongs to a partition, not to a process: whoever claims it last fences out everybody before, so a
worker that sleeps through its own replacement can write nothing more.  Readers must be `read_committed`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, MessageSizeTooLargeError, ProducerClosed
from aiokafka.partitioner import murmur2
from aiokafka.structs import OffsetAndMetadata

from streams import faults
from streams.connection import aio_options
from streams.joined import send_joined
from streams.settings import PlainError, Settings

REQUEST_MS = 120_000
"""Longer than any outage that is to be sat out: a record given up would break the sequence of its producer."""
TRANSACTION_MS = 300_000
CLOSE_SECONDS = 3.0
SHOWN_BYTES = 300
BATCH_BYTES = 1 << 19
"""Of one partition, sent at once.  Larger ones are made of new pages each time, which costs more than it saves."""
ENVELOPE_BYTES = 2048
"""What Kafka and an envelope of ours add to a value, at most."""


class RecordTooLarge(PlainError):
    """A record is above `max_record_bytes`: nothing was written, and trying again would not help."""


class LimitLowered(PlainError):
    """Kafka refuses a record that was within the limits when the worker started."""


class TransactionLost(Exception):
    """Nothing, or all, of it was written, and this claim is void: claim anew and read back what stands."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record to write; `key` and `value` are ready bytes, a null value deletes."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


@lru_cache(maxsize=8192)  # the hash is Python's own pace, and a cluster has one key
def partition_of(key: bytes, partitions: int) -> int:
    """Kafka's default partition of a key, as Java, Faust and aiokafka reckon it."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


@dataclass(slots=True)
class _Sent:
    """A batch under way, and which of the records are in it."""

    topic: str
    partition: int
    indexes: list[int] = field(default_factory=list)
    future: asyncio.Future[Any] = field(default_factory=asyncio.Future)


class Transactions:
    """The writer of one partition, from `claim` to `close`."""

    def __init__(self, settings: Settings, transactional_id: str, kind: str = "") -> None:
        self._settings, self._id, self._kind = settings, transactional_id, kind
        self._producer: AIOKafkaProducer | None = None
        self._turn = 0

    async def claim(self) -> None:
        """Take over: ends what an earlier owner left open and fences it out."""
        await self.close()
        send_joined()
        turn = self._turn
        producer = AIOKafkaProducer(
            **aio_options(self._settings),
            client_id=f"{self._settings.app_id}-writer",
            transactional_id=self._id,
            enable_idempotence=True,
            acks="all",
            request_timeout_ms=REQUEST_MS,
            transaction_timeout_ms=TRANSACTION_MS,
            max_request_size=self._settings.max_record_bytes,
            max_batch_size=BATCH_BYTES,
            retry_backoff_ms=25,
        )
        starting = asyncio.ensure_future(producer.start())
        starting.add_done_callback(_seen)
        try:
            await asyncio.shield(starting)  # aiokafka forgets a connection whose making is cancelled
        except BaseException:
            await asyncio.wait([starting], timeout=CLOSE_SECONDS)
            starting.cancel()
            await _stop(producer)
            raise
        if turn == self._turn:
            self._producer = producer
        else:
            await _stop(producer)  # given up while it was being claimed

    async def write(self, records: Sequence[Record], offsets: Mapping[tuple[str, int], int]) -> list[int]:
        """Commit the records and the group's offsets together; returns the records' offsets.

        The offsets say which tables they go with.
        Raises TransactionLost, after which the claim is void; LimitLowered, after which the worker has to end; and
        RecordTooLarge, before anything is written.
        """
        producer = self._producer
        if producer is None:
            raise TransactionLost("not claimed")
        self._check_sizes(records)
        sent: list[_Sent] = []
        try:
            await producer.begin_transaction()
            batches = _batches(producer, records)
            for number, (batch, one) in enumerate(batches):
                one.future = await producer.send_batch(batch, one.topic, partition=one.partition)
                sent.append(one)
                if number == len(batches) // 2:
                    faults.reach("half", self._kind)
            faults.reach("sent", self._kind)
            commits = {
                TopicPartition(*tp): OffsetAndMetadata(offset, self._settings.tables) for tp, offset in offsets.items()
            }
            if commits:
                await producer.send_offsets_to_transaction(commits, self._settings.app_id)
            faults.reach("offsets", self._kind)
            written = await _acknowledged(sent, len(records))
            faults.reach("acknowledged", self._kind)
            await producer.commit_transaction()
            faults.reach("committed", self._kind)
            return written
        except (KafkaError, AssertionError, IllegalOperation) as error:
            # aiokafka asserts that a partition exists, and that nobody fenced us between two records.
            for one in sent:
                one.future.add_done_callback(_seen)
            if isinstance(error, MessageSizeTooLargeError):
                topics = {one.topic for one in sent if _too_large(one.future)}
                raise LimitLowered(
                    f"Kafka refuses a record for {', '.join(sorted(topics))} as too large: its max.message.bytes was "
                    "lowered since this worker started. Raise it again, or start the worker again, which then keeps "
                    "to it."
                ) from error
            raise TransactionLost(f"{self._id}: {type(error).__name__}: {error}") from error

    def _check_sizes(self, records: Sequence[Record]) -> None:
        most = self._settings.max_record_bytes - ENVELOPE_BYTES
        setting = "HYPERPOD_STATE_MAX_RECORD_BYTES"
        for record in records:
            if record.value is not None and len(record.value) + len(record.key) > most:
                key = record.key[:SHOWN_BYTES].decode(errors="backslashreplace")
                raise RecordTooLarge(
                    f"A record for {record.topic} with key {key!r} has {len(record.value)} bytes, "
                    f"above {setting}={self._settings.max_record_bytes}."
                )

    async def close(self) -> None:
        """Give up the claim; what is open is left to the next owner, who ends it by claiming."""
        self._turn += 1
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        await asyncio.wait_for(producer.stop(), CLOSE_SECONDS)
    except (KafkaError, TimeoutError):
        await _abandon(producer)


async def _abandon(producer: AIOKafkaProducer) -> None:
    """A fenced producer, or one without a broker, cannot end in order: its tasks would go on as long as this process.

    Nothing of it can be written any more: that is the point.
    """
    ending = {asyncio.ensure_future(producer.client.close())}
    if (sender := producer._sender.sender_task) is not None:
        sender.cancel()
        ending.add(sender)
    producer._message_accumulator.fail_all(ProducerClosed())
    await asyncio.wait(ending, timeout=CLOSE_SECONDS)
    for task in ending:
        task.cancel()
        task.add_done_callback(_seen)


def _batches(producer: AIOKafkaProducer, records: Sequence[Record]) -> list[tuple[Any, _Sent]]:
    """The records in batches of one partition each, in order: far cheaper than one by one."""
    made: list[tuple[Any, _Sent]] = []
    open_: dict[tuple[str, int], tuple[Any, _Sent]] = {}
    now = int(time.time() * 1000)
    batch = one = None
    for index, record in enumerate(records):
        topic, partition = record.topic, record.partition
        if one is None or one.partition != partition or one.topic != topic:  # neighbours mostly go together
            batch, one = open_.get((topic, partition), (None, None))
        if batch is None or batch.append(timestamp=now, key=record.key, value=record.value) is None:
            batch, one = producer.create_batch(), _Sent(topic, partition)
            batch.append(timestamp=now, key=record.key, value=record.value)  # the first one always finds room
            open_[topic, partition] = batch, one
            made.append((batch, one))
        assert one is not None
        one.indexes.append(index)
    return made


async def _acknowledged(sent: Sequence[_Sent], count: int) -> list[int]:
    """Wait for Kafka's word on every record, and raise where it is no; the records' offsets.

    Not left to the commit: aiokafka commits without records that were refused, or that had no leader for too long.
    """
    if sent:
        await asyncio.wait([one.future for one in sent])
    offsets = [-1] * count
    for one in sent:
        first = one.future.result().offset
        for number, index in enumerate(one.indexes):
            offsets[index] = first + number
    return offsets


def _too_large(future: asyncio.Future[Any]) -> bool:
    done = future.done() and not future.cancelled()
    return done and isinstance(future.exception(), MessageSizeTooLargeError)


def _seen(future: asyncio.Future[Any]) -> None:
    """The transaction's failure was reported; asyncio need not complain about each of its records."""
    if not future.cancelled():
        future.exception()
