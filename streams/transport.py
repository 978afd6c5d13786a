"""Faust's aiokafka transport, reading only what is committed, and handing it on in chunks.

Knows: the places of Faust's driver that fix how a worker's consumer is made, and how it hands on what it read.
Must not know: topics, agents, tables.

Faust reads committed records only under its own `exactly_once`, which is not; and it lets a fetch wait 1.5 s, one at a
time for each broker, so that an idle partition holds up a busy one.  For each message it runs two tasks and a queue,
which costs more than what is done with the message: so what one fetch brought of a partition goes through as one.
Of each record aiokafka makes an object with a dozen fields, which costs as much again: here it makes what a lane takes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiokafka import conn
from aiokafka.consumer.fetcher import FetchResult
from faust.transport.drivers import aiokafka as driver
from msgspec.structs import replace

from streams.message import Message, fetched

FETCH_WAIT_MS = 100
READ_BYTES = 4 << 20
"""Of an answer, before who waits for it has had its turn: aiokafka stops reading every 128 kB, and begins again."""
CHUNK = "chunk"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Messages of one partition, in order; to Faust it is the last of them, as aiokafka would have it."""

    topic: str
    partition: int
    messages: Sequence[Message]
    timestamp_type: int = 0
    checksum: None = None
    serialized_key_size: int = -1
    serialized_value_size: int = -1

    @property
    def offset(self) -> int:
        """Of the last one."""
        return self.messages[-1].offset

    @property
    def timestamp(self) -> int | None:
        """Of the last one, epoch ms."""
        return self.messages[-1].time_ms

    @property
    def key(self) -> bytes | None:
        """Of the last one."""
        return self.messages[-1].key

    @property
    def value(self) -> bytes | None:
        """Of the last one."""
        return self.messages[-1].value

    @property
    def headers(self) -> dict[str, Chunk]:
        """Where the agent finds the chunk: Faust hands headers on as they are.  Those of a record are no dict."""
        return {CHUNK: self}


class Fetched(OrderedDict[Any, Any]):
    """What aiokafka's fetcher has of each partition and did not hand out yet: its records will be messages."""

    def __setitem__(self, tp: Any, result: Any) -> None:
        if isinstance(result, FetchResult):
            result._partition_records._consumer_record = fetched
        super().__setitem__(tp, result)


class LivingListener(driver.ConsumerRebalanceListener):
    """Stays a member of the group while partitions are being taken over.

    aiokafka begins to send heartbeats after this call, in which every local store is opened: with many partitions, or
    on a busy machine, that takes longer than a session, so that whoever joins is a member no more when it is through,
    joins again, and so on for ever.
    """

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """aiokafka's hook; the group's generation is known by now."""
        thread = cast(CommittedConsumerThread, self._thread)
        consumer = thread._ensure_consumer()
        consumer._coordinator._start_heartbeat_task()
        consumer.pause(*thread.changelogs())  # they are restored by a consumer of their own
        await super().on_partitions_assigned(assigned)


class CommittedConsumerThread(driver.AIOKafkaConsumerThread):
    """Makes the consumer as Faust does, then sets what Faust has no setting for; it is not started yet."""

    mundane_level = "debug"

    def _create_worker_consumer(self, transport: Any) -> Any:
        conn.READER_LIMIT = READ_BYTES  # there is no setting, and no client that it would harm
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    async def on_start(self) -> None:
        """Faust starts the consumer, which has no partitions yet, so that nothing is fetched."""
        await super().on_start()
        self._ensure_consumer()._fetcher._records = Fetched()

    def changelogs(self) -> list[Any]:
        """Those that are assigned: Faust has them so, and would read of each as much as one fetch brings."""
        own = self.app.tables.changelog_topics
        return [tp for tp in self._ensure_consumer().assignment() if tp.topic in own]

    async def seek_to_committed(self) -> Any:
        """Without the changelogs, of which nothing is committed: each is a question of its own."""
        consumer = self._ensure_consumer()
        sources = consumer.assignment() - set(self.changelogs())
        return await self.call_thread(consumer.seek_to_committed, *sources) if sources else {}

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Faust logs an error where nothing was fetched of a partition for minutes; of a changelog nothing is."""
        if tp.topic not in self.app.tables.changelog_topics:
            super().verify_event_path(now, tp)

    async def _fetch_records(self, consumer: Any, *args: Any, **kwargs: Any) -> Any:
        """Here, in the consumer's own thread, nothing is read meanwhile: what is said of a chunk's end is true."""
        found = await super()._fetch_records(consumer, *args, **kwargs)
        return {tp: [_chunk(consumer, tp, messages)] for tp, messages in found.items() if messages}


def _chunk(consumer: Any, tp: Any, messages: list[Message]) -> Chunk:
    if _is_end(consumer, tp):
        messages[-1] = replace(messages[-1], last=True)
    return Chunk(tp.topic, tp.partition, messages)


def _is_end(consumer: Any, tp: Any) -> bool:
    """Whether everything that was committed when the records were fetched has been read."""
    assignment = consumer._subscription.subscription.assignment
    if assignment is None or tp not in assignment.tps:
        return False  # it was just taken away
    state = assignment.state_value(tp)
    return state.has_valid_position and state.lso is not None and state.position >= state.lso


class CommittedConsumer(driver.Consumer):
    """A consumer on that thread."""

    mundane_level = "debug"
    RebalanceListener = LivingListener

    def _new_consumer_thread(self) -> CommittedConsumerThread:
        return CommittedConsumerThread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(driver.Transport):
    """The transport that `settings.transport = "committed"` chooses."""

    Consumer = CommittedConsumer
