"""Faust's aiokafka transport, reading only what is committed.

Knows: the three places of Faust's driver that fix how a worker's consumer is made.
Must not know: topics, agents, tables.

Faust reads committed records only under its own `exactly_once`, which is not; and it lets a fetch wait 1.5 s, one at a
time for each broker, so that an idle partition holds up a busy one.
"""

from __future__ import annotations

from typing import Any

from faust.transport.drivers import aiokafka as driver

FETCH_WAIT_MS = 100


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

    def _new_consumer_thread(self) -> CommittedConsumerThread:
        return CommittedConsumerThread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(driver.Transport):
    """The transport that `settings.transport = "committed"` chooses."""

    Consumer = CommittedConsumer
