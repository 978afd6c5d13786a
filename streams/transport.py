"""Faust's aiokafka transport, reading only what is committed, and handing it on in chunks.

Knows: the places of Faust's driver that fix how a worker's consumer is made, and how it hands on what it read.
Must not know: topics, agents, tables.

Faust reads committed records only under its own `exactly_once`, which is not; and it lets a fetch wait 1.5 s, one at a
time for each broker, so that an idle partition holds up a busy one.  For each message it runs two tasks and a queue,
which costs more than what is done with the message: so what one fetch brought of a partition goes through as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from faust.transport.drivers import aiokafka as driver

FETCH_WAIT_MS = 100
CHUNK = "chunk"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records of one partition, in order; to Faust it is the last of them."""

    records: tuple[Any, ...]
    last: bool = False
    """Nothing stood behind them when they were read."""

    def __getattr__(self, name: str) -> Any:
        """Faust asks for topic, partition, offset, time and the like."""
        return getattr(self.records[-1], name)

    @property
    def headers(self) -> dict[str, Chunk]:
        """Where the agent finds the chunk: Faust hands headers on as they are.  Those of a record are no dict."""
        return {CHUNK: self}


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
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    def changelogs(self) -> list[Any]:
        """Those that are assigned: Faust has them so, and would read of each as much as one fetch brings."""
        own = self.app.tables.changelog_topics
        return [tp for tp in self._ensure_consumer().assignment() if tp.topic in own]

    async def seek_to_committed(self) -> Any:
        """Without the changelogs, of which nothing is committed: each is a question of its own."""
        consumer = self._ensure_consumer()
        sources = consumer.assignment() - set(self.changelogs())
        return await self.call_thread(consumer.seek_to_committed, *sources) if sources else {}

    async def _fetch_records(self, consumer: Any, *args: Any, **kwargs: Any) -> Any:
        """Here, in the consumer's own thread, nothing is read meanwhile: what is said of a chunk's end is true."""
        found = await super()._fetch_records(consumer, *args, **kwargs)
        return {tp: [Chunk(tuple(records), _is_end(consumer, tp))] for tp, records in found.items() if records}


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
