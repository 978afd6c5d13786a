"""Records of a topic as a bystander reads them: committed ones only, up to where the topic ended when reading began.

Knows: kafka-python's consumer, offsets, how to get past markers of transactions.
Must not know: what records mean.  It joins no group and commits nothing, so reading disturbs nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.connection import REACH_MS, NoKafka, making, options
from streams.settings import Settings

POLL_MS = 200
"""Short, as a poll that meets nothing but markers returns only when its time is over."""
LEADER_SECONDS = 15.0
"""A partition whose broker has ended, or whose topic was just made, has a leader again by then."""


@dataclass(frozen=True)
class Step:
    """What one poll brought, where to go on, and how many offsets are left."""

    records: list[Any]
    following: dict[tuple[str, int], int]
    lag: int


class Shorter(NoKafka):
    """A partition ends before what was read of it."""

    def __init__(self, part: TopicPartition, at: int, end: int) -> None:
        super().__init__(
            f"{part.topic}/{part.partition} ends at {end} and was read up to {at}: "
            "the topic was made anew, or has lost its newest records"
        )


Offsets = dict[TopicPartition, int]


def offsets(ask: Callable[[list[TopicPartition]], Offsets], parts: Sequence[TopicPartition]) -> Offsets:
    """What a question of kafka-python's consumer about offsets answers for all partitions.  Raises NoKafka.

    The library leaves out those whose leader it does not know, has the brokers asked who that is, and then fails by a
    KeyError: so it is asked again.
    """
    until = time.monotonic() + LEADER_SECONDS
    while True:
        try:
            return ask(list(parts))
        except KeyError as error:
            if not isinstance(part := error.args[0], TopicPartition):
                raise
            if time.monotonic() >= until:
                raise NoKafka(
                    f"{part.topic}/{part.partition} has no leader: its broker is away, or the topic is made anew. "
                    "`hyperpod-state doctor` looks at the topics."
                ) from None
        time.sleep(POLL_MS / 1000)


class Reader:
    """Asks one Kafka; made by `reader`."""

    def __init__(self, consumer: KafkaConsumer, settings: Settings) -> None:
        self._consumer, self._settings = consumer, settings

    def partitions(self, topic: str) -> list[int]:
        """By number; none where the topic does not exist."""
        return sorted(self._consumer.partitions_for_topic(topic) or ())

    def begin(self, topic: str, partition: int) -> int:
        """The offset of the oldest record that is still there."""
        part = TopicPartition(topic, partition)
        return offsets(self._consumer.beginning_offsets, [part])[part]

    def records(
        self,
        topic: str,
        *,
        since_ms: int | None = None,
        partitions: Collection[int] | None = None,
        last: int | None = None,
    ) -> Iterator[Any]:
        """Every committed record that is there now, or those from the first one at or after `since_ms` on.

        With `last` only those among the newest so many offsets of each partition.  In order within a partition;
        records that are written meanwhile are not waited for.
        """
        asked = self.partitions(topic) if partitions is None else sorted(partitions)
        parts = [TopicPartition(topic, number) for number in asked]
        if not parts:
            return
        ends, begins = self._ends(parts), self._begins(parts, since_ms)
        if last is not None:
            begins = {part: max(begins[part], ends[part] - last) for part in parts}
        left = [part for part in parts if begins[part] < ends[part]]
        self._consumer.assign(left)
        for part in left:
            self._consumer.seek(part, begins[part])
        while left:
            for part, batch in self._consumer.poll(timeout_ms=POLL_MS).items():
                yield from (record for record in batch if record.offset < ends[part])
            left = self._unfinished(left, ends)

    def follow(self, starts: Mapping[tuple[str, int], int], most: int, *, strict: bool = False) -> Iterator[Step]:
        """From those offsets of topics and partitions up to where they end now, in steps of `most` records.

        An offset that is gone, or that was never there, stands for the oldest record; `strict` raises Shorter for one
        that lies behind the end.
        """
        begins = {TopicPartition(*place): offset for place, offset in starts.items()}
        ends, firsts = self._ends(list(begins)), self._begins(list(begins), None)
        if strict and (past := [part for part, at in begins.items() if at > ends[part]]):
            raise Shorter(past[0], begins[past[0]], ends[past[0]])
        begins = {part: at if firsts[part] <= at <= ends[part] else firsts[part] for part, at in begins.items()}
        left = [part for part in begins if begins[part] < ends[part]]
        if left:
            self._consumer.assign(left)
        for part in left:
            self._consumer.seek(part, begins[part])
        while left:
            found = self._consumer.poll(timeout_ms=POLL_MS, max_records=most)
            at = {part: int(self._consumer.position(part)) for part in left}
            lag = sum(max(0, ends[part] - at[part]) for part in left)
            records = [record for batch in found.values() for record in batch]
            yield Step(records, {(part.topic, part.partition): offset for part, offset in at.items()}, lag)
            left = self._unfinished(left, ends)

    def record(self, topic: str, partition: int, offset: int) -> Any | None:
        """The record at one place; None where it is gone, or is none that was committed."""
        part = TopicPartition(topic, partition)
        end = self._ends([part])[part]
        self._consumer.assign([part])
        self._consumer.seek(part, offset)
        while self._consumer.position(part) <= offset < end:
            for found in self._consumer.poll(timeout_ms=POLL_MS, max_records=1).get(part, ()):
                return found if found.offset == offset else None
        return None

    def _ends(self, parts: list[TopicPartition]) -> Offsets:
        return offsets(self._consumer.end_offsets, parts)

    def _begins(self, parts: list[TopicPartition], since_ms: int | None) -> Offsets:
        firsts = offsets(self._consumer.beginning_offsets, parts)
        if since_ms is None:
            return firsts
        found = self._consumer.offsets_for_times(dict.fromkeys(parts, max(0, since_ms)))
        ends = self._ends(parts)
        return {part: ends[part] if found[part] is None else max(found[part].offset, firsts[part]) for part in parts}

    def _unfinished(self, parts: list[TopicPartition], ends: Offsets) -> list[TopicPartition]:
        """Those not read to their end; the others are let go, so that what is written meanwhile is not fetched."""
        left = [part for part in parts if self._consumer.position(part) < ends[part]]
        if left and len(left) < len(parts):
            self._consumer.assign(left)
        return left


def has_topic(settings: Settings, topic: str) -> bool:
    """Whether it exists.  NoKafka as of `reader`.

    Whoever is to write asks here: a producer waits a minute for a topic that is not there, and then calls Kafka late.
    """
    with reader(settings) as asked:
        return bool(asked.partitions(topic))


@contextmanager
def reader(settings: Settings) -> Iterator[Reader]:
    """A reader of the settings' Kafka.  NoKafka where it does not answer, or refuses within."""
    with making(settings):
        consumer = KafkaConsumer(
            **options(settings),
            bootstrap_timeout_ms=REACH_MS,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            check_crcs=False,  # in pure Python: a second for each megabyte
            max_partition_fetch_bytes=settings.max_record_bytes,
        )
    try:
        yield Reader(consumer, settings)
    except KafkaError as error:
        raise NoKafka(f"Kafka at {settings.brokers} could not be read: {error}") from error
    finally:
        consumer.close()
