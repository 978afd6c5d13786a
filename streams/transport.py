"""Faust's aiokafka transport, reading only what is committed, and handing it on in chunks.

Knows: the places of Faust's driver that fix how a worker's consumer is made, and how it hands on what it read.
Must not know: topics, agents, tables.

Faust reads committed records only under its own `exactly_once`, which is not; and it lets a fetch wait 1.5 s, one at a
time for each broker, so that an idle partition holds up a busy one.  For each message it runs two tasks and a queue,
which costs more than what is done with the message: so what one fetch brought of a partition goes through as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from faust.transport.drivers import aiokafka as driver

FETCH_WAIT_MS = 100
RECORDS = "records"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records of one partition, in order; to Faust it is the last of them."""

    records: tuple[Any, ...]

    def __getattr__(self, name: str) -> Any:
        """Faust asks for topic, partition, offset, time and the like."""
        return getattr(self.records[-1], name)

    @property
    def headers(self) -> dict[str, tuple[Any, ...]]:
        """Where the agent finds the records: Faust hands headers on as they are.  Those of a record are no dict."""
        return {RECORDS: self.records}


class LivingListener(driver.ConsumerRebalanceListener):
    """Stays a member of the group while partitions are being taken over.

    aiokafka begins to send heartbeats after this call, in which every local store is opened: with many partitions, or
    on a busy machine, that takes longer than a session, so that whoever joins is a member no more when it is through,
    joins again, and so on for ever.
    """

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """aiokafka's hook; the group's generation is known by now."""
        self._thread._ensure_consumer()._coordinator._start_heartbeat_task()
        await super().on_partitions_assigned(assigned)


class CommittedConsumerThread(driver.AIOKafkaConsumerThread):
    """Makes the consumer as Faust does, then sets what Faust has no setting for; it is not started yet."""

    mundane_level = "debug"

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class CommittedConsumer(driver.Consumer):
    """A consumer on that thread."""

    mundane_level = "debug"
    RebalanceListener = LivingListener

    def _new_consumer_thread(self) -> CommittedConsumerThread:
        return CommittedConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:
        found = await super()._getmany(active_partitions, timeout)
        return {tp: [Chunk(tuple(records))] for tp, records in found.items() if records}


class CommittedTransport(driver.Transport):
    """The transport that `settings.transport = "committed"` chooses."""

    Consumer = CommittedConsumer
